/*
 * checkpoint_config.c - what only running a model needs to know of its config.json, and
 * what its generation_config.json says.
 *
 * A key that is missing means what it means to transformers.  What changes a result and
 * is not built is refused.
 */
#include "checkpoint_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX (1u << 24)
#define THETA_MAX  1e12
#define FACTOR_MAX 1e6

static bool family(const struct quire_checkpoint *c, const char *name)
{
	return strcmp(c->model.family, name) == 0;
}

/* ---- the architecture ---------------------------------------------------------- */

/* @path: of config.json, or the model's name. */
static int check_shape(const struct quire_checkpoint *c, const char *path)
{
	const struct quire_model *m = &c->model;

	if (!family(c, "llama") && !family(c, "mistral") && !family(c, "qwen2") &&
	    !family(c, "qwen3"))
		return quire_fail(-ENOTSUP,
				  "%s: models of the family '%s' cannot be run; Llama, Mistral, "
				  "Qwen2 and Qwen3 can",
				  path, m->family);
	if (m->output_bias || m->mlp_bias)
		return quire_fail(-ENOTSUP,
				  "%s: key '%s': biases cannot be run but those of Q, K and V",
				  path, m->output_bias ? "attention_bias" : "mlp_bias");
	if (m->head_dim % 2)
		return quire_fail(-EINVAL,
				  "%s: key 'head_dim' is %" PRIu32
				  ", but rotary positions turn pairs",
				  path, m->head_dim);
	return 0;
}

static int get_activation(const struct quire_config *config)
{
	const json_t *name = quire_config_get(config, "hidden_act");

	if (name && (!json_is_string(name) || strcmp(json_string_value(name), "silu") != 0))
		return quire_fail(-ENOTSUP,
				  "%s: key 'hidden_act' is not 'silu', which cannot be run",
				  config->path);
	if (quire_config_get(config, "quantization_config"))
		return quire_fail(-ENOTSUP,
				  "%s: key 'quantization_config': quantized weights cannot be run",
				  config->path);
	return 0;
}

/* ---- rotary positions ---------------------------------------------------------- */

static int get_scaling(const struct quire_config *config, struct quire_rope *rope)
{
	const json_t *type = quire_config_get(config, "rope_type");
	const char *name;
	int rc;

	if (!type)
		type = quire_config_get(config, "type");
	name = type ? json_string_value(type) : "default";
	if (!name)
		return quire_fail(-EINVAL, "%s: key '%srope_type' must be a name", config->path,
				  config->within);
	if (strcmp(name, "default") == 0)
		return 0;
	if (strcmp(name, "linear") != 0 && strcmp(name, "llama3") != 0)
		return quire_fail(-ENOTSUP,
				  "%s: key '%srope_type' is '%.40s', which cannot be run; "
				  "'default', 'linear' and 'llama3' can",
				  config->path, config->within, name);
	rope->scaling = QUIRE_ROPE_LINEAR;
	if ((rc = quire_config_real(config, "factor", 1, FACTOR_MAX, false, &rope->factor)) ||
	    strcmp(name, "linear") == 0)
		return rc;
	rope->scaling = QUIRE_ROPE_LLAMA3;
	if ((rc = quire_config_real(config, "low_freq_factor", 0, FACTOR_MAX, false,
				    &rope->low_factor)) ||
	    (rc = quire_config_real(config, "high_freq_factor", 0, FACTOR_MAX, false,
				    &rope->high_factor)) ||
	    (rc = quire_config_real(config, "original_max_position_embeddings", 1, WINDOW_MAX,
				    false, &rope->original)))
		return rc;
	if (rope->low_factor >= rope->high_factor)
		return quire_fail(-EINVAL,
				  "%s: key '%shigh_freq_factor' is %g, expected more than "
				  "'low_freq_factor' (%g)",
				  config->path, config->within, rope->high_factor,
				  rope->low_factor);
	return 0;
}

/*
 * Since transformers 5 all is in rope_parameters; before, the scaling was in
 * rope_scaling, and the base beside it.
 */
