/*
 * gemm.cu - see kernels.h.  Hopper's own way: panels of 64 columns come by its copy engine,
 * and its tensor cores read them where they lie.
 *
 * A product of 64 rows with a small matrix takes microseconds, of which memory needs the
 * smaller part; the rest is the way there and back.  A thread takes 2 ns an instruction, so
 * what counts is to have few between the end of the kernel in front and the end of this
 * one: a panel is one instruction of one thread, and so are 64 x 32 x 16 products.
 *
 * A block makes a tile of outputs for all rows.  It has its weights fetched, and the next
 * kernel launched, while the one in front still runs; then x.  Where outputs are too few
 * for all multiprocessors, a cluster of blocks has the same tile, and each rank some of
 * the panels.  Sums go straight from registers into the shared memory of the rank that
 * puts these rows together, each rank's to its place, and are added in the order of ranks:
 * who is first does not change them.
 *
 * SWIGLU: a tile of gate and the same one of up are in the same registers.
 */
#include "launch.cuh"

#define ROWS	   QUIRE_GEMM_ROWS_MAX
#define PANEL	   64u	/* columns */
#define ROW_BYTES  128u /* of a panel */
#define THREADS	   128u
#define STAGES_MAX 8u /* panels on their way; more only keep other blocks away */
#define PAD	   8u /* numbers, so that rows are in different banks */
#define ALIGN	   1024u
#define SHARED_MAX (227u << 10)
#define PAIR_WIDTH 40u /* outputs of SWIGLU: 122 tiles of 4,864, for 132 multiprocessors */
#define WIDTH_MIN  32u

/* How an op is cut. */
struct cut {
	CUtensorMap weight, x;
	struct quire_op_product op;
	uint32_t tiles;
	uint32_t ranks;	 /* blocks of a cluster: 1, 2, 4 or 8 */
	uint32_t panels; /* of a rank; beyond the last column they are 0 */
	uint32_t stages; /* panels that there is room for: >= 2, or all */
};

