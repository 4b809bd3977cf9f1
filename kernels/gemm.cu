/*
 * gemm.cu - see kernels.h.  Hopper's own way: its copy engine fetches panels of 64 columns,
 * and its tensor cores read them where they lie.
 *
 * Between the end of the kernel in front and the end of this one memory needs the smaller
 * part of the time; the rest is instructions that wait for each other, 2 ns each.  So there
 * are few: one thread orders a panel by one instruction, and four warps multiply 64 x 32 x
 * 16 numbers by one.
 *
 * A block makes a tile of outputs for all rows.  It has its weights fetched, and lets the
 * next kernel begin, while the one in front still runs; x comes behind that.  Where outputs
 * are too few for all multiprocessors, a cluster of blocks has the same tile, and each of
 * its ranks some slices of 64 columns.  Sums go straight from registers into the shared
 * memory of the rank that puts these rows together, each rank's to its place, and are
 * added in the order of ranks: who is first does not change them.
 *
 * SWIGLU: a tile of gate and the same one of up are in registers of the same thread.
 */
#include "launch.cuh"

#define ROWS	    QUIRE_GEMM_ROWS_MAX
#define SLICE	    64u	 /* columns */
#define ROW_BYTES   128u /* of a panel */
#define THREADS	    128u
#define STAGES_MAX  8u /* slices on their way; more were slower: they keep other blocks away */
#define PAD	    8u /* numbers, so that rows are in different banks */
#define ALIGN	    1024u
#define SHARED_MAX  (227u << 10) /* of a block ... */
#define SHARED_HALF (113u << 10) /* ... if two fit: each takes 1 KiB more */
#define TILE_WIDTH  32u
#define PAIR_WIDTH  40u /* of SWIGLU: 122 tiles of 4,864 outputs, for 132 multiprocessors */

/* How an op is cut. */
struct cut {
	CUtensorMap weight, x;
	struct quire_op_product op;
	uint32_t x_rows; /* that are fetched: a multiple of 8 */
	uint32_t tiles;	 /* of a block */
	uint32_t ranks;	 /* blocks of a cluster: 1, 2, 4 or 8 */
	uint32_t slices; /* of a rank; beyond the last column they are 0 */
	uint32_t stages; /* slices that there is room for: >= 2, or all */
};

/* silu(gate) up of the sums that a thread has. */
template <uint32_t WIDTH>
DEVICE void put_pairs(const struct quire_op_product &op, uint32_t output_first, const float *gate,
		      const float *up)
{
	const uint32_t warp = threadIdx.x / WARP, g = threadIdx.x % WARP / 4, t = threadIdx.x % 4;

#pragma unroll
	for (uint32_t h = 0; h < 2; h++)
#pragma unroll
		for (uint32_t i = 0; i < WIDTH / 8; i++) {
			const uint32_t r = warp * 16 + h * 8 + g, k = 4 * i + 2 * h;
			const uint32_t n = output_first + i * 8 + 2 * t;

			if (r < op.rows_count && n < op.outputs)
				*(uint32_t *)((uint16_t *)op.out + (uint64_t)r * op.outputs + n) =
					bf16_pack(silu(gate[k]) * up[k],
						  silu(gate[k + 1]) * up[k + 1]);
		}
}

/* Four outputs of a row. */
DEVICE void put_four(const struct quire_op_product &op, uint32_t r, uint32_t n, float4 y)
{
	const uint64_t at = (uint64_t)r * op.outputs + n;

	if (op.kind == QUIRE_PRODUCT_BF16)
		*(uint2 *)((uint16_t *)op.out + at) =
			make_uint2(bf16_pack(y.x, y.y), bf16_pack(y.z, y.w));
	else
		*(float4 *)((float *)op.out + at) = y;
}

