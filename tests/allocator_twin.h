/*
 * allocator_twin.h - an allocator and its model, side by side.
 *
 * Every operation goes to both; then everything that can be seen of the allocator
 * must be as in the model: answers, maps, slots_held, visit(), largest(), fits(),
 * check(), and in a shadow of the device's memory each token of each sequence.
 * After a failed call the model is as before, so "nothing changed" is checked too.
 *
 * An operation that makes no sense at the moment (running what holds no slots) is
 * skipped.  So any part of a list of operations is a list of operations, which is
 * what makes shrinking possible.
 */
#ifndef QUIRE_TESTS_ALLOCATOR_TWIN_H
#define QUIRE_TESTS_ALLOCATOR_TWIN_H

#include "allocator_model.h"
#include "core/state.h"

#include <stdio.h>

enum twin_op_kind {
	OP_ARRIVE,  /* it is born, and asks for room as by ... */
	OP_GROW,    /* make room: if it holds none, for 1 + tokens, or for all it knows */
	OP_RUN,	    /* write at most 1 + tokens, as its room allows: begins a step */
	OP_FORK,    /* into .other, which is born so */
	OP_PREEMPT, /* take its slots back; it waits */
	OP_RELEASE, /* take its slots back; it is gone */
	OP_KINDS
};

struct twin_op {
	uint8_t kind;
	uint8_t seq, other;
	bool all;		     /* OP_GROW of one that waits: room for all it knows */
	uint32_t tokens;	     /* see the kind */
	uint32_t prompt;	     /* OP_ARRIVE: tokens, */
	uint32_t output_max, output; /* cut to what seq_tokens_max allows */
};

/* How often what happened, so that a test can say that it saw everything. */
struct twin_counts {
	uint64_t calls; /* all of the following but skipped */
	uint64_t grown, grow_full, grow_never;
	uint64_t grown_in_place, moved, cow_copies, watermark_kept, copies_full;
	uint64_t forked, fork_full, run, last_sharer, released, skipped;
};

struct twin {
	struct pool pool; /* .kv is the allocator's */
	struct model model;
	struct core_seq seq[MODEL_SEQS];
	struct quire_request request[MODEL_SEQS];
	struct quire_copies copies;
	uint32_t *memory; /* [slots_total] the tag that lies in the slot; 0: poison */
	uint32_t *refs;	  /* [slots_total] scratch: as visit() shows them */
	uint32_t tag;	  /* the last that was written */
	int rc;		  /* the last answer of grow() or fork() */
	struct twin_counts counts;
	FILE *trace;	 /* NULL, or where to tell what happens */
	char wrong[256]; /* "", or how the allocator differs from its model */
};

/* NULL with a sentence in quire_failure() if the allocator refuses the setup. */
struct twin *twin_open(const struct model_setup *setup);
void twin_close(struct twin *tw);
/* Return: whether allocator and model still agree; if not, .wrong says why. */
bool twin_do(struct twin *tw, const struct twin_op *op);
/* Release all; the pool must be empty, and as useful as a new one. */
bool twin_drain(struct twin *tw);

#endif /* QUIRE_TESTS_ALLOCATOR_TWIN_H */
