/*
 * plan_one.c - the page of "quire plan" for one batch: five ways of counting beside
 * each other, why they differ, what bounds them, where the time goes, what fits.
 */
#include "plan_one.h"
#include "plan_cost.h"
#include "units.h"

#include <math.h>
#include <stdio.h>

#define ROW "%-22s %12s %9s   %12s %9s %9s\n"

static void print_count(const char *name, const struct quire_estimate *e,
			const struct quire_count *n, bool decodes)
{
	printf(ROW, name, quire_text_si(n->prefill_flops, 4, "FLOP").s,
	       quire_text_seconds(n->prefill_s).s,
	       decodes ? quire_text_si(n->decode_flops, 3, "FLOP").s : "-",
	       decodes ? quire_text_seconds(n->decode_s).s : "-",
	       decodes ? quire_text_rate(e->batch / n->decode_s).s : "-");
}

static void print_counts(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	const double tp = p->config.cost.tp;
	const bool decodes = e->decode.steps > 0;
	const double roofline_s =
		decodes ? e->decode.roofline_ns * 1e-9 / (double)e->decode.steps : 0;
	const double bytes = e->decode.steps ? e->decode.bytes * tp / (double)e->decode.steps : 0;

	printf("%-22s %12s %9s   %12s\n", "", "prefill", "", "a decode step");
	printf(ROW, "counted as", "work", "time", "work", "time", "token/s");
	print_count("quick: 2 P a token", e, &e->quick, decodes);
	print_count("notes: by parts", e, &e->notes, decodes);
	print_count("exact: by parts", e, &e->exact, decodes);
	printf(ROW, "roofline: bytes too", quire_text_si(e->prefill.bytes * tp, 4, "B").s,
	       quire_text_seconds(e->prefill.roofline_ns * 1e-9).s,
	       decodes ? quire_text_si(bytes, 3, "B").s : "-",
	       decodes ? quire_text_seconds(roofline_s).s : "-",
	       decodes ? quire_text_rate(e->batch / roofline_s).s : "-");
	printf(ROW, "cost model", "", quire_text_seconds(quire_plan_ttft_s(e)).s, "",
	       decodes ? quire_text_seconds(quire_plan_tpot_s(e)).s : "-",
	       decodes ? quire_text_rate(e->batch / quire_plan_tpot_s(e)).s : "-");
	printf("\n");
}

/* @value with its first digit only: 0.0644 -> 0.06. */
static double first_digit(double value)
{
	const double power = pow(10, floor(log10(value)));

	return floor(value / power) * power;
}

static void print_why(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	const struct quire_estimate_config *c = &p->config;
	const double peak = c->gpu.peak_flops * c->cost.tp;
	struct quire_params params;
	struct quire_matrices x;
	double params_round, prompt_round;

	quire_model_params(&c->model, &params);
	quire_model_matrices(&c->model, &x);
	params_round = params.notes >= 10000000000u ? nearbyint((double)params.notes / 1e9) * 1e9
						    : nearbyint((double)params.notes / 1e8) * 1e8;
	prompt_round = first_digit(c->prompt_tokens);
	printf("Why they differ\n");
	printf("  quick     every token meets all P parameters, at the peak; nothing else "
	       "counts\n");
	printf("            (by hand, P = %.4g B, prompt %s: %s, %.0f ms; %s a token, %s "
	       "token/s)\n",
	       params_round / 1e9, quire_text_count((uint64_t)prompt_round).s,
	       quire_text_si(2 * e->batch * prompt_round * params_round, 3, "FLOP").s,
	       floor(2 * e->batch * prompt_round * params_round / peak * 1e3),
	       quire_text_si(2 * params_round, 3, "FLOP").s,
	       quire_text_count((uint64_t)(peak / (2 * params_round))).s);
	printf("  notes     the layers' matrices (%s B), no embedding; attention over the full\n"
	       "            square of a prompt, and over %s tokens of context when decoding\n",
	       quire_text_si((double)(x.qkv + x.output + x.mlp) / 1e9, 4, "").s,
	       quire_text_count((uint64_t)(c->prompt_tokens + c->output_tokens / 2.0)).s);
	printf("            (%s cut to %s: %s token/s)\n",
	       quire_text_si(e->notes.decode_flops / e->batch, 3, "FLOP").s,
	       quire_text_si(first_digit(e->notes.decode_flops / e->batch), 1, "FLOP").s,
	       quire_text_count((uint64_t)(peak / first_digit(e->notes.decode_flops / e->batch)))
		       .s);
	printf("  exact     a token looks back only: half the square; and the head, %s\n"
	       "            for each row that is sampled\n",
	       quire_text_si(2 * (double)x.head, 3, "FLOP").s);
	printf("  roofline  every step also reads all weights and all K and V: the slower of\n"
	       "            computing and reading, both at the datasheet's rate\n");
	printf("  model     real kernels reach %.0f %% of the peak and %.0f %% of the bandwidth;\n"
	       "            launches, small kernels%s and the host take their time\n\n",
	       c->gpu.gemm_flops_share * 100, c->gpu.gemm_bytes_share * 100,
	       c->cost.tp > 1 ? ", all-reduces" : "");
}

