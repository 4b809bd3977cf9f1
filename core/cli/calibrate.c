/*
 * calibrate.c - "quire calibrate": measure what a model's steps take on this machine, and
 * write the constants that let the simulator predict them.
 *
 * Ceilings first: of a GPU, its datasheet; of a cpu, how fast memory is read and how fast
 * OpenBLAS multiplies.  Then rounds of requests are served, from one sequence at a time to
 * many, with short prompts and long ones, whole and in chunks; every step is noted with
 * what it did and how long it took, up to the next one, so that the host is in it.  Every
 * fifth step is held back from the fit and scored.
 */
#include "cli.h"

#include "bench_run.h"
#include "core/sim/fit.h"
#include "core/util.h"
#include "output.h"
#include "units.h"

#include <cblas.h>
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct option options[] = {
	QUIRE_ENGINE_LONG_OPTIONS,
	{"gpu", required_argument, NULL, 0},
	{"max-model-len", required_argument, NULL, 0},
	{"max-num-seqs", required_argument, NULL, 0},
	{"seconds", required_argument, NULL, 0},
	{"output", required_argument, NULL, 0},
	{"help", no_argument, NULL, 0},
	{NULL, 0, NULL, 0},
};

static const char help_head[] =
	"usage: quire calibrate --model DIR --output FILE [OPTIONS]\n"
	"\n"
	"Measure this machine with a model, and write a profile for 'quire sim --gpu FILE'.\n"
	"Give the machine nothing else to do meanwhile: it would be measured too.  How far the\n"
	"profile is from what was measured is told at the end, for steps that it was fitted to\n"
	"and for others.\n"
	"\n";

static const char help_rest[] =
	"  --gpu G                      the datasheet to start from [the one of the device's\n"
	"                               name; of a cpu, what is measured]\n"
	"  --max-model-len N            the longest sequence that is measured [2048]; never\n"
	"                               more than the model's context\n"
	"  --max-num-seqs N             the most sequences of a step [256; 16 on a cpu]\n"
	"  --seconds S                  how long to serve requests, at most about [60]; a cpu's\n"
	"                               memory and arithmetic are measured before that\n"
	"  --output FILE                the profile, written at the end; '-' is standard output\n"
	"  --help                       this text\n"
	"\n"
	"  quire calibrate --model labs/models/tiny --output here.gpu\n"
	"  quire sim --model labs/models/tiny --gpu here.gpu --workload demo\n";

/* Its items are items[first] .. items[first + count]. */
struct step {
	size_t first;
	uint32_t count, copied_slots;
	uint64_t begin_ns, end_ns;
	uint64_t launched; /* batches that the engine had launched before it */
};

struct calibration {
	struct quire_bench bench;
	const char *gpu_name, *output;
	uint32_t model_len, seqs_max; /* seqs_max 0: not given */
	double seconds;
	struct quire_gpu gpu;

	/* what was measured */
	struct quire_sink sink;
	struct quire_fit_item *items; /* [items_count], of all steps; owned */
	size_t items_count, items_limit;
	struct step *steps; /* [steps_count] owned */
	uint32_t steps_count, steps_limit;
	struct step now; /* that is planned, or runs */
	bool running;
	bool short_of_memory;
	uint64_t until_ns; /* of the round */
	volatile sig_atomic_t stop;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- ceilings of a cpu ---- */

#define FIT_STEPS 1500u /* more would only take longer */

#define READ_BYTES (256u << 20) /* of each thread: beyond all caches */

static void *read_all(void *arg)
{
	const uint64_t *words = arg;
	uint64_t sum[8] = {0};

	for (size_t i = 0; i < READ_BYTES / sizeof(*words); i += 8)
		for (size_t k = 0; k < 8; k++)
			sum[k] += words[i + k];
	for (size_t k = 1; k < 8; k++)
		sum[0] ^= sum[k];
	return (void *)(uintptr_t)sum[0];
}

/* Bytes a second that @threads threads read together: the best of five. */
static double read_bandwidth(uint32_t threads)
{
	pthread_t id[64];
	char *bytes;
	double best = 0;

	if (threads > 64)
		threads = 64;
	bytes = malloc((size_t)threads * READ_BYTES);
	if (!bytes)
		return 0;
	memset(bytes, 1, (size_t)threads * READ_BYTES);
	for (int turn = 0; turn < 5; turn++) {
		const double begin_s = now_s();
		uint32_t started = 0;
		double rate;

		while (started < threads && !pthread_create(&id[started], NULL, read_all,
							    bytes + (size_t)started * READ_BYTES))
			started++;
		for (uint32_t i = 0; i < started; i++)
			pthread_join(id[i], NULL);
		rate = (double)started * READ_BYTES / (now_s() - begin_s);
		best = rate > best ? rate : best;
	}
	free(bytes);
	return best;
}

/* Flops a second of OpenBLAS, fp32, on all cores: the best of five; 0: it is not there.
 * It is opened here and not linked, since it starts threads in every process. */
static double blas_rate(void)
{
	enum { N = 1536 };
	void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
	__typeof__(cblas_sgemm) *sgemm;
	void *symbol = library ? dlsym(library, "cblas_sgemm") : NULL;
	float *a = malloc(sizeof(float) * 3 * N * N), *b, *c;
	double best = 0;

	memcpy(&sgemm, &symbol, sizeof(sgemm));
	for (size_t i = 0; a && i < 3u * N * N; i++)
		a[i] = (float)(i % 7);
	for (int turn = 0; a && sgemm && turn < 5; turn++) {
		const double begin_s = now_s();
		double rate;

		b = a + (size_t)N * N;
		c = b + (size_t)N * N;
		sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, N, N, 1, a, N, b, N, 0, c, N);
		rate = 2.0 * N * N * N / (now_s() - begin_s);
		best = rate > best ? rate : best;
	}
	free(a);
	return best; /* the library stays: its threads would not survive being unloaded */
}

