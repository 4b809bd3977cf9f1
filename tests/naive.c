/*
 * naive.c - a model in memory, and what it says; see naive.h.
 */
#include "naive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t naive_random(uint64_t *state, uint32_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 0x2545f4914f6cdd1du >> 32) * below >> 32);
}

/* ---- weights ---- */

double naive_element(const struct quire_weight *w, size_t index)
{
	const char *at = w->data;
	uint16_t half;
	float value;
	int exponent;

	if (w->type == QUIRE_FP32) {
		memcpy(&value, at + index * 4, 4);
		return (double)value;
	}
	memcpy(&half, at + index * 2, 2);
	/* Sign, exponent and fraction, of 8 and 7 bits or of 5 and 10. */
	if (w->type == QUIRE_BF16) {
		exponent = half >> 7 & 0xff;
		return (half >> 15 ? -1 : 1) *
		       ldexp(exponent ? 1 + (half & 0x7f) / 128.0 : (half & 0x7f) / 64.0,
			     exponent - 127);
	}
	exponent = half >> 10 & 0x1f;
	return (half >> 15 ? -1 : 1) *
	       ldexp(exponent ? 1 + (half & 0x3ff) / 1024.0 : (half & 0x3ff) / 512.0,
		     exponent - 15);
}

/* Any 16 bits that mean about @value: cut off, which is as good as rounded here. */
static void put(char *at, enum quire_weight_type type, float value)
{
	uint32_t bits;
	uint16_t half;

	memcpy(&bits, &value, 4);
	if (type == QUIRE_FP32) {
		memcpy(at, &value, 4);
		return;
	}
	half = (uint16_t)(bits >> 16);
	if (type == QUIRE_FP16) {
		int exponent;
		double fraction = frexp(fabs((double)value), &exponent); /* [1/2, 1) */

		half = (uint16_t)(bits >> 16 & 0x8000);
		if (value != 0 && exponent > -14)
			half = (uint16_t)(half | (uint32_t)(exponent + 14) << 10 |
					  (uint32_t)((fraction * 2 - 1) * 1024));
		else
			half = (uint16_t)(half | (uint32_t)(fabs((double)value) * 0x1p24));
	}
	memcpy(at, &half, 2);
}

static void draw(struct quire_weight *w, uint32_t rows, uint32_t columns,
		 enum quire_weight_type type, double middle, double spread, uint64_t *state)
{
	size_t bytes = type == QUIRE_FP32 ? 4 : 2, count = (size_t)rows * columns;
	char *data = malloc(count * bytes + 1);

	if (!data)
		abort();
	for (size_t i = 0; i < count; i++) {
		double sum = 0;

		for (int k = 0; k < 4; k++)
			sum += naive_random(state, 1u << 24) * 0x1p-24 - 0.5;
		put(data + 1 + i * bytes, type, (float)(middle + spread * sum));
	}
	*w = (struct quire_weight){
		.data = data + 1, .type = type, .rows = rows, .columns = columns};
}

void naive_model(struct quire_checkpoint *c, const struct quire_model *shape,
		 enum quire_weight_type type, uint64_t seed)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
	uint32_t q = shape->heads * shape->head_dim, kv = shape->kv_heads * shape->head_dim;
	double spread = 1.7 / sqrt((double)shape->hidden);

	memset(c, 0, sizeof(*c));
	c->model = *shape;
	c->model.family = "llama";
	c->model.mlp_gated = true;
	strcpy(c->model.name, "naive");
	c->norm_eps = 1e-6;
	c->rope.theta = 10000;
	c->type = type;
	c->begin = UINT32_MAX;
	c->layers = calloc(shape->layers, sizeof(*c->layers));
	if (!c->layers)
		abort();
	draw(&c->embedding, shape->vocab, shape->hidden, type, 0, 1, &state);
	draw(&c->norm, 1, shape->hidden, type, 1, 0.3, &state);
	if (shape->embeddings_tied)
		c->head = c->embedding;
	else
		draw(&c->head, shape->vocab, shape->hidden, type, 0, 1, &state);
	for (uint32_t i = 0; i < shape->layers; i++) {
		struct quire_layer_weights *w = &c->layers[i];

		draw(&w->attention_norm, 1, shape->hidden, type, 1, 0.3, &state);
		draw(&w->q, q, shape->hidden, type, 0, 2 * spread, &state);
		draw(&w->k, kv, shape->hidden, type, 0, 2 * spread, &state);
		draw(&w->v, kv, shape->hidden, type, 0, spread, &state);
		if (shape->qkv_bias) {
			draw(&w->q_bias, 1, q, type, 0, 0.3, &state);
			draw(&w->k_bias, 1, kv, type, 0, 0.3, &state);
			draw(&w->v_bias, 1, kv, type, 0, 0.3, &state);
		}
		if (shape->qk_norm) {
			draw(&w->q_norm, 1, shape->head_dim, type, 1, 0.3, &state);
			draw(&w->k_norm, 1, shape->head_dim, type, 1, 0.3, &state);
		}
		draw(&w->output, shape->hidden, q, type, 0, spread, &state);
		draw(&w->mlp_norm, 1, shape->hidden, type, 1, 0.3, &state);
		draw(&w->gate, shape->intermediate, shape->hidden, type, 0, spread, &state);
		draw(&w->up, shape->intermediate, shape->hidden, type, 0, spread, &state);
		draw(&w->down, shape->hidden, shape->intermediate, type, 0, spread, &state);
	}
}

