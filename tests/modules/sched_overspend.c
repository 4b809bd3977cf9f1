/*
 * sched_overspend.c - asks for all that all sequences want, whatever the budget, and
 * goes on asking when it has been refused.
 */
#include "fcfs.h"

static void overspend_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct fcfs *f = s->priv;
	struct quire_seq *seq, *next;

	for (seq = f->running.first; seq; seq = seq->next)
		quire_plan_add(plan, seq, quire_plan_todo(seq));
	for (seq = f->waiting.first; seq; seq = next) {
		next = seq->next;
		if (quire_plan_add(plan, seq, quire_plan_todo(seq)) == 0)
			quire_queue_push(&f->running, seq);
	}
}

static const struct quire_sched_ops overspend = {
	.name = "overspend",
	.summary = "asks for everything at once",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = overspend_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(overspend);
