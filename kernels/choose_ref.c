/*
 * choose_ref.c - see kernels.h.
 */
#include "ref.h"

void quire_ref_choose(const struct quire_op_choose *op)
{
	for (uint32_t r = 0; r < op->rows_count; r++) {
		const float *x = op->logits + (uint64_t)r * op->stride;
		struct quire_dev_choice *c = &op->choices[r];
		double sum = 0;

		*c = (struct quire_dev_choice){.logit = -INFINITY};
		for (uint32_t i = 0; i < op->vocab; i++) {
			if (isnan(x[i]) || (isinf(x[i]) && x[i] > 0))
				c->bad = 1;
			else if (x[i] > c->logit) {
				c->token = i;
				c->logit = x[i];
			}
		}
		for (uint32_t i = 0; i < op->vocab && !c->bad && isfinite(c->logit); i++)
			sum += exp((double)x[i] - (double)c->logit);
		c->log_sum = (float)((double)c->logit + log(sum));
	}
}
