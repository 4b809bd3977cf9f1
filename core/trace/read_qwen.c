/*
 * read_qwen.c - the Qwen-Bailian traces (Wang et al., "KVCache cache in the wild",
 * USENIX ATC 2025): JSON lines.
 *
 *	{"chat_id": 159, "parent_chat_id": 55, "timestamp": 61.114,
 *	 "input_length": 521, "output_length": 132, "type": "text", "turn": 2,
 *	 "hash_ids": [1089, 1090, 1091, ...]}
 *
 * Time is in seconds from the start.  A hash stands for 16 tokens of the prompt.
 * Which request follows which (parent_chat_id, turn) is checked and not used: each
 * arrives when the trace says.  An output_length of 0 is a request that failed; it
 * is left out, and counted.
 */
#include "json_line.h"

#include <string.h>

enum { CHAT, PARENT, TIMESTAMP, INPUT, OUTPUT, TYPE, TURN, HASHES, KEYS };

static const char *const keys[KEYS] = {"chat_id",      "parent_chat_id", "timestamp",
				       "input_length", "output_length",	 "type",
				       "turn",	       "hash_ids"};

static bool is_first(const char *line)
{
	return *line == '{' && strstr(line, "\"chat_id\"") && strstr(line, "\"input_length\"") &&
	       strstr(line, "\"output_length\"");
}

static int output(struct quire_reader *r, const char *text, struct quire_row *row)
{
	uint64_t tokens = 0;
	int rc = quire_reader_count(r, keys[OUTPUT], text, 0, QUIRE_TOKENS_MAX, &tokens);

	row->output_tokens = (uint32_t)tokens;
	row->left_out = tokens == 0;
	return rc;
}

/* Step over the value of @key, and take it if it is for us. */
static int value(struct quire_json *j, int key, struct quire_row *row)
{
	char text[QUIRE_JSON_TEXT];
	int rc;

	if (key == TYPE)
		return quire_json_string(j);
	if (key == HASHES)
		return quire_json_array(j, quire_reader_hash);
	rc = quire_json_number(j, text);
	if (rc < 0)
		return rc;
	if (key == TIMESTAMP)
		return quire_reader_time(j->r, keys[key], text, 9, &row->arrival_ns);
	if (key == INPUT)
		return quire_column_prompt(j->r, keys[key], text, row);
	return key == OUTPUT ? output(j->r, text, row) : 0;
}

static int request(struct quire_reader *r, const char *line, struct quire_row *row)
{
	const unsigned int needed = 1u << TIMESTAMP | 1u << INPUT | 1u << OUTPUT;
	struct quire_json j = {.r = r, .at = line};
	char key[QUIRE_JSON_TEXT];
	unsigned int seen = 0;
	int rc;

	while ((rc = quire_json_key(&j, key)) > 0) {
		int now = 0;

		while (now < KEYS && strcmp(key, keys[now]))
			now++;
		if (now == KEYS)
			return quire_reader_wrong(r, key,
						  "chat_id, parent_chat_id, timestamp, "
						  "input_length, output_length, type, turn and "
						  "hash_ids alone");
		if (seen & 1u << now)
			return quire_reader_wrong(r, key, "each key once");
		seen |= 1u << now;
		rc = value(&j, now, row);
		if (rc < 0)
			return rc;
	}
	if (rc == 0 && (seen & needed) != needed)
		return quire_reader_wrong(r, line, "timestamp, input_length and output_length");
	row->arrival_known = true;
	return rc;
}

const struct quire_format quire_format_qwen = {
	.name = "qwen jsonl",
	.looks = "{\"chat_id\":..,\"timestamp\":..,\"input_length\":..,\"output_length\":..}",
	.hash_tokens = 16,
	.is_first = is_first,
	.line = request,
};
