/*
 * test_sampling.c - from logits to tokens: every step against one that sorts the whole
 * vocabulary, draws against their exact probabilities, and all of it against what
 * Hugging Face's warpers left (tests/reference/sampling.py).
 */
#include "core/model/logits.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOCAB_MAX 4096
#define NEAR	  1e-9 /* so close to a border, rounding may decide */

static uint64_t state;

static uint64_t random_u64(void)
{
	state += 0x9e3779b97f4a7c15u;
	uint64_t x = (state ^ state >> 30) * 0xbf58476d1ce4e5b9u;

	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(random_u64() % n);
}

static double real(double low, double high)
{
	return low + (high - low) * (double)(random_u64() >> 11) * 0x1p-53;
}

static double normal(void)
{
	return sqrt(-2 * log(1 - real(0, 1))) * cos(6.283185307179586 * real(0, 1));
}

/* Logits of some kind: spread out, with many equals, spiky, huge, full of holes. */
static void random_logits(float *logits, uint32_t vocab)
{
	uint32_t kind = below(6);
	double width = pow(10, real(-2, 1.3));

	for (uint32_t i = 0; i < vocab; i++) {
		double x = normal() * width;

		if (kind == 1)
			x = floor(x);
		else if (kind == 2)
			x = below(50) ? x : x + 20;
		else if (kind == 3)
			x *= 1e30;
		else if (kind == 4 && below(3))
			x = -INFINITY;
		else if (kind == 5)
			x = (below(2) ? 1 : -1) * (double)below(2) * 0.0;
		logits[i] = (float)x;
	}
	logits[below(vocab)] = (float)(normal() * width);
}

/* ---- the slow way: sort, then add up ---- */

static const float *sorted_by;

