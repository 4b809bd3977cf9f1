/*
 * kv_no_copy.c - moves a sequence's current block to another place when it grows, and
 * leaves the tokens behind: the map is sound, and shows stale memory.
 */
#include "pages.h"

static int no_copy_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			struct quire_copies *copies)
{
	struct pages_seq *ps = seq->kv;
	uint32_t written = seq->cached_tokens / PAGE, old;

	if (seq->cached_tokens % PAGE && written < ps->blocks && pages_free(kv)) {
		old = ps->first[written];
		ps->first[written] = pages_take(kv);
		pages_drop(kv, old);
	}
	return pages_grow(kv, seq, tokens, copies);
}

static const struct quire_kv_ops no_copy = {
	.name = "no_copy",
	.summary = "moves without its luggage",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = no_copy_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(no_copy);
