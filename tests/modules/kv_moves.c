/*
 * kv_moves.c - when a sequence comes in, it moves the first block of the sequence that
 * came before it: to a free block, without being asked, and without a copy.
 */
#include "pages.h"

static int moves_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
		      struct quire_copies *copies)
{
	struct pages *p = kv->priv;
	struct pages_seq *other = p->first_seq && p->first_seq != seq ? p->first_seq->kv : NULL;
	uint32_t block;

	if (other && other->blocks && pages_free(kv) > 4 && p->calls++ == 0) {
		block = pages_take(kv);
		pages_drop(kv, other->first[0]);
		other->first[0] = block;
	}
	p->first_seq = seq;
	return pages_grow(kv, seq, tokens, copies);
}

static const struct quire_kv_ops moves = {
	.name = "moves",
	.summary = "moves others about",
	.priv_size = sizeof(struct pages),
	.seq_size = sizeof(struct pages_seq),
	.grow = moves_grow,
	.fork = pages_fork,
	.release = pages_release,
	.map = pages_map,
	.visit = pages_visit,
};
QUIRE_KV_MODULE(moves);