static int by_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (sorted_by[x] > sorted_by[y] || sorted_by[x] < sorted_by[y])
		return sorted_by[x] > sorted_by[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void sort_all(const float *logits, uint32_t vocab, uint32_t *order)
{
	for (uint32_t i = 0; i < vocab; i++)
		order[i] = i;
	sorted_by = logits;
	qsort(order, vocab, sizeof(*order), by_order);
}

/* Fill in the probability of every token.  Return: was a border too near to tell? */
static bool slow(const float *logits, uint32_t vocab, const struct quire_sampling *s,
		 double *probability)
{
	static uint32_t order[VOCAB_MAX];
	static long double weight[VOCAB_MAX];
	long double all = 0, sum = 0;
	uint32_t kept = vocab, k;
	bool near = false;

	sort_all(logits, vocab, order);
	for (k = 0; k < vocab; k++)
		weight[k] = expl(((long double)logits[order[k]] - logits[order[0]]) /
				 (long double)s->temperature);
	for (k = 0; s->min_p > 0 && k < vocab; k++) {
		near |= weight[k] < 1 && fabsl(weight[k] / (long double)s->min_p - 1) < NEAR;
		if (weight[k] < (long double)s->min_p)
			break;
		kept = k + 1;
	}
	if (s->top_k && s->top_k < kept)
		kept = s->top_k;
	for (k = 0; k < kept; k++)
		all += weight[k];
	for (k = 0; s->top_p < 1 && k < kept; k++) {
		sum += weight[k];
		near |= fabsl(sum / all - (long double)s->top_p) < NEAR;
		if (sum >= all * (long double)s->top_p) {
			kept = k + 1;
			all = sum;
			break;
		}
	}
	for (k = 0; k < vocab; k++)
		probability[order[k]] = k < kept ? (double)(weight[k] / all) : 0;
	return near;
}

/* The token at @u.  Return: is a border too near to tell? */
static bool slow_draw(const double *probability, uint32_t vocab, double u, uint32_t *token)
{
	long double sum = 0;

	for (uint32_t i = 0; i < vocab; i++) {
		if (!(probability[i] > 0))
			continue;
		*token = i;
		sum += probability[i];
		if (fabsl(sum - (long double)u) < NEAR)
			return true;
		if (sum > (long double)u)
			return false;
	}
	return true;
}

static void random_sampling(struct quire_sampling *s, uint32_t vocab)
{
	static const double temperature[] = {1, 1, 0.7, 0.1, 1e-6, 3, 100};
	static const double top_p[] = {1, 1, 0.9, 0.5, 0.999999, 1e-9, 0.1};
	static const double min_p[] = {0, 0, 0, 0.1, 0.01, 1, 1e-12};

	quire_sampling_init(s);
	s->temperature = temperature[below(7)];
	s->top_p = top_p[below(7)];
	s->min_p = min_p[below(7)];
	s->top_k = below(2) ? 1 + below(vocab + 3) : 0;
	if (below(4) == 0)
		s->top_k = 1 + below(5);
}

START_TEST(draws_are_those_of_the_slow_way)
{
	static float logits[VOCAB_MAX];
	static double probability[VOCAB_MAX];
	uint32_t compared = 0, cases = 0, untold = 0, token, expected;
	struct quire_sampling s;

	for (uint64_t seed = 0; seed < 4000; seed++) {
		uint32_t vocab;

		state = seed;
		vocab = 1 + below(seed % 20 ? 300 : VOCAB_MAX);
		random_logits(logits, vocab);
		random_sampling(&s, vocab);
		cases++;
		if (slow(logits, vocab, &s, probability)) {
			untold++;
			continue;
		}
		for (uint32_t i = 0; i < 20; i++) {
			double u = i == 0 ? 0 : i == 1 ? 1 - 0x1p-53 : real(0, 1);

			token = UINT32_MAX;
			if (quire_logits_draw(logits, vocab, &s, u, &token))
				ck_abort_msg("seed %llu: %s", (unsigned long long)seed,
					     quire_failure());
			if (token >= vocab || !(probability[token] > 0))
				ck_abort_msg("seed %llu: token %u is out", (unsigned long long)seed,
					     token);
			if (slow_draw(probability, vocab, u, &expected))
				continue;
			if (token != expected)
				ck_abort_msg("seed %llu, u %.17g: token %u, expected %u; "
					     "temperature %g, top-k %u, top-p %g, min-p %g",
					     (unsigned long long)seed, u, token, expected,
					     s.temperature, s.top_k, s.top_p, s.min_p);
			compared++;
		}
	}
	ck_assert_uint_lt(untold, cases / 50);
	ck_assert_uint_gt(compared, 60000);
}
END_TEST

START_TEST(the_best_come_first)
{
	static float logits[VOCAB_MAX];
	static uint32_t order[VOCAB_MAX], best[VOCAB_MAX];

	for (uint64_t seed = 0; seed < 500; seed++) {
		uint32_t vocab, count;

		state = seed;
		vocab = 1 + below(500);
		random_logits(logits, vocab);
		count = below(2) ? 1 + below(vocab) : 1 + below(vocab < 8 ? vocab : 8);
		sort_all(logits, vocab, order);
		quire_logits_best(logits, vocab, best, count);
		if (memcmp(best, order, count * sizeof(*best)))
			ck_abort_msg("seed %llu: the best %u of %u", (unsigned long long)seed,
				     count, vocab);
		if (quire_logits_largest(logits, vocab) != order[0])
			ck_abort_msg("seed %llu: the largest", (unsigned long long)seed);
	}
}
END_TEST

START_TEST(sums_are_those_in_long_double)
{
	static float logits[VOCAB_MAX];
	double log_sum;

	for (uint64_t seed = 0; seed < 500; seed++) {
		long double sum = 0, largest = -INFINITY, expected;
		uint32_t vocab;

		state = seed;
		vocab = 1 + below(VOCAB_MAX);
		random_logits(logits, vocab);
		for (uint32_t i = 0; i < vocab; i++)
			largest = logits[i] > largest ? logits[i] : largest;
		for (uint32_t i = 0; i < vocab; i++)
			sum += expl(logits[i] - largest);
		expected = largest + logl(sum);
		if (quire_logits_sum(logits, vocab, &log_sum))
			ck_abort_msg("seed %llu: %s", (unsigned long long)seed, quire_failure());
		if (fabsl(log_sum - expected) > 1e-13L * (1 + fabsl(expected)))
			ck_abort_msg("seed %llu: %.17g, expected %.17Lg", (unsigned long long)seed,
				     log_sum, expected);
	}
}
END_TEST

START_TEST(what_is_no_logit_never_passes)
{
	float logits[5] = {1, 2, 3, 4, 5};
	struct quire_sampling s;
	double log_sum;
	uint32_t token;

	for (uint32_t i = 0; i < 5; i++) {
		logits[i] = NAN;
		ck_assert_int_eq(quire_logits_sum(logits, 5, &log_sum), -EIO);
		ck_assert_ptr_nonnull(strstr(quire_failure(), "not a number"));
		logits[i] = INFINITY;
		ck_assert_int_eq(quire_logits_sum(logits, 5, &log_sum), -EIO);
		ck_assert_ptr_nonnull(strstr(quire_failure(), "infinite"));
		logits[i] = -INFINITY;
	}
	ck_assert_int_eq(quire_logits_sum(logits, 5, &log_sum), -EIO);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "all 5 tokens are -infinity"));
	quire_sampling_init(&s);
	s.temperature = 1;
	ck_assert_int_eq(quire_logits_draw(logits, 5, &s, 0.5, &token), -EIO);
	logits[3] = -1e30f;
	ck_assert_int_eq(quire_logits_sum(logits, 5, &log_sum), 0);
	ck_assert_int_eq(quire_logits_draw(logits, 5, &s, 0.999, &token), 0);
	ck_assert_uint_eq(token, 3);
}
END_TEST

