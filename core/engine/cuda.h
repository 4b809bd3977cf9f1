/*
 * cuda.h - what the cuda*.c share; nobody else includes it.
 *
 *	cuda.c		the device, its memory, copies and poison
 *	cuda_weights.c	weights: from the host, or drawn on the device
 *	cuda_input.c	a batch as arrays on the device
 *	cuda_forward.c	the kernels of a batch, in order; as a graph where it can be one
 *	cuda_product.c	matrix products: gemv, gemm or cuBLASLt
 *	cuda_tune.c	which of them is the fastest, by timing
 *	cuda_choose.c	tokens, chosen on the device where that is enough
 *
 * Activations: the residual is fp32, all else bf16; products add in fp32.  Everything
 * runs on one stream, and the host waits at the end of a step, for the chosen tokens.
 */
#ifndef QUIRE_CUDA_ENGINE_H
#define QUIRE_CUDA_ENGINE_H

#include "backend.h"
#include "kernels/kernels.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#define CUDA_GEMV_ROWS	   2u	       /* up to so many rows go through gemv, ... */
#define CUDA_GEMV_ELEMENTS (14u << 20) /* ... where a matrix has at most so many elements; */
#define CUDA_GEMM_ELEMENTS (8u << 20)  /* more rows through gemm, where it has at most so many */
#define CUDA_GRAPH_ROWS	   512u	       /* ... through a graph, if each is one token; */
#define CUDA_GRAPH_WORK	   (8ul << 30) /* others, if a layer multiplies at most so often */
#define CUDA_TUNED_ROWS	   512u	       /* ... through what was timed, with fast_products */
#define CUDA_WORKSPACE	   (32u << 20) /* bytes, of cuBLASLt */
#define CUDA_LOGITS_ROWS   512u	       /* rows of one call of logits */

/* [outputs][columns] bf16 on the device. */
struct cuda_weight {
	uint16_t *data;
	uint32_t outputs, columns;
};

struct cuda_layer {
	uint16_t *attention_norm, *mlp_norm; /* [hidden] */
	uint16_t *qkv_bias;		     /* [(heads + 2 kv_heads) head_dim], or NULL */
	uint16_t *q_norm, *k_norm;	     /* [head_dim], or NULL */
	struct cuda_weight qkv, output, gate_up, down; /* q, k, v below each other; gate, up */
};

/*
 * What a batch tells the device, in one block of memory that is copied at once.  Where
 * each array begins depends on capacities only, so that a graph finds them again; the
 * maps come last and may be shorter than there is room.
 */
struct cuda_shape {
	uint32_t rows;	    /* capacities: rows, ... */
	uint32_t items;	    /* ... pieces of sequences, */
	uint32_t few, many; /* ... work of attention, */
	uint32_t wanted;    /* ... rows whose logits are wanted */
};
struct cuda_input {
	uint32_t *counts; /* [4]: few, many */
	struct quire_dev_row *rows;
	struct quire_dev_item *items;
	struct quire_dev_work *few, *many;
	uint32_t *wanted; /* rows */
	uint32_t *maps;
};

struct cuda_graph {
	struct cuda_shape shape;
	uint64_t used; /* cuda.batches, when it ran last */
	cudaGraphExec_t exec;
};

enum cuda_way {
	CUDA_BY_GEMV,
	CUDA_BY_GEMM,
	CUDA_BY_BLAS, /* cuBLASLt, and swiglu behind it where that is the kind */
};

/*
 * How products of a shape are computed, y = x w^T; x [rows][columns], w [outputs][columns],
 * y [rows][outputs], or [outputs / 2] for SwiGLU: w is gate and up below each other.
 */
struct cuda_product {
	uint32_t rows, outputs, columns;
	enum quire_product_kind kind;
	enum cuda_way way;
	cublasLtMatmulAlgo_t algo; /* of CUDA_BY_BLAS */
};

/* Where a step has a product: what comes in, and what goes out. */
struct cuda_site {
	size_t weight; /* its offset in struct cuda_layer; CUDA_HEAD: the head */
	const uint16_t *x;
	void *y;
	uint32_t y_stride;
	enum quire_product_kind kind;
	uint32_t rows_max;
};
#define CUDA_HEAD SIZE_MAX

#ifndef CUDA_GRAPHS_MAX
#define CUDA_GRAPHS_MAX 256u
#endif
#define CUDA_PRODUCTS_MAX 4096u

struct cuda {
	const struct quire_engine_config *config;
	const struct quire_checkpoint *checkpoint;
	char name[256]; /* of the device */
	uint32_t multiprocessors;
	cudaStream_t stream;
	void *taken[4096]; /* [taken_count] memory of the device */
	uint32_t taken_count;
	uint64_t taken_bytes;

	/* weights */
	struct cuda_layer *layers; /* [model.layers] */
	struct cuda_weight embedding, head;
	uint16_t *norm;
	uint64_t layers_bytes, head_bytes; /* read by a batch, by the logits */

