/*
 * tokenizers.c - see tokenizers.h.
 */
#include "tokenizers.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURES QUIRE_SOURCE_DIR "/tests/fixtures/tokenizers/"

const char *const families[FAMILIES] = {"gpt2",	   "llama3",	"qwen2", "llama2",
					"mistral", "metaspace", "smol",	 "added"};

json_t *load(const char *name)
{
	json_error_t error;
	char path[512];
	json_t *json;

	snprintf(path, sizeof(path), FIXTURES "%s", name);
	json = json_load_file(path, JSON_ALLOW_NUL, &error);
	if (!json)
		ck_abort_msg("%s:%d: %s", path, error.line, error.text);
	return json;
}

json_t *load_of(const char *family, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", family, name);
	return load(path);
}

struct quire_tokenizer *open_family(const char *family)
{
	struct quire_tokenizer *t;
	char path[512];

	snprintf(path, sizeof(path), FIXTURES "%s", family);
	if (quire_tokenizer_open(&t, path))
		ck_abort_msg("%s", quire_failure());
	return t;
}

struct quire_text bytes_of(const json_t *latin)
{
	const char *text = json_string_value(latin);
	const size_t bytes = json_string_length(latin);
	struct quire_text out = {.text = NULL};
	size_t length;

	for (size_t at = 0; at < bytes; at += length) {
		char byte;

		quire_utf8_next(text + at, bytes - at, &length);
		byte = (char)quire_utf8_code(text + at, length);
		ck_assert(quire_text_add(&out, &byte, 1) == 0);
	}
	return out;
}

uint64_t seed(void)
{
	const char *text = getenv("QUIRE_TEST_SEED");

	return text ? strtoull(text, NULL, 10) : 20240229;
}

uint32_t chance(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*state >> 33) % below);
}

void same_ids(const char *what, size_t index, const struct quire_tokens *have, const json_t *want)
{
	const size_t count = json_array_size(want);

	for (size_t i = 0; i < count && i < have->count; i++)
		if (have->ids[i] != json_integer_value(json_array_get(want, i)))
			ck_abort_msg("%s %zu: token %zu is %u, expected %d", what, index, i,
				     have->ids[i],
				     (int)json_integer_value(json_array_get(want, i)));
	if (have->count != count)
		ck_abort_msg("%s %zu: %zu tokens, expected %zu", what, index, have->count, count);
}

void same_text(const char *what, size_t index, const struct quire_text *have, const json_t *want)
{
	if (have->bytes != json_string_length(want) ||
	    (have->bytes && memcmp(have->text, json_string_value(want), have->bytes) != 0))
		ck_abort_msg("%s %zu: '%.*s', expected '%s'", what, index, (int)have->bytes,
			     have->text ? have->text : "", json_string_value(want));
}
