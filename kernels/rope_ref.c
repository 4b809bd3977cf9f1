/*
 * rope_ref.c - see kernels.h.
 */
#include "ref.h"

#define HEAD_DIM_MAX 128u

/* One head of one row: norm and position may be missing. */
static void head(const struct quire_op_rope *op, const uint16_t *in, const uint16_t *bias,
		 const uint16_t *norm, const uint32_t *position, uint16_t *out)
{
	const uint32_t dim = op->head_dim, half = dim / 2;
	double x[HEAD_DIM_MAX], sum = 0;

	for (uint32_t i = 0; i < dim; i++) {
		x[i] = ref_of_bf16(in[i]) + (bias ? ref_of_bf16(bias[i]) : 0);
		sum += x[i] * x[i];
	}
	for (uint32_t i = 0; i < dim && norm; i++)
		x[i] = x[i] / sqrt(sum / dim + (double)op->eps) * ref_of_bf16(norm[i]);
	for (uint32_t i = 0; i < half && position; i++) {
		const float *table = op->table + (uint64_t)*position * dim;
		const bool known = *position < op->positions;
		const double cosine = known ? (double)table[i] : (double)NAN;
		const double sine = known ? (double)table[half + i] : (double)NAN;
		const double a = x[i], b = x[half + i];

		x[i] = a * cosine - b * sine;
		x[half + i] = b * cosine + a * sine;
	}
	for (uint32_t i = 0; i < dim; i++)
		out[i] = ref_to_bf16(x[i]);
}

void quire_ref_rope(const struct quire_op_rope *op)
{
	const uint32_t dim = op->head_dim, k_first = op->heads * dim;
	const uint32_t v_first = k_first + op->kv_heads * dim;

	for (uint32_t r = 0; r < op->rows_count; r++) {
		const struct quire_dev_row *row = &op->rows[r];
		uint16_t *qkv = op->qkv + (uint64_t)r * op->qkv_stride;

		for (uint32_t h = 0; h < op->heads; h++)
			head(op, qkv + h * dim, op->bias ? op->bias + h * dim : NULL, op->q_norm,
			     &row->position, qkv + h * dim);
		for (uint32_t h = 0; h < op->kv_heads && row->slot != QUIRE_SLOT_NONE; h++) {
			const uint32_t k = k_first + h * dim, v = v_first + h * dim;
			const uint64_t to = ((uint64_t)row->slot * op->kv_heads + h) * dim;

			head(op, qkv + k, op->bias ? op->bias + k : NULL, op->k_norm,
			     &row->position, op->k + to);
			head(op, qkv + v, op->bias ? op->bias + v : NULL, NULL, NULL, op->v + to);
		}
	}
}
