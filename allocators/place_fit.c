/*
 * place_fit.c - first fit and best fit over a list of holes.
 *
 * Nothing is rounded, so whatever is lost is external fragmentation: holes that
 * are too short for the next region.
 *
 *	hole[i].first + hole[i].slots < hole[i + 1].first	(sorted, never touching)
 */
#include "place.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct hole {
	uint32_t first, slots;
};

struct fit {
	struct hole *hole; /* [count], room for regions_max + 1 */
	uint32_t count, slots_total;
};

static int fit_init(void *place, const struct place_limits *limits)
{
	struct fit *f = place;

	f->hole = calloc((size_t)limits->regions_max + 2, sizeof(*f->hole));
	if (!f->hole)
		return quire_fail(-ENOMEM, "out of memory for %u holes", limits->regions_max);
	f->hole[0] = (struct hole){0, limits->slots_total};
	f->count = 1;
	f->slots_total = limits->slots_total;
	return 0;
}

static void fit_exit(void *place)
{
	free(((struct fit *)place)->hole);
}

static uint32_t take_from(struct fit *f, struct hole *h, uint32_t slots, uint32_t *first)
{
	*first = h->first;
	h->first += slots;
	h->slots -= slots;
	if (!h->slots)
		memmove(h, h + 1, (size_t)(&f->hole[f->count--] - h - 1) * sizeof(*h));
	return slots;
}

static uint32_t first_take(void *place, uint32_t slots, uint32_t *first)
{
	struct fit *f = place;

	for (struct hole *h = f->hole; h < f->hole + f->count; h++)
		if (h->slots >= slots)
			return take_from(f, h, slots, first);
	return 0;
}

static uint32_t best_take(void *place, uint32_t slots, uint32_t *first)
{
	struct fit *f = place;
	struct hole *best = NULL;

	for (struct hole *h = f->hole; h < f->hole + f->count; h++)
		if (h->slots >= slots && (!best || h->slots < best->slots))
			best = h;
	return best ? take_from(f, best, slots, first) : 0;
}

static void fit_give(void *place, uint32_t first, uint32_t taken)
{
	struct fit *f = place;
	uint32_t i = 0; /* the first hole behind the region */
	bool joins_left, joins_right;

	while (i < f->count && f->hole[i].first < first)
		i++;
	joins_left = i > 0 && f->hole[i - 1].first + f->hole[i - 1].slots == first;
	joins_right = i < f->count && first + taken == f->hole[i].first;
	if (joins_left && joins_right) {
		f->hole[i - 1].slots += taken + f->hole[i].slots;
		memmove(&f->hole[i], &f->hole[i + 1], (--f->count - i) * sizeof(*f->hole));
	} else if (joins_left) {
		f->hole[i - 1].slots += taken;
	} else if (joins_right) {
		f->hole[i].first = first;
		f->hole[i].slots += taken;
	} else {
		memmove(&f->hole[i + 1], &f->hole[i], (f->count++ - i) * sizeof(*f->hole));
		f->hole[i] = (struct hole){first, taken};
	}
}

static uint32_t fit_largest(const void *place)
{
	const struct fit *f = place;
	uint32_t largest = 0;

	for (uint32_t i = 0; i < f->count; i++)
		if (f->hole[i].slots > largest)
			largest = f->hole[i].slots;
	return largest;
}

static uint32_t fit_largest_ever(const void *place)
{
	return ((const struct fit *)place)->slots_total;
}

const struct place_ops quire_place_first = {sizeof(struct fit), fit_init, fit_exit,
					    first_take,		fit_give, fit_largest,
					    fit_largest_ever};
const struct place_ops quire_place_best = {
	sizeof(struct fit), fit_init, fit_exit, best_take, fit_give, fit_largest, fit_largest_ever};
