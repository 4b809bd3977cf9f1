/*
 * config_keys.c - see config_keys.h.
 */
#include "config_keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BYTES_MAX (4u << 20)

struct source {
	FILE *in;
	size_t bytes;
	bool too_long;
};

static size_t read_some(void *buffer, size_t size, void *arg)
{
	struct source *s = arg;

	if (s->bytes >= BYTES_MAX) {
		s->too_long = getc(s->in) != EOF;
		return s->too_long ? (size_t)-1 : 0;
	}
	size = fread(buffer, 1, size < BYTES_MAX - s->bytes ? size : BYTES_MAX - s->bytes, s->in);
	s->bytes += size;
	return size > 0 || !ferror(s->in) ? size : (size_t)-1;
}

int quire_config_load(struct quire_config *c, const char *path)
{
	struct source source = {.in = fopen(path, "r")};
	json_error_t error;
	int rc = 0;

	*c = (struct quire_config){.path = path, .within = ""};
	if (!source.in)
		return quire_fail(-errno, "model %s: %s%s", path, strerror(errno),
				  errno == ENOENT ? "; a model's folder holds config.json, "
						    "*.safetensors and tokenizer.json"
						  : "");
	c->root = json_load_callback(read_some, &source, JSON_REJECT_DUPLICATES, &error);
	if (!c->root && source.too_long)
		rc = quire_fail(-EINVAL, "%s: more than %u MiB", path, BYTES_MAX >> 20);
	else if (!c->root)
		rc = quire_fail(-EINVAL, "%s:%d: %s", path, error.line, error.text);
	else if (!json_is_object(c->root))
		rc = quire_fail(-EINVAL, "%s: expected a JSON object", path);
	fclose(source.in);
	if (rc)
		quire_config_free(c);
	return rc;
}

void quire_config_free(struct quire_config *c)
{
	json_decref(c->root);
	c->root = NULL;
}

const json_t *quire_config_get(const struct quire_config *c, const char *key)
{
	const json_t *value = json_object_get(c->root, key);

	return json_is_null(value) ? NULL : value;
}

int quire_config_count(const struct quire_config *c, const char *key, uint32_t max, bool optional,
		       uint32_t *out)
{
	const json_t *value = quire_config_get(c, key);

	if (!value) {
		if (optional)
			return 0;
		return quire_fail(-EINVAL, "%s: key '%s%s' is missing", c->path, c->within, key);
	}
	if (!json_is_integer(value))
		return quire_fail(-EINVAL, "%s: key '%s%s' must be a whole number", c->path,
				  c->within, key);
	if (json_integer_value(value) < 1 || json_integer_value(value) > (json_int_t)max)
		return quire_fail(-EINVAL,
				  "%s: key '%s%s' is %" JSON_INTEGER_FORMAT
				  ", expected 1 to %" PRIu32,
				  c->path, c->within, key, json_integer_value(value), max);
	*out = (uint32_t)json_integer_value(value);
	return 0;
}

int quire_config_count_or_none(const struct quire_config *c, const char *key, uint32_t max,
			       uint32_t *out)
{
	const json_t *value = quire_config_get(c, key);

	*out = 0;
	if (json_is_integer(value) && json_integer_value(value) == 0)
		return 0;
	return quire_config_count(c, key, max, true, out);
}

int quire_config_flag(const struct quire_config *c, const char *key, bool *out)
{
	const json_t *value = quire_config_get(c, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return quire_fail(-EINVAL, "%s: key '%s%s' must be true or false", c->path,
				  c->within, key);
	*out = json_is_true(value);
	return 0;
}

int quire_config_real(const struct quire_config *c, const char *key, double min, double max,
		      bool optional, double *out)
{
	const json_t *value = quire_config_get(c, key);
	double real;

	if (!value) {
		if (optional)
			return 0;
		return quire_fail(-EINVAL, "%s: key '%s%s' is missing", c->path, c->within, key);
	}
	if (!json_is_number(value))
		return quire_fail(-EINVAL, "%s: key '%s%s' must be a number", c->path, c->within,
				  key);
	real = json_number_value(value);
	if (!(real >= min && real <= max))
		return quire_fail(-EINVAL, "%s: key '%s%s' is %g, expected %g to %g", c->path,
				  c->within, key, real, min, max);
	*out = real;
	return 0;
}
