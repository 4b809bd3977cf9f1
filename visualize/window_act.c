/*
 * window_act.c - what is asked of the window, and what a script does.
 */
#include "export.h"
#include "window_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ACT_MESSAGE_S 5.0

static void tell(struct quire_view *view, const char *format, const char *text)
{
	char line[WINDOW_LINE_BYTES + 64];

	snprintf(line, sizeof(line), format, text);
	snprintf(view->message, sizeof(view->message), "%.*s", (int)sizeof(view->message) - 1,
		 line);
	view->message_until_s = view->now_s + ACT_MESSAGE_S;
	view->changed = true;
}

/* The command line that shows this again. */
static void make_line(const struct window *w, char *line, size_t size)
{
	const char *command = w->config->command, *rest = w->config->command_rest;
	size_t used;

	snprintf(line, size, "%s ", command ? command : "quire view");
	used = strlen(line);
	quire_view_line(w->view, line + used, size - used);
	used += strlen(line + used);
	snprintf(line + used, size - used, "%s", rest ? rest : "");
}

static void copy_line(struct window *w)
{
	char line[WINDOW_LINE_BYTES];

	make_line(w, line, sizeof(line));
	if (sdl.SetClipboardText(line))
		tell(w->view, "it could not be copied: %s", sdl.GetError());
	else
		tell(w->view, "copied: %s", line);
}

/* As @path says, or as the next name that is free. */
static void save(struct window *w, const char *path)
{
	char name[32];

	for (int i = 1; !*path || path == name; i++) {
		snprintf(name, sizeof(name), "quire-%03d.png", i);
		path = name;
		if (i == 999 || access(name, F_OK) != 0)
			break;
	}
	if (quire_export_still(w->draw, w->view, path))
		tell(w->view, "%s", quire_failure());
	else
		tell(w->view, "saved as %s", path);
}

