/*
 * fuzz_clients.c - a file of clients.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quire_workload_options o = {.requests = 60, .seed = size};
	struct quire_workload w;
	int rc = quire_workload_preset(&w, fuzz_file("", data, size), &o);

	if (rc < 0) {
		fuzz_check_failure(rc);
		return 0;
	}
	fuzz_check_workload(&w);
	quire_workload_free(&w);
	return 0;
}
