/*
 * arithmetic.c - counting parameters, bytes and flops of a model.
 *
 * config.c bounds every dimension, so that no product here leaves 64 bits.
 */
#include "model.h"

/* Matrices of one mlp of this width. */
static uint64_t mlp_elements(const struct quire_model *m, uint64_t width)
{
	return (m->mlp_gated ? 3u : 2u) * m->hidden * width;
}

static uint64_t qkv_elements(const struct quire_model *m)
{
	const uint64_t hidden = m->hidden, heads = m->heads, dim = m->head_dim;
	const uint64_t q_width = heads * (dim + m->rope_head_dim);
	const uint64_t q = m->q_lora_rank ? m->q_lora_rank * (hidden + q_width) : hidden * q_width;

	if (!m->kv_lora_rank)
		return hidden * (heads + 2u * (uint64_t)m->kv_heads) * dim;
	return q + hidden * (m->kv_lora_rank + m->rope_head_dim) +
	       m->kv_lora_rank * heads * (dim + m->v_head_dim);
}

/* Of all layers; a token meets @experts of those it may be routed to. */
static uint64_t mlps_elements(const struct quire_model *m, uint64_t experts)
{
	const uint64_t dense = m->experts ? m->dense_layers : m->layers;
	const uint64_t expert = mlp_elements(m, m->expert_intermediate);

	return dense * mlp_elements(m, m->intermediate) +
	       (m->layers - dense) *
		       ((experts + m->experts_shared) * expert + (uint64_t)m->hidden * m->experts);
}

void quire_model_matrices(const struct quire_model *m, struct quire_matrices *x)
{
	const uint64_t v_dim = m->kv_lora_rank ? m->v_head_dim : m->head_dim;

	x->qkv = m->layers * qkv_elements(m);
	x->output = m->layers * m->heads * v_dim * m->hidden;
	x->mlp = mlps_elements(m, m->experts_used);
	x->head = (uint64_t)m->hidden * m->vocab;
}

void quire_model_params(const struct quire_model *m, struct quire_params *p)
{
	const uint64_t layers = m->layers, hidden = m->hidden, dim = m->head_dim;
	const uint64_t qkv_width = (m->heads + 2u * (uint64_t)m->kv_heads) * dim;
	const uint64_t mlp_width = (m->mlp_gated ? 2u : 1u) * (uint64_t)m->intermediate;
	const uint64_t norm = m->norm_bias ? 2 : 1;
	struct quire_matrices x;

	quire_model_matrices(m, &x);
	p->embedding = (uint64_t)m->vocab * hidden + (uint64_t)m->positions_stored * hidden;
	p->attention = x.qkv + x.output;
	if (m->qkv_bias)
		p->attention += layers * qkv_width;
	if (m->output_bias)
		p->attention += layers * hidden;
	p->mlp = mlps_elements(m, m->experts);
	if (m->mlp_bias)
		p->mlp += layers * (mlp_width + hidden);
	if (m->router_bias)
		p->mlp += (layers - m->dense_layers) * m->experts;
	p->norms = norm * hidden * (2 * layers + 1);
	if (m->qk_norm)
		p->norms += layers * 2 * dim;
	if (m->kv_lora_rank)
		p->norms += layers * ((uint64_t)m->q_lora_rank + m->kv_lora_rank);
	p->head = m->embeddings_tied ? 0 : x.head;
	p->total = p->embedding + p->attention + p->mlp + p->norms + p->head;
	p->active = p->total - mlps_elements(m, m->experts) + x.mlp;
	p->notes = x.qkv + x.output + x.mlp + (uint64_t)m->vocab * hidden;
}

double quire_model_experts_met(const struct quire_model *m, uint64_t tokens)
{
	const double experts = m->experts;
	double base, missed = 1;

	if (!m->experts)
		return 0;
	base = 1 - m->experts_used / experts;
	for (; tokens && missed > 0; tokens >>= 1, base *= base)
		missed *= tokens & 1 ? base : 1;
	return experts * (1 - missed);
}

uint64_t quire_model_weight_bytes(const struct quire_model *m, uint32_t bits)
{
	struct quire_params p;

	quire_model_params(m, &p);
	return (p.total * bits + 7) / 8;
}

uint64_t quire_model_kv_bytes(const struct quire_model *m, uint32_t bits)
{
	const uint64_t width = m->kv_lora_rank ? m->kv_lora_rank + (uint64_t)m->rope_head_dim
					       : (uint64_t)2 * m->kv_heads * m->head_dim;

	return (m->layers * width * bits + 7) / 8;
}

uint64_t quire_model_pair_flops(const struct quire_model *m)
{
	if (m->kv_lora_rank)
		return (uint64_t)2 * m->layers * m->heads *
		       (m->head_dim + m->rope_head_dim + m->v_head_dim);
	return (uint64_t)4 * m->layers * m->heads * m->head_dim;
}

void quire_model_flops(const struct quire_model *m, uint64_t tokens, uint64_t pairs, uint64_t rows,
		       struct quire_flops *f)
{
	struct quire_matrices x;

	quire_model_matrices(m, &x);
	f->qkv = 2.0 * (double)tokens * (double)x.qkv;
	f->attention = (double)pairs * (double)quire_model_pair_flops(m);
	f->output = 2.0 * (double)tokens * (double)x.output;
	f->mlp = 2.0 * (double)tokens * (double)x.mlp;
	f->head = 2.0 * (double)rows * (double)x.head;
	f->total = f->qkv + f->attention + f->output + f->mlp + f->head;
}
