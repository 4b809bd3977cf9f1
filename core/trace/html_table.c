/*
 * html_table.c - see html_table.h.
 */
#include "html_table.h"

#include "chart_canvas.h"
#include "html_page.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* "TTFT p99 ms", "preemptions" */
static void print_column_name(FILE *out, const struct quire_rows *t, size_t i, bool unit)
{
	const struct quire_column *c = &quire_columns[i];
	size_t n = c->top ? strlen(c->top) : 0;

	if (!c->top)
		quire_html_key(out, quire_memory_colours[i - PIECES]);
	else if (c->top[n - 1] == '-')
		fprintf(out, "%.*s", (int)n - 1, c->top);
	else
		fprintf(out, "%s%s", c->top, unit || !quire_rows_is_time(i) ? " " : "");
	if (unit || !quire_rows_is_time(i))
		fputs(c->name, out);
	if (unit && quire_rows_is_time(i))
		fputs(t->in_ms[i] ? "<br/>ms" : "<br/>s", out);
}

static void print_row(FILE *out, const struct quire_rows *t, enum block block,
		      const struct quire_row *row, bool gap)
{
	char text[QUIRE_REPORT_NAME_MAX];

	fputs(gap ? "<tr class=\"gap\">" : "<tr>", out);
	for (size_t s = 0; s < SETTINGS; s++) {
		if (!t->varies[s])
			continue;
		quire_rows_setting(&quire_row_settings[s], &row->first->config, text);
		quire_html_element(out, "td", "name", text);
	}
	if (row->broken) {
		const bool crashed = row->broken->end == QUIRE_RUN_CRASHED;

		fprintf(out, "<td class=\"text\" colspan=\"%d\">%s%s", COLUMNS,
			quire_run_end_text[row->broken->end], crashed ? ": " : ", see below");
		quire_text_xml(out, crashed ? row->broken->sentence : "");
		fputs("</td></tr>\n", out);
		return;
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		if (quire_columns[i].block != block || !t->shown[i])
			continue;
		quire_rows_cell(t, row, i, text);
		quire_html_element(out, "td", quire_rows_best(t, row, i) ? "best" : "", text);
	}
	fputs("</tr>\n", out);
}

static void print_block(FILE *out, const struct quire_rows *t, enum block block, const char *title)
{
	fprintf(out, "<section%s>\n<h2>%s</h2>\n<div class=\"wide\"><table>\n<thead><tr>",
		t->count > 20 ? " class=\"long\"" : "", title);
	for (size_t s = 0; s < SETTINGS; s++)
		if (t->varies[s])
			quire_html_element(out, "th", "name", quire_row_settings[s].name);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (quire_columns[i].block != block || !t->shown[i])
			continue;
		fputs("<th>", out);
		print_column_name(out, t, i, true);
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n", out);
	for (size_t r = 0; r < t->count; r++)
		print_row(out, t, block, &t->rows[r],
			  r && !quire_rows_comparable(&t->rows[r - 1], &t->rows[r]));
	fputs("</table></div>\n<p class=\"faint\">", out);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (quire_columns[i].block != block || !t->shown[i] || !quire_columns[i].meaning)
			continue;
		fputs("<b>", out);
		print_column_name(out, t, i, false);
		fprintf(out, "</b>: %s. ", quire_columns[i].meaning);
	}
	fprintf(out, "%s</p>\n</section>\n",
		t->count > 1 ? "<b>bold</b>: the best of its column." : "");
}

void quire_html_tables(FILE *out, const struct quire_rows *t)
{
	print_block(out, t, CLIENTS, "What clients see");
	print_block(out, t, MEMORY, "What memory holds");
}

static void print_line(FILE *out, const char *name, const char *text)
{
	fputs("<tr>", out);
	quire_html_element(out, "td", "name", name);
	quire_html_element(out, "td", "text", text);
	fputs("</tr>\n", out);
}

