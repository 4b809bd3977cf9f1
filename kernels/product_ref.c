/*
 * product_ref.c - see kernels.h.
 */
#include "ref.h"

static double product(const struct quire_op_product *op, uint32_t r, uint32_t output)
{
	const uint16_t *x = op->x + (uint64_t)r * op->columns;
	const uint16_t *w = op->weight + (uint64_t)output * op->columns;
	double sum = 0;

	for (uint32_t k = 0; k < op->columns; k++)
		sum += ref_of_bf16(x[k]) * ref_of_bf16(w[k]);
	return sum;
}

void quire_ref_product(const struct quire_op_product *op)
{
	for (uint32_t r = 0; r < op->rows_count; r++)
		for (uint32_t n = 0; n < op->outputs; n++) {
			const uint64_t at = (uint64_t)r * op->outputs + n;
			double y = product(op, r, n);

			if (op->kind == QUIRE_PRODUCT_SWIGLU)
				y = ref_silu(y) * product(op, r, op->outputs + n);
			if (op->kind == QUIRE_PRODUCT_FP32)
				((float *)op->out)[at] = (float)y;
			else if (op->kind == QUIRE_PRODUCT_ADD)
				((float *)op->out)[at] =
					(float)((double)((float *)op->out)[at] + y);
			else
				((uint16_t *)op->out)[at] = ref_to_bf16(y);
		}
}
