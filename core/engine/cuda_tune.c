/*
 * cuda_tune.c - which way is the fastest for a product, by timing; see cuda.h.
 *
 * cuBLASLt's suggestions come from a model of the GPU, its first is not always the best,
 * and it knows nothing of gemv and gemm.  So all ways are timed as a step has them: with the
 * weights of all layers in turn, so that no cache holds them; each behind a norm, so that
 * what a kernel does while the one in front ends is counted; in a graph, so that the host
 * is not.  First cuBLASLt's with a few layers, then the best of them, and ours, with all:
 * a few layers' weights of a small model stay in the cache.
 *
 * Times are noisy: two runs may choose differently where ways are equally fast, and then
 * sums are added in another order.  Hence only with config.fast_products.
 */
#include "cuda.h"

#include <errno.h>
#include <stdlib.h>

#define WAYS	      26 /* gemv, gemm, and cuBLASLt's first 24 suggestions */
#define FINALISTS     4	 /* of cuBLASLt's */
#define SCREEN_LAYERS 4u
#define ROUNDS	      3

/* Numbers to multiply: the clock of a GPU that multiplies zeros is higher. */
int cuda_tune_fill(struct cuda *cuda)
{
	const struct quire_model *m = &cuda->checkpoint->model;
	const uint64_t rows = cuda->rows_max, wanted = cuda->wanted_max;
	const struct quire_op_random all[] = {
		/* Two bf16 of which the second is the greater part of an fp32. */
		{(uint16_t *)cuda->residual, 2 * rows * m->hidden, 1, 1},
		{cuda->attended, rows * m->heads * m->head_dim, 2, 1},
		{cuda->activated, rows * m->intermediate, 3, 1},
		{cuda->wanted_normed, wanted * m->hidden, 4, 1},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int rc = quire_cuda_random(&all[i], cuda->stream);

		if (rc)
			return cuda_error((cudaError_t)rc, "timing products");
	}
	return 0;
}

struct trial {
	struct cuda_product way;
	float ms; /* the least of all rounds so far; less than 0: it does not work */
};

static int launch(struct cuda *cuda, const struct cuda_site *site, const struct cuda_product *way,
		  uint32_t layers)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < layers; i++) {
		const struct quire_op_norm norm = {
			.residual = cuda->residual,
			.weight = cuda->layers[i].attention_norm,
			.out = cuda->normed,
			.rows_count = way->rows,
			.columns = cuda->checkpoint->model.hidden,
			.eps = (float)cuda->checkpoint->norm_eps,
		};

		rc = quire_cuda_norm(&norm, cuda->stream);
		if (rc == 0)
			rc = cuda_product_by(cuda, way, cuda_site_weight(cuda, site, i), site->x,
					     site->y, site->y_stride);
	}
	return rc;
}

/* As a graph.  Return: 0; else this way does not work here, which is no error. */
static int capture(struct cuda *cuda, const struct cuda_site *site, const struct cuda_product *way,
		   uint32_t layers, cudaGraphExec_t *exec)
{
	cudaGraph_t captured = NULL;
	cudaError_t error = cudaStreamBeginCapture(cuda->stream, cudaStreamCaptureModeThreadLocal);
	int rc;

	if (error != cudaSuccess)
		return (int)error;
	rc = launch(cuda, site, way, layers);
	error = cudaStreamEndCapture(cuda->stream, &captured);
	if (rc == 0 && error == cudaSuccess)
		error = cudaGraphInstantiate(exec, captured, 0);
	if (captured)
		cudaGraphDestroy(captured);
	cudaGetLastError(); /* it is told, not kept */
	return rc ? rc : (int)error;
}

