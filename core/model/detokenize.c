/*
 * detokenize.c - tokens to text, as they come.
 *
 * A decoder of the file is a chain of steps over all tokens.  The chains that are built
 * can be run token by token, with the state that struct quire_detokenizer has.
 */
#include "tokenizer_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

/* Steps in the order in which they may stand. */
enum { NOTHING, REPLACE, BYTE_FALLBACK, FUSE, STRIP, ALONE };

struct chain {
	struct quire_decoder *d;
	int last; /* the step before */
};

static int read_strip(struct quire_decoder *d, const struct quire_node *node)
{
	const char *content = NULL;
	uint32_t start = 0, stop = 0;
	int rc;

	if ((rc = quire_node_keys(node, "type|content|start|stop")) ||
	    (rc = quire_node_name(node, "content", &content)) ||
	    (rc = quire_node_count(node, "start", UINT8_MAX, &start)) ||
	    (rc = quire_node_count(node, "stop", UINT8_MAX, &stop)))
		return rc;
	if (strcmp(content, " ") != 0 || stop != 0)
		return quire_node_fail(node, -ENOTSUP,
				       "Strip of anything but leading spaces is not built");
	d->strip = (uint8_t)start;
	return 0;
}

static int read_metaspace(struct quire_decoder *d, const struct quire_node *node)
{
	enum quire_prepend prepend = QUIRE_PREPEND_ALWAYS;
	const char *replacement = NULL;
	bool split = true; /* of no meaning here */
	int rc;

	if ((rc = quire_node_keys(node, "type|replacement|add_prefix_space|prepend_scheme|split|"
					"str_rep")) ||
	    (rc = quire_node_name(node, "replacement", &replacement)) ||
	    (rc = quire_node_flag(node, "split", &split)) ||
	    (rc = quire_prepend_read(node, &prepend)))
		return rc;
	if (!*replacement)
		return quire_node_fail(node, -EINVAL, "replacement must be one character");
	d->kind = QUIRE_DECODE_METASPACE;
	d->drop_first = prepend != QUIRE_PREPEND_NEVER;
	d->replaced = strdup(replacement);
	d->by = strdup(" ");
	return d->replaced && d->by ? 0 : quire_fail(-ENOMEM, "tokenizer: out of memory");
}

static int read_byte_level(struct quire_decoder *d, const struct quire_node *node)
{
	bool unused;
	int rc;

	if ((rc = quire_node_keys(node, "type|add_prefix_space|trim_offsets|use_regex")) ||
	    (rc = quire_node_flag(node, "add_prefix_space", &unused)) ||
	    (rc = quire_node_flag(node, "trim_offsets", &unused)) ||
	    (rc = quire_node_flag(node, "use_regex", &unused)))
		return rc;
	d->kind = QUIRE_DECODE_BYTE_LEVEL;
	return 0;
}

static int read_step(const struct quire_node *node, const char *type, void *arg)
{
	static const struct {
		const char *type;
		int step;
	} known[] = {
		{"Replace", REPLACE}, {"ByteFallback", BYTE_FALLBACK},
		{"Fuse", FUSE},	      {"Strip", STRIP},
		{"ByteLevel", ALONE}, {"Metaspace", ALONE},
	};
	struct chain *chain = arg;
	struct quire_decoder *d = chain->d;
	const int before = chain->last;
	int step = NOTHING;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(type, known[i].type) == 0)
			step = known[i].step;
	if (step == NOTHING)
		return quire_node_fail(node, -ENOTSUP,
				       "'%.40s' is not built; ByteLevel, Metaspace, Replace, "
				       "ByteFallback, Fuse and Strip are",
				       type);
	if (step <= before || (step == STRIP && before != FUSE) ||
	    (step == ALONE && before != NOTHING))
		return quire_node_fail(node, -ENOTSUP, "'%.40s' at this place is not built", type);
	chain->last = step;
	switch (step) {
	case REPLACE:
		return quire_replace_read(node, &d->replaced, &d->by);
	case BYTE_FALLBACK:
		d->byte_fallback = true;
		return quire_node_keys(node, "type");
	case FUSE:
		return quire_node_keys(node, "type");
	case STRIP:
		return read_strip(d, node);
	default:
		return *type == 'B' ? read_byte_level(d, node) : read_metaspace(d, node);
	}
}

int quire_decoder_read(struct quire_decoder *d, const struct quire_node *node)
{
	struct chain chain = {.d = d, .last = NOTHING};
	int rc;

	d->kind = QUIRE_DECODE_TEXT;
	rc = quire_node_each(node, "decoders", read_step, &chain);
	if (rc == 0 && chain.last == NOTHING)
		return quire_node_fail(node, -ENOTSUP,
				       "tokens without a decoder (with spaces between them) are "
				       "not built");
	return rc;
}

void quire_decoder_free(struct quire_decoder *d)
{
	free(d->replaced);
	free(d->by);
	*d = (struct quire_decoder){.replaced = NULL};
}

/* ---- running ---- */

void quire_detokenizer_begin(struct quire_detokenizer *d, const struct quire_tokenizer *t,
			     bool skip_special)
{
	*d = (struct quire_detokenizer){
		.tokenizer = t, .skip_special = skip_special, .strip = t->decoder.strip};
}

