/*
 * csv.c - the CSV formats: header and rows; see reader.h.
 */
#include "reader.h"

#include "core/util.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX (sizeof(((struct quire_reader *)NULL)->columns) / sizeof(void *))

/*
 * Split a line at its commas, in place; blanks around a field and a pair of
 * quotes are taken off.  Return: how many fields; 0 if there are more than
 * COLUMNS_MAX, or if a quote is not closed.
 */
static uint32_t split(char *line, char **fields)
{
	uint32_t count = 0;
	bool more = true;

	while (more) {
		char *end;

		if (count == COLUMNS_MAX)
			return 0;
		while (*line == ' ' || *line == '\t')
			line++;
		fields[count++] = line;
		if (*line == '"') {
			fields[count - 1]++;
			end = strchr(line + 1, '"');
			if (!end)
				return 0;
			line = end + 1;
			line += strspn(line, " \t");
			if (*line && *line != ',')
				return 0;
		} else {
			line += strcspn(line, ",");
			end = line;
			while (end > fields[count - 1] && (end[-1] == ' ' || end[-1] == '\t'))
				end--;
		}
		more = *line == ',';
		line++;
		*end = 0;
	}
	return count;
}

/* How many required columns of @f the header lacks; *@lacks is the first. */
static uint32_t lacking(const struct quire_format *f, char **names, uint32_t count,
			const char **lacks)
{
	uint32_t missing = 0;

	for (const struct quire_column *c = f->columns; c->name; c++) {
		uint32_t i = 0;

		while (i < count && !quire_same_name(names[i], c->name))
			i++;
		if (c->required && i == count && missing++ == 0)
			*lacks = c->name;
	}
	return missing;
}

/*
 * Give each column its meaning.  One that we do not know is none of our
 * business, unless it looks like one of ours that is missing.
 */
static int bind_columns(struct quire_reader *r, const struct quire_format *f, char **names,
			uint32_t count)
{
	const char *missing[COLUMNS_MAX + 1];
	uint32_t missing_count = 0;

	r->columns_count = count;
	for (const struct quire_column *c = f->columns; c->name; c++) {
		bool found = false;

		for (uint32_t i = 0; i < count; i++) {
			if (!quire_same_name(names[i], c->name))
				continue;
			if (found)
				return quire_reader_wrong(r, names[i], "each column once");
			r->columns[i] = c;
			found = true;
		}
		if (!found)
			missing[missing_count++] = c->name;
	}
	missing[missing_count] = NULL;
	for (uint32_t i = 0; i < count; i++) {
		const char *near = r->columns[i] ? NULL : quire_nearest(names[i], missing);

		if (near)
			return quire_reader_wrong(r, names[i], "the column to be called '%s'",
						  near);
	}
	return 0;
}

int quire_csv_header(struct quire_reader *r, const char *line,
		     const struct quire_format *const *formats, const struct quire_format **format)
{
	char *names[COLUMNS_MAX], *copy = strdup(line);
	const char *lacks = NULL;
	uint32_t count;
	int rc = 0;

	*format = NULL;
	if (!copy)
		return quire_fail(-ENOMEM, "%s: no memory to read it", quire_lines_path(r->lines));
	count = split(copy, names);
	for (; *formats && !*format; formats++) {
		const char *first = NULL;
		uint32_t missing =
			(*formats)->columns ? lacking(*formats, names, count, &first) : UINT32_MAX;

		if (missing == 0) {
			*format = *formats;
			rc = bind_columns(r, *formats, names, count);
		} else if (missing == 1 && !lacks) {
			lacks = first;
		}
	}
	if (!*format && lacks)
		rc = quire_reader_wrong(r, line, "a column '%s' too", lacks);
	free(copy);
	return rc;
}

int quire_csv_line(struct quire_reader *r, char *line, struct quire_row *row)
{
	char *fields[COLUMNS_MAX], found[16];
	uint32_t count = split(line, fields);
	int rc = 0;

	if (count != r->columns_count) {
		snprintf(found, sizeof(found), "%u", count);
		return quire_reader_wrong(r, count ? found : line, "%u fields, as the header has",
					  r->columns_count);
	}
	for (uint32_t i = 0; i < count && rc == 0; i++)
		if (r->columns[i])
			rc = r->columns[i]->parse(r, r->columns[i]->name, fields[i], row);
	return rc;
}
