/*
 * model.c - "quire model": what a model is, what it costs to keep and to run, and
 * whether its files are sound.
 */
#include "core/model/model.h"
#include "cli.h"
#include "core/trace/json_build.h"
#include "json.h"
#include "model_parts.h"
#include "units.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char help[] =
	"usage: quire model NAME | PATH [--tensors] [--json FILE]\n"
	"\n"
	"Describe a model: its shape, its parameters by part, the bytes of its weights and\n"
	"of a token's keys and values, and the FLOPs of a token.  Where there are weights\n"
	"and a tokenizer, check them: exit status 0 if they are sound, 1 with the reason\n"
	"if they are not.\n"
	"\n"
	"  NAME         a built-in model, as in 'quire model qwen2.5-7b' ('quire list')\n"
	"  PATH         a folder as on Hugging Face: config.json, and safetensors and\n"
	"               tokenizer.json where they are there; a config.json alone; or one\n"
	"               .safetensors file\n"
	"  --tensors    list every tensor\n"
	"  --json FILE  write the same as JSON; '-': to standard output, and nothing else\n"
	"  --help       this text\n";

struct command {
	const char *path; /* or a name */
	const char *json; /* NULL: none */
	bool tensors, silent;
};

/* ---- one .safetensors file ----------------------------------------------------- */

static json_t *json_file(const struct command *command, const struct quire_model_weights *w)
{
	return json_pack("{s:s, s:o}", "path", command->path, "weights",
			 quire_model_weights_json(w, command->tensors));
}

static int describe_file(const struct command *command)
{
	struct quire_model_weights w;
	int status = QUIRE_EXIT_OK;

	if (quire_model_weights_open(&w, command->path, true))
		return quire_command_failed("model", "%s", quire_failure());
	if (!command->silent) {
		printf("%s, a file of weights\n\n", command->path);
		quire_model_weights_print(&w);
		if (command->tensors && quire_model_tensors_print(w.tensors))
			status = quire_command_failed("model", "%s", quire_failure());
		else
			printf("Sound: every byte of it belongs to one tensor.\n");
	}
	if (status == QUIRE_EXIT_OK && command->json)
		status = quire_json_write("model", json_file(command, &w), command->json);
	quire_model_weights_close(&w);
	return status;
}

/* ---- a folder, a config.json, a name ------------------------------------------- */

struct parts {
	struct quire_model model;
	struct quire_model_weights weights;	/* .tensors NULL: there are none */
	struct quire_model_tokenizer tokenizer; /* .tokenizer NULL: there is none */
};

static int open_parts(struct parts *p, const char *path)
{
	struct stat st;
	int rc;

	*p = (struct parts){.weights.tensors = NULL};
	if ((rc = quire_model_find(&p->model, path)))
		return rc;
	/* A name in the list is that model, whatever lies in this folder. */
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode) || quire_model_is_builtin(path))
		return 0;
	if (quire_model_has_weights(path))
		rc = quire_model_weights_open(&p->weights, path, false);
	return rc ? rc : quire_model_tokenizer_open(&p->tokenizer, path, p->model.vocab);
}

static int print_parts(const struct command *command, const struct parts *p)
{
	const struct quire_model_weights *w = &p->weights;

	quire_model_shape_print(&p->model);
	quire_model_costs_print(&p->model);
	if (w->tensors || p->tokenizer.tokenizer)
		printf("\n");
	if (w->checkpoint.path)
		quire_model_running_print(&w->checkpoint, &p->tokenizer);
	if (p->tokenizer.tokenizer)
		quire_model_tokenizer_print(&p->tokenizer, p->model.vocab);
	if (!w->tensors)
		return QUIRE_EXIT_OK;
	quire_model_weights_print(w);
	if (command->tensors && quire_model_tensors_print(w->tensors))
		return quire_command_failed("model", "%s", quire_failure());
	if (w->checkpoint.path)
		printf("Sound: the tensors are those of config.json.\n");
	else
		printf("The files are sound, but cannot be run: %s.\n", w->reason);
	return QUIRE_EXIT_OK;
}

static json_t *json_parts(const struct command *command, const struct parts *p)
{
	const struct quire_model_weights *w = &p->weights;
	json_t *json = quire_model_shape_json(&p->model);

	if (w->tensors)
		json = quire_json_with(json, "weights",
				       quire_model_weights_json(w, command->tensors));
	if (w->checkpoint.path)
		json = quire_json_with(json, "running", quire_model_running_json(&w->checkpoint));
	else if (w->tensors)
		json = quire_json_with(json, "cannot_run", json_string(w->reason));
	if (p->tokenizer.tokenizer)
		json = quire_json_with(json, "tokenizer",
				       quire_model_tokenizer_json(&p->tokenizer));
	return json;
}

static int describe(const struct command *command)
{
	struct parts parts;
	int status = QUIRE_EXIT_OK, rc = open_parts(&parts, command->path);

	if (rc == -ENOENT && !parts.model.family)
		status = quire_usage_error("model", "%s", quire_failure());
	else if (rc)
		status = quire_command_failed("model", "%s", quire_failure());
	else if (command->tensors && !parts.weights.tensors)
		status = quire_usage_error("model", "--tensors: %s has no weights", command->path);
	if (status == QUIRE_EXIT_OK && !command->silent)
		status = print_parts(command, &parts);
	if (status == QUIRE_EXIT_OK && command->json)
		status = quire_json_write("model", json_parts(command, &parts), command->json);
	quire_model_tokenizer_close(&parts.tokenizer);
	quire_model_weights_close(&parts.weights);
	return status;
}

/* By its name, or by how it begins: the length of a header, and a '{'. */
static bool is_tensors_file(const char *path)
{
	const size_t length = strlen(path);
	unsigned char head[9];
	struct stat st;
	bool is = false;
	FILE *in;

	if (stat(path, &st) != 0 || S_ISDIR(st.st_mode))
		return false;
	if (length > 12 && strcasecmp(path + length - 12, ".safetensors") == 0)
		return true;
	if (!S_ISREG(st.st_mode) || !(in = fopen(path, "r")))
		return false;
	if (fread(head, 1, sizeof(head), in) == sizeof(head))
		is = head[8] == '{' && head[4] == 0 && head[7] == 0;
	fclose(in);
	return is;
}

int quire_cmd_model(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", required_argument, NULL, 0},
		{"help", no_argument, NULL, 0},
		{"tensors", no_argument, NULL, 0},
		{NULL, 0, NULL, 0},
	};
	struct command command = {.json = NULL};
	int i;

	while ((i = quire_next_option(argc, argv, options)) >= 0) {
		if (i == 1) {
			fputs(help, stdout);
			return QUIRE_EXIT_OK;
		}
		if (i == 2)
			command.tensors = true;
		else
			command.json = optarg;
	}
	if (i == QUIRE_OPTION_BAD)
		return QUIRE_EXIT_USAGE;
	if (quire_check_files(&(struct quire_named_file){"--json", command.json}, 1))
		return quire_usage_error("model", "%s", quire_failure());
	if (argc - optind != 1)
		return quire_usage_error("model", "expected one model's name or path, found %d",
					 argc - optind);
	command.path = argv[optind];
	command.silent = command.json && strcmp(command.json, "-") == 0;
	return is_tensors_file(command.path) ? describe_file(&command) : describe(&command);
}
