/*
 * report_text.h - numbers, bars and paragraphs for reports that people read.
 * Private to report_*.c.
 */
#ifndef QUIRE_REPORT_TEXT_H
#define QUIRE_REPORT_TEXT_H

#include "report.h"

#define QUIRE_SHOW_MAX 64 /* bytes of a number, with the ending 0 */

/* Three significant digits, thousands separated: 0.053, 1.25, 48.1, 730, 12,345. */
void quire_show_number(char out[QUIRE_SHOW_MAX], double value);
/* A whole number: 12,345,678. */
void quire_show_count(char out[QUIRE_SHOW_MAX], uint64_t value);
/* 128 KiB, 54.9 GiB. */
void quire_show_bytes(char out[QUIRE_SHOW_MAX], double bytes);

/* Columns that a UTF-8 string takes, escape sequences not counted. */
size_t quire_show_width(const char *text);

/* How colours look; "" without. */
const char *quire_show_bold(const struct quire_table_style *style);
const char *quire_show_dim(const struct quire_table_style *style);
const char *quire_show_plain(const struct quire_table_style *style);

/* Memory by kind as a bar of @cells: token states, reserved, internal, external. */
void quire_show_bar(FILE *out, const struct quire_table_style *style, const double shares[4],
		    unsigned int cells);
/* @cells cells of the bar's piece @i, from 0. */
void quire_show_piece(FILE *out, const struct quire_table_style *style, unsigned int i,
		      unsigned int cells);
/* What the bar's pieces are, as in the bar. */
void quire_show_bar_legend(FILE *out, const struct quire_table_style *style);

/* Print words up to the right edge, further lines indented.  @text has no newline. */
void quire_show_wrap(FILE *out, const struct quire_table_style *style, const char *text,
		     unsigned int indent);

/* The latencies of a run, as a table has them. */
struct quire_latency {
	const char *name;
	size_t offset; /* of its struct quire_spread in struct quire_report */
	const char *meaning;
	bool queued; /* waiting included */
};
enum { QUIRE_LATENCIES = 6 };
extern const struct quire_latency quire_latencies[QUIRE_LATENCIES];

/* For one run: every percentile of every figure.  Made by quire_report_table(). */
void quire_report_single(FILE *out, const struct quire_report *r,
			 const struct quire_table_style *style);

#endif /* QUIRE_REPORT_TEXT_H */
