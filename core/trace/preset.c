/*
 * preset.c - draws a workload from an entry of presets.c.
 *
 * Lengths come from the seed's stream "lengths", arrivals from "arrivals", both
 * in order: a workload of 2,000 requests begins with the one of 1,000.
 */
#include "preset.h"

#include "core/util.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 100000000u

const struct quire_preset_info *quire_preset_info(size_t index)
{
	const struct quire_preset *p = quire_presets;

	while (p->info.name && index--)
		p++;
	return p->info.name ? &p->info : NULL;
}

static const struct quire_preset *find(const char *name)
{
	const struct quire_preset *p = quire_presets;
	const char *names[64];
	size_t count = 0;

	for (; p->info.name; p++) {
		if (quire_same_name(name, p->info.name))
			return p;
		if (count < 63)
			names[count++] = p->info.name;
	}
	names[count] = NULL;
	if (quire_nearest(name, names))
		quire_fail(-EINVAL, "there is no preset '%s'; did you mean '%s'?", name,
			   quire_nearest(name, names));
	else
		quire_fail(-EINVAL, "there is no preset '%s'; see \"quire list\"", name);
	return NULL;
}

int quire_preset_check(const char *name)
{
	return find(name) ? 0 : -EINVAL;
}

static int make_room(struct quire_workload *w, uint32_t count)
{
	struct quire_request *requests = realloc(w->requests, count * sizeof(*requests));
	uint32_t *outputs;

	if (requests)
		w->requests = requests;
	outputs = realloc(w->output_tokens, count * sizeof(*outputs));
	if (outputs)
		w->output_tokens = outputs;
	if (!requests || !outputs)
		return quire_fail(-ENOMEM, "no memory for %u requests", count);
	return 0;
}

static void draw_lengths(struct quire_workload *w, const struct quire_preset *p, uint64_t seed)
{
	struct quire_rng rng;

	quire_rng_seed(&rng, seed, "lengths");
	for (uint32_t i = 0; i < w->count; i++) {
		uint32_t prompt, output;

		do {
			prompt = quire_dist_tokens(&p->prompt, &rng);
			output = quire_dist_tokens(&p->output, &rng);
		} while (p->total_max && (uint64_t)prompt + output > p->total_max);
		if (p->every && i % p->every == 0)
			output = p->every_output;
		w->requests[i] = (struct quire_request){
			.id = i,
			.prompt_tokens = prompt,
			.output_tokens_max = p->output_cap ? p->output_cap : UINT32_MAX,
			.samples = 1,
		};
		w->output_tokens[i] = output;
	}
}

/* Clients whose requests are evenly spaced, merged; equal times: client 0 first. */
static void draw_clients(struct quire_workload *w, const struct quire_preset *p)
{
	uint32_t sent[2] = {0, 0};

	for (uint32_t i = 0; i < w->count; i++) {
		double at_s[2] = {(sent[0] + 1) / p->client_rates[0],
				  (sent[1] + 1) / p->client_rates[1]};
		uint32_t client = at_s[1] < at_s[0];

		sent[client]++;
		w->requests[i].client = client;
		w->requests[i].arrival_ns = (uint64_t)(at_s[client] * 1e9 + 0.5);
	}
	w->arrivals_known = true;
}

static int draw_arrivals(struct quire_workload *w, const struct quire_preset *p,
			 const struct quire_workload_options *o)
{
	w->rate = p->rate;
	w->closed_users = p->closed_users;
	w->arrivals_known = p->burst || p->closed_users;
	if (p->client_rates[0] > 0.0)
		draw_clients(w, p);
	if (o->rate > 0.0 || o->arrivals != QUIRE_ARRIVALS_SOURCE)
		return quire_workload_retime(w, o);
	if (!w->arrivals_known && p->rate > 0.0)
		return quire_workload_gaps(w, &p->gap_s, o->seed);
	return 0;
}

/* Draw the first @count requests. */
static int draw(struct quire_workload *w, const struct quire_preset *p, uint64_t count,
		const struct quire_workload_options *o)
{
	int rc;

	if (count > REQUESTS_MAX)
		return quire_fail(-EINVAL, "%s: more than %u requests are wanted", p->info.name,
				  REQUESTS_MAX);
	rc = make_room(w, (uint32_t)count);
	if (rc < 0)
		return rc;
	w->count = (uint32_t)count;
	draw_lengths(w, p, o->seed);
	return draw_arrivals(w, p, o);
}

int quire_workload_preset(struct quire_workload *w, const char *name,
			  const struct quire_workload_options *o)
{
	const struct quire_preset *p = find(name);
	uint64_t count = o->requests, end_ns;
	int rc;

	*w = (struct quire_workload){.format = "preset"};
	if (!p)
		return -EINVAL;
	w->caps_known = p->output_cap > 0;
	w->name = strdup(p->info.name);
	if (!w->name)
		return quire_fail(-ENOMEM, "no memory for %s", name);
	rc = draw(w, p, count ? count : p->count, o);
	/* So many seconds of it: draw until one comes later.  Others are cut later. */
	if (rc < 0 || count || o->duration_s <= 0.0 || !w->arrivals_known || w->closed_users)
		goto out;
	end_ns = (uint64_t)(o->duration_s * 1e9);
	count = w->count;
	while (rc == 0 && w->requests[w->count - 1].arrival_ns > 0 &&
	       w->requests[w->count - 1].arrival_ns < end_ns) {
		count *= 2;
		rc = draw(w, p, count, o);
	}
out:
	if (rc < 0)
		quire_workload_free(w);
	return rc;
}
