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
		free(scene->sharers->head);
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

	memset(scene->cells, 0, count * sizeof(*scene->cells));
	memset(sharers->head, 0, count * sizeof(*sharers->head));
	for (uint32_t cell = 0; given_step && cell < count; cell++)
		scene->cells[cell].given_step = given_step[cell];
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

/* Does @a come before @b where slots are counted as somebody's? */
static bool is_elder(const struct quire_record_seq *a, const struct quire_record_seq *b)
{
	if ((a->state == QUIRE_FINISHED) != (b->state == QUIRE_FINISHED))
		return b->state == QUIRE_FINISHED;
	return a->id < b->id;
}

static const struct quire_record_seq *seq_of(const struct quire_scene *scene, uint32_t sharer)
{
	return quire_record_state_seq(&scene->state, scene->sharers->at[sharer].seq);
}

/* The next sharer behind @last in order of age, then of block; 0: there is none. */
static uint32_t next_elder(const struct quire_scene *scene, uint32_t cell, uint32_t last)
{
	const struct quire_scene_sharers *sharers = scene->sharers;
	const struct quire_record_seq *before_seq = last ? seq_of(scene, last) : NULL;
	const struct quire_record_seq *best_seq = NULL;
	uint32_t best = 0;

	for (uint32_t i = sharers->head[cell]; i; i = sharers->at[i].next) {
		const struct quire_record_seq *seq = seq_of(scene, i);
		uint32_t block = sharers->at[i].block;

		if (last && (seq == before_seq ? block <= sharers->at[last].block
					       : !is_elder(before_seq, seq)))
			continue;
		if (best &&
		    (seq == best_seq ? block > sharers->at[best].block : !is_elder(seq, best_seq)))
			continue;
		best = i;
		best_seq = seq;
	}
	return best;
}

/* Is every sharer's part within @part?  Nearly always: they share whole blocks. */
static bool all_within(const struct quire_scene *scene, uint32_t cell, const struct part *part)
{
	const struct quire_scene_sharers *sharers = scene->sharers;

	for (uint32_t i = sharers->head[cell]; i; i = sharers->at[i].next) {
		struct part p = part_of(scene->story, seq_of(scene, i), sharers->at[i].block, cell);

		if (p.from < part->from || p.until > part->until)
			return false;
	}
	return true;
}

/*
 * Parts that overlap in odd ways: slot by slot, each is the eldest's that shows it.
 * @cell_new has owner and position.
 */
static void count_overlapping(const struct quire_scene *scene, uint32_t cell,
			      struct quire_cell *cell_new)
{
	const struct quire_story *story = scene->story;
	uint64_t begin = (uint64_t)cell * story->cell_slots;
	uint8_t taken[STORY_CELL_SLOTS_MAX / 8] = {0};

	for (uint32_t i = next_elder(scene, cell, 0); i; i = next_elder(scene, cell, i)) {
		const struct quire_record_seq *seq = seq_of(scene, i);
		struct part part = part_of(story, seq, scene->sharers->at[i].block, cell);
		struct extent extent = extent_of(scene, seq);

		for (uint32_t slot = part.from; slot < part.until; slot++) {
			uint32_t bit = (uint32_t)(slot - begin);

			if (taken[bit / 8] >> bit % 8 & 1)
				continue;
			taken[bit / 8] = (uint8_t)(taken[bit / 8] | 1u << bit % 8);
			count_slots(cell_new, &extent, part.position + (slot - part.from), 1);
		}
	}
}

/* Where the owner's first slot of the cell lies in its map. */
static uint32_t first_position(const struct quire_scene *scene, uint32_t cell, uint32_t owner)
{
	const struct quire_scene_sharers *sharers = scene->sharers;
	struct part first = {.from = UINT32_MAX};

	for (uint32_t i = sharers->head[cell]; i; i = sharers->at[i].next) {
		struct part part;

		if (sharers->at[i].seq != owner)
			continue;
		part = part_of(scene->story, seq_of(scene, i), sharers->at[i].block, cell);
		if (part.from < first.from ||
		    (part.from == first.from && part.position < first.position))
			first = part;
	}
	return (uint32_t)first.position;
}

static void set_cell(struct quire_scene *scene, uint32_t cell, const struct quire_cell *cell_new)
{
	struct quire_cell *old = &scene->cells[cell];

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
	uint32_t eldest = next_elder(scene, cell, 0);
	const struct quire_record_seq *seq = seq_of(scene, eldest);
	struct part part = part_of(scene->story, seq, scene->sharers->at[eldest].block, cell);
	struct quire_cell cell_new = {
		.owner = seq->id,
		.given_step = scene->cells[cell].given_step,
		.refs = scene->cells[cell].refs,
	};
	struct extent extent;

	if (all_within(scene, cell, &part)) {
		extent = extent_of(scene, seq);
		count_slots(&cell_new, &extent, part.position, part.until - part.from);
	} else {
		count_overlapping(scene, cell, &cell_new);
	}
	cell_new.position = first_position(scene, cell, seq->id);
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
			if (scene->sharers->head[cell])
				count_shared(scene, cell);
			else
				count_single(scene, cell, seq, block, &extent);
		}
		from = end;
	}
}

