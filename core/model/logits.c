/*
 * logits.c - see logits.h.
 */
#include "logits.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

int quire_logits_sum(const float *logits, uint32_t vocab, double *log_sum)
{
	float largest = -INFINITY;
	double sum = 0;

	for (uint32_t i = 0; i < vocab; i++) {
		if (!(logits[i] <= FLT_MAX))
			return quire_fail(-EIO, "the logit of token %u is %s", i,
					  isnan(logits[i]) ? "not a number" : "infinite");
		largest = logits[i] > largest ? logits[i] : largest;
	}
	if (isinf(largest))
		return quire_fail(-EIO, "the logits of all %u tokens are -infinity", vocab);
	for (uint32_t i = 0; i < vocab; i++)
		sum += exp((double)logits[i] - (double)largest);
	*log_sum = (double)largest + log(sum);
	return 0;
}

bool quire_sampling_penalizes(const struct quire_sampling *s)
{
	return s->repetition_penalty < 1 || s->repetition_penalty > 1 ||
	       fpclassify(s->presence_penalty) != FP_ZERO ||
	       fpclassify(s->frequency_penalty) != FP_ZERO;
}

void quire_logits_penalize(float *logits, const struct quire_sampling *s, struct quire_tally *tally,
			   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct quire_tally *t = &tally[i];
		double logit = (double)logits[t->token];

		t->logit = logits[t->token];
		logit = logit > 0 ? logit / s->repetition_penalty : logit * s->repetition_penalty;
		if (t->count)
			logit -= s->presence_penalty + s->frequency_penalty * t->count;
		logits[t->token] = (float)logit;
	}
}

uint32_t quire_logits_largest(const float *logits, uint32_t vocab)
{
	float most = logits[0];
	uint32_t best = 0;

	for (uint32_t i = 1; i < vocab; i++) {
		if (!(logits[i] > most))
			continue;
		most = logits[i];
		best = i;
	}
	return best;
}

void quire_logits_best(const float *logits, uint32_t vocab, uint32_t *tokens, uint32_t count)
{
	uint32_t filled = 0, k;

	for (uint32_t i = 0; i < vocab && count; i++) {
		if (filled == count && !(logits[i] > logits[tokens[count - 1]]))
			continue;
		k = filled < count ? filled++ : count - 1;
		for (; k > 0 && logits[i] > logits[tokens[k - 1]]; k--)
			tokens[k] = tokens[k - 1];
		tokens[k] = i;
	}
}

/* What is drawn from: the beginning of the order, up to and with a last token. */
struct choice {
	const float *logits; /* [vocab] */
	uint32_t vocab;
	double largest, temperature;
	double least;	   /* smaller logits are out */
	uint32_t last_key; /* of the last token that is in */
	uint32_t last_id;
};

/* Orders floats: the larger the logit, the smaller the key. */
static uint32_t key_of(float logit)
{
	uint32_t bits;

	logit += 0.0f; /* there is one zero */
	memcpy(&bits, &logit, sizeof(bits));
	return bits >> 31 ? bits : bits ^ 0x7fffffff;
}

static bool is_in(const struct choice *c, uint32_t id)
{
	uint32_t key = key_of(c->logits[id]);

	return (double)c->logits[id] >= c->least &&
	       (key < c->last_key || (key == c->last_key && id <= c->last_id));
}

static double weight(const struct choice *c, uint32_t id)
{
	return exp(((double)c->logits[id] - c->largest) / c->temperature);
}

/*
 * Cut behind the token at which a sum over the order reaches @goal: of ones (top-k), or,
 * with @weigh, of weights, and @goal is a share of all of them (top-p).
 */
static void cut(struct choice *c, double goal, bool weigh)
{
	enum { LEVELS = 3, BINS = 1 << 11 };
	static const uint32_t bits[LEVELS] = {11, 11, 10};
	double bin[BINS], sum = 0; /* of all bins before */
	uint32_t low = 32, prefix = 0, b, last;

	for (int level = 0; level < LEVELS; level++) {
		low -= bits[level];
		memset(bin, 0, sizeof(bin));
		for (uint32_t i = 0; i < c->vocab; i++) {
			const uint64_t key = key_of(c->logits[i]); /* of 32 bits */

			if (key >> (low + bits[level]) == prefix && is_in(c, i))
				bin[key >> low & ((1u << bits[level]) - 1)] +=
					weigh ? weight(c, i) : 1;
		}
		if (level == 0 && weigh) {
			double all = 0;

			for (b = 0; b < BINS; b++)
				all += bin[b];
			goal *= all;
		}
		/* The last that has anything will do if rounding keeps the sum below. */
		for (b = last = 0; b < BINS; b++) {
			if (!(bin[b] > 0))
				continue;
			last = b;
			if (sum + bin[b] >= goal)
				break;
			sum += bin[b];
		}
		if (b == BINS)
			sum -= bin[last];
		prefix = prefix << bits[level] | last;
	}
	/* What is left are equals. */
	for (uint32_t i = last = 0; i < c->vocab && sum < goal; i++) {
		if (key_of(c->logits[i]) != prefix || !is_in(c, i))
			continue;
		sum += weigh ? weight(c, i) : 1;
		last = i;
	}
	c->last_key = prefix;
	c->last_id = last;
}

int quire_logits_draw(const float *logits, uint32_t vocab, const struct quire_sampling *s,
		      double uniform, uint32_t *token)
{
	struct choice c = {
		.logits = logits,
		.vocab = vocab,
		.largest = (double)logits[quire_logits_largest(logits, vocab)],
		.temperature = s->temperature,
		.least = -INFINITY,
		.last_key = UINT32_MAX,
		.last_id = UINT32_MAX,
	};
	double all = 0, sum = 0;

	if (!isfinite(c.largest))
		return quire_fail(-EIO, "no logit of %u tokens is finite", vocab);
	if (s->min_p > 0)
		c.least = c.largest + s->temperature * log(s->min_p);
	if (s->top_k && s->top_k < vocab)
		cut(&c, s->top_k, false);
	if (s->top_p < 1)
		cut(&c, s->top_p, true);
	for (uint32_t i = 0; i < vocab; i++)
		all += is_in(&c, i) ? weight(&c, i) : 0;
	for (uint32_t i = 0; i < vocab && sum <= uniform * all; i++) {
		const double w = is_in(&c, i) ? weight(&c, i) : 0;

		sum += w;
		if (w > 0)
			*token = i;
	}
	return 0;
}
