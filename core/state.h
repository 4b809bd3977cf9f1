/*
 * state.h - what the core knows and modules do not.
 *
 * loop.c runs the steps, plan.c answers the scheduler, pool.c watches the
 * allocator, audit.c doubts all of them.  They share the structs below; nobody
 * else includes this.
 */
#ifndef QUIRE_STATE_H
#define QUIRE_STATE_H

#include "loop.h"

#include <assert.h>

/*
 * A sequence, with what modules do not see behind what they do.
 *
 *	live + reserved + internal = map_slots	(or all 0: it holds nothing)
 *	live = cached_tokens, and after it was planned, + its item's tokens
 */
struct core_seq {
	struct quire_seq seq; /* first: a module's seq and ours are one pointer */
	struct quire_outcome *outcome;
	uint64_t planned_step;	/* last step that planned it */
	uint64_t last_token_ns; /* when its newest token was sampled */
	uint32_t map_slots;	/* length of its map in tokens; 0: it holds no slots */
	uint32_t live;		/* of those: hold a live token */
	uint32_t reserved;	/* ... will still be used, up to end_tokens */
	uint32_t internal;	/* ... will never be used */
	uint32_t end_tokens;	/* true length, prompt included; UINT32_MAX: unknown */
	uint32_t cap_tokens;	/* known tokens at which the loop ends it */
	uint32_t cached_most;	/* the largest cached_tokens so far */
	uint8_t refusal;	/* enum quire_refusal: given up after this step */
	bool scheduled;		/* was in a plan */
	bool forks_due;		/* its request's other samples start with its next token */
	bool forked;		/* shares slots; the next grow() may have to copy */
	bool kept;		/* finished, and kept by the scheduler */
	bool ready;		/* of a beam: its candidates are in, it waits for its sisters */
	bool parked;		/* ready, and out of the scheduler's hands; see beams.c */
	bool in_window;		/* its request arrived in the window */
	struct beams *beams;	/* of its request; NULL: no beam search */
	struct core_seq *elder, *younger; /* the list of the living */
};

static inline struct core_seq *core_seq(struct quire_seq *seq)
{
	return (struct core_seq *)seq;
}

/*
 * The pool, as the core sees it behind the allocator's back.
 *
 *	mapped = slots with uses > 0 <= kv.slots_held <= kv.slots_total
 *	map_slots, live, reserved, internal = sums over the sequences that hold slots
 *	live - shared_live = slots that hold a live token
 */
struct pool {
	struct quire_kv kv;
	struct quire_kv_ops ops;
	uint16_t *uses;	     /* [slots_total] how many maps show the slot */
	uint32_t *old_first; /* [seq_tokens_max + 1] scratch: a map before it changed */
	uint32_t mapped;
	uint32_t seqs_held; /* sequences that hold slots */
	uint64_t map_slots, live, reserved, internal;
	uint64_t shared_live;  /* sum over slots of (maps in which it is live - 1) */
	uint32_t copies_taken; /* of the plan's: checked, counted and told */
	uint32_t longest;      /* tokens of the longest map so far */
	bool end_asked;
};

/* One sample of section 5 of the design, in slots; see metrics.h. */
struct pool_sample {
	uint64_t token_states, reserved, internal, rounding, free;
};

struct audit; /* audit.c */
struct beams; /* beams.c */

struct quire_loop {
	struct quire_loop_config config;
	struct quire_sched sched;
	struct quire_sched_ops sched_ops;
	struct pool pool;
	struct quire_plan plan;
	struct quire_result *results; /* [seqs_max * the most samples of a request] */
	struct quire_metrics metrics;
	struct audit *audit; /* NULL: off */

	char *seqs; /* arena of [seqs_limit] records of seq_bytes each */
	size_t seq_bytes;
	uint32_t seqs_limit, seqs_used; /* records ever used: the rest is untouched */
	struct core_seq *seqs_free;	/* given back, by younger */
	char *beams;			/* arena of [beams_limit] records of beams_bytes each */
	size_t beams_bytes;
	uint32_t beams_limit, beams_used; /* requests that search with beams; begun so far */
	uint32_t beams_max;		  /* the widest */
	struct beams *beams_free;	  /* given back */
	struct core_seq *eldest, *youngest;
	uint32_t living, kept;
	uint32_t scheduled; /* requests scheduled at least once, and not given up */
	uint32_t next_id;

	uint64_t now_ns, wake_ns;
	bool started;		 /* init() of the modules was called */
	bool in_window;		 /* the step began in the window */
	bool broken;		 /* a module broke a contract; quire_failure() says how */
	bool planning;		 /* schedule() runs: the plan may be changed */
	bool changed;		 /* this schedule() preempted or dropped something */
	uint32_t dooms;		 /* sequences to give up after this schedule() */
	uint64_t refused_calls;	 /* of this schedule() */
	uint32_t refused_tokens; /* the least that -EDQUOT refused in this step */
	uint32_t empty_plans;	 /* in a row */
	uint32_t padding_steps;	 /* in a row, of padding only */
	uint64_t barren_tokens;	 /* run since a token was sampled */
	uint64_t known_sum;	 /* known_tokens of the living */
};

