/*
 * kv_leak_silent.c - loses the last block of the first sequence that is released: it
 * counts as free and is never given out again.
 */
#include "pages.h"

static void leak_silent_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct pages *p = kv->priv;
	struct pages_seq *ps = seq->kv;

	if (p->calls++ == 0) {
		ps->blocks--;
		kv->slots_held -= PAGE;
	}
	pages_release(kv, seq);
}

static const struct quire_kv_ops leak_silent = {
	.name = "leak_silent",
	.summary = "loses blocks and does not say so",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = pages_fork,
	.release = leak_silent_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(leak_silent);
