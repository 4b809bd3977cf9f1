/*
 * perfetto.h - a run as a picture for ui.perfetto.dev (or chrome://tracing).
 *
 * A sink that writes the JSON trace event format: a lane for each seat of the batch,
 * with slices such as "r12 prompt 512" and "r12 decode", and counters for memory,
 * batch and queue.  A sequence takes the lowest free seat when it is planned and
 * leaves it with its slots; steps in a row that do the same for it are one slice,
 * which tells how many they were.
 *
 * The size is bounded, as a browser has to hold it: beyond 16 MB, and every 16 MB
 * after, counters are taken more seldom and slices bridge longer pauses; at 256 MB
 * the trace ends.  The file is written as the run goes, and opens though cut off.
 */
#ifndef QUIRE_PERFETTO_H
#define QUIRE_PERFETTO_H

#include "core/event.h"

struct quire_perfetto;

/* Return: 0, and @out is to be given to quire_perfetto_close(); -errno with a
 * sentence in quire_failure(). */
int quire_perfetto_open(struct quire_perfetto **out, const char *path);

/* Before the first event; @title names the run.  @full_bytes: another bound, for
 * tests, with its 16 levels; 0: the 256 MB. */
void quire_perfetto_begin(struct quire_perfetto *p, const char *title, uint32_t slots_total,
			  uint32_t requests_count, uint64_t full_bytes);

struct quire_sink *quire_perfetto_sink(struct quire_perfetto *p);

/*
 * End the file and free @p (NULL is fine).  *@cut_ns is when the trace ends because
 * it was full; 0: it does not.  Return: 0; -errno with a sentence in quire_failure().
 */
int quire_perfetto_close(struct quire_perfetto *p, uint64_t *cut_ns);

#endif /* QUIRE_PERFETTO_H */
