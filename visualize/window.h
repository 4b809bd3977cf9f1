/*
 * window.h - a view in a window of SDL2: events in, pixels out, 60 times a second.
 *
 * The only file of quire that knows SDL; built without it, quire_window_run() says so and
 * fails.  cairo draws into an ARGB32 image, which goes to the window as it is.  On X11 the
 * software presenter is chosen (SDL_FRAMEBUFFER_ACCELERATION=0: 1.3-2.7 ms a frame instead
 * of 18-38), on Wayland, where that hint breaks, it is not: at run time, once it is known
 * which of them it is.  Nothing is drawn while nothing changes.
 */
#ifndef QUIRE_WINDOW_H
#define QUIRE_WINDOW_H

#include "draw.h"

struct quire_window_config {
	const char *title;
	double width, height; /* points; 0: 1280 x 800 */
	bool full_screen;
	/*
	 * For tests and tours: lines, each done when the clock has reached its second:
	 *	0.5 key Shift+Right	1.0 say select r3	2 click 300 200
	 *	2.5 move 310 220	3 wheel 0 -2	4 png out.png	5 quit
	 * NULL: none.
	 */
	const char *script;
	bool frame_times; /* print mean and largest CPU time of a frame at the end */
};

/* Is there a window to be had in this build? */
bool quire_window_available(void);

/*
 * Show @view until it is closed.  Return: 0; -ENOTSUP built without SDL2; -EIO no display,
 * with SDL's sentence; -EINVAL the script has a bad line.
 */
int quire_window_run(const struct quire_window_config *config, struct quire_view *view,
		     struct quire_draw *draw);

#endif /* QUIRE_WINDOW_H */
