/*
 * models.c - the built-in models, as their publishers' config.json has them, and
 * the search for a model by name.
 *
 * A row holds what differs within a family; the macros hold what a family has in
 * common.  Parameter totals are checked against the published ones in
 * tests/test_model.c.
 */
#include "core/util.h"
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define DECODER(name_, family_, layers_, hidden_, heads_, kv_, dim_, mlp_, vocab_, positions_)     \
	.name = name_, .family = family_, .layers = layers_, .hidden = hidden_, .heads = heads_,   \
	.kv_heads = kv_, .head_dim = dim_, .intermediate = mlp_, .vocab = vocab_,                  \
	.positions_max = positions_

#define LLAMA(name_, layers_, hidden_, heads_, kv_, mlp_, vocab_, positions_)                      \
	{                                                                                          \
		DECODER(name_, "llama", layers_, hidden_, heads_, kv_, (hidden_) / (heads_), mlp_, \
			vocab_, positions_),                                                       \
			.mlp_gated = true                                                          \
	}
#define MISTRAL(name_, layers_, hidden_, heads_, kv_, mlp_, vocab_, positions_)                    \
	{                                                                                          \
		DECODER(name_, "mistral", layers_, hidden_, heads_, kv_, (hidden_) / (heads_),     \
			mlp_, vocab_, positions_),                                                 \
			.mlp_gated = true                                                          \
	}
#define QWEN2(name_, layers_, hidden_, heads_, kv_, mlp_, vocab_, positions_, tied_)               \
	{                                                                                          \
		DECODER(name_, "qwen2", layers_, hidden_, heads_, kv_, (hidden_) / (heads_), mlp_, \
			vocab_, positions_),                                                       \
			.mlp_gated = true, .qkv_bias = true, .embeddings_tied = tied_              \
	}
#define QWEN3(name_, layers_, hidden_, heads_, kv_, mlp_, tied_)                                   \
	{                                                                                          \
		DECODER(name_, "qwen3", layers_, hidden_, heads_, kv_, 128, mlp_, 151936, 40960),  \
			.mlp_gated = true, .qk_norm = true, .embeddings_tied = tied_               \
	}
#define OPT(name_, layers_, hidden_, heads_)                                                       \
	{                                                                                          \
		DECODER(name_, "opt", layers_, hidden_, heads_, heads_, (hidden_) / (heads_),      \
			4 * (hidden_), 50272, 2048),                                               \
			.positions_stored = 2048 + 2, .embeddings_tied = true, .qkv_bias = true,   \
			.output_bias = true, .mlp_bias = true, .norm_bias = true                   \
	}

#define EXPERTS(count_, used_, width_)                                                             \
	.mlp_gated = true, .experts = count_, .experts_used = used_, .expert_intermediate = width_
#define DEEPSEEK(name_)                                                                            \
	{                                                                                          \
		DECODER(name_, "deepseek", 61, 7168, 128, 128, 128, 18432, 129280, 163840),        \
			EXPERTS(256, 8, 2048), .experts_shared = 1, .dense_layers = 3,             \
					       .router_bias = true, .kv_lora_rank = 512,           \
					       .rope_head_dim = 64, .v_head_dim = 128,             \
					       .q_lora_rank = 1536                                 \
	}

/* clang-format off */
static const struct quire_model models[] = {
	/*	name		layers	hidden	heads	kv	mlp	vocab	positions */
	LLAMA("LLaMA-13B",	40,	5120,	40,	40,	13824,	32000,	2048),
	LLAMA("Llama-2-7B",	32,	4096,	32,	32,	11008,	32000,	4096),
	LLAMA("Llama-2-13B",	40,	5120,	40,	40,	13824,	32000,	4096),
	LLAMA("Llama-2-70B",	80,	8192,	64,	8,	28672,	32000,	4096),
	LLAMA("Llama-3-8B",	32,	4096,	32,	8,	14336,	128256,	8192),
	LLAMA("Llama-3-70B",	80,	8192,	64,	8,	28672,	128256,	8192),
	LLAMA("Llama-3.1-8B",	32,	4096,	32,	8,	14336,	128256,	131072),
	LLAMA("Llama-3.1-70B",	80,	8192,	64,	8,	28672,	128256,	131072),
	LLAMA("Yi-34B",		60,	7168,	56,	8,	20480,	64000,	4096),
	MISTRAL("Mistral-7B",	32,	4096,	32,	8,	14336,	32000,	32768),
	QWEN2("Qwen2.5-0.5B",	24,	896,	14,	2,	4864,	151936,	32768,	true),
	QWEN2("Qwen2.5-1.5B",	28,	1536,	12,	2,	8960,	151936,	131072,	true),
	QWEN2("Qwen2.5-3B",	36,	2048,	16,	2,	11008,	151936,	32768,	true),
	QWEN2("Qwen2.5-7B",	28,	3584,	28,	4,	18944,	152064,	131072,	false),
	QWEN2("Qwen2.5-14B",	48,	5120,	40,	8,	13824,	152064,	131072,	false),
	QWEN2("Qwen2.5-32B",	64,	5120,	40,	8,	27648,	152064,	131072,	false),
	QWEN2("Qwen2.5-72B",	80,	8192,	64,	8,	29568,	152064,	131072,	false),
	QWEN3("Qwen3-0.6B",	28,	1024,	16,	8,	3072,	true),
	QWEN3("Qwen3-8B",	36,	4096,	32,	8,	12288,	false),
	QWEN3("Qwen3-14B",	40,	5120,	40,	8,	17408,	false),
	QWEN3("Qwen3-32B",	64,	5120,	64,	8,	25600,	false),
	OPT("OPT-13B",		40,	5120,	40),
	OPT("OPT-66B",		64,	9216,	72),
	OPT("OPT-175B",		96,	12288,	96),
	{ DECODER("Mixtral-8x7B", "mixtral", 32, 4096, 32, 8, 128, 14336, 32000, 32768),
	  EXPERTS(8, 2, 14336) },
	{ DECODER("Qwen3-30B-A3B", "qwen3_moe", 48, 2048, 32, 4, 128, 6144, 151936, 40960),
	  EXPERTS(128, 8, 768), .qk_norm = true },
	DEEPSEEK("DeepSeek-V3"), /* without its module for guessing further tokens (MTP) */
	DEEPSEEK("DeepSeek-R1"),
};
/* clang-format on */

