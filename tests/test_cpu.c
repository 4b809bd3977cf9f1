/*
 * test_cpu.c - the cpu executor, from its arithmetic to its clock.
 *
 * Arithmetic is compared with doubles, for every kind of registers that this machine
 * has; and with itself, bit by bit, where it must not depend on its surroundings: a row
 * alone and in a batch, a position in one chunk and in another.
 */
#include "naive.h"

#include "core/engine/cpu_math.h"
#include "core/engine/engine.h"
#include "core/engine/threads.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MATHS 3 /* kinds of registers, at most; tests of those that are not here pass */

static struct cpu_scratch scratch;

static const char *const type_names[] = {"bf16", "fp16", "fp32"};

/* A weight of random numbers, not aligned. */
static struct quire_weight random_weight(uint32_t rows, uint32_t columns,
					 enum quire_weight_type type, uint64_t *state)
{
	const struct quire_model shape = {
		.hidden = columns, .vocab = rows, .heads = 1, .kv_heads = 1, .head_dim = 2};
	struct quire_checkpoint c;
	struct quire_weight w;

	naive_model(&c, &shape, type, naive_random(state, UINT32_MAX));
	w = c.embedding;
	c.embedding.data = NULL;
	naive_free(&c);
	return w;
}

static void weight_free(struct quire_weight *w)
{
	free((char *)(uintptr_t)w->data - 1);
}

static float *random_floats(size_t count, uint64_t *state)
{
	float *x = malloc(count * sizeof(*x));

	ck_assert_ptr_nonnull(x);
	for (size_t i = 0; i < count; i++)
		x[i] = (float)naive_random(state, 1u << 24) * 0x1p-23f - 1;
	return x;
}

/* ---- products ---- */

/* @rows at once, in panels of @panel outputs. */
static void multiply(const struct cpu_math *math, const struct quire_weight *w, const float *x,
		     uint32_t rows, uint32_t stride, uint32_t panel, float *y)
{
	struct cpu_product p = {
		.w = w, .x = x, .y = y, .rows = rows, .x_stride = stride, .y_stride = w->rows};

	for (uint32_t first = 0; first < w->rows; first += panel)
		math->product(&p, first, w->rows - first < panel ? w->rows - first : panel,
			      &scratch);
}

static void check_product(const struct cpu_math *math, enum quire_weight_type type, uint32_t rows,
			  uint32_t outputs, uint32_t inputs, uint64_t *state)
{
	struct quire_weight w = random_weight(outputs, inputs, type, state);
	uint32_t stride = inputs + naive_random(state, 5);
	float *x = random_floats((size_t)rows * stride, state);
	float *y = random_floats((size_t)rows * outputs, state);
	float *alone = random_floats(outputs, state);

	multiply(math, &w, x, rows, stride, outputs, y);
	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t n = 0; n < outputs; n++) {
			double sum = 0, size = 0;

			for (uint32_t k = 0; k < inputs; k++) {
				double product = (double)x[(size_t)r * stride + k] *
						 naive_element(&w, (size_t)n * inputs + k);

				sum += product;
				size += fabs(product);
			}
			/* Sixteen sums of so many, and a tree. */
			if (!(fabs((double)y[(size_t)r * outputs + n] - sum) <=
			      size * (inputs / 16 + 8) * 0x1p-24))
				ck_abort_msg("%s, %s: row %u of %u, output %u of %u, %u inputs: "
					     "%.9g, expected %.9g",
					     math->name, type_names[type], r, rows, n, outputs,
					     inputs, (double)y[(size_t)r * outputs + n], sum);
		}
		multiply(math, &w, x + (size_t)r * stride, 1, stride, 1 + naive_random(state, 64),
			 alone);
		if (memcmp(alone, y + (size_t)r * outputs, outputs * sizeof(*y)) != 0)
			ck_abort_msg("%s, %s: row %u of %u x %u, %u inputs, has other bits alone",
				     math->name, type_names[type], r, rows, outputs, inputs);
	}
	weight_free(&w);
	free(x);
	free(y);
	free(alone);
}

