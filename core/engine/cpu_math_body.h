/*
 * cpu_math_body.h - cpu_math.h in lanes.  A file that includes it is compiled for one
 * kind of registers, defines MATH, the name of that kind, and gets `math`.
 */
#include "cpu_math.h"
#include "lanes.h"

#include <math.h>

/*
 * The largest tile of a product, in lanes: its sums and what they are made of must fit
 * into the registers.  Tiles do not change a result: every sum has lanes of its own.
 */
#if PART == 16
#define TILE_ROWS    6
#define TILE_OUTPUTS 4
#else
#define TILE_ROWS    2
#define TILE_OUTPUTS 2
#endif
#define WIDEN_ROWS 12

INLINE uint32_t bytes_of(enum quire_weight_type type)
{
	return type == QUIRE_FP32 ? 4 : 2;
}

INLINE void widen_of(float *to, const char *from, const enum quire_weight_type type, uint32_t count)
{
	uint32_t i;

	for (i = 0; i + LANES <= count; i += LANES)
		lanes_store(to + i, lanes_load(from + i * bytes_of(type), type));
	if (i < count)
		lanes_store_some(to + i,
				 lanes_load_some(from + i * bytes_of(type), type, count - i),
				 count - i);
}

static void widen(float *to, const void *from, enum quire_weight_type type, uint32_t count)
{
	if (type == QUIRE_BF16)
		widen_of(to, from, QUIRE_BF16, count);
	else if (type == QUIRE_FP16)
		widen_of(to, from, QUIRE_FP16, count);
	else
		memcpy(to, from, count * sizeof(*to));
}

/* ---- products ---- */

struct tile {
	const float *x; /* [rows][x_stride] */
	const char *w;	/* [outputs][w_stride bytes] */
	float *y;	/* [rows][y_stride] */
	size_t x_stride, w_stride, y_stride;
	uint32_t k;	   /* <= CPU_K */
	bool add;	   /* to what y holds; false: y is written */
	const char *ahead; /* rows of weights to ask memory for meanwhile ... */
	size_t ahead_stride;
	uint32_t ahead_rows;
	uint32_t ahead_bytes; /* ... of an element */
};

/* All constants are known where it is expanded, so that all sums are registers. */
INLINE void tile_of(const uint32_t rows, const uint32_t outputs, const enum quire_weight_type type,
		    const struct tile *t)
{
	struct lanes sum[TILE_ROWS * TILE_OUTPUTS + 3]; /* [rows][outputs], and some zeros */
	float total[TILE_ROWS * TILE_OUTPUTS + 3];
	struct lanes w[TILE_OUTPUTS];
	uint32_t k;

	for (uint32_t i = 0; i < rows * outputs + 3; i++)
		sum[i] = lanes_all(0);
	for (k = 0; k + LANES <= t->k; k += LANES) {
		if (k * t->ahead_bytes % 64 == 0)
			for (uint32_t n = 0; n < t->ahead_rows; n++)
				__builtin_prefetch(t->ahead + n * t->ahead_stride +
						   k * t->ahead_bytes);
		for (uint32_t n = 0; n < outputs; n++)
			w[n] = lanes_load(t->w + n * t->w_stride + k * bytes_of(type), type);
		for (uint32_t r = 0; r < rows; r++) {
			struct lanes x = lanes_load(t->x + r * t->x_stride + k, QUIRE_FP32);

			for (uint32_t n = 0; n < outputs; n++)
				sum[r * outputs + n] = lanes_fma(x, w[n], sum[r * outputs + n]);
		}
	}
	if (k < t->k) {
		for (uint32_t n = 0; n < outputs; n++)
			w[n] = lanes_load_some(t->w + n * t->w_stride + k * bytes_of(type), type,
					       t->k - k);
		for (uint32_t r = 0; r < rows; r++) {
			struct lanes x =
				lanes_load_some(t->x + r * t->x_stride + k, QUIRE_FP32, t->k - k);

			for (uint32_t n = 0; n < outputs; n++)
				sum[r * outputs + n] = lanes_fma(x, w[n], sum[r * outputs + n]);
		}
	}
	for (uint32_t i = 0; i < rows * outputs; i += 4)
		lanes_sum_four(total + i, sum[i], sum[i + 1], sum[i + 2], sum[i + 3]);
	for (uint32_t r = 0; r < rows; r++)
		for (uint32_t n = 0; n < outputs; n++) {
			float *y = &t->y[r * t->y_stride + n];

			*y = t->add ? *y + total[r * outputs + n] : total[r * outputs + n];
		}
}

