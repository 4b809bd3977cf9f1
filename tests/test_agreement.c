/*
 * test_agreement.c - the executors say what Hugging Face transformers says.
 *
 * tests/fixtures/models has small random models of each architecture, and the tiny model
 * has a reference there too: logits of some positions, and what follows 64 prompts
 * greedily, computed in fp32 from the same weights (tests/reference/models.py).
 *
 * Logits agree if max |ours - theirs| <= 1e-4 max |theirs| in every position; greedy
 * tokens must be the same, but where the two largest logits are closer than the
 * largest |ours - theirs| that was found in that model.
 *
 * QUIRE_EXEC=cuda asks the cuda executor, which works in bf16: 2e-2 instead of 1e-4, or what
 * transformers' own bf16 is off, if that is more; the cpu executor stands for theirs where
 * no logits were kept, so that the error of every compared token is measured; and
 * several schedulers and allocators, with chunks and preemptions.  Where there is no
 * GPU that is skipped, with the reason.  QUIRE_MODELS=qwen2,tiny tries these models alone;
 * QUIRE_SOURCE_DIR says where the tree is.
 */
#include "naive.h"

#include "core/engine/engine.h"
#include "core/loop.h"
#include "core/model/logits.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMPTS_MAX 64
#define TOKENS_MAX  192 /* of a prompt and what follows */
#define DISTANCE    1e-4
#define DISTANCE_16 2e-2 /* of bf16, unless transformers' own bf16 is further off: then ... */
#define MARGIN	    1.25 /* ... so many times what that is: the worst of few numbers scatters */

static const struct {
	const char *name, *weights; /* NULL: beside the reference */
} models[] = {
	{"llama-mha", NULL}, {"llama-gqa", NULL}, {"llama-mqa", NULL}, {"llama-3.1", NULL},
	{"mistral", NULL},   {"qwen2", NULL},	  {"qwen3", NULL},     {"tiny", "labs/models/tiny"},
};
#define MODELS (int)(sizeof(models) / sizeof(models[0]))

struct prompt {
	uint32_t tokens[TOKENS_MAX]; /* [count] of the prompt, then [greedy] that follow */
	uint32_t count, greedy;
	double gaps[TOKENS_MAX]; /* [greedy] */
	uint32_t positions[TOKENS_MAX];
	uint32_t positions_count;
	const float *logits; /* [positions_count][vocab] */
};

struct reference {
	struct prompt prompts[PROMPTS_MAX];
	uint32_t count, vocab;
	double bf16; /* distance of transformers' logits in bf16 */
	float *logits;
};

static struct reference reference;
static struct quire_checkpoint checkpoint;
static double error;	      /* the largest |ours - theirs| of this model */
static double errors[MODELS]; /* of those that were measured */
static bool cuda;	      /* QUIRE_EXEC=cuda */
static bool fast;	      /* QUIRE_FAST_PRODUCTS=1 */

/* Is it in QUIRE_MODELS, a list of names?  Without one, all are. */
static bool wanted(int model)
{
	const char *names = getenv("QUIRE_MODELS");

	return !names || strstr(names, models[model].name);
}

/* A file of the tree, in one of a few buffers. */
static const char *in_tree(const char *folder, const char *name, const char *file)
{
	static char paths[4][512];
	static int next;
	const char *tree = getenv("QUIRE_SOURCE_DIR");
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s%s%s", tree ? tree : QUIRE_SOURCE_DIR, folder, name,
		 file);
	return path;
}

static int open_engine(struct quire_exec *ex, const struct quire_engine_config *config)
{
	return cuda ? quire_engine_cuda(ex, config) : quire_engine_cpu(ex, config);
}

/* ---- the fixtures ---- */

static uint32_t read_numbers(const json_t *array, uint32_t *out)
{
	size_t count = json_array_size(array);

	if (count > TOKENS_MAX)
		ck_abort_msg("%zu numbers, there is room for %d", count, TOKENS_MAX);
	for (size_t i = 0; i < count; i++)
		out[i] = (uint32_t)json_integer_value(json_array_get(array, i));
	return (uint32_t)count;
}

static void read_logits(const char *path, size_t count)
{
	FILE *file = fopen(path, "rb");

	reference.logits = malloc(count * sizeof(float));
	if (!file || !reference.logits || fread(reference.logits, 4, count, file) != count ||
	    fgetc(file) != EOF)
		ck_abort_msg("%s does not have %zu logits", path, count);
	fclose(file);
}

