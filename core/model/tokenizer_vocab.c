/*
 * tokenizer_vocab.c - the pieces of a tokenizer.
 *
 * Sorted, not hashed: no file can make a search slow.
 */
#include "tokenizer_vocab.h"

#include "tokenizer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int compare_text(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);

	return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare(const void *a, const void *b)
{
	const struct quire_vocab_piece *x = *(struct quire_vocab_piece *const *)a;
	const struct quire_vocab_piece *y = *(struct quire_vocab_piece *const *)b;

	return compare_text(x->text, x->bytes, y->text, y->bytes);
}

static int check_ids(const struct quire_vocab_piece *list, size_t count, const char *path,
		     uint32_t *id_max)
{
	*id_max = 0;
	for (size_t i = 0; i < count; i++)
		if (list[i].id > *id_max)
			*id_max = list[i].id;
	if (*id_max >= QUIRE_TOKEN_IDS_MAX)
		return quire_fail(-EINVAL, "%s: id %" PRIu32 " of a token, expected less than %u",
				  path, *id_max, QUIRE_TOKEN_IDS_MAX);
	if (*id_max > 2 * count + 65536)
		return quire_fail(-EINVAL,
				  "%s: id %" PRIu32 " of a token, but there are only %zu tokens",
				  path, *id_max, count);
	return 0;
}

static int fill(struct quire_vocab *v, const char *path, const struct quire_vocab_piece *list,
		size_t count)
{
	char *next = v->store;

	for (size_t i = 0; i < count; i++) {
		struct quire_vocab_piece *piece = &v->pieces[list[i].id];

		if (piece->text)
			return quire_fail(-EINVAL,
					  "%s: id %" PRIu32 " is that of '%.60s' and of '%.60s'",
					  path, list[i].id, piece->text, list[i].text);
		*piece = list[i];
		memcpy(next, list[i].text, list[i].bytes);
		piece->text = next;
		next += list[i].bytes;
		*next++ = '\0';
		v->sorted[i] = piece;
		v->bytes_max = piece->bytes > v->bytes_max ? piece->bytes : v->bytes_max;
	}
	return 0;
}

int quire_vocab_make(struct quire_vocab *vocab, const char *path,
		     const struct quire_vocab_piece *list, size_t count)
{
	struct quire_vocab v = {.sorted_count = (uint32_t)count};
	size_t bytes = 0;
	uint32_t id_max;
	int rc;

	if (count == 0)
		return quire_fail(-EINVAL, "%s: there are no tokens", path);
	rc = check_ids(list, count, path, &id_max);
	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		bytes += list[i].bytes + 1;
	v.count = id_max + 1;
	v.store = malloc(bytes);
	v.pieces = calloc(v.count, sizeof(*v.pieces));
	v.sorted = malloc(count * sizeof(struct quire_vocab_piece *));
	if (!v.store || !v.pieces || !v.sorted)
		rc = quire_fail(-ENOMEM, "%s: out of memory", path);
	else
		rc = fill(&v, path, list, count);
	if (rc)
		goto out_free;
	qsort(v.sorted, count, sizeof(struct quire_vocab_piece *), compare);
	for (size_t i = 1; i < count; i++) {
		if (compare(&v.sorted[i - 1], &v.sorted[i]) == 0) {
			rc = quire_fail(-EINVAL, "%s: token '%.60s' is there twice", path,
					v.sorted[i]->text);
			goto out_free;
		}
	}
	*vocab = v;
	return 0;
out_free:
	quire_vocab_free(&v);
	return rc;
}

void quire_vocab_free(struct quire_vocab *vocab)
{
	free(vocab->store);
	free(vocab->pieces);
	free(vocab->sorted);
	*vocab = (struct quire_vocab){.store = NULL};
}

uint32_t quire_vocab_find(const struct quire_vocab *vocab, const char *text, size_t bytes)
{
	size_t low = 0, high = vocab->sorted_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct quire_vocab_piece *piece = vocab->sorted[middle];
		const int order = compare_text(text, bytes, piece->text, piece->bytes);

		if (order == 0)
			return piece->id;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return QUIRE_TOKEN_NONE;
}

uint32_t quire_vocab_find_plain(const struct quire_vocab *vocab, const char *text, size_t bytes)
{
	const uint32_t id = quire_vocab_find(vocab, text, bytes);

	if (id == QUIRE_TOKEN_NONE || !vocab->pieces[id].model || vocab->pieces[id].special)
		return QUIRE_TOKEN_NONE;
	return id;
}
