/*
 * draw_steps.c - what each step is made of: tokens of prompts, of decoding, recomputed ones,
 * padding, stacked.  Where several steps share a pixel it is their mean, and a shade above
 * it the longest prompt among them.
 */
#include "draw_parts.h"

#include <math.h>
#include <stdio.h>

static const struct {
	enum quire_series_kind series;
	enum draw_fill fill;
} parts[] = {
	{QUIRE_SERIES_DECODE_TOKENS, DRAW_SOLID},
	{QUIRE_SERIES_PROMPT_TOKENS, DRAW_SOLID},
	{QUIRE_SERIES_RECOMPUTE_TOKENS, DRAW_BACKWARD},
	{QUIRE_SERIES_PAD_TOKENS, DRAW_CROSSED},
};
#define PROMPT 1u /* of parts[] */
#define PARTS  (sizeof(parts) / sizeof(parts[0]))

/* The most that a step of @side runs, as far as it is known. */
static uint32_t tokens_max(struct quire_draw *d, uint32_t side)
{
	struct draw_side *kept = &d->sides[side];
	const struct quire_story *story = d->view->sides[side].story;
	uint32_t most;

	if (kept->story != story) {
		kept->story = story;
		kept->steps_seen = kept->tokens_max = 0;
	}
	most = kept->tokens_max;
	for (uint32_t i = kept->steps_seen; i < story->steps_count; i++) {
		uint32_t sum = 0;

		for (uint32_t k = 0; k < PARTS; k++)
			sum += story->steps[i].value[parts[k].series];
		most = sum > most ? sum : most;
		/* The last one may still grow. */
		if (i + 1 < story->steps_count) {
			kept->tokens_max = most;
			kept->steps_seen = i + 1;
		}
	}
	return most;
}

/* Two stories side by side have one scale. */
static double scale_of(struct quire_draw *d)
{
	double most = 1, power;

	for (uint32_t s = 0; s < d->view->sides_count; s++)
		most = fmax(most, tokens_max(d, s));
	/* It moves seldom. */
	power = pow(10, floor(log10(most)));
	return power * ceil(most / power * 4) / 4;
}

/* A stack of @values from the bottom up. */
static void stack(struct quire_draw *d, const struct draw_axis *axis, double x, double width,
		  const double *values, double most)
{
	double bottom = axis->rect.y + axis->rect.height, sum = 0, y = bottom;

	for (uint32_t i = 0; i < PARTS; i++) {
		double top;

		sum += values[i];
		top = bottom - sum / most * axis->rect.height;
		if (width * d->scale > 2.5)
			top = draw_snap(d, top);
		/* What is there is seen. */
		if (values[i] > 0 && y - top < draw_pixel(d))
			top = y - draw_pixel(d);
		if (values[i] > 0)
			draw_fill(d, x, top, width, y - top, parts[i].fill,
				  d->theme->series[parts[i].series]);
		y = values[i] > 0 ? top : y;
	}
}

static void each_step(struct quire_draw *d, const struct draw_axis *axis, uint32_t first,
		      uint32_t until, double most)
{
	const struct quire_story *story = d->view->sides[axis->side].story;
	double pixel = draw_pixel(d);

	for (uint32_t i = first; i < until; i++) {
		const struct quire_story_step *step = &story->steps[i];
		double from = axis->steps ? i + 1.0 : (double)step->begin_ns, values[PARTS];
		double end =
			axis->steps ? i + 2.0
				    : (double)(step->end_ns ? step->end_ns : (uint64_t)axis->known);
		double x0 = draw_snap(d, draw_x(axis, from)), x1 = draw_snap(d, draw_x(axis, end));

		for (uint32_t k = 0; k < PARTS; k++)
			values[k] = step->value[parts[k].series];
		if (x1 - x0 > 4.5 * pixel)
			x1 -= pixel;
		stack(d, axis, x0, fmax(x1 - x0, pixel), values, most);
	}
}

/* Steps [@first, @until) in one column of pixels. */
static void column(struct quire_draw *d, const struct draw_axis *axis, double x, uint32_t first,
		   uint32_t until, double most)
{
	const struct quire_story *story = d->view->sides[axis->side].story;
	double values[PARTS], sum = 0, peak = 0, pixel = draw_pixel(d);
	double bottom = axis->rect.y + axis->rect.height;

	for (uint32_t k = 0; k < PARTS; k++) {
		struct quire_summary s = quire_story_summary(story, parts[k].series, first, until);

		values[k] = s.mean;
		sum += s.mean;
		if (k == PROMPT)
			peak = s.max - s.mean;
	}
	peak += sum;
	if (peak > sum) {
		double top = bottom - fmin(peak / most, 1) * axis->rect.height;

		draw_set(d,
			 draw_mix(d->theme->panel, d->theme->series[QUIRE_SERIES_PROMPT_TOKENS],
				  0.35),
			 1);
		draw_box(d, x, top, pixel, bottom - top);
		cairo_fill(d->cr);
	}
	stack(d, axis, x, pixel, values, most);
}

