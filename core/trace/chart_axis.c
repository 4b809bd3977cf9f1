/*
 * chart_axis.c - what an axis spans, and where its ticks are.
 */
#include "chart.h"

#include "report_text.h"

#include <float.h>
#include <math.h>
#include <string.h>

static bool drawable(const struct quire_axis *a, double value)
{
	return isfinite(value) && (a->scale == QUIRE_LINEAR || value >= DBL_MIN);
}

void quire_axis_cover(struct quire_axis *a, double value)
{
	if (a->exact || !drawable(a, value))
		return;
	if (!a->known)
		a->low = a->high = value;
	a->known = true;
	a->low = fmin(a->low, value);
	a->high = fmax(a->high, value);
}

/* The smallest of 1, 2, 2.5, 5 times a power of ten that cuts @span in at most @n. */
static double nice_step(double span, uint32_t n)
{
	static const double steps[] = {1, 2, 2.5, 5, 10};
	const double power = pow(10, floor(log10(span / n)));

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i] * power * n >= span * 0.9999)
			return steps[i] * power;
	return 10 * power;
}

/* The nearest of 1, 2, 5 times a power of ten that is not above @value. */
static double nice_below(double value)
{
	const double power = pow(10, floor(log10(value) + 1e-9));

	return power * (value >= 5 * power * 0.9999 ? 5 : value >= 2 * power * 0.9999 ? 2 : 1);
}

static double nice_above(double value)
{
	const double power = pow(10, floor(log10(value) + 1e-9));

	return power * (value <= power * 1.0001	      ? 1
			: value <= 2 * power * 1.0001 ? 2
			: value <= 5 * power * 1.0001 ? 5
						      : 10);
}

void quire_axis_settle(struct quire_axis *a, uint32_t ticks_max)
{
	double step;

	if (a->exact)
		return;
	if (!a->known) {
		a->low = a->scale == QUIRE_LINEAR ? 0 : 1;
		a->high = a->scale == QUIRE_LINEAR ? 1 : 10;
		return;
	}
	if (a->scale == QUIRE_LOG10) {
		a->low = nice_below(a->low);
		a->high = nice_above(a->high);
		if (a->high < a->low * 5) {
			a->low = nice_below(a->low / 2);
			a->high = nice_above(a->high * 2);
		}
	} else if (a->scale == QUIRE_LOG2) {
		a->low = exp2(floor(log2(a->low)));
		a->high = exp2(ceil(log2(a->high)));
		if (a->high <= a->low)
			a->high = 2 * a->low;
	} else {
		a->low = fmin(a->low, 0);
		a->high = fmax(a->high, 0);
		if (a->high <= a->low)
			a->high = a->low + 1;
		step = nice_step(a->high - a->low, ticks_max > 1 ? ticks_max - 1 : 1);
		a->low = step * floor(a->low / step + 1e-4);
		a->high = step * ceil(a->high / step - 1e-4);
	}
}

double quire_axis_place(const struct quire_axis *a, double value)
{
	double place;

	if (!drawable(a, value))
		return NAN;
	if (a->scale == QUIRE_LINEAR)
		place = (value - a->low) / (a->high - a->low);
	else
		place = log(value / a->low) / log(a->high / a->low);
	return isfinite(place) ? fmin(1, fmax(0, place)) : NAN;
}

static void add_tick(const struct quire_axis *a, struct quire_ticks *t, double value, int decimals,
		     bool label)
{
	char text[QUIRE_SHOW_MAX] = "", *to = t->label[t->count];

	if (t->count == QUIRE_TICKS_MAX)
		return;
	if (a->percent)
		snprintf(text, sizeof(text), "%.*f%%", decimals > 2 ? decimals - 2 : 0,
			 value * 100);
	else if (decimals > 0)
		snprintf(text, sizeof(text), "%.*f", decimals, value);
	else if (value < 0 || value >= 1e15)
		snprintf(text, sizeof(text), "%g", value);
	else
		quire_show_count(text, (uint64_t)llround(value));
	snprintf(to, sizeof(t->label[0]), "%s", label ? text : "");
	t->at[t->count++] = value;
}

/* Decimals that a round number needs. */
static int decimals_of(double step)
{
	int n = 0;

	for (; n < 9 && fabs(step - round(step)) > 1e-6 * step; n++)
		step *= 10;
	return n;
}

static void ticks_log10(const struct quire_axis *a, uint32_t ticks_max, struct quire_ticks *t)
{
	static const double within[] = {1, 2, 5};
	double low = floor(log10(a->low) + 1e-9), high = log10(a->high) + 1e-9;
	uint32_t decades = (uint32_t)(high - log10(a->low)) + 1;
	uint32_t every = 1 + decades / (ticks_max ? ticks_max : 1);
	bool fine = decades * 3 <= ticks_max;
	uint32_t n = 0;

	for (double e = low; e <= high; e++, n++) {
		for (size_t i = 0; i < 3; i++) {
			double value = within[i] * pow(10, e);

			if (value < a->low * 0.9999 || value > a->high * 1.0001 || (i && every > 1))
				continue;
			add_tick(a, t, value, e < 0 ? (int)-e : 0,
				 fine || (i == 0 && n % every == 0));
		}
	}
}

static void ticks_log2(const struct quire_axis *a, uint32_t ticks_max, struct quire_ticks *t)
{
	double low = ceil(log2(a->low) - 1e-9), high = log2(a->high) + 1e-9;
	uint32_t every = 1 + (uint32_t)(high - low) / (ticks_max ? ticks_max : 1), n = 0;

	for (double e = low; e <= high; e++, n++)
		add_tick(a, t, exp2(e), e < 0 ? (int)-e : 0, n % every == 0);
}

void quire_axis_ticks(const struct quire_axis *a, uint32_t ticks_max, struct quire_ticks *t)
{
	double step;

	t->count = 0;
	if (!(a->high > a->low) || !isfinite(a->high - a->low))
		return;
	if (a->scale == QUIRE_LOG10) {
		ticks_log10(a, ticks_max, t);
	} else if (a->scale == QUIRE_LOG2) {
		ticks_log2(a, ticks_max, t);
	} else {
		step = nice_step(a->high - a->low, ticks_max > 1 ? ticks_max - 1 : 1);
		for (double k = ceil(a->low / step - 1e-6); k * step <= a->high + step * 1e-6; k++)
			add_tick(a, t, k * step + 0.0, decimals_of(step), true);
	}
}
