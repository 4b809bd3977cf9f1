/*
 * tokenizers.h - the tokenizers of tests/fixtures/tokenizers/, and comparing with what is
 * expected of them.
 */
#ifndef QUIRE_TESTS_TOKENIZERS_H
#define QUIRE_TESTS_TOKENIZERS_H

#include "core/model/tokenizer_parts.h"

#include <jansson.h>

/* Their folders. */
enum { FAMILIES = 8 };
extern const char *const families[FAMILIES];

/* A file of the fixtures, or one of a family.  The caller decrefs it. */
json_t *load(const char *name);
json_t *load_of(const char *family, const char *name);
struct quire_tokenizer *open_family(const char *family);

/* A text of the fixtures: each character, below U+0100, is the byte of its number. */
struct quire_text bytes_of(const json_t *latin);

/* QUIRE_TEST_SEED, or always the same; a failure tells it. */
uint64_t seed(void);
uint32_t chance(uint64_t *state, uint32_t below);

/* Fail, and tell @what and @index, if they differ. */
void same_ids(const char *what, size_t index, const struct quire_tokens *have, const json_t *want);
void same_text(const char *what, size_t index, const struct quire_text *have, const json_t *want);

#endif /* QUIRE_TESTS_TOKENIZERS_H */
