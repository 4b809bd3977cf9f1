/*
 * bpe.c - a word's symbols, merged pair by pair; see bpe.h.
 */
#include "bpe.h"

#include "tokenizer_text.h"

#include <errno.h>
#include <stdlib.h>

#define NONE UINT32_MAX

struct quire_symbol {
	uint32_t id;	     /* NONE: it was merged into the one before it */
	uint32_t prev, next; /* NONE: there is none */
};

/* Neighbours that have a merge; or had one, before one of them became another. */
struct quire_pair {
	uint32_t rank, at; /* of the merge; which symbol is the left one */
	uint32_t merge;
};

static uint32_t find_merge(const struct quire_bpe *bpe, uint32_t left, uint32_t right)
{
	uint32_t low = bpe->first[left], high = bpe->first[left + 1];

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (bpe->merges[middle].right < right)
			low = middle + 1;
		else
			high = middle;
	}
	return low < bpe->first[left + 1] && bpe->merges[low].right == right ? low : NONE;
}

/* ---- the heap: the pair with the least (rank, at) is pairs[0] ---- */

static bool before(const struct quire_pair *a, const struct quire_pair *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void sink(struct quire_pair *pairs, size_t count, size_t at)
{
	const struct quire_pair pair = pairs[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && before(&pairs[child + 1], &pairs[child]))
			child++;
		if (!before(&pairs[child], &pair))
			break;
		pairs[at] = pairs[child];
		at = child;
	}
	pairs[at] = pair;
}

