/*
 * tokenizer_config.c - what is put around a text, and what tokenizer_config.json adds.
 */
#include "tokenizer_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the frame ---- */

enum { FRAME_TOKENS_MAX = 64 };

/* The ids of a special token that a template names. */
static int add_frame(struct quire_tokenizer *t, const struct quire_node *node, const json_t *piece,
		     struct quire_tokens *out)
{
	const char *name = json_string_value(json_object_get(piece, "id"));
	const json_t *known = json_object_get(node->json, "special_tokens");
	const json_t *ids = json_object_get(json_object_get(known, name ? name : ""), "ids");
	json_t *id;
	size_t index;

	if (!name || !json_is_array(ids))
		return quire_node_fail(node, -EINVAL,
				       "special token '%.60s' has no ids in special_tokens",
				       name ? name : "");
	json_array_foreach((json_t *)ids, index, id)
	{
		const json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;
		int rc;

		if (value < 0 || value >= t->vocab.count || !t->vocab.pieces[value].text)
			return quire_node_fail(node, -EINVAL,
					       "an id of special token '%.60s' is that of no token",
					       name);
		if (out->count == FRAME_TOKENS_MAX)
			return quire_node_fail(node, -ENOTSUP, "more than %d tokens are not built",
					       FRAME_TOKENS_MAX);
		rc = quire_tokens_add(out, (uint32_t)value);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_template(struct quire_tokenizer *t, const struct quire_node *node)
{
	struct quire_tokens *out = &t->prefix;
	const json_t *single;
	json_t *item;
	size_t index;
	int rc;

	if ((rc = quire_node_keys(node, "type|single|pair|special_tokens")) ||
	    (rc = quire_node_array(node, "single", &single)))
		return rc;
	if (t->prefix.count || t->suffix.count)
		return quire_node_fail(node, -ENOTSUP, "several templates are not built");
	json_array_foreach((json_t *)single, index, item)
	{
		const json_t *special = json_object_get(item, "SpecialToken");
		const json_t *sequence = json_object_get(item, "Sequence");
		const char *id = json_string_value(json_object_get(sequence, "id"));

		if (special)
			rc = add_frame(t, node, special, out);
		else if (id && strcmp(id, "A") == 0 && out == &t->prefix)
			out = &t->suffix;
		else
			rc = quire_node_fail(node, -ENOTSUP,
					     "a template that is not special tokens around "
					     "Sequence A is not built");
		if (rc)
			return rc;
	}
	if (out == &t->prefix)
		return quire_node_fail(node, -EINVAL, "the template has no Sequence A");
	return 0;
}

static int read_processor(const struct quire_node *node, const char *type, void *arg)
{
	if (strcmp(type, "ByteLevel") == 0) /* of offsets, which we have none of */
		return quire_node_keys(node, "type|add_prefix_space|trim_offsets|use_regex");
	if (strcmp(type, "TemplateProcessing") == 0)
		return read_template(arg, node);
	return quire_node_fail(node, -ENOTSUP,
			       "'%.40s' is not built; TemplateProcessing and ByteLevel are", type);
}

int quire_tokenizer_read_frame(struct quire_tokenizer *t, const struct quire_node *node)
{
	return quire_node_each(node, "processors", read_processor, t);
}

/* ---- tokenizer_config.json ---- */

/* bos_token and eos_token: a text, or an added token. */
static int read_end(const struct quire_tokenizer *t, const struct quire_node *node, const char *key,
		    uint32_t *id)
{
	const json_t *value = json_object_get(node->json, key);
	const char *text;

	if (json_is_object(value))
		value = json_object_get(value, "content");
	if (!value || json_is_null(value))
		return 0;
	text = json_string_value(value);
	if (!text)
		return quire_node_fail(node, -EINVAL, "key '%s' must name a token", key);
	*id = quire_vocab_find(&t->vocab, text, strlen(text));
	if (*id == QUIRE_TOKEN_NONE)
		return quire_node_fail(node, -EINVAL,
				       "key '%s' names '%.60s', which is not in the vocabulary",
				       key, text);
	return 0;
}

/* Those that transformers would add must be there already. */
static int check_added(const struct quire_tokenizer *t, const struct quire_node *node)
{
	const json_t *list = json_object_get(node->json, "added_tokens_decoder");
	const char *key;
	json_t *token;

	json_object_foreach((json_t *)list, key, token)
	{
		const char *text = json_string_value(json_object_get(token, "content"));
		char id[16] = "";

		if (text)
			snprintf(id, sizeof(id), "%" PRIu32,
				 quire_vocab_find(&t->vocab, text, strlen(text)));
		if (!text || strcmp(id, key) != 0)
			return quire_node_fail(node, -ENOTSUP,
					       "added_tokens_decoder has '%.60s' at %.20s, which "
					       "tokenizer.json has not",
					       text ? text : "", key);
	}
	return 0;
}

/*
 * add_bos_token and add_eos_token: the tokenizers of Llama take them for the frame,
 * whatever tokenizer.json says; others do not.
 */
static int read_frame_flags(struct quire_tokenizer *t, const struct quire_node *node)
{
	const char *class = json_string_value(json_object_get(node->json, "tokenizer_class"));
	const json_t *bos = json_object_get(node->json, "add_bos_token");
	const json_t *eos = json_object_get(node->json, "add_eos_token");
	int rc = 0;

	if (!class || strncmp(class, "LlamaTokenizer", 14) != 0)
		return 0;
	if (json_is_boolean(bos)) {
		t->prefix.count = 0;
		if (json_is_true(bos) && t->bos != QUIRE_TOKEN_NONE)
			rc = quire_tokens_add(&t->prefix, t->bos);
	}
	if (rc == 0 && json_is_boolean(eos)) {
		t->suffix.count = 0;
		if (json_is_true(eos) && t->eos != QUIRE_TOKEN_NONE)
			rc = quire_tokens_add(&t->suffix, t->eos);
	}
	return rc;
}

/* One template; or several by name, of which "default" is meant. */
static int read_chat_template(struct quire_tokenizer *t, const struct quire_node *node)
{
	const json_t *value = json_object_get(node->json, "chat_template");
	json_t *item;
	size_t index;

	if (json_is_array(value)) {
		const json_t *list = value;

		value = NULL;
		json_array_foreach((json_t *)list, index, item)
		{
			const char *name = json_string_value(json_object_get(item, "name"));

			if (name && strcmp(name, "default") == 0)
				value = json_object_get(item, "template");
		}
	}
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return quire_node_fail(node, -EINVAL, "key 'chat_template' must be a text");
	t->chat_template = strdup(json_string_value(value));
	return t->chat_template ? 0 : quire_fail(-ENOMEM, "%s: out of memory", node->path);
}

int quire_tokenizer_read_config(struct quire_tokenizer *t, const struct quire_node *node)
{
	int rc;

	if ((rc = read_end(t, node, "bos_token", &t->bos)) ||
	    (rc = read_end(t, node, "eos_token", &t->eos)) || (rc = check_added(t, node)) ||
	    (rc = read_frame_flags(t, node)))
		return rc;
	return read_chat_template(t, node);
}
