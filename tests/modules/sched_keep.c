/*
 * sched_keep.c - keeps every finished row and never drops one.
 */
#include "fcfs.h"

static bool keep_finish(struct quire_sched *s, struct quire_seq *seq)
{
	struct fcfs *f = s->priv;

	quire_queue_push(&f->done, seq);
	return true;
}

static const struct quire_sched_ops keep = {
	.name = "keep",
	.summary = "keeps finished rows for ever",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = fcfs_schedule,
	.finish = keep_finish,
};
QUIRE_SCHED_MODULE(keep);
