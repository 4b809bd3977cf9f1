/*
 * emulator.cpp - see emulator.h.
 */
#include "emulator.h"

#include "asan.h"
#include "threads.h"

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>

#define THREADS_MAX 1024u
#define ADDRESS_ODD (uint32_t) offsetof(memory, bytes) /* shared_address() of the first byte */

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

/*
 * The blocks of a cluster live at one time; block b has the threads from b blockDim.x on.
 * What was taken for the largest cluster is kept, and stays where it is.
 */
static struct {
	std::deque<thread> threads;
	std::deque<block> blocks;
	thread *me;	/* who runs */
	unsigned ranks; /* blocks of a cluster */
	struct barrier cluster;
	size_t shared_bytes; /* that a block asked for */
	const std::function<void()> *body;
	bool prepared;
	int order; /* 0 forward, 1 backward, else a seed */
	bool early;
	std::mt19937 random;
} e;

void fault(const char *what, const char *name)
{
	fprintf(stderr, "emulator: block (%u, %u, %u) thread %u: %s%s\n", blockIdx.x, blockIdx.y,
		blockIdx.z, threadIdx.x, what, name);
	abort();
}

/* ---- threads ---- */

thread *running()
{
	return e.me;
}

bool copies_are_early()
{
	return e.early;
}

/* From here on it is @t of which the kernel's variables tell. */
static void become(thread *t)
{
	e.me = t;
	threadIdx = {t->index, 0, 0};
	blockIdx = t->block->index;
}

static void live()
{
	for (;;) {
		(*e.body)();
		if (!e.me->waited)
			fault("has not waited for the kernel in front");
		if (!e.me->panels.sums.empty())
			fault("ends, but has not waited for a panel_mma");
		e.me->done = true;
		fiber_leave(&e.me->fiber);
	}
}

static bool waits(const thread *t)
{
	return t->done || (t->counter && *t->counter == t->is);
}

/* The thread that runs is one of @all that have to come to @b ... */
static inline void arrive(barrier *b, unsigned all)
{
	if (++b->here < all)
		return;
	b->here = 0;
	b->over++;
}

/* ... and here it waits for the others. */
void wait_while(const unsigned *counter, unsigned is, const char *what)
{
	thread *t = e.me;

	t->counter = counter;
	t->is = is;
	t->what = what;
	if (waits(t))
		fiber_leave(&t->fiber);
}

const struct emulator_lane *emulator_meet(const char *what, const struct emulator_lane *mine)
{
	thread *t = e.me;
	warp *w = &t->block->warps[t->index / LANES];
	struct emulator_lane *lanes = w->lanes[t->meetings % 2];

	if (w->meeting.here && w->what != what && strcmp(w->what, what) != 0)
		fault("others of its warp came to another ", what);
	w->what = what;
	lanes[t->index % LANES] = *mine;
	arrive(&w->meeting, LANES);
	wait_while(&w->meeting.over, t->meetings++, what);
	return lanes;
}

void emulator_barrier()
{
	barrier *b = &e.me->block->barrier;

	arrive(b, blockDim.x);
	wait_while(&b->over, e.me->barriers++, "__syncthreads");
}

/* What a thread does between its arrival and its wait is done as late as can be, when all
 * have arrived or nobody else can go on; or at once. */
void emulator_cluster_arrive()
{
	thread *t = e.me;

	if (t->arrived)
		fault("cluster_arrive, but it has not waited since the last");
	t->arrived = true;
	arrive(&e.cluster, e.ranks * blockDim.x);
	if (e.early)
		return;
	t->aside = true;
	wait_while(&e.cluster.over, t->clusters, "cluster_arrive");
	t->aside = false;
}

void emulator_cluster_wait()
{
	thread *t = e.me;

	if (!t->arrived)
		fault("cluster_wait, but it has not arrived");
	t->arrived = false;
	wait_while(&e.cluster.over, t->clusters++, "cluster_wait");
}

void emulator_grid_wait()
{
	e.me->waited = true;
}

/* ---- shared memory ---- */

/* A block has it from its first thread's beginning to its last thread's end; whoever
 * reads it or writes to it at another time finds NaN, or loses what was written. */
static void take_shared(block *b)
{
	ASAN_UNPOISON_MEMORY_REGION(b->shared->bytes, e.shared_bytes);
	memset(b->shared->bytes, 0xff, e.shared_bytes);
}

static void give_back_shared(block *b)
{
	memset(b->shared->bytes, 0xff, e.shared_bytes);
	ASAN_POISON_MEMORY_REGION(b->shared->bytes, SHARED_BYTES);
}

static size_t offset_in(const block *b, const void *at)
{
	return (uintptr_t)at - (uintptr_t)b->shared->bytes;
}

unsigned char *emulator_shared()
{
	return e.me->block->shared->bytes;
}

uint32_t emulator_shared_address(const void *mine)
{
	const size_t offset = offset_in(e.me->block, mine);

	if (offset > e.shared_bytes)
		fault("shared_address() of what is not its own shared memory");
	return ADDRESS_ODD + (uint32_t)offset;
}

unsigned char *shared_at(const char *what, uint32_t address, size_t bytes)
{
	const size_t offset = (size_t)address - ADDRESS_ODD;

	if (address < ADDRESS_ODD || offset + bytes > e.shared_bytes)
		fault("what is not all its own shared memory is given to ", what);
	return e.me->block->shared->bytes + offset;
}

void *emulator_cluster_shared(const void *mine, unsigned rank)
{
	const size_t offset = offset_in(e.me->block, mine);

	if (offset >= e.shared_bytes)
		fault("cluster_shared() of what is not its own shared memory");
	if (rank >= e.ranks)
		fault("cluster_shared() of a rank that the cluster does not have");
	return e.blocks[rank].shared->bytes + offset;
}

