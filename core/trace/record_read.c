/*
 * record_read.c - maps a recording and checks it; see record.h.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BYTE_ORDER_MARK 0x01020304u

bool quire_record_is(const char *path)
{
	char magic[8] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) &&
		  !memcmp(magic, QUIRE_RECORD_MAGIC, sizeof(magic));

	if (fd >= 0)
		close(fd);
	return is;
}

static int map_file(struct quire_record *r, const char *path)
{
	struct stat st;
	void *map = NULL;
	int fd = open(path, O_RDONLY), rc = 0;

	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = quire_fail(-errno, "cannot read %s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		rc = quire_fail(-EINVAL, "%s: a recording must be a regular file", path);
	} else if (st.st_size) {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map == MAP_FAILED)
			rc = quire_fail(-errno, "cannot map %s: %s", path, strerror(errno));
	}
	if (rc == 0) {
		r->map = map;
		r->map_bytes = (size_t)st.st_size;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static int check_header(const struct quire_record *r)
{
	const struct quire_record_header *h = (const void *)r->map;
	size_t magic = r->map_bytes < sizeof(h->magic) ? r->map_bytes : sizeof(h->magic);

	if (!magic || memcmp(r->map, QUIRE_RECORD_MAGIC, magic) != 0)
		return quire_fail(-EINVAL,
				  "%s is no recording of quire: expected it to begin "
				  "with '" QUIRE_RECORD_MAGIC "'",
				  r->path);
	if (r->map_bytes < sizeof(*h))
		return quire_fail(-EINVAL, "%s was cut off within its header, at byte %zu", r->path,
				  r->map_bytes);
	if (h->byte_order != BYTE_ORDER_MARK)
		return quire_fail(-EINVAL,
				  "%s has the other byte order; recordings are "
				  "little-endian",
				  r->path);
	if (h->version != QUIRE_RECORD_VERSION || h->event_bytes != sizeof(struct quire_event))
		return quire_fail(-EINVAL,
				  "%s is a recording of version %u; this quire reads "
				  "version %d",
				  r->path, h->version, QUIRE_RECORD_VERSION);
	return 0;
}

/* Room for one entry more; a table doubles when its count is a power of two. */
static void *one_more(void *table, size_t count, size_t size)
{
	if (count & (count - 1))
		return table;
	return realloc(table, (count ? 2 * count : 1) * size);
}

static int take_events(struct quire_record *r, const void *data, uint64_t bytes)
{
	struct quire_record_span *spans;
	uint64_t count = bytes / sizeof(struct quire_event);

	if (!count || count > UINT32_MAX)
		return 0;
	spans = one_more(r->spans, r->spans_count, sizeof(*spans));
	if (!spans)
		return -ENOMEM;
	r->spans = spans;
	spans[r->spans_count++] =
		(struct quire_record_span){data, (uint32_t)count, r->events_count};
	r->events_count += count;
	return 0;
}

static int take_keyframe(struct quire_record *r, const void *data, uint64_t bytes)
{
	struct quire_record_keyframe *keyframes;

	keyframes = one_more(r->keyframes, r->keyframes_count, sizeof(*keyframes));
	if (!keyframes)
		return -ENOMEM;
	r->keyframes = keyframes;
	keyframes[r->keyframes_count++] =
		(struct quire_record_keyframe){data, bytes, r->events_count};
	return 0;
}

static bool is_kind(const struct quire_record_chunk *chunk, const char *kind)
{
	return !memcmp(chunk->kind, kind, sizeof(chunk->kind));
}

static int take_chunk(struct quire_record *r, const struct quire_record_chunk *chunk)
{
	const void *data = chunk + 1;

	if (is_kind(chunk, QUIRE_RECORD_EVENTS))
		return take_events(r, data, chunk->bytes);
	if (is_kind(chunk, QUIRE_RECORD_KEYFRAME))
		return take_keyframe(r, data, chunk->bytes);
	/* A second RUN would tell of requests that are not there. */
	if (is_kind(chunk, QUIRE_RECORD_RUN) && !r->run && chunk->bytes >= sizeof(*r->run)) {
		r->run = data;
	} else if (is_kind(chunk, QUIRE_RECORD_REQUESTS) && r->run &&
		   chunk->bytes / sizeof(*r->requests) >= r->run->requests_count) {
		r->requests = data;
	} else if (is_kind(chunk, QUIRE_RECORD_CONFIG)) {
		r->config = data;
		r->config_bytes = chunk->bytes;
	} else if (is_kind(chunk, QUIRE_RECORD_REPORT)) {
		r->report = data;
		r->report_bytes = chunk->bytes;
	} else if (is_kind(chunk, QUIRE_RECORD_END)) {
		r->complete = true;
	}
	return 0;
}

static bool sound(const struct quire_record_chunk *chunk)
{
	struct quire_record_chunk head = *chunk;
	const Bytef *data = (const Bytef *)(chunk + 1);
	uLong crc;

	head.crc32 = 0;
	crc = crc32_z(crc32_z(0, (const Bytef *)&head, sizeof(head)), data, chunk->bytes);
	return crc == chunk->crc32;
}

