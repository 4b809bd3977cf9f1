/*
 * loop.c - one step after the other, until every request is done.
 *
 *	arrive -> schedule -> run -> commit
 *
 * All memory is taken in quire_loop_new(); no step allocates.  Metrics are
 * folded where things happen.
 */
#include "loop.h"

#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

/* An empty plan may come this often in a row, if the scheduler asks to be woken. */
#define EMPTY_PLANS_MAX (1u << 20)

static bool due(const struct quire_loop *loop)
{
	const struct quire_metrics *m = &loop->metrics;

	if (m->arrived == m->requests_count)
		return false;
	if (loop->config.closed_users)
		return m->arrived - m->finished - m->refused < loop->config.closed_users;
	return loop->config.requests[m->arrived].arrival_ns <= loop->now_ns;
}

static void arrive(struct quire_loop *loop)
{
	struct quire_metrics *m = &loop->metrics;
	struct quire_request *request = &loop->config.requests[m->arrived];
	struct quire_outcome *outcome = &m->outcomes[request->id];
	uint32_t quarter = (uint32_t)((uint64_t)m->arrived * 4 / m->requests_count);
	struct core_seq *cs;

	if (loop->config.closed_users)
		request->arrival_ns = loop->now_ns;
	outcome->arrival_ns = request->arrival_ns;
	outcome->samples_left = request->samples;
	m->queue_sum[quarter] += m->arrived - loop->scheduled - m->refused;
	m->queue_count[quarter]++;
	m->arrived++;
	tell(loop, QUIRE_EV_ARRIVE, (uint32_t)request->id, request->prompt_tokens,
	     request->output_tokens_max, request->samples);

	cs = seq_new(loop, request, 0);
	if (request->beams > 1)
		cs->beams = beams_new(loop, cs);
	if (request->prompt_tokens >= loop->config.seq_tokens_max)
		seq_refuse(loop, cs, QUIRE_REFUSED_MODEL_LEN);
	else if (!pool_fits(&loop->pool, cs, request->prompt_tokens))
		seq_refuse(loop, cs, QUIRE_REFUSED_POOL);
	if (outcome->refused)
		seq_free(loop, cs);
	else
		loop->sched_ops.enqueue(&loop->sched, &cs->seq);
}

bool token_add(struct quire_loop *loop, struct core_seq *cs, const struct core_seq *parent,
	       const struct quire_result *result)
{
	struct quire_exec *exec = &loop->config.exec;
	struct quire_metrics *m = &loop->metrics;
	bool end;

	cs->seq.known_tokens++;
	loop->known_sum++;
	end = result->end || cs->seq.known_tokens >= cs->cap_tokens;
	cs->outcome->output_tokens++;
	m->output_tokens += loop->in_window;
	if (cs->seq.known_tokens > cs->seq.request->prompt_tokens + 1) {
		if (cs->in_window)
			quire_histogram_add(&m->itl, loop->now_ns - cs->last_token_ns);
	} else if (cs->seq.sample == 0) {
		cs->outcome->first_token_ns = loop->now_ns;
		if (loop->in_window)
			m->prompt_tokens += cs->seq.request->prompt_tokens;
	}
	cs->last_token_ns = loop->now_ns;
	if (exec->ops->append)
		end |= exec->ops->append(exec, &cs->seq, parent ? &parent->seq : NULL, result);
	tell(loop, QUIRE_EV_SAMPLE, cs->seq.id, result->token, cs->seq.known_tokens, end);
	return end;
}

