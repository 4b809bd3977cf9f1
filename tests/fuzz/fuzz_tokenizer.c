/*
 * fuzz_tokenizer.c - a tokenizer.json, which then encodes and decodes a text.
 *
 * Plain text has no special token, all that comes out is UTF-8, and text by pieces of
 * it is that of the whole.
 */
#include "fuzz.h"

#include "core/model/tokenizer_parts.h"

#include <string.h>

static const char sample[] =
	"It's a  dog's life\r\n\r\n in 2024: <s>\xc3\xa9 e\xcc\x81 \xe4\xbd\xa0"
	"\xff\xf0\x9f\x98\x80 <|im_end|> \t[LR] one\xe2\x96\x81two";

static void check_text(const struct quire_text *text)
{
	if (!quire_utf8_valid(text->text, text->bytes))
		fuzz_fail("text that is not UTF-8");
}

static void check_tokens(const struct quire_tokenizer *t, const struct quire_tokens *ids,
			 bool special)
{
	struct quire_text whole = {.text = NULL}, text = {.text = NULL};
	struct quire_detokenizer d;

	quire_detokenizer_begin(&d, t, true);
	for (size_t i = 0; i < ids->count; i++) {
		if (!quire_tokenizer_piece(t, ids->ids[i], NULL))
			fuzz_fail("token %u, which is none", ids->ids[i]);
		if (!special && quire_tokenizer_special(t, ids->ids[i]) &&
		    ids->ids[i] != t->bpe.unknown)
			fuzz_fail("plain text became special token %u", ids->ids[i]);
		if (quire_detokenizer_next(&d, ids->ids[i], &text))
			fuzz_fail("no text");
		check_text(&text);
	}
	if (quire_detokenizer_end(&d, &text) ||
	    quire_tokenizer_decode(t, ids->ids, ids->count, true, &whole))
		fuzz_fail("no text");
	check_text(&text);
	if (text.bytes != whole.bytes || (text.bytes && memcmp(text.text, whole.text, text.bytes)))
		fuzz_fail("token by token it is another text");
	quire_text_free(&text);
	quire_text_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quire_tokens ids = {.ids = NULL};
	struct quire_tokenizer *t;
	int rc = quire_tokenizer_open(&t, fuzz_file("", data, size));

	if (rc < 0) {
		fuzz_check_failure(rc);
		if (t)
			fuzz_fail("it failed and left something");
		return 0;
	}
	for (uint32_t flags = 0; flags < 4; flags++) {
		ids.count = 0;
		rc = quire_tokenizer_encode(t, sample, sizeof(sample) - 1, flags, &ids);
		if (rc < 0)
			fuzz_check_failure(rc);
		else
			check_tokens(t, &ids, flags != 0);
	}
	quire_tokens_free(&ids);
	quire_tokenizer_close(t);
	return 0;
}
