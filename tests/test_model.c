/*
 * test_model.c - sizes and counts of models against what their publishers say,
 * config.json files good and bad, and the arithmetic of the course notes.
 */
#include "core/model/model.h"
#include "core/sim/estimate.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/quire-test-model-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *write_file(const char *name, const char *text)
{
	const char *path = in_folder(name);
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
	return path;
}

/* Equal but for rounding. */
static void near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-9 * fabs(b)))
		ck_abort_msg("%.17g is not %.17g", a, b);
}

static struct quire_model named(const char *name)
{
	struct quire_model m;

	ck_assert_msg(quire_model_find(&m, name) == 0, "%s", quire_failure());
	return m;
}

/* Totals as the model cards and the safetensors indexes have them. */
START_TEST(parameters_are_the_published_ones)
{
	static const struct {
		const char *name;
		uint64_t total;
	} published[] = {
		{"LLaMA-13B", 13015864320},    {"Llama-2-7B", 6738415616},
		{"Llama-2-13B", 13015864320},  {"Llama-2-70B", 68976648192},
		{"Llama-3-8B", 8030261248},    {"Llama-3-70B", 70553706496},
		{"Llama-3.1-8B", 8030261248},  {"Llama-3.1-70B", 70553706496},
		{"Yi-34B", 34388917248},       {"Mistral-7B", 7241732096},
		{"Qwen2.5-0.5B", 494032768},   {"Qwen2.5-1.5B", 1543714304},
		{"Qwen2.5-3B", 3085938688},    {"Qwen2.5-7B", 7615616512},
		{"Qwen2.5-14B", 14770033664},  {"Qwen2.5-32B", 32763876352},
		{"Qwen2.5-72B", 72706203648},  {"Qwen3-0.6B", 596049920},
		{"Qwen3-8B", 8190735360},      {"Qwen3-14B", 14768307200},
		{"Qwen3-32B", 32762123264},    {"OPT-13B", 12853473280},
		{"OPT-66B", 65719701504},      {"OPT-175B", 174604468224},
		{"Mixtral-8x7B", 46702792704}, {"Qwen3-30B-A3B", 30532122624},
		{"DeepSeek-V3", 671026419200}, {"DeepSeek-R1", 671026419200},
	};
	const size_t count = sizeof(published) / sizeof(published[0]);

	for (size_t i = 0; i < count; i++) {
		const struct quire_model m = named(published[i].name);
		struct quire_params p;

		quire_model_params(&m, &p);
		ck_assert_msg(p.total == published[i].total, "%s has %llu, published %llu", m.name,
			      (unsigned long long)p.total, (unsigned long long)published[i].total);
		ck_assert(p.total == p.embedding + p.attention + p.mlp + p.norms + p.head);
	}
	ck_assert_ptr_nonnull(quire_model_builtin(count - 1));
	ck_assert_ptr_null(quire_model_builtin(count)); /* every one is checked */
}
END_TEST

START_TEST(kv_bytes_are_those_of_p1)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} known[] = {
		{"OPT-13B", 819200},	{"LLaMA-13B", 819200},	 {"OPT-66B", 2359296},
		{"OPT-175B", 4718592},	{"Llama-2-70B", 327680}, {"Llama-3-70B", 327680},
		{"Qwen2.5-7B", 57344},	{"Qwen2.5-0.5B", 12288}, {"DeepSeek-V3", 70272},
		{"DeepSeek-R1", 70272},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct quire_model m = named(known[i].name);

		ck_assert_uint_eq(quire_model_kv_bytes(&m, 16), known[i].bytes);
		ck_assert_uint_eq(quire_model_kv_bytes(&m, 8), known[i].bytes / 2);
		ck_assert_uint_eq(quire_model_kv_bytes(&m, 4), known[i].bytes / 4);
	}
}
END_TEST

