/*
 * kv_regions.c - shows one region less than it holds.  Only an audit asks.
 */
#include "pages.h"

static void regions_visit(const struct quire_kv *kv, quire_region_fn *fn, void *arg)
{
	const struct pages *p = kv->priv;

	for (uint32_t b = 1; b < kv->slots_total / PAGE; b++)
		if (p->refs[b])
			fn(arg, &(struct quire_region){b * PAGE, PAGE, p->refs[b]});
}

static const struct quire_kv_ops regions = {
	.name = "regions",
	.summary = "shows regions that are not there",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = regions_visit,
};
QUIRE_KV_MODULE(regions);
