/*
 * view.h - what is looked at and how: where panels lie, what keys and the mouse mean, what
 * is selected, where time is.
 *
 *	input --quire_view_input()--> command --quire_view_do()--> view
 *	                                                            |
 *	seconds --quire_view_tick()-------------------------------> view --> draw.h
 *
 * One table lists the commands; keys, the help on `?`, scripts of lessons and tests
 * (quire_view_say("select r12")) and the documentation are made from it.  Nothing here
 * draws, reads a clock or knows SDL: the same inputs at the same seconds give the same view,
 * which is how a film is made and how tests drive it.
 *
 * Lengths are in points, 1/72 inch at scale 1, y downwards; a device pixel is 1 / scale
 * points (HiDPI).  What depends on the size of letters is in em = font_points, so a larger
 * font moves everything.
 */
#ifndef QUIRE_VIEW_H
#define QUIRE_VIEW_H

#include "scene.h"

/* ---- panels ---- */

/*	name	   title */
#define QUIRE_PANELS(X)                                                                            \
	X(HEADER, "")                                                                              \
	X(POOL, "pool")                                                                            \
	X(SEQUENCE, "sequence")                                                                    \
	X(TIMELINE, "timeline")                                                                    \
	X(STEPS, "steps")                                                                          \
	X(GAUGES, "memory and figures")                                                            \
	X(QUEUES, "queues")                                                                        \
	X(LEGEND, "")                                                                              \
	X(SCRUB, "")                                                                               \
	X(LESSON, "")

enum quire_panel_kind {
#define X(name, title) QUIRE_PANEL_##name,
	QUIRE_PANELS(X) QUIRE_PANEL_COUNT
#undef X
};

struct quire_rect {
	double x, y, width, height; /* points; width 0: it is not shown */
};

/* ---- choices ---- */

enum quire_colouring { /* of cells */
		       QUIRE_BY_OWNER,
		       QUIRE_BY_REFS,
		       QUIRE_BY_FILL,
		       QUIRE_BY_AGE,
		       QUIRE_COLOURINGS
};
enum quire_theme_kind { QUIRE_DARK, QUIRE_LIGHT, QUIRE_COLOUR_BLIND, QUIRE_THEMES };
enum quire_clock { QUIRE_CLOCK_TIME, QUIRE_CLOCK_STEP, QUIRE_CLOCKS }; /* what playing follows */

/* ---- commands ---- */

/*
 * What a view can be told.  The argument's shape:
 *	-	none
 *	n	a number			speed 4		zoom 1.5 timeline
 *	w	a word				colour refs	panel timeline
 *	m	a moment: "1.25s", "300ms", "step 40", "event 1200", "end"
 *	s	a sequence by name		select r12.1
 *	t	the rest of the line
 * Those below HOST are done by whoever owns the window; see struct quire_view.asks.
 *	name	  word		shape key	help */