static cudaError_t clock_graph(struct cuda *cuda, cudaGraphExec_t exec, const cudaEvent_t event[2],
			       float *ms)
{
	cudaError_t error = cudaGraphLaunch(exec, cuda->stream); /* once to warm up */

	if (error == cudaSuccess)
		error = cudaEventRecord(event[0], cuda->stream);
	if (error == cudaSuccess)
		error = cudaGraphLaunch(exec, cuda->stream);
	if (error == cudaSuccess)
		error = cudaEventRecord(event[1], cuda->stream);
	if (error == cudaSuccess)
		error = cudaEventSynchronize(event[1]);
	return error == cudaSuccess ? cudaEventElapsedTime(ms, event[0], event[1]) : error;
}

/* Return: 0; -EIO if the device is lost. */
static int try(struct cuda *cuda, const struct cuda_site *site, struct trial *trial,
	       uint32_t layers, const cudaEvent_t event[2])
{
	cudaGraphExec_t exec = NULL;
	float ms = 0;
	cudaError_t error;

	if (trial->ms < 0)
		return 0;
	/* First by hand: kernels are loaded when they are first launched. */
	if ((trial->ms == 0 && launch(cuda, site, &trial->way, 1)) ||
	    capture(cuda, site, &trial->way, layers, &exec)) {
		trial->ms = -1;
		return 0;
	}
	error = clock_graph(cuda, exec, event, &ms);
	cudaGraphExecDestroy(exec);
	if (error != cudaSuccess)
		return cuda_error(error, "timing products");
	if (trial->ms == 0 || ms < trial->ms)
		trial->ms = ms;
	return 0;
}

/* Faster ones first, those that do not work last; equal ones keep their order. */
static void sort(struct trial *trials, int count)
{
	for (int i = 1; i < count; i++) {
		const struct trial t = trials[i];
		int j = i;

		for (; j && t.ms >= 0 && (trials[j - 1].ms < 0 || trials[j - 1].ms > t.ms); j--)
			trials[j] = trials[j - 1];
		trials[j] = t;
	}
}

static int run_trials(struct cuda *cuda, const struct cuda_site *site, struct trial *trials,
		      int count, const cudaEvent_t event[2])
{
	const uint32_t layers = cuda->checkpoint->model.layers;
	const uint32_t few = layers < SCREEN_LAYERS ? layers : SCREEN_LAYERS;
	int rc = 0, ours = 0;

	while (ours < count && trials[ours].way.way != CUDA_BY_BLAS)
		ours++;
	for (int i = ours; rc == 0 && i < count; i++)
		rc = try(cuda, site, &trials[i], few, event);
	sort(trials + ours, count - ours);
	if (count > ours + FINALISTS)
		count = ours + FINALISTS;
	for (int i = 0; i < count; i++)
		trials[i].ms = trials[i].ms < 0 ? -1 : 0;
	for (int i = 0; rc == 0 && i < ROUNDS * count; i++)
		rc = try(cuda, site, &trials[i % count], layers, event);
	sort(trials, count);
	return rc;
}

int cuda_tune(struct cuda *cuda, const struct cuda_site *site, uint32_t rows,
	      struct cuda_product *best)
{
	const struct cuda_weight *w = cuda_site_weight(cuda, site, 0);
	const struct cuda_product wanted = {
		.rows = rows,
		.outputs = w->outputs,
		.columns = w->columns,
		.kind = site->kind,
	};
	struct cuda_product ways[WAYS];
	struct trial trials[WAYS];
	cudaEvent_t event[2] = {0};
	int rc = 0, count = cuda_product_ways(cuda, &wanted, site->y_stride, ways, WAYS);

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		trials[i] = (struct trial){.way = ways[i]};
	for (int i = 0; rc == 0 && i < 2; i++)
		if (cudaEventCreate(&event[i]) != cudaSuccess)
			rc = cuda_error(cudaGetLastError(), "timing products");
	if (rc == 0)
		rc = run_trials(cuda, site, trials, count, event);
	for (int i = 0; i < 2; i++)
		if (event[i])
			cudaEventDestroy(event[i]);
	if (rc == 0 && trials[0].ms < 0)
		rc = quire_fail(-EIO,
				"cuda: no way to multiply %u rows by a matrix of %u x %u works",
				rows, w->outputs, w->columns);
	*best = trials[0].way;
	return rc;
}
