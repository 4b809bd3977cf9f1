/*
 * fuzz_gpu.c - a GPU's profile.  What is read is written, and read as the same.
 */
#include "fuzz.h"

#include "core/sim/gpu.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quire_gpu gpu, again;
	char *text = NULL;
	size_t length = 0;
	FILE *out;
	int rc = quire_gpu_read(&gpu, fuzz_file("", data, size));

	if (rc < 0) {
		fuzz_check_failure(rc);
		return 0;
	}
	out = open_memstream(&text, &length);
	if (!out || quire_gpu_write(&gpu, out) || fclose(out))
		fuzz_fail("cannot be written");
	if (quire_gpu_read(&again, fuzz_file("", (uint8_t *)text, length)))
		fuzz_fail("what was written cannot be read");
#define X(key, field, unit)                                                                        \
	if (fabs((double)gpu.field - (double)again.field) > 1e-6 * fabs((double)gpu.field))        \
		fuzz_fail("written and read: %s was %g, is %g", key, (double)gpu.field,            \
			  (double)again.field);
	QUIRE_GPU_KEYS(X)
#undef X
	free(text);
	return 0;
}
