/*
 * rope_table.cu - see kernels.h.  A thread is one angle; in double, for it runs once.
 */
#include "launch.cuh"

#define THREADS 256u

static __global__ void rope_table(const struct quire_op_rope_table op)
{
	const uint32_t half = op.head_dim / 2;
	const uint64_t at = (uint64_t)blockIdx.x * THREADS + threadIdx.x;
	const uint64_t position = at / half;
	const uint32_t i = (uint32_t)(at % half);
	double sine, cosine;

	grid_wait();
	if (position >= op.positions)
		return;
	sincos((double)position * (double)op.frequency[i], &sine, &cosine);
	op.table[position * op.head_dim + i] = (float)cosine;
	op.table[position * op.head_dim + half + i] = (float)sine;
}

int quire_cuda_rope_table(const struct quire_op_rope_table *op, struct CUstream_st *stream)
{
	const uint64_t angles = (uint64_t)op->positions * (op->head_dim / 2);

	if (op->head_dim % 2)
		return cudaErrorInvalidValue;
	return launch(rope_table, op, dim3((uint32_t)((angles + THREADS - 1) / THREADS)), THREADS,
		      0, stream);
}
