/*
 * bench.c - "quire bench": what "quire sim" does, with a model that runs, in real time.
 */
#include "cli.h"

#include "bench_run.h"
#include "sim_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
	QUIRE_WORKLOAD_LONG_OPTIONS,
	QUIRE_ENGINE_LONG_OPTIONS,
	{"scheduler", required_argument, NULL, 0},
	{"allocator", required_argument, NULL, 0},
	{"max-num-seqs", required_argument, NULL, 0},
	{"max-num-batched-tokens", required_argument, NULL, 0},
	{"max-model-len", required_argument, NULL, 0},
	{"window", required_argument, NULL, 0},
	{"slo", required_argument, NULL, 0},
	{"json", required_argument, NULL, 0},
	{"csv", required_argument, NULL, 0},
	{"record", required_argument, NULL, 0},
	{"perfetto", required_argument, NULL, 0},
	{"report", required_argument, NULL, 0},
	{"plot", required_argument, NULL, 0},
	{"audit", no_argument, NULL, 0},
	{"help", no_argument, NULL, 0},
	{NULL, 0, NULL, 0},
};

static const char help_head[] =
	"usage: quire bench --model DIR --trace FILE | --workload PRESET [OPTIONS]\n"
	"\n"
	"Serve a workload with a real model, in real time, and report as 'quire sim' does.  "
	"Prompts\n"
	"are random tokens, answers as long as the workload says; a prompt that leaves no room\n"
	"in the model's context is refused.  --scheduler, --allocator and --rate may be repeated:\n"
	"all combinations are run, one after the other.\n"
	"\n"
	"Which requests\n";

static const char help_model[] = "\n"
				 "Which model, and where\n";

static const char help_rest[] =
	"\n"
	"Who serves ('quire list' names them all)\n"
	"  --scheduler S[,k=v..]        a name, the path of a .so, or 'all' built-in ones\n"
	"                               [continuous,prefill=mixed]\n"
	"  --allocator A[,k=v..]        likewise [paged,block=16,watermark=0.01,cow=1]\n"
	"  --max-num-seqs N             sequences that may hold memory at one time [256]\n"
	"  --max-num-batched-tokens N   tokens of one step [the scheduler's choice]\n"
	"  --max-model-len N            prompt and output of one sequence, in tokens [the\n"
	"                               model's longest context, or the whole pool if smaller]\n"
	"\n"
	"What is measured, and output: as 'quire sim --help' says\n"
	"  --window A:B  --slo ttft=T,tpot=T  --json FILE  --csv FILE  --record FILE\n"
	"  --perfetto FILE  --report FILE.html  --plot DIR  --audit\n"
	"\n"
	"  --help                       this text\n"
	"\n"
	"Ctrl-C ends the run after its step, and reports what there is.  What --record wrote can\n"
	"be run again: 'quire sim --time-model FILE', with the same workload, modules and\n"
	"--kv-slots, decides the same and takes the same times.\n"
	"\n"
	"  quire bench --model labs/models/tiny --workload demo_small\n"
	"  quire bench --model labs/models/tiny --workload synthetic,prompt=uniform:16:64,\\\n"
	"              output=uniform:50:200 --requests 60 --rate 20 --scheduler all\n";

static int read_args(struct quire_sim_args *a, struct quire_bench *bench, int argc, char **argv)
{
	int i, rc = 0;

	quire_sim_args_init(a);
	while (rc >= 0 && (i = quire_next_option(argc, argv, options)) >= 0) {
		if (!strcmp(options[i].name, "help")) {
			fputs(help_head, stdout);
			fputs(quire_workload_args_help, stdout);
			fputs(help_model, stdout);
			fputs(quire_engine_args_help, stdout);
			fputs(help_rest, stdout);
			return 1;
		}
		rc = quire_engine_arg(&bench->args, options[i].name, optarg);
		if (rc == 0)
			rc = quire_sim_arg(a, options[i].name, optarg);
	}
	if (rc >= 0 && i == QUIRE_OPTION_BAD)
		return -EINVAL;
	if (rc >= 0 && optind < argc)
		rc = quire_fail(-EINVAL, "expected options only, found '%s'", argv[optind]);
	if (rc >= 0)
		rc = quire_engine_args_check(&bench->args);
	if (rc >= 0) {
		/* The pool is the bench's business; 1 says that no share of a GPU is. */
		a->kv_slots = bench->args.kv_slots ? bench->args.kv_slots : 1;
		rc = quire_sim_arg(a, "model", bench->args.model);
	}
	if (rc >= 0)
		rc = quire_sim_arg(a, "gpu", quire_exec_kind_name(bench->args.exec));
	if (rc >= 0)
		rc = quire_sim_args_complete(a);
	if (rc >= 0)
		return 0;
	quire_usage_error(argv[0], "%s", quire_failure());
	return rc;
}

/* What the model says, where the simulator has flags. */
static int take_model(struct quire_sim_runs *sim, const struct quire_bench *bench)
{
	const struct quire_loaded *l = &bench->loaded;
	int rc = quire_dtype_find(&sim->args.weight_dtype, "the weights",
				  quire_weight_type_name(l->checkpoint.type));

	if (rc == 0)
		rc = quire_dtype_find(&sim->args.kv_dtype, "--kv-dtype",
				      quire_weight_type_name(l->kv_type));
	if (rc == 0)
		rc = quire_loaded_model_len(l, sim->args.max_model_len);
	sim->models[0] = l->checkpoint.model;
	snprintf(sim->gpus[0].name, sizeof(sim->gpus[0].name), "%s", quire_exec_kind_name(l->kind));
	sim->args.jobs = 0;
	return rc;
}

int quire_cmd_bench(int argc, char **argv)
{
	static struct quire_sim_runs sim; /* big */
	static struct quire_bench bench;
	int rc = read_args(&sim.args, &bench, argc, argv);

	if (rc)
		return rc > 0 ? QUIRE_EXIT_OK : QUIRE_EXIT_USAGE;
	sim.bench = &bench;
	rc = quire_sim_ready(&sim, argv[0]); /* before weights are drawn */
	if (rc)
		return rc;
	bench.args.skip_tokenizer = true; /* prompts are numbers */
	rc = quire_loaded_open(&bench.loaded, &bench.args);
	if (rc)
		return quire_loaded_failed(argv[0], rc);
	if (take_model(&sim, &bench) == 0) {
		quire_bench_catch();
		rc = quire_sim_go(&sim, argc, argv);
	} else {
		rc = quire_usage_error(argv[0], "%s", quire_failure());
	}
	quire_loaded_close(&bench.loaded);
	return rc;
}
