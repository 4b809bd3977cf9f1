/*
 * gemv.c - a few rows by the matrices of a model: ours beside cuBLASLt's.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLES	      512u
#define WEIGHTS_BYTES ((size_t)2 << 30) /* that a graph goes round in: far more than L2 */

struct gemv {
	struct quire_op_gemv op;
	struct product product;
	const uint16_t *weights;
	uint64_t elements; /* of one matrix */
	uint32_t copies;   /* of it in weights */
};

static void run_ours(void *arg, uint32_t index)
{
	struct gemv *g = arg;

	g->op.weight = g->weights + index % g->copies * g->elements;
	must("gemv", quire_cuda_gemv(&g->op, stream));
}

static void run_theirs(void *arg, uint32_t index)
{
	struct gemv *g = arg;

	product_run(&g->product, g->op.x, g->weights + index % g->copies * g->elements, g->op.out);
}

double gemv_seconds(uint32_t rows, uint32_t columns, uint32_t outputs, enum quire_gemv_out kind)
{
	struct gemv g = {.elements = (uint64_t)columns * outputs};
	const uint64_t most = (uint64_t)96 << 20;
	double seconds;

	g.elements *= kind == QUIRE_GEMV_SWIGLU ? 2 : 1;
	g.copies = g.elements < most ? (uint32_t)(most / g.elements) : 1;
	g.copies = g.copies > 12 ? 12 : g.copies;
	g.weights = device_random(g.elements * g.copies, 0.02);
	g.op = (struct quire_op_gemv){
		.x = device_random((uint64_t)rows * columns, 1),
		.rows_count = rows,
		.columns = columns,
		.outputs = outputs,
		.kind = kind,
		.out = device_new((size_t)rows * outputs * 4),
	};
	must("memset", (int)cudaMemset(g.op.out, 0, (size_t)rows * outputs * 4));
	seconds = seconds_of(run_ours, &g, 12);
	device_free((void *)g.weights), device_free((void *)g.op.x), device_free(g.op.out);
	return seconds;
}

static void check(struct gemv *g, const char *what)
{
	const struct quire_op_gemv *op = &g->op;
	const size_t outputs = (size_t)op->rows_count * op->outputs;
	double out[SAMPLES], ref[SAMPLES];
	uint16_t *x, *y;

	run_ours(g, 0);
	must("gemv", (int)cudaStreamSynchronize(stream));
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
	struct gemv g = {.elements = (uint64_t)columns * outputs};
	const double bytes = 2.0 * columns * outputs + 2.0 * rows * (columns + outputs);
	char what[96];

	g.copies = (uint32_t)(WEIGHTS_BYTES / 2 / g.elements);
	g.copies = g.copies > 40 ? 40 : g.copies;
	g.weights = device_random(g.elements * g.copies, 0.02);
	g.op = (struct quire_op_gemv){
		.x = device_random((uint64_t)rows * columns, 1),
		.rows_count = rows,
		.columns = columns,
		.outputs = outputs,
		.kind = QUIRE_GEMV_BF16,
		.out = device_new((size_t)rows * outputs * 4),
	};
	snprintf(what, sizeof(what), "gemv            %s, %u rows, %u to %u", name, rows, columns,
		 outputs);
	if (rows <= QUIRE_GEMV_ROWS_MAX) {
		check(&g, what);
		report_bytes(what, seconds_of(run_ours, &g, 2 * g.copies), bytes);
	}
	for (int tried = 1; tried <= PRODUCT_TRIED; tried += PRODUCT_TRIED - 1) {
		product_new(&g.product, rows, columns, outputs, false, false, tried);
		snprintf(what, sizeof(what), "cuBLASLt%s %s, %u rows, %u to %u",
			 tried > 1 ? ", tuned" : "       ", name, rows, columns, outputs);
		report_bytes(what, seconds_of(run_theirs, &g, 2 * g.copies), bytes);
		product_free(&g.product);
	}
	device_free((void *)g.weights), device_free((void *)g.op.x), device_free(g.op.out);
}

void bench_gemv(void)
{
	static const uint32_t rows[] = {1, 4, 64};

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
