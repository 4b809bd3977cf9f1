/*
 * load_unresolved.c - calls a function that is nowhere.
 */
#include "fcfs.h"

int nowhere_to_be_found(struct quire_plan *plan);

static void unresolved_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	if (nowhere_to_be_found(plan))
		fcfs_schedule(s, plan);
}

static const struct quire_sched_ops unresolved = {
	.name = "unresolved",
	.summary = "calls what is not there",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = unresolved_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(unresolved);
