/*
 * panels.cpp - panels of matrices: barriers that wait for their copies, and products of
 * them; see emulator.h, and ptx.cuh for what these do.
 *
 * A copy is made when somebody waits for it, and then a product reads panels as soon as it
 * can, so that what was not waited for is not there; or a copy is made at once
 * ($QUIRE_EMULATOR_COPIES=early), and then a product reads panels as late as it can, so that
 * they are gone if somebody did not wait for it.  Sums are there after the wait, and NaN
 * before.
 */
#include "threads.h"

#define PANEL_COLUMNS 64u
#define ROW_BYTES     128u
#define CHUNK_BYTES   16u
#define CHUNK	      8u /* numbers */
#define DEPTH	      16u
#define WARPS	      4u
#define ALIGN	      1024u
#define ADDRESS_MASK  0x3fffull /* of what panel_columns() tells */
#define ADDRESS_KIND  (1ull << 16 | 64ull << 32 | 1ull << 62)

/* Chunk @c of row @r; eight rows are swizzled. */
static unsigned char *chunk_at(unsigned char *panel, uint32_t r, uint32_t c)
{
	return panel + r * ROW_BYTES + (c ^ (r & 7)) * CHUNK_BYTES;
}

/* ---- barriers ---- */

static panel_barrier *find_barrier(const char *what, const uint64_t *at)
{
	const thread *t = running();

	for (panel_barrier &b : t->block->panels.barriers) {
		if (b.at != at)
			continue;
		if (*at != (uintptr_t)&b)
			fault("something else was written where there is the barrier of ", what);
		if (b.maker != t->index && b.made == t->block->barrier.over)
			fault("no __syncthreads() between barrier_new and ", what);
		return &b;
	}
	fault("there is no such barrier: ", what);
}

static void look_if_complete(panel_barrier *b)
{
	if (!b->expected || b->bytes > 0)
		return;
	if (b->bytes < 0)
		fault("more bytes come to a barrier than it expects");
	b->expected = b->awaited = false;
	b->rounds++;
}

void barrier_new(uint64_t *barrier)
{
	const thread *t = running();
	auto &all = t->block->panels.barriers;

	for (const panel_barrier &b : all)
		if (b.at == barrier)
			fault("barrier_new where there is one");
	all.push_back({barrier, t->index, t->block->barrier.over, 0, false, false, 0});
	*barrier = (uintptr_t)&all.back();
}

void barrier_expect(uint64_t *barrier, uint32_t bytes)
{
	panel_barrier *b = find_barrier("barrier_expect", barrier);

	if (b->expected)
		fault("barrier_expect, but this round's bytes were told");
	b->expected = true;
	b->bytes += bytes;
	look_if_complete(b);
}

/* ---- copies ---- */

cudaError_t panels_of(CUtensorMap *matrix, const uint16_t *data, uint64_t rows, uint32_t columns,
		      uint32_t panel_rows)
{
	if (!data || (uintptr_t)data % CHUNK_BYTES || !rows || rows > 1ull << 32 || !columns ||
	    columns % CHUNK || !panel_rows || panel_rows > 256)
		return cudaErrorInvalidValue;
	*matrix = {data, rows, columns, panel_rows};
	return cudaSuccess;
}

static void make_copy(const panel_copy &copy)
{
	const CUtensorMap *m = copy.matrix;

	for (uint32_t r = 0; r < m->panel_rows; r++)
		for (uint32_t c = 0; c < PANEL_COLUMNS / CHUNK; c++) {
			const uint64_t row = (uint64_t)copy.row + r;
			const uint64_t column = (uint64_t)copy.column + c * CHUNK;
			unsigned char *to = chunk_at(copy.to, r, c);

			if (row < m->rows && column < m->columns)
				memcpy(to, m->data + row * m->columns + column, CHUNK_BYTES);
			else
				memset(to, 0, CHUNK_BYTES);
		}
	copy.barrier->bytes -= m->panel_rows * ROW_BYTES;
	look_if_complete(copy.barrier);
}

/* Those that @b waits for, if somebody waits for it, or at once. */
static void make_copies(panel_barrier *b)
{
	auto &copies = running()->block->panels.copies;
	size_t kept = 0;

	for (const panel_copy &copy : copies)
		if (copy.barrier == b && (b->awaited || copies_are_early()))
			make_copy(copy);
		else
			copies[kept++] = copy;
	copies.resize(kept);
}

void copy_panel(void *shared, const CUtensorMap *matrix, uint32_t row, uint32_t column,
		uint64_t *barrier)
{
	panel_barrier *b = find_barrier("copy_panel", barrier);
	const uint32_t address = shared_address(shared);

	if (address % ALIGN)
		fault("copy_panel to an address that is not a multiple of 1,024");
	running()->block->panels.copies.push_back(
		{shared_at("copy_panel", address, matrix->panel_rows * ROW_BYTES), matrix, row,
		 column, b});
	make_copies(b);
}

