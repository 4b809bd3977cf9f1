/*
 * copy_slots_ref.c - see kernels.h.
 */
#include "ref.h"

void quire_ref_copy_slots(const struct quire_op_copy_slots *op)
{
	const uint64_t elements = op->pool.slot_elements;

	for (uint32_t i = 0; i < op->copies_count; i++)
		for (uint32_t p = 0; p < 2 * op->pool.layers; p++) {
			const struct quire_dev_copy *copy = &op->copies[i];
			uint16_t *plane = quire_dev_plane(&op->pool, p);

			memcpy(plane + copy->to * elements, plane + copy->from * elements,
			       copy->slots * elements * sizeof(uint16_t));
		}
}

void quire_ref_poison_slots(const struct quire_op_poison_slots *op)
{
	const uint64_t elements = op->pool.slot_elements;

	for (uint32_t p = 0; p < 2 * op->pool.layers; p++)
		memset(quire_dev_plane(&op->pool, p) + op->first * elements, 0xff,
		       op->slots * elements * sizeof(uint16_t));
}
