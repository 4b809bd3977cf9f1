/*
 * sampling.h - from logits to a token.
 *
 * The order is that of Hugging Face and vLLM: penalties, then temperature, then
 * min-p / top-k / top-p on what is left, then one draw.  The reported logprob is of
 * the model's own distribution, before all of it.
 *
 *	repetition	l > 0 ? l / p : l p of tokens in prompt or output (Keskar et al.,
 *			arXiv 1909.05858)
 *	presence	l - p of tokens in the output; frequency: l - p count (OpenAI's)
 *	temperature	l / t; 0: the largest, of equals the smallest id (greedy)
 *	top-k		the k largest; equals of the k-th go by id
 *	top-p		the fewest whose probabilities sum to p (Holtzman et al., arXiv 1904.09751)
 *	min-p		those of at least p times the largest probability (arXiv 2407.01082)
 *
 * Of the three, min-p comes first, then top-k, then top-p of what these two have left, as
 * in vLLM.  (Hugging Face has min-p last: the same, unless top-p is set as well.)
 */
#ifndef QUIRE_SAMPLING_H
#define QUIRE_SAMPLING_H

#include <quire/quire.h>

#define QUIRE_LOGPROBS_MAX 100

struct quire_sampling {
	double temperature;			    /* 0: greedy */
	uint32_t top_k;				    /* 0: all */
	double top_p;				    /* 1: all */
	double min_p;				    /* 0: all */
	double repetition_penalty;		    /* 1: none */
	double presence_penalty, frequency_penalty; /* 0: none */
	double length_penalty;			    /* of beams; 1: mean logprob */
	uint64_t seed;
	uint32_t logprobs;	  /* alternatives to report with each token; 0: none */
	const char *const *stops; /* [stops_count] strings that end the text, and are cut
				   * off it; borrowed */
	uint32_t stops_count;
	const uint32_t *stop_tokens; /* [stop_tokens_count] borrowed */
	uint32_t stop_tokens_count;
};

/* Greedy, no penalties, no stops. */
void quire_sampling_init(struct quire_sampling *sampling);
/* Does it make sense?  Return: 0; -EINVAL: the sentence names what and the range. */
int quire_sampling_check(const struct quire_sampling *sampling);

/* A number in [0, 1), the same for the same three; @position: of the token that is drawn,
 * in its sequence. */
double quire_sampling_uniform(uint64_t seed, uint32_t sample, uint32_t position);

#endif /* QUIRE_SAMPLING_H */
