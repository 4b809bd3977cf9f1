/*
 * load_symbol.c - forgets to end with QUIRE_SCHED_MODULE(): nothing tells what it is.
 */
#include "fcfs.h"

__attribute__((visibility("default"))) extern const struct quire_sched_ops nobody_asks_for_this;
const struct quire_sched_ops nobody_asks_for_this = {
	.name = "symbol",
	.summary = "nobody finds it",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = fcfs_schedule,
	.finish = fcfs_finish,
};
