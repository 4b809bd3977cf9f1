/*
 * run_parts.h - what the files of "quire run" share: one run, from its command line to
 * its report.
 */
#ifndef QUIRE_RUN_PARTS_H
#define QUIRE_RUN_PARTS_H

#include "core/trace/record_write.h"
#include "core/trace/report.h"
#include "core/trace/tee.h"
#include "run_args.h"
#include "run_show.h"

/* A prompt, read. */
struct quire_run_prompt {
	char *text; /* [bytes] owned; NULL: none is needed any more */
	size_t bytes;
	uint32_t *tokens; /* [count] owned */
	uint32_t count;
};

/* What sharing saved: most slots that maps showed, and that they would be alone. */
struct quire_run_sharing {
	struct quire_sink sink;
	uint64_t mapped, alone; /* in the step in which alone was largest */
};

struct quire_run {
	struct quire_run_args args;
	struct quire_loaded loaded;
	struct quire_run_prompt prompts[QUIRE_RUN_PROMPTS_MAX]; /* [args.prompts_count] */
	struct quire_request *requests;				/* likewise; owned */
	struct quire_stream_request *said;			/* likewise; owned */
	uint32_t context;   /* tokens that a sequence may have */
	char sampling[256]; /* how tokens are chosen, in words */
	struct quire_streams *streams;
	struct quire_loop_config config;
	struct quire_loop *loop;
	struct quire_tee tee;
	struct quire_run_sharing sharing;
	struct quire_recorder *recorder; /* NULL: nobody asked */
	uint32_t *recorded;		 /* [outputs] tokens whose text is recorded; owned */
	struct quire_show show;
	struct quire_report report;
};

/*
 * run_prompts.c: read all prompts, and make tokens of them; the text is kept for the
 * JSON.  Return: 0; -EINVAL the user's fault; -errno; with a sentence.
 */
int quire_run_read_prompts(struct quire_run *run);

/* A token as the tokenizer's file writes it; "" if there is none. */
const char *quire_run_piece(const struct quire_run *run, uint32_t token);

/* run_sampling.c: complete args.sampling with what the model's makers say.
 * Return: 0; -EINVAL with a sentence. */
int quire_run_complete_sampling(struct quire_run *run);

/*
 * run_record.c: who listens.  Open what is asked for, before the loop is made; begin,
 * before it runs; close, with the report.  quire_run_said() is that of the streams.
 */
int quire_run_listen(struct quire_run *run);
void quire_run_record_begin(struct quire_run *run);
int quire_run_record_close(struct quire_run *run);
void quire_run_said(void *arg, uint32_t request, uint32_t sample, const char *text, size_t bytes);

/* run_outputs.c: name the samples that will be shown; find out, at the end, what is. */
void quire_run_name_samples(struct quire_run *run);
int quire_run_find_outputs(struct quire_run *run);
/* "stop", "length"; NULL: it did not end. */
const char *quire_run_finish_reason(const struct quire_run *run, uint32_t request,
				    const struct quire_stream *stream);

/* run_report.c: lines on stderr, before and behind the text. */
void quire_run_tell_begin(const struct quire_run *run);
void quire_run_tell_end(const struct quire_run *run);
/* Each token with its logprob and the alternatives. */
void quire_run_tell_logprobs(const struct quire_run *run);

/* run_json.c: the file of --json.  Return: the exit status. */
int quire_run_write_json(const struct quire_run *run);

#endif /* QUIRE_RUN_PARTS_H */
