/*
 * html.h - a report as one page of HTML that needs nothing else: no scripts, no
 * fonts, no other files.  Its charts are SVG, its tables have the words of the table
 * for the terminal, and it prints as it looks.  It is also well-formed XML.
 */
#ifndef QUIRE_HTML_H
#define QUIRE_HTML_H

#include "chart_runs.h"

struct quire_html {
	struct quire_runs runs;
	const char *command; /* what made it, as one types it; NULL: not known */
};

/* Return: 0; -EIO; -ENOMEM; see quire_failure(). */
int quire_report_html(FILE *out, const struct quire_html *page);

#endif /* QUIRE_HTML_H */