/* "37 B active", "3.3 B activated", "12.9 B parameters a token" say their cards. */
START_TEST(experts)
{
	const struct quire_model mixtral = named("mixtral-8x7b"), r1 = named("DeepSeek-R1");
	const struct quire_model a3b = named("qwen3-30b-a3b"), dense = named("llama-3-8b");
	struct quire_params p;

	quire_model_params(&mixtral, &p);
	ck_assert_uint_eq(p.active, 12879925248);
	quire_model_params(&a3b, &p);
	ck_assert_uint_eq(p.active, 3353032704);
	quire_model_params(&r1, &p);
	ck_assert_uint_gt(p.active, 37000000000);
	ck_assert_uint_lt(p.active, 38000000000);
	quire_model_params(&dense, &p);
	ck_assert_uint_eq(p.active, p.total);

	ck_assert_double_eq(quire_model_experts_met(&dense, 5), 0);
	ck_assert_double_eq(quire_model_experts_met(&mixtral, 1), 2);
	near(quire_model_experts_met(&mixtral, 2), 8 * (1 - 0.75 * 0.75));
	near(quire_model_experts_met(&a3b, 100), 128 * (1 - pow(1 - 8 / 128.0, 100)));
	ck_assert_double_le(quire_model_experts_met(&r1, 1u << 20), 256);
}
END_TEST

/* The notes' example: Qwen2.5-32B, 1,024 in and out, batch 1, on an H20. */
START_TEST(arithmetic_of_the_notes)
{
	struct quire_estimate_config c = {
		.cost = {.tp = 1, .weight_bits = 16, .kv_bits = 16, .step_tokens_max = 2048},
		.utilization = 0.9,
		.prompt_tokens = 1024,
		.output_tokens = 1024,
	};
	struct quire_estimate e;
	struct quire_params p;

	c.model = named("qwen2.5-32b");
	ck_assert_int_eq(quire_gpu_find(&c.gpu, "h20"), 0);
	quire_model_params(&c.model, &p);
	ck_assert_uint_eq(p.notes, 31984189440);
	ck_assert_int_eq(quire_estimate(&e, &c, 1), 0);

	ck_assert_double_eq_tol(e.notes.prefill_flops, 65.28e12, 0.005e12);
	ck_assert_double_eq_tol(e.notes.prefill_s, 0.441, 0.0005);
	ck_assert_double_eq_tol(e.notes.decode_flops, 64.4e9, 0.05e9);
	ck_assert_double_eq_tol(1 / e.notes.decode_s, 2297, 0.5);
	ck_assert_double_eq_tol(e.quick.prefill_flops, 65.5e12, 0.05e12);
	ck_assert_double_eq_tol(e.quick.decode_flops, 64.0e9, 0.05e9);
	ck_assert_double_eq_tol(1 / e.quick.decode_s, 2314, 0.5);

	/* what the notes leave out: weights and KV over 4.0 TB/s */
	ck_assert(e.decode.bytes_ns > 30 * e.decode.flops_ns);
	ck_assert_double_eq_tol(e.decode.bytes_ns / 1023, 16.1e6, 0.05e6);
	ck_assert(e.prefill.flops_ns > e.prefill.bytes_ns);
	ck_assert(e.fits);
	ck_assert_double_eq_tol(e.exact.prefill_flops, e.prefill.flops, 1);
	near(e.exact.decode_flops, e.decode.flops / 1023);
}
END_TEST

START_TEST(batch_max_is_the_last_that_fits)
{
	struct quire_estimate_config c = {
		.cost = {.tp = 1, .weight_bits = 16, .kv_bits = 16, .step_tokens_max = 2048},
		.utilization = 0.9,
		.prompt_tokens = 100,
		.output_tokens = 30,
	};
	struct quire_estimate e;
	uint32_t most;

	c.model = named("llama-3-8b");
	ck_assert_int_eq(quire_gpu_find(&c.gpu, "rtx-4090"), 0);
	most = quire_estimate_batch_max(&c);
	ck_assert_uint_gt(most, 1);
	ck_assert_int_eq(quire_estimate(&e, &c, most), 0);
	ck_assert(e.fits);
	ck_assert_int_eq(quire_estimate(&e, &c, most + 1), 0);
	ck_assert(!e.fits);
	ck_assert_int_eq(quire_gpu_find(&c.gpu, "t4"), 0);
	ck_assert_uint_eq(quire_estimate_batch_max(&c), 0);
}
END_TEST