START_TEST(products)
{
	static const uint32_t inputs[] = {1, 2, 15, 16, 17, 48, 63, 200, 1023, 1024, 1025, 2100};
	const struct cpu_math *math = cpu_math_pick((uint32_t)_i);
	uint64_t state = 4711;

	if (!math)
		return;
	for (enum quire_weight_type type = QUIRE_BF16; type <= QUIRE_FP32; type++) {
		for (uint32_t rows = 1; rows <= 30; rows++)
			check_product(math, type, rows, 1 + naive_random(&state, 40),
				      1 + naive_random(&state, 150), &state);
		for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
			for (uint32_t rows = 1; rows <= 13; rows += 4)
				check_product(math, type, rows, 9, inputs[i], &state);
	}
}
END_TEST

/* Machines with multiply-adds agree to the last bit, whatever the width of a register. */
START_TEST(registers_agree)
{
	const struct cpu_math *wide = cpu_math_pick(0), *narrow = cpu_math_pick(1);
	uint64_t state = 99;
	struct quire_weight w;
	float *x, *y, *z;

	if (!narrow || narrow == cpu_math_any)
		return;
	w = random_weight(37, 1500, QUIRE_BF16, &state);
	x = random_floats(7 * 1500, &state);
	y = random_floats(7 * 37, &state);
	z = random_floats(7 * 37, &state);
	multiply(wide, &w, x, 7, 1500, 64, y);
	multiply(narrow, &w, x, 7, 1500, 64, z);
	ck_assert_int_eq(memcmp(y, z, 7 * 37 * sizeof(*y)), 0);
	memcpy(y, x, 7 * 37 * sizeof(*y));
	memcpy(z, x, 7 * 37 * sizeof(*z));
	wide->gate(y, x + 1000, 7 * 37);
	narrow->gate(z, x + 1000, 7 * 37);
	ck_assert_int_eq(memcmp(y, z, 7 * 37 * sizeof(*y)), 0);
	weight_free(&w);
	free(x);
	free(y);
	free(z);
}
END_TEST

/* ---- element by element ---- */

START_TEST(elements)
{
	const struct cpu_math *math = cpu_math_pick((uint32_t)_i);
	static uint16_t half[65536], back[65536];
	static float single[65536];

	if (!math)
		return;
	for (enum quire_weight_type type = QUIRE_BF16; type <= QUIRE_FP16; type++) {
		struct quire_weight w = {.data = half, .type = type, .rows = 1, .columns = 65536};

		for (uint32_t i = 0; i < 65536; i++)
			half[i] = (uint16_t)i;
		math->widen(single, half, type, 65536);
		for (uint32_t i = 0; i < 65536; i++) {
			bool finite = type == QUIRE_BF16 ? (i & 0x7f80) != 0x7f80
							 : (i & 0x7c00) != 0x7c00;
			bool nan = !finite && (i & (type == QUIRE_BF16 ? 0x7f : 0x3ff));
			double value = finite ? naive_element(&w, i) : INFINITY;

			if (nan	     ? !isnan(single[i])
			    : finite ? (double)single[i] != value ||
					       !signbit(single[i]) != !(i >> 15)
				     : !isinf(single[i]) || !signbit(single[i]) != !(i >> 15))
				ck_abort_msg("%s, %s %#x is %g, expected %g", math->name,
					     type_names[type], i, (double)single[i], value);
		}
		math->narrow(back, single, type, 65536);
		for (uint32_t i = 0; i < 65536; i++)
			if (isnan(single[i]) ? !(back[i] & (type == QUIRE_BF16 ? 0x7f : 0x3ff))
					     : back[i] != half[i])
				ck_abort_msg("%s, %s %#x comes back as %#x", math->name,
					     type_names[type], i, back[i]);
	}
}
END_TEST

/* Between two neighbours the nearer, in the middle the even one. */
START_TEST(rounding)
{
	const struct cpu_math *math = cpu_math_pick((uint32_t)_i);

	if (!math)
		return;
	for (enum quire_weight_type type = QUIRE_BF16; type <= QUIRE_FP16; type++)
		for (uint32_t i = 0; i + 1 < (type == QUIRE_BF16 ? 0x7f80 : 0x7c00); i++) {
			const uint16_t pair[2] = {(uint16_t)i, (uint16_t)(i + 1)};
			uint16_t rounded[6];
			float at[2], middle, between[6];

			math->widen(at, pair, type, 2);
			middle = (float)(((double)at[0] + (double)at[1]) / 2);
			between[0] = at[0];
			between[1] = nextafterf(middle, at[0]);
			between[2] = middle;
			between[3] = nextafterf(middle, at[1]);
			between[4] = -between[1];
			between[5] = -between[3];
			math->narrow(rounded, between, type, 6);
			if (rounded[0] != i || rounded[1] != i ||
			    rounded[2] != (i & 1 ? i + 1 : i) || rounded[3] != i + 1 ||
			    rounded[4] != (i | 0x8000) || rounded[5] != ((i + 1) | 0x8000))
				ck_abort_msg(
					"%s, %s: around %#x and a half: %#x %#x %#x %#x %#x %#x",
					math->name, type_names[type], i, rounded[0], rounded[1],
					rounded[2], rounded[3], rounded[4], rounded[5]);
		}
}
END_TEST

