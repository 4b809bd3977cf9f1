/*
 * device.cpp - errors, limits and properties of the emulator; see emulator.h.
 */
#include "runtime.h"

#include <cstdarg>
#include <map>

#define SHARED_BYTES	   (227 << 10) /* of a block, if asked for */
#define SHARED_BYTES_PLAIN (48 << 10)  /* otherwise */
#define RANKS_MAX	   8	       /* blocks of a cluster */

static struct {
	std::map<const void *, int> shared_bytes; /* that kernels asked for */
	cudaError_t last;
} r;

void fail(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	fprintf(stderr, "emulator: ");
	vfprintf(stderr, format, list);
	fprintf(stderr, "\n");
	va_end(list);
	abort();
}

cudaError_t told(cudaError_t error)
{
	if (error != cudaSuccess)
		r.last = error;
	return error;
}

bool emulator_asked(const char *name, const char *value)
{
	const char *is = getenv(name);

	return is && !strcmp(is, value);
}

/* ---- kernels and the device ---- */

cudaError_t cudaFuncSetAttribute(const void *kernel, int, int bytes)
{
	if (bytes > SHARED_BYTES)
		return told(cudaErrorInvalidValue);
	r.shared_bytes[kernel] = bytes;
	return cudaSuccess;
}

unsigned emulator_ranks(const cudaLaunchConfig_t *config)
{
	for (unsigned i = 0; i < config->numAttrs; i++) {
		const auto &dim = config->attrs[i].val.clusterDim;

		if (config->attrs[i].id != cudaLaunchAttributeClusterDimension)
			continue;
		return dim.x && dim.x <= RANKS_MAX && dim.y == 1 && dim.z == 1 &&
				       config->gridDim.x % dim.x == 0
			       ? dim.x
			       : 0;
	}
	return 1;
}

bool emulator_may(const void *kernel, const cudaLaunchConfig_t *config)
{
	const auto asked = r.shared_bytes.find(kernel);
	const int most = asked == r.shared_bytes.end() ? SHARED_BYTES_PLAIN : asked->second;
	const bool may = config->dynamicSmemBytes <= (size_t)most && emulator_ranks(config);

	if (!may)
		told(cudaErrorInvalidValue);
	return may;
}

cudaError_t cudaGetLastError()
{
	const cudaError_t last = r.last;

	r.last = cudaSuccess;
	return last;
}

static const struct {
	cudaError_t error;
	const char *name, *text;
} errors[] = {
	{cudaSuccess, "cudaSuccess", "no error"},
	{cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
	{cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
	{cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
	{cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle",
	 "invalid resource handle"},
	{cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
	{cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
	 "operation not permitted when stream is capturing"},
	{cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
	 "operation failed due to a previous error during capture"},
	{cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
	 "operation not permitted on an event last recorded in a capturing stream"},
};

const char *cudaGetErrorString(cudaError_t error)
{
	for (const auto &e : errors)
		if (e.error == error)
			return e.text;
	return "unrecognized error code";
}

const char *cudaGetErrorName(cudaError_t error)
{
	for (const auto &e : errors)
		if (e.error == error)
			return e.name;
	return "unrecognized error code";
}

cudaError_t cudaDriverGetVersion(int *version)
{
	*version = CUDART_VERSION;
	return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
	*count = emulator_asked("QUIRE_EMULATOR_MEMORY", "0") ? 0 : 1;
	return *count ? cudaSuccess : told(cudaErrorNoDevice);
}

cudaError_t cudaGetDevice(int *device)
{
	*device = 0;
	return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int)
{
	*value = attribute == cudaDevAttrMultiProcessorCount	  ? 12
		 : attribute == cudaDevAttrComputeCapabilityMajor ? 9
		 : attribute == cudaDevAttrComputeCapabilityMinor ? 0
								  : SHARED_BYTES;
	return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int)
{
	*properties = {};
	strcpy(properties->name, "an emulated GPU");
	properties->major = 9;
	properties->multiProcessorCount = 12;
	return cudaSuccess;
}
