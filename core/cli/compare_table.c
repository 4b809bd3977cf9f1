/*
 * compare_table.c - the tables of a comparison's page: latencies, figures, settings.
 */
#include "compare_charts.h"
#include "compare_report.h"
#include "core/trace/html_page.h"
#include "core/trace/report_text.h"

#include <math.h>
#include <string.h>

static void cell(FILE *out, const char *class, const char *text)
{
	quire_html_element(out, "td", class, text);
}

static void print_latencies(FILE *out, const struct quire_pair *pair)
{
	fputs("<div class=\"wide\"><table>\n<tr><th class=\"name\">latency</th><th></th><th></th>"
	      "<th>mean</th><th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>max</th></tr>\n",
	      out);
	for (size_t k = 0; k < QUIRE_LATENCIES; k++) {
		const struct quire_latency *line = &quire_latencies[k];
		double value[2][6];
		bool in_ms;

		for (int i = 0; i < 2; i++) {
			const struct quire_spread *s =
				(const void *)((const char *)&pair->report[i] + line->offset);
			const double of[] = {s->mean, s->p50, s->p90, s->p95, s->p99, s->max};

			memcpy(value[i], of, sizeof(of));
		}
		in_ms = !(value[0][5] >= 9.9995) && !(value[1][5] >= 9.9995);
		for (int i = 0; i < 3; i++) {
			fputs(i == 0 && k ? "<tr class=\"gap\">" : "<tr>", out);
			cell(out, "name", i == 0 ? line->name : "");
			cell(out, "name", i == 0 ? "A" : i == 1 ? "B" : "B - A");
			cell(out, "", i == 2 ? "" : in_ms ? "ms" : "s");
			for (int c = 0; c < 6; c++) {
				char text[QUIRE_SHOW_MAX];

				if (i == 2)
					quire_pair_percent(text, sizeof(text), value[0][c],
							   value[1][c]);
				else if (isfinite(value[i][c]))
					quire_show_number(text, value[i][c] * (in_ms ? 1e3 : 1));
				else
					snprintf(text, sizeof(text), "-");
				cell(out, i == 2 ? "best" : "", text);
			}
			fputs("</tr>\n", out);
		}
	}
	fputs("</table></div>\n", out);
}

/* What a row shows: COUNTs that are 0 in both are left out. */
enum kind { NUMBER, COUNT, EVENTS, SHARE };
static const struct {
	const char *key, *name;
	enum kind kind;
} rows[] = {
	{"requests.finished", "requests finished", COUNT},
	{"requests.refused", "requests refused", EVENTS},
	{"time_s", "whole run, s", NUMBER},
	{"throughput.requests_per_s", "requests/s", NUMBER},
	{"throughput.output_tokens_per_s", "output tokens/s", NUMBER},
	{"throughput.prompt_tokens_per_s", "prompt tokens/s", NUMBER},
	{"goodput.requests_per_s", "goodput, requests/s", NUMBER},
	{"goodput.share", "requests that met the SLO", SHARE},
	{"steps.count", "steps", COUNT},
	{"steps.sequences_mean", "sequences in memory, mean over steps", NUMBER},
	{"steps.tokens_mean", "tokens of a step, mean", NUMBER},
	{"preemptions", "preemptions", EVENTS},
	{"recomputed_tokens", "tokens computed again", EVENTS},
	{"copies", "copies", EVENTS},
	{"copied_slots", "slots copied", EVENTS},
	{"forks", "forks", EVENTS},
	{"memory.token_states", "token states", SHARE},
	{"memory.reserved", "reserved", SHARE},
	{"memory.internal", "internal", SHARE},
	{"memory.external", "external", SHARE},
	{"memory.rounding", "of external: rounding", SHARE},
	{"memory.free", "of external: free", SHARE},
	{"memory.largest_free_run", "largest free run", SHARE},
	{"memory.shared_saved", "saved by sharing", SHARE},
};
enum { ROWS = sizeof(rows) / sizeof(*rows) };

