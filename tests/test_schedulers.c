/*
 * test_schedulers.c - what each scheduler promises, on workloads small enough to be
 * followed by hand; then random ones, under every scheduler and allocator, in a pool
 * of twelve blocks.
 */
#include "refold.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void run_well(struct world *w)
{
	const char *bad;

	world_run(w);
	bad = world_bad(w);
	if (!bad)
		bad = refold(w);
	ck_assert_msg(!bad, "%s with %s: %s", w->config.scheduler, w->config.allocator, bad);
}

/* Step @index, from 0, has these items: sequence, tokens, sequence, tokens ..., 0. */
static void expect_step(const struct world *w, uint32_t index, const uint32_t *items)
{
	const struct world_step *s = &w->steps[index];
	uint32_t count = 0;

	ck_assert_uint_lt(index, w->steps_count);
	for (; items[2 * count]; count++) {
		ck_assert_uint_lt(count, s->items);
		ck_assert_msg(s->item_seq[count] == items[2 * count] &&
				      s->item_tokens[count] == items[2 * count + 1],
			      "step %u, item %u: sequence %u runs %u, expected %u and %u", index,
			      count, s->item_seq[count], s->item_tokens[count], items[2 * count],
			      items[2 * count + 1]);
	}
	ck_assert_uint_eq(s->items, count);
}

#define STEP(w, index, ...) expect_step(w, index, (const uint32_t[]){__VA_ARGS__, 0})

static size_t count_events(const struct world *w, uint32_t kind, uint32_t seq)
{
	size_t count = 0;

	for (size_t i = 0; i < w->events_count; i++)
		count += w->events[i].kind == kind && (!seq || w->events[i].seq == seq);
	return count;
}

/* ---- splitfuse ---- */

START_TEST(test_split)
{
	struct world w;

	world_init(&w, "splitfuse,budget=64", "paged,block=4");
	w.config.slots_total = 400;
	w.config.seq_tokens_max = 100;
	world_add(&w, 60, 3);
	world_add(&w, 60, 2);
	run_well(&w);
	STEP(&w, 0, 1, 60, 2, 4);
	STEP(&w, 1, 1, 1, 2, 56);
	STEP(&w, 2, 1, 1, 2, 1);
	ck_assert_uint_eq(w.steps_count, 3);
	ck_assert_uint_eq(quire_loop_step_tokens_max(w.loop), 64);
	world_free(&w);
}
END_TEST

/* Decodes go first, whatever their age; a long prompt gets what they leave. */
START_TEST(test_decodes_first)
{
	struct world w;

	world_init(&w, "splitfuse,budget=8", "paged,block=4");
	world_add(&w, 3, 5);
	world_add(&w, 30, 1);
	world_add(&w, 2, 1);
	run_well(&w);
	STEP(&w, 0, 1, 3, 2, 5);
	for (uint32_t i = 1; i < 4; i++)
		STEP(&w, i, 1, 1, 2, 7);
	STEP(&w, 4, 1, 1, 2, 4, 3, 2);
	ck_assert_uint_eq(w.steps_count, 5);
	world_free(&w);
}
END_TEST

/* mix=0: no step has both, and while there is both to do they take turns. */
START_TEST(test_alternate)
{
	struct world w;

	world_init(&w, "splitfuse,budget=8,mix=0", "paged,block=4");
	world_add(&w, 3, 5);
	world_add(&w, 30, 2);
	run_well(&w);
	STEP(&w, 0, 1, 3, 2, 5);
	STEP(&w, 1, 1, 1);
	STEP(&w, 2, 2, 8);
	STEP(&w, 3, 1, 1);
	STEP(&w, 4, 2, 8);
	STEP(&w, 5, 1, 1);
	STEP(&w, 6, 2, 8);
	/* One token of the second prompt is left, which counts as a decode. */
	STEP(&w, 7, 1, 1, 2, 1);
	STEP(&w, 8, 2, 1);
	ck_assert_uint_eq(w.steps_count, 9);
	world_free(&w);
}
END_TEST

