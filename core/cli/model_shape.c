/*
 * model_shape.c - what follows from a model's shape: see model_parts.h.
 */
#include "core/trace/json_build.h"
#include "model_parts.h"
#include "units.h"

#include <stdio.h>

static void print_part(const char *name, uint64_t count, uint64_t total)
{
	printf("  %-12s %17s %5.1f %%\n", name, quire_text_count(count).s,
	       100.0 * (double)count / (double)total);
}

void quire_model_shape_print(const struct quire_model *m)
{
	printf("%s, a %s of the %s family\n\n", m->name,
	       m->experts ? "decoder with experts" : "dense decoder", m->family);
	printf("Shape\n");
	printf("  layers       %s\n", quire_text_count(m->layers).s);
	printf("  hidden       %s\n", quire_text_count(m->hidden).s);
	printf("  heads        %u of %u", m->heads, m->head_dim);
	if (m->kv_lora_rank)
		printf(" and %u rotated; K and V of all are one vector of %u + %u (MLA)\n",
		       m->rope_head_dim, m->kv_lora_rank, m->rope_head_dim);
	else if (m->kv_heads == m->heads)
		printf(", each with its own keys and values%s\n",
		       m->qk_norm ? "; Q and K normed" : "");
	else
		printf("; %u of keys and values, each for %u of queries%s\n", m->kv_heads,
		       m->heads / m->kv_heads, m->qk_norm ? "; Q and K normed" : "");
	if (!m->experts || m->dense_layers)
		printf("  MLP          %s, %s", quire_text_count(m->intermediate).s,
		       m->mlp_gated ? "gated: 3 matrices" : "plain: 2 matrices");
	if (m->dense_layers)
		printf(", in the first %u layers", m->dense_layers);
	printf("%s", !m->experts || m->dense_layers ? "\n" : "");
	if (m->experts)
		printf("  experts      %u of %s, gated; a token meets %u%s\n", m->experts,
		       quire_text_count(m->expert_intermediate).s, m->experts_used,
		       m->experts_shared ? ", and those that all share" : "");
	if (m->experts_shared)
		printf("  shared       %u of %s\n", m->experts_shared,
		       quire_text_count(m->expert_intermediate).s);
	printf("  norms        %s\n", m->norm_bias ? "LayerNorm" : "RMSNorm");
	printf("  biases       %s\n", m->mlp_bias && m->output_bias ? "on every matrix of a layer"
				      : m->output_bias		    ? "on the attention's matrices"
				      : m->qkv_bias		    ? "on Q, K and V"
				      : m->mlp_bias		    ? "on the MLP's matrices"
								    : "none");
	printf("  positions    %s, up to ", m->positions_stored ? "learned" : "rotary");
	printf("%s tokens\n", quire_text_count(m->positions_max).s);
	printf("  vocabulary   %s; the head %s\n\n", quire_text_count(m->vocab).s,
	       m->embeddings_tied ? "reuses the embedding" : "has its own matrix");
}

static void print_params(const struct quire_model *m)
{
	struct quire_params p;

	quire_model_params(m, &p);
	printf("Parameters\n");
	print_part("embedding", p.embedding, p.total);
	print_part("attention", p.attention, p.total);
	print_part(m->experts ? "MLP, experts" : "MLP", p.mlp, p.total);
	print_part("norms", p.norms, p.total);
	print_part("head", p.head, p.total);
	print_part("all", p.total, p.total);
	if (p.active < p.total)
		print_part("active", p.active, p.total);
	printf("  %-12s %17s         matrices of the layers and one embedding\n\n", "notes' count",
	       quire_text_count(p.notes).s);
}

static void print_bytes(const struct quire_model *m)
{
	const struct quire_dtype *d;

	printf("Bytes      weights      KV of a token    of 1,000 tokens\n");
	for (size_t i = 0; (d = quire_dtype_builtin(i)); i++) {
		const uint64_t kv_bytes = quire_model_kv_bytes(m, d->bits);

		printf("  %-6s %9s %14s B %18s\n", d->name,
		       quire_text_si((double)quire_model_weight_bytes(m, d->bits), 4, "B").s,
		       quire_text_count(kv_bytes).s,
		       quire_text_si((double)kv_bytes * 1000, 4, "B").s);
	}
	printf("\n");
}

