/*
 * chart_view.c - see chart_view.h and chart_runs.h.
 *
 * Where only schedulers and allocators differ, a colour and a marker stand for a
 * scheduler and a dash for an allocator; otherwise all three for the combination.
 */
#include "chart_view.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const uint32_t quire_memory_colours[4] = {QUIRE_BLUE, QUIRE_PALE, QUIRE_VERMILION, QUIRE_SHADE};
const char *const quire_memory_names[4] = {"token states", "reserved", "internal", "external"};

/* Settings that tell combinations apart. */
enum { APART = 5 };
static const size_t apart[APART] = {SCHEDULER, ALLOCATOR, MODEL, GPU, TP};

static bool same(const struct quire_report *a, const struct quire_report *b)
{
	for (size_t i = 0; i < APART; i++)
		if (!quire_rows_same_setting(&quire_row_settings[apart[i]], a, b))
			return false;
	return true;
}

static const struct quire_report *report_of(const struct quire_combination *c)
{
	return (const void *)((const char *)c->settings - offsetof(struct quire_report, config));
}

/* How many different values of a setting come before this one's. */
static uint32_t order(const struct quire_chart_view *v, uint32_t index, size_t setting)
{
	const struct quire_row_setting *s = &quire_row_settings[setting];
	uint32_t n = 0;

	for (uint32_t i = 0; i < index; i++) {
		bool first = true;

		if (quire_rows_same_setting(s, report_of(&v->combinations[i]),
					    report_of(&v->combinations[index])))
			return order(v, i, setting);
		for (uint32_t k = 0; k < i && first; k++)
			first = !quire_rows_same_setting(s, report_of(&v->combinations[i]),
							 report_of(&v->combinations[k]));
		n += first;
	}
	return n;
}

static void name(struct quire_combination *c, const bool *varies)
{
	bool any = false;
	char text[QUIRE_REPORT_NAME_MAX];
	size_t n = 0;

	for (size_t i = 0; i < APART; i++)
		any |= varies[apart[i]];
	for (size_t i = 0; i < APART && n < sizeof(c->label); i++) {
		size_t s = apart[i];

		if (any ? !varies[s] : s < SCHEDULER)
			continue;
		quire_rows_setting(&quire_row_settings[s], c->settings, text);
		n += (size_t)snprintf(c->label + n, sizeof(c->label) - n, "%s%s%s",
				      !n	       ? ""
				      : s == ALLOCATOR ? " x "
						       : ", ",
				      quire_row_settings[s].prefix, text);
	}
}

static void look(const struct quire_chart_view *v, uint32_t index, const bool *varies)
{
	bool grid = varies[SCHEDULER] && varies[ALLOCATOR] && !varies[MODEL] && !varies[GPU] &&
		    !varies[TP];
	uint32_t colour = grid ? order(v, index, SCHEDULER) : index;

	v->combinations[index].look = (struct quire_look){
		.colour = quire_chart_colour(colour),
		.dash = (grid ? order(v, index, ALLOCATOR) : index) % 6,
		.width = fmax(1.4, 2.8 - 0.5 * colour), /* those below a line peek out */
		.marker = 1 + colour % (QUIRE_MARKERS - 1),
	};
}

/* Do allocators alternate, and change schedulers after every second? */
static bool same_pairs(const struct quire_chart_view *v)
{
	const struct quire_row_setting *s = &quire_row_settings[ALLOCATOR];

	for (uint32_t i = 2; i < v->combinations_count; i++)
		if (!quire_rows_same_setting(s, report_of(&v->combinations[i]),
					     report_of(&v->combinations[i - 2])))
			return false;
	return !quire_rows_same_setting(s, report_of(&v->combinations[0]),
					report_of(&v->combinations[1]));
}

static void find_combinations(struct quire_chart_view *v)
{
	bool varies[SETTINGS] = {false};

	for (uint32_t r = 0; r < v->rows.count; r++) {
		const struct quire_report *report = v->rows.rows[r].first;
		uint32_t i = 0;

		while (i < v->combinations_count && !same(report, report_of(&v->combinations[i])))
			i++;
		if (i == v->combinations_count)
			v->combinations[v->combinations_count++].settings = &report->config;
		v->combination_of[r] = i;
		for (size_t s = 0; s < SETTINGS; s++)
			varies[s] |= !quire_rows_same_setting(&quire_row_settings[s],
							      v->rows.rows[0].first, report);
	}
	v->alternating = varies[ALLOCATOR] && v->combinations_count > 2 && same_pairs(v);
	v->rates_vary = varies[RATE_SETTING];
	for (uint32_t i = 0; i < v->combinations_count; i++) {
		name(&v->combinations[i], varies);
		look(v, i, varies);
	}
}

/* The rate to show, and its rows. */
static void choose(struct quire_chart_view *v)
{
	bool found = false;

	v->rate = v->rows.count ? v->rows.rows[0].first->config.rate : 0;
	for (uint32_t r = 0; r < v->rows.count; r++) {
		const struct quire_row *row = &v->rows.rows[r];
		bool good = !row->saturated && !row->broken;

		if (good ? !found || row->first->config.rate > v->rate
			 : !found && row->first->config.rate < v->rate)
			v->rate = row->first->config.rate;
		found |= good;
	}
	for (uint32_t r = 0; r < v->rows.count; r++) {
		if (v->rows.rows[r].first->config.rate != v->rate ||
		    !quire_chart_view_plot(v, r)->series.end_ns)
			continue;
		if (v->shown_count < QUIRE_RUNS_SHOWN)
			v->shown[v->shown_count++] = r;
		else
			v->left_out++;
	}
}

