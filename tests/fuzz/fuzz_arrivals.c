/*
 * fuzz_arrivals.c - what stands behind --arrivals, and the times that come of it.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quire_workload_options o = {.seed = size}, draw = {.requests = 60, .rate = 2.0};
	struct quire_workload w;
	int rc = quire_arrivals_parse(&o, fuzz_text(data, size));

	if (rc < 0) {
		fuzz_check_failure(rc);
		return 0;
	}
	if (quire_workload_preset(&w, "orca_osdi22", &draw))
		fuzz_fail("a preset cannot be drawn");
	w.rate = 2.0;
	if (o.arrivals != QUIRE_ARRIVALS_BURST && o.arrivals != QUIRE_ARRIVALS_CLOSED)
		o.rate = (double)size + 0.5;
	rc = quire_workload_apply(&w, &o);
	if (rc < 0)
		fuzz_check_failure(rc);
	quire_workload_free(&w);
	return 0;
}
