/*
 * partition.c - an allocator built outside quire's tree, the smallest that is
 * right: the pool is cut into equal parts, and every sequence gets one.
 *
 * A part is as long as the longest sequence, so nothing ever moves and nothing is
 * shared; what a sequence does not use of its part is lost to all others.
 *
 *	cc -shared -fPIC $(pkg-config --cflags quire) partition.c -o partition.so
 *	quire sim --workload demo --model llama-3-8b --gpu a100-80g \
 *		--allocator ./partition.so --allocator paged
 */
#include <errno.h>
#include <quire/plugin.h>
#include <stdlib.h>

struct partition {
	uint32_t parts; /* part i is the slots from i * seq_tokens_max on */
	bool *taken;	/* [parts] */
};

struct partition_seq {
	uint32_t first; /* slot of its part, if it has one */
	bool has;
};

static int partition_init(struct quire_kv *kv)
{
	struct partition *p = kv->priv;

	p->parts = kv->slots_total / kv->seq_tokens_max;
	if (!p->parts)
		return quire_fail(-EINVAL, "a pool of %u slots has no part of %u", kv->slots_total,
				  kv->seq_tokens_max);
	p->taken = calloc(p->parts, sizeof(*p->taken));
	return p->taken ? 0 : quire_fail(-ENOMEM, "out of memory for %u parts", p->parts);
}

static void partition_exit(struct quire_kv *kv)
{
	free(((struct partition *)kv->priv)->taken);
}

static int partition_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			  struct quire_copies *copies)
{
	struct partition *p = kv->priv;
	struct partition_seq *ps = seq->kv;
	uint32_t i = 0;

	(void)copies; /* nothing is shared, so nothing is copied on write */
	if (tokens > kv->seq_tokens_max)
		return -E2BIG;
	if (ps->has)
		return 0;
	while (i < p->parts && p->taken[i])
		i++;
	if (i == p->parts)
		return -ENOSPC;
	p->taken[i] = true;
	*ps = (struct partition_seq){i * kv->seq_tokens_max, true};
	kv->slots_held += kv->seq_tokens_max;
	return 0;
}

static void partition_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct partition *p = kv->priv;
	struct partition_seq *ps = seq->kv;

	if (!ps->has)
		return;
	p->taken[ps->first / kv->seq_tokens_max] = false;
	ps->has = false;
	kv->slots_held -= kv->seq_tokens_max;
}

static int partition_fork(struct quire_kv *kv, struct quire_seq *parent, struct quire_seq *child,
			  struct quire_copies *copies)
{
	const struct partition_seq *from = parent->kv, *to = child->kv;

	if (partition_grow(kv, child, parent->cached_tokens, copies))
		return -ENOSPC;
	if (quire_copies_add(copies, from->first, to->first, parent->cached_tokens) == 0)
		return 0;
	partition_release(kv, child);
	return -ENOSPC;
}

static void partition_map(const struct quire_kv *kv, const struct quire_seq *seq,
			  struct quire_map *map)
{
	const struct partition_seq *ps = seq->kv;

	*map = (struct quire_map){&ps->first, ps->has, kv->seq_tokens_max};
}

static void partition_visit(const struct quire_kv *kv, quire_region_fn *fn, void *arg)
{
	const struct partition *p = kv->priv;
	uint32_t length = kv->seq_tokens_max;

	for (uint32_t i = 0; i < p->parts; i++)
		if (p->taken[i])
			fn(arg, &(struct quire_region){i * length, length, 1});
}

static const struct quire_kv_ops partition = {
	.name = "partition",
	.summary = "equal parts, one a sequence",
	.priv_size = sizeof(struct partition),
	.seq_size = sizeof(struct partition_seq),
	.init = partition_init,
	.exit = partition_exit,
	.grow = partition_grow,
	.fork = partition_fork,
	.release = partition_release,
	.map = partition_map,
	.visit = partition_visit,
};
QUIRE_KV_MODULE(partition);
