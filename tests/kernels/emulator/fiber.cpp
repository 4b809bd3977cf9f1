/*
 * fiber.cpp - see fiber.h.
 */
#undef _FORTIFY_SOURCE /* it takes a jump to another stack for a fault */
#include "fiber.h"

#include "asan.h"

#define STACK_BYTES ((size_t)256 << 10)

static struct { /* who runs the fibers */
	struct context context;
	struct fiber *beginning;
	void *asan_stack;
	const void *asan_bottom;
	size_t asan_bytes;
} r;

/*
 * From one context to another that was entered before: by a jump, as swapcontext() asks
 * the system for the signal mask each time; but AddressSanitizer follows that one alone.
 * A macro, because a processor expects no return on another stack: each one costs.
 */
#ifdef ASAN
#define SWITCH(from, to) swapcontext(&(from)->first, &(to)->first)
#else
#define SWITCH(from, to)                                                                           \
	do {                                                                                       \
		if (!_setjmp((from)->later))                                                       \
			_longjmp((to)->later, 1);                                                  \
	} while (0)
#endif

void fiber_leave(fiber *f)
{
#ifdef ASAN
	__sanitizer_start_switch_fiber(&f->asan_stack, r.asan_bottom, r.asan_bytes);
#endif
	SWITCH(&f->context, &r.context);
#ifdef ASAN
	__sanitizer_finish_switch_fiber(f->asan_stack, &r.asan_bottom, &r.asan_bytes);
#endif
}

static void start()
{
#ifdef ASAN
	__sanitizer_finish_switch_fiber(NULL, &r.asan_bottom, &r.asan_bytes);
#endif
	r.beginning->body();
}

static void enter(fiber *f)
{
	r.beginning = f;
	getcontext(&f->context.first);
	f->context.first.uc_stack.ss_sp = f->stack.get();
	f->context.first.uc_stack.ss_size = STACK_BYTES;
	f->context.first.uc_link = NULL;
	makecontext(&f->context.first, start, 0);
#ifdef ASAN
	swapcontext(&r.context.first, &f->context.first);
	f->context.first.uc_stack.ss_size = 0; /* or ASan clears all of it at each switch */
#else
	if (!_setjmp(r.context.later))
		setcontext(&f->context.first);
#endif
}

void fiber_run(fiber *f)
{
	const bool entered = f->stack != NULL;

	if (!entered)
		f->stack.reset(new char[STACK_BYTES]);
#ifdef ASAN
	__sanitizer_start_switch_fiber(&r.asan_stack, f->stack.get(), STACK_BYTES);
#endif
	if (entered)
		SWITCH(&r.context, &f->context);
	else
		enter(f);
#ifdef ASAN
	__sanitizer_finish_switch_fiber(r.asan_stack, NULL, NULL);
#endif
}
