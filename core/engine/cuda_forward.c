/*
 * cuda_forward.c - the kernels of a batch, in order; see cuda.h.
 *
 * A batch is the same list of kernels as the last one of its shape.  Where launching them
 * takes longer than computing, the list is captured into a graph once, and replayed: some
 * hundred launches less for the host.
 */
#include "cuda.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static int told(int rc, const char *what)
{
	return rc ? cuda_error((cudaError_t)rc, what) : 0;
}

static int norm(struct cuda *cuda, const uint16_t *weight, uint32_t rows)
{
	const struct quire_op_norm op = {
		.residual = cuda->residual,
		.weight = weight,
		.out = cuda->normed,
		.rows_count = rows,
		.columns = cuda->checkpoint->model.hidden,
		.eps = (float)cuda->checkpoint->norm_eps,
	};

	return told(quire_cuda_norm(&op, cuda->stream), "norm");
}

static int rope(struct cuda *cuda, uint32_t index)
{
	const struct quire_model *m = &cuda->checkpoint->model;
	const struct cuda_layer *layer = &cuda->layers[index];
	const struct quire_op_rope op = {
		.rows = cuda->device.rows,
		.rows_count = cuda->shape.rows,
		.qkv = cuda->qkv,
		.qkv_stride = layer->qkv.outputs,
		.heads = m->heads,
		.kv_heads = m->kv_heads,
		.head_dim = m->head_dim,
		.bias = layer->qkv_bias,
		.q_norm = layer->q_norm,
		.k_norm = layer->k_norm,
		.eps = (float)cuda->checkpoint->norm_eps,
		.table = cuda->rope_table,
		.positions = cuda->config->seq_tokens_max,
		.k = quire_dev_plane(&cuda->pool, 2 * index),
		.v = quire_dev_plane(&cuda->pool, 2 * index + 1),
	};

	return told(quire_cuda_rope(&op, cuda->stream), "rope");
}

static int attention(struct cuda *cuda, uint32_t index)
{
	const struct quire_model *m = &cuda->checkpoint->model;
	struct quire_op_attention op = {
		.items = cuda->device.items,
		.maps = cuda->device.maps,
		.q = cuda->qkv,
		.q_stride = cuda->layers[index].qkv.outputs,
		.k = quire_dev_plane(&cuda->pool, 2 * index),
		.v = quire_dev_plane(&cuda->pool, 2 * index + 1),
		.out = cuda->attended,
		.heads = m->heads,
		.kv_heads = m->kv_heads,
		.head_dim = m->head_dim,
		.window = cuda->checkpoint->window,
		.scale = 1 / sqrtf((float)m->head_dim),
	};
	int rc = 0;

	if (cuda->shape.many) {
		op.tile = QUIRE_TILE_MANY;
		op.work = cuda->device.many;
		op.work_count = cuda->device.counts + 1;
		op.work_max = cuda->shape.many;
		op.partial = cuda->partial_many;
		op.tickets = cuda->tickets_many;
		rc = quire_cuda_attention(&op, cuda->stream);
	}
	if (rc == 0 && cuda->shape.few) {
		op.tile = QUIRE_TILE_FEW;
		op.work = cuda->device.few;
		op.work_count = cuda->device.counts;
		op.work_max = cuda->shape.few;
		op.partial = cuda->partial_few;
		op.tickets = cuda->tickets_few;
		rc = quire_cuda_attention(&op, cuda->stream);
	}
	return told(rc, "attention");
}

