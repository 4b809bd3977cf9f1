/*
 * tokenizer_open.c - a tokenizer from its tokenizer.json and tokenizer_config.json.
 *
 * Strict: every object of tokenizer.json is read or refused; nothing in it is passed over
 * but "truncation" and "padding", which are a caller's business.  tokenizer_config.json
 * is a list of settings of the transformers library; of it are read bos_token, eos_token,
 * add_bos_token, add_eos_token, added_tokens_decoder and chat_template.  A file
 * chat_template.jinja counts before that.
 */
#include "tokenizer_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX	   (64 << 20)
#define TEMPLATE_BYTES_MAX (1 << 20)

/* ---- files ---- */

/* Read @path as JSON.  Return: 0; -ENOENT and other errors; -EINVAL. */
static int load(const char *path, json_t **root)
{
	FILE *in = fopen(path, "rb");
	json_error_t error;
	struct stat about;
	int rc = 0;

	*root = NULL;
	if (!in)
		return quire_fail(-errno, "%s: %s", path, strerror(errno));
	if (fstat(fileno(in), &about))
		rc = quire_fail(-errno, "%s: %s", path, strerror(errno));
	else if (about.st_size > FILE_BYTES_MAX)
		rc = quire_fail(-EINVAL, "%s: %lld bytes, expected %d at most", path,
				(long long)about.st_size, FILE_BYTES_MAX);
	if (rc)
		goto out_close;
	*root = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
	if (!*root)
		rc = quire_fail(-EINVAL, "%s:%d: %s", path, error.line, error.text);
	else if (!json_is_object(*root))
		rc = quire_fail(-EINVAL, "%s: expected an object", path);
	if (rc) {
		json_decref(*root);
		*root = NULL;
	}
out_close:
	fclose(in);
	return rc;
}

/* The file @name beside @path.  The caller frees it; NULL: out of memory. */
static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	const int folder = slash ? (int)(slash - path + 1) : 0;
	const size_t room = (size_t)folder + strlen(name) + 1;
	char *made = malloc(room);

	if (made)
		snprintf(made, room, "%.*s%s", folder, path, name);
	return made;
}

/* tokenizer.json itself, whatever @path is.  The same. */
static char *json_path(const char *path)
{
	struct stat about;
	size_t room = strlen(path) + sizeof("/tokenizer.json");
	char *made;

	if (stat(path, &about) || !S_ISDIR(about.st_mode))
		return strdup(path);
	made = malloc(room);
	if (made)
		snprintf(made, room, "%s/tokenizer.json", path);
	return made;
}

/* ---- tokenizer.json ---- */

static int read_root(struct quire_tokenizer *t, const char *path, const json_t *root)
{
	const struct quire_node top = {path, "the file", root};
	const struct quire_node added = {path, "added_tokens",
					 json_object_get(root, "added_tokens")};
	const struct quire_node model = {path, "model", json_object_get(root, "model")};
	const struct quire_node normalizer = {path, "normalizer",
					      json_object_get(root, "normalizer")};
	const struct quire_node pre = {path, "pre_tokenizer",
				       json_object_get(root, "pre_tokenizer")};
	const struct quire_node processor = {path, "post_processor",
					     json_object_get(root, "post_processor")};
	const struct quire_node decoder = {path, "decoder", json_object_get(root, "decoder")};
	const char *version = "1.0";
	int rc;

	if ((rc = quire_node_keys(&top, "version|truncation|padding|added_tokens|normalizer|"
					"pre_tokenizer|post_processor|decoder|model")) ||
	    (rc = quire_node_text(&top, "version", &version)))
		return rc;
	if (strcmp(version, "1.0") != 0)
		return quire_node_fail(&top, -ENOTSUP, "version '%.40s' is not built; 1.0 is",
				       version);
	if ((rc = quire_normalizer_read(&t->normalizer, &normalizer)) ||
	    (rc = quire_pretokenizer_read(&t->pretokenizer, &pre)) ||
	    (rc = quire_decoder_read(&t->decoder, &decoder)) ||
	    (rc = quire_tokenizer_read_model(t, &model, &added)))
		return rc;
	return quire_tokenizer_read_frame(t, &processor);
}

