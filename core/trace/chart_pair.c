/*
 * chart_pair.c - see chart_pair.h: what the figures share.
 */
#include "chart_pair_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct quire_look look_of_moment = {
	.colour = QUIRE_FAINT, .dash = 4, .marker = QUIRE_DIAMOND, .size = 0.8, .width = 1};

static int no_memory(void)
{
	return quire_fail(-ENOMEM, "no memory for a chart");
}

int quire_pair_charts(struct quire_figure *f, struct quire_pair_view *v, uint32_t count)
{
	struct quire_chart *charts =
		quire_figure_alloc(f, (size_t)f->charts_count + count, sizeof(*charts));

	if (!charts)
		return no_memory();
	if (f->charts_count)
		memcpy(charts, f->charts, f->charts_count * sizeof(*charts));
	f->charts = charts;
	v->next = charts + f->charts_count;
	f->charts_count += count;
	for (uint32_t i = 0; i < count; i++)
		quire_chart_init(&v->next[i], "", "");
	return 0;
}

int quire_pair_legend(struct quire_figure *f, const struct quire_look *look, const char *text)
{
	struct quire_legend *legend =
		quire_figure_alloc(f, (size_t)f->legend_count + 1, sizeof(*legend));

	if (!legend)
		return no_memory();
	if (f->legend_count)
		memcpy(legend, f->legend, f->legend_count * sizeof(*legend));
	legend[f->legend_count].look = *look;
	snprintf(legend[f->legend_count++].text, sizeof(legend->text), "%s", text);
	f->legend = legend;
	return 0;
}

int quire_pair_legend_runs(struct quire_figure *f, const struct quire_pair_view *v, bool lines,
			   bool moments)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && lines && i < 2; i++)
		rc = quire_pair_legend(f, &v->look[i], v->pair->label[i]);
	if (rc == 0 && moments && isfinite(v->pair->parting_s[0]))
		rc = quire_pair_legend(f, &look_of_moment, v->pair->parting);
	return rc;
}

void quire_pair_moments(struct quire_chart *chart, const struct quire_pair_view *v, uint32_t of)
{
	const double *at_s = v->pair->parting_s;
	const char *label;
	double clock = quire_chart_view_clock(v->view, &label);
	bool one = of < 2 || fabs(at_s[1] - at_s[0]) * clock < 0.01 * chart->x.high;

	for (uint32_t i = 0; i < 2; i++) {
		if (!isfinite(at_s[i]) || (one && i != of % 2))
			continue;
		chart->moments[chart->moments_count] =
			(struct quire_moment){.look = look_of_moment, .x = at_s[i] * clock};
		if (!one)
			chart->moments[chart->moments_count].look.colour = v->look[i].colour;
		chart->moments_count++;
	}
}

struct quire_curve *quire_pair_curve(struct quire_figure *f, struct quire_chart *chart,
				     const struct quire_pair_view *v, uint32_t i, uint32_t points,
				     double **x, double **y)
{
	struct quire_curve *curve = &chart->curves[chart->curves_count];

	*x = quire_figure_alloc(f, points, sizeof(**x));
	*y = quire_figure_alloc(f, points, sizeof(**y));
	if (!*x || !*y) {
		no_memory();
		return NULL;
	}
	*curve = (struct quire_curve){.look = v->look[i], .x = *x, .y = *y};
	curve->look.width = i ? 1.5 : 1.7; /* A peeks out below B */
	snprintf(curve->name, sizeof(curve->name), "%s", v->pair->label[i]);
	chart->curves_count++;
	return curve;
}

int quire_pair_figure(struct quire_figure *f, enum quire_pair_figure which,
		      const struct quire_pair *pair)
{
#define X(figure, name) #name,
	static const char *const names[] = {QUIRE_PAIR_FIGURES(X)};
#undef X
	const char *const labels[] = {pair->label[0], pair->label[1]};
	struct quire_pair_view v = {
		.pair = pair,
		.runs = {.reports = pair->report, .plots = pair->plots, .count = 2},
	};
	int rc = 0;

	*f = (struct quire_figure){.width = 720, .columns = 2, .chart_height = 150};
	snprintf(f->name, sizeof(f->name), "%s", names[which]);
	if (which > QUIRE_PAIR_LATENCY && !pair->both_recorded)
		return 0;
	if (which == QUIRE_PAIR_REQUESTS && !pair->same_requests)
		return 0;
	if (which > QUIRE_PAIR_REQUESTS && !pair->recorded[0].steps_count &&
	    !pair->recorded[1].steps_count)
		return 0;
	v.view = quire_chart_view_pair(&v.runs, labels);
	if (!v.view)
		return -ENOMEM;
	for (uint32_t i = 0; i < 2; i++)
		v.look[i] = quire_chart_view_of(v.view, i)->look;
	if (which == QUIRE_PAIR_DIFFERENCES) {
		rc = quire_pair_differences(f, &v);
	} else if (which == QUIRE_PAIR_LATENCY) {
		rc = quire_figure_latency(f, v.view);
		if (rc == 0)
			f->charts_count = 0;
	} else if (which == QUIRE_PAIR_REQUESTS) {
		rc = quire_pair_requests(f, &v);
	} else if (which == QUIRE_PAIR_STEPS) {
		rc = quire_pair_steps(f, &v);
	} else {
		rc = quire_pair_over_time(f, &v, which);
	}
	quire_chart_view_free(v.view);
	return rc < 0 ? rc : f->charts_count > 0;
}
