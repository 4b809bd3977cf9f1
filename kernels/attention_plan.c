/*
 * attention_plan.c - which blocks of the GPU do which part of a step's attention.
 *
 * An item of few queries goes to tiles of 16, others to tiles of 128.  Two blocks run on
 * a multiprocessor at one time, so the GPU has 2 multiprocessors places; longest first,
 * blocks of keys k[i] take about
 *
 *	max(sum of k[i] / places, longest / ALONE) + START + (JOIN, if any tile is cut)
 *
 * in units of the time in which a block meets a key while all places are taken; a block
 * that is alone is ALONE times as fast.  Each block beyond the places starts once more.
 * Keys are cut to the length for which that is least, of some that are tried.  The
 * constants are measured on an H200 (docs/kernels.md); they need not be exact.
 */
#include "kernels.h"

#include <errno.h>
#include <stdlib.h>

#define FEW_QUERIES_MAX 32u /* two tiles of 16 read keys twice; a third is worth 128 */
#define RESIDENT	2u  /* blocks of a multiprocessor */
#define CUT_UNIT	64u /* parts are multiples of it */
#define PARTS_MAX	64u /* of a tile; as in attention.cuh */

/* What things cost, in keys. */
static const struct costs {
	uint32_t shortest; /* a part */
	uint32_t alone_num, alone_den;
	uint32_t start, again; /* of a block; of each that finds no place at first */
	uint32_t join, join_part;
} few_costs = {64, 2, 1, 100, 50, 60, 3}, many_costs = {256, 3, 2, 120, 40, 300, 30};

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t queries_of(const struct quire_attention_limits *limits,
			   const struct quire_dev_item *item)
{
	return item->rows * (limits->heads / limits->kv_heads);
}

static uint32_t tile_of(uint32_t queries)
{
	return queries <= FEW_QUERIES_MAX ? QUIRE_TILE_FEW : QUIRE_TILE_MANY;
}

/* The keys that a tile of @size queries of @item looks at. */
static struct quire_dev_work whole_tile(const struct quire_attention_limits *limits,
					const struct quire_dev_item *item, uint32_t index,
					uint32_t query, uint32_t size)
{
	const uint32_t group = limits->heads / limits->kv_heads;
	const uint32_t last = min32(query + size, item->rows * group) - 1;
	const uint32_t first_end = item->position_first + query / group + 1;

	return (struct quire_dev_work){
		.row_first = item->row_first,
		.position_first = item->position_first,
		.map_first = item->map_first,
		.block_slots = item->block_slots,
		.item = index,
		.query_first = query,
		.queries = last - query + 1,
		.key_first = limits->window && first_end > limits->window
				     ? first_end - limits->window
				     : 0,
		.key_end = item->position_first + last / group + 1,
	};
}

/* How @keys are cut: into *@parts of the returned length, but for the last. */
static uint32_t length_of_part(uint32_t keys, uint32_t cut, uint32_t *parts)
{
	uint32_t each;

	*parts = min32((keys + cut - 1) / cut, PARTS_MAX);
	each = (keys + *parts - 1) / *parts;
	each = (each + CUT_UNIT - 1) / CUT_UNIT * CUT_UNIT;
	*parts = (keys + each - 1) / each;
	return each;
}

/* The time, in keys, that @tiles [count] take if no part is longer than @cut. */
static uint64_t time_of(const struct quire_attention_limits *limits, const struct costs *costs,
			const struct quire_dev_work *tiles, uint32_t count, uint32_t cut,
			uint64_t *least)
{
	const uint64_t places = (uint64_t)RESIDENT * max32(limits->multiprocessors, 1);
	uint64_t keys = 0, blocks = 0, full, alone;
	uint32_t most = 1, longest = 0;

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t mine = tiles[i].key_end - tiles[i].key_first;
		uint32_t parts = 1, each = mine;

		if (mine > cut)
			each = length_of_part(mine, cut, &parts);
		keys += mine;
		blocks += parts;
		most = max32(most, parts);
		longest = max32(longest, each);
	}
	keys *= limits->kv_heads;
	blocks *= limits->kv_heads;
	*least = keys / places + costs->start;
	if (blocks > places)
		keys += (blocks - places) * costs->again;
	full = keys / places;
	alone = (uint64_t)longest * costs->alone_den / costs->alone_num;
	return (full > alone ? full : alone) + costs->start +
	       (most > 1 ? costs->join + (uint64_t)most * costs->join_part : 0);
}

