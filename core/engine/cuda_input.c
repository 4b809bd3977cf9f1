/*
 * cuda_input.c - a batch as arrays on the device; see cuda.h.
 *
 * A row that is padding, to make the step a rectangle or to fill a graph, has no slot;
 * the former still looks at its sequence, as an item of one row.
 */
#include "cuda.h"

#include <errno.h>
#include <string.h>

#define ALIGN 64u

static size_t aligned(size_t bytes)
{
	return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static unsigned char *carve(unsigned char **at, size_t bytes)
{
	unsigned char *here = *at;

	*at += aligned(bytes);
	return here;
}

/* All but the maps. */
static size_t bytes_of(const struct cuda_shape *shape)
{
	return aligned(4 * sizeof(uint32_t)) + aligned(shape->rows * sizeof(struct quire_dev_row)) +
	       aligned(shape->items * sizeof(struct quire_dev_item)) +
	       aligned(shape->few * sizeof(struct quire_dev_work)) +
	       aligned(shape->many * sizeof(struct quire_dev_work)) +
	       aligned(shape->wanted * sizeof(uint32_t));
}

void cuda_input_at(unsigned char *base, const struct cuda_shape *shape, struct cuda_input *input)
{
	unsigned char *at = base;

	input->counts = (void *)carve(&at, 4 * sizeof(uint32_t));
	input->rows = (void *)carve(&at, shape->rows * sizeof(*input->rows));
	input->items = (void *)carve(&at, shape->items * sizeof(*input->items));
	input->few = (void *)carve(&at, shape->few * sizeof(*input->few));
	input->many = (void *)carve(&at, shape->many * sizeof(*input->many));
	input->wanted = (void *)carve(&at, shape->wanted * sizeof(*input->wanted));
	input->maps = (void *)at;
}

/* Room for the largest batch, with so many entries of maps. */
static int take_input(struct cuda *cuda, uint32_t maps_max)
{
	const struct cuda_shape largest = {
		.rows = cuda->rows_max,
		.items = cuda->rows_max,
		.few = cuda->limits.few_max,
		.many = cuda->limits.many_max,
		.wanted = cuda->rows_max,
	};
	int rc;

	cuda->maps_max = maps_max;
	cuda->input_bytes = bytes_of(&largest) + (size_t)maps_max * sizeof(uint32_t);
	rc = cuda_take(cuda, &cuda->input, cuda->input_bytes, "room for maps");
	if (rc == 0)
		rc = cuda_take_pinned(&cuda->host_input, cuda->input_bytes, "room for maps");
	return rc;
}

int cuda_input_open(struct cuda *cuda)
{
	const uint64_t most = (uint64_t)cuda->config->seqs_max * cuda->config->seq_tokens_max;
	uint64_t likely = (uint64_t)cuda->config->slots_total + cuda->config->seqs_max;

	return take_input(cuda, (uint32_t)(likely < most ? likely : most));
}

/* Sequences share so much that their maps are longer than the pool: a rare thing.  What
 * graphs have in their arguments moves, so they go. */
static int grow_input(struct cuda *cuda, uint32_t maps_max)
{
	cudaError_t error = cudaStreamSynchronize(cuda->stream);

	if (error != cudaSuccess)
		return cuda_error(error, "a step");
	cuda_graphs_free(cuda);
	for (uint32_t i = 0; i < cuda->taken_count; i++)
		if (cuda->taken[i] == cuda->input)
			cuda->taken[i] = cuda->taken[--cuda->taken_count];
	cudaFree(cuda->input);
	cudaFreeHost(cuda->host_input);
	cuda->input = cuda->host_input = NULL;
	return take_input(cuda, maps_max);
}

static uint32_t blocks_of(const struct engine_piece *piece)
{
	const uint32_t end = piece->first_position + (piece->written ? piece->rows : 1);

	return (end + piece->map.block_slots - 1) / piece->map.block_slots;
}

/* Entries of all maps, and items: a piece of padding is one for each row. */
static void measure(const struct engine_batch *batch, uint32_t *maps, uint32_t *items)
{
	*maps = *items = 0;
	for (uint32_t i = 0; i < batch->pieces_count; i++) {
		*maps += blocks_of(&batch->pieces[i]);
		*items += batch->pieces[i].written ? 1 : batch->pieces[i].rows;
	}
}

static void lay_out(const struct engine_batch *batch, struct cuda_input *in)
{
	uint32_t map_at = 0, item = 0;

	for (uint32_t i = 0; i < batch->pieces_count; i++) {
		const struct engine_piece *p = &batch->pieces[i];
		const uint32_t blocks = blocks_of(p);

		memcpy(in->maps + map_at, p->map.first, blocks * sizeof(*in->maps));
		for (uint32_t r = 0; r < p->rows; r++) {
			const uint32_t position = p->first_position + (p->written ? r : 0);
			const uint32_t slot = p->map.first[position / p->map.block_slots] +
					      position % p->map.block_slots;

			in->rows[p->row + r] = (struct quire_dev_row){
				.token = batch->tokens[p->row + r],
				.position = position,
				.slot = p->written ? slot : QUIRE_SLOT_NONE,
			};
			if (r == 0 || !p->written)
				in->items[item++] = (struct quire_dev_item){
					.row_first = p->row + r,
					.rows = p->written ? p->rows : 1,
					.position_first = position,
					.map_first = map_at,
					.block_slots = p->map.block_slots,
				};
		}
		map_at += blocks;
	}
}

/* A power of two, so that few graphs do for all batches: at least 16, at most @max. */
static uint32_t roomy(uint32_t count, uint32_t max)
{
	uint32_t room = count ? 16 : 0;

	while (room < count)
		room *= 2;
	return room < max ? room : max;
}

/* The rows that are wanted, with padding: of single tokens it is all rows that are computed. */
static uint32_t wanted_room(const struct cuda *cuda, const struct engine_batch *batch,
			    uint32_t items)
{
	const uint32_t count = batch->wanted_count;

	if (items == batch->rows || count > cuda->wanted_max)
		return cuda_rows(count);
	return count <= 1 ? count : roomy(count, cuda->wanted_max);
}

int cuda_input_send(struct cuda *cuda, struct engine *engine, const struct engine_batch *batch)
{
	struct quire_attention_plan plan;
	struct cuda_shape *shape = &cuda->shape;
	struct cuda_input *host = &cuda->host;
	struct cuda_shape largest;
	uint32_t maps, items;
	cudaError_t error;
	size_t bytes;
	int rc = 0;

	measure(batch, &maps, &items);
	if (maps > cuda->maps_max)
		rc = grow_input(cuda, 2 * maps);
	if (rc)
		return rc;
	error = cudaEventSynchronize(cuda->uploaded); /* the last batch has left the host */
	if (error != cudaSuccess)
		return cuda_error(error, "a step");

	/* The work is planned where there is most room; then it is known how much it is. */
	largest = (struct cuda_shape){
		.rows = cuda_rows(batch->rows),
		.items = roomy(items, cuda->rows_max),
		.few = cuda->limits.few_max,
		.many = cuda->limits.many_max,
		.wanted = wanted_room(cuda, batch, items),
	};
	cuda_input_at(cuda->host_input, &largest, host);
	lay_out(batch, host);
	plan.few = host->few;
	plan.many = host->many;
	rc = quire_attention_plan(&plan, &cuda->limits, host->items, items);
	if (rc)
		return quire_fail(-EIO, "cuda: attention of %u rows cannot be planned",
				  batch->rows);
	*shape = (struct cuda_shape){
		.rows = largest.rows,
		.items = largest.items,
		.few = roomy(plan.few_count, cuda->limits.few_max),
		.many = roomy(plan.many_count, cuda->limits.many_max),
		.wanted = largest.wanted,
	};
	{ /* move together what lies behind the work */
		struct cuda_input from = *host;

		cuda_input_at(cuda->host_input, shape, host);
		memmove(host->many, from.many, plan.many_count * sizeof(*host->many));
		memmove(host->maps, from.maps, maps * sizeof(*host->maps));
	}
	for (uint32_t i = batch->rows; i < shape->rows; i++)
		host->rows[i] = (struct quire_dev_row){.slot = QUIRE_SLOT_NONE};
	for (uint32_t i = 0; i < shape->wanted; i++)
		host->wanted[i] = i < batch->wanted_count ? batch->wanted[i] : 0;
	host->counts[0] = plan.few_count;
	host->counts[1] = plan.many_count;
	bytes = (size_t)((unsigned char *)(host->maps + maps) - cuda->host_input);
	cuda_input_at(cuda->input, shape, &cuda->device);
	error = cudaMemcpyAsync(cuda->input, cuda->host_input, bytes, cudaMemcpyHostToDevice,
				cuda->stream);
	if (error == cudaSuccess)
		error = cudaEventRecord(cuda->uploaded, cuda->stream);
	(void)engine;
	return error == cudaSuccess ? 0 : cuda_error(error, "sending a step");
}