static void drop(struct quire_weight *w)
{
	if (w->data)
		free((char *)(uintptr_t)w->data - 1);
}

void naive_free(struct quire_checkpoint *c)
{
	drop(&c->embedding);
	drop(&c->norm);
	if (!c->model.embeddings_tied)
		drop(&c->head);
	for (uint32_t i = 0; i < c->model.layers; i++) {
		struct quire_layer_weights *w = &c->layers[i];
		struct quire_weight *all[] = {
			&w->attention_norm, &w->q,	&w->k,	    &w->v,	&w->q_bias,
			&w->k_bias,	    &w->v_bias, &w->q_norm, &w->k_norm, &w->output,
			&w->mlp_norm,	    &w->gate,	&w->up,	    &w->down};

		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			drop(all[k]);
	}
	free(c->layers);
}

/* ---- the model, as checkpoint.h writes it down ---- */

/* y = x W^T + bias */
static void multiply(double *y, const double *x, const struct quire_weight *w,
		     const struct quire_weight *bias)
{
	for (uint32_t n = 0; n < w->rows; n++) {
		y[n] = bias && bias->data ? naive_element(bias, n) : 0;
		for (uint32_t k = 0; k < w->columns; k++)
			y[n] += x[k] * naive_element(w, (size_t)n * w->columns + k);
	}
}

static void normalize(double *y, const double *x, const struct quire_weight *w, double eps)
{
	double sum = 0;

	for (uint32_t i = 0; i < w->columns; i++)
		sum += x[i] * x[i];
	for (uint32_t i = 0; i < w->columns; i++)
		y[i] = x[i] / sqrt(sum / w->columns + eps) * naive_element(w, i);
}

static void head_ready(const struct quire_checkpoint *c, double *head,
		       const struct quire_weight *norm, const float *frequency, uint32_t position)
{
	uint32_t half = c->model.head_dim / 2;

	if (norm->data)
		normalize(head, head, norm, c->norm_eps);
	for (uint32_t i = 0; i < half; i++) {
		/* Rounded to fp32, as everybody's is. */
		double angle = (double)((float)position * frequency[i]);
		double a = head[i], b = head[i + half];

		head[i] = a * cos(angle) - b * sin(angle);
		head[i + half] = b * cos(angle) + a * sin(angle);
	}
}

/* One query of one head over positions [from, to]. */
static void look(const struct quire_checkpoint *c, double *out, const double *q, const double *k,
		 const double *v, size_t stride, uint32_t from, uint32_t to)
{
	uint32_t dim = c->model.head_dim;
	double sum = 0, most = -INFINITY;
	double *score = malloc((to + 1) * sizeof(*score));

	if (!score)
		abort();
	for (uint32_t p = from; p <= to; p++) {
		score[p] = 0;
		for (uint32_t d = 0; d < dim; d++)
			score[p] += q[d] * k[p * stride + d] / sqrt((double)dim);
		most = score[p] > most ? score[p] : most;
	}
	memset(out, 0, dim * sizeof(*out));
	for (uint32_t p = from; p <= to; p++) {
		double weight = exp(score[p] - most);

		sum += weight;
		for (uint32_t d = 0; d < dim; d++)
			out[d] += weight * v[p * stride + d];
	}
	for (uint32_t d = 0; d < dim; d++)
		out[d] /= sum;
	free(score);
}

