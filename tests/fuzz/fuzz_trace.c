/*
 * fuzz_trace.c - a trace of any format, perhaps packed, from its first byte on.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_trace("", data, size);
}
