/*
 * rows.c - the small ops, for single tokens and for a prompt.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS	  3584u
#define MIDDLE	  18944u
#define HEADS	  28u
#define KV_HEADS  4u
#define DIM	  128u
#define VOCAB	  152064u
#define POSITIONS 8192u

struct rows {
	uint32_t count;
	struct quire_op_norm norm;
	struct quire_op_rope rope;
	struct quire_op_swiglu swiglu;
	struct quire_op_choose choose;
	struct quire_op_draw draw;
};

static void run_norm(void *arg, uint32_t index)
{
	(void)index;
	must("norm", quire_cuda_norm(&((struct rows *)arg)->norm, stream));
}

static void run_rope(void *arg, uint32_t index)
{
	(void)index;
	must("rope", quire_cuda_rope(&((struct rows *)arg)->rope, stream));
}

static void run_swiglu(void *arg, uint32_t index)
{
	(void)index;
	must("swiglu", quire_cuda_swiglu(&((struct rows *)arg)->swiglu, stream));
}

static void run_choose(void *arg, uint32_t index)
{
	(void)index;
	must("choose", quire_cuda_choose(&((struct rows *)arg)->choose, stream));
}

static void run_draw(void *arg, uint32_t index)
{
	(void)index;
	must("draw", quire_cuda_draw(&((struct rows *)arg)->draw, stream));
}

static void say(const char *op, uint32_t rows, run_fn *run, struct rows *r, double bytes)
{
	char what[64];

	snprintf(what, sizeof(what), "%s, %u rows", op, rows);
	report_bytes(what, seconds_of(run, r, rows > 1000 ? 4 : 100), bytes);
}

static float *device_zeros(size_t bytes)
{
	void *pointer = device_new(bytes);

	must("memset", (int)cudaMemset(pointer, 0, bytes));
	return pointer;
}

static void bench(uint32_t n)
{
	const uint32_t qkv = (HEADS + 2 * KV_HEADS) * DIM;
	struct quire_dev_row *rows = calloc(n, sizeof(*rows));
	struct quire_dev_draw *draws = calloc(n, sizeof(*draws));
	const uint32_t sampled = n > 64 ? 64 : n;
	struct rows r = {.count = n};

	must("memory", !rows || !draws);
	for (uint32_t i = 0; i < n; i++) {
		rows[i] = (struct quire_dev_row){.position = i, .slot = n - 1 - i};
		draws[i] = (struct quire_dev_draw){1, 0, 0.9f, 50, 0.5};
	}
	r.norm = (struct quire_op_norm){
		.residual = device_zeros((size_t)n * COLUMNS * 4),
		.add = device_random((uint64_t)n * COLUMNS, 1e-3),
		.weight = device_random(COLUMNS, 1),
		.out = device_new((size_t)n * COLUMNS * 2),
		.rows_count = n,
		.columns = COLUMNS,
		.eps = 1e-6f,
	};
	r.rope = (struct quire_op_rope){
		.rows = device_copy(rows, n * sizeof(*rows)),
		.rows_count = n,
		.qkv = device_random((uint64_t)n * qkv, 1),
		.qkv_stride = qkv,
		.heads = HEADS,
		.kv_heads = KV_HEADS,
		.head_dim = DIM,
		.table = device_zeros((size_t)POSITIONS * DIM * 4),
		.positions = POSITIONS,
		.k = device_new((size_t)n * KV_HEADS * DIM * 2),
		.v = device_new((size_t)n * KV_HEADS * DIM * 2),
	};
	r.swiglu = (struct quire_op_swiglu){
		.gate_up = device_random((uint64_t)n * 2 * MIDDLE, 1),
		.out = device_new((size_t)n * MIDDLE * 2),
		.rows_count = n,
		.columns = MIDDLE,
	};
	r.choose = (struct quire_op_choose){
		.logits = device_random((uint64_t)sampled * VOCAB * 2, 1), /* as floats: any */
		.rows_count = sampled,
		.vocab = VOCAB,
		.stride = VOCAB,
		.choices = device_new(sampled * sizeof(struct quire_dev_choice)),
		.scratch = device_zeros(quire_choose_scratch_bytes(sampled, VOCAB)),
	};
	r.draw = (struct quire_op_draw){
		.logits = r.choose.logits,
		.rows_count = sampled,
		.vocab = VOCAB,
		.stride = VOCAB,
		.choices = r.choose.choices,
		.draws = device_copy(draws, n * sizeof(*draws)),
		.tokens = device_new(n * 4),
	};
	say("norm with add", n, run_norm, &r, 12.0 * n * COLUMNS);
	say("rope", n, run_rope, &r, (2.0 * qkv + 2.0 * qkv + 4.0 * DIM) * n);
	say("swiglu", n, run_swiglu, &r, 6.0 * n * MIDDLE);
	say("choose", sampled, run_choose, &r, 4.0 * sampled * VOCAB);
	say("draw (top-k 50, top-p 0.9)", sampled, run_draw, &r, 4.0 * sampled * VOCAB);
	device_free(r.norm.residual), device_free((void *)r.norm.add);
	device_free((void *)r.norm.weight), device_free(r.norm.out);
	device_free((void *)r.rope.rows), device_free(r.rope.qkv),
		device_free((void *)r.rope.table);
	device_free(r.rope.k), device_free(r.rope.v), device_free((void *)r.swiglu.gate_up);
	device_free(r.swiglu.out), device_free((void *)r.choose.logits);
	device_free(r.choose.choices), device_free(r.choose.scratch);
	device_free((void *)r.draw.draws), device_free(r.draw.tokens);
	free(rows), free(draws);
}

void bench_rows(void)
{
	bench(1);
	bench(64);
	bench(8192);
}
