/*
 * view.c - "quire view": a recording, a run while it goes, or a lesson, in a window, as
 * pictures, or as a film.
 *
 * Stories come from files or from runs in this process (view_run.h); a view shows one or
 * two of them; it is told what the command line says, and then goes to a window
 * (visualize/window.h) or to files (visualize/export.h).
 */
#include "cli.h"
#include "core/util.h"
#include "view_args.h"
#include "view_run.h"
#include "visualize/export.h"
#include "visualize/lesson.h"
#include "visualize/window.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct viewer {
	struct quire_view_args args;
	struct quire_view_run run;			 /* --live */
	struct quire_lesson lesson;			 /* --lesson, ... */
	struct quire_live *lives[QUIRE_LESSON_RUNS_MAX]; /* ... and its runs, owned */
	struct quire_walk walk;

	struct quire_story *stories[2]; /* [stories_count] owned */
	uint32_t stories_count;
	struct quire_view view;
	bool has_view;
	struct quire_draw *draw;
	bool window; /* else files */
};

/* ---- stories ---- */

static int open_files(struct viewer *v)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < v->args.files_count; i++) {
		rc = quire_story_open(&v->stories[i], v->args.files[i]);
		v->stories_count += rc == 0;
	}
	return rc;
}

/* Return: 0; 1 the run has ended, and has said why; -errno. */
static int open_live(struct viewer *v)
{
	int rc = quire_view_run_start(&v->run);

	/* A picture is of a run that is over. */
	if (rc == 0 && !v->window && quire_view_run_end(&v->run) != QUIRE_EXIT_OK)
		return 1;
	for (uint32_t i = 0; rc == 0 && i < v->run.count; i++) {
		if (!quire_view_run_begun(&v->run, i))
			return 1;
		rc = quire_story_open_live(&v->stories[i], v->run.lives[i]);
		v->stories_count += rc == 0;
	}
	return rc;
}

/* Read to their ends, for what counts on all of them. */
static int read_all(struct viewer *v)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < v->stories_count; i++)
		rc = quire_story_extend(v->stories[i], UINT64_MAX);
	return rc;
}

static int open_lesson(struct viewer *v)
{
	char why[512];
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < v->lesson.runs_count; i++) {
		rc = quire_view_run_quietly(v->lesson.runs[i], &v->lives[i]);
		if (rc) {
			snprintf(why, sizeof(why), "%s", quire_failure());
			return quire_fail(rc, "%s, run %u: %s", v->lesson.path, i + 1, why);
		}
		rc = quire_story_open_live(&v->stories[i], v->lives[i]);
		v->stories_count += rc == 0;
	}
	if (rc == 0)
		rc = read_all(v);
	return rc ? rc : quire_lesson_tell(&v->lesson, v->stories);
}

/* ---- the view ---- */

/* A command of the command line.  Return: 0; -errno with a sentence that names it. */
static int say(struct quire_view *view, enum quire_command_kind kind, const char *value)
{
	char line[256], why[512];
	int rc;

	if (value && strlen(value) > sizeof(line) - 32)
		return quire_fail(-EINVAL, "--%s: '%.40s...' is too long",
				  quire_command_texts[kind].word, value);
	snprintf(line, sizeof(line), "%s %s", quire_command_texts[kind].word, value ? value : "");
	rc = quire_view_say(view, line);
	if (rc == 0)
		return 0;
	snprintf(why, sizeof(why), "%s", quire_failure());
	return quire_fail(rc, "--%s%s%s: %s",
			  kind == QUIRE_DO_SEEK ? "at" : quire_command_texts[kind].word,
			  value ? " " : "", value ? value : "", why);
}

/* Return: 0; 1 bad usage; -errno; with a sentence. */
static int make_view(struct viewer *v)
{
	const struct quire_view_args *a = &v->args;
	struct quire_view *view = &v->view;
	double width = a->width, height = a->height;
	int rc = 0;

	if (!v->window || a->commands_count)
		rc = read_all(v);
	if (rc == 0)
		rc = quire_view_init(view, v->stories[0], v->stories[1]);
	if (rc)
		return rc;
	v->has_view = true;
	quire_view_resize(view, width > 0 ? width : 1280,
			  height > 0 ? height : (v->window ? 800 : 720), a->scale);
	if (a->lesson)
		rc = quire_walk_begin(&v->walk, &v->lesson, view);
	for (uint32_t i = 0; rc == 0 && i < a->commands_count; i++)
		if (say(view, a->commands[i].kind, a->commands[i].value))
			rc = 1;
	return rc ? rc : quire_draw_new(&v->draw);
}

