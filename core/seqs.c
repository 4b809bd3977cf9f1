/*
 * seqs.c - the birth and the death of sequences.
 *
 * Their records lie in one arena, taken before the run: the core's part, then
 * the scheduler's, then the allocator's.  The core keeps its own list of the
 * living, so whatever a module forgets, nothing leaks.
 */
#include "state.h"

#include <errno.h>
#include <quire/queue.h>
#include <stdlib.h>
#include <string.h>

static size_t round16(size_t bytes)
{
	return (bytes + 15) & ~(size_t)15;
}

static size_t kv_at(const struct quire_loop *loop)
{
	return round16(sizeof(struct core_seq)) + round16(loop->sched_ops.seq_size);
}

int seqs_init(struct quire_loop *loop, uint64_t seqs)
{
	if (seqs >= UINT32_MAX)
		return quire_fail(-E2BIG, "the workload has more sequences than quire can number");
	loop->seqs_limit = (uint32_t)seqs;
	loop->seq_bytes = kv_at(loop) + round16(loop->pool.ops.seq_size);
	loop->seqs = calloc(seqs + 1, loop->seq_bytes);
	if (!loop->seqs)
		return quire_fail(-ENOMEM, "out of memory for %u sequences", loop->seqs_limit);
	return 0;
}

struct core_seq *seq_new(struct quire_loop *loop, const struct quire_request *request,
			 uint32_t sample)
{
	struct core_seq *cs = loop->seqs_free;
	struct quire_outcome *outcome = &loop->metrics.outcomes[request->id];
	uint64_t cap = (uint64_t)request->prompt_tokens + request->output_tokens_max;
	uint64_t end = UINT64_MAX;

	if (cs) {
		loop->seqs_free = cs->younger;
	} else {
		assert(loop->seqs_used < loop->seqs_limit);
		cs = (struct core_seq *)(void *)(loop->seqs + loop->seqs_used++ * loop->seq_bytes);
	}
	memset(cs, 0, loop->seq_bytes);
	if (cap > loop->config.seq_tokens_max)
		cap = loop->config.seq_tokens_max;
	if (loop->config.output_tokens) {
		end = (uint64_t)request->prompt_tokens + loop->config.output_tokens[request->id];
		end = end < cap ? end : cap;
	}
	cs->seq.request = request;
	cs->seq.id = ++loop->next_id;
	cs->seq.sample = sample;
	cs->seq.known_tokens = request->prompt_tokens;
	cs->seq.sched = (char *)cs + round16(sizeof(*cs));
	cs->seq.kv = (char *)cs + kv_at(loop);
	cs->outcome = outcome;
	cs->cap_tokens = (uint32_t)cap;
	cs->end_tokens = end < UINT32_MAX ? (uint32_t)end : UINT32_MAX;
	cs->forks_due = sample == 0 && request->samples > 1;
	cs->scheduled = sample > 0;
	cs->in_window = quire_in_window(&loop->metrics, outcome->arrival_ns);

	cs->elder = loop->youngest;
	*(cs->elder ? &cs->elder->younger : &loop->eldest) = cs;
	loop->youngest = cs;
	loop->living++;
	loop->known_sum += cs->seq.known_tokens;
	return cs;
}

void seq_free(struct quire_loop *loop, struct core_seq *cs)
{
	struct quire_outcome *outcome = cs->outcome;

	pool_release(loop, cs);
	if (cs->beams)
		beams_leave(loop, cs);
	if (cs->seq.queue) { /* its record will be used again: nobody may point at it */
		quire_queue_remove(&cs->seq);
		if (!loop->broken)
			quire_fail(-EFAULT,
				   "scheduler '%s' leaves sequence %u in one of its queues, "
				   "though it is gone for good",
				   loop->sched_ops.name, cs->seq.id);
		loop->broken = true;
	}
	if (--outcome->samples_left == 0) {
		outcome->finish_ns = loop->now_ns;
		if (outcome->refused) {
			loop->metrics.refused++;
			loop->scheduled -= cs->scheduled;
		} else {
			loop->metrics.finished++;
		}
		if (!outcome->refused && quire_in_window(&loop->metrics, loop->now_ns))
			loop->metrics.requests_done++;
	}
	*(cs->elder ? &cs->elder->younger : &loop->eldest) = cs->younger;
	*(cs->younger ? &cs->younger->elder : &loop->youngest) = cs->elder;
	loop->living--;
	loop->kept -= cs->kept;
	cs->kept = false;
	loop->known_sum -= cs->seq.known_tokens;
	cs->younger = loop->seqs_free;
	loop->seqs_free = cs;
}

void seq_stillborn(struct quire_loop *loop, struct core_seq *cs)
{
	cs->seq.state = QUIRE_FINISHED;
	decide(loop, QUIRE_EV_FINISH, cs->seq.id, cs->seq.known_tokens, 0, 0);
	seq_free(loop, cs);
}

bool seq_withdraw(struct quire_loop *loop, struct core_seq *cs)
{
	bool keep = loop->sched_ops.finish(&loop->sched, &cs->seq);

	if (!keep || cs->map_slots)
		return keep;
	quire_queue_remove(&cs->seq); /* it holds no slots, and cannot be kept */
	return false;
}

/* @cs has ended; the scheduler may keep its row. */
void seq_done(struct quire_loop *loop, struct core_seq *cs)
{
	bool keep;

	cs->seq.state = QUIRE_FINISHED;
	keep = !cs->parked && seq_withdraw(loop, cs);
	decide(loop, QUIRE_EV_FINISH, cs->seq.id, cs->seq.known_tokens, keep, 0);
	if (!keep) {
		seq_free(loop, cs);
		return;
	}
	cs->kept = true;
	cs->refusal = QUIRE_REFUSED_NONE; /* it was told; what is left is a row of padding */
	loop->kept++;
	pool_keep(loop, cs);
}

void seq_refuse(struct quire_loop *loop, struct core_seq *cs, enum quire_refusal why)
{
	decide(loop, QUIRE_EV_REFUSE, cs->seq.id, why, cs->seq.known_tokens, 0);
	cs->outcome->refused = why;
	if (cs->forks_due) /* its other samples will not be born */
		cs->outcome->samples_left = 1;
	if (cs->beams)
		beams_refuse(loop, cs, why);
}
