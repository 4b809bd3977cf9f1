/*
 * workload.h - the requests of a run, wherever they come from.
 *
 * A source gives lengths and, mostly, arrival times: a trace file, whose format
 * is recognised by its content, or a preset, which draws both from fitted
 * distributions.  quire_workload_apply() then cuts, shuffles, re-times and
 * multiplies them as the command line asks.  A workload is a pure function of
 * (source, options, seed).
 */
#ifndef QUIRE_WORKLOAD_H
#define QUIRE_WORKLOAD_H

#include "dist.h"

#include <quire/quire.h>
#include <stdio.h>

struct quire_workload {
	char *name;			/* file name or preset, for reports; owned */
	const char *format;		/* "quire csv", "azure csv", "preset", ... */
	struct quire_request *requests; /* [count], by arrival_ns, stable; owned */
	uint32_t *output_tokens;	/* [count] true lengths of one sample, >= 1; owned */
	uint32_t count;
	bool arrivals_known;   /* false: a file of lengths only, which needs --rate */
	double rate;	       /* of the source's own arrivals, requests/s; 0: unknown */
	bool caps_known;       /* output_tokens_max comes from the source; false: it
				* is UINT32_MAX, and the model's limit is the cap */
	uint32_t closed_users; /* > 0: closed loop; a request arrives when one ends */
	/* Requests that the source says were never answered; they are not among these. */
	uint32_t left_out;
	/* Names of clients, where the source has them; NULL: they are numbers alone. */
	char **client_names; /* [clients_count] by request.client; owned */
	uint32_t clients_count;
	/* Block hashes of prompts (Mooncake, Qwen), for prefix caching; NULL if none. */
	uint64_t *hashes;     /* [hash_first[count]]; owned */
	uint32_t *hash_first; /* [count + 1] into hashes; owned */
	uint32_t hash_tokens; /* tokens a hash stands for, as 512 */
};

enum quire_arrivals {
	QUIRE_ARRIVALS_SOURCE,	 /* as the source has them */
	QUIRE_ARRIVALS_POISSON,	 /* exponential gaps, mean 1/rate */
	QUIRE_ARRIVALS_GAMMA,	 /* gamma gaps of coefficient of variation cv */
	QUIRE_ARRIVALS_FIXED,	 /* every 1/rate seconds, the first at 1/rate */
	QUIRE_ARRIVALS_BURST,	 /* all at t = 0 */
	QUIRE_ARRIVALS_CLOSED,	 /* users that wait for their answer, then ask again */
	QUIRE_ARRIVALS_HYPEREXP, /* exponential gaps of two means, mixed; cv >= 1 */
	QUIRE_ARRIVALS_RESCALED, /* the source's own, faster or slower, at rate on average */
	QUIRE_ARRIVALS_COUNT,
};

/* "poisson"; "source" for QUIRE_ARRIVALS_SOURCE. */
const char *quire_arrivals_name(enum quire_arrivals kind);

struct quire_workload_options {
	uint64_t requests; /* keep the first N, or all if there are fewer (of a
			    * preset: draw N); 0: all */
	double duration_s; /* keep what arrives in the first S seconds; 0: all */
	double rate;	   /* requests/s, replaces arrival times; 0: keep them */
	enum quire_arrivals arrivals;
	double cv;	  /* of gamma, where 0 is 1, and of hyperexp */
	uint32_t users;	  /* of closed */
	bool shuffle;	  /* permute which lengths come with which arrival */
	uint32_t samples; /* of every request; 0: as the source says */
	uint32_t beams;	  /* of every request; 0: as the source says */
	uint64_t seed;
	bool lengths_suffice; /* arrivals may stay unknown; false: that is refused */
};

/* Read "poisson", "gamma,cv=2", "hyperexp,cv=3", "fixed", "burst", "closed,users=8" or
 * "rescaled" into @o.
 * Return: 0; -EINVAL with a sentence in quire_failure(). */
int quire_arrivals_parse(struct quire_workload_options *o, const char *text);

/*
 * Read a trace file.  Nothing is dropped silently: a malformed line fails the
 * whole file, with its name, the line and what was expected.
 * Return: 0; -EINVAL malformed; -errno of the system; see quire_failure().
 */
int quire_workload_read(struct quire_workload *w, const char *path);

/*
 * Draw a workload.  @name is that of a built-in preset; or lengths from given
 * distributions, "synthetic,prompt=..,output=.." (synthetic.c); or the path of a file
 * of clients (clients.c).  requests or duration_s of @o say how
 * much is needed (both 0: the preset's own number), rate and arrivals of @o
 * replace its arrival process.  Cutting it to the second, and the rest of @o, is
 * left to quire_workload_apply().
 * Return: 0; -EINVAL unknown name (the nearest is suggested) or malformed; -errno of
 * the system; see quire_failure().
 */
int quire_workload_preset(struct quire_workload *w, const char *name,
			  const struct quire_workload_options *o);

/*
 * Re-time, shuffle, cut and set samples, in this order.  To apply the same
 * options twice is to apply them once, but for shuffle.
 * Return: 0; -EINVAL with a sentence in quire_failure().
 */
int quire_workload_apply(struct quire_workload *w, const struct quire_workload_options *o);

/* Order the requests by arrival, stably, and number them from 0.
 * Return: 0; -ENOMEM. */
int quire_workload_sort(struct quire_workload *w);

/* Set arrival times (and closed_users) as @o says; a part of
 * quire_workload_apply().  Return: 0; -EINVAL with a sentence in quire_failure(). */
int quire_workload_retime(struct quire_workload *w, const struct quire_workload_options *o);

/* The gaps of poisson, gamma, hyperexp and fixed, in seconds. */
struct quire_dist quire_arrivals_gap(enum quire_arrivals kind, double cv, double rate);
/* Arrivals by gaps from @gap_s, in seconds, and the seed's stream "arrivals".
 * Return: 0; -EINVAL the last would come after more than 10^9 s. */
int quire_workload_gaps(struct quire_workload *w, const struct quire_dist *gap_s, uint64_t seed);

/* Write it as quire's own CSV; what that has no column for (samples, hashes,
 * closed users) is left out.  Return: 0; -EIO. */
int quire_workload_write(const struct quire_workload *w, FILE *out);

void quire_workload_free(struct quire_workload *w);

/* A built-in preset, for "quire list".  NULL behind the last. */
struct quire_preset_info {
	const char *name, *summary;
};
const struct quire_preset_info *quire_preset_info(size_t index);

/* Does quire_workload_preset() know @name?  Return: 0; -errno, and quire_failure()
 * suggests the nearest, or says what is wrong with it. */
int quire_preset_check(const char *name);

#endif /* QUIRE_WORKLOAD_H */
