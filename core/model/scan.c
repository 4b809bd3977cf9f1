/*
 * scan.c - see scan.h.
 */
#include "scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 64

void quire_scan_begin(struct quire_scan *s, const char *path, const char *part, const void *text,
		      size_t bytes)
{
	*s = (struct quire_scan){path, part, text, text, (const char *)text + bytes, true};
}

int quire_scan_fail(const struct quire_scan *s, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return quire_fail(-EINVAL, "%s: %s, byte %td: %s", s->path, s->part, s->at - s->begin,
			  what);
}

/* Step over white space.  Return: what stands there; 0: the end, or a 0. */
static char peek(struct quire_scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
	return s->at < s->end ? *s->at : 0;
}

static int expect(struct quire_scan *s, char byte)
{
	if (peek(s) != byte)
		return quire_scan_fail(s, "expected '%c'", byte);
	s->at++;
	return 0;
}

int quire_scan_open(struct quire_scan *s, char bracket)
{
	s->first = true;
	return expect(s, bracket);
}

int quire_scan_more(struct quire_scan *s, char bracket)
{
	const bool first = s->first;

	s->first = false;
	if (peek(s) == bracket) {
		s->at++;
		return 0;
	}
	if (first)
		return 1;
	if (peek(s) != ',')
		return quire_scan_fail(s, "expected ',' or '%c'", bracket);
	s->at++;
	return 1;
}

int quire_scan_end(struct quire_scan *s)
{
	peek(s);
	return s->at == s->end ? 0 : quire_scan_fail(s, "expected nothing more");
}

/* ---- strings ------------------------------------------------------------------- */

/* Four hexadecimal digits.  Return: -1: they are none. */
static int32_t hex4(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", c = at[i];
		const char *digit = strchr(digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c);

		if (!c || !digit)
			return -1;
		value = value * 16 + (int32_t)(digit - digits);
	}
	return value;
}

/* The code point of the escape at @at, behind its '\'.  Return: bytes of it; 0: it is none. */
static size_t escape(const char *at, const char *end, uint32_t *code)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	int32_t high, low;

	if (at == end || !*at)
		return 0;
	letter = strchr(letters, *at);
	if (letter) {
		*code = (uint32_t)meanings[letter - letters];
		return 1;
	}
	high = *at == 'u' ? hex4(at + 1, end) : -1;
	if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	*code = (uint32_t)high;
	if (high < 0xd800 || high > 0xdfff)
		return 5;
	if (end - at < 7 || at[5] != '\\' || at[6] != 'u')
		return 0;
	low = hex4(at + 7, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*code = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return 11;
}

