/*
 * report_single.c - one run alone, with room for every percentile.
 */
#include "report_text.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

const struct quire_latency quire_latencies[QUIRE_LATENCIES] = {
#define SPREAD(field) offsetof(struct quire_report, field)
	{"TTFT", SPREAD(ttft_s), "arrival to first token", true},
	{"TPOT", SPREAD(tpot_s), "per token after the first", false},
	{"ITL", SPREAD(itl_s), "between two tokens", false},
	{"E2E", SPREAD(e2e_s), "arrival to last token", true},
	{"queue", SPREAD(queue_s), "arrival to first step", true},
	{"E2E/output", SPREAD(normalized_latency_s), "per token, with all waiting", true},
#undef SPREAD
};

static void print_spreads(FILE *out, const struct quire_report *r,
			  const struct quire_table_style *style)
{
	fprintf(out, "%s%-10s %4s %8s %8s %8s %8s %8s %8s%s\n", quire_show_dim(style), "latency",
		"", "mean", "p50", "p90", "p95", "p99", "max", quire_show_plain(style));
	for (size_t i = 0; i < QUIRE_LATENCIES; i++) {
		const struct quire_latency *line = &quire_latencies[i];
		const struct quire_spread *s = (const void *)((const char *)r + line->offset);
		const double value[] = {s->mean, s->p50, s->p90, s->p95, s->p99, s->max};
		bool in_ms = s->max < 9.9995;

		fprintf(out, "%-10s %4s", line->name, in_ms ? "ms" : "s");
		for (size_t k = 0; k < sizeof(value) / sizeof(*value); k++) {
			char text[QUIRE_SHOW_MAX + 1] = "~";

			quire_show_number(text + 1, value[k] * (in_ms ? 1e3 : 1));
			fprintf(out, " %8s",
				text + !(r->saturated && line->queued && isfinite(value[k])));
		}
		fprintf(out, "  %s%s%s\n", quire_show_dim(style), line->meaning,
			quire_show_plain(style));
	}
	fputc('\n', out);
}

static void print_work(FILE *out, const struct quire_report *r)
{
	char a[QUIRE_SHOW_MAX], b[QUIRE_SHOW_MAX], c[QUIRE_SHOW_MAX];

	quire_show_number(a, r->requests_per_s);
	quire_show_number(b, r->output_tokens_per_s);
	quire_show_number(c, r->prompt_tokens_per_s);
	fprintf(out, "throughput  %s requests/s, %s output and %s prompt tokens/s", a, b, c);
	quire_show_number(a, r->time_s);
	fprintf(out, "; the run took %s s\n", a);
	if (r->config.slo_ttft_s > 0 || r->config.slo_tpot_s > 0) {
		quire_show_number(a, r->goodput_requests_per_s);
		fprintf(out, "goodput     %s requests/s, %.1f%% of all, met the SLO\n", a,
			r->goodput_share * 100);
	}
	quire_show_count(a, r->steps);
	quire_show_number(b, r->sequences_mean);
	quire_show_number(c, r->tokens_mean);
	fprintf(out, "steps       %s of %s sequences and %s tokens on average", a, b, c);
	quire_show_count(a, r->preemptions);
	quire_show_count(b, r->copies);
	fprintf(out, "; %s preemptions, %s copies\n", a, b);
}

/* "4.1 to 5.2" */
static void print_interval(FILE *out, const char *name, const struct quire_interval *i,
			   const char *unit, double scale)
{
	char low[QUIRE_SHOW_MAX], high[QUIRE_SHOW_MAX];

	quire_show_number(low, i->low * scale);
	quire_show_number(high, i->high * scale);
	fprintf(out, "%s %s to %s %s", name, low, high, unit);
}

static void print_intervals(FILE *out, const struct quire_report *r)
{
	bool in_ms = r->ttft_interval_s.high < 9.9995;

	if (!(r->interval_level > 0))
		return;
	fprintf(out, "%2.0f%% band    ", r->interval_level * 100);
	print_interval(out, "mean TTFT", &r->ttft_interval_s, in_ms ? "ms" : "s", in_ms ? 1e3 : 1);
	print_interval(out, ", mean TPOT", &r->tpot_interval_s, "ms", 1e3);
	print_interval(out, ",", &r->output_tokens_interval_per_s, "output tokens/s\n", 1);
}

