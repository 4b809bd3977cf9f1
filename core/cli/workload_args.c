/*
 * workload_args.c - the workload flags of DESIGN's command line; see workload_args.h.
 */
#include "workload_args.h"

#include "core/util.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char quire_workload_args_help[] =
	"  --trace FILE         requests of a trace file; its format is told by its content,\n"
	"                       .gz and .zst are unpacked, - is standard input\n"
	"  --workload WHAT      requests that are drawn: a preset ('quire list presets'), a file\n"
	"                       of clients, or synthetic,prompt=DIST,output=DIST (see 'quire\n"
	"                       trace --help')\n"
	"  --requests N         the first N requests; of what is drawn: draw N\n"
	"  --duration S         what arrives in the first S seconds\n"
	"  --rate R             R requests per second instead of the source's own arrivals; what\n"
	"                       has lengths alone needs it, or --arrivals\n"
	"  --arrivals KIND      poisson (the default with --rate), gamma,cv=.., hyperexp,cv=..,\n"
	"                       fixed, burst (all at once), closed,users=.. (who wait for their\n"
	"                       answer), rescaled (the source's own, but R/s on average)\n"
	"  --shuffle            put the lengths in another order, keep the arrival times\n"
	"  --samples N          N answers to every prompt\n"
	"  --beams N            beam search: the N likeliest answers, side by side\n"
	"  --seed N             of all that is drawn [0]; --seeds A:B for several\n";

static int parse_seeds(struct quire_workload_args *a, const char *text)
{
	const char *colon = strchr(text, ':');
	char first[24] = "";
	int rc;

	if (!colon || colon == text || (size_t)(colon - text) >= sizeof(first))
		return quire_fail(-EINVAL, "--seeds: expected A:B, found '%s'", text);
	memcpy(first, text, (size_t)(colon - text));
	rc = quire_parse_u64("--seeds", first, 0, UINT64_MAX - 1, &a->seed_first);
	if (rc < 0)
		return rc;
	return quire_parse_u64("--seeds", colon + 1, a->seed_first, UINT64_MAX - 1, &a->seed_last);
}

static int parse(struct quire_workload_args *a, const char *name, const char *value)
{
	struct quire_workload_options *o = &a->options;
	int rc;

	if (!strcmp(name, "trace")) {
		a->trace = value;
		return 0;
	}
	if (!strcmp(name, "workload")) {
		rc = quire_preset_check(value);
		a->preset = value;
		return rc < 0 ? quire_fail(-EINVAL, "--workload: %s", quire_failure()) : 0;
	}
	if (!strcmp(name, "requests"))
		return quire_parse_u64("--requests", value, 1, 100000000, &o->requests);
	if (!strcmp(name, "duration"))
		return quire_parse_real("--duration", value, 1e-9, 1e9, &o->duration_s);
	if (!strcmp(name, "rate")) {
		if (a->rates_count == QUIRE_RATES_MAX)
			return quire_fail(-EINVAL, "--rate: at most %u of them", QUIRE_RATES_MAX);
		rc = quire_parse_real("--rate", value, 1e-6, 1e9, &a->rates[a->rates_count]);
		a->rates_count += rc == 0;
		return rc;
	}
	if (!strcmp(name, "arrivals"))
		return quire_arrivals_parse(o, value);
	if (!strcmp(name, "shuffle")) {
		o->shuffle = true;
		return 0;
	}
	if (!strcmp(name, "samples"))
		return quire_parse_u32("--samples", value, 1, 1024, &o->samples);
	if (!strcmp(name, "beams"))
		return quire_parse_u32("--beams", value, 1, 64, &o->beams);
	if (!strcmp(name, "seeds"))
		return parse_seeds(a, value);
	if (!strcmp(name, "seed")) {
		rc = quire_parse_u64("--seed", value, 0, UINT64_MAX - 1, &a->seed_first);
		a->seed_last = a->seed_first;
		return rc;
	}
	return 1; /* not ours */
}

int quire_workload_arg(struct quire_workload_args *a, const char *name, const char *value)
{
	int rc = parse(a, name, value);

	return rc < 0 ? rc : !rc;
}

int quire_workload_args_check(const struct quire_workload_args *a)
{
	enum quire_arrivals kind = a->options.arrivals;

	if (a->trace && a->preset)
		return quire_fail(-EINVAL, "--trace and --workload: give one of them, not both");
	if (!a->trace && !a->preset)
		return quire_fail(-EINVAL,
				  "which requests? Give --trace FILE or --workload PRESET (see "
				  "\"quire list\")");
	if (!a->rates_count && kind == QUIRE_ARRIVALS_RESCALED)
		return quire_fail(-EINVAL, "--arrivals rescaled: say to which mean rate: add "
					   "--rate R");
	if (a->rates_count && (kind == QUIRE_ARRIVALS_BURST || kind == QUIRE_ARRIVALS_CLOSED))
		return quire_fail(-EINVAL, "--rate has no meaning with --arrivals %s",
				  quire_arrivals_name(kind));
	return 0;
}

int quire_workload_load(const struct quire_workload_args *a, uint64_t seed, double rate,
			struct quire_workload *out)
{
	struct quire_workload_options o = a->options;
	int rc;

	o.seed = seed;
	o.rate = rate;
	rc = a->trace ? quire_workload_read(out, a->trace)
		      : quire_workload_preset(out, a->preset, &o);
	if (rc == -EINVAL && (a->trace || access(a->preset, F_OK) == 0))
		return -EIO;
	if (rc < 0)
		return rc;
	if (out->left_out && seed == a->seed_first &&
	    (!a->rates_count || rate <= a->rates[0])) /* once */
		fprintf(stderr, "note: %s: %u request%s never answered: left out\n", out->name,
			out->left_out, out->left_out == 1 ? " was" : "s were");
	rc = quire_workload_apply(out, &o);
	if (rc < 0)
		quire_workload_free(out);
	return rc;
}
