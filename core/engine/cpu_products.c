/*
 * cpu_products.c - matrix products, shared out among the threads by panels of outputs.
 *
 * A panel is computed by one thread for all rows, so that its weights are read once.
 * Which panels there are changes nothing in what is computed.
 */
#include "cpu.h"

/* Outputs of a panel are a multiple of this: no two threads write one line of y. */
#define PANEL_UNIT 16

struct job {
	struct cpu *cpu;
	const struct cpu_products *p;
	uint32_t panel;	    /* outputs of one */
	uint32_t panels[3]; /* of each product */
};

static void finish(const struct cpu *cpu, const struct cpu_products *p, uint32_t which,
		   uint32_t first, uint32_t count)
{
	const struct cpu_product *product = &p->of[which];
	const struct quire_weight *bias = p->bias[which];
	float b[CPU_PANEL];

	if (bias && bias->data)
		cpu->math->widen(
			b, (const char *)bias->data + first * quire_weight_type_bytes(bias->type),
			bias->type, count);
	for (uint32_t r = 0; r < product->rows; r++) {
		float *y = product->y + (size_t)r * product->y_stride + first;

		if (bias && bias->data)
			for (uint32_t i = 0; i < count; i++)
				y[i] += b[i];
		if (p->sum)
			for (uint32_t i = 0; i < count; i++)
				p->sum[(size_t)r * product->y_stride + first + i] += y[i];
		if (p->gated)
			cpu->math->gate(y, p->of[1].y + (y - product->y), count);
	}
}

static void panel(void *arg, uint32_t index, uint32_t thread)
{
	const struct job *job = arg;
	const struct cpu_products *p = job->p;
	struct cpu_scratch *scratch = &job->cpu->scratch[thread];
	uint32_t which = 0, first, count;

	for (; index >= job->panels[which]; which++)
		index -= job->panels[which];
	first = index * job->panel;
	count = p->of[which].w->rows - first;
	if (count > job->panel)
		count = job->panel;
	job->cpu->math->product(&p->of[which], first, count, scratch);
	if (p->gated)
		job->cpu->math->product(&p->of[1], first, count, scratch);
	finish(job->cpu, p, which, first, count);
}

void cpu_products(struct cpu *cpu, const struct cpu_products *p)
{
	struct job job = {.cpu = cpu, .p = p};
	uint32_t outputs = 0, panels = 0, threads = threads_count(cpu->threads);

	for (uint32_t i = 0; i < (p->gated ? 1 : p->count); i++)
		outputs += p->of[i].w->rows;
	/* Small enough that all have something to do, and finish at about one time. */
	job.panel = outputs / (threads * 8) / PANEL_UNIT * PANEL_UNIT;
	if (job.panel < PANEL_UNIT)
		job.panel = PANEL_UNIT;
	if (job.panel > CPU_PANEL)
		job.panel = CPU_PANEL;
	for (uint32_t i = 0; i < (p->gated ? 1 : p->count); i++) {
		job.panels[i] = (p->of[i].w->rows + job.panel - 1) / job.panel;
		panels += job.panels[i];
	}
	threads_for(cpu->threads, panels, panel, &job);
}
