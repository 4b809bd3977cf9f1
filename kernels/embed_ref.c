/*
 * embed_ref.c - see kernels.h.
 */
#include "ref.h"

void quire_ref_embed(const struct quire_op_embed *op)
{
	for (uint32_t r = 0; r < op->rows_count; r++)
		for (uint32_t c = 0; c < op->columns; c++) {
			const uint32_t token = op->rows[r].token;
			const uint64_t at = (uint64_t)token * op->columns + c;

			op->residual[(uint64_t)r * op->columns + c] =
				token < op->vocab ? (float)ref_of_bf16(op->table[at]) : NAN;
		}
}
