/*
 * module_text.c - see module_text.h.
 */
#include "module_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int append(char *text, size_t size, const char *more)
{
	size_t n = strlen(text);

	return snprintf(text + n, size - n, "%s", more);
}

static void option_value(const struct quire_option *o, const void *priv, char *text, size_t size)
{
	const void *field = (const char *)priv + o->offset;
	const char *choice = o->choices;

	switch (o->type) {
	case QUIRE_COUNT:
		snprintf(text, size, "%u", *(const uint32_t *)field);
		break;
	case QUIRE_SHARE:
		snprintf(text, size, "%.10g", *(const double *)field);
		break;
	case QUIRE_SECONDS:
		snprintf(text, size, "%.10g", (double)*(const uint64_t *)field / 1e9);
		break;
	case QUIRE_FLAG:
		snprintf(text, size, "%d", *(const bool *)field);
		break;
	case QUIRE_CHOICE:
		for (uint32_t i = *(const uint32_t *)field; i && strchr(choice, '|'); i--)
			choice = strchr(choice, '|') + 1;
		snprintf(text, size, "%.*s", (int)strcspn(choice, "|"), choice);
		break;
	}
}

int quire_module_settings(enum quire_module_kind kind, const char *spec, char *full, char *label,
			  size_t size)
{
	const char *given, *slash = NULL;
	const struct quire_module *m = quire_module_find(kind, spec, &given);
	const struct quire_option *table;
	struct quire_sched_ops sched;
	struct quire_kv_ops kv;
	const char *name;
	char value[64];
	void *priv;
	int rc;

	if (!m)
		return -EINVAL;
	if (kind == QUIRE_SCHED)
		quire_module_sched_ops(m, &sched);
	else
		quire_module_kv_ops(m, &kv);
	name = kind == QUIRE_SCHED ? sched.name : kv.name;
	table = kind == QUIRE_SCHED ? sched.options : kv.options;
	priv = calloc(1, (kind == QUIRE_SCHED ? sched.priv_size : kv.priv_size) + 1);
	if (!priv)
		return quire_fail(-ENOMEM, "no memory for the options of %s", name);
	rc = quire_options_read(name, table, priv, given);

	for (const char *c = spec; *c && *c != ','; c++)
		slash = *c == '/' ? c : slash;
	if (slash) {
		snprintf(full, size, "%.*s", (int)strcspn(spec, ","), spec);
		snprintf(label, size, "%s", slash + 1);
	} else {
		snprintf(full, size, "%s", name);
		snprintf(label, size, "%s%s%s", name, *given ? "," : "", given);
	}
	for (const struct quire_option *o = table; rc == 0 && o && o->name; o++) {
		option_value(o, priv, value, sizeof(value));
		append(full, size, ",");
		append(full, size, o->name);
		append(full, size, "=");
		append(full, size, value);
	}
	free(priv);
	return rc;
}

void quire_option_range(const struct quire_option *o, char *text, size_t size)
{
	switch (o->type) {
	case QUIRE_COUNT:
	case QUIRE_SHARE:
	case QUIRE_SECONDS:
		if (o->max > 0)
			snprintf(text, size, "%.10g..%.10g%s", o->min, o->max,
				 o->type == QUIRE_SECONDS ? " s" : "");
		else
			snprintf(text, size, ">= %.10g%s", o->min,
				 o->type == QUIRE_SECONDS ? " s" : "");
		break;
	case QUIRE_FLAG:
		snprintf(text, size, "0|1");
		break;
	case QUIRE_CHOICE:
		snprintf(text, size, "%s", o->choices);
		break;
	}
}