/*
 * A pool of 22 single slots.  Step 0 takes 6 and 2 of them, step 1 five for a chunk and
 * three for decodes; then three are left for the decodes, and three are not enough for
 * the second prompt's chunk.  All that is newer runs in this step already, so nobody
 * gives way; and nobody small slips in from the queue either.
 */
START_TEST(test_short_admits_nobody)
{
	struct world w;

	world_init(&w, "splitfuse,budget=8", "paged,block=1,watermark=0");
	w.config.slots_total = 22;
	world_add(&w, 6, 6)->samples = 3;
	world_add(&w, 16, 2);
	world_add(&w, 2, 2);
	run_well(&w);
	STEP(&w, 0, 1, 6, 2, 2);
	STEP(&w, 1, 1, 1, 4, 1, 5, 1, 2, 5);
	STEP(&w, 2, 1, 1, 4, 1, 5, 1);
	world_free(&w);
}
END_TEST

/* The budget: the option, or --max-num-batched-tokens, or 2048; the smaller one. */
START_TEST(test_budget)
{
	static const struct {
		const char *scheduler;
		uint32_t given, model_len, budget;
	} cases[] = {
		{"splitfuse", 0, 40, 2048},	      {"splitfuse", 0, 4000, 2048},
		{"splitfuse", 100, 40, 100},	      {"splitfuse,budget=64", 0, 40, 64},
		{"splitfuse,budget=64", 100, 40, 64}, {"splitfuse,budget=640", 100, 40, 100},
		{"continuous", 0, 40, 2048},	      {"continuous", 0, 4000, 4000},
		{"continuous", 64, 40, 64},	      {"static", 0, 4000, 4000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world w;

		world_init(&w, cases[i].scheduler, "paged,block=4");
		w.config.step_tokens_max = cases[i].given;
		w.config.seq_tokens_max = cases[i].model_len;
		world_add(&w, 5, 2);
		run_well(&w);
		ck_assert_uint_eq(quire_loop_step_tokens_max(w.loop), cases[i].budget);
		world_free(&w);
	}
}
END_TEST

/* ---- P6, the notes' own experiment ---- */

/*
 * 32 requests with equal short prompts come at once; the first of every eight asks
 * for 100 tokens, the others for 10; 8 rows; the first token comes from the prompt's
 * step.
 *
 * static: 4 batches of one long and seven short ones.  Each takes 1 step for the
 * prompts, then 99 for the long one's other tokens: 4 * 100 = 400 = 4 + 396.
 *
 * continuous, mixed: a freed row is taken in the next step, so 8 rows are always
 * busy while somebody waits.  Long ones are 1, 9, 17 and 25.  Row 1 has long 1 for steps
 * 1-100; the other 7 rows finish together after step 10 and take 9 .. 15, of which 9
 * is long (steps 11-110); the 6 short ones end after step 20.  Steps 21-30: 16 ..
 * 21, with long 17 (21-120).  Its 5 short ones end after step 30; 31-40: 22 .. 26 with
 * long 25 in (31-130).  Then 27 .. 30 (41-50), 31 and 32 (51-60).  The last to end is
 * 25, after step 130.
 *
 * continuous, prompts first: admissions are the same six waves, at the beginning,
 * and after each of the first five waves of short ones; each is a step of prompts alone.
 * Request 25 comes with the fourth wave: 4 prompt steps up to its own, 2 later ones
 * hold it up, and 126 decode steps: 3 * 9 in the waves before its own, then its 99.
 * 6 + 126 = 132.
 */
static const struct {
	const char *scheduler;
	uint32_t steps, prompt_steps;
} p6[] = {
	{"static,batch=8", 400, 4},
	{"continuous", 130, 6},
	{"continuous,prefill=first", 132, 6},
};

START_TEST(test_p6)
{
	uint32_t prompt_steps = 0, pure = 0;
	struct world w;

	world_init(&w, p6[_i].scheduler, "paged,block=16");
	w.config.slots_total = 16 * 100;
	w.config.seq_tokens_max = 128;
	for (uint32_t i = 0; i < 32; i++)
		world_add(&w, 4, i % 8 ? 10 : 100);
	run_well(&w);
	for (uint32_t i = 0; i < w.steps_count; i++) {
		bool prompts = false, decodes = false;

		for (uint32_t k = 0; k < w.steps[i].items; k++) {
			prompts |= w.steps[i].item_tokens[k] > 1;
			decodes |= w.steps[i].item_tokens[k] == 1;
		}
		prompt_steps += prompts;
		pure += prompts && !decodes;
	}
	ck_assert_uint_eq(w.m->steps, p6[_i].steps);
	ck_assert_uint_eq(prompt_steps, p6[_i].prompt_steps);
	ck_assert_uint_eq(pure, _i == 1 ? 1 : prompt_steps);
	ck_assert_uint_eq(w.m->output_tokens, 680);
	ck_assert_uint_eq(w.m->preemptions, 0);
	world_free(&w);
}
END_TEST

/* ---- static ---- */

/* Three rows of 3, 5 and 8 tokens: padded, kept, returned together. */
START_TEST(test_static_batch)
{
	struct world w;

	world_init(&w, "static,batch=3", "paged,block=4");
	world_add(&w, 3, 2);
	world_add(&w, 5, 4);
	world_add(&w, 8, 3);
	world_add(&w, 4, 1);
	run_well(&w);
	/* The prompts as a rectangle of 3 x 8, each row with 8 slots; then columns. */
	STEP(&w, 0, 1, 3, 2, 5, 3, 8);
	ck_assert_uint_eq(w.steps[0].tokens, 24);
	ck_assert_uint_eq(w.steps[0].pad_tokens, 8);
	ck_assert_uint_eq(w.steps[0].pad_slots, 8);
	STEP(&w, 1, 1, 1, 2, 1, 3, 1);
	ck_assert_uint_eq(w.steps[1].pad_slots, 9);
	STEP(&w, 2, 2, 1, 3, 1, 1, 1); /* row 1 is done, and still paid for */
	ck_assert_uint_eq(w.steps[2].tokens, 3);
	ck_assert_uint_eq(w.steps[2].pad_slots, 10);
	STEP(&w, 3, 2, 1, 1, 1, 3, 1);
	ck_assert_uint_eq(w.steps[3].pad_slots, 11);
	STEP(&w, 4, 4, 4);
	ck_assert_uint_eq(w.steps[4].tokens, 4);
	ck_assert_uint_eq(w.steps_count, 5);
	/* All rows have their first token with the prompts, and return together. */
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(w.m->outcomes[i].first_token_ns, w.steps[1].begin_ns);
		ck_assert_uint_eq(w.m->outcomes[i].finish_ns, w.steps[4].begin_ns);
	}
	ck_assert_uint_eq(count_events(&w, QUIRE_EV_DROP, 0), 4);
	world_free(&w);
}
END_TEST

