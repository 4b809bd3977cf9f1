/*
 * test_pointing.c - the pointer on a view: what is drawn somewhere is found there, clicks,
 * drags and the wheel do what they should, tooltips tell the truth in whole sentences, the
 * copied command line shows the same view again, and whatever is pressed and said at random,
 * the view stays sound.
 */
#include "views.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct quire_view view, other;

/* ---- zoom, axis ---- */

/* What lies under the pointer stays there, however one zooms, and a drag moves it along. */
START_TEST(test_zoom)
{
	struct quire_live *live;
	struct quire_story *story = views_pool(20000, 16, &live);
	struct quire_rng rng;

	quire_rng_seed(&rng, 1, "zoom");
	ck_assert(quire_view_init(&view, story, NULL) == 0);
	for (uint32_t i = 0; i < 400; i++) {
		struct quire_rect body = quire_place_body(&view, 0, QUIRE_PANEL_POOL);
		struct quire_input input = {
			.x = body.x + quire_rng_unit(&rng) * body.width,
			.y = body.y + quire_rng_unit(&rng) * body.height,
			.dy = (double)quire_rng_below(&rng, 7) - 3,
		};
		struct quire_pool_grid before = quire_view_pool(&view, 0), after;
		double cell_x = (input.x - before.x) / before.pitch_x, x, y;
		double cell_y = (input.y - before.y) / before.pitch_y;
		struct quire_command command;

		input.kind = QUIRE_INPUT_MOTION;
		quire_view_input(&view, &input);
		input.kind = QUIRE_INPUT_WHEEL;
		command = quire_view_input(&view, &input);
		ck_assert(command.kind == QUIRE_DO_ZOOM);
		ck_assert(quire_view_do(&view, &command) == 0);
		after = quire_view_pool(&view, 0);
		x = after.x + cell_x * after.pitch_x;
		y = after.y + cell_y * after.pitch_y;
		ck_assert_uint_eq(after.columns, before.columns);
		/* But for the edges of the pool, which keep to the panel. */
		if (view.sides[0].cell_points > 0 && after.x < body.x - 2 && after.y < body.y - 2 &&
		    after.x + after.columns * after.pitch_x > body.x + body.width + 2 &&
		    after.y + after.rows * after.pitch_y > body.y + body.height + 2 &&
		    (fabs(x - input.x) > 1.01 || fabs(y - input.y) > 1.01))
			ck_abort_msg("%g %g went to %g %g", input.x, input.y, x, y);
		ck_assert(after.x <= ceil(body.x) && after.y <= ceil(body.y));
		if (after.pitch_x >= 3 && fabs(after.pitch_x - round(after.pitch_x)) > 1e-9)
			ck_abort_msg("cells of %g pixels", after.pitch_x);
	}
	views_say(&view, "zoom 0 pool");
	views_say(&view, "zoom 8 pool");
	for (uint32_t i = 0; i < 2; i++) {
		struct quire_rect body = quire_place_body(&view, 0, QUIRE_PANEL_POOL);
		struct quire_pool_grid before = quire_view_pool(&view, 0), after;
		struct quire_input input = {QUIRE_INPUT_PRESS, .button = 1 + i};
		struct quire_command command;

		input.x = body.x + body.width / 2;
		input.y = body.y + body.height / 2;
		command = quire_view_input(&view, &input);
		ck_assert(command.kind == QUIRE_DO_NONE);
		input.kind = QUIRE_INPUT_MOTION;
		input.x += 40;
		input.y -= 30;
		command = quire_view_input(&view, &input);
		ck_assert(command.kind == QUIRE_DO_PAN);
		ck_assert(quire_view_do(&view, &command) == 0);
		after = quire_view_pool(&view, 0);
		ck_assert_double_eq_tol(after.x - before.x, 40, 1e-6);
		ck_assert_double_eq_tol(after.y - before.y, -30, 1e-6);
		/* A drag is no click. */
		input.kind = QUIRE_INPUT_RELEASE;
		ck_assert(quire_view_input(&view, &input).kind == QUIRE_DO_NONE);
	}
	views_say(&view, "fit");
	ck_assert(view.sides[0].cell_points == 0);
	quire_view_free(&view);
	quire_story_close(story);
	quire_live_free(live);
}
END_TEST

