/*
 * kernels.h - every kernel of the cuda executor, as C sees it.
 *
 * An op is a struct quire_op_<op>, a launcher quire_cuda_<op>() in <op>.cu (a product has
 * two, in gemv.cu and gemm.cu), and beside it in <op>_ref.c quire_ref_<op>(), plain C in
 * double that takes the same struct with pointers to the host's memory and is obviously
 * right.  tests/kernels compares the two.
 *
 *	bf16	is kept as uint16_t.  Products and sums are fp32, a result is rounded once.
 *	row	one token of a step; what lies in rows is [rows][columns], and a stride is
 *		the distance of two rows in elements
 *	slot	K and V of one token: in every layer [kv_heads][head_dim] of each
 *
 * Rules of all launchers:
 *
 *  - Pointers are the device's, aligned to 16 bytes, strides are multiples of 8 elements.
 *    Nothing overlaps but where a field says "in place".
 *  - The launch is asynchronous, takes no memory, waits for nothing, and may be captured
 *    into a graph: what changes from step to step (tokens, positions, slots, maps, work)
 *    lies in arrays on the device, and counts in a struct are capacities.  Rows that are
 *    too many for a step are padding: token 0, slot QUIRE_SLOT_NONE.
 *  - From compute capability 9.0 on, a kernel is launched while the one before it in the
 *    stream still runs, and waits for its end on the device (programmatic dependent
 *    launch).  What it reads before that must not be written by a kernel of the same
 *    step: weights, tables, the step's arrays, and K and V of positions before an item's
 *    position_first.  Copies and poison of slots come before the step's first kernel.
 *  - One device: what is asked of it is asked once.
 *  - Return: 0, or the cudaError_t of the launch; cudaErrorInvalidValue (1) if the shape
 *    is one that is not built.  Faults while running are told by the stream, later.
 *
 * Built for 8.0, 8.9 and 9.0, gemm for 9.0a alone.  Floors and measured times: docs/kernels.md.
 */
#ifndef QUIRE_KERNELS_H
#define QUIRE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct CUstream_st; /* *: a cudaStream_t */

#define QUIRE_SLOT_NONE UINT32_MAX

/* One token of a step. */
struct quire_dev_row {
	uint32_t token;
	uint32_t position; /* in its sequence, from 0 */
	uint32_t slot;	   /* where its K and V go; QUIRE_SLOT_NONE: nowhere */
};

/*
 * Some tokens of one sequence in a step: rows row_first .. + rows, which have the
 * positions position_first .. + rows.  K and V of all positions before lie in slots, and
 * those of its own rows too when attention runs:
 *
 *	slot(i) = maps[map_first + i / block_slots] + i % block_slots
 */
struct quire_dev_item {
	uint32_t row_first, rows;
	uint32_t position_first;
	uint32_t map_first;
	uint32_t block_slots; /* >= 1 */
};

/* The KV cache: plane 2 layer is that layer's K, plane 2 layer + 1 its V. */
struct quire_dev_pool {
	uint16_t *data; /* [2 layers][slots][kv_heads][head_dim] bf16 */
	uint32_t layers;
	uint32_t slots;
	uint32_t slot_elements; /* kv_heads * head_dim, a multiple of 8 */
};

static inline uint16_t *quire_dev_plane(const struct quire_dev_pool *pool, uint32_t plane)
{
	return pool->data + (uint64_t)plane * pool->slots * pool->slot_elements;
}

/* Launch as said above (true, the default), or one kernel after the other. */
void quire_cuda_overlap(bool on);

/* ---- embed: residual[r] = table[rows[r].token] ------------------------------------- */

struct quire_op_embed {
	const struct quire_dev_row *rows; /* [rows_count] */
	uint32_t rows_count;
	const uint16_t *table; /* [vocab][columns] bf16 */
	uint32_t vocab;	       /* a token beyond it becomes a row of NaN */
	uint32_t columns;      /* a multiple of 8 */
	float *residual;       /* [rows_count][columns] */
};
int quire_cuda_embed(const struct quire_op_embed *op, struct CUstream_st *stream);
void quire_ref_embed(const struct quire_op_embed *op);

/* ---- norm: RMSNorm (Zhang and Sennrich, arXiv 1910.07467), with the residual's sum -- */

/*
 * For each row r of out, with s = index ? index[r] : r:
 *
 *	residual[s] = residual[s] + add[s]		if there is an add
 *	out[r] = residual[s] / sqrt(mean(residual[s]^2) + eps) * weight
 */