static int get_rope(const struct quire_config *config, struct quire_rope *rope)
{
	static const char *const names[] = {"rope_parameters", "rope_scaling"};
	static const char *const within[] = {"rope_parameters.", "rope_scaling."};
	double partial = 1;
	int rc;

	*rope = (struct quire_rope){.theta = 10000, .factor = 1};
	if ((rc = quire_config_real(config, "rope_theta", 1, THETA_MAX, true, &rope->theta)) ||
	    (rc = quire_config_real(config, "partial_rotary_factor", 0, 1, true, &partial)))
		return rc;
	for (int i = 0; i < 2; i++) {
		const json_t *value = quire_config_get(config, names[i]);
		const struct quire_config inner = {config->path, within[i],
						   json_object_get(config->root, names[i])};

		if (!value)
			continue;
		if (!json_is_object(value))
			return quire_fail(-EINVAL, "%s: key '%s' must be an object", config->path,
					  names[i]);
		if ((rc = quire_config_real(&inner, "rope_theta", 1, THETA_MAX, true,
					    &rope->theta)) ||
		    (rc = quire_config_real(&inner, "partial_rotary_factor", 0, 1, true,
					    &partial)) ||
		    (rc = get_scaling(&inner, rope)))
			return rc;
		break;
	}
	if (partial != 1)
		return quire_fail(
			-ENOTSUP,
			"%s: key 'partial_rotary_factor' is %g: heads that are rotated in "
			"part cannot be run",
			config->path, partial);
	return 0;
}

/* ---- the window of attention --------------------------------------------------- */

/* Layers, of all, that look back on a window only. */
static int count_sliding(const struct quire_config *config, uint32_t layers, uint32_t *sliding)
{
	const json_t *types = quire_config_get(config, "layer_types");
	uint32_t full = 28; /* the first ones; transformers' own default */
	int rc;

	*sliding = 0;
	if (!types) {
		const json_t *value = quire_config_get(config, "max_window_layers");

		if (json_is_integer(value) && json_integer_value(value) == 0)
			full = 0;
		else if ((rc = quire_config_count(config, "max_window_layers", WINDOW_MAX, true,
						  &full)))
			return rc;
		*sliding = full < layers ? layers - full : 0;
		return 0;
	}
	if (json_array_size(types) != layers)
		return quire_fail(-EINVAL,
				  "%s: key 'layer_types' must be a list of %" PRIu32 " names",
				  config->path, layers);
	for (uint32_t i = 0; i < layers; i++) {
		const char *type = json_string_value(json_array_get(types, i));

		if (type && strcmp(type, "sliding_attention") == 0)
			++*sliding;
		else if (!type || strcmp(type, "full_attention") != 0)
			return quire_fail(-ENOTSUP,
					  "%s: key 'layer_types': expected 'full_attention' or "
					  "'sliding_attention'",
					  config->path);
	}
	return 0;
}

static int get_window(struct quire_checkpoint *c, const struct quire_config *config)
{
	uint32_t sliding = c->model.layers, window = 4096;
	bool used = false;
	int rc;

	c->window = 0;
	if (family(c, "llama"))
		return 0;
	if (json_is_null(json_object_get(config->root, "sliding_window")))
		return 0;
	if (family(c, "mistral"))
		used = true;
	else if ((rc = quire_config_flag(config, "use_sliding_window", &used)))
		return rc;
	if (!used)
		return 0;
	if ((rc = quire_config_count(config, "sliding_window", WINDOW_MAX, true, &window)) ||
	    (!family(c, "mistral") && (rc = count_sliding(config, c->model.layers, &sliding))))
		return rc;
	if (sliding && sliding < c->model.layers)
		return quire_fail(-ENOTSUP,
				  "%s: key 'sliding_window': %" PRIu32 " of %" PRIu32
				  " layers have a window, which cannot be run: all or none can",
				  config->path, sliding, c->model.layers);
	c->window = sliding ? window : 0;
	return 0;
}

/* ---- tokens -------------------------------------------------------------------- */

static int get_token(const struct quire_checkpoint *c, const struct quire_config *config,
		     const char *key, const json_t *value, uint32_t *token)
{
	const json_int_t id = json_integer_value(value);

	if (!json_is_integer(value) || id < 0 || id >= (json_int_t)c->model.vocab)
		return quire_fail(-EINVAL,
				  "%s: key '%s': expected ids of tokens, from 0 to %" PRIu32,
				  config->path, key, c->model.vocab - 1);
	*token = (uint32_t)id;
	return 0;
}

