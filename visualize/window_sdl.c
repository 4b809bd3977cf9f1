/*
 * window_sdl.c - SDL is loaded, and begun where there is a display; see window.h.
 */
#include "window_parts.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct window_sdl sdl;

static int load(void)
{
	static const struct {
		const char *name;
		size_t at;
	} functions[] = {
#define X(name) {"SDL_" #name, offsetof(struct window_sdl, name)},
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

bool window_is_seen(void)
{
	static const char *const unseen[] = {"dummy", "offscreen", "evdev"};
	const char *driver = sdl.GetCurrentVideoDriver();

	for (size_t i = 0; driver && i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (strcmp(driver, unseen[i]) == 0)
			return false;
	return driver;
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
	if (!named && !window_is_seen()) {
		sdl.Quit();
		return no_display("DISPLAY names none that answers");
	}
	driver = sdl.GetCurrentVideoDriver();
	/* The environment's word has priority, as with all hints. */
	if (driver && strcmp(driver, "x11") == 0)
		sdl.SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
	sdl.begun = true;
	return 0;
}