struct quire_op_norm {
	float *residual;	/* in place if there is an add, else only read */
	const uint16_t *add;	/* bf16, or NULL; not with an index */
	const uint32_t *index;	/* [rows_count] rows that are wanted, or NULL: all */
	const uint16_t *weight; /* [columns] bf16 */
	uint16_t *out;		/* [rows_count][columns] bf16 */
	uint32_t rows_count;
	uint32_t columns; /* a multiple of 8, <= 16384 */
	float eps;
};
int quire_cuda_norm(const struct quire_op_norm *op, struct CUstream_st *stream);
void quire_ref_norm(const struct quire_op_norm *op);

/* ---- rope_table: sines and cosines of all positions, once -------------------------- */

/* angle(p, i) = p * frequency[i], in double. */
struct quire_op_rope_table {
	const float *frequency; /* [head_dim / 2] radians a position */
	uint32_t head_dim;	/* even */
	uint32_t positions;
	float *table; /* [positions][head_dim]: cosines, then sines */
};
int quire_cuda_rope_table(const struct quire_op_rope_table *op, struct CUstream_st *stream);
void quire_ref_rope_table(const struct quire_op_rope_table *op);

/* ---- rope: bias, norm of Q and K, rotation, and the write into slots --------------- */

/*
 * A row of qkv is Q [heads][head_dim], then K and V [kv_heads][head_dim].  In this order:
 *
 *	qkv = qkv + bias				if there is one
 *	q, k = RMSNorm over head_dim of each head	if there are q_norm and k_norm
 *	q, k = rotated by the row's position, element i < head_dim / 2 with i + head_dim / 2
 *	(Su et al., arXiv 2104.09864, in the halves of Hugging Face)
 *
 * Q goes back into qkv; K and V go to the row's slot, and what qkv holds of them after
 * that is not said.
 */
struct quire_op_rope {
	const struct quire_dev_row *rows; /* [rows_count] */
	uint32_t rows_count;
	uint16_t *qkv;	     /* [rows_count][qkv_stride] bf16, in place */
	uint32_t qkv_stride; /* >= (heads + 2 kv_heads) head_dim */
	uint32_t heads, kv_heads;
	uint32_t head_dim;	/* 64 or 128 */
	const uint16_t *bias;	/* [(heads + 2 kv_heads) head_dim] bf16, or NULL */
	const uint16_t *q_norm; /* [head_dim] bf16, or NULL */
	const uint16_t *k_norm;
	float eps;
	const float *table; /* of quire_cuda_rope_table() */
	uint32_t positions; /* of the table; a row beyond it becomes NaN */
	uint16_t *k, *v;    /* [slots][kv_heads][head_dim] bf16: planes of this layer */
};
int quire_cuda_rope(const struct quire_op_rope *op, struct CUstream_st *stream);
void quire_ref_rope(const struct quire_op_rope *op);

/* ---- attention: any mix of prompts, chunks and single tokens ----------------------- */

/*
 * A row at position p looks at keys j, p - window < j <= p (window 0: 0 <= j <= p):
 *
 *	out = sum over j of softmax(scale q.k(j)) v(j)		head h with KV head h / group
 *
 * group = heads / kv_heads.  What shares a KV head shares its reads: the *queries* of an
 * item and a KV head are numbered token by token, head by head,
 *
 *	query = (row - row_first) group + (head - kv_head group)
 *
 * and a *tile* of them, 16 or 128, is worked on together, by tensor cores.  The keys of
 * a tile may be cut into parts for different blocks of the GPU (Dao et al., "Flash-
 * Decoding", 2023); whichever is done last puts them together.  Which tiles there are,
 * and where they are cut, is said by a list of work that quire_attention_plan() makes
 * on the host in each step.
 */
enum quire_tile {
	QUIRE_TILE_FEW = 16,   /* queries; four warps share the keys: single tokens */
	QUIRE_TILE_MANY = 128, /* four warps share the queries: chunks and prompts */
};

/* A tile, or a part of one, with what it needs of its item: 48 bytes. */
struct quire_dev_work {
	uint32_t row_first, position_first; /* of the item */
	uint32_t map_first, block_slots;
	uint32_t query_first; /* of the tile ... */
	uint32_t queries;     /* ... and how many there are in it */
	uint32_t key_first, key_end;
	uint32_t part;	     /* of partial; this one's */
	uint32_t part_first; /* of the tile's first part */
	uint32_t parts;	     /* of this tile; 1: nothing to put together */
	uint32_t item;
};

