/*
 * cuda_weights.c - weights on the device, all as bf16; see cuda.h.
 *
 * From files they are sent as they are, or rounded on the way; matrices that are
 * multiplied by the same rows lie below each other, so that one product does them all.
 * Random ones, which have no data on the host, are drawn where they are used.
 */
#include "cuda.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (1u << 22) /* elements, of what is rounded at a time */

struct sender {
	struct cuda *cuda;
	uint16_t *chunk; /* [CHUNK] on the host */
	uint64_t seed;	 /* of the next matrix that is drawn */
	uint64_t bytes;	 /* sent or drawn so far */
};

/* Round to nearest, ties to even; a NaN stays one. */
static uint16_t bf16_of(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	if ((bits & 0x7fffffffu) > 0x7f800000u)
		return (uint16_t)(bits >> 16 | 0x40);
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float float_of_half(uint16_t half)
{
	const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31;
	uint32_t bits = half & 1023u;
	float value;

	if (exponent == 0) { /* zero, or subnormal: bits 2^-24 */
		value = (float)bits * 0x1p-24f;
		return sign ? -value : value;
	}
	bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | bits << 13;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void round_chunk(uint16_t *to, const struct quire_weight *w, uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint16_t half;
		float value;

		if (w->type == QUIRE_FP32) {
			memcpy(&value, (const char *)w->data + (first + i) * 4, 4);
		} else {
			memcpy(&half, (const char *)w->data + (first + i) * 2, 2);
			value = float_of_half(half);
		}
		to[i] = bf16_of(value);
	}
}

/*
 * A copy from memory that is not pinned is through with it when it returns; on the device
 * it is made in the stream's order, as what reads the weights is.
 */
static int send(struct sender *s, uint16_t *to, const struct quire_weight *w, uint64_t count)
{
	cudaError_t error = cudaSuccess;

	if (w->type == QUIRE_BF16)
		error = cudaMemcpyAsync(to, w->data, count * 2, cudaMemcpyHostToDevice,
					s->cuda->stream);
	for (uint64_t at = 0; w->type != QUIRE_BF16 && at < count && error == cudaSuccess;
	     at += CHUNK) {
		const uint64_t some = count - at < CHUNK ? count - at : CHUNK;

		round_chunk(s->chunk, w, at, some);
		error = cudaMemcpyAsync(to + at, s->chunk, some * 2, cudaMemcpyHostToDevice,
					s->cuda->stream);
	}
	return error == cudaSuccess ? 0 : cuda_error(error, "sending weights");
}

static int draw(struct sender *s, uint16_t *to, uint64_t count)
{
	const struct quire_op_random op = {
		.out = to, .count = count, .seed = s->seed++, .deviation = 0.02f};
	int rc = quire_cuda_random(&op, s->cuda->stream);

	return rc ? cuda_error((cudaError_t)rc, "drawing weights") : 0;
}

/* All elements of @to are @value, a bf16. */
static int fill(struct sender *s, uint16_t *to, uint64_t count, uint16_t value)
{
	cudaError_t error = cudaSuccess;

	for (uint64_t i = 0; i < count && i < CHUNK; i++)
		s->chunk[i] = value;
	for (uint64_t at = 0; at < count && error == cudaSuccess; at += CHUNK)
		error = cudaMemcpyAsync(to + at, s->chunk,
					(count - at < CHUNK ? count - at : CHUNK) * 2,
					cudaMemcpyHostToDevice, s->cuda->stream);
	return error == cudaSuccess ? 0 : cuda_error(error, "sending weights");
}

/* Matrices below each other; all have as many columns. */
static int matrix(struct sender *s, struct cuda_weight *to, const struct quire_weight *const *of,
		  const uint32_t *rows, uint32_t count, uint32_t columns)
{
	uint64_t at = 0;
	int rc;

	*to = (struct cuda_weight){.columns = columns};
	for (uint32_t i = 0; i < count; i++)
		to->outputs += rows[i];
	rc = cuda_take(s->cuda, &to->data, (uint64_t)to->outputs * columns * 2, "the weights");
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		const uint64_t elements = (uint64_t)rows[i] * columns;

		rc = of[i]->data ? send(s, to->data + at, of[i], elements)
				 : draw(s, to->data + at, elements);
		at += elements;
	}
	s->bytes += (uint64_t)to->outputs * columns * 2;
	return rc;
}

