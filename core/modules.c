/*
 * modules.c - the table of built-in modules, and the loader for all others.
 *
 * A new policy is one file in schedulers/ or allocators/ and one line here.
 */
#include "modules.h"

#include "util.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUILTINS(X)                                                                                \
	X(static_batching)                                                                         \
	X(continuous)                                                                              \
	X(splitfuse)                                                                               \
	X(contiguous)                                                                              \
	X(paged)

#define X(ops) extern const struct quire_module ops##_module;
BUILTINS(X)
#undef X

static const struct quire_module *const builtin[] = {
#define X(ops) &ops##_module,
	BUILTINS(X) NULL,
#undef X
};

static const char *const kind_name[] = {"scheduler", "allocator"};

const struct quire_module *quire_module_builtin(size_t index)
{
	return index < sizeof(builtin) / sizeof(*builtin) ? builtin[index] : NULL;
}

/* The two ops tables begin alike. */
struct ops_head {
	const char *name, *summary;
};

static const char *module_name(const struct quire_module *m)
{
	return ((const struct ops_head *)m->ops)->name;
}

void quire_module_sched_ops(const struct quire_module *m, struct quire_sched_ops *ops)
{
	memset(ops, 0, sizeof(*ops));
	memcpy(ops, m->ops, m->ops_size < sizeof(*ops) ? m->ops_size : sizeof(*ops));
}

void quire_module_kv_ops(const struct quire_module *m, struct quire_kv_ops *ops)
{
	memset(ops, 0, sizeof(*ops));
	memcpy(ops, m->ops, m->ops_size < sizeof(*ops) ? m->ops_size : sizeof(*ops));
}

static const char *sched_missing(const struct quire_module *m)
{
	struct quire_sched_ops ops;

	quire_module_sched_ops(m, &ops);
	return !ops.name       ? "name"
	       : !ops.enqueue  ? "enqueue"
	       : !ops.schedule ? "schedule"
	       : !ops.finish   ? "finish"
			       : NULL;
}

static const char *kv_missing(const struct quire_module *m)
{
	struct quire_kv_ops ops;

	quire_module_kv_ops(m, &ops);
	return !ops.name      ? "name"
	       : !ops.grow    ? "grow"
	       : !ops.fork    ? "fork"
	       : !ops.release ? "release"
	       : !ops.map     ? "map"
	       : !ops.visit   ? "visit"
			      : NULL;
}

/* Is the loaded @m one that this program can run as a @kind?  0 or -EINVAL. */
static int module_check(const char *path, enum quire_module_kind kind, const struct quire_module *m)
{
	const char *missing;

	if (m->abi != QUIRE_ABI)
		return quire_fail(-EINVAL,
				  "%s: built for ABI %u of quire, this program has ABI %d: "
				  "rebuild it with this version's headers",
				  path, m->abi, QUIRE_ABI);
	if (m->kind > QUIRE_KV || !m->ops || !m->ops_size)
		return quire_fail(-EINVAL,
				  "%s: its quire_module is malformed: end the file with "
				  "QUIRE_SCHED_MODULE(ops) or QUIRE_KV_MODULE(ops)",
				  path);
	if (m->kind != kind)
		return quire_fail(-EINVAL, "%s: expected a%s %s, found a%s %s", path,
				  kind == QUIRE_KV ? "n" : "", kind_name[kind],
				  m->kind == QUIRE_KV ? "n" : "", kind_name[m->kind]);
	missing = kind == QUIRE_SCHED ? sched_missing(m) : kv_missing(m);
	if (missing)
		return quire_fail(-EINVAL, "%s: the required %s is missing from its ops table",
				  path, missing);
	return 0;
}

static const struct quire_module *module_load(const char *path, enum quire_module_kind kind)
{
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct quire_module *m;

	if (!object) {
		quire_fail(-EINVAL, "cannot load a%s %s: %s", kind == QUIRE_KV ? "n" : "",
			   kind_name[kind], dlerror());
		return NULL;
	}
	m = dlsym(object, "quire_module");
	if (!m)
		quire_fail(-EINVAL, "%s: it exports no symbol quire_module: end the file with %s",
			   path,
			   kind == QUIRE_SCHED ? "QUIRE_SCHED_MODULE(ops)"
					       : "QUIRE_KV_MODULE(ops)");
	else if (module_check(path, kind, m) == 0)
		return m; /* stays loaded until the program ends */
	dlclose(object);
	return NULL;
}

const struct quire_module *quire_module_find(enum quire_module_kind kind, const char *spec,
					     const char **options)
{
	const char *names[sizeof(builtin) / sizeof(*builtin)] = {NULL};
	const char *comma = strchr(spec, ','), *nearest;
	size_t length = comma ? (size_t)(comma - spec) : strlen(spec), count = 0;
	char name[4096];

	if (length >= sizeof(name)) {
		quire_fail(-EINVAL, "the name of a %s is longer than %zu bytes", kind_name[kind],
			   sizeof(name) - 1);
		return NULL;
	}
	memcpy(name, spec, length);
	name[length] = '\0';
	*options = comma ? comma + 1 : "";
	if (strchr(name, '/'))
		return module_load(name, kind);
	for (size_t i = 0; builtin[i]; i++) {
		if (builtin[i]->kind != kind)
			continue;
		if (quire_same_name(module_name(builtin[i]), name))
			return builtin[i];
		names[count++] = module_name(builtin[i]);
	}
	nearest = quire_nearest(name, names);
	if (nearest)
		quire_fail(-EINVAL, "no %s is called '%s'; did you mean '%s'?", kind_name[kind],
			   name, nearest);
	else
		quire_fail(-EINVAL,
			   "no %s is called '%s'; 'quire list' names them, and a path to a "
			   ".so has a '/' in it",
			   kind_name[kind], name);
	return NULL;
}
