/*
 * json_line.h - a scanner for flat JSON objects that stand on one line each.
 *
 * Strict JSON, but no more of it than traces use: keys without escapes,
 * numbers, arrays of whole numbers.  Building a tree of each line, as a JSON
 * library does, costs several times as much.
 *
 *	struct quire_json j = { .r = r, .at = line };
 *
 *	while ((rc = quire_json_key(&j, key)) > 0)
 *		... quire_json_number(&j, text) ...
 *	return rc;
 */
#ifndef QUIRE_JSON_LINE_H
#define QUIRE_JSON_LINE_H

#include "reader.h"

#define QUIRE_JSON_TEXT 64 /* bytes of a key or a number, at most, with their 0 */

struct quire_json {
	struct quire_reader *r; /* whose line it is */
	const char *at;		/* what follows */
	bool inside;		/* a value of the object has been read */
};

/* All fail with -EINVAL and file, line and what was expected in quire_failure(). */

/* Step over the next key and its ':'.  Return: 1; 0 at the end of the line. */
int quire_json_key(struct quire_json *j, char key[QUIRE_JSON_TEXT]);
/* Step over a number; @text is as it is written.  Return: 0. */
int quire_json_number(struct quire_json *j, char text[QUIRE_JSON_TEXT]);
/* Step over a string.  Return: 0. */
int quire_json_string(struct quire_json *j);
/* Step over an array of whole numbers below 2^64 and give each to @each.  Return: 0;
 * what @each returned, if not 0. */
int quire_json_array(struct quire_json *j, int (*each)(struct quire_reader *r, uint64_t number));

#endif /* QUIRE_JSON_LINE_H */
