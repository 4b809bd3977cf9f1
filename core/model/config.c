/*
 * config.c - a model from the config.json that Hugging Face keeps beside weights.
 *
 * Strict: what would change a figure and is missing, of a wrong type or absurd
 * fails with one sentence that names the file and the key.  What does not change
 * one (rotary bases, initializers, token ids) is not looked at here: what only running
 * a model needs is read by checkpoint_config.c.
 */
#define _XOPEN_SOURCE 700 /* realpath */

#include "config_keys.h"
#include "core/util.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Architectures that are built, and their family. */
static const struct {
	const char *architecture, *model_type, *family;
} families[] = {
	{"LlamaForCausalLM", "llama", "llama"}, /* Yi too */
	{"MistralForCausalLM", "mistral", "mistral"},
	{"Qwen2ForCausalLM", "qwen2", "qwen2"},
	{"Qwen3ForCausalLM", "qwen3", "qwen3"},
	{"OPTForCausalLM", "opt", "opt"},
	{"MixtralForCausalLM", "mixtral", "mixtral"},
	{"Qwen3MoeForCausalLM", "qwen3_moe", "qwen3_moe"},
	{"DeepseekV3ForCausalLM", "deepseek_v3", "deepseek"}, /* R1 too */
};

#define FAMILIES_COUNT (sizeof(families) / sizeof(families[0]))
#define BUILT	       "Llama, Mistral, Mixtral, Qwen2, Qwen3, Qwen3-MoE, OPT and DeepSeek-V3 are"

/* The upper bounds keep every product in arithmetic.c within 64 bits. */
#define LAYERS_MAX  1024
#define HEADS_MAX   4096
#define DIM_MAX	    4096
#define WIDTH_MAX   (1 << 20)
#define TOKENS_MAX  (1 << 24)
#define EXPERTS_MAX 4096

static int get_family(const struct quire_config *c, struct quire_model *m)
{
	const json_t *list = json_object_get(c->root, "architectures");
	const json_t *type = json_object_get(c->root, "model_type");
	const char *name = NULL;

	if (list && !json_is_null(list)) {
		name = json_string_value(json_array_get(list, 0));
		if (!name)
			return quire_fail(-EINVAL,
					  "%s: key 'architectures' must be a list of names",
					  c->path);
	} else if (type && !json_is_null(type)) {
		name = json_string_value(type);
		if (!name)
			return quire_fail(-EINVAL, "%s: key 'model_type' must be a name", c->path);
	} else {
		return quire_fail(-EINVAL,
				  "%s: keys 'architectures' and 'model_type' are missing: not a "
				  "model's config.json",
				  c->path);
	}
	for (size_t i = 0; i < FAMILIES_COUNT; i++) {
		if (strcmp(name, families[i].architecture) == 0 ||
		    strcmp(name, families[i].model_type) == 0) {
			m->family = families[i].family;
			return 0;
		}
	}
	return quire_fail(-ENOTSUP, "%s: architecture '%.60s' is not built; " BUILT, c->path, name);
}

/* The keys of each family, and what it means when they are not there. */
static int get_experts(const struct quire_config *c, struct quire_model *m)
{
	const bool mixtral = strcmp(m->family, "mixtral") == 0;
	const bool deepseek = strcmp(m->family, "deepseek") == 0;
	const json_t *mlp_only = json_object_get(c->root, "mlp_only_layers");
	uint32_t step = 1;
	int rc;

	if (mixtral)
		m->expert_intermediate = m->intermediate;
	if ((rc = quire_config_count(c,
				     mixtral	? "num_local_experts"
				     : deepseek ? "n_routed_experts"
						: "num_experts",
				     EXPERTS_MAX, false, &m->experts)) ||
	    (rc = quire_config_count(c, "num_experts_per_tok", EXPERTS_MAX, false,
				     &m->experts_used)) ||
	    (!mixtral && (rc = quire_config_count(c, "moe_intermediate_size", WIDTH_MAX, false,
						  &m->expert_intermediate))))
		return rc;
	if (m->experts_used > m->experts)
		return quire_fail(-EINVAL,
				  "%s: key 'num_experts_per_tok' is %" PRIu32
				  ", but there are %" PRIu32 " experts",
				  c->path, m->experts_used, m->experts);
	if ((rc = quire_config_count(c, deepseek ? "moe_layer_freq" : "decoder_sparse_step",
				     LAYERS_MAX, true, &step)))
		return rc;
	if (step != 1 || json_array_size(mlp_only) > 0)
		return quire_fail(-ENOTSUP,
				  "%s: key '%s': layers with and without experts by "
				  "turns are not built",
				  c->path,
				  step == 1  ? "mlp_only_layers"
				  : deepseek ? "moe_layer_freq"
					     : "decoder_sparse_step");
	if (!deepseek)
		return 0;
	m->router_bias = true;
	if ((rc = quire_config_count_or_none(c, "first_k_dense_replace", m->layers,
					     &m->dense_layers)) ||
	    (rc = quire_config_count_or_none(c, "n_shared_experts", EXPERTS_MAX,
					     &m->experts_shared)))
		return rc;
	return 0;
}