static int read_config(struct quire_tokenizer *t, const char *path)
{
	struct quire_node node = {path, "the file", NULL};
	json_t *root;
	int rc = load(path, &root);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	if (rc)
		return rc;
	node.json = root;
	rc = quire_tokenizer_read_config(t, &node);
	json_decref(root);
	return rc;
}

/* The chat template in a file of its own, if there is one. */
static int read_template(struct quire_tokenizer *t, const char *path)
{
	FILE *in = fopen(path, "rb");
	char *text;
	size_t bytes;
	int rc = 0;

	if (!in)
		return 0;
	text = calloc(1, TEMPLATE_BYTES_MAX + 1);
	bytes = text ? fread(text, 1, TEMPLATE_BYTES_MAX + 1, in) : 0;
	if (!text)
		rc = quire_fail(-ENOMEM, "%s: out of memory", path);
	else if (ferror(in))
		rc = quire_fail(-EIO, "%s: %s", path, strerror(errno));
	else if (bytes > TEMPLATE_BYTES_MAX || strlen(text) != bytes)
		rc = quire_fail(-EINVAL, "%s: expected a text of %d bytes at most", path,
				TEMPLATE_BYTES_MAX);
	fclose(in);
	if (rc == 0) {
		free(t->chat_template);
		t->chat_template = strdup(text);
		if (!t->chat_template)
			rc = quire_fail(-ENOMEM, "%s: out of memory", path);
	}
	free(text);
	return rc;
}

/* ---- the tokenizer ---- */

int quire_tokenizer_open(struct quire_tokenizer **t, const char *path)
{
	struct quire_tokenizer *made = calloc(1, sizeof(*made));
	char *file = json_path(path), *config = file ? beside(file, "tokenizer_config.json") : NULL;
	char *template = file ? beside(file, "chat_template.jinja") : NULL;
	json_t *root = NULL;
	int rc = 0;

	*t = NULL;
	if (!made || !file || !config || !template)
		rc = quire_fail(-ENOMEM, "tokenizer %s: out of memory", path);
	if (rc == 0)
		rc = load(file, &root);
	if (rc == 0) {
		made->bos = made->eos = QUIRE_TOKEN_NONE;
		rc = read_root(made, file, root);
		json_decref(root);
	}
	if (rc == 0)
		rc = read_config(made, config);
	if (rc == 0)
		rc = read_template(made, template);
	if (rc)
		quire_tokenizer_close(made);
	else
		*t = made;
	free(file);
	free(config);
	free(template);
	return rc;
}

void quire_tokenizer_close(struct quire_tokenizer *t)
{
	if (!t)
		return;
	quire_vocab_free(&t->vocab);
	quire_bpe_free(&t->bpe);
	quire_normalizer_free(&t->normalizer);
	quire_pretokenizer_free(&t->pretokenizer);
	quire_decoder_free(&t->decoder);
	quire_tokens_free(&t->prefix);
	quire_tokens_free(&t->suffix);
	free(t->added.list);
	free(t->added_normalized.list);
	free(t->added_store);
	free(t->chat_template);
	free(t);
}

uint32_t quire_tokenizer_vocab(const struct quire_tokenizer *t)
{
	return t->vocab.count;
}

const char *quire_tokenizer_piece(const struct quire_tokenizer *t, uint32_t id, size_t *bytes)
{
	const bool known = id < t->vocab.count && t->vocab.pieces[id].text;

	if (bytes)
		*bytes = known ? t->vocab.pieces[id].bytes : 0;
	return known ? t->vocab.pieces[id].text : NULL;
}

uint32_t quire_tokenizer_id(const struct quire_tokenizer *t, const char *piece)
{
	return quire_vocab_find(&t->vocab, piece, strlen(piece));
}

bool quire_tokenizer_special(const struct quire_tokenizer *t, uint32_t id)
{
	return id < t->vocab.count && t->vocab.pieces[id].special;
}

uint32_t quire_tokenizer_bos(const struct quire_tokenizer *t)
{
	return t->bos;
}

uint32_t quire_tokenizer_eos(const struct quire_tokenizer *t)
{
	return t->eos;
}

const char *quire_tokenizer_kind(const struct quire_tokenizer *t)
{
	return t->bpe.byte_level ? "byte-level BPE" : "SentencePiece BPE";
}

const char *quire_tokenizer_chat_template(const struct quire_tokenizer *t)
{
	return t->chat_template;
}
