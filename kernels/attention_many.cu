/*
 * attention_many.cu - attention of up to 128 queries of an item that share a KV head.
 *
 * Chunks and prompts: what counts is to keep the tensor cores busy.  Each of four warps
 * has 32 queries, whose scores and values stay in registers; 64 keys at a time come to
 * shared memory, while the 64 before are worked on.  The shape is FlashAttention-2's
 * (Dao, arXiv 2307.08691): 32 queries a warp, because with 16 reading K and V from
 * shared memory would take longer than the products.
 *
 * The floor is 4 HEAD_DIM flops for each (query, key); in shared memory, chunk c of row
 * r lies at place c ^ (r & 7), as in attention_few.cu.
 */
#include "attention.cuh"

#define SIZE	128u
#define WARPS	4u
#define MINE	32u /* queries of a warp */
#define KEYS	64u /* of a piece */
#define THREADS (WARPS * WARP)

/* Shared memory: Q, then K and V of two pieces, then the slots of two pieces. */
template <uint32_t HEAD_DIM> struct layout {
	static constexpr uint32_t CHUNKS = HEAD_DIM / 8;
	static constexpr uint32_t Q = SIZE * HEAD_DIM;	   /* elements */
	static constexpr uint32_t PIECE = KEYS * HEAD_DIM; /* of K or of V */
	static constexpr uint32_t BYTES = (Q + 4 * PIECE) * 2 + 2 * KEYS * 4;
};

template <uint32_t HEAD_DIM> DEVICE uint16_t *chunk_at(uint16_t *rows, uint32_t row, uint32_t chunk)
{
	return rows + row * HEAD_DIM + (chunk ^ (row & 7)) * 8;
}

template <uint32_t HEAD_DIM>
DEVICE void fetch_queries(const struct quire_op_attention &op, const struct tile &tile,
			  uint16_t *qs)
{
	constexpr uint32_t CHUNKS = layout<HEAD_DIM>::CHUNKS;
	const uint32_t chunk = threadIdx.x % CHUNKS;

	for (uint32_t q = threadIdx.x / CHUNKS; q < SIZE; q += THREADS / CHUNKS) {
		uint16_t *to = chunk_at<HEAD_DIM>(qs, q, chunk);

		if (q < tile.work.queries)
			copy_async(to, op.q + row_of(tile, q) * op.q_stride +
					       head_of(tile, q) * HEAD_DIM + chunk * 8);
		else
			*(uint4 *)to = make_uint4(0, 0, 0, 0);
	}
}

/* K and V of 64 keys; @slots says where they lie. */
template <uint32_t HEAD_DIM>
DEVICE void fetch_piece(const struct quire_op_attention &op, uint32_t kv_head,
			const uint32_t *slots, uint16_t *keys, uint16_t *values)
{
	constexpr uint32_t CHUNKS = layout<HEAD_DIM>::CHUNKS;
	const uint32_t chunk = threadIdx.x % CHUNKS;

#pragma unroll
	for (uint32_t i = 0; i < KEYS; i += THREADS / CHUNKS) {
		const uint32_t row = i + threadIdx.x / CHUNKS;
		const uint64_t from =
			((uint64_t)slots[row] * op.kv_heads + kv_head) * HEAD_DIM + chunk * 8;

		copy_async(chunk_at<HEAD_DIM>(keys, row, chunk), op.k + from);
		copy_async(chunk_at<HEAD_DIM>(values, row, chunk), op.v + from);
	}
}

