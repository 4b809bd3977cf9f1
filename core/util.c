/*
 * util.c - failure sentences, strict number parsing, near names.
 */
#include "util.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static _Thread_local char sentence[1024];

int quire_fail(int rc, const char *format, ...)
{
	char next[sizeof(sentence)]; /* the last sentence may be an argument */
	va_list args;

	va_start(args, format);
	vsnprintf(next, sizeof(next), format, args);
	va_end(args);
	for (char *c = next; *c; c++) /* a user's text may hold anything; one line stays one */
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	memcpy(sentence, next, sizeof(next));
	return rc;
}

const char *quire_failure(void)
{
	return sentence;
}

int quire_parse_u64(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || value < min || value > max)
		return quire_fail(-EINVAL,
				  "%s: expected a whole number from %llu to %llu, found '%s'", what,
				  (unsigned long long)min, (unsigned long long)max, text);
	*out = value;
	return 0;
}

int quire_parse_u32(const char *what, const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;
	int rc = quire_parse_u64(what, text, min, max, &value);

	if (rc == 0)
		*out = (uint32_t)value;
	return rc;
}

int quire_parse_real(const char *what, const char *text, double min, double max, double *out)
{
	double value;
	char *end;

	errno = 0;
	value = strtod(text, &end);
	if (end == text || isspace((unsigned char)*text) || *end || errno || !isfinite(value) ||
	    value < min || value > max)
		return quire_fail(-EINVAL, "%s: expected a number from %g to %g, found '%s'", what,
				  min, max, text);
	*out = value;
	return 0;
}

bool quire_same_name(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

/*
 * Edits from @a to @b, ignoring case: insert, delete, replace, or swap two
 * neighbours (Damerau, in its restricted form).  Names are short.
 */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][65], b_length = strlen(b), best;

	if (b_length > 64)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_length; j++)
		row[0][j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t *two_up = row[(i + 2) % 3], *up = row[i % 3], *now = row[(i + 1) % 3];

		now[0] = i + 1;
		for (size_t j = 0; j < b_length; j++) {
			int x = tolower((unsigned char)a[i]), y = tolower((unsigned char)b[j]);

			best = up[j] + (x != y);
			if (up[j + 1] + 1 < best)
				best = up[j + 1] + 1;
			if (now[j] + 1 < best)
				best = now[j] + 1;
			if (i && j && x == tolower((unsigned char)b[j - 1]) &&
			    y == tolower((unsigned char)a[i - 1]) && two_up[j - 1] + 1 < best)
				best = two_up[j - 1] + 1;
			now[j + 1] = best;
		}
	}
	return row[strlen(a) % 3][b_length];
}

static bool contains(const char *long_name, const char *part)
{
	size_t length = strlen(part);

	for (; *long_name; long_name++)
		if (!strncasecmp(long_name, part, length))
			return true;
	return false;
}

const char *quire_nearest(const char *name, const char *const *names)
{
	size_t limit = strlen(name) / 3 + 1, best = limit + 1;
	const char *nearest = NULL;

	for (const char *const *n = names; *n; n++)
		if (strlen(name) >= 3 && !strncasecmp(*n, name, strlen(name)))
			return *n; /* it was cut short */
	for (const char *const *n = names; *n; n++) {
		size_t d = distance(name, *n);

		if (d < best) {
			best = d;
			nearest = *n;
		}
	}
	for (const char *const *n = names; *n && !nearest && strlen(name) >= 3; n++)
		if (contains(*n, name) || contains(name, *n))
			nearest = *n;
	return nearest;
}