static int cpu_ceilings(struct calibration *c)
{
	struct quire_gpu *g = &c->gpu;
	const uint32_t threads = c->bench.args.threads ? c->bench.args.threads
						       : (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);

	*g = (struct quire_gpu){
		.name = "cpu",
		.source = "measured",
		.peak_flops = blas_rate(),
		.bandwidth = read_bandwidth(threads),
		.memory_bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE),
		.link_bandwidth = 1e9,
		.gemm_flops_share = 0.5,
		.gemm_bytes_share = 0.7,
		.gemm_sharpness = 4,
		.gemm_launch_ns = 2000,
		.attention_flops_share = 0.3,
		.attention_bytes_share = 0.5,
		.attention_launch_ns = 2000,
		.attention_tile_ns = 50,
		.link_share = 0.8,
		.step_ns = 20e3,
		.seq_ns = 2e3,
	};
	if (!(g->peak_flops > 0 && g->bandwidth > 0))
		return quire_fail(-ENOMEM, "no memory to measure the machine with");
	fprintf(stderr, "memory is read at %s/s, OpenBLAS multiplies at %s/s, by %u threads\n",
		quire_text_si(g->bandwidth, 3, "B").s, quire_text_si(g->peak_flops, 3, "FLOP").s,
		threads);
	return 0;
}

/* The built-in GPU that @device, as in "NVIDIA H100 80GB HBM3", is. */
static int find_gpu(struct quire_gpu *gpu, const char *device)
{
	const struct quire_gpu *g, *best = NULL;
	char plain[256];
	size_t n = 0;

	for (; *device && n < sizeof(plain) - 1; device++)
		if (isalnum((unsigned char)*device))
			plain[n++] = (char)toupper((unsigned char)*device);
	plain[n] = '\0';
	for (size_t i = 0; (g = quire_gpu_builtin(i)); i++) {
		char name[QUIRE_GPU_NAME_MAX];
		size_t length = strcspn(g->name, "-");

		snprintf(name, sizeof(name), "%.*s", (int)length, g->name);
		if (strstr(plain, name) && (!best || length > strcspn(best->name, "-")))
			best = g;
	}
	if (!best)
		return quire_fail(-ENOENT,
				  "no datasheet is known of %s; name one with --gpu, as in "
				  "--gpu a100-80g",
				  plain);
	*gpu = *best;
	return 0;
}

/* ---- steps ---- */

static bool grow(void **at, size_t *limit, size_t size)
{
	size_t wanted = *limit ? 2 * *limit : 1024;
	void *bigger = realloc(*at, wanted * size);

	if (!bigger)
		return false;
	*at = bigger;
	*limit = wanted;
	return true;
}

static struct quire_fit_step fit_step(const struct calibration *c, const struct step *s)
{
	return (struct quire_fit_step){
		.items = c->items + s->first,
		.items_count = s->count,
		.copied_slots = s->copied_slots,
		.ns = s->end_ns - s->begin_ns,
	};
}

