/*
 * test_draw.c - the pictures: what is kept between frames is as if it were drawn anew, and a
 * few frames are as they were looked at and found good.
 *
 *	QUIRE_FRAMES=write build/dev/tests/test_draw	writes fixtures/frames/ again
 *
 * Look at what it wrote before you keep it.  A frame that differs is left in the build's
 * folder frames/, beside a picture of where it differs.
 */
#include "tale.h"
#include "visualize/draw_parts.h"
#include "visualize/lesson.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- stories and views ---- */

struct show {
	struct tale tales[2];
	struct quire_live *live[2];
	struct quire_story *stories[2];
	struct quire_view view;
};

/* Index some more; as long as it is not all, as if the run went on. */
static void go_on(struct show *show, uint32_t i, uint64_t events_max)
{
	struct quire_story *story = show->stories[i];

	MUST(quire_story_extend(story, events_max) == 0);
	story->over = story->indexed == story->events;
}

static void tell_some(struct show *show, uint32_t i, uint64_t events_max)
{
	MUST(quire_live_new(&show->live[i], 0) == 0);
	tale_run(&show->tales[i], NULL, show->live[i]);
	MUST(quire_story_open_live(&show->stories[i], show->live[i]) == 0);
	go_on(show, i, events_max);
}

static void tell(struct show *show, uint32_t i)
{
	tell_some(show, i, UINT64_MAX);
}

/* A view of the first story, or of both. */
static void look(struct show *show, double width, double height, double scale, double font)
{
	struct quire_story *second = show->stories[1];

	ck_assert_int_eq(quire_view_init(&show->view, show->stories[0], second), 0);
	show->view.font_wish = font;
	quire_view_resize(&show->view, width, height, scale);
	quire_view_tick(&show->view, 0, 0);
}

static void end(struct show *show)
{
	quire_view_free(&show->view);
	for (uint32_t i = 0; i < 2; i++) {
		quire_story_close(show->stories[i]);
		quire_live_free(show->live[i]);
		tale_free(&show->tales[i]);
	}
}

static void say(struct show *show, const char *line)
{
	if (quire_view_say(&show->view, line))
		ck_abort_msg("\"%s\": %s", line, quire_failure());
	/* Messages go, flashes rest. */
	quire_view_tick(&show->view, show->view.now_s + 10, 0);
}

static void set_request(struct tale *t, uint32_t i, uint64_t arrival_ms, uint32_t prompt,
			uint32_t output, uint32_t samples)
{
	t->requests[i] = (struct quire_request){
		.id = i,
		.arrival_ns = arrival_ms * 1000000,
		.prompt_tokens = prompt,
		.output_tokens_max = output + 6,
		.samples = samples,
	};
	t->output_tokens[i] = output;
}

static void begin_tale(struct tale *t, const char *scheduler, const char *allocator,
		       uint32_t requests, uint32_t slots)
{
	tale_make(t, 1);
	t->uneven = false;
	t->ends_known = true;
	snprintf(t->scheduler, sizeof(t->scheduler), "%s", scheduler);
	snprintf(t->allocator, sizeof(t->allocator), "%s", allocator);
	snprintf(t->config_json, sizeof(t->config_json),
		 "{\"scheduler\": \"%s\", \"allocator\": \"%s\"}", scheduler, allocator);
	t->config.requests_count = t->run.requests_count = requests;
	t->config.slots_total = t->run.slots_total = slots;
	t->config.closed_users = t->run.closed_users = 0;
	t->config.seqs_max = t->run.seqs_max = 16;
	t->config.step_tokens_max = 128;
	t->config.seq_tokens_max = t->run.seq_tokens_max = 64;
}

/* Twelve blocks, two requests, the first with three samples: copy-on-write. */
static void lecture(struct show *show)
{
	static const struct {
		uint32_t seq;
		bool answer;
		const char *words;
	} told[] = {
		{0, false, "The quick brown fox jumps over"},
		{1, true, "the lazy dog and runs away ."},
		{2, true, "a sleeping cat . It woke up"},
		{3, true, "the moon as if by magic ."},
	};
	static char words[4][64];

	*show = (struct show){0};
	begin_tale(&show->tales[0], "continuous,prefill=mixed", "paged,block=4,watermark=0,cow=1",
		   2, 48);
	set_request(&show->tales[0], 0, 0, 6, 7, 3);
	set_request(&show->tales[0], 1, 8, 5, 9, 1);
	tell(show, 0);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t position = told[i].answer ? 6 : 0;

		strcpy(words[i], told[i].words);
		for (char *word = strtok(words[i], " "); word; word = strtok(NULL, " ")) {
			struct quire_piece piece = {.request = 0,
						    .seq = told[i].seq,
						    .first = position++,
						    .count = 1,
						    .text = word,
						    .bytes = (uint32_t)strlen(word)};

			MUST(quire_story_add_piece(show->stories[0], &piece) == 0);
		}
	}
}

static void batch(struct tale *t, const char *scheduler, const char *allocator)
{
	begin_tale(t, scheduler, allocator, 16, 1024);
	t->config.seq_tokens_max = t->run.seq_tokens_max = 96;
	t->config.seqs_max = t->run.seqs_max = 8;
	for (uint32_t i = 0; i < 16; i++)
		set_request(t, i, i * 12, 10 + i * 7 % 40, i % 4 ? 6 + i % 3 : 36, 1);
}

