/*
 * kv_wrong_copy.c - copies on write, but copies one token too few: the last one of the
 * shared block is not there any more.  Only an audit can see it.
 */
#include "pages.h"

static int wrong_copy_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			   struct quire_copies *copies)
{
	struct pages *p = kv->priv;
	struct pages_seq *ps = seq->kv;
	uint32_t written = seq->cached_tokens / PAGE, old;

	if (written < ps->blocks && p->refs[ps->first[written] / PAGE] > 1 && pages_free(kv)) {
		old = ps->first[written];
		ps->first[written] = pages_take(kv);
		quire_copies_add(copies, old, ps->first[written], seq->cached_tokens % PAGE - 1);
		pages_drop(kv, old);
	}
	return pages_grow(kv, seq, tokens, copies);
}

static const struct quire_kv_ops wrong_copy = {
	.name = "wrong_copy",
	.summary = "copies the wrong block",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = wrong_copy_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(wrong_copy);
