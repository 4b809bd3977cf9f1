/*
 * compare_charts.c - see compare_charts.h.
 */
#include "compare_charts.h"

#include "compare_report.h"
#include "core/trace/html_page.h"
#include "plots.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int quire_compare_charts_open(struct quire_compare_charts *c, const char *report, const char *plot,
			      int argc, char *const *argv)
{
	int rc = 0;

	if (report)
		rc = quire_output_open(&c->html, report);
	if (rc == 0 && plot)
		rc = quire_plots_folder(plot);
	c->plot = plot;
	if (rc == 0)
		c->command = quire_plots_command(argc, argv);
	return rc || c->command ? rc : quire_fail(-ENOMEM, "no memory for the report");
}

void quire_compare_charts_free(struct quire_compare_charts *c)
{
	quire_output_discard(&c->html);
	free(c->command);
	c->command = NULL;
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* "A  real.qrec (cpu)": the file, and if that differs what ran it. */
static void label(struct quire_pair *pair, const struct quire_comparison *p, int i)
{
	const char *paths[] = {p->a->path, p->b->path}, *name = last_name(paths[i]);
	const char *exec = pair->report[i].config.exec;
	bool two_worlds = strcmp(pair->report[0].config.exec, pair->report[1].config.exec) != 0;

	if (!strcmp(last_name(paths[0]), last_name(paths[1])))
		name = paths[i]; /* of two folders */
	snprintf(pair->label[i], sizeof(pair->label[i]), "%c  %.80s%s%s%s", "AB"[i], name,
		 two_worlds && *exec ? " (" : "", two_worlds ? exec : "",
		 two_worlds && *exec ? ")" : "");
}

/* Steps before number @step; of those that did the same in both, the count is that of
 * the run that has fewer. */
static uint32_t steps_before(const struct quire_record_plot *r, uint32_t step)
{
	uint32_t n = 0;

	while (n < r->steps_count && r->steps[n].step < step)
		n++;
	return n;
}

static uint32_t same_steps(const struct quire_pair *pair, const struct quire_comparison *p)
{
	const struct quire_parting *s = &p->scheduler;
	uint32_t a = steps_before(&pair->recorded[0], s->differ ? s->a.step : UINT32_MAX);
	uint32_t b = steps_before(&pair->recorded[1], s->differ ? s->b.step : UINT32_MAX);

	return a < b ? a : b;
}

static void pair_free(struct quire_pair *pair)
{
	if (!pair)
		return;
	free(pair->plots);
	for (int i = 0; i < 2; i++)
		quire_record_plot_free(&pair->recorded[i]);
	free(pair);
}

/* NULL with a sentence in quire_failure(): no memory. */
static struct quire_pair *pair_new(const struct quire_comparison *p)
{
	const struct quire_record *records[] = {p->a->record, p->b->record};
	const json_t *reports[] = {p->report_a, p->report_b};
	struct quire_pair *pair = calloc(1, sizeof(*pair));
	const struct quire_parting *parting;
	int rc = 0;

	if (pair)
		pair->plots = calloc(2, sizeof(*pair->plots));
	if (!pair || !pair->plots) {
		quire_fail(-ENOMEM, "no memory for the charts");
		pair_free(pair);
		return NULL;
	}
	for (int i = 0; i < 2; i++)
		quire_report_from_json(&pair->report[i], reports[i]);
	for (int i = 0; rc == 0 && i < 2; i++) {
		label(pair, p, i);
		if (records[i])
			rc = quire_record_plot_make(&pair->recorded[i], &pair->plots[i],
						    records[i]);
	}
	if (rc) {
		pair_free(pair);
		return NULL;
	}
	for (int i = 0; i < 2; i++)
		quire_series_coarsen(&pair->plots[i].series, pair->plots[!i].series.bin_ns);
	pair->both_recorded = p->recorded;
	pair->same_requests = p->recorded && !p->requests_part;
	if (p->recorded)
		pair->same_steps = same_steps(pair, p);
	parting = quire_comparison_parting(p, &pair->parting);
	pair->parting_s[0] = parting ? (double)parting->a.at_ns / 1e9 : NAN;
	pair->parting_s[1] = parting ? (double)parting->b.at_ns / 1e9 : NAN;
	return pair;
}

static int plot(const struct quire_pair *pair, const char *folder, size_t index, size_t count)
{
	struct quire_figure f;
	int rc = 0;

	for (uint32_t i = 0; rc >= 0 && i < QUIRE_PAIR_FIGURE_COUNT; i++) {
		rc = quire_pair_figure(&f, i, pair);
		if (rc > 0 && count > 1) { /* "latency-2" */
			size_t n = strlen(f.name);

			snprintf(f.name + n, sizeof(f.name) - n, "-%zu", index + 1);
		}
		if (rc > 0)
			rc = quire_plots_write(&f, folder);
		quire_figure_free(&f);
	}
	return rc;
}

int quire_compare_charts_add(struct quire_compare_charts *c, const struct quire_comparison *p,
			     size_t index, size_t count)
{
	struct quire_pair *pair;
	int rc = 0;

	if (!c->html.file && !c->plot)
		return 0;
	pair = pair_new(p);
	if (!pair)
		return -ENOMEM;
	if (c->html.file) {
		if (index == 0) {
			char what[512];

			snprintf(what, sizeof(what), "%.240s against %.240s", last_name(p->b->path),
				 last_name(p->a->path));
			quire_html_begin(c->html.file, what);
		}
		rc = quire_compare_page(c->html.file, p, pair, index, count);
	}
	if (rc == 0 && c->plot)
		rc = plot(pair, c->plot, index, count);
	pair_free(pair);
	return rc;
}

int quire_compare_charts_close(struct quire_compare_charts *c)
{
	if (!c->html.file)
		return 0;
	quire_html_command(c->html.file, c->command);
	quire_html_end(c->html.file);
	return quire_output_commit(&c->html);
}

void quire_comparison_missing(const struct quire_comparison *p, char *text, size_t size)
{
	const bool a = p->a->record != NULL, b = p->b->record != NULL;

	*text = '\0';
	if (!a || !b)
		snprintf(text, size,
			 "%s, so there is nothing over time, of single steps and of single "
			 "requests; of distributions p50 to max are known",
			 a   ? "B is a report"
			 : b ? "A is a report"
			     : "A and B are reports");
	else if (p->requests_part)
		snprintf(text, size,
			 "the workloads differ, so requests are not compared one by one");
}
