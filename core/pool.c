/*
 * pool.c - watches the allocator.
 *
 * Every map an allocator hands out is checked against a count of uses for each
 * slot, at a cost proportional to what changed.  The sums that memory figures
 * are made of are kept on the way, so that a sample costs the same in every
 * pool.
 */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int pool_init(struct pool *pool, const struct quire_loop_config *config)
{
	pool->uses = calloc(config->slots_total, sizeof(*pool->uses));
	pool->old_first = calloc((size_t)config->seq_tokens_max + 1, sizeof(*pool->old_first));
	pool->kv.ops = &pool->ops;
	pool->kv.slots_total = config->slots_total;
	pool->kv.seqs_max = config->seqs_max;
	pool->kv.seq_tokens_max = config->seq_tokens_max;
	pool->kv.ends_known = config->output_tokens != NULL;
	pool->kv.priv = calloc(1, pool->ops.priv_size + 1);
	if (!pool->uses || !pool->old_first || !pool->kv.priv)
		return quire_fail(-ENOMEM, "out of memory for a pool of %u slots",
				  config->slots_total);
	return 0;
}

void pool_exit(struct pool *pool, bool started)
{
	if (started && pool->ops.exit)
		pool->ops.exit(&pool->kv);
	free(pool->kv.priv);
	free(pool->uses);
	free(pool->old_first);
}

uint32_t quire_kv_end(struct quire_kv *kv, const struct quire_seq *seq)
{
	struct pool *pool = (struct pool *)kv; /* kv is its first member */
	uint32_t end = ((const struct core_seq *)seq)->end_tokens;

	pool->end_asked = true;
	return end == UINT32_MAX ? 0 : end;
}

/* The allocator broke its contract; the first breach is the one that is told. */
#define BREACH(loop, format, ...)                                                                  \
	((loop)->broken ? -EFAULT                                                                  \
			: ((loop)->broken = true, quire_fail(-EFAULT, "allocator '%s' " format,    \
							     (loop)->pool.ops.name, __VA_ARGS__)))

/* Split what @cs holds into live, reserved and internal, and correct the sums. */
static void account(struct pool *pool, struct core_seq *cs, uint32_t live, uint32_t map_slots)
{
	uint32_t end = cs->end_tokens < map_slots ? cs->end_tokens : map_slots;
	uint32_t reserved = end > live ? end - live : 0;
	uint32_t internal = map_slots - live - reserved;

	if (map_slots > pool->longest)
		pool->longest = map_slots;
	pool->seqs_held += (uint32_t)(map_slots > 0) - (uint32_t)(cs->map_slots > 0);
	pool->map_slots += (uint64_t)map_slots - cs->map_slots;
	pool->live += (uint64_t)live - cs->live;
	pool->reserved += (uint64_t)reserved - cs->reserved;
	pool->internal += (uint64_t)internal - cs->internal;
	cs->map_slots = map_slots;
	cs->live = live;
	cs->reserved = reserved;
	cs->internal = internal;
}

void pool_run(struct pool *pool, struct core_seq *cs, uint32_t tokens)
{
	if (cs->reserved < tokens) {
		account(pool, cs, cs->live + tokens, cs->map_slots);
		return;
	}
	cs->live += tokens;
	cs->reserved -= tokens;
	pool->live += tokens;
	pool->reserved -= tokens;
}

/* How many of @cs's live tokens lie in block @index of its map. */
static uint32_t live_in(const struct core_seq *cs, uint32_t index, uint32_t block_slots)
{
	uint64_t before = (uint64_t)index * block_slots;

	if (before >= cs->live)
		return 0;
	return cs->live - before < block_slots ? (uint32_t)(cs->live - before) : block_slots;
}

/* Are all @count of @uses equal to @value?  Written so that compilers vectorise it. */
static bool all_are(const uint16_t *uses, uint32_t count, uint16_t value)
{
	uint32_t differ = 0;

	for (uint32_t i = 0; i < count; i++)
		differ |= (uint32_t)(uses[i] ^ value);
	return !differ;
}

/* No map shows these slots any more. */
static void forget(struct quire_loop *loop, uint32_t first, uint32_t slots)
{
	struct quire_exec *exec = &loop->config.exec;

	loop->pool.mapped -= slots;
	if (exec->ops && exec->ops->forget)
		exec->ops->forget(exec, first, slots);
}

