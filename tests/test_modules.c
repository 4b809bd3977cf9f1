/*
 * test_modules.c - modules by name and by path, and their options: what is found,
 * and which one sentence says why something is not.
 */
#include "core/modules.h"
#include "world.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define SO(name) QUIRE_MODULES_DIR "/" name ".so"

/* One clear sentence: it has all @parts, which stand apart by '|', on one line. */
static void said(const char *parts)
{
	const char *sentence = quire_failure();
	char part[256];

	ck_assert_msg(*sentence, "nothing was said, expected '%s'", parts);
	ck_assert_ptr_null(strchr(sentence, '\n'));
	ck_assert_ptr_null(strstr(sentence, "(null)"));
	for (size_t n; *parts; parts += n + (parts[n] == '|')) {
		n = strcspn(parts, "|");
		snprintf(part, sizeof(part), "%.*s", (int)n, parts);
		ck_assert_msg(strstr(sentence, part), "'%s' does not say '%s'", sentence, part);
	}
}

/* ---- found ---- */

static const struct {
	enum quire_module_kind kind;
	const char *spec, *name, *options;
} found[] = {
	{QUIRE_SCHED, "static", "static", ""},
	{QUIRE_SCHED, "STATIC,batch=8", "static", "batch=8"},
	{QUIRE_SCHED, "Continuous,", "continuous", ""},
	{QUIRE_SCHED, "splitFuse,mix=0,budget=64", "splitfuse", "mix=0,budget=64"},
	{QUIRE_KV, "Paged", "paged", ""},
	{QUIRE_KV, "contiguous,reserve=cap", "contiguous", "reserve=cap"},
	{QUIRE_SCHED, SO("sched_refuse") ",rows=2", "refuse", "rows=2"},
	{QUIRE_KV, SO("load_old"), "old", ""},
};

START_TEST(test_found)
{
	const char *options;
	const struct quire_module *m = quire_module_find(found[_i].kind, found[_i].spec, &options);

	ck_assert_msg(m != NULL, "%s: %s", found[_i].spec, quire_failure());
	ck_assert_uint_eq(m->kind, found[_i].kind);
	ck_assert_str_eq(*(const char *const *)m->ops, found[_i].name);
	ck_assert_str_eq(options, found[_i].options);
}
END_TEST

START_TEST(test_builtin)
{
	const char *options;
	size_t count = 0;

	for (; quire_module_builtin(count); count++) {
		const struct quire_module *m = quire_module_builtin(count);
		const char *name = *(const char *const *)m->ops;

		ck_assert_ptr_eq(quire_module_find(m->kind, name, &options), m);
		ck_assert_ptr_null(quire_module_find(!m->kind, name, &options));
	}
	ck_assert_uint_eq(count, 5);
	ck_assert_ptr_null(quire_module_builtin(SIZE_MAX));
}
END_TEST

/* ---- not found ---- */

static const struct {
	enum quire_module_kind kind;
	const char *spec, *parts;
} refused[] = {
	{QUIRE_SCHED, "statik", "no scheduler is called 'statik'|did you mean 'static'?"},
	{QUIRE_SCHED, "Continous,prefill=first", "'Continous'|did you mean 'continuous'?"},
	{QUIRE_SCHED, "split", "'split'|did you mean 'splitfuse'?"},
	{QUIRE_KV, "pagde", "no allocator is called 'pagde'|did you mean 'paged'?"},
	{QUIRE_KV, "static", "no allocator is called 'static'|'quire list'|'/'"},
	{QUIRE_SCHED, "zzzzzzzz", "no scheduler is called 'zzzzzzzz'|'quire list'"},
	{QUIRE_SCHED, "", "no scheduler is called ''"},
	{QUIRE_SCHED, SO("load_abi"), SO("load_abi") "|ABI 99|has ABI 1|rebuild it"},
	{QUIRE_SCHED, SO("load_symbol"),
	 SO("load_symbol") "|no symbol quire_module|QUIRE_SCHED_MODULE(ops)"},
	{QUIRE_KV, SO("load_symbol"), "no symbol quire_module|QUIRE_KV_MODULE(ops)"},
	{QUIRE_SCHED, SO("load_op"), SO("load_op") "|the required schedule is missing"},
	{QUIRE_SCHED, SO("load_malformed"), SO("load_malformed") "|malformed|QUIRE_SCHED_MODULE"},
	{QUIRE_SCHED, SO("load_old"), SO("load_old") "|expected a scheduler, found an allocator"},
	{QUIRE_KV, SO("sched_refuse"), "expected an allocator, found a scheduler"},
	{QUIRE_SCHED, SO("load_unresolved"),
	 "cannot load a scheduler|load_unresolved.so|nowhere_to_be_found"},
	{QUIRE_KV, "./no/such/file.so", "cannot load an allocator|./no/such/file.so"},
	{QUIRE_SCHED, QUIRE_SOURCE_DIR "/LICENSE,batch=1", "cannot load a scheduler|LICENSE|ELF"},
	{QUIRE_SCHED, QUIRE_SOURCE_DIR "/tests", "cannot load a scheduler|tests"},
};