/* TILES tiles of WIDTH outputs; PAIR: one of gate, one of up. */
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
	const uint32_t rank = blockIdx.x % cut.ranks, first = rank * cut.panels;
	const uint32_t output_first = blockIdx.x / cut.ranks * OUTPUTS;
	const uint32_t each = ROWS / cut.ranks, own = rank * each; /* rows to put together */
	const uint32_t x_rows = (op.rows_count + 7) / 8 * 8;
	unsigned char *aligned = shared_memory() + (0u - shared_address(shared_memory())) % ALIGN;
	uint64_t *arrived = (uint64_t *)aligned;		   /* [stages] */
	unsigned char *ring = aligned + ALIGN;			   /* [stages]: x, then weights */
	float *inbox = (float *)(ring + cut.stages * STAGE_BYTES); /* [ranks][each][PITCH] */
	float c[TILES][WIDTH / 2], *outbox[2];
	float4 old = make_float4(0, 0, 0, 0);

	auto fetch_weights = [&](uint32_t panel, uint32_t stage) {
		unsigned char *to = ring + stage * STAGE_BYTES + X_BYTES;

		barrier_expect(arrived + stage, x_rows * ROW_BYTES + TILES * WEIGHT_BYTES);
#pragma unroll
		for (uint32_t i = 0; i < TILES; i++)
			copy_panel(to + i * WEIGHT_BYTES, &cut.weight,
				   output_first + i * (PAIR ? op.outputs : WIDTH),
				   (first + panel) * PANEL, arrived + stage);
	};
	auto fetch_x = [&](uint32_t panel, uint32_t stage) {
		copy_panel(ring + stage * STAGE_BYTES, &cut.x, 0, (first + panel) * PANEL,
			   arrived + stage);
	};
	auto put = [&](uint32_t r, uint32_t n, float4 y) {
		const uint64_t at = (uint64_t)r * op.outputs + n;

		if (add || op.kind == QUIRE_PRODUCT_FP32)
			*(float4 *)((float *)op.out + at) = y;
		else
			*(uint2 *)((uint16_t *)op.out + at) =
				make_uint2(bf16_pack(y.x, y.y), bf16_pack(y.z, y.w));
	};

	if (lane == 0)
		for (uint32_t p = warp; p < cut.stages; p += THREADS / WARP) {
			barrier_new(arrived + p);
			fetch_weights(p, p);
		}
	if (!PAIR) {
		cluster_arrive();
#pragma unroll
		for (uint32_t h = 0; h < 2; h++) {
			const uint32_t r = warp * 16 + h * 8, to = r / each;

			outbox[h] = cluster_shared(
				inbox + (rank * each + r % each + g) * PITCH + 2 * t, to);
		}
	}
	__syncthreads();
	grid_launch_next();
	grid_wait();
	if (lane == 0)
		for (uint32_t p = warp; p < cut.stages; p += THREADS / WARP)
			fetch_x(p, p);
	/* What is added to, of the first four outputs that this thread makes. */
	if (!PAIR && add) {
		const uint32_t r = threadIdx.x / FOURS, n = output_first + threadIdx.x % FOURS * 4;

		if (r < each && own + r < op.rows_count && n < op.outputs)
			old = *(const float4 *)((const float *)op.out +
						(uint64_t)(own + r) * op.outputs + n);
	}

	for (uint32_t p = 0, stage = 0, round = 0; p < cut.panels; p++) {
		const uint64_t a = panel_columns(ring + stage * STAGE_BYTES);
		const uint64_t b = panel_columns(ring + stage * STAGE_BYTES + X_BYTES);
		const uint32_t before = stage ? stage - 1 : cut.stages - 1;

		barrier_wait(arrived + stage, round);
		panel_mma_begin();
#pragma unroll
		for (uint32_t k = 0; k < 4; k++) /* 16 columns are 32 bytes: 2 */
#pragma unroll
			for (uint32_t i = 0; i < TILES; i++)
				panel_mma(c[i], a + 2 * k, b + 2 * k + i * (WEIGHT_BYTES / 16),
					  !(p | k));
		panel_mma_commit();
		if (p && p - 1 + cut.stages < cut.panels) { /* the last one's stage is free */
			panel_mma_wait<1>();
			__syncthreads();
			if (threadIdx.x == 0) {
				fetch_weights(p - 1 + cut.stages, before);
				fetch_x(p - 1 + cut.stages, before);
			}
		}
		stage++;
		if (stage == cut.stages) {
			stage = 0;
			round ^= 1;
		}
	}
	panel_mma_wait<0>();

	if (PAIR) {
#pragma unroll
		for (uint32_t h = 0; h < 2; h++)
#pragma unroll
			for (uint32_t i = 0; i < WIDTH / 8; i++) {
				const uint32_t r = warp * 16 + h * 8 + g;
				const uint32_t n = output_first + i * 8 + 2 * t;
				const float *gate = c[0] + 4 * i + 2 * h;
				const float *up = c[TILES - 1] + 4 * i + 2 * h;

				if (r < op.rows_count && n < op.outputs)
					*(uint32_t *)((uint16_t *)op.out +
						      (uint64_t)r * op.outputs + n) =
						bf16_pack(silu(gate[0]) * up[0],
							  silu(gate[1]) * up[1]);
			}
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
	for (uint32_t i = threadIdx.x; i < each * FOURS; i += THREADS) {
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
			const float4 some = *(const float4 *)(from + k * each * PITCH);

			y.x += some.x, y.y += some.y, y.z += some.z, y.w += some.w;
		}
		put(own + r, output, y);
	}
}

/* ---- on the host ---- */

static int multiprocessors; /* of a device that can do this; -1: it cannot; 0: not asked yet */

static bool on_hopper()
{
	int device, major = 0;

	if (!multiprocessors) {
		multiprocessors = -1;
		if (cudaGetDevice(&device) == cudaSuccess &&
		    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) ==
			    cudaSuccess &&
		    major == 9)
			cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount,
					       device);
	}
	return multiprocessors > 0;
}

