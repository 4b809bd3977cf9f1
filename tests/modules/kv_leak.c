/*
 * kv_leak.c - keeps the last block of what is released, and counts it as held.
 */
#include "pages.h"

static void leak_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct pages_seq *ps = seq->kv;

	ps->blocks--;
	pages_release(kv, seq);
}

static const struct quire_kv_ops leak = {
	.name = "leak",
	.summary = "never gives a block back",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = pages_fork,
	.release = leak_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(leak);
