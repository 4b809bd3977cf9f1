/*
 * fuzz_quire_csv.c - the rows of quire's own CSV.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_trace("arrival_s,prompt_tokens,output_tokens,client,priority,deadline_s,output_"
			  "tokens_max\n",
			  data, size);
}
