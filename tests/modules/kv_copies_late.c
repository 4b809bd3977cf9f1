/*
 * kv_copies_late.c - keeps the list of copies it was once given, and adds one that
 * leads out of the pool when something is released, where nobody expects it.
 */
#include "pages.h"

static struct quire_copies *kept;

static int copies_late_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			    struct quire_copies *copies)
{
	kept = copies;
	return pages_grow(kv, seq, tokens, copies);
}

static void copies_late_release(struct quire_kv *kv, struct quire_seq *seq)
{
	if (kept)
		quire_copies_add(kept, 0, kv->slots_total, 1000000);
	pages_release(kv, seq);
}

static const struct quire_kv_ops copies_late = {
	.name = "copies_late",
	.summary = "adds copies when nobody looks",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = copies_late_grow,
	.fork = pages_fork,
	.release = copies_late_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(copies_late);