START_TEST(test_static_waits)
{
	struct world w;

	/* For its batch: the third arrives late, and all start then. */
	world_init(&w, "static,batch=3", "paged,block=4");
	world_add(&w, 3, 2);
	world_add(&w, 3, 2);
	world_add(&w, 3, 2)->arrival_ns = 1000000;
	world_add(&w, 3, 2)->arrival_ns = 9000000;
	run_well(&w);
	ck_assert_uint_eq(w.steps[0].begin_ns, 1000000);
	ck_assert_uint_eq(w.steps[0].items, 3);
	/* Nobody else will come: the last one does not wait for a full batch. */
	ck_assert_uint_eq(w.steps[2].begin_ns, 9000000);
	ck_assert_uint_eq(w.steps[2].items, 1);
	world_free(&w);

	/* For some time only. */
	world_init(&w, "static,batch=3,wait=0.0005", "paged,block=4");
	world_add(&w, 3, 2)->arrival_ns = 100000;
	world_add(&w, 3, 2)->arrival_ns = 300000;
	world_add(&w, 3, 2)->arrival_ns = 9000000;
	run_well(&w);
	ck_assert_uint_eq(w.steps[0].begin_ns, 600000);
	ck_assert_uint_eq(w.steps[0].items, 2);
	ck_assert_uint_eq(w.steps[2].begin_ns, 9000000);
	world_free(&w);
}
END_TEST

