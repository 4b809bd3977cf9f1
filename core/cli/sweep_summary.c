/*
 * sweep_summary.c - see sweep_summary.h.
 */
#include "sweep_summary.h"

#include "output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Welford, "Note on a method for calculating corrected sums of squares and
 * products", Technometrics 4 (1962). */
void quire_mean_add(struct quire_mean *m, double value)
{
	double distance;

	if (isnan(value))
		return;
	if (!m->count)
		m->mean = m->squares = 0;
	distance = value - m->mean;
	m->count++;
	m->mean += distance / m->count;
	m->squares += distance * (value - m->mean);
}

/* From tables up to 5 degrees; then the expansion about the normal quantile
 * (Abramowitz and Stegun, 26.7.5), which is 1.1e-4 off at 6 and better beyond. */
double quire_student_t(uint32_t degrees)
{
	static const double small[] = {NAN,
				       12.706204736432095,
				       4.302652729911275,
				       3.182446305284263,
				       2.776445105197799,
				       2.570581835636314};
	const double z = 1.959963984540054, v = degrees;
	const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;

	if (degrees < sizeof(small) / sizeof(*small))
		return small[degrees];
	return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
	       (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v) +
	       (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * v * v * v * v);
}

double quire_mean_half(const struct quire_mean *m)
{
	if (m->count < 2)
		return NAN;
	return quire_student_t(m->count - 1) * sqrt(m->squares / (m->count - 1) / m->count);
}

/* Figures that are no figures of merit: what was put in, and names. */
static bool is_figure(const char *column)
{
	return strncmp(column, "config.", 7) != 0 && strcmp(column, "schema") != 0 &&
	       strcmp(column, "version") != 0 && strcmp(column, "digest") != 0 &&
	       strcmp(column, "oracle") != 0;
}

static void add_row(struct quire_sweep_group *g, const struct quire_sweep_csv *csv, const char *row,
		    char *copy, char **cells)
{
	strcpy(copy, row);
	quire_sweep_csv_cells(csv, copy, cells);
	g->runs++;
	if (strcmp(cells[QUIRE_CSV_END], "finished") != 0) {
		g->bad_row = g->bad_row ? g->bad_row : row;
		g->row = g->row ? g->row : row;
		return;
	}
	if (!g->finished++)
		g->row = row;
	for (uint32_t c = QUIRE_CSV_FIGURES; c < csv->columns_count; c++)
		if (is_figure(csv->columns[c]))
			quire_mean_add(&g->mean[c], quire_sweep_csv_number(cells[c]));
}

static size_t longest_row(const struct quire_sweep_csv *csv)
{
	size_t longest = 0;

	for (uint32_t i = 0; i < csv->count; i++)
		if (csv->rows[i] && strlen(csv->rows[i]) > longest)
			longest = strlen(csv->rows[i]);
	return longest;
}

int quire_sweep_summary_make(struct quire_sweep_summary *s, const struct quire_sweep_csv *csv)
{
	const uint32_t seeds = csv->grid->axes[csv->grid->seed].count;
	char *copy = malloc(longest_row(csv) + 1);
	char **cells = calloc(csv->columns_count, sizeof(*cells));
	size_t means;

	*s = (struct quire_sweep_summary){.csv = csv, .count = csv->count / (seeds ? seeds : 1)};
	means = (size_t)s->count * csv->columns_count;
	s->groups = calloc(s->count + 1u, sizeof(*s->groups));
	s->means = malloc((means + 1) * sizeof(*s->means));
	if (!copy || !cells || !s->groups || !s->means) {
		free(copy);
		free(cells);
		return quire_fail(-ENOMEM, "no memory for the summary of the sweep");
	}
	for (size_t i = 0; i < means; i++)
		s->means[i] = (struct quire_mean){.mean = NAN};
	for (uint32_t i = csv->count; i-- > 0;)
		s->groups[quire_grid_group(csv->grid, i)].first = i;
	for (uint32_t g = 0; g < s->count; g++)
		s->groups[g].mean = &s->means[(size_t)g * csv->columns_count];
	for (uint32_t i = 0; i < csv->count; i++)
		if (csv->rows[i])
			add_row(&s->groups[quire_grid_group(csv->grid, i)], csv, csv->rows[i], copy,
				cells);
	free(cells);
	free(copy);
	return 0;
}

void quire_sweep_summary_free(struct quire_sweep_summary *s)
{
	free(s->groups);
	free(s->means);
	memset(s, 0, sizeof(*s));
}

static void write_number(FILE *out, double value)
{
	fputc(',', out);
	if (isfinite(value))
		fprintf(out, "%.15g", value);
}

static bool is_config(const char *column)
{
	return !strncmp(column, "config.", 7) && strcmp(column, "config.seed") != 0;
}

static void write_group(FILE *out, const struct quire_sweep_csv *csv,
			const struct quire_sweep_group *g, const char *key, char *copy,
			char **cells)
{
	quire_sweep_csv_cell(out, key);
	fprintf(out, ",%u,%u", g->runs, g->finished);
	for (uint32_t c = QUIRE_CSV_FIGURES; c < csv->columns_count; c++) {
		if (!is_figure(csv->columns[c]))
			continue;
		write_number(out, g->mean[c].mean);
		write_number(out, quire_mean_half(&g->mean[c]));
	}
	if (g->row) {
		strcpy(copy, g->row);
		quire_sweep_csv_cells(csv, copy, cells);
	}
	for (uint32_t c = QUIRE_CSV_FIGURES; c < csv->columns_count; c++) {
		if (!is_config(csv->columns[c]))
			continue;
		fputc(',', out);
		if (g->row)
			quire_sweep_csv_cell(out, cells[c]);
	}
	fputc('\n', out);
}

int quire_sweep_summary_write(const struct quire_sweep_summary *s, const char *path)
{
	const struct quire_sweep_csv *csv = s->csv;
	char *copy = malloc(longest_row(csv) + 1), *key;
	char **cells = calloc(csv->columns_count, sizeof(*cells));
	struct quire_output out;
	int rc = copy && cells ? quire_output_open(&out, path)
			       : quire_fail(-ENOMEM, "no memory for %s", path);

	if (rc)
		goto out_free;
	fputs("key,runs,finished", out.file);
	for (uint32_t c = QUIRE_CSV_FIGURES; c < csv->columns_count; c++)
		if (is_figure(csv->columns[c]))
			fprintf(out.file, ",%s,%s.ci95", csv->columns[c], csv->columns[c]);
	for (uint32_t c = QUIRE_CSV_FIGURES; c < csv->columns_count; c++)
		if (is_config(csv->columns[c]))
			fprintf(out.file, ",%s", csv->columns[c]);
	fputc('\n', out.file);
	for (uint32_t g = 0; g < s->count && rc == 0; g++) {
		key = quire_grid_key(csv->grid, s->groups[g].first, false);
		if (key)
			write_group(out.file, csv, &s->groups[g], key, copy, cells);
		else
			rc = quire_fail(-ENOMEM, "no memory for %s", path);
		free(key);
	}
	if (rc)
		quire_output_discard(&out);
	else
		rc = quire_output_commit(&out);
out_free:
	free(cells);
	free(copy);
	return rc;
}
