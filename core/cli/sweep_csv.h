/*
 * sweep_csv.h - the one CSV of "quire sweep": a row a run, and where a sweep that was
 * stopped goes on.
 *
 * The first columns are
 *
 *	key		the combination, as a command line of quire sim
 *	end		finished, ejected, failed, crashed
 *	sentence	why, unless it finished
 *
 * and all others those of the JSON report, with its keys joined by dots: "ttft_s.mean",
 * "memory.token_states", "config.gpu".  What is null there is empty here; a list of
 * numbers is joined by colons; of "faults" it is the number of rules that were broken.
 *
 * Rows are appended as runs end, each with one write, so that only the last can be
 * torn; a line without its newline is one that was, and is forgotten.  When all are
 * there the file is written once more, in the order of the combinations.
 */
#ifndef QUIRE_SWEEP_CSV_H
#define QUIRE_SWEEP_CSV_H

#include "core/trace/report.h"
#include "grid.h"

enum { QUIRE_CSV_KEY, QUIRE_CSV_END, QUIRE_CSV_SENTENCE, QUIRE_CSV_FIGURES };

struct quire_sweep_csv {
	const struct quire_grid *grid;
	const char *path;
	char **columns; /* [columns_count] names, owned */
	uint32_t columns_count;
	uint32_t count; /* combinations */
	char **keys;	/* [count] owned */
	char **rows;	/* [count] a line each without its newline, owned; NULL: not there */
	char **foreign; /* [foreign_count] lines of other combinations, owned */
	uint32_t foreign_count;
	uint32_t *by_key; /* [count] combinations in the order of their keys */
	int fd;		  /* of the file, while rows are appended; -1: not open */
};

/*
 * Make it, of the combinations of @grid, and read what @path has of them; rows of
 * runs that did not finish are forgotten, so that these run again.  @fresh: as if
 * there were no file.  Then make the file ready for more rows, and lock it.
 * Return: 0; -errno with a sentence in quire_failure(), and nothing was changed.
 */
int quire_sweep_csv_open(struct quire_sweep_csv *csv, const struct quire_grid *grid,
			 const char *path, bool fresh);

/* Add the row of a combination.  Return: 0; -errno with a sentence. */
int quire_sweep_csv_add(struct quire_sweep_csv *csv, uint32_t index, const struct quire_report *r);

/* Write the file once more, in order.  Return: 0; -errno with a sentence. */
int quire_sweep_csv_sort(struct quire_sweep_csv *csv);

void quire_sweep_csv_free(struct quire_sweep_csv *csv);

/*
 * Take a line apart: cells are [columns_count] pointers into @copy, a copy of it that
 * is written to.  Return: the number of cells that the line has.
 */
uint32_t quire_sweep_csv_cells(const struct quire_sweep_csv *csv, char *copy, char **cells);

/* A cell of CSV, in quotes where it needs them; newlines become spaces. */
void quire_sweep_csv_cell(FILE *out, const char *text);

/* The value of a cell: true and false are 1 and 0; NAN for what is no number. */
double quire_sweep_csv_number(const char *cell);

#endif /* QUIRE_SWEEP_CSV_H */
