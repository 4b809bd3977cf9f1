/*
 * chart_runs.h - the figures of a report: what runs were like, and how they differ.
 *
 * Runs are told apart by what differs between them.  Those that differ in their
 * seed alone are one, with mean figures; over time the first of them is shown.
 * Where a rate was swept, what has no room for all rates shows one: the highest at
 * which a run was not saturated, just before the knee.
 */
#ifndef QUIRE_CHART_RUNS_H
#define QUIRE_CHART_RUNS_H

#include "chart.h"
#include "report.h"
#include "series.h"

#define QUIRE_RUNS_SHOWN 12 /* side by side, at most */

struct quire_runs {
	const struct quire_report *reports; /* [count] */
	const struct quire_plot *plots;	    /* [count] */
	size_t count;
};

/* In the order in which a report shows them. */
#define QUIRE_RUN_FIGURES(X)                                                                       \
	X(RATES, rates)                                                                            \
	X(COMPARISON, comparison)                                                                  \
	X(LATENCY, latency)                                                                        \
	X(MEMORY, memory)                                                                          \
	X(BATCH, batch)                                                                            \
	X(TOKENS, tokens)                                                                          \
	X(QUEUE, queue)                                                                            \
	X(THROUGHPUT, throughput)

enum quire_run_figure {
#define X(figure, name) QUIRE_FIGURE_##figure,
	QUIRE_RUN_FIGURES(X) QUIRE_RUN_FIGURE_COUNT
#undef X
};

/* Which runs are shown, and how each looks: made once for all figures.  @runs is
 * borrowed.  Return: NULL with a sentence in quire_failure(): no memory. */
struct quire_chart_view *quire_chart_view_new(const struct quire_runs *runs);
void quire_chart_view_free(struct quire_chart_view *view);

/*
 * Make a figure, to be freed with quire_figure_free() in any case.
 * Return: 1 it is made; 0 these runs have nothing to show in it; -ENOMEM.
 */
int quire_run_figure(struct quire_figure *figure, enum quire_run_figure which,
		     const struct quire_chart_view *view);

#endif /* QUIRE_CHART_RUNS_H */
