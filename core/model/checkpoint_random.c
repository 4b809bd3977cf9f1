/*
 * checkpoint_random.c - weights drawn instead of read.
 *
 * Element i of the n-th weight is a hash of (seed, n, i), so any thread can draw any
 * part.  The hash's eight bytes are added up: their sum is normal to the eye (excess
 * kurtosis -0.15, nothing beyond 4.9 deviations), needs integers only, and so is the
 * same on every machine; and it has 2,041 values, which are looked up.
 */
#include "checkpoint_parts.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVIATION   0.02
#define SUMS	    (8 * 255 + 1)
#define SUM_MEAN    1020.0
#define SUM_SQUARE  43690.0 /* variance: 8 (256^2 - 1) / 12 */
#define ALIGNMENT   256	    /* bytes, of each weight */
#define THREADS_MAX 64

/* ---- a number's bits ----------------------------------------------------------- */

/* @value, which is finite and below 2, rounded to nearest even. */
static uint16_t fp16_bits(double value)
{
	const uint16_t sign = value < 0 ? 0x8000 : 0;
	int exponent = 0;
	double fraction = fabs(value);

	if (fraction < 0x1p-14)
		return (uint16_t)(sign | (uint16_t)nearbyint(fraction * 0x1p24));
	fraction = frexp(fraction, &exponent); /* [1/2, 1) */
	/* A fraction that rounds up to 1 carries into the exponent, as it should. */
	return (uint16_t)(sign + ((uint32_t)(exponent + 13) << 10) +
			  (uint32_t)nearbyint(fraction * 0x1p11));
}

static uint16_t bf16_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Into @out, whose elements are of @type. */
static void put(void *out, enum quire_weight_type type, double value)
{
	const float single = (float)value;
	const uint16_t half = type == QUIRE_BF16 ? bf16_bits(single) : fp16_bits(value);

	if (type == QUIRE_FP32)
		memcpy(out, &single, sizeof(single));
	else
		memcpy(out, &half, sizeof(half));
}

/* ---- drawing ------------------------------------------------------------------- */

/* The weights in their order, and the numbers that sums stand for. */
struct draw {
	struct quire_checkpoint *c;
	struct job {
		const struct quire_weight *weight;
		enum quire_weight_kind kind;
	} * jobs; /* [count] */
	uint32_t count;
	uint64_t bytes; /* of all, aligned */
	uint8_t *at;	/* the next one's place */
	uint64_t seed;
	void (*progress)(void *arg, double share); /* NULL: nobody asks */
	void *progress_arg;
	uint16_t halves[SUMS]; /* of c->type, if that has 16 bits */
	float singles[SUMS];
};

/* One of so many threads. */
struct drawer {
	pthread_t thread;
	const struct draw *draw;
	uint32_t index, count;
};

/* The finisher of SplitMix64 (Steele, Lea, Flood: OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint32_t sum_of_bytes(uint64_t x)
{
	const uint64_t pairs = 0x00ff00ff00ff00ff;

	x = (x & pairs) + (x >> 8 & pairs);
	return (uint32_t)(x * 0x0001000100010001 >> 48);
}

static uint32_t element(uint64_t key, uint64_t i)
{
	return sum_of_bytes(mix(key + i * 0x9e3779b97f4a7c15));
}

/* Elements [from, to) of the n-th weight.  Memory is zero before. */
static void draw_part(const struct draw *d, uint32_t n, uint64_t from, uint64_t to)
{
	const uint64_t key = mix(d->seed + mix(n + 1));
	uint8_t *data = (void *)(uintptr_t)d->jobs[n].weight->data; /* it is ours */
	const uint32_t bytes = quire_weight_type_bytes(d->c->type);
	uint16_t *halves = (void *)data;
	float *singles = (void *)data;

	if (d->jobs[n].kind == QUIRE_WEIGHT_NORM) {
		for (uint64_t i = from; i < to; i++)
			put(data + i * bytes, d->c->type, 1);
	} else if (d->jobs[n].kind == QUIRE_WEIGHT_BIAS) {
		return;
	} else if (d->c->type == QUIRE_FP32) {
		for (uint64_t i = from; i < to; i++)
			singles[i] = d->singles[element(key, i)];
	} else {
		for (uint64_t i = from; i < to; i++)
			halves[i] = d->halves[element(key, i)];
	}
}

/* This thread's share of every weight.  The first one tells how far it is. */
static void *draw_all(void *arg)
{
	const struct drawer *self = arg;
	const struct draw *d = self->draw;
	uint64_t done = 0;

	for (uint32_t n = 0; n < d->count; n++) {
		const struct quire_weight *w = d->jobs[n].weight;
		const uint64_t elements = (uint64_t)w->rows * w->columns;
		const uint64_t share = elements / self->count, from = share * self->index;

		draw_part(d, n, from, self->index + 1 == self->count ? elements : from + share);
		done += elements * quire_weight_type_bytes(w->type);
		if (self->index == 0 && d->progress)
			d->progress(d->progress_arg, (double)done / (double)d->c->weight_bytes);
	}
	return NULL;
}