/* Take one use off the block at @first, as it was shown in block @index of @cs's map. */
static int unuse(struct quire_loop *loop, const struct core_seq *cs, uint32_t index, uint32_t first,
		 uint32_t slots)
{
	struct pool *pool = &loop->pool;
	uint32_t live = live_in(cs, index, slots);
	uint16_t *uses = pool->uses + first;

	if (first >= pool->kv.slots_total || slots > pool->kv.slots_total - first)
		return BREACH(loop, "changed the map of sequence %u without being asked",
			      cs->seq.id);
	if (all_are(uses, slots, 1)) { /* nearly always */
		memset(uses, 0, slots * sizeof(*uses));
		forget(loop, first, slots);
		return 0;
	}
	for (uint32_t i = 0; i < slots; i++) {
		if (!uses[i])
			return BREACH(loop, "changed the map of sequence %u without being asked",
				      cs->seq.id);
		if (--uses[i] == 0)
			forget(loop, first + i, 1);
		else if (i < live)
			pool->shared_live--;
	}
	return 0;
}

/* Use the block at @first for @cs; its slots must lie in the pool and be unused. */
static int use_new(struct quire_loop *loop, struct core_seq *cs, uint32_t index, uint32_t first,
		   uint32_t slots)
{
	struct pool *pool = &loop->pool;
	uint16_t *uses = pool->uses + first;

	if (first >= pool->kv.slots_total || slots > pool->kv.slots_total - first)
		return BREACH(loop, "maps sequence %u to slots %u to %lu, outside the pool of %u",
			      cs->seq.id, first, (unsigned long)first + slots - 1,
			      pool->kv.slots_total);
	if (!all_are(uses, slots, 0)) {
		while (!*uses)
			uses++;
		return BREACH(loop, "maps sequence %u to slot %u, which another sequence holds",
			      cs->seq.id, (uint32_t)(uses - pool->uses));
	}
	for (uint32_t i = 0; i < slots; i++)
		uses[i] = 1;
	pool->mapped += slots;
	decide(loop, QUIRE_EV_MAP, cs->seq.id, index, first, slots);
	return 0;
}

/* The map of @cs as it was last seen; no blocks if it holds none. */
static int map_of(struct quire_loop *loop, const struct core_seq *cs, struct quire_map *map)
{
	*map = (struct quire_map){NULL, 0, 0};
	if (!cs->map_slots)
		return 0;
	loop->pool.ops.map(&loop->pool.kv, &cs->seq, map);
	if (!map->first || map->blocks > loop->pool.kv.seq_tokens_max ||
	    (uint64_t)map->blocks * map->block_slots != cs->map_slots)
		return BREACH(loop, "changed the map of sequence %u without being asked",
			      cs->seq.id);
	return 0;
}

/* Read the map of @cs after a change; it must be sound and cover @tokens tokens. */
static int map_read(struct quire_loop *loop, const struct core_seq *cs, uint32_t tokens,
		    struct quire_map *map)
{
	struct pool *pool = &loop->pool;

	*map = (struct quire_map){NULL, 0, 0};
	pool->ops.map(&pool->kv, &cs->seq, map);
	if (!map->first || !map->blocks || !map->block_slots ||
	    (uint64_t)map->blocks * map->block_slots > pool->kv.slots_total)
		return BREACH(loop,
			      "gives sequence %u a map of %u blocks of %u slots in a pool of %u",
			      cs->seq.id, map->blocks, map->block_slots, pool->kv.slots_total);
	if (map->blocks * map->block_slots < tokens)
		return BREACH(loop, "gives sequence %u a map of %u tokens where %u were asked for",
			      cs->seq.id, map->blocks * map->block_slots, tokens);
	if (map->blocks > pool->kv.seq_tokens_max)
		return BREACH(loop,
			      "gives sequence %u a map of %u blocks, more than tokens fit it (%u)",
			      cs->seq.id, map->blocks, pool->kv.seq_tokens_max);
	return 0;
}

/* Every slot counted in a map must be counted as held, and the other way round. */
static int check_held(struct quire_loop *loop)
{
	struct pool *pool = &loop->pool;

	if (pool->kv.slots_held < pool->mapped || pool->kv.slots_held > pool->kv.slots_total)
		return BREACH(loop, "counts %u slots held where its maps show %u of %u",
			      pool->kv.slots_held, pool->mapped, pool->kv.slots_total);
	return 0;
}

