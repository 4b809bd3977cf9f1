/*
 * test_bad_modules.c - the process outlives its modules.  Each module here is bad in
 * one way, which its file in tests/modules tells; each ends in the stated way: the
 * run goes on and the fault is counted, or the run ends with one sentence.
 */
#include "world.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Every run must end in one of these. */
enum { FINISHES, EJECTED };

static void said(const struct world *w, const char *module, const char *parts)
{
	char part[256];

	ck_assert_msg(strstr(w->sentence, module), "'%s' does not name '%s'", w->sentence, module);
	ck_assert_ptr_null(strchr(w->sentence, '\n'));
	for (size_t n; *parts; parts += n + (parts[n] == '|')) {
		n = strcspn(parts, "|");
		snprintf(part, sizeof(part), "%.*s", (int)n, parts);
		ck_assert_msg(strstr(w->sentence, part), "'%s' does not say '%s'", w->sentence,
			      part);
	}
}

/* What holds for every run, however it ended. */
static void check_end(struct world *w, int end)
{
	uint64_t ejections = 0;
	char dump[8192] = "";
	FILE *out = fmemopen(dump, sizeof(dump), "w");

	for (size_t i = 0; i < w->events_count; i++)
		ejections += w->events[i].kind == QUIRE_EV_EJECT;
	ck_assert_int_eq(w->rc, end == EJECTED ? -ECANCELED : 0);
	ck_assert_uint_eq(ejections, end == EJECTED);
	ck_assert_str_eq(w->wrong, "");
	ck_assert_uint_eq(w->m->arrived >= w->m->finished + w->m->refused, 1);
	quire_loop_dump(w->loop, out);
	fclose(out);
	ck_assert_msg(strstr(dump, "sequences alive"), "the dump is '%s'", dump);
	if (end == FINISHES) {
		ck_assert_uint_eq(w->m->finished, w->config.requests_count);
		ck_assert_msg(strstr(dump, "0 sequences alive, 0 hold 0 of"), "%s", dump);
	}
}

/* ---- schedulers ---- */

static const struct {
	const char *module;
	int end;
	const char *parts; /* of the sentence */
	int fault;	   /* QUIRE_FAULT_*; -1: none is counted */
} scheds[] = {
	{"sched_stall", EJECTED, "scheduler|stalls|planned nothing, and nothing will arrive|alive",
	 -1},
	{"sched_wake", EJECTED, "stalls|planned nothing a million times in a row", -1},
	{"sched_overspend", FINISHES, "", QUIRE_FAULT_OVERSPENT},
	{"sched_twice", FINISHES, "", QUIRE_FAULT_TWICE},
	{"sched_tokens", FINISHES, "", QUIRE_FAULT_TOKENS},
	{"sched_planned", FINISHES, "", QUIRE_FAULT_PLANNED},
	{"sched_keep", EJECTED, "stalls|finished sequences that it keeps", -1},
	{"sched_pad", EJECTED, "pads finished sequences and never lets them go", -1},
	{"sched_starve", EJECTED, "stalls|1 waiting, 0 running and 0 finished", -1},
	{"sched_livelock", EJECTED, "makes no progress|preempts before anything is sampled", -1},
	{"sched_forget", EJECTED, "leaves sequence|in one of its queues", -1},
	{"sched_stale", FINISHES, "", QUIRE_FAULT_STATE},
	{"sched_outside", FINISHES, "", QUIRE_FAULT_STATE},
};

static void run_scheduler(struct world *w, int i, const char *allocator, uint32_t samples)
{
	world_init(w, world_module(scheds[i].module, ""), allocator);
	w->config.step_tokens_max = 10;
	for (uint32_t k = 0; k < 12; k++) {
		struct quire_request *r = world_add(w, 3 + 2 * k % 7, 2 + k % 5);

		r->samples = samples;
		r->output_tokens_max = 8;
		r->arrival_ns = k * 200;
	}
	world_run(w);
}

START_TEST(test_scheduler)
{
	static const char *const allocators[] = {"paged,block=4", "contiguous,reserve=cap,block=4",
						 "contiguous,reserve=oracle,place=best"};

	for (uint32_t k = 0; k < 6; k++) {
		uint64_t faults = 0;
		struct world w;

		run_scheduler(&w, _i, allocators[k / 2], 1 + k % 2);
		check_end(&w, scheds[_i].end);
		if (scheds[_i].end == EJECTED)
			said(&w, strchr(scheds[_i].module, '_') + 1, scheds[_i].parts);
		for (int f = 0; f < QUIRE_FAULT_COUNT; f++)
			faults += w.m->faults[f].count;
		if (scheds[_i].fault < 0) {
			ck_assert_uint_eq(faults, 0);
		} else {
			const struct quire_fault_count *f = &w.m->faults[scheds[_i].fault];

			ck_assert_uint_gt(f->count, 0);
			ck_assert_uint_gt(f->first_step, 0);
			ck_assert_uint_gt(f->first_seq, 0);
		}
		world_free(&w);
	}
}
END_TEST

