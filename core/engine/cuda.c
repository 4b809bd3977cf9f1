/*
 * cuda.c - the cuda executor's device and memory; see cuda.h.
 */
#include "cuda.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */

/* The runtime says the same of a driver that is too old and of one that is not there. */
static int driver_error(void)
{
	const int built = CUDART_VERSION;
	int version = 0;

	if (cudaDriverGetVersion(&version) != cudaSuccess || !version)
		return quire_fail(-ENODEV, "cuda: there is no NVIDIA driver here; use --exec cpu");
	return quire_fail(
		-ENODEV,
		"cuda: the driver is good for CUDA %d.%d, and quire was built with %d.%d; "
		"update the driver, or use --exec cpu",
		version / 1000, version % 1000 / 10, built / 1000, built % 1000 / 10);
}

int cuda_error(cudaError_t error, const char *what)
{
	if (error == cudaErrorMemoryAllocation)
		return quire_fail(-ENOMEM, "cuda: %s: the device is out of memory", what);
	if (error == cudaErrorInsufficientDriver)
		return driver_error();
	if (error == cudaErrorNoDevice)
		return quire_fail(-ENODEV, "cuda: there is no GPU here; use --exec cpu");
	return quire_fail(-EIO, "cuda: %s: %s (%s)", what, cudaGetErrorString(error),
			  cudaGetErrorName(error));
}

int quire_cuda_memory(uint64_t *free_bytes, uint64_t *total_bytes)
{
	size_t free_size, total_size;
	int count = 0;
	cudaError_t error = cudaGetDeviceCount(&count);

	if (error == cudaSuccess && count == 0)
		error = cudaErrorNoDevice;
	if (error == cudaSuccess)
		error = cudaMemGetInfo(&free_size, &total_size);
	if (error != cudaSuccess)
		return cuda_error(error, "looking for a GPU");
	*free_bytes = free_size;
	*total_bytes = total_size;
	return 0;
}

const char *quire_cuda_name(void)
{
	static struct cudaDeviceProp properties;

	if (cudaGetDeviceProperties(&properties, 0) != cudaSuccess)
		properties.name[0] = '\0';
	return properties.name;
}

/* ---- memory ---- */

int cuda_take(struct cuda *cuda, void *pointer, uint64_t bytes, const char *what)
{
	size_t free_bytes = 0, total_bytes = 0;
	void *at = NULL;
	cudaError_t error;

	if (cuda->taken_count == sizeof(cuda->taken) / sizeof(cuda->taken[0]))
		return quire_fail(-ENOMEM, "cuda: more pieces of memory than are counted");
	error = cudaMalloc(&at, bytes ? bytes : 16);
	if (error != cudaSuccess) {
		cudaGetLastError(); /* it is told, not kept */
		if (error != cudaErrorMemoryAllocation)
			return cuda_error(error, what);
		cudaMemGetInfo(&free_bytes, &total_bytes);
		return quire_fail(-ENOMEM,
				  "cuda: %s takes %.1f MiB, and %.1f MiB of the device's %.0f are "
				  "free; make the pool (--kv-memory), --max-num-batched-tokens or "
				  "the model smaller",
				  what, (double)bytes / 0x1p20, (double)free_bytes / 0x1p20,
				  (double)total_bytes / 0x1p20);
	}
	cuda->taken[cuda->taken_count++] = at;
	cuda->taken_bytes += bytes;
	*(void **)pointer = at;
	return 0;
}

int cuda_take_pinned(void *pointer, uint64_t bytes, const char *what)
{
	cudaError_t error = cudaMallocHost(pointer, bytes);

	return error == cudaSuccess ? 0 : cuda_error(error, what);
}

static int take_activations(struct cuda *cuda)
{
	const struct quire_model *m = &cuda->checkpoint->model;
	const uint64_t rows = cuda->rows_max, wanted = cuda->wanted_max;
	const uint64_t q = (uint64_t)m->heads * m->head_dim;
	const uint64_t kv = (uint64_t)m->kv_heads * m->head_dim;
	const struct {
		void *pointer;
		uint64_t bytes;
	} all[] = {
		{&cuda->residual, rows * m->hidden * 4},
		{&cuda->normed, rows * m->hidden * 2},
		{&cuda->qkv, rows * (q + 2 * kv) * 2},
		{&cuda->attended, rows * q * 2},
		{&cuda->gate_up, rows * m->intermediate * 4},
		{&cuda->activated, rows * m->intermediate * 2},
		{&cuda->wanted_normed, wanted * m->hidden * 2},
		{&cuda->logits, wanted * cuda->vocab_stride * 4},
		{&cuda->choices, wanted * sizeof(*cuda->choices)},
		{&cuda->draws, wanted * sizeof(*cuda->draws)},
		{&cuda->tokens, wanted * sizeof(*cuda->tokens)},
		{&cuda->choose_scratch, quire_choose_scratch_bytes(cuda->wanted_max, m->vocab)},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++) {
		rc = cuda_take(cuda, all[i].pointer, all[i].bytes, "room for a step");
		if (rc == 0)
			cudaMemsetAsync(*(void **)all[i].pointer, 0, all[i].bytes, cuda->stream);
	}
	if (rc == 0)
		rc = cuda_take_pinned(&cuda->host_choices, wanted * sizeof(*cuda->host_choices),
				      "room for results");
	if (rc == 0)
		rc = cuda_take_pinned(&cuda->host_draws, wanted * sizeof(*cuda->host_draws),
				      "room for results");
	if (rc == 0)
		rc = cuda_take_pinned(&cuda->host_tokens, wanted * sizeof(*cuda->host_tokens),
				      "room for results");
	if (rc == 0)
		rc = cuda_take_pinned(&cuda->host_logits, m->vocab * sizeof(float),
				      "room for results");
	return rc;
}