static void read_reference(const char *name)
{
	size_t rows = 0, i;
	json_t *root, *entry;
	json_error_t problem;
	const char *path = in_tree("tests/fixtures/models/", name, "/reference.json");

	root = json_load_file(path, 0, &problem);
	if (!root)
		ck_abort_msg("%s: %s", path, problem.text);
	reference.vocab = (uint32_t)json_integer_value(json_object_get(root, "vocab"));
	reference.bf16 = json_number_value(json_object_get(root, "bf16"));
	json_array_foreach(json_object_get(root, "prompts"), i, entry)
	{
		struct prompt *p = &reference.prompts[i];
		const json_t *gaps = json_object_get(entry, "gaps");

		ck_assert_uint_lt(i, PROMPTS_MAX);
		p->count = read_numbers(json_object_get(entry, "tokens"), p->tokens);
		p->greedy = (uint32_t)json_array_size(json_object_get(entry, "greedy"));
		ck_assert_uint_le(p->count + p->greedy, TOKENS_MAX);
		read_numbers(json_object_get(entry, "greedy"), p->tokens + p->count);
		ck_assert_uint_eq(json_array_size(gaps), p->greedy);
		for (uint32_t k = 0; k < p->greedy; k++)
			p->gaps[k] = json_number_value(json_array_get(gaps, k));
		p->positions_count =
			read_numbers(json_object_get(entry, "positions"), p->positions);
		rows += p->positions_count;
		reference.count++;
	}
	json_decref(root);
	ck_assert_uint_eq(reference.count, PROMPTS_MAX);
	ck_assert_uint_ge(rows, 20);
	read_logits(in_tree("tests/fixtures/models/", name, "/reference.f32"),
		    rows * reference.vocab);
	rows = 0;
	for (i = 0; i < reference.count; i++) {
		reference.prompts[i].logits = reference.logits + rows * reference.vocab;
		rows += reference.prompts[i].positions_count;
	}
}

static void open_model(int index)
{
	const char *path;

	memset(&reference, 0, sizeof(reference));
	path = models[index].weights ? in_tree(models[index].weights, "", "")
				     : in_tree("tests/fixtures/models/", models[index].name, "");

	if (quire_checkpoint_open(&checkpoint, path))
		ck_abort_msg("%s", quire_failure());
	read_reference(models[index].name);
	ck_assert_uint_eq(checkpoint.model.vocab, reference.vocab);
}

static void close_model(void)
{
	quire_checkpoint_close(&checkpoint);
	free(reference.logits);
}

static struct quire_engine_config engine_config(void)
{
	return (struct quire_engine_config){
		.checkpoint = &checkpoint,
		.slots_total = 2048,
		.seqs_max = 16,
		.step_tokens_max = 256,
		.seq_tokens_max = TOKENS_MAX + 1,
		.kv_type = cuda ? QUIRE_BF16 : QUIRE_FP32,
		.threads = 2,
		.fast_products = fast,
		.poison = true,
		.quiet_clock = true,
	};
}

/* ---- each prompt and what follows it, all at once ---- */

/* Return: the largest distance of a position. */
static double check_logits(const struct prompt *p, const float *logits)
{
	double row[4096], worst = 0;

	ck_assert_uint_le(reference.vocab, 4096);
	for (uint32_t i = 0; i < p->positions_count; i++) {
		const float *ours = logits + (size_t)p->positions[i] * reference.vocab;
		const float *theirs = p->logits + (size_t)i * reference.vocab;
		double distance;

		for (uint32_t k = 0; k < reference.vocab; k++) {
			double off = fabs((double)ours[k] - (double)theirs[k]);

			row[k] = (double)theirs[k];
			error = off > error ? off : error;
		}
		distance = naive_distance(ours, row, reference.vocab);
		worst = distance > worst ? distance : worst;
	}
	return worst;
}

/* In bf16 a few positions do not tell how far off others are: error grows to that of all. */
static void measure_all(struct quire_exec *ex, float *logits)
{
	struct quire_engine_config config = engine_config();
	float *exact = malloc((size_t)TOKENS_MAX * reference.vocab * sizeof(*exact));
	struct quire_exec cpu;

	config.kv_type = QUIRE_FP32;
	config.fast_products = false;
	if (!exact || quire_engine_cpu(&cpu, &config))
		ck_abort_msg("%s", quire_failure());
	for (uint32_t i = 0; i < reference.count; i++) {
		const struct prompt *p = &reference.prompts[i];
		const size_t first = (size_t)(p->count - 1) * reference.vocab;
		const size_t end = first + (size_t)p->greedy * reference.vocab;

		if (quire_engine_logits(ex, p->tokens, p->count + p->greedy, logits) ||
		    quire_engine_logits(&cpu, p->tokens, p->count + p->greedy, exact))
			ck_abort_msg("%s", quire_failure());
		for (size_t k = first; k < end; k++) {
			double off = fabs((double)logits[k] - (double)exact[k]);

			error = off > error ? off : error;
		}
	}
	quire_engine_free(&cpu);
	free(exact);
}

