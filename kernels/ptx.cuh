/*
 * ptx.cuh - single instructions that CUDA C++ has no word for.
 *
 * All of them, so that nothing else in kernels/ holds assembly: a program that has
 * functions of the same names can run the kernels on something that is no GPU (as
 * tests/kernels/emulator does).  Numbering of registers and lanes is that of NVIDIA's
 * "Parallel Thread Execution ISA", sections on mma.m16n8k16 and ldmatrix; panels are those
 * on cp.async.bulk.tensor, mbarrier and wgmma:
 *
 *	lane = 4 g + t
 *	A [16][16]	a[0] (g, 2t), a[1] (g + 8, 2t), a[2] (g, 2t + 8), a[3] (g + 8, 2t + 8)
 *	B [16][8]	b0 (2t, g), b1 (2t + 8, g)
 *	C [16][8]	c[0] c[1] (g, 2t), c[2] c[3] (g + 8, 2t)
 *
 * where a register of A or B holds two neighbours in k, the lower one in the lower half.
 */
#ifndef QUIRE_KERNELS_PTX_CUH
#define QUIRE_KERNELS_PTX_CUH

#include <cuda.h>
#include <cuda_runtime.h>
#include <stdint.h>

#define DEVICE static __device__ __forceinline__

/* What the launch asked for, beside static shared memory. */
DEVICE unsigned char *shared_memory()
{
	extern __shared__ __align__(128) unsigned char memory[];
	return memory;
}

DEVICE uint32_t shared_address(const void *pointer)
{
	return (uint32_t)__cvta_generic_to_shared(pointer);
}

/* Wait until all kernels before this one in the stream are done, and their writes seen. */
DEVICE void grid_wait()
{
#if __CUDA_ARCH__ >= 900
	asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/* From here on, blocks of the next kernel may take what this one leaves free. */
DEVICE void grid_launch_next()
{
#if __CUDA_ARCH__ >= 900
	asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/* All threads of a cluster's blocks say that they are here; what they wrote is seen ... */
DEVICE void cluster_arrive()
{
#if __CUDA_ARCH__ >= 900
	asm volatile("barrier.cluster.arrive.release;" ::: "memory");
#endif
}

/* ... by those that waited for all others to say so. */
DEVICE void cluster_wait()
{
#if __CUDA_ARCH__ >= 900
	asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
#endif
}

/* What lies at @mine in this block's shared memory, in that of block @rank of the cluster. */
template <typename T> DEVICE T *cluster_shared(T *mine, uint32_t rank)
{
	uint64_t theirs = (uint64_t)mine;

#if __CUDA_ARCH__ >= 900
	asm("mapa.u64 %0, %1, %2;" : "=l"(theirs) : "l"((uint64_t)mine), "r"(rank));
#endif
	return (T *)theirs;
}

/* 16 bytes to shared memory, behind the thread's back: seen after copy_wait(). */
DEVICE void copy_async(void *shared, const void *global)
{
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(shared)),
		     "l"(global)
		     : "memory");
}

/* The copies since the last commit are a group ... */
DEVICE void copy_commit()
{
	asm volatile("cp.async.commit_group;" ::: "memory");
}

/* ... and all but the last @PENDING groups of this thread are there. */
template <int PENDING> DEVICE void copy_wait()
{
	asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
}

/*
 * A barrier in shared memory that waits for copies: so many bytes are expected, once, by
 * one thread, before or after they are on their way; all threads may wait for them.  Made
 * by one thread, and known to all (__syncthreads()), before anybody uses it.
 */
DEVICE void barrier_new(uint64_t *barrier)
{
#if __CUDA_ARCH__ >= 900
	asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;\n\t"
		     "fence.mbarrier_init.release.cluster;\n\t"
		     "fence.proxy.async.shared::cta;" ::"r"(shared_address(barrier))
		     : "memory");
#endif
}

DEVICE void barrier_expect(uint64_t *barrier, uint32_t bytes)
{
#if __CUDA_ARCH__ >= 900
	asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(
			     shared_address(barrier)),
		     "r"(bytes)
		     : "memory");
#endif
}

/* Rounds of a barrier are 0, 1, 0 .. */
DEVICE void barrier_wait(uint64_t *barrier, uint32_t round)
{
#if __CUDA_ARCH__ >= 900
	asm volatile("{\n\t"
		     ".reg .pred done;\n\t"
		     "again:\n\t"
		     "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n\t"
		     "@!done bra again;\n\t"
		     "}" ::"r"(shared_address(barrier)),
		     "r"(round)
		     : "memory");
#endif
}

/*
 * A matrix [@rows][@columns] of 16 bits, as copy_panel() reads it, @panel_rows rows (up to
 * 256) at one time; said on the host.  @data at a multiple of 16 bytes, @columns a multiple
 * of 8.  Return: an error of the runtime; cudaErrorNotSupported of a driver without this.
 */
static inline cudaError_t panels_of(CUtensorMap *matrix, const uint16_t *data, uint64_t rows,
				    uint32_t columns, uint32_t panel_rows)
{
	static decltype(&cuTensorMapEncodeTiled) encode;
	const cuuint64_t size[2] = {columns, rows}, pitch[1] = {columns * sizeof(*data)};
	const cuuint32_t panel[2] = {64, panel_rows}, step[2] = {1, 1};
	cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;

	if (!encode)
		cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", (void **)&encode, 12000,
						 cudaEnableDefault, &found);
	if (!encode)
		return cudaErrorNotSupported;
	return encode(matrix, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, (void *)data, size, pitch, panel,
		      step, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
		      CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
		      CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS
		       ? cudaSuccess
		       : cudaErrorInvalidValue;
}

