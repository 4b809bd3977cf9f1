/*
 * copy_slots.cu - see kernels.h.
 *
 * The slots of a copy are neighbours in every plane, so a copy is one piece of memory
 * for each plane: blocks (x, y, z) take piece x of plane y of copy z.
 */
#include "launch.cuh"

#define THREADS 256u
#define LOADS	4u /* of 16 bytes, on their way in each thread */

static __global__ void __launch_bounds__(THREADS) copy_slots(const struct quire_op_copy_slots op)
{
	const uint64_t first = (uint64_t)blockIdx.x * THREADS * LOADS + threadIdx.x;
	uint16_t *plane = plane_of(op.pool, blockIdx.y);
	struct quire_dev_copy copy;
	const uint4 *from;
	uint4 *to, data[LOADS];
	uint64_t count;

	grid_launch_next();
	grid_wait();
	copy = op.copies[blockIdx.z];
	count = (uint64_t)copy.slots * op.pool.slot_elements / 8;
	from = (const uint4 *)(plane + (uint64_t)copy.from * op.pool.slot_elements);
	to = (uint4 *)(plane + (uint64_t)copy.to * op.pool.slot_elements);
#pragma unroll
	for (uint32_t i = 0; i < LOADS; i++)
		if (first + i * THREADS < count)
			data[i] = from[first + i * THREADS];
#pragma unroll
	for (uint32_t i = 0; i < LOADS; i++)
		if (first + i * THREADS < count)
			to[first + i * THREADS] = data[i];
}

static __global__ void __launch_bounds__(THREADS)
	poison_slots(const struct quire_op_poison_slots op)
{
	const uint64_t count = (uint64_t)op.slots * op.pool.slot_elements / 8;
	const uint64_t at = (uint64_t)blockIdx.x * THREADS + threadIdx.x;
	uint16_t *plane = plane_of(op.pool, blockIdx.y);

	grid_launch_next();
	grid_wait();
	if (at < count)
		((uint4 *)(plane + (uint64_t)op.first * op.pool.slot_elements))[at] =
			make_uint4(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu);
}

static uint32_t pieces(const struct quire_dev_pool *pool, uint32_t slots, uint32_t piece)
{
	return (uint32_t)(((uint64_t)slots * (pool->slot_elements / 8) + piece - 1) / piece);
}

int quire_cuda_copy_slots(const struct quire_op_copy_slots *op, struct CUstream_st *stream)
{
	if (op->pool.slot_elements % 8 || op->copies_count > 65535 || 2 * op->pool.layers > 65535)
		return cudaErrorInvalidValue;
	return launch(copy_slots, op,
		      dim3(pieces(&op->pool, op->slots_max, THREADS * LOADS), 2 * op->pool.layers,
			   op->copies_count),
		      THREADS, 0, stream);
}

int quire_cuda_poison_slots(const struct quire_op_poison_slots *op, struct CUstream_st *stream)
{
	if (op->pool.slot_elements % 8 || 2 * op->pool.layers > 65535)
		return cudaErrorInvalidValue;
	return launch(poison_slots, op,
		      dim3(pieces(&op->pool, op->slots, THREADS), 2 * op->pool.layers), THREADS, 0,
		      stream);
}
