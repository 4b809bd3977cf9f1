/*
 * tokenizer_parts.h - what a tokenizer is made of; for the files of the tokenizer.
 *
 * A text passes through, in this order, as in the tokenizers library:
 *
 *	added tokens	those that are looked for in the text as it is
 *	normalizer	of what lies between them
 *	added tokens	those that are looked for in normalized text
 *	pre-tokenizer	what is left falls into words (pretokenize.h)
 *	model		a word becomes tokens (bpe.h)
 *	frame		<s> and the like
 *
 * and tokens become text by the decoder.
 */
#ifndef QUIRE_TOKENIZER_PARTS_H
#define QUIRE_TOKENIZER_PARTS_H

#include "bpe.h"
#include "pretokenize.h"
#include "tokenizer.h"
#include "tokenizer_node.h"
#include "tokenizer_text.h"
#include "tokenizer_vocab.h"

/* ---- a text and who wrote it ---- */

/* A stretch of a text, from where the one before it ends. */
struct quire_run {
	size_t end;
	bool special; /* special tokens count here */
};

struct quire_marked {
	struct quire_text text;
	struct quire_run *runs; /* [runs_count] the last ends with the text */
	size_t runs_count, runs_room;
};
/* Let what was added to the text since the last run be one, or part of that one. */
int quire_marked_end_run(struct quire_marked *marked, bool special);
void quire_marked_free(struct quire_marked *marked);

/* ---- the normalizer: tokenizer_normalize.c ---- */

enum quire_normal { QUIRE_NORMAL_NFC, QUIRE_NORMAL_PREPEND, QUIRE_NORMAL_REPLACE };

struct quire_normal_step {
	enum quire_normal kind;
	char *text; /* what is put in front; or what is replaced ... */
	char *by;   /* ... by this */
};

struct quire_normalizer {
	struct quire_normal_step steps[QUIRE_NODE_STEPS];
	uint32_t count;
};

int quire_normalizer_read(struct quire_normalizer *n, const struct quire_node *node);
void quire_normalizer_free(struct quire_normalizer *n);
/* Normalize @marked, run by run; @spare is room.  Return: 0; -ENOMEM. */
int quire_normalize(const struct quire_normalizer *n, struct quire_marked *marked,
		    struct quire_marked *spare);
/* Append @text in Unicode's normal form C; it is UTF-8.  Return: 0; -ENOMEM. */
int quire_nfc(struct quire_text *out, const char *text, size_t bytes);

/* A Replace, here or of a decoder: one text by another, both the caller's to free. */
int quire_replace_read(const struct quire_node *node, char **text, char **by);
/* Append @text, with @by instead of @what.  Return: 0; -ENOMEM. */
int quire_replace(struct quire_text *out, const char *text, size_t bytes, const char *what,
		  const char *by);

/* ---- added tokens: tokenizer_added.c ---- */

struct quire_added {
	const char *text; /* [bytes]; normalized, if it is looked for in such text */
	uint32_t bytes;
	uint32_t id;
	bool special;
	bool single_word; /* not within a word */
	bool lstrip;	  /* takes the white space before it */
	bool rstrip;	  /* and behind it */
};

struct quire_added_set {
	struct quire_added *list; /* [count] by text */
	size_t count;
	size_t first[257]; /* where those that begin with a byte begin */
};
/* Sort.  Return: 0; -EINVAL two are the same. */
int quire_added_make(struct quire_added_set *set, const char *path);

/* Looking for added tokens in a part of a text. */
struct quire_search {
	const struct quire_added_set *set;
	const char *text;
	size_t begin, end;	      /* the part */
	const struct quire_run *runs; /* of the whole text */
	size_t at;		      /* where to look on; begins as begin */
	size_t done;		      /* where the last one found ends; likewise */
};

struct quire_found {
	size_t begin, end; /* begin may lie before the last one's end: nothing is between them */
	uint32_t id;
};
/* The next one: at each place the longest. */
bool quire_added_next(struct quire_search *search, struct quire_found *found);

/* ---- the decoder: detokenize.c ---- */

enum quire_decode {
	QUIRE_DECODE_BYTE_LEVEL, /* each character is a byte */
	QUIRE_DECODE_TEXT,	 /* a text is replaced by another; bytes by their number */
	QUIRE_DECODE_METASPACE,	 /* the same, but the first token has none */
};

struct quire_decoder {
	enum quire_decode kind;
	char *replaced, *by; /* NULL: nothing is */
	bool byte_fallback;
	bool drop_first; /* of METASPACE: what would be replaced in the first token is dropped */
	uint8_t strip;	 /* leading spaces of the whole text that are dropped, at most */
};

int quire_decoder_read(struct quire_decoder *d, const struct quire_node *node);
void quire_decoder_free(struct quire_decoder *d);

/* ---- all of it ---- */

struct quire_tokenizer {
	struct quire_vocab vocab;
	struct quire_bpe bpe;
	struct quire_normalizer normalizer;
	struct quire_added_set added, added_normalized;
	char *added_store; /* normalized texts of added_normalized */
	struct quire_pretokenizer pretokenizer;
	struct quire_decoder decoder;
	struct quire_tokens prefix, suffix; /* the frame */
	uint32_t bos, eos;
	char *chat_template; /* or NULL */
};

/* Vocabulary, added tokens and merges, behind normalizer and pre-tokenizer. */
int quire_tokenizer_read_model(struct quire_tokenizer *t, const struct quire_node *model,
			       const struct quire_node *added);
/* post_processor */
int quire_tokenizer_read_frame(struct quire_tokenizer *t, const struct quire_node *node);
/* All of tokenizer_config.json that matters. */
int quire_tokenizer_read_config(struct quire_tokenizer *t, const struct quire_node *node);

#endif /* QUIRE_TOKENIZER_PARTS_H */