START_TEST(gates)
{
	const struct cpu_math *math = cpu_math_pick((uint32_t)_i);
	float value[4001], up[4001], alone, special[4] = {NAN, INFINITY, -200, 200};

	if (!math)
		return;
	for (uint32_t i = 0; i < 4001; i++) {
		value[i] = (float)((int)i - 2000) * 0.05f;
		up[i] = 1 + (float)(i % 7);
	}
	math->gate(value, up, 4001);
	for (uint32_t i = 0; i < 4001; i++) {
		float x = (float)((int)i - 2000) * 0.05f;
		double expected = (double)x / (1 + exp(-(double)x)) * (double)up[i];

		if (!(fabs((double)value[i] - expected) <= 1e-30 + 4e-7 * fabs(expected)))
			ck_abort_msg("%s: gate(%g) is %.9g, expected %.9g", math->name, (double)x,
				     (double)value[i], expected);
		alone = x;
		math->gate(&alone, &up[i], 1);
		if (memcmp(&alone, &value[i], sizeof(alone)) != 0)
			ck_abort_msg("%s: gate(%g) has other bits alone", math->name, (double)x);
	}
	for (int i = 0; i < 4; i++)
		up[i] = 1;
	math->gate(special, up, 4);
	ck_assert(isnan(special[0]));
	ck_assert(isinf(special[1]));
	ck_assert(fabsf(special[2]) < 1e-30f);
	ck_assert_float_eq(special[3], 200);
}
END_TEST

START_TEST(norms)
{
	const struct cpu_math *math = cpu_math_pick((uint32_t)_i);
	uint64_t state = 5;

	if (!math)
		return;
	for (uint32_t count = 1; count < 200; count += 7) {
		struct quire_weight w = random_weight(1, count, count % 3, &state);
		float *x = random_floats(count, &state);
		double sum = 0;

		for (uint32_t i = 0; i < count; i++)
			sum += (double)x[i] * (double)x[i];
		for (uint32_t i = 0; i < count; i++) {
			float *y = random_floats(count, &state);
			double expected =
				(double)x[i] / sqrt(sum / count + 1e-5) * naive_element(&w, i);

			math->norm(y, x, &w, 1e-5f);
			if (!(fabs((double)y[i] - expected) <= 1e-6 * fabs(expected)))
				ck_abort_msg("%s: element %u of %u is %.9g, expected %.9g",
					     math->name, i, count, (double)y[i], expected);
			free(y);
		}
		weight_free(&w);
		free(x);
	}
}
END_TEST

/* ---- attention ---- */

/* A pool in which a sequence's tokens lie in blocks here and there, and NaN elsewhere. */
struct attention {
	struct cpu_attention a;
	uint32_t first[512];
	char *k, *v;
	float *q, *out;
	uint32_t tokens;
};

static void put_random(const struct cpu_math *math, char *pool, size_t slot, uint32_t dim,
		       enum quire_weight_type type, uint64_t *state)
{
	float *x = random_floats(dim, state);

	math->narrow(pool + slot * dim * (type == QUIRE_FP32 ? 4 : 2), x, type, dim);
	free(x);
}

