/*
 * tokenizer_normalize.c - what is done to a text before it falls into words.
 */
#include "tokenizer_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- a text and who wrote it ---- */

int quire_marked_end_run(struct quire_marked *marked, bool special)
{
	void *runs = marked->runs;
	int rc;

	if (marked->runs_count && marked->runs[marked->runs_count - 1].special == special) {
		marked->runs[marked->runs_count - 1].end = marked->text.bytes;
		return 0;
	}
	rc = quire_grow(&runs, &marked->runs_room, marked->runs_count + 1, sizeof(*marked->runs));
	marked->runs = runs;
	if (rc == 0)
		marked->runs[marked->runs_count++] =
			(struct quire_run){.end = marked->text.bytes, .special = special};
	return rc;
}

void quire_marked_free(struct quire_marked *marked)
{
	quire_text_free(&marked->text);
	free(marked->runs);
	*marked = (struct quire_marked){.runs = NULL};
}

/* ---- normal form C (Unicode annex 15) ---- */

/*
 * Put marks into the order of their classes; those of one class stay as they are.  By
 * merging, as a text may be nothing but marks.
 */
static void order_marks(int32_t *codes, int32_t *spare, size_t count)
{
	const size_t half = count / 2;
	size_t a = 0, b = half;

	if (count < 2)
		return;
	order_marks(codes, spare, half);
	order_marks(codes + half, spare, count - half);
	memcpy(spare, codes, count * sizeof(*codes));
	for (size_t i = 0; i < count; i++) {
		if (b == count ||
		    (a < half && utf8proc_get_property(spare[a])->combining_class <=
					 utf8proc_get_property(spare[b])->combining_class))
			codes[i] = spare[a++];
		else
			codes[i] = spare[b++];
	}
}

static void order_all(int32_t *codes, int32_t *spare, size_t count)
{
	size_t begin = 0; /* of a row of marks */

	for (size_t i = 0; i <= count; i++) {
		if (i < count && utf8proc_get_property(codes[i])->combining_class)
			continue;
		order_marks(codes + begin, spare, i - begin);
		begin = i + 1;
	}
}

/* No character is more than 4 in its decomposition, none of 2 bytes more than 3. */
enum { DECOMPOSED_MAX = 4 };

static size_t decompose(int32_t *codes, const char *text, size_t bytes)
{
	size_t count = 0, length;
	int boundary = 0;

	for (size_t at = 0; at < bytes; at += length) {
		quire_utf8_next(text + at, bytes - at, &length);
		count += (size_t)utf8proc_decompose_char(
			(int32_t)quire_utf8_code(text + at, length), codes + count, DECOMPOSED_MAX,
			UTF8PROC_DECOMPOSE, &boundary);
	}
	return count;
}

/* All below U+0300 is in normal form. */
static bool is_low(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((uint8_t)text[i] >= 0xcc)
			return false;
	return true;
}

