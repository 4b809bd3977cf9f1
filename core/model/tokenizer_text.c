/*
 * tokenizer_text.c - UTF-8, and lists that grow.
 */
#include "tokenizer_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The bytes that may follow a first one: how many, and the range of the first of them. */
static size_t follow(uint8_t first, uint8_t *low, uint8_t *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	if (first == 0xe0)
		*low = 0xa0; /* shorter forms */
	else if (first == 0xed)
		*high = 0x9f; /* surrogates */
	else if (first == 0xf0)
		*low = 0x90;
	else if (first == 0xf4)
		*high = 0x8f; /* beyond U+10FFFF */
	return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

enum quire_utf8 quire_utf8_next(const char *text, size_t bytes, size_t *length)
{
	const uint8_t *at = (const uint8_t *)text;
	uint8_t low, high;
	size_t more;

	*length = 1;
	if (at[0] < 0x80)
		return QUIRE_UTF8_WHOLE;
	more = follow(at[0], &low, &high);
	if (more == 0)
		return QUIRE_UTF8_BAD;
	for (; *length <= more; (*length)++) {
		if (*length == bytes)
			return QUIRE_UTF8_CUT;
		if (at[*length] < low || at[*length] > high)
			return QUIRE_UTF8_BAD;
		low = 0x80;
		high = 0xbf;
	}
	return QUIRE_UTF8_WHOLE;
}

uint32_t quire_utf8_code(const char *text, size_t length)
{
	const uint8_t *at = (const uint8_t *)text;
	uint32_t code;

	if (length == 1)
		return at[0];
	code = at[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++)
		code = code << 6 | (at[i] & 0x3fu);
	return code;
}

size_t quire_utf8_before(const char *text, size_t at)
{
	do
		at--;
	while (at > 0 && ((uint8_t)text[at] & 0xc0) == 0x80);
	return at;
}

/* How many bytes at the beginning are ASCII. */
static size_t ascii(const char *text, size_t bytes)
{
	size_t at = 0;
	uint64_t word;

	for (; at + sizeof(word) <= bytes; at += sizeof(word)) {
		memcpy(&word, text + at, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (at < bytes && (uint8_t)text[at] < 0x80)
		at++;
	return at;
}

/* How many bytes at the beginning are UTF-8. */
static size_t valid(const char *text, size_t bytes)
{
	size_t at = 0, length;

	while (at < bytes && (at += ascii(text + at, bytes - at)) < bytes) {
		if (quire_utf8_next(text + at, bytes - at, &length) != QUIRE_UTF8_WHOLE)
			break;
		at += length;
	}
	return at;
}

bool quire_utf8_valid(const char *text, size_t bytes)
{
	return valid(text, bytes) == bytes;
}

int quire_grow(void **list, size_t *room, size_t count, size_t size)
{
	size_t wanted = *room + *room / 2;
	void *grown;

	if (count <= *room)
		return 0;
	wanted = wanted < count ? count : wanted;
	wanted = wanted < 16 ? 16 : wanted;
	grown = wanted < SIZE_MAX / size ? realloc(*list, wanted * size) : NULL;
	if (!grown)
		return quire_fail(-ENOMEM, "tokenizer: out of memory");
	*list = grown;
	*room = wanted;
	return 0;
}

int quire_text_add(struct quire_text *out, const char *text, size_t bytes)
{
	void *list = out->text;
	int rc = quire_grow(&list, &out->room, out->bytes + bytes, 1);

	if (rc)
		return rc;
	out->text = list;
	if (bytes)
		memcpy(out->text + out->bytes, text, bytes);
	out->bytes += bytes;
	return 0;
}

int quire_text_add_utf8(struct quire_text *out, const char *text, size_t bytes)
{
	size_t length;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < bytes; at += length) {
		length = valid(text + at, bytes - at);
		if (length) {
			rc = quire_text_add(out, text + at, length);
			continue;
		}
		quire_utf8_next(text + at, bytes - at, &length);
		rc = quire_text_add(out, QUIRE_UTF8_REPLACEMENT, 3);
	}
	return rc;
}

int quire_text_add_code(struct quire_text *out, uint32_t code)
{
	const int length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	char text[4] = {(char)code};

	if (length > 1)
		text[0] = (char)(0xf00u >> length | code >> 6 * (length - 1));
	for (int i = 1; i < length; i++)
		text[i] = (char)(0x80 | (code >> 6 * (length - 1 - i) & 0x3f));
	return quire_text_add(out, text, (size_t)length);
}

int quire_tokens_add(struct quire_tokens *out, uint32_t id)
{
	void *list = out->ids;
	int rc = quire_grow(&list, &out->room, out->count + 1, sizeof(*out->ids));

	out->ids = list;
	if (rc == 0)
		out->ids[out->count++] = id;
	return rc;
}

void quire_text_free(struct quire_text *text)
{
	free(text->text);
	*text = (struct quire_text){.text = NULL};
}

void quire_tokens_free(struct quire_tokens *tokens)
{
	free(tokens->ids);
	*tokens = (struct quire_tokens){.ids = NULL};
}
