/*
 * allocator_model.c - the slow and obvious way; see allocator_model.h.
 */
#include "allocator_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

const char *model_text(const struct model_setup *u)
{
	static const char *const reserve[] = {"max", "cap", "pow2", "oracle"};
	static const char *const place[] = {"", "buddy", "first", "best"};
	static char text[128];

	if (u->place == PLACE_PAGED)
		snprintf(text, sizeof(text), "paged,block=%u,cow=%d,watermark=%g", u->block, u->cow,
			 u->watermark);
	else
		snprintf(text, sizeof(text), "contiguous,reserve=%s,place=%s,block=%u",
			 reserve[u->reserve], place[u->place], u->block);
	return text;
}

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void model_init(struct model *m, const struct model_setup *setup)
{
	memset(m, 0, sizeof(*m));
	m->setup = *setup;
	m->taken = must(calloc(setup->slots_total, sizeof(*m->taken)));
	for (uint32_t i = 0; i < MODEL_SEQS; i++) {
		m->seq[i].tag = must(calloc(setup->seq_tokens_max, sizeof(*m->seq[i].tag)));
		m->seq[i].first = must(calloc(setup->slots_total, sizeof(*m->seq[i].first)));
	}
}

void model_exit(struct model *m)
{
	free(m->taken);
	for (uint32_t i = 0; i < MODEL_SEQS; i++) {
		free(m->seq[i].tag);
		free(m->seq[i].first);
	}
}

