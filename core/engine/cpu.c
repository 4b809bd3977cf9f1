/*
 * cpu.c - the cpu executor's memory, copies and sampling; see cpu.h.
 */
#include "cpu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

/* What the system could still give, in bytes; UINT64_MAX: it does not say. */
static uint64_t memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kb, bytes = UINT64_MAX;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", &kb) == 1)
			bytes = kb * 1024;
	if (file)
		fclose(file);
	return bytes;
}

/* An array of floats for the rows of a batch. */
static int take(float **array, uint32_t rows, uint64_t elements)
{
	size_t bytes = (rows * elements * sizeof(float) + 63) / 64 * 64;

	*array = aligned_alloc(64, bytes);
	if (!*array)
		return quire_fail(-ENOMEM, "no memory for %u rows of %llu numbers", rows,
				  (unsigned long long)elements);
	memset(*array, 0, bytes);
	return 0;
}

static int take_activations(struct cpu *cpu)
{
	const struct quire_model *m = &cpu->checkpoint->model;
	uint64_t q = (uint64_t)m->heads * m->head_dim, kv = (uint64_t)m->kv_heads * m->head_dim;
	struct {
		float **array;
		uint64_t elements;
	} all[] = {
		{&cpu->cosine, m->head_dim / 2},
		{&cpu->sine, m->head_dim / 2},
		{&cpu->x, m->hidden},
		{&cpu->normed, m->hidden},
		{&cpu->added, m->hidden},
		{&cpu->wanted, m->hidden},
		{&cpu->q, q},
		{&cpu->attended, q},
		{&cpu->k, kv},
		{&cpu->v, kv},
		{&cpu->gate, m->intermediate},
		{&cpu->up, m->intermediate},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++)
		rc = take(all[i].array, CPU_ROWS, all[i].elements);
	if (rc == 0)
		rc = take(&cpu->logits, CPU_LOGITS, m->vocab);
	if (rc == 0)
		rc = take(&cpu->frequency, 1, m->head_dim / 2);
	return rc;
}

static int take_pool(struct cpu *cpu, uint64_t bytes)
{
	uint64_t available = memory_available();

	if (bytes <= available && bytes <= SIZE_MAX)
		cpu->kv = calloc(bytes, 1);
	if (cpu->kv)
		return 0;
	return quire_fail(
		-ENOMEM, "a pool of %u slots takes %.1f MiB of memory, of which %.1f MiB are free",
		cpu->config->slots_total, (double)bytes / 0x1p20, (double)available / 0x1p20);
}

static uint64_t weight_bytes(const struct quire_weight *w)
{
	return w->data ? (uint64_t)w->rows * w->columns * quire_weight_type_bytes(w->type) : 0;
}

/* Weights that every batch reads; of a head that is tied, the embedding is not. */
static uint64_t layer_bytes(const struct quire_checkpoint *c)
{
	uint64_t bytes = weight_bytes(&c->norm);

	for (uint32_t i = 0; i < c->model.layers; i++) {
		const struct quire_layer_weights *w = &c->layers[i];

		bytes += weight_bytes(&w->attention_norm) + weight_bytes(&w->q) +
			 weight_bytes(&w->k) + weight_bytes(&w->v) + weight_bytes(&w->q_bias) +
			 weight_bytes(&w->k_bias) + weight_bytes(&w->v_bias) +
			 weight_bytes(&w->q_norm) + weight_bytes(&w->k_norm) +
			 weight_bytes(&w->output) + weight_bytes(&w->mlp_norm) +
			 weight_bytes(&w->gate) + weight_bytes(&w->up) + weight_bytes(&w->down);
	}
	return bytes;
}

/* Inputs of the widest product. */
static uint32_t columns_max(const struct quire_model *m)
{
	uint32_t most = m->hidden > m->intermediate ? m->hidden : m->intermediate;

	return m->heads * m->head_dim > most ? m->heads * m->head_dim : most;
}

static int cpu_open(struct engine *engine)
{
	const struct quire_engine_config *config = &engine->config;
	const struct quire_checkpoint *c = config->checkpoint;
	const struct quire_model *m = &c->model;
	uint32_t threads = config->threads ? config->threads : threads_cores();
	struct cpu *cpu = engine->backend = calloc(1, sizeof(*cpu));
	int rc;

	if (!cpu)
		return quire_fail(-ENOMEM, "no memory for the cpu executor");
	cpu->config = config;
	cpu->checkpoint = c;
	cpu->math = cpu_math_pick(0);
	if (!c->embedding.data)
		return quire_fail(-EINVAL, "%s has no weights", m->name);
	if (m->head_dim > CPU_HEAD || m->head_dim % 2)
		return quire_fail(-ENOTSUP, "heads of %u numbers; the cpu executor does up to %u",
				  m->head_dim, CPU_HEAD);
	cpu->element_bytes = quire_weight_type_bytes(config->kv_type);
	cpu->head_bytes = (size_t)config->slots_total * m->head_dim * cpu->element_bytes;
	cpu->layer_bytes = layer_bytes(c);
	rc = take_pool(cpu, engine->stats.kv_bytes);
	if (rc == 0)
		rc = take_activations(cpu);
	if (rc)
		return rc;
	quire_rope_frequencies(&c->rope, m->head_dim, cpu->frequency);
	cpu->position = calloc(CPU_ROWS, sizeof(*cpu->position));
	cpu->scratch =
		aligned_alloc(_Alignof(struct cpu_scratch), threads * sizeof(struct cpu_scratch));
	if (!cpu->position || !cpu->scratch)
		return quire_fail(-ENOMEM, "no memory for %u threads", threads);
	if (config->fast_products)
		rc = cpu_blas_new(&cpu->blas, threads, columns_max(m));
	return rc ? rc : threads_new(&cpu->threads, threads);
}

