/*
 * dist_parse.c - a distribution of lengths as a user writes it; see dist.h.
 */
#include "dist.h"

#include "core/util.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS_MAX 5

struct form {
	const char *name;
	const char *numbers; /* how they are called, for the sentence */
	enum quire_dist_kind kind;
	struct {
		double min, max;
	} range[NUMBERS_MAX]; /* ends with a max of 0 */
};

#define TOKENS                                                                                     \
	{                                                                                          \
		1, 2147483647                                                                      \
	}
#define SIGMA                                                                                      \
	{                                                                                          \
		0, 10                                                                              \
	}
#define VARIATES                                                                                   \
	{                                                                                          \
		0.01, 100                                                                          \
	}

static const struct form forms[] = {
	{"fixed", "TOKENS", QUIRE_DIST_CONSTANT, {TOKENS}},
	{"uniform", "LOW:HIGH", QUIRE_DIST_UNIFORM, {TOKENS, TOKENS}},
	{"exp", "MEAN", QUIRE_DIST_EXPONENTIAL, {TOKENS}},
	{"normal", "MEAN:CV", QUIRE_DIST_NORMAL, {TOKENS, VARIATES}},
	{"gamma", "MEAN:CV", QUIRE_DIST_GAMMA, {TOKENS, VARIATES}},
	{"lognormal", "MEAN:SIGMA", QUIRE_DIST_LOGNORMAL, {TOKENS, SIGMA}},
	{"lognormal2",
	 "SHARE:MEAN:SIGMA:MEAN:SIGMA",
	 QUIRE_DIST_LOGNORMAL2,
	 {{0, 1}, TOKENS, SIGMA, TOKENS, SIGMA}},
	{"zipf", "EXPONENT", QUIRE_DIST_ZIPF, {{1.01, 10}}},
};
#define FORMS (sizeof(forms) / sizeof(*forms))

static const struct form *find(const char *name)
{
	const char *names[FORMS + 1] = {NULL}, *nearest;

	for (size_t i = 0; i < FORMS; i++) {
		if (quire_same_name(name, forms[i].name))
			return &forms[i];
		names[i] = forms[i].name;
	}
	nearest = quire_nearest(name, names);
	quire_fail(-EINVAL,
		   nearest ? "there is no distribution '%s'; did you mean '%s'?"
			   : "expected fixed, uniform, exp, normal, gamma, lognormal, lognormal2 "
			     "or zipf, found '%s'",
		   name, nearest);
	return NULL;
}

/* The mean of exp(normal) is exp(mu + sigma^2 / 2). */
static double log_mean(double mean, double sigma)
{
	return log(mean) - sigma * sigma / 2.0;
}

static void set(struct quire_dist *d, const struct form *form, const double *n)
{
	*d = (struct quire_dist){.kind = form->kind, .a = n[0], .b = n[1]};
	switch (form->kind) {
	case QUIRE_DIST_GAMMA:
		d->a = 1.0 / (n[1] * n[1]);
		d->b = n[0] * n[1] * n[1];
		break;
	case QUIRE_DIST_LOGNORMAL:
		d->a = log_mean(n[0], n[1]);
		break;
	case QUIRE_DIST_LOGNORMAL2:
		d->w[0] = n[0];
		d->a = log_mean(n[1], n[2]);
		d->b = n[2];
		d->a2 = log_mean(n[3], n[4]);
		d->b2 = n[4];
		break;
	default:
		break;
	}
}

/* max=N or cut=N */
static int read_bound(struct quire_dist *d, const char *text)
{
	if (strncmp(text, "max=", 4) && strncmp(text, "cut=", 4))
		return quire_fail(-EINVAL, "expected max=TOKENS or cut=TOKENS, found '%s'", text);
	if (d->max > 0.0)
		return quire_fail(-EINVAL, "expected max or cut once, found '%s' too", text);
	d->cut = *text == 'c';
	return quire_parse_real(d->cut ? "cut" : "max", text + 4, 1, 2147483647, &d->max);
}

/* Is what is drawn again until it is small enough ever small enough? */
static int check_bound(const struct quire_dist *d, const char *text)
{
	struct quire_dist free = *d;
	struct quire_rng rng;
	uint32_t good = 0;

	free.max = 0.0;
	quire_rng_seed(&rng, 0, "bound");
	for (int i = 0; i < 1000; i++)
		good += quire_dist_draw(&free, &rng) <= d->max;
	if (good < 10)
		return quire_fail(-EINVAL,
				  "'%s': hardly one draw in a hundred is %g or less; use cut=%g, "
				  "or another distribution",
				  text, d->max, d->max);
	return 0;
}

int quire_dist_parse(struct quire_dist *d, const char *text)
{
	static char fixed[] = "fixed";
	char copy[128], *parts[NUMBERS_MAX + 3], *at = copy;
	double n[NUMBERS_MAX] = {0};
	uint32_t parts_count = 0, i = 0;
	const struct form *form;
	int rc = 0;

	if (strlen(text) >= sizeof(copy))
		return quire_fail(-EINVAL, "expected a distribution, found more than %zu bytes",
				  sizeof(copy) - 1);
	strcpy(copy, text);
	if (*text >= '0' && *text <= '9') /* "512" is "fixed:512" */
		parts[parts_count++] = fixed;
	for (bool more = true; more; at++) {
		if (parts_count == sizeof(parts) / sizeof(*parts))
			return quire_fail(-EINVAL, "expected fewer numbers, found '%s'", text);
		parts[parts_count++] = at;
		at += strcspn(at, ":");
		more = *at == ':';
		*at = 0;
	}
	form = find(parts[0]);
	if (!form)
		return -EINVAL;
	for (; rc == 0 && i < NUMBERS_MAX && form->range[i].max > 0.0; i++) {
		if (i + 1 >= parts_count || strchr(parts[i + 1], '='))
			return quire_fail(-EINVAL, "expected %s:%s, found '%s'", form->name,
					  form->numbers, text);
		rc = quire_parse_real(form->name, parts[i + 1], form->range[i].min,
				      form->range[i].max, &n[i]);
	}
	if (rc < 0)
		return rc;
	if (form->kind == QUIRE_DIST_UNIFORM &&
	    (n[1] < n[0] || n[0] != floor(n[0]) || n[1] != floor(n[1])))
		return quire_fail(-EINVAL, "expected whole numbers LOW:HIGH, found '%s'", text);
	set(d, form, n);
	while (rc == 0 && ++i < parts_count)
		rc = read_bound(d, parts[i]);
	if (rc == 0 && form->kind == QUIRE_DIST_ZIPF && d->max <= 0.0)
		rc = quire_fail(-EINVAL, "zipf has no mean without a bound: add :max=TOKENS");
	return rc < 0 || d->max <= 0.0 || d->cut ? rc : check_bound(d, text);
}
