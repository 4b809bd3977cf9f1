/*
 * tokenizer_node.c - reading the objects of a tokenizer.json.
 */
#include "tokenizer_node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int quire_node_fail(const struct quire_node *node, int rc, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return quire_fail(rc, "%s: %s: %s", node->path, node->where, text);
}

static bool is_listed(const char *key, const char *keys)
{
	const size_t length = strlen(key);

	if (length == 0 || strchr(key, '|'))
		return false;
	for (const char *at = keys; (at = strstr(at, key)); at++)
		if ((at == keys || at[-1] == '|') && (at[length] == '|' || !at[length]))
			return true;
	return false;
}

int quire_node_keys(const struct quire_node *node, const char *keys)
{
	const char *key;
	json_t *value;

	if (!json_is_object(node->json))
		return quire_node_fail(node, -EINVAL, "expected an object");
	json_object_foreach((json_t *)node->json, key, value)
	{
		if (!is_listed(key, keys))
			return quire_node_fail(node, -ENOTSUP, "key '%.60s' is not known", key);
	}
	return 0;
}

/* NULL: it is missing or null. */
static const json_t *get(const struct quire_node *node, const char *key)
{
	const json_t *value = json_object_get(node->json, key);

	return json_is_null(value) ? NULL : value;
}

int quire_node_flag(const struct quire_node *node, const char *key, bool *out)
{
	const json_t *value = get(node, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return quire_node_fail(node, -EINVAL, "key '%s' must be true or false", key);
	*out = json_is_true(value);
	return 0;
}

int quire_node_count(const struct quire_node *node, const char *key, uint32_t max, uint32_t *out)
{
	const json_t *value = get(node, key);

	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > (json_int_t)max)
		return quire_node_fail(node, -EINVAL,
				       "key '%s' must be a whole number from 0 to %" PRIu32, key,
				       max);
	*out = (uint32_t)json_integer_value(value);
	return 0;
}

int quire_node_text(const struct quire_node *node, const char *key, const char **out)
{
	const json_t *value = get(node, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return quire_node_fail(node, -EINVAL, "key '%s' must be a text", key);
	*out = json_string_value(value);
	return 0;
}

int quire_node_name(const struct quire_node *node, const char *key, const char **out)
{
	if (!get(node, key))
		return quire_node_fail(node, -EINVAL, "key '%s' is missing", key);
	return quire_node_text(node, key, out);
}

int quire_node_array(const struct quire_node *node, const char *key, const json_t **out)
{
	const json_t *value = get(node, key);

	if (!value)
		return quire_node_fail(node, -EINVAL, "key '%s' is missing", key);
	if (!json_is_array(value))
		return quire_node_fail(node, -EINVAL, "key '%s' must be a list", key);
	*out = value;
	return 0;
}

struct walk {
	const char *list;
	int (*step)(const struct quire_node *node, const char *type, void *arg);
	void *arg;
	uint32_t steps; /* so far */
};

static int walk_step(const struct quire_node *node, const char *type, struct walk *w)
{
	if (++w->steps > QUIRE_NODE_STEPS)
		return quire_node_fail(node, -ENOTSUP, "more than %d steps are not built",
				       QUIRE_NODE_STEPS);
	return w->step(node, type, w->arg);
}

static int walk_list(const struct quire_node *node, struct walk *w)
{
	const json_t *items;
	json_t *item;
	size_t index;
	char keys[64];
	int rc;

	snprintf(keys, sizeof(keys), "type|%s", w->list);
	rc = quire_node_keys(node, keys);
	if (rc == 0)
		rc = quire_node_array(node, w->list, &items);
	if (rc)
		return rc;
	json_array_foreach((json_t *)items, index, item)
	{
		const struct quire_node each = {node->path, node->where, item};
		const char *type = "";

		rc = quire_node_name(&each, "type", &type);
		if (rc == 0 && strcmp(type, "Sequence") == 0)
			rc = quire_node_fail(node, -ENOTSUP, "a Sequence in one is not built");
		if (rc == 0)
			rc = walk_step(&each, type, w);
		if (rc)
			return rc;
	}
	return 0;
}

int quire_node_each(const struct quire_node *node, const char *list,
		    int (*step)(const struct quire_node *node, const char *type, void *arg),
		    void *arg)
{
	struct walk w = {.list = list, .step = step, .arg = arg};
	const char *type = "";
	int rc;

	if (!node->json || json_is_null(node->json))
		return 0;
	if (!json_is_object(node->json))
		return quire_node_fail(node, -EINVAL, "expected an object");
	rc = quire_node_name(node, "type", &type);
	if (rc)
		return rc;
	return strcmp(type, "Sequence") == 0 ? walk_list(node, &w) : walk_step(node, type, &w);
}