static void two(struct show *show)
{
	*show = (struct show){0};
	batch(&show->tales[0], "static,batch=8", "contiguous,reserve=cap,place=buddy,block=16");
	batch(&show->tales[1], "continuous,prefill=mixed", "paged,block=16,watermark=0,cow=1");
	tell(show, 0);
	tell(show, 1);
}

/* So many blocks that some share a pixel. */
static void large(struct show *show, uint32_t slots)
{
	struct tale *t = &show->tales[0];

	*show = (struct show){0};
	begin_tale(t, "continuous,prefill=mixed", "paged,block=4,watermark=0,cow=1", 40, slots);
	t->config.seq_tokens_max = t->run.seq_tokens_max = slots / 8;
	t->config.step_tokens_max = slots / 4;
	t->config.seqs_max = t->run.seqs_max = 40;
	for (uint32_t i = 0; i < 40; i++)
		set_request(t, i, i * 3, slots / 80 + i * 977 % (slots / 20), 20 + i * 7 % 60, 1);
	tell(show, 0);
}

/* ---- surfaces ---- */

static cairo_surface_t *paper(const struct quire_view *view)
{
	return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(view->width * view->scale),
					  (int)ceil(view->height * view->scale));
}

/* A frame on @surface. */
static void draw(struct quire_draw *d, cairo_surface_t *surface, const struct quire_view *view)
{
	cairo_t *cr = cairo_create(surface);

	cairo_scale(cr, view->scale, view->scale);
	ck_assert_msg(quire_draw_frame(d, cr, view) == 0, "%s", quire_failure());
	cairo_destroy(cr);
	cairo_surface_flush(surface);
}

static const uint32_t *row_of(cairo_surface_t *surface, int y)
{
	return (const uint32_t *)(const void *)(cairo_image_surface_get_data(surface) +
						(ptrdiff_t)y *
							cairo_image_surface_get_stride(surface));
}

/* The largest difference of a channel. */
static uint32_t differ(uint32_t a, uint32_t b)
{
	uint32_t most = 0;

	for (uint32_t shift = 0; shift < 24; shift += 8) {
		int x = (int)(a >> shift & 0xff), y = (int)(b >> shift & 0xff);

		most = (uint32_t)abs(x - y) > most ? (uint32_t)abs(x - y) : most;
	}
	return most;
}

/* ---- frames as they were found good ---- */

#define TOLERANCE 12u	 /* of 255, of a channel: another cairo rounds otherwise ... */
#define OUTLIERS  0.0005 /* ... and this share of pixels may differ by more */

static const char *frames_dir(void)
{
	return QUIRE_SOURCE_DIR "/tests/fixtures/frames";
}

static bool is_writing(void)
{
	const char *wish = getenv("QUIRE_FRAMES");

	return wish && strcmp(wish, "write") == 0;
}

/* Keep what was drawn, and where it differs. */
static void leave(cairo_surface_t *drawn, cairo_surface_t *wanted, const char *name)
{
	int width = cairo_image_surface_get_width(drawn);
	int height = cairo_image_surface_get_height(drawn);
	cairo_surface_t *map = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	char path[512];

	mkdir(QUIRE_BUILD_DIR "/frames", 0777);
	snprintf(path, sizeof(path), "%s/frames/%s.png", QUIRE_BUILD_DIR, name);
	cairo_surface_write_to_png(drawn, path);
	if (cairo_image_surface_get_width(wanted) == width &&
	    cairo_image_surface_get_height(wanted) == height) {
		for (int y = 0; y < height; y++) {
			uint32_t *to = (uint32_t *)(uintptr_t)row_of(map, y);

			for (int x = 0; x < width; x++)
				to[x] = differ(row_of(drawn, y)[x], row_of(wanted, y)[x]) * 0x10101;
		}
		cairo_surface_mark_dirty(map);
		snprintf(path, sizeof(path), "%s/frames/%s.where.png", QUIRE_BUILD_DIR, name);
		cairo_surface_write_to_png(map, path);
	}
	cairo_surface_destroy(map);
}

static void compare(cairo_surface_t *drawn, const char *name)
{
	int width = cairo_image_surface_get_width(drawn);
	int height = cairo_image_surface_get_height(drawn);
	cairo_surface_t *wanted;
	uint32_t most = 0;
	char path[512];
	double outliers = 0;

	snprintf(path, sizeof(path), "%s/%s.png", frames_dir(), name);
	if (is_writing()) {
		ck_assert_int_eq(cairo_surface_write_to_png(drawn, path), CAIRO_STATUS_SUCCESS);
		return;
	}
	wanted = cairo_image_surface_create_from_png(path);
	ck_assert_msg(cairo_surface_status(wanted) == CAIRO_STATUS_SUCCESS, "%s: %s", path,
		      cairo_status_to_string(cairo_surface_status(wanted)));
	if (cairo_image_surface_get_width(wanted) != width ||
	    cairo_image_surface_get_height(wanted) != height)
		outliers = INFINITY;
	for (int y = 0; isfinite(outliers) && y < height; y++) {
		const uint32_t *a = row_of(drawn, y), *b = row_of(wanted, y);

		for (int x = 0; x < width; x++) {
			uint32_t d = differ(a[x], b[x]);

			most = d > most ? d : most;
			outliers += d > TOLERANCE;
		}
	}
	if (outliers > OUTLIERS * width * height) {
		leave(drawn, wanted, name);
		ck_abort_msg("%s: %.0f pixels differ, by up to %u; see %s/frames/", name, outliers,
			     most, QUIRE_BUILD_DIR);
	}
	cairo_surface_destroy(wanted);
}

