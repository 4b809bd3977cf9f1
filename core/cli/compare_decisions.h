/*
 * compare_decisions.h - where two recordings part.
 */
#ifndef QUIRE_COMPARE_DECISIONS_H
#define QUIRE_COMPARE_DECISIONS_H

#include "core/trace/record.h"

/* One side of a parting. */
struct quire_parting_side {
	const struct quire_event *event; /* what it decides; NULL: the recording ends */
	uint64_t index;			 /* of that event */
	uint64_t at_ns;
	uint32_t step;
};

struct quire_parting {
	bool differ;
	uint64_t equal; /* decisions before, the same in both */
	struct quire_parting_side a, b;
};

#define QUIRE_DECISIONS_OF_ALLOCATOR (QUIRE_EV_BIT(MAP) | QUIRE_EV_BIT(COPY))

/* Where a recording ends; .event is NULL. */
struct quire_parting_side quire_parting_end(const struct quire_record *r);

/* The next event of these kinds; .event is NULL behind the last. */
struct quire_parting_side quire_parting_next(struct quire_record_cursor *at, uint32_t kinds);

/* Do they tell the same?  Times and steps do not count. */
bool quire_parting_same(const struct quire_event *a, const struct quire_event *b);

/* The first decision that is not the same, of those whose kinds are in @kinds.  As in
 * the digest, times do not count. */
struct quire_parting quire_parting_find(const struct quire_record *a, const struct quire_record *b,
					uint32_t kinds);

/* The first step that takes not as long, .event being its DONE, .at_ns how long. */
struct quire_parting quire_parting_find_time(const struct quire_record *a,
					     const struct quire_record *b);

/* All kinds that decide; see event.h. */
uint32_t quire_deciding_kinds(void);

/* A side in words: "plans 512 tokens of sequence 7 (request 6), 0 of 1,024 cached". */
void quire_parting_text(const struct quire_record *r, const struct quire_parting_side *side,
			char *text, size_t size);

/* The first request that is not the same in both; false: there is none. */
bool quire_requests_part(const struct quire_record *a, const struct quire_record *b,
			 uint32_t *request);

#endif /* QUIRE_COMPARE_DECISIONS_H */
