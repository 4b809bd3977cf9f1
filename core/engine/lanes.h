/*
 * lanes.h - sixteen numbers at a time, the same on every machine.
 *
 * All arithmetic of the cpu executor over elements is written in lanes of sixteen
 * floats, whatever the registers of the machine: one of 512 bits, two of 256, four of
 * 128.  So the order of additions is part of the program, not of the compiler:
 * sixteen running sums, one a lane, and one fixed tree at the end.  Only whether
 * a * b + c is rounded once (AVX-512, AVX2, NEON) or twice (other machines) differs
 * between machines; within one it never does.
 *
 * What is behind the end of a vector is read as 0, by a copy, so that the last
 * lanes are computed as all others are.
 *
 * The file is for cpu_math_body.h alone, which is compiled once for each kind of
 * registers; see there.
 */
#ifndef QUIRE_LANES_H
#define QUIRE_LANES_H

#include "core/model/checkpoint.h"

#include <string.h>

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <immintrin.h>
#define PART 16 /* floats of a register */
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include <immintrin.h>
#define PART 8
#elif defined(__aarch64__)
#include <arm_neon.h>
#define PART 4
#else
#define PART 4
#endif

#define LANES 16
#define PARTS (LANES / PART)

#define INLINE static inline __attribute__((always_inline))

typedef float part __attribute__((vector_size(PART * 4)));
typedef int32_t ipart __attribute__((vector_size(PART * 4)));
typedef uint32_t upart __attribute__((vector_size(PART * 4)));

struct lanes {
	part at[PARTS];
};

INLINE uint32_t bytes_of(enum quire_weight_type type)
{
	return type == QUIRE_FP32 ? 4 : 2;
}

/* a * b + c, of one register. */
INLINE part part_fma(part a, part b, part c)
{
#if PART == 16
	return (part)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif PART == 8
	return (part)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
	return (part)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
	return a * b + c;
#endif
}

INLINE part part_all(float value)
{
	return (part){0} + value;
}

/* @a where the bits of @which are set, @b where not. */
INLINE part part_choose(ipart which, part a, part b)
{
	return (part)(((ipart)a & which) | ((ipart)b & ~which));
}

/* From 16 bits to 32, exactly. */
INLINE part part_of_bf16(const void *from)
{
#if PART == 16
	return (part)_mm512_slli_epi32(
		_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from)), 16);
#elif PART == 8
	return (part)_mm256_slli_epi32(
		_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)from)), 16);
#else
	uint16_t bits[PART];
	upart wide;

	memcpy(bits, from, sizeof(bits));
	for (uint32_t i = 0; i < PART; i++)
		wide[i] = (uint32_t)bits[i] << 16;
	return (part)wide;
#endif
}

/* The parts of a number below 2^-14 are multiples of 2^-24. */
static inline float float_of_fp16(uint16_t half)
{
	uint32_t size = half & 0x7fffu, bits;
	float value;

	if (size < 0x400) {
		value = (float)size * 0x1p-24f;
		memcpy(&bits, &value, sizeof(bits));
	} else {
		bits = (size << 13) + (size < 0x7c00 ? 0x38000000u : 0x70000000u);
	}
	bits |= (uint32_t)(half & 0x8000u) << 16;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

INLINE part part_of_fp16(const void *from)
{
#if PART == 16
	return (part)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from));
#elif PART == 8
	return (part)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
#else
	uint16_t bits[PART];
	part value;

	memcpy(bits, from, sizeof(bits));
	for (uint32_t i = 0; i < PART; i++)
		value[i] = float_of_fp16(bits[i]);
	return value;
#endif
}

INLINE part part_load(const void *from)
{
	part value;

	memcpy(&value, from, sizeof(value));
	return value;
}

/* ---- lanes ---- */

INLINE struct lanes lanes_all(float value)
{
	struct lanes v;

	for (uint32_t i = 0; i < PARTS; i++)
		v.at[i] = part_all(value);
	return v;
}

INLINE struct lanes lanes_load(const void *from, enum quire_weight_type type)
{
	struct lanes v;

	for (uint32_t i = 0; i < PARTS; i++) {
		const char *at = (const char *)from + i * PART * bytes_of(type);

		v.at[i] = type == QUIRE_BF16   ? part_of_bf16(at)
			  : type == QUIRE_FP16 ? part_of_fp16(at)
					       : part_load(at);
	}
	return v;
}

/* The first @count <= LANES, and 0 behind them. */
INLINE struct lanes lanes_load_some(const void *from, enum quire_weight_type type, uint32_t count)
{
	char bytes[LANES * 4] = {0};

	if (count == LANES)
		return lanes_load(from, type);
	memcpy(bytes, from, count * bytes_of(type));
	return lanes_load(bytes, type);
}