/* Draw the view and compare. */
static void frame(struct show *show, const char *name)
{
	cairo_surface_t *surface = paper(&show->view);
	struct quire_draw *d;

	ck_assert_int_eq(quire_draw_new(&d), 0);
	draw(d, surface, &show->view);
	compare(surface, name);
	quire_draw_free(d);
	cairo_surface_destroy(surface);
}

START_TEST(frame_lecture)
{
	struct show show;

	lecture(&show);
	look(&show, 720, 450, 1, 8);
	say(&show, "seek step 2");
	say(&show, "select r0");
	frame(&show, "lecture-dark");
	say(&show, "theme light");
	say(&show, "panel sequence");
	quire_view_resize(&show.view, 480, 300, 1);
	frame(&show, "copy-on-write-light");
	say(&show, "panel pool");
	say(&show, "theme colour-blind");
	say(&show, "seek step 6");
	frame(&show, "pool-colour-blind");
	end(&show);
}
END_TEST

START_TEST(frame_comparison)
{
	struct show show;

	two(&show);
	look(&show, 720, 450, 1, 8);
	say(&show, "theme light");
	say(&show, "seek 0.2s");
	frame(&show, "two-light");
	say(&show, "panel timeline");
	say(&show, "theme dark");
	frame(&show, "timelines-dark");
	say(&show, "axis steps");
	say(&show, "theme colour-blind");
	frame(&show, "timelines-steps-colour-blind");
	end(&show);
}
END_TEST

START_TEST(frame_waste)
{
	struct show show;

	*(&show) = (struct show){0};
	batch(&show.tales[0], "continuous,prefill=mixed",
	      "contiguous,reserve=cap,place=buddy,block=16");
	tell(&show, 0);
	look(&show, 480, 300, 1, 9);
	say(&show, "theme light");
	say(&show, "seek 0.15s");
	say(&show, "panel pool");
	frame(&show, "waste-light");
	say(&show, "colour fill");
	frame(&show, "waste-by-fill-light");
	say(&show, "panel figures");
	frame(&show, "figures-light");
	say(&show, "theme dark");
	say(&show, "panel queues");
	frame(&show, "queues-dark");
	end(&show);
}
END_TEST

START_TEST(frame_large)
{
	struct show show;

	large(&show, 400000);
	look(&show, 480, 300, 1, 8);
	say(&show, "seek 9s");
	say(&show, "panel pool");
	frame(&show, "large-dark");
	say(&show, "select r20");
	say(&show, "panel sequence");
	frame(&show, "strips-dark");
	end(&show);
}
END_TEST

START_TEST(frame_words)
{
	static const char text[] = "Three samples share the prompt: its blocks are there once.";
	struct show show;

	lecture(&show);
	look(&show, 480, 300, 1, 7);
	say(&show, "seek step 1");
	show.view.caption = (struct quire_caption){
		.title = "Copy-on-write",
		.text = text,
		.question = "Who will pay for the first token that differs?",
		.number = 2,
		.count = 5,
	};
	quire_view_layout(&show.view);
	frame(&show, "lesson-dark");
	show.view.caption = (struct quire_caption){0};
	say(&show, "help");
	say(&show, "theme light");
	frame(&show, "help-light");
	end(&show);
}
END_TEST

/* A tooltip comes where the pointer is, wherever that is, and all of it is in the window. */
START_TEST(tooltip)
{
	static const double places[][2] = {{1, 1}, {479, 1}, {1, 299}, {479, 299}, {240, 150}};
	cairo_surface_t *without, *with;
	struct quire_draw *d;
	struct show show;

	lecture(&show);
	look(&show, 480, 300, 1, 7);
	say(&show, "seek step 2");
	ck_assert_int_eq(quire_draw_new(&d), 0);
	without = paper(&show.view);
	with = paper(&show.view);
	draw(d, without, &show.view);
	show.view.hover =
		(struct quire_hit){.kind = QUIRE_HIT_STEP, .panel = QUIRE_PANEL_STEPS, .step = 2};
	for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int left = 480, top = 300, right = 0, bottom = 0;

		show.view.pointer_x = places[i][0];
		show.view.pointer_y = places[i][1];
		/* Not at once. */
		show.view.hover_s = show.view.now_s;
		draw(d, with, &show.view);
		for (int y = 0; y < 300; y++)
			if (memcmp(row_of(with, y), row_of(without, y), 480 * 4) != 0)
				ck_abort_msg("the pointer has not rested, and line %d differs", y);
		show.view.hover_s = show.view.now_s - 1;
		draw(d, with, &show.view);
		for (int p = 0; p < 480 * 300; p++) {
			int x = p % 480, y = p / 480;

			if (row_of(with, y)[x] == row_of(without, y)[x])
				continue;
			left = x < left ? x : left;
			right = x > right ? x : right;
			top = y < top ? y : top;
			bottom = y > bottom ? y : bottom;
		}
		ck_assert_int_gt(right - left, 60);
		ck_assert_int_gt(bottom - top, 12);
		ck_assert_int_lt(right - left, 300);
		/* Near, and not cut off. */
		ck_assert(left > 0 && top > 0 && right < 479 && bottom < 299);
		ck_assert(left < places[i][0] + 30 && right > places[i][0] - 30);
		ck_assert(top < places[i][1] + 30 && bottom > places[i][1] - 30);
	}
	quire_draw_free(d);
	cairo_surface_destroy(without);
	cairo_surface_destroy(with);
	end(&show);
}
END_TEST

