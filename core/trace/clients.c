/*
 * clients.c - several clients in one workload, each with its own rate and lengths.
 *
 *	client,rate,prompt,output
 *	alice,1.5,256,256
 *	bob,3,lognormal:500:1.0,exp:128:max=1536
 *
 * A CSV with a row for each client:
 *	client			a name, which begins with a letter
 *	rate			requests/s
 *	prompt, output		lengths, as in dist.h
 *	arrivals		poisson (also if empty), fixed, "gamma,cv=2", "hyperexp,cv=2"
 *	output_tokens_max	the cap of all its requests; longer outputs are cut to it
 *	priority		of all its requests
 *	from_s, until_s		it sends from here until there; empty: from 0, for ever
 *
 * Each client draws from streams of its own, which have its name: what one does
 * never changes another one.  Requests of the same time stand in the order of rows.
 */
#include "preset.h"
#include "reader.h"

#include "core/util.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 1000u

/* What a row says; the core of csv.c sees its first member. */
struct client_row {
	struct quire_row row;
	struct quire_client client;
};

static struct quire_client *client_of(struct quire_row *row)
{
	return &((struct client_row *)row)->client;
}

static int in_column(const struct quire_reader *r, const char *column, int rc)
{
	return rc < 0 ? quire_fail(rc, "%s:%llu: %s: %s", quire_lines_path(r->lines),
				   (unsigned long long)quire_lines_number(r->lines), column,
				   quire_failure())
		      : 0;
}

static int name(struct quire_reader *r, const char *column, const char *text, struct quire_row *row)
{
	uint32_t known = r->w->clients_count;
	int rc = quire_reader_client(r, text, &row->client);

	(void)column;
	if (rc == 0 && row->client < known)
		return quire_reader_wrong(r, text, "each client once");
	return rc;
}

static int rate(struct quire_reader *r, const char *column, const char *text, struct quire_row *row)
{
	return in_column(r, column,
			 quire_parse_real("requests/s", text, 1e-6, 1e9, &client_of(row)->rate));
}

static int prompt(struct quire_reader *r, const char *column, const char *text,
		  struct quire_row *row)
{
	return in_column(r, column, quire_dist_parse(&client_of(row)->prompt, text));
}

static int output(struct quire_reader *r, const char *column, const char *text,
		  struct quire_row *row)
{
	return in_column(r, column, quire_dist_parse(&client_of(row)->output, text));
}

static int arrivals(struct quire_reader *r, const char *column, const char *text,
		    struct quire_row *row)
{
	struct quire_workload_options o = {.arrivals = QUIRE_ARRIVALS_POISSON};
	int rc = *text ? quire_arrivals_parse(&o, text) : 0;

	(void)column;
	if (rc < 0)
		return in_column(r, "", rc);
	if (o.arrivals == QUIRE_ARRIVALS_BURST || o.arrivals == QUIRE_ARRIVALS_CLOSED ||
	    o.arrivals == QUIRE_ARRIVALS_RESCALED)
		return quire_reader_wrong(r, text, "poisson, gamma, hyperexp or fixed");
	client_of(row)->arrivals = o.arrivals;
	client_of(row)->cv = o.cv;
	return 0;
}

static int output_tokens_max(struct quire_reader *r, const char *column, const char *text,
			     struct quire_row *row)
{
	uint64_t tokens = UINT32_MAX;
	int rc = *text ? quire_reader_count(r, column, text, 1, QUIRE_TOKENS_MAX, &tokens) : 0;

	client_of(row)->output_tokens_max = (uint32_t)tokens;
	return rc;
}

static int priority(struct quire_reader *r, const char *column, const char *text,
		    struct quire_row *row)
{
	bool minus = *text == '-';
	uint64_t number = 0;
	int rc = 0;

	if (*text)
		rc = quire_reader_count(r, column, text + minus, 0, INT32_MAX, &number);
	client_of(row)->priority = minus ? -(int32_t)number : (int32_t)number;
	return rc;
}