	struct quire_dev_pool pool;
	float *rope_table;

	/* activations, of rows_max rows */
	uint32_t rows_max; /* a step's, rounded up as products want it */
	float *residual;
	uint16_t *normed, *qkv, *attended, *gate_up, *activated;

	/* attention */
	struct quire_attention_limits limits;
	float *partial_few, *partial_many;
	uint32_t *tickets_few, *tickets_many;

	/* the wanted rows */
	uint32_t wanted_max;
	uint16_t *wanted_normed;
	float *logits; /* [wanted_max][vocab_stride] */
	uint32_t vocab_stride;
	struct quire_dev_choice *choices;
	void *choose_scratch;
	struct quire_dev_draw *draws;
	uint32_t *tokens;
	struct quire_dev_choice *host_choices; /* pinned, like the following */
	struct quire_dev_draw *host_draws;
	uint32_t *host_tokens;
	float *host_logits; /* [vocab] of one row */
	float *all_logits;  /* [CUDA_LOGITS_ROWS][vocab], from the first call of logits() */

	/* the input */
	unsigned char *host_input; /* pinned, [input_bytes] */
	unsigned char *input;	   /* on the device */
	size_t input_bytes;
	uint32_t maps_max;		/* entries there is room for, at least */
	struct cuda_input host, device; /* of the last batch: pointers into them */
	struct cuda_shape shape;
	cudaEvent_t uploaded;

	cublasLtHandle_t lt;
	void *workspace;
	struct cuda_product products[CUDA_PRODUCTS_MAX]; /* [products_count] */
	uint32_t products_count;
	struct cuda_graph graphs[CUDA_GRAPHS_MAX]; /* [graphs_count] */
	uint32_t graphs_count;
	uint64_t batches; /* so far, of those that are worth a graph */
};

/* cuda.c: "cuda: WHAT: reason", with what to do about it.  Return: -EIO, -ENOMEM. */
int cuda_error(cudaError_t error, const char *what);
/* Memory of the device, freed with the executor.  Return: 0; -ENOMEM with figures. */
int cuda_take(struct cuda *cuda, void *pointer, uint64_t bytes, const char *what);
int cuda_take_pinned(void *pointer, uint64_t bytes, const char *what);

/* cuda_weights.c */
int cuda_weights(struct cuda *cuda);

/* cuda_input.c: take memory for it; lay the batch out and send it. */
int cuda_input_open(struct cuda *cuda);
void cuda_input_at(unsigned char *base, const struct cuda_shape *shape, struct cuda_input *input);
int cuda_input_send(struct cuda *cuda, struct engine *engine, const struct engine_batch *batch);

/* cuda_forward.c */
int cuda_forward(struct engine *engine, const struct engine_batch *batch);
/* Logits of rows @wanted [@count <= wanted_max], an array on the device. */
int cuda_head(struct cuda *cuda, const uint32_t *wanted, uint32_t count);
void cuda_graphs_free(struct cuda *cuda);

/*
 * cuda_product.c: for @rows rows by a weight; rows of y are y_stride numbers apart, which
 * is the number of outputs but for the head's.
 */
int cuda_product(struct cuda *cuda, const struct cuda_weight *w, const uint16_t *x, uint32_t rows,
		 void *y, uint32_t y_stride, enum quire_product_kind kind);
/* The same in a way that is given.  Return: 0; -EIO if this way cannot do it. */
int cuda_product_by(struct cuda *cuda, const struct cuda_product *p, const struct cuda_weight *w,
		    const uint16_t *x, void *y, uint32_t y_stride);
/*
 * Ways to compute @wanted: if one is asked for, what is known to be good; or else all,
 * ours first, then cuBLASLt's, its best first.
 * Return: how many, at most @max; -EIO.
 */
int cuda_product_ways(struct cuda *cuda, const struct cuda_product *wanted, uint32_t y_stride,
		      struct cuda_product *ways, uint32_t max);
const struct cuda_weight *cuda_site_weight(const struct cuda *cuda, const struct cuda_site *site,
					   uint32_t layer);
/* Do each once, with all numbers of rows, so that no step waits for cuBLASLt to choose. */
int cuda_products_warm(struct cuda *cuda);
/* cuda_tune.c: fill the activations once; the fastest way for @rows rows at a site. */
int cuda_tune_fill(struct cuda *cuda);
int cuda_tune(struct cuda *cuda, const struct cuda_site *site, uint32_t rows,
	      struct cuda_product *best);
/* Rows that a product of @rows is made for: its memory must have room for them. */
uint32_t cuda_rows(uint32_t rows);

/* cuda_choose.c: wait for the device; tokens of the wanted rows; logits of some. */
int cuda_finish(struct engine *engine);
int cuda_choose(struct engine *engine, const struct quire_item *const *items, uint32_t count,
		struct quire_result *results);
float *cuda_logits(struct engine *engine, uint32_t first, uint32_t count);

#endif /* QUIRE_CUDA_ENGINE_H */
