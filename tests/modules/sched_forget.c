/*
 * sched_forget.c - lets a finished sequence go, but leaves it standing in its queue,
 * where the next sequence would be born on top of it.
 */
#include "fcfs.h"

static bool forget_finish(struct quire_sched *s, struct quire_seq *seq)
{
	(void)s;
	(void)seq;
	return false;
}

static const struct quire_sched_ops forget = {
	.name = "forget",
	.summary = "leaves the finished in its queue",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = fcfs_schedule,
	.finish = forget_finish,
};
QUIRE_SCHED_MODULE(forget);
