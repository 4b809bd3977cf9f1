/*
 * attention.cuh - what the kernels of attention share: where keys lie, who may see them,
 * and how the parts of a tile are put together.
 *
 * Softmax runs along the keys (Milakov and Gimelshein, arXiv 1805.02867; Dao et al.,
 * FlashAttention-2, arXiv 2307.08691): with the largest score so far m, the sum l of
 * exp(score - m) and the values o weighted by the same, a larger m' scales both by
 * exp(m - m').  Scores stay unscaled; exp(scale (s - m)) = 2^((s - m) scale log2(e)).
 */
#ifndef QUIRE_KERNELS_ATTENTION_CUH
#define QUIRE_KERNELS_ATTENTION_CUH

#include "launch.cuh"

#define PARTS_MAX 64u /* of a tile; as in attention_plan.c */
#define LOG2_E	  1.4426950408889634f

/* A tile, or a part of one, of a KV head. */
struct tile {
	struct quire_dev_work work;
	uint32_t kv_head, group;
};

/* Keys [first, end) that a query may look at. */
struct span {
	uint32_t first, end;
};

/* Work is read before it is known to be there: both take as long as one. */
DEVICE bool tile_of(struct tile &tile, const struct quire_op_attention &op)
{
	const uint32_t count = *op.work_count;

	tile.work = op.work[blockIdx.x];
	tile.kv_head = blockIdx.y;
	tile.group = op.heads / op.kv_heads;
	return blockIdx.x < count;
}

DEVICE uint32_t slot_of(const struct quire_op_attention &op, const struct tile &tile, uint32_t key)
{
	const uint32_t block = key / tile.work.block_slots;

	return op.maps[tile.work.map_first + block] + (key - block * tile.work.block_slots);
}

/* Where query @q of the tile lies in q, or in out. */
DEVICE uint64_t row_of(const struct tile &tile, uint32_t q)
{
	return tile.work.row_first + (tile.work.query_first + q) / tile.group;
}

DEVICE uint32_t head_of(const struct tile &tile, uint32_t q)
{
	return tile.kv_head * tile.group + (tile.work.query_first + q) % tile.group;
}

DEVICE struct span span_of(const struct quire_op_attention &op, const struct tile &tile, uint32_t q)
{
	const uint32_t row = (tile.work.query_first + q) / tile.group;
	const uint32_t end = tile.work.position_first + row + 1;
	struct span span;

	span.first = op.window && end > op.window ? end - op.window : 0;
	span.end = q < tile.work.queries ? min(end, tile.work.key_end) : 0;
	return span;
}

DEVICE float masked(float score, uint32_t key, struct span span)
{
	return key >= span.first && key < span.end ? score : minus_infinity();
}

/* 0 where nothing was seen yet, so that -infinity less it is -infinity. */
DEVICE float finite(float max)
{
	return max > minus_infinity() ? max : 0.0f;
}

/* ---- parts ---- */

/* Of one part and KV head in op.partial: o [SIZE][HEAD_DIM], m [SIZE], l [SIZE]. */
template <uint32_t SIZE, uint32_t HEAD_DIM>
DEVICE float *part_of(const struct quire_op_attention &op, uint32_t part, uint32_t kv_head)
{
	return op.partial + ((uint64_t)part * op.kv_heads + kv_head) * SIZE * (HEAD_DIM + 2);
}

/*
 * All threads of a block: make out of queries [first, end) from all parts of their tile.
 * @weights is shared memory for PARTS_MAX (end - first) floats.
 */
template <uint32_t SIZE, uint32_t HEAD_DIM>
DEVICE void join_parts(const struct quire_op_attention &op, const struct tile &tile, uint32_t first,
		       uint32_t end, float *weights)
{
	const uint32_t parts = tile.work.parts, lane = threadIdx.x % WARP, count = end - first;
	const float factor = op.scale * LOG2_E;

	/* weights[part][query]: what a part's o counts for.  A warp is a query. */
	for (uint32_t q = threadIdx.x / WARP; q < count; q += blockDim.x / WARP) {
		float m[PARTS_MAX / WARP], l[PARTS_MAX / WARP], max = minus_infinity(), sum = 0;

#pragma unroll
		for (uint32_t i = 0; i < PARTS_MAX / WARP; i++) {
			const uint32_t p = i * WARP + lane;
			const float *part = part_of<SIZE, HEAD_DIM>(
				op, tile.work.part_first + min(p, parts - 1), tile.kv_head);

			part += SIZE * HEAD_DIM + first + q;
			m[i] = p < parts ? __ldcg(part) : minus_infinity();
			l[i] = p < parts ? __ldcg(part + SIZE) : 0;
			max = fmaxf(max, m[i]);
		}
		max = finite(lanes_max(max, WARP));
#pragma unroll
		for (uint32_t i = 0; i < PARTS_MAX / WARP; i++)
			sum += l[i] * exp2_fast((m[i] - max) * factor);
		sum = lanes_sum(sum, WARP);
#pragma unroll
		for (uint32_t i = 0; i < PARTS_MAX / WARP; i++)
			if (i * WARP + lane < parts)
				weights[(i * WARP + lane) * count + q] =
					exp2_fast((m[i] - max) * factor) / sum;
	}
	__syncthreads();
	for (uint32_t i = threadIdx.x * 4; i < count * HEAD_DIM; i += blockDim.x * 4) {
		const uint32_t q = i / HEAD_DIM, d = i % HEAD_DIM;
		float4 o = make_float4(0, 0, 0, 0);

#pragma unroll 8
		for (uint32_t p = 0; p < parts; p++) {
			const float *part =
				part_of<SIZE, HEAD_DIM>(op, tile.work.part_first + p, tile.kv_head);
			const float4 x = __ldcg((const float4 *)(part + first * HEAD_DIM + i));
			const float w = weights[p * count + q];

			o.x += w * x.x, o.y += w * x.y, o.z += w * x.z, o.w += w * x.w;
		}
		*(uint2 *)(op.out +
			   (row_of(tile, first + q) * op.heads + head_of(tile, first + q)) *
				   HEAD_DIM +
			   d) = make_uint2(bf16_pack(o.x, o.y), bf16_pack(o.z, o.w));
	}
}

/* In attention_few.cu and attention_many.cu. */
int quire_cuda_attention_few(const struct quire_op_attention *op, cudaStream_t stream);
int quire_cuda_attention_many(const struct quire_op_attention *op, cudaStream_t stream);

#endif /* QUIRE_KERNELS_ATTENTION_CUH */
