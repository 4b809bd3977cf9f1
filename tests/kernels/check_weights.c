/*
 * check_weights.c - ops over weights: gemv, gemm, random.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>

typedef int launch_product(const struct quire_op_product *op, struct CUstream_st *stream);

static void product(const char *name, launch_product *launch, uint32_t rows_count, uint32_t columns,
		    uint32_t outputs, enum quire_product_kind kind)
{
	static const char *const names[] = {"bf16", "fp32", "add", "swiglu"};
	const bool narrow = kind == QUIRE_PRODUCT_BF16 || kind == QUIRE_PRODUCT_SWIGLU;
	const size_t count = (size_t)rows_count * outputs;
	struct both x, weight, out;

	checking("%s, %u rows, %u to %u, %s", name, rows_count, columns, outputs, names[kind]);
	x = both_random((size_t)rows_count * columns, 1);
	weight = both_random((size_t)outputs * columns * (kind == QUIRE_PRODUCT_SWIGLU ? 2 : 1),
			     1 / sqrt(columns));
	out = kind == QUIRE_PRODUCT_ADD ? both_random_fp32(count, 1)
					: both_new(count * (narrow ? 2 : 4));

	struct quire_op_product op = {x.device, rows_count, columns,   weight.device,
				      outputs,	kind,	    out.device};
	launched(name, launch(&op, NULL));
	op.x = x.host, op.weight = weight.host, op.out = out.host;
	quire_ref_product(&op);
	if (narrow)
		compare_bf16(&out, 2e-3, 8e-3);
	else
		compare_fp32(&out, 1e-6, 1e-5);
	both_free(&x), both_free(&weight), both_free(&out);
}

static void gemv(uint32_t rows_count, uint32_t columns, uint32_t outputs,
		 enum quire_product_kind kind)
{
	product("gemv", quire_cuda_gemv, rows_count, columns, outputs, kind);
}

void check_gemv(void)
{
	for (uint32_t rows = 1; rows <= 8; rows++)
		gemv(rows, 320, 33, (enum quire_product_kind)(rows % 4));
	gemv(1, 8, 1, QUIRE_PRODUCT_BF16);
	gemv(2, 40, 17, QUIRE_PRODUCT_FP32);
	gemv(1, 896, 130, QUIRE_PRODUCT_BF16);
	gemv(3, 3584, 16, QUIRE_PRODUCT_ADD);
	gemv(8, 3584, 20, QUIRE_PRODUCT_SWIGLU);
	gemv(5, 4872, 31, QUIRE_PRODUCT_FP32);
	gemv(7, 104, 20, QUIRE_PRODUCT_SWIGLU);
	gemv(8, 896, 70, QUIRE_PRODUCT_SWIGLU);
	gemv(6, 264, 18, QUIRE_PRODUCT_ADD);
}

static void gemm(uint32_t rows_count, uint32_t columns, uint32_t outputs,
		 enum quire_product_kind kind)
{
	product("gemm", quire_cuda_gemm, rows_count, columns, outputs, kind);
}

/*
 * Clusters of 1 to 8 with a slice or many, one tile or two, rings that go round, blocks
 * that take turns: on 132 multiprocessors, or on the emulator's 12.
 */
void check_gemm(void)
{
	const struct quire_op_product least = {.rows_count = 1, .columns = 8, .outputs = 4};

	if (!quire_cuda_gemm_can(&least)) {
		printf("gemm: not on this GPU\n");
		return;
	}
	gemm(1, 8, 4, QUIRE_PRODUCT_BF16);
	gemm(1, 64, 36, QUIRE_PRODUCT_FP32);
	gemm(3, 72, 40, QUIRE_PRODUCT_SWIGLU);
	for (uint32_t rows = 5; rows <= 64; rows += 7)
		gemm(rows, 328, 100, (enum quire_product_kind)(rows % 4));
	gemm(64, 896, 1152, QUIRE_PRODUCT_BF16);
	gemm(64, 896, 896, QUIRE_PRODUCT_ADD);
	gemm(33, 4864, 36, QUIRE_PRODUCT_ADD);
	gemm(16, 4872, 128, QUIRE_PRODUCT_FP32);
	gemm(64, 1096, 204, QUIRE_PRODUCT_SWIGLU);
	gemm(40, 200, 5000, QUIRE_PRODUCT_BF16);
	/* On 132: two tiles and 2, 4, 8 ranks of nine slices; more blocks than 132. */
	gemm(40, 1096, 2116, QUIRE_PRODUCT_ADD);
	gemm(17, 2184, 1060, QUIRE_PRODUCT_FP32);
	gemm(9, 4360, 516, QUIRE_PRODUCT_ADD);
	gemm(8, 520, 8452, QUIRE_PRODUCT_BF16);
	gemm(3, 456, 5284, QUIRE_PRODUCT_SWIGLU);
}

static void random_weights(uint64_t count, uint64_t seed)
{
	struct both out;

	checking("random, %llu numbers", (unsigned long long)count);
	out = both_new(count * sizeof(uint16_t));

	struct quire_op_random op = {out.device, count, seed, 0.02f};
	launched("random", quire_cuda_random(&op, NULL));
	op.out = out.host;
	quire_ref_random(&op);
	compare_bf16(&out, 2e-3, 8e-3);

	double sum = 0, squares = 0, fourth = 0;

	for (uint64_t i = 0; i < count && count > 10000; i++) {
		const uint32_t bits = (uint32_t)((uint16_t *)out.host)[i] << 16;
		union {
			uint32_t bits;
			float value;
		} u = {bits};
		const double x = (double)u.value / 0.02;

		sum += x, squares += x * x, fourth += x * x * x * x;
	}
	if (count > 10000) { /* normal: mean 0, variance 1, fourth moment 3; within 4 deviations */
		const double n = (double)count;

		expect(fabs(sum / n) < 4 / sqrt(n), "a mean of 0");
		expect(fabs(squares / n - 1) < 4 * sqrt(2 / n), "a variance of 1");
		expect(fabs(fourth / n - 3) < 4 * sqrt(96 / n), "a fourth moment of 3");
	}
	both_free(&out);
}

void check_random(void)
{
	random_weights(1, 1);
	random_weights(2055, 2);
	random_weights(100000, 12345);
}