static void print_memory(FILE *out, const struct quire_report *r,
			 const struct quire_table_style *style)
{
	const double shares[4] = {r->token_states, r->reserved, r->internal, r->external};
	unsigned int cells = style->columns < 112 ? style->columns - 12 : 100;

	fputs("KV memory   ", out);
	if (!isfinite(r->token_states)) {
		fprintf(out, "no step in the window\ndigest      0x%016" PRIx64 "\n", r->digest);
		return;
	}
	quire_show_bar(out, style, shares, cells);
	fputs("\n            ", out);
	quire_show_bar_legend(out, style);
	fprintf(out,
		"\n            token states %.1f%%, reserved %.1f%%, internal %.1f%%, "
		"external %.1f%%\n",
		r->token_states * 100, r->reserved * 100, r->internal * 100, r->external * 100);
	fprintf(out, "            of external: rounding %.1f%%, free %.1f%% (largest run %.1f%%)",
		r->rounding * 100, r->free * 100, r->largest_free_run * 100);
	if (r->shared_saved > 0)
		fprintf(out, "; sharing saved %.1f%%", r->shared_saved * 100);
	fprintf(out, "\ndigest      0x%016" PRIx64 "\n", r->digest);
}

/* Seconds, or milliseconds where all are short. */
static void print_time(FILE *out, double seconds, bool in_ms)
{
	char text[QUIRE_SHOW_MAX];

	quire_show_number(text, seconds * (in_ms ? 1e3 : 1));
	fprintf(out, " %8s", text);
}

static void print_clients(FILE *out, const struct quire_report *r,
			  const struct quire_table_style *style)
{
	uint32_t shown = r->clients_count < QUIRE_REPORT_CLIENTS_MAX ? r->clients_count
								     : QUIRE_REPORT_CLIENTS_MAX;
	char text[QUIRE_SHOW_MAX];
	bool in_ms = true;

	if (!shown)
		return;
	for (uint32_t i = 0; i < shown; i++)
		in_ms &= !(r->clients[i].e2e_s.max >= 9.9995 || r->clients[i].ttft_s.max >= 9.9995);
	fprintf(out, "\n%s%-25s %-26s %-26s   output\n%-16s %8s %8s %8s %8s %8s %8s %8s %8s%s\n",
		quire_show_dim(style), "client", in_ms ? "  TTFT, ms" : "  TTFT, s",
		in_ms ? "  E2E, ms" : "  E2E, s", "", "requests", "mean", "p50", "p99", "mean",
		"p50", "p99", "tokens/s", quire_show_plain(style));
	for (uint32_t i = 0; i < shown; i++) {
		const struct quire_client_figures *c = &r->clients[i];

		if (*c->name)
			snprintf(text, sizeof(text), "%.16s", c->name);
		else
			snprintf(text, sizeof(text), "%u", c->id);
		fprintf(out, "%-16s %8u", text, c->requests);
		print_time(out, c->ttft_s.mean, in_ms);
		print_time(out, c->ttft_s.p50, in_ms);
		print_time(out, c->ttft_s.p99, in_ms);
		print_time(out, c->e2e_s.mean, in_ms);
		print_time(out, c->e2e_s.p50, in_ms);
		print_time(out, c->e2e_s.p99, in_ms);
		quire_show_number(text, c->output_tokens_per_s);
		fprintf(out, " %8s\n", text);
	}
	if (shown < r->clients_count)
		fprintf(out, "... and %u clients with fewer requests\n", r->clients_count - shown);
}

void quire_report_single(FILE *out, const struct quire_report *r,
			 const struct quire_table_style *style)
{
	fprintf(out, "%s, %s\n\n", r->config.scheduler, r->config.allocator);
	print_spreads(out, r, style);
	print_work(out, r);
	print_intervals(out, r);
	print_memory(out, r, style);
	print_clients(out, r, style);
}
