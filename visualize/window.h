/*
 * window.h - a view in a window of SDL2: events in, pixels out, 60 times a second.
 *
 * The only file of quire that knows SDL, which is loaded when a window is asked for:
 * linked, it would cost every quire 6 ms.  Built without it, quire_window_ready() says so.
 * cairo draws into the pixels of the window.  On X11 the software presenter is chosen
 * (SDL_FRAMEBUFFER_ACCELERATION=0: 1.3-2.7 ms a frame instead of 18-38), on Wayland, where
 * that hint breaks, it is not: at run time, once it is known which of them it is.  Nothing
 * is drawn while nothing changes.
 */
#ifndef QUIRE_WINDOW_H
#define QUIRE_WINDOW_H

#include "draw.h"

struct quire_window_config {
	const char *title;
	/* What stands before and behind quire_view_line(): "quire view a.qrec"; NULL: nothing. */
	const char *command, *command_rest;
	double width, height; /* points; 0: 1280 x 800 */
	bool full_screen;
	/*
	 * For tests and tours: lines, each done when the clock has reached its second:
	 *	0.5 key Shift+Right	1.0 say select r3	2 click 300 200
	 *	2.5 move 310 220	3 wheel 0 -2	4 png out.png	5 quit
	 * window_script.h has them all.  With a script the clock goes on by 1/60 s a frame,
	 * however long one takes, so the same script shows the same.  NULL: none.
	 */
	const char *script;
	bool frame_times; /* print mean and largest CPU time of a frame at the end */
};

/*
 * Is there a window to be had?  Return: 0; -ENOTSUP no SDL2, built in or on this machine;
 * -EIO no display, with SDL's sentence, and what can be done without one.
 */
int quire_window_ready(void);

/*
 * Show @view until it is closed; view->scale is how much larger than the display's own all
 * of it is to be.  Return: 0; errors as above; -EINVAL the script has a bad line.
 */
int quire_window_run(const struct quire_window_config *config, struct quire_view *view,
		     struct quire_draw *draw);

#endif /* QUIRE_WINDOW_H */
