/*
 * cost.c - the time of a step, by the formulas of cost.h.
 *
 * Only + - * / and sqrt are used on doubles, all exactly rounded by IEEE 754, and
 * the build uses -ffp-contract=off: the same nanoseconds come out everywhere.
 * That is why the sharpness q is a power of two.
 */
#include "cost.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_PER_NS	 16777216.0 /* 2^24, of attention; 64 bits hold 18 minutes */
#define ACTIVATION_BYTES 2	    /* of an element between kernels */
#define LOGIT_BYTES	 10	    /* written in 16 bits, converted, read for sampling */
#define CONTEXT_BYTES	 1073741824.0

/* What one of tp GPUs holds of a layer. */
struct shard {
	uint64_t hidden;
	uint64_t heads_width; /* of its query heads together */
	uint64_t qkv_width;   /* of q, k and v */
	uint64_t kv_width;    /* of k alone; heads are copied if there are fewer than GPUs */
	uint64_t intermediate;
	uint64_t mlp_in_width; /* gate and up, or up */
	uint64_t vocab;	       /* rounded up */
	uint64_t layers;
};

static struct shard shard_of(const struct quire_model *m, uint32_t tp)
{
	const uint64_t kv_heads = (m->kv_heads + (uint64_t)tp - 1) / tp;
	struct shard s = {
		.hidden = m->hidden,
		.heads_width = (uint64_t)m->heads / tp * m->head_dim,
		.kv_width = kv_heads * m->head_dim,
		.intermediate = m->intermediate / tp,
		.vocab = (m->vocab + (uint64_t)tp - 1) / tp,
		.layers = m->layers,
	};

	s.qkv_width = s.heads_width + 2 * s.kv_width;
	s.mlp_in_width = s.intermediate * (m->mlp_gated ? 2 : 1);
	return s;
}

static int shard_check(const struct quire_model *m, const struct quire_cost_config *config)
{
	const uint32_t tp = config->tp;

	if (tp == 0 || m->heads % tp || m->intermediate % tp ||
	    (m->kv_heads % tp && tp % m->kv_heads))
		return quire_fail(-EINVAL,
				  "%s cannot be cut into %u parts: it has %u heads, %u of keys and "
				  "values, and an MLP of %u",
				  m->name, tp, m->heads, m->kv_heads, m->intermediate);
	return 0;
}

