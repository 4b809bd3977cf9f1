/*
 * threads.h - blocks and threads, as emulator.cpp and panels.cpp know them; nobody else
 * includes it.
 */
#ifndef QUIRE_EMULATOR_THREADS_H
#define QUIRE_EMULATOR_THREADS_H

#include "emulator.h"

#include "fiber.h"

#include <deque>
#include <memory>
#include <vector>

#define LANES	     32u
#define SHARED_BYTES ((size_t)227 << 10)

struct copy { /* of 16 bytes */
	void *to;
	const void *from;
	unsigned group;
};

struct barrier {
	unsigned here; /* at the next one */
	unsigned over; /* barriers */
};

struct warp {
	struct barrier meeting;
	const char *what;
	struct emulator_lane lanes[2][LANES];
};

/* Aligned by 128 bytes and no more: a kernel that needs more has to see to it. */
struct alignas(1024) memory {
	unsigned char odd[128];
	unsigned char bytes[SHARED_BYTES];
};

/* ---- of panels.cpp ---- */

struct panel_barrier {
	uint64_t *at;
	unsigned maker, made;	/* a thread; after so many __syncthreads() */
	unsigned rounds;	/* that are complete */
	bool expected, awaited; /* this round: its bytes are told; somebody waits for it */
	int64_t bytes;		/* still to come; below 0: that came and are not expected yet */
};

struct panel_copy {
	unsigned char *to;
	const CUtensorMap *matrix;
	uint32_t row, column;
	struct panel_barrier *barrier;
};

struct panel_product {
	float *c;
	unsigned outputs;
	uint64_t a, b;
	bool anew;
	unsigned group;
};

struct panel_sums { /* what is in @c when its products are done; until then it is NaN */
	float *c;
	unsigned count; /* numbers */
	unsigned group; /* of the last product */
	float sums[20];
};

struct block_panels {
	std::deque<panel_barrier> barriers;
	std::vector<panel_copy> copies;	     /* not yet made */
	std::vector<panel_product> products; /* all that there were, as one thread gave them */
	size_t came;			     /* threads, to all of these */
};

struct thread_panels {
	bool begun;
	unsigned groups;		     /* of products, committed */
	size_t came;			     /* products */
	std::vector<panel_product> products; /* not yet multiplied */
	std::vector<panel_sums> sums;	     /* not yet in registers */
};

/* ---- of emulator.cpp ---- */

struct block {
	uint3 index; /* blockIdx */
	std::unique_ptr<memory> shared;
	struct barrier barrier; /* __syncthreads() */
	std::vector<warp> warps;
	unsigned left; /* threads that have not ended */
	bool begun;
	struct block_panels panels;
};

struct thread { /* of one block after another */
	struct fiber fiber;
	struct block *block;
	unsigned index; /* threadIdx.x */
	bool done, waited;
	bool arrived, aside;	 /* at the cluster's barrier; waits there, but needs not */
	const unsigned *counter; /* it waits while this is ... */
	unsigned is;		 /* ... so; NULL: it does not wait */
	const char *what;	 /* it waits at */
	unsigned meetings, barriers, clusters; /* that it came to */
	unsigned groups;		       /* of copies, committed */
	std::vector<copy> copies;	       /* not yet made */
	struct thread_panels panels;
};

/* ---- emulator.cpp ---- */

/* Who runs. */
struct thread *running();
/* Are asynchronous copies made at once, not as late as can be? */
bool copies_are_early();
/* The thread that runs goes on when *@counter, which only grows, is no more what it @is. */
void wait_while(const unsigned *counter, unsigned is, const char *what);
/* @bytes of its own shared memory, from where shared_address() is @address. */
unsigned char *shared_at(const char *what, uint32_t address, size_t bytes);
/* End the program, with the thread that runs. */
[[noreturn]] void fault(const char *what, const char *name = "");

/* ---- panels.cpp ---- */

/* All threads of a block have ended: is there something that they did not wait for? */
void panels_end(const struct block *block);

#endif /* QUIRE_EMULATOR_THREADS_H */