/*
 * A panel: 64 columns of some rows of a matrix of 16 bits, from (@row, @column) on; what is
 * not there is 0.  In shared memory, at a multiple of 1,024 bytes, a row has 128 bytes,
 * and chunk c of 16 of them lies at place c ^ (row & 7).
 */
DEVICE void copy_panel(void *shared, const CUtensorMap *matrix, uint32_t row, uint32_t column,
		       uint64_t *barrier)
{
#if __CUDA_ARCH__ >= 900
	asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx"
		     "::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(shared_address(shared)),
		     "l"(matrix), "r"(column), "r"(row), "r"(shared_address(barrier))
		     : "memory");
#endif
}

/* How panel_mma() is told where 16 columns of a panel begin. */
DEVICE uint64_t panel_columns(const void *shared)
{
	/* rows are 128 bytes, eight of them 1,024; swizzled by 128 bytes */
	return (shared_address(shared) >> 4 & 0x3fff) | 1ull << 16 | 64ull << 32 | 1ull << 62;
}

/*
 * C [64][N] += A B^T of 16 columns of two panels, A of 64 rows, B of N (32 or 40): all four
 * warps of a block together, and behind their backs.  Warp w has rows 16 w ..; c[4 i] to
 * c[4 i + 3] are as mma()'s, of outputs 8 i on.  @anew: C = A B^T.  Before the first of
 * each panel: panel_mma_begin(), behind the last: panel_mma_commit(); the warp's share of
 * all but the last @PENDING panels is there after panel_mma_wait().
 */
DEVICE void panel_mma_begin()
{
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
	asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

DEVICE void panel_mma(float (&c)[16], uint64_t a, uint64_t b, bool anew)
{
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
	asm volatile("{\n\t"
		     ".reg .pred more;\n\t"
		     "setp.eq.u32 more, %18, 0;\n\t"
		     "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
		     "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, "
		     "%16, %17, more, 1, 1, 0, 0;\n\t"
		     "}"
		     : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]),
		       "+f"(c[6]), "+f"(c[7]), "+f"(c[8]), "+f"(c[9]), "+f"(c[10]), "+f"(c[11]),
		       "+f"(c[12]), "+f"(c[13]), "+f"(c[14]), "+f"(c[15])
		     : "l"(a), "l"(b), "r"((uint32_t)anew));
#else
	__trap(); /* not built for 9.0a */
#endif
}

DEVICE void panel_mma(float (&c)[20], uint64_t a, uint64_t b, bool anew)
{
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
	asm volatile("{\n\t"
		     ".reg .pred more;\n\t"
		     "setp.eq.u32 more, %22, 0;\n\t"
		     "wgmma.mma_async.sync.aligned.m64n40k16.f32.bf16.bf16 "
		     "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
		     "%16, %17, %18, %19}, %20, %21, more, 1, 1, 0, 0;\n\t"
		     "}"
		     : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]),
		       "+f"(c[6]), "+f"(c[7]), "+f"(c[8]), "+f"(c[9]), "+f"(c[10]), "+f"(c[11]),
		       "+f"(c[12]), "+f"(c[13]), "+f"(c[14]), "+f"(c[15]), "+f"(c[16]), "+f"(c[17]),
		       "+f"(c[18]), "+f"(c[19])
		     : "l"(a), "l"(b), "r"((uint32_t)anew));
#else
	__trap(); /* not built for 9.0a */
#endif
}

DEVICE void panel_mma_commit()
{
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
	asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}

/* Behind the last wait: sums are not to be looked at before here. */
template <int COUNT> DEVICE void panel_mma_sums(float (&c)[COUNT])
{
#pragma unroll
	for (int i = 0; i < COUNT; i++)
		asm volatile("" : "+f"(c[i])::"memory");
}

template <int PENDING> DEVICE void panel_mma_wait()
{
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
	asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
#endif
}

/*
 * Four matrices [8][8] of 16 bits: lanes 8 m .. 8 m + 7 give the addresses of the rows of
 * matrix m; lane (g, t) gets elements 2t, 2t + 1 of row g of each; transposed: elements g
 * of rows 2t, 2t + 1.
 */
DEVICE void load_matrices(uint32_t out[4], const void *row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
		     : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
		     : "r"(shared_address(row))
		     : "memory");
}

DEVICE void load_matrices_transposed(uint32_t out[4], const void *row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
		     : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
		     : "r"(shared_address(row))
		     : "memory");
}

/* C += A B, bf16 in, fp32 out. */
DEVICE void mma(float c[4], const uint32_t a[4], uint32_t b0, uint32_t b1)
{
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
		     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
		     : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* Two floats to bf16, to nearest, ties to even; @low in the lower half. */
DEVICE uint32_t bf16_pack(float low, float high)
{
	uint32_t out;

	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
	return out;
}

/* 2^x, within 2^-22 of it; 0 of -infinity. */
DEVICE float exp2_fast(float x)
{
	float out;

	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
	return out;
}

/* 16 bytes that nobody writes while the kernel runs, and that are not wanted again. */
DEVICE uint4 load_once(const void *global)
{
	uint4 out;

	asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
		     : "=r"(out.x), "=r"(out.y), "=r"(out.z), "=r"(out.w)
		     : "l"(global));
	return out;
}

/* The 128 bytes around @global are wanted soon: let them come to the L2 cache. */
DEVICE void prefetch(const void *global)
{
	asm volatile("prefetch.global.L2 [%0];" ::"l"(global));
}

#endif /* QUIRE_KERNELS_PTX_CUH */
