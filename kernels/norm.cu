/*
 * norm.cu - see kernels.h.  A block is a row, which stays in its registers.
 *
 * Memory: each row is read once and written once; 10 bytes an element without an add.
 */
#include "launch.cuh"

#define THREADS_MAX 1024u
#define PASSES	    2u /* of eight columns a thread */

static __global__ void __launch_bounds__(THREADS_MAX) norm(const struct quire_op_norm op)
{
	__shared__ float scratch[BLOCK_WARPS_MAX];
	float x[PASSES][8], sum = 0, scale;
	uint4 weight[PASSES];
	uint64_t from;

#pragma unroll
	for (uint32_t p = 0; p < PASSES; p++) {
		const uint32_t c = (p * blockDim.x + threadIdx.x) * 8;

		if (c < op.columns)
			weight[p] = load_once(op.weight + c);
	}
	grid_launch_next();
	grid_wait();
	from = (uint64_t)(op.index ? op.index[blockIdx.x] : blockIdx.x) * op.columns;
#pragma unroll
	for (uint32_t p = 0; p < PASSES; p++) {
		const uint32_t c = (p * blockDim.x + threadIdx.x) * 8;

		if (c >= op.columns)
			continue;
		load8(x[p], op.residual + from + c);
		if (op.add) {
			float add[8];

			bf16_unpack8(add, *(const uint4 *)(op.add + from + c));
#pragma unroll
			for (uint32_t i = 0; i < 8; i++)
				x[p][i] += add[i];
			store8(op.residual + from + c, x[p]);
		}
#pragma unroll
		for (uint32_t i = 0; i < 8; i++)
			sum += x[p][i] * x[p][i];
	}
	sum = block_sum(sum, scratch);
	scale = rsqrtf(sum / (float)op.columns + op.eps);
#pragma unroll
	for (uint32_t p = 0; p < PASSES; p++) {
		const uint32_t c = (p * blockDim.x + threadIdx.x) * 8;
		float w[8];

		if (c >= op.columns)
			continue;
		bf16_unpack8(w, weight[p]);
#pragma unroll
		for (uint32_t i = 0; i < 8; i++)
			x[p][i] *= scale * w[i];
		*(uint4 *)(op.out + (uint64_t)blockIdx.x * op.columns + c) = bf16_pack8(x[p]);
	}
}

int quire_cuda_norm(const struct quire_op_norm *op, struct CUstream_st *stream)
{
	uint32_t threads = (op->columns / 8 + WARP - 1) / WARP * WARP;

	if (op->columns % 8 || op->columns > PASSES * THREADS_MAX * 8 || (op->add && op->index))
		return cudaErrorInvalidValue;
	threads = threads > THREADS_MAX ? THREADS_MAX : threads;
	return launch(norm, op, dim3(op->rows_count), threads, 0, stream);
}
