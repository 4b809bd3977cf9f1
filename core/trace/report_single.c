/*
 * report_single.c - one run alone, with room for every percentile.
 */
#include "report_text.h"

#include <inttypes.h>
#include <math.h>

static void print_spreads(FILE *out, const struct quire_report *r,
			  const struct quire_table_style *style)
{
	const struct {
		const char *name;
		const struct quire_spread *spread;
		const char *meaning;
		bool queued; /* waiting included */
	} line[] = {
		{"TTFT", &r->ttft_s, "arrival to first token", true},
		{"TPOT", &r->tpot_s, "per token after the first", false},
		{"ITL", &r->itl_s, "between two tokens", false},
		{"E2E", &r->e2e_s, "arrival to last token", true},
		{"queue", &r->queue_s, "arrival to first step", true},
		{"E2E/output", &r->normalized_latency_s, "per token, with all waiting", true},
	};

	fprintf(out, "%s%-10s %4s %8s %8s %8s %8s %8s %8s%s\n", quire_show_dim(style), "latency",
		"", "mean", "p50", "p90", "p95", "p99", "max", quire_show_plain(style));
	for (size_t i = 0; i < sizeof(line) / sizeof(*line); i++) {
		const struct quire_spread *s = line[i].spread;
		const double value[] = {s->mean, s->p50, s->p90, s->p95, s->p99, s->max};
		bool in_ms = s->max < 9.9995;

		fprintf(out, "%-10s %4s", line[i].name, in_ms ? "ms" : "s");
		for (size_t k = 0; k < sizeof(value) / sizeof(*value); k++) {
			char text[QUIRE_SHOW_MAX + 1] = "~";

			quire_show_number(text + 1, value[k] * (in_ms ? 1e3 : 1));
			fprintf(out, " %8s",
				text + !(r->saturated && line[i].queued && isfinite(value[k])));
		}
		fprintf(out, "  %s%s%s\n", quire_show_dim(style), line[i].meaning,
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

static void print_memory(FILE *out, const struct quire_report *r,
			 const struct quire_table_style *style)
{
	const double shares[4] = {r->token_states, r->reserved, r->internal, r->external};
	unsigned int cells = style->columns < 112 ? style->columns - 12 : 100;

	fputs("KV memory   ", out);
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

void quire_report_single(FILE *out, const struct quire_report *r,
			 const struct quire_table_style *style)
{
	fprintf(out, "%s, %s\n\n", r->config.scheduler, r->config.allocator);
	print_spreads(out, r, style);
	print_work(out, r);
	print_memory(out, r, style);
}
