/*
 * descend.c - see descend.h.
 */
#include "descend.h"

#include <stdbool.h>

#define STEP_LAST 0.001

/* Try @value for @c, and keep it if that is better. */
static bool try_value(const struct quire_descent *d, const struct quire_constant *c, double value,
		      double *best)
{
	const double before = *c->value;
	double now;

	*c->value = c->max > 0 && value > c->max ? c->max : value;
	now = d->loss(d->arg);
	if (now < *best * d->keep) {
		*best = now;
		return true;
	}
	*c->value = before;
	return false;
}

double quire_descend(const struct quire_descent *d)
{
	double best = d->loss(d->arg);

	for (double step = d->step; step > STEP_LAST; step /= 2) {
		bool better = true;

		for (uint32_t round = 0; better && (!d->rounds_max || round < d->rounds_max);
		     round++) {
			better = false;
			for (size_t i = 0; i < d->count; i++) {
				const struct quire_constant *c = &d->constants[i];

				better |= try_value(d, c, *c->value / (1 + step), &best);
				better |= try_value(d, c, *c->value * (1 + step), &best);
			}
		}
	}
	return best;
}
