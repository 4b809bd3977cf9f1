/*
 * chat.c - a conversation in the pieces of a family's template.
 *
 * What each family prints stands in chat_template.h.  strip() and trim are Python's.
 */
#include "chat.h"

#include "chat_template.h"
#include "tokenizer_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	const struct quire_tokenizer *t;
	const struct quire_chat_style *style;
	struct quire_chat *chat;
	int rc; /* of the first call that failed; the others do nothing */
};

static void put(struct writer *w, const char *text, size_t bytes, bool special)
{
	void *pieces = w->chat->pieces;

	if (w->rc || bytes == 0)
		return;
	w->rc = quire_grow(&pieces, &w->chat->room, w->chat->count + 1, sizeof(*w->chat->pieces));
	w->chat->pieces = pieces;
	if (w->rc == 0)
		w->chat->pieces[w->chat->count++] =
			(struct quire_piece){.text = text, .bytes = bytes, .special = special};
}

/* The template's own words. */
static void mark(struct writer *w, const char *text)
{
	put(w, text, strlen(text), true);
}

static void mark_token(struct writer *w, const char *name, uint32_t id)
{
	const char *text = quire_tokenizer_piece(w->t, id, NULL);

	if (text)
		mark(w, text);
	else if (w->rc == 0)
		w->rc = quire_fail(-EINVAL, "chat template: tokenizer_config.json names no %s",
				   name);
}

static void say(struct writer *w, const struct quire_message *message)
{
	put(w, message->text, message->bytes, false);
}

/* White space of Python's strip(). */
static bool is_space(uint32_t code)
{
	return (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x20) || code == 0x85 ||
	       code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
	       code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f ||
	       code == 0x3000;
}

static struct quire_message strip_end(struct quire_message message)
{
	while (message.bytes) {
		const size_t at = quire_utf8_before(message.text, message.bytes);
		size_t length;

		if (quire_utf8_next(message.text + at, message.bytes - at, &length) !=
			    QUIRE_UTF8_WHOLE ||
		    length != message.bytes - at ||
		    !is_space(quire_utf8_code(message.text + at, length)))
			break;
		message.bytes = at;
	}
	return message;
}

static struct quire_message strip(struct quire_message message)
{
	size_t length;

	message = strip_end(message);
	while (message.bytes &&
	       quire_utf8_next(message.text, message.bytes, &length) == QUIRE_UTF8_WHOLE &&
	       is_space(quire_utf8_code(message.text, length))) {
		message.text += length;
		message.bytes -= length;
	}
	return message;
}

/* What stands behind the last "</think>", without line ends before it. */
static struct quire_message drop_thoughts(struct quire_message message)
{
	static const char end[] = "</think>";
	const size_t bytes = sizeof(end) - 1;

	for (size_t at = message.bytes; at >= bytes; at--) {
		if (memcmp(message.text + at - bytes, end, bytes) != 0)
			continue;
		while (at < message.bytes && message.text[at] == '\n')
			at++;
		message.text += at;
		message.bytes -= at;
		break;
	}
	return message;
}

/* ---- the families ---- */

static const char *const roles[] = {
	[QUIRE_SYSTEM] = "system", [QUIRE_USER] = "user", [QUIRE_ASSISTANT] = "assistant"};

static void chatml(struct writer *w, const struct quire_message *messages, size_t count)
{
	if (w->style->system && messages[0].role != QUIRE_SYSTEM) {
		mark(w, "<|im_start|>system\n");
		mark(w, w->style->system);
		mark(w, "<|im_end|>\n");
	}
	for (size_t i = 0; i < count; i++) {
		const bool drops = messages[i].role == QUIRE_ASSISTANT && w->style->drops_thoughts;
		const struct quire_message message =
			drops ? drop_thoughts(messages[i]) : messages[i];

		mark(w, "<|im_start|>");
		mark(w, roles[message.role]);
		mark(w, "\n");
		say(w, &message);
		mark(w, "<|im_end|>\n");
	}
	mark(w, "<|im_start|>assistant\n");
}

static void llama3_turn(struct writer *w, enum quire_role role, const char *dates,
			const struct quire_message *said)
{
	mark(w, "<|start_header_id|>");
	mark(w, roles[role]);
	mark(w, "<|end_header_id|>\n\n");
	mark(w, dates);
	if (said) {
		const struct quire_message stripped = strip(*said);

		say(w, &stripped);
	}
	mark(w, "<|eot_id|>");
}

