/*
 * chart_pair_time.c - two runs over time: what a run is made of in a chart each, what
 * is one number as two lines in one chart.
 *
 * Both series have bins of one length, and a line is averaged over as many of them in
 * one run as in the other.
 */
#include "chart_pair_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct line {
	const char *title, *unit;
	enum quire_series_kind kind, other; /* QUIRE_SERIES_COUNT: no other; else their sum */
	bool share;			    /* of the pool */
	bool rough;			    /* it jumps up and down */
};

static const struct line token_states = {
	"Token states", "share of the pool", QUIRE_SERIES_TOKEN_STATES, QUIRE_SERIES_COUNT, true,
	false};
static const struct line unused = {"Reserved + internal",
				   "share of the pool",
				   QUIRE_SERIES_RESERVED,
				   QUIRE_SERIES_INTERNAL,
				   true,
				   false};
static const struct line sequences = {"Batch: sequences that hold memory",
				      "",
				      QUIRE_SERIES_SEQUENCES,
				      QUIRE_SERIES_COUNT,
				      false,
				      false};
static const struct line waiting = {"Queue: sequences that wait for memory",
				    "",
				    QUIRE_SERIES_WAITING,
				    QUIRE_SERIES_COUNT,
				    false,
				    false};
static const struct line output = {"Output",	       "tokens/s", QUIRE_SERIES_OUTPUT,
				   QUIRE_SERIES_COUNT, false,	   true};
static const struct line prompt = {"Prompts",	       "tokens/s", QUIRE_SERIES_PROMPT,
				   QUIRE_SERIES_COUNT, false,	   true};

static const struct quire_series *series_of(const struct quire_pair_view *v, uint32_t i)
{
	return &v->pair->plots[i].series;
}

/* The axis of time, as long as the longer run. */
static void time_axis(struct quire_chart *chart, const struct quire_pair_view *v)
{
	const char *label;
	double clock = quire_chart_view_clock(v->view, &label);
	uint64_t a = series_of(v, 0)->end_ns, b = series_of(v, 1)->end_ns;

	snprintf(chart->x.label, sizeof(chart->x.label), "%s", label);
	chart->x.exact = chart->x.known = true;
	chart->x.high = (double)(a > b ? a : b) / 1e9 * clock;
}

/* Bins that are one point, so that there are at most about @points. */
static uint32_t group_for(const struct quire_pair_view *v, uint32_t points)
{
	uint32_t a = quire_series_bins(series_of(v, 0)), b = quire_series_bins(series_of(v, 1));

	return (a > b ? a : b) / points + 1;
}

static int begin_chart(struct quire_figure *f, struct quire_pair_view *v, const char *title,
		       const char *unit, struct quire_chart **chart)
{
	*chart = v->next++;
	quire_chart_init(*chart, title, unit);
	time_axis(*chart, v);
	(*chart)->curves = quire_figure_alloc(f, 2, sizeof(*(*chart)->curves));
	return (*chart)->curves ? 0 : quire_fail(-ENOMEM, "no memory for a chart");
}

static int line_chart(struct quire_figure *f, struct quire_pair_view *v, const struct line *line)
{
	const char *label;
	const double clock = quire_chart_view_clock(v->view, &label);
	const uint32_t group = group_for(v, line->rough ? 80 : 160);
	struct quire_chart *chart;

	if (begin_chart(f, v, line->title, line->unit, &chart))
		return -ENOMEM;
	chart->y.percent = line->share;
	for (uint32_t i = 0; i < 2; i++) {
		const struct quire_series *s = series_of(v, i);
		const uint32_t slots = v->pair->report[i].config.kv_slots;
		const uint32_t points = quire_series_bins(s) / group + 1;
		double *x, *y, *more = quire_figure_alloc(f, points, sizeof(*more));
		struct quire_curve *curve = quire_pair_curve(f, chart, v, i, points, &x, &y);

		if (!curve || !more)
			return quire_fail(-ENOMEM, "no memory for a chart");
		if (line->other < QUIRE_SERIES_COUNT)
			quire_series_means(s, line->other, QUIRE_PER_SECOND, group, x, more);
		curve->count = quire_series_means(s, line->kind, QUIRE_PER_SECOND, group, x, y);
		for (uint32_t k = 0; k < curve->count; k++) {
			x[k] *= clock;
			y[k] += more[k];
			if (line->share)
				y[k] = slots ? y[k] / slots : NAN;
		}
	}
	quire_pair_moments(chart, v, 2);
	quire_chart_fit(chart);
	return 0;
}

/* Output tokens up to the end of each of @points groups. */
static void sum_output(const struct quire_series *s, uint32_t group, uint32_t points, double *sums)
{
	double sum = 0;

	for (uint32_t k = 0; k < points; k++) {
		for (uint32_t b = k * group; b < (k + 1) * group && b < QUIRE_SERIES_BINS; b++)
			sum += s->sum[QUIRE_SERIES_OUTPUT][b];
		sums[k] = sum;
	}
}