/* ---- blocks that come and go ---- */

static uint32_t new_sharer(struct quire_scene_sharers *sharers, uint32_t seq, uint32_t block,
			   uint32_t next)
{
	uint32_t i = sharers->unused;

	if (i) {
		sharers->unused = sharers->at[i].next;
	} else if (sharers->count < sharers->limit) {
		i = sharers->count++;
	} else {
		uint32_t limit = sharers->limit ? 2 * sharers->limit : 256;
		struct scene_sharer *at = limit ? realloc(sharers->at, limit * sizeof(*at)) : NULL;

		if (!at) {
			sharers->error = -ENOMEM;
			return 0;
		}
		sharers->at = at;
		sharers->limit = limit;
		i = sharers->count++;
	}
	sharers->at[i] = (struct scene_sharer){seq, block, next};
	return i;
}

/* Does a block of @seq show it already?  While building, its others were the last. */
static bool shows(const struct quire_scene_sharers *sharers, uint32_t cell, uint32_t seq)
{
	for (uint32_t i = sharers->head[cell]; i; i = sharers->at[i].next) {
		if (sharers->at[i].seq == seq)
			return true;
		if (sharers->building)
			return false;
	}
	return false;
}

/* One more block shows a cell that has an owner. */
static void share(struct quire_scene *scene, uint32_t cell, const struct quire_record_seq *seq,
		  uint32_t block)
{
	struct quire_scene_sharers *sharers = scene->sharers;
	struct quire_cell *c = &scene->cells[cell];
	uint32_t first;

	if (!sharers->head[cell]) {
		const struct quire_record_seq *owner =
			quire_record_state_seq(&scene->state, c->owner);

		first = new_sharer(sharers, owner->id, c->position / owner->block_slots, 0);
		if (!first)
			return;
		sharers->head[cell] = first;
	}
	first = new_sharer(sharers, seq->id, block, sharers->head[cell]);
	if (!first)
		return;
	if (!shows(sharers, cell, seq->id)) {
		scene->cells_shared += c->refs == 1;
		c->refs = (uint16_t)(c->refs + (c->refs < UINT16_MAX));
		scene->changed[cell / QUIRE_GROUP_CELLS] = scene->tick + 1;
		sharers->changed = true;
		scene_flash(scene, QUIRE_FLASH_SHARED, cell, 0, seq->id);
	}
	sharers->head[cell] = first;
	if (!sharers->building)
		count_shared(scene, cell);
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

/* The list of a cell loses a block.  One that is left alone needs no list. */
static void unshare(struct quire_scene *scene, uint32_t cell, const struct quire_record_seq *seq,
		    uint32_t block)
{
	struct quire_scene_sharers *sharers = scene->sharers;
	struct quire_cell *c = &scene->cells[cell];
	uint32_t *where = &sharers->head[cell], gone, left;

	while (*where && (sharers->at[*where].seq != seq->id || sharers->at[*where].block != block))
		where = &sharers->at[*where].next;
	gone = *where;
	if (!gone)
		return;
	*where = sharers->at[gone].next;
	sharers->at[gone].next = sharers->unused;
	sharers->unused = gone;
	if (c->refs == UINT16_MAX) {
		c->refs = 0;
		for (uint32_t i = sharers->head[cell]; i && c->refs < UINT16_MAX;
		     i = sharers->at[i].next)
			c->refs++;
	} else if (!shows(sharers, cell, seq->id)) {
		c->refs--;
		scene->cells_shared -= c->refs == 1;
		scene->changed[cell / QUIRE_GROUP_CELLS] = scene->tick + 1;
		sharers->changed = true;
	}
	left = sharers->head[cell];
	count_shared(scene, cell);
	if (sharers->at[left].next)
		return;
	/* A position in the middle of the block leads to it as well. */
	sharers->head[cell] = 0;
	sharers->at[left].next = sharers->unused;
	sharers->unused = left;
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
			if (sharers->head[cell]) {
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
	uint32_t count = scene->story->cells_count;

	sharers->building = true;
	for (uint32_t i = 0; i < s->counts.seqs_count; i++)
		gain(&sharers->maps, &s->seqs[i], 0, s->seqs[i].blocks_count);
	sharers->building = false;
	for (uint32_t cell = 0; cell < count && sharers->count > 1; cell++)
		if (sharers->head[cell] && !sharers->error)
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
		sharers->head = calloc((size_t)count + 1, sizeof(*sharers->head));
	if (!sharers || !scene->cells || !scene->changed || !sharers->head)
		return quire_fail(-ENOMEM, "no memory for a picture of %u cells", count);
	sharers->maps = (struct story_maps){.lose = lose, .gain = gain};
	sharers->scene = scene;
	sharers->count = 1;
	return 0;
}