#define QUIRE_COMMANDS(X)                                                                          \
	X(NONE, "", '-', "", "")                                                                   \
	X(PLAY, "play", '-', "Space", "play, pause; in a lesson: go on")                           \
	X(PAUSE, "pause", '-', "", "pause")                                                        \
	X(STEP_ON, "step", '-', "Right", "one step on")                                            \
	X(STEP_BACK, "step-back", '-', "Left", "one step back")                                    \
	X(EVENT_ON, "event", '-', "Shift+Right", "one event on")                                   \
	X(EVENT_BACK, "event-back", '-', "Shift+Left", "one event back")                           \
	X(FASTER, "faster", '-', "+", "twice as fast")                                             \
	X(SLOWER, "slower", '-', "-", "half as fast")                                              \
	X(SPEED, "speed", 'n', "", "speed 1/16 .. 1024")                                           \
	X(CLOCK, "clock", 'w', "K", "play by time, by step")                                       \
	X(SEEK, "seek", 'm', "", "go to a moment")                                                 \
	X(FIRST, "first", '-', "Home", "to the beginning")                                         \
	X(LAST, "last", '-', "End", "to the end; of a live run: follow it")                        \
	X(NEXT_EVENT, "next", 'w', "N", "to the next event of the chosen kind")                    \
	X(LAST_EVENT, "previous", 'w', "Shift+N", "to the event before, of that kind")             \
	X(EVENT_KIND, "kind", 'w', "E", "choose the kind: preempt, copy, fork, finish ...")        \
	X(DIVERGE, "diverge", '-', "D", "where two recordings first differ")                       \
	X(LOCK, "lock", 'w', "L", "two recordings: in step by time, step, request")                \
	X(COLOUR, "colour", 'w', "C", "cells by owner, refs, fill, age")                           \
	X(SELECT, "select", 's', "", "follow a sequence")                                          \
	X(SELECT_NEXT, "select-next", '-', "Down", "follow the next sequence")                     \
	X(SELECT_LAST, "select-previous", '-', "Up", "follow the sequence before")                 \
	X(SELECT_NONE, "select-none", '-', "Escape", "let go, close")                              \
	X(SEARCH, "search", 't', "/", "search a request")                                          \
	X(ZOOM, "zoom", 'n', "", "zoom the panel under the pointer; 0: fit")                       \
	X(ZOOM_FIT, "fit", '-', "0", "show all of it")                                             \
	X(PAN, "pan", 't', "", "pan DX DY, in points")                                             \
	X(PANEL, "panel", 'w', "1..5", "pool, sequence, timeline, figures, queues alone")          \
	X(FOCUS, "focus", '-', "F", "bring the selected sequence into sight")                      \
	X(AXIS, "axis", 'w', "X", "timeline over time, over steps")                                \
	X(THEME, "theme", 'w', "T", "dark, light, colour-blind")                                   \
	X(FONT_UP, "font-up", '-', "]", "larger letters")                                          \
	X(FONT_DOWN, "font-down", '-', "[", "smaller letters")                                     \
	X(FONT, "font", 'n', "", "size of letters in points")                                      \
	X(HELP, "help", '-', "?", "this help")                                                     \
	X(CAPTION_ON, "caption-on", '-', "", "a lesson: on")                                       \
	X(CAPTION_BACK, "caption-back", '-', "Backspace", "a lesson: back")                        \
	X(HOST, "", '-', "", "")                                                                   \
	X(COPY_LINE, "copy", '-', "Ctrl+C", "copy this view as a command line")                    \
	X(SAVE_PNG, "png", 't', "P", "save this picture")                                          \
	X(FULL_SCREEN, "full-screen", '-', "F11", "full screen")                                   \
	X(QUIT, "quit", '-', "Q", "quit")

enum quire_command_kind {
#define X(name, word, shape, key, help) QUIRE_DO_##name,
	QUIRE_COMMANDS(X) QUIRE_COMMAND_COUNT
#undef X
};

struct quire_command_text {
	const char *word, *key, *help;
	char shape;
};
extern const struct quire_command_text quire_command_texts[QUIRE_COMMAND_COUNT];

/* What a hand does with the pointer, for the help.
 *	gesture	 help */
#define QUIRE_GESTURES(X)                                                                          \
	X("click", "follow a sequence; go to a step")                                              \
	X("drag", "move the pool, the timeline, the moment")                                       \
	X("wheel", "zoom; Shift: along; Ctrl: rows of the timeline")                               \
	X("rest", "it is said what that is, and why")

struct quire_command {
	enum quire_command_kind kind;
	double number;	/* of n; of a w: its value, -1: the next one; of m: ns, -1: not a time */
	uint64_t index; /* of m: a position in the first story */
	uint32_t seq;	/* of s */
	double x, y;	/* of ZOOM: around this point; of PAN: how far */
	int panel;	/* of ZOOM, PAN: which, QUIRE_PANEL_COUNT: rows; -1: under the pointer */
	char text[128]; /* of t; of m: the moment as it was said */
};

/* ---- input ---- */

enum quire_input_kind {
	QUIRE_INPUT_KEY,     /* a key went down */
	QUIRE_INPUT_TEXT,    /* letters, while searching */
	QUIRE_INPUT_MOTION,  /* the pointer is at x, y */
	QUIRE_INPUT_PRESS,   /* a button went down there */
	QUIRE_INPUT_RELEASE, /* ... up */
	QUIRE_INPUT_WHEEL,   /* turned by dx, dy notches */
	QUIRE_INPUT_LEAVE,   /* the pointer left the window */
};

