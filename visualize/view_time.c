/*
 * view_time.c - where time is: head and positions, two stories in lock-step, playing.
 *
 * head counts nanoseconds or steps; a position counts events.  A jump goes to an exact
 * position and head is told from it; playing moves head, and positions follow.
 */
#include "live.h"
#include "view_parts.h"

#include <math.h>
#include <stdio.h>

/* ---- head and positions ---- */

/* Right behind the plan of step @step: it runs. */
static uint64_t step_runs(const struct quire_story *story, uint32_t step)
{
	uint64_t index = quire_story_index_step(story, step - 1);
	uint64_t end = quire_story_index_step(story, step), count;

	while (index < end) {
		const struct quire_event *e = quire_story_events(story, index, &count);

		for (; count && index < end; count--, e++, index++)
			if (e->kind == QUIRE_EV_STEP)
				return index + 1;
	}
	return end;
}

double view_clock_of(const struct quire_story *story, enum quire_clock clock, uint64_t index)
{
	uint32_t step;

	if (clock == QUIRE_CLOCK_TIME)
		return (double)quire_story_ns(story, index);
	step = quire_story_step_at(story, index);
	return step && index < quire_story_index_step(story, step) ? step - 0.5 : step;
}

/* In steps, a half is a step that runs. */
uint64_t view_index_of(const struct quire_story *story, enum quire_clock clock, double head)
{
	uint32_t step;

	head = fmax(head, 0);
	if (clock == QUIRE_CLOCK_TIME)
		return quire_story_index_ns(story, head < 0x1p63 ? (uint64_t)head : UINT64_MAX);
	if (head >= story->steps_count)
		return story->indexed;
	step = (uint32_t)head;
	return head - step < 0.5 ? quire_story_index_step(story, step) : step_runs(story, step + 1);
}

/* Does head count for the second story as it does for the first? */
static bool same_clock(const struct quire_view *view)
{
	return (view->lock == QUIRE_LOCK_TIME && view->clock == QUIRE_CLOCK_TIME) ||
	       (view->lock == QUIRE_LOCK_STEP && view->clock == QUIRE_CLOCK_STEP);
}

double view_head_at(const struct quire_view *view, uint32_t side, enum quire_clock clock)
{
	const struct quire_scene *scene = &view->sides[side].scene;
	const struct quire_record_counts *counts = &scene->state.counts;
	bool runs =
		counts->step && scene->index < quire_story_index_step(scene->story, counts->step);

	/* As view_clock_of() has it, but the scene need not look it up. */
	if (clock == view->clock && (side == 0 || same_clock(view)))
		return view->head;
	if (clock == QUIRE_CLOCK_TIME)
		return (double)counts->at_ns;
	return runs ? counts->step - 0.5 : counts->step;
}

uint64_t quire_view_now_ns(const struct quire_view *view, uint32_t side)
{
	return (uint64_t)view_head_at(view, side, QUIRE_CLOCK_TIME);
}

/* ---- two stories ---- */

static uint64_t follow(const struct quire_view *view, uint64_t index)
{
	uint32_t request = view->selected ? view->selected_request : UINT32_MAX;

	return quire_story_follow(view->sides[0].story, index, view->sides[1].story, view->lock,
				  request);
}

/* The first story's end; and where the second one is then, on its clock. */
double view_first_end(const struct quire_view *view)
{
	return view_clock_of(view->sides[0].story, view->clock, view->sides[0].story->indexed);
}

static double second_then(const struct quire_view *view)
{
	const struct quire_story *a = view->sides[0].story, *b = view->sides[1].story;

	if (same_clock(view))
		return view_first_end(view);
	return view_clock_of(b, view->clock, follow(view, a->indexed));
}

double view_end(const struct quire_view *view)
{
	double end = view_first_end(view);

	if (view->sides_count > 1) {
		const struct quire_story *b = view->sides[1].story;

		end += fmax(view_clock_of(b, view->clock, b->indexed) - second_then(view), 0);
	}
	return end;
}

/* Where the second story belongs, the first being at @index; @by_head: and head tells where
 * that is more exactly.  When the first one is over, the other goes on alone. */
static uint64_t second_index(const struct quire_view *view, uint64_t index, bool by_head)
{
	const struct quire_story *b = view->sides[1].story;
	double end = view_first_end(view);

	if (view->head > end)
		return view_index_of(b, view->clock, second_then(view) + view->head - end);
	if (by_head && same_clock(view))
		return view_index_of(b, view->clock, view->head);
	return follow(view, index);
}

static int seek(struct quire_view *view, uint64_t index, bool by_head)
{
	bool seen[2];
	int rc;

	for (uint32_t s = 0; s < view->sides_count; s++)
		seen[s] = view_sees(view, s, view->sides[s].scene.state.counts.at_ns);
	rc = quire_scene_seek(&view->sides[0].scene, index);
	if (rc == 0 && view->sides_count > 1)
		rc = quire_scene_seek(&view->sides[1].scene, second_index(view, index, by_head));
	/* Who sees the moment goes on seeing it. */
	for (uint32_t s = 0; s < view->sides_count; s++)
		if (seen[s])
			view_follow(view, s);
	view->changed = true;
	return rc;
}

