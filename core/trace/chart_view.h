/*
 * chart_view.h - which runs a figure shows, how they are named and how they look.
 * Private to chart_*.c.
 */
#ifndef QUIRE_CHART_VIEW_H
#define QUIRE_CHART_VIEW_H

#include "chart_runs.h"
#include "report_rows.h"

/* Runs that differ in rate and seed alone. */
struct quire_combination {
	const struct quire_settings *settings;
	char label[QUIRE_CHART_TEXT];
	struct quire_look look;
};

struct quire_chart_view {
	const struct quire_runs *runs;
	struct quire_table_style style;
	struct quire_rows rows;			/* seeds are one; rows.rows is owned */
	struct quire_combination *combinations; /* [combinations_count] owned */
	uint32_t combinations_count;
	uint32_t *combination_of; /* [rows.count] owned */
	bool alternating;	  /* two allocators under several schedulers: neighbours in pairs */
	bool rates_vary;
	double rate; /* the one that is shown where only one can be */
	/* Rows to show side by side, [shown_count]; more were left out if so. */
	uint32_t shown[QUIRE_RUNS_SHOWN], shown_count, left_out;
};

/* Two runs, whatever they are, by the names @labels; both are shown.  Errors as
 * of quire_chart_view_new(). */
struct quire_chart_view *quire_chart_view_pair(const struct quire_runs *runs,
					       const char *const labels[2]);

/* What is to be said of the choice of runs, for a caption; "" if nothing. */
void quire_chart_view_choice(const struct quire_chart_view *view, char *text, size_t size);

static inline const struct quire_combination *quire_chart_view_of(const struct quire_chart_view *v,
								  uint32_t row)
{
	return &v->combinations[v->combination_of[row]];
}

/* The plot of a row's first run. */
static inline const struct quire_plot *quire_chart_view_plot(const struct quire_chart_view *v,
							     uint32_t row)
{
	return &v->runs->plots[v->rows.rows[row].first - v->runs->reports];
}

/* Figures by their axis: numbers, bars, distributions; and those over time. */
int quire_figure_rates(struct quire_figure *f, const struct quire_chart_view *view);
int quire_figure_comparison(struct quire_figure *f, const struct quire_chart_view *view);
int quire_figure_latency(struct quire_figure *f, const struct quire_chart_view *view);
int quire_figure_over_time(struct quire_figure *f, enum quire_run_figure which,
			   const struct quire_chart_view *view);
/* Seconds, minutes or hours, as suits the longest run: the label of an axis, and what
 * seconds are multiplied by. */
double quire_chart_view_clock(const struct quire_chart_view *view, const char **label);

/* Is there so much between the smallest and the largest of what curves show that a linear
 * axis would show nothing of the small? */
bool quire_chart_wide(const struct quire_chart *chart, bool of_y, double factor);
/* "0.053 s", "48 ms" */
void quire_show_time(char *to, size_t size, double seconds);

/* The kinds of memory, from the ground up. */
extern const uint32_t quire_memory_colours[4];
extern const char *const quire_memory_names[4];
int quire_memory_legend(struct quire_figure *f);
/* The combinations of the shown rows; none if there is only one. */
int quire_chart_view_legend(struct quire_figure *f, const struct quire_chart_view *view);

#endif /* QUIRE_CHART_VIEW_H */
