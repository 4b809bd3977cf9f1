/*
 * view_input.c - what keys and the pointer mean.
 *
 * A click selects what is there, or goes to the step that is there; a drag moves the panel
 * it began in, or the moment along the scrub bar; the wheel zooms.  So a press alone says
 * nothing yet, but on a button and on the scrub bar.
 */
#include "view_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DRAG_EM	 0.4 /* the pointer may move so far in a click */
#define NOTCH	 1.2 /* zoom of one notch of the wheel */
#define NOTCH_EM 4.0 /* pan of one */

static const struct quire_command nothing = {.panel = -1};

/* ---- keys ---- */

/* The key as the table writes it: "Shift+Right", "Ctrl+C", "?". */
static void key_name(const struct quire_input *input, char *text, size_t size)
{
	static const struct {
		uint32_t key;
		const char *name;
	} named[] = {
		{QUIRE_KEY_ESCAPE, "Escape"},  {QUIRE_KEY_ENTER, "Enter"},
		{QUIRE_KEY_TAB, "Tab"},	       {QUIRE_KEY_BACKSPACE, "Backspace"},
		{QUIRE_KEY_LEFT, "Left"},      {QUIRE_KEY_RIGHT, "Right"},
		{QUIRE_KEY_UP, "Up"},	       {QUIRE_KEY_DOWN, "Down"},
		{QUIRE_KEY_HOME, "Home"},      {QUIRE_KEY_END, "End"},
		{QUIRE_KEY_PAGE_UP, "PageUp"}, {QUIRE_KEY_PAGE_DOWN, "PageDown"},
		{QUIRE_KEY_F11, "F11"},	       {' ', "Space"},
	};
	uint32_t key = input->key, mods = input->mods;
	char one[2] = {0};
	const char *name = one;

	/* Where a character takes Shift, Shift is a part of it. */
	if (key == '/' && mods & QUIRE_MOD_SHIFT)
		key = '?';
	else if (key == '=')
		key = '+';
	if (key > ' ' && key < 127 && !(key >= 'a' && key <= 'z'))
		mods &= ~(uint32_t)QUIRE_MOD_SHIFT;
	if (key >= 'a' && key <= 'z')
		key -= 'a' - 'A';
	one[0] = key > ' ' && key < 127 ? (char)key : 0;
	for (uint32_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i].key == key)
			name = named[i].name;
	snprintf(text, size, "%s%s%s%s", mods & QUIRE_MOD_CTRL ? "Ctrl+" : "",
		 mods & QUIRE_MOD_ALT ? "Alt+" : "", mods & QUIRE_MOD_SHIFT ? "Shift+" : "", name);
}

static struct quire_command of_key(const struct quire_view *view, const struct quire_input *input)
{
	static const int panels[] = {QUIRE_PANEL_POOL, QUIRE_PANEL_SEQUENCE, QUIRE_PANEL_TIMELINE,
				     QUIRE_PANEL_GAUGES, QUIRE_PANEL_QUEUES};
	struct quire_command command = nothing;
	char name[40];

	command.number = -1;
	command.x = view->pointer_x;
	command.y = view->pointer_y;
	if (!input->mods && input->key >= '1' && input->key <= '5') {
		command.kind = QUIRE_DO_PANEL;
		command.number = panels[input->key - '1'];
		if (command.number == view->alone)
			command.number = -1;
		return command;
	}
	key_name(input, name, sizeof(name));
	for (uint32_t i = 1; i < QUIRE_COMMAND_COUNT; i++)
		if (name[0] && strcmp(quire_command_texts[i].key, name) == 0)
			command.kind = i;
	return command;
}

/* While a name is typed, letters are letters. */
static struct quire_command of_search(struct quire_view *view, const struct quire_input *input)
{
	struct quire_command command = nothing;
	size_t length = strlen(view->search);

