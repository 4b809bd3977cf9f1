/*
 * draw_sequence.c - where a sequence's tokens are, drawn as in the paper on PagedAttention
 * (Kwon et al., SOSP 2023, figures 6 and 8): its logical blocks above, its block table, and
 * curves to the physical blocks; below them those who share some, with their curves.
 *
 * Of few blocks it is a figure with tokens in their slots.  Many are strips: then blocks in
 * a row that lie in a row in the pool too are one ribbon, so that one look tells a
 * contiguous sequence from a paged one.
 */
#include "draw_parts.h"

#include <math.h>
#include <stdio.h>

#define LINKS_MAX 4096u /* cells of a strip that are looked at */

struct job {
	const struct quire_scene *scene;
	struct quire_place_sequence place;
	uint32_t side;
};

/* The middle of a cell of the pool in the picture, on the x axis.  False: it is not in it. */
static bool pool_x(const struct job *job, uint32_t cell, double *x)
{
	const struct quire_place_sequence *p = &job->place;

	*x = p->pool.x + (cell + 0.5) * p->pool_pitch;
	if (!p->figure)
		return true;
	for (uint32_t k = 0; k < p->cells_count; k++) {
		if (p->cells[k] == cell) {
			*x = p->pool.x + (k + 0.5) * p->pool_pitch;
			return true;
		}
	}
	return false;
}

static double block_width(double pitch, double em)
{
	return pitch - fmin(0.08 * pitch, 0.35 * em);
}

/* ---- curves ---- */

/* A band of logical blocks, [@x0, @x1) at @y, that leads to [@u0, @u1) at @v. */
static void band(struct quire_draw *d, double x0, double x1, double y, double u0, double u1,
		 double v)
{
	double bend = 0.5 * (v - y);

	cairo_move_to(d->cr, x0, y);
	cairo_curve_to(d->cr, x0, y + bend, u0, v - bend, u0, v);
	cairo_line_to(d->cr, u1, v);
	cairo_curve_to(d->cr, u1, v - bend, x1, y + bend, x1, y);
	cairo_close_path(d->cr);
}

/* All curves of a strip to the pool. */
static void links(struct quire_draw *d, const struct job *job,
		  const struct quire_place_strip *strip)
{
	const struct quire_place_sequence *p = &job->place;
	const struct quire_record_seq *seq = quire_scene_seq(job->scene, strip->seq);
	bool above = strip == &p->strips[0];
	double y = above ? strip->at.y + strip->at.height + strip->tab : strip->at.y - strip->tab;
	double v = above ? p->pool.y : p->pool.y + p->pool.height, em = d->em, width;
	uint32_t colour = draw_owner(d, job->side, strip->seq);
	const struct quire_hit *hover = &d->view->hover;

	width = p->figure ? block_width(strip->pitch, em) : strip->pitch;
	for (uint32_t i = 0; i < strip->count && i < LINKS_MAX;) {
		uint32_t cell, run = 1, next;
		double x, half = p->figure ? 0.32 * block_width(p->pool_pitch, em)
					   : p->pool_pitch / 2;
		bool bright;

		if (!quire_place_map_cell(job->scene, seq, i, &cell) || !pool_x(job, cell, &x)) {
			i++;
			continue;
		}
		while (!p->figure && i + run < strip->count &&
		       quire_place_map_cell(job->scene, seq, i + run, &next) && next == cell + run)
			run++;
		bright = hover->kind == QUIRE_HIT_BLOCK && hover->side == job->side &&
			 hover->cell >= cell && hover->cell < cell + run;
		draw_set(d, colour, bright ? 0.6 : p->figure ? 0.26 : 0.38);
		if (p->figure) {
			double from = strip->at.x + i * strip->pitch;

			band(d, from + 0.18 * width, from + 0.82 * width, y, x - half, x + half, v);
			cairo_fill(d->cr);
			draw_set(d, colour, 0.95);
			cairo_set_line_width(d->cr, fmax(0.13 * em, draw_pixel(d)));
			draw_link(d, from + width / 2, y, x, v);
			cairo_stroke(d->cr);
		} else {
			double u0 = x - half,
			       u1 = fmax(u0 + run * p->pool_pitch, u0 + draw_pixel(d));

			band(d, strip->at.x + i * strip->pitch,
			     strip->at.x + (i + run) * strip->pitch, y, u0, u1, v);
			cairo_fill(d->cr);
		}
		i += run;
	}
}

