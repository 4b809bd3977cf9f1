/*
 * plan_page.c - the pages of "quire plan": the figures that they share, the heading,
 * and the sweep.  The page for one batch is plan_one.c.
 */
#include "plan_page.h"
#include "cli.h"
#include "plan_one.h"
#include "units.h"

#include <math.h>

const char *quire_plan_bound(const struct quire_phase *phase)
{
	return phase->flops_ns > phase->bytes_ns ? "compute" : "memory";
}

static double step_s(const struct quire_phase *phase, double ns)
{
	return phase->steps ? ns * 1e-9 / (double)phase->steps : 0;
}

double quire_plan_tpot_s(const struct quire_estimate *e)
{
	return step_s(&e->decode, (double)e->decode.model_ns);
}

double quire_plan_ttft_s(const struct quire_estimate *e)
{
	return (double)e->prefill.model_ns * 1e-9;
}

double quire_plan_e2e_s(const struct quire_estimate *e)
{
	return (double)(e->prefill.model_ns + e->decode.model_ns) * 1e-9;
}

double quire_plan_throughput(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	return (double)e->batch * p->config.output_tokens / quire_plan_e2e_s(e);
}

bool quire_plan_shown(const struct quire_plan_page *p, const struct quire_estimate *e)
{
	return (e->batch & (e->batch - 1)) == 0 || e->batch == p->batch_first ||
	       e->batch == p->batch_last || e->batch == p->batch_max;
}

void quire_plan_print_title(const struct quire_plan_page *p)
{
	const struct quire_estimate_config *c = &p->config;
	const struct quire_gpu *g = &c->gpu;
	const uint64_t tokens = (uint64_t)c->prompt_tokens + c->output_tokens;
	struct quire_params params;

	quire_model_params(&c->model, &params);
	if (p->gpus_count > 1)
		printf("%s on %u x one of %u GPUs: ", c->model.name, c->cost.tp, p->gpus_count);
	else
		printf("%s on %u x %s: ", c->model.name, c->cost.tp, g->name);
	printf("%s prompt + %s output tokens", quire_text_count(c->prompt_tokens).s,
	       quire_text_count(c->output_tokens).s);
	if (p->batch_first == p->batch_last)
		printf(", batch %s\n\n", quire_text_count(p->batch_first).s);
	else
		printf(", batch %s to %s\n\n", quire_text_count(p->batch_first).s,
		       quire_text_count(p->batch_last).s);
	printf("Parameters  %s B", quire_text_si((double)params.total / 1e9, 4, "").s);
	if (params.active < params.total)
		printf(", of which a token meets %s B",
		       quire_text_si((double)params.active / 1e9, 4, "").s);
	printf("; %s B by the notes' count (P: one embedding, no head)\n",
	       quire_text_si((double)params.notes / 1e9, 4, "").s);
	printf("Weights     %s in %s\n",
	       quire_text_si((double)quire_model_weight_bytes(&c->model, c->cost.weight_bits), 4,
			     "B")
		       .s,
	       p->weights->name);
	printf("KV cache    %s bytes a token in %s; %s for a request of %s tokens\n",
	       quire_text_count(quire_model_kv_bytes(&c->model, c->cost.kv_bits)).s, p->kv->name,
	       quire_text_si((double)(quire_model_kv_bytes(&c->model, c->cost.kv_bits) * tokens), 3,
			     "B")
		       .s,
	       quire_text_count(tokens).s);
	if (p->gpus_count < 2)
		printf("GPU         %s, %s, %s; balanced at %.0f FLOPs a byte\n",
		       quire_text_si(g->peak_flops, 4, "FLOP/s").s,
		       quire_text_si(g->bandwidth, 3, "B/s").s,
		       quire_text_si(g->memory_bytes, 4, "B").s, g->peak_flops / g->bandwidth);
	if (tokens > c->model.positions_max)
		printf("Beware      %s tokens are more than the %s the model was made for\n",
		       quire_text_count(tokens).s, quire_text_count(c->model.positions_max).s);
	printf("\n");
}

