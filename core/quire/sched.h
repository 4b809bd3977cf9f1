/*
 * sched.h - what a scheduler is.
 *
 * A scheduler decides who runs and for how many tokens.  It never touches the
 * cache and never sees a true output length: it asks the plan, and the plan
 * says no when it must.  A call that breaks a rule gets an error and changes
 * nothing, so a scheduler cannot corrupt the engine; one that stalls it is
 * ejected, with the reason.
 *
 * Good order when memory is short (advice, not law): running sequences first,
 * victims from the newest end, no admission in a step that preempted.
 */
#ifndef QUIRE_SCHED_H
#define QUIRE_SCHED_H

#include <quire/quire.h>

#ifdef __cplusplus
extern "C" {
#endif

struct quire_plan; /* opaque here; plan.h has the fields, for executors */
struct quire_sched;

struct quire_sched_ops {
	const char *name;		    /* "continuous": [a-z0-9_-], how users pick it */
	const char *summary;		    /* half a line for "quire list" */
	const struct quire_option *options; /* NULL: it has none */
	size_t priv_size;		    /* of s->priv, zeroed */
	size_t seq_size;		    /* of seq->sched, zeroed */

	/* Optional.  The options are read.  May set step_tokens_max. */
	int (*init)(struct quire_sched *s);
	/* Optional.  Also called when an init() failed: priv may be as zeroed. */
	void (*exit)(struct quire_sched *s);

	/* Required.  seq is ours until finish().  A new one is waiting.  A forked
	 * one is running if it shares its parent's slots, and waiting otherwise. */
	void (*enqueue)(struct quire_sched *s, struct quire_seq *seq);
	/* Required.  Fill the plan of one step; an empty plan means: idle. */
	void (*schedule)(struct quire_sched *s, struct quire_plan *plan);
	/*
	 * Required.  seq is done, or was given up; it may be in any state and in
	 * any queue.  Return false: it is forgotten, and freed on return.  Return
	 * true: keep it and its slots until quire_plan_drop(); a kept sequence may
	 * be planned with 1 token, as padding.  One that holds no slots cannot be
	 * kept: what is returned does not count then, and it is taken from its queue.  A sequence
	 * that is let go, here or in quire_plan_drop(), must stand in no queue any more.
	 */
	bool (*finish)(struct quire_sched *s, struct quire_seq *seq);

	/* Optional.  Say what you are waiting for, to stderr; after an ejection. */
	void (*dump)(const struct quire_sched *s);
};

struct quire_sched {
	const struct quire_sched_ops *ops;
	void *priv;
	uint32_t seqs_max;	  /* sequences that may hold slots (--max-num-seqs) */
	uint32_t seq_tokens_max;  /* tokens of one sequence (--max-model-len) */
	uint32_t step_tokens_max; /* budget of a step (--max-num-batched-tokens); in
				   * init() 0 where the user set none, and ours to set;
				   * left at 0, it is max(2048, seq_tokens_max) */
};

/*
 * The calls below change a plan, and are good only while schedule() runs.
 */

/*
 * Run @tokens more of @seq in this step.  0 tokens: nothing happens.
 * Return: 0;
 *   -ENOSPC the pool has no slots for it now;
 *   -E2BIG  it would fit neither an empty pool nor an empty step: pass it over,
 *           the core gives it up after this step, with a reason;
 *   -EDQUOT the step's tokens, or the sequences that may hold slots, are spent;
 *   -EBUSY  it is already in this plan;
 *   -EINVAL more tokens than quire_plan_todo(), or finished and not kept.
 */
int quire_plan_add(struct quire_plan *plan, struct quire_seq *seq, uint32_t tokens);

/*
 * Take @seq's slots back.  It is waiting again and still ours to queue.  Read
 * cached_tokens afterwards; never assume 0.
 * Return: 0; -EBUSY it is in this plan (plan the important ones first, preempt
 * from the other end); -EINVAL it holds no slots, or is finished.
 */
int quire_plan_preempt(struct quire_plan *plan, struct quire_seq *seq);

/*
 * Give up @seq, which finish() kept.  It is freed on return.
 * Return: 0; -EBUSY it is in this plan; -EINVAL it was not kept.
 */
int quire_plan_drop(struct quire_plan *plan, struct quire_seq *seq);

/*
 * Make this step a rectangle, as naive batching does: every row is charged, and
 * run, as many tokens as the longest row, and holds at least @slots slots (cut
 * to seq_tokens_max).  It counts for rows that are in the plan and for those
 * added later; a larger value replaces a smaller one.
 * Return: 0; -ENOSPC the pool, or -EDQUOT the budget, cannot hold the rectangle
 * of the rows that are in: it stays as it was, though some rows may hold more.
 */
int quire_plan_pad(struct quire_plan *plan, uint32_t slots);

/* Tokens of @seq that can be planned now: known, not cached.  0: it waits for
 * something outside the scheduler. */
static inline uint32_t quire_plan_todo(const struct quire_seq *seq)
{
	return seq->known_tokens - seq->cached_tokens;
}

/* Is @seq in this plan already? */
bool quire_plan_has(const struct quire_plan *plan, const struct quire_seq *seq);
/* Tokens that this step can still take, and sequences that can still get slots. */
uint32_t quire_plan_room_tokens(const struct quire_plan *plan);
uint32_t quire_plan_room_seqs(const struct quire_plan *plan);
/* The time at which this step begins. */
uint64_t quire_plan_now_ns(const struct quire_plan *plan);
/* Will a request still arrive, even if nothing is planned until then? */
bool quire_plan_more(const struct quire_plan *plan);
/* Call schedule() again at @at_ns, even if nothing has happened until then. */
void quire_plan_wake(struct quire_plan *plan, uint64_t at_ns);

#ifdef __cplusplus
}
#endif
#endif /* QUIRE_SCHED_H */