INLINE void lanes_store(float *to, struct lanes v)
{
	memcpy(to, &v, sizeof(v));
}

INLINE void lanes_store_some(float *to, struct lanes v, uint32_t count)
{
	if (count == LANES)
		lanes_store(to, v);
	else
		memcpy(to, &v, count * sizeof(*to));
}

INLINE struct lanes lanes_fma(struct lanes a, struct lanes b, struct lanes c)
{
	for (uint32_t i = 0; i < PARTS; i++)
		c.at[i] = part_fma(a.at[i], b.at[i], c.at[i]);
	return c;
}

INLINE struct lanes lanes_add(struct lanes a, struct lanes b)
{
	for (uint32_t i = 0; i < PARTS; i++)
		a.at[i] += b.at[i];
	return a;
}

INLINE struct lanes lanes_mul(struct lanes a, struct lanes b)
{
	for (uint32_t i = 0; i < PARTS; i++)
		a.at[i] *= b.at[i];
	return a;
}

/* The larger of each two; @b where one of them is NaN. */
INLINE struct lanes lanes_max(struct lanes a, struct lanes b)
{
	for (uint32_t i = 0; i < PARTS; i++)
		a.at[i] = part_choose(a.at[i] > b.at[i], a.at[i], b.at[i]);
	return a;
}

INLINE float lanes_largest(struct lanes v)
{
	float at[LANES];

	lanes_store(at, v);
	for (uint32_t half = LANES / 2; half; half /= 2)
		for (uint32_t i = 0; i < half; i++)
			at[i] = at[i] > at[i + half] ? at[i] : at[i + half];
	return at[0];
}

/*
 * The sum of the lanes, as a tree that halves: lane i and lane i + 8, then + 4, + 2,
 * + 1.  Every sum over elements ends with it.
 */
INLINE float lanes_sum(struct lanes v)
{
	float at[LANES];

	lanes_store(at, v);
	for (uint32_t half = LANES / 2; half; half /= 2)
		for (uint32_t i = 0; i < half; i++)
			at[i] += at[i + half];
	return at[0];
}

/* The same of four at once, into @to [4]. */
INLINE void lanes_sum_four(float *to, struct lanes a, struct lanes b, struct lanes c,
			   struct lanes d)
{
#if PART == 16
	__m512 ab = _mm512_shuffle_f32x4((__m512)a.at[0], (__m512)b.at[0], 0x44) +
		    _mm512_shuffle_f32x4((__m512)a.at[0], (__m512)b.at[0], 0xee);
	__m512 cd = _mm512_shuffle_f32x4((__m512)c.at[0], (__m512)d.at[0], 0x44) +
		    _mm512_shuffle_f32x4((__m512)c.at[0], (__m512)d.at[0], 0xee);
	__m512 all = _mm512_shuffle_f32x4(ab, cd, 0x88) + _mm512_shuffle_f32x4(ab, cd, 0xdd);

	all += _mm512_permute_ps(all, 0x4e);
	all += _mm512_permute_ps(all, 0xb1);
	_mm_storeu_ps(to, _mm512_castps512_ps128(_mm512_maskz_compress_ps(0x1111, all)));
#elif PART == 8
	__m256 a8 = (__m256)(a.at[0] + a.at[1]), b8 = (__m256)(b.at[0] + b.at[1]);
	__m256 c8 = (__m256)(c.at[0] + c.at[1]), d8 = (__m256)(d.at[0] + d.at[1]);
	__m256 ab = _mm256_permute2f128_ps(a8, b8, 0x20) + _mm256_permute2f128_ps(a8, b8, 0x31);
	__m256 cd = _mm256_permute2f128_ps(c8, d8, 0x20) + _mm256_permute2f128_ps(c8, d8, 0x31);
	__m256 acbd = _mm256_shuffle_ps(ab, cd, 0x44) + _mm256_shuffle_ps(ab, cd, 0xee);

	acbd = _mm256_shuffle_ps(acbd, acbd, 0x88) + _mm256_shuffle_ps(acbd, acbd, 0xdd);
	_mm_storeu_ps(
		to, _mm_unpacklo_ps(_mm256_castps256_ps128(acbd), _mm256_extractf128_ps(acbd, 1)));
#else
	to[0] = lanes_sum(a);
	to[1] = lanes_sum(b);
	to[2] = lanes_sum(c);
	to[3] = lanes_sum(d);
#endif
}

#endif /* QUIRE_LANES_H */
