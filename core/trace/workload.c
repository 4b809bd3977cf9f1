/*
 * workload.c - what the command line does to a workload: order, shuffle, cut,
 * samples; and writing it down.  Arrival times are in arrivals.c.
 */
#include "workload.h"

#include "core/util.h"
#include "rng.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct place {
	uint64_t arrival_ns;
	uint32_t from;
};

static int earlier(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->arrival_ns != y->arrival_ns)
		return x->arrival_ns < y->arrival_ns ? -1 : 1;
	return x->from < y->from ? -1 : 1; /* stable */
}

/* Put request @places[i].from, with all that belongs to it, at place i. */
static int reorder(struct quire_workload *w, const struct place *places)
{
	struct quire_request *requests = malloc(w->count * sizeof(*requests));
	uint32_t *outputs = malloc(w->count * sizeof(*outputs));
	uint32_t *hash_first = NULL;
	uint64_t *hashes = NULL;

	if (w->hash_first) {
		hash_first = malloc((w->count + 1) * sizeof(*hash_first));
		hashes = malloc(w->hash_first[w->count] * sizeof(*hashes));
	}
	if (!requests || !outputs || (w->hash_first && (!hash_first || !hashes))) {
		free(requests);
		free(outputs);
		free(hash_first);
		free(hashes);
		return quire_fail(-ENOMEM, "no memory for %u requests", w->count);
	}
	if (hash_first)
		hash_first[0] = 0;
	for (uint32_t i = 0; i < w->count; i++) {
		uint32_t from = places[i].from;

		requests[i] = w->requests[from];
		outputs[i] = w->output_tokens[from];
		if (hash_first) {
			uint32_t count = w->hash_first[from + 1] - w->hash_first[from];

			memcpy(hashes + hash_first[i], w->hashes + w->hash_first[from],
			       count * sizeof(*hashes));
			hash_first[i + 1] = hash_first[i] + count;
		}
	}
	free(w->requests);
	free(w->output_tokens);
	free(w->hash_first);
	free(w->hashes);
	w->requests = requests;
	w->output_tokens = outputs;
	w->hash_first = hash_first;
	w->hashes = hashes;
	return 0;
}

int quire_workload_sort(struct quire_workload *w)
{
	struct place *places;
	bool sorted = true;
	int rc = 0;

	for (uint32_t i = 1; i < w->count && sorted; i++)
		sorted = w->requests[i - 1].arrival_ns <= w->requests[i].arrival_ns;
	if (!sorted) {
		places = malloc(w->count * sizeof(*places));
		if (!places)
			return quire_fail(-ENOMEM, "no memory for %u requests", w->count);
		for (uint32_t i = 0; i < w->count; i++)
			places[i] = (struct place){w->requests[i].arrival_ns, i};
		qsort(places, w->count, sizeof(*places), earlier);
		rc = reorder(w, places);
		free(places);
	}
	for (uint32_t i = 0; i < w->count; i++)
		w->requests[i].id = i;
	return rc;
}

/* Other requests at the same arrival times.  A deadline keeps its distance. */
static int shuffle(struct quire_workload *w, uint64_t seed)
{
	struct place *places = malloc(w->count * sizeof(*places));
	struct quire_rng rng;
	int rc;

	if (!places)
		return quire_fail(-ENOMEM, "no memory for %u requests", w->count);
	for (uint32_t i = 0; i < w->count; i++)
		places[i] = (struct place){w->requests[i].arrival_ns, i};
	quire_rng_seed(&rng, seed, "shuffle");
	for (uint32_t i = w->count; i > 1; i--) {
		uint32_t j = quire_rng_below(&rng, i), from = places[i - 1].from;

		places[i - 1].from = places[j].from;
		places[j].from = from;
	}
	rc = reorder(w, places);
	for (uint32_t i = 0; i < w->count && rc == 0; i++) {
		struct quire_request *request = &w->requests[i];

		if (request->deadline_ns)
			request->deadline_ns += places[i].arrival_ns - request->arrival_ns;
		request->arrival_ns = places[i].arrival_ns;
		request->id = i;
	}
	free(places);
	return rc;
}

