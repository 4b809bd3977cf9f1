/*
 * loop.h - the one loop that the simulator and the real engine both run.
 *
 * It makes sequences of requests, hands them to the scheduler, runs the plans,
 * commits the results, folds the metrics, and survives its modules: what they
 * break is found, told in one sentence, and ends the run, not the process.
 */
#ifndef QUIRE_LOOP_H
#define QUIRE_LOOP_H

#include "event.h"
#include "exec.h"
#include "trace/metrics.h"

#include <signal.h>
#include <stdio.h>

#define QUIRE_SEQS_MAX 65535 /* sequences that share a slot are counted in 16 bits */

struct quire_loop_config {
	const char *scheduler; /* "static,batch=8", or "./mine.so,window=4" */
	const char *allocator;
	uint32_t slots_total;	  /* the pool (--kv-slots) */
	uint32_t seqs_max;	  /* --max-num-seqs, <= QUIRE_SEQS_MAX */
	uint32_t seq_tokens_max;  /* --max-model-len */
	uint32_t step_tokens_max; /* --max-num-batched-tokens; 0: the scheduler's choice */
	bool audit;		  /* check everything after every step; slow */

	struct quire_request *requests; /* [requests_count] by arrival; the loop writes
					 * arrival_ns only in a closed loop */
	const uint32_t *output_tokens;	/* [requests_count] true lengths; NULL: unknown */
	uint32_t requests_count;
	uint32_t closed_users; /* > 0: at most this many requests at one time */

	uint64_t window_from_ns, window_until_ns; /* of the metrics; see metrics.h */
	struct quire_exec exec;
	double length_penalty;	 /* of beams: a text's score is sum(logprobs) / tokens^it */
	struct quire_sink *sink; /* NULL: nobody listens */
	const volatile sig_atomic_t *stop; /* not 0: end after this step; NULL: never */
	/* Called about ten times a second of real time; NULL: never. */
	void (*progress)(void *arg, uint64_t now_ns, uint32_t finished, uint32_t count);
	void *progress_arg;
};

struct quire_loop;

/*
 * Load the modules, parse their options, make the tables: all memory the run
 * will need.  Return: a loop, to be freed with quire_loop_free(); or NULL, with
 * a sentence in quire_failure(), and errno is ENOMEM if memory was short and EINVAL
 * if @config is at fault.  @config is copied; what it points to is borrowed until
 * quire_loop_free().
 */
struct quire_loop *quire_loop_new(const struct quire_loop_config *config);

/*
 * Run until every request is finished or refused.  Return: 0; -ECANCELED a
 * module was ejected; -EIO the executor failed; -EINTR it was stopped; see
 * quire_failure().  The metrics are sound up to that point in any case.
 */
int quire_loop_run(struct quire_loop *loop);

/* What happened; valid until quire_loop_free(). */
const struct quire_metrics *quire_loop_metrics(const struct quire_loop *loop);
/* The step budget in force, which the scheduler may have chosen. */
uint32_t quire_loop_step_tokens_max(const struct quire_loop *loop);

/* Say on @out what the core and the modules hold; after an ejection. */
void quire_loop_dump(const struct quire_loop *loop, FILE *out);

void quire_loop_free(struct quire_loop *loop);

#endif /* QUIRE_LOOP_H */
