/*
 * view_words.h - what tooltips are made of; private to view_words*.c.
 */
#ifndef QUIRE_VIEW_WORDS_H
#define QUIRE_VIEW_WORDS_H

#include "view_parts.h"

/* Text that grows at its end and is cut where it must. */
struct words {
	char *text;
	size_t size, used;
};
void words_add(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "1.25 s", "12.5 ms"; "1 token", "2 tokens". */
const char *words_time(double seconds, char text[32]);
const char *words_count(uint64_t count, const char *noun, char text[64]);
/* "r3, r3.1 and r3.2", or "... and 12 more"; of @ids [count], of which @known are given. */
void words_names(struct words *w, const struct quire_story *story, const uint32_t *ids,
		 uint32_t known, uint32_t count);

/* view_words_cell.c: a cell of the pool, as one of a sequence's blocks too. */
void words_cell(struct words *w, const struct quire_view *view, const struct quire_hit *hit);

/* view_words_time.c */
void words_span(struct words *w, const struct quire_view *view, const struct quire_hit *hit);
void words_step(struct words *w, const struct quire_view *view, const struct quire_hit *hit);
void words_scrub(struct words *w, const struct quire_view *view, const struct quire_hit *hit);

#endif /* QUIRE_VIEW_WORDS_H */