/* Text that is whole: all of it passes here. */
static int add(struct quire_detokenizer *d, const char *text, size_t bytes, struct quire_text *out)
{
	while (d->strip && bytes) {
		if (*text != ' ') {
			d->strip = 0;
			break;
		}
		d->strip--;
		text++;
		bytes--;
	}
	return quire_text_add(out, text, bytes);
}

/*
 * What is held back will not become a character: one U+FFFD for it; of bytes by number
 * one for each, as the tokenizers library has it.
 */
static int give_up(struct quire_detokenizer *d, struct quire_text *out)
{
	const bool byte_fallback = d->tokenizer->decoder.byte_fallback;
	size_t count = byte_fallback ? d->held_bytes : d->held_bytes > 0;
	int rc = 0;

	while (rc == 0 && count-- > 0)
		rc = add(d, QUIRE_UTF8_REPLACEMENT, 3, out);
	d->held_bytes = 0;
	return rc;
}

static int add_byte(struct quire_detokenizer *d, uint8_t byte, struct quire_text *out)
{
	size_t length;
	int rc = 0;

	d->held[d->held_bytes++] = byte;
	switch (quire_utf8_next((const char *)d->held, d->held_bytes, &length)) {
	case QUIRE_UTF8_CUT:
		return 0;
	case QUIRE_UTF8_WHOLE:
		d->held_bytes = 0;
		return add(d, (const char *)d->held, length, out);
	default:
		if (d->held_bytes == 1)
			return give_up(d, out);
		d->held_bytes--; /* what came before it, first */
		rc = give_up(d, out);
		return rc ? rc : add_byte(d, byte, out);
	}
}

/* As bytes if all characters are of GPT-2's table; if not, as it is. */
static int add_byte_level(struct quire_detokenizer *d, const char *text, size_t bytes,
			  struct quire_text *out)
{
	bool mapped = true;
	size_t length;
	int rc = 0;

	for (size_t at = 0; mapped && at < bytes; at += length) {
		quire_utf8_next(text + at, bytes - at, &length);
		mapped = quire_char_byte(quire_utf8_code(text + at, length)) >= 0;
	}
	for (size_t at = 0; rc == 0 && at < bytes; at += length) {
		uint8_t byte = (uint8_t)text[at];

		length = 1;
		if (mapped) {
			quire_utf8_next(text + at, bytes - at, &length);
			byte = (uint8_t)quire_char_byte(quire_utf8_code(text + at, length));
		}
		rc = add_byte(d, byte, out);
	}
	return rc;
}

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* Of "<0x0A>" 10; -1: it is no such piece. */
static int byte_number(const char *text, size_t bytes)
{
	if (bytes != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>' || digit(text[3]) < 0 ||
	    digit(text[4]) < 0)
		return -1;
	return digit(text[3]) * 16 + digit(text[4]);
}

static int add_text(struct quire_detokenizer *d, const char *text, size_t bytes,
		    struct quire_text *out)
{
	const struct quire_decoder *decoder = &d->tokenizer->decoder;
	const int byte = decoder->byte_fallback ? byte_number(text, bytes) : -1;
	const bool drop = decoder->drop_first && !d->begun;
	struct quire_text made = {.text = NULL};
	int rc;

	if (byte >= 0)
		return add_byte(d, (uint8_t)byte, out);
	rc = give_up(d, out);
	if (rc == 0 && decoder->replaced)
		rc = quire_replace(&made, text, bytes, decoder->replaced, drop ? "" : decoder->by);
	else if (rc == 0)
		rc = quire_text_add(&made, text, bytes);
	if (rc == 0)
		rc = add(d, made.text, made.bytes, out);
	quire_text_free(&made);
	return rc;
}

int quire_detokenizer_next(struct quire_detokenizer *d, uint32_t id, struct quire_text *out)
{
	const struct quire_tokenizer *t = d->tokenizer;
	const struct quire_detokenizer was = *d;
	const size_t bytes = out->bytes;
	struct quire_vocab_piece piece;
	int rc;

	if (id >= t->vocab.count || !t->vocab.pieces[id].text)
		return 0;
	piece = t->vocab.pieces[id];
	if (d->skip_special && piece.special)
		return 0;
	if (piece.normalized) {
		piece.text = t->added_normalized.list[piece.normalized - 1].text;
		piece.bytes = t->added_normalized.list[piece.normalized - 1].bytes;
	}
	rc = t->decoder.kind == QUIRE_DECODE_BYTE_LEVEL
		     ? add_byte_level(d, piece.text, piece.bytes, out)
		     : add_text(d, piece.text, piece.bytes, out);
	d->begun = true;
	if (rc) {
		*d = was;
		out->bytes = bytes;
	}
	return rc;
}

int quire_detokenizer_end(struct quire_detokenizer *d, struct quire_text *out)
{
	const struct quire_detokenizer was = *d;
	const size_t bytes = out->bytes;
	const int rc = give_up(d, out);

	if (rc) {
		*d = was;
		out->bytes = bytes;
	}
	return rc;
}

int quire_tokenizer_decode(const struct quire_tokenizer *t, const uint32_t *ids, size_t count,
			   bool skip_special, struct quire_text *out)
{
	const size_t bytes = out->bytes;
	struct quire_detokenizer d;
	int rc = 0;

	quire_detokenizer_begin(&d, t, skip_special);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = quire_detokenizer_next(&d, ids[i], out);
	if (rc == 0)
		rc = quire_detokenizer_end(&d, out);
	if (rc)
		out->bytes = bytes;
	return rc;
}
