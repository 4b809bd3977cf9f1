/*
 * lesson_walk.c - giving a lesson's runs their words, and going through it.
 *
 * What a moment shows depends on all commands before it, so going back begins again from
 * the beginning of the lesson, without a pause.
 */
#include "lesson.h"

#include "core/util.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int quire_lesson_tell(const struct quire_lesson *lesson, struct quire_story *const *stories)
{
	for (uint32_t i = 0; i < lesson->words_count; i++) {
		const struct quire_lesson_words *words = &lesson->words[i];
		struct quire_story *story = stories[words->run];
		struct quire_piece piece = {.request = words->request, .count = 1};
		const char *at = words->words;
		char name[32];

		if (words->answer) {
			snprintf(name, sizeof(name), "r%u.%u", words->request, words->sample);
			piece.seq = quire_story_find(story, name);
			if (!piece.seq)
				continue;
			piece.first = story->tracks[piece.seq].prompt_tokens;
		}
		for (at += strspn(at, " "); *at; at += strspn(at, " "), piece.first++) {
			piece.text = at;
			piece.bytes = (uint32_t)strcspn(at, " ");
			if (quire_story_add_piece(story, &piece))
				return quire_fail(-ENOMEM, "no memory for a lesson's words");
			at += piece.bytes;
		}
	}
	return 0;
}

/* ---- checking ---- */

static int check_line(const struct quire_lesson *lesson, const struct quire_view *view,
		      uint32_t line, const char *before, const char *text)
{
	struct quire_command command;
	char all[256], why[256];

	snprintf(all, sizeof(all), "%s%s", before, text);
	if (quire_view_parse(view, all, &command) == 0)
		return 0;
	snprintf(why, sizeof(why), "%s", quire_failure());
	return quire_fail(-EINVAL, "%s:%u: %s", lesson->path, line, why);
}

static int check(const struct quire_lesson *lesson, const struct quire_view *view)
{
	int rc = 0;

	for (uint32_t i = 0; i < lesson->views_count && rc == 0; i++)
		rc = check_line(lesson, view, 1, "", lesson->views[i]);
	for (uint32_t i = 0; i < lesson->moments_count; i++) {
		const struct quire_moment *moment = &lesson->moments[i];

		if (moment->at && rc == 0)
			rc = check_line(lesson, view, moment->line, "seek ", moment->at);
		for (uint32_t k = 0; k < moment->views_count && rc == 0; k++)
			rc = check_line(lesson, view, moment->line, "", moment->views[k]);
	}
	return rc;
}

/* ---- going ---- */

/* The first story's position when @steps more are over. */
static uint64_t steps_on(const struct quire_view *view, double steps)
{
	const struct quire_side *side = &view->sides[0];
	uint32_t step = quire_story_step_at(side->story, side->scene.index);

	if (step && side->scene.index < quire_story_index_step(side->story, step))
		step--;
	return quire_story_index_step(side->story, step + (uint32_t)steps);
}

static void seek(struct quire_view *view, uint64_t index)
{
	const struct quire_command command = {.kind = QUIRE_DO_SEEK, .number = -1, .index = index};

	quire_view_do(view, &command);
}

static void say_seek(struct quire_view *view, const char *at)
{
	char line[256];

	snprintf(line, sizeof(line), "seek %s", at);
	quire_view_say(view, line);
}

/* As the commands of a moment have it; they were checked. */
static void enter(struct quire_view *view, const struct quire_moment *moment)
{
	if (moment->at)
		say_seek(view, moment->at);
	for (uint32_t i = 0; i < moment->views_count; i++)
		quire_view_say(view, moment->views[i]);
}

static void play(struct quire_walk *walk, struct quire_view *view, double steps)
{
	const struct quire_story *story = view->sides[0].story;

	walk->rest = steps_on(view, steps);
	view->playing = true;
	if (view->clock == QUIRE_CLOCK_STEP)
		view->until = quire_story_step_at(story, walk->rest);
	else
		view->until = (double)quire_story_ns(story, walk->rest);
}