/* What is wrong with a recording is said in the picture; what else was said is not. */
static void settle(struct viewer *v)
{
	struct quire_view *view = &v->view;

	view->message[0] = 0;
	for (uint32_t i = 0; i < v->stories_count; i++) {
		const struct quire_story *story = v->stories[i];

		if (!story->trouble[0])
			continue;
		snprintf(view->message, sizeof(view->message), "%s", story->trouble);
		view->message_until_s = INFINITY;
		fprintf(stderr, "quire view: warning: %s%s%s\n",
			i < v->args.files_count ? v->args.files[i] : "",
			i < v->args.files_count ? ": " : "", story->trouble);
	}
}

/* ---- pictures and films ---- */

struct progress {
	double shown_s; /* when a line was last shown */
};

static double clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool show_progress(void *arg, uint64_t frame, uint64_t frames)
{
	struct progress *progress = arg;
	double now_s = clock_s();

	if (now_s >= progress->shown_s + 0.2) {
		progress->shown_s = now_s;
		fprintf(stderr, "\r\033[Kframe %llu of %llu", (unsigned long long)frame + 1,
			(unsigned long long)frames);
	}
	return true;
}

/* "step 40" as a time of the first story. */
static int moment(struct viewer *v, const char *flag, const char *text, uint64_t *at_ns)
{
	struct quire_command command;
	char line[160], why[512];
	int rc;

	snprintf(line, sizeof(line), "seek %.140s", text);
	rc = quire_view_parse(&v->view, line, &command);
	if (rc) {
		snprintf(why, sizeof(why), "%s", quire_failure());
		quire_fail(rc, "%s: %s", flag, why);
		return 1;
	}
	*at_ns = command.number >= 0 ? (uint64_t)command.number
				     : quire_story_ns(v->stories[0], command.index);
	return 0;
}

static int make_film(struct viewer *v)
{
	const struct quire_view_args *a = &v->args;
	struct progress progress = {.shown_s = 0};
	struct quire_film film = {
		.path = a->film,
		.until_ns = UINT64_MAX,
		.fps = a->fps,
		.speed = v->view.speed,
		.progress = isatty(STDERR_FILENO) ? show_progress : NULL,
		.arg = &progress,
	};
	int rc = 0;

	if (a->from)
		rc = moment(v, "--from", a->from, &film.from_ns);
	if (rc == 0 && a->to)
		rc = moment(v, "--to", a->to, &film.until_ns);
	if (rc)
		return rc;
	rc = quire_export_film(v->draw, &v->view, &film);
	if (progress.shown_s > 0)
		fputs("\r\033[K", stderr);
	return rc == -EINVAL ? 1 : rc;
}

/* Return: 0; 1 bad usage; -errno; with a sentence. */
static int make_files(struct viewer *v)
{
	int rc = 0;

	settle(v);
	for (uint32_t i = 0; rc == 0 && i < v->args.stills_count; i++)
		rc = quire_export_still(v->draw, &v->view, v->args.stills[i]);
	if (rc == 0 && v->args.film)
		rc = make_film(v);
	return rc;
}

/* ---- the window ---- */

static char *read_script(const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
	char *text = NULL;
	size_t size = 0;

	if (file && getdelim(&text, &size, 0, file) < 0 && ferror(file)) {
		free(text);
		text = NULL;
	}
	if (!file || !text)
		quire_fail(-EIO, "cannot read the script %s: %s", path, strerror(errno));
	if (file && file != stdin)
		fclose(file);
	return text;
}

/* The line that shows it again, but for what quire_view_line() says. */
static void make_lines(const struct viewer *v, char *before, char *behind, size_t size)
{
	size_t used = (size_t)snprintf(before, size, "quire view");

	behind[0] = 0;
	for (uint32_t i = 0; i < v->args.files_count; i++) {
		used += (size_t)snprintf(before + used, size - used, " ");
		quire_view_quote(v->args.files[i], before + used, size - used);
		used += strlen(before + used);
	}
	if (v->args.lesson) {
		used += (size_t)snprintf(before + used, size - used, " --lesson ");
		quire_view_quote(v->args.lesson, before + used, size - used);
	}
	used = 0;
	for (int i = 0; i < v->args.live_argc && used + 16 < size; i++) {
		used += (size_t)snprintf(behind + used, size - used, i ? " " : " --live ");
		quire_view_quote(v->args.live_argv[i], behind + used, size - used);
		used += strlen(behind + used);
	}
}

