/*
 * sampling.c - see sampling.h: parameters, and the numbers that decide.
 */
#include "sampling.h"

#include <errno.h>
#include <math.h>

void quire_sampling_init(struct quire_sampling *s)
{
	*s = (struct quire_sampling){
		.top_p = 1,
		.repetition_penalty = 1,
		.length_penalty = 1,
	};
}

int quire_sampling_check(const struct quire_sampling *s)
{
	const struct {
		const char *name;
		double value, min, max;
	} range[] = {
		{"temperature", s->temperature, 0, 100},
		{"min-p", s->min_p, 0, 1},
		{"presence-penalty", s->presence_penalty, -2, 2},
		{"frequency-penalty", s->frequency_penalty, -2, 2},
		{"length-penalty", s->length_penalty, -100, 100},
		{"logprobs", s->logprobs, 0, QUIRE_LOGPROBS_MAX},
	};

	for (size_t i = 0; i < sizeof(range) / sizeof(*range); i++)
		if (!(range[i].value >= range[i].min && range[i].value <= range[i].max))
			return quire_fail(-EINVAL, "%s: expected a number from %g to %g, found %g",
					  range[i].name, range[i].min, range[i].max,
					  range[i].value);
	if (!(s->top_p > 0 && s->top_p <= 1))
		return quire_fail(-EINVAL, "top-p: expected a number above 0, up to 1, found %g",
				  s->top_p);
	if (!(s->repetition_penalty > 0 && s->repetition_penalty <= 100))
		return quire_fail(-EINVAL,
				  "repetition-penalty: expected a number above 0, up to 100, found "
				  "%g",
				  s->repetition_penalty);
	for (uint32_t i = 0; i < s->stops_count; i++)
		if (!*s->stops[i])
			return quire_fail(-EINVAL, "stop: expected some text, found ''");
	return 0;
}

/* The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): one to one. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

double quire_sampling_uniform(uint64_t seed, uint32_t sample, uint32_t position)
{
	const uint64_t golden = 0x9e3779b97f4a7c15u;
	uint64_t x = mix(seed + golden);

	/* One to one again: no two places of a seed's texts have the same number. */
	x = mix(x + golden * ((uint64_t)sample << 32 | position));
	return (double)(x >> 11) * 0x1p-53;
}
