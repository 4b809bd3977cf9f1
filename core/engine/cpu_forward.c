/*
 * cpu_forward.c - a batch of rows through all layers; checkpoint.h has the equations.
 */
#include "cpu.h"

#include <math.h>
#include <string.h>

/* A loop over rows, by several threads where there are many. */
#define ROWS_FEW 8

struct rows_job {
	struct cpu *cpu;
	const struct engine_batch *batch;
	uint32_t layer;
	const struct quire_weight *norm;
};

static void for_rows(struct cpu *cpu, uint32_t rows, threads_fn *fn, void *arg)
{
	if (rows >= ROWS_FEW) {
		threads_for(cpu->threads, rows, fn, arg);
		return;
	}
	for (uint32_t i = 0; i < rows; i++)
		fn(arg, i, 0);
}

/* ---- before the first layer ---- */

static void row_begin(void *arg, uint32_t row, uint32_t thread)
{
	const struct rows_job *job = arg;
	struct cpu *cpu = job->cpu;
	const struct quire_weight *embedding = &cpu->checkpoint->embedding;
	uint32_t hidden = cpu->checkpoint->model.hidden;
	uint32_t half = cpu->checkpoint->model.head_dim / 2;
	size_t bytes = (size_t)hidden * quire_weight_type_bytes(embedding->type);

	(void)thread;
	cpu->math->widen(cpu->x + (size_t)row * hidden,
			 (const char *)embedding->data + job->batch->tokens[row] * bytes,
			 embedding->type, hidden);
	/* The angle is rounded to fp32, as everybody's is. */
	for (uint32_t i = 0; i < half; i++) {
		float angle = (float)cpu->position[row] * cpu->frequency[i];

		cpu->cosine[row * half + i] = (float)cos((double)angle);
		cpu->sine[row * half + i] = (float)sin((double)angle);
	}
}

/* ---- in a layer ---- */

static void row_norm(void *arg, uint32_t row, uint32_t thread)
{
	const struct rows_job *job = arg;
	struct cpu *cpu = job->cpu;
	uint32_t hidden = cpu->checkpoint->model.hidden;

	(void)thread;
	cpu->math->norm(cpu->normed + (size_t)row * hidden, cpu->x + (size_t)row * hidden,
			job->norm, (float)cpu->checkpoint->norm_eps);
}

static void rotate(float *head, const float *cosine, const float *sine, uint32_t half)
{
	for (uint32_t i = 0; i < half; i++) {
		float a = head[i], b = head[i + half];

		head[i] = a * cosine[i] - b * sine[i];
		head[i + half] = b * cosine[i] + a * sine[i];
	}
}

/* Norms and rotations of the heads of a row. */
static void row_heads(void *arg, uint32_t row, uint32_t thread)
{
	const struct rows_job *job = arg;
	struct cpu *cpu = job->cpu;
	const struct quire_checkpoint *c = cpu->checkpoint;
	const struct quire_model *m = &c->model;
	const struct quire_layer_weights *w = &c->layers[job->layer];
	uint32_t half = m->head_dim / 2;

	(void)thread;
	for (uint32_t h = 0; h < m->heads + m->kv_heads; h++) {
		bool query = h < m->heads;
		const struct quire_weight *norm = query ? &w->q_norm : &w->k_norm;
		float *head =
			query ? cpu->q + ((size_t)row * m->heads + h) * m->head_dim
			      : cpu->k + ((size_t)row * m->kv_heads + h - m->heads) * m->head_dim;

		if (norm->data)
			cpu->math->norm(head, head, norm, (float)c->norm_eps);
		rotate(head, cpu->cosine + row * half, cpu->sine + row * half, half);
	}
}