/* ---- what is kept is as if it were drawn anew ---- */

static uint32_t at_random(struct quire_rng *rng, uint32_t below)
{
	return quire_rng_below(rng, below);
}

/* Something that a viewer might do. */
static void do_something(struct show *show, struct quire_rng *rng)
{
	struct quire_view *view = &show->view;
	const struct quire_story *story = show->stories[0];
	char line[128];

	switch (at_random(rng, 22)) {
	case 0:
		snprintf(line, sizeof(line), "seek event %u",
			 at_random(rng, (uint32_t)story->indexed + 1));
		break;
	case 1:
		snprintf(line, sizeof(line), "colour %s",
			 (const char *const[]){"owner", "refs", "fill", "age"}[at_random(rng, 4)]);
		break;
	case 2:
		snprintf(line, sizeof(line), "theme %s",
			 quire_themes[at_random(rng, QUIRE_THEMES)].name);
		break;
	case 3:
		snprintf(line, sizeof(line), "select-next");
		break;
	case 4:
		snprintf(line, sizeof(line), at_random(rng, 2) ? "select-none" : "axis");
		break;
	case 5:
		snprintf(line, sizeof(line), "zoom %.3f %s", 0.5 + at_random(rng, 100) / 50.0,
			 at_random(rng, 2) ? "pool" : "timeline");
		break;
	case 6:
		snprintf(line, sizeof(line), "pan %d %d %s", (int)at_random(rng, 80) - 40,
			 (int)at_random(rng, 80) - 40, at_random(rng, 2) ? "pool" : "timeline");
		break;
	case 7:
		snprintf(line, sizeof(line), "fit");
		break;
	case 8:
		snprintf(line, sizeof(line), "step-back");
		break;
	case 9:
		view->playing = true;
		view->speed = at_random(rng, 2) ? 1 : 16;
		quire_view_tick(view, view->now_s + at_random(rng, 20) / 60.0, 0);
		view->playing = false;
		return;
	case 10:
		quire_view_resize(view, 150 + at_random(rng, 400), 100 + at_random(rng, 300),
				  at_random(rng, 3) ? 1 : 1.5);
		return;
	case 11:
		snprintf(line, sizeof(line), "event");
		break;
	case 12:
		snprintf(line, sizeof(line), "panel %s",
			 (const char *const[]){"pool", "timeline", "figures"}[at_random(rng, 3)]);
		break;
	case 13:
	case 14:
	case 15: /* a live run goes on */
		for (uint32_t s = 0; s < view->sides_count; s++)
			go_on(show, s, at_random(rng, 200));
		snprintf(line, sizeof(line), "last");
		break;
	default: /* mostly, time goes on */
		snprintf(line, sizeof(line), "step");
		break;
	}
	/* What cannot be done now is not done. */
	quire_view_say(view, line);
	quire_view_tick(view, view->now_s + 1 / 60.0, 0);
}

/* Whose panel it is, for a message. */
static const char *panel_at(const struct quire_view *view, int x, int y)
{
	static const char *const names[QUIRE_PANEL_COUNT] = {
#define X(name, title) #name,
		QUIRE_PANELS(X)
#undef X
	};

	for (uint32_t s = 0; s < view->sides_count; s++)
		for (uint32_t p = 0; p < QUIRE_PANEL_COUNT; p++)
			if (quire_rect_has(&view->sides[s].panels[p], x / view->scale,
					   y / view->scale))
				return names[p];
	return "no panel";
}

static void expect_same(cairo_surface_t *kept, cairo_surface_t *anew, const struct show *show,
			uint64_t seed, uint32_t round)
{
	int width = cairo_image_surface_get_width(kept);
	int height = cairo_image_surface_get_height(kept);
	char name[32];

	for (int y = 0; y < height; y++) {
		const uint32_t *a = row_of(kept, y), *b = row_of(anew, y);

		for (int x = 0; x < width; x++) {
			/* At a clip's edge cairo rounds otherwise. */
			if (differ(a[x], b[x]) <= 6)
				continue;
			snprintf(name, sizeof(name), "kept-%llu", (unsigned long long)seed);
			leave(kept, anew, name);
			ck_abort_msg("seed %llu, round %u: pixel %d %d of %s is %06x, drawn anew "
				     "%06x; step %u, %u cells",
				     (unsigned long long)seed, round, x, y,
				     panel_at(&show->view, x, y), a[x] & 0xffffff, b[x] & 0xffffff,
				     show->view.sides[0].scene.state.counts.step,
				     show->stories[0]->cells_count);
		}
	}
}

static uint64_t first_seed(void)
{
	const char *text = getenv("QUIRE_TEST_SEED");

	return text ? strtoull(text, NULL, 10) : 1;
}

