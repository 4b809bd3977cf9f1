/*
 * draw_shapes.c - colours, boxes, hatching, arrows.
 */
#include "draw_parts.h"

#include <math.h>

/* ---- colours ---- */

static uint32_t channel(uint32_t colour, uint32_t i)
{
	return colour >> (16 - 8 * i) & 0xff;
}

uint32_t draw_mix(uint32_t a, uint32_t b, double of_b)
{
	uint32_t colour = 0, part = (uint32_t)(of_b * 256 + 0.5);

	for (uint32_t i = 0; i < 3; i++)
		colour = colour << 8 |
			 (channel(a, i) * (256 - part) + channel(b, i) * part + 128) >> 8;
	return colour;
}

/* Relative luminance, https://www.w3.org/TR/WCAG21/#dfn-relative-luminance */
static double luminance(uint32_t colour)
{
	static const double weight[3] = {0.2126, 0.7152, 0.0722};
	double sum = 0;

	for (uint32_t i = 0; i < 3; i++) {
		double c = channel(colour, i) / 255.0;

		sum += weight[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum;
}

double draw_contrast(uint32_t a, uint32_t b)
{
	double x = luminance(a), y = luminance(b);

	return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

#define DARK_INK   0x000000u /* black: on any colour one of the two reaches 4.5 */
#define BRIGHT_INK 0xffffffu

uint32_t draw_ink_on(uint32_t colour)
{
	/* Where both are read well, bright letters on colours look calmer. */
	return draw_contrast(BRIGHT_INK, colour) >= 4.5 ||
			       draw_contrast(BRIGHT_INK, colour) > draw_contrast(DARK_INK, colour)
		       ? BRIGHT_INK
		       : DARK_INK;
}

uint32_t draw_owner(const struct quire_draw *d, uint32_t side, uint32_t seq)
{
	const struct quire_story *story = d->view->sides[side].story;
	uint32_t of = seq, sample = 0, colour;

	if (seq < story->tracks_count && story->tracks[seq].request != QUIRE_RECORD_NOBODY) {
		of = story->tracks[seq].request;
		sample = story->tracks[seq].sample;
	}
	colour = d->theme->owner[(of + 5 * sample) % QUIRE_OWNER_COLOURS];
	/* The next dozen is a little nearer to the ink, the one after it to the ground. */
	switch (of / QUIRE_OWNER_COLOURS % 3) {
	case 1:
		return draw_mix(colour, d->theme->ink, 0.22);
	case 2:
		return draw_mix(colour, d->theme->ground, 0.18);
	default:
		return colour;
	}
}

uint32_t draw_cell_colour(const struct quire_draw *d, uint32_t side, const struct quire_cell *cell)
{
	const struct quire_scene *scene = &d->view->sides[side].scene;
	uint32_t age, refs = cell->refs;

	switch (d->view->colouring) {
	case QUIRE_BY_REFS:
		return d->theme->refs[refs > 4 ? 3 : refs ? refs - 1 : 0];
	case QUIRE_BY_FILL:
		return draw_mix(d->theme->low, d->theme->high,
				(double)cell->live / scene->story->cell_slots);
	case QUIRE_BY_AGE:
		age = scene->state.counts.step - cell->given_step;
		return draw_mix(d->theme->high, d->theme->low, draw_age_share(draw_age(age)));
	default:
		return draw_owner(d, side, cell->owner);
	}
}

/* A quarter of a power of two is told apart. */
uint32_t draw_age(uint32_t steps)
{
	return (uint32_t)(4 * log2(1 + (double)steps));
}

double draw_age_share(uint32_t age)
{
	return fmin(1, age / 44.0); /* 2,048 steps are old */
}

void draw_set(struct quire_draw *d, uint32_t colour, double alpha)
{
	cairo_set_source_rgba(d->cr, channel(colour, 0) / 255.0, channel(colour, 1) / 255.0,
			      channel(colour, 2) / 255.0, alpha);
}

/* ---- boxes ---- */

double draw_pixel(const struct quire_draw *d)
{
	return 1 / d->scale;
}

double draw_snap(const struct quire_draw *d, double value)
{
	/* A half goes one way, however the last bits fell. */
	return floor(value * d->scale + 0.5 + 1e-6) / d->scale;
}

void draw_box(struct quire_draw *d, double x, double y, double width, double height)
{
	cairo_rectangle(d->cr, x, y, width, height);
}

void draw_round(struct quire_draw *d, double x, double y, double width, double height,
		double radius)
{
	cairo_t *cr = d->cr;

	radius = fmin(radius, fmin(width, height) / 2);
	if (radius * d->scale < 0.75) {
		cairo_rectangle(cr, x, y, width, height);
		return;
	}
	cairo_new_sub_path(cr);
	cairo_arc(cr, x + width - radius, y + radius, radius, -DRAW_PI / 2, 0);
	cairo_arc(cr, x + width - radius, y + height - radius, radius, 0, DRAW_PI / 2);
	cairo_arc(cr, x + radius, y + height - radius, radius, DRAW_PI / 2, DRAW_PI);
	cairo_arc(cr, x + radius, y + radius, radius, DRAW_PI, 1.5 * DRAW_PI);
	cairo_close_path(cr);
}

/* ---- hatching ---- */

/* Stripes x + slant y = phase + k x pitch in a box, all boxes' in one another's lines. */
static void stripes(struct quire_draw *d, double x, double y, double width, double height,
		    double pitch, int slant)
{
	double low = slant > 0 ? x + y : x - y - height;
	double high = low + width + height;
	double first = d->phase + ceil((low - d->phase) / pitch) * pitch;

	for (double c = first; c < high; c += pitch) {
		double from = fmax(x, slant > 0 ? c - y - height : c + y);
		double until = fmin(x + width, slant > 0 ? c - y : c + y + height);

		if (until <= from)
			continue;
		cairo_move_to(d->cr, from, slant > 0 ? c - from : from - c);
		cairo_line_to(d->cr, until, slant > 0 ? c - until : until - c);
	}
}

static void dots(struct quire_draw *d, double x, double y, double width, double height,
		 double pitch, double size)
{
	double first = d->phase + ceil((x - d->phase) / pitch) * pitch;

	for (double v = ceil(y / pitch) * pitch; v + size <= y + height; v += pitch)
		for (double u = first; u + size <= x + width; u += pitch)
			cairo_rectangle(d->cr, u, v, size, size);
}

uint32_t draw_tone(const struct quire_draw *d, enum draw_fill fill, uint32_t colour)
{
	const struct quire_theme *theme = d->theme;

	switch (fill) {
	case DRAW_RESERVED:
		return draw_mix(colour, theme->panel, 0.58);
	case DRAW_INTERNAL:
		return draw_mix(theme->internal, theme->panel, 0.45);
	case DRAW_CROSSED:
		return draw_mix(colour, theme->panel, 0.45);
	case DRAW_ROUNDING:
		return draw_mix(theme->unmapped, theme->panel, 0.5);
	case DRAW_FREE:
		return theme->free;
	default:
		return colour;
	}
}

void draw_fill(struct quire_draw *d, double x, double y, double width, double height,
	       enum draw_fill fill, uint32_t colour)
{
	const struct quire_theme *theme = d->theme;
	double em = d->em, pitch = fmax(0.42 * em, 4 * draw_pixel(d));
	double thin = fmin(width, height);
	bool small = thin * d->scale < 5.5 || thin < 0.7 * pitch || width * height < 0.25 * em * em;

	if (width <= 0 || height <= 0)
		return;
	if (small || fill == DRAW_SOLID || fill == DRAW_FREE) {
		draw_set(d, draw_tone(d, fill, colour), 1);
		draw_box(d, x, y, width, height);
		cairo_fill(d->cr);
		return;
	}
	if (fill == DRAW_INTERNAL)
		colour = theme->internal;
	if (fill == DRAW_BACKWARD)
		draw_set(d, colour, 1);
	else if (fill == DRAW_ROUNDING)
		draw_set(d, theme->free, 1);
	else
		draw_set(d, draw_mix(colour, theme->panel, 0.8), 1);
	draw_box(d, x, y, width, height);
	cairo_fill(d->cr);
	if (fill == DRAW_ROUNDING) {
		draw_set(d, theme->unmapped, 1);
		dots(d, x, y, width, height, pitch, fmax(0.11 * em, draw_pixel(d)));
		cairo_fill(d->cr);
		return;
	}
	/* Ends of stripes stay inside. */
	cairo_save(d->cr);
	draw_box(d, x, y, width, height);
	cairo_clip(d->cr);
	switch (fill) {
	case DRAW_BACKWARD:
		draw_set(d, theme->panel, 0.5);
		stripes(d, x, y, width, height, pitch, -1);
		break;
	case DRAW_INTERNAL:
	case DRAW_CROSSED:
		draw_set(d, colour, 0.85);
		stripes(d, x, y, width, height, pitch, 1);
		stripes(d, x, y, width, height, pitch, -1);
		break;
	default:
		draw_set(d, colour, 0.85);
		stripes(d, x, y, width, height, pitch, 1);
		break;
	}
	cairo_set_line_cap(d->cr, CAIRO_LINE_CAP_BUTT);
	cairo_set_line_width(d->cr, fmax(0.085 * em, draw_pixel(d)));
	cairo_stroke(d->cr);
	cairo_restore(d->cr);
}

/* ---- lines that lead somewhere ---- */

void draw_link(struct quire_draw *d, double x0, double y0, double x1, double y1)
{
	double bend = 0.5 * (y1 - y0);

	cairo_move_to(d->cr, x0, y0);
	cairo_curve_to(d->cr, x0, y0 + bend, x1, y1 - bend, x1, y1);
}

void draw_bow(struct quire_draw *d, double x0, double y0, double x1, double y1, double height,
	      double width)
{
	double head = 4 * width, cx = (x0 + x1) / 2;
	double cy = (height > 0 ? fmin(y0, y1) : fmax(y0, y1)) - height;
	double angle = atan2(y1 - cy, x1 - cx);
	double bx = x1 - 0.8 * head * cos(angle), by = y1 - 0.8 * head * sin(angle);

	cairo_set_line_width(d->cr, width);
	cairo_set_line_cap(d->cr, CAIRO_LINE_CAP_ROUND);
	cairo_move_to(d->cr, x0, y0);
	cairo_curve_to(d->cr, x0 + (cx - x0) * 0.35, cy, x1 - (x1 - cx) * 0.35, cy, bx, by);
	cairo_stroke(d->cr);
	cairo_move_to(d->cr, x1, y1);
	cairo_line_to(d->cr, x1 - head * cos(angle - 0.45), y1 - head * sin(angle - 0.45));
	cairo_line_to(d->cr, x1 - head * cos(angle + 0.45), y1 - head * sin(angle + 0.45));
	cairo_close_path(d->cr);
	cairo_fill(d->cr);
}
