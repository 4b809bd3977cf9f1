/*
 * run_show.h - the texts of "quire run" on standard output.
 *
 * One text is written as it comes.  Several stand side by side in columns that grow, on
 * a terminal that is wide enough; else one after the other, with a heading each, when
 * all are done.  A terminal gets no control characters: what a model says could steer it.
 */
#ifndef QUIRE_RUN_SHOW_H
#define QUIRE_RUN_SHOW_H

#include "core/engine/streams.h"

#include <stdio.h>

#define QUIRE_SHOW_COLUMNS_MAX 8

/* One text: a sample or a beam of a prompt. */
struct quire_shown {
	uint32_t request, sample;
	char heading[64];
	char *numbers; /* its tokens, where there is no tokenizer; owned; NULL: use the text */
};

struct quire_show {
	FILE *out;
	const struct quire_streams *streams;
	struct quire_shown *at; /* [count] owned */
	uint32_t count;
	bool terminal, steers, bold; /* it is one; it moves its cursor; it has bold letters */
	bool live;		     /* as it comes */
	uint32_t columns;	     /* of text; 0: not side by side */
	uint32_t column_width, rows_max;
	uint32_t rows_drawn; /* below which the cursor stands */
	uint64_t drawn_ns;   /* when */
	bool line_open;	     /* the last character was no newline */
};

/* Get ready to show @count texts.  @stream: as they come.  Return: 0; -ENOMEM. */
int quire_show_open(struct quire_show *show, FILE *out, uint32_t count, bool stream);

/* quire_streams_config.said; @arg is the show. */
void quire_show_said(void *arg, uint32_t request, uint32_t sample, const char *text, size_t bytes);

/* All is said: print what is not printed yet. */
void quire_show_end(struct quire_show *show);
void quire_show_free(struct quire_show *show);

#endif /* QUIRE_RUN_SHOW_H */
