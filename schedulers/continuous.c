/*
 * continuous.c - iteration-level scheduling: requests join and leave the batch
 * at every step (Orca, Yu et al., OSDI 2022), with vLLM's preemption (Kwon et
 * al., SOSP 2023).
 *
 * prefill=mixed	Orca: prompts and single tokens share a step.  What runs goes
 *			first, then the queue is admitted in order, whole prompts only.
 * prefill=first	vLLM's original separation: while prompts can be admitted,
 *			steps hold prompts alone, and what runs waits.
 *
 * When the pool is full, the newest runner loses its slots and goes back to the
 * head of the queue; its tokens will be computed again.
 */
#include <quire/plugin.h>
#include <quire/queue.h>

#include <errno.h>

enum { PREFILL_FIRST, PREFILL_MIXED };

struct continuous {
	struct quire_queue waiting; /* by arrival; the preempted stand at its head */
	struct quire_queue running; /* by admission */
	uint32_t prefill;	    /* PREFILL_FIRST or PREFILL_MIXED */
};

static const struct quire_option options[] = {
	{"prefill", QUIRE_CHOICE, offsetof(struct continuous, prefill), "mixed",
	 "new prompts in steps of their own, or together with decodes", .choices = "first|mixed"},
	{.name = NULL},
};

static void continuous_enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	struct continuous *c = s->priv;

	if (seq->state == QUIRE_RUNNING)
		quire_queue_push(&c->running, seq);
	else if (seq->sample) /* its sisters run already: it has waited its turn */
		quire_queue_push_front(&c->waiting, seq);
	else
		quire_queue_push(&c->waiting, seq);
}

/* Admit in order until something is short.  Return: how many were admitted. */
static uint32_t admit(struct continuous *c, struct quire_plan *plan)
{
	struct quire_seq *seq;
	uint32_t admitted = 0;

	while ((seq = c->waiting.first) && !quire_plan_add(plan, seq, quire_plan_todo(seq))) {
		quire_queue_push(&c->running, seq);
		admitted++;
	}
	return admitted;
}

/* Plan everything that runs, at the cost of the newest.  Return: was anything short? */
static bool run(struct continuous *c, struct quire_plan *plan)
{
	struct quire_seq *seq, *next, *victim;
	bool preempted = false;
	int rc = 0;

	for (seq = c->running.first; seq && rc != -EDQUOT; seq = next) {
		while ((rc = quire_plan_add(plan, seq, quire_plan_todo(seq))) == -ENOSPC) {
			victim = c->running.last;
			if (quire_plan_preempt(plan, victim))
				return preempted;
			quire_queue_push_front(&c->waiting, victim);
			preempted = true;
			if (victim == seq)
				return preempted;
		}
		next = seq->next;
	}
	return preempted || rc == -EDQUOT;
}

static void continuous_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct continuous *c = s->priv;

	if (c->prefill == PREFILL_FIRST) {
		if (!admit(c, plan))
			run(c, plan);
	} else if (!run(c, plan)) {
		admit(c, plan);
	}
}

static bool continuous_finish(struct quire_sched *s, struct quire_seq *seq)
{
	(void)s;
	quire_queue_remove(seq);
	return false;
}

static const struct quire_sched_ops continuous = {
	.name = "continuous",
	.summary =
		"requests join and leave at every step; the newest gives way when memory is short",
	.options = options,
	.priv_size = sizeof(struct continuous),
	.enqueue = continuous_enqueue,
	.schedule = continuous_schedule,
	.finish = continuous_finish,
};
QUIRE_SCHED_MODULE(continuous);
