/*
 * streams_sample.c - which tokens follow, from logits.
 */
#include "streams_state.h"

#include <errno.h>

bool token_ends(const struct quire_streams *streams, uint64_t request, uint32_t token)
{
	const struct quire_streams_config *c = &streams->config;
	const struct quire_sampling *s = &c->requests[request].sampling;

	for (uint32_t i = 0; i < s->stop_tokens_count; i++)
		if (s->stop_tokens[i] == token)
			return true;
	for (uint32_t i = 0; i < c->ends_count && !c->ignore_ends; i++)
		if (c->ends[i] == token)
			return true;
	return false;
}

/* Is the next token of @seq the last, whatever it is? */
static bool next_is_last(const struct quire_streams *streams, const struct quire_seq *seq)
{
	const struct quire_streams_config *c = &streams->config;

	return c->ignore_ends && c->output_tokens &&
	       seq->known_tokens + 1 - seq->request->prompt_tokens >=
		       c->output_tokens[seq->request->id];
}

/* What the model gave @token, before penalties. */
static double logit_of(const struct stream *stream, const float *logits, uint32_t token)
{
	size_t low = 0, high = stream->tally_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (stream->tally[middle].token == token)
			return (double)stream->tally[middle].logit;
		if (stream->tally[middle].token < token)
			low = middle + 1;
		else
			high = middle;
	}
	return (double)logits[token];
}

/* One token for each candidate: of a request's samples, or of one that goes on alone. */
static int draw(const struct quire_streams *streams, const struct quire_item *item,
		const struct quire_sampling *s, const float *logits, struct quire_result *results)
{
	const struct quire_seq *seq = item->seq;
	int rc = 0;

	for (uint32_t k = 0; rc == 0 && k < item->candidates; k++) {
		if (!(s->temperature > 0)) {
			results[k].token = k ? results->token
					     : quire_logits_largest(logits, streams->config.vocab);
			continue;
		}
		rc = quire_logits_draw(
			logits, streams->config.vocab, s,
			quire_sampling_uniform(s->seed, seq->sample + k, seq->known_tokens),
			&results[k].token);
	}
	return rc;
}

int quire_streams_sample(struct quire_streams *streams, const struct quire_item *item,
			 float *logits, struct quire_result *results)
{
	const struct quire_seq *seq = item->seq;
	const struct quire_sampling *s = &streams->config.requests[seq->request->id].sampling;
	const uint32_t vocab = streams->config.vocab;
	struct stream *stream;
	double log_sum;
	int rc = stream_of(streams, seq, &stream);

	if (rc)
		return rc;
	rc = quire_logits_sum(logits, vocab, &log_sum);
	if (rc == 0) {
		quire_logits_best(logits, vocab, stream->best, s->logprobs);
		for (uint32_t i = 0; i < s->logprobs; i++)
			stream->next[i] = (struct quire_alternative){
				stream->best[i],
				(float)((double)logits[stream->best[i]] - log_sum)};
		quire_logits_penalize(logits, s, stream->tally, stream->tally_count);
		if (seq->request->beams > 1) {
			quire_logits_best(logits, vocab, stream->best, item->candidates);
			for (uint32_t k = 0; k < item->candidates; k++)
				results[k].token = stream->best[k];
		} else {
			rc = draw(streams, item, s, logits, results);
		}
	}
	if (rc)
		return quire_fail(rc, "request %llu, sample %u, position %u: %s",
				  (unsigned long long)seq->request->id, seq->sample,
				  seq->known_tokens, quire_failure());
	for (uint32_t k = 0; k < item->candidates; k++) {
		struct quire_result *r = &results[k];

		r->logprob = (float)(logit_of(stream, logits, r->token) - log_sum);
		r->end = token_ends(streams, seq->request->id, r->token) ||
			 next_is_last(streams, seq);
	}
	return 0;
}

const struct quire_sampling *quire_streams_plain(const struct quire_streams *streams,
						 const struct quire_item *item, double *uniform)
{
	const struct quire_seq *seq = item->seq;
	const struct quire_sampling *s = &streams->config.requests[seq->request->id].sampling;

	if (item->candidates != 1 || seq->request->beams > 1 || s->logprobs ||
	    quire_sampling_penalizes(s))
		return NULL;
	*uniform = quire_sampling_uniform(s->seed, seq->sample, seq->known_tokens);
	return s;
}

int quire_streams_chosen(struct quire_streams *streams, const struct quire_item *item,
			 uint32_t token, float logprob, struct quire_result *result)
{
	const struct quire_seq *seq = item->seq;
	struct stream *stream;
	int rc = stream_of(streams, seq, &stream);

	if (rc)
		return rc;
	*result = (struct quire_result){
		.token = token,
		.logprob = logprob,
		.end = token_ends(streams, seq->request->id, token) || next_is_last(streams, seq),
	};
	return 0;
}
