/*
 * view_hit.c - what lies under a point.  Everything is where place.h says, as it is drawn.
 */
#include "view_parts.h"

#include <math.h>

#define CHIPS_MAX 4096u /* chips that can be told from each other */

static void hit_pool(const struct quire_view *view, double x, double y, struct quire_hit *hit)
{
	const struct quire_scene *scene = &view->sides[hit->side].scene;
	struct quire_pool_grid grid = quire_view_pool(view, hit->side);
	double column = floor((x - grid.x) / grid.pitch_x);
	double row = floor((y - grid.y) / grid.pitch_y);
	struct quire_rect at;

	if (!grid.columns || column < 0 || row < 0 || column >= grid.columns || row >= grid.rows)
		return;
	hit->cell = (uint32_t)row * grid.columns + (uint32_t)column;
	if (hit->cell >= scene->story->cells_count)
		return;
	hit->kind = QUIRE_HIT_CELL;
	hit->seq = scene->cells[hit->cell].owner;
	at = quire_view_cell(&grid, hit->cell);
	for (uint32_t i = 0; grid.slot_columns && i < scene->story->cell_slots; i++) {
		struct quire_rect slot = quire_place_slot(view, hit->side, &grid, &at, i);

		if (quire_rect_has(&slot, x, y))
			hit->slot = i;
	}
}

static void hit_sequence(const struct quire_view *view, double x, double y, struct quire_hit *hit)
{
	const struct quire_scene *scene = &view->sides[hit->side].scene;
	struct quire_place_sequence place;

	quire_place_sequence(view, hit->side, &place);
	for (uint32_t i = 0; i < place.strips_count; i++) {
		const struct quire_place_strip *strip = &place.strips[i];
		struct quire_rect at = strip->at;

		at.y -= i ? strip->tab : 0;
		at.height += strip->tab;
		if (!quire_rect_has(&at, x, y))
			continue;
		hit->block = (uint32_t)((x - at.x) / strip->pitch);
		hit->seq = strip->seq;
		if (quire_place_map_cell(scene, quire_scene_seq(scene, strip->seq), hit->block,
					 &hit->cell))
			hit->kind = QUIRE_HIT_BLOCK;
		return;
	}
	if (place.seq && quire_rect_has(&place.pool, x, y)) {
		uint32_t k = (uint32_t)((x - place.pool.x) / place.pool_pitch);

		if (place.figure && k < place.cells_count)
			hit->cell = place.cells[k];
		else if (!place.figure && k < scene->story->cells_count)
			hit->cell = k;
		else
			return;
		hit->seq = scene->cells[hit->cell].owner;
		hit->kind = QUIRE_HIT_CELL;
	}
}

/* Behind the end, or what a lesson has not come to: nothing is seen there. */
static bool is_future(const struct quire_view *view, const struct quire_hit *hit, double x)
{
	uint64_t last_ns = quire_story_end_ns(view->sides[hit->side].story);
	uint64_t now_ns = quire_view_now_ns(view, hit->side);

	if (view->caption.title && now_ns < last_ns)
		last_ns = now_ns;
	return hit->at_ns > last_ns || x > quire_view_x_of(view, hit->side, last_ns) + 1;
}

/* The step that runs at hit->at_ns, or ran last before. */
static void hit_step(const struct quire_view *view, struct quire_hit *hit)
{
	const struct quire_story *story = view->sides[hit->side].story;

	if (!story->steps_count || hit->at_ns < story->steps[0].begin_ns)
		return;
	hit->kind = QUIRE_HIT_STEP;
	hit->step = quire_story_steps_ns(story, hit->at_ns) + 1;
}

static void hit_timeline(const struct quire_view *view, double x, double y, struct quire_hit *hit)
{
	const struct quire_story *story = view->sides[hit->side].story;
	struct quire_place_rows rows = quire_place_rows(view, hit->side);
	struct quire_rect bars = quire_place_bars(view, hit->side, QUIRE_PANEL_TIMELINE);
	double row = floor((y - rows.y) / rows.pitch);

	if (y < bars.y || y >= bars.y + bars.height || x >= bars.x + bars.width)
		return;
	if (rows.pitch > 0 && row >= 0 && row < rows.count)
		hit->seq = rows.first + (uint32_t)row;
	if (x < bars.x) {
		if (hit->seq && rows.named)
			hit->kind = QUIRE_HIT_SEQ;
		return;
	}
	hit->at_ns = quire_view_ns_of(view, hit->side, x);
	if (is_future(view, hit, x))
		return;
	if (hit->seq && quire_track_span(&story->tracks[hit->seq], hit->at_ns))
		hit->kind = QUIRE_HIT_SPAN;
	else
		hit_step(view, hit);
}