struct quire_op_attention {
	const struct quire_dev_item *items; /* for the reference alone */
	const uint32_t *maps;
	const struct quire_dev_work *work; /* [work_max] tiles of one size */
	const uint32_t *work_count;	   /* on the device: those that there are */
	uint32_t work_max;		   /* what is launched */
	enum quire_tile tile;
	const uint16_t *q; /* [rows][q_stride] bf16 */
	uint32_t q_stride;
	const uint16_t *k, *v; /* [slots][kv_heads][head_dim] bf16: planes of this layer */
	uint16_t *out;	       /* [rows][heads][head_dim] bf16; rows of items alone */
	uint32_t heads, kv_heads;
	uint32_t head_dim; /* 64 or 128 */
	uint32_t window;   /* 0: none */
	float scale;	   /* mostly 1 / sqrt(head_dim) */
	float *partial;	   /* quire_attention_partial_bytes() */
	uint32_t *tickets; /* [parts_max][kv_heads], 0 at first and again after each launch;
			    * of QUIRE_TILE_FEW */
};
int quire_cuda_attention(const struct quire_op_attention *op, struct CUstream_st *stream);
/* Of all queries of all items; ignores work and tile. */
void quire_ref_attention(const struct quire_op_attention *op, uint32_t items_count);
/* Of one row of one item and one head alone, into out [head_dim]. */
void quire_ref_attention_head(const struct quire_op_attention *op, uint32_t item, uint32_t row,
			      uint32_t head, double *out);

/*
 * The plan: which item goes to which kind of tile, and where keys are cut, so that the
 * GPU's multiprocessors are busy to the end.  Plain C, on the host.
 */
struct quire_attention_limits {
	uint32_t heads, kv_heads, head_dim;
	uint32_t window;
	uint32_t multiprocessors; /* of the GPU */
	uint32_t few_max;	  /* of plan->few */
	uint32_t many_max;	  /* of plan->many */
	uint32_t parts_max;	  /* of partial and tickets, for each of the two kinds */
};
struct quire_attention_plan {
	struct quire_dev_work *few, *many; /* owned by the caller */
	uint32_t few_count, many_count;
	uint32_t few_parts, many_parts; /* parts that use partial */
};
/*
 * Longest work first.  Return: 0; -ENOSPC: few_max or many_max is too small, see
 * quire_attention_work_max(); too few parts_max only leave work less cut.
 */
int quire_attention_plan(struct quire_attention_plan *plan,
			 const struct quire_attention_limits *limits,
			 const struct quire_dev_item *items, uint32_t items_count);
/* few_max and many_max that are enough for @items_max items of @rows_max rows together. */
uint32_t quire_attention_work_max(const struct quire_attention_limits *limits, uint32_t items_max,
				  uint32_t rows_max);
/* Bytes of partial for parts_max parts of tiles of this kind. */
size_t quire_attention_partial_bytes(const struct quire_attention_limits *limits,
				     enum quire_tile tile);

/* ---- product: rows by a matrix of weights --------------------------------------- */

enum quire_product_kind {
	QUIRE_PRODUCT_BF16,   /* out, bf16 */
	QUIRE_PRODUCT_FP32,   /* out, fp32: logits */
	QUIRE_PRODUCT_ADD,    /* out = out + product, fp32: the residual */
	QUIRE_PRODUCT_SWIGLU, /* weights are gate, then up; out = silu(gate) up, bf16 */
};

/* y[r][n] = sum over k of x[r][k] weight[n][k]. */
struct quire_op_product {
	const uint16_t *x;	/* [rows_count][columns] bf16 */
	uint32_t rows_count;	/* from 1 on */
	uint32_t columns;	/* a multiple of 8 */
	const uint16_t *weight; /* [outputs][columns] bf16; SWIGLU: [2 outputs][columns] */
	uint32_t outputs;
	enum quire_product_kind kind;
	void *out; /* [rows_count][outputs] */
};
void quire_ref_product(const struct quire_op_product *op);

/* gemv: up to so many rows, at the speed of memory; every weight is read once. */
#define QUIRE_GEMV_ROWS_MAX 8u
int quire_cuda_gemv(const struct quire_op_product *op, struct CUstream_st *stream);

/*
 * gemm: up to so many rows, outputs a multiple of 4, on a GPU of compute capability 9.0.
 * What is not built or not here, quire_cuda_gemm_can() says.
 */
#define QUIRE_GEMM_ROWS_MAX 64u
bool quire_cuda_gemm_can(const struct quire_op_product *op);
int quire_cuda_gemm(const struct quire_op_product *op, struct CUstream_st *stream);

/* ---- swiglu: out = silu(gate) up (Shazeer, arXiv 2002.05202) ------------------------ */