static void attention_make(struct attention *t, const struct cpu_math *math, uint32_t block,
			   uint32_t group, uint32_t dim, enum quire_weight_type type,
			   uint32_t tokens, uint64_t *state)
{
	uint32_t blocks = (tokens + block - 1) / block, room = 2 * blocks + 1;
	size_t bytes = (size_t)room * block * dim * 4;

	memset(t, 0, sizeof(*t));
	t->k = malloc(bytes);
	t->v = malloc(bytes);
	t->q = random_floats((size_t)tokens * group * dim, state);
	t->out = random_floats((size_t)tokens * group * dim, state);
	t->tokens = tokens;
	ck_assert(t->k && t->v && blocks <= 512);
	memset(t->k, 0xff, bytes);
	memset(t->v, 0xff, bytes);
	for (uint32_t b = 0; b < blocks; b++)
		t->first[b] = (2 * (blocks - 1 - b) + 1) * block;
	t->a = (struct cpu_attention){
		.q_stride = group * dim,
		.group = group,
		.head_dim = dim,
		.scale = 0.37f,
		.advance = 1,
		.k = t->k,
		.v = t->v,
		.kv_type = type,
		.map = {.first = t->first, .blocks = blocks, .block_slots = block},
	};
	for (uint32_t p = 0; p < tokens; p++) {
		size_t slot = t->first[p / block] + p % block;

		put_random(math, t->k, slot, dim, type, state);
		put_random(math, t->v, slot, dim, type, state);
	}
}

static void attention_free(struct attention *t)
{
	free(t->k);
	free(t->v);
	free(t->q);
	free(t->out);
}

static double kv_at(const struct attention *t, const char *pool, uint32_t position, uint32_t d)
{
	uint32_t block = t->a.map.block_slots;
	size_t slot = t->first[position / block] + position % block;
	struct quire_weight w = {.data = pool, .type = t->a.kv_type};

	return naive_element(&w, slot * t->a.head_dim + d);
}

static void check_attention(const struct attention *t, uint32_t row)
{
	uint32_t dim = t->a.head_dim, window = t->a.window;
	uint32_t from = window && row + 1 > window ? row + 1 - window : 0;

	for (uint32_t h = 0; h < t->a.group; h++) {
		size_t at = ((size_t)row * t->a.group + h) * dim;
		double sum = 0, out[CPU_HEAD] = {0};

		for (uint32_t p = from; p <= row; p++) {
			double score = 0;

			for (uint32_t d = 0; d < dim; d++)
				score += (double)t->q[at + d] * kv_at(t, t->k, p, d) * 0.37;
			sum += exp(score);
			for (uint32_t d = 0; d < dim; d++)
				out[d] += exp(score) * kv_at(t, t->v, p, d);
		}
		for (uint32_t d = 0; d < dim; d++)
			if (!(fabs((double)t->out[at + d] - out[d] / sum) <= 3e-6))
				ck_abort_msg("row %u, head %u, element %u is %.9g, expected %.9g",
					     row, h, d, (double)t->out[at + d], out[d] / sum);
	}
}

/* Rows [from, to) in chunks of at most @rows. */
static void attend(struct attention *t, const struct cpu_math *math, uint32_t rows)
{
	for (uint32_t row = 0; row < t->tokens; row += rows) {
		struct cpu_attention a = t->a;

		a.position = row;
		a.rows = t->tokens - row < rows ? t->tokens - row : rows;
		a.q = t->q + (size_t)row * a.q_stride;
		a.out = t->out + (size_t)row * a.q_stride;
		math->attend(&a, &scratch);
	}
}

START_TEST(attention)
{
	static const struct {
		uint32_t group, dim;
	} shapes[] = {{1, 64}, {7, 64}, {4, 128}, {3, 10}, {64, 16}, {2, 256}, {5, 32}};
	static const uint32_t blocks[] = {1, 3, 16, 128};
	const struct cpu_math *math = cpu_math_pick((uint32_t)_i);
	uint64_t state = 77;

	if (!math)
		return;
	for (uint32_t turn = 0; turn < 42; turn++) {
		uint32_t group = shapes[turn % 7].group, dim = shapes[turn % 7].dim;
		uint32_t tokens = 1 + naive_random(&state, turn % 4 ? 90 : 300);
		uint32_t most = CPU_QUERIES / group;
		struct attention t;
		size_t bytes;
		float *alone;

		attention_make(&t, math, blocks[turn % 4], group, dim, turn / 7 % 3, tokens,
			       &state);
		t.a.window = turn % 5 == 1 ? 1 : turn % 5 == 2 ? 70 : 0;
		bytes = (size_t)tokens * group * dim * sizeof(float);
		alone = malloc(bytes);
		attend(&t, math, 1);
		memcpy(alone, t.out, bytes);
		for (uint32_t row = 0; row < tokens; row += 1 + row / 3)
			check_attention(&t, row);
		check_attention(&t, tokens - 1);
		attend(&t, math, most);
		ck_assert_msg(memcmp(alone, t.out, bytes) == 0,
			      "%s: other bits in chunks of %u (turn %u)", math->name, most, turn);
		attend(&t, math, 1 + naive_random(&state, most));
		ck_assert_msg(memcmp(alone, t.out, bytes) == 0, "%s: other bits in chunks",
			      math->name);
		free(alone);
		attention_free(&t);
	}
}
END_TEST

