/*
 * pages.h - an honest little paged allocator, for bad ones to be made from: blocks
 * of four slots, shared after a fork and copied on write.  Its tables are small
 * and of fixed size: pools to 256 slots, sequences to 64 tokens.
 *
 *	refs[b] = maps that show block b; 0: it is free
 */
#ifndef QUIRE_TESTS_PAGES_H
#define QUIRE_TESTS_PAGES_H

#include <quire/plugin.h>

#include <errno.h>

#define PAGE	  4u
#define PAGES_MAX 64u

struct pages {
	uint32_t refs[PAGES_MAX];
	uint32_t calls; /* for bad ones: what they have done so far */
	struct quire_seq *first_seq;
};

struct pages_seq {
	uint32_t first[PAGES_MAX / 4];
	uint32_t blocks;
};

static inline uint32_t pages_for(uint32_t tokens)
{
	return (tokens + PAGE - 1) / PAGE;
}

static inline uint32_t pages_free(const struct quire_kv *kv)
{
	const struct pages *p = kv->priv;
	uint32_t count = 0;

	for (uint32_t b = 0; b < kv->slots_total / PAGE; b++)
		count += !p->refs[b];
	return count;
}

/* Take the lowest free block.  Return: its first slot; UINT32_MAX: there is none. */
static inline uint32_t pages_take(struct quire_kv *kv)
{
	struct pages *p = kv->priv;

	for (uint32_t b = 0; b < kv->slots_total / PAGE; b++)
		if (!p->refs[b]) {
			p->refs[b] = 1;
			kv->slots_held += PAGE;
			return b * PAGE;
		}
	return UINT32_MAX;
}

static inline void pages_drop(struct quire_kv *kv, uint32_t first)
{
	struct pages *p = kv->priv;

	if (--p->refs[first / PAGE] == 0)
		kv->slots_held -= PAGE;
}

static inline int pages_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			     struct quire_copies *copies)
{
	struct pages *p = kv->priv;
	struct pages_seq *ps = seq->kv;
	uint32_t want = pages_for(tokens), written = seq->cached_tokens / PAGE, old;
	uint32_t need = want > ps->blocks ? want - ps->blocks : 0;
	bool copy = written < ps->blocks && p->refs[ps->first[written] / PAGE] > 1;

	if (want > kv->slots_total / PAGE)
		return -E2BIG;
	if (need + copy > pages_free(kv))
		return -ENOSPC;
	if (copy) {
		old = ps->first[written];
		ps->first[written] = pages_take(kv);
		quire_copies_add(copies, old, ps->first[written], seq->cached_tokens % PAGE);
		pages_drop(kv, old);
	}
	while (ps->blocks < want)
		ps->first[ps->blocks++] = pages_take(kv);
	return 0;
}

static inline int pages_fork(struct quire_kv *kv, struct quire_seq *parent, struct quire_seq *child,
			     struct quire_copies *copies)
{
	struct pages *p = kv->priv;
	const struct pages_seq *from = parent->kv;
	struct pages_seq *to = child->kv;

	(void)copies;
	for (; to->blocks < pages_for(parent->cached_tokens); to->blocks++) {
		to->first[to->blocks] = from->first[to->blocks];
		p->refs[to->first[to->blocks] / PAGE]++;
	}
	return 0;
}

static inline void pages_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct pages_seq *ps = seq->kv;

	while (ps->blocks)
		pages_drop(kv, ps->first[--ps->blocks]);
}

static inline void pages_map(const struct quire_kv *kv, const struct quire_seq *seq,
			     struct quire_map *map)
{
	const struct pages_seq *ps = seq->kv;

	(void)kv;
	*map = (struct quire_map){ps->first, ps->blocks, PAGE};
}

static inline void pages_visit(const struct quire_kv *kv, quire_region_fn *fn, void *arg)
{
	const struct pages *p = kv->priv;

	for (uint32_t b = 0; b < kv->slots_total / PAGE; b++)
		if (p->refs[b])
			fn(arg, &(struct quire_region){b * PAGE, PAGE, p->refs[b]});
}

#endif /* QUIRE_TESTS_PAGES_H */