START_TEST(kept_as_anew)
{
	uint64_t seed = first_seed() + (uint64_t)_i;
	struct quire_draw *d, *fresh;
	struct quire_rng rng;
	struct show show = {0};
	uint32_t sides;

	quire_rng_seed(&rng, seed, "draw");
	sides = at_random(&rng, 4) == 0 ? 2 : 1;
	for (uint32_t s = 0; s < sides; s++) {
		struct tale *t = &show.tales[s];

		tale_make(t, at_random(&rng, 1000));
		/* From blocks of many points to several in a pixel. */
		if (at_random(&rng, 2))
			t->config.slots_total = t->run.slots_total =
				500 + at_random(&rng, 1u << at_random(&rng, 17));
		/* Where two stories part is looked for now and then as they grow. */
		if (sides > 1 || at_random(&rng, 2))
			tell(&show, s);
		else
			tell_some(&show, s, at_random(&rng, 400));
	}
	look(&show, 300, 200, 1, 6 + at_random(&rng, 4));
	ck_assert_int_eq(quire_draw_new(&d), 0);
	for (uint32_t round = 0; round < 60; round++) {
		struct quire_view before;
		cairo_surface_t *kept, *anew;

		do_something(&show, &rng);
		for (uint32_t s = 0; s < sides; s++)
			go_on(&show, s, 0);
		memcpy(&before, &show.view, sizeof(before));
		kept = paper(&show.view);
		anew = paper(&show.view);
		draw(d, kept, &show.view);
		ck_assert_msg(memcmp(&before, &show.view, sizeof(before)) == 0,
			      "drawing changed the view");
		ck_assert_int_eq(quire_draw_new(&fresh), 0);
		draw(fresh, anew, &show.view);
		quire_draw_free(fresh);
		expect_same(kept, anew, &show, seed, round);
		cairo_surface_destroy(kept);
		cairo_surface_destroy(anew);
	}
	quire_draw_free(d);
	end(&show);
}
END_TEST

/* ---- a pixel is the mean of its cells ---- */

/* The slow way: the area that each cell has of each pixel. */
static void mean_of(const uint32_t *looks, uint32_t columns, uint32_t rows, uint32_t ground,
		    double x, double y, double pitch, int px, int py, double mean[3])
{
	double left = 1;

	mean[0] = mean[1] = mean[2] = 0;
	for (uint32_t i = 0; i < columns * rows; i++) {
		double x0 = fmax(x + i % columns * pitch, px),
		       y0 = fmax(y + i / columns * pitch, py);
		double x1 = fmin(x + (i % columns + 1) * pitch, px + 1);
		double y1 = fmin(y + (i / columns + 1) * pitch, py + 1), area;

		area = fmax(0, x1 - x0) * fmax(0, y1 - y0);
		left -= area;
		for (uint32_t c = 0; c < 3; c++)
			mean[c] += area * (looks[i] >> (16 - 8 * c) & 0xff);
	}
	for (uint32_t c = 0; c < 3; c++)
		mean[c] += fmax(left, 0) * (ground >> (16 - 8 * c) & 0xff);
}

START_TEST(pixels_are_means)
{
	uint64_t seed = first_seed();
	struct quire_rng rng;

	quire_rng_seed(&rng, seed, "pixels");
	for (uint32_t round = 0; round < 200; round++) {
		uint32_t columns = 1 + at_random(&rng, 30), rows = 1 + at_random(&rng, 20);
		double pitch = 0.15 + at_random(&rng, 280) / 100.0;
		double x = at_random(&rng, 600) / 100.0 - 3, y = at_random(&rng, 600) / 100.0 - 3;
		struct draw_cover covers[2][24];
		uint32_t looks[600], pixels[24 * 24];
		struct draw_image image = {
			.pixels = pixels, .width = 24, .height = 24, .stride = 24};
		struct draw_field field = {.looks = looks,
					   .columns = columns,
					   .rows = rows,
					   .across = covers[0],
					   .down = covers[1],
					   .ground = at_random(&rng, 1u << 24)};

		for (uint32_t i = 0; i < columns * rows; i++)
			looks[i] = at_random(&rng, 1u << 24);
		draw_pixels_covers(covers[0], 24, x, pitch, columns);
		draw_pixels_covers(covers[1], 24, y, pitch, rows);
		draw_pixels(&image, &field, -5, 0, 24, 99);
		for (int i = 0; i < 24 * 24; i++) {
			double mean[3];

			mean_of(looks, columns, rows, field.ground, x, y, pitch, i % 24, i / 24,
				mean);
			for (uint32_t c = 0; c < 3; c++) {
				double is = pixels[i] >> (16 - 8 * c) & 0xff;

				/* Weights have 8 bits, on both axes, and are cut off. */
				if (fabs(is - mean[c]) > 6)
					ck_abort_msg("seed %llu, round %u: pixel %d of pitch %.2f "
						     "has %.0f, expected %.2f",
						     (unsigned long long)seed, round, i, pitch, is,
						     mean[c]);
			}
		}
	}
}
END_TEST

/* ---- colours ---- */

static void reads(const struct quire_theme *theme, const char *what, uint32_t colour, double least)
{
	double on_panel = draw_contrast(colour, theme->panel);

	if (on_panel < least)
		ck_abort_msg("%s: %s has contrast %.2f, at least %.1f is asked", theme->name, what,
			     on_panel, least);
}

