/*
 * choose.cu - see kernels.h.  A row is cut into chunks, which are shared by some blocks;
 * the block that is done last puts their results together.
 *
 * Memory: the logits are read once.
 */
#include "launch.cuh"

#define THREADS	       256u
#define LOADS	       4u		      /* of four logits, by each thread */
#define CHUNK	       (THREADS * LOADS * 4u) /* logits of a block */
#define BLOCKS_AT_ONCE 660u		      /* 5 a multiprocessor */

/* Of some logits; sum = sum of exp(logit - max): NaN if one is NaN or +infinity. */
struct part {
	float max;
	uint32_t id;
	float sum;
	uint32_t zero;
};

/* scratch: for each row a head and the parts of its blocks. */
struct head {
	uint32_t tickets; /* blocks that are done */
	uint32_t zero[3];
};

static __host__ __device__ uint32_t chunks_of(uint32_t vocab)
{
	return (vocab + CHUNK - 1) / CHUNK;
}

/* exp(logit - max), where @max may be -infinity, which nothing is above. */
DEVICE float weight(float logit, float max)
{
	return __expf(logit - (max > minus_infinity() ? max : 0.0f));
}

/* In any order the same but for the rounding of sum. */
DEVICE struct part join(struct part a, struct part b)
{
	const float max = fmaxf(a.max, b.max);
	struct part both;

	both.max = max;
	both.id = a.max > b.max || (a.max == b.max && a.id < b.id) ? a.id : b.id;
	both.sum = a.sum * weight(a.max, max) + b.sum * weight(b.max, max);
	both.zero = 0;
	return both;
}

/* Thread 0 gets all. */
DEVICE struct part join_block(struct part p, struct part scratch[BLOCK_WARPS_MAX])
{
	for (uint32_t d = WARP / 2; d; d /= 2) {
		struct part other;

		other.max = __shfl_xor_sync(ALL_LANES, p.max, d);
		other.id = __shfl_xor_sync(ALL_LANES, p.id, d);
		other.sum = __shfl_xor_sync(ALL_LANES, p.sum, d);
		other.zero = 0;
		p = join(p, other);
	}
	if (threadIdx.x % WARP == 0)
		scratch[threadIdx.x / WARP] = p;
	__syncthreads();
	if (threadIdx.x == 0)
		for (uint32_t i = 1; i < THREADS / WARP; i++)
			p = join(p, scratch[i]);
	return p;
}

/* Add the logits of this thread in the chunk from @first on. */
DEVICE void look_at(struct part &p, const float *logits, uint32_t first, uint32_t vocab)
{
	const uint32_t mine = first + threadIdx.x * 4;
	float x[LOADS][4], max = minus_infinity();

#pragma unroll
	for (uint32_t i = 0; i < LOADS; i++) {
		const uint32_t id = mine + i * THREADS * 4;
		float4 four;

		x[i][0] = x[i][1] = x[i][2] = x[i][3] = minus_infinity();
		if (id >= vocab)
			continue;
		four = *(const float4 *)(logits + id);
		x[i][0] = four.x;
		x[i][1] = id + 1 < vocab ? four.y : minus_infinity();
		x[i][2] = id + 2 < vocab ? four.z : minus_infinity();
		x[i][3] = id + 3 < vocab ? four.w : minus_infinity();
	}
#pragma unroll
	for (uint32_t i = 0; i < LOADS * 4; i++)
		max = fmaxf(max, x[i / 4][i % 4]);
	if ((max > p.max || p.id == UINT32_MAX) && mine < vocab) {
		p.sum *= weight(p.max, max);
		p.max = max;
#pragma unroll
		for (uint32_t i = LOADS * 4; i-- > 0;) /* the first of equals, so it is last */
			if (x[i / 4][i % 4] == max)
				p.id = mine + i / 4 * THREADS * 4 + i % 4;
	}
#pragma unroll
	for (uint32_t i = 0; i < LOADS * 4; i++)
		p.sum += weight(x[i / 4][i % 4], p.max);
}

static __global__ void __launch_bounds__(THREADS) choose(const struct quire_op_choose op)
{
	__shared__ struct part scratch[BLOCK_WARPS_MAX];
	__shared__ bool last;
	const uint32_t blocks = gridDim.x, row = blockIdx.y;
	const float *logits = op.logits + (uint64_t)row * op.stride;
	struct head *head = (struct head *)op.scratch + (uint64_t)row * (1 + chunks_of(op.vocab));
	struct part *parts = (struct part *)(head + 1);
	struct part p = {minus_infinity(), UINT32_MAX, 0, 0};

	grid_launch_next();
	grid_wait();
	for (uint32_t first = blockIdx.x * CHUNK; first < op.vocab; first += blocks * CHUNK)
		look_at(p, logits, first, op.vocab);
	p = join_block(p, scratch);
	if (threadIdx.x == 0) {
		parts[blockIdx.x] = p;
		__threadfence();
		last = atomicAdd(&head->tickets, 1) == blocks - 1;
	}
	__syncthreads();
	if (!last)
		return;
	__threadfence();
	p = {minus_infinity(), UINT32_MAX, 0, 0};
	for (uint32_t i = threadIdx.x; i < blocks; i += THREADS) {
		const float4 bits = __ldcg((const float4 *)&parts[i]);

		p = join(p, {bits.x, __float_as_uint(bits.y), bits.z, 0});
	}
	__syncthreads();
	p = join_block(p, scratch);
	if (threadIdx.x == 0) {
		const bool bad = p.sum != p.sum;
		const float log_sum = p.sum > 0 ? p.max + logf(p.sum) : minus_infinity();

		op.choices[row] = {p.id, p.max, log_sum, bad};
		head->tickets = 0;
	}
}

size_t quire_choose_scratch_bytes(uint32_t rows_max, uint32_t vocab)
{
	return (size_t)rows_max * (1 + chunks_of(vocab)) * sizeof(struct part);
}

int quire_cuda_choose(const struct quire_op_choose *op, struct CUstream_st *stream)
{
	uint32_t blocks;

	if (!op->vocab || op->stride % 4 || op->stride < op->vocab || op->rows_count > 65535)
		return cudaErrorInvalidValue;
	blocks = BLOCKS_AT_ONCE / (op->rows_count ? op->rows_count : 1);
	blocks = blocks < 1 ? 1 : blocks;
	if (blocks > chunks_of(op->vocab))
		blocks = chunks_of(op->vocab);
	return launch(choose, op, dim3(blocks, op->rows_count), THREADS, 0, stream);
}