/* until=N: the batch runs to N tokens though all its rows are done. */
START_TEST(test_static_until)
{
	struct world w;

	world_init(&w, "static,batch=2,until=7", "paged,block=4");
	for (uint32_t i = 0; i < 4; i++)
		world_add(&w, 3, 2 + i % 2);
	run_well(&w);
	ck_assert_uint_eq(w.steps_count, 14);
	for (uint32_t i = 0; i < 14; i++) {
		ck_assert_uint_eq(w.steps[i].items, 2);
		ck_assert_uint_eq(w.steps[i].pad_slots, 3 + i % 7);
	}
	ck_assert_uint_eq(w.m->output_tokens, 10);
	ck_assert_uint_eq(w.m->outcomes[0].finish_ns, w.steps[7].begin_ns);
	ck_assert_uint_eq(w.m->outcomes[1].finish_ns, w.steps[7].begin_ns);
	world_free(&w);
}
END_TEST

/* When memory is short, finished rows are dropped before a live one is preempted. */
START_TEST(test_static_drops_first)
{
	bool preempted = false;
	struct world w;

	world_init(&w, "static,batch=3", "paged,block=4,watermark=0");
	world_add(&w, 12, 2);
	world_add(&w, 12, 20);
	world_add(&w, 12, 25);
	run_well(&w);
	ck_assert_uint_gt(w.m->preemptions, 0);
	for (size_t i = 0; i < w.events_count; i++) {
		const struct quire_event *e = &w.events[i];

		preempted |= e->kind == QUIRE_EV_PREEMPT;
		if (e->kind == QUIRE_EV_DROP && e->seq == 1)
			ck_assert(!preempted);
	}
	/* Its seat was needed long before the batch was over. */
	ck_assert_uint_lt(w.m->outcomes[0].finish_ns, w.m->outcomes[1].finish_ns);
	world_free(&w);
}
END_TEST

/* A live row that no pool could hold any longer is given up; its batch goes on. */
START_TEST(test_static_gives_up)
{
	struct world w;

	for (uint32_t until = 0; until < 2; until++) {
		world_init(&w, until ? "static,batch=1,until=30" : "static,batch=1",
			   "paged,block=4");
		w.config.slots_total = 24;
		world_add(&w, 12, 20);
		world_add(&w, 3, 5)->arrival_ns = 50000;
		world_add(&w, 4, 5)->arrival_ns = 90000;
		run_well(&w);
		ck_assert_uint_eq(w.m->outcomes[0].refused, QUIRE_REFUSED_POOL);
		ck_assert_uint_eq(w.m->outcomes[0].output_tokens, 13);
		ck_assert_uint_eq(w.m->finished, 2);
		world_free(&w);
	}
}
END_TEST

/* ---- continuous ---- */

/*
 * Three sequences of 12 + output in 12 blocks: they fill 9 blocks, then grow
 * together.  The newest gives way, stands at the head of the queue before the fourth,
 * and comes back first.
 */
