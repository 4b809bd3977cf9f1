/*
 * streams.c - see streams.h: the tokens of every sequence, kept.
 */
#include "streams_state.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int quire_streams_new(struct quire_streams **out, const struct quire_streams_config *config)
{
	struct quire_streams *streams = calloc(1, sizeof(*streams));

	*out = NULL;
	if (streams)
		streams->samples =
			calloc((size_t)config->requests_count + 1, sizeof(*streams->samples));
	if (!streams || !streams->samples) {
		free(streams);
		return quire_fail(-ENOMEM, "out of memory for the texts of %u requests",
				  config->requests_count);
	}
	streams->config = *config;
	*out = streams;
	return 0;
}

static void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	free(stream->shown.tokens);
	free(stream->shown.logprobs);
	free(stream->shown.alternatives);
	quire_text_free(&stream->text);
	free(stream->tally);
	free(stream->next);
	free(stream->best);
	free(stream);
}

void quire_streams_free(struct quire_streams *streams)
{
	if (!streams)
		return;
	for (uint32_t i = 0; i < streams->config.requests_count; i++) {
		for (uint32_t k = 0; k < streams->samples[i].limit; k++)
			stream_free(streams->samples[i].at[k]);
		free(streams->samples[i].at);
	}
	free(streams->samples);
	free(streams);
}

static struct stream *find(const struct quire_streams *streams, uint64_t request, uint32_t sample)
{
	const struct samples *samples = &streams->samples[request];

	return sample < samples->limit ? samples->at[sample] : NULL;
}

const struct quire_stream *quire_stream(const struct quire_streams *streams, uint32_t request,
					uint32_t sample)
{
	const struct stream *stream = find(streams, request, sample);

	return stream ? &stream->shown : NULL;
}

uint32_t quire_streams_samples(const struct quire_streams *streams, uint32_t request)
{
	uint32_t count = streams->samples[request].limit;

	while (count && !streams->samples[request].at[count - 1])
		count--;
	return count;
}

uint32_t quire_stream_token(const struct quire_streams *streams, const struct quire_seq *seq,
			    uint32_t index)
{
	const struct quire_request *request = seq->request;
	const struct stream *stream;

	if (index < request->prompt_tokens)
		return streams->config.requests[request->id].prompt[index];
	stream = find(streams, request->id, seq->sample);
	assert(stream && index - request->prompt_tokens < stream->shown.count);
	return stream->shown.tokens[index - request->prompt_tokens];
}

int quire_streams_check(const struct quire_streams *streams)
{
	return streams->short_of_memory ? quire_fail(-ENOMEM, "out of memory for the texts") : 0;
}

/* Room for @count of @size bytes in *@at, which has room for *@limit.  Return: 0; -ENOMEM. */
static int make_room(void *at, size_t *limit, size_t count, size_t size)
{
	size_t larger = *limit ? *limit : 16;
	void *moved, *old;

	if (count <= *limit)
		return 0;
	while (larger < count)
		larger *= 2;
	memcpy(&old, at, sizeof(old));
	moved = realloc(old, larger * size);
	if (!moved)
		return -ENOMEM;
	memcpy(at, &moved, sizeof(moved));
	*limit = larger;
	return 0;
}

/* @token was generated @times more. */
static int tally_add(struct stream *stream, uint32_t token, uint32_t times)
{
	size_t low = 0, high = stream->tally_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (stream->tally[middle].token < token)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == stream->tally_count || stream->tally[low].token != token) {
		if (make_room(&stream->tally, &stream->tally_limit, stream->tally_count + 1,
			      sizeof(*stream->tally)))
			return -ENOMEM;
		memmove(&stream->tally[low + 1], &stream->tally[low],
			(stream->tally_count - low) * sizeof(*stream->tally));
		stream->tally_count++;
		stream->tally[low] = (struct quire_tally){.token = token};
	}
	stream->tally[low].count += times;
	return 0;
}

