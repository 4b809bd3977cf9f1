/*
 * test_weights.c - rotary frequencies; weights that are drawn, not read; and that
 * tests/fixtures/models are what their reference was computed with.
 */
#include "core/model/checkpoint.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODELS QUIRE_SOURCE_DIR "/tests/fixtures/models/"

/* The last failure was @rc, and one line says @says. */
static void failed_with(int got, int rc, const char *says)
{
	ck_assert_msg(got == rc, "%d, expected %d: %s", got, rc, quire_failure());
	ck_assert_msg(strstr(quire_failure(), says) != NULL, "says: %s\nexpected: %s",
		      quire_failure(), says);
	ck_assert_ptr_null(strchr(quire_failure(), '\n'));
}

/* ---- rotary positions ---------------------------------------------------------- */

static void frequency_is(const struct quire_rope *rope, uint32_t head_dim, uint32_t i,
			 double expected)
{
	float all[64];

	quire_rope_frequencies(rope, head_dim, all);
	ck_assert_msg(fabs(all[i] - expected) <= 1e-6 * expected, "frequency %u: %.9g, not %.9g", i,
		      (double)all[i], expected);
}

START_TEST(frequencies)
{
	static const struct {
		uint32_t i;
		double frequency;
	} published[] = {
		/* Llama-3.1-8B, by transformers 5.23 in float */
		{0, 1},
		{1, 0.814617217},
		{16, 0.0376060307},
		{28, 0.00321144611},
		{29, 0.00216657063},
		{30, 0.00137189368},
		{31, 0.00085675146},
		{32, 0.000524846022},
		{34, 0.000178507791},
		{35, 9.55621217e-05},
		{36, 7.78465546e-05},
		{48, 6.64786967e-06},
		{63, 3.06892588e-07},
	};
	const struct quire_rope llama31 = {5e5, QUIRE_ROPE_LLAMA3, 8, 1, 4, 8192};
	const struct quire_rope linear = {1e4, QUIRE_ROPE_LINEAR, 2.5, 0, 0, 0};
	const struct quire_rope plain = {.theta = 1e4};

	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++)
		frequency_is(&llama31, 128, published[i].i, published[i].frequency);
	for (uint32_t i = 0; i < 32; i++) {
		frequency_is(&plain, 64, i, pow(10, -i / 8.0));
		frequency_is(&linear, 64, i, pow(10, -i / 8.0) / 2.5);
	}
}
END_TEST

/* ---- weights that are drawn ---------------------------------------------------- */

static double value_of(const struct quire_weight *w, uint64_t i)
{
	const uint8_t *at = (const uint8_t *)w->data + i * quire_weight_type_bytes(w->type);
	uint32_t bits = 0, exponent;
	float single;

	memcpy(&bits, at, quire_weight_type_bytes(w->type));
	if (w->type == QUIRE_FP16) {
		exponent = bits >> 10 & 31;
		return (bits & 0x8000 ? -1 : 1) *
		       (exponent ? ldexp(1024 + (bits & 1023), (int)exponent - 25)
				 : ldexp(bits & 1023, -24));
	}
	if (w->type == QUIRE_BF16)
		bits <<= 16;
	memcpy(&single, &bits, sizeof(single));
	return single;
}

static struct quire_checkpoint drawn(const char *name, enum quire_weight_type type, uint64_t seed)
{
	struct quire_checkpoint c;

	if (quire_checkpoint_random(&c, name, type, seed, true))
		ck_abort_msg("%s", quire_failure());
	return c;
}

static bool same(const struct quire_weight *a, const struct quire_weight *b)
{
	return memcmp(a->data, b->data,
		      (size_t)a->rows * a->columns * quire_weight_type_bytes(a->type)) == 0;
}

