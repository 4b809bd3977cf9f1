/*
 * config_keys.h - reading the keys of a config.json, for the parts that do.
 *
 * config.c takes a model's shape from it, checkpoint_config.c what only running one
 * needs.  Each function fails with one sentence that names the file and the key.
 */
#ifndef QUIRE_CONFIG_KEYS_H
#define QUIRE_CONFIG_KEYS_H

#include "model.h"

#include <jansson.h>

#define QUIRE_CONFIG_VOCAB_MAX (1 << 24)

struct quire_config {
	const char *path;   /* for sentences; borrowed */
	const char *within; /* the object that the keys are in, "rope_scaling."; "" */
	json_t *root;	    /* owned by the one that was loaded */
};

/* Read the JSON object at @path, of at most 4 MiB.  Return: 0; -EINVAL; -errno. */
int quire_config_load(struct quire_config *c, const char *path);
void quire_config_free(struct quire_config *c);

/* A key's value; NULL: it is missing, or null. */
const json_t *quire_config_get(const struct quire_config *c, const char *key);
/* A whole number from 1 to @max.  Missing or null: *out stays, if @optional. */
int quire_config_count(const struct quire_config *c, const char *key, uint32_t max, bool optional,
		       uint32_t *out);
/* The same, where missing, null or 0 mean that there is none. */
int quire_config_count_or_none(const struct quire_config *c, const char *key, uint32_t max,
			       uint32_t *out);
/* A truth value.  Missing or null: *out stays. */
int quire_config_flag(const struct quire_config *c, const char *key, bool *out);
/* A number from @min to @max.  Missing or null: *out stays, if @optional. */
int quire_config_real(const struct quire_config *c, const char *key, double min, double max,
		      bool optional, double *out);

/* The shape; see quire_model_read().  The name is the caller's to fill in. */
int quire_config_shape(const struct quire_config *c, struct quire_model *model);
/* "dir/Qwen2.5-7B/config.json" is called Qwen2.5-7B, "x/tiny.json" tiny. */
void quire_config_name(struct quire_model *model, const char *path);

#endif /* QUIRE_CONFIG_KEYS_H */
