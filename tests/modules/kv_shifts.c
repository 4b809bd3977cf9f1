/*
 * kv_shifts.c - swaps the first two blocks of every map as soon as anything has been
 * released: still blocks of the same sequence, but in the wrong order.
 */
#include "pages.h"

static void shifts_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct pages *p = kv->priv;

	p->calls = 1;
	pages_release(kv, seq);
}

static void shifts_map(const struct quire_kv *kv, const struct quire_seq *seq,
		       struct quire_map *map)
{
	const struct pages *p = kv->priv;
	struct pages_seq *ps = seq->kv;
	uint32_t first = ps->first[0];

	if (p->calls && ps->blocks > 1 && ps->first[1] > first) {
		ps->first[0] = ps->first[1];
		ps->first[1] = first;
	}
	pages_map(kv, seq, map);
}

static const struct quire_kv_ops shifts = {
	.name = "shifts",
	.summary = "changes a map between steps",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = pages_fork,
	.release = shifts_release,
	.map = shifts_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(shifts);
