/*
 * arrivals.c - when requests come.
 *
 * All processes but "burst", "closed" and "rescaled" are gaps, drawn from the stream
 * "arrivals" of the seed and added up; the first request comes after the first
 * gap.  So the n-th arrival depends on seed, rate and process alone: a longer
 * workload begins like a shorter one.
 */
#include "workload.h"

#include "core/util.h"
#include "dist.h"
#include <errno.h>
#include <math.h>
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

static const char *const names[] = {
	[QUIRE_ARRIVALS_SOURCE] = "source",	[QUIRE_ARRIVALS_POISSON] = "poisson",
	[QUIRE_ARRIVALS_GAMMA] = "gamma",	[QUIRE_ARRIVALS_FIXED] = "fixed",
	[QUIRE_ARRIVALS_BURST] = "burst",	[QUIRE_ARRIVALS_CLOSED] = "closed",
	[QUIRE_ARRIVALS_HYPEREXP] = "hyperexp", [QUIRE_ARRIVALS_RESCALED] = "rescaled",
};

const char *quire_arrivals_name(enum quire_arrivals kind)
{
	return names[kind];
}

int quire_arrivals_parse(struct quire_workload_options *o, const char *text)
{
	const char *comma = strchr(text, ','), *value = NULL;
	size_t length = comma ? (size_t)(comma - text) : strlen(text);
	char name[16] = "";
	int kind = QUIRE_ARRIVALS_POISSON, rc;

	if (length < sizeof(name))
		memcpy(name, text, length);
	while (kind < QUIRE_ARRIVALS_COUNT && !quire_same_name(name, names[kind]))
		kind++;
	if (kind == QUIRE_ARRIVALS_COUNT)
		return quire_fail(-EINVAL,
				  "--arrivals: expected poisson, gamma,cv=.., hyperexp,cv=.., "
				  "fixed, burst, closed,users=.. or rescaled, found '%s'",
				  text);
	o->arrivals = (enum quire_arrivals)kind;
	o->cv = 0.0;
	o->users = 0;
	if (!comma && kind == QUIRE_ARRIVALS_HYPEREXP)
		return quire_fail(-EINVAL, "--arrivals hyperexp: say how bursty: hyperexp,cv=2");
	if (!comma)
		return 0;
	if (kind == QUIRE_ARRIVALS_GAMMA || kind == QUIRE_ARRIVALS_HYPEREXP) {
		rc = one_setting(comma + 1, "cv", &value);
		return rc < 0 ? rc
			      : quire_parse_real("--arrivals: cv", value,
						 kind == QUIRE_ARRIVALS_GAMMA ? 0.01 : 1, 100,
						 &o->cv);
	}
	if (kind == QUIRE_ARRIVALS_CLOSED) {
		rc = one_setting(comma + 1, "users", &value);
		return rc < 0 ? rc
			      : quire_parse_u32("--arrivals: users", value, 1, 1000000, &o->users);
	}
	return quire_fail(-EINVAL, "--arrivals: '%s' takes no settings, found '%s'", names[kind],
			  comma + 1);
}

/*
 * The hyper-exponential has two phases with balanced means, p / fast = (1 - p) / slow
 * (Morse, "Queues, inventories and maintenance", 1958): with
 * p = (1 + sqrt((cv^2 - 1) / (cv^2 + 1))) / 2 the mean is 1 / rate, whatever the cv.
 */
struct quire_dist quire_arrivals_gap(enum quire_arrivals kind, double cv, double rate)
{
	struct quire_dist gap_s = {.kind = QUIRE_DIST_EXPONENTIAL, .a = 1.0 / rate};
	double squared = cv > 0.0 ? cv * cv : 1.0;