/* Keys and values of a piece, into its slots. */
static void piece_store(void *arg, uint32_t index, uint32_t thread)
{
	const struct rows_job *job = arg;
	struct cpu *cpu = job->cpu;
	const struct quire_model *m = &cpu->checkpoint->model;
	const struct engine_piece *piece = &job->batch->pieces[index];
	size_t bytes = m->head_dim * cpu->element_bytes;

	(void)thread;
	for (uint32_t i = 0; piece->written && i < piece->rows; i++) {
		uint32_t at = piece->first_position + i;
		size_t slot =
			piece->map.first[at / piece->map.block_slots] + at % piece->map.block_slots;
		size_t from = (size_t)(piece->row + i) * m->kv_heads * m->head_dim;

		for (uint32_t h = 0; h < m->kv_heads; h++, from += m->head_dim) {
			cpu->math->narrow(cpu_kv(cpu, job->layer, 0, h) + slot * bytes,
					  cpu->k + from, cpu->config->kv_type, m->head_dim);
			cpu->math->narrow(cpu_kv(cpu, job->layer, 1, h) + slot * bytes,
					  cpu->v + from, cpu->config->kv_type, m->head_dim);
		}
	}
}

/* ---- attention ---- */

/*
 * A task is one KV head, or some of the query heads that share it, and some rows of a
 * piece; tasks of a piece follow each other.
 */
struct attention_job {
	struct cpu *cpu;
	const struct engine_batch *batch;
	uint32_t layer;
	uint32_t rows, group;		   /* of a task, at most; query heads of it */
	uint32_t heads;			   /* tasks for the same rows */
	uint32_t first_task[CPU_ROWS + 1]; /* of each piece */
};

static void attention_task(void *arg, uint32_t index, uint32_t thread)
{
	const struct attention_job *job = arg;
	struct cpu *cpu = job->cpu;
	const struct quire_model *m = &cpu->checkpoint->model;
	const struct engine_piece *piece = job->batch->pieces;
	struct cpu_attention a = {
		.q_stride = m->heads * m->head_dim,
		.head_dim = m->head_dim,
		.scale = 1.0f / sqrtf((float)m->head_dim),
		.window = cpu->checkpoint->window,
		.kv_type = cpu->config->kv_type,
	};
	uint32_t group = m->heads / m->kv_heads, row, part, head;
	size_t at;

	while (index >= job->first_task[piece - job->batch->pieces + 1])
		piece++;
	index -= job->first_task[piece - job->batch->pieces];
	row = index / job->heads * job->rows;
	part = index % job->heads;
	head = part / (job->heads / m->kv_heads);
	part = part % (job->heads / m->kv_heads) * job->group;
	a.rows = piece->rows - row < job->rows ? piece->rows - row : job->rows;
	a.group = group - part < job->group ? group - part : job->group;
	a.position = piece->first_position + (piece->written ? row : 0);
	a.advance = piece->written;
	a.map = piece->map;
	a.k = cpu_kv(cpu, job->layer, 0, head);
	a.v = cpu_kv(cpu, job->layer, 1, head);
	at = ((size_t)(piece->row + row) * m->heads + head * group + part) * m->head_dim;
	a.q = cpu->q + at;
	a.out = cpu->attended + at;
	cpu->math->attend(&a, &cpu->scratch[thread]);
}

/* Return: how many tasks there are with @group query heads each, at most. */
static uint32_t attention_share(struct attention_job *job, uint32_t group)
{
	const struct quire_model *m = &job->cpu->checkpoint->model;
	const struct engine_batch *batch = job->batch;

	job->group = group;
	job->rows = CPU_QUERIES / group;
	job->heads = m->kv_heads * ((m->heads / m->kv_heads + group - 1) / group);
	for (uint32_t i = 0; i < batch->pieces_count; i++)
		job->first_task[i + 1] =
			job->first_task[i] +
			(batch->pieces[i].rows + job->rows - 1) / job->rows * job->heads;
	return job->first_task[batch->pieces_count];
}

/* Heads that share keys and values look at them together, unless threads had no work. */
static void attention(struct cpu *cpu, const struct engine_batch *batch, uint32_t layer)
{
	const struct quire_model *m = &cpu->checkpoint->model;
	struct attention_job job = {.cpu = cpu, .batch = batch, .layer = layer};
	uint32_t group = m->heads / m->kv_heads, tasks;

	if (group > CPU_QUERIES)
		group = CPU_QUERIES;
	tasks = attention_share(&job, group);
	while (tasks < threads_count(cpu->threads) && group > 1)
		tasks = attention_share(&job, group = (group + 1) / 2);
	threads_for(cpu->threads, tasks, attention_task, &job);
}

