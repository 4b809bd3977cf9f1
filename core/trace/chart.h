/*
 * chart.h - charts, for reports, plans and whoever else has numbers to show.
 *
 * A figure is a grid of charts under one legend.  It is drawn on a canvas: as SVG
 * whose text is text, or with cairo as PNG or PDF.  All of it is made to be read in
 * print, in black and white too: what differs in colour differs in lightness, dash
 * or marker as well.
 *
 * Lengths are in points of the figure, 720 wide by custom, which is about the width
 * of a page; y grows downwards.  A value that is not finite, or not positive on a
 * logarithmic axis, is never drawn: a curve has a gap there.
 *
 * Texts are copied into their arrays, and cut if need be.  Arrays of values, curves,
 * marks and bars are borrowed, mostly from quire_figure_alloc().
 */
#ifndef QUIRE_CHART_H
#define QUIRE_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define QUIRE_CHART_TEXT 112 /* bytes of a text, with the ending 0 */

/* Colours that differ for colour-blind eyes as well (Okabe and Ito, "Color
 * Universal Design", 2008), without its yellow, which print does not show. */
enum quire_colour {
	QUIRE_BLUE = 0x0072b2,
	QUIRE_VERMILION = 0xd55e00,
	QUIRE_GREEN = 0x009e73,
	QUIRE_PURPLE = 0xcc79a7,
	QUIRE_SKY = 0x56b4e9,
	QUIRE_ORANGE = 0xe69f00,
	QUIRE_PALE = 0x9ed0f0, /* of blue, to lie between darker areas */
	QUIRE_MINT = 0x7cc9b0, /* of green, to stand beside darker bars */
	QUIRE_GREY = 0xb4b8be,
	QUIRE_INK = 0x20242b,
	QUIRE_FAINT = 0x555b64, /* of second rank, still read */
	QUIRE_GRID = 0xdfe2e6,
	QUIRE_SHADE = 0xeef0f2,
	QUIRE_WHITE = 0xffffff,
};
/* The i-th of many lines: a colour, a dash, a marker; they repeat. */
uint32_t quire_chart_colour(uint32_t i);

/* ---- axes ---- */

enum quire_scale { QUIRE_LINEAR, QUIRE_LOG10, QUIRE_LOG2 };

struct quire_axis {
	char label[QUIRE_CHART_TEXT]; /* with the unit: "TTFT (ms)"; "": none */
	enum quire_scale scale;
	bool percent;	  /* values are shares, shown as 0 % .. 100 % */
	bool exact;	  /* keep low and high as they are: do not round them */
	bool known;	  /* low and high say something */
	double low, high; /* what is seen; of LINEAR low is 0 unless exact */
};

/* See to it that @value is seen.  What can not be drawn is left out. */
void quire_axis_cover(struct quire_axis *axis, double value);
/* Round what is seen to ticks; of an axis that covers nothing, make something. */
void quire_axis_settle(struct quire_axis *axis, uint32_t ticks_max);
/* Where @value is: 0 low, 1 high, cut to these; NAN if it can not be drawn. */
double quire_axis_place(const struct quire_axis *axis, double value);

#define QUIRE_TICKS_MAX 32
struct quire_ticks {
	uint32_t count;
	double at[QUIRE_TICKS_MAX];
	char label[QUIRE_TICKS_MAX][64]; /* "": a tick without */
};

/* Round values, at most @ticks_max with a label. */
void quire_axis_ticks(const struct quire_axis *axis, uint32_t ticks_max, struct quire_ticks *ticks);

/* ---- what is drawn ---- */

enum quire_marker {
	QUIRE_NO_MARKER,
	QUIRE_CIRCLE,
	QUIRE_SQUARE,
	QUIRE_TRIANGLE,
	QUIRE_DIAMOND,
	QUIRE_MARKERS
};

/* How a line or an area looks, in a chart and in the legend. */
struct quire_look {
	uint32_t colour; /* 0xrrggbb */
	uint32_t dash;	 /* 0: a full line; others repeat */
	uint32_t marker; /* enum quire_marker */
	double size;	 /* of the marker; 0: 1, as all are; small ones have no edge */
	double width;	 /* of the line; 0: 1.6; less: no line, markers alone */
	bool area;	 /* filled; several areas are stacked */
	bool hollow;	 /* of a marker */
};