/* What the prompt means to what follows it: penalties, and a space before a first word. */
static int read_prompt(const struct quire_streams *streams, const struct quire_request *request,
		       struct stream *stream)
{
	const struct quire_stream_request *r = &streams->config.requests[request->id];
	struct quire_text unused = {.text = NULL};
	int rc = 0;

	if (streams->config.tokenizer)
		quire_detokenizer_begin(&stream->detokenizer, streams->config.tokenizer, true);
	for (uint32_t i = 0; rc == 0 && i < request->prompt_tokens; i++) {
		if (r->prompt[i] >= streams->config.vocab)
			rc = quire_fail(-EINVAL,
					"token %u of the prompt of request %llu is %u; the "
					"model has %u",
					i, (unsigned long long)request->id, r->prompt[i],
					streams->config.vocab);
		if (rc == 0 && quire_sampling_penalizes(&r->sampling))
			rc = tally_add(stream, r->prompt[i], 0);
		unused.bytes = 0;
		if (rc == 0 && streams->config.tokenizer)
			rc = quire_detokenizer_next(&stream->detokenizer, r->prompt[i], &unused);
	}
	quire_text_free(&unused);
	if (rc == -ENOMEM)
		quire_fail(rc, "out of memory for the prompt of request %llu",
			   (unsigned long long)request->id);
	return rc;
}

/* A stream without a text.  NULL: no memory. */
static struct stream *stream_new(struct quire_streams *streams, const struct quire_seq *seq)
{
	const struct quire_request *request = seq->request;
	const uint32_t logprobs = streams->config.requests[request->id].sampling.logprobs;
	const uint32_t beams = request->beams > 1 ? request->beams : 0;
	struct samples *samples = &streams->samples[request->id];
	struct stream *stream = calloc(1, sizeof(*stream));
	size_t limit = samples->limit;

	if (!stream)
		return NULL;
	stream->request = (uint32_t)request->id;
	stream->shown.sample = seq->sample;
	stream->silent = beams > 0;
	stream->next = calloc(logprobs + 1u, sizeof(*stream->next));
	stream->best =
		calloc((logprobs > 2 * beams ? logprobs : 2 * beams) + 1u, sizeof(*stream->best));
	if (!stream->next || !stream->best ||
	    make_room(&samples->at, &limit, seq->sample + 1u, sizeof(struct stream *))) {
		stream_free(stream);
		return NULL;
	}
	for (; samples->limit < limit; samples->limit++)
		samples->at[samples->limit] = NULL;
	samples->at[seq->sample] = stream;
	return stream;
}

int stream_of(struct quire_streams *streams, const struct quire_seq *seq, struct stream **out)
{
	struct stream *stream = find(streams, seq->request->id, seq->sample);
	int rc = 0;

	*out = stream;
	if (stream)
		return 0;
	stream = stream_new(streams, seq);
	if (!stream)
		return quire_fail(-ENOMEM, "out of memory for the text of request %llu",
				  (unsigned long long)seq->request->id);
	rc = read_prompt(streams, seq->request, stream);
	if (rc) {
		streams->samples[seq->request->id].at[seq->sample] = NULL;
		stream_free(stream);
		return rc;
	}
	*out = stream;
	return 0;
}

/* Room for one token more, and what is told of it. */
static int tokens_room(const struct quire_streams *streams, struct stream *stream, uint32_t count)
{
	const uint32_t logprobs = streams->config.requests[stream->request].sampling.logprobs;
	struct quire_stream *s = &stream->shown;
	size_t limit = s->limit, same = s->limit, also = s->limit;

	if (make_room(&s->tokens, &limit, count, sizeof(*s->tokens)) ||
	    make_room(&s->logprobs, &same, count, sizeof(*s->logprobs)))
		return -ENOMEM;
	if (logprobs &&
	    make_room(&s->alternatives, &also, count, logprobs * sizeof(*s->alternatives)))
		return -ENOMEM;
	s->limit = (uint32_t)limit;
	return 0;
}

