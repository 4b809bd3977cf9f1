/*
 * live.h - a recording that is made in memory while the run goes.
 *
 *	one thread, the run's: quire_live_sink() emits      another, the viewer's: reads
 *
 * Events go into chunks of a fixed size that stay where they are until the end.  The run
 * writes an event and then says with one atomic store how many there are; the viewer reads
 * behind that number.  Neither waits for the other: a viewer that is slow leaves out
 * pictures, and finds every event when it comes to look.  The viewer lays out the next
 * chunks ahead of the run (quire_live_prepare(), once a frame), so that the run seldom asks
 * the system for memory; where it does, it does so itself.
 *
 * When @events_max is reached or memory is short the live recording ends, the run does not:
 * `trouble` says so, and a file (--record) still gets everything.
 */
#ifndef QUIRE_LIVE_H
#define QUIRE_LIVE_H

#include "core/trace/record.h"

#define QUIRE_LIVE_CHUNK 16384u /* events */

struct quire_live;
struct quire_piece; /* story.h */

/* @events_max 0: as many as fit in a quarter of the machine's memory. */
int quire_live_new(struct quire_live **out, uint64_t events_max);
void quire_live_free(struct quire_live *live);

/* ---- the run's thread ---- */

/* Before the first event.  Everything is copied; @requests [run->requests_count];
 * @config is JSON, or NULL.  Return: 0; -ENOMEM. */
int quire_live_begin(struct quire_live *live, const struct quire_record_run *run,
		     const struct quire_record_request *requests, const char *config);
struct quire_sink *quire_live_sink(struct quire_live *live);
/* The run is over; @sentence: why it failed, or NULL. */
void quire_live_end(struct quire_live *live, const char *sentence);
/* Token ids or text, copied; ids and text as in struct quire_record_tokens and _text.
 * These take a lock: they are for a real engine, a few a step. */
int quire_live_tokens(struct quire_live *live, uint32_t request, uint32_t seq, uint32_t first,
		      const uint32_t *ids, uint32_t count);
int quire_live_text(struct quire_live *live, uint32_t request, uint32_t seq, uint32_t first,
		    uint32_t count, const char *text, uint32_t bytes);

/* ---- the viewer's thread ---- */

bool quire_live_begun(const struct quire_live *live);
bool quire_live_ended(const struct quire_live *live);
const char *quire_live_trouble(const struct quire_live *live); /* "" or a sentence, once ended */
uint64_t quire_live_count(const struct quire_live *live);
/* Have the next chunks ready. */
void quire_live_prepare(struct quire_live *live);
/* As quire_story_events(). */
const struct quire_event *quire_live_events(const struct quire_live *live, uint64_t index,
					    uint64_t *count);
const struct quire_record_run *quire_live_run(const struct quire_live *live);
const struct quire_record_request *quire_live_requests(const struct quire_live *live);
const char *quire_live_config(const struct quire_live *live);
/* The @i-th piece of text or tokens.  Return: false: there are not so many yet. */
bool quire_live_piece(struct quire_live *live, uint32_t i, struct quire_piece *piece);

#endif /* QUIRE_LIVE_H */
