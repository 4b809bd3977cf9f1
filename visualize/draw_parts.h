/*
 * draw_parts.h - what the files of draw.h share: the frame that is being drawn, simple
 * shapes and letters, pictures that are kept; private to draw*.c.
 *
 *	draw.c		the frame: panels in order, times
 *	draw_shapes.c	colours, boxes, hatching, arrows
 *	draw_text.c	letters, numbers, paragraphs
 *	draw_image.c	pictures that are kept
 *	draw_pool.c	the pool: what is kept, what moves over it
 *	draw_cell.c	one cell, from a bar to a block of tokens
 *	draw_pixels.c	cells about as small as a pixel
 *	draw_sequence.c	the blocks of one sequence
 *	draw_life.c	what it does, in words
 *	draw_axis.c	images that scroll, ticks, the moment's line
 *	draw_timeline.c, draw_steps.c
 *	draw_gauges.c, draw_queues.c
 *	draw_frame.c	header, scrub bar, legend
 *	draw_notes.c	lesson, help, tooltip, search
 *
 * While a frame is drawn, draw->cr is where it goes to: the caller's, or a kept image; in
 * both the units are points of the window.
 */
#ifndef QUIRE_DRAW_PARTS_H
#define QUIRE_DRAW_PARTS_H

#include "draw.h"
#include "font.h"
#include "place.h"

#define DRAW_PI 3.14159265358979323846

/* ---- what is kept ---- */

/* A picture of a part of the window, in device pixels. */
struct draw_image {
	cairo_surface_t *surface; /* RGB24; NULL: none yet */
	cairo_t *cr;		  /* onto it, in points of the window */
	uint32_t *pixels;	  /* [height][stride], 0xXXrrggbb */
	int x, y;		  /* where it lies in the window, in pixels */
	int width, height, stride;
	double scale;
	uint64_t key; /* of all that it depends on */
};

/* One pixel that lies under a flash. */
struct draw_undo {
	uint32_t at, colour;
};

struct draw_cover;
struct draw_pool {
	struct draw_image image;
	uint32_t *looks; /* [looks_limit] each cell as it was drawn; of small ones the colour */
	size_t looks_limit;
	struct draw_cover *covers; /* [covers_limit] of columns, then of rows of pixels */
	size_t covers_limit;
	uint32_t *due; /* [due_limit] of groups: when colours by age change next, a step */
	size_t due_limit;
	uint32_t seen;		/* scene->tick that is drawn */
	uint32_t step;		/* likewise; for ages */
	bool nameless;		/* of some cells it is not known yet whose request they belong to */
	struct draw_undo *undo; /* [undo_limit] */
	size_t undo_count, undo_limit;
};

/* An image whose x axis is time or steps: columns are drawn when they come into sight. */
struct draw_scroll {
	struct draw_image image;
	double first;	  /* the left column, in pixels from the axis's 0; a whole number */
	double settled;	  /* columns are right up to here, on the axis, */
	uint64_t indexed; /* and all of them as long as no more events are known */
};

struct draw_side {
	struct draw_pool pool;
	struct draw_scroll timeline, steps, memory;
	const struct quire_story *story; /* of these: */
	uint32_t steps_seen;
	uint32_t tokens_max; /* of each of these steps */
};

/* Along the scrub bar. */
#define DRAW_MARKS_MAX 4096u
struct draw_marks {
	uint64_t key;
	uint32_t count;
	uint32_t preemptions[DRAW_MARKS_MAX], copies[DRAW_MARKS_MAX];
};

struct quire_draw {
	struct font font;
	struct draw_side sides[2];
	struct draw_marks marks;
	float *cover; /* [cover_limit] of the timeline's lines of many sequences */
	size_t cover_limit;
	/* where two stories part, as far as it was looked for */
	const struct quire_story *parted_of[2];
	uint64_t parted_indexed[2], parted_at[2];
	bool parted;
	struct quire_draw_times times;

	/* of this frame */
	cairo_t *cr;
	const struct quire_view *view;
	const struct quire_theme *theme;
	double em;
	double scale; /* pixels a point; of what is not made of pixels: of images in it */
	bool pixels;  /* it goes to an image, which is only scaled */
	double phase; /* where patterns begin, in points; 0, but in what scrolls */
	int error;    /* -ENOMEM: a part is missing */
};

/* ---- colours ---- */

uint32_t draw_mix(uint32_t a, uint32_t b, double of_b);
/* Contrast of WCAG 2.1, 1 .. 21. */
double draw_contrast(uint32_t a, uint32_t b);
/* Letters on @colour: dark or bright, what is better read. */
uint32_t draw_ink_on(uint32_t colour);
/* A sequence's colour: its request's, samples differ from each other. */
uint32_t draw_owner(const struct quire_draw *d, uint32_t side, uint32_t seq);
/* The colour of a cell's live part, as view->colouring has it. */
uint32_t draw_cell_colour(const struct quire_draw *d, uint32_t side, const struct quire_cell *cell);
/* Ages in steps as classes, of which a power of two has four, and a class as 0 new .. 1 old. */
uint32_t draw_age(uint32_t steps);
double draw_age_share(uint32_t age);
void draw_set(struct quire_draw *d, uint32_t colour, double alpha);

