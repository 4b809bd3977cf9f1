/*
 * draw_timeline.c - what every sequence does, from when to when.
 *
 * What runs is thick, what waits is a line: so the picture is read before its colours are.
 * Where a line of pixels stands for several sequences, or a pixel for several spans, it has
 * the mean of their colours.
 */
#include "draw_parts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 16u /* sequences, at most, that a line of pixels looks at */

void draw_span(struct quire_draw *d, enum quire_span_kind kind, double x, double y, double width,
	       double height)
{
	static const struct {
		double thick; /* of the height */
		enum draw_fill fill;
	} looks[QUIRE_SPAN_COUNT] = {
		[QUIRE_SPAN_WAITING] = {0.14, DRAW_SOLID},
		[QUIRE_SPAN_PROMPT] = {1, DRAW_SOLID},
		[QUIRE_SPAN_DECODE] = {0.62, DRAW_SOLID},
		[QUIRE_SPAN_RECOMPUTE] = {1, DRAW_BACKWARD},
		[QUIRE_SPAN_HELD] = {0.62, DRAW_FREE}, /* with an edge */
		[QUIRE_SPAN_PREEMPTED] = {0.14, DRAW_SOLID},
		[QUIRE_SPAN_KEPT] = {0.62, DRAW_CROSSED},
	};
	uint32_t colour = d->theme->span[kind];
	double pixel = draw_pixel(d), thick = fmax(pixel, draw_snap(d, looks[kind].thick * height));
	double top = draw_snap(d, y + (height - thick) / 2);

	if (height < 5.5 * pixel) {
		/* No room for shapes: what waits stands back. */
		if (looks[kind].thick < 0.2)
			colour = draw_mix(colour, d->theme->panel, 0.6);
		else
			colour = draw_tone(d, looks[kind].fill, colour);
		draw_fill(d, x, y, width, height, DRAW_SOLID, colour);
		return;
	}
	if (kind == QUIRE_SPAN_PREEMPTED) {
		double dash = 3 * thick;
		double first = d->phase + ceil((x - d->phase) / (2 * dash)) * 2 * dash;

		/* Its beginning is a fall. */
		draw_set(d, colour, 1);
		cairo_move_to(d->cr, x, y);
		cairo_line_to(d->cr, x + fmin(0.5 * height, width), y + height / 2);
		cairo_line_to(d->cr, x, y + height);
		cairo_close_path(d->cr);
		for (double u = first; u < x + width; u += 2 * dash)
			draw_box(d, u, top, fmin(dash, x + width - u), thick);
		cairo_fill(d->cr);
		return;
	}
	draw_fill(d, x, top, width, thick, looks[kind].fill, colour);
	if (kind == QUIRE_SPAN_HELD && width > 3.5 * pixel) {
		draw_set(d, colour, 1);
		draw_box(d, x + pixel / 2, top + pixel / 2, width - pixel, thick - pixel);
		cairo_set_line_width(d->cr, pixel);
		cairo_stroke(d->cr);
	}
}

/* ---- one sequence ---- */

static double span_from(const struct draw_axis *axis, const struct quire_span *span)
{
	return axis->steps ? span->from_step : (double)span->from_ns;
}

static double span_until(const struct draw_axis *axis, const struct quire_span *span)
{
	double until = axis->steps ? span->until_step : (double)span->until_ns;

	return until > 0 ? until : axis->known;
}

/* The spans of @track that lie in the columns: [*@first, *@until). */
static void spans_in_sight(const struct draw_axis *axis, const struct quire_track *track,
			   uint32_t *first, uint32_t *until)
{
	uint32_t low = 0, high = track->spans_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (span_until(axis, &track->spans[middle]) < axis->low)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	high = track->spans_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (span_from(axis, &track->spans[middle]) < axis->high)
			low = middle + 1;
		else
			high = middle;
	}
	*until = low;
}

static void one_row(struct quire_draw *d, const struct draw_axis *axis,
		    const struct quire_track *track, uint32_t first, uint32_t until, double y,
		    double height)
{
	double pixel = draw_pixel(d);

	for (uint32_t i = first; i < until; i++) {
		const struct quire_span *span = &track->spans[i];
		double x0 = draw_x(axis, span_from(axis, span));
		double x1 = draw_x(axis, span_until(axis, span)), gap;

		x0 = draw_snap(d, x0);
		x1 = draw_snap(d, x1);
		/* Chunks of a prompt are told apart. */
		gap = span->kind == QUIRE_SPAN_PROMPT && x1 - x0 > 3.5 * pixel ? pixel : 0;
		x0 = fmax(x0, draw_snap(d, axis->x0 - height) - 4 * pixel);
		x1 = fmin(x1, draw_snap(d, axis->x1 + height) + 4 * pixel);
		draw_span(d, (enum quire_span_kind)span->kind, x0, y, fmax(x1 - x0 - gap, pixel),
			  height);
	}
	/* Its first token. */
	if (!track->first_token_ns || axis->steps || height < 6 * pixel)
		return;
	draw_set(d, d->theme->ink, 1);
	draw_box(d, draw_snap(d, draw_x(axis, (double)track->first_token_ns)) - pixel, y, 2 * pixel,
		 height);
	cairo_fill(d->cr);
}