INLINE void tile_rows(const uint32_t outputs, const enum quire_weight_type type, uint32_t rows,
		      const struct tile *t)
{
	switch (rows) {
	case 1:
		tile_of(1, outputs, type, t);
		break;
	case 2:
		tile_of(2, outputs, type, t);
		break;
#if TILE_ROWS == 6
	case 3:
		tile_of(3, outputs, type, t);
		break;
	case 4:
		tile_of(4, outputs, type, t);
		break;
	case 5:
		tile_of(5, outputs, type, t);
		break;
	case 6:
		tile_of(6, outputs, type, t);
		break;
#endif
	}
}

/*
 * A column of tiles: any number of rows, shared out evenly.  Each tile asks for its share
 * of what is ahead.
 */
INLINE void column_of(const enum quire_weight_type type, uint32_t rows, uint32_t outputs,
		      struct tile t)
{
	uint32_t count = (rows + TILE_ROWS - 1) / TILE_ROWS, ahead_rows = t.ahead_rows;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t some = rows * (i + 1) / count - rows * i / count;

		t.ahead_rows = ahead_rows * (i + 1) / count - ahead_rows * i / count;
		if (outputs == TILE_OUTPUTS)
			tile_rows(TILE_OUTPUTS, type, some, &t);
		else
			tile_rows(1, type, some, &t);
		t.x += some * t.x_stride;
		t.y += some * t.y_stride;
		t.ahead += t.ahead_rows * t.ahead_stride;
	}
}

static void column_bf16(uint32_t rows, uint32_t outputs, const struct tile *t)
{
	column_of(QUIRE_BF16, rows, outputs, *t);
}

static void column_fp16(uint32_t rows, uint32_t outputs, const struct tile *t)
{
	column_of(QUIRE_FP16, rows, outputs, *t);
}

static void column_fp32(uint32_t rows, uint32_t outputs, const struct tile *t)
{
	column_of(QUIRE_FP32, rows, outputs, *t);
}

/*
 * All outputs, a column of tiles after the other, so that its weights stay near.  Those
 * that many rows need are widened once, into @panel [TILE_OUTPUTS][CPU_K].
 */
static void columns(enum quire_weight_type type, uint32_t rows, uint32_t outputs,
		    const struct tile *all, float *panel)
{
	struct tile t = *all;

	t.ahead_bytes = bytes_of(type);
	t.ahead_stride = t.w_stride;
	for (uint32_t n = 0, some; n < outputs; n += some) {
		const char *w = all->w + n * all->w_stride;

		some = outputs - n < TILE_OUTPUTS ? 1 : TILE_OUTPUTS;
		/* Behind the last outputs there may be nothing; asking does no harm. */
		t.ahead = w + some * all->w_stride;
		t.ahead_rows = some;
		if (type != QUIRE_FP32 && rows >= WIDEN_ROWS) {
			for (uint32_t i = 0; i < some; i++)
				widen(panel + i * CPU_K, w + i * all->w_stride, type, t.k);
			t.w = (const char *)panel;
			t.w_stride = CPU_K * sizeof(float);
			column_fp32(rows, some, &t);
		} else {
			t.w = w;
			if (type == QUIRE_BF16)
				column_bf16(rows, some, &t);
			else if (type == QUIRE_FP16)
				column_fp16(rows, some, &t);
			else
				column_fp32(rows, some, &t);
		}
		t.y += some;
	}
}

/* CPU_K inputs after the other: the sum of each is complete before the next is added. */
static void product(const struct cpu_product *p, uint32_t first, uint32_t count,
		    struct cpu_scratch *scratch)
{
	const struct quire_weight *w = p->w;
	size_t w_stride = (size_t)w->columns * bytes_of(w->type);

	for (uint32_t k = 0, some; k < w->columns; k += some) {
		struct tile t = {
			.x = p->x + k,
			.w = (const char *)w->data + first * w_stride + k * bytes_of(w->type),
			.y = p->y + first,
			.x_stride = p->x_stride,
			.w_stride = w_stride,
			.y_stride = p->y_stride,
			.k = some = w->columns - k < CPU_K ? w->columns - k : CPU_K,
			.add = k > 0,
		};

		columns(w->type, p->rows, count, &t, scratch->panel);
	}
}

/* ---- element by element ---- */

/*
 * exp(x) to about 1 ulp: 2^n e^r, n = round(x / ln 2), |r| <= ln 2 / 2; e^r by the
 * Taylor polynomial of degree 7.  Below -87.3 it is 0, above 88.3 it stays; NaN is NaN.
 */