START_TEST(penalties_by_hand)
{
	/* Token 0 in the prompt, 1 said once, 2 in both and said twice, 3 never. */
	struct quire_tally tally[] = {{.token = 0}, {.token = 1, .count = 1}, {2, 2, 0}};
	float logits[] = {4, -3, 6, 5};
	struct quire_sampling s;

	quire_sampling_init(&s);
	ck_assert(!quire_sampling_penalizes(&s));
	s.repetition_penalty = 2;
	ck_assert(quire_sampling_penalizes(&s));
	s.presence_penalty = 0.5;
	s.frequency_penalty = 0.25;
	quire_logits_penalize(logits, &s, tally, 3);
	ck_assert_float_eq(logits[0], 2);
	ck_assert_float_eq(logits[1], -6.75f);
	ck_assert_float_eq(logits[2], 2);
	ck_assert_float_eq(logits[3], 5);
	ck_assert_float_eq(tally[0].logit, 4);
	ck_assert_float_eq(tally[1].logit, -3);
	ck_assert_float_eq(tally[2].logit, 6);
	s = (struct quire_sampling){.repetition_penalty = 1, .frequency_penalty = -1};
	ck_assert(quire_sampling_penalizes(&s));
	s = (struct quire_sampling){.repetition_penalty = 1, .presence_penalty = -1};
	ck_assert(quire_sampling_penalizes(&s));
	s = (struct quire_sampling){.repetition_penalty = 0.5};
	ck_assert(quire_sampling_penalizes(&s));
}
END_TEST

/* ---- chance ---- */

/*
 * How far from @probability is what was @seen in @draws?  Chi-square, as a normal deviate
 * (Wilson and Hilferty, 1931): one honest test in two million is beyond 5.
 */
static double deviate(const uint32_t *seen, const double *probability, uint32_t count,
		      uint32_t draws)
{
	double sum = 0, few_expected = 0, few_seen = 0, freedom = -1, part;

	for (uint32_t i = 0; i < count; i++) {
		double expected = probability[i] * draws;

		if (expected < 10) { /* rare ones together */
			few_expected += expected;
			few_seen += seen[i];
			continue;
		}
		sum += (seen[i] - expected) * (seen[i] - expected) / expected;
		freedom++;
	}
	if (few_expected > 10) {
		sum += (few_seen - few_expected) * (few_seen - few_expected) / few_expected;
		freedom++;
	}
	part = 2 / (9 * freedom);
	return (cbrt(sum / freedom) - (1 - part)) / sqrt(part);
}

/* One number for each of @count seeds, samples or positions. */
static double along(uint32_t which, uint64_t seed, uint32_t i)
{
	return which == 0   ? quire_sampling_uniform(seed, 0, i)
	       : which == 1 ? quire_sampling_uniform(seed, i, 7)
			    : quire_sampling_uniform(seed + i, 0, 0);
}

