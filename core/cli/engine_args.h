/*
 * engine_args.h - the flags that say which model runs on what, and with how much
 * memory, shared by the commands that really run one ("quire run", "quire bench"),
 * and what they open.
 *
 *	static const struct option options[] = { QUIRE_ENGINE_LONG_OPTIONS, ... };
 *	struct quire_engine_args args = QUIRE_ENGINE_ARGS;
 *	struct quire_loaded loaded;
 *
 *	rc = quire_engine_arg(&args, options[i].name, optarg);	... for each flag
 *	rc = quire_engine_args_check(&args);
 *	rc = quire_loaded_open(&loaded, &args);			model, tokenizer
 *	rc = quire_loaded_slots(&loaded, &args, useful, &config.slots_total);
 *	rc = quire_streams_new(&streams, ...);			what will be said
 *	rc = quire_loaded_start(&loaded, &args, &config, streams);
 *	loop = quire_loop_new(&config);
 *	quire_engine_start(&loaded.exec);
 *	rc = quire_loop_run(loop);
 *	quire_loaded_close(&loaded);
 */
#ifndef QUIRE_ENGINE_ARGS_H
#define QUIRE_ENGINE_ARGS_H

#include "core/engine/engine.h"
#include "core/loop.h"

#include <getopt.h>

struct quire_tokenizer;

enum quire_exec_kind { QUIRE_EXEC_CPU, QUIRE_EXEC_CUDA };

struct quire_engine_args {
	const char *model;	   /* --model; borrowed */
	bool exec_given;	   /* else: what this machine is best at */
	enum quire_exec_kind exec; /* --exec */
	bool dummy;		   /* --load-format dummy: random weights */
	bool skip_tokenizer;	   /* --skip-tokenizer-init: tokens are numbers */
	bool type_given, kv_type_given;
	enum quire_weight_type type;	/* --dtype, of random weights [bf16] */
	enum quire_weight_type kv_type; /* --kv-dtype [that of the weights] */
	uint64_t kv_memory_bytes;	/* --kv-memory; 0: a share of what is free */
	uint32_t kv_slots;		/* --kv-slots; 0: not given */
	uint32_t threads;		/* --threads; 0: one for each core */
	bool fast_products;		/* --fast-products */
	uint64_t seed;			/* of random weights; no flag of ours */
};

#define QUIRE_ENGINE_ARGS                                                                          \
	{                                                                                          \
		.model = NULL                                                                      \
	}

/* Entries for a getopt_long() table, val 0. */
#define QUIRE_ENGINE_LONG_OPTIONS                                                                  \
	{"model", required_argument, NULL, 0}, {"exec", required_argument, NULL, 0},               \
		{"load-format", required_argument, NULL, 0},                                       \
		{"dtype", required_argument, NULL, 0}, {"kv-dtype", required_argument, NULL, 0},   \
		{"kv-memory", required_argument, NULL, 0},                                         \
		{"kv-slots", required_argument, NULL, 0}, {"threads", required_argument, NULL, 0}, \
		{"fast-products", no_argument, NULL, 0},                                           \
	{                                                                                          \
		"skip-tokenizer-init", no_argument, NULL, 0                                        \
	}

/* A block for --help, one line a flag, that ends with a newline. */
extern const char quire_engine_args_help[];

/*
 * Take the flag @name (without the dashes) with its @value (NULL where it has none),
 * which is borrowed.  Return: 1 it was one of ours; 0 it was not; -EINVAL with a
 * sentence in quire_failure().
 */
int quire_engine_arg(struct quire_engine_args *a, const char *name, const char *value);

/* Do they go together?  After the last flag.  Return: 0; -EINVAL with a sentence. */
int quire_engine_args_check(const struct quire_engine_args *a);

/*
 * "512MiB", "1.5GB", "4g", "65536": bytes.  K, M, G and T are 1024s, as are KiB .. TiB;
 * KB .. TB are 1000s.  Return: 0; -EINVAL: quire_failure() names @what.
 */
int quire_parse_bytes(const char *what, const char *text, uint64_t *bytes);

/* A model, ready to be run. */
struct quire_loaded {
	struct quire_checkpoint checkpoint;
	struct quire_tokenizer *tokenizer; /* NULL: there is none; tokens are numbers */
	enum quire_exec_kind kind;
	enum quire_weight_type kv_type;
	uint64_t slot_bytes;	  /* K and V of one token */
	struct quire_exec exec;	  /* from quire_loaded_start() on */
	uint32_t step_tokens_max; /* that it was made for: the budget in force */
	bool open, started;
};

/* "cpu". */
const char *quire_exec_kind_name(enum quire_exec_kind kind);

/*
 * Open model and tokenizer, and see that they belong together: no token of the
 * tokenizer may lie outside the model's vocabulary.
 * Return: 0; -ENOENT, -ENOTDIR there is no such model; -errno; with a sentence in
 * quire_failure(), and nothing is left open.
 */
int quire_loaded_open(struct quire_loaded *l, const struct quire_engine_args *a);
/* Say on stderr why it was not opened.  Return: the exit status. */
int quire_loaded_failed(const char *command, int rc);

/* Can the model do sequences of so many tokens, --max-model-len?  0 was not asked for.
 * Return: 0; -EINVAL with both numbers. */
int quire_loaded_model_len(const struct quire_loaded *l, uint32_t asked);

/*
 * How many slots the pool has: --kv-slots; as many as fit into --kv-memory; or, if
 * neither is given, as many as fit into half of the memory that is free beside the
 * weights, but not more than @useful.
 * Return: 0; there is no room for two: -EINVAL in --kv-memory, -ENOMEM in the machine.
 */
int quire_loaded_slots(const struct quire_loaded *l, const struct quire_engine_args *a,
		       uint64_t useful, uint32_t *slots);

/*
 * Make the executor for a loop of @config, of which all but exec is ready, and
 * complete that.  Return: 0; -errno with a sentence in quire_failure().
 */
int quire_loaded_start(struct quire_loaded *l, const struct quire_engine_args *a,
		       struct quire_loop_config *config, struct quire_streams *streams);

/* Give all of it back; one that is not open is fine.  Streams are freed behind it. */
void quire_loaded_close(struct quire_loaded *l);

#endif /* QUIRE_ENGINE_ARGS_H */
