/*
 * rope.c - the frequencies of rotary positions; see checkpoint.h.
 */
#include "checkpoint.h"

#include <math.h>

#define TWO_PI 6.283185307179586

static double scaled(const struct quire_rope *rope, double frequency)
{
	const double turns = rope->original * frequency / TWO_PI; /* original / w */
	double share;

	if (rope->scaling == QUIRE_ROPE_PLAIN)
		return frequency;
	if (rope->scaling == QUIRE_ROPE_LINEAR || turns < rope->low_factor)
		return frequency / rope->factor;
	if (turns > rope->high_factor)
		return frequency;
	share = (turns - rope->low_factor) / (rope->high_factor - rope->low_factor);
	return (1 - share) * frequency / rope->factor + share * frequency;
}

void quire_rope_frequencies(const struct quire_rope *rope, uint32_t head_dim, float *frequency)
{
	for (uint32_t i = 0; i < head_dim / 2; i++) {
		const double plain = pow(rope->theta, -2.0 * i / head_dim);

		frequency[i] = (float)scaled(rope, plain);
	}
}
