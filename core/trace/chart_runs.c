/*
 * chart_runs.c - figures of numbers: over the rate, and side by side.
 */
#include "chart_view.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FIGURE(field) offsetof(struct quire_report, field)

static int no_memory(void)
{
	return quire_fail(-ENOMEM, "no memory for a chart");
}

/* Mean of a double of the report over the seeds of a row. */
static double figure_of(const struct quire_chart_view *v, uint32_t row, size_t offset)
{
	const struct quire_report *first = v->rows.rows[row].first;
	double sum = 0;
	uint32_t n = 0;

	for (size_t i = (size_t)(first - v->runs->reports); i < v->runs->count; i++) {
		const struct quire_report *r = &v->runs->reports[i];
		bool same = n == 0 || r->config.seed != first->config.seed;

		for (size_t s = 0; s < SETTINGS && same; s++)
			same = quire_rows_same_setting(&quire_row_settings[s], first, r);
		if (!same)
			continue;
		sum += *(const double *)((const char *)r + offset);
		if (++n == v->rows.rows[row].runs)
			break;
	}
	return n ? sum / n : NAN;
}

/* ---- over the rate ---- */

struct rate_chart {
	const char *title, *unit, *x_label;
	size_t x, y; /* offsets in struct quire_report; x 0: the rate that was asked for */
	bool may_log;
};

static const struct rate_chart rate_charts[] = {
	{"Normalized latency", "s a token, mean", "requests/s that arrive", 0,
	 FIGURE(normalized_latency_s.mean), true},
	{"TTFT", "s, p99", "requests/s that arrive", 0, FIGURE(ttft_s.p99), true},
	{"E2E latency", "s, mean", "requests/s that are done", FIGURE(requests_per_s),
	 FIGURE(e2e_s.mean), true},
	{"Throughput", "requests/s that are done", "requests/s that arrive", 0,
	 FIGURE(requests_per_s), false},
};

static int by_rate(const void *a, const void *b)
{
	double x = (*(const struct quire_row *const *)a)->first->config.rate;
	double y = (*(const struct quire_row *const *)b)->first->config.rate;

	return (x > y) - (x < y);
}

static int rate_curve(struct quire_figure *f, const struct quire_chart_view *v,
		      uint32_t combination, const struct rate_chart *kind,
		      struct quire_curve *curve)
{
	size_t n = v->rows.count;
	const struct quire_row **rows = quire_figure_alloc(f, n, sizeof(*rows));
	double *x = quire_figure_alloc(f, n, sizeof(*x)), *y = quire_figure_alloc(f, n, sizeof(*y));
	bool *hollow = quire_figure_alloc(f, n, sizeof(*hollow));
	uint32_t count = 0;

	if (!rows || !x || !y || !hollow)
		return no_memory();
	for (uint32_t r = 0; r < n; r++)
		if (v->combination_of[r] == combination)
			rows[count++] = &v->rows.rows[r];
	qsort(rows, count, sizeof(*rows), by_rate);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t r = (uint32_t)(rows[i] - v->rows.rows);

		x[i] = kind->x ? figure_of(v, r, kind->x) : rows[i]->first->config.rate;
		y[i] = rows[i]->broken ? NAN : figure_of(v, r, kind->y);
		hollow[i] = rows[i]->saturated > 0;
	}
	*curve = (struct quire_curve){.look = v->combinations[combination].look,
				      .x = x,
				      .y = y,
				      .count = count,
				      .dots = true,
				      .hollow = hollow};
	memcpy(curve->name, v->combinations[combination].label, sizeof(curve->name));
	return 0;
}

int quire_figure_rates(struct quire_figure *f, const struct quire_chart_view *v)
{
	const uint32_t n = sizeof(rate_charts) / sizeof(*rate_charts);
	int rc = 0;

	if (!v->rates_vary)
		return 0;
	f->charts = quire_figure_alloc(f, n, sizeof(*f->charts));
	if (!f->charts)
		return no_memory();
	f->charts_count = n;
	for (uint32_t i = 0; i < n; i++) {
		const struct rate_chart *kind = &rate_charts[i];
		struct quire_chart *chart = &f->charts[i];

		quire_chart_init(chart, kind->title, kind->unit);
		snprintf(chart->x.label, sizeof(chart->x.label), "%s", kind->x_label);
		chart->curves =
			quire_figure_alloc(f, v->combinations_count, sizeof(*chart->curves));
		if (!chart->curves)
			return no_memory();
		chart->curves_count = v->combinations_count;
		for (uint32_t c = 0; rc == 0 && c < v->combinations_count; c++)
			rc = rate_curve(f, v, c, kind, &chart->curves[c]);
		if (rc)
			return rc;
		if (kind->may_log && quire_chart_wide(chart, true, 20))
			chart->y.scale = QUIRE_LOG10;
		quire_chart_fit(chart);
	}
	snprintf(f->title, sizeof(f->title), "Latency and throughput as load grows");
	snprintf(
		f->caption, sizeof(f->caption),
		"Each point is a run at one rate. Where latency turns upwards and throughput stops "
		"following the rate, capacity is reached. A hollow point is saturated: its queue "
		"grew without end, and its latency depends on how long one looked.");
	rc = quire_chart_view_legend(f, v);
	return rc ? rc : 1;
}

