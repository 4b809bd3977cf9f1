/*
 * kv_no_cow.c - shares blocks after a fork, and lets both write to the last of them:
 * it has forgotten to copy on write.
 */
#include "pages.h"

static int no_cow_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
		       struct quire_copies *copies)
{
	struct pages_seq *ps = seq->kv;

	(void)copies;
	if (pages_for(tokens) > kv->slots_total / PAGE)
		return -E2BIG;
	if (pages_for(tokens) > ps->blocks + pages_free(kv))
		return -ENOSPC;
	while (ps->blocks < pages_for(tokens))
		ps->first[ps->blocks++] = pages_take(kv);
	return 0;
}

static const struct quire_kv_ops no_cow = {
	.name = "no_cow",
	.summary = "lets samples write on each other",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = no_cow_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(no_cow);
