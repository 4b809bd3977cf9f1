/*
 * view_parts.h - what the files of view.h share; private to view*.c.
 */
#ifndef QUIRE_VIEW_PARTS_H
#define QUIRE_VIEW_PARTS_H

#include "core/util.h"
#include "place.h"

#include <errno.h>

#define VIEW_STEPS_S   4.0 /* at speed 1, where the clock is steps */
#define VIEW_SPEED_MIN (1.0 / 16)
#define VIEW_SPEED_MAX 1024.0
#define VIEW_MESSAGE_S 5.0 /* so long a message stands */
#define VIEW_FLASH_S   0.6 /* so long a flash is seen */
/* In a command: the rows of the timeline, not its axis. */
#define VIEW_ROWS ((int)QUIRE_PANEL_COUNT)

/* ---- view.c ---- */

/* A time on the axis of the timeline. */
double view_axis_of(const struct quire_view *view, uint32_t side, uint64_t at_ns);

/* ---- view_time.c ---- */

/* A position as head counts, and back. */
double view_clock_of(const struct quire_story *story, enum quire_clock clock, uint64_t index);
uint64_t view_index_of(const struct quire_story *story, enum quire_clock clock, double head);
/* Where a side is now, on its own story's clock. */
double view_head_at(const struct quire_view *view, uint32_t side, enum quire_clock clock);
/* Head, where the first story ends; and as far as it can go now. */
double view_first_end(const struct quire_view *view);
double view_end(const struct quire_view *view);
/* Is there more to come, or to be indexed? */
bool view_grows(const struct quire_view *view);
/* To a position of the first story; the second follows.  Return: 0; -ENOMEM. */
int view_jump(struct quire_view *view, uint64_t index);
/* To a value of head, which may lie behind the first story's end. */
int view_jump_head(struct quire_view *view, double head);
/* The first story is at its end, and the second one goes to a position behind that. */
int view_jump_second(struct quire_view *view, uint64_t index);

/* ---- view_move.c: zoom, pan ---- */

int view_zoom(struct quire_view *view, const struct quire_command *command);
int view_pan(struct quire_view *view, const struct quire_command *command);
int view_focus(struct quire_view *view);
/* A side's pool, axis and rows do not leave their panels. */
void view_keep_in_sight(struct quire_view *view, uint32_t side);
/* Does the axis show @at_ns?  Where it shows a part, have it show the moment. */
bool view_sees(const struct quire_view *view, uint32_t side, uint64_t at_ns);
void view_follow(struct quire_view *view, uint32_t side);

/* ---- view_go.c: commands about time ---- */

void view_pause(struct quire_view *view);
int view_play(struct quire_view *view);
int view_step_by(struct quire_view *view, int by);
int view_event_by(struct quire_view *view, int by);
int view_last(struct quire_view *view);
int view_seek(struct quire_view *view, const struct quire_command *command);
int view_speed(struct quire_view *view, double speed);
int view_clock(struct quire_view *view, enum quire_clock clock);
int view_lock(struct quire_view *view, enum quire_lock lock);
/* To the next event of @kind. */
int view_event(struct quire_view *view, uint32_t kind, bool back);
/* The kind behind view->mark_kind of which there are some. */
uint32_t view_next_kind(const struct quire_view *view);
int view_diverge(struct quire_view *view);

/* ---- view_do.c ---- */

void view_message(struct quire_view *view, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- view_input.c ---- */

/* Look again what lies under the pointer. */
void view_hover(struct quire_view *view);

/* ---- view_parse.c ---- */

/* The words that a command of shape w takes; NULL behind the last. */
const char *view_word(enum quire_command_kind kind, uint32_t i);

/* ---- view_words.c ---- */

/* What happened, as half a sentence: "r3 runs 16 tokens". */
void view_event_words(const struct quire_story *story, const struct quire_event *e, char *text,
		      size_t size);

#endif /* QUIRE_VIEW_PARTS_H */
