/*
 * test_timemodel.c - measured time models: DistServe's lines, Sarathi's tables and
 * replays, against sums done by hand; files that are broken; and the real ones, where
 * they are.
 */
#include "core/sim/timing.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/quire-test-timing-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *write_file(const char *name, const char *text)
{
	const char *path = in_folder(name);
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
	return path;
}

/* A plan of (tokens, cached) pairs. */
struct hand {
	struct quire_plan plan;
	struct quire_item items[8];
	struct quire_seq seqs[8];
};

static struct quire_plan *plan_of(struct hand *h, uint32_t count, const uint32_t (*work)[2])
{
	memset(h, 0, sizeof(*h));
	h->plan.items = h->items;
	h->plan.items_count = count;
	h->plan.step = 1;
	for (uint32_t i = 0; i < count; i++) {
		h->seqs[i].cached_tokens = work[i][1];
		h->items[i] = (struct quire_item){.seq = &h->seqs[i], .tokens = work[i][0]};
		h->plan.tokens_count += work[i][0];
	}
	return &h->plan;
}

static uint64_t ns_of(struct quire_timing *t, const struct quire_plan *plan)
{
	uint64_t ns = 0;

	ck_assert_msg(t->ops->step_ns(t, plan, &ns) == 0, "%s", quire_failure());
	return ns;
}

#define LINES                                                                                      \
	"{\"x/Tiny-1\": {\"2\": {\"prefill\": [10, 0.5, 0.001], \"decoding_smallbs\": [4, 0.01, "  \
	"1],"                                                                                      \
	"\"decoding_largebs\": [6, 0.02, 2], \"decoding_large_small_bs_threshold\": 3}}}"

START_TEST(distserve_by_hand)
{
	static const uint32_t prompts[][2] = {{100, 0}, {50, 100}};
	static const uint32_t small[][2] = {{1, 99}, {1, 199}};
	static const uint32_t large[][2] = {{1, 99}, {1, 199}, {1, 299}};
	static const uint32_t mixed[][2] = {{100, 0}, {1, 199}};
	struct quire_timing *t;
	struct hand h;

	ck_assert_msg(quire_timing_read(&t, write_file("t.json", LINES), "tiny-1", 2) == 0, "%s",
		      quire_failure());
	ck_assert_str_eq(t->ops->name, "distserve");
	/* 10 + 0.5 * 150 + 0.001 * (100^2 + 150^2 - 100^2) */
	ck_assert_uint_eq(ns_of(t, plan_of(&h, 2, prompts)), 107500000);
	ck_assert_uint_eq(ns_of(t, plan_of(&h, 2, small)), 9000000);  /* 4 + 0.01 * 300 + 2 */
	ck_assert_uint_eq(ns_of(t, plan_of(&h, 3, large)), 24000000); /* 6 + 0.02 * 600 + 6 */
	/* 10 + 50 + 10, and of the decode 0.01 * 200 + 1 beyond an empty one */
	ck_assert_uint_eq(ns_of(t, plan_of(&h, 2, mixed)), 73000000);
	/* a rectangle: 2 rows of 100 tokens over 150 */
	plan_of(&h, 2, prompts)->pad_tokens = 100;
	h.plan.pad_slots = 150;
	ck_assert_uint_eq(ns_of(t, &h.plan), (uint64_t)(1e6 * (10 + 100 + 40)));
	quire_timing_free(t);
}
END_TEST

static void write_tables(const char *prefill, const char *decode)
{
	write_file("figure-2_prefill.csv", prefill);
	write_file("figure-2_decode.csv", decode);
}

#define PREFILL                                                                                    \
	",batch_num_tokens,operation,batch_execution_time\n0,100,x,0.010\n1,200,x,0.030\n"         \
	"2,400,x,0.040\n"
#define DECODE "batch_execution_time,batch_num_tokens\n0.005,1\n0.006,2\n0.010,4\n"