START_TEST(numbers_are_uniform_and_alone)
{
	enum { COUNT = 200000, SIDE = 16 };
	static uint32_t seen[SIDE * SIDE];
	static double even[SIDE * SIDE];

	for (uint32_t i = 0; i < SIDE * SIDE; i++)
		even[i] = 1.0 / (SIDE * SIDE);
	for (uint32_t which = 0; which < 3; which++) {
		for (uint64_t seed = 0; seed < 5; seed++) {
			double u, before = along(which, seed << 40, COUNT), z;

			memset(seen, 0, sizeof(seen));
			for (uint32_t i = 0; i < COUNT; i++, before = u) {
				u = along(which, seed << 40, i);
				if (!(u >= 0 && u < 1))
					ck_abort_msg("%g is not in [0, 1)", u);
				/* A number together with its neighbour. */
				seen[(uint32_t)(before * SIDE) * SIDE + (uint32_t)(u * SIDE)]++;
			}
			z = deviate(seen, even, SIDE * SIDE, COUNT);
			if (fabs(z) > 5)
				ck_abort_msg("seed %llu, along %u: deviate %.1f",
					     (unsigned long long)seed << 40, which, z);
		}
	}
	/* A promise: a seed gives the same text in every version (these by Python). */
	ck_assert_double_eq(quire_sampling_uniform(0, 0, 0), 0x1.2086089bfcf34p-2);
	ck_assert_double_eq(quire_sampling_uniform(42, 3, 100), 0x1.8d61d21d098aap-1);
}
END_TEST

START_TEST(draws_follow_their_probabilities)
{
	enum { VOCAB = 60, DRAWS = 20000 };
	static double probability[VOCAB];
	static uint32_t seen[VOCAB];
	uint32_t token = 0, told = 0;
	float logits[VOCAB];
	struct quire_sampling s;
	double z;

	for (uint64_t seed = 0; seed < 12; seed++) {
		state = seed;
		for (uint32_t i = 0; i < VOCAB; i++)
			logits[i] = (float)(normal() * 2);
		quire_sampling_init(&s);
		s.temperature = seed % 2 ? 0.8 : 1;
		s.top_k = seed % 3 ? 20 : 0;
		s.top_p = seed % 4 ? 0.9 : 1;
		s.min_p = seed % 5 ? 0 : 0.02;
		if (slow(logits, VOCAB, &s, probability))
			continue;
		memset(seen, 0, sizeof(seen));
		for (uint32_t i = 0; i < DRAWS; i++) {
			quire_logits_draw(logits, VOCAB, &s, quire_sampling_uniform(seed, 1, i),
					  &token);
			seen[token]++;
		}
		z = deviate(seen, probability, VOCAB, DRAWS);
		if (fabs(z) > 5)
			ck_abort_msg("seed %llu: deviate %.1f", (unsigned long long)seed, z);
		told++;
	}
	ck_assert_uint_ge(told, 10);
}
END_TEST

/* ---- Hugging Face ---- */

static double number(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_number(value))
		ck_abort_msg("the fixture has no %s", key);
	return json_number_value(value);
}

static uint32_t tally_of(const json_t *json, uint32_t vocab, struct quire_tally *tally)
{
	uint32_t count = 0, said, prompt;

	for (uint32_t token = 0; token < vocab; token++) {
		json_t *value;
		size_t i;

		said = prompt = 0;
		json_array_foreach(json_object_get(json, "output"), i, value) said +=
			json_integer_value(value) == token;
		json_array_foreach(json_object_get(json, "prompt"), i, value) prompt +=
			json_integer_value(value) == token;
		if (said + prompt)
			tally[count++] = (struct quire_tally){.token = token, .count = said};
	}
	return count;
}

START_TEST(what_is_left_is_what_hugging_face_leaves)
{
	json_t *all = json_load_file(QUIRE_SOURCE_DIR "/tests/fixtures/sampling.json",
				     JSON_REJECT_DUPLICATES, NULL);
	json_t *json, *value;
	size_t at, i;

	ck_assert_uint_ge(json_array_size(all), 100);
	json_array_foreach(all, at, json)
	{
		const json_t *kept = json_object_get(json, "kept");
		const uint32_t vocab = (uint32_t)json_array_size(json_object_get(json, "logits"));
		struct quire_tally tally[64];
		struct quire_sampling s;
		float logits[64];
		double sum = 0;

		ck_assert_uint_le(vocab, 64);
		json_array_foreach(json_object_get(json, "logits"), i, value) logits[i] =
			(float)json_number_value(value);
		quire_sampling_init(&s);
		s.temperature = number(json, "temperature");
		s.top_k = (uint32_t)number(json, "top_k");
		s.top_p = number(json, "top_p");
		s.min_p = number(json, "min_p");
		s.repetition_penalty = number(json, "repetition");
		s.presence_penalty = number(json, "presence");
		s.frequency_penalty = number(json, "frequency");
		ck_assert_int_eq(quire_sampling_check(&s), 0);
		quire_logits_penalize(logits, &s, tally, tally_of(json, vocab, tally));
		/* A little behind the border of each, and a little before the next. */
		json_array_foreach(json_object_get(json, "probs"), i, value)
		{
			uint32_t id = (uint32_t)json_integer_value(json_array_get(kept, i));
			double p = json_number_value(value);
			uint32_t first = UINT32_MAX, last = UINT32_MAX;

			if (p > 1e-6) {
				quire_logits_draw(logits, vocab, &s, sum + 1e-7, &first);
				quire_logits_draw(logits, vocab, &s, sum + p - 1e-7, &last);
				if (first != id || last != id)
					ck_abort_msg("case %zu: tokens %u and %u, expected %u", at,
						     first, last, id);
			}
			sum += p;
		}
	}
	json_decref(all);
}
END_TEST

