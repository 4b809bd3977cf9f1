/*
 * tee.h - one sink that hands events on to several.
 *
 * A loop has one sink.  Whoever wants to listen adds his own to a tee; with none
 * added, quire_tee_sink() is NULL and events cost nothing.
 */
#ifndef QUIRE_TEE_H
#define QUIRE_TEE_H

#include "core/event.h"

#define QUIRE_TEE_SINKS_MAX 8

struct quire_tee {
	struct quire_sink sink;
	struct quire_sink *to[QUIRE_TEE_SINKS_MAX]; /* [count] borrowed */
	uint32_t count;
};

/* @sink may be NULL: nothing is added. */
void quire_tee_add(struct quire_tee *tee, struct quire_sink *sink);

/* What to give to the loop: NULL, the only sink, or the tee. */
struct quire_sink *quire_tee_sink(struct quire_tee *tee);

#endif /* QUIRE_TEE_H */
