/*
 * emulator.cpp - see emulator.h.
 */
#undef _FORTIFY_SOURCE /* it takes a jump to another stack for a fault */
#include "emulator.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <setjmp.h>
#include <ucontext.h>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif
#ifdef ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define LANES	     32u
#define THREADS_MAX  1024u
#define STACK_BYTES  ((size_t)256 << 10)
#define SHARED_BYTES ((size_t)227 << 10)

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

struct copy {
	void *to;
	const void *from;
	unsigned group;
};

struct context {
	ucontext_t first;
	jmp_buf later;
};

struct fiber {
	struct context context;
	std::unique_ptr<char[]> stack;
	void *asan_stack; /* AddressSanitizer's own, while this one does not run */
	bool entered, done, waited;
	const unsigned *counter;     /* it waits while this is ... */
	unsigned is;		     /* ... so; NULL: it does not wait */
	unsigned meetings, barriers; /* that it came to */
	unsigned groups;	     /* of copies, committed */
	std::vector<copy> copies;    /* not yet made */
};

struct warp {
	unsigned meetings; /* that are over */
	unsigned here;
	const char *what;
	struct emulator_lane lanes[2][LANES];
};

static struct {
	struct context context; /* of the scheduler */
	void *asan_stack;
	const void *asan_bottom;
	size_t asan_bytes;
	std::vector<fiber> fibers;
	warp warps[THREADS_MAX / LANES];
	unsigned threads, left, current;
	unsigned barriers, here; /* barriers that are over; threads at the next one */
	bool moved;		 /* since the last look: no deadlock */
	const std::function<void()> *body;
	unsigned char *shared;
	int order; /* 0 forward, 1 backward, else a seed */
	bool early;
	std::mt19937 random;
} e;

static void fail(const char *what, const char *name = "")
{
	fprintf(stderr, "emulator: block (%u, %u, %u) thread %u: %s%s\n", blockIdx.x, blockIdx.y,
		blockIdx.z, e.current, what, name);
	abort();
}

/* ---- fibers ---- */

/*
 * From one context to another that has been entered before.  swapcontext() asks the system
 * for the signal mask each time; but AddressSanitizer follows it alone.
 */
static void leave(context *from, context *to)
{
#ifdef ASAN
	swapcontext(&from->first, &to->first);
#else
	if (!_setjmp(from->later))
		_longjmp(to->later, 1);
#endif
}

static void to_scheduler(fiber *f)
{
#ifdef ASAN
	__sanitizer_start_switch_fiber(&f->asan_stack, e.asan_bottom, e.asan_bytes);
#endif
	leave(&f->context, &e.context);
#ifdef ASAN
	__sanitizer_finish_switch_fiber(f->asan_stack, &e.asan_bottom, &e.asan_bytes);
#endif
}

/* A fiber is a thread of each block in turn. */
static void start()
{
#ifdef ASAN
	__sanitizer_finish_switch_fiber(NULL, &e.asan_bottom, &e.asan_bytes);
#endif
	for (;;) {
		fiber *f = &e.fibers[e.current];

		(*e.body)();
		if (!f->waited)
			fail("has not waited for the kernel in front");
		f->done = true;
		e.moved = true;
		to_scheduler(f);
	}
}

static void enter(fiber *f)
{
	f->entered = true;
	getcontext(&f->context.first);
	f->context.first.uc_stack.ss_sp = f->stack.get();
	f->context.first.uc_stack.ss_size = STACK_BYTES;
	f->context.first.uc_link = NULL;
	makecontext(&f->context.first, start, 0);
#ifdef ASAN
	swapcontext(&e.context.first, &f->context.first);
	f->context.first.uc_stack.ss_size = 0; /* or ASan clears all of it at each switch */
#else
	if (!_setjmp(e.context.later))
		setcontext(&f->context.first);
#endif
}

static void run(unsigned thread)
{
	fiber *f = &e.fibers[thread];

	e.current = thread;
	threadIdx = {thread, 0, 0};
#ifdef ASAN
	__sanitizer_start_switch_fiber(&e.asan_stack, f->stack.get(), STACK_BYTES);
#endif
	if (f->entered)
		leave(&e.context, &f->context);
	else
		enter(f);
#ifdef ASAN
	__sanitizer_finish_switch_fiber(e.asan_stack, NULL, NULL);
#endif
}

