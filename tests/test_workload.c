/*
 * test_workload.c - what is done to a workload: arrivals, order, cuts, samples;
 * the flags that ask for it; and its figures.
 */
#include "core/cli/workload_args.h"
#include "core/trace/stats.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* @count requests with prompts 1, 2, 3 ... that arrive every half second from 0 on. */
static void make(struct quire_workload *w, uint32_t count, bool arrivals)
{
	*w = (struct quire_workload){.name = strdup("test"), .format = "test"};
	w->requests = calloc(count, sizeof(*w->requests));
	w->output_tokens = calloc(count, sizeof(*w->output_tokens));
	w->count = count;
	w->arrivals_known = arrivals;
	w->rate = arrivals ? 2.0 : 0.0;
	for (uint32_t i = 0; i < count; i++) {
		w->requests[i] =
			(struct quire_request){.id = i,
					       .arrival_ns = arrivals ? i * UINT64_C(500000000) : 0,
					       .prompt_tokens = i + 1,
					       .output_tokens_max = UINT32_MAX,
					       .samples = 1};
		w->output_tokens[i] = 2 * i + 1;
	}
}

/* ---- arrivals ---- */

static const struct {
	const char *arrivals;
	double rate, cv, dispersion; /* expected */
} processes[] = {
	{"poisson", 5.0, 1.0, 1.0},
	/* the dispersion of counts nears cv^2 in long windows only */
	{"gamma,cv=2", 5.0, 2.0, 3.56},
	{"gamma,cv=0.5", 5.0, 0.5, 0.28},
	{"GAMMA", 5.0, 1.0, 1.0},
	{"fixed", 5.0, 0.0, 0.0},
	{"hyperexp,cv=1", 5.0, 1.0, 1.0},
	{"hyperexp,cv=3", 5.0, 3.0, 3.94},
};

START_TEST(test_process)
{
	struct quire_workload_options o = {.rate = 5.0, .seed = 3};
	struct quire_workload_stats s;
	struct quire_workload w;

	make(&w, 100000, false);
	ck_assert_int_eq(quire_arrivals_parse(&o, processes[_i].arrivals), 0);
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert(w.arrivals_known);
	ck_assert_int_eq(quire_workload_stats(&s, &w), 0);
	ck_assert_double_eq_tol(s.rate, processes[_i].rate, 0.15);
	ck_assert_double_eq_tol(s.gap_cv, processes[_i].cv, fmax(0.03, 0.02 * processes[_i].cv));
	ck_assert_double_eq_tol(s.dispersion_1s, processes[_i].dispersion,
				fmax(0.06, 0.02 * processes[_i].dispersion));
	for (uint32_t i = 0; i < w.count; i++)
		if (w.requests[i].prompt_tokens != i + 1 ||
		    (i && w.requests[i].arrival_ns < w.requests[i - 1].arrival_ns))
			ck_abort_msg("request %u", i);
	quire_workload_free(&w);
}
END_TEST

START_TEST(test_fixed)
{
	struct quire_workload_options o = {.rate = 4.0, .arrivals = QUIRE_ARRIVALS_FIXED};
	struct quire_workload w;

	make(&w, 100, true);
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	for (uint32_t i = 0; i < w.count; i++)
		ck_assert_uint_eq(w.requests[i].arrival_ns, UINT64_C(250000000) * (i + 1));
	quire_workload_free(&w);
}
END_TEST

START_TEST(test_burst_and_closed)
{
	struct quire_workload_options o = {.arrivals = QUIRE_ARRIVALS_BURST};
	struct quire_workload w;

	make(&w, 10, true);
	w.requests[4].deadline_ns = w.requests[4].arrival_ns + 7;
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	for (uint32_t i = 0; i < w.count; i++)
		ck_assert_uint_eq(w.requests[i].arrival_ns, 0);
	ck_assert_uint_eq(w.requests[4].deadline_ns, 7); /* keeps its distance */

	ck_assert_int_eq(quire_arrivals_parse(&o, "closed,users=3"), 0);
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_uint_eq(w.closed_users, 3);

	o = (struct quire_workload_options){.rate = 2.0}; /* and open again */
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_uint_eq(w.closed_users, 0);
	ck_assert_uint_gt(w.requests[0].arrival_ns, 0);
	quire_workload_free(&w);
}
END_TEST