/* The step that runs has ended, and what comes next begins, at @at_ns. */
static void end_step(struct calibration *c, uint64_t at_ns)
{
	struct quire_engine_stats stats;
	struct quire_fit_step step;
	bool captured;

	if (!c->running)
		return;
	c->running = false;
	c->now.end_ns = at_ns;
	step = fit_step(c, &c->now);
	quire_engine_stats(&c->bench.loaded.exec, &stats);
	/* Single tokens that were not replayed: their graph was captured, once and for all. */
	captured = c->bench.loaded.kind == QUIRE_EXEC_CUDA && stats.launched > c->now.launched &&
		   quire_fit_kind(&step) == QUIRE_FIT_SINGLE;
	if (captured) {
		c->items_count = c->now.first;
		return;
	}
	if (c->steps_count == c->steps_limit) {
		size_t limit = c->steps_limit;

		if (!grow((void **)&c->steps, &limit, sizeof(*c->steps))) {
			c->short_of_memory = true;
			return;
		}
		c->steps_limit = (uint32_t)limit;
	}
	c->steps[c->steps_count++] = c->now;
}

/* The sink is the first of what is measured. */
static struct calibration *sink_owner(struct quire_sink *sink)
{
	return (struct calibration *)(void *)((char *)sink - offsetof(struct calibration, sink));
}

static void hear(struct quire_sink *sink, const struct quire_event *e)
{
	struct calibration *c = sink_owner(sink);
	struct quire_engine_stats stats;

	switch (e->kind) {
	case QUIRE_EV_COPY:
	case QUIRE_EV_RUN:
		end_step(c, e->at_ns);
		if (c->now.begin_ns != e->at_ns || c->now.end_ns) /* the first of a plan */
			c->now = (struct step){.first = c->items_count, .begin_ns = e->at_ns};
		if (e->kind == QUIRE_EV_COPY) {
			c->now.copied_slots += e->c;
			break;
		}
		if (c->items_count == c->items_limit &&
		    !grow((void **)&c->items, &c->items_limit, sizeof(*c->items))) {
			c->short_of_memory = true;
			break;
		}
		c->items[c->items_count++] =
			(struct quire_fit_item){e->a, e->b, e->a + e->b == e->c};
		c->now.count++;
		break;
	case QUIRE_EV_STEP:
		quire_engine_stats(&c->bench.loaded.exec, &stats);
		c->now.launched = stats.launched;
		c->running = c->now.count && !c->short_of_memory;
		break;
	default: /* IDLE, END */
		end_step(c, e->at_ns);
	}
	if (e->at_ns > c->until_ns || c->short_of_memory)
		c->stop = 1;
}

/* ---- rounds ---- */

/* Lengths are shares of the longest sequence, but not below the number behind. */
static const struct round {
	const char *scheduler;
	uint32_t seqs;		       /* at one time; twice as many requests */
	double prompt_from, prompt_to; /* shares */
	uint32_t output;
} rounds[] = {
	{"continuous", 1, 0.002, 0.03, 24},	    {"continuous", 1, 0.3, 0.9, 12},
	{"continuous", 4, 0.01, 0.2, 24},	    {"splitfuse,budget=32", 4, 0.02, 0.2, 12},
	{"splitfuse,budget=128", 6, 0.05, 0.5, 12}, {"continuous", 16, 0.005, 0.1, 48},
	{"splitfuse,budget=512", 12, 0.1, 0.9, 8},  {"continuous", 64, 0.005, 0.1, 64},
	{"splitfuse", 32, 0.01, 0.3, 48},	    {"continuous", 24, 0.05, 0.3, 48},
	{"continuous", 128, 0.005, 0.2, 96},	    {"splitfuse", 256, 0.005, 0.2, 96},
};
#define ROUNDS (sizeof(rounds) / sizeof(*rounds))

static uint32_t share_of(const struct calibration *c, double share)
{
	const uint32_t tokens = (uint32_t)(share * c->model_len);

	return tokens > 2 ? tokens : 2;
}

