/*
 * checkpoint_parts.h - the parts of opening a checkpoint, for each other only.
 */
#ifndef QUIRE_CHECKPOINT_PARTS_H
#define QUIRE_CHECKPOINT_PARTS_H

#include "checkpoint.h"
#include "config_keys.h"

/*
 * Fill in what a checkpoint is before it has weights, and make its layers: all of
 * config.json; or, of a built-in model, its shape and what is usual in its family.
 * Return: 0; -ENOTSUP what cannot be run; -EINVAL; -ENOMEM.
 */
int quire_checkpoint_configure(struct quire_checkpoint *c, const struct quire_config *config);
int quire_checkpoint_configure_builtin(struct quire_checkpoint *c, const struct quire_model *model);

/* Add what a generation_config.json says.  Return: 0; -EINVAL; -errno. */
int quire_checkpoint_generation(struct quire_checkpoint *c, const char *path);

/* How a weight that is not read is drawn. */
enum quire_weight_kind { QUIRE_WEIGHT_MATRIX, QUIRE_WEIGHT_NORM, QUIRE_WEIGHT_BIAS };

/*
 * Call @fn for each weight that the model has, in one order: its name as in files
 * ("layers.0.mlp.up_proj.weight"), and its rows and columns filled in.  A tied head is
 * not among them.  What @fn returns, if not 0, ends it and is returned.
 */
int quire_checkpoint_each(struct quire_checkpoint *c,
			  int (*fn)(void *arg, const char *name, enum quire_weight_kind kind,
				    struct quire_weight *weight),
			  void *arg);

#endif /* QUIRE_CHECKPOINT_PARTS_H */
