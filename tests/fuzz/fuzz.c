/*
 * fuzz.c - see fuzz.h.
 */
#define _GNU_SOURCE /* memfd_create() */

#include "fuzz.h"

#include "core/trace/stats.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void fuzz_fail(const char *format, ...)
{
	va_list args;

	fputs("fuzz: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nfuzz: the last sentence was: %s\n", quire_failure());
	abort();
}

const char *fuzz_file(const char *head, const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;
	size_t head_size = strlen(head);

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, head, head_size, 0) != (ssize_t)head_size ||
	    pwrite(fd, data, size, (off_t)head_size) != (ssize_t)size)
		fuzz_fail("no file in memory: %s", strerror(errno));
	return path;
}

const char *fuzz_text(const uint8_t *data, size_t size)
{
	static char text[1 << 16];

	size = size < sizeof(text) ? size : sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

void fuzz_check_failure(int rc)
{
	const char *sentence = quire_failure();

	if (rc >= 0)
		fuzz_fail("failed with %d", rc);
	if (!*sentence || strchr(sentence, '\n'))
		fuzz_fail("no sentence, or several lines");
}

static void check_requests(const struct quire_workload *w)
{
	if (!w->name || !w->format || w->count == 0)
		fuzz_fail("no name, no format or no requests");
	for (uint32_t i = 0; i < w->count; i++) {
		const struct quire_request *r = &w->requests[i];

		if (r->id != i || r->prompt_tokens < 1 || w->output_tokens[i] < 1 ||
		    r->output_tokens_max < w->output_tokens[i] || r->samples < 1 ||
		    (i && r->arrival_ns < r[-1].arrival_ns) ||
		    (r->deadline_ns && r->deadline_ns < r->arrival_ns) ||
		    (w->client_names && r->client >= w->clients_count))
			fuzz_fail("request %u", i);
		if (w->hash_first && w->hash_first[i] > w->hash_first[i + 1])
			fuzz_fail("hashes of request %u", i);
	}
}

static bool same_client(const struct quire_workload *a, const struct quire_workload *b, uint32_t i)
{
	uint32_t x = a->requests[i].client, y = b->requests[i].client;

	if (!a->client_names || !b->client_names)
		return !a->client_names && !b->client_names && x == y;
	return !strcmp(a->client_names[x], b->client_names[y]);
}

static void check_same(const struct quire_workload *a, const struct quire_workload *b)
{
	if (a->count != b->count || a->arrivals_known != b->arrivals_known)
		fuzz_fail("written and read: %u requests became %u", a->count, b->count);
	for (uint32_t i = 0; i < a->count; i++) {
		const struct quire_request *x = &a->requests[i], *y = &b->requests[i];

		if (x->arrival_ns != y->arrival_ns || x->deadline_ns != y->deadline_ns ||
		    x->prompt_tokens != y->prompt_tokens ||
		    x->output_tokens_max != y->output_tokens_max || x->priority != y->priority ||
		    a->output_tokens[i] != b->output_tokens[i] || !same_client(a, b, i))
			fuzz_fail("written and read: request %u at %llu ns, %u + %u tokens, became "
				  "one at %llu ns, %u + %u",
				  i, (unsigned long long)x->arrival_ns, x->prompt_tokens,
				  a->output_tokens[i], (unsigned long long)y->arrival_ns,
				  y->prompt_tokens, b->output_tokens[i]);
	}
}

void fuzz_check_workload(struct quire_workload *w)
{
	struct quire_workload_options o = {.rate = 5.0, .arrivals = QUIRE_ARRIVALS_RESCALED};
	struct quire_workload_stats stats;
	struct quire_workload again;
	char *csv = NULL;
	size_t size = 0;
	FILE *out;
	int rc;

	check_requests(w);
	if (quire_workload_stats(&stats, w))
		fuzz_fail("no figures");
	out = open_memstream(&csv, &size);
	if (!out || quire_workload_write(w, out) || fclose(out))
		fuzz_fail("cannot be written");
	rc = quire_workload_read(&again, fuzz_file("", (uint8_t *)csv, size));
	if (rc < 0)
		fuzz_fail("what was written cannot be read");
	check_same(w, &again);
	quire_workload_free(&again);
	free(csv);
	rc = quire_workload_apply(w, &o);
	if (rc < 0)
		fuzz_check_failure(rc);
	else
		check_requests(w);
}

int fuzz_trace(const char *head, const uint8_t *data, size_t size)
{
	struct quire_workload w;
	int rc = quire_workload_read(&w, fuzz_file(head, data, size));

	if (rc < 0) {
		fuzz_check_failure(rc);
		if (w.requests || w.name)
			fuzz_fail("it failed and left something");
		return 0;
	}
	fuzz_check_workload(&w);
	quire_workload_free(&w);
	return 0;
}
