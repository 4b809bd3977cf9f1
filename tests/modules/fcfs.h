/*
 * fcfs.h - an honest little scheduler, for bad ones to be made from: first come,
 * first served, in chunks; the newest gives way when memory is short.
 */
#ifndef QUIRE_TESTS_FCFS_H
#define QUIRE_TESTS_FCFS_H

#include <quire/plugin.h>
#include <quire/queue.h>

#include <errno.h>

struct fcfs {
	struct quire_queue waiting; /* by arrival */
	struct quire_queue running; /* by admission */
	struct quire_queue done;    /* rows that a bad one keeps */
};

/* As much of @seq as the step has room for. */
static inline int fcfs_add(struct quire_plan *plan, struct quire_seq *seq)
{
	uint32_t todo = quire_plan_todo(seq), room = quire_plan_room_tokens(plan);

	if (!room)
		return -EDQUOT;
	return quire_plan_add(plan, seq, todo < room ? todo : room);
}

static inline void fcfs_enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	struct fcfs *f = s->priv;

	quire_queue_push(seq->state == QUIRE_RUNNING ? &f->running : &f->waiting, seq);
}

static inline void fcfs_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct fcfs *f = s->priv;
	struct quire_seq *seq, *victim;

	for (seq = f->running.first; seq; seq = seq->next)
		while (fcfs_add(plan, seq) == -ENOSPC) {
			victim = f->running.last;
			if (quire_plan_has(plan, victim))
				return;
			quire_plan_preempt(plan, victim);
			quire_queue_push_front(&f->waiting, victim);
			if (victim == seq)
				return;
		}
	while ((seq = f->waiting.first) && fcfs_add(plan, seq) == 0)
		quire_queue_push(&f->running, seq);
}

static inline bool fcfs_finish(struct quire_sched *s, struct quire_seq *seq)
{
	(void)s;
	quire_queue_remove(seq);
	return false;
}

#endif /* QUIRE_TESTS_FCFS_H */
