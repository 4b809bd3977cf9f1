/*
 * stats.h - what a workload is like, in figures: for "quire trace info", and for
 * the tests that hold presets against the traces they were fitted to.
 */
#ifndef QUIRE_STATS_H
#define QUIRE_STATS_H

#include "core/trace/report.h"
#include "core/trace/workload.h"

/* Lengths by powers of two: band b counts the lengths of [2^b, 2^(b+1)). */
#define QUIRE_BANDS 32

struct quire_lengths {
	struct quire_spread spread; /* tokens */
	uint32_t min_tokens;
	uint64_t sum_tokens;
	uint32_t bands[QUIRE_BANDS]; /* requests */
};

struct quire_workload_stats {
	uint32_t requests;
	struct quire_lengths prompt, output, total; /* of one sample */

	/* Arrivals; NAN where there are none, or too few. */
	double last_s;		/* the last arrival, since the start */
	double rate;		/* (requests - 1) / (last - first), per second */
	double gap_cv;		/* standard deviation / mean of the gaps; Poisson: 1 */
	double dispersion_1s;	/* variance / mean of the number of arrivals ... */
	double dispersion_10s;	/* ... in each 1 or 10 s; Poisson: 1 */
	uint32_t arrival_times; /* different ones */
	uint32_t clients;	/* different ones */

	/* Prefixes, of a source with block hashes. */
	uint64_t hashes, hashes_distinct;
	double hit_share; /* prompt tokens in blocks that an earlier request had, too,
			   * with all blocks before them: what a prefix cache without
			   * end would save; NAN without hashes */
};

/* Return: 0; -ENOMEM. */
int quire_workload_stats(struct quire_workload_stats *s, const struct quire_workload *w);

/* The Kolmogorov-Smirnov distance of two sets of lengths, 0 .. 1; sorts both. */
double quire_ks_distance(uint32_t *a, size_t a_count, uint32_t *b, size_t b_count);

#endif /* QUIRE_STATS_H */
