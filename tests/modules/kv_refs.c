/*
 * kv_refs.c - shares blocks after a fork without counting it, so that they are free
 * as soon as the first of the two is gone.
 */
#include "pages.h"

static int refs_fork(struct quire_kv *kv, struct quire_seq *parent, struct quire_seq *child,
		     struct quire_copies *copies)
{
	(void)kv, (void)copies;
	*(struct pages_seq *)child->kv = *(const struct pages_seq *)parent->kv;
	return 0;
}

static void refs_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct pages *p = kv->priv;
	struct pages_seq *ps = seq->kv;

	for (; ps->blocks; ps->blocks--)
		if (p->refs[ps->first[ps->blocks - 1] / PAGE])
			pages_drop(kv, ps->first[ps->blocks - 1]);
}

static const struct quire_kv_ops refs = {
	.name = "refs",
	.summary = "does not count its references",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = pages_grow,
	.fork = refs_fork,
	.release = refs_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(refs);