/* ---- blocks ---- */

/* The slots of a cell, with their tokens where there is room. */
static void slots(struct quire_draw *d, const struct job *job, uint32_t cell, uint32_t seq,
		  uint32_t position, const struct quire_rect *at, const uint32_t *colours,
		  uint32_t count)
{
	const struct quire_cell *of = &job->scene->cells[cell];
	uint32_t total = job->scene->story->cell_slots, columns = job->place.slot_columns;
	double width = at->width / columns, height = at->height * columns / total;

	if (width < 1.1 * d->em || height < 0.8 * d->em) {
		cairo_save(d->cr);
		draw_round(d, at->x, at->y, at->width, at->height, 0.25 * d->em);
		cairo_clip(d->cr);
		draw_bar(d, of, total, at, colours, count);
		cairo_restore(d->cr);
		return;
	}
	for (uint32_t i = 0; i < total; i++) {
		struct quire_rect slot = {at->x + i % columns * width, at->y + i / columns * height,
					  width, height};

		draw_slot(d, job->side, of, seq, position + i, i, &slot, colours, count);
	}
}

/* What a sequence's own view of a shared cell is: its own live tokens. */
static void logical_block(struct quire_draw *d, const struct job *job,
			  const struct quire_place_strip *strip, uint32_t i)
{
	const struct quire_record_seq *seq = quire_scene_seq(job->scene, strip->seq);
	uint32_t cell, colour = draw_owner(d, job->side, strip->seq);
	uint32_t per_block = quire_scene_block_cells(job->scene, seq);
	uint32_t position =
		i / per_block * seq->block_slots + i % per_block * job->scene->story->cell_slots;
	struct quire_rect at = {strip->at.x + i * strip->pitch, strip->at.y,
				block_width(strip->pitch, d->em), strip->at.height};
	bool above = strip == &job->place.strips[0];
	double tab = above ? at.y + at.height : at.y - strip->tab, em = d->em, left = 0;
	char text[32];

	if (!quire_place_map_cell(job->scene, seq, i, &cell))
		return;
	draw_set(d, draw_mix(d->theme->panel, colour, 0.16), 1);
	draw_round(d, at.x, at.y - (above ? 0 : strip->tab), at.width, at.height + strip->tab,
		   0.35 * em);
	cairo_fill(d->cr);
	at = (struct quire_rect){at.x + 0.25 * em, at.y + 0.25 * em, at.width - 0.5 * em,
				 at.height - 0.5 * em};
	slots(d, job, cell, strip->seq, position, &at, &colour, 1);
	/* Whose it is, and its line of the block table. */
	quire_story_name(job->scene->story, strip->seq, text);
	if (!above && i == 0 && draw_width(d, text, 0.85 * em, true) < 0.55 * at.width)
		left = draw_text(d, at.x + 0.1 * em, tab + 1.12 * em, text,
				 (struct draw_style){.points = 0.85 * em,
						     .colour = draw_mix(colour, d->theme->ink, 0.4),
						     .bold = true});
	snprintf(text, sizeof(text), "\xe2\x86\x92 %u", cell);
	if (draw_width(d, text, 0.9 * em, true) > at.width - left)
		snprintf(text, sizeof(text), "%u", cell);
	draw_text(d, at.x + (at.width + left) / 2, tab + (above ? 0.98 : 1.12) * em, text,
		  (struct draw_style){.points = 0.9 * em,
				      .colour = d->theme->ink,
				      .bold = true,
				      .align = DRAW_CENTRE,
				      .width = at.width - left});
}

