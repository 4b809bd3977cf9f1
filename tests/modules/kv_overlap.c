/*
 * kv_overlap.c - gives every block to whoever asks: all sequences start at slot 0.
 */
#include "pages.h"

static int overlap_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			struct quire_copies *copies)
{
	struct pages_seq *ps = seq->kv;
	int rc = pages_grow(kv, seq, tokens, copies);

	for (uint32_t i = 0; i < ps->blocks; i++)
		ps->first[i] = i * PAGE;
	return rc;
}

static const struct quire_kv_ops overlap = {
	.name = "overlap",
	.summary = "two in one seat",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = overlap_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(overlap);
