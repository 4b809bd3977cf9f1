/*
 * report.c - from the sums that the loop folded to the figures of a report.
 */
#include "report.h"

#include "series.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct quire_spread no_values = {NAN, NAN, NAN, NAN, NAN, NAN};

void quire_report_init(struct quire_report *r, const struct quire_settings *settings)
{
	*r = (struct quire_report){
		.config = *settings,
		.end = QUIRE_RUN_FINISHED,
		.time_s = NAN,
		.sequences_mean = NAN,
		.tokens_mean = NAN,
		.requests_per_s = NAN,
		.prompt_tokens_per_s = NAN,
		.output_tokens_per_s = NAN,
		.goodput_requests_per_s = NAN,
		.goodput_share = NAN,
		.ttft_s = no_values,
		.tpot_s = no_values,
		.itl_s = no_values,
		.e2e_s = no_values,
		.queue_s = no_values,
		.normalized_latency_s = no_values,
		.token_states = NAN,
		.reserved = NAN,
		.internal = NAN,
		.external = NAN,
		.rounding = NAN,
		.free = NAN,
		.largest_free_run = NAN,
		.shared_saved = NAN,
	};
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Which of n sorted values is the percentile, from 1. */
static size_t nearest_rank(size_t n, unsigned int percent)
{
	return n / 100 * percent + (n % 100 * percent + 99) / 100;
}

void quire_spread_make(struct quire_spread *s, double *values, size_t count)
{
	double sum = 0;

	*s = no_values;
	if (!count)
		return;
	qsort(values, count, sizeof(*values), compare);
	for (size_t i = 0; i < count; i++)
		sum += values[i];
	s->mean = sum / (double)count;
	s->p50 = values[nearest_rank(count, 50) - 1];
	s->p90 = values[nearest_rank(count, 90) - 1];
	s->p95 = values[nearest_rank(count, 95) - 1];
	s->p99 = values[nearest_rank(count, 99) - 1];
	s->max = values[count - 1];
}

void quire_spread_histogram(struct quire_spread *s, const struct quire_histogram *h)
{
	static const unsigned int percent[] = {50, 90, 95, 99};
	double *const out[] = {&s->p50, &s->p90, &s->p95, &s->p99};
	const uint32_t buckets = sizeof(h->bucket) / sizeof(*h->bucket);
	uint64_t below = 0; /* values in the buckets before b */
	uint32_t next = 0;  /* of percent[] */

	*s = no_values;
	if (!h->count)
		return;
	for (uint32_t b = 0; b < buckets && next < 4; b++) {
		below += h->bucket[b];
		for (; next < 4 && below >= nearest_rank(h->count, percent[next]); next++)
			*out[next] = fmin(quire_histogram_value(b), (double)h->max_ns) / 1e9;
	}
	s->mean = (double)h->sum_ns / (double)h->count / 1e9;
	s->max = (double)h->max_ns / 1e9;
}

bool quire_report_saturated(const struct quire_metrics *m)
{
	double waiting[4], n = m->requests_count;
	const struct quire_outcome *o = m->outcomes;

	for (uint32_t q = 0; q < 4; q++) {
		/* request i is in quarter i * 4 / n */
		uint64_t begin = ((uint64_t)m->requests_count * q + 3) / 4;
		uint64_t end = ((uint64_t)m->requests_count * (q + 1) + 3) / 4;

		if (!m->queue_count[q] || end == begin ||
		    o[begin].arrival_ns >= o[end - 1].arrival_ns)
			return false; /* at once, or not there */
		waiting[q] = (double)m->queue_sum[q] / (double)m->queue_count[q];
	}
	return waiting[1] < waiting[2] && waiting[2] < waiting[3] &&
	       waiting[3] >= 1.5 * waiting[1] && waiting[3] >= fmax(16, 2 * sqrt(n));
}

static double seconds_between(uint64_t from_ns, uint64_t until_ns)
{
	return ((double)until_ns - (double)from_ns) / 1e9;
}

enum { TTFT, TPOT, E2E, QUEUE, NORMALIZED, LATENCIES };

struct samples {
	double *values;	       /* owned */
	double *at[LATENCIES]; /* each [requests_count] */
	size_t count[LATENCIES];
	size_t arrived; /* in the window */
	size_t good;	/* of those, finished within the SLO */
};

static void add(struct samples *s, uint32_t which, double value)
{
	if (!isnan(value))
		s->at[which][s->count[which]++] = value;
}

struct quire_request_times quire_request_times(const struct quire_outcome *o, uint32_t samples)
{
	struct quire_request_times t = {NAN, NAN, NAN, NAN, NAN};
	double output;

	if (!o->first_token_ns)
		return t;
	t.ttft_s = seconds_between(o->arrival_ns, o->first_token_ns);
	t.queue_s = seconds_between(o->arrival_ns, o->first_scheduled_ns);
	if (!o->finish_ns || o->refused)
		return t;
	t.e2e_s = seconds_between(o->arrival_ns, o->finish_ns);
	output = (double)o->output_tokens / samples;
	t.normalized_latency_s = t.e2e_s / output;
	if (output > 1)
		t.tpot_s = (t.e2e_s - t.ttft_s) / (output - 1);
	return t;
}

static void add_request(struct samples *s, const struct quire_settings *slo,
			const struct quire_outcome *o, uint32_t samples)
{
	const struct quire_request_times t = quire_request_times(o, samples);

	add(s, TTFT, t.ttft_s);
	add(s, QUEUE, t.queue_s);
	add(s, E2E, t.e2e_s);
	add(s, NORMALIZED, t.normalized_latency_s);
	add(s, TPOT, t.tpot_s);
	s->good += !isnan(t.e2e_s) && (slo->slo_ttft_s <= 0 || t.ttft_s <= slo->slo_ttft_s) &&
		   (slo->slo_tpot_s <= 0 || isnan(t.tpot_s) || t.tpot_s <= slo->slo_tpot_s);
}

/* The latencies of all requests of the window. */
static int samples_make(struct samples *s, const struct quire_settings *slo,
			const struct quire_metrics *m, const struct quire_request *requests)
{
	double *values = calloc((size_t)m->requests_count + 1, LATENCIES * sizeof(*values));

	if (!values)
		return quire_fail(-ENOMEM, "no memory for the report of %u requests",
				  m->requests_count);
	*s = (struct samples){.values = values};
	for (size_t i = 0; i < LATENCIES; i++)
		s->at[i] = values + i * m->requests_count;
	for (uint32_t i = 0; i < m->requests_count; i++) {
		if (i >= m->arrived && !m->outcomes[i].finish_ns)
			break; /* the run ended before it came */
		if (!quire_in_window(m, m->outcomes[i].arrival_ns))
			continue;
		s->arrived++;
		add_request(s, slo, &m->outcomes[i],
			    requests[i].beams > 1 ? requests[i].beams : requests[i].samples);
	}
	return 0;
}

static void make_latency(struct quire_report *r, const struct quire_metrics *m, struct samples *s,
			 double window_s)
{
	quire_spread_make(&r->ttft_s, s->at[TTFT], s->count[TTFT]);
	quire_spread_make(&r->tpot_s, s->at[TPOT], s->count[TPOT]);
	quire_spread_make(&r->e2e_s, s->at[E2E], s->count[E2E]);
	quire_spread_make(&r->queue_s, s->at[QUEUE], s->count[QUEUE]);
	quire_spread_make(&r->normalized_latency_s, s->at[NORMALIZED], s->count[NORMALIZED]);
	quire_spread_histogram(&r->itl_s, &m->itl);
	if (r->config.slo_ttft_s > 0 || r->config.slo_tpot_s > 0) {
		r->goodput_requests_per_s = window_s > 0 ? (double)s->good / window_s : NAN;
		r->goodput_share = s->arrived ? (double)s->good / (double)s->arrived : NAN;
	}
}

/* All sums are whole numbers of slots, so that nothing held is exactly 0. */
static void make_memory(struct quire_report *r, const struct quire_metrics *m)
{
	uint64_t inside = m->token_states_sum + m->reserved_sum + m->internal_sum;
	double steps = (double)m->window_steps;
	double slots = steps * (double)m->slots_total;

	r->sequences_mean = (double)m->seqs_sum / steps;
	r->tokens_mean = (double)m->tokens_sum / steps;
	r->token_states = (double)m->token_states_sum / slots;
	r->reserved = (double)m->reserved_sum / slots;
	r->internal = (double)m->internal_sum / slots;
	r->external = (slots - (double)inside) / slots;
	r->rounding = (double)m->rounding_sum / slots;
	r->free = (double)m->free_sum / slots;
	r->largest_free_run = (double)m->largest_sum / slots;
	r->shared_saved = m->shared_sum > steps ? 1 - steps / m->shared_sum : 0;
}

int quire_report_make(struct quire_report *r, const struct quire_metrics *m,
		      const struct quire_request *requests)
{
	uint64_t until_ns = m->window_until_ns < m->end_ns ? m->window_until_ns : m->end_ns;
	double window_s =
		until_ns > m->window_from_ns ? seconds_between(m->window_from_ns, until_ns) : 0;
	struct samples s;
	int rc = samples_make(&s, &r->config, m, requests);

	if (rc)
		return rc;
	r->arrived = m->arrived;
	r->finished = m->finished;
	r->refused = m->refused;
	for (uint32_t i = 0; i < m->requests_count; i++)
		if (m->outcomes[i].refused && m->outcomes[i].refused < QUIRE_REFUSED_COUNT)
			r->refusals[m->outcomes[i].refused]++;
	r->time_s = (double)m->end_ns / 1e9;
	r->saturated = !r->config.closed_users && quire_report_saturated(m);
	r->steps = m->window_steps;
	if (window_s > 0) {
		r->requests_per_s = (double)m->requests_done / window_s;
		r->prompt_tokens_per_s = (double)m->prompt_tokens / window_s;
		r->output_tokens_per_s = (double)m->output_tokens / window_s;
	}
	make_latency(r, m, &s, window_s);
	if (m->window_steps && m->slots_total)
		make_memory(r, m);
	r->preemptions = m->preemptions;
	r->copies = m->copies;
	r->copied_slots = m->copied_slots;
	r->forks = m->forks;
	r->recomputed_tokens = m->recomputed_tokens;
	r->digest = m->digest;
	r->oracle = m->end_asked;
	memcpy(r->faults, m->faults, sizeof(r->faults));
	free(s.values);
	return quire_report_clients(r, m, requests, window_s);
}

int quire_plot_latencies(struct quire_plot *plot, const struct quire_metrics *m,
			 const struct quire_request *requests)
{
	static const struct quire_settings no_slo;
	const struct {
		struct quire_quantiles *to;
		uint32_t which;
	} curve[] = {{&plot->ttft_s, TTFT},
		     {&plot->tpot_s, TPOT},
		     {&plot->e2e_s, E2E},
		     {&plot->normalized_latency_s, NORMALIZED}};
	struct samples s;
	int rc = samples_make(&s, &no_slo, m, requests);

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(curve) / sizeof(*curve); i++) {
		qsort(s.at[curve[i].which], s.count[curve[i].which], sizeof(double), compare);
		quire_quantiles_make(curve[i].to, s.at[curve[i].which], s.count[curve[i].which]);
	}
	free(s.values);
	return 0;
}