/* ---- many sequences in a line of pixels ---- */

/* Add how long each kind lasts in each column: @cover [columns][QUIRE_SPAN_COUNT]. */
static void add_cover(struct quire_draw *d, const struct draw_axis *axis,
		      const struct quire_track *track, uint32_t first, uint32_t until, int columns)
{
	for (uint32_t i = first; i < until; i++) {
		const struct quire_span *span = &track->spans[i];
		double x0 = (draw_x(axis, span_from(axis, span)) - axis->x0) * d->scale;
		double x1 = (draw_x(axis, span_until(axis, span)) - axis->x0) * d->scale;

		x0 = fmax(x0, 0);
		x1 = fmin(x1, columns);
		for (int c = (int)x0; c < x1; c++) {
			double share = fmin(x1, c + 1) - fmax(x0, c);

			d->cover[(size_t)c * QUIRE_SPAN_COUNT + span->kind] += (float)share;
		}
	}
}

static void show_cover(struct quire_draw *d, const struct draw_axis *axis, int columns, double of,
		       double y, double height)
{
	/* What waits is a line elsewhere, and light here. */
	static const double weight[QUIRE_SPAN_COUNT] = {
		[QUIRE_SPAN_WAITING] = 0.3, [QUIRE_SPAN_PROMPT] = 1, [QUIRE_SPAN_DECODE] = 1,
		[QUIRE_SPAN_RECOMPUTE] = 1, [QUIRE_SPAN_HELD] = 0.5, [QUIRE_SPAN_PREEMPTED] = 0.6,
		[QUIRE_SPAN_KEPT] = 0.8,
	};
	uint32_t last = 0;
	int begin = 0;

	for (int c = 0; c <= columns; c++) {
		const float *cover = d->cover + (size_t)c * QUIRE_SPAN_COUNT;
		double sum = 0, all = 0;
		uint32_t colour = d->theme->panel;

		for (uint32_t k = 0; c < columns && k < QUIRE_SPAN_COUNT; k++) {
			double share = (double)cover[k] * weight[k];

			sum += share;
			all += (double)cover[k];
			if (share > 0)
				colour = draw_mix(colour, d->theme->span[k], share / sum);
		}
		/* A few of many are still to be seen. */
		if (all > 0)
			colour = draw_mix(d->theme->panel, colour,
					  fmin(1, sum / all * sqrt(fmin(1, all / of))));
		if (c == 0)
			last = colour;
		if (colour == last && c < columns)
			continue;
		if (last != d->theme->panel) {
			draw_set(d, last, 1);
			draw_box(d, axis->x0 + begin / d->scale, y, (c - begin) / d->scale, height);
			cairo_fill(d->cr);
		}
		begin = c;
		last = colour;
	}
}

/* Sequences [@from, @until) in one line, of which those up to @end are born. */
static void many_rows(struct quire_draw *d, const struct draw_axis *axis, uint32_t from,
		      uint32_t until, uint32_t end, double y, double height)
{
	const struct quire_story *story = d->view->sides[axis->side].story;
	int columns = (int)ceil((axis->x1 - axis->x0) * d->scale);
	size_t count = ((size_t)columns + 1) * QUIRE_SPAN_COUNT;
	uint32_t samples = until - from, first, last;

	if (count > d->cover_limit) {
		float *grown = realloc(d->cover, count * sizeof(*grown));

		if (!grown) {
			d->error = -ENOMEM;
			return;
		}
		d->cover = grown;
		d->cover_limit = count;
	}
	memset(d->cover, 0, count * sizeof(*d->cover));
	samples = samples > SAMPLES ? SAMPLES : samples;
	for (uint32_t i = 0; i < samples; i++) {
		uint32_t id = from + (uint32_t)((uint64_t)(until - from) * i / samples);

		if (id >= end)
			break;
		spans_in_sight(axis, &story->tracks[id], &first, &last);
		add_cover(d, axis, &story->tracks[id], first, last, columns);
	}
	show_cover(d, axis, columns, samples, y, height);
}

/* ---- the picture ---- */

