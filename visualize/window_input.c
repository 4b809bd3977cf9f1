/*
 * window_input.c - what SDL tells: keys, letters, the pointer, the window itself.
 */
#include "window_parts.h"

#include <stdio.h>

static void input(struct window *w, const struct quire_input *in)
{
	struct quire_command command = quire_view_input(w->view, in);

	quire_view_do(w->view, &command); /* what is wrong it tells in the picture */
}

static uint32_t mods_of(Uint16 mod)
{
	return (mod & KMOD_SHIFT ? QUIRE_MOD_SHIFT : 0u) | (mod & KMOD_CTRL ? QUIRE_MOD_CTRL : 0u) |
	       (mod & KMOD_ALT ? QUIRE_MOD_ALT : 0u);
}

const struct window_key window_keys[] = {
	{SDLK_ESCAPE, QUIRE_KEY_ESCAPE},
	{SDLK_RETURN, QUIRE_KEY_ENTER},
	{SDLK_KP_ENTER, QUIRE_KEY_ENTER},
	{SDLK_BACKSPACE, QUIRE_KEY_BACKSPACE},
	{SDLK_TAB, QUIRE_KEY_TAB},
	{SDLK_LEFT, QUIRE_KEY_LEFT},
	{SDLK_RIGHT, QUIRE_KEY_RIGHT},
	{SDLK_UP, QUIRE_KEY_UP},
	{SDLK_DOWN, QUIRE_KEY_DOWN},
	{SDLK_HOME, QUIRE_KEY_HOME},
	{SDLK_END, QUIRE_KEY_END},
	{SDLK_PAGEUP, QUIRE_KEY_PAGE_UP},
	{SDLK_PAGEDOWN, QUIRE_KEY_PAGE_DOWN},
	{SDLK_F11, QUIRE_KEY_F11},
	{SDLK_SPACE, ' '},
};
const size_t window_keys_count = sizeof(window_keys) / sizeof(window_keys[0]);

/*
 * Names, letters, and all that is pressed with Ctrl or Alt come from here; other
 * characters from text(), which knows where on this keyboard "?" is.  A letter of another
 * alphabet is the Latin one that is usually in its place.
 */
static void key(struct window *w, const SDL_KeyboardEvent *e)
{
	struct quire_input in = {.kind = QUIRE_INPUT_KEY, .mods = mods_of(e->keysym.mod)};
	SDL_Keycode sym = e->keysym.sym;
	SDL_Scancode code = e->keysym.scancode;

	if (sym > 126 && code >= SDL_SCANCODE_A && code <= SDL_SCANCODE_Z)
		sym = (SDL_Keycode)('a' + (int)(code - SDL_SCANCODE_A));
	for (size_t i = 0; i < window_keys_count; i++)
		if (window_keys[i].sym == sym)
			in.key = window_keys[i].key;
	if (!in.key && ((sym >= 'a' && sym <= 'z') ||
			(in.mods & (QUIRE_MOD_CTRL | QUIRE_MOD_ALT) && sym > ' ' && sym < 127)))
		in.key = (uint32_t)sym;
	if (!in.key)
		return;
	/* While letters are typed they are text; and a choice is made once, not as long as
	 * its key is down. */
	if (in.key < 127 && in.key >= ' ' && (w->view->searching || e->repeat))
		return;
	input(w, &in);
}

static void text(struct window *w, const char *utf8)
{
	struct quire_input in = {.kind = QUIRE_INPUT_TEXT};

	if (w->view->searching) {
		snprintf(in.text, sizeof(in.text), "%.31s", utf8);
		input(w, &in);
		return;
	}
	in.kind = QUIRE_INPUT_KEY;
	for (; *utf8; utf8++) {
		in.key = (unsigned char)*utf8;
		if (in.key > ' ' && in.key < 127 && !(in.key >= 'a' && in.key <= 'z') &&
		    !(in.key >= 'A' && in.key <= 'Z'))
			input(w, &in);
	}
}

static void pointer(struct window *w, enum quire_input_kind kind, int x, int y, uint32_t button)
{
	struct quire_input in = {.kind = kind, .x = x / w->zoom, .y = y / w->zoom};
	uint32_t bit = button < 32 ? 1u << button : 0;

	in.button = button == SDL_BUTTON_LEFT	  ? 1
		    : button == SDL_BUTTON_MIDDLE ? 2
		    : button == SDL_BUTTON_RIGHT  ? 3
						  : 4;
	if (kind == QUIRE_INPUT_PRESS)
		w->buttons |= bit;
	else if (kind == QUIRE_INPUT_RELEASE)
		w->buttons &= ~bit;
	input(w, &in);
}

static void window_event(struct window *w, const SDL_WindowEvent *e)
{
	struct quire_input in = {.kind = QUIRE_INPUT_LEAVE};

	switch (e->event) {
	case SDL_WINDOWEVENT_SIZE_CHANGED:
		w->sized = true;
		break;
	case SDL_WINDOWEVENT_EXPOSED:
		w->exposed = true;
		break;
	case SDL_WINDOWEVENT_LEAVE:
		/* With a button down it is a drag, which SDL follows. */
		if (!w->buttons && !w->script.count)
			input(w, &in);
		break;
	default:
		break;
	}
}

/* A script has the pointer for itself, wherever the real one is. */
static bool is_other_mouse(const struct window *w, const SDL_Event *e)
{
	if (!w->script.count)
		return false;
	switch (e->type) {
	case SDL_MOUSEMOTION:
		return e->motion.which != WINDOW_SCRIPT_MOUSE;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		return e->button.which != WINDOW_SCRIPT_MOUSE;
	case SDL_MOUSEWHEEL:
		return e->wheel.which != WINDOW_SCRIPT_MOUSE;
	default:
		return false;
	}
}

void window_take(struct window *w, const SDL_Event *e)
{
	struct quire_input in = {.kind = QUIRE_INPUT_WHEEL};

	if (is_other_mouse(w, e))
		return;
	switch (e->type) {
	case SDL_QUIT:
		w->quit = true;
		break;
	case SDL_WINDOWEVENT:
		window_event(w, &e->window);
		break;
	case SDL_KEYDOWN:
		key(w, &e->key);
		break;
	case SDL_TEXTINPUT:
		text(w, e->text.text);
		break;
	case SDL_MOUSEMOTION:
		pointer(w, QUIRE_INPUT_MOTION, e->motion.x, e->motion.y, 0);
		break;
	case SDL_MOUSEBUTTONDOWN:
		pointer(w, QUIRE_INPUT_PRESS, e->button.x, e->button.y, e->button.button);
		break;
	case SDL_MOUSEBUTTONUP:
		pointer(w, QUIRE_INPUT_RELEASE, e->button.x, e->button.y, e->button.button);
		break;
	case SDL_MOUSEWHEEL:
		in.dx = (double)e->wheel.preciseX;
		in.dy = (double)e->wheel.preciseY;
		input(w, &in);
		break;
	default:
		break;
	}
}
