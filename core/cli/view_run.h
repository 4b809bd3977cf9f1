/*
 * view_run.h - "quire sim" for a viewer: one or two runs, each into a live recording.
 *
 *	rc = quire_view_run_read(&run, argc, argv);	names are looked up
 *	rc = quire_view_run_start(&run);		on a thread of their own, one by one
 *	... quire_view_run_begun(&run, i), run.lives[i] ...
 *	status = quire_view_run_end(&run);		waits
 *	quire_view_run_free(&run);			when no story needs the recordings
 *
 * The thread does what "quire sim" does: it prints the report, writes what --record and
 * the like ask for, and never waits for the viewer.
 */
#ifndef QUIRE_VIEW_RUN_H
#define QUIRE_VIEW_RUN_H

#include "visualize/live.h"

#include <pthread.h>
#include <stdatomic.h>

#define QUIRE_VIEW_RUNS_MAX 2u

struct quire_sim_runs; /* sim_run.h */

struct quire_view_run {
	struct quire_sim_runs *sim;		       /* owned */
	struct quire_live *lives[QUIRE_VIEW_RUNS_MAX]; /* [count] owned */
	uint32_t count;
	int argc; /* of "sim ARGUMENTS.." */
	char **argv;
	pthread_t thread;
	bool started;
	atomic_bool over; /* the thread is */
	int status;	  /* its exit status, then */
};

/*
 * Read the command line of "quire sim", argv[0] being "sim"; it is borrowed.
 * Return: 0; 1 its help was printed; -errno bad usage, said on stderr.
 */
int quire_view_run_read(struct quire_view_run *run, int argc, char **argv);
int quire_view_run_start(struct quire_view_run *run);
/* Wait until the @i-th run has begun.  Return: false: it never will. */
bool quire_view_run_begun(struct quire_view_run *run, uint32_t i);
/* Wait until all is over.  Return: the exit status of "quire sim". */
int quire_view_run_end(struct quire_view_run *run);
void quire_view_run_free(struct quire_view_run *run); /* zeros are fine */

/*
 * Run "quire sim @line" in this thread, without a report: a lesson's run.  There must be
 * one of it.  Return: 0, and @out has it all; -errno with a sentence.
 */
int quire_view_run_quietly(const char *line, struct quire_live **out);

#endif /* QUIRE_VIEW_RUN_H */