START_TEST(prefill_steps_cover_the_prompts)
{
	struct quire_estimate_config c = {
		.cost = {.tp = 1, .weight_bits = 16, .kv_bits = 16},
		.utilization = 0.9,
		.prompt_tokens = 1000,
		.output_tokens = 1,
	};
	static const struct {
		uint32_t budget, batch, steps;
	} cases[] = {
		{1000, 7, 7}, {2048, 7, 4}, {8192, 7, 1}, {999, 3, 6}, {300, 2, 8}, {1, 1, 1000},
	};
	struct quire_estimate e;

	c.model = named("opt-13b");
	ck_assert_int_eq(quire_gpu_find(&c.gpu, "a100-40g"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c.cost.step_tokens_max = cases[i].budget;
		ck_assert_int_eq(quire_estimate(&e, &c, cases[i].batch), 0);
		ck_assert_uint_eq(e.prefill.steps, cases[i].steps);
		near(e.prefill.flops, e.exact.prefill_flops);
		ck_assert_uint_eq(quire_cost_parts_ns(&e.prefill_parts), e.prefill.model_ns);
		ck_assert_uint_eq(e.decode.steps, 0);
	}
}
END_TEST

START_TEST(names)
{
	struct quire_model m;

	ck_assert_str_eq(named("QWEN2.5-7b").name, "Qwen2.5-7B");
	ck_assert_str_eq(named("Qwen/Qwen2.5-7B").name, "Qwen2.5-7B");
	ck_assert_int_eq(quire_model_find(&m, "qwen2.5-7c"), -ENOENT);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "did you mean Qwen2.5-7B?"));
	ck_assert_int_eq(quire_model_find(&m, "zzzzzzzzzzzzzz"), -ENOENT);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "quire list"));
	ck_assert_int_eq(quire_model_find(&m, "/nowhere/config.json"), -ENOENT);
	ck_assert_int_eq(quire_model_find(&m, ""), -ENOENT);
}
END_TEST

START_TEST(dtypes)
{
	const struct quire_dtype *d;

	ck_assert_int_eq(quire_dtype_find(&d, "--kv-dtype", "BF16"), 0);
	ck_assert_uint_eq(d->bits, 16);
	ck_assert_int_eq(quire_dtype_find(&d, "--kv-dtype", "int4"), 0);
	ck_assert_uint_eq(d->bits, 4);
	ck_assert_int_eq(quire_dtype_find(&d, "--kv-dtype", "float32"), 0);
	ck_assert_uint_eq(d->bits, 32);
	ck_assert_int_eq(quire_dtype_find(&d, "--kv-dtype", "int3"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "--kv-dtype"));
	ck_assert_ptr_nonnull(strstr(quire_failure(), "int3"));
}
END_TEST

/* ---- config.json ---- */

static void same_model(const struct quire_model *a, const struct quire_model *b)
{
	struct quire_params pa, pb;

	ck_assert_str_eq(a->family, b->family);
	ck_assert_uint_eq(a->layers, b->layers);
	ck_assert_uint_eq(a->hidden, b->hidden);
	ck_assert_uint_eq(a->heads, b->heads);
	ck_assert_uint_eq(a->kv_heads, b->kv_heads);
	ck_assert_uint_eq(a->head_dim, b->head_dim);
	ck_assert_uint_eq(a->positions_max, b->positions_max);
	quire_model_params(a, &pa);
	quire_model_params(b, &pb);
	ck_assert_mem_eq(&pa, &pb, sizeof(pa));
}

/* As Hugging Face writes them, with keys that do not matter here. */
#define QWEN25_7B                                                                                  \
	"{\"architectures\": [\"Qwen2ForCausalLM\"], \"attention_dropout\": 0.0,"                  \
	"\"hidden_act\": \"silu\", \"hidden_size\": 3584, \"intermediate_size\": 18944,"           \
	"\"max_position_embeddings\": 131072, \"max_window_layers\": 28,"                          \
	"\"model_type\": \"qwen2\", \"num_attention_heads\": 28, \"num_hidden_layers\": 28,"       \
	"\"num_key_value_heads\": 4, \"rms_norm_eps\": 1e-06, \"rope_theta\": 1000000.0,"          \
	"\"tie_word_embeddings\": false, \"torch_dtype\": \"bfloat16\","                           \
	"\"use_sliding_window\": false, \"vocab_size\": 152064}"
