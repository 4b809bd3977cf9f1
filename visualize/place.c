/*
 * place.c - panels in the window, and the lines that run through several of them: buttons,
 * the scrub bar, the axis and the rows of the timeline.
 */
#include "place.h"

#include <math.h>

/* In em. */
#define GAP    0.6 /* between panels */
#define MARGIN 0.75
#define TITLE  1.9
#define NAMES  4.8 /* of sequences, left of the timeline */
#define TICKS  1.5 /* labels of the time axis */

#define FEW_CELLS 64u /* their tokens are to be read */

static const struct quire_rect nowhere;

/* ---- panels ---- */

/* A panel in a column: its share of the height, the least that makes sense of it, in em,
 * and which ones go first when there is not enough. */
struct share {
	enum quire_panel_kind panel;
	double weight, least;
	uint32_t rank; /* 0 stays longest */
};

#define COLUMN_MAX 6u

/* Panels above each other in @column; what has no room is left out, the highest rank
 * first. */
static void place_column(struct quire_side *side, struct quire_rect column,
			 const struct share *shares, uint32_t count, double em)
{
	bool out[COLUMN_MAX] = {false};
	double gap = GAP * em, y = column.y;
	double weights, least, room;

	for (;;) {
		uint32_t last = 0, in = 0;

		weights = least = 0;
		for (uint32_t i = 0; i < count; i++) {
			if (out[i])
				continue;
			weights += shares[i].weight;
			least += shares[i].least * em;
			in++;
			if (out[last] || shares[i].rank > shares[last].rank)
				last = i;
		}
		room = column.height - gap * (in - 1.0);
		if (in <= 1 || least <= room)
			break;
		out[last] = true;
	}
	for (uint32_t i = 0; i < count; i++) {
		double height;

		if (out[i])
			continue;
		height = shares[i].least * em + fmax(0, room - least) * shares[i].weight / weights;
		height = fmin(height, room);
		side->panels[shares[i].panel] =
			(struct quire_rect){column.x, y, column.width, height};
		y += height + gap;
	}
}

/* Does the sequence panel have something to show? */
static bool shows_sequence(const struct quire_view *view, uint32_t side)
{
	return quire_place_selected(view, side) != 0 || (view->selected && view->sides_count > 1);
}

static void place_alone(struct quire_view *view, uint32_t side, struct quire_rect main)
{
	static const struct share timeline[] = {
		{QUIRE_PANEL_TIMELINE, 3, 6, 0},
		{QUIRE_PANEL_STEPS, 2, 6, 1},
	};
	struct share one = {(enum quire_panel_kind)view->alone, 1, 3, 0};
	bool both = view->alone == QUIRE_PANEL_TIMELINE || view->alone == QUIRE_PANEL_STEPS;

	place_column(&view->sides[side], main, both ? timeline : &one, both ? 2 : 1,
		     view->font_points);
}

/* One story: pool and sequence at the left, figures at the right, time below. */
static void place_one(struct quire_view *view, struct quire_rect main)
{
	/* The header stands for all above the timeline; a pool of a lecture is large. */
	const bool few = view->sides[0].story->cells_count <= FEW_CELLS;
	const struct share rows[] = {
		{QUIRE_PANEL_HEADER, few ? 90 : 60, 11, 0},
		{QUIRE_PANEL_TIMELINE, few ? 16 : 23, 6, 1},
		{QUIRE_PANEL_STEPS, few ? 10 : 17, 6, 2},
	};
	/* A dozen blocks stand in a row, and leave more to the sequence. */
	const struct share left[] = {
		{QUIRE_PANEL_POOL, view->sides[0].story->cells_count > 16 ? 50 : 30, 6, 0},
		{QUIRE_PANEL_SEQUENCE, 50, 10, 1},
	};
	static const struct share right[] = {
		{QUIRE_PANEL_GAUGES, 60, 9, 0},
		{QUIRE_PANEL_QUEUES, 40, 7, 1},
	};
	struct quire_side *side = &view->sides[0];
	double em = view->font_points, gap = GAP * em, figures = 0;
	struct quire_rect header = side->panels[QUIRE_PANEL_HEADER], top;

	place_column(side, main, rows, 3, em);
	top = side->panels[QUIRE_PANEL_HEADER];
	side->panels[QUIRE_PANEL_HEADER] = header;
	if (top.width >= 56 * em)
		figures = fmin(fmax((few ? 0.3 : 0.36) * top.width, 24 * em), 56 * em);
	if (figures > 0) {
		struct quire_rect column = {top.x + top.width - figures, top.y, figures,
					    top.height};

		place_column(side, column, right, 2, em);
		top.width -= figures + gap;
	}
	place_column(side, top, left, shows_sequence(view, 0) ? 2 : 1, em);
}

