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
#include <sys/stat.h>

#define REQUESTS_MAX 100000000u

const struct quire_preset_info *quire_preset_info(size_t index)
{
	const struct quire_preset *p = quire_presets;

	while (p->info.name && index--)
		p++;
	return p->info.name ? &p->info : NULL;
}

static int find_builtin(struct quire_preset *preset, const char *name)
{
	const struct quire_preset *p = quire_presets;
	const char *names[64], *nearest;
	size_t count = 0;

	for (; p->info.name; p++) {
		if (quire_same_name(name, p->info.name)) {
			*preset = *p;
			return 0;
		}
		if (count < 63)
			names[count++] = p->info.name;
	}
	names[count] = NULL;
	nearest = quire_nearest(name, names);
	return quire_fail(-EINVAL,
			  nearest ? "there is no preset '%s'; did you mean '%s'?"
				  : "there is no preset '%s'; see \"quire list\"",
			  name, nearest);
}

/* May it be a file of clients?  A pipe cannot be: it could be read only once. */
static bool is_path(const char *name)
{
	struct stat st;

	if (stat(name, &st) == 0)
		return S_ISREG(st.st_mode);
	return strchr(name, '/');
}

/* Return: 0, free p->clients; -errno with a sentence. */
static int find(struct quire_preset *p, const char *name)
{
	int rc;

	if (quire_synthetic_is(name))
		return quire_synthetic_parse(p, name);
	rc = find_builtin(p, name);
	return rc == 0 || !is_path(name) ? rc : quire_clients_read(p, name);
}

int quire_preset_check(const char *name)
{
	struct quire_preset p = {0};
	int rc = find(&p, name);

	free(p.clients);
	return rc;
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
	bool replaced = o->rate > 0.0 || o->arrivals != QUIRE_ARRIVALS_SOURCE;
	int rc = 0;

	w->rate = p->rate;
	w->closed_users = p->closed_users;
	w->arrivals_known = p->burst || p->closed_users;
	if (p->clients)
		rc = quire_clients_draw(w, p, o->seed);
	else if (p->client_rates[0] > 0.0)
		draw_clients(w, p);
	else if (!w->arrivals_known && p->rate > 0.0 &&
		 (!replaced || o->arrivals == QUIRE_ARRIVALS_RESCALED))
		rc = quire_workload_gaps(w, &p->gap_s, o->seed);
	return rc == 0 && replaced ? quire_workload_retime(w, o) : rc;
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
	if (!p->clients)
		draw_lengths(w, p, o->seed);
	return draw_arrivals(w, p, o);
}

/* So many seconds of it, or all there is: draw until one comes later, or none. */
static int draw_until(struct quire_workload *w, const struct quire_preset *p, uint64_t end_ns,
		      const struct quire_workload_options *o)
{
	uint64_t count = w->count;
	int rc = 0;

	while (rc == 0 && w->count == count && w->requests[count - 1].arrival_ns > 0 &&
	       w->requests[count - 1].arrival_ns < end_ns) {
		count *= 2;
		rc = draw(w, p, count, o);
	}
	return rc;
}

static bool has_caps(const struct quire_preset *p)
{
	bool all = p->output_cap > 0 || p->clients;

	for (uint32_t i = 0; i < p->clients_count; i++)
		all &= p->clients[i].output_tokens_max != UINT32_MAX;
	return all;
}

int quire_workload_preset(struct quire_workload *w, const char *name,
			  const struct quire_workload_options *o)
{
	struct quire_preset p = {0};
	bool ends;
	int rc = find(&p, name);

	*w = (struct quire_workload){.format = "preset"};
	if (rc < 0)
		return rc;
	if (p.clients)
		w->format = "clients csv";
	else if (quire_synthetic_is(name))
		w->format = "synthetic";
	w->caps_known = has_caps(&p);
	w->name = strdup(p.info.name);
	rc = w->name ? draw(w, &p, o->requests ? o->requests : p.count, o)
		     : quire_fail(-ENOMEM, "no memory for %s", name);
	/* Arrivals that are not known yet are cut later. */
	ends = o->duration_s > 0.0 || (p.clients && !p.endless);
	if (rc == 0 && !o->requests && ends && w->arrivals_known && !w->closed_users)
		rc = draw_until(w, &p,
				o->duration_s > 0.0 ? (uint64_t)(o->duration_s * 1e9) : UINT64_MAX,
				o);
	free(p.clients);
	if (rc < 0)
		quire_workload_free(w);
	return rc;
}
