/*
 * compare_page.c - a comparison as a page of HTML: what differs at a glance, the first
 * decision, charts; tables are in compare_table.c.
 */
#include "compare_charts.h"
#include "core/trace/html_page.h"
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void paragraph(FILE *out, const char *class, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void paragraph(FILE *out, const char *class, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	quire_html_element(out, "p", class, text);
	fputc('\n', out);
}

/* "; " and a text, the first without. */
static void add(char *to, size_t size, const char *text)
{
	size_t n = strlen(to);

	if (*text && n < size)
		snprintf(to + n, size - n, "%s%s", n ? "; " : "", text);
}

/* What ran: "A  real.qrec (cpu): measured on cpu"; and what is the same in both, once. */
static void print_runs(FILE *out, const struct quire_pair *pair)
{
	const struct quire_settings *c[] = {&pair->report[0].config, &pair->report[1].config};
	const char *const both[][2] = {
		{c[0]->model, c[1]->model},
		{c[0]->scheduler, c[1]->scheduler},
		{c[0]->allocator, c[1]->allocator},
		{c[0]->workload, c[1]->workload},
	};
	char text[5 * QUIRE_REPORT_NAME_MAX], same[5 * QUIRE_REPORT_NAME_MAX] = "";

	for (int i = 0; i < 2; i++) {
		const bool simulated = !strcmp(c[i]->exec, "sim");

		snprintf(text, sizeof(text), "%s%s",
			 simulated     ? "simulated for "
			 : *c[i]->exec ? "measured on "
				       : "a report",
			 c[i]->gpu);
		if (simulated && strcmp(c[i]->time_model, "formula") != 0) {
			add(text, sizeof(text), "times of ");
			strncat(text, c[i]->time_model, QUIRE_REPORT_NAME_MAX);
		}
		for (size_t k = 0; k < sizeof(both) / sizeof(*both); k++)
			if (strcmp(both[k][0], both[k][1]) != 0)
				add(text, sizeof(text), both[k][i]);
		fputs("<p>", out);
		quire_html_key(out, quire_chart_colour((uint32_t)i));
		quire_html_element(out, "b", "", pair->label[i]);
		fputs(": ", out);
		quire_html_element(out, "span", "", text);
		fputs("</p>\n", out);
	}
	for (size_t k = 0; k < sizeof(both) / sizeof(*both); k++)
		if (!strcmp(both[k][0], both[k][1]))
			add(same, sizeof(same), both[k][0]);
	if (c[0]->requests == c[1]->requests) {
		snprintf(text, sizeof(text), "%s requests", quire_text_count(c[0]->requests).s);
		add(same, sizeof(same), text);
	}
	if (*same)
		paragraph(out, "", "Both: %s", same);
}

/* Means of B against those of A, in one sentence. */
static void print_means(FILE *out, const struct quire_pair *pair)
{
	const struct quire_report *a = &pair->report[0], *b = &pair->report[1];
	const struct {
		const char *name;
		double a, b;
	} means[] = {
		{"TTFT", a->ttft_s.mean, b->ttft_s.mean},
		{"TPOT", a->tpot_s.mean, b->tpot_s.mean},
		{"E2E", a->e2e_s.mean, b->e2e_s.mean},
		{"output tokens/s", a->output_tokens_per_s, b->output_tokens_per_s},
	};
	char text[256] = "", percent[64];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(means) / sizeof(*means); i++) {
		quire_pair_percent(percent, sizeof(percent), means[i].a, means[i].b);
		if (strcmp(percent, "-") != 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s", n ? ", " : "",
					      means[i].name, percent);
	}
	if (n)
		paragraph(out, "", "B against A, means: %s.", text);
}

static void print_memory(FILE *out, const struct quire_pair *pair)
{
	const struct quire_report *a = &pair->report[0], *b = &pair->report[1];
	const double points[] = {b->token_states - a->token_states, b->reserved - a->reserved,
				 b->internal - a->internal, b->external - a->external};
	static const char *const names[] = {"token states", "reserved", "internal", "external"};
	int most = 0;

	for (int i = 1; i < 4; i++)
		if (fabs(points[i]) > fabs(points[most]))
			most = i;
	if (isfinite(points[most]))
		paragraph(out, "",
			  "Kinds of KV memory differ by %.1f points of the pool at most (%s).",
			  fabs(points[most]) * 100, names[most]);
}