/* How far each has come, and how far B is ahead. */
static int progress_charts(struct quire_figure *f, struct quire_pair_view *v)
{
	const char *label;
	const double clock = quire_chart_view_clock(v->view, &label);
	const uint32_t group = group_for(v, 160);
	struct quire_chart *chart, *ahead;
	double *x, *y, *sums[2];
	uint32_t points = 0;
	struct quire_curve *curve;

	if (begin_chart(f, v, "Output so far", "tokens", &chart) ||
	    begin_chart(f, v, "B - A: how far B is ahead", "output tokens", &ahead))
		return -ENOMEM;
	for (uint32_t i = 0; i < 2; i++) {
		const struct quire_series *s = series_of(v, i);
		uint32_t n = (quire_series_bins(s) + group - 1) / group;

		curve = quire_pair_curve(f, chart, v, i, n + 1, &x, &y);
		if (!curve)
			return -ENOMEM;
		curve->count = n + 1; /* from nothing at 0 */
		sum_output(s, group, n, y + 1);
		for (uint32_t k = 1; k <= n; k++)
			x[k] = fmin((double)k * group * (double)s->bin_ns, (double)s->end_ns) /
			       1e9 * clock;
		points = n > points ? n : points;
	}
	for (uint32_t i = 0; i < 2; i++) {
		sums[i] = quire_figure_alloc(f, (size_t)points + 1, sizeof(**sums));
		if (!sums[i])
			return quire_fail(-ENOMEM, "no memory for a chart");
		sum_output(series_of(v, i), group, points, sums[i] + 1);
	}
	curve = quire_pair_curve(f, ahead, v, 1, points + 1, &x, &y);
	if (!curve)
		return -ENOMEM;
	curve->look = (struct quire_look){.colour = QUIRE_INK, .width = 1.4};
	curve->count = points + 1;
	for (uint32_t k = 1; k <= points; k++) {
		x[k] = fmin((double)k * group * (double)series_of(v, 0)->bin_ns / 1e9 * clock,
			    ahead->x.high);
		y[k] = sums[1][k] - sums[0][k];
	}
	ahead->guides[0] = 0;
	quire_pair_moments(chart, v, 2);
	quire_pair_moments(ahead, v, 2);
	quire_chart_fit(chart);
	quire_chart_fit(ahead);
	return 0;
}

/* A chart for each run, as in the report of one. */
static int panels(struct quire_figure *f, struct quire_pair_view *v, enum quire_run_figure which)
{
	int rc = quire_figure_over_time(f, which, v->view);

	for (uint32_t i = 0; rc > 0 && i < f->charts_count; i++)
		quire_pair_moments(&f->charts[i], v, i);
	return rc < 0 ? rc : 0;
}

static int memory_figure(struct quire_figure *f, struct quire_pair_view *v)
{
	int rc = panels(f, v, QUIRE_FIGURE_MEMORY);

	if (rc == 0)
		rc = quire_pair_charts(f, v, 2);
	if (rc == 0)
		rc = line_chart(f, v, &token_states);
	return rc ? rc : line_chart(f, v, &unused);
}

static bool anybody_waits(const struct quire_pair_view *v)
{
	bool any = false;

	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t b = 0; b < QUIRE_SERIES_BINS; b++)
			any |= series_of(v, i)->sum[QUIRE_SERIES_WAITING][b] > 0;
	return any;
}

static int batch_figure(struct quire_figure *f, struct quire_pair_view *v)
{
	int rc = quire_pair_charts(f, v, anybody_waits(v) ? 2 : 1);

	f->columns = f->charts_count;

	snprintf(f->title, sizeof(f->title), "Batch and queue over time");
	snprintf(f->caption, sizeof(f->caption), "How many sequences hold slots%s",
		 f->charts_count > 1 ? ", and how many are there and hold none: new ones, and "
				       "preempted ones."
				     : ". No sequence ever waits for slots.");
	if (rc == 0)
		rc = line_chart(f, v, &sequences);
	return rc || f->charts_count < 2 ? rc : line_chart(f, v, &waiting);
}

static int throughput_figure(struct quire_figure *f, struct quire_pair_view *v)
{
	int rc = quire_pair_charts(f, v, 4);

	snprintf(f->title, sizeof(f->title), "Throughput over time");
	snprintf(f->caption, sizeof(f->caption),
		 "Tokens sampled, and tokens of prompts run, each second; and all output tokens up "
		 "to a time, where a line that falls behind shows the slower run.");
	if (rc == 0)
		rc = line_chart(f, v, &output);
	if (rc == 0)
		rc = line_chart(f, v, &prompt);
	return rc ? rc : progress_charts(f, v);
}

int quire_pair_over_time(struct quire_figure *f, struct quire_pair_view *v,
			 enum quire_pair_figure which)
{
	int rc = which == QUIRE_PAIR_MEMORY   ? memory_figure(f, v)
		 : which == QUIRE_PAIR_BATCH  ? batch_figure(f, v)
		 : which == QUIRE_PAIR_TOKENS ? panels(f, v, QUIRE_FIGURE_TOKENS)
					      : throughput_figure(f, v);

	return rc ? rc : quire_pair_legend_runs(f, v, which != QUIRE_PAIR_TOKENS, true);
}
