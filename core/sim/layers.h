/*
 * layers.h - what one of tp GPUs holds of a model, and the time of its matrices.
 *
 * For cost.c and memory.c alone; others use cost.h.
 */
#ifndef QUIRE_LAYERS_H
#define QUIRE_LAYERS_H

#include "cost.h"

#define QUIRE_ACTIVATION_BYTES 2.0 /* of an element between kernels */
#define QUIRE_LOGIT_BYTES      10  /* written in 16 bits, converted, read for sampling */

/* What one of tp GPUs holds of a layer. */
struct quire_shard {
	uint64_t hidden;
	uint64_t heads;	       /* of queries */
	uint64_t kv_heads;     /* heads are copied if there are fewer than GPUs; latent: 1 */
	uint64_t heads_width;  /* of what attention returns */
	uint64_t qkv_width;    /* of q, k and v */
	uint64_t kv_width;     /* elements that are cached for a token */
	uint64_t intermediate; /* of a dense layer's mlp */
	uint64_t mlp_width;    /* elements between the mlp's matrices, gate and up too, of the
				* widest kind of layer */
	uint64_t vocab;	       /* rounded up */
	uint64_t layers;
};
struct quire_shard quire_shard_of(const struct quire_model *model, uint32_t tp);
/* Can it be cut so?  Return: 0; -EINVAL, see quire_failure(). */
int quire_shard_check(const struct quire_model *model, uint32_t tp);

/* Fill in cost->matrices, of model and config. */
void quire_layers_init(struct quire_cost *cost);
/* Of @tokens tokens: qkv, output, mlp, small, link; the other parts stay. */
void quire_layers_parts(const struct quire_cost *cost, uint64_t tokens,
			struct quire_cost_parts *parts);
/* The head, over @rows rows. */
uint64_t quire_head_ns(const struct quire_cost *cost, uint64_t rows);
/* Flops and bytes of all matrices of one step; those of the head if @rows > 0. */
void quire_layers_roofline(const struct quire_cost *cost, uint64_t tokens, uint64_t rows,
			   double *flops, double *bytes);

/* The rate of the units that multiply weights. */
double quire_peak(const struct quire_gpu *gpu, enum quire_units units);
/* @bytes moved to and from memory by kernels that compute next to nothing. */
double quire_move_ns(const struct quire_gpu *gpu, double bytes);

/* Up, so that no rounding beats the roofline. */
uint64_t quire_whole_ns(double ns);

#endif /* QUIRE_LAYERS_H */
