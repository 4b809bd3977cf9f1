/*
 * test_audit.c - the shadow of the device's memory.  The allocators here hand out maps
 * that look sound; a model that used them would read a stranger's cache, or nothing.
 * Without the audit their runs end well, and with it they end in the step where it
 * happens.
 */
#include "world.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *module;
	const char *parts; /* of the audit's sentence */
	bool unseen;	   /* nobody but the audit finds it */
} bad[] = {
	{"kv_wrong_copy", "would read slot|for its token|which was freed", true},
	{"kv_no_copy", "would read slot|for its token|which was freed", true},
	{"kv_stranger", "would read slot|for its token", true},
	{"kv_shifts", "would read slot|for its token|where another one lies", false},
	{"kv_regions", "maps slot 0, which no region shows", true},
	{"kv_leak_silent", "counts 1 references to slot", false},
};

static void run(struct world *w, const char *module, const char *scheduler, bool audit)
{
	world_init(w, scheduler, world_module(module, ""));
	w->config.audit = audit;
	for (uint32_t k = 0; k < 16; k++) {
		struct quire_request *r = world_add(w, 5 + 3 * k % 11, 3 + k % 6);

		r->samples = 1 + (k % 3 == 1);
		r->arrival_ns = k * 2500;
	}
	world_run(w);
}

START_TEST(test_found)
{
	static const char *const schedulers[] = {"continuous", "continuous,prefill=first",
						 "splitfuse,budget=16", "static,batch=3"};
	const char *name = strchr(bad[_i].module, '_') + 1;
	char part[128], prefix[128];
	struct world w;

	for (int s = 0; s < 4; s++) {
		run(&w, bad[_i].module, schedulers[s], false);
		if (bad[_i].unseen)
			ck_assert_msg(!world_bad(&w), "%s: %s", name, world_bad(&w));
		world_free(&w);

		run(&w, bad[_i].module, schedulers[s], true);
		ck_assert_msg(w.rc == -ECANCELED, "%s under %s is not found", name, schedulers[s]);
		if (!bad[_i].unseen && strncmp(w.sentence, "audit: ", 7) != 0) {
			world_free(&w);
			continue;
		}
		snprintf(prefix, sizeof(prefix), "audit: allocator '%s': ", name);
		ck_assert_msg(!strncmp(w.sentence, prefix, strlen(prefix)), "%s", w.sentence);
		for (const char *p = bad[_i].parts; *p;
		     p += strcspn(p, "|") + (strchr(p, '|') != 0)) {
			snprintf(part, sizeof(part), "%.*s", (int)strcspn(p, "|"), p);
			ck_assert_msg(strstr(w.sentence, part), "'%s' does not say '%s'",
				      w.sentence, part);
		}
		world_free(&w);
	}
}
END_TEST

/* Who is good is not blamed, and the audit changes nothing: same digest, same times. */
START_TEST(test_innocent)
{
	static const char *const good[] = {"paged,block=4",
					   "paged,block=4,cow=0,watermark=0",
					   "paged,block=1",
					   "paged,block=5",
					   "contiguous,reserve=oracle,block=4",
					   "contiguous,reserve=oracle,place=first",
					   "contiguous,reserve=pow2,place=best",
					   "contiguous,reserve=oracle,block=1"};
	struct world with, without;

	for (int audit = 0; audit < 2; audit++) {
		struct world *w = audit ? &with : &without;

		world_init(w, "continuous", good[_i]);
		w->config.audit = audit;
		for (uint32_t k = 0; k < 64; k++)
			world_add(w, 1 + 7 * k % 19, 1 + 5 * k % 13)->samples = 1 + k % 4;
		world_run(w);
		ck_assert_msg(!world_bad(w), "%s: %s", good[_i], world_bad(w));
	}
	ck_assert_uint_eq(with.m->digest, without.m->digest);
	ck_assert_uint_eq(with.m->end_ns, without.m->end_ns);
	ck_assert(with.m->preemptions > 0 || good[_i][0] == 'c');
	world_free(&with);
	world_free(&without);
}
END_TEST

/*
 * A parent that ends in the step in which it forks: its slots are free before the
 * copies that its children wait for are made.  They are made first of all in the
 * next step, so this is sound, and the audit must know it.
 */
START_TEST(test_copy_outlives_parent)
{
	static const char *const kv[] = {"contiguous,reserve=cap,block=4", "paged,block=4,cow=0",
					 "paged,block=4"};

	for (int i = 0; i < 3; i++) {
		struct quire_request *r;
		struct world w;

		world_init(&w, "continuous", kv[i]);
		w.uneven = true; /* 1 token, 2 tokens, 3 tokens */
		for (uint32_t k = 0; k < 6; k++) {
			r = world_add(&w, 6, 1);
			r->samples = 3;
			r->output_tokens_max = 8;
		}
		world_run(&w);
		ck_assert_msg(!world_bad(&w), "%s: %s", kv[i], world_bad(&w));
		ck_assert_uint_eq(w.m->finished, 6);
		ck_assert_uint_eq(w.m->output_tokens, 36);
		world_free(&w);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit");
	TCase *tc = tcase_create("audit");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, test_found, 0, sizeof(bad) / sizeof(*bad));
	tcase_add_loop_test(tc, test_innocent, 0, 8);
	tcase_add_test(tc, test_copy_outlives_parent);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
