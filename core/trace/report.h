/*
 * report.h - what a run was, in figures: made once from its metrics, then shown
 * as a table for people, as JSON and as CSV.
 *
 * A struct quire_report is plain data of fixed size without pointers, so that a
 * run in a child process can send it home through a pipe.  Whoever starts a run
 * fills in the settings with quire_report_init(), whoever ran it the figures
 * with quire_report_make().
 *
 * Definitions, of the requests that arrived inside the window:
 *
 *	TTFT		first token of the first sample - arrival
 *	E2E		last token of the last sample - arrival
 *	TPOT		(E2E - TTFT) / (output - 1), where output > 1
 *	ITL		time between two tokens of one sequence
 *	queue		first time in a plan - arrival
 *	normalized	E2E / output (Yu et al., Orca, OSDI 2022)
 *	output		tokens of one sample, the mean over the request's samples
 *
 * A percentile is the nearest rank: the k-th smallest of n exact values with
 * k = ceil(p n / 100).  Those of ITL come from a histogram and are off by 0.4 %
 * at most; its mean and maximum are exact.
 *
 * Throughput is what was done inside the window, over the window cut to the end
 * of the run; without a window, over the whole run.  A figure that does not
 * exist, such as the TPOT of one-token answers, is NAN here and null in JSON.
 */
#ifndef QUIRE_REPORT_H
#define QUIRE_REPORT_H

#include "core/trace/metrics.h"
#include <stdio.h>

#define QUIRE_REPORT_SCHEMA 1

#define QUIRE_REPORT_NAME_MAX	  192 /* bytes, with the ending 0; longer names are cut */
#define QUIRE_REPORT_SENTENCE_MAX 512

/* Everything that was in force.  0 and "" where nothing was, unless said. */
struct quire_settings {
	char scheduler[QUIRE_REPORT_NAME_MAX]; /* "static,batch=8,wait=0": all options */
	char allocator[QUIRE_REPORT_NAME_MAX];
	char scheduler_label[QUIRE_REPORT_NAME_MAX]; /* as the user wrote it, for tables */
	char allocator_label[QUIRE_REPORT_NAME_MAX];
	char model[QUIRE_REPORT_NAME_MAX];
	char gpu[QUIRE_REPORT_NAME_MAX];
	char exec[16];				/* "sim", "cpu", "cuda" */
	char time_model[QUIRE_REPORT_NAME_MAX]; /* "": the formula; else a file or folder */
	uint32_t tp;
	char weight_dtype[16], kv_dtype[16];
	uint32_t max_num_seqs;
	uint32_t max_num_batched_tokens; /* the budget in force */
	uint32_t max_model_len;
	uint32_t kv_slots;
	double gpu_memory_utilization; /* 0: kv_slots were given */
	uint64_t kv_bytes_per_token;

	char workload[QUIRE_REPORT_NAME_MAX];
	char workload_format[32];
	uint32_t requests;
	uint32_t samples;      /* of each request; 0: as the source says */
	uint32_t beams;	       /* likewise */
	double duration_s;     /* the cut; 0: none */
	double rate;	       /* requests/s that replaced the arrivals; 0: they were kept */
	double arrivals_per_s; /* gaps over the time from first to last arrival; 0: burst */
	char arrivals[32];     /* "source", "poisson", "gamma,cv=2", ... */
	uint32_t closed_users; /* > 0: a closed loop */
	bool shuffle, audit;
	uint64_t seed;

	bool windowed;
	double window_from_s, window_until_s; /* INFINITY: to the end */
	double slo_ttft_s, slo_tpot_s;	      /* 0: not asked for */
};

/* Of a distribution; NAN throughout if it has no values. */
struct quire_spread {
	double mean, p50, p90, p95, p99, max;
};

/* What one client got; of requests that arrived in the window. */
#define QUIRE_REPORT_CLIENTS_MAX 32
struct quire_client_figures {
	uint32_t id;
	char name[32]; /* "" where the source has none; longer ones are cut */
	uint32_t requests;
	struct quire_spread ttft_s, e2e_s;
	double output_tokens_per_s; /* of its requests, over the whole window */
};

/* Where a figure lies with some probability. */
struct quire_interval {
	double low, high;
};

enum quire_run_end {
	QUIRE_RUN_FINISHED, /* every request is finished or refused */
	QUIRE_RUN_EJECTED,  /* a module was; the figures hold up to that step */
	QUIRE_RUN_FAILED,   /* it did not start, or the executor failed: no figures */
	QUIRE_RUN_CRASHED,  /* its process died: no figures */
	QUIRE_RUN_STOPPED,  /* by the user; the figures hold up to then */
};

struct quire_report {
	struct quire_settings config;
	uint32_t end;				  /* enum quire_run_end */
	char sentence[QUIRE_REPORT_SENTENCE_MAX]; /* why; of a run that finished: which
						   * file beside the report is not whole */
	bool unfit; /* of one that failed: it could not begin, by what was asked for */

	uint32_t arrived, finished, refused;	/* requests, of the whole run */
	uint32_t refusals[QUIRE_REFUSED_COUNT]; /* requests, by reason */
	double time_s;
	bool saturated;

