/*
 * cublas_lt.cpp - matrix products of the emulator: three loops.
 *
 *	D = alpha op(A) op(B) + beta C		all stored by columns
 *
 * A and B are bf16, C and D are one matrix, of bf16 or fp32; sums are fp32.  As of the real
 * one, several algorithms can be had, which sum in different orders; one of them turns
 * out, when it is asked for or not before it is used, not to do this shape after all; one
 * spoils its workspace.
 */
#include "emulator.h"

#include "cublasLt.h"

#include <vector>

struct cublasLtContext {
	int unused;
};
struct cublasLtMatmulDesc {
	bool a_transposed, b_transposed;
};
struct cublasLtMatrixLayout {
	cudaDataType_t type;
	uint64_t rows, columns, leading;
};
struct cublasLtMatmulPreference {
	size_t workspace_bytes;
	uint32_t reductions; /* CUBLASLT_REDUCTION_SCHEME_... */
};

/* A product: A is [m][k] and B [k][n] when they are transposed as asked for. */
struct product {
	uint64_t m, n, k;
	cublasLtMatrixLayout a, b, d;
	bool a_transposed, b_transposed;
};

/* The algorithms, in the order in which they are suggested. */
static const struct algorithm {
	unsigned parts; /* of a sum, which are summed */
	size_t workspace_bytes;
	bool suggested_bad, runs;
} algorithms[] = {
	{1, 0, false, true},	    {2, 0, false, true},  {1, 0, true, false},
	{4, 1 << 20, false, true},  {1, 0, false, false}, {8, 4 << 20, false, true},
	{3, 64 << 20, false, true}, {7, 0, false, true},
};
#define ALGORITHMS (int)(sizeof(algorithms) / sizeof(algorithms[0]))

/* ---- descriptions ---- */

const char *cublasLtGetStatusString(cublasStatus_t status)
{
	return status == CUBLAS_STATUS_SUCCESS	       ? "CUBLAS_STATUS_SUCCESS"
	       : status == CUBLAS_STATUS_INVALID_VALUE ? "CUBLAS_STATUS_INVALID_VALUE"
	       : status == CUBLAS_STATUS_NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED"
						       : "CUBLAS_STATUS_EXECUTION_FAILED";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
	*handle = new cublasLtContext();
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
	delete handle;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *desc, cublasComputeType_t compute,
					cudaDataType_t scale)
{
	if (compute != CUBLAS_COMPUTE_32F || scale != CUDA_R_32F)
		return CUBLAS_STATUS_NOT_SUPPORTED;
	*desc = new cublasLtMatmulDesc();
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc)
{
	delete desc;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
					      cublasLtMatmulDescAttributes_t attribute,
					      const void *value, size_t bytes)
{
	cublasOperation_t operation;

	if (bytes != sizeof(operation))
		return CUBLAS_STATUS_INVALID_VALUE;
	memcpy(&operation, value, bytes);
	if (attribute == CUBLASLT_MATMUL_DESC_TRANSA)
		desc->a_transposed = operation == CUBLAS_OP_T;
	else
		desc->b_transposed = operation == CUBLAS_OP_T;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout, cudaDataType_t type,
					  uint64_t rows, uint64_t columns, int64_t leading)
{
	if (leading < (int64_t)rows || !rows || !columns)
		return CUBLAS_STATUS_INVALID_VALUE;
	*layout = new cublasLtMatrixLayout{type, rows, columns, (uint64_t)leading};
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
	delete layout;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *preference)
{
	*preference = new cublasLtMatmulPreference{0, CUBLASLT_REDUCTION_SCHEME_MASK};
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference)
{
	delete preference;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
						    cublasLtMatmulPreferenceAttributes_t attribute,
						    const void *value, size_t bytes)
{
	const bool workspace = attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
	void *to = workspace ? (void *)&preference->workspace_bytes : &preference->reductions;

	if (bytes != (workspace ? sizeof(size_t) : sizeof(uint32_t)))
		return CUBLAS_STATUS_INVALID_VALUE;
	memcpy(to, value, bytes);
	return CUBLAS_STATUS_SUCCESS;
}

/* ---- products ---- */