int pool_take_copies(struct quire_loop *loop, uint32_t seq)
{
	uint32_t total = loop->pool.kv.slots_total;
	uint32_t *taken = &loop->pool.copies_taken;

	for (; *taken < loop->plan.copies.count; ++*taken) {
		const struct quire_copy *c = &loop->plan.copies.at[*taken];

		if (c->slots > total || c->from > total - c->slots || c->to > total - c->slots ||
		    (c->from < c->to + c->slots && c->to < c->from + c->slots))
			return BREACH(loop, "copies %u slots from %u to %u in a pool of %u",
				      c->slots, c->from, c->to, total);
		decide(loop, QUIRE_EV_COPY, seq, c->from, c->to, c->slots);
		loop->metrics.copies++;
		loop->metrics.copied_slots += c->slots;
	}
	return 0;
}

/* The blocks that are still @cs's own must not be shared where it will write. */
static int check_writes(struct quire_loop *loop, const struct core_seq *cs,
			const struct quire_map *map, uint32_t tokens)
{
	for (uint32_t i = cs->seq.cached_tokens; i < tokens; i++) {
		uint32_t slot = map->first[i / map->block_slots] + i % map->block_slots;

		if (loop->pool.uses[slot] != 1)
			return BREACH(loop,
				      "lets sequence %u write slot %u, which another one reads",
				      cs->seq.id, slot);
	}
	return 0;
}

int pool_grow(struct quire_loop *loop, struct core_seq *cs, uint32_t tokens)
{
	struct pool *pool = &loop->pool;
	uint32_t keep = 0;
	struct quire_map old, map;
	bool moved = false; /* as a whole, into blocks of another size */
	uint32_t *old_first = pool->old_first;
	int rc;

	/* Blocks before cached_tokens stay, unless the sequence moves as a whole. */
	rc = map_of(loop, cs, &old);
	if (rc)
		return rc;
	if (old.blocks > 1)
		keep = cs->seq.cached_tokens / old.block_slots;
	for (uint32_t i = keep; i < old.blocks; i++)
		old_first[i] = old.first[i];

	rc = pool->ops.grow(&pool->kv, &cs->seq, tokens, &loop->plan.copies);
	if (rc)
		loop->plan.copies.count = pool->copies_taken; /* nothing changes on failure */
	if (rc == -ENOSPC || rc == -E2BIG)
		return rc;
	if (rc)
		return BREACH(loop, "answers grow() with %d, expected 0, -ENOSPC or -E2BIG", rc);
	rc = map_read(loop, cs, tokens, &map);
	if (rc)
		return rc;

	if (old.blocks && (map.block_slots != old.block_slots || map.blocks < old.blocks)) {
		if (keep)
			return BREACH(loop, "changes the block size of sequence %u", cs->seq.id);
		moved = true;
		tell(loop, QUIRE_EV_UNMAP, cs->seq.id, old.blocks, 0, 0);
	}
	for (uint32_t i = keep; i < old.blocks && rc == 0; i++)
		if (moved || map.first[i] != old_first[i])
			rc = unuse(loop, cs, i, old_first[i], old.block_slots);
	for (uint32_t i = keep; i < map.blocks && rc == 0; i++)
		if (moved || i >= old.blocks || map.first[i] != old_first[i])
			rc = use_new(loop, cs, i, map.first[i], map.block_slots);
	if (rc)
		return rc;
	account(pool, cs, cs->live, map.blocks * map.block_slots);
	rc = pool_take_copies(loop, cs->seq.id);
	if (rc == 0)
		rc = check_held(loop);
	if (rc == 0 && cs->forked && !cs->kept) {
		rc = check_writes(loop, cs, &map, tokens);
		cs->forked = false;
	}
	return rc;
}

int pool_fork(struct quire_loop *loop, struct core_seq *parent, struct core_seq *child)
{
	struct pool *pool = &loop->pool;
	uint32_t tokens = parent->seq.cached_tokens, total = pool->kv.slots_total;
	struct quire_map from, map;
	int rc;

	rc = pool->ops.fork(&pool->kv, &parent->seq, &child->seq, &loop->plan.copies);
	if (rc)
		loop->plan.copies.count = pool->copies_taken;
	if (rc == -ENOSPC)
		return rc;
	if (rc)
		return BREACH(loop, "answers fork() with %d, expected 0 or -ENOSPC", rc);
	rc = map_of(loop, parent, &from);
	if (rc == 0)
		rc = map_read(loop, child, tokens, &map);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < map.blocks; i++) {
		uint32_t before = i * map.block_slots, live;

		if (map.block_slots != from.block_slots || i >= from.blocks ||
		    map.first[i] != from.first[i]) {
			rc = use_new(loop, child, i, map.first[i], map.block_slots);
			if (rc)
				return rc;
			continue;
		}
		live = before >= tokens ? 0 : tokens - before;
		for (uint32_t k = 0; k < map.block_slots; k++) {
			if (map.first[i] >= total || k >= total - map.first[i] ||
			    !pool->uses[map.first[i] + k])
				return BREACH(loop,
					      "changed the map of sequence %u without being asked",
					      parent->seq.id);
			pool->uses[map.first[i] + k]++;
			pool->shared_live += k < live;
		}
		decide(loop, QUIRE_EV_MAP, child->seq.id, i, map.first[i], map.block_slots);
	}
	account(pool, child, tokens, map.blocks * map.block_slots);
	parent->forked = child->forked = true;
	rc = pool_take_copies(loop, child->seq.id);
	return rc ? rc : check_held(loop);
}

