/*
 * chart_pair_requests.c - requests of two runs, one by one; and scatters.
 */
#include "chart_pair_parts.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>

#define DOTS_MAX 500 /* of a scatter */

static int no_memory(void)
{
	return quire_fail(-ENOMEM, "no memory for a chart");
}

double quire_pair_close(const double *a, const double *b, uint32_t n, uint32_t *count)
{
	uint32_t good = 0;

	*count = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!(a[i] > 0 && b[i] > 0 && isfinite(a[i]) && isfinite(b[i])))
			continue;
		++*count;
		good += fabs(b[i] - a[i]) <= QUIRE_PAIR_CLOSE * a[i];
	}
	return *count ? (double)good / *count : NAN;
}

/* A straight line through 0, y = factor x, inside of the axes. */
static int add_ray(struct quire_figure *f, struct quire_chart *chart, double factor, uint32_t dash)
{
	double *x = quire_figure_alloc(f, 4, sizeof(*x)), *y = x + 2;

	if (!x)
		return no_memory();
	x[0] = fmax(chart->x.low, chart->y.low / factor);
	x[1] = fmin(chart->x.high, chart->y.high / factor);
	for (uint32_t i = 0; i < 2; i++)
		y[i] = x[i] * factor;
	chart->curves[chart->curves_count++] =
		(struct quire_curve){.look = {.colour = QUIRE_FAINT, .dash = dash, .width = 0.8},
				     .x = x,
				     .y = y,
				     .count = 2};
	return 0;
}

int quire_pair_scatter(struct quire_figure *f, struct quire_chart *chart, const char *title,
		       const double *a, const double *b, uint32_t count)
{
	const uint32_t dots = count < DOTS_MAX ? count : DOTS_MAX;
	double *x = quire_figure_alloc(f, dots, sizeof(*x));
	double *y = quire_figure_alloc(f, dots, sizeof(*y));
	double close, high = 0, low = INFINITY, scale;
	uint32_t pairs;
	int rc;

	quire_chart_init(chart, title, "");
	chart->curves = quire_figure_alloc(f, 4, sizeof(*chart->curves));
	if (!x || !y || !chart->curves)
		return no_memory();
	close = quire_pair_close(a, b, count, &pairs);
	for (uint32_t i = 0; i < count; i++) {
		if (!(a[i] > 0 && b[i] > 0))
			continue;
		high = fmax(high, fmax(a[i], b[i]));
		low = fmin(low, fmin(a[i], b[i]));
	}
	if (pairs)
		snprintf(chart->unit, sizeof(chart->unit), "%.0f%% within 10%%", close * 100);
	scale = high < 9.9995 ? 1e3 : 1;
	if (high > 8 * low)
		chart->x.scale = QUIRE_LOG10;
	quire_axis_cover(&chart->x, low * scale);
	quire_axis_cover(&chart->x, high * scale);
	quire_axis_settle(&chart->x, 5);
	chart->y = chart->x;
	snprintf(chart->x.label, sizeof(chart->x.label), "A (%s)", scale > 1 ? "ms" : "s");
	snprintf(chart->y.label, sizeof(chart->y.label), "B (%s)", scale > 1 ? "ms" : "s");
	for (uint32_t i = 0; i < dots; i++) {
		uint32_t k = (uint32_t)((uint64_t)i * count / dots);

		x[i] = a[k] * scale;
		y[i] = b[k] * scale;
	}
	rc = add_ray(f, chart, 1 - QUIRE_PAIR_CLOSE, 2);
	if (rc == 0)
		rc = add_ray(f, chart, 1 + QUIRE_PAIR_CLOSE, 2);
	chart->curves[chart->curves_count++] = (struct quire_curve){
		.look = {.colour = QUIRE_INK, .marker = QUIRE_SQUARE, .size = 0.45, .width = -1},
		.x = x,
		.y = y,
		.count = dots,
		.dots = true};
	return rc ? rc : add_ray(f, chart, 1, 0);
}

/* ---- requests ---- */

static const struct {
	const char *title;
	size_t offset;
} times[] = {
	{"TTFT", offsetof(struct quire_request_times, ttft_s)},
	{"TPOT", offsetof(struct quire_request_times, tpot_s)},
	{"E2E", offsetof(struct quire_request_times, e2e_s)},
};

int quire_pair_requests(struct quire_figure *f, struct quire_pair_view *v)
{
	const struct quire_record_plot *r = v->pair->recorded;
	uint32_t count = r[0].requests_count < r[1].requests_count ? r[0].requests_count
								   : r[1].requests_count;
	uint32_t pairs, made = 0;
	int rc = quire_pair_charts(f, v, 3);

	f->columns = 3;
	f->chart_height = 232;
	for (uint32_t c = 0; rc == 0 && c < 3; c++) {
		double *value[2];

		for (uint32_t i = 0; i < 2; i++) {
			value[i] = quire_figure_alloc(f, count, sizeof(**value));
			if (!value[i])
				return no_memory();
			for (uint32_t k = 0; k < count; k++)
				value[i][k] = *(const double *)((const char *)&r[i].requests[k] +
								times[c].offset);
		}
		quire_pair_close(value[0], value[1], count, &pairs);
		if (pairs)
			rc = quire_pair_scatter(f, &f->charts[made++], times[c].title, value[0],
						value[1], count);
	}
	f->charts_count = made;
	snprintf(f->title, sizeof(f->title), "Request by request");
	snprintf(f->subtitle, sizeof(f->subtitle), "across %s, up %s", v->pair->label[0],
		 v->pair->label[1]);
	snprintf(f->caption, sizeof(f->caption),
		 "Each dot is a request: its time in A across, in B up. On the line both are the "
		 "same; between the dotted ones B is within 10%% of A; above the line B is "
		 "slower.%s",
		 count > DOTS_MAX ? " Some hundred of them are drawn, evenly chosen." : "");
	return rc;
}
