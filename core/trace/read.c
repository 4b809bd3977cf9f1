/*
 * read.c - a trace file becomes a workload.
 *
 * The first line tells the format; each line after it (in JSON lines, from it
 * on) is one request.  The first fault ends the reading: half a trace is never
 * taken for a whole one.
 */
#include "reader.h"

#include "core/util.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern const struct quire_format quire_format_quire, quire_format_azure, quire_format_burstgpt,
	quire_format_mooncake, quire_format_qwen, quire_format_vidur, quire_format_sharegpt,
	quire_format_clients;

static const struct quire_format *const formats[] = {
	&quire_format_quire, &quire_format_azure, &quire_format_burstgpt, &quire_format_mooncake,
	&quire_format_qwen,  &quire_format_vidur, &quire_format_sharegpt, NULL,
};

static int grow(void **array, uint32_t limit, size_t size)
{
	void *larger = realloc(*array, limit * size);

	if (!larger)
		return quire_fail(-ENOMEM, "no memory for %u requests", limit);
	*array = larger;
	return 0;
}

/* Make room for one more request. */
static int reserve(struct quire_reader *r)
{
	struct quire_workload *w = r->w;
	uint32_t limit = r->requests_limit ? 2 * r->requests_limit : 1024;
	int rc;

	if (w->count < r->requests_limit)
		return 0;
	if (limit < r->requests_limit)
		return quire_fail(-E2BIG, "%s: has more than 2^31 requests",
				  quire_lines_path(r->lines));
	rc = grow((void **)&w->requests, limit, sizeof(*w->requests));
	if (rc == 0)
		rc = grow((void **)&w->output_tokens, limit, sizeof(*w->output_tokens));
	if (rc == 0 && w->hash_tokens)
		rc = grow((void **)&w->hash_first, limit + 1, sizeof(*w->hash_first));
	if (rc < 0)
		return rc;
	if (w->hash_first && w->count == 0)
		w->hash_first[0] = 0;
	r->requests_limit = limit;
	return 0;
}

int quire_reader_hash(struct quire_reader *r, uint64_t hash)
{
	if (r->hashes_count == r->hashes_limit) {
		uint32_t limit = r->hashes_limit ? 2 * r->hashes_limit : 8192;
		int rc = limit < r->hashes_limit
				 ? quire_fail(-E2BIG, "%s: has more than 2^31 block hashes",
					      quire_lines_path(r->lines))
				 : grow((void **)&r->w->hashes, limit, sizeof(*r->w->hashes));

		if (rc < 0)
			return rc;
		r->hashes_limit = limit;
	}
	r->w->hashes[r->hashes_count++] = hash;
	return 0;
}

static int add(struct quire_reader *r, const struct quire_row *row)
{
	struct quire_workload *w = r->w;
	char found[32];

	if (row->left_out) {
		w->left_out++;
		r->hashes_count = w->hash_first ? w->hash_first[w->count] : 0;
		return 0;
	}
	if (row->output_tokens > row->output_tokens_max) {
		snprintf(found, sizeof(found), "%u", row->output_tokens_max);
		return quire_reader_wrong(r, found,
					  "output_tokens_max of at least output_tokens, %u",
					  row->output_tokens);
	}
	if (row->deadline_ns && (!row->arrival_known || row->deadline_ns < row->arrival_ns)) {
		snprintf(found, sizeof(found), "%.9g", (double)row->deadline_ns / 1e9);
		return quire_reader_wrong(r, found, "deadline_s not before an arrival_s");
	}
	w->requests[w->count] = (struct quire_request){
		.arrival_ns = row->arrival_ns,
		.deadline_ns = row->deadline_ns,
		.prompt_tokens = row->prompt_tokens,
		.output_tokens_max = row->output_tokens_max,
		.samples = 1,
		.client = row->client,
		.priority = row->priority,
	};
	w->output_tokens[w->count] = row->output_tokens;
	w->arrivals_known = row->arrival_known;
	if (row->output_tokens_max == UINT32_MAX)
		w->caps_known = false;
	w->count++;
	if (w->hash_first)
		w->hash_first[w->count] = r->hashes_count;
	return 0;
}

/* Which format begins with @line?  Return: 0, with @format; -EINVAL. */
static int recognise(struct quire_reader *r, const char *line, const struct quire_format **format)
{
	static const struct quire_format *const clients[] = {&quire_format_clients, NULL};
	const struct quire_format *other = NULL;
	char looks[640] = "";
	int rc;

	*format = NULL;
	for (size_t i = 0; formats[i]; i++) {
		if (!formats[i]->columns && formats[i]->is_first(line)) {
			*format = formats[i];
			return 0;
		}
		snprintf(looks + strlen(looks), sizeof(looks) - strlen(looks), "%s%s (%s)",
			 i ? ", " : "", formats[i]->looks, formats[i]->name);
	}
	rc = quire_csv_header(r, line, formats, format);
	if (rc == 0 && !*format && quire_csv_header(r, line, clients, &other) == 0 && other)
		return quire_fail(-EINVAL,
				  "%s: is a file of clients: give it to --workload, or to 'quire "
				  "trace generate'",
				  quire_lines_path(r->lines));
	if (rc == 0 && !*format)
		rc = quire_reader_wrong(r, line, "a trace that begins like one of %s", looks);
	return rc;
}

