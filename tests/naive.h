/*
 * naive.h - a model in memory, and what it says, computed so plainly that it must be
 * right: in doubles, one number after the other, without a cache.
 */
#ifndef QUIRE_TESTS_NAIVE_H
#define QUIRE_TESTS_NAIVE_H

#include "core/model/checkpoint.h"

/*
 * Fill in @c for a model of @shape, of which layers, hidden, heads, kv_heads, head_dim,
 * intermediate, vocab, qkv_bias, qk_norm and embeddings_tied count.  All weights are
 * random, biases and norms too, a function of @seed; none is aligned.  What else @c
 * says (rope, window, norm_eps) may be changed.  Free it with naive_free().
 */
void naive_model(struct quire_checkpoint *c, const struct quire_model *shape,
		 enum quire_weight_type type, uint64_t seed);
void naive_free(struct quire_checkpoint *c);

/* Logits [count][vocab] of all positions of one sequence. */
void naive_logits(const struct quire_checkpoint *c, const uint32_t *tokens, uint32_t count,
		  double *logits);

/* Element @index of a weight. */
double naive_element(const struct quire_weight *w, size_t index);

/* A number below @below, from a state that advances. */
uint32_t naive_random(uint64_t *state, uint32_t below);

/* The largest |a - b| of a row by the largest |b|: how far @a is off.  NaN: infinity. */
double naive_distance(const float *a, const double *b, uint32_t count);

#endif /* QUIRE_TESTS_NAIVE_H */
