/*
 * draw_gauges.c - what the pool was used for over time, and the key figures so far, each
 * with a small curve of how it came about; of a second story, how far it is from the first.
 */
#include "draw_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- memory ---- */

static const struct {
	enum quire_series_kind series;
	enum draw_fill fill;
	const char *label;
} parts[] = {
	{QUIRE_SERIES_TOKEN_STATES, DRAW_SOLID, "live"},
	{QUIRE_SERIES_RESERVED, DRAW_RESERVED, "reserved"},
	{QUIRE_SERIES_INTERNAL, DRAW_INTERNAL, "internal waste"},
	{QUIRE_SERIES_ROUNDING, DRAW_ROUNDING, "rounding"},
	{QUIRE_SERIES_FREE, DRAW_FREE, "free"},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* The height of everything up to and with part @part, at column @x; of the pool. */
static double share_at(struct quire_draw *d, const struct draw_axis *axis, double x, double width,
		       uint32_t part)
{
	const struct quire_story *story = d->view->sides[axis->side].story;
	double sum = 0;
	uint32_t first, until;

	draw_axis_steps(d, axis, draw_value(axis, x), draw_value(axis, x + width), &first, &until);
	if (first >= until && until > 0)
		first = until - 1; /* nothing happened: it stays as it was */
	for (uint32_t i = 0; i <= part && first < until; i++)
		sum += quire_story_summary(story, parts[i].series, first, until).mean;
	return fmin(1, sum / story->run->slots_total);
}

static void memory_columns(struct quire_draw *d, const struct draw_axis *axis)
{
	const struct quire_rect *rect = &axis->rect;
	double pixel = draw_pixel(d), bottom = rect->y + rect->height;
	double until = fmin(axis->x1, draw_x(axis, axis->known));

	draw_fill(d, axis->x0, rect->y, axis->x1 - axis->x0, rect->height, DRAW_FREE, 0);
	/* From the tallest to the first, each over the one before. */
	for (uint32_t part = PARTS - 1; part--;) {
		cairo_save(d->cr);
		for (double x = axis->x0; x < until; x += pixel) {
			double share = share_at(d, axis, x, pixel, part);
			double top = draw_snap(d, bottom - share * rect->height);

			if (top < bottom)
				draw_box(d, x, top, pixel, bottom - top);
		}
		cairo_clip(d->cr);
		draw_fill(d, rect->x, rect->y, rect->width, rect->height, parts[part].fill,
			  d->theme->series[parts[part].series]);
		cairo_restore(d->cr);
	}
}

/* What it is now, at the right of the chart, from top to bottom as in it. */
static void memory_labels(struct quire_draw *d, uint32_t side, double x,
			  const struct quire_rect *at)
{
	const struct quire_story *story = d->view->sides[side].story;
	uint32_t step = quire_story_step_at(story, d->view->sides[side].scene.index);
	double em = d->em, line = fmin(1.45 * em, at->height / PARTS), y = at->y + 0.8 * em;
	char text[32];

	if (step > story->steps_count || at->height < 5.5 * em)
		return;
	for (uint32_t i = PARTS; i; i--, y += line) {
		uint32_t value = step ? story->steps[step - 1].value[parts[i - 1].series] : 0;

		if (!step && parts[i - 1].fill == DRAW_FREE)
			value = story->run->slots_total;
		draw_fill(d, x, y - 0.75 * em, 0.9 * em, 0.9 * em, parts[i - 1].fill,
			  d->theme->series[parts[i - 1].series]);
		draw_set(d, d->theme->unmapped, 0.8);
		draw_box(d, x + draw_pixel(d) / 2, y - 0.75 * em + draw_pixel(d) / 2,
			 0.9 * em - draw_pixel(d), 0.9 * em - draw_pixel(d));
		cairo_set_line_width(d->cr, draw_pixel(d));
		cairo_stroke(d->cr);
		snprintf(text, sizeof(text), "%.0f %%",
			 100.0 * value / (story->run->slots_total ? story->run->slots_total : 1));
		draw_text(d, x + 4.3 * em, y, text,
			  (struct draw_style){.points = 0.9 * em,
					      .colour = d->theme->ink,
					      .bold = true,
					      .align = DRAW_RIGHT});
		draw_text(d, x + 4.7 * em, y, parts[i - 1].label,
			  (struct draw_style){.points = 0.85 * em,
					      .colour = d->theme->faint,
					      .width = at->x + at->width - x - 4.7 * em});
	}
}

static void draw_memory(struct quire_draw *d, uint32_t side)
{
	struct quire_rect at = quire_place_gauge(d->view, side, QUIRE_GAUGE_MEMORY), chart = at;
	struct draw_axis axis;
	double em = d->em;

	if (at.width <= 0 || at.height < 1.5 * em)
		return;
	if (at.width > 20 * em && at.height >= 5.5 * em)
		chart.width = draw_snap(d, at.width - 12.4 * em);
	axis = draw_axis_all(d, side, &chart);
	draw_scroll(d, &d->sides[side].memory, &axis, draw_key_view(d, side), memory_columns);
	draw_moment(d, &axis, chart.y, chart.y + chart.height);
	if (chart.width < at.width)
		memory_labels(d, side, chart.x + chart.width + 0.8 * em, &at);
}

/* ---- key figures ---- */

#define BUCKETS 60u

/* The figure over the steps [@from, @until), not since the beginning; NAN: none. */
static double figure_between(const struct quire_story *story, enum quire_gauge_kind gauge,
			     uint32_t from, uint32_t until)
{
	static const struct quire_story_step none;
	const struct quire_story_step *a = from ? &story->steps[from - 1] : &none;
	const struct quire_story_step *b = until ? &story->steps[until - 1] : &none;

	if (until <= from)
		return NAN;
	switch (gauge) {
	case QUIRE_GAUGE_RATE:
		return b->end_ns > a->end_ns ? (double)(b->output_tokens - a->output_tokens) /
						       ((double)(b->end_ns - a->end_ns) / 1e9)
					     : NAN;
	case QUIRE_GAUGE_TTFT:
		return b->ttft_count > a->ttft_count
			       ? (b->ttft_sum_s - a->ttft_sum_s) / (b->ttft_count - a->ttft_count)
			       : NAN;
	case QUIRE_GAUGE_TPOT:
		return b->tpot_count > a->tpot_count
			       ? (b->tpot_sum_s - a->tpot_sum_s) / (b->tpot_count - a->tpot_count)
			       : NAN;
	default:
		return quire_story_summary(story, QUIRE_SERIES_TOKEN_STATES, from, until).mean;
	}
}

/* A small curve from the beginning to the moment, in the room that all of it would take. */
static void curve(struct quire_draw *d, uint32_t side, enum quire_gauge_kind gauge,
		  const struct quire_rect *at)
{
	const struct quire_story *story = d->view->sides[side].story;
	double values[BUCKETS], most = 0, end = (double)quire_place_end_ns(d->view), x = 0, y = 0;
	uint32_t now = quire_story_step_at(story, d->view->sides[side].scene.index), count = 0;
	uint32_t last = 0;
	bool line = false;

	now = now > story->steps_count ? story->steps_count : now;
	if (now && !story->steps[now - 1].end_ns)
		now--;
	while (count < BUCKETS && last < now) {
		uint64_t until_ns = (uint64_t)(end * (count + 1) / BUCKETS);
		uint32_t until = quire_story_steps_ns(story, until_ns);

		/* Steps that have ended by then. */
		if (until < story->steps_count && story->steps[until].end_ns <= until_ns)
			until++;
		until = until > now ? now : until;
		values[count] = figure_between(story, gauge, last, until);
		if (isfinite(values[count]))
			most = fmax(most, values[count]);
		last = until > last ? until : last;
		count++;
	}
	if (most <= 0)
		return;
	for (uint32_t i = 0; i < count; i++) {
		if (!isfinite(values[i]))
			continue;
		x = at->x + (i + 0.5) / BUCKETS * at->width;
		y = at->y + at->height * (1 - values[i] / most);
		if (line)
			cairo_line_to(d->cr, x, y);
		else
			cairo_move_to(d->cr, x, y);
		line = true;
	}
	draw_set(d, d->theme->faint, 0.9);
	cairo_set_line_width(d->cr, fmax(0.11 * d->em, draw_pixel(d)));
	cairo_set_line_join(d->cr, CAIRO_LINE_JOIN_ROUND);
	cairo_stroke(d->cr);
	draw_set(d, d->theme->accent, 1);
	cairo_arc(d->cr, x, y, 0.22 * d->em, 0, 2 * DRAW_PI);
	cairo_fill(d->cr);
}

/* "+38 %", in the colour of better or worse. */
static void difference(struct quire_draw *d, enum quire_gauge_kind gauge, double value, double x,
		       double y, double room)
{
	const struct quire_view *view = d->view;
	double other = quire_gauge_value(view->sides[0].story, gauge, view->sides[0].scene.index);
	double change = value / other - 1;
	int better = quire_gauge_texts[gauge].better;
	uint32_t colour = d->theme->faint;
	char text[48];

	if (!isfinite(change))
		return;
	if (fabs(change) < 0.005)
		snprintf(text, sizeof(text), "as A");
	else if (change > 1)
		snprintf(text, sizeof(text), "\xe2\x96\xb2 %.1f\xc3\x97 A", value / other);
	else
		snprintf(text, sizeof(text), "%s %.0f %%",
			 change > 0 ? "\xe2\x96\xb2" : "\xe2\x96\xbc", 100 * fabs(change));
	if (draw_width(d, text, 0.95 * d->em, true) > room)
		return;
	if (better && fabs(change) >= 0.005)
		colour = (change > 0) == (better > 0) ? d->theme->span[QUIRE_SPAN_DECODE]
						      : d->theme->warn;
	draw_text(d, x, y, text,
		  (struct draw_style){.points = 0.95 * d->em, .colour = colour, .bold = true});
}

/* A figure as a number and its unit, where the name does not say that. */
static const char *figure_text(enum quire_gauge_kind gauge, double value, char number[32],
			       char text[32])
{
	const char *unit = quire_gauge_texts[gauge].unit;

	if (strcmp(unit, "s") != 0 || !isfinite(value)) {
		draw_number(value, number);
		return isfinite(value) && !strstr(quire_gauge_texts[gauge].title, unit) ? unit : "";
	}
	draw_seconds(value, text);
	snprintf(number, 32, "%.*s", (int)strcspn(text, " "), text);
	return strchr(text, ' ') ? strchr(text, ' ') + 1 : "";
}

static void draw_figure(struct quire_draw *d, uint32_t side, enum quire_gauge_kind gauge)
{
	const struct quire_side *of = &d->view->sides[side];
	struct quire_rect at = quire_place_gauge(d->view, side, gauge), line = at;
	double value = quire_gauge_value(of->story, gauge, of->scene.index), em = d->em, x, y, big;
	bool low = at.height < 2.8 * em; /* all in one line */
	char text[32], number[32];
	const char *title = quire_gauge_texts[gauge].title, *brief = quire_gauge_texts[gauge].brief;
	const char *unit = figure_text(gauge, value, number, text);
	double room = at.width - 0.35 * em - draw_width(d, unit, 0.9 * em, false);

	if (at.width <= 0)
		return;
	big = fmin(1.9 * em, at.height - 1.5 * em);
	/* Beside the second one there is to be room for the difference. */
	if (d->view->sides_count > 1)
		room -= 5.4 * em;
	if (draw_width(d, number, big, true) > room)
		big = fmax(big * room / draw_width(d, number, big, true), 1.2 * em);
	if (low)
		big = 1.15 * em;
	x = at.x + (low ? 5.2 * em : 0);
	y = low ? at.y + fmin(1.1 * em, 0.5 * at.height + 0.4 * em) : at.y + 1.2 * em + 0.85 * big;
	draw_text(d, at.x, low ? y : at.y + 0.85 * em,
		  low || draw_width(d, title, 0.85 * em, false) > at.width ? brief : title,
		  (struct draw_style){.points = 0.85 * em,
				      .colour = d->theme->faint,
				      .width = low ? x - at.x - 0.3 * em : at.width});
	x += draw_text(d, x, y, number,
		       (struct draw_style){.points = big, .colour = d->theme->ink, .bold = true}) +
	     0.3 * em;
	if (unit[0])
		x += draw_text(d, x, y, unit,
			       (struct draw_style){.points = 0.9 * em, .colour = d->theme->faint}) +
		     0.3 * em;
	if (side > 0 && isfinite(value))
		difference(d, gauge, value, x + 0.2 * em, y, at.x + at.width - x - 0.2 * em);
	line.y += 1.55 * em + big;
	line.height -= 1.55 * em + big + 0.3 * em;
	if (line.height > 2.6 * em) {
		line.y += line.height - 2.6 * em > 0.4 * em ? 0.4 * em : 0;
		line.height = 2.4 * em;
	}
	if (line.height >= 0.9 * em && isfinite(value))
		curve(d, side, gauge, &line);
}

void draw_gauges(struct quire_draw *d, uint32_t side)
{
	if (!draw_panel(d, side, QUIRE_PANEL_GAUGES))
		return;
	draw_memory(d, side);
	for (uint32_t i = QUIRE_GAUGE_MEMORY + 1; i < QUIRE_GAUGE_COUNT; i++)
		draw_figure(d, side, (enum quire_gauge_kind)i);
}
