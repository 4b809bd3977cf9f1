/*
 * test_transparency.c - the scheduler and the allocator are invisible in what is said.
 *
 * The same requests are run by the cpu executor under every scheduler and allocator, in
 * pools that are too small, with budgets that cut prompts, one to three threads, and
 * freed slots filled with NaN.  Every token of every sample, and the bits of every
 * logprob, must be those of a run in which each request was alone.
 *
 * That proves little unless the runs differ: the test counts preemptions, copies,
 * chunks, padding rows and forks in what it compares, and fails without them.
 */
#include "naive.h"

#include "core/engine/cpu.h"
#include "core/loop.h"
#include "core/model/logits.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS      14
#define SAMPLES_MAX   16 /* streams of a request; of a beam search: rows and texts */
#define OUTPUT_MAX    40
#define SEQ_TOKENS    128
#define VOCAB	      160
#define LENGTH_MAX(a) (sizeof(a) / sizeof((a)[0]))

static const struct quire_model shape = {
	.layers = 2,
	.hidden = 48,
	.heads = 6,
	.kv_heads = 2,
	.head_dim = 16,
	.intermediate = 88,
	.vocab = VOCAB,
	.qkv_bias = true,
	.embeddings_tied = true,
};

/* What the runs that are compared did. */
struct deeds {
	uint64_t runs, preemptions, copies, chunks, padding, forks, mixed;
	uint64_t split; /* items that lie in two batches of the executor */
};

/* What was said, and with which probability. */
struct told {
	uint32_t count[REQUESTS][SAMPLES_MAX];
	uint32_t token[REQUESTS][SAMPLES_MAX][OUTPUT_MAX];
	float logprob[REQUESTS][SAMPLES_MAX][OUTPUT_MAX];
};

static struct quire_checkpoint model;
static struct quire_request requests[REQUESTS];
static bool searches(uint32_t request) /* by beams, where the scheduler can */
{
	return request % 8 == 5;
}
static struct quire_stream_request said[REQUESTS];
static uint32_t prompts[REQUESTS][SEQ_TOKENS];
static uint32_t outputs[REQUESTS];

static void make_requests(void)
{
	uint64_t state = 20240229;

	naive_model(&model, &shape, QUIRE_BF16, 1);
	model.window = 50;
	for (uint32_t i = 0; i < REQUESTS; i++) {
		uint32_t prompt = 1 + naive_random(&state, i % 3 ? 20 : 80);

		outputs[i] = 1 + naive_random(&state, OUTPUT_MAX);
		requests[i] = (struct quire_request){
			.id = i,
			.arrival_ns = i < REQUESTS / 2 ? 0 : i * 500000u,
			.prompt_tokens = prompt,
			.output_tokens_max = OUTPUT_MAX,
			.samples = i % 2 ? 1 : 1 + i / 2 % 3,
		};
		for (uint32_t k = 0; k < SEQ_TOKENS; k++)
			prompts[i][k] = naive_random(&state, VOCAB);
		said[i].prompt = prompts[i];
		quire_sampling_init(&said[i].sampling);
		/* Greedy ones, and samples that differ. */
		if (requests[i].samples > 1 || i % 5 == 1)
			said[i].sampling.temperature = 0.8;
		said[i].sampling.seed = 100 + i;
		if (i % 4 == 3)
			said[i].sampling.repetition_penalty = 1.3;
	}
}

/* ---- one run ---- */

struct setting {
	const char *scheduler, *allocator;
	uint32_t slots, budget, seqs, threads;
	enum quire_weight_type kv_type;
	bool beams; /* some requests are searched for; otherwise they are like the others */
	bool alone; /* each request when the one before it is done */
};

struct world {
	struct quire_exec_ops ops; /* the engine's, but for step */
	int (*step)(struct quire_exec *ex, const struct quire_plan *plan,
		    struct quire_result *results);
	struct deeds *deeds;
};

static struct world world;

static int counting_step(struct quire_exec *ex, const struct quire_plan *plan,
			 struct quire_result *results)
{
	uint32_t chunks = 0, decodes = 0, rows = 0;

	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_item *item = &plan->items[i];