START_TEST(normal)
{
	struct quire_checkpoint c = drawn(MODELS "qwen2/config.json", QUIRE_FP32, 7);
	const struct quire_weight *const matrices[] = {
		&c.embedding,	   &c.layers[0].q,    &c.layers[0].k,	   &c.layers[1].v,
		&c.layers[1].gate, &c.layers[1].down, &c.layers[0].output,
	};
	double sum = 0, squares = 0, fourths = 0, next = 0;
	uint64_t count = 0;

	for (size_t m = 0; m < sizeof(matrices) / sizeof(matrices[0]); m++) {
		const uint64_t elements = (uint64_t)matrices[m]->rows * matrices[m]->columns;

		for (uint64_t i = 0; i < elements; i++, count++) {
			const double x = value_of(matrices[m], i) / 0.02;

			sum += x;
			squares += x * x;
			fourths += x * x * x * x;
			next += i ? x * value_of(matrices[m], i - 1) / 0.02 : 0;
		}
	}
	ck_assert_uint_gt(count, 30000);
	/* Within 4 deviations of what is expected. */
	ck_assert_double_lt(fabs(sum / (double)count), 4 / sqrt((double)count));
	ck_assert_double_lt(fabs(squares / (double)count - 1), 4 * sqrt(2 / (double)count));
	ck_assert_double_lt(fabs(fourths / (double)count - 2.85), 4 * sqrt(96 / (double)count));
	ck_assert_double_lt(fabs(next / (double)count), 4 / sqrt((double)count));
	for (uint32_t i = 0; i < c.model.hidden; i++)
		ck_assert_double_eq(value_of(&c.norm, i), 1);
	for (uint32_t i = 0; i < c.layers[1].q_bias.columns; i++)
		ck_assert_double_eq(value_of(&c.layers[1].q_bias, i), 0);
	ck_assert(!c.layers[0].q_norm.data && !c.tensors && !c.path);
	ck_assert_ptr_eq(c.head.data, c.embedding.data);
	quire_checkpoint_close(&c);
}
END_TEST

START_TEST(pure_function_of_the_seed)
{
	struct quire_checkpoint a = drawn(MODELS "qwen3", QUIRE_BF16, 1);
	struct quire_checkpoint b = drawn(MODELS "qwen3", QUIRE_BF16, 1);
	struct quire_checkpoint other = drawn(MODELS "qwen3", QUIRE_BF16, 2);

	ck_assert(same(&a.head, &b.head) && same(&a.layers[1].down, &b.layers[1].down));
	ck_assert(!same(&a.head, &other.head) && !same(&a.layers[1].k, &other.layers[1].k));
	ck_assert(!same(&a.layers[0].k, &a.layers[1].k) && !same(&a.layers[0].k, &a.layers[0].v));
	ck_assert_double_eq(value_of(&a.layers[0].q_norm, 5), 1);
	quire_checkpoint_close(&a);
	quire_checkpoint_close(&b);
	quire_checkpoint_close(&other);
}
END_TEST

/* However many threads share the work, none of it is left over. */
START_TEST(odd_sizes)
{
	static const char odd[] =
		"{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 7,"
		"\"vocab_size\": 13, \"num_hidden_layers\": 1, \"num_attention_heads\": 1,"
		"\"head_dim\": 2, \"intermediate_size\": 11, \"max_position_embeddings\": 32}";
	char path[] = "/tmp/quire-test-weights-XXXXXX";
	const int fd = mkstemp(path);
	struct quire_checkpoint c;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, odd, strlen(odd)), (ssize_t)strlen(odd));
	c = drawn(path, QUIRE_FP32, 5);
	ck_assert_double_ne(value_of(&c.embedding, 13 * 7 - 1), 0);
	ck_assert_double_ne(value_of(&c.layers[0].up, 11 * 7 - 1), 0);
	ck_assert_double_eq(value_of(&c.norm, 7 - 1), 1);
	quire_checkpoint_close(&c);
	close(fd);
	unlink(path);
}
END_TEST

/* The same numbers, but for rounding. */
START_TEST(types)
{
	struct quire_checkpoint all[3];

	for (int t = QUIRE_BF16; t <= QUIRE_FP32; t++) {
		all[t] = drawn(MODELS "llama-gqa", (enum quire_weight_type)t, 3);
		ck_assert_int_eq(all[t].type, t);
		ck_assert_double_eq(value_of(&all[t].norm, 3), 1);
	}
	for (uint64_t i = 0; i < 32 * 64; i++) {
		const double x = value_of(&all[QUIRE_FP32].layers[0].up, i);

		if (fabs(value_of(&all[QUIRE_BF16].layers[0].up, i) - x) > fabs(x) / 256 ||
		    fabs(value_of(&all[QUIRE_FP16].layers[0].up, i) - x) >
			    fmax(fabs(x) / 2048, 0x1p-25))
			ck_abort_msg("element %d: %g", (int)i, x);
	}
	for (int t = QUIRE_BF16; t <= QUIRE_FP32; t++)
		quire_checkpoint_close(&all[t]);
}
END_TEST

/* Every built-in model: as many bytes as its parameters say, and none of them taken. */
START_TEST(not_drawn)
{
	const struct quire_model *model;
	int run = 0;

	for (size_t i = 0; (model = quire_model_builtin(i)); i++) {
		struct quire_checkpoint c;
		const int rc = quire_checkpoint_random(&c, model->name, QUIRE_BF16, 0, false);

		if (model->experts || !strcmp(model->family, "opt")) {
			failed_with(rc, -ENOTSUP, "cannot be run");
			continue;
		}
		ck_assert_int_eq(rc, 0);
		ck_assert_uint_eq(c.weight_bytes, quire_model_weight_bytes(model, 16));
		ck_assert(!c.random && !c.embedding.data && !c.layers[0].q.data);
		ck_assert_uint_eq(c.layers[model->layers - 1].down.rows, model->hidden);
		ck_assert((c.layers[0].q_bias.columns > 0) == model->qkv_bias);
		ck_assert((c.layers[0].k_norm.columns > 0) == model->qk_norm);
		ck_assert_uint_eq(c.ends_count, 0);
		ck_assert_double_gt(c.norm_eps, 0);
		quire_checkpoint_close(&c);
		run++;
	}
	ck_assert_int_ge(run, 20);
}
END_TEST