/* Of KEY: the character that is typed, "?" where that takes Shift, or one of these. */
enum quire_key {
	QUIRE_KEY_ESCAPE = 27,
	QUIRE_KEY_ENTER = 13,
	QUIRE_KEY_BACKSPACE = 8,
	QUIRE_KEY_TAB = 9,
	QUIRE_KEY_LEFT = 0x110000,
	QUIRE_KEY_RIGHT,
	QUIRE_KEY_UP,
	QUIRE_KEY_DOWN,
	QUIRE_KEY_HOME,
	QUIRE_KEY_END,
	QUIRE_KEY_PAGE_UP,
	QUIRE_KEY_PAGE_DOWN,
	QUIRE_KEY_F11,
};
enum { QUIRE_MOD_SHIFT = 1, QUIRE_MOD_CTRL = 2, QUIRE_MOD_ALT = 4 };

struct quire_input {
	enum quire_input_kind kind;
	uint32_t key;	 /* enum quire_key or a character, lower case: what the key types */
	uint32_t mods;	 /* QUIRE_MOD_* */
	uint32_t button; /* 1 left, 2 middle, 3 right */
	double x, y;	 /* points */
	double dx, dy;	 /* of WHEEL */
	char text[32];	 /* of TEXT */
};

/* ---- the view ---- */

#define QUIRE_TOOLTIP_S 0.25 /* so long the pointer rests */

/* What lies under the pointer, or is pointed at. */
enum quire_hit_kind {
	QUIRE_HIT_NOTHING,
	QUIRE_HIT_CELL,	  /* of the pool: cell, slot (UINT32_MAX: too small to tell) */
	QUIRE_HIT_SEQ,	  /* a row, a name: seq */
	QUIRE_HIT_BLOCK,  /* of the sequence panel: seq, block (logical), cell */
	QUIRE_HIT_SPAN,	  /* of the timeline: seq, at_ns */
	QUIRE_HIT_STEP,	  /* a step: step, at_ns */
	QUIRE_HIT_SCRUB,  /* the bar: at_ns */
	QUIRE_HIT_GAUGE,  /* a figure: gauge, which draw.h names */
	QUIRE_HIT_BUTTON, /* a command to click: command */
};

struct quire_hit {
	enum quire_hit_kind kind;
	enum quire_panel_kind panel;
	uint32_t side; /* which story: 0, 1 */
	uint32_t cell, slot, seq, block, step, gauge;
	uint64_t at_ns;
	enum quire_command_kind command;
};

/* One story in the window; two stand side by side. */
struct quire_side {
	struct quire_story *story; /* borrowed */
	struct quire_scene scene;  /* owned */
	char about[160];	   /* what tells it from the other one; alone: model, GPU */
	struct quire_rect panels[QUIRE_PANEL_COUNT];
	/* the pool, in as many columns as fit it all in, whatever its zoom */
	double cell_points;    /* from cell to cell; 0: fit all in */
	double pool_x, pool_y; /* points that the pool is moved left, up */
	/* the timeline: what is seen, in ns or in steps */
	double axis_from, axis_until; /* both 0: all of it */
	double rows_from, rows_until; /* sequences; both 0: those that live in sight */
};

/* So few are a lecture's: their tokens are to be read. */
#define QUIRE_FEW_CELLS 64u

/* How the pool lies in its panel: the same for drawing and for pointing. */
struct quire_pool_grid {
	double x, y;		 /* of cell 0, in points; may lie outside */
	double pitch_x, pitch_y; /* from cell to cell */
	double width, height;	 /* of a cell, <= pitch; a square, but for blocks with words */
	uint32_t columns;	 /* cells in a row */
	uint32_t rows;
	uint32_t slot_columns; /* slots in a row of a cell, where slots are shown; else 0 */
};

struct quire_caption {
	const char *title; /* of the lesson; NULL: there is none */
	const char *text;
	const char *question; /* to be thought about before it goes on; NULL */
	const char *answer;   /* NULL: not yet */
	uint32_t number, count;
	/* Letters of text and question or answer where they are most, so that the panel has one
	 * height for the whole lesson; 0: those above count. */
	uint32_t letters;
};

struct quire_view;

/* Who leads through a lesson; lesson.h makes one.  Called for CAPTION_ON and _BACK, and for
 * Space while it is there.  It calls quire_view_do(). */
struct quire_guide {
	void (*go)(struct quire_guide *guide, struct quire_view *view, int direction);
};

#define QUIRE_ASKS_MAX 8u

struct quire_view {
	struct quire_side sides[2];
	uint32_t sides_count;

