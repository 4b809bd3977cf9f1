/*
 * engine.c - how fast the cpu executor is, next to what this machine can do.
 *
 *	engine [MODEL [TYPE [RUNS [THREADS]]]]
 *
 * MODEL is a built-in name or a config.json (qwen2.5-0.5b), whose weights are drawn;
 * TYPE that of weights and cache (bf16).  Three things are measured in one process,
 * each RUNS (5) times, and told as medians:
 *
 *	copy	bytes read and written a second by memcpy of arrays far larger than any
 *		cache, by all threads
 *	peak	flops a second of multiply-adds on registers, by all threads
 *	model	steps of decodes alone (bytes of weights, keys and values a second), and
 *		of one long prompt (flops a second), each with its share of those
 *
 * The first two are measured anew before each line that is compared with them.
 *
 * Steps are run by the real loop and timed one by one, by the clock and by the time that
 * the process spent on cores.  On a machine that does other work at the same time the
 * second tells more: shares by it compare what a core did while we had it.
 */
#include "core/engine/engine.h"
#include "core/loop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 256
#define STEPS_MAX   4096
#define COPY_BYTES  ((size_t)256 << 20) /* of an array, over all threads */

static uint32_t runs = 5, threads;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Two times of one thing: of the clock; of our threads on cores, by their number. */
struct span {
	double s, cpu_s;
};

static struct span span_begin(void)
{
	struct timespec cpu;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	return (struct span){now_s(), ((double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9) / threads};
}

static struct span span_end(struct span begin)
{
	struct span now = span_begin();

	return (struct span){now.s - begin.s, now.cpu_s - begin.cpu_s};
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *value, uint32_t count)
{
	qsort(value, count, sizeof(*value), compare);
	return count % 2 ? value[count / 2] : (value[count / 2 - 1] + value[count / 2]) / 2;
}

/* Each time for itself. */
static struct span median_span(const struct span *span, uint32_t count)
{
	double s[STEPS_MAX], cpu_s[STEPS_MAX];

	for (uint32_t i = 0; i < count; i++) {
		s[i] = span[i].s;
		cpu_s[i] = span[i].cpu_s;
	}
	return (struct span){median(s, count), median(cpu_s, count)};
}

static void die(const char *what)
{
	fprintf(stderr, "engine: %s\n", what);
	exit(1);
}

/* ---- what the machine can do ---- */

struct part {
	pthread_t id;
	char *from, *to;
	size_t bytes;
	float out;
};

static void *copy_part(void *arg)
{
	struct part *part = arg;

	for (int i = 0; i < 4; i++)
		memcpy(part->to, part->from, part->bytes);
	return NULL;
}

/* Sixteen chains hide the latency of the units; each flop is counted. */
#define PEAK_TURNS  20000000
#define PEAK_CHAINS 16
typedef float wide __attribute__((vector_size(64)));

#define PEAK_BODY                                                                                  \
	wide sum[PEAK_CHAINS];                                                                     \
	wide a, b;                                                                                 \
                                                                                                   \
	for (int k = 0; k < 16; k++)                                                               \
		a[k] = 0.999f, b[k] = 0.001f;                                                      \
	for (int i = 0; i < PEAK_CHAINS; i++)                                                      \
		sum[i] = b * (float)i;                                                             \
	for (int turn = 0; turn < PEAK_TURNS; turn++)                                              \
		for (int i = 0; i < PEAK_CHAINS; i++)                                              \
			sum[i] = sum[i] * a + b;                                                   \
	for (int i = 1; i < PEAK_CHAINS; i++)                                                      \
		sum[0] += sum[i];                                                                  \
	return sum[0][0]

#if defined(__x86_64__)
__attribute__((target("avx512f,fma"))) static float peak_avx512(void)
{
	PEAK_BODY;
}

__attribute__((target("avx2,fma"))) static float peak_avx2(void)
{
	PEAK_BODY;
}
#endif

static float peak_any(void)
{
	PEAK_BODY;
}

static void *peak_part(void *arg)
{
	struct part *part = arg;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f")) {
		part->out = peak_avx512();
		return NULL;
	}
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		part->out = peak_avx2();
		return NULL;
	}
#endif
	part->out = peak_any();
	return NULL;
}

/* How long all threads together take for @fn. */
static struct span all_parts(struct part *parts, void *(*fn)(void *))
{
	struct span begin = span_begin();

	for (uint32_t i = 0; i < threads; i++)
		if (pthread_create(&parts[i].id, NULL, fn, &parts[i]))
			die("cannot start a thread");
	for (uint32_t i = 0; i < threads; i++)
		pthread_join(parts[i].id, NULL);
	return span_end(begin);
}

/* Of copies, and of multiply-adds: how long, and how much in it. */
struct limit {
	struct span span;
	double amount;
};

