/*
 * cpu_math.h - the arithmetic of the cpu executor, for each kind of registers.
 *
 * cpu_math_body.h is compiled once for each: AVX-512, AVX2, and what any machine has.
 * The best that this machine can run is picked when an executor is made.
 *
 * Every function here computes a row, or a number, in an order that depends on nothing
 * but the shape of the model: not on the other rows of the step, nor on where a chunk,
 * a block of slots, or a thread begins.  That is what makes a batch, a scheduler and an
 * allocator invisible, to the last bit.
 */
#ifndef QUIRE_CPU_MATH_H
#define QUIRE_CPU_MATH_H

#include "core/model/checkpoint.h"

#include <quire/kv.h>

/* y[row][output] = sum over k of x[row][k] w[output][k]. */
struct cpu_product {
	const struct quire_weight *w;
	const float *x; /* [rows][x_stride] */
	float *y;	/* [rows][y_stride] */
	uint32_t rows;
	uint32_t x_stride, y_stride; /* in elements */
};

#define CPU_K	    1024 /* inputs that are summed in lanes, before their sum is added */
#define CPU_TILE    4	 /* outputs of a tile, at most */
#define CPU_BLOCK   64	 /* positions that attention looks at before it rescales */
#define CPU_HEAD    256	 /* the largest head_dim */
#define CPU_QUERIES 64	 /* (row, head) pairs that one call of attend() can do */

/* Memory that product() and attend() work in; a thread's own. */
struct cpu_scratch {
	_Alignas(64) float panel[CPU_TILE * CPU_K]; /* weights in fp32 */
	_Alignas(64) float k[CPU_BLOCK * CPU_HEAD]; /* of a block, in fp32 */
	_Alignas(64) float v[CPU_BLOCK * CPU_HEAD];
	_Alignas(64) float score[CPU_QUERIES * CPU_BLOCK];
	_Alignas(64) float query[CPU_QUERIES * CPU_HEAD];
	_Alignas(64) float out[CPU_QUERIES * CPU_HEAD];
	float most[CPU_QUERIES], sum[CPU_QUERIES];
};

/*
 * Attention of some rows of one piece to what one KV head holds.
 *
 *	out[row][h] = sum over p of softmax(scale q[row][h] . k[p]) v[p]
 *
 * over the positions p in (position - window, position] of the row; heads h share k, v.
 */
struct cpu_attention {
	const float *q;	      /* [rows][q_stride], heads [group][head_dim] at its begin */
	float *out;	      /* [rows][q_stride], likewise */
	uint32_t q_stride;    /* in elements */
	uint32_t rows, group; /* rows * group <= CPU_QUERIES */
	uint32_t head_dim;
	float scale;
	uint32_t window;   /* positions; 0: all */
	uint32_t position; /* of the first row */
	uint32_t advance;  /* 1; 0: all rows have that position */
	const char *k, *v; /* [slots_total][head_dim] of this layer and KV head */
	enum quire_weight_type kv_type;
	struct quire_map map;
};

struct cpu_math {
	const char *name;
	/* Outputs [first, first + count). */
	void (*product)(const struct cpu_product *p, uint32_t first, uint32_t count,
			struct cpu_scratch *scratch);
	void (*attend)(const struct cpu_attention *a, struct cpu_scratch *scratch);
	/* y = x / sqrt(mean(x^2) + eps) * weight; y may be x.  @x [weight->columns]. */
	void (*norm)(float *y, const float *x, const struct quire_weight *weight, float eps);
	/* gate = silu(gate) * up, silu(x) = x / (1 + exp(-x)).  Both [count]. */
	void (*gate)(float *gate, const float *up, uint32_t count);
	/* y = y + x, [count]. */
	void (*add)(float *y, const float *x, uint32_t count);
	/* Elements of one type to another; fp32 to 16 bits: to nearest, ties to even. */
	void (*widen)(float *to, const void *from, enum quire_weight_type type, uint32_t count);
	void (*narrow)(void *to, const float *from, enum quire_weight_type type, uint32_t count);
};

/* NULL: not of this kind of processor. */
extern const struct cpu_math *const cpu_math_avx512, *const cpu_math_avx2;
extern const struct cpu_math *const cpu_math_any;

/*
 * Those that this machine can run, the best first: index 0, 1, ...; NULL behind the
 * last.
 */
const struct cpu_math *cpu_math_pick(uint32_t index);

#endif /* QUIRE_CPU_MATH_H */
