/*
 * cpu_math_attend.h - attention of cpu_math_body.h.
 *
 * Positions are looked at in blocks of CPU_BLOCK that begin at multiples of it, whatever
 * the row, the chunk or the map; the softmax is made along the way (Milakov and
 * Gimelshein, arXiv 1805.02867; Dao et al., FlashAttention, arXiv 2205.14135).  After
 * each block, for each query:
 *
 *	most = the largest score so far
 *	sum  = sum of exp(score - most)
 *	out  = sum of exp(score - most) v
 *
 * What lies outside a row's own positions is never touched, be it NaN.
 */

/* Elements of [from, to) of the block that begins at @base, as fp32, a row each. */
static void attend_load(const struct cpu_attention *a, const char *kv, uint32_t base, uint32_t from,
			uint32_t to, float *panel, uint32_t stride)
{
	size_t bytes = (size_t)a->head_dim * bytes_of(a->kv_type);

	for (uint32_t p = from; p < to;) {
		uint32_t in_block = p % a->map.block_slots;
		uint32_t run = a->map.block_slots - in_block;
		const char *at = kv + (a->map.first[p / a->map.block_slots] + in_block) * bytes;

		for (run = run < to - p ? run : to - p; run; run--, p++, at += bytes)
			widen(panel + (size_t)(p - base) * stride, at, a->kv_type, a->head_dim);
	}
}

/* exp() of one query's scores, and what becomes of its sums.  Return: the correction. */
static float attend_softmax(float *score, float *most, float *sum)
{
	struct lanes largest = lanes_all(*most), total = lanes_all(0);
	float before = *most, correction;

	for (uint32_t i = 0; i < CPU_BLOCK; i += LANES)
		largest = lanes_max(lanes_load(score + i, QUIRE_FP32), largest);
	*most = lanes_largest(largest);
	for (uint32_t i = 0; i < CPU_BLOCK; i += LANES) {
		struct lanes s = lanes_load(score + i, QUIRE_FP32);

		s = lanes_exp(lanes_add(s, lanes_all(-*most)));
		lanes_store(score + i, s);
		total = lanes_add(total, s);
	}
	correction = before == *most ? 1 : lanes_exp(lanes_all(before - *most)).at[0][0];
	*sum = *sum * correction + lanes_sum(total);
	return correction;
}

/* One query after the other, or several at once: their sums must fit into registers. */
#if PART == 16
#define VALUE_QUERIES 4
#else
#define VALUE_QUERIES 1
#endif
#define VALUE_LANES 4

/* Scores of some queries, of one row, and values of the block: each [from, to). */
struct values {
	float *out;		 /* [queries][stride] */
	const float *score;	 /* [queries][CPU_BLOCK] */
	const float *v;		 /* [CPU_BLOCK][stride] */
	const float *correction; /* [queries] */
	uint32_t stride, from, to;
};

/* out = out * correction + sum over [from, to) of score v, from lane @d on. */
INLINE void attend_values(const uint32_t queries, const uint32_t width, const struct values *t,
			  uint32_t d)
{
	struct lanes sum[VALUE_QUERIES * VALUE_LANES], v[VALUE_LANES];

	for (uint32_t q = 0; q < queries; q++)
		for (uint32_t i = 0; i < width; i++)
			sum[q * width + i] = lanes_mul(
				lanes_load(t->out + q * t->stride + d + i * LANES, QUIRE_FP32),
				lanes_all(t->correction[q]));
	for (uint32_t p = t->from; p < t->to; p++) {
		for (uint32_t i = 0; i < width; i++)
			v[i] = lanes_load(t->v + (size_t)p * t->stride + d + i * LANES, QUIRE_FP32);
		for (uint32_t q = 0; q < queries; q++) {
			struct lanes s = lanes_all(t->score[q * CPU_BLOCK + p]);

			for (uint32_t i = 0; i < width; i++)
				sum[q * width + i] = lanes_fma(s, v[i], sum[q * width + i]);
		}
	}
	for (uint32_t q = 0; q < queries; q++)
		for (uint32_t i = 0; i < width; i++)
			lanes_store(t->out + q * t->stride + d + i * LANES, sum[q * width + i]);
}

