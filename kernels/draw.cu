/*
 * draw.cu - see kernels.h.  A block is a row.
 *
 * As on the host, nothing is sorted.  A logit has a key, the larger the smaller; where
 * top-k or top-p cut the order is found two bits of the key at a time, from sums over
 * what lies below; then among equals, and at last the token itself, by cumulated sums in
 * the order of ids.  All sums are of whole numbers, so they are the same in any order.
 */
#include "launch.cuh"

#define WARPS 32u
#define ONE   1099511627776.0f /* 2^40: the weight of the largest logit */

/* What is drawn from: the order up to a last token, but not logits below least. */
struct choice {
	const float *logits; /* [vocab] */
	uint32_t vocab;
	float largest, factor, least;
	uint32_t last_key, last_id;
};

DEVICE uint32_t key_of(float logit)
{
	const uint32_t bits = __float_as_uint(logit + 0.0f); /* there is one zero */

	return bits >> 31 ? bits : bits ^ 0x7fffffffu;
}

DEVICE bool is_in(const struct choice &c, float logit, uint32_t id)
{
	const uint32_t key = key_of(logit);

	return logit >= c.least && (key < c.last_key || (key == c.last_key && id <= c.last_id));
}

DEVICE uint64_t weight(const struct choice &c, float logit)
{
	return (uint64_t)(exp2_fast((logit - c.largest) * c.factor) * ONE);
}

/* Over the block; each thread gets the sum. */
DEVICE uint64_t sum_of(uint64_t value)
{
	__shared__ uint64_t scratch[BLOCK_WARPS_MAX];

	__syncthreads();
	return block_sum(value, scratch);
}

/* Call look(logit, id) for each, in threads that share them; several loads at one time. */
template <typename LOOK> DEVICE void for_each(const float *logits, uint32_t vocab, LOOK look)
{
	constexpr uint32_t TOGETHER = 8, STRIDE = WARPS * WARP;

	for (uint32_t first = threadIdx.x; first < vocab; first += TOGETHER * STRIDE) {
		float x[TOGETHER];

#pragma unroll
		for (uint32_t i = 0; i < TOGETHER; i++)
			x[i] = first + i * STRIDE < vocab ? logits[first + i * STRIDE] : 0;
#pragma unroll
		for (uint32_t i = 0; i < TOGETHER; i++)
			if (first + i * STRIDE < vocab)
				look(x[i], first + i * STRIDE);
	}
}

/* Of value(logit, id), over all. */
template <typename VALUE> DEVICE uint64_t sum_over(const struct choice &c, VALUE value)
{
	uint64_t sum = 0;

	for_each(c.logits, c.vocab, [&](float logit, uint32_t id) { sum += value(logit, id); });
	return sum_of(sum);
}

/* The first id at which value(logit, id), summed up from id 0 on, reaches @goal, which it
 * does. */
template <typename VALUE>
DEVICE uint32_t first_id(const struct choice &c, uint64_t goal, VALUE value)
{
	__shared__ uint64_t sums[WARPS];
	const uint32_t warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
	uint32_t first = 0, count = c.vocab;

	while (count > 1) {
		const uint32_t each = ceil_div(count, WARPS);
		uint64_t sum = 0;
		uint32_t w;

#pragma unroll 8
		for (uint32_t i = lane; i < each; i += WARP) {
			const uint32_t id = min(first + warp * each + i, c.vocab - 1);
			const uint64_t mine = value(c.logits[id], id);

			sum += warp * each + i < count ? mine : 0;
		}
		sum = lanes_sum(sum, WARP);
		__syncthreads();
		if (lane == 0)
			sums[warp] = sum;
		__syncthreads();
		for (w = 0; w < WARPS - 1 && goal > sums[w]; w++)
			goal -= sums[w];
		first += w * each;
		count = min(each, count - w * each);
	}
	return first;
}

/* Cut @c behind the token at which a sum over the order reaches @goal: of ones, or with
 * @weigh of weights. */
DEVICE void cut(struct choice &c, uint64_t goal, bool weigh)
{
	uint64_t before = 0; /* sum of what has a key below prefix */
	uint32_t prefix = 0;

	for (int shift = 30; shift >= 0; shift -= 2) {
		uint64_t sums[3] = {}; /* of what has one of the next two bits, by these */

		for_each(c.logits, c.vocab, [&](float logit, uint32_t id) {
			const uint32_t key = key_of(logit), digit = (key - prefix) >> shift;

			if (key < prefix || digit > 2 || !is_in(c, logit, id))
				return;
			for (uint32_t i = 0; i < 3; i++)
				sums[i] += i == digit ? weigh ? weight(c, logit) : 1 : 0;
		});
		for (uint32_t i = 0; i < 3; i++) {
			const uint64_t sum = sum_of(sums[i]);

			if (before + sum >= goal)
				break;
			before += sum;
			prefix += 1u << shift;
		}
	}
	/* What has the key prefix are equals. */
	c.last_id = first_id(c, goal - before, [&](float logit, uint32_t id) -> uint64_t {
		if (key_of(logit) != prefix || !is_in(c, logit, id))
			return 0;
		return weigh ? weight(c, logit) : 1;
	});
	c.last_key = prefix;
}

static __global__ void __launch_bounds__(WARPS *WARP) draw(const struct quire_op_draw op)
{
	struct quire_dev_draw how;
	struct choice c;
	uint64_t all, goal;
	uint32_t token;

	grid_launch_next();
	grid_wait();
	how = op.draws[blockIdx.x];
	c.logits = op.logits + (uint64_t)blockIdx.x * op.stride;
	c.vocab = op.vocab;
	c.largest = op.choices[blockIdx.x].logit;
	c.factor = 1.4426950408889634f / how.temperature;
	c.least = how.min_p > 0 ? c.largest + how.temperature * logf(how.min_p) : minus_infinity();
	c.last_key = c.last_id = UINT32_MAX;

	auto share = [&](float logit, uint32_t id) -> uint64_t {
		return is_in(c, logit, id) ? weight(c, logit) : 0;
	};
	auto one = [&](float logit, uint32_t id) -> uint64_t { return is_in(c, logit, id); };

	if (how.top_k && how.top_k < sum_over(c, one))
		cut(c, how.top_k, false);
	all = sum_over(c, share);
	if (how.top_p < 1) {
		goal = (uint64_t)ceil((double)how.top_p * (double)all);
		cut(c, max(min(goal, all), (uint64_t)1), true);
		all = sum_over(c, share);
	}
	goal = (uint64_t)(how.uniform * (double)all) + 1;
	token = first_id(c, min(goal, all), share);
	if (threadIdx.x == 0)
		op.tokens[blockIdx.x] = token;
}

int quire_cuda_draw(const struct quire_op_draw *op, struct CUstream_st *stream)
{
	if (!op->vocab || op->stride < op->vocab)
		return cudaErrorInvalidValue;
	return launch(draw, op, dim3(op->rows_count), WARPS * WARP, 0, stream);
}