/* ---- shapes ---- */

/* Both only add to the path. */
void draw_box(struct quire_draw *d, double x, double y, double width, double height);
void draw_round(struct quire_draw *d, double x, double y, double width, double height,
		double radius);
/* The length of a device pixel, and a length or place rounded to them, at least one. */
double draw_pixel(const struct quire_draw *d);
double draw_snap(const struct quire_draw *d, double value);

/* What is not live is told by how it is filled, in print too. */
enum draw_fill {
	DRAW_SOLID,
	DRAW_RESERVED, /* wide stripes */
	DRAW_INTERNAL, /* crossed stripes */
	DRAW_ROUNDING, /* dots */
	DRAW_FREE,     /* nothing but a ground */
	DRAW_CROSSED,  /* as internal, in its own colour: padding */
	DRAW_BACKWARD, /* solid, with stripes the other way: recomputed */
	DRAW_FILLS
};
/* Fill a box with @colour's variant of @fill; small boxes get a tone. */
void draw_fill(struct quire_draw *d, double x, double y, double width, double height,
	       enum draw_fill fill, uint32_t colour);
/* The same as one tone, for what is too small. */
uint32_t draw_tone(const struct quire_draw *d, enum draw_fill fill, uint32_t colour);
/* A curve from above to below: S-shaped. */
void draw_link(struct quire_draw *d, double x0, double y0, double x1, double y1);
/* A bow with an arrow's head at its end; @height below 0: hanging. */
void draw_bow(struct quire_draw *d, double x0, double y0, double x1, double y1, double height,
	      double width);

/* ---- letters ---- */

enum draw_align { DRAW_LEFT, DRAW_CENTRE, DRAW_RIGHT };

struct draw_style {
	double points;
	uint32_t colour;
	double alpha; /* 0: 1 */
	bool bold;
	enum draw_align align;
	double width; /* no wider: it is cut, and ends in "..."; 0: as it is */
};
/* @y: the base line.  Return: its width. */
double draw_text(struct quire_draw *d, double x, double y, const char *text,
		 struct draw_style style);
double draw_width(struct quire_draw *d, const char *text, double points, bool bold);
/* Lines of words, no wider than @style.width.  Return: the base line behind the last;
 * with @measure nothing is drawn. */
double draw_words(struct quire_draw *d, double x, double y, const char *text,
		  struct draw_style style, double line, uint32_t lines_max, bool measure);
/* The letter of one of two stories.  Return: its width. */
double draw_badge(struct quire_draw *d, uint32_t side, double x, double y);
/* A panel's ground and title.  Return: false: it is not shown. */
bool draw_panel(struct quire_draw *d, uint32_t side, enum quire_panel_kind panel);

/* "1,234"; "12.5 s", "340 ms": three digits that matter. */
const char *draw_count(uint64_t count, char text[32]);
const char *draw_seconds(double seconds, char text[32]);
/* A number with its unit parted, for large figures: "12.5" and "ms". */
const char *draw_number(double value, char text[32]);

/* ---- kept images ---- */

#define DRAW_KEY 0x9e3779b97f4a7c15u
uint64_t draw_key(uint64_t key, uint64_t word);
uint64_t draw_key_real(uint64_t key, double value);
uint64_t draw_key_rect(uint64_t key, const struct quire_rect *rect);
/* What every picture depends on: theme, size of letters, scale. */
uint64_t draw_key_view(const struct quire_draw *d, uint32_t side);

/* Have @image lie under @rect.  Return: 1: it is new or @key is another, and all of it is
 * to be drawn; 0: it is as it was; -ENOMEM. */
int draw_image(struct quire_draw *d, struct draw_image *image, const struct quire_rect *rect,
	       uint64_t key);
void draw_image_free(struct draw_image *image);
/* What is drawn from now on goes to @image, and then back.  Return: where it went. */
cairo_t *draw_into(struct quire_draw *d, struct draw_image *image);
void draw_back(struct quire_draw *d, struct draw_image *image, cairo_t *cr);
/* Show it where it lies. */
void draw_show(struct quire_draw *d, const struct draw_image *image);

/* ---- cells ---- */

#define DRAW_SHARERS_MAX 6u

/* A cell of the pool, drawn by cairo: @at is its square, over the panel's ground. */
void draw_cell(struct quire_draw *d, uint32_t side, const struct quire_pool_grid *grid,
	       uint32_t cell, const struct quire_rect *at);
/* Slots in a row, parted as the cell is: live, reserved, internal, rounding.  In bands of
 * @colours [@count]. */
void draw_bar(struct quire_draw *d, const struct quire_cell *cell, uint32_t slots,
	      const struct quire_rect *at, const uint32_t *colours, uint32_t count);
/* One slot of a cell, with what is in it. */
void draw_slot(struct quire_draw *d, uint32_t side, const struct quire_cell *cell, uint32_t seq,
	       uint32_t position, uint32_t slot, const struct quire_rect *at,
	       const uint32_t *colours, uint32_t count);
