/*
 * sched_wake.c - plans nothing, and asks to be called again a nanosecond later, for
 * ever.
 */
#include "fcfs.h"

static void wake_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	(void)s;
	quire_plan_wake(plan, quire_plan_now_ns(plan) + 1);
}

static const struct quire_sched_ops wake = {
	.name = "wake",
	.summary = "asks to be woken, again and again",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = wake_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(wake);
