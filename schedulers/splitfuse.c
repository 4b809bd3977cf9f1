/*
 * splitfuse.c - steps of constant size: long prompts are split into chunks, and
 * the chunks are fused with decodes (Dynamic SplitFuse of DeepSpeed-FastGen;
 * chunked prefill of Sarathi-Serve, Agrawal et al., OSDI 2024).
 *
 * budget=N	tokens a step.  Decodes go first; what they leave is filled with
 *		chunks of prompts, oldest first, so that no prompt, however long,
 *		stalls the decodes for more than one step's time.
 * mix=0	never fuse: steps of chunks and steps of decodes alternate (the
 *		"chunked prefills only" of Sarathi-Serve's Table 4).
 *
 * A sequence that has one token to do is a decode; one with more is a prompt,
 * or what is left of it.
 */
#include <quire/plugin.h>
#include <quire/queue.h>

#include <errno.h>

struct splitfuse {
	struct quire_queue waiting; /* by arrival; the preempted stand at its head */
	struct quire_queue running; /* by admission */
	uint32_t budget;
	bool mix;
	bool prompts_turn; /* with mix=0: whose turn it was */
};

static const struct quire_option options[] = {
	QUIRE_OPTION("budget", QUIRE_COUNT, struct splitfuse, budget, "0",
		     "tokens a step; 0: --max-num-batched-tokens, or 2048"),
	QUIRE_OPTION("mix", QUIRE_FLAG, struct splitfuse, mix, "1",
		     "1: chunks and decodes share steps; 0: they alternate"),
	{.name = NULL},
};

static int splitfuse_init(struct quire_sched *s)
{
	struct splitfuse *f = s->priv;

	if (f->budget)
		s->step_tokens_max = f->budget;
	else if (!s->step_tokens_max)
		s->step_tokens_max = 2048;
	return 0;
}

static void splitfuse_enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	struct splitfuse *f = s->priv;

	if (seq->state == QUIRE_RUNNING)
		quire_queue_push(&f->running, seq);
	else if (seq->sample) /* its sisters run already: it has waited its turn */
		quire_queue_push_front(&f->waiting, seq);
	else
		quire_queue_push(&f->waiting, seq);
}

/* As much of @seq as fits what is left of the step. */
static int add_chunk(struct quire_plan *plan, struct quire_seq *seq)
{
	uint32_t todo = quire_plan_todo(seq), room = quire_plan_room_tokens(plan);

	if (!room)
		return -EDQUOT;
	return quire_plan_add(plan, seq, todo < room ? todo : room);
}

/*
 * Plan the running sequences that decode, or those that still have a prompt to
 * do, at the cost of the newest.  Return: was memory short?  Then nobody is admitted.
 */
static bool run(struct splitfuse *f, struct quire_plan *plan, bool decodes)
{
	struct quire_seq *seq, *next, *victim;
	bool is_short = false;

	for (seq = f->running.first; seq; seq = next) {
		next = seq->next;
		if ((quire_plan_todo(seq) == 1) != decodes)
			continue;
		while (add_chunk(plan, seq) == -ENOSPC) {
			is_short = true;
			victim = f->running.last;
			if (quire_plan_has(plan, victim))
				return is_short;
			quire_plan_preempt(plan, victim);
			quire_queue_push_front(&f->waiting, victim);
			if (victim == seq)
				return is_short;
		}
		next = seq->next;
	}
	return is_short;
}

/* Chunks of the prompts that run, then of those that wait. */
static void run_prompts(struct splitfuse *f, struct quire_plan *plan)
{
	struct quire_seq *seq;

	if (run(f, plan, false))
		return;
	while ((seq = f->waiting.first) && add_chunk(plan, seq) == 0)
		quire_queue_push(&f->running, seq);
}

static void splitfuse_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct splitfuse *f = s->priv;
	uint32_t room = quire_plan_room_tokens(plan);

	if (f->mix) {
		if (!run(f, plan, true))
			run_prompts(f, plan);
		return;
	}
	/* Take turns; who has nothing to run gives the turn back. */
	for (int turn = 0; turn < 2 && quire_plan_room_tokens(plan) == room; turn++) {
		f->prompts_turn = !f->prompts_turn;
		if (f->prompts_turn)
			run_prompts(f, plan);
		else
			run(f, plan, true);
	}
}

static bool splitfuse_finish(struct quire_sched *s, struct quire_seq *seq)
{
	(void)s;
	quire_queue_remove(seq);
	return false;
}

static const struct quire_sched_ops splitfuse = {
	.name = "splitfuse",
	.summary =
		"steps of constant size: decodes first, prompts cut into chunks to fill the rest",
	.options = options,
	.priv_size = sizeof(struct splitfuse),
	.init = splitfuse_init,
	.enqueue = splitfuse_enqueue,
	.schedule = splitfuse_schedule,
	.finish = splitfuse_finish,
};
QUIRE_SCHED_MODULE(splitfuse);
