/*
 * test_checkpoint.c - directories with weights: what config.json says of running a
 * model, every tensor in its place, and what is wrong with others.
 */
#include "core/model/checkpoint.h"
#include "core/model/safetensors.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODELS QUIRE_SOURCE_DIR "/tests/fixtures/models/"

static char folder[] = "/tmp/quire-test-checkpoint-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][320];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static const char *write_file(const char *name, const char *text)
{
	const char *path = in_folder(name);
	FILE *out = fopen(path, "w");

	if (!out || fputs(text, out) < 0 || fclose(out))
		ck_abort_msg("%s cannot be written", path);
	return path;
}

/* The last failure was @rc, and one line says @says. */
static void failed_with(int got, int rc, const char *says)
{
	ck_assert_msg(got == rc, "%d, expected %d: %s", got, rc, quire_failure());
	ck_assert_msg(strstr(quire_failure(), says) != NULL, "says: %s\nexpected: %s",
		      quire_failure(), says);
	ck_assert_ptr_null(strchr(quire_failure(), '\n'));
}

/* ---- a model of the smallest size ---------------------------------------------- */

#define TINY                                                                                       \
	"{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 6, \"vocab_size\": 5,"       \
	" \"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"num_key_value_heads\": 1,"       \
	" \"head_dim\": 4, \"intermediate_size\": 7, \"max_position_embeddings\": 32,"             \
	" \"eos_token_id\": 2, \"tie_word_embeddings\": false}"

struct stored {
	const char *name, *type;
	int rows, columns; /* rows 0: a vector */
};

/* Llama's, of the one layer. */
static const struct stored llama[] = {
	{"model.embed_tokens.weight", "BF16", 5, 6},
	{"model.layers.0.input_layernorm.weight", "BF16", 0, 6},
	{"model.layers.0.self_attn.q_proj.weight", "BF16", 8, 6},
	{"model.layers.0.self_attn.k_proj.weight", "BF16", 4, 6},
	{"model.layers.0.self_attn.v_proj.weight", "F32", 4, 6},
	{"model.layers.0.self_attn.o_proj.weight", "BF16", 6, 8},
	{"model.layers.0.post_attention_layernorm.weight", "F16", 0, 6},
	{"model.layers.0.mlp.gate_proj.weight", "BF16", 7, 6},
	{"model.layers.0.mlp.up_proj.weight", "BF16", 7, 6},
	{"model.layers.0.mlp.down_proj.weight", "BF16", 6, 7},
	{"model.norm.weight", "BF16", 0, 6},
	{"lm_head.weight", "BF16", 5, 6},
};
#define LLAMA_COUNT (sizeof(llama) / sizeof(llama[0]))

/* Write model.safetensors; all bytes are those of @fill. */
static void write_tensors(const struct stored *list, size_t count, int fill)
{
	char header[8192] = "{", *to = header + 1;
	size_t data = 0, length;
	FILE *out = fopen(in_folder("model.safetensors"), "w");

	for (size_t i = 0; i < count; i++) {
		const struct stored *s = &list[i];
		const size_t begin = data;

		data += (size_t)((s->rows ? s->rows : 1) * s->columns) *
			(strcmp(s->type, "F32") == 0	   ? 4
			 : strcmp(s->type, "F8_E4M3") == 0 ? 1
							   : 2);
		to += sprintf(to, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "", s->name,
			      s->type);
		if (s->rows)
			to += sprintf(to, "%d,", s->rows);
		to += sprintf(to, "%d],\"data_offsets\":[%zu,%zu]}", s->columns, begin, data);
	}
	length = (size_t)sprintf(to, "}") + (size_t)(to - header);
	ck_assert_ptr_nonnull(out);
	for (int i = 0; i < 8; i++)
		putc((int)(length >> 8 * i & 0xff), out);
	fputs(header, out);
	for (size_t i = 0; i < data; i++)
		putc(fill, out);
	ck_assert_int_eq(fclose(out), 0);
}

static void write_tiny(void)
{
	write_file("config.json", TINY);
	write_tensors(llama, LLAMA_COUNT, 1);
	unlink(in_folder("generation_config.json"));
}

