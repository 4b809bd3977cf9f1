/*
 * swiglu.cu - see kernels.h.  A thread is eight columns of a row; 6 bytes an element.
 */
#include "launch.cuh"

#define THREADS 256u

static __global__ void __launch_bounds__(THREADS) swiglu(const struct quire_op_swiglu op)
{
	const uint32_t column = (blockIdx.x * THREADS + threadIdx.x) * 8;
	const uint16_t *gate = op.gate_up + (uint64_t)blockIdx.y * 2 * op.columns + column;
	float a[8], b[8];

	grid_launch_next();
	grid_wait();
	if (column >= op.columns)
		return;
	bf16_unpack8(a, *(const uint4 *)gate);
	bf16_unpack8(b, *(const uint4 *)(gate + op.columns));
#pragma unroll
	for (uint32_t i = 0; i < 8; i++)
		a[i] = silu(a[i]) * b[i];
	*(uint4 *)(op.out + (uint64_t)blockIdx.y * op.columns + column) = bf16_pack8(a);
}

int quire_cuda_swiglu(const struct quire_op_swiglu *op, struct CUstream_st *stream)
{
	if (op->columns % 8 || op->rows_count > 65535)
		return cudaErrorInvalidValue;
	return launch(swiglu, op, dim3((op->columns / 8 + THREADS - 1) / THREADS, op->rows_count),
		      THREADS, 0, stream);
}
