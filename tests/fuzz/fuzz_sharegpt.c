/*
 * fuzz_sharegpt.c - an array of chats, without its bracket.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_trace("[", data, size);
}
