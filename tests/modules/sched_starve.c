/*
 * sched_starve.c - loses one particular sequence when it arrives.
 */
#include "fcfs.h"

static void starve_enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	if (seq->id != 3)
		fcfs_enqueue(s, seq);
}

static const struct quire_sched_ops starve = {
	.name = "starve",
	.summary = "never plans the third sequence",
	.priv_size = sizeof(struct fcfs),
	.enqueue = starve_enqueue,
	.schedule = fcfs_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(starve);
