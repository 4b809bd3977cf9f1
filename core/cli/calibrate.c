/*
 * calibrate.c - "quire calibrate": measure what a model's steps take on this machine, and
 * write the constants that let the simulator predict them.
 *
 * Ceilings first: of a GPU, its datasheet; of a cpu, calibrate_cpu.c.  Then the steps of
 * many requests: calibrate_steps.c.  Every fifth is held back from the fit and scored.
 */
#include "calibrate_parts.h"
#include "cli.h"
#include "core/util.h"
#include "output.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIT_STEPS 1500u /* more would only take longer */

/* Beyond these a profile is written all the same, and a line says that it is poor. */
#define SPREAD_MAX 0.15 /* see quire_calibrate_spread() */
#define ERROR_MAX  0.25 /* mean, of held-back steps of one kind */
#define HELD_MIN   20	/* fewer of a kind prove nothing */
#define STEPS_MIN  200

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
	"and for others, and a warning tells when it is poor.\n"
	"\n";

static const char help_rest[] =
	"  --gpu G                      the datasheet to start from [the one of the device's\n"
	"                               name; of a cpu, what is measured]\n"
	"  --max-model-len N            the longest sequence that is measured [2048, or the\n"
	"                               model's longest context if smaller]\n"
	"  --max-num-seqs N             the most sequences of a step [256; 16 on a cpu]\n"
	"  --seconds S                  how long to serve requests, at most about [60]; a cpu's\n"
	"                               memory and arithmetic are measured before that\n"
	"  --output FILE                the profile; '-' is standard output\n"
	"  --help                       this text\n"
	"\n"
	"  quire calibrate --model labs/models/tiny --output here.gpu\n"
	"  quire sim --model labs/models/tiny --gpu here.gpu --workload demo\n";

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

/* ---- the profile ---- */

static const char *const kinds[QUIRE_FIT_KINDS] = {"single tokens", "chunks", "both"};

/* How well it predicts the steps of a kind: [0] those it was fitted to, [1] the others. */
struct score {
	struct quire_fit_score of[2];
};

static void print_scores(const struct score scores[QUIRE_FIT_KINDS])
{
	fprintf(stderr, "steps           fitted  mean error   held back  mean error   "
			"all of them\n");
	for (int kind = 0; kind < QUIRE_FIT_KINDS; kind++) {
		const struct quire_fit_score *s = scores[kind].of;

		if (s[0].steps && s[1].steps)
			fprintf(stderr, "%-14s %7u %9.1f %% %11u %9.1f %% %+10.1f %%\n",
				kinds[kind], s[0].steps, 100 * s[0].error, s[1].steps,
				100 * s[1].error, 100 * s[1].bias);
	}
}

static int fit(struct quire_calibration *c, struct score scores[QUIRE_FIT_KINDS])
{
	const struct quire_loaded *l = &c->bench.loaded;
	const struct quire_dtype *weights, *kv;
	struct quire_cost_config config = {
		.tp = 1, .step_tokens_max = c->model_len, .seqs_max = c->seqs_max};
	struct quire_fit_step *steps = calloc(c->steps_count + 1u, sizeof(*steps));
	const uint32_t stride = (c->steps_count + FIT_STEPS - 1) / FIT_STEPS;
	uint32_t count = 0;
	int rc = steps ? 0 : quire_fail(-ENOMEM, "no memory for what was measured");

	for (uint32_t i = 0; rc == 0 && i < c->steps_count; i += stride) {
		steps[count] = quire_calibrate_fit_step(c, &c->steps[i]);
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
		quire_progress("fitting the constants to %u steps", count);
		rc = quire_fit(&c->gpu, &l->checkpoint.model, &config, steps, count);
		quire_progress("%s", "");
	}
	for (int kind = 0; rc == 0 && kind < QUIRE_FIT_KINDS; kind++)
		for (int held = 0; rc == 0 && held < 2; held++)
			rc = quire_fit_score(&c->gpu, &l->checkpoint.model, &config, steps, count,
					     (enum quire_fit_kind)kind, held,
					     &scores[kind].of[held]);
	free(steps);
	return rc;
}