void naive_logits(const struct quire_checkpoint *c, const uint32_t *tokens, uint32_t count,
		  double *logits)
{
	const struct quire_model *m = &c->model;
	size_t hidden = m->hidden, qs = (size_t)m->heads * m->head_dim;
	size_t ks = (size_t)m->kv_heads * m->head_dim;
	double *x = calloc(count * hidden, sizeof(*x)), *normed = calloc(hidden, sizeof(*x));
	double *q = calloc(count * qs, sizeof(*x)), *a = calloc(qs, sizeof(*x));
	double *k = calloc(count * ks, sizeof(*x)), *v = calloc(count * ks, sizeof(*x));
	double *gate = calloc(m->intermediate, sizeof(*x)),
	       *up = calloc(m->intermediate, sizeof(*x));
	double *added = calloc(hidden, sizeof(*x));
	float *frequency = calloc(m->head_dim / 2, sizeof(*frequency));

	if (!x || !normed || !q || !a || !k || !v || !gate || !up || !added || !frequency)
		abort();
	quire_rope_frequencies(&c->rope, m->head_dim, frequency);
	for (uint32_t t = 0; t < count; t++)
		for (size_t i = 0; i < hidden; i++)
			x[t * hidden + i] = naive_element(&c->embedding, tokens[t] * hidden + i);
	for (uint32_t l = 0; l < m->layers; l++) {
		const struct quire_layer_weights *w = &c->layers[l];

		for (uint32_t t = 0; t < count; t++) {
			normalize(normed, x + t * hidden, &w->attention_norm, c->norm_eps);
			multiply(q + t * qs, normed, &w->q, &w->q_bias);
			multiply(k + t * ks, normed, &w->k, &w->k_bias);
			multiply(v + t * ks, normed, &w->v, &w->v_bias);
			for (uint32_t h = 0; h < m->heads; h++)
				head_ready(c, q + t * qs + h * m->head_dim, &w->q_norm, frequency,
					   t);
			for (uint32_t h = 0; h < m->kv_heads; h++)
				head_ready(c, k + t * ks + h * m->head_dim, &w->k_norm, frequency,
					   t);
		}
		for (uint32_t t = 0; t < count; t++) {
			uint32_t from = c->window && t >= c->window ? t - c->window + 1 : 0;

			for (uint32_t h = 0; h < m->heads; h++) {
				size_t kv = (size_t)(h / (m->heads / m->kv_heads)) * m->head_dim;

				look(c, a + h * m->head_dim, q + t * qs + h * m->head_dim, k + kv,
				     v + kv, ks, from, t);
			}
			multiply(added, a, &w->output, NULL);
			for (size_t i = 0; i < hidden; i++)
				x[t * hidden + i] += added[i];
			normalize(normed, x + t * hidden, &w->mlp_norm, c->norm_eps);
			multiply(gate, normed, &w->gate, NULL);
			multiply(up, normed, &w->up, NULL);
			for (uint32_t i = 0; i < m->intermediate; i++)
				gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
			multiply(added, gate, &w->down, NULL);
			for (size_t i = 0; i < hidden; i++)
				x[t * hidden + i] += added[i];
		}
	}
	for (uint32_t t = 0; t < count; t++) {
		normalize(normed, x + t * hidden, &c->norm, c->norm_eps);
		multiply(logits + (size_t)t * m->vocab, normed, &c->head, NULL);
	}
	free(x), free(normed), free(q), free(a), free(k), free(v);
	free(gate), free(up), free(added), free(frequency);
}

double naive_distance(const float *a, const double *b, uint32_t count)
{
	double most = 0, size = 0;

	for (uint32_t i = 0; i < count; i++) {
		double off = fabs((double)a[i] - b[i]);

		if (!(off <= INFINITY) || !isfinite(a[i]))
			return INFINITY;
		most = off > most ? off : most;
		size = fabs(b[i]) > size ? fabs(b[i]) : size;
	}
	return most / size;
}
