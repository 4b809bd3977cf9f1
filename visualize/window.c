/*
 * window.c - see window.h.
 *
 * A frame begins with what has come since the last one: keys, the pointer, the script.
 * Then time goes on (quire_view_tick), what was asked of the window is done, and if
 * anything changed it is drawn and shown.  Between frames the window waits for events, at
 * most until the next frame is due; when nothing moves, for as long as it takes.
 *
 * Three kinds of length: points of the view, units of SDL (of the pointer and of the
 * window's size), pixels of the window.  pixels = ratio x units = view->scale x points.
 */
#include "window.h"

#include "export.h"
#include "live.h"
#include "window_script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#ifndef QUIRE_HAVE_SDL

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

#include <SDL.h>
#include <dlfcn.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FRAME_S	       (1 / 60.0)
#define BUDGET_S       0.004 /* of a frame, to index what has come */
#define IDLE_MS	       500   /* nothing moves: so long until the next look */
#define MESSAGE_S      5.0
#define LINE_MAX_BYTES 4096

/* The mouse of a script, which has no number of its own. */
#define SCRIPT_MOUSE   0x5143u

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

static struct {
#define X(name) __typeof__(SDL_##name) *name;
	SDL_FUNCTIONS(X)
#undef X
	bool loaded, begun;
} sdl;

static int load(void)
{
	static const struct {
		const char *name;
		size_t at;
	} functions[] = {
#define X(name) {"SDL_" #name, offsetof(__typeof__(sdl), name)},
		SDL_FUNCTIONS(X)
#undef X
	};
	void *library, *function;

	if (sdl.loaded)
		return 0;
	library = dlopen("libSDL2-2.0.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return quire_fail(-ENOTSUP,
				  "a window needs SDL2, and it cannot be loaded (%s); install "
				  "libsdl2-2.0-0, or use --png, --svg, --pdf for a picture and "
				  "--export for a film",
				  dlerror());
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		function = dlsym(library, functions[i].name);
		if (!function)
			return quire_fail(-ENOTSUP, "this SDL2 is too old: it lacks %s",
					  functions[i].name);
		memcpy((char *)&sdl + functions[i].at, &function, sizeof(function));
	}
	sdl.loaded = true;
	return 0;
}

static bool shows_nothing(const char *driver)
{
	return !driver || strcmp(driver, "dummy") == 0 || strcmp(driver, "offscreen") == 0 ||
	       strcmp(driver, "evdev") == 0;
}

static int no_display(const char *why)
{
	return quire_fail(-EIO,
			  "there is no display for a window (%s); --png, --svg and --pdf write a "
			  "picture, --export a film",
			  why);
}

int quire_window_ready(void)
{
	bool x11 = getenv("DISPLAY"), wayland = getenv("WAYLAND_DISPLAY");
	bool named = getenv("SDL_VIDEODRIVER");
	const char *driver;

	if (sdl.begun)
		return 0;
	if (!x11 && !wayland && !named)
		return no_display("neither DISPLAY nor WAYLAND_DISPLAY is set");
	if (load())
		return -ENOTSUP;
	/* Left alone, it tries all that it knows, down to one that shows nothing. */
	if (x11 != wayland)
		sdl.SetHint(SDL_HINT_VIDEODRIVER, x11 ? "x11" : "wayland");
	sdl.SetHint(SDL_HINT_APP_NAME, "quire");
	sdl.SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
	if (sdl.Init(SDL_INIT_VIDEO))
		return no_display(sdl.GetError());
	driver = sdl.GetCurrentVideoDriver();
	if (!named && shows_nothing(driver)) {
		sdl.Quit();
		return no_display("DISPLAY names none that answers");
	}
	/* The environment's word has priority, as with all hints. */
	if (driver && strcmp(driver, "x11") == 0)
		sdl.SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
	sdl.begun = true;
	return 0;
}

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

	uint64_t frames;
	double cpu_sum_s, cpu_most_s; /* of frames */
};

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

static void tell(struct quire_view *view, const char *format, const char *text)
{
	char line[LINE_MAX_BYTES + 64];

	snprintf(line, sizeof(line), format, text);
	snprintf(view->message, sizeof(view->message), "%.*s", (int)sizeof(view->message) - 1,
		 line);
	view->message_until_s = view->now_s + MESSAGE_S;
	view->changed = true;
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
static int fit(struct window *w)
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

static int to_units(const struct window *w, double points)
{
	return (int)lround(points * w->zoom);
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
				     to_units(w, width), to_units(w, height), flags);
	if (!w->window)
		return sdl_failed("there is no window to be had");
	sdl.SetWindowMinimumSize(w->window, to_units(w, 320), to_units(w, 240));
	return fit(w);
}

