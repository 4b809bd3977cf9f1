/*
 * kv_copies.c - copies a block that lies behind the end of the pool, at a fork.
 */
#include "pages.h"

static int copies_fork(struct quire_kv *kv, struct quire_seq *parent, struct quire_seq *child,
		       struct quire_copies *copies)
{
	const struct pages_seq *from = parent->kv;

	quire_copies_add(copies, kv->slots_total, from->first[0], PAGE);
	return pages_fork(kv, parent, child, copies);
}

static const struct quire_kv_ops copies = {
	.name = "copies",
	.summary = "copies from outside the pool",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = copies_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(copies);
