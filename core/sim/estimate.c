/*
 * estimate.c - one batch from start to end, see estimate.h.
 */
#include "estimate.h"

#include <string.h>

static void at_peak(struct quire_count *count, const struct quire_estimate_config *config)
{
	const double peak = config->gpu.peak_flops * config->cost.tp;

	count->prefill_s = count->prefill_flops / peak;
	count->decode_s = count->decode_flops / peak;
}

static void count_by_hand(struct quire_estimate *e, const struct quire_estimate_config *config)
{
	const double batch = e->batch, prompt = config->prompt_tokens;
	const double context = prompt + config->output_tokens / 2.0;
	const double pair = (double)quire_model_pair_flops(&config->model);
	struct quire_matrices x;
	struct quire_params p;
	double layers;

	quire_model_params(&config->model, &p);
	quire_model_matrices(&config->model, &x);
	layers = (double)(x.qkv + x.output + x.mlp);

	e->quick.prefill_flops = 2 * batch * prompt * (double)p.notes;
	e->quick.decode_flops = 2 * batch * (double)p.notes;
	e->notes.prefill_flops = batch * (2 * prompt * layers + pair * prompt * prompt);
	e->notes.decode_flops = batch * (2 * layers + pair * context);
	e->exact.prefill_flops = batch * (2 * prompt * layers + pair * prompt * (prompt + 1) / 2 +
					  2 * (double)x.head);
	e->exact.decode_flops = batch * (2 * (layers + (double)x.head) + pair * context);
	at_peak(&e->quick, config);
	at_peak(&e->notes, config);
	at_peak(&e->exact, config);
}

/* Add @steps steps alike. */
static void run(struct quire_cost *cost, const struct quire_cost_batch *batch, uint64_t steps,
		struct quire_phase *phase)
{
	const double n = (double)steps;
	struct quire_roofline r;

	quire_cost_roofline(cost, batch, &r);
	phase->steps += steps;
	phase->flops += n * r.flops;
	phase->bytes += n * r.bytes;
	phase->flops_ns += n * r.flops_ns;
	phase->bytes_ns += n * r.bytes_ns;
	phase->roofline_ns += n * (r.flops_ns > r.bytes_ns ? r.flops_ns : r.bytes_ns);
	phase->model_ns += steps * quire_cost_batch_ns(cost, batch);
}

static void add_parts(struct quire_cost_parts *to, const struct quire_cost_parts *p, uint64_t n)
{
	to->qkv_ns += n * p->qkv_ns;
	to->attention_ns += n * p->attention_ns;
	to->output_ns += n * p->output_ns;
	to->mlp_ns += n * p->mlp_ns;
	to->small_ns += n * p->small_ns;
	to->head_ns += n * p->head_ns;
	to->link_ns += n * p->link_ns;
	to->copies_ns += n * p->copies_ns;
	to->host_ns += n * p->host_ns;
}

/* @steps steps of @seqs prompts each, or pieces of them. */
static void prefill_step(struct quire_cost *cost, struct quire_estimate *e, uint64_t steps,
			 uint64_t seqs, uint64_t tokens, uint64_t cached, bool sampled)
{
	struct quire_cost_batch batch = {.tokens = 0};
	struct quire_cost_parts parts;

	if (steps == 0 || seqs == 0)
		return;
	quire_cost_batch_add(cost, &batch, seqs, tokens, cached, sampled);
	run(cost, &batch, steps, &e->prefill);
	quire_cost_batch_parts(cost, &batch, &parts);
	add_parts(&e->prefill_parts, &parts, steps);
}

/* Whole prompts as they fit a step; a longer one is cut into chunks. */
static void prefill(struct quire_cost *cost, struct quire_estimate *e,
		    const struct quire_estimate_config *config)
{
	const uint64_t prompt = config->prompt_tokens, budget = config->cost.step_tokens_max;
	uint64_t seqs, tokens;

	if (prompt <= budget) {
		seqs = budget / prompt;
		prefill_step(cost, e, e->batch / seqs, seqs, prompt, 0, true);
		prefill_step(cost, e, 1, e->batch % seqs, prompt, 0, true);
		return;
	}
	for (uint64_t cached = 0; cached < prompt; cached += tokens) {
		tokens = prompt - cached < budget ? prompt - cached : budget;
		prefill_step(cost, e, e->batch, 1, tokens, cached, cached + tokens == prompt);
	}
}

static void decode(struct quire_cost *cost, struct quire_estimate *e,
		   const struct quire_estimate_config *config)
{
	const uint64_t prompt = config->prompt_tokens, output = config->output_tokens;
	struct quire_cost_batch batch;

	for (uint64_t i = 1; i < output; i++) {
		memset(&batch, 0, sizeof(batch));
		quire_cost_batch_add(cost, &batch, e->batch, 1, prompt + i - 1, true);
		run(cost, &batch, 1, &e->decode);
	}
	memset(&batch, 0, sizeof(batch));
	quire_cost_batch_add(cost, &batch, e->batch, 1, prompt + (output - 1) / 2, true);
	quire_cost_batch_parts(cost, &batch, &e->decode_parts);
}

static void split_memory(const struct quire_estimate_config *config, uint32_t batch,
			 struct quire_memory *memory)
{
	struct quire_cost_config cost = config->cost;

	cost.seqs_max = batch;
	quire_memory_split(&config->model, &config->gpu, &cost, config->utilization, memory);
}

static uint64_t slots_of(const struct quire_estimate_config *config, uint64_t batch)
{
	return batch * ((uint64_t)config->prompt_tokens + config->output_tokens);
}

int quire_estimate(struct quire_estimate *e, const struct quire_estimate_config *config,
		   uint32_t batch)
{
	struct quire_cost_config tables = config->cost;
	struct quire_cost cost;
	int rc;

	memset(e, 0, sizeof(*e));
	e->batch = batch;
	tables.seqs_max = batch;
	rc = quire_cost_init(&cost, &config->model, &config->gpu, &tables);
	if (rc)
		return rc;
	count_by_hand(e, config);
	prefill(&cost, e, config);
	decode(&cost, e, config);
	quire_cost_free(&cost);
	split_memory(config, batch, &e->memory);
	e->slots = slots_of(config, batch);
	e->fits = e->slots <= e->memory.slots;
	return 0;
}

uint32_t quire_estimate_batch_max(const struct quire_estimate_config *config)
{
	uint32_t low = 0, high = UINT32_MAX; /* low fits, high does not */
	struct quire_memory memory;

	while (high - low > 1) {
		const uint32_t middle = low + (high - low) / 2;

		split_memory(config, middle, &memory);
		if (slots_of(config, middle) <= memory.slots)
			low = middle;
		else
			high = middle;
	}
	return low;
}
