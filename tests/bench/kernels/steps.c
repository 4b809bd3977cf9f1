/*
 * steps.c - all kernels of a decode step in one graph, with weights that are drawn: what
 * an engine on top of them could reach, were there nothing else to do.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK 16u

struct model {
	const char *name;
	uint32_t layers, hidden, heads, kv_heads, head_dim, middle, vocab;
};

enum { QKV, OUT, GATE_UP, DOWN, HEAD, PRODUCTS };
enum way { BY_OURS, BY_CUBLASLT, BY_THE_FASTER, WAYS };

struct step {
	struct model m;
	uint32_t rows, qkv_columns;
	bool ours[PRODUCTS];	 /* gemv or gemm; or else cuBLASLt */
	double ours_s[PRODUCTS]; /* what ours takes alone */
	struct quire_dev_pool pool;
	uint16_t **weights; /* [layers][4]: qkv, out, gate and up, down */
	uint16_t *head, *norm_weight, *normed, *qkv, *attended, *gate_up, *middle;
	float *residual, *logits;
	struct quire_op_embed embed;
	struct quire_op_rope rope;
	struct quire_op_attention attention;
	struct quire_op_choose choose;
	struct product products[PRODUCTS];
};

static void norm(struct step *s)
{
	const struct quire_op_norm op = {
		.residual = s->residual,
		.weight = s->norm_weight,
		.out = s->normed,
		.rows_count = s->rows,
		.columns = s->m.hidden,
		.eps = 1e-6f,
	};

	must("norm", quire_cuda_norm(&op, stream));
}

static void multiply(struct step *s, int which, const void *x, const void *weight, uint32_t columns,
		     uint32_t outputs, enum quire_product_kind kind, void *out)
{
	const struct quire_op_product op = {x, s->rows, columns, weight, outputs, kind, out};

	if (s->ours[which])
		must("a product", ours_run(&op));
	else
		product_run(&s->products[which], x, weight, out);
}

static void run_step(void *arg, uint32_t index)
{
	struct step *s = arg;
	const struct model *m = &s->m;
	const uint32_t width = m->heads * m->head_dim;

	(void)index;
	must("embed", quire_cuda_embed(&s->embed, stream));
	for (uint32_t l = 0; l < m->layers; l++) {
		uint16_t **w = s->weights + 4 * (size_t)l;

		norm(s);
		multiply(s, QKV, s->normed, w[0], m->hidden, s->qkv_columns, QUIRE_PRODUCT_BF16,
			 s->qkv);
		s->rope.k = quire_dev_plane(&s->pool, 2 * l);
		s->rope.v = quire_dev_plane(&s->pool, 2 * l + 1);
		must("rope", quire_cuda_rope(&s->rope, stream));
		s->attention.k = s->rope.k;
		s->attention.v = s->rope.v;
		must("attention", quire_cuda_attention(&s->attention, stream));
		multiply(s, OUT, s->attended, w[1], width, m->hidden, QUIRE_PRODUCT_ADD,
			 s->residual);
		norm(s);
		if (s->ours[GATE_UP]) {
			multiply(s, GATE_UP, s->normed, w[2], m->hidden, m->middle,
				 QUIRE_PRODUCT_SWIGLU, s->middle);
		} else {
			const struct quire_op_swiglu op = {s->gate_up, s->middle, s->rows,
							   m->middle};

			multiply(s, GATE_UP, s->normed, w[2], m->hidden, 2 * m->middle,
				 QUIRE_PRODUCT_BF16, s->gate_up);
			must("swiglu", quire_cuda_swiglu(&op, stream));
		}
		multiply(s, DOWN, s->middle, w[3], m->middle, m->hidden, QUIRE_PRODUCT_ADD,
			 s->residual);
	}
	norm(s);
	multiply(s, HEAD, s->normed, s->head, m->hidden, m->vocab, QUIRE_PRODUCT_FP32, s->logits);
	must("choose", quire_cuda_choose(&s->choose, stream));
}