static void wait_while(const unsigned *counter, unsigned is)
{
	fiber *f = &e.fibers[e.current];

	f->counter = counter;
	f->is = is;
	if (*counter == is)
		to_scheduler(f);
}

static bool waits(const fiber *f)
{
	return f->done || (f->counter && *f->counter == f->is);
}

const struct emulator_lane *emulator_meet(const char *what, const struct emulator_lane *mine)
{
	fiber *f = &e.fibers[e.current];
	warp *w = &e.warps[e.current / LANES];
	const unsigned meeting = f->meetings++;
	struct emulator_lane *lanes = w->lanes[meeting % 2];

	if (w->here && w->what != what && strcmp(w->what, what) != 0)
		fail("others of its warp came to another ", what);
	w->what = what;
	lanes[e.current % LANES] = *mine;
	if (++w->here == LANES) {
		w->here = 0;
		w->meetings++;
		e.moved = true;
	}
	wait_while(&w->meetings, meeting);
	return lanes;
}

void emulator_barrier()
{
	const unsigned barrier = e.fibers[e.current].barriers++;

	if (++e.here == e.threads) {
		e.here = 0;
		e.barriers++;
		e.moved = true;
	}
	wait_while(&e.barriers, barrier);
}

void emulator_grid_wait()
{
	e.fibers[e.current].waited = true;
}

/* ---- asynchronous copies ---- */

static void make_copies(fiber *f, unsigned before)
{
	size_t kept = 0;

	for (const copy &c : f->copies)
		if (c.group < before)
			memcpy(c.to, c.from, 16);
		else
			f->copies[kept++] = c;
	f->copies.resize(kept);
}

void emulator_copy(void *to, const void *from)
{
	fiber *f = &e.fibers[e.current];

	if ((uintptr_t)to % 16 || (uintptr_t)from % 16)
		fail("an asynchronous copy at an odd address");
	f->copies.push_back({to, from, f->groups});
	if (e.early)
		make_copies(f, UINT32_MAX);
}

void emulator_commit()
{
	e.fibers[e.current].groups++;
}

void emulator_wait(unsigned pending)
{
	fiber *f = &e.fibers[e.current];

	make_copies(f, f->groups > pending ? f->groups - pending : 0);
}

/* ---- tensor cores ---- */

static float half_of(uint64_t pair, unsigned high)
{
	return __uint_as_float(high ? (uint32_t)pair & 0xffff0000u : (uint32_t)pair << 16);
}

static void load(uint32_t out[4], const void *row, bool transposed)
{
	const unsigned g = emulator_lane_id() / 4, t = emulator_lane_id() % 4;
	struct emulator_lane mine = {{(uint64_t)(uintptr_t)row}};
	const struct emulator_lane *all;

	if ((uintptr_t)row % 16)
		fail("ldmatrix at an odd address");
	all = emulator_meet("ldmatrix", &mine);
	for (unsigned m = 0; m < 4; m++) {
		uint16_t low, high;

		if (transposed) {
			low = ((const uint16_t *)all[m * 8 + 2 * t].data[0])[g];
			high = ((const uint16_t *)all[m * 8 + 2 * t + 1].data[0])[g];
		} else {
			low = ((const uint16_t *)all[m * 8 + g].data[0])[2 * t];
			high = ((const uint16_t *)all[m * 8 + g].data[0])[2 * t + 1];
		}
		out[m] = (uint32_t)high << 16 | low;
	}
	/* A row may be written again only when all lanes have read it. */
	emulator_from("ldmatrix, done", 0, 0);
}

void load_matrices(uint32_t out[4], const void *row)
{
	load(out, row, false);
}

void load_matrices_transposed(uint32_t out[4], const void *row)
{
	load(out, row, true);
}