static void columns(struct quire_draw *d, const struct draw_axis *axis)
{
	double most = scale_of(d), pixel = draw_pixel(d), right;
	uint32_t first, until;

	draw_ticks(d, axis);
	draw_axis_steps(d, axis, axis->low, axis->high, &first, &until);
	if (first >= until)
		return;
	if (axis->fine) {
		each_step(d, axis, first, until, most);
		return;
	}
	/* A step that runs has no end yet: it is drawn as far as it is known. */
	right = fmin(axis->x1, draw_x(axis, axis->known));
	for (double x = axis->x0; x < right; x += pixel) {
		draw_axis_steps(d, axis, draw_value(axis, x), draw_value(axis, x + pixel), &first,
				&until);
		if (first < until)
			column(d, axis, x, first, until, most);
	}
}

/* The scale at the left, and what the step of the moment is made of. */
static void labels(struct quire_draw *d, uint32_t side, const struct quire_rect *bars, double most)
{
	static const char *const names[PARTS] = {"decode", "prompt", "recomputed", "padding"};
	const struct quire_side *of = &d->view->sides[side];
	const struct quire_rect *panel = &of->panels[QUIRE_PANEL_STEPS];
	double em = d->em, x = panel->x + panel->width - 0.75 * em;
	uint32_t step = quire_story_step_at(of->story, of->scene.index);
	char text[64], number[32];

	if (bars->x > panel->x + 3 * em) {
		struct draw_style style = {
			.points = 0.82 * em, .colour = d->theme->faint, .align = DRAW_RIGHT};

		draw_text(d, bars->x - 0.5 * em, bars->y + 0.6 * em,
			  draw_count((uint64_t)most, number), style);
		draw_text(d, bars->x - 0.5 * em, bars->y + bars->height, "0", style);
		if (bars->height > 4 * em)
			draw_text(d, bars->x - 0.5 * em, bars->y + bars->height / 2 + 0.3 * em,
				  "tokens", style);
	}
	if (!step || step > of->story->steps_count || panel->width < 36 * em)
		return;
	for (uint32_t i = PARTS; i; i--) {
		uint32_t k = i - 1, value = of->story->steps[step - 1].value[parts[k].series];
		double width = 0;

		/* Only what there ever is. */
		if (i > 2 &&
		    !quire_story_summary(of->story, parts[k].series, 0, of->story->steps_count).max)
			continue;
		snprintf(text, sizeof(text), "%s %s", draw_count(value, number), names[k]);
		width = draw_text(d, x, panel->y + 1.3 * em, text,
				  (struct draw_style){.points = 0.85 * em,
						      .colour = d->theme->faint,
						      .align = DRAW_RIGHT});
		x -= width + 1.25 * em;
		draw_fill(d, x, panel->y + 0.55 * em, 0.85 * em, 0.85 * em, parts[k].fill,
			  d->theme->series[parts[k].series]);
		x -= 1.1 * em;
	}
}

void draw_steps(struct quire_draw *d, uint32_t side)
{
	struct quire_rect bars = quire_place_bars(d->view, side, QUIRE_PANEL_STEPS);
	struct draw_axis axis = draw_axis_of(d, side, &bars);
	uint32_t first, until;
	uint64_t key;
	double most;

	if (!draw_panel(d, side, QUIRE_PANEL_STEPS) || bars.width <= 0 || bars.height <= 0)
		return;
	most = scale_of(d);
	draw_axis_steps(d, &axis, axis.from, axis.until, &first, &until);
	axis.fine = bars.width * d->scale >= 2.0 * (until - first);
	key = draw_key(draw_key_real(draw_key_view(d, side), most), axis.fine);
	draw_scroll(d, &d->sides[side].steps, &axis, key, columns);
	draw_moment(d, &axis, bars.y, bars.y + bars.height);
	labels(d, side, &bars, most);
	draw_tick_labels(d, &axis, bars.y + bars.height + 1.15 * d->em);
}
