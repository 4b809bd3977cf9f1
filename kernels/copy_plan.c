/*
 * copy_plan.c - which copies may run at one time: see kernels.h.
 */
#include "kernels.h"

static bool overlap(uint32_t a, uint32_t a_slots, uint32_t b, uint32_t b_slots)
{
	return (uint64_t)a < (uint64_t)b + b_slots && (uint64_t)b < (uint64_t)a + a_slots;
}

uint32_t quire_copy_wave(const struct quire_dev_copy *copies, uint32_t count)
{
	uint32_t wave;

	for (wave = 1; wave < count; wave++) {
		const struct quire_dev_copy *b = &copies[wave];

		for (uint32_t i = 0; i < wave; i++) {
			const struct quire_dev_copy *a = &copies[i];

			if (overlap(a->to, a->slots, b->from, b->slots) ||
			    overlap(a->to, a->slots, b->to, b->slots) ||
			    overlap(a->from, a->slots, b->to, b->slots))
				return wave;
		}
	}
	return wave;
}
