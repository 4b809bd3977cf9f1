/*
 * audit.c - doubts everything, slowly; on with --audit and in tests.
 *
 * It keeps a shadow of the device's memory: for every slot a tag that says which
 * token's K and V lie there.  Copies move tags, steps write them, and a slot that
 * no map shows is poisoned.  Before each step every token that the step will
 * read must be where the map says.  So a bug that would have made a model read
 * a stranger's cache is found by the simulator, in the step where it happens.
 *
 * It also makes every count again from the maps and from visit(), and lets the
 * allocator check its own invariants.
 */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POISON 0u

struct audit {
	uint64_t *tag;	/* [slots_total] what lies in the slot; POISON: nothing */
	uint16_t *uses; /* [slots_total] scratch: maps that show it */
	bool *live;	/* [slots_total] scratch: it holds a live token */
	bool *held;	/* [slots_total] scratch: visit() showed it */
};

struct audit *audit_new(const struct quire_loop *loop)
{
	struct audit *a = calloc(1, sizeof(*a));
	size_t slots = loop->config.slots_total;

	if (!a)
		return NULL;
	a->tag = calloc(slots, sizeof(*a->tag));
	a->uses = calloc(slots, sizeof(*a->uses));
	a->live = calloc(slots, sizeof(*a->live));
	a->held = calloc(slots, sizeof(*a->held));
	if (a->tag && a->uses && a->live && a->held)
		return a;
	audit_free(a);
	return NULL;
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	free(a->tag);
	free(a->uses);
	free(a->live);
	free(a->held);
	free(a);
}

#define FOUND(loop, format, ...)                                                                   \
	((loop)->broken = true, quire_fail(-EFAULT, "audit: allocator '%s': " format,              \
					   (loop)->pool.ops.name, __VA_ARGS__))

/*
 * Samples of a request share its prompt's tokens; what they generate is their own.
 * Beams inherit from each other, and are not told apart.
 */
static uint64_t tag_of(const struct quire_seq *seq, uint32_t token)
{
	if (token < seq->request->prompt_tokens || seq->request->beams > 1)
		return (seq->request->id + 1) << 32 | token;
	return 1ull << 63 | (uint64_t)seq->id << 32 | token;
}

/* The map of @cs, which holds slots; every slot of it lies in the pool. */
static int map_of(struct quire_loop *loop, const struct core_seq *cs, struct quire_map *map)
{
	uint32_t total = loop->config.slots_total;

	*map = (struct quire_map){NULL, 0, 0};
	loop->pool.ops.map(&loop->pool.kv, &cs->seq, map);
	if (!map->first || (uint64_t)map->blocks * map->block_slots != cs->map_slots)
		return FOUND(loop, "changed the map of sequence %u without being asked",
			     cs->seq.id);
	for (uint32_t i = 0; i < map->blocks; i++)
		if (map->first[i] >= total || map->block_slots > total - map->first[i])
			return FOUND(loop, "maps sequence %u to slot %u", cs->seq.id,
				     map->first[i]);
	return 0;
}

static uint32_t slot_of(const struct quire_map *map, uint32_t token)
{
	return map->first[token / map->block_slots] + token % map->block_slots;
}

/* Their ranges were checked when they were added. */
static void do_copies(struct quire_loop *loop)
{
	const struct quire_copies *copies = &loop->plan.copies;
	uint64_t *tag = loop->audit->tag;

	for (uint32_t i = 0; i < copies->count; i++)
		memcpy(tag + copies->at[i].to, tag + copies->at[i].from,
		       copies->at[i].slots * sizeof(*tag));
}

/* The step reads what is cached and writes what is new. */
static int do_item(struct quire_loop *loop, const struct quire_item *item)
{
	const struct quire_seq *seq = item->seq;
	uint64_t *tag = loop->audit->tag;
	struct quire_map map;
	int rc;

	if (core_seq(item->seq)->kept)
		return 0;
	rc = map_of(loop, core_seq(item->seq), &map);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < seq->cached_tokens; i++)
		if (tag[slot_of(&map, i)] != tag_of(seq, i))
			return FOUND(loop, "sequence %u would read slot %u for its token %u, %s",
				     seq->id, slot_of(&map, i), i,
				     tag[slot_of(&map, i)] == POISON ? "which was freed"
								     : "where another one lies");
	for (uint32_t i = 0; i < item->tokens; i++)
		tag[slot_of(&map, seq->cached_tokens + i)] = tag_of(seq, seq->cached_tokens + i);
	return 0;
}

