/*
 * modules.h - finding modules, by name or by path, and reading their options.
 */
#ifndef QUIRE_MODULES_H
#define QUIRE_MODULES_H

#include <quire/plugin.h>

/* The built-in modules, in the order of "quire list"; NULL behind the last. */
const struct quire_module *quire_module_builtin(size_t index);

/*
 * Split "name,k=v,..." or "./path.so,k=v,...", find the module, and check it.
 * @options is set to what follows the first comma (or to ""), inside @spec.
 * Return: the module; NULL with a sentence in quire_failure().
 */
const struct quire_module *quire_module_find(enum quire_module_kind kind, const char *spec,
					     const char **options);

/* Copy the module's ops table; what an older module lacks at its end is NULL. */
void quire_module_sched_ops(const struct quire_module *m, struct quire_sched_ops *ops);
void quire_module_kv_ops(const struct quire_module *m, struct quire_kv_ops *ops);

/*
 * Fill the private state @priv of module @name: every option of @table with its
 * initial value, then those of @text ("k=v,k=v").
 * Return: 0; -EINVAL with a sentence in quire_failure().
 */
int quire_options_read(const char *name, const struct quire_option *table, void *priv,
		       const char *text);

#endif /* QUIRE_MODULES_H */
