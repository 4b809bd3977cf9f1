/*
 * plan.c - "quire plan": what to expect of a model on a GPU, before running it.
 *
 * One batch: the counting done by hand, in five ways beside each other, with a line
 * each on why they differ.  Several batches: a sweep, as a table and a chart.  Here
 * are the options and the estimates; the pages are plan_page.c, plan_one.c,
 * plan_json.c and plan_chart.c.
 */
#include "cli.h"
#include "core/trace/json_build.h"
#include "core/util.h"
#include "json.h"
#include "plan_chart.h"
#include "plan_cost.h"
#include "plan_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: quire plan --model M --gpu G [OPTIONS]\n"
	"\n"
	"Estimate time and memory of a batch of equal requests: all prompts, then one token\n"
	"of each a step.  No arrivals and no queue; for those, 'quire sim'.\n"
	"\n"
	"  --model M          a built-in name, a config.json or a folder that holds one\n"
	"  --gpu G            a built-in name or a profile ('quire list' has the names); may be\n"
	"                     repeated, and 'all' is all built-in ones: does it fit which?\n"
	"  --prompt N         tokens of each prompt [1024]\n"
	"  --output N         tokens each request generates [1024]\n"
	"  --batch N | A:B    requests that run together [1]; A:B sweeps from A to B\n"
	"  --tp N             GPUs that share every layer [1]\n"
	"  --weight-dtype T   bf16, fp16, fp32, fp8, int8 or int4 [bf16]\n"
	"  --kv-dtype T       the same for keys and values [bf16]\n"
	"  --gpu-memory-utilization F   share of the memory that may be used [0.9]\n"
	"  --max-num-batched-tokens N   tokens of a step; prompts are packed into such steps,\n"
	"                     or cut [the larger of 2048 and prompt + output]\n"
	"  --price USD        of a GPU for an hour: what a million tokens cost\n"
	"  --json FILE        write the figures as JSON; '-': to standard output, nothing else\n"
	"  --chart FILE       draw the sweep, as FILE.svg, FILE.png or FILE.pdf\n"
	"  --help             this text\n"
	"\n"
	"  quire plan --model Qwen2.5-32B --gpu H20\n"
	"  quire plan --model llama-3-8b --gpu a100-80g --batch 1:128 --chart sweep.svg\n"
	"  quire plan --model deepseek-r1 --gpu all --tp 8 --weight-dtype fp8 --price 2.50\n";

#define POINTS_MAX 192 /* four an octave over 1 to 1,000,000, and some */

static int parse_batch(struct quire_plan_page *p, char *text)
{
	char *colon = strchr(text, ':');
	int rc;

	if (colon)
		*colon = 0;
	rc = quire_parse_u32("--batch", text, 1, 1000000, &p->batch_first);
	p->batch_last = p->batch_first;
	if (rc || !colon)
		return rc;
	rc = quire_parse_u32("--batch, its end", colon + 1, 1, 1000000, &p->batch_last);
	if (rc == 0 && p->batch_last < p->batch_first)
		rc = quire_fail(-EINVAL, "--batch: expected A:B with A <= B, found '%s:%s'", text,
				colon + 1);
	return rc;
}

/* The batches of the sweep: four an octave, and those that are shown. */
static int estimate_all(struct quire_plan_page *p)
{
	uint32_t batch = p->batch_first, next;
	int rc = 0;

	p->batch_max = quire_estimate_batch_max(&p->config);
	p->points = calloc(POINTS_MAX, sizeof(*p->points));
	if (!p->points)
		return quire_fail(-ENOMEM, "no memory for the sweep");
	while (rc == 0 && batch <= p->batch_last) {
		rc = quire_estimate(&p->points[p->points_count++], &p->config, batch);
		if (batch == p->batch_last)
			break;
		next = batch + 1;
		if (batch >= 4) {
			uint32_t octave = 1;

			while (octave * 2 <= batch)
				octave *= 2;
			next = batch - batch % (octave / 4) + octave / 4;
		}
		if (next > p->batch_last)
			next = p->batch_last;
		if (batch < p->batch_max && next > p->batch_max)
			next = p->batch_max;
		batch = next;
	}
	return rc;
}

