/*
 * view_go.c - the commands about time: play, step, seek, events, two stories.
 */
#include "view_parts.h"

#include <math.h>
#include <stdio.h>

/* ---- time ---- */

void view_pause(struct quire_view *view)
{
	view->playing = view->following = false;
	view->until = INFINITY;
}

int view_play(struct quire_view *view)
{
	if (view->playing || view->following) {
		view_pause(view);
		return 0;
	}
	view->playing = true;
	view->until = INFINITY;
	if (view->head >= view_end(view) && !view_grows(view))
		return view_jump(view, 0);
	return 0;
}

/* The number of steps that are over after one more, or one less; from the middle of a step
 * that is its end, or its beginning. */
static uint32_t step_from(const struct quire_side *side, int by)
{
	double step = view_clock_of(side->story, QUIRE_CLOCK_STEP, side->scene.index);

	return (uint32_t)fmax(by > 0 ? floor(step) + 1 : ceil(step) - 1, 0);
}

int view_step_by(struct quire_view *view, int by)
{
	const struct quire_side *a = &view->sides[0], *b = &view->sides[1];
	uint64_t index;

	view_pause(view);
	/* Behind the first story's end the second one goes on alone. */
	if (view->sides_count > 1 && a->scene.index == a->story->indexed &&
	    (view->head > view_first_end(view) || (by > 0 && b->scene.index < b->story->indexed)))
		return view_jump_second(view, quire_story_index_step(b->story, step_from(b, by)));
	index = quire_story_index_step(a->story, step_from(a, by));
	/* Before the first step there are arrivals. */
	return view_jump(view, by < 0 && index >= a->scene.index ? 0 : index);
}

int view_event_by(struct quire_view *view, int by)
{
	uint64_t index = view->sides[0].scene.index;

	view_pause(view);
	if (by > 0)
		return view_jump(view, index < view->sides[0].story->indexed ? index + 1 : index);
	return view_jump(view, index ? index - 1 : 0);
}

int view_speed(struct quire_view *view, double speed)
{
	view->speed = fmin(fmax(speed, VIEW_SPEED_MIN), VIEW_SPEED_MAX);
	if (view->speed < 1)
		view_message(view, "speed 1/%g", 1 / view->speed);
	else
		view_message(view, "speed %g", view->speed);
	return 0;
}

int view_clock(struct quire_view *view, enum quire_clock clock)
{
	const struct quire_side *side = &view->sides[0];

	if (clock != view->clock) {
		view->clock = clock;
		view->until = INFINITY;
		view->head = view_clock_of(side->story, clock, side->scene.index);
	}
	view_message(view, clock == QUIRE_CLOCK_STEP ? "it plays step by step, each as long"
						     : "it plays as time went by");
	return 0;
}

int view_last(struct quire_view *view)
{
	view_pause(view);
	if (!view->sides[0].story->over)
		view->following = view->playing = true;
	return view_jump_head(view, view_end(view));
}

int view_seek(struct quire_view *view, const struct quire_command *command)
{
	view->following = view->playing = false;
	view->until = INFINITY;
	/* A time may lie between two events, or behind the first story's end. */
	if (view->clock == QUIRE_CLOCK_TIME && command->number >= 0)
		return view_jump_head(view, command->number);
	return view_jump(view, command->index);
}

/* ---- events ---- */

int view_event(struct quire_view *view, uint32_t kind, bool back)
{
	const struct quire_side *side = &view->sides[0];
	uint64_t index;

	view_pause(view);
	index = quire_story_jump(side->story, side->scene.index, 1u << kind, 0, back);
	if (index == UINT64_MAX)
		return quire_fail(-ENOENT, "there is no %s %s this moment",
				  view_word(QUIRE_DO_NEXT_EVENT, kind), back ? "before" : "behind");
	view->mark_kind = kind;
	return view_jump(view, index);
}

/* The next kind of which there is something. */
uint32_t view_next_kind(const struct quire_view *view)
{
	const struct quire_story *story = view->sides[0].story;
	uint32_t kind = view->mark_kind;

	for (uint32_t i = 0; i < QUIRE_EV_COUNT; i++) {
		kind = (kind + 1) % QUIRE_EV_COUNT;
		if ((QUIRE_STORY_MARKS >> kind & 1) && story->marks_count[kind])
			break;
	}
	return kind;
}

int view_diverge(struct quire_view *view)
{
	char words[2][80];
	uint64_t at[2], count;
	int rc;

	if (view->sides_count < 2)
		return quire_fail(-ENOENT, "there is one recording: it takes two to differ");
	view_pause(view);
	if (!quire_story_diverge(view->sides[0].story, view->sides[1].story, &at[0], &at[1]))
		return quire_fail(-ENOENT, "no decision differs in the two recordings");
	for (uint32_t s = 0; s < 2; s++) {
		const struct quire_story *story = view->sides[s].story;
		const struct quire_event *e = quire_story_events(story, at[s] - 1, &count);

		view_event_words(story, e, words[s], sizeof(words[s]));
	}
	rc = view_jump(view, at[0]);
	if (rc == 0)
		rc = quire_scene_seek(&view->sides[1].scene, at[1]);
	view_message(view, "Step %u is the first that differs. Left: %s. Right: %s.",
		     quire_story_step_at(view->sides[0].story, at[0]), words[0], words[1]);
	return rc;
}

int view_lock(struct quire_view *view, enum quire_lock lock)
{
	static const char *const words[QUIRE_LOCK_COUNT] = {
		[QUIRE_LOCK_TIME] = "the two go by the same time",
		[QUIRE_LOCK_STEP] = "the two go by the same step",
		[QUIRE_LOCK_REQUEST] = "the two go by how far the selected request has got",
	};

	view->lock = lock;
	/* Each lock has the clock that goes on when one of the two is over. */
	if (lock != QUIRE_LOCK_REQUEST)
		view_clock(view, lock == QUIRE_LOCK_STEP ? QUIRE_CLOCK_STEP : QUIRE_CLOCK_TIME);
	view_message(view, "%s", words[lock]);
	return view_jump(view, view->sides[0].scene.index);
}
