/*
 * scene_cells.c - see scene_cells.h.
 */
#include "scene_cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The slots of a cell that a block shows, and where they lie in the map. */
struct part {
	uint32_t from, until; /* slots of the pool; until <= from: none */
	uint64_t position;    /* of the first, in tokens */
};

/* What a sequence's tokens are. */
struct extent {
	uint64_t live; /* tokens before it are live ... */
	uint64_t end;  /* ... and before this one will be */
};

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

/* ---- what a cell holds ---- */

static struct part part_of(const struct quire_story *story, const struct quire_record_seq *seq,
			   uint32_t block, uint32_t cell)
{
	uint64_t first = seq->blocks[block], last = first + seq->block_slots;
	uint64_t from = (uint64_t)cell * story->cell_slots, until = from + story->cell_slots;

	if (last > story->run->slots_total)
		last = story->run->slots_total;
	from = from > first ? from : first;
	until = until < last ? until : last;
	return (struct part){
		.from = (uint32_t)from,
		.until = (uint32_t)until,
		.position = (uint64_t)block * seq->block_slots + (from - first),
	};
}

/* Up to where a sequence's tokens are live, and will be.  Dead rows have none. */
static struct extent extent_of(const struct quire_scene *scene, const struct quire_record_seq *seq)
{
	const struct quire_story *story = scene->story;
	struct extent extent = {.live = quire_scene_live(seq), .end = UINT64_MAX};
	const struct quire_record_request *r;
	uint64_t output;

	if (seq->state == QUIRE_FINISHED)
		return (struct extent){0, 0};
	if (!story->requests || seq->request >= story->run->requests_count)
		return extent;
	r = &story->requests[seq->request];
	if (!r->output_tokens)
		return extent;
	output = r->output_tokens < r->output_tokens_max ? r->output_tokens : r->output_tokens_max;
	extent.end = r->prompt_tokens + output;
	if (extent.end > story->run->seq_tokens_max)
		extent.end = story->run->seq_tokens_max;
	return extent;
}

/* How many tokens of a row of @slots from @position lie before @limit. */
static uint32_t before(uint64_t position, uint32_t slots, uint64_t limit)
{
	if (limit <= position)
		return 0;
	return limit - position < slots ? (uint32_t)(limit - position) : slots;
}

/* Count a row of slots from @position of a map. */
static void count_slots(struct quire_cell *cell, const struct extent *extent, uint64_t position,
			uint32_t slots)
{
	uint32_t live = before(position, slots, extent->live);
	uint32_t used = before(position, slots, extent->end);

	cell->mapped = (uint16_t)(cell->mapped + slots);
	cell->live = (uint16_t)(cell->live + live);
	if (used > live)
		cell->reserved = (uint16_t)(cell->reserved + used - live);
}

static const struct quire_record_seq *seq_of(const struct quire_scene *scene, uint32_t sharer)
{
	return quire_record_state_seq(&scene->state, scene->sharers->at[sharer].seq);
}

static uint32_t cell_slots(const struct quire_scene *scene, uint32_t cell)
{
	uint32_t slots = scene->story->cell_slots;
	uint32_t left = scene->story->run->slots_total - cell * slots;

	return left < slots ? left : slots;
}

/* The first of a list that has not finished, else the first. */
static uint32_t owner_of(const struct quire_scene *scene, uint32_t cell)
{
	const struct quire_scene_sharers *sharers = scene->sharers;
	uint32_t last = sharers->last[cell], i = last;

	do {
		i = sharers->at[i].next;
		if (seq_of(scene, i)->state != QUIRE_FINISHED)
			return i;
	} while (i != last);
	return sharers->at[last].next;
}

/* Parts that overlap in odd ways: slot by slot, each is that of the first who shows it, of
 * those who have not finished before those who have. */
static void count_overlapping(const struct quire_scene *scene, uint32_t cell,
			      struct quire_cell *cell_new)
{
	const struct quire_scene_sharers *sharers = scene->sharers;
	uint64_t begin = (uint64_t)cell * scene->story->cell_slots;
	uint8_t taken[STORY_CELL_SLOTS_MAX / 8] = {0};
	uint32_t last = sharers->last[cell], i = last;

	for (int finished = 0; finished < 2; finished++) {
		do {
			const struct quire_record_seq *seq;
			struct extent extent;
			struct part part;

			i = sharers->at[i].next;
			seq = seq_of(scene, i);
			if ((seq->state == QUIRE_FINISHED) != (bool)finished)
				continue;
			part = part_of(scene->story, seq, sharers->at[i].block, cell);
			extent = extent_of(scene, seq);
			for (uint32_t slot = part.from; slot < part.until; slot++) {
				uint32_t bit = (uint32_t)(slot - begin);

				if (taken[bit / 8] >> bit % 8 & 1)
					continue;
				taken[bit / 8] = (uint8_t)(taken[bit / 8] | 1u << bit % 8);
				count_slots(cell_new, &extent, part.position + (slot - part.from),
					    1);
			}
		} while (i != last);
	}
}

/* The first of the cell's slots that the owner shows, by the block @owner and those behind. */
static struct part first_part(const struct quire_scene *scene, uint32_t cell, uint32_t owner)
{
	const struct quire_scene_sharers *sharers = scene->sharers;
	const struct quire_record_seq *seq = seq_of(scene, owner);
	struct part first = part_of(scene->story, seq, sharers->at[owner].block, cell), part;

