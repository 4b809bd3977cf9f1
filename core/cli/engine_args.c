/*
 * engine_args.c - see engine_args.h.
 */
#include "engine_args.h"

#include "cli.h"
#include "core/model/tokenizer.h"
#include "core/util.h"
#include "model_parts.h"
#include "units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FREE_SHARE	     0.5	  /* of the memory beside the weights, for the pool */
#define CUDA_WORKSPACE_BYTES (3ull << 30) /* of a GPU: the rows of a step, logits, libraries */

const char quire_engine_args_help[] =
	"  --model DIR                  a Hugging Face directory: config.json, *.safetensors,\n"
	"                               tokenizer.json\n"
	"  --exec cpu|cuda              what runs it [cuda where there is a GPU, else cpu]\n"
	"  --load-format auto|dummy     dummy: random weights; --model is then a built-in name,\n"
	"                               a config.json or a folder with one [auto: real ones]\n"
	"  --dtype T                    of random weights: bf16, fp16, fp32 [bf16]\n"
	"  --kv-dtype T                 of K and V, likewise [that of the weights]\n"
	"  --kv-memory SIZE             memory of the pool of K and V, as in 512MiB or 4GB\n"
	"                               [half of what is free beside the weights, or what is\n"
	"                               asked for if that is less]\n"
	"  --kv-slots N                 the pool itself, in tokens\n"
	"  --threads N                  of the cpu [all cores]\n"
	"  --fast-products              cpu: long prompts through OpenBLAS; a token may then\n"
	"                               depend on what else is in the step.  cuda: ways to\n"
	"                               multiply are timed at the start, and the fastest is\n"
	"                               taken, which may differ from run to run\n";

static int find_type(const char *what, const char *name, enum quire_weight_type *type)
{
	static const struct {
		const char *name;
		enum quire_weight_type type;
	} names[] = {
		{"bf16", QUIRE_BF16},	  {"fp16", QUIRE_FP16},	 {"fp32", QUIRE_FP32},
		{"bfloat16", QUIRE_BF16}, {"half", QUIRE_FP16},	 {"float16", QUIRE_FP16},
		{"float32", QUIRE_FP32},  {"float", QUIRE_FP32},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (quire_same_name(name, names[i].name)) {
			*type = names[i].type;
			return 0;
		}
	}
	return quire_fail(-EINVAL, "%s: expected bf16, fp16 or fp32, found '%s'", what, name);
}

int quire_parse_bytes(const char *what, const char *text, uint64_t *bytes)
{
	static const char letters[] = "KMGT";
	char *end;
	double number = strtod(text, &end), unit = 1;
	const char *letter = *end ? strchr(letters, *end & ~0x20) : NULL;
	bool good = *text >= '0' && *text <= '9';

	if (letter) {
		const bool thousand = (end[1] & ~0x20) == 'B' && !end[2];

		for (const char *c = letters; c <= letter; c++)
			unit *= thousand ? 1000 : 1024;
		end++;
		if (!thousand && (*end == 'i' || *end == 'I'))
			end++;
	}
	if (*end == 'B' || *end == 'b')
		end++;
	number *= unit;
	if (!good || *end || !(number >= 1 && number <= 1e15))
		return quire_fail(-EINVAL, "%s: expected a size such as 512MiB or 4GB, found '%s'",
				  what, text);
	*bytes = (uint64_t)number;
	return 0;
}

int quire_engine_arg(struct quire_engine_args *a, const char *name, const char *value)
{
	int rc = 0;

	if (!strcmp(name, "model")) {
		a->model = value;
	} else if (!strcmp(name, "exec")) {
		a->exec_given = true;
		a->exec = quire_same_name(value, "cuda") ? QUIRE_EXEC_CUDA : QUIRE_EXEC_CPU;
		if (a->exec == QUIRE_EXEC_CPU && !quire_same_name(value, "cpu"))
			rc = quire_fail(-EINVAL, "--exec: expected cpu or cuda, found '%s'", value);
	} else if (!strcmp(name, "load-format")) {
		a->dummy = quire_same_name(value, "dummy");
		if (!a->dummy && !quire_same_name(value, "auto"))
			rc = quire_fail(-EINVAL,
					"--load-format: expected auto or dummy, found '%s'", value);
	} else if (!strcmp(name, "dtype")) {
		a->type_given = !quire_same_name(value, "auto");
		rc = a->type_given ? find_type("--dtype", value, &a->type) : 0;
	} else if (!strcmp(name, "kv-dtype")) {
		a->kv_type_given = !quire_same_name(value, "auto");
		rc = a->kv_type_given ? find_type("--kv-dtype", value, &a->kv_type) : 0;
	} else if (!strcmp(name, "kv-memory")) {
		rc = quire_parse_bytes("--kv-memory", value, &a->kv_memory_bytes);
	} else if (!strcmp(name, "kv-slots")) {
		rc = quire_parse_u32("--kv-slots", value, 2, 1u << 31, &a->kv_slots);
	} else if (!strcmp(name, "threads")) {
		rc = quire_parse_u32("--threads", value, 1, 4096, &a->threads);
	} else if (!strcmp(name, "fast-products")) {
		a->fast_products = true;
	} else if (!strcmp(name, "skip-tokenizer-init")) {
		a->skip_tokenizer = true;
	} else {
		return 0;
	}
	return rc ? rc : 1;
}

