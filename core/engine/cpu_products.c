/*
 * cpu_products.c - matrix products, shared out among the threads by panels of outputs.
 *
 * A panel is computed by one thread for all rows, so that its weights are read once.
 * Which panels there are changes nothing in what is computed, but for OpenBLAS.
 */
#include "cpu.h"

#define PANEL_MAX  64  /* outputs of a panel */
#define PANEL_UNIT 16  /* a multiple of it: no two threads write one line of y */
#define ROWS_NEAR  128 /* whose inputs stay in the cache while a panel goes by */

struct job {
	struct cpu *cpu;
	const struct cpu_products *p;
	bool blas;
	uint32_t panel;	    /* outputs of one */
	uint32_t panels[3]; /* of each product */
};

static void finish(const struct cpu *cpu, const struct cpu_products *p, uint32_t which,
		   uint32_t first, uint32_t count)
{
	const struct cpu_product *product = &p->of[which];
	const struct quire_weight *bias = p->bias[which];
	float b[CPU_BLAS_PANEL];

	if (bias && bias->data)
		cpu->math->widen(
			b, (const char *)bias->data + first * quire_weight_type_bytes(bias->type),
			bias->type, count);
	for (uint32_t r = 0; r < product->rows; r++) {
		float *y = product->y + (size_t)r * product->y_stride + first;

		if (bias && bias->data)
			cpu->math->add(y, b, count);
		if (p->sum)
			cpu->math->add(p->sum + (y - product->y), y, count);
		if (p->gated)
			cpu->math->gate(y, p->of[1].y + (y - product->y), count);
	}
}

static void multiply(const struct job *job, uint32_t which, uint32_t first, uint32_t count,
		     uint32_t thread)
{
	struct cpu *cpu = job->cpu;
	struct cpu_product p = job->p->of[which];
	uint32_t rows = p.rows;

	if (job->blas) {
		cpu_blas_product(cpu, &p, first, count, thread);
		return;
	}
	for (uint32_t r = 0; r < rows; r += ROWS_NEAR) {
		p.rows = rows - r < ROWS_NEAR ? rows - r : ROWS_NEAR;
		cpu->math->product(&p, first, count, &cpu->scratch[thread]);
		p.x += (size_t)ROWS_NEAR * p.x_stride;
		p.y += (size_t)ROWS_NEAR * p.y_stride;
	}
}

static void panel(void *arg, uint32_t index, uint32_t thread)
{
	const struct job *job = arg;
	const struct cpu_products *p = job->p;
	uint32_t which = 0, first, count;

	for (; index >= job->panels[which]; which++)
		index -= job->panels[which];
	first = index * job->panel;
	count = p->of[which].w->rows - first;
	if (count > job->panel)
		count = job->panel;
	multiply(job, which, first, count, thread);
	if (p->gated)
		multiply(job, 1, first, count, thread);
	finish(job->cpu, p, which, first, count);
}

void cpu_products(struct cpu *cpu, const struct cpu_products *p)
{
	struct job job = {.cpu = cpu, .p = p, .blas = cpu->blas && p->of[0].rows >= CPU_BLAS_ROWS};
	uint32_t outputs = 0, panels = 0, count = p->gated ? 1 : p->count;
	uint32_t panel_max = job.blas ? CPU_BLAS_PANEL : PANEL_MAX;

	for (uint32_t i = 0; i < count; i++)
		outputs += p->of[i].w->rows;
	/* Small enough that all have something to do, and finish at about one time. */
	job.panel = outputs / (threads_count(cpu->threads) * 8) / PANEL_UNIT * PANEL_UNIT;
	if (job.panel < PANEL_UNIT)
		job.panel = PANEL_UNIT;
	if (job.panel > panel_max)
		job.panel = panel_max;
	for (uint32_t i = 0; i < count; i++) {
		job.panels[i] = (p->of[i].w->rows + job.panel - 1) / job.panel;
		panels += job.panels[i];
	}
	threads_for(cpu->threads, panels, panel, &job);
}