static struct quire_checkpoint opened(const char *path)
{
	struct quire_checkpoint c;

	if (quire_checkpoint_open(&c, path))
		ck_abort_msg("%s", quire_failure());
	return c;
}

static void refused(int rc, const char *says)
{
	struct quire_checkpoint c;

	failed_with(quire_checkpoint_open(&c, folder), rc, says);
	ck_assert(!c.path && !c.layers && !c.tensors); /* nothing to close; */
	quire_checkpoint_close(&c);		       /* and it may be */
}

/* @w is the tensor called @name, as stored. */
static void is(const struct quire_checkpoint *c, const struct quire_weight *w, const char *name,
	       enum quire_weight_type type, uint32_t rows, uint32_t columns)
{
	const struct quire_tensor *tensor = quire_tensors_find(c->tensors, name);

	ck_assert_msg(tensor != NULL, "no %s", name);
	ck_assert_msg(w->data == tensor->data && w->type == type && w->rows == rows &&
			      w->columns == columns,
		      "%s: %u x %u %s", name, w->rows, w->columns, quire_weight_type_name(w->type));
}

START_TEST(every_weight_is_its_tensor)
{
	struct quire_checkpoint c;
	const struct quire_layer_weights *l;

	write_tiny();
	c = opened(folder);
	l = c.layers;
	ck_assert_str_eq(c.path, folder);
	ck_assert_str_eq(c.model.name, strrchr(folder, '/') + 1);
	is(&c, &c.embedding, "model.embed_tokens.weight", QUIRE_BF16, 5, 6);
	is(&c, &l->attention_norm, "model.layers.0.input_layernorm.weight", QUIRE_BF16, 1, 6);
	is(&c, &l->q, "model.layers.0.self_attn.q_proj.weight", QUIRE_BF16, 8, 6);
	is(&c, &l->k, "model.layers.0.self_attn.k_proj.weight", QUIRE_BF16, 4, 6);
	is(&c, &l->v, "model.layers.0.self_attn.v_proj.weight", QUIRE_FP32, 4, 6);
	is(&c, &l->output, "model.layers.0.self_attn.o_proj.weight", QUIRE_BF16, 6, 8);
	is(&c, &l->mlp_norm, "model.layers.0.post_attention_layernorm.weight", QUIRE_FP16, 1, 6);
	is(&c, &l->gate, "model.layers.0.mlp.gate_proj.weight", QUIRE_BF16, 7, 6);
	is(&c, &l->up, "model.layers.0.mlp.up_proj.weight", QUIRE_BF16, 7, 6);
	is(&c, &l->down, "model.layers.0.mlp.down_proj.weight", QUIRE_BF16, 6, 7);
	is(&c, &c.norm, "model.norm.weight", QUIRE_BF16, 1, 6);
	is(&c, &c.head, "lm_head.weight", QUIRE_BF16, 5, 6);
	ck_assert(!l->q_bias.data && !l->k_bias.data && !l->v_bias.data && !l->q_norm.data &&
		  !l->k_norm.data);
	ck_assert_int_eq(c.type, QUIRE_BF16);
	ck_assert_uint_eq(c.weight_bytes, c.tensors->bytes);
	quire_checkpoint_close(&c);
}
END_TEST