#define QWEN3_06B                                                                                  \
	"{\"architectures\": [\"Qwen3ForCausalLM\"], \"attention_bias\": false,"                   \
	"\"head_dim\": 128, \"hidden_size\": 1024, \"intermediate_size\": 3072,"                   \
	"\"max_position_embeddings\": 40960, \"model_type\": \"qwen3\","                           \
	"\"num_attention_heads\": 16, \"num_hidden_layers\": 28, \"num_key_value_heads\": 8,"      \
	"\"rope_scaling\": null, \"sliding_window\": null, \"tie_word_embeddings\": true,"         \
	"\"vocab_size\": 151936}"
#define LLAMA2_7B                                                                                  \
	"{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 4096,"                       \
	"\"intermediate_size\": 11008, \"max_position_embeddings\": 4096,"                         \
	"\"num_attention_heads\": 32, \"num_hidden_layers\": 32, \"vocab_size\": 32000}"
#define OPT_13B                                                                                    \
	"{\"architectures\": [\"OPTForCausalLM\"], \"do_layer_norm_before\": true,"                \
	"\"ffn_dim\": 20480, \"hidden_size\": 5120, \"max_position_embeddings\": 2048,"            \
	"\"model_type\": \"opt\", \"num_attention_heads\": 40, \"num_hidden_layers\": 40,"         \
	"\"vocab_size\": 50272, \"word_embed_proj_dim\": 5120}"

#define MIXTRAL                                                                                    \
	"{\"architectures\": [\"MixtralForCausalLM\"], \"head_dim\": null,"                        \
	"\"hidden_size\": 4096, \"intermediate_size\": 14336, \"max_position_embeddings\": 32768," \
	"\"model_type\": \"mixtral\", \"num_attention_heads\": 32, \"num_experts_per_tok\": 2,"    \
	"\"num_hidden_layers\": 32, \"num_key_value_heads\": 8, \"num_local_experts\": 8,"         \
	"\"router_aux_loss_coef\": 0.02, \"tie_word_embeddings\": false, \"vocab_size\": 32000}"
#define QWEN3_30B                                                                                  \
	"{\"architectures\": [\"Qwen3MoeForCausalLM\"], \"attention_bias\": false,"                \
	"\"decoder_sparse_step\": 1, \"head_dim\": 128, \"hidden_size\": 2048,"                    \
	"\"intermediate_size\": 6144, \"max_position_embeddings\": 40960, \"mlp_only_layers\": "   \
	"[],"                                                                                      \
	"\"model_type\": \"qwen3_moe\", \"moe_intermediate_size\": 768,"                           \
	"\"num_attention_heads\": 32, \"num_experts\": 128, \"num_experts_per_tok\": 8,"           \
	"\"num_hidden_layers\": 48, \"num_key_value_heads\": 4, \"tie_word_embeddings\": false,"   \
	"\"vocab_size\": 151936}"
#define DEEPSEEK_V3                                                                                \
	"{\"architectures\": [\"DeepseekV3ForCausalLM\"], \"attention_bias\": false,"              \
	"\"ep_size\": 1, \"first_k_dense_replace\": 3, \"hidden_size\": 7168,"                     \
	"\"intermediate_size\": 18432, \"kv_lora_rank\": 512, \"max_position_embeddings\": "       \
	"163840,"                                                                                  \
	"\"model_type\": \"deepseek_v3\", \"moe_intermediate_size\": 2048, \"moe_layer_freq\": 1," \
	"\"n_group\": 8, \"n_routed_experts\": 256, \"n_shared_experts\": 1,"                      \
	"\"num_attention_heads\": 128, \"num_experts_per_tok\": 8, \"num_hidden_layers\": 61,"     \
	"\"num_key_value_heads\": 128, \"num_nextn_predict_layers\": 1, \"q_lora_rank\": 1536,"    \
	"\"qk_nope_head_dim\": 128, \"qk_rope_head_dim\": 64, \"v_head_dim\": 128,"                \
	"\"tie_word_embeddings\": false, \"vocab_size\": 129280}"

