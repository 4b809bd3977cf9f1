/*
 * test_fit.c - the constants of a machine from its steps: of a machine that is made up, so
 * that the constants are known, measured by a clock that errs by as much as one likes; and
 * how much it errs, as quire calibrate sees it.
 */
#include "core/cli/calibrate_parts.h"
#include "core/sim/fit.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#define STEPS 500u
#define ITEMS 32u

static struct quire_gpu truth;
static struct quire_model model;
static const struct quire_cost_config config = {
	.tp = 1,
	.weight_bits = 16,
	.kv_bits = 16,
	.step_tokens_max = 4096,
	.seqs_max = ITEMS,
};
static struct quire_fit_item items[STEPS][ITEMS];
static struct quire_fit_step steps[STEPS];

static uint64_t state;

static double unit(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (double)(state * 0x2545f4914f6cdd1du >> 11) / 9007199254740992.0;
}

/* The sum of twelve is normal to the eye. */
static double normal(void)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += unit();
	return sum;
}

static uint64_t time_of(const struct quire_gpu *gpu, const struct quire_fit_step *step,
			double sigmas)
{
	struct quire_cost_config c = config;
	struct quire_cost_batch batch = {0};
	struct quire_cost cost;
	uint64_t ns;

	c.sigmas = sigmas;
	ck_assert_int_eq(quire_cost_init(&cost, &model, gpu, &c), 0);
	for (uint32_t i = 0; i < step->items_count; i++)
		quire_cost_batch_add(&cost, &batch, 1, step->items[i].tokens, step->items[i].cached,
				     step->items[i].sampled);
	ns = quire_cost_batch_ns(&cost, &batch);
	quire_cost_free(&cost);
	return ns;
}

/* Steps of all kinds, a fifth held back, whose times are off by @deviation. */
static void measure(double deviation)
{
	state = 7;
	for (uint32_t i = 0; i < STEPS; i++) {
		const uint32_t kind = i % 3, count = 1 + (uint32_t)(unit() * (ITEMS - 1));
		double off;

		for (uint32_t k = 0; k < count; k++)
			items[i][k] = (struct quire_fit_item){
				.tokens = kind == QUIRE_FIT_SINGLE || (kind == QUIRE_FIT_MIXED && k)
						  ? 1
						  : 2 + (uint32_t)(unit() * 400),
				.cached = (uint32_t)(unit() * unit() * 4000),
				.sampled = true,
			};
		steps[i] = (struct quire_fit_step){
			.items = items[i], .items_count = count, .held = i % 5 == 4};
		off = 1 + deviation * normal();
		steps[i].ns = (uint64_t)((double)time_of(&truth, &steps[i], 0) * fmax(off, 0.1));
	}
}

/* The same datasheet, and nothing else that is right. */
static struct quire_gpu beginner(void)
{
	struct quire_gpu gpu = truth;

	gpu.gemm_flops_share = gpu.gemm_bytes_share = 0.5;
	gpu.attention_flops_share = gpu.attention_bytes_share = 0.4;
	gpu.gemm_launch_ns = gpu.attention_launch_ns = 10000;
	gpu.attention_tile_ns = 5;
	gpu.step_ns = 50000;
	gpu.seq_ns = gpu.chunk_ns = 0; /* a factor cannot leave zero */
	gpu.gemm_sharpness = 1;
	gpu.gemm_error = gpu.attention_error = gpu.host_error = 9;
	return gpu;
}

static double held_error(const struct quire_gpu *gpu)
{
	double worst = 0;

	for (int kind = 0; kind < QUIRE_FIT_KINDS; kind++) {
		struct quire_fit_score s;

		ck_assert_int_eq(quire_fit_score(gpu, &model, &config, steps, STEPS,
						 (enum quire_fit_kind)kind, true, &s),
				 0);
		ck_assert_uint_gt(s.steps, 10);
		worst = fmax(worst, s.error);
	}
	return worst;
}

START_TEST(finds_the_machine)
{
	struct quire_gpu gpu = beginner();

	measure(0);
	ck_assert_double_gt(held_error(&gpu), 0.3);
	ck_assert_int_eq(quire_fit(&gpu, &model, &config, steps, STEPS), 0);
	ck_assert_msg(held_error(&gpu) < 0.03, "off by %g", held_error(&gpu));
	ck_assert_double_lt(gpu.gemm_error, 0.06);
	ck_assert_double_eq(gpu.peak_flops, truth.peak_flops);
}
END_TEST

