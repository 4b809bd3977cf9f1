/*
 * arrivals.c - when requests come.
 *
 * All processes but "burst" and "closed" are gaps, drawn from the stream
 * "arrivals" of the seed and added up; the first request comes after the first
 * gap.  So the n-th arrival depends on seed, rate and process alone: a longer
 * workload begins like a shorter one.
 */
#include "workload.h"

#include "core/util.h"
#include "dist.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int one_setting(const char *text, const char *name, const char **value)
{
	size_t length = strlen(name);

	if (strncmp(text, name, length) || text[length] != '=')
		return quire_fail(-EINVAL, "--arrivals: expected '%s=...', found '%s'", name, text);
	*value = text + length + 1;
	return 0;
}

int quire_arrivals_parse(struct quire_workload_options *o, const char *text)
{
	static const char *const names[] = {
		[QUIRE_ARRIVALS_SOURCE] = "source", [QUIRE_ARRIVALS_POISSON] = "poisson",
		[QUIRE_ARRIVALS_GAMMA] = "gamma",   [QUIRE_ARRIVALS_FIXED] = "fixed",
		[QUIRE_ARRIVALS_BURST] = "burst",   [QUIRE_ARRIVALS_CLOSED] = "closed",
	};
	const char *comma = strchr(text, ','), *value = NULL;
	size_t length = comma ? (size_t)(comma - text) : strlen(text);
	char name[16] = "";
	int kind = QUIRE_ARRIVALS_POISSON, rc;

	if (length < sizeof(name))
		memcpy(name, text, length);
	while (kind <= QUIRE_ARRIVALS_CLOSED && !quire_same_name(name, names[kind]))
		kind++;
	if (kind > QUIRE_ARRIVALS_CLOSED)
		return quire_fail(-EINVAL,
				  "--arrivals: expected poisson, gamma,cv=.., fixed, burst or "
				  "closed,users=.., found '%s'",
				  text);
	o->arrivals = (enum quire_arrivals)kind;
	o->cv = 0.0;
	o->users = 0;
	if (!comma)
		return 0;
	if (kind == QUIRE_ARRIVALS_GAMMA) {
		rc = one_setting(comma + 1, "cv", &value);
		return rc < 0 ? rc : quire_parse_real("--arrivals: cv", value, 0.01, 100, &o->cv);
	}
	if (kind == QUIRE_ARRIVALS_CLOSED) {
		rc = one_setting(comma + 1, "users", &value);
		return rc < 0 ? rc
			      : quire_parse_u32("--arrivals: users", value, 1, 1000000, &o->users);
	}
	return quire_fail(-EINVAL, "--arrivals: '%s' takes no settings, found '%s'", names[kind],
			  comma + 1);
}

static void set_arrival(struct quire_request *request, uint64_t arrival_ns)
{
	if (request->deadline_ns) /* keeps its distance */
		request->deadline_ns = request->deadline_ns - request->arrival_ns + arrival_ns;
	request->arrival_ns = arrival_ns;
}

int quire_workload_gaps(struct quire_workload *w, const struct quire_dist *gap_s, uint64_t seed)
{
	struct quire_rng rng;
	double at_s = 0.0;

	quire_rng_seed(&rng, seed, "arrivals");
	for (uint32_t i = 0; i < w->count; i++) {
		at_s += quire_dist_draw(gap_s, &rng);
		if (at_s > 1e9)
			return quire_fail(
				-EINVAL,
				"--rate: at this rate request %u of %s would arrive after "
				"more than 10^9 s",
				i + 1, w->name);
		set_arrival(&w->requests[i], (uint64_t)(at_s * 1e9 + 0.5));
	}
	w->arrivals_known = true;
	return 0;
}

int quire_workload_retime(struct quire_workload *w, const struct quire_workload_options *o)
{
	enum quire_arrivals kind = o->arrivals;
	double rate = o->rate > 0.0 ? o->rate : w->rate, cv = o->cv > 0.0 ? o->cv : 1.0;
	struct quire_dist gap_s = {.kind = QUIRE_DIST_EXPONENTIAL, .a = 1.0 / rate};

	if (kind == QUIRE_ARRIVALS_SOURCE && o->rate > 0.0)
		kind = QUIRE_ARRIVALS_POISSON;
	if (kind == QUIRE_ARRIVALS_SOURCE) {
		if (w->arrivals_known || w->closed_users || o->lengths_suffice)
			return 0;
		return quire_fail(-EINVAL,
				  "%s has lengths but no arrival times: add --rate R, or "
				  "--arrivals burst or closed,users=N",
				  w->name);
	}
	if (kind == QUIRE_ARRIVALS_BURST || kind == QUIRE_ARRIVALS_CLOSED) {
		uint32_t users = o->users ? o->users : w->closed_users;

		if (o->rate > 0.0)
			return quire_fail(-EINVAL, "--rate has no meaning with --arrivals %s",
					  kind == QUIRE_ARRIVALS_BURST ? "burst" : "closed");
		if (kind == QUIRE_ARRIVALS_CLOSED && users == 0)
			return quire_fail(-EINVAL,
					  "--arrivals closed: say how many: closed,users=N");
		for (uint32_t i = 0; i < w->count; i++)
			set_arrival(&w->requests[i], 0);
		w->arrivals_known = true;
		w->closed_users = kind == QUIRE_ARRIVALS_CLOSED ? users : 0;
		return 0;
	}
	if (rate <= 0.0)
		return quire_fail(-EINVAL, "%s has no rate of its own: add --rate R", w->name);
	if (kind == QUIRE_ARRIVALS_GAMMA) {
		gap_s.kind = QUIRE_DIST_GAMMA;
		gap_s.a = 1.0 / (cv * cv);
		gap_s.b = cv * cv / rate;
	} else if (kind == QUIRE_ARRIVALS_FIXED) {
		gap_s.kind = QUIRE_DIST_CONSTANT;
	}
	w->closed_users = 0;
	return quire_workload_gaps(w, &gap_s, o->seed);
}
