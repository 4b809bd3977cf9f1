/*
 * sweep_table.c - a sweep for people: a row for each combination, labelled by the
 * flags that vary, and the figures that matter most, "mean -+half" where there are
 * several seeds.
 *
 * Columns that do not fit beside each other stand in a further block; then the labels
 * stand once above and the rows have numbers.
 */
#include "sweep_summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum unit { PLAIN, TIME, QUEUED_TIME, SHARE }; /* QUEUED: waiting included */

static const struct column {
	const char *top, *name; /* two lines of heading; of a time the unit follows */
	const char *figure;	/* column of the CSV */
	enum unit unit;
	bool always; /* or only where some row has another value than 0 */
} columns[] = {
	{"requests", "per s", "throughput.requests_per_s", PLAIN, true},
	{"goodput", "per s", "goodput.requests_per_s", PLAIN, false},
	{"output", "tokens/s", "throughput.output_tokens_per_s", PLAIN, true},
	{"TTFT", "mean", "ttft_s.mean", QUEUED_TIME, true},
	{"TTFT", "p99", "ttft_s.p99", QUEUED_TIME, true},
	{"TPOT", "mean", "tpot_s.mean", TIME, true},
	{"ITL", "p99", "itl_s.p99", TIME, true},
	{"E2E", "mean", "e2e_s.mean", QUEUED_TIME, true},
	{"batch", "size", "steps.sequences_mean", PLAIN, true},
	{"token", "states", "memory.token_states", SHARE, true},
	{"internal", "waste", "memory.internal", SHARE, true},
	{"preemp-", "tions", "preemptions", PLAIN, false},
};
enum { COLUMNS = sizeof(columns) / sizeof(*columns), NUMBER_MAX = 48, CELL_MAX, NUMBERS = 5 };

struct table {
	FILE *out;
	const struct quire_sweep_summary *s;
	const struct quire_table_style *style;
	uint32_t column[COLUMNS]; /* of the CSV */
	uint32_t saturated;	  /* likewise */
	bool shown[COLUMNS], in_ms[COLUMNS];
	int width[COLUMNS];
	int label_width[QUIRE_GRID_AXES_MAX]; /* 0: the axis is no label */
	int labels_width;		      /* in front of the figures */
	bool numbered;
	bool several; /* some row has more than one run */
};

static const char *label(const struct table *t, uint32_t axis, const struct quire_sweep_group *g)
{
	const struct quire_grid *grid = t->s->csv->grid;

	return grid->axes[axis].values[quire_grid_pick(grid, axis, g->first)].text;
}

static int max(int a, int b)
{
	return a > b ? a : b;
}

/* As many places as make three digits of the mean; the half has the same. */
static void number(char *out, double mean, double half, bool share, const char *plus_minus)
{
	double size = fabs(mean);
	int places = size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;

	if (share)
		places = 1;

	if (!isfinite(mean))
		snprintf(out, NUMBER_MAX, "-");
	else if (isfinite(half))
		snprintf(out, NUMBER_MAX, "%.*f %s%.*f", places, mean, plus_minus, places, half);
	else
		snprintf(out, NUMBER_MAX, "%.*f", places, mean);
}

static void cell(const struct table *t, const struct quire_sweep_group *g, uint32_t i, char *out)
{
	const struct quire_mean *m = &g->mean[t->column[i]];
	double scale = columns[i].unit == SHARE ? 100 : t->in_ms[i] ? 1000 : 1;
	char text[NUMBER_MAX];

	number(text, m->mean * scale, quire_mean_half(m) * scale, columns[i].unit == SHARE,
	       t->style->utf8 ? "\u00b1" : "+-");
	snprintf(out, CELL_MAX, "%s%s",
		 columns[i].unit == QUEUED_TIME && g->mean[t->saturated].mean > 0 ? "~" : "", text);
}

/* Columns of text; our only letter of two bytes is the plus-minus. */
static int text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static const char *unit_text(const struct table *t, uint32_t i)
{
	if (columns[i].unit == SHARE)
		return " %";
	return columns[i].unit == PLAIN ? "" : t->in_ms[i] ? " ms" : " s";
}

