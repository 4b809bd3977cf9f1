/*
 * record_state.h - what a picture of a run at one moment needs: who is alive, which
 * slots he holds, and the counts.
 *
 * Events are folded into it one by one.  A keyframe is this state in a recording, so
 * that a viewer can go anywhere without starting from the beginning:
 *
 *	keyframe = struct quire_record_counts
 *		   + counts.seqs_count records of QUIRE_RECORD_SEQ_BYTES: the first
 *		     fields of struct quire_record_seq
 *		   + for each of them, in the same order, its blocks
 *
 * Nonsense in a recording is passed over; it cannot do harm.
 */
#ifndef QUIRE_RECORD_STATE_H
#define QUIRE_RECORD_STATE_H

#include "record.h"

struct quire_record_counts {
	uint64_t index;			     /* events so far */
	uint64_t at_ns;			     /* of the last one */
	uint64_t step_begin_ns, step_end_ns; /* of the last step; end < begin: it runs */
	uint64_t steps_done;
	uint64_t preemptions, copies, copied_slots, forks;
	uint64_t output_tokens;
	uint32_t step;
	uint32_t arrived, finished, refused; /* requests */
	uint32_t seqs_born;		     /* the newest sequence's id */
	uint32_t seqs_count;		     /* alive */
	uint32_t seqs_held;		     /* holding slots in the last step */
	uint32_t items, tokens, pad_tokens;  /* of the last step */
	uint32_t token_states, reserved, internal, rounding, free; /* slots, then */
	uint32_t largest_free_run, mapped_slots;		   /* likewise */
	uint32_t zero;
};

enum {
	QUIRE_RECORD_SEQ_KEPT = 1,	/* finished, and the scheduler keeps its row */
	QUIRE_RECORD_SEQ_REFUSED = 2,	/* its request was given up */
	QUIRE_RECORD_SEQ_SCHEDULED = 4, /* was in a plan */
};

#define QUIRE_RECORD_SEQ_BYTES 64u
#define QUIRE_RECORD_NOBODY    UINT32_MAX
#define QUIRE_RECORD_REFUSED   0x80000000u /* in living[] */

struct quire_record_seq {
	uint32_t id;
	uint32_t request; /* QUIRE_RECORD_NOBODY: it is being forked */
	uint32_t sample;
	uint32_t state; /* enum quire_state */
	uint32_t flags;
	uint32_t known_tokens, cached_tokens;
	uint32_t run_tokens; /* in the plan of the step that is made or runs */
	uint32_t planned_step;
	uint32_t preemptions;
	uint32_t born_step;
	uint32_t forks; /* made of it */
	uint32_t block_slots;
	uint32_t blocks_count;
	uint32_t prompt_tokens;
	uint32_t zero;
	/* in memory only */
	uint32_t *blocks; /* [blocks_count] the first slot of each, [blocks_limit] */
	uint32_t blocks_limit;
};

struct quire_record_state {
	struct quire_record_counts counts;
	struct quire_record_seq *seqs; /* [counts.seqs_count], [seqs_limit], in no order */
	uint32_t seqs_limit;
	uint32_t *place; /* [place_limit] by id: 1 + index into seqs; 0: not alive */
	uint32_t place_limit;
	uint32_t *planned; /* [planned_count] ids, of the step that is made or runs */
	uint32_t planned_count, planned_limit;
	uint32_t *living; /* [requests_count] sequences of each, and QUIRE_RECORD_REFUSED */
	uint32_t requests_count;
	uint64_t blocks_sum; /* of all seqs */
};

/* A state before the first event.  Return: 0; -ENOMEM. */
int quire_record_state_init(struct quire_record_state *s, uint32_t requests_count);
void quire_record_state_free(struct quire_record_state *s);

/* Fold the next event.  Return: 0; -ENOMEM, and the state is of no use any more. */
int quire_record_state_apply(struct quire_record_state *s, const struct quire_event *e);

/* The sequence of this id, as long as nothing is applied; NULL if it is not alive. */
const struct quire_record_seq *quire_record_state_seq(const struct quire_record_state *s,
						      uint32_t id);

/* As a keyframe: its size, writing it, and reading one.
 * Return: 0; -EINVAL it is none, -ENOMEM. */
uint64_t quire_record_state_bytes(const struct quire_record_state *s);
void quire_record_state_write(const struct quire_record_state *s, void *to);
int quire_record_state_read(struct quire_record_state *s, const void *data, uint64_t bytes);

/* Make @s, which was initialised for @r, the state after the first @index events.
 * Forward it goes from where @s is, or from a keyframe that is nearer. */
int quire_record_seek(const struct quire_record *r, uint64_t index, struct quire_record_state *s);

#endif /* QUIRE_RECORD_STATE_H */