static int from_s(struct quire_reader *r, const char *column, const char *text,
		  struct quire_row *row)
{
	return *text ? in_column(r, column,
				 quire_parse_real("seconds", text, 0, 1e9, &client_of(row)->from_s))
		     : 0;
}

static int until_s(struct quire_reader *r, const char *column, const char *text,
		   struct quire_row *row)
{
	return *text ? in_column(
			       r, column,
			       quire_parse_real("seconds", text, 0, 1e9, &client_of(row)->until_s))
		     : 0;
}

static const struct quire_column columns[] = {
	{"client", name, true},	       {"rate", rate, true},
	{"prompt", prompt, true},      {"output", output, true},
	{"arrivals", arrivals, false}, {"output_tokens_max", output_tokens_max, false},
	{"priority", priority, false}, {"from_s", from_s, false},
	{"until_s", until_s, false},   {NULL, NULL, false},
};

const struct quire_format quire_format_clients = {
	.name = "clients csv",
	.looks = "client,rate,prompt,output",
	.columns = columns,
};

static int add(struct quire_reader *r, struct quire_preset *p, char *line)
{
	struct client_row row = {.client = {.arrivals = QUIRE_ARRIVALS_POISSON,
					    .output_tokens_max = UINT32_MAX,
					    .until_s = INFINITY}};
	struct quire_client *c = &row.client, *larger;
	int rc = quire_csv_line(r, line, &row.row);

	if (rc < 0)
		return rc;
	if (c->until_s <= c->from_s)
		return quire_reader_wrong(r, r->w->client_names[row.row.client],
					  "until_s behind from_s, of each client");
	if (p->clients_count == CLIENTS_MAX)
		return quire_fail(-EINVAL, "%s: more than %u clients", quire_lines_path(r->lines),
				  CLIENTS_MAX);
	larger = realloc(p->clients, (p->clients_count + 1) * sizeof(*larger));
	if (!larger)
		return quire_fail(-ENOMEM, "no memory for %u clients", p->clients_count);
	snprintf(c->name, sizeof(c->name), "%s", r->w->client_names[row.row.client]);
	p->clients = larger;
	p->clients[p->clients_count++] = *c;
	p->endless |= isinf(c->until_s);
	return 0;
}

static int read_rows(struct quire_reader *r, struct quire_preset *p)
{
	static const struct quire_format *const formats[] = {&quire_format_clients, NULL};
	const struct quire_format *format = NULL;
	char *line;
	int rc;

	while ((rc = quire_lines_next(r->lines, &line)) > 0) {
		if (!line[strspn(line, " \t")])
			continue;
		if (format) {
			rc = add(r, p, line);
		} else {
			rc = quire_csv_header(r, line, formats, &format);
			if (rc == 0 && !format)
				rc = quire_reader_wrong(r, line,
							"a file of clients, which begins like %s; "
							"a trace goes to --trace",
							formats[0]->looks);
		}
		if (rc < 0)
			return rc;
	}
	if (rc == 0 && !p->clients_count)
		rc = quire_fail(-EINVAL, "%s: expected clients, found none",
				quire_lines_path(r->lines));
	return rc;
}

int quire_clients_read(struct quire_preset *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct quire_workload names = {0}; /* only its names of clients */
	struct quire_reader r = {.w = &names};
	int rc = 0;

	*p = (struct quire_preset){.info = {slash ? slash + 1 : path, "clients"}, .count = 1000};
	r.lines = quire_lines_open(path, &rc);
	if (!r.lines)
		return rc;
	rc = read_rows(&r, p);
	quire_lines_close(r.lines);
	quire_workload_free(&names);
	free(r.names_index);
	if (rc < 0) {
		free(p->clients);
		p->clients = NULL;
	}
	return rc;
}

