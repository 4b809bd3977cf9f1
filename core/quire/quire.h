/*
 * quire.h - the nouns that every room shares.
 *
 * A client's request becomes one or more sequences.  In each step a scheduler
 * proposes a plan (which sequences, how many tokens of each), an allocator
 * finds slots in the KV cache for them, and an executor runs the plan and says
 * what time it is.
 *
 *	token	one position of text
 *	slot	room for one token's K and V, in every layer of the model
 *	block	consecutive slots; pool: all slots; map: where a sequence's tokens are
 *	request	what a client asked for; sequence: one token stream of a request
 *	step	one iteration of the model; plan: the work of one step
 *
 * Units stand last in a name: *_tokens and *_slots are counts, *_ns are
 * nanoseconds, *_bytes are bytes.  Functions return 0 or a negative errno
 * unless their comment says otherwise, and change nothing when they fail.
 *
 * A module (a scheduler or an allocator) includes <quire/...> and nothing else
 * of quire.  It may read every field it can see; what it may write is marked.
 */
#ifndef QUIRE_QUIRE_H
#define QUIRE_QUIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct quire_queue; /* queue.h */

/* What a client asked for.  Nobody changes it after it has arrived. */
struct quire_request {
	uint64_t id;		    /* its place in the workload, from 0 */
	uint64_t arrival_ns;	    /* since the start of the run */
	uint64_t deadline_ns;	    /* since the start of the run; 0: none */
	uint32_t prompt_tokens;	    /* >= 1 */
	uint32_t output_tokens_max; /* the client's cap, >= 1; never the true length */
	uint32_t samples;	    /* sequences that share this prompt, >= 1 */
	uint32_t client;	    /* who asked, for fair schedulers */
	int32_t priority;	    /* smaller is more urgent; 0 unless the client says */
	uint32_t beams;		    /* > 1: beam search of this width, and samples is 1 */
};

/*
 * A waiting sequence holds no slots.  A running one does.  A finished one does
 * only while the scheduler keeps it (see quire_sched_ops.finish).
 */
enum quire_state { QUIRE_WAITING, QUIRE_RUNNING, QUIRE_FINISHED };

/*
 * One token stream.
 *
 *	cached_tokens <= known_tokens
 *
 * There are no phases.  What people call prefill, decode, a chunk of a prompt,
 * and recomputation are one thing: tokens that are known and not yet cached.
 */
struct quire_seq {
	const struct quire_request *request;
	uint32_t id;		/* unique in a run, from 1, in order of birth */
	uint32_t sample;	/* which of the request's samples this is, from 0 */
	enum quire_state state; /* the core's */
	uint32_t known_tokens;	/* prompt and what was generated so far */
	uint32_t cached_tokens; /* of those, how many have their K and V in a slot */
	uint32_t preemptions;	/* how often its slots were taken back */

	struct quire_queue *queue;     /* the queue it stands in, or NULL; written */
	struct quire_seq *prev, *next; /* by quire_queue_*() alone, for the scheduler */
	void *sched; /* the scheduler's own: sched_ops.seq_size bytes, zeroed at birth */
	void *kv;    /* the allocator's own: kv_ops.seq_size bytes, zeroed at birth */
};

/*
 * Leave a sentence that says what is wrong, and return @rc: "return
 * quire_fail(-EINVAL, ...)".  The core prints it behind the module's name.
 */
int quire_fail(int rc, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The last sentence left on this thread; "" if there is none. */
const char *quire_failure(void);

/*
 * One option of a module, as in "--scheduler static,batch=8".  The core reads
 * the options into the module's private state before init() is called, fills
 * in what the user left out, and refuses what does not fit with a sentence.
 * A table ends with an option without a name.
 */
enum quire_option_type {
	QUIRE_COUNT,   /* uint32_t: a whole number, "16" */
	QUIRE_SHARE,   /* double: a fraction, "0.01" */
	QUIRE_SECONDS, /* uint64_t, in ns: "0.5" */
	QUIRE_FLAG,    /* bool: "0" or "1" */
	QUIRE_CHOICE,  /* uint32_t: an index into choices */
};

struct quire_option {
	const char *name;
	enum quire_option_type type;
	size_t offset;	     /* of the field, in the module's private state */
	const char *initial; /* what it is when not given, as a user would write it */
	const char *summary; /* half a line for "quire list" */
	double min, max;     /* of COUNT, SHARE, SECONDS; max 0: no upper bound */
	const char *choices; /* of CHOICE: "first|mixed" */
};

/* One line of an options table: QUIRE_OPTION("batch", QUIRE_COUNT, struct mine, batch, "8", "...")
 */
#define QUIRE_OPTION(name_, type_, state_, field_, initial_, summary_)                             \
	{                                                                                          \
		.name = name_, .type = type_, .offset = offsetof(state_, field_),                  \
		.initial = initial_, .summary = summary_                                           \
	}

#ifdef __cplusplus
}
#endif
#endif /* QUIRE_QUIRE_H */