/* The source's own pattern, at another rate. */
START_TEST(test_rescaled)
{
	struct quire_workload_options o = {.rate = 8.0};
	struct quire_workload_stats s;
	struct quire_workload w, again;

	ck_assert_int_eq(quire_arrivals_parse(&o, "rescaled"), 0);
	make(&w, 1001, true);
	for (uint32_t i = 0; i < w.count; i++) /* three at once, from 0 to 333 s */
		w.requests[i].arrival_ns = i / 3 * UINT64_C(1000000000);
	w.requests[7].deadline_ns = w.requests[7].arrival_ns + 5;
	w.rate = 1000 / 333.0;
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_int_eq(quire_workload_stats(&s, &w), 0);
	ck_assert_double_eq_tol(s.rate, 8.0, 1e-6);
	ck_assert_uint_eq(s.arrival_times, 334);
	ck_assert_uint_eq(w.requests[7].deadline_ns, w.requests[7].arrival_ns + 5);
	for (uint32_t i = 0; i < w.count; i++)
		if (w.requests[i].arrival_ns !=
		    (uint64_t)((double)(i / 3) * 1e9 * (1000 / 333.0) / 8.0 + 0.5))
			ck_abort_msg("request %u", i);
	/* twice is once */
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_int_eq(quire_workload_stats(&s, &w), 0);
	ck_assert_double_eq_tol(s.rate, 8.0, 1e-6);
	quire_workload_free(&w);

	/* a preset: the draws of its own process, as a whole faster; as long as asked for */
	o = (struct quire_workload_options){.requests = 500, .seed = 4};
	ck_assert_int_eq(quire_workload_preset(&w, "azure_code_2023", &o), 0);
	o.arrivals = QUIRE_ARRIVALS_RESCALED;
	o.rate = 25.67;
	ck_assert_int_eq(quire_workload_preset(&again, "azure_code_2023", &o), 0);
	ck_assert_int_eq(quire_workload_apply(&again, &o), 0);
	for (uint32_t i = 0; i < w.count; i++)
		if (fabs((double)w.requests[i].arrival_ns / 10 -
			 (double)again.requests[i].arrival_ns) > 1.0)
			ck_abort_msg("request %u", i);
	quire_workload_free(&w);
	quire_workload_free(&again);
	o.requests = 0;
	o.duration_s = 1000;
	ck_assert_int_eq(quire_workload_preset(&w, "azure_code_2023", &o), 0);
	ck_assert_uint_gt(w.requests[w.count - 1].arrival_ns, 1000000000000u);
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_double_eq_tol(w.count, 25670, 6000); /* cv 8.8 */
	quire_workload_free(&w);
}
END_TEST

/* One option does not disturb what another one draws. */
START_TEST(test_streams)
{
	struct quire_workload_options o = {.rate = 2.0, .seed = 11};
	struct quire_workload a, b;

	make(&a, 1000, true);
	make(&b, 1000, true);
	ck_assert_int_eq(quire_workload_apply(&a, &o), 0);
	o.shuffle = true;
	o.rate = 4.0;
	ck_assert_int_eq(quire_workload_apply(&b, &o), 0);
	for (uint32_t i = 0; i < a.count; i++) /* twice the rate: the same draws, half as long */
		if (llabs((long long)a.requests[i].arrival_ns -
			  2 * (long long)b.requests[i].arrival_ns) > 1)
			ck_abort_msg("arrival %u", i);
	/* the shuffle does not depend on the rate either */
	o.rate = 0.0;
	quire_workload_free(&a);
	make(&a, 1000, true);
	ck_assert_int_eq(quire_workload_apply(&a, &o), 0);
	for (uint32_t i = 0; i < a.count; i++)
		if (a.requests[i].prompt_tokens != b.requests[i].prompt_tokens)
			ck_abort_msg("request %u", i);
	quire_workload_free(&a);
	quire_workload_free(&b);
}
END_TEST

/* ---- order, cuts, samples ---- */