START_TEST(fixtures_of_every_family)
{
	static const struct {
		const char *name, *family;
		enum quire_weight_type type;
		double eps, theta, factor;
		enum quire_rope_scaling scaling;
		uint32_t window, end, ends, files;
		bool tied;
	} known[] = {
		{"llama-mha", "llama", QUIRE_FP16, 1e-6, 1e4, 1, QUIRE_ROPE_PLAIN, 0, 2, 1, 1,
		 true},
		{"llama-gqa", "llama", QUIRE_BF16, 1e-5, 1e4, 1, QUIRE_ROPE_PLAIN, 0, 2, 1, 1,
		 false},
		{"llama-mqa", "llama", QUIRE_FP32, 1e-6, 1e4, 4, QUIRE_ROPE_LINEAR, 0, 2, 1, 1,
		 false},
		{"llama-3.1", "llama", QUIRE_BF16, 1e-6, 5e5, 8, QUIRE_ROPE_LLAMA3, 0, 125, 3, 2,
		 false},
		{"mistral", "mistral", QUIRE_BF16, 1e-6, 1e4, 1, QUIRE_ROPE_PLAIN, 8, 2, 1, 1,
		 false},
		{"qwen2", "qwen2", QUIRE_BF16, 1e-6, 1e6, 1, QUIRE_ROPE_PLAIN, 0, 2, 1, 1, true},
		{"qwen3", "qwen3", QUIRE_BF16, 1e-6, 1e6, 1, QUIRE_ROPE_PLAIN, 0, 2, 1, 1, false},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const bool qwen2 = !strcmp(known[i].name, "qwen2");
		const bool qwen3 = !strcmp(known[i].name, "qwen3");
		struct quire_checkpoint c;
		char path[512];

		snprintf(path, sizeof(path), MODELS "%s", known[i].name);
		c = opened(path);
		ck_assert_str_eq(c.model.name, known[i].name);
		ck_assert_str_eq(c.model.family, known[i].family);
		ck_assert_int_eq(c.type, known[i].type);
		ck_assert_double_eq(c.norm_eps, known[i].eps);
		ck_assert_double_eq(c.rope.theta, known[i].theta);
		ck_assert_double_eq(c.rope.factor, known[i].factor);
		ck_assert_int_eq(c.rope.scaling, known[i].scaling);
		ck_assert_uint_eq(c.window, known[i].window);
		ck_assert_uint_eq(c.ends_count, known[i].ends);
		ck_assert_uint_eq(c.ends[0], known[i].end);
		ck_assert_uint_eq(c.begin, 1);
		ck_assert_double_eq(c.temperature, 0);
		ck_assert_uint_eq(c.tensors->files_count, known[i].files);
		ck_assert_uint_eq(
			c.weight_bytes,
			quire_model_weight_bytes(&c.model, 8 * quire_weight_type_bytes(c.type)));
		ck_assert((c.head.data == c.embedding.data) == known[i].tied);
		for (uint32_t l = 0; l < c.model.layers; l++) {
			const struct quire_layer_weights *w = &c.layers[l];

			ck_assert(w->down.data && w->down.columns == c.model.intermediate);
			ck_assert((w->q_bias.data && w->k_bias.data && w->v_bias.data) == qwen2);
			ck_assert((w->q_norm.data && w->k_norm.data) == qwen3);
		}
		if (qwen2)
			is(&c, &c.layers[1].v_bias, "model.layers.1.self_attn.v_proj.bias",
			   QUIRE_BF16, 1, 128);
		if (qwen3)
			is(&c, &c.layers[1].k_norm, "model.layers.1.self_attn.k_norm.weight",
			   QUIRE_BF16, 1, 128);
		quire_checkpoint_close(&c);
	}
}
END_TEST

/* ---- tensors that are there and should not be, and the other way round --------- */

START_TEST(names_without_prefix)
{
	struct stored list[LLAMA_COUNT];
	struct quire_checkpoint c;

	write_tiny();
	memcpy(list, llama, sizeof(list));
	for (size_t i = 0; i < LLAMA_COUNT - 1; i++)
		list[i].name += strlen("model.");
	write_tensors(list, LLAMA_COUNT, 1);
	c = opened(folder);
	is(&c, &c.layers[0].k, "layers.0.self_attn.k_proj.weight", QUIRE_BF16, 4, 6);
	quire_checkpoint_close(&c);
	list[3].name = llama[3].name;
	write_tensors(list, LLAMA_COUNT, 1);
	refused(-EINVAL, "tensor 'layers.0.self_attn.k_proj.weight' is missing");
}
END_TEST

