/*
 * place.c - what is in panels, and the lines that run through several of them: buttons, the
 * scrub bar, the axis and the rows of the timeline.
 *
 *	place_panels.c		the panels themselves
 *	place_parts.c		legend, slots, figures, chips
 *	place_sequence.c	the strips of blocks of the sequence panel
 */
#include "place.h"

#include <math.h>

/* In em. */
#define MARGIN QUIRE_PLACE_MARGIN
#define TITLE  1.9
#define NAMES  4.8 /* of sequences, left of the timeline */
#define TICKS  1.5 /* labels of the time axis */

static const struct quire_rect nowhere;

/* Edges on whole pixels, so that what lies side by side is sharp. */
static struct quire_rect snap(const struct quire_view *view, struct quire_rect rect)
{
	double scale = view->scale > 0 ? view->scale : 1;
	double x = round(rect.x * scale) / scale, y = round(rect.y * scale) / scale;
	double right = round((rect.x + rect.width) * scale) / scale;
	double bottom = round((rect.y + rect.height) * scale) / scale;

	return right > x && bottom > y ? (struct quire_rect){x, y, right - x, bottom - y} : nowhere;
}

struct quire_rect quire_place_body(const struct quire_view *view, uint32_t side,
				   enum quire_panel_kind panel)
{
	static const char *const titles[QUIRE_PANEL_COUNT] = {
#define X(name, title) title,
		QUIRE_PANELS(X)
#undef X
	};
	double em = view->font_points, top = titles[panel][0] ? TITLE * em : 0.35 * em;
	struct quire_rect rect = view->sides[side].panels[panel];

	if (rect.width <= 0)
		return nowhere;
	rect.x += MARGIN * em;
	rect.width -= 2 * MARGIN * em;
	rect.y += top;
	rect.height -= top + (titles[panel][0] ? 0.6 : 0.35) * em;
	return snap(view, rect);
}

/* ---- header, scrub bar ---- */

bool quire_place_button(const struct quire_view *view, uint32_t i, struct quire_rect *rect,
			enum quire_command_kind *command)
{
	static const struct {
		enum quire_command_kind command;
		enum quire_panel_kind panel;
		double at, width; /* em; from the left of SCRUB, from the right of HEADER */
	} buttons[] = {
		{QUIRE_DO_STEP_BACK, QUIRE_PANEL_SCRUB, 0, 2},
		{QUIRE_DO_PLAY, QUIRE_PANEL_SCRUB, 2.2, 2.4},
		{QUIRE_DO_STEP_ON, QUIRE_PANEL_SCRUB, 4.8, 2},
		{QUIRE_DO_SLOWER, QUIRE_PANEL_SCRUB, 7.4, 2},
		{QUIRE_DO_FASTER, QUIRE_PANEL_SCRUB, 12.6, 2},
		{QUIRE_DO_THEME, QUIRE_PANEL_HEADER, 4.4, 2},
		{QUIRE_DO_HELP, QUIRE_PANEL_HEADER, 2.2, 2},
	};
	double em = view->font_points;
	struct quire_rect panel;

	if (i >= sizeof(buttons) / sizeof(buttons[0]))
		return false;
	panel = quire_place_body(view, 0, buttons[i].panel);
	*command = buttons[i].command;
	*rect = nowhere;
	if (panel.width < 30 * em)
		return true;
	rect->x = panel.x + buttons[i].at * em;
	if (buttons[i].panel == QUIRE_PANEL_HEADER)
		rect->x = panel.x + panel.width - buttons[i].at * em;
	rect->width = buttons[i].width * em;
	rect->height = fmin(panel.height, 1.9 * em);
	rect->y = panel.y + (panel.height - rect->height) / 2;
	return true;
}

struct quire_rect quire_place_scrub(const struct quire_view *view)
{
	double em = view->font_points;
	struct quire_rect rect = quire_place_body(view, 0, QUIRE_PANEL_SCRUB);

	if (rect.width >= 30 * em) {
		rect.x += 16 * em;
		rect.width -= 21.5 * em;
	}
	return rect;
}

/* Up to the next of eight values between powers of two. */
static double round_up(double value)
{
	int power;
	double part = frexp(value, &power);

	return value > 0 ? ldexp(ceil(part * 16) / 16, power) : 0;
}

