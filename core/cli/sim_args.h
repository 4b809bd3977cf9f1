/*
 * sim_args.h - the command line of "quire sim".
 */
#ifndef QUIRE_SIM_ARGS_H
#define QUIRE_SIM_ARGS_H

#include "core/cli/isolate.h"
#include "core/cli/workload_args.h"
#include "core/model/model.h"

#define QUIRE_REPEATS_MAX 64 /* of one flag */

struct quire_names {
	const char *at[QUIRE_REPEATS_MAX]; /* [count] borrowed */
	uint32_t count;
};

struct quire_sim_args {
	struct quire_workload_args workload;
	struct quire_names models, gpus, schedulers, allocators; /* as on the command line */
	uint32_t tps[QUIRE_REPEATS_MAX];
	uint32_t tps_count;

	uint32_t max_num_seqs;
	uint32_t max_num_batched_tokens; /* 0: the scheduler's choice */
	uint32_t max_model_len;		 /* 0: the model's */
	uint32_t kv_slots;		 /* 0: what fits */
	double gpu_memory_utilization;
	const struct quire_dtype *weight_dtype, *kv_dtype;

	bool windowed;
	double window_from_s, window_until_s; /* INFINITY: to the end */
	double slo_ttft_s, slo_tpot_s;	      /* 0: not given */

	const char *json, *csv;	       /* NULL: not asked for */
	const char *record, *perfetto; /* likewise */
	const char *report, *plot;     /* likewise; plot is a folder */
	bool audit;
	bool intervals;
	const char *time_model; /* NULL: the formula */
	bool isolate;
	struct quire_isolation isolation;
	uint32_t jobs; /* 0: in this process */
};

/*
 * The flags, one by one: start with init, take each @value (NULL where the flag has
 * none), then complete what was left out and see whether it goes together.  Values
 * are borrowed.  Return: 0; -EINVAL with a sentence in quire_failure().
 */
extern const struct option quire_sim_options[]; /* workload first; ends with an empty one */
void quire_sim_args_init(struct quire_sim_args *args);
int quire_sim_arg(struct quire_sim_args *args, const char *flag, const char *value);
int quire_sim_args_complete(struct quire_sim_args *args);

/*
 * All of them, of a command line.  Return: 0; 1 help was printed; -EINVAL bad
 * usage, said on stderr.  @args is big: let it be static.
 */
int quire_sim_args_read(struct quire_sim_args *args, int argc, char **argv);

#endif /* QUIRE_SIM_ARGS_H */
