/*
 * bench.c - see bench.h.
 *
 *	bench [ceilings] [products] [rows] [attention] [steps]	all, if none is named
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS		15
#define WORKSPACE_BYTES ((size_t)64 << 20)

cudaStream_t stream;
double copy_bytes_per_s = 4.25e12, matrix_flops_per_s = 790e12; /* until they are measured */
int multiprocessors;

static cublasLtHandle_t blas;
static void *workspace;
static uint64_t state = 1;

void must(const char *what, int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "bench: %s: error %d, %s\n", what, rc, cudaGetErrorString((cudaError_t)rc));
	exit(1);
}

/* ---- memory ---- */

void *device_new(size_t bytes)
{
	void *pointer;

	must("cudaMalloc", (int)cudaMalloc(&pointer, bytes));
	return pointer;
}

void device_free(void *pointer)
{
	must("cudaFree", (int)cudaFree(pointer));
}

void *device_random(uint64_t count, double deviation)
{
	static uint64_t seed;
	struct quire_op_random op = {device_new(count * 2), count, ++seed << 32, (float)deviation};

	must("random", quire_cuda_random(&op, stream));
	must("random", (int)cudaStreamSynchronize(stream));
	return op.out;
}

void *device_copy(const void *host, size_t bytes)
{
	void *pointer = device_new(bytes);

	must("to the device", (int)cudaMemcpy(pointer, host, bytes, cudaMemcpyHostToDevice));
	return pointer;
}

void *host_copy(const void *device, size_t bytes)
{
	void *host = malloc(bytes);

	must("memory", !host);
	must("from the device", (int)cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost));
	return host;
}

/* ---- numbers ---- */

double of_bf16(uint16_t bits)
{
	const uint32_t wide = (uint32_t)bits << 16;
	float value;

	memcpy(&value, &wide, sizeof(value));
	return (double)value;
}

uint32_t draw_below(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % n);
}

void checked(const char *what, const double *out, const double *ref, size_t count, double error_max)
{
	double off = 0, sum = 0;

	for (size_t i = 0; i < count; i++) {
		off += (out[i] - ref[i]) * (out[i] - ref[i]);
		sum += ref[i] * ref[i];
	}
	if (count && sqrt(off / sum) <= error_max)
		return;
	fprintf(stderr, "bench: %s is wrong: relative error %g over %zu outputs\n", what,
		sqrt(off / sum), count);
	exit(1);
}

/* ---- time ---- */

