/*
 * plan.h - the work of one step, as an executor reads it.
 *
 *	tokens_count = sum of items[].tokens, or items_count * pad_tokens if padded
 *	tokens_count <= tokens_limit, items_count <= items_limit
 */
#ifndef QUIRE_PLAN_H
#define QUIRE_PLAN_H

#include <quire/kv.h>
#include <quire/sched.h>

#ifdef __cplusplus
extern "C" {
#endif

struct quire_copy {
	uint32_t from, to, slots;
};

struct quire_copies {
	struct quire_copy *at; /* [limit], in order of execution */
	uint32_t count, limit;
};

struct quire_item {
	struct quire_seq *seq;
	uint32_t tokens;     /* run seq's tokens [cached_tokens, cached_tokens + tokens);
			      * of a kept row: padding, of no effect */
	uint32_t candidates; /* results wanted: 0 none, 1, one for each sample where they
			      * begin, 2 x beams of a beam search */
	uint32_t result;     /* index of the first of them */
};

struct quire_plan {
	uint64_t step;	 /* from 1 */
	uint64_t now_ns; /* when it was begun */
	struct quire_item *items;
	uint32_t items_count, items_limit;
	uint32_t tokens_count, tokens_limit;
	uint32_t results_count;
	uint32_t pad_tokens; /* 0, or: run every item with this many tokens ... */
	uint32_t pad_slots;  /* ... over a context of this many */
	struct quire_copies copies;
	struct quire_loop *loop; /* whose plan it is; the core's */
};

/* Where @seq's tokens are; valid until the step is done. */
void quire_plan_map(const struct quire_plan *plan, const struct quire_seq *seq,
		    struct quire_map *map);

#ifdef __cplusplus
}
#endif
#endif /* QUIRE_PLAN_H */
