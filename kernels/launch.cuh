/*
 * launch.cuh - how every kernel is launched: see the rules in kernels.h.
 */
#ifndef QUIRE_KERNELS_LAUNCH_CUH
#define QUIRE_KERNELS_LAUNCH_CUH

#include "device.cuh"

/* Does this device let a kernel wait for the one before it, and is that wanted? */
bool quire_cuda_overlaps(void);

/*
 * A kernel takes its op by value.  @shared_bytes: dynamic shared memory of a block, up to
 * @shared_most in other launches of the kernel; @ranks: neighbouring blocks that are a
 * cluster, from compute capability 9.0 on.
 */
template <typename OP>
static int launch(void (*kernel)(OP), const OP *op, dim3 grid, uint32_t threads,
		  size_t shared_bytes, cudaStream_t stream, uint32_t ranks = 1,
		  size_t shared_most = 0)
{
	cudaLaunchConfig_t config = {};
	cudaLaunchAttribute attributes[2] = {};
	cudaError_t rc;

	if (!grid.x || !grid.y || !grid.z)
		return cudaSuccess;
	if (shared_bytes > shared_most)
		shared_most = shared_bytes;
	if (shared_most > 32 << 10) { /* the limit is 48 KiB with the kernel's own variables */
		rc = cudaFuncSetAttribute((const void *)kernel,
					  cudaFuncAttributeMaxDynamicSharedMemorySize,
					  (int)shared_most);
		if (rc != cudaSuccess)
			return rc;
	}
	config.gridDim = grid;
	config.blockDim = dim3(threads);
	config.dynamicSmemBytes = shared_bytes;
	config.stream = stream;
	config.attrs = attributes;
	if (ranks > 1) {
		attributes[config.numAttrs].id = cudaLaunchAttributeClusterDimension;
		attributes[config.numAttrs].val.clusterDim.x = ranks;
		attributes[config.numAttrs].val.clusterDim.y = 1;
		attributes[config.numAttrs++].val.clusterDim.z = 1;
	}
	if (quire_cuda_overlaps()) {
		attributes[config.numAttrs].id = cudaLaunchAttributeProgrammaticStreamSerialization;
		attributes[config.numAttrs++].val.programmaticStreamSerializationAllowed = 1;
	}
	return cudaLaunchKernelEx(&config, kernel, *op);
}

#endif /* QUIRE_KERNELS_LAUNCH_CUH */