struct core_seq *fork_seq(struct quire_loop *loop, struct core_seq *parent, uint32_t sample,
			  const struct quire_result *result, bool share, bool *end)
{
	struct core_seq *cs = seq_new(loop, parent->seq.request, sample);

	cs->scheduled = true;
	cs->seq.known_tokens = parent->seq.known_tokens;
	loop->known_sum += parent->seq.known_tokens - parent->seq.request->prompt_tokens;
	cs->last_token_ns = parent->last_token_ns;
	if (share && parent->map_slots && loop->pool.seqs_held < loop->pool.kv.seqs_max &&
	    !loop->broken && pool_fork(loop, parent, cs) == 0) {
		cs->seq.cached_tokens = cs->cached_most = parent->seq.cached_tokens;
		cs->seq.state = QUIRE_RUNNING;
	}
	if (parent->beams) {
		cs->beams = parent->beams;
		cs->outcome->samples_left++;
	}
	loop->metrics.forks++;
	decide(loop, QUIRE_EV_FORK, cs->seq.id, parent->seq.id, cs->seq.cached_tokens,
	       cs->seq.known_tokens);
	*end = token_add(loop, cs, parent, result);
	return cs;
}

/* One more sample of @parent's request, which starts with @result. */
static void fork_sample(struct quire_loop *loop, struct core_seq *parent, uint32_t sample,
			const struct quire_result *result)
{
	bool end;
	struct core_seq *cs = fork_seq(loop, parent, sample, result, true, &end);

	if (end)
		seq_stillborn(loop, cs);
	else
		loop->sched_ops.enqueue(&loop->sched, &cs->seq);
}

static void item_done(struct quire_loop *loop, const struct quire_item *item)
{
	struct core_seq *cs = core_seq(item->seq);
	const struct quire_result *result = &loop->results[item->result];
	uint32_t cached = cs->seq.cached_tokens + item->tokens;

	if (cs->kept)
		return;
	if (cs->seq.cached_tokens < cs->cached_most)
		loop->metrics.recomputed_tokens +=
			(cached < cs->cached_most ? cached : cs->cached_most) -
			cs->seq.cached_tokens;
	cs->seq.cached_tokens = cached;
	if (cached > cs->cached_most)
		cs->cached_most = cached;
	if (!item->candidates)
		return;
	if (cs->forks_due) {
		cs->forks_due = false;
		for (uint32_t k = 1; k < item->candidates; k++)
			fork_sample(loop, cs, k, &result[k]);
	}
	if (cs->beams)
		beams_take(loop, cs, result);
	else if (token_add(loop, cs, NULL, result))
		seq_done(loop, cs);
}

/* Fold the sums over the steps of the window; slots are as the plan took them. */
static void measure(struct quire_loop *loop)
{
	struct quire_metrics *m = &loop->metrics;
	const struct pool *pool = &loop->pool;
	struct pool_sample s = pool_sample(pool);
	uint64_t largest;

	tell(loop, QUIRE_EV_MEMORY, 0, (uint32_t)s.token_states, (uint32_t)s.reserved,
	     (uint32_t)s.internal);
	if (!loop->in_window && !tells(loop, QUIRE_EV_POOL))
		return;
	largest = pool->ops.largest ? pool->ops.largest(&pool->kv) : s.free;
	tell(loop, QUIRE_EV_POOL, 0, (uint32_t)s.rounding, (uint32_t)s.free, (uint32_t)largest);
	tell(loop, QUIRE_EV_SHARE, 0, pool->mapped, (uint32_t)pool->map_slots,
	     (uint32_t)(pool->map_slots >> 32));
	if (!loop->in_window)
		return;
	if (m->window_steps++ == 0)
		m->window_first_ns = loop->now_ns;
	m->seqs_sum += pool->seqs_held;
	m->tokens_sum += loop->plan.tokens_count;
	m->token_states_sum += s.token_states;
	m->reserved_sum += s.reserved;
	m->internal_sum += s.internal;
	m->rounding_sum += s.rounding;
	m->free_sum += s.free;
	m->largest_sum += largest;
	m->shared_sum += pool->map_slots > pool->mapped
				 ? (double)pool->map_slots / (double)pool->mapped
				 : 1.0;
}

