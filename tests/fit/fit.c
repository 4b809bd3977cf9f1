/*
 * fit.c - the eight constants of each GPU that has a table of measured kernels, and how
 * well they predict what was held back from the fit.
 *
 *	quire_fit [FOLDER]
 *
 * A search along each constant in turn, with steps that shrink from 20 % to 0.1 %,
 * for the least mean |predicted / measured - 1| of the rows that are not held back;
 * of attention the kinds count alike, however many rows they have.  The constants are
 * printed as a profile, then the scores: with them, and with those in the program,
 * which are these, rounded.
 */
#include "core/sim/descend.h"
#include "tests/kernel_times.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What is fitted: a GPU, to the kinds from @first to @last of a table. */
struct problem {
	const struct kernel_table *table;
	const struct quire_gpu *gpu;
	int first, last;
};

/* The mean over the kinds. */
static double loss(const void *arg)
{
	const struct problem *p = arg;
	double sum = 0;
	int kinds = 0;

	for (int kind = p->first; kind <= p->last; kind++) {
		const struct kernel_score s =
			kernel_score(p->table, p->gpu, (enum kernel_kind)kind, false);

		sum += s.error;
		kinds += s.rows > 0;
	}
	return kinds ? sum / kinds : 0;
}

static double search(const struct problem *p, const struct quire_constant *constants, size_t count)
{
	const struct quire_descent descent = {
		.loss = loss,
		.arg = p,
		.constants = constants,
		.count = count,
		.step = 0.2,
		.keep = 0.99999,
	};

	return quire_descend(&descent);
}

static void fit_gemm(const struct kernel_table *t, struct quire_gpu *gpu)
{
	struct quire_gpu best = *gpu;
	double least = 1e9;

	for (uint32_t q = 1; q <= 16; q *= 2) {
		struct quire_gpu g = *gpu;
		const struct problem p = {t, &g, KERNEL_GEMM, KERNEL_GEMM};
		const struct quire_constant constants[] = {
			{&g.gemm_flops_share, 1},
			{&g.gemm_bytes_share, 1},
			{&g.gemm_launch_ns, 0},
		};
		double found;

		g.gemm_sharpness = q;
		found = search(&p, constants, 3);
		if (found < least) {
			least = found;
			best = g;
		}
	}
	*gpu = best;
}

/* Return: was attention measured? */
static bool fit_attention(const struct kernel_table *t, struct quire_gpu *gpu)
{
	const struct problem p = {t, gpu, KERNEL_DECODE, KERNEL_PREFILL_GQA};
	const struct quire_constant constants[] = {
		{&gpu->attention_flops_share, 1},
		{&gpu->attention_bytes_share, 1},
		{&gpu->attention_launch_ns, 0},
		{&gpu->attention_tile_ns, 0},
	};

	if (!(loss(&p) > 0))
		return false;
	search(&p, constants, 4);
	return true;
}

static void print_constants(const struct quire_gpu *g, bool attention)
{
	printf("# %s\n", g->name);
	printf("gemm_flops_share = %.3f\ngemm_bytes_share = %.3f\ngemm_sharpness = %u\n"
	       "gemm_launch_us = %.2f\n",
	       g->gemm_flops_share, g->gemm_bytes_share, g->gemm_sharpness,
	       g->gemm_launch_ns / 1e3);
	if (attention)
		printf("attention_flops_share = %.3f\nattention_bytes_share = %.3f\n"
		       "attention_launch_us = %.2f\nattention_tile_us = %.4f\n",
		       g->attention_flops_share, g->attention_bytes_share,
		       g->attention_launch_ns / 1e3, g->attention_tile_ns / 1e3);
	printf("\n");
}

static void print_scores(const struct kernel_table *t, const struct quire_gpu *fitted,
			 const struct quire_gpu *builtin)
{
	for (int i = 0; i < KERNEL_KINDS; i++) {
		const enum kernel_kind kind = (enum kernel_kind)i;
		const struct kernel_score fit = kernel_score(t, fitted, kind, false);
		const struct kernel_score held = kernel_score(t, fitted, kind, true);
		const struct kernel_score program = kernel_score(t, builtin, kind, true);

		if (!fit.rows)
			continue;
		printf("| %s | %s | %zu | %zu | %.1f %% | %.1f %% | %+.1f %% | %.1f %% | %.2f | "
		       "%.0f %% |\n",
		       t->gpu, kernel_kind_names[i], fit.rows, held.rows, fit.error * 100,
		       held.error * 100, held.bias * 100, program.error * 100,
		       kernel_score(t, builtin, kind, false).deviation, program.covered * 100);
	}
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : QUIRE_SOURCE_DIR "/../shared/kernel-times";
	struct kernel_table tables[3] = {{.rows = NULL}};
	struct quire_gpu fitted[3], builtin[3];
	int status = EXIT_SUCCESS;

	for (int i = 0; kernel_gpus[i]; i++) {
		if (kernel_table_read(&tables[i], folder, kernel_gpus[i]) ||
		    quire_gpu_find(&builtin[i], kernel_gpus[i])) {
			fprintf(stderr, "quire_fit: %s\n", quire_failure());
			status = EXIT_FAILURE;
			goto out;
		}
		fitted[i] = builtin[i];
		fit_gemm(&tables[i], &fitted[i]);
		print_constants(&fitted[i], fit_attention(&tables[i], &fitted[i]));
	}
	printf("| GPU | kind | rows fit | held back | error, fit | held back | bias | error of the "
	       "built-in constants, held back | their deviation, fit | held back, in the 90 %% "
	       "band |\n"
	       "|---|---|---|---|---|---|---|---|---|---|\n");
	for (int i = 0; kernel_gpus[i]; i++)
		print_scores(&tables[i], &fitted[i], &builtin[i]);
out:
	for (int i = 0; kernel_gpus[i]; i++)
		kernel_table_free(&tables[i]);
	return status;
}
