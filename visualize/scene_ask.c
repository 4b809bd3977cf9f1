/*
 * scene_ask.c - questions about a scene: who, what, where.
 */
#include "scene_cells.h"

const struct quire_record_seq *quire_scene_seq(const struct quire_scene *scene, uint32_t id)
{
	return id ? quire_record_state_seq(&scene->state, id) : NULL;
}

uint32_t quire_scene_live(const struct quire_record_seq *seq)
{
	return seq->state == QUIRE_FINISHED ? 0 : seq->cached_tokens + seq->run_tokens;
}

enum quire_span_kind quire_scene_doing(const struct quire_scene *scene,
				       const struct quire_record_seq *seq)
{
	const struct quire_story *story = scene->story;
	const struct quire_track *track;

	if (seq->state == QUIRE_FINISHED)
		return QUIRE_SPAN_KEPT;
	if (seq->state == QUIRE_WAITING)
		return seq->preemptions ? QUIRE_SPAN_PREEMPTED : QUIRE_SPAN_WAITING;
	if (seq->planned_step != scene->state.counts.step || seq->id >= story->tracks_count)
		return QUIRE_SPAN_HELD;
	/* It is in the plan: the index knows what that was. */
	track = &story->tracks[seq->id];
	for (uint32_t i = track->spans_count; i; i--) {
		const struct quire_span *span = &track->spans[i - 1];

		if (span->tokens && span->from_step <= seq->planned_step)
			return (enum quire_span_kind)span->kind;
	}
	return QUIRE_SPAN_HELD;
}

static bool is_of(const struct quire_record_seq *seq, enum quire_list which)
{
	static const uint32_t states[QUIRE_LIST_COUNT] = {
		[QUIRE_LIST_WAITING] = QUIRE_WAITING,
		[QUIRE_LIST_RUNNING] = QUIRE_RUNNING,
		[QUIRE_LIST_KEPT] = QUIRE_FINISHED,
	};

	return which < QUIRE_LIST_COUNT && seq->state == states[which];
}

uint32_t quire_scene_list(const struct quire_scene *scene, enum quire_list which, uint32_t *ids,
			  uint32_t max)
{
	const struct quire_record_state *s = &scene->state;
	uint32_t count = 0, found = 0, eldest = UINT32_MAX;

	for (uint32_t i = 0; i < s->counts.seqs_count; i++) {
		if (!is_of(&s->seqs[i], which))
			continue;
		count++;
		if (s->seqs[i].id < eldest)
			eldest = s->seqs[i].id;
	}
	/* By id is by birth. */
	for (uint32_t id = eldest; found < count && found < max; id++) {
		const struct quire_record_seq *seq = quire_record_state_seq(s, id);

		if (seq && is_of(seq, which))
			ids[found++] = id;
	}
	return count;
}

uint32_t quire_scene_sharers(const struct quire_scene *scene, uint32_t cell, uint32_t *ids,
			     uint32_t max)
{
	const struct quire_scene_sharers *sharers = scene->sharers;
	uint32_t last, i, found = 0;

	if (cell >= scene->story->cells_count || !scene->cells[cell].refs)
		return 0;
	last = i = sharers->last[cell];
	if (!last && max)
		ids[0] = scene->cells[cell].owner;
	if (!last)
		return 1;
	do {
		i = sharers->at[i].next;
		if (found < max && (!found || ids[found - 1] != sharers->at[i].seq))
			ids[found++] = sharers->at[i].seq;
	} while (i != last);
	return scene->cells[cell].refs;
}

bool quire_scene_place(const struct quire_scene *scene, uint32_t seq, uint32_t position,
		       uint32_t *cell, uint32_t *slot)
{
	const struct quire_record_seq *s = quire_scene_seq(scene, seq);
	uint64_t at;

	if (!s || !s->block_slots || position / s->block_slots >= s->blocks_count)
		return false;
	at = (uint64_t)s->blocks[position / s->block_slots] + position % s->block_slots;
	if (at >= scene->story->run->slots_total)
		return false;
	*cell = (uint32_t)(at / scene->story->cell_slots);
	*slot = (uint32_t)(at % scene->story->cell_slots);
	return true;
}

uint32_t quire_scene_block_cells(const struct quire_scene *scene,
				 const struct quire_record_seq *seq)
{
	uint32_t slots = scene->story->cell_slots;

	return seq->block_slots / slots + (seq->block_slots % slots != 0);
}
