/*
 * kv_short.c - rounds the wrong way: a map is up to three slots too short.
 */
#include "pages.h"

static int short_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
		      struct quire_copies *copies)
{
	uint32_t rounded = tokens / PAGE * PAGE;

	return pages_grow(kv, seq, rounded ? rounded : 1, copies);
}

static const struct quire_kv_ops too_short = {
	.name = "short",
	.summary = "gives less than was asked for",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = short_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(too_short);
