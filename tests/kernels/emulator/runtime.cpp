/*
 * runtime.cpp - streams, events, graphs and memory of the emulator; see emulator.h.
 *
 * A stream is a list of work.  Nothing of it is done before somebody waits for it, or all
 * at once ($QUIRE_EMULATOR_COPIES=early).  What waits is what CUDA's documents say that
 * waits, and no more:
 *
 *	a copy from pinned memory reads it when the stream comes to it
 *	a copy from other memory of the host is staged at once, and written when the stream
 *	comes to it; also cudaMemcpy(), whose stream is the default one
 *	a copy to other memory of the host is a wait
 *	the default stream and one that is cudaStreamNonBlocking do not wait for each other
 *
 * Under AddressSanitizer the host may not touch the device's memory: it is poisoned while
 * no stream works.
 */
#include "emulator.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif
#ifdef ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes)   ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

#define MEMORY_BYTES	   ((size_t)1 << 30) /* $QUIRE_EMULATOR_MEMORY, in MiB */
#define SHARED_BYTES	   (227 << 10)	     /* of a block, if asked for */
#define SHARED_BYTES_PLAIN (48 << 10)	     /* otherwise */

typedef std::function<void()> work;

struct CUstream_st {
	std::deque<work> todo;
	bool capturing, invalid;
	std::vector<work> captured;
};
struct event_state {
	unsigned recorded, passed; /* how often; the stream may be behind */
	double at_ms;
};
struct CUevent_st {
	bool timing, captured;
	CUstream_st *stream; /* of the last record; NULL: none yet */
	std::shared_ptr<event_state> state;
};
struct CUgraph_st {
	std::vector<work> nodes;
};
struct CUgraphExec_st {
	std::vector<work> nodes;
};

static struct {
	CUstream_st standard; /* the default stream */
	std::vector<CUstream_st *> streams;
	unsigned capturing;		       /* streams */
	std::map<const char *, size_t> device; /* memory, by its beginning */
	std::map<const char *, size_t> pinned;
	size_t device_bytes;
	std::map<const void *, int> shared_bytes; /* that kernels asked for */
	cudaError_t last;
} r;

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	fprintf(stderr, "emulator: ");
	vfprintf(stderr, format, list);
	fprintf(stderr, "\n");
	va_end(list);
	abort();
}

static cudaError_t told(cudaError_t error)
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

/* ---- where memory is ---- */

