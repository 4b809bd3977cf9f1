/*
 * test_loop.c - the loop itself: figures and digest against the events, the window,
 * refusals, closed loops, waking, sinks, and memory.
 *
 * The program is linked with --wrap for malloc and its sisters, so that a test can
 * count the allocations of the core, and make the n-th one fail.
 */
#include "refold.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- malloc, watched ---- */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *at, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *at, size_t bytes);

static uint64_t allocations;
static uint64_t fail_at; /* the n-th allocation from now on fails; 0: none does */

static bool fails(void)
{
	allocations++;
	return fail_at && --fail_at == 0;
}

void *__wrap_malloc(size_t bytes)
{
	return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *at, size_t bytes)
{
	return fails() ? NULL : __real_realloc(at, bytes);
}

static const char *const schedulers[] = {
	"static,batch=3",	    "static,batch=4,until=12", "continuous",
	"continuous,prefill=first", "splitfuse,budget=16",     "splitfuse,mix=0,budget=16",
};
static const char *const allocators[] = {
	"paged,block=4",
	"paged,block=4,cow=0",
	"contiguous,reserve=cap,block=4",
	"contiguous,reserve=oracle,place=first",
	"contiguous,reserve=pow2,place=best",
};

#define PAIRS	   30
#define PAIR(w, i) world_init(w, schedulers[(i) % 6], allocators[(i) / 6])

/* Some of everything: arrivals, samples, preemptions, refusals. */
static void fill(struct world *w)
{
	for (uint32_t i = 0; i < 40; i++) {
		struct quire_request *r = world_add(w, 1 + 7 * i % 17, 1 + 5 * i % 14);

		r->arrival_ns += i % 5 ? 0 : 3000;
		r->samples = 1 + i % 3;
		r->output_tokens_max = 14;
	}
	world_add(w, 40, 3); /* too long a prompt */
	world_add(w, 12, 16)->output_tokens_max = 18;
}

static void run_well(struct world *w)
{
	world_run(w);
	ck_assert_msg(!world_bad(w), "%s with %s: %s", w->config.scheduler, w->config.allocator,
		      world_bad(w));
	if (!w->quiet)
		ck_assert_msg(!refold(w), "%s with %s: %s", w->config.scheduler,
			      w->config.allocator, refold(w));
}

/* ---- figures ---- */

START_TEST(test_refold)
{
	struct world w;

	PAIR(&w, _i);
	fill(&w);
	run_well(&w);
	ck_assert_uint_eq(w.m->refused, 1);
	ck_assert_uint_eq(w.m->window_steps, w.m->steps);
	ck_assert_uint_eq(w.m->requests_done, 41);
	ck_assert_uint_gt(w.m->itl.count, 0);
	ck_assert_uint_gt(w.m->forks, 0);
	world_free(&w);
}
END_TEST

/* One request, by hand: steps of 1000 ns and 10 ns a token. */
START_TEST(test_by_hand)
{
	struct world w;

	world_init(&w, "continuous", "paged,block=4");
	world_add(&w, 5, 3)->arrival_ns = 700;
	run_well(&w);
	ck_assert_uint_eq(w.m->steps, 3);
	ck_assert_uint_eq(w.m->outcomes[0].arrival_ns, 700);
	ck_assert_uint_eq(w.m->outcomes[0].first_scheduled_ns, 700);
	ck_assert_uint_eq(w.m->outcomes[0].first_token_ns, 1750);
	ck_assert_uint_eq(w.m->outcomes[0].finish_ns, 3770);
	ck_assert_uint_eq(w.m->end_ns, 3770);
	ck_assert_uint_eq(w.m->outcomes[0].output_tokens, 3);
	ck_assert_uint_eq(w.m->itl.count, 2);
	ck_assert_uint_eq(w.m->itl.sum_ns, 2020);
	ck_assert_uint_eq(w.m->itl.max_ns, 1010);
	ck_assert_uint_eq(w.m->tokens_sum, 7);
	ck_assert_uint_eq(w.m->seqs_sum, 3);
	ck_assert_uint_eq(w.m->prompt_tokens, 5);
	ck_assert_uint_eq(w.m->output_tokens, 3);
	/* 5, 6 and 7 tokens live in 8 slots; it will end at 8, of which it caches 7, but
	 * the room of the eighth is counted as its own. */
	ck_assert_uint_eq(w.m->token_states_sum, 18);
	ck_assert_uint_eq(w.m->reserved_sum, 6);
	ck_assert_uint_eq(w.m->internal_sum, 0);
	ck_assert_uint_eq(w.m->rounding_sum, 0);
	ck_assert_uint_eq(w.m->free_sum, 120);
	world_free(&w);
}
END_TEST