static int get_latent(const struct quire_config *c, struct quire_model *m)
{
	int rc;

	if ((rc = quire_config_count(c, "kv_lora_rank", WIDTH_MAX, false, &m->kv_lora_rank)) ||
	    (rc = quire_config_count_or_none(c, "q_lora_rank", WIDTH_MAX, &m->q_lora_rank)) ||
	    (rc = quire_config_count(c, "qk_nope_head_dim", DIM_MAX, false, &m->head_dim)) ||
	    (rc = quire_config_count(c, "qk_rope_head_dim", DIM_MAX, false, &m->rope_head_dim)) ||
	    (rc = quire_config_count(c, "v_head_dim", DIM_MAX, false, &m->v_head_dim)))
		return rc;
	m->kv_heads = m->heads;
	return 0;
}

static int get_rotary(const struct quire_config *c, struct quire_model *m)
{
	const bool qwen2 = strcmp(m->family, "qwen2") == 0, llama = strcmp(m->family, "llama") == 0;
	bool attention_bias = false;
	int rc;

	m->mlp_gated = true;
	m->qk_norm = strncmp(m->family, "qwen3", 5) == 0;
	m->kv_heads = m->heads;
	m->head_dim = 0;
	if ((rc = quire_config_count(c, "intermediate_size", WIDTH_MAX, false, &m->intermediate)) ||
	    (rc = quire_config_count(c, "num_key_value_heads", HEADS_MAX, true, &m->kv_heads)) ||
	    (rc = quire_config_count(c, "head_dim", DIM_MAX, true, &m->head_dim)) ||
	    (rc = quire_config_flag(c, "attention_bias", &attention_bias)) ||
	    (rc = quire_config_flag(c, "mlp_bias", &m->mlp_bias)))
		return rc;
	/* Qwen2 has a bias on Q, K, V whatever its config says. */
	m->qkv_bias = qwen2 || attention_bias;
	m->output_bias = !qwen2 && attention_bias;
	m->mlp_bias = llama && m->mlp_bias;
	if (strcmp(m->family, "deepseek") == 0 && (rc = get_latent(c, m)))
		return rc;
	if (strcmp(m->family, "mixtral") == 0 || strcmp(m->family, "qwen3_moe") == 0 ||
	    strcmp(m->family, "deepseek") == 0)
		return get_experts(c, m);
	return 0;
}

