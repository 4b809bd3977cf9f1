/*
 * compare.h - one run against another: what "quire compare" has found.
 */
#ifndef QUIRE_COMPARE_H
#define QUIRE_COMPARE_H

#include "compare_decisions.h"
#include "compare_figures.h"

#include <stdio.h>

struct quire_compared {
	const char *path;
	struct quire_record *record; /* NULL: it is a report */
	json_t *reports;	     /* an array */
	bool array;		     /* and one in the file */
};

/* Of one pair of runs. */
struct quire_comparison {
	const struct quire_compared *a, *b;
	const json_t *report_a, *report_b;
	struct quire_differences values;
	bool recorded;			/* both are recordings, the rest is known */
	struct quire_parting all;	/* the first decision that differs */
	struct quire_parting scheduler; /* ... that is not the allocator's */
	struct quire_parting time;	/* the first step of another length */
	bool requests_part;
	uint32_t request; /* the first that differs */
};

bool quire_comparison_differs(const struct quire_comparison *p);

/* Where they part, for a picture: of the scheduler's decisions, as the allocator's often
 * differ from the first; @what says which.  NULL: nowhere, as far as both go. */
const struct quire_parting *quire_comparison_parting(const struct quire_comparison *p,
						     const char **what);
/* What is known of decisions, in lines. */
void quire_comparison_print_decisions(FILE *out, const struct quire_comparison *p);

/* For people, on standard output: number @index of @count, from 0. */
void quire_comparison_print(const struct quire_comparison *p, size_t index, size_t count);
/* For programs; a new object. */
json_t *quire_comparison_json(const struct quire_comparison *p);

#endif /* QUIRE_COMPARE_H */