static void show(char *to, size_t size, double value, enum kind kind)
{
	char text[QUIRE_SHOW_MAX] = "-";

	if (isfinite(value) && kind == SHARE)
		snprintf(text, sizeof(text), "%.2f%%", value * 100);
	else if (isfinite(value) && kind == NUMBER)
		quire_show_number(text, value);
	else if (isfinite(value) && value >= 0)
		quire_show_count(text, (uint64_t)value);
	snprintf(to, size, "%s", text);
}

static void print_figures(FILE *out, const struct quire_comparison *p)
{
	fputs("<div class=\"wide\"><table>\n<tr><th class=\"name\">figure</th><th>A</th><th>B</th>"
	      "<th>B - A</th></tr>\n",
	      out);
	for (size_t i = 0; i < ROWS; i++) {
		const json_t *a = quire_report_value(p->report_a, rows[i].key);
		const json_t *b = quire_report_value(p->report_b, rows[i].key);
		double x = json_is_number(a) ? json_number_value(a) : NAN;
		double y = json_is_number(b) ? json_number_value(b) : NAN;
		char text[QUIRE_SHOW_MAX];

		if ((!isfinite(x) && !isfinite(y)) ||
		    (rows[i].kind == EVENTS && !(x > 0) && !(y > 0)))
			continue;
		fputs("<tr>", out);
		cell(out, "name", rows[i].name);
		show(text, sizeof(text), x, rows[i].kind);
		cell(out, "", text);
		show(text, sizeof(text), y, rows[i].kind);
		cell(out, "", text);
		if (rows[i].kind != SHARE || (x <= y && x >= y))
			quire_pair_percent(text, sizeof(text), x, y);
		else if (isfinite(y - x))
			snprintf(text, sizeof(text), "%+.2f points", (y - x) * 100);
		else
			snprintf(text, sizeof(text), "-");
		cell(out, "best", text);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

/* Is it in the tables above? */
static bool is_shown(const char *key)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcmp(key, rows[i].key))
			return true;
	for (size_t i = 0; i < QUIRE_LATENCIES; i++) {
		static const char *const keys[] = {"ttft_s.", "tpot_s.",  "itl_s.",
						   "e2e_s.",  "queue_s.", "normalized_latency_s."};

		if (!strncmp(key, keys[i], strlen(keys[i])))
			return true;
	}
	return false;
}

/* Settings, or figures that have no row above, that are not the same in both. */
static void print_differences(FILE *out, const struct quire_differences *d, bool config,
			      const char *title, const char *none)
{
	bool any = false;

	fputs(d->count > 20 ? "<section class=\"long\">\n" : "<section>\n", out);
	quire_html_element(out, "h2", "", title);
	for (size_t i = 0; i < d->count; i++) {
		const struct quire_difference *row = &d->at[i];

		if (row->config != config || (!config && is_shown(row->key)))
			continue;
		if (!any)
			fputs("<div class=\"wide\"><table>\n<tr><th class=\"name\"></th>"
			      "<th class=\"name\">A</th><th class=\"name\">B</th></tr>\n",
			      out);
		any = true;
		fputs("<tr>", out);
		cell(out, "name", row->key);
		cell(out, "text", quire_value_text(row->a).s);
		cell(out, "text", quire_value_text(row->b).s);
		fputs("</tr>\n", out);
	}
	if (any)
		fputs("</table></div>\n", out);
	else
		quire_html_element(out, "p", "", none);
	fputs("</section>\n", out);
}

void quire_compare_tables(FILE *out, const struct quire_comparison *p,
			  const struct quire_pair *pair)
{
	fputs("<section>\n<h2>Latencies</h2>\n", out);
	print_latencies(out, pair);
	fputs("</section>\n<section>\n<h2>Figures</h2>\n", out);
	print_figures(out, p);
	fputs("</section>\n", out);
	print_differences(out, &p->values, true, "Settings that differ",
			  "All settings are the same.");
	print_differences(out, &p->values, false, "Other figures that differ", "None.");
}
