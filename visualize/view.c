/*
 * view.c - a view, and where things of it are: the pool's cells, the axis of time, how
 * bright a flash is.
 *
 *	view.c		making, layout, the pool's grid, the axis, flashes
 *	view_time.c	head and positions, two stories, playing
 *	view_do.c	commands; view_go.c those about time, view_move.c zoom and pan
 *	view_parse.c	commands in words; view_line.c the command line that shows a view again
 *	view_input.c	keys and the pointer
 *	view_hit.c	what lies under a point
 *	view_words*.c	tooltips
 */
#include "view_parts.h"

#include <math.h>
#include <string.h>

int quire_view_init(struct quire_view *view, struct quire_story *a, struct quire_story *b)
{
	struct quire_story *stories[2] = {a, b};
	int rc = 0;

	memset(view, 0, sizeof(*view));
	for (; view->sides_count < 2 && stories[view->sides_count] && rc == 0;) {
		struct quire_side *side = &view->sides[view->sides_count];

		side->story = stories[view->sides_count];
		rc = quire_scene_init(&side->scene, side->story);
		view->sides_count += rc == 0;
	}
	if (rc) {
		quire_view_free(view);
		return rc;
	}
	view->speed = 1;
	view->until = INFINITY;
	view->mark_kind = QUIRE_EV_PREEMPT;
	view->alone = -1;
	view->pointer_x = view->pointer_y = -1;
	view->jumped = view->changed = true;
	for (uint32_t s = 0; s < view->sides_count; s++)
		if (view->sides[s].story->trouble[0])
			view_message(view, "%s", view->sides[s].story->trouble);
	quire_view_resize(view, 1280, 720, 1);
	return 0;
}

void quire_view_free(struct quire_view *view)
{
	for (uint32_t s = 0; s < view->sides_count; s++)
		quire_scene_free(&view->sides[s].scene);
	memset(view, 0, sizeof(*view));
}

/* ---- layout ---- */

/* Help takes what it can get, in two columns where they have room; a search is one line. */
static void place_dialog(struct quire_view *view)
{
	double em = view->font_points, width = 0, height = 0;
	bool two = view->width > 72 * em;
	uint32_t keys = 0;

	for (uint32_t i = 0; i < QUIRE_COMMAND_COUNT; i++)
		keys += quire_command_texts[i].key[0] != 0;
	if (view->searching) {
		width = 30 * em;
		height = 4.4 * em;
	} else if (view->help) {
		width = (two ? 70 : 40) * em;
		height = ((two ? (keys + 1) / 2 : keys) * 1.6 + 5) * em;
	}
	width = fmin(width, view->width - 2 * em);
	height = fmin(height, view->height - 2 * em);
	view->dialog = (struct quire_rect){0};
	if (width <= 0 || height <= 0)
		return;
	view->dialog = (struct quire_rect){
		.x = (view->width - width) / 2,
		.y = (view->height - height) / (view->searching ? 4 : 2),
		.width = width,
		.height = height,
	};
}

void quire_view_layout(struct quire_view *view)
{
	view->font_points = view->font_wish;
	if (view->font_points <= 0)
		view->font_points = round(fmin(fmax(9 + view->height / 144, 10), 28));
	quire_place_panels(view);
	place_dialog(view);
	view->changed = true;
}

void quire_view_resize(struct quire_view *view, double width, double height, double scale)
{
	view->width = width;
	view->height = height;
	view->scale = scale > 0 ? scale : 1;
	quire_view_layout(view);
	for (uint32_t s = 0; s < view->sides_count; s++)
		view_keep_in_sight(view, s);
}

/* ---- the pool ---- */

/* Between cells that are @pitch pixels apart. */
static double gap_of(double pitch, double em)
{
	if (pitch < 3)
		return 0;
	return pitch < 12 ? 1 : floor(fmin(fmax(0.08 * pitch, 1), 0.6 * em));
}

