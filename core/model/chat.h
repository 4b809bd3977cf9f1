/*
 * chat.h - a conversation as the text that a chat model was trained on.
 *
 * A tokenizer names its chat template, a program in Jinja.  It is not run.  By what is
 * characteristic in it, it is recognised as one of the families below, and that family
 * is written here in C; any other is refused with a sentence.
 *
 * What comes out is a list of pieces: the template's own markers, in which special
 * tokens count, and the messages, in which they do not.  So nobody can end their own
 * turn, or speak as somebody else, by writing "<|im_end|>".
 */
#ifndef QUIRE_CHAT_H
#define QUIRE_CHAT_H

#include "tokenizer.h"

enum quire_role { QUIRE_SYSTEM, QUIRE_USER, QUIRE_ASSISTANT };

struct quire_message {
	enum quire_role role;
	const char *text; /* [bytes] */
	size_t bytes;
};

/* "chatml", "llama2", "llama3", "mistral": the family of @t's template; static.
 * NULL: there is none, or it is unknown. */
const char *quire_chat_family(const struct quire_tokenizer *t);

/* A conversation in pieces.  They point into it, into the tokenizer and the messages. */
struct quire_chat {
	struct quire_piece *pieces; /* [count] its own */
	size_t count;
	size_t room;
	char *system; /* what the template says where nobody does, its own; or NULL */
};

/*
 * Make @chat from @count messages, up to where the assistant is to answer.
 * Return: 0; -ENOTSUP no template, or one that is not known; -EINVAL messages in an order
 * that the template refuses; -ENOMEM.
 */
int quire_chat_format(const struct quire_tokenizer *t, const struct quire_message *messages,
		      size_t count, struct quire_chat *chat);
void quire_chat_free(struct quire_chat *chat);

/* Append the tokens of the conversation: its pieces, encoded.  The template's own <s>
 * is among them, so nothing is framed.  Errors of both. */
int quire_chat_encode(const struct quire_tokenizer *t, const struct quire_message *messages,
		      size_t count, struct quire_tokens *out);

#endif /* QUIRE_CHAT_H */
