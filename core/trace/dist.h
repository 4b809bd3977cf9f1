/*
 * dist.h - the distributions that lengths and gaps are drawn from.
 *
 * A distribution is a small constant: its kind, its numbers, and the largest
 * value it may give.  Larger ones are drawn again, or cut to it, as a service
 * does that cuts long prompts.  Each draw takes as many
 * random numbers as it needs from the stream, nothing is kept between draws.
 *
 *	CONSTANT	a
 *	UNIFORM		a .. b, both included, whole numbers alike
 *	EXPONENTIAL	mean a
 *	GAMMA		shape a, scale b	(Marsaglia and Tsang, "A simple method
 *			for generating gamma variables", ACM TOMS 26(3), 2000)
 *	WEIBULL		shape a, scale b
 *	NORMAL		mean a, standard deviation a * b (Marsaglia's polar method)
 *	LOGNORMAL	exp(normal); mean of the logarithm a, its deviation b
 *	LOGNORMAL2	with probability w[0] of a, b, else of a2, b2
 *	HYPEREXP3	exponential, its mean a, b or a2 with probability w[0], w[1], rest
 *	ZIPF		whole numbers k >= 1 with probability ~ k^-a, a > 1 (Devroye,
 *			"Non-uniform random variate generation", 1986, X.6.1)
 */
#ifndef QUIRE_DIST_H
#define QUIRE_DIST_H

#include "rng.h"

#include <stdbool.h>

enum quire_dist_kind {
	QUIRE_DIST_CONSTANT,
	QUIRE_DIST_UNIFORM,
	QUIRE_DIST_EXPONENTIAL,
	QUIRE_DIST_GAMMA,
	QUIRE_DIST_WEIBULL,
	QUIRE_DIST_NORMAL,
	QUIRE_DIST_LOGNORMAL,
	QUIRE_DIST_LOGNORMAL2,
	QUIRE_DIST_HYPEREXP3,
	QUIRE_DIST_ZIPF,
};

struct quire_dist {
	enum quire_dist_kind kind;
	double a, b;   /* see above */
	double a2, b2; /* of the second component */
	double w[2];   /* weights */
	double max;    /* the largest value; 0: no bound */
	bool cut;      /* larger ones become max; false: they are drawn again */
};

double quire_dist_draw(const struct quire_dist *d, struct quire_rng *r);

/* A length: rounded to the nearest whole number, at least 1, at most d->max. */
uint32_t quire_dist_tokens(const struct quire_dist *d, struct quire_rng *r);

/*
 * Read a distribution of lengths: "512", or a name and its numbers,
 *
 *	fixed:TOKENS		uniform:LOW:HIGH	exp:MEAN
 *	normal:MEAN:CV		gamma:MEAN:CV		zipf:EXPONENT
 *	lognormal:MEAN:SIGMA	lognormal2:SHARE:MEAN:SIGMA:MEAN:SIGMA
 *
 * and at its end perhaps ":max=TOKENS" (larger ones are drawn again) or
 * ":cut=TOKENS" (larger ones become that).  CV is the standard deviation over the
 * mean, SIGMA the deviation of the logarithm, SHARE the weight of the first of two.
 * All means are those before the bound.
 * Return: 0; -EINVAL with a sentence in quire_failure().
 */
int quire_dist_parse(struct quire_dist *d, const char *text);

#endif /* QUIRE_DIST_H */