static void host_may_touch_device(bool may)
{
	for (const auto &block : r.device)
		if (may)
			ASAN_UNPOISON_MEMORY_REGION(block.first, block.second);
		else
			ASAN_POISON_MEMORY_REGION(block.first, block.second);
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

/* ---- streams ---- */

static CUstream_st *stream_of(cudaStream_t stream)
{
	if (!stream)
		return &r.standard;
	for (CUstream_st *s : r.streams)
		if (s == stream)
			return s;
	fail("there is no stream %p", (void *)stream);
}

/* Work until there is none, or @until is passed. */
static void work_off(CUstream_st *stream, const event_state *until, unsigned times)
{
	host_may_touch_device(true);
	while (!stream->todo.empty() && !(until && until->passed >= times)) {
		const work next = stream->todo.front();

		stream->todo.pop_front();
		next();
	}
	host_may_touch_device(false);
}

cudaError_t emulator_enqueue(cudaStream_t stream, const work &what)
{
	static const bool early = emulator_asked("QUIRE_EMULATOR_COPIES", "early");
	CUstream_st *s = stream_of(stream);

	if (s->capturing) {
		s->captured.push_back(what);
		return cudaSuccess;
	}
	s->todo.push_back(what);
	if (early)
		work_off(s, NULL, 0);
	return cudaSuccess;
}

/* What may not be called while this thread captures. */
static bool disturbs_capture()
{
	if (!r.capturing)
		return false;
	for (CUstream_st *s : r.streams)
		s->invalid |= s->capturing;
	return true;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
	if (flags != cudaStreamNonBlocking)
		fail("streams that wait for the default one are not emulated");
	*stream = new CUstream_st();
	r.streams.push_back(*stream);
	return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
	CUstream_st *s = stream_of(stream);

	if (!stream || s->capturing)
		fail("a stream is destroyed that captures, or the default one");
	work_off(s, NULL, 0);
	r.streams.erase(std::find(r.streams.begin(), r.streams.end(), s));
	delete s;
	return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
	CUstream_st *s = stream_of(stream);

	if (s->capturing) {
		s->invalid = true;
		return told(cudaErrorStreamCaptureUnsupported);
	}
	work_off(s, NULL, 0);
	return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize()
{
	if (disturbs_capture())
		return told(cudaErrorStreamCaptureUnsupported);
	work_off(&r.standard, NULL, 0);
	for (CUstream_st *s : r.streams)
		work_off(s, NULL, 0);
	return cudaSuccess;
}

/* ---- graphs ---- */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode)
{
	CUstream_st *s = stream_of(stream);

	if (!stream || s->capturing)
		return told(cudaErrorStreamCaptureUnsupported);
	s->capturing = true;
	s->invalid = false;
	s->captured.clear();
	r.capturing++;
	return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
	CUstream_st *s = stream_of(stream);

	*graph = NULL;
	if (!s->capturing)
		return told(cudaErrorInvalidValue);
	s->capturing = false;
	r.capturing--;
	if (s->invalid)
		return told(cudaErrorStreamCaptureInvalidated);
	*graph = new CUgraph_st{s->captured};
	return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long)
{
	*exec = new CUgraphExec_st{graph->nodes};
	return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
	for (const work &node : exec->nodes)
		emulator_enqueue(stream, node);
	return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
	delete graph;
	return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
	delete exec;
	return cudaSuccess;
}

/* ---- events ---- */

/* Milliseconds that pass: the clock's, or with an order of threads that is drawn, drawn
 * too, so that who chooses the fastest of some chooses differently with each seed. */
static double now_ms()
{
	static const char *order = getenv("QUIRE_EMULATOR_ORDER");
	static const unsigned seed = order ? (unsigned)atoi(order) : 0;
	static std::mt19937 random(seed);
	static double drawn;
	struct timespec now;

	if (seed) {
		drawn += 0.001 * (1 + random() % 1000);
		return drawn;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
	*event = new CUevent_st{!(flags & cudaEventDisableTiming), false, NULL,
				std::make_shared<event_state>()};
	return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
	return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
	delete event;
	return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
	const std::shared_ptr<event_state> state = event->state;
	CUstream_st *s = stream_of(stream);

	event->captured = s->capturing;
	if (s->capturing)
		return cudaSuccess;
	event->stream = s;
	state->recorded++;
	return emulator_enqueue(stream, [state] {
		state->passed++;
		state->at_ms = now_ms();
	});
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
	if (event->captured)
		return told(cudaErrorCapturedEvent);
	if (event->stream)
		work_off(event->stream, event->state.get(), event->state->recorded);
	return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t end)
{
	for (const CUevent_st *event : {start, end}) {
		if (event->captured)
			return told(cudaErrorCapturedEvent);
		if (!event->timing || !event->state->recorded)
			return told(cudaErrorInvalidResourceHandle);
		if (event->state->passed < event->state->recorded)
			return told(cudaErrorNotReady);
	}
	*ms = (float)(end->state->at_ms - start->state->at_ms);
	return cudaSuccess;
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
		work_off(s, NULL, 0);
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
		work_off(&r.standard, NULL, 0);
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

/* ---- memory ---- */

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
	ASAN_POISON_MEMORY_REGION(block, bytes);
	r.device[block] = bytes;
	r.device_bytes += bytes;
	*pointer = block;
	return cudaSuccess;
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
	r.device.erase((char *)pointer);
	free(pointer);
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

/* ---- kernels and the device ---- */

cudaError_t cudaFuncSetAttribute(const void *kernel, int, int bytes)
{
	if (bytes > SHARED_BYTES)
		return told(cudaErrorInvalidValue);
	r.shared_bytes[kernel] = bytes;
	return cudaSuccess;
}

bool emulator_may(const void *kernel, size_t shared_bytes)
{
	const auto asked = r.shared_bytes.find(kernel);
	const int most = asked == r.shared_bytes.end() ? SHARED_BYTES_PLAIN : asked->second;

	if (shared_bytes > (size_t)most)
		told(cudaErrorInvalidValue);
	return shared_bytes <= (size_t)most;
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
