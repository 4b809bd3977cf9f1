/*
 * chart_pair.h - figures that show two runs, A and B, in one picture.
 *
 * What is over time, and single steps and requests, needs both recordings; of two
 * reports there are figures and distributions.  A and B look the same in all figures:
 * A blue and a full line, B orange and dashed.
 */
#ifndef QUIRE_CHART_PAIR_H
#define QUIRE_CHART_PAIR_H

#include "chart_runs.h"
#include "record_plot.h"

struct quire_pair {
	struct quire_report report[2];
	struct quire_plot *plots;	      /* [2] with bins of one length; empty: a report */
	char label[2][QUIRE_CHART_TEXT];      /* "A  real.qrec" */
	struct quire_record_plot recorded[2]; /* likewise */
	bool both_recorded;
	bool same_requests;  /* request i of A is request i of B */
	uint32_t same_steps; /* so many steps did the same in both */
	double parting_s[2]; /* when they part; NAN: they do not, or nobody knows ... */
	const char *parting; /* ... and what that is: "first decision that differs" */
};

/* In the order in which a page shows them. */
#define QUIRE_PAIR_FIGURES(X)                                                                      \
	X(DIFFERENCES, differences)                                                                \
	X(LATENCY, latency)                                                                        \
	X(REQUESTS, requests)                                                                      \
	X(STEPS, steps)                                                                            \
	X(MEMORY, memory)                                                                          \
	X(BATCH, batch)                                                                            \
	X(TOKENS, tokens)                                                                          \
	X(THROUGHPUT, throughput)

enum quire_pair_figure {
#define X(figure, name) QUIRE_PAIR_##figure,
	QUIRE_PAIR_FIGURES(X) QUIRE_PAIR_FIGURE_COUNT
#undef X
};

/*
 * Make a figure, to be freed with quire_figure_free() in any case.
 * Return: 1 it is made; 0 these runs have nothing to show in it; -ENOMEM.
 */
int quire_pair_figure(struct quire_figure *figure, enum quire_pair_figure which,
		      const struct quire_pair *pair);

#define QUIRE_PAIR_CLOSE 0.1 /* so much of A: a difference that is called small */

/* Of all pairs of positive values, the share with b within QUIRE_PAIR_CLOSE of a; @count
 * tells how many pairs there are.  NAN if there are none. */
double quire_pair_close(const double *a, const double *b, uint32_t n, uint32_t *count);

/* B against A, not negative ones: "-3.1%", "+206%", "x 14.2", "same", "-" if it cannot be said. */
void quire_pair_percent(char *to, size_t size, double a, double b);

#endif /* QUIRE_CHART_PAIR_H */
