/*
 * attention_ref.c - see kernels.h.  Two passes over the keys: the largest score, then
 * the sums.
 */
#include "ref.h"

#define HEAD_DIM_MAX 128u

static double score_of(const struct quire_op_attention *op, const uint16_t *q, const uint16_t *k)
{
	double score = 0;

	for (uint32_t i = 0; i < op->head_dim; i++)
		score += ref_of_bf16(q[i]) * ref_of_bf16(k[i]);
	return score * (double)op->scale;
}

static uint64_t slot_of(const struct quire_op_attention *op, const struct quire_dev_item *item,
			uint32_t key)
{
	return op->maps[item->map_first + key / item->block_slots] + key % item->block_slots;
}

void quire_ref_attention_head(const struct quire_op_attention *op, uint32_t item, uint32_t row,
			      uint32_t head, double *out)
{
	const struct quire_dev_item *it = &op->items[item];
	const uint32_t kv_head = head / (op->heads / op->kv_heads), dim = op->head_dim;
	const uint32_t end = it->position_first + row + 1;
	const uint32_t first = op->window && end > op->window ? end - op->window : 0;
	const uint16_t *q = op->q + (uint64_t)(it->row_first + row) * op->q_stride + head * dim;
	double max = -INFINITY, sum = 0;

	for (uint32_t key = first; key < end; key++) {
		const uint64_t at = slot_of(op, it, key) * op->kv_heads + kv_head;

		max = fmax(max, score_of(op, q, op->k + at * dim));
	}
	memset(out, 0, dim * sizeof(*out));
	for (uint32_t key = first; key < end; key++) {
		const uint64_t at = slot_of(op, it, key) * op->kv_heads + kv_head;
		const double p = exp(score_of(op, q, op->k + at * dim) - max);

		sum += p;
		for (uint32_t i = 0; i < dim; i++)
			out[i] += p * ref_of_bf16(op->v[at * dim + i]);
	}
	for (uint32_t i = 0; i < dim; i++)
		out[i] /= sum;
}

void quire_ref_attention(const struct quire_op_attention *op, uint32_t items_count)
{
	double out[HEAD_DIM_MAX];

	for (uint32_t item = 0; item < items_count; item++)
		for (uint32_t row = 0; row < op->items[item].rows; row++)
			for (uint32_t head = 0; head < op->heads; head++) {
				const uint64_t r = op->items[item].row_first + row;
				uint16_t *to = op->out + (r * op->heads + head) * op->head_dim;

				quire_ref_attention_head(op, item, row, head, out);
				for (uint32_t i = 0; i < op->head_dim; i++)
					to[i] = ref_to_bf16(out[i]);
			}
}