START_TEST(sarathi_by_hand)
{
	static const struct {
		uint32_t prompt, decodes;
		double ms;
	} known[] = {
		{100, 0, 10},
		{150, 0, 20},
		{300, 0, 35},
		{600, 0, 50}, /* goes on */
		{50, 0, 10},  /* holds */
		{0, 1, 5},
		{0, 3, 8},
		{0, 6, 14},	      /* goes on */
		{200, 3, 30 + 8 - 4}, /* empty: 4 */
	};
	struct quire_timing *t;
	struct hand h;

	write_tables(PREFILL, DECODE);
	ck_assert_msg(quire_timing_read(&t, folder, "any", 1) == 0, "%s", quire_failure());
	ck_assert_str_eq(t->ops->name, "sarathi");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t work[8][2] = {{0, 0}}, count = 0;
		double off;

		if (known[i].prompt)
			work[count++][0] = known[i].prompt;
		for (uint32_t k = 0; k < known[i].decodes; k++) {
			work[count][0] = 1;
			work[count++][1] = 77;
		}
		off = (double)ns_of(t, plan_of(&h, count, (const uint32_t(*)[2])work)) -
		      known[i].ms * 1e6;
		if (off < 0 - 1e-3 || off > 1)
			ck_abort_msg("%u + %u: %g ns off", known[i].prompt, known[i].decodes, off);
	}
	quire_timing_free(t);
}
END_TEST

START_TEST(replay_step_by_step)
{
	static const uint32_t work[][2] = {{1, 5}};
	struct quire_replay_plan *plans = malloc(3 * sizeof(*plans));
	struct quire_timing *t;
	uint64_t ns, step = 0;
	struct hand h;

	plans[0] = (struct quire_replay_plan){1, 5, 116};
	plans[1] = (struct quire_replay_plan){3, 120, 0}; /* empty */
	plans[2] = (struct quire_replay_plan){4, 200, 422};
	t = quire_timing_replay(plans, 3);
	plan_of(&h, 1, work);
	ck_assert_uint_eq(ns_of(t, &h.plan), 111);
	h.plan.step = 4;
	ck_assert_uint_eq(ns_of(t, &h.plan), 222);
	h.plan.step = 3;
	ck_assert_int_eq(t->ops->step_ns(t, &h.plan, &ns), -ERANGE);
	h.plan.step = 5;
	ck_assert_int_eq(t->ops->step_ns(t, &h.plan, &ns), -ERANGE);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "3 plans, and no step 5"));
	ck_assert_uint_eq(t->ops->next_ns(t, &step), 5);
	ck_assert_uint_eq(step, 1);
	ck_assert_uint_eq(t->ops->next_ns(t, &step), 120);
	ck_assert_uint_eq(step, 3);
	ck_assert_uint_eq(t->ops->next_ns(t, &step), 200);
	ck_assert_uint_eq(t->ops->next_ns(t, &step), 0);
	quire_timing_free(t);
}
END_TEST

static const struct {
	const char *from, *to, *says;
} bad_lines[] = {
	{"Tiny-1", "Tiny-2", "has no tiny-1, but x/Tiny-2"},
	{"\"2\": {", "\"4\": {", "with --tp 2, but with 4"},
	{"[10, 0.5, 0.001]", "[10, 0.5]", "'prefill' must be"},
	{"[4, 0.01, 1]", "[4, null, 1]", "'decoding_smallbs' must be"},
	{"\"decoding_largebs\"", "\"x\"", "'decoding_largebs' must be"},
	{"\": 3}", "\": 3.5}", "'decoding_large_small_bs_threshold' must be"},
	{"}}}", "}}", "expected a recording"},
	{"{\"x/Tiny-1\"", "[{\"x/Tiny-1\"", "expected a recording"},
};

START_TEST(bad_lines_are_refused)
{
	const char *at = strstr(LINES, bad_lines[_i].from);
	struct quire_timing *t = NULL;
	char text[1024];

	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - LINES), LINES, bad_lines[_i].to,
		 at + strlen(bad_lines[_i].from));
	ck_assert_int_eq(quire_timing_read(&t, write_file("t.json", text), "tiny-1", 2), -EINVAL);
	ck_assert_msg(strstr(quire_failure(), bad_lines[_i].says) != NULL, "says: %s",
		      quire_failure());
	ck_assert_ptr_null(strchr(quire_failure(), '\n'));
	ck_assert_ptr_null(t);
}
END_TEST