/* What no map shows any more is gone, as soon as no copy is to be made of it. */
static void poison(struct audit *a, size_t slots)
{
	for (size_t i = 0; i < slots; i++)
		if (!a->uses[i])
			a->tag[i] = POISON;
}

int audit_step(struct quire_loop *loop)
{
	int rc = 0;

	do_copies(loop);
	for (uint32_t i = 0; i < loop->plan.items_count && rc == 0; i++)
		rc = do_item(loop, &loop->plan.items[i]);
	if (rc == 0)
		rc = audit_pool(loop);
	if (rc == 0)
		poison(loop->audit, loop->config.slots_total);
	return rc;
}

struct visit {
	struct quire_loop *loop;
	uint64_t slots;
	int rc;
};

static void visit_region(void *arg, const struct quire_region *region)
{
	struct visit *v = arg;
	struct audit *a = v->loop->audit;
	uint32_t total = v->loop->config.slots_total, shown = 0;

	if (v->rc)
		return;
	if (region->first >= total || region->slots > total - region->first) {
		v->rc = FOUND(v->loop, "shows a region of %u slots at %u in a pool of %u",
			      region->slots, region->first, total);
		return;
	}
	for (uint32_t i = region->first; i < region->first + region->slots && !v->rc; i++) {
		if (a->held[i])
			v->rc = FOUND(v->loop, "shows slot %u in two regions", i);
		a->held[i] = true;
		if (a->uses[i] > shown)
			shown = a->uses[i];
	}
	if (!v->rc && shown != region->refs)
		v->rc = FOUND(v->loop, "counts %u references to slot %u, which %u maps show",
			      region->refs, region->first, shown);
	v->slots += region->slots;
}

/* Count all maps again, token by token. */
static int count_maps(struct quire_loop *loop, uint64_t *map_slots)
{
	struct audit *a = loop->audit;
	struct quire_map map;
	int rc;

	for (const struct core_seq *cs = loop->eldest; cs; cs = cs->younger) {
		if (!cs->map_slots)
			continue;
		rc = map_of(loop, cs, &map);
		if (rc)
			return rc;
		*map_slots += cs->map_slots;
		for (uint32_t i = 0; i < cs->map_slots; i++) {
			uint32_t slot = slot_of(&map, i);

			a->uses[slot]++;
			if (i < cs->live)
				a->live[slot] = true;
		}
	}
	return 0;
}

int audit_pool(struct quire_loop *loop)
{
	const struct pool *pool = &loop->pool;
	struct audit *a = loop->audit;
	size_t slots = loop->config.slots_total;
	struct pool_sample s = pool_sample(pool);
	struct visit visit = {.loop = loop};
	uint64_t map_slots = 0, live = 0, mapped = 0;
	int rc;

	memset(a->uses, 0, slots * sizeof(*a->uses));
	memset(a->live, 0, slots * sizeof(*a->live));
	memset(a->held, 0, slots * sizeof(*a->held));
	rc = count_maps(loop, &map_slots);
	if (rc)
		return rc;
	pool->ops.visit(&pool->kv, visit_region, &visit);
	if (visit.rc)
		return visit.rc;
	for (size_t i = 0; i < slots; i++) {
		live += a->live[i];
		mapped += a->uses[i] > 0;
		if (a->uses[i] != pool->uses[i])
			return FOUND(loop, "slot %zu is in %u maps, of which the core knows %u", i,
				     a->uses[i], pool->uses[i]);
		if (a->uses[i] && !a->held[i])
			return FOUND(loop, "maps slot %zu, which no region shows", i);
	}
	if (visit.slots != pool->kv.slots_held)
		return FOUND(loop, "counts %u slots held where its regions show %llu",
			     pool->kv.slots_held, (unsigned long long)visit.slots);
	/* The sums that reports are made of; a difference here is the core's own. */
	if (map_slots != pool->map_slots || mapped != pool->mapped || live != s.token_states ||
	    s.token_states + s.reserved + s.internal + s.rounding + s.free != slots)
		return FOUND(loop,
			     "the core's sums are wrong: %llu live, %llu mapped, expected "
			     "%llu and %llu",
			     (unsigned long long)s.token_states, (unsigned long long)pool->mapped,
			     (unsigned long long)live, (unsigned long long)mapped);
	if (pool->ops.check && pool->ops.check(&pool->kv))
		return FOUND(loop, "%s", quire_failure());
	if (!loop->plan.copies.count)
		poison(a, slots);
	return 0;
}
