/*
 * sim_args.c - see sim_args.h.
 */
#include "sim_args.h"

#include "cli.h"
#include "core/loop.h"
#include "core/modules.h"
#include "core/util.h"
#include "sweep.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option quire_sim_options[] = {
	QUIRE_WORKLOAD_LONG_OPTIONS,
	{"model", required_argument, NULL, 0},
	{"gpu", required_argument, NULL, 0},
	{"tp", required_argument, NULL, 0},
	{"scheduler", required_argument, NULL, 0},
	{"allocator", required_argument, NULL, 0},
	{"max-num-seqs", required_argument, NULL, 0},
	{"max-num-batched-tokens", required_argument, NULL, 0},
	{"max-model-len", required_argument, NULL, 0},
	{"kv-slots", required_argument, NULL, 0},
	{"gpu-memory-utilization", required_argument, NULL, 0},
	{"weight-dtype", required_argument, NULL, 0},
	{"kv-dtype", required_argument, NULL, 0},
	{"window", required_argument, NULL, 0},
	{"slo", required_argument, NULL, 0},
	{"json", required_argument, NULL, 0},
	{"csv", required_argument, NULL, 0},
	{"record", required_argument, NULL, 0},
	{"perfetto", required_argument, NULL, 0},
	{"report", required_argument, NULL, 0},
	{"plot", required_argument, NULL, 0},
	{"audit", no_argument, NULL, 0},
	{"time-model", required_argument, NULL, 0},
	{"intervals", no_argument, NULL, 0},
	{"isolate", no_argument, NULL, 0},
	{"isolate-seconds", required_argument, NULL, 0},
	{"isolate-mib", required_argument, NULL, 0},
	{"jobs", required_argument, NULL, 0},
	{"help", no_argument, NULL, 0},
	{NULL, 0, NULL, 0},
};

static const char help_head[] =
	"usage: quire sim --trace FILE | --workload PRESET --model M --gpu G [OPTIONS]\n"
	"\n"
	"Run a workload in the simulator and report.  Flags marked +, and --rate, may be "
	"repeated:\n"
	"all combinations are run, on all cores, and stand side by side in the report.\n"
	"\n"
	"Which requests\n";

static const char help_rest[] =
	"\n"
	"Who serves them ('quire list' names them all)\n"
	"  --model M +                  a built-in name, a config.json, or a folder with one\n"
	"  --gpu G +                    a built-in name, or the path of a profile\n"
	"  --tp N +                     GPUs that share every layer [1]\n"
	"  --scheduler S[,k=v..] +      a name, the path of a .so, or 'all' built-in ones\n"
	"                               [continuous,prefill=mixed]\n"
	"  --allocator A[,k=v..] +      likewise [paged,block=16,watermark=0.01,cow=1]\n"
	"\n"
	"Limits\n"
	"  --max-num-seqs N             sequences that may hold memory at one time [256]\n"
	"  --max-num-batched-tokens N   tokens of one step [the scheduler's choice: 2048 for\n"
	"                               splitfuse, else the larger of 2048 and --max-model-len]\n"
	"  --max-model-len N            prompt and output of one sequence, in tokens [the\n"
	"                               model's longest context, or the whole pool if smaller]\n"
	"  --gpu-memory-utilization F   share of the GPU's memory to use [0.9]; what weights\n"
	"                               and workspace leave of it is the pool of K and V\n"
	"  --kv-slots N                 the pool itself, in tokens\n"
	"  --weight-dtype T             bf16, fp16, fp8, int8, int4, fp32 [bf16]\n"
	"  --kv-dtype T                 the same, of K and V [bf16]\n"
	"  --time-model FILE|DIR        step times that were measured, instead of the formula:\n"
	"                               DistServe's JSON, a folder with Sarathi's figure-2_*.csv,\n"
	"                               or a recording: that run again, step by step\n"
	"\n"
	"What is measured\n"
	"  --window A:B                 steps, and for latencies arrivals, from second A up to\n"
	"                               B; 'A:' is to the end [the whole run]\n"
	"  --slo ttft=T,tpot=T          goodput counts requests as fast as this; T is 500ms,\n"
	"                               0.5s or 800us; one of the two is enough\n"
	"  --intervals                  a 90 % band for TTFT, TPOT and throughput, from the\n"
	"                               errors of the formula: two more runs\n"
	"\n"
	"Output\n"
	"  --json FILE                  the report as JSON; '-' is standard output, without\n"
	"                               the table; several combinations give an array\n"
	"  --csv FILE                   a row per request; of several combinations each has\n"
	"                               its own file, FILE with the combination's name in it,\n"
	"                               here and below\n"
	"  --record FILE                everything that happened, for 'quire compare' and\n"
	"                               viewers; about 80 bytes a generated token\n"
	"  --perfetto FILE              a timeline for ui.perfetto.dev: a lane per batch seat\n"
	"  --report FILE.html           tables and charts as one page, for the eye and in print\n"
	"  --plot DIR                   the same charts in a folder, as SVG, PNG and PDF\n"
	"  --audit                      check allocator and core against each other after\n"
	"                               every step: slow\n"
	"  --isolate                    for modules one does not trust: a crash, an endless\n"
	"                               loop, a memory hog or a new process ends that run\n"
	"                               alone, with a verdict and its last decisions\n"
	"  --isolate-seconds S          a step may take so long [5]\n"
	"  --isolate-mib N              a run may take so much more memory [1024]\n"
	"  --jobs N                     runs at the same time [all cores]; 0: one by one, in\n"
	"                               this process, for a debugger\n"
	"  --help                       this text\n";