/* By name; "all" is every built-in one. */
static int add_gpu(struct quire_plan_page *p, const char *name)
{
	const struct quire_gpu *gpu;

	if (!quire_same_name(name, "all")) {
		if (p->gpus_count == QUIRE_PLAN_GPUS_MAX)
			return quire_fail(-EINVAL, "--gpu: at most %d of them",
					  QUIRE_PLAN_GPUS_MAX);
		return quire_gpu_find(&p->gpus[p->gpus_count++], name);
	}
	for (size_t i = 0; (gpu = quire_gpu_builtin(i)); i++) {
		if (p->gpus_count < QUIRE_PLAN_GPUS_MAX)
			p->gpus[p->gpus_count++] = *gpu;
	}
	return 0;
}

/* The same batch on each of several GPUs.  Return: the exit status. */
static int compare_gpus(struct quire_plan_page *p)
{
	json_t *list = p->json ? json_array() : NULL;
	bool any = false;
	int rc = 0;

	p->points = calloc(p->gpus_count, sizeof(*p->points));
	if (!p->points) {
		json_decref(list);
		return quire_command_failed("plan", "no memory for the estimates");
	}
	for (uint32_t i = 0; i < p->gpus_count && rc == 0; i++) {
		struct quire_plan_page one = *p;

		p->config.gpu = one.config.gpu = p->gpus[i];
		rc = quire_estimate(&p->points[i], &p->config, p->batch_first);
		one.points = &p->points[i];
		one.points_count = 1;
		one.batch_max = quire_estimate_batch_max(&one.config);
		any |= rc == 0;
		if (list && rc == 0)
			list = quire_json_append(list, quire_plan_json(&one));
	}
	if (!any || rc) {
		json_decref(list);
		return rc == -EINVAL ? quire_usage_error("plan", "%s", quire_failure())
				     : quire_command_failed("plan", "%s", quire_failure());
	}
	if (!p->json || strcmp(p->json, "-") != 0) {
		quire_plan_print_title(p);
		quire_plan_print_gpus(p, p->points);
	}
	return p->json ? quire_json_write("plan", list, p->json) : QUIRE_EXIT_OK;
}