/* The character at @at, as UTF-8 has it (RFC 3629).  Return: bytes of it; 0: it is none. */
static size_t character(const char *at, const char *end, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t lead = (uint8_t)*at;
	const size_t bytes = lead < 0x80		   ? 1
			     : lead >= 0xc0 && lead < 0xe0 ? 2
			     : lead >= 0xe0 && lead < 0xf0 ? 3
			     : lead >= 0xf0 && lead < 0xf8 ? 4
							   : 0;

	if (bytes == 0 || (size_t)(end - at) < bytes)
		return 0;
	*code = bytes == 1 ? lead : lead & (0x7fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if (((uint8_t)at[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | ((uint8_t)at[i] & 0x3f);
	}
	if (*code < least[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return bytes;
}

static size_t encode(uint32_t code, char out[4])
{
	const size_t bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = bytes - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(bytes == 1 ? code : (0xf00u >> bytes & 0xff) | code);
	return bytes;
}

/* @text NULL: any string, which is only checked. */
static int string(struct quire_scan *s, char *text, size_t size)
{
	const char *at;
	size_t used = 0;

	if (peek(s) != '"')
		return quire_scan_fail(s, "expected a string");
	for (at = s->at + 1; at < s->end && *at != '"';) {
		uint32_t code;
		size_t bytes;
		char utf8[4];

		if ((uint8_t)*at < 0x20)
			return quire_scan_fail(s, "a string with a control character");
		if (*at == '\\') {
			bytes = escape(at + 1, s->end, &code);
			if (!bytes)
				return quire_scan_fail(s, "a string with a wrong escape");
			at++;
		} else {
			bytes = character(at, s->end, &code);
			if (!bytes)
				return quire_scan_fail(s, "a string that is not UTF-8");
		}
		at += bytes;
		if (!text)
			continue;
		if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			return quire_scan_fail(s, "a name with a control character");
		bytes = encode(code, utf8);
		if (used + bytes >= size)
			return quire_scan_fail(s, "a name of more than %zu bytes", size - 1);
		memcpy(text + used, utf8, bytes);
		used += bytes;
	}
	if (at == s->end)
		return quire_scan_fail(s, "a string that does not end");
	if (text)
		text[used] = 0;
	s->at = at + 1;
	return 0;
}

int quire_scan_name(struct quire_scan *s, char *text, size_t size)
{
	return string(s, text, size);
}

int quire_scan_string(struct quire_scan *s)
{
	return string(s, NULL, 0);
}

int quire_scan_key(struct quire_scan *s, char *text, size_t size)
{
	int rc = string(s, text, size);

	return rc ? rc : expect(s, ':');
}

/* ---- other values -------------------------------------------------------------- */

static bool digit(const struct quire_scan *s, const char *at)
{
	return at < s->end && *at >= '0' && *at <= '9';
}

int quire_scan_u64(struct quire_scan *s, uint64_t *value)
{
	const char *at;
	uint64_t sum = 0;

	peek(s);
	at = s->at;
	for (; digit(s, at); at++) {
		const uint64_t next = (uint64_t)(*at - '0');

		if (sum > (UINT64_MAX - next) / 10)
			return quire_scan_fail(s, "a number that is too large");
		sum = sum * 10 + next;
	}
	if (at == s->at || (*s->at == '0' && at > s->at + 1) ||
	    (at < s->end && (*at == '.' || *at == 'e' || *at == 'E')))
		return quire_scan_fail(s, "expected a whole number");
	s->at = at;
	*value = sum;
	return 0;
}

static int number(struct quire_scan *s)
{
	const char *at = s->at + (*s->at == '-');
	const char *whole = at;

	while (digit(s, at))
		at++;
	if (at == whole || (*whole == '0' && at > whole + 1))
		return quire_scan_fail(s, "expected a value");
	if (at < s->end && *at == '.') {
		if (!digit(s, ++at))
			return quire_scan_fail(s, "a number without digits behind its point");
		while (digit(s, at))
			at++;
	}
	if (at < s->end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < s->end && (*at == '+' || *at == '-'))
			at++;
		if (!digit(s, at))
			return quire_scan_fail(s, "a number without digits in its exponent");
		while (digit(s, at))
			at++;
	}
	s->at = at;
	return 0;
}

static int plain(struct quire_scan *s)
{
	static const char *const words[] = {"true", "false", "null"};

	if (peek(s) == '"')
		return quire_scan_string(s);
	for (size_t i = 0; i < 3; i++) {
		const size_t length = strlen(words[i]);

		if ((size_t)(s->end - s->at) >= length && !memcmp(s->at, words[i], length)) {
			s->at += length;
			return 0;
		}
	}
	return s->at < s->end ? number(s) : quire_scan_fail(s, "expected a value");
}

int quire_scan_skip(struct quire_scan *s)
{
	char closing[DEPTH_MAX]; /* of all that is open */
	size_t depth = 0;
	int rc;

	do {
		const char c = peek(s);

		if (c == '{' || c == '[') {
			if (depth == DEPTH_MAX)
				return quire_scan_fail(s, "nested more than %d deep", DEPTH_MAX);
			closing[depth++] = c == '{' ? '}' : ']';
			quire_scan_open(s, c);
		} else if ((rc = plain(s))) {
			return rc;
		} else {
			s->first = false;
		}
		/* Close what is over; then stand before the next value. */
		while (depth > 0) {
			rc = quire_scan_more(s, closing[depth - 1]);
			if (rc < 0)
				return rc;
			if (rc > 0)
				break;
			depth--;
		}
		if (depth > 0 && closing[depth - 1] == '}' &&
		    ((rc = quire_scan_string(s)) || (rc = expect(s, ':'))))
			return rc;
	} while (depth > 0);
	return 0;
}
