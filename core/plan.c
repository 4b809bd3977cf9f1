/*
 * plan.c - answers the scheduler.
 *
 * A scheduler proposes, the core disposes: every call is checked here against
 * the rules, the budget and the pool, and a refused call changes nothing.
 */
#include "plan.h"

#include "state.h"

#include <errno.h>

int quire_copies_add(struct quire_copies *copies, uint32_t from, uint32_t to, uint32_t slots)
{
	if (copies->count == copies->limit)
		return -ENOSPC;
	if (slots)
		copies->at[copies->count++] = (struct quire_copy){from, to, slots};
	return 0;
}

/*
 * A scheduler that goes on asking is never done with its step: after so many
 * refused calls that it must have asked everybody several times, nothing is
 * granted any more, which ends all but the most stubborn of loops.
 */
static void count_refusal(struct quire_loop *loop)
{
	if (++loop->refused_calls <= 1000 + 4 * (uint64_t)loop->living || loop->broken)
		return;
	loop->broken = true;
	quire_fail(-ECANCELED,
		   "scheduler '%s' goes round in circles: %llu of its calls were "
		   "refused in one step, though only %u sequences are alive",
		   loop->sched_ops.name, (unsigned long long)loop->refused_calls, loop->living);
}

/* Count a broken rule, remember where it was broken first, and refuse. */
static int fault(struct quire_loop *loop, enum quire_fault kind, const struct quire_seq *seq,
		 int rc)
{
	struct quire_fault_count *f = &loop->metrics.faults[kind];

	if (f->count++ == 0) {
		f->first_step = loop->plan.step;
		f->first_seq = seq->id;
	}
	tell(loop, QUIRE_EV_FAULT, seq->id, kind, 0, 0);
	count_refusal(loop);
	return rc;
}

/* Nothing will ever make room for @cs: the loop gives it up after this schedule(). */
static int doom(struct quire_loop *loop, struct core_seq *cs, enum quire_refusal why)
{
	cs->refusal = (uint8_t)why;
	loop->dooms++;
	return -E2BIG;
}

/* What the step costs with one more item of @tokens; see plan.h. */
static uint64_t charge_with(const struct quire_plan *plan, uint32_t tokens, uint32_t *pad_tokens)
{
	*pad_tokens = plan->pad_tokens;
	if (!plan->pad_slots)
		return (uint64_t)plan->tokens_count + tokens;
	if (tokens > *pad_tokens)
		*pad_tokens = tokens;
	return (uint64_t)(plan->items_count + 1) * *pad_tokens;
}

static bool must_grow(const struct core_seq *cs, uint32_t slots)
{
	return slots > cs->map_slots || (cs->forked && !cs->kept);
}

/* Make room for @cs's tokens up to @own, or up to the padding where that fits. */
static int make_room(struct quire_plan *plan, struct core_seq *cs, uint32_t own)
{
	struct quire_loop *loop = plan->loop;
	const struct pool *pool = &loop->pool;
	bool alone;
	uint32_t want = own > plan->pad_slots ? own : plan->pad_slots;
	int rc;

	if (!must_grow(cs, want))
		return 0;
	rc = pool_grow(loop, cs, want);
	alone = pool->seqs_held == (cs->map_slots > 0);
	if ((rc == -E2BIG || (rc == -ENOSPC && alone)) && want > own)
		rc = must_grow(cs, own) ? pool_grow(loop, cs, own) : 0;
	/* Where nobody else holds a slot, waiting will not help.  But its own may be in the
	 * way: who must lie in one piece holds two of them while it moves. */
	if (rc == -ENOSPC && cs->map_slots && own <= pool->kv.slots_total - pool->kv.slots_held)
		return rc;
	if (rc == -ENOSPC && alone && own <= pool->longest)
		return pool_lost(loop, own);
	return rc == -ENOSPC && alone ? -E2BIG : rc;
}

int quire_plan_add(struct quire_plan *plan, struct quire_seq *seq, uint32_t tokens)
{
	struct quire_loop *loop = plan->loop;
	struct core_seq *cs = core_seq(seq);
	struct quire_item *item;
	uint32_t pad_tokens;
	uint64_t charge;
	int rc;

	if (tokens == 0)
		return 0;
	if (loop->planning && cs->planned_step == plan->step)
		return fault(loop, QUIRE_FAULT_TWICE, seq, -EBUSY);
	if (!loop->planning || (seq->state == QUIRE_FINISHED && !cs->kept))
		return fault(loop, QUIRE_FAULT_STATE, seq, -EINVAL);
	if (tokens > (cs->kept ? 1 : quire_plan_todo(seq)))
		return fault(loop, QUIRE_FAULT_TOKENS, seq, -EINVAL);
	if (cs->refusal)
		return -E2BIG;
	if (loop->broken)
		return -EDQUOT;
	if (tokens > plan->tokens_limit)
		return doom(loop, cs, QUIRE_REFUSED_BUDGET);

	charge = charge_with(plan, tokens, &pad_tokens);
	if (charge > plan->tokens_limit) {
		if (tokens >= loop->refused_tokens)
			return fault(loop, QUIRE_FAULT_OVERSPENT, seq, -EDQUOT);
		loop->refused_tokens = tokens;
		return -EDQUOT;
	}
	if (!cs->map_slots && loop->pool.seqs_held >= loop->pool.kv.seqs_max)
		return -EDQUOT;
	rc = make_room(plan, cs, cs->kept ? cs->map_slots : seq->cached_tokens + tokens);
	if (rc == -E2BIG)
		return doom(loop, cs, QUIRE_REFUSED_POOL);
	if (rc == -ENOSPC)
		count_refusal(loop);
	if (rc)
		return rc == -ENOSPC && !loop->broken ? rc : -EDQUOT;

	assert(plan->items_count < plan->items_limit && charge <= plan->tokens_limit);
	item = &plan->items[plan->items_count++];
	*item = (struct quire_item){.seq = seq, .tokens = tokens, .result = plan->results_count};
	plan->pad_tokens = pad_tokens;
	plan->tokens_count = (uint32_t)charge;
	cs->planned_step = plan->step;
	decide(loop, QUIRE_EV_RUN, seq->id, tokens, seq->cached_tokens, seq->known_tokens);
	if (cs->kept)
		return 0;
	if (seq->state == QUIRE_WAITING) {
		seq->state = QUIRE_RUNNING;
		if (!cs->scheduled) {
			cs->scheduled = true;
			loop->scheduled++;
			cs->outcome->first_scheduled_ns = plan->now_ns;
		}
	}
	if (tokens == quire_plan_todo(seq) && !cs->ready) {
		item->candidates = cs->beams	   ? 2 * seq->request->beams
				   : cs->forks_due ? seq->request->samples
						   : 1;
		plan->results_count += item->candidates;
	}
	pool_run(&loop->pool, cs, tokens);
	return 0;
}

