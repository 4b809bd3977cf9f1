/*
 * attention_few.cu - attention of up to 16 queries of an item that share a KV head.
 *
 * Single tokens: what counts is to read K and V once, as fast as memory gives them.
 * Four warps (eight, if a head is 64) share the keys of the block's part, 16 in turn to
 * each; a warp has its own ring of STAGES such pieces in shared memory, filled behind its
 * back, and waits for no other warp until the end: three stages, so that two blocks fit a
 * multiprocessor, or more where blocks are few.  The tensor cores take the 16 queries as rows;
 * of multi-head attention that is one query and fifteen empty rows, which costs nothing that
 * counts: 32 products for 8 KiB (head_dim 128), a tenth of what they could do meanwhile.
 *
 * A row of K or V in shared memory is HEAD_DIM / 8 chunks of 16 bytes; chunk c of row r
 * lies at place c ^ (r & 7), so that eight rows of one chunk are in different banks.
 */
#include "attention.cuh"

#define SIZE 16u
#define KEYS 16u /* of a piece */

/* So that two blocks fill a multiprocessor's memory, whatever HEAD_DIM. */
template <uint32_t HEAD_DIM> constexpr uint32_t warps_of = 512 / HEAD_DIM;

/* Copy the piece at @key: K and V of 16 keys, where @slot is that of key + lane % 16. */
template <uint32_t HEAD_DIM>
DEVICE void fetch(const struct quire_op_attention &op, uint32_t kv_head, uint32_t slot,
		  uint16_t *stage)
{
	constexpr uint32_t CHUNKS = HEAD_DIM / 8, ROWS = WARP / CHUNKS; /* at one time */
	const uint32_t lane = threadIdx.x % WARP, chunk = lane % CHUNKS;

#pragma unroll
	for (uint32_t i = 0; i < KEYS; i += ROWS) {
		const uint32_t row = i + lane / CHUNKS;
		const uint64_t from =
			((uint64_t)__shfl_sync(ALL_LANES, slot, (int)row) * op.kv_heads + kv_head) *
				HEAD_DIM +
			chunk * 8;
		const uint32_t to = row * HEAD_DIM + (chunk ^ (row & 7)) * 8;

		copy_async(stage + to, op.k + from);
		copy_async(stage + KEYS * HEAD_DIM + to, op.v + from);
	}
}

