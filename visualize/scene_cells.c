/*
 * scene_cells.c - see scene_cells.h.
 */
#include "scene_cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void scene_cells_free(struct quire_scene *scene)
{
	if (scene->sharers) {
		free(scene->sharers->last);
		free(scene->sharers->at);
	}
	free(scene->sharers);
	free(scene->cells);
	free(scene->changed);
}

void scene_cells_clear(struct quire_scene *scene, const uint32_t *given_step)
{
	struct quire_scene_sharers *sharers = scene->sharers;
	uint32_t count = scene->story->cells_count;

	for (uint32_t cell = 0; cell < count; cell++)
		scene->cells[cell] =
			(struct quire_cell){.given_step = given_step ? given_step[cell] : 0};
	if (sharers->count > 1)
		memset(sharers->last, 0, count * sizeof(*sharers->last));
	for (uint32_t group = 0; group < scene->groups_count; group++)
		scene->changed[group] = scene->tick + 1;
	sharers->changed = true;
	sharers->count = 1;
	sharers->unused = 0;
	scene->cells_used = scene->cells_shared = 0;
}

static uint32_t new_sharer(struct quire_scene_sharers *sharers, uint32_t seq, uint32_t block)
{
	uint32_t i = sharers->unused;

	if (i) {
		sharers->unused = sharers->at[i].next;
	} else {
		if (sharers->count >= sharers->limit) {
			uint32_t limit = sharers->limit ? 2 * sharers->limit : 256;
			struct scene_sharer *at = NULL;

			if (limit)
				at = realloc(sharers->at, limit * sizeof(*at));
			if (!at) {
				sharers->error = -ENOMEM;
				return 0;
			}
			sharers->at = at;
			sharers->limit = limit;
		}
		i = sharers->count++;
	}
	sharers->at[i] = (struct scene_sharer){.seq = seq, .block = block};
	return i;
}

static bool is_before(const struct scene_sharer *a, const struct scene_sharer *b)
{
	return a->seq != b->seq ? a->seq < b->seq : a->block < b->block;
}

/* Put @i in its place.  Return: is it a map that did not show the cell yet? */
static bool put(struct quire_scene_sharers *sharers, uint32_t cell, uint32_t i)
{
	struct scene_sharer *at = sharers->at;
	uint32_t last = sharers->last[cell], before = last, seq = at[i].seq;
	bool is_new;

	if (is_before(&at[last], &at[i])) /* the youngest comes last */
		sharers->last[cell] = i;
	else
		while (is_before(&at[at[before].next], &at[i]))
			before = at[before].next;
	is_new = at[before].seq != seq && at[at[before].next].seq != seq;
	at[i].next = at[before].next;
	at[before].next = i;
	return is_new;
}

/* Take out block @block of @seq.  Return: does its map not show the cell any more? */
static bool take(struct quire_scene_sharers *sharers, uint32_t cell, uint32_t seq, uint32_t block)
{
	struct scene_sharer *at = sharers->at;
	uint32_t last = sharers->last[cell], before = last, i;

	while (at[at[before].next].seq != seq || at[at[before].next].block != block) {
		before = at[before].next;
		if (before == last)
			return false;
	}
	i = at[before].next;
	at[before].next = at[i].next;
	if (i == last)
		sharers->last[cell] = before;
	at[i].next = sharers->unused;
	sharers->unused = i;
	return at[before].seq != seq && at[at[before].next].seq != seq;
}

/* Maps in a list, at most UINT16_MAX. */
static uint16_t refs_of(const struct quire_scene_sharers *sharers, uint32_t cell)
{
	uint32_t last = sharers->last[cell], i = last, refs = 0, seq = 0;

	do {
		i = sharers->at[i].next;
		refs += sharers->at[i].seq != seq;
		seq = sharers->at[i].seq;
	} while (i != last && refs < UINT16_MAX);
	return (uint16_t)refs;
}

/* One more block shows a cell that has an owner. */
static void share(struct quire_scene *scene, uint32_t cell, const struct quire_record_seq *seq,
		  uint32_t block)
{
	struct quire_scene_sharers *sharers = scene->sharers;
	struct quire_cell *c = &scene->cells[cell];
	const struct quire_record_seq *owner = quire_record_state_seq(&scene->state, c->owner);
	uint32_t i;

	if (!sharers->last[cell]) {
		i = new_sharer(sharers, owner->id, c->position / owner->block_slots);
		if (!i)
			return;
		sharers->at[i].next = i;
		sharers->last[cell] = i;
	}
	i = new_sharer(sharers, seq->id, block);
	if (!i)
		return;
	if (put(sharers, cell, i)) {
		scene->cells_shared += c->refs == 1;
		c->refs = (uint16_t)(c->refs + (c->refs < UINT16_MAX));
		scene->changed[cell / QUIRE_GROUP_CELLS] = scene->tick + 1;
		sharers->changed = true;
		scene_flash(scene, QUIRE_FLASH_SHARED, cell, 0, seq->id);
	}
	if (!sharers->building && (seq->id <= c->owner || owner->state == QUIRE_FINISHED ||
				   !scene_is_owners(scene, cell)))
		scene_count_shared(scene, cell);
}

