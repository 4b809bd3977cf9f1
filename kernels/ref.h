/*
 * ref.h - numbers, for the references: plain C in double.
 */
#ifndef QUIRE_KERNELS_REF_H
#define QUIRE_KERNELS_REF_H

#include "kernels.h"

#include <math.h>
#include <string.h>

static inline double ref_of_bf16(uint16_t bits)
{
	const uint32_t wide = (uint32_t)bits << 16;
	float value;

	memcpy(&value, &wide, sizeof(value));
	return (double)value;
}

/* To nearest, ties to even, from a double that was rounded to float. */
static inline uint16_t ref_to_bf16(double value)
{
	const float narrow = (float)value;
	uint32_t bits;

	if (isnan(narrow))
		return 0x7fff;
	memcpy(&bits, &narrow, sizeof(bits));
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline double ref_silu(double x)
{
	return x / (1 + exp(-x));
}

#endif /* QUIRE_KERNELS_REF_H */
