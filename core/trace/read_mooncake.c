/*
 * read_mooncake.c - the traces of Mooncake (Qin et al., FAST 2025): JSON lines.
 *
 *	{"timestamp": 27000, "input_length": 6955, "output_length": 52,
 *	 "hash_ids": [46, 47, 48, ...]}
 *
 * Time is in milliseconds from the start.  A hash stands for 512 tokens of the
 * prompt and all tokens before them: equal hashes are equal prefixes.
 */
#include "json_line.h"

#include <string.h>

static bool is_first(const char *line)
{
	return *line == '{' && strstr(line, "\"timestamp\"") && strstr(line, "\"input_length\"") &&
	       strstr(line, "\"output_length\"") && !strstr(line, "\"chat_id\"");
}

static int request(struct quire_reader *r, const char *line, struct quire_row *row)
{
	enum { TIMESTAMP = 1, INPUT = 2, OUTPUT = 4, HASHES = 8 };
	struct quire_json j = {.r = r, .at = line};
	char key[QUIRE_JSON_TEXT], text[QUIRE_JSON_TEXT];
	unsigned int seen = 0, now;
	int rc;

	while ((rc = quire_json_key(&j, key)) > 0) {
		now = !strcmp(key, "timestamp")	      ? TIMESTAMP
		      : !strcmp(key, "input_length")  ? INPUT
		      : !strcmp(key, "output_length") ? OUTPUT
		      : !strcmp(key, "hash_ids")      ? HASHES
						      : 0;
		if (!now)
			return quire_reader_wrong(r, key,
						  "timestamp, input_length, output_length and "
						  "hash_ids alone");
		if (seen & now)
			return quire_reader_wrong(r, key, "each key once");
		seen |= now;
		rc = now == HASHES ? quire_json_array(&j, quire_reader_hash)
				   : quire_json_number(&j, text);
		if (rc == 0 && now == TIMESTAMP)
			rc = quire_reader_time(r, key, text, 6, &row->arrival_ns);
		if (rc == 0 && now == INPUT)
			rc = quire_column_prompt(r, key, text, row);
		if (rc == 0 && now == OUTPUT)
			rc = quire_column_output(r, key, text, row);
		if (rc < 0)
			return rc;
	}
	if (rc == 0 && (seen | HASHES) != (TIMESTAMP | INPUT | OUTPUT | HASHES))
		return quire_reader_wrong(r, line, "timestamp, input_length and output_length");
	row->arrival_known = true;
	return rc;
}

const struct quire_format quire_format_mooncake = {
	.name = "mooncake jsonl",
	.looks = "{\"timestamp\":..,\"input_length\":..,\"output_length\":..}",
	.hash_tokens = 512,
	.is_first = is_first,
	.line = request,
};
