/*
 * bpe.h - byte pair encoding: a word's characters, merged pair by pair.
 *
 * A word begins as a list of symbols: its bytes (byte-level), or its characters.  Of all
 * neighbours that have a merge, those with the least rank are merged, the leftmost of
 * them first, until none has one (Sennrich et al., 2016, arXiv 1508.07909).
 *
 * With a heap of the neighbours that takes n log n for n symbols and 36 bytes a symbol.
 */
#ifndef QUIRE_BPE_H
#define QUIRE_BPE_H

#include "tokenizer.h"
#include "tokenizer_vocab.h"

struct quire_merge {
	uint32_t left, right; /* ids */
	uint32_t rank;	      /* less is earlier */
	uint32_t id;	      /* of what they become */
};

struct quire_bpe_char {
	uint32_t code; /* code point */
	uint32_t id;
};

struct quire_bpe {
	const struct quire_vocab *vocab;
	struct quire_merge *merges;   /* by (left, right) */
	uint32_t *first;	      /* [vocab->count + 1] where merges of a left one begin */
	uint32_t bytes[256];	      /* ids of the pieces that are one byte, or none */
	struct quire_bpe_char *chars; /* [chars_count] pieces that are one character, by code */
	uint32_t chars_count;
	uint32_t ascii[128];   /* the same for the first of them */
	uint32_t unknown;      /* for what has no piece, or QUIRE_TOKEN_NONE */
	bool byte_level;       /* symbols are bytes, not characters */
	bool byte_fallback;    /* a character without a piece is its bytes */
	bool fuse_unknown;     /* several unknown ones in a row are one */
	bool ignore_merges;    /* a word that is a piece is that piece, merges or not */
	bool splits_at_spaces; /* no piece holds U+2581 behind something else */
};

/*
 * Make what follows from vocabulary, flags and @count merges in any order; the later
 * of two equal ones counts.  @bpe takes @merges over, also when this fails.
 * Return: 0; -EINVAL a byte or a character could be lost; -ENOMEM.
 */
int quire_bpe_make(struct quire_bpe *bpe, const char *path, struct quire_merge *merges,
		   size_t count);
void quire_bpe_free(struct quire_bpe *bpe);

/* The character that stands for a byte in a byte-level vocabulary, and back; -1: none. */
uint32_t quire_byte_char(uint8_t byte);
int quire_char_byte(uint32_t code);

/* Room that a thread reuses from word to word.  Zero it to begin. */
struct quire_bpe_work {
	struct quire_symbol *symbols; /* [symbols_room] */
	struct quire_pair *pairs;     /* [pairs_room] a heap */
	size_t symbols_room, pairs_room;
	struct quire_text mapped; /* a word in the characters of its bytes */
};
void quire_bpe_work_free(struct quire_bpe_work *work);

/* Append the tokens of @word, which is UTF-8.  Return: 0; -EINVAL 2 GiB or more; -ENOMEM. */
int quire_bpe_word(const struct quire_bpe *bpe, struct quire_bpe_work *work, const char *word,
		   size_t bytes, struct quire_tokens *out);

#endif /* QUIRE_BPE_H */
