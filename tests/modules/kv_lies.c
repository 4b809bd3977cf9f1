/*
 * kv_lies.c - says that it holds one slot, whatever it has given out.
 */
#include "pages.h"

static int lies_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
		     struct quire_copies *copies)
{
	int rc = pages_grow(kv, seq, tokens, copies);

	kv->slots_held = 1;
	return rc;
}

static const struct quire_kv_ops lies = {
	.name = "lies",
	.summary = "says that it holds nothing",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = lies_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(lies);