static void print_sweep_table(const struct quire_plan_page *p)
{
	printf("%7s  %9s  %9s  %9s  %11s  %9s  %9s  %s\n", "batch", "E2E", "TTFT", "TPOT",
	       "E2E/token", "token/s", "request/s", "decode bound by");
	for (size_t i = 0; i < p->points_count; i++) {
		const struct quire_estimate *e = &p->points[i];

		if (!quire_plan_shown(p, e))
			continue;
		printf("%7s  %9s  %9s  %9s  %11s  %9s  %9s  %s%s\n", quire_text_count(e->batch).s,
		       quire_text_seconds(quire_plan_e2e_s(e)).s,
		       quire_text_seconds(quire_plan_ttft_s(e)).s,
		       e->decode.steps ? quire_text_seconds(quire_plan_tpot_s(e)).s : "-",
		       quire_text_seconds(quire_plan_e2e_s(e) / p->config.output_tokens).s,
		       quire_text_rate(quire_plan_throughput(p, e)).s,
		       quire_text_rate(e->batch / quire_plan_e2e_s(e)).s,
		       e->decode.steps ? quire_plan_bound(&e->decode) : "-",
		       !e->fits			  ? "; does not fit"
		       : e->batch == p->batch_max ? "; the most that fits"
						  : "");
	}
	printf("E2E: from start to end of the batch.  TTFT: until all prompts are done.  TPOT: an\n"
	       "output token of one sequence.  token/s: output tokens of all sequences.\n\n");
}

/* A bar of @length eighths of a column, and blanks up to @columns. */
static void print_bar(double share, int columns, bool utf8)
{
	static const char *const eighths[] = {"",
					      "\xe2\x96\x8f",
					      "\xe2\x96\x8e",
					      "\xe2\x96\x8d",
					      "\xe2\x96\x8c",
					      "\xe2\x96\x8b",
					      "\xe2\x96\x8a",
					      "\xe2\x96\x89"};
	int length = (int)lround(share * columns * 8), used = length / 8;

	if (length == 0)
		length = 1;
	for (int i = 0; i < used; i++)
		fputs(utf8 ? "\xe2\x96\x88" : "#", stdout);
	if (utf8 && length % 8) {
		fputs(eighths[length % 8], stdout);
		used++;
	} else if (!utf8 && used == 0) {
		putchar('|');
		used++;
	}
	for (int i = used; i < columns; i++)
		putchar(' ');
}

static void print_sweep_chart(const struct quire_plan_page *p)
{
	const bool utf8 = quire_terminal_utf8();
	const int columns = 24;
	double rate_max = 0, tpot_max = 0;

	for (size_t i = 0; i < p->points_count; i++) {
		rate_max = fmax(rate_max, quire_plan_throughput(p, &p->points[i]));
		tpot_max = fmax(tpot_max, quire_plan_tpot_s(&p->points[i]));
	}
	printf("%7s  %-*s  %s\n", "batch", columns + 10, "throughput, output token/s", "TPOT");
	for (size_t i = 0; i < p->points_count; i++) {
		const struct quire_estimate *e = &p->points[i];

		if (!quire_plan_shown(p, e))
			continue;
		printf("%7s  ", quire_text_count(e->batch).s);
		print_bar(quire_plan_throughput(p, e) / rate_max, columns, utf8);
		printf(" %-9s  ", quire_text_rate(quire_plan_throughput(p, e)).s);
		if (e->decode.steps) {
			print_bar(quire_plan_tpot_s(e) / tpot_max, columns, utf8);
			printf(" %s", quire_text_seconds(quire_plan_tpot_s(e)).s);
		}
		printf("%s\n", e->fits ? "" : "  (does not fit)");
	}
	printf("\n");
}

static void print_sweep(const struct quire_plan_page *p)
{
	print_sweep_table(p);
	print_sweep_chart(p);
	if (p->batch_max)
		printf("Memory holds %s such requests at most (%.0f %% of %s).\n",
		       quire_text_count(p->batch_max).s, p->config.utilization * 100,
		       quire_text_si(p->config.gpu.memory_bytes, 4, "B").s);
	else
		printf("Memory cannot hold even one such request; try a larger --tp or a smaller "
		       "--weight-dtype.\n");
	if (p->chart)
		printf("The chart is in %s.\n", p->chart);
}

void quire_plan_print(const struct quire_plan_page *p)
{
	quire_plan_print_title(p);
	if (p->batch_first == p->batch_last)
		quire_plan_print_one(p);
	else
		print_sweep(p);
}
