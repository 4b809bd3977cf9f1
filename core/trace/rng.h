/*
 * rng.h - random numbers that are the same everywhere.
 *
 * xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47(4), 2021), its state filled by splitmix64 (Steele,
 * Lea and Flood, OOPSLA 2014) as its authors advise.
 *
 * One seed gives many independent streams, each with a name: what one part of
 * the program draws never shifts what another one sees.  Workloads use
 * "arrivals", "lengths" and "shuffle".
 */
#ifndef QUIRE_RNG_H
#define QUIRE_RNG_H

#include <stdint.h>

struct quire_rng {
	uint64_t s[4];
};

/* Begin the stream @stream of @seed. */
void quire_rng_seed(struct quire_rng *r, uint64_t seed, const char *stream);

/* 64 random bits. */
uint64_t quire_rng_next(struct quire_rng *r);

/* Uniform in the open interval (0, 1): never 0, so its logarithm is finite. */
double quire_rng_unit(struct quire_rng *r);

/* Uniform in 0 .. below-1; below > 0.  Without bias (Lemire, "Fast random integer
 * generation in an interval", ACM TOMACS 29(1), 2019). */
uint32_t quire_rng_below(struct quire_rng *r, uint32_t below);

#endif /* QUIRE_RNG_H */
