/*
 * options.c - from "k=v,k=v" to the fields of a module's private state.
 */
#include "modules.h"
#include "util.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int choice_read(const char *what, const char *choices, const char *value, uint32_t *out)
{
	size_t length = strlen(value);

	*out = 0;
	for (const char *at = choices;; at++, (*out)++) {
		size_t n = strcspn(at, "|");

		if (n == length && !strncasecmp(at, value, n))
			return 0;
		at += n;
		if (!*at)
			return quire_fail(-EINVAL, "%s: expected %s, found '%s'", what, choices,
					  value);
	}
}

static int option_read(const char *module, const struct quire_option *o, void *priv,
		       const char *value)
{
	void *field = (char *)priv + o->offset;
	double real, max = o->max > 0 ? o->max : 1e9;
	char what[128];
	int rc;

	snprintf(what, sizeof(what), "%s: option %s", module, o->name);
	switch (o->type) {
	case QUIRE_COUNT:
		return quire_parse_u32(what, value, (uint32_t)o->min,
				       o->max > 0 ? (uint32_t)o->max : UINT32_MAX, field);
	case QUIRE_SHARE:
		return quire_parse_real(what, value, o->min, max, field);
	case QUIRE_SECONDS:
		rc = quire_parse_real(what, value, o->min, max, &real);
		if (rc == 0)
			*(uint64_t *)field = (uint64_t)llround(real * 1e9);
		return rc;
	case QUIRE_FLAG:
		if (strcmp(value, "0") && strcmp(value, "1"))
			return quire_fail(-EINVAL, "%s: expected 0 or 1, found '%s'", what, value);
		*(bool *)field = *value == '1';
		return 0;
	case QUIRE_CHOICE:
		return choice_read(what, o->choices, value, field);
	}
	return quire_fail(-EINVAL, "%s: the module gives it no known type", what);
}

static int option_unknown(const char *module, const struct quire_option *table, const char *key)
{
	const char *names[33] = {NULL}, *nearest;
	size_t count = 0;

	for (const struct quire_option *o = table; o && o->name && count < 32; o++)
		names[count++] = o->name;
	nearest = quire_nearest(key, names);
	if (nearest)
		return quire_fail(-EINVAL, "%s: no option is called '%s'; did you mean '%s'?",
				  module, key, nearest);
	if (!count)
		return quire_fail(-EINVAL, "%s: it has no options, found '%s'", module, key);
	return quire_fail(-EINVAL, "%s: no option is called '%s'; 'quire list' names them", module,
			  key);
}

int quire_options_read(const char *name, const struct quire_option *table, void *priv,
		       const char *text)
{
	const struct quire_option *o;
	char pair[256], *value;
	int rc;

	for (o = table; o && o->name; o++) {
		rc = option_read(name, o, priv, o->initial);
		if (rc)
			return rc;
	}
	for (size_t n; *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		if (n >= sizeof(pair))
			return quire_fail(-EINVAL, "%s: an option is longer than %zu bytes", name,
					  sizeof(pair) - 1);
		memcpy(pair, text, n);
		pair[n] = '\0';
		value = strchr(pair, '=');
		if (!value)
			return quire_fail(-EINVAL, "%s: expected key=value, found '%s'", name,
					  pair);
		*value++ = '\0';
		for (o = table; o && o->name && !quire_same_name(o->name, pair); o++)
			;
		if (!o || !o->name)
			return option_unknown(name, table, pair);
		rc = option_read(name, o, priv, value);
		if (rc)
			return rc;
	}
	return 0;
}