/*
 * TILES tiles of WIDTH outputs; PAIR: one of gate, one of up.  Shared memory, from the
 * first multiple of 1,024 on:
 *
 *	arrived	[stages]	barriers; 1,024 bytes
 *	ring	[stages]	x [ROWS], TILES times weights [WIDTH]; 128 bytes a row
 *	inbox	[ranks][ROWS / ranks][PITCH] fp32: sums of the rows that this rank owns
 */
template <uint32_t WIDTH, uint32_t TILES, bool PAIR>
static __global__ void __launch_bounds__(THREADS) gemm(const __grid_constant__ struct cut cut)
{
	constexpr uint32_t OUTPUTS = PAIR ? WIDTH : TILES * WIDTH, FOURS = OUTPUTS / 4;
	constexpr uint32_t X_BYTES = ROWS * ROW_BYTES, WEIGHT_BYTES = WIDTH * ROW_BYTES;
	constexpr uint32_t STAGE_BYTES = X_BYTES + TILES * WEIGHT_BYTES;
	constexpr uint32_t PITCH = OUTPUTS + PAD;
	const struct quire_op_product &op = cut.op;
	const bool add = op.kind == QUIRE_PRODUCT_ADD;
	const uint32_t warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
	const uint32_t g = lane / 4, t = lane % 4;
	const uint32_t rank = blockIdx.x % cut.ranks, slice_first = rank * cut.slices;
	const uint32_t output_first = blockIdx.x / cut.ranks * OUTPUTS;
	const uint32_t rows_each = ROWS / cut.ranks, own = rank * rows_each;
	unsigned char *aligned = shared_memory() + (0u - shared_address(shared_memory())) % ALIGN;
	uint64_t *arrived = (uint64_t *)aligned;
	unsigned char *ring = aligned + ALIGN;
	float *inbox = (float *)(ring + cut.stages * STAGE_BYTES);
	float c[TILES][WIDTH / 2], *outbox[2];
	float4 old = make_float4(0, 0, 0, 0);

	auto fetch_weights = [&](uint32_t slice, uint32_t stage) {
		unsigned char *to = ring + stage * STAGE_BYTES + X_BYTES;

		barrier_expect(arrived + stage, cut.x_rows * ROW_BYTES + TILES * WEIGHT_BYTES);
#pragma unroll
		for (uint32_t i = 0; i < TILES; i++)
			copy_panel(to + i * WEIGHT_BYTES, &cut.weight,
				   output_first + i * (PAIR ? op.outputs : WIDTH),
				   (slice_first + slice) * SLICE, arrived + stage);
	};
	auto fetch_x = [&](uint32_t slice, uint32_t stage) {
		copy_panel(ring + stage * STAGE_BYTES, &cut.x, 0, (slice_first + slice) * SLICE,
			   arrived + stage);
	};

	if (lane == 0)
		for (uint32_t s = warp; s < cut.stages; s += THREADS / WARP) {
			barrier_new(arrived + s);
			fetch_weights(s, s);
		}
	/* All that can be is done here, so that few instructions are left behind the wait. */
	if (!PAIR) {
		cluster_arrive(); /* this block has begun: others may write into its inbox */
#pragma unroll
		for (uint32_t h = 0; h < 2; h++) {
			const uint32_t r = warp * 16 + h * 8, to = r / rows_each;

			outbox[h] = cluster_shared(
				inbox + (rank * rows_each + r % rows_each + g) * PITCH + 2 * t, to);
		}
	}
	__syncthreads();
	grid_launch_next();
	grid_wait();
	if (lane == 0)
		for (uint32_t s = warp; s < cut.stages; s += THREADS / WARP)
			fetch_x(s, s);
	/* What is added to, of the first four outputs that this thread makes. */
	if (!PAIR && add) {
		const uint32_t r = threadIdx.x / FOURS, n = output_first + threadIdx.x % FOURS * 4;

		if (r < rows_each && own + r < op.rows_count && n < op.outputs)
			old = *(const float4 *)((const float *)op.out +
						(uint64_t)(own + r) * op.outputs + n);
	}

	for (uint32_t s = 0, stage = 0, round = 0; s < cut.slices; s++) {
		const uint64_t a = panel_columns(ring + stage * STAGE_BYTES);
		const uint64_t b = panel_columns(ring + stage * STAGE_BYTES + X_BYTES);
		const uint32_t freed = stage ? stage - 1 : cut.stages - 1;

		barrier_wait(arrived + stage, round);
		panel_mma_begin();
#pragma unroll
		for (uint32_t k = 0; k < 4; k++) /* 16 columns are 32 bytes: 2 */
#pragma unroll
			for (uint32_t i = 0; i < TILES; i++)
				panel_mma(c[i], a + 2 * k, b + 2 * k + i * (WEIGHT_BYTES / 16),
					  s == 0 && k == 0);
		panel_mma_commit();
		if (s && s - 1 + cut.stages < cut.slices) { /* the previous slice's stage is free */
			panel_mma_wait<1>();
			__syncthreads();
			if (threadIdx.x == 0) {
				fetch_weights(s - 1 + cut.stages, freed);
				fetch_x(s - 1 + cut.stages, freed);
			}
		}
		stage++;
		if (stage == cut.stages) {
			stage = 0;
			round ^= 1;
		}
	}
	panel_mma_wait<0>();
#pragma unroll
	for (uint32_t i = 0; i < TILES; i++)
		panel_mma_sums(c[i]);
	if constexpr (PAIR) {
		put_pairs<WIDTH>(op, output_first, c[0], c[1]);
		return;
	}

	cluster_wait(); /* the others have begun */
#pragma unroll
	for (uint32_t h = 0; h < 2; h++)
#pragma unroll
		for (uint32_t i = 0; i < TILES * WIDTH / 8; i++) {
			const float *some = c[i / (WIDTH / 8)] + 4 * (i % (WIDTH / 8)) + 2 * h;

			*(float2 *)(outbox[h] + i * 8) = make_float2(some[0], some[1]);
		}
	cluster_arrive();
	cluster_wait(); /* all sums are where they belong */
	for (uint32_t i = threadIdx.x; i < rows_each * FOURS; i += THREADS) {
		const uint32_t r = i / FOURS, n = i % FOURS * 4, output = output_first + n;
		const float *from = inbox + r * PITCH + n;
		float4 y = old;

		if (own + r >= op.rows_count || output >= op.outputs)
			continue;
		if (add && i >= THREADS)
			y = *(const float4 *)((const float *)op.out +
					      (uint64_t)(own + r) * op.outputs + output);
#pragma unroll 8
		for (uint32_t k = 0; k < cut.ranks; k++) {
			const float4 some = *(const float4 *)(from + k * rows_each * PITCH);

			y.x += some.x, y.y += some.y, y.z += some.z, y.w += some.w;
		}
		put_four(op, own + r, output, y);
	}
}

