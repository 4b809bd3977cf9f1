/*
 * descend.h - constants that make a loss small, by coordinate search: each constant in turn
 * is tried a step larger and a step smaller, and what is better is kept; when nothing is, the
 * step is halved (Hooke and Jeeves, J. ACM 8, 1961, without their pattern moves).
 * Deterministic; it finds a minimum nearby, not the least of all.
 */
#ifndef QUIRE_SIM_DESCEND_H
#define QUIRE_SIM_DESCEND_H

#include <stddef.h>
#include <stdint.h>

struct quire_constant {
	double *value; /* above 0; where the search begins, and what it found */
	double max;    /* 0: none */
};

struct quire_descent {
	double (*loss)(const void *arg); /* of the constants as they are now */
	const void *arg;
	const struct quire_constant *constants; /* [count] */
	size_t count;
	double step;	     /* the first: a constant times and over 1 + step */
	double keep;	     /* better is what is less than the least so far times this */
	uint32_t rounds_max; /* through all constants with one step; 0: no limit */
};

/* Return: the loss that was reached. */
double quire_descend(const struct quire_descent *d);

#endif /* QUIRE_SIM_DESCEND_H */
