/*
 * kv_outside.c - maps the last block of a longer sequence to slots behind the end of
 * the pool.
 */
#include "pages.h"

static int outside_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			struct quire_copies *copies)
{
	struct pages_seq *ps = seq->kv;
	int rc = pages_grow(kv, seq, tokens, copies);

	if (rc == 0 && ps->blocks > 3)
		ps->first[ps->blocks - 1] = kv->slots_total - PAGE + 1;
	return rc;
}

static const struct quire_kv_ops outside = {
	.name = "outside",
	.summary = "leaves the pool",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = outside_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(outside);