static void columns(struct quire_draw *d, const struct draw_axis *axis)
{
	const struct quire_story *story = d->view->sides[axis->side].story;
	struct quire_place_rows rows = quire_place_rows(d->view, axis->side);
	double pixel = draw_pixel(d), bottom = axis->rect.y + axis->rect.height;
	uint32_t id = rows.first, end = rows.first + rows.count, first, until;

	draw_ticks(d, axis);
	if (rows.pitch >= pixel) {
		double gap = (rows.pitch - rows.height) / 2;

		for (double y = rows.y; id < end && y < bottom; id++, y += rows.pitch) {
			const struct quire_track *track = &story->tracks[id];

			spans_in_sight(axis, track, &first, &until);
			if (until - first > 2 * (axis->x1 - axis->x0) * d->scale + 8)
				many_rows(d, axis, id, id + 1, end, draw_snap(d, y + gap),
					  rows.height);
			else
				one_row(d, axis, track, first, until, draw_snap(d, y + gap),
					rows.height);
		}
		return;
	}
	/* Lines of pixels from the axis's 0 on, so that they stay together as they move. */
	for (double y = rows.y; id < end && y < bottom; y += pixel) {
		uint32_t next = rows.first + (uint32_t)ceil((y + pixel - rows.y) / rows.pitch);

		if (next > id)
			many_rows(d, axis, id, next, end, y, pixel);
		id = next;
	}
}

/* Names at the left, and a band behind who is followed. */
static void names(struct quire_draw *d, uint32_t side, const struct quire_rect *bars,
		  const struct quire_place_rows *rows)
{
	const struct quire_view *view = d->view;
	uint32_t selected = quire_place_selected(view, side);
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_TIMELINE);
	double em = d->em, radius = fmin(0.28 * em, 0.3 * rows->pitch);

	for (uint32_t i = 0; i < rows->count; i++) {
		double y = rows->y + i * rows->pitch;
		uint32_t id = rows->first + i;
		bool hover =
			view->hover.side == side && view->hover.seq == id &&
			(view->hover.kind == QUIRE_HIT_SPAN || view->hover.kind == QUIRE_HIT_SEQ);
		char text[32];

		if (y + rows->pitch > bars->y + bars->height + 0.5 * em)
			break;
		if (id == selected || hover) {
			draw_set(d, id == selected ? d->theme->ink : d->theme->accent,
				 id == selected ? 0.14 : 0.1);
			draw_box(d, body.x, y, body.width, fmax(rows->pitch, 2 * draw_pixel(d)));
			cairo_fill(d->cr);
		}
		if (bars->x <= body.x || !rows->named)
			continue;
		draw_set(d, draw_owner(d, side, id), 1);
		cairo_arc(d->cr, body.x + radius, y + rows->pitch / 2, radius, 0, 2 * DRAW_PI);
		cairo_fill(d->cr);
		draw_text(d, body.x + 0.9 * em, y + rows->pitch / 2 + 0.3 * em,
			  quire_story_name(view->sides[side].story, id, text),
			  (struct draw_style){.points = 0.82 * em,
					      .colour = id == selected ? d->theme->ink
								       : d->theme->faint,
					      .bold = id == selected,
					      .width = bars->x - body.x - 1.1 * em});
	}
}

void draw_timeline(struct quire_draw *d, uint32_t side)
{
	const struct quire_side *of = &d->view->sides[side];
	struct quire_rect bars = quire_place_bars(d->view, side, QUIRE_PANEL_TIMELINE);
	struct quire_place_rows rows = quire_place_rows(d->view, side);
	struct draw_axis axis = draw_axis_of(d, side, &bars);
	uint64_t key = draw_key_view(d, side);
	char text[96], number[32];
	double em = d->em;

	if (!draw_panel(d, side, QUIRE_PANEL_TIMELINE) || bars.width <= 0 || bars.height <= 0)
		return;
	snprintf(text, sizeof(text), "%s sequence%s%s", draw_count(rows.count, number),
		 rows.count == 1 ? "" : "s", axis.steps ? " \xc2\xb7 over steps" : "");
	draw_text(d,
		  of->panels[QUIRE_PANEL_TIMELINE].x + of->panels[QUIRE_PANEL_TIMELINE].width -
			  0.75 * em,
		  of->panels[QUIRE_PANEL_TIMELINE].y + 1.3 * em, text,
		  (struct draw_style){
			  .points = 0.85 * em, .colour = d->theme->faint, .align = DRAW_RIGHT});
	/* As long as no sequence comes, rows stay what they are. */
	key = draw_key(key, (uint64_t)rows.first << 32 | (rows.pitch >= draw_pixel(d) ? 1 : 0));
	key = draw_key_real(draw_key_real(key, rows.pitch), rows.y);
	draw_scroll(d, &d->sides[side].timeline, &axis, key, columns);
	names(d, side, &bars, &rows);
	draw_moment(d, &axis, bars.y, bars.y + bars.height);
	if (of->panels[QUIRE_PANEL_STEPS].width <= 0)
		draw_tick_labels(d, &axis, bars.y + bars.height + 1.15 * em);
}