/* A token that lies in no slot. */
void draw_token(struct quire_draw *d, uint32_t side, uint32_t seq, uint32_t position,
		const struct quire_rect *at);
/* Colours of all who share @cell, at most DRAW_SHARERS_MAX.  Return: how many. */
uint32_t draw_cell_colours(const struct quire_draw *d, uint32_t side, uint32_t cell,
			   uint32_t *colours);

uint32_t draw_flash_colour(const struct quire_draw *d, uint32_t kind);
/* Has something newer happened to the cell of the @i-th flash?  Only those near are asked. */
bool draw_outdone(const struct quire_scene *scene, uint64_t i);

/* ---- cells as small as pixels ---- */

/* What one pixel covers of the cells on one axis: [first, first + count), in 256ths. */
struct draw_cover {
	uint32_t first, count;
	uint32_t of_first, whole, of_last; /* count 1: of_first alone */
	uint32_t ground;		   /* what no cell covers */
};

struct draw_field {
	uint32_t *looks; /* [rows][columns] the colour of each cell */
	uint32_t columns, rows;
	struct draw_cover *across, *down; /* [width], [height] of the image's pixels */
	uint32_t ground;
};

/* Of @pixels pixels, where cell 0 begins at @origin and each is @pitch pixels long. */
void draw_pixels_covers(struct draw_cover *covers, uint32_t pixels, double origin, double pitch,
			uint32_t count);
/* Pixels [x0, x1) x [y0, y1) of the image, as far as it has them. */
void draw_pixels(struct draw_image *image, const struct draw_field *field, int x0, int y0, int x1,
		 int y1);
/* A cell of some pixels. */
void draw_pixels_box(struct draw_image *image, double x, double y, double size, uint32_t colour);

/* What a sequence does, as a bar of the timeline. */
void draw_span(struct quire_draw *d, enum quire_span_kind kind, double x, double y, double width,
	       double height);

/* ---- the selected sequence in words ---- */

/* Who it is and what it does, behind the panel's title. */
void draw_who(struct quire_draw *d, uint32_t side);
/* In the room that its blocks leave: its tokens, or "first token after 312 ms, ...". */
void draw_life(struct quire_draw *d, uint32_t side, const struct quire_rect *body);

/* ---- an axis of time or steps ---- */

struct draw_axis {
	uint32_t side;
	bool steps;		/* it counts steps, from 1; else ns */
	bool fine;		/* there is room for each step */
	struct quire_rect rect; /* what it spans, in points */
	double from, until;	/* values at its ends */
	double known, settled;	/* there is nothing behind it; what is before it stays */
	/* of the columns that are to be drawn */
	double x0, x1;	  /* points */
	double low, high; /* values of them and of two pixels more */
};

static inline double draw_x(const struct draw_axis *axis, double value)
{
	return axis->rect.x + (value - axis->from) / (axis->until - axis->from) * axis->rect.width;
}

static inline double draw_value(const struct draw_axis *axis, double x)
{
	return axis->from + (x - axis->rect.x) / axis->rect.width * (axis->until - axis->from);
}

/* The axis of TIMELINE and STEPS over @rect. */
struct draw_axis draw_axis_of(struct quire_draw *d, uint32_t side, const struct quire_rect *rect);
/* Time from the beginning to the end of all, over @rect. */
struct draw_axis draw_axis_all(struct quire_draw *d, uint32_t side, const struct quire_rect *rect);
/* The steps that lie somewhere in [low, high), as indices into story->steps. */
void draw_axis_steps(const struct quire_draw *d, const struct draw_axis *axis, double low,
		     double high, uint32_t *first, uint32_t *until);

/* Draw columns [axis->x0, axis->x1), whose ground is there. */
typedef void draw_columns(struct quire_draw *d, const struct draw_axis *axis);

/* Show what @columns draws, kept in @scroll; of what lies behind the moment, a shadow. */
void draw_scroll(struct quire_draw *d, struct draw_scroll *scroll, const struct draw_axis *axis,
		 uint64_t key, draw_columns *columns);
/* Lines at round values, and below the axis their labels. */
void draw_ticks(struct quire_draw *d, const struct draw_axis *axis);
void draw_tick_labels(struct quire_draw *d, const struct draw_axis *axis, double y);
/* The moment, as a line from @y to @until_y. */
void draw_moment(struct quire_draw *d, const struct draw_axis *axis, double y, double until_y);

/* ---- panels ---- */

void draw_pool(struct quire_draw *d, uint32_t side);
void draw_sequence(struct quire_draw *d, uint32_t side);
void draw_timeline(struct quire_draw *d, uint32_t side);
void draw_steps(struct quire_draw *d, uint32_t side);
void draw_gauges(struct quire_draw *d, uint32_t side);
void draw_queues(struct quire_draw *d, uint32_t side);
void draw_header(struct quire_draw *d);
void draw_scrub(struct quire_draw *d);
void draw_legend(struct quire_draw *d);
void draw_lesson(struct quire_draw *d);
void draw_dialog(struct quire_draw *d);
void draw_tooltip(struct quire_draw *d);

#endif /* QUIRE_DRAW_PARTS_H */
