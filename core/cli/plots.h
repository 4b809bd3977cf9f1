/*
 * plots.h - what commands write for the eye: charts in a folder, and how a page says
 * what made it.
 */
#ifndef QUIRE_PLOTS_H
#define QUIRE_PLOTS_H

#include "core/trace/chart.h"

/* Make the folder of --plot, or find that it can be written to, before any work.
 * Return: 0; -errno with a sentence in quire_failure(). */
int quire_plots_folder(const char *path);
/* A figure as SVG, PNG and PDF, by its name.  Errors as above. */
int quire_plots_write(const struct quire_figure *f, const char *folder);

/* "quire sim --model llama-3-8b", with quotes around what a shell would take apart; to
 * be freed.  NULL: no memory. */
char *quire_plots_command(int argc, char *const *argv);

#endif /* QUIRE_PLOTS_H */
