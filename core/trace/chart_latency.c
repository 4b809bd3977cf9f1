/*
 * chart_latency.c - figures of distributions.
 */
#include "chart_view.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

void quire_show_time(char *to, size_t size, double seconds)
{
	char text[QUIRE_SHOW_MAX];

	quire_show_number(text, seconds < 0.9995 ? seconds * 1e3 : seconds);
	snprintf(to, size, "%s %s", text, seconds < 0.9995 ? "ms" : "s");
}

bool quire_chart_wide(const struct quire_chart *chart, bool of_y, double factor)
{
	double low = INFINITY, high = 0;

	for (uint32_t k = 0; k < chart->curves_count; k++) {
		for (uint32_t i = 0; i < chart->curves[k].count; i++) {
			double value = of_y ? chart->curves[k].y[i] : chart->curves[k].x[i];

			if (isfinite(value) && value > 0) {
				low = fmin(low, value);
				high = fmax(high, value);
			}
		}
	}
	return high > factor * low;
}

struct latency_chart {
	const char *title, *meaning;
	size_t quantiles; /* in struct quire_plot */
	size_t spread;	  /* in struct quire_report */
};

static const struct latency_chart latency_charts[] = {
#define PLOT(field) offsetof(struct quire_plot, field), offsetof(struct quire_report, field)
	{"TTFT", "arrival to first token", PLOT(ttft_s)},
	{"TPOT", "per token after the first", PLOT(tpot_s)},
	{"E2E", "arrival to last token", PLOT(e2e_s)},
	{"Normalized", "E2E / output tokens", PLOT(normalized_latency_s)},
#undef PLOT
};

static const struct quire_quantiles *quantiles_of(const struct quire_chart_view *v, uint32_t row,
						  const struct latency_chart *kind)
{
	return (const void *)((const char *)quire_chart_view_plot(v, row) + kind->quantiles);
}

static const struct quire_spread *spread_of(const struct quire_chart_view *v, uint32_t row,
					    const struct latency_chart *kind)
{
	return (const void *)((const char *)v->rows.rows[row].first + kind->spread);
}

enum { PERCENTILES = 5 };

static int latency_curve(struct quire_figure *f, const struct quire_chart_view *v, uint32_t row,
			 const struct latency_chart *kind, double scale, struct quire_curve *curve)
{
	const struct quire_quantiles *q = quantiles_of(v, row, kind);
	const uint32_t points = q->count ? q->count + 1 : PERCENTILES;
	double *x = quire_figure_alloc(f, points, sizeof(*x));
	double *y = quire_figure_alloc(f, points, sizeof(*y));

	if (!x || !y)
		return quire_fail(-ENOMEM, "no memory for a chart");
	*curve = (struct quire_curve){.look = quire_chart_view_of(v, row)->look, .x = x, .y = y};
	memcpy(curve->name, quire_chart_view_of(v, row)->label, sizeof(curve->name));
	if (q->count) { /* from 0 up to the first value */
		x[curve->count++] = q->value[0] * scale;
		for (uint32_t i = 0; i < q->count; i++, curve->count++) {
			x[curve->count] = q->value[i] * scale;
			y[curve->count] = q->count > 1 ? (double)i / (q->count - 1) : 1;
		}
	} else { /* a report that was read: what it tells of the distribution */
		const struct quire_spread *s = spread_of(v, row, kind);
		const double value[PERCENTILES] = {s->p50, s->p90, s->p95, s->p99, s->max};
		static const double share[PERCENTILES] = {0.5, 0.9, 0.95, 0.99, 1};

		for (uint32_t i = 0; i < PERCENTILES; i++) {
			x[i] = value[i] * scale;
			y[i] = share[i];
		}
		curve->count = PERCENTILES;
		curve->dots = true;
	}
	return 0;
}

