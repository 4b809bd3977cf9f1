/*
 * plan_json.c - what "quire plan" found, as JSON.
 */
#include "core/trace/json_build.h"
#include "plan_cost.h"
#include "plan_page.h"

#include <math.h>

static json_t *json_count(const struct quire_estimate *e, const struct quire_count *n)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f}", "prefill_flops", n->prefill_flops,
			 "prefill_s", n->prefill_s, "decode_flops_per_token",
			 n->decode_flops / e->batch, "decode_step_s", n->decode_s,
			 "decode_tokens_per_s", e->batch / n->decode_s);
}

static json_t *json_phase(const struct quire_phase *phase)
{
	const double steps = phase->steps ? (double)phase->steps : 1;

	return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:s}", "steps", (json_int_t)phase->steps,
			 "flops_per_step", phase->flops / steps, "bytes_per_step",
			 phase->bytes / steps, "flops_s", phase->flops_ns * 1e-9, "bytes_s",
			 phase->bytes_ns * 1e-9, "time_s", phase->roofline_ns * 1e-9, "bound",
			 quire_plan_bound(phase));
}

static json_t *json_parts(const struct quire_cost_parts *p)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "qkv",
			 (double)p->qkv_ns * 1e-9, "attention", (double)p->attention_ns * 1e-9,
			 "output", (double)p->output_ns * 1e-9, "mlp", (double)p->mlp_ns * 1e-9,
			 "small", (double)p->small_ns * 1e-9, "head", (double)p->head_ns * 1e-9,
			 "link", (double)p->link_ns * 1e-9, "host", (double)p->host_ns * 1e-9);
}

static json_t *json_cost(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	const struct quire_plan_cost cost = quire_plan_cost(p, e);

	if (!(p->price_usd > 0))
		return json_null();
	return json_pack("{s:f, s:f, s:o}", "gpu_usd_per_h", p->price_usd,
			 "input_usd_per_million_tokens", cost.input_usd,
			 "output_usd_per_million_tokens",
			 isfinite(cost.output_usd) ? json_real(cost.output_usd) : json_null());
}

static json_t *json_concurrency(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	json_t *list = json_array();
	uint32_t context;

	for (size_t i = 0; (context = quire_plan_context(p, i)); i++)
		list = quire_json_append(list, json_pack("{s:I, s:I}", "context_tokens",
							 (json_int_t)context, "sequences",
							 (json_int_t)(e->memory.slots / context)));
	return list;
}

static json_t *json_point(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	json_t *model = json_pack(
		"{s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "ttft_s", quire_plan_ttft_s(e),
		"tpot_s", quire_plan_tpot_s(e), "e2e_s", quire_plan_e2e_s(e),
		"normalized_latency_s", quire_plan_e2e_s(e) / p->config.output_tokens,
		"output_tokens_per_s", quire_plan_throughput(p, e), "requests_per_s",
		e->batch / quire_plan_e2e_s(e), "prefill_parts_s", json_parts(&e->prefill_parts),
		"decode_step_parts_s", json_parts(&e->decode_parts));
	const struct quire_memory *m = &e->memory;

	return json_pack("{s:I, s:b, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:{s:f, s:f, s:f, s:f, s:f, "
			 "s:I}, s:o, s:o}",
			 "batch", (json_int_t)e->batch, "fits", e->fits, "quick",
			 json_count(e, &e->quick), "notes", json_count(e, &e->notes), "exact",
			 json_count(e, &e->exact), "roofline", "prefill", json_phase(&e->prefill),
			 "decode", json_phase(&e->decode), "model", model, "memory", "bytes",
			 m->memory_bytes, "usable_bytes", m->usable_bytes, "weight_bytes",
			 m->weight_bytes, "workspace_bytes", m->workspace_bytes, "kv_bytes",
			 (double)e->slots * m->slot_bytes, "kv_slots", (json_int_t)m->slots,
			 "concurrency", json_concurrency(p, e), "cost", json_cost(p, e));
}

json_t *quire_plan_json(const struct quire_plan_page *p)
{
	const struct quire_estimate_config *c = &p->config;
	json_t *points = json_array();
	struct quire_params params;

	quire_model_params(&c->model, &params);
	for (size_t i = 0; i < p->points_count; i++) {
		if (quire_plan_shown(p, &p->points[i]))
			points = quire_json_append(points, json_point(p, &p->points[i]));
	}
	return json_pack(
		"{s:s, s:s, s:i, s:s, s:s, s:I, s:I, s:I, s:f, s:{s:I, s:I, s:I}, s:I, s:{s:f, "
		"s:f, "
		"s:f}, s:I, s:o}",
		"model", c->model.name, "gpu", c->gpu.name, "tp", (int)c->cost.tp, "weight_dtype",
		p->weights->name, "kv_dtype", p->kv->name, "prompt_tokens",
		(json_int_t)c->prompt_tokens, "output_tokens", (json_int_t)c->output_tokens,
		"step_tokens_max", (json_int_t)c->cost.step_tokens_max, "gpu_memory_utilization",
		c->utilization, "parameters", "total", (json_int_t)params.total, "active",
		(json_int_t)params.active, "notes", (json_int_t)params.notes, "kv_bytes_per_token",
		(json_int_t)quire_model_kv_bytes(&c->model, c->cost.kv_bits), "datasheet",
		"peak_flops", c->gpu.peak_flops, "bandwidth_bytes_per_s", c->gpu.bandwidth,
		"memory_bytes", c->gpu.memory_bytes, "batch_max", (json_int_t)p->batch_max,
		"batches", points);
}