static uint32_t find_column(const struct quire_sweep_csv *csv, const char *name)
{
	uint32_t c = 0;

	while (c < csv->columns_count - 1 && strcmp(csv->columns[c], name) != 0)
		c++;
	return c;
}

static void measure_column(struct table *t, uint32_t i)
{
	char text[CELL_MAX];
	double largest = 0;

	t->column[i] = find_column(t->s->csv, columns[i].figure);
	for (uint32_t g = 0; g < t->s->count; g++) {
		double mean = t->s->groups[g].mean[t->column[i]].mean;

		if (mean > largest)
			largest = mean;
	}
	t->shown[i] = columns[i].always || largest > 0;
	t->in_ms[i] = (columns[i].unit == TIME || columns[i].unit == QUEUED_TIME) && largest < 10;
	t->width[i] = max((int)strlen(columns[i].top),
			  (int)(strlen(columns[i].name) + strlen(unit_text(t, i))));
	for (uint32_t g = 0; g < t->s->count; g++) {
		cell(t, &t->s->groups[g], i, text);
		t->width[i] = max(t->width[i], text_width(text));
	}
}

static void measure(struct table *t)
{
	const struct quire_grid *grid = t->s->csv->grid;
	int used;

	t->saturated = find_column(t->s->csv, "saturated");
	for (uint32_t i = 0; i < COLUMNS; i++)
		measure_column(t, i);
	for (uint32_t a = 0; a < grid->axes_count; a++) {
		if (a == grid->seed || grid->axes[a].count < 2)
			continue;
		t->label_width[a] = (int)strlen(grid->axes[a].flag);
		for (uint32_t i = 0; i < grid->axes[a].count; i++)
			t->label_width[a] =
				max(t->label_width[a], (int)strlen(grid->axes[a].values[i].text));
		t->labels_width += t->label_width[a] + (t->labels_width ? 2 : 0);
	}
	for (uint32_t g = 0; g < t->s->count; g++)
		t->several |= t->s->groups[g].runs > 1;
	used = t->labels_width;
	for (uint32_t i = 0; i < COLUMNS; i++)
		used += t->shown[i] ? t->width[i] + 2 : 0;
	t->numbered = used > (int)t->style->columns && t->labels_width > NUMBERS;
}

/* The flags that vary, or of @g their values.  Return: spaces that fill the last. */
static int print_labels(const struct table *t, const struct quire_sweep_group *g)
{
	const struct quire_grid *grid = t->s->csv->grid;
	int gap = t->numbered ? 2 : 0, fill = 0;

	for (uint32_t a = 0; a < grid->axes_count; a++) {
		const char *text = g && t->label_width[a] ? label(t, a, g) : grid->axes[a].flag;

		if (!t->label_width[a])
			continue;
		fprintf(t->out, "%*s%s", gap, "", text);
		fill = t->label_width[a] - (int)strlen(text);
		gap = fill + 2;
	}
	return fill;
}

static const char *bold(const struct table *t)
{
	return t->style->colours ? "\033[1m" : "";
}

static const char *plain(const struct table *t)
{
	return t->style->colours ? "\033[0m" : "";
}

/* What stands in front of a row, or of the heading. */
static void print_row_begin(const struct table *t, const struct quire_sweep_group *g)
{
	if (!t->numbered)
		fprintf(t->out, "%*s", print_labels(t, g), "");
	else if (g)
		fprintf(t->out, "%*zu", NUMBERS, (size_t)(g - t->s->groups) + 1);
	else
		fprintf(t->out, "%*s", NUMBERS, "row");
}

static void print_numbers(const struct table *t)
{
	fprintf(t->out, "%s%*s", bold(t), NUMBERS, "row");
	print_labels(t, NULL);
	fprintf(t->out, "%s\n", plain(t));
	for (uint32_t g = 0; g < t->s->count; g++) {
		print_row_begin(t, &t->s->groups[g]);
		print_labels(t, &t->s->groups[g]);
		fputc('\n', t->out);
	}
	fputc('\n', t->out);
}

