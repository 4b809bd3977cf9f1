/*
 * scene_cells.h - the cells of a scene, brought up to date block by block; private to
 * scene*.c.
 *
 * Nearly every cell is shown by one block of one map: the cell itself says which, by its
 * owner and position.  Cells that several blocks show have a list of them, by age, and of
 * one sequence by block.  It is a ring: the last one is known, and its next is the first.
 */
#ifndef QUIRE_SCENE_CELLS_H
#define QUIRE_SCENE_CELLS_H

#include "scene.h"
#include "story_maps.h"

/* One block that shows a cell which others show too. */
struct scene_sharer {
	uint32_t seq, block;
	uint32_t next; /* of the same cell; of the last: the first */
};

struct quire_scene_sharers {
	struct story_maps maps; /* first: a watch of maps and this are one pointer */
	struct quire_scene *scene;
	uint32_t *last;		 /* [cells_count] of a list; 0: only the owner shows it */
	struct scene_sharer *at; /* [limit] at[0] is nobody */
	uint32_t count, limit;	 /* used so far */
	uint32_t unused;	 /* a list of those given back */
	bool building;		 /* no flashes, and shared cells are counted at the end */
	bool changed;		 /* by this seek */
	int error;		 /* -ENOMEM: memory was short */
};

/* Up to where a sequence's tokens are live, and will be; a dead row has none. */
struct scene_extent {
	uint64_t live, end; /* tokens before it; live > end: it is longer than was thought */
};

/* The cells that a block shows; none if *@first > *@last. */
static inline void scene_cells_of(const struct quire_scene *scene,
				  const struct quire_record_seq *seq, uint32_t block,
				  uint32_t *first, uint32_t *last)
{
	story_cells_of(seq, block, scene->story->run->slots_total, scene->story->cell_slots, first,
		       last);
}

/* ---- scene_count.c: what a cell holds ---- */

struct scene_extent scene_extent(const struct quire_scene *scene,
				 const struct quire_record_seq *seq);
void scene_cell_set(struct quire_scene *scene, uint32_t cell, const struct quire_cell *cell_new);
/* A cell that one block shows, and one that has a list. */
void scene_count_single(struct quire_scene *scene, uint32_t cell,
			const struct quire_record_seq *seq, uint32_t block,
			const struct scene_extent *extent);
void scene_count_shared(struct quire_scene *scene, uint32_t cell);
/* Does a block of the owner show all of a cell?  Then nobody else counts in it. */
bool scene_is_owners(const struct quire_scene *scene, uint32_t cell);
/* Tokens [@from, @until) of @seq are other than they were. */
void scene_count_tokens(struct quire_scene *scene, const struct quire_record_seq *seq,
			uint64_t from, uint64_t until);

/* ---- scene_cells.c: blocks that come and go ---- */

int scene_cells_init(struct quire_scene *scene);
void scene_cells_free(struct quire_scene *scene);
/* No map shows any cell; @given_step NULL: all 0. */
void scene_cells_clear(struct quire_scene *scene, const uint32_t *given_step);
/* All cells from the state.  Return: 0; -ENOMEM. */
int scene_cells_build(struct quire_scene *scene);

/* ---- scene.c: this has just happened, unless cells are being built ---- */

void scene_flash(struct quire_scene *scene, enum quire_flash_kind kind, uint32_t cell,
		 uint32_t from, uint32_t seq);

#endif /* QUIRE_SCENE_CELLS_H */
