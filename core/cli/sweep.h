/*
 * sweep.h - many runs at the same time, each in a process of its own.
 *
 * Runs share nothing, so a module that crashes takes one run with it, and the
 * results are those of running one by one.  A child sends its progress and, in
 * the end, its whole struct quire_report home through a pipe; what it prints on
 * stdout goes to stderr.
 */
#ifndef QUIRE_SWEEP_H
#define QUIRE_SWEEP_H

#include "core/trace/report.h"
#include "isolate.h"
#include "units.h"
#include <stdio.h>

struct quire_sweep {
	uint32_t count;
	uint32_t jobs;		      /* processes at one time; 0: none, all in this one */
	struct quire_report *reports; /* [count] filled in by prepare(), run() and the sweep */
	void *extras;	   /* [count] of extra_size bytes that run() fills in, too; or NULL */
	size_t extra_size; /* plain data, as a report is; zero of a run that died */
	FILE *progress;	   /* a terminal for the progress line; NULL: none */
	uint32_t before;   /* runs that were done earlier, for that line */
	const struct quire_isolation *isolation; /* of each child; NULL: none */
	void *arg;

	/*
	 * Make ready what run @index needs, and its report's settings; in this
	 * process, in order of the index, just before the run starts.  Return: 0;
	 * 1 do not run it, its report says why; -errno ends the whole sweep.
	 */
	int (*prepare)(void *arg, uint32_t index);
	/* Run it and fill in its report, in the child.  Hand quire_sweep_progress()
	 * and @progress to the loop. */
	void (*run)(void *arg, uint32_t index, void *progress);
	/* Its report is final; in this process, in any order of the index.  NULL:
	 * nobody asks.  Return: 0; -errno ends the whole sweep. */
	int (*done)(void *arg, uint32_t index);
};

/*
 * Return: 0, though single runs may have failed, see their reports; -EINTR a
 * signal asked to stop (quire_sweep_signal() tells which); -errno with a sentence
 * in quire_failure().
 */
int quire_sweep_run(const struct quire_sweep *sweep);
int quire_sweep_signal(void);

/* Of the shape of quire_loop_config.progress.  Here and below @progress may be NULL:
 * nobody listens. */
void quire_sweep_progress(void *progress, uint64_t now_ns, uint32_t finished, uint32_t count);

/* What the loop of an isolated run has to tell; NULL where it is not isolated. */
struct quire_sink *quire_sweep_sink(void *progress);

/*
 * How long it will still take if all goes on like this, as in ", 3 min left"; "" as
 * long as one cannot tell.  @done: runs since @begin_s, a time of
 * quire_sweep_clock_s(), shares of runs included.
 */
struct quire_small_text quire_sweep_left(double begin_s, double done, uint32_t count);
double quire_sweep_clock_s(void);

/* Processors that are online. */
uint32_t quire_sweep_cores(void);

#endif /* QUIRE_SWEEP_H */
