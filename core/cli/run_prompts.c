/*
 * run_prompts.c - prompts, from the command line and from files, to tokens.
 */
#include "core/model/chat.h"
#include "core/util.h"
#include "run_parts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (64u << 20)

/* All of a file, less the newline at its end. */
static int read_file(const char *name, struct quire_run_prompt *prompt)
{
	const bool input = !strcmp(name, "-");
	FILE *file = input ? stdin : fopen(name, "r");
	size_t room = 0, n = 1;
	int rc = 0;

	if (!file)
		return quire_fail(-errno, "cannot read %s: %s", name, strerror(errno));
	while (rc == 0 && n) {
		if (prompt->bytes == room) {
			char *larger = realloc(prompt->text, room = room ? 2 * room : 4096);

			if (!larger || room > 2 * FILE_BYTES_MAX) {
				prompt->text = larger ? larger : prompt->text;
				rc = quire_fail(larger ? -EFBIG : -ENOMEM,
						"%s: larger than 64 MiB, or than what is free",
						name);
				break;
			}
			prompt->text = larger;
		}
		n = fread(prompt->text + prompt->bytes, 1, room - prompt->bytes, file);
		prompt->bytes += n;
	}
	if (rc == 0 && ferror(file))
		rc = quire_fail(-EIO, "cannot read %s: %s", input ? "standard input" : name,
				strerror(errno));
	if (!input)
		fclose(file);
	if (prompt->bytes && prompt->text[prompt->bytes - 1] == '\n')
		prompt->bytes--;
	if (prompt->bytes && prompt->text[prompt->bytes - 1] == '\r')
		prompt->bytes--;
	return rc;
}

static int read_source(const struct quire_run_source *source, struct quire_run_prompt *prompt)
{
	if (source->file)
		return read_file(source->text, prompt);
	prompt->bytes = strlen(source->text);
	prompt->text = malloc(prompt->bytes + 1);
	if (!prompt->text)
		return quire_fail(-ENOMEM, "out of memory for a prompt");
	memcpy(prompt->text, source->text, prompt->bytes);
	return 0;
}

/* "15 7, 300": tokens as they are. */
static int read_numbers(const struct quire_run *run, const struct quire_run_prompt *prompt,
			struct quire_tokens *tokens)
{
	const uint32_t vocab = run->loaded.checkpoint.model.vocab;
	const char *text = prompt->text, *end = text + prompt->bytes;
	char number[16];
	size_t n;

	tokens->ids = calloc(prompt->bytes + 1, sizeof(*tokens->ids));
	if (!tokens->ids)
		return quire_fail(-ENOMEM, "out of memory for a prompt");
	for (; text < end; text += n) {
		for (n = 0;
		     text + n < end && isspace((unsigned char)text[n]) == 0 && text[n] != ',';)
			n++;
		if (!n) {
			n = 1;
			continue;
		}
		snprintf(number, sizeof(number), "%.*s", n < 15 ? (int)n : 15, text);
		if (quire_parse_u32("a token", number, 0, vocab - 1, &tokens->ids[tokens->count++]))
			return quire_fail(-EINVAL, "%s; without a tokenizer, prompts are numbers",
					  quire_failure());
	}
	return 0;
}

static int encode(const struct quire_run *run, const struct quire_run_prompt *prompt,
		  struct quire_tokens *tokens)
{
	const struct quire_run_args *a = &run->args;
	const struct quire_message messages[] = {
		{QUIRE_SYSTEM, a->system, a->system ? strlen(a->system) : 0},
		{QUIRE_USER, prompt->text, prompt->bytes},
	};

	if (a->chat)
		return quire_chat_encode(run->loaded.tokenizer, &messages[a->system ? 0 : 1],
					 a->system ? 2 : 1, tokens);
	return quire_tokenizer_encode(
		run->loaded.tokenizer, prompt->text, prompt->bytes,
		QUIRE_ENCODE_FRAME | (a->special_tokens ? QUIRE_ENCODE_SPECIAL : 0), tokens);
}

int quire_run_read_prompts(struct quire_run *run)
{
	const struct quire_run_args *a = &run->args;

	if (!run->loaded.tokenizer && (a->chat || a->special_tokens || a->sampling.stops_count))
		return quire_fail(-EINVAL, "without a tokenizer there is no text, and so no %s",
				  a->chat	      ? "--chat"
				  : a->special_tokens ? "--special-tokens"
						      : "--stop");
	for (uint32_t i = 0; i < a->prompts_count; i++) {
		struct quire_run_prompt *prompt = &run->prompts[i];
		struct quire_tokens tokens = {.ids = NULL};
		int rc = read_source(&a->prompts[i], prompt);

		if (rc)
			return rc;
		if (prompt->bytes == 0)
			return quire_fail(-EINVAL, "prompt %u is empty", i + 1);
		rc = run->loaded.tokenizer ? encode(run, prompt, &tokens)
					   : read_numbers(run, prompt, &tokens);
		prompt->tokens = tokens.ids;
		if (rc)
			return quire_fail(rc, "prompt %u: %s", i + 1, quire_failure());
		if (tokens.count == 0)
			return quire_fail(-EINVAL, "prompt %u is empty", i + 1);
		if (tokens.count > UINT32_MAX / 2)
			return quire_fail(-EINVAL, "prompt %u has %zu tokens", i + 1, tokens.count);
		prompt->count = (uint32_t)tokens.count;
	}
	return 0;
}

const char *quire_run_piece(const struct quire_run *run, uint32_t token)
{
	const char *piece = NULL;

	if (run->loaded.tokenizer)
		piece = quire_tokenizer_piece(run->loaded.tokenizer, token, NULL);
	return piece ? piece : "";
}