/* The same of all prompts; error becomes the largest |ours - theirs|. */
static double measure(struct quire_exec *ex, float *logits)
{
	double worst = 0;

	error = 0;
	for (uint32_t i = 0; i < reference.count; i++) {
		const struct prompt *p = &reference.prompts[i];
		double distance;

		if (!p->positions_count)
			continue;
		if (quire_engine_logits(ex, p->tokens, p->count, logits))
			ck_abort_msg("%s", quire_failure());
		distance = check_logits(p, logits);
		worst = distance > worst ? distance : worst;
	}
	if (cuda)
		measure_all(ex, logits);
	return worst;
}

START_TEST(logits_agree)
{
	struct quire_engine_config config = engine_config();
	uint32_t close = 0, compared = 0;
	double worst, allowed = cuda ? DISTANCE_16 : DISTANCE;
	struct quire_exec ex;
	float *logits;

	if (!wanted(_i))
		return;
	open_model(_i);
	logits = malloc((size_t)TOKENS_MAX * reference.vocab * sizeof(*logits));
	if (!logits || open_engine(&ex, &config))
		ck_abort_msg("%s", quire_failure());
	worst = measure(&ex, logits);
	errors[_i] = error;
	for (uint32_t i = 0; i < reference.count; i++) {
		const struct prompt *p = &reference.prompts[i];

		if (quire_engine_logits(&ex, p->tokens, p->count + p->greedy, logits))
			ck_abort_msg("%s", quire_failure());
		for (uint32_t k = 0; k < p->greedy; k++, compared++) {
			uint32_t token = quire_logits_largest(logits + (size_t)(p->count + k - 1) *
									       reference.vocab,
							      reference.vocab);

			close += p->gaps[k] < error;
			if (token != p->tokens[p->count + k] && !(p->gaps[k] < error))
				ck_abort_msg("prompt %u, token %u behind it is %u, expected %u", i,
					     k, token, p->tokens[p->count + k]);
		}
	}
	printf("%-10s %s: logits within %.2g of theirs, relative (transformers in bf16: %.2g); %u "
	       "greedy tokens, %u of them within %.2g of another\n",
	       models[_i].name, quire_weight_type_name(checkpoint.type), worst, reference.bf16,
	       compared, close, error);
	ck_assert(reference.bf16 > 0);
	if (cuda && MARGIN * reference.bf16 > allowed)
		allowed = MARGIN * reference.bf16;
	if (!(worst <= allowed))
		ck_abort_msg("%s: logits are off by %g, relative", models[_i].name, worst);
	free(logits);
	quire_engine_free(&ex);
	close_model();
}
END_TEST

/* ---- the same, said one after the other in a crowd ---- */

static const struct {
	const char *scheduler, *allocator;
	uint32_t slots_total;
} crowds[] = {
	{"splitfuse,budget=48", "paged,block=8", 2048}, /* of the cpu: this one alone */
	{"continuous", "contiguous,reserve=cap,place=first", 1024},
	{"continuous,prefill=first", "paged,block=1", 400},
	{"static,batch=5", "paged,block=16", 2048},
	{"splitfuse,budget=40", "paged,block=128", 1536},
};

