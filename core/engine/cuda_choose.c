/*
 * cuda_choose.c - tokens from logits, on the device where that is enough; see cuda.h.
 *
 * The largest logit of each row comes with the batch.  Rows that are drawn by temperature
 * take one kernel more.  What needs a row's history or several candidates (penalties,
 * alternatives, samples that fork, beams) is chosen on the host by streams.h, from that
 * row's logits.
 */
#include "cuda.h"

#include <errno.h>
#include <stdlib.h>

static int synchronize(struct cuda *cuda)
{
	cudaError_t error = cudaStreamSynchronize(cuda->stream);

	return error == cudaSuccess ? 0 : cuda_error(error, "a step");
}

int cuda_finish(struct engine *engine)
{
	const uint64_t begin_ns = engine_real_ns();
	int rc = synchronize(engine->backend);

	engine->stats.waited_s += (double)(engine_real_ns() - begin_ns) / 1e9;
	return rc;
}

/* Draw for all rows; those that are greedy are drawn in vain. */
static int draw(struct cuda *cuda, const struct quire_item *const *items, uint32_t count)
{
	const struct quire_op_draw op = {
		.logits = cuda->logits,
		.rows_count = count,
		.vocab = cuda->checkpoint->model.vocab,
		.stride = cuda->vocab_stride,
		.choices = cuda->choices,
		.draws = cuda->draws,
		.tokens = cuda->tokens,
	};
	cudaError_t error;
	bool any = false;
	int rc;

	for (uint32_t i = 0; i < count; i++) {
		double uniform = 0;
		const struct quire_sampling *s =
			quire_streams_plain(cuda->config->streams, items[i], &uniform);
		const bool drawn = s && s->temperature > 0;

		any |= drawn;
		cuda->host_draws[i] = (struct quire_dev_draw){
			.temperature = drawn ? (float)s->temperature : 1,
			.min_p = drawn ? (float)s->min_p : 0,
			.top_p = drawn ? (float)s->top_p : 1,
			.top_k = drawn ? s->top_k : 1,
			.uniform = uniform,
		};
	}
	if (!any)
		return 0;
	error = cudaMemcpyAsync(cuda->draws, cuda->host_draws, count * sizeof(*cuda->draws),
				cudaMemcpyHostToDevice, cuda->stream);
	if (error != cudaSuccess)
		return cuda_error(error, "drawing tokens");
	rc = quire_cuda_draw(&op, cuda->stream);
	if (rc)
		return cuda_error((cudaError_t)rc, "drawing tokens");
	error = cudaMemcpyAsync(cuda->host_tokens, cuda->tokens, count * sizeof(*cuda->tokens),
				cudaMemcpyDeviceToHost, cuda->stream);
	return error == cudaSuccess ? synchronize(cuda) : cuda_error(error, "drawing tokens");
}

static float *row_of(const struct cuda *cuda, uint32_t row)
{
	return cuda->logits + (size_t)row * cuda->vocab_stride;
}

/* One row, by streams.h. */
static int on_host(struct cuda *cuda, const struct quire_item *item, uint32_t row,
		   struct quire_result *results)
{
	cudaError_t error = cudaMemcpyAsync(cuda->host_logits, row_of(cuda, row),
					    cuda->checkpoint->model.vocab * sizeof(float),
					    cudaMemcpyDeviceToHost, cuda->stream);
	int rc = error == cudaSuccess ? synchronize(cuda) : cuda_error(error, "logits");

	return rc ? rc
		  : quire_streams_sample(cuda->config->streams, item, cuda->host_logits, results);
}

static int choose_row(struct cuda *cuda, const struct quire_item *item, uint32_t row,
		      struct quire_result *results)
{
	const struct quire_dev_choice *choice = &cuda->host_choices[row];
	const struct quire_sampling *s;
	float logit = choice->logit;
	uint32_t token = choice->token;
	cudaError_t error;
	double uniform;

	s = quire_streams_plain(cuda->config->streams, item, &uniform);
	if (!s || choice->bad) /* of bad logits, it says whose they are */
		return on_host(cuda, item, row, results);
	if (s->temperature > 0) {
		token = cuda->host_tokens[row];
		error = cudaMemcpyAsync(&logit, row_of(cuda, row) + token, sizeof(logit),
					cudaMemcpyDeviceToHost, cuda->stream);
		if (error != cudaSuccess || synchronize(cuda))
			return cuda_error(error, "logits");
	}
	return quire_streams_chosen(cuda->config->streams, item, token, logit - choice->log_sum,
				    results);
}

int cuda_choose(struct engine *engine, const struct quire_item *const *items, uint32_t count,
		struct quire_result *results)
{
	struct cuda *cuda = engine->backend;
	int rc;

	if (count > cuda->wanted_max)
		return quire_fail(-EIO, "cuda: %u rows are sampled, of %u sequences", count,
				  cuda->wanted_max);
	rc = cuda_finish(engine);
	if (rc == 0)
		rc = draw(cuda, items, count);
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = choose_row(cuda, items[i], i, &results[items[i]->result]);
	return rc;
}

float *cuda_logits(struct engine *engine, uint32_t first, uint32_t count)
{
	struct cuda *cuda = engine->backend;
	const uint32_t vocab = cuda->checkpoint->model.vocab;
	cudaError_t error;

	if (!cuda->all_logits)
		cuda->all_logits = malloc((size_t)CUDA_LOGITS_ROWS * vocab * sizeof(float));
	if (!cuda->all_logits) {
		quire_fail(-ENOMEM, "no memory for logits");
		return NULL;
	}
	for (uint32_t at = 0, some; at < count; at += some) {
		some = count - at < cuda->wanted_max ? count - at : cuda->wanted_max;
		if (cuda_head(cuda, cuda->device.wanted + first + at, some))
			return NULL;
		error = cudaMemcpy2DAsync(cuda->all_logits + (size_t)at * vocab, vocab * 4,
					  cuda->logits, cuda->vocab_stride * 4ul, vocab * 4, some,
					  cudaMemcpyDeviceToHost, cuda->stream);
		if (error != cudaSuccess) {
			cuda_error(error, "logits");
			return NULL;
		}
		if (synchronize(cuda))
			return NULL;
	}
	return cuda->all_logits;
}
