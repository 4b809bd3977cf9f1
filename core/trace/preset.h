/*
 * preset.h - workloads that are drawn: the table of built-in ones (presets.c), those
 * that a user describes (synthetic.c, clients.c), and what draws them (preset.c).
 */
#ifndef QUIRE_PRESET_H
#define QUIRE_PRESET_H

#include "dist.h"
#include "workload.h"

/* One client of a file of clients; see clients.c. */
struct quire_client {
	char name[64];
	enum quire_arrivals arrivals; /* poisson, gamma, hyperexp or fixed */
	double cv;
	double rate; /* requests/s */
	struct quire_dist prompt, output;
	uint32_t output_tokens_max; /* UINT32_MAX: none */
	int32_t priority;
	double from_s, until_s; /* INFINITY: no end */
};

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

	/* Or clients with lengths and arrivals of their own, instead of all of these. */
	struct quire_client *clients; /* [clients_count] owned */
	uint32_t clients_count;
	bool endless; /* one of them has no end */
};

extern const struct quire_preset quire_presets[]; /* ends with one without a name */

/* Does @text begin with "synthetic" as a word? */
bool quire_synthetic_is(const char *text);
/* Return: 0; -EINVAL with a sentence.  @text is borrowed. */
int quire_synthetic_parse(struct quire_preset *p, const char *text);

/* Read a file of clients.  Return: 0, free p->clients; -errno with a sentence. */
int quire_clients_read(struct quire_preset *p, const char *path);
/* Draw the first w->count requests of all clients, or fewer if all of them end; with
 * arrivals and names.  Return: 0; -EINVAL, -ENOMEM with a sentence. */
int quire_clients_draw(struct quire_workload *w, const struct quire_preset *p, uint64_t seed);

#endif /* QUIRE_PRESET_H */