static int run_round(struct calibration *c, const struct round *round, double seconds)
{
	struct quire_workload w = {.name = NULL};
	struct quire_workload_options o = {.requests = 4ull * round->seqs + 16, .seed = 11};
	struct quire_settings settings = {.max_model_len = c->model_len};
	struct quire_loop_config config = {
		.scheduler = round->scheduler,
		.allocator = "paged",
		.seq_tokens_max = c->model_len,
		.window_until_ns = UINT64_MAX,
		.sink = &c->sink,
		.stop = &c->stop,
	};
	struct quire_loop *loop = NULL;
	char text[128];
	int rc;

	config.seqs_max = round->seqs < c->seqs_max ? round->seqs : c->seqs_max;
	settings.max_num_seqs = config.seqs_max;
	o.arrivals = QUIRE_ARRIVALS_CLOSED;
	o.users = config.seqs_max + config.seqs_max / 2;
	snprintf(text, sizeof(text), "synthetic,prompt=uniform:%u:%u,output=uniform:%u:%u",
		 share_of(c, round->prompt_from), share_of(c, round->prompt_to), round->output / 2,
		 round->output);
	rc = quire_workload_preset(&w, text, &o);
	if (rc == 0)
		rc = quire_workload_apply(&w, &o);
	for (uint32_t i = 0; rc == 0 && i < w.count; i++)
		if (w.requests[i].output_tokens_max > c->model_len - w.requests[i].prompt_tokens)
			w.requests[i].output_tokens_max =
				c->model_len - w.requests[i].prompt_tokens;
	config.requests = w.requests;
	config.requests_count = w.count;
	config.output_tokens = w.output_tokens;
	config.closed_users = w.closed_users;
	if (rc == 0)
		rc = quire_bench_slots(&c->bench, &w, &settings, &config.slots_total);
	if (rc == 0)
		rc = quire_bench_begin(&c->bench, &w, &config, 5);
	if (rc) {
		quire_workload_free(&w);
		return rc;
	}
	loop = quire_loop_new(&config);
	rc = loop ? 0 : -EINVAL;
	if (loop) {
		c->stop = quire_bench_stopped();
		c->until_ns = (uint64_t)(seconds * 1e9);
		c->running = false;
		c->now = (struct step){.first = c->items_count};
		quire_bench_go(&c->bench);
		rc = quire_loop_run(loop);
		rc = rc == -EINTR ? 0 : rc;
		c->running = false;
	}
	if (loop)
		quire_loop_free(loop);
	quire_bench_end(&c->bench);
	quire_workload_free(&w);
	if (rc == 0 && c->short_of_memory)
		rc = quire_fail(-ENOMEM, "no memory for what was measured");
	return rc;
}

static int measure(struct calibration *c)
{
	const double begin_s = now_s();
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ROUNDS && !quire_bench_stopped(); i++) {
		const double left_s = begin_s + c->seconds - now_s();
		const double share_s = left_s / (double)(ROUNDS - i);

		if (rounds[i].seqs > c->seqs_max)
			continue;
		fprintf(stderr, "round %zu of %zu: up to %u sequences, %s ...\n", i + 1, ROUNDS,
			rounds[i].seqs, rounds[i].scheduler);
		rc = run_round(c, &rounds[i], share_s > 1 ? share_s : 1);
	}
	return rc;
}

/* ---- the profile ---- */

static int fit(struct calibration *c)
{
	static const char *const kinds[] = {"single tokens", "chunks", "both"};
	const struct quire_loaded *l = &c->bench.loaded;
	const struct quire_dtype *weights, *kv;
	struct quire_cost_config config = {
		.tp = 1, .step_tokens_max = c->model_len, .seqs_max = c->seqs_max};
	struct quire_fit_step *steps = calloc(c->steps_count + 1u, sizeof(*steps));
	const uint32_t stride = (c->steps_count + FIT_STEPS - 1) / FIT_STEPS;
	uint32_t count = 0;
	int rc = steps ? 0 : quire_fail(-ENOMEM, "no memory for what was measured");

	for (uint32_t i = 0; rc == 0 && i < c->steps_count; i += stride) {
		steps[count] = fit_step(c, &c->steps[i]);
		steps[count].held = count % 5 == 4;
		count++;
	}
	if (rc == 0)
		rc = quire_dtype_find(&weights, "weights",
				      quire_weight_type_name(l->checkpoint.type));
	if (rc == 0)
		rc = quire_dtype_find(&kv, "K and V", quire_weight_type_name(l->kv_type));
	if (rc == 0) {
		config.weight_bits = weights->bits;
		config.weight_units =
			weights->units == QUIRE_UNITS_32 ? QUIRE_UNITS_16 : weights->units;
		config.kv_bits = kv->bits;
		rc = quire_fit(&c->gpu, &l->checkpoint.model, &config, steps, count);
	}
	if (rc == 0)
		fprintf(stderr, "\nsteps           fitted  mean error   held back  mean error   "
				"all of them\n");
	for (int kind = 0; rc == 0 && kind < QUIRE_FIT_KINDS; kind++) {
		struct quire_fit_score s[2];

		for (int held = 0; rc == 0 && held < 2; held++)
			rc = quire_fit_score(&c->gpu, &l->checkpoint.model, &config, steps, count,
					     (enum quire_fit_kind)kind, held, &s[held]);
		if (rc == 0 && s[0].steps && s[1].steps)
			fprintf(stderr, "%-14s %7u %9.1f %% %11u %9.1f %% %+10.1f %%\n",
				kinds[kind], s[0].steps, 100 * s[0].error, s[1].steps,
				100 * s[1].error, 100 * s[1].bias);
	}
	free(steps);
	return rc;
}

