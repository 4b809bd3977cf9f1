/*
 * workload_args.h - the flags that say which requests are run, shared by every
 * command that takes a workload ("quire sim", "quire trace", "quire bench").
 *
 *	static const struct option options[] = {
 *		QUIRE_WORKLOAD_LONG_OPTIONS,
 *		{ "model", required_argument, NULL, 0 },
 *		...
 *	};
 *	struct quire_workload_args a = QUIRE_WORKLOAD_ARGS;
 *
 *	while (getopt_long(argc, argv, "", options, &i) != -1)
 *		rc = quire_workload_arg(&a, options[i].name, optarg);
 *	rc = quire_workload_args_check(&a);
 *	for (seed = a.seed_first; ; seed++) ...
 *		quire_workload_load(&a, seed, a.rates[r], &w);
 *
 * Nothing is read or drawn before quire_workload_load(), which may run on many
 * threads at once.
 */
#ifndef QUIRE_WORKLOAD_ARGS_H
#define QUIRE_WORKLOAD_ARGS_H

#include "core/trace/workload.h"
#include <getopt.h>

#define QUIRE_RATES_MAX 64

struct quire_workload_args {
	const char *trace;		       /* --trace; borrowed; NULL: a preset */
	const char *preset;		       /* --workload; borrowed; NULL: a trace */
	struct quire_workload_options options; /* the rest; its rate and seed are not used */
	double rates[QUIRE_RATES_MAX];	       /* [rates_count] --rate, requests/s */
	uint32_t rates_count;		       /* 0: the source's own arrivals */
	uint64_t seed_first, seed_last;	       /* --seed N or --seeds A:B, both included */
};

#define QUIRE_WORKLOAD_ARGS                                                                        \
	{                                                                                          \
		.seed_first = 0, .seed_last = 0                                                    \
	}

/* Entries for a getopt_long() table, val 0. */
#define QUIRE_WORKLOAD_LONG_OPTIONS                                                                \
	{"trace", required_argument, NULL, 0}, {"workload", required_argument, NULL, 0},           \
		{"requests", required_argument, NULL, 0},                                          \
		{"duration", required_argument, NULL, 0}, {"rate", required_argument, NULL, 0},    \
		{"arrivals", required_argument, NULL, 0}, {"shuffle", no_argument, NULL, 0},       \
		{"samples", required_argument, NULL, 0}, {"beams", required_argument, NULL, 0},    \
		{"seed", required_argument, NULL, 0},                                              \
	{                                                                                          \
		"seeds", required_argument, NULL, 0                                                \
	}

/* A block for --help, one line a flag, that ends with a newline. */
extern const char quire_workload_args_help[];

/*
 * Take the flag @name (without the dashes) with its @value (NULL where it has
 * none).  Both are borrowed.  --rate may come several times.
 * Return: 1 it was one of ours; 0 it was not; -EINVAL with a sentence in
 * quire_failure().
 */
int quire_workload_arg(struct quire_workload_args *a, const char *name, const char *value);

/* Is there exactly one source, and do the flags go together?  After the last
 * flag.  Return: 0; -EINVAL with a sentence in quire_failure(). */
int quire_workload_args_check(const struct quire_workload_args *a);

/*
 * Read or draw the workload and apply the options, with this seed and rate (0:
 * the source's own arrivals).  If the source left requests out, the first load says
 * so on stderr.  The caller frees it with quire_workload_free().
 * Return: 0; -EINVAL the flags do not suit the source; -EIO a file is broken; -errno;
 * with a sentence in quire_failure().
 */
int quire_workload_load(const struct quire_workload_args *a, uint64_t seed, double rate,
			struct quire_workload *out);

#endif /* QUIRE_WORKLOAD_ARGS_H */