struct quire_curve {
	struct quire_look look;
	char name[QUIRE_CHART_TEXT]; /* shown when a pointer rests on it; "": none */
	const double *x, *y;	     /* [count] */
	uint32_t count;
	bool dots;	    /* a marker at each point */
	const bool *hollow; /* [count] these are hollow; NULL: none */
};

/* A point worth a marker, or a text beside it, or both. */
struct quire_mark {
	struct quire_look look;
	double x, y;
	char text[QUIRE_CHART_TEXT];
};

/* Something happens there: an upright line. */
#define QUIRE_MOMENTS_MAX 2
struct quire_moment {
	struct quire_look look;
	double x;
};

/* A horizontal bar of pieces, each as long as its value.  Where the axis goes below 0,
 * a bar is its first piece and grows from 0 to either side; a tip shows that it goes
 * on beyond the axis. */
#define QUIRE_PIECES_MAX 4
#define QUIRE_CELLS_MAX	 3
struct quire_bar {
	char label[QUIRE_CHART_TEXT]; /* left of it */
	char text[QUIRE_CHART_TEXT];  /* right of it */
	uint32_t pieces;
	double value[QUIRE_PIECES_MAX];
	uint32_t colour[QUIRE_PIECES_MAX];
	bool hollow;			/* only its outline: it is not to be compared */
	bool gap;			/* it begins a group: some room above */
	char cell[QUIRE_CELLS_MAX][24]; /* figures in columns at the right edge */
};

struct quire_chart {
	char title[QUIRE_CHART_TEXT];
	char unit[QUIRE_CHART_TEXT]; /* of the values, behind the title */
	struct quire_axis x, y;
	struct quire_curve *curves; /* [curves_count] */
	uint32_t curves_count;
	struct quire_mark *marks; /* [marks_count] */
	uint32_t marks_count;
	struct quire_bar *bars; /* [bars_count]; then y is not used */
	uint32_t bars_count;
	uint32_t cells; /* of each bar */
	char cell_head[QUIRE_CELLS_MAX][24];
	struct quire_moment moments[QUIRE_MOMENTS_MAX];
	uint32_t moments_count;
	double guides[2]; /* values of y with a dotted line; NAN: none */
	double shade[2];  /* from, until: values of x with a grey ground; NAN: none */
	char guide_label[2][16];
};

/* An empty chart: no guides, no shade. */
void quire_chart_init(struct quire_chart *chart, const char *title, const char *unit);
/* Let the axes cover what is drawn, and settle them. */
void quire_chart_fit(struct quire_chart *chart);

struct quire_legend {
	struct quire_look look;
	char text[QUIRE_CHART_TEXT];
};

struct quire_figure {
	char name[32];		      /* of its files */
	char title[QUIRE_CHART_TEXT]; /* headings are drawn where asked for */
	char subtitle[4 * QUIRE_CHART_TEXT];
	char caption[1024];	    /* how to read it, for those who print it beside */
	struct quire_chart *charts; /* [charts_count], row by row */
	uint32_t charts_count, columns;
	struct quire_legend *legend; /* [legend_count] */
	uint32_t legend_count;
	double width;
	double chart_height;	    /* without the label below the x axis */
	const double *row_heights;  /* of each row of charts instead; NULL: all are alike */
	struct quire_chunk *chunks; /* of quire_figure_alloc() */
};

/* Zeroed memory that lives as long as the figure.  Return: NULL if there is none. */
void *quire_figure_alloc(struct quire_figure *figure, size_t count, size_t size);
void quire_figure_free(struct quire_figure *figure);

enum quire_format { QUIRE_SVG, QUIRE_PNG, QUIRE_PDF, QUIRE_FORMATS };
extern const char *const quire_format_ending[QUIRE_FORMATS]; /* "svg" */

/*
 * Write a file, or with @headings false a piece of SVG for a page of HTML.
 * Return: 0; -EIO; -ENOMEM; see quire_failure().
 */
int quire_figure_write(const struct quire_figure *figure, FILE *out, enum quire_format format,
		       bool headings);

#endif /* QUIRE_CHART_H */