static void hit_steps(const struct quire_view *view, double x, struct quire_hit *hit)
{
	struct quire_rect bars = quire_place_bars(view, hit->side, QUIRE_PANEL_STEPS);

	if (x < bars.x || x >= bars.x + bars.width)
		return;
	hit->at_ns = quire_view_ns_of(view, hit->side, x);
	if (!is_future(view, hit, x))
		hit_step(view, hit);
}

static void hit_gauges(const struct quire_view *view, double x, double y, struct quire_hit *hit)
{
	for (uint32_t i = 0; i < QUIRE_GAUGE_COUNT; i++) {
		struct quire_rect at = quire_place_gauge(view, hit->side, i);

		if (!quire_rect_has(&at, x, y))
			continue;
		hit->kind = QUIRE_HIT_GAUGE;
		hit->gauge = i;
	}
}

static void hit_queues(const struct quire_view *view, double x, double y, struct quire_hit *hit)
{
	const struct quire_scene *scene = &view->sides[hit->side].scene;
	uint32_t ids[CHIPS_MAX];

	for (uint32_t list = 0; list < QUIRE_LIST_COUNT; list++) {
		uint32_t count = quire_scene_list(scene, list, ids, CHIPS_MAX);
		struct quire_place_chips chips = quire_place_chips(view, hit->side, list, count);

		if (!quire_rect_has(&chips.area, x, y))
			continue;
		for (uint32_t i = 0; i < chips.shown && i < count && i < CHIPS_MAX; i++) {
			struct quire_rect at = quire_place_chip(&chips, i);

			if (!quire_rect_has(&at, x, y))
				continue;
			hit->kind = QUIRE_HIT_SEQ;
			hit->seq = ids[i];
			return;
		}
	}
}

/* Buttons, and a lesson's caption, which goes on when it is clicked. */
static bool hit_button(const struct quire_view *view, double x, double y, struct quire_hit *hit)
{
	const struct quire_rect *lesson = &view->sides[0].panels[QUIRE_PANEL_LESSON];
	struct quire_rect at;

	hit->kind = QUIRE_HIT_BUTTON;
	for (uint32_t i = 0; quire_place_button(view, i, &at, &hit->command); i++)
		if (quire_rect_has(&at, x, y))
			return true;
	hit->command = QUIRE_DO_CAPTION_ON;
	hit->panel = QUIRE_PANEL_LESSON;
	if (quire_rect_has(lesson, x, y))
		return true;
	*hit = (struct quire_hit){.slot = UINT32_MAX};
	return false;
}

static bool hit_scrub(const struct quire_view *view, double x, double y, struct quire_hit *hit)
{
	struct quire_rect bar = quire_place_scrub(view),
			  panel = view->sides[0].panels[QUIRE_PANEL_SCRUB];
	double em = view->font_points, share = (x - bar.x) / bar.width;

	/* It is easily met: above, below, and at its ends. */
	if (bar.width <= 0 || !quire_rect_has(&panel, x, y) || x < bar.x - 0.5 * em ||
	    x > bar.x + bar.width + 0.5 * em)
		return false;
	hit->kind = QUIRE_HIT_SCRUB;
	hit->panel = QUIRE_PANEL_SCRUB;
	hit->at_ns = (uint64_t)(fmin(fmax(share, 0), 1) * (double)quire_place_end_ns(view));
	return true;
}

struct quire_hit quire_view_hit(const struct quire_view *view, double x, double y)
{
	struct quire_hit hit = {.slot = UINT32_MAX};

	if (quire_rect_has(&view->dialog, x, y) || hit_button(view, x, y, &hit) ||
	    hit_scrub(view, x, y, &hit))
		return hit;
	for (hit.side = 0; hit.side < view->sides_count; hit.side++) {
		for (hit.panel = 0; hit.panel < QUIRE_PANEL_COUNT; hit.panel++) {
			if (!quire_rect_has(&view->sides[hit.side].panels[hit.panel], x, y))
				continue;
			switch (hit.panel) {
			case QUIRE_PANEL_POOL:
				hit_pool(view, x, y, &hit);
				return hit;
			case QUIRE_PANEL_SEQUENCE:
				hit_sequence(view, x, y, &hit);
				return hit;
			case QUIRE_PANEL_TIMELINE:
				hit_timeline(view, x, y, &hit);
				return hit;
			case QUIRE_PANEL_STEPS:
				hit_steps(view, x, &hit);
				return hit;
			case QUIRE_PANEL_GAUGES:
				hit_gauges(view, x, y, &hit);
				return hit;
			case QUIRE_PANEL_QUEUES:
				hit_queues(view, x, y, &hit);
				return hit;
			default:
				break;
			}
		}
	}
	return (struct quire_hit){.slot = UINT32_MAX};
}