/* Run the plan and commit what came out. */
static int run_plan(struct quire_loop *loop)
{
	struct quire_plan *plan = &loop->plan;
	struct quire_exec *exec = &loop->config.exec;
	struct quire_metrics *m = &loop->metrics;
	int rc;

	loop->in_window = quire_in_window(m, loop->now_ns);
	measure(loop);
	decide(loop, QUIRE_EV_STEP, 0, plan->items_count, plan->tokens_count, plan->pad_tokens);
	rc = exec->ops->step(exec, plan, loop->results);
	if (rc)
		return rc;
	/* The copies are done; forks below add new ones. */
	plan->copies.count = loop->pool.copies_taken = 0;
	m->steps++;
	loop->now_ns = exec->ops->now_ns(exec);
	if (loop->in_window)
		m->window_last_ns = loop->now_ns;
	tell(loop, QUIRE_EV_DONE, 0, plan->items_count, plan->results_count, loop->pool.seqs_held);
	for (uint32_t i = 0; i < plan->items_count; i++)
		item_done(loop, &plan->items[i]);
	return 0;
}

/* Give up what quire_plan_add() found can never be run. */
static void give_up(struct quire_loop *loop)
{
	struct core_seq *next;

	for (struct core_seq *cs = loop->eldest; cs && loop->dooms; cs = next) {
		next = cs->younger;
		if (!cs->refusal || cs->kept)
			continue;
		loop->dooms--;
		seq_refuse(loop, cs, cs->refusal);
		seq_done(loop, cs);
	}
}

static int eject(struct quire_loop *loop, const char *what)
{
	tell(loop, QUIRE_EV_EJECT, 0, ECANCELED, 0, 0);
	return quire_fail(-ECANCELED, "%s (step %llu, at %.6f s)", what,
			  (unsigned long long)loop->plan.step, (double)loop->now_ns / 1e9);
}

static int eject_scheduler(struct quire_loop *loop, const char *what)
{
	uint32_t waiting = 0;
	char text[512];

	for (const struct core_seq *cs = loop->eldest; cs; cs = cs->younger)
		waiting += cs->seq.state == QUIRE_WAITING;
	snprintf(text, sizeof(text),
		 "scheduler '%s' %s; alive are %u waiting, %u running and %u finished sequences "
		 "that it keeps",
		 loop->sched_ops.name, what, waiting, loop->living - waiting - loop->kept,
		 loop->kept);
	return eject(loop, text);
}

/* The plan is empty: find out what is being waited for, and wait for it. */
static int idle(struct quire_loop *loop)
{
	const struct quire_metrics *m = &loop->metrics;
	uint64_t until_ns = loop->wake_ns;

	if (loop->empty_plans++ == EMPTY_PLANS_MAX)
		return eject_scheduler(loop, "stalls: it planned nothing a million times in a row");
	tell(loop, QUIRE_EV_IDLE, 0, 0, 0, 0);
	if (loop->changed)
		return 0; /* a preemption, a drop or a refusal may have made room */
	if (loop->beams_used && beams_park(loop))
		return 0;
	if (m->arrived < m->requests_count && !loop->config.closed_users &&
	    loop->config.requests[m->arrived].arrival_ns < until_ns)
		until_ns = loop->config.requests[m->arrived].arrival_ns;
	if (until_ns == UINT64_MAX)
		return eject_scheduler(loop, "stalls: it planned nothing, and nothing will arrive");
	if (until_ns > loop->now_ns)
		loop->config.exec.ops->idle(&loop->config.exec, until_ns);
	return 0;
}

/* Does the scheduler get anywhere with what it plans? */
static int check_progress(struct quire_loop *loop)
{
	const struct quire_plan *plan = &loop->plan;
	uint64_t tokens = 0;

	if (plan->results_count) {
		loop->barren_tokens = loop->padding_steps = 0;
		return 0;
	}
	for (uint32_t i = 0; i < plan->items_count; i++)
		if (!core_seq(plan->items[i].seq)->kept)
			tokens += plan->items[i].tokens;
	loop->barren_tokens += tokens;
	loop->padding_steps = tokens ? 0 : loop->padding_steps + 1;
	if (loop->padding_steps > loop->config.seq_tokens_max)
		return eject_scheduler(loop, "pads finished sequences and never lets them go");
	if (loop->barren_tokens > 2 * loop->known_sum + plan->tokens_limit)
		return eject_scheduler(loop,
				       "makes no progress: it preempts before anything is sampled");
	return 0;
}

