/*
 * runtime.cpp - streams, graphs and events of the emulator; see emulator.h.
 *
 * A stream is a list of work.  Nothing of it is done before somebody waits for it, or all
 * at once ($QUIRE_EMULATOR_COPIES=early).  What waits is what CUDA's documents say that
 * waits, and no more: the default stream and one that is cudaStreamNonBlocking do not wait
 * for each other.
 */
#include "runtime.h"

#include <ctime>
#include <memory>
#include <random>

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
	unsigned capturing; /* streams */
} r;

/* ---- streams ---- */

CUstream_st *stream_of(cudaStream_t stream)
{
	if (!stream)
		return &r.standard;
	for (CUstream_st *s : r.streams)
		if (s == stream)
			return s;
	fail("there is no stream %p", (void *)stream);
}

/* Work until there is none, or @until is passed. */
static void work_until(CUstream_st *stream, const event_state *until, unsigned times)
{
	host_may_touch_device(true);
	while (!stream->todo.empty() && !(until && until->passed >= times)) {
		const work next = stream->todo.front();

		stream->todo.pop_front();
		next();
	}
	host_may_touch_device(false);
}

void work_off(CUstream_st *stream)
{
	work_until(stream, NULL, 0);
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
		work_off(s);
	return cudaSuccess;
}

bool disturbs_capture()
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
	work_off(s);
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
	work_off(s);
	return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize()
{
	if (disturbs_capture())
		return told(cudaErrorStreamCaptureUnsupported);
	work_off(&r.standard);
	for (CUstream_st *s : r.streams)
		work_off(s);
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
		work_until(event->stream, event->state.get(), event->state->recorded);
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
