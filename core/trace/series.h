/*
 * series.h - what the charts of a run need beside its report: quantities over
 * time, folded from events while the run goes on, and distributions.
 *
 * Time is cut into equal bins.  When a run outlasts them, neighbours are merged
 * and a bin is twice as long: memory is bounded, and the picture has between half
 * of QUIRE_SERIES_BINS points and all of them, however long the run.
 *
 * A quantity that has a value at each time (slots, sequences) is summed as
 *
 *	sum[kind][bin] = integral of the value over the bin, in value x ns
 *
 * and one that is done bit by bit (tokens) as what was done inside the bin, a
 * step's tokens being spread evenly from its begin to its end.  So the sums of
 * all bins are those of the run, whatever the length of a bin.
 */
#ifndef QUIRE_SERIES_H
#define QUIRE_SERIES_H

#include "core/event.h"

#define QUIRE_SERIES_BINS 1024

/* The first are held, the others done.  Of the tokens that steps run, DECODE are single
 * ones that continue an answer, PROMPT all others (prompts, and what is computed again
 * after a preemption), PADDING what fills a rectangle. */
#define QUIRE_SERIES(X)                                                                            \
	X(TOKEN_STATES, "slots")                                                                   \
	X(RESERVED, "slots")                                                                       \
	X(INTERNAL, "slots")                                                                       \
	X(SEQUENCES, "sequences that hold slots")                                                  \
	X(WAITING, "sequences that wait for slots")                                                \
	X(STEPS, "steps")                                                                          \
	X(DECODE, "tokens")                                                                        \
	X(PROMPT, "tokens")                                                                        \
	X(PADDING, "tokens")                                                                       \
	X(OUTPUT, "tokens that were sampled")

enum quire_series_kind {
#define X(kind, unit) QUIRE_SERIES_##kind,
	QUIRE_SERIES(X) QUIRE_SERIES_COUNT
#undef X
};

/* Plain data, to be sent through a pipe; all zero is an empty one. */
struct quire_series {
	uint64_t bin_ns; /* length of a bin, a power of two */
	uint64_t end_ns; /* up to which time it is known */
	double sum[QUIRE_SERIES_COUNT][QUIRE_SERIES_BINS];
};

/* Bins in use: the last may be cut short by the end. */
uint32_t quire_series_bins(const struct quire_series *s);

/* Add @value, which held from @from_ns to @until_ns. */
void quire_series_hold(struct quire_series *s, enum quire_series_kind kind, uint64_t from_ns,
		       uint64_t until_ns, double value);
/* Add @amount, done evenly from @from_ns to @until_ns, or all at once. */
void quire_series_spread(struct quire_series *s, enum quire_series_kind kind, uint64_t from_ns,
			 uint64_t until_ns, double amount);

/*
 * Means over groups of neighbouring bins, for a chart of @points_max points at most.
 * x: the middle of each group, in seconds; y: the mean value of what is held, and of
 * what is done the amount per second or per step (NAN where there was no step).  Both
 * arrays have room for @points_max.
 * Return: the number of points.
 */
enum quire_series_per { QUIRE_PER_SECOND, QUIRE_PER_STEP };
uint32_t quire_series_points(const struct quire_series *s, enum quire_series_kind kind,
			     enum quire_series_per per, uint32_t points_max, double *x, double *y);
/* The same over groups of @group bins; both arrays have room for as many as there are. */
uint32_t quire_series_means(const struct quire_series *s, enum quire_series_kind kind,
			    enum quire_series_per per, uint32_t group, double *x, double *y);

/* Merge neighbours until a bin is as long as @bin_ns, a power of two. */
void quire_series_coarsen(struct quire_series *s, uint64_t bin_ns);

/* ---- the sink that fills it ---- */

struct quire_series_sink {
	struct quire_sink sink;	     /* give this to the loop */
	struct quire_series *series; /* borrowed, zeroed */

	uint64_t alive; /* sequences that have arrived or forked and are not done ... */
	uint64_t kept;	/* ... and those that are done and still hold their row */
	uint32_t arrival_step;
	uint64_t *kept_bits; /* [kept_words] by sequence id; owned */
	size_t kept_words;
	bool short_of_memory; /* what is shown of padding may be wrong */

	/* the step that runs, or the last */
	uint64_t begin_ns, end_ns;
	double value[QUIRE_SERIES_COUNT]; /* of it */
};

/* Return: the sink, for the loop. */
struct quire_sink *quire_series_sink_init(struct quire_series_sink *s, struct quire_series *series);
void quire_series_sink_free(struct quire_series_sink *s);

/* ---- distributions ---- */

#define QUIRE_QUANTILES 256

/*
 * value[i] is the smallest value that i / (count - 1) of all do not exceed: the
 * first is the minimum, the last the maximum.  Where there are few values, all of
 * them.
 */
struct quire_quantiles {
	uint32_t count; /* <= QUIRE_QUANTILES; 0: no values */
	double value[QUIRE_QUANTILES];
};

/* @values [count] are sorted. */
void quire_quantiles_make(struct quire_quantiles *q, const double *values, size_t count);

/* All that the charts of one run need; plain data of fixed size. */
struct quire_plot {
	struct quire_series series;
	struct quire_quantiles ttft_s, tpot_s, e2e_s, normalized_latency_s;
};

/* What came from a process that is not trusted: does it fit into its arrays?  If not,
 * it is emptied. */
void quire_plot_check(struct quire_plot *plot);

struct quire_metrics;
/* Fill in the distributions; see report.h.  Return: 0; -ENOMEM. */
int quire_plot_latencies(struct quire_plot *plot, const struct quire_metrics *m,
			 const struct quire_request *requests);

#endif /* QUIRE_SERIES_H */