	uint64_t steps;			    /* of the window, like all below ... */
	double sequences_mean, tokens_mean; /* a step: sequences with slots, tokens run */
	double requests_per_s, prompt_tokens_per_s, output_tokens_per_s;
	double goodput_requests_per_s; /* arrived in the window, met the SLO */
	double goodput_share;	       /* of those that arrived in the window */
	struct quire_spread ttft_s, tpot_s, itl_s, e2e_s, queue_s, normalized_latency_s;

	/* of the means above, if the errors of the time model are as its GPU says */
	double interval_level; /* 0: not asked for */
	struct quire_interval ttft_interval_s, tpot_interval_s, output_tokens_interval_per_s;

	/* shares of the pool, means over steps; the first four sum to 1 */
	double token_states, reserved, internal, external;
	double rounding, free, largest_free_run;
	double shared_saved; /* 1 - 1 / mean(logical / physical slots) */

	/* ... and of the whole run again */
	uint64_t preemptions, copies, copied_slots, forks;
	uint64_t recomputed_tokens;
	uint64_t digest;
	bool oracle; /* the allocator asked for true lengths */
	struct quire_fault_count faults[QUIRE_FAULT_COUNT];

	/* Clients, where there are several: by id; those with the most requests if there
	 * are more than have room. */
	uint32_t clients_count; /* different ones in the window; 0: one, or none */
	struct quire_client_figures clients[QUIRE_REPORT_CLIENTS_MAX];
};

/* A report without figures yet: all NAN, 0 or false. */
void quire_report_init(struct quire_report *r, const struct quire_settings *settings);

/*
 * Compute the figures from what the loop folded.  @requests are those that ran,
 * [m->requests_count].  Return: 0; -ENOMEM.
 */
int quire_report_make(struct quire_report *r, const struct quire_metrics *m,
		      const struct quire_request *requests);

/* The latencies of one request, by the equations above; NAN: it did not come to that. */
struct quire_request_times {
	double ttft_s, tpot_s, e2e_s, queue_s, normalized_latency_s;
};
/* @samples: answers, or beams. */
struct quire_request_times quire_request_times(const struct quire_outcome *o, uint32_t samples);

/* Were requests refused for a length (@refusal) that is only the pool's? */
bool quire_report_pool_limits(const struct quire_report *r, size_t refusal);

/* The figures of single clients; a part of quire_report_make().  Return: 0; -ENOMEM. */
int quire_report_clients(struct quire_report *r, const struct quire_metrics *m,
			 const struct quire_request *requests, double window_s);
/* Name the clients; @names [count] by id, or NULL. */
void quire_report_name_clients(struct quire_report *r, char *const *names, uint32_t count);

/* Can these figures be true?  Those of a run whose memory was written to may not be. */
bool quire_report_sound(const struct quire_report *r);

/* Sort @values [count] and describe them. */
void quire_spread_make(struct quire_spread *s, double *values, size_t count);
/* The same of a histogram, in seconds. */
void quire_spread_histogram(struct quire_spread *s, const struct quire_histogram *h);

/*
 * Does the queue grow for as long as requests arrive?  Let w1..w4 be the mean
 * number of waiting requests that the arrivals of each quarter found, and n the
 * number of arrivals.  It grows if
 *
 *	w2 < w3 < w4,  w4 >= 1.5 w2,  and  w4 >= max(16, 2 sqrt(n))
 *
 * An overload of a share x has w = x n (1/8, 3/8, 5/8, 7/8), so w4 = 2.3 w2.  A
 * queue that is just not overloaded wanders about sqrt(n), and one with room to
 * spare does not depend on n at all: that is the last bound.  The first quarter
 * is left out because every run starts empty.  On M/D/1 queues of 1,000 requests
 * it errs once in 500 at a load of 0.98, and finds 99.8 % at 1.2.
 *
 * Arrivals all at once, or a closed loop, have no rate that could be too high:
 * never saturated.
 */
bool quire_report_saturated(const struct quire_metrics *m);

/* Write the "config" of a run's JSON alone.  Return: 0; -EIO, -ENOMEM with a sentence. */
int quire_report_config_json(FILE *out, const struct quire_report *r);

/*
 * Write the runs as one JSON document that ends with a newline: an object, or if
 * @array an array of objects.  Return: 0; -EIO, -ENOMEM with a sentence.
 */
int quire_report_json(FILE *out, const struct quire_report *reports, size_t count, bool array);

/*
 * A row per request: id,arrival_s,prompt_tokens,output_tokens,first_scheduled_s,
 * first_token_s,finish_s,preemptions; seconds since the start of the run, to the
 * nanosecond, empty for what never happened; tokens over all samples.
 * Return: 0; -EIO.
 */
int quire_report_csv(FILE *out, const struct quire_metrics *m,
		     const struct quire_request *requests);

/*
 * The table for people.  Runs that differ in their seed alone become one row of
 * means.  The best figure of each column is bold, or has a '*' without colours.
 */
struct quire_table_style {
	unsigned int columns; /* of the terminal; at least 80 are used */
	bool colours;
	bool utf8;
};
int quire_report_table(FILE *out, const struct quire_report *reports, size_t count,
		       const struct quire_table_style *style);

/* "static x paged", cut to @size bytes. */
void quire_report_label(const struct quire_report *r, char *label, size_t size);

#endif /* QUIRE_REPORT_H */
