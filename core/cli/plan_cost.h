/*
 * plan_cost.h - parts of the pages of "quire plan" that are about memory and money: how
 * many sequences fit by context, what a million tokens cost, which GPUs would do.
 */
#ifndef QUIRE_PLAN_COST_H
#define QUIRE_PLAN_COST_H

#include "plan_page.h"

/* US dollars for a million tokens, at p->price_usd an hour and GPU. */
struct quire_plan_cost {
	double input_usd;  /* the prefill's time over its prompts' tokens */
	double output_usd; /* the decode steps' time over the tokens behind the first; NAN: none */
};
struct quire_plan_cost quire_plan_cost(const struct quire_plan_page *p,
				       const struct quire_estimate *e);

/* Context lengths for the table of concurrency: powers of two from 1,024 up to what the
 * model was made for, and that itself.  Return: 0 behind the last. */
uint32_t quire_plan_context(const struct quire_plan_page *p, size_t index);

void quire_plan_print_concurrency(const struct quire_plan_page *p, const struct quire_estimate *e);
void quire_plan_print_cost(const struct quire_plan_page *p, const struct quire_estimate *e);

/* Several GPUs beside each other: the same batch on each; @points [p->gpus_count] holds
 * one estimate of each, batch 0 where the model cannot be cut. */
void quire_plan_print_gpus(const struct quire_plan_page *p, const struct quire_estimate *points);

#endif /* QUIRE_PLAN_COST_H */