void model_count(struct model *m)
{
	memset(m->taken, 0, m->setup.slots_total * sizeof(*m->taken));
	m->slots_held = m->holding = 0;
	for (uint32_t s = 0; s < MODEL_SEQS; s++) {
		const struct model_seq *seq = &m->seq[s];

		m->holding += seq->blocks > 0;
		for (uint32_t b = 0; b < seq->blocks; b++)
			for (uint32_t i = 0; i < seq->held; i++)
				m->slots_held += m->taken[seq->first[b] + i]++ == 0;
	}
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t blocks_for(const struct model *m, uint32_t tokens)
{
	return (tokens + m->setup.block - 1) / m->setup.block;
}

/* The slots of the chunk that a region of @slots gets. */
static uint32_t rounded(const struct model *m, uint32_t slots)
{
	uint32_t chunk = m->setup.block;

	if (m->setup.place != PLACE_BUDDY)
		return slots;
	while (chunk < slots)
		chunk *= 2;
	return chunk;
}

/* The largest region that an empty pool has room for. */
static uint32_t largest_ever(const struct model *m)
{
	const struct model_setup *u = &m->setup;
	uint32_t chunk;

	if (u->place == PLACE_PAGED)
		return u->slots_total / u->block * u->block;
	if (u->place != PLACE_BUDDY)
		return u->slots_total;
	/* No chunk is larger than the longest sequence needs. */
	for (chunk = rounded(m, u->seq_tokens_max); chunk > u->slots_total;)
		chunk /= 2;
	return chunk;
}

static bool all_free(const struct model *m, uint32_t first, uint32_t slots)
{
	if (first > m->setup.slots_total || slots > m->setup.slots_total - first)
		return false;
	for (uint32_t i = 0; i < slots; i++)
		if (m->taken[first + i])
			return false;
	return true;
}

/*
 * The next piece of free room from *at on: of first and best fit, a hole; of
 * buddy, an aligned chunk that is part of no larger one; of paged, a block.
 * Return: its slots; 0: there is none.  *at is where it begins.
 */
static uint32_t piece(const struct model *m, uint32_t *at)
{
	const struct model_setup *u = &m->setup;
	uint32_t unit = u->place == PLACE_PAGED || u->place == PLACE_BUDDY ? u->block : 1;
	uint32_t slots = unit;

	while (!all_free(m, *at, unit)) {
		*at += unit;
		if (*at >= u->slots_total)
			return 0;
	}
	if (u->place == PLACE_FIRST || u->place == PLACE_BEST)
		while (all_free(m, *at + slots, 1))
			slots++;
	else if (u->place == PLACE_BUDDY)
		while (slots * 2 <= largest_ever(m) && *at % (slots * 2) == 0 &&
		       all_free(m, *at, slots * 2))
			slots *= 2;
	return slots;
}

uint32_t model_largest(const struct model *m)
{
	uint32_t largest = 0, at = 0, slots;

	for (; (slots = piece(m, &at)) > 0; at += slots)
		largest = m->setup.place == PLACE_PAGED ? largest + slots : most(largest, slots);
	return largest;
}

/*
 * May a region of @slots go to @first?  First fit takes the first hole that is
 * long enough; best fit the shortest, and of those the first; buddy splits a
 * smallest chunk that is large enough, any, and takes its beginning.  NONE for
 * @first: may it go anywhere?
 */
static bool may_place(const struct model *m, uint32_t slots, uint32_t first)
{
	uint32_t best = NONE, at = 0, size;

	for (; (size = piece(m, &at)) > 0; at += size)
		if (size >= slots && (best == NONE || m->setup.place != PLACE_FIRST))
			best = least(best, size);
	if (best == NONE || first == NONE)
		return best != NONE;
	for (at = 0; (size = piece(m, &at)) > 0; at += size) {
		if (size < slots || (m->setup.place != PLACE_FIRST && size != best))
			continue;
		if (at == first || m->setup.place != PLACE_BUDDY)
			return at == first;
	}
	return false;
}

/* The tokens that contiguous reserves for @s, which asks for @tokens. */
static uint32_t reservation(const struct model *m, const struct model_seq *s, uint32_t tokens)
{
	uint32_t total = m->setup.seq_tokens_max, output = 1;

	if (m->setup.reserve == RESERVE_CAP)
		total = s->prompt + s->output_max;
	if (m->setup.reserve == RESERVE_ORACLE)
		total = s->end;
	if (m->setup.reserve == RESERVE_POW2) {
		while (output < s->end - s->prompt)
			output *= 2;
		total = s->prompt + output;
	}
	return most(tokens, least(total, m->setup.seq_tokens_max));
}

bool model_fits(const struct model *m, const struct model_seq *s, uint32_t tokens)
{
	if (m->setup.place == PLACE_PAGED)
		return tokens <= largest_ever(m);
	return reservation(m, s, tokens) <= largest_ever(m);
}

static struct model_answer no(int rc, const char *why)
{
	return (struct model_answer){.rc = rc, .why = why};
}

/* A region of @tokens, if there is room for it and for the copy into it. */
static struct model_answer region(const struct model *m, uint32_t tokens, bool never, bool copy)
{
	if (never)
		return no(-E2BIG, "not even an empty pool has a region of that size");
	if (!may_place(m, rounded(m, tokens), NONE))
		return no(-ENOSPC, "no piece of free room is large enough");
	if (copy)
		return no(-ENOSPC, "the step has no room for the copy");
	return (struct model_answer){0, "there is room", 1, tokens, rounded(m, tokens), 0, NONE};
}

static struct model_answer contiguous_grow(const struct model *m, const struct model_seq *s,
					   uint32_t tokens, uint32_t copies_room)
{
	uint32_t want = reservation(m, s, tokens), more;

	if (!s->blocks)
		return region(m, want, want > largest_ever(m), false);
	if (tokens <= s->block_slots)
		return (struct model_answer){
			0, "the region is long enough", 1, s->block_slots, s->held, 1, NONE};
	/* A quarter more at least: in what rounding has left, or elsewhere. */
	more = most(tokens, least(s->block_slots * 5 / 4, m->setup.seq_tokens_max));
	if (tokens <= s->held)
		return (struct model_answer){
			0, "the chunk is long enough", 1, least(more, s->held), s->held, 1, NONE};
	return region(m, more, tokens > largest_ever(m), copies_room == 0);
}

static uint32_t blocks_free(const struct model *m)
{
	return model_largest(m) / m->setup.block;
}

static struct model_answer paged_grow(const struct model *m, const struct model_seq *s,
				      uint32_t tokens, uint32_t copies_room)
{
	uint32_t block = m->setup.block, blocks = m->setup.slots_total / block;
	uint32_t want = most(blocks_for(m, tokens), s->blocks), writes = s->cached / block;
	uint32_t left_free = (uint32_t)(m->setup.watermark * blocks), room = blocks_free(m);
	bool copy = writes < s->blocks && m->taken[s->first[writes]] > 1;

	if (blocks_for(m, tokens) > blocks)
		return no(-E2BIG, "not even an empty pool has that many blocks");
	if (want - s->blocks + copy > room)
		return no(-ENOSPC, "too few blocks are free");
	if (!s->blocks && m->slots_held && blocks_for(m, s->known) + left_free > room)
		return no(-ENOSPC, "an admission must leave the watermark free");
	if (copy && !copies_room)
		return no(-ENOSPC, "the step has no room for the copy");
	return (struct model_answer){0,		"there is room",     want, block, block,
				     s->blocks, copy ? writes : NONE};
}

struct model_answer model_grow(const struct model *m, const struct model_seq *s, uint32_t tokens,
			       uint32_t copies_room)
{
	return m->setup.place == PLACE_PAGED ? paged_grow(m, s, tokens, copies_room)
					     : contiguous_grow(m, s, tokens, copies_room);
}

struct model_answer model_fork(const struct model *m, const struct model_seq *parent,
			       const struct model_seq *child, uint32_t copies_room)
{
	uint32_t blocks = blocks_for(m, parent->cached), want;
	struct model_answer a;

	if (m->setup.place != PLACE_PAGED) {
		want = reservation(m, child, parent->cached);
		a = region(m, want, want > largest_ever(m), copies_room == 0);
		a.rc = a.rc ? -ENOSPC : 0; /* a fork may only say: not now */
		return a;
	}
	if (m->setup.cow)
		return (struct model_answer){0,
					     "sharing needs no room",
					     blocks,
					     m->setup.block,
					     m->setup.block,
					     blocks,
					     NONE};
	if (blocks > blocks_free(m))
		return no(-ENOSPC, "too few blocks are free");
	if (blocks > copies_room)
		return no(-ENOSPC, "the step has no room for the copies");
	return (struct model_answer){
		0, "there is room", blocks, m->setup.block, m->setup.block, 0, NONE};
}

const char *model_accept(struct model *m, struct model_seq *s, const struct model_seq *was,
			 const struct model_answer *answer, const struct quire_map *map,
			 const struct quire_copy *copies, uint32_t copies_count)
{
	const bool paged = m->setup.place == PLACE_PAGED;
	uint32_t copied = 0, before, cached;

	if (map->blocks != answer->blocks || map->block_slots != answer->block_slots)
		return "the map has another shape";
	for (uint32_t i = 0; i < map->blocks; i++) {
		uint32_t first = map->first[i];

		if (i < answer->fresh_from && i != answer->fresh_also) {
			if (first != was->first[i])
				return "a block moved that should stay";
			continue;
		}
		if (!all_free(m, first, answer->held))
			return "a fresh block lies outside the pool or is taken";
		if (paged ? first % m->setup.block != 0 : !may_place(m, answer->held, first))
			return "a fresh block lies where the policy would not put it";
		for (uint32_t k = 0; k < answer->held; k++)
			m->taken[first + k]++;
		before = i * was->block_slots;
		if (i >= was->blocks || before >= was->cached)
			continue;
		cached = was->cached - before;
		if (paged)
			cached = least(cached, was->block_slots);
		if (copied == copies_count || copies[copied].from != was->first[i] ||
		    copies[copied].to != first || copies[copied].slots != cached)
			return "what is cached in a block was not copied, or not exactly";
		copied++;
	}
	if (copied != copies_count)
		return "more was copied than necessary";
	s->blocks = map->blocks;
	s->block_slots = map->block_slots;
	s->held = answer->held;
	memcpy(s->first, map->first, map->blocks * sizeof(*s->first));
	return NULL;
}
