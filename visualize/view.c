/*
 * view.c - a view, and where things of it are: its layout, the axis of time, how bright a
 * flash is.
 *
 *	view.c		making, layout, the axis, flashes
 *	view_pool.c	the pool's cells
 *	view_time.c	head and positions, two stories, playing
 *	view_do.c	commands; view_go.c those about time, view_move.c zoom and pan
 *	view_parse.c	commands in words; view_line.c the command line that shows a view again
 *	view_input.c	keys and the pointer
 *	view_hit.c	what lies under a point
 *	view_words*.c	tooltips
 */
#include "view_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int quire_view_init(struct quire_view *view, struct quire_story *a, struct quire_story *b)
{
	struct quire_story *stories[2] = {a, b};
	int rc = 0;

	memset(view, 0, sizeof(*view));
	for (; view->sides_count < 2 && stories[view->sides_count] && rc == 0;) {
		struct quire_side *side = &view->sides[view->sides_count];

		side->story = stories[view->sides_count];
		rc = quire_scene_init(&side->scene, side->story);
		view->sides_count += rc == 0;
	}
	if (rc) {
		quire_view_free(view);
		return rc;
	}
	snprintf(view->sides[0].about, sizeof(view->sides[0].about), "%s", a->about);
	if (b)
		quire_story_contrast(a, b, view->sides[0].about, view->sides[1].about,
				     sizeof(view->sides[0].about));
	view->speed = 1;
	view->until = INFINITY;
	view->mark_kind = QUIRE_EV_PREEMPT;
	view->alone = -1;
	view->pointer_x = view->pointer_y = -1;
	view->jumped = view->changed = true;
	for (uint32_t s = 0; s < view->sides_count; s++)
		if (view->sides[s].story->trouble[0])
			view_message(view, "%s", view->sides[s].story->trouble);
	quire_view_resize(view, 1280, 720, 1);
	return 0;
}

void quire_view_free(struct quire_view *view)
{
	for (uint32_t s = 0; s < view->sides_count; s++)
		quire_scene_free(&view->sides[s].scene);
	memset(view, 0, sizeof(*view));
}

/* ---- layout ---- */

/* Help takes what it can get; a search is one line. */
static void place_dialog(struct quire_view *view)
{
	double em = view->font_points, width = 0, height = 0;
	uint32_t lines = 0;

	for (uint32_t i = 0; i < QUIRE_COMMAND_COUNT; i++)
		lines += quire_command_texts[i].key[0] != 0;
#define X(gesture, help) lines++;
	QUIRE_GESTURES(X)
#undef X
	if (view->searching) {
		width = 34 * em;
		height = 4.4 * em;
	} else if (view->help) {
		width = 74 * em;
		height = ((lines + 1) / 2 * 1.7 + 5) * em;
		if (view->width < 40 * em)
			height = view->height;
	}
	width = fmin(width, view->width - 2 * em);
	height = fmin(height, view->height - 2 * em);
	view->dialog = (struct quire_rect){0};
	if (width <= 0 || height <= 0)
		return;
	view->dialog = (struct quire_rect){
		.x = (view->width - width) / 2,
		.y = (view->height - height) / (view->searching ? 4 : 2),
		.width = width,
		.height = height,
	};
}

void quire_view_layout(struct quire_view *view)
{
	view->font_points = view->font_wish;
	if (view->font_points <= 0)
		view->font_points = round(fmin(fmax(9 + view->height / 144, 10), 28));
	quire_place_panels(view);
	place_dialog(view);
	view->changed = true;
}

void quire_view_resize(struct quire_view *view, double width, double height, double scale)
{
	view->width = width;
	view->height = height;
	view->scale = scale > 0 ? scale : 1;
	quire_view_layout(view);
	for (uint32_t s = 0; s < view->sides_count; s++)
		view_keep_in_sight(view, s);
}

/* ---- the axis ---- */