/* The arrays on the host that a step needs: rows, items, maps and the plan of work. */
static void say_what(struct step *s, uint32_t context)
{
	const struct model *m = &s->m;
	const uint32_t blocks = (context + BLOCK) / BLOCK;
	struct quire_dev_row *rows = calloc(s->rows, sizeof(*rows));
	struct quire_dev_item *items = calloc(s->rows, sizeof(*items));
	uint32_t *maps = calloc((size_t)s->rows * blocks, sizeof(*maps));
	struct quire_attention_limits limits = {
		.heads = m->heads,
		.kv_heads = m->kv_heads,
		.head_dim = m->head_dim,
		.multiprocessors = (uint32_t)multiprocessors,
		.parts_max = 2048,
	};
	struct quire_attention_plan plan = {0};

	must("memory", !rows || !items || !maps);
	for (uint32_t i = 0; i < s->rows * blocks; i++)
		maps[i] = (uint32_t)((uint64_t)i * 7919 % (s->rows * blocks)) * BLOCK;
	for (uint32_t i = 0; i < s->rows; i++) {
		items[i] = (struct quire_dev_item){i, 1, context, i * blocks, BLOCK};
		rows[i] = (struct quire_dev_row){
			.token = draw_below(m->vocab),
			.position = context,
			.slot = maps[i * blocks + context / BLOCK] + context % BLOCK,
		};
	}
	limits.few_max = limits.many_max = quire_attention_work_max(&limits, s->rows, s->rows);
	plan.few = calloc(limits.few_max, sizeof(*plan.few));
	plan.many = calloc(limits.many_max, sizeof(*plan.many));
	must("memory", !plan.few || !plan.many);
	must("plan", quire_attention_plan(&plan, &limits, items, s->rows));
	s->pool.layers = m->layers;
	s->pool.slots = s->rows * blocks * BLOCK;
	s->pool.slot_elements = m->kv_heads * m->head_dim;
	s->embed.rows = device_copy(rows, s->rows * sizeof(*rows));
	s->attention.items = device_copy(items, s->rows * sizeof(*items));
	s->attention.maps = device_copy(maps, (size_t)s->rows * blocks * sizeof(*maps));
	s->attention.work = device_copy(plan.few, plan.few_count * sizeof(*plan.few));
	s->attention.work_count = device_copy(&plan.few_count, sizeof(plan.few_count));
	s->attention.work_max = plan.few_count;
	s->attention.partial = device_new(quire_attention_partial_bytes(&limits, QUIRE_TILE_FEW));
	s->attention.tickets = device_new(limits.parts_max * m->kv_heads * 4);
	must("memset",
	     (int)cudaMemset(s->attention.tickets, 0, limits.parts_max * m->kv_heads * 4));
	free(rows), free(items), free(maps), free(plan.few), free(plan.many);
}

static void run_swiglu(void *arg, uint32_t index)
{
	const struct step *s = arg;
	const struct quire_op_swiglu op = {s->gate_up, s->middle, s->rows, s->m.middle};

	(void)index;
	must("swiglu", quire_cuda_swiglu(&op, stream));
}

static void product_prepare(struct step *s, int which, uint32_t columns, uint32_t outputs,
			    enum quire_product_kind kind)
{
	const bool pair = kind == QUIRE_PRODUCT_SWIGLU, add = kind == QUIRE_PRODUCT_ADD;

	product_new(&s->products[which], s->rows, columns, outputs * (pair ? 2 : 1),
		    add || kind == QUIRE_PRODUCT_FP32, add, PRODUCT_TRIED);
	if (pair)
		s->products[which].seconds += seconds_of(run_swiglu, s, 24);
	s->ours_s[which] = INFINITY;
	if (!ours_can(s->rows))
		return;
	s->ours_s[which] = ours_seconds(s->rows, columns, outputs, kind);
	printf("    %u rows, %6u to %6u: ours %6.2f us, cuBLASLt %6.2f us%s\n", s->rows, columns,
	       outputs, s->ours_s[which] * 1e6, s->products[which].seconds * 1e6,
	       pair ? " and swiglu" : "");
}