START_TEST(config_gives_the_builtin)
{
	static const char *const configs[][2] = {
		{"Qwen2.5-7B", QWEN25_7B},    {"Qwen3-0.6B", QWEN3_06B},
		{"Llama-2-7B", LLAMA2_7B},    {"OPT-13B", OPT_13B},
		{"Mixtral-8x7B", MIXTRAL},    {"Qwen3-30B-A3B", QWEN3_30B},
		{"DeepSeek-V3", DEEPSEEK_V3},
	};

	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		const struct quire_model known = named(configs[i][0]);
		struct quire_model read;

		ck_assert_msg(quire_model_find(&read, write_file("config.json", configs[i][1])) ==
				      0,
			      "%s", quire_failure());
		same_model(&read, &known);
		ck_assert_int_eq(quire_model_find(&read, folder), 0); /* the folder will do */
		same_model(&read, &known);
		ck_assert_str_eq(read.name, strrchr(folder, '/') + 1);
	}
}
END_TEST

#define EDIT(from_, to_, rc_, says_)                                                               \
	{                                                                                          \
		LLAMA2_7B, from_, to_, rc_, says_                                                  \
	}

/* @text with @from replaced by @to fails with @rc, and the sentence names @says. */
static const struct {
	const char *text, *from, *to;
	int rc;
	const char *says;
} broken[] = {
	EDIT("\"hidden_size\": 4096,", "", -EINVAL, "'hidden_size' is missing"),
	EDIT("\"hidden_size\": 4096", "\"hidden_size\": null", -EINVAL, "'hidden_size' is missing"),
	EDIT("\"hidden_size\": 4096", "\"hidden_size\": \"4096\"", -EINVAL,
	     "'hidden_size' must be"),
	EDIT("\"hidden_size\": 4096", "\"hidden_size\": 4096.5", -EINVAL, "'hidden_size' must be"),
	EDIT("\"hidden_size\": 4096", "\"hidden_size\": -1", -EINVAL, "'hidden_size' is -1"),
	EDIT("\"hidden_size\": 4096", "\"hidden_size\": 0", -EINVAL, "'hidden_size' is 0"),
	EDIT("\"hidden_size\": 4096", "\"hidden_size\": 4097", -EINVAL, "not a multiple"),
	EDIT("\"hidden_size\": 4096", "\"hidden_size\": 4294971392", -EINVAL, "'hidden_size' is"),
	EDIT("\"hidden_size\": 4096", "\"hidden_size\": 99999999999999999999999", -EINVAL,
	     "config.json:1"),
	EDIT("\"hidden_size\": 4096", "\"hidden_size\": 1, \"hidden_size\": 2", -EINVAL,
	     "config.json:1"),
	EDIT("\"num_hidden_layers\": 32", "\"num_hidden_layers\": 1000000", -EINVAL,
	     "'num_hidden_layers' is 1000000"),
	EDIT("\"vocab_size\": 32000", "\"vocab_size\": [1]", -EINVAL, "'vocab_size' must be"),
	EDIT("\"vocab_size\": 32000", "\"vocab_size\": 32000, \"num_key_value_heads\": 7", -EINVAL,
	     "'num_key_value_heads' is 7"),
	EDIT("\"vocab_size\": 32000", "\"vocab_size\": 32000, \"head_dim\": 0", -EINVAL,
	     "'head_dim' is 0"),
	EDIT("\"vocab_size\": 32000", "\"vocab_size\": 32000, \"tie_word_embeddings\": 1", -EINVAL,
	     "'tie_word_embeddings' must be"),
	EDIT("[\"LlamaForCausalLM\"]", "[\"MambaForCausalLM\"]", -ENOTSUP,
	     "'MambaForCausalLM' is not built"),
	EDIT("[\"LlamaForCausalLM\"]", "[\"MixtralForCausalLM\"]", -EINVAL,
	     "'num_local_experts' is missing"),
	EDIT("[\"LlamaForCausalLM\"]", "[\"DeepseekV3ForCausalLM\"]", -EINVAL,
	     "'kv_lora_rank' is missing"),
	{MIXTRAL, "\"num_experts_per_tok\": 2", "\"num_experts_per_tok\": 9", -EINVAL,
	 "'num_experts_per_tok' is 9"},
	{QWEN3_30B, "\"mlp_only_layers\": []", "\"mlp_only_layers\": [1]", -ENOTSUP,
	 "'mlp_only_layers'"},
	{QWEN3_30B, "\"decoder_sparse_step\": 1", "\"decoder_sparse_step\": 2", -ENOTSUP,
	 "'decoder_sparse_step'"},
	{DEEPSEEK_V3, "\"first_k_dense_replace\": 3", "\"first_k_dense_replace\": 62", -EINVAL,
	 "'first_k_dense_replace' is 62"},
	EDIT("[\"LlamaForCausalLM\"]", "[]", -EINVAL, "'architectures' must be"),
	EDIT("[\"LlamaForCausalLM\"]", "7", -EINVAL, "'architectures' must be"),
	EDIT("\"architectures\": [\"LlamaForCausalLM\"],", "", -EINVAL, "'architectures'"),
	EDIT("}", "", -EINVAL, "config.json:1"),
	{"[]", "", "", -EINVAL, "JSON object"},
	{"", "", "", -EINVAL, "config.json"},
	{"\xff\xfe", "", "", -EINVAL, "config.json"},
	{OPT_13B, "\"word_embed_proj_dim\": 5120", "\"word_embed_proj_dim\": 512", -ENOTSUP,
	 "word_embed_proj_dim"},
	{OPT_13B, "\"do_layer_norm_before\": true", "\"do_layer_norm_before\": false", -ENOTSUP,
	 "do_layer_norm_before"},
};

