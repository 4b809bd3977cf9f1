/*
 * trace.c - "quire trace": look at workloads, convert them, make them.
 *
 * The three commands read their arguments alike; what can be drawn (a preset, a
 * description, a file of clients) is drawn, any other name is a file that is read.
 */
#include "cli.h"
#include "core/util.h"
#include "json.h"
#include "output.h"
#include "trace_info.h"
#include "units.h"
#include "workload_args.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct trace_args {
	const char *command; /* "trace info" */
	struct quire_workload_args workload;
	const char *json, *output; /* NULL: not asked for */
};

struct trace_command {
	const char *name; /* with "trace" before it */
	const char *help;
	int (*run)(const struct trace_args *args, const struct quire_workload *w);
	bool presets, files; /* what it takes */
	bool lengths_suffice;
};

static const char help[] =
	"usage: quire trace info FILE | WORKLOAD ...     what is it like?\n"
	"       quire trace convert FILE ...             any format to quire's own CSV\n"
	"       quire trace generate WORKLOAD ...        draw requests, write quire's own CSV\n"
	"\n"
	"Formats, told by the content of the file; .gz and .zst are unpacked:\n"
	"  quire csv       arrival_s,prompt_tokens,output_tokens and, if you like, client,\n"
	"                  priority, deadline_s, output_tokens_max; without arrival_s it is a\n"
	"                  file of lengths\n"
	"  azure csv       TIMESTAMP,ContextTokens,GeneratedTokens\n"
	"  burstgpt csv    Timestamp,Model,Request tokens,Response tokens,...\n"
	"  mooncake jsonl  {\"timestamp\": ms, \"input_length\": .., \"output_length\": ..,\n"
	"                  \"hash_ids\": [..]}\n"
	"  qwen jsonl      {\"chat_id\": .., \"timestamp\": s, \"input_length\": .., ...}\n"
	"  sharegpt json   [{\"conversations\": [{\"from\": .., \"value\": ..}, ..]}, ..]: "
	"lengths,\n"
	"                  estimated from the text of the first question and answer\n"
	"  vidur csv       num_prefill_tokens,num_decode_tokens (Vidur, Sarathi-Serve,\n"
	"                  vAttention): lengths\n"
	"\n"
	"Workloads that are drawn:\n"
	"  PRESET          a name of 'quire list presets'\n"
	"  synthetic,prompt=DIST,output=DIST[,total=N][,output_tokens_max=N]\n"
	"                  DIST is TOKENS, uniform:LOW:HIGH, exp:MEAN, normal:MEAN:CV,\n"
	"                  gamma:MEAN:CV, lognormal:MEAN:SIGMA, zipf:EXPONENT, or a mixture\n"
	"                  lognormal2:SHARE:MEAN:SIGMA:MEAN:SIGMA; at its end :max=N draws\n"
	"                  again what is larger, :cut=N cuts it\n"
	"  FILE            clients: client,rate,prompt,output and, if you like, arrivals,\n"
	"                  output_tokens_max, priority, from_s, until_s; lengths as DIST\n"
	"\n"
	"See 'quire trace info --help' and so on for the options.\n";

static const char info_help[] =
	"usage: quire trace info FILE | WORKLOAD [OPTIONS]\n"
	"\n"
	"Describe a workload: counts, rate, burstiness, lengths, shared prefixes.\n"
	"\n"
	"  --json FILE          write the same as JSON; '-': to standard output, nothing else\n"
	"  --help               this text\n"
	"\n"
	"Options that change the workload first, as in 'quire sim':\n";

static const char convert_help[] =
	"usage: quire trace convert FILE [-o FILE] [OPTIONS]\n"
	"\n"
	"Write a trace as quire's own CSV, rows by arrival.  Block hashes have no column in\n"
	"it and are left out.\n"
	"\n"
	"  -o, --output FILE    where to; without it: standard output\n"
	"  --help               this text\n"
	"\n"
	"Options that change the workload first, as in 'quire sim':\n";

static const char generate_help[] =
	"usage: quire trace generate WORKLOAD [-o FILE] [OPTIONS]\n"
	"\n"
	"Draw requests (from a preset, from distributions, of several clients; see 'quire trace\n"
	"--help') and write them as quire's own CSV.  The same seed gives the same file,\n"
	"everywhere.\n"
	"\n"
	"  -o, --output FILE    where to; without it: standard output\n"
	"  --help               this text\n"
	"\n"
	"Options that change the workload first, as in 'quire sim':\n";

static int info(const struct trace_args *args, const struct quire_workload *w)
{
	struct quire_workload_stats stats;

	if (quire_workload_stats(&stats, w) < 0)
		return quire_command_failed(args->command, "%s", quire_failure());
	if (!args->json || strcmp(args->json, "-") != 0)
		quire_trace_info_print(w, &stats);
	return args->json ? quire_json_write(args->command, quire_trace_info_json(w, &stats),
					     args->json)
			  : QUIRE_EXIT_OK;
}

static int write_csv(const struct trace_args *args, const struct quire_workload *w)
{
	struct quire_output out;

	if (!args->output || strcmp(args->output, "-") == 0) {
		if (quire_workload_write(w, stdout) < 0)
			return quire_command_failed(args->command, "%s", quire_failure());
	} else {
		if (quire_output_open(&out, args->output) < 0)
			return quire_command_failed(args->command, "%s", quire_failure());
		if (quire_workload_write(w, out.file) < 0) {
			quire_output_discard(&out);
			return quire_command_failed(args->command, "%s: %s", args->output,
						    quire_failure());
		}
		if (quire_output_commit(&out) < 0)
			return quire_command_failed(args->command, "%s", quire_failure());
		fprintf(stderr, "%s: %s requests\n", args->output, quire_text_count(w->count).s);
	}
	if (w->hash_first)
		fprintf(stderr, "note: %s block hashes have no column in quire's own CSV\n",
			quire_text_count(w->hash_first[w->count]).s);
	if (w->closed_users)
		fprintf(stderr,
			"note: a closed loop has no arrival times; run it with --arrivals "
			"closed,users=%u\n",
			w->closed_users);
	else if (!w->arrivals_known)
		fprintf(stderr, "note: lengths only, to be used with --rate\n");
	return QUIRE_EXIT_OK;
}

