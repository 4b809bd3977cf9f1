/*
 * kv_null.c - shows a map without blocks, which lies nowhere.
 */
#include "pages.h"

static void null_map(const struct quire_kv *kv, const struct quire_seq *seq, struct quire_map *map)
{
	(void)kv;
	*map = (struct quire_map){NULL, ((const struct pages_seq *)seq->kv)->blocks, PAGE};
}

static const struct quire_kv_ops null = {
	.name = "null",
	.summary = "has no map to show",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = null_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(null);
