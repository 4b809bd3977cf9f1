/*
 * place_panels.c - how the window is parted: which panels there are, and how large.
 *
 * Panels lie in columns.  One gets what it needs at least and a share of what is left; where
 * there is not enough for all, those that matter least are left out.
 */
#include "place.h"

#include <math.h>
#include <string.h>

#define GAP    QUIRE_PLACE_GAP
#define MARGIN QUIRE_PLACE_MARGIN

static const struct quire_rect nowhere;

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

/* A lecture: blocks large at the left, time and figures beside them. */
static void place_few(struct quire_view *view, struct quire_rect main)
{
	static const struct share blocks[] = {
		{QUIRE_PANEL_POOL, 42, 6, 0},
		{QUIRE_PANEL_SEQUENCE, 58, 10, 1},
	};
	static const struct share time[] = {
		{QUIRE_PANEL_TIMELINE, 30, 6, 0},
		{QUIRE_PANEL_STEPS, 22, 6, 1},
		{QUIRE_PANEL_GAUGES, 32, 8, 2},
		{QUIRE_PANEL_QUEUES, 16, 7, 3},
	};
	struct quire_side *side = &view->sides[0];
	double gap = GAP * view->font_points, left = round(0.62 * (main.width - gap));
	struct quire_rect column = main;

	column.width = left;
	place_column(side, column, blocks, shows_sequence(view, 0) ? 2 : 1, view->font_points);
	column.x += left + gap;
	column.width = main.width - left - gap;
	place_column(side, column, time, 4, view->font_points);
}

/* One story: pool and sequence at the left, figures at the right, time below. */
static void place_one(struct quire_view *view, struct quire_rect main)
{
	/* The header stands for all above the timeline. */
	static const struct share rows[] = {
		{QUIRE_PANEL_HEADER, 60, 11, 0},
		{QUIRE_PANEL_TIMELINE, 23, 6, 1},
		{QUIRE_PANEL_STEPS, 17, 6, 2},
	};
	static const struct share left[] = {
		{QUIRE_PANEL_POOL, 50, 6, 0},
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
		figures = fmin(fmax(0.36 * top.width, 24 * em), 56 * em);
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
		{QUIRE_PANEL_POOL, 30, 6, 0},	  {QUIRE_PANEL_SEQUENCE, 26, 10, 3},
		{QUIRE_PANEL_GAUGES, 16, 5.4, 2}, {QUIRE_PANEL_TIMELINE, 34, 6, 1},
		{QUIRE_PANEL_STEPS, 16, 5.5, 4},
	};
	static const struct share most[] = {
		{QUIRE_PANEL_POOL, 30, 6, 0},
		{QUIRE_PANEL_GAUGES, 16, 5.4, 2},
		{QUIRE_PANEL_TIMELINE, 34, 6, 1},
		{QUIRE_PANEL_STEPS, 16, 5.5, 3},
	};
	bool sequence = shows_sequence(view, 0) || shows_sequence(view, 1);

	place_column(&view->sides[side], column, sequence ? all : most, sequence ? 5 : 4,
		     view->font_points);
}

static double height_of_legend(const struct quire_view *view, double width)
{
	double em = view->font_points, all = 0;
	uint32_t bits = quire_place_legend(view), lines;

	/* What may still happen has its room. */
	for (uint32_t s = 0; s < view->sides_count; s++)
		if (bits && !view->sides[s].story->over)
			bits = UINT32_MAX;
	for (uint32_t i = 0; i < QUIRE_LEGEND_COUNT; i++)
		if (bits >> i & 1)
			all += (3.3 + 0.5 * (double)strlen(quire_legend_words[i])) * em;
	if (!bits)
		return 0;
	lines = all + 14 * em > width ? 2 : 1;
	return (0.4 + 1.5 * lines) * em;
}

double quire_place_caption(const struct quire_view *view)
{
	return fmin(fmax(0.3 * view->font_points + view->height / 51, view->font_points),
		    1.3 * view->font_points);
}

/* As many lines as its words are likely to take; they are set smaller if they take more. */
static double height_of_lesson(const struct quire_view *view, double width)
{
	const struct quire_caption *caption = &view->caption;
	double em = view->font_points, points = quire_place_caption(view);
	double letter = 0.6 * points, lines;
	size_t letters = caption->text ? strlen(caption->text) : 0, rest = 0;

	if (caption->question)
		rest = strlen(caption->question);
	if (caption->answer && strlen(caption->answer) > rest)
		rest = strlen(caption->answer);
	letters += rest;
	letters = letters > caption->letters ? letters : caption->letters;
	width -= 2 * MARGIN * em;
	/* Two texts, the lines of which end early. */
	lines = ceil((double)letters * letter / fmax(width - 6 * letter, 6 * letter) + 0.7);
	return 2.5 * em + QUIRE_CAPTION_LINE * lines * points;
}

void quire_place_panels(struct quire_view *view)
{
	double em = view->font_points, gap = GAP * em, width = view->width - 2 * gap;
	double top = gap, bottom = view->height - gap, height;
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
	if (view->caption.title) {
		height = fmin(height_of_lesson(view, width), 0.36 * (bottom - top));
		bottom -= height + gap;
		panels[QUIRE_PANEL_LESSON] = (struct quire_rect){gap, bottom, width, height};
	}
	height = height_of_legend(view, width);
	if (height > 0 && bottom - top > height + (view->alone < 0 ? 17 : 11) * em) {
		bottom -= height;
		panels[QUIRE_PANEL_LEGEND] = (struct quire_rect){gap, bottom, width, height};
	}
	bottom -= gap;
	for (uint32_t s = 0; s < view->sides_count; s++) {
		double column = (width - gap * 2 * (view->sides_count - 1)) / view->sides_count;
		struct quire_rect main = {gap + s * (column + 2 * gap), top, column, bottom - top};

		if (view->alone >= 0)
			place_alone(view, s, main);
		else if (view->sides_count > 1)
			place_two(view, s, main);
		else if (view->sides[0].story->cells_count <= QUIRE_FEW_CELLS &&
			 main.width >= 56 * em)
			place_few(view, main);
		else
			place_one(view, main);
	}
}
