/*
 * read_sharegpt.c - chats with their text: ShareGPT and what is written like it.
 *
 *	[{"id": "QWJhYvA_0", "conversations": [{"from": "human", "value": "Why ..."},
 *	                                       {"from": "gpt", "value": "Because ..."}, ...]}, ...]
 *
 * One array, or one such object a line.  A chat is one request: its first turn by a
 * person and the first answer behind it, as in the experiments of the vLLM paper
 * (Kwon et al., SOSP 2023).  A chat without these two is left out, and counted.
 *
 * Lengths are estimates, since there is no tokenizer here: a character is 1/4, 1/2,
 * 1 or 2 tokens, for 1, 2, 3 or 4 bytes of UTF-8.  Measured with the vocabularies
 * cl100k and o200k, ancestors of today's, a token of English prose is 4.0 bytes, of
 * Python 3.9, of C and JavaScript 3.4 to 3.6; a Chinese, Japanese or Korean character
 * is 0.8 to 1.2 tokens, a Russian, Greek or Arabic one 0.3 to 1.0.
 */
#include "reader.h"

#include "core/util.h"
#include <string.h>

/* The text's tokens, rounded up; 0 of an empty one. */
static uint32_t estimate(const char *text, size_t bytes)
{
	uint64_t quarters = 0;

	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x80)
			quarters += 1;
		else if (c >= 0xc0) /* the first byte of a longer one */
			quarters += c >= 0xf0 ? 8 : c >= 0xe0 ? 4 : 2;
	}
	quarters = (quarters + 3) / 4;
	return quarters < QUIRE_TOKENS_MAX ? (uint32_t)quarters : QUIRE_TOKENS_MAX;
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && !quire_same_name(name, *names))
		names++;
	return *names;
}

static bool is_first(const char *line)
{
	return *line == '{' && strstr(line, "\"conversations\"");
}

static int chat(struct quire_reader *r, const json_t *object, struct quire_row *row)
{
	static const char *const people[] = {"human", "user", NULL};
	static const char *const models[] = {"gpt",  "assistant", "chatgpt", "model",
					     "bard", "bing",	  NULL};
	const json_t *turns = json_object_get(object, "conversations"), *turn;
	size_t i;

	if (!json_is_array(turns))
		return quire_reader_wrong(r, "no array \"conversations\"",
					  "{\"conversations\": [..]}");
	json_array_foreach(turns, i, turn)
	{
		const char *from = json_string_value(json_object_get(turn, "from"));
		const json_t *value = json_object_get(turn, "value");
		uint32_t tokens;

		if (!from || !json_is_string(value))
			return quire_reader_wrong(r, from ? "no text" : "no speaker",
						  "turns as {\"from\": \"..\", \"value\": \"..\"}");
		tokens = estimate(json_string_value(value), json_string_length(value));
		if (!row->prompt_tokens && is_one_of(from, people))
			row->prompt_tokens = tokens;
		else if (row->prompt_tokens && !row->output_tokens && is_one_of(from, models))
			row->output_tokens = tokens;
	}
	row->left_out = !row->output_tokens;
	return 0;
}

const struct quire_format quire_format_sharegpt = {
	.name = "sharegpt json",
	.looks = "[{\"conversations\":[{\"from\":..,\"value\":..},..]},..]",
	.is_first = is_first,
	.object = chat,
};
