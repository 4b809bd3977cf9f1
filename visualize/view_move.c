/*
 * view_move.c - zoom and pan: of the pool, which keeps its columns as a map does, of the
 * axis of time, and of the timeline's rows.  Two stories move together.
 */
#include "view_parts.h"

#include <math.h>
#include <stdio.h>

#define CELL_EM	 30.0 /* a cell is no larger */
#define RANGE_NS 1e4  /* the axis shows no less */
#define ROWS	 3.0  /* likewise */

/* ---- limits ---- */

static double clamp(double value, double low, double high)
{
	return fmax(fmin(value, high), low);
}

/* All that an axis or the rows can show. */
static struct quire_axis_range all_of_axis(const struct quire_view *view, uint32_t side)
{
	struct quire_view whole = *view;

	whole.sides[side].axis_from = whole.sides[side].axis_until = 0;
	return quire_place_axis(&whole, side);
}

/* Keep [*from, *until) as long as it is, within @all; all of it is written 0, 0. */
static void keep_range(double *from, double *until, struct quire_axis_range all, double least)
{
	double length = fmax(*until - *from, least);

	if (*until <= *from)
		return;
	if (length >= all.until - all.from) {
		*from = *until = 0;
		return;
	}
	*from = clamp(*from, all.from, all.until - length);
	*until = *from + length;
}

void view_keep_in_sight(struct quire_view *view, uint32_t side)
{
	struct quire_side *of = &view->sides[side];
	struct quire_axis_range rows = {1, fmax(of->story->tracks_count, 2)};
	struct quire_pool_grid grid = quire_view_pool(view, side);
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_POOL);

	if (of->cell_points > 0 && grid.columns) {
		of->pool_x = clamp(of->pool_x, 0, grid.columns * grid.pitch_x - body.width);
		of->pool_y = clamp(of->pool_y, 0, grid.rows * grid.pitch_y - body.height);
	}
	keep_range(&of->axis_from, &of->axis_until, all_of_axis(view, side),
		   view->axis_steps ? 1 : RANGE_NS);
	keep_range(&of->rows_from, &of->rows_until, rows, ROWS);
}

bool view_sees(const struct quire_view *view, uint32_t side, uint64_t at_ns)
{
	struct quire_axis_range axis = quire_place_axis(view, side);
	double at = view_axis_of(view, side, at_ns);

	return at >= axis.from && at <= axis.until;
}

void view_follow(struct quire_view *view, uint32_t side)
{
	struct quire_side *of = &view->sides[side];
	double length = of->axis_until - of->axis_from, at;

	if (length <= 0 || view_sees(view, side, quire_view_now_ns(view, side)))
		return;
	/* It goes on from the left, and back from the right. */
	at = view_axis_of(view, side, quire_view_now_ns(view, side));
	of->axis_from = at - (at > of->axis_until ? 0.1 : 0.9) * length;
	of->axis_until = of->axis_from + length;
	view_keep_in_sight(view, side);
}

/* ---- which panel ---- */

/* The side and the panel, of those that can be moved, that lie under a point; else -1. */
static int panel_under(const struct quire_view *view, double x, double y, uint32_t *side)
{
	static const int panels[] = {QUIRE_PANEL_POOL, QUIRE_PANEL_TIMELINE, QUIRE_PANEL_STEPS};

	for (*side = 0; *side < view->sides_count; ++*side)
		for (uint32_t i = 0; i < 3; i++)
			if (quire_rect_has(&view->sides[*side].panels[panels[i]], x, y))
				return panels[i];
	*side = 0;
	return -1;
}

/* The one that is meant; where there is no pointer, the pool. */
static int panel_of(const struct quire_view *view, const struct quire_command *command,
		    uint32_t *side)
{
	int under = panel_under(view, view->pointer_x, view->pointer_y, side);

	if (command->panel >= 0)
		return command->panel;
	return view->pointer_x < 0 ? QUIRE_PANEL_POOL : under;
}

/* ---- the pool ---- */

