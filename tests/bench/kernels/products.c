/*
 * products.c - rows by the matrices of a model: gemv and gemm beside cuBLASLt.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#define GEMV_ROWS     2u /* as in core/engine/cuda.h */
#define SAMPLES	      512u
#define WEIGHTS_BYTES ((size_t)256 << 20) /* that a graph goes round in: far more than L2 */

typedef int run_product(const struct quire_op_product *op, struct CUstream_st *stream);

struct trial {
	struct quire_op_product op;
	run_product *ours;
	struct product product;
	const uint16_t *weights;
	uint64_t elements; /* of one matrix */
	uint32_t copies;   /* of it in weights */
};

uint32_t product_copies(uint64_t elements)
{
	return 1 + (uint32_t)(WEIGHTS_BYTES / (elements * sizeof(uint16_t)));
}

bool ours_can(uint32_t rows)
{
	const struct quire_op_product op = {.rows_count = rows, .columns = 8, .outputs = 4};

	return rows <= QUIRE_GEMV_ROWS_MAX || quire_cuda_gemm_can(&op);
}

int ours_run(const struct quire_op_product *op)
{
	return op->rows_count > GEMV_ROWS && quire_cuda_gemm_can(op) ? quire_cuda_gemm(op, stream)
								     : quire_cuda_gemv(op, stream);
}

static int run_good(const struct quire_op_product *op, struct CUstream_st *on)
{
	(void)on;
	return ours_run(op);
}

static void run_ours(void *arg, uint32_t index)
{
	struct trial *t = arg;

	t->op.weight = t->weights + index % t->copies * t->elements;
	must("a product", t->ours(&t->op, stream));
}

static void run_theirs(void *arg, uint32_t index)
{
	struct trial *t = arg;

	product_run(&t->product, t->op.x, t->weights + index % t->copies * t->elements, t->op.out);
}

/* A product of random numbers, by @ours. */
static void trial_new(struct trial *t, run_product *ours, uint32_t rows, uint32_t columns,
		      uint32_t outputs, enum quire_product_kind kind)
{
	t->ours = ours;
	t->elements = (uint64_t)columns * outputs * (kind == QUIRE_PRODUCT_SWIGLU ? 2 : 1);
	t->copies = product_copies(t->elements);
	t->weights = device_random(t->elements * t->copies, 0.02);
	t->op = (struct quire_op_product){
		.x = device_random((uint64_t)rows * columns, 1),
		.rows_count = rows,
		.columns = columns,
		.outputs = outputs,
		.kind = kind,
		.out = device_new((size_t)rows * outputs * 4),
	};
	must("memset", (int)cudaMemset(t->op.out, 0, (size_t)rows * outputs * 4));
}

static void trial_free(struct trial *t)
{
	device_free((void *)t->weights), device_free((void *)t->op.x), device_free(t->op.out);
}

double ours_seconds(uint32_t rows, uint32_t columns, uint32_t outputs, enum quire_product_kind kind)
{
	struct trial t = {0};
	double seconds;

	trial_new(&t, run_good, rows, columns, outputs, kind);
	seconds = seconds_of(run_ours, &t, t.copies);
	trial_free(&t);
	return seconds;
}

static void check(struct trial *t, const char *what)
{
	const struct quire_op_product *op = &t->op;
	const size_t outputs = (size_t)op->rows_count * op->outputs;
	double out[SAMPLES], ref[SAMPLES];
	uint16_t *x, *y;

	run_ours(t, 0);
	must("a product", (int)cudaStreamSynchronize(stream));
	x = host_copy(op->x, (size_t)op->rows_count * op->columns * 2);
	y = host_copy(op->out, outputs * 2);
	for (uint32_t i = 0; i < SAMPLES; i++) {
		const uint32_t r = draw_below(op->rows_count), n = draw_below(op->outputs);
		uint16_t *w = host_copy(op->weight + (uint64_t)n * op->columns, op->columns * 2);

		ref[i] = 0;
		for (uint32_t k = 0; k < op->columns; k++)
			ref[i] += of_bf16(x[(size_t)r * op->columns + k]) * of_bf16(w[k]);
		out[i] = of_bf16(y[(size_t)r * op->outputs + n]);
		free(w);
	}
	checked(what, out, ref, SAMPLES, 4e-3);
	free(x), free(y);
}

static void shape(const char *name, uint32_t rows, uint32_t columns, uint32_t outputs)
{
	const double bytes = 2.0 * columns * outputs + 2.0 * rows * (columns + outputs);
	struct trial t = {0};
	char what[96];

	trial_new(&t, quire_cuda_gemv, rows, columns, outputs, QUIRE_PRODUCT_BF16);
	for (int gemm = 0; gemm < 2; gemm++) {
		if (gemm ? !quire_cuda_gemm_can(&t.op) : rows > QUIRE_GEMV_ROWS_MAX)
			continue;
		t.ours = gemm ? quire_cuda_gemm : quire_cuda_gemv;
		snprintf(what, sizeof(what), "%s            %s, %u rows, %u to %u",
			 gemm ? "gemm" : "gemv", name, rows, columns, outputs);
		check(&t, what);
		report_bytes(what, seconds_of(run_ours, &t, t.copies), bytes);
	}
	for (int tried = 1; tried <= PRODUCT_TRIED; tried += PRODUCT_TRIED - 1) {
		product_new(&t.product, rows, columns, outputs, false, false, tried);
		snprintf(what, sizeof(what), "cuBLASLt%s %s, %u rows, %u to %u",
			 tried > 1 ? ", tuned" : "       ", name, rows, columns, outputs);
		report_bytes(what, seconds_of(run_theirs, &t, t.copies), bytes);
		product_free(&t.product);
	}
	trial_free(&t);
}

void bench_products(void)
{
	static const uint32_t rows[] = {1, 4, 16, 64};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		shape("7B qkv", rows[i], 3584, 4608);
		shape("7B out", rows[i], 3584, 3584);
		shape("7B gate, up", rows[i], 3584, 37888);
		shape("7B down", rows[i], 18944, 3584);
		shape("7B head", rows[i], 3584, 152064);
		shape("0.5B qkv", rows[i], 896, 1152);
		shape("0.5B out", rows[i], 896, 896);
		shape("0.5B gate, up", rows[i], 896, 9728);
		shape("0.5B down", rows[i], 4864, 896);
		shape("0.5B head", rows[i], 896, 151936);
	}
}