/*
 * The window takes steps by their begin and requests by their arrival.  Two windows
 * that touch make the whole.
 */
START_TEST(test_window)
{
	struct world whole, part[2];
	uint64_t cut_ns;

	PAIR(&whole, _i);
	fill(&whole);
	run_well(&whole);
	cut_ns = 13000; /* in the middle of a step, and of the arrivals */
	for (int k = 0; k < 2; k++) {
		PAIR(&part[k], _i);
		fill(&part[k]);
		part[k].config.window_from_ns = k ? cut_ns : 0;
		part[k].config.window_until_ns = k ? 0 : cut_ns;
		run_well(&part[k]);
		ck_assert_uint_eq(part[k].m->digest, whole.m->digest);
		ck_assert_uint_gt(part[k].m->window_steps, 0);
		ck_assert_uint_gt(part[k].m->itl.count, 0);
	}
#define SUM(field) ck_assert_uint_eq(part[0].m->field + part[1].m->field, whole.m->field)
	SUM(window_steps);
	SUM(tokens_sum);
	SUM(seqs_sum);
	SUM(token_states_sum);
	SUM(reserved_sum);
	SUM(internal_sum);
	SUM(rounding_sum);
	SUM(free_sum);
	SUM(largest_sum);
	SUM(prompt_tokens);
	SUM(output_tokens);
	SUM(itl.count);
	SUM(itl.sum_ns);
#undef SUM
	/* A request may end exactly when the run does, which no window excludes. */
	ck_assert_uint_eq(part[0].m->requests_done + part[1].m->requests_done,
			  whole.m->requests_done);
	ck_assert_uint_lt(part[0].m->window_first_ns, cut_ns);
	ck_assert_uint_ge(part[1].m->window_first_ns, cut_ns);
	ck_assert_uint_ge(part[0].m->window_last_ns, cut_ns); /* the step that crosses it */
	world_free(&whole);
	world_free(&part[0]);
	world_free(&part[1]);
}
END_TEST

/* Steps begin at 0, 1050 and 2060; a window that ends with a step's begin is without it. */
START_TEST(test_window_edges)
{
	static const struct {
		uint64_t from_ns, until_ns;
		uint32_t steps, tokens, gaps;
	} windows[] = {
		{0, 1050, 1, 1, 2},    {0, 1051, 2, 2, 2},    {1050, 2060, 1, 1, 0},
		{1051, 2060, 0, 0, 0}, {1050, 2061, 2, 2, 0}, {2060, 0, 1, 1, 0},
	};

	for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
		struct world w;

		world_init(&w, "continuous", "paged,block=4");
		world_add(&w, 5, 3);
		w.config.window_from_ns = windows[i].from_ns;
		w.config.window_until_ns = windows[i].until_ns;
		run_well(&w);
		ck_assert_uint_eq(w.m->window_steps, windows[i].steps);
		ck_assert_uint_eq(w.m->output_tokens, windows[i].tokens);
		ck_assert_uint_eq(w.m->itl.count, windows[i].gaps);
		world_free(&w);
	}
}
END_TEST

/* An empty window, and one behind the end. */
START_TEST(test_window_empty)
{
	struct world w;

	for (int k = 0; k < 2; k++) {
		world_init(&w, "continuous", "paged,block=4");
		world_add(&w, 5, 3);
		w.config.window_from_ns = k ? 100000 : 500;
		w.config.window_until_ns = k ? 0 : 500;
		run_well(&w);
		ck_assert_uint_eq(w.m->window_steps, 0);
		ck_assert_uint_eq(w.m->itl.count, 0);
		ck_assert_uint_eq(w.m->output_tokens, 0);
		ck_assert_uint_eq(w.m->outcomes[0].output_tokens, 3);
		world_free(&w);
	}
}
END_TEST

/* ---- refusals ---- */

