/*
 * test_export.c - pictures and films without a window: each file is of its kind and of its
 * size, a film's frames are at their times whatever the rate of frames, and what goes wrong
 * is told and leaves no file behind.
 *
 * ffmpeg is played by scripts, so that these tests need none; tests/view.sh tries the real
 * one where there is one.
 */
#include "tale.h"

#include "core/cli/view_run.h"
#include "visualize/export.h"
#include "visualize/lesson.h"

#include <cairo.h>
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct quire_live *live;
static struct quire_story *story;
static struct quire_view view;
static struct quire_draw *draw;
static char here[1024], folder[] = "/tmp/quire-export-XXXXXX";

/* One request, three samples, in a pool of 12 blocks: 6 steps of some 24 ms. */
static void setup(void)
{
	struct quire_lesson lesson;

	MUST(quire_lesson_read(&lesson, "copy-on-write") == 0);
	MUST(quire_view_run_quietly(lesson.runs[0], &live) == 0);
	quire_lesson_free(&lesson);
	MUST(quire_story_open_live(&story, live) == 0);
	MUST(quire_story_extend(story, UINT64_MAX) == 0);
	MUST(quire_view_init(&view, story, NULL) == 0);
	quire_view_resize(&view, 641, 481, 1);
	MUST(quire_draw_new(&draw) == 0);
	MUST(getcwd(here, sizeof(here)) && mkdtemp(folder) && chdir(folder) == 0);
}

static void teardown(void)
{
	char command[64];

	quire_draw_free(draw);
	quire_view_free(&view);
	quire_story_close(story);
	quire_live_free(live);
	setenv("PATH", "/usr/bin:/bin", 1);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	MUST(chdir(here) == 0 && system(command) == 0);
}

/* ---- stills ---- */

static bool begins(const char *path, const char *with)
{
	char head[16] = "";
	FILE *file = fopen(path, "rb");
	size_t count = file ? fread(head, 1, sizeof(head) - 1, file) : 0;

	if (file)
		fclose(file);
	return count >= strlen(with) && memcmp(head, with, strlen(with)) == 0;
}

static void check_size(const char *path, int width, int height)
{
	cairo_surface_t *picture = cairo_image_surface_create_from_png(path);

	ck_assert_int_eq(cairo_image_surface_get_width(picture), width);
	ck_assert_int_eq(cairo_image_surface_get_height(picture), height);
	cairo_surface_destroy(picture);
}

/* Compare, of two files, all bytes. */
static bool same(const char *a, const char *b)
{
	char command[256];

	snprintf(command, sizeof(command), "cmp -s %s %s", a, b);
	return system(command) == 0;
}

START_TEST(stills)
{
	MUST(quire_export_still(draw, &view, "a.png") == 0 && begins("a.png", "\x89PNG"));
	check_size("a.png", 641, 481);
	MUST(quire_export_still(draw, &view, "a.SVG") == 0 && begins("a.SVG", "<?xml"));
	MUST(quire_export_still(draw, &view, "a.pdf") == 0 && begins("a.pdf", "%PDF"));
	MUST(quire_export_still(draw, &view, "b.png") == 0 && same("a.png", "b.png"));
	MUST(quire_view_say(&view, "seek step 2") == 0);
	MUST(quire_export_still(draw, &view, "b.png") == 0 && !same("a.png", "b.png"));
	quire_view_resize(&view, 400, 300, 2.5);
	MUST(quire_export_still(draw, &view, "c.png") == 0);
	check_size("c.png", 1000, 750);
}
END_TEST

START_TEST(stills_that_cannot_be)
{
	MUST(quire_export_still(draw, &view, "a.jpg") == -EINVAL);
	MUST(strstr(quire_failure(), ".png, .svg or .pdf, found 'a.jpg'"));
	MUST(quire_export_still(draw, &view, "png") == -EINVAL);
	MUST(quire_export_still(draw, &view, "no/a.png") == -EIO);
	MUST(strstr(quire_failure(), "cannot write no/a.png: No such file"));
	if (access("/dev/full", W_OK) == 0) {
		MUST(symlink("/dev/full", "full.png") == 0);
		MUST(quire_export_still(draw, &view, "full.png") == -EIO);
		MUST(access("full.png", F_OK) != 0);
	}
}
END_TEST

