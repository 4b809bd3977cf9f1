/*
 * html_page.h - what pages of HTML share: head and end, a figure, a cell.
 */
#ifndef QUIRE_HTML_PAGE_H
#define QUIRE_HTML_PAGE_H

#include "chart.h"

#include <stdio.h>

/* Up to <body>; the title is "quire: WHAT".  And from </body> on. */
void quire_html_begin(FILE *out, const char *what);
void quire_html_end(FILE *out);

/* A section: heading, picture, caption.  Return: 0; -EIO; -ENOMEM; see quire_failure(). */
int quire_html_figure(FILE *out, const struct quire_figure *f);
/* <element class="class">text</element>; class "": none.  Any text may come. */
void quire_html_element(FILE *out, const char *element, const char *class, const char *text);
/* A small square of a colour, for a legend in words. */
void quire_html_key(FILE *out, uint32_t colour);
/* What made the page, as one types it. */
void quire_html_command(FILE *out, const char *command);

#endif /* QUIRE_HTML_PAGE_H */
