/*
 * bpe_make.c - what follows from a vocabulary and its merges.
 *
 * No text may be lost: a vocabulary in which a byte or a character could be without a
 * piece, and that has no token for the unknown, is refused.  And plain text never becomes
 * a special token: merges to one do not count.
 */
#include "bpe.h"

#include "tokenizer_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE QUIRE_TOKEN_NONE

/*
 * GPT-2's table: bytes that print stand for themselves, the others take the code points
 * from U+0100 on, in order.
 */
static bool prints(uint32_t byte)
{
	return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) ||
	       (byte >= 0xae && byte <= 0xff);
}

uint32_t quire_byte_char(uint8_t byte)
{
	uint32_t code = 0x100 + byte;

	if (prints(byte))
		return byte;
	if (byte > '!')
		code -= '~' - '!' + 1;
	if (byte > 0xa1)
		code -= 0xac - 0xa1 + 1;
	return code;
}

int quire_char_byte(uint32_t code)
{
	if (code < 0x100)
		return prints(code) ? (int)code : -1;
	code -= 0x100;
	if (code > ' ')
		code += '~' - '!' + 1;
	if (code > 0xa0)
		code += 0xac - 0xa1 + 1;
	return code <= 0xad ? (int)code : -1;
}

static int by_pair(const void *a, const void *b)
{
	const struct quire_merge *x = a, *y = b;

	if (x->left != y->left)
		return x->left < y->left ? -1 : 1;
	if (x->right != y->right)
		return x->right < y->right ? -1 : 1;
	return x->rank < y->rank ? 1 : -1; /* the later one comes first, and is found */
}

static int by_code(const void *a, const void *b)
{
	const struct quire_bpe_char *x = a, *y = b;

	return (x->code > y->code) - (x->code < y->code);
}

/* Return: how many are left. */
static size_t drop_special(const struct quire_bpe *bpe, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		if (!bpe->vocab->pieces[bpe->merges[i].id].special)
			bpe->merges[left++] = bpe->merges[i];
	return left;
}

static int make_merges(struct quire_bpe *bpe, size_t count)
{
	uint32_t left = 0;

	bpe->first = malloc((bpe->vocab->count + (size_t)1) * sizeof(*bpe->first));
	if (!bpe->first)
		return quire_fail(-ENOMEM, "tokenizer: out of memory");
	if (count)
		qsort(bpe->merges, count, sizeof(*bpe->merges), by_pair);
	for (size_t i = 0; i < count; i++)
		for (; left <= bpe->merges[i].left; left++)
			bpe->first[left] = (uint32_t)i;
	for (; left <= bpe->vocab->count; left++)
		bpe->first[left] = (uint32_t)count;
	return 0;
}

static int make_chars(struct quire_bpe *bpe)
{
	const struct quire_vocab *vocab = bpe->vocab;
	size_t length;

	bpe->chars = malloc(vocab->sorted_count * sizeof(*bpe->chars));
	if (!bpe->chars)
		return quire_fail(-ENOMEM, "tokenizer: out of memory");
	for (int i = 0; i < 128; i++)
		bpe->ascii[i] = NONE;
	for (uint32_t i = 0; i < vocab->sorted_count; i++) {
		const struct quire_vocab_piece *piece = vocab->sorted[i];
		uint32_t code;

		if (piece->bytes == 0 || piece->bytes > 4 ||
		    quire_utf8_next(piece->text, piece->bytes, &length) != QUIRE_UTF8_WHOLE ||
		    length != piece->bytes)
			continue;
		if (!piece->model || piece->special)
			continue;
		code = quire_utf8_code(piece->text, length);
		if (code < 128)
			bpe->ascii[code] = piece->id;
		bpe->chars[bpe->chars_count++] =
			(struct quire_bpe_char){.code = code, .id = piece->id};
	}
	qsort(bpe->chars, bpe->chars_count, sizeof(*bpe->chars), by_code);
	return 0;
}

/* Byte-level: the character of each byte; otherwise the byte's number. */
static int make_bytes(struct quire_bpe *bpe, const char *path)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		const bool in_utf8 = byte < 0xc0 || (byte > 0xc1 && byte < 0xf5);
		struct quire_text text = {.text = NULL};
		char name[8];

		snprintf(name, sizeof(name), "<0x%02X>", byte);
		if (quire_text_add_code(&text, quire_byte_char((uint8_t)byte)))
			return -ENOMEM;
		bpe->bytes[byte] =
			bpe->byte_level ? quire_vocab_find_plain(bpe->vocab, text.text, text.bytes)
					: quire_vocab_find_plain(bpe->vocab, name, strlen(name));
		quire_text_free(&text);
		if (bpe->bytes[byte] == NONE &&
		    (bpe->byte_level ? in_utf8 && bpe->unknown == NONE : bpe->byte_fallback))
			return quire_fail(-EINVAL, "%s: model: byte %s has no token", path, name);
	}
	if (!bpe->byte_level && !bpe->byte_fallback && bpe->unknown == NONE)
		return quire_fail(-EINVAL,
				  "%s: model: characters without a token would be lost: it has "
				  "neither byte_fallback nor an unk_token",
				  path);
	return 0;
}

#define SPACE "\xe2\x96\x81" /* U+2581, SentencePiece's */

static bool starts_with_space(const struct quire_vocab_piece *piece)
{
	return piece->bytes >= 3 && memcmp(piece->text, SPACE, 3) == 0;
}

static bool ends_with_space(const struct quire_vocab_piece *piece)
{
	return piece->bytes >= 3 && memcmp(piece->text + piece->bytes - 3, SPACE, 3) == 0;
}

/*
 * Where no merge joins a piece that begins with U+2581 to one that ends with something
 * else, no token reaches over such a place, and a text may be cut there.
 */
static bool splits_at_spaces(const struct quire_bpe *bpe, size_t count)
{
	const struct quire_vocab_piece *pieces = bpe->vocab->pieces;

	if (bpe->byte_level || quire_vocab_find_plain(bpe->vocab, SPACE, 3) == NONE)
		return false;
	for (size_t i = 0; i < count; i++)
		if (starts_with_space(&pieces[bpe->merges[i].right]) &&
		    !ends_with_space(&pieces[bpe->merges[i].left]))
			return false;
	return true;
}

int quire_bpe_make(struct quire_bpe *bpe, const char *path, struct quire_merge *merges,
		   size_t count)
{
	int rc;

	bpe->merges = merges;
	count = drop_special(bpe, count);
	rc = make_merges(bpe, count);
	if (rc == 0)
		rc = make_chars(bpe);
	if (rc == 0)
		rc = make_bytes(bpe, path);
	if (rc)
		quire_bpe_free(bpe);
	else
		bpe->splits_at_spaces = splits_at_spaces(bpe, count);
	return rc;
}

void quire_bpe_free(struct quire_bpe *bpe)
{
	free(bpe->merges);
	free(bpe->first);
	free(bpe->chars);
	bpe->merges = NULL;
	bpe->first = NULL;
	bpe->chars = NULL;
	bpe->chars_count = 0;
}
