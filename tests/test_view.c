/*
 * test_view.c - a view without a display: panels have room and do not overlap, what is drawn
 * somewhere is found there, keys and words mean what the table says, playing and stepping
 * come to the right moments, two stories keep step, and tooltips tell the truth.
 *
 * The worlds are those of test_scene.c, small and random, and one with a shared prompt whose
 * blocks are known by heart.
 */
#include "tale.h"

#include "visualize/place.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/quire-view-XXXXXX";
static char files[2][64];
static struct tale tale; /* big */
static struct quire_view view, other;

/* ---- worlds ---- */

static struct quire_story *open_story(uint32_t i, uint64_t indexed)
{
	struct quire_story *story;

	ck_assert_msg(quire_story_open(&story, files[i]) == 0, "%s", quire_failure());
	ck_assert(quire_story_extend(story, indexed) == 0);
	return story;
}

static struct quire_story *tell(uint32_t i, uint64_t seed)
{
	tale_make(&tale, seed);
	tale_run(&tale, files[i], NULL);
	tale_free(&tale);
	return open_story(i, UINT64_MAX);
}

/* One request with three samples: 11 tokens, of 6 more each, in 12 blocks of 4.  Step 1 is
 * the prompt in blocks 0, 1, 2, which then all share; in step 2 two of them copy block 2. */
static struct quire_story *tell_samples(void)
{
	tale_make(&tale, 4 * 4 + 1); /* continuous, paged */
	snprintf(tale.allocator, sizeof(tale.allocator), "paged,block=4,watermark=0.01,cow=1");
	snprintf(tale.config_json, sizeof(tale.config_json),
		 "{\"scheduler\": \"%s\", \"allocator\": \"%s\"}", tale.scheduler, tale.allocator);
	tale.config.requests_count = tale.run.requests_count = 1;
	tale.config.slots_total = tale.run.slots_total = 48;
	tale.config.seq_tokens_max = tale.run.seq_tokens_max = 48;
	tale.config.seqs_max = tale.run.seqs_max = 4;
	tale.config.closed_users = tale.run.closed_users = 0;
	tale.uneven = false;
	tale.ends_known = true;
	tale.requests[0] =
		(struct quire_request){.prompt_tokens = 11, .output_tokens_max = 6, .samples = 3};
	tale.output_tokens[0] = 6;
	tale_run(&tale, files[0], NULL);
	tale_free(&tale);
	return open_story(0, UINT64_MAX);
}

/* A pool of @cells blocks of @slots in which nothing happens. */
static struct quire_story *empty_pool(uint32_t cells, uint32_t slots, struct quire_live **live)
{
	struct quire_record_run run = {.requests_count = 1,
				       .slots_total = cells * slots,
				       .seqs_max = 4,
				       .seq_tokens_max = 100,
				       .window_until_ns = UINT64_MAX};
	struct quire_record_request request = {.prompt_tokens = 1, .samples = 1};
	struct quire_story *story;
	char config[96];

	snprintf(config, sizeof(config),
		 "{\"scheduler\": \"continuous\", \"allocator\": \"paged,block=%u\"}", slots);
	ck_assert(quire_live_new(live, 1000) == 0);
	ck_assert(quire_live_begin(*live, &run, &request, config) == 0);
	ck_assert(quire_story_open_live(&story, *live) == 0);
	ck_assert_uint_eq(story->cells_count, cells);
	return story;
}

static void say(struct quire_view *v, const char *line)
{
	ck_assert_msg(quire_view_say(v, line) == 0, "%s: %s", line, quire_failure());
}

static bool inside(const struct quire_rect *a, const struct quire_rect *b)
{
	return a->x >= b->x - 1e-6 && a->y >= b->y - 1e-6 &&
	       a->x + a->width <= b->x + b->width + 1e-6 &&
	       a->y + a->height <= b->y + b->height + 1e-6;
}

static bool apart(const struct quire_rect *a, const struct quire_rect *b)
{
	return a->x + a->width <= b->x || b->x + b->width <= a->x || a->y + a->height <= b->y ||
	       b->y + b->height <= a->y;
}

/* ---- layout ---- */

static void check_layout(const struct quire_view *v, const char *what)
{
	struct quire_rect window = {0, 0, v->width, v->height};
	const struct quire_rect *all[2 * QUIRE_PANEL_COUNT];
	uint32_t count = 0;

	for (uint32_t s = 0; s < v->sides_count; s++)
		for (uint32_t p = 0; p < QUIRE_PANEL_COUNT; p++)
			if (v->sides[s].panels[p].width > 0)
				all[count++] = &v->sides[s].panels[p];
	for (uint32_t i = 0; i < count; i++) {
		if (!inside(all[i], &window))
			ck_abort_msg("%s: a panel at %g %g, %g x %g, leaves the window", what,
				     all[i]->x, all[i]->y, all[i]->width, all[i]->height);
		for (uint32_t k = 0; k < i; k++)
			if (!apart(all[i], all[k]))
				ck_abort_msg("%s: panels overlap at %g %g", what, all[i]->x,
					     all[i]->y);
	}
	for (uint32_t s = 0; s < v->sides_count; s++) {
		enum quire_panel_kind panel =
			v->alone < 0 ? QUIRE_PANEL_POOL : (enum quire_panel_kind)v->alone;

		/* Where room is short, time goes before its steps. */
		if (v->sides[s].panels[panel].width <= 0 &&
		    (panel != QUIRE_PANEL_STEPS ||
		     v->sides[s].panels[QUIRE_PANEL_TIMELINE].width <= 0))
			ck_abort_msg("%s: no room for the panel that matters", what);
	}
	if (!inside(&v->dialog, &window))
		ck_abort_msg("%s: the dialog leaves the window", what);
}

