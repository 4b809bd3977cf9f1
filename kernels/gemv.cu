/*
 * gemv.cu - see kernels.h.
 *
 * A block makes 16 outputs (SWIGLU: 16 of gate and the same 16 of up) for all rows.
 * Its eight warps share the columns; their sums meet in shared memory.  The tensor
 * cores multiply, only because they need no unpacking: A is 16 rows of weights, B is x
 * transposed, its eight columns are the rows of x.
 *
 * Which column is which k of a product is free, as long as A and B agree.  So a lane
 * (g, t) loads eight neighbours at once, 16 bytes, of weight rows g and g + 8 and of row
 * g of x, from column 8 t of 32 on, and they serve two products:
 *
 *	k = 2t, 2t + 1, 2t + 8, 2t + 9 of the first	neighbours 0 1 2 3
 *	the same of the second				neighbours 4 5 6 7
 *
 * Memory is all that counts: 2 TILES BATCH loads of 16 bytes are on their way in each
 * lane, the first of them before the kernel in front of this one has ended; and what the
 * block needs next is on its way to the L2 cache.  So memory is not idle while a norm or
 * a short attention runs.  The next kernel may begin only when this one has read its
 * weights: if its blocks came earlier, they would be crowded on those multiprocessors
 * that happen to be free.
 */
#include "launch.cuh"

#define WARPS	       8u
#define TILE	       16u /* outputs */
#define ROWS_MAX       QUIRE_GEMV_ROWS_MAX
#define STEP	       32u	   /* columns of two products */
#define LINE	       64u	   /* columns of a line of the cache */
#define AHEAD_BYTES    (16u << 20) /* that all blocks together may fetch ahead into L2 ... */
#define BLOCKS_AT_ONCE 528u	   /* ... if there are no more of them at one time */

struct weights {
	uint4 low, high; /* of rows g and g + 8 */
};

/* Eight columns of @row from @column on; 0 behind the end. */
DEVICE uint4 columns8(const uint16_t *row, uint32_t column, uint32_t columns)
{
	return column < columns ? load_once(row + column) : make_uint4(0, 0, 0, 0);
}

/* Fetch @lines lines of each of @rows neighbouring rows, from @column on. */
DEVICE void fetch_ahead(const uint16_t *weight, uint32_t rows, uint32_t column, uint32_t columns,
			uint32_t lines)
{
	for (uint32_t i = threadIdx.x; i < rows * lines; i += WARPS * WARP) {
		const uint32_t at = column + i / rows * LINE;

		if (at < columns)
			prefetch(weight + (uint64_t)(i % rows) * columns + at);
	}
}

/* TILES: 1, or 2: gate and up.  BATCH: steps that are loaded together. */
template <uint32_t TILES, uint32_t BATCH>
static __global__ void __launch_bounds__(WARPS *WARP, 4) gemv(const struct quire_op_product op)
{
	__shared__ float sums[WARPS][TILES][TILE][ROWS_MAX];
	const uint32_t warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
	const uint32_t g = lane / 4, t = lane % 4;
	const uint32_t first = blockIdx.x * TILE, last = op.outputs - 1;
	const uint32_t steps = ceil_div(op.columns, STEP);
	const uint32_t ahead = AHEAD_BYTES / min(gridDim.x, BLOCKS_AT_ONCE) /
			       (TILES * TILE * LINE * (uint32_t)sizeof(uint16_t));
	const uint16_t *low[TILES], *high[TILES];
	const uint32_t x = g * op.columns; /* of row g */
	float c[TILES][4] = {};
	struct weights w[BATCH][TILES];
	uint4 xs[BATCH];

#pragma unroll
	for (uint32_t i = 0; i < TILES; i++) {
		const uint64_t tile = (uint64_t)i * op.outputs;

		low[i] = op.weight + (tile + min(first + g, last)) * op.columns;
		high[i] = op.weight + (tile + min(first + g + 8, last)) * op.columns;
	}
	for (uint32_t base = warp * BATCH; base < steps; base += WARPS * BATCH) {
#pragma unroll
		for (uint32_t b = 0; b < BATCH; b++) {
			const uint32_t column = (base + b) * STEP + t * 8;

#pragma unroll
			for (uint32_t i = 0; i < TILES; i++) {
				w[b][i].low = columns8(low[i], column, op.columns);
				w[b][i].high = columns8(high[i], column, op.columns);
			}
		}
		if (base == warp * BATCH) {
#pragma unroll
			for (uint32_t i = 0; i < TILES; i++)
				fetch_ahead(op.weight +
						    ((uint64_t)i * op.outputs + first) * op.columns,
					    min(TILE, op.outputs - first), WARPS * BATCH * STEP,
					    op.columns, ahead);
			grid_wait();
		}
#pragma unroll
		for (uint32_t b = 0; b < BATCH; b++) {
			const uint32_t column = (base + b) * STEP + t * 8;

			xs[b] = make_uint4(0, 0, 0, 0);
			if (g < op.rows_count && column < op.columns)
				xs[b] = *(const uint4 *)(op.x + x + column);
		}
#pragma unroll
		for (uint32_t b = 0; b < BATCH; b++) {
#pragma unroll
			for (uint32_t i = 0; i < TILES; i++) {
				const uint4 l = w[b][i].low, h = w[b][i].high;
				const uint32_t one[4] = {l.x, h.x, l.y, h.y};
				const uint32_t two[4] = {l.z, h.z, l.w, h.w};

				mma(c[i], one, xs[b].x, xs[b].y);
				mma(c[i], two, xs[b].z, xs[b].w);
			}
		}
	}
	if (warp * BATCH >= steps)
		grid_wait(); /* each thread must, once */
	grid_launch_next();
#pragma unroll
	for (uint32_t i = 0; i < TILES; i++) {
		*(float2 *)&sums[warp][i][g][2 * t] = make_float2(c[i][0], c[i][1]);
		*(float2 *)&sums[warp][i][g + 8][2 * t] = make_float2(c[i][2], c[i][3]);
	}
	__syncthreads();
	if (threadIdx.x < TILE * ROWS_MAX) {
		const uint32_t output = threadIdx.x % TILE, r = threadIdx.x / TILE;
		const uint64_t at = (uint64_t)r * op.outputs + first + output;
		float y[TILES] = {};

		if (r >= op.rows_count || first + output >= op.outputs)
			return;
#pragma unroll
		for (uint32_t i = 0; i < TILES; i++)
			for (uint32_t j = 0; j < WARPS; j++)
				y[i] += sums[j][i][output][r];
		if (TILES == 2)
			y[0] = silu(y[0]) * y[TILES - 1];
		if (op.kind == QUIRE_PRODUCT_FP32)
			((float *)op.out)[at] = y[0];
		else if (op.kind == QUIRE_PRODUCT_ADD)
			((float *)op.out)[at] += y[0];
		else
			((uint16_t *)op.out)[at] = (uint16_t)bf16_pack(y[0], 0);
	}
}

int quire_cuda_gemv(const struct quire_op_product *op, struct CUstream_st *stream)
{
	const dim3 grid((op->outputs + TILE - 1) / TILE);

	if (!op->rows_count || op->rows_count > QUIRE_GEMV_ROWS_MAX || op->columns % 8 ||
	    !op->columns)
		return cudaErrorInvalidValue;
	if (op->kind == QUIRE_PRODUCT_SWIGLU)
		return launch(gemv<2, 2>, op, grid, WARPS * WARP, 0, stream);
	return launch(gemv<1, 4>, op, grid, WARPS * WARP, 0, stream);
}