/* What has been begun is brought to its end. */
static void finish(struct quire_walk *walk, struct quire_view *view)
{
	const struct quire_moment *moment = &walk->lesson->moments[walk->moment];

	if (moment->play_steps > 0 && (walk->revealed || !moment->ask) && view->playing)
		seek(view, walk->rest);
	view->playing = false;
}

static uint32_t letters_of(const struct quire_moment *moment)
{
	size_t say = moment->say ? strlen(moment->say) : 0;
	size_t ask = moment->ask ? strlen(moment->ask) : 0;
	size_t reveal = moment->reveal ? strlen(moment->reveal) : 0;

	return (uint32_t)(say + (ask > reveal ? ask : reveal));
}

static void show(struct quire_walk *walk, struct quire_view *view)
{
	const struct quire_moment *moment = &walk->lesson->moments[walk->moment];

	view->caption = (struct quire_caption){
		.title = walk->lesson->title,
		.text = moment->say ? moment->say : "",
		.question = moment->ask,
		.answer = walk->revealed ? moment->reveal : NULL,
		.number = walk->moment + 1,
		.count = walk->lesson->moments_count,
	};
	for (uint32_t i = 0; i < walk->lesson->moments_count; i++) {
		uint32_t letters = letters_of(&walk->lesson->moments[i]);

		if (letters > view->caption.letters)
			view->caption.letters = letters;
	}
	view->message[0] = 0;
	if (moment->play_steps > 0 && (walk->revealed || !moment->ask))
		play(walk, view, moment->play_steps);
	quire_view_layout(view);
}

/* From the beginning to moment @until. */
static void again(struct quire_walk *walk, struct quire_view *view, uint32_t until)
{
	/* What a lesson may count on; colours and letters are the viewer's. */
	static const char *const fresh[] = {"lock time", "clock time",	"speed 1",
					    "axis time", "select none", "colour owner",
					    "panel all", "zoom 0 pool", "zoom 0 timeline"};
	const struct quire_lesson *lesson = walk->lesson;

	for (uint32_t i = 0; i < sizeof(fresh) / sizeof(fresh[0]); i++)
		quire_view_say(view, fresh[i]);
	seek(view, 0);
	for (uint32_t i = 0; i < lesson->views_count; i++)
		quire_view_say(view, lesson->views[i]);
	for (uint32_t i = 0; i <= until; i++) {
		enter(view, &lesson->moments[i]);
		if (i < until && lesson->moments[i].play_steps > 0)
			seek(view, steps_on(view, lesson->moments[i].play_steps));
	}
	walk->moment = until;
	walk->revealed = false;
	show(walk, view);
}

bool quire_walk_go(struct quire_walk *walk, struct quire_view *view, int direction)
{
	const struct quire_lesson *lesson = walk->lesson;
	bool asked = lesson->moments[walk->moment].ask != NULL;

	if (direction < 0) {
		if (walk->moment == 0 && !walk->revealed)
			return false;
		again(walk, view, walk->revealed ? walk->moment : walk->moment - 1);
		return true;
	}
	if (asked && !walk->revealed) {
		walk->revealed = true;
		show(walk, view);
		return true;
	}
	if (walk->moment + 1 == lesson->moments_count)
		return false;
	finish(walk, view);
	walk->moment++;
	walk->revealed = false;
	enter(view, &lesson->moments[walk->moment]);
	show(walk, view);
	return true;
}

static void guide(struct quire_guide *guide, struct quire_view *view, int direction)
{
	struct quire_walk *walk = (struct quire_walk *)guide;

	if (quire_walk_go(walk, view, direction) || direction < 0)
		return;
	snprintf(view->message, sizeof(view->message),
		 "That was the lesson. Look around: all keys are told by ?");
	view->message_until_s = view->now_s + 8;
}

int quire_walk_begin(struct quire_walk *walk, const struct quire_lesson *lesson,
		     struct quire_view *view)
{
	int rc = check(lesson, view);

	if (rc)
		return rc;
	*walk = (struct quire_walk){.guide = {guide}, .lesson = lesson};
	view->guide = &walk->guide;
	again(walk, view, 0);
	return 0;
}