START_TEST(test_preempt_newest)
{
	uint32_t last_preempt_step = 0, again = 0;
	struct world w;

	for (int first = 0; first < 2; first++) {
		world_init(&w, first ? "continuous,prefill=first" : "continuous",
			   "paged,block=4,watermark=0");
		w.config.seqs_max = 3;
		for (uint32_t i = 0; i < 4; i++)
			world_add(&w, 12, 12);
		run_well(&w);
		ck_assert_uint_gt(w.m->outcomes[2].preemptions, 0);
		ck_assert_uint_eq(w.m->outcomes[0].preemptions, 0);
		ck_assert_uint_eq(w.m->outcomes[1].preemptions, 0);
		ck_assert_uint_eq(w.m->outcomes[3].preemptions, 0);
		ck_assert_uint_lt(w.m->outcomes[2].finish_ns, w.m->outcomes[3].finish_ns);
		last_preempt_step = again = 0;
		for (size_t i = 0; i < w.events_count; i++) {
			const struct quire_event *e = &w.events[i];

			if (e->kind == QUIRE_EV_PREEMPT) {
				ck_assert_uint_eq(e->seq, 3);
				last_preempt_step = e->step;
			}
			again += e->kind == QUIRE_EV_RUN && e->seq == 3 && e->b == 0;
			if (e->kind == QUIRE_EV_RUN && e->seq == 4)
				ck_assert_uint_ge(again, 2);
			/* No admission in a step that preempted. */
			if (e->kind == QUIRE_EV_RUN && e->step == last_preempt_step)
				ck_assert_uint_gt(e->b, 0);
		}
		world_free(&w);
	}
}
END_TEST

/* prefill=first: while prompts can be admitted, what runs waits. */
START_TEST(test_prefill_first)
{
	struct world w;

	world_init(&w, "continuous,prefill=first", "paged,block=4");
	w.config.step_tokens_max = 16;
	for (uint32_t i = 0; i < 3; i++)
		world_add(&w, 10, 3);
	run_well(&w);
	STEP(&w, 0, 1, 10);
	STEP(&w, 1, 2, 10);
	STEP(&w, 2, 3, 10);
	STEP(&w, 3, 1, 1, 2, 1, 3, 1);
	world_free(&w);

	world_init(&w, "continuous,prefill=mixed", "paged,block=4");
	w.config.step_tokens_max = 16;
	for (uint32_t i = 0; i < 3; i++)
		world_add(&w, 10, 3);
	run_well(&w);
	STEP(&w, 0, 1, 10);
	STEP(&w, 1, 1, 1, 2, 10);
	STEP(&w, 2, 1, 1, 2, 1, 3, 10);
	STEP(&w, 3, 2, 1, 3, 1);
	world_free(&w);
}
END_TEST

/* ---- samples ---- */

static const char *const all_schedulers[] = {
	"static,batch=4",      "static",
	"continuous",	       "continuous,prefill=first",
	"splitfuse,budget=16", "splitfuse,mix=0,budget=16",
};

/* A request forks once, when its prompt is complete; its samples then run apart. */
START_TEST(test_samples)
{
	struct world w;

	world_init(&w, all_schedulers[_i], "paged,block=4");
	world_add(&w, 6, 5)->samples = 3;
	run_well(&w);
	ck_assert_uint_eq(w.m->forks, 2);
	ck_assert_uint_eq(w.m->output_tokens, 15);
	ck_assert_uint_eq(w.m->copies, 2); /* the third writes the shared block itself */
	ck_assert_uint_eq(w.m->copied_slots, 4);
	ck_assert_uint_eq(w.m->steps, 5);
	STEP(&w, 0, 1, 6);
	ck_assert_uint_eq(w.steps[0].results, 3);
	for (uint32_t i = 1; i < 5; i++)
		ck_assert_uint_eq(w.steps[i].items, 3);
	world_free(&w);
}
END_TEST

/* Where only two may hold slots, the others are born waiting, and have their turn. */
START_TEST(test_samples_wait)
{
	struct world w;

	world_init(&w, all_schedulers[_i], "paged,block=4");
	w.config.seqs_max = 2;
	world_add(&w, 6, 5)->samples = 5;
	world_add(&w, 7, 2)->arrival_ns = 1;
	run_well(&w);
	ck_assert_uint_eq(w.m->forks, 4);
	ck_assert_uint_eq(w.m->output_tokens, 27);
	for (size_t i = 0, born = 0; i < w.events_count; i++) {
		const struct quire_event *e = &w.events[i];

		if (e->kind != QUIRE_EV_FORK)
			continue;
		ck_assert_uint_eq(e->b, born ? 0 : 6);
		born++;
	}
	/* Born late, a sample computes the prompt for itself: nobody computed it as this. */
	ck_assert_uint_eq(w.m->recomputed_tokens, 0);
	world_free(&w);
}
END_TEST

