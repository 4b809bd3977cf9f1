/*
 * sched_stale.c - has an array of its own instead of queues, and never takes anything
 * out of it: in every step it plans, preempts and drops sequences that are gone.
 */
#include "fcfs.h"

#define STALE_MAX 64

struct stale {
	struct quire_seq *seq[STALE_MAX];
	uint32_t count;
};

static void stale_enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	struct stale *me = s->priv;

	if (me->count < STALE_MAX)
		me->seq[me->count++] = seq;
}

static void stale_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct stale *me = s->priv;

	for (uint32_t i = 0; i < me->count; i++) {
		struct quire_seq *seq = me->seq[i];

		if (seq->state == QUIRE_FINISHED) {
			quire_plan_preempt(plan, seq);
			quire_plan_drop(plan, seq);
			quire_plan_drop(plan, seq);
			quire_plan_add(plan, seq, 1);
		} else if (!quire_plan_has(plan, seq)) {
			fcfs_add(plan, seq);
		}
	}
}

static bool stale_finish(struct quire_sched *s, struct quire_seq *seq)
{
	(void)s;
	return seq->id % 2;
}

static const struct quire_sched_ops stale = {
	.name = "stale",
	.summary = "plans what is long gone",
	.priv_size = sizeof(struct stale),
	.enqueue = stale_enqueue,
	.schedule = stale_schedule,
	.finish = stale_finish,
};
QUIRE_SCHED_MODULE(stale);