#define MODELS_COUNT (sizeof(models) / sizeof(models[0]))

const struct quire_model *quire_model_builtin(size_t index)
{
	return index < MODELS_COUNT ? &models[index] : NULL;
}

static const struct quire_model *builtin_named(const char *name)
{
	for (size_t i = 0; i < MODELS_COUNT; i++) {
		if (quire_same_name(models[i].name, name))
			return &models[i];
	}
	return NULL;
}

bool quire_model_is_builtin(const char *name)
{
	return builtin_named(name) != NULL;
}

int quire_model_find(struct quire_model *model, const char *name)
{
	const struct quire_model *found = builtin_named(name);
	const char *slash = strrchr(name, '/'), *near, *names[MODELS_COUNT + 1];
	struct stat st;
	char path[4096];

	if (found) {
		*model = *found;
		return 0;
	}
	if (stat(name, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			return quire_model_read(model, name);
		if ((size_t)snprintf(path, sizeof(path), "%s/config.json", name) >= sizeof(path))
			return quire_fail(-EINVAL, "model %.60s...: the path is too long", name);
		return quire_model_read(model, path);
	}
	if (slash && slash > name && slash[1] && name[0] != '.' && name[0] != '/') {
		found = builtin_named(slash + 1); /* owner/name, as on Hugging Face */
		if (found) {
			*model = *found;
			return 0;
		}
	}
	if (slash || (strlen(name) > 5 && strcasecmp(name + strlen(name) - 5, ".json") == 0))
		return quire_fail(-ENOENT, "model %s: no such file or directory", name);
	for (size_t i = 0; i < MODELS_COUNT; i++)
		names[i] = models[i].name;
	names[MODELS_COUNT] = NULL;
	near = quire_nearest(name, names);
	if (near)
		return quire_fail(-ENOENT, "model '%s' is unknown; did you mean %s?", name, near);
	return quire_fail(-ENOENT,
			  "model '%s' is unknown; give a built-in name (see 'quire list') or the "
			  "path of a config.json",
			  name);
}

static const struct quire_dtype dtypes[] = {
	{"bf16", 16, QUIRE_UNITS_16}, {"fp16", 16, QUIRE_UNITS_16},  {"fp32", 32, QUIRE_UNITS_32},
	{"fp8", 8, QUIRE_UNITS_FP8},  {"int8", 8, QUIRE_UNITS_INT8}, {"int4", 4, QUIRE_UNITS_16},
};

#define DTYPES_COUNT (sizeof(dtypes) / sizeof(dtypes[0]))

const struct quire_dtype *quire_dtype_builtin(size_t index)
{
	return index < DTYPES_COUNT ? &dtypes[index] : NULL;
}

int quire_dtype_find(const struct quire_dtype **dtype, const char *what, const char *name)
{
	/* names that vLLM and torch use for the same */
	static const char *const same[][2] = {
		{"bfloat16", "bf16"}, {"float16", "fp16"}, {"half", "fp16"},	{"float32", "fp32"},
		{"float", "fp32"},    {"auto", "bf16"},	   {"fp8_e4m3", "fp8"}, {"fp8_e5m2", "fp8"},
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		if (quire_same_name(same[i][0], name))
			name = same[i][1];
	}
	for (size_t i = 0; i < DTYPES_COUNT; i++) {
		if (quire_same_name(dtypes[i].name, name)) {
			*dtype = &dtypes[i];
			return 0;
		}
	}
	return quire_fail(-EINVAL, "%s: expected bf16, fp16, fp32, fp8, int8 or int4, found '%s'",
			  what, name);
}
