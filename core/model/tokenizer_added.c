/*
 * tokenizer_added.c - finding added tokens in a text.
 *
 * At each place the longest of them is found.  A special one where special tokens do not
 * count is passed over, with its whole text, as the tokenizers library does with its
 * encode_special_tokens; and so is a single word that is part of a longer one.
 */
#include "tokenizer_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static int compare(const void *a, const void *b)
{
	const struct quire_added *x = a, *y = b;
	int order = memcmp(x->text, y->text, x->bytes < y->bytes ? x->bytes : y->bytes);

	return order ? order : (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

int quire_added_make(struct quire_added_set *set, const char *path)
{
	size_t next = 0;

	if (set->count)
		qsort(set->list, set->count, sizeof(*set->list), compare);
	for (size_t i = 1; i < set->count; i++)
		if (compare(&set->list[i - 1], &set->list[i]) == 0)
			return quire_fail(-EINVAL, "%s: added token '%.*s' is there twice", path,
					  (int)(set->list[i].bytes < 60 ? set->list[i].bytes : 60),
					  set->list[i].text);
	for (int byte = 0; byte <= 256; byte++) {
		while (next < set->count && (uint8_t)set->list[next].text[0] < byte)
			next++;
		set->first[byte] = next;
	}
	return 0;
}

/* The first of list[low..high) whose byte @at is @byte or more. */
static size_t bound(const struct quire_added_set *set, size_t low, size_t high, size_t at,
		    unsigned byte)
{
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if ((uint8_t)set->list[middle].text[at] < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The longest that @text begins with, or NULL. */
static const struct quire_added *longest(const struct quire_added_set *set, const char *text,
					 size_t bytes)
{
	const struct quire_added *found = NULL;
	size_t low = set->first[(uint8_t)*text], high = set->first[(uint8_t)*text + 1];

	for (size_t at = 1; low < high; at++) {
		/* All of list[low..high) begin with text[0..at); the shortest come first. */
		if (set->list[low].bytes == at)
			found = &set->list[low++];
		if (at == bytes)
			break;
		low = bound(set, low, high, at, (uint8_t)text[at]);
		high = bound(set, low, high, at, (uint8_t)text[at] + 1u);
	}
	return found;
}

/* Letters, marks, digits, connectors and joiners: \w of Rust's regex. */
static bool is_word(uint32_t code)
{
	switch (utf8proc_category((int32_t)code)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_PC:
		return true;
	default: /* the joiners, and letters in circles and squares, which are alphabetic */
		return code == 0x200c || code == 0x200d || (code >= 0x24b6 && code <= 0x24e9) ||
		       (code >= 0x1f130 && code <= 0x1f149) ||
		       (code >= 0x1f150 && code <= 0x1f169) || (code >= 0x1f170 && code <= 0x1f189);
	}
}

/* White_Space */
static bool is_space(uint32_t code)
{
	return (code >= 0x09 && code <= 0x0d) || code == 0x20 || code == 0x85 || code == 0xa0 ||
	       code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
	       code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

static uint32_t code_at(const struct quire_search *s, size_t at, size_t *length)
{
	quire_utf8_next(s->text + at, s->end - at, length);
	return quire_utf8_code(s->text + at, *length);
}

static bool stands_alone(const struct quire_search *s, size_t begin, size_t end)
{
	size_t length;

	if (begin > s->begin && is_word(code_at(s, quire_utf8_before(s->text, begin), &length)))
		return false;
	return end == s->end || !is_word(code_at(s, end, &length));
}

static void strip(const struct quire_search *s, const struct quire_added *token,
		  struct quire_found *found)
{
	size_t length;

	while (token->lstrip && found->begin > s->begin && found->begin > s->done) {
		const size_t before = quire_utf8_before(s->text, found->begin);

		if (before < s->done || !is_space(code_at(s, before, &length)))
			break;
		found->begin = before;
	}
	while (token->rstrip && found->end < s->end && is_space(code_at(s, found->end, &length)))
		found->end += length;
}

bool quire_added_next(struct quire_search *s, struct quire_found *found)
{
	const struct quire_added_set *set = s->set;

	if (set->count == 0)
		return false;
	while (s->at < s->end) {
		const uint8_t byte = (uint8_t)s->text[s->at];
		const struct quire_added *token = NULL;
		size_t limit, begin = s->at;

		while (s->runs->end <= begin)
			s->runs++;
		limit = s->runs->end < s->end ? s->runs->end : s->end;
		if (set->first[byte] < set->first[byte + 1])
			token = longest(set, s->text + begin, limit - begin);
		if (!token) {
			s->at++;
			continue;
		}
		s->at += token->bytes;
		if ((token->special && !s->runs->special) ||
		    (token->single_word && !stands_alone(s, begin, s->at)))
			continue;
		*found = (struct quire_found){.begin = begin, .end = s->at, .id = token->id};
		strip(s, token, found);
		s->done = found->end;
		return true;
	}
	return false;
}