/* @x, @y: the point of the panel's body that stays, as shares of it. */
static void zoom_pool(struct quire_view *view, uint32_t side, double factor, double x, double y)
{
	struct quire_side *of = &view->sides[side];
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_POOL);
	struct quire_pool_grid grid = quire_view_pool(view, side), fit;
	double cell_x, cell_y, pitch;

	if (!grid.columns)
		return;
	x *= body.width;
	y *= body.height;
	cell_x = (body.x + x - grid.x) / grid.pitch_x;
	cell_y = (body.y + y - grid.y) / grid.pitch_y;
	pitch = of->cell_points > 0 ? of->cell_points : grid.pitch_x;
	of->cell_points = of->pool_x = of->pool_y = 0;
	fit = quire_view_pool(view, side);
	if (factor <= 0 || pitch * factor <= fit.pitch_x)
		return;
	of->cell_points = fmin(pitch * factor, fmax(CELL_EM * view->font_points, fit.pitch_x));
	grid = quire_view_pool(view, side);
	of->pool_x = cell_x * grid.pitch_x - x;
	of->pool_y = cell_y * grid.pitch_y - y;
}

/* ---- axis, rows ---- */

static void zoom_range(double *from, double *until, struct quire_axis_range shown,
		       struct quire_axis_range all, double factor, double at, double least)
{
	double length = fmax((shown.until - shown.from) / factor, least);

	if (factor <= 0 || length >= all.until - all.from) {
		*from = *until = 0;
		return;
	}
	*from = shown.from + at * (shown.until - shown.from - length);
	*until = *from + length;
	keep_range(from, until, all, least);
}

static struct quire_axis_range rows_shown(const struct quire_view *view, uint32_t side)
{
	const struct quire_side *of = &view->sides[side];
	struct quire_place_rows rows = quire_place_rows(view, side);
	struct quire_rect bars = quire_place_bars(view, side, QUIRE_PANEL_TIMELINE);

	if (of->rows_until > of->rows_from)
		return (struct quire_axis_range){of->rows_from, of->rows_until};
	if (rows.pitch <= 0)
		return (struct quire_axis_range){1, 2};
	return (struct quire_axis_range){rows.first, rows.first + bars.height / rows.pitch};
}

static void zoom_side(struct quire_view *view, uint32_t side, int panel, double factor, double x,
		      double y)
{
	struct quire_side *of = &view->sides[side];
	struct quire_axis_range rows = {1, fmax(of->story->tracks_count, 2)};

	if (panel == QUIRE_PANEL_POOL)
		zoom_pool(view, side, factor, x, y);
	else if (panel == VIEW_ROWS)
		zoom_range(&of->rows_from, &of->rows_until, rows_shown(view, side), rows, factor, y,
			   ROWS);
	else
		zoom_range(&of->axis_from, &of->axis_until, quire_place_axis(view, side),
			   all_of_axis(view, side), factor, x, view->axis_steps ? 1 : RANGE_NS);
}

/* Where a point lies in a panel, as shares of what can be zoomed; what is beside it: the
 * middle.  Return: is it in it? */
static bool shares(const struct quire_view *view, uint32_t side, int panel, double *x, double *y)
{
	struct quire_rect rect;

	if (panel == QUIRE_PANEL_POOL)
		rect = quire_place_body(view, side, QUIRE_PANEL_POOL);
	else
		rect = quire_place_bars(view, side,
					panel == VIEW_ROWS ? QUIRE_PANEL_TIMELINE
							   : (enum quire_panel_kind)panel);
	if (!quire_rect_has(&rect, *x, *y)) {
		*x = *y = 0.5;
		return false;
	}
	*x = (*x - rect.x) / rect.width;
	*y = (*y - rect.y) / rect.height;
	return true;
}

/* The moment into the middle of the axis. */
static void centre(struct quire_view *view, uint32_t side)
{
	struct quire_side *of = &view->sides[side];
	double half = 0.5 * (of->axis_until - of->axis_from);
	double at = view_axis_of(view, side, quire_view_now_ns(view, side));

	if (half <= 0)
		return;
	of->axis_from = at - half;
	of->axis_until = at + half;
	view_keep_in_sight(view, side);
}

