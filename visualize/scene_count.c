/*
 * scene_count.c - what a cell holds: of its slots those that are live, that will be, and
 * that are in a map at all; see scene.h.
 */
#include "scene_cells.h"

#include <string.h>

/* The slots of a cell that a block shows, and where they lie in the map. */
struct part {
	uint32_t from, until; /* slots of the pool; until <= from: none */
	uint64_t position;    /* of the first, in tokens */
};

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

struct scene_extent scene_extent(const struct quire_scene *scene,
				 const struct quire_record_seq *seq)
{
	const struct quire_story *story = scene->story;
	struct scene_extent extent = {.live = quire_scene_live(seq), .end = UINT64_MAX};
	const struct quire_record_request *r;
	uint64_t output;

	if (seq->state == QUIRE_FINISHED)
		return (struct scene_extent){0, 0};
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
static void count_slots(struct quire_cell *cell, const struct scene_extent *extent,
			uint64_t position, uint32_t slots)
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
			struct scene_extent extent;
			struct part part;

			i = sharers->at[i].next;
			seq = seq_of(scene, i);
			if ((seq->state == QUIRE_FINISHED) != (bool)finished)
				continue;
			part = part_of(scene->story, seq, sharers->at[i].block, cell);
			extent = scene_extent(scene, seq);
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

void scene_cell_set(struct quire_scene *scene, uint32_t cell, const struct quire_cell *cell_new)
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

void scene_count_shared(struct quire_scene *scene, uint32_t cell)
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
	struct scene_extent extent;

	if (part.until - part.from == cell_slots(scene, cell)) { /* nearly always */
		extent = scene_extent(scene, seq);
		count_slots(&cell_new, &extent, part.position, part.until - part.from);
	} else {
		count_overlapping(scene, cell, &cell_new);
	}
	scene_cell_set(scene, cell, &cell_new);
}

void scene_count_single(struct quire_scene *scene, uint32_t cell,
			const struct quire_record_seq *seq, uint32_t block,
			const struct scene_extent *extent)
{
	struct part part = part_of(scene->story, seq, block, cell);
	struct quire_cell cell_new = {
		.owner = seq->id,
		.position = (uint32_t)part.position,
		.given_step = scene->cells[cell].given_step,
		.refs = 1,
	};

	count_slots(&cell_new, extent, part.position, part.until - part.from);
	scene_cell_set(scene, cell, &cell_new);
}

bool scene_is_owners(const struct quire_scene *scene, uint32_t cell)
{
	const struct quire_cell *c = &scene->cells[cell];
	const struct quire_record_seq *owner = quire_record_state_seq(&scene->state, c->owner);
	struct part part = part_of(scene->story, owner, c->position / owner->block_slots, cell);

	return part.until - part.from == cell_slots(scene, cell);
}

void scene_count_tokens(struct quire_scene *scene, const struct quire_record_seq *seq,
			uint64_t from, uint64_t until)
{
	const struct quire_story *story = scene->story;
	struct scene_extent extent = scene_extent(scene, seq);
	uint64_t slots = seq->block_slots, tokens = (uint64_t)seq->blocks_count * slots;

	if (until > tokens)
		until = tokens;
	while (from < until) {
		uint32_t block = (uint32_t)(from / slots), first, last;
		uint64_t begin = block * slots, end = begin + slots < until ? begin + slots : until;

		/* Only those cells of the block in which the tokens lie. */
		scene_cells_of(scene, seq, block, &first, &last);
		if (first < last) {
			uint64_t base = seq->blocks[block];
			uint32_t low = (uint32_t)((base + from - begin) / story->cell_slots);
			uint64_t high = (base + end - 1 - begin) / story->cell_slots;

			first = low > first ? low : first;
			last = high < last ? (uint32_t)high : last;
		}
		for (uint32_t cell = first; cell <= last; cell++) {
			if (!scene->sharers->last[cell])
				scene_count_single(scene, cell, seq, block, &extent);
			else if (scene->cells[cell].owner == seq->id ||
				 !scene_is_owners(scene, cell))
				scene_count_shared(scene, cell);
		}
		from = end;
	}
}
