/*
 * load_malformed.c - its quire_module points at no ops table.
 */
#include <quire/plugin.h>

__attribute__((visibility("default"))) extern const struct quire_module quire_module;
const struct quire_module quire_module = {QUIRE_ABI, QUIRE_SCHED, sizeof(struct quire_sched_ops),
					  NULL};
