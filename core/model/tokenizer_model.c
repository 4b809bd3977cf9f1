/*
 * tokenizer_model.c - vocabulary, added tokens and merges of a tokenizer.json.
 */
#include "tokenizer_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ADDED_BYTES_MAX 1024 /* of an added token */

/* ---- the vocabulary: that of the model, and added tokens ---- */

struct list {
	struct quire_vocab_piece *pieces;
	size_t count, room;
};

static int list_add(struct list *list, const struct quire_node *node, const char *text,
		    json_int_t id, bool model)
{
	void *pieces = list->pieces;
	int rc;

	if (id < 0 || id >= QUIRE_TOKEN_IDS_MAX)
		return quire_node_fail(node, -EINVAL,
				       "id %" JSON_INTEGER_FORMAT " of '%.60s', expected 0 to %u",
				       id, text, QUIRE_TOKEN_IDS_MAX - 1);
	rc = quire_grow(&pieces, &list->room, list->count + 1, sizeof(*list->pieces));
	list->pieces = pieces;
	if (rc == 0)
		list->pieces[list->count++] =
			(struct quire_vocab_piece){.text = text,
						   .bytes = (uint32_t)strlen(text),
						   .id = (uint32_t)id,
						   .model = model};
	return rc;
}

static int list_vocab(struct list *list, const struct quire_node *model)
{
	const struct quire_node node = {model->path, "model: vocab",
					json_object_get(model->json, "vocab")};
	const char *text;
	json_t *id;

	if (!json_is_object(node.json))
		return quire_node_fail(&node, -EINVAL, "expected an object");
	json_object_foreach((json_t *)node.json, text, id)
	{
		int rc;

		if (!json_is_integer(id))
			return quire_node_fail(&node, -EINVAL,
					       "the id of '%.60s' must be a whole number", text);
		rc = list_add(list, &node, text, json_integer_value(id), true);
		if (rc)
			return rc;
	}
	return 0;
}