START_TEST(test_layout)
{
	static const double sizes[][3] = {{1280, 720, 1},  {1920, 1080, 1}, {3840, 2160, 1},
					  {1920, 1080, 2}, {640, 400, 1},   {640, 400, 3},
					  {800, 1280, 1},  {2560, 600, 1.5}};
	static const double fonts[] = {0, 10, 16, 28};
	struct quire_story *a = tell(0, 1), *b = tell(1, 2);
	char what[160];

	for (uint32_t i = 0; i < 8 * 4 * 2 * 2 * 2 * 2; i++) {
		uint32_t size = i % 8, font = i / 8 % 4, two = i / 32 % 2, selected = i / 64 % 2,
			 lesson = i / 128 % 2, help = i / 256 % 2;

		/* A phone and a projector's letters at once: that is asked too much. */
		if (sizes[size][0] < 800 && fonts[font] > 16)
			continue;
		ck_assert(quire_view_init(&view, a, two ? b : NULL) == 0);
		quire_view_resize(&view, sizes[size][0], sizes[size][1], sizes[size][2]);
		view.font_wish = fonts[font];
		view.caption.title = lesson ? "a lesson" : NULL;
		view.help = help;
		say(&view, selected ? "select r0" : "select");
		for (int alone = -1; alone < QUIRE_PANEL_COUNT; alone++) {
			if (alone >= 0 && (alone < QUIRE_PANEL_POOL || alone > QUIRE_PANEL_QUEUES))
				continue;
			view.alone = alone;
			quire_view_layout(&view);
			snprintf(what, sizeof(what),
				 "%gx%g x%g, font %g, %u stories, selected %u, lesson %u, alone %d",
				 view.width, view.height, view.scale, view.font_points, two + 1,
				 selected, lesson, alone);
			check_layout(&view, what);
		}
		quire_view_free(&view);
	}
	quire_story_close(a);
	quire_story_close(b);
}
END_TEST

/* Whole pixels, all cells within the panel, and no larger ones would do. */
static void check_grid(const struct quire_view *v)
{
	const struct quire_story *story = v->sides[0].story;
	struct quire_rect body = quire_place_body(v, 0, QUIRE_PANEL_POOL), at;
	struct quire_pool_grid grid = quire_view_pool(v, 0);
	double pitch = grid.pitch * v->scale, em = v->font_points * v->scale;
	double width = body.width * v->scale, height = body.height * v->scale, larger;

	at = quire_view_cell(&grid, 0);
	ck_assert(inside(&at, &body));
	at = quire_view_cell(&grid, grid.columns - 1);
	ck_assert(inside(&at, &body));
	at = quire_view_cell(&grid, story->cells_count - 1);
	if (!inside(&at, &body))
		ck_abort_msg("%u cells of %g in %u columns do not fit in %g x %g",
			     story->cells_count, grid.pitch, grid.columns, body.width, body.height);
	ck_assert((uint64_t)grid.columns * grid.rows >= story->cells_count);
	ck_assert((uint64_t)grid.columns * (grid.rows - 1) < story->cells_count);
	ck_assert(grid.size <= grid.pitch && grid.size > 0);
	if (pitch >= 3 && (fabs(pitch - round(pitch)) > 1e-9 ||
			   fabs(grid.x * v->scale - round(grid.x * v->scale)) > 1e-6))
		ck_abort_msg("cells of %g pixels at %g", pitch, grid.x * v->scale);
	/* Larger by a pixel, or by 2 %, and without gaps at that. */
	larger = pitch >= 3 ? pitch + 1 : pitch * 1.02;
	if (larger <= 11 * em && floor(width / larger) * floor(height / larger) >
					 1.1 * story->cells_count + 2 * grid.columns)
		ck_abort_msg("%u cells of %g pixels in %g x %g could be larger", story->cells_count,
			     pitch, width, height);
	if (grid.slot_columns) {
		for (uint32_t i = 0; i < story->cell_slots; i++) {
			struct quire_rect slot;

			at = quire_view_cell(&grid, 0);
			slot = quire_place_slot(v, 0, &grid, &at, i);
			ck_assert(inside(&slot, &at));
			ck_assert(slot.width >= v->font_points && slot.height >= v->font_points);
		}
	}
}

START_TEST(test_pool)
{
	static const uint32_t counts[] = {1, 2, 7, 12, 13, 60, 61, 1000, 4097, 99999, 1000000};
	static const double sizes[][3] = {{1280, 720, 1},
					  {1920, 1080, 1},
					  {3840, 2160, 1},
					  {640, 400, 2},
					  {1000, 1300, 1.25}};
	struct quire_live *live;

	for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct quire_story *story = empty_pool(counts[i], 4, &live);

		ck_assert(quire_view_init(&view, story, NULL) == 0);
		for (uint32_t k = 0; k < 5; k++) {
			quire_view_resize(&view, sizes[k][0], sizes[k][1], sizes[k][2]);
			check_grid(&view);
			/* At lecture size there is room for the tokens. */
			if (counts[i] <= 12 && k < 3)
				ck_assert_uint_eq(quire_view_pool(&view, 0).slot_columns, 2);
			for (uint32_t n = 0; n < 50; n++) {
				uint32_t cell = (uint32_t)((uint64_t)n * counts[i] / 50);
				struct quire_pool_grid grid = quire_view_pool(&view, 0);
				struct quire_rect at = quire_view_cell(&grid, cell);
				struct quire_hit hit = quire_view_hit(&view, at.x + at.width / 2,
								      at.y + at.height / 2);

				if (hit.kind != QUIRE_HIT_CELL || hit.cell != cell)
					ck_abort_msg("cell %u of %u is not found where it is", cell,
						     counts[i]);
			}
		}
		quire_view_free(&view);
		quire_story_close(story);
		quire_live_free(live);
	}
}
END_TEST