/* A cell of the CSV; empty for what never happened. */
static void write_time(FILE *out, bool happened, uint64_t ns)
{
	fputc(',', out);
	if (happened)
		fprintf(out, "%llu.%09llu", (unsigned long long)(ns / 1000000000u),
			(unsigned long long)(ns % 1000000000u));
}

int quire_report_csv(FILE *out, const struct quire_metrics *m, const struct quire_request *requests)
{
	fputs("id,arrival_s,prompt_tokens,output_tokens,first_scheduled_s,first_token_s,finish_s,"
	      "preemptions\n",
	      out);
	for (uint32_t i = 0; i < m->requests_count; i++) {
		const struct quire_outcome *o = &m->outcomes[i];
		bool started = o->first_scheduled_ns || o->first_token_ns;

		fprintf(out, "%llu", (unsigned long long)requests[i].id);
		write_time(out, true, o->arrival_ns);
		fprintf(out, ",%u,%u", requests[i].prompt_tokens, o->output_tokens);
		write_time(out, started, o->first_scheduled_ns);
		write_time(out, o->first_token_ns, o->first_token_ns);
		write_time(out, o->finish_ns && !o->refused, o->finish_ns);
		fprintf(out, ",%u\n", o->preemptions);
	}
	return ferror(out) ? quire_fail(-EIO, "cannot write the CSV: %s", strerror(errno)) : 0;
}

bool quire_report_pool_limits(const struct quire_report *r, size_t refusal)
{
	return refusal == QUIRE_REFUSED_MODEL_LEN && r->config.max_model_len == r->config.kv_slots;
}

bool quire_report_sound(const struct quire_report *r)
{
	const double shares[] = {r->token_states, r->reserved, r->internal, r->external};
	double sum = 0;

	if (r->end == QUIRE_RUN_FAILED)
		return true; /* it has none */
	if (r->end > QUIRE_RUN_EJECTED || r->finished + r->refused > r->arrived ||
	    r->arrived > r->config.requests || !(r->time_s >= 0))
		return false;
	if (r->end == QUIRE_RUN_FINISHED && r->finished + r->refused != r->config.requests)
		return false;
	for (int i = 0; i < 4; i++) {
		if (!isnan(shares[i]) && (shares[i] < -1e-9 || shares[i] > 1 + 1e-9))
			return false;
		sum += shares[i];
	}
	return isnan(sum) || fabs(sum - 1) < 1e-6;
}
