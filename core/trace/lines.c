/*
 * lines.c - lines out of plain, gzipped and zstd files; see lines.h.
 *
 *	file -> packed -> unpack -> buffer -> lines
 *
 * The first read decides which unpack function it is.
 */
#include "lines.h"

#include "core/util.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define PACKED_BYTES   (64u << 10)
#define LINE_BYTES_MAX (16u << 20)

struct quire_lines {
	char *path;
	int fd;
	uint64_t number; /* of the last line */

	/* What was read from the file: packed[packed_at, packed_end) is still to do. */
	unsigned char *packed; /* [PACKED_BYTES] */
	size_t packed_at, packed_end;
	bool packed_ended;

	/* Put up to @room bytes to @out. Return how many, 0 at the end, or -errno. */
	long (*unpack)(struct quire_lines *t, char *out, size_t room);
	z_stream gzip;
	ZSTD_DStream *zstd;
	bool in_frame; /* a compressed stream has begun and not ended */

	/* buffer[at, end) was not given out yet; one byte more is kept free. */
	char *buffer;
	size_t at, end, size;
	bool ended;
	bool line_ended; /* the byte that came last was a newline */
};

static int read_packed(struct quire_lines *t)
{
	ssize_t got;

	if (t->packed_at < t->packed_end || t->packed_ended)
		return 0;
	do
		got = read(t->fd, t->packed, PACKED_BYTES);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return quire_fail(-errno, "%s: cannot be read: %s", t->path, strerror(errno));
	t->packed_at = 0;
	t->packed_end = (size_t)got;
	t->packed_ended = got == 0;
	return 0;
}

static int cut_short(const struct quire_lines *t)
{
	return quire_fail(-EINVAL, "%s: the compressed data ends too early", t->path);
}

static long unpack_plain(struct quire_lines *t, char *out, size_t room)
{
	size_t bytes;
	int rc = read_packed(t);

	if (rc < 0)
		return rc;
	bytes = t->packed_end - t->packed_at;
	if (bytes > room)
		bytes = room;
	memcpy(out, t->packed + t->packed_at, bytes);
	t->packed_at += bytes;
	return (long)bytes;
}

