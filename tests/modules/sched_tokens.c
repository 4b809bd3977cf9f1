/*
 * sched_tokens.c - plans tokens that are not there: one more than a sequence knows.
 * Being refused, it asks for what is there.
 */
#include "fcfs.h"

static void tokens_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct fcfs *f = s->priv;
	struct quire_seq *seq;

	for (seq = f->running.first; seq; seq = seq->next)
		quire_plan_add(plan, seq, quire_plan_todo(seq) + 1);
	fcfs_schedule(s, plan);
}

static const struct quire_sched_ops tokens = {
	.name = "tokens",
	.summary = "asks for one token too many first",
	.priv_size = sizeof(struct fcfs),
	.enqueue = fcfs_enqueue,
	.schedule = tokens_schedule,
	.finish = fcfs_finish,
};
QUIRE_SCHED_MODULE(tokens);
