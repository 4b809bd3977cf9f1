/*
 * cpu_math_product.h - matrix products of cpu_math_body.h.
 *
 * A tile is some rows by some outputs.  Each of its sums has lanes of its own and is
 * added up in the order of the inputs, so a tile's shape changes no result; only that
 * many sums share what is loaded.
 */

/*
 * The largest tile of a product, in lanes: its sums and what they are made of must fit
 * into the registers.  From WIDEN_ROWS on weights are made fp32 before they are used.
 */
#if PART == 16
#define TILE_ROWS    6
#define TILE_OUTPUTS 4
#else
#define TILE_ROWS    2
#define TILE_OUTPUTS 2
#endif
#define WIDEN_ROWS 12

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
