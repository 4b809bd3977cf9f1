/*
 * dist.c - draws from the distributions of dist.h.
 *
 * Only plain libm calls on values that the compiler cannot know, and no fused
 * multiply-add (-ffp-contract=off), so that every compiler draws the same.
 */
#include "dist.h"

#include <math.h>

static double normal(struct quire_rng *r)
{
	double u, v, s;

	do {
		u = 2.0 * quire_rng_unit(r) - 1.0;
		v = 2.0 * quire_rng_unit(r) - 1.0;
		s = u * u + v * v;
	} while (s >= 1.0 || s == 0.0);
	/* v would give a second one; keeping it would tie one draw to the next. */
	return u * sqrt(-2.0 * log(s) / s);
}

static double exponential(struct quire_rng *r, double mean)
{
	return -mean * log(quire_rng_unit(r));
}

static double gamma_variate(struct quire_rng *r, double shape, double scale)
{
	double boost = 1.0, d, c, x, v, u;

	if (shape < 1.0) { /* their section 6: one of shape + 1, times U^(1/shape) */
		boost = pow(quire_rng_unit(r), 1.0 / shape);
		shape += 1.0;
	}
	d = shape - 1.0 / 3.0;
	c = 1.0 / sqrt(9.0 * d);
	do {
		do {
			x = normal(r);
			v = 1.0 + c * x;
		} while (v <= 0.0);
		v = v * v * v;
		u = quire_rng_unit(r);
	} while (log(u) >= 0.5 * x * x + d - d * v + d * log(v));
	return boost * d * v * scale;
}

static double zipf(struct quire_rng *r, double a)
{
	const double b = pow(2.0, a - 1.0);
	double u, v, x, t;

	for (;;) {
		u = quire_rng_unit(r);
		v = quire_rng_unit(r);
		x = floor(pow(u, -1.0 / (a - 1.0)));
		if (!(x < 0x1p53)) /* beyond exact whole numbers: no length at all */
			continue;
		t = pow(1.0 + 1.0 / x, a - 1.0);
		if (v * x * (t - 1.0) / (b - 1.0) <= t / b)
			return x;
	}
}

static double draw(const struct quire_dist *d, struct quire_rng *r)
{
	double u;

	switch (d->kind) {
	case QUIRE_DIST_CONSTANT:
		return d->a;
	case QUIRE_DIST_UNIFORM:
		return d->a + (double)quire_rng_below(r, (uint32_t)(d->b - d->a) + 1);
	case QUIRE_DIST_EXPONENTIAL:
		return exponential(r, d->a);
	case QUIRE_DIST_GAMMA:
		return gamma_variate(r, d->a, d->b);
	case QUIRE_DIST_WEIBULL:
		return d->b * pow(-log(quire_rng_unit(r)), 1.0 / d->a);
	case QUIRE_DIST_NORMAL:
		return d->a + d->a * d->b * normal(r);
	case QUIRE_DIST_LOGNORMAL:
		return exp(d->a + d->b * normal(r));
	case QUIRE_DIST_LOGNORMAL2:
		if (quire_rng_unit(r) < d->w[0])
			return exp(d->a + d->b * normal(r));
		return exp(d->a2 + d->b2 * normal(r));
	case QUIRE_DIST_HYPEREXP3:
		u = quire_rng_unit(r);
		if (u < d->w[0])
			return exponential(r, d->a);
		return exponential(r, u < d->w[0] + d->w[1] ? d->b : d->a2);
	case QUIRE_DIST_ZIPF:
		return zipf(r, d->a);
	}
	return 0.0;
}

double quire_dist_draw(const struct quire_dist *d, struct quire_rng *r)
{
	double value = draw(d, r);

	if (d->max <= 0.0)
		return value;
	while (value > d->max && !d->cut)
		value = draw(d, r);
	return value > d->max ? d->max : value;
}

uint32_t quire_dist_tokens(const struct quire_dist *d, struct quire_rng *r)
{
	double value = floor(quire_dist_draw(d, r) + 0.5);

	if (value < 1.0)
		return 1;
	return value < 0x7fffffff ? (uint32_t)value : 0x7fffffff;
}
