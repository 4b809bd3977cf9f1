/*
 * compare_figures.h - two reports as JSON, laid side by side.
 */
#ifndef QUIRE_COMPARE_FIGURES_H
#define QUIRE_COMPARE_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* One value of the two reports that is not the same in both. */
struct quire_difference {
	char key[96]; /* "ttft_s.mean"; of the config without "config." */
	bool config;
	const json_t *a, *b; /* borrowed from the reports; NULL: it is not there */
};

struct quire_differences {
	struct quire_difference *at; /* [count], in the order of the reports; owned */
	size_t count;
	size_t equal; /* figures that are the same; the config's are not counted */
};

/* Return: 0; -ENOMEM.  The versions of the programs are not compared. */
int quire_differences_find(struct quire_differences *d, const json_t *a, const json_t *b);
void quire_differences_free(struct quire_differences *d);

/* A value as a person reads it: 6 digits that count, "-" for what is not there. */
struct quire_value_text {
	char s[128];
};
struct quire_value_text quire_value_text(const json_t *value);

#endif /* QUIRE_COMPARE_FIGURES_H */