START_TEST(contrasts)
{
	const struct quire_theme *theme = &quire_themes[_i];

	ck_assert(fabs(draw_contrast(0x000000, 0xffffff) - 21) < 0.01);
	ck_assert(fabs(draw_contrast(0x777777, 0xffffff) - 4.478) < 0.01);
	reads(theme, "ink", theme->ink, 7);
	reads(theme, "faint", theme->faint, 4.5);
	reads(theme, "accent", theme->accent, 4.5);
	reads(theme, "warn", theme->warn, 4.5);
	ck_assert(draw_contrast(theme->ink, theme->ground) >= 7);
	ck_assert(draw_contrast(theme->faint, theme->ground) >= 4.5);
	reads(theme, "given", theme->given, _i == QUIRE_LIGHT ? 2 : 3);
	reads(theme, "freed", theme->freed, 3);
	reads(theme, "shared", theme->shared, 3);
	reads(theme, "copied", theme->copied, 3);
	reads(theme, "taken", theme->taken, 3);
	reads(theme, "internal", theme->internal, 3);
	reads(theme, "reserved", theme->reserved, 3);
	reads(theme, "unmapped", theme->unmapped, 3);
	for (uint32_t i = 0; i < QUIRE_SPAN_COUNT; i++)
		reads(theme, quire_span_words[i], theme->span[i], 3);
	for (uint32_t i = 0; i < QUIRE_SERIES_COUNT; i++)
		if (i != QUIRE_SERIES_FREE)
			reads(theme, quire_series_words[i], theme->series[i], 3);
	for (uint32_t i = 0; i < QUIRE_OWNER_COLOURS; i++) {
		reads(theme, "an owner", theme->owner[i], 3);
		ck_assert(draw_contrast(draw_ink_on(theme->owner[i]), theme->owner[i]) >= 4.5);
	}
	for (uint32_t i = 0; i < 4; i++) {
		ck_assert(draw_contrast(draw_ink_on(theme->refs[i]), theme->refs[i]) >= 4.5);
		if (i)
			ck_assert_uint_ne(theme->refs[i], theme->refs[i - 1]);
	}
}
END_TEST

/* What is not live is told apart without colours, by how light it is and how it
 * varies. */
START_TEST(fills_in_grey)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 60, 60);
	double mean[DRAW_FILLS], spread[DRAW_FILLS];
	struct quire_draw *d;

	ck_assert_int_eq(quire_draw_new(&d), 0);
	d->theme = &quire_themes[_i];
	d->em = 12;
	d->scale = 1;
	for (uint32_t f = 0; f < DRAW_FILLS; f++) {
		double sum = 0, squares = 0;

		d->cr = cairo_create(surface);
		draw_fill(d, 0, 0, 60, 60, (enum draw_fill)f, d->theme->owner[0]);
		cairo_destroy(d->cr);
		cairo_surface_flush(surface);
		for (int i = 0; i < 3600; i++) {
			uint32_t p = row_of(surface, i / 60)[i % 60];
			double grey =
				0.3 * (p >> 16 & 0xff) + 0.59 * (p >> 8 & 0xff) + 0.11 * (p & 0xff);

			sum += grey;
			squares += grey * grey;
		}
		mean[f] = sum / 3600;
		spread[f] = sqrt(squares / 3600 - mean[f] * mean[f]);
	}
	for (uint32_t a = 0; a < DRAW_FILLS; a++)
		for (uint32_t b = 0; b < a; b++) {
			bool crossed = a == DRAW_CROSSED || b == DRAW_CROSSED;

			/* Padding is told from memory's waste by where it is. */
			if (!crossed && fabs(mean[a] - mean[b]) < 8 &&
			    fabs(spread[a] - spread[b]) < 5)
				ck_abort_msg(
					"%s: fills %u and %u look alike in grey: %.1f +- %.1f, "
					"%.1f +- %.1f",
					d->theme->name, a, b, mean[a], spread[a], mean[b],
					spread[b]);
		}
	d->cr = NULL;
	quire_draw_free(d);
	cairo_surface_destroy(surface);
}
END_TEST

/* ---- letters and numbers ---- */

START_TEST(letters)
{
	struct quire_draw *d;
	double one, two_letters;

	ck_assert_int_eq(quire_draw_new(&d), 0);
	one = quire_draw_text_width(d, "n", 10, false);
	two_letters = quire_draw_text_width(d, "nn", 10, false);
	ck_assert(one > 5 && one < 8);
	ck_assert(fabs(two_letters - 2 * one) < 1e-9);
	ck_assert(fabs(quire_draw_text_width(d, "n", 20, false) - 2 * one) < 1e-9);
	ck_assert(quire_draw_text_width(d, "n", 10, true) > one);
	ck_assert(quire_draw_text_width(d, "", 10, false) == 0);
	/* Digits are as wide as one another. */
	ck_assert(fabs(quire_draw_text_width(d, "1111", 10, true) -
		       quire_draw_text_width(d, "0808", 10, true)) < 1e-9);
	/* UTF-8, whole and broken. */
	ck_assert(quire_draw_text_width(d, "\xc3\xa9", 10, false) < 1.3 * one);
	ck_assert(quire_draw_text_width(d, "\xc3", 10, false) > 0);
	ck_assert(quire_draw_text_width(d, "\xff\xfe\x80", 10, false) > 0);
	quire_draw_free(d);
}
END_TEST