static cublasStatus_t describe(product *p, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,
			       cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
			       cublasLtMatrixLayout_t d)
{
	p->a_transposed = desc->a_transposed;
	p->b_transposed = desc->b_transposed;
	p->m = p->a_transposed ? a->columns : a->rows;
	p->k = p->a_transposed ? a->rows : a->columns;
	p->n = p->b_transposed ? b->rows : b->columns;
	p->a = *a, p->b = *b, p->d = *d;
	if (p->k != (p->b_transposed ? b->columns : b->rows) || d->rows != p->m ||
	    d->columns != p->n || memcmp(c, d, sizeof(*c)) != 0)
		return CUBLAS_STATUS_INVALID_VALUE;
	return a->type == CUDA_R_16BF && b->type == CUDA_R_16BF ? CUBLAS_STATUS_SUCCESS
								: CUBLAS_STATUS_NOT_SUPPORTED;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t desc,
					      cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
					      cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
					      cublasLtMatmulPreference_t preference, int wanted,
					      cublasLtMatmulHeuristicResult_t results[], int *count)
{
	product p;
	cublasStatus_t status = describe(&p, desc, a, b, c, d);

	*count = 0;
	for (int i = 0; status == CUBLAS_STATUS_SUCCESS && i < ALGORITHMS && *count < wanted; i++) {
		if (algorithms[i].workspace_bytes > preference->workspace_bytes ||
		    (algorithms[i].parts > 1 &&
		     !(preference->reductions & CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE)))
			continue;
		memset(&results[*count], 0xff, sizeof(results[*count]));
		results[*count].state = CUBLAS_STATUS_NOT_SUPPORTED;
		if (!algorithms[i].suggested_bad) {
			results[*count].algo = {{(uint64_t)i, p.m, p.n, p.k, p.d.leading}};
			results[*count].workspaceSize = algorithms[i].workspace_bytes;
			results[*count].state = CUBLAS_STATUS_SUCCESS;
			results[*count].wavesCount = 1;
		}
		++*count;
	}
	return status;
}

static float bf16(const void *matrix, uint64_t at)
{
	return __uint_as_float((uint32_t)((const uint16_t *)matrix)[at] << 16);
}

/* Where an element of a matrix lies, which may be transposed. */
static uint64_t place(const cublasLtMatrixLayout &layout, bool transposed, uint64_t row,
		      uint64_t column)
{
	return transposed ? column + row * layout.leading : row + column * layout.leading;
}

static void multiply(const product &p, unsigned parts, float alpha, const void *a, const void *b,
		     float beta, void *d)
{
	std::vector<float> left(p.k * p.m), part(p.m), sum(p.m);

	for (uint64_t i = 0; i < p.m; i++)
		for (uint64_t l = 0; l < p.k; l++)
			left[l * p.m + i] = bf16(a, place(p.a, p.a_transposed, i, l));
	for (uint64_t j = 0; j < p.n; j++) {
		std::fill(sum.begin(), sum.end(), 0.0f);
		for (unsigned first = 0; first < parts; first++) {
			std::fill(part.begin(), part.end(), 0.0f);
			for (uint64_t l = first; l < p.k; l += parts) {
				const float right = bf16(b, place(p.b, p.b_transposed, l, j));

				for (uint64_t i = 0; i < p.m; i++)
					part[i] += left[l * p.m + i] * right;
			}
			for (uint64_t i = 0; i < p.m; i++)
				sum[i] += part[i];
		}
		for (uint64_t i = 0; i < p.m; i++) {
			const uint64_t at = j * p.d.leading + i;
			const bool fp32 = p.d.type == CUDA_R_32F;
			float value = alpha * sum[i];

			if (beta != 0) /* otherwise what is there is not read: it may be NaN */
				value += beta * (fp32 ? ((float *)d)[at] : bf16(d, at));
			if (fp32)
				((float *)d)[at] = value;
			else
				((uint16_t *)d)[at] = (uint16_t)bf16_pack(value, 0);
		}
	}
}

static size_t bytes_of(const cublasLtMatrixLayout &layout)
{
	return ((layout.columns - 1) * layout.leading + layout.rows) *
	       (layout.type == CUDA_R_32F ? 4 : 2);
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void *alpha,
			      const void *a, cublasLtMatrixLayout_t a_layout, const void *b,
			      cublasLtMatrixLayout_t b_layout, const void *beta, const void *c,
			      cublasLtMatrixLayout_t c_layout, void *d,
			      cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algo,
			      void *workspace, size_t workspace_bytes, cudaStream_t stream)
{
	product p;
	const algorithm *how;
	float scale, keep;
	cublasStatus_t status = describe(&p, desc, a_layout, b_layout, c_layout, d_layout);

	if (status != CUBLAS_STATUS_SUCCESS)
		return status;
	if (c != d || algo->data[0] >= ALGORITHMS || (uintptr_t)a % 16 || (uintptr_t)b % 16 ||
	    (uintptr_t)d % 16 || (uintptr_t)workspace % 16)
		return CUBLAS_STATUS_INVALID_VALUE;
	how = &algorithms[algo->data[0]];
	if (!how->runs || algo->data[1] != p.m || algo->data[2] != p.n || algo->data[3] != p.k ||
	    algo->data[4] != p.d.leading || how->workspace_bytes > workspace_bytes)
		return CUBLAS_STATUS_NOT_SUPPORTED;
	memcpy(&scale, alpha, sizeof(scale));
	memcpy(&keep, beta, sizeof(keep));
	emulator_on_device("A of a product", a, bytes_of(p.a));
	emulator_on_device("B of a product", b, bytes_of(p.b));
	emulator_on_device("D of a product", d, bytes_of(p.d));
	emulator_on_device("the workspace of a product", workspace, how->workspace_bytes);
	emulator_enqueue(stream, [=] {
		memset(workspace, 0xff, how->workspace_bytes);
		multiply(p, how->parts, scale, a, b, keep, d);
	});
	return CUBLAS_STATUS_SUCCESS;
}