START_TEST(every_tensor_must_be_there)
{
	write_tiny();
	for (size_t i = 0; i < LLAMA_COUNT; i++) {
		struct stored list[LLAMA_COUNT];
		char says[128];

		memcpy(list, llama, sizeof(list));
		list[i] = list[LLAMA_COUNT - 1];
		write_tensors(list, LLAMA_COUNT - 1, 1);
		snprintf(says, sizeof(says), "%s: tensor '%s' is missing", folder, llama[i].name);
		refused(-EINVAL, says);
		memcpy(list, llama, sizeof(list));
		list[i].columns++;
		write_tensors(list, LLAMA_COUNT, 1);
		snprintf(says, sizeof(says), "tensor '%s' has the shape ", llama[i].name);
		refused(-EINVAL, says);
		list[i].columns--;
		list[i].type = "F8_E4M3";
		write_tensors(list, LLAMA_COUNT, 1);
		snprintf(says, sizeof(says), "tensor '%s' is of type F8_E4M3", llama[i].name);
		refused(-ENOTSUP, says);
	}
}
END_TEST

START_TEST(shapes_are_told)
{
	struct stored list[LLAMA_COUNT];

	write_tiny();
	memcpy(list, llama, sizeof(list));
	list[2].rows = 6;
	list[2].columns = 8;
	write_tensors(list, LLAMA_COUNT, 1);
	refused(-EINVAL, "'model.layers.0.self_attn.q_proj.weight' has the shape 6 x 8; by "
			 "config.json it is 8 x 6");
	memcpy(list, llama, sizeof(list));
	list[1].rows = 1;
	write_tensors(list, LLAMA_COUNT, 1);
	refused(-EINVAL, "has the shape 1 x 6; by config.json it is 6");
	memcpy(list, llama, sizeof(list));
	list[0].rows = 0;
	write_tensors(list, LLAMA_COUNT, 1);
	refused(-EINVAL, "has the shape 6; by config.json it is 5 x 6");
}
END_TEST

START_TEST(others_must_not)
{
	static const struct stored extra[] = {
		{"model.layers.1.input_layernorm.weight", "BF16", 0, 6},
		{"model.layers.0.self_attn.q_proj.bias", "BF16", 0, 8},
		{"model.layers.0.self_attn.q_norm.weight", "BF16", 0, 4},
		{"model.layers.0.self_attn.rotary_emb.inv_freqs", "F32", 0, 2},
		{"model.layers.0.self_attn.xrotary_emb.inv_freq", "F32", 0, 2},
		{"embed_positions.weight", "BF16", 2, 6},
	};
	static const struct stored derived[] = {
		{"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", 0, 2},
		{"rotary_emb.cos_cached", "F32", 2, 2},
	};
	struct stored list[LLAMA_COUNT + 1];
	struct quire_checkpoint c;

	write_tiny();
	memcpy(list, llama, sizeof(llama));
	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
		char says[128];

		list[LLAMA_COUNT] = extra[i];
		write_tensors(list, LLAMA_COUNT + 1, 1);
		snprintf(says, sizeof(says), "tensor '%s' is none that a model", extra[i].name);
		refused(-EINVAL, says);
	}
	for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++) {
		list[LLAMA_COUNT] = derived[i];
		write_tensors(list, LLAMA_COUNT + 1, 1);
		c = opened(folder);
		ck_assert_uint_lt(c.weight_bytes, c.tensors->bytes);
		quire_checkpoint_close(&c);
	}
}
END_TEST

/* ---- config.json --------------------------------------------------------------- */

/* TINY with @from replaced by @to. */
static const char *write_edited(const char *from, const char *to)
{
	const char *at = strstr(TINY, from);
	char text[2048];

	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - TINY), TINY, to, at + strlen(from));
	return write_file("config.json", text);
}

START_TEST(tied_head)
{
	struct quire_checkpoint c;
	FILE *file;

	write_tiny();
	write_edited("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true");
	c = opened(folder); /* stored, and all bytes are equal */
	ck_assert_ptr_eq(c.head.data, c.embedding.data);
	ck_assert_uint_eq(c.weight_bytes, c.tensors->bytes - 5 * 6 * 2);
	quire_checkpoint_close(&c);
	write_tensors(llama, LLAMA_COUNT - 1, 1);
	c = opened(folder); /* not stored */
	ck_assert_ptr_eq(c.head.data, c.embedding.data);
	ck_assert(c.head.rows == 5 && c.head.columns == 6 && c.head.type == QUIRE_BF16);
	ck_assert_uint_eq(c.weight_bytes, c.tensors->bytes);
	quire_checkpoint_close(&c);
	write_tensors(llama, LLAMA_COUNT, 1);
	file = fopen(in_folder("model.safetensors"), "r+");
	ck_assert_ptr_nonnull(file);
	fseek(file, -1, SEEK_END); /* of the head */
	putc(2, file);
	fclose(file);
	refused(-EINVAL, "tensor 'lm_head.weight' is not the embedding");
	write_tensors(llama, 0, 1);
	refused(-EINVAL, "tensor 'model.embed_tokens.weight' is missing");
}
END_TEST

