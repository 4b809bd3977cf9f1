/*
 * chart_time.c - figures over time: one chart a run, side by side, with the same
 * axes.
 */
#include "chart_view.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define PARTS_MAX 4
#define EXTERNAL  QUIRE_SERIES_COUNT /* what the other three leave of the pool */

/* What is drawn of each run. */
struct part {
	uint32_t series; /* enum quire_series_kind, or EXTERNAL */
	const char *name;
	uint32_t colour;
	double width; /* of a line; 0: an area */
};

struct kind {
	const char *title, *unit, *caption;
	enum quire_series_per per;
	uint32_t parts;
	struct part part[PARTS_MAX];
};

static const struct kind memory = {
	.title = "KV memory over time",
	.unit = "share of the pool",
	.caption = "What the slots of the pool are used for. Token states hold a live token; "
		   "reserved ones will be filled by their sequence; internal ones are held and "
		   "will never be used; external is the rest: free, or lost to rounding.",
	.parts = 4,
	.part = {{QUIRE_SERIES_TOKEN_STATES, "token states", QUIRE_BLUE, 0},
		 {QUIRE_SERIES_RESERVED, "reserved", QUIRE_PALE, 0},
		 {QUIRE_SERIES_INTERNAL, "internal", QUIRE_VERMILION, 0},
		 {EXTERNAL, "external", QUIRE_SHADE, 0}},
};

static const struct kind batch = {
	.title = "Batch: sequences that hold memory",
	.unit = "sequences",
	.caption = "How many sequences hold slots.",
	.parts = 1,
	.part = {{QUIRE_SERIES_SEQUENCES, "sequences", QUIRE_SKY, 0}},
};

static const struct kind tokens = {
	.title = "Tokens of a step",
	.unit = "tokens, mean over steps",
	.caption = "What a step works on: single tokens that continue an answer (decode), tokens "
		   "of prompts, with what is computed again after a preemption, and the padding "
		   "of a batch that is run as a rectangle.",
	.per = QUIRE_PER_STEP,
	.parts = 3,
	.part = {{QUIRE_SERIES_DECODE, "decode", QUIRE_BLUE, 0},
		 {QUIRE_SERIES_PROMPT, "prompt", QUIRE_ORANGE, 0},
		 {QUIRE_SERIES_PADDING, "padding", QUIRE_GREY, 0}},
};

static const struct kind queue = {
	.title = "Queue: sequences that wait for memory",
	.unit = "sequences",
	.caption = "How many sequences are there and hold no slots: new ones, and preempted ones.",
	.parts = 1,
	.part = {{QUIRE_SERIES_WAITING, "waiting", QUIRE_ORANGE, 0}},
};

static const struct kind throughput = {
	.title = "Throughput over time",
	.unit = "tokens/s",
	.caption = "Tokens sampled, and tokens of prompts run, each second.",
	.parts = 2,
	.part = {{QUIRE_SERIES_PROMPT, "prompt", QUIRE_ORANGE, 1.2},
		 {QUIRE_SERIES_OUTPUT, "output", QUIRE_BLUE, 1.8}},
};

/* Seconds, minutes or hours. */
static const struct {
	const char *label;
	double scale;
} clocks[] = {{"time (s)", 1}, {"time (min)", 1 / 60.0}, {"time (h)", 1 / 3600.0}};

static double longest_s(const struct quire_chart_view *v)
{
	double end_s = 0;

	for (uint32_t i = 0; i < v->shown_count; i++)
		end_s = fmax(end_s,
			     (double)quire_chart_view_plot(v, v->shown[i])->series.end_ns / 1e9);
	return end_s;
}

double quire_chart_view_clock(const struct quire_chart_view *v, const char **label)
{
	double end_s = longest_s(v);
	uint32_t i = end_s < 600 ? 0 : end_s < 3 * 3600 ? 1 : 2;

	*label = clocks[i].label;
	return clocks[i].scale;
}

/* Points of a run's curve, so that all runs are averaged over the same time.  A line
 * that zigzags needs more room than an area. */
static uint32_t points_for(const struct quire_figure *f, const struct quire_chart_view *v,
			   const struct kind *kind, const struct quire_series *series)
{
	double room = f->width / f->columns * (kind->part[0].width > 0 ? 0.35 : 0.7);

	return (uint32_t)fmax(8, room * ((double)series->end_ns / 1e9 / longest_s(v)));
}

static struct quire_look look_of(const struct part *part)
{
	return (struct quire_look){
		.colour = part->colour, .width = part->width, .area = part->width <= 0};
}

static void scale(double *values, uint32_t count, double factor)
{
	for (uint32_t i = 0; i < count; i++)
		values[i] *= factor;
}

static int make_chart(struct quire_figure *f, const struct quire_chart_view *v,
		      const struct kind *kind, uint32_t row, bool last_row,
		      struct quire_chart *chart)
{
	const struct quire_series *series = &quire_chart_view_plot(v, row)->series;
	const uint32_t points = points_for(f, v, kind, series);
	const struct quire_settings *c = &v->rows.rows[row].first->config;
	const bool share = kind->parts == 4;
	const char *clock_label;
	const double clock = quire_chart_view_clock(v, &clock_label);
	double *rest = quire_figure_alloc(f, points, sizeof(*rest));