/* Two stories: a column each, so that like stands beside like. */
static void place_two(struct quire_view *view, uint32_t side, struct quire_rect column)
{
	static const struct share all[] = {
		{QUIRE_PANEL_POOL, 34, 7, 0},	 {QUIRE_PANEL_SEQUENCE, 26, 10, 3},
		{QUIRE_PANEL_GAUGES, 20, 7, 2},	 {QUIRE_PANEL_TIMELINE, 28, 6, 1},
		{QUIRE_PANEL_STEPS, 16, 5.5, 4},
	};
	static const struct share most[] = {
		{QUIRE_PANEL_POOL, 34, 7, 0},
		{QUIRE_PANEL_GAUGES, 20, 7, 2},
		{QUIRE_PANEL_TIMELINE, 28, 6, 1},
		{QUIRE_PANEL_STEPS, 16, 5.5, 3},
	};
	bool sequence = shows_sequence(view, 0) || shows_sequence(view, 1);

	place_column(&view->sides[side], column, sequence ? all : most, sequence ? 5 : 4,
		     view->font_points);
}

void quire_place_panels(struct quire_view *view)
{
	double em = view->font_points, gap = GAP * em, width = view->width - 2 * gap;
	double top = gap, bottom = view->height - gap;
	struct quire_rect *panels = view->sides[0].panels;

	for (uint32_t s = 0; s < 2; s++)
		for (uint32_t p = 0; p < QUIRE_PANEL_COUNT; p++)
			view->sides[s].panels[p] = nowhere;
	if (width < 8 * em || view->height < 8 * em)
		return;
	panels[QUIRE_PANEL_HEADER] = (struct quire_rect){gap, top, width, 2.7 * em};
	top += 2.7 * em + gap;
	bottom -= 2.4 * em;
	panels[QUIRE_PANEL_SCRUB] = (struct quire_rect){gap, bottom, width, 2.4 * em};
	if (bottom - top > 20 * em) {
		double lines = width > 128 * em ? 1 : 2;

		bottom -= (0.4 + 1.5 * lines) * em;
		panels[QUIRE_PANEL_LEGEND] =
			(struct quire_rect){gap, bottom, width, (0.4 + 1.5 * lines) * em};
	}
	if (view->caption.title) {
		double height = fmin(7.6 * em, 0.4 * (bottom - top));

		bottom -= height + gap;
		panels[QUIRE_PANEL_LESSON] = (struct quire_rect){gap, bottom, width, height};
	}
	bottom -= gap;
	for (uint32_t s = 0; s < view->sides_count; s++) {
		double column = (width - gap * 2 * (view->sides_count - 1)) / view->sides_count;
		struct quire_rect main = {gap + s * (column + 2 * gap), top, column, bottom - top};

		if (view->alone >= 0)
			place_alone(view, s, main);
		else if (view->sides_count == 1)
			place_one(view, main);
		else
			place_two(view, s, main);
	}
}

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

	if (rect.width > 5 * NAMES * em) {
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