#define AFTER(key_) "\"vocab_size\": 5", "\"vocab_size\": 5, " key_
#define LLAMA3(low_, high_, original_)                                                             \
	"{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": " low_                    \
	", \"high_freq_factor\": " high_ ", \"original_max_position_embeddings\": " original_ "}"
/* Other keys may stand behind it. */
#define FAMILY(name_) "[\"LlamaForCausalLM\"]", "[\"" name_ "ForCausalLM\"]"

static const struct {
	const char *from, *to;
	int rc;
	const char *says;
} broken[] = {
	{FAMILY("Mixtral") ", \"num_local_experts\": 8, \"num_experts_per_tok\": 2", -ENOTSUP,
	 "models of the family 'mixtral' cannot be run; Llama, Mistral, Qwen2 and Qwen3 can"},
	{FAMILY("OPT") ", \"ffn_dim\": 7", -ENOTSUP, "models of the family 'opt' cannot be run"},
	{AFTER("\"attention_bias\": true"), -ENOTSUP, "'attention_bias': biases cannot be run"},
	{AFTER("\"mlp_bias\": true"), -ENOTSUP, "'mlp_bias': biases cannot be run"},
	{"\"head_dim\": 4", "\"head_dim\": 3", -EINVAL, "'head_dim' is 3"},
	{AFTER("\"hidden_act\": \"gelu\""), -ENOTSUP, "'hidden_act' is not 'silu'"},
	{AFTER("\"hidden_act\": 1"), -ENOTSUP, "'hidden_act' is not 'silu'"},
	{AFTER("\"quantization_config\": {}"), -ENOTSUP, "'quantization_config'"},
	{AFTER("\"rms_norm_eps\": -1"), -EINVAL, "'rms_norm_eps' is -1, expected 0 to 1"},
	{AFTER("\"rms_norm_eps\": \"1e-6\""), -EINVAL, "'rms_norm_eps' must be a number"},
	{AFTER("\"rope_theta\": 0"), -EINVAL, "'rope_theta' is 0"},
	{AFTER("\"rope_theta\": true"), -EINVAL, "'rope_theta' must be a number"},
	{AFTER("\"rope_scaling\": 2"), -EINVAL, "'rope_scaling' must be an object"},
	{AFTER("\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4}"), -ENOTSUP,
	 "'rope_scaling.rope_type' is 'yarn', which cannot be run"},
	{AFTER("\"rope_scaling\": {\"rope_type\": \"dynamic\", \"factor\": 4}"), -ENOTSUP,
	 "'rope_scaling.rope_type' is 'dynamic'"},
	{AFTER("\"rope_parameters\": {\"rope_type\": \"longrope\"}"), -ENOTSUP,
	 "'rope_parameters.rope_type' is 'longrope'"},
	{AFTER("\"rope_scaling\": {\"rope_type\": 3}"), -EINVAL,
	 "'rope_scaling.rope_type' must be a name"},
	{AFTER("\"rope_scaling\": {\"rope_type\": \"linear\"}"), -EINVAL,
	 "'rope_scaling.factor' is missing"},
	{AFTER("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0}"), -EINVAL,
	 "'rope_scaling.factor' is 0"},
	{AFTER("\"rope_scaling\": " LLAMA3("4", "4", "64")), -EINVAL,
	 "'rope_scaling.high_freq_factor' is 4, expected more than 'low_freq_factor' (4)"},
	{AFTER("\"rope_scaling\": " LLAMA3("null", "4", "64")), -EINVAL,
	 "'rope_scaling.low_freq_factor' is missing"},
	{AFTER("\"rope_scaling\": " LLAMA3("1", "4", "null")), -EINVAL,
	 "'rope_scaling.original_max_position_embeddings' is missing"},
	{AFTER("\"rope_parameters\": {\"rope_theta\": []}"), -EINVAL,
	 "'rope_parameters.rope_theta' must be a number"},
	{AFTER("\"partial_rotary_factor\": 0.5"), -ENOTSUP, "'partial_rotary_factor' is 0.5"},
	{FAMILY("Mistral") ", \"sliding_window\": 0", -EINVAL, "'sliding_window' is 0"},
	{FAMILY("Mistral") ", \"sliding_window\": \"8\"", -EINVAL, "'sliding_window' must be"},
	{FAMILY("Qwen2") ", \"use_sliding_window\": 1", -EINVAL, "'use_sliding_window' must be"},
	{FAMILY("Qwen2") ", \"use_sliding_window\": true, \"max_window_layers\": -1", -EINVAL,
	 "'max_window_layers' is -1"},
	{FAMILY("Qwen3") ", \"use_sliding_window\": true, \"layer_types\": []", -EINVAL,
	 "'layer_types' must be a list of 1 names"},
	{FAMILY("Qwen3") ", \"use_sliding_window\": true, \"layer_types\": [\"linear\"]", -ENOTSUP,
	 "'layer_types': expected 'full_attention' or"},
	{"\"eos_token_id\": 2", "\"eos_token_id\": 5", -EINVAL,
	 "'eos_token_id': expected ids of tokens, from 0 to 4"},
	{"\"eos_token_id\": 2", "\"eos_token_id\": -1", -EINVAL, "'eos_token_id'"},
	{"\"eos_token_id\": 2", "\"eos_token_id\": [1, \"2\"]", -EINVAL, "'eos_token_id'"},
	{"\"eos_token_id\": 2", "\"eos_token_id\": {}", -EINVAL, "'eos_token_id'"},
	{AFTER("\"bos_token_id\": 5"), -EINVAL, "'bos_token_id'"},
	{AFTER("\"bos_token_id\": [1]"), -EINVAL, "'bos_token_id'"},
	{"\"hidden_size\": 6,", "", -EINVAL, "'hidden_size' is missing"},
};

