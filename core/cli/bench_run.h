/*
 * bench_run.h - the real executor behind "quire bench": what runs of quire_sim_run()
 * use instead of the cost model.
 *
 * Prompts are random tokens, a pure function of the seed, as many as the workload says;
 * answers are as long as the workload says, whatever the model would say (--ignore-eos).
 * Runs come one after the other, in this process, on an engine of their own.
 */
#ifndef QUIRE_BENCH_RUN_H
#define QUIRE_BENCH_RUN_H

#include "core/trace/report.h"
#include "core/trace/workload.h"
#include "engine_args.h"

struct quire_bench {
	struct quire_engine_args args;
	struct quire_loaded loaded; /* the model, of all runs */
	/* of one run */
	struct quire_streams *streams;
	struct quire_stream_request *requests; /* [workload.count] */
	uint32_t *prompts;		       /* of all requests, one behind the other */
	struct quire_engine_stats stats;       /* of the last run */
};

/* Say on stderr what is better known before @workload is served than behind it: that its
 * requests arrive for minutes, or cannot be served. */
void quire_bench_foretell(const struct quire_bench *bench, const struct quire_workload *workload,
			  uint32_t model_len);

/* Slots of a pool for @workload, as the flags say.  Return: 0; -errno. */
int quire_bench_slots(const struct quire_bench *bench, const struct quire_workload *workload,
		      const struct quire_settings *settings, uint32_t *slots);

/* Make an engine for a run of @config, complete that, and run a few tokens, so that the
 * weights are in memory.  Return: 0; -errno, and there is nothing to end. */
int quire_bench_begin(struct quire_bench *bench, const struct quire_workload *workload,
		      struct quire_loop_config *config, uint64_t seed);
/* The loop is made, time starts now. */
void quire_bench_go(struct quire_bench *bench);
void quire_bench_end(struct quire_bench *bench);

/* What the engine did, in a line or two on @out. */
void quire_bench_tell(const struct quire_bench *bench, FILE *out);

/* SIGINT and SIGTERM end a run after its step, and no other one begins; a second one
 * ends the program. */
void quire_bench_catch(void);
bool quire_bench_stopped(void);
const volatile sig_atomic_t *quire_bench_stop(void); /* for the loop */

#endif /* QUIRE_BENCH_RUN_H */
