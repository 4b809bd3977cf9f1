/*
 * draw.cu - see kernels.h.  A block is a row.
 *
 * Nothing is sorted.  Where top-k or top-p cut the order is found in three steps, each
 * over fewer logits: a histogram of what is below the largest logit says in which of its
 * buckets; what lies there is put into a list, in which the key of the cut is found two
 * bits at a time; and among equals, ids decide.  Then the token is found by sums over ids.
 * All sums are of whole numbers, so they are the same in any order.
 */
#include "launch.cuh"

#define WARPS	  32u
#define THREADS	  (WARPS * WARP)
#define ONE	  1099511627776.0f /* 2^40: the weight of the largest logit */
#define LEAST	  28.0f		   /* exp(-28) is below 2^-40 */
#define BUCKETS	  2048u
#define LIST_MAX  2048u
#define PART_BITS 14u /* a weight is counted in three parts, so that 2^18 of them fit */

/* What is drawn from: the order up to a last token, but not logits below least. */
struct choice {
	const float *logits; /* [vocab] */
	uint32_t vocab;
	float largest, factor, least;
	float buckets; /* that a logit of 1 below the largest is further */
	uint32_t last_key, last_id;
};

/* Of a cut. */
struct room {
	uint32_t histogram[3][BUCKETS];
	uint2 list[LIST_MAX]; /* bits of a logit, id */
	uint32_t listed;
	uint64_t sums[3][WARPS];
};

/* The larger the logit, the smaller its key. */
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

DEVICE uint32_t bucket_of(const struct choice &c, float logit)
{
	const float at = (c.largest - logit) * c.buckets;

	return at < (float)(BUCKETS - 1) ? (uint32_t)at : BUCKETS - 1;
}

/* Call look(logit, id) for all, in threads that share them; several loads at one time. */
template <typename LOOK> DEVICE void for_each(const struct choice &c, LOOK look)
{
	constexpr uint32_t TOGETHER = 8;

	for (uint32_t first = threadIdx.x; first < c.vocab; first += TOGETHER * THREADS) {
		float x[TOGETHER];

#pragma unroll
		for (uint32_t i = 0; i < TOGETHER; i++)
			x[i] = first + i * THREADS < c.vocab ? c.logits[first + i * THREADS] : 0;
#pragma unroll
		for (uint32_t i = 0; i < TOGETHER; i++)
			if (first + i * THREADS < c.vocab)
				look(x[i], first + i * THREADS);
	}
}

/* Over the block, of three at one time; each thread gets the sums. */
DEVICE void sum_up(uint64_t values[3], struct room &room)
{
#pragma unroll
	for (uint32_t i = 0; i < 3; i++)
		values[i] = lanes_sum(values[i], WARP);
	__syncthreads();
	if (threadIdx.x % WARP == 0)
		for (uint32_t i = 0; i < 3; i++)
			room.sums[i][threadIdx.x / WARP] = values[i];
	__syncthreads();
	for (uint32_t i = 0; i < 3; i++) {
		values[i] = room.sums[i][threadIdx.x % WARP];
		values[i] = lanes_sum(values[i], WARP);
	}
}

/* Of value(logit, id), over all. */
template <typename VALUE>
DEVICE uint64_t sum_over(const struct choice &c, struct room &room, VALUE value)
{
	uint64_t sums[3] = {};

	for_each(c, [&](float logit, uint32_t id) { sums[0] += value(logit, id); });
	sum_up(sums, room);
	return sums[0];
}

/*
 * The first index at which value(index), summed up from 0 on, reaches @goal, which it
 * does; @goal becomes what is left to reach there.
 */
template <typename VALUE>
DEVICE uint32_t first_of(uint32_t count, uint64_t &goal, struct room &room, VALUE value)
{
	const uint32_t warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
	uint32_t first = 0;

	while (count > 1) {
		const uint32_t each = ceil_div(count, WARPS);
		uint64_t sum = 0;
		uint32_t w;

#pragma unroll 8
		for (uint32_t i = lane; i < each; i += WARP)
			sum += warp * each + i < count ? value(first + warp * each + i) : 0;
		sum = lanes_sum(sum, WARP);
		__syncthreads();
		if (lane == 0)
			room.sums[0][warp] = sum;
		__syncthreads();
		for (w = 0; w < WARPS - 1 && goal > room.sums[0][w]; w++)
			goal -= room.sums[0][w];
		first += w * each;
		count = min(each, count - w * each);
	}
	return first;
}

/*
 * The key at which a sum over the order reaches @goal, which becomes what is left to
 * reach among equals.  each(look) calls look(logit, id) for all that count.
 */
