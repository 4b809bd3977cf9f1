/*
 * place.h - where things lie: panels in the window, and what is in them.
 *
 * Drawing and pointing must agree, so both ask here: draw.h draws a chip, a button, a
 * logical block where these functions say, and quire_view_hit() finds it there.  No cairo
 * and no widths of letters: what holds text is so many em wide, em = view->font_points.
 * Pure functions of the view; rectangles of width 0 are not shown.
 */
#ifndef QUIRE_PLACE_H
#define QUIRE_PLACE_H

#include "view.h"

static inline bool quire_rect_has(const struct quire_rect *rect, double x, double y)
{
	return x >= rect->x && x < rect->x + rect->width && y >= rect->y &&
	       y < rect->y + rect->height;
}

/* ---- panels ---- */

/* In em. */
#define QUIRE_PLACE_GAP	   0.6	/* between panels */
#define QUIRE_PLACE_MARGIN 0.75 /* in them, at the left and the right */

/* Place the panels of all sides in view->width x view->height; what has no room has width
 * 0.  HEADER, LEGEND, SCRUB and LESSON are of the first side only. */
void quire_place_panels(struct quire_view *view);

/* A panel without its margins and its title; of POOL what quire_view_pool() fills. */
struct quire_rect quire_place_body(const struct quire_view *view, uint32_t side,
				   enum quire_panel_kind panel);

/* ---- lesson ---- */

#define QUIRE_CAPTION_LINE 1.35 /* from line to line, of their size */
/* Size of a caption's letters, where there is room for all of it: larger than others, but
 * less so where all are large. */
double quire_place_caption(const struct quire_view *view);

/* ---- header ---- */

/* The @i-th button and what it does.  Return: false: there are not so many. */
bool quire_place_button(const struct quire_view *view, uint32_t i, struct quire_rect *rect,
			enum quire_command_kind *command);

/* ---- scrub bar ---- */

/* The bar; time 0 is at its left, quire_place_end_ns() at its right. */
struct quire_rect quire_place_scrub(const struct quire_view *view);
/* The end of the longer story; of a live one a little more, so that it seldom moves. */
uint64_t quire_place_end_ns(const struct quire_view *view);

/* ---- legend ---- */

/*	name	   words */
#define QUIRE_LEGEND(X)                                                                            \
	X(LIVE, "live, by request")                                                                \
	X(RESERVED, "reserved")                                                                    \
	X(INTERNAL, "internal waste")                                                              \
	X(ROUNDING, "rounding")                                                                    \
	X(FREE, "free")                                                                            \
	X(GIVEN, "given")                                                                          \
	X(FREED, "freed")                                                                          \
	X(SHARED, "shared")                                                                        \
	X(COPIED, "copied")                                                                        \
	X(TAKEN, "taken")                                                                          \
	X(WAITING, "waiting")                                                                      \
	X(PROMPT, "prompt")                                                                        \
	X(DECODE, "decode")                                                                        \
	X(RECOMPUTE, "recompute")                                                                  \
	X(HELD, "held")                                                                            \
	X(PREEMPTED, "preempted")                                                                  \
	X(KEPT, "kept")

enum quire_legend_kind {
#define X(name, words) QUIRE_LEGEND_##name,
	QUIRE_LEGEND(X) QUIRE_LEGEND_COUNT
#undef X
};
extern const char *const quire_legend_words[QUIRE_LEGEND_COUNT];

/* Bits of what is to be explained: what the panels show, and what happens in the stories,
 * as far as they are read. */
uint32_t quire_place_legend(const struct quire_view *view);

/* ---- pool ---- */

/*
 * Where @slot stands in a cell that lies @at (quire_view_cell()) and is large enough for
 * slots (slot_columns > 0): under a line for the number of the block, or right of it, if there
 * is room for it.
 */
struct quire_rect quire_place_slot(const struct quire_view *view, uint32_t side,
				   const struct quire_pool_grid *grid, const struct quire_rect *at,
				   uint32_t slot);

/* ---- timeline and steps ---- */

/* What the x axis of both shows, in ns or, with view->axis_steps, in steps.  Of a side that
 * shows all, two stories have one axis, so that they can be compared. */
struct quire_axis_range {
	double from, until;
};
struct quire_axis_range quire_place_axis(const struct quire_view *view, uint32_t side);
/* The part of TIMELINE's or STEPS's body that the axis spans: right of the names. */
struct quire_rect quire_place_bars(const struct quire_view *view, uint32_t side,
				   enum quire_panel_kind panel);

/* Row r is sequence first + r, at y + r x pitch; a bar is `height` high, in the middle.
 * Where pitch is less than a pixel, a line of them stands for several sequences. */
