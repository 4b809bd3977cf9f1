/*
 * test_fidelity.c - the cost model against measured kernels that no constant was fitted
 * to, and against a real run; skipped where the public data is not there.  The figures
 * are in docs/fidelity.md.
 */
#include "core/trace/report.h"
#include "tests/kernel_times.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SKIPPED 77

static char shared[4000];

static const struct {
	const char *gpu;
	double error[KERNEL_KINDS]; /* at most, of rows that were held back; 0: no table */
} bars[] = {
	{"H200", {0.08, 0.10, 0.15, 0.15}},
	{"A100-80G", {0.08, 0, 0, 0}},
	{"H100", {0.09, 0, 0, 0}},
};

START_TEST(kernels_held_back)
{
	struct kernel_table table;
	struct quire_gpu gpu;
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s/kernel-times", shared);
	ck_assert_msg(kernel_table_read(&table, folder, bars[_i].gpu) == 0, "%s", quire_failure());
	ck_assert_int_eq(quire_gpu_find(&gpu, bars[_i].gpu), 0);
	for (int k = 0; k < KERNEL_KINDS; k++) {
		const struct kernel_score s = kernel_score(&table, &gpu, (enum kernel_kind)k, true);

		if (!(bars[_i].error[k] > 0)) {
			ck_assert_uint_eq(s.rows, 0);
			continue;
		}
		ck_assert_uint_gt(s.rows, 500);
		ck_assert_msg(s.error <= bars[_i].error[k], "%s on %s: error %.1f %%",
			      kernel_kind_names[k], bars[_i].gpu, s.error * 100);
		/* a 90 % band that is worth the name */
		ck_assert_msg(s.covered >= 0.75, "%s on %s: %.0f %% in the band",
			      kernel_kind_names[k], bars[_i].gpu, s.covered * 100);
	}
	kernel_table_free(&table);
}
END_TEST

/* ---- vLLM on an RTX 4090 ---- */

struct figures {
	double ttft_s, tpot_s, e2e_s, output_tokens_per_s;
};

static void measured(const char *path, struct figures *f)
{
	double arrival, prompt, output, queued, scheduled, first, last, end = 0, tokens = 0;
	char line[512];
	uint32_t count = 0;
	FILE *in = fopen(path, "r");

	ck_assert_ptr_nonnull(in);
	memset(f, 0, sizeof(*f));
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%lf,%lf,%lf,%lf,%lf,%lf,%lf", &arrival, &prompt, &output, &queued,
			   &scheduled, &first, &last) != 7)
			continue;
		/* the engine's clock throughout: from when it queued the request */
		f->ttft_s += first - queued;
		f->tpot_s += (last - first) / (output - 1);
		f->e2e_s += last - queued;
		tokens += output;
		end = last > end ? last : end;
		count++;
	}
	fclose(in);
	ck_assert_uint_eq(count, 300);
	f->ttft_s /= count;
	f->tpot_s /= count;
	f->e2e_s /= count;
	f->output_tokens_per_s = tokens / end;
}

static double mean_of(const json_t *report, const char *key)
{
	return json_real_value(json_object_get(json_object_get(report, key), "mean"));
}

static json_t *simulated(const char *trace, const char *gpu)
{
	char command[9000];
	json_error_t error;
	json_t *report;
	FILE *in;

	snprintf(command, sizeof(command),
		 "'%s' sim --trace '%s' --model llama-3.1-8b --gpu '%s' --scheduler splitfuse "
		 "--max-num-batched-tokens 2048 --max-num-seqs 256 --max-model-len 32768 "
		 "--kv-slots 41408 --intervals --json -",
		 QUIRE_BINARY, trace, gpu);
	in = popen(command, "r");
	ck_assert_ptr_nonnull(in);
	report = json_loadf(in, 0, &error);
	ck_assert_msg(report != NULL && pclose(in) == 0, "%s", error.text);
	return report;
}

static void check_within(const char *what, double got, double wanted, double share)
{
	ck_assert_msg(fabs(got / wanted - 1) <= share, "%s: %g, measured %g: %+.1f %%", what, got,
		      wanted, 100 * (got / wanted - 1));
}

static void check_inside(const json_t *report, const char *key, double value)
{
	const json_t *band = json_object_get(json_object_get(report, "intervals"), key);

	ck_assert_uint_eq(json_array_size(band), 2);
	ck_assert_msg(json_number_value(json_array_get(band, 0)) <= value &&
			      value <= json_number_value(json_array_get(band, 1)),
		      "%s: %g is not in its band", key, value);
}

START_TEST(vllm_on_an_rtx_4090)
{
	char trace[4096], profile[] = "/tmp/quire-test-fidelity-XXXXXX";
	struct figures real;
	json_t *report;
	FILE *out;
	int fd;

	snprintf(trace, sizeof(trace), "%s/real-runs/rtx4090-llama-3.1-8b-vllm0.19.csv", shared);
	measured(trace, &real);
	report = simulated(trace, "rtx-4090");
	check_within("TTFT", mean_of(report, "ttft_s"), real.ttft_s, 0.10);
	check_within("TPOT", mean_of(report, "tpot_s"), real.tpot_s, 0.10);
	check_within("E2E", mean_of(report, "e2e_s"), real.e2e_s, 0.10);
	check_inside(report, "ttft_s", real.ttft_s);
	check_inside(report, "tpot_s", real.tpot_s);
	check_inside(report, "output_tokens_per_s", real.output_tokens_per_s);
	json_decref(report);

	/* vLLM of that version schedules the next step while one runs */
	fd = mkstemp(profile);
	ck_assert_int_ge(fd, 0);
	out = fdopen(fd, "w");
	fputs("like = rtx-4090\nstep_us = 0\nseq_us = 0\n", out);
	fclose(out);
	report = simulated(trace, profile);
	unlink(profile);
	check_within("TTFT", mean_of(report, "ttft_s"), real.ttft_s, 0.05);
	check_within("TPOT", mean_of(report, "tpot_s"), real.tpot_s, 0.05);
	check_within("E2E", mean_of(report, "e2e_s"), real.e2e_s, 0.05);
	json_decref(report);
}
END_TEST

int main(void)
{
	const char *given = getenv("QUIRE_SHARED");
	Suite *suite = suite_create("fidelity");
	TCase *all = tcase_create("fidelity");
	SRunner *runner;
	int failed;

	snprintf(shared, sizeof(shared), "%s", given ? given : QUIRE_SOURCE_DIR "/../shared");
	if (access(shared, R_OK)) {
		fprintf(stderr, "skipped: there is no public data in %s\n", shared);
		return SKIPPED;
	}
	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, kernels_held_back, 0, (int)(sizeof(bars) / sizeof(bars[0])));
	tcase_add_test(all, vllm_on_an_rtx_4090);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