static void attend_values_some(uint32_t queries, const struct values *t)
{
	for (uint32_t d = 0, width; d < t->stride; d += width * LANES) {
		width = t->stride - d < VALUE_LANES * LANES ? 1 : VALUE_LANES;
		if (queries == VALUE_QUERIES && width == VALUE_LANES)
			attend_values(VALUE_QUERIES, VALUE_LANES, t, d);
		else if (queries == VALUE_QUERIES)
			attend_values(VALUE_QUERIES, 1, t, d);
		else if (width == VALUE_LANES)
			attend_values(1, VALUE_LANES, t, d);
		else
			attend_values(1, 1, t, d);
	}
}

/* The positions of a row: [*from, *to). */
INLINE void attend_range(const struct cpu_attention *a, uint32_t row, uint32_t *from, uint32_t *to)
{
	*to = a->position + row * a->advance + 1;
	*from = a->window && *to > a->window ? *to - a->window : 0;
}

/* All heads of one row and one block, whose scores are there. */
static void attend_row(const struct cpu_attention *a, struct cpu_scratch *scratch, uint32_t row,
		       uint32_t base, const float *v, uint32_t stride)
{
	uint32_t first = row * a->group, from, to;

	attend_range(a, row, &from, &to);
	if (to <= base || from >= base + CPU_BLOCK)
		return;
	from = from > base ? from - base : 0;
	to = to - base < CPU_BLOCK ? to - base : CPU_BLOCK;
	for (uint32_t i = 0, some; i < a->group; i += some) {
		float correction[VALUE_QUERIES];
		struct values values = {
			.out = scratch->out + (size_t)(first + i) * stride,
			.score = scratch->score + (first + i) * CPU_BLOCK,
			.v = v,
			.correction = correction,
			.stride = stride,
			.from = from,
			.to = to,
		};

		some = a->group - i < VALUE_QUERIES ? 1 : VALUE_QUERIES;
		for (uint32_t q = first + i; q < first + i + some; q++) {
			float *score = scratch->score + q * CPU_BLOCK;

			for (uint32_t p = 0; p < from; p++)
				score[p] = -INFINITY;
			for (uint32_t p = to; p < CPU_BLOCK; p++)
				score[p] = -INFINITY;
			correction[q - first - i] =
				attend_softmax(score, &scratch->most[q], &scratch->sum[q]);
		}
		attend_values_some(some, &values);
	}
}

static void attend(const struct cpu_attention *a, struct cpu_scratch *scratch)
{
	uint32_t queries = a->rows * a->group;
	uint32_t stride = (a->head_dim + LANES - 1) / LANES * LANES;
	float *k = scratch->k, *v = scratch->v;
	uint32_t first, end;

	memset(scratch->out, 0, (size_t)queries * stride * sizeof(float));
	for (uint32_t i = 0; i < queries; i++) {
		const float *q =
			a->q + i / a->group * (size_t)a->q_stride + i % a->group * a->head_dim;

		for (uint32_t d = 0; d < a->head_dim; d++)
			scratch->query[i * stride + d] = q[d] * a->scale;
		scratch->most[i] = -INFINITY;
		scratch->sum[i] = 0;
	}
	attend_range(a, a->rows - 1, &first, &end);
	attend_range(a, 0, &first, &(uint32_t){0});
	for (uint32_t base = first / CPU_BLOCK * CPU_BLOCK; base < end; base += CPU_BLOCK) {
		uint32_t from = base > first ? base : first;
		uint32_t to = end < base + CPU_BLOCK ? end : base + CPU_BLOCK;

		attend_load(a, a->k, base, from, to, k, stride);
		attend_load(a, a->v, base, from, to, v, stride);
		columns(QUIRE_FP32, queries, to - from,
			&(struct tile){
				.x = scratch->query,
				.w = (const char *)(k + (from - base) * stride),
				.y = scratch->score + (from - base),
				.x_stride = stride,
				.w_stride = stride * sizeof(float),
				.y_stride = CPU_BLOCK,
				.k = a->head_dim,
			},
			NULL);
		for (uint32_t row = 0; row < a->rows; row++)
			attend_row(a, scratch, row, base, v, stride);
	}
	for (uint32_t i = 0; i < queries; i++) {
		float *out =
			a->out + i / a->group * (size_t)a->q_stride + i % a->group * a->head_dim;

		for (uint32_t d = 0; d < a->head_dim; d++)
			out[d] = scratch->out[i * stride + d] / scratch->sum[i];
	}
}
