/*
 * timing_distserve.c - the fitted lines of DistServe; see timing.h.
 */
#include "core/util.h"
#include "timing.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct distserve {
	struct quire_timing timing;
	/* a, b, c in ms; decode of less than large_from sequences, and of more */
	double prefill[3], small[3], large[3];
	uint64_t large_from;
};

static double decode_ms(const struct distserve *d, uint64_t seqs, uint64_t context)
{
	const double *x = seqs < d->large_from ? d->small : d->large;

	return x[0] + x[1] * (double)context + x[2] * (double)seqs;
}

static int distserve_step_ns(struct quire_timing *timing, const struct quire_plan *plan,
			     uint64_t *ns)
{
	const struct distserve *d = (const struct distserve *)timing;
	struct quire_timing_work w;

	quire_timing_work(plan, &w);
	*ns = quire_timing_mixed_ns(
		&w,
		1e6 * (d->prefill[0] + d->prefill[1] * (double)w.prefill_tokens +
		       d->prefill[2] * w.prefill_squares),
		1e6 * decode_ms(d, w.decode_seqs, w.decode_context), 1e6 * d->small[0]);
	return 0;
}

static void distserve_free(struct quire_timing *timing)
{
	free(timing);
}

static const struct quire_timing_ops distserve_ops = {
	.name = "distserve",
	.step_ns = distserve_step_ns,
	.free = distserve_free,
};

static int get_line(const char *path, const json_t *profile, const char *key, double *line)
{
	const json_t *list = json_object_get(profile, key);

	for (size_t i = 0; i < 3; i++) {
		const json_t *value = json_array_get(list, i);

		if (!json_is_number(value) || json_array_size(list) != 3)
			return quire_fail(-EINVAL,
					  "time model %s: key '%s' must be a list of three numbers",
					  path, key);
		line[i] = json_number_value(value);
	}
	return 0;
}

static int get_profile(const char *path, const json_t *profile, struct distserve *d)
{
	const json_t *threshold = json_object_get(profile, "decoding_large_small_bs_threshold");
	int rc;

	if ((rc = get_line(path, profile, "prefill", d->prefill)) ||
	    (rc = get_line(path, profile, "decoding_smallbs", d->small)) ||
	    (rc = get_line(path, profile, "decoding_largebs", d->large)))
		return rc;
	if (!json_is_integer(threshold) || json_integer_value(threshold) < 0)
		return quire_fail(
			-EINVAL,
			"time model %s: key 'decoding_large_small_bs_threshold' must be a "
			"whole number",
			path);
	d->large_from = (uint64_t)json_integer_value(threshold);
	return 0;
}

/* "facebook/opt-13b" is OPT-13B. */
static const json_t *find_model(json_t *root, const char *model)
{
	const char *key;
	json_t *value;

	json_object_foreach(root, key, value)
	{
		const char *slash = strrchr(key, '/');

		if (quire_same_name(slash ? slash + 1 : key, model))
			return value;
	}
	return NULL;
}

/* "x, y, z", cut to @size bytes. */
static void list_keys(json_t *object, char *text, size_t size)
{
	const char *key;
	json_t *value;
	size_t n = 0;

	text[0] = 0;
	json_object_foreach(object, key, value)
	{
		if (n < size)
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", key);
	}
}

static int find_profile(const char *path, json_t *root, const char *model, uint32_t tp,
			struct distserve *d)
{
	const json_t *by_tp;
	char names[256], key[16];

	if (!json_is_object(root) || !json_object_size(root))
		return quire_fail(-EINVAL,
				  "time model %s: expected a JSON object of models, as DistServe's "
				  "profiles are",
				  path);
	by_tp = find_model(root, model);
	list_keys(root, names, sizeof(names));
	if (!by_tp)
		return quire_fail(-EINVAL, "time model %s: it has no %s, but %s", path, model,
				  names);
	if (!json_is_object(by_tp))
		return quire_fail(-EINVAL, "time model %s: expected a profile for each --tp of %s",
				  path, model);
	snprintf(key, sizeof(key), "%" PRIu32, tp);
	list_keys((json_t *)(uintptr_t)by_tp, names, sizeof(names));
	if (!json_object_get(by_tp, key))
		return quire_fail(-EINVAL,
				  "time model %s: %s was not measured with --tp %s, but with %s",
				  path, model, key, names);
	return get_profile(path, json_object_get(by_tp, key), d);
}

int quire_timing_read_distserve(struct quire_timing **timing, const char *path, const char *model,
				uint32_t tp)
{
	struct distserve found = {{&distserve_ops}, {0}, {0}, {0}, 0}, *d;
	json_error_t error;
	FILE *in = fopen(path, "r");
	json_t *root;
	int rc;

	if (!in)
		return quire_fail(-errno, "time model %s: %s", path, strerror(errno));
	root = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
	fclose(in);
	if (!root)
		return quire_fail(-EINVAL,
				  "time model %s: expected a recording, DistServe's JSON, or a "
				  "folder with Sarathi's CSV files; as JSON, line %d: %s",
				  path, error.line, error.text);
	rc = find_profile(path, root, model, tp, &found);
	json_decref(root);
	if (rc)
		return rc;
	d = malloc(sizeof(*d));
	if (!d)
		return quire_fail(-ENOMEM, "time model %s: no memory", path);
	*d = found;
	*timing = &d->timing;
	return 0;
}