START_TEST(test_refused)
{
	const char *options;

	quire_fail(0, "%s", "");
	ck_assert_ptr_null(quire_module_find(refused[_i].kind, refused[_i].spec, &options));
	said(refused[_i].parts);
}
END_TEST

/* The same sentences come out of the loop, which is where users meet them. */
START_TEST(test_refused_by_loop)
{
	struct world w;

	world_init(&w, "continuous", "continuous");
	ck_assert_int_eq(world_run(&w), -1);
	said("no allocator is called 'continuous'");
	world_free(&w);
	world_init(&w, "continuous,prefil=first", "paged");
	ck_assert_int_eq(world_run(&w), -1);
	said("continuous: no option is called 'prefil'; did you mean 'prefill'?");
	world_free(&w);
}
END_TEST

START_TEST(test_long_name)
{
	char spec[5000];
	const char *options;

	memset(spec, 'x', sizeof(spec) - 1);
	spec[sizeof(spec) - 1] = '\0';
	ck_assert_ptr_null(quire_module_find(QUIRE_SCHED, spec, &options));
	said("the name of a scheduler is longer than");
}
END_TEST

/* ---- init() that says no ---- */

static const struct {
	const char *scheduler, *allocator, *parts;
} no[] = {
	{SO("sched_refuse"), "paged", "refuse: rows=3 is odd, expected an even number"},
	{SO("sched_refuse") ",rows=5", "paged", "refuse: rows=5 is odd"},
	{"static,batch=9", "paged", "static: batch=9|--max-num-seqs 8"},
	{"static,until=41", "paged", "static: until=41|--max-model-len 40"},
	{"continuous", "paged,block=49", "paged: block=49|48 slots"},
	{"continuous", "contiguous,block=64", "contiguous: block=64|48 slots"},
};

START_TEST(test_init_says_no)
{
	struct world w;

	world_init(&w, no[_i].scheduler, no[_i].allocator);
	world_add(&w, 4, 4);
	ck_assert_int_eq(world_run(&w), -1);
	said(no[_i].parts);
	world_free(&w);
}
END_TEST

START_TEST(test_oracle_needs_lengths)
{
	static const char *const asks[] = {"contiguous,reserve=oracle", "contiguous,reserve=pow2"};

	for (int i = 0; i < 2; i++) {
		struct world w;

		world_init(&w, "continuous", asks[i]);
		w.config.output_tokens = NULL;
		ck_assert_int_eq(world_run(&w), -1);
		said("contiguous|reserve=oracle|true output lengths");
		world_free(&w);
	}
}
END_TEST

/* ---- an older module: the tail of its table is NULL, not what lies there ---- */

START_TEST(test_old)
{
	const char *options;
	const struct quire_module *m = quire_module_find(QUIRE_KV, SO("load_old"), &options);
	struct quire_kv_ops ops;
	struct world w;

	ck_assert_ptr_nonnull(m);
	quire_module_kv_ops(m, &ops);
	ck_assert(ops.visit && !ops.fits && !ops.largest && !ops.check);

	world_init(&w, "continuous", SO("load_old"));
	world_add(&w, 9, 7);
	world_add(&w, 5, 3)->samples = 3;
	world_run(&w);
	ck_assert_msg(!world_bad(&w), "%s", world_bad(&w));
	ck_assert_uint_eq(w.m->finished, 2);
	world_free(&w);
}
END_TEST

/* ---- options ---- */

struct state {
	uint32_t count;
	double share;
	uint64_t wait_ns;
	bool flag;
	uint32_t choice;
	uint32_t rest; /* none of the options' */
};

static const struct quire_option table[] = {
	{"count", QUIRE_COUNT, offsetof(struct state, count), "7", "a count", .min = 2, .max = 9},
	{"share", QUIRE_SHARE, offsetof(struct state, share), "0.01", "a share", .max = 1},
	QUIRE_OPTION("wait", QUIRE_SECONDS, struct state, wait_ns, "0.25", "a time"),
	QUIRE_OPTION("flag", QUIRE_FLAG, struct state, flag, "1", "a flag"),
	{"choice", QUIRE_CHOICE, offsetof(struct state, choice), "two", "a choice",
	 .choices = "one|two|twofold"},
	{.name = NULL},
};