static int get_opt(const struct quire_config *c, struct quire_model *m)
{
	uint32_t projected = m->hidden;
	bool bias = true, affine = true, norm_first = true;
	int rc;

	m->kv_heads = m->heads;
	m->embeddings_tied = true;
	if ((rc = quire_config_count(c, "ffn_dim", WIDTH_MAX, false, &m->intermediate)) ||
	    (rc = quire_config_count(c, "word_embed_proj_dim", WIDTH_MAX, true, &projected)) ||
	    (rc = quire_config_flag(c, "do_layer_norm_before", &norm_first)) ||
	    (rc = quire_config_flag(c, "layer_norm_elementwise_affine", &affine)) ||
	    (rc = quire_config_flag(c, "enable_bias", &bias)))
		return rc;
	if (projected != m->hidden)
		return quire_fail(-ENOTSUP,
				  "%s: key 'word_embed_proj_dim' differs from 'hidden_size', which "
				  "is not built",
				  c->path);
	if (!norm_first || !affine)
		return quire_fail(-ENOTSUP, "%s: key '%s' is false, which is not built", c->path,
				  norm_first ? "layer_norm_elementwise_affine"
					     : "do_layer_norm_before");
	m->norm_bias = true;
	m->qkv_bias = m->output_bias = m->mlp_bias = bias;
	m->positions_stored = m->positions_max + 2; /* OPT keeps two rows more */
	return 0;
}

int quire_config_shape(const struct quire_config *c, struct quire_model *m)
{
	int rc;

	if ((rc = get_family(c, m)) ||
	    (rc = quire_config_count(c, "hidden_size", WIDTH_MAX, false, &m->hidden)) ||
	    (rc = quire_config_count(c, "num_hidden_layers", LAYERS_MAX, false, &m->layers)) ||
	    (rc = quire_config_count(c, "num_attention_heads", HEADS_MAX, false, &m->heads)) ||
	    (rc = quire_config_count(c, "vocab_size", QUIRE_CONFIG_VOCAB_MAX, false, &m->vocab)) ||
	    (rc = quire_config_count(c, "max_position_embeddings", TOKENS_MAX, false,
				     &m->positions_max)))
		return rc;
	rc = strcmp(m->family, "opt") == 0 ? get_opt(c, m) : get_rotary(c, m);
	if (rc || (rc = quire_config_flag(c, "tie_word_embeddings", &m->embeddings_tied)))
		return rc;
	if (!m->head_dim) {
		if (m->hidden % m->heads)
			return quire_fail(-EINVAL,
					  "%s: key 'hidden_size' is %" PRIu32
					  ", not a multiple of 'num_attention_heads' (%" PRIu32 ")",
					  c->path, m->hidden, m->heads);
		m->head_dim = m->hidden / m->heads;
	}
	if (m->heads % m->kv_heads)
		return quire_fail(-EINVAL,
				  "%s: key 'num_key_value_heads' is %" PRIu32
				  ", which does not divide 'num_attention_heads' (%" PRIu32 ")",
				  c->path, m->kv_heads, m->heads);
	if ((uint64_t)m->heads * m->head_dim > WIDTH_MAX)
		return quire_fail(-EINVAL,
				  "%s: key 'head_dim': %" PRIu32 " heads of %" PRIu32
				  " are wider than %d",
				  c->path, m->heads, m->head_dim, WIDTH_MAX);
	return 0;
}

void quire_config_name(struct quire_model *m, const char *path)
{
	char whole[PATH_MAX], *text = whole, *slash, *end;
	char *real = NULL;

	if (snprintf(whole, sizeof(whole), "%s", path) >= (int)sizeof(whole))
		return;
	slash = strrchr(text, '/');
	if (strcmp(slash ? slash + 1 : text, "config.json") == 0) {
		real = realpath(path, NULL); /* "./config.json" lies somewhere, too */
		if (real)
			snprintf(whole, sizeof(whole), "%s", real);
		free(real);
		slash = strrchr(text, '/');
		if (slash) {
			*slash = 0;
			slash = strrchr(text, '/');
		}
	} else {
		end = strrchr(text, '.');
		if (end && end > (slash ? slash + 1 : text))
			*end = 0;
	}
	snprintf(m->name, sizeof(m->name), "%.*s", QUIRE_MODEL_NAME_MAX - 1,
		 slash ? slash + 1 : text);
}

int quire_model_read(struct quire_model *model, const char *path)
{
	struct quire_model found = {.family = NULL};
	struct quire_config c;
	int rc = quire_config_load(&c, path);

	if (rc)
		return rc;
	rc = quire_config_shape(&c, &found);
	quire_config_free(&c);
	if (rc)
		return rc;
	quire_config_name(&found, path);
	*model = found;
	return 0;
}
