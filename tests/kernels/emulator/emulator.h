/*
 * emulator.h - runs the kernels, and the cuda executor, where there is no GPU: slowly, and
 * looks closely.
 *
 * The sources of kernels/ are compiled by an ordinary C++ compiler with this file
 * included first, and with QUIRE_KERNELS_PTX_CUH defined, so that the functions of
 * ptx.cuh are those below.  A block's threads are fibers: one runs until it needs others
 * (a barrier, a shuffle, a product of the tensor cores), then the next one does.  The
 * blocks of a cluster live at one time, each in its own shared memory: one goes on until
 * all of its threads need others, then the next one does.
 *
 * What it finds that a GPU may hide:
 *
 *  - reads and writes outside memory, and at odd addresses (AddressSanitizer, UBSan)
 *  - a missing barrier: threads, blocks and rounds run forward, backward or in an order
 *    drawn by a seed ($QUIRE_EMULATOR_ORDER: forward, backward or a number)
 *  - a missing wait: asynchronous copies, the work of streams (runtime.cpp), and what a
 *    thread does between cluster_arrive() and cluster_wait(), are made as late as the waits
 *    allow, or with $QUIRE_EMULATOR_COPIES=early, at once
 *  - lanes that do not come to a shuffle or a barrier together, threads that never wait
 *    for the kernel in front, shared memory that is read before it is written (it is NaN)
 *  - panels that are fetched or multiplied without being waited for, or fetched to where
 *    others are still read (panels.cpp); shared memory is aligned by 128 bytes and no more
 *  - in a cluster, shared memory of a block that has not begun or has ended (NaN, and
 *    poisoned under AddressSanitizer), and addresses of it where the hardware takes none
 *
 * What it cannot: how fast anything is, whether ptx.cuh says what it means, and what a
 * kernel reads too early of what the one in front writes, as here that one has ended.  Nor
 * may a kernel that is launched in clusters have variables that are __shared__: they are
 * static here, so that all blocks of the cluster would have the same ones.
 */
#ifndef QUIRE_EMULATOR_H
#define QUIRE_EMULATOR_H

#include "cuda_runtime_api.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

/* ---- the language ---- */

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__ static
#define DEVICE	   static inline

struct uint3 {
	unsigned x, y, z;
};
struct dim3 : uint3 {
	dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : uint3{x, y, z}
	{
	}
};
struct alignas(8) float2 {
	float x, y;
};
struct alignas(16) float4 {
	float x, y, z, w;
};
struct alignas(8) uint2 {
	unsigned x, y;
};
struct alignas(16) uint4 {
	unsigned x, y, z, w;
};
DEVICE float2 make_float2(float x, float y)
{
	return {x, y};
}
DEVICE float4 make_float4(float x, float y, float z, float w)
{
	return {x, y, z, w};
}
DEVICE uint2 make_uint2(unsigned x, unsigned y)
{
	return {x, y};
}
DEVICE uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w)
{
	return {x, y, z, w};
}

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

using std::max;
using std::min;

/* ---- threads that need each other; emulator.cpp, panels.cpp ---- */

struct emulator_lane { /* what a lane shows to the others of its warp */
	uint64_t data[4];
};
/* All 32 lanes of the warp come here with the same @what; the lanes' data, until the next
 * time but one. */
const struct emulator_lane *emulator_meet(const char *what, const struct emulator_lane *mine);
void emulator_barrier();
void emulator_cluster_arrive();
void emulator_cluster_wait();
void emulator_grid_wait();
void emulator_copy(void *to, const void *from);
void emulator_commit();
void emulator_wait(unsigned pending);
unsigned char *emulator_shared();
uint32_t emulator_shared_address(const void *mine);
void *emulator_cluster_shared(const void *mine, unsigned rank);
/* Ends the program if @at is an odd address, or another block's shared memory: such is
 * for plain loads and stores alone. */
void emulator_own(const char *what, const void *at);
/* @ranks: blocks of a cluster. */
void emulator_run(dim3 grid, dim3 block, unsigned ranks, size_t shared_bytes,
		  const std::function<void()> &body);