/*
 * Tiles and ranks with the least bytes to fetch for a block, where a wider tile costs as
 * much as 16 panels' rows, and blocks beyond one for each multiprocessor a turn more; so
 * measured (docs/kernels.md).
 */
static void choose(struct cut *cut)
{
	const uint32_t panels = (cut->op.columns + PANEL - 1) / PANEL;
	uint64_t least = UINT64_MAX;

	for (uint32_t tiles = 1; tiles <= 2; tiles++)
		for (uint32_t ranks = 1; ranks <= 8; ranks *= 2) {
			const uint32_t width = tiles * WIDTH_MIN;
			const uint32_t each = (panels + ranks - 1) / ranks;
			const uint32_t blocks = (cut->op.outputs + width - 1) / width * ranks;
			const uint32_t turns = (blocks + (uint32_t)multiprocessors - 1) /
					       (uint32_t)multiprocessors;
			const uint64_t cost =
				(uint64_t)turns * (each * (ROWS + width) + 16 * width);

			if (cost >= least)
				continue;
			least = cost;
			cut->tiles = tiles, cut->ranks = ranks, cut->panels = each;
		}
}

/* Blocks that have to take turns are two to a multiprocessor. */
static size_t find_room(struct cut *cut, uint32_t width, size_t inbox_bytes, uint32_t blocks)
{
	const size_t stage_bytes = (ROWS + width) * ROW_BYTES;
	const size_t most = blocks > (uint32_t)multiprocessors ? SHARED_MAX / 2 : SHARED_MAX;

	cut->stages = (uint32_t)((most - 2 * ALIGN - inbox_bytes) / stage_bytes);
	if (cut->stages > STAGES_MAX)
		cut->stages = STAGES_MAX;
	if (cut->stages > cut->panels)
		cut->stages = cut->panels;
	return 2 * ALIGN + inbox_bytes + cut->stages * stage_bytes;
}

bool quire_cuda_gemm_can(const struct quire_op_product *op)
{
	return on_hopper() && op->rows_count && op->rows_count <= ROWS && op->columns &&
	       op->columns % 8 == 0 && op->outputs % 4 == 0;
}

int quire_cuda_gemm(const struct quire_op_product *op, struct CUstream_st *stream)
{
	const bool pair = op->kind == QUIRE_PRODUCT_SWIGLU;
	struct cut cut = {};
	uint32_t width, blocks;
	size_t shared_bytes;
	cudaError_t rc;

	if (!quire_cuda_gemm_can(op))
		return cudaErrorInvalidValue;
	cut.op = *op;
	if (pair)
		cut.tiles = 2, cut.ranks = 1, cut.panels = (op->columns + PANEL - 1) / PANEL;
	else
		choose(&cut);
	width = pair ? PAIR_WIDTH : cut.tiles * WIDTH_MIN;
	blocks = (op->outputs + width - 1) / width * cut.ranks;
	shared_bytes = find_room(&cut, pair ? 2 * width : width,
				 pair ? 0 : ROWS * (width + PAD) * sizeof(float), blocks);
	rc = panels_of(&cut.weight, op->weight, (uint64_t)op->outputs * (pair ? 2 : 1), op->columns,
		       pair ? PAIR_WIDTH : WIDTH_MIN);
	if (rc == cudaSuccess)
		rc = panels_of(&cut.x, op->x, op->rows_count, op->columns,
			       (op->rows_count + 7) / 8 * 8);
	if (rc != cudaSuccess)
		return rc;
	if (pair)
		return launch(gemm<PAIR_WIDTH, 2, true>, &cut, dim3(blocks), THREADS, shared_bytes,
			      stream);
	return launch(cut.tiles == 1 ? gemm<WIDTH_MIN, 1, false> : gemm<WIDTH_MIN, 2, false>, &cut,
		      dim3(blocks), THREADS, shared_bytes, stream, cut.ranks);
}