		chunks += item->seq->state == QUIRE_RUNNING &&
			  item->tokens < quire_plan_todo(item->seq);
		decodes += item->tokens == 1;
		world.deeds->split += rows / CPU_ROWS < (rows + item->tokens - 1) / CPU_ROWS;
		rows += plan->pad_tokens ? plan->pad_tokens : item->tokens;
		if (plan->pad_tokens > item->tokens || item->seq->state == QUIRE_FINISHED)
			world.deeds->padding++;
	}
	world.deeds->chunks += chunks;
	world.deeds->mixed += decodes && decodes < plan->items_count;
	return world.step(ex, plan, results);
}

static void run(struct told *told, struct deeds *deeds, const struct setting *setting)
{
	const char *scheduler = setting->scheduler, *allocator = setting->allocator;
	struct quire_request ours[REQUESTS];
	struct quire_streams_config speech = {
		.requests = said,
		.requests_count = REQUESTS,
		.vocab = VOCAB,
		.ignore_ends = true,
		.output_tokens = outputs,
	};
	struct quire_engine_config engine = {
		.checkpoint = &model,
		.slots_total = setting->slots,
		.seqs_max = setting->seqs,
		.step_tokens_max = setting->budget,
		.seq_tokens_max = SEQ_TOKENS,
		.kv_type = setting->kv_type,
		.threads = setting->threads,
		.poison = true,
		.quiet_clock = true,
	};
	struct quire_loop_config config = {
		.scheduler = scheduler,
		.allocator = allocator,
		.slots_total = setting->slots,
		.seqs_max = setting->seqs,
		.seq_tokens_max = SEQ_TOKENS,
		.step_tokens_max = setting->budget,
		.audit = true,
		.requests = ours,
		.output_tokens = outputs,
		.requests_count = REQUESTS,
		.closed_users = setting->alone,
		.window_until_ns = UINT64_MAX,
	};
	const struct quire_metrics *m;
	struct quire_loop *loop;

	memcpy(ours, requests, sizeof(ours));
	for (uint32_t i = 0; setting->beams && i < REQUESTS; i++)
		if (searches(i)) {
			ours[i].beams = 3;
			ours[i].samples = 1;
		}
	memset(told, 0, sizeof(*told));
	if (quire_streams_new(&engine.streams, &speech) || quire_engine_cpu(&config.exec, &engine))
		ck_abort_msg("%s", quire_failure());
	world.ops = *config.exec.ops;
	world.step = world.ops.step;
	world.ops.step = counting_step;
	world.deeds = deeds;
	config.exec.ops = &world.ops;
	loop = quire_loop_new(&config);
	if (!loop)
		ck_abort_msg("%s, %s: %s", scheduler, allocator, quire_failure());
	quire_engine_start(&config.exec);
	if (quire_loop_run(loop))
		ck_abort_msg("%s, %s: %s", scheduler, allocator, quire_failure());
	m = quire_loop_metrics(loop);
	if (m->finished != REQUESTS)
		ck_abort_msg("%s, %s: %u of %u requests finished", scheduler, allocator,
			     (unsigned int)m->finished, REQUESTS);
	for (uint32_t i = 0; i < REQUESTS; i++)
		for (uint32_t k = 0; k < quire_streams_samples(engine.streams, i); k++) {
			const struct quire_stream *stream = quire_stream(engine.streams, i, k);

			if (!stream && ours[i].beams) /* a row that was dropped */
				continue;
			if (!stream || stream->count > OUTPUT_MAX || k >= SAMPLES_MAX)
				ck_abort_msg("request %u has no sample %u, of %u tokens", i, k,
					     stream ? stream->count : 0);
			told->count[i][k] = stream->count;
			memcpy(told->token[i][k], stream->tokens, stream->count * 4);
			memcpy(told->logprob[i][k], stream->logprobs, stream->count * 4);
		}
	deeds->runs++;
	deeds->preemptions += m->preemptions;
	deeds->copies += m->copies;
	deeds->forks += m->forks;
	quire_loop_free(loop);
	quire_engine_free(&config.exec);
	quire_streams_free(engine.streams);
}

static void compare(const struct told *a, const struct told *b, const char *scheduler,
		    const char *allocator)
{
	for (uint32_t i = 0; i < REQUESTS; i++)
		for (uint32_t k = 0; k < SAMPLES_MAX; k++) {
			if (a->count[i][k] != b->count[i][k])
				ck_abort_msg("%s, %s: request %u, sample %u has %u tokens, "
					     "expected %u",
					     scheduler, allocator, i, k, a->count[i][k],
					     b->count[i][k]);
			for (uint32_t t = 0; t < a->count[i][k]; t++)
				if (a->token[i][k][t] != b->token[i][k][t] ||
				    memcmp(&a->logprob[i][k][t], &b->logprob[i][k][t], 4) != 0)
					ck_abort_msg("%s, %s: request %u, sample %u, token %u is "
						     "%u (%a), expected %u (%a)",
						     scheduler, allocator, i, k, t,
						     a->token[i][k][t], (double)a->logprob[i][k][t],
						     b->token[i][k][t],
						     (double)b->logprob[i][k][t]);
		}
}