static void print_flops(const struct quire_model *m)
{
	struct quire_flops f;

	quire_model_flops(m, 1, 1, 1, &f);
	printf("FLOPs of one token\n");
	printf("  %-12s %s\n", "QKV", quire_text_si(f.qkv, 4, "FLOP").s);
	printf("  %-12s %s\n", "output", quire_text_si(f.output, 4, "FLOP").s);
	printf("  %-12s %s\n", "MLP", quire_text_si(f.mlp, 4, "FLOP").s);
	printf("  %-12s %s, if it is sampled\n", "head", quire_text_si(f.head, 4, "FLOP").s);
	printf("  %-12s %s for each token it looks at: as much as all of the layers'\n"
	       "  %-12s matrices at %s tokens of context\n",
	       "attention", quire_text_si(f.attention, 4, "FLOP").s, "",
	       quire_text_count((uint64_t)((f.qkv + f.output + f.mlp) / f.attention)).s);
}

void quire_model_costs_print(const struct quire_model *m)
{
	print_params(m);
	print_bytes(m);
	print_flops(m);
}

static json_t *json_bytes(const struct quire_model *m)
{
	json_t *all = json_object();
	const struct quire_dtype *d;

	for (size_t i = 0; (d = quire_dtype_builtin(i)); i++) {
		all = quire_json_with(all, d->name,
				      json_pack("{s:I, s:I}", "weights",
						(json_int_t)quire_model_weight_bytes(m, d->bits),
						"kv_per_token",
						(json_int_t)quire_model_kv_bytes(m, d->bits)));
	}
	return all;
}

json_t *quire_model_shape_json(const struct quire_model *m)
{
	struct quire_params p;
	struct quire_flops f;

	quire_model_params(m, &p);
	quire_model_flops(m, 1, 1, 1, &f);
	return json_pack(
		"{s:s, s:s, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:b, s:b, s:b, s:b, "
		"s:b, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}, s:{s:I, s:I, s:I, s:I, "
		"s:I, "
		"s:I, s:I, s:I}, s:o, s:{s:f, s:f, s:f, s:f, "
		"s:f}}",
		"name", m->name, "family", m->family, "shape", "layers", (int)m->layers, "hidden",
		(int)m->hidden, "heads", (int)m->heads, "kv_heads", (int)m->kv_heads, "head_dim",
		(int)m->head_dim, "intermediate", (int)m->intermediate, "vocab", (int)m->vocab,
		"positions_max", (int)m->positions_max, "mlp_gated", m->mlp_gated,
		"embeddings_tied", m->embeddings_tied, "qkv_bias", m->qkv_bias, "output_bias",
		m->output_bias, "mlp_bias", m->mlp_bias, "norm_bias", m->norm_bias, "qk_norm",
		m->qk_norm, "experts", (int)m->experts, "experts_used", (int)m->experts_used,
		"experts_shared", (int)m->experts_shared, "expert_intermediate",
		(int)m->expert_intermediate, "dense_layers", (int)m->dense_layers, "kv_lora_rank",
		(int)m->kv_lora_rank, "rope_head_dim", (int)m->rope_head_dim, "v_head_dim",
		(int)m->v_head_dim, "q_lora_rank", (int)m->q_lora_rank, "parameters", "embedding",
		(json_int_t)p.embedding, "attention", (json_int_t)p.attention, "mlp",
		(json_int_t)p.mlp, "norms", (json_int_t)p.norms, "head", (json_int_t)p.head,
		"total", (json_int_t)p.total, "active", (json_int_t)p.active, "notes",
		(json_int_t)p.notes, "bytes", json_bytes(m), "flops_per_token", "qkv", f.qkv,
		"output", f.output, "mlp", f.mlp, "head", f.head, "attention_per_context_token",
		f.attention);
}