/* A client while it draws. */
struct sender {
	const struct quire_client *client;
	struct quire_rng arrivals, lengths;
	struct quire_dist gap_s;
	double next_s; /* INFINITY: it has ended */
};

static void advance(struct sender *s)
{
	s->next_s += quire_dist_draw(&s->gap_s, &s->arrivals);
	if (s->next_s >= s->client->until_s)
		s->next_s = INFINITY;
}

static void start(struct sender *s, const struct quire_client *c, uint64_t seed)
{
	char stream[sizeof(c->name) + 16];

	*s = (struct sender){.client = c,
			     .gap_s = quire_arrivals_gap(c->arrivals, c->cv, c->rate),
			     .next_s = c->from_s};
	snprintf(stream, sizeof(stream), "arrivals of %s", c->name);
	quire_rng_seed(&s->arrivals, seed, stream);
	snprintf(stream, sizeof(stream), "lengths of %s", c->name);
	quire_rng_seed(&s->lengths, seed, stream);
	advance(s);
}

static int draw(struct quire_workload *w, uint32_t i, struct sender *s, uint32_t client)
{
	const struct quire_client *c = s->client;
	uint32_t prompt_tokens = quire_dist_tokens(&c->prompt, &s->lengths);
	uint32_t output_tokens = quire_dist_tokens(&c->output, &s->lengths);

	if (s->next_s > 1e9)
		return quire_fail(-EINVAL,
				  "%s: request %u of '%s' would arrive after more than 10^9 s",
				  w->name, i + 1, c->name);
	w->requests[i] = (struct quire_request){
		.id = i,
		.arrival_ns = (uint64_t)(s->next_s * 1e9 + 0.5),
		.prompt_tokens = prompt_tokens,
		.output_tokens_max = c->output_tokens_max,
		.samples = 1,
		.client = client,
		.priority = c->priority,
	};
	w->output_tokens[i] =
		output_tokens < c->output_tokens_max ? output_tokens : c->output_tokens_max;
	advance(s);
	return 0;
}

static int copy_names(struct quire_workload *w, const struct quire_preset *p)
{
	if (w->client_names)
		return 0; /* by an earlier, shorter draw */
	w->client_names = calloc(p->clients_count, sizeof(*w->client_names));
	if (!w->client_names)
		return quire_fail(-ENOMEM, "no memory for %u clients", p->clients_count);
	w->clients_count = p->clients_count;
	for (uint32_t i = 0; i < p->clients_count; i++) {
		w->client_names[i] = strdup(p->clients[i].name);
		if (!w->client_names[i])
			return quire_fail(-ENOMEM, "no memory for %u clients", p->clients_count);
	}
	return 0;
}

int quire_clients_draw(struct quire_workload *w, const struct quire_preset *p, uint64_t seed)
{
	struct sender *senders = calloc(p->clients_count, sizeof(*senders));
	uint32_t i = 0;
	int rc = senders ? copy_names(w, p) : quire_fail(-ENOMEM, "no memory for clients");
	uint64_t span_ns;

	for (uint32_t k = 0; k < p->clients_count && rc == 0; k++)
		start(&senders[k], &p->clients[k], seed);
	while (rc == 0 && i < w->count) {
		uint32_t first = 0;

		for (uint32_t k = 1; k < p->clients_count; k++)
			if (senders[k].next_s < senders[first].next_s)
				first = k;
		if (isinf(senders[first].next_s))
			break;
		rc = draw(w, i++, &senders[first], first);
	}
	free(senders);
	if (rc < 0)
		return rc;
	w->count = i;
	if (i == 0)
		return quire_fail(-EINVAL, "%s: no client sends anything before its until_s",
				  w->name);
	w->arrivals_known = true;
	span_ns = w->requests[i - 1].arrival_ns - w->requests[0].arrival_ns;
	w->rate = span_ns ? (double)(i - 1) / ((double)span_ns / 1e9) : 0.0;
	return 0;
}
