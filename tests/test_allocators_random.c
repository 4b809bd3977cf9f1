/*
 * test_allocators_random.c - random operations on contiguous and paged with every
 * combination of their options, compared with the model after each; in all at
 * least a million, in pools so small that every call can fail.  A failing list of
 * operations is shrunk and printed.  Environment:
 *
 *	QUIRE_TEST_SEED=N	   begin with seed N (a failure prints it); else the clock's
 *	QUIRE_TEST_OPERATIONS=N  in all; 3,000,000 unless given
 */
#include "allocator_script.h"
#include "core/util.h"

#include <check.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLICIES_MAX 100

static struct model_setup policies[POLICIES_MAX];
static int policies_count;
static uint64_t first_seed, operations = 3000000;

/* What the children tell: the script that runs, and what happened so far. */
static struct shared {
	struct script script;
	struct twin_counts counts[POLICIES_MAX];
} * shared;

static void policies_list(void)
{
	static const uint32_t blocks[] = {1, 2, 4, 8, 16};
	static const double watermarks[] = {0, 0.1, 0.25};

	for (size_t b = 0; b < 5; b++)
		for (int cow = 0; cow < 2; cow++)
			for (size_t k = 0; k < 3; k++)
				policies[policies_count++] = (struct model_setup){
					.block = blocks[b], .cow = cow, .watermark = watermarks[k]};
	for (uint32_t reserve = RESERVE_MAX; reserve <= RESERVE_ORACLE; reserve++) {
		for (size_t b = 0; b < 5; b++)
			policies[policies_count++] = (struct model_setup){
				.place = PLACE_BUDDY, .reserve = reserve, .block = blocks[b]};
		policies[policies_count++] =
			(struct model_setup){.place = PLACE_FIRST, .reserve = reserve, .block = 4};
		policies[policies_count++] =
			(struct model_setup){.place = PLACE_BEST, .reserve = reserve, .block = 4};
	}
}

/* Everything that can happen must have happened; else the test tests less than it says. */
static void check_counts(const struct model_setup *p, const struct twin_counts *c)
{
	const bool paged = p->place == PLACE_PAGED;

	if (!c->grown || !c->grow_full || !c->grow_never || !c->forked || !c->run || !c->released)
		ck_abort_msg("%s: it never grew, or was never full, or never forked",
			     model_text(p));
	if (!c->copies_full && !(paged && p->cow && p->block == 1))
		ck_abort_msg("%s: there was always room for a copy", model_text(p));
	if (paged && p->watermark > 0 && !c->watermark_kept)
		ck_abort_msg("%s: the watermark never mattered", model_text(p));
	if (paged && p->cow && p->block > 1 && (!c->cow_copies || !c->last_sharer))
		ck_abort_msg("%s: no copy on write, or no last sharer", model_text(p));
	if (paged != p->cow && !c->fork_full)
		ck_abort_msg("%s: there was always room to fork", model_text(p));
	if (!paged && p->reserve != RESERVE_MAX && !c->moved)
		ck_abort_msg("%s: nothing outgrew its region", model_text(p));
	if (p->place == PLACE_BUDDY && p->reserve != RESERVE_MAX && p->block > 1 &&
	    !c->grown_in_place)
		ck_abort_msg("%s: nothing outgrew its map in its chunk", model_text(p));
}

static void report(struct script *s)
{
	const uint32_t before = s->count;

	script_shrink(s);
	fprintf(stderr,
		"%s fails with seed %llu.\n%u operations were shrunk to %u; a pool of %u slots, "
		"%u sequences of %u tokens at most, %u copies a step:\n",
		model_text(&s->setup), (unsigned long long)s->seed, before, s->count,
		s->setup.slots_total, s->setup.seqs_max, s->setup.seq_tokens_max,
		s->setup.copies_max);
	script_try(s, stderr);
}

START_TEST(random_operations)
{
	const struct model_setup *policy = &policies[_i];
	struct twin_counts *counts = &shared->counts[_i];
	struct script *s = &shared->script;
	uint64_t enough = operations / (uint64_t)policies_count + 1;
	int status = 1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		for (uint64_t seed = first_seed; counts->calls < enough; seed++) {
			alarm(30);
			script_random(s, policy, seed);
			if (!script_run(s, counts, NULL))
				_exit(1);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status) {
		report(s);
		ck_abort_msg("%s: see above; QUIRE_TEST_SEED=%llu repeats it", model_text(policy),
			     (unsigned long long)s->seed);
	}
	if (operations >= 1000000)
		check_counts(policy, counts);
}
END_TEST

/*
 * Is the test itself awake?  With a planted fault, which only what lies in memory
 * can show, it must fail, and no more may be left of it than a sequence, a token,
 * a fork and a write (with paged), or no more than the fork (with contiguous).
 */
START_TEST(planted_fault_is_found_and_shrunk)
{
	const struct model_setup faulty[] = {
		{.place = PLACE_PAGED, .block = 4, .cow = true, .lose_copies = true},
		{.place = PLACE_FIRST, .reserve = RESERVE_CAP, .block = 4, .lose_copies = true},
	};

	for (int i = 0; i < 2; i++) {
		struct script *s = &shared->script;
		uint64_t seed = first_seed;

		do
			script_random(s, &faulty[i], seed++);
		while (script_try(s, NULL) && seed < first_seed + 100);
		ck_assert(!script_try(s, NULL));
		script_shrink(s);
		ck_assert(!script_try(s, NULL));
		ck_assert_uint_le(s->count, 4);
		s->setup.lose_copies = false;
		ck_assert_msg(script_try(s, NULL), "without the fault all should be well");
	}
}
END_TEST

static void summary(void)
{
	struct twin_counts sum = {0};

	for (int i = 0; i < policies_count; i++) {
		const uint64_t *from = (const uint64_t *)&shared->counts[i];

		for (size_t k = 0; k < sizeof(sum) / sizeof(*from); k++)
			((uint64_t *)&sum)[k] += from[k];
	}
	if (!sum.calls)
		return;
	printf("%llu random operations on %d allocators, from seed %llu: %llu grew, %llu were "
	       "refused, %llu forked, %llu copied on write, %llu moved, %llu released\n",
	       (unsigned long long)sum.calls, policies_count, (unsigned long long)first_seed,
	       (unsigned long long)sum.grown, (unsigned long long)(sum.grow_full + sum.grow_never),
	       (unsigned long long)sum.forked, (unsigned long long)sum.cow_copies,
	       (unsigned long long)sum.moved, (unsigned long long)sum.released);
}

static void setting(const char *name, uint64_t *value)
{
	const char *text = getenv(name);

	if (text && quire_parse_u64(name, text, 0, UINT64_MAX / 2, value)) {
		fprintf(stderr, "%s\n", quire_failure());
		exit(2);
	}
}

int main(void)
{
	Suite *suite = suite_create("allocators, at random");
	TCase *random = tcase_create("random");
	SRunner *runner;
	struct timespec now;
	FILE *file;
	int failed;

	clock_gettime(CLOCK_REALTIME, &now);
	first_seed = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	setting("QUIRE_TEST_SEED", &first_seed);
	setting("QUIRE_TEST_OPERATIONS", &operations);
	policies_list();
	file = tmpfile();
	if (!file || ftruncate(fileno(file), sizeof(*shared)))
		return 1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
	if (shared == MAP_FAILED)
		return 1;

	tcase_add_test(random, planted_fault_is_found_and_shrunk);
	tcase_add_loop_test(random, random_operations, 0, policies_count);
	tcase_set_timeout(random, 300);
	suite_add_tcase(suite, random);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	summary();
	return failed != 0;
}
