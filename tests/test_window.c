/*
 * test_window.c - the window, worked by scripts whose keys and clicks go through SDL: every
 * key of the table does what its word says, the pointer finds what is drawn, the window's
 * pixels are the picture, and what is wrong is told.
 *
 * It runs under SDL's dummy driver, where nothing is seen; tests/window.sh runs it under
 * Xvfb, by SDL_VIDEODRIVER=x11.
 */
#include "tale.h"

#include "core/cli/view_run.h"
#include "visualize/export.h"
#include "visualize/lesson.h"
#include "visualize/place.h"
#include "visualize/window.h"
#include "visualize/window_script.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODEL "--model llama-3-8b --gpu a100-80g --kv-slots 4000 --workload demo --requests 60"

static struct quire_live *lives[2];
static struct quire_story *stories[2];
static struct quire_view view, twin;
static struct quire_draw *draw;

/* ---- worlds ---- */

static void tell(uint32_t i, const char *line)
{
	MUST(quire_view_run_quietly(line, &lives[i]) == 0);
	MUST(quire_story_open_live(&stories[i], lives[i]) == 0);
	MUST(quire_story_extend(stories[i], UINT64_MAX) == 0);
}

/* Short of memory, so that there are preemptions. */
static void begin(bool two)
{
	tell(0, MODEL);
	if (two)
		tell(1, MODEL " --scheduler splitfuse");
	MUST(quire_view_init(&view, stories[0], stories[1]) == 0);
	MUST(quire_draw_new(&draw) == 0);
}

static void end(void)
{
	quire_draw_free(draw);
	quire_view_free(&view);
	for (uint32_t i = 0; i < 2; i++) {
		quire_story_close(stories[i]);
		quire_live_free(lives[i]);
	}
}