/* How many requests take about as long. */
static void print_requests(FILE *out, const struct quire_pair *pair)
{
	const struct quire_record_plot *r = pair->recorded;
	uint32_t n = r[0].requests_count < r[1].requests_count ? r[0].requests_count
							       : r[1].requests_count;
	double *e2e = calloc(2 * (size_t)n + 1, sizeof(*e2e)), close;
	uint32_t count;

	for (uint32_t i = 0; e2e && i < n; i++) {
		e2e[i] = r[0].requests[i].e2e_s;
		e2e[n + i] = r[1].requests[i].e2e_s;
	}
	close = e2e ? quire_pair_close(e2e, e2e + n, n, &count) : NAN;
	if (isfinite(close))
		paragraph(
			out, "",
			"%.0f%% of %s requests take as long in B as in A, within 10%%, end to end.",
			close * 100, quire_text_count(count).s);
	free(e2e);
}

/* The lines of the terminal. */
static int print_decisions(FILE *out, const struct quire_comparison *p)
{
	char *text = NULL, *next;
	size_t size = 0;
	FILE *lines = open_memstream(&text, &size);

	if (!lines)
		return quire_fail(-ENOMEM, "no memory for the report");
	quire_comparison_print_decisions(lines, p);
	if (fclose(lines) != 0) {
		free(text);
		return quire_fail(-ENOMEM, "no memory for the report");
	}
	for (char *line = text; *line; line = next) {
		size_t n = strcspn(line, "\n");

		next = line + n + (line[n] == '\n');
		line[n] = '\0';
		if (*line == ' ') /* "  A  step 5 at" */
			paragraph(out, "", "%c: %s", line[2], line + 5);
		else
			paragraph(out, "", "%c%s", toupper((unsigned char)*line), line + 1);
	}
	free(text);
	return 0;
}

static int print_head(FILE *out, const struct quire_comparison *p, const struct quire_pair *pair,
		      size_t index, size_t count)
{
	char missing[256], title[256];
	int rc = 0;

	snprintf(title, sizeof(title), "%.90s against %.90s", pair->label[1], pair->label[0]);
	if (count > 1) {
		size_t n = strlen(title);

		snprintf(title + n, sizeof(title) - n, ", %zu of %zu", index + 1, count);
	}
	quire_html_element(out, "h1", "", title);
	print_runs(out, pair);
	fputs("<section>\n<h2>At a glance</h2>\n", out);
	print_means(out, pair);
	print_memory(out, pair);
	if (pair->same_requests)
		print_requests(out, pair);
	if (p->recorded)
		rc = print_decisions(out, p);
	for (int i = 0; i < 2; i++)
		if (pair->report[i].saturated)
			paragraph(out, "note",
				  "! %c is saturated: its queue grew without end, so its latency "
				  "depends on how long one looked.",
				  "AB"[i]);
	quire_comparison_missing(p, missing, sizeof(missing));
	if (*missing)
		paragraph(out, "note", "%c%s.", toupper((unsigned char)*missing), missing + 1);
	fputs("</section>\n", out);
	return rc;
}

static int print_figure(FILE *out, const struct quire_pair *pair, enum quire_pair_figure which)
{
	struct quire_figure f;
	int rc = quire_pair_figure(&f, which, pair);

	if (rc > 0)
		rc = quire_html_figure(out, &f);
	quire_figure_free(&f);
	return rc;
}

int quire_compare_page(FILE *out, const struct quire_comparison *p, const struct quire_pair *pair,
		       size_t index, size_t count)
{
	int rc = print_head(out, p, pair, index, count);

	for (uint32_t i = 0; rc == 0 && i < QUIRE_PAIR_FIGURE_COUNT; i++)
		rc = print_figure(out, pair, i);
	quire_compare_tables(out, p, pair);
	return rc;
}