void mma(float c[4], const uint32_t a[4], uint32_t b0, uint32_t b1)
{
	const unsigned g = emulator_lane_id() / 4, t = emulator_lane_id() % 4;
	struct emulator_lane mine = {{a[0] | (uint64_t)a[1] << 32, a[2] | (uint64_t)a[3] << 32,
				      b0 | (uint64_t)b1 << 32}};
	const struct emulator_lane *all = emulator_meet("mma", &mine);

	for (unsigned i = 0; i < 4; i++) {
		const unsigned below = i / 2, n = 2 * t + i % 2;
		float sum = c[i];

		for (unsigned k = 0; k < 16; k++) {
			const unsigned at = k % 8 / 2, far = k / 8;
			const uint64_t as = all[4 * g + at].data[far] >> 32 * below;
			const uint64_t bs = all[4 * n + at].data[2] >> 32 * far;

			sum += half_of(as, k % 2) * half_of(bs, k % 2);
		}
		c[i] = sum;
	}
}

uint32_t bf16_pack(float low, float high)
{
	uint32_t half[2];
	const float value[2] = {low, high};

	for (int i = 0; i < 2; i++) {
		const uint32_t bits = __float_as_uint(value[i]);

		half[i] = std::isnan(value[i]) ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
	}
	return half[1] << 16 | half[0];
}

/* ---- launches ---- */

unsigned char *emulator_shared()
{
	return e.shared;
}

static void prepare()
{
	const char *order = getenv("QUIRE_EMULATOR_ORDER");

	if (e.shared)
		return;
	e.shared = (unsigned char *)aligned_alloc(128, SHARED_BYTES);
	e.order = !order || !strcmp(order, "forward") ? 0
		  : !strcmp(order, "backward")	      ? 1
						      : atoi(order);
	e.early = emulator_asked("QUIRE_EMULATOR_COPIES", "early");
	e.random.seed((unsigned)e.order);
	e.fibers.resize(THREADS_MAX);
	for (fiber &f : e.fibers)
		f.stack.reset(new char[STACK_BYTES]);
}

/* 0 .. count - 1 in the order that was asked for. */
static void arrange(std::vector<unsigned> *order, size_t count)
{
	order->resize(count);
	std::iota(order->begin(), order->end(), 0u);
	if (e.order == 1)
		std::reverse(order->begin(), order->end());
	else if (e.order)
		std::shuffle(order->begin(), order->end(), e.random);
}

static void make_ready(fiber *f)
{
	f->done = f->waited = false;
	f->counter = NULL;
	f->meetings = f->barriers = f->groups = 0;
	f->copies.clear();
}

static void run_block()
{
	std::vector<unsigned> order;

	for (unsigned i = 0; i < e.threads; i++)
		make_ready(&e.fibers[i]);
	memset(e.warps, 0, sizeof(e.warps));
	e.barriers = e.here = 0;
	arrange(&order, e.threads);
	for (e.left = e.threads; e.left;) {
		e.moved = false;
		for (unsigned i : order) {
			if (waits(&e.fibers[i]))
				continue;
			run(i);
			e.left -= e.fibers[i].done;
		}
		if (!e.moved)
			fail("waits for ever, at a barrier or for others of its warp");
		if (e.order > 1)
			arrange(&order, e.threads);
	}
}

void emulator_run(dim3 grid, dim3 block, size_t shared_bytes, const std::function<void()> &thread)
{
	std::vector<unsigned> order;

	prepare();
	if (block.x > THREADS_MAX || block.x % LANES || block.y != 1 || block.z != 1 ||
	    shared_bytes > SHARED_BYTES || grid.y > 65535 || grid.z > 65535)
		fail("a launch that no GPU takes");
	blockDim = block;
	gridDim = grid;
	e.threads = block.x;
	e.body = &thread;
	arrange(&order, (size_t)grid.x * grid.y * grid.z);
	for (unsigned i : order) {
		blockIdx = {i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y};
		memset(e.shared, 0xff, shared_bytes);
#ifdef ASAN
		ASAN_POISON_MEMORY_REGION(e.shared + shared_bytes, SHARED_BYTES - shared_bytes);
#endif
		run_block();
#ifdef ASAN
		ASAN_UNPOISON_MEMORY_REGION(e.shared, SHARED_BYTES);
#endif
	}
}
