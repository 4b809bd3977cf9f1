/*
 * static.c - naive batching: fill a batch, run it until its last row is done,
 * return all its rows at once, take the next.
 *
 * Early finishers keep their seats, and shorter rows are padded to the longest;
 * every such seat costs time and memory in every step.  That waste is what
 * continuous batching was invented to fill.
 *
 * This is also the file to copy for a scheduler of your own.  It must answer
 * three questions: where does a new sequence go (enqueue), what runs in the
 * next step (schedule), and what happens to the seat of one that is done
 * (finish).  docs/writing-a-scheduler.md goes through it line by line.
 */
#include <quire/plugin.h>
#include <quire/queue.h>

#include <errno.h>

struct static_batch {
	struct quire_queue waiting; /* by arrival */
	struct quire_queue live;    /* rows of the batch that still want tokens */
	struct quire_queue done;    /* rows that have finished, and keep their seats */
	bool filling;		    /* the batch still takes rows in */
	uint32_t columns;	    /* tokens of the longest row, padding included */
	uint32_t outputs;	    /* tokens that each row has got by now */

	uint32_t batch, until; /* the options */
	uint64_t wait_ns;
};

static const struct quire_option options[] = {
	QUIRE_OPTION("batch", QUIRE_COUNT, struct static_batch, batch, "0",
		     "rows of a batch; 0: --max-num-seqs"),
	QUIRE_OPTION("wait", QUIRE_SECONDS, struct static_batch, wait_ns, "0",
		     "seconds a row waits for the batch to fill; 0: as long as it takes"),
	QUIRE_OPTION("until", QUIRE_COUNT, struct static_batch, until, "0",
		     "run every batch to so many output tokens; 0: to its longest row"),
	{.name = NULL},
};

static int static_init(struct quire_sched *s)
{
	struct static_batch *b = s->priv;

	if (b->batch > s->seqs_max)
		return quire_fail(-EINVAL, "batch=%u is more than --max-num-seqs %u", b->batch,
				  s->seqs_max);
	if (b->until > s->seq_tokens_max)
		return quire_fail(-EINVAL, "until=%u is more than --max-model-len %u", b->until,
				  s->seq_tokens_max);
	if (!b->batch)
		b->batch = s->seqs_max;
	return 0;
}

/* A new sequence waits.  A forked one belongs to its parent's batch. */
static void static_enqueue(struct quire_sched *s, struct quire_seq *seq)
{
	struct static_batch *b = s->priv;

	quire_queue_push(seq->state == QUIRE_RUNNING ? &b->live : &b->waiting, seq);
}

/* Is it time for a new batch?  If not now, ask to be called when it is. */
static bool ready(struct static_batch *b, struct quire_plan *plan)
{
	uint64_t latest_ns;

	if (!b->waiting.first)
		return false;
	if (b->waiting.count >= b->batch || !quire_plan_more(plan))
		return true;
	if (!b->wait_ns)
		return false;
	latest_ns = b->waiting.first->request->arrival_ns + b->wait_ns;
	if (quire_plan_now_ns(plan) >= latest_ns)
		return true;
	quire_plan_wake(plan, latest_ns);
	return false;
}

/* Return a finished row. */
static void leave(struct quire_plan *plan, struct quire_seq *seq)
{
	quire_queue_remove(seq);
	quire_plan_drop(plan, seq);
}

/*
 * Take rows in, as many as the batch, the step and the pool allow.  Where only
 * the step was too small, filling goes on in the next one.
 */
static void fill(struct static_batch *b, struct quire_plan *plan)
{
	struct quire_seq *seq;
	uint32_t columns;
	int rc = 0;

	while ((seq = b->waiting.first) && b->live.count + b->done.count < b->batch) {
		columns = seq->known_tokens > b->columns ? seq->known_tokens : b->columns;
		rc = quire_plan_pad(plan, columns);
		if (rc == 0)
			rc = quire_plan_add(plan, seq, quire_plan_todo(seq));
		if (rc)
			break;
		b->columns = columns;
		quire_queue_push(&b->live, seq);
	}
	b->filling = rc == -E2BIG || (rc == -EDQUOT && quire_plan_room_seqs(plan));
	b->outputs = 1;
}

/* One token for every row.  When memory is short, finished rows go first. */
static void decode(struct static_batch *b, struct quire_plan *plan)
{
	struct quire_seq *seq, *next, *victim;
	int rc = 0;

	quire_plan_pad(plan, ++b->columns);
	b->outputs++;
	for (seq = b->live.first; seq && rc != -EDQUOT; seq = next) {
		while ((rc = quire_plan_add(plan, seq, quire_plan_todo(seq))) == -ENOSPC) {
			if (b->done.last) {
				leave(plan, b->done.last);
				continue;
			}
			victim = b->live.last;
			quire_plan_preempt(plan, victim);
			quire_queue_push_front(&b->waiting, victim);
			if (victim == seq)
				return;
		}
		next = seq->next;
	}
	for (seq = b->done.first; seq && rc != -EDQUOT; seq = next) {
		next = seq->next;
		rc = quire_plan_add(plan, seq, 1);
		if (rc == -ENOSPC)
			leave(plan, seq);
	}
}

static void static_schedule(struct quire_sched *s, struct quire_plan *plan)
{
	struct static_batch *b = s->priv;
	uint32_t room = quire_plan_room_tokens(plan);

	if (!b->filling && !b->live.first && b->outputs >= b->until)
		while (b->done.first) /* the batch is over */
			leave(plan, b->done.first);
	if (!b->live.first && !b->done.first) {
		b->columns = 0;
		b->filling = ready(b, plan);
	}
	if (b->filling)
		fill(b, plan);
	if (quire_plan_room_tokens(plan) == room)
		decode(b, plan);
}

/* A row that is done keeps its seat until the batch is.  One that has none goes. */
static bool static_finish(struct quire_sched *s, struct quire_seq *seq)
{
	struct static_batch *b = s->priv;
	bool seated = seq->queue == &b->live;

	quire_queue_remove(seq);
	if (seated)
		quire_queue_push(&b->done, seq);
	return seated;
}

static const struct quire_sched_ops static_batching = {
	.name = "static",
	.summary = "naive batching: fill a batch, pad it, run it until its last row is done",
	.options = options,
	.priv_size = sizeof(struct static_batch),
	.init = static_init,
	.enqueue = static_enqueue,
	.schedule = static_schedule,
	.finish = static_finish,
};
QUIRE_SCHED_MODULE(static_batching);
