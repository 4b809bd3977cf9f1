/*
 * read_quire.c - quire's own CSV.  Without arrival_s it is a file of lengths,
 * which needs --rate; plain "prompt_tokens,output_tokens" is such a file.
 *
 * A field of an optional column may be empty: then the request has none.  Clients
 * are numbers, or all of them have names; the first row decides.
 */
#include "reader.h"

#include <stdlib.h>

static int client(struct quire_reader *r, const char *name, const char *text, struct quire_row *row)
{
	bool named = r->w->count ? r->w->client_names != NULL : (unsigned char)*text > '9';
	uint64_t number = 0;
	int rc;

	if (named)
		return quire_reader_client(r, text, &row->client);
	rc = *text ? quire_reader_count(r, name, text, 0, UINT32_MAX, &number) : 0;
	row->client = (uint32_t)number;
	return rc;
}

static int priority(struct quire_reader *r, const char *name, const char *text,
		    struct quire_row *row)
{
	bool minus = *text == '-';
	uint64_t number = 0;
	int rc = 0;

	if (*text)
		rc = quire_reader_count(r, name, text + minus, 0, INT32_MAX, &number);
	row->priority = minus ? -(int32_t)number : (int32_t)number;
	return rc;
}

static int deadline(struct quire_reader *r, const char *name, const char *text,
		    struct quire_row *row)
{
	return *text ? quire_reader_time(r, name, text, 9, &row->deadline_ns) : 0;
}

static int output_tokens_max(struct quire_reader *r, const char *name, const char *text,
			     struct quire_row *row)
{
	uint64_t tokens = UINT32_MAX;
	int rc = *text ? quire_reader_count(r, name, text, 1, QUIRE_TOKENS_MAX, &tokens) : 0;

	row->output_tokens_max = (uint32_t)tokens;
	return rc;
}

static const struct quire_column columns[] = {
	{"arrival_s", quire_column_arrival_s, false},
	{"prompt_tokens", quire_column_prompt, true},
	{"output_tokens", quire_column_output, true},
	{"client", client, false},
	{"priority", priority, false},
	{"deadline_s", deadline, false},
	{"output_tokens_max", output_tokens_max, false},
	{NULL, NULL, false},
};

const struct quire_format quire_format_quire = {
	.name = "quire csv",
	.looks = "arrival_s,prompt_tokens,output_tokens",
	.columns = columns,
};
