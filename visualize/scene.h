/*
 * scene.h - what a picture shows of a story at one moment: every cell of the pool, every
 * sequence alive, and what has just happened.
 *
 * A scene is moved to a position of its story, forward or back, by quire_scene_seek(); the
 * picture is the same however one came there.  Forward it applies the events between,
 * which is cheap; back, or far, it starts from the nearest keyframe.
 *
 * Of each cell
 *	live + reserved + internal + unmapped = cell_slots
 *	internal = mapped - live - reserved		unmapped = cell_slots - mapped
 * where a slot that several maps show is counted as the owner's: the eldest of them that has
 * not finished, if there is one.  What is `unmapped` is free, or lost to rounding: events do
 * not say of single slots which.  Where no true end is known, all that is not live counts as
 * reserved.
 *
 * A picture that is kept is brought up to date by what changed:
 *
 *	for each group g of QUIRE_GROUP_CELLS cells
 *		if (scene->changed[g] > seen) draw its cells again
 *	seen = scene->tick
 *
 * No SDL, no cairo, no clock: tests drive it without a display.
 */
#ifndef QUIRE_SCENE_H
#define QUIRE_SCENE_H

#include "story.h"

struct quire_cell {
	uint32_t owner;	     /* sequence; 0: no map shows it */
	uint32_t position;   /* of its first slot in the owner's map, in tokens */
	uint32_t given_step; /* when it was given out, or came free */
	uint16_t refs;	     /* maps that show it; UINT16_MAX: or more */
	uint16_t mapped;     /* of its slots: in a map */
	uint16_t live;	     /* of those: hold a live token */
	uint16_t reserved;   /* of those: will hold one */
};

#define QUIRE_GROUP_CELLS 64u

/* What just happened to a cell.  */
enum quire_flash_kind {
	QUIRE_FLASH_GIVEN,  /* it is in a map now */
	QUIRE_FLASH_FREED,  /* in no map any more */
	QUIRE_FLASH_SHARED, /* one map more shows it: a fork */
	QUIRE_FLASH_COPIED, /* written from the cell `from`: copy-on-write */
	QUIRE_FLASH_TAKEN,  /* freed by a preemption */
};

struct quire_flash {
	uint32_t cell;
	uint32_t from; /* of COPIED: a cell; of SHARED: the parent sequence */
	uint32_t seq;  /* whose */
	uint32_t step;
	uint64_t at_ns;
	uint64_t index; /* events before */
	uint32_t kind;	/* enum quire_flash_kind */
	uint32_t zero;
};

/* The newest flashes: at least those of the step that runs and the one before, as far as
 * there is room.  A picture decides how long one is seen. */
#define QUIRE_FLASHES_MAX 16384u

struct quire_scene_sharers; /* scene_cells.c: who shows a cell that several show */

struct quire_scene {
	const struct quire_story *story;
	struct quire_scene_sharers *sharers; /* owned */
	uint64_t index;			     /* where it is */
	struct quire_record_state state;

	struct quire_cell *cells; /* [story->cells_count] owned */
	uint32_t cells_used;	  /* that some map shows */
	uint32_t cells_shared;	  /* that several do */

	uint32_t *changed; /* [groups_count] tick of the last change, owned */
	uint32_t groups_count;
	uint32_t tick; /* of the last seek that changed something */

	struct quire_flash *flashes; /* ring [QUIRE_FLASHES_MAX], owned */
	uint64_t flashes_count;	     /* ever: the last is [(count - 1) % QUIRE_FLASHES_MAX] */
	uint64_t flashes_first;	     /* older ones are not of this past */
};

/* A scene at position 0.  Return: 0; -ENOMEM with a sentence. */
int quire_scene_init(struct quire_scene *scene, const struct quire_story *story);
void quire_scene_free(struct quire_scene *scene);

/* Go to @index, at most story->indexed.  Return: 0; -ENOMEM, and it is somewhere sound. */
int quire_scene_seek(struct quire_scene *scene, uint64_t index);

/* ---- questions ---- */

/* The sequence, if it is alive now; NULL. */
const struct quire_record_seq *quire_scene_seq(const struct quire_scene *scene, uint32_t id);
/* Tokens of it that are live: cached, and those of its item once it is planned. */
uint32_t quire_scene_live(const struct quire_record_seq *seq);
/* What it does now.  */
enum quire_span_kind quire_scene_doing(const struct quire_scene *scene,
				       const struct quire_record_seq *seq);

enum quire_list { QUIRE_LIST_WAITING, QUIRE_LIST_RUNNING, QUIRE_LIST_KEPT, QUIRE_LIST_COUNT };
/* Ids in order of birth into @ids [@max].  Return: how many there are, perhaps more. */
uint32_t quire_scene_list(const struct quire_scene *scene, enum quire_list which, uint32_t *ids,
			  uint32_t max);

/* The sequences whose maps show @cell, eldest first, likewise. */
uint32_t quire_scene_sharers(const struct quire_scene *scene, uint32_t cell, uint32_t *ids,
			     uint32_t max);
/* The cell and the slot in it of a sequence's token.  Return: false: it has no slot. */
bool quire_scene_place(const struct quire_scene *scene, uint32_t seq, uint32_t position,
		       uint32_t *cell, uint32_t *slot);
/* How many cells each map block of @seq is long: 1 where blocks are cells. */
uint32_t quire_scene_block_cells(const struct quire_scene *scene,
				 const struct quire_record_seq *seq);

#endif /* QUIRE_SCENE_H */