/* Samples that are preempted come back, and nobody forks a second time. */
START_TEST(test_samples_preempted)
{
	struct world w;

	world_init(&w, all_schedulers[_i], "paged,block=4,watermark=0");
	if (_i == 1)
		w.config.scheduler = "static,batch=8";
	world_add(&w, 6, 20)->samples = 4;
	world_add(&w, 5, 20)->samples = 4;
	run_well(&w);
	ck_assert_uint_gt(w.m->preemptions, 0);
	ck_assert_uint_gt(w.m->recomputed_tokens, 0);
	ck_assert_uint_eq(w.m->forks, 6);
	ck_assert_uint_eq(w.m->output_tokens, 160);
	world_free(&w);
}
END_TEST

/* More rows than a step has tokens for: they take turns, and nobody asks in vain twice. */
START_TEST(test_samples_over_budget)
{
	struct world w;

	world_init(&w, all_schedulers[_i], "paged,block=4");
	w.config.step_tokens_max = 4;
	for (uint32_t i = 0; i < 6; i++)
		world_add(&w, 3, 8)->samples = 1 + i % 4;
	run_well(&w);
	for (uint32_t i = 0; i < 6; i++) /* it may have more to compute again than fits a step */
		ck_assert(!w.m->outcomes[i].refused ||
			  w.m->outcomes[i].refused == QUIRE_REFUSED_BUDGET);
	world_free(&w);
}
END_TEST

/* ---- anything ---- */

static const char *const any_scheduler[] = {
	"static,batch=3",      "static,batch=5,wait=0.000003", "static,batch=2,until=9",
	"continuous",	       "continuous,prefill=first",     "splitfuse,budget=7",
	"splitfuse,budget=30", "splitfuse,mix=0,budget=11",
};

static const struct {
	const char *spec;
	uint32_t block;	  /* paged */
	uint32_t largest; /* contiguous: the largest region that an empty pool can hold */
	char reserve;	  /* m, c, p, o */
} any_allocator[] = {
	{"paged,block=4", 4, 0, 0},
	{"paged,block=4,watermark=0.2,cow=0", 4, 0, 0},
	{"paged,block=1,watermark=0", 1, 0, 0},
	{"paged,block=7", 7, 0, 0},
	{"contiguous,reserve=max,place=first", 0, 48, 'm'},
	{"contiguous,reserve=cap,place=best", 0, 48, 'c'},
	{"contiguous,reserve=cap,block=4", 0, 32, 'c'},
	{"contiguous,reserve=oracle,block=4", 0, 32, 'o'},
	{"contiguous,reserve=pow2,place=first", 0, 48, 'p'},
	{"contiguous,reserve=oracle,place=best", 0, 48, 'o'},
};

#define ANY_SCHEDULERS (sizeof(any_scheduler) / sizeof(*any_scheduler))
#define ANY_ALLOCATORS (sizeof(any_allocator) / sizeof(*any_allocator))

/* What the request's first sample must have in one piece, if it is to hold @tokens. */
static uint32_t reservation(const struct world *w, const struct quire_request *r, char reserve,
			    uint32_t tokens)
{
	uint64_t end = r->prompt_tokens + (uint64_t)world_output(w, r, 0), total = 1;

	if (reserve == 'm') {
		total = w->config.seq_tokens_max;
	} else if (reserve == 'c') {
		total = r->prompt_tokens + (uint64_t)r->output_tokens_max;
	} else if (reserve == 'o') {
		total = end;
	} else {
		while (r->prompt_tokens + total < end)
			total *= 2;
		total += r->prompt_tokens;
	}
	if (total > w->config.seq_tokens_max)
		total = w->config.seq_tokens_max;
	return (uint32_t)(total > tokens ? total : tokens);
}

