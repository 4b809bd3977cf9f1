/*
 * test_grid.c - the grid of a sweep, its CSV, and its intervals.
 */
#include "core/cli/grid.h"
#include "core/cli/sim_args.h"
#include "core/cli/sweep_summary.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const others[] = {"jobs", "help", NULL};

static void add(struct quire_grid *g, const char *flag, const char *values)
{
	if (quire_grid_add(g, flag, values))
		ck_abort_msg("--%s %s: %s", flag, values, quire_failure());
}

static void expect_key(const struct quire_grid *g, uint32_t index, bool seed, const char *expected)
{
	char *key = quire_grid_key(g, index, seed);

	ck_assert_str_eq(key, expected);
	free(key);
}

START_TEST(test_values)
{
	static const struct {
		const char *list;
		uint32_t count;
		const char *last;
	} lists[] = {
		{"static", 1, "static"},
		{" static , continuous ", 2, "continuous"},
		{"static,batch=8", 1, "static,batch=8"},
		{"static, batch=8,wait=1 , continuous", 2, "continuous"},
		{"continuous, static, batch=8", 2, "static,batch=8"},
		{"ttft=1s,tpot=50ms", 1, "ttft=1s,tpot=50ms"},
		{"\"a, b\", c", 2, "c"},
		{"c, \"a, b=2, d\"", 2, "a, b=2, d"},
		{"./a b.so, ./c=d.so", 2, "./c=d.so"},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct quire_grid g;
		const struct quire_grid_axis *axis;

		quire_grid_init(&g, quire_sim_options, others);
		add(&g, "trace", lists[i].list);
		axis = &g.axes[0];
		ck_assert_str_eq(axis->flag, "trace");
		ck_assert_uint_eq(axis->count, lists[i].count);
		ck_assert_str_eq(axis->values[axis->count - 1].text, lists[i].last);
		quire_grid_free(&g);
	}
}
END_TEST

START_TEST(test_keys)
{
	struct quire_grid g;

	quire_grid_init(&g, quire_sim_options, others);
	add(&g, "scheduler", "static,batch=8, continuous");
	add(&g, "model", "it's a path");
	add(&g, "seeds", "3:5,9");
	add(&g, "rate", "2,4");
	add(&g, "shuffle", "off,on");
	add(&g, "audit", NULL);
	ck_assert_uint_eq(quire_grid_count(&g, 0), 2 * 4 * 2 * 2);
	/* In the order of the flags' table, whatever the order here. */
	expect_key(
		&g, 0, true,
		"--rate 2 --seed 3 --model 'it'\\''s a path' --scheduler static,batch=8 --audit");
	expect_key(&g, 31, true,
		   "--rate 4 --shuffle --seed 9 --model 'it'\\''s a path' --scheduler continuous "
		   "--audit");
	expect_key(&g, 31, false,
		   "--rate 4 --shuffle --model 'it'\\''s a path' --scheduler continuous --audit");
	quire_grid_free(&g);
}
END_TEST

/* Combinations of one group are those whose keys without the seed are the same, and
 * groups are numbered as they come. */
START_TEST(test_groups)
{
	struct quire_grid g;
	char *first[8] = {NULL};
	uint32_t groups = 0;

	quire_grid_init(&g, quire_sim_options, others);
	add(&g, "seeds", "0:2");
	add(&g, "rate", "1,2");
	add(&g, "allocator", "all");
	add(&g, "tp", "1,2");
	ck_assert_uint_eq(quire_grid_count(&g, 0), 24);
	for (uint32_t i = 0; i < 24; i++) {
		uint32_t group = quire_grid_group(&g, i);
		char *key = quire_grid_key(&g, i, false);

		if (group > groups || group >= 8)
			ck_abort_msg("combination %u: group %u", i, group);
		if (group == groups)
			first[groups++] = key;
		else if (strcmp(key, first[group]) != 0)
			ck_abort_msg("combination %u: %s is not %s", i, key, first[group]);
		if (key != first[group])
			free(key);
	}
	ck_assert_uint_eq(groups, 8);
	for (uint32_t i = 0; i < 8; i++)
		free(first[i]);
	quire_grid_free(&g);
}
END_TEST