template <uint32_t HEAD_DIM, uint32_t STAGES>
static __global__ void __launch_bounds__(warps_of<HEAD_DIM> *WARP)
	attention_few(const struct quire_op_attention op)
{
	constexpr uint32_t WARPS = warps_of<HEAD_DIM>;
	constexpr uint32_t STAGE = 2 * KEYS * HEAD_DIM; /* elements: K, V */
	const uint32_t warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
	const uint32_t g = lane / 4, t = lane % 4;
	const uint32_t sub = lane / 8, sub_row = lane % 8; /* for load_matrices() */
	const float factor = op.scale * LOG2_E;
	uint16_t *ring = (uint16_t *)shared_memory() + warp * STAGES * STAGE;
	float o[HEAD_DIM / 8][4] = {}, m[2], l[2] = {};
	uint32_t q[HEAD_DIM / 16][4];
	uint32_t key, fetch_key = 0, slot = 0, stage = 0, fetch_stage = 0;
	struct tile tile;
	struct span span[2];

	grid_launch_next();
	if (!tile_of(tile, op)) {
		grid_wait();
		return;
	}

	/* The slot of this lane's key of the piece that is fetched next. */
	auto look_up = [&](uint32_t at) {
		const uint32_t mine = at + lane % KEYS;

		return slot_of(op, tile, min(mine, tile.work.key_end - 1));
	};
	auto fetch_next = [&]() {
		if (fetch_key < tile.work.key_end)
			fetch<HEAD_DIM>(op, tile.kv_head, slot, ring + fetch_stage * STAGE);
		copy_commit();
		fetch_key += WARPS * KEYS;
		fetch_stage = fetch_stage + 1 == STAGES ? 0 : fetch_stage + 1;
		slot = look_up(fetch_key);
	};

	/* Keys of tokens before this step lie there already. */
	key = fetch_key = tile.work.key_first + warp * KEYS;
	const bool old = key + (STAGES - 2) * WARPS * KEYS + KEYS <= tile.work.position_first;

	slot = look_up(fetch_key);
	if (!old)
		grid_wait();
#pragma unroll
	for (uint32_t i = 0; i < STAGES - 1; i++)
		fetch_next();
	if (old)
		grid_wait();
#pragma unroll
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t row = g + i * 8;
		const bool there = row < tile.work.queries;
		const uint16_t *from = op.q + row_of(tile, there ? row : 0) * op.q_stride +
				       head_of(tile, there ? row : 0) * HEAD_DIM + 2 * t;

#pragma unroll
		for (uint32_t k = 0; k < HEAD_DIM / 16; k++) {
			q[k][i] = there ? *(const uint32_t *)(from + k * 16) : 0;
			q[k][i + 2] = there ? *(const uint32_t *)(from + k * 16 + 8) : 0;
		}
		span[i] = span_of(op, tile, row);
		m[i] = minus_infinity();
	}

	for (; key < tile.work.key_end; key += WARPS * KEYS) {
		const uint16_t *keys = ring + stage * STAGE, *values = keys + KEYS * HEAD_DIM;
		float s[2][4] = {}, scale[2];
		uint32_t p[4];

		copy_wait<STAGES - 2>();
		__syncwarp(); /* the piece is there, and the one before is done with */
		fetch_next();
#pragma unroll
		for (uint32_t k = 0; k < HEAD_DIM / 16; k++) {
			const uint32_t row = sub_row + sub / 2 * 8, chunk = 2 * k + sub % 2;
			uint32_t b[4];

			load_matrices(b, keys + row * HEAD_DIM + (chunk ^ sub_row) * 8);
			mma(s[0], q[k], b[0], b[1]);
			mma(s[1], q[k], b[2], b[3]);
		}
#pragma unroll
		for (uint32_t i = 0; i < 2; i++) {
			float max = m[i], sum = 0;

#pragma unroll
			for (uint32_t n = 0; n < 2; n++)
#pragma unroll
				for (uint32_t e = 0; e < 2; e++) {
					float *score = &s[n][2 * i + e];

					*score = masked(*score, key + n * 8 + 2 * t + e, span[i]);
					max = fmaxf(max, *score);
				}
			max = lanes_max(max, 4);
			scale[i] = exp2_fast((m[i] - finite(max)) * factor);
			m[i] = max;
#pragma unroll
			for (uint32_t n = 0; n < 2; n++)
#pragma unroll
				for (uint32_t e = 0; e < 2; e++) {
					float *score = &s[n][2 * i + e];

					*score = exp2_fast((*score - finite(max)) * factor);
					sum += *score;
				}
			l[i] = l[i] * scale[i] + sum; /* of this lane's keys */
		}
		p[0] = bf16_pack(s[0][0], s[0][1]);
		p[1] = bf16_pack(s[0][2], s[0][3]);
		p[2] = bf16_pack(s[1][0], s[1][1]);
		p[3] = bf16_pack(s[1][2], s[1][3]);
#pragma unroll
		for (uint32_t n = 0; n < HEAD_DIM / 16; n++) {
			const uint32_t row = sub_row + sub % 2 * 8, chunk = 2 * n + sub / 2;
			float *low = o[2 * n], *high = o[2 * n + 1];
			uint32_t b[4];

			load_matrices_transposed(b,
						 values + row * HEAD_DIM + (chunk ^ sub_row) * 8);
#pragma unroll
			for (uint32_t e = 0; e < 4; e++) {
				low[e] *= scale[e / 2];
				high[e] *= scale[e / 2];
			}
			mma(low, p, b[0], b[1]);
			mma(high, p, b[2], b[3]);
		}
		stage = stage + 1 == STAGES ? 0 : stage + 1;
	}

	/* Put the warps together: o [WARPS][SIZE][HEAD_DIM], m and l [WARPS][SIZE]. */
	float *os = (float *)shared_memory();
	float *ms = os + WARPS * SIZE * HEAD_DIM, *ls = ms + WARPS * SIZE;

	copy_wait<0>();
	__syncthreads();
#pragma unroll
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t row = warp * SIZE + g + i * 8;

		l[i] = lanes_sum(l[i], 4);
		if (t == 0) {
			ms[row] = m[i];
			ls[row] = l[i];
		}