/* Vectors behind each other; one that has no data is all @otherwise. */
static int vector(struct sender *s, uint16_t **to, const struct quire_weight *const *of,
		  const uint32_t *lengths, uint32_t count, uint16_t otherwise)
{
	uint64_t length = 0, at = 0;
	int rc;

	for (uint32_t i = 0; i < count; i++)
		length += lengths[i];
	rc = cuda_take(s->cuda, to, length * 2, "the weights");
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		rc = of[i]->data ? send(s, *to + at, of[i], lengths[i])
				 : fill(s, *to + at, lengths[i], otherwise);
		at += lengths[i];
	}
	s->bytes += length * 2;
	return rc;
}

#define ONE  0x3f80u /* as bf16 */
#define ZERO 0u

static int send_layer(struct sender *s, struct cuda_layer *to, const struct quire_layer_weights *w)
{
	const struct quire_model *m = &s->cuda->checkpoint->model;
	const uint32_t q = m->heads * m->head_dim, kv = m->kv_heads * m->head_dim;
	const uint32_t inner = m->intermediate;
	int rc = vector(s, &to->attention_norm, (const struct quire_weight *[]){&w->attention_norm},
			(uint32_t[]){m->hidden}, 1, ONE);

	if (rc == 0)
		rc = matrix(s, &to->qkv, (const struct quire_weight *[]){&w->q, &w->k, &w->v},
			    (uint32_t[]){q, kv, kv}, 3, m->hidden);
	if (rc == 0 && m->qkv_bias)
		rc = vector(s, &to->qkv_bias,
			    (const struct quire_weight *[]){&w->q_bias, &w->k_bias, &w->v_bias},
			    (uint32_t[]){q, kv, kv}, 3, ZERO);
	if (rc == 0 && m->qk_norm)
		rc = vector(s, &to->q_norm, (const struct quire_weight *[]){&w->q_norm},
			    (uint32_t[]){m->head_dim}, 1, ONE);
	if (rc == 0 && m->qk_norm)
		rc = vector(s, &to->k_norm, (const struct quire_weight *[]){&w->k_norm},
			    (uint32_t[]){m->head_dim}, 1, ONE);
	if (rc == 0)
		rc = matrix(s, &to->output, (const struct quire_weight *[]){&w->output},
			    (uint32_t[]){m->hidden}, 1, q);
	if (rc == 0)
		rc = vector(s, &to->mlp_norm, (const struct quire_weight *[]){&w->mlp_norm},
			    (uint32_t[]){m->hidden}, 1, ONE);
	if (rc == 0)
		rc = matrix(s, &to->gate_up, (const struct quire_weight *[]){&w->gate, &w->up},
			    (uint32_t[]){inner, inner}, 2, m->hidden);
	if (rc == 0)
		rc = matrix(s, &to->down, (const struct quire_weight *[]){&w->down},
			    (uint32_t[]){m->hidden}, 1, inner);
	return rc;
}

int cuda_weights(struct cuda *cuda)
{
	const struct quire_checkpoint *c = cuda->checkpoint;
	const struct quire_model *m = &c->model;
	struct sender s = {
		.cuda = cuda, .chunk = malloc(CHUNK * 2), .seed = cuda->config->seed << 16};
	cudaError_t error;
	int rc = 0;

	cuda->layers = calloc(m->layers, sizeof(*cuda->layers));
	if (!s.chunk || !cuda->layers)
		rc = quire_fail(-ENOMEM, "no memory to send weights with");
	for (uint32_t i = 0; rc == 0 && i < m->layers; i++)
		rc = send_layer(&s, &cuda->layers[i], &c->layers[i]);
	if (rc == 0)
		rc = vector(&s, &cuda->norm, (const struct quire_weight *[]){&c->norm},
			    (uint32_t[]){m->hidden}, 1, ONE);
	cuda->layers_bytes = s.bytes;
	if (rc == 0)
		rc = matrix(&s, &cuda->embedding, (const struct quire_weight *[]){&c->embedding},
			    (uint32_t[]){m->vocab}, 1, m->hidden);
	cuda->head = cuda->embedding;
	if (rc == 0 && !m->embeddings_tied)
		rc = matrix(&s, &cuda->head, (const struct quire_weight *[]){&c->head},
			    (uint32_t[]){m->vocab}, 1, m->hidden);
	cuda->head_bytes = (uint64_t)m->vocab * m->hidden * 2;
	error = cudaStreamSynchronize(cuda->stream);
	if (rc == 0 && error != cudaSuccess)
		rc = cuda_error(error, "sending weights");
	free(s.chunk);
	return rc;
}