static void print_latencies(FILE *out, const struct quire_report *r)
{
	fputs("<div class=\"wide\"><table>\n<tr><th "
	      "class=\"name\">latency</th><th></th><th>mean</th>"
	      "<th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>max</th>"
	      "<th class=\"name\"></th></tr>\n",
	      out);
	for (size_t i = 0; i < QUIRE_LATENCIES; i++) {
		const struct quire_latency *line = &quire_latencies[i];
		const struct quire_spread *s = (const void *)((const char *)r + line->offset);
		const double value[] = {s->mean, s->p50, s->p90, s->p95, s->p99, s->max};
		bool in_ms = s->max < 9.9995;

		fputs("<tr>", out);
		quire_html_element(out, "td", "name", line->name);
		quire_html_element(out, "td", "", in_ms ? "ms" : "s");
		for (size_t k = 0; k < sizeof(value) / sizeof(*value); k++) {
			char text[QUIRE_SHOW_MAX + 1] = "~";

			quire_show_number(text + 1, value[k] * (in_ms ? 1e3 : 1));
			quire_html_element(
				out, "td", "",
				text + !(r->saturated && line->queued && isfinite(value[k])));
		}
		quire_html_element(out, "td", "text", line->meaning);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

void quire_html_single(FILE *out, const struct quire_report *r)
{
	char a[QUIRE_SHOW_MAX], b[QUIRE_SHOW_MAX], c[QUIRE_SHOW_MAX], d[QUIRE_SHOW_MAX];
	char text[8 * QUIRE_SHOW_MAX];

	fputs("<p>", out);
	quire_text_xml(out, r->config.scheduler);
	fputs("; ", out);
	quire_text_xml(out, r->config.allocator);
	fputs("</p>\n", out);
	if (r->end == QUIRE_RUN_CRASHED) { /* of others a note will tell */
		fputs("<p class=\"note\">! it crashed: ", out);
		quire_text_xml(out, r->sentence);
		fputs("</p>\n", out);
	}
	if (r->end != QUIRE_RUN_FINISHED && r->end != QUIRE_RUN_STOPPED)
		return;
	print_latencies(out, r);
	fputs("<div class=\"wide\"><table>\n", out);
	quire_show_number(a, r->requests_per_s);
	quire_show_number(b, r->output_tokens_per_s);
	quire_show_number(c, r->prompt_tokens_per_s);
	quire_show_number(d, r->time_s);
	snprintf(text, sizeof(text),
		 "%s requests/s, %s output and %s prompt tokens/s; the run took %s s", a, b, c, d);
	print_line(out, "throughput", text);
	if (r->config.slo_ttft_s > 0 || r->config.slo_tpot_s > 0) {
		quire_show_number(a, r->goodput_requests_per_s);
		snprintf(text, sizeof(text), "%s requests/s, %.1f%% of all, met the SLO", a,
			 r->goodput_share * 100);
		print_line(out, "goodput", text);
	}
	quire_show_count(a, r->steps);
	quire_show_number(b, r->sequences_mean);
	quire_show_number(c, r->tokens_mean);
	quire_show_count(d, r->preemptions);
	snprintf(text, sizeof(text), "%s of %s sequences and %s tokens on average; %s preemptions",
		 a, b, c, d);
	print_line(out, "steps", text);
	if (isfinite(r->token_states))
		snprintf(text, sizeof(text),
			 "token states %.1f%%, reserved %.1f%%, internal %.1f%%, external %.1f%% "
			 "(rounding %.1f%%, free %.1f%%)",
			 r->token_states * 100, r->reserved * 100, r->internal * 100,
			 r->external * 100, r->rounding * 100, r->free * 100);
	else
		snprintf(text, sizeof(text), "no step in the window");
	print_line(out, "KV memory", text);
	fputs("</table></div>\n", out);
}

void quire_html_settings(FILE *out, const struct quire_rows *t, const char *command)
{
	const struct quire_settings *c = &t->rows[0].first->config;
	char text[2 * QUIRE_REPORT_NAME_MAX + 64];

	fputs("<section>\n<h2>In force</h2>\n<div class=\"wide\"><table>\n", out);
	snprintf(text, sizeof(text), "%s (%s); arrivals %s%s", c->workload, c->workload_format,
		 c->arrivals, c->shuffle ? ", shuffled" : "");
	print_line(out, "workload", text);
	if (t->varies[RATE_SETTING])
		snprintf(text, sizeof(text), "of each run its own");
	else if (c->rate > 0)
		snprintf(text, sizeof(text), "%.10g requests/s", c->rate);
	else
		snprintf(text, sizeof(text), "as in the workload");
	print_line(out, "rate", text);
	snprintf(text, sizeof(text), "%" PRIu64 "%s", c->seed,
		 t->rows[0].runs > 1 ? " and following" : "");
	print_line(out, "seed", text);
	snprintf(text, sizeof(text), "weights %s, K and V %s, %" PRIu64 " bytes a token",
		 c->weight_dtype, c->kv_dtype, c->kv_bytes_per_token);
	print_line(out, "types", text);
	fputs("</table>\n<table>\n<tr><th class=\"name\">scheduler</th><th class=\"name\">allocator"
	      "</th><th>tokens of a step</th><th>slots of the pool</th><th>digest</th></tr>\n",
	      out);
	for (size_t r = 0; r < t->count; r++) {
		const struct quire_report *report = t->rows[r].first;

		if (r && !quire_rows_comparable(&t->rows[0], &t->rows[r]))
			continue;
		fputs("<tr>", out);
		quire_html_element(out, "td", "name", report->config.scheduler);
		quire_html_element(out, "td", "name", report->config.allocator);
		quire_show_count(text, report->config.max_num_batched_tokens);
		quire_html_element(out, "td", "", text);
		quire_show_count(text, report->config.kv_slots);
		quire_html_element(out, "td", "", text);
		snprintf(text, sizeof(text), "0x%016" PRIx64, report->digest);
		quire_html_element(out, "td", "", text);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
	if (command)
		quire_html_command(out, command);
	fputs("</section>\n", out);
}