template <uint32_t HEAD_DIM>
static __global__ void __launch_bounds__(THREADS, 2)
	attention_many(const struct quire_op_attention op)
{
	constexpr uint32_t PIECE = layout<HEAD_DIM>::PIECE;
	const uint32_t warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
	const uint32_t g = lane / 4, t = lane % 4;
	const uint32_t sub = lane / 8, sub_row = lane % 8; /* for load_matrices() */
	const float factor = op.scale * LOG2_E;
	uint16_t *qs = (uint16_t *)shared_memory(), *pieces = qs + layout<HEAD_DIM>::Q;
	uint32_t *slots = (uint32_t *)(pieces + 4 * PIECE);
	float o[2][HEAD_DIM / 8][4] = {}, m[2][2], l[2][2] = {};
	struct tile tile;

	grid_launch_next();
	grid_wait();
	if (!tile_of(tile, op))
		return;

	/* Of this warp's queries: the keys that all of them see, and that any does. */
	const uint32_t mine = warp * MINE;
	const bool awake = mine < tile.work.queries;
	const struct span eldest = span_of(op, tile, mine);
	const struct span youngest = span_of(op, tile, min(mine + MINE, tile.work.queries) - 1);

	/* Threads 0 .. 63 say where the keys of a piece are. */
	auto look_up = [&](uint32_t at) {
		return slot_of(op, tile, min(at + threadIdx.x, tile.work.key_end - 1));
	};

	fetch_queries<HEAD_DIM>(op, tile, qs);
	if (threadIdx.x < KEYS) {
		slots[threadIdx.x] = look_up(tile.work.key_first);
		slots[KEYS + threadIdx.x] = look_up(tile.work.key_first + KEYS);
	}
	__syncthreads();
	fetch_piece<HEAD_DIM>(op, tile.kv_head, slots, pieces, pieces + PIECE);
	copy_commit();
#pragma unroll
	for (uint32_t i = 0; i < 2; i++)
		m[i][0] = m[i][1] = minus_infinity();

	uint32_t odd = 0; /* which of the two pieces is worked on */

	for (uint32_t key = tile.work.key_first; key < tile.work.key_end; key += KEYS, odd ^= 1) {
		uint16_t *keys = pieces + odd * 2 * PIECE, *values = keys + PIECE;
		uint32_t slot = 0;

		copy_wait<0>();
		__syncthreads(); /* this piece is there, the other one is done with */
		if (key + KEYS < tile.work.key_end) {
			uint16_t *other = pieces + (odd ^ 1) * 2 * PIECE;

			fetch_piece<HEAD_DIM>(op, tile.kv_head, slots + (odd ^ 1) * KEYS, other,
					      other + PIECE);
			copy_commit();
			if (threadIdx.x < KEYS)
				slot = look_up(key + 2 * KEYS);
		}
		if (awake && key < youngest.end && key + KEYS > eldest.first) {
			float s[2][KEYS / 8][4] = {};

#pragma unroll
			for (uint32_t k = 0; k < HEAD_DIM / 16; k++) {
				uint32_t a[2][4];

#pragma unroll
				for (uint32_t i = 0; i < 2; i++)
					load_matrices(a[i], chunk_at<HEAD_DIM>(
								    qs, mine + i * 16 + lane % 16,
								    2 * k + lane / 16));
#pragma unroll
				for (uint32_t n = 0; n < KEYS / 16; n++) {
					uint32_t b[4];

					load_matrices(b, chunk_at<HEAD_DIM>(keys,
									    n * 16 + sub_row +
										    sub / 2 * 8,
									    2 * k + sub % 2));
#pragma unroll
					for (uint32_t i = 0; i < 2; i++) {
						mma(s[i][2 * n], a[i], b[0], b[1]);
						mma(s[i][2 * n + 1], a[i], b[2], b[3]);
					}
				}
			}
			if (key < youngest.first || key + KEYS > eldest.end) {
#pragma unroll
				for (uint32_t i = 0; i < 4; i++) {
					const struct span span =
						span_of(op, tile, mine + i * 8 + g);

#pragma unroll
					for (uint32_t n = 0; n < KEYS / 8; n++)
#pragma unroll
						for (uint32_t e = 0; e < 2; e++) {
							float *score = &s[i / 2][n][i % 2 * 2 + e];

							*score = masked(*score,
									key + n * 8 + 2 * t + e,
									span);
						}
				}
			}
#pragma unroll
			for (uint32_t i = 0; i < 4; i++) {
				float(*score)[4] = s[i / 2], *max = &m[i / 2][i % 2];
				const uint32_t e = i % 2 * 2;
				const float before = *max;
				float scale, offset, sum = 0;

#pragma unroll
				for (uint32_t n = 0; n < KEYS / 8; n++)
					*max = fmaxf(*max, fmaxf(score[n][e], score[n][e + 1]));
				*max = lanes_max(*max, 4);
				offset = finite(*max) * factor;
#pragma unroll
				for (uint32_t n = 0; n < KEYS / 8; n++) {
					score[n][e] = exp2_fast(score[n][e] * factor - offset);
					score[n][e + 1] =
						exp2_fast(score[n][e + 1] * factor - offset);
					sum += score[n][e] + score[n][e + 1];
				}
				scale = *max > before ? exp2_fast(before * factor - offset) : 1;
				l[i / 2][i % 2] = l[i / 2][i % 2] * scale + sum;
				if (__any_sync(ALL_LANES, *max > before)) {
#pragma unroll
					for (uint32_t n = 0; n < HEAD_DIM / 8; n++) {
						o[i / 2][n][e] *= scale;
						o[i / 2][n][e + 1] *= scale;
					}
				}
			}
#pragma unroll
			for (uint32_t k = 0; k < KEYS / 16; k++) {
				uint32_t p[2][4];

#pragma unroll
				for (uint32_t i = 0; i < 2; i++) {
					p[i][0] = bf16_pack(s[i][2 * k][0], s[i][2 * k][1]);
					p[i][1] = bf16_pack(s[i][2 * k][2], s[i][2 * k][3]);
					p[i][2] = bf16_pack(s[i][2 * k + 1][0], s[i][2 * k + 1][1]);
					p[i][3] = bf16_pack(s[i][2 * k + 1][2], s[i][2 * k + 1][3]);
				}
#pragma unroll
				for (uint32_t n = 0; n < HEAD_DIM / 16; n++) {
					uint32_t b[4];

					load_matrices_transposed(
						b, chunk_at<HEAD_DIM>(
							   values, k * 16 + sub_row + sub % 2 * 8,
							   2 * n + sub / 2));
#pragma unroll
					for (uint32_t i = 0; i < 2; i++) {
						mma(o[i][2 * n], p[i], b[0], b[1]);
						mma(o[i][2 * n + 1], p[i], b[2], b[3]);
					}
				}
			}
		}
		/* Last read before the barrier, next read after the next one. */
		if (threadIdx.x < KEYS)
			slots[odd * KEYS + threadIdx.x] = slot;
	}
	copy_wait<0>();

#pragma unroll
	for (uint32_t i = 0; i < 4; i++)
		l[i / 2][i % 2] = lanes_sum(l[i / 2][i % 2], 4);
	if (tile.work.parts == 1) {
		/* Through this warp's own rows of Q, so that it is stored 16 bytes at a time. */
		if (!awake)
			return;
		__syncwarp();
#pragma unroll
		for (uint32_t i = 0; i < 4; i++) {
			const float scale = 1.0f / l[i / 2][i % 2];
			const uint32_t q = mine + i * 8 + g, e = i % 2 * 2;

#pragma unroll
			for (uint32_t n = 0; n < HEAD_DIM / 8; n++)
				*(uint32_t *)(chunk_at<HEAD_DIM>(qs, q, n) + 2 * t) = bf16_pack(
					o[i / 2][n][e] * scale, o[i / 2][n][e + 1] * scale);
		}
		__syncwarp();
		for (uint32_t i = lane; i < MINE * layout<HEAD_DIM>::CHUNKS; i += WARP) {
			const uint32_t q = mine + i / layout<HEAD_DIM>::CHUNKS;
			const uint32_t chunk = i % layout<HEAD_DIM>::CHUNKS;

			if (q < tile.work.queries)
				*(uint4 *)(op.out +
					   (row_of(tile, q) * op.heads + head_of(tile, q)) *
						   HEAD_DIM +
					   chunk * 8) =
					*(const uint4 *)chunk_at<HEAD_DIM>(qs, q, chunk);
		}
		return;
	}
	float *part = part_of<SIZE, HEAD_DIM>(op, tile.work.part, tile.kv_head);

#pragma unroll
	for (uint32_t i = 0; i < 4; i++) {
		const uint32_t q = mine + i * 8 + g, e = i % 2 * 2;

		if (q >= tile.work.queries)
			continue;
#pragma unroll
		for (uint32_t n = 0; n < HEAD_DIM / 8; n++)
			*(float2 *)(part + q * HEAD_DIM + n * 8 + 2 * t) =
				make_float2(o[i / 2][n][e], o[i / 2][n][e + 1]);
		if (t == 0) {
			part[SIZE * HEAD_DIM + q] = m[i / 2][i % 2];
			part[SIZE * (HEAD_DIM + 1) + q] = l[i / 2][i % 2];
		}
	}
}

