/*
 * cost.c - the time of a step, by the formulas of cost.h: attention, and the sum.
 *
 * Sums over sequences count whole units of 2^-24 ns, so that their order does not
 * matter; see layers.c for why the same nanoseconds come out everywhere.
 */
#include "layers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_PER_NS 16777216.0 /* 2^24, of attention; 64 bits hold 18 minutes */

/* Of attention on any GPU; cost.h says what they mean. */
#define SM_ALONE      1.75
#define PAIRS_A_TOKEN 256
#define PIECES	      16
#define TILE_QUERIES  128
#define SOFTMAX_DIM   128.0

/* What a pair or a key costs, in elements of a head. */
static double dim_cost(double dim)
{
	const double with_softmax = (dim + SOFTMAX_DIM) / 2;

	return dim > with_softmax ? dim : with_softmax;
}

static uint64_t units(double ns)
{
	return (uint64_t)ceil(ns * UNITS_PER_NS);
}

static void init_attention(struct quire_cost *c)
{
	const struct quire_gpu *g = &c->gpu;
	const struct quire_model *m = &c->model;
	const struct quire_shard s = quire_shard_of(m, c->config.tp);
	const bool latent = m->kv_lora_rank > 0;
	const double layers = (double)s.layers, heads = (double)s.heads;
	/* of q.k and of p.v together */
	const double dims =
		latent ? dim_cost(m->head_dim + m->rope_head_dim) + dim_cost(m->v_head_dim)
		       : 2 * dim_cost(m->head_dim);
	const double flops_ns = 1e9 / (g->attention_flops_share * g->peak_flops);
	const double bytes_ns = 1e9 / (g->attention_bytes_share * g->bandwidth);
	const double key_bytes = (double)s.kv_width * c->config.kv_bits / 8;
	/* A single token looks at latent vectors as they are (all heads share them), so
	 * that its queries and values are as wide as they. */
	const double single_dims = latent ? 2.0 * m->kv_lora_rank + m->rope_head_dim : dims;
	uint64_t single;

	c->pair_units = units(layers * heads * 2 * dims * flops_ns);
	c->key_units = units(layers * key_bytes * bytes_ns);
	single = units(layers * heads * 2 * single_dims * flops_ns);
	c->single_units = single > c->key_units ? single : c->key_units;
	c->chunk_piece_units =
		units(layers * TILE_QUERIES * 2 * dims * flops_ns * g->multiprocessors / SM_ALONE);
	if (latent) /* a chunk's kernel wants K and V themselves */
		c->cached_units =
			units(layers * heads * 2 * m->kv_lora_rank * (m->head_dim + m->v_head_dim) /
			      (g->gemm_flops_share * g->peak_flops) * 1e9);
	else /* kernels for single tokens and latent vectors cut as finely as they need */
		c->single_piece_units = units(layers * dims * c->config.kv_bits / 8 * bytes_ns *
					      g->multiprocessors / SM_ALONE);
	if (c->chunk_piece_units < c->single_piece_units)
		c->chunk_piece_units = c->single_piece_units;
	c->seq_units = units(layers * (double)s.kv_heads * g->attention_tile_ns);
	c->attention_launch_ns = quire_whole_ns(layers * g->attention_launch_ns);
	c->copy_ns = quire_move_ns(g, 2 * layers * key_bytes);
}

int quire_cost_init(struct quire_cost *c, const struct quire_model *model,
		    const struct quire_gpu *gpu, const struct quire_cost_config *config)
{
	const int rc = quire_shard_check(model, config->tp);

	memset(c, 0, sizeof(*c));
	if (rc)
		return rc;
	c->model = *model;
	c->gpu = *gpu;
	c->config = *config;
	c->layers_ns = calloc((size_t)config->step_tokens_max + 1, sizeof(*c->layers_ns));
	c->head_ns = calloc((size_t)config->seqs_max + 1, sizeof(*c->head_ns));
	if (!c->layers_ns || !c->head_ns) {
		quire_cost_free(c);
		return quire_fail(-ENOMEM, "cost model: no memory for %u tokens a step",
				  config->step_tokens_max);
	}
	quire_layers_init(c);
	init_attention(c);
	c->step_ns = quire_whole_ns(gpu->step_ns);
	c->seq_ns = quire_whole_ns(gpu->seq_ns);
	c->chunk_ns = quire_whole_ns(gpu->chunk_ns);
	return 0;
}