static void greedy_crowd(int model, size_t crowd)
{
	static struct quire_request requests[PROMPTS_MAX];
	static struct quire_stream_request said[PROMPTS_MAX];
	static uint32_t outputs[PROMPTS_MAX];
	struct quire_engine_config engine = engine_config();
	struct quire_streams_config speech = {
		.requests = said,
		.requests_count = PROMPTS_MAX,
		.ignore_ends = true,
		.output_tokens = outputs,
	};
	struct quire_loop_config config = {
		.scheduler = crowds[crowd].scheduler,
		.allocator = crowds[crowd].allocator,
		.slots_total = crowds[crowd].slots_total,
		.seqs_max = engine.seqs_max,
		.seq_tokens_max = engine.seq_tokens_max,
		.requests = requests,
		.output_tokens = outputs,
		.requests_count = PROMPTS_MAX,
		.window_until_ns = UINT64_MAX,
	};
	struct quire_loop *loop;
	double threshold = DISTANCE;
	uint32_t same = 0;

	open_model(model);
	speech.vocab = reference.vocab;
	engine.slots_total = config.slots_total;
	for (uint32_t i = 0; i < PROMPTS_MAX; i++) {
		const struct prompt *p = &reference.prompts[i];

		requests[i] = (struct quire_request){.id = i,
						     .prompt_tokens = p->count,
						     .output_tokens_max = p->greedy,
						     .samples = 1};
		said[i].prompt = p->tokens;
		quire_sampling_init(&said[i].sampling);
		outputs[i] = p->greedy;
	}
	if (quire_streams_new(&engine.streams, &speech) || open_engine(&config.exec, &engine))
		ck_abort_msg("%s", quire_failure());
	if (cuda) {
		float *logits = malloc((size_t)TOKENS_MAX * reference.vocab * sizeof(*logits));

		ck_assert_ptr_nonnull(logits);
		if (errors[model] == 0) {
			measure(&config.exec, logits);
			errors[model] = error;
		}
		threshold = errors[model];
		free(logits);
	}
	loop = quire_loop_new(&config);
	if (!loop || quire_loop_run(loop))
		ck_abort_msg("%s", quire_failure());
	for (uint32_t i = 0; i < PROMPTS_MAX; i++) {
		const struct prompt *p = &reference.prompts[i];
		const struct quire_stream *stream = quire_stream(engine.streams, i, 0);

		ck_assert_uint_eq(stream->count, p->greedy);
		/* They may differ in a choice between equals; behind it, in anything. */
		for (uint32_t k = 0; k < p->greedy; k++, same++)
			if (stream->tokens[k] != p->tokens[p->count + k]) {
				if (p->gaps[k] > threshold)
					ck_abort_msg(
						"prompt %u, token %u behind it is %u, expected %u",
						i, k, stream->tokens[k], p->tokens[p->count + k]);
				break;
			}
	}
	if (cuda)
		printf("%-10s %s x %s: %u tokens are the same, up to choices closer than %.2g; %u "
		       "preemptions, "
		       "%u steps\n",
		       models[model].name, config.scheduler, config.allocator, same, threshold,
		       (unsigned)quire_loop_metrics(loop)->preemptions,
		       (unsigned)quire_loop_metrics(loop)->steps);
	ck_assert_uint_gt(same, cuda ? 100 : 1500);
	quire_loop_free(loop);
	quire_engine_free(&config.exec);
	quire_streams_free(engine.streams);
	close_model();
}

START_TEST(greedy_tokens_agree)
{
	const size_t count = cuda ? sizeof(crowds) / sizeof(crowds[0]) : 1;

	for (size_t i = 0; i < count && wanted(_i); i++)
		greedy_crowd(_i, i);
}
END_TEST

/* ---- what must not pass ---- */

START_TEST(nan_never_passes)
{
	float ours[4] = {1, 2, 3, 4};
	double theirs[4] = {1, 2, 3, 4};

	ck_assert_double_eq(naive_distance(ours, theirs, 4), 0);
	ours[2] = NAN;
	ck_assert_double_eq(naive_distance(ours, theirs, 4), INFINITY);
	ours[2] = INFINITY;
	ck_assert_double_eq(naive_distance(ours, theirs, 4), INFINITY);
	ours[2] = 3.0004f;
	ck_assert(naive_distance(ours, theirs, 4) > 0.99 * DISTANCE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agreement");
	SRunner *runner = srunner_create(suite);
	TCase *tests = tcase_create("agreement");
	const char *asked = getenv("QUIRE_EXEC"), *in_haste = getenv("QUIRE_FAST_PRODUCTS");
	uint64_t free_bytes, total_bytes;
	int failed;

	cuda = asked && !strcmp(asked, "cuda");
	fast = in_haste && *in_haste;
	if (cuda && quire_cuda_memory(&free_bytes, &total_bytes)) {
		printf("skipped: %s\n", quire_failure());
		return 77;
	}
	if (cuda) /* a GPU does not survive a fork */
		srunner_set_fork_status(runner, CK_NOFORK);

	tcase_add_loop_test(tests, logits_agree, 0, MODELS);
	tcase_add_loop_test(tests, greedy_tokens_agree, 0, MODELS);
	tcase_add_test(tests, nan_never_passes);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
