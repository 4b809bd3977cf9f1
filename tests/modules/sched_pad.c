/*
 * sched_pad.c - keeps every finished row and plans it as padding in every step, for
 * ever: it never looks idle, and nothing ever ends.
 */
#include "fcfs.h"

static void pad_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct fcfs *f = s->priv;

	fcfs_schedule(s, plan);
	for (struct quire_seq *seq = f->done.first; seq; seq = seq->next)
		if (quire_plan_add(plan, seq, 1))
			break;
}

static bool pad_finish(struct quire_sched *s, struct quire_seq *seq)
{
	struct fcfs *f = s->priv;

	quire_queue_push(&f->done, seq);
	return true;
}

static const struct quire_sched_ops pad = {
	.name = "pad",
	.summary = "keeps finished rows, and pads them for ever",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = pad_schedule,
	.finish = pad_finish,
};
QUIRE_SCHED_MODULE(pad);
