/*
 * fuzz_burstgpt.c - the rows of a BurstGPT trace.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_trace("Timestamp,Request tokens,Response tokens\n", data, size);
}