/* The command line takes the place of the file's lines, flag by flag. */
START_TEST(test_file)
{
	char path[] = "/tmp/quire-grid-XXXXXX";
	FILE *out = fdopen(mkstemp(path), "w");
	struct quire_grid g;

	fputs("# comment\n\n--rate=1,2 # another\n  seeds = 0:1\nrate = 3\n"
	      "model = a#b, \"c # d\"\nshuffle\r\ntp = 8",
	      out);
	fclose(out);
	quire_grid_init(&g, quire_sim_options, others);
	add(&g, "seed", "7");
	ck_assert_msg(quire_grid_read(&g, path) == 0, "%s", quire_failure());
	ck_assert_uint_eq(quire_grid_count(&g, 0), 3 * 2);
	expect_key(&g, 5, true, "--rate 3 --shuffle --seed 7 --model 'c # d' --tp 8");
	unlink(path);
	quire_grid_free(&g);
}
END_TEST

/* What is written as a cell is read as it was, but for newlines. */
START_TEST(test_cells)
{
	static const char *const text[] = {"plain",	  "",  "a,b",  "\"",
					   "say \"a,b\"", ",", "\"\"", ""};
	enum { COUNT = sizeof(text) / sizeof(*text) };
	struct quire_sweep_csv csv = {.columns_count = COUNT};
	char *line = NULL, *cell[COUNT];
	size_t size;
	FILE *out = open_memstream(&line, &size);

	for (uint32_t i = 0; i < COUNT; i++) {
		fputs(i ? "," : "", out);
		quire_sweep_csv_cell(out, text[i]);
	}
	fclose(out);
	ck_assert_uint_eq(quire_sweep_csv_cells(&csv, line, cell), COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		ck_assert_str_eq(cell[i], text[i]);
	free(line);
	ck_assert(quire_sweep_csv_number("true") == 1);
	ck_assert(quire_sweep_csv_number("-1.5e3") == -1500);
	ck_assert(isnan(quire_sweep_csv_number("")));
	ck_assert(isnan(quire_sweep_csv_number("0:10")));
}
END_TEST

/* The density of Student's distribution, integrated from 0 to @t by Simpson's rule. */
static double student_half(double t, double v)
{
	const int n = 20000;
	double sum = 0, scale = exp(lgamma((v + 1) / 2) - lgamma(v / 2)) / sqrt(v * acos(-1));

	for (int i = 0; i <= n; i++) {
		double x = t * i / n;

		sum += (i == 0 || i == n ? 1 : i % 2 ? 4 : 2) * pow(1 + x * x / v, -(v + 1) / 2);
	}
	return scale * sum * t / n / 3;
}

START_TEST(test_student)
{
	for (uint32_t v = 1; v <= 200; v++) {
		double covered = 2 * student_half(quire_student_t(v), v);

		if (fabs(covered - 0.95) > 1e-5)
			ck_abort_msg("%u degrees: t = %.9g covers %.7f", v, quire_student_t(v),
				     covered);
	}
	ck_assert(isnan(quire_student_t(0)));
}
END_TEST

START_TEST(test_interval)
{
	static const double value[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
	struct quire_mean m = {.mean = NAN};

	ck_assert(isnan(quire_mean_half(&m)));
	quire_mean_add(&m, value[0]);
	quire_mean_add(&m, NAN);
	ck_assert(m.count == 1 && isnan(quire_mean_half(&m)));
	for (int i = 1; i < 4; i++)
		quire_mean_add(&m, value[i]);
	ck_assert(m.mean == 1e9 + 10);
	ck_assert(fabs(m.squares - 90) < 1e-6); /* so s^2 = 30, s / sqrt(n) = sqrt(7.5) */
	ck_assert(fabs(quire_mean_half(&m) - 3.182446305 * sqrt(7.5)) < 1e-6);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grid");
	TCase *tcase = tcase_create("grid");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_values);
	tcase_add_test(tcase, test_keys);
	tcase_add_test(tcase, test_groups);
	tcase_add_test(tcase, test_file);
	tcase_add_test(tcase, test_cells);
	tcase_add_test(tcase, test_student);
	tcase_add_test(tcase, test_interval);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
