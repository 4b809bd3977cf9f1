/*
 * sched_livelock.c - gives one sequence after the other a chunk of two tokens and
 * preempts it for the next: always busy, and no prompt is ever complete.
 */
#include "fcfs.h"

static void livelock_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct fcfs *f = s->priv;
	struct quire_seq *seq = f->running.first;

	if (seq) {
		quire_plan_preempt(plan, seq);
		quire_queue_push(&f->waiting, seq);
	}
	seq = f->waiting.first;
	if (seq && quire_plan_add(plan, seq, 2) == 0)
		quire_queue_push(&f->running, seq);
}

static const struct quire_sched_ops livelock = {
	.name = "livelock",
	.summary = "takes turns before anybody gets anywhere",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = livelock_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(livelock);