void barrier_wait(uint64_t *barrier, uint32_t round)
{
	panel_barrier *b = find_barrier("barrier_wait", barrier);
	const unsigned rounds = b->rounds;

	if (round > 1)
		fault("barrier_wait for a round that is not 0 or 1");
	if (rounds % 2 != round)
		return; /* the last one was this one */
	b->awaited = true;
	make_copies(b);
	wait_while(&b->rounds, rounds, "barrier_wait");
}

/* ---- products ---- */

uint64_t panel_columns(const void *shared)
{
	return (shared_address(shared) >> 4 & ADDRESS_MASK) | ADDRESS_KIND;
}

/* Columns of @rows of a panel. */
struct columns {
	unsigned char *panel;
	uint32_t chunk;
};

static columns columns_of(uint64_t told, uint32_t rows)
{
	const uint32_t address = (uint32_t)(told & ADDRESS_MASK) << 4, column = address % ALIGN;

	if ((told & ~ADDRESS_MASK) != ADDRESS_KIND || column >= ROW_BYTES ||
	    column % (DEPTH * sizeof(uint16_t)))
		fault("panel_mma of what are not 16 columns of a panel");
	return {shared_at("panel_mma", address - column, rows * ROW_BYTES), column / CHUNK_BYTES};
}

static void load_row(float out[DEPTH], const columns &from, uint32_t r)
{
	for (uint32_t i = 0; i < DEPTH; i++) {
		const unsigned char *chunk = chunk_at(from.panel, r, from.chunk + i / CHUNK);

		out[i] = __uint_as_float((uint32_t)((const uint16_t *)chunk)[i % CHUNK] << 16);
	}
}

static panel_sums *sums_of(thread_panels *own, const float *c)
{
	for (panel_sums &s : own->sums)
		if (s.c == c)
			return &s;
	return NULL;
}

/* The share of the thread that runs. */
static void multiply(const panel_product &p)
{
	const uint32_t index = running()->index, warp = index / LANES, lane = index % LANES;
	const columns a = columns_of(p.a, WARPS * 16), b = columns_of(p.b, p.outputs);
	float *sums = sums_of(&running()->panels, p.c)->sums;
	float left[2][DEPTH], right[DEPTH];

	for (uint32_t h = 0; h < 2; h++)
		load_row(left[h], a, warp * 16 + h * 8 + lane / 4);
	for (uint32_t n = 0; n < p.outputs / 4; n++) {
		load_row(right, b, n / 2 * 8 + lane % 4 * 2 + n % 2);
		for (uint32_t h = 0; h < 2; h++) {
			float *sum = sums + n / 2 * 4 + h * 2 + n % 2;

			if (p.anew)
				*sum = 0;
			for (uint32_t k = 0; k < DEPTH; k++)
				*sum += left[h][k] * right[k];
		}
	}
}

void panel_mma_begin()
{
	running()->panels.begun = true;
}

/* All threads of the block come to the same products; but warps need not wait for each other. */
static void compare_with_others(const panel_product &mine)
{
	thread_panels *own = &running()->panels;
	block_panels *all = &running()->block->panels;

	if (own->came == all->products.size())
		all->products.push_back(mine);

	const panel_product &p = all->products[own->came++];

	all->came++;
	if (p.outputs != mine.outputs || p.a != mine.a || p.b != mine.b || p.anew != mine.anew ||
	    p.group != mine.group)
		fault("others of its block came to another panel_mma");
}

void emulator_panel_mma(float *c, unsigned outputs, uint64_t a, uint64_t b, bool anew)
{
	thread_panels *own = &running()->panels;
	const panel_product product = {c, outputs, a, b, anew, own->groups};
	panel_sums *sums = sums_of(own, c);

	if (!own->begun)
		fault("panel_mma without panel_mma_begin");
	if (blockDim.x != WARPS * LANES)
		fault("panel_mma in a block that has not four warps");
	compare_with_others(product);
	if (!sums) {
		own->sums.push_back({c, outputs / 2, 0, {}});
		sums = &own->sums.back();
		memcpy(sums->sums, c, sums->count * sizeof(*c));
		std::fill(c, c + sums->count, NAN);
	}
	sums->group = own->groups;
	if (copies_are_early())
		own->products.push_back(product);
	else
		multiply(product);
}

void panel_mma_commit()
{
	running()->panels.begun = false;
	running()->panels.groups++;
}

void emulator_panel_mma_wait(unsigned pending)
{
	thread_panels *own = &running()->panels;
	const unsigned done = own->groups > pending ? own->groups - pending : 0;
	size_t kept = 0;

	for (const panel_product &p : own->products)
		if (p.group < done)
			multiply(p);
		else
			own->products[kept++] = p;
	own->products.resize(kept);
	kept = 0;
	for (const panel_sums &s : own->sums)
		if (s.group < done)
			memcpy(s.c, s.sums, s.count * sizeof(*s.c));
		else
			own->sums[kept++] = s;
	own->sums.resize(kept);
	emulator_from("panel_mma_wait", 0, 0);
}

/* ---- at the end ---- */

void panels_end(const block *b)
{
	if (!b->panels.copies.empty())
		fault("the block ends, but a copy_panel was not waited for");
	if (b->panels.came != b->panels.products.size() * blockDim.x)
		fault("the block ends, but not all of it came to each panel_mma");
}