int quire_engine_args_check(const struct quire_engine_args *a)
{
	if (!a->model)
		return quire_fail(-EINVAL, "which model? add --model, as in --model "
					   "labs/models/tiny");
	if (a->kv_slots && a->kv_memory_bytes)
		return quire_fail(-EINVAL, "--kv-slots and --kv-memory both say how large the pool "
					   "is: give one of them");
	if (a->type_given && !a->dummy)
		return quire_fail(-EINVAL, "--dtype is for --load-format dummy; the weights of a "
					   "file are used as they are");
	return 0;
}

const char *quire_exec_kind_name(enum quire_exec_kind kind)
{
	return kind == QUIRE_EXEC_CUDA ? "cuda" : "cpu";
}

/* Of random weights, for the progress line. */
struct drawing {
	const struct quire_checkpoint *checkpoint;
	int percent; /* that is shown */
};

static void show_drawing(void *arg, double share)
{
	struct drawing *d = arg;
	const int percent = (int)(100 * share);

	if (percent == d->percent)
		return;
	d->percent = percent;
	quire_progress("drawing random weights of %s, %s: %d%%", d->checkpoint->model.name,
		       quire_text_si((double)d->checkpoint->weight_bytes, 3, "B").s, percent);
}

/* A cuda executor draws its own, on the device. */
static int open_random(struct quire_loaded *l, const struct quire_engine_args *a)
{
	struct quire_checkpoint *c = &l->checkpoint;
	struct drawing drawing = {.checkpoint = c, .percent = -1};
	int rc = quire_checkpoint_random(c, a->model, a->type_given ? a->type : QUIRE_BF16, a->seed,
					 false);

	if (rc || l->kind == QUIRE_EXEC_CUDA)
		return rc;
	show_drawing(&drawing, 0);
	rc = quire_checkpoint_draw(c, a->seed, show_drawing, &drawing);
	quire_progress("%s", "");
	if (rc)
		quire_checkpoint_close(c);
	return rc;
}

static int open_checkpoint(struct quire_loaded *l, const struct quire_engine_args *a)
{
	const char *slash = strrchr(a->model, '/');
	struct stat st;
	int rc;

	if (a->dummy)
		return open_random(l, a);
	if (stat(a->model, &st) != 0 && errno != ENOENT)
		return quire_fail(-errno, "--model %s: %s", a->model, strerror(errno));
	if (stat(a->model, &st) != 0)
		return quire_fail(-ENOENT,
				  "--model: no folder '%s'%s; --load-format dummy runs a built-in "
				  "model with random weights",
				  a->model, slash ? "" : " here");
	if (!S_ISDIR(st.st_mode))
		return quire_fail(-ENOTDIR,
				  "--model: '%s' is no folder; expected one with a "
				  "config.json and *.safetensors",
				  a->model);
	rc = quire_checkpoint_open(&l->checkpoint, a->model);
	/* A shard that is missing makes a broken model; it does not make another one. */
	return rc == -ENOENT && quire_model_has_weights(a->model) ? -EIO : rc;
}

static int open_tokenizer(struct quire_loaded *l, const struct quire_engine_args *a)
{
	char path[4096];
	int rc;

	snprintf(path, sizeof(path), "%s/tokenizer.json", a->model);
	if (a->skip_tokenizer || (a->dummy && access(path, R_OK) != 0))
		return 0;
	rc = quire_tokenizer_open(&l->tokenizer, a->model);
	if (rc == -ENOENT)
		rc = quire_fail(rc, "%s; with --skip-tokenizer-init, tokens are numbers",
				quire_failure());
	if (rc == 0 && quire_tokenizer_vocab(l->tokenizer) > l->checkpoint.model.vocab)
		rc = quire_fail(-EINVAL,
				"%s: its tokenizer has %u tokens, its model only %u: they do not "
				"belong together",
				a->model, quire_tokenizer_vocab(l->tokenizer),
				l->checkpoint.model.vocab);
	return rc;
}

int quire_loaded_failed(const char *command, int rc)
{
	if (rc == -ENOENT || rc == -ENOTDIR)
		return quire_usage_error(command, "%s", quire_failure());
	return quire_command_failed(command, "%s", quire_failure());
}

int quire_loaded_model_len(const struct quire_loaded *l, uint32_t asked)
{
	const struct quire_model *m = &l->checkpoint.model;

	if (asked <= m->positions_max)
		return 0;
	return quire_fail(-EINVAL, "--max-model-len %u is more than the %u tokens that %s can do",
			  asked, m->positions_max, m->name);
}

