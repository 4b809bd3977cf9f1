/*
 * view_line.c - the command line that shows a view again: each command as an option of its
 * name, "seek" as --at, and the size of the window.
 */
#include "view_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct line {
	char *text;
	size_t size, used;
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *line, const char *format, ...)
{
	va_list args;
	int length;

	if (line->used + 1 >= line->size)
		return;
	if (line->used)
		line->text[line->used++] = ' ';
	va_start(args, format);
	length = vsnprintf(line->text + line->used, line->size - line->used, format, args);
	va_end(args);
	line->used += length < 0 ? 0 : (size_t)length;
	if (line->used >= line->size)
		line->used = line->size - 1;
}

static void add_moment(struct line *line, const struct quire_view *view)
{
	const struct quire_story *story = view->sides[0].story;
	uint64_t index = view->sides[0].scene.index;
	uint32_t step = quire_story_step_at(story, index);

	bool between = view->clock == QUIRE_CLOCK_TIME &&
		       view->head > view_clock_of(story, QUIRE_CLOCK_TIME, index);

	if (between || (!view->jumped && view->clock == QUIRE_CLOCK_TIME))
		add(line, "--at %.9fs", floor(view->head) / 1e9);
	else if (index && index == quire_story_index_step(story, step))
		add(line, "--at 'step %u'", step);
	else if (index)
		add(line, "--at 'event %llu'", (unsigned long long)index);
}

/* As it will be read. */
static double said(double number)
{
	char text[32];

	snprintf(text, sizeof(text), "%.9g", number);
	return strtod(text, NULL);
}

static void add_zoom(struct line *line, const struct quire_view *view)
{
	const struct quire_side *of = &view->sides[0];
	struct quire_view other = *view; /* as those who follow the line will see it */
	struct quire_side *to = &other.sides[0];
	struct quire_command zoom = {QUIRE_DO_ZOOM, .x = -1, .y = -1};
	struct quire_axis_range axis = quire_place_axis(view, 0), whole;
	struct quire_rect bars = quire_place_bars(view, 0, QUIRE_PANEL_TIMELINE);

	other.sides_count = 1;
	if (of->cell_points > 0) {
		to->cell_points = to->pool_x = to->pool_y = 0;
		zoom.panel = QUIRE_PANEL_POOL;
		zoom.number = said(of->cell_points / quire_view_pool(&other, 0).pitch_x);
		view_zoom(&other, &zoom);
		add(line, "--zoom '%.9g pool'", zoom.number);
		add(line, "--pan '%.2f %.2f pool'", to->pool_x - of->pool_x,
		    to->pool_y - of->pool_y);
	}
	if (bars.width <= 0)
		bars = quire_place_bars(view, 0, QUIRE_PANEL_STEPS);
	if (of->axis_until > of->axis_from && bars.width > 0) {
		to->axis_from = to->axis_until = 0;
		other.sides_count = view->sides_count;
		whole = quire_place_axis(&other, 0);
		zoom.panel = QUIRE_PANEL_TIMELINE;
		zoom.number = said((whole.until - whole.from) / (axis.until - axis.from));
		view_zoom(&other, &zoom);
		add(line, "--zoom '%.9g timeline'", zoom.number);
		add(line, "--pan '%.2f 0 timeline'",
		    (to->axis_from - of->axis_from) / (axis.until - axis.from) * bars.width);
	}
}

void quire_view_line(const struct quire_view *view, char *text, size_t size)
{
	struct line line = {text, size, 0};
	char name[32];

	if (!size)
		return;
	text[0] = 0;
	if (view->axis_steps)
		add(&line, "--axis steps");
	if (view->lock)
		add(&line, "--lock %s", view_word(QUIRE_DO_LOCK, view->lock));
	if (view->clock != (view->lock == QUIRE_LOCK_STEP ? QUIRE_CLOCK_STEP : QUIRE_CLOCK_TIME))
		add(&line, "--clock %s", view_word(QUIRE_DO_CLOCK, view->clock));
	add_moment(&line, view);
	if (view->selected)
		add(&line, "--select %s",
		    quire_story_name(view->sides[0].story, view->selected, name));
	if (view->colouring)
		add(&line, "--colour %s", view_word(QUIRE_DO_COLOUR, view->colouring));
	if (view->theme)
		add(&line, "--theme %s", view_word(QUIRE_DO_THEME, view->theme));
	if (view->alone >= 0)
		add(&line, "--panel %s", view_word(QUIRE_DO_PANEL, (uint32_t)view->alone));
	if (view->font_wish > 0)
		add(&line, "--font %g", view->font_wish);
	add(&line, "--size %gx%g", view->width, view->height);
	if (view->scale < 1 || view->scale > 1)
		add(&line, "--scale %g", view->scale);
	add_zoom(&line, view);
}
