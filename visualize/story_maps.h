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

#endif /* QUIRE_STORY_MAPS_H */
