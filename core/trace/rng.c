/*
 * rng.c - xoshiro256** with named streams; see rng.h.
 */
#include "rng.h"

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void quire_rng_seed(struct quire_rng *r, uint64_t seed, const char *stream)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a of the name */
	uint64_t state = seed;

	for (; *stream; stream++)
		hash = (hash ^ (unsigned char)*stream) * 0x100000001b3u;
	/* Through the mixer once, so that seed and name do not merely cancel. */
	state = splitmix64(&state) ^ hash;
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix64(&state);
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

uint64_t quire_rng_next(struct quire_rng *r)
{
	uint64_t *s = r->s;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

double quire_rng_unit(struct quire_rng *r)
{
	/* The middles of 2^52 cells: all exact in a double. */
	return ((double)(quire_rng_next(r) >> 12) + 0.5) * 0x1p-52;
}

uint32_t quire_rng_below(struct quire_rng *r, uint32_t below)
{
	uint64_t product = (quire_rng_next(r) >> 32) * below;

	if ((uint32_t)product < below) {
		uint32_t threshold = (0u - below) % below;

		while ((uint32_t)product < threshold)
			product = (quire_rng_next(r) >> 32) * below;
	}
	return (uint32_t)(product >> 32);
}
