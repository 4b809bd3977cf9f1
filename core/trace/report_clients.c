/*
 * report_clients.c - what each client of a run got, for studies of fairness.
 */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The requests of one client: sorted[first, first + count). */
struct group {
	uint32_t client;
	uint32_t first, count;
};

/* A request, as far as its order goes. */
struct place {
	uint32_t client, request;
};

static int by_client(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	return x->request < y->request ? -1 : 1;
}

static int most_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->client < y->client ? -1 : 1;
}

static int by_id(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->client < y->client ? -1 : 1;
}

/* The requests that arrived in the window, by client.  Return: how many. */
static uint32_t collect(struct place *sorted, const struct quire_metrics *m,
			const struct quire_request *requests)
{
	uint32_t count = 0;
	bool ordered = true;

	for (uint32_t i = 0; i < m->requests_count; i++) {
		if (i >= m->arrived && !m->outcomes[i].finish_ns)
			break; /* the run ended before it came */
		if (!quire_in_window(m, m->outcomes[i].arrival_ns))
			continue;
		ordered &= count == 0 || sorted[count - 1].client <= requests[i].client;
		sorted[count++] = (struct place){requests[i].client, i};
	}
	if (!ordered)
		qsort(sorted, count, sizeof(*sorted), by_client);
	return count;
}

/* Return: how many groups; groups [count of requests] has room for all. */
static uint32_t make_groups(struct group *groups, const struct place *sorted, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (n == 0 || groups[n - 1].client != sorted[i].client)
			groups[n++] = (struct group){sorted[i].client, i, 0};
		groups[n - 1].count++;
	}
	return n;
}

static double seconds_between(uint64_t from_ns, uint64_t until_ns)
{
	return ((double)until_ns - (double)from_ns) / 1e9;
}

/* @values [2 * group->count] scratch */
static void describe(struct quire_client_figures *c, const struct group *group,
		     const struct place *sorted, const struct quire_metrics *m, double *values,
		     double window_s)
{
	double *ttft = values, *e2e = values + group->count;
	size_t ttft_count = 0, e2e_count = 0;
	uint64_t output_tokens = 0;

	*c = (struct quire_client_figures){.id = group->client, .requests = group->count};
	for (uint32_t i = 0; i < group->count; i++) {
		const struct quire_outcome *o = &m->outcomes[sorted[group->first + i].request];

		output_tokens += o->output_tokens;
		if (!o->first_token_ns)
			continue;
		ttft[ttft_count++] = seconds_between(o->arrival_ns, o->first_token_ns);
		if (o->finish_ns && !o->refused)
			e2e[e2e_count++] = seconds_between(o->arrival_ns, o->finish_ns);
	}
	quire_spread_make(&c->ttft_s, ttft, ttft_count);
	quire_spread_make(&c->e2e_s, e2e, e2e_count);
	c->output_tokens_per_s = window_s > 0 ? (double)output_tokens / window_s : 0.0;
}

static bool one_client(const struct quire_metrics *m, const struct quire_request *requests)
{
	for (uint32_t i = 1; i < m->requests_count; i++)
		if (requests[i].client != requests[0].client)
			return false;
	return true;
}

int quire_report_clients(struct quire_report *r, const struct quire_metrics *m,
			 const struct quire_request *requests, double window_s)
{
	struct place *sorted;
	struct group *groups;
	double *values;
	uint32_t count, shown;
	int rc = 0;

	r->clients_count = 0;
	if (one_client(m, requests))
		return 0;
	sorted = malloc(m->requests_count * sizeof(*sorted));
	groups = malloc(m->requests_count * sizeof(*groups));
	values = malloc((size_t)m->requests_count * 2 * sizeof(*values));
	if (!sorted || !groups || !values) {
		rc = quire_fail(-ENOMEM, "no memory for the report of %u requests",
				m->requests_count);
		goto out_free;
	}
	count = make_groups(groups, sorted, collect(sorted, m, requests));
	if (count < 2)
		goto out_free;
	r->clients_count = shown = count;
	if (shown > QUIRE_REPORT_CLIENTS_MAX) {
		shown = QUIRE_REPORT_CLIENTS_MAX;
		qsort(groups, count, sizeof(*groups), most_first);
		qsort(groups, shown, sizeof(*groups), by_id);
	}
	for (uint32_t i = 0; i < shown; i++)
		describe(&r->clients[i], &groups[i], sorted, m, values, window_s);
out_free:
	free(values);
	free(groups);
	free(sorted);
	return rc;
}

void quire_report_name_clients(struct quire_report *r, char *const *names, uint32_t count)
{
	for (uint32_t i = 0; i < r->clients_count && i < QUIRE_REPORT_CLIENTS_MAX; i++)
		if (r->clients[i].id < count)
			snprintf(r->clients[i].name, sizeof(r->clients[i].name), "%s",
				 names[r->clients[i].id]);
}