START_TEST(broken_configs)
{
	write_tiny();
	write_edited(broken[_i].from, broken[_i].to);
	refused(broken[_i].rc, broken[_i].says);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "config.json"));
}
END_TEST

/* What a config says without its weights. */
static struct quire_checkpoint said(const char *from, const char *to)
{
	struct quire_checkpoint c;

	if (quire_checkpoint_random(&c, write_edited(from, to), QUIRE_BF16, 0, false))
		ck_abort_msg("%s", quire_failure());
	return c;
}

static void theta_is(const char *keys, double theta)
{
	char to[512];
	struct quire_checkpoint c;

	snprintf(to, sizeof(to), "\"vocab_size\": 5, %s", keys);
	c = said("\"vocab_size\": 5", to);
	ck_assert_double_eq(c.rope.theta, theta);
	quire_checkpoint_close(&c);
}

START_TEST(rope_of_both_layouts)
{
	struct quire_checkpoint c = said(AFTER("\"rope_scaling\": " LLAMA3("1", "4", "64")));

	ck_assert(c.rope.scaling == QUIRE_ROPE_LLAMA3 && c.rope.theta == 10000 &&
		  c.rope.factor == 8 && c.rope.low_factor == 1 && c.rope.high_factor == 4 &&
		  c.rope.original == 64);
	quire_checkpoint_close(&c);
	c = said(AFTER("\"rope_theta\": 7, \"rope_parameters\": {\"rope_theta\": 3, "
		       "\"rope_type\": \"linear\", \"factor\": 2.5}, \"rope_scaling\": 0"));
	ck_assert(c.rope.scaling == QUIRE_ROPE_LINEAR && c.rope.theta == 3 && c.rope.factor == 2.5);
	quire_checkpoint_close(&c);
	theta_is("\"rope_theta\": null", 10000);
	theta_is("\"rope_theta\": 1e6, \"rope_scaling\": null", 1e6);
	theta_is("\"rope_theta\": 5, \"rope_parameters\": {\"rope_type\": \"default\"}", 5);
	theta_is("\"rope_theta\": 5, \"rope_parameters\": {}", 5);
	theta_is("\"rope_parameters\": {\"rope_theta\": 500000, \"partial_rotary_factor\": 1.0}",
		 5e5);
}
END_TEST