static int layer_run(struct cuda *cuda, uint32_t index)
{
	const struct cuda_layer *layer = &cuda->layers[index];
	const uint32_t rows = cuda->shape.rows, hidden = cuda->checkpoint->model.hidden;
	int rc = norm(cuda, layer->attention_norm, rows);

	if (rc == 0)
		rc = cuda_product(cuda, &layer->qkv, cuda->normed, rows, cuda->qkv,
				  layer->qkv.outputs, QUIRE_PRODUCT_BF16);
	if (rc == 0)
		rc = rope(cuda, index);
	if (rc == 0)
		rc = attention(cuda, index);
	if (rc == 0)
		rc = cuda_product(cuda, &layer->output, cuda->attended, rows, cuda->residual,
				  hidden, QUIRE_PRODUCT_ADD);
	if (rc == 0)
		rc = norm(cuda, layer->mlp_norm, rows);
	if (rc == 0)
		rc = cuda_product(cuda, &layer->gate_up, cuda->normed, rows, cuda->activated,
				  layer->down.columns, QUIRE_PRODUCT_SWIGLU);
	if (rc == 0)
		rc = cuda_product(cuda, &layer->down, cuda->activated, rows, cuda->residual, hidden,
				  QUIRE_PRODUCT_ADD);
	return rc;
}

int cuda_head(struct cuda *cuda, const uint32_t *wanted, uint32_t count)
{
	const struct quire_op_norm last = {
		.residual = cuda->residual,
		.index = wanted,
		.weight = cuda->norm,
		.out = cuda->wanted_normed,
		.rows_count = count,
		.columns = cuda->checkpoint->model.hidden,
		.eps = (float)cuda->checkpoint->norm_eps,
	};
	int rc = told(quire_cuda_norm(&last, cuda->stream), "the last norm");

	if (rc == 0)
		rc = cuda_product(cuda, &cuda->head, cuda->wanted_normed, count, cuda->logits,
				  cuda->vocab_stride, QUIRE_PRODUCT_FP32);
	return rc;
}

/* The wanted rows' logits, and the largest of each, on its way to the host. */
static int head(struct cuda *cuda)
{
	const struct quire_op_choose choose = {
		.logits = cuda->logits,
		.rows_count = cuda->shape.wanted,
		.vocab = cuda->checkpoint->model.vocab,
		.stride = cuda->vocab_stride,
		.choices = cuda->choices,
		.scratch = cuda->choose_scratch,
	};
	cudaError_t error;
	int rc = cuda_head(cuda, cuda->device.wanted, cuda->shape.wanted);

	if (rc == 0)
		rc = told(quire_cuda_choose(&choose, cuda->stream), "choosing tokens");
	if (rc)
		return rc;
	error = cudaMemcpyAsync(cuda->host_choices, cuda->choices,
				cuda->shape.wanted * sizeof(*cuda->choices), cudaMemcpyDeviceToHost,
				cuda->stream);
	return told((int)error, "choosing tokens");
}

/* All kernels of a batch of cuda->shape. */
static int launch(struct cuda *cuda)
{
	const struct quire_op_embed embed = {
		.rows = cuda->device.rows,
		.rows_count = cuda->shape.rows,
		.table = cuda->embedding.data,
		.vocab = cuda->embedding.outputs,
		.columns = cuda->embedding.columns,
		.residual = cuda->residual,
	};
	int rc = told(quire_cuda_embed(&embed, cuda->stream), "embedding");

	for (uint32_t i = 0; rc == 0 && i < cuda->checkpoint->model.layers; i++)
		rc = layer_run(cuda, i);
	if (rc == 0 && cuda->shape.wanted && cuda->shape.wanted <= cuda->wanted_max)
		rc = head(cuda);
	return rc;
}

/* ---- graphs ---- */

void cuda_graphs_free(struct cuda *cuda)
{
	for (uint32_t i = 0; i < cuda->graphs_count; i++)
		cudaGraphExecDestroy(cuda->graphs[i].exec);
	cuda->graphs_count = 0;
}

/* Products must have chosen their kernels before a graph is captured: once by hand. */
static int capture(struct cuda *cuda, struct cuda_graph *graph)
{
	cudaGraph_t captured = NULL;
	cudaError_t error = cudaStreamBeginCapture(cuda->stream, cudaStreamCaptureModeThreadLocal);
	int rc;

	if (error != cudaSuccess)
		return cuda_error(error, "capturing a graph");
	rc = launch(cuda);
	error = cudaStreamEndCapture(cuda->stream, &captured);
	if (rc == 0 && error == cudaSuccess)
		error = cudaGraphInstantiate(&graph->exec, captured, 0);
	if (captured)
		cudaGraphDestroy(captured);
	if (rc)
		return rc;
	graph->shape = cuda->shape;
	graph->used = cuda->batches;
	return error == cudaSuccess ? 0 : cuda_error(error, "capturing a graph");
}