START_TEST(numbers)
{
	static const struct {
		double value;
		const char *text;
	} seconds[] = {
		{0, "0.00 s"},
		{1.5, "1.50 s"},
		{12.34, "12.3 s"},
		{123.4, "123 s"},
		{0.0123, "12.3 ms"},
		{0.9999, "1.00 s"},
		{0.99994e-3, "1.00 ms"},
		{4.2e-5, "42.0 \xc2\xb5s"},
		{1234567, "1,234,567 s"},
	};
	char text[32];

	ck_assert_str_eq(draw_count(0, text), "0");
	ck_assert_str_eq(draw_count(999, text), "999");
	ck_assert_str_eq(draw_count(1000, text), "1,000");
	ck_assert_str_eq(draw_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
	ck_assert_str_eq(draw_number(NAN, text), "\xe2\x80\x93");
	ck_assert_str_eq(draw_number(0.5, text), "0.50");
	ck_assert_str_eq(draw_number(9.996, text), "10.0");
	ck_assert_str_eq(draw_number(99.96, text), "100");
	ck_assert_str_eq(draw_number(1234.4, text), "1,234");
	for (uint32_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		ck_assert_str_eq(draw_seconds(seconds[i].value, text), seconds[i].text);
}
END_TEST

/* What is cut is no wider than it may be, and never ends inside a letter. */
START_TEST(cut_text)
{
	static const char text[] = "caf\xc3\xa9 na\xc3\xafve \xe2\x86\x92 \xe4\xb8\xad\xe6\x96\x87";
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 200, 20);
	struct quire_draw *d;

	ck_assert_int_eq(quire_draw_new(&d), 0);
	d->theme = &quire_themes[QUIRE_DARK];
	d->cr = cairo_create(surface);
	d->scale = 1;
	d->pixels = true;
	for (double width = 1; width < 150; width += 0.5) {
		double drawn = draw_text(d, 0, 15, text,
					 (struct draw_style){.points = 10, .width = width});

		if (drawn > width)
			ck_abort_msg("%.1f wide, only %.1f is allowed", drawn, width);
	}
	cairo_destroy(d->cr);
	d->cr = NULL;
	quire_draw_free(d);
	cairo_surface_destroy(surface);
}
END_TEST

/* How many lines @text fills, word by word. */
static uint32_t lines_of(struct quire_draw *d, const char *text, double points, bool bold,
			 double width)
{
	double room = width, blank = quire_draw_text_width(d, " ", points, bold), word;
	uint32_t lines = 1;
	char part[128];

	while (*text) {
		size_t length = strcspn(text, " ");

		snprintf(part, sizeof(part), "%.*s", (int)length, text);
		word = quire_draw_text_width(d, part, points, bold);
		if (word > room && room < width) {
			lines++;
			room = width;
		}
		room -= word + blank;
		text += length + strspn(text + length, " ");
	}
	return lines;
}

/* Every text of the shipped lessons has room, in letters that can be read. */
START_TEST(captions_fit)
{
	static const double sizes[][3] = {{800, 600, 0},   {1024, 768, 0},   {1280, 720, 0},
					  {1920, 1080, 0}, {1920, 1080, 24}, {1920, 1080, 32},
					  {3840, 2160, 0}, {3840, 2160, 48}};
	struct quire_draw *d;
	struct show show;
	const char *name;

	lecture(&show);
	look(&show, 720, 450, 1, 8);
	ck_assert_int_eq(quire_draw_new(&d), 0);
	for (uint32_t i = 0; (name = quire_lesson_name(i, NULL)); i++) {
		struct quire_lesson lesson;

		ck_assert_msg(quire_lesson_read(&lesson, name) == 0, "%s", quire_failure());
		for (uint32_t m = 0; m < lesson.moments_count * 8; m++) {
			const struct quire_moment *moment = &lesson.moments[m / 8];
			struct quire_view *v = &show.view;
			const double *size = sizes[m % 8];
			const char *rest = moment->reveal ? moment->reveal : "";
			struct quire_rect body;
			double points;
			uint32_t lines;

			v->caption = (struct quire_caption){.title = lesson.title,
							    .text = moment->say,
							    .question = moment->ask,
							    .answer = moment->reveal};
			v->font_wish = size[2];
			quire_view_resize(v, size[0], size[1], 1);
			body = quire_place_body(v, 0, QUIRE_PANEL_LESSON);
			/* The title's line is above. */
			points = 0.8 * v->font_points;
			lines = lines_of(d, moment->say, points, false, body.width) +
				(*rest ? lines_of(d, rest, points, true, body.width) : 0);
			if (lines * QUIRE_CAPTION_LINE * points >
			    body.height - 1.4 * v->font_points)
				ck_abort_msg("%s, moment %u: no room for %u lines at %g x %g, "
					     "letters of %g",
					     name, m / 8 + 1, lines, size[0], size[1],
					     v->font_points);
		}
		quire_lesson_free(&lesson);
	}
	quire_draw_free(d);
	end(&show);
}
END_TEST

/* ---- other surfaces, other sizes ---- */

struct bytes {
	size_t count;
	char head[8];
	bool images; /* there is one in it */
};

static cairo_status_t swallow(void *closure, const unsigned char *data, unsigned int length)
{
	struct bytes *b = closure;

	for (unsigned int i = 0; i < length && b->count + i < sizeof(b->head); i++)
		b->head[b->count + i] = (char)data[i];
	b->count += length;
	for (unsigned int i = 0; i + 6 < length; i++)
		b->images |= memcmp(data + i, "<image", 6) == 0;
	return CAIRO_STATUS_SUCCESS;
}

START_TEST(vectors)
{
	struct bytes svg = {0}, pdf = {0};
	cairo_surface_t *surface;
	struct quire_draw *d;
	struct show show;

	lecture(&show);
	look(&show, 720, 450, 1, 8);
	say(&show, "seek step 2");
	say(&show, "select r0");
	ck_assert_int_eq(quire_draw_new(&d), 0);
	surface = cairo_svg_surface_create_for_stream(swallow, &svg, 720, 450);
	draw(d, surface, &show.view);
	cairo_surface_destroy(surface);
	surface = cairo_pdf_surface_create_for_stream(swallow, &pdf, 720, 450);
	draw(d, surface, &show.view);
	cairo_surface_destroy(surface);
	ck_assert(memcmp(svg.head, "<?xml", 5) == 0 && svg.count > 20000);
	ck_assert(memcmp(pdf.head, "%PDF", 4) == 0 && pdf.count > 10000);
	ck_assert_msg(!svg.images, "a lecture's picture is made of lines, not of pixels");
	quire_draw_free(d);
	end(&show);

	/* A large pool is an image in it. */
	large(&show, 400000);
	look(&show, 720, 450, 1, 8);
	ck_assert_int_eq(quire_draw_new(&d), 0);
	svg = (struct bytes){0};
	surface = cairo_svg_surface_create_for_stream(swallow, &svg, 720, 450);
	draw(d, surface, &show.view);
	cairo_surface_destroy(surface);
	ck_assert(svg.images && svg.count < 4000000);
	quire_draw_free(d);
	end(&show);
}
END_TEST

/* Windows that nobody would want, and letters as large as they: nothing breaks.
 */
START_TEST(odd_sizes)
{
	static const double sizes[] = {1, 7, 40, 133, 300, 700};
	static const double fonts[] = {1, 6, 20, 60};
	struct quire_draw *d;
	struct show show;

	if (_i)
		two(&show);
	else
		lecture(&show);
	look(&show, 300, 200, 1, 8);
	say(&show, "seek step 3");
	say(&show, "select r0");
	ck_assert_int_eq(quire_draw_new(&d), 0);
	for (uint32_t i = 0; i < 6 * 6 * 4; i++) {
		cairo_surface_t *surface;

		show.view.font_wish = fonts[i / 36];
		quire_view_resize(&show.view, sizes[i % 6], sizes[i / 6 % 6], i % 3 ? 1 : 2.5);
		surface = paper(&show.view);
		draw(d, surface, &show.view);
		cairo_surface_destroy(surface);
	}
	quire_draw_free(d);
	end(&show);
}
END_TEST

/* Before the first event, and before anything is indexed. */
START_TEST(nothing_yet)
{
	cairo_surface_t *surface;
	struct quire_draw *d;
	struct show show = {0};

	batch(&show.tales[0], "continuous,prefill=mixed", "paged,block=16,watermark=0,cow=1");
	MUST(quire_live_new(&show.live[0], 0) == 0);
	tale_run(&show.tales[0], NULL, show.live[0]);
	MUST(quire_story_open_live(&show.stories[0], show.live[0]) == 0);
	ck_assert_int_eq(quire_view_init(&show.view, show.stories[0], NULL), 0);
	quire_view_resize(&show.view, 720, 450, 1);
	ck_assert_int_eq(quire_draw_new(&d), 0);
	surface = paper(&show.view);
	draw(d, surface, &show.view);
	/* It grows, a few events at a time. */
	for (uint32_t i = 0; i < 40; i++) {
		MUST(quire_story_extend(show.stories[0], 50) == 0);
		quire_view_say(&show.view, "last");
		quire_view_tick(&show.view, 0.1 * i, 0);
		draw(d, surface, &show.view);
	}
	cairo_surface_destroy(surface);
	quire_draw_free(d);
	end(&show);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("draw");
	TCase *frames = tcase_create("frames"), *kept = tcase_create("kept");
	TCase *parts = tcase_create("parts");
	SRunner *runner;
	int failed;

	tcase_add_test(frames, frame_lecture);
	tcase_add_test(frames, frame_comparison);
	tcase_add_test(frames, frame_waste);
	tcase_add_test(frames, frame_large);
	tcase_add_test(frames, frame_words);
	suite_add_tcase(suite, frames);
	tcase_add_loop_test(kept, kept_as_anew, 0, 24);
	tcase_add_test(kept, pixels_are_means);
	suite_add_tcase(suite, kept);
	tcase_add_loop_test(parts, contrasts, 0, QUIRE_THEMES);
	tcase_add_loop_test(parts, fills_in_grey, 0, QUIRE_THEMES);
	tcase_add_test(parts, letters);
	tcase_add_test(parts, numbers);
	tcase_add_test(parts, cut_text);
	tcase_add_test(parts, tooltip);
	tcase_add_test(parts, captions_fit);
	tcase_add_test(parts, vectors);
	tcase_add_loop_test(parts, odd_sizes, 0, 2);
	tcase_add_test(parts, nothing_yet);
	suite_add_tcase(suite, parts);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
