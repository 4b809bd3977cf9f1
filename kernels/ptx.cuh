/*
 * ptx.cuh - single instructions that CUDA C++ has no word for.
 *
 * All of them, so that nothing else in kernels/ holds assembly: a program that has
 * functions of the same names can run the kernels on something that is no GPU (as
 * tests/kernels/emulator does).  Numbering of registers and lanes is that of NVIDIA's
 * "Parallel Thread Execution ISA", sections on mma.m16n8k16 and ldmatrix:
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