/* What is left is the clock's, and the errors say so: one deviation of a step is one. */
START_TEST(says_how_far_it_is_off)
{
	static const double deviations[] = {0.05, 0.1, 0.2};
	struct quire_gpu gpu = beginner();
	double sum = 0;

	measure(deviations[_i]);
	ck_assert_int_eq(quire_fit(&gpu, &model, &config, steps, STEPS), 0);
	ck_assert_double_lt(held_error(&gpu), 1.2 * deviations[_i]);
	ck_assert_double_eq(gpu.gemm_error, gpu.attention_error);
	ck_assert_double_eq(gpu.gemm_error, gpu.host_error);
	for (uint32_t i = 0; i < STEPS; i++)
		sum += (double)time_of(&gpu, &steps[i], 1) / (double)time_of(&gpu, &steps[i], 0) -
		       1;
	ck_assert_msg(fabs(sum / STEPS / deviations[_i] - 1) < 0.2, "%g, expected %g", sum / STEPS,
		      deviations[_i]);
}
END_TEST

/* A tenth of the steps, in a round of their own, take half as long: they count as the others. */
START_TEST(rounds_count_alike)
{
	struct quire_gpu gpu = beginner();
	double sum = 0;

	measure(0);
	for (uint32_t i = 0; i < STEPS; i++) {
		steps[i].items = items[0];
		steps[i].items_count = 1;
		steps[i].round = i % 10 == 0;
		steps[i].ns = time_of(&truth, &steps[i], 0) / (steps[i].round ? 2 : 1);
		steps[i].held = false;
	}
	ck_assert_int_eq(quire_fit(&gpu, &model, &config, steps, STEPS), 0);
	/* (|x - 1| + |2x - 1|) / 2 is least at a half; of nine to one it would be at one */
	ck_assert_double_eq_tol((double)time_of(&gpu, &steps[0], 0) / (double)steps[0].ns, 1, 0.01);
	for (uint32_t i = 0; i < STEPS; i++)
		sum += (double)time_of(&gpu, &steps[i], 1) / (double)time_of(&gpu, &steps[i], 0) -
		       1;
	ck_assert_double_eq_tol(sum / STEPS, 0.25 / 0.8, 0.03);
}
END_TEST

START_TEST(nothing_to_fit_to)
{
	struct quire_gpu gpu = beginner();

	ck_assert_int_lt(quire_fit(&gpu, &model, &config, steps, 0), 0);
}
END_TEST

/* Steps that repeat the one before, and such as do not, though they look alike. */
START_TEST(how_steps_vary)
{
	struct quire_fit_item list[] = {
		{1, 10, true}, {1, 20, true}, /* of the first step */
		{1, 11, true}, {1, 21, true}, /* one token on: 20 % longer */
		{1, 12, true}, {1, 22, true}, /* again: 4 times as long, which counts as twice */
		{1, 13, true}, {1, 30, true}, /* another sequence */
		{1, 14, true}, {1, 31, true}, /* copies slots */
		{1, 15, true}, {1, 32, true}, /* behind one that copies */
		{1, 16, true}, {1, 33, true}, /* another round */
		{2, 17, true}, {1, 34, true}, /* a chunk */
	};
	struct quire_calibration_step noted[] = {
		{.first = 0, .count = 2, .end_ns = 100},
		{.first = 2, .count = 2, .begin_ns = 100, .end_ns = 220},
		{.first = 4, .count = 2, .begin_ns = 220, .end_ns = 700},
		{.first = 6, .count = 2, .begin_ns = 700, .end_ns = 710},
		{.first = 8, .count = 2, .begin_ns = 710, .end_ns = 999, .copied_slots = 1},
		{.first = 10, .count = 2, .begin_ns = 999, .end_ns = 1500},
		{.first = 12, .count = 2, .begin_ns = 0, .end_ns = 100, .round = 1},
		{.first = 14, .count = 2, .begin_ns = 100, .end_ns = 101, .round = 1},
	};
	struct quire_calibration c = {.items = list, .steps = noted, .steps_count = 8};
	uint32_t pairs;

	ck_assert_double_eq_tol(quire_calibrate_spread(&c, &pairs), 0.6, 1e-9);
	ck_assert_uint_eq(pairs, 2);
	c.steps_count = 1;
	ck_assert(isnan(quire_calibrate_spread(&c, &pairs)));
	ck_assert_uint_eq(pairs, 0);
}
END_TEST

static void begin(void)
{
	ck_assert_int_eq(quire_gpu_find(&truth, "a100-80g"), 0);
	truth.chunk_ns = 400000;
	ck_assert_int_eq(quire_model_find(&model, "qwen2.5-0.5b"), 0);
}

int main(void)
{
	Suite *suite = suite_create("fit");
	TCase *all = tcase_create("fit");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(all, begin, NULL);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, finds_the_machine);
	tcase_add_loop_test(all, says_how_far_it_is_off, 0, 3);
	tcase_add_test(all, rounds_count_alike);
	tcase_add_test(all, nothing_to_fit_to);
	tcase_add_test(all, how_steps_vary);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
