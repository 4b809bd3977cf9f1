/*
 * kernel_times.h - tables of measured kernels, and what the cost model says to each.
 *
 * The tables are public (docs/fidelity.md names them), lie outside the tree and are
 * read as they are.  A row is held back from fits by a hash of its shape alone: all
 * sizes of one matrix, or all batches and lengths of one kind of head, are on the same
 * side, so that what is held back was not seen in another size either.
 */
#ifndef QUIRE_KERNEL_TIMES_H
#define QUIRE_KERNEL_TIMES_H

#include "core/sim/cost.h"

enum kernel_kind {
	KERNEL_GEMM,	   /* n and k of at least 1,024 */
	KERNEL_DECODE,	   /* one token of each sequence; measured above 50 us */
	KERNEL_PREFILL,	   /* as many heads of K and V as of queries */
	KERNEL_PREFILL_GQA /* fewer; of the first isl / group tokens, see kernel_times.c */
};
#define KERNEL_KINDS 4

extern const char *const kernel_kind_names[KERNEL_KINDS];

struct kernel_row {
	enum kernel_kind kind;
	uint32_t m, n, k; /* GEMM */
	uint32_t seqs;	  /* attention ... */
	uint32_t tokens;  /* of each sequence in this step */
	uint32_t cached;  /* behind so many */
	uint32_t heads, kv_heads, head_dim;
	double measured_ns; /* the mean of the fastest and the slowest */
	bool held_back;
};

struct kernel_table {
	const char *gpu; /* whose it is */
	struct kernel_row *rows;
	size_t rows_count, rows_limit;
};

/* The GPUs that have tables.  NULL behind the last. */
extern const char *const kernel_gpus[];

/* All tables of @gpu in @folder.  Return: 0; -ENOENT there are none; -EINVAL. */
int kernel_table_read(struct kernel_table *table, const char *folder, const char *gpu);
void kernel_table_free(struct kernel_table *table);

double kernel_predict_ns(const struct quire_gpu *gpu, const struct kernel_row *row);

/* How predictions compare with one side of one kind. */
struct kernel_score {
	size_t rows;
	double error;	  /* mean of |predicted / measured - 1| */
	double bias;	  /* mean of predicted / measured - 1 */
	double deviation; /* standard deviation of measured / predicted - 1, about 0 */
	double covered;	  /* share of rows within 1.645 of the GPU's stated errors */
};
struct kernel_score kernel_score(const struct kernel_table *table, const struct quire_gpu *gpu,
				 enum kernel_kind kind, bool held_back);

#endif /* QUIRE_KERNEL_TIMES_H */
