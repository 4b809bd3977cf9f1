/*
 * compare_figures.c - see compare_figures.h.
 */
#include "compare_figures.h"

#include <errno.h>
#include <math.h>
#include <quire/quire.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int walk(struct quire_differences *d, const char *prefix, bool config, const json_t *a,
		const json_t *b);

static bool same(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b)) {
		double x = json_number_value(a), y = json_number_value(b);

		return x <= y && x >= y;
	}
	return a && b && json_equal(a, b);
}

static int add(struct quire_differences *d, const char *key, bool config, const json_t *a,
	       const json_t *b);

/* The elements of two lists, "clients.0" and so on. */
static int walk_list(struct quire_differences *d, const char *key, bool config, const json_t *a,
		     const json_t *b)
{
	char path[112];
	int rc = 0;

	for (size_t i = 0; rc == 0 && (i < json_array_size(a) || i < json_array_size(b)); i++) {
		snprintf(path, sizeof(path), "%s.%zu", key, i);
		rc = add(d, path, config, json_array_get(a, i), json_array_get(b, i));
	}
	return rc;
}

static int add(struct quire_differences *d, const char *key, bool config, const json_t *a,
	       const json_t *b)
{
	struct quire_difference *bigger;

	if (json_is_object(a) || json_is_object(b))
		return walk(d, key, config, a, b);
	if (json_is_array(a) || json_is_array(b))
		return walk_list(d, key, config, a, b);
	if (same(a, b)) {
		d->equal += !config;
		return 0;
	}
	bigger = realloc(d->at, (d->count + 1) * sizeof(*bigger));
	if (!bigger)
		return quire_fail(-ENOMEM, "no memory to compare reports");
	d->at = bigger;
	bigger += d->count++;
	*bigger = (struct quire_difference){.config = config, .a = a, .b = b};
	snprintf(bigger->key, sizeof(bigger->key), "%s", key);
	return 0;
}

/* The values of two objects, either of which may be none; those of A first. */
static int walk(struct quire_differences *d, const char *prefix, bool config, const json_t *a,
		const json_t *b)
{
	const char *key;
	json_t *value;
	char path[96];
	int rc = 0;

	json_object_foreach((json_t *)(uintptr_t)a, key, value)
	{
		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", key);
		if (!*prefix && !strcmp(key, "config"))
			rc = walk(d, "", true, value, json_object_get(b, key));
		else if (*prefix || strcmp(key, "version") != 0)
			rc = add(d, path, config, value, json_object_get(b, key));
		if (rc)
			return rc;
	}
	json_object_foreach((json_t *)(uintptr_t)b, key, value)
	{
		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", key);
		if (!json_object_get(a, key))
			rc = add(d, path, config, NULL, value);
		if (rc)
			return rc;
	}
	return 0;
}

int quire_differences_find(struct quire_differences *d, const json_t *a, const json_t *b)
{
	memset(d, 0, sizeof(*d));
	return walk(d, "", false, a, b);
}

void quire_differences_free(struct quire_differences *d)
{
	free(d->at);
	memset(d, 0, sizeof(*d));
}

struct quire_value_text quire_value_text(const json_t *value)
{
	struct quire_value_text text;
	char *dump;

	if (!value || json_is_null(value)) {
		snprintf(text.s, sizeof(text.s), "-");
	} else if (json_is_string(value)) {
		snprintf(text.s, sizeof(text.s), "%s", json_string_value(value));
	} else if (json_is_integer(value)) {
		snprintf(text.s, sizeof(text.s), "%lld", (long long)json_integer_value(value));
	} else if (json_is_real(value)) {
		snprintf(text.s, sizeof(text.s), "%.6g", json_real_value(value));
	} else {
		dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
		snprintf(text.s, sizeof(text.s), "%s", dump ? dump : "?");
		free(dump);
	}
	return text;
}
