/*
 * swiglu_ref.c - see kernels.h.
 */
#include "ref.h"

void quire_ref_swiglu(const struct quire_op_swiglu *op)
{
	for (uint32_t r = 0; r < op->rows_count; r++)
		for (uint32_t c = 0; c < op->columns; c++) {
			const uint16_t *gate = op->gate_up + (uint64_t)r * 2 * op->columns + c;

			op->out[(uint64_t)r * op->columns + c] = ref_to_bf16(
				ref_silu(ref_of_bf16(gate[0])) * ref_of_bf16(gate[op->columns]));
		}
}
