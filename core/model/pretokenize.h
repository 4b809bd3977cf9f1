/*
 * pretokenize.h - a text falls into words, by the patterns of the file.
 *
 * Patterns are those of Oniguruma, which the tokenizers library uses; PCRE2 runs them.
 * Where the two read a construct in different ways it is written anew (pattern.c knows
 * how) or refused with a sentence.
 */
#ifndef QUIRE_PRETOKENIZE_H
#define QUIRE_PRETOKENIZE_H

#include "tokenizer.h"
#include "tokenizer_node.h"

enum quire_pre {
	QUIRE_PRE_SPLIT,      /* into what a pattern matches, and what is between */
	QUIRE_PRE_BYTE_LEVEL, /* a space in front, where asked */
	QUIRE_PRE_METASPACE,  /* spaces become U+2581, which words begin with */
};

enum quire_prepend { QUIRE_PREPEND_NEVER, QUIRE_PREPEND_FIRST, QUIRE_PREPEND_ALWAYS };

struct quire_pre_step {
	enum quire_pre kind;
	struct quire_pattern *pattern; /* of SPLIT */
	bool drop_matches, drop_between;
	enum quire_prepend prepend; /* of the others */
	bool splits;		    /* of METASPACE */
	char replacement[5];	    /* of METASPACE; UTF-8 */
};

struct quire_pretokenizer {
	/* ByteLevel is a pattern and a prefix: two steps. */
	struct quire_pre_step steps[2 * QUIRE_NODE_STEPS];
	uint32_t count;
	bool byte_level;
};

/* The keys add_prefix_space and prepend_scheme of a Metaspace, which may be a decoder too. */
int quire_prepend_read(const struct quire_node *node, enum quire_prepend *prepend);

int quire_pretokenizer_read(struct quire_pretokenizer *p, const struct quire_node *node);
void quire_pretokenizer_free(struct quire_pretokenizer *p);

/* Room that a thread reuses.  Zero it to begin. */
struct quire_pre_work {
	struct quire_text texts[2 * QUIRE_NODE_STEPS]; /* of the steps that change it */
	struct quire_pattern_work *patterns;
};
void quire_pre_work_free(struct quire_pre_work *work);

/*
 * Call @word for each word of @text, which is UTF-8; @first: it begins the whole text.
 * Return: 0; what @word returned; -ENOMEM; -ELOOP a pattern backtracks without end.
 */
int quire_pretokenize(const struct quire_pretokenizer *p, struct quire_pre_work *work,
		      const char *text, size_t bytes, bool first,
		      int (*word)(void *arg, const char *text, size_t bytes), void *arg);

/* ---- patterns: pretokenize_pattern.c ---- */

struct quire_pattern;

/* @text is a regular expression, or taken by the letter. */
int quire_pattern_make(struct quire_pattern **pattern, const struct quire_node *node,
		       const char *text, bool literal);
void quire_pattern_free(struct quire_pattern *pattern);
/*
 * The next match in @text from @at on.  Return: 1 found; 0 there is none; -ENOMEM; -ELOOP.
 */
int quire_pattern_next(const struct quire_pattern *pattern, struct quire_pattern_work **work,
		       const char *text, size_t bytes, size_t at, size_t *begin, size_t *end);
void quire_pattern_work_free(struct quire_pattern_work *work);

#endif /* QUIRE_PRETOKENIZE_H */