void quire_cost_free(struct quire_cost *c)
{
	free(c->layers_ns);
	free(c->head_ns);
	memset(c, 0, sizeof(*c));
}

/* A chunk of a prompt: the larger of its two times. */
static void add_chunks(const struct quire_cost *c, struct quire_cost_batch *b, uint64_t seqs,
		       uint64_t tokens, uint64_t cached)
{
	const uint64_t pairs = quire_causal_pairs(tokens, cached), context = cached + tokens;
	const uint64_t flops_units =
		(pairs + PAIRS_A_TOKEN * tokens) * c->pair_units + cached * c->cached_units;
	const uint64_t bytes_units = context * c->key_units;

	b->chunk_units += seqs * (flops_units > bytes_units ? flops_units : bytes_units);
	b->chunk_pairs += seqs * pairs;
	b->chunk_context += seqs * context;
	if (context > b->chunk_context_max)
		b->chunk_context_max = context;
	if (context > b->context_max)
		b->context_max = context;
}

void quire_cost_batch_add(const struct quire_cost *c, struct quire_cost_batch *b, uint64_t seqs,
			  uint64_t tokens, uint64_t cached, bool sampled)
{
	b->seqs += seqs;
	b->tokens += seqs * tokens;
	if (sampled)
		b->rows += seqs;
	if (tokens != 1) {
		add_chunks(c, b, seqs, tokens, cached);
		return;
	}
	b->single_context += seqs * (cached + 1);
	if (cached + 1 > b->context_max)
		b->context_max = cached + 1;
}

void quire_cost_batch_plan(const struct quire_cost *c, const struct quire_plan *plan,
			   struct quire_cost_batch *b)
{
	uint64_t rows = 0, single_context = 0;
	uint32_t cached_max = 0;

	memset(b, 0, sizeof(*b));
	for (uint32_t i = 0; i < plan->copies.count; i++)
		b->copied_slots += plan->copies.at[i].slots;
	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_item *item = &plan->items[i];
		const struct quire_seq *seq = item->seq;

		/* a kept row samples, too, and nobody reads it */
		rows += item->candidates > 0 || seq->state == QUIRE_FINISHED;
		if (item->tokens == 1) {
			single_context += (uint64_t)seq->cached_tokens + 1;
			cached_max =
				seq->cached_tokens > cached_max ? seq->cached_tokens : cached_max;
		} else if (!plan->pad_tokens) {
			add_chunks(c, b, 1, item->tokens, seq->cached_tokens);
		}
	}
	if (plan->pad_tokens) {
		const uint64_t slots =
			plan->pad_slots > plan->pad_tokens ? plan->pad_slots : plan->pad_tokens;

		quire_cost_batch_add(c, b, plan->items_count, plan->pad_tokens,
				     slots - plan->pad_tokens, rows > 0);
		return;
	}
	b->tokens = plan->tokens_count;
	b->seqs = plan->items_count;
	b->rows = rows;
	b->single_context = single_context;
	if (single_context && cached_max + 1u > b->context_max)
		b->context_max = cached_max + 1u;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t attention_ns(const struct quire_cost *c, const struct quire_cost_batch *b)
{
	const uint64_t work = b->single_context * c->single_units + b->chunk_units;
	const uint64_t cut = (b->single_context + b->chunk_context + PIECES - 1) / PIECES;
	const uint64_t longest = b->context_max < cut ? b->context_max : cut;
	const uint64_t piece = larger(longest * c->single_piece_units,
				      b->chunk_context_max * c->chunk_piece_units);
	const uint64_t all = larger(work, piece) + b->seqs * c->seq_units;

	return (all + (uint64_t)UNITS_PER_NS - 1) / (uint64_t)UNITS_PER_NS + c->attention_launch_ns;
}

static uint64_t host_ns(const struct quire_cost *c, const struct quire_cost_batch *b)
{
	return c->step_ns + b->seqs * c->seq_ns + (b->chunk_pairs ? c->chunk_ns : 0);
}

static uint64_t copies_ns(const struct quire_cost *c, const struct quire_cost_batch *b)
{
	return b->copied_slots ? quire_whole_ns((double)b->copied_slots * c->copy_ns +
						c->gpu.gemm_launch_ns)
			       : 0;
}

