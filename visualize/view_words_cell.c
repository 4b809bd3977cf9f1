/*
 * view_words_cell.c - a block of the pool in words: whose it is, what lies in it, what is
 * waste, who shares it, and what just happened to it.
 */
#include "view_words.h"

#include <stdio.h>

#define NAMES_MAX 4u

/* A whole reservation is one block of its map, however long. */
static bool is_reservation(const struct quire_scene *scene, const struct quire_record_seq *seq)
{
	return seq && quire_scene_block_cells(scene, seq) > 1;
}

static void say_free(struct words *w, const struct quire_scene *scene, uint32_t cell)
{
	uint32_t step = scene->cells[cell].given_step;

	words_add(w, "Block %u of the pool is free.\n", cell);
	if (step)
		words_add(w, "It came free in step %u, and waits for the next who needs room.\n",
			  step);
	else
		words_add(w, "Nobody has used it yet.\n");
}

static void say_whose(struct words *w, const struct quire_scene *scene, uint32_t cell)
{
	const struct quire_story *story = scene->story;
	const struct quire_cell *c = &scene->cells[cell];
	uint32_t ids[NAMES_MAX], count = quire_scene_sharers(scene, cell, ids, NAMES_MAX);
	bool full = c->live == story->cell_slots;
	char name[32];

	if (count < 2) {
		words_add(w, "Block %u of the pool belongs to %s, since step %u.\n", cell,
			  quire_story_name(story, c->owner, name), c->given_step);
		return;
	}
	words_add(w, "Block %u of the pool is shared by ", cell);
	words_names(w, story, ids, count < NAMES_MAX ? count : NAMES_MAX, count);
	words_add(w, ".\nTheir texts begin alike, so it is there once instead of %u times.\n",
		  count);
	if (full)
		words_add(w, "It is full, so nobody will write into it any more.\n");
	else
		words_add(w, "Who writes into it first gets a copy: copy-on-write.\n");
}

/* live + reserved + internal + unmapped = slots */
static void say_parts(struct words *w, const struct quire_scene *scene, uint32_t cell)
{
	const struct quire_cell *c = &scene->cells[cell];
	const struct quire_record_seq *seq = quire_scene_seq(scene, c->owner);
	uint32_t slots = scene->story->cell_slots;
	uint32_t internal = (uint32_t)c->mapped - c->live - c->reserved;
	char slots_text[64];

	words_count(slots, "slot", slots_text);
	if (seq && seq->state == QUIRE_FINISHED)
		words_add(w, "Its sequence has finished, but its batch has not: the row is kept, "
			     "and what it holds is waste.\n");
	else if (c->live == slots)
		words_add(w, "All of its %s hold a live token.\n", slots_text);
	else if (c->live)
		words_add(w, "Of its %s, %u hold%s a live token.\n", slots_text, c->live,
			  c->live == 1 ? "s" : "");
	else
		words_add(w, "None of its %s holds a token yet.\n", slots_text);
	if (c->reserved)
		words_add(w, "%u %s reserved: empty now, and this sequence %s use %s.\n",
			  c->reserved, c->reserved == 1 ? "is" : "are",
			  scene->story->requests ? "will" : "may",
			  c->reserved == 1 ? "it" : "them");
	if (internal && seq && seq->state != QUIRE_FINISHED)
		words_add(w,
			  "%u will never be used, because the answer ends before: internal "
			  "waste%s.\n",
			  internal,
			  is_reservation(scene, seq) ? ", the price of reserving for a length that "
						       "nobody knows"
						     : "");
	if (c->mapped < slots)
		words_add(w, "%u %s in no map: rounded up to whole blocks, or free.\n",
			  slots - c->mapped, slots - c->mapped == 1 ? "is" : "are");
}

/* The newest thing that happened to it, if that was in this step. */
static void say_news(struct words *w, const struct quire_scene *scene, uint32_t cell)
{
	const struct quire_story *story = scene->story;
	uint64_t i = scene->flashes_count, first = scene->flashes_first;
	char name[32], other[32];

	if (i > QUIRE_FLASHES_MAX && first < i - QUIRE_FLASHES_MAX)
		first = i - QUIRE_FLASHES_MAX;
	for (; i > first; i--) {
		const struct quire_flash *f = &scene->flashes[(i - 1) % QUIRE_FLASHES_MAX];

		if (f->step != scene->state.counts.step)
			return;
		if (f->cell != cell)
			continue;
		quire_story_name(story, f->seq, name);
		switch (f->kind) {
		case QUIRE_FLASH_COPIED:
			words_add(w,
				  "Just now it was made as a copy of block %u: %s writes here, "
				  "and the others keep theirs.\n",
				  f->from, name);
			return;
		case QUIRE_FLASH_SHARED:
			words_add(w, "Just now %s was forked and shows it too", name);
			if (f->from)
				words_add(w, ", as %s does",
					  quire_story_name(story, f->from, other));
			words_add(w, ": nothing was copied.\n");
			return;
		case QUIRE_FLASH_TAKEN:
			words_add(w,
				  "Just now it was taken from %s, which was preempted because "
				  "memory was short.\n",
				  name);
			return;
		case QUIRE_FLASH_FREED:
			words_add(w, "Just now %s gave it back.\n", name);
			return;
		default:
			break; /* "since step 12" says it */
		}
	}
}

static void say_slot(struct words *w, const struct quire_scene *scene, const struct quire_hit *hit)
{
	const struct quire_cell *c = &scene->cells[hit->cell];
	const struct quire_record_seq *seq = quire_scene_seq(scene, c->owner);
	uint32_t position = c->position + hit->slot;
	struct quire_token token;
	char name[32];

	if (!seq || hit->slot >= c->mapped || position >= quire_scene_live(seq))
		return;
	token = quire_story_token(scene->story, c->owner, position);
	words_add(w, "Slot %u holds K and V of token %u of %s", hit->slot, position,
		  quire_story_name(scene->story, c->owner, name));
	if (token.text && token.bytes)
		words_add(w, ", \xe2\x80\x9c%.*s\xe2\x80\x9d", (int)token.bytes, token.text);
	words_add(w, ", %s.\n", token.output ? "which was generated" : "of the prompt");
}

void words_cell(struct words *w, const struct quire_view *view, const struct quire_hit *hit)
{
	const struct quire_scene *scene = &view->sides[hit->side].scene;
	char name[32];

	if (hit->cell >= scene->story->cells_count)
		return;
	if (hit->kind == QUIRE_HIT_BLOCK) {
		quire_story_name(scene->story, hit->seq, name);
		if (is_reservation(scene, quire_scene_seq(scene, hit->seq)))
			words_add(w,
				  "Part %u of the one region that %s has reserved is block %u "
				  "of the pool.\n",
				  hit->block, name, hit->cell);
		else
			words_add(w,
				  "The block table of %s says: its block %u is block %u of the "
				  "pool.\n",
				  name, hit->block, hit->cell);
	}
	if (scene->cells[hit->cell].refs) {
		say_whose(w, scene, hit->cell);
		say_parts(w, scene, hit->cell);
		if (hit->slot != UINT32_MAX)
			say_slot(w, scene, hit);
	} else {
		say_free(w, scene, hit->cell);
	}
	say_news(w, scene, hit->cell);
}
