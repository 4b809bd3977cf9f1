/*
 * streams.h - what is said: the tokens of every sequence, and how they are chosen.
 *
 * The core counts tokens and never looks at them; executors run them.  Between the
 * two, a stream keeps the tokens of a sequence: the prompt, which all samples of a
 * request share, and what was generated.  Executors read them with
 * quire_stream_token(), turn logits into results with quire_streams_sample(), and
 * pass on what the core accepts with quire_streams_append().  Preemption does not
 * touch a stream: it is what the tokens are computed from again.
 *
 *	a stream is known by (request->id, sample)
 *	tokens of a stream = seq->known_tokens
 *
 * Chosen tokens are a pure function of (logits, parameters, seed, sample, position):
 * nothing else in the batch can change them.  Uniform numbers come from a hash of
 * those, not from a state that advances.
 *
 * A token that ends a text is one of its tokens, but has no text.  A stop string is cut
 * off the text, with what its last token brought behind it.  Where texts end does not
 * depend on how they fell into tokens: at the stop string that is complete first, and of
 * several that are, the longest.  While the end of a text may be the beginning of a stop
 * string, it is held back.
 */
#ifndef QUIRE_STREAMS_H
#define QUIRE_STREAMS_H

#include "core/exec.h"
#include "core/model/sampling.h"

#include <stddef.h>

struct quire_tokenizer;

/* A request's own part; filled in before the run, unchanged during it. */
struct quire_stream_request {
	const uint32_t *prompt; /* [request->prompt_tokens] borrowed */
	struct quire_sampling sampling;
};

/* Another token that could have come, and how probable it was. */
struct quire_alternative {
	uint32_t token;
	float logprob; /* natural */
};

struct quire_stream {
	uint32_t sample;  /* which of its request's it is, from 0 */
	uint32_t seq;	  /* id of its sequence, as in events */
	uint32_t *tokens; /* [count] generated; owned */
	float *logprobs;  /* [count] of the model's own distribution, before temperature */
	struct quire_alternative *alternatives; /* [count * sampling.logprobs]; NULL: none wanted */
	uint32_t count, limit;
	char *text; /* [text_bytes] UTF-8, whole characters; owned; NULL: nothing yet */
	size_t text_bytes;
	bool ended;   /* by a token or a text that ends it; false: by a cap, or not yet */
	double score; /* of a beam: sum of logprobs / length^length_penalty */
};

struct quire_streams;

struct quire_streams_config {
	const struct quire_stream_request *requests; /* [requests_count] borrowed */
	uint32_t requests_count;
	uint32_t vocab;
	const uint32_t *ends; /* [ends_count] tokens that end a text; borrowed */
	uint32_t ends_count;
	const struct quire_tokenizer *tokenizer; /* NULL: no text, no stop strings */
	bool ignore_ends; /* lengths come from the workload (--ignore-eos of vLLM) */
	/* True lengths, where ends are ignored: a stream ends with that many; NULL: caps. */
	const uint32_t *output_tokens; /* [requests_count] borrowed */
	/* Called with each piece of text, whole characters, as it comes; NULL: nobody.  Not
	 * of beams, whose texts change. */
	void (*said)(void *arg, uint32_t request, uint32_t sample, const char *text, size_t bytes);
	void *said_arg;
};

int quire_streams_new(struct quire_streams **streams, const struct quire_streams_config *config);
void quire_streams_free(struct quire_streams *streams);

/* Token @index of @seq, from 0: of the prompt, then of what was generated. */
uint32_t quire_stream_token(const struct quire_streams *streams, const struct quire_seq *seq,
			    uint32_t index);

/* Before a step: did all append()s have memory?  Where one had none, a sequence knows a
 * token that its stream does not.  Return: 0; -ENOMEM. */
int quire_streams_check(const struct quire_streams *streams);

/*
 * Choose item->candidates tokens from @logits [vocab], which are overwritten: one; or
 * one for each sample, with that sample's own numbers; or, of a beam, the best in
 * order.  results[k].end is set where a token ends the text.  Different sequences may
 * be sampled by different threads at one time.
 * Return: 0; -EIO a logit is NaN or +infinity, or all are -infinity: quire_failure() says
 * of whom; -EINVAL a token of the prompt is none; -ENOMEM.
 */
int quire_streams_sample(struct quire_streams *streams, const struct quire_item *item,
			 float *logits, struct quire_result *results);

/*
 * For executors that choose where the logits are.  How @item's token is chosen, if logits,
 * temperature, top-k, top-p, min-p and a number, *@uniform, are all that matters;
 * quire_streams_chosen() then takes what was chosen.
 * Return: NULL: more matters, and quire_streams_sample() must be used.
 */
const struct quire_sampling *quire_streams_plain(const struct quire_streams *streams,
						 const struct quire_item *item, double *uniform);
/* Return: 0; -ENOMEM. */
int quire_streams_chosen(struct quire_streams *streams, const struct quire_item *item,
			 uint32_t token, float logprob, struct quire_result *result);

/*
 * exec_ops.append for every executor: @seq knows @result's token now.  @parent: its
 * stream starts as a copy of that one's, but for the token (a fork).  Takes memory.
 * Return: does the text end here, by a stop string?
 */
bool quire_streams_append(struct quire_streams *streams, const struct quire_seq *seq,
			  const struct quire_seq *parent, const struct quire_result *result);

/*
 * The run is over, or was stopped: of texts that were cut short, what was held back is
 * said.  Return: 0; -ENOMEM: an append() had no memory, and something is missing.
 */
int quire_streams_end(struct quire_streams *streams);

/* What became of a request.  NULL: it has no such sample.  Valid until more is appended. */
const struct quire_stream *quire_stream(const struct quire_streams *streams, uint32_t request,
					uint32_t sample);
/* One more than the largest sample of a request; some below may be missing. */
uint32_t quire_streams_samples(const struct quire_streams *streams, uint32_t request);

#endif /* QUIRE_STREAMS_H */
