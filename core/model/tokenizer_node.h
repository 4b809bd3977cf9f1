/*
 * tokenizer_node.h - reading the objects of a tokenizer.json.
 *
 * Strict: a key that is not known, or of another type, is refused with a sentence that
 * names file, place and key.  All return 0; -EINVAL or -ENOTSUP, with that sentence.
 */
#ifndef QUIRE_TOKENIZER_NODE_H
#define QUIRE_TOKENIZER_NODE_H

#include <jansson.h>
#include <quire/quire.h>

/* An object of the file, and where it stands. */
struct quire_node {
	const char *path;  /* of the file */
	const char *where; /* "pre_tokenizer" */
	const json_t *json;
};

/* What must be said of @node: "path: where: ..." */
int quire_node_fail(const struct quire_node *node, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* It is an object, and has no keys but @keys, which are separated by "|". */
int quire_node_keys(const struct quire_node *node, const char *keys);
/* What is missing or null leaves *out as it is. */
int quire_node_flag(const struct quire_node *node, const char *key, bool *out);
int quire_node_count(const struct quire_node *node, const char *key, uint32_t max, uint32_t *out);
int quire_node_text(const struct quire_node *node, const char *key, const char **out);
/* A text that must be there. */
int quire_node_name(const struct quire_node *node, const char *key, const char **out);
/* An array that must be there. */
int quire_node_array(const struct quire_node *node, const char *key, const json_t **out);

/*
 * Call @step for the object, or for each object of a "Sequence" of them in turn (its
 * array is @list), at most QUIRE_NODE_STEPS in all.  A null is none.  Stops at the first
 * that fails, and returns that.
 */
#define QUIRE_NODE_STEPS 8
int quire_node_each(const struct quire_node *node, const char *list,
		    int (*step)(const struct quire_node *node, const char *type, void *arg),
		    void *arg);

#endif /* QUIRE_TOKENIZER_NODE_H */