/* ---- layers ---- */

static struct cpu_product product(const struct quire_weight *w, const float *x, float *y,
				  uint32_t rows)
{
	return (struct cpu_product){
		.w = w, .x = x, .y = y, .rows = rows, .x_stride = w->columns, .y_stride = w->rows};
}

static void layer(struct cpu *cpu, const struct engine_batch *batch, uint32_t index)
{
	const struct quire_layer_weights *w = &cpu->checkpoint->layers[index];
	struct rows_job job = {.cpu = cpu, .batch = batch, .layer = index};
	uint32_t rows = batch->rows;

	job.norm = &w->attention_norm;
	for_rows(cpu, rows, row_norm, &job);
	cpu_products(cpu, &(struct cpu_products){
				  .of = {product(&w->q, cpu->normed, cpu->q, rows),
					 product(&w->k, cpu->normed, cpu->k, rows),
					 product(&w->v, cpu->normed, cpu->v, rows)},
				  .bias = {&w->q_bias, &w->k_bias, &w->v_bias},
				  .count = 3,
			  });
	for_rows(cpu, rows, row_heads, &job);
	for_rows(cpu, batch->pieces_count, piece_store, &job);
	attention(cpu, batch, index);
	cpu_products(cpu, &(struct cpu_products){
				  .of = {product(&w->output, cpu->attended, cpu->added, rows)},
				  .count = 1,
				  .sum = cpu->x,
			  });
	job.norm = &w->mlp_norm;
	for_rows(cpu, rows, row_norm, &job);
	cpu_products(cpu, &(struct cpu_products){
				  .of = {product(&w->gate, cpu->normed, cpu->gate, rows),
					 product(&w->up, cpu->normed, cpu->up, rows)},
				  .count = 2,
				  .gated = true,
			  });
	cpu_products(cpu, &(struct cpu_products){
				  .of = {product(&w->down, cpu->gate, cpu->added, rows)},
				  .count = 1,
				  .sum = cpu->x,
			  });
}

/* What the batch reads: every weight of the layers, and what attention looks at. */
static void count_bytes(struct engine *engine, const struct engine_batch *batch)
{
	const struct cpu *cpu = engine->backend;
	uint32_t window = cpu->checkpoint->window;
	uint64_t tokens = 0;

	for (uint32_t i = 0; i < batch->pieces_count; i++) {
		const struct engine_piece *piece = &batch->pieces[i];
		uint32_t first = window && piece->first_position >= window
					 ? piece->first_position - window + 1
					 : 0;

		tokens += piece->first_position + (piece->written ? piece->rows : 1) - first;
	}
	engine->stats.kv_bytes_read +=
		tokens * quire_engine_slot_bytes(cpu->checkpoint, cpu->config->kv_type);
	engine->stats.weight_bytes_read += cpu->layer_bytes;
}

int cpu_forward(struct engine *engine, const struct engine_batch *batch)
{
	struct cpu *cpu = engine->backend;
	const struct quire_checkpoint *c = cpu->checkpoint;
	uint32_t hidden = c->model.hidden;
	struct rows_job job = {.cpu = cpu, .batch = batch};

	for (uint32_t i = 0; i < batch->pieces_count; i++)
		for (uint32_t r = 0; r < batch->pieces[i].rows; r++)
			cpu->position[batch->pieces[i].row + r] =
				batch->pieces[i].first_position +
				(batch->pieces[i].written ? r : 0);
	for_rows(cpu, batch->rows, row_begin, &job);
	for (uint32_t i = 0; i < c->model.layers; i++)
		layer(cpu, batch, i);
	for (uint32_t i = 0; i < batch->wanted_count; i++)
		cpu->math->norm(cpu->wanted + (size_t)i * hidden,
				cpu->x + (size_t)batch->wanted[i] * hidden, &c->norm,
				(float)c->norm_eps);
	count_bytes(engine, batch);
	return 0;
}