START_TEST(windows)
{
	static const struct {
		const char *family, *keys;
		uint32_t window;
	} known[] = {
		{"Llama", "\"sliding_window\": 8", 0},
		{"Mistral", "\"x\": 0", 4096}, /* as transformers has it */
		{"Mistral", "\"sliding_window\": null", 0},
		{"Mistral", "\"sliding_window\": 8", 8},
		{"Qwen2", "\"sliding_window\": 8", 0},
		{"Qwen2",
		 "\"sliding_window\": 8, \"use_sliding_window\": false, "
		 "\"max_window_layers\": 0",
		 0},
		{"Qwen2", "\"sliding_window\": 8, \"use_sliding_window\": false", 0},
		{"Qwen2", "\"sliding_window\": 8, \"use_sliding_window\": true", 0},
		{"Qwen2",
		 "\"sliding_window\": 8, \"use_sliding_window\": true, "
		 "\"max_window_layers\": 1",
		 0},
		{"Qwen2",
		 "\"sliding_window\": 8, \"use_sliding_window\": true, "
		 "\"max_window_layers\": 0",
		 8},
		{"Qwen3",
		 "\"sliding_window\": 9, \"use_sliding_window\": true, "
		 "\"layer_types\": [\"sliding_attention\"]",
		 9},
		{"Qwen3",
		 "\"sliding_window\": 9, \"use_sliding_window\": true, "
		 "\"max_window_layers\": 0, \"layer_types\": [\"full_attention\"]",
		 0},
		{"Qwen3",
		 "\"sliding_window\": null, \"use_sliding_window\": true, "
		 "\"max_window_layers\": 0",
		 0},
	};
	struct quire_checkpoint c;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char to[512];

		snprintf(to, sizeof(to), "[\"%sForCausalLM\"], %s", known[i].family, known[i].keys);
		c = said("[\"LlamaForCausalLM\"]", to);
		ck_assert_msg(c.window == known[i].window, "%s %s: %u", known[i].family,
			      known[i].keys, c.window);
		quire_checkpoint_close(&c);
	}
	write_file(
		"config.json",
		"{\"architectures\": [\"Qwen2ForCausalLM\"], \"hidden_size\": 4,"
		"\"vocab_size\": 5, \"num_hidden_layers\": 3, \"num_attention_heads\": 2,"
		"\"intermediate_size\": 7, \"max_position_embeddings\": 32,"
		"\"use_sliding_window\": true, \"sliding_window\": 4, \"max_window_layers\": 1}");
	failed_with(quire_checkpoint_random(&c, folder, QUIRE_BF16, 0, false), -ENOTSUP,
		    "2 of 3 layers have a window, which cannot be run: all or none can");
}
END_TEST

START_TEST(tokens_that_begin_and_end)
{
	struct quire_checkpoint c = said("\"eos_token_id\": 2", "\"eos_token_id\": [4, 0, 4, 3]");

	ck_assert(c.ends_count == 3 && c.ends[0] == 4 && c.ends[1] == 0 && c.ends[2] == 3);
	ck_assert_uint_eq(c.begin, 1); /* of transformers' LlamaConfig */
	quire_checkpoint_close(&c);
	c = said("\"eos_token_id\": 2", "\"eos_token_id\": null, \"bos_token_id\": null");
	ck_assert(c.ends_count == 0 && c.begin == UINT32_MAX);
	quire_checkpoint_close(&c);
	c = said("\"eos_token_id\": 2", "\"bos_token_id\": 0");
	ck_assert(c.ends_count == 1 && c.ends[0] == 2 && c.begin == 0);
	quire_checkpoint_close(&c);
	c = said(FAMILY("Qwen2"));
	ck_assert(c.ends_count == 1 && c.begin == UINT32_MAX);
	quire_checkpoint_close(&c);
}
END_TEST

