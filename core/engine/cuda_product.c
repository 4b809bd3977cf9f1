/*
 * cuda_product.c - products with weights; see cuda.h.
 *
 * One or two rows by a matrix that is not large go through gemv, which begins to read its
 * weights while the kernel before it ends; so measured (docs/kernels.md).  All else goes
 * through cuBLASLt.  Its choice of a kernel takes long, so it is asked once for
 * each shape, and numbers of rows are rounded up so that shapes are few: what is
 * computed of rows that are not there is thrown away.
 */
#include "cuda.h"

#include <errno.h>

uint32_t cuda_rows(uint32_t rows)
{
	const uint32_t unit = rows <= 8 ? 1 : rows <= 64 ? 8 : rows <= 512 ? 32 : 128;

	return (rows + unit - 1) / unit * unit;
}

static int blas_error(cublasStatus_t status)
{
	return quire_fail(-EIO, "cuda: a matrix product: %s", cublasLtGetStatusString(status));
}

/* cuBLASLt sees columns where C has rows: y^T = w x^T. */
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
		status = cublasLtMatrixLayoutCreate(&l->y, p->fp32 ? CUDA_R_32F : CUDA_R_16BF,
						    p->outputs, p->rows, y_stride);
	return status;
}

static cublasStatus_t choose_kernel(struct cuda *cuda, struct cuda_product *p,
				    const struct layouts *l)
{
	const size_t workspace = CUDA_WORKSPACE;
	cublasLtMatmulPreference_t preference;
	cublasLtMatmulHeuristicResult_t found;
	int count = 0;
	cublasStatus_t status = cublasLtMatmulPreferenceCreate(&preference);

	if (status != CUBLAS_STATUS_SUCCESS)
		return status;
	status = cublasLtMatmulPreferenceSetAttribute(preference,
						      CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
						      &workspace, sizeof(workspace));
	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasLtMatmulAlgoGetHeuristic(cuda->lt, l->product, l->w, l->x, l->y,
							l->y, preference, 1, &found, &count);
	if (status == CUBLAS_STATUS_SUCCESS && !count)
		status = CUBLAS_STATUS_NOT_SUPPORTED;
	p->algo = found.algo;
	cublasLtMatmulPreferenceDestroy(preference);
	return status;
}

/* The product's entry, made if it is not there; a full table begins anew. */
static cublasStatus_t find(struct cuda *cuda, const struct cuda_product *wanted,
			   const struct layouts *l, const struct cuda_product **out)
{
	struct cuda_product *p;
	cublasStatus_t status;

	for (uint32_t i = 0; i < cuda->products_count; i++) {
		p = &cuda->products[i];
		if (p->rows == wanted->rows && p->outputs == wanted->outputs &&
		    p->columns == wanted->columns && p->add == wanted->add &&
		    p->fp32 == wanted->fp32) {
			*out = p;
			return CUBLAS_STATUS_SUCCESS;
		}
	}
	if (cuda->products_count == CUDA_PRODUCTS_MAX)
		cuda->products_count = 0;
	p = &cuda->products[cuda->products_count];
	*p = *wanted;
	status = choose_kernel(cuda, p, l);
	cuda->products_count += status == CUBLAS_STATUS_SUCCESS;
	*out = p;
	return status;
}

static int by_blas(struct cuda *cuda, const struct cuda_weight *w, const uint16_t *x, uint32_t rows,
		   void *y, uint32_t y_stride, enum cuda_out out)
{
	const float one = 1, beta = out == CUDA_ADD ? 1 : 0;
	const struct cuda_product wanted = {
		.rows = rows,
		.outputs = w->outputs,
		.columns = w->columns,
		.add = out == CUDA_ADD,
		.fp32 = out != CUDA_BF16,
	};
	const struct cuda_product *p;
	struct layouts l = {0};
	cublasStatus_t status = layouts_make(&l, &wanted, y_stride);

	if (status == CUBLAS_STATUS_SUCCESS)
		status = find(cuda, &wanted, &l, &p);
	if (status == CUBLAS_STATUS_SUCCESS)
		status = cublasLtMatmul(cuda->lt, l.product, &one, w->data, l.w, x, l.x, &beta, y,
					l.y, y, l.y, &p->algo, cuda->workspace, CUDA_WORKSPACE,
					cuda->stream);
	layouts_free(&l);
	return status == CUBLAS_STATUS_SUCCESS ? 0 : blas_error(status);
}

int cuda_product(struct cuda *cuda, const struct cuda_weight *w, const uint16_t *x, uint32_t rows,
		 void *y, uint32_t y_stride, enum cuda_out out)
{
	static const enum quire_gemv_out kinds[] = {
		[CUDA_BF16] = QUIRE_GEMV_BF16,
		[CUDA_FP32] = QUIRE_GEMV_FP32,
		[CUDA_ADD] = QUIRE_GEMV_ADD,
	};
	const struct quire_op_gemv op = {
		.x = x,
		.rows_count = rows,
		.columns = w->columns,
		.weight = w->data,
		.outputs = w->outputs,
		.kind = kinds[out],
		.out = y,
	};
	int rc;

	if (!cuda_by_gemv(w, rows) || (y_stride != w->outputs && rows > 1))
		return by_blas(cuda, w, x, rows, y, y_stride, out);
	rc = quire_cuda_gemv(&op, cuda->stream);
	return rc ? cuda_error((cudaError_t)rc, "a product of a few rows") : 0;
}

int cuda_products_warm(struct cuda *cuda)
{
	const struct cuda_layer *layer = &cuda->layers[0];
	const uint32_t hidden = cuda->checkpoint->model.hidden;
	const struct {
		const struct cuda_weight *w;
		const uint16_t *x;
		void *y;
		enum cuda_out out;
	} products[] = {
		{&layer->qkv, cuda->normed, cuda->qkv, CUDA_BF16},
		{&layer->output, cuda->attended, cuda->residual, CUDA_ADD},
		{&layer->gate_up, cuda->normed, cuda->gate_up, CUDA_BF16},
		{&layer->down, cuda->activated, cuda->residual, CUDA_ADD},
	};
	cudaError_t error;
	int rc = 0;

	for (uint32_t rows = 1; rc == 0 && rows <= cuda->rows_max; rows = cuda_rows(rows + 1))
		for (size_t i = 0; rc == 0 && i < sizeof(products) / sizeof(products[0]); i++)
			rc = cuda_product(cuda, products[i].w, products[i].x, rows, products[i].y,
					  products[i].out == CUDA_ADD ? hidden
								      : products[i].w->outputs,
					  products[i].out);
	for (uint32_t rows = 1; rc == 0 && rows <= cuda->wanted_max; rows = cuda_rows(rows + 1))
		rc = cuda_product(cuda, &cuda->head, cuda->wanted_normed, rows, cuda->logits,
				  cuda->vocab_stride, CUDA_FP32);
	error = cudaStreamSynchronize(cuda->stream);
	return rc == 0 && error != cudaSuccess ? cuda_error(error, "trying products") : rc;
}