/* Is the reason of refusal @e true? */
static bool true_reason(const struct world *w, int allocator, const struct quire_event *e)
{
	uint32_t sample, known = e->b;
	const struct quire_request *r = world_request(w, e->seq, &sample);

	switch (e->a) {
	case QUIRE_REFUSED_MODEL_LEN:
		return r->prompt_tokens >= w->config.seq_tokens_max;
	case QUIRE_REFUSED_POOL:
		if (any_allocator[allocator].block) {
			uint32_t block = any_allocator[allocator].block;

			return (known + block - 1) / block > w->config.slots_total / block;
		}
		return reservation(w, r, any_allocator[allocator].reserve, known) >
		       any_allocator[allocator].largest;
	case QUIRE_REFUSED_BUDGET: /* it wanted all it knows at once */
		return !strstr(w->config.scheduler, "splitfuse") &&
		       known > quire_loop_step_tokens_max(w->loop);
	default:
		return false;
	}
}

static void any_world(struct world *w, uint64_t *random, uint32_t scheduler, uint32_t allocator)
{
	uint32_t count = 1 + world_random(random, 24);
	uint32_t gap = world_random(random, 3) ? world_random(random, 4000) : 0;
	uint32_t prompt_max = world_random(random, 2) ? 12 : 44;
	bool samples = world_random(random, 2);

	world_init(w, any_scheduler[scheduler], any_allocator[allocator].spec);
	w->config.seqs_max = 5 + world_random(random, 4);
	w->config.step_tokens_max = world_random(random, 3) ? 0 : 3 + world_random(random, 50);
	w->config.closed_users = world_random(random, 4) ? 0 : 1 + world_random(random, 6);
	for (uint32_t i = 0; i < count; i++) {
		struct quire_request *r = world_add(w, 1 + world_random(random, prompt_max),
						    1 + world_random(random, 24));

		if (samples)
			r->samples = 1 + world_random(random, 4);
		r->output_tokens_max = world_random(random, 3) ? 30 : 1 + world_random(random, 30);
		r->arrival_ns += gap ? world_random(random, 2 * gap) : 0;
	}
}

/* NULL, or what is wrong with this run. */
static const char *judge(const struct world *w, int allocator)
{
	static char text[128];
	uint64_t first_ns = 0, tokens = 0;

	if (world_bad(w))
		return world_bad(w);
	if (refold(w))
		return refold(w);
	for (size_t i = 0; i < w->events_count; i++) {
		const struct quire_event *e = &w->events[i];

		if (e->kind != QUIRE_EV_REFUSE || true_reason(w, allocator, e))
			continue;
		snprintf(text, sizeof(text), "sequence %u is refused for reason %u, with %u tokens",
			 e->seq, e->a, e->b);
		return text;
	}
	for (uint32_t i = 0; i < w->m->requests_count; i++) {
		const struct quire_outcome *o = &w->m->outcomes[i];

		if (o->refused)
			continue;
		/*
		 * First come, first served: that is what all of them promise, as long as a
		 * step has a token for everybody.  (With mix=0 the last token of a prompt
		 * counts as a decode, and smaller steps may be full of other decodes.)
		 */
		if (o->first_token_ns < first_ns &&
		    (quire_loop_step_tokens_max(w->loop) >= w->config.seqs_max ||
		     !strstr(w->config.scheduler, "mix=0")))
			return "first tokens are not in the order of arrival";
		first_ns = o->first_token_ns;
		tokens = 0;
		for (uint32_t k = 0; k < w->requests[i].samples; k++)
			tokens += world_output(w, &w->requests[i], k);
		if (o->output_tokens != tokens)
			return "a request has not got all its tokens";
		if (o->first_scheduled_ns < o->arrival_ns ||
		    o->first_token_ns <= o->first_scheduled_ns || o->finish_ns < o->first_token_ns)
			return "a request's times are out of order";
	}
	return NULL;
}

