/*
 * paged.c - PagedAttention's allocator: small blocks, a table for each sequence,
 * blocks shared until one of the sharers writes (Kwon et al., SOSP 2023).
 *
 * block=N	slots of a block
 * watermark=F	share of the blocks that stays free when a sequence is admitted, so
 *		that those that run have something to grow into; all its known tokens
 *		must fit beside it, even if it starts with a chunk
 * cow=0	no sharing: a fork copies all blocks at once
 *
 *	a block is on the free stack exactly when refs[block] == 0
 *	sum of refs = sum of the tables' lengths = refs_sum
 *	a block with refs > 1 is never written: grow() copies it first
 */
#include <quire/plugin.h>

#include <errno.h>
#include <stdlib.h>

struct paged {
	uint32_t blocks, free_count;
	uint32_t *free; /* [blocks] a stack of block numbers */
	uint32_t *refs; /* [blocks] sequences that use it; 0: free */
	uint64_t refs_sum;
	uint32_t *tables;      /* [seqs_max][table_blocks] first slots; touched as used */
	uint32_t *tables_free; /* a stack of table numbers */
	uint32_t tables_count, table_blocks;
	uint32_t keep_free; /* blocks, by the watermark */

	uint32_t block; /* the options */
	double watermark;
	bool cow;
};

struct paged_seq {
	uint32_t *first; /* [blocks] its table, which is its map; NULL: it has none */
	uint32_t blocks;
};

static const struct quire_option options[] = {
	{"block", QUIRE_COUNT, offsetof(struct paged, block), "16", "slots of a block", .min = 1,
	 .max = 1 << 20},
	{"watermark", QUIRE_SHARE, offsetof(struct paged, watermark), "0.01",
	 "share of the blocks that an admission leaves free", .max = 1},
	QUIRE_OPTION("cow", QUIRE_FLAG, struct paged, cow, "1",
		     "1: samples share blocks until they write; 0: each gets a copy"),
	{.name = NULL},
};

static int paged_init(struct quire_kv *kv)
{
	struct paged *p = kv->priv;

	p->blocks = p->free_count = kv->slots_total / p->block;
	if (!p->blocks)
		return quire_fail(-EINVAL, "block=%u is more than the pool of %u slots", p->block,
				  kv->slots_total);
	p->keep_free = (uint32_t)(p->watermark * p->blocks);
	p->table_blocks = (kv->seq_tokens_max + p->block - 1) / p->block;
	p->tables_count = kv->seqs_max;
	p->free = calloc(p->blocks, sizeof(*p->free));
	p->refs = calloc(p->blocks, sizeof(*p->refs));
	p->tables = calloc((size_t)p->tables_count * p->table_blocks, sizeof(*p->tables));
	p->tables_free = calloc(p->tables_count, sizeof(*p->tables_free));
	if (!p->free || !p->refs || !p->tables || !p->tables_free)
		return quire_fail(-ENOMEM, "out of memory for %u blocks", p->blocks);
	for (uint32_t i = 0; i < p->blocks; i++)
		p->free[i] = p->blocks - 1 - i; /* block 0 on top */
	for (uint32_t i = 0; i < p->tables_count; i++)
		p->tables_free[i] = p->tables_count - 1 - i;
	return 0;
}

static void paged_exit(struct quire_kv *kv)
{
	struct paged *p = kv->priv;

	free(p->free);
	free(p->refs);
	free(p->tables);
	free(p->tables_free);
}

static uint32_t blocks_for(const struct paged *p, uint32_t tokens)
{
	return tokens / p->block + (tokens % p->block != 0);
}

/* Take a block off the free stack, which is not empty.  Return: its first slot. */
static uint32_t take(struct quire_kv *kv)
{
	struct paged *p = kv->priv;
	uint32_t block = p->free[--p->free_count];

	p->refs[block] = 1;
	p->refs_sum++;
	kv->slots_held += p->block;
	return block * p->block;
}

static void drop(struct quire_kv *kv, uint32_t first)
{
	struct paged *p = kv->priv;
	uint32_t block = first / p->block;

	p->refs_sum--;
	if (--p->refs[block] == 0) {
		p->free[p->free_count++] = block;
		kv->slots_held -= p->block;
	}
}

static bool shared(const struct paged *p, uint32_t first)
{
	return p->refs[first / p->block] > 1;
}

/* Tokens of @seq's cache that lie in block @index of its table. */
static uint32_t cached_in(const struct paged *p, const struct quire_seq *seq, uint32_t index)
{
	uint32_t before = index * p->block;

	if (seq->cached_tokens <= before)
		return 0;
	return seq->cached_tokens - before < p->block ? seq->cached_tokens - before : p->block;
}

static void table_open(struct paged *p, struct paged_seq *ps)
{
	if (!ps->first)
		ps->first = p->tables + (size_t)p->tables_free[--p->tables_count] * p->table_blocks;
}

static void table_close(struct paged *p, struct paged_seq *ps)
{
	p->tables_free[p->tables_count++] =
		(uint32_t)((size_t)(ps->first - p->tables) / p->table_blocks);
	*ps = (struct paged_seq){NULL, 0};
}

