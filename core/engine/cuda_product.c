/*
 * cuda_product.c - products with weights; see cuda.h.
 *
 * One or two rows by a matrix that is not large go through gemv.  Three to 64 by one that
 * is small go through gemm where the GPU can do that, and those of SwiGLU by any.  Both
 * begin to read their weights while the kernel before them ends (docs/kernels.md has what
 * was measured).  All else goes through cuBLASLt, by its first suggestion.  With
 * config.fast_products all ways are timed instead (cuda_tune.c).  To choose takes long, so it is
 * done once for each shape, and numbers of rows are rounded up so that shapes are few: what is
 * computed of rows that are not there is thrown away.
 */
#include "cuda.h"

#include <errno.h>
#include <stddef.h>

uint32_t cuda_rows(uint32_t rows)
{
	const uint32_t unit = rows <= 8 ? 1 : rows <= 64 ? 8 : rows <= 512 ? 32 : 128;

	return (rows + unit - 1) / unit * unit;
}

static int blas_error(cublasStatus_t status)
{
	return quire_fail(-EIO, "cuda: a matrix product: %s", cublasLtGetStatusString(status));
}

/* ---- cuBLASLt ---- */

/* It sees columns where C has rows: y^T = w x^T. */
struct layouts {
	cublasLtMatmulDesc_t product;
	cublasLtMatrixLayout_t w, x, y;
};

static void layouts_free(struct layouts *l)
{
	if (l->y)
		cublasLtMatrixLayoutDestroy(l->y);
	if (l->x)
		cublasLtMatrixLayoutDestroy(l->x);
	if (l->w)
		cublasLtMatrixLayoutDestroy(l->w);
	if (l->product)
		cublasLtMatmulDescDestroy(l->product);
}

static bool is_fp32(enum quire_product_kind kind)
{
	return kind == QUIRE_PRODUCT_FP32 || kind == QUIRE_PRODUCT_ADD;
}

static cublasStatus_t layouts_make(struct layouts *l, const struct cuda_product *p,
				   uint32_t y_stride)
{
	const cublasOperation_t transposed = CUBLAS_OP_T;
	cublasStatus_t status =
		cublasLtMatmulDescCreate(&l->product, CUBLAS_COMPUTE_32F, CUDA_R_32F);

	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasLtMatmulDescSetAttribute(l->product, CUBLASLT_MATMUL_DESC_TRANSA,
							&transposed, sizeof(transposed));
	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasLtMatrixLayoutCreate(&l->w, CUDA_R_16BF, p->columns, p->outputs,
						    p->columns);
	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasLtMatrixLayoutCreate(&l->x, CUDA_R_16BF, p->columns, p->rows,
						    p->columns);
	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasLtMatrixLayoutCreate(&l->y,
						    is_fp32(p->kind) ? CUDA_R_32F : CUDA_R_16BF,
						    p->outputs, p->rows, y_stride);
	return status;
}

#define SUGGESTIONS_MAX 24
#define SUGGESTIONS_MIN 4 /* that are asked for: the first need not be good */

static cublasStatus_t suggest(struct cuda *cuda, const struct layouts *l,
			      cublasLtMatmulHeuristicResult_t found[SUGGESTIONS_MAX], int asked,
			      int *count)
{
	const size_t workspace = CUDA_WORKSPACE;
	const uint32_t in_fp32 = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE; /* parts of sums */
	cublasLtMatmulPreference_t preference;
	cublasStatus_t status = cublasLtMatmulPreferenceCreate(&preference);

	*count = 0;
	if (status != CUBLAS_STATUS_SUCCESS)
		return status;
	status = cublasLtMatmulPreferenceSetAttribute(preference,
						      CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
						      &workspace, sizeof(workspace));
	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasLtMatmulPreferenceSetAttribute(
			preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &in_fp32,
			sizeof(in_fp32));
	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasLtMatmulAlgoGetHeuristic(cuda->lt, l->product, l->w, l->x, l->y,
							l->y, preference, asked, found, count);
	if (status == CUBLAS_STATUS_SUCCESS && !*count)
		status = CUBLAS_STATUS_NOT_SUPPORTED;
	cublasLtMatmulPreferenceDestroy(preference);
	return status;
}

static cublasStatus_t by_blas(struct cuda *cuda, const struct cuda_product *p,
			      const struct cuda_weight *w, const uint16_t *x, void *y,
			      uint32_t y_stride)
{
	const float one = 1, beta = p->kind == QUIRE_PRODUCT_ADD ? 1 : 0;
	struct layouts l = {0};
	cublasStatus_t status = layouts_make(&l, p, y_stride);

	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasLtMatmul(cuda->lt, l.product, &one, w->data, l.w, x, l.x, &beta, y,
					l.y, y, l.y, &p->algo, cuda->workspace, CUDA_WORKSPACE,
					cuda->stream);
	layouts_free(&l);
	return status;
}