/*
 * As many random worlds as fit into QUIRE_SECONDS, and ten for each combination.
 * A failure prints the seed; QUIRE_SEED=N runs that one alone
 * and tells its story if it fails.
 */
START_TEST(test_any)
{
	const char *given = getenv("QUIRE_SEED"), *seconds = getenv("QUIRE_SECONDS");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000;
	uint64_t preemptions = 0, refused = 0, forks = 0, runs = 0, copies = 0;
	time_t until = time(NULL) + (seconds ? atoi(seconds) : 8);

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("random worlds from seed %llu\n", (unsigned long long)seed);
	for (; runs < 10 * ANY_SCHEDULERS * ANY_ALLOCATORS || time(NULL) < until; runs++, seed++) {
		uint32_t scheduler = (uint32_t)(seed % ANY_SCHEDULERS);
		uint32_t allocator = (uint32_t)(seed / ANY_SCHEDULERS % ANY_ALLOCATORS);
		uint64_t random = seed * 0x9e3779b97f4a7c15u + 1, again = random;
		struct world w, twin;
		const char *bad;

		any_world(&w, &random, scheduler, allocator);
		world_run(&w);
		bad = judge(&w, (int)allocator);
		if (bad && given)
			world_tell(&w);
		ck_assert_msg(!bad, "QUIRE_SEED=%llu: %s with %s: %s", (unsigned long long)seed,
			      w.config.scheduler, w.config.allocator, bad);
		/* The same again, without audit and listeners, is the same. */
		any_world(&twin, &again, scheduler, allocator);
		twin.quiet = true;
		twin.config.audit = false;
		world_run(&twin);
		ck_assert_msg(twin.m->digest == w.m->digest && twin.m->end_ns == w.m->end_ns,
			      "QUIRE_SEED=%llu: twins differ", (unsigned long long)seed);
		preemptions += w.m->preemptions;
		refused += w.m->refused;
		forks += w.m->forks;
		copies += w.m->copies;
		world_free(&w);
		world_free(&twin);
		if (given)
			break;
	}
	printf("%llu runs, %llu preemptions, %llu refusals, %llu forks, %llu copies\n",
	       (unsigned long long)runs, (unsigned long long)preemptions,
	       (unsigned long long)refused, (unsigned long long)forks, (unsigned long long)copies);
	if (!given)
		ck_assert(preemptions > runs && refused > runs && forks > runs && copies > runs);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("schedulers");
	TCase *by_hand = tcase_create("by hand");
	TCase *samples = tcase_create("samples");
	TCase *any = tcase_create("any");
	SRunner *runner;
	int failed;

	tcase_add_test(by_hand, test_split);
	tcase_add_test(by_hand, test_decodes_first);
	tcase_add_test(by_hand, test_alternate);
	tcase_add_test(by_hand, test_short_admits_nobody);
	tcase_add_test(by_hand, test_budget);
	tcase_add_loop_test(by_hand, test_p6, 0, 3);
	tcase_add_test(by_hand, test_static_batch);
	tcase_add_test(by_hand, test_static_waits);
	tcase_add_test(by_hand, test_static_until);
	tcase_add_test(by_hand, test_static_drops_first);
	tcase_add_test(by_hand, test_static_gives_up);
	tcase_add_test(by_hand, test_preempt_newest);
	tcase_add_test(by_hand, test_prefill_first);
	tcase_add_loop_test(samples, test_samples, 0, 6);
	tcase_add_loop_test(samples, test_samples_wait, 2, 6);
	tcase_add_loop_test(samples, test_samples_preempted, 0, 6);
	tcase_add_loop_test(samples, test_samples_over_budget, 0, 6);
	tcase_add_test(any, test_any);
	suite_add_tcase(suite, by_hand);
	suite_add_tcase(suite, samples);
	suite_add_tcase(suite, any);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