static void physical_block(struct quire_draw *d, const struct job *job, uint32_t k)
{
	const struct quire_place_sequence *p = &job->place;
	uint32_t cell = p->cells[k], colours[DRAW_SHARERS_MAX], count;
	const struct quire_cell *of = &job->scene->cells[cell];
	double em = d->em, line = fmax(draw_pixel(d), draw_snap(d, 0.12 * em)), x, top = 0;
	struct quire_rect at = {p->pool.x + k * p->pool_pitch, p->pool.y,
				block_width(p->pool_pitch, em), p->pool.height};
	bool hover = d->view->hover.kind == QUIRE_HIT_BLOCK && d->view->hover.side == job->side &&
		     d->view->hover.cell == cell;
	char text[32];

	count = draw_cell_colours(d, job->side, cell, colours);
	/* Blocks that do not follow each other. */
	if (k && p->cells[k - 1] + 1 != cell) {
		x = at.x - (p->pool_pitch - at.width) / 2;
		draw_set(d, d->theme->grid, 1);
		draw_box(d, draw_snap(d, x - draw_pixel(d)), at.y - 0.3 * em, draw_pixel(d),
			 at.height + 0.6 * em);
		cairo_fill(d->cr);
	}
	draw_set(d, draw_mix(d->theme->panel, colours[0], 0.16), 1);
	draw_round(d, at.x + line / 2, at.y + line / 2, at.width - line, at.height - line,
		   0.35 * em);
	cairo_fill_preserve(d->cr);
	draw_set(d, hover ? d->theme->accent : draw_mix(colours[0], d->theme->panel, 0.3), 1);
	cairo_set_line_width(d->cr, line);
	cairo_stroke(d->cr);
	if (at.height > 2.6 * em) {
		top = 1.15 * em;
		snprintf(text, sizeof(text), "%u", cell);
		draw_text(d, at.x + 0.4 * em, at.y + 1.02 * em, text,
			  (struct draw_style){
				  .points = 0.85 * em, .colour = d->theme->ink, .bold = true});
		for (uint32_t i = 0; count > 1 && i < count; i++) {
			x = at.x + at.width - 0.65 * em - (count - 1 - i) * 0.7 * em;
			if (x < at.x + 2.2 * em)
				continue;
			draw_set(d, colours[i], 1);
			cairo_arc(d->cr, x, at.y + 0.72 * em, 0.26 * em, 0, 2 * DRAW_PI);
			cairo_fill(d->cr);
		}
	}
	at = (struct quire_rect){at.x + 0.25 * em, at.y + 0.2 * em + top, at.width - 0.5 * em,
				 at.height - 0.45 * em - top};
	slots(d, job, cell, of->owner, of->position, &at, colours, count);
}

/* ---- strips ---- */

/* 1 to 3: all slots of the cell are live, reserved, internal waste; 0: they are not alike. */
static uint32_t all_of(const struct quire_cell *cell, uint32_t slots)
{
	return cell->live == slots					 ? 1
	       : cell->reserved == slots				 ? 2
	       : cell->mapped == slots && !cell->live && !cell->reserved ? 3
									 : 0;
}

/* Cells from @first on that look the same and touch: a pattern needs more room than one has. */
static uint32_t alike(const struct job *job, const struct quire_record_seq *seq, uint32_t first,
		      uint32_t count, uint32_t each)
{
	const struct quire_cell *cells = job->scene->cells;
	const uint32_t total = job->scene->story->cell_slots;
	uint32_t cell, end = first + each, kind;

	if (!quire_place_map_cell(job->scene, seq, first, &cell))
		return each;
	kind = all_of(&cells[cell], total);
	while (kind && end < count && quire_place_map_cell(job->scene, seq, end, &cell) &&
	       all_of(&cells[cell], total) == kind)
		end += each;
	return end - first;
}

