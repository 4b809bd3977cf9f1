/*
 * threads.h - a few threads that wait for loops to share.
 *
 * A loop's iterations are handed out one by one, to whoever is free: a thread that
 * the system has put aside holds up nothing but the iteration it is in.  So what an
 * iteration computes must not depend on who does it, or when.
 *
 * Threads that wait look for work for some microseconds, since the loops of a step
 * follow each other closely, and then sleep.
 */
#ifndef QUIRE_THREADS_H
#define QUIRE_THREADS_H

#include <stdint.h>

struct threads;

/* @thread: who does it, from 0, for memory of its own. */
typedef void threads_fn(void *arg, uint32_t index, uint32_t thread);

/* @count threads with the caller, who is thread 0.  Return: 0; -EAGAIN, -ENOMEM. */
int threads_new(struct threads **threads, uint32_t count);
void threads_free(struct threads *threads);
uint32_t threads_count(const struct threads *threads);
/* One for each core that is there. */
uint32_t threads_cores(void);

/* Do @fn for each index below @count, and come back when all are done. */
void threads_for(struct threads *threads, uint32_t count, threads_fn *fn, void *arg);

#endif /* QUIRE_THREADS_H */
