/*
 * runtime.h - what runtime.cpp, memory.cpp and device.cpp share; nobody else includes it.
 */
#ifndef QUIRE_EMULATOR_RUNTIME_H
#define QUIRE_EMULATOR_RUNTIME_H

#include "emulator.h"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <vector>

typedef std::function<void()> work;

struct CUstream_st {
	std::deque<work> todo;
	bool capturing, invalid;
	std::vector<work> captured;
};

/* End the program: "emulator: ...". */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);
/* Keep an error for cudaGetLastError(), and return it. */
cudaError_t told(cudaError_t error);

/* runtime.cpp: the default one for NULL. */
CUstream_st *stream_of(cudaStream_t stream);
/* Work until there is none. */
void work_off(CUstream_st *stream);
/* Is this a capture?  Then it is spoilt by what may not be called meanwhile. */
bool disturbs_capture();

/* memory.cpp */
void host_may_touch_device(bool may);

#endif /* QUIRE_EMULATOR_RUNTIME_H */
