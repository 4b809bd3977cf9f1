/*
 * load_op.c - a scheduler without schedule().
 */
#include "fcfs.h"

static const struct quire_sched_ops op = {
	.name = "op",
	.summary = "takes, and does not run",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(op);