/* ---- on the host ---- */

/* Of a device that can do this; or else 0. */
static uint32_t hopper_multiprocessors()
{
	static int known = -1;
	int device, major = 0, minor = 0, count = 0;

	if (known >= 0)
		return (uint32_t)known;
	if (cudaGetDevice(&device) != cudaSuccess ||
	    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) !=
		    cudaSuccess ||
	    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) !=
		    cudaSuccess ||
	    cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device) != cudaSuccess)
		return 0;
	known = major == 9 && minor == 0 ? count : 0;
	return (uint32_t)known;
}

static uint32_t turns_of(uint32_t blocks)
{
	const uint32_t multiprocessors = hopper_multiprocessors();

	return (blocks + multiprocessors - 1) / multiprocessors;
}

/*
 * Tiles and ranks of the least time, told in rows of 128 bytes that one multiprocessor
 * fetches: turns x (slices of a rank x rows of a slice + 16 outputs of a block).  The 16,
 * for sums on their way, is such that the fastest cuts of the matrices of 0.5B and 1.5B
 * models come out (64 rows, an H200).  The number of rows plays no part, so that a row's
 * sums are the same bits in any batch of up to 64.
 */
static void choose(struct cut *cut)
{
	const uint32_t slices = (cut->op.columns + SLICE - 1) / SLICE;
	uint64_t least = UINT64_MAX;

	for (uint32_t tiles = 1; tiles <= 2; tiles++)
		for (uint32_t ranks = 1; ranks <= 8; ranks *= 2) {
			const uint32_t outputs = tiles * TILE_WIDTH;
			const uint32_t slices_each = (slices + ranks - 1) / ranks;
			const uint32_t blocks = (cut->op.outputs + outputs - 1) / outputs * ranks;
			const uint64_t cost = (uint64_t)turns_of(blocks) *
					      (slices_each * (ROWS + outputs) + 16 * outputs);

			if (cost >= least)
				continue;
			least = cost;
			cut->tiles = tiles, cut->ranks = ranks, cut->slices = slices_each;
		}
}