/* ---- all of them ---- */

static const char *const schedulers[] = {
	"static,batch=3",	    "static,batch=5,until=9", "continuous",
	"continuous,prefill=first", "splitfuse,budget=16",    "splitfuse,budget=23,mix=0",
};

static const char *const paged[] = {"paged", "paged,cow=0", "paged,watermark=0.2"};
static const char *const contiguous[] = {
	"contiguous,reserve=max,place=buddy",	"contiguous,reserve=max,place=first",
	"contiguous,reserve=cap,place=best",	"contiguous,reserve=cap,place=buddy",
	"contiguous,reserve=pow2,place=first",	"contiguous,reserve=pow2,place=buddy",
	"contiguous,reserve=oracle,place=best", "contiguous,reserve=oracle,place=buddy",
};
static const uint32_t blocks[] = {1, 8, 16, 128};

static struct told expected[2][3]; /* without and with beams; by type of the cache */

/* What a request's samples said, against the logits of a model that is given all of it. */
static void check_whole(struct quire_exec *ex, const struct told *told, bool beams, uint32_t i,
			uint32_t k)
{
	static float logits[SEQ_TOKENS * VOCAB];
	uint32_t tokens[SEQ_TOKENS], prompt = requests[i].prompt_tokens;

	if (!told->count[i][k])
		return;
	memcpy(tokens, prompts[i], sizeof(*tokens) * prompt);
	memcpy(tokens + prompt, told->token[i][k], sizeof(*tokens) * told->count[i][k]);
	if (quire_engine_logits(ex, tokens, prompt + told->count[i][k], logits))
		ck_abort_msg("%s", quire_failure());
	for (uint32_t t = 0; t < told->count[i][k]; t++) {
		const float *row = logits + (size_t)(prompt + t - 1) * VOCAB;
		double sum;
		float logprob;

		if (quire_logits_sum(row, VOCAB, &sum))
			ck_abort_msg("%s", quire_failure());
		logprob = (float)((double)row[tokens[prompt + t]] - sum);
		if (memcmp(&logprob, &told->logprob[i][k][t], 4) != 0)
			ck_abort_msg("request %u, sample %u, token %u: %a, all at once %a", i, k, t,
				     (double)told->logprob[i][k][t], (double)logprob);
		if (!beams && said[i].sampling.temperature == 0 &&
		    said[i].sampling.repetition_penalty == 1 &&
		    quire_logits_largest(row, VOCAB) != tokens[prompt + t])
			ck_abort_msg("request %u, sample %u, token %u is not the largest", i, k, t);
	}
}

/* Each request alone, in one thread, with room for everything. */
static void run_alone(bool beams, enum quire_weight_type type)
{
	const struct setting setting = {
		.scheduler = "continuous",
		.allocator = "contiguous",
		.slots = 4096,
		.budget = 1024,
		.seqs = 256,
		.threads = 1,
		.kv_type = type,
		.beams = beams,
		.alone = true,
	};
	struct quire_engine_config engine = {
		.checkpoint = &model,
		.slots_total = SEQ_TOKENS,
		.seqs_max = 1,
		.step_tokens_max = SEQ_TOKENS,
		.seq_tokens_max = SEQ_TOKENS,
		.kv_type = type,
		.threads = 1,
	};
	struct told *told = &expected[beams][type];
	struct deeds deeds = {0};
	struct quire_exec ex;

	run(told, &deeds, &setting);
	if (deeds.preemptions || deeds.chunks || deeds.padding || deeds.mixed)
		ck_abort_msg("the run to compare with is not a plain one");
	if (quire_engine_cpu(&ex, &engine))
		ck_abort_msg("%s", quire_failure());
	for (uint32_t i = 0; i < REQUESTS; i++)
		for (uint32_t k = 0; k < SAMPLES_MAX; k++)
			check_whole(&ex, told, beams && searches(i), i, k);
	quire_engine_free(&ex);
}

