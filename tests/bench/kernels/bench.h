/*
 * bench.h - the kernels on a real GPU: each is checked, then timed, then held against
 * what the memory or the tensor cores of this very GPU can do.
 *
 * A time is the median over runs, between events on the device; launches that are short
 * are put into a graph, many of them, each on its own data, so that the cache holds none
 * of it.  A share is of the ceilings that are measured first: a copy in device memory,
 * bytes read and written, and a large matrix product of cuBLASLt, both on random data.
 */
#ifndef QUIRE_TESTS_BENCH_KERNELS_H
#define QUIRE_TESTS_BENCH_KERNELS_H

#include "kernels/kernels.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>

extern cudaStream_t stream;
extern double copy_bytes_per_s, matrix_flops_per_s;
extern int multiprocessors;

/* Ends the program unless @rc is 0. */
void must(const char *what, int rc);

void *device_new(size_t bytes);
void *device_random(uint64_t count, double deviation); /* bf16 */
void *device_copy(const void *host, size_t bytes);
void device_free(void *pointer);
void *host_copy(const void *device, size_t bytes); /* to be freed */

/* What is timed: @run number @index. */
typedef void run_fn(void *arg, uint32_t index);
/* Seconds of one run; @graphed runs at once, in a graph (1: launched, without one). */
double seconds_of(run_fn *run, void *arg, uint32_t graphed);

/* Lines of the table: memory's share, or the tensor cores'. */
void report_bytes(const char *what, double seconds, double bytes);
void report_flops(const char *what, double seconds, double flops);
/* |out - ref| / |ref| of sampled outputs; ends the program beyond @error_max. */
void checked(const char *what, const double *out, const double *ref, size_t count,
	     double error_max);

double of_bf16(uint16_t bits);
uint32_t draw_below(uint32_t n);

/*
 * y [rows][outputs] = x [rows][columns] weight^T by cuBLASLt; y is bf16, or fp32 and
 * then added to if @add.  Prepared once, run often.  @tried: of how many of its ways the
 * fastest is taken; 1: its own first choice.
 */
struct product {
	cublasLtMatmulDesc_t what;
	cublasLtMatrixLayout_t weight, x, y;
	cublasLtMatmulAlgo_t how;
	bool add;
	double seconds; /* if several were tried */
};
#define PRODUCT_TRIED 24
void product_new(struct product *p, uint32_t rows, uint32_t columns, uint32_t outputs, bool fp32,
		 bool add, int tried);
void product_run(const struct product *p, const void *x, const void *weight, void *y);
void product_free(struct product *p);
/* How many matrices of so many elements a graph goes round in, so that L2 holds none. */
uint32_t product_copies(uint64_t elements);
/* The same by gemv of few rows, or else by gemm.  Is there one for so many rows? */
bool ours_can(uint32_t rows);
int ours_run(const struct quire_op_product *op);
/* What it takes, with itself in front. */
double ours_seconds(uint32_t rows, uint32_t columns, uint32_t outputs,
		    enum quire_product_kind kind);

void bench_ceilings(void);
void bench_products(void);
void bench_rows(void);
void bench_attention(void);
void bench_steps(void);

#endif /* QUIRE_TESTS_BENCH_KERNELS_H */