START_TEST(broken_config_is_refused)
{
	const char *from = broken[_i].from, *at = strstr(broken[_i].text, from);
	struct quire_model m = {.name = "untouched"};
	char text[2048];
	int rc;

	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - broken[_i].text), broken[_i].text,
		 broken[_i].to, at + strlen(from));
	rc = quire_model_find(&m, write_file("config.json", text));
	ck_assert_msg(rc == broken[_i].rc, "%s: %d", text, rc);
	ck_assert_msg(strstr(quire_failure(), broken[_i].says) != NULL, "says: %s",
		      quire_failure());
	ck_assert_ptr_nonnull(strstr(quire_failure(), "config.json"));
	ck_assert_ptr_null(strchr(quire_failure(), '\n'));
	ck_assert_str_eq(m.name, "untouched");
}
END_TEST

START_TEST(file_gives_the_name)
{
	struct quire_model m;

	ck_assert_int_eq(quire_model_find(&m, write_file("tiny.json", LLAMA2_7B)), 0);
	ck_assert_str_eq(m.name, "tiny");
}
END_TEST

START_TEST(flops_add_up)
{
	const struct quire_model m = named("llama-3-8b");
	struct quire_flops f;

	quire_model_flops(&m, 10, quire_causal_pairs(10, 0), 1, &f);
	ck_assert_double_eq(f.total, f.qkv + f.attention + f.output + f.mlp + f.head);
	ck_assert_double_eq(f.attention, 55.0 * 4 * 32 * 32 * 128);
	ck_assert_double_eq(f.head, 2.0 * 4096 * 128256);
	ck_assert_double_eq(f.mlp, 2.0 * 10 * 32 * 3 * 4096 * 14336);
	ck_assert_uint_eq(quire_causal_pairs(1, 99), 100);
	/* two chunks see as much as the whole */
	ck_assert_uint_eq(quire_causal_pairs(60, 0) + quire_causal_pairs(40, 60),
			  quire_causal_pairs(100, 0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *sizes = tcase_create("sizes"), *config = tcase_create("config");
	SRunner *runner;
	int failed;

	if (!mkdtemp(folder)) {
		perror(folder);
		return EXIT_FAILURE;
	}
	tcase_add_test(sizes, parameters_are_the_published_ones);
	tcase_add_test(sizes, kv_bytes_are_those_of_p1);
	tcase_add_test(sizes, experts);
	tcase_add_test(sizes, arithmetic_of_the_notes);
	tcase_add_test(sizes, batch_max_is_the_last_that_fits);
	tcase_add_test(sizes, prefill_steps_cover_the_prompts);
	tcase_add_test(sizes, flops_add_up);
	tcase_add_test(sizes, names);
	tcase_add_test(sizes, dtypes);
	tcase_add_test(config, config_gives_the_builtin);
	tcase_add_test(config, file_gives_the_name);
	tcase_add_loop_test(config, broken_config_is_refused, 0,
			    (int)(sizeof(broken) / sizeof(broken[0])));
	suite_add_tcase(suite, sizes);
	suite_add_tcase(suite, config);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	unlink(in_folder("config.json"));
	unlink(in_folder("tiny.json"));
	rmdir(folder);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