static int add_name(struct quire_names *names, const char *flag, const char *value)
{
	if (names->count == QUIRE_REPEATS_MAX)
		return quire_fail(-EINVAL, "--%s: at most %d of them", flag, QUIRE_REPEATS_MAX);
	names->at[names->count++] = value;
	return 0;
}

/* "all" is every built-in module of the kind. */
static int add_modules(struct quire_names *names, const char *flag, enum quire_module_kind kind,
		       const char *value)
{
	const struct quire_module *m;
	struct quire_sched_ops sched;
	struct quire_kv_ops kv;
	int rc = 0;

	if (!quire_same_name(value, "all"))
		return add_name(names, flag, value);
	for (size_t i = 0; rc == 0 && (m = quire_module_builtin(i)); i++) {
		if (m->kind != kind)
			continue;
		if (kind == QUIRE_SCHED)
			quire_module_sched_ops(m, &sched);
		else
			quire_module_kv_ops(m, &kv);
		rc = add_name(names, flag, kind == QUIRE_SCHED ? sched.name : kv.name);
	}
	return rc;
}

static int add_tp(struct quire_sim_args *a, const char *value)
{
	if (a->tps_count == QUIRE_REPEATS_MAX)
		return quire_fail(-EINVAL, "--tp: at most %d of them", QUIRE_REPEATS_MAX);
	return quire_parse_u32("--tp", value, 1, 1024, &a->tps[a->tps_count++]);
}

/* "300:900" or "300:" */
static int read_window(struct quire_sim_args *a, const char *value)
{
	char from[64];
	const char *colon = strchr(value, ':');
	int rc;

	if (!colon || (size_t)(colon - value) >= sizeof(from))
		return quire_fail(-EINVAL, "--window: expected A:B in seconds, found '%s'", value);
	snprintf(from, sizeof(from), "%.*s", (int)(colon - value), value);
	rc = quire_parse_real("--window, its begin", from, 0, 1e9, &a->window_from_s);
	a->window_until_s = INFINITY;
	if (rc == 0 && colon[1])
		rc = quire_parse_real("--window, its end", colon + 1, 0, 1e9, &a->window_until_s);
	if (rc == 0 && a->window_until_s <= a->window_from_s)
		rc = quire_fail(-EINVAL, "--window: its end is not behind its begin, found '%s'",
				value);
	a->windowed = true;
	return rc;
}

/* "500ms", "0.5s", "800us" */
static int read_time(const char *what, const char *value, double *seconds)
{
	static const struct {
		const char *name;
		double scale;
	} unit[] = {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}};
	char *end;
	double number = strtod(value, &end);

	for (size_t i = 0; end != value && i < sizeof(unit) / sizeof(*unit); i++) {
		if (!strcmp(end, unit[i].name) && number > 0 && number <= 1e9) {
			*seconds = number * unit[i].scale;
			return 0;
		}
	}
	return quire_fail(-EINVAL, "%s: expected a time such as 500ms, 0.5s or 800us, found '%s'",
			  what, value);
}