#pragma unroll
		for (uint32_t n = 0; n < HEAD_DIM / 8; n++)
			*(float2 *)(os + row * HEAD_DIM + n * 8 + 2 * t) =
				make_float2(o[n][2 * i], o[n][2 * i + 1]);
	}
	__syncthreads();
	float *part = part_of<SIZE, HEAD_DIM>(op, tile.work.part, tile.kv_head);

	for (uint32_t i = threadIdx.x; i < tile.work.queries * HEAD_DIM; i += WARPS * WARP) {
		const uint32_t row = i / HEAD_DIM, d = i % HEAD_DIM;
		float max = minus_infinity(), sum = 0, x = 0;

#pragma unroll
		for (uint32_t w = 0; w < WARPS; w++)
			max = fmaxf(max, ms[w * SIZE + row]);
#pragma unroll
		for (uint32_t w = 0; w < WARPS; w++) {
			const float weight = exp2_fast((ms[w * SIZE + row] - finite(max)) * factor);

			sum += weight * ls[w * SIZE + row];
			x += weight * os[w * SIZE * HEAD_DIM + i];
		}
		if (tile.work.parts == 1) {
			op.out[(row_of(tile, row) * op.heads + head_of(tile, row)) * HEAD_DIM + d] =
				(uint16_t)bf16_pack(x / sum, 0);
		} else {
			part[i] = x;
			if (d == 0) {
				part[SIZE * HEAD_DIM + row] = max;
				part[SIZE * (HEAD_DIM + 1) + row] = sum;
			}
		}
	}
	if (tile.work.parts == 1)
		return;

	/* The last block of the tile puts the parts together. */
	__shared__ bool last;
	uint32_t *ticket = op.tickets + (uint64_t)tile.work.part_first * op.kv_heads + tile.kv_head;

	__threadfence();
	__syncthreads();
	if (threadIdx.x == 0)
		last = atomicAdd(ticket, 1) == tile.work.parts - 1;
	__syncthreads();
	if (!last)
		return;
	__threadfence();
	join_parts<SIZE, HEAD_DIM>(op, tile, 0, tile.work.queries, (float *)shared_memory());
	if (threadIdx.x == 0)
		*ticket = 0;
}

template <uint32_t HEAD_DIM, uint32_t STAGES>
static int launch_few(const struct quire_op_attention *op, cudaStream_t stream)
{
	constexpr uint32_t WARPS = warps_of<HEAD_DIM>;
	const size_t ring_bytes = WARPS * STAGES * 2 * KEYS * HEAD_DIM * sizeof(uint16_t);
	const size_t join_bytes = WARPS * SIZE * (HEAD_DIM + 2) * sizeof(float);

	return launch(attention_few<HEAD_DIM, STAGES>, op, dim3(op->work_max, op->kv_heads),
		      WARPS * WARP, ring_bytes > join_bytes ? ring_bytes : join_bytes, stream);
}

/*
 * How deep a ring may be.  Blocks that have a multiprocessor each must not share one while
 * others are still busy with the kernel in front: four stages are more than half of its
 * memory.  With six nothing else could begin beside them, which costs more than they gain
 * (docs/kernels.md), but where half of the multiprocessors stay free.
 */
static uint32_t depth(const struct quire_op_attention *op)
{
	const uint32_t blocks = op->work_max * op->kv_heads;
	static int multiprocessors, shared_bytes;
	int device;

	if (!multiprocessors &&
	    (cudaGetDevice(&device) != cudaSuccess ||
	     cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin,
				    device) != cudaSuccess ||
	     cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device) !=
		     cudaSuccess))
		return 3;
	if (shared_bytes < 200 << 10 || blocks > (uint32_t)multiprocessors)
		return 3;
	return 2 * blocks > (uint32_t)multiprocessors ? 4 : 6;
}

template <uint32_t HEAD_DIM>
static int launch_deep(const struct quire_op_attention *op, cudaStream_t stream)
{
	switch (depth(op)) {
	case 6:
		return launch_few<HEAD_DIM, 6>(op, stream);
	case 4:
		return launch_few<HEAD_DIM, 4>(op, stream);
	default:
		return launch_few<HEAD_DIM, 3>(op, stream);
	}
}

int quire_cuda_attention_few(const struct quire_op_attention *op, cudaStream_t stream)
{
	return op->head_dim == 128 ? launch_deep<128>(op, stream) : launch_deep<64>(op, stream);
}