/* ---- jumps ---- */

static void jumped(struct quire_view *view)
{
	view->jumped = true;
	view->jumped_s = view->now_s;
	view->skipped = 0;
}

int view_jump(struct quire_view *view, uint64_t index)
{
	jumped(view);
	view->head = view_clock_of(view->sides[0].story, view->clock, index);
	return seek(view, index, false);
}

int view_jump_head(struct quire_view *view, double head)
{
	jumped(view);
	view->head = fmin(fmax(head, 0), view_end(view));
	return seek(view, view_index_of(view->sides[0].story, view->clock, view->head), true);
}

int view_jump_second(struct quire_view *view, uint64_t index)
{
	const struct quire_story *b = view->sides[1].story;
	double end = view_first_end(view);
	double head = end + view_clock_of(b, view->clock, index) - second_then(view);
	int rc = view_jump_head(view, fmax(head, end));

	return rc || head <= end ? rc : quire_scene_seek(&view->sides[1].scene, index);
}

/* ---- playing ---- */

#define EVENT_S 60e-9 /* about so long it takes to index one */

bool view_grows(const struct quire_view *view)
{
	for (uint32_t s = 0; s < view->sides_count; s++) {
		const struct quire_story *story = view->sides[s].story;

		if (!story->over || story->indexed < story->events)
			return true;
	}
	return false;
}

/* Index what has come, and take notice of what went wrong. */
static void extend(struct quire_view *view, double budget_s)
{
	double events = budget_s / EVENT_S / view->sides_count;

	for (uint32_t s = 0; s < view->sides_count; s++) {
		struct quire_story *story = view->sides[s].story;
		uint64_t indexed = story->indexed;
		bool trouble = story->trouble[0];

		if (story->over && indexed == story->events)
			continue;
		if (story->live)
			quire_live_prepare(story->live);
		quire_story_extend(story, events < 0x1p63 ? (uint64_t)events : UINT64_MAX);
		view->changed |= story->indexed != indexed;
		if (!trouble && story->trouble[0])
			view_message(view, "%s", story->trouble);
	}
}

/* Head is somewhere new: the scenes go there, and never back while it plays. */
static void advance(struct quire_view *view)
{
	const struct quire_story *story = view->sides[0].story;
	uint64_t from = view->sides[0].scene.index;
	uint64_t to = view_index_of(story, view->clock, view->head);
	uint32_t before = quire_story_step_at(story, from), after;

	view->jumped = false;
	if (seek(view, to > from ? to : from, true))
		view_message(view, "%s", quire_failure());
	after = quire_story_step_at(story, view->sides[0].scene.index);
	view->skipped = after > before + 1 ? after - before - 1 : 0;
}

static void play(struct quire_view *view, double seconds)
{
	double unit = view->clock == QUIRE_CLOCK_TIME ? 1e9 : VIEW_STEPS_S;
	double end = view_end(view), limit = fmin(end, view->until);
	double head = view->head + seconds * view->speed * unit;

	if (head >= limit) {
		head = fmax(limit, view->head);
		if (view->until <= end || !view_grows(view)) {
			view->playing = false;
			view->until = INFINITY;
		}
	}
	view->head = head;
	advance(view);
}

bool quire_view_tick(struct quire_view *view, double now_s, double budget_s)
{
	double before_s = view->now_s, tooltip_s = view->hover_s + QUIRE_TOOLTIP_S;
	double flash_s = view->jumped_s + VIEW_FLASH_S;
	bool hovers = view->hover.kind != QUIRE_HIT_NOTHING;

	view->now_s = now_s;
	view->skipped = 0;
	extend(view, budget_s);
	if (view->following) {
		double end = view_end(view);

		if (view->head < end ||
		    view->sides[0].scene.index < view->sides[0].story->indexed) {
			view->head = end;
			advance(view);
		}
		view->following = view_grows(view);
		view->playing &= view->following;
	} else if (view->playing && now_s > before_s) {
		play(view, now_s - before_s);
	}
	if (view->message[0] && now_s >= view->message_until_s) {
		view->message[0] = 0;
		view->changed = true;
	}
	/* What fades, and what comes after a while. */
	if ((view->jumped && before_s < flash_s) ||
	    (hovers && before_s < tooltip_s && now_s >= tooltip_s))
		view->changed = true;
	if (view->changed && view->pointer_x >= 0 && view->pressed.kind == QUIRE_HIT_NOTHING)
		view_hover(view);
	return view->playing || view_grows(view) || view->message[0] ||
	       (view->jumped && now_s < flash_s) || (hovers && now_s < tooltip_s);
}