/* @stream becomes what @parent is. */
static int copy(const struct quire_streams *streams, struct stream *stream,
		const struct stream *parent)
{
	const uint32_t logprobs = streams->config.requests[stream->request].sampling.logprobs;
	struct quire_stream *s = &stream->shown;
	const struct quire_stream *p = &parent->shown;

	if (tokens_room(streams, stream, p->count + 1) ||
	    make_room(&stream->tally, &stream->tally_limit, parent->tally_count + 1,
		      sizeof(*stream->tally)) ||
	    make_room(&stream->text.text, &stream->text.room, parent->text.bytes + 1, 1))
		return -ENOMEM;
	if (p->count) {
		memcpy(s->tokens, p->tokens, p->count * sizeof(*s->tokens));
		memcpy(s->logprobs, p->logprobs, p->count * sizeof(*s->logprobs));
	}
	if (p->count && logprobs)
		memcpy(s->alternatives, p->alternatives,
		       (size_t)p->count * logprobs * sizeof(*s->alternatives));
	if (parent->tally_count)
		memcpy(stream->tally, parent->tally, parent->tally_count * sizeof(*stream->tally));
	if (parent->text.bytes)
		memcpy(stream->text.text, parent->text.text, parent->text.bytes);
	s->count = p->count;
	s->text = p->text ? stream->text.text : NULL;
	s->text_bytes = p->text_bytes;
	s->ended = p->ended;
	stream->over = parent->over;
	stream->tally_count = parent->tally_count;
	stream->text.bytes = parent->text.bytes;
	stream->detokenizer = parent->detokenizer;
	stream->logprobs_sum = parent->logprobs_sum;
	return 0;
}

/* Return: 0; 1 a stop string ends the text; -ENOMEM. */
static int append(struct quire_streams *streams, const struct quire_seq *seq,
		  const struct stream *parent, struct stream *stream,
		  const struct quire_result *result)
{
	const struct quire_sampling *sampling =
		&streams->config.requests[seq->request->id].sampling;
	struct quire_stream *s = &stream->shown;
	int rc = 0;

	if (parent != stream && copy(streams, stream, parent))
		return -ENOMEM;
	if (tokens_room(streams, stream, s->count + 1) ||
	    (quire_sampling_penalizes(sampling) && tally_add(stream, result->token, 1)))
		return -ENOMEM;
	s->seq = seq->id;
	s->tokens[s->count] = result->token;
	s->logprobs[s->count] = result->logprob;
	if (sampling->logprobs)
		memcpy(&s->alternatives[(size_t)s->count * sampling->logprobs], parent->next,
		       sampling->logprobs * sizeof(*s->alternatives));
	s->count++;
	stream->logprobs_sum += (double)result->logprob;
	s->score = stream->logprobs_sum / pow(s->count, sampling->length_penalty);

	if (token_ends(streams, seq->request->id, result->token))
		s->ended = true;
	else
		rc = text_next(streams, stream, result->token);
	if (rc == 0 && (result->end || s->count >= seq->request->output_tokens_max))
		rc = text_end(streams, stream);
	if (rc > 0)
		s->ended = stream->over = true;
	return rc;
}

bool quire_streams_append(struct quire_streams *streams, const struct quire_seq *seq,
			  const struct quire_seq *parent, const struct quire_result *result)
{
	struct stream *from, *stream;
	int rc = stream_of(streams, parent ? parent : seq, &from);

	stream = rc == 0 && parent ? find(streams, seq->request->id, seq->sample) : from;
	if (rc == 0 && !stream)
		stream = stream_new(streams, seq);
	if (rc == 0)
		rc = stream ? append(streams, seq, from, stream, result) : -ENOMEM;
	if (rc < 0)
		streams->short_of_memory = true;
	if (rc < 0 && stream)
		stream->over = true; /* it may be half a copy */
	return rc != 0;
}

int quire_streams_end(struct quire_streams *streams)
{
	for (uint32_t i = 0; i < streams->config.requests_count; i++) {
		for (uint32_t k = 0; k < streams->samples[i].limit; k++) {
			struct stream *stream = streams->samples[i].at[k];

			if (!stream || stream->over)
				continue;
			if (text_end(streams, stream) < 0)
				streams->short_of_memory = true;
		}
	}
	return quire_streams_check(streams);
}
