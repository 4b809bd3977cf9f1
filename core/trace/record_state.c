/*
 * record_state.c - see record_state.h.
 */
#include "record_state.h"

#include "record_grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(offsetof(struct quire_record_seq, blocks) == QUIRE_RECORD_SEQ_BYTES, "the format");
_Static_assert(sizeof(struct quire_record_counts) % 8 == 0, "the format");

int quire_record_state_init(struct quire_record_state *s, uint32_t requests_count)
{
	*s = (struct quire_record_state){.requests_count = requests_count};
	s->living = calloc((size_t)requests_count + 1, sizeof(*s->living));
	return s->living ? 0 : quire_fail(-ENOMEM, "no memory for the state of a recording");
}

void quire_record_state_free(struct quire_record_state *s)
{
	for (uint32_t i = 0; i < s->seqs_limit; i++)
		free(s->seqs[i].blocks);
	free(s->seqs);
	free(s->place);
	free(s->planned);
	free(s->living);
	memset(s, 0, sizeof(*s));
}

static struct quire_record_seq *find(const struct quire_record_state *s, uint32_t id)
{
	uint32_t place = id < s->place_limit ? s->place[id] : 0;

	return place ? &s->seqs[place - 1] : NULL;
}

const struct quire_record_seq *quire_record_state_seq(const struct quire_record_state *s,
						      uint32_t id)
{
	return find(s, id);
}

/* The next sequence is born.  Its record keeps the blocks array of a dead one. */
static struct quire_record_seq *birth(struct quire_record_state *s)
{
	struct quire_record_counts *c = &s->counts;
	struct quire_record_seq *seq;
	uint32_t *blocks, limit;

	if (GROW(s->seqs, s->seqs_limit, (uint64_t)c->seqs_count + 1) ||
	    GROW(s->place, s->place_limit, (uint64_t)c->seqs_born + 2))
		return NULL;
	seq = &s->seqs[c->seqs_count++];
	blocks = seq->blocks;
	limit = seq->blocks_limit;
	*seq = (struct quire_record_seq){
		.id = ++c->seqs_born,
		.request = QUIRE_RECORD_NOBODY,
		.state = QUIRE_WAITING,
		.born_step = c->step,
		.blocks = blocks,
		.blocks_limit = limit,
	};
	s->place[seq->id] = c->seqs_count;
	return seq;
}

static void join(struct quire_record_state *s, struct quire_record_seq *seq, uint32_t request)
{
	seq->request = request;
	if (request < s->requests_count)
		s->living[request]++;
}

static void unmap(struct quire_record_state *s, struct quire_record_seq *seq)
{
	s->blocks_sum -= seq->blocks_count;
	seq->blocks_count = seq->block_slots = 0;
}

/* It is gone, and with the last of its request so is that. */
static void death(struct quire_record_state *s, struct quire_record_seq *seq)
{
	struct quire_record_counts *c = &s->counts;
	struct quire_record_seq *last = &s->seqs[c->seqs_count - 1], dead;
	uint32_t request = seq->request;

	unmap(s, seq);
	s->place[seq->id] = 0;
	if (seq != last) {
		dead = *seq;
		*seq = *last;
		*last = dead;
		s->place[seq->id] = (uint32_t)(seq - s->seqs) + 1;
	}
	c->seqs_count--;
	if (request >= s->requests_count || --s->living[request] & ~QUIRE_RECORD_REFUSED)
		return;
	if (s->living[request])
		c->refused++;
	else
		c->finished++;
	s->living[request] = 0;
}

static int apply_map(struct quire_record_state *s, const struct quire_event *e)
{
	struct quire_record_seq *seq = find(s, e->seq);

	/* One that shares its parent's slots is born with its map, its FORK follows. */
	if (!seq && e->seq == s->counts.seqs_born + 1)
		seq = birth(s);
	if (!seq)
		return e->seq == s->counts.seqs_born + 1 ? -ENOMEM : 0;
	if (e->a > seq->blocks_count)
		return 0;
	if (GROW(seq->blocks, seq->blocks_limit, (uint64_t)e->a + 1))
		return -ENOMEM;
	seq->blocks[e->a] = e->b;
	seq->block_slots = e->c;
	if (e->a == seq->blocks_count) {
		seq->blocks_count++;
		s->blocks_sum++;
	}
	return 0;
}

static int apply_fork(struct quire_record_state *s, const struct quire_event *e)
{
	struct quire_record_seq *seq = find(s, e->seq), *parent;

	if (!seq) {
		if (e->seq != s->counts.seqs_born + 1)
			return 0;
		seq = birth(s);
		if (!seq)
			return -ENOMEM;
	}
	if (seq->request != QUIRE_RECORD_NOBODY)
		return 0;
	parent = find(s, e->a);
	seq->cached_tokens = e->b;
	seq->known_tokens = e->c;
	seq->state = seq->blocks_count ? QUIRE_RUNNING : QUIRE_WAITING;
	seq->flags = QUIRE_RECORD_SEQ_SCHEDULED;
	s->counts.forks++;
	if (parent) {
		seq->sample = ++parent->forks;
		seq->prompt_tokens = parent->prompt_tokens;
		join(s, seq, parent->request);
	}
	return 0;
}