void window_answer(struct window *w)
{
	struct quire_view *view = w->view;

	for (uint32_t i = 0; i < view->asks_count; i++) {
		const struct quire_command *ask = &view->asks[i];

		switch (ask->kind) {
		case QUIRE_DO_COPY_LINE:
			copy_line(w);
			break;
		case QUIRE_DO_SAVE_PNG:
			save(w, ask->text);
			break;
		case QUIRE_DO_FULL_SCREEN:
			w->full_screen = !w->full_screen;
			sdl.SetWindowFullscreen(w->window,
						w->full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
			w->sized = true;
			break;
		default: /* QUIT */
			w->quit = true;
			break;
		}
	}
	view->asks_count = 0;
}

/* ---- the script ---- */

/* It goes through SDL's queue, as what a hand does. */
static void push(struct window *w, SDL_Event *event)
{
	event->window.windowID = sdl.GetWindowID(w->window); /* all begin alike */
	sdl.PushEvent(event);
}

static void push_key(struct window *w, uint32_t pressed, uint32_t mods)
{
	SDL_Event event = {.key = {.type = SDL_KEYDOWN, .state = SDL_PRESSED}};
	SDL_Event typed = {.text = {.type = SDL_TEXTINPUT}};

	event.key.keysym.sym = (SDL_Keycode)pressed;
	for (size_t i = 0; i < window_keys_count; i++)
		if (window_keys[i].key == pressed)
			event.key.keysym.sym = window_keys[i].sym;
	event.key.keysym.mod = (Uint16)((mods & QUIRE_MOD_SHIFT ? KMOD_LSHIFT : 0) |
					(mods & QUIRE_MOD_CTRL ? KMOD_LCTRL : 0) |
					(mods & QUIRE_MOD_ALT ? KMOD_LALT : 0));
	push(w, &event);
	event.key.type = SDL_KEYUP;
	event.key.state = SDL_RELEASED;
	push(w, &event);
	if (pressed < ' ' || pressed > 126 || mods & (QUIRE_MOD_CTRL | QUIRE_MOD_ALT))
		return;
	if (pressed >= 'a' && pressed <= 'z' && mods & QUIRE_MOD_SHIFT)
		pressed -= 'a' - 'A';
	typed.text.text[0] = (char)pressed;
	push(w, &typed);
}

static void push_pointer(struct window *w, Uint32 type, double x, double y)
{
	SDL_Event event = {.type = type};

	if (type == SDL_MOUSEMOTION) {
		event.motion.which = WINDOW_SCRIPT_MOUSE;
		event.motion.x = window_units(w, x);
		event.motion.y = window_units(w, y);
	} else {
		event.button.which = WINDOW_SCRIPT_MOUSE;
		event.button.button = SDL_BUTTON_LEFT;
		event.button.x = window_units(w, x);
		event.button.y = window_units(w, y);
	}
	push(w, &event);
}

static int save_pixels(struct window *w, const char *path)
{
	cairo_status_t status;
	int rc = window_show(w);

	if (rc)
		return rc;
	status = cairo_surface_write_to_png(w->image, path);
	if (status)
		return quire_fail(-EIO, "cannot write %s: %s", path,
				  cairo_status_to_string(status));
	return 0;
}

static void print_line(const struct window *w)
{
	char line[WINDOW_LINE_BYTES];

	make_line(w, line, sizeof(line));
	puts(line);
	fflush(stdout);
}

static int perform(struct window *w, const struct script_line *line)
{
	SDL_Event event = {.wheel = {.type = SDL_MOUSEWHEEL}};

	switch (line->verb) {
	case SCRIPT_KEY:
		push_key(w, line->key, line->mods);
		return 0;
	case SCRIPT_TYPE:
		for (const char *at = line->text; *at; at++)
			push_key(w, (unsigned char)*at, 0);
		return 0;
	case SCRIPT_SAY:
		return quire_view_say(w->view, line->text);
	case SCRIPT_MOVE:
		push_pointer(w, SDL_MOUSEMOTION, line->x, line->y);
		return 0;
	case SCRIPT_CLICK:
		push_pointer(w, SDL_MOUSEMOTION, line->x, line->y);
		push_pointer(w, SDL_MOUSEBUTTONDOWN, line->x, line->y);
		push_pointer(w, SDL_MOUSEBUTTONUP, line->x, line->y);
		return 0;
	case SCRIPT_PRESS:
		push_pointer(w, SDL_MOUSEMOTION, line->x, line->y);
		push_pointer(w, SDL_MOUSEBUTTONDOWN, line->x, line->y);
		return 0;
	case SCRIPT_RELEASE:
		push_pointer(w, SDL_MOUSEBUTTONUP, line->x, line->y);
		return 0;
	case SCRIPT_WHEEL:
		event.wheel.which = WINDOW_SCRIPT_MOUSE;
		event.wheel.preciseX = (float)line->x;
		event.wheel.preciseY = (float)line->y;
		push(w, &event);
		return 0;
	case SCRIPT_RESIZE:
		sdl.SetWindowSize(w->window, window_units(w, line->x), window_units(w, line->y));
		w->sized = true;
		return 0;
	case SCRIPT_PNG:
		return save_pixels(w, line->text);
	case SCRIPT_LINE:
		print_line(w);
		return 0;
	default: /* QUIT */
		w->quit = true;
		return 0;
	}
}

/* What is due, one line after the other, each with its consequences. */
int window_play_script(struct window *w)
{
	struct script *script = &w->script;
	SDL_Event event;
	int rc = 0;

	while (rc == 0 && !w->quit && script->next < script->count &&
	       script->lines[script->next].at_s <= w->now_s + 1e-9) {
		rc = perform(w, &script->lines[script->next++]);
		while (sdl.WaitEventTimeout(&event, 0))
			window_take(w, &event);
		window_answer(w);
		if (rc == 0 && w->sized)
			rc = window_fit(w);
	}
	/* Where nothing is seen nobody could close it. */
	if (script->count && script->next == script->count && !w->paced)
		w->quit = true;
	return rc;
}
