/*
 * sched_circles.c - when the pool is full it preempts a victim that it leaves in its
 * queue, and so asks for ever, within one step, for what it will not get.
 */
#include "fcfs.h"

#include <errno.h>

static void circles_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct fcfs *f = s->priv;
	struct quire_seq *seq;

	for (seq = f->running.first; seq; seq = seq->next)
		while (quire_plan_add(plan, seq, quire_plan_todo(seq)) == -ENOSPC)
			quire_plan_preempt(plan, f->running.last);
	while ((seq = f->waiting.first) && !quire_plan_add(plan, seq, quire_plan_todo(seq)))
		quire_queue_push(&f->running, seq);
}

static const struct quire_sched_ops circles = {
	.name = "circles",
	.summary = "preempts for ever in one step",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = circles_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(circles);