/* Has SDL taken other pixels since fit()? */
static bool is_stale(const struct window *w, const SDL_Surface *surface)
{
	if (!w->converted)
		return surface->pixels != cairo_image_surface_get_data(w->image);
	return surface->w != w->converted->w || surface->h != w->converted->h;
}

static int show(struct window *w)
{
	SDL_Surface *surface = sdl.GetWindowSurface(w->window);
	cairo_t *cr;
	int rc;

	if (!surface || is_stale(w, surface)) {
		rc = fit(w);
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

/* ---- input ---- */

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

static const struct {
	SDL_Keycode sym;
	uint32_t key;
} named_keys[] = {
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
	for (size_t i = 0; i < sizeof(named_keys) / sizeof(named_keys[0]); i++)
		if (named_keys[i].sym == sym)
			in.key = named_keys[i].key;
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
		return e->motion.which != SCRIPT_MOUSE;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		return e->button.which != SCRIPT_MOUSE;
	case SDL_MOUSEWHEEL:
		return e->wheel.which != SCRIPT_MOUSE;
	default:
		return false;
	}
}

static void take(struct window *w, const SDL_Event *e)
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
		take(w, &event);
		moving = true;
	}
}

/* ---- what is asked of the window ---- */

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
	char line[LINE_MAX_BYTES];

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

static void answer(struct window *w)
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
	for (size_t i = 0; i < sizeof(named_keys) / sizeof(named_keys[0]); i++)
		if (named_keys[i].key == pressed)
			event.key.keysym.sym = named_keys[i].sym;
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
		event.motion.which = SCRIPT_MOUSE;
		event.motion.x = to_units(w, x);
		event.motion.y = to_units(w, y);
	} else {
		event.button.which = SCRIPT_MOUSE;
		event.button.button = SDL_BUTTON_LEFT;
		event.button.x = to_units(w, x);
		event.button.y = to_units(w, y);
	}
	push(w, &event);
}

static int save_pixels(struct window *w, const char *path)
{
	cairo_status_t status;
	int rc = show(w);

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
	char line[LINE_MAX_BYTES];

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
		event.wheel.which = SCRIPT_MOUSE;
		event.wheel.preciseX = (float)line->x;
		event.wheel.preciseY = (float)line->y;
		push(w, &event);
		return 0;
	case SCRIPT_RESIZE:
		sdl.SetWindowSize(w->window, to_units(w, line->x), to_units(w, line->y));
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
static int play_script(struct window *w)
{
	struct script *script = &w->script;
	SDL_Event event;
	int rc = 0;

	while (rc == 0 && !w->quit && script->next < script->count &&
	       script->lines[script->next].at_s <= w->now_s + 1e-9) {
		rc = perform(w, &script->lines[script->next++]);
		while (sdl.WaitEventTimeout(&event, 0))
			take(w, &event);
		answer(w);
		if (rc == 0 && w->sized)
			rc = fit(w);
	}
	return rc;
}

/* ---- frames ---- */

static int frame(struct window *w, bool *moving)
{
	double cpu_s = clock_of(CLOCK_THREAD_CPUTIME_ID);
	bool shown;
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
	answer(w);
	if (w->sized)
		rc = fit(w);
	if (rc == 0)
		rc = play_script(w);
	shown = w->view->changed || w->exposed;
	if (rc == 0 && shown)
		rc = show(w);
	w->frames++;
	cpu_s = clock_of(CLOCK_THREAD_CPUTIME_ID) - cpu_s;
	w->cpu_sum_s += cpu_s;
	w->cpu_most_s = fmax(w->cpu_most_s, cpu_s);
	return rc;
}

static void print_times(const struct window *w)
{
	double real_s = clock_of(CLOCK_MONOTONIC) - w->begin_s;

	printf("%llu frames in %.2f s: %.1f a second, CPU time of one %.2f ms, at most %.2f ms\n",
	       (unsigned long long)w->frames, real_s, (double)w->frames / real_s,
	       w->cpu_sum_s / (double)w->frames * 1e3, w->cpu_most_s * 1e3);
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
	w.paced = !shows_nothing(sdl.GetCurrentVideoDriver());
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
