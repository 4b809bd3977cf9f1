/*
 * plugin.h - how a scheduler or an allocator gets into the program.
 *
 * End a module's file with QUIRE_SCHED_MODULE(ops) or QUIRE_KV_MODULE(ops).
 * Compiled as it is into a shared object it is picked by path:
 *
 *	cc -shared -fPIC $(pkg-config --cflags quire) mine.c -o mine.so
 *	quire sim --scheduler ./mine.so,window=4 ...
 *
 * Compiled with -DQUIRE_BUILTIN it lands in the table of core/modules.c and is
 * picked by name.  No code of a module runs when it is loaded, and a module is
 * never unloaded.
 */
#ifndef QUIRE_PLUGIN_H
#define QUIRE_PLUGIN_H

#include <quire/kv.h>
#include <quire/sched.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Raise it when a struct in <quire/...> changes otherwise than by growing at
 * its end.  A module of another ABI is refused.
 */
#define QUIRE_ABI 1

enum quire_module_kind { QUIRE_SCHED, QUIRE_KV };

struct quire_module {
	uint32_t abi;	   /* QUIRE_ABI */
	uint32_t kind;	   /* enum quire_module_kind */
	uint32_t ops_size; /* bytes of *ops; a missing tail is read as NULL */
	const void *ops;   /* struct quire_sched_ops or struct quire_kv_ops */
};

#ifdef QUIRE_BUILTIN
#define QUIRE_MODULE_SYMBOL(ops_) ops_##_module
#else
#define QUIRE_MODULE_SYMBOL(ops_) quire_module
#endif

#define QUIRE_MODULE_EXPORT(kind_, ops_)                                                           \
	__attribute__((visibility(                                                                 \
		"default"))) extern const struct quire_module QUIRE_MODULE_SYMBOL(ops_);           \
	const struct quire_module QUIRE_MODULE_SYMBOL(ops_) = {QUIRE_ABI, kind_,                   \
							       (uint32_t)sizeof(ops_), &ops_}

#define QUIRE_SCHED_MODULE(ops_) QUIRE_MODULE_EXPORT(QUIRE_SCHED, ops_)
#define QUIRE_KV_MODULE(ops_)	 QUIRE_MODULE_EXPORT(QUIRE_KV, ops_)

#ifdef __cplusplus
}
#endif
#endif /* QUIRE_PLUGIN_H */
