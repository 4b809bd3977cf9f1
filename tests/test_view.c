/*
 * test_view.c - a view without a display: panels have room and do not overlap, keys and
 * words mean what the table says, playing and stepping come to the right moments, two
 * stories keep step, flashes fade.
 *
 * The worlds are those of test_scene.c, small and random, and one with a shared prompt whose
 * blocks are known by heart.
 */
#include "views.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct quire_view view, other;

/* ---- layout ---- */

START_TEST(test_layout)
{
	static const double sizes[][3] = {{1280, 720, 1},  {1920, 1080, 1}, {3840, 2160, 1},
					  {1920, 1080, 2}, {640, 400, 1},   {640, 400, 3},
					  {800, 1280, 1},  {2560, 600, 1.5}};
	static const double fonts[] = {0, 10, 16, 28};
	struct quire_story *a = views_tell(0, 1), *b = views_tell(1, 2);
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
		views_say(&view, selected ? "select r0" : "select");
		for (int alone = -1; alone < QUIRE_PANEL_COUNT; alone++) {
			if (alone >= 0 && (alone < QUIRE_PANEL_POOL || alone > QUIRE_PANEL_QUEUES))
				continue;
			view.alone = alone;
			quire_view_layout(&view);
			snprintf(what, sizeof(what),
				 "%gx%g x%g, font %g, %u stories, selected %u, lesson %u, alone %d",
				 view.width, view.height, view.scale, view.font_points, two + 1,
				 selected, lesson, alone);
			views_layout(&view, what);
		}
		quire_view_free(&view);
	}
	quire_story_close(a);
	quire_story_close(b);
}
END_TEST

/* Squares: no larger ones would do. */
static void check_squares(const struct quire_view *v, const struct quire_pool_grid *grid)
{
	struct quire_rect body = quire_place_body(v, 0, QUIRE_PANEL_POOL);
	double width = body.width * v->scale, height = body.height * v->scale;
	double pitch = grid->pitch_x * v->scale, em = v->font_points * v->scale, larger;
	uint32_t count = v->sides[0].story->cells_count;

	ck_assert(grid->pitch_y == grid->pitch_x && grid->height == grid->width);
	/* Larger by a pixel, or by 2 %, and without gaps at that. */
	larger = pitch >= 3 ? pitch + 1 : pitch * 1.02;
	if (larger <= 11 * em &&
	    floor(width / larger) * floor(height / larger) > 1.1 * count + 2 * grid->columns)
		ck_abort_msg("%u cells of %g pixels in %g x %g could be larger", count, pitch,
			     width, height);
}

/* A few blocks fill what they can of their panel: nearly all of one side of it, or they are
 * as large as they may be. */
static void check_few(const struct quire_view *v, const struct quire_pool_grid *grid)
{
	struct quire_rect body = quire_place_body(v, 0, QUIRE_PANEL_POOL);
	double em = v->font_points;

	if (grid->columns * grid->pitch_x < body.width - grid->columns / v->scale - em &&
	    grid->rows * grid->pitch_y < body.height - grid->rows / v->scale - 3 * em &&
	    (grid->pitch_x < 19 * em || grid->pitch_y < 8 * em))
		ck_abort_msg("%u x %u blocks of %g x %g leave much of %g x %g", grid->columns,
			     grid->rows, grid->width, grid->height, body.width, body.height);
}

