/*
 * export_film.c - films: frame after frame to ffmpeg, or to numbered pictures.
 *
 * ffmpeg reads the frames from a pipe, as they are; its complaints go to a temporary file,
 * whose last line is the sentence when it fails.  A GIF has 256 colours, so it is drawn
 * twice: some of its frames to find them, then all.
 */
#include "export.h"

#include "core/util.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define ENCODER_ARGS_MAX 32
#define PALETTE_FRAMES	 48u /* at most so many, and some more, tell the colours of a GIF */

struct encoder {
	pid_t pid;   /* 0: it does not run */
	int frames;  /* the pipe's end that we write to; -1 */
	FILE *words; /* what it complains of */
};

struct shot {
	struct quire_draw *draw;
	struct quire_view *view;
	const struct quire_film *film;
	cairo_surface_t *image;
	int width, height; /* pixels */
	struct encoder encoder;
	uint64_t frames;  /* how many there will be */
	char palette[64]; /* of a GIF: a file; "": there is none */
};

/* ---- ffmpeg ---- */

static int spawn(struct encoder *encoder, char *const *args)
{
	posix_spawn_file_actions_t actions;
	int ends[2], rc;

	encoder->words = tmpfile();
	if (!encoder->words || pipe(ends))
		return quire_fail(-errno, "cannot start ffmpeg: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fileno(encoder->words), STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fileno(encoder->words), STDERR_FILENO);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addclose(&actions, ends[1]);
	rc = posix_spawnp(&encoder->pid, args[0], &actions, NULL, args, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	encoder->frames = ends[1];
	if (rc == 0)
		return 0;
	encoder->pid = 0;
	if (rc == ENOENT)
		return quire_fail(-ENOENT, "a film is made by ffmpeg, which is not installed; "
					   "--export %%04d.png writes its frames as pictures");
	return quire_fail(-rc, "cannot start ffmpeg: %s", strerror(rc));
}

/* ffmpeg, from raw frames to @output as @how says, up to a NULL. */
static int begin_encoder(struct shot *shot, const char *const *how, const char *output)
{
	char size[32], rate[32], path[4096];
	const char *args[ENCODER_ARGS_MAX] = {
		"ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt",
		"bgr0",	  "-s", size,	 "-r", rate, "-i",	 "pipe:0",
	};
	size_t n = 14;

	snprintf(size, sizeof(size), "%dx%d", shot->width, shot->height);
	snprintf(rate, sizeof(rate), "%.6f", shot->film->fps);
	snprintf(path, sizeof(path), "file:%s", output); /* whatever it looks like */
	for (; *how; how++)
		args[n++] = *how;
	args[n++] = path;
	shot->encoder = (struct encoder){.frames = -1};
	return spawn(&shot->encoder, (char *const *)(uintptr_t)args);
}

static int write_all(struct shot *shot, const void *data, size_t bytes)
{
	const char *at = data;

	while (bytes) {
		ssize_t written = write(shot->encoder.frames, at, bytes);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return quire_fail(-EIO, "ffmpeg takes no more frames: %s", strerror(errno));
		at += written;
		bytes -= (size_t)written;
	}
	return 0;
}

/* The last line that it said; "": nothing. */
static void last_words(FILE *words, char *text, size_t size)
{
	char line[256];

	text[0] = 0;
	if (!words)
		return;
	rewind(words);
	while (fgets(line, sizeof(line), words)) {
		line[strcspn(line, "\r\n")] = 0;
		if (line[0])
			snprintf(text, size, "%s", line);
	}
}

/* @rc: what went wrong until now. */
static int end_encoder(struct shot *shot, int rc, const char *output)
{
	struct encoder *encoder = &shot->encoder;
	char words[256];
	int status = 0;

	if (encoder->frames >= 0)
		close(encoder->frames);
	if (encoder->pid) {
		if (rc == -ECANCELED)
			kill(encoder->pid, SIGKILL);
		while (waitpid(encoder->pid, &status, 0) < 0 && errno == EINTR)
			;
		last_words(encoder->words, words, sizeof(words));
		if (rc != -ECANCELED && status)
			rc = quire_fail(-EIO, "ffmpeg could not write %s%s%s", output,
					words[0] ? ": " : "", words);
	}
	if (rc)
		remove(output);
	if (encoder->words)
		fclose(encoder->words);
	*encoder = (struct encoder){.frames = -1};
	return rc;
}

/* ---- numbered pictures ---- */

/* "frames/%04d.png" as its parts: before, digits, behind.  Return: -1: it is none. */
static int number_at(const char *path, size_t *before, size_t *behind)
{
	const char *at = strchr(path, '%');
	const char *end = at ? at + 1 + strspn(at + 1, "0123456789") : NULL;
	int digits;

	if (!at || *end != 'd' || strchr(end, '%') || end - at > 3)
		return -1;
	digits = atoi(at + 1);
	*before = (size_t)(at - path);
	*behind = (size_t)(end + 1 - path);
	return digits > 0 && digits < 20 ? digits : 1;
}

static int write_picture(struct shot *shot, uint64_t frame)
{
	const char *path = shot->film->path;
	size_t before, behind;
	int digits = number_at(path, &before, &behind);
	cairo_status_t status;
	char name[4096];

	snprintf(name, sizeof(name), "%.*s%0*llu%s", (int)before, path, digits,
		 (unsigned long long)frame, path + behind);
	status = cairo_surface_write_to_png(shot->image, name);
	if (status)
		return quire_fail(-EIO, "cannot write %s: %s", name,
				  cairo_status_to_string(status));
	return 0;
}

/* ---- the film ---- */

/* A time as the view's head counts; in steps, those that are over then. */
static double head_of(const struct quire_view *view, uint64_t at_ns)
{
	const struct quire_story *story = view->sides[0].story;
	uint64_t index = quire_story_index_ns(story, at_ns);
	uint32_t step = quire_story_step_at(story, index);

	if (view->clock == QUIRE_CLOCK_TIME)
		return (double)at_ns;
	return step && index < quire_story_index_step(story, step) ? step - 1 : step;
}

/* Go to the beginning, and see how long it is. */
static int begin(struct shot *shot)
{
	const struct quire_film *film = shot->film;
	struct quire_view *view = shot->view;
	double unit = view->clock == QUIRE_CLOCK_TIME ? 1e9 : 4.0; /* view.h: speed 1 */
	uint64_t until_ns = film->until_ns;
	struct quire_command seek = {QUIRE_DO_SEEK, .number = (double)film->from_ns};
	double frames;
	int rc;

	quire_view_tick(view, view->now_s, INFINITY); /* all that there is */
	for (uint32_t s = 0; s < view->sides_count && film->until_ns == UINT64_MAX; s++) {
		uint64_t end_ns = quire_story_end_ns(view->sides[s].story);

		until_ns = s && until_ns > end_ns ? until_ns : end_ns;
	}
	frames = (head_of(view, until_ns) - head_of(view, film->from_ns)) / unit / film->speed *
		 film->fps;
	if (!(frames >= 0 && frames < 1e7))
		return quire_fail(
			-EINVAL,
			"a film from %.9g s until %.9g s would have %.0f frames; expected "
			"0 to 10,000,000",
			(double)film->from_ns / 1e9, (double)until_ns / 1e9, frames);
	shot->frames = (uint64_t)frames + 1;
	seek.index = quire_story_index_ns(view->sides[0].story, film->from_ns);
	if (view->clock == QUIRE_CLOCK_STEP)
		seek.index = quire_story_index_step(view->sides[0].story,
						    (uint32_t)head_of(view, film->from_ns));
	rc = quire_view_do(view, &seek);
	view->head = head_of(view, film->from_ns);
	view->speed = film->speed;
	view->playing = true;
	return rc;
}

static int draw_frame(struct shot *shot)
{
	cairo_t *cr = cairo_create(shot->image);
	int rc;

	cairo_scale(cr, shot->view->scale, shot->view->scale);
	rc = quire_draw_frame(shot->draw, cr, shot->view);
	cairo_destroy(cr);
	cairo_surface_flush(shot->image);
	return rc;
}

/* Every @stride-th frame, to the encoder or to pictures. */
static int roll(struct shot *shot, uint64_t stride)
{
	const struct quire_film *film = shot->film;
	struct quire_view *view = shot->view;
	size_t bytes = (size_t)cairo_image_surface_get_stride(shot->image) * (size_t)shot->height;
	double begin_s;
	int rc = begin(shot);

	begin_s = view->now_s;
	for (uint64_t frame = 0; rc == 0 && frame < shot->frames; frame += stride) {
		quire_view_tick(view, begin_s + (double)frame / film->fps, INFINITY);
		rc = draw_frame(shot);
		if (rc == 0 && shot->encoder.pid)
			rc = write_all(shot, cairo_image_surface_get_data(shot->image), bytes);
		else if (rc == 0)
			rc = write_picture(shot, frame);
		if (rc == 0 && film->progress && !film->progress(film->arg, frame, shot->frames))
			rc = quire_fail(-ECANCELED, "the film was stopped");
	}
	view->playing = false;
	return rc;
}

static int encode(struct shot *shot, const char *const *how, const char *output, uint64_t stride)
{
	int rc = begin_encoder(shot, how, output);

	return end_encoder(shot, rc ? rc : roll(shot, stride), output);
}

static int make_mp4(struct shot *shot)
{
	static const char *const how[] = {
		"-c:v",	     "libx264",	 "-preset", "medium",	 "-crf",       "18", "-tune",
		"animation", "-pix_fmt", "yuv420p", "-movflags", "+faststart", NULL};

	return encode(shot, how, shot->film->path, 1);
}

static int make_gif(struct shot *shot)
{
	static const char *const to_palette[] = {"-vf",	   "palettegen", "-c:v", "png", "-f",
						 "image2", "-update",	 "1",	 NULL};
	const char *const how[] = {
		"-i",	 shot->palette, "-lavfi", "paletteuse=dither=none:diff_mode=rectangle",
		"-loop", "0",		NULL};
	const char *folder = getenv("TMPDIR");
	int file, rc;

	if (snprintf(shot->palette, sizeof(shot->palette), "%s/quire-XXXXXX",
		     folder && *folder ? folder : "/tmp") >= (int)sizeof(shot->palette))
		return quire_fail(-EIO, "TMPDIR is too long");
	file = mkstemp(shot->palette);
	if (file < 0)
		return quire_fail(-EIO, "cannot make %s: %s", shot->palette, strerror(errno));
	close(file);
	rc = encode(shot, to_palette, shot->palette, 1 + shot->frames / PALETTE_FRAMES);
	if (rc == 0)
		rc = encode(shot, how, shot->film->path, 1);
	remove(shot->palette);
	return rc;
}

int quire_export_film(struct quire_draw *draw, struct quire_view *view,
		      const struct quire_film *film)
{
	const char *dot = strrchr(film->path, '.');
	bool gif = dot && quire_same_name(dot, ".gif"), mp4 = dot && quire_same_name(dot, ".mp4");
	struct shot shot = {draw, view, film, .encoder = {.frames = -1}};
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before_pipe;
	size_t before, behind;
	int rc;

	if (!gif && !mp4 &&
	    !(dot && quire_same_name(dot, ".png") && number_at(film->path, &before, &behind) > 0))
		return quire_fail(-EINVAL,
				  "a film's name ends with .mp4 or .gif, or is one of many "
				  "pictures, as %%04d.png; found '%s'",
				  film->path);
	if (!(film->fps > 0) || !(film->speed > 0))
		return quire_fail(-EINVAL, "a film of %g frames a second at speed %g", film->fps,
				  film->speed);
	/* Encoders want even sizes, and rows without a gap; 4 bytes a pixel have none. */
	shot.width = (int)lround(view->width * view->scale) & ~1;
	shot.height = (int)lround(view->height * view->scale) & ~1;
	quire_view_resize(view, shot.width / view->scale, shot.height / view->scale, view->scale);
	shot.image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, shot.width, shot.height);
	if (cairo_surface_status(shot.image))
		return quire_fail(-ENOMEM, "no memory for frames of %d x %d", shot.width,
				  shot.height);
	sigaction(SIGPIPE, &ignore, &before_pipe); /* ffmpeg may end before it has seen all */
	rc = begin(&shot);
	if (rc == 0)
		rc = mp4 ? make_mp4(&shot) : gif ? make_gif(&shot) : roll(&shot, 1);
	sigaction(SIGPIPE, &before_pipe, NULL);
	cairo_surface_destroy(shot.image);
	return rc;
}