/* "ttft=500ms,tpot=50ms" */
static int read_slo(struct quire_sim_args *a, const char *value)
{
	char pair[64];
	int rc = 0;

	if (!*value)
		return quire_fail(-EINVAL, "--slo: expected ttft=TIME,tpot=TIME, found ''");
	for (size_t n; rc == 0 && *value; value += n + (value[n] == ',')) {
		n = strcspn(value, ",");
		snprintf(pair, sizeof(pair), "%.*s", (int)n, value);
		if (!strncmp(pair, "ttft=", 5))
			rc = read_time("--slo ttft", pair + 5, &a->slo_ttft_s);
		else if (!strncmp(pair, "tpot=", 5))
			rc = read_time("--slo tpot", pair + 5, &a->slo_tpot_s);
		else
			rc = quire_fail(-EINVAL, "--slo: expected ttft=TIME,tpot=TIME, found '%s'",
					pair);
	}
	return rc;
}

int quire_sim_arg(struct quire_sim_args *a, const char *flag, const char *value)
{
	int rc = quire_workload_arg(&a->workload, flag, value);

	if (rc)
		return rc < 0 ? rc : 0;
	if (!strcmp(flag, "model"))
		return add_name(&a->models, flag, value);
	if (!strcmp(flag, "gpu"))
		return add_name(&a->gpus, flag, value);
	if (!strcmp(flag, "tp"))
		return add_tp(a, value);
	if (!strcmp(flag, "scheduler"))
		return add_modules(&a->schedulers, flag, QUIRE_SCHED, value);
	if (!strcmp(flag, "allocator"))
		return add_modules(&a->allocators, flag, QUIRE_KV, value);
	if (!strcmp(flag, "max-num-seqs"))
		return quire_parse_u32("--max-num-seqs", value, 1, QUIRE_SEQS_MAX,
				       &a->max_num_seqs);
	if (!strcmp(flag, "max-num-batched-tokens"))
		return quire_parse_u32("--max-num-batched-tokens", value, 1, 1u << 24,
				       &a->max_num_batched_tokens);
	if (!strcmp(flag, "max-model-len"))
		return quire_parse_u32("--max-model-len", value, 2, 1u << 24, &a->max_model_len);
	if (!strcmp(flag, "kv-slots"))
		return quire_parse_u32("--kv-slots", value, 1, 1u << 31, &a->kv_slots);
	if (!strcmp(flag, "gpu-memory-utilization"))
		return quire_parse_real("--gpu-memory-utilization", value, 0.01, 1,
					&a->gpu_memory_utilization);
	if (!strcmp(flag, "weight-dtype"))
		return quire_dtype_find(&a->weight_dtype, "--weight-dtype", value);
	if (!strcmp(flag, "kv-dtype"))
		return quire_dtype_find(&a->kv_dtype, "--kv-dtype", value);
	if (!strcmp(flag, "window"))
		return read_window(a, value);
	if (!strcmp(flag, "slo"))
		return read_slo(a, value);
	if (!strcmp(flag, "jobs"))
		return quire_parse_u32("--jobs", value, 0, 4096, &a->jobs);
	if (!strcmp(flag, "isolate-seconds"))
		return quire_parse_real("--isolate-seconds", value, 0.01, 1e6,
					&a->isolation.seconds);
	if (!strcmp(flag, "isolate-mib")) {
		rc = quire_parse_u64("--isolate-mib", value, 1, 1u << 20,
				     &a->isolation.memory_bytes);
		a->isolation.memory_bytes <<= 20;
		return rc;
	}
	if (!strcmp(flag, "json"))
		a->json = value;
	else if (!strcmp(flag, "csv"))
		a->csv = value;
	else if (!strcmp(flag, "record"))
		a->record = value;
	else if (!strcmp(flag, "perfetto"))
		a->perfetto = value;
	else if (!strcmp(flag, "report"))
		a->report = value;
	else if (!strcmp(flag, "plot"))
		a->plot = value;
	else if (!strcmp(flag, "audit"))
		a->audit = true;
	else if (!strcmp(flag, "time-model"))
		a->time_model = value;
	else if (!strcmp(flag, "intervals"))
		a->intervals = true;
	else if (!strcmp(flag, "isolate"))
		a->isolate = true;
	return 0;
}