	for (uint32_t i = owner; i != sharers->last[cell];) {
		i = sharers->at[i].next;
		if (sharers->at[i].seq != seq->id)
			break;
		part = part_of(scene->story, seq, sharers->at[i].block, cell);
		if (part.from < first.from)
			first = part;
	}
	return first;
}

static void set_cell(struct quire_scene *scene, uint32_t cell, const struct quire_cell *cell_new)
{
	struct quire_cell *old = &scene->cells[cell];

	if (scene->sharers->building) { /* all groups are marked */
		*old = *cell_new;
		return;
	}
	if (old->owner == cell_new->owner && old->position == cell_new->position &&
	    old->refs == cell_new->refs && old->mapped == cell_new->mapped &&
	    old->live == cell_new->live && old->reserved == cell_new->reserved &&
	    old->given_step == cell_new->given_step)
		return;
	*old = *cell_new;
	scene->changed[cell / QUIRE_GROUP_CELLS] = scene->tick + 1;
	scene->sharers->changed = true;
}

/* Count a cell with a list again. */
static void count_shared(struct quire_scene *scene, uint32_t cell)
{
	uint32_t owner = owner_of(scene, cell);
	const struct quire_record_seq *seq = seq_of(scene, owner);
	struct part part = first_part(scene, cell, owner);
	struct quire_cell cell_new = {
		.owner = seq->id,
		.position = (uint32_t)part.position,
		.given_step = scene->cells[cell].given_step,
		.refs = scene->cells[cell].refs,
	};
	struct extent extent;

	if (part.until - part.from == cell_slots(scene, cell)) { /* nearly always */
		extent = extent_of(scene, seq);
		count_slots(&cell_new, &extent, part.position, part.until - part.from);
	} else {
		count_overlapping(scene, cell, &cell_new);
	}
	set_cell(scene, cell, &cell_new);
}

/* A cell that one block shows. */
static void count_single(struct quire_scene *scene, uint32_t cell,
			 const struct quire_record_seq *seq, uint32_t block,
			 const struct extent *extent)
{
	struct part part = part_of(scene->story, seq, block, cell);
	struct quire_cell cell_new = {
		.owner = seq->id,
		.position = (uint32_t)part.position,
		.given_step = scene->cells[cell].given_step,
		.refs = 1,
	};

	count_slots(&cell_new, extent, part.position, part.until - part.from);
	set_cell(scene, cell, &cell_new);
}

/* Does a block of the owner show all of a cell?  Then nobody else counts in it. */
static bool is_owners(const struct quire_scene *scene, uint32_t cell)
{
	const struct quire_cell *c = &scene->cells[cell];
	const struct quire_record_seq *owner = quire_record_state_seq(&scene->state, c->owner);
	struct part part = part_of(scene->story, owner, c->position / owner->block_slots, cell);

	return part.until - part.from == cell_slots(scene, cell);
}

static void cells_of(const struct quire_scene *scene, const struct quire_record_seq *seq,
		     uint32_t block, uint32_t *first, uint32_t *last)
{
	story_cells_of(seq, block, scene->story->run->slots_total, scene->story->cell_slots, first,
		       last);
}

void scene_cells_count(struct quire_scene *scene, const struct quire_record_seq *seq, uint64_t from,
		       uint64_t until)
{
	const struct quire_story *story = scene->story;
	struct extent extent = extent_of(scene, seq);
	uint64_t slots = seq->block_slots, tokens = (uint64_t)seq->blocks_count * slots;

	if (until > tokens)
		until = tokens;
	while (from < until) {
		uint32_t block = (uint32_t)(from / slots), first, last;
		uint64_t begin = block * slots, end = begin + slots < until ? begin + slots : until;

		/* Only those cells of the block in which the tokens lie. */
		cells_of(scene, seq, block, &first, &last);
		if (first < last) {
			uint64_t base = seq->blocks[block];
			uint32_t low = (uint32_t)((base + from - begin) / story->cell_slots);
			uint64_t high = (base + end - 1 - begin) / story->cell_slots;

			first = low > first ? low : first;
			last = high < last ? (uint32_t)high : last;
		}
		for (uint32_t cell = first; cell <= last; cell++) {
			if (!scene->sharers->last[cell])
				count_single(scene, cell, seq, block, &extent);
			else if (scene->cells[cell].owner == seq->id || !is_owners(scene, cell))
				count_shared(scene, cell);
		}
		from = end;
	}
}

/* ---- blocks that come and go ---- */

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
	if (!sharers->building &&
	    (seq->id <= c->owner || owner->state == QUIRE_FINISHED || !is_owners(scene, cell)))
		count_shared(scene, cell);
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
	if (seq->id == c->owner || !is_owners(scene, cell))
		count_shared(scene, cell);
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
	struct extent extent = extent_of(scene, seq);
	uint32_t first, last;

	for (uint32_t block = from; block < until; block++) {
		cells_of(scene, seq, block, &first, &last);
		for (uint32_t cell = first; cell <= last && !sharers->error; cell++) {
			if (scene->cells[cell].refs) {
				share(scene, cell, seq, block);
				continue;
			}
			if (!sharers->building)
				scene->cells[cell].given_step = maps->event->step;
			scene->cells_used++;
			count_single(scene, cell, seq, block, &extent);
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
		cells_of(scene, seq, block, &first, &last);
		for (uint32_t cell = first; cell <= last && !sharers->error; cell++) {
			if (sharers->last[cell]) {
				unshare(scene, cell, seq, block);
				continue;
			}
			set_cell(scene, cell,
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
			count_shared(scene, cell);
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
