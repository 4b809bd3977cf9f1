/*
 * draw_pool_marks.c - what moves over the pool's cells where they are large: slots that are
 * written, who is followed, flashes, arrows of copies, what the pointer rests on.
 */
#include "draw_pool.h"

#include <math.h>

bool draw_pool_in_sight(const struct draw_pool_job *job, const struct quire_rect *at)
{
	return at->x < job->body.x + job->body.width && at->x + at->width > job->body.x &&
	       at->y < job->body.y + job->body.height && at->y + at->height > job->body.y;
}

static void outline(struct quire_draw *d, const struct quire_rect *at, double out, double line)
{
	draw_round(d, at->x - out, at->y - out, at->width + 2 * out, at->height + 2 * out,
		   fmin(0.5 * d->em, 0.1 * at->width) + out);
	cairo_set_line_width(d->cr, line);
	cairo_stroke(d->cr);
}

/* Slots that this step writes: a ring around each. */
static void mark_work(struct quire_draw *d, const struct draw_pool_job *job)
{
	const struct quire_record_state *state = &job->scene->state;
	double line = fmax(draw_pixel(d), draw_snap(d, 0.13 * d->em));
	uint32_t cell, slot, left = DRAW_POOL_MARKS_MAX;

	draw_set(d, d->theme->ink, 0.95);
	for (uint32_t i = 0; i < state->planned_count; i++) {
		const struct quire_record_seq *seq = quire_scene_seq(job->scene, state->planned[i]);

		for (uint32_t k = 0; seq && k < seq->run_tokens && left; k++, left--) {
			struct quire_rect at;

			if (!quire_scene_place(job->scene, seq->id, seq->cached_tokens + k, &cell,
					       &slot))
				break;
			at = quire_view_cell(&job->grid, cell);
			if (!draw_pool_in_sight(job, &at))
				continue;
			at = quire_place_slot(d->view, job->side, &job->grid, &at, slot);
			draw_round(d, at.x + line, at.y + line, at.width - 2 * line,
				   at.height - 2 * line, fmin(0.25 * d->em, 0.16 * at.height));
		}
	}
	cairo_set_line_width(d->cr, line);
	cairo_stroke(d->cr);
}

static void mark_selected(struct quire_draw *d, const struct draw_pool_job *job)
{
	const struct quire_record_seq *seq =
		quire_scene_seq(job->scene, quire_place_selected(d->view, job->side));
	uint32_t cells = seq ? quire_place_map_cells(job->scene, seq) : 0, cell;
	double line = fmax(draw_pixel(d), fmin(0.16 * d->em, 0.08 * job->grid.height));

	draw_set(d, d->theme->ink, 1);
	for (uint32_t i = 0; i < cells && i < DRAW_POOL_MARKS_MAX; i++) {
		struct quire_rect at;

		if (!quire_place_map_cell(job->scene, seq, i, &cell))
			continue;
		at = quire_view_cell(&job->grid, cell);
		if (draw_pool_in_sight(job, &at))
			outline(d, &at, line / 2, line);
	}
}

/* The second of several blocks in a row that are copied to a row: one arrow tells them. */
static bool goes_on(const struct quire_scene *scene, uint64_t i, uint64_t first)
{
	const struct quire_flash *flash = &scene->flashes[i % QUIRE_FLASHES_MAX];
	const struct quire_flash *before = &scene->flashes[(i - 1) % QUIRE_FLASHES_MAX];

	return i > first && before->kind == QUIRE_FLASH_COPIED && before->seq == flash->seq &&
	       before->cell + 1 == flash->cell && before->from + 1 == flash->from;
}

