/*
 * allocator_model.h - what every allocator must answer, worked out the slow way.
 *
 * The model is too simple to be wrong: it keeps the map of each sequence as it was
 * last accepted, counts from scratch after every call how many sequences hold
 * each slot, and finds free room by walking over that count.  It has no free
 * lists, no reference counts and no holes that must be merged.
 *
 * It says before a call what the answer must be (model_grow, model_fork); where
 * that leaves a choice, as which free block is taken, model_accept() judges the
 * choice.  It never looks into an allocator: allocator_twin.h does the asking.
 */
#ifndef QUIRE_TESTS_ALLOCATOR_MODEL_H
#define QUIRE_TESTS_ALLOCATOR_MODEL_H

#include "core/plan.h"

#define MODEL_SEQS 8

/* Where room is found.  The last three are place= of contiguous, in its order. */
enum model_place { PLACE_PAGED, PLACE_BUDDY, PLACE_FIRST, PLACE_BEST };
/* reserve= of contiguous, in its order. */
enum model_reserve { RESERVE_MAX, RESERVE_CAP, RESERVE_POW2, RESERVE_ORACLE };

/* One allocator with its options, and the pool that it runs in. */
struct model_setup {
	enum model_place place;
	enum model_reserve reserve; /* of contiguous */
	uint32_t block;		    /* slots; of paged and buddy */
	bool cow;		    /* of paged, as is: */
	double watermark;
	uint32_t slots_total;
	uint32_t seqs_max; /* <= MODEL_SEQS */
	uint32_t seq_tokens_max;
	uint32_t copies_max; /* of a step */
	bool lose_copies;    /* a fault planted in the test: no copy is executed */
};

struct model_seq {
	bool born;
	bool forked; /* it may share the block that it writes next: grow() comes first */
	uint32_t prompt, output_max, end; /* tokens; the last with the prompt */
	uint32_t known, cached;		  /* tokens */
	uint32_t *tag;			  /* [seq_tokens_max] what it wrote, by token */
	uint32_t *first;		  /* [slots_total] its map */
	uint32_t blocks, block_slots;	  /* blocks 0: it holds no slots */
	uint32_t held;			  /* slots of each block, rounding included */
};

struct model {
	struct model_setup setup;
	struct model_seq seq[MODEL_SEQS];
	uint32_t *taken; /* [slots_total] sequences that hold the slot; see model_count */
	uint32_t slots_held;
	uint32_t holding; /* sequences that hold slots */
};

/*
 * What grow() or fork() must answer, and on success the shape of the new map:
 * block i is fresh if i >= fresh_from or i == fresh_also, else it stays (of a
 * fork: it is its parent's).  A fresh block in the place of an old one comes with
 * a copy of what is cached in it.
 */
struct model_answer {
	int rc;
	const char *why;
	uint32_t blocks, block_slots, held;
	uint32_t fresh_from, fresh_also;
};

/* The allocator's name and options, as a user writes them. */
const char *model_text(const struct model_setup *setup);

void model_init(struct model *m, const struct model_setup *setup);
void model_exit(struct model *m);
/* Count taken, slots_held and holding again, from the maps. */
void model_count(struct model *m);

uint32_t model_largest(const struct model *m);
bool model_fits(const struct model *m, const struct model_seq *s, uint32_t tokens);
/* @copies_room: copies that the step still has room for. */
struct model_answer model_grow(const struct model *m, const struct model_seq *s, uint32_t tokens,
			       uint32_t copies_room);
struct model_answer model_fork(const struct model *m, const struct model_seq *parent,
			       const struct model_seq *child, uint32_t copies_room);
/*
 * @s was given @map, and these copies were asked for; @was is whom the stays are
 * compared with: @s itself, or its parent.  Return: NULL and @s has the map, or
 * what is wrong with it.
 */
const char *model_accept(struct model *m, struct model_seq *s, const struct model_seq *was,
			 const struct model_answer *answer, const struct quire_map *map,
			 const struct quire_copy *copies, uint32_t copies_count);

#endif /* QUIRE_TESTS_ALLOCATOR_MODEL_H */
