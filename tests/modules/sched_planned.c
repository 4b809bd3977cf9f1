/*
 * sched_planned.c - preempts what it has just planned, and what is still waiting.
 */
#include "fcfs.h"

static void planned_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct fcfs *f = s->priv;

	fcfs_schedule(s, plan);
	if (f->running.first)
		quire_plan_preempt(plan, f->running.first);
	if (f->waiting.first)
		quire_plan_preempt(plan, f->waiting.first);
}

static const struct quire_sched_ops planned = {
	.name = "planned",
	.summary = "preempts what it has just planned",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = planned_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(planned);
