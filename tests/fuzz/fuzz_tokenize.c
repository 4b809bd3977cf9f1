/*
 * fuzz_tokenize.c - texts and token ids, for the tokenizers of tests/fixtures/tokenizers/.
 *
 * The first byte says which.  Text that is UTF-8 comes back from the first two as it was,
 * which change nothing in it; no text is special; any ids have a text.
 */
#include "fuzz.h"

#include "core/model/tokenizer_parts.h"

#include <string.h>

static const char *const families[] = {"gpt2",	  "llama3",    "qwen2", "llama2",
				       "mistral", "metaspace", "smol",	"added"};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

static const struct quire_tokenizer *family(uint8_t which)
{
	static struct quire_tokenizer *opened[FAMILIES];
	char path[512];

	which %= FAMILIES;
	snprintf(path, sizeof(path), QUIRE_SOURCE_DIR "/tests/fixtures/tokenizers/%s",
		 families[which]);
	if (!opened[which] && quire_tokenizer_open(&opened[which], path))
		fuzz_fail("a fixture cannot be opened");
	return opened[which];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct quire_tokenizer *t = family(size ? data[0] : 0);
	const char *text = size ? (const char *)data + 1 : "";
	const size_t bytes = size ? size - 1 : 0;
	struct quire_tokens ids = {.ids = NULL};
	struct quire_text back = {.text = NULL};

	if (quire_tokenizer_encode(t, text, bytes, 0, &ids))
		fuzz_fail("not encoded");
	for (size_t i = 0; i < ids.count; i++)
		if (quire_tokenizer_special(t, ids.ids[i]) && ids.ids[i] != t->bpe.unknown)
			fuzz_fail("plain text became special token %u", ids.ids[i]);
	if (quire_tokenizer_decode(t, ids.ids, ids.count, false, &back))
		fuzz_fail("not decoded");
	if ((t == family(0) || t == family(1)) && quire_utf8_valid(text, bytes) &&
	    (back.bytes != bytes || (bytes && memcmp(back.text, text, bytes))))
		fuzz_fail("it came back as '%.*s'", (int)back.bytes, back.text);
	ids.count = 0;
	for (size_t i = 0; i + 1 < bytes; i += 2) {
		uint16_t id;

		memcpy(&id, text + i, 2);
		if (quire_tokens_add(&ids, id % 1024u))
			fuzz_fail("out of memory");
	}
	back.bytes = 0;
	if (quire_tokenizer_decode(t, ids.ids, ids.count, false, &back) ||
	    !quire_utf8_valid(back.text, back.bytes))
		fuzz_fail("not decoded");
	if (quire_tokenizer_encode(t, text, bytes, QUIRE_ENCODE_SPECIAL | QUIRE_ENCODE_FRAME, &ids))
		fuzz_fail("not encoded");
	quire_tokens_free(&ids);
	quire_text_free(&back);
	return 0;
}