/* Up, so that no rounding beats the roofline. */
static uint64_t whole_ns(double ns)
{
	return (uint64_t)ceil(ns);
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
static double peak_flops(const struct quire_cost *c)
{
	return c->config.weight_bits > 16 ? c->gpu.peak_flops / 2 : c->gpu.peak_flops;
}

/* One product of (tokens x in) with (in x out). */
static double gemm_ns(const struct quire_cost *c, uint64_t tokens, uint64_t in, uint64_t out)
{
	const struct quire_gpu *g = &c->gpu;
	const double flops = 2.0 * (double)tokens * (double)in * (double)out;
	const double bytes = (double)in * (double)out * c->config.weight_bits / 8 +
			     (double)tokens * (double)(in + out) * ACTIVATION_BYTES;

	return soft_max(flops / (g->gemm_flops_share * peak_flops(c)) * 1e9,
			bytes / (g->gemm_bytes_share * g->bandwidth) * 1e9, g->gemm_sharpness) +
	       g->gemm_launch_ns;
}

/* @bytes moved to and from memory by kernels that compute next to nothing. */
static double move_ns(const struct quire_cost *c, double bytes)
{
	return bytes / (c->gpu.gemm_bytes_share * c->gpu.bandwidth) * 1e9;
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

/* The parts that depend on nothing but the step's tokens. */
static void layers_parts(const struct quire_cost *c, uint64_t tokens, struct quire_cost_parts *p)
{
	const struct shard s = shard_of(&c->model, c->config.tp);
	const double layers = (double)s.layers;
	/* Two norms read and write the stream and the residual; rotation reads and writes
	 * q and k, k and v go to the cache; the activation reads its inputs, writes one. */
	const double small =
		(double)(8 * s.hidden + 2 * s.qkv_width + s.mlp_in_width + s.intermediate) *
		ACTIVATION_BYTES;

	p->qkv_ns = whole_ns(layers * gemm_ns(c, tokens, s.hidden, s.qkv_width));
	p->output_ns = whole_ns(layers * gemm_ns(c, tokens, s.heads_width, s.hidden));
	p->mlp_ns = whole_ns(layers * (gemm_ns(c, tokens, s.hidden, s.mlp_in_width) +
				       gemm_ns(c, tokens, s.intermediate, s.hidden)));
	p->small_ns = whole_ns(layers * move_ns(c, (double)tokens * small));
	p->link_ns = whole_ns(layers * 2 *
			      link_ns(c, (double)tokens * (double)s.hidden * ACTIVATION_BYTES, 2));
}

static uint64_t layers_ns(const struct quire_cost *c, uint64_t tokens)
{
	struct quire_cost_parts p;

	layers_parts(c, tokens, &p);
	return p.qkv_ns + p.output_ns + p.mlp_ns + p.small_ns + p.link_ns;
}

static uint64_t head_ns(const struct quire_cost *c, uint64_t rows)
{
	const struct shard s = shard_of(&c->model, c->config.tp);
	const double logits = (double)rows * (double)c->model.vocab;

	if (rows == 0)
		return 0;
	return whole_ns(gemm_ns(c, rows, s.hidden, s.vocab) + move_ns(c, logits * LOGIT_BYTES) +
			link_ns(c, logits * ACTIVATION_BYTES, 1));
}

int quire_cost_init(struct quire_cost *c, const struct quire_model *model,
		    const struct quire_gpu *gpu, const struct quire_cost_config *config)
{
	const int rc = shard_check(model, config);
	struct shard s;
	double pair_ns, key_ns, key_bytes;

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
	s = shard_of(model, config->tp);
	key_bytes = (double)(s.layers * 2 * s.kv_width) * config->kv_bits / 8;
	pair_ns = (double)(s.layers * 4 * s.heads_width) /
		  (gpu->attention_flops_share * gpu->peak_flops) * 1e9;
	key_ns = key_bytes / (gpu->attention_bytes_share * gpu->bandwidth) * 1e9;
	c->pair_units = (uint64_t)ceil(pair_ns * UNITS_PER_NS);
	c->key_units = (uint64_t)ceil(key_ns * UNITS_PER_NS);
	c->single_units = c->pair_units > c->key_units ? c->pair_units : c->key_units;
	c->attention_launch_ns = whole_ns((double)s.layers * gpu->attention_launch_ns);
	c->step_ns = whole_ns(gpu->step_ns);
	c->seq_ns = whole_ns(gpu->seq_ns);
	c->copy_ns = move_ns(c, 2 * key_bytes);
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
	const uint64_t flops_units = pairs * c->pair_units, bytes_units = context * c->key_units;

	b->chunk_units += seqs * (flops_units > bytes_units ? flops_units : bytes_units);
	b->chunk_pairs += seqs * pairs;
	b->chunk_context += seqs * context;
}

void quire_cost_batch_add(const struct quire_cost *c, struct quire_cost_batch *b, uint64_t seqs,
			  uint64_t tokens, uint64_t cached, bool sampled)
{
	b->seqs += seqs;
	b->tokens += seqs * tokens;
	if (sampled)
		b->rows += seqs;
	if (tokens == 1)
		b->single_context += seqs * (cached + 1);
	else
		add_chunks(c, b, seqs, tokens, cached);
}

void quire_cost_batch_plan(const struct quire_cost *c, const struct quire_plan *plan,
			   struct quire_cost_batch *b)
{
	uint64_t rows = 0, single_context = 0;

	memset(b, 0, sizeof(*b));
	for (uint32_t i = 0; i < plan->copies.count; i++)
		b->copied_slots += plan->copies.at[i].slots;
	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_item *item = &plan->items[i];
		const struct quire_seq *seq = item->seq;

		/* a kept row samples, too, and nobody reads it */
		rows += item->candidates > 0 || seq->state == QUIRE_FINISHED;
		if (item->tokens == 1)
			single_context += (uint64_t)seq->cached_tokens + 1;
		else if (!plan->pad_tokens)
			add_chunks(c, b, 1, item->tokens, seq->cached_tokens);
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
}

static uint64_t attention_ns(const struct quire_cost *c, const struct quire_cost_batch *b)
{
	const uint64_t units = b->single_context * c->single_units + b->chunk_units;

	return (units + (uint64_t)UNITS_PER_NS - 1) / (uint64_t)UNITS_PER_NS +
	       c->attention_launch_ns;
}

static uint64_t copies_ns(const struct quire_cost *c, const struct quire_cost_batch *b)
{
	return b->copied_slots
		       ? whole_ns((double)b->copied_slots * c->copy_ns + c->gpu.gemm_launch_ns)
		       : 0;
}

uint64_t quire_cost_batch_ns(struct quire_cost *c, const struct quire_cost_batch *b)
{
	uint64_t layers, head;

	if (b->tokens > c->config.step_tokens_max) {
		layers = layers_ns(c, b->tokens);
	} else {
		layers = c->layers_ns[b->tokens];
		if (!layers)
			layers = c->layers_ns[b->tokens] = layers_ns(c, b->tokens);
	}
	if (b->rows > c->config.seqs_max) {
		head = head_ns(c, b->rows);
	} else {
		head = c->head_ns[b->rows];
		if (!head)
			head = c->head_ns[b->rows] = head_ns(c, b->rows);
	}
	return layers + head + attention_ns(c, b) + copies_ns(c, b) + c->step_ns +
	       b->seqs * c->seq_ns;
}

void quire_cost_batch_parts(const struct quire_cost *c, const struct quire_cost_batch *b,
			    struct quire_cost_parts *p)
{
	layers_parts(c, b->tokens, p);
	p->attention_ns = attention_ns(c, b);
	p->head_ns = head_ns(c, b->rows);
	p->copies_ns = copies_ns(c, b);
	p->host_ns = c->step_ns + b->seqs * c->seq_ns;
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
	const struct shard s = shard_of(&c->model, c->config.tp);
	const double layer = (double)s.hidden * (double)(s.qkv_width + s.heads_width) +
			     (double)s.hidden * (double)(s.mlp_in_width + s.intermediate);
	const double head = b->rows ? (double)s.hidden * (double)s.vocab : 0;
	const double pairs = (double)b->single_context + (double)b->chunk_pairs;
	const double keys = (double)b->single_context + (double)b->chunk_context;

	r->flops = 2.0 * (double)b->tokens * (double)s.layers * layer +
		   2.0 * (double)b->rows * head + pairs * (double)(s.layers * 4 * s.heads_width);
	r->bytes = ((double)s.layers * layer + head) * c->config.weight_bits / 8 +
		   keys * (double)(s.layers * 2 * s.kv_width) * c->config.kv_bits / 8;
	r->flops_ns = r->flops / c->gpu.peak_flops * 1e9;
	r->bytes_ns = r->bytes / c->gpu.bandwidth * 1e9;
}

void quire_memory_split(const struct quire_model *m, const struct quire_gpu *gpu,
			const struct quire_cost_config *config, double utilization,
			struct quire_memory *memory)
{
	const struct shard s = shard_of(m, config->tp);
	const double token_elements =
		(double)(4 * s.hidden + s.qkv_width + s.mlp_in_width + s.intermediate);

	memory->memory_bytes = gpu->memory_bytes;
	memory->usable_bytes = gpu->memory_bytes * utilization;
	memory->weight_bytes =
		(double)quire_model_weight_bytes(m, config->weight_bits) / config->tp;
	memory->workspace_bytes =
		CONTEXT_BYTES +
		(double)config->step_tokens_max * token_elements * ACTIVATION_BYTES +
		(double)config->seqs_max * (double)m->vocab * LOGIT_BYTES;
	memory->kv_bytes = memory->usable_bytes - memory->weight_bytes - memory->workspace_bytes;
	memory->slot_bytes = (double)(s.layers * 2 * s.kv_width) * config->kv_bits / 8;
	memory->slots =
		memory->kv_bytes > 0 ? (uint64_t)(memory->kv_bytes / memory->slot_bytes) : 0;
}

int quire_kv_slots(const struct quire_model *m, const struct quire_gpu *gpu,
		   const struct quire_cost_config *config, double utilization, uint32_t *slots)
{
	struct quire_memory memory;
	const int rc = shard_check(m, config);

	*slots = 0;
	if (rc)
		return rc;
	quire_memory_split(m, gpu, config, utilization, &memory);
	if (memory.slots == 0)
		return quire_fail(
			-E2BIG,
			"%s does not fit %s: weights of %.1f GB and a workspace of %.1f GB "
			"leave nothing of %.1f GB (%.0f %% of its memory) for keys and "
			"values; try a larger --tp or a smaller --weight-dtype",
			m->name, gpu->name, memory.weight_bytes / 1e9, memory.workspace_bytes / 1e9,
			memory.usable_bytes / 1e9, utilization * 100);
	*slots = memory.slots > UINT32_MAX ? UINT32_MAX : (uint32_t)memory.slots;
	return 0;
}