/* p50 and p99; alone, in words. */
static void latency_marks(struct quire_chart *chart, const struct quire_chart_view *v, uint32_t row,
			  const struct latency_chart *kind, double scale, struct quire_mark *marks)
{
	const struct quire_spread *s = spread_of(v, row, kind);
	const double value[2] = {s->p50, s->p99};

	for (uint32_t i = 0; i < 2; i++) {
		char text[QUIRE_CHART_TEXT];

		marks[i] = (struct quire_mark){.look = quire_chart_view_of(v, row)->look,
					       .x = value[i] * scale,
					       .y = chart->guides[i]};
		if (v->shown_count > 1 || !isfinite(value[i]))
			continue;
		quire_show_time(text, sizeof(text), value[i]);
		snprintf(marks[i].text, sizeof(marks[i].text), "%s", text);
	}
}

static int latency_chart(struct quire_figure *f, const struct quire_chart_view *v,
			 const struct latency_chart *kind, struct quire_chart *chart)
{
	double high = 0, scale;
	int rc = 0;

	quire_chart_init(chart, kind->title, kind->meaning);
	for (uint32_t i = 0; i < v->shown_count; i++) {
		const struct quire_quantiles *q = quantiles_of(v, v->shown[i], kind);

		high = fmax(high, q->count ? q->value[q->count - 1]
					   : spread_of(v, v->shown[i], kind)->max);
	}
	scale = high < 9.9995 ? 1e3 : 1;
	chart->guides[0] = 0.5;
	chart->guides[1] = 0.99;
	snprintf(chart->guide_label[0], sizeof(chart->guide_label[0]), "p50");
	snprintf(chart->guide_label[1], sizeof(chart->guide_label[1]), "p99");
	chart->y = (struct quire_axis){
		.percent = true, .exact = true, .known = true, .low = 0, .high = 1};
	chart->curves = quire_figure_alloc(f, v->shown_count, sizeof(*chart->curves));
	chart->marks = quire_figure_alloc(f, 2 * (size_t)v->shown_count, sizeof(*chart->marks));
	if (!chart->curves || !chart->marks)
		return quire_fail(-ENOMEM, "no memory for a chart");
	chart->curves_count = v->shown_count;
	chart->marks_count = 2 * v->shown_count;
	for (uint32_t i = 0; rc == 0 && i < v->shown_count; i++) {
		rc = latency_curve(f, v, v->shown[i], kind, scale, &chart->curves[i]);
		latency_marks(chart, v, v->shown[i], kind, scale, &chart->marks[2 * (size_t)i]);
	}
	if (quire_chart_wide(chart, false, 50))
		chart->x.scale = QUIRE_LOG10;
	snprintf(chart->x.label, sizeof(chart->x.label), "%s%s", scale > 1 ? "ms" : "s",
		 chart->x.scale == QUIRE_LOG10 ? ", logarithmic" : "");
	quire_chart_fit(chart);
	return rc;
}

int quire_figure_latency(struct quire_figure *f, const struct quire_chart_view *v)
{
	const uint32_t n = sizeof(latency_charts) / sizeof(*latency_charts);
	bool any = false;
	int rc = 0;

	for (uint32_t i = 0; i < v->shown_count; i++)
		any |= isfinite(v->rows.rows[v->shown[i]].first->ttft_s.p50);
	if (!any)
		return 0;
	f->charts = quire_figure_alloc(f, n, sizeof(*f->charts));
	if (!f->charts)
		return quire_fail(-ENOMEM, "no memory for a chart");
	f->charts_count = n;
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = latency_chart(f, v, &latency_charts[i], &f->charts[i]);
	snprintf(f->title, sizeof(f->title), "Latency distributions");
	snprintf(f->caption, sizeof(f->caption),
		 "The share of requests that took at most this long; further left is better. "
		 "Marked: p50 and p99.");
	quire_chart_view_choice(v, f->caption + strlen(f->caption),
				sizeof(f->caption) - strlen(f->caption));
	if (rc == 0)
		rc = quire_chart_view_legend(f, v);
	return rc ? rc : 1;
}