static int write_profile(struct calibration *c)
{
	struct quire_output out;
	FILE *file = stdout;
	int rc = 0;

	if (strcmp(c->output, "-") != 0) {
		rc = quire_output_open(&out, c->output);
		if (rc)
			return rc;
		file = out.file;
	}
	fprintf(file, "# made by: quire calibrate --exec %s --model %s, %u steps\n",
		quire_exec_kind_name(c->bench.loaded.kind), c->bench.args.model, c->steps_count);
	rc = quire_gpu_write(&c->gpu, file);
	if (strcmp(c->output, "-") == 0)
		return rc;
	if (rc)
		quire_output_discard(&out);
	else
		rc = quire_output_commit(&out);
	return rc;
}

static int calibrate(struct calibration *c)
{
	const uint32_t positions = c->bench.loaded.checkpoint.model.positions_max;
	int rc;

	if (c->model_len > positions)
		c->model_len = positions;
	if (!c->seqs_max)
		c->seqs_max = c->bench.loaded.kind == QUIRE_EXEC_CUDA ? 256 : 16;
	if (c->gpu_name)
		rc = quire_gpu_find(&c->gpu, c->gpu_name);
	else if (c->bench.loaded.kind == QUIRE_EXEC_CPU)
		rc = cpu_ceilings(c);
	else
		rc = find_gpu(&c->gpu, quire_cuda_name());
	if (rc == 0)
		rc = measure(c);
	if (rc == 0)
		rc = fit(c);
	if (rc == 0)
		rc = write_profile(c);
	free(c->items);
	free(c->steps);
	return rc;
}

static int read_args(struct calibration *c, int argc, char **argv)
{
	int i, rc = 0;

	while (rc >= 0 && (i = quire_next_option(argc, argv, options)) >= 0) {
		const char *flag = options[i].name;

		if (!strcmp(flag, "help")) {
			fputs(help_head, stdout);
			fputs(quire_engine_args_help, stdout);
			fputs(help_rest, stdout);
			return 1;
		}
		rc = quire_engine_arg(&c->bench.args, flag, optarg);
		if (rc)
			continue;
		if (!strcmp(flag, "gpu"))
			c->gpu_name = optarg;
		else if (!strcmp(flag, "output"))
			c->output = optarg;
		else if (!strcmp(flag, "max-model-len"))
			rc = quire_parse_u32("--max-model-len", optarg, 32, 1u << 20,
					     &c->model_len);
		else if (!strcmp(flag, "max-num-seqs"))
			rc = quire_parse_u32("--max-num-seqs", optarg, 1, 4096, &c->seqs_max);
		else if (!strcmp(flag, "seconds"))
			rc = quire_parse_real("--seconds", optarg, 1, 86400, &c->seconds);
	}
	if (rc >= 0 && i == QUIRE_OPTION_BAD)
		return -EINVAL;
	if (rc >= 0 && optind < argc)
		rc = quire_fail(-EINVAL, "expected options only, found '%s'", argv[optind]);
	if (rc >= 0)
		rc = quire_engine_args_check(&c->bench.args);
	if (rc >= 0 && (!c->output || !*c->output))
		rc = quire_fail(-EINVAL, "where to? add --output FILE");
	if (rc >= 0)
		return 0;
	quire_usage_error(argv[0], "%s", quire_failure());
	return rc;
}

int quire_cmd_calibrate(int argc, char **argv)
{
	static struct calibration c = {.model_len = 2048, .seconds = 60};
	int rc;

	c.sink = (struct quire_sink){.kinds = QUIRE_EV_BIT(COPY) | QUIRE_EV_BIT(RUN) |
					      QUIRE_EV_BIT(STEP) | QUIRE_EV_BIT(IDLE) |
					      QUIRE_EV_BIT(END),
				     .emit = hear};
	rc = read_args(&c, argc, argv);
	if (rc)
		return rc > 0 ? QUIRE_EXIT_OK : QUIRE_EXIT_USAGE;
	c.bench.args.skip_tokenizer = true;
	rc = quire_loaded_open(&c.bench.loaded, &c.bench.args);
	if (rc)
		return quire_command_failed(argv[0], "%s", quire_failure());
	quire_bench_catch();
	rc = calibrate(&c);
	quire_loaded_close(&c.bench.loaded);
	return rc ? quire_command_failed(argv[0], "%s", quire_failure()) : QUIRE_EXIT_OK;
}
