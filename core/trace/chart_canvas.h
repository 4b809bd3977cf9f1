/*
 * chart_canvas.h - what charts are drawn on.  Private to chart*.c.
 */
#ifndef QUIRE_CHART_CANVAS_H
#define QUIRE_CHART_CANVAS_H

#include "chart.h"

struct quire_point {
	double x, y;
};

#define QUIRE_NO_COLOUR UINT32_MAX
struct quire_brush {
	uint32_t fill, stroke; /* 0xrrggbb or QUIRE_NO_COLOUR */
	double width;
	uint32_t dash; /* 0: none, else see quire_dash() */
	bool closed;
};

enum quire_align { QUIRE_LEFT, QUIRE_MIDDLE, QUIRE_RIGHT };
struct quire_type {
	double size;
	uint32_t colour;
	enum quire_align align;
	bool bold;
	bool upright; /* turned to the left, to be read from below */
};

/* Pass all points; texts are UTF-8. */
struct quire_canvas {
	void (*path)(struct quire_canvas *canvas, const struct quire_point *points, uint32_t count,
		     const struct quire_brush *brush);
	void (*text)(struct quire_canvas *canvas, double x, double y, const struct quire_type *type,
		     const char *text);
	/* What is drawn from here belongs together and has a name; NULL ends it. */
	void (*group)(struct quire_canvas *canvas, const char *name);
	bool short_of_memory; /* something could not be drawn */
};

#define QUIRE_DASHES	 5
#define QUIRE_DASH_PARTS 4
/* Lengths of line and gap of a dash from 1 on; 0 ends them. */
const double *quire_dash(uint32_t dash);

/* About how wide a text is in DejaVu Sans, which is wider than most: what is laid
 * out with it has room in other fonts. */
double quire_text_width(const char *text, double size, bool bold);
/* As much of a text as fits, ".." behind it if it is not all. */
void quire_text_fit(char *to, size_t bytes, const char *text, double size, bool bold, double width);
/* As many words as fit. Return: bytes of @text, at least one word of it. */
size_t quire_text_break(const char *text, double size, double width);

/* Bytes of the character that @text begins with; 0 if it is none of UTF-8, or one that
 * XML does not allow.  Backends show '?' there. */
uint32_t quire_text_char(const char *text);
/* Write text for XML. */
void quire_text_xml(FILE *out, const char *text);

void quire_draw_line(struct quire_canvas *c, double x0, double y0, double x1, double y1,
		     uint32_t colour, double width, uint32_t dash);
void quire_draw_box(struct quire_canvas *c, double x, double y, double width, double height,
		    uint32_t fill, uint32_t stroke);
void quire_draw_marker(struct quire_canvas *c, double x, double y, const struct quire_look *look);
/* A piece of line or area as it looks, for a legend; @x its left, @y its middle. */
void quire_draw_sample(struct quire_canvas *c, double x, double y, const struct quire_look *look);

#define QUIRE_LABEL_HEIGHT 12 /* of the text below the x axis */
/* Draw one chart into a rectangle, axes and labels included. */
void quire_chart_draw(struct quire_canvas *c, const struct quire_chart *chart, double x, double y,
		      double width, double height);
/* Bars into a rectangle, without the title. */
void quire_chart_draw_bars(struct quire_canvas *c, const struct quire_chart *chart, double x,
			   double y, double width, double height);
double quire_figure_height(const struct quire_figure *figure, bool headings);
void quire_figure_draw(struct quire_canvas *c, const struct quire_figure *figure, bool headings);

/* The backends.  Return: 0; -errno, see quire_failure(). */
int quire_figure_svg(const struct quire_figure *figure, FILE *out, bool headings);
int quire_figure_cairo(const struct quire_figure *figure, FILE *out, enum quire_format format,
		       bool headings);

#endif /* QUIRE_CHART_CANVAS_H */
