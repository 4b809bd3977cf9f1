/*
 * tokenizer.h - text to token ids and back, from the files that Hugging Face keeps.
 *
 * tokenizer.json is read as it is, with tokenizer_config.json where it lies beside it.
 * Two kinds are built, both byte pair encoding (Sennrich et al., 2016): byte-level
 * (GPT-2, Llama 3, Qwen2), and that of SentencePiece with byte fallback (Llama 2,
 * Mistral).  Ids and text are those of the tokenizers library; what a file asks for and
 * is not built is refused with a sentence that names it.  docs/tokenizers.md has it all.
 *
 *	quire_tokenizer_open(&t, "models/tiny");
 *	quire_tokenizer_encode(t, text, strlen(text), QUIRE_ENCODE_FRAME, &tokens);
 *
 * Text is UTF-8.  What is not is replaced by U+FFFD, one for each maximal part of a
 * character, as Unicode 3.9 recommends and Python's "replace" does.
 *
 * A special token (<s>, <|im_end|>) steers the model.  The text of one, written by a
 * user, is plain text and stays so, unless QUIRE_ENCODE_SPECIAL asks otherwise.  Other
 * added tokens are found in any text.
 *
 * A tokenizer does not change once it is open: all functions with a const tokenizer may
 * run on many threads at once.  They return 0 or -errno, leave a sentence in
 * quire_failure(), and change nothing when they fail.
 */
#ifndef QUIRE_TOKENIZER_H
#define QUIRE_TOKENIZER_H

#include <quire/quire.h>

struct quire_tokenizer;

#define QUIRE_TOKEN_NONE UINT32_MAX /* no token's id */

/* Token ids.  Zero it to begin; what gives tokens appends them. */
struct quire_tokens {
	uint32_t *ids; /* [count] its own; room for [room] */
	size_t count;
	size_t room;
};
void quire_tokens_free(struct quire_tokens *tokens);

/* Bytes, no 0 behind them.  Zero it to begin; what gives text appends it. */
struct quire_text {
	char *text; /* [bytes] its own; room for [room] */
	size_t bytes;
	size_t room;
};
void quire_text_free(struct quire_text *text);

/*
 * @path: a directory that holds a tokenizer.json, or such a file itself.
 * Return: 0; -ENOENT and other errors of opening; -EINVAL a bad file; -ENOTSUP a file
 * that asks for what is not built; -ENOMEM.  @t is NULL when it fails.
 */
int quire_tokenizer_open(struct quire_tokenizer **t, const char *path);
void quire_tokenizer_close(struct quire_tokenizer *t);

enum {
	QUIRE_ENCODE_SPECIAL = 1, /* special tokens that the text names are meant as such */
	QUIRE_ENCODE_FRAME = 2,	  /* put around it what the model expects: <s>, perhaps </s> */
};

/* Append the tokens of @text to @out.  Return: 0; -EINVAL a text of 256 MiB or more;
 * -ENOMEM; -ELOOP a pattern of the file that backtracks without end. */
int quire_tokenizer_encode(const struct quire_tokenizer *t, const char *text, size_t bytes,
			   uint32_t flags, struct quire_tokens *out);

/*
 * A part of a text.  Parts are encoded as one text; but neither an added token nor a
 * normalization reaches from one with special into one without, and special tokens are
 * found in those with it alone: so a chat's markers stand beside what users wrote.
 */
struct quire_piece {
	const char *text; /* [bytes], the caller's */
	size_t bytes;
	bool special; /* special tokens that it names are meant as such */
};

/* The same for @count parts; of @flags QUIRE_ENCODE_FRAME alone counts. */
int quire_tokenizer_encode_pieces(const struct quire_tokenizer *t, const struct quire_piece *pieces,
				  size_t count, uint32_t flags, struct quire_tokens *out);

/* Append the text of @count tokens: what a detokenizer gives that gets them one by one. */
int quire_tokenizer_decode(const struct quire_tokenizer *t, const uint32_t *ids, size_t count,
			   bool skip_special, struct quire_text *out);

/* One more than the largest id.  A model's embedding may have more rows, never fewer. */
uint32_t quire_tokenizer_vocab(const struct quire_tokenizer *t);
/* A token as the file writes it, for tables ("\u0120the"; text is a detokenizer's business);
 * @bytes may be NULL.  The tokenizer's own, with a 0 behind it; NULL: there is none. */
const char *quire_tokenizer_piece(const struct quire_tokenizer *t, uint32_t id, size_t *bytes);
/* The inverse: the id of what the file writes so; QUIRE_TOKEN_NONE: there is none. */
uint32_t quire_tokenizer_id(const struct quire_tokenizer *t, const char *piece);
bool quire_tokenizer_special(const struct quire_tokenizer *t, uint32_t id);

/* What tokenizer_config.json names bos_token and eos_token, or QUIRE_TOKEN_NONE.  A model may
 * end at other tokens too: see its generation_config.json. */
uint32_t quire_tokenizer_bos(const struct quire_tokenizer *t);
uint32_t quire_tokenizer_eos(const struct quire_tokenizer *t);

/* "byte-level BPE" or "SentencePiece BPE", for people; static. */
const char *quire_tokenizer_kind(const struct quire_tokenizer *t);
/* The chat template of the files, in Jinja; NULL: there is none.  See chat.h. */
const char *quire_tokenizer_chat_template(const struct quire_tokenizer *t);

/*
 * Tokens to text as they come.  Bytes of a character are held back until it is whole;
 * what never became one is a U+FFFD.
 *
 * It is a value: a sequence that forks copies it by assignment.  To print only what
 * follows a prompt, give it the prompt's tokens first and throw their text away: so the
 * first word keeps its leading space.
 */
struct quire_detokenizer {
	const struct quire_tokenizer *tokenizer; /* outlives it */
	bool skip_special;			 /* special tokens have no text */
	bool begun;				 /* a token with text was seen */
	uint8_t strip;				 /* leading spaces that are still to be dropped */
	uint8_t held_bytes;			 /* of a character that is not whole */
	uint8_t held[4];
};

void quire_detokenizer_begin(struct quire_detokenizer *d, const struct quire_tokenizer *t,
			     bool skip_special);
/* Append to @out what is whole now that token @id came.  An id without a piece has no text. */
int quire_detokenizer_next(struct quire_detokenizer *d, uint32_t id, struct quire_text *out);
/* Append what is still held back, as U+FFFD: no more tokens will come. */
int quire_detokenizer_end(struct quire_detokenizer *d, struct quire_text *out);

#endif /* QUIRE_TOKENIZER_H */