static const struct {
	const char *text;
	struct state state;
} understood[] = {
	{"", {7, 0.01, 250000000, true, 1, 5}},
	{"count=2", {2, 0.01, 250000000, true, 1, 5}},
	{"COUNT=9,Share=1", {9, 1, 250000000, true, 1, 5}},
	{"share=0,wait=0", {7, 0, 0, true, 1, 5}},
	{"wait=1e-9", {7, 0.01, 1, true, 1, 5}},
	{"wait=86400", {7, 0.01, 86400000000000, true, 1, 5}},
	{"flag=0,choice=one", {7, 0.01, 250000000, false, 0, 5}},
	{"choice=twofold,flag=1", {7, 0.01, 250000000, true, 2, 5}},
	{"count=3,count=4,", {4, 0.01, 250000000, true, 1, 5}}, /* the last one counts */
};

START_TEST(test_options)
{
	const struct state *want = &understood[_i].state;
	struct state state = {.rest = 5};

	ck_assert_msg(!quire_options_read("mine", table, &state, understood[_i].text), "%s",
		      quire_failure());
	ck_assert_uint_eq(state.count, want->count);
	ck_assert_double_eq(state.share, want->share);
	ck_assert_uint_eq(state.wait_ns, want->wait_ns);
	ck_assert_int_eq(state.flag, want->flag);
	ck_assert_uint_eq(state.choice, want->choice);
	ck_assert_uint_eq(state.rest, 5);
}
END_TEST

static const struct {
	const char *text, *parts;
} misread[] = {
	{"cuont=3", "mine: no option is called 'cuont'; did you mean 'count'?"},
	{"colour=3", "mine: no option is called 'colour'|'quire list'"},
	{"=3", "mine: no option is called ''"},
	{"count", "mine: expected key=value, found 'count'"},
	{"count=3,flag", "mine: expected key=value, found 'flag'"},
	{",", "mine: expected key=value, found ''"},
	{"count=1", "mine: option count: expected a whole number from 2 to 9, found '1'"},
	{"count=10", "option count|from 2 to 9|'10'"},
	{"count=4294967299", "option count|from 2 to 9|'4294967299'"},
	{"count=-3", "option count|'-3'"},
	{"count=", "option count|found ''"},
	{"count=3x", "option count|'3x'"},
	{"count=3.5", "option count|'3.5'"},
	{"share=1.01", "mine: option share: expected a number from 0 to 1, found '1.01'"},
	{"share=nan", "option share|'nan'"},
	{"share=-0.1", "option share|'-0.1'"},
	{"wait=-1", "option wait|'-1'"},
	{"wait=inf", "option wait|'inf'"},
	{"wait=1s", "option wait|'1s'"},
	{"flag=yes", "mine: option flag: expected 0 or 1, found 'yes'"},
	{"flag=2", "expected 0 or 1, found '2'"},
	{"choice=three", "mine: option choice: expected one|two|twofold, found 'three'"},
	{"choice=tw", "found 'tw'"},
	{"choice=one|two", "found 'one|two'"},
};

START_TEST(test_options_refused)
{
	struct state state = {.rest = 5};

	ck_assert_int_ne(quire_options_read("mine", table, &state, misread[_i].text), 0);
	said(misread[_i].parts);
	ck_assert_uint_eq(state.rest, 5);
}
END_TEST

START_TEST(test_options_none)
{
	char text[400];

	ck_assert_int_eq(quire_options_read("bare", NULL, NULL, ""), 0);
	ck_assert_int_ne(quire_options_read("bare", NULL, NULL, "a=1"), 0);
	said("bare: it has no options, found 'a'");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_ne(quire_options_read("bare", NULL, NULL, text), 0);
	said("bare: an option is longer than 255 bytes");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("modules");
	TCase *find = tcase_create("find");
	TCase *init = tcase_create("init");
	TCase *options = tcase_create("options");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(find, test_found, 0, sizeof(found) / sizeof(*found));
	tcase_add_test(find, test_builtin);
	tcase_add_loop_test(find, test_refused, 0, sizeof(refused) / sizeof(*refused));
	tcase_add_test(find, test_refused_by_loop);
	tcase_add_test(find, test_long_name);
	tcase_add_loop_test(init, test_init_says_no, 0, sizeof(no) / sizeof(*no));
	tcase_add_test(init, test_oracle_needs_lengths);
	tcase_add_test(init, test_old);
	tcase_add_loop_test(options, test_options, 0, sizeof(understood) / sizeof(*understood));
	tcase_add_loop_test(options, test_options_refused, 0, sizeof(misread) / sizeof(*misread));
	tcase_add_test(options, test_options_none);
	suite_add_tcase(suite, find);
	suite_add_tcase(suite, init);
	suite_add_tcase(suite, options);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
