/*
 * tokenizer_vocab.h - the pieces of a tokenizer, by id and by text.
 *
 * Ids may have holes, but not more of them than pieces; no piece is there twice.
 */
#ifndef QUIRE_TOKENIZER_VOCAB_H
#define QUIRE_TOKENIZER_VOCAB_H

#include <quire/quire.h>

#define QUIRE_TOKEN_IDS_MAX (1u << 24)

struct quire_vocab_piece {
	const char *text; /* [bytes] and a 0; in a list by id NULL is a hole */
	uint32_t bytes;
	uint32_t id;
	bool model;   /* text may become it; false: it was added, and is found by its name only */
	bool special; /* only where the caller says so */
	/* An added token that is looked for in normalized text: 1 + its place among those.
	 * Its text is then the normalized one. */
	uint32_t normalized;
};

struct quire_vocab {
	char *store;			   /* what the texts point into */
	struct quire_vocab_piece *pieces;  /* [count] by id */
	struct quire_vocab_piece **sorted; /* [sorted_count] by text */
	uint32_t count;			   /* the largest id, and 1 */
	uint32_t sorted_count;
	uint32_t bytes_max; /* of the longest piece */
};

/*
 * Make @vocab of @count pieces, whose texts are copied; @path is for sentences.
 * Return: 0; -EINVAL an id or a text twice, or ids that are too large or too sparse;
 * -ENOMEM.
 */
int quire_vocab_make(struct quire_vocab *vocab, const char *path,
		     const struct quire_vocab_piece *list, size_t count);
void quire_vocab_free(struct quire_vocab *vocab);

/* The id of @text, or QUIRE_TOKEN_NONE. */
uint32_t quire_vocab_find(const struct quire_vocab *vocab, const char *text, size_t bytes);
/* The same, of pieces that plain text may become. */
uint32_t quire_vocab_find_plain(const struct quire_vocab *vocab, const char *text, size_t bytes);

#endif /* QUIRE_TOKENIZER_VOCAB_H */