/* Keys of a part, at most: the best of what is tried, or the first that is good. */
static uint32_t best_cut(const struct quire_attention_limits *limits, const struct costs *costs,
			 const struct quire_dev_work *tiles, uint32_t count)
{
	static const uint32_t tried[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};
	uint32_t longest = 1, best;
	uint64_t best_time = UINT64_MAX, least = 0;

	for (uint32_t i = 0; i < count; i++)
		longest = max32(longest, tiles[i].key_end - tiles[i].key_first);
	best = longest;
	for (size_t i = 0; i < sizeof(tried) / sizeof(*tried); i++) {
		const uint32_t cut = (longest + tried[i] - 1) / tried[i];
		uint64_t time;

		if ((i && cut < costs->shortest) || best_time <= least + least / 8)
			break;
		time = time_of(limits, costs, tiles, count, cut, &least);
		if (time < best_time) {
			best_time = time;
			best = cut;
		}
	}
	return best;
}

/* Cut @tile into parts of @cut keys, from @work on; return how many. */
static uint32_t cut_tile(struct quire_dev_work *work, struct quire_dev_work tile, uint32_t cut,
			 uint32_t parts_max, uint32_t *parts_used)
{
	uint32_t parts, each = length_of_part(tile.key_end - tile.key_first, cut, &parts);

	if (parts == 1 || *parts_used + parts > parts_max) {
		tile.parts = 1;
		*work = tile;
		return 1;
	}
	tile.parts = parts;
	tile.part_first = *parts_used;
	*parts_used += parts;
	for (uint32_t p = 0; p < parts; p++) {
		work[p] = tile;
		work[p].part = tile.part_first + p;
		work[p].key_first = tile.key_first + p * each;
		work[p].key_end = min32(work[p].key_first + each, tile.key_end);
	}
	return parts;
}

/* Longest first; then as they were. */
static int compare(const void *a, const void *b)
{
	const struct quire_dev_work *x = a, *y = b;
	const uint32_t x_keys = x->key_end - x->key_first, y_keys = y->key_end - y->key_first;

	if (x_keys != y_keys)
		return x_keys < y_keys ? 1 : -1;
	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	if (x->query_first != y->query_first)
		return x->query_first < y->query_first ? -1 : 1;
	return x->key_first < y->key_first ? -1 : x->key_first > y->key_first;
}

static int plan_tiles(struct quire_dev_work *work, uint32_t work_max, uint32_t *count,
		      uint32_t *parts, const struct quire_attention_limits *limits,
		      const struct quire_dev_item *items, uint32_t items_count, uint32_t size)
{
	const struct costs *costs = size == QUIRE_TILE_FEW ? &few_costs : &many_costs;
	struct quire_dev_work *tiles; /* whole ones, at the end of work; they become parts at its
				       * beginning, which never gets there first */
	uint32_t tiles_count = 0, cut;

	*count = *parts = 0;
	for (uint32_t i = 0; i < items_count; i++) {
		const uint32_t queries = queries_of(limits, &items[i]);

		if (tile_of(queries) == size)
			tiles_count += (queries + size - 1) / size;
	}
	if (tiles_count > work_max)
		return -ENOSPC;
	tiles = work + (work_max - tiles_count);
	for (uint32_t i = 0, next = 0; i < items_count; i++) {
		const uint32_t queries = queries_of(limits, &items[i]);

		if (tile_of(queries) != size)
			continue;
		for (uint32_t q = 0; q < queries; q += size)
			tiles[next++] = whole_tile(limits, &items[i], i, q, size);
	}
	cut = best_cut(limits, costs, tiles, tiles_count);
	for (uint32_t i = 0; i < tiles_count; i++) {
		const uint32_t room = work_max - *count - (tiles_count - 1 - i);

		*count += cut_tile(work + *count, tiles[i], cut,
				   room < PARTS_MAX ? 0 : limits->parts_max, parts);
	}
	qsort(work, *count, sizeof(*work), compare);
	return 0;
}

int quire_attention_plan(struct quire_attention_plan *plan,
			 const struct quire_attention_limits *limits,
			 const struct quire_dev_item *items, uint32_t items_count)
{
	int rc = plan_tiles(plan->few, limits->few_max, &plan->few_count, &plan->few_parts, limits,
			    items, items_count, QUIRE_TILE_FEW);

	if (rc)
		return rc;
	return plan_tiles(plan->many, limits->many_max, &plan->many_count, &plan->many_parts,
			  limits, items, items_count, QUIRE_TILE_MANY);
}

uint32_t quire_attention_work_max(const struct quire_attention_limits *limits, uint32_t items_max,
				  uint32_t rows_max)
{
	const uint32_t group = limits->heads / limits->kv_heads;
	const uint64_t queries = (uint64_t)rows_max * group;
	const uint64_t tiles = items_max * (uint64_t)(FEW_QUERIES_MAX / QUIRE_TILE_FEW) +
			       queries / QUIRE_TILE_MANY;

	return (uint32_t)(tiles + limits->parts_max + PARTS_MAX);
}

size_t quire_attention_partial_bytes(const struct quire_attention_limits *limits,
				     enum quire_tile tile)
{
	return (size_t)limits->parts_max * limits->kv_heads * tile * (limits->head_dim + 2) *
	       sizeof(float);
}
