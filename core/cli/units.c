/*
 * units.c - figures as people read them.
 */
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct quire_small_text quire_text_count(uint64_t count)
{
	char digits[24];
	struct quire_small_text text;
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
	char *to = text.s;

	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = 0;
	return text;
}

/* @value, which is below 1000, with @digits that count. */
static void put_digits(struct quire_small_text *text, double value, int digits, const char *unit)
{
	int places = digits - (value >= 99.9995 ? 3 : value >= 9.99995 ? 2 : 1);

	if (places < 0)
		places = 0;
	snprintf(text->s, sizeof(text->s), "%.*f%s%s", places, value, *unit ? " " : "", unit);
}

struct quire_small_text quire_text_si(double value, int digits, const char *unit)
{
	static const char prefixes[] = "\0kMGTPE";
	struct quire_small_text text;
	char whole[16];
	int i = 0;

	while (value >= 999.9995 && prefixes[i + 1]) {
		value /= 1000;
		i++;
	}
	if (i)
		snprintf(whole, sizeof(whole), "%c%.12s", prefixes[i], unit);
	else
		snprintf(whole, sizeof(whole), "%.14s", unit);
	put_digits(&text, value, digits, whole);
	return text;
}

struct quire_small_text quire_text_seconds(double seconds)
{
	struct quire_small_text text;

	if (seconds >= 0.9995)
		put_digits(&text, seconds, 3, "s");
	else if (seconds >= 0.9995e-3)
		put_digits(&text, seconds * 1e3, 3, "ms");
	else
		put_digits(&text, seconds * 1e6, 3, "us");
	return text;
}

struct quire_small_text quire_text_rate(double per_s)
{
	struct quire_small_text text;

	if (per_s >= 99.95)
		return quire_text_count((uint64_t)llround(per_s));
	put_digits(&text, per_s, 3, "");
	return text;
}
