/*
 * view_do.c - commands: the table, and what each of them does.
 */
#include "view_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct quire_command_text quire_command_texts[QUIRE_COMMAND_COUNT] = {
#define X(name, word, shape, key, help) {word, key, help, shape},
	QUIRE_COMMANDS(X)
#undef X
};

void view_message(struct quire_view *view, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(view->message, sizeof(view->message), format, args);
	va_end(args);
	view->message_until_s = view->now_s + VIEW_MESSAGE_S;
	view->changed = true;
}

/* ---- sequences ---- */

static void select_seq(struct quire_view *view, uint32_t seq)
{
	const struct quire_story *story = view->sides[0].story;

	view->selected = seq < story->tracks_count ? seq : 0;
	view->selected_request = view->selected ? story->tracks[seq].request : 0;
	if (view->sides_count > 1 && view->lock == QUIRE_LOCK_REQUEST)
		quire_scene_seek(&view->sides[1].scene,
				 quire_story_follow(story, view->sides[0].scene.index,
						    view->sides[1].story, view->lock,
						    seq ? view->selected_request : UINT32_MAX));
}

/* The next of those that are alive, in order of birth, round and round. */
static int select_by(struct quire_view *view, int by)
{
	const struct quire_record_state *state = &view->sides[0].scene.state;
	uint32_t first = UINT32_MAX, least = UINT32_MAX, most = 0, next = 0;

	for (uint32_t i = 0; i < state->counts.seqs_count; i++) {
		uint32_t id = state->seqs[i].id;
		/* How far it is in the direction we go. */
		uint32_t far = by > 0 ? id - view->selected : view->selected - id;

		if (id == view->selected)
			continue;
		least = id < least ? id : least;
		most = id > most ? id : most;
		if ((by > 0) == (id > view->selected) && far < first) {
			first = far;
			next = id;
		}
	}
	if (!next)
		next = by > 0 ? least : most;
	if (!next || next == UINT32_MAX)
		return view->selected ? 0 : quire_fail(-ENOENT, "nobody is alive at this moment");
	select_seq(view, next);
	return 0;
}

/* One thing at a time. */
static void let_go(struct quire_view *view)
{
	if (view->searching)
		view->searching = false;
	else if (view->help)
		view->help = false;
	else if (view->alone >= 0)
		view->alone = -1;
	else
		select_seq(view, 0);
}

static int search(struct quire_view *view, const char *text)
{
	const struct quire_story *story = view->sides[0].story;
	const struct quire_track *track;
	char name[32];
	uint32_t seq;

	while (*text == ' ')
		text++;
	if (!*text) {
		view->searching = !view->searching;
		view->search[0] = 0;
		return 0;
	}
	view->searching = false;
	seq = quire_story_find(story, text);
	if (!seq)
		return quire_fail(-ENOENT,
				  "no sequence has the name '%.40s'; names are r12 (a "
				  "request), r12.3 (its sample 3) and s40 (a sequence)",
				  text);
	select_seq(view, seq);
	if (quire_scene_seq(&view->sides[0].scene, seq))
		return 0;
	/* It is not alive now: to where it comes to life. */
	track = &story->tracks[seq];
	view_pause(view);
	view_message(view, "%s was not alive: this is when it arrives",
		     quire_story_name(story, seq, name));
	return view_jump(view, track->born + 1);
}

/* ---- looks ---- */

static const double fonts[] = {8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 22, 24, 28, 32, 36, 40, 48};
#define FONTS ((int)(sizeof(fonts) / sizeof(fonts[0])))

static int font_by(struct quire_view *view, int by)
{
	int i = 0;

	while (i + 1 < FONTS && fonts[i] < view->font_points)
		i++;
	i += by;
	view->font_wish = fonts[i < 0 ? 0 : i < FONTS ? i : FONTS - 1];
	return 0;
}

static int set_font(struct quire_view *view, double points)
{
	if (points != 0 && !(points >= fonts[0] && points <= fonts[FONTS - 1]))
		return quire_fail(-EINVAL,
				  "font: %g is not from %g to %g points, or 0: by the size "
				  "of the window",
				  points, fonts[0], fonts[FONTS - 1]);
	view->font_wish = points;
	return 0;
}

static int ask(struct quire_view *view, const struct quire_command *command)
{
	if (view->asks_count == QUIRE_ASKS_MAX)
		return quire_fail(-EINVAL, "too much is asked at a time");
	view->asks[view->asks_count++] = *command;
	return 0;
}

static void guide(struct quire_view *view, int direction)
{
	if (view->guide)
		view->guide->go(view->guide, view, direction);
}

/* The value that is asked for, or the next one of @count. */
static uint32_t choice(const struct quire_command *command, uint32_t now, uint32_t count)
{
	if (command->number < 0)
		return (now + 1) % count;
	return command->number < count ? (uint32_t)command->number : now;
}

