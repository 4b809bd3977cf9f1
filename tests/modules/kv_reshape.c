/*
 * kv_reshape.c - shows a map of many blocks of one slot where it has shown a few
 * blocks of four: as long as before, and something else.
 */
#include "pages.h"

static void reshape_map(const struct quire_kv *kv, const struct quire_seq *seq,
			struct quire_map *map)
{
	struct pages *p = kv->priv;

	pages_map(kv, seq, map);
	if (seq->id != 2 || p->calls++ < 2)
		return;
	map->blocks *= map->block_slots;
	map->block_slots = 1;
}

static const struct quire_kv_ops reshape = {
	.name = "reshape",
	.summary = "changes the shape of its maps",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = reshape_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(reshape);
