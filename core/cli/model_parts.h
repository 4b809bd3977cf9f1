/*
 * model_parts.h - the pages of "quire model": shape, weights, tokenizer.
 *
 * Each part is printed or made into JSON.  What is said of weights was checked: a
 * part that is not sound is not described, its reason is the command's failure.
 */
#ifndef QUIRE_MODEL_PARTS_H
#define QUIRE_MODEL_PARTS_H

#include "core/model/checkpoint.h"
#include "core/model/safetensors.h"

#include <jansson.h>

/* ---- model_shape.c: what follows from the shape alone -------------------------- */

void quire_model_shape_print(const struct quire_model *model);
void quire_model_costs_print(const struct quire_model *model);
json_t *quire_model_shape_json(const struct quire_model *model);

/* ---- model_tokenizer.c --------------------------------------------------------- */

struct quire_model_tokenizer {
	struct quire_tokenizer *tokenizer; /* NULL: there is no tokenizer.json */
	uint32_t entries;		   /* largest id + 1 */
	uint32_t specials;
	const char *kind, *chat; /* static; chat NULL: no template, or an unknown one */
	bool template;		 /* there is one */
};

/* Return: 0; -EINVAL it is not sound, or larger than @vocab; -errno. */
int quire_model_tokenizer_open(struct quire_model_tokenizer *t, const char *directory,
			       uint32_t vocab);
void quire_model_tokenizer_close(struct quire_model_tokenizer *t);
/* A token as people read it; "" if there is no tokenizer, or it cannot be shown. */
const char *quire_model_token(const struct quire_model_tokenizer *t, uint32_t id);

/* ---- model_weights.c: the files ------------------------------------------------ */

struct quire_model_weights {
	const struct quire_tensors *tensors; /* NULL: there are none */
	struct quire_checkpoint checkpoint;  /* .path NULL: it cannot be run, */
	char reason[400];		     /* because */
	struct quire_tensors *own;	     /* tensors of one that cannot */
};

/* Are there weights in @directory? */
bool quire_model_has_weights(const char *directory);
/* A directory, or (@file) one .safetensors.  Return: 0; -EINVAL not sound; -errno. */
int quire_model_weights_open(struct quire_model_weights *w, const char *path, bool file);
void quire_model_weights_close(struct quire_model_weights *w);

void quire_model_weights_print(const struct quire_model_weights *w);
json_t *quire_model_weights_json(const struct quire_model_weights *w, bool list);
/* Each tensor in a line.  Return: 0; -ENOMEM. */
int quire_model_tensors_print(const struct quire_tensors *tensors);

/* ---- model_running.c: what only running it needs ------------------------------- */

/* @t for the names of tokens. */
void quire_model_running_print(const struct quire_checkpoint *c,
			       const struct quire_model_tokenizer *t);
json_t *quire_model_running_json(const struct quire_checkpoint *c);
/* @vocab: rows of the model's embedding. */
void quire_model_tokenizer_print(const struct quire_model_tokenizer *t, uint32_t vocab);
json_t *quire_model_tokenizer_json(const struct quire_model_tokenizer *t);

#endif /* QUIRE_MODEL_PARTS_H */
