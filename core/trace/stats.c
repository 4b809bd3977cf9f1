/*
 * stats.c - the figures of stats.h.
 */
#include "stats.h"

#include "core/util.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void describe(struct quire_lengths *l, double *values, uint32_t count)
{
	memset(l, 0, sizeof(*l));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t tokens = (uint32_t)values[i];

		l->sum_tokens += tokens;
		l->bands[31 - __builtin_clz(tokens)]++;
		if (i == 0 || tokens < l->min_tokens)
			l->min_tokens = tokens;
	}
	quire_spread_make(&l->spread, values, count);
}

/* Variance over mean of the arrivals in each window of @window_s, whole windows only. */
static double dispersion(const struct quire_workload *w, double window_s)
{
	uint64_t window_ns = (uint64_t)(window_s * 1e9), first_ns = w->requests[0].arrival_ns;
	uint64_t windows = (w->requests[w->count - 1].arrival_ns - first_ns) / window_ns;
	double mean, squares = 0.0;
	uint32_t i = 0, inside = 0;

	if (windows < 10)
		return NAN;
	while (inside < w->count && w->requests[inside].arrival_ns - first_ns < windows * window_ns)
		inside++;
	mean = (double)inside / (double)windows;
	squares = (double)windows * mean * mean; /* of the windows without arrivals */
	while (i < inside) {
		uint64_t window = (w->requests[i].arrival_ns - first_ns) / window_ns;
		double count = 0.0;

		while (i < inside && (w->requests[i].arrival_ns - first_ns) / window_ns == window) {
			count++;
			i++;
		}
		squares += (count - mean) * (count - mean) - mean * mean;
	}
	return squares / (double)(windows - 1) / mean;
}

static void describe_arrivals(struct quire_workload_stats *s, const struct quire_workload *w)
{
	uint64_t span_ns = w->requests[w->count - 1].arrival_ns - w->requests[0].arrival_ns;
	double mean_ns, squares = 0.0;

	s->arrival_times = 1;
	s->last_s = (double)w->requests[w->count - 1].arrival_ns / 1e9;
	if (span_ns == 0)
		return;
	mean_ns = (double)span_ns / (w->count - 1);
	s->rate = 1e9 / mean_ns;
	for (uint32_t i = 1; i < w->count; i++) {
		double gap_ns = (double)(w->requests[i].arrival_ns - w->requests[i - 1].arrival_ns);

		squares += (gap_ns - mean_ns) * (gap_ns - mean_ns);
		s->arrival_times += gap_ns > 0.0;
	}
	if (w->count > 2)
		s->gap_cv = sqrt(squares / (w->count - 2)) / mean_ns;
	s->dispersion_1s = dispersion(w, 1.0);
	s->dispersion_10s = dispersion(w, 10.0);
}

/* A set of numbers, open addressing; 0 is kept beside the table. */
struct set {
	uint64_t *at; /* [size] 0: free */
	size_t size;  /* a power of two, at least twice as many as will be in */
	bool zero;
	uint64_t count;
};

/* Put @key in.  Return: was it new? */
static bool put(struct set *set, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & (set->size - 1);

	if (key == 0) {
		set->count += !set->zero;
		return set->zero ? false : (set->zero = true);
	}
	while (set->at[i] && set->at[i] != key)
		i = (i + 1) & (set->size - 1);
	if (set->at[i])
		return false;
	set->at[i] = key;
	set->count++;
	return true;
}

static int make_set(struct set *set, uint64_t count)
{
	*set = (struct set){.size = 1024};
	while (set->size < 2 * count)
		set->size *= 2;
	set->at = calloc(set->size, sizeof(*set->at));
	return set->at ? 0 : quire_fail(-ENOMEM, "no memory for %zu numbers", set->size);
}

static int describe_prefixes(struct quire_workload_stats *s, const struct quire_workload *w)
{
	uint64_t hit_tokens = 0;
	struct set seen;
	int rc;

	if (!w->hash_first)
		return 0;
	s->hashes = w->hash_first[w->count];
	rc = make_set(&seen, s->hashes);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < w->count; i++) {
		uint64_t hit = 0;
		bool new = false;

		for (uint32_t h = w->hash_first[i]; h < w->hash_first[i + 1]; h++) {
			new |= put(&seen, w->hashes[h]);
			hit += new ? 0 : w->hash_tokens;
		}
		hit_tokens +=
			hit < w->requests[i].prompt_tokens ? hit : w->requests[i].prompt_tokens;
	}
	s->hashes_distinct = seen.count;
	s->hit_share = (double)hit_tokens / (double)s->prompt.sum_tokens;
	free(seen.at);
	return 0;
}

static int count_clients(struct quire_workload_stats *s, const struct quire_workload *w)
{
	struct set seen;
	int rc = make_set(&seen, w->count);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < w->count; i++)
		put(&seen, w->requests[i].client);
	s->clients = (uint32_t)seen.count;
	free(seen.at);
	return 0;
}

int quire_workload_stats(struct quire_workload_stats *s, const struct quire_workload *w)
{
	double *values = malloc((w->count + 1) * sizeof(*values));
	int rc;

	*s = (struct quire_workload_stats){.requests = w->count,
					   .last_s = NAN,
					   .rate = NAN,
					   .gap_cv = NAN,
					   .dispersion_1s = NAN,
					   .dispersion_10s = NAN,
					   .hit_share = NAN};
	if (!values)
		return quire_fail(-ENOMEM, "no memory for %u requests", w->count);
	for (uint32_t i = 0; i < w->count; i++)
		values[i] = w->requests[i].prompt_tokens;
	describe(&s->prompt, values, w->count);
	for (uint32_t i = 0; i < w->count; i++)
		values[i] = w->output_tokens[i];
	describe(&s->output, values, w->count);
	for (uint32_t i = 0; i < w->count; i++)
		values[i] = (double)w->requests[i].prompt_tokens + w->output_tokens[i];
	describe(&s->total, values, w->count);
	free(values);
	if (w->arrivals_known && w->count > 0)
		describe_arrivals(s, w);
	rc = count_clients(s, w);
	return rc < 0 ? rc : describe_prefixes(s, w);
}

static int by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

double quire_ks_distance(uint32_t *a, size_t a_count, uint32_t *b, size_t b_count)
{
	size_t i = 0, j = 0;
	double distance = 0.0;

	qsort(a, a_count, sizeof(*a), by_size);
	qsort(b, b_count, sizeof(*b), by_size);
	while (i < a_count && j < b_count) {
		uint32_t at = a[i] < b[j] ? a[i] : b[j];
		double here;

		while (i < a_count && a[i] == at)
			i++;
		while (j < b_count && b[j] == at)
			j++;
		here = fabs((double)i / (double)a_count - (double)j / (double)b_count);
		if (here > distance)
			distance = here;
	}
	return distance;
}