static bool is_blank(const char *line)
{
	return line[strspn(line, " \t")] == 0;
}

/* One request, of a line or of an object; NULL: it is the other. */
static int take(struct quire_reader *r, const struct quire_format *format, char *line,
		json_t *object)
{
	struct quire_row row = {.output_tokens_max = UINT32_MAX};
	int rc = reserve(r);

	if (rc == 0 && format->object && !object) {
		rc = quire_json_tree(r, line, &object);
		if (rc == 0)
			rc = format->object(r, object, &row);
		json_decref(object);
	} else if (rc == 0) {
		rc = format->columns  ? quire_csv_line(r, line, &row)
		     : format->object ? format->object(r, object, &row)
				      : format->line(r, line, &row);
	}
	return rc < 0 ? rc : add(r, &row);
}

static int read_array(struct quire_reader *r, const struct quire_format *format)
{
	json_t *object;
	int rc;

	while ((rc = quire_json_next(r, &object)) > 0) {
		rc = take(r, format, NULL, object);
		json_decref(object);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int read_lines(struct quire_reader *r, const struct quire_format **format)
{
	uint64_t blank = 0; /* the number of a blank line, which only the end may have */
	char *line;
	int rc;

	*format = NULL;
	while ((rc = quire_lines_next(r->lines, &line)) > 0) {
		if (is_blank(line)) {
			blank = blank ? blank : quire_lines_number(r->lines);
			continue;
		}
		if (blank)
			return quire_fail(-EINVAL,
					  "%s:%llu: expected a request, found a blank line",
					  quire_lines_path(r->lines), (unsigned long long)blank);
		if (!*format) {
			rc = recognise(r, line, format);
			if (rc < 0)
				return rc;
			r->w->hash_tokens = (*format)->hash_tokens;
			if ((*format)->columns)
				continue;
		}
		rc = take(r, *format, line, NULL);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int read_all(struct quire_reader *r, const struct quire_format **format)
{
	int rc = quire_lines_peek(r->lines);

	if (rc < 0)
		return rc;
	if (rc == '[') { /* the one format that may be an array */
		*format = &quire_format_sharegpt;
		rc = read_array(r, *format);
	} else {
		rc = read_lines(r, format);
	}
	if (rc == 0 && r->w->count == 0)
		return quire_fail(-EINVAL, "%s: expected a trace, found %s",
				  quire_lines_path(r->lines),
				  r->w->left_out       ? "no request that was answered"
				  : !*format	       ? "an empty file"
				  : (*format)->columns ? "a header without requests"
						       : "no requests");
	return rc;
}

/* Give back what doubling took too much; a failure to shrink does no harm. */
static void shrink(struct quire_reader *r)
{
	struct quire_workload *w = r->w;

	grow((void **)&w->requests, w->count, sizeof(*w->requests));
	grow((void **)&w->output_tokens, w->count, sizeof(*w->output_tokens));
	if (w->hash_first)
		grow((void **)&w->hash_first, w->count + 1, sizeof(*w->hash_first));
	if (r->hashes_count)
		grow((void **)&w->hashes, r->hashes_count, sizeof(*w->hashes));
}

static int finish(struct quire_reader *r, const struct quire_format *format)
{
	struct quire_workload *w = r->w;
	const char *path = quire_lines_path(r->lines), *slash = strrchr(path, '/');
	uint64_t first_ns, span_ns;
	int rc;

	shrink(r);
	if (r->hashes_count == 0) {
		free(w->hash_first);
		w->hash_first = NULL;
		w->hash_tokens = 0;
	}
	w->format = format->name;
	w->name = strdup(slash ? slash + 1 : path);
	if (!w->name)
		return quire_fail(-ENOMEM, "%s: no memory to read it", path);
	rc = quire_workload_sort(w);
	if (rc < 0)
		return rc;
	first_ns = w->requests[0].arrival_ns;
	for (uint32_t i = 0; format->from_earliest && i < w->count; i++)
		w->requests[i].arrival_ns -= first_ns;
	if (w->requests[w->count - 1].arrival_ns > QUIRE_ARRIVAL_MAX)
		return quire_fail(
			-EINVAL,
			"%s: expected arrivals within 10^9 s, found one more than 31 years "
			"behind the earliest",
			path);
	span_ns = w->requests[w->count - 1].arrival_ns - w->requests[0].arrival_ns;
	if (w->arrivals_known && span_ns > 0)
		w->rate = (double)(w->count - 1) / ((double)span_ns / 1e9);
	return 0;
}

int quire_workload_read(struct quire_workload *w, const char *path)
{
	struct quire_reader r = {.w = w};
	const struct quire_format *format;
	int rc = 0;

	*w = (struct quire_workload){.caps_known = true};
	r.lines = quire_lines_open(path, &rc);
	if (!r.lines)
		return rc;
	rc = read_all(&r, &format);
	if (rc == 0)
		rc = finish(&r, format);
	quire_lines_close(r.lines);
	free(r.names_index);
	if (rc < 0)
		quire_workload_free(w);
	return rc;
}
