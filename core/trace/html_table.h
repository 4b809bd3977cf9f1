/*
 * html_table.h - the tables of a page.  Private to html*.c.
 */
#ifndef QUIRE_HTML_TABLE_H
#define QUIRE_HTML_TABLE_H

#include "chart_view.h"

/* Runs side by side, as quire_report_table() has them, and what the columns mean. */
void quire_html_tables(FILE *out, const struct quire_rows *rows);
/* One run: every percentile of every latency, throughput, memory. */
void quire_html_single(FILE *out, const struct quire_report *r);
/* All that was in force, the digests, and the command; NULL: not known. */
void quire_html_settings(FILE *out, const struct quire_rows *rows, const char *command);

#endif /* QUIRE_HTML_TABLE_H */
