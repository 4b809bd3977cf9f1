/*
 * draw_axis.c - pictures over time or steps: kept, moved on when their axis moves, drawn
 * again only where something new came into sight; ticks; the moment.
 */
#include "draw_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The begin of the last step: what lies behind it may still become other than it is. */
static double settled(const struct quire_story *story, bool steps)
{
	if (steps || !story->steps_count)
		return story->steps_count;
	return (double)story->steps[story->steps_count - 1].begin_ns;
}

struct draw_axis draw_axis_of(struct quire_draw *d, uint32_t side, const struct quire_rect *rect)
{
	const struct quire_story *story = d->view->sides[side].story;
	struct quire_axis_range range = quire_place_axis(d->view, side);

	return (struct draw_axis){
		.side = side,
		.steps = d->view->axis_steps,
		.rect = *rect,
		.from = range.from,
		.until = range.until,
		.known = d->view->axis_steps ? story->steps_count + 1.0
					     : (double)quire_story_end_ns(story),
		.settled = settled(story, d->view->axis_steps),
	};
}

struct draw_axis draw_axis_all(struct quire_draw *d, uint32_t side, const struct quire_rect *rect)
{
	return (struct draw_axis){
		.side = side,
		.rect = *rect,
		.until = (double)quire_place_end_ns(d->view),
		.known = (double)quire_story_end_ns(d->view->sides[side].story),
		.settled = settled(d->view->sides[side].story, false),
	};
}

void draw_axis_steps(const struct quire_draw *d, const struct draw_axis *axis, double low,
		     double high, uint32_t *first, uint32_t *until)
{
	const struct quire_story *story = d->view->sides[axis->side].story;
	double count = story->steps_count;

	*first = *until = 0;
	if (!story->steps_count || high <= low)
		return;
	if (axis->steps) {
		*first = (uint32_t)fmin(fmax(floor(low - 1), 0), count);
		*until = (uint32_t)fmin(fmax(ceil(high - 1), *first), count);
		return;
	}
	*first = quire_story_steps_ns(story, (uint64_t)fmax(low, 0));
	*until = quire_story_steps_ns(story, (uint64_t)fmax(high, 0)) + 1;
	/* One that has ended before belongs to the gap behind it. */
	if (*first < *until && story->steps[*first].end_ns &&
	    (double)story->steps[*first].end_ns <= low)
		++*first;
	if (*until > *first && (double)story->steps[*until - 1].begin_ns >= high)
		--*until;
}

/* The position on the axis of the moment that is shown. */
static double moment_of(struct quire_draw *d, const struct draw_axis *axis)
{
	const struct quire_story *story = d->view->sides[axis->side].story;
	uint64_t now_ns = quire_view_now_ns(d->view, axis->side);
	const struct quire_story_step *step;
	uint32_t i;

	if (!axis->steps || !story->steps_count)
		return (double)now_ns;
	i = quire_story_steps_ns(story, now_ns);
	step = &story->steps[i];
	if (now_ns <= step->begin_ns)
		return i + 1.0;
	if (!step->end_ns || now_ns >= step->end_ns)
		return i + 2.0;
	return i + 1.0 +
	       (double)(now_ns - step->begin_ns) / (double)(step->end_ns - step->begin_ns);
}

/* ---- kept pictures ---- */

static void render(struct quire_draw *d, struct draw_axis *axis, double x0, double x1,
		   draw_columns *columns)
{
	double top = axis->rect.y, bottom = axis->rect.y + axis->rect.height;

	/* Whole pixels: what is drawn again leaves nothing of what was there. */
	if (d->pixels) {
		top = floor(top * d->scale) / d->scale;
		bottom = ceil(bottom * d->scale) / d->scale;
	}
	x0 = fmax(x0, axis->rect.x - draw_pixel(d));
	x1 = fmin(x1, axis->rect.x + axis->rect.width + draw_pixel(d));
	if (x1 <= x0)
		return;
	axis->x0 = x0;
	axis->x1 = x1;
	/* What begins a little outside may reach into it. */
	axis->low = draw_value(axis, x0 - 2 * draw_pixel(d));
	axis->high = draw_value(axis, x1 + 2 * draw_pixel(d));
	cairo_save(d->cr);
	draw_box(d, x0, top, x1 - x0, bottom - top);
	cairo_clip(d->cr);
	draw_set(d, d->theme->panel, 1);
	cairo_paint(d->cr);
	/* Patterns move with the picture. */
	d->phase = draw_x(axis, 0);
	columns(d, axis);
	d->phase = 0;
	cairo_restore(d->cr);
}

/* Move the picture @pixels to the left. */
static void shift(struct draw_image *image, int pixels)
{
	size_t stay = (size_t)(image->width - (pixels < 0 ? -pixels : pixels)) * sizeof(uint32_t);

	cairo_surface_flush(image->surface);
	for (int y = 0; y < image->height; y++) {
		uint32_t *row = image->pixels + (ptrdiff_t)y * image->stride;

		if (pixels > 0)
			memmove(row, row + pixels, stay);
		else
			memmove(row - pixels, row, stay);
	}
	cairo_surface_mark_dirty(image->surface);
}

