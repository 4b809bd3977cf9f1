/*
 * kv_nonsense.c - answers grow() with the number of blocks, as if that were asked.
 */
#include "pages.h"

static int nonsense_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			 struct quire_copies *copies)
{
	int rc = pages_grow(kv, seq, tokens, copies);

	return rc ? rc : (int)((struct pages_seq *)seq->kv)->blocks;
}

static const struct quire_kv_ops nonsense = {
	.name = "nonsense",
	.summary = "answers with what comes to mind",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = nonsense_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(nonsense);