START_TEST(test_refused)
{
	struct world w;

	world_init(&w, schedulers[_i], "paged,block=4");
	w.config.seq_tokens_max = 60; /* more than the pool of 48 */
	w.config.step_tokens_max = 16;
	world_add(&w, 60, 1); /* the prompt leaves no room for a token */
	world_add(&w, 59, 1); /* it does, but not in this pool */
	world_add(&w, 49, 1);
	world_add(&w, 17, 1); /* too much for one step, if it is not split */
	world_add(&w, 16, 2);
	world_add(&w, 3, 2)->samples = 3;
	world_add(&w, 60, 2)->samples = 3;
	run_well(&w);
	ck_assert_uint_eq(w.m->outcomes[0].refused, QUIRE_REFUSED_MODEL_LEN);
	ck_assert_uint_eq(w.m->outcomes[1].refused, QUIRE_REFUSED_POOL);
	ck_assert_uint_eq(w.m->outcomes[2].refused, QUIRE_REFUSED_POOL);
	ck_assert_uint_eq(w.m->outcomes[3].refused, strstr(schedulers[_i], "split")
							    ? QUIRE_REFUSED_NONE
							    : QUIRE_REFUSED_BUDGET);
	ck_assert_uint_eq(w.m->outcomes[4].refused, QUIRE_REFUSED_NONE);
	ck_assert_uint_eq(w.m->outcomes[5].output_tokens, 6);
	ck_assert_uint_eq(w.m->outcomes[6].refused, QUIRE_REFUSED_MODEL_LEN);
	ck_assert_uint_eq(w.m->outcomes[6].samples_left, 0);
	world_free(&w);
}
END_TEST

/* It fits when it comes, and grows until not even an empty pool can hold it. */
START_TEST(test_outgrows_pool)
{
	struct world w;

	world_init(&w, schedulers[_i], "paged,block=4");
	w.config.slots_total = 24;
	world_add(&w, 10, 30);
	world_add(&w, 6, 4)->arrival_ns = 5000;
	world_add(&w, 4, 4)->arrival_ns = 40000;
	run_well(&w);
	ck_assert_uint_eq(w.m->outcomes[0].refused, QUIRE_REFUSED_POOL);
	ck_assert_uint_eq(w.m->outcomes[0].output_tokens, 15); /* 25 known, 24 cached */
	ck_assert_uint_eq(w.m->finished, 2);
	/* Its being scheduled once must not make the queue look shorter than empty. */
	for (int q = 0; q < 4; q++)
		ck_assert_uint_le(w.m->queue_sum[q], 3);
	world_free(&w);
}
END_TEST

/*
 * It becomes longer than its allocator was told, when it lies in the middle of the pool: a
 * piece that is large enough is free only once it has given up its own.
 */
START_TEST(test_in_its_own_way)
{
	static const uint32_t told[] = {4, 4};
	struct world w;

	world_init(&w, schedulers[_i], "contiguous,reserve=oracle,place=first,block=4");
	world_add(&w, 12, 4);
	world_add(&w, 12, 8);
	w.config.output_tokens = told;
	world_run(&w);
	ck_assert_msg(!world_bad(&w), "%s: %s", schedulers[_i], world_bad(&w));
	ck_assert_uint_eq(w.m->finished, 2);
	ck_assert_uint_eq(w.m->preemptions, 1);
	ck_assert_uint_eq(w.m->outcomes[1].output_tokens, 8);
	world_free(&w);
}
END_TEST

/* ---- arrivals ---- */

static uint32_t users_most;

static void count_users(struct world *w, const struct quire_plan *plan)
{
	uint32_t users = w->m->arrived - w->m->finished - w->m->refused;

	(void)plan;
	users_most = users > users_most ? users : users_most;
}

/* Never more requests than users; the next comes when one is answered. */
START_TEST(test_closed)
{
	struct world w;

	for (uint32_t users = 1; users < 7; users += 2) {
		PAIR(&w, _i);
		fill(&w);
		w.config.closed_users = users;
		w.at_step = count_users;
		users_most = 0;
		run_well(&w);
		ck_assert_uint_eq(users_most, users);
		ck_assert_uint_eq(w.idles, 0); /* nobody waits for a clock */
		for (uint32_t i = 0; i < w.m->requests_count; i++)
			ck_assert_uint_eq(w.m->outcomes[i].arrival_ns, w.requests[i].arrival_ns);
		world_free(&w);
	}
}
END_TEST

