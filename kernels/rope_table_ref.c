/*
 * rope_table_ref.c - see kernels.h.
 */
#include "ref.h"

void quire_ref_rope_table(const struct quire_op_rope_table *op)
{
	const uint32_t half = op->head_dim / 2;

	for (uint32_t p = 0; p < op->positions; p++)
		for (uint32_t i = 0; i < half; i++) {
			const double angle = (double)p * (double)op->frequency[i];
			float *to = op->table + (uint64_t)p * op->head_dim + i;

			to[0] = (float)cos(angle);
			to[half] = (float)sin(angle);
		}
}
