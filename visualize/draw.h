/*
 * draw.h - a view, drawn with cairo: to a window's pixels, PNG, SVG, PDF, frames of films.
 *
 * A view is drawn as it is; drawing changes nothing in it.  What is kept between frames
 * (the font, the pool as an image, the timeline as an image) belongs to struct quire_draw
 * and is brought up to date by what changed (scene.h), so that a frame of 1,000,000 cells
 * costs as much as the cells that changed and the pixels that there are.  On a surface that
 * is not made of pixels nothing is kept, and small cells are one embedded image.
 *
 * The font is DejaVu Sans, shipped in fonts/ and built into the program: text is the same
 * on every machine.  It is set through FreeType without hinting, and fontconfig is not asked.
 */
#ifndef QUIRE_DRAW_H
#define QUIRE_DRAW_H

#include "view.h"

#include <cairo.h>

/* ---- colours ---- */

#define QUIRE_OWNER_COLOURS 12u

/* 0xrrggbb */
struct quire_theme {
	const char *name; /* as in "--theme dark" */
	uint32_t ground, panel, grid, ink, faint, accent, warn;
	uint32_t free, unmapped, reserved, internal;  /* parts of a cell */
	uint32_t given, freed, shared, copied, taken; /* flashes */
	uint32_t span[QUIRE_SPAN_COUNT];	      /* of the timeline */
	uint32_t series[QUIRE_SERIES_COUNT];	      /* of areas and lines */
	uint32_t owner[QUIRE_OWNER_COLOURS];	      /* of requests, by their id */
	uint32_t low, high;			      /* ends of the scale of fill and age */
	uint32_t refs[4];			      /* 1, 2, 3, more */
};
extern const struct quire_theme quire_themes[QUIRE_THEMES];

/* ---- drawing ---- */

struct quire_draw; /* font, images, scratch */

/* Return: 0; -ENOMEM, -EIO with a sentence. */
int quire_draw_new(struct quire_draw **out);
void quire_draw_free(struct quire_draw *draw);

/*
 * Draw the whole view onto @cr, whose units are points (the caller has scaled it by
 * view->scale where it is made of pixels).  Return: 0; -EIO with cairo's word for it.
 */
int quire_draw_frame(struct quire_draw *draw, cairo_t *cr, const struct quire_view *view);

/* CPU time of the last frame, by part, for --frame-times and tests. */
struct quire_draw_times {
	double pool_s, timeline_s, rest_s;
};
struct quire_draw_times quire_draw_times(const struct quire_draw *draw);

/* Width of a line of text in points. */
double quire_draw_text_width(struct quire_draw *draw, const char *text, double points, bool bold);

#endif /* QUIRE_DRAW_H */
