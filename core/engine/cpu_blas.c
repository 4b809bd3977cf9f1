/*
 * cpu_blas.c - matrix products by OpenBLAS, for config.fast_products.
 *
 * OpenBLAS adds up in an order that depends on how many rows there are, so a token's
 * logits then depend on what else is in its batch; that is why this is not the rule.
 * Weights are widened to fp32 a panel at a time, and each thread multiplies panels of
 * its own: OpenBLAS's own threads stay asleep.
 *
 * The library is opened when it is asked for.  Linked, it would cost every run of quire
 * a thread and some milliseconds at its start.
 */
#include "cpu.h"

#include <cblas.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libopenblas.so.0"

struct cpu_blas {
	void *library;
	__typeof__(cblas_sgemm) *sgemm;
	float **wide; /* [threads][CPU_BLAS_PANEL columns] */
	uint32_t threads;
};

/* The address of a function.  C has no cast from an object's. */
static int find(void *library, const char *name, void *function)
{
	void *at = dlsym(library, name);

	memcpy(function, &at, sizeof(at));
	return at ? 0 : quire_fail(-ENOTSUP, "%s: no %s", LIBRARY, name);
}

int cpu_blas_new(struct cpu_blas **blas, uint32_t threads, uint32_t columns_max)
{
	struct cpu_blas *b = *blas = calloc(1, sizeof(*b));
	__typeof__(openblas_set_num_threads) *set_threads;
	int rc;

	if (!b)
		return quire_fail(-ENOMEM, "no memory for OpenBLAS");
	b->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!b->library)
		return quire_fail(-ENOTSUP, "cannot load OpenBLAS: %s", dlerror());
	rc = find(b->library, "cblas_sgemm", &b->sgemm);
	if (rc == 0)
		rc = find(b->library, "openblas_set_num_threads", &set_threads);
	if (rc)
		return rc;
	set_threads(1);
	b->wide = calloc(threads, sizeof(*b->wide));
	for (; b->wide && b->threads < threads; b->threads++) {
		b->wide[b->threads] =
			malloc((size_t)CPU_BLAS_PANEL * columns_max * sizeof(**b->wide));
		if (!b->wide[b->threads])
			break;
	}
	return b->threads == threads ? 0 : quire_fail(-ENOMEM, "no memory for OpenBLAS");
}

void cpu_blas_free(struct cpu_blas *b)
{
	if (!b)
		return;
	while (b->threads)
		free(b->wide[--b->threads]);
	free(b->wide);
	/* The library stays: its threads would not survive being unloaded. */
	free(b);
}

void cpu_blas_product(const struct cpu *cpu, const struct cpu_product *p, uint32_t first,
		      uint32_t count, uint32_t thread)
{
	const struct quire_weight *w = p->w;
	size_t bytes = (size_t)w->columns * quire_weight_type_bytes(w->type);
	float *wide = cpu->blas->wide[thread];

	cpu->math->widen(wide, (const char *)w->data + first * bytes, w->type, count * w->columns);
	cpu->blas->sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)p->rows, (blasint)count,
			 (blasint)w->columns, 1, p->x, (blasint)p->x_stride, wide,
			 (blasint)w->columns, 0, p->y + first, (blasint)p->y_stride);
}