uint64_t quire_place_end_ns(const struct quire_view *view)
{
	double end = 0;

	for (uint32_t s = 0; s < view->sides_count; s++) {
		const struct quire_story *story = view->sides[s].story;
		double ns = (double)quire_story_end_ns(story);

		end = fmax(end, story->over ? ns : round_up(ns));
	}
	return end < 1 ? 1 : (uint64_t)end;
}

/* ---- timeline and steps ---- */

struct quire_axis_range quire_place_axis(const struct quire_view *view, uint32_t side)
{
	const struct quire_side *of = &view->sides[side];
	double end = 0;

	if (of->axis_until > of->axis_from)
		return (struct quire_axis_range){of->axis_from, of->axis_until};
	if (!view->axis_steps)
		return (struct quire_axis_range){0, (double)quire_place_end_ns(view)};
	for (uint32_t s = 0; s < view->sides_count; s++) {
		const struct quire_story *story = view->sides[s].story;
		double steps = story->steps_count;

		end = fmax(end, story->over ? steps : round_up(steps));
	}
	return (struct quire_axis_range){1, fmax(end, 1) + 1};
}

struct quire_rect quire_place_bars(const struct quire_view *view, uint32_t side,
				   enum quire_panel_kind panel)
{
	double em = view->font_points;
	struct quire_rect rect = quire_place_body(view, side, panel);
	bool last = panel == QUIRE_PANEL_STEPS ||
		    view->sides[side].panels[QUIRE_PANEL_STEPS].width <= 0;

	if (rect.width > 4 * NAMES * em) {
		rect.x += NAMES * em;
		rect.width -= NAMES * em;
	}
	if (last)
		rect.height = rect.height - TICKS * em;
	return snap(view, rect);
}

/* The sequences that live in what the axis shows. */
static void rows_in_sight(const struct quire_view *view, uint32_t side, double *from, double *until)
{
	const struct quire_side *of = &view->sides[side];
	const struct quire_story *story = of->story;
	struct quire_axis_range axis = quire_place_axis(view, side);
	uint32_t first, end;
	bool all = of->axis_until <= of->axis_from;

	if (all) {
		first = 1;
		end = story->tracks_count;
	} else if (view->axis_steps && story->steps_count) {
		double last = story->steps_count;
		uint32_t a = (uint32_t)fmin(fmax(axis.from - 1, 0), last - 1);
		uint32_t b = (uint32_t)fmin(fmax(axis.until - 1, 0), last - 1);
		uint64_t end_ns = story->steps[b].end_ns;

		quire_story_tracks_between(story, story->steps[a].begin_ns,
					   end_ns ? end_ns : UINT64_MAX, &first, &end);
	} else {
		quire_story_tracks_between(story, (uint64_t)fmax(axis.from, 0),
					   (uint64_t)fmax(axis.until, 0), &first, &end);
	}
	first = first ? first : 1;
	*from = first;
	*until = end > first ? end : first + 1;
	/* What moves or grows keeps its measure for a while. */
	if ((!all || !story->over) && *until - *from > 8)
		*until = *from + ceil(round_up(*until - *from));
}

struct quire_place_rows quire_place_rows(const struct quire_view *view, uint32_t side)
{
	const struct quire_side *of = &view->sides[side];
	struct quire_rect bars = quire_place_bars(view, side, QUIRE_PANEL_TIMELINE);
	double em = view->font_points, from = of->rows_from, until = of->rows_until;
	double tracks = of->story->tracks_count, pixel = 1 / view->scale;
	struct quire_place_rows rows = {0};

	if (bars.height <= 0)
		return rows;
	if (until <= from)
		rows_in_sight(view, side, &from, &until);
	from = fmax(from, 1);
	rows.pitch = fmin(bars.height / fmax(until - from, 1e-3), 2.2 * em);
	if (rows.pitch > 2 * pixel)
		rows.pitch = floor(rows.pitch / pixel) * pixel;
	rows.first = (uint32_t)from;
	rows.y = bars.y - (from - rows.first) * rows.pitch;
	if (rows.first < tracks)
		rows.count = (uint32_t)fmin(ceil(until), tracks) - rows.first;
	rows.height = rows.pitch < 4 * pixel ? rows.pitch : rows.pitch * 0.8;
	rows.named = rows.pitch >= 0.95 * em;
	return rows;
}
