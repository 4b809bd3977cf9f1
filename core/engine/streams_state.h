/*
 * streams_state.h - what the streams*.c share; nobody else includes it.
 */
#ifndef QUIRE_STREAMS_STATE_H
#define QUIRE_STREAMS_STATE_H

#include "core/model/logits.h"
#include "core/model/tokenizer.h"
#include "streams.h"

struct stream {
	struct quire_stream shown; /* first: a stream of ours and of others are one pointer */
	uint32_t request;
	bool silent;		/* said() is not called */
	bool over;		/* no token will come */
	struct quire_text text; /* all of it; of that, shown.text_bytes are certain */
	struct quire_detokenizer detokenizer;
	double logprobs_sum;
	struct quire_tally *tally; /* [tally_count] by token, prompt included; of penalties */
	size_t tally_count, tally_limit;
	struct quire_alternative *next; /* [logprobs] of the position that was sampled last */
	uint32_t *best;			/* [max(logprobs, 2 beams)] scratch of sampling */
};

struct samples {
	struct stream **at; /* [limit] NULL: there is none */
	uint32_t limit;
};

struct quire_streams {
	struct quire_streams_config config;
	struct samples *samples; /* [requests_count] */
	bool short_of_memory;	 /* in an append, which cannot say so */
};

/*
 * streams.c: the stream of @seq.  One that has none gets it, with nothing said yet.
 * Different requests at one time.  Return: 0; -ENOMEM; -EINVAL a bad prompt.
 */
int stream_of(struct quire_streams *streams, const struct quire_seq *seq, struct stream **out);

/* streams_sample.c: does @token end a text of @request? */
bool token_ends(const struct quire_streams *streams, uint64_t request, uint32_t token);

/*
 * streams_text.c: the text goes on with that of @token; it is over, and nothing is held
 * back any more.  Say what is certain.  Return: 0; 1 a stop string ended it; -ENOMEM.
 */
int text_next(struct quire_streams *streams, struct stream *stream, uint32_t token);
int text_end(struct quire_streams *streams, struct stream *stream);

#endif /* QUIRE_STREAMS_STATE_H */