	view->changed = true;
	switch (input->key) {
	case QUIRE_KEY_ESCAPE:
		command.kind = QUIRE_DO_SELECT_NONE;
		break;
	case QUIRE_KEY_ENTER:
		command.kind = QUIRE_DO_SEARCH;
		memcpy(command.text, view->search, sizeof(view->search));
		break;
	case QUIRE_KEY_BACKSPACE:
		if (length)
			view->search[length - 1] = 0;
		break;
	default:
		break;
	}
	return command;
}

static void type(struct quire_view *view, const char *text)
{
	size_t length = strlen(view->search);

	for (; *text && length + 1 < sizeof(view->search); text++)
		if (*text > ' ' && *text < 127)
			view->search[length++] = *text;
	view->search[length] = 0;
	view->changed = true;
}

/* ---- the pointer ---- */

static bool same_hit(const struct quire_hit *a, const struct quire_hit *b)
{
	return a->kind == b->kind && a->panel == b->panel && a->side == b->side &&
	       a->cell == b->cell && a->slot == b->slot && a->seq == b->seq &&
	       a->block == b->block && a->step == b->step && a->gauge == b->gauge &&
	       a->command == b->command;
}

void view_hover(struct quire_view *view)
{
	struct quire_hit hit = {.slot = UINT32_MAX};

	if (view->pointer_x >= 0 && view->pointer_y >= 0)
		hit = quire_view_hit(view, view->pointer_x, view->pointer_y);
	if (!same_hit(&hit, &view->hover)) {
		view->hover_s = view->now_s;
		view->changed = true;
	}
	view->hover = hit;
}

/* The sequence of the first story that is the same as @seq of @side; 0: there is none. */
static uint32_t in_first(const struct quire_view *view, uint32_t side, uint32_t seq)
{
	const struct quire_story *a = view->sides[0].story, *b = view->sides[side].story;
	uint32_t request, id;

	if (side == 0 || !seq || seq >= b->tracks_count)
		return seq;
	request = b->tracks[seq].request;
	id = request < a->run->requests_count ? a->first_seq[request] : 0;
	while (id && a->tracks[id].sample != b->tracks[seq].sample)
		id = a->tracks[id].next_sample;
	return id;
}

static struct quire_command seek_ns(const struct quire_view *view, uint64_t at_ns)
{
	struct quire_command command = nothing;

	command.kind = QUIRE_DO_SEEK;
	command.number = (double)at_ns;
	command.index = quire_story_index_ns(view->sides[0].story, at_ns);
	return command;
}

static struct quire_command click(const struct quire_view *view, const struct quire_hit *hit)
{
	const struct quire_story *story = view->sides[0].story;
	struct quire_command command = nothing;

	switch (hit->kind) {
	case QUIRE_HIT_CELL:
	case QUIRE_HIT_SEQ:
	case QUIRE_HIT_BLOCK:
	case QUIRE_HIT_SPAN:
		command.kind = QUIRE_DO_SELECT;
		command.seq = in_first(view, hit->side, hit->seq);
		break;
	case QUIRE_HIT_STEP:
		if (hit->side && view->lock != QUIRE_LOCK_STEP)
			return seek_ns(view, hit->at_ns);
		command.kind = QUIRE_DO_SEEK;
		command.number = -1;
		command.index = quire_story_index_step(story, hit->step);
		break;
	default:
		break;
	}
	return command;
}

static struct quire_command press(struct quire_view *view, const struct quire_input *input)
{
	struct quire_command command = nothing;

	view->pressed = (struct quire_hit){0};
	if (view->help || view->searching) {
		command.kind = view->help ? QUIRE_DO_HELP : QUIRE_DO_SELECT_NONE;
		return command;
	}
	if (input->button != 1 && input->button != 2)
		return command;
	view_hover(view);
	if (view->hover.kind == QUIRE_HIT_BUTTON) {
		command.kind = view->hover.command;
		command.number = -1;
		return command;
	}
	view->pressed = view->hover;
	view->pressed_x = input->x;
	view->pressed_y = input->y;
	view->dragged = input->button != 1;
	if (view->pressed.kind == QUIRE_HIT_SCRUB)
		return seek_ns(view, view->pressed.at_ns);
	return command;
}

