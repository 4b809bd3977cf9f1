/*
 * draw_ref.c - see kernels.h.  Sorts, and reads the order from its beginning.
 */
#include "ref.h"

#include <stdlib.h>

struct entry {
	double logit, weight;
	uint32_t id;
};

static int by_logit(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->logit > y->logit || x->logit < y->logit)
		return x->logit < y->logit ? 1 : -1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_id(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Return the token; UINT32_MAX if there is no memory. */
static uint32_t draw_one(const float *logits, uint32_t vocab, const struct quire_dev_draw *how)
{
	struct entry *order = malloc(vocab * sizeof(*order));
	uint32_t left = vocab, token = UINT32_MAX;
	double all = 0, sum = 0;

	if (!order)
		return token;
	for (uint32_t i = 0; i < vocab; i++)
		order[i] = (struct entry){.logit = (double)logits[i], .id = i};
	qsort(order, vocab, sizeof(*order), by_logit);
	for (uint32_t i = 0; i < vocab; i++)
		order[i].weight = exp((order[i].logit - order[0].logit) / (double)how->temperature);
	while (how->min_p > 0 && order[left - 1].weight < (double)how->min_p)
		left--;
	if (how->top_k && how->top_k < left)
		left = how->top_k;
	for (uint32_t i = 0; i < left; i++)
		all += order[i].weight;
	if (how->top_p < 1) {
		uint32_t count = 0;

		while (count < left && (!count || sum < (double)how->top_p * all))
			sum += order[count++].weight;
		left = count;
		all = sum;
	}
	qsort(order, left, sizeof(*order), by_id);
	sum = 0;
	for (uint32_t i = 0; i < left && sum <= how->uniform * all; i++) {
		sum += order[i].weight;
		if (order[i].weight > 0)
			token = order[i].id;
	}
	free(order);
	return token;
}

void quire_ref_draw(const struct quire_op_draw *op)
{
	for (uint32_t r = 0; r < op->rows_count; r++)
		op->tokens[r] =
			draw_one(op->logits + (uint64_t)r * op->stride, op->vocab, &op->draws[r]);
}
