/*
 * exec.h - what an executor is: the thing that runs plans, and owns time.
 *
 * sim predicts how long a step takes and moves a virtual clock; cpu and cuda
 * run the model and read the real one.  Everything else is the same code.
 */
#ifndef QUIRE_EXEC_H
#define QUIRE_EXEC_H

#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

struct quire_exec;

/* One sampled token. */
struct quire_result {
	uint32_t token;
	float logprob;
	bool end; /* the sequence ends with it */
};

struct quire_exec_ops {
	const char *name;
	const char *summary;

	/* Nanoseconds since the start of the run; never goes back. */
	uint64_t (*now_ns)(struct quire_exec *ex);
	/* Nothing to run: let time pass until @until_ns. */
	void (*idle)(struct quire_exec *ex, uint64_t until_ns);
	/*
	 * Do plan->copies, in order; run every item; then sample: item i's k-th
	 * candidate goes to results[items[i].result + k].  Blocks until done.
	 * Return: 0; -EIO the device failed, the run is over.
	 */
	int (*step)(struct quire_exec *ex, const struct quire_plan *plan,
		    struct quire_result *results);
	/*
	 * Optional.  The core takes @result's token for @seq's next one.  @parent: @seq
	 * is born with it, from all that @parent knew before this step (a fork).  Parents
	 * come behind their forks.  Return: does @seq end with it for a reason that
	 * step() could not see, as a text to stop at?
	 */
	bool (*append)(struct quire_exec *ex, const struct quire_seq *seq,
		       const struct quire_seq *parent, const struct quire_result *result);
	/*
	 * Optional.  No map shows these slots any more; a copy of the next plan may still
	 * read them.  For those who poison what is free.
	 */
	void (*forget)(struct quire_exec *ex, uint32_t first, uint32_t slots);
};

struct quire_exec {
	const struct quire_exec_ops *ops;
	void *priv;
};

#ifdef __cplusplus
}
#endif
#endif /* QUIRE_EXEC_H */