/* ---- what makes sense ---- */

START_TEST(parameters_are_checked)
{
	static const struct {
		const char *name;
		size_t offset;
		double good[2], bad[3];
	} range[] = {
		{"temperature",
		 offsetof(struct quire_sampling, temperature),
		 {0, 100},
		 {-1, 101, NAN}},
		{"top-p", offsetof(struct quire_sampling, top_p), {1e-9, 1}, {0, 1.1, NAN}},
		{"min-p", offsetof(struct quire_sampling, min_p), {0, 1}, {-0.1, 2, NAN}},
		{"repetition-penalty",
		 offsetof(struct quire_sampling, repetition_penalty),
		 {0.1, 100},
		 {0, -1, NAN}},
		{"presence-penalty",
		 offsetof(struct quire_sampling, presence_penalty),
		 {-2, 2},
		 {-3, 3, NAN}},
		{"frequency-penalty",
		 offsetof(struct quire_sampling, frequency_penalty),
		 {-2, 2},
		 {-3, 3, NAN}},
		{"length-penalty",
		 offsetof(struct quire_sampling, length_penalty),
		 {-1, 3},
		 {-1e9, INFINITY, NAN}},
	};
	static const char *const nothing[] = {""};
	struct quire_sampling s;
	double *value;

	quire_sampling_init(&s);
	ck_assert_int_eq(quire_sampling_check(&s), 0);
	ck_assert(!(s.temperature > 0) && s.top_k == 0 && s.logprobs == 0);
	for (size_t i = 0; i < sizeof(range) / sizeof(*range); i++) {
		quire_sampling_init(&s);
		value = (double *)(void *)((char *)&s + range[i].offset);
		for (int k = 0; k < 2; k++) {
			*value = range[i].good[k];
			ck_assert_msg(quire_sampling_check(&s) == 0, "%s", quire_failure());
		}
		for (int k = 0; k < 3; k++) {
			*value = range[i].bad[k];
			ck_assert_msg(quire_sampling_check(&s) == -EINVAL, "%s: %g passes",
				      range[i].name, *value);
			ck_assert_msg(
				!strncmp(quire_failure(), range[i].name, strlen(range[i].name)),
				"%s", quire_failure());
		}
	}
	quire_sampling_init(&s);
	s.logprobs = QUIRE_LOGPROBS_MAX + 1;
	ck_assert_int_eq(quire_sampling_check(&s), -EINVAL);
	quire_sampling_init(&s);
	s.stops = nothing;
	s.stops_count = 1;
	ck_assert_int_eq(quire_sampling_check(&s), -EINVAL);
}
END_TEST

int main(void)
{
	TCase *steps = tcase_create("steps"), *chance = tcase_create("chance");
	TCase *others = tcase_create("others");
	Suite *suite = suite_create("sampling");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, steps);
	tcase_add_test(steps, draws_are_those_of_the_slow_way);
	tcase_add_test(steps, the_best_come_first);
	tcase_add_test(steps, sums_are_those_in_long_double);
	tcase_add_test(steps, what_is_no_logit_never_passes);
	tcase_add_test(steps, penalties_by_hand);
	suite_add_tcase(suite, chance);
	tcase_add_test(chance, numbers_are_uniform_and_alone);
	tcase_add_test(chance, draws_follow_their_probabilities);
	suite_add_tcase(suite, others);
	tcase_add_test(others, what_is_left_is_what_hugging_face_leaves);
	tcase_add_test(others, parameters_are_checked);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