/* What is NaN among what a row looks at is not lost, however unlikely its weight. */
START_TEST(attention_shows_nan)
{
	const struct cpu_math *math = cpu_math_pick((uint32_t)_i);
	uint64_t state = 3;

	if (!math)
		return;
	for (int which = 0; which < 2; which++)
		for (uint32_t p = 0; p < 70; p += 23) {
			struct attention t;
			size_t slot;

			attention_make(&t, math, 16, 1, 16, QUIRE_FP32, 70, &state);
			slot = t.first[p / 16] + p % 16;
			memset((which ? t.v : t.k) + slot * 64 + 20, 0xff, 4);
			attend(&t, math, 64);
			for (uint32_t row = 0; row < 70; row++)
				if (row < p ? isnan(t.out[row * 16 + 5])
					    : !isnan(t.out[row * 16 + 5]))
					ck_abort_msg("%s: row %u, with NaN at %u", math->name, row,
						     p);
			attention_free(&t);
		}
}
END_TEST

/* ---- threads ---- */

static atomic_uint touched[3000];

static void touch(void *arg, uint32_t index, uint32_t thread)
{
	const uint32_t *threads = arg;

	if (thread >= *threads)
		abort();
	atomic_fetch_add(&touched[index], 1);
}

START_TEST(threads_share_loops)
{
	for (uint32_t count = 1; count <= 5; count++) {
		struct threads *threads;
		uint64_t state = count, loops = 0;

		ck_assert_int_eq(threads_new(&threads, count), 0);
		ck_assert_uint_eq(threads_count(threads), count);
		for (uint32_t i = 0; i < 3000; i++)
			atomic_store(&touched[i], 0);
		for (uint32_t turn = 0; turn < 2000; turn++) {
			uint32_t length = naive_random(&state, turn % 100 ? 12 : 3000);

			threads_for(threads, length, touch, &count);
			for (uint32_t i = 0; i < length; i++)
				if (atomic_exchange(&touched[i], 0) != 1)
					ck_abort_msg("iteration %u of %u", i, length);
			loops += length;
			if (turn % 500 == 0) /* they fall asleep */
				nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
		}
		ck_assert_uint_gt(loops, 20000);
		threads_free(threads);
	}
	threads_free(NULL);
}
END_TEST

/* ---- the whole executor ---- */

static const struct quire_model shapes[] = {
	{.layers = 2,
	 .hidden = 64,
	 .heads = 4,
	 .kv_heads = 2,
	 .head_dim = 16,
	 .intermediate = 96,
	 .vocab = 200},
	{.layers = 3,
	 .hidden = 72,
	 .heads = 6,
	 .kv_heads = 1,
	 .head_dim = 12,
	 .intermediate = 50,
	 .vocab = 101,
	 .qkv_bias = true,
	 .embeddings_tied = true},
	{.layers = 2,
	 .hidden = 128,
	 .heads = 2,
	 .kv_heads = 2,
	 .head_dim = 64,
	 .intermediate = 150,
	 .vocab = 133,
	 .qk_norm = true},
	{.layers = 1,
	 .hidden = 1100,
	 .heads = 2,
	 .kv_heads = 1,
	 .head_dim = 128,
	 .intermediate = 1300,
	 .vocab = 70,
	 .qk_norm = true,
	 .qkv_bias = true},
};

#define TOKENS 600 /* more than the executor runs at once */

/* Fewer of large models, as doubles are slow. */
static uint32_t tokens_of(int shape)
{
	return shapes[shape].hidden > 1000 ? 20 : shape ? 140 : TOKENS;
}

static struct quire_engine_config config_of(const struct quire_checkpoint *c)
{
	return (struct quire_engine_config){
		.checkpoint = c,
		.slots_total = TOKENS,
		.seqs_max = 4,
		.step_tokens_max = 64,
		.seq_tokens_max = TOKENS,
		.kv_type = QUIRE_FP32,
		.threads = 2,
		.poison = true,
	};
}