/* Take chunk after chunk, up to the first that is not whole. */
static int take_chunks(struct quire_record *r)
{
	size_t at = sizeof(struct quire_record_header), left;

	for (r->sound_bytes = at; !r->complete; r->sound_bytes = at) {
		const struct quire_record_chunk *chunk = (const void *)(r->map + at);
		int rc;

		left = r->map_bytes - at;
		if (left < sizeof(*chunk) || chunk->bytes > left - sizeof(*chunk)) {
			snprintf(r->trouble, sizeof(r->trouble), "cut off at byte %zu",
				 r->map_bytes);
			return 0;
		}
		if (!sound(chunk)) {
			snprintf(r->trouble, sizeof(r->trouble), "damaged between byte %zu and %zu",
				 at, at + sizeof(*chunk) + (size_t)chunk->bytes);
			return 0;
		}
		rc = take_chunk(r, chunk);
		if (rc)
			return quire_fail(rc, "no memory to read %s", r->path);
		left -= sizeof(*chunk);
		at += sizeof(*chunk) + (size_t)chunk->bytes;
		left -= (size_t)chunk->bytes;
		if (chunk->bytes % QUIRE_RECORD_ALIGN) {
			size_t pad = QUIRE_RECORD_ALIGN - chunk->bytes % QUIRE_RECORD_ALIGN;

			at += pad < left ? pad : left;
		}
	}
	return 0;
}

int quire_record_open(struct quire_record **out, const char *path)
{
	struct quire_record *r = calloc(1, sizeof(*r));
	int rc;

	*out = NULL;
	if (!r)
		return quire_fail(-ENOMEM, "no memory to read %s", path);
	r->path = strdup(path);
	rc = r->path ? map_file(r, path) : quire_fail(-ENOMEM, "no memory to read %s", path);
	if (rc == 0)
		rc = check_header(r);
	if (rc == 0)
		rc = take_chunks(r);
	if (rc == 0 && !r->run)
		rc = quire_fail(-EINVAL, "%s was %s, before it says anything", path,
				r->complete ? "ended" : r->trouble);
	if (rc) {
		quire_record_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

void quire_record_close(struct quire_record *r)
{
	if (!r)
		return;
	if (r->map)
		munmap((void *)(uintptr_t)r->map, r->map_bytes);
	free((void *)(uintptr_t)r->path);
	free(r->spans);
	free(r->keyframes);
	free(r);
}

const struct quire_event *quire_record_next(struct quire_record_cursor *at)
{
	const struct quire_record *r = at->record;
	const struct quire_record_span *span;

	if (at->index >= r->events_count)
		return NULL;
	span = &r->spans[at->span];
	if (at->span >= r->spans_count || at->index < span->first ||
	    at->index - span->first >= span->count) {
		size_t low = 0, high = r->spans_count;

		while (high - low > 1) {
			size_t middle = low + (high - low) / 2;

			*(r->spans[middle].first <= at->index ? &low : &high) = middle;
		}
		at->span = low;
		span = &r->spans[low];
	}
	return &span->events[at->index++ - span->first];
}

/* How many events are not beyond a limit; both keys never fall along a recording. */
static uint64_t count_events(const struct quire_record *r,
			     bool (*beyond)(const struct quire_event *e, uint64_t limit),
			     uint64_t limit)
{
	uint64_t low = 0, high = r->events_count;

	while (low < high) {
		struct quire_record_cursor at = {.record = r, .index = low + (high - low) / 2};
		uint64_t middle = at.index;

		if (beyond(quire_record_next(&at), limit))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static bool step_beyond(const struct quire_event *e, uint64_t limit)
{
	return e->step > limit;
}

static bool ns_beyond(const struct quire_event *e, uint64_t limit)
{
	return e->at_ns > limit;
}

uint64_t quire_record_index_step(const struct quire_record *r, uint32_t step)
{
	return count_events(r, step_beyond, step);
}

uint64_t quire_record_index_ns(const struct quire_record *r, uint64_t at_ns)
{
	return count_events(r, ns_beyond, at_ns);
}

const struct quire_record_chunk *quire_record_find(const struct quire_record *r, const char *kind,
						   size_t *at)
{
	if (*at < sizeof(struct quire_record_header))
		*at = sizeof(struct quire_record_header);
	while (*at < r->sound_bytes) {
		const struct quire_record_chunk *chunk = (const void *)(r->map + *at);

		*at += sizeof(*chunk) + (size_t)chunk->bytes;
		*at += (QUIRE_RECORD_ALIGN - *at % QUIRE_RECORD_ALIGN) % QUIRE_RECORD_ALIGN;
		if (is_kind(chunk, kind))
			return chunk;
	}
	return NULL;
}

const struct quire_record_tokens *quire_record_tokens(const struct quire_record_chunk *chunk,
						      const uint32_t **ids)
{
	const struct quire_record_tokens *t = (const void *)(chunk + 1);

	if (chunk->bytes < sizeof(*t) || (chunk->bytes - sizeof(*t)) / sizeof(**ids) < t->count)
		return NULL;
	*ids = (const uint32_t *)(t + 1);
	return t;
}

const struct quire_record_text *quire_record_text(const struct quire_record_chunk *chunk,
						  const char **bytes)
{
	const struct quire_record_text *t = (const void *)(chunk + 1);

	if (chunk->bytes < sizeof(*t) || chunk->bytes - sizeof(*t) < t->bytes)
		return NULL;
	*bytes = (const char *)(t + 1);
	return t;
}