static uint64_t layers_ns(const struct quire_cost *c, uint64_t tokens)
{
	struct quire_cost_parts p;

	quire_layers_parts(c, tokens, &p);
	return p.qkv_ns + p.output_ns + p.mlp_ns + p.small_ns + p.link_ns;
}

/* See quire_cost_config.sigmas. */
static uint64_t with_error_ns(const struct quire_cost *c, const struct quire_cost_batch *b)
{
	struct quire_cost_parts p;
	struct quire_roofline r;
	double all, gemm, attention, rest, bound;

	quire_cost_batch_parts(c, b, &p);
	quire_cost_roofline(c, b, &r);
	all = (double)quire_cost_parts_ns(&p);
	gemm = (double)(p.qkv_ns + p.output_ns + p.mlp_ns + p.head_ns);
	attention = (double)p.attention_ns;
	rest = (all - gemm - attention) * c->gpu.host_error;
	gemm *= c->gpu.gemm_error;
	attention *= c->gpu.attention_error;
	all += c->config.sigmas * sqrt(gemm * gemm + attention * attention + rest * rest);
	bound = r.flops_ns > r.bytes_ns ? r.flops_ns : r.bytes_ns;
	return quire_whole_ns(all > bound ? all : bound);
}

uint64_t quire_cost_batch_ns(struct quire_cost *c, const struct quire_cost_batch *b)
{
	uint64_t layers, head;

	if (c->config.sigmas < 0 || c->config.sigmas > 0)
		return with_error_ns(c, b);
	if (b->tokens > c->config.step_tokens_max) {
		layers = layers_ns(c, b->tokens);
	} else {
		layers = c->layers_ns[b->tokens];
		if (!layers)
			layers = c->layers_ns[b->tokens] = layers_ns(c, b->tokens);
	}
	if (b->rows > c->config.seqs_max) {
		head = quire_head_ns(c, b->rows);
	} else {
		head = c->head_ns[b->rows];
		if (!head)
			head = c->head_ns[b->rows] = quire_head_ns(c, b->rows);
	}
	return layers + head + attention_ns(c, b) + copies_ns(c, b) + host_ns(c, b);
}

void quire_cost_batch_parts(const struct quire_cost *c, const struct quire_cost_batch *b,
			    struct quire_cost_parts *p)
{
	quire_layers_parts(c, b->tokens, p);
	p->attention_ns = attention_ns(c, b);
	p->head_ns = quire_head_ns(c, b->rows);
	p->copies_ns = copies_ns(c, b);
	p->host_ns = host_ns(c, b);
}

uint64_t quire_cost_parts_ns(const struct quire_cost_parts *p)
{
	return p->qkv_ns + p->attention_ns + p->output_ns + p->mlp_ns + p->small_ns + p->head_ns +
	       p->link_ns + p->copies_ns + p->host_ns;
}

uint64_t quire_cost_step_ns(struct quire_cost *c, const struct quire_plan *plan)
{
	struct quire_cost_batch batch;

	quire_cost_batch_plan(c, plan, &batch);
	return quire_cost_batch_ns(c, &batch);
}

void quire_cost_roofline(const struct quire_cost *c, const struct quire_cost_batch *b,
			 struct quire_roofline *r)
{
	const struct quire_shard s = quire_shard_of(&c->model, c->config.tp);
	const double pairs = (double)b->single_context + (double)b->chunk_pairs;
	const double keys = (double)b->single_context + (double)b->chunk_context;
	const double pair_flops = (double)quire_model_pair_flops(&c->model) / c->config.tp;
	const double peak = quire_peak(&c->gpu, c->config.weight_units);
	double flops, bytes;

	quire_layers_roofline(c, b->tokens, b->rows, &flops, &bytes);
	r->flops = flops + pairs * pair_flops;
	r->bytes = bytes + keys * (double)(s.layers * s.kv_width) * c->config.kv_bits / 8;
	/* what 32 bits cost is no law, so their bound is that of 16 */
	r->flops_ns = flops / (peak > c->gpu.peak_flops ? peak : c->gpu.peak_flops) * 1e9 +
		      pairs * pair_flops / c->gpu.peak_flops * 1e9;
	r->bytes_ns = r->bytes / c->gpu.bandwidth * 1e9;
}