START_TEST(test_axis)
{
	struct quire_story *story = views_tell(0, 5);
	uint64_t end_ns = quire_story_end_ns(story);

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	for (uint32_t i = 0; i < 4; i++) {
		double last = -INFINITY;

		if (i == 2)
			views_say(&view, "zoom 7 timeline");
		for (uint64_t k = 0; k <= 1000; k++) {
			uint64_t at_ns = end_ns * k / 1000;
			double x = quire_view_x_of(&view, 0, at_ns);
			uint64_t back_ns = quire_view_ns_of(&view, 0, x);

			/* Over steps, what comes before the first is at its beginning. */
			if (view.axis_steps && at_ns < story->steps[0].begin_ns)
				continue;
			if (llabs((int64_t)(back_ns - at_ns)) > 1000)
				ck_abort_msg("%llu ns is at %g, which is %llu ns",
					     (unsigned long long)at_ns, x,
					     (unsigned long long)back_ns);
			if (x < last)
				ck_abort_msg("time goes back");
			last = x;
		}
		if (i == 1 || i == 3)
			views_say(&view, "axis time");
		else
			views_say(&view, "axis steps");
		ck_assert(view.sides[0].axis_until == 0);
	}
	/* Zoomed around a moment, the moment stays. */
	for (uint32_t i = 0; i < 20; i++) {
		struct quire_rect bars = quire_place_bars(&view, 0, QUIRE_PANEL_TIMELINE);
		struct quire_input input = {.kind = QUIRE_INPUT_MOTION,
					    .x = bars.x + bars.width * (3 + i % 5) / 10,
					    .y = bars.y + bars.height / 2};
		uint64_t at_ns = quire_view_ns_of(&view, 0, input.x);
		struct quire_command command;

		quire_view_input(&view, &input);
		input.kind = QUIRE_INPUT_WHEEL;
		input.dy = i < 15 ? 1 : -1;
		command = quire_view_input(&view, &input);
		ck_assert(quire_view_do(&view, &command) == 0);
		ck_assert_double_eq_tol(quire_view_x_of(&view, 0, at_ns), input.x, 0.1);
	}
	ck_assert_double_lt(view.sides[0].axis_until - view.sides[0].axis_from,
			    0.3 * (double)end_ns);
	views_say(&view, "fit");
	views_say(&view, "zoom 0 timeline");
	ck_assert(view.sides[0].axis_until == 0);
	/* Step 7 is drawn from 7 to 8. */
	views_say(&view, "axis steps");
	ck_assert_double_eq_tol(quire_view_x_of(&view, 0, story->steps[6].begin_ns) -
					quire_place_bars(&view, 0, QUIRE_PANEL_TIMELINE).x,
				6.0 / story->steps_count *
					quire_place_bars(&view, 0, QUIRE_PANEL_TIMELINE).width,
				0.01);
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

/* A part of the axis that shows the moment shows it for ever, until it is moved away. */
START_TEST(test_follow)
{
	struct quire_story *a = views_tell(0, 5), *b = views_tell(1, 6);
	const struct quire_side *side = &view.sides[0];
	double end_ns = (double)quire_story_end_ns(a), length;
	uint32_t far = a->steps_count / 3;
	char line[32];

	for (uint32_t steps = 0; steps < 2; steps++) {
		ck_assert(quire_view_init(&view, a, steps ? b : NULL) == 0);
		if (steps)
			views_say(&view, "axis steps");
		/* Without a pointer it is the moment that is zoomed at. */
		snprintf(line, sizeof(line), "seek step %u", a->steps_count / 2);
		views_say(&view, line);
		views_say(&view, "zoom 8 timeline");
		length = side->axis_until - side->axis_from;
		ck_assert_double_gt(length, 0);
		if (!steps) {
			ck_assert_double_eq_tol(length, (double)quire_place_end_ns(&view) / 8, 1);
			ck_assert_double_eq_tol((side->axis_from + side->axis_until) / 2, view.head,
						1);
		}
		for (uint32_t i = 0; i < 2 * far + 20; i++) {
			struct quire_rect bars = quire_place_bars(&view, 0, QUIRE_PANEL_TIMELINE);
			double from = side->axis_from, before, x;

			views_say(&view, i < far       ? "step"
					 : i < 2 * far ? "step-back"
					 : i % 2       ? "first"
						       : "last");
			ck_assert_double_eq_tol(side->axis_until - side->axis_from, length,
						1e-3 * length);
			x = quire_view_x_of(&view, 0, quire_view_now_ns(&view, 0));
			if (x < bars.x - 0.01 || x > bars.x + bars.width + 0.01)
				ck_abort_msg("the moment is at %g, not in %g .. %g", x, bars.x,
					     bars.x + bars.width);
			/* As long as it need not, it does not move. */
			before = x + (side->axis_from - from) / length * bars.width;
			if (before > bars.x + 0.01 && before < bars.x + bars.width - 0.01 &&
			    fabs(side->axis_from - from) > 0)
				ck_abort_msg("the axis went from %g to %g", from, side->axis_from);
		}
		/* Who has looked elsewhere goes on looking there. */
		views_say(&view, "first");
		views_say(&view, "pan -99999 0 timeline");
		ck_assert_double_gt(side->axis_from, 0.5 * (steps ? a->steps_count : end_ns));
		length = side->axis_from;
		views_say(&view, "step");
		ck_assert_double_eq(side->axis_from, length);
		quire_view_free(&view);
	}
	quire_story_close(a);
	quire_story_close(b);
}
END_TEST

/* ---- pointing ---- */

/* Does what is told of a point lie there? */
static void check_hit(const struct quire_view *v, const struct quire_hit *hit, double x, double y)
{
	const struct quire_side *side = &v->sides[hit->side];
	const struct quire_track *track;
	struct quire_place_rows rows;
	struct quire_pool_grid grid;
	struct quire_rect at;

	if (hit->kind != QUIRE_HIT_NOTHING && hit->kind != QUIRE_HIT_BUTTON)
		ck_assert(quire_rect_has(&side->panels[hit->panel], x, y));
	switch (hit->kind) {
	case QUIRE_HIT_CELL:
		ck_assert_uint_lt(hit->cell, side->story->cells_count);
		ck_assert_uint_eq(hit->seq, side->scene.cells[hit->cell].owner);
		if (hit->panel != QUIRE_PANEL_POOL)
			return;
		grid = quire_view_pool(v, hit->side);
		at = quire_view_cell(&grid, hit->cell);
		at.width = grid.pitch_x;
		at.height = grid.pitch_y;
		ck_assert(quire_rect_has(&at, x, y));
		return;
	case QUIRE_HIT_BLOCK: {
		const struct quire_record_seq *seq = quire_scene_seq(&side->scene, hit->seq);
		uint32_t cell;

		ck_assert(seq && quire_place_map_cell(&side->scene, seq, hit->block, &cell));
		ck_assert_uint_eq(cell, hit->cell);
		return;
	}
	case QUIRE_HIT_SPAN:
		rows = quire_place_rows(v, hit->side);
		if (!(y >= rows.y + (hit->seq - rows.first) * rows.pitch - 1e-6 &&
		      y <= rows.y + (hit->seq - rows.first + 1) * rows.pitch + 1e-6))
			ck_abort_msg("sequence %u is not at %g", hit->seq, y);
		track = &side->story->tracks[hit->seq];
		ck_assert(track->born_ns <= hit->at_ns);
		ck_assert(!track->gone_ns || hit->at_ns <= track->gone_ns);
		/* Over steps, those of no length are many places and one time. */
		if (!v->axis_steps)
			ck_assert_double_eq_tol(quire_view_x_of(v, hit->side, hit->at_ns), x, 0.01);
		return;
	case QUIRE_HIT_STEP:
		ck_assert(hit->step >= 1 && hit->step <= side->story->steps_count);
		ck_assert(side->story->steps[hit->step - 1].begin_ns <= hit->at_ns);
		ck_assert(hit->step == side->story->steps_count ||
			  side->story->steps[hit->step].begin_ns > hit->at_ns);
		return;
	case QUIRE_HIT_SEQ:
		ck_assert(hit->seq && hit->seq < side->story->tracks_count);
		return;
	default:
		return;
	}
}

/* Every tooltip is made of whole sentences, however little room there is for it. */
static void check_words(const struct quire_view *v, const struct quire_hit *hit)
{
	char text[1024], cut[64];
	size_t length;

	quire_view_tooltip(v, hit, text, sizeof(text));
	length = strlen(text);
	if (hit->kind == QUIRE_HIT_NOTHING && length)
		ck_abort_msg("words about nothing: %s", text);
	if (hit->kind == QUIRE_HIT_NOTHING || (hit->kind == QUIRE_HIT_SPAN && !length))
		return;
	if (!length || length > 700 || text[length - 1] != '\n' || strstr(text, "(null)") ||
	    strstr(text, "nan") || strstr(text, "..") || strstr(text, "  ") ||
	    strstr(text, " 1 tokens"))
		ck_abort_msg("a tooltip: '%s'", text);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		if (strncmp(line, "Key: ", 5) != 0 && strchr(line, '\n')[-1] != '.')
			ck_abort_msg("no whole sentence: '%s'", line);
	for (size_t size = 1; size < sizeof(cut); size += 9) {
		memset(cut, 'x', sizeof(cut));
		quire_view_tooltip(v, hit, cut, size);
		if (strlen(cut) >= size || strncmp(cut, text, strlen(cut)) != 0)
			ck_abort_msg("a tooltip in %zu bytes", size);
	}
}

START_TEST(test_hit)
{
	uint32_t seen[QUIRE_HIT_BUTTON + 1] = {0};

	for (uint64_t seed = 0; seed < 16; seed++) {
		struct quire_story *a = views_tell(0, seed),
				   *b = seed % 3 ? NULL : views_tell(1, seed + 20);

		ck_assert(quire_view_init(&view, a, b) == 0);
		quire_view_resize(&view, seed % 2 ? 1280 : 1920, seed % 2 ? 720 : 1080, 1);
		if (seed % 4 == 1)
			views_say(&view, "axis steps");
		if (seed % 5 == 1)
			views_say(&view, "zoom 3 timeline");
		for (uint32_t i = 0; i < 8; i++) {
			char line[48];

			snprintf(line, sizeof(line), "seek event %llu",
				 (unsigned long long)(a->indexed * (i + 1) / 9));
			views_say(&view, line);
			quire_view_say(&view, "select-next");
			for (double y = 2; y < view.height; y += 9.7) {
				for (double x = 2; x < view.width; x += 9.7) {
					struct quire_hit hit = quire_view_hit(&view, x, y);

					check_hit(&view, &hit, x, y);
					seen[hit.kind]++;
					if ((int)(x + y) % 7 == 0)
						check_words(&view, &hit);
				}
			}
		}
		quire_view_free(&view);
		quire_story_close(a);
		if (b)
			quire_story_close(b);
	}
	for (uint32_t kind = 0; kind <= QUIRE_HIT_BUTTON; kind++)
		ck_assert_msg(seen[kind], "no hit of kind %u", kind);
}
END_TEST

/* Press and release the left button. */
static void click(struct quire_view *v, double x, double y)
{
	struct quire_input input = {QUIRE_INPUT_PRESS, .button = 1, .x = x, .y = y};
	struct quire_command command = quire_view_input(v, &input);

	ck_assert(quire_view_do(v, &command) == 0);
	input.kind = QUIRE_INPUT_RELEASE;
	command = quire_view_input(v, &input);
	ck_assert(quire_view_do(v, &command) == 0);
}

static void click_cell(struct quire_view *v, uint32_t cell)
{
	struct quire_pool_grid grid = quire_view_pool(v, 0);
	struct quire_rect rect = quire_view_cell(&grid, cell);

	click(v, rect.x + rect.width / 2, rect.y + rect.height / 2);
}

static void type_text(struct quire_view *v, const char *text)
{
	struct quire_input input = {.kind = QUIRE_INPUT_TEXT};

	snprintf(input.text, sizeof(input.text), "%s", text);
	quire_view_input(v, &input);
}

START_TEST(test_pointer)
{
	struct quire_story *story = views_samples();
	struct quire_input input = {.kind = QUIRE_INPUT_MOTION};
	struct quire_pool_grid grid;
	struct quire_rect bar, slot;
	struct quire_command command;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	views_say(&view, "seek step 2");
	/* Block 2 is the first copy's; a free block lets go. */
	click_cell(&view, 4);
	ck_assert(view.selected && view.sides[0].panels[QUIRE_PANEL_SEQUENCE].width > 0);
	ck_assert_uint_eq(view.selected, view.sides[0].scene.cells[4].owner);
	click_cell(&view, 11);
	ck_assert_uint_eq(view.selected, 0);

	/* Along the scrub bar, and beyond its end. */
	bar = quire_place_scrub(&view);
	click(&view, bar.x + 1, bar.y + bar.height / 2);
	ck_assert(views_at(&view, 0) > 0 && views_at(&view, 0) <= quire_story_index_step(story, 1));
	input.kind = QUIRE_INPUT_PRESS;
	input.button = 1;
	input.x = bar.x + bar.width / 2;
	input.y = bar.y + bar.height / 2;
	command = quire_view_input(&view, &input);
	quire_view_do(&view, &command);
	ck_assert(views_at(&view, 0) > quire_story_index_step(story, 1));
	input.kind = QUIRE_INPUT_MOTION;
	input.x = view.width + 100;
	input.y = 3;
	command = quire_view_input(&view, &input);
	quire_view_do(&view, &command);
	ck_assert_uint_eq(views_at(&view, 0), story->indexed);
	input.kind = QUIRE_INPUT_LEAVE;
	quire_view_input(&view, &input);
	ck_assert(view.hover.kind == QUIRE_HIT_NOTHING && view.pressed.kind == QUIRE_HIT_NOTHING);

	/* The buttons do what their keys do. */
	for (uint32_t i = 0;; i++) {
		struct quire_rect rect;
		enum quire_command_kind kind;

		if (!quire_place_button(&view, i, &rect, &kind))
			break;
		input.kind = QUIRE_INPUT_PRESS;
		input.x = rect.x + rect.width / 2;
		input.y = rect.y + rect.height / 2;
		ck_assert_uint_eq(quire_view_input(&view, &input).kind, kind);
	}

	/* A step that is clicked is gone to. */
	bar = quire_place_bars(&view, 0, QUIRE_PANEL_STEPS);
	click(&view, bar.x + bar.width * 0.5 / story->steps_count, bar.y + bar.height / 2);
	ck_assert_uint_eq(views_at(&view, 0), quire_story_index_step(story, 1));

	/* A request is searched letter by letter. */
	views_do_key(&view, "/");
	ck_assert(view.searching && view.dialog.width > 0);
	ck_assert(views_key(&view, "Q").kind == QUIRE_DO_NONE);
	type_text(&view, "r0.x");
	ck_assert(views_key(&view, "Backspace").kind == QUIRE_DO_NONE);
	type_text(&view, "2");
	ck_assert_str_eq(view.search, "r0.2");
	views_do_key(&view, "Enter");
	ck_assert(!view.searching && view.selected == quire_story_find(story, "r0.2"));
	/* r0.2 is there since step 1 had its prompt: so it is now. */
	ck_assert_uint_eq(views_at(&view, 0), quire_story_index_step(story, 1));
	views_do_key(&view, "Escape");
	ck_assert_uint_eq(view.selected, 0);
	/* Who is not alive is gone to. */
	views_say(&view, "first");
	views_say(&view, "search r0.1");
	ck_assert(quire_scene_seq(&view.sides[0].scene, view.selected));

	/* The pointer rests: the tooltip comes in time. */
	view.changed = false;
	input.kind = QUIRE_INPUT_MOTION;
	grid = quire_view_pool(&view, 0);
	bar = quire_view_cell(&grid, 0);
	slot = quire_place_slot(&view, 0, &grid, &bar, 0);
	input.x = slot.x + slot.width / 2;
	input.y = slot.y + slot.height / 2;
	quire_view_input(&view, &input);
	ck_assert(view.hover.kind == QUIRE_HIT_CELL && view.hover.slot == 0 && view.changed);
	view.changed = false;
	view.jumped_s = -10;
	ck_assert(quire_view_tick(&view, view.now_s + 0.2, 0) && !view.changed);
	/* It went on meanwhile, to another slot of it: the tooltip waits again. */
	slot = quire_place_slot(&view, 0, &grid, &bar, 3);
	input.x = slot.x + slot.width / 2;
	input.y = slot.y + slot.height / 2;
	quire_view_input(&view, &input);
	ck_assert(view.hover.slot == 3);
	ck_assert_double_eq(view.hover_s, view.now_s);
	view.changed = false;
	quire_view_tick(&view, view.now_s + 0.1, 0);
	ck_assert(!view.changed);
	quire_view_tick(&view, view.now_s + 0.16, 0);
	ck_assert(view.changed);
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

static const char *words_of(struct quire_view *v, struct quire_hit hit)
{
	static char text[1024];

	quire_view_tooltip(v, &hit, text, sizeof(text));
	return text;
}

static void has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part), "'%s' is not in: %s", part, text);
}

