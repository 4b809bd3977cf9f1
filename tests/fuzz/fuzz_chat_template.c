/*
 * fuzz_chat_template.c - a chat template in Jinja: it is known, or refused with a sentence.
 */
#include "fuzz.h"

#include "core/model/chat_template.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quire_chat_style style = {.system = NULL};
	int rc = quire_chat_style_find(&style, fuzz_text(data, size));

	if (rc < 0)
		fuzz_check_failure(rc);
	free(style.system);
	return 0;
}
