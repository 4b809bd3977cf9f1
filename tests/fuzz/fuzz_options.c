/*
 * fuzz_options.c - the options of every built-in module.
 */
#include "fuzz.h"

#include "core/modules.h"

#include <stdlib.h>

static void read_options(const char *name, const struct quire_option *table, size_t priv_size,
			 const char *text)
{
	void *priv = calloc(1, priv_size + 1);
	int rc = quire_options_read(name, table, priv, text);

	if (rc < 0)
		fuzz_check_failure(rc);
	free(priv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = fuzz_text(data, size);
	const struct quire_module *m;
	struct quire_sched_ops sched;
	struct quire_kv_ops kv;

	for (size_t i = 0; (m = quire_module_builtin(i)); i++) {
		if (m->kind == QUIRE_SCHED) {
			quire_module_sched_ops(m, &sched);
			read_options(sched.name, sched.options, sched.priv_size, text);
		} else {
			quire_module_kv_ops(m, &kv);
			read_options(kv.name, kv.options, kv.priv_size, text);
		}
	}
	return 0;
}
