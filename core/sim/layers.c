/*
 * layers.c - the time of a step's matrices, and of what depends on its tokens alone.
 *
 * Only + - * / and sqrt are used on doubles, all exactly rounded by IEEE 754, and
 * the build uses -ffp-contract=off: the same nanoseconds come out everywhere.
 * That is why the sharpness q is a power of two.
 */
#include "layers.h"

#include <errno.h>
#include <math.h>

uint64_t quire_whole_ns(double ns)
{
	return (uint64_t)ceil(ns);
}

static uint64_t widest_mlp(const struct quire_model *m, uint32_t tp)
{
	const uint64_t dense = m->experts && !m->dense_layers ? 0 : m->intermediate / tp;
	const uint64_t experts =
		(uint64_t)(m->experts_used + m->experts_shared) * (m->expert_intermediate / tp);

	return dense > experts ? dense : experts;
}

struct quire_shard quire_shard_of(const struct quire_model *m, uint32_t tp)
{
	const bool latent = m->kv_lora_rank > 0;
	struct quire_shard s = {
		.hidden = m->hidden,
		.heads = m->heads / tp,
		.kv_heads = latent ? 1 : (m->kv_heads + (uint64_t)tp - 1) / tp,
		.intermediate = m->intermediate / tp,
		.mlp_width = widest_mlp(m, tp) * (m->mlp_gated ? 3 : 2),
		.vocab = (m->vocab + (uint64_t)tp - 1) / tp,
		.layers = m->layers,
	};

	s.heads_width = s.heads * (latent ? m->v_head_dim : m->head_dim);
	s.kv_width = latent ? m->kv_lora_rank + (uint64_t)m->rope_head_dim
			    : 2 * s.kv_heads * m->head_dim;
	s.qkv_width = s.heads * (m->head_dim + m->rope_head_dim) + s.kv_width;
	return s;
}

int quire_shard_check(const struct quire_model *m, uint32_t tp)
{
	if (tp == 0 || m->heads % tp || m->intermediate % tp ||
	    (!m->kv_lora_rank && m->kv_heads % tp && tp % m->kv_heads))
		return quire_fail(-EINVAL,
				  "%s cannot be cut into %u parts: it has %u heads, %u of keys and "
				  "values, and an MLP of %u",
				  m->name, tp, m->heads, m->kv_heads, m->intermediate);
	if (m->experts && m->expert_intermediate % tp)
		return quire_fail(-EINVAL,
				  "%s cannot be cut into %u parts: its experts are %u wide",
				  m->name, tp, m->expert_intermediate);
	return 0;
}

static void add(struct quire_cost *c, enum quire_part part, uint64_t layers, uint64_t in,
		uint64_t out, bool experts)
{
	struct quire_cost_matrix *x = &c->matrices[c->matrices_count];

	if (!layers || !in || !out)
		return;
	x->part = part;
	x->in = in;
	x->out = out;
	x->layers = layers;
	x->experts = experts;
	c->matrices_count++;
}

static void add_mlp(struct quire_cost *c, uint64_t layers, uint64_t width, bool experts)
{
	const uint64_t hidden = c->model.hidden;

	add(c, QUIRE_PART_MLP, layers, hidden, width * (c->model.mlp_gated ? 2 : 1), experts);
	add(c, QUIRE_PART_MLP, layers, width, hidden, experts);
}

void quire_layers_init(struct quire_cost *c)
{
	const struct quire_model *m = &c->model;
	const uint32_t tp = c->config.tp;
	const struct quire_shard s = quire_shard_of(m, tp);
	const uint64_t dense = m->experts ? m->dense_layers : m->layers;
	const uint64_t latent = m->kv_lora_rank, hidden = m->hidden, n = s.layers;
	const uint64_t q_width = s.heads * (m->head_dim + m->rope_head_dim);

	c->matrices_count = 0;
	if (latent) { /* down for q, k and v together, on every GPU alike; then up by heads */
		add(c, QUIRE_PART_QKV, n, hidden,
		    (m->q_lora_rank ? m->q_lora_rank : q_width) + latent + m->rope_head_dim, false);
		add(c, QUIRE_PART_QKV, n, m->q_lora_rank, q_width, false);
		add(c, QUIRE_PART_QKV, n, latent, s.heads * (m->head_dim + m->v_head_dim), false);
	} else {
		add(c, QUIRE_PART_QKV, n, hidden, s.qkv_width, false);
	}
	add(c, QUIRE_PART_OUTPUT, n, s.heads_width, hidden, false);
	add_mlp(c, dense, s.intermediate, false);
	if (m->experts) {
		add(c, QUIRE_PART_MLP, n - dense, hidden, m->experts, false);
		add_mlp(c, n - dense, m->expert_intermediate / tp, true);
		add_mlp(c, n - dense, (uint64_t)m->experts_shared * m->expert_intermediate / tp,
			false);
	}
}

/* (x^q + y^q)^(1/q), q a power of two; scaled by the larger, so nothing overflows. */
static double soft_max(double x, double y, uint32_t q)
{
	const double high = x > y ? x : y, low = x > y ? y : x;
	double r;

	if (high <= 0)
		return 0;
	r = low / high;
	for (uint32_t i = 1; i < q; i *= 2)
		r *= r;
	r += 1;
	for (uint32_t i = 1; i < q; i *= 2)
		r = sqrt(r);
	return high * r;
}