static int one_step(struct quire_loop *loop)
{
	struct quire_plan *plan = &loop->plan;
	int rc = 0;

	plan->step++;
	plan->now_ns = loop->now_ns;
	plan->items_count = plan->tokens_count = plan->results_count = 0;
	plan->pad_tokens = plan->pad_slots = 0;
	loop->wake_ns = UINT64_MAX;
	loop->refused_tokens = UINT32_MAX;
	loop->refused_calls = 0;
	loop->changed = false;
	loop->planning = true;
	loop->sched_ops.schedule(&loop->sched, plan);
	loop->planning = false;
	if (plan->items_count && !loop->broken) {
		loop->empty_plans = 0;
		rc = check_progress(loop);
		if (rc == 0)
			rc = pool_take_copies(loop, 0); /* none are left, unless it cheats */
		if (rc == 0 && loop->audit)
			rc = audit_step(loop);
		if (rc == 0)
			rc = run_plan(loop);
		/* Padding alone gets nobody further: as good as an empty plan. */
		if (rc == 0 && loop->padding_steps && loop->beams_used && beams_park(loop))
			loop->padding_steps = 0;
	}
	if (loop->dooms) {
		give_up(loop);
		loop->changed = true;
	}
	if (rc == 0 && loop->audit && !loop->broken)
		rc = audit_pool(loop);
	if (loop->broken)
		return eject(loop, quire_failure());
	return rc || plan->items_count ? rc : idle(loop);
}

/* When to look at the clock: a step of the simulator takes a microsecond, another a second. */
struct looks {
	uint64_t told_ns, last_ns;
	uint32_t every, left; /* steps between two looks, and to the next one */
};

static void report_progress(struct quire_loop *loop, struct looks *l)
{
	const struct quire_metrics *m = &loop->metrics;
	struct timespec now;
	uint64_t now_ns;

	if (l->left > 1) {
		l->left--;
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	if (now_ns - l->last_ns < 10000000 && l->every < 256)
		l->every *= 2;
	else if (now_ns - l->last_ns > 100000000 && l->every > 1)
		l->every /= 2;
	l->last_ns = now_ns;
	l->left = l->every;
	if (now_ns - l->told_ns < 100000000)
		return;
	l->told_ns = now_ns;
	loop->config.progress(loop->config.progress_arg, loop->now_ns, m->finished + m->refused,
			      m->requests_count);
}

int quire_loop_run(struct quire_loop *loop)
{
	struct quire_exec *exec = &loop->config.exec;
	struct quire_metrics *m = &loop->metrics;
	struct looks looks = {.every = 1};
	int rc = 0;

	while (rc == 0) {
		if (loop->config.stop && *loop->config.stop) {
			rc = quire_fail(-EINTR, "stopped in step %llu, at %.6f s",
					(unsigned long long)loop->plan.step,
					(double)loop->now_ns / 1e9);
			break;
		}
		loop->now_ns = exec->ops->now_ns(exec);
		while (due(loop))
			arrive(loop);
		if (loop->living)
			rc = one_step(loop);
		else if (m->arrived < m->requests_count)
			exec->ops->idle(exec, loop->config.requests[m->arrived].arrival_ns);
		else
			break;
		if (loop->config.progress)
			report_progress(loop, &looks);
	}
	if (rc == 0 && pool_end(loop))
		rc = eject(loop, quire_failure());
	loop->now_ns = m->end_ns = exec->ops->now_ns(exec);
	m->end_asked = loop->pool.end_asked;
	tell(loop, QUIRE_EV_END, 0, m->end_asked, (uint32_t)-rc, 0);
	return rc;
}
