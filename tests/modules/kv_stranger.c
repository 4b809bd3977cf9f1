/*
 * kv_stranger.c - copies a block of one sequence onto a block of another, which still
 * reads it.  Only an audit can see it.
 */
#include "pages.h"

static int stranger_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			 struct quire_copies *copies)
{
	struct pages *p = kv->priv;
	const struct pages_seq *ps = seq->kv, *other = p->first_seq ? p->first_seq->kv : NULL;
	int rc = pages_grow(kv, seq, tokens, copies);

	if (rc == 0 && other && p->first_seq != seq && other->blocks &&
	    other->first[0] != ps->first[0])
		quire_copies_add(copies, ps->first[0], other->first[0], PAGE);
	p->first_seq = seq;
	return rc;
}

static const struct quire_kv_ops stranger = {
	.name = "stranger",
	.summary = "copies onto a stranger",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = stranger_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(stranger);