static int cut(struct quire_workload *w, const struct quire_workload_options *o)
{
	if (o->requests && o->requests < w->count)
		w->count = (uint32_t)o->requests;
	if (o->duration_s <= 0.0)
		return 0;
	if (w->closed_users)
		return quire_fail(-EINVAL, "--duration: in a closed loop nobody knows beforehand "
					   "when a request arrives; give --requests instead");
	if (!w->arrivals_known)
		return quire_fail(-EINVAL, "--duration: %s has no arrival times; add --rate",
				  w->name);
	if ((double)w->requests[0].arrival_ns >= o->duration_s * 1e9)
		return quire_fail(
			-EINVAL,
			"--duration: nothing arrives in the first %g s; the first request "
			"of %s comes at %g s",
			o->duration_s, w->name, (double)w->requests[0].arrival_ns / 1e9);
	while ((double)w->requests[w->count - 1].arrival_ns >= o->duration_s * 1e9)
		w->count--;
	return 0;
}

int quire_workload_apply(struct quire_workload *w, const struct quire_workload_options *o)
{
	int rc = quire_workload_retime(w, o);

	if (rc == 0 && o->shuffle)
		rc = shuffle(w, o->seed);
	if (rc == 0)
		rc = cut(w, o);
	if (rc == 0 && o->samples > 1 && o->beams > 1)
		rc = quire_fail(-EINVAL, "--samples and --beams: one of them only");
	for (uint32_t i = 0; i < w->count && o->samples && rc == 0; i++)
		w->requests[i].samples = o->samples;
	for (uint32_t i = 0; i < w->count && o->beams && rc == 0; i++) {
		w->requests[i].beams = o->beams;
		w->requests[i].samples = 1;
	}
	return rc;
}

/* Seconds to the nanosecond, without zeros that say nothing. */
static void print_s(FILE *out, uint64_t ns)
{
	char fraction[16];
	size_t length = 9;

	snprintf(fraction, sizeof(fraction), "%09llu", (unsigned long long)(ns % 1000000000u));
	while (length > 0 && fraction[length - 1] == '0')
		length--;
	fprintf(out, "%llu%s%.*s", (unsigned long long)(ns / 1000000000u), length ? "." : "",
		(int)length, fraction);
}

int quire_workload_write(const struct quire_workload *w, FILE *out)
{
	bool arrivals = w->arrivals_known && !w->closed_users;
	bool clients = false, priorities = false, deadlines = false, caps = false;

	for (uint32_t i = 0; i < w->count; i++) {
		clients |= w->requests[i].client != 0 || w->client_names;
		priorities |= w->requests[i].priority != 0;
		deadlines |= w->requests[i].deadline_ns != 0;
		caps |= w->requests[i].output_tokens_max != UINT32_MAX;
	}
	fprintf(out, "%sprompt_tokens,output_tokens%s%s%s%s\n", arrivals ? "arrival_s," : "",
		clients ? ",client" : "", priorities ? ",priority" : "",
		deadlines ? ",deadline_s" : "", caps ? ",output_tokens_max" : "");
	for (uint32_t i = 0; i < w->count; i++) {
		const struct quire_request *request = &w->requests[i];

		if (arrivals) {
			print_s(out, request->arrival_ns);
			putc(',', out);
		}
		fprintf(out, "%u,%u", request->prompt_tokens, w->output_tokens[i]);
		if (clients && w->client_names)
			fprintf(out, ",%s", w->client_names[request->client]);
		else if (clients)
			fprintf(out, ",%u", request->client);
		if (priorities)
			fprintf(out, ",%d", request->priority);
		if (deadlines)
			putc(',', out);
		if (request->deadline_ns)
			print_s(out, request->deadline_ns);
		if (caps)
			putc(',', out);
		if (request->output_tokens_max != UINT32_MAX)
			fprintf(out, "%u", request->output_tokens_max);
		putc('\n', out);
	}
	if (fflush(out) || ferror(out))
		return quire_fail(-EIO, "the workload cannot be written: %s", strerror(errno));
	return 0;
}

void quire_workload_free(struct quire_workload *w)
{
	free(w->name);
	free(w->requests);
	free(w->output_tokens);
	free(w->hashes);
	free(w->hash_first);
	for (uint32_t i = 0; i < w->clients_count; i++)
		free(w->client_names[i]);
	free(w->client_names);
	*w = (struct quire_workload){0};
}
