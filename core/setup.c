/*
 * setup.c - makes a loop out of a configuration, and takes it apart again.
 *
 * All memory that the steps will need is taken here.  The arenas are as large as
 * the workload could need at worst; the system backs only what is touched.
 */
#include "modules.h"
#include "state.h"

#include <errno.h>
#include <stdlib.h>

/* Find the two modules and make room for their private states. */
static int modules_find(struct quire_loop *loop, const char **sched_options,
			const char **kv_options)
{
	const struct quire_module *sched, *kv;

	sched = quire_module_find(QUIRE_SCHED, loop->config.scheduler, sched_options);
	kv = sched ? quire_module_find(QUIRE_KV, loop->config.allocator, kv_options) : NULL;
	if (!kv)
		return -EINVAL;
	quire_module_sched_ops(sched, &loop->sched_ops);
	quire_module_kv_ops(kv, &loop->pool.ops);
	loop->sched.ops = &loop->sched_ops;
	loop->sched.priv = calloc(1, loop->sched_ops.priv_size + 1);
	if (!loop->sched.priv)
		return quire_fail(-ENOMEM, "out of memory for scheduler '%s'",
				  loop->sched_ops.name);
	return pool_init(&loop->pool, &loop->config);
}

static int modules_start(struct quire_loop *loop, const char *sched_options, const char *kv_options)
{
	const struct quire_loop_config *c = &loop->config;
	struct quire_sched *sched = &loop->sched;
	uint32_t *budget = &sched->step_tokens_max;
	int rc;

	rc = quire_options_read(sched->ops->name, sched->ops->options, sched->priv, sched_options);
	if (rc == 0)
		rc = quire_options_read(loop->pool.ops.name, loop->pool.ops.options,
					loop->pool.kv.priv, kv_options);
	if (rc)
		return rc;
	sched->seqs_max = c->seqs_max;
	sched->seq_tokens_max = c->seq_tokens_max;
	*budget = c->step_tokens_max;
	loop->started = true;
	rc = sched->ops->init ? sched->ops->init(sched) : 0;
	if (rc)
		return quire_fail(rc, "%s: %s", sched->ops->name, quire_failure());
	rc = loop->pool.ops.init ? loop->pool.ops.init(&loop->pool.kv) : 0;
	if (rc)
		return quire_fail(rc, "%s: %s", loop->pool.ops.name, quire_failure());
	if (c->step_tokens_max && *budget > c->step_tokens_max)
		*budget = c->step_tokens_max;
	if (!*budget)
		*budget = c->seq_tokens_max > 2048 ? c->seq_tokens_max : 2048;
	return 0;
}

/* Take all memory that steps will need.  The arenas are touched as they are used. */
static int tables_init(struct quire_loop *loop)
{
	const struct quire_loop_config *c = &loop->config;
	struct quire_plan *plan = &loop->plan;
	uint64_t seqs = 0, candidates_max = 1;
	int rc;

	for (uint32_t i = 0; i < c->requests_count; i++) {
		const struct quire_request *q = &c->requests[i];
		uint32_t candidates = q->beams > 1 ? 2 * q->beams : q->samples;

		/* Of beams, one more: a text that is complete is born and gone. */
		seqs += q->beams > 1 ? q->beams + 1 : q->samples;
		if (candidates > candidates_max)
			candidates_max = candidates;
		if (q->beams > 1) {
			loop->beams_limit++;
			loop->beams_max = q->beams > loop->beams_max ? q->beams : loop->beams_max;
		}
	}
	rc = seqs_init(loop, seqs);
	if (rc == 0)
		rc = beams_init(loop);
	if (rc)
		return rc;
	plan->loop = loop;
	plan->items_limit = c->seqs_max;
	plan->tokens_limit = loop->sched.step_tokens_max;
	plan->copies.limit = c->slots_total + c->seqs_max;
	loop->results = calloc(candidates_max * c->seqs_max, sizeof(*loop->results));
	plan->items = calloc(plan->items_limit, sizeof(*plan->items));
	plan->copies.at = calloc(plan->copies.limit, sizeof(*plan->copies.at));
	loop->metrics.outcomes =
		calloc((size_t)c->requests_count + 1, sizeof(*loop->metrics.outcomes));
	loop->audit = c->audit ? audit_new(loop) : NULL;
	if (!loop->results || !plan->items || !plan->copies.at || !loop->metrics.outcomes ||
	    (c->audit && !loop->audit))
		return quire_fail(-ENOMEM, "out of memory for %u requests and a pool of %u slots",
				  c->requests_count, c->slots_total);
	loop->metrics.digest = QUIRE_DIGEST_START;
	loop->metrics.requests_count = c->requests_count;
	loop->metrics.slots_total = c->slots_total;
	loop->metrics.window_from_ns = c->window_from_ns;
	loop->metrics.window_until_ns = c->window_until_ns ? c->window_until_ns : UINT64_MAX;
	return 0;
}

struct quire_loop *quire_loop_new(const struct quire_loop_config *config)
{
	struct quire_loop *loop = calloc(1, sizeof(*loop));
	const char *sched_options, *kv_options;
	int rc;

	if (!loop) {
		quire_fail(-ENOMEM, "out of memory for a run");
		errno = ENOMEM;
		return NULL;
	}
	assert(config->slots_total && config->seqs_max && config->seq_tokens_max);
	assert(config->seqs_max <= QUIRE_SEQS_MAX);
	loop->config = *config;
	rc = modules_find(loop, &sched_options, &kv_options);
	if (rc == 0)
		rc = modules_start(loop, sched_options, kv_options);
	if (rc == 0)
		rc = tables_init(loop);
	if (rc == 0)
		return loop;
	quire_loop_free(loop);
	errno = rc == -ENOMEM ? ENOMEM : EINVAL;
	return NULL;
}

void quire_loop_free(struct quire_loop *loop)
{
	if (!loop)
		return;
	/* After an ejection the module is asked for nothing but its exit(). */
	if (loop->started && loop->sched_ops.exit)
		loop->sched_ops.exit(&loop->sched);
	pool_exit(&loop->pool, loop->started);
	audit_free(loop->audit);
	free(loop->sched.priv);
	free(loop->seqs);
	beams_exit(loop);
	free(loop->results);
	free(loop->plan.items);
	free(loop->plan.copies.at);
	free(loop->metrics.outcomes);
	free(loop);
}

const struct quire_metrics *quire_loop_metrics(const struct quire_loop *loop)
{
	return &loop->metrics;
}

uint32_t quire_loop_step_tokens_max(const struct quire_loop *loop)
{
	return loop->plan.tokens_limit;
}

void quire_loop_dump(const struct quire_loop *loop, FILE *out)
{
	static const char *const states[] = {"waiting", "running", "finished"};
	const struct pool *pool = &loop->pool;
	uint32_t shown = 0;

	fprintf(out, "  %u sequences alive, %u hold %u of %u slots; the eldest:\n", loop->living,
		pool->seqs_held, pool->kv.slots_held, pool->kv.slots_total);
	for (const struct core_seq *cs = loop->eldest; cs && shown < 8; cs = cs->younger, shown++)
		fprintf(out,
			"    sequence %u of request %llu: %s%s, %u of %u tokens cached, %u slots, "
			"preempted %u times\n",
			cs->seq.id, (unsigned long long)cs->seq.request->id, states[cs->seq.state],
			cs->kept ? " and kept" : "", cs->seq.cached_tokens, cs->seq.known_tokens,
			cs->map_slots, cs->seq.preemptions);
	if (loop->sched_ops.dump)
		loop->sched_ops.dump(&loop->sched);
}
