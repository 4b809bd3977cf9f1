/*
 * output.h - a file that is written completely or not at all.
 *
 * It is written under a temporary name beside its own, and renamed when it is
 * whole.  Opening it before long work finds out early that it cannot be written.
 * What is no regular file (/dev/null, a pipe) is written directly.
 */
#ifndef QUIRE_OUTPUT_H
#define QUIRE_OUTPUT_H

#include <stdio.h>

struct quire_output {
	char *path;	 /* where it will be, links followed */
	char *temporary; /* where it is now; NULL: directly */
	FILE *file;
};

/* Return: 0; -errno with a sentence in quire_failure(), and @o is empty. */
int quire_output_open(struct quire_output *o, const char *path);
/* Can it be opened?  Errors as above; nothing stays.  NULL, not asked for, and "-" are fine. */
int quire_output_try(const char *path);
/* Close it and give it its name.  Errors as above, and the old file stays. */
int quire_output_commit(struct quire_output *o);
/* Close and forget it.  An empty one is fine. */
void quire_output_discard(struct quire_output *o);

#endif /* QUIRE_OUTPUT_H */
