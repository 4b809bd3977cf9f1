/*
 * run_args.h - the command line of "quire run".
 */
#ifndef QUIRE_RUN_ARGS_H
#define QUIRE_RUN_ARGS_H

#include "core/model/sampling.h"
#include "engine_args.h"

#define QUIRE_RUN_PROMPTS_MAX 4096
#define QUIRE_RUN_STOPS_MAX   64
#define QUIRE_RUN_SAMPLES_MAX 256 /* of one prompt; and beams */

struct quire_run_source {
	const char *text; /* borrowed: the prompt, or the name of its file */
	bool file;
};

struct quire_run_args {
	struct quire_engine_args engine;
	struct quire_run_source prompts[QUIRE_RUN_PROMPTS_MAX]; /* [prompts_count] in order */
	uint32_t prompts_count;
	bool chat;
	const char *system; /* of a chat; NULL: none; borrowed */
	bool special_tokens;

	struct quire_sampling sampling; /* stops point into this */
	bool temperature_given, top_k_given, top_p_given, repetition_given;
	const char *sampled; /* the first flag given that beams would ignore; NULL: none */
	const char *stops[QUIRE_RUN_STOPS_MAX];
	uint32_t stop_tokens[QUIRE_RUN_STOPS_MAX];
	bool ignore_eos;
	uint32_t samples, beams; /* 1: one text */
	uint32_t max_tokens;	 /* 0: not given */

	const char *scheduler, *allocator;
	uint32_t max_num_seqs;
	uint32_t max_num_batched_tokens; /* 0: the scheduler's choice */
	uint32_t max_model_len;		 /* 0: the model's */

	const char *json, *record; /* NULL: not asked for */
	bool no_stream, audit;
};

/*
 * Take the command line.  Return: 0; 1 help was printed; -EINVAL bad usage, said on
 * stderr.  @args is big: let it be static.
 */
int quire_run_args_read(struct quire_run_args *args, int argc, char **argv);

#endif /* QUIRE_RUN_ARGS_H */
