/*
 * tokenizer_text.h - UTF-8, and lists that grow; for the files of the tokenizer.
 */
#ifndef QUIRE_TOKENIZER_TEXT_H
#define QUIRE_TOKENIZER_TEXT_H

#include "tokenizer.h"

enum quire_utf8 {
	QUIRE_UTF8_WHOLE, /* a character */
	QUIRE_UTF8_CUT,	  /* the text ends within what may be one */
	QUIRE_UTF8_BAD,	  /* none begins like this */
};

#define QUIRE_UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/*
 * What does @text, of @bytes > 0 bytes, begin with?  @length is that of the character,
 * or of the longest part of one that is there (Unicode 15, table 3-7), at least 1.
 */
enum quire_utf8 quire_utf8_next(const char *text, size_t bytes, size_t *length);
/* The code point of a whole character of @length bytes. */
uint32_t quire_utf8_code(const char *text, size_t length);
/* Where the character before @at begins, in text that is UTF-8; @at > 0. */
size_t quire_utf8_before(const char *text, size_t at);
bool quire_utf8_valid(const char *text, size_t bytes);

/* Append.  Return: 0; -ENOMEM, with a sentence. */
int quire_text_add(struct quire_text *out, const char *text, size_t bytes);
/* The same, with U+FFFD for what is not UTF-8. */
int quire_text_add_utf8(struct quire_text *out, const char *text, size_t bytes);
/* The character of a code point. */
int quire_text_add_code(struct quire_text *out, uint32_t code);
int quire_tokens_add(struct quire_tokens *out, uint32_t id);

/* Make @list, of elements of @size bytes, hold @count of them; its room grows by half at
 * least.  Return: 0; -ENOMEM, with a sentence. */
int quire_grow(void **list, size_t *room, size_t count, size_t size);

#endif /* QUIRE_TOKENIZER_TEXT_H */