/* In a pool that three sequences fill, the newest gives its slots back again and again. */
START_TEST(test_circles)
{
	struct world w;

	world_init(&w, world_module("sched_circles", ""), "paged,block=4,watermark=0");
	w.config.slots_total = 24;
	for (uint32_t k = 0; k < 3; k++)
		world_add(&w, 7, 12);
	world_run(&w);
	check_end(&w, EJECTED);
	said(&w, "circles", "goes round in circles|refused in one step|3 sequences are alive");
	ck_assert_uint_gt(w.m->faults[QUIRE_FAULT_STATE].count, 0);
	world_free(&w);
}
END_TEST

/* ---- allocators ---- */

static const struct {
	const char *module;
	const char *parts;	 /* of the sentence, without --audit */
	const char *parts_audit; /* NULL: the same; what an audit finds, it finds earlier */
} kvs[] = {
	{"kv_outside", "allocator|maps sequence|outside the pool of 48", NULL},
	{"kv_overlap", "maps sequence|which another sequence holds", NULL},
	{"kv_leak", "leaks: sequence|gave back", NULL},
	{"kv_leak_silent", "leaks: no sequence is left", "audit|counts 1 references to slot"},
	{"kv_leak_hidden", "it loses slots", NULL},
	{"kv_nonsense", "answers grow() with|expected 0, -ENOSPC or -E2BIG", NULL},
	{"kv_moves", "changed the map of sequence|without being asked", "audit|would read slot"},
	{"kv_nowhere", "changed the map of sequence|without being asked", NULL},
	{"kv_reshape", "maps sequence 2 to slot|which another sequence holds",
	 "audit|references to slot"},
	{"kv_no_cow", "lets sequence|write slot|which another one reads", NULL},
	{"kv_refs", "leaks: sequence", "audit|references to slot"},
	{"kv_lies", "counts 1 slots held where its maps show", NULL},
	{"kv_short", "gives sequence|a map of|where|were asked for", NULL},
	{"kv_null", "gives sequence 1 a map of", NULL},
	{"kv_copies", "copies 4 slots from 48 to", NULL},
	{"kv_copies_late", "copies 1000000 slots from 0 to 48", NULL},
};

static void run_allocator(struct world *w, int i, bool audit)
{
	world_init(w, "continuous", world_module(kvs[i].module, ""));
	w->config.audit = audit;
	w->config.seq_tokens_max = 41;
	for (uint32_t k = 0; k < 24; k++) {
		struct quire_request *r = world_add(w, 5 + 3 * k % 11, 3 + k % 6);

		r->samples = 1 + (k % 3 == 1);
		r->arrival_ns = k * 2500;
	}
	world_add(w, 38, 3);
	world_run(w);
}

START_TEST(test_allocator)
{
	const char *name = strchr(kvs[_i].module, '_') + 1;
	struct world w;

	for (int audit = 0; audit < 2; audit++) {
		run_allocator(&w, _i, audit);
		check_end(&w, EJECTED);
		said(&w, name, audit && kvs[_i].parts_audit ? kvs[_i].parts_audit : kvs[_i].parts);
		world_free(&w);
	}
}
END_TEST

/* Bad allocators under every scheduler: whatever is said, nothing crashes or leaks. */
START_TEST(test_allocator_survived)
{
	static const char *const schedulers[] = {"static,batch=3", "splitfuse,budget=7",
						 "splitfuse,mix=0,budget=9",
						 "continuous,prefill=first"};
	struct world w;

	for (int k = 0; k < 8; k++) {
		world_init(&w, schedulers[k / 2], world_module(kvs[_i].module, ""));
		w.config.audit = k % 2;
		for (uint32_t r = 0; r < 24; r++)
			world_add(&w, 2 + 3 * r % 11, 1 + r % 9)->samples = 1 + r % 3;
		world_run(&w);
		ck_assert_int_eq(w.rc, -ECANCELED);
		ck_assert_str_eq(w.wrong, "");
		world_free(&w);
	}
}
END_TEST

/* ---- and the executor ---- */

START_TEST(test_executor_fails)
{
	struct world w;

	world_init(&w, "continuous", "paged,block=4");
	w.fail_at_step = 3;
	world_add(&w, 5, 9);
	world_add(&w, 5, 9);
	ck_assert_int_eq(world_run(&w), -EIO);
	ck_assert_str_eq(w.sentence, "the device has caught fire");
	ck_assert_uint_eq(w.m->steps, 2);
	ck_assert_uint_eq(w.m->outcomes[0].output_tokens, 2);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bad modules");
	TCase *sched = tcase_create("schedulers");
	TCase *kv = tcase_create("allocators");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(sched, test_scheduler, 0, sizeof(scheds) / sizeof(*scheds));
	tcase_add_test(sched, test_circles);
	tcase_add_loop_test(kv, test_allocator, 0, sizeof(kvs) / sizeof(*kvs));
	tcase_add_loop_test(kv, test_allocator_survived, 0, sizeof(kvs) / sizeof(*kvs));
	tcase_add_test(kv, test_executor_fails);
	suite_add_tcase(suite, sched);
	suite_add_tcase(suite, kv);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
