/*
 * place_buddy.c - the buddy system over blocks (Knuth, TAOCP 1, section 2.5), as
 * the vLLM paper's Orca baselines use it: a region is a chunk of 2^k blocks, and
 * no chunk is larger than the longest region needs.
 *
 *	a free chunk of order k starts at a multiple of 2^k blocks
 *	its buddy is at (start xor 2^k); two free buddies become one chunk
 *
 * A pool that is no multiple of the largest chunk keeps its odd end in smaller
 * ones: 983 blocks are seven chunks of 128, then 64, 16, 4, 2 and 1.
 */
#include "place.h"

#include <errno.h>
#include <stdlib.h>

#define ORDERS 32
#define NONE   UINT32_MAX

struct buddy {
	uint32_t blocks, block_slots;
	uint32_t order_max;    /* of the largest chunk */
	uint32_t head[ORDERS]; /* free chunks by order; NONE: none */
	uint32_t *next, *prev; /* [blocks] the lists, by first block */
	uint8_t *free_order;   /* [blocks] order + 1 of the free chunk that starts here */
};

static void push(struct buddy *b, uint32_t order, uint32_t block)
{
	b->next[block] = b->head[order];
	b->prev[block] = NONE;
	if (b->head[order] != NONE)
		b->prev[b->head[order]] = block;
	b->head[order] = block;
	b->free_order[block] = (uint8_t)(order + 1);
}

static void unlink_chunk(struct buddy *b, uint32_t order, uint32_t block)
{
	if (b->prev[block] != NONE)
		b->next[b->prev[block]] = b->next[block];
	else
		b->head[order] = b->next[block];
	if (b->next[block] != NONE)
		b->prev[b->next[block]] = b->prev[block];
	b->free_order[block] = 0;
}

/* The least order whose chunk holds @slots. */
static uint32_t order_for(const struct buddy *b, uint32_t slots)
{
	uint64_t chunk = b->block_slots;
	uint32_t order = 0;

	for (; chunk < slots; chunk *= 2)
		order++;
	return order;
}

static int buddy_init(void *place, const struct place_limits *limits)
{
	struct buddy *b = place;
	uint32_t at;

	b->block_slots = limits->block_slots;
	b->blocks = limits->slots_total / b->block_slots;
	if (!b->blocks)
		return quire_fail(-EINVAL, "block=%u is more than the pool of %u slots",
				  b->block_slots, limits->slots_total);
	b->order_max = order_for(b, limits->region_slots_max);
	while (1ull << b->order_max > b->blocks)
		b->order_max--;
	b->next = calloc(b->blocks, sizeof(*b->next));
	b->prev = calloc(b->blocks, sizeof(*b->prev));
	b->free_order = calloc(b->blocks, sizeof(*b->free_order));
	if (!b->next || !b->prev || !b->free_order)
		return quire_fail(-ENOMEM, "out of memory for %u blocks", b->blocks);
	for (uint32_t k = 0; k < ORDERS; k++)
		b->head[k] = NONE;
	/* The odd end first, so that chunks are taken from the pool's beginning. */
	at = b->blocks;
	for (uint32_t k = 0; k < b->order_max; k++)
		if (b->blocks & 1u << k)
			push(b, k, at -= 1u << k);
	while (at)
		push(b, b->order_max, at -= 1u << b->order_max);
	return 0;
}

static void buddy_exit(void *place)
{
	struct buddy *b = place;

	free(b->next);
	free(b->prev);
	free(b->free_order);
}

static uint32_t buddy_take(void *place, uint32_t slots, uint32_t *first)
{
	struct buddy *b = place;
	uint32_t want = order_for(b, slots), order = want, block;

	while (order <= b->order_max && b->head[order] == NONE)
		order++;
	if (order > b->order_max)
		return 0;
	block = b->head[order];
	unlink_chunk(b, order, block);
	while (order > want) { /* keep the lower half, free the upper */
		order--;
		push(b, order, block + (1u << order));
	}
	*first = block * b->block_slots;
	return b->block_slots << want;
}

static void buddy_give(void *place, uint32_t first, uint32_t taken)
{
	struct buddy *b = place;
	uint32_t block = first / b->block_slots, order = order_for(b, taken), other;

	for (; order < b->order_max; order++) {
		other = block ^ 1u << order;
		if (other >= b->blocks || b->free_order[other] != order + 1)
			break;
		unlink_chunk(b, order, other);
		block &= ~(1u << order);
	}
	push(b, order, block);
}

static uint32_t buddy_largest(const void *place)
{
	const struct buddy *b = place;

	for (uint32_t order = b->order_max + 1; order-- > 0;)
		if (b->head[order] != NONE)
			return b->block_slots << order;
	return 0;
}

static uint32_t buddy_largest_ever(const void *place)
{
	const struct buddy *b = place;

	return b->block_slots << b->order_max;
}

const struct place_ops quire_place_buddy = {sizeof(struct buddy), buddy_init, buddy_exit,
					    buddy_take,		  buddy_give, buddy_largest,
					    buddy_largest_ever};
