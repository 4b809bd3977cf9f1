/*
 * norm_ref.c - see kernels.h.
 */
#include "ref.h"

void quire_ref_norm(const struct quire_op_norm *op)
{
	for (uint32_t r = 0; r < op->rows_count; r++) {
		const uint64_t from = (uint64_t)(op->index ? op->index[r] : r) * op->columns;
		float *x = op->residual + from;
		double sum = 0;

		for (uint32_t c = 0; c < op->columns; c++) {
			if (op->add)
				x[c] = (float)((double)x[c] + ref_of_bf16(op->add[from + c]));
			sum += (double)x[c] * (double)x[c];
		}
		for (uint32_t c = 0; c < op->columns; c++)
			op->out[(uint64_t)r * op->columns + c] = ref_to_bf16(
				(double)x[c] / sqrt(sum / op->columns + (double)op->eps) *
				ref_of_bf16(op->weight[c]));
	}
}
