/*
 * fuzz_synthetic.c - the settings behind "synthetic,", and so distributions.
 */
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quire_workload_options o = {.requests = 60, .seed = size};
	struct quire_workload w;
	char name[1024] = "synthetic,";
	int rc;

	strncat(name, fuzz_text(data, size), sizeof(name) - strlen(name) - 1);
	rc = quire_workload_preset(&w, name, &o);
	if (rc < 0) {
		fuzz_check_failure(rc);
		return 0;
	}
	fuzz_check_workload(&w);
	quire_workload_free(&w);
	return 0;
}
