/*
 * fields.c - the fields of a line: strict numbers, and the sentence that says what
 * is wrong; see reader.h.
 *
 * Numbers are read by hand: strtod() would cost more than all the rest, would
 * round "0.1" before it becomes nanoseconds, and would take "nan" and "0x1p3".
 */
#include "reader.h"

#include "core/util.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The length of the UTF-8 character at @s; 0 if it is none, or not for a terminal. */
static size_t character(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t length = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xc2) || c > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* The first part of @text, fit to be shown. */
static void show(char *out, size_t size, const char *text)
{
	size_t used = 0;

	while (*text && used + 8 < size) {
		size_t length = character(text);

		if (length == 0) {
			out[used++] = *text == '\t' ? ' ' : '?';
			text++;
			continue;
		}
		memcpy(out + used, text, length);
		used += length;
		text += length;
	}
	memcpy(out + used, *text ? "..." : "", *text ? 4 : 1);
}

int quire_reader_wrong(const struct quire_reader *r, const char *found, const char *expected, ...)
{
	char what[512], shown[64];
	va_list args;

	va_start(args, expected);
	vsnprintf(what, sizeof(what), expected, args);
	va_end(args);
	show(shown, sizeof(shown), found);
	return quire_fail(-EINVAL, "%s:%llu: expected %s, found '%s'", quire_lines_path(r->lines),
			  (unsigned long long)quire_lines_number(r->lines), what, shown);
}

/*
 * Digits, and a fraction, as a whole number of 10^-digits, rounded half up.
 * False if it is not a plain decimal number, or too large for @max.
 */
static bool decimal(const char *text, int digits, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	bool up = false;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (value > max / 10)
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	if (*text == '.') {
		text++;
		if (*text < '0' || *text > '9')
			return false;
	}
	for (; digits > 0; digits--) {
		if (value > max / 10)
			return false;
		value *= 10;
		if (*text >= '0' && *text <= '9')
			value += (uint64_t)(*text++ - '0');
	}
	if (*text >= '5' && *text <= '9')
		up = true;
	while (*text >= '0' && *text <= '9')
		text++;
	*out = value + up;
	return *text == 0 && *out <= max;
}

int quire_reader_count(const struct quire_reader *r, const char *name, const char *text,
		       uint64_t min, uint64_t max, uint64_t *out)
{
	const char *point = strchr(text, '.');
	bool whole = !point || (point[1] && strspn(point + 1, "0") == strlen(point + 1));

	if (!whole || !decimal(text, 0, max, out) || *out < min)
		return quire_reader_wrong(r, text, "%s, a whole number from %llu to %llu", name,
					  (unsigned long long)min, (unsigned long long)max);
	return 0;
}

int quire_reader_time(const struct quire_reader *r, const char *name, const char *text, int digits,
		      uint64_t *out_ns)
{
	double unit_ns = digits == 9 ? 1e9 : 1e6;

	if (decimal(text, digits, QUIRE_ARRIVAL_MAX, out_ns))
		return 0;
	/* Programs write small numbers as 3.1e-05. */
	if (*text >= '0' && *text <= '9' && strspn(text, "0123456789.eE+-") == strlen(text)) {
		char *end;
		double value = strtod(text, &end) * unit_ns;

		if (*end == 0 && value <= (double)QUIRE_ARRIVAL_MAX) {
			*out_ns = (uint64_t)(value + 0.5);
			return 0;
		}
	}
	return quire_reader_wrong(r, text, "%s, %s from 0 to %g", name,
				  digits == 9 ? "seconds" : "milliseconds",
				  (double)QUIRE_ARRIVAL_MAX / unit_ns);
}

int quire_column_prompt(struct quire_reader *r, const char *name, const char *text,
			struct quire_row *row)
{
	uint64_t tokens = 0;
	int rc = quire_reader_count(r, name, text, 1, QUIRE_TOKENS_MAX, &tokens);

	row->prompt_tokens = (uint32_t)tokens;
	return rc;
}

int quire_column_output(struct quire_reader *r, const char *name, const char *text,
			struct quire_row *row)
{
	uint64_t tokens = 0;
	int rc = quire_reader_count(r, name, text, 1, QUIRE_TOKENS_MAX, &tokens);

	row->output_tokens = (uint32_t)tokens;
	return rc;
}

int quire_column_arrival_s(struct quire_reader *r, const char *name, const char *text,
			   struct quire_row *row)
{
	row->arrival_known = true;
	return quire_reader_time(r, name, text, 9, &row->arrival_ns);
}