/* A copy: from block to block, as long as it is seen. */
static void mark_copy(struct quire_draw *d, const struct draw_pool_job *job,
		      const struct quire_flash *flash, double bright, bool last)
{
	struct quire_rect from = quire_view_cell(&job->grid, flash->from);
	struct quire_rect to = quire_view_cell(&job->grid, flash->cell);
	double em = d->em, width = fmax(fmin(0.2 * em, 0.05 * job->grid.pitch_y), draw_pixel(d));
	double x0 = from.x + from.width / 2, x1 = to.x + to.width / 2;
	double y0 = from.y + 0.3 * from.height, y1 = to.y + 0.25 * to.height;
	double height = fmin(0.35 * fabs(x1 - x0) + 0.2 * fabs(y1 - y0), 5 * em), above, below;

	if (flash->from == flash->cell ||
	    (!draw_pool_in_sight(job, &from) && !draw_pool_in_sight(job, &to)))
		return;
	/* Above the cells or below them, where there is more room; below blocks with words. */
	above = fmin(y0, y1) - job->body.y + 1.2 * em;
	below = job->body.y + job->body.height - fmax(from.y + from.height, to.y + to.height) +
		0.2 * from.height;
	if (job->grid.slot_columns && fabs(from.y - to.y) < 1) {
		y0 = y1 = from.y + from.height;
		height = -fmin(fmin(height, 1.7 * em), fmax(below, em));
	} else if (above < height && below > above) {
		y0 = from.y + 0.75 * from.height;
		y1 = to.y + 0.8 * to.height;
		height = -fmin(height, fmax(below, em));
	} else {
		height = fmin(height, fmax(above, em));
	}
	/* A dark rim, so that it is seen on every colour. */
	draw_set(d, d->theme->ground, 0.6 * bright);
	draw_bow(d, x0, y0, x1, y1, height, 2 * width);
	draw_set(d, d->theme->copied, bright);
	draw_bow(d, x0, y0, x1, y1, height, width);
	if (job->grid.slot_columns && last) {
		double y = height > 0 ? fmin(y0, y1) - 0.72 * height : fmax(y0, y1) - 0.72 * height;
		double wide = draw_width(d, "copy on write", 0.9 * em, true) + em;
		double x = fmin((x0 + x1) / 2, job->body.x + job->body.width - wide / 2);

		x = fmax(x, job->body.x + wide / 2);

		draw_set(d, d->theme->ground, fmin(0.9, 1.5 * bright));
		draw_round(d, x - wide / 2, y - 0.7 * em, wide, 1.4 * em, 0.4 * em);
		cairo_fill(d->cr);
		draw_text(d, x, y + 0.32 * em, "copy on write",
			  (struct draw_style){.points = 0.9 * em,
					      .colour = d->theme->copied,
					      .alpha = fmin(1, 1.5 * bright),
					      .bold = true,
					      .align = DRAW_CENTRE});
	}
}

static void mark_flashes(struct quire_draw *d, struct draw_pool_job *job)
{
	const struct quire_scene *scene = job->scene;
	double line = fmax(2 * draw_pixel(d), fmin(0.22 * d->em, 0.1 * job->grid.height));
	uint64_t first = draw_pool_first_flash(d, job, DRAW_POOL_MARKS_MAX), newest = 0;

	for (uint64_t i = first; i < scene->flashes_count; i++)
		if (scene->flashes[i % QUIRE_FLASHES_MAX].kind == QUIRE_FLASH_COPIED &&
		    !goes_on(scene, i, first))
			newest = i;
	for (uint64_t i = first; i < scene->flashes_count; i++) {
		const struct quire_flash *flash = &scene->flashes[i % QUIRE_FLASHES_MAX];
		double bright = draw_pool_bright(d, job, i);
		struct quire_rect at = quire_view_cell(&job->grid, flash->cell);

		if (!draw_pool_in_sight(job, &at) || draw_outdone(scene, i))
			continue;
		if (!job->grid.slot_columns) {
			draw_set(d, draw_flash_colour(d, flash->kind),
				 (at.height < 0.9 * d->em ? 0.5 : 0.12) * bright);
			draw_round(d, at.x, at.y, at.width, at.height,
				   fmin(0.5 * d->em, 0.1 * at.width));
			cairo_fill(d->cr);
		}
		/* A ring that widens as it fades. */
		draw_set(d, draw_flash_colour(d, flash->kind), bright);
		outline(d, &at, line / 2 + 0.3 * d->em * (1 - bright), line);
	}
	for (uint64_t i = first; i < scene->flashes_count; i++) {
		const struct quire_flash *flash = &scene->flashes[i % QUIRE_FLASHES_MAX];

		if (flash->kind == QUIRE_FLASH_COPIED && newest - i < 16 &&
		    !goes_on(scene, i, first))
			mark_copy(d, job, flash, draw_pool_bright(d, job, i), i == newest);
	}
}

void draw_pool_hover(struct quire_draw *d, const struct draw_pool_job *job)
{
	const struct quire_hit *hover = &d->view->hover;
	struct quire_rect at;

	if ((hover->kind != QUIRE_HIT_CELL && hover->kind != QUIRE_HIT_BLOCK) ||
	    hover->side != job->side || hover->cell >= job->scene->story->cells_count)
		return;
	at = quire_view_cell(&job->grid, hover->cell);
	if (!draw_pool_in_sight(job, &at))
		return;
	draw_set(d, d->theme->accent, 1);
	outline(d, &at, fmax(draw_pixel(d), 0.1 * d->em), fmax(draw_pixel(d), 0.14 * d->em));
}

void draw_pool_marks(struct quire_draw *d, struct draw_pool_job *job)
{
	if (job->grid.slot_columns)
		mark_work(d, job);
	mark_selected(d, job);
	mark_flashes(d, job);
}
