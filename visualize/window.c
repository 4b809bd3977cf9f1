/*
 * window.c - see window.h.
 *
 * A frame begins with what has come since the last one: keys and the pointer.  Then time
 * goes on (quire_view_tick), what was asked of the window is done, and if anything changed
 * it is drawn and shown.  Between frames the window waits for events, at most until the
 * next frame is due; when nothing moves, for as long as it takes.
 */
#ifndef QUIRE_HAVE_SDL

#include "window.h"

#include <errno.h>

int quire_window_ready(void)
{
	return quire_fail(-ENOTSUP, "this quire was built without SDL2 and has no window; --png, "
				    "--svg and --pdf write a picture, --export a film");
}

int quire_window_run(const struct quire_window_config *config, struct quire_view *view,
		     struct quire_draw *draw)
{
	(void)config;
	(void)view;
	(void)draw;
	return quire_window_ready();
}

#else

#include "live.h"
#include "window_parts.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define FRAME_S	 (1 / 60.0)
#define BUDGET_S 0.004 /* of a frame, to index what has come */
#define IDLE_MS	 500   /* nothing moves: so long until the next look */

/* ---- pixels ---- */

static double clock_of(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int sdl_failed(const char *what)
{
	return quire_fail(-EIO, "%s: %s", what, sdl.GetError());
}

/* Are the window's pixels such as cairo's: 4 bytes, xrgb? */
static bool is_cairos(const SDL_Surface *surface)
{
	const SDL_PixelFormat *format = surface->format;

	return format->BytesPerPixel == 4 && format->Rmask == 0xff0000 && format->Gmask == 0xff00 &&
	       format->Bmask == 0xff && surface->pitch % 4 == 0;
}

static void free_image(struct window *w)
{
	if (w->image)
		cairo_surface_destroy(w->image);
	if (w->converted)
		sdl.FreeSurface(w->converted);
	w->image = NULL;
	w->converted = NULL;
}

/* The window has another size: its pixels anew, and the view's size. */
int window_fit(struct window *w)
{
	SDL_Surface *surface = sdl.GetWindowSurface(w->window);
	cairo_format_t format = CAIRO_FORMAT_RGB24;
	int width, height;

	free_image(w);
	if (!surface)
		return sdl_failed("the window has no pixels");
	if (is_cairos(surface)) {
		w->image = cairo_image_surface_create_for_data(surface->pixels, format, surface->w,
							       surface->h, surface->pitch);
	} else {
		w->image = cairo_image_surface_create(format, surface->w, surface->h);
		w->converted = sdl.CreateRGBSurfaceFrom(
			cairo_image_surface_get_data(w->image), surface->w, surface->h, 32,
			cairo_image_surface_get_stride(w->image), 0xff0000, 0xff00, 0xff, 0);
	}
	if (cairo_surface_status(w->image) || (!is_cairos(surface) && !w->converted))
		return quire_fail(-EIO, "no memory for a window of %d x %d pixels", surface->w,
				  surface->h);
	sdl.GetWindowSize(w->window, &width, &height);
	w->ratio = width > 0 ? (double)surface->w / width : 1;
	quire_view_resize(w->view, surface->w / (w->ratio * w->zoom),
			  surface->h / (w->ratio * w->zoom), w->ratio * w->zoom);
	quire_view_tick(w->view, w->view->now_s, 0); /* see what is under the pointer now */
	w->sized = false;
	w->exposed = true;
	return 0;
}

static int open_window(struct window *w)
{
	const struct quire_window_config *config = w->config;
	double width = config->width > 0 ? config->width : 1280;
	double height = config->height > 0 ? config->height : 800;
	Uint32 flags = SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI;

	if (config->full_screen)
		flags |= SDL_WINDOW_FULLSCREEN_DESKTOP;
	w->full_screen = config->full_screen;
	w->window = sdl.CreateWindow(config->title ? config->title : "quire",
				     (int)SDL_WINDOWPOS_UNDEFINED, (int)SDL_WINDOWPOS_UNDEFINED,
				     window_units(w, width), window_units(w, height), flags);
	if (!w->window)
		return sdl_failed("there is no window to be had");
	sdl.SetWindowMinimumSize(w->window, window_units(w, 320), window_units(w, 240));
	return window_fit(w);
}

/* Has SDL taken other pixels since fit()? */
static bool is_stale(const struct window *w, const SDL_Surface *surface)
{
	if (!w->converted)
		return surface->pixels != cairo_image_surface_get_data(w->image);
	return surface->w != w->converted->w || surface->h != w->converted->h;
}

int window_show(struct window *w)
{
	SDL_Surface *surface = sdl.GetWindowSurface(w->window);
	cairo_t *cr;
	int rc;

	if (!surface || is_stale(w, surface)) {
		rc = window_fit(w);
		if (rc)
			return rc;
		surface = sdl.GetWindowSurface(w->window);
	}
	cr = cairo_create(w->image);
	cairo_scale(cr, w->view->scale, w->view->scale);
	rc = quire_draw_frame(w->draw, cr, w->view);
	cairo_destroy(cr);
	cairo_surface_flush(w->image);
	if (rc)
		return rc;
	if (w->converted)
		sdl.UpperBlit(w->converted, NULL, surface, NULL);
	/* It may just have been resized: then there is a next frame soon. */
	if (sdl.UpdateWindowSurface(w->window))
		w->sized = true;
	w->view->changed = w->exposed = false;
	return 0;
}

/* ---- frames ---- */

/* Take what comes until the next frame is due. */
static void wait_events(struct window *w, bool moving)
{
	SDL_Event event;

	w->frame_s = fmax(w->frame_s + FRAME_S, clock_of(CLOCK_MONOTONIC) - FRAME_S);
	for (;;) {
		double left_s = w->frame_s - clock_of(CLOCK_MONOTONIC);
		int left_ms = w->paced && left_s > 0 ? (int)(left_s * 1e3) : 0;

		if (!moving && left_ms < IDLE_MS)
			left_ms = IDLE_MS;
		if (!sdl.WaitEventTimeout(&event, left_ms))
			return;
		window_take(w, &event);
		moving = true;
	}
}

static int frame(struct window *w, bool *moving)
{
	double cpu_s = clock_of(CLOCK_THREAD_CPUTIME_ID);
	int rc = 0;

	if (w->script.count)
		w->now_s = (double)w->frames * FRAME_S;
	else
		w->now_s = clock_of(CLOCK_MONOTONIC) - w->begin_s;
	*moving = quire_view_tick(w->view, w->first_s + w->now_s, BUDGET_S);
	*moving |= w->script.next < w->script.count;
	for (uint32_t s = 0; s < w->view->sides_count; s++)
		if (w->view->sides[s].story->live)
			quire_live_prepare(w->view->sides[s].story->live);
	window_answer(w);
	if (w->sized)
		rc = window_fit(w);
	if (rc == 0)
		rc = window_play_script(w);
	w->frames++;
	if (rc || (!w->view->changed && !w->exposed))
		return rc;
	rc = window_show(w);
	w->shown++;
	cpu_s = clock_of(CLOCK_THREAD_CPUTIME_ID) - cpu_s;
	w->cpu_sum_s += cpu_s;
	w->cpu_most_s = fmax(w->cpu_most_s, cpu_s);
	return rc;
}

static void print_times(const struct window *w)
{
	double real_s = clock_of(CLOCK_MONOTONIC) - w->begin_s;

	printf("%llu frames in %.2f s: %.1f a second; %llu were drawn, in %.2f ms of CPU time "
	       "each, at most %.2f ms\n",
	       (unsigned long long)w->frames, real_s, (double)w->frames / real_s,
	       (unsigned long long)w->shown, w->cpu_sum_s / (double)w->shown * 1e3,
	       w->cpu_most_s * 1e3);
}

int quire_window_run(const struct quire_window_config *config, struct quire_view *view,
		     struct quire_draw *draw)
{
	struct window w = {.config = config, .view = view, .draw = draw};
	bool moving = true;
	int rc = script_read(&w.script, config->script);

	if (rc == 0)
		rc = quire_window_ready();
	if (rc)
		goto out_script;
	w.zoom = view->scale;
	w.first_s = view->now_s;
	w.paced = window_is_seen();
	rc = open_window(&w);
	w.begin_s = w.frame_s = clock_of(CLOCK_MONOTONIC);
	while (rc == 0 && !w.quit) {
		rc = frame(&w, &moving);
		if (rc == 0 && !w.quit)
			wait_events(&w, moving);
	}
	if (rc == 0 && config->frame_times)
		print_times(&w);
	free_image(&w);
	if (w.window)
		sdl.DestroyWindow(w.window);
	sdl.Quit();
	sdl.begun = false;
out_script:
	script_free(&w.script);
	return rc;
}

#endif