static struct limit measure_copy(void)
{
	static struct part parts[THREADS_MAX];
	struct span span[64];

	for (uint32_t i = 0; i < threads; i++) {
		parts[i].bytes = COPY_BYTES / threads / 64 * 64;
		parts[i].from = malloc(parts[i].bytes);
		parts[i].to = malloc(parts[i].bytes);
		if (!parts[i].from || !parts[i].to)
			die("no memory to copy");
		memset(parts[i].from, 1, parts[i].bytes);
		memset(parts[i].to, 2, parts[i].bytes);
	}
	for (uint32_t r = 0; r < runs; r++)
		span[r] = all_parts(parts, copy_part);
	for (uint32_t i = 0; i < threads; i++) {
		free(parts[i].from);
		free(parts[i].to);
	}
	return (struct limit){median_span(span, runs), 2.0 * 4 * (double)parts[0].bytes * threads};
}

static struct limit measure_peak(void)
{
	static struct part parts[THREADS_MAX];
	struct span span[64];

	for (uint32_t r = 0; r < runs; r++)
		span[r] = all_parts(parts, peak_part);
	return (struct limit){median_span(span, runs),
			      2.0 * 16 * PEAK_CHAINS * PEAK_TURNS * threads};
}

/* ---- the model ---- */

/* Steps of one kind, timed. */
struct timed {
	struct span span[STEPS_MAX];
	double bytes[STEPS_MAX];
	uint32_t count;
};

static struct {
	struct quire_exec_ops ops;
	int (*step)(struct quire_exec *ex, const struct quire_plan *plan,
		    struct quire_result *results);
	struct timed decode, prompt;
	uint32_t batch; /* a step of this many decodes is one to be timed */
} watch;

static int watched_step(struct quire_exec *ex, const struct quire_plan *plan,
			struct quire_result *results)
{
	struct quire_engine_stats before, after;
	struct timed *timed = plan->tokens_count == watch.batch && plan->items_count == watch.batch
				      ? &watch.decode
				      : &watch.prompt;
	struct span begin;
	int rc;

	quire_engine_stats(ex, &before);
	begin = span_begin();
	rc = watch.step(ex, plan, results);
	if (timed->count < STEPS_MAX) {
		timed->span[timed->count] = span_end(begin);
		quire_engine_stats(ex, &after);
		timed->bytes[timed->count++] =
			(double)(after.weight_bytes_read + after.kv_bytes_read -
				 before.weight_bytes_read - before.kv_bytes_read);
	}
	return rc;
}

/* @batch requests at once, prompt and output as long for each; steps are timed. */
static void run_model(const struct quire_checkpoint *checkpoint, enum quire_weight_type type,
		      uint32_t batch, uint32_t prompt, uint32_t output, bool fast)
{
	uint32_t slots = batch * (prompt + output + 32), length = prompt + output + 1;
	struct quire_request *requests = calloc(batch, sizeof(*requests));
	struct quire_stream_request *said = calloc(batch, sizeof(*said));
	uint32_t *outputs = calloc(batch, sizeof(*outputs));
	uint32_t *tokens = calloc(prompt, sizeof(*tokens));
	struct quire_streams_config speech = {
		.requests = said,
		.requests_count = batch,
		.vocab = checkpoint->model.vocab,
		.ignore_ends = true,
		.output_tokens = outputs,
	};
	struct quire_engine_config engine = {
		.checkpoint = checkpoint,
		.slots_total = slots,
		.seqs_max = batch,
		.step_tokens_max = batch * prompt,
		.seq_tokens_max = length,
		.kv_type = type,
		.threads = threads,
		.fast_products = fast,
	};
	struct quire_loop_config config = {
		.scheduler = "continuous",
		.allocator = "paged",
		.slots_total = slots,
		.seqs_max = batch,
		.seq_tokens_max = length,
		.step_tokens_max = batch * prompt,
		.requests = requests,
		.output_tokens = outputs,
		.requests_count = batch,
		.window_until_ns = UINT64_MAX,
	};
	struct quire_loop *loop;

	if (!requests || !said || !outputs || !tokens)
		die("no memory");
	for (uint32_t i = 0; i < prompt; i++)
		tokens[i] = i * 7919 % checkpoint->model.vocab;
	for (uint32_t i = 0; i < batch; i++) {
		requests[i] = (struct quire_request){.id = i,
						     .prompt_tokens = prompt,
						     .output_tokens_max = output,
						     .samples = 1};
		said[i].prompt = tokens;
		quire_sampling_init(&said[i].sampling);
		outputs[i] = output;
	}
	if (quire_streams_new(&engine.streams, &speech) || quire_engine_cpu(&config.exec, &engine))
		die(quire_failure());
	watch.ops = *config.exec.ops;
	watch.step = watch.ops.step;
	watch.ops.step = watched_step;
	watch.batch = batch;
	watch.decode.count = watch.prompt.count = 0;
	config.exec.ops = &watch.ops;
	loop = quire_loop_new(&config);
	if (!loop || quire_loop_run(loop))
		die(quire_failure());
	quire_loop_free(loop);
	quire_engine_free(&config.exec);
	quire_streams_free(engine.streams);
	free(requests);
	free(said);
	free(outputs);
	free(tokens);
}