static void run_all_alone(void)
{
	for (enum quire_weight_type type = QUIRE_BF16; type <= QUIRE_FP32; type++) {
		run_alone(false, type);
		run_alone(true, type);
	}
}

static void run_all(const char *const *allocators, uint32_t count, struct deeds *deeds)
{
	static struct told told;
	uint32_t turn = 0;
	char allocator[96];

	for (uint32_t s = 0; s < LENGTH_MAX(schedulers); s++)
		for (uint32_t a = 0; a < count; a++)
			for (uint32_t b = 0; b < LENGTH_MAX(blocks); b++, turn++) {
				bool fixed = strncmp(schedulers[s], "static", 6) == 0;
				struct setting setting = {
					.scheduler = schedulers[s],
					.allocator = allocator,
					/* Just room for the largest request's samples. */
					.slots = blocks[b] == 128 ? 768 : 272 + 16 * (turn % 3),
					.budget = strncmp(schedulers[s], "splitfuse", 9) ? 420 : 32,
					.seqs = 9,
					.threads = 1 + turn % 4,
					.kv_type = turn % 3,
					.beams = !fixed, /* whose rows would wait for a batch */
				};

				snprintf(allocator, sizeof(allocator), "%s,block=%u", allocators[a],
					 blocks[b]);
				run(&told, deeds, &setting);
				compare(&told, &expected[setting.beams][setting.kv_type],
					schedulers[s], allocator);
			}
}

static void show(const char *what, const struct deeds *d)
{
	printf("%s: %llu runs; %llu preemptions, %llu copies, %llu chunks, %llu rows with "
	       "padding, %llu forks, %llu steps of decodes and prompts, %llu items in two "
	       "batches\n",
	       what, (unsigned long long)d->runs, (unsigned long long)d->preemptions,
	       (unsigned long long)d->copies, (unsigned long long)d->chunks,
	       (unsigned long long)d->padding, (unsigned long long)d->forks,
	       (unsigned long long)d->mixed, (unsigned long long)d->split);
}

START_TEST(paged_is_invisible)
{
	struct deeds deeds = {0};

	run_all_alone();
	run_all(paged, LENGTH_MAX(paged), &deeds);
	show("paged", &deeds);
	ck_assert_uint_gt(deeds.preemptions, 50);
	ck_assert_uint_gt(deeds.copies, 100);
	ck_assert_uint_gt(deeds.chunks, 100);
	ck_assert_uint_gt(deeds.padding, 100);
	ck_assert_uint_gt(deeds.mixed, 100);
}
END_TEST

START_TEST(contiguous_is_invisible)
{
	struct deeds deeds = {0};

	run_all_alone();
	run_all(contiguous, LENGTH_MAX(contiguous), &deeds);
	show("contiguous", &deeds);
	ck_assert_uint_gt(deeds.copies, 100);
	ck_assert_uint_gt(deeds.chunks, 100);
	ck_assert_uint_gt(deeds.padding, 100);
	ck_assert_uint_gt(deeds.forks, 100);
}
END_TEST

/* Steps that are longer than the executor runs at once: longer prompts, all together. */
START_TEST(long_steps_are_invisible)
{
	static const char *const together[] = {"continuous", "continuous,prefill=first",
					       "static,batch=14,wait=1", "static,batch=9,wait=1"};
	static struct told told;
	struct deeds deeds = {0};

	for (uint32_t i = 0; i < REQUESTS; i++) {
		requests[i].prompt_tokens = 60 + i;
		requests[i].arrival_ns = 0;
	}
	run_alone(false, QUIRE_BF16);
	for (uint32_t i = 0; i < LENGTH_MAX(together); i++) {
		const struct setting setting = {
			.scheduler = together[i],
			.allocator = "paged,block=16",
			.slots = 8192,
			.budget = 2048,
			.seqs = 64,
			.threads = 2,
			.kv_type = QUIRE_BF16,
		};

		run(&told, &deeds, &setting);
		compare(&told, &expected[0][QUIRE_BF16], together[i], setting.allocator);
	}
	show("long steps", &deeds);
	ck_assert_uint_gt(deeds.split, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transparency");
	SRunner *runner = srunner_create(suite);
	TCase *tests = tcase_create("transparency");
	int failed;

	make_requests();
	tcase_add_test(tests, paged_is_invisible);
	tcase_add_test(tests, contiguous_is_invisible);
	tcase_add_test(tests, long_steps_are_invisible);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	naive_free(&model);
	return failed;
}