	quire_chart_init(chart, v->shown_count > 1 ? quire_chart_view_of(v, row)->label : "",
			 v->shown_count > 1 ? "" : kind->unit);
	if (last_row)
		snprintf(chart->x.label, sizeof(chart->x.label), "%s", clock_label);
	chart->curves = quire_figure_alloc(f, kind->parts, sizeof(*chart->curves));
	if (!chart->curves || !rest)
		return quire_fail(-ENOMEM, "no memory for a chart");
	chart->curves_count = kind->parts;
	for (uint32_t i = 0; i < points; i++)
		rest[i] = 1;
	for (uint32_t k = 0; k < kind->parts; k++) {
		struct quire_curve *curve = &chart->curves[k];
		double *x = quire_figure_alloc(f, points, sizeof(*x));
		double *y = quire_figure_alloc(f, points, sizeof(*y));

		if (!x || !y)
			return quire_fail(-ENOMEM, "no memory for a chart");
		curve->x = x;
		curve->y = y;
		curve->look = look_of(&kind->part[k]);
		snprintf(curve->name, sizeof(curve->name), "%s", kind->part[k].name);
		if (kind->part[k].series == EXTERNAL) {
			curve->count = quire_series_points(series, QUIRE_SERIES_TOKEN_STATES,
							   QUIRE_PER_SECOND, points, x, y);
			memcpy(y, rest, curve->count * sizeof(*y));
		} else {
			curve->count = quire_series_points(series, kind->part[k].series, kind->per,
							   points, x, y);
			if (share)
				scale(y, curve->count, c->kv_slots ? 1.0 / c->kv_slots : 0);
			for (uint32_t i = 0; i < curve->count; i++)
				rest[i] = fmax(0, rest[i] - y[i]);
		}
		scale(x, curve->count, clock);
	}
	if (share)
		chart->y = (struct quire_axis){
			.percent = true, .exact = true, .known = true, .low = 0, .high = 1};
	chart->x.exact = chart->x.known = true;
	chart->x.high = (double)series->end_ns / 1e9 * clock;
	return 0;
}

/* The same axes for all. */
static void align_axes(struct quire_figure *f)
{
	for (uint32_t i = 0; i < f->charts_count; i++)
		quire_chart_fit(&f->charts[i]);
	for (uint32_t i = 1; i < f->charts_count; i++) {
		f->charts[0].x.high = fmax(f->charts[0].x.high, f->charts[i].x.high);
		f->charts[0].y.high = fmax(f->charts[0].y.high, f->charts[i].y.high);
	}
	for (uint32_t i = 1; i < f->charts_count; i++) {
		f->charts[i].x.high = f->charts[0].x.high;
		f->charts[i].y.high = f->charts[0].y.high;
	}
}

/* What is nowhere to be seen needs no explanation. */
static int make_legend(struct quire_figure *f, const struct kind *kind)
{
	f->legend = quire_figure_alloc(f, kind->parts, sizeof(*f->legend));
	if (!f->legend)
		return quire_fail(-ENOMEM, "no memory for a chart");
	for (uint32_t k = 0; k < kind->parts && kind->parts > 1; k++) {
		struct quire_legend *l = &f->legend[f->legend_count];
		bool any = false;

		for (uint32_t i = 0; i < f->charts_count; i++)
			for (uint32_t p = 0; p < f->charts[i].curves[k].count; p++)
				any |= f->charts[i].curves[k].y[p] > 0;
		if (!any)
			continue;
		l->look = look_of(&kind->part[k]);
		snprintf(l->text, sizeof(l->text), "%s", kind->part[k].name);
		f->legend_count++;
	}
	return 0;
}

int quire_figure_over_time(struct quire_figure *f, enum quire_run_figure which,
			   const struct quire_chart_view *v)
{
	const struct kind *kind = which == QUIRE_FIGURE_MEMORY	 ? &memory
				  : which == QUIRE_FIGURE_BATCH	 ? &batch
				  : which == QUIRE_FIGURE_TOKENS ? &tokens
				  : which == QUIRE_FIGURE_QUEUE	 ? &queue
								 : &throughput;
	int rc = 0;

	if (!v->shown_count)
		return 0;
	f->columns = v->shown_count < 3 ? v->shown_count : 3;
	if (v->shown_count % 2 == 0 && v->alternating)
		f->columns = 2; /* allocators side by side, schedulers below each other */
	f->chart_height = f->columns == 1 ? 180 : v->shown_count > 4 ? 112 : 150;
	f->charts = quire_figure_alloc(f, v->shown_count, sizeof(*f->charts));
	if (!f->charts)
		return quire_fail(-ENOMEM, "no memory for a chart");
	for (uint32_t i = 0; rc == 0 && i < v->shown_count; i++, f->charts_count++)
		rc = make_chart(f, v, kind, v->shown[i], i + f->columns >= v->shown_count,
				&f->charts[i]);
	if (rc)
		return rc;
	align_axes(f);
	snprintf(f->title, sizeof(f->title), "%s", kind->title);
	snprintf(f->subtitle, sizeof(f->subtitle), "%s", kind->unit);
	snprintf(f->caption, sizeof(f->caption), "%s", kind->caption);
	quire_chart_view_choice(v, f->caption + strlen(f->caption),
				sizeof(f->caption) - strlen(f->caption));
	rc = make_legend(f, kind);
	return rc ? rc : 1;
}
