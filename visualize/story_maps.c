/*
 * story_maps.c - see story_maps.h.
 */
#include "story_maps.h"

static int apply_map(struct story_maps *maps, struct quire_record_state *s,
		     const struct quire_event *e)
{
	const struct quire_record_seq *seq = quire_record_state_seq(s, e->seq);
	uint32_t count = seq ? seq->blocks_count : 0, from = e->a, until = e->a + 1;
	int rc;

	if (e->a > count)
		return quire_record_state_apply(s, e);
	if (count && seq->block_slots != e->c) {
		from = 0;
		until = count > until ? count : until;
	}
	if (from < count)
		maps->lose(maps, seq, from, until < count ? until : count);
	rc = quire_record_state_apply(s, e);
	seq = quire_record_state_seq(s, e->seq);
	if (rc == 0 && seq && until <= seq->blocks_count)
		maps->gain(maps, seq, from, until);
	return rc;
}

/* Is @seq's map forgotten by @e? */
static bool forgets(const struct quire_record_seq *seq, const struct quire_event *e)
{
	switch (e->kind) {
	case QUIRE_EV_UNMAP:
	case QUIRE_EV_PREEMPT:
	case QUIRE_EV_DROP:
		return true;
	case QUIRE_EV_FINISH:
		return !e->b;
	case QUIRE_EV_REFUSE:
		return seq->born_step == e->step;
	default:
		return false;
	}
}

int story_maps_apply(struct story_maps *maps, struct quire_record_state *s,
		     const struct quire_event *e)
{
	const struct quire_record_seq *seq;

	maps->event = e;
	switch (e->kind) {
	case QUIRE_EV_MAP:
		return apply_map(maps, s, e);
	case QUIRE_EV_UNMAP:
	case QUIRE_EV_PREEMPT:
	case QUIRE_EV_DROP:
	case QUIRE_EV_FINISH:
	case QUIRE_EV_REFUSE:
		seq = quire_record_state_seq(s, e->seq);
		if (seq && seq->blocks_count && forgets(seq, e))
			maps->lose(maps, seq, 0, seq->blocks_count);
		return quire_record_state_apply(s, e);
	default:
		return quire_record_state_apply(s, e);
	}
}
