/*
 * json_line.c - the scanner of json_line.h.
 */
#include "json_line.h"

#include <errno.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void blanks(struct quire_json *j)
{
	while (*j->at == ' ' || *j->at == '\t')
		j->at++;
}

/* Is @c next?  Then step over it and the blanks around it. */
static bool next(struct quire_json *j, char c)
{
	blanks(j);
	if (*j->at != c)
		return false;
	j->at++;
	blanks(j);
	return true;
}

int quire_json_key(struct quire_json *j, char key[QUIRE_JSON_TEXT])
{
	size_t length;

	if (!j->inside && !next(j, '{'))
		return quire_reader_wrong(j->r, j->at, "a JSON object");
	if (next(j, '}')) {
		if (*j->at)
			return quire_reader_wrong(j->r, j->at, "one JSON object a line");
		return 0;
	}
	if (j->inside && !next(j, ','))
		return quire_reader_wrong(j->r, j->at, "',' or '}'");
	j->inside = true;
	length = *j->at == '"' ? strcspn(j->at + 1, "\"\\") : 0;
	if (*j->at != '"' || j->at[length + 1] != '"' || length >= QUIRE_JSON_TEXT)
		return quire_reader_wrong(j->r, j->at, "a key in quotes");
	memcpy(key, j->at + 1, length);
	key[length] = 0;
	j->at += length + 2;
	if (!next(j, ':'))
		return quire_reader_wrong(j->r, j->at, "':' behind \"%s\"", key);
	return 1;
}

int quire_json_number(struct quire_json *j, char text[QUIRE_JSON_TEXT])
{
	const char *from = j->at, *at = from + (*from == '-');
	size_t length;

	if (!is_digit(*at) || (*at == '0' && is_digit(at[1])))
		return quire_reader_wrong(j->r, from, "a number");
	length = strspn(from, "0123456789.eE+-");
	if (length >= QUIRE_JSON_TEXT)
		return quire_reader_wrong(j->r, from, "a number");
	memcpy(text, from, length);
	text[length] = 0;
	j->at += length;
	return 0;
}

int quire_json_string(struct quire_json *j)
{
	const char *from = j->at;

	if (*j->at++ != '"')
		return quire_reader_wrong(j->r, from, "a string");
	while (*j->at && *j->at != '"')
		j->at += 1 + (*j->at == '\\' && j->at[1]);
	if (*j->at != '"')
		return quire_reader_wrong(j->r, from, "a string that ends");
	j->at++;
	return 0;
}

int quire_json_array(struct quire_json *j, int (*each)(struct quire_reader *r, uint64_t number))
{
	if (!next(j, '['))
		return quire_reader_wrong(j->r, j->at, "an array");
	if (next(j, ']'))
		return 0;
	do {
		const char *from = j->at;
		uint64_t number = 0;
		int rc;

		for (; is_digit(*j->at); j->at++) {
			uint64_t d = (uint64_t)(*j->at - '0');

			if (number > (UINT64_MAX - d) / 10)
				return quire_reader_wrong(j->r, from, "a number below 2^64");
			number = number * 10 + d;
		}
		if (j->at == from)
			return quire_reader_wrong(j->r, from, "a whole number from 0");
		rc = each(j->r, number);
		if (rc < 0)
			return rc;
	} while (next(j, ','));
	if (!next(j, ']'))
		return quire_reader_wrong(j->r, j->at, "',' or ']'");
	return 0;
}