void quire_chart_view_free(struct quire_chart_view *v)
{
	if (!v)
		return;
	free(v->rows.rows);
	free(v->combinations);
	free(v->combination_of);
	free(v);
}

struct quire_chart_view *quire_chart_view_new(const struct quire_runs *runs)
{
	struct quire_chart_view *v = calloc(1, sizeof(*v));

	if (v) {
		v->runs = runs;
		v->style = (struct quire_table_style){.columns = 10000, .utf8 = true};
		v->rows.style = &v->style;
		v->combinations = calloc(runs->count + 1, sizeof(*v->combinations));
		v->combination_of = calloc(runs->count + 1, sizeof(*v->combination_of));
	}
	if (!v || !v->combinations || !v->combination_of ||
	    quire_rows_make(&v->rows, runs->reports, runs->count)) {
		quire_fail(-ENOMEM, "no memory for the charts of %zu runs", runs->count);
		quire_chart_view_free(v);
		return NULL;
	}
	find_combinations(v);
	choose(v);
	return v;
}

struct quire_chart_view *quire_chart_view_pair(const struct quire_runs *runs,
					       const char *const labels[2])
{
	static const bool varies[SETTINGS];
	struct quire_chart_view *v = calloc(1, sizeof(*v));

	if (v) {
		v->rows.rows = calloc(2, sizeof(*v->rows.rows));
		v->combinations = calloc(2, sizeof(*v->combinations));
		v->combination_of = calloc(2, sizeof(*v->combination_of));
	}
	if (!v || !v->rows.rows || !v->combinations || !v->combination_of) {
		quire_fail(-ENOMEM, "no memory for the charts of two runs");
		quire_chart_view_free(v);
		return NULL;
	}
	v->runs = runs;
	v->rows.count = v->combinations_count = v->shown_count = 2;
	for (uint32_t i = 0; i < 2; i++) {
		const struct quire_report *report = &runs->reports[i];

		v->rows.rows[i] = (struct quire_row){
			.first = report, .runs = 1, .saturated = report->saturated};
		v->combinations[i].settings = &report->config;
		snprintf(v->combinations[i].label, sizeof(v->combinations[i].label), "%s",
			 labels[i]);
		v->combination_of[i] = v->shown[i] = i;
		look(v, i, varies);
	}
	return v;
}

void quire_chart_view_choice(const struct quire_chart_view *v, char *text, size_t size)
{
	size_t n = 0;

	*text = '\0';
	if (v->rates_vary)
		n = (size_t)snprintf(text, size,
				     " Shown at a rate of %.10g requests/s, the highest at which "
				     "not every run was saturated.",
				     v->rate);
	if (v->rows.count && v->rows.rows[0].runs > 1 && n < size)
		n += (size_t)snprintf(text + n, size - n, " Of several seeds the first.");
	if (v->left_out && n < size)
		snprintf(text + n, size - n, " %u more runs are not shown.", v->left_out);
}

int quire_memory_legend(struct quire_figure *f)
{
	f->legend = quire_figure_alloc(f, 4, sizeof(*f->legend));
	if (!f->legend)
		return quire_fail(-ENOMEM, "no memory for a chart");
	f->legend_count = 4;
	for (uint32_t i = 0; i < 4; i++) {
		f->legend[i].look =
			(struct quire_look){.colour = quire_memory_colours[i], .area = true};
		snprintf(f->legend[i].text, sizeof(f->legend[i].text), "%s", quire_memory_names[i]);
	}
	return 0;
}

int quire_chart_view_legend(struct quire_figure *f, const struct quire_chart_view *v)
{
	f->legend = quire_figure_alloc(f, v->combinations_count + 1, sizeof(*f->legend));
	if (!f->legend)
		return quire_fail(-ENOMEM, "no memory for a chart");
	for (uint32_t i = 0; i < v->combinations_count && v->combinations_count > 1; i++) {
		struct quire_legend *l = &f->legend[f->legend_count++];

		l->look = v->combinations[i].look;
		memcpy(l->text, v->combinations[i].label, sizeof(l->text));
	}
	return 0;
}

int quire_run_figure(struct quire_figure *f, enum quire_run_figure which,
		     const struct quire_chart_view *view)
{
#define X(figure, name) #name,
	static const char *const names[] = {QUIRE_RUN_FIGURES(X)};
#undef X

	*f = (struct quire_figure){.width = 720, .columns = 2, .chart_height = 155};
	snprintf(f->name, sizeof(f->name), "%s", names[which]);
	if (which == QUIRE_FIGURE_RATES)
		return quire_figure_rates(f, view);
	if (which == QUIRE_FIGURE_COMPARISON)
		return quire_figure_comparison(f, view);
	if (which == QUIRE_FIGURE_LATENCY)
		return quire_figure_latency(f, view);
	return quire_figure_over_time(f, which, view);
}