static void draw_with_threads(const struct draw *d)
{
	struct drawer drawers[THREADS_MAX];
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const uint32_t count = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (uint32_t)cores;
	bool started[THREADS_MAX] = {false};

	for (uint32_t i = 0; i < count; i++) {
		drawers[i] = (struct drawer){.draw = d, .index = i, .count = count};
		if (i > 0)
			started[i] =
				!pthread_create(&drawers[i].thread, NULL, draw_all, &drawers[i]);
		if (i > 0 && !started[i])
			draw_all(&drawers[i]);
	}
	draw_all(&drawers[0]);
	for (uint32_t i = 1; i < count; i++) {
		if (started[i])
			pthread_join(drawers[i].thread, NULL);
	}
}

/* ---- where weights lie --------------------------------------------------------- */

static uint64_t weight_bytes(const struct quire_weight *weight)
{
	return (uint64_t)weight->rows * weight->columns * quire_weight_type_bytes(weight->type);
}

static uint64_t aligned(uint64_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Called for each weight: it gets its type, ... */
static int add_type(void *arg, const char *name, enum quire_weight_kind kind,
		    struct quire_weight *weight)
{
	struct quire_checkpoint *c = arg;

	(void)name, (void)kind;
	weight->type = c->type;
	c->weight_bytes += weight_bytes(weight);
	return 0;
}

/* ... is measured, ... */
static int measure(void *arg, const char *name, enum quire_weight_kind kind,
		   struct quire_weight *weight)
{
	struct draw *d = arg;

	(void)name, (void)kind;
	d->bytes += aligned(weight_bytes(weight));
	d->count++;
	return 0;
}

/* ... and gets its place. */
static int place(void *arg, const char *name, enum quire_weight_kind kind,
		 struct quire_weight *weight)
{
	struct draw *d = arg;

	(void)name;
	weight->data = d->at;
	d->at += aligned(weight_bytes(weight));
	d->jobs[d->count++] = (struct job){weight, kind};
	return 0;
}

static int take_memory(struct draw *d)
{
	const uint64_t has = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t wanted = d->bytes + ALIGNMENT;

	if (wanted <= has) {
		d->c->random = calloc(1, wanted);
		d->jobs = calloc(d->count, sizeof(*d->jobs));
	}
	if (!d->c->random || !d->jobs) {
		free(d->c->random);
		d->c->random = NULL;
		return quire_fail(-ENOMEM,
				  "model %s: its weights take %.1f GB in %s, and this machine has "
				  "%.1f GB of memory",
				  d->c->model.name, (double)wanted / 1e9,
				  quire_weight_type_name(d->c->type), (double)has / 1e9);
	}
	d->at = (uint8_t *)d->c->random;
	d->at += ALIGNMENT - (uintptr_t)d->at % ALIGNMENT;
	return 0;
}

int quire_checkpoint_draw(struct quire_checkpoint *c, uint64_t seed,
			  void (*progress)(void *arg, double share), void *arg)
{
	struct draw d = {.c = c, .seed = seed, .progress = progress, .progress_arg = arg};
	int rc = quire_checkpoint_each(c, measure, &d);

	if (rc)
		return rc;
	for (int i = 0; i < SUMS; i++) {
		const double value = (i - SUM_MEAN) * DEVIATION / sqrt(SUM_SQUARE);

		d.singles[i] = (float)value;
		put(&d.halves[i], c->type == QUIRE_FP16 ? QUIRE_FP16 : QUIRE_BF16, value);
	}
	if (!(rc = take_memory(&d))) {
		d.count = 0;
		quire_checkpoint_each(c, place, &d);
		draw_with_threads(&d);
	}
	free(d.jobs);
	return rc;
}

static int configure(struct quire_checkpoint *c, const char *name)
{
	struct quire_config config;
	struct quire_model model;
	char path[PATH_MAX];
	struct stat st;
	int rc;

	if (quire_model_is_builtin(name) || stat(name, &st) != 0) {
		rc = quire_model_find(&model, name);
		return rc ? rc : quire_checkpoint_configure_builtin(c, &model);
	}
	if (snprintf(path, sizeof(path), "%s%s", name, S_ISDIR(st.st_mode) ? "/config.json" : "") >=
	    (int)sizeof(path))
		return quire_fail(-ENAMETOOLONG, "%.60s...: the path is too long", name);
	if ((rc = quire_config_load(&config, path)))
		return rc;
	rc = quire_checkpoint_configure(c, &config);
	quire_config_free(&config);
	return rc;
}

int quire_checkpoint_random(struct quire_checkpoint *checkpoint, const char *name,
			    enum quire_weight_type type, uint64_t seed, bool draw)
{
	int rc;

	*checkpoint = (struct quire_checkpoint){.type = type};
	rc = configure(checkpoint, name);
	if (!rc)
		rc = quire_checkpoint_each(checkpoint, add_type, checkpoint);
	if (!rc && draw)
		rc = quire_checkpoint_draw(checkpoint, seed, NULL, NULL);
	if (rc)
		quire_checkpoint_close(checkpoint);
	return rc;
}