int quire_loaded_open(struct quire_loaded *l, const struct quire_engine_args *a)
{
	uint64_t free_bytes, total_bytes;
	int rc;

	*l = (struct quire_loaded){.kind = a->exec};
	rc = a->exec_given && a->exec == QUIRE_EXEC_CPU
		     ? -ENODEV
		     : quire_cuda_memory(&free_bytes, &total_bytes);
	if (rc && a->exec == QUIRE_EXEC_CUDA)
		return rc;
	l->kind = rc ? QUIRE_EXEC_CPU : QUIRE_EXEC_CUDA;
	rc = open_checkpoint(l, a);
	if (rc)
		return rc;
	rc = open_tokenizer(l, a);
	if (rc) {
		quire_tokenizer_close(l->tokenizer);
		quire_checkpoint_close(&l->checkpoint);
		return rc;
	}
	l->open = true;
	l->kv_type = a->kv_type_given		  ? a->kv_type
		     : l->kind == QUIRE_EXEC_CUDA ? QUIRE_BF16
						  : l->checkpoint.type;
	l->slot_bytes = quire_engine_slot_bytes(&l->checkpoint, l->kv_type);
	return 0;
}

/* The number behind @key, or the only one, in a file of the system.  0: none. */
static uint64_t system_number(const char *path, const char *key)
{
	char line[256];
	uint64_t number = 0;
	FILE *file = fopen(path, "r");

	while (file && !number && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			number = strtoull(line + strlen(key), NULL, 10);
	if (file)
		fclose(file);
	return number;
}

/* What this process may still take, in bytes: of the machine, or of its container. */
static uint64_t free_memory(void)
{
	uint64_t bytes = system_number("/proc/meminfo", "MemAvailable:") * 1024;
	const uint64_t limit = system_number("/sys/fs/cgroup/memory.max", "");
	const uint64_t used = system_number("/sys/fs/cgroup/memory.current", "");

	if (!bytes)
		bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
	if (limit && limit - used < bytes)
		bytes = limit > used ? limit - used : 0;
	return bytes;
}

int quire_loaded_slots(const struct quire_loaded *l, const struct quire_engine_args *a,
		       uint64_t useful, uint32_t *slots)
{
	const uint64_t weight_bytes = l->checkpoint.weight_bytes;
	uint64_t bytes = a->kv_memory_bytes, count, total_bytes;

	if (a->kv_slots) {
		*slots = a->kv_slots;
		return 0;
	}
	if (!bytes && l->kind == QUIRE_EXEC_CUDA) {
		int rc = quire_cuda_memory(&bytes, &total_bytes);

		if (rc)
			return rc;
		bytes = bytes > weight_bytes + CUDA_WORKSPACE_BYTES
				? bytes - weight_bytes - CUDA_WORKSPACE_BYTES
				: 0;
	} else if (!bytes) {
		/* Weights that are drawn are in memory already. */
		const uint64_t wanted = a->dummy ? 0 : weight_bytes;

		bytes = free_memory();
		bytes = bytes > wanted ? (uint64_t)((double)(bytes - wanted) * FREE_SHARE) : 0;
	}
	count = bytes / l->slot_bytes;
	if (!a->kv_memory_bytes && count > useful)
		count = useful;
	if (count < 2)
		return quire_fail(a->kv_memory_bytes ? -EINVAL : -ENOMEM,
				  "%s%llu bytes are no room for two tokens of %llu bytes each%s",
				  a->kv_memory_bytes ? "--kv-memory: " : "",
				  (unsigned long long)bytes, (unsigned long long)l->slot_bytes,
				  a->kv_memory_bytes ? "" : ", and no more memory is free");
	*slots = count < 1u << 31 ? (uint32_t)count : 1u << 31;
	return 0;
}

int quire_loaded_start(struct quire_loaded *l, const struct quire_engine_args *a,
		       struct quire_loop_config *config, struct quire_streams *streams)
{
	struct quire_engine_config engine = {
		.checkpoint = &l->checkpoint,
		.streams = streams,
		.slots_total = config->slots_total,
		.seqs_max = config->seqs_max,
		.seq_tokens_max = config->seq_tokens_max,
		.kv_type = l->kv_type,
		.threads = a->threads,
		.fast_products = a->fast_products,
		.seed = a->seed,
	};
	struct quire_loop *loop;
	int rc;

	/* The scheduler may choose the budget, so it is asked, by a loop that never runs. */
	loop = quire_loop_new(config);
	if (!loop)
		return -errno;
	l->step_tokens_max = engine.step_tokens_max = quire_loop_step_tokens_max(loop);
	quire_loop_free(loop);

	if (l->kind == QUIRE_EXEC_CUDA)
		rc = quire_engine_cuda(&l->exec, &engine);
	else
		rc = quire_engine_cpu(&l->exec, &engine);
	l->started = rc == 0;
	config->exec = l->exec;
	return rc;
}

void quire_loaded_close(struct quire_loaded *l)
{
	if (l->started)
		quire_engine_free(&l->exec);
	if (l->open) {
		quire_tokenizer_close(l->tokenizer);
		quire_checkpoint_close(&l->checkpoint);
	}
	l->started = l->open = false;
}
