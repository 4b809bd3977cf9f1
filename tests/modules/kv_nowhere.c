/*
 * kv_nowhere.c - moves other sequences, without being asked, to where no pool is: at a
 * fork the parent, at an admission who came before.
 */
#include "pages.h"

#define NOWHERE 0x10000000u

static int nowhere_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			struct quire_copies *copies)
{
	struct pages *p = kv->priv;
	struct pages_seq *other = p->first_seq && p->first_seq != seq ? p->first_seq->kv : NULL;

	p->first_seq = seq;
	if (other && other->blocks)
		other->first[0] = NOWHERE;
	return pages_grow(kv, seq, tokens, copies);
}

static int nowhere_fork(struct quire_kv *kv, struct quire_seq *parent, struct quire_seq *child,
			struct quire_copies *copies)
{
	struct pages_seq *from = parent->kv, *to = child->kv;
	int rc = from->first[0] == NOWHERE ? 0 : pages_fork(kv, parent, child, copies);

	*to = *from;
	from->first[0] = to->first[0] = NOWHERE;
	return rc;
}

/* What is nowhere cannot be given back. */
static void nowhere_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct pages_seq *ps = seq->kv;

	if (ps->first[0] == NOWHERE)
		ps->blocks = 0;
	pages_release(kv, seq);
}

static const struct quire_kv_ops nowhere = {
	.name = "nowhere",
	.summary = "moves others out of the pool",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = nowhere_grow,
	.fork = nowhere_fork,
	.release = nowhere_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(nowhere);
