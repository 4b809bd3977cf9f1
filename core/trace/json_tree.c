/*
 * json_tree.c - JSON objects that are not flat, one a line or in one array that
 * may be larger than memory; see reader.h.
 */
#include "reader.h"

#include <errno.h>

#define FLAGS		 (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)
#define OBJECT_BYTES_MAX (64u << 20)

static int wrong_json(const struct quire_reader *r, const json_error_t *error)
{
	return quire_fail(-EINVAL, "%s:%llu: expected a JSON object, found: %s",
			  quire_lines_path(r->lines),
			  (unsigned long long)quire_lines_number(r->lines), error->text);
}

int quire_json_tree(const struct quire_reader *r, const char *line, json_t **object)
{
	json_error_t error;

	*object = json_loads(line, FLAGS, &error);
	return *object ? 0 : wrong_json(r, &error);
}

/* Step over blanks.  Return: the byte behind them, not read; 0; -errno. */
static int next(struct quire_reader *r)
{
	int byte = quire_lines_peek(r->lines);

	while (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n') {
		quire_lines_byte(r->lines);
		byte = quire_lines_peek(r->lines);
	}
	return byte;
}

static int wrong(struct quire_reader *r, int found, const char *expected)
{
	char text[2] = {(char)found, 0};

	quire_lines_byte(r->lines); /* its line */
	return quire_reader_wrong(r, text, "%s", expected);
}

struct source {
	struct quire_reader *r;
	uint32_t bytes;
	int rc;
};

/* One at a time, so that the parser never reads beyond the object. */
static size_t one_byte(void *buffer, size_t size, void *arg)
{
	struct source *s = arg;
	int byte = quire_lines_byte(s->r->lines);

	(void)size;
	if (byte < 0)
		s->rc = byte;
	else if (s->bytes++ == OBJECT_BYTES_MAX)
		s->rc = quire_reader_wrong(s->r, "a longer one", "objects of at most %u MiB",
					   OBJECT_BYTES_MAX >> 20);
	if (byte <= 0 || s->rc < 0)
		return 0;
	*(char *)buffer = (char)byte;
	return 1;
}

/* The array is over: step over ']'; nothing follows. */
static int end(struct quire_reader *r)
{
	int byte;

	quire_lines_byte(r->lines);
	byte = next(r);
	return byte > 0 ? wrong(r, byte, "nothing behind the array") : byte;
}

int quire_json_next(struct quire_reader *r, json_t **object)
{
	struct source source = {.r = r};
	bool begin = !r->in_array, comma;
	json_error_t error;
	int byte = next(r);

	comma = !begin && byte == ',';
	if (byte >= 0 && !begin && !comma && byte != ']')
		return wrong(r, byte, "',' or ']'");
	if (begin || comma) {
		quire_lines_byte(r->lines);
		r->in_array = true;
		byte = next(r);
	}
	if (byte < 0)
		return byte;
	if (byte == ']' && !comma)
		return end(r);
	if (byte != '{')
		return wrong(r, byte, "a JSON object");
	*object = json_load_callback(one_byte, &source, FLAGS | JSON_DISABLE_EOF_CHECK, &error);
	if (*object)
		return 1;
	return source.rc < 0 ? source.rc : wrong_json(r, &error);
}
