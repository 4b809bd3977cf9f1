/*
 * lines.h - the lines of a text file, plain, gzipped or in zstd.
 *
 * How a file is packed is told by its first bytes, not by its name; a pipe will
 * do.  Lines come one after another in one buffer that is as long as the
 * longest of them, so that a trace larger than memory's comfort can be read.
 */
#ifndef QUIRE_LINES_H
#define QUIRE_LINES_H

#include <stdint.h>

struct quire_lines; /* opaque */

/* "-" is standard input.  Return: the lines, to be freed with quire_lines_close();
 * or NULL with *@rc = -errno and a sentence in quire_failure(). */
struct quire_lines *quire_lines_open(const char *path, int *rc);

/*
 * The next line, without its end ("\n" or "\r\n") and, in the first line,
 * without a byte-order mark; ended by a 0, ours to write into, valid until the
 * next call.
 * Return: 1; 0 there is none; -errno with a sentence in quire_failure().
 */
int quire_lines_next(struct quire_lines *t, char **line);

/*
 * For a file that is no list of lines.  The next byte, which peek leaves where it is;
 * 0 behind the last; -errno with a sentence.  A byte-order mark is stepped over.  From
 * the first quire_lines_byte() on, quire_lines_next() may not be called any more, and
 * quire_lines_number() is the line of the byte that came last.
 */
int quire_lines_peek(struct quire_lines *t);
int quire_lines_byte(struct quire_lines *t);

/* The number of the line that came last, from 1; and the file's name. */
uint64_t quire_lines_number(const struct quire_lines *t);
const char *quire_lines_path(const struct quire_lines *t);

void quire_lines_close(struct quire_lines *t);

#endif /* QUIRE_LINES_H */
