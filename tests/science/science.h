/*
 * science.h - published results, and whether quire reproduces them.
 *
 * An experiment is a file p<number>_<what>.c with one struct science_experiment,
 * named in the list of science.c.  It runs commands of quire, in this program but
 * as anyone would type them, and holds figures of their output against published
 * ones.  The command that is printed is the one that ran.
 *
 * docs/science.md tells what each experiment shows.
 */
#ifndef QUIRE_SCIENCE_H
#define QUIRE_SCIENCE_H

#include <jansson.h>

struct science_experiment {
	const char *name;  /* "p2", how users pick it */
	const char *title; /* half a line */
	const char *source;
	const char *file; /* that it reads, below the folder of shared data; NULL: none */
	void (*run)(void);
};

extern const struct science_experiment science_p1, science_p2, science_p3, science_p4, science_p5,
	science_p6;

/*
 * Print "$ quire @command", run it, and return what it wrote to standard output,
 * for free().  Words are separated by single blanks; one that begins with '@' is
 * a file below the folder of shared data.  NULL: the command failed, which was
 * said and counted.
 */
char *science_run(const char *command);
/* The same for a command that ends with "--json -"; the caller releases it with
 * json_decref(). */
json_t *science_run_json(const char *command);
/* The same, unprinted: a variation of one that was, which the caller tells. */
json_t *science_run_json_again(const char *command);

/* The value at @path, keys and indices joined with points ("0.memory.internal"),
 * or NULL.  Borrowed from @root. */
json_t *science_value(const json_t *root, const char *path);
/* The same, of a number.  NAN if there is none, and no check accepts that. */
double science_number(const json_t *root, const char *path);
/* The mean of the number at @path over those @runs whose scheduler, with its options as
 * the report tells them, is @scheduler; NULL: over all.  NAN if there is none. */
double science_mean(const json_t *runs, const char *scheduler, const char *path);

/* Print the heads of the columns; above the first check. */
void science_table(void);
/* Print and count one line: is @ours within @tolerance of @published? */
void science_check(const char *figure, double published, double ours, double tolerance,
		   int decimals);
/* The same: is @low < @ours < @high?  INFINITY with its sign where one is missing. */
void science_check_between(const char *figure, double low, double ours, double high, int decimals);
/* Print one line that nobody judges.  @published: NAN if it is not. */
void science_note(const char *figure, double published, double ours, int decimals);
/* The same as the first for words, which must be equal. */
void science_check_text(const char *figure, const char *published, const char *ours);
/* Something could not be done at all: one sentence, counted as a failed check. */
void science_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* QUIRE_SCIENCE_H */