static const char *const bad_tables[][2] = {
	{"", "is empty"},
	{"a,b\n1,2\n", ":1: there is no column 'batch_num_tokens'"},
	{"batch_num_tokens,batch_execution_time\n1,2\n", "at least two rows"},
	{"batch_num_tokens,batch_execution_time\n1,2\n1,3\n", ":3: batch_num_tokens must rise"},
	{"batch_num_tokens,batch_execution_time\n1,2\n2,-3\n", ":3: expected a number above 0"},
	{"batch_num_tokens,batch_execution_time\n1,2\nx,3\n", "found 'x'"},
	{"batch_num_tokens,batch_execution_time\n1,2\n2,3,4\n", ":3: expected 2 columns"},
	{"batch_num_tokens,batch_execution_time\n1,2\n2,nan\n", ":3: expected a number above 0"},
};

START_TEST(bad_tables_are_refused)
{
	struct quire_timing *t = NULL;

	write_tables(PREFILL, bad_tables[_i][0]);
	ck_assert_int_eq(quire_timing_read(&t, folder, "any", 1), -EINVAL);
	ck_assert_msg(strstr(quire_failure(), bad_tables[_i][1]) != NULL, "says: %s",
		      quire_failure());
	ck_assert_ptr_nonnull(strstr(quire_failure(), "figure-2_decode.csv"));
	unlink(in_folder("figure-2_prefill.csv"));
	ck_assert_int_eq(quire_timing_read(&t, folder, "any", 1), -ENOENT);
	ck_assert_int_eq(quire_timing_read(&t, in_folder("nowhere"), "any", 1), -ENOENT);
}
END_TEST

/* What is in the published files, read by hand. */
START_TEST(published_files)
{
	static const uint32_t one[][2] = {{1, 1023}}, prompt[][2] = {{512, 0}};
	const char *shared = getenv("QUIRE_SHARED");
	struct quire_timing *t;
	struct hand h;
	char path[4096];

	if (!shared)
		shared = QUIRE_SOURCE_DIR "/../shared";
	snprintf(path, sizeof(path), "%s/traces/sarathi", shared);
	if (access(path, R_OK)) {
		fprintf(stderr, "skipped: there is no %s\n", path);
		return;
	}
	ck_assert_msg(quire_timing_read(&t, path, "Yi-34B", 2) == 0, "%s", quire_failure());
	ck_assert_uint_eq(ns_of(t, plan_of(&h, 1, one)) / 1000, 46803);
	ck_assert_uint_eq(ns_of(t, plan_of(&h, 1, prompt)) / 1000, 105581);
	quire_timing_free(t);
	snprintf(path, sizeof(path), "%s/traces/distserve/profiler-a100-80g.vllm.json", shared);
	ck_assert_msg(quire_timing_read(&t, path, "OPT-13B", 1) == 0, "%s", quire_failure());
	/* 23.475 + 0.000593 * 1,024 + 0.0607 ms */
	ck_assert_uint_eq(ns_of(t, plan_of(&h, 1, one)) / 10000, 2414);
	quire_timing_free(t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("time models");
	TCase *good = tcase_create("good"), *bad = tcase_create("bad");
	static const char *const files[] = {"t.json", "figure-2_prefill.csv",
					    "figure-2_decode.csv"};
	SRunner *runner;
	int failed;

	if (!mkdtemp(folder)) {
		perror(folder);
		return EXIT_FAILURE;
	}
	tcase_add_test(good, distserve_by_hand);
	tcase_add_test(good, sarathi_by_hand);
	tcase_add_test(good, replay_step_by_step);
	tcase_add_test(good, published_files);
	tcase_add_loop_test(bad, bad_lines_are_refused, 0,
			    (int)(sizeof(bad_lines) / sizeof(bad_lines[0])));
	tcase_add_loop_test(bad, bad_tables_are_refused, 0,
			    (int)(sizeof(bad_tables) / sizeof(bad_tables[0])));
	suite_add_tcase(suite, good);
	suite_add_tcase(suite, bad);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(in_folder(files[i]));
	rmdir(folder);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