static const struct trace_command commands[] = {
	{"trace info", info_help, info, true, true, true},
	{"trace convert", convert_help, write_csv, false, true, true},
	{"trace generate", generate_help, write_csv, true, false, true},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct option options[] = {
	{"help", no_argument, NULL, 0},
	{"json", required_argument, NULL, 0},
	{"output", required_argument, NULL, 0},
	QUIRE_WORKLOAD_LONG_OPTIONS,
	{NULL, 0, NULL, 0},
};

/* One name, file or preset, that stands without a flag.  Return: an exit status; -1 to go on. */
static int take_source(struct trace_args *args, const struct trace_command *c, const char *source)
{
	bool preset = quire_preset_check(source) == 0;
	bool file = !strcmp(source, "-") || access(source, F_OK) == 0;

	if (preset && c->presets)
		args->workload.preset = source;
	else if (file && c->files)
		args->workload.trace = source;
	if (args->workload.preset || args->workload.trace)
		return -1;
	if (preset)
		return quire_usage_error(c->name, "'%s' is a preset: see 'quire trace generate'",
					 source);
	if (!c->files) /* of a file: why it is none of clients */
		return quire_usage_error(c->name, "%s", quire_failure());
	if (!c->presets)
		return quire_command_failed(c->name, "there is no file '%s'", source);
	return quire_command_failed(c->name, "there is no file '%s' and %s", source,
				    quire_failure());
}

/* Return: an exit status; -1 to go on. */
static int parse(struct trace_args *args, const struct trace_command *c, int argc, char **argv)
{
	int i, rc;

	while ((i = quire_next_option(argc, argv, options)) >= 0) {
		const char *name = options[i].name;

		if (!strcmp(name, "help")) {
			fputs(c->help, stdout);
			fputs(quire_workload_args_help, stdout);
			return QUIRE_EXIT_OK;
		}
		if (!strcmp(name, "json") && c->run == info)
			args->json = optarg;
		else if (!strcmp(name, "output") && c->run == write_csv)
			args->output = optarg;
		else if ((rc = quire_workload_arg(&args->workload, name, optarg)) < 0)
			return quire_usage_error(c->name, "%s", quire_failure());
		else if (rc == 0)
			return quire_usage_error(c->name, "takes no --%s", name);
	}
	if (i == QUIRE_OPTION_BAD)
		return QUIRE_EXIT_USAGE;
	if (quire_check_files(
		    (struct quire_named_file[]){{"--json", args->json}, {"--output", args->output}},
		    2))
		return quire_usage_error(c->name, "%s", quire_failure());
	for (; optind < argc; optind++) {
		if (args->workload.trace || args->workload.preset)
			return quire_usage_error(c->name, "one at a time, found '%s' too",
						 argv[optind]);
		rc = take_source(args, c, argv[optind]);
		if (rc >= 0)
			return rc;
	}
	if (!args->workload.trace && !args->workload.preset)
		return quire_usage_error(c->name, "give %s; see quire %s --help",
					 !c->files     ? "a preset"
					 : !c->presets ? "a file"
						       : "a file or a preset",
					 c->name);
	if ((args->workload.trace && !c->files) || (args->workload.preset && !c->presets))
		return quire_usage_error(c->name, "takes a %s; see quire trace --help",
					 c->files ? "file" : "preset");
	if (quire_workload_args_check(&args->workload) < 0)
		return quire_usage_error(c->name, "%s", quire_failure());
	if (args->workload.rates_count > 1)
		return quire_usage_error(c->name, "takes one --rate");
	if (args->workload.seed_first != args->workload.seed_last)
		return quire_usage_error(c->name, "takes one --seed");
	if (args->workload.options.samples && c->run == write_csv)
		return quire_usage_error(c->name, "--samples has no column in quire's own CSV; "
						  "give it to quire sim");
	return -1;
}

int quire_cmd_trace(int argc, char **argv)
{
	const struct trace_command *c = NULL;
	struct trace_args args = {.workload = QUIRE_WORKLOAD_ARGS};
	static char name[32], output[] = "--output";
	struct quire_workload w;
	int rc;

	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return QUIRE_EXIT_OK;
	}
	for (size_t i = 0; i < COMMANDS && argc >= 2; i++)
		if (quire_same_name(argv[1], commands[i].name + strlen("trace ")))
			c = &commands[i];
	if (!c)
		return quire_usage_error("trace",
					 "expected info, convert or generate, found %s%s%s",
					 argc >= 2 ? "'" : "", argc >= 2 ? argv[1] : "nothing",
					 argc >= 2 ? "'" : "");
	/* The command is the program now, and -o the only short option. */
	snprintf(name, sizeof(name), "%s", c->name);
	argv[1] = name;
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], "-o"))
			argv[i] = output;
	args.command = c->name;
	args.workload.options.lengths_suffice = c->lengths_suffice;
	rc = parse(&args, c, argc - 1, argv + 1);
	if (rc >= 0)
		return rc;
	if (quire_workload_load(&args.workload, args.workload.seed_first,
				args.workload.rates_count ? args.workload.rates[0] : 0.0, &w) < 0)
		return quire_command_failed(c->name, "%s", quire_failure());
	rc = c->run(&args, &w);
	quire_workload_free(&w);
	return rc;
}