/* With something pressed. */
static struct quire_command drag(struct quire_view *view, double dx, double dy)
{
	struct quire_command command = nothing;
	enum quire_panel_kind panel = view->pressed.panel;

	if (view->pressed.kind == QUIRE_HIT_SCRUB) {
		struct quire_rect bar = quire_place_scrub(view);
		double share = (view->pointer_x - bar.x) / bar.width;

		share = bar.width > 0 ? fmin(fmax(share, 0), 1) : 0;
		return seek_ns(view, (uint64_t)(share * (double)quire_place_end_ns(view)));
	}
	if (!view->dragged &&
	    hypot(view->pointer_x - view->pressed_x, view->pointer_y - view->pressed_y) <
		    DRAG_EM * view->font_points)
		return command;
	if (!view->dragged) { /* what was held back until now */
		dx = view->pointer_x - view->pressed_x;
		dy = view->pointer_y - view->pressed_y;
		view->dragged = true;
	}
	if (panel != QUIRE_PANEL_POOL && panel != QUIRE_PANEL_TIMELINE &&
	    panel != QUIRE_PANEL_STEPS)
		return command;
	command.kind = QUIRE_DO_PAN;
	command.panel = (int)panel;
	command.x = dx;
	command.y = panel == QUIRE_PANEL_STEPS ? 0 : dy;
	return command;
}

static struct quire_command wheel(const struct quire_view *view, const struct quire_input *input)
{
	struct quire_hit hit = quire_view_hit(view, view->pointer_x, view->pointer_y);
	struct quire_command command = nothing;

	if (view->help || view->searching)
		return command;
	if (hit.panel == QUIRE_PANEL_SCRUB) {
		command.kind = input->dy > 0 ? QUIRE_DO_STEP_BACK : QUIRE_DO_STEP_ON;
		return command;
	}
	command.x = view->pointer_x;
	command.y = view->pointer_y;
	if (fabs(input->dx) > fabs(input->dy) || input->mods & QUIRE_MOD_SHIFT) {
		command.kind = QUIRE_DO_PAN;
		command.x = (fabs(input->dx) > fabs(input->dy) ? -input->dx : input->dy) *
			    NOTCH_EM * view->font_points;
		command.y = 0;
		return command;
	}
	command.kind = QUIRE_DO_ZOOM;
	command.number = pow(NOTCH, input->dy);
	if (input->mods & QUIRE_MOD_CTRL && hit.panel == QUIRE_PANEL_TIMELINE)
		command.panel = VIEW_ROWS;
	return command;
}

static struct quire_command motion(struct quire_view *view, const struct quire_input *input)
{
	double dx = input->x - view->pointer_x, dy = input->y - view->pointer_y;

	view->pointer_x = input->x;
	view->pointer_y = input->y;
	if (view->pressed.kind != QUIRE_HIT_NOTHING)
		return drag(view, dx, dy);
	view_hover(view);
	return nothing;
}

struct quire_command quire_view_input(struct quire_view *view, const struct quire_input *input)
{
	struct quire_command command = nothing;

	switch (input->kind) {
	case QUIRE_INPUT_KEY:
		return view->searching ? of_search(view, input) : of_key(view, input);
	case QUIRE_INPUT_TEXT:
		if (view->searching)
			type(view, input->text);
		return command;
	case QUIRE_INPUT_MOTION:
		return motion(view, input);
	case QUIRE_INPUT_PRESS:
		motion(view, input);
		return press(view, input);
	case QUIRE_INPUT_RELEASE:
		motion(view, input);
		if (!view->dragged)
			command = click(view, &view->pressed);
		view->pressed = (struct quire_hit){0};
		view->dragged = false;
		view_hover(view);
		return command;
	case QUIRE_INPUT_WHEEL:
		return wheel(view, input);
	case QUIRE_INPUT_LEAVE:
		view->pointer_x = view->pointer_y = -1;
		view->pressed = (struct quire_hit){0};
		view_hover(view);
		return command;
	}
	return command;
}
