/*
 * logits.h - the arithmetic of sampling.h, one step of it after the other.
 *
 *	logits	[vocab], of one position, as the model gives them
 *	order	by falling logit; equals by rising id
 *	weight of a token = exp((its logit - the largest) / temperature)
 *
 * What min-p, top-k and top-p leave is always the beginning of the order.  So nothing is
 * sorted: where that beginning ends is found by counting, or weighing, tokens by the
 * leading bits of their logits, then the next bits, then the last (radix selection).
 * That takes no memory, and a few passes over the vocabulary.
 */
#ifndef QUIRE_LOGITS_H
#define QUIRE_LOGITS_H

#include "sampling.h"

/*
 * log(sum of exp(logits)), summed in double: logit - log_sum is the token's logprob.
 * Return: 0; -EIO, with a sentence: a logit is NaN or +infinity, or all are -infinity.
 */
int quire_logits_sum(const float *logits, uint32_t vocab, double *log_sum);

/* A token that came, and how often. */
struct quire_tally {
	uint32_t token;
	uint32_t count; /* of those that were generated; 0: it is in the prompt alone */
	float logit;	/* before penalties; kept by quire_logits_penalize() */
};

/* Does @s need quire_logits_penalize()? */
bool quire_sampling_penalizes(const struct quire_sampling *s);

/* Apply the penalties of @s to the tokens of @tally [count], which are different. */
void quire_logits_penalize(float *logits, const struct quire_sampling *s, struct quire_tally *tally,
			   size_t count);

/* The first of the order: the greedy choice. */
uint32_t quire_logits_largest(const float *logits, uint32_t vocab);

/* The first @count <= vocab of the order, into @tokens. */
void quire_logits_best(const float *logits, uint32_t vocab, uint32_t *tokens, uint32_t count);

/*
 * Draw from what temperature (> 0), min-p, top-k and top-p leave: the first token by id
 * at which the weights summed up pass the share @uniform, in [0, 1), of them all.
 * Return: 0; -EIO no logit is finite.
 */
int quire_logits_draw(const float *logits, uint32_t vocab, const struct quire_sampling *s,
		      double uniform, uint32_t *token);

#endif /* QUIRE_LOGITS_H */