/* ---- ways ---- */

static struct quire_op_product op_of(const struct cuda_product *p, const struct cuda_weight *w,
				     const uint16_t *x, void *y)
{
	return (struct quire_op_product){
		.x = x,
		.rows_count = p->rows,
		.columns = p->columns,
		.weight = w ? w->data : NULL,
		.outputs = p->kind == QUIRE_PRODUCT_SWIGLU ? p->outputs / 2 : p->outputs,
		.kind = p->kind,
		.out = y,
	};
}

/* Can gemv, or gemm, do this? */
static bool can(enum cuda_way way, const struct cuda_product *p, uint32_t y_stride)
{
	const struct quire_op_product op = op_of(p, NULL, NULL, NULL);

	if (y_stride != op.outputs && p->rows > 1)
		return false;
	return way == CUDA_BY_GEMV ? p->rows <= QUIRE_GEMV_ROWS_MAX : quire_cuda_gemm_can(&op);
}

/* Without timing, what is known to be good.  SwiGLU costs cuBLASLt a kernel more. */
static enum cuda_way known_good(const struct cuda_product *p, uint32_t y_stride)
{
	const uint64_t elements = (uint64_t)p->outputs * p->columns;

	if (p->rows <= CUDA_GEMV_ROWS)
		return elements <= CUDA_GEMV_ELEMENTS && can(CUDA_BY_GEMV, p, y_stride)
			       ? CUDA_BY_GEMV
			       : CUDA_BY_BLAS;
	return (elements <= CUDA_GEMM_ELEMENTS || p->kind == QUIRE_PRODUCT_SWIGLU) &&
			       can(CUDA_BY_GEMM, p, y_stride)
		       ? CUDA_BY_GEMM
		       : CUDA_BY_BLAS;
}

/* cuBLASLt's own suggestions, its best first.  Return: how many; -EIO: none. */
static int blas_ways(struct cuda *cuda, const struct cuda_product *wanted, uint32_t y_stride,
		     struct cuda_product *ways, uint32_t max, int asked)
{
	cublasLtMatmulHeuristicResult_t found[SUGGESTIONS_MAX];
	const uint32_t inner = wanted->kind == QUIRE_PRODUCT_SWIGLU ? wanted->outputs : y_stride;
	struct layouts l = {0};
	cublasStatus_t status = layouts_make(&l, wanted, inner);
	int count = 0, good = 0;

	if (status == CUBLAS_STATUS_SUCCESS)
		status = suggest(cuda, &l, found, asked, &count);
	layouts_free(&l);
	for (int i = 0; i < count && good < (int)max; i++) {
		if (found[i].state != CUBLAS_STATUS_SUCCESS)
			continue;
		ways[good] = *wanted;
		ways[good].way = CUDA_BY_BLAS;
		ways[good++].algo = found[i].algo;
	}
	if (status == CUBLAS_STATUS_SUCCESS)
		status = CUBLAS_STATUS_NOT_SUPPORTED;
	return good ? good : blas_error(status);
}

int cuda_product_ways(struct cuda *cuda, const struct cuda_product *wanted, uint32_t y_stride,
		      struct cuda_product *ways, uint32_t max)
{
	const enum cuda_way good = known_good(wanted, y_stride);
	int count = 0, suggested;

	if (max == 1) {
		if (good == CUDA_BY_BLAS)
			return blas_ways(cuda, wanted, y_stride, ways, 1, SUGGESTIONS_MIN);
		ways[0] = *wanted;
		ways[0].way = good;
		return 1;
	}
	for (enum cuda_way way = CUDA_BY_GEMV; way < CUDA_BY_BLAS; way++)
		if (can(way, wanted, y_stride)) {
			ways[count] = *wanted;
			ways[count++].way = way;
		}
	suggested = blas_ways(cuda, wanted, y_stride, ways + count, max - (uint32_t)count,
			      SUGGESTIONS_MAX);
	return count || suggested > 0 ? count + (suggested > 0 ? suggested : 0) : suggested;
}