double view_axis_of(const struct quire_view *view, uint32_t side, uint64_t at_ns)
{
	const struct quire_story *story = view->sides[side].story;
	const struct quire_story_step *step;
	uint64_t until_ns;
	uint32_t i;

	if (!view->axis_steps)
		return (double)at_ns;
	if (!story->steps_count)
		return 1;
	i = quire_story_steps_ns(story, at_ns);
	step = &story->steps[i];
	until_ns = i + 1 < story->steps_count ? step[1].begin_ns : step->end_ns;
	if (at_ns <= step->begin_ns || until_ns <= step->begin_ns)
		return i + 1.0 + (at_ns > step->begin_ns);
	return i + 1 +
	       fmin((double)(at_ns - step->begin_ns) / (double)(until_ns - step->begin_ns), 1);
}

double quire_view_x_of(const struct quire_view *view, uint32_t side, uint64_t at_ns)
{
	struct quire_axis_range axis = quire_place_axis(view, side);
	struct quire_rect bars = quire_place_bars(view, side, QUIRE_PANEL_TIMELINE);

	if (bars.width <= 0)
		bars = quire_place_bars(view, side, QUIRE_PANEL_STEPS);
	return bars.x + (view_axis_of(view, side, at_ns) - axis.from) / (axis.until - axis.from) *
				bars.width;
}

uint64_t quire_view_ns_of(const struct quire_view *view, uint32_t side, double x)
{
	const struct quire_story *story = view->sides[side].story;
	struct quire_axis_range axis = quire_place_axis(view, side);
	struct quire_rect bars = quire_place_bars(view, side, QUIRE_PANEL_TIMELINE);
	const struct quire_story_step *step;
	double value, until_ns;

	if (bars.width <= 0)
		bars = quire_place_bars(view, side, QUIRE_PANEL_STEPS);
	if (bars.width <= 0)
		return 0;
	value = axis.from + (x - bars.x) / bars.width * (axis.until - axis.from);
	if (!view->axis_steps)
		return (uint64_t)fmax(value, 0);
	if (value < 1 || !story->steps_count)
		return 0;
	if (value >= story->steps_count + 1.0)
		return quire_story_end_ns(story);
	step = &story->steps[(uint32_t)value - 1];
	until_ns = (double)step->end_ns;
	if ((uint32_t)value < story->steps_count)
		until_ns = (double)step[1].begin_ns;
	return step->begin_ns +
	       (uint64_t)fmax((value - floor(value)) * (until_ns - (double)step->begin_ns), 0);
}

/* ---- flashes ---- */

#define FLASH_STEPS 32.0 /* one is seen for so many at most, when they go by fast */
#define FLASH_REST  0.55 /* what stays of it as long as one looks at its step */

/* Where time stands still, the flashes of its step go down to a rest that stays. */
static double resting(const struct quire_view *view, uint32_t side, const struct quire_flash *flash)
{
	double age_s = view->now_s - view->jumped_s;

	if (flash->step != view->sides[side].scene.state.counts.step)
		return 0;
	return FLASH_REST + (1 - FLASH_REST) * fmin(fmax(1 - age_s / VIEW_FLASH_S, 0), 1);
}

/* While it plays: so long, in nanoseconds, but until its step is over, or the next one. */
static double length_ns(const struct quire_view *view, uint32_t side,
			const struct quire_flash *flash)
{
	const struct quire_story *story = view->sides[side].story;
	double length = VIEW_FLASH_S * 1e9 * view->speed;

	for (uint32_t i = flash->step; i && i < flash->step + 2 && i <= story->steps_count; i++)
		if (story->steps[i - 1].end_ns > flash->at_ns)
			return fmax(length, (double)(story->steps[i - 1].end_ns - flash->at_ns));
	return length;
}

double quire_view_flash(const struct quire_view *view, uint32_t side,
			const struct quire_flash *flash)
{
	double steps, age, length;

	if (view->jumped)
		return resting(view, side, flash);
	steps = view_head_at(view, side, QUIRE_CLOCK_STEP) - flash->step + 0.5;
	if (steps > FLASH_STEPS)
		return 0;
	if (view->clock == QUIRE_CLOCK_STEP) {
		age = steps;
		length = fmin(fmax(VIEW_FLASH_S * VIEW_STEPS_S * view->speed, 1), FLASH_STEPS);
	} else {
		age = view_head_at(view, side, QUIRE_CLOCK_TIME) - (double)flash->at_ns;
		length = length_ns(view, side, flash);
	}
	return age < length ? fmin(1 - age / length, 1) : 0;
}