int quire_nfc(struct quire_text *out, const char *text, size_t bytes)
{
	const size_t begin = out->bytes;
	const size_t room = 2 * bytes + DECOMPOSED_MAX;
	int32_t *codes, *spare; /* [room] each */
	size_t count;
	int rc = 0;

	if (is_low(text, bytes))
		return quire_text_add(out, text, bytes);
	codes = malloc(2 * room * sizeof(*codes));
	if (!codes)
		return quire_fail(-ENOMEM, "tokenizer: out of memory");
	spare = codes + room;
	count = decompose(codes, text, bytes);
	order_all(codes, spare, count);
	count = (size_t)utf8proc_normalize_utf32(codes, (utf8proc_ssize_t)count,
						 UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = quire_text_add_code(out, (uint32_t)codes[i]);
	free(codes);
	if (rc)
		out->bytes = begin;
	return rc;
}

/* ---- reading ---- */

enum { PREFIX_BYTES_MAX = 64 };

static int copy_text(char **copy, const char *text)
{
	*copy = strdup(text);
	return *copy ? 0 : quire_fail(-ENOMEM, "tokenizer: out of memory");
}

int quire_replace_read(const struct quire_node *node, char **text, char **by)
{
	const struct quire_node pattern = {node->path, node->where,
					   json_object_get(node->json, "pattern")};
	const char *string = NULL, *content = NULL;
	int rc;

	if ((rc = quire_node_keys(node, "type|pattern|content")) ||
	    (rc = quire_node_keys(&pattern, "String")) ||
	    (rc = quire_node_name(&pattern, "String", &string)) ||
	    (rc = quire_node_name(node, "content", &content)))
		return rc;
	if (!*string)
		return quire_node_fail(node, -EINVAL, "nothing to replace");
	rc = copy_text(text, string);
	return rc ? rc : copy_text(by, content);
}

/* All steps together make a text three times as long at most. */
static int check_growth(const struct quire_normalizer *n, const struct quire_node *node)
{
	size_t growth = 1;

	for (uint32_t i = 0; i < n->count; i++) {
		const struct quire_normal_step *step = &n->steps[i];

		if (step->kind == QUIRE_NORMAL_REPLACE && strlen(step->by) > strlen(step->text))
			growth *= (strlen(step->by) - 1) / strlen(step->text) + 1;
		if (growth > 3)
			return quire_node_fail(node, -ENOTSUP,
					       "texts that become more than three times as long "
					       "are not built");
	}
	return 0;
}

static int read_step(const struct quire_node *node, const char *type, void *arg)
{
	struct quire_normalizer *n = arg;
	struct quire_normal_step *step = &n->steps[n->count++];
	const char *prefix = NULL;
	int rc;

	if (strcmp(type, "NFC") == 0) {
		step->kind = QUIRE_NORMAL_NFC;
		return quire_node_keys(node, "type");
	}
	if (strcmp(type, "Prepend") == 0) {
		step->kind = QUIRE_NORMAL_PREPEND;
		if ((rc = quire_node_keys(node, "type|prepend")) ||
		    (rc = quire_node_name(node, "prepend", &prefix)))
			return rc;
		if (strlen(prefix) > PREFIX_BYTES_MAX)
			return quire_node_fail(node, -ENOTSUP,
					       "a prefix of more than %d bytes is not built",
					       PREFIX_BYTES_MAX);
		return copy_text(&step->text, prefix);
	}
	if (strcmp(type, "Replace") == 0) {
		step->kind = QUIRE_NORMAL_REPLACE;
		rc = quire_replace_read(node, &step->text, &step->by);
		return rc ? rc : check_growth(n, node);
	}
	return quire_node_fail(node, -ENOTSUP, "'%.40s' is not built; NFC, Prepend and Replace are",
			       type);
}

int quire_normalizer_read(struct quire_normalizer *n, const struct quire_node *node)
{
	return quire_node_each(node, "normalizers", read_step, n);
}

void quire_normalizer_free(struct quire_normalizer *n)
{
	for (uint32_t i = 0; i < n->count; i++) {
		free(n->steps[i].text);
		free(n->steps[i].by);
	}
	n->count = 0;
}

/* ---- running ---- */

int quire_replace(struct quire_text *out, const char *text, size_t bytes, const char *what,
		  const char *by)
{
	const size_t length = strlen(what), by_length = strlen(by);
	size_t done = 0;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at + length <= bytes;) {
		if (text[at] != *what || memcmp(text + at, what, length) != 0) {
			at++;
			continue;
		}
		rc = quire_text_add(out, text + done, at - done);
		if (rc == 0)
			rc = quire_text_add(out, by, by_length);
		at += length;
		done = at;
	}
	return rc ? rc : quire_text_add(out, text + done, bytes - done);
}

static int run_step(const struct quire_normal_step *step, const struct quire_marked *in,
		    struct quire_marked *out)
{
	size_t begin = 0;
	int rc = 0;

	out->text.bytes = 0;
	out->runs_count = 0;
	if (step->kind == QUIRE_NORMAL_PREPEND && in->text.bytes)
		rc = quire_text_add(&out->text, step->text, strlen(step->text));
	for (size_t i = 0; rc == 0 && i < in->runs_count; i++) {
		const char *text = in->text.text + begin;
		const size_t bytes = in->runs[i].end - begin;

		if (step->kind == QUIRE_NORMAL_NFC)
			rc = quire_nfc(&out->text, text, bytes);
		else if (step->kind == QUIRE_NORMAL_REPLACE)
			rc = quire_replace(&out->text, text, bytes, step->text, step->by);
		else
			rc = quire_text_add(&out->text, text, bytes);
		if (rc == 0)
			rc = quire_marked_end_run(out, in->runs[i].special);
		begin = in->runs[i].end;
	}
	return rc;
}

int quire_normalize(const struct quire_normalizer *n, struct quire_marked *marked,
		    struct quire_marked *spare)
{
	for (uint32_t i = 0; i < n->count; i++) {
		struct quire_marked done;
		int rc = run_step(&n->steps[i], marked, spare);

		if (rc)
			return rc;
		done = *spare;
		*spare = *marked;
		*marked = done;
	}
	return 0;
}