START_TEST(test_shuffle)
{
	struct quire_workload_options o = {.shuffle = true, .seed = 5};
	struct quire_workload w;
	uint32_t moved = 0;
	bool seen[1001] = {false};

	make(&w, 1000, true);
	for (uint32_t i = 0; i < w.count; i++)
		w.requests[i].deadline_ns = w.requests[i].arrival_ns + i + 1;
	w.hash_tokens = 512;
	w.hashes = calloc(3000, sizeof(*w.hashes));
	w.hash_first = calloc(1001, sizeof(*w.hash_first));
	for (uint32_t i = 0; i < w.count; i++) { /* i % 4 hashes, all of them i */
		w.hash_first[i + 1] = w.hash_first[i] + i % 4;
		for (uint32_t h = 0; h < i % 4; h++)
			w.hashes[w.hash_first[i] + h] = i;
	}
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	for (uint32_t i = 0; i < w.count; i++) {
		uint32_t was = w.requests[i].prompt_tokens - 1;

		if (w.requests[i].id != i || w.requests[i].arrival_ns != i * UINT64_C(500000000) ||
		    w.output_tokens[i] != 2 * was + 1 || seen[was] ||
		    w.requests[i].deadline_ns != w.requests[i].arrival_ns + was + 1)
			ck_abort_msg("request %u", i);
		if (w.hash_first[i + 1] - w.hash_first[i] != was % 4)
			ck_abort_msg("hashes of %u", i);
		for (uint32_t h = w.hash_first[i]; h < w.hash_first[i + 1]; h++)
			if (w.hashes[h] != was)
				ck_abort_msg("hash %u", h);
		seen[was] = true;
		moved += was != i;
	}
	ck_assert_uint_gt(moved, 980);
	quire_workload_free(&w);
}
END_TEST

/* Each of the 24 orders of four requests comes about as often: chi-squared with 23
 * degrees of freedom, which is beyond 60 once in 30,000. */
START_TEST(test_shuffle_is_fair)
{
	enum { EACH = 1000 };
	uint32_t count[256] = {0}, orders = 0;
	double squares = 0;

	for (uint64_t seed = 0; seed < 24 * EACH; seed++) {
		struct quire_workload_options o = {.shuffle = true, .seed = seed};
		struct quire_workload w;
		uint32_t order = 0; /* base 4 */

		make(&w, 4, true);
		if (quire_workload_apply(&w, &o))
			ck_abort_msg("%s", quire_failure());
		for (uint32_t i = 0; i < 4; i++)
			order = 4 * order + w.requests[i].prompt_tokens - 1;
		count[order]++;
		quire_workload_free(&w);
	}
	for (uint32_t i = 0; i < 256; i++) {
		orders += count[i] > 0;
		if (count[i])
			squares += ((double)count[i] - EACH) * ((double)count[i] - EACH) / EACH;
	}
	ck_assert_uint_eq(orders, 24);
	ck_assert_double_lt(squares, 60);
}
END_TEST

START_TEST(test_cuts)
{
	struct quire_workload_options o = {.requests = 7};
	struct quire_workload w;

	make(&w, 10, true);
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_uint_eq(w.count, 7);
	ck_assert_uint_eq(w.requests[6].prompt_tokens, 7);
	o = (struct quire_workload_options){.duration_s = 2.0, .samples = 4};
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0); /* 0 .. 1.5 s */
	ck_assert_uint_eq(w.count, 4);
	ck_assert_uint_eq(w.requests[3].samples, 4);
	o = (struct quire_workload_options){.requests = 100}; /* as many as there are */
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_uint_eq(w.count, 4);
	quire_workload_free(&w);

	/* arrivals come first: at 10/s, 2 s hold about 20 requests, not 4 */
	make(&w, 1000, true);
	o = (struct quire_workload_options){.duration_s = 2.0,
					    .rate = 10.0,
					    .arrivals = QUIRE_ARRIVALS_FIXED,
					    .shuffle = true,
					    .requests = 1000};
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_uint_eq(w.count, 19); /* 0.1 .. 1.9 s */
	/* the shuffle before the cut: not just the first 19 in another order */
	for (uint32_t i = 0, late = 0; i < w.count; i++) {
		late += w.requests[i].prompt_tokens > 19;
		if (i == w.count - 1)
			ck_assert_uint_gt(late, 10);
	}
	quire_workload_free(&w);
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		struct quire_workload_options o;
		bool arrivals;
		const char *sentence;
	} refused[] = {
		{{.rate = 0.0},
		 false,
		 "test has lengths but no arrival times: add --rate R, or "
		 "--arrivals burst or closed,users=N"},
		{{.arrivals = QUIRE_ARRIVALS_POISSON},
		 false,
		 "test has no rate of its own: add --rate R"},
		{{.arrivals = QUIRE_ARRIVALS_BURST, .rate = 2.0},
		 true,
		 "--rate has no meaning with --arrivals burst"},
		{{.arrivals = QUIRE_ARRIVALS_CLOSED}, true, "closed,users=N"},
		{{.arrivals = QUIRE_ARRIVALS_CLOSED, .users = 2, .duration_s = 3.0},
		 true,
		 "give --requests instead"},
		{{.duration_s = 0.1, .rate = 1.0, .arrivals = QUIRE_ARRIVALS_FIXED},
		 true,
		 "nothing arrives in the first 0.1 s; the first request of test comes at 1 s"},
		{{.rate = 1e-8}, true, "would arrive after more than 10^9 s"},
		{{.arrivals = QUIRE_ARRIVALS_RESCALED, .rate = 1e-8},
		 true,
		 "request 100 of test would arrive after more than 10^9 s"},
		{{.arrivals = QUIRE_ARRIVALS_RESCALED}, true, "add --rate R"},
		{{.arrivals = QUIRE_ARRIVALS_RESCALED, .rate = 1.0},
		 false,
		 "test has no arrivals of its own"},
		{{.lengths_suffice = true, .duration_s = 5.0}, false, "has no arrival times"},
	};
	struct quire_workload w;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		make(&w, 100, refused[i].arrivals);
		ck_assert_int_eq(quire_workload_apply(&w, &refused[i].o), -EINVAL);
		if (!strstr(quire_failure(), refused[i].sentence))
			ck_abort_msg("%zu: %s", i, quire_failure());
		quire_workload_free(&w);
	}
}
END_TEST

