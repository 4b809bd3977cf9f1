/*
 * tokenizer_encode.c - a text's way through the parts of a tokenizer.
 *
 * See tokenizer_parts.h for the parts and their order.
 */
#include "tokenizer_parts.h"

#include <errno.h>
#include <stdlib.h>

#define TEXT_BYTES_MAX (1u << 28)

struct encoder {
	const struct quire_tokenizer *t;
	struct quire_tokens *out;
	struct quire_bpe_work bpe;
	struct quire_pre_work pre;
	struct quire_marked segment, spare; /* a stretch of the text, normalized */
};

static int add_word(void *arg, const char *text, size_t bytes)
{
	struct encoder *e = arg;

	return quire_bpe_word(&e->t->bpe, &e->bpe, text, bytes, e->out);
}

/* What lies between added tokens, and was normalized. */
static int add_plain(struct encoder *e, const char *text, size_t bytes, bool first)
{
	return quire_pretokenize(&e->t->pretokenizer, &e->pre, text, bytes, first, add_word, e);
}

/* Text and runs of a part of @text. */
static int cut(struct quire_marked *out, const char *text, const struct quire_run *runs,
	       size_t begin, size_t end)
{
	int rc = 0;

	out->text.bytes = 0;
	out->runs_count = 0;
	for (; rc == 0 && begin < end; runs++) {
		const size_t run_end = runs->end < end ? runs->end : end;

		if (run_end <= begin)
			continue;
		rc = quire_text_add(&out->text, text + begin, run_end - begin);
		if (rc == 0)
			rc = quire_marked_end_run(out, runs->special);
		begin = run_end;
	}
	return rc;
}

/* What lies between those added tokens that are found before it is normalized. */
static int add_segment(struct encoder *e, const char *text, const struct quire_run *runs,
		       size_t begin, size_t end)
{
	struct quire_search search = {.set = &e->t->added_normalized,
				      .text = text,
				      .begin = begin,
				      .end = end,
				      .runs = runs};
	const bool first = begin == 0;
	struct quire_found found;
	size_t done;
	int rc = 0;

	if (e->t->normalizer.count) {
		rc = cut(&e->segment, text, runs, begin, end);
		if (rc == 0)
			rc = quire_normalize(&e->t->normalizer, &e->segment, &e->spare);
		search.text = e->segment.text.text;
		search.begin = 0;
		search.end = e->segment.text.bytes;
		search.runs = e->segment.runs;
	}
	search.at = search.done = done = search.begin;
	while (rc == 0 && quire_added_next(&search, &found)) {
		if (found.begin > done)
			rc = add_plain(e, search.text + done, found.begin - done,
				       first && done == search.begin);
		if (rc == 0)
			rc = quire_tokens_add(e->out, found.id);
		done = found.end;
	}
	if (rc == 0 && done < search.end)
		rc = add_plain(e, search.text + done, search.end - done,
			       first && done == search.begin);
	return rc;
}

static int add_text(struct encoder *e, const struct quire_marked *text)
{
	struct quire_search search = {.set = &e->t->added,
				      .text = text->text.text,
				      .end = text->text.bytes,
				      .runs = text->runs};
	struct quire_found found;
	size_t done = 0;
	int rc = 0;

	while (rc == 0 && quire_added_next(&search, &found)) {
		if (found.begin > done)
			rc = add_segment(e, text->text.text, text->runs, done, found.begin);
		if (rc == 0)
			rc = quire_tokens_add(e->out, found.id);
		done = found.end;
	}
	if (rc == 0 && done < text->text.bytes)
		rc = add_segment(e, text->text.text, text->runs, done, text->text.bytes);
	return rc;
}

static int add_frame(const struct quire_tokens *frame, struct quire_tokens *out)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < frame->count; i++)
		rc = quire_tokens_add(out, frame->ids[i]);
	return rc;
}

/* The pieces as one text, which is UTF-8. */
static int join(struct quire_marked *text, const struct quire_piece *pieces, size_t count)
{
	size_t bytes = 0;
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].bytes >= TEXT_BYTES_MAX - bytes)
			return quire_fail(-EINVAL,
					  "tokenizer: a text of %zu bytes or more, expected "
					  "less than %u",
					  bytes + pieces[i].bytes, TEXT_BYTES_MAX);
		bytes += pieces[i].bytes;
	}
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = quire_text_add_utf8(&text->text, pieces[i].text, pieces[i].bytes);
		if (rc == 0)
			rc = quire_marked_end_run(text, pieces[i].special);
	}
	return rc;
}

int quire_tokenizer_encode_pieces(const struct quire_tokenizer *t, const struct quire_piece *pieces,
				  size_t count, uint32_t flags, struct quire_tokens *out)
{
	struct encoder e = {.t = t, .out = out};
	struct quire_marked text = {.runs = NULL};
	const size_t tokens = out->count;
	int rc = join(&text, pieces, count);

	if (rc == 0 && flags & QUIRE_ENCODE_FRAME)
		rc = add_frame(&t->prefix, out);
	if (rc == 0)
		rc = add_text(&e, &text);
	if (rc == 0 && flags & QUIRE_ENCODE_FRAME)
		rc = add_frame(&t->suffix, out);
	if (rc)
		out->count = tokens;
	quire_bpe_work_free(&e.bpe);
	quire_pre_work_free(&e.pre);
	quire_marked_free(&e.segment);
	quire_marked_free(&e.spare);
	quire_marked_free(&text);
	return rc;
}

int quire_tokenizer_encode(const struct quire_tokenizer *t, const char *text, size_t bytes,
			   uint32_t flags, struct quire_tokens *out)
{
	const struct quire_piece piece = {
		.text = text, .bytes = bytes, .special = flags & QUIRE_ENCODE_SPECIAL};

	return quire_tokenizer_encode_pieces(t, &piece, 1, flags, out);
}