/* ---- films ---- */

static int make_film(const char *path, double from_s, double until_s, double fps, double speed)
{
	struct quire_film film = {
		.path = path,
		.from_ns = (uint64_t)llround(from_s * 1e9),
		.until_ns = until_s < 0 ? UINT64_MAX : (uint64_t)llround(until_s * 1e9),
		.fps = fps,
		.speed = speed,
	};

	return quire_export_film(draw, &view, &film);
}

static uint32_t files(const char *pattern)
{
	char name[64];
	uint32_t count = 0;

	for (;; count++) {
		snprintf(name, sizeof(name), "%s%02u.png", pattern, count);
		if (access(name, R_OK) != 0)
			return count;
	}
}

/* Frame k is at from + k x speed / fps, whatever was between; the same film is the same. */
START_TEST(frames_are_at_their_times)
{
	char slow[32], fast[32];

	MUST(make_film("a%02d.png", 0.01, 0.11, 50, 1) == 0);
	ck_assert_uint_eq(files("a"), 6);
	check_size("a00.png", 640, 480); /* even, as encoders want it */
	MUST(make_film("b%02d.png", 0.01, 0.11, 100, 1) == 0);
	ck_assert_uint_eq(files("b"), 11);
	for (uint32_t i = 0; i < 6; i++) {
		snprintf(slow, sizeof(slow), "a%02u.png", i);
		snprintf(fast, sizeof(fast), "b%02u.png", 2 * i);
		if (!same(slow, fast))
			ck_abort_msg("%s is not %s", slow, fast);
	}
	MUST(make_film("c%02d.png", 0.01, 0.11, 50, 1) == 0 && same("a04.png", "c04.png"));
	/* Half as fast, twice as many. */
	MUST(make_film("d%02d.png", 0.01, 0.11, 50, 0.5) == 0);
	ck_assert_uint_eq(files("d"), 11);
	/* To the end, which is the last frame but for less than one. */
	MUST(make_film("e%02d.png", 0, -1, 50, 1) == 0);
	ck_assert_uint_eq(files("e"), (uint32_t)((double)quire_story_end_ns(story) * 50e-9) + 1);
	MUST(make_film("f%d.png", 0.01, 0.01, 50, 1) == 0 && access("f0.png", R_OK) == 0);
	MUST(access("f1.png", R_OK) != 0);
}
END_TEST

/* By steps it is 4 of them a second. */
START_TEST(films_by_steps)
{
	MUST(quire_view_say(&view, "clock step") == 0);
	MUST(make_film("a%02d.png", 0, -1, 4, 1) == 0);
	ck_assert_uint_eq(files("a"), story->steps_count + 1);
}
END_TEST

START_TEST(films_that_cannot_be)
{
	MUST(make_film("a.avi", 0, -1, 30, 1) == -EINVAL);
	MUST(strstr(quire_failure(), ".mp4 or .gif"));
	MUST(make_film("a.png", 0, -1, 30, 1) == -EINVAL);
	MUST(make_film("a%s.png", 0, -1, 30, 1) == -EINVAL);
	MUST(make_film("a%02d%d.png", 0, -1, 30, 1) == -EINVAL);
	MUST(make_film("a%d.png", 0.1, 0.05, 30, 1) == -EINVAL);
	MUST(strstr(quire_failure(), "from 0.1 s until 0.05 s"));
	MUST(make_film("a%d.png", 0, -1, 0, 1) == -EINVAL);
	MUST(make_film("no/a%d.png", 0, -1, 30, 1) == -EIO);
}
END_TEST

/* ---- ffmpeg ---- */

