/*
 * sched_outside.c - keeps the plan it was once given, and changes it whenever it
 * feels like it: when a sequence arrives, and when one finishes.
 */
#include "fcfs.h"

struct outside {
	struct fcfs fcfs; /* first: the honest ones find it in priv */
	struct quire_plan *plan;
};

static void meddle(struct outside *me, struct quire_seq *seq)
{
	if (!me->plan)
		return;
	quire_plan_add(me->plan, seq, 1);
	quire_plan_drop(me->plan, seq);
	quire_plan_pad(me->plan, 40);
	for (seq = me->fcfs.running.first; seq; seq = seq->next) {
		quire_plan_add(me->plan, seq, 1);
		quire_plan_preempt(me->plan, seq);
	}
}

static void outside_enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	meddle(s->priv, seq);
	fcfs_enqueue(s, seq);
}

static void outside_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct outside *me = s->priv;

	me->plan = plan;
	fcfs_schedule(s, plan);
}

static bool outside_finish(struct quire_sched *s, struct quire_seq *seq)
{
	meddle(s->priv, seq);
	return fcfs_finish(s, seq);
}

static const struct quire_sched_ops outside = {
	.name = "outside",
	.summary = "changes the plan at any time",
	.priv_size = sizeof(struct outside),
	.enqueue = outside_enqueue,
	.schedule = outside_schedule,
	.finish = outside_finish,
};
QUIRE_SCHED_MODULE(outside);
