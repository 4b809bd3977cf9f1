/*
 * synthetic.c - a workload whose lengths the command line describes:
 *
 *	--workload synthetic,prompt=lognormal:500:1.0,output=exp:128:max=1536
 *
 *	prompt, output		distributions, as in dist.h; both are needed
 *	total=N			prompt + output; above it both are drawn again
 *	output_tokens_max=N	the client's cap of every request
 *
 * It has no arrivals of its own: --rate or --arrivals says how they come, and
 * --requests how many.
 */
#include "preset.h"

#include "core/util.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TOKENS_MAX 2147483647u
#define NAME	   "synthetic"

bool quire_synthetic_is(const char *text)
{
	char name[sizeof(NAME)];

	snprintf(name, sizeof(name), "%s", text);
	return quire_same_name(name, NAME) && (!text[strlen(NAME)] || text[strlen(NAME)] == ',');
}

/* Are pairs of at most total_max drawn often enough to wait for them? */
static int check_total(const struct quire_preset *p)
{
	struct quire_rng rng;
	uint32_t good = 0;

	quire_rng_seed(&rng, 0, "bound");
	for (int i = 0; i < 1000; i++) {
		uint64_t prompt = quire_dist_tokens(&p->prompt, &rng);

		good += prompt + quire_dist_tokens(&p->output, &rng) <= p->total_max;
	}
	if (good < 10)
		return quire_fail(-EINVAL,
				  "synthetic: total: hardly one draw in a hundred is %u or less",
				  p->total_max);
	return 0;
}

static int read_dist(struct quire_dist *d, const char *key, const char *value)
{
	int rc = quire_dist_parse(d, value);

	return rc < 0 ? quire_fail(rc, "synthetic: %s: %s", key, quire_failure()) : 0;
}

static int read_setting(struct quire_preset *p, char *pair, unsigned int *seen)
{
	static const char *const keys[] = {"prompt", "output", "total", "output_tokens_max", NULL};
	char *value = strchr(pair, '=');
	const char *near;
	unsigned int key = 0;

	if (!value)
		return quire_fail(-EINVAL, "synthetic: expected key=value, found '%s'", pair);
	*value++ = '\0';
	while (keys[key] && !quire_same_name(pair, keys[key]))
		key++;
	near = quire_nearest(pair, keys);
	if (!keys[key] && near)
		return quire_fail(-EINVAL, "synthetic: no setting '%s'; did you mean '%s'?", pair,
				  near);
	if (!keys[key])
		return quire_fail(-EINVAL,
				  "synthetic: expected prompt, output, total or "
				  "output_tokens_max, found '%s'",
				  pair);
	if (*seen & 1u << key)
		return quire_fail(-EINVAL, "synthetic: expected %s once", keys[key]);
	*seen |= 1u << key;
	switch (key) {
	case 0:
		return read_dist(&p->prompt, keys[key], value);
	case 1:
		return read_dist(&p->output, keys[key], value);
	case 2:
		return quire_parse_u32("synthetic: total", value, 2, TOKENS_MAX, &p->total_max);
	default:
		return quire_parse_u32("synthetic: output_tokens_max", value, 1, TOKENS_MAX,
				       &p->output_cap);
	}
}

int quire_synthetic_parse(struct quire_preset *p, const char *text)
{
	const char *at = text + strlen(NAME);
	unsigned int seen = 0;
	char pair[160];
	int rc = 0;

	*p = (struct quire_preset){.info = {text, "lengths as given"}, .count = 1000};
	while (rc == 0 && *at == ',') {
		size_t length = strcspn(++at, ",");

		if (length >= sizeof(pair))
			return quire_fail(-EINVAL, "synthetic: a setting is longer than %zu bytes",
					  sizeof(pair) - 1);
		memcpy(pair, at, length);
		pair[length] = '\0';
		at += length;
		rc = read_setting(p, pair, &seen);
	}
	if (rc == 0 && (seen & 3) != 3)
		rc = quire_fail(-EINVAL, "synthetic: expected prompt and output, as in "
					 "synthetic,prompt=lognormal:500:1,output=exp:128");
	if (rc == 0 && p->output_cap && p->output.max <= 0.0) {
		p->output.max = p->output_cap;
		p->output.cut = true;
	}
	if (rc == 0 && p->output_cap && p->output.max > p->output_cap)
		rc = quire_fail(-EINVAL,
				"synthetic: an output of up to %.0f does not go with "
				"output_tokens_max=%u",
				p->output.max, p->output_cap);
	return rc < 0 || !p->total_max ? rc : check_total(p);
}