static int take_attention(struct cuda *cuda)
{
	const struct quire_model *m = &cuda->checkpoint->model;
	struct quire_attention_limits *l = &cuda->limits;
	int rc;

	*l = (struct quire_attention_limits){
		.heads = m->heads,
		.kv_heads = m->kv_heads,
		.head_dim = m->head_dim,
		.window = cuda->checkpoint->window,
		.multiprocessors = cuda->multiprocessors,
	};
	l->few_max = l->many_max = quire_attention_work_max(l, cuda->rows_max, cuda->rows_max);
	l->parts_max = 8 * cuda->multiprocessors + 256;
	rc = cuda_take(cuda, &cuda->partial_few, quire_attention_partial_bytes(l, QUIRE_TILE_FEW),
		       "room for attention");
	if (rc == 0)
		rc = cuda_take(cuda, &cuda->partial_many,
			       quire_attention_partial_bytes(l, QUIRE_TILE_MANY),
			       "room for attention");
	for (int i = 0; rc == 0 && i < 2; i++) {
		const uint64_t bytes = (uint64_t)l->parts_max * l->kv_heads * sizeof(uint32_t);
		uint32_t **tickets = i ? &cuda->tickets_many : &cuda->tickets_few;

		rc = cuda_take(cuda, tickets, bytes, "room for attention");
		if (rc == 0)
			cudaMemsetAsync(*tickets, 0, bytes, cuda->stream);
	}
	return rc;
}

static int take_rope(struct cuda *cuda)
{
	const uint32_t head_dim = cuda->checkpoint->model.head_dim;
	const uint32_t positions = cuda->config->seq_tokens_max;
	float host[256], *frequency = NULL;
	struct quire_op_rope_table op = {.head_dim = head_dim, .positions = positions};
	int rc;

	quire_rope_frequencies(&cuda->checkpoint->rope, head_dim, host);
	rc = cuda_take(cuda, &frequency, sizeof(host), "positions");
	if (rc == 0)
		rc = cuda_take(cuda, &cuda->rope_table, (uint64_t)positions * head_dim * 4,
			       "positions");
	if (rc)
		return rc;
	cudaMemcpyAsync(frequency, host, head_dim / 2 * sizeof(float), cudaMemcpyHostToDevice,
			cuda->stream);
	op.frequency = frequency;
	op.table = cuda->rope_table;
	rc = quire_cuda_rope_table(&op, cuda->stream);
	return rc ? cuda_error((cudaError_t)rc, "positions") : 0;
}

static int take_pool(struct cuda *cuda)
{
	const struct quire_model *m = &cuda->checkpoint->model;
	struct quire_dev_pool *pool = &cuda->pool;

	*pool = (struct quire_dev_pool){
		.layers = m->layers,
		.slots = cuda->config->slots_total,
		.slot_elements = m->kv_heads * m->head_dim,
	};
	return cuda_take(cuda, &pool->data,
			 (uint64_t)2 * pool->layers * pool->slots * pool->slot_elements * 2,
			 "the pool of K and V");
}

/* ---- the device ---- */

static int open_device(struct cuda *cuda)
{
	struct cudaDeviceProp properties;
	cublasStatus_t status;
	int count = 0;
	cudaError_t error = cudaGetDeviceCount(&count);

	if (error == cudaSuccess && count == 0)
		error = cudaErrorNoDevice;
	if (error == cudaSuccess)
		error = cudaGetDeviceProperties(&properties, 0);
	if (error != cudaSuccess)
		return cuda_error(error, "looking for a GPU");
	if (properties.major < 8)
		return quire_fail(-ENOTSUP,
				  "cuda: %s has compute capability %d.%d; the kernels need 8.0",
				  properties.name, properties.major, properties.minor);
	snprintf(cuda->name, sizeof(cuda->name), "%s", properties.name);
	cuda->multiprocessors = (uint32_t)properties.multiProcessorCount;
	error = cudaStreamCreateWithFlags(&cuda->stream, cudaStreamNonBlocking);
	if (error == cudaSuccess)
		error = cudaEventCreateWithFlags(&cuda->uploaded, cudaEventDisableTiming);
	if (error != cudaSuccess)
		return cuda_error(error, "making a stream");
	status = cublasLtCreate(&cuda->lt);
	if (status != CUBLAS_STATUS_SUCCESS)
		return quire_fail(-EIO, "cuda: cuBLASLt does not start (status %d)", (int)status);
	return cuda_take(cuda, &cuda->workspace, CUDA_WORKSPACE, "room for cuBLASLt");
}