static void rise(struct quire_pair *pairs, size_t at)
{
	const struct quire_pair pair = pairs[at];

	while (at > 0 && before(&pair, &pairs[(at - 1) / 2])) {
		pairs[at] = pairs[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	pairs[at] = pair;
}

/* ---- the beginning: a word's symbols ---- */

static uint32_t char_id(const struct quire_bpe *bpe, uint32_t code)
{
	uint32_t low = 0, high = bpe->chars_count;

	if (code < 128)
		return bpe->ascii[code];
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (bpe->chars[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < bpe->chars_count && bpe->chars[low].code == code ? bpe->chars[low].id : NONE;
}

static size_t add_symbol(const struct quire_bpe *bpe, struct quire_symbol *symbols, size_t count,
			 uint32_t id, bool *unknown)
{
	const bool fused = id == NONE && *unknown && bpe->fuse_unknown;

	*unknown = id == NONE;
	if (!fused)
		symbols[count++].id = id == NONE ? bpe->unknown : id;
	return count;
}

/* Return: how many there are; at most as many as bytes. */
static size_t fill_symbols(const struct quire_bpe *bpe, struct quire_symbol *symbols,
			   const char *word, size_t bytes)
{
	bool unknown = false; /* the last one has no piece */
	size_t count = 0, length = 1;

	for (size_t at = 0; at < bytes; at += length) {
		uint32_t id = bpe->bytes[(uint8_t)word[at]];

		if (!bpe->byte_level) {
			quire_utf8_next(word + at, bytes - at, &length);
			id = char_id(bpe, quire_utf8_code(word + at, length));
			if (id == NONE && bpe->byte_fallback) {
				for (size_t i = 0; i < length; i++)
					count = add_symbol(bpe, symbols, count,
							   bpe->bytes[(uint8_t)word[at + i]],
							   &unknown);
				continue;
			}
		}
		count = add_symbol(bpe, symbols, count, id, &unknown);
	}
	for (size_t i = 0; i < count; i++) {
		symbols[i].prev = (uint32_t)i - 1; /* of the first: NONE */
		symbols[i].next = i + 1 < count ? (uint32_t)i + 1 : NONE;
	}
	return count;
}

/* ---- merging ---- */

static bool make_pair(const struct quire_bpe *bpe, const struct quire_symbol *symbols, uint32_t at,
		      struct quire_pair *pair)
{
	const uint32_t next = symbols[at].next;
	uint32_t merge;

	if (next == NONE)
		return false;
	merge = find_merge(bpe, symbols[at].id, symbols[next].id);
	if (merge == NONE)
		return false;
	*pair = (struct quire_pair){.rank = bpe->merges[merge].rank, .at = at, .merge = merge};
	return true;
}

static void merge_symbols(const struct quire_bpe *bpe, struct quire_symbol *symbols,
			  struct quire_pair *pairs, size_t count)
{
	size_t waiting = 0;

	for (size_t i = 0; i < count; i++)
		waiting += make_pair(bpe, symbols, (uint32_t)i, &pairs[waiting]);
	for (size_t i = waiting / 2; i-- > 0;)
		sink(pairs, waiting, i);
	while (waiting > 0) {
		const struct quire_pair top = pairs[0];
		const struct quire_merge *merge = &bpe->merges[top.merge];
		struct quire_symbol *left = &symbols[top.at];
		const uint32_t gone = left->next;

		pairs[0] = pairs[--waiting];
		sink(pairs, waiting, 0);
		if (left->id != merge->left || gone == NONE || symbols[gone].id != merge->right)
			continue; /* one of them has become another */
		left->id = merge->id;
		left->next = symbols[gone].next;
		symbols[gone].id = NONE;
		if (left->next != NONE)
			symbols[left->next].prev = top.at;
		if (make_pair(bpe, symbols, top.at, &pairs[waiting]))
			rise(pairs, waiting++);
		if (left->prev != NONE && make_pair(bpe, symbols, left->prev, &pairs[waiting]))
			rise(pairs, waiting++);
	}
}

static int encode(const struct quire_bpe *bpe, struct quire_bpe_work *work, const char *word,
		  size_t bytes, struct quire_tokens *out)
{
	void *symbols = work->symbols, *pairs = work->pairs;
	size_t count;
	int rc = quire_grow(&symbols, &work->symbols_room, bytes, sizeof(*work->symbols));

	work->symbols = symbols;
	/* Less than a pair a symbol to begin with; a merge ends one symbol, and adds one pair. */
	if (rc == 0)
		rc = quire_grow(&pairs, &work->pairs_room, 2 * bytes, sizeof(*work->pairs));
	work->pairs = pairs;
	if (rc)
		return rc;
	count = fill_symbols(bpe, work->symbols, word, bytes);
	merge_symbols(bpe, work->symbols, work->pairs, count);
	for (uint32_t at = 0; rc == 0 && at != NONE; at = work->symbols[at].next)
		rc = quire_tokens_add(out, work->symbols[at].id);
	return rc;
}

/* ---- words ---- */

/* The piece that is all of @word, in the way that the file writes it; @id is NONE without one. */
static int find_whole(const struct quire_bpe *bpe, struct quire_bpe_work *work, const char *word,
		      size_t bytes, uint32_t *id)
{
	int rc = 0;

	*id = NONE;
	if (bytes > bpe->vocab->bytes_max)
		return 0;
	if (!bpe->byte_level) {
		*id = quire_vocab_find_plain(bpe->vocab, word, bytes);
		return 0;
	}
	work->mapped.bytes = 0;
	for (size_t i = 0; rc == 0 && i < bytes; i++)
		rc = quire_text_add_code(&work->mapped, quire_byte_char((uint8_t)word[i]));
	if (rc == 0)
		*id = quire_vocab_find_plain(bpe->vocab, work->mapped.text, work->mapped.bytes);
	return rc;
}

/* Where a word that no merge joins to what is before it begins: a U+2581 behind something
 * else. */
static size_t next_space(const char *word, size_t bytes)
{
	for (size_t at = 3; at + 3 <= bytes; at++) {
		if (word[at] == '\xe2' && word[at + 1] == '\x96' && word[at + 2] == '\x81' &&
		    (word[at - 3] != '\xe2' || word[at - 2] != '\x96' || word[at - 1] != '\x81'))
			return at;
	}
	return bytes;
}

int quire_bpe_word(const struct quire_bpe *bpe, struct quire_bpe_work *work, const char *word,
		   size_t bytes, struct quire_tokens *out)
{
	const size_t begin = out->count;
	uint32_t whole = NONE;
	int rc = 0;

	if (bytes > INT32_MAX)
		return quire_fail(-EINVAL, "tokenizer: a word of %zu bytes, expected less", bytes);

	for (size_t at = 0, part; rc == 0 && at < bytes; at += part) {
		part = bpe->splits_at_spaces ? next_space(word + at, bytes - at) : bytes;
		rc = encode(bpe, work, word + at, part, out);
	}
	/* If merges made one token of it, that is the piece. */
	if (rc || !bpe->ignore_merges ||
	    (out->count == begin + 1 && out->ids[begin] != bpe->unknown))
		return rc;
	rc = find_whole(bpe, work, word, bytes, &whole);
	if (rc || whole == NONE)
		return rc;
	out->count = begin;
	return quire_tokens_add(out, whole);
}

void quire_bpe_work_free(struct quire_bpe_work *work)
{
	free(work->symbols);
	free(work->pairs);
	quire_text_free(&work->mapped);
	*work = (struct quire_bpe_work){.symbols = NULL};
}
