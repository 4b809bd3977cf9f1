/*
 * launch.cu - see launch.cuh.
 */
#include "launch.cuh"

static bool overlap_wanted = true;

void quire_cuda_overlap(bool on)
{
	overlap_wanted = on;
}

bool quire_cuda_overlaps(void)
{
	static int major; /* of the compute capability; 0: not asked yet */
	int device;

	if (!major && (cudaGetDevice(&device) != cudaSuccess ||
		       cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) !=
			       cudaSuccess))
		return false;
	return overlap_wanted && major >= 9;
}