static int check_outputs(const struct quire_sim_args *a)
{
	const struct quire_named_file files[] = {
		{"--json", a->json},	     {"--csv", a->csv},	      {"--record", a->record},
		{"--perfetto", a->perfetto}, {"--report", a->report}, {"--plot", a->plot},
	};
	const size_t count = sizeof(files) / sizeof(*files);

	for (size_t i = 1; i < count; i++) /* JSON alone goes to standard output */
		if (files[i].path && !strcmp(files[i].path, "-"))
			return quire_fail(-EINVAL, "%s: expected the name of a %s, found '-'",
					  files[i].flag, i + 1 < count ? "file" : "folder");
	if (a->report && *a->report && quire_check_page("--report", a->report))
		return -EINVAL;
	return quire_check_files(files, count);
}

int quire_sim_args_complete(struct quire_sim_args *a)
{
	int rc = quire_workload_args_check(&a->workload);

	if (rc)
		return rc;
	if (!a->models.count)
		return quire_fail(-EINVAL, "which model? add --model, as in --model llama-3-8b; "
					   "'quire list models' names them");
	if (!a->gpus.count)
		return quire_fail(-EINVAL, "which GPU? add --gpu, as in --gpu a100-80g; "
					   "'quire list gpus' names them");
	if (a->kv_slots && a->gpu_memory_utilization > 0)
		return quire_fail(-EINVAL, "--kv-slots and --gpu-memory-utilization both say how "
					   "large the pool is: give one of them");
	if (a->isolate && !a->jobs)
		return quire_fail(-EINVAL, "--isolate needs processes, and --jobs 0 asks for none");
	if (a->intervals && a->time_model)
		return quire_fail(-EINVAL, "--intervals knows the errors of the formula, and "
					   "--time-model replaces it: give one of them");
	rc = check_outputs(a);
	if (rc)
		return rc;
	if (!a->tps_count)
		a->tps[a->tps_count++] = 1;
	if (!a->schedulers.count)
		add_name(&a->schedulers, "scheduler", "continuous");
	if (!a->allocators.count)
		add_name(&a->allocators, "allocator", "paged");
	if (!a->kv_slots && !(a->gpu_memory_utilization > 0))
		a->gpu_memory_utilization = 0.9;
	if (!a->weight_dtype)
		rc = quire_dtype_find(&a->weight_dtype, "--weight-dtype", "bf16");
	if (rc == 0 && !a->kv_dtype)
		rc = quire_dtype_find(&a->kv_dtype, "--kv-dtype", "bf16");
	return rc;
}

void quire_sim_args_init(struct quire_sim_args *a)
{
	*a = (struct quire_sim_args){
		.workload = QUIRE_WORKLOAD_ARGS,
		.max_num_seqs = 256,
		.isolation = {.seconds = 5, .memory_bytes = 1024ull << 20},
		.jobs = quire_sweep_cores(),
	};
}

int quire_sim_args_read(struct quire_sim_args *a, int argc, char **argv)
{
	int i, rc = 0;

	quire_sim_args_init(a);
	while (rc == 0 && (i = quire_next_option(argc, argv, quire_sim_options)) >= 0) {
		if (!strcmp(quire_sim_options[i].name, "help")) {
			fputs(help_head, stdout);
			fputs(quire_workload_args_help, stdout);
			fputs(help_rest, stdout);
			return 1;
		}
		rc = quire_sim_arg(a, quire_sim_options[i].name, optarg);
	}
	if (rc == 0 && i == QUIRE_OPTION_BAD)
		return -EINVAL;
	if (rc == 0 && optind < argc)
		rc = quire_fail(-EINVAL, "expected options only, found '%s'", argv[optind]);
	if (rc == 0)
		rc = quire_sim_args_complete(a);
	if (rc == 0)
		return 0;
	quire_usage_error(argv[0], "%s", quire_failure());
	return -EINVAL;
}
