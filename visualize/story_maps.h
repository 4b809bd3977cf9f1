/*
 * story_maps.h - folds an event into a state, and tells which blocks maps lose and gain by
 * it; private to story_*.c and scene_*.c.
 *
 * What a state holds of maps changes in few ways (record_state.c): a block is added or
 * replaced, all blocks are renamed by another block size, all are gone.  Who keeps
 * something for each cell of the pool, such as how many maps show it, follows from here.
 */
#ifndef QUIRE_STORY_MAPS_H
#define QUIRE_STORY_MAPS_H

#include "core/trace/record_state.h"

struct story_maps {
	/* Blocks [@from, @until) of @seq's map go, before the state changes ... */
	void (*lose)(struct story_maps *maps, const struct quire_record_seq *seq, uint32_t from,
		     uint32_t until);
	/* ... and came, after it has. */
	void (*gain)(struct story_maps *maps, const struct quire_record_seq *seq, uint32_t from,
		     uint32_t until);
	const struct quire_event *event; /* the one that is folded */
};

/* Return: 0; -ENOMEM, and the state is of no use any more. */
int story_maps_apply(struct story_maps *maps, struct quire_record_state *s,
		     const struct quire_event *e);

#define STORY_CELL_SLOTS_MAX 32768u

/* The cells of a pool of @slots_total that a block of a map shows; none if *@first > *@last.
 * A token that no number reaches is nonsense, and its block shows nothing. */
static inline void story_cells_of(const struct quire_record_seq *seq, uint32_t block,
				  uint32_t slots_total, uint32_t cell_slots, uint32_t *first,
				  uint32_t *last)
{
	uint64_t from = seq->blocks[block], until = from + seq->block_slots;

	if (until > slots_total)
		until = slots_total;
	*first = 1;
	*last = 0;
	if (from >= until || ((uint64_t)block + 1) * seq->block_slots > UINT32_MAX)
		return;
	*first = *last = (uint32_t)from / cell_slots;
	if (until > ((uint64_t)*first + 1) * cell_slots) /* a division less, nearly always */
		*last = (uint32_t)(until - 1) / cell_slots;
}

#endif /* QUIRE_STORY_MAPS_H */
