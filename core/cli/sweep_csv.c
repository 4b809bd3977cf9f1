/*
 * sweep_csv.c - see sweep_csv.h.
 */
#include "sweep_csv.h"

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const first_columns[QUIRE_CSV_FIGURES] = {"key", "end", "sentence"};
static const char *const end_name[] = {"finished", "ejected", "failed", "crashed", "stopped"};

static int no_memory(void)
{
	return quire_fail(-ENOMEM, "no memory for the rows of the sweep");
}

static json_t *report_json(const struct quire_report *r)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *json = NULL;
	int rc;

	if (!out)
		return NULL;
	rc = quire_report_json(out, r, 1, false);
	if (fclose(out) == 0 && rc == 0)
		json = json_loads(text, 0, NULL);
	free(text);
	return json;
}

/* Names of all leaves below @json, in its order. */
static int add_columns(struct quire_sweep_csv *csv, const char *prefix, json_t *json)
{
	const char *key;
	json_t *value;
	int rc = 0;

	json_object_foreach(json, key, value)
	{
		char name[128], **grown;

		snprintf(name, sizeof(name), "%s%s", prefix, key);
		if (json_is_object(value)) {
			snprintf(name, sizeof(name), "%s%s.", prefix, key);
			rc = add_columns(csv, name, value);
			if (rc)
				return rc;
			continue;
		}
		grown = realloc(csv->columns, (csv->columns_count + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		csv->columns = grown;
		grown[csv->columns_count] = strdup(name);
		if (!grown[csv->columns_count])
			return -ENOMEM;
		csv->columns_count++;
	}
	return 0;
}

/* The columns are the leaves of a report in which everything is there. */
static int make_columns(struct quire_sweep_csv *csv)
{
	static const struct quire_settings all = {.slo_ttft_s = 1, .slo_tpot_s = 1};
	struct quire_report *r = malloc(sizeof(*r));
	json_t *json;
	int rc;

	csv->columns = calloc(QUIRE_CSV_FIGURES, sizeof(*csv->columns));
	if (!r || !csv->columns) {
		free(r);
		return -ENOMEM;
	}
	for (; csv->columns_count < QUIRE_CSV_FIGURES; csv->columns_count++) {
		csv->columns[csv->columns_count] = strdup(first_columns[csv->columns_count]);
		if (!csv->columns[csv->columns_count])
			break;
	}
	quire_report_init(r, &all);
	for (uint32_t i = 0; i < QUIRE_REFUSED_COUNT; i++)
		r->refusals[i] = 1;
	json = report_json(r);
	rc = json && csv->columns_count == QUIRE_CSV_FIGURES ? add_columns(csv, "", json) : -ENOMEM;
	json_decref(json);
	free(r);
	return rc;
}

void quire_sweep_csv_cell(FILE *out, const char *text)
{
	const bool quoted = text[strcspn(text, ",\"\r\n")];

	if (quoted)
		fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
	}
	if (quoted)
		fputc('"', out);
}

static void write_leaf(FILE *out, const json_t *value)
{
	char text[64] = "";
	size_t i;
	json_t *part;

	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		quire_sweep_csv_cell(out, json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(text, sizeof(text), "%.15g", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(text, sizeof(text), "%s", json_is_true(value) ? "true" : "false");
		break;
	case JSON_ARRAY:
		part = json_array_get(value, 0);
		if (!part || json_is_object(part)) {
			snprintf(text, sizeof(text), "%zu", json_array_size(value));
			break;
		}
		json_array_foreach(value, i, part)
		{
			fputs(i ? ":" : "", out);
			write_leaf(out, part);
		}
		break;
	case JSON_OBJECT:
	case JSON_NULL:
		break;
	}
	fputs(text, out);
}

static const json_t *leaf_at(const json_t *json, const char *path)
{
	char key[128];

	for (;;) {
		size_t n = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		json = json_object_get(json, key);
		if (!path[n])
			return json;
		path += n + 1;
	}
}

/* The line of a run; to be freed.  NULL: no memory. */
static char *row_text(const struct quire_sweep_csv *csv, const char *key,
		      const struct quire_report *r)
{
	json_t *json = report_json(r);
	char *text = NULL;
	size_t size;
	FILE *out = json ? open_memstream(&text, &size) : NULL;

	if (out) {
		quire_sweep_csv_cell(out, key);
		fprintf(out, ",%s,", end_name[r->end]);
		quire_sweep_csv_cell(out, r->sentence);
		for (uint32_t c = QUIRE_CSV_FIGURES; c < csv->columns_count; c++) {
			fputc(',', out);
			write_leaf(out, leaf_at(json, csv->columns[c]));
		}
		if (fclose(out) != 0) {
			free(text);
			text = NULL;
		}
	}
	json_decref(json);
	return text;
}

static void write_header(const struct quire_sweep_csv *csv, FILE *out)
{
	for (uint32_t c = 0; c < csv->columns_count; c++)
		fprintf(out, "%s%s", c ? "," : "", csv->columns[c]);
	fputc('\n', out);
}

uint32_t quire_sweep_csv_cells(const struct quire_sweep_csv *csv, char *at, char **cells)
{
	uint32_t n = 0;

	for (;;) {
		char *to = at;
		bool quoted = *at == '"';

		if (n < csv->columns_count)
			cells[n] = to;
		n++;
		at += quoted;
		for (; *at && (quoted || *at != ','); at++) {
			if (quoted && *at == '"' && *++at != '"') {
				quoted = false;
				at--; /* the loop's step leads behind the quote */
				continue;
			}
			*to++ = *at;
		}
		if (!*at) {
			*to = '\0';
			return n;
		}
		at++;
		*to = '\0';
	}
}

double quire_sweep_csv_number(const char *cell)
{
	char *end;
	double value = strtod(cell, &end);

	if (!strcmp(cell, "true") || !strcmp(cell, "false"))
		return *cell == 't';
	return *cell && !*end && isfinite(value) ? value : NAN;
}

/* ---- what the file has already ---- */

static int compare_keys(const void *a, const void *b)
{
	return strcmp(**(char **const *)a, **(char **const *)b);
}

static int make_keys(struct quire_sweep_csv *csv)
{
	char ***sorted = malloc((csv->count + 1) * sizeof(*sorted)); /* into keys */

	csv->keys = calloc(csv->count + 1, sizeof(*csv->keys));
	csv->rows = calloc(csv->count + 1, sizeof(*csv->rows));
	csv->by_key = calloc(csv->count + 1, sizeof(*csv->by_key));
	if (!sorted || !csv->keys || !csv->rows || !csv->by_key) {
		free(sorted);
		return no_memory();
	}
	for (uint32_t i = 0; i < csv->count; i++) {
		csv->keys[i] = quire_grid_key(csv->grid, i, true);
		sorted[i] = &csv->keys[i];
		if (!csv->keys[i]) {
			free(sorted);
			return no_memory();
		}
	}
	qsort(sorted, csv->count, sizeof(*sorted), compare_keys);
	for (uint32_t i = 0; i < csv->count; i++)
		csv->by_key[i] = (uint32_t)(sorted[i] - csv->keys);
	free(sorted);
	return 0;
}

/* The combination of this key; count: none. */
static uint32_t find_key(const struct quire_sweep_csv *csv, const char *key)
{
	uint32_t low = 0, high = csv->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(key, csv->keys[csv->by_key[middle]]);

		if (order == 0)
			return csv->by_key[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return csv->count;
}

static int keep_foreign(struct quire_sweep_csv *csv, char *line)
{
	char **grown = realloc(csv->foreign, (csv->foreign_count + 1) * sizeof(*grown));

	if (!grown)
		return no_memory();
	csv->foreign = grown;
	grown[csv->foreign_count++] = line;
	return 0;
}

/* One line of the file.  Return: 1 it is kept as it is; 0 it is forgotten. */
static int read_row(struct quire_sweep_csv *csv, const char *line, uint32_t number, char *cells[])
{
	char *copy = strdup(line), *kept = strdup(line);
	uint32_t n, index;
	int rc = 0;

	if (!copy || !kept) {
		rc = no_memory();
		goto out;
	}
	n = quire_sweep_csv_cells(csv, copy, cells);
	if (n != csv->columns_count) {
		rc = quire_fail(-EINVAL, "%s:%u: expected %u cells, found %u", csv->path, number,
				csv->columns_count, n);
		goto out;
	}
	index = find_key(csv, cells[QUIRE_CSV_KEY]);
	if (strcmp(cells[QUIRE_CSV_END], end_name[QUIRE_RUN_FINISHED]) != 0 && index < csv->count)
		goto out; /* it runs again */
	if (index == csv->count)
		rc = keep_foreign(csv, kept);
	else if (csv->rows[index])
		goto out; /* twice, as when two sweeps were joined by hand */
	else
		csv->rows[index] = kept;
	if (rc == 0) {
		kept = NULL;
		rc = 1;
	}
out:
	free(copy);
	free(kept);
	return rc;
}

/* Return: 1 the file can be gone on with as it is; 0 it must be written anew. */
static int read_rows(struct quire_sweep_csv *csv, FILE *in)
{
	char *line = NULL, *header = NULL;
	char **cells = calloc(csv->columns_count, sizeof(*cells));
	size_t room = 0, size;
	ssize_t length;
	FILE *out = open_memstream(&header, &size);
	int rc = 1, got;

	if (out) {
		write_header(csv, out);
		fclose(out);
	}
	if (!header || !cells)
		rc = no_memory();
	for (uint32_t number = 1; rc >= 0 && (length = getline(&line, &room, in)) >= 0; number++) {
		if (line[length - 1] != '\n') {
			rc = 0; /* torn */
			break;
		}
		if (number == 1 && strcmp(line, header) != 0) {
			rc = quire_fail(-EINVAL,
					"%s has other columns than this quire's sweeps: choose "
					"another --csv, or write it anew with --fresh",
					csv->path);
			break;
		}
		line[length - 1] = '\0';
		got = number == 1 ? 1 : read_row(csv, line, number, cells);
		if (got <= 0)
			rc = got;
	}
	if (rc == 1 && ftell(in) <= 0)
		rc = 0; /* empty */
	free(cells);
	free(header);
	free(line);
	return rc;
}

/* ---- writing ---- */

static int write_file(struct quire_sweep_csv *csv)
{
	struct quire_output out;
	int rc = quire_output_open(&out, csv->path);

	if (rc)
		return rc;
	write_header(csv, out.file);
	for (uint32_t i = 0; i < csv->count; i++)
		if (csv->rows[i])
			fprintf(out.file, "%s\n", csv->rows[i]);
	for (uint32_t i = 0; i < csv->foreign_count; i++)
		fprintf(out.file, "%s\n", csv->foreign[i]);
	return quire_output_commit(&out);
}

/* Nobody else may add rows; where the file system knows no locks, one must hope. */
static int open_locked(struct quire_sweep_csv *csv)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	csv->fd = open(csv->path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (csv->fd < 0)
		return quire_fail(-errno, "cannot write %s: %s", csv->path, strerror(errno));
	if (fcntl(csv->fd, F_SETLK, &lock) != 0 && (errno == EACCES || errno == EAGAIN))
		return quire_fail(-EBUSY, "%s: another sweep is writing it", csv->path);
	return 0;
}

static void close_file(struct quire_sweep_csv *csv)
{
	if (csv->fd >= 0)
		close(csv->fd);
	csv->fd = -1;
}

int quire_sweep_csv_open(struct quire_sweep_csv *csv, const struct quire_grid *grid,
			 const char *path, bool fresh)
{
	FILE *in;
	int rc;

	*csv = (struct quire_sweep_csv){.grid = grid, .path = path, .fd = -1};
	csv->count = (uint32_t)quire_grid_count(grid, 0);
	if (make_columns(csv))
		return no_memory();
	rc = make_keys(csv);
	if (rc)
		return rc;
	in = fopen(path, "r");
	if (!in && errno != ENOENT)
		return quire_fail(-errno, "cannot read %s: %s", path, strerror(errno));
	if (in) { /* is somebody writing it? */
		rc = open_locked(csv);
		close_file(csv);
	}
	if (rc == 0)
		rc = in && !fresh ? read_rows(csv, in) : 0;
	if (in)
		fclose(in);
	if (rc == 0)
		rc = write_file(csv);
	/* Only now: closing any other descriptor of a file gives up its locks. */
	return rc < 0 ? rc : open_locked(csv);
}

int quire_sweep_csv_add(struct quire_sweep_csv *csv, uint32_t index, const struct quire_report *r)
{
	char *row = row_text(csv, csv->keys[index], r);
	size_t length = row ? strlen(row) : 0, at = 0;
	int rc = 0;

	if (!row)
		return no_memory();
	row[length++] = '\n'; /* instead of the ending 0 */
	while (at < length && rc == 0) {
		ssize_t n = write(csv->fd, row + at, length - at);

		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			rc = quire_fail(-errno, "cannot write %s: %s", csv->path, strerror(errno));
	}
	row[length - 1] = '\0';
	free(csv->rows[index]);
	csv->rows[index] = row;
	return rc;
}

int quire_sweep_csv_sort(struct quire_sweep_csv *csv)
{
	return write_file(csv);
}

static void free_all(char **texts, uint32_t count)
{
	for (uint32_t i = 0; texts && i < count; i++)
		free(texts[i]);
	free(texts);
}

void quire_sweep_csv_free(struct quire_sweep_csv *csv)
{
	close_file(csv);
	free_all(csv->columns, csv->columns_count);
	free_all(csv->keys, csv->count);
	free_all(csv->rows, csv->count);
	free_all(csv->foreign, csv->foreign_count);
	free(csv->by_key);
	memset(csv, 0, sizeof(*csv));
	csv->fd = -1;
}