static void cpu_close(struct engine *engine)
{
	struct cpu *cpu = engine->backend;

	if (!cpu)
		return;
	threads_free(cpu->threads);
	cpu_blas_free(cpu->blas);
	free(cpu->scratch);
	free(cpu->kv);
	free(cpu->frequency);
	free(cpu->position);
	free(cpu->cosine);
	free(cpu->sine);
	free(cpu->x);
	free(cpu->normed);
	free(cpu->added);
	free(cpu->q);
	free(cpu->attended);
	free(cpu->k);
	free(cpu->v);
	free(cpu->gate);
	free(cpu->up);
	free(cpu->wanted);
	free(cpu->logits);
	free(cpu);
}

/* ---- slots ---- */

/* All that lies in some slots: one run for each layer, keys and values, and KV head. */
static uint32_t runs(const struct cpu *cpu)
{
	return cpu->checkpoint->model.layers * 2 * cpu->checkpoint->model.kv_heads;
}

static int cpu_copy(struct engine *engine, const struct quire_copy *copy)
{
	struct cpu *cpu = engine->backend;
	size_t slot = cpu->checkpoint->model.head_dim * cpu->element_bytes;

	for (uint32_t i = 0; i < runs(cpu); i++) {
		char *head = cpu->kv + i * cpu->head_bytes;

		memcpy(head + copy->to * slot, head + copy->from * slot, copy->slots * slot);
	}
	return 0;
}

/* All bits set are a NaN in all three types. */
static int cpu_poison(struct engine *engine, uint32_t first, uint32_t slots)
{
	struct cpu *cpu = engine->backend;
	size_t slot = cpu->checkpoint->model.head_dim * cpu->element_bytes;

	for (uint32_t i = 0; i < runs(cpu); i++)
		memset(cpu->kv + i * cpu->head_bytes + first * slot, 0xff, slots * slot);
	return 0;
}

/* ---- logits ---- */

static float *cpu_logits(struct engine *engine, uint32_t first, uint32_t count)
{
	struct cpu *cpu = engine->backend;
	const struct quire_checkpoint *c = cpu->checkpoint;

	cpu_products(cpu, &(struct cpu_products){
				  .of = {{.w = &c->head,
					  .x = cpu->wanted + (size_t)first * c->model.hidden,
					  .y = cpu->logits,
					  .rows = count,
					  .x_stride = c->model.hidden,
					  .y_stride = c->model.vocab}},
				  .count = 1,
			  });
	engine->stats.weight_bytes_read += weight_bytes(&c->head);
	return cpu->logits;
}

/* A sentence is left on the thread that found something wrong: it is carried over. */
struct sample_job {
	struct quire_streams *streams;
	const struct quire_item *const *items;
	float *logits;
	size_t vocab;
	struct quire_result *results;
	int rc[CPU_LOGITS];
	char sentence[CPU_LOGITS][160];
};

static void sample_one(void *arg, uint32_t index, uint32_t thread)
{
	struct sample_job *job = arg;
	const struct quire_item *item = job->items[index];

	(void)thread;
	job->rc[index] = quire_streams_sample(job->streams, item, job->logits + index * job->vocab,
					      &job->results[item->result]);
	if (job->rc[index])
		snprintf(job->sentence[index], sizeof(job->sentence[index]), "%s", quire_failure());
}

static int cpu_sample(struct engine *engine, const struct quire_item *const *items, uint32_t count,
		      float *logits, struct quire_result *results)
{
	struct cpu *cpu = engine->backend;
	struct sample_job job = {
		.streams = engine->config.streams,
		.items = items,
		.logits = logits,
		.vocab = cpu->checkpoint->model.vocab,
		.results = results,
	};

	threads_for(cpu->threads, count, sample_one, &job);
	for (uint32_t i = 0; i < count; i++)
		if (job.rc[i])
			return quire_fail(job.rc[i], "%s", job.sentence[i]);
	return 0;
}

const struct engine_ops engine_cpu = {
	.name = "cpu",
	.summary = "runs the model on this machine's cores",
	.batch_rows_max = CPU_ROWS,
	.logits_rows_max = CPU_LOGITS,
	.open = cpu_open,
	.close = cpu_close,
	.copy = cpu_copy,
	.poison = cpu_poison,
	.forward = cpu_forward,
	.logits = cpu_logits,
	.sample = cpu_sample,
};
