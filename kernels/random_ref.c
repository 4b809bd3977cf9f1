/*
 * random_ref.c - see kernels.h.
 */
#include "ref.h"

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

void quire_ref_random(const struct quire_op_random *op)
{
	const double pi = 3.14159265358979323846;

	for (uint64_t i = 0; i < op->count; i++) {
		const uint64_t hash = mix(op->seed + i * 0x9e3779b97f4a7c15u);
		const double u = ((double)(hash >> 32) + 0.5) * 0x1p-32;
		const double turn = (double)(uint32_t)hash * 0x1p-32;

		op->out[i] =
			ref_to_bf16((double)op->deviation * sqrt(-2 * log(u)) * cos(2 * pi * turn));
	}
}