START_TEST(not_to_be_drawn)
{
	static const char huge[] =
		"{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 1048576,"
		"\"vocab_size\": 16777216, \"num_hidden_layers\": 1024,"
		"\"num_attention_heads\": 4096, \"intermediate_size\": 1048576,"
		"\"max_position_embeddings\": 32}";
	char path[] = "/tmp/quire-test-weights-XXXXXX";
	struct quire_checkpoint c;
	const int fd = mkstemp(path);

	failed_with(quire_checkpoint_random(&c, "qwen2.5-7", QUIRE_BF16, 0, true), -ENOENT,
		    "did you mean");
	failed_with(quire_checkpoint_random(&c, "OPT-13B", QUIRE_BF16, 0, true), -ENOTSUP, "'opt'");
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, huge, strlen(huge)), (ssize_t)strlen(huge));
	failed_with(quire_checkpoint_random(&c, path, QUIRE_FP32, 0, true), -ENOMEM,
		    "its weights take 31665943.5 GB in fp32, and this machine has ");
	close(fd);
	unlink(path);
}
END_TEST

/* ---- the fixtures are what the reference was computed with --------------------- */

static uint64_t fnv1a(const char *path, uint64_t *bytes)
{
	uint64_t value = 0xcbf29ce484222325;
	FILE *in = fopen(path, "r");
	int c;

	ck_assert_msg(in != NULL, "%s", path);
	for (*bytes = 0; (c = getc(in)) != EOF; ++*bytes)
		value = (value ^ (uint64_t)c) * 0x100000001b3;
	fclose(in);
	return value;
}

static uint64_t integer(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* @name's reference; its weights lie in @folder. */
static void check_reference(const char *name, const char *folder)
{
	char path[512], expected[17];
	const json_t *prompts;
	json_t *reference;
	uint64_t bytes, positions = 0;
	void *at;

	snprintf(path, sizeof(path), MODELS "%s/reference.json", name);
	reference = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(reference != NULL, "%s", path);
	at = json_object_iter(json_object_get(reference, "files"));
	ck_assert_ptr_nonnull(at);
	for (; at; at = json_object_iter_next(json_object_get(reference, "files"), at)) {
		const json_t *file = json_object_iter_value(at);

		snprintf(path, sizeof(path), "%s/%s", folder, json_object_iter_key(at));
		snprintf(expected, sizeof(expected), "%016" PRIx64, fnv1a(path, &bytes));
		ck_assert_msg(!strcmp(json_string_value(json_object_get(file, "fnv1a")), expected),
			      "%s is not what %s/reference.json was made from: run "
			      "tests/reference/models.py again",
			      path, name);
		ck_assert_uint_eq(integer(file, "bytes"), bytes);
	}
	prompts = json_object_get(reference, "prompts");
	ck_assert_uint_eq(json_array_size(prompts), 64);
	for (size_t i = 0; i < 64; i++)
		positions +=
			json_array_size(json_object_get(json_array_get(prompts, i), "positions"));
	snprintf(path, sizeof(path), MODELS "%s/reference.f32", name);
	fnv1a(path, &bytes);
	ck_assert_uint_eq(bytes, positions * integer(reference, "vocab") * 4);
	json_decref(reference);
}

START_TEST(references_are_of_these_files)
{
	static const char *const names[] = {"llama-mha", "llama-gqa", "llama-mqa", "llama-3.1",
					    "mistral",	 "qwen2",     "qwen3"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char folder[512];

		snprintf(folder, sizeof(folder), MODELS "%s", names[i]);
		check_reference(names[i], folder);
	}
	check_reference("tiny", QUIRE_SOURCE_DIR "/labs/models/tiny");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("weights");
	TCase *c = tcase_create("weights");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(c, frequencies);
	tcase_add_test(c, normal);
	tcase_add_test(c, pure_function_of_the_seed);
	tcase_add_test(c, odd_sizes);
	tcase_add_test(c, types);
	tcase_add_test(c, not_drawn);
	tcase_add_test(c, not_to_be_drawn);
	tcase_add_test(c, references_are_of_these_files);
	suite_add_tcase(suite, c);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