int cuda_product_by(struct cuda *cuda, const struct cuda_product *p, const struct cuda_weight *w,
		    const uint16_t *x, void *y, uint32_t y_stride)
{
	const struct quire_op_product op = op_of(p, w, x, y);
	const struct quire_op_swiglu swiglu = {
		.gate_up = cuda->gate_up,
		.out = y,
		.rows_count = p->rows,
		.columns = p->outputs / 2,
	};
	const bool pair = p->kind == QUIRE_PRODUCT_SWIGLU;
	cublasStatus_t status;
	int rc = 0;

	switch (p->way) {
	case CUDA_BY_GEMV:
		rc = quire_cuda_gemv(&op, cuda->stream);
		break;
	case CUDA_BY_GEMM:
		rc = quire_cuda_gemm(&op, cuda->stream);
		break;
	case CUDA_BY_BLAS:
		status = by_blas(cuda, p, w, x, pair ? cuda->gate_up : y,
				 pair ? p->outputs : y_stride);
		if (status != CUBLAS_STATUS_SUCCESS)
			return blas_error(status);
		rc = pair ? quire_cuda_swiglu(&swiglu, cuda->stream) : 0;
		break;
	}
	return rc ? cuda_error((cudaError_t)rc, "a matrix product") : 0;
}

/* ---- the table of shapes ---- */

static struct cuda_product *find(struct cuda *cuda, const struct cuda_product *wanted)
{
	for (uint32_t i = 0; i < cuda->products_count; i++) {
		struct cuda_product *p = &cuda->products[i];

		if (p->rows == wanted->rows && p->outputs == wanted->outputs &&
		    p->columns == wanted->columns && p->kind == wanted->kind)
			return p;
	}
	return NULL;
}

/* A full table begins anew. */
static struct cuda_product *add(struct cuda *cuda)
{
	if (cuda->products_count == CUDA_PRODUCTS_MAX)
		cuda->products_count = 0;
	return &cuda->products[cuda->products_count];
}

int cuda_product(struct cuda *cuda, const struct cuda_weight *w, const uint16_t *x, uint32_t rows,
		 void *y, uint32_t y_stride, enum quire_product_kind kind)
{
	const struct cuda_product wanted = {
		.rows = rows,
		.outputs = w->outputs,
		.columns = w->columns,
		.kind = kind,
	};
	struct cuda_product *p = find(cuda, &wanted);
	int count;

	if (!p) {
		p = add(cuda);
		count = cuda_product_ways(cuda, &wanted, y_stride, p, 1);
		if (count < 0)
			return count;
		cuda->products_count++;
	}
	return cuda_product_by(cuda, p, w, x, y, y_stride);
}

/* ---- before the first step ---- */

const struct cuda_weight *cuda_site_weight(const struct cuda *cuda, const struct cuda_site *site,
					   uint32_t layer)
{
	if (site->weight == CUDA_HEAD)
		return &cuda->head;
	return (const struct cuda_weight *)((const char *)&cuda->layers[layer] + site->weight);
}

static int warm(struct cuda *cuda, const struct cuda_site *site, uint32_t rows)
{
	struct cuda_product *p;
	int rc;

	if (!cuda->config->fast_products || rows > CUDA_TUNED_ROWS)
		return cuda_product(cuda, cuda_site_weight(cuda, site, 0), site->x, rows, site->y,
				    site->y_stride, site->kind);
	p = add(cuda);
	rc = cuda_tune(cuda, site, rows, p);
	cuda->products_count += rc == 0;
	return rc;
}

int cuda_products_warm(struct cuda *cuda)
{
	const struct quire_model *m = &cuda->checkpoint->model;
	const struct cuda_layer *layer = &cuda->layers[0];
	const uint32_t rows_max = cuda->rows_max;
	const struct cuda_site sites[] = {
		{offsetof(struct cuda_layer, qkv), cuda->normed, cuda->qkv, layer->qkv.outputs,
		 QUIRE_PRODUCT_BF16, rows_max},
		{offsetof(struct cuda_layer, output), cuda->attended, cuda->residual, m->hidden,
		 QUIRE_PRODUCT_ADD, rows_max},
		{offsetof(struct cuda_layer, gate_up), cuda->normed, cuda->activated,
		 m->intermediate, QUIRE_PRODUCT_SWIGLU, rows_max},
		{offsetof(struct cuda_layer, down), cuda->activated, cuda->residual, m->hidden,
		 QUIRE_PRODUCT_ADD, rows_max},
		{CUDA_HEAD, cuda->wanted_normed, cuda->logits, cuda->vocab_stride,
		 QUIRE_PRODUCT_FP32, cuda->wanted_max},
	};
	cudaError_t error;
	int rc = cuda->config->fast_products ? cuda_tune_fill(cuda) : 0;

	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		for (uint32_t rows = 1; rc == 0 && rows <= sites[i].rows_max;
		     rows = cuda_rows(rows + 1))
			rc = warm(cuda, &sites[i], rows);
	error = cudaStreamSynchronize(cuda->stream);
	return rc == 0 && error != cudaSuccess ? cuda_error(error, "trying products") : rc;
}
