/*
 * sim.c - the executor that predicts instead of computing.
 *
 * It is the one place that knows true output lengths: a sequence ends when it has
 * generated as many tokens as its request's length says.  All samples of a request
 * are equally long.
 */
#include "sim.h"

static uint64_t sim_now_ns(struct quire_exec *ex)
{
	struct quire_sim *sim = ex->priv;
	const struct quire_timing *timing = sim->timing;
	uint64_t next_ns;

	/* The loop reads the clock once after a step, and once before a plan. */
	if (timing && timing->ops->next_ns && !sim->stepped) {
		next_ns = timing->ops->next_ns(timing, &sim->plan);
		if (next_ns > sim->clock_ns)
			sim->clock_ns = next_ns;
	}
	sim->stepped = false;
	return sim->clock_ns;
}

static void sim_idle(struct quire_exec *ex, uint64_t until_ns)
{
	struct quire_sim *sim = ex->priv;

	if (until_ns > sim->clock_ns)
		sim->clock_ns = until_ns;
}

/* A token that looks like one: different along a sequence, the same in every run. */
static uint32_t pseudo_token(const struct quire_seq *seq, uint32_t candidate)
{
	uint32_t x = (uint32_t)seq->request->id * 0x9e3779b1u + seq->known_tokens * 0x85ebca77u +
		     (seq->sample + candidate) * 0xc2b2ae3du;

	return (x ^ x >> 15) & 0x7fffu;
}

static int sim_step(struct quire_exec *ex, const struct quire_plan *plan,
		    struct quire_result *results)
{
	struct quire_sim *sim = ex->priv;
	uint64_t ns;
	int rc;

	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_item *item = &plan->items[i];
		const struct quire_seq *seq = item->seq;
		const bool beams = seq->request->beams > 1;
		uint32_t generated;
		bool end;

		if (item->candidates == 0)
			continue;
		generated = seq->known_tokens - seq->request->prompt_tokens;
		end = generated + 1 >= sim->output_tokens[seq->request->id];
		for (uint32_t k = 0; k < item->candidates; k++) {
			const uint32_t token = pseudo_token(seq, k);

			/* Beams are ranked by logprobs: those of one row lie some way apart. */
			results[item->result + k] = (struct quire_result){
				.token = token,
				.logprob = beams ? -(float)(128 * k + token % 256) / 256 : 0,
				.end = end,
			};
		}
	}
	if (!sim->timing) {
		sim->clock_ns += quire_cost_step_ns(sim->cost, plan);
		return 0;
	}
	rc = sim->timing->ops->step_ns(sim->timing, plan, &ns);
	if (rc)
		return rc;
	sim->clock_ns += ns;
	sim->plan = plan->step;
	sim->stepped = true;
	return 0;
}

const struct quire_exec_ops quire_exec_sim = {
	.name = "sim",
	.summary = "predicts each step with the cost model, on a virtual clock",
	.now_ns = sim_now_ns,
	.idle = sim_idle,
	.step = sim_step,
};
