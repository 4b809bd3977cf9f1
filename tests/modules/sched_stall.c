/*
 * sched_stall.c - plans nothing once it has run three steps.
 */
#include "fcfs.h"

struct stall {
	struct fcfs fcfs; /* first: the honest ones find it in priv */
	uint32_t calls;
};

static void stall_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct stall *me = s->priv;

	if (me->calls++ < 3)
		fcfs_schedule(s, plan);
}

static const struct quire_sched_ops stall = {
	.name = "stall",
	.summary = "plans nothing",
	.priv_size = sizeof(struct stall),
	.enqueue = fcfs_enqueue,
	.schedule = stall_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(stall);