static int apply_run(struct quire_record_state *s, struct quire_record_seq *seq,
		     const struct quire_event *e)
{
	if (GROW(s->planned, s->planned_limit, (uint64_t)s->planned_count + 1))
		return -ENOMEM;
	s->planned[s->planned_count++] = seq->id;
	seq->run_tokens = e->a;
	seq->planned_step = e->step;
	if (seq->flags & QUIRE_RECORD_SEQ_KEPT)
		return 0;
	seq->cached_tokens = e->b;
	seq->known_tokens = e->c;
	seq->state = QUIRE_RUNNING;
	seq->flags |= QUIRE_RECORD_SEQ_SCHEDULED;
	return 0;
}

static void apply_done(struct quire_record_state *s, bool ran)
{
	for (uint32_t i = 0; i < s->planned_count; i++) {
		struct quire_record_seq *seq = find(s, s->planned[i]);

		if (!seq)
			continue;
		if (ran && !(seq->flags & QUIRE_RECORD_SEQ_KEPT))
			seq->cached_tokens += seq->run_tokens;
		seq->run_tokens = 0;
	}
	s->planned_count = 0;
}

static void apply_refuse(struct quire_record_state *s, struct quire_record_seq *seq,
			 const struct quire_event *e)
{
	seq->flags |= QUIRE_RECORD_SEQ_REFUSED;
	if (seq->request < s->requests_count)
		s->living[seq->request] |= QUIRE_RECORD_REFUSED;
	if (seq->born_step == e->step) /* as it arrived: nobody else has met it */
		death(s, seq);
}

static void apply_memory(struct quire_record_counts *c, const struct quire_event *e)
{
	if (e->kind == QUIRE_EV_MEMORY) {
		c->token_states = e->a;
		c->reserved = e->b;
		c->internal = e->c;
	} else if (e->kind == QUIRE_EV_POOL) {
		c->rounding = e->a;
		c->free = e->b;
		c->largest_free_run = e->c;
	} else {
		c->mapped_slots = e->a;
	}
}

static int apply_to(struct quire_record_state *s, struct quire_record_seq *seq,
		    const struct quire_event *e)
{
	switch (e->kind) {
	case QUIRE_EV_RUN:
		return apply_run(s, seq, e);
	case QUIRE_EV_SAMPLE:
		seq->known_tokens = e->b;
		s->counts.output_tokens++;
		return 0;
	case QUIRE_EV_UNMAP:
		unmap(s, seq);
		return 0;
	case QUIRE_EV_PREEMPT:
		unmap(s, seq);
		seq->cached_tokens = 0;
		seq->state = QUIRE_WAITING;
		seq->preemptions++;
		s->counts.preemptions++;
		return 0;
	case QUIRE_EV_REFUSE:
		apply_refuse(s, seq, e);
		return 0;
	case QUIRE_EV_FINISH:
		seq->state = QUIRE_FINISHED;
		if (e->b)
			seq->flags |= QUIRE_RECORD_SEQ_KEPT;
		else
			death(s, seq);
		return 0;
	case QUIRE_EV_DROP:
		death(s, seq);
		return 0;
	default:
		return 0;
	}
}

int quire_record_state_apply(struct quire_record_state *s, const struct quire_event *e)
{
	struct quire_record_counts *c = &s->counts;
	struct quire_record_seq *seq;

	if (e->step != c->step) {
		if (s->planned_count)
			apply_done(s, false);
		c->step = e->step;
	}
	c->index++;
	c->at_ns = e->at_ns;
	switch (e->kind) {
	case QUIRE_EV_ARRIVE:
		c->arrived++;
		seq = birth(s);
		if (!seq)
			return -ENOMEM;
		join(s, seq, e->seq);
		seq->known_tokens = seq->prompt_tokens = e->a;
		return 0;
	case QUIRE_EV_MAP:
		return apply_map(s, e);
	case QUIRE_EV_FORK:
		return apply_fork(s, e);
	case QUIRE_EV_MEMORY:
	case QUIRE_EV_POOL:
	case QUIRE_EV_SHARE:
		apply_memory(c, e);
		return 0;
	case QUIRE_EV_COPY:
		c->copies++;
		c->copied_slots += e->c;
		return 0;
	case QUIRE_EV_STEP:
		c->step_begin_ns = e->at_ns;
		c->step_end_ns = 0;
		c->items = e->a;
		c->tokens = e->b;
		c->pad_tokens = e->c;
		return 0;
	case QUIRE_EV_DONE:
		c->steps_done++;
		c->step_end_ns = e->at_ns;
		c->seqs_held = e->c;
		apply_done(s, true);
		return 0;
	default:
		seq = find(s, e->seq);
		return seq ? apply_to(s, seq, e) : 0;
	}
}