static int by_size(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

double seconds_of(run_fn *run, void *arg, uint32_t graphed)
{
	cudaEvent_t begin, end;
	cudaGraph_t graph = NULL;
	cudaGraphExec_t replay = NULL;
	float ms[RUNS];

	run(arg, 0); /* modules are loaded, attributes set */
	must("run", (int)cudaStreamSynchronize(stream));
	if (graphed > 1) {
		must("capture",
		     (int)cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
		for (uint32_t i = 0; i < graphed; i++)
			run(arg, i);
		must("capture", (int)cudaStreamEndCapture(stream, &graph));
		must("graph", (int)cudaGraphInstantiate(&replay, graph, 0));
	}
	must("event", (int)cudaEventCreate(&begin));
	must("event", (int)cudaEventCreate(&end));
	for (int i = -3; i < RUNS; i++) {
		must("event", (int)cudaEventRecord(begin, stream));
		if (replay)
			must("replay", (int)cudaGraphLaunch(replay, stream));
		else
			run(arg, (uint32_t)(i + 3));
		must("event", (int)cudaEventRecord(end, stream));
		must("run", (int)cudaEventSynchronize(end));
		if (i >= 0)
			must("event", (int)cudaEventElapsedTime(&ms[i], begin, end));
	}
	qsort(ms, RUNS, sizeof(*ms), by_size);
	if (replay) {
		must("graph", (int)cudaGraphExecDestroy(replay));
		must("graph", (int)cudaGraphDestroy(graph));
	}
	must("event", (int)cudaEventDestroy(begin));
	must("event", (int)cudaEventDestroy(end));
	return (double)ms[RUNS / 2] * 1e-3 / (graphed ? graphed : 1);
}

void report_bytes(const char *what, double seconds, double bytes)
{
	printf("%-58s %9.2f us  %6.2f TB/s     %5.1f %%\n", what, seconds * 1e6,
	       bytes / seconds * 1e-12, 100 * bytes / seconds / copy_bytes_per_s);
	fflush(stdout);
}

void report_flops(const char *what, double seconds, double flops)
{
	printf("%-58s %9.2f us  %6.1f TFLOP/s  %5.1f %%\n", what, seconds * 1e6,
	       flops / seconds * 1e-12, 100 * flops / seconds / matrix_flops_per_s);
	fflush(stdout);
}

/* ---- cuBLASLt ---- */

/* One way of a product, over several weights. */
struct trial {
	const struct product *product;
	const uint16_t *x, *weights;
	uint64_t elements; /* of a weight */
	uint32_t copies;
	void *y;
};

static void run_trial(void *arg, uint32_t index)
{
	struct trial *t = arg;

	product_run(t->product, t->x, t->weights + index % t->copies * t->elements, t->y);
}

static void choose(struct product *p, uint32_t rows, uint32_t columns, uint32_t outputs,
		   const cublasLtMatmulHeuristicResult_t *found, int count)
{
	const uint64_t elements = (uint64_t)columns * outputs;
	struct trial t = {
		.product = p,
		.elements = elements,
		.copies = product_copies(elements),
	};
	double least = INFINITY;
	int best = 0;

	t.x = device_random((uint64_t)rows * columns, 1);
	t.weights = device_random(elements * t.copies, 1);
	t.y = device_new((size_t)rows * outputs * 4);
	must("memset", (int)cudaMemset(t.y, 0, (size_t)rows * outputs * 4));
	for (int i = 0; i < count; i++) {
		double seconds;

		p->how = found[i].algo;
		seconds = seconds_of(run_trial, &t, t.copies);
		if (seconds < least) {
			least = seconds;
			best = i;
		}
	}
	p->how = found[best].algo;
	p->seconds = least;
	device_free((void *)t.x), device_free((void *)t.weights), device_free(t.y);
}

void product_new(struct product *p, uint32_t rows, uint32_t columns, uint32_t outputs, bool fp32,
		 bool add, int tried)
{
	const cudaDataType_t y_type = fp32 ? CUDA_R_32F : CUDA_R_16BF;
	const cublasOperation_t transposed = CUBLAS_OP_T;
	const size_t bytes = WORKSPACE_BYTES;
	cublasLtMatmulPreference_t wish;
	cublasLtMatmulHeuristicResult_t found[PRODUCT_TRIED];
	int count = 0;

	if (!blas) {
		must("cuBLASLt", (int)cublasLtCreate(&blas));
		workspace = device_new(WORKSPACE_BYTES);
	}
	/* Column by column, as it sees it: y [outputs][rows] = weight^T x. */
	p->add = add;
	must("cuBLASLt", (int)cublasLtMatmulDescCreate(&p->what, CUBLAS_COMPUTE_32F, CUDA_R_32F));
	must("cuBLASLt", (int)cublasLtMatmulDescSetAttribute(p->what, CUBLASLT_MATMUL_DESC_TRANSA,
							     &transposed, sizeof(transposed)));
	must("cuBLASLt",
	     (int)cublasLtMatrixLayoutCreate(&p->weight, CUDA_R_16BF, columns, outputs, columns));
	must("cuBLASLt",
	     (int)cublasLtMatrixLayoutCreate(&p->x, CUDA_R_16BF, columns, rows, columns));
	must("cuBLASLt", (int)cublasLtMatrixLayoutCreate(&p->y, y_type, outputs, rows, outputs));
	must("cuBLASLt", (int)cublasLtMatmulPreferenceCreate(&wish));
	must("cuBLASLt",
	     (int)cublasLtMatmulPreferenceSetAttribute(
		     wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof(bytes)));
	must("cuBLASLt", (int)cublasLtMatmulAlgoGetHeuristic(blas, p->what, p->weight, p->x, p->y,
							     p->y, wish, tried, found, &count));
	must("cuBLASLt has no way", !count);
	p->how = found[0].algo;
	if (tried > 1)
		choose(p, rows, columns, outputs, found, count);
	must("cuBLASLt", (int)cublasLtMatmulPreferenceDestroy(wish));
}

void product_run(const struct product *p, const void *x, const void *weight, void *y)
{
	const float one = 1, zero = 0;

	must("cuBLASLt", (int)cublasLtMatmul(blas, p->what, &one, weight, p->weight, x, p->x,
					     p->add ? &one : &zero, y, p->y, y, p->y, &p->how,
					     workspace, WORKSPACE_BYTES, stream));
}

void product_free(struct product *p)
{
	must("cuBLASLt", (int)cublasLtMatmulDescDestroy(p->what));
	must("cuBLASLt", (int)cublasLtMatrixLayoutDestroy(p->weight));
	must("cuBLASLt", (int)cublasLtMatrixLayoutDestroy(p->x));
	must("cuBLASLt", (int)cublasLtMatrixLayoutDestroy(p->y));
}

/* ---- ceilings ---- */

struct copy {
	void *from, *to;
	size_t bytes;
};

static void run_copy(void *arg, uint32_t index)
{
	struct copy *c = arg;

	(void)index;
	must("copy",
	     (int)cudaMemcpyAsync(c->to, c->from, c->bytes, cudaMemcpyDeviceToDevice, stream));
}

struct square {
	struct product product;
	void *x, *weight, *y;
};

static void run_square(void *arg, uint32_t index)
{
	struct square *s = arg;

	(void)index;
	product_run(&s->product, s->x, s->weight, s->y);
}

void bench_ceilings(void)
{
	const uint32_t n = 8192;
	struct copy c = {.bytes = (size_t)4 << 30};
	struct square s;
	double seconds;

	c.from = device_random(c.bytes / 2, 1);
	c.to = device_new(c.bytes);
	seconds = seconds_of(run_copy, &c, 1);
	copy_bytes_per_s = 2 * (double)c.bytes / seconds;
	report_bytes("ceiling: copy of 4 GiB, read and written", seconds, 2 * (double)c.bytes);
	device_free(c.from), device_free(c.to);

	product_new(&s.product, n, n, n, false, false, 1);
	s.x = device_random((uint64_t)n * n, 1);
	s.weight = device_random((uint64_t)n * n, 1);
	s.y = device_new((size_t)n * n * 2);
	seconds = seconds_of(run_square, &s, 1);
	matrix_flops_per_s = 2.0 * n * n * n / seconds;
	report_flops("ceiling: bf16 product 8192 x 8192 x 8192, cuBLASLt", seconds,
		     2.0 * n * n * n);
	device_free(s.x), device_free(s.weight), device_free(s.y);
	product_free(&s.product);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {
		{"ceilings", bench_ceilings},	{"products", bench_products}, {"rows", bench_rows},
		{"attention", bench_attention}, {"steps", bench_steps},
	};
	struct cudaDeviceProp device;
	int devices = 0;

	if (cudaGetDeviceCount(&devices) != cudaSuccess || !devices) {
		printf("skipped: no GPU that CUDA can use\n");
		return 77;
	}
	must("device", (int)cudaGetDeviceProperties(&device, 0));
	multiprocessors = device.multiProcessorCount;
	printf("%s, %d multiprocessors, %d MiB of L2\n", device.name, multiprocessors,
	       device.l2CacheSize >> 20);
	must("stream", (int)cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		bool wanted = argc == 1;

		for (int a = 1; a < argc; a++)
			wanted = wanted || !strcmp(argv[a], parts[i].name);
		if (!wanted)
			continue;
		printf("\n-- %s\n", parts[i].name);
		parts[i].run();
	}
	return 0;
}
