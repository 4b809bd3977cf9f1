/*
 * fiber.h - functions that are left in their middle and gone on with later, each on a stack
 * of its own.  emulator.cpp alone includes it.
 */
#ifndef QUIRE_EMULATOR_FIBER_H
#define QUIRE_EMULATOR_FIBER_H

#include <memory>
#include <setjmp.h>
#include <ucontext.h>

struct context {
	ucontext_t first; /* how it is entered */
	jmp_buf later;
};

struct fiber { /* may not be moved */
	struct context context;
	std::unique_ptr<char[]> stack; /* taken at the first run */
	void (*body)();		       /* may not return */
	void *asan_stack;	       /* AddressSanitizer's own, while this one does not run */
};

/* Begin or go on with @f, until it leaves. */
void fiber_run(struct fiber *f);
/* From within @f, which runs: back to who runs it. */
void fiber_leave(struct fiber *f);

#endif /* QUIRE_EMULATOR_FIBER_H */
