/*
 * sched_twice.c - plans the first running sequence a second time in every step.
 */
#include "fcfs.h"

static void twice_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct fcfs *f = s->priv;

	fcfs_schedule(s, plan);
	if (f->running.first)
		quire_plan_add(plan, f->running.first, 1);
}

static const struct quire_sched_ops twice = {
	.name = "twice",
	.summary = "plans its first sequence twice",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = twice_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(twice);
