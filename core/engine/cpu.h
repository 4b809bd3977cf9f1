/*
 * cpu.h - the cpu executor: a forward pass in plain C, on threads.
 *
 *	cpu.c		memory, copies, sampling
 *	cpu_forward.c	a batch through the layers
 *	cpu_products.c	matrix products, shared out among threads
 *	cpu_blas.c	the same by OpenBLAS, where equal bits are not wanted
 *	cpu_math*	the arithmetic
 *
 * Activations are fp32.  Weights are read where they are mapped.  The cache is
 *
 *	[layer][keys, values][kv_head][slot][head_dim] of config.kv_type
 *
 * so that blocks of slots of one head are read in one go.
 */
#ifndef QUIRE_CPU_H
#define QUIRE_CPU_H

#include "backend.h"
#include "cpu_math.h"
#include "threads.h"

#define CPU_ROWS   512 /* of a batch */
#define CPU_LOGITS 32  /* rows of logits at one time */

struct cpu {
	const struct quire_engine_config *config;
	const struct quire_checkpoint *checkpoint;
	const struct cpu_math *math;
	struct threads *threads;
	struct cpu_scratch *scratch; /* [threads] */
	char *kv;		     /* see above */
	size_t head_bytes;	     /* of one head's keys or values in one layer */
	size_t element_bytes;	     /* of the cache */
	uint64_t layer_bytes;	     /* of weights, which every batch reads */
	float *frequency;	     /* [head_dim / 2] of rope */

	/* Of the batch; [CPU_ROWS] of each. */
	uint32_t *position;
	float *cosine, *sine;  /* [head_dim / 2] */
	float *x;	       /* [hidden] the residual stream */
	float *normed, *added; /* [hidden] */
	float *q, *attended;   /* [heads head_dim] */
	float *k, *v;	       /* [kv_heads head_dim] */
	float *gate, *up;      /* [intermediate] */
	float *wanted;	       /* [hidden] normed, of rows whose logits are wanted */
	float *logits;	       /* [CPU_LOGITS][vocab] */

	struct cpu_blas *blas; /* NULL: not with config.fast_products */
};

/* Keys (0) or values (1) of one layer and KV head: [slots_total][head_dim]. */
static inline char *cpu_kv(const struct cpu *cpu, uint32_t layer, uint32_t which, uint32_t head)
{
	return cpu->kv + ((size_t)(layer * 2 + which) * cpu->checkpoint->model.kv_heads + head) *
				 cpu->head_bytes;
}

/* cpu_forward.c */
int cpu_forward(struct engine *engine, const struct engine_batch *batch);

/* cpu_products.c */
/*
 * One or several products of the same rows, shared out among the threads; and what is
 * done to their outputs while they are warm.
 */
struct cpu_products {
	struct cpu_product of[3];
	uint32_t count;
	const struct quire_weight *bias[3]; /* added, if it has data; NULL: none */
	float *sum; /* [rows][y_stride] to which outputs are added; or NULL */
	bool gated; /* y of the first = silu(y) * y of the second */
};
void cpu_products(struct cpu *cpu, const struct cpu_products *products);

/* cpu_blas.c */
#define CPU_BLAS_ROWS  32  /* of a batch, at least: below that our own products are faster */
#define CPU_BLAS_PANEL 256 /* outputs that one call does */
int cpu_blas_new(struct cpu_blas **blas, uint32_t threads, uint32_t columns_max);
void cpu_blas_free(struct cpu_blas *blas);
/* Outputs [first, first + count) of a product. */
void cpu_blas_product(const struct cpu *cpu, const struct cpu_product *product, uint32_t first,
		      uint32_t count, uint32_t thread);

#endif /* QUIRE_CPU_H */