/* Nothing to do: time passes to the next arrival, and no step is run for it. */
START_TEST(test_idle)
{
	struct world w;

	world_init(&w, "continuous", "paged,block=4");
	world_add(&w, 3, 1)->arrival_ns = 500;
	world_add(&w, 3, 1)->arrival_ns = 1000000;
	world_add(&w, 3, 1)->arrival_ns = 1000000;
	run_well(&w);
	ck_assert_uint_eq(w.idles, 2);
	ck_assert_uint_eq(w.m->steps, 2);
	ck_assert_uint_eq(w.m->outcomes[0].first_scheduled_ns, 500);
	ck_assert_uint_eq(w.m->outcomes[2].first_scheduled_ns, 1000000);
	world_free(&w);
}
END_TEST

START_TEST(test_no_requests)
{
	struct world w;

	world_init(&w, "continuous", "paged,block=4");
	run_well(&w);
	ck_assert_uint_eq(w.m->steps, 0);
	ck_assert_uint_eq(w.m->digest, QUIRE_DIGEST_START);
	world_free(&w);
}
END_TEST

/* A scheduler that waits is woken in time, neither before nor after. */
START_TEST(test_wake)
{
	struct world w;

	world_init(&w, "static,batch=8,wait=0.00002", "paged,block=4");
	world_add(&w, 3, 1)->arrival_ns = 1000;
	world_add(&w, 3, 1)->arrival_ns = 90000;
	run_well(&w);
	ck_assert_uint_eq(w.m->outcomes[0].first_scheduled_ns, 21000);
	ck_assert_uint_eq(w.m->outcomes[1].first_scheduled_ns, 90000);
	ck_assert_uint_eq(w.idles, 3);
	world_free(&w);
}
END_TEST

/* The client's cap and the model's length end a sequence, whatever it had to say. */
START_TEST(test_caps)
{
	struct world w;

	world_init(&w, "continuous", "paged,block=4");
	world_add(&w, 5, 20)->output_tokens_max = 7;
	world_add(&w, 30, 20);
	w.config.output_tokens = NULL; /* and nobody knows in advance */
	world_run(&w);
	ck_assert_msg(!world_bad(&w), "%s", world_bad(&w));
	ck_assert_uint_eq(w.m->outcomes[0].output_tokens, 7);
	ck_assert_uint_eq(w.m->outcomes[1].output_tokens, 10);
	world_free(&w);
}
END_TEST

/* ---- digests ---- */

/* Whatever decides is in the digest: other decisions, another digest. */
START_TEST(test_digest)
{
	uint64_t digests[PAIRS];

	for (uint32_t i = 0; i < PAIRS; i++) {
		struct world w;

		PAIR(&w, i);
		fill(&w);
		w.quiet = true;
		run_well(&w);
		digests[i] = w.m->digest;
		for (uint32_t k = 0; k < i; k++)
			ck_assert_msg(digests[k] != digests[i], "%u and %u are alike", k, i);
		world_free(&w);
	}
}
END_TEST

/* ---- sinks ---- */

static uint64_t heard[QUIRE_EV_COUNT];

static void hear(struct quire_sink *sink, const struct quire_event *event)
{
	if (!(sink->kinds & 1u << event->kind))
		ck_abort_msg("nobody wanted kind %u", event->kind);
	heard[event->kind]++;
}

/* A sink gets what it named, and changes nothing. */
START_TEST(test_sink)
{
	static const uint32_t wants[] = {0, QUIRE_EV_BIT(SAMPLE),
					 QUIRE_EV_BIT(STEP) | QUIRE_EV_BIT(PREEMPT), QUIRE_EV_ALL};
	struct quire_sink sink = {.emit = hear};
	uint64_t counts[QUIRE_EV_COUNT] = {0};
	struct quire_loop *loop;
	struct world w;

	PAIR(&w, _i);
	fill(&w);
	run_well(&w);
	for (size_t i = 0; i < w.events_count; i++)
		counts[w.events[i].kind]++;
	for (int k = 0; k < 4; k++) {
		memset(heard, 0, sizeof(heard));
		sink.kinds = wants[k];
		w.config.sink = &sink;
		w.clock_ns = 0;
		w.quiet = true;
		loop = quire_loop_new(&w.config);
		ck_assert_ptr_nonnull(loop);
		ck_assert_int_eq(quire_loop_run(loop), 0);
		ck_assert_uint_eq(quire_loop_metrics(loop)->digest, w.m->digest);
		for (uint32_t kind = 0; kind < QUIRE_EV_COUNT; kind++)
			ck_assert_uint_eq(heard[kind], wants[k] & 1u << kind ? counts[kind] : 0);
		quire_loop_free(loop);
	}
	world_free(&w);
}
END_TEST