/* What was reached of a limit, by each of the times, in percent. */
static void show_shares(struct span span, double amount, const struct limit *limit,
			const char *what)
{
	printf("%5.1f %% of the %s, %5.1f %% by cpu time\n",
	       100 * amount / span.s / (limit->amount / limit->span.s), what,
	       100 * amount / span.cpu_s / (limit->amount / limit->span.cpu_s));
	fflush(stdout);
}

static void show_decode(const struct quire_checkpoint *checkpoint, enum quire_weight_type type,
			uint32_t batch, uint32_t prompt)
{
	const struct limit copy = measure_copy();
	struct span span;
	double bytes;

	run_model(checkpoint, type, batch, prompt, 4 + 4 * runs, false);
	span = median_span(watch.decode.span, watch.decode.count);
	bytes = median(watch.decode.bytes, watch.decode.count);
	printf("decode, batch %3u, context %5u   %8.2f ms a step  %8.1f tokens/s  %6.2f GB/s     ",
	       batch, prompt, span.s * 1e3, batch / span.s, bytes / span.s / 1e9);
	show_shares(span, bytes, &copy, "copy");
}

static void show_prompt(const struct quire_checkpoint *checkpoint, enum quire_weight_type type,
			uint32_t prompt, bool fast)
{
	const struct limit peak = measure_peak();
	struct quire_flops flops;
	struct span span[64];

	quire_model_flops(&checkpoint->model, prompt, quire_causal_pairs(prompt, 0), 1, &flops);
	for (uint32_t r = 0; r < (runs + 1) / 2; r++) {
		run_model(checkpoint, type, 1, prompt, 1, fast);
		span[r] = watch.prompt.span[0];
	}
	span[0] = median_span(span, (runs + 1) / 2);
	printf("prompt of %5u%-18s %8.2f ms         %8.1f tokens/s  %6.1f GFLOP/s  ", prompt,
	       fast ? ", fast_products" : "", span[0].s * 1e3, prompt / span[0].s,
	       flops.total / span[0].s / 1e9);
	show_shares(span[0], flops.total, &peak, "peak");
}

int main(int argc, char **argv)
{
	enum quire_weight_type type = QUIRE_BF16;
	struct quire_checkpoint checkpoint;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct limit copy, peak;

	if (argc > 2)
		for (type = QUIRE_BF16; strcmp(argv[2], quire_weight_type_name(type)) != 0; type++)
			if (type == QUIRE_FP32)
				die("TYPE is bf16, fp16 or fp32");
	if (argc > 3)
		runs = (uint32_t)atoi(argv[3]);
	threads = argc > 4 ? (uint32_t)atoi(argv[4]) : (uint32_t)cores;
	if (runs < 1 || runs > 64 || threads < 1 || threads > THREADS_MAX)
		die("RUNS is 1 to 64, THREADS 1 to 256");
	copy = measure_copy();
	peak = measure_peak();
	printf("%u threads: a copy reads and writes %.2f GB/s; multiply-adds %.1f GFLOP/s\n",
	       threads, copy.amount / copy.span.s / 1e9, peak.amount / peak.span.s / 1e9);
	printf("%u threads, by cpu time:            %.2f GB/s;               %.1f GFLOP/s\n",
	       threads, copy.amount / copy.span.cpu_s / 1e9, peak.amount / peak.span.cpu_s / 1e9);
	if (quire_checkpoint_random(&checkpoint, argc > 1 ? argv[1] : "qwen2.5-0.5b", type, 1,
				    true))
		die(quire_failure());
	printf("%s, %s: %.1f MB of weights, %llu bytes of keys and values a token\n",
	       checkpoint.model.name, quire_weight_type_name(type),
	       (double)checkpoint.weight_bytes / 1e6,
	       (unsigned long long)quire_engine_slot_bytes(&checkpoint, type));
	show_decode(&checkpoint, type, 1, 128);
	show_decode(&checkpoint, type, 1, 1024);
	show_decode(&checkpoint, type, 4, 128);
	show_decode(&checkpoint, type, 8, 512);
	show_decode(&checkpoint, type, 32, 64);
	for (uint32_t prompt = 32; prompt <= 512; prompt *= 4) {
		show_prompt(&checkpoint, type, prompt, false);
		show_prompt(&checkpoint, type, prompt, true);
	}
	quire_checkpoint_close(&checkpoint);
	return 0;
}