static void choose_way(struct step *s, enum way way)
{
	for (int i = 0; i < PRODUCTS; i++)
		s->ours[i] = way == BY_OURS ||
			     (way == BY_THE_FASTER && s->ours_s[i] < s->products[i].seconds);
}

static void prepare(struct step *s, uint32_t context)
{
	const struct model *m = &s->m;
	const uint32_t width = m->heads * m->head_dim;
	const size_t n = s->rows, scratch_bytes = quire_choose_scratch_bytes(s->rows, m->vocab);
	float *table = device_new((size_t)(context + 1) * m->head_dim * 4);

	s->qkv_columns = (m->heads + 2 * m->kv_heads) * m->head_dim;
	say_what(s, context);
	s->pool.data = device_random(2ull * m->layers * s->pool.slots * s->pool.slot_elements, 1);
	s->weights = calloc(4 * (size_t)m->layers, sizeof(*s->weights));
	must("memory", !s->weights);
	for (uint32_t l = 0; l < m->layers; l++) {
		uint16_t **w = s->weights + 4 * (size_t)l;

		w[0] = device_random((uint64_t)m->hidden * s->qkv_columns, 0.02);
		w[1] = device_random((uint64_t)m->hidden * width, 0.02);
		w[2] = device_random((uint64_t)m->hidden * 2 * m->middle, 0.02);
		w[3] = device_random((uint64_t)m->hidden * m->middle, 0.02);
	}
	s->head = device_random((uint64_t)m->hidden * m->vocab, 0.02);
	s->norm_weight = device_random(m->hidden, 1);
	s->normed = device_new(n * m->hidden * 2);
	s->qkv = device_new(n * s->qkv_columns * 2);
	s->attended = device_new(n * width * 2);
	s->gate_up = device_new(n * 2 * m->middle * 2);
	s->middle = device_new(n * m->middle * 2);
	s->residual = device_new(n * m->hidden * 4);
	s->logits = device_new(n * m->vocab * 4);
	must("memset", (int)cudaMemset(table, 0, (size_t)(context + 1) * m->head_dim * 4));
	s->embed.rows_count = s->rows;
	s->embed.table = s->head;
	s->embed.vocab = m->vocab;
	s->embed.columns = m->hidden;
	s->embed.residual = s->residual;
	s->rope = (struct quire_op_rope){
		.rows = s->embed.rows,
		.rows_count = s->rows,
		.qkv = s->qkv,
		.qkv_stride = s->qkv_columns,
		.heads = m->heads,
		.kv_heads = m->kv_heads,
		.head_dim = m->head_dim,
		.table = table,
		.positions = context + 1,
	};
	s->attention.tile = QUIRE_TILE_FEW;
	s->attention.q = s->qkv;
	s->attention.q_stride = s->qkv_columns;
	s->attention.out = s->attended;
	s->attention.heads = m->heads;
	s->attention.kv_heads = m->kv_heads;
	s->attention.head_dim = m->head_dim;
	s->attention.scale = 1 / sqrtf((float)m->head_dim);
	s->choose = (struct quire_op_choose){
		.logits = s->logits,
		.rows_count = s->rows,
		.vocab = m->vocab,
		.stride = m->vocab,
		.choices = device_new(n * sizeof(struct quire_dev_choice)),
		.scratch = device_new(scratch_bytes),
	};
	must("memset", (int)cudaMemset(s->choose.scratch, 0, scratch_bytes));
	product_prepare(s, QKV, m->hidden, s->qkv_columns, QUIRE_PRODUCT_BF16);
	product_prepare(s, OUT, width, m->hidden, QUIRE_PRODUCT_ADD);
	product_prepare(s, GATE_UP, m->hidden, m->middle, QUIRE_PRODUCT_SWIGLU);
	product_prepare(s, DOWN, m->middle, m->hidden, QUIRE_PRODUCT_ADD);
	product_prepare(s, HEAD, m->hidden, m->vocab, QUIRE_PRODUCT_FP32);
}

