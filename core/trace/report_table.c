/*
 * report_table.c - runs side by side, for people.
 *
 * One row a combination, first what clients feel, then what the memory held, in
 * a block each with the same rows.  What all runs have in common stands in the
 * headline, what differs labels the rows, and below stands one line for each
 * column.
 */
#include "report_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BAR_CELLS_MAX 60

static const char *const block_title[BLOCKS] = {"what clients see", "what memory holds"};

/* Spaces behind a label of this width; none at the end of a line. */
static size_t label_gap(const struct quire_rows *t, size_t s, size_t width)
{
	return t->numbered && s == ALLOCATOR ? 0 : t->label_width[s] + 2 - width;
}

/* The row's settings, each in its column. */
static void print_label(const struct quire_rows *t, const struct quire_row *row)
{
	char text[QUIRE_REPORT_NAME_MAX];

	for (size_t s = 0; s < SETTINGS; s++) {
		if (!t->varies[s])
			continue;
		quire_rows_setting(&quire_row_settings[s], &row->first->config, text);
		fprintf(t->out, "%s%*s", text, (int)label_gap(t, s, quire_show_width(text)), "");
	}
}

static void print_label_heading(const struct quire_rows *t)
{
	for (size_t s = 0; s < SETTINGS; s++)
		if (t->varies[s])
			fprintf(t->out, "%s%*s", quire_row_settings[s].name,
				(int)label_gap(t, s, strlen(quire_row_settings[s].name)), "");
}

static void print_numbers(const struct quire_rows *t)
{
	fprintf(t->out, "%s%-*s%s", quire_show_bold(t->style), (int)t->labels_width, "run",
		quire_show_plain(t->style));
	print_label_heading(t);
	fputc('\n', t->out);
	for (size_t r = 0; r < t->count; r++) {
		fprintf(t->out, "%3zu  ", r + 1);
		print_label(t, &t->rows[r]);
		fputc('\n', t->out);
	}
	fputc('\n', t->out);
}

/* The two lines above a column.  The glyph of a piece is no text of one byte a column. */
static void print_column_heading(const struct quire_rows *t, size_t i, int line)
{
	const struct quire_column *c = &quire_columns[i];
	const char *unit = !quire_rows_is_time(i) ? "" : t->in_ms[i] ? " ms" : " s";

	if (line)
		fprintf(t->out, "%*s%s", (int)(t->width[i] - strlen(unit)), c->name, unit);
	else if (c->top)
		fprintf(t->out, "%*s", (int)t->width[i], c->top);
	else
		fprintf(t->out, "%*s", (int)t->width[i] - 1, "");
	if (!line && !c->top)
		quire_show_piece(t->out, t->style, (unsigned int)(i - PIECES), 1);
}

static void print_heading(const struct quire_rows *t, enum block block)
{
	if (t->numbered)
		fprintf(t->out, "%s%s%s\n", quire_show_bold(t->style), block_title[block],
			quire_show_plain(t->style));
	for (int line = 0; line < 2; line++) {
		if (line == 0 && !t->numbered)
			fprintf(t->out, "%s%-*s%s", quire_show_bold(t->style), (int)t->labels_width,
				block_title[block], quire_show_plain(t->style));
		else if (t->numbered)
			fprintf(t->out, "%-*s", (int)t->labels_width, line ? "run" : "");
		else
			print_label_heading(t);
		for (size_t i = 0, any = 0; i < COLUMNS; i++) {
			if (quire_columns[i].block != block || !t->shown[i])
				continue;
			fputs(any++ ? "  " : " ", t->out);
			print_column_heading(t, i, line);
		}
		fputc('\n', t->out);
	}
}

static void print_row(const struct quire_rows *t, enum block block, const struct quire_row *row)
{
	char text[QUIRE_SHOW_MAX];
	const char *gap = "";

	if (t->numbered)
		fprintf(t->out, "%3zu  ", (size_t)(row - t->rows) + 1);
	else
		print_label(t, row);
	if (row->broken) {
		if (row->broken->end == QUIRE_RUN_CRASHED)
			fprintf(t->out, "  crashed: %s\n", row->broken->sentence);
		else
			fprintf(t->out, "  %s, see below\n", quire_run_end_text[row->broken->end]);
		return;
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		bool winner;

		if (quire_columns[i].block != block || !t->shown[i])
			continue;
		quire_rows_cell(t, row, i, text);
		winner = quire_rows_best(t, row, i);
		fprintf(t->out, "%s %s%*s%s", gap, winner ? quire_show_bold(t->style) : "",
			(int)t->width[i], text, winner ? quire_show_plain(t->style) : "");
		gap = winner && !t->style->colours ? "*" : " ";
	}
	if (block == MEMORY) {
		unsigned int used = t->labels_width + quire_rows_width(t, MEMORY) + 2;
		unsigned int cells = t->style->columns > used ? t->style->columns - used : 0;
		double shares[4];

		for (size_t i = 0; i < 4; i++)
			shares[i] = row->figure[PIECES + i] / 100;
		fprintf(t->out, "%s ", gap);
		quire_show_bar(t->out, t->style, shares,
			       cells < BAR_CELLS_MAX ? cells : BAR_CELLS_MAX);
	} else if (*gap == '*')
		fputs(gap, t->out);
	fputc('\n', t->out);
}

int quire_report_table(FILE *out, const struct quire_report *reports, size_t count,
		       const struct quire_table_style *style)
{
	struct quire_table_style wide = *style;
	struct quire_rows t = {.out = out, .style = &wide};

	int rc;

	if (wide.columns < 80)
		wide.columns = 80;
	rc = quire_rows_make(&t, reports, count);
	if (rc)
		return rc;
	quire_rows_headline(&t);
	fputc('\n', out);
	if (count == 1) {
		if (reports->end == QUIRE_RUN_FINISHED || reports->end == QUIRE_RUN_STOPPED)
			quire_report_single(out, reports, &wide);
		quire_rows_notes(&t);
	} else if (count) {
		if (t.numbered)
			print_numbers(&t);
		for (enum block block = CLIENTS; block < BLOCKS; block++) {
			print_heading(&t, block);
			for (size_t r = 0; r < t.count; r++) {
				if (r && !quire_rows_comparable(&t.rows[r - 1], &t.rows[r]))
					fputc('\n', out);
				print_row(&t, block, &t.rows[r]);
			}
			fputc('\n', out);
		}
		quire_rows_notes(&t);
		quire_rows_meanings(&t);
	}
	free(t.rows);
	return ferror(out) ? quire_fail(-EIO, "cannot write the table: %s", strerror(errno)) : 0;
}