struct quire_op_swiglu {
	const uint16_t *gate_up; /* [rows_count][2][columns] bf16: gate, then up */
	uint16_t *out;		 /* [rows_count][columns] bf16 */
	uint32_t rows_count;
	uint32_t columns; /* a multiple of 8 */
};
int quire_cuda_swiglu(const struct quire_op_swiglu *op, struct CUstream_st *stream);
void quire_ref_swiglu(const struct quire_op_swiglu *op);

/* ---- copy: slots of all layers, in the order of the list ---------------------------- */

struct quire_dev_copy {
	uint32_t from, to, slots; /* the two do not overlap */
};
struct quire_op_copy_slots {
	struct quire_dev_pool pool;
	const struct quire_dev_copy *copies; /* [copies_count] independent: one wave */
	uint32_t copies_count;
	uint32_t slots_max; /* of the longest of them */
};
/*
 * Copies of one launch run at one time.  To keep an order, launch wave after wave: no
 * copy of a wave reads or writes what another one writes.  Return: how many of the first
 * copies are a wave, at least 1.
 */
uint32_t quire_copy_wave(const struct quire_dev_copy *copies, uint32_t count);
int quire_cuda_copy_slots(const struct quire_op_copy_slots *op, struct CUstream_st *stream);
/* All copies, one after the other. */
void quire_ref_copy_slots(const struct quire_op_copy_slots *op);

/* Slots first .. + slots of all layers become NaN. */
struct quire_op_poison_slots {
	struct quire_dev_pool pool;
	uint32_t first, slots;
};
int quire_cuda_poison_slots(const struct quire_op_poison_slots *op, struct CUstream_st *stream);
void quire_ref_poison_slots(const struct quire_op_poison_slots *op);

/* ---- choose: the largest logit of a row, and what a logprob needs ------------------- */

struct quire_dev_choice {
	uint32_t token; /* of the largest logit; of equals the smallest id; NaN is none */
	float logit;	/* -infinity if all are, or NaN */
	float log_sum;	/* log(sum of exp(logits)); the token's logprob: logit - log_sum */
	uint32_t bad;	/* 1: a logit is NaN or +infinity, and the rest is not said; else 0 */
};
struct quire_op_choose {
	const float *logits; /* [rows_count][stride] */
	uint32_t rows_count;
	uint32_t vocab;
	uint32_t stride;		  /* a multiple of 4 */
	struct quire_dev_choice *choices; /* [rows_count] */
	void *scratch; /* quire_choose_scratch_bytes(), 0 at first and of use to this op alone */
};
int quire_cuda_choose(const struct quire_op_choose *op, struct CUstream_st *stream);
size_t quire_choose_scratch_bytes(uint32_t rows_max, uint32_t vocab);
void quire_ref_choose(const struct quire_op_choose *op);

/* ---- draw: a token by temperature, min-p, top-k and top-p --------------------------- */

/*
 * The rules of core/model/logits.h: what min-p, then top-k, then top-p leave of the order
 * by falling logit is drawn from, weight = exp((logit - largest) / temperature); the
 * token is the first by id at which the weights summed up pass the share uniform of them
 * all.  Weights are summed as whole multiples of 2^-40, so that sums do not depend on
 * their order, and a draw is the same each time.
 */
struct quire_dev_draw {
	float temperature; /* > 0 */
	float min_p;	   /* 0: all */
	float top_p;	   /* >= 1: all */
	uint32_t top_k;	   /* 0: all */
	double uniform;	   /* in [0, 1) */
};
struct quire_op_draw {
	const float *logits; /* [rows_count][stride]; not NaN, not +infinity */
	uint32_t rows_count;
	uint32_t vocab; /* <= 2^18 */
	uint32_t stride;
	const struct quire_dev_choice *choices; /* [rows_count] of quire_cuda_choose() */
	const struct quire_dev_draw *draws;	/* [rows_count] */
	uint32_t *tokens;			/* [rows_count] */
};
int quire_cuda_draw(const struct quire_op_draw *op, struct CUstream_st *stream);
void quire_ref_draw(const struct quire_op_draw *op);

/* ---- random: weights drawn on the spot ---------------------------------------------- */

/*
 * Element i is mean 0, deviation deviation, by Box and Muller from two halves of
 * mix(seed + i * golden), the finalizer of SplitMix64; rounded to bf16.
 */
struct quire_op_random {
	uint16_t *out; /* [count] bf16 */
	uint64_t count;
	uint64_t seed;
	float deviation;
};
int quire_cuda_random(const struct quire_op_random *op, struct CUstream_st *stream);
void quire_ref_random(const struct quire_op_random *op);

#ifdef __cplusplus
}
#endif
#endif /* QUIRE_KERNELS_H */
