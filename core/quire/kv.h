/*
 * kv.h - what a KV-cache allocator is.
 *
 * The pool is slots_total slots, numbered from 0.  An allocator owns numbers,
 * never memory: the executor owns the bytes.  So one allocator serves the
 * simulator and the GPU, and runs under a sanitizer on a laptop.
 *
 * Where is token i of a sequence?  For every allocator, by one formula:
 *
 *	slot(i) = map.first[i / map.block_slots] + i % map.block_slots
 *
 * Paged: many blocks of 16 slots.  Contiguous: one block, as long as the
 * reservation.  So one attention kernel serves both.
 *
 * The core trusts no map.  It counts for every slot how many maps show it, and
 * ejects an allocator whose maps leave the pool or overlap without a fork, that
 * would have a sequence write where another one reads, or that keeps slots
 * which no map shows any more.
 */
#ifndef QUIRE_KV_H
#define QUIRE_KV_H

#include <quire/quire.h>

#ifdef __cplusplus
extern "C" {
#endif

struct quire_kv;
struct quire_copies; /* slots that the executor copies before the step; opaque */

struct quire_map {
	const uint32_t *first; /* [blocks] the first slot of each block */
	uint32_t blocks;
	uint32_t block_slots; /* tokens of a block; rounding lies outside the map */
};

/* One piece of the pool that is taken, for audits and for pictures. */
struct quire_region {
	uint32_t first, slots; /* where it is, how long; rounding included */
	uint32_t refs;	       /* maps that show it; 0: none does */
};
typedef void quire_region_fn(void *arg, const struct quire_region *region);

struct quire_kv_ops {
	const char *name;
	const char *summary;
	const struct quire_option *options; /* NULL: it has none */
	size_t priv_size;		    /* of kv->priv, zeroed */
	size_t seq_size;		    /* of seq->kv, zeroed */

	/* Optional.  The options are read; make the tables here, not later. */
	int (*init)(struct quire_kv *kv);
	/* Optional.  Also called when an init() failed: priv may be as zeroed. */
	void (*exit)(struct quire_kv *kv);

	/*
	 * Required.  Make the map of @seq at least @tokens long, and let @seq alone
	 * use every block from token cached_tokens on (a block that others use too
	 * is copied first: copy-on-write).  Blocks before that stay where they are,
	 * unless the whole sequence moves into one block, with its copies.  Called only when the
	 * map is too short, or after a fork.
	 * Return: 0; -ENOSPC not now; -E2BIG never, even in an empty pool.
	 */
	int (*grow)(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
		    struct quire_copies *copies);
	/* Required.  Let @child, which has no map, start with the first
	 * parent->cached_tokens tokens of @parent, shared or copied.
	 * Return: 0; -ENOSPC not now. */
	int (*fork)(struct quire_kv *kv, struct quire_seq *parent, struct quire_seq *child,
		    struct quire_copies *copies);
	/* Required.  Take back all slots of @seq, which may have none. */
	void (*release)(struct quire_kv *kv, struct quire_seq *seq);
	/* Required.  Valid until the next call that changes @seq. */
	void (*map)(const struct quire_kv *kv, const struct quire_seq *seq, struct quire_map *map);
	/* Required.  Show every taken region once, in any order. */
	void (*visit)(const struct quire_kv *kv, quire_region_fn *fn, void *arg);

	/* Optional.  Could @seq ever get room for @tokens, in an empty pool?
	 * NULL: if tokens <= slots_total. */
	bool (*fits)(struct quire_kv *kv, const struct quire_seq *seq, uint32_t tokens);
	/* Optional.  The largest reservation that would succeed now, in slots.
	 * NULL: all that is free. */
	uint32_t (*largest)(const struct quire_kv *kv);
	/* Optional.  Check your own invariants: 0, or quire_fail(-EFAULT, ...). */
	int (*check)(const struct quire_kv *kv);
};

struct quire_kv {
	const struct quire_kv_ops *ops;
	void *priv;
	uint32_t slots_total;	 /* the pool */
	uint32_t seqs_max;	 /* sequences that hold slots at one time, at most */
	uint32_t seq_tokens_max; /* tokens of one sequence, at most */
	bool ends_known;	 /* does the workload know true lengths? see quire_kv_end */
	uint32_t slots_held;	 /* taken slots, rounding included; the allocator keeps it */
};

/*
 * Copy @slots slots before the next step, after all copies added earlier.
 * Return: 0; -ENOSPC: no more copies fit in this step.
 */
int quire_copies_add(struct quire_copies *copies, uint32_t from, uint32_t to, uint32_t slots);

/*
 * The length at which @seq will truly end, prompt included: an oracle, for
 * baselines that need one.  0 where the workload does not know it.  The report
 * names the allocators that asked.
 */
uint32_t quire_kv_end(struct quire_kv *kv, const struct quire_seq *seq);

#ifdef __cplusplus
}
#endif
#endif /* QUIRE_KV_H */