/* How many cells stand in a row, or in a column. */
static double along(double pixels, double pitch, double em)
{
	return floor((pixels + gap_of(pitch, em)) / pitch);
}

/* The largest pitch, in pixels, at which @count cells fit: whole pixels, if there are some. */
static double fit(double width, double height, uint32_t count, double em)
{
	double pitch = floor(11 * em), low = 0, high = 3;

	for (; pitch >= 3; pitch--)
		if (along(width, pitch, em) * along(height, pitch, em) >= count)
			return pitch;
	for (int i = 0; i < 40; i++) {
		pitch = (low + high) / 2;
		*(floor(width / pitch) * floor(height / pitch) >= count ? &low : &high) = pitch;
	}
	return low;
}

/* Slots in a row: words are wider than they are high, and rows alike look best. */
static uint32_t slots_in_row(uint32_t slots)
{
	uint32_t least = (uint32_t)ceil(sqrt(slots / 2.0));

	for (uint32_t columns = least; columns <= 2 * least && columns <= slots; columns++)
		if (slots % columns == 0)
			return columns;
	return least;
}

static void place_slots(const struct quire_view *view, uint32_t side, struct quire_pool_grid *grid)
{
	struct quire_rect at = quire_view_cell(grid, 0), slot;
	double em = view->font_points;

	grid->slot_columns = slots_in_row(view->sides[side].story->cell_slots);
	slot = quire_place_slot(view, side, grid, &at, 0);
	if (slot.width < 1.2 * em || slot.height < 1.1 * em)
		grid->slot_columns = 0;
}

struct quire_pool_grid quire_view_pool(const struct quire_view *view, uint32_t side)
{
	const struct quire_side *of = &view->sides[side];
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_POOL);
	double scale = view->scale, em = view->font_points * scale;
	double width = floor(body.width * scale), height = floor(body.height * scale);
	uint32_t count = of->story->cells_count;
	struct quire_pool_grid grid = {0};
	double pitch;

	if (width < 1 || height < 1 || !count)
		return grid;
	pitch = fit(width, height, count, em);
	grid.columns = (uint32_t)fmax(along(width, pitch, em), 1);
	grid.rows = (count + grid.columns - 1) / grid.columns;
	grid.columns = (count + grid.rows - 1) / grid.rows; /* rows alike */
	pitch = fmax(pitch, of->cell_points * scale);
	if (pitch >= 3)
		pitch = floor(pitch + 1e-6);
	grid.pitch = pitch / scale;
	grid.size = (pitch - gap_of(pitch, em)) / scale;
	grid.x = (ceil(body.x * scale) - round(of->pool_x * scale)) / scale;
	grid.y = (ceil(body.y * scale) - round(of->pool_y * scale)) / scale;
	place_slots(view, side, &grid);
	return grid;
}

struct quire_rect quire_view_cell(const struct quire_pool_grid *grid, uint32_t cell)
{
	if (!grid->columns)
		return (struct quire_rect){0};
	return (struct quire_rect){grid->x + cell % grid->columns * grid->pitch,
				   grid->y + cell / grid->columns * grid->pitch, grid->size,
				   grid->size};
}

/* ---- the axis ---- */

double view_axis_of(const struct quire_view *view, uint32_t side, uint64_t at_ns)
{
	const struct quire_story *story = view->sides[side].story;
	const struct quire_story_step *step;
	uint64_t until_ns;
	uint32_t i;

	if (!view->axis_steps)
		return (double)at_ns;
	if (!story->steps_count)
		return 1;
	i = quire_story_steps_ns(story, at_ns);
	step = &story->steps[i];
	until_ns = i + 1 < story->steps_count ? step[1].begin_ns : step->end_ns;
	if (at_ns <= step->begin_ns || until_ns <= step->begin_ns)
		return i + 1.0 + (at_ns > step->begin_ns);
	return i + 1 +
	       fmin((double)(at_ns - step->begin_ns) / (double)(until_ns - step->begin_ns), 1);
}