static void print_bound(const char *name, const struct quire_phase *phase, double steps)
{
	printf("  %-8s %-8s computing %s, reading %s\n", name, quire_plan_bound(phase),
	       quire_text_seconds(phase->flops_ns * 1e-9 / steps).s,
	       quire_text_seconds(phase->bytes_ns * 1e-9 / steps).s);
}

static void print_parts(const char *name, const struct quire_cost_parts *p)
{
	const double all = (double)quire_cost_parts_ns(p);
	const struct {
		const char *name;
		uint64_t ns;
	} parts[] = {
		{"QKV", p->qkv_ns},   {"attention", p->attention_ns}, {"output", p->output_ns},
		{"MLP", p->mlp_ns},   {"small", p->small_ns},	      {"head", p->head_ns},
		{"link", p->link_ns}, {"host", p->host_ns},
	};

	printf("  %-8s", name);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].ns)
			printf(" %s %.1f %%%s", parts[i].name, 100 * (double)parts[i].ns / all,
			       i + 1 < sizeof(parts) / sizeof(parts[0]) ? "," : "");
	}
	printf("\n");
}

static void print_memory(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	const struct quire_memory *m = &e->memory;
	const double kv_bytes = (double)e->slots * m->slot_bytes;
	const double all = m->weight_bytes + m->workspace_bytes + kv_bytes;

	printf("Memory%s: weights %s + workspace %s + KV %s = %s\n",
	       p->config.cost.tp > 1 ? " of each GPU" : "",
	       quire_text_si(m->weight_bytes, 3, "B").s,
	       quire_text_si(m->workspace_bytes, 3, "B").s, quire_text_si(kv_bytes, 3, "B").s,
	       quire_text_si(all, 3, "B").s);
	printf("  %s %s, which is %.0f %% of %s\n", e->fits ? "fits" : "DOES NOT FIT",
	       quire_text_si(m->usable_bytes, 3, "B").s, p->config.utilization * 100,
	       quire_text_si(m->memory_bytes, 4, "B").s);
	if (p->batch_max)
		printf("  the largest batch of such requests that fits: %s\n",
		       quire_text_count(p->batch_max).s);
	else
		printf("  not even one such request fits; try a larger --tp or a smaller "
		       "--weight-dtype\n");
}

void quire_plan_print_one(const struct quire_plan_page *p)
{
	const struct quire_estimate *e = &p->points[0];

	print_counts(p, e);
	print_why(p, e);
	printf("Bound by%s\n", p->config.cost.tp > 1 ? ", on each GPU" : "");
	print_bound("prefill", &e->prefill, 1);
	if (e->decode.steps)
		print_bound("decode", &e->decode, (double)e->decode.steps);
	printf("\nWhere the model's time goes\n");
	print_parts("prefill", &e->prefill_parts);
	if (e->decode.steps)
		print_parts("decode", &e->decode_parts);
	printf("\nFrom start to end, by the model: TTFT %s, ",
	       quire_text_seconds(quire_plan_ttft_s(e)).s);
	if (e->decode.steps)
		printf("TPOT %s, ", quire_text_seconds(quire_plan_tpot_s(e)).s);
	printf("E2E %s, %s output token/s\n\n", quire_text_seconds(quire_plan_e2e_s(e)).s,
	       quire_text_rate(quire_plan_throughput(p, e)).s);
	print_memory(p, e);
	quire_plan_print_concurrency(p, e);
	quire_plan_print_cost(p, e);
}
