/*
 * report_tree.h - a report as JSON that others add to.
 */
#ifndef QUIRE_REPORT_TREE_H
#define QUIRE_REPORT_TREE_H

#include "report.h"

#include <jansson.h>

/* The object that quire_report_json() writes; the caller's.  NULL: no memory. */
json_t *quire_report_tree(const struct quire_report *r);

#endif /* QUIRE_REPORT_TREE_H */