static void update(struct quire_draw *d, struct draw_scroll *scroll, struct draw_axis *axis,
		   bool afresh, draw_columns *columns)
{
	struct draw_image *image = &scroll->image;
	double pixel = draw_pixel(d), left = image->x * pixel, right = left + image->width * pixel;
	double per_pixel = (axis->until - axis->from) / (axis->rect.width * d->scale), x0, moved;
	uint64_t indexed = d->view->sides[axis->side].story->indexed;
	cairo_t *cr;

	/* The picture moves by whole pixels. */
	x0 = round(axis->from / per_pixel);
	moved = x0 - scroll->first;
	axis->from = x0 * per_pixel;
	axis->until = axis->from + per_pixel * axis->rect.width * d->scale;
	cr = draw_into(d, image);
	if (afresh || fabs(moved) >= image->width) {
		render(d, axis, left, right, columns);
	} else {
		if (moved != 0)
			shift(image, (int)moved);
		if (moved > 0)
			render(d, axis, right - (moved + 1) * pixel, right, columns);
		else if (moved < 0)
			render(d, axis, left, left - (moved - 1) * pixel, columns);
		if (indexed != scroll->indexed)
			render(d, axis, floor(draw_x(axis, scroll->settled) * d->scale - 2) * pixel,
			       ceil(draw_x(axis, axis->known) * d->scale + 1) * pixel, columns);
	}
	draw_back(d, image, cr);
	scroll->first = x0;
	scroll->settled = axis->settled;
	scroll->indexed = indexed;
}

void draw_scroll(struct quire_draw *d, struct draw_scroll *scroll, const struct draw_axis *of,
		 uint64_t key, draw_columns *columns)
{
	struct draw_axis axis = *of;
	const struct quire_rect *rect = &axis.rect;
	double x, right = rect->x + rect->width;

	if (rect->width <= 0 || rect->height <= 0 || axis.until <= axis.from)
		return;
	if (d->pixels) {
		double per_pixel = (axis.until - axis.from) / (rect->width * d->scale);
		int rc = draw_image(d, &scroll->image, rect,
				    draw_key_real(draw_key(key, axis.steps), per_pixel));

		if (rc < 0)
			return;
		update(d, scroll, &axis, rc > 0, columns);
		draw_show(d, &scroll->image);
	} else {
		render(d, &axis, rect->x, right, columns);
	}
	/* What is still to come is there, but stands back; in a lesson it is not told. */
	x = fmax(draw_x(of, moment_of(d, of)), rect->x);
	if (x < right) {
		draw_set(d, d->theme->panel, d->view->guide ? 1 : 0.72);
		draw_box(d, x, rect->y, right - x, rect->height);
		cairo_fill(d->cr);
	}
}

void draw_moment(struct quire_draw *d, const struct draw_axis *axis, double y, double until_y)
{
	double x = draw_snap(d, draw_x(axis, moment_of(d, axis)));
	double line = fmax(draw_pixel(d), draw_snap(d, 0.12 * d->em));

	if (x < axis->rect.x || x > axis->rect.x + axis->rect.width)
		return;
	draw_set(d, d->theme->accent, 1);
	draw_box(d, x - line / 2, y, line, until_y - y);
	cairo_fill(d->cr);
}

/* ---- ticks ---- */

/* A round distance of ticks, at least @room points apart. */
static double tick_step(const struct draw_axis *axis, double room)
{
	double least = (axis->until - axis->from) / axis->rect.width * room, power, of;

	if (axis->steps && least < 1)
		return 1;
	/* As the axis moves it is the same, to the last bits. */
	power = pow(10, floor(log10(least) + 1e-9));
	of = least / power * (1 - 1e-9);
	return power * (of <= 1 ? 1 : of <= 2 ? 2 : of <= 5 ? 5 : 10);
}

void draw_ticks(struct quire_draw *d, const struct draw_axis *axis)
{
	double step = tick_step(axis, 7 * d->em);

	draw_set(d, d->theme->grid, 0.55);
	for (double v = ceil(axis->low / step) * step; v <= axis->high; v += step)
		draw_box(d, draw_snap(d, draw_x(axis, v)), axis->rect.y, draw_pixel(d),
			 axis->rect.height);
	cairo_fill(d->cr);
}

void draw_tick_labels(struct quire_draw *d, const struct draw_axis *axis, double y)
{
	double step = tick_step(axis, 7 * d->em), unit = 1e9;
	const char *name = "s";
	int decimals;

	if (axis->until < 2e6) {
		unit = 1e3;
		name = "\xc2\xb5s";
	} else if (axis->until < 2e9) {
		unit = 1e6;
		name = "ms";
	}
	decimals = step < unit ? (int)ceil(-log10(step / unit) - 1e-9) : 0;
	for (double v = ceil(axis->from / step) * step; v <= axis->until; v += step) {
		struct draw_style style = {
			.points = 0.82 * d->em, .colour = d->theme->faint, .align = DRAW_CENTRE};
		double x = draw_x(axis, v);
		char text[48], number[32];

		if (axis->steps)
			snprintf(text, sizeof(text), "step %s", draw_count((uint64_t)v, number));
		else
			snprintf(text, sizeof(text), "%.*f %s", decimals, v / unit, name);
		if (x < axis->rect.x + 2 * d->em) {
			style.align = DRAW_LEFT;
			x = fmax(x, axis->rect.x);
		} else if (x > axis->rect.x + axis->rect.width - 2.5 * d->em) {
			style.align = DRAW_RIGHT;
			x = fmin(x + 2 * d->em, axis->rect.x + axis->rect.width);
		}
		draw_text(d, x, y, text, style);
	}
}
