/*
 * arithmetic.c - counting parameters, bytes and flops of a model.
 *
 * config.c bounds every dimension, so that no product here leaves 64 bits.
 */
#include "model.h"

void quire_model_matrices(const struct quire_model *m, struct quire_matrices *x)
{
	const uint64_t layers = m->layers, hidden = m->hidden, dim = m->head_dim;

	x->qkv = layers * hidden * (m->heads + 2u * (uint64_t)m->kv_heads) * dim;
	x->output = layers * m->heads * dim * hidden;
	x->mlp = layers * (m->mlp_gated ? 3u : 2u) * hidden * m->intermediate;
	x->head = hidden * m->vocab;
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
	p->mlp = x.mlp;
	if (m->mlp_bias)
		p->mlp += layers * (mlp_width + hidden);
	p->norms = norm * hidden * (2 * layers + 1);
	if (m->qk_norm)
		p->norms += layers * 2 * dim;
	p->head = m->embeddings_tied ? 0 : x.head;
	p->total = p->embedding + p->attention + p->mlp + p->norms + p->head;
	p->notes = x.qkv + x.output + x.mlp + (uint64_t)m->vocab * hidden;
}

uint64_t quire_model_weight_bytes(const struct quire_model *m, uint32_t bits)
{
	struct quire_params p;

	quire_model_params(m, &p);
	return (p.total * bits + 7) / 8;
}

uint64_t quire_model_kv_bytes(const struct quire_model *m, uint32_t bits)
{
	return ((uint64_t)2 * m->layers * m->kv_heads * m->head_dim * bits + 7) / 8;
}

uint64_t quire_model_pair_flops(const struct quire_model *m)
{
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