/* Read the command line.  Return: -1 go on, or the exit status. */
static int parse(struct quire_plan_page *p, int argc, char **argv)
{
	enum {
		MODEL,
		GPU,
		PROMPT,
		OUTPUT,
		BATCH,
		TP,
		WEIGHT,
		KV,
		UTILIZATION,
		BUDGET,
		PRICE,
		JSON,
		CHART
	};
	static const struct option options[] = {
		[MODEL] = {"model", required_argument, NULL, 0},
		[GPU] = {"gpu", required_argument, NULL, 0},
		[PROMPT] = {"prompt", required_argument, NULL, 0},
		[OUTPUT] = {"output", required_argument, NULL, 0},
		[BATCH] = {"batch", required_argument, NULL, 0},
		[TP] = {"tp", required_argument, NULL, 0},
		[WEIGHT] = {"weight-dtype", required_argument, NULL, 0},
		[KV] = {"kv-dtype", required_argument, NULL, 0},
		[UTILIZATION] = {"gpu-memory-utilization", required_argument, NULL, 0},
		[BUDGET] = {"max-num-batched-tokens", required_argument, NULL, 0},
		[PRICE] = {"price", required_argument, NULL, 0},
		[JSON] = {"json", required_argument, NULL, 0},
		[CHART] = {"chart", required_argument, NULL, 0},
		{"help", no_argument, NULL, 0},
		{NULL, 0, NULL, 0},
	};
	struct quire_estimate_config *c = &p->config;
	const char *model = NULL, *names[QUIRE_PLAN_GPUS_MAX];
	uint32_t gpus = 0;
	int i, rc = 0;

	while (rc == 0 && (i = quire_next_option(argc, argv, options)) >= 0) {
		switch (i) {
		case MODEL:
			model = optarg;
			break;
		case GPU:
			if (gpus == QUIRE_PLAN_GPUS_MAX)
				rc = quire_fail(-EINVAL, "--gpu: at most %d of them",
						QUIRE_PLAN_GPUS_MAX);
			else
				names[gpus++] = optarg;
			break;
		case PROMPT:
			rc = quire_parse_u32("--prompt", optarg, 1, 1 << 20, &c->prompt_tokens);
			break;
		case OUTPUT:
			rc = quire_parse_u32("--output", optarg, 1, 1 << 20, &c->output_tokens);
			break;
		case BATCH:
			rc = parse_batch(p, optarg);
			break;
		case TP:
			rc = quire_parse_u32("--tp", optarg, 1, 1024, &c->cost.tp);
			break;
		case WEIGHT:
			rc = quire_dtype_find(&p->weights, "--weight-dtype", optarg);
			break;
		case KV:
			rc = quire_dtype_find(&p->kv, "--kv-dtype", optarg);
			break;
		case UTILIZATION:
			rc = quire_parse_real("--gpu-memory-utilization", optarg, 0.01, 1,
					      &c->utilization);
			break;
		case BUDGET:
			rc = quire_parse_u32("--max-num-batched-tokens", optarg, 1, 1 << 20,
					     &c->cost.step_tokens_max);
			break;
		case PRICE:
			rc = quire_parse_real("--price", optarg, 0.0001, 1e6, &p->price_usd);
			break;
		case JSON:
			p->json = optarg;
			break;
		case CHART:
			p->chart = optarg;
			rc = quire_plan_chart_check(optarg);
			break;
		default:
			fputs(help, stdout);
			return QUIRE_EXIT_OK;
		}
	}
	if (rc)
		return quire_usage_error("plan", "%s", quire_failure());
	if (i == QUIRE_OPTION_BAD)
		return QUIRE_EXIT_USAGE;
	if (optind < argc)
		return quire_usage_error("plan", "'%s' is no option; see quire plan --help",
					 argv[optind]);
	if (!model || !gpus)
		return quire_usage_error("plan", "--%s is missing; see quire plan --help",
					 model ? "gpu" : "model");
	if (p->chart && p->batch_first == p->batch_last)
		return quire_usage_error("plan", "--chart draws a sweep: give --batch A:B");
	rc = quire_check_files(
		(struct quire_named_file[]){{"--json", p->json}, {"--chart", p->chart}}, 2);
	if (rc)
		return quire_usage_error("plan", "%s", quire_failure());
	rc = quire_model_find(&c->model, model);
	if (rc == 0 && c->model.positions_max && c->prompt_tokens > c->model.positions_max)
		return quire_usage_error("plan",
					 "--prompt %u is more than the %u tokens that %s was made "
					 "for",
					 c->prompt_tokens, c->model.positions_max, c->model.name);
	for (uint32_t k = 0; rc == 0 && k < gpus; k++)
		rc = add_gpu(p, names[k]);
	if (rc == 0 && p->gpus_count > 1 && p->batch_first != p->batch_last)
		return quire_usage_error("plan",
					 "several GPUs are compared with one batch: give one "
					 "--batch, or one --gpu");
	if (rc)
		return rc == -ENOENT ? quire_usage_error("plan", "%s", quire_failure())
				     : quire_command_failed("plan", "%s", quire_failure());
	return -1;
}

int quire_cmd_plan(int argc, char **argv)
{
	struct quire_plan_page p = {
		.config = {.cost.tp = 1,
			   .utilization = 0.9,
			   .prompt_tokens = 1024,
			   .output_tokens = 1024},
		.weights = quire_dtype_builtin(0),
		.kv = quire_dtype_builtin(0),
		.batch_first = 1,
		.batch_last = 1,
	};
	struct quire_cost_config *cost = &p.config.cost;
	int rc = parse(&p, argc, argv);

	if (rc >= 0)
		return rc;
	p.config.gpu = p.gpus[0];
	cost->weight_bits = p.weights->bits;
	cost->weight_units = p.weights->units;
	cost->kv_bits = p.kv->bits;
	if (cost->step_tokens_max == 0) {
		cost->step_tokens_max = p.config.prompt_tokens + p.config.output_tokens;
		if (cost->step_tokens_max < 2048)
			cost->step_tokens_max = 2048;
	}
	if (p.gpus_count > 1) {
		rc = compare_gpus(&p);
		goto out;
	}
	rc = estimate_all(&p);
	if (rc) {
		rc = rc == -EINVAL ? quire_usage_error("plan", "%s", quire_failure())
				   : quire_command_failed("plan", "%s", quire_failure());
		goto out;
	}
	if (p.chart &&
	    quire_plan_chart(&p.config, p.points, p.points_count, p.batch_max, p.chart)) {
		rc = quire_command_failed("plan", "%s", quire_failure());
		goto out;
	}
	if (!p.json || strcmp(p.json, "-") != 0)
		quire_plan_print(&p);
	rc = p.json ? quire_json_write("plan", quire_plan_json(&p), p.json) : QUIRE_EXIT_OK;
out:
	free(p.points);
	return rc;
}