/* "--arrivals poisson" alone keeps the source's rate. */
START_TEST(test_own_rate)
{
	struct quire_workload_options o = {.arrivals = QUIRE_ARRIVALS_FIXED};
	struct quire_workload w;

	make(&w, 10, true);
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_uint_eq(w.requests[9].arrival_ns, 5000000000u);
	quire_workload_free(&w);
}
END_TEST

/* ---- figures ---- */

START_TEST(test_stats)
{
	struct quire_workload_stats s;
	struct quire_workload w;

	make(&w, 101, true);
	w.requests[3].client = 9;
	ck_assert_int_eq(quire_workload_stats(&s, &w), 0);
	ck_assert_uint_eq(s.requests, 101);
	ck_assert_uint_eq(s.clients, 2);
	ck_assert_double_eq_tol(s.last_s, 50.0, 1e-12);
	ck_assert_double_eq_tol(s.rate, 2.0, 1e-12);
	ck_assert_double_eq_tol(s.gap_cv, 0.0, 1e-12);
	ck_assert_double_eq_tol(s.dispersion_1s, 0.0, 1e-12);
	ck_assert(isnan(s.dispersion_10s)); /* five windows tell nothing */
	ck_assert(isnan(s.hit_share));
	ck_assert_uint_eq(s.arrival_times, 101);
	ck_assert_double_eq_tol(s.prompt.spread.mean, 51.0, 1e-12);
	ck_assert_double_eq_tol(s.prompt.spread.p50, 51.0, 1e-12);
	ck_assert_double_eq_tol(s.output.spread.max, 201.0, 1e-12);
	ck_assert_uint_eq(s.output.sum_tokens, 101 * 101);
	ck_assert_uint_eq(s.total.min_tokens, 2);
	ck_assert_uint_eq(s.prompt.bands[0], 1);  /* 1 */
	ck_assert_uint_eq(s.prompt.bands[5], 32); /* 32 .. 63 */
	ck_assert_uint_eq(s.prompt.bands[6], 38); /* 64 .. 101 */
	quire_workload_free(&w);
}
END_TEST

/* ---- flags ---- */