/*
 * Put the parts together: a kernel of its own, for it is too much for the last block of a
 * tile.  Blocks go through (slice of JOIN queries, KV head, work); most work is no first
 * part of a tile that was cut.
 */
#define JOIN	    8u
#define JOIN_BLOCKS 1056u /* 8 a multiprocessor */

template <uint32_t HEAD_DIM>
static __global__ void __launch_bounds__(THREADS) join_many(const struct quire_op_attention op)
{
	__shared__ float weights[PARTS_MAX * JOIN];
	uint32_t count;
	struct tile tile;

	grid_launch_next();
	grid_wait();
	count = *op.work_count * op.kv_heads * (SIZE / JOIN);
	for (uint32_t i = blockIdx.x; i < count; i += gridDim.x) {
		const uint32_t first = i % (SIZE / JOIN) * JOIN;

		tile.work = op.work[i / (SIZE / JOIN) / op.kv_heads];
		tile.kv_head = i / (SIZE / JOIN) % op.kv_heads;
		tile.group = op.heads / op.kv_heads;
		if (tile.work.parts == 1 || tile.work.part != tile.work.part_first ||
		    first >= tile.work.queries)
			continue;
		__syncthreads(); /* weights of the slice before are done with */
		join_parts<SIZE, HEAD_DIM>(op, tile, first, min(first + JOIN, tile.work.queries),
					   weights);
	}
}

