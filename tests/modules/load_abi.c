/*
 * load_abi.c - says that it was built for an ABI that has not been invented yet.
 */
#include "fcfs.h"

static const struct quire_sched_ops ops = {
	.name = "abi",
	.summary = "from the future",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = fcfs_schedule,
	.finish = fcfs_finish,
};

__attribute__((visibility("default"))) extern const struct quire_module quire_module;
const struct quire_module quire_module = {QUIRE_ABI + 98, QUIRE_SCHED, sizeof(ops), &ops};