static int choose(struct quire_view *view, const struct quire_command *command)
{
	switch (command->kind) {
	case QUIRE_DO_CLOCK:
		return view_clock(view, choice(command, view->clock, QUIRE_CLOCKS));
	case QUIRE_DO_LOCK:
		return view_lock(view, choice(command, view->lock, QUIRE_LOCK_COUNT));
	case QUIRE_DO_COLOUR:
		view->colouring = choice(command, view->colouring, QUIRE_COLOURINGS);
		return 0;
	case QUIRE_DO_AXIS:
		view->axis_steps = choice(command, view->axis_steps, 2);
		for (uint32_t s = 0; s < view->sides_count; s++)
			view->sides[s].axis_from = view->sides[s].axis_until = 0;
		return 0;
	case QUIRE_DO_THEME:
		view->theme = choice(command, view->theme, QUIRE_THEMES);
		return 0;
	case QUIRE_DO_EVENT_KIND:
		view->mark_kind = command->number < 0 ? view_next_kind(view)
						      : choice(command, 0, QUIRE_EV_COUNT);
		view_message(view, "N goes to the next %s",
			     view_word(QUIRE_DO_EVENT_KIND, view->mark_kind));
		return 0;
	case QUIRE_DO_PANEL:
		view->alone = command->number < 0 ? -1 : (int)command->number;
		return 0;
	default: /* NEXT_EVENT, LAST_EVENT */
		return view_event(view,
				  command->number < 0 ? view->mark_kind
						      : choice(command, 0, QUIRE_EV_COUNT),
				  command->kind == QUIRE_DO_LAST_EVENT);
	}
}

static int obey(struct quire_view *view, const struct quire_command *command)
{
	switch (command->kind) {
	case QUIRE_DO_NONE:
	case QUIRE_DO_HOST:
		return 0;
	case QUIRE_DO_PLAY:
		if (!view->guide)
			return view_play(view);
		guide(view, 1);
		return 0;
	case QUIRE_DO_PAUSE:
		view_pause(view);
		return 0;
	case QUIRE_DO_STEP_ON:
		return view_step_by(view, 1);
	case QUIRE_DO_STEP_BACK:
		return view_step_by(view, -1);
	case QUIRE_DO_EVENT_ON:
		return view_event_by(view, 1);
	case QUIRE_DO_EVENT_BACK:
		return view_event_by(view, -1);
	case QUIRE_DO_FASTER:
		return view_speed(view, view->speed * 2);
	case QUIRE_DO_SLOWER:
		return view_speed(view, view->speed / 2);
	case QUIRE_DO_SPEED:
		return view_speed(view, command->number);
	case QUIRE_DO_SEEK:
		return view_seek(view, command);
	case QUIRE_DO_FIRST:
		view_pause(view);
		return view_jump(view, 0);
	case QUIRE_DO_LAST:
		return view_last(view);
	case QUIRE_DO_DIVERGE:
		return view_diverge(view);
	case QUIRE_DO_SELECT:
		select_seq(view, command->seq);
		return 0;
	case QUIRE_DO_SELECT_NEXT:
		return select_by(view, 1);
	case QUIRE_DO_SELECT_LAST:
		return select_by(view, -1);
	case QUIRE_DO_SELECT_NONE:
		let_go(view);
		return 0;
	case QUIRE_DO_SEARCH:
		return search(view, command->text);
	case QUIRE_DO_ZOOM:
	case QUIRE_DO_ZOOM_FIT:
		return view_zoom(view, command);
	case QUIRE_DO_PAN:
		return view_pan(view, command);
	case QUIRE_DO_FOCUS:
		return view_focus(view);
	case QUIRE_DO_FONT_UP:
		return font_by(view, 1);
	case QUIRE_DO_FONT_DOWN:
		return font_by(view, -1);
	case QUIRE_DO_FONT:
		return set_font(view, command->number);
	case QUIRE_DO_HELP:
		view->help = !view->help;
		return 0;
	case QUIRE_DO_CAPTION_ON:
		guide(view, 1);
		return 0;
	case QUIRE_DO_CAPTION_BACK:
		guide(view, -1);
		return 0;
	default:
		if (command->kind > QUIRE_DO_HOST && command->kind < QUIRE_COMMAND_COUNT)
			return ask(view, command);
		return choose(view, command);
	}
}

int quire_view_do(struct quire_view *view, const struct quire_command *command)
{
	int rc = obey(view, command);

	if (command->kind == QUIRE_DO_NONE)
		return 0;
	if (rc)
		view_message(view, "%s", quire_failure());
	quire_view_layout(view);
	for (uint32_t s = 0; s < view->sides_count; s++)
		view_keep_in_sight(view, s);
	return rc;
}