/* ---- progress ---- */

static uint32_t reports;

static void report(void *arg, uint64_t now_ns, uint32_t finished, uint32_t count)
{
	const struct world *w = arg;

	if (now_ns > w->clock_ns || finished > count || count != w->config.requests_count)
		ck_abort_msg("%u of %u", finished, count);
	reports++;
}

START_TEST(test_progress)
{
	struct world w;

	world_init(&w, "continuous", "paged,block=4");
	fill(&w);
	w.config.progress = report;
	w.config.progress_arg = &w;
	run_well(&w);
	ck_assert_uint_gt(reports, 0);
	ck_assert_uint_lt(reports, 10);
	world_free(&w);
}
END_TEST

/* ---- memory ---- */

/* No step allocates: what is there when the first one runs lasts to the last. */
START_TEST(test_no_allocation)
{
	for (int audit = 0; audit < 2; audit++) {
		struct world w;
		uint64_t before, during;
		int rc;

		PAIR(&w, _i);
		fill(&w);
		w.quiet = true;
		w.config.audit = audit;
		w.loop = quire_loop_new(&w.config);
		ck_assert_ptr_nonnull(w.loop);
		w.m = quire_loop_metrics(w.loop);
		before = allocations;
		rc = quire_loop_run(w.loop);
		during = allocations - before; /* Check allocates too */
		ck_assert_int_eq(rc, 0);
		ck_assert_uint_eq(during, 0);
		ck_assert_uint_gt(w.m->steps, 50);
		world_free(&w);
	}
}
END_TEST

/* The n-th allocation fails, for every n: a sentence, and nothing leaks. */
START_TEST(test_out_of_memory)
{
	uint64_t n = 0, failed = 0;
	bool made = false;

	while (!made) {
		struct world w;

		PAIR(&w, _i);
		fill(&w);
		quire_fail(0, "%s", "");
		fail_at = ++n;
		w.loop = quire_loop_new(&w.config);
		made = w.loop != NULL;
		failed += !made;
		fail_at = 0;
		if (!made)
			ck_assert_msg(strstr(quire_failure(), "out of memory"),
				      "allocation %lu: '%s'", (unsigned long)n, quire_failure());
		world_free(&w);
	}
	ck_assert_uint_ge(failed, 12);
}
END_TEST

/* Sequences that no arena could number. */
START_TEST(test_too_many)
{
	struct world w;

	world_init(&w, "continuous", "paged,block=4");
	for (int i = 0; i < 3; i++)
		world_add(&w, 3, 3)->samples = UINT32_MAX / 2;
	ck_assert_int_eq(world_run(&w), -1);
	ck_assert_msg(strstr(w.sentence, "more sequences than"), "%s", w.sentence);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop");
	TCase *figures = tcase_create("figures");
	TCase *requests = tcase_create("requests");
	TCase *memory = tcase_create("memory");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(figures, test_refold, 0, PAIRS);
	tcase_add_test(figures, test_by_hand);
	tcase_add_loop_test(figures, test_window, 0, PAIRS);
	tcase_add_test(figures, test_window_edges);
	tcase_add_test(figures, test_window_empty);
	tcase_add_test(figures, test_digest);
	tcase_add_loop_test(figures, test_sink, 0, PAIRS);
	tcase_add_test(figures, test_progress);
	tcase_add_loop_test(requests, test_refused, 0, 6);
	tcase_add_loop_test(requests, test_outgrows_pool, 0, 6);
	tcase_add_loop_test(requests, test_in_its_own_way, 0, 6);
	tcase_add_loop_test(requests, test_closed, 0, PAIRS);
	tcase_add_test(requests, test_idle);
	tcase_add_test(requests, test_no_requests);
	tcase_add_test(requests, test_wake);
	tcase_add_test(requests, test_caps);
	tcase_add_loop_test(memory, test_no_allocation, 0, PAIRS);
	tcase_add_loop_test(memory, test_out_of_memory, 0, PAIRS);
	tcase_add_test(memory, test_too_many);
	suite_add_tcase(suite, figures);
	suite_add_tcase(suite, requests);
	suite_add_tcase(suite, memory);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
