/*
 * chat_template.h - what a chat template in Jinja is recognised as; for chat.c.
 */
#ifndef QUIRE_CHAT_TEMPLATE_H
#define QUIRE_CHAT_TEMPLATE_H

#include <quire/quire.h>

enum quire_chat_family {
	QUIRE_CHATML,  /* <|im_start|>user\n...<|im_end|>\n */
	QUIRE_LLAMA3,  /* <|start_header_id|>user<|end_header_id|>\n\n...<|eot_id|> */
	QUIRE_LLAMA2,  /* <s>[INST] <<SYS>>\n...\n<</SYS>>\n\n... [/INST] ... </s> */
	QUIRE_MISTRAL, /* <s>[INST] ... [/INST]...</s> */
};

enum quire_system { QUIRE_SYSTEM_NEVER, QUIRE_SYSTEM_FIRST, QUIRE_SYSTEM_LAST };

struct quire_chat_style {
	enum quire_chat_family family;
	bool drops_thoughts;	       /* CHATML: of earlier answers, what stands before </think> */
	bool dated;		       /* LLAMA3: a first system turn tells dates */
	const char *before, *after;    /* MISTRAL: around what a user says */
	const char *answer;	       /* MISTRAL: before what the assistant says */
	bool trims_answer;	       /* MISTRAL */
	enum quire_system system_turn; /* MISTRAL: the user's turn that the system's is put into */
	char *system;		       /* CHATML: a system turn for those without; or NULL */
};

/* What @path's template @text is.  Return: 0, and style->system is the caller's to free;
 * -ENOTSUP, with a sentence; -ENOMEM. */
int quire_chat_style_find(struct quire_chat_style *style, const char *text);

#endif /* QUIRE_CHAT_TEMPLATE_H */