static const struct {
	const char *name, *value;
	int rc;
	const char *sentence;
} flags[] = {
	{"trace", "x.csv", 1, NULL},
	{"workload", "DEMO", 1, NULL},
	{"workload", "demos", -EINVAL, "did you mean 'demo'?"},
	{"requests", "12", 1, NULL},
	{"requests", "0", -EINVAL, "--requests: expected a whole number from 1"},
	{"duration", "1.5", 1, NULL},
	{"duration", "-1", -EINVAL, "--duration: expected a number"},
	{"rate", "1e-3", 1, NULL},
	{"rate", "0", -EINVAL, "--rate: expected a number"},
	{"rate", "inf", -EINVAL, "--rate: expected a number"},
	{"arrivals", "Poisson", 1, NULL},
	{"arrivals", "gamma,cv=3", 1, NULL},
	{"arrivals", "gamma,cv=0", -EINVAL, "--arrivals: cv"},
	{"arrivals", "hyperexp,cv=1.5", 1, NULL},
	{"arrivals", "hyperexp,cv=0.5", -EINVAL, "--arrivals: cv: expected a number from 1"},
	{"arrivals", "hyperexp", -EINVAL, "say how bursty: hyperexp,cv=2"},
	{"arrivals", "Rescaled", 1, NULL},
	{"arrivals", "rescaled,rate=2", -EINVAL, "'rescaled' takes no settings"},
	{"workload", "synthetic,prompt=512,output=exp:128:max=1536", 1, NULL},
	{"workload", "Synthetic,output=5,prompt=lognormal:500:1,total=900", 1, NULL},
	{"workload", "synthetic", -EINVAL, "--workload: synthetic: expected prompt and output"},
	{"workload", "synthetics", -EINVAL, "there is no preset 'synthetics'"},
	{"workload", "synthetic,prompt=5", -EINVAL, "expected prompt and output"},
	{"workload", "synthetic,prompt=5,output", -EINVAL, "expected key=value, found 'output'"},
	{"workload", "synthetic,prompt=5,prompt=6", -EINVAL, "expected prompt once"},
	{"workload", "synthetic,prompt=5,output=5,totl=9", -EINVAL, "did you mean 'total'?"},
	{"workload", "synthetic,prompt=5,output=5,q=9", -EINVAL, "found 'q'"},
	{"workload", "synthetic,prompt=500,output=5,total=90", -EINVAL, "total: hardly one draw"},
	{"workload", "synthetic,prompt=5,output=exp:9:max=50,output_tokens_max=40", -EINVAL,
	 "up to 50 does not go with output_tokens_max=40"},
	{"workload", "synthetic,prompt=quick,output=5", -EINVAL,
	 "synthetic: prompt: expected fixed, uniform, exp"},
	{"workload", "./none.csv", -EINVAL, "--workload: ./none.csv: cannot be opened"},
	{"arrivals", "gamma,shape=3", -EINVAL, "expected 'cv=...', found 'shape=3'"},
	{"arrivals", "closed,users=4", 1, NULL},
	{"arrivals", "closed,users=0", -EINVAL, "--arrivals: users"},
	{"arrivals", "burst,x=1", -EINVAL, "'burst' takes no settings, found 'x=1'"},
	{"arrivals", "uniform", -EINVAL, "found 'uniform'"},
	{"arrivals", "", -EINVAL, "--arrivals: expected poisson"},
	{"shuffle", NULL, 1, NULL},
	{"samples", "4", 1, NULL},
	{"samples", "0", -EINVAL, "--samples"},
	{"seed", "18446744073709551614", 1, NULL},
	{"seed", "-1", -EINVAL, "--seed"},
	{"seeds", "3:5", 1, NULL},
	{"seeds", "5:3", -EINVAL, "--seeds"},
	{"seeds", "5", -EINVAL, "--seeds: expected A:B"},
	{"model", "x", 0, NULL},
};

START_TEST(test_flags)
{
	struct quire_workload_args a = QUIRE_WORKLOAD_ARGS;

	ck_assert_int_eq(quire_workload_arg(&a, flags[_i].name, flags[_i].value), flags[_i].rc);
	if (flags[_i].sentence && !strstr(quire_failure(), flags[_i].sentence))
		ck_abort_msg("%s", quire_failure());
}
END_TEST

START_TEST(test_load)
{
	struct quire_workload_args a = QUIRE_WORKLOAD_ARGS;
	struct quire_workload w, again;

	ck_assert_int_eq(quire_workload_args_check(&a), -EINVAL);
	ck_assert_int_eq(quire_workload_arg(&a, "workload", "sharegpt_opt_2k"), 1);
	ck_assert_int_eq(quire_workload_args_check(&a), 0);
	ck_assert_int_eq(quire_workload_load(&a, 0, 0.0, &w), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "add --rate"));
	ck_assert_int_eq(quire_workload_arg(&a, "rate", "2"), 1);
	ck_assert_int_eq(quire_workload_arg(&a, "rate", "0.3"), 1);
	ck_assert_int_eq(quire_workload_arg(&a, "duration", "3600"), 1);
	ck_assert_uint_eq(a.rates_count, 2);
	ck_assert_int_eq(quire_workload_load(&a, 1, a.rates[1], &w), 0);
	ck_assert_uint_gt(w.count,
			  950); /* 1,080 +- 4 sigma: more than the preset's 1,000 if need be */
	ck_assert_uint_lt(w.count, 1210);
	ck_assert_uint_lt(w.requests[w.count - 1].arrival_ns, 3600000000000u);
	ck_assert_int_eq(quire_workload_load(&a, 1, a.rates[1], &again), 0);
	ck_assert_uint_eq(again.count, w.count);
	for (uint32_t i = 0; i < w.count; i++)
		if (again.requests[i].arrival_ns != w.requests[i].arrival_ns ||
		    again.requests[i].prompt_tokens != w.requests[i].prompt_tokens ||
		    again.output_tokens[i] != w.output_tokens[i])
			ck_abort_msg("request %u differs", i);
	quire_workload_free(&w);
	quire_workload_free(&again);
	ck_assert_int_eq(quire_workload_arg(&a, "trace", "x"), 1);
	ck_assert_int_eq(quire_workload_args_check(&a), -EINVAL);
}
END_TEST