/* The list of a cell loses a block.  One that is left alone needs no list. */
static void unshare(struct quire_scene *scene, uint32_t cell, const struct quire_record_seq *seq,
		    uint32_t block)
{
	struct quire_scene_sharers *sharers = scene->sharers;
	struct quire_cell *c = &scene->cells[cell];
	uint32_t last;

	if (take(sharers, cell, seq->id, block)) {
		c->refs = c->refs < UINT16_MAX ? (uint16_t)(c->refs - 1) : refs_of(sharers, cell);
		scene->cells_shared -= c->refs == 1;
		scene->changed[cell / QUIRE_GROUP_CELLS] = scene->tick + 1;
		sharers->changed = true;
	}
	if (seq->id == c->owner || !scene_is_owners(scene, cell))
		scene_count_shared(scene, cell);
	last = sharers->last[cell];
	if (sharers->at[last].next != last)
		return;
	/* The cell says by itself which block it is. */
	sharers->last[cell] = 0;
	sharers->at[last].next = sharers->unused;
	sharers->unused = last;
}

static void gain(struct story_maps *maps, const struct quire_record_seq *seq, uint32_t from,
		 uint32_t until)
{
	struct quire_scene_sharers *sharers = (struct quire_scene_sharers *)maps;
	struct quire_scene *scene = sharers->scene;
	struct scene_extent extent = scene_extent(scene, seq);
	uint32_t first, last;

	for (uint32_t block = from; block < until; block++) {
		scene_cells_of(scene, seq, block, &first, &last);
		for (uint32_t cell = first; cell <= last && !sharers->error; cell++) {
			if (scene->cells[cell].refs) {
				share(scene, cell, seq, block);
				continue;
			}
			if (!sharers->building)
				scene->cells[cell].given_step = maps->event->step;
			scene->cells_used++;
			scene_count_single(scene, cell, seq, block, &extent);
			scene_flash(scene, QUIRE_FLASH_GIVEN, cell, 0, seq->id);
		}
	}
}

static void lose(struct story_maps *maps, const struct quire_record_seq *seq, uint32_t from,
		 uint32_t until)
{
	struct quire_scene_sharers *sharers = (struct quire_scene_sharers *)maps;
	struct quire_scene *scene = sharers->scene;
	enum quire_flash_kind kind =
		maps->event->kind == QUIRE_EV_PREEMPT ? QUIRE_FLASH_TAKEN : QUIRE_FLASH_FREED;
	uint32_t first, last;

	for (uint32_t block = from; block < until; block++) {
		scene_cells_of(scene, seq, block, &first, &last);
		for (uint32_t cell = first; cell <= last && !sharers->error; cell++) {
			if (sharers->last[cell]) {
				unshare(scene, cell, seq, block);
				continue;
			}
			scene_cell_set(scene, cell,
				       &(struct quire_cell){.given_step = maps->event->step});
			scene->cells_used--;
			scene_flash(scene, kind, cell, 0, seq->id);
		}
	}
}

int scene_cells_build(struct quire_scene *scene)
{
	struct quire_scene_sharers *sharers = scene->sharers;
	const struct quire_record_state *s = &scene->state;
	uint32_t left = s->counts.seqs_count, count = scene->story->cells_count;

	sharers->building = true;
	for (uint32_t id = 1; left && id <= s->counts.seqs_born; id++) { /* by age */
		const struct quire_record_seq *seq = quire_record_state_seq(s, id);

		if (!seq)
			continue;
		gain(&sharers->maps, seq, 0, seq->blocks_count);
		left--;
	}
	sharers->building = false;
	for (uint32_t cell = 0; cell < count && sharers->count > 1; cell++)
		if (sharers->last[cell] && !sharers->error)
			scene_count_shared(scene, cell);
	return sharers->error;
}

int scene_cells_init(struct quire_scene *scene)
{
	uint32_t count = scene->story->cells_count;
	struct quire_scene_sharers *sharers = calloc(1, sizeof(*sharers));

	scene->sharers = sharers;
	scene->groups_count = (count + QUIRE_GROUP_CELLS - 1) / QUIRE_GROUP_CELLS;
	scene->cells = calloc((size_t)count + 1, sizeof(*scene->cells));
	scene->changed = calloc((size_t)scene->groups_count + 1, sizeof(*scene->changed));
	if (sharers)
		sharers->last = calloc((size_t)count + 1, sizeof(*sharers->last));
	if (!sharers || !scene->cells || !scene->changed || !sharers->last)
		return quire_fail(-ENOMEM, "no memory for a picture of %u cells", count);
	sharers->maps = (struct story_maps){.lose = lose, .gain = gain};
	sharers->scene = scene;
	sharers->count = 1;
	return 0;
}
