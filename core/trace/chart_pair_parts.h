/*
 * chart_pair_parts.h - what the figures of two runs share.  Private to chart_pair*.c.
 */
#ifndef QUIRE_CHART_PAIR_PARTS_H
#define QUIRE_CHART_PAIR_PARTS_H

#include "chart_pair.h"
#include "chart_view.h"

struct quire_pair_view {
	const struct quire_pair *pair;
	struct quire_runs runs;
	struct quire_chart_view *view;
	struct quire_look look[2]; /* of A, of B */
	struct quire_chart *next;  /* of the figure's charts, the next to be made */
};

/* Room for @count charts more, behind those that are there. */
int quire_pair_charts(struct quire_figure *f, struct quire_pair_view *v, uint32_t count);
/* One entry more. */
int quire_pair_legend(struct quire_figure *f, const struct quire_look *look, const char *text);
/* A and B, where lines stand for them; the moment at which they part. */
int quire_pair_legend_runs(struct quire_figure *f, const struct quire_pair_view *v, bool lines,
			   bool moments);
/* Mark that moment in a chart over time: of A (0), of B (1) or of both (2). */
void quire_pair_moments(struct quire_chart *chart, const struct quire_pair_view *v, uint32_t of);
/* A curve of run @i with room for @points, in a chart with room for curves. */
struct quire_curve *quire_pair_curve(struct quire_figure *f, struct quire_chart *chart,
				     const struct quire_pair_view *v, uint32_t i, uint32_t points,
				     double **x, double **y);

/* A dot for each pair of values, A across and B up; further than one factor apart they
 * are on logarithmic axes.  At most some hundred are drawn. */
int quire_pair_scatter(struct quire_figure *f, struct quire_chart *chart, const char *title,
		       const double *a, const double *b, uint32_t count);

int quire_pair_differences(struct quire_figure *f, struct quire_pair_view *v);
int quire_pair_requests(struct quire_figure *f, struct quire_pair_view *v);
int quire_pair_steps(struct quire_figure *f, struct quire_pair_view *v);
int quire_pair_over_time(struct quire_figure *f, struct quire_pair_view *v,
			 enum quire_pair_figure which);

#endif /* QUIRE_CHART_PAIR_PARTS_H */