static int list_added(struct list *list, const struct quire_node *added, const json_t *vocab)
{
	json_t *item;
	size_t index;

	json_array_foreach((json_t *)added->json, index, item)
	{
		const struct quire_node node = {added->path, added->where, item};
		const json_t *id = json_object_get(item, "id"), *known;
		const char *text = NULL;
		int rc;

		if ((rc = quire_node_keys(&node, "id|content|single_word|lstrip|rstrip|normalized|"
						 "special")) ||
		    (rc = quire_node_name(&node, "content", &text)))
			return rc;
		if (!*text || strlen(text) > ADDED_BYTES_MAX)
			return quire_node_fail(&node, -EINVAL,
					       "a content of %zu bytes, expected 1 to %d",
					       strlen(text), ADDED_BYTES_MAX);
		if (!json_is_integer(id))
			return quire_node_fail(&node, -EINVAL,
					       "the id of '%.60s' must be a whole number", text);
		known = json_object_get(vocab, text);
		if (known && json_integer_value(known) != json_integer_value(id))
			return quire_node_fail(&node, -EINVAL,
					       "'%.60s' has id %" JSON_INTEGER_FORMAT
					       " here, and %" JSON_INTEGER_FORMAT " in the model",
					       text, json_integer_value(id),
					       json_integer_value(known));
		rc = known ? 0 : list_add(list, &node, text, json_integer_value(id), false);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_vocab(struct quire_tokenizer *t, const struct quire_node *model,
		      const struct quire_node *added)
{
	struct list list = {.pieces = NULL};
	json_t *item;
	size_t index;
	int rc = list_vocab(&list, model);

	if (rc == 0)
		rc = list_added(&list, added, json_object_get(model->json, "vocab"));
	if (rc == 0)
		rc = quire_vocab_make(&t->vocab, model->path, list.pieces, list.count);
	free(list.pieces);
	if (rc)
		return rc;
	json_array_foreach((json_t *)added->json, index, item)
	{
		const json_int_t id = json_integer_value(json_object_get(item, "id"));

		t->vocab.pieces[id].special = json_is_true(json_object_get(item, "special"));
	}
	return 0;
}

/* ---- added tokens, to be found in texts ---- */

static int read_flags(const struct quire_node *node, struct quire_added *token, bool *normalized)
{
	int rc;

	if ((rc = quire_node_flag(node, "special", &token->special)) ||
	    (rc = quire_node_flag(node, "single_word", &token->single_word)) ||
	    (rc = quire_node_flag(node, "lstrip", &token->lstrip)) ||
	    (rc = quire_node_flag(node, "rstrip", &token->rstrip)))
		return rc;
	return quire_node_flag(node, "normalized", normalized);
}

/* Append its normalized text to @store. */
static int add_normalized(const struct quire_tokenizer *t, const struct quire_node *node,
			  struct quire_added *token, struct quire_text *store)
{
	struct quire_marked marked = {.runs = NULL}, spare = {.runs = NULL};
	int rc = quire_text_add(&marked.text, token->text, token->bytes);

	if (rc == 0)
		rc = quire_marked_end_run(&marked, true);
	if (rc == 0)
		rc = quire_normalize(&t->normalizer, &marked, &spare);
	if (rc == 0 && marked.text.bytes == 0)
		rc = quire_node_fail(node, -EINVAL, "'%.60s' is nothing when normalized",
				     token->text);
	if (rc == 0)
		rc = quire_text_add(store, marked.text.text, marked.text.bytes);
	token->bytes = (uint32_t)marked.text.bytes;
	quire_marked_free(&marked);
	quire_marked_free(&spare);
	return rc;
}

/* Into one of the two sets; texts of added_normalized lie in @store, one behind the other. */
static int add_token(struct quire_tokenizer *t, const struct quire_node *node,
		     struct quire_text *store)
{
	const uint32_t id = (uint32_t)json_integer_value(json_object_get(node->json, "id"));
	struct quire_added token = {
		.text = t->vocab.pieces[id].text, .bytes = t->vocab.pieces[id].bytes, .id = id};
	bool normalized = false;
	int rc = read_flags(node, &token, &normalized);

	if (rc == 0 && !normalized)
		t->added.list[t->added.count++] = token;
	if (rc == 0 && normalized)
		rc = add_normalized(t, node, &token, store);
	if (rc == 0 && normalized)
		t->added_normalized.list[t->added_normalized.count++] = token;
	return rc;
}

static int read_added(struct quire_tokenizer *t, const struct quire_node *added)
{
	struct quire_added_set *set = &t->added_normalized;
	const size_t count = json_array_size(added->json);
	struct quire_text store = {.text = NULL};
	size_t at = 0;
	int rc = 0;

	t->added.list = calloc(count + 1, sizeof(*t->added.list));
	set->list = calloc(count + 1, sizeof(*set->list));
	if (!t->added.list || !set->list)
		return quire_fail(-ENOMEM, "%s: out of memory", added->path);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		const struct quire_node node = {added->path, added->where,
						json_array_get(added->json, i)};

		rc = add_token(t, &node, &store);
	}
	t->added_store = store.text;
	for (size_t i = 0; rc == 0 && i < set->count; at += set->list[i++].bytes)
		set->list[i].text = store.text + at;
	if (rc == 0)
		rc = quire_added_make(&t->added, added->path);
	if (rc == 0)
		rc = quire_added_make(set, added->path);
	for (uint32_t i = 0; rc == 0 && i < set->count; i++)
		t->vocab.pieces[set->list[i].id].normalized = i + 1;
	return rc;
}

/* ---- the model ---- */

/* The id of a piece of the model, which a merge names. */
static int merge_piece(const struct quire_tokenizer *t, const struct quire_node *node, size_t index,
		       const char *text, size_t bytes, uint32_t *id)
{
	*id = quire_vocab_find(&t->vocab, text, bytes);
	if (*id == QUIRE_TOKEN_NONE || !t->vocab.pieces[*id].model)
		return quire_node_fail(node, -EINVAL,
				       "merge %zu names '%.*s', which is not in the vocabulary",
				       index, (int)(bytes < 60 ? bytes : 60), text);
	return 0;
}

/* "a b" or ["a", "b"]. */
static int read_merge(const struct quire_tokenizer *t, const struct quire_node *node, size_t index,
		      const json_t *json, struct quire_text *whole, struct quire_merge *merge)
{
	const char *left = json_string_value(json), *right = left ? strchr(left, ' ') : NULL;
	size_t left_bytes;
	int rc;

	if (right) {
		left_bytes = (size_t)(right++ - left);
	} else {
		left = json_string_value(json_array_get(json, 0));
		right = json_string_value(json_array_get(json, 1));
		left_bytes = left ? strlen(left) : 0;
	}
	if (!left || !right || (json_is_string(json) && strchr(right, ' ')) ||
	    (json_is_array(json) && json_array_size(json) != 2))
		return quire_node_fail(node, -EINVAL, "merge %zu is not a pair of pieces", index);
	whole->bytes = 0;
	merge->rank = (uint32_t)index;
	if ((rc = merge_piece(t, node, index, left, left_bytes, &merge->left)) ||
	    (rc = merge_piece(t, node, index, right, strlen(right), &merge->right)) ||
	    (rc = quire_text_add(whole, left, left_bytes)) ||
	    (rc = quire_text_add(whole, right, strlen(right))))
		return rc;
	return merge_piece(t, node, index, whole->text, whole->bytes, &merge->id);
}

static int read_merges(struct quire_tokenizer *t, const struct quire_node *model)
{
	const struct quire_node node = {model->path, "model: merges",
					json_object_get(model->json, "merges")};
	const size_t count = json_array_size(node.json);
	struct quire_text whole = {.text = NULL};
	struct quire_merge *merges;
	int rc = 0;

	if (!json_is_array(node.json))
		return quire_node_fail(&node, -EINVAL, "expected a list");
	merges = malloc((count + 1) * sizeof(*merges));
	if (!merges)
		return quire_fail(-ENOMEM, "%s: out of memory", model->path);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = read_merge(t, &node, i, json_array_get(node.json, i), &whole, &merges[i]);
	quire_text_free(&whole);
	if (rc)
		free(merges);
	else
		rc = quire_bpe_make(&t->bpe, model->path, merges, count);
	return rc;
}

static int check_none(const struct quire_node *node, const char *key)
{
	const json_t *value = json_object_get(node->json, key);

	if (!value || json_is_null(value) || (json_is_string(value) && !*json_string_value(value)))
		return 0;
	return quire_node_fail(node, -ENOTSUP, "key '%s' is not built", key);
}

static int read_bpe(struct quire_tokenizer *t, const struct quire_node *node)
{
	const json_t *dropout = json_object_get(node->json, "dropout");
	const char *type = "BPE", *unknown = NULL;
	struct quire_bpe *bpe = &t->bpe;
	int rc;

	bpe->vocab = &t->vocab;
	bpe->byte_level = t->pretokenizer.byte_level;
	bpe->unknown = QUIRE_TOKEN_NONE;
	if ((rc = quire_node_text(node, "type", &type)))
		return rc;
	if (strcmp(type, "BPE") != 0)
		return quire_node_fail(node, -ENOTSUP, "type '%.40s' is not built; BPE is", type);
	if ((rc = quire_node_keys(node, "type|dropout|unk_token|continuing_subword_prefix|"
					"end_of_word_suffix|fuse_unk|byte_fallback|ignore_merges|"
					"vocab|merges")) ||
	    (rc = quire_node_text(node, "unk_token", &unknown)) ||
	    (rc = check_none(node, "continuing_subword_prefix")) ||
	    (rc = check_none(node, "end_of_word_suffix")) ||
	    (rc = quire_node_flag(node, "fuse_unk", &bpe->fuse_unknown)) ||
	    (rc = quire_node_flag(node, "byte_fallback", &bpe->byte_fallback)) ||
	    (rc = quire_node_flag(node, "ignore_merges", &bpe->ignore_merges)))
		return rc;
	if (dropout && !json_is_null(dropout) &&
	    !(json_is_number(dropout) && json_number_value(dropout) == 0.0))
		return quire_node_fail(node, -ENOTSUP, "key 'dropout' is not built");
	if (bpe->byte_level && bpe->byte_fallback)
		return quire_node_fail(node, -ENOTSUP, "byte_fallback with ByteLevel is not built");
	if (unknown) {
		bpe->unknown = quire_vocab_find(&t->vocab, unknown, strlen(unknown));
		if (bpe->unknown == QUIRE_TOKEN_NONE || !t->vocab.pieces[bpe->unknown].model)
			return quire_node_fail(node, -EINVAL,
					       "unk_token '%.60s' is not in the vocabulary",
					       unknown);
	}
	return read_merges(t, node);
}

int quire_tokenizer_read_model(struct quire_tokenizer *t, const struct quire_node *model,
			       const struct quire_node *added)
{
	int rc;

	if (!json_is_object(model->json))
		return quire_node_fail(model, -EINVAL, "expected an object");
	if (added->json && !json_is_null(added->json) && !json_is_array(added->json))
		return quire_node_fail(added, -EINVAL, "expected a list");
	rc = read_vocab(t, model, added);
	if (rc == 0)
		rc = read_added(t, added);
	return rc ? rc : read_bpe(t, model);
}