static long unpack_gzip(struct quire_lines *t, char *out, size_t room)
{
	size_t bytes = 0;

	while (bytes == 0) {
		int rc = read_packed(t);

		if (rc < 0)
			return rc;
		if (t->packed_at == t->packed_end)
			return t->in_frame ? cut_short(t) : 0;
		if (!t->in_frame) { /* a file may be several streams, one after another */
			inflateReset(&t->gzip);
			t->in_frame = true;
		}
		t->gzip.next_in = t->packed + t->packed_at;
		t->gzip.avail_in = (uInt)(t->packed_end - t->packed_at);
		t->gzip.next_out = (unsigned char *)out;
		t->gzip.avail_out = (uInt)room;
		rc = inflate(&t->gzip, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return quire_fail(-EINVAL, "%s: the gzip data is damaged: %s", t->path,
					  t->gzip.msg ? t->gzip.msg : zError(rc));
		t->packed_at = t->packed_end - t->gzip.avail_in;
		t->in_frame = rc != Z_STREAM_END;
		bytes = room - t->gzip.avail_out;
	}
	return (long)bytes;
}

static long unpack_zstd(struct quire_lines *t, char *out, size_t room)
{
	ZSTD_outBuffer to = {out, room, 0};

	while (to.pos == 0) {
		ZSTD_inBuffer from;
		size_t left;
		int rc = read_packed(t);

		if (rc < 0)
			return rc;
		if (t->packed_at == t->packed_end && !t->in_frame)
			return 0;
		from = (ZSTD_inBuffer){t->packed, t->packed_end, t->packed_at};
		left = ZSTD_decompressStream(t->zstd, &to, &from);
		if (ZSTD_isError(left))
			return quire_fail(-EINVAL, "%s: the zstd data is damaged: %s", t->path,
					  ZSTD_getErrorName(left));
		if (t->packed_ended && to.pos == 0 && left != 0)
			return cut_short(t);
		t->packed_at = from.pos;
		t->in_frame = left != 0;
	}
	return (long)to.pos;
}

/* Look at the first bytes of the file. */
static int choose_unpack(struct quire_lines *t)
{
	int rc = read_packed(t);
	size_t bytes = t->packed_end;

	t->unpack = unpack_plain;
	if (rc < 0)
		return rc;
	if (bytes >= 2 && !memcmp(t->packed, "\x1f\x8b", 2)) {
		t->unpack = unpack_gzip;
		if (inflateInit2(&t->gzip, 15 + 16) != Z_OK)
			return quire_fail(-ENOMEM, "%s: no memory to unpack it", t->path);
	} else if (bytes >= 4 && !memcmp(t->packed, "\x28\xb5\x2f\xfd", 4)) {
		t->unpack = unpack_zstd;
		t->zstd = ZSTD_createDStream();
		if (!t->zstd)
			return quire_fail(-ENOMEM, "%s: no memory to unpack it", t->path);
	}
	return 0;
}

struct quire_lines *quire_lines_open(const char *path, int *rc)
{
	struct quire_lines *t = calloc(1, sizeof(*t));

	if (!t)
		goto out_memory;
	t->fd = -1;
	t->size = 1u << 16;
	t->path = strdup(strcmp(path, "-") ? path : "standard input");
	t->packed = malloc(PACKED_BYTES);
	t->buffer = malloc(t->size);
	if (!t->path || !t->packed || !t->buffer)
		goto out_memory;
	t->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (t->fd < 0) {
		*rc = quire_fail(-errno, "%s: cannot be opened: %s", path, strerror(errno));
		goto out_close;
	}
	*rc = choose_unpack(t);
	if (*rc < 0)
		goto out_close;
	return t;
out_memory:
	*rc = quire_fail(-ENOMEM, "%s: no memory to read it", path);
out_close:
	quire_lines_close(t);
	return NULL;
}

/* Make room behind buffer[at, end) and fill it. */
static int fill(struct quire_lines *t)
{
	long got;

	if (t->at > 0) {
		memmove(t->buffer, t->buffer + t->at, t->end - t->at);
		t->end -= t->at;
		t->at = 0;
	}
	if (t->end + 1 >= t->size) {
		char *larger;

		if (t->size >= LINE_BYTES_MAX)
			return quire_fail(-EINVAL,
					  "%s:%llu: expected a line of a trace, found one longer "
					  "than %u MiB",
					  t->path, (unsigned long long)t->number + 1,
					  LINE_BYTES_MAX >> 20);
		larger = realloc(t->buffer, 2 * t->size);
		if (!larger)
			return quire_fail(-ENOMEM, "%s: no memory to read it", t->path);
		t->buffer = larger;
		t->size *= 2;
	}
	got = t->unpack(t, t->buffer + t->end, t->size - t->end - 1);
	if (got < 0)
		return (int)got;
	t->end += (size_t)got;
	t->ended = got == 0;
	return 0;
}

int quire_lines_next(struct quire_lines *t, char **line)
{
	size_t seen = 0, length;
	char *newline;

	while (!(newline = memchr(t->buffer + t->at + seen, '\n', t->end - t->at - seen))) {
		int rc;

		if (t->ended)
			break;
		seen = t->end - t->at;
		rc = fill(t);
		if (rc < 0)
			return rc;
	}
	if (!newline && t->at == t->end)
		return 0;
	*line = t->buffer + t->at;
	length = newline ? (size_t)(newline - *line) : t->end - t->at;
	t->at += length + (newline != NULL);
	t->number++;
	if (t->number == 1 && length >= 3 && !memcmp(*line, "\xef\xbb\xbf", 3)) {
		*line += 3;
		length -= 3;
	}
	if (length > 0 && (*line)[length - 1] == '\r')
		length--;
	(*line)[length] = 0;
	if (memchr(*line, 0, length))
		return quire_fail(-EINVAL, "%s:%llu: expected text, found binary data", t->path,
				  (unsigned long long)t->number);
	return 1;
}

int quire_lines_peek(struct quire_lines *t)
{
	bool begin = t->number == 0 && t->at == 0;

	while (t->at == t->end || (begin && t->end < 3)) {
		int rc = t->ended ? 0 : fill(t);

		if (rc < 0)
			return rc;
		if (t->ended)
			break;
	}
	if (begin && t->end >= 3 && !memcmp(t->buffer, "\xef\xbb\xbf", 3))
		t->at = 3;
	if (t->at == t->end)
		return 0;
	if (t->buffer[t->at] == 0)
		return quire_fail(-EINVAL, "%s:%llu: expected text, found binary data", t->path,
				  (unsigned long long)t->number + 1);
	return (unsigned char)t->buffer[t->at];
}

int quire_lines_byte(struct quire_lines *t)
{
	int byte = quire_lines_peek(t);

	if (byte <= 0)
		return byte;
	if (t->number == 0 || t->line_ended)
		t->number++;
	t->line_ended = byte == '\n';
	t->at++;
	return byte;
}

uint64_t quire_lines_number(const struct quire_lines *t)
{
	return t->number;
}

const char *quire_lines_path(const struct quire_lines *t)
{
	return t->path;
}

void quire_lines_close(struct quire_lines *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	if (t->unpack == unpack_gzip)
		inflateEnd(&t->gzip);
	ZSTD_freeDStream(t->zstd);
	free(t->buffer);
	free(t->packed);
	free(t->path);
	free(t);
}