/* What lies under the pointer stays there, however one zooms, and a drag moves it along. */
START_TEST(test_zoom)
{
	struct quire_live *live;
	struct quire_story *story = empty_pool(20000, 16, &live);
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
		double cell_x = (input.x - before.x) / before.pitch, x, y;
		double cell_y = (input.y - before.y) / before.pitch;
		struct quire_command command;

		input.kind = QUIRE_INPUT_MOTION;
		quire_view_input(&view, &input);
		input.kind = QUIRE_INPUT_WHEEL;
		command = quire_view_input(&view, &input);
		ck_assert(command.kind == QUIRE_DO_ZOOM);
		ck_assert(quire_view_do(&view, &command) == 0);
		after = quire_view_pool(&view, 0);
		x = after.x + cell_x * after.pitch;
		y = after.y + cell_y * after.pitch;
		ck_assert_uint_eq(after.columns, before.columns);
		/* But for the edges of the pool, which keep to the panel. */
		if (view.sides[0].cell_points > 0 && after.x < body.x - 2 && after.y < body.y - 2 &&
		    after.x + after.columns * after.pitch > body.x + body.width + 2 &&
		    after.y + after.rows * after.pitch > body.y + body.height + 2 &&
		    (fabs(x - input.x) > 1.01 || fabs(y - input.y) > 1.01))
			ck_abort_msg("%g %g went to %g %g", input.x, input.y, x, y);
		ck_assert(after.x <= ceil(body.x) && after.y <= ceil(body.y));
	}
	say(&view, "zoom 0 pool");
	say(&view, "zoom 8 pool");
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
	say(&view, "fit");
	ck_assert(view.sides[0].cell_points == 0);
	quire_view_free(&view);
	quire_story_close(story);
	quire_live_free(live);
}
END_TEST