static void play_ffmpeg(const char *text)
{
	FILE *script;

	mkdir("bin", 0755);
	script = fopen("bin/ffmpeg", "w");
	MUST(script && fprintf(script, "#!/bin/sh\nPATH=/usr/bin:/bin\n%s\n", text) > 0);
	MUST(fclose(script) == 0 && chmod("bin/ffmpeg", 0755) == 0);
	MUST(setenv("PATH", "bin", 1) == 0);
}

static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

/* It gets all frames, raw, and is told their size and rate. */
START_TEST(an_encoder_gets_the_frames)
{
	char words[512] = "";
	FILE *file;

	play_ffmpeg("for last; do :; done\necho \"$*\" >words\nexec cat >\"${last#file:}\"");
	MUST(make_film("a.mp4", 0.01, 0.11, 50, 1) == 0);
	ck_assert_int_eq(size_of("a.mp4"), 6 * 640 * 480 * 4);
	file = fopen("words", "r");
	MUST(file && fgets(words, sizeof(words), file));
	fclose(file);
	MUST(strstr(words, "-f rawvideo -pix_fmt bgr0 -s 640x480 -r 50.000000 -i pipe:0"));
	MUST(strstr(words, "libx264") && strstr(words, " file:a.mp4"));
	/* A palette first, then the same frames. */
	MUST(make_film("a.gif", 0.01, 0.11, 50, 1) == 0);
	ck_assert_int_eq(size_of("a.gif"), 6 * 640 * 480 * 4);
	/* What begins with a dash is a name too. */
	MUST(make_film("-a.mp4", 0.01, 0.11, 50, 1) == 0 && size_of("-a.mp4") > 0);
}
END_TEST

START_TEST(an_encoder_fails)
{
	/* At once, so that nobody reads the frames. */
	play_ffmpeg("echo 'Unknown encoder' >&2\necho 'last words' >&2\nexit 3");
	MUST(make_film("a.mp4", 0, -1, 500, 1) == -EIO);
	MUST(strstr(quire_failure(), "ffmpeg could not write a.mp4: last words"));
	/* In the end, with a part of the film written. */
	play_ffmpeg("echo part >a.mp4\ncat >/dev/null\nkill -9 $$");
	MUST(make_film("a.mp4", 0, 0.05, 50, 1) == -EIO);
	MUST(access("a.mp4", F_OK) != 0);
	MUST(make_film("a.gif", 0, 0.05, 50, 1) == -EIO && access("a.gif", F_OK) != 0);
	setenv("PATH", "nowhere", 1);
	MUST(make_film("a.mp4", 0, 0.05, 50, 1) == -ENOENT);
	MUST(strstr(quire_failure(), "not installed") && strstr(quire_failure(), "%04d.png"));
}
END_TEST

static bool stop_at_third(void *arg, uint64_t frame, uint64_t frames)
{
	(void)arg;
	MUST(frames == 6);
	return frame < 2;
}

START_TEST(a_film_is_stopped)
{
	struct quire_film film = {"a.mp4", 10000000, 110000000, 50, 1, stop_at_third, NULL};

	play_ffmpeg("echo part >a.mp4\nexec cat >/dev/null");
	MUST(quire_export_film(draw, &view, &film) == -ECANCELED);
	MUST(access("a.mp4", F_OK) != 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("export");
	TCase *stills_case = tcase_create("stills"), *films = tcase_create("films");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(stills_case, setup, teardown);
	tcase_add_test(stills_case, stills);
	tcase_add_test(stills_case, stills_that_cannot_be);
	tcase_add_checked_fixture(films, setup, teardown);
	tcase_add_test(films, frames_are_at_their_times);
	tcase_add_test(films, films_by_steps);
	tcase_add_test(films, films_that_cannot_be);
	tcase_add_test(films, an_encoder_gets_the_frames);
	tcase_add_test(films, an_encoder_fails);
	tcase_add_test(films, a_film_is_stopped);
	suite_add_tcase(suite, stills_case);
	suite_add_tcase(suite, films);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