	if (kind == QUIRE_ARRIVALS_GAMMA) {
		gap_s.kind = QUIRE_DIST_GAMMA;
		gap_s.a = 1.0 / squared;
		gap_s.b = squared / rate;
	} else if (kind == QUIRE_ARRIVALS_HYPEREXP) {
		gap_s.kind = QUIRE_DIST_HYPEREXP3;
		gap_s.w[0] = (1.0 + sqrt((squared - 1.0) / (squared + 1.0))) / 2.0;
		gap_s.w[1] = 1.0 - gap_s.w[0];
		gap_s.a = 1.0 / (2.0 * gap_s.w[0] * rate);
		gap_s.b = gap_s.a2 = 1.0 / (2.0 * gap_s.w[1] * rate);
	} else if (kind == QUIRE_ARRIVALS_FIXED) {
		gap_s.kind = QUIRE_DIST_CONSTANT;
	}
	return gap_s;
}

static void set_arrival(struct quire_request *request, uint64_t arrival_ns)
{
	if (request->deadline_ns) /* keeps its distance */
		request->deadline_ns = request->deadline_ns - request->arrival_ns + arrival_ns;
	request->arrival_ns = arrival_ns;
}

static int too_late(const struct quire_workload *w, uint32_t number)
{
	return quire_fail(-EINVAL,
			  "--rate: at this rate request %u of %s would arrive after more than "
			  "10^9 s",
			  number, w->name);
}

int quire_workload_gaps(struct quire_workload *w, const struct quire_dist *gap_s, uint64_t seed)
{
	struct quire_rng rng;
	double at_s = 0.0;

	quire_rng_seed(&rng, seed, "arrivals");
	for (uint32_t i = 0; i < w->count; i++) {
		at_s += quire_dist_draw(gap_s, &rng);
		if (at_s > 1e9)
			return too_late(w, i + 1);
		set_arrival(&w->requests[i], (uint64_t)(at_s * 1e9 + 0.5));
	}
	w->arrivals_known = true;
	return 0;
}

/* The source's own pattern, faster or slower.  Time 0 stays where it is. */
static int rescale(struct quire_workload *w, double rate)
{
	double factor = w->rate / rate;
	int rc = 0;

	if (rate <= 0.0)
		return quire_fail(-EINVAL, "--arrivals rescaled: say to which mean rate: add "
					   "--rate R");
	if (w->closed_users || !w->arrivals_known || w->rate <= 0.0)
		return quire_fail(-EINVAL, "--arrivals rescaled: %s has no arrivals of its own",
				  w->name);
	if ((double)w->requests[w->count - 1].arrival_ns / 1e9 * factor > 1e9)
		rc = too_late(w, w->count);
	for (uint32_t i = 0; i < w->count && rc == 0; i++)
		set_arrival(&w->requests[i],
			    (uint64_t)((double)w->requests[i].arrival_ns * factor + 0.5));
	w->rate = rc == 0 ? rate : w->rate; /* to do it again changes nothing */
	return rc;
}

static int all_at_once(struct quire_workload *w, const struct quire_workload_options *o)
{
	bool closed = o->arrivals == QUIRE_ARRIVALS_CLOSED;
	uint32_t users = o->users ? o->users : w->closed_users;

	if (o->rate > 0.0)
		return quire_fail(-EINVAL, "--rate has no meaning with --arrivals %s",
				  names[o->arrivals]);
	if (closed && users == 0)
		return quire_fail(-EINVAL, "--arrivals closed: say how many: closed,users=N");
	for (uint32_t i = 0; i < w->count; i++)
		set_arrival(&w->requests[i], 0);
	w->arrivals_known = true;
	w->closed_users = closed ? users : 0;
	return 0;
}

int quire_workload_retime(struct quire_workload *w, const struct quire_workload_options *o)
{
	enum quire_arrivals kind = o->arrivals;
	double rate = o->rate > 0.0 ? o->rate : w->rate;
	struct quire_dist gap_s;

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
	if (kind == QUIRE_ARRIVALS_RESCALED)
		return rescale(w, o->rate);
	if (kind == QUIRE_ARRIVALS_BURST || kind == QUIRE_ARRIVALS_CLOSED)
		return all_at_once(w, o);
	if (rate <= 0.0)
		return quire_fail(-EINVAL, "%s has no rate of its own: add --rate R", w->name);
	gap_s = quire_arrivals_gap(kind, o->cv, rate);
	w->closed_users = 0;
	return quire_workload_gaps(w, &gap_s, o->seed);
}