START_TEST(generation_config)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{"", "generation_config.json:1"},
		{"[]", "generation_config.json: expected a JSON object"},
		{"{\"do_sample\": 1}", "'do_sample' must be"},
		{"{\"temperature\": -1}", "'temperature' is -1"},
		{"{\"temperature\": 1e9}", "'temperature' is 1e+09"},
		{"{\"top_p\": 1.5}", "'top_p' is 1.5"},
		{"{\"top_k\": -2}", "'top_k' is -2"},
		{"{\"repetition_penalty\": 0}", "'repetition_penalty' is 0"},
		{"{\"eos_token_id\": 5}", "'eos_token_id'"},
		{"{\"eos_token_id\": 2, \"eos_token_id\": 2}", "generation_config.json:1"},
	};
	struct quire_checkpoint c;

	write_tiny();
	c = opened(folder);
	ck_assert(c.temperature == 0 && c.top_p == 1 && c.top_k == 0 && c.repetition_penalty == 1);
	quire_checkpoint_close(&c);
	write_file("generation_config.json",
		   "{\"do_sample\": true, \"temperature\": 0.6, \"top_p\": 0.9, \"top_k\": 20,"
		   " \"repetition_penalty\": 1.05, \"eos_token_id\": [3, 2], \"bos_token_id\": 0}");
	c = opened(folder);
	ck_assert(c.temperature == 0.6 && c.top_p == 0.9 && c.top_k == 20 &&
		  c.repetition_penalty == 1.05 && c.begin == 0);
	ck_assert(c.ends_count == 2 && c.ends[0] == 2 && c.ends[1] == 3);
	quire_checkpoint_close(&c);
	write_file("generation_config.json", "{\"do_sample\": true, \"top_k\": 0}");
	c = opened(folder);
	ck_assert(c.temperature == 1 && c.top_k == 0);
	quire_checkpoint_close(&c);
	write_file("generation_config.json", "{\"temperature\": 0.6}");
	c = opened(folder);
	ck_assert_double_eq(c.temperature, 0);
	quire_checkpoint_close(&c);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_file("generation_config.json", wrong[i].text);
		refused(-EINVAL, wrong[i].says);
	}
	write_file("generation_config.json",
		   "{\"eos_token_id\": [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}");
	refused(-EINVAL, "'eos_token_id'");
}
END_TEST

START_TEST(broken_directories)
{
	struct quire_checkpoint c;
	char *long_text = malloc((5 << 20) + 1);

	write_tiny();
	unlink(in_folder("config.json"));
	refused(-ENOENT, "config.json: No such file");
	memset(long_text, ' ', 5 << 20);
	long_text[5 << 20] = 0;
	write_file("config.json", long_text);
	free(long_text);
	refused(-EINVAL, "config.json: more than 4 MiB");
	write_file("config.json", TINY);
	unlink(in_folder("model.safetensors"));
	refused(-ENOENT, "no weights: expected model.safetensors");
	failed_with(quire_checkpoint_open(&c, in_folder("config.json")), -ENOTDIR,
		    "expected a directory");
	failed_with(quire_checkpoint_open(&c, in_folder("nowhere")), -ENOENT, "nowhere");
}
END_TEST

static void make_folder(void)
{
	if (!mkdtemp(folder))
		exit(EXIT_FAILURE);
}

static void remove_folder(void)
{
	static const char *const names[] = {"config.json", "generation_config.json",
					    "model.safetensors"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	rmdir(folder);
}

int main(void)
{
	Suite *suite = suite_create("checkpoint");
	TCase *c = tcase_create("checkpoint");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(c, every_weight_is_its_tensor);
	tcase_add_test(c, fixtures_of_every_family);
	tcase_add_test(c, names_without_prefix);
	tcase_add_test(c, every_tensor_must_be_there);
	tcase_add_test(c, shapes_are_told);
	tcase_add_test(c, others_must_not);
	tcase_add_test(c, tied_head);
	tcase_add_loop_test(c, broken_configs, 0, (int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_test(c, rope_of_both_layouts);
	tcase_add_test(c, windows);
	tcase_add_test(c, tokens_that_begin_and_end);
	tcase_add_test(c, generation_config);
	tcase_add_test(c, broken_directories);
	suite_add_tcase(suite, c);
	make_folder();
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_folder();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
