/*
 * kv_leak_hidden.c - loses the last block of what is released, counts it as free and
 * does not show it either.  All that can be seen is that the pool shrinks.
 */
#include "pages.h"

#define LOST UINT32_MAX /* as refs: lost for ever */

static void leak_hidden_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct pages *p = kv->priv;
	struct pages_seq *ps = seq->kv;

	if (!ps->blocks)
		return;
	p->refs[ps->first[--ps->blocks] / PAGE] = LOST;
	kv->slots_held -= PAGE;
	pages_release(kv, seq);
}

static void leak_hidden_visit(const struct quire_kv *kv, quire_region_fn *fn, void *arg)
{
	const struct pages *p = kv->priv;

	for (uint32_t b = 0; b < kv->slots_total / PAGE; b++)
		if (p->refs[b] && p->refs[b] != LOST)
			fn(arg, &(struct quire_region){b * PAGE, PAGE, p->refs[b]});
}

static const struct quire_kv_ops leak_hidden = {
	.name = "leak_hidden",
	.summary = "loses blocks and hides it",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = pages_fork,
	.release = leak_hidden_release,
	.map = pages_map,
	.visit = leak_hidden_visit,
};
QUIRE_KV_MODULE(leak_hidden);
