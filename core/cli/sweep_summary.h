/*
 * sweep_summary.h - what the runs of a sweep say together: for each combination the
 * mean over its seeds, and how far it can be trusted.
 *
 * The 95 % interval of a figure is mean -+ half with
 *
 *	half = t(0.975, n - 1) s / sqrt(n)
 *
 * for n runs with the standard deviation s: Student's t, which holds if the figure is
 * about normal from seed to seed.  With one run there is none.  Runs that did not
 * finish are counted and otherwise left out.
 */
#ifndef QUIRE_SWEEP_SUMMARY_H
#define QUIRE_SWEEP_SUMMARY_H

#include "sweep_csv.h"

struct quire_mean {
	uint32_t count;
	double mean;	/* NAN: no values */
	double squares; /* sum of squared distances from the mean */
};

void quire_mean_add(struct quire_mean *m, double value);
/* Half the width of the 95 % interval; NAN of less than two values. */
double quire_mean_half(const struct quire_mean *m);
/* t(0.975, @degrees), the quantile of Student's distribution. */
double quire_student_t(uint32_t degrees);

/* Runs that differ in their seed alone. */
struct quire_sweep_group {
	uint32_t first; /* combination */
	uint32_t runs;	/* that have a row */
	uint32_t finished;
	const char *row;	 /* of one of them, borrowed; NULL: none */
	const char *bad_row;	 /* of the first that did not finish, borrowed; NULL: none */
	struct quire_mean *mean; /* [columns_count] of those that finished */
};

struct quire_sweep_summary {
	const struct quire_sweep_csv *csv;
	struct quire_sweep_group *groups; /* [count] in the order of the combinations */
	uint32_t count;
	struct quire_mean *means; /* of all groups, owned */
};

/* Return: 0; -ENOMEM with a sentence. */
int quire_sweep_summary_make(struct quire_sweep_summary *s, const struct quire_sweep_csv *csv);
void quire_sweep_summary_free(struct quire_sweep_summary *s);

/*
 * Write a CSV with a row for each group: key without the seed, runs, finished, and
 * for each figure its mean under the name that it has in the rows, and half the
 * interval under that name and ".ci95"; then the configuration.
 * Return: 0; -errno with a sentence.
 */
int quire_sweep_summary_write(const struct quire_sweep_summary *s, const char *path);

/* The table for people.  Return: 0; -EIO, -ENOMEM with a sentence. */
int quire_sweep_table(FILE *out, const struct quire_sweep_summary *s,
		      const struct quire_table_style *style);

#endif /* QUIRE_SWEEP_SUMMARY_H */
