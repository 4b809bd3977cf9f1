/*
 * sweep_html.h - a sweep as one page of HTML with charts: how the figures that matter
 * most change along one flag, a line for each combination of the others.
 */
#ifndef QUIRE_SWEEP_HTML_H
#define QUIRE_SWEEP_HTML_H

#include "sweep_summary.h"

/* Return: 0; -EIO, -ENOMEM with a sentence in quire_failure(). */
int quire_sweep_html(FILE *out, const struct quire_sweep_summary *s);

#endif /* QUIRE_SWEEP_HTML_H */