static void many_blocks(struct quire_draw *d, const struct job *job,
			const struct quire_place_strip *strip)
{
	const struct quire_record_seq *seq = quire_scene_seq(job->scene, strip->seq);
	uint32_t colour = draw_owner(d, job->side, strip->seq),
		 total = job->scene->story->cell_slots;
	const bool gaps = strip->pitch >= 5 * draw_pixel(d);
	uint32_t each = 1, run, cell;
	char text[64], name[32];

	/* Not more of them than pixels. */
	if (strip->pitch * d->scale < 1)
		each = (uint32_t)ceil(1 / (strip->pitch * d->scale));
	for (uint32_t i = 0; i < strip->count; i += run) {
		double x = draw_snap(d, strip->at.x + i * strip->pitch), until;
		struct quire_rect at = {x, strip->at.y, 0, strip->at.height};

		run = gaps ? each : alike(job, seq, i, strip->count, each);
		until = draw_snap(d, strip->at.x + fmin(i + run, strip->count) * strip->pitch);
		at.width = until - x;
		if (gaps)
			at.width -= draw_pixel(d);
		if (quire_place_map_cell(job->scene, seq, i, &cell))
			draw_bar(d, &job->scene->cells[cell], total, &at, &colour, 1);
	}
	if (strip == &job->place.strips[0])
		return;
	snprintf(text, sizeof(text), "%s", quire_story_name(job->scene->story, strip->seq, name));
	draw_text(d, strip->at.x, strip->at.y + strip->at.height + 1.1 * d->em, text,
		  (struct draw_style){.points = 0.85 * d->em, .colour = d->theme->faint});
}

/* The whole pool, and in it the cells of those who are shown. */
static void whole_pool(struct quire_draw *d, const struct job *job)
{
	const struct quire_place_sequence *p = &job->place;
	double pixel = draw_pixel(d), x;
	uint32_t cell;
	char text[32];

	draw_fill(d, p->pool.x, p->pool.y, p->pool.width, p->pool.height, DRAW_FREE, 0);
	for (uint32_t s = p->strips_count; s; s--) {
		const struct quire_place_strip *strip = &p->strips[s - 1];
		const struct quire_record_seq *seq = quire_scene_seq(job->scene, strip->seq);

		draw_set(d, draw_owner(d, job->side, strip->seq), 1);
		for (uint32_t i = 0; i < strip->count && i < LINKS_MAX; i++)
			if (quire_place_map_cell(job->scene, seq, i, &cell) &&
			    pool_x(job, cell, &x))
				draw_box(d, draw_snap(d, x - p->pool_pitch / 2), p->pool.y,
					 fmax(p->pool_pitch, pixel), p->pool.height);
		cairo_fill(d->cr);
	}
	/* The numbers of its ends, where nothing hangs below. */
	if (p->strips_count > 1)
		return;
	draw_text(d, p->pool.x, p->pool.y + p->pool.height + 1.1 * d->em, "0",
		  (struct draw_style){.points = 0.85 * d->em, .colour = d->theme->faint});
	draw_text(d, p->pool.x + p->pool.width, p->pool.y + p->pool.height + 1.1 * d->em,
		  draw_count(job->scene->story->cells_count - 1, text),
		  (struct draw_style){
			  .points = 0.85 * d->em, .colour = d->theme->faint, .align = DRAW_RIGHT});
}

/* ---- words ---- */

static void label(struct quire_draw *d, const struct job *job, double y, const char *text,
		  bool strong)
{
	struct quire_rect body = quire_place_body(d->view, job->side, QUIRE_PANEL_SEQUENCE);

	if (job->place.strips[0].at.x - body.x < 4 * d->em)
		return;
	draw_text(d, body.x, y + 0.3 * d->em, text,
		  (struct draw_style){.points = 0.85 * d->em,
				      .colour = strong ? d->theme->ink : d->theme->faint,
				      .bold = strong,
				      .width = job->place.strips[0].at.x - body.x - 0.5 * d->em});
}

