/*
 * random.cu - see kernels.h.  A thread draws eight neighbours, to store them at once.
 */
#include "launch.cuh"

#define THREADS 256u

DEVICE uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static __global__ void __launch_bounds__(THREADS) random_normal(const struct quire_op_random op)
{
	const uint64_t first = ((uint64_t)blockIdx.x * THREADS + threadIdx.x) * 8;
	float x[8];

	grid_wait();
#pragma unroll
	for (uint32_t i = 0; i < 8; i++) {
		const uint64_t hash = mix(op.seed + (first + i) * 0x9e3779b97f4a7c15u);
		const float u = ((float)(uint32_t)(hash >> 32) + 0.5f) * 0x1p-32f;
		const float angle = (float)(uint32_t)hash * 0x1p-31f; /* in halves of a turn */

		x[i] = op.deviation * sqrtf(-2.0f * logf(u)) * cospif(angle);
	}
	if (first + 8 <= op.count)
		*(uint4 *)(op.out + first) = bf16_pack8(x);
	else
		for (uint32_t i = 0; first + i < op.count; i++)
			op.out[first + i] = (uint16_t)bf16_pack(x[i], 0);
}

int quire_cuda_random(const struct quire_op_random *op, struct CUstream_st *stream)
{
	const uint64_t blocks = (op->count + THREADS * 8 - 1) / (THREADS * 8);

	if (blocks > INT32_MAX)
		return cudaErrorInvalidValue;
	return launch(random_normal, op, dim3((uint32_t)blocks), THREADS, 0, stream);
}
