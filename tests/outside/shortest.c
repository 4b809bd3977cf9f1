/*
 * shortest.c - a scheduler built outside quire's tree: shortest prompt first.
 *
 * Who is short is served soon, so the mean wait is small; who is long may wait
 * for ever while short ones arrive.  Run it beside the built-in ones:
 *
 *	cc -shared -fPIC $(pkg-config --cflags quire) shortest.c -o shortest.so
 *	quire sim --workload demo --model llama-3-8b --gpu a100-80g \
 *		--scheduler continuous --scheduler ./shortest.so --allocator paged
 */
#include <errno.h>
#include <quire/plugin.h>
#include <quire/queue.h>

struct shortest {
	struct quire_queue waiting; /* in no order; the shortest is looked for */
	struct quire_queue running; /* the newest is last */
};

static void shortest_enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	struct shortest *me = s->priv;

	quire_queue_push(seq->state == QUIRE_RUNNING ? &me->running : &me->waiting, seq);
}

/* As much of @seq as the step has room for: a decode, a prompt, a part of one. */
static int add(struct quire_plan *plan, struct quire_seq *seq)
{
	uint32_t todo = quire_plan_todo(seq), room = quire_plan_room_tokens(plan);

	return quire_plan_add(plan, seq, todo < room ? todo : room);
}

static void shortest_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct shortest *me = s->priv;
	struct quire_seq *seq, *next;

	/* Who runs goes on.  If the pool is full, the newest gives its slots back. */
	for (seq = me->running.first; seq; seq = seq->next) {
		while (add(plan, seq) == -ENOSPC) {
			next = me->running.last;
			quire_plan_preempt(plan, next);
			quire_queue_push(&me->waiting, next);
			if (next == seq)
				return;
		}
	}

	/* Then the shortest of those who wait, one by one, until one is refused. */
	while (me->waiting.first && quire_plan_room_tokens(plan)) {
		next = me->waiting.first;
		for (seq = next; seq; seq = seq->next)
			if (seq->request->prompt_tokens < next->request->prompt_tokens)
				next = seq;
		if (add(plan, next))
			return;
		quire_queue_push(&me->running, next);
	}
}

static bool shortest_finish(struct quire_sched *s, struct quire_seq *seq)
{
	(void)s;
	quire_queue_remove(seq);
	return false;
}

static const struct quire_sched_ops shortest = {
	.name = "shortest",
	.summary = "shortest prompt first",
	.priv_size = sizeof(struct shortest),
	.enqueue = shortest_enqueue,
	.schedule = shortest_schedule,
	.finish = shortest_finish,
};
QUIRE_SCHED_MODULE(shortest);