struct quire_place_rows {
	uint32_t first, count;
	double y, pitch, height; /* points */
	bool named;		 /* there is room for names at the left */
};
struct quire_place_rows quire_place_rows(const struct quire_view *view, uint32_t side);

/* ---- figures ---- */

/*	name	title			brief		unit	more is	in words */
#define QUIRE_GAUGES(X)                                                                            \
	X(MEMORY, "memory", "memory", "", 0, "what the slots of the pool are used for")            \
	X(RATE, "throughput, tokens/s", "tokens/s", "tokens/s", 1,                                 \
	  "output tokens a second, since the beginning")                                           \
	X(TTFT, "TTFT, first token", "TTFT", "s", -1, "time to first token, mean so far")          \
	X(TPOT, "TPOT, each token", "TPOT", "s", -1, "time per output token, mean so far")         \
	X(USE, "live memory, mean", "live", "%", 0,                                                \
	  "slots that hold a live token, mean over the steps")

enum quire_gauge_kind {
#define X(name, title, brief, unit, better, words) QUIRE_GAUGE_##name,
	QUIRE_GAUGES(X) QUIRE_GAUGE_COUNT
#undef X
};
struct quire_gauge_text {
	const char *title, *brief, *unit, *words;
	int better; /* 1: more is better, -1: less is */
};
extern const struct quire_gauge_text quire_gauge_texts[QUIRE_GAUGE_COUNT];

struct quire_rect quire_place_gauge(const struct quire_view *view, uint32_t side,
				    enum quire_gauge_kind gauge);
/* A figure at position @index of the story, in its unit.  Return: NAN: nothing yet. */
double quire_gauge_value(const struct quire_story *story, enum quire_gauge_kind gauge,
			 uint64_t index);

/* ---- queues ---- */

/* A list as rows of chips: the i-th is at column i % columns, row i / columns. */
struct quire_place_chips {
	struct quire_rect area;
	double width, height; /* of a chip */
	double pitch_x, pitch_y;
	uint32_t columns, rows;
	uint32_t shown; /* of them; the last place says how many more there are */
	bool named;	/* they are large enough for names */
};
/* @count: how many the list has. */
struct quire_place_chips quire_place_chips(const struct quire_view *view, uint32_t side,
					   enum quire_list list, uint32_t count);
struct quire_rect quire_place_chip(const struct quire_place_chips *chips, uint32_t i);

/* ---- sequence ---- */

#define QUIRE_PLACE_STRIPS_MAX 5u
#define QUIRE_PLACE_CELLS_MAX  64u

/*
 * The blocks of a sequence above, those of the pool below, and below them the sequences
 * that share some.  Few blocks are large and show their tokens: then the pool is the cells
 * that are meant, in order.  Many are a strip each, and the pool is all of it.
 *
 *	logical block i of a strip is at at.x + i x pitch, the width of a pitch
 *	the k-th of cells[] is at pool.x + k x pool_pitch
 *	in a picture of many, cell c is at pool.x + c x pool_pitch
 *
 * Logical blocks are counted in cells, also where a map's block is several cells long.
 */
struct quire_place_strip {
	uint32_t seq;
	uint32_t count;	      /* cells of its map, all of them */
	struct quire_rect at; /* of the blocks */
	double tab;	      /* height of its block table: below it (strip 0), else above */
	double pitch;
};
struct quire_place_sequence {
	bool figure;  /* few blocks, large */
	uint32_t seq; /* 0: nobody is selected, or he is not alive */
	struct quire_place_strip strips[QUIRE_PLACE_STRIPS_MAX]; /* [0] is its own */
	uint32_t strips_count;
	uint32_t more; /* sharers that are not shown */
	struct quire_rect pool;
	double pool_pitch;
	uint32_t cells[QUIRE_PLACE_CELLS_MAX]; /* [cells_count] of a figure, rising */
	uint32_t cells_count;
	uint32_t slot_columns; /* of a figure: slots in a row of a block */
};
void quire_place_sequence(const struct quire_view *view, uint32_t side,
			  struct quire_place_sequence *out);
/* Who is selected on a side; 0: nobody there. */
uint32_t quire_place_selected(const struct quire_view *view, uint32_t side);
/* The cell in the pool of cell @i of a sequence's map.  Return: false: it is not so long. */
bool quire_place_map_cell(const struct quire_scene *scene, const struct quire_record_seq *seq,
			  uint32_t i, uint32_t *cell);
/* How many cells its map is long. */
uint32_t quire_place_map_cells(const struct quire_scene *scene, const struct quire_record_seq *seq);

#endif /* QUIRE_PLACE_H */
