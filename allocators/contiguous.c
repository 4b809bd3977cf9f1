/*
 * contiguous.c - one region a sequence, reserved when it is admitted: the way
 * before PagedAttention.
 *
 * reserve=max		every sequence gets --max-model-len tokens (Orca, Max)
 * reserve=cap		its prompt and the client's cap
 * reserve=pow2		its prompt and its true output, rounded up to a power of two
 *			(Orca, Pow2); asks the oracle
 * reserve=oracle	its prompt and its true output (Orca, Oracle); asks the oracle
 *
 * place=buddy|first|best says where the region goes (place.h).  So it shows all
 * three wastes: reserved and internal in the tail of each region, external in
 * rounding and in holes that are too short for the next one.
 *
 *	region = [first, first + held), map = its first reserved slots
 */
#include "place.h"

#include <quire/plugin.h>

#include <errno.h>
#include <stdlib.h>

enum { RESERVE_MAX, RESERVE_CAP, RESERVE_POW2, RESERVE_ORACLE };

struct contiguous_seq {
	uint32_t first;	   /* slot */
	uint32_t reserved; /* tokens: the map's length; 0: it has no region */
	uint32_t held;	   /* slots taken, rounding included */
	struct contiguous_seq *prev, *next;
};

struct contiguous {
	const struct place_ops *ops;
	void *place;
	struct contiguous_seq *regions;	  /* in no order */
	uint32_t reserve, placing, block; /* the options */
};

static const struct quire_option options[] = {
	{"reserve", QUIRE_CHOICE, offsetof(struct contiguous, reserve), "max",
	 "how much a sequence gets", .choices = "max|cap|pow2|oracle"},
	{"place", QUIRE_CHOICE, offsetof(struct contiguous, placing), "buddy",
	 "where its region goes", .choices = "buddy|first|best"},
	{"block", QUIRE_COUNT, offsetof(struct contiguous, block), "16",
	 "slots of the smallest chunk, with place=buddy", .min = 1, .max = 1 << 20},
	{.name = NULL},
};

static int contiguous_init(struct quire_kv *kv)
{
	static const struct place_ops *const placing[] = {&quire_place_buddy, &quire_place_first,
							  &quire_place_best};
	struct contiguous *c = kv->priv;
	struct place_limits limits = {kv->slots_total, kv->seq_tokens_max, kv->seqs_max, c->block};

	if ((c->reserve == RESERVE_POW2 || c->reserve == RESERVE_ORACLE) && !kv->ends_known)
		return quire_fail(-EINVAL, "reserve=pow2 and reserve=oracle need a workload that "
					   "knows its true output lengths, and this one does not");
	c->ops = placing[c->placing];
	c->place = calloc(1, c->ops->size);
	if (!c->place)
		return quire_fail(-ENOMEM, "out of memory");
	return c->ops->init(c->place, &limits);
}

static void contiguous_exit(struct quire_kv *kv)
{
	struct contiguous *c = kv->priv;

	if (c->place)
		c->ops->exit(c->place);
	free(c->place);
}

/* Tokens to reserve for @seq, which needs @tokens now. */
static uint32_t reservation(struct quire_kv *kv, const struct quire_seq *seq, uint32_t tokens)
{
	struct contiguous *c = kv->priv;
	uint64_t prompt = seq->request->prompt_tokens, output, total;

	switch (c->reserve) {
	case RESERVE_CAP:
		total = prompt + seq->request->output_tokens_max;
		break;
	case RESERVE_POW2:
		output = 1;
		while (prompt + output < quire_kv_end(kv, seq))
			output *= 2;
		total = prompt + output;
		break;
	case RESERVE_ORACLE:
		total = quire_kv_end(kv, seq);
		break;
	default:
		total = kv->seq_tokens_max;
	}
	if (total > kv->seq_tokens_max)
		total = kv->seq_tokens_max;
	return total > tokens ? (uint32_t)total : tokens;
}

static int take(struct quire_kv *kv, struct contiguous_seq *cs, uint32_t tokens)
{
	struct contiguous *c = kv->priv;
	uint32_t first, held = c->ops->take(c->place, tokens, &first);

	if (!held)
		return tokens > c->ops->largest_ever(c->place) ? -E2BIG : -ENOSPC;
	*cs = (struct contiguous_seq){first, tokens, held, NULL, c->regions};
	if (cs->next)
		cs->next->prev = cs;
	c->regions = cs;
	kv->slots_held += held;
	return 0;
}