static int try_script(const char *script)
{
	struct quire_window_config config = {.title = "test", .script = script};

	return quire_window_run(&config, &view, draw);
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
	char script[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(script, sizeof(script), format, args);
	va_end(args);
	if (try_script(script))
		ck_abort_msg("%s: %s", script, quire_failure());
}

static void say(struct quire_view *v, const char *line)
{
	if (quire_view_say(v, line))
		ck_abort_msg("%s: %s", line, quire_failure());
}

/* ---- keys ---- */

/* Of the view and its twin, all that a command can change. */
static void compare(const char *key)
{
#define SAME(what)                                                                                 \
	do {                                                                                       \
		if ((double)view.what != (double)twin.what)                                        \
			ck_abort_msg("key %s: " #what " is %g, told in words it is %g", key,       \
				     (double)view.what, (double)twin.what);                        \
	} while (0)

	SAME(playing);
	SAME(following);
	SAME(clock);
	SAME(lock);
	SAME(speed);
	SAME(head);
	SAME(mark_kind);
	SAME(colouring);
	SAME(theme);
	SAME(axis_steps);
	SAME(alone);
	SAME(help);
	SAME(searching);
	SAME(selected);
	SAME(font_points);
	SAME(sides[0].scene.index);
	SAME(sides[0].cell_points);
	SAME(sides[0].axis_from);
	SAME(sides[0].rows_from);
	SAME(caption.number);
	if (view.sides_count > 1)
		SAME(sides[1].scene.index);
#undef SAME
	if (strcmp(view.message, twin.message) != 0)
		ck_abort_msg("key %s: it says '%s', told in words '%s'", key, view.message,
			     twin.message);
}

/* Both to the same place, where most keys have something to do. */
static void meet(struct quire_view *v)
{
	say(v, "seek step 80");
	say(v, "select r3");
	say(v, "colour owner");
	say(v, "theme dark");
	say(v, "axis time");
	say(v, "clock time");
	say(v, "speed 1");
	say(v, "font 14");
	say(v, "kind preempt");
	if (v->sides_count > 1)
		say(v, "lock time");
	v->message[0] = 0;
	v->alone = -1;
	v->help = v->searching = v->playing = false;
	quire_view_resize(v, 1280, 800, 1);
}

/* Every key of the table, as from a keyboard, does what its word does. */
static void try_keys(void)
{
	uint32_t tried = 0;

	MUST(quire_view_init(&twin, stories[0], stories[1]) == 0);
	for (uint32_t kind = 1; kind < QUIRE_DO_HOST; kind++) {
		const struct quire_command_text *text = &quire_command_texts[kind];

		if (!text->key[0] || kind == QUIRE_DO_PANEL)
			continue;
		meet(&view);
		meet(&twin);
		run("0 key %s\n0 quit", text->key);
		twin.now_s = view.now_s;
		quire_view_say(&twin, text->word); /* there may be nothing to do */
		compare(text->key);
		tried++;
	}
	ck_assert_uint_gt(tried, 20);
	quire_view_free(&twin);
}

START_TEST(every_key_does_its_command)
{
	begin(false);
	try_keys();
	end();
}
END_TEST

START_TEST(and_with_two_recordings)
{
	begin(true);
	try_keys();
	MUST(view.sides_count == 2);
	end();
}
END_TEST

/* By hand, so that no table is believed. */
START_TEST(keys_by_hand)
{
	uint64_t index;

	begin(false);
	run("0 key Right\n0 key Right\n0 key Right\n0 quit");
	MUST(quire_story_step_at(stories[0], view.sides[0].scene.index) == 3);
	run("0 key Left\n0 quit");
	index = view.sides[0].scene.index;
	MUST(index == quire_story_index_step(stories[0], 2));
	run("0 key Shift+Right\n0 quit");
	MUST(view.sides[0].scene.index == index + 1);
	run("0 key Shift+Left\n0 quit");
	MUST(view.sides[0].scene.index == index);
	run("0 key +\n0 key +\n0 quit");
	MUST(view.speed == 4);
	run("0 key -\n0 quit");
	MUST(view.speed == 2);
	run("0 key N\n0 quit");
	MUST(stories[0]->marks_count[QUIRE_EV_PREEMPT] > 0);
	MUST(view.sides[0].scene.index == stories[0]->marks[QUIRE_EV_PREEMPT][0] + 1);
	run("0 key C\n0 quit");
	MUST(view.colouring == QUIRE_BY_REFS);
	run("0 key T\n0 quit");
	MUST(view.theme == QUIRE_LIGHT);
	run("0 key ?\n0 quit");
	MUST(view.help);
	run("0 key Escape\n0 quit");
	MUST(!view.help);
	run("0 key 3\n0 quit");
	MUST(view.alone == QUIRE_PANEL_TIMELINE);
	run("0 key 3\n0 quit");
	MUST(view.alone == -1);
	run("0 key End\n0 quit");
	MUST(view.sides[0].scene.index == stories[0]->events);
	run("0 key Home\n0 quit");
	MUST(view.sides[0].scene.index == 0);
	end();
}
END_TEST

/* The script's clock is the view's: two seconds are two seconds. */
START_TEST(it_plays_by_the_clock)
{
	begin(false);
	run("0 key Space\n2 quit");
	MUST(view.playing && fabs(view.head - 2e9) < 1e3);
	run("0 key Space\n0 quit");
	MUST(!view.playing);
	end();
}
END_TEST

/* While a name is typed no letter is a key. */
START_TEST(a_search_takes_letters)
{
	begin(false);
	run("0 key /\n0.1 type qrx\n0.2 key Backspace\n0.2 key Backspace\n0.2 key Backspace\n"
	    "0.3 type r12\n0.4 quit");
	MUST(view.searching && strcmp(view.search, "r12") == 0);
	run("0 key Enter\n0 quit");
	MUST(!view.searching && view.selected == quire_story_find(stories[0], "r12"));
	run("0 key /\n0 type r5\n0 key Escape\n0 quit");
	MUST(!view.searching && view.selected == quire_story_find(stories[0], "r12"));
	end();
}
END_TEST

START_TEST(a_lesson_is_walked)
{
	struct quire_lesson lesson;
	struct quire_walk walk;

	MUST(quire_lesson_read(&lesson, "copy-on-write") == 0);
	MUST(lesson.runs_count == 1);
	tell(0, lesson.runs[0]);
	MUST(quire_lesson_tell(&lesson, stories) == 0);
	MUST(quire_view_init(&view, stories[0], NULL) == 0);
	MUST(quire_draw_new(&draw) == 0);
	MUST(quire_walk_begin(&walk, &lesson, &view) == 0);
	MUST(view.caption.number == 1 && view.caption.question && !view.caption.answer);
	run("0 key Space\n3 quit");
	MUST(view.caption.number == 1 && view.caption.answer);
	run("0 key Space\n3 quit");
	MUST(view.caption.number == 2);
	run("0 key Backspace\n0 quit");
	MUST(view.caption.number == 1);
	/* It may be clicked, too. */
	run("0 click %g %g\n0.1 click %g %g\n3 quit",
	    view.sides[0].panels[QUIRE_PANEL_LESSON].x + 50,
	    view.sides[0].panels[QUIRE_PANEL_LESSON].y + 20,
	    view.sides[0].panels[QUIRE_PANEL_LESSON].x + 50,
	    view.sides[0].panels[QUIRE_PANEL_LESSON].y + 20);
	MUST(view.caption.number == 2 || view.caption.answer);
	end();
	quire_lesson_free(&lesson);
}
END_TEST

/* ---- the pointer ---- */

struct at {
	double x, y;
};

/* Whole points, as a pointer has them. */
static struct at middle(const struct quire_rect *rect)
{
	return (struct at){floor(rect->x + rect->width / 2), floor(rect->y + rect->height / 2)};
}

static struct at cell_at(uint32_t cell)
{
	struct quire_pool_grid grid = quire_view_pool(&view, 0);
	struct quire_rect rect = quire_view_cell(&grid, cell);

	return middle(&rect);
}

/* A cell that belongs to somebody. */
static uint32_t owned_cell(void)
{
	const struct quire_scene *scene = &view.sides[0].scene;
	uint32_t cell = 3;

	while (cell < stories[0]->cells_count && !scene->cells[cell].owner)
		cell++;
	MUST(cell < stories[0]->cells_count);
	return cell;
}

static void point(void)
{
	uint32_t cell;
	struct at at;

	run("0 quit"); /* the window has its size */
	MUST(fabs(view.width - 1280) < 1 && fabs(view.height - 800) < 1);
	say(&view, "seek step 80");
	cell = owned_cell();
	at = cell_at(cell);
	run("0 move %g %g\n0.5 quit", at.x, at.y);
	MUST(view.hover.kind == QUIRE_HIT_CELL && view.hover.cell == cell);
	MUST(view.now_s - view.hover_s > QUIRE_TOOLTIP_S);
	run("0 click %g %g\n0 quit", at.x, at.y);
	MUST(view.selected == view.sides[0].scene.cells[cell].owner);
	run("0 key Escape\n0 quit");
	MUST(!view.selected);
}

START_TEST(a_cell_is_found_and_clicked)
{
	begin(false);
	point();
	end();
}
END_TEST

/* Twice as many pixels, the same points. */
START_TEST(at_another_scale_too)
{
	begin(false);
	quire_view_resize(&view, 1280, 720, 2);
	point();
	MUST(view.scale == 2);
	end();
}
END_TEST

START_TEST(the_wheel_zooms_and_a_drag_moves)
{
	struct quire_pool_grid before, after;
	struct at at;

	begin(false);
	run("0 quit");
	say(&view, "seek step 80");
	at = cell_at(60);
	before = quire_view_pool(&view, 0);
	run("0 move %g %g\n0 wheel 0 8\n0 quit", at.x, at.y);
	after = quire_view_pool(&view, 0);
	MUST(after.pitch_x > 3 * before.pitch_x);
	MUST(quire_view_hit(&view, at.x, at.y).cell == 60); /* what was there is still there */
	run("0 press %g %g\n0.1 move %g %g\n0.2 move %g %g\n0.3 release %g %g\n0.4 quit", at.x,
	    at.y, at.x - 10, at.y, at.x - 40, at.y, at.x - 40, at.y);
	before = after;
	after = quire_view_pool(&view, 0);
	MUST(fabs(after.x - (before.x - 40)) < 1 && !view.selected);
	run("0 move %g %g\n0 key 0\n0 quit", at.x, at.y);
	MUST(view.sides[0].cell_points == 0);
	end();
}
END_TEST

START_TEST(the_timeline_is_clicked_and_zoomed)
{
	struct quire_rect bars;
	struct quire_place_rows rows;
	struct quire_axis_range axis;
	const struct quire_track *track;
	uint32_t row, seq;
	double x, y;

	begin(false);
	run("0 key 3\n0 quit"); /* alone, and large */
	bars = quire_place_bars(&view, 0, QUIRE_PANEL_TIMELINE);
	rows = quire_place_rows(&view, 0);
	MUST(bars.width > 0 && rows.count > 4);
	row = 4;
	seq = rows.first + row;
	track = &stories[0]->tracks[seq];
	x = floor((quire_view_x_of(&view, 0, track->born_ns) +
		   quire_view_x_of(&view, 0, track->gone_ns)) /
		  2);
	y = floor(rows.y + (row + 0.5) * rows.pitch);
	run("0 click %g %g\n0 quit", x, y);
	MUST(view.selected == seq);
	axis = quire_place_axis(&view, 0);
	run("0 move %g %g\n0 wheel 0 3\n0 quit", x, y);
	MUST(quire_place_axis(&view, 0).until - quire_place_axis(&view, 0).from <
	     0.7 * (axis.until - axis.from));
	/* A step below is gone to. */
	run("0 key 3\n0 move %g %g\n0 key 0\n0 quit", x, y);
	bars = quire_place_bars(&view, 0, QUIRE_PANEL_STEPS);
	x = floor(bars.x + bars.width / 3);
	run("0 click %g %g\n0 quit", x, floor(bars.y + bars.height / 2));
	MUST(fabs(view.head - (double)quire_view_ns_of(&view, 0, x)) < 1e9 && view.head > 0);
	end();
}
END_TEST

START_TEST(the_bar_is_scrubbed)
{
	struct quire_rect bar;
	double end_ns, y;

	begin(false);
	run("0 quit");
	bar = quire_place_scrub(&view);
	end_ns = (double)quire_place_end_ns(&view);
	y = floor(bar.y + bar.height / 2);
	run("0 click %g %g\n0 quit", floor(bar.x + bar.width / 2), y);
	MUST(fabs(view.head - end_ns / 2) < end_ns / 100);
	run("0 press %g %g\n0.1 move %g %g\n0.2 quit", floor(bar.x + bar.width / 2), y,
	    floor(bar.x + bar.width / 4), y);
	MUST(fabs(view.head - end_ns / 4) < end_ns / 100);
	/* A notch of the wheel is a step. */
	run("0 release 1 1\n0 quit");
	run("0 move %g %g\n0 wheel 0 -1\n0 quit", bar.x + 9, y);
	MUST(view.sides[0].scene.index ==
	     quire_story_index_step(stories[0],
				    quire_story_step_at(stories[0], view.sides[0].scene.index)));
	end();
}
END_TEST

START_TEST(buttons_are_clicked)
{
	enum quire_command_kind kind;
	struct quire_rect rect;
	bool played = false;
	struct at at;

	begin(false);
	run("0 quit");
	for (uint32_t i = 0; quire_place_button(&view, i, &rect, &kind); i++) {
		if (kind != QUIRE_DO_PLAY)
			continue;
		at = middle(&rect);
		run("0 click %g %g\n0 quit", at.x, at.y);
		played = view.playing;
	}
	MUST(played);
	end();
}
END_TEST

/* ---- the window ---- */

START_TEST(it_is_resized)
{
	begin(false);
	run("0 resize 900 700\n0.1 quit");
	MUST(fabs(view.width - 900) < 1 && fabs(view.height - 700) < 1);
	end();
}
END_TEST

static void same_pictures(const char *a, const char *b)
{
	cairo_surface_t *pictures[2] = {cairo_image_surface_create_from_png(a),
					cairo_image_surface_create_from_png(b)};
	int width = cairo_image_surface_get_width(pictures[0]);
	int height = cairo_image_surface_get_height(pictures[0]);
	int stride = cairo_image_surface_get_stride(pictures[0]);

	MUST(width == cairo_image_surface_get_width(pictures[1]) && width > 0);
	MUST(height == cairo_image_surface_get_height(pictures[1]));
	MUST(memcmp(cairo_image_surface_get_data(pictures[0]),
		    cairo_image_surface_get_data(pictures[1]), (size_t)(stride * height)) == 0);
	cairo_surface_destroy(pictures[0]);
	cairo_surface_destroy(pictures[1]);
}

/* What the window shows is what a still is. */
START_TEST(its_pixels_are_the_picture)
{
	char name[2][64];

	for (int i = 0; i < 2; i++)
		snprintf(name[i], sizeof(name[i]), "/tmp/quire-window-%d-%d.png", (int)getpid(), i);
	begin(true);
	run("0 key End\n0.1 say seek step 60\n0.2 resize 1000 700\n0.3 png %s\n0.3 quit", name[0]);
	MUST(quire_export_still(draw, &view, name[1]) == 0);
	same_pictures(name[0], name[1]);
	remove(name[0]);
	remove(name[1]);
	end();
}
END_TEST

START_TEST(what_only_a_window_can_do)
{
	struct quire_window_config config = {.command = "quire view 'my run.qrec'"};
	char here[1024], folder[] = "/tmp/quire-window-XXXXXX";

	begin(false);
	MUST(getcwd(here, sizeof(here)) && mkdtemp(folder) && chdir(folder) == 0);
	run("0 key P\n0 key P\n0 key F11\n0.1 key F11\n0.2 say png other.svg\n0.3 quit");
	MUST(access("quire-001.png", R_OK) == 0 && access("quire-002.png", R_OK) == 0);
	MUST(access("other.svg", R_OK) == 0);
	remove("quire-001.png");
	remove("quire-002.png");
	remove("other.svg");
	run("0 say png nowhere/x.png\n0 quit");
	MUST(strstr(view.message, "cannot write nowhere/x.png"));
	MUST(chdir(here) == 0 && rmdir(folder) == 0);
	say(&view, "select r3");
	config.script = "0 key Ctrl+C\n0.1 key Q";
	MUST(quire_window_run(&config, &view, draw) == 0);
	MUST(strstr(view.message, "copied: quire view 'my run.qrec' ") == view.message);
	MUST(strstr(view.message, "--select r3"));
	MUST(!view.asks_count);
	end();
}
END_TEST

/* ---- what is wrong ---- */

START_TEST(bad_scripts_are_refused)
{
	static const struct {
		const char *script, *words;
	} bad[] = {
		{"0 key Right\n0.5 clik 3 4", "line 2: there is no 'clik'; did you mean 'click'?"},
		{"now key Right", "expected a second"},
		{"-1 quit", "expected a second"},
		{"1 key Right\n\n# later\n0.5 quit", "line 4: 0.5 is before 1"},
		{"0 key Hyper+X", "'Hyper+X' is no key"},
		{"0 key", "'' is no key"},
		{"0 click 3", "click: expected two numbers, found '3'"},
		{"0 click 3 4 5", "too much"},
		{"0 wheel x 2", "wheel: expected two numbers"},
	};

	begin(false);
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (try_script(bad[i].script) != -EINVAL || !strstr(quire_failure(), bad[i].words))
			ck_abort_msg("%s: %s", bad[i].script, quire_failure());
	/* What a view refuses, and what cannot be written, ends the run. */
	MUST(try_script("0 say seek step 100000") == -ENOENT);
	MUST(try_script("0 png /nonexistent/x.png") == -EIO);
	end();
}
END_TEST

START_TEST(without_a_display)
{
	unsetenv("SDL_VIDEODRIVER");
	unsetenv("DISPLAY");
	unsetenv("WAYLAND_DISPLAY");
	MUST(quire_window_ready() == -EIO);
	MUST(strstr(quire_failure(), "no display") && strstr(quire_failure(), "--png"));
	setenv("SDL_VIDEODRIVER", "no-such-driver", 1);
	MUST(quire_window_ready() == -EIO);
	setenv("SDL_VIDEODRIVER", "dummy", 1);
	MUST(quire_window_ready() == 0);
}
END_TEST

/* Asked by a child, so that the tests' own children do not begin with a window's half. */
static bool is_left_out(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(quire_window_ready() == -ENOTSUP);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status != 0;
}

int main(void)
{
	Suite *suite = suite_create("window");
	TCase *keys = tcase_create("keys"), *pointer = tcase_create("pointer");
	TCase *window = tcase_create("window");
	SRunner *runner;
	int failed;

	setenv("SDL_VIDEODRIVER", "dummy", 0);
	if (is_left_out()) {
		puts("skipped: there is no SDL2");
		return 77;
	}
	tcase_add_test(keys, every_key_does_its_command);
	tcase_add_test(keys, and_with_two_recordings);
	tcase_add_test(keys, keys_by_hand);
	tcase_add_test(keys, it_plays_by_the_clock);
	tcase_add_test(keys, a_search_takes_letters);
	tcase_add_test(keys, a_lesson_is_walked);
	tcase_add_test(pointer, a_cell_is_found_and_clicked);
	tcase_add_test(pointer, at_another_scale_too);
	tcase_add_test(pointer, the_wheel_zooms_and_a_drag_moves);
	tcase_add_test(pointer, the_timeline_is_clicked_and_zoomed);
	tcase_add_test(pointer, the_bar_is_scrubbed);
	tcase_add_test(pointer, buttons_are_clicked);
	tcase_add_test(window, it_is_resized);
	tcase_add_test(window, its_pixels_are_the_picture);
	tcase_add_test(window, what_only_a_window_can_do);
	tcase_add_test(window, bad_scripts_are_refused);
	tcase_add_test(window, without_a_display);
	suite_add_tcase(suite, keys);
	suite_add_tcase(suite, pointer);
	suite_add_tcase(suite, window);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
