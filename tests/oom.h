/*
 * oom.h - the n-th allocation fails.
 *
 * What fails is what quire's own objects ask of the C library and of zlib and zstd
 * (the linker's --wrap, see CMakeLists.txt), and all that jansson allocates on their
 * behalf; but jansson's parser fails as a whole or not at all, because an assertion in
 * it does not expect otherwise.  What the C library, cairo and fontconfig take for
 * themselves does not fail, nor do files in /proc: how often a run is looked at there is
 * a matter of time.
 *
 * A process that called oom_begin() and its children count together.  Its parent does
 * not: what a test and Check allocate meanwhile is left alone.
 */
#ifndef QUIRE_TESTS_OOM_H
#define QUIRE_TESTS_OOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { OOM_CALLERS = 12 };

/* Of one run, seen by all its processes. */
struct oom {
	atomic_ulong count;    /* allocations since it began */
	unsigned long fail_at; /* the one that fails, from 1; 0: none */
	atomic_bool hit;
	uint32_t left; /* blocks and streams that were not given back; see oom_end() */
	int callers;
	void *caller[OOM_CALLERS]; /* of the one that failed; see backtrace() */
};

extern struct oom *oom; /* NULL: not made yet */

/* Make it, once and before all children. */
void oom_make(void);

/* From here the @n-th allocation fails; 0: none does.  In the process that asks, and in
 * those that it starts. */
void oom_begin(unsigned long n);

/* Stop, and count what this process did not give back. */
void oom_end(void);

#endif /* QUIRE_TESTS_OOM_H */