static bool same_shape(const struct cuda_shape *a, const struct cuda_shape *b)
{
	return a->rows == b->rows && a->items == b->items && a->few == b->few &&
	       a->many == b->many && a->wanted == b->wanted;
}

/* A place for one more: that of the graph that was not used for longest, if all are taken. */
static int make_room(struct cuda *cuda, struct cuda_graph **place)
{
	struct cuda_graph *oldest = &cuda->graphs[0];
	cudaError_t error;

	if (cuda->graphs_count < CUDA_GRAPHS_MAX) {
		*place = &cuda->graphs[cuda->graphs_count];
		return 0;
	}
	for (uint32_t i = 1; i < cuda->graphs_count; i++)
		if (cuda->graphs[i].used < oldest->used)
			oldest = &cuda->graphs[i];
	error = cudaStreamSynchronize(cuda->stream); /* it may run */
	if (error != cudaSuccess)
		return cuda_error(error, "a step");
	cudaGraphExecDestroy(oldest->exec);
	*oldest = cuda->graphs[--cuda->graphs_count];
	*place = &cuda->graphs[cuda->graphs_count];
	return 0;
}

static int replay(struct engine *engine)
{
	struct cuda *cuda = engine->backend;
	struct cuda_graph *graph = NULL;
	cudaError_t error;
	int rc;

	cuda->batches++;
	for (uint32_t i = 0; i < cuda->graphs_count && !graph; i++)
		if (same_shape(&cuda->graphs[i].shape, &cuda->shape))
			graph = &cuda->graphs[i];
	if (graph) {
		graph->used = cuda->batches;
		engine->stats.replayed++;
		error = cudaGraphLaunch(graph->exec, cuda->stream);
		return error == cudaSuccess ? 0 : cuda_error(error, "a step");
	}
	/* This batch runs as it is, and is captured for the next like it. */
	engine->stats.launched++;
	rc = make_room(cuda, &graph);
	if (rc == 0)
		rc = launch(cuda);
	if (rc == 0)
		rc = capture(cuda, graph);
	cuda->graphs_count += rc == 0;
	engine->stats.captured += rc == 0;
	return rc;
}

/*
 * Is there more to launch than to compute?  Of single tokens there is.  Of others the host is
 * ahead of the device once a layer takes longer than the launches of its ten kernels, some 50 us.
 */
static bool worth_a_graph(const struct cuda *cuda, const struct engine_batch *batch)
{
	const struct cuda_layer *l = &cuda->layers[0];
	const struct cuda_weight *const all[] = {&l->qkv, &l->output, &l->gate_up, &l->down};
	uint64_t multiplies = 0;
	bool single = batch->rows <= CUDA_GRAPH_ROWS;

	if (cuda->shape.wanted > cuda->wanted_max) /* logits of a prompt, for a test or a tool */
		return false;
	for (uint32_t i = 0; i < batch->pieces_count; i++)
		single &= batch->pieces[i].rows == 1 || !batch->pieces[i].written;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		multiplies += (uint64_t)batch->rows * all[i]->outputs * all[i]->columns;
	return single || multiplies <= CUDA_GRAPH_WORK;
}

int cuda_forward(struct engine *engine, const struct engine_batch *batch)
{
	struct cuda *cuda = engine->backend;
	const uint64_t slot_bytes = (uint64_t)4 * cuda->pool.layers * cuda->pool.slot_elements;
	int rc = cuda_input_send(cuda, engine, batch);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < batch->pieces_count; i++) {
		const struct engine_piece *p = &batch->pieces[i];

		engine->stats.kv_bytes_read += (p->first_position + p->rows) * slot_bytes;
	}
	engine->stats.weight_bytes_read +=
		cuda->layers_bytes + (batch->wanted_count ? cuda->head_bytes : 0);
	if (worth_a_graph(cuda, batch))
		return replay(engine);
	engine->stats.launched++;
	return launch(cuda);
}
