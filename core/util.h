/*
 * util.h - what every room needs and the standard library lacks.
 */
#ifndef QUIRE_UTIL_H
#define QUIRE_UTIL_H

#include <quire/quire.h>

/*
 * Parse the whole of @text.  Return: 0; -EINVAL with a sentence in
 * quire_failure() that names @what, the text, and the range.
 */
int quire_parse_u64(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out);
int quire_parse_u32(const char *what, const char *text, uint32_t min, uint32_t max, uint32_t *out);
int quire_parse_real(const char *what, const char *text, double min, double max, double *out);

/* Equal but for case.  Names ignore case everywhere. */
bool quire_same_name(const char *a, const char *b);

/*
 * The name in @names (NULL-terminated) that @name most probably meant: one that
 * begins with it, or the least
 * edit distance, at most a third of its length, or the one it is a part of.
 * NULL if none is near.
 */
const char *quire_nearest(const char *name, const char *const *names);

#endif /* QUIRE_UTIL_H */