static void give(struct quire_kv *kv, struct contiguous_seq *cs)
{
	struct contiguous *c = kv->priv;

	c->ops->give(c->place, cs->first, cs->held);
	*(cs->prev ? &cs->prev->next : &c->regions) = cs->next;
	if (cs->next)
		cs->next->prev = cs->prev;
	kv->slots_held -= cs->held;
	*cs = (struct contiguous_seq){0};
}

/*
 * Beyond its reservation a sequence is moved to a larger one, a quarter larger
 * at least, unless its chunk has room.  Only padding comes here: no live row
 * outgrows any of the four reservations.
 */
static int outgrow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
		   struct quire_copies *copies)
{
	struct contiguous *c = kv->priv;
	struct contiguous_seq *cs = seq->kv, old = *cs;
	uint32_t more = cs->reserved + cs->reserved / 4, first, held;

	if (more > kv->seq_tokens_max)
		more = kv->seq_tokens_max;
	if (more < tokens)
		more = tokens;
	if (tokens <= cs->held) {
		cs->reserved = more < cs->held ? more : cs->held;
		return 0;
	}
	held = c->ops->take(c->place, more, &first);
	if (!held)
		return tokens > c->ops->largest_ever(c->place) ? -E2BIG : -ENOSPC;
	if (quire_copies_add(copies, old.first, first, seq->cached_tokens)) {
		c->ops->give(c->place, first, held);
		return -ENOSPC;
	}
	c->ops->give(c->place, old.first, old.held);
	cs->first = first;
	cs->reserved = more;
	cs->held = held;
	kv->slots_held += held - old.held;
	return 0;
}

static int contiguous_grow(struct quire_kv *kv, struct quire_seq *seq, uint32_t tokens,
			   struct quire_copies *copies)
{
	struct contiguous_seq *cs = seq->kv;

	if (!cs->reserved)
		return take(kv, cs, reservation(kv, seq, tokens));
	return tokens > cs->reserved ? outgrow(kv, seq, tokens, copies) : 0;
}

static int contiguous_fork(struct quire_kv *kv, struct quire_seq *parent, struct quire_seq *child,
			   struct quire_copies *copies)
{
	const struct contiguous_seq *from = parent->kv;
	struct contiguous_seq *to = child->kv;
	uint32_t tokens = parent->cached_tokens;
	int rc = take(kv, to, reservation(kv, child, tokens));

	if (rc)
		return -ENOSPC;
	rc = quire_copies_add(copies, from->first, to->first, tokens);
	if (rc)
		give(kv, to);
	return rc;
}

static void contiguous_release(struct quire_kv *kv, struct quire_seq *seq)
{
	struct contiguous_seq *cs = seq->kv;

	if (cs->reserved)
		give(kv, cs);
}

static void contiguous_map(const struct quire_kv *kv, const struct quire_seq *seq,
			   struct quire_map *map)
{
	const struct contiguous_seq *cs = seq->kv;

	(void)kv;
	*map = (struct quire_map){&cs->first, cs->reserved > 0, cs->reserved};
}

static void contiguous_visit(const struct quire_kv *kv, quire_region_fn *fn, void *arg)
{
	const struct contiguous *c = kv->priv;

	for (const struct contiguous_seq *cs = c->regions; cs; cs = cs->next)
		fn(arg, &(struct quire_region){cs->first, cs->held, 1});
}

static bool contiguous_fits(struct quire_kv *kv, const struct quire_seq *seq, uint32_t tokens)
{
	struct contiguous *c = kv->priv;

	return reservation(kv, seq, tokens) <= c->ops->largest_ever(c->place);
}

static uint32_t contiguous_largest(const struct quire_kv *kv)
{
	const struct contiguous *c = kv->priv;

	return c->ops->largest(c->place);
}

static const struct quire_kv_ops contiguous = {
	.name = "contiguous",
	.summary = "one region a sequence, reserved for the longest it could become",
	.options = options,
	.priv_size = sizeof(struct contiguous),
	.seq_size = sizeof(struct contiguous_seq),
	.init = contiguous_init,
	.exit = contiguous_exit,
	.grow = contiguous_grow,
	.fork = contiguous_fork,
	.release = contiguous_release,
	.map = contiguous_map,
	.visit = contiguous_visit,
	.fits = contiguous_fits,
	.largest = contiguous_largest,
};
QUIRE_KV_MODULE(contiguous);
