/*
 * fuzz_qwen.c - a Qwen-Bailian trace behind its first request.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_trace("{\"chat_id\":1,\"timestamp\":0,\"input_length\":9,\"output_length\":1,"
			  "\"hash_ids\":[1]}\n",
			  data, size);
}
