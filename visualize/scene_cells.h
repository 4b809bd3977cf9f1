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

int scene_cells_init(struct quire_scene *scene);
void scene_cells_free(struct quire_scene *scene);
/* No map shows any cell; @given_step NULL: all 0. */
void scene_cells_clear(struct quire_scene *scene, const uint32_t *given_step);
/* All cells from the state.  Return: 0; -ENOMEM. */
int scene_cells_build(struct quire_scene *scene);
/* Tokens [@from, @until) of @seq are other than they were. */
void scene_cells_count(struct quire_scene *scene, const struct quire_record_seq *seq, uint64_t from,
		       uint64_t until);

/* scene.c: this has just happened, unless cells are being built */
void scene_flash(struct quire_scene *scene, enum quire_flash_kind kind, uint32_t cell,
		 uint32_t from, uint32_t seq);

#endif /* QUIRE_SCENE_CELLS_H */
