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
	float largest = *most, correction;
	struct lanes total = lanes_all(0);

	for (uint32_t i = 0; i < CPU_BLOCK; i++)
		largest = score[i] > largest ? score[i] : largest;
	correction = lanes_exp(lanes_all(*most - largest)).at[0][0];
	for (uint32_t i = 0; i < CPU_BLOCK; i += LANES) {
		struct lanes s = lanes_load(score + i, QUIRE_FP32);

		s = lanes_exp(lanes_add(s, lanes_all(-largest)));
		lanes_store(score + i, s);
		total = lanes_add(total, s);
	}
	*sum = *sum * correction + lanes_sum(total);
	*most = largest;
	return correction;
}

/* out = out * correction + sum over [from, to) of score v; @width lanes of it. */
INLINE void attend_values(const uint32_t width, float *out, const float *score, const float *v,
			  uint32_t stride, uint32_t from, uint32_t to, float correction)
{
	struct lanes sum[4];

	UNROLL for (uint32_t d = 0; d < width; d++) sum[d] =
		lanes_mul(lanes_load(out + d * LANES, QUIRE_FP32), lanes_all(correction));
	for (uint32_t i = from; i < to; i++)
		UNROLL for (uint32_t d = 0; d < width; d++) sum[d] = lanes_fma(
			lanes_all(score[i]),
			lanes_load(v + (size_t)i * stride + d * LANES, QUIRE_FP32), sum[d]);
	UNROLL for (uint32_t d = 0; d < width; d++) lanes_store(out + d * LANES, sum[d]);
}

/* The positions of a row: [*from, *to). */
INLINE void attend_range(const struct cpu_attention *a, uint32_t row, uint32_t *from, uint32_t *to)
{
	*to = a->position + row * a->advance + 1;
	*from = a->window && *to > a->window ? *to - a->window : 0;
}

/* One query and one block, whose scores are there for what the block can offer it. */
static void attend_block(const struct cpu_attention *a, struct cpu_scratch *scratch, uint32_t query,
			 uint32_t base, const float *v, uint32_t stride)
{
	float *score = scratch->score + query * CPU_BLOCK;
	float *out = scratch->out + (size_t)query * stride;
	uint32_t from, to, d;
	float correction;

	attend_range(a, query / a->group, &from, &to);
	if (to <= base || from >= base + CPU_BLOCK)
		return;
	from = from > base ? from - base : 0;
	to = to - base < CPU_BLOCK ? to - base : CPU_BLOCK;
	for (uint32_t i = 0; i < CPU_BLOCK; i++)
		if (i < from || i >= to)
			score[i] = -INFINITY;
	correction = attend_softmax(score, &scratch->most[query], &scratch->sum[query]);
	for (d = 0; d + 4 * LANES <= stride; d += 4 * LANES)
		attend_values(4, out + d, score, v + d, stride, from, to, correction);
	for (; d < stride; d += LANES)
		attend_values(1, out + d, score, v + d, stride, from, to, correction);
}

static void attend(const struct cpu_attention *a, struct cpu_scratch *scratch)
{
	uint32_t queries = a->rows * a->group;
	uint32_t stride = (a->head_dim + LANES - 1) / LANES * LANES;
	float *k = scratch->panel, *v = k + CPU_BLOCK * stride;
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
		tiles(QUIRE_FP32, queries, to - from,
		      (struct tile){
			      .x = scratch->query,
			      .w = (const char *)(k + (from - base) * stride),
			      .y = scratch->score + (from - base),
			      .x_stride = stride,
			      .w_stride = stride * sizeof(float),
			      .y_stride = CPU_BLOCK,
			      .k = a->head_dim,
		      });
		for (uint32_t i = 0; i < queries; i++)
			attend_block(a, scratch, i, base, v, stride);
	}
	for (uint32_t i = 0; i < queries; i++) {
		float *out =
			a->out + i / a->group * (size_t)a->q_stride + i % a->group * a->head_dim;

		for (uint32_t d = 0; d < a->head_dim; d++)
			out[d] = scratch->out[i * stride + d] / scratch->sum[i];
	}
}
