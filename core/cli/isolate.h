/*
 * isolate.h - a wall around a run, and a witness of how it died.
 *
 * The run is in a child process already (sweep.h).  With --isolate the two also
 * share a page in which the child leaves its heartbeat, the end of each step, and
 * its last decisions; the parent ends it when the heart stops for too long or
 * when it takes too much memory, and the kernel ends it when it tries to start
 * or to signal another process.  Whatever the module did, the parent can say in
 * which step, and after which decisions.
 */
#ifndef QUIRE_ISOLATE_H
#define QUIRE_ISOLATE_H

#include "core/event.h"
#include <stdio.h>
#include <sys/types.h>

struct quire_isolation {
	double seconds;	       /* a step may take so long, of real time */
	uint64_t memory_bytes; /* and the process may grow by so much */
};

struct quire_isolate; /* the shared page, and what the parent knows */

/* Before the fork.  NULL: no memory, see quire_failure(). */
struct quire_isolate *quire_isolate_new(const struct quire_isolation *limits);

/* In the child: from here on it is behind the wall. */
int quire_isolate_enter(struct quire_isolate *iso);
/* For the loop of the child: what keeps the heart beating. */
struct quire_sink *quire_isolate_sink(struct quire_isolate *iso);

/* In the parent, every few milliseconds.  Return: NULL, or the verdict; the child
 * is to be killed then. */
const char *quire_isolate_watch(struct quire_isolate *iso, pid_t pid);

/*
 * In the parent, when the child is dead of @status, as of waitpid().  Say how in
 * @sentence, and tell its last decisions on @out.
 */
void quire_isolate_verdict(const struct quire_isolate *iso, int status, char *sentence, size_t size,
			   FILE *out);

void quire_isolate_free(struct quire_isolate *iso);

#endif /* QUIRE_ISOLATE_H */
