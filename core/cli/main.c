/*
 * main.c - quire: finds the subcommand and hands over.
 *
 * A new command is one line in the table.
 */
#include "cli.h"

#include "core/util.h"

#include <errno.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"sim", quire_cmd_sim, "run a workload in the simulator: scheduler x allocator, report"},
	{"run", quire_cmd_run, "generate text with a real model"},
	{"bench", quire_cmd_bench, "serve a workload with a real model, and report as sim does"},
	{"calibrate", quire_cmd_calibrate, "measure this machine, so that sim predicts bench"},
	{"sweep", quire_cmd_sweep, "run a grid of simulations on all cores, or under mpirun"},
	{"plan", quire_cmd_plan, "estimate with pencil and paper: time, memory, what fits"},
	{"model", quire_cmd_model, "describe a model, and check its files"},
	{"trace", quire_cmd_trace, "look at, convert and make workloads"},
	{"view", quire_cmd_view, "watch a recording or a run: blocks, sequences, steps; lessons"},
	{"compare", quire_cmd_compare, "tell how two runs differ, from recordings or reports"},
	{"list", quire_cmd_list, "name schedulers, allocators, presets, models, GPUs"},
};
enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static int help(FILE *out)
{
	fputs("quire - a laboratory for LLM serving\n\nusage: quire COMMAND [OPTIONS]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\nquire COMMAND --help tells more; quire --version names this one.\n"
	      "Exit status: 0 success, 1 failure, 2 bad usage.\n\n"
	      "First runs, in the simulator and for real:\n"
	      "  quire sim --workload demo --model llama-3-8b --gpu a100-80g \\\n"
	      "            --scheduler all --allocator all\n"
	      "  quire run --model labs/models/tiny --prompt \"Once upon a time\"\n"
	      "  quire bench --model labs/models/tiny --workload demo_small\n",
	      out);
	return QUIRE_EXIT_OK;
}

static int run(int argc, char **argv)
{
	const char *names[COMMANDS + 1] = {NULL}, *nearest;

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    quire_same_name(argv[1], "help"))
		return help(stdout);
	if (!strcmp(argv[1], "--version")) {
		puts("quire " QUIRE_VERSION);
		return QUIRE_EXIT_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		names[i] = commands[i].name;
		if (quire_same_name(argv[1], names[i]))
			return commands[i].run(argc - 1, argv + 1);
	}
	nearest = quire_nearest(argv[1], names);
	if (nearest)
		return quire_usage_error("", "no command '%s'; did you mean '%s'?", argv[1],
					 nearest);
	return quire_usage_error("", "no command '%s'; see quire --help", argv[1]);
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	/* What was printed may still lie in a buffer, and the disk may be full. */
	if ((fflush(stdout) || ferror(stdout)) && status == QUIRE_EXIT_OK)
		return quire_command_failed("", "standard output cannot be written: %s",
					    strerror(errno));
	return status;
}
