/*
 * world.h - a world for the loop that is too small to be comfortable: a handful of
 * requests, a pool of a few blocks, a clock that moves only when a step is run.
 *
 *	struct world w;
 *
 *	world_init(&w, "splitfuse", "paged,block=4");
 *	w.config.step_tokens_max = 64;
 *	world_add(&w, 60, 10);
 *	world_run(&w);
 *	... w.rc, w.sentence, w.m, w.steps[], w.events[] ...
 *	world_free(&w);
 *
 * The executor checks every plan against the rules of plan.h and exec.h, and what
 * it finds is in w.wrong, which a test should look at: world_ok() does.
 */
#ifndef QUIRE_TESTS_WORLD_H
#define QUIRE_TESTS_WORLD_H

#include "core/loop.h"

#define WORLD_REQUESTS_MAX 256
#define WORLD_STEP_NS	   1000u /* a step takes this ... */
#define WORLD_TOKEN_NS	   10u	 /* ... and this for each token of plan->tokens_count */

/* One step, as the executor saw it. */
struct world_step {
	uint64_t begin_ns;
	uint32_t items, tokens, pad_tokens, pad_slots, copies, results;
	uint32_t item_tokens[8]; /* of the first items */
	uint32_t item_seq[8];	 /* ids */
};

struct world {
	struct quire_loop_config config; /* to be changed before world_run() */
	struct quire_request requests[WORLD_REQUESTS_MAX];
	uint32_t output_tokens[WORLD_REQUESTS_MAX]; /* true lengths */
	bool uneven;	       /* sample k of a request is k tokens longer than the first */
	bool quiet;	       /* record no events */
	uint32_t fail_at_step; /* the executor fails in this step; 0: never */
	/* Called by the executor in each step, before time passes; NULL: nobody. */
	void (*at_step)(struct world *w, const struct quire_plan *plan);

	/* What came out. */
	struct quire_loop *loop;
	const struct quire_metrics *m;
	int rc;			  /* of quire_loop_run(); or -1: quire_loop_new() failed */
	char sentence[1024];	  /* of quire_failure() after it */
	char wrong[256];	  /* "", or the first rule that a plan broke */
	struct world_step *steps; /* [steps_count] */
	uint32_t steps_count;
	struct quire_event *events; /* [events_count] all of them, in order */
	size_t events_count;

	/* The world's own. */
	struct quire_sink sink; /* its address leads back to the world */
	size_t steps_limit, events_limit;
	uint64_t clock_ns;
	uint64_t idles; /* calls of idle() */
};

/* A pool of 12 blocks of 4 slots, at most 8 sequences of at most 40 tokens. */
void world_init(struct world *w, const char *scheduler, const char *allocator);
/* One more request, of one sample, arriving with the one before it. */
struct quire_request *world_add(struct world *w, uint32_t prompt_tokens, uint32_t output_tokens);
/* True length of a sample's output. */
uint32_t world_output(const struct world *w, const struct quire_request *request, uint32_t sample);
/* Make the loop and run it.  Return: w->rc. */
int world_run(struct world *w);
/* NULL if the run ended well, all requests were settled, no scheduler broke a rule
 * and no plan was wrong; otherwise what is not so. */
const char *world_bad(const struct world *w);
/* The request of sequence @id, by the recorded events; and which sample it is. */
const struct quire_request *world_request(const struct world *w, uint32_t id, uint32_t *sample);
/* Print what happened, an event a line: to see why a test fails. */
void world_tell(const struct world *w);
void world_free(struct world *w);

/* The path of a module in tests/modules, with options; in one of a few buffers. */
#define world_module(name, options) world_path(QUIRE_MODULES_DIR, name, options)
const char *world_path(const char *folder, const char *name, const char *options);

/* xorshift64*: the same numbers everywhere. */
static inline uint32_t world_random(uint64_t *state, uint32_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 0x2545f4914f6cdd1du >> 32) * below >> 32);
}

#endif /* QUIRE_TESTS_WORLD_H */
