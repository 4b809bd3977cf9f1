/*
 * read_azure.c - the Azure LLM inference traces of 2023 and 2024 (Patel et al.,
 * Splitwise, ISCA 2024; Stojkovic et al., DynamoLLM, HPCA 2025).
 *
 *	TIMESTAMP,ContextTokens,GeneratedTokens
 *	2023-11-16 18:17:03.9799600,4808,10
 *
 * A time stamp is a date and a time of day, with or without a fraction and a
 * zone (2024-05-10 00:00:00.009930+00:00).  The earliest row arrives at 0.
 */
#include "reader.h"

#include <errno.h>

/* Exactly @digits digits, in min .. max. */
static bool number(const char **at, int digits, int min, int max, int *out)
{
	int value = 0;

	for (; digits > 0; digits--, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*out = value;
	return value >= min && value <= max;
}

static bool one_of(const char **at, char a, char b)
{
	bool is = **at == a || **at == b;

	*at += is;
	return is;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, year >= 1970 (Hinnant,
 * "chrono-compatible low-level date algorithms", 2013). */
static int64_t days(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return 365 * (int64_t)y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static bool date_exists(int year, int month, int day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return day <= lengths[month - 1] + (month == 2 && leap);
}

static bool parse(const char *at, uint64_t *out_ns)
{
	int year, month, day, hour, minute, second, zone_hour = 0, zone_minute = 0, zone_sign = 0;
	int64_t ns = 0, unit = 100000000, seconds;

	if (!number(&at, 4, 1970, 2200, &year) || !one_of(&at, '-', '/') ||
	    !number(&at, 2, 1, 12, &month) || !one_of(&at, '-', '/') ||
	    !number(&at, 2, 1, 31, &day) || !one_of(&at, ' ', 'T') ||
	    !number(&at, 2, 0, 23, &hour) || !one_of(&at, ':', ':') ||
	    !number(&at, 2, 0, 59, &minute) || !one_of(&at, ':', ':') ||
	    !number(&at, 2, 0, 59, &second) || !date_exists(year, month, day))
		return false;
	if (one_of(&at, '.', '.')) {
		if (*at < '0' || *at > '9')
			return false;
		for (; *at >= '0' && *at <= '9'; at++, unit /= 10)
			ns += (*at - '0') * unit;
	}
	if (*at == '+' || *at == '-') {
		zone_sign = *at++ == '+' ? 1 : -1;
		if (!number(&at, 2, 0, 14, &zone_hour) || !one_of(&at, ':', ':') ||
		    !number(&at, 2, 0, 59, &zone_minute))
			return false;
	} else {
		one_of(&at, 'Z', 'Z');
	}
	seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second -
		  zone_sign * (zone_hour * 60 + zone_minute) * 60;
	if (*at || seconds < 0)
		return false;
	*out_ns = (uint64_t)seconds * 1000000000u + (uint64_t)ns;
	return true;
}

static int timestamp(struct quire_reader *r, const char *name, const char *text,
		     struct quire_row *row)
{
	row->arrival_known = true;
	if (!parse(text, &row->arrival_ns))
		return quire_reader_wrong(r, text, "%s as 2023-11-16 18:17:03.9799600", name);
	return 0;
}

static const struct quire_column columns[] = {
	{"TIMESTAMP", timestamp, true},
	{"ContextTokens", quire_column_prompt, true},
	{"GeneratedTokens", quire_column_output, true},
	{NULL, NULL, false},
};

const struct quire_format quire_format_azure = {
	.name = "azure csv",
	.looks = "TIMESTAMP,ContextTokens,GeneratedTokens",
	.from_earliest = true,
	.columns = columns,
};