static void labels(struct quire_draw *d, const struct job *job)
{
	const struct quire_place_sequence *p = &job->place;
	const struct quire_place_strip *own = &p->strips[0];
	char text[48];

	label(d, job, own->at.y + own->at.height / 2, "logical blocks", false);
	if (p->figure)
		label(d, job, own->at.y + own->at.height + own->tab / 2, "block table", false);
	label(d, job, p->pool.y + p->pool.height / 2, p->figure ? "physical blocks" : "the pool",
	      false);
	if (p->strips_count < 2)
		return;
	own = &p->strips[1];
	label(d, job, own->at.y + own->at.height / 2 - 0.6 * d->em, "shared with", false);
	if (p->more) {
		snprintf(text, sizeof(text), "and %u more", p->more);
		label(d, job, own->at.y + own->at.height / 2 + 0.6 * d->em, text, false);
	}
}

/* ---- what has just happened ---- */

static void flashes(struct quire_draw *d, const struct job *job)
{
	const struct quire_scene *scene = job->scene;
	const struct quire_place_sequence *p = &job->place;
	uint64_t i = scene->flashes_count, first = scene->flashes_first;
	double em = d->em, x, from;

	if (i > 256 && first < i - 256)
		first = i - 256;
	for (; i > first; i--) {
		const struct quire_flash *flash = &scene->flashes[(i - 1) % QUIRE_FLASHES_MAX];
		double bright = quire_view_flash(d->view, job->side, flash);
		uint32_t colour = draw_flash_colour(d, flash->kind);

		if (bright <= 0)
			break;
		if (!pool_x(job, flash->cell, &x) || flash->kind == QUIRE_FLASH_FREED ||
		    flash->kind == QUIRE_FLASH_TAKEN)
			continue;
		if (p->figure && !draw_outdone(scene, i - 1)) {
			double width = block_width(p->pool_pitch, em);
			double out = 0.15 * em + 0.3 * em * (1 - bright);

			x -= (p->pool_pitch - width) / 2;
			draw_set(d, colour, bright);
			draw_round(d, x - width / 2 - out, p->pool.y - out, width + 2 * out,
				   p->pool.height + 2 * out, 0.5 * em);
			cairo_set_line_width(d->cr, fmax(0.2 * em, draw_pixel(d)));
			cairo_stroke(d->cr);
		}
		if (flash->kind != QUIRE_FLASH_COPIED || !pool_x(job, flash->from, &from))
			continue;
		draw_set(d, d->theme->panel, 0.7 * bright);
		draw_bow(d, from, p->pool.y + 0.2 * em, x, p->pool.y, 2.2 * em, 0.5 * em);
		draw_set(d, colour, bright);
		draw_bow(d, from, p->pool.y + 0.2 * em, x, p->pool.y, 2.2 * em, 0.24 * em);
	}
}

void draw_sequence(struct quire_draw *d, uint32_t side)
{
	struct job job = {.scene = &d->view->sides[side].scene, .side = side};
	struct quire_rect body = quire_place_body(d->view, side, QUIRE_PANEL_SEQUENCE);
	const struct quire_place_sequence *p = &job.place;

	if (!draw_panel(d, side, QUIRE_PANEL_SEQUENCE))
		return;
	draw_who(d, side);
	quire_place_sequence(d->view, side, &job.place);
	if (!p->seq || !p->strips[0].count) {
		draw_life(d, side, &body);
		return;
	}
	cairo_save(d->cr);
	draw_box(d, body.x - 0.6 * d->em, body.y - 0.5 * d->em, body.width + 1.2 * d->em,
		 body.height + d->em);
	cairo_clip(d->cr);
	labels(d, &job);
	if (!p->figure)
		whole_pool(d, &job);
	for (uint32_t s = p->strips_count; s; s--)
		links(d, &job, &p->strips[s - 1]);
	for (uint32_t s = 0; s < p->strips_count; s++) {
		for (uint32_t i = 0; p->figure && i < p->strips[s].count; i++)
			logical_block(d, &job, &p->strips[s], i);
		if (!p->figure)
			many_blocks(d, &job, &p->strips[s]);
	}
	for (uint32_t k = 0; p->figure && k < p->cells_count; k++)
		physical_block(d, &job, k);
	flashes(d, &job);
	cairo_restore(d->cr);
}
