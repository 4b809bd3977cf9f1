/*
 * memory.cpp - memory and copies of the emulator; see emulator.h.
 *
 *	a copy from pinned memory reads it when the stream comes to it
 *	a copy from other memory of the host is staged at once, and written when the stream
 *	comes to it; also cudaMemcpy(), whose stream is the default one
 *	a copy to other memory of the host is a wait
 *	what is freed is filled with NaN, and kept for a while
 *
 * A range that is not all of one allocation, on the right side, ends the program.  Under
 * AddressSanitizer the host may not touch the device's memory: the beginning of each block
 * is poisoned while no stream works.
 */
#include "asan.h"
#include "runtime.h"

#include <map>
#include <memory>

#define MEMORY_BYTES ((size_t)1 << 30) /* $QUIRE_EMULATOR_MEMORY, in MiB */
#ifdef ASAN
#define FREED_BYTES ((size_t)0) /* it has its own */
#else
#define FREED_BYTES ((size_t)64 << 20) /* kept, to see who reads them */
#endif
#define GUARDED_BYTES ((size_t)64 << 10) /* of each block, from the host */

static struct {
	std::map<const char *, size_t> device; /* memory, by its beginning */
	std::map<const char *, size_t> pinned;
	size_t device_bytes;
} r;

/* ---- where it is ---- */

void host_may_touch_device(bool may)
{
	for (const auto &block : r.device) {
		const size_t bytes = min(block.second, GUARDED_BYTES);

		if (may)
			ASAN_UNPOISON_MEMORY_REGION(block.first, bytes);
		else
			ASAN_POISON_MEMORY_REGION(block.first, bytes);
	}
}

/* The bytes from @at to the end of its block; 0: it lies in none. */
static size_t room_in(const std::map<const char *, size_t> &blocks, const void *at)
{
	auto next = blocks.upper_bound((const char *)at);

	if (next == blocks.begin())
		return 0;
	--next;
	const size_t offset = (size_t)((const char *)at - next->first);

	return offset < next->second ? next->second - offset : 0;
}

void emulator_on_device(const char *what, const void *first, size_t bytes)
{
	if (bytes && room_in(r.device, first) < bytes)
		fail("%s: %zu bytes at %p are not all memory of the device", what, bytes, first);
}

/* Is it pinned?  Ends the program where it is neither pinned nor the host's. */
static bool pinned(const char *what, const void *first, size_t bytes)
{
	const size_t room = room_in(r.pinned, first);

	if (room_in(r.device, first))
		fail("%s: %p is memory of the device, not the host's", what, first);
	if (room && room < bytes)
		fail("%s: %zu bytes at %p leave their pinned memory", what, bytes, first);
	return room != 0;
}

/* ---- copies ---- */

struct picture { /* rows of @width bytes */
	char *to;
	const char *from;
	size_t to_pitch, from_pitch, width, height;
};

static void copy(const picture &p)
{
	for (size_t i = 0; i < p.height; i++)
		memcpy(p.to + i * p.to_pitch, p.from + i * p.from_pitch, p.width);
}

static size_t span(size_t pitch, const picture &p)
{
	return (p.height - 1) * pitch + p.width;
}

static cudaError_t copy_async(picture p, enum cudaMemcpyKind kind, cudaStream_t stream)
{
	const bool to_host = kind == cudaMemcpyDeviceToHost;
	const bool from_host = kind == cudaMemcpyHostToDevice;
	CUstream_st *s = stream_of(stream);
	cudaError_t error;

	if (p.width > p.to_pitch || p.width > p.from_pitch)
		return told(cudaErrorInvalidValue);
	if (!p.width || !p.height)
		return cudaSuccess;
	if (!to_host)
		emulator_on_device("a copy to the device", p.to, span(p.to_pitch, p));
	if (!from_host)
		emulator_on_device("a copy from the device", p.from, span(p.from_pitch, p));
	if (from_host && !pinned("a copy from the host", p.from, span(p.from_pitch, p))) {
		auto staged = std::make_shared<std::vector<char>>(p.width * p.height);
		const picture stage = {staged->data(), p.from,	p.width,
				       p.from_pitch,   p.width, p.height};

		if (s->capturing)
			fail("a copy from memory that is not pinned is captured");
		copy(stage);
		p.from = staged->data();
		p.from_pitch = p.width;
		return emulator_enqueue(stream, [=] {
			(void)staged; /* lives until then */
			copy(p);
		});
	}
	if (to_host && !pinned("a copy to the host", p.to, span(p.to_pitch, p))) {
		if (s->capturing)
			fail("a copy to memory that is not pinned is captured");
		error = emulator_enqueue(stream, [=] { copy(p); });
		work_off(s);
		return error;
	}
	return emulator_enqueue(stream, [=] { copy(p); });
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind,
			    cudaStream_t stream)
{
	return copy_async({(char *)to, (const char *)from, bytes, bytes, bytes, 1}, kind, stream);
}

cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch,
			      size_t width, size_t height, enum cudaMemcpyKind kind,
			      cudaStream_t stream)
{
	return copy_async({(char *)to, (const char *)from, to_pitch, from_pitch, width, height},
			  kind, stream);
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
	const bool waits = kind == cudaMemcpyDeviceToHost ||
			   (kind == cudaMemcpyHostToDevice && room_in(r.pinned, from));
	cudaError_t error;

	if (disturbs_capture())
		return told(cudaErrorStreamCaptureUnsupported);
	error = cudaMemcpyAsync(to, from, bytes, kind, NULL);
	if (error == cudaSuccess && waits)
		work_off(stream_of(NULL));
	return error;
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream)
{
	emulator_on_device("a memset", to, bytes);
	return emulator_enqueue(stream, [=] { memset(to, value, bytes); });
}

cudaError_t cudaMemset(void *to, int value, size_t bytes)
{
	if (disturbs_capture())
		return told(cudaErrorStreamCaptureUnsupported);
	return cudaMemsetAsync(to, value, bytes, NULL);
}

/* ---- taking and giving back ---- */

static size_t memory_bytes()
{
	const char *mib = getenv("QUIRE_EMULATOR_MEMORY");

	return mib ? (size_t)atoll(mib) << 20 : MEMORY_BYTES;
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes)
{
	*total_bytes = memory_bytes();
	*free_bytes = *total_bytes - r.device_bytes;
	return cudaSuccess;
}

cudaError_t cudaMalloc(void **pointer, size_t bytes)
{
	char *block = NULL;

	*pointer = NULL;
	if (disturbs_capture())
		return told(cudaErrorStreamCaptureUnsupported);
	if (!bytes)
		return cudaSuccess;
	if (bytes <= memory_bytes() - r.device_bytes)
		block = (char *)malloc(bytes);
	if (!block)
		return told(cudaErrorMemoryAllocation);
	memset(block, 0xff, bytes);
	ASAN_POISON_MEMORY_REGION(block, min(bytes, GUARDED_BYTES));
	r.device[block] = bytes;
	r.device_bytes += bytes;
	*pointer = block;
	return cudaSuccess;
}

/* Who still reads it finds NaN: it is not taken again soon. */
static void give_back(char *block, size_t bytes)
{
	static std::deque<std::pair<char *, size_t>> freed;
	static size_t freed_bytes;

	memset(block, 0xff, bytes);
	freed.push_back({block, bytes});
	freed_bytes += bytes;
	for (; freed_bytes > FREED_BYTES; freed.pop_front()) {
		freed_bytes -= freed.front().second;
		free(freed.front().first);
	}
}

cudaError_t cudaFree(void *pointer)
{
	if (!pointer)
		return cudaSuccess;
	if (disturbs_capture())
		return told(cudaErrorStreamCaptureUnsupported);
	if (!r.device.count((char *)pointer))
		fail("cudaFree(%p), which cudaMalloc() did not give", pointer);
	cudaDeviceSynchronize();
	ASAN_UNPOISON_MEMORY_REGION(pointer, r.device[(char *)pointer]);
	r.device_bytes -= r.device[(char *)pointer];
	give_back((char *)pointer, r.device[(char *)pointer]);
	r.device.erase((char *)pointer);
	return cudaSuccess;
}

cudaError_t cudaMallocHost(void **pointer, size_t bytes)
{
	*pointer = NULL;
	if (disturbs_capture())
		return told(cudaErrorStreamCaptureUnsupported);
	*pointer = malloc(bytes ? bytes : 1);
	if (!*pointer)
		return told(cudaErrorMemoryAllocation);
	memset(*pointer, 0xff, bytes);
	r.pinned[(char *)*pointer] = bytes;
	return cudaSuccess;
}

cudaError_t cudaFreeHost(void *pointer)
{
	if (!pointer)
		return cudaSuccess;
	if (disturbs_capture())
		return told(cudaErrorStreamCaptureUnsupported);
	if (!r.pinned.count((char *)pointer))
		fail("cudaFreeHost(%p), which cudaMallocHost() did not give", pointer);
	cudaDeviceSynchronize();
	r.pinned.erase((char *)pointer);
	free(pointer);
	return cudaSuccess;
}