static void llama3(struct writer *w, const struct quire_message *messages, size_t count)
{
	/* Not today: one conversation is one prompt, whenever it is. */
	static const char dates[] =
		"Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
	size_t first = 0;

	mark_token(w, "bos_token", quire_tokenizer_bos(w->t));
	if (w->style->dated) {
		first = messages[0].role == QUIRE_SYSTEM;
		llama3_turn(w, QUIRE_SYSTEM, dates, first ? &messages[0] : NULL);
	}
	for (size_t i = first; i < count; i++)
		llama3_turn(w, messages[i].role, "", &messages[i]);
	mark(w, "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

/* A system's message, if any, then by turns a user's and an assistant's. */
static bool alternate(const struct quire_message *messages, size_t count)
{
	const size_t first = messages[0].role == QUIRE_SYSTEM;

	for (size_t i = first; i < count; i++)
		if (messages[i].role != ((i - first) % 2 ? QUIRE_ASSISTANT : QUIRE_USER))
			return false;
	return true;
}

static void llama2(struct writer *w, const struct quire_message *messages, size_t count)
{
	const size_t first = messages[0].role == QUIRE_SYSTEM;

	for (size_t i = first; i < count; i++) {
		const bool with_system = first && i == first;
		struct quire_message said = strip(messages[i]);

		if (said.role == QUIRE_ASSISTANT) {
			mark(w, " ");
			say(w, &said);
			mark(w, " ");
			mark_token(w, "eos_token", quire_tokenizer_eos(w->t));
			continue;
		}
		mark_token(w, "bos_token", quire_tokenizer_bos(w->t));
		mark(w, "[INST] ");
		if (with_system) { /* it and what follows are stripped as one */
			mark(w, "<<SYS>>\n");
			say(w, &messages[0]);
			mark(w, said.bytes ? "\n<</SYS>>\n\n" : "\n<</SYS>>");
			said = strip_end(messages[i]);
		}
		say(w, &said);
		mark(w, " [/INST]");
	}
}

static void mistral(struct writer *w, const struct quire_message *messages, size_t count)
{
	const struct quire_chat_style *style = w->style;
	const size_t first = messages[0].role == QUIRE_SYSTEM;
	const size_t with_system = style->system_turn == QUIRE_SYSTEM_LAST ? count - 1 : first;

	if (first && style->system_turn == QUIRE_SYSTEM_NEVER) {
		w->rc = quire_fail(-EINVAL,
				   "chat template: it has no place for a system's message");
		return;
	}
	mark_token(w, "bos_token", quire_tokenizer_bos(w->t));
	for (size_t i = first; i < count; i++) {
		if (messages[i].role == QUIRE_ASSISTANT) {
			const struct quire_message said =
				style->trims_answer ? strip(messages[i]) : messages[i];

			mark(w, style->answer);
			say(w, &said);
			mark_token(w, "eos_token", quire_tokenizer_eos(w->t));
			continue;
		}
		mark(w, style->before);
		if (first && i == with_system) {
			say(w, &messages[0]);
			mark(w, "\n\n");
		}
		say(w, &messages[i]);
		mark(w, style->after);
	}
}

/* ---- all of them ---- */

static int write_all(struct writer *w, const struct quire_message *messages, size_t count)
{
	const bool by_turns = w->style->family == QUIRE_LLAMA2 || w->style->family == QUIRE_MISTRAL;

	if (count == 0 || messages[count - 1].role != QUIRE_USER)
		return quire_fail(-EINVAL, "chat: the last message must be a user's");
	if (by_turns && !alternate(messages, count))
		return quire_fail(-EINVAL, "chat template: messages of user and assistant must "
					   "alternate, behind one of the system at most");
	switch (w->style->family) {
	case QUIRE_CHATML:
		chatml(w, messages, count);
		break;
	case QUIRE_LLAMA3:
		llama3(w, messages, count);
		break;
	case QUIRE_LLAMA2:
		llama2(w, messages, count);
		break;
	default:
		mistral(w, messages, count);
	}
	return w->rc;
}

static int find_style(const struct quire_tokenizer *t, struct quire_chat_style *style)
{
	const char *text = quire_tokenizer_chat_template(t);

	if (!text)
		return quire_fail(-ENOTSUP, "chat template: the tokenizer names none");
	return quire_chat_style_find(style, text);
}

const char *quire_chat_family(const struct quire_tokenizer *t)
{
	static const char *const names[] = {[QUIRE_CHATML] = "chatml",
					    [QUIRE_LLAMA3] = "llama3",
					    [QUIRE_LLAMA2] = "llama2",
					    [QUIRE_MISTRAL] = "mistral"};
	struct quire_chat_style style = {.system = NULL};

	if (find_style(t, &style))
		return NULL;
	free(style.system);
	return names[style.family];
}

int quire_chat_format(const struct quire_tokenizer *t, const struct quire_message *messages,
		      size_t count, struct quire_chat *chat)
{
	struct quire_chat_style style = {.system = NULL};
	struct writer w = {.t = t, .style = &style, .chat = chat};
	int rc = find_style(t, &style);

	*chat = (struct quire_chat){.system = style.system};
	if (rc == 0)
		rc = write_all(&w, messages, count);
	if (rc)
		quire_chat_free(chat);
	return rc;
}

void quire_chat_free(struct quire_chat *chat)
{
	free(chat->pieces);
	free(chat->system);
	*chat = (struct quire_chat){.pieces = NULL};
}

int quire_chat_encode(const struct quire_tokenizer *t, const struct quire_message *messages,
		      size_t count, struct quire_tokens *out)
{
	struct quire_chat chat;
	int rc = quire_chat_format(t, messages, count, &chat);

	if (rc)
		return rc;
	rc = quire_tokenizer_encode_pieces(t, chat.pieces, chat.count, 0, out);
	quire_chat_free(&chat);
	return rc;
}