/* A line for each thing that makes the profile poor: how much, and what to do. */
static void warn_if_poor(const struct quire_calibration *c,
			 const struct score scores[QUIRE_FIT_KINDS])
{
	static const char poor[] = "quire calibrate: warning: this profile is poor: ";
	const struct quire_fit_score *worst = NULL;
	const char *kind_name = "";
	uint32_t pairs;
	const double spread = quire_calibrate_spread(c, &pairs);

	for (int kind = 0; kind < QUIRE_FIT_KINDS; kind++) {
		const struct quire_fit_score *held = &scores[kind].of[1];

		if (held->steps < HELD_MIN || (worst && held->error < worst->error))
			continue;
		worst = held;
		kind_name = kinds[kind];
	}
	if (pairs >= HELD_MIN && spread > SPREAD_MAX)
		fprintf(stderr,
			"%ssteps that repeat the one before differ from it by %.0f %% on average, "
			"on a quiet machine by less than %.0f %%; let nothing else run, and "
			"calibrate again\n",
			poor, 100 * spread, 100 * SPREAD_MAX);
	else if (worst && worst->error > ERROR_MAX)
		fprintf(stderr,
			"%ssteps that were held back (%s) are off by %.0f %% on average, of a good "
			"one by less than %.0f %%; let nothing else run, and calibrate again\n",
			poor, kind_name, 100 * worst->error, 100 * ERROR_MAX);
	if (c->refused)
		fprintf(stderr, "%s%u requests did not fit the pool; give it a larger one\n", poor,
			c->refused);
	if (c->steps_count < STEPS_MIN)
		fprintf(stderr, "%sonly %u steps were measured; give it more --seconds\n", poor,
			c->steps_count);
}

static int write_profile(struct quire_calibration *c)
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
	fputs("# gemm_error, attention_error and host_error are one figure: a step's time does "
	      "not tell whose its error is\n",
	      file);
	rc = quire_gpu_write(&c->gpu, file);
	if (strcmp(c->output, "-") == 0)
		return rc;
	if (rc)
		quire_output_discard(&out);
	else
		rc = quire_output_commit(&out);
	return rc;
}

static int ceilings(struct quire_calibration *c)
{
	const struct quire_bench *b = &c->bench;

	if (c->gpu_name)
		return 0;
	if (b->loaded.kind == QUIRE_EXEC_CPU)
		return quire_calibrate_cpu(
			&c->gpu,
			b->args.threads ? b->args.threads : (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
			b->loaded.checkpoint.weight_bytes);
	return find_gpu(&c->gpu, quire_cuda_name());
}

static int calibrate(struct quire_calibration *c)
{
	struct score scores[QUIRE_FIT_KINDS];
	int rc = ceilings(c);

	if (rc == 0)
		rc = quire_calibrate_measure(c);
	if (rc == 0 && c->steps_count == 0)
		rc = quire_bench_stopped()
			     ? quire_fail(-EINTR, "stopped before anything was measured")
			     : quire_fail(-ENODATA, "no step was measured: no request was served");
	if (rc == 0)
		rc = fit(c, scores);
	if (rc == 0)
		print_scores(scores);
	if (rc == 0)
		warn_if_poor(c, scores);
	if (rc == 0)
		rc = write_profile(c);
	if (rc == 0 && quire_bench_stopped())
		rc = quire_fail(-EINTR, "stopped; the profile is of the %u steps until then",
				c->steps_count);
	free(c->items);
	free(c->steps);
	return rc;
}

static int read_args(struct quire_calibration *c, int argc, char **argv)
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

/* What is wrong with it, found out before it takes a minute. */
static int open_all(struct quire_calibration *c)
{
	const struct quire_loaded *l = &c->bench.loaded;
	const uint32_t positions = l->checkpoint.model.positions_max;
	int rc = quire_loaded_model_len(l, c->model_len);

	if (!c->model_len)
		c->model_len = positions < 2048 ? positions : 2048;
	if (!c->seqs_max)
		c->seqs_max = l->kind == QUIRE_EXEC_CUDA ? 256 : 16;
	return rc;
}

int quire_cmd_calibrate(int argc, char **argv)
{
	static struct quire_calibration c = {.seconds = 60};
	int rc = read_args(&c, argc, argv);

	if (rc)
		return rc > 0 ? QUIRE_EXIT_OK : QUIRE_EXIT_USAGE;
	if (c.gpu_name) {
		rc = quire_gpu_find(&c.gpu, c.gpu_name);
		if (rc == -ENOENT)
			return quire_usage_error(argv[0], "%s", quire_failure());
	}
	if (rc || quire_output_try(c.output))
		return quire_command_failed(argv[0], "%s", quire_failure());
	c.bench.args.skip_tokenizer = true;
	rc = quire_loaded_open(&c.bench.loaded, &c.bench.args);
	if (rc)
		return quire_loaded_failed(argv[0], rc);
	quire_bench_catch();
	rc = open_all(&c);
	if (rc == 0)
		rc = calibrate(&c);
	quire_loaded_close(&c.bench.loaded);
	if (rc == -EINVAL)
		return quire_usage_error(argv[0], "%s", quire_failure());
	return rc ? quire_command_failed(argv[0], "%s", quire_failure()) : QUIRE_EXIT_OK;
}