static void done(struct step *s)
{
	for (uint32_t i = 0; i < 4 * s->m.layers; i++)
		device_free(s->weights[i]);
	free(s->weights);
	device_free(s->pool.data), device_free(s->head), device_free(s->norm_weight);
	device_free(s->normed), device_free(s->qkv), device_free(s->attended);
	device_free(s->gate_up), device_free(s->middle), device_free(s->residual);
	device_free(s->logits), device_free((void *)s->embed.rows);
	device_free((void *)s->rope.table), device_free((void *)s->attention.items);
	device_free((void *)s->attention.maps), device_free((void *)s->attention.work);
	device_free((void *)s->attention.work_count), device_free(s->attention.partial);
	device_free(s->attention.tickets), device_free(s->choose.choices);
	device_free(s->choose.scratch);
	for (int i = 0; i < PRODUCTS; i++)
		product_free(&s->products[i]);
}

/* The same step by both ways must choose the same, or something as good. */
static void compare(struct step *s)
{
	const size_t count = (size_t)s->rows * s->m.vocab, sampled = count > 4096 ? 4096 : count;
	double *a = calloc(sampled, sizeof(*a)), *b = calloc(sampled, sizeof(*b));

	must("memory", !a || !b);
	for (int way = 0; way < 2; way++) {
		float *logits;

		choose_way(s, way ? BY_OURS : BY_CUBLASLT);
		run_step(s, 0);
		must("step", (int)cudaStreamSynchronize(stream));
		logits = host_copy(s->logits, count * 4);
		for (size_t i = 0; i < sampled; i++)
			(way ? a : b)[i] = (double)logits[i * 37 % count];
		free(logits);
	}
	checked("a step by ours, against cuBLASLt", a, b, sampled, 3e-2);
	free(a), free(b);
}

static void bench(const struct model *m, uint32_t rows, uint32_t context)
{
	struct step s = {.m = *m, .rows = rows};
	const double layer = (double)m->hidden * (m->heads + 2.0 * m->kv_heads) * m->head_dim +
			     (double)m->hidden * m->heads * m->head_dim +
			     3.0 * m->hidden * m->middle;
	const double bytes = 2 * (m->layers * layer + (double)m->hidden * m->vocab) +
			     4.0 * m->layers * rows * (context + 1.0) * m->kv_heads * m->head_dim;

	prepare(&s, context);
	if (ours_can(rows))
		compare(&s);
	for (enum way way = ours_can(rows) ? 0 : BY_CUBLASLT; way < WAYS; way++)
		for (int overlap = 1; overlap >= 0; overlap--) {
			static const char *const names[] = {"ours", "cuBLASLt", "the faster"};
			char what[96];
			double seconds;

			choose_way(&s, way);
			quire_cuda_overlap(overlap);
			seconds = seconds_of(run_step, &s, 2);
			snprintf(what, sizeof(what), "%s, %u x %u, %s%s: %.0f tokens/s", m->name,
				 rows, context, names[way], overlap ? ", overlap" : "",
				 rows / seconds);
			report_bytes(what, seconds, bytes);
		}
	quire_cuda_overlap(true);
	done(&s);
}

void bench_steps(void)
{
	static const struct model large = {"7B", 28, 3584, 28, 4, 128, 18944, 152064};
	static const struct model small = {"0.5B", 24, 896, 14, 2, 64, 4864, 151936};

	bench(&large, 1, 128);
	bench(&large, 1, 1024);
	bench(&large, 4, 1024);
	bench(&large, 64, 1024);
	bench(&small, 1, 128);
	bench(&small, 8, 1024);
	bench(&small, 16, 1024);
	bench(&small, 64, 1024);
}