/* ---- side by side ---- */

struct bar_chart {
	const char *title, *unit;
	size_t offset;
	bool time, queued;
};

static const struct bar_chart bar_charts[] = {
	{"Output", "tokens/s", FIGURE(output_tokens_per_s), false, false},
	{"TTFT", "p99", FIGURE(ttft_s.p99), true, true},
	{"TPOT", "mean", FIGURE(tpot_s.mean), true, false},
	{"E2E latency", "mean", FIGURE(e2e_s.mean), true, true},
	{"Normalized latency", "E2E / output tokens, mean", FIGURE(normalized_latency_s.mean), true,
	 true},
};
enum { BAR_CHARTS = sizeof(bar_charts) / sizeof(*bar_charts) };

static void make_bar(struct quire_bar *bar, const struct quire_chart_view *v, uint32_t row,
		     const struct bar_chart *kind)
{
	const struct quire_combination *c = quire_chart_view_of(v, row);
	bool cautious = kind->queued && v->rows.rows[row].saturated;
	double value = figure_of(v, row, kind->offset);
	char text[QUIRE_CHART_TEXT];

	memcpy(bar->label, c->label, sizeof(bar->label));
	bar->pieces = 1;
	bar->value[0] = value;
	bar->colour[0] = c->look.colour;
	bar->hollow = cautious;
	if (!isfinite(value))
		snprintf(text, sizeof(text), "-");
	else if (kind->time)
		quire_show_time(text, sizeof(text), value);
	else
		quire_show_number(text, value);
	snprintf(bar->text, sizeof(bar->text), "%s%.100s", cautious ? "~" : "", text);
}

static void make_memory_bar(struct quire_bar *bar, const struct quire_chart_view *v, uint32_t row)
{
	static const size_t offset[4] = {FIGURE(token_states), FIGURE(reserved), FIGURE(internal),
					 FIGURE(external)};

	memcpy(bar->label, quire_chart_view_of(v, row)->label, sizeof(bar->label));
	bar->pieces = 4;
	for (uint32_t i = 0; i < 4; i++) {
		bar->value[i] = figure_of(v, row, offset[i]);
		bar->colour[i] = quire_memory_colours[i];
	}
}

int quire_figure_comparison(struct quire_figure *f, const struct quire_chart_view *v)
{
	int rc;

	if (v->shown_count < 2)
		return 0;
	f->charts = quire_figure_alloc(f, BAR_CHARTS + 1, sizeof(*f->charts));
	if (!f->charts)
		return no_memory();
	f->charts_count = BAR_CHARTS + 1;
	f->chart_height = 28 + (v->shown_count > 4 ? 13 : 16) * v->shown_count;
	for (uint32_t i = 0; i < f->charts_count; i++) {
		const struct bar_chart *kind = i < BAR_CHARTS ? &bar_charts[i] : NULL;
		struct quire_chart *chart = &f->charts[i];

		quire_chart_init(chart, kind ? kind->title : "KV memory",
				 kind ? kind->unit : "share of the pool, mean over steps");
		chart->bars = quire_figure_alloc(f, v->shown_count, sizeof(*chart->bars));
		if (!chart->bars)
			return no_memory();
		chart->bars_count = v->shown_count;
		for (uint32_t b = 0; b < v->shown_count; b++) {
			if (kind)
				make_bar(&chart->bars[b], v, v->shown[b], kind);
			else
				make_memory_bar(&chart->bars[b], v, v->shown[b]);
		}
		quire_axis_cover(&chart->x, 0);
		quire_chart_fit(chart);
	}
	snprintf(f->title, sizeof(f->title), "Side by side");
	snprintf(
		f->caption, sizeof(f->caption),
		"The same requests under each. Shorter is better except for output. ~ and a hollow "
		"bar: saturated, the time would be longer if one looked longer.");
	quire_chart_view_choice(v, f->caption + strlen(f->caption),
				sizeof(f->caption) - strlen(f->caption));
	rc = quire_memory_legend(f);
	return rc ? rc : 1;
}