static int paged_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
		      struct quire_copies *copies)
{
	struct paged *p = kv->priv;
	struct paged_seq *ps = seq->kv;
	uint32_t want = blocks_for(p, tokens), written = seq->cached_tokens / p->block;
	uint32_t need = want > ps->blocks ? want - ps->blocks : 0, old;
	bool admission = !ps->blocks && p->free_count < p->blocks;
	/* Of the blocks it will write, a fork has left at most the first one shared. */
	bool copy = written < ps->blocks && shared(p, ps->first[written]);

	if (want > p->blocks)
		return -E2BIG;
	if (need + copy > p->free_count)
		return -ENOSPC;
	if (admission && blocks_for(p, seq->known_tokens) + p->keep_free > p->free_count)
		return -ENOSPC;
	if (copy) { /* on write */
		old = ps->first[written];
		ps->first[written] = take(kv);
		if (quire_copies_add(copies, old, ps->first[written], cached_in(p, seq, written))) {
			drop(kv, ps->first[written]);
			ps->first[written] = old;
			return -ENOSPC;
		}
		drop(kv, old);
	}
	table_open(p, ps);
	while (ps->blocks < want)
		ps->first[ps->blocks++] = take(kv);
	return 0;
}

static int paged_fork(struct quire_kv *kv, struct quire_seq *parent, struct quire_seq *child,
		      struct quire_copies *copies)
{
	struct paged *p = kv->priv;
	const struct paged_seq *from = parent->kv;
	struct paged_seq *to = child->kv;
	uint32_t blocks = blocks_for(p, parent->cached_tokens);

	if (!p->cow && blocks > p->free_count)
		return -ENOSPC;
	table_open(p, to);
	for (; to->blocks < blocks; to->blocks++) {
		uint32_t first = from->first[to->blocks];

		if (p->cow) {
			to->first[to->blocks] = first;
			p->refs[first / p->block]++;
			p->refs_sum++;
			continue;
		}
		to->first[to->blocks] = take(kv);
		if (quire_copies_add(copies, first, to->first[to->blocks],
				     cached_in(p, parent, to->blocks)))
			goto out_copies;
	}
	return 0;

out_copies:
	for (uint32_t i = 0; i <= to->blocks; i++)
		drop(kv, to->first[i]);
	table_close(p, to);
	return -ENOSPC;
}

static void paged_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct paged_seq *ps = seq->kv;

	if (!ps->first)
		return;
	while (ps->blocks)
		drop(kv, ps->first[--ps->blocks]);
	table_close(kv->priv, ps);
}

static void paged_map(const struct quire_kv *kv, const struct quire_seq *seq, struct quire_map *map)
{
	const struct paged *p = kv->priv;
	const struct paged_seq *ps = seq->kv;

	*map = (struct quire_map){ps->first, ps->blocks, p->block};
}

static void paged_visit(const struct quire_kv *kv, quire_region_fn *fn, void *arg)
{
	const struct paged *p = kv->priv;

	for (uint32_t b = 0; b < p->blocks; b++)
		if (p->refs[b])
			fn(arg, &(struct quire_region){b * p->block, p->block, p->refs[b]});
}

/* The odd end of a pool that is no multiple of a block is of no use to anybody. */
static bool paged_fits(struct quire_kv *kv, const struct quire_seq *seq, uint32_t tokens)
{
	const struct paged *p = kv->priv;

	(void)seq;
	return blocks_for(p, tokens) <= p->blocks;
}

static uint32_t paged_largest(const struct quire_kv *kv)
{
	const struct paged *p = kv->priv;

	return p->free_count * p->block;
}

static int paged_check(const struct quire_kv *kv)
{
	const struct paged *p = kv->priv;
	uint64_t refs = 0;
	uint32_t used = 0;

	for (uint32_t b = 0; b < p->blocks; b++) {
		refs += p->refs[b];
		used += p->refs[b] > 0;
	}
	for (uint32_t i = 0; i < p->free_count; i++)
		if (p->refs[p->free[i]])
			return quire_fail(-EFAULT, "block %u is free and used", p->free[i]);
	if (used + p->free_count != p->blocks || refs != p->refs_sum)
		return quire_fail(
			-EFAULT, "%u used and %u free blocks of %u, %lu references of %lu", used,
			p->free_count, p->blocks, (unsigned long)refs, (unsigned long)p->refs_sum);
	return 0;
}

static const struct quire_kv_ops paged = {
	.name = "paged",
	.summary = "blocks of a fixed size and a table for each sequence, shared until written",
	.options = options,
	.priv_size = sizeof(struct paged),
	.seq_size = sizeof(struct paged_seq),
	.init = paged_init,
	.exit = paged_exit,
	.grow = paged_grow,
	.fork = paged_fork,
	.release = paged_release,
	.map = paged_map,
	.visit = paged_visit,
	.fits = paged_fits,
	.largest = paged_largest,
	.check = paged_check,
};
QUIRE_KV_MODULE(paged);
