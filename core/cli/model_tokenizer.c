/*
 * model_tokenizer.c - what "quire model" says of a tokenizer; see model_parts.h.
 */
#include "core/model/chat.h"
#include "core/model/tokenizer.h"
#include "model_parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int quire_model_tokenizer_open(struct quire_model_tokenizer *t, const char *directory,
			       uint32_t vocab)
{
	char path[PATH_MAX];
	struct stat st;
	int rc;

	*t = (struct quire_model_tokenizer){.tokenizer = NULL};
	if (snprintf(path, sizeof(path), "%s/tokenizer.json", directory) >= (int)sizeof(path) ||
	    (stat(path, &st) != 0 && errno == ENOENT))
		return 0;
	if ((rc = quire_tokenizer_open(&t->tokenizer, directory)))
		return rc;
	t->entries = quire_tokenizer_vocab(t->tokenizer);
	t->kind = quire_tokenizer_kind(t->tokenizer);
	t->template = quire_tokenizer_chat_template(t->tokenizer) != NULL;
	t->chat = quire_chat_family(t->tokenizer);
	for (uint32_t id = 0; id < t->entries; id++)
		t->specials += quire_tokenizer_special(t->tokenizer, id);
	if (t->entries > vocab) {
		rc = quire_fail(-EINVAL, "%s: %u entries, but the model's embedding has %u rows",
				path, t->entries, vocab);
		quire_model_tokenizer_close(t);
	}
	return rc;
}

void quire_model_tokenizer_close(struct quire_model_tokenizer *t)
{
	if (t->tokenizer)
		quire_tokenizer_close(t->tokenizer);
	t->tokenizer = NULL;
}

const char *quire_model_token(const struct quire_model_tokenizer *t, uint32_t id)
{
	const char *piece = t->tokenizer ? quire_tokenizer_piece(t->tokenizer, id, NULL) : NULL;

	/* A terminal is no place for the control characters of a stranger's file. */
	for (const unsigned char *at = (const unsigned char *)piece; at && *at; at++) {
		if (*at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
			return "";
	}
	return piece ? piece : "";
}
