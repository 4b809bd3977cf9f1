/*
 * attention.c - single tokens over shuffled blocks of 16, prompts, chunks.
 *
 * Several layers' planes, so that a graph of launches finds none of them in the cache.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK	  16u
#define SAMPLES	  24u
#define PARTS_MAX 4096u

struct shape {
	const char *name;
	uint32_t heads, kv_heads, head_dim;
	uint32_t items;		/* all of the same length */
	uint32_t context, rows; /* of each: before the step, in it */
	uint32_t layers;	/* launches of a graph */
};

struct attention {
	struct quire_op_attention op;
	struct quire_dev_pool pool;
	uint32_t layers;
};

static void run(void *arg, uint32_t index)
{
	struct attention *a = arg;
	const uint32_t layer = index % a->layers;

	a->op.k = quire_dev_plane(&a->pool, 2 * layer);
	a->op.v = quire_dev_plane(&a->pool, 2 * layer + 1);
	must("attention", quire_cuda_attention(&a->op, stream));
}

/* One KV head of a plane, [slots][head_dim]; to be freed. */
static uint16_t *head_copy(const struct attention *a, const uint16_t *plane, uint32_t kv_head)
{
	const size_t width = a->op.head_dim * sizeof(uint16_t);
	const size_t pitch = a->pool.slot_elements * sizeof(uint16_t);
	uint16_t *host = malloc(width * a->pool.slots);

	must("memory", !host);
	must("from the device",
	     (int)cudaMemcpy2D(host, width, plane + (size_t)kv_head * a->op.head_dim, pitch, width,
			       a->pool.slots, cudaMemcpyDeviceToHost));
	return host;
}

/* Sampled outputs of the first layer and one KV head. */
static void check(struct attention *a, const struct shape *s, const struct quire_dev_item *items,
		  const uint32_t *maps)
{
	const uint32_t group = s->heads / s->kv_heads, kv_head = draw_below(s->kv_heads);
	const uint32_t dim = s->head_dim;
	const size_t rows = (size_t)s->items * s->rows;
	double *got = calloc(SAMPLES * dim, sizeof(*got)),
	       *ref = calloc(SAMPLES * dim, sizeof(*ref));
	struct quire_op_attention view = a->op;
	uint16_t *q, *k, *v, *out;

	must("memory", !got || !ref);
	must("poison", (int)cudaMemset(a->op.out, 0xff, rows * s->heads * dim * 2));
	must("poison", (int)cudaDeviceSynchronize());
	run(a, 0);
	must("attention", (int)cudaStreamSynchronize(stream));
	q = host_copy(a->op.q, rows * a->op.q_stride * 2);
	out = host_copy(a->op.out, rows * s->heads * dim * 2);
	k = head_copy(a, a->op.k, kv_head);
	v = head_copy(a, a->op.v, kv_head);
	for (size_t i = 0; i < rows * s->heads * dim; i++)
		must("a number that is none", isnan(of_bf16(out[i])));
	view.items = items;
	view.maps = maps;
	view.q = q + (size_t)kv_head * group * dim;
	view.k = k;
	view.v = v;
	view.heads = group;
	view.kv_heads = 1;
	for (uint32_t i = 0; i < SAMPLES; i++) {
		const uint32_t item = draw_below(s->items), row = draw_below(s->rows);
		const uint32_t head = draw_below(group);
		const uint16_t *at =
			out + ((size_t)(items[item].row_first + row) * s->heads + kv_head * group +
			       head) * dim;

		quire_ref_attention_head(&view, item, row, head, ref + (size_t)i * dim);
		for (uint32_t d = 0; d < dim; d++)
			got[(size_t)i * dim + d] = of_bf16(at[d]);
	}
	checked(s->name, got, ref, SAMPLES * dim, 6e-3);
	free(q), free(k), free(v), free(out), free(got), free(ref);
}

