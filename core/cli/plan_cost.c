/*
 * plan_cost.c - see plan_cost.h.
 */
#include "plan_cost.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct quire_plan_cost quire_plan_cost(const struct quire_plan_page *p,
				       const struct quire_estimate *e)
{
	const double usd_per_ns = p->price_usd * p->config.cost.tp / 3600e9;
	const double million = 1e6 / e->batch;
	struct quire_plan_cost cost = {
		.input_usd = usd_per_ns * (double)e->prefill.model_ns * million /
			     p->config.prompt_tokens,
		.output_usd = NAN,
	};

	if (e->decode.steps)
		cost.output_usd =
			usd_per_ns * (double)e->decode.model_ns * million / (double)e->decode.steps;
	return cost;
}

uint32_t quire_plan_context(const struct quire_plan_page *p, size_t index)
{
	const uint32_t last = p->config.model.positions_max;
	uint32_t context = last < 1024 ? last : 1024;

	while (index-- > 0) {
		if (context >= last)
			return 0;
		context = context * 2 > last ? last : context * 2;
	}
	return context;
}

void quire_plan_print_concurrency(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	uint32_t context;

	if (!e->memory.slots)
		return;
	printf("\nConcurrency: sequences that the pool of %s tokens holds, by their length\n",
	       quire_text_count(e->memory.slots).s);
	printf("  tokens    ");
	for (size_t i = 0; (context = quire_plan_context(p, i)); i++)
		printf(" %8s", quire_text_count(context).s);
	printf("\n  sequences ");
	for (size_t i = 0; (context = quire_plan_context(p, i)); i++)
		printf(" %8s", quire_text_count(e->memory.slots / context).s);
	printf("\n");
}

static void print_cost_line(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	const struct quire_plan_cost cost = quire_plan_cost(p, e);

	printf("  batch %-6s input $%.4f, output ", quire_text_count(e->batch).s, cost.input_usd);
	if (isfinite(cost.output_usd))
		printf("$%.4f: %.*f times as much\n", cost.output_usd,
		       cost.output_usd < 10 * cost.input_usd, cost.output_usd / cost.input_usd);
	else
		printf("-: the only output token comes with the prompt\n");
}

void quire_plan_print_cost(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	const double weights =
		(double)quire_model_weight_bytes(&p->config.model, p->config.cost.weight_bits);
	struct quire_estimate most;

	if (!(p->price_usd > 0))
		return;
	printf("\nA million tokens, at $%.2f an hour and GPU, busy all the time\n", p->price_usd);
	print_cost_line(p, e);
	if (p->batch_max > e->batch && quire_estimate(&most, &p->config, p->batch_max) == 0)
		print_cost_line(p, &most);
	if (!e->decode.steps)
		return;
	printf("  Why output costs more: a prompt's tokens go through the model together, and "
	       "share\n"
	       "  one reading of its weights (%s%s); each output token needs a step of its\n"
	       "  own, which reads them again, and its sequence's K and V, for one token. Only\n"
	       "  other sequences of the batch share that reading, and K and V not even they.\n",
	       quire_text_si(weights, 3, "B").s,
	       p->config.model.experts ? ", or the experts it meets" : "");
}

void quire_plan_print_gpus(const struct quire_plan_page *p, const struct quire_estimate *points)
{
	const bool priced = p->price_usd > 0;

	printf("%-14s %8s %9s %9s %10s  %-5s %9s %9s %9s %9s%s\n", "GPU", "memory", "weights",
	       "KV pool", "tokens", "fits", "largest", "TTFT", "TPOT", "token/s",
	       priced ? "   input  output" : "");
	printf("%-14s %8s %9s %9s %10s  %-5s %9s %9s %9s %9s%s\n", "", "", "", "", "in it", "",
	       "batch", "", "", "", priced ? "   $ a million" : "");
	for (uint32_t i = 0; i < p->gpus_count; i++) {
		const struct quire_estimate *e = &points[i];
		struct quire_plan_page one = *p;

		one.config.gpu = p->gpus[i];
		if (!e->batch) {
			printf("%-14s cannot be cut into %u parts\n", p->gpus[i].name,
			       p->config.cost.tp);
			continue;
		}
		printf("%-14s %8s %9s %9s %10s  %-5s %9s %9s %9s %9s", p->gpus[i].name,
		       quire_text_si(e->memory.memory_bytes, 3, "B").s,
		       quire_text_si(e->memory.weight_bytes, 3, "B").s,
		       e->memory.kv_bytes > 0 ? quire_text_si(e->memory.kv_bytes, 3, "B").s : "-",
		       quire_text_count(e->memory.slots).s, e->fits ? "yes" : "NO",
		       quire_text_count(quire_estimate_batch_max(&one.config)).s,
		       quire_text_seconds(quire_plan_ttft_s(e)).s,
		       e->decode.steps ? quire_text_seconds(quire_plan_tpot_s(e)).s : "-",
		       quire_text_rate(quire_plan_throughput(&one, e)).s);
		if (priced) {
			const struct quire_plan_cost cost = quire_plan_cost(&one, e);

			printf(" %8.3f %7.3f", cost.input_usd, cost.output_usd);
		}
		printf("\n");
	}
	printf("\nOf each GPU of %u: its memory, its part of the weights, what is left of %.0f %% "
	       "of "
	       "it for K\nand V.  Largest batch: requests of %s + %s tokens.  Times of batch %s by "
	       "the cost model,\nalso where it does not fit.%s\n",
	       p->config.cost.tp, p->config.utilization * 100,
	       quire_text_count(p->config.prompt_tokens).s,
	       quire_text_count(p->config.output_tokens).s, quire_text_count(p->batch_first).s,
	       priced ? "  Dollars at the same price for all." : "");
}