/* ---- work of a stream; runtime.cpp, memory.cpp, device.cpp ---- */

/* Do @work after all that was given to the stream before, or whenever a graph is replayed
 * that is captured now. */
cudaError_t emulator_enqueue(cudaStream_t stream, const std::function<void()> &work);
/* Ends the program if not all of it is memory of the device, of one cudaMalloc(). */
void emulator_on_device(const char *what, const void *first, size_t bytes);
/* Is @name (QUIRE_EMULATOR_...) set to @value? */
bool emulator_asked(const char *name, const char *value);

template <typename T> T emulator_from(const char *what, T value, unsigned lane)
{
	struct emulator_lane mine = {};

	static_assert(sizeof(T) <= sizeof(mine), "too wide");
	memcpy(&mine, &value, sizeof(T));
	memcpy(&value, &emulator_meet(what, &mine)[lane], sizeof(T));
	return value;
}

DEVICE unsigned emulator_lane_id()
{
	return threadIdx.x % 32;
}

DEVICE void __syncthreads()
{
	emulator_barrier();
}
DEVICE void __syncwarp()
{
	emulator_from("__syncwarp", 0, 0);
}
template <typename T> T __shfl_sync(unsigned, T value, int lane)
{
	return emulator_from("__shfl_sync", value, (unsigned)lane % 32);
}
template <typename T> T __shfl_xor_sync(unsigned, T value, unsigned mask)
{
	return emulator_from("__shfl_xor_sync", value, emulator_lane_id() ^ mask);
}
template <typename T> T __shfl_up_sync(unsigned, T value, unsigned by)
{
	const unsigned lane = emulator_lane_id();

	return emulator_from("__shfl_up_sync", value, lane < by ? lane : lane - by);
}
DEVICE unsigned __ballot_sync(unsigned, bool yes)
{
	struct emulator_lane mine = {{yes}};
	const struct emulator_lane *all = emulator_meet("__ballot_sync", &mine);
	unsigned out = 0;

	for (unsigned i = 0; i < 32; i++)
		out |= (unsigned)all[i].data[0] << i;
	return out;
}
DEVICE int __any_sync(unsigned mask, bool yes)
{
	return __ballot_sync(mask, yes) != 0;
}
DEVICE void __threadfence()
{
}
template <typename T> T atomicAdd(T *to, T value)
{
	const T before = *to;

	*to += value;
	return before;
}
DEVICE unsigned atomicAdd(unsigned *to, int value)
{
	return atomicAdd(to, (unsigned)value);
}
template <typename T> T __ldcg(const T *from)
{
	return *from;
}

/* ---- numbers ---- */

template <typename TO, typename FROM> TO emulator_bits(FROM from)
{
	TO to;

	static_assert(sizeof(TO) == sizeof(FROM), "another size");
	memcpy(&to, &from, sizeof(to));
	return to;
}
DEVICE float __uint_as_float(unsigned bits)
{
	return emulator_bits<float>(bits);
}
DEVICE unsigned __float_as_uint(float value)
{
	return emulator_bits<unsigned>(value);
}
DEVICE float rsqrtf(float x)
{
	return 1 / sqrtf(x);
}
DEVICE float cospif(float x)
{
	return (float)cos(M_PI * (double)x);
}
DEVICE float __fdividef(float x, float y)
{
	return x / y;
}
#define __expf(x) expf(x) /* a function of this name is the C library's */
DEVICE int __ffs(unsigned x)
{
	return __builtin_ffs((int)x);
}

/* ---- ptx.cuh ---- */

