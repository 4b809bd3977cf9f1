/*
 * fuzz_vidur.c - the rows of a file of lengths.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_trace("num_prefill_tokens,num_decode_tokens\n", data, size);
}