START_TEST(forward)
{
	for (enum quire_weight_type type = QUIRE_BF16; type <= QUIRE_FP32; type++) {
		struct quire_checkpoint c;
		struct quire_engine_config config;
		uint32_t tokens[TOKENS], count = tokens_of(_i), vocab = shapes[_i].vocab;
		double *expected = malloc(count * vocab * sizeof(*expected));
		float *logits = malloc(count * vocab * sizeof(*logits));
		float *one = malloc(count * vocab * sizeof(*one));
		struct quire_exec ex;
		uint64_t state = 7;

		naive_model(&c, &shapes[_i], type, (uint64_t)_i + 42);
		c.window = type == 1 ? 23 : 0;
		if (type == 2)
			c.rope = (struct quire_rope){5e5, QUIRE_ROPE_LLAMA3, 8, 1, 4, 64};
		for (uint32_t i = 0; i < count; i++)
			tokens[i] = naive_random(&state, vocab);
		naive_logits(&c, tokens, count, expected);
		for (enum quire_weight_type kv = QUIRE_BF16; kv <= QUIRE_FP32; kv++) {
			/* The cache rounds to 8 or 11 bits. */
			double limit = kv == QUIRE_FP32 ? 2e-5 : kv == QUIRE_FP16 ? 5e-3 : 4e-2;

			config = config_of(&c);
			config.kv_type = kv;
			if (quire_engine_cpu(&ex, &config) ||
			    quire_engine_logits(&ex, tokens, count, logits))
				ck_abort_msg("%s", quire_failure());
			for (uint32_t i = 0; i < count; i++) {
				double off = naive_distance(logits + (size_t)i * vocab,
							    expected + (size_t)i * vocab, vocab);

				if (!(off <= limit))
					ck_abort_msg("%s, cache %s: position %u is off by %g",
						     type_names[type], type_names[kv], i, off);
			}
			quire_engine_free(&ex);
			config.threads = 3;
			if (quire_engine_cpu(&ex, &config) ||
			    quire_engine_logits(&ex, tokens, count, one))
				ck_abort_msg("%s", quire_failure());
			ck_assert_msg(memcmp(one, logits, count * vocab * sizeof(*one)) == 0,
				      "three threads give other bits than two");
			quire_engine_free(&ex);
		}
		naive_free(&c);
		free(expected);
		free(logits);
		free(one);
	}
}
END_TEST

/* OpenBLAS: near, and not of equal bits. */
START_TEST(fast_products)
{
	struct quire_checkpoint c;
	struct quire_engine_config config;
	uint32_t tokens[TOKENS], count = tokens_of(_i), vocab = shapes[_i].vocab;
	double *expected = malloc(count * vocab * sizeof(*expected));
	float *logits = malloc(count * vocab * sizeof(*logits));
	struct quire_exec ex;

	naive_model(&c, &shapes[_i], QUIRE_BF16, 1);
	for (uint32_t i = 0; i < count; i++)
		tokens[i] = i * 31 % vocab;
	naive_logits(&c, tokens, count, expected);
	config = config_of(&c);
	config.fast_products = true;
	if (quire_engine_cpu(&ex, &config) || quire_engine_logits(&ex, tokens, count, logits))
		ck_abort_msg("%s", quire_failure());
	for (uint32_t i = 0; i < count; i++)
		if (!(naive_distance(logits + (size_t)i * vocab, expected + (size_t)i * vocab,
				     vocab) <= 2e-5))
			ck_abort_msg("position %u", i);
	quire_engine_free(&ex);
	naive_free(&c);
	free(expected);
	free(logits);
}
END_TEST

static void refused(const struct quire_engine_config *config, int rc, const char *says)
{
	struct quire_exec ex;
	int got = quire_engine_cpu(&ex, config);

	if (got != rc || !strstr(quire_failure(), says))
		ck_abort_msg("%d, expected %d with '%s': %s", got, rc, says, quire_failure());
}