static int add_end(struct quire_checkpoint *c, const struct quire_config *config,
		   const json_t *value)
{
	uint32_t token = 0;
	int rc = get_token(c, config, "eos_token_id", value, &token);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < c->ends_count; i++) {
		if (c->ends[i] == token)
			return 0;
	}
	if (c->ends_count == QUIRE_ENDS_MAX)
		return quire_fail(-EINVAL, "%s: key 'eos_token_id': more than %d of them",
				  config->path, QUIRE_ENDS_MAX);
	c->ends[c->ends_count++] = token;
	return 0;
}

/* What is missing in a config.json of Llama or Mistral is 1 and 2, as Llama 2 has it. */
static void usual_tokens(struct quire_checkpoint *c, const struct quire_config *config)
{
	if ((!family(c, "llama") && !family(c, "mistral")) || c->model.vocab <= 2)
		return;
	if (!json_object_get(config->root, "bos_token_id"))
		c->begin = 1;
	if (!json_object_get(config->root, "eos_token_id"))
		c->ends[c->ends_count++] = 2;
}

/* What it says is added to what was known before. */
static int get_tokens(struct quire_checkpoint *c, const struct quire_config *config)
{
	const json_t *ends = quire_config_get(config, "eos_token_id");
	const json_t *begin = quire_config_get(config, "bos_token_id");
	int rc = 0;

	if (json_is_array(ends)) {
		for (size_t i = 0; i < json_array_size(ends) && !rc; i++)
			rc = add_end(c, config, json_array_get(ends, i));
	} else if (ends) {
		rc = add_end(c, config, ends);
	}
	if (!rc && begin)
		rc = get_token(c, config, "bos_token_id", begin, &c->begin);
	return rc;
}

/* ---- all of it ----------------------------------------------------------------- */

static int make_layers(struct quire_checkpoint *c)
{
	c->layers = calloc(c->model.layers, sizeof(*c->layers));
	return c->layers ? 0 : quire_fail(-ENOMEM, "model %s: out of memory", c->model.name);
}

static void set_defaults(struct quire_checkpoint *c)
{
	c->norm_eps = 1e-6;
	c->begin = UINT32_MAX;
	c->top_p = c->repetition_penalty = 1;
}

int quire_checkpoint_configure(struct quire_checkpoint *c, const struct quire_config *config)
{
	int rc;

	set_defaults(c);
	if ((rc = quire_config_shape(config, &c->model)))
		return rc;
	quire_config_name(&c->model, config->path);
	if ((rc = check_shape(c, config->path)) || (rc = get_activation(config)) ||
	    (rc = quire_config_real(config, "rms_norm_eps", 0, 1, true, &c->norm_eps)) ||
	    (rc = get_rope(config, &c->rope)) || (rc = get_window(c, config)) ||
	    (rc = get_tokens(c, config)))
		return rc;
	usual_tokens(c, config);
	return make_layers(c);
}

int quire_checkpoint_configure_builtin(struct quire_checkpoint *c, const struct quire_model *model)
{
	int rc;

	set_defaults(c);
	c->model = *model;
	if ((rc = check_shape(c, model->name)))
		return rc;
	c->rope = (struct quire_rope){.theta = model->qkv_bias || model->qk_norm ? 1e6 : 1e4,
				      .factor = 1};
	return make_layers(c);
}

int quire_checkpoint_generation(struct quire_checkpoint *c, const char *path)
{
	struct quire_config config;
	bool sampled = false;
	double temperature = 1;
	int rc;

	if ((rc = quire_config_load(&config, path)))
		return rc;
	if (!(rc = get_tokens(c, &config)) &&
	    !(rc = quire_config_flag(&config, "do_sample", &sampled)) &&
	    !(rc = quire_config_real(&config, "temperature", 0, 100, true, &temperature)) &&
	    !(rc = quire_config_real(&config, "top_p", 0, 1, true, &c->top_p)) &&
	    !(rc = quire_config_count_or_none(&config, "top_k", QUIRE_CONFIG_VOCAB_MAX, &c->top_k)))
		rc = quire_config_real(&config, "repetition_penalty", 1e-3, 1e3, true,
				       &c->repetition_penalty);
	c->temperature = sampled ? temperature : 0;
	quire_config_free(&config);
	return rc;
}
