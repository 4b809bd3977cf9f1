/*
 * check.h - comparing a kernel with its reference.
 *
 * A check has each array twice: the host's, for the reference, and the device's, for the
 * kernel; both start with the same bytes.  An output is poisoned first (NaN), so what
 * nobody writes is seen.  All of an array is compared: where the reference left or made
 * a NaN the kernel must have one, and nowhere else; over the rest
 *
 *	error = |kernel - reference| / |reference|	in double, Euclidean
 *	worst = largest |kernel - reference| / (|reference| + mean square)
 */
#ifndef QUIRE_TESTS_KERNELS_CHECK_H
#define QUIRE_TESTS_KERNELS_CHECK_H

#include "kernels/kernels.h"

#include <stdio.h>

/* One array. */
struct both {
	void *host, *device;
	size_t bytes;
};

struct both both_new(size_t bytes);			 /* poisoned */
struct both both_random(size_t count, double deviation); /* normal, bf16 */
struct both both_random_fp32(size_t count, double deviation);
struct both both_copy(const void *data, size_t bytes);
void both_free(struct both *b);
void both_to_device(const struct both *b);
void both_poison(const struct both *b);
/* The device's bytes over the host's. */
void both_from_device(struct both *b);

/* Uniform: [0, n), and [0, 1).  From a state that every check starts anew. */
uint32_t draw_below(uint32_t n);
double draw(void);
double draw_normal(void);
void shuffle(uint32_t *numbers, uint32_t count);
uint16_t bf16_of(double value);

/* A launcher's result; then waits for it.  A fault ends the program. */
void launched(const char *what, int rc);

/* Say what is checked next: a line of the table, as printf does. */
void checking(const char *format, ...) __attribute__((format(printf, 1, 2)));
void compare_bf16(const struct both *b, double error_max, double worst_max);
void compare_fp32(const struct both *b, double error_max, double worst_max);
void compare_bytes(const struct both *b);
/* A line of the table that something else decides. */
void verdict(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something that must hold, and makes no line if it does. */
void expect(bool holds, const char *what);

/* The ops, a function each. */
void check_embed(void);
void check_norm(void);
void check_rope(void);
void check_swiglu(void);
void check_gemv(void);
void check_gemm(void);
void check_random(void);
void check_attention(void);
void check_attention_plan(void);
void check_copy(void);
void check_choose(void);
void check_draw(void);

#endif /* QUIRE_TESTS_KERNELS_CHECK_H */