int pool_lost(struct quire_loop *loop, uint32_t tokens)
{
	return BREACH(loop,
		      "has no room for %u tokens with all other sequences gone, and had it for %u "
		      "before: it loses slots, or should answer -E2BIG",
		      tokens, loop->pool.longest);
}

void pool_release(struct quire_loop *loop, struct core_seq *cs)
{
	struct pool *pool = &loop->pool;
	uint32_t held = pool->kv.slots_held, mapped = pool->mapped;
	struct quire_map map;

	if (!cs->map_slots)
		return;
	if (map_of(loop, cs, &map) == 0)
		for (uint32_t i = 0; i < map.blocks; i++)
			if (unuse(loop, cs, i, map.first[i], map.block_slots))
				break;
	account(pool, cs, 0, 0);
	cs->forked = false;
	pool->ops.release(&pool->kv, &cs->seq);
	if (loop->broken)
		return;
	if (pool->kv.slots_held > held || held - pool->kv.slots_held < mapped - pool->mapped)
		BREACH(loop, "leaks: sequence %u gave back %u slots, of which %d became free",
		       cs->seq.id, mapped - pool->mapped, (int)(held - pool->kv.slots_held));
	else if (!pool->seqs_held && pool->kv.slots_held)
		BREACH(loop, "leaks: no sequence is left, but it still holds %u slots",
		       pool->kv.slots_held);
}

static void add_region(void *arg, const struct quire_region *region)
{
	*(uint64_t *)arg += region->slots;
}

int pool_end(struct quire_loop *loop)
{
	struct pool *pool = &loop->pool;
	uint64_t slots = 0;

	pool->ops.visit(&pool->kv, add_region, &slots);
	if (slots)
		return BREACH(loop,
			      "leaks: no sequence is left and it counts %u slots held, but its "
			      "regions show %llu",
			      pool->kv.slots_held, (unsigned long long)slots);
	return 0;
}

void pool_keep(struct quire_loop *loop, struct core_seq *cs)
{
	struct pool *pool = &loop->pool;
	struct quire_map map;
	uint32_t shared = 0, slot;

	if (map_of(loop, cs, &map))
		return;
	for (; shared < cs->live; shared++) {
		slot = map.first[shared / map.block_slots] + shared % map.block_slots;
		if (slot >= pool->kv.slots_total || pool->uses[slot] <= 1)
			break;
	}
	cs->end_tokens = shared;
	account(pool, cs, shared, cs->map_slots);
}

bool pool_fits(struct pool *pool, const struct core_seq *cs, uint32_t tokens)
{
	if (pool->ops.fits)
		return pool->ops.fits(&pool->kv, &cs->seq, tokens);
	return tokens <= pool->kv.slots_total;
}

struct pool_sample pool_sample(const struct pool *pool)
{
	struct pool_sample s = {
		.token_states = pool->live - pool->shared_live,
		.reserved = pool->reserved,
		.internal = pool->internal,
		.rounding = pool->kv.slots_held - pool->mapped,
		.free = pool->kv.slots_total - pool->kv.slots_held,
	};
	uint64_t tail = pool->mapped - s.token_states; /* mapped, and not live */
	uint64_t twice;

	/* The free tail of a block that several maps show is one tail: take what was
	 * counted twice off the reserved.  (A kept row's share counts in none.) */
	if (s.reserved + s.internal > tail) {
		twice = s.reserved + s.internal - tail;
		if (twice > s.reserved)
			twice = s.reserved;
		s.reserved -= twice;
	}
	s.internal = tail - s.reserved;
	return s;
}
