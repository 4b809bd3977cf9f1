/*
 * window_parts.h - what the files of window.h share; private to window*.c.
 *
 *	window.c	the window, its pixels, frames
 *	window_sdl.c	SDL is found and begun
 *	window_input.c	what SDL tells, as input of the view
 *	window_act.c	what is asked of the window, and what a script does
 *	window_script.c	scripts are read
 *
 * Three kinds of length: points of the view, units of SDL (of the pointer and of the
 * window's size), pixels of the window.
 *
 *	points x zoom = units		units x ratio = pixels		view->scale = zoom x ratio
 */
#ifndef QUIRE_WINDOW_PARTS_H
#define QUIRE_WINDOW_PARTS_H

#include "window.h"
#include "window_script.h"

#include <SDL.h>
#include <math.h>

#define WINDOW_LINE_BYTES 4096 /* of a command line that shows a view again */
/* The mouse of a script, which has no number of its own. */
#define WINDOW_SCRIPT_MOUSE 0x5143u

/* ---- SDL, as much of it as is used ---- */

#define SDL_FUNCTIONS(X)                                                                           \
	X(CreateWindow)                                                                            \
	X(DestroyWindow)                                                                           \
	X(GetCurrentVideoDriver)                                                                   \
	X(GetError)                                                                                \
	X(GetWindowID)                                                                             \
	X(GetWindowSize)                                                                           \
	X(GetWindowSurface)                                                                        \
	X(Init)                                                                                    \
	X(PushEvent)                                                                               \
	X(Quit)                                                                                    \
	X(SetClipboardText)                                                                        \
	X(SetHint)                                                                                 \
	X(SetWindowFullscreen)                                                                     \
	X(SetWindowMinimumSize)                                                                    \
	X(SetWindowSize)                                                                           \
	X(UpdateWindowSurface)                                                                     \
	X(UpperBlit)                                                                               \
	X(CreateRGBSurfaceFrom)                                                                    \
	X(FreeSurface)                                                                             \
	X(WaitEventTimeout)

struct window_sdl {
#define X(name) __typeof__(SDL_##name) *name;
	SDL_FUNCTIONS(X)
#undef X
	bool loaded, begun;
};
extern struct window_sdl sdl; /* there after quire_window_ready() */

/* Does the driver show anything? */
bool window_is_seen(void);

/* ---- the window ---- */

struct window {
	const struct quire_window_config *config;
	struct quire_view *view;
	struct quire_draw *draw;
	SDL_Window *window;
	double zoom;		   /* view->scale, as it was asked for */
	double ratio;		   /* pixels in a unit of SDL's */
	cairo_surface_t *image;	   /* that is drawn into: the window's own pixels, ... */
	SDL_Surface *converted;	   /* ... or this one's, where those are of another kind */
	bool sized, exposed, quit; /* what the last events told */
	bool full_screen;
	uint32_t buttons; /* that are down, bits */

	struct script script;
	double begin_s; /* the machine's clock at the first frame */
	double first_s; /* the view's clock then */
	double now_s;	/* since then */
	double frame_s; /* when the last frame was due, by the machine's clock */
	bool paced;	/* by that clock; without a display, by nothing */

	uint64_t frames, shown;	      /* those that were drawn */
	double cpu_sum_s, cpu_most_s; /* of these */
};

static inline int window_units(const struct window *w, double points)
{
	return (int)lround(points * w->zoom);
}

/* The window has another size: its pixels anew, and the view's size.  Return: 0; -EIO. */
int window_fit(struct window *w);
/* Draw the view, and show it.  Return: likewise. */
int window_show(struct window *w);

/* ---- window_input.c ---- */

/* Keys that have a name, in SDL's words and ours. */
struct window_key {
	SDL_Keycode sym;
	uint32_t key;
};
extern const struct window_key window_keys[];
extern const size_t window_keys_count;

void window_take(struct window *w, const SDL_Event *event);

/* ---- window_act.c ---- */

/* Do what the view asks of whoever has the window. */
void window_answer(struct window *w);
/* Do what is due of the script, line after line, each with its consequences. */
int window_play_script(struct window *w);

#endif /* QUIRE_WINDOW_PARTS_H */
