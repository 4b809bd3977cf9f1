/*
 * fuzz_model.c - a model's config.json.
 */
#include "fuzz.h"

#include "core/model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quire_model model;
	struct quire_params params;
	int rc = quire_model_read(&model, fuzz_file("", data, size));

	if (rc < 0) {
		fuzz_check_failure(rc);
		return 0;
	}
	quire_model_params(&model, &params);
	if (!model.layers || !model.hidden || !params.total || !quire_model_kv_bytes(&model, 16))
		fuzz_fail("a model without size");
	return 0;
}