static int check_shape(const struct quire_engine_config *config)
{
	const struct quire_model *m = &config->checkpoint->model;

	if (config->kv_type != QUIRE_BF16)
		return quire_fail(-ENOTSUP,
				  "--kv-dtype %s: the cuda executor keeps K and V in bf16",
				  quire_weight_type_name(config->kv_type));
	if (m->head_dim != 64 && m->head_dim != 128)
		return quire_fail(-ENOTSUP,
				  "heads of %u numbers; the cuda executor does 64 and 128",
				  m->head_dim);
	if (m->hidden % 8 || m->intermediate % 8 || m->hidden > 16384)
		return quire_fail(-ENOTSUP,
				  "%s: hidden %u and intermediate %u must be multiples of 8, and "
				  "hidden at most 16384",
				  m->name, m->hidden, m->intermediate);
	return 0;
}

static int device_open(struct engine *engine)
{
	const struct quire_engine_config *config = &engine->config;
	struct cuda *cuda = engine->backend = calloc(1, sizeof(*cuda));
	int rc;

	if (!cuda)
		return quire_fail(-ENOMEM, "no memory for the cuda executor");
	cuda->config = config;
	cuda->checkpoint = config->checkpoint;
	cuda->rows_max = cuda_rows(engine->batch_rows_max);
	/* Each row of a batch may be wanted, but one of a sequence at most, but for tests. */
	cuda->wanted_max =
		cuda_rows(config->seqs_max < engine->batch_rows_max ? config->seqs_max
								    : engine->batch_rows_max);
	cuda->vocab_stride = (config->checkpoint->model.vocab + 7) / 8 * 8;
	rc = check_shape(config);
	if (rc == 0)
		rc = open_device(cuda);
	if (rc == 0)
		rc = cuda_weights(cuda);
	if (rc == 0)
		rc = take_rope(cuda);
	if (rc == 0)
		rc = take_activations(cuda);
	if (rc == 0)
		rc = take_attention(cuda);
	if (rc == 0)
		rc = cuda_input_open(cuda);
	if (rc == 0)
		rc = take_pool(cuda); /* the largest comes last: what is short is the pool */
	if (rc == 0)
		rc = cuda_products_warm(cuda);
	return rc;
}

static void device_close(struct engine *engine)
{
	struct cuda *cuda = engine->backend;

	if (!cuda)
		return;
	if (cuda->stream)
		cudaStreamSynchronize(cuda->stream);
	cuda_graphs_free(cuda);
	for (uint32_t i = 0; i < cuda->taken_count; i++)
		cudaFree(cuda->taken[i]);
	cudaFreeHost(cuda->host_choices);
	cudaFreeHost(cuda->host_draws);
	cudaFreeHost(cuda->host_tokens);
	cudaFreeHost(cuda->host_logits);
	cudaFreeHost(cuda->host_input);
	if (cuda->lt)
		cublasLtDestroy(cuda->lt);
	if (cuda->uploaded)
		cudaEventDestroy(cuda->uploaded);
	if (cuda->stream)
		cudaStreamDestroy(cuda->stream);
	free(cuda->all_logits);
	free(cuda->layers);
	free(cuda);
}

/* ---- slots ---- */

/*
 * One copy is a launch; they are ordered by the stream.  A list of many that belong to a
 * step is sent by waves, which cost as much as one.
 */
static int device_copy(struct engine *engine, const struct quire_copy *copy)
{
	struct cuda *cuda = engine->backend;
	const size_t slot_bytes = (size_t)cuda->pool.slot_elements * 2;
	const size_t pitch = (size_t)cuda->pool.slots * slot_bytes;
	cudaError_t error;

	/* Planes are rows of a picture: some slots of each. */
	error = cudaMemcpy2DAsync((char *)cuda->pool.data + copy->to * slot_bytes, pitch,
				  (char *)cuda->pool.data + copy->from * slot_bytes, pitch,
				  copy->slots * slot_bytes, (size_t)2 * cuda->pool.layers,
				  cudaMemcpyDeviceToDevice, cuda->stream);
	return error == cudaSuccess ? 0 : cuda_error(error, "copying blocks");
}

static int device_poison(struct engine *engine, uint32_t first, uint32_t slots)
{
	struct cuda *cuda = engine->backend;
	const struct quire_op_poison_slots op = {cuda->pool, first, slots};
	int rc = quire_cuda_poison_slots(&op, cuda->stream);

	return rc ? cuda_error((cudaError_t)rc, "poisoning slots") : 0;
}

const struct engine_ops engine_cuda = {
	.name = "cuda",
	.summary = "runs the model on a GPU: kernels and cuBLASLt, in real time",
	.logits_rows_max = CUDA_LOGITS_ROWS,
	.open = device_open,
	.close = device_close,
	.copy = device_copy,
	.poison = device_poison,
	.forward = cuda_forward,
	.logits = cuda_logits,
	.choose = cuda_choose,
	.finish = cuda_finish,
};