/* Lengths from the command line; everything else is the same as for a file of lengths. */
START_TEST(test_synthetic)
{
	static const char name[] =
		"synthetic,prompt=uniform:10:30,output=exp:40,total=100,output_tokens_max=60";
	struct quire_workload_options o = {.requests = 5000, .seed = 2}, longer = o;
	struct quire_workload w, more;
	uint32_t at_cap = 0;

	longer.requests = 6000;
	ck_assert_int_eq(quire_workload_preset(&w, name, &o), 0);
	ck_assert_int_eq(quire_workload_preset(&more, name, &longer), 0);
	ck_assert_str_eq(w.name, name);
	ck_assert_str_eq(w.format, "synthetic");
	ck_assert(w.caps_known && !w.arrivals_known);
	ck_assert_uint_eq(w.count, 5000);
	for (uint32_t i = 0; i < w.count; i++) {
		const struct quire_request *r = &w.requests[i];

		if (r->prompt_tokens < 10 || r->prompt_tokens > 30 || w.output_tokens[i] > 60 ||
		    r->output_tokens_max != 60 || r->prompt_tokens + w.output_tokens[i] > 100)
			ck_abort_msg("request %u", i);
		if (r->prompt_tokens != more.requests[i].prompt_tokens ||
		    w.output_tokens[i] != more.output_tokens[i])
			ck_abort_msg("request %u of a longer one", i);
		at_cap += w.output_tokens[i] == 60;
	}
	ck_assert_double_eq_tol(at_cap, 5000 * exp(-1.5), 150); /* cut, not drawn again */
	quire_workload_free(&w);
	quire_workload_free(&more);
}
END_TEST

/* docs/formats.md: a built-in preset, said in words. */
START_TEST(test_synthetic_as_preset)
{
	struct quire_workload_options o = {.seed = 3};
	struct quire_workload a, b;

	ck_assert_int_eq(quire_workload_preset(&a, "anyscale_cb_1536", &o), 0);
	o.arrivals = QUIRE_ARRIVALS_BURST;
	ck_assert_int_eq(
		quire_workload_preset(
			&b, "synthetic,prompt=512,output=exp:128:max=1536,output_tokens_max=1536",
			&o),
		0);
	ck_assert_uint_eq(a.count, b.count);
	for (uint32_t i = 0; i < a.count; i++)
		if (a.requests[i].arrival_ns != b.requests[i].arrival_ns ||
		    a.requests[i].prompt_tokens != b.requests[i].prompt_tokens ||
		    a.requests[i].output_tokens_max != b.requests[i].output_tokens_max ||
		    a.output_tokens[i] != b.output_tokens[i])
			ck_abort_msg("request %u", i);
	quire_workload_free(&a);
	quire_workload_free(&b);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("workload");
	TCase *tests = tcase_create("workload");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, test_process, 0, COUNT(processes));
	tcase_add_test(tests, test_fixed);
	tcase_add_test(tests, test_burst_and_closed);
	tcase_add_test(tests, test_rescaled);
	tcase_add_test(tests, test_streams);
	tcase_add_test(tests, test_synthetic);
	tcase_add_test(tests, test_synthetic_as_preset);
	tcase_add_test(tests, test_shuffle);
	tcase_add_test(tests, test_shuffle_is_fair);
	tcase_add_test(tests, test_cuts);
	tcase_add_test(tests, test_refused);
	tcase_add_test(tests, test_own_rate);
	tcase_add_test(tests, test_stats);
	tcase_add_loop_test(tests, test_flags, 0, COUNT(flags));
	tcase_add_test(tests, test_load);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
