/*
 * compare_charts.h - what "quire compare" writes for the eye: --report and --plot.
 */
#ifndef QUIRE_COMPARE_CHARTS_H
#define QUIRE_COMPARE_CHARTS_H

#include "compare.h"
#include "core/trace/chart_pair.h"
#include "output.h"

struct quire_compare_charts {
	const char *plot;	  /* folder; NULL: not asked for */
	struct quire_output html; /* empty: not asked for */
	char *command;		  /* owned */
};

/*
 * Before anything is read: find out that the page can be written, make the folder.
 * Return: 0; -errno with a sentence in quire_failure().
 */
int quire_compare_charts_open(struct quire_compare_charts *c, const char *report, const char *plot,
			      int argc, char *const *argv);
/* One pair of runs, number @index of @count.  Nothing happens if neither was asked for.
 * Errors as above. */
int quire_compare_charts_add(struct quire_compare_charts *c, const struct quire_comparison *p,
			     size_t index, size_t count);
/* Give the page its name.  Errors as above. */
int quire_compare_charts_close(struct quire_compare_charts *c);
void quire_compare_charts_free(struct quire_compare_charts *c);

/* What charts cannot show of this pair, in a sentence; "": nothing is missing. */
void quire_comparison_missing(const struct quire_comparison *p, char *text, size_t size);

/* The page of one pair: what differs, tables, charts.  Errors as above. */
int quire_compare_page(FILE *out, const struct quire_comparison *p, const struct quire_pair *pair,
		       size_t index, size_t count);

/* Its tables: every figure of both. */
void quire_compare_tables(FILE *out, const struct quire_comparison *p,
			  const struct quire_pair *pair);

#endif /* QUIRE_COMPARE_CHARTS_H */
