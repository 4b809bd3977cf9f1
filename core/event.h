/*
 * event.h - the story of a run, told as records of 32 bytes.
 *
 * One table says what there is; the enum, the names in JSON, the legend of the
 * visualizer and the documentation are made from it.  Kinds marked DECISION are
 * folded into the digest of the run; the others only tell (times and results
 * are not decisions).  A kind's number is part of the digest and of recordings:
 * new kinds are added at the end.
 *
 * A sink names the kinds it wants.  Without a sink an event costs a test of one
 * bit; the digest does not go through sinks.
 */
#ifndef QUIRE_EVENT_H
#define QUIRE_EVENT_H

#include <quire/quire.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUIRE_DECISION true
#define QUIRE_TELLS    false

/*
 * MEMORY, POOL and SHARE come before each STEP, in slots; SHARE tells the slots that
 * maps show, and the lengths of all maps together.  MAPs of a sequence come in order
 * of their blocks.  UNMAP: its map is forgotten, and MAPs of all its blocks follow;
 * that of one that is preempted or gone is forgotten without saying.  FAULT tells a
 * rule that was broken (enum quire_fault).  END is the last event; its oracle says
 * whether the allocator called quire_kv_end().  IDLE: a plan was empty; together with
 * STEP it tells when each plan was made, which a replay needs.
 */
/*	 kind     decides         a, b, c	(seq is 0 where an event has no sequence) */
#define QUIRE_EVENTS(X)                                                                            \
	X(ARRIVE, QUIRE_TELLS, "prompt_tokens", "output_tokens_max", "samples")                    \
	X(REFUSE, QUIRE_DECISION, "reason", "known_tokens", "")                                    \
	X(PREEMPT, QUIRE_DECISION, "cached_tokens", "", "")                                        \
	X(DROP, QUIRE_DECISION, "known_tokens", "", "")                                            \
	X(COPY, QUIRE_DECISION, "from_slot", "to_slot", "slots")                                   \
	X(MAP, QUIRE_DECISION, "block", "first_slot", "block_slots")                               \
	X(RUN, QUIRE_DECISION, "tokens", "cached_tokens", "known_tokens")                          \
	X(MEMORY, QUIRE_TELLS, "token_states", "reserved", "internal")                             \
	X(STEP, QUIRE_DECISION, "items", "tokens", "pad_tokens")                                   \
	X(DONE, QUIRE_TELLS, "items", "samples", "seqs_held")                                      \
	X(SAMPLE, QUIRE_TELLS, "token", "known_tokens", "end")                                     \
	X(FORK, QUIRE_DECISION, "parent", "cached_tokens", "known_tokens")                         \
	X(FINISH, QUIRE_DECISION, "known_tokens", "kept", "")                                      \
	X(EJECT, QUIRE_TELLS, "errno", "", "")                                                     \
	X(POOL, QUIRE_TELLS, "rounding", "free", "largest_free_run")                               \
	X(SHARE, QUIRE_TELLS, "mapped_slots", "map_slots", "map_slots_high")                       \
	X(UNMAP, QUIRE_TELLS, "blocks", "", "")                                                    \
	X(FAULT, QUIRE_TELLS, "rule", "", "")                                                      \
	X(END, QUIRE_TELLS, "oracle", "errno", "")                                                 \
	X(IDLE, QUIRE_TELLS, "", "", "")

enum quire_event_kind {
#define X(kind, decides, a, b, c) QUIRE_EV_##kind,
	QUIRE_EVENTS(X) QUIRE_EV_COUNT
#undef X
};

struct quire_event {
	uint64_t at_ns; /* of the step's begin until STEP, of its end from DONE on */
	uint32_t step;	/* from 1; 0: before the first */
	uint32_t kind;	/* enum quire_event_kind */
	uint32_t seq;	/* sequence id; of ARRIVE: the request's id; or 0 */
	uint32_t a, b, c;
};

#ifdef __cplusplus
static_assert(sizeof(struct quire_event) == 32, "the recording's format");
#else
_Static_assert(sizeof(struct quire_event) == 32, "the recording's format");
#endif

#define QUIRE_EV_BIT(kind) (1u << QUIRE_EV_##kind)
#define QUIRE_EV_ALL	   ((1u << QUIRE_EV_COUNT) - 1)

struct quire_sink {
	uint32_t kinds; /* QUIRE_EV_BIT() of what it wants */
	void (*emit)(struct quire_sink *sink, const struct quire_event *event);
};

/*
 * The digest of a run: one word a decision.  The clock is not part of it, so
 * that a real run and a simulated one can be compared.
 */
#define QUIRE_DIGEST_START 0x9e3779b97f4a7c15u

static inline uint64_t quire_digest_fold(uint64_t digest, uint64_t word)
{
	digest = (digest ^ word) * 0xff51afd7ed558ccdu;
	return digest ^ digest >> 32;
}

static inline uint64_t quire_digest_event(uint64_t digest, uint32_t kind, uint32_t seq, uint32_t a,
					  uint32_t b, uint32_t c)
{
	digest = quire_digest_fold(digest, (uint64_t)kind << 56 ^ (uint64_t)seq << 32 ^ a);
	return quire_digest_fold(digest, (uint64_t)b << 32 ^ c);
}

#ifdef __cplusplus
}
#endif
#endif /* QUIRE_EVENT_H */
