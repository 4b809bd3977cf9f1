/*
 * fuzz_safetensors.c - a file of weights.  What is let through must be JSON to jansson,
 * too, its tensors must be found by their names and cover the file.
 */
#include "fuzz.h"

#include "core/model/safetensors.h"

#include <jansson.h>
#include <string.h>

static void check_tensors(const struct quire_tensors *t)
{
	uint64_t bytes = 0;
	uint8_t sum = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		const struct quire_tensor *tensor = &t->list[i];

		if (quire_tensors_find(t, tensor->name) != tensor)
			fuzz_fail("tensor %u is not found", i);
		if (tensor->bytes * 8 !=
		    quire_tensor_elements(tensor) * quire_tensor_type_bits(tensor->type))
			fuzz_fail("the size of tensor %u", i);
		for (uint64_t k = 0; k < tensor->bytes; k++)
			sum ^= ((const uint8_t *)tensor->data)[k];
		bytes += tensor->bytes;
	}
	if (bytes != t->bytes || bytes + t->files[0].header_bytes + 8 != t->files[0].map_bytes)
		fuzz_fail("%llu bytes are of no tensor; %u", (unsigned long long)bytes, sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quire_tensors *t;
	json_t *header;
	int rc = quire_tensors_open(&t, fuzz_file("", data, size));

	if (rc < 0) {
		fuzz_check_failure(rc);
		return 0;
	}
	check_tensors(t);
	header = json_loadb((const char *)data + 8, t->files[0].header_bytes,
			    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (!header)
		fuzz_fail("jansson does not read the header");
	if (json_object_size(header) !=
	    t->count + (json_object_get(header, "__metadata__") ? 1 : 0))
		fuzz_fail("jansson reads another number of tensors");
	json_decref(header);
	quire_tensors_close(t);
	return 0;
}
