/*
 * scan.h - strict JSON, read where it lies, without taking memory.
 *
 * For JSON that is flat and may be large: the header of a safetensors file, the index
 * of its shards.  A tree of it is too hungry: jansson makes 100 MB of "[],[],[]" into
 * 4.5 GB.  The reader knows what must come next and asks for it:
 *
 *	rc = quire_scan_open(s, '{');
 *	while (!rc && (rc = quire_scan_more(s, '}')) > 0) {
 *		rc = quire_scan_key(s, key, sizeof(key));
 *		...				rc = 0 and its value was read, or rc < 0
 *	}
 *
 * Numbers, escapes and UTF-8 are checked to the letter.  Everything returns -EINVAL,
 * with a sentence that says where, when the text is something else.
 */
#ifndef QUIRE_SCAN_H
#define QUIRE_SCAN_H

#include <quire/quire.h>

#include <stddef.h>

struct quire_scan {
	const char *path;	      /* the file, */
	const char *part;	      /* and what of it this is, for sentences */
	const char *begin, *at, *end; /* [begin, end) is the text; borrowed */
	bool first;		      /* nothing of this object or array was read yet */
};

void quire_scan_begin(struct quire_scan *s, const char *path, const char *part, const void *text,
		      size_t bytes);
/* Step into an object or array: @bracket is '{' or '['. */
int quire_scan_open(struct quire_scan *s, char bracket);
/* Return: 1 another member follows; 0 it is over, behind its @bracket, '}' or ']'. */
int quire_scan_more(struct quire_scan *s, char bracket);
/*
 * A string into @text [@size], with an ending 0.  Longer ones and ones with control
 * characters (escaped, that is) are refused: they are names.  A key has a ':' behind it.
 */
int quire_scan_name(struct quire_scan *s, char *text, size_t size);
int quire_scan_key(struct quire_scan *s, char *text, size_t size);
/* Any string. */
int quire_scan_string(struct quire_scan *s);
/* A whole number, 0 or more, without sign, fraction or exponent. */
int quire_scan_u64(struct quire_scan *s, uint64_t *value);
/* Any value, nested at most 64 deep. */
int quire_scan_skip(struct quire_scan *s);
/* Nothing but white space follows. */
int quire_scan_end(struct quire_scan *s);

/* "path: part, byte 12: expected ...", at where the last value began.  Return: -EINVAL. */
int quire_scan_fail(const struct quire_scan *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* QUIRE_SCAN_H */
