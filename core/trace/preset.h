/*
 * preset.h - the table of built-in workloads, for preset.c and presets.c.
 */
#ifndef QUIRE_PRESET_H
#define QUIRE_PRESET_H

#include "dist.h"
#include "workload.h"

struct quire_preset {
	struct quire_preset_info info;
	uint32_t count; /* requests, unless the user says how many */

	/* Lengths: drawn, rounded, at least 1. */
	struct quire_dist prompt, output;
	uint32_t total_max;    /* prompt + output; above it both are drawn again; 0: no bound */
	uint32_t output_cap;   /* output_tokens_max of every request; 0: the source has none */
	uint32_t every;	       /* > 0: requests 0, every, 2 * every, ... ask for ... */
	uint32_t every_output; /* ... this many instead */

	/* Arrivals: one of these; or none, and the user gives a rate. */
	struct quire_dist gap_s;
	double rate; /* mean of gap_s or of the clients, requests/s */
	bool burst;  /* all at 0 */
	uint32_t closed_users;
	double client_rates[2]; /* two clients, each evenly spaced */
};

extern const struct quire_preset quire_presets[]; /* ends with one without a name */

#endif /* QUIRE_PRESET_H */
