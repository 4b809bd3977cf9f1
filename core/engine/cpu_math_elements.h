/*
 * cpu_math_elements.h - what cpu_math_body.h does element by element.  An element's
 * result does not depend on the lane that it is in.
 */

/* ---- types ---- */

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

/* ---- functions ---- */

/*
 * exp(x) to about 1 ulp: 2^n e^r, n = round(x / ln 2), |r| <= ln 2 / 2; e^r by the
 * Taylor polynomial of degree 7.  Below -87.3 it is 0, above 88.3 it stays; NaN is NaN.
 */
INLINE part part_exp(part x)
{
	static const float factor[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1};
	const part least = part_all(-87.3f), most = part_all(88.3f);
	const part shift = part_all(12582912.0f); /* 1.5 2^23: what is added to it is rounded */
	part v = part_choose(x > most, most, x), n, power, r, e = part_all(1.0f / 5040);

	n = part_fma(v, part_all(1.44269504f), shift);
	power = (part)(((upart)n << 23) + (127u << 23)); /* of the last bits of n alone */
	n -= shift;
	r = part_fma(n, part_all(-0.693145752f), v);
	r = part_fma(n, part_all(-1.42860677e-6f), r);
	for (uint32_t k = 0; k < 7; k++)
		e = part_fma(e, r, part_all(factor[k]));
	return part_choose(x < least, part_all(0), e * power);
}

INLINE struct lanes lanes_exp(struct lanes x)
{
	for (uint32_t i = 0; i < PARTS; i++)
		x.at[i] = part_exp(x.at[i]);
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