INLINE struct lanes lanes_exp(struct lanes x)
{
	static const float factor[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24,
				       1.0f / 6,    0.5f,	1.0f,	    1.0f};
	const part shift = (part){0} + 12582912.0f; /* 1.5 2^23: sums are whole numbers */

	for (uint32_t i = 0; i < PARTS; i++) {
		part v = x.at[i], n, r, e = (part){0} + factor[0];
		ipart small = v<-87.3f, large = v> 88.3f;
		part power;

		v = (part)(((ipart)v & ~large) | ((ipart)((part){0} + 88.3f) & large));
		n = part_fma(v, (part){0} + 1.44269504f, shift);
		power = (part)(((ipart)n << 23) + (127 << 23));
		n -= shift;
		r = part_fma(n, (part){0} - 0.693145752f, v);
		r = part_fma(n, (part){0} - 1.42860677e-6f, r);
		for (uint32_t k = 1; k < 8; k++)
			e = part_fma(e, r, (part){0} + factor[k]);
		x.at[i] = (part)((ipart)(e * power) & ~small);
	}
	return x;
}

static void gate(float *g, const float *up, uint32_t count)
{
	for (uint32_t i = 0; i < count; i += LANES) {
		uint32_t some = count - i < LANES ? count - i : LANES;
		struct lanes v = lanes_load_some(g + i, QUIRE_FP32, some);
		struct lanes u = lanes_load_some(up + i, QUIRE_FP32, some);
		struct lanes e = lanes_exp(lanes_mul(v, lanes_all(-1)));

		for (uint32_t k = 0; k < PARTS; k++)
			v.at[k] = v.at[k] / (1.0f + e.at[k]) * u.at[k];
		lanes_store_some(g + i, v, some);
	}
}

static void add(float *y, const float *x, uint32_t count)
{
	for (uint32_t i = 0; i < count; i += LANES) {
		uint32_t some = count - i < LANES ? count - i : LANES;

		lanes_store_some(y + i,
				 lanes_add(lanes_load_some(y + i, QUIRE_FP32, some),
					   lanes_load_some(x + i, QUIRE_FP32, some)),
				 some);
	}
}

static void norm(float *y, const float *x, const struct quire_weight *weight, float eps)
{
	const char *w = weight->data;
	uint32_t count = weight->columns;
	struct lanes sum = lanes_all(0), scale;

	for (uint32_t i = 0; i < count; i += LANES) {
		uint32_t some = count - i < LANES ? count - i : LANES;
		struct lanes v = lanes_load_some(x + i, QUIRE_FP32, some);

		sum = lanes_fma(v, v, sum);
	}
	scale = lanes_all(1.0f / sqrtf(lanes_sum(sum) / (float)count + eps));
	for (uint32_t i = 0; i < count; i += LANES) {
		uint32_t some = count - i < LANES ? count - i : LANES;
		struct lanes v = lanes_load_some(x + i, QUIRE_FP32, some);
		struct lanes u =
			lanes_load_some(w + i * bytes_of(weight->type), weight->type, some);

		lanes_store_some(y + i, lanes_mul(lanes_mul(v, scale), u), some);
	}
}

INLINE uint32_t bits_of(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static uint16_t bf16_of(float value)
{
	uint32_t bits = bits_of(value);

	if ((bits & 0x7fffffffu) > 0x7f800000u)
		return (uint16_t)(bits >> 16 | 0x40); /* NaN stays one */
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* What is too large becomes infinite; below 2^-14 the unit is 2^-24. */
static uint16_t fp16_of(float value)
{
	uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000u;
	uint32_t size = bits & 0x7fffffffu;

	if (size > 0x7f800000u)
		return (uint16_t)(sign | 0x7e00u);
	if (size >= 0x477ff000u) /* 65520 */
		return (uint16_t)(sign | 0x7c00u);
	if (size < 0x38800000u) { /* 2^-14: let an addition round */
		float unit = (size >> 23 ? value < 0 ? -value : value : 0) + 0.5f;

		return (uint16_t)(sign | (bits_of(unit) - 0x3f000000u));
	}
	size += 0xfff + (size >> 13 & 1);
	return (uint16_t)(sign | ((size - 0x38000000u) >> 13));
}

static void narrow(void *to, const float *from, enum quire_weight_type type, uint32_t count)
{
	char *at = to;

	if (type == QUIRE_FP32) {
		memcpy(to, from, count * sizeof(*from));
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint16_t bits = type == QUIRE_BF16 ? bf16_of(from[i]) : fp16_of(from[i]);

		memcpy(at + i * sizeof(bits), &bits, sizeof(bits));
	}
}

#include "cpu_math_attend.h"

static const struct cpu_math math = {
	.name = MATH,
	.product = product,
	.attend = attend,
	.norm = norm,
	.gate = gate,
	.add = add,
	.widen = widen,
	.narrow = narrow,
};