START_TEST(test_axis)
{
	struct quire_story *story = tell(0, 5);
	uint64_t end_ns = quire_story_end_ns(story);

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	for (uint32_t i = 0; i < 4; i++) {
		double last = -INFINITY;

		if (i == 2)
			say(&view, "zoom 7 timeline");
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
			say(&view, "axis time");
		else
			say(&view, "axis steps");
		ck_assert(view.sides[0].axis_until == 0);
	}
	/* Step 7 is drawn from 7 to 8. */
	say(&view, "axis steps");
	ck_assert_double_eq_tol(quire_view_x_of(&view, 0, story->steps[6].begin_ns) -
					quire_place_bars(&view, 0, QUIRE_PANEL_TIMELINE).x,
				6.0 / story->steps_count *
					quire_place_bars(&view, 0, QUIRE_PANEL_TIMELINE).width,
				0.01);
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

/* ---- words and keys ---- */

static struct quire_command press_key(struct quire_view *v, const char *name)
{
	static const struct {
		const char *name;
		uint32_t key;
	} named[] = {{"Space", ' '},
		     {"Right", QUIRE_KEY_RIGHT},
		     {"Left", QUIRE_KEY_LEFT},
		     {"Up", QUIRE_KEY_UP},
		     {"Down", QUIRE_KEY_DOWN},
		     {"Home", QUIRE_KEY_HOME},
		     {"End", QUIRE_KEY_END},
		     {"Escape", QUIRE_KEY_ESCAPE},
		     {"Enter", QUIRE_KEY_ENTER},
		     {"Backspace", QUIRE_KEY_BACKSPACE},
		     {"F11", QUIRE_KEY_F11}};
	struct quire_input input = {.kind = QUIRE_INPUT_KEY};

	if (strncmp(name, "Shift+", 6) == 0) {
		input.mods = QUIRE_MOD_SHIFT;
		name += 6;
	} else if (strncmp(name, "Ctrl+", 5) == 0) {
		input.mods = QUIRE_MOD_CTRL;
		name += 5;
	}
	for (uint32_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(name, named[i].name) == 0)
			input.key = named[i].key;
	if (!input.key) {
		ck_assert_msg(strlen(name) == 1, "a key '%s'", name);
		input.key = (uint32_t)(name[0] >= 'A' && name[0] <= 'Z' ? name[0] - 'A' + 'a'
									: name[0]);
	}
	return quire_view_input(v, &input);
}

static void do_key(struct quire_view *v, const char *name)
{
	struct quire_command command = press_key(v, name);

	ck_assert_msg(command.kind != QUIRE_DO_NONE, "the key %s does nothing", name);
	quire_view_do(v, &command);
}

START_TEST(test_keys)
{
	struct quire_story *story = tell(0, 3);

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	for (uint32_t i = 1; i < QUIRE_COMMAND_COUNT; i++) {
		const struct quire_command_text *text = &quire_command_texts[i];
		struct quire_command command;

		if (!text->key[0] || i == QUIRE_DO_PANEL)
			continue;
		command = press_key(&view, text->key);
		ck_assert_msg(command.kind == i, "%s is '%s', not '%s'", text->key,
			      quire_command_texts[command.kind].word, text->word);
		for (uint32_t k = 1; k < i; k++)
			ck_assert_str_ne(text->key, quire_command_texts[k].key);
	}
	do_key(&view, "3");
	ck_assert_int_eq(view.alone, QUIRE_PANEL_TIMELINE);
	do_key(&view, "3");
	ck_assert_int_eq(view.alone, -1);
	do_key(&view, "C");
	ck_assert(view.colouring == QUIRE_BY_REFS);
	do_key(&view, "T");
	ck_assert(view.theme == QUIRE_LIGHT);
	do_key(&view, "]");
	ck_assert_double_eq(view.font_points, 16);
	do_key(&view, "[");
	ck_assert_double_eq(view.font_points, 14);
	do_key(&view, "?");
	ck_assert(view.help && view.dialog.width > 0);
	do_key(&view, "Escape");
	ck_assert(!view.help && view.dialog.width <= 0);
	do_key(&view, "P");
	do_key(&view, "Q");
	ck_assert_uint_eq(view.asks_count, 2);
	ck_assert(view.asks[0].kind == QUIRE_DO_SAVE_PNG && view.asks[1].kind == QUIRE_DO_QUIT);
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

START_TEST(test_parse)
{
	static const struct {
		const char *line;
		enum quire_command_kind kind;
		double number;
	} good[] = {
		{"play", QUIRE_DO_PLAY, 0},
		{"  speed 1/16 ", QUIRE_DO_SPEED, 1.0 / 16},
		{"zoom 2.5 timeline", QUIRE_DO_ZOOM, 2.5},
		{"Colour REFS", QUIRE_DO_COLOUR, QUIRE_BY_REFS},
		{"colour", QUIRE_DO_COLOUR, -1},
		{"theme colour-blind", QUIRE_DO_THEME, QUIRE_COLOUR_BLIND},
		{"panel figures", QUIRE_DO_PANEL, QUIRE_PANEL_GAUGES},
		{"panel all", QUIRE_DO_PANEL, -1},
		{"next copy", QUIRE_DO_NEXT_EVENT, QUIRE_EV_COPY},
		{"kind fork", QUIRE_DO_EVENT_KIND, QUIRE_EV_FORK},
		{"lock request", QUIRE_DO_LOCK, QUIRE_LOCK_REQUEST},
		{"axis steps", QUIRE_DO_AXIS, 1},
		{"seek 0.02s", QUIRE_DO_SEEK, 2e7},
		{"seek 20ms", QUIRE_DO_SEEK, 2e7},
		{"seek step 3", QUIRE_DO_SEEK, -1},
		{"select r0", QUIRE_DO_SELECT, 0},
		{"select", QUIRE_DO_SELECT, 0},
		{"png a b.png", QUIRE_DO_SAVE_PNG, 0},
		{"pan -3 4.5 rows", QUIRE_DO_PAN, 0},
	};
	static const struct {
		const char *line;
		int rc;
		const char *says;
	} bad[] = {
		{"", -EINVAL, "no command"},
		{"sek 3", -EINVAL, "'seek'"},
		{"xyzzy", -EINVAL, "xyzzy"},
		{"play now", -EINVAL, "now"},
		{"speed", -EINVAL, "number"},
		{"speed 0", -EINVAL, "pause"},
		{"speed -2", -EINVAL, "less than 0"},
		{"speed 1/0", -EINVAL, "number"},
		{"speed 2 3", -EINVAL, "too much"},
		{"speed nan", -EINVAL, "number"},
		{"zoom 2 queues", -EINVAL, "timeline"},
		{"pan 3", -EINVAL, "number"},
		{"colour green", -EINVAL, "owner, refs, fill, age"},
		{"panel legend", -EINVAL, "pool"},
		{"seek", -EINVAL, "step 40"},
		{"seek soon", -EINVAL, "soon"},
		{"seek step", -EINVAL, "step 40"},
		{"seek step 1.5", -EINVAL, "step 1.5"},
		{"seek step 99999", -ENOENT, "99999"},
		{"seek event 99999999", -ENOENT, "99999999"},
		{"seek 1000s", -ENOENT, "end"},
		{"seek -1s", -EINVAL, "-1s"},
		{"select r99", -ENOENT, "r99"},
		{"select who", -ENOENT, "who"},
		{"search r99", -ENOENT, "r99"},
		{"font 500", -EINVAL, "500"},
		{"diverge", -ENOENT, "two"},
		{"focus", -ENOENT, "select"},
	};
	struct quire_story *story = tell_samples();
	struct quire_command command;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	for (uint32_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(quire_view_parse(&view, good[i].line, &command) == 0, "%s",
			      quire_failure());
		ck_assert_msg(command.kind == good[i].kind &&
				      fabs(command.number - good[i].number) < 1e-9,
			      "'%s' is %u, %g", good[i].line, command.kind, command.number);
	}
	ck_assert(command.x == -3 && command.y == 4.5 && command.panel == QUIRE_PANEL_COUNT);
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int rc = quire_view_say(&view, bad[i].line);

		ck_assert_msg(rc == bad[i].rc, "'%s': %d", bad[i].line, rc);
		ck_assert_msg(strstr(view.message, bad[i].says), "'%s': %s", bad[i].line,
			      view.message);
	}
	for (uint32_t i = 1; i < QUIRE_COMMAND_COUNT; i++) {
		const char *word = quire_command_texts[i].word;
		char shape = quire_command_texts[i].shape;

		if (!word[0] || !strchr("-wst", shape) || i == QUIRE_DO_PAN)
			continue;
		ck_assert_msg(quire_view_parse(&view, word, &command) == 0, "%s", quire_failure());
		ck_assert_uint_eq(command.kind, i);
	}
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

/* ---- time ---- */

static uint64_t at(const struct quire_view *v, uint32_t side)
{
	return v->sides[side].scene.index;
}

START_TEST(test_steps)
{
	for (uint64_t seed = 0; seed < 16; seed++) {
		struct quire_story *story = tell(0, seed);
		uint32_t steps = story->steps_count, way;

		ck_assert(quire_view_init(&view, story, NULL) == 0);
		say(&view, seed % 2 ? "clock step" : "clock time");
		for (uint32_t i = 1; i <= steps; i++) {
			say(&view, "step");
			if (at(&view, 0) != quire_story_index_step(story, i))
				ck_abort_msg("step %u is at %llu", i,
					     (unsigned long long)at(&view, 0));
		}
		say(&view, "step");
		ck_assert_uint_eq(at(&view, 0), story->indexed);
		say(&view, "seek step 5");
		way = (uint32_t)at(&view, 0);
		say(&view, "event-back");
		ck_assert_uint_eq(at(&view, 0), way - 1);
		say(&view, "step"); /* the rest of step 5 */
		ck_assert_uint_eq(at(&view, 0), way);
		say(&view, "event");
		ck_assert_uint_eq(at(&view, 0), way + 1);
		say(&view, "step-back"); /* what has begun of step 6 */
		ck_assert_uint_eq(at(&view, 0), way);
		say(&view, "step-back");
		ck_assert_uint_eq(at(&view, 0), quire_story_index_step(story, 4));
		say(&view, "first");
		ck_assert_uint_eq(at(&view, 0), 0);
		say(&view, "step-back");
		say(&view, "event-back");
		ck_assert_uint_eq(at(&view, 0), 0);
		say(&view, "last");
		ck_assert_uint_eq(at(&view, 0), story->indexed);
		quire_view_free(&view);
		quire_story_close(story);
	}
}
END_TEST

/* The positions of two films of one run agree where both have a frame, and none goes back. */
START_TEST(test_play)
{
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct quire_story *story = tell(0, seed);
		double speed = seed % 3 == 0 ? 0.25 : seed % 3 == 1 ? 1 : 16, end;
		uint64_t steps = 0, last = 0;
		char line[32];

		ck_assert(quire_view_init(&view, story, NULL) == 0);
		ck_assert(quire_view_init(&other, story, NULL) == 0);
		snprintf(line, sizeof(line), "speed %g", speed);
		for (uint32_t i = 0; i < 2; i++) {
			say(i ? &other : &view, seed % 2 ? "clock step" : "clock time");
			say(i ? &other : &view, line);
			say(i ? &other : &view, "play");
		}
		for (uint32_t frame = 1; view.playing && frame < 1000000; frame++) {
			double now_s = frame / 60.0;
			uint32_t before =
				story->steps_count ? quire_story_step_at(story, at(&view, 0)) : 0;

			quire_view_tick(&view, now_s, 0.01);
			steps += view.skipped + (quire_story_step_at(story, at(&view, 0)) > before);
			if (at(&view, 0) < last)
				ck_abort_msg("it went back while it played");
			last = at(&view, 0);
			if (frame % 4)
				continue;
			quire_view_tick(&other, now_s, 0.01);
			/* Sums of times are rounded. */
			if (fabs(view.head - other.head) > 1e-6 * (1 + view.head))
				ck_abort_msg("heads %.9g and %.9g at %g s", view.head, other.head,
					     now_s);
		}
		ck_assert_uint_eq(at(&view, 0), story->indexed);
		/* Each step was seen or counted. */
		ck_assert_uint_eq(steps, story->steps_count);
		end = seed % 2 ? story->steps_count : (double)quire_story_end_ns(story);
		ck_assert_double_eq(view.head, end);
		ck_assert(!view.playing);
		/* At the end it begins anew. */
		say(&view, "play");
		ck_assert(view.playing && at(&view, 0) == 0);
		quire_view_free(&view);
		quire_view_free(&other);
		quire_story_close(story);
	}
}
END_TEST

/* With time as the clock, all events up to now have happened, and no others. */
START_TEST(test_clock)
{
	struct quire_story *story = tell(0, 7);
	uint64_t count;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	say(&view, "play");
	for (uint32_t frame = 1; view.playing; frame++) {
		const struct quire_event *e;

		quire_view_tick(&view, frame * 0.0171, 0);
		e = at(&view, 0) ? quire_story_events(story, at(&view, 0) - 1, &count) : NULL;
		ck_assert(!e || e->at_ns <= quire_view_now_ns(&view, 0));
		e = quire_story_events(story, at(&view, 0), &count);
		ck_assert(!e || e->at_ns > quire_view_now_ns(&view, 0));
	}
	/* Step by step: at a whole number it is over, behind its half it runs. */
	say(&view, "first");
	say(&view, "clock step");
	say(&view, "play");
	for (uint32_t frame = 1; view.playing; frame++) {
		const struct quire_event *e;
		double now_s = view.now_s + 1 / 16.0; /* a quarter of a step */
		uint32_t step;

		quire_view_tick(&view, now_s, 0);
		step = (uint32_t)view.head;
		e = at(&view, 0) ? quire_story_events(story, at(&view, 0) - 1, &count) : NULL;
		if (view.head - step < 0.5)
			ck_assert_uint_eq(at(&view, 0), quire_story_index_step(story, step));
		else
			ck_assert(e->step == step + 1 &&
				  (e->kind == QUIRE_EV_STEP || e->kind == QUIRE_EV_IDLE ||
				   at(&view, 0) == quire_story_index_step(story, step + 1)));
	}
	ck_assert_double_eq(view.head, story->steps_count);
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

START_TEST(test_events)
{
	struct quire_story *story = tell_samples();

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	say(&view, "next copy");
	ck_assert_uint_eq(quire_story_step_at(story, at(&view, 0)), 2);
	ck_assert_uint_eq(view.sides[0].scene.state.counts.copies, 1);
	do_key(&view, "N");
	ck_assert_uint_eq(view.sides[0].scene.state.counts.copies, 2);
	ck_assert(quire_view_say(&view, "next") == -ENOENT);
	ck_assert(strstr(view.message, "copy"));
	ck_assert_uint_eq(view.sides[0].scene.state.counts.copies, 2);
	do_key(&view, "Shift+N");
	ck_assert_uint_eq(view.sides[0].scene.state.counts.copies, 1);
	/* Kinds of which there are some, in turn. */
	do_key(&view, "E");
	ck_assert_uint_eq(view.mark_kind, QUIRE_EV_FORK);
	do_key(&view, "E");
	ck_assert_uint_eq(view.mark_kind, QUIRE_EV_FINISH);
	do_key(&view, "E");
	ck_assert_uint_eq(view.mark_kind, QUIRE_EV_ARRIVE);
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

/* ---- two stories ---- */

/* The first @index events of @story, counted by hand. */
static uint64_t events_until(const struct quire_story *story, uint64_t at_ns, uint32_t step,
			     bool by_step)
{
	uint64_t index = 0, count;
	const struct quire_event *e;

	while ((e = quire_story_events(story, index, &count)) &&
	       (by_step ? e->step <= step : e->at_ns <= at_ns))
		index++;
	return index;
}

START_TEST(test_two)
{
	for (uint64_t seed = 0; seed < 8; seed++) {
		struct quire_story *a = tell(0, 2 * seed), *b = tell(1, 2 * seed + 1);
		uint64_t longer = quire_story_end_ns(a) > quire_story_end_ns(b)
					  ? quire_story_end_ns(a)
					  : quire_story_end_ns(b);
		uint32_t most = a->steps_count > b->steps_count ? a->steps_count : b->steps_count;

		ck_assert(quire_view_init(&view, a, b) == 0);
		say(&view, "lock time");
		say(&view, "speed 8");
		say(&view, "play");
		for (uint32_t frame = 1; view.playing; frame++) {
			uint64_t now_ns;

			quire_view_tick(&view, frame / 60.0, 0);
			now_ns = quire_view_now_ns(&view, 0);
			for (uint32_t s = 0; s < 2; s++)
				if (at(&view, s) != events_until(s ? b : a, now_ns, 0, false))
					ck_abort_msg("seed %llu, %llu ns: story %u is at %llu",
						     (unsigned long long)seed,
						     (unsigned long long)now_ns, s,
						     (unsigned long long)at(&view, s));
		}
		ck_assert_uint_eq(quire_view_now_ns(&view, 0), longer);
		ck_assert(at(&view, 0) == a->indexed && at(&view, 1) == b->indexed);

		say(&view, "first");
		say(&view, "lock step");
		ck_assert(view.clock == QUIRE_CLOCK_STEP);
		for (uint32_t step = 1; step <= most; step++) {
			say(&view, "step");
			for (uint32_t s = 0; s < 2; s++)
				if (at(&view, s) != events_until(s ? b : a, 0, step, true))
					ck_abort_msg("seed %llu, step %u: story %u is at %llu",
						     (unsigned long long)seed, step, s,
						     (unsigned long long)at(&view, s));
		}
		say(&view, "step-back");
		for (uint32_t s = 0; s < 2; s++)
			ck_assert_uint_eq(at(&view, s), events_until(s ? b : a, 0, most - 1, true));
		say(&view, "last");
		ck_assert(at(&view, 0) == a->indexed && at(&view, 1) == b->indexed);

		say(&view, "lock request");
		say(&view, "select r3");
		for (uint32_t i = 0; i < 40; i++) {
			uint64_t index = a->indexed * i / 40;
			char line[32];

			snprintf(line, sizeof(line), "seek event %llu", (unsigned long long)index);
			say(&view, line);
			ck_assert_uint_eq(at(&view, 0), index);
			ck_assert_uint_eq(at(&view, 1),
					  quire_story_follow(a, index, b, QUIRE_LOCK_REQUEST, 3));
		}
		say(&view, "diverge");
		for (uint32_t s = 0; s < 2; s++)
			ck_assert(at(&view, s) > 0);
		ck_assert(strstr(view.message, "Left: "));
		quire_view_free(&view);
		quire_story_close(a);
		quire_story_close(b);
	}
}
END_TEST

/* ---- live ---- */

static void emit(struct quire_live *live, uint32_t kind, uint64_t at_ns, uint32_t step,
		 uint32_t seq, uint32_t a, uint32_t b, uint32_t c)
{
	struct quire_sink *sink = quire_live_sink(live);
	struct quire_event e = {at_ns, step, kind, seq, a, b, c};

	sink->emit(sink, &e);
}

/* One that decodes, step after step, while somebody looks now and then. */
START_TEST(test_live)
{
	struct quire_live *live;
	struct quire_story *story = empty_pool(64, 16, &live);
	uint32_t step = 0;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	emit(live, QUIRE_EV_ARRIVE, 0, 0, 0, 8, 500, 1);
	quire_view_tick(&view, 0.01, 1);
	say(&view, "last");
	ck_assert(view.following);
	for (uint32_t frame = 2; frame < 40; frame++) {
		uint32_t more = frame % 5;

		for (uint32_t i = 0; i < more; i++) {
			uint64_t begin_ns = step++ * 1000000ull;

			if (step == 1)
				emit(live, QUIRE_EV_MAP, begin_ns, step, 1, 0, 0, 16);
			emit(live, QUIRE_EV_RUN, begin_ns, step, 1, step == 1 ? 8 : 1,
			     step == 1 ? 0 : step + 6, step + 7);
			emit(live, QUIRE_EV_STEP, begin_ns, step, 0, 1, 1, 0);
			emit(live, QUIRE_EV_DONE, begin_ns + 1000000, step, 0, 1, 1, 1);
			emit(live, QUIRE_EV_SAMPLE, begin_ns + 1000000, step, 1, 7, step + 8, 0);
		}
		ck_assert(quire_view_tick(&view, frame / 60.0, 1));
		ck_assert_uint_eq(at(&view, 0), quire_live_count(live));
		ck_assert_uint_eq(view.skipped, more > 1 ? more - 1 : 0);
	}
	/* Somebody looks back; the run goes on. */
	say(&view, "seek step 3");
	ck_assert(!view.following && !view.playing);
	emit(live, QUIRE_EV_RUN, step * 1000000ull, step + 1, 1, 1, step + 7, step + 8);
	quire_view_tick(&view, 2, 1);
	ck_assert_uint_eq(at(&view, 0), quire_story_index_step(story, 3));
	ck_assert_uint_eq(story->indexed, quire_live_count(live));
	/* It comes to the end, and waits for more. */
	say(&view, "speed 1024");
	say(&view, "play");
	quire_view_tick(&view, 3, 1);
	ck_assert(view.playing && at(&view, 0) == story->indexed);
	quire_live_end(live, "the module was ejected");
	quire_view_tick(&view, 4, 1);
	quire_view_tick(&view, 4.1, 1);
	ck_assert(!view.playing && strstr(view.message, "ejected"));
	ck_assert(!quire_view_tick(&view, 20, 1));
	ck_assert(!view.message[0]);
	quire_view_free(&view);
	quire_story_close(story);
	quire_live_free(live);
}
END_TEST

/* A window indexes a recording piece by piece. */
START_TEST(test_budget)
{
	struct quire_story *story;
	uint32_t ticks = 0;

	quire_story_close(tell(0, 9));
	story = open_story(0, 0);
	ck_assert(quire_view_init(&view, story, NULL) == 0);
	while (story->indexed < story->events) {
		ck_assert(quire_view_tick(&view, ++ticks / 60.0, 60e-9 * 1000));
		ck_assert(story->indexed == ticks * 1000 || story->indexed == story->events);
	}
	ck_assert_uint_eq(ticks, (story->events + 999) / 1000);
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

/* ---- flashes ---- */

static double brightest(const struct quire_view *v, uint32_t kind)
{
	const struct quire_scene *scene = &v->sides[0].scene;
	double most = 0;

	for (uint64_t i = scene->flashes_first; i < scene->flashes_count; i++) {
		const struct quire_flash *flash = &scene->flashes[i % QUIRE_FLASHES_MAX];
		double bright = quire_view_flash(v, 0, flash);

		if (!(bright >= 0 && bright <= 1))
			ck_abort_msg("a flash of %g", bright);
		if (flash->kind == kind)
			most = fmax(most, bright);
	}
	return most;
}

START_TEST(test_flash)
{
	struct quire_story *story = tell_samples();
	double last = 1, bright;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	say(&view, "seek step 2");
	ck_assert_double_eq(brightest(&view, QUIRE_FLASH_COPIED), 1);
	/* It goes down to a rest, which stays. */
	ck_assert(quire_view_tick(&view, 0.3, 0));
	bright = brightest(&view, QUIRE_FLASH_COPIED);
	ck_assert(bright < 1 && bright > 0.5);
	quire_view_tick(&view, 10, 0);
	ck_assert(brightest(&view, QUIRE_FLASH_COPIED) > 0.5);
	ck_assert(brightest(&view, QUIRE_FLASH_COPIED) < bright);
	say(&view, "step");
	ck_assert_double_eq(brightest(&view, QUIRE_FLASH_COPIED), 0);
	ck_assert_double_eq(brightest(&view, QUIRE_FLASH_GIVEN), 1);
	/* While it plays it fades. */
	say(&view, "first");
	say(&view, "clock step");
	say(&view, "speed 0.25");
	say(&view, "play");
	while (view.head < 1.6)
		quire_view_tick(&view, view.now_s + 1 / 60.0, 0);
	ck_assert(brightest(&view, QUIRE_FLASH_COPIED) > 0.8);
	while (view.head < 4) {
		quire_view_tick(&view, view.now_s + 1 / 60.0, 0);
		bright = brightest(&view, QUIRE_FLASH_COPIED);
		ck_assert(bright <= last);
		last = bright;
	}
	ck_assert_double_eq(last, 0);
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

/* ---- pointing ---- */

/* Does what is told of a point lie there? */
static void check_hit(const struct quire_view *v, const struct quire_hit *hit, double x, double y)
{
	const struct quire_side *side = &v->sides[hit->side];
	const struct quire_track *track;
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
		at.width = at.height = grid.pitch;
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
		struct quire_story *a = tell(0, seed), *b = seed % 3 ? NULL : tell(1, seed + 20);

		ck_assert(quire_view_init(&view, a, b) == 0);
		quire_view_resize(&view, seed % 2 ? 1280 : 1920, seed % 2 ? 720 : 1080, 1);
		if (seed % 4 == 1)
			say(&view, "axis steps");
		if (seed % 5 == 1)
			say(&view, "zoom 3 timeline");
		for (uint32_t i = 0; i < 8; i++) {
			char line[48];

			snprintf(line, sizeof(line), "seek event %llu",
				 (unsigned long long)(a->indexed * (i + 1) / 9));
			say(&view, line);
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
	struct quire_story *story = tell_samples();
	struct quire_input input = {.kind = QUIRE_INPUT_MOTION};
	struct quire_rect bar;
	struct quire_command command;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	say(&view, "seek step 2");
	/* Block 2 is the first copy's; a free block lets go. */
	click_cell(&view, 4);
	ck_assert(view.selected && view.sides[0].panels[QUIRE_PANEL_SEQUENCE].width > 0);
	ck_assert_uint_eq(view.selected, view.sides[0].scene.cells[4].owner);
	click_cell(&view, 11);
	ck_assert_uint_eq(view.selected, 0);

	/* Along the scrub bar, and beyond its end. */
	bar = quire_place_scrub(&view);
	click(&view, bar.x + 1, bar.y + bar.height / 2);
	ck_assert(at(&view, 0) > 0 && at(&view, 0) <= quire_story_index_step(story, 1));
	input.kind = QUIRE_INPUT_PRESS;
	input.button = 1;
	input.x = bar.x + bar.width / 2;
	input.y = bar.y + bar.height / 2;
	command = quire_view_input(&view, &input);
	quire_view_do(&view, &command);
	ck_assert(at(&view, 0) > quire_story_index_step(story, 1));
	input.kind = QUIRE_INPUT_MOTION;
	input.x = view.width + 100;
	input.y = 3;
	command = quire_view_input(&view, &input);
	quire_view_do(&view, &command);
	ck_assert_uint_eq(at(&view, 0), story->indexed);
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
	ck_assert_uint_eq(at(&view, 0), quire_story_index_step(story, 1));

	/* A request is searched letter by letter. */
	do_key(&view, "/");
	ck_assert(view.searching && view.dialog.width > 0);
	ck_assert(press_key(&view, "Q").kind == QUIRE_DO_NONE);
	type_text(&view, "r0.x");
	ck_assert(press_key(&view, "Backspace").kind == QUIRE_DO_NONE);
	type_text(&view, "2");
	ck_assert_str_eq(view.search, "r0.2");
	do_key(&view, "Enter");
	ck_assert(!view.searching && view.selected == quire_story_find(story, "r0.2"));
	/* r0.2 is there since step 1 had its prompt: so it is now. */
	ck_assert_uint_eq(at(&view, 0), quire_story_index_step(story, 1));
	do_key(&view, "Escape");
	ck_assert_uint_eq(view.selected, 0);
	/* Who is not alive is gone to. */
	say(&view, "first");
	say(&view, "search r0.1");
	ck_assert(quire_scene_seq(&view.sides[0].scene, view.selected));

	/* The pointer rests: the tooltip comes in time. */
	view.changed = false;
	input.kind = QUIRE_INPUT_MOTION;
	bar = quire_place_body(&view, 0, QUIRE_PANEL_POOL);
	input.x = bar.x + 5;
	input.y = bar.y + 5;
	quire_view_input(&view, &input);
	ck_assert(view.hover.kind == QUIRE_HIT_CELL && view.changed);
	view.changed = false;
	view.jumped_s = -10;
	ck_assert(quire_view_tick(&view, view.now_s + 0.2, 0) && !view.changed);
	quire_view_tick(&view, view.now_s + 0.1, 0);
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
	struct quire_story *story = tell_samples();
	struct quire_hit cell = {.kind = QUIRE_HIT_CELL, .slot = UINT32_MAX};
	struct quire_hit block = {.kind = QUIRE_HIT_BLOCK, .slot = UINT32_MAX};
	const char *text;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	say(&view, "seek step 1");
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

	say(&view, "seek step 2");
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
	    "r0 runs its prompt: from 0 us on, for 5.33 ms.\nThat is 11 tokens in steps 1 to 1.");
	say(&view, "last");
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
		say(v, command);
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
	struct quire_story *a = tell(0, 21), *b = tell(1, 22);
	char line[1024];

	for (uint32_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		ck_assert(quire_view_init(&view, a, i >= 4 ? b : NULL) == 0);
		ck_assert(quire_view_init(&other, a, i >= 4 ? b : NULL) == 0);
		quire_view_resize(&view, 1600, 900, i % 2 + 1);
		for (uint32_t k = 0; scripts[i][k]; k++)
			say(&view, scripts[i][k]);
		for (uint32_t k = 1; view.playing && k < 20; k++)
			quire_view_tick(&view, k / 60.0, 0);
		quire_view_line(&view, line, sizeof(line));
		apply_line(&other, line);
		for (uint32_t s = 0; s < view.sides_count; s++) {
			ck_assert_msg(at(&view, s) == at(&other, s), "%s", line);
			ck_assert_double_eq_tol(view.sides[s].pool_x, other.sides[s].pool_x, 0.02);
			ck_assert_double_eq_tol(view.sides[s].pool_y, other.sides[s].pool_y, 0.02);
			ck_assert_double_eq_tol(quire_view_pool(&view, s).pitch,
						quire_view_pool(&other, s).pitch, 1e-6);
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

int main(void)
{
	Suite *suite = suite_create("view");
	TCase *look = tcase_create("look"), *go = tcase_create("go");
	SRunner *runner;
	int failed;

	if (!mkdtemp(folder))
		return 1;
	for (uint32_t i = 0; i < 2; i++)
		snprintf(files[i], sizeof(files[i]), "%s/%u.quire", folder, i);
	tcase_add_test(look, test_layout);
	tcase_add_test(look, test_pool);
	tcase_add_test(look, test_zoom);
	tcase_add_test(look, test_axis);
	tcase_add_test(look, test_hit);
	tcase_add_test(look, test_words);
	tcase_add_test(go, test_keys);
	tcase_add_test(go, test_parse);
	tcase_add_test(go, test_steps);
	tcase_add_test(go, test_play);
	tcase_add_test(go, test_clock);
	tcase_add_test(go, test_events);
	tcase_add_test(go, test_two);
	tcase_add_test(go, test_live);
	tcase_add_test(go, test_budget);
	tcase_add_test(go, test_flash);
	tcase_add_test(go, test_pointer);
	tcase_add_test(go, test_line);
	suite_add_tcase(suite, look);
	suite_add_tcase(suite, go);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (uint32_t i = 0; i < 2; i++)
		unlink(files[i]);
	rmdir(folder);
	return failed;
}