/* Whole pixels, all cells within the panel, and no larger ones would do. */
static void check_grid(const struct quire_view *v)
{
	const struct quire_story *story = v->sides[0].story;
	struct quire_rect body = quire_place_body(v, 0, QUIRE_PANEL_POOL), at;
	struct quire_pool_grid grid = quire_view_pool(v, 0);
	double pitch = grid.pitch_x * v->scale;

	at = quire_view_cell(&grid, 0);
	ck_assert(views_inside(&at, &body));
	at = quire_view_cell(&grid, grid.columns - 1);
	ck_assert(views_inside(&at, &body));
	at = quire_view_cell(&grid, story->cells_count - 1);
	if (!views_inside(&at, &body))
		ck_abort_msg("%u cells of %g in %u columns do not fit in %g x %g",
			     story->cells_count, grid.pitch_x, grid.columns, body.width,
			     body.height);
	ck_assert((uint64_t)grid.columns * grid.rows >= story->cells_count);
	ck_assert((uint64_t)grid.columns * (grid.rows - 1) < story->cells_count);
	ck_assert(grid.width <= grid.pitch_x && grid.width > 0);
	ck_assert(grid.height <= grid.pitch_y && grid.height > 0);
	if (pitch >= 3 && (fabs(pitch - round(pitch)) > 1e-9 ||
			   fabs(grid.x * v->scale - round(grid.x * v->scale)) > 1e-6))
		ck_abort_msg("cells of %g pixels at %g", pitch, grid.x * v->scale);
	if (story->cells_count > QUIRE_FEW_CELLS)
		check_squares(v, &grid);
	else
		check_few(v, &grid);
	if (grid.slot_columns) {
		for (uint32_t i = 0; i < story->cell_slots; i++) {
			struct quire_rect slot;

			at = quire_view_cell(&grid, 0);
			slot = quire_place_slot(v, 0, &grid, &at, i);
			ck_assert(views_inside(&slot, &at));
			/* Of a word, or at least of a number. */
			ck_assert(slot.width >=
				  (grid.pitch_y == grid.pitch_x ? 1 : 1.6) * v->font_points);
			ck_assert(slot.height >= 0.8 * v->font_points);
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
		struct quire_story *story = views_pool(counts[i], 4, &live);

		ck_assert(quire_view_init(&view, story, NULL) == 0);
		for (uint32_t k = 0; k < 5; k++) {
			quire_view_resize(&view, sizes[k][0], sizes[k][1], sizes[k][2]);
			check_grid(&view);
			/* At lecture size there is room for the tokens. */
			if (counts[i] <= 12 && k < 3)
				ck_assert_uint_gt(quire_view_pool(&view, 0).slot_columns, 0);
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

/* ---- what two runs are called ---- */

static struct quire_story *configured(const char *config, struct quire_live **live)
{
	struct quire_record_run run = {
		.requests_count = 1, .slots_total = 64, .seqs_max = 4, .seq_tokens_max = 64};
	struct quire_record_request request = {.prompt_tokens = 1, .samples = 1};
	struct quire_story *story;

	ck_assert(quire_live_new(live, 1000) == 0);
	ck_assert(quire_live_begin(*live, &run, &request, config) == 0);
	ck_assert(quire_story_open_live(&story, *live) == 0);
	return story;
}

START_TEST(test_contrast)
{
	static const struct {
		const char *a, *b, *of_a, *of_b;
	} pairs[] = {
		{"{\"scheduler\": \"x\", \"n\": 1}", "{\"scheduler\": \"x\", \"n\": 1}", "", ""},
		{"{\"n\": 2}", "{\"n\": 32}", "n 2", "n 32"},
		{"{\"n\": 2, \"m\": 1}", "{\"n\": 3}", "n 2", "n 3"},
		{"{\"rate\": 0.5}", "{\"rate\": null}", "rate 0.5", "rate none"},
		{"{\"w\": \"one\", \"z\": true}", "{\"w\": \"two\", \"z\": false}",
		 "w one \xc2\xb7 z yes", "w two \xc2\xb7 z none"},
		/* Their names say it already. */
		{"{\"scheduler\": \"static,batch=8\"}", "{\"scheduler\": \"continuous\"}", "", ""},
		{"{\"scheduler\": \"splitfuse,budget=64\"}",
		 "{\"scheduler\": \"splitfuse,budget=256\"}", "budget=64", "budget=256"},
		{"{\"scheduler\": \"abc,x=1\"}", "{\"scheduler\": \"abd,x=2\"}", "", ""},
		{"{\"allocator\": \"page\"}", "{\"allocator\": \"paged\"}", "", ""},
		/* The first two. */
		{"{\"a\": 1, \"b\": 1, \"c\": 1}", "{\"a\": 2, \"b\": 2, \"c\": 2}",
		 "a 1 \xc2\xb7 b 1", "a 2 \xc2\xb7 b 2"},
		{NULL, "{\"n\": 2}", "", ""},
		{"no JSON", "{\"n\": 2}", "", ""},
	};

	for (uint32_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct quire_live *lives[2];
		struct quire_story *a = configured(pairs[i].a, &lives[0]);
		struct quire_story *b = configured(pairs[i].b, &lives[1]);

		ck_assert(quire_view_init(&view, a, b) == 0);
		ck_assert_str_eq(view.sides[0].about, pairs[i].of_a);
		ck_assert_str_eq(view.sides[1].about, pairs[i].of_b);
		quire_view_free(&view);
		quire_story_close(a);
		quire_story_close(b);
		quire_live_free(lives[0]);
		quire_live_free(lives[1]);
	}
}
END_TEST

/* The legend has what happens, and no more; of panels that are not shown, nothing. */
START_TEST(test_legend)
{
	struct quire_story *story = views_samples();
	uint32_t bits;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	bits = quire_place_legend(&view);
	ck_assert(bits >> QUIRE_LEGEND_COPIED & 1 && bits >> QUIRE_LEGEND_SHARED & 1);
	ck_assert(bits >> QUIRE_LEGEND_DECODE & 1);
	ck_assert(!(bits >> QUIRE_LEGEND_TAKEN & 1) && !(bits >> QUIRE_LEGEND_PREEMPTED & 1));
	ck_assert(!(bits >> QUIRE_LEGEND_KEPT & 1) && !(bits >> QUIRE_LEGEND_ROUNDING & 1));
	views_say(&view, "panel timeline");
	bits = quire_place_legend(&view);
	ck_assert(!(bits >> QUIRE_LEGEND_LIVE & 1) && bits >> QUIRE_LEGEND_PROMPT & 1);
	views_say(&view, "panel queues");
	ck_assert_uint_eq(quire_place_legend(&view), 0);
	ck_assert(view.sides[0].panels[QUIRE_PANEL_LEGEND].width <= 0);
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

/* ---- words and keys ---- */

/* docs/view.md has each key and what a hand does, in the same words. */
START_TEST(test_documented)
{
	static char page[65536];
	FILE *file = fopen(QUIRE_SOURCE_DIR "/docs/view.md", "r");
	char line[256];

	ck_assert(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = 0;
	fclose(file);
	for (uint32_t i = 1; i < QUIRE_COMMAND_COUNT; i++) {
		const struct quire_command_text *text = &quire_command_texts[i];

		snprintf(line, sizeof(line), "| `%s` | %s |\n", text->key, text->help);
		if (text->key[0] && !strstr(page, line))
			ck_abort_msg("docs/view.md lacks: %s", line);
	}
#define X(gesture, help)                                                                           \
	if (!strstr(page, "| " gesture " | " help " |\n"))                                         \
		ck_abort_msg("docs/view.md lacks: %s", gesture);
	QUIRE_GESTURES(X)
#undef X
}
END_TEST

START_TEST(test_keys)
{
	struct quire_story *story = views_tell(0, 3);

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	for (uint32_t i = 1; i < QUIRE_COMMAND_COUNT; i++) {
		const struct quire_command_text *text = &quire_command_texts[i];
		struct quire_command command;

		if (!text->key[0] || i == QUIRE_DO_PANEL)
			continue;
		command = views_key(&view, text->key);
		ck_assert_msg(command.kind == i, "%s is '%s', not '%s'", text->key,
			      quire_command_texts[command.kind].word, text->word);
		for (uint32_t k = 1; k < i; k++)
			ck_assert_str_ne(text->key, quire_command_texts[k].key);
	}
	views_do_key(&view, "1");
	ck_assert_int_eq(view.alone, QUIRE_PANEL_POOL);
	views_do_key(&view, "3");
	ck_assert_int_eq(view.alone, QUIRE_PANEL_TIMELINE);
	views_do_key(&view, "3");
	ck_assert_int_eq(view.alone, -1);
	views_do_key(&view, "C");
	ck_assert(view.colouring == QUIRE_BY_REFS);
	views_do_key(&view, "T");
	ck_assert(view.theme == QUIRE_LIGHT);
	views_do_key(&view, "]");
	ck_assert_double_eq(view.font_points, 16);
	views_do_key(&view, "[");
	ck_assert_double_eq(view.font_points, 14);
	/* Those that are alive, in order, round and round. */
	views_say(&view, "seek event 500");
	for (uint32_t i = 0; i < 2; i++) {
		const struct quire_record_counts *counts = &view.sides[0].scene.state.counts;
		uint32_t first, last = 0;

		views_say(&view, "select none");
		views_do_key(&view, i ? "Up" : "Down");
		first = view.selected;
		for (uint32_t k = 1; k < counts->seqs_count; k++) {
			last = view.selected;
			views_do_key(&view, i ? "Up" : "Down");
			ck_assert(i ? view.selected < last : view.selected > last);
			ck_assert(quire_scene_seq(&view.sides[0].scene, view.selected));
		}
		ck_assert(counts->seqs_count > 2);
		views_do_key(&view, i ? "Up" : "Down");
		ck_assert_uint_eq(view.selected, first);
	}
	views_do_key(&view, "?");
	ck_assert(view.help && view.dialog.width > 0);
	views_do_key(&view, "Escape");
	ck_assert(!view.help && view.dialog.width <= 0);
	views_do_key(&view, "P");
	views_do_key(&view, "Q");
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
	struct quire_story *story = views_samples();
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

START_TEST(test_steps)
{
	for (uint64_t seed = 0; seed < 16; seed++) {
		struct quire_story *story = views_tell(0, seed);
		uint32_t steps = story->steps_count, way;

		ck_assert(quire_view_init(&view, story, NULL) == 0);
		views_say(&view, seed % 2 ? "clock step" : "clock time");
		for (uint32_t i = 1; i <= steps; i++) {
			views_say(&view, "step");
			if (views_at(&view, 0) != quire_story_index_step(story, i))
				ck_abort_msg("step %u is at %llu", i,
					     (unsigned long long)views_at(&view, 0));
		}
		views_say(&view, "step");
		ck_assert_uint_eq(views_at(&view, 0), story->indexed);
		views_say(&view, "seek step 5");
		way = (uint32_t)views_at(&view, 0);
		views_say(&view, "event-back");
		ck_assert_uint_eq(views_at(&view, 0), way - 1);
		views_say(&view, "step"); /* the rest of step 5 */
		ck_assert_uint_eq(views_at(&view, 0), way);
		views_say(&view, "event");
		ck_assert_uint_eq(views_at(&view, 0), way + 1);
		views_say(&view, "step-back"); /* what has begun of step 6 */
		ck_assert_uint_eq(views_at(&view, 0), way);
		views_say(&view, "step-back");
		ck_assert_uint_eq(views_at(&view, 0), quire_story_index_step(story, 4));
		views_say(&view, "first");
		ck_assert_uint_eq(views_at(&view, 0), 0);
		views_say(&view, "step-back");
		views_say(&view, "event-back");
		ck_assert_uint_eq(views_at(&view, 0), 0);
		views_say(&view, "last");
		ck_assert_uint_eq(views_at(&view, 0), story->indexed);
		quire_view_free(&view);
		quire_story_close(story);
	}
}
END_TEST

/* The positions of two films of one run agree where both have a frame, and none goes back. */
START_TEST(test_play)
{
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct quire_story *story = views_tell(0, seed);
		double speed = seed % 3 == 0 ? 0.25 : seed % 3 == 1 ? 1 : 16, end;
		uint64_t steps = 0, last = 0;
		char line[32];

		ck_assert(quire_view_init(&view, story, NULL) == 0);
		ck_assert(quire_view_init(&other, story, NULL) == 0);
		snprintf(line, sizeof(line), "speed %g", speed);
		for (uint32_t i = 0; i < 2; i++) {
			views_say(i ? &other : &view, seed % 2 ? "clock step" : "clock time");
			views_say(i ? &other : &view, line);
			views_say(i ? &other : &view, "play");
		}
		for (uint32_t frame = 1; view.playing && frame < 1000000; frame++) {
			double now_s = frame / 60.0;
			uint32_t before = story->steps_count
						  ? quire_story_step_at(story, views_at(&view, 0))
						  : 0;

			quire_view_tick(&view, now_s, 0.01);
			steps += view.skipped +
				 (quire_story_step_at(story, views_at(&view, 0)) > before);
			if (views_at(&view, 0) < last)
				ck_abort_msg("it went back while it played");
			last = views_at(&view, 0);
			if (frame % 4)
				continue;
			quire_view_tick(&other, now_s, 0.01);
			/* Sums of times are rounded. */
			if (fabs(view.head - other.head) > 1e-6 * (1 + view.head))
				ck_abort_msg("heads %.9g and %.9g at %g s", view.head, other.head,
					     now_s);
		}
		ck_assert_uint_eq(views_at(&view, 0), story->indexed);
		/* Each step was seen or counted. */
		ck_assert_uint_eq(steps, story->steps_count);
		end = seed % 2 ? story->steps_count : (double)quire_story_end_ns(story);
		ck_assert_double_eq(view.head, end);
		ck_assert(!view.playing);
		/* At the end it begins anew. */
		views_say(&view, "play");
		ck_assert(view.playing && views_at(&view, 0) == 0);
		quire_view_free(&view);
		quire_view_free(&other);
		quire_story_close(story);
	}
}
END_TEST

/* With time as the clock, all events up to now have happened, and no others. */
START_TEST(test_clock)
{
	struct quire_story *story = views_tell(0, 7);
	uint64_t count;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	views_say(&view, "play");
	for (uint32_t frame = 1; view.playing; frame++) {
		const struct quire_event *e;

		quire_view_tick(&view, frame * 0.0171, 0);
		e = views_at(&view, 0) ? quire_story_events(story, views_at(&view, 0) - 1, &count)
				       : NULL;
		ck_assert(!e || e->at_ns <= quire_view_now_ns(&view, 0));
		e = quire_story_events(story, views_at(&view, 0), &count);
		ck_assert(!e || e->at_ns > quire_view_now_ns(&view, 0));
	}
	/* Step by step: at a whole number it is over, behind its half it runs. */
	views_say(&view, "first");
	views_say(&view, "clock step");
	views_say(&view, "play");
	for (uint32_t frame = 1; view.playing; frame++) {
		const struct quire_event *e;
		double now_s = view.now_s + 1 / 16.0; /* a quarter of a step */
		uint32_t step;

		quire_view_tick(&view, now_s, 0);
		step = (uint32_t)view.head;
		e = views_at(&view, 0) ? quire_story_events(story, views_at(&view, 0) - 1, &count)
				       : NULL;
		if (view.head - step < 0.5)
			ck_assert_uint_eq(views_at(&view, 0), quire_story_index_step(story, step));
		else
			ck_assert(e->step == step + 1 &&
				  (e->kind == QUIRE_EV_STEP || e->kind == QUIRE_EV_IDLE ||
				   views_at(&view, 0) == quire_story_index_step(story, step + 1)));
	}
	ck_assert_double_eq(view.head, story->steps_count);
	/* From within a step it goes on, and not back to the step's beginning. */
	for (uint32_t i = 0; i < 50; i++) {
		uint64_t index = story->indexed * (i + 1) / 60;
		char line[48];

		snprintf(line, sizeof(line), "seek event %llu", (unsigned long long)index);
		views_say(&view, line);
		views_say(&view, "play");
		for (uint32_t k = 0; k < 20; k++) {
			quire_view_tick(&view, view.now_s + 1 / 60.0, 0);
			ck_assert_uint_ge(views_at(&view, 0), index);
			index = views_at(&view, 0);
		}
	}
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

START_TEST(test_events)
{
	struct quire_story *story = views_samples();

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	views_say(&view, "next copy");
	ck_assert_uint_eq(quire_story_step_at(story, views_at(&view, 0)), 2);
	ck_assert_uint_eq(view.sides[0].scene.state.counts.copies, 1);
	views_do_key(&view, "N");
	ck_assert_uint_eq(view.sides[0].scene.state.counts.copies, 2);
	ck_assert(quire_view_say(&view, "next") == -ENOENT);
	ck_assert(strstr(view.message, "copy"));
	ck_assert_uint_eq(view.sides[0].scene.state.counts.copies, 2);
	views_do_key(&view, "Shift+N");
	ck_assert_uint_eq(view.sides[0].scene.state.counts.copies, 1);
	/* Kinds of which there are some, in turn. */
	views_do_key(&view, "E");
	ck_assert_uint_eq(view.mark_kind, QUIRE_EV_FORK);
	views_do_key(&view, "E");
	ck_assert_uint_eq(view.mark_kind, QUIRE_EV_FINISH);
	views_do_key(&view, "E");
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
		struct quire_story *a = views_tell(0, 2 * seed), *b = views_tell(1, 2 * seed + 1);
		uint64_t longer = quire_story_end_ns(a) > quire_story_end_ns(b)
					  ? quire_story_end_ns(a)
					  : quire_story_end_ns(b);
		uint32_t most = a->steps_count > b->steps_count ? a->steps_count : b->steps_count;
		uint64_t index;

		ck_assert(quire_view_init(&view, a, b) == 0);
		views_say(&view, "lock time");
		views_say(&view, "speed 8");
		views_say(&view, "play");
		for (uint32_t frame = 1; view.playing; frame++) {
			uint64_t now_ns;

			quire_view_tick(&view, frame / 60.0, 0);
			now_ns = quire_view_now_ns(&view, 0);
			for (uint32_t s = 0; s < 2; s++)
				if (views_at(&view, s) != events_until(s ? b : a, now_ns, 0, false))
					ck_abort_msg("seed %llu, %llu ns: story %u is at %llu",
						     (unsigned long long)seed,
						     (unsigned long long)now_ns, s,
						     (unsigned long long)views_at(&view, s));
		}
		ck_assert_uint_eq(quire_view_now_ns(&view, 0), longer);
		ck_assert(views_at(&view, 0) == a->indexed && views_at(&view, 1) == b->indexed);

		views_say(&view, "first");
		views_say(&view, "lock step");
		ck_assert(view.clock == QUIRE_CLOCK_STEP);
		for (uint32_t step = 1; step <= most; step++) {
			views_say(&view, "step");
			for (uint32_t s = 0; s < 2; s++)
				if (views_at(&view, s) != events_until(s ? b : a, 0, step, true))
					ck_abort_msg("seed %llu, step %u: story %u is at %llu",
						     (unsigned long long)seed, step, s,
						     (unsigned long long)views_at(&view, s));
		}
		views_say(&view, "step-back");
		for (uint32_t s = 0; s < 2; s++)
			ck_assert_uint_eq(views_at(&view, s),
					  events_until(s ? b : a, 0, most - 1, true));
		views_say(&view, "last");
		ck_assert(views_at(&view, 0) == a->indexed && views_at(&view, 1) == b->indexed);

		/* By time, what is left of the longer one is stepped through as well. */
		views_say(&view, "lock time");
		views_say(&view, "first");
		for (uint32_t step = 0; step < a->steps_count; step++)
			views_say(&view, "step");
		index = views_at(&view, 1);
		if (quire_story_end_ns(b) == longer) {
			for (uint32_t step = quire_story_step_at(b, index); step <= b->steps_count;
			     step++) {
				if (step > quire_story_step_at(b, index))
					ck_assert_uint_eq(views_at(&view, 1),
							  quire_story_index_step(b, step - 1));
				views_say(&view, "step");
			}
			ck_assert_uint_eq(views_at(&view, 1), b->indexed);
			views_say(&view, "step-back");
			ck_assert_uint_eq(views_at(&view, 1),
					  quire_story_index_step(b, b->steps_count - 1));
		}
		for (uint32_t step = 0; step <= a->steps_count + b->steps_count; step++)
			views_say(&view, "step-back");
		ck_assert(views_at(&view, 0) <= quire_story_index_step(a, 0));

		views_say(&view, "lock request");
		views_say(&view, "select r3");
		for (uint32_t i = 0; i < 40; i++) {
			uint64_t way = a->indexed * i / 40;
			char line[32];

			snprintf(line, sizeof(line), "seek event %llu", (unsigned long long)way);
			views_say(&view, line);
			ck_assert_uint_eq(views_at(&view, 0), way);
			ck_assert_uint_eq(views_at(&view, 1),
					  quire_story_follow(a, way, b, QUIRE_LOCK_REQUEST, 3));
		}
		views_say(&view, "diverge");
		for (uint32_t s = 0; s < 2; s++)
			ck_assert(views_at(&view, s) > 0);
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
	struct quire_story *story = views_pool(64, 16, &live);
	uint32_t step = 0;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	emit(live, QUIRE_EV_ARRIVE, 0, 0, 0, 8, 500, 1);
	quire_view_tick(&view, 0.01, 1);
	views_say(&view, "last");
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
		ck_assert_uint_eq(views_at(&view, 0), quire_live_count(live));
		ck_assert_uint_eq(view.skipped, more > 1 ? more - 1 : 0);
	}
	/* Somebody looks back; the run goes on. */
	views_say(&view, "seek step 3");
	ck_assert(!view.following && !view.playing);
	emit(live, QUIRE_EV_RUN, step * 1000000ull, step + 1, 1, 1, step + 7, step + 8);
	quire_view_tick(&view, 2, 1);
	ck_assert_uint_eq(views_at(&view, 0), quire_story_index_step(story, 3));
	ck_assert_uint_eq(story->indexed, quire_live_count(live));
	/* It comes to the end, and waits for more. */
	views_say(&view, "speed 1024");
	views_say(&view, "play");
	quire_view_tick(&view, 3, 1);
	ck_assert(view.playing && views_at(&view, 0) == story->indexed);
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

	quire_story_close(views_tell(0, 9));
	story = views_open(0, 0);
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

/* A window may be asked for a moment before it has read as far. */
START_TEST(test_early)
{
	struct quire_story *whole = views_tell(0, 9), *story;
	char last[64];

	for (int way = 0; way < 3; way++) {
		story = views_open(0, 0);
		ck_assert(story->indexed == 0);
		ck_assert(quire_view_init(&view, story, NULL) == 0);
		snprintf(last, sizeof(last), way == 0 ? "seek step %u" : "seek end",
			 whole->steps_count);
		if (way == 2)
			snprintf(last, sizeof(last), "seek %.9fs",
				 (double)quire_story_end_ns(whole) / 1e9);
		ck_assert_msg(quire_view_say(&view, last) == 0, "%s: %s", last, quire_failure());
		ck_assert(quire_view_now_ns(&view, 0) > quire_story_end_ns(whole) / 2);
		quire_view_free(&view);
		quire_story_close(story);
	}
	quire_story_close(whole);
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
	struct quire_story *story = views_samples();
	double last = 1, bright;

	ck_assert(quire_view_init(&view, story, NULL) == 0);
	views_say(&view, "seek step 2");
	ck_assert_double_eq(brightest(&view, QUIRE_FLASH_COPIED), 1);
	/* It goes down to a rest, which stays. */
	ck_assert(quire_view_tick(&view, 0.3, 0));
	bright = brightest(&view, QUIRE_FLASH_COPIED);
	ck_assert(bright < 1 && bright > 0.5);
	quire_view_tick(&view, 10, 0);
	ck_assert(brightest(&view, QUIRE_FLASH_COPIED) > 0.5);
	ck_assert(brightest(&view, QUIRE_FLASH_COPIED) < bright);
	views_say(&view, "step");
	ck_assert_double_eq(brightest(&view, QUIRE_FLASH_COPIED), 0);
	ck_assert_double_eq(brightest(&view, QUIRE_FLASH_GIVEN), 1);
	/* While it plays it fades. */
	views_say(&view, "first");
	views_say(&view, "clock step");
	views_say(&view, "speed 0.25");
	views_say(&view, "play");
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

int main(void)
{
	Suite *suite = suite_create("view");
	TCase *cases = tcase_create("view");
	SRunner *runner;
	int failed;

	views_begin();
	tcase_add_test(cases, test_layout);
	tcase_add_test(cases, test_pool);
	tcase_add_test(cases, test_contrast);
	tcase_add_test(cases, test_legend);
	tcase_add_test(cases, test_documented);
	tcase_add_test(cases, test_keys);
	tcase_add_test(cases, test_parse);
	tcase_add_test(cases, test_steps);
	tcase_add_test(cases, test_play);
	tcase_add_test(cases, test_clock);
	tcase_add_test(cases, test_events);
	tcase_add_test(cases, test_two);
	tcase_add_test(cases, test_live);
	tcase_add_test(cases, test_budget);
	tcase_add_test(cases, test_early);
	tcase_add_test(cases, test_flash);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	views_end();
	return failed;
}