/* Where a viewer finds himself at first. */
static void welcome(struct viewer *v)
{
	struct quire_view *view = &v->view;
	const struct timespec moment = {0, 300000000};
	bool over = true;

	if (v->args.commands_count || v->args.lesson || v->args.script)
		return;
	if (v->run.count) {
		/* What is over before one looks is played, what goes on is followed. */
		nanosleep(&moment, NULL);
		for (uint32_t i = 0; i < v->run.count; i++)
			over &= quire_live_ended(v->run.lives[i]);
		quire_view_say(view, over ? "play" : "last");
	}
	if (!view->message[0]) {
		snprintf(view->message, sizeof(view->message), "%s",
			 v->run.count ? "Space stops it, ? shows the keys"
				      : "Space plays it, ? shows the keys");
		view->message_until_s = 6;
	}
}

static int show_window(struct viewer *v)
{
	char before[2048], behind[2048], title[160];
	struct quire_window_config config = {
		.title = title,
		.command = before,
		.command_rest = behind,
		.width = v->args.width,
		.height = v->args.height,
		.full_screen = v->args.full_screen,
		.frame_times = v->args.frame_times,
	};
	char *script = NULL;
	int rc;

	if (v->args.script) {
		script = read_script(v->args.script);
		if (!script)
			return -EIO;
	}
	config.script = script;
	make_lines(v, before, behind, sizeof(before));
	if (v->args.lesson)
		snprintf(title, sizeof(title), "%s - quire", v->lesson.title);
	else
		snprintf(title, sizeof(title), "%s - quire", v->stories[0]->name);
	welcome(v);
	rc = quire_window_run(&config, &v->view, v->draw);
	free(script);
	return rc;
}

/* ---- the command ---- */

static int list_lessons(void)
{
	const char *name, *title;

	for (uint32_t i = 0; (name = quire_lesson_name(i, &title)); i++)
		printf("%2u  %-16s %s\n", i + 1, name, title);
	return QUIRE_EXIT_OK;
}

/* All but the window: what is shown.  Return: 0; 1 bad usage; -errno; with a sentence. */
static int run(struct viewer *v)
{
	int rc = make_view(v);

	if (rc)
		return rc;
	return v->window ? show_window(v) : make_files(v);
}

static int open_stories(struct viewer *v)
{
	int rc;

	if (v->args.live_argc)
		return open_live(v);
	if (v->args.files_count)
		return open_files(v);
	rc = quire_lesson_read(&v->lesson, v->args.lesson);
	return rc ? rc : open_lesson(v);
}

static void viewer_free(struct viewer *v)
{
	quire_draw_free(v->draw);
	if (v->has_view)
		quire_view_free(&v->view);
	for (uint32_t i = 0; i < v->stories_count; i++)
		quire_story_close(v->stories[i]);
	for (uint32_t i = 0; i < QUIRE_LESSON_RUNS_MAX; i++)
		quire_live_free(v->lives[i]);
	quire_lesson_free(&v->lesson);
	quire_view_run_free(&v->run);
}

int quire_cmd_view(int argc, char **argv)
{
	static struct viewer v; /* big */
	int rc = quire_view_args_read(&v.args, argc, argv), status = QUIRE_EXIT_OK;

	if (rc)
		return rc > 0 ? QUIRE_EXIT_OK : QUIRE_EXIT_USAGE;
	if (v.args.lessons)
		return list_lessons();
	if (v.args.live_argc) {
		rc = quire_view_run_read(&v.run, v.args.live_argc, v.args.live_argv);
		if (rc) {
			viewer_free(&v);
			return rc > 0 ? QUIRE_EXIT_OK : QUIRE_EXIT_USAGE;
		}
	}
	v.window = !v.args.stills_count && !v.args.film;
	if (v.window) /* found out before a run that may be long */
		rc = quire_window_ready();
	if (rc == 0)
		rc = open_stories(&v);
	if (rc > 0) {
		status = quire_view_run_end(&v.run); /* it has said why */
	} else {
		if (rc == 0)
			rc = run(&v);
		if (rc > 0)
			status = quire_usage_error(argv[0], "%s", quire_failure());
		else if (rc)
			status = quire_command_failed(argv[0], "%s", quire_failure());
		/* Whoever closes the window has not stopped the run. */
		if (v.run.started && quire_view_run_end(&v.run) && status == QUIRE_EXIT_OK)
			status = v.run.status;
	}
	viewer_free(&v);
	return status;
}