DEVICE unsigned char *shared_memory()
{
	return emulator_shared();
}
DEVICE uint32_t shared_address(const void *pointer)
{
	return emulator_shared_address(pointer);
}
DEVICE void grid_wait()
{
	emulator_grid_wait();
}
DEVICE void grid_launch_next()
{
}
DEVICE void cluster_arrive()
{
	emulator_cluster_arrive();
}
DEVICE void cluster_wait()
{
	emulator_cluster_wait();
}
template <typename T> T *cluster_shared(T *mine, uint32_t rank)
{
	return (T *)emulator_cluster_shared(mine, rank);
}
DEVICE void copy_async(void *shared, const void *global)
{
	emulator_copy(shared, global);
}
DEVICE void copy_commit()
{
	emulator_commit();
}
template <int PENDING> void copy_wait()
{
	emulator_wait(PENDING);
}
void barrier_new(uint64_t *barrier);
void barrier_expect(uint64_t *barrier, uint32_t bytes);
void barrier_wait(uint64_t *barrier, uint32_t round);
struct CUtensorMap {
	const uint16_t *data; /* [rows][columns] */
	uint64_t rows;
	uint32_t columns, panel_rows;
};
cudaError_t panels_of(CUtensorMap *matrix, const uint16_t *data, uint64_t rows, uint32_t columns,
		      uint32_t panel_rows);
void copy_panel(void *shared, const CUtensorMap *matrix, uint32_t row, uint32_t column,
		uint64_t *barrier);
uint64_t panel_columns(const void *shared);
void panel_mma_begin();
/* @outputs: of B. */
void emulator_panel_mma(float *c, unsigned outputs, uint64_t a, uint64_t b, bool anew);
DEVICE void panel_mma(float (&c)[16], uint64_t a, uint64_t b, bool anew)
{
	emulator_panel_mma(c, 32, a, b, anew);
}
DEVICE void panel_mma(float (&c)[20], uint64_t a, uint64_t b, bool anew)
{
	emulator_panel_mma(c, 40, a, b, anew);
}
void panel_mma_commit();
void emulator_panel_mma_wait(unsigned pending);
template <int PENDING> void panel_mma_wait()
{
	emulator_panel_mma_wait(PENDING);
}
template <int COUNT> void panel_mma_sums(float (&)[COUNT])
{
}
void load_matrices(uint32_t out[4], const void *row);
void load_matrices_transposed(uint32_t out[4], const void *row);
void mma(float c[4], const uint32_t a[4], uint32_t b0, uint32_t b1);
uint32_t bf16_pack(float low, float high);
DEVICE float exp2_fast(float x)
{
	return exp2f(x);
}
DEVICE uint4 load_once(const void *global)
{
	return *(const uint4 *)global;
}

DEVICE void prefetch(const void *)
{
}

/* ---- launches ---- */

enum { cudaLaunchAttributeProgrammaticStreamSerialization, cudaLaunchAttributeClusterDimension };
enum { cudaFuncAttributeMaxDynamicSharedMemorySize };
struct cudaLaunchAttribute {
	int id;
	union {
		int programmaticStreamSerializationAllowed;
		struct {
			unsigned x, y, z;
		} clusterDim;
	} val;
};
struct cudaLaunchConfig_t {
	dim3 gridDim, blockDim;
	size_t dynamicSmemBytes;
	cudaStream_t stream;
	cudaLaunchAttribute *attrs;
	unsigned numAttrs;
};
cudaError_t cudaFuncSetAttribute(const void *kernel, int attribute, int bytes);
/* The blocks of a cluster, neighbours in x; 0: no GPU takes such clusters. */
unsigned emulator_ranks(const cudaLaunchConfig_t *config);
/* Is the launch allowed, with its clusters and, after cudaFuncSetAttribute(), so much
 * shared memory? */
bool emulator_may(const void *kernel, const cudaLaunchConfig_t *config);

/* An op is copied here: a graph has the arguments that were given when it was captured. */
template <typename OP>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *config, void (*kernel)(OP), const OP &op)
{
	const dim3 grid = config->gridDim, block = config->blockDim;
	const size_t bytes = config->dynamicSmemBytes;
	const unsigned ranks = emulator_ranks(config);

	if (!emulator_may((const void *)kernel, config))
		return cudaErrorInvalidValue;
	return emulator_enqueue(config->stream, [=] {
		const std::function<void()> thread = [&] { kernel(op); };

		emulator_run(grid, block, ranks, bytes, thread);
	});
}

#endif /* QUIRE_EMULATOR_H */
