/*
 * chart_pair_steps.c - how long the steps of two runs take.
 */
#include "chart_pair_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS	      64 /* of tokens, two an octave */
#define WHISKERS_FROM 5	 /* steps of a bucket */

static int no_memory(void)
{
	return quire_fail(-ENOMEM, "no memory for a chart");
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Milliseconds of all steps, sorted. */
static double *sorted_times(const struct quire_record_plot *r)
{
	double *ms = calloc((size_t)r->steps_count + 1, sizeof(*ms));

	for (uint32_t i = 0; ms && i < r->steps_count; i++)
		ms[i] = (double)r->steps[i].time_ns / 1e6;
	if (ms)
		qsort(ms, r->steps_count, sizeof(*ms), by_value);
	return ms;
}

static int distribution(struct quire_figure *f, struct quire_pair_view *v,
			struct quire_chart *chart)
{
	struct quire_quantiles q;

	quire_chart_init(chart, "Time of a step", "share of the steps");
	chart->curves = quire_figure_alloc(f, 2, sizeof(*chart->curves));
	if (!chart->curves)
		return no_memory();
	for (uint32_t i = 0; i < 2; i++) {
		double *ms = sorted_times(&v->pair->recorded[i]), *x, *y;
		struct quire_curve *curve;

		if (!ms)
			return no_memory();
		quire_quantiles_make(&q, ms, v->pair->recorded[i].steps_count);
		free(ms);
		curve = quire_pair_curve(f, chart, v, i, q.count + 1, &x, &y);
		if (!curve)
			return -ENOMEM;
		curve->count = q.count ? q.count + 1 : 0;
		x[0] = q.count ? q.value[0] : 0; /* up from 0 */
		for (uint32_t k = 0; k < q.count; k++) {
			x[k + 1] = q.value[k];
			y[k + 1] = q.count > 1 ? (double)k / (q.count - 1) : 1;
		}
	}
	if (quire_chart_wide(chart, false, 20))
		chart->x.scale = QUIRE_LOG10;
	chart->y = (struct quire_axis){
		.percent = true, .exact = true, .known = true, .low = 0, .high = 1};
	chart->guides[0] = 0.5;
	chart->guides[1] = 0.99;
	snprintf(chart->guide_label[0], sizeof(chart->guide_label[0]), "p50");
	snprintf(chart->guide_label[1], sizeof(chart->guide_label[1]), "p99");
	snprintf(chart->x.label, sizeof(chart->x.label), "ms%s",
		 chart->x.scale == QUIRE_LOG10 ? ", logarithmic" : "");
	quire_chart_fit(chart);
	return 0;
}

/* Steps of about so many tokens. */
struct bucket {
	uint32_t steps;
	double tokens, ms; /* sums */
	double p10, p90;   /* ms */
};

static uint32_t bucket_of(uint32_t tokens)
{
	double half = tokens ? floor(2 * log2(tokens) + 1e-9) : 0;

	return half < BUCKETS ? (uint32_t)half : BUCKETS - 1;
}

struct timed {
	uint32_t bucket;
	double ms;
};

static int by_bucket(const void *a, const void *b)
{
	const struct timed *x = a, *y = b;

	if (x->bucket != y->bucket)
		return x->bucket < y->bucket ? -1 : 1;
	return (x->ms > y->ms) - (x->ms < y->ms);
}

static int fill_buckets(const struct quire_record_plot *r, struct bucket buckets[BUCKETS])
{
	struct timed *timed = calloc((size_t)r->steps_count + 1, sizeof(*timed));
	uint32_t first = 0;

	if (!timed)
		return no_memory();
	memset(buckets, 0, BUCKETS * sizeof(*buckets));
	for (uint32_t i = 0; i < r->steps_count; i++) {
		struct bucket *b = &buckets[bucket_of(r->steps[i].tokens)];

		timed[i].bucket = (uint32_t)(b - buckets);
		timed[i].ms = (double)r->steps[i].time_ns / 1e6;
		b->steps++;
		b->tokens += r->steps[i].tokens;
		b->ms += timed[i].ms;
	}
	qsort(timed, r->steps_count, sizeof(*timed), by_bucket);
	for (uint32_t k = 0; k < BUCKETS; first += buckets[k++].steps) {
		uint32_t n = buckets[k].steps;

		if (!n)
			continue;
		buckets[k].p10 = timed[first + (n - 1) / 10].ms;
		buckets[k].p90 = timed[first + (uint32_t)((uint64_t)(n - 1) * 9 / 10)].ms;
	}
	free(timed);
	return 0;
}

/* A thin line from p10 to p90. */
static int add_whisker(struct quire_figure *f, struct quire_chart *chart, uint32_t colour, double x,
		       const struct bucket *b)
{
	double *at = quire_figure_alloc(f, 4, sizeof(*at));

	if (!at)
		return no_memory();
	at[0] = at[1] = x;
	at[2] = b->p10;
	at[3] = b->p90;
	chart->curves[chart->curves_count++] = (struct quire_curve){
		.look = {.colour = colour, .width = 0.9}, .x = at, .y = at + 2, .count = 2};
	return 0;
}

/* Over the tokens of a step: how long it takes, and how long all such take together. */
static int by_tokens(struct quire_figure *f, struct quire_pair_view *v, struct quire_chart *mean,
		     struct quire_chart *total)
{
	struct bucket buckets[BUCKETS];

	quire_chart_init(mean, "Time of a step by its tokens", "ms, mean; p10 to p90");
	quire_chart_init(total, "Where the time goes", "s, by tokens of the step");
	mean->curves = quire_figure_alloc(f, (size_t)2 * (BUCKETS + 1), sizeof(*mean->curves));
	total->curves = quire_figure_alloc(f, 2, sizeof(*total->curves));
	if (!mean->curves || !total->curves)
		return no_memory();
	for (uint32_t i = 0; i < 2; i++) {
		double *x, *y, *x_total, *y_total;
		struct quire_curve *of_mean, *of_total;
		uint32_t n = 0;

		if (fill_buckets(&v->pair->recorded[i], buckets))
			return -ENOMEM;
		of_mean = quire_pair_curve(f, mean, v, i, BUCKETS, &x, &y);
		of_total = quire_pair_curve(f, total, v, i, BUCKETS, &x_total, &y_total);
		if (!of_mean || !of_total)
			return -ENOMEM;
		for (uint32_t k = 0; k < BUCKETS; k++) {
			const struct bucket *b = &buckets[k];

			if (!b->steps)
				continue;
			x[n] = x_total[n] = fmax(1, b->tokens / b->steps);
			y[n] = b->ms / b->steps;
			y_total[n] = b->ms / 1e3;
			if (b->steps >= WHISKERS_FROM &&
			    add_whisker(f, mean, v->look[i].colour, x[n] * (i ? 1.03 : 1), b))
				return -ENOMEM;
			n++;
		}
		of_mean->count = of_total->count = n;
		of_mean->dots = of_total->dots = true;
	}
	mean->x.scale = total->x.scale = QUIRE_LOG2;
	if (quire_chart_wide(mean, true, 20))
		mean->y.scale = QUIRE_LOG10;
	snprintf(mean->x.label, sizeof(mean->x.label), "tokens");
	snprintf(total->x.label, sizeof(total->x.label), "tokens");
	quire_chart_fit(mean);
	quire_chart_fit(total);
	return 0;
}

/* Of the same steps in both. */
static int step_scatter(struct quire_figure *f, struct quire_pair_view *v,
			struct quire_chart *chart)
{
	const uint32_t count = v->pair->same_steps;
	double *value[2];

	for (uint32_t i = 0; i < 2; i++) {
		value[i] = quire_figure_alloc(f, count, sizeof(**value));
		if (!value[i])
			return no_memory();
		for (uint32_t k = 0; k < count; k++)
			value[i][k] = (double)v->pair->recorded[i].steps[k].time_ns / 1e9;
	}
	return quire_pair_scatter(f, chart, "Step by step", value[0], value[1], count);
}

/* Means over equal pieces of time. */
static int over_time(struct quire_figure *f, struct quire_pair_view *v, struct quire_chart *chart)
{
	const uint64_t a = v->pair->plots[0].series.end_ns, b = v->pair->plots[1].series.end_ns;
	const uint32_t pieces = 100;
	const uint64_t end_ns = a > b ? a : b, piece_ns = end_ns / pieces + 1;
	const char *label;
	const double clock = quire_chart_view_clock(v->view, &label);

	quire_chart_init(chart, "Time of a step over time", "ms, mean");
	chart->curves = quire_figure_alloc(f, 2, sizeof(*chart->curves));
	if (!chart->curves)
		return no_memory();
	for (uint32_t i = 0; i < 2; i++) {
		const struct quire_record_plot *r = &v->pair->recorded[i];
		double *x, *y, *steps = quire_figure_alloc(f, pieces, sizeof(*steps));
		struct quire_curve *curve = quire_pair_curve(f, chart, v, i, pieces, &x, &y);

		if (!curve || !steps)
			return no_memory();
		for (uint32_t k = 0; k < r->steps_count; k++) {
			uint64_t at = r->steps[k].begin_ns / piece_ns;

			if (at >= pieces)
				continue;
			y[at] += (double)r->steps[k].time_ns / 1e6;
			steps[at]++;
		}
		curve->count = pieces;
		for (uint32_t k = 0; k < pieces; k++) {
			x[k] = (k + 0.5) * (double)piece_ns / 1e9 * clock;
			y[k] = steps[k] > 0 ? y[k] / steps[k] : NAN;
		}
	}
	snprintf(chart->x.label, sizeof(chart->x.label), "%s", label);
	chart->x.exact = chart->x.known = true;
	chart->x.high = (double)end_ns / 1e9 * clock;
	if (quire_chart_wide(chart, true, 50))
		chart->y.scale = QUIRE_LOG10;
	quire_pair_moments(chart, v, 2);
	quire_chart_fit(chart);
	return 0;
}

int quire_pair_steps(struct quire_figure *f, struct quire_pair_view *v)
{
	const struct quire_record_plot *r = v->pair->recorded;
	const uint32_t steps =
		r[0].steps_count < r[1].steps_count ? r[0].steps_count : r[1].steps_count;
	const bool paired = v->pair->same_steps >= steps / 2 + 1; /* fewer say little */
	struct quire_chart *last;
	int rc;

	if (!steps)
		return 0;
	rc = quire_pair_charts(f, v, 4);
	last = &f->charts[3];
	f->chart_height = 165;
	if (rc == 0)
		rc = distribution(f, v, &f->charts[0]);
	if (rc == 0)
		rc = by_tokens(f, v, &f->charts[1], last);
	if (rc == 0)
		rc = over_time(f, v, &f->charts[2]);
	if (rc == 0 && paired)
		rc = step_scatter(f, v, last);
	snprintf(f->title, sizeof(f->title), "Steps");
	snprintf(f->caption, sizeof(f->caption),
		 "How long steps take: as a distribution; by how many tokens they run, with a thin "
		 "line from p10 to p90; over time. %s",
		 paired ? "Each dot is a step that did the same in both, its time in A across and "
			  "in B up; between the dotted lines B is within 10% of A."
			: "The last chart tells which steps the time of a run is spent in.");
	return rc ? rc : quire_pair_legend_runs(f, v, true, true);
}