/* What is known by heart of the one with the shared prompt. */
START_TEST(test_words)
{
	struct quire_story *story = views_samples();
	struct quire_hit cell = {.kind = QUIRE_HIT_CELL, .slot = UINT32_MAX};
	struct quire_hit block = {.kind = QUIRE_HIT_BLOCK, .slot = UINT32_MAX};
	const char *text;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	views_say(&view, "seek step 1");
	text = words_of(&view, cell);
	has(text, "Block 0 of the pool is shared by r0, r0.1 and r0.2.\n");
	has(text, "once instead of 3 times");
	has(text, "It is full, so nobody will write into it any more.\n");
	has(text, "All of its 4 slots hold a live token.\n");
	cell.cell = 2;
	text = words_of(&view, cell);
	has(text, "copy-on-write");
	has(text, "Of its 4 slots, 3 hold a live token.\n");
	has(text, "was forked and shows it too");
	cell.cell = 7;
	has(words_of(&view, cell), "Nobody has used it yet.\n");

	views_say(&view, "seek step 2");
	cell.cell = 4;
	text = words_of(&view, cell);
	has(text, "belongs to r0.1, since step 2.\n");
	has(text, "made as a copy of block 2: r0.1 writes here");
	block.seq = quire_story_find(story, "r0.1");
	block.block = 2;
	block.cell = 4;
	has(words_of(&view, block),
	    "The block table of r0.1 says: its block 2 is block 4 of the pool.\n");
	has(words_of(&view, (struct quire_hit){.kind = QUIRE_HIT_SEQ, .seq = block.seq}),
	    "r0.1: a prompt of 11 tokens, and 2 of output so far (at most 6).\nIt was forked from "
	    "r0");
	has(words_of(&view, (struct quire_hit){.kind = QUIRE_HIT_STEP, .step = 2}),
	    ": it runs 3 tokens (0 of prompts, 3 decoding).\n");
	has(words_of(&view, (struct quire_hit){.kind = QUIRE_HIT_STEP, .step = 2}),
	    "Shared blocks were copied before somebody wrote into them.\n");
	has(words_of(&view, (struct quire_hit){.kind = QUIRE_HIT_SPAN, .seq = 1, .at_ns = 0}),
	    "r0 runs its prompt: from 0 ms on, for 5.33 ms.\nThat is 11 tokens in step 1.");
	has(words_of(&view, (struct quire_hit){.kind = QUIRE_HIT_SPAN, .seq = 1, .at_ns = 6000000}),
	    "tokens in steps 2 to 6.");
	/* In a lesson, nobody knows what will be. */
	view.caption.title = "a lesson";
	text = words_of(&view,
			(struct quire_hit){.kind = QUIRE_HIT_SPAN, .seq = 1, .at_ns = 6000000});
	has(text, " so far.\n");
	ck_assert(!strstr(text, "to 6"));
	view.caption.title = NULL;
	views_say(&view, "last");
	cell.cell = 0;
	has(words_of(&view, cell), "Block 0 of the pool is free.\nIt came free in step 6");
	has(words_of(&view, (struct quire_hit){.kind = QUIRE_HIT_SEQ, .seq = 1}),
	    "with 6 tokens of output");
	has(words_of(&view, (struct quire_hit){.kind = QUIRE_HIT_BUTTON, .command = QUIRE_DO_PLAY}),
	    "Play, pause; in a lesson: go on.\nKey: Space\n");
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

/* ---- the line that shows it again ---- */

/* Do the options of @line, as the program will: --at is seek, the others are themselves. */
static void apply_line(struct quire_view *v, const char *line)
{
	while (*line) {
		char name[32], value[64];
		const char *end;
		char command[128];

		ck_assert_msg(strncmp(line, "--", 2) == 0, "%s", line);
		end = strchr(line, ' ');
		ck_assert(end && end - line < 32);
		snprintf(name, sizeof(name), "%.*s", (int)(end - line - 2), line + 2);
		line = end + 1;
		end = *line == '\'' ? strchr(++line, '\'') : line + strcspn(line, " ");
		ck_assert(end && end - line < 64);
		snprintf(value, sizeof(value), "%.*s", (int)(end - line), line);
		line = end + (*end == '\'');
		line += *line == ' ';
		if (strcmp(name, "size") == 0) {
			ck_assert(sscanf(value, "%lfx%lf", &v->width, &v->height) == 2);
			quire_view_resize(v, v->width, v->height, v->scale);
			continue;
		}
		if (strcmp(name, "scale") == 0) {
			quire_view_resize(v, v->width, v->height, strtod(value, NULL));
			continue;
		}
		snprintf(command, sizeof(command), "%s %s", strcmp(name, "at") == 0 ? "seek" : name,
			 value);
		views_say(v, command);
	}
}

START_TEST(test_line)
{
	static const char *const scripts[][8] = {
		{"seek step 5", "select r3", "theme light", "font 20", NULL},
		{"seek event 321", "colour refs", "panel pool", "zoom 5 pool", "pan -60 -35 pool",
		 NULL},
		{"axis steps", "seek step 12", "zoom 6 timeline", "pan 77 0 timeline", NULL},
		{"zoom 9 timeline", "pan -100 0 timeline", "colour age", "clock step", NULL},
		{"lock step", "seek step 9", "select r1", NULL},
		{"lock request", "select r2", "seek event 200", NULL},
		{"speed 16", "play", NULL},
	};
	struct quire_story *a = views_tell(0, 21), *b = views_tell(1, 22);
	char line[1024];

	for (uint32_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		ck_assert(quire_view_init(&view, a, i >= 4 ? b : NULL) == 0);
		ck_assert(quire_view_init(&other, a, i >= 4 ? b : NULL) == 0);
		quire_view_resize(&view, 1600, 900, i % 2 + 1);
		for (uint32_t k = 0; scripts[i][k]; k++)
			views_say(&view, scripts[i][k]);
		for (uint32_t k = 1; view.playing && k < 20; k++)
			quire_view_tick(&view, k / 60.0, 0);
		quire_view_line(&view, line, sizeof(line));
		apply_line(&other, line);
		for (uint32_t s = 0; s < view.sides_count; s++) {
			ck_assert_msg(views_at(&view, s) == views_at(&other, s), "%s", line);
			ck_assert_double_eq_tol(view.sides[s].pool_x, other.sides[s].pool_x, 0.02);
			ck_assert_double_eq_tol(view.sides[s].pool_y, other.sides[s].pool_y, 0.02);
			ck_assert_double_eq_tol(quire_view_pool(&view, s).pitch_x,
						quire_view_pool(&other, s).pitch_x, 1e-6);
			ck_assert_double_eq_tol(quire_view_x_of(&view, s, 100000000),
						quire_view_x_of(&other, s, 100000000), 0.5);
			ck_assert(memcmp(view.sides[s].panels, other.sides[s].panels,
					 sizeof(view.sides[s].panels)) == 0);
		}
		ck_assert(view.selected == other.selected && view.theme == other.theme &&
			  view.colouring == other.colouring && view.alone == other.alone &&
			  view.lock == other.lock && view.clock == other.clock &&
			  view.axis_steps == other.axis_steps);
		/* No more room than there is. */
		for (size_t size = 1; size < 60; size += 7) {
			memset(line, 'x', sizeof(line));
			quire_view_line(&view, line, size);
			ck_assert_uint_lt(strlen(line), size);
		}
		quire_view_free(&view);
		quire_view_free(&other);
	}
	quire_story_close(a);
	quire_story_close(b);
}
END_TEST

/* ---- anybody ---- */

static void random_line(struct quire_rng *rng, char *line, size_t size)
{
	static const char *const arguments[] = {
		"",	 "r0",	    "r7.1", "step 3", "step 4000000000", "event 77", "0.1s",
		"end",	 "2",	    "1/16", "1e300",  "-5 12 pool",	 "nan",	     "refs",
		"steps", "request", "copy", "pool",   "8 timeline",	 "0.3 rows", "40 -9 rows",
	};
	uint32_t i = 1 + quire_rng_below(rng, QUIRE_COMMAND_COUNT - 1);

	snprintf(line, size, "%s %s", quire_command_texts[i].word,
		 arguments[quire_rng_below(rng, sizeof(arguments) / sizeof(arguments[0]))]);
}

static struct quire_input random_input(struct quire_rng *rng)
{
	static const uint32_t keys[] = {QUIRE_KEY_ESCAPE, QUIRE_KEY_ENTER, QUIRE_KEY_BACKSPACE,
					QUIRE_KEY_LEFT,	  QUIRE_KEY_RIGHT, QUIRE_KEY_UP,
					QUIRE_KEY_DOWN,	  QUIRE_KEY_HOME,  QUIRE_KEY_END,
					QUIRE_KEY_F11,	  0x20ac,	   0};
	struct quire_input input = {
		.kind = (enum quire_input_kind)quire_rng_below(rng, QUIRE_INPUT_LEAVE + 1),
		.key = quire_rng_below(rng, 3) ? 32 + quire_rng_below(rng, 95)
					       : keys[quire_rng_below(rng, 12)],
		.mods = quire_rng_below(rng, 4) ? 0 : quire_rng_below(rng, 8),
		.button = 1 + quire_rng_below(rng, 3),
		.x = quire_rng_unit(rng) * 1400 - 50,
		.y = quire_rng_unit(rng) * 800 - 50,
		.dx = quire_rng_unit(rng) * 4 - 2,
		.dy = quire_rng_unit(rng) * 4 - 2,
		.text = "r1\n\xc3\xa4",
	};

	return input;
}

/* Whatever is said, pressed and dragged, in whatever order: the view stays sound. */
START_TEST(test_anybody)
{
	struct quire_rng rng;
	char line[1024];

	for (uint64_t seed = 0; seed < 12; seed++) {
		struct quire_story *a = views_tell(0, seed),
				   *b = seed % 2 ? views_tell(1, seed + 5) : NULL;
		double now_s = 0;

		quire_rng_seed(&rng, seed, "anybody");
		ck_assert(quire_view_init(&view, a, b) == 0);
		for (uint32_t i = 0; i < 3000; i++) {
			struct quire_input input = random_input(&rng);
			struct quire_command command;

			switch (quire_rng_below(&rng, 5)) {
			case 0:
				random_line(&rng, line, sizeof(line));
				quire_view_say(&view, line);
				break;
			case 1:
				quire_view_tick(&view, now_s += quire_rng_unit(&rng), 0.001);
				break;
			case 2:
				if (i % 10 == 0)
					quire_view_resize(&view, quire_rng_unit(&rng) * 2000,
							  quire_rng_unit(&rng) * 1500,
							  0.5 + quire_rng_below(&rng, 5) / 2.0);
				break;
			default:
				command = quire_view_input(&view, &input);
				quire_view_do(&view, &command);
			}
			view.asks_count = 0;
			for (uint32_t s = 0; s < view.sides_count; s++)
				if (views_at(&view, s) > view.sides[s].story->indexed)
					ck_abort_msg("behind the end");
			if (!(view.head >= 0) || view.head > 1e300 ||
			    view.selected >= a->tracks_count || !(view.speed >= 1.0 / 16) ||
			    !(view.speed <= 1024) || view.colouring >= QUIRE_COLOURINGS ||
			    !isfinite(view.sides[0].pool_x + view.sides[0].axis_until +
				      view.sides[0].rows_until + view.sides[0].cell_points))
				ck_abort_msg("seed %llu, %u: the view is not sound",
					     (unsigned long long)seed, i);
			if (i % 50)
				continue;
			if (view.width >= 640 && view.height >= 400 && view.font_points <= 12)
				views_layout(&view, "anybody");
			quire_view_line(&view, line, sizeof(line));
			for (uint32_t k = 0; k < 20; k++) {
				double x = quire_rng_unit(&rng) * view.width;
				double y = quire_rng_unit(&rng) * view.height;
				struct quire_hit hit = quire_view_hit(&view, x, y);

				check_hit(&view, &hit, x, y);
				check_words(&view, &hit);
			}
		}
		quire_view_free(&view);
		quire_story_close(a);
		if (b)
			quire_story_close(b);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pointing");
	TCase *cases = tcase_create("pointing");
	SRunner *runner;
	int failed;

	views_begin();
	tcase_add_test(cases, test_zoom);
	tcase_add_test(cases, test_follow);
	tcase_add_test(cases, test_axis);
	tcase_add_test(cases, test_hit);
	tcase_add_test(cases, test_pointer);
	tcase_add_test(cases, test_words);
	tcase_add_test(cases, test_line);
	tcase_add_test(cases, test_anybody);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	views_end();
	return failed;
}