int quire_plan_preempt(struct quire_plan *plan, struct quire_seq *seq)
{
	struct quire_loop *loop = plan->loop;
	struct core_seq *cs = core_seq(seq);

	if (cs->planned_step == plan->step)
		return fault(loop, QUIRE_FAULT_PLANNED, seq, -EBUSY);
	if (!loop->planning || !cs->map_slots || seq->state != QUIRE_RUNNING)
		return fault(loop, QUIRE_FAULT_STATE, seq, -EINVAL);
	decide(loop, QUIRE_EV_PREEMPT, seq->id, seq->cached_tokens, 0, 0);
	pool_release(loop, cs);
	seq->cached_tokens = 0;
	seq->state = QUIRE_WAITING;
	seq->preemptions++;
	cs->outcome->preemptions++;
	loop->metrics.preemptions++;
	loop->changed = true;
	return 0;
}

int quire_plan_drop(struct quire_plan *plan, struct quire_seq *seq)
{
	struct quire_loop *loop = plan->loop;
	struct core_seq *cs = core_seq(seq);

	if (cs->planned_step == plan->step)
		return fault(loop, QUIRE_FAULT_PLANNED, seq, -EBUSY);
	if (!loop->planning || !cs->kept)
		return fault(loop, QUIRE_FAULT_STATE, seq, -EINVAL);
	decide(loop, QUIRE_EV_DROP, seq->id, seq->known_tokens, 0, 0);
	loop->changed = true;
	seq_free(loop, cs);
	return 0;
}

int quire_plan_pad(struct quire_plan *plan, uint32_t slots)
{
	uint32_t before = plan->pad_slots, longest = 0;
	int rc = 0;

	if (!plan->loop->planning)
		return -EDQUOT;
	if (slots > plan->loop->config.seq_tokens_max)
		slots = plan->loop->config.seq_tokens_max;
	if (slots <= before)
		return 0;
	for (uint32_t i = 0; i < plan->items_count; i++)
		if (plan->items[i].tokens > longest)
			longest = plan->items[i].tokens;
	if ((uint64_t)longest * plan->items_count > plan->tokens_limit)
		return -EDQUOT;
	plan->pad_slots = slots;
	for (uint32_t i = 0; i < plan->items_count && rc == 0; i++) {
		struct core_seq *cs = core_seq(plan->items[i].seq);

		if (slots > cs->map_slots)
			rc = pool_grow(plan->loop, cs, slots);
	}
	if (rc) {
		plan->pad_slots = before;
		return -ENOSPC;
	}
	plan->pad_tokens = longest;
	plan->tokens_count = longest * plan->items_count;
	return 0;
}

void quire_plan_map(const struct quire_plan *plan, const struct quire_seq *seq,
		    struct quire_map *map)
{
	const struct pool *pool = &plan->loop->pool;

	pool->ops.map(&pool->kv, seq, map);
}

bool quire_plan_has(const struct quire_plan *plan, const struct quire_seq *seq)
{
	return ((const struct core_seq *)seq)->planned_step == plan->step;
}

uint32_t quire_plan_room_tokens(const struct quire_plan *plan)
{
	return plan->tokens_limit - plan->tokens_count;
}

uint32_t quire_plan_room_seqs(const struct quire_plan *plan)
{
	const struct pool *pool = &plan->loop->pool;

	return pool->kv.seqs_max - pool->seqs_held;
}

uint64_t quire_plan_now_ns(const struct quire_plan *plan)
{
	return plan->now_ns;
}

bool quire_plan_more(const struct quire_plan *plan)
{
	const struct quire_loop *loop = plan->loop;

	/* In a closed loop all users have asked by now; the next asks after an answer. */
	return !loop->config.closed_users && loop->metrics.arrived < loop->metrics.requests_count;
}

void quire_plan_wake(struct quire_plan *plan, uint64_t at_ns)
{
	if (at_ns < plan->loop->wake_ns)
		plan->loop->wake_ns = at_ns;
}
