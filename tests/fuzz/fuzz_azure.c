/*
 * fuzz_azure.c - the rows of an Azure trace.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_trace("TIMESTAMP,ContextTokens,GeneratedTokens\n", data, size);
}