void emulator_own(const char *what, const void *at)
{
	if ((uintptr_t)at % 16)
		fault("an odd address is given to ", what);
	for (unsigned rank = 0; rank < e.ranks; rank++)
		if (&e.blocks[rank] != e.me->block && offset_in(&e.blocks[rank], at) < SHARED_BYTES)
			fault("another block's shared memory is given to ", what);
}

/* ---- asynchronous copies ---- */

static void make_copies(thread *t, unsigned before)
{
	size_t kept = 0;

	for (const copy &c : t->copies)
		if (c.group < before)
			memcpy(c.to, c.from, 16);
		else
			t->copies[kept++] = c;
	t->copies.resize(kept);
}

void emulator_copy(void *to, const void *from)
{
	thread *t = e.me;

	emulator_own("an asynchronous copy", to);
	emulator_own("an asynchronous copy", from);
	t->copies.push_back({to, from, t->groups});
	if (e.early)
		make_copies(t, UINT32_MAX);
}

void emulator_commit()
{
	e.me->groups++;
}

void emulator_wait(unsigned pending)
{
	thread *t = e.me;

	make_copies(t, t->groups > pending ? t->groups - pending : 0);
}

/* ---- launches ---- */

static void prepare()
{
	const char *order = getenv("QUIRE_EMULATOR_ORDER");

	if (e.prepared)
		return;
	e.prepared = true;
	e.order = !order || !strcmp(order, "forward") ? 0
		  : !strcmp(order, "backward")	      ? 1
						      : atoi(order);
	e.early = emulator_asked("QUIRE_EMULATOR_COPIES", "early");
	e.random.seed((unsigned)e.order);
}

/* Room for as many blocks and threads as live at one time. */
static void grow(size_t blocks, size_t threads)
{
	while (e.blocks.size() < blocks) {
		e.blocks.emplace_back();
		e.blocks.back().shared.reset(new memory);
		memset(e.blocks.back().shared->bytes, 0xff, SHARED_BYTES);
		ASAN_POISON_MEMORY_REGION(e.blocks.back().shared->bytes, SHARED_BYTES);
	}
	while (e.threads.size() < threads) {
		e.threads.emplace_back();
		e.threads.back().fiber.body = live;
	}
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

static void make_ready(unsigned rank, uint3 index)
{
	block *b = &e.blocks[rank];

	b->index = index;
	b->barrier = {};
	b->warps.resize(blockDim.x / LANES);
	for (warp &w : b->warps)
		w.meeting = {};
	b->left = blockDim.x;
	b->begun = false;
	b->panels = {};
	for (unsigned i = 0; i < blockDim.x; i++) {
		thread *t = &e.threads[rank * blockDim.x + i];

		t->block = b;
		t->index = i;
		t->done = t->waited = t->arrived = t->aside = false;
		t->counter = NULL;
		t->meetings = t->barriers = t->clusters = t->groups = 0;
		t->copies.clear();
		t->panels = {};
	}
}

/* Each thread of a block until it waits, once; was there one that did not wait? */
static bool run_round(unsigned rank)
{
	static std::vector<unsigned> order;
	block *b = &e.blocks[rank];
	bool ran = false;

	if (!b->begun)
		take_shared(b);
	b->begun = true;
	arrange(&order, blockDim.x);
	for (unsigned i : order) {
		thread *t = &e.threads[rank * blockDim.x + i];

		if (waits(t))
			continue;
		become(t);
		fiber_run(&t->fiber);
		ran = true;
		if (t->done && --b->left == 0) {
			panels_end(b);
			give_back_shared(b);
		}
	}
	return ran;
}

/* Nobody goes on: then those that stand aside do. */
static void call_back()
{
	bool called = false;

	for (thread &t : e.threads)
		if (t.aside) {
			t.counter = NULL;
			called = true;
		}
	if (called)
		return;
	for (thread &t : e.threads)
		if (!t.done) {
			become(&t);
			fault("waits for ever for others, at ", t.what);
		}
}

/*
 * Each block goes on for as long as it does not need another one: if blocks went side by
 * side, what one wrote before its last __syncthreads() would always be there for all.
 */
static void run_cluster()
{
	std::vector<unsigned> order;
	unsigned left;

	e.cluster = {};
	do {
		bool ran = false;

		left = 0;
		arrange(&order, e.ranks);
		for (unsigned rank : order) {
			while (e.blocks[rank].left && run_round(rank))
				ran = true;
			left += e.blocks[rank].left;
		}
		if (left && !ran)
			call_back();
	} while (left);
}

void emulator_run(dim3 grid, dim3 block, unsigned ranks, size_t shared_bytes,
		  const std::function<void()> &body)
{
	std::vector<unsigned> order;

	prepare();
	if (block.x > THREADS_MAX || block.x % LANES || block.y != 1 || block.z != 1 ||
	    shared_bytes > SHARED_BYTES || grid.y > 65535 || grid.z > 65535)
		fault("a launch that no GPU takes");
	blockDim = block;
	gridDim = grid;
	e.ranks = ranks;
	e.shared_bytes = shared_bytes;
	e.body = &body;
	grow(ranks, (size_t)ranks * block.x);
	arrange(&order, (size_t)grid.x / ranks * grid.y * grid.z);
	for (unsigned i : order) {
		const unsigned clusters = grid.x / ranks;

		for (unsigned rank = 0; rank < ranks; rank++)
			make_ready(rank, {i % clusters * ranks + rank, i / clusters % grid.y,
					  i / clusters / grid.y});
		run_cluster();
	}
}