static void bench(const struct shape *s)
{
	const uint32_t tokens = s->context + s->rows, blocks = (tokens + BLOCK - 1) / BLOCK;
	const uint32_t rows = s->items * s->rows;
	struct quire_dev_item *items = calloc(s->items, sizeof(*items));
	uint32_t *maps = calloc((size_t)s->items * blocks, sizeof(*maps));
	struct quire_attention_limits limits = {
		.heads = s->heads,
		.kv_heads = s->kv_heads,
		.head_dim = s->head_dim,
		.multiprocessors = (uint32_t)multiprocessors,
		.parts_max = PARTS_MAX / s->kv_heads,
	};
	struct quire_attention_plan plan = {0};
	struct attention a = {.layers = s->layers};
	char what[96];
	double seconds;

	must("memory", !items || !maps);
	for (uint32_t i = 0; i < s->items * blocks; i++)
		maps[i] = i * BLOCK;
	for (uint32_t i = s->items * blocks; i > 1; i--) {
		const uint32_t other = draw_below(i), kept = maps[i - 1];

		maps[i - 1] = maps[other];
		maps[other] = kept;
	}
	for (uint32_t i = 0; i < s->items; i++)
		items[i] = (struct quire_dev_item){
			.row_first = i * s->rows,
			.rows = s->rows,
			.position_first = s->context,
			.map_first = i * blocks,
			.block_slots = BLOCK,
		};
	limits.few_max = limits.many_max = quire_attention_work_max(&limits, s->items, rows);
	plan.few = calloc(limits.few_max, sizeof(*plan.few));
	plan.many = calloc(limits.many_max, sizeof(*plan.many));
	must("memory", !plan.few || !plan.many);
	must("plan", quire_attention_plan(&plan, &limits, items, s->items));
	must("items of one kind", plan.few_count && plan.many_count);

	const bool few = plan.few_count > 0;
	const uint32_t count = few ? plan.few_count : plan.many_count;
	const enum quire_tile tile = few ? QUIRE_TILE_FEW : QUIRE_TILE_MANY;
	const size_t tickets_bytes = (size_t)limits.parts_max * s->kv_heads * 4;

	a.pool.layers = s->layers;
	a.pool.slots = s->items * blocks * BLOCK;
	a.pool.slot_elements = s->kv_heads * s->head_dim;
	a.pool.data = device_random(2ull * s->layers * a.pool.slots * a.pool.slot_elements, 1);
	a.op = (struct quire_op_attention){
		.items = device_copy(items, s->items * sizeof(*items)),
		.maps = device_copy(maps, (size_t)s->items * blocks * sizeof(*maps)),
		.work = device_copy(few ? plan.few : plan.many, count * sizeof(*plan.few)),
		.work_count = device_copy(&count, sizeof(count)),
		.work_max = count,
		.tile = tile,
		.q = device_random((uint64_t)rows * s->heads * s->head_dim, 1),
		.q_stride = s->heads * s->head_dim,
		.out = device_new((size_t)rows * s->heads * s->head_dim * 2),
		.heads = s->heads,
		.kv_heads = s->kv_heads,
		.head_dim = s->head_dim,
		.scale = 1 / sqrtf((float)s->head_dim),
		.partial = device_new(quire_attention_partial_bytes(&limits, tile)),
		.tickets = device_new(tickets_bytes),
	};
	must("memset", (int)cudaMemset(a.op.tickets, 0, tickets_bytes));
	check(&a, s, items, maps);
	seconds = seconds_of(run, &a, s->layers);
	snprintf(what, sizeof(what), "%s, %u/%u of %u, %u parts", s->name, s->heads, s->kv_heads,
		 s->head_dim, few ? plan.few_parts : plan.many_parts);
	if (few) {
		report_bytes(what, seconds, 4.0 * s->items * tokens * a.pool.slot_elements);
	} else {
		const double pairs = (double)s->rows * s->context + s->rows * (s->rows + 1.0) / 2;

		report_flops(what, seconds, 4.0 * s->items * pairs * s->heads * s->head_dim);
	}
	device_free(a.pool.data), device_free((void *)a.op.items), device_free((void *)a.op.maps);
	device_free((void *)a.op.work), device_free((void *)a.op.work_count);
	device_free((void *)a.op.q), device_free(a.op.out), device_free(a.op.partial);
	device_free(a.op.tickets);
	free(items), free(maps), free(plan.few), free(plan.many);
}

void bench_attention(void)
{
	static const struct shape shapes[] = {
		{"64 tokens behind 4,095", 32, 32, 128, 64, 4095, 1, 2},
		{"64 tokens behind 4,095", 28, 4, 128, 64, 4095, 1, 8},
		{"64 tokens behind 1,023", 28, 4, 128, 64, 1023, 1, 16},
		{"64 tokens behind 1,023", 14, 2, 64, 64, 1023, 1, 32},
		{"1 token behind 1,023", 28, 4, 128, 1, 1023, 1, 64},
		{"1 token behind 8,191", 28, 4, 128, 1, 8191, 1, 64},
		{"1 token behind 1,023", 14, 2, 64, 1, 1023, 1, 64},
		{"prompt of 8,192", 28, 4, 128, 1, 0, 8192, 2},
		{"prompt of 8,192", 32, 32, 128, 1, 0, 8192, 2},
		{"prompt of 8,192", 14, 2, 64, 1, 0, 8192, 2},
		{"prompt of 1,024", 28, 4, 128, 1, 0, 1024, 8},
		{"4 prompts of 2,048", 32, 32, 128, 4, 0, 2048, 2},
		{"chunk of 512 behind 7,680", 28, 4, 128, 1, 7680, 512, 8},
		{"chunk of 64 behind 8,128", 28, 4, 128, 1, 8128, 64, 8},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		bench(&shapes[i]);
}