template <typename EACH>
DEVICE uint32_t key_at(const struct choice &c, uint64_t &goal, bool weigh, struct room &room,
		       EACH each)
{
	uint32_t prefix = 0;

	for (int shift = 30; shift >= 0; shift -= 2) {
		uint64_t sums[3] = {}; /* of what has prefix, by the next two bits */

		each([&](float logit, uint32_t) {
			const uint32_t beyond = key_of(logit) - prefix, digit = beyond >> shift;

			if (key_of(logit) < prefix || digit > 2)
				return;
			for (uint32_t i = 0; i < 3; i++)
				sums[i] += i == digit ? weigh ? weight(c, logit) : 1 : 0;
		});
		sum_up(sums, room);
		for (uint32_t i = 0; i < 3 && sums[i] < goal; i++) {
			goal -= sums[i];
			prefix += 1u << shift;
		}
	}
	return prefix;
}

/* Cut @c behind the token at which a sum over the order reaches @goal: of ones, or with
 * @weigh of weights. */
DEVICE void cut(struct choice &c, uint64_t goal, bool weigh, struct room &room)
{
	const uint32_t mask = (1u << PART_BITS) - 1;
	uint32_t bucket, key;

	__syncthreads();
	for (uint32_t i = threadIdx.x; i < BUCKETS; i += THREADS)
		room.histogram[0][i] = room.histogram[1][i] = room.histogram[2][i] = 0;
	if (threadIdx.x == 0)
		room.listed = 0;
	__syncthreads();
	for_each(c, [&](float logit, uint32_t id) {
		const uint64_t w = !is_in(c, logit, id) ? 0 : weigh ? weight(c, logit) : 1;
		const uint32_t at = bucket_of(c, logit);

		for (uint32_t i = 0; i < 3; i++)
			if (w >> i * PART_BITS)
				atomicAdd(&room.histogram[i][at],
					  (uint32_t)(w >> i * PART_BITS) & mask);
	});
	__syncthreads();
	bucket = first_of(BUCKETS, goal, room, [&](uint32_t i) {
		return (uint64_t)room.histogram[0][i] +
		       ((uint64_t)room.histogram[1][i] << PART_BITS) +
		       ((uint64_t)room.histogram[2][i] << 2 * PART_BITS);
	});
	for_each(c, [&](float logit, uint32_t id) {
		if (bucket_of(c, logit) != bucket || !is_in(c, logit, id))
			return;
		const uint32_t at = atomicAdd(&room.listed, 1u);

		if (at < LIST_MAX)
			room.list[at] = make_uint2(__float_as_uint(logit), id);
	});
	__syncthreads();
	if (room.listed <= LIST_MAX)
		key = key_at(c, goal, weigh, room, [&](auto look) {
			for (uint32_t i = threadIdx.x; i < room.listed; i += THREADS)
				look(__uint_as_float(room.list[i].x), room.list[i].y);
		});
	else
		key = key_at(c, goal, weigh, room, [&](auto look) {
			for_each(c, [&](float logit, uint32_t id) {
				if (bucket_of(c, logit) == bucket && is_in(c, logit, id))
					look(logit, id);
			});
		});
	c.last_id = first_of(c.vocab, goal, room, [&](uint32_t id) -> uint64_t {
		const float logit = c.logits[id];

		if (key_of(logit) != key || !is_in(c, logit, id))
			return 0;
		return weigh ? weight(c, logit) : 1;
	});
	c.last_key = key;
}

static __global__ void __launch_bounds__(THREADS) draw(const struct quire_op_draw op)
{
	__shared__ struct room room;
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
	c.buckets = BUCKETS / (LEAST * how.temperature);
	c.least = how.min_p > 0 ? c.largest + how.temperature * logf(how.min_p) : minus_infinity();
	c.last_key = c.last_id = UINT32_MAX;

	auto share = [&](float logit, uint32_t id) -> uint64_t {
		return is_in(c, logit, id) ? weight(c, logit) : 0;
	};
	auto one = [&](float logit, uint32_t id) -> uint64_t { return is_in(c, logit, id); };

	if (how.top_k && how.top_k < sum_over(c, room, one))
		cut(c, how.top_k, false, room);
	all = sum_over(c, room, share);
	if (how.top_p < 1) {
		goal = (uint64_t)ceil((double)how.top_p * (double)all);
		cut(c, max(min(goal, all), (uint64_t)1), true, room);
		all = sum_over(c, room, share);
	}
	goal = min((uint64_t)(how.uniform * (double)all) + 1, all);
	token = first_of(c.vocab, goal, room, [&](uint32_t id) { return share(c.logits[id], id); });
	if (threadIdx.x == 0)
		op.tokens[blockIdx.x] = token;
}

int quire_cuda_draw(const struct quire_op_draw *op, struct CUstream_st *stream)
{
	if (!op->vocab || op->vocab > 1u << 18 || op->stride < op->vocab)
		return cudaErrorInvalidValue;
	return launch(draw, op, dim3(op->rows_count), THREADS, 0, stream);
}