template <uint32_t HEAD_DIM>
static int launch_many(const struct quire_op_attention *op, cudaStream_t stream)
{
	const uint32_t slices = op->work_max * op->kv_heads * (SIZE / JOIN);
	const int rc = launch(attention_many<HEAD_DIM>, op, dim3(op->work_max, op->kv_heads),
			      THREADS, layout<HEAD_DIM>::BYTES, stream);

	if (rc)
		return rc;
	return launch(join_many<HEAD_DIM>, op, dim3(slices < JOIN_BLOCKS ? slices : JOIN_BLOCKS),
		      THREADS, 0, stream);
}

int quire_cuda_attention_many(const struct quire_op_attention *op, cudaStream_t stream)
{
	return op->head_dim == 128 ? launch_many<128>(op, stream) : launch_many<64>(op, stream);
}

int quire_cuda_attention(const struct quire_op_attention *op, struct CUstream_st *stream)
{
	if ((op->head_dim != 64 && op->head_dim != 128) || !op->kv_heads ||
	    op->heads % op->kv_heads || op->q_stride % 8 || !(op->scale > 0))
		return cudaErrorInvalidValue;
	return op->tile == QUIRE_TILE_FEW ? quire_cuda_attention_few(op, stream)
					  : quire_cuda_attention_many(op, stream);
}
