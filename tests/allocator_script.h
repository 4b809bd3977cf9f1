/*
 * allocator_script.h - random lists of operations, and the least of those that fail.
 *
 * A script runs in a child process, so that a crash or an endless loop is a
 * failure like any other and can be shrunk like any other.
 */
#ifndef QUIRE_TESTS_ALLOCATOR_SCRIPT_H
#define QUIRE_TESTS_ALLOCATOR_SCRIPT_H

#include "allocator_twin.h"

#define SCRIPT_OPS 400

struct script {
	uint64_t seed;
	struct model_setup setup;
	uint32_t count;
	struct twin_op op[SCRIPT_OPS];
};

/* @policy is complete but for its pool, which is about 12 blocks, or 12 to 48 slots. */
void script_random(struct script *s, const struct model_setup *policy, uint64_t seed);
/* Run it here.  Return: whether all was well.  @counts is added to. */
bool script_run(const struct script *s, struct twin_counts *counts, FILE *trace);
/* Run it in a child.  Return: whether all was well. */
bool script_try(const struct script *s, FILE *trace);
/* Drop operations, and make their numbers smaller, as long as it fails. */
void script_shrink(struct script *s);

#endif /* QUIRE_TESTS_ALLOCATOR_SCRIPT_H */
