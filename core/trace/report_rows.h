/*
 * report_rows.h - the rows and columns of the table for people, before they are
 * printed: what is shown, how wide, in which unit, and what is best.
 * Private to report_*.c, chart_runs.c and html.c.
 */
#ifndef QUIRE_REPORT_ROWS_H
#define QUIRE_REPORT_ROWS_H

#include "report_text.h"

enum block { CLIENTS, MEMORY, BLOCKS };
enum unit { RATE, TIME, QUEUED_TIME, SHARE, COUNT }; /* QUEUED: waiting included */
enum better { NEITHER, HIGH, LOW };

/* When a column is worth its width. */
enum show { ALWAYS, WITH_SLO, WITH_SHARING, WITH_PREEMPTION, WITH_POOLS };

struct quire_column {
	enum block block;
	/* Two lines of heading.  Of TIME the unit follows; where top is NULL, the
	 * glyph of the bar's piece stands there.  The pieces come last. */
	const char *top, *name;
	enum unit unit;
	enum better better;
	enum show show;
	size_t offset; /* of a double in struct quire_report; COUNT: see figure() */
	const char *meaning;
};
enum { COLUMNS = 16, PIECES = COLUMNS - 4 };
extern const struct quire_column quire_columns[COLUMNS];

/* What may differ between runs, in the order of the labels. */
enum { MODEL, GPU, TP, RATE_SETTING, SCHEDULER, ALLOCATOR, SETTINGS };
struct quire_row_setting {
	const char *name;
	size_t offset;
	enum { TEXT, NUMBER, REAL } type;
	const char *prefix; /* of the label in one line */
};
extern const struct quire_row_setting quire_row_settings[SETTINGS];

/* Runs that differ in their seed alone. */
struct quire_row {
	const struct quire_report *first;
	uint32_t runs, saturated;
	const struct quire_report *broken; /* the first that has no full figures */
	double figure[COLUMNS];		   /* means */
};

struct quire_rows {
	FILE *out;
	const struct quire_table_style *style;
	struct quire_row *rows;
	size_t count;
	bool varies[SETTINGS];
	bool shown[COLUMNS];
	bool in_ms[COLUMNS];	     /* TIME */
	unsigned int width[COLUMNS]; /* of a cell, without the gap before it */
	unsigned int label_width[SETTINGS];
	unsigned int labels_width;
	bool numbered; /* labels are long: they stand once above, the rows have numbers */
};

/* Make rows of runs, and measure them.  Return: 0; -ENOMEM.  Free t->rows. */
int quire_rows_make(struct quire_rows *t, const struct quire_report *reports, size_t count);

bool quire_rows_is_time(size_t column);
/* The text of a cell: "-" for what does not exist, "~3.2" if it depends on how long
 * one looked. */
void quire_rows_cell(const struct quire_rows *t, const struct quire_row *row, size_t column,
		     char out[QUIRE_SHOW_MAX]);
/* Another rate is another workload: only rows of one rate are compared. */
bool quire_rows_comparable(const struct quire_row *a, const struct quire_row *b);
/* Is this cell as good as the best, and not all of them are? */
bool quire_rows_best(const struct quire_rows *t, const struct quire_row *row, size_t column);
/* Columns of text that a block's figures take. */
unsigned int quire_rows_width(const struct quire_rows *t, enum block block);

/* The value of a setting, and whether two runs have the same. */
void quire_rows_setting(const struct quire_row_setting *s, const struct quire_settings *c,
			char out[QUIRE_REPORT_NAME_MAX]);
bool quire_rows_same_setting(const struct quire_row_setting *s, const struct quire_report *a,
			     const struct quire_report *b);
/* The row in a sentence: "static x paged, rate 4". */
void quire_rows_label(const struct quire_rows *t, const struct quire_row *row, char *out,
		      size_t size);

/* What stands above the blocks and below them. */
void quire_rows_headline(const struct quire_rows *t);
void quire_rows_notes(const struct quire_rows *t);
void quire_rows_meanings(const struct quire_rows *t);
/* "ejected", "failed", "crashed" */
extern const char *const quire_run_end_text[];

#endif /* QUIRE_REPORT_ROWS_H */