int view_zoom(struct quire_view *view, const struct quire_command *command)
{
	uint32_t side;
	int panel = panel_of(view, command, &side);
	double factor = command->kind == QUIRE_DO_ZOOM_FIT ? 0 : command->number;
	double x = command->x, y = command->y;
	bool pointed;

	if (panel < 0)
		return 0;
	pointed = shares(view, side, panel, &x, &y);
	for (uint32_t s = 0; s < view->sides_count; s++) {
		zoom_side(view, s, panel, factor, x, y);
		if (!pointed && panel != QUIRE_PANEL_POOL && panel != VIEW_ROWS)
			centre(view, s);
		if (factor <= 0 && panel != QUIRE_PANEL_POOL)
			zoom_side(view, s, VIEW_ROWS, 0, x, y);
	}
	return 0;
}

/* What is seen moves by x, y, as if it were drawn by a hand. */
int view_pan(struct quire_view *view, const struct quire_command *command)
{
	uint32_t side;
	int panel = panel_of(view, command, &side);

	for (uint32_t s = 0; s < view->sides_count && panel >= 0; s++) {
		struct quire_side *of = &view->sides[s];
		struct quire_axis_range axis = quire_place_axis(view, s);
		struct quire_rect bars = quire_place_bars(view, s, QUIRE_PANEL_TIMELINE);
		double by;

		if (panel == QUIRE_PANEL_POOL) {
			of->pool_x -= of->cell_points > 0 ? command->x : 0;
			of->pool_y -= of->cell_points > 0 ? command->y : 0;
			continue;
		}
		if (bars.width <= 0)
			bars = quire_place_bars(view, s, QUIRE_PANEL_STEPS);
		if (bars.width > 0 && of->axis_until > of->axis_from) {
			by = command->x / bars.width * (axis.until - axis.from);
			of->axis_from -= by;
			of->axis_until -= by;
		}
		if (bars.height > 0 && of->rows_until > of->rows_from) {
			by = command->y / bars.height * (of->rows_until - of->rows_from);
			of->rows_from -= by;
			of->rows_until -= by;
		}
	}
	return 0;
}

/* ---- the selected one ---- */

/* Its life, as a part of the axis, and its row. */
static void focus_timeline(struct quire_view *view, uint32_t side, uint32_t seq)
{
	struct quire_side *of = &view->sides[side];
	const struct quire_track *track = &of->story->tracks[seq];
	struct quire_axis_range axis = quire_place_axis(view, side);
	struct quire_place_rows rows = quire_place_rows(view, side);
	uint64_t gone_ns = track->gone_ns ? track->gone_ns : quire_story_end_ns(of->story);
	double from = view_axis_of(view, side, track->born_ns);
	double until = view_axis_of(view, side, gone_ns), life = until - from;

	if (from < axis.from || until > axis.until || life < 0.1 * (axis.until - axis.from)) {
		of->axis_from = from - 0.5 * life;
		of->axis_until = until + 0.5 * life;
	}
	if (!rows.named || seq < rows.first || seq >= rows.first + rows.count) {
		double count = fmax(quire_place_bars(view, side, QUIRE_PANEL_TIMELINE).height /
					    (1.2 * view->font_points),
				    ROWS);

		of->rows_from = seq + 0.5 - count / 2;
		of->rows_until = of->rows_from + count;
	}
}

static void focus_pool(struct quire_view *view, uint32_t side, uint32_t seq)
{
	struct quire_side *of = &view->sides[side];
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_POOL);
	uint32_t cell, slot;

	if (of->cell_points > 0 && quire_scene_place(&of->scene, seq, 0, &cell, &slot)) {
		struct quire_pool_grid grid = quire_view_pool(view, side);
		struct quire_rect at = quire_view_cell(&grid, cell);

		of->pool_x += at.x + at.width / 2 - (body.x + body.width / 2);
		of->pool_y += at.y + at.height / 2 - (body.y + body.height / 2);
	}
}

int view_focus(struct quire_view *view)
{
	if (!view->selected)
		return quire_fail(-ENOENT, "no sequence is selected: click one, or press /");
	for (uint32_t s = 0; s < view->sides_count; s++) {
		uint32_t seq = quire_place_selected(view, s);

		if (!seq)
			continue;
		focus_timeline(view, s, seq);
		focus_pool(view, s, seq);
	}
	return 0;
}
