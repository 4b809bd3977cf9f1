/*
 * fit.c - see fit.h.
 */
#include "fit.h"

#include "descend.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum quire_fit_kind quire_fit_kind(const struct quire_fit_step *step)
{
	uint32_t single = 0;

	for (uint32_t i = 0; i < step->items_count; i++)
		single += step->items[i].tokens == 1;
	return single == step->items_count ? QUIRE_FIT_SINGLE
	       : single			   ? QUIRE_FIT_MIXED
					   : QUIRE_FIT_CHUNKS;
}

static void batch_of(const struct quire_cost *cost, const struct quire_fit_step *step,
		     struct quire_cost_batch *batch)
{
	memset(batch, 0, sizeof(*batch));
	batch->copied_slots = step->copied_slots;
	for (uint32_t i = 0; i < step->items_count; i++)
		quire_cost_batch_add(cost, batch, 1, step->items[i].tokens, step->items[i].cached,
				     step->items[i].sampled);
}

static double predict(struct quire_cost *cost, const struct quire_fit_step *step)
{
	struct quire_cost_batch batch;

	batch_of(cost, step, &batch);
	return (double)quire_cost_batch_ns(cost, &batch);
}

int quire_fit_score(const struct quire_gpu *gpu, const struct quire_model *model,
		    const struct quire_cost_config *config, const struct quire_fit_step *steps,
		    uint32_t count, enum quire_fit_kind kind, bool held,
		    struct quire_fit_score *score)
{
	struct quire_cost cost;
	double predicted = 0, measured = 0, error;
	int rc = quire_cost_init(&cost, model, gpu, config);

	if (rc)
		return rc;
	*score = (struct quire_fit_score){.steps = 0};
	for (uint32_t i = 0; i < count; i++) {
		double ns;

		if (steps[i].held != held || quire_fit_kind(&steps[i]) != kind)
			continue;
		ns = predict(&cost, &steps[i]);
		error = fabs(ns / (double)steps[i].ns - 1);
		predicted += ns;
		measured += (double)steps[i].ns;
		score->steps++;
		score->error += error;
		score->worst = error > score->worst ? error : score->worst;
	}
	score->error /= score->steps;
	score->bias = predicted / measured - 1;
	quire_cost_free(&cost);
	return 0;
}

struct problem {
	struct quire_gpu *gpu;
	const struct quire_model *model;
	const struct quire_cost_config *config;
	const struct quire_fit_step *steps;
	uint32_t count;
};

/* Of means: over the kinds, of means over the rounds.  A cost that cannot be made is no good. */
static double loss(const void *arg)
{
	const struct problem *p = arg;
	struct {
		double error;
		uint32_t steps;
	} of[QUIRE_FIT_KINDS][QUIRE_FIT_ROUNDS_MAX] = {0};
	struct quire_cost cost;
	double sum = 0;
	int kinds = 0;

	if (quire_cost_init(&cost, p->model, p->gpu, p->config))
		return INFINITY;
	for (uint32_t i = 0; i < p->count; i++) {
		const struct quire_fit_step *s = &p->steps[i];
		const enum quire_fit_kind kind = quire_fit_kind(s);

		if (s->held)
			continue;
		of[kind][s->round].error += fabs(predict(&cost, s) / (double)s->ns - 1);
		of[kind][s->round].steps++;
	}
	quire_cost_free(&cost);
	for (int kind = 0; kind < QUIRE_FIT_KINDS; kind++) {
		double errors = 0;
		int rounds = 0;

		for (int r = 0; r < QUIRE_FIT_ROUNDS_MAX; r++)
			if (of[kind][r].steps) {
				errors += of[kind][r].error / of[kind][r].steps;
				rounds++;
			}
		if (rounds) {
			sum += errors / rounds;
			kinds++;
		}
	}
	return kinds ? sum / kinds : INFINITY;
}

static double search(const struct problem *p)
{
	struct quire_gpu *g = p->gpu;
	const struct quire_constant constants[] = {
		{&g->gemm_bytes_share, 1},
		{&g->gemm_flops_share, 1},
		{&g->step_ns, 0},
		{&g->seq_ns, 0},
		{&g->chunk_ns, 0},
		{&g->gemm_launch_ns, 0},
		{&g->attention_bytes_share, 1},
		{&g->attention_flops_share, 1},
		{&g->attention_launch_ns, 0},
		{&g->attention_tile_ns, 0},
	};
	const struct quire_descent descent = {
		.loss = loss,
		.arg = p,
		.constants = constants,
		.count = sizeof(constants) / sizeof(*constants),
		.step = 0.3,
		.keep = 0.9999,
		.rounds_max = 20,
	};

	return quire_descend(&descent);
}

/*
 * Whole steps have @deviation.  Which part of a step it comes from cannot be told, so all
 * get the same, e; and parts are independent (cost.c), so that of a step is
 * e sqrt(sum of part^2) / sum of part: of several parts alike, less than e.
 */
static int share_error(const struct problem *p, double deviation)
{
	struct quire_gpu *g = p->gpu;
	struct quire_cost cost;
	double sum = 0, steps = 0;
	int rc = quire_cost_init(&cost, p->model, g, p->config);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < p->count; i++) {
		struct quire_cost_batch batch;
		struct quire_cost_parts parts;
		double all, gemm, attention, rest;

		if (p->steps[i].held)
			continue;
		batch_of(&cost, &p->steps[i], &batch);
		quire_cost_batch_parts(&cost, &batch, &parts);
		all = (double)quire_cost_parts_ns(&parts);
		gemm = (double)(parts.qkv_ns + parts.output_ns + parts.mlp_ns + parts.head_ns);
		attention = (double)parts.attention_ns;
		rest = all - gemm - attention;
		sum += sqrt(gemm * gemm + attention * attention + rest * rest) / all;
		steps++;
	}
	quire_cost_free(&cost);
	g->gemm_error = g->attention_error = g->host_error = deviation * steps / sum;
	return 0;
}

int quire_fit(struct quire_gpu *gpu, const struct quire_model *model,
	      const struct quire_cost_config *config, const struct quire_fit_step *steps,
	      uint32_t count)
{
	const struct problem p = {gpu, model, config, steps, count};
	struct quire_gpu best = *gpu;
	double least = INFINITY, found;

	for (uint32_t q = 1; q <= 16; q *= 4) {
		*gpu = best;
		gpu->gemm_sharpness = q;
		/* A factor cannot leave zero. */
		gpu->step_ns = gpu->step_ns > 1 ? gpu->step_ns : 1000;
		gpu->seq_ns = gpu->seq_ns > 1 ? gpu->seq_ns : 100;
		gpu->chunk_ns = gpu->chunk_ns > 1 ? gpu->chunk_ns : 1000;
		gpu->attention_tile_ns = gpu->attention_tile_ns > 0.01 ? gpu->attention_tile_ns : 1;
		gpu->attention_launch_ns =
			gpu->attention_launch_ns > 1 ? gpu->attention_launch_ns : 1000;
		gpu->gemm_launch_ns = gpu->gemm_launch_ns > 1 ? gpu->gemm_launch_ns : 1000;
		found = search(&p);
		if (found < least) {
			least = found;
			best = *gpu;
		}
	}
	*gpu = best;
	if (!isfinite(least))
		return quire_fail(-EINVAL, "there are no steps to fit to");
	/* Of a normal distribution the mean of |x| is 0.8 deviations. */
	return share_error(&p, least / 0.8);
}