static void print_heading(const struct table *t, uint32_t from, uint32_t until)
{
	char text[CELL_MAX];

	fprintf(t->out, "%s%*s", bold(t), t->labels_width, "");
	for (uint32_t i = from; i < until; i++)
		if (t->shown[i])
			fprintf(t->out, "  %*s", t->width[i], columns[i].top);
	fputc('\n', t->out);
	print_row_begin(t, NULL);
	for (uint32_t i = from; i < until; i++) {
		snprintf(text, sizeof(text), "%s%s", columns[i].name, unit_text(t, i));
		if (t->shown[i])
			fprintf(t->out, "  %*s", t->width[i], text);
	}
	fprintf(t->out, "%s\n", plain(t));
}

/* Of a combination none of whose runs finished, how the first ended. */
static void print_end(const struct table *t, const struct quire_sweep_group *g, char *copy,
		      char **cells)
{
	const struct quire_sweep_csv *csv = t->s->csv;

	if (!g->bad_row) {
		fputs("  not run\n", t->out);
		return;
	}
	strcpy(copy, g->bad_row);
	quire_sweep_csv_cells(csv, copy, cells);
	fprintf(t->out, "  %s: %s\n", cells[QUIRE_CSV_END], cells[QUIRE_CSV_SENTENCE]);
}

static void print_row(const struct table *t, const struct quire_sweep_group *g, uint32_t from,
		      uint32_t until)
{
	char text[CELL_MAX];

	for (uint32_t i = from; i < until; i++) {
		if (!t->shown[i])
			continue;
		cell(t, g, i, text);
		fprintf(t->out, "  %*s%s", t->width[i] - text_width(text), "", text);
	}
	if (g->finished < g->runs)
		fprintf(t->out, "  (of %u runs, %u finished)", g->runs, g->finished);
	fputc('\n', t->out);
}

static int print_block(const struct table *t, uint32_t from, uint32_t until)
{
	const struct quire_sweep_csv *csv = t->s->csv;
	char **cells = calloc(csv->columns_count, sizeof(*cells));
	size_t room = 1;
	char *copy;

	for (uint32_t g = 0; g < t->s->count; g++)
		if (t->s->groups[g].bad_row && strlen(t->s->groups[g].bad_row) >= room)
			room = strlen(t->s->groups[g].bad_row) + 1;
	copy = malloc(room);
	if (!copy || !cells) {
		free(copy);
		free(cells);
		return quire_fail(-ENOMEM, "no memory for the table");
	}
	print_heading(t, from, until);
	for (uint32_t i = 0; i < t->s->count; i++) {
		const struct quire_sweep_group *g = &t->s->groups[i];

		print_row_begin(t, g);
		if (g->finished)
			print_row(t, g, from, until);
		else
			print_end(t, g, copy, cells);
	}
	fputc('\n', t->out);
	free(copy);
	free(cells);
	return 0;
}

int quire_sweep_table(FILE *out, const struct quire_sweep_summary *s,
		      const struct quire_table_style *style)
{
	struct table t = {.out = out, .s = s, .style = style};
	char *common = quire_grid_common(s->csv->grid);
	bool saturated = false;
	uint32_t from = 0;
	int rc = common ? 0 : quire_fail(-ENOMEM, "no memory for the table");

	measure(&t);
	for (uint32_t g = 0; g < s->count; g++)
		saturated |= s->groups[g].mean[t.saturated].mean > 0;
	if (rc == 0)
		fprintf(out, "%s\n\n", common);
	if (rc == 0 && t.numbered) {
		t.labels_width = NUMBERS;
		print_numbers(&t);
	}
	while (rc == 0 && from < COLUMNS) {
		uint32_t until = from;
		int used = t.labels_width;

		do {
			used += t.shown[until] ? t.width[until] + 2 : 0;
			until++;
		} while (until < COLUMNS &&
			 (!t.shown[until] || used + t.width[until] + 2 <= (int)style->columns));
		rc = print_block(&t, from, until);
		from = until;
	}
	if (rc == 0 && t.several)
		fprintf(out, "%s: half the 95 %% interval of the mean over seeds (Student's t).\n",
			style->utf8 ? "\u00b1" : "+-");
	if (rc == 0 && saturated)
		fputs("~: the queue grew without end, so this depends on when one stops "
		      "looking.\n",
		      out);
	free(common);
	if (rc == 0 && (fflush(out) || ferror(out)))
		rc = quire_fail(-EIO, "cannot write the table: %s", strerror(errno));
	return rc;
}