START_TEST(refusals)
{
	struct quire_checkpoint c;
	struct quire_engine_config config;
	struct quire_model wide = shapes[0];
	uint32_t tokens[4] = {1, 2, 200, 3};
	float logits[4 * 200];
	struct quire_exec ex;

	naive_model(&c, &shapes[0], QUIRE_BF16, 1);
	config = config_of(&c);
	ck_assert_int_eq(quire_engine_cpu(&ex, &config), 0);
	ck_assert_int_eq(quire_engine_logits(&ex, tokens, 4, logits), -EIO);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "token 2 is number 200, of 200"));
	ck_assert_int_eq(quire_engine_logits(&ex, tokens, TOKENS + 1, logits), -E2BIG);
	ck_assert_int_eq(quire_engine_logits(&ex, tokens, 2, logits), 0);
	quire_engine_free(&ex);
	config.slots_total = UINT32_MAX;
	refused(&config, -ENOMEM, "a pool of 4294967295 slots takes ");
	naive_free(&c);

	wide.head_dim = 2 * CPU_HEAD;
	naive_model(&c, &wide, QUIRE_BF16, 1);
	config = config_of(&c);
	refused(&config, -ENOTSUP, "heads of 512 numbers");
	naive_free(&c);
}
END_TEST

/* ---- the clock ---- */

static uint64_t real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *wake_soon(void *arg)
{
	nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
	quire_engine_wake(arg);
	return NULL;
}

START_TEST(clock_and_idle)
{
	struct quire_checkpoint c;
	struct quire_engine_config config;
	struct quire_exec ex;
	pthread_t waker;
	uint64_t begin_ns;

	naive_model(&c, &shapes[0], QUIRE_BF16, 1);
	config = config_of(&c);
	ck_assert_int_eq(quire_engine_cpu(&ex, &config), 0);
	quire_engine_start(&ex);
	ck_assert_uint_lt(ex.ops->now_ns(&ex), 1000000000u);
	ex.ops->idle(&ex, ex.ops->now_ns(&ex) + 12345678);
	ck_assert_uint_ge(ex.ops->now_ns(&ex), 12345678);
	ex.ops->idle(&ex, 5); /* long ago */

	/* A wake-up ends one sleep, also if it comes before it; and no more than that. */
	ck_assert_int_eq(pthread_create(&waker, NULL, wake_soon, &ex), 0);
	begin_ns = real_ns();
	ex.ops->idle(&ex, ex.ops->now_ns(&ex) + 60000000000u);
	ck_assert_uint_lt(real_ns() - begin_ns, 20000000000u);
	pthread_join(waker, NULL);
	quire_engine_wake(&ex);
	quire_engine_wake(&ex);
	begin_ns = real_ns();
	ex.ops->idle(&ex, ex.ops->now_ns(&ex) + 60000000000u);
	ck_assert_uint_lt(real_ns() - begin_ns, 20000000000u);
	begin_ns = real_ns();
	ex.ops->idle(&ex, ex.ops->now_ns(&ex) + 5000000);
	ck_assert_uint_ge(real_ns() - begin_ns, 4000000);
	quire_engine_free(&ex);

	config.quiet_clock = true;
	ck_assert_int_eq(quire_engine_cpu(&ex, &config), 0);
	begin_ns = real_ns();
	ex.ops->idle(&ex, 3600000000000u);
	ck_assert_uint_lt(real_ns() - begin_ns, 1000000000u);
	ck_assert_uint_ge(ex.ops->now_ns(&ex), 3600000000000u);
	ck_assert_uint_lt(ex.ops->now_ns(&ex), 3610000000000u);
	quire_engine_free(&ex);
	naive_free(&c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cpu");
	SRunner *runner = srunner_create(suite);
	TCase *tests = tcase_create("cpu");
	int failed, shapes_count = sizeof(shapes) / sizeof(shapes[0]);

	for (uint32_t i = 0; cpu_math_pick(i); i++)
		printf("%s%s", i ? ", " : "registers: ", cpu_math_pick(i)->name);
	printf("\n");
	fflush(stdout);
	tcase_add_loop_test(tests, products, 0, MATHS);
	tcase_add_test(tests, registers_agree);
	tcase_add_loop_test(tests, elements, 0, MATHS);
	tcase_add_loop_test(tests, rounding, 0, MATHS);
	tcase_add_loop_test(tests, gates, 0, MATHS);
	tcase_add_loop_test(tests, norms, 0, MATHS);
	tcase_add_loop_test(tests, attention, 0, MATHS);
	tcase_add_loop_test(tests, attention_shows_nan, 0, MATHS);
	tcase_add_test(tests, threads_share_loops);
	tcase_add_loop_test(tests, forward, 0, shapes_count);
	tcase_add_loop_test(tests, fast_products, 0, shapes_count);
	tcase_add_test(tests, refusals);
	tcase_add_test(tests, clock_and_idle);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
