/*
 * tee.c - see tee.h.
 */
#include "tee.h"

#include <assert.h>

static void tee_emit(struct quire_sink *sink, const struct quire_event *event)
{
	struct quire_tee *tee = (struct quire_tee *)sink; /* sink is its first member */

	for (uint32_t i = 0; i < tee->count; i++)
		if (tee->to[i]->kinds & 1u << event->kind)
			tee->to[i]->emit(tee->to[i], event);
}

void quire_tee_add(struct quire_tee *tee, struct quire_sink *sink)
{
	if (!sink)
		return;
	assert(tee->count < QUIRE_TEE_SINKS_MAX);
	tee->to[tee->count++] = sink;
	tee->sink.kinds |= sink->kinds;
	tee->sink.emit = tee_emit;
}

struct quire_sink *quire_tee_sink(struct quire_tee *tee)
{
	if (tee->count < 2)
		return tee->count ? tee->to[0] : NULL;
	return &tee->sink;
}