	/* time */
	bool playing;
	bool following; /* a live run: always its newest */
	enum quire_clock clock;
	enum quire_lock lock;
	double speed;	  /* 1/16 .. 1024; 1: real time, or 4 steps a second */
	double now_s;	  /* of the host's clock, which begins at 0, by quire_view_tick() */
	double head;	  /* where it is, in ns of the first story, or in steps; fractions count */
	double until;	  /* playing stops where head gets there; INFINITY: at the end */
	uint64_t skipped; /* steps that the last tick left out: live, or fast */
	bool jumped;	  /* it came here at once, so what happened in this step stays bright */
	double jumped_s;  /* when */
	uint32_t mark_kind; /* enum quire_event_kind, for "next" */

	/* choices */
	enum quire_colouring colouring;
	enum quire_theme_kind theme;
	bool axis_steps; /* the timeline is over steps */
	int alone;	 /* enum quire_panel_kind of the one panel that is shown; -1: all */
	bool help;
	bool searching;
	char search[64];
	uint32_t selected;	   /* sequence of the first story; 0: none */
	uint32_t selected_request; /* so that the second story can show it too */

	/* place */
	double width, height;	  /* points */
	double scale;		  /* device pixels a point */
	double font_wish;	  /* size of letters; 0: by the height of the window */
	double font_points;	  /* as it is */
	struct quire_rect dialog; /* help, search */

	/* the pointer */
	double pointer_x, pointer_y; /* -1: it is not here */
	struct quire_hit hover;
	double hover_s;		  /* since when; the tooltip comes QUIRE_TOOLTIP_S later */
	struct quire_hit pressed; /* what a drag began on; NOTHING: none */
	double pressed_x, pressed_y;
	bool dragged; /* it has moved since: it is no click */

	struct quire_guide *guide; /* borrowed; NULL */
	struct quire_caption caption;
	char message[192]; /* one line, for a while: "copied", what is wrong with the file */
	double message_until_s;

	/* for the host, which empties it: commands behind QUIRE_DO_HOST */
	struct quire_command asks[QUIRE_ASKS_MAX];
	uint32_t asks_count;
	bool changed; /* something is to be drawn again; the host clears it */
};

/* A view of one or two stories (@b NULL) at their beginning.  Return: 0; -ENOMEM. */
int quire_view_init(struct quire_view *view, struct quire_story *a, struct quire_story *b);
void quire_view_free(struct quire_view *view);

/* The window is so large; panels are placed anew. */
void quire_view_resize(struct quire_view *view, double width, double height, double scale);
void quire_view_layout(struct quire_view *view);

/* What an input means now.  Drags and the pointer are noted in the view. */
struct quire_command quire_view_input(struct quire_view *view, const struct quire_input *input);
/* Return: 0; -EINVAL, -ENOENT with a sentence, which is the view's message too. */
int quire_view_do(struct quire_view *view, const struct quire_command *command);
/* A command in words, "seek step 40", as in the table. */
int quire_view_parse(const struct quire_view *view, const char *line,
		     struct quire_command *command);
int quire_view_say(struct quire_view *view, const char *line);

/*
 * The host's clock shows @now_s: stories that grow are indexed further (for about
 * @budget_s; INFINITY: all there is), playing goes on, tooltips come, flashes fade.
 * Return: is something moving, so that it should be called again soon?
 */
bool quire_view_tick(struct quire_view *view, double now_s, double budget_s);

struct quire_hit quire_view_hit(const struct quire_view *view, double x, double y);
struct quire_pool_grid quire_view_pool(const struct quire_view *view, uint32_t side);
/* Where a cell is, in points. */
struct quire_rect quire_view_cell(const struct quire_pool_grid *grid, uint32_t cell);
/* Time to x in the timeline and back, in points of the window. */
double quire_view_x_of(const struct quire_view *view, uint32_t side, uint64_t at_ns);
uint64_t quire_view_ns_of(const struct quire_view *view, uint32_t side, double x);
/* The time on the first story's clock; what a flash's age is measured against. */
uint64_t quire_view_now_ns(const struct quire_view *view, uint32_t side);
/* How bright a flash is still seen, 0 .. 1. */
double quire_view_flash(const struct quire_view *view, uint32_t side,
			const struct quire_flash *flash);

/* What @hit is and why it is so, in whole sentences, lines ended by \n.  "": nothing. */
void quire_view_tooltip(const struct quire_view *view, const struct quire_hit *hit, char *text,
			size_t size);
/* The command line that shows this view again, without "quire view FILE...". */
void quire_view_line(const struct quire_view *view, char *text, size_t size);

#endif /* QUIRE_VIEW_H */