double quire_view_x_of(const struct quire_view *view, uint32_t side, uint64_t at_ns)
{
	struct quire_axis_range axis = quire_place_axis(view, side);
	struct quire_rect bars = quire_place_bars(view, side, QUIRE_PANEL_TIMELINE);

	if (bars.width <= 0)
		bars = quire_place_bars(view, side, QUIRE_PANEL_STEPS);
	return bars.x + (view_axis_of(view, side, at_ns) - axis.from) / (axis.until - axis.from) *
				bars.width;
}

uint64_t quire_view_ns_of(const struct quire_view *view, uint32_t side, double x)
{
	const struct quire_story *story = view->sides[side].story;
	struct quire_axis_range axis = quire_place_axis(view, side);
	struct quire_rect bars = quire_place_bars(view, side, QUIRE_PANEL_TIMELINE);
	const struct quire_story_step *step;
	double value, until_ns;

	if (bars.width <= 0)
		bars = quire_place_bars(view, side, QUIRE_PANEL_STEPS);
	if (bars.width <= 0)
		return 0;
	value = axis.from + (x - bars.x) / bars.width * (axis.until - axis.from);
	if (!view->axis_steps)
		return (uint64_t)fmax(value, 0);
	if (value < 1 || !story->steps_count)
		return 0;
	if (value >= story->steps_count + 1.0)
		return quire_story_end_ns(story);
	step = &story->steps[(uint32_t)value - 1];
	until_ns = (double)step->end_ns;
	if ((uint32_t)value < story->steps_count)
		until_ns = (double)step[1].begin_ns;
	return step->begin_ns +
	       (uint64_t)fmax((value - floor(value)) * (until_ns - (double)step->begin_ns), 0);
}

/* ---- flashes ---- */

#define FLASH_STEPS 32.0 /* one is seen for so many at most, when they go by fast */
#define FLASH_REST  0.55 /* what stays of it as long as one looks at its step */

/* Where time stands still, the flashes of its step go down to a rest that stays. */
static double resting(const struct quire_view *view, uint32_t side, const struct quire_flash *flash)
{
	double age_s = view->now_s - view->jumped_s;

	if (flash->step != view->sides[side].scene.state.counts.step)
		return 0;
	return FLASH_REST + (1 - FLASH_REST) * fmin(fmax(1 - age_s / VIEW_FLASH_S, 0), 1);
}

/* While it plays: so long, in nanoseconds, but until its step is over, or the next one. */
static double length_ns(const struct quire_view *view, uint32_t side,
			const struct quire_flash *flash)
{
	const struct quire_story *story = view->sides[side].story;
	double length = VIEW_FLASH_S * 1e9 * view->speed;

	for (uint32_t i = flash->step; i && i < flash->step + 2 && i <= story->steps_count; i++)
		if (story->steps[i - 1].end_ns > flash->at_ns)
			return fmax(length, (double)(story->steps[i - 1].end_ns - flash->at_ns));
	return length;
}

double quire_view_flash(const struct quire_view *view, uint32_t side,
			const struct quire_flash *flash)
{
	double steps, age, length;

	if (view->jumped)
		return resting(view, side, flash);
	steps = view_head_at(view, side, QUIRE_CLOCK_STEP) - flash->step + 0.5;
	if (steps > FLASH_STEPS)
		return 0;
	if (view->clock == QUIRE_CLOCK_STEP) {
		age = steps;
		length = fmin(fmax(VIEW_FLASH_S * VIEW_STEPS_S * view->speed, 1), FLASH_STEPS);
	} else {
		age = view_head_at(view, side, QUIRE_CLOCK_TIME) - (double)flash->at_ns;
		length = length_ns(view, side, flash);
	}
	return age < length ? fmin(1 - age / length, 1) : 0;
}