/* Tensor cores take 32-bit inputs at half the rate (TF32). */
double quire_peak(const struct quire_gpu *g, enum quire_units units)
{
	if (units == QUIRE_UNITS_FP8 && g->peak_fp8 > 0)
		return g->peak_fp8;
	if (units == QUIRE_UNITS_INT8 && g->peak_int8 > 0)
		return g->peak_int8;
	return units == QUIRE_UNITS_32 ? g->peak_flops / 2 : g->peak_flops;
}

double quire_move_ns(const struct quire_gpu *g, double bytes)
{
	return bytes / (g->gemm_bytes_share * g->bandwidth) * 1e9;
}

static double product_ns(const struct quire_gpu *g, enum quire_units units, double flops,
			 double bytes)
{
	return soft_max(flops / (g->gemm_flops_share * quire_peak(g, units)) * 1e9,
			bytes / (g->gemm_bytes_share * g->bandwidth) * 1e9, g->gemm_sharpness) +
	       g->gemm_launch_ns;
}

double quire_gemm_ns(const struct quire_gpu *g, enum quire_units units, uint32_t weight_bits,
		     double tokens, double in, double out)
{
	return product_ns(g, units, 2.0 * tokens * in * out,
			  in * out * weight_bits / 8 +
				  tokens * (in + out) * QUIRE_ACTIVATION_BYTES);
}

/* The rows that one of these matrices multiplies, and how many of its kind are read. */
static void work_of(const struct quire_cost *c, const struct quire_cost_matrix *x, uint64_t tokens,
		    double *rows, double *read)
{
	*rows = (double)tokens * (x->experts ? c->model.experts_used : 1);
	*read = x->experts ? quire_model_experts_met(&c->model, tokens) : 1;
}

static double matrix_ns(const struct quire_cost *c, const struct quire_cost_matrix *x,
			uint64_t tokens)
{
	const double in = (double)x->in, out = (double)x->out;
	double rows, read;

	if (!x->experts)
		return quire_gemm_ns(&c->gpu, c->config.weight_units, c->config.weight_bits,
				     (double)tokens, in, out);
	work_of(c, x, tokens, &rows, &read);
	return product_ns(&c->gpu, c->config.weight_units, 2.0 * rows * in * out,
			  read * in * out * c->config.weight_bits / 8 +
				  rows * (in + out) * QUIRE_ACTIVATION_BYTES);
}

/* An all-reduce (@passes 2) or all-gather (1) of @bytes in a ring. */
static double link_ns(const struct quire_cost *c, double bytes, double passes)
{
	const double tp = c->config.tp;

	if (c->config.tp < 2)
		return 0;
	return passes * (tp - 1) / tp * bytes / (c->gpu.link_share * c->gpu.link_bandwidth) * 1e9 +
	       c->gpu.link_latency_ns;
}

void quire_layers_parts(const struct quire_cost *c, uint64_t tokens, struct quire_cost_parts *p)
{
	const struct quire_shard s = quire_shard_of(&c->model, c->config.tp);
	const double layers = (double)s.layers;
	/* Two norms read and write the stream and the residual; rotation reads and writes
	 * q and k, k and v go to the cache; the activation reads its inputs, writes one. */
	const double small =
		(double)(8 * s.hidden + 2 * s.qkv_width + s.mlp_width) * QUIRE_ACTIVATION_BYTES;
	double ns[3] = {0, 0, 0};

	for (uint32_t i = 0; i < c->matrices_count; i++)
		ns[c->matrices[i].part] +=
			(double)c->matrices[i].layers * matrix_ns(c, &c->matrices[i], tokens);
	p->qkv_ns = quire_whole_ns(ns[QUIRE_PART_QKV]);
	p->output_ns = quire_whole_ns(ns[QUIRE_PART_OUTPUT]);
	p->mlp_ns = quire_whole_ns(ns[QUIRE_PART_MLP]);
	p->small_ns = quire_whole_ns(
		layers * (quire_move_ns(&c->gpu, (double)tokens * small) + c->gpu.gemm_launch_ns));
	p->link_ns = quire_whole_ns(
		layers * 2 *
		link_ns(c, (double)tokens * (double)s.hidden * QUIRE_ACTIVATION_BYTES, 2));
}

uint64_t quire_head_ns(const struct quire_cost *c, uint64_t rows)
{
	const struct quire_shard s = quire_shard_of(&c->model, c->config.tp);
	const double logits = (double)rows * (double)c->model.vocab;

	if (rows == 0)
		return 0;
	return quire_whole_ns(quire_gemm_ns(&c->gpu, c->config.weight_units, c->config.weight_bits,
					    (double)rows, (double)s.hidden, (double)s.vocab) +
			      quire_move_ns(&c->gpu, logits * QUIRE_LOGIT_BYTES) +
			      link_ns(c, logits * QUIRE_ACTIVATION_BYTES, 1));
}

void quire_layers_roofline(const struct quire_cost *c, uint64_t tokens, uint64_t rows,
			   double *flops, double *bytes)
{
	const struct quire_shard s = quire_shard_of(&c->model, c->config.tp);
	const double head = (double)s.hidden * (double)s.vocab;
	double elements = rows ? head : 0;

	*flops = 2.0 * (double)rows * head;
	for (uint32_t i = 0; i < c->matrices_count; i++) {
		const struct quire_cost_matrix *x = &c->matrices[i];
		const double all = (double)(x->layers * x->in * x->out);
		double x_rows, read;

		work_of(c, x, tokens, &x_rows, &read);
		*flops += 2.0 * x_rows * all;
		elements += read * all;
	}
	*bytes = elements * c->config.weight_bits / 8;
}
