/*
 * place.h - where a contiguous region goes: one interface, one file a policy.
 *
 * place_buddy.c	chunks of 2^k blocks, as in the vLLM paper's Orca baselines
 * place_fit.c		first fit and best fit, to the slot
 */
#ifndef QUIRE_PLACE_H
#define QUIRE_PLACE_H

#include <quire/quire.h>

struct place_limits {
	uint32_t slots_total;
	uint32_t region_slots_max; /* no region will be longer */
	uint32_t regions_max;	   /* nor will there be more */
	uint32_t block_slots;	   /* of buddy: the smallest chunk */
};

struct place_ops {
	size_t size; /* bytes of the state, zeroed */
	int (*init)(void *place, const struct place_limits *limits);
	void (*exit)(void *place);
	/* Find room for @slots.  Return: the slots really taken, *first the first of
	 * them; 0: there is no room. */
	uint32_t (*take)(void *place, uint32_t slots, uint32_t *first);
	/* Give back what take() took. */
	void (*give)(void *place, uint32_t first, uint32_t taken);
	/* The largest region that would succeed now. */
	uint32_t (*largest)(const void *place);
	/* The largest that would succeed if nothing were taken. */
	uint32_t (*largest_ever)(const void *place);
};

extern const struct place_ops quire_place_buddy, quire_place_first, quire_place_best;

#endif /* QUIRE_PLACE_H */