/* Set stages; if blocks take turns, two fit a multiprocessor.  Return: shared memory, bytes. */
static size_t find_room(struct cut *cut, uint32_t weight_rows, size_t inbox_bytes, uint32_t blocks)
{
	const size_t stage_bytes = (ROWS + weight_rows) * ROW_BYTES;
	const size_t most = turns_of(blocks) > 1 ? SHARED_HALF : SHARED_MAX;

	cut->stages = (uint32_t)((most - 2 * ALIGN - inbox_bytes) / stage_bytes);
	if (cut->stages > STAGES_MAX)
		cut->stages = STAGES_MAX;
	if (cut->stages > cut->slices)
		cut->stages = cut->slices;
	return 2 * ALIGN + inbox_bytes + cut->stages * stage_bytes;
}

bool quire_cuda_gemm_can(const struct quire_op_product *op)
{
	return op->rows_count && op->rows_count <= ROWS && op->columns && op->columns % 8 == 0 &&
	       op->outputs && op->outputs % 4 == 0 && hopper_multiprocessors();
}

int quire_cuda_gemm(const struct quire_op_product *op, struct CUstream_st *stream)
{
	const bool pair = op->kind == QUIRE_PRODUCT_SWIGLU;
	const uint32_t width = pair ? PAIR_WIDTH : TILE_WIDTH;
	struct cut cut = {};
	uint32_t outputs, blocks;
	size_t shared_bytes;
	cudaError_t rc;

	if (!quire_cuda_gemm_can(op))
		return cudaErrorInvalidValue;
	cut.op = *op;
	cut.x_rows = (op->rows_count + 7) / 8 * 8;
	if (pair)
		cut.tiles = 2, cut.ranks = 1, cut.slices = (op->columns + SLICE - 1) / SLICE;
	else
		choose(&cut);
	outputs = pair ? width : cut.tiles * width;
	blocks = (op->outputs + outputs - 1) / outputs * cut.ranks;
	shared_bytes = find_room(&cut, cut.tiles * width,
				 pair ? 0 : ROWS * (outputs + PAD) * sizeof(float), blocks);
	rc = panels_of(&cut.weight, op->weight, (uint64_t)op->outputs * (pair ? 2 : 1), op->columns,
		       width);
	if (rc == cudaSuccess)
		rc = panels_of(&cut.x, op->x, op->rows_count, op->columns, cut.x_rows);
	if (rc != cudaSuccess)
		return rc;
	return launch(pair	       ? gemm<PAIR_WIDTH, 2, true>
		      : cut.tiles == 1 ? gemm<TILE_WIDTH, 1, false>
				       : gemm<TILE_WIDTH, 2, false>,
		      &cut, dim3(blocks), THREADS, shared_bytes, stream, cut.ranks, SHARED_MAX);
}