/* Does the sink want this kind? */
static inline bool tells(const struct quire_loop *loop, enum quire_event_kind kind)
{
	return loop->config.sink && loop->config.sink->kinds & 1u << kind;
}

/* Tell the sink.  What decides goes into the digest too. */
static inline void tell(struct quire_loop *loop, enum quire_event_kind kind, uint32_t seq,
			uint32_t a, uint32_t b, uint32_t c)
{
	struct quire_sink *sink = loop->config.sink;

	if (!tells(loop, kind))
		return;
	struct quire_event event = {loop->now_ns, (uint32_t)loop->plan.step, kind, seq, a, b, c};

	sink->emit(sink, &event);
}

static inline void decide(struct quire_loop *loop, enum quire_event_kind kind, uint32_t seq,
			  uint32_t a, uint32_t b, uint32_t c)
{
	loop->metrics.digest = quire_digest_event(loop->metrics.digest, kind, seq, a, b, c);
	tell(loop, kind, seq, a, b, c);
}

/* seqs.c */
int seqs_init(struct quire_loop *loop, uint64_t seqs);
struct core_seq *seq_new(struct quire_loop *loop, const struct quire_request *request,
			 uint32_t sample);
/* @cs has ended, or was refused: the scheduler lets it go, or keeps its row. */
void seq_done(struct quire_loop *loop, struct core_seq *cs);
/* The scheduler lets @cs go.  Return: would it rather keep it, and may it? */
bool seq_withdraw(struct quire_loop *loop, struct core_seq *cs);
/* Say that @cs's request is given up, and why; seq_done() or seq_free() follows. */
void seq_refuse(struct quire_loop *loop, struct core_seq *cs, enum quire_refusal why);
/* Give back all that @cs holds, and its record. */
void seq_free(struct quire_loop *loop, struct core_seq *cs);

/* loop.c: @cs knows one token more; @parent: it is born with it.  Return: is it the last? */
bool token_add(struct quire_loop *loop, struct core_seq *cs, const struct core_seq *parent,
	       const struct quire_result *result);
/* One more sequence of @parent's request, which starts with @result: born running, on
 * its parent's slots, if it is to @share them and may hold slots at all.  It is told and
 * has its token, and no scheduler has met it yet.  *end: is its first token its last? */
struct core_seq *fork_seq(struct quire_loop *loop, struct core_seq *parent, uint32_t sample,
			  const struct quire_result *result, bool share, bool *end);
/* It ends before any scheduler has met it. */
void seq_stillborn(struct quire_loop *loop, struct core_seq *cs);

/* beams.c */
int beams_init(struct quire_loop *loop);
void beams_exit(struct quire_loop *loop);
struct beams *beams_new(struct quire_loop *loop, struct core_seq *cs);
/* @cs is gone. */
void beams_leave(struct quire_loop *loop, struct core_seq *cs);
/* @cs is given up, and its sisters with it. */
void beams_refuse(struct quire_loop *loop, const struct core_seq *cs, enum quire_refusal why);
/* Candidates of @cs are in; if it was the last of its sisters, all take their step. */
void beams_take(struct quire_loop *loop, struct core_seq *cs, const struct quire_result *results);
/* Nothing was planned, or padding alone: take the slots of one that only waits for its
 * sisters, and the sequence out of the scheduler's hands.  Return: was there one? */
bool beams_park(struct quire_loop *loop);

/*
 * pool.c.  -ENOSPC and -E2BIG are the allocator's answers; -EFAULT: it broke its
 * contract, loop->broken is set, and quire_failure() says how.
 */
int pool_init(struct pool *pool, const struct quire_loop_config *config);
void pool_exit(struct pool *pool, bool started);
int pool_grow(struct quire_loop *loop, struct core_seq *cs, uint32_t tokens);
int pool_fork(struct quire_loop *loop, struct core_seq *parent, struct core_seq *child);
/* There is no room for @tokens in an empty pool, where there was once: -EFAULT. */
int pool_lost(struct quire_loop *loop, uint32_t tokens);
void pool_release(struct quire_loop *loop, struct core_seq *cs);
bool pool_fits(struct pool *pool, const struct core_seq *cs, uint32_t tokens);
/* @cs will run @tokens more: they are live from now on. */
void pool_run(struct pool *pool, struct core_seq *cs, uint32_t tokens);
/* @cs is finished and kept: what it holds is dead, but for what others share. */
void pool_keep(struct quire_loop *loop, struct core_seq *cs);
struct pool_sample pool_sample(const struct pool *pool);
/* Check, count and tell the copies that the allocator has added for @seq. */
int pool_take_copies(struct quire_loop *loop, uint32_t seq);
/* The run is over: does the allocator show slots that it no longer counts? */
int pool_end(struct quire_loop *loop);

/*
 * audit.c: a shadow of the device's memory, and every count made again the slow
 * way.  0, or -EFAULT with loop->broken set and a sentence.
 */
struct audit *audit_new(const struct quire_loop *loop);
void audit_free(struct audit *audit);
int audit_step(struct quire_loop *loop); /* with a plan, before it is run */
int audit_pool(struct quire_loop *loop); /* at any time */

#endif /* QUIRE_STATE_H */
