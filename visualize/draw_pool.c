/*
 * draw_pool.c - the pool: an image that is kept, in which only cells are drawn again that
 * look different, and over it what moves: flashes, arrows of copies, who is followed.
 */
#include "draw_parts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SMALL	  7.0	      /* pixels: cells below it are drawn without cairo */
#define FILTERED  3.0	      /* pixels from cell to cell: below it they share pixels */
#define NO_LOOK	  0xff000000u /* no colour, and no large cell's look */
#define VECTORS	  4096	      /* cells, at most, that a picture without pixels is made of */
#define MARKS_MAX 4096	      /* cells of the one who is followed, and flashes of large cells */

/* What is drawn now. */
struct job {
	const struct quire_scene *scene;
	struct draw_pool *pool;
	struct quire_pool_grid grid;
	struct quire_rect body;
	uint32_t side;
	uint32_t first, until; /* cells in rows that are in sight */
	bool small, filtered;
	struct draw_field field;	 /* where filtered */
	const struct quire_flash *flash; /* the last that was looked at, */
	double bright;			 /* and how bright it is */
};

static int more(struct quire_draw *d, void *where, size_t *limit, size_t count, size_t size)
{
	void **array = where, *grown;

	if (count <= *limit)
		return 0;
	grown = realloc(*array, count * size);
	if (!grown) {
		d->error = -ENOMEM;
		return -ENOMEM;
	}
	*array = grown;
	*limit = count;
	return 0;
}

/* ---- how a cell looks ---- */

static uint32_t blend(uint32_t *sums, uint32_t colour, uint32_t slots)
{
	sums[0] += (colour >> 16 & 0xff) * slots;
	sums[1] += (colour >> 8 & 0xff) * slots;
	sums[2] += (colour & 0xff) * slots;
	return slots;
}

/* A cell in one colour: the mean of its slots. */
static uint32_t small_look(const struct quire_draw *d, uint32_t side, const struct quire_cell *cell,
			   uint32_t slots)
{
	uint32_t sums[3] = {slots / 2, slots / 2, slots / 2}, colour, rest;

	if (!cell->refs)
		return d->theme->free;
	colour = draw_cell_colour(d, side, cell);
	if (cell->live == slots)
		return colour;
	rest = slots - blend(sums, colour, cell->live);
	rest -= blend(sums, draw_tone(d, DRAW_RESERVED, colour), cell->reserved);
	rest -= blend(sums, draw_tone(d, DRAW_INTERNAL, colour),
		      (uint32_t)cell->mapped - cell->live - cell->reserved);
	blend(sums, draw_tone(d, DRAW_ROUNDING, colour), rest);
	return (sums[0] / slots) << 16 | (sums[1] / slots) << 8 | sums[2] / slots;
}

/* A word that differs when a cell is to be drawn again. */
static uint32_t large_look(const struct quire_draw *d, const struct job *job, uint32_t i)
{
	const struct quire_cell *cell = &job->scene->cells[i];
	uint32_t colours[DRAW_SHARERS_MAX], count;
	uint64_t key = draw_key(DRAW_KEY, (uint64_t)cell->refs << 32 | cell->mapped);

	if (!cell->refs)
		return 1;
	key = draw_key(key, (uint64_t)cell->live << 32 | cell->reserved);
	key = draw_key(key, (uint64_t)cell->owner << 32 | cell->position);
	count = draw_cell_colours(d, job->side, i, colours);
	for (uint32_t k = 0; k < count; k++)
		key = draw_key(key, colours[k]);
	/* Blocks name their owners, however they are coloured. */
	count = job->grid.slot_columns
			? quire_scene_sharers(job->scene, i, colours, DRAW_SHARERS_MAX)
			: 0;
	for (uint32_t k = 0; k < count && k < DRAW_SHARERS_MAX; k++)
		key = draw_key(key,
			       (uint64_t)colours[k] << 32 | draw_owner(d, job->side, colours[k]));
	return (uint32_t)(key >> 33) | 2;
}

static uint32_t look_of(const struct quire_draw *d, const struct job *job, uint32_t i)
{
	return job->small ? small_look(d, job->side, &job->scene->cells[i],
				       job->scene->story->cell_slots)
			  : large_look(d, job, i);
}

/* ---- the image ---- */

static void draw_one(struct quire_draw *d, const struct job *job, uint32_t i)
{
	struct draw_image *image = &job->pool->image;
	struct quire_rect at = quire_view_cell(&job->grid, i);
	double x = at.x * d->scale - image->x, y = at.y * d->scale - image->y;
	double pitch = job->grid.pitch_x * d->scale;

	if (job->filtered) {
		draw_pixels(image, &job->field, (int)floor(x), (int)floor(y), (int)ceil(x + pitch),
			    (int)ceil(y + pitch));
	} else if (job->small) {
		draw_pixels_box(image, x, y, fmax(1, round(job->grid.width * d->scale)),
				job->pool->looks[i]);
	} else {
		draw_set(d, d->theme->panel, 1);
		draw_box(d, at.x, at.y, job->grid.pitch_x, job->grid.pitch_y);
		cairo_fill(d->cr);
		draw_cell(d, job->side, &job->grid, i, &at);
	}
}

/* The step, from @step on, in which the cell's age changes its colour. */
static uint32_t next_age(uint32_t step, uint32_t given_step)
{
	double next = ceil(exp2((draw_age(step - given_step) + 1) / 4.0) - 1);

	return given_step + (uint32_t)fmax(next, step - given_step + 1.0);
}

/* Bring the looks of a group up to date, and draw what differs.  Return: how many did. */
static uint32_t update_group(struct quire_draw *d, const struct job *job, uint32_t group, bool draw)
{
	uint32_t from = group * QUIRE_GROUP_CELLS, until = from + QUIRE_GROUP_CELLS;
	uint32_t step = job->scene->state.counts.step, differ = 0, due = UINT32_MAX;
	const struct quire_story *story = job->scene->story;

	from = from < job->first ? job->first : from;
	until = until > job->until ? job->until : until;
	for (uint32_t i = from; i < until; i++) {
		uint32_t look = look_of(d, job, i), owner = job->scene->cells[i].owner;

		if (owner < story->tracks_count && owner &&
		    story->tracks[owner].request == QUIRE_RECORD_NOBODY)
			job->pool->nameless = true;
		if (d->view->colouring == QUIRE_BY_AGE && job->scene->cells[i].refs) {
			uint32_t next = next_age(step, job->scene->cells[i].given_step);

			due = next < due ? next : due;
		}
		if (look == job->pool->looks[i])
			continue;
		job->pool->looks[i] = look;
		differ++;
		if (draw)
			draw_one(d, job, i);
	}
	if (d->view->colouring == QUIRE_BY_AGE)
		job->pool->due[group] = due;
	return differ;
}

/* Ready for @job: room for what is kept.  Return: 0; -ENOMEM. */
static int prepare(struct quire_draw *d, struct job *job, bool afresh)
{
	struct draw_pool *pool = job->pool;
	struct draw_image *image = &pool->image;
	size_t pixels = (size_t)image->width + (size_t)image->height;
	size_t looks = (size_t)job->grid.columns * job->grid.rows;
	double pitch = job->grid.pitch_x * d->scale;

	if (more(d, &pool->looks, &pool->looks_limit, looks, sizeof(*pool->looks)) ||
	    more(d, &pool->due, &pool->due_limit, job->scene->groups_count, sizeof(*pool->due)))
		return -ENOMEM;
	if (!job->filtered)
		return 0;
	if (more(d, &pool->covers, &pool->covers_limit, pixels, sizeof(*pool->covers)))
		return -ENOMEM;
	job->field = (struct draw_field){.looks = pool->looks,
					 .columns = job->grid.columns,
					 .rows = job->grid.rows,
					 .across = pool->covers,
					 .down = pool->covers + image->width,
					 .ground = d->theme->panel};
	if (!afresh)
		return 0;
	draw_pixels_covers(pool->covers, (uint32_t)image->width, job->grid.x * d->scale - image->x,
			   pitch, job->grid.columns);
	draw_pixels_covers(pool->covers + image->width, (uint32_t)image->height,
			   job->grid.y * d->scale - image->y, pitch, job->grid.rows);
	/* The last row may not be full. */
	for (size_t i = job->scene->story->cells_count; i < looks; i++)
		pool->looks[i] = d->theme->panel;
	return 0;
}

static void update(struct quire_draw *d, struct job *job, bool afresh)
{
	struct draw_pool *pool = job->pool;
	const struct quire_scene *scene = job->scene;
	uint32_t step = scene->state.counts.step, differ = 0;
	uint32_t most = (job->until - job->first) / 8;
	bool by_age = d->view->colouring == QUIRE_BY_AGE, all = afresh || pool->nameless;
	cairo_t *cr;

	if (prepare(d, job, afresh)) {
		pool->image.key = 0;
		return;
	}
	/* Going back, ages shrink. */
	if (by_age && step < pool->step)
		for (uint32_t g = 0; g < scene->groups_count; g++)
			pool->due[g] = 0;
	pool->nameless = false;
	cr = draw_into(d, &pool->image);
	if (afresh) {
		draw_set(d, d->theme->panel, 1);
		cairo_paint(d->cr);
		cairo_surface_flush(pool->image.surface);
		for (uint32_t i = job->first; i < job->until; i++)
			pool->looks[i] = NO_LOOK;
	}
	for (uint32_t g = job->first / QUIRE_GROUP_CELLS;
	     g < scene->groups_count && g * QUIRE_GROUP_CELLS < job->until; g++) {
		if (!all && scene->changed[g] <= pool->seen && !(by_age && pool->due[g] <= step))
			continue;
		/* Where nearly all differ, all pixels are made at once. */
		differ += update_group(d, job, g, !job->filtered || (!afresh && differ <= most));
	}
	if (job->filtered && (afresh || differ > most))
		draw_pixels(&pool->image, &job->field, 0, 0, pool->image.width, pool->image.height);
	draw_back(d, &pool->image, cr);
	cairo_surface_mark_dirty(pool->image.surface);
	pool->seen = scene->tick;
	pool->step = step;
}

/* ---- flashes of small cells: into the image, and out of it again ---- */

/* Mix @colour over a cell of at least three pixels, remembering what was there. */
static void tint(struct quire_draw *d, const struct job *job, uint32_t cell, uint32_t colour,
		 double part)
{
	struct draw_pool *pool = job->pool;
	struct draw_image *image = &pool->image;
	struct quire_rect at = quire_view_cell(&job->grid, cell);
	double size = fmax(3, round(job->grid.width * d->scale));
	double x = (at.x + at.width / 2) * d->scale - image->x - size / 2;
	double y = (at.y + at.height / 2) * d->scale - image->y - size / 2;
	int x0 = (int)fmax(round(x), 0), x1 = (int)fmin(round(x) + size, image->width);
	int y0 = (int)fmax(round(y), 0), y1 = (int)fmin(round(y) + size, image->height);

	for (int v = y0; v < y1; v++) {
		for (int u = x0; u < x1; u++) {
			uint32_t i = (uint32_t)(v * image->stride + u);

			if (pool->undo_count == pool->undo_limit)
				return;
			pool->undo[pool->undo_count++] = (struct draw_undo){i, image->pixels[i]};
			image->pixels[i] = draw_mix(image->pixels[i], colour, part);
		}
	}
}

/* How bright the @i-th flash is; those of one moment are alike. */
static double bright_of(struct quire_draw *d, struct job *job, uint64_t i)
{
	const struct quire_flash *flash = &job->scene->flashes[i % QUIRE_FLASHES_MAX];

	if (!job->flash || job->flash->at_ns != flash->at_ns || job->flash->step != flash->step)
		job->bright = quire_view_flash(d->view, job->side, flash);
	job->flash = flash;
	return job->bright;
}

/* The oldest flash that is still seen. */
static uint64_t first_flash(struct quire_draw *d, struct job *job, uint64_t most)
{
	const struct quire_scene *scene = job->scene;
	uint64_t i = scene->flashes_count, first = scene->flashes_first;

	most = most < QUIRE_FLASHES_MAX ? most : QUIRE_FLASHES_MAX;
	if (i > most && first < i - most)
		first = i - most;
	while (i > first && bright_of(d, job, i - 1) > 0)
		i--;
	return i;
}

static void tint_all(struct quire_draw *d, struct job *job)
{
	const struct quire_scene *scene = job->scene;
	struct draw_pool *pool = job->pool;
	const struct quire_record_seq *seq =
		quire_scene_seq(scene, quire_place_selected(d->view, job->side));
	uint64_t i = first_flash(d, job, QUIRE_FLASHES_MAX);
	uint32_t cells = seq ? quire_place_map_cells(scene, seq) : 0, cell;
	double size = fmax(3, ceil(SMALL));

	pool->undo_count = 0;
	cells = cells > MARKS_MAX ? MARKS_MAX : cells;
	if (more(d, &pool->undo, &pool->undo_limit,
		 (size_t)((double)(scene->flashes_count - i + cells) * size * size),
		 sizeof(*pool->undo)))
		return;
	for (uint32_t k = 0; k < cells; k++)
		if (quire_place_map_cell(scene, seq, k, &cell))
			tint(d, job, cell, d->theme->ink, 0.85);
	for (; i < scene->flashes_count; i++) {
		const struct quire_flash *flash = &scene->flashes[i % QUIRE_FLASHES_MAX];

		tint(d, job, flash->cell, draw_flash_colour(d, flash->kind),
		     0.9 * bright_of(d, job, i));
	}
	cairo_surface_mark_dirty(pool->image.surface);
}

static void untint(struct draw_pool *pool)
{
	while (pool->undo_count) {
		const struct draw_undo *undo = &pool->undo[--pool->undo_count];

		pool->image.pixels[undo->at] = undo->colour;
	}
}

/* ---- marks over large cells ---- */

static bool in_sight(const struct job *job, const struct quire_rect *at)
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
static void mark_work(struct quire_draw *d, const struct job *job)
{
	const struct quire_record_state *state = &job->scene->state;
	double line = fmax(draw_pixel(d), draw_snap(d, 0.13 * d->em));
	uint32_t cell, slot, left = MARKS_MAX;

	draw_set(d, d->theme->ink, 0.95);
	for (uint32_t i = 0; i < state->planned_count; i++) {
		const struct quire_record_seq *seq = quire_scene_seq(job->scene, state->planned[i]);

		for (uint32_t k = 0; seq && k < seq->run_tokens && left; k++, left--) {
			struct quire_rect at;

			if (!quire_scene_place(job->scene, seq->id, seq->cached_tokens + k, &cell,
					       &slot))
				break;
			at = quire_view_cell(&job->grid, cell);
			if (!in_sight(job, &at))
				continue;
			at = quire_place_slot(d->view, job->side, &job->grid, &at, slot);
			draw_round(d, at.x + line, at.y + line, at.width - 2 * line,
				   at.height - 2 * line, fmin(0.25 * d->em, 0.16 * at.height));
		}
	}
	cairo_set_line_width(d->cr, line);
	cairo_stroke(d->cr);
}

static void mark_selected(struct quire_draw *d, const struct job *job)
{
	const struct quire_record_seq *seq =
		quire_scene_seq(job->scene, quire_place_selected(d->view, job->side));
	uint32_t cells = seq ? quire_place_map_cells(job->scene, seq) : 0, cell;
	double line = fmax(draw_pixel(d), fmin(0.16 * d->em, 0.08 * job->grid.height));

	draw_set(d, d->theme->ink, 1);
	for (uint32_t i = 0; i < cells && i < MARKS_MAX; i++) {
		struct quire_rect at;

		if (!quire_place_map_cell(job->scene, seq, i, &cell))
			continue;
		at = quire_view_cell(&job->grid, cell);
		if (in_sight(job, &at))
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
static void mark_copy(struct quire_draw *d, const struct job *job, const struct quire_flash *flash,
		      double bright, bool last)
{
	struct quire_rect from = quire_view_cell(&job->grid, flash->from);
	struct quire_rect to = quire_view_cell(&job->grid, flash->cell);
	double em = d->em, width = fmax(fmin(0.2 * em, 0.05 * job->grid.pitch_y), draw_pixel(d));
	double x0 = from.x + from.width / 2, x1 = to.x + to.width / 2;
	double y0 = from.y + 0.3 * from.height, y1 = to.y + 0.25 * to.height;
	double height = fmin(0.35 * fabs(x1 - x0) + 0.2 * fabs(y1 - y0), 5 * em), above, below;

	if (flash->from == flash->cell || (!in_sight(job, &from) && !in_sight(job, &to)))
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

static void mark_flashes(struct quire_draw *d, struct job *job)
{
	const struct quire_scene *scene = job->scene;
	double line = fmax(2 * draw_pixel(d), fmin(0.22 * d->em, 0.1 * job->grid.height));
	uint64_t first = first_flash(d, job, MARKS_MAX), newest = 0;

	for (uint64_t i = first; i < scene->flashes_count; i++)
		if (scene->flashes[i % QUIRE_FLASHES_MAX].kind == QUIRE_FLASH_COPIED &&
		    !goes_on(scene, i, first))
			newest = i;
	for (uint64_t i = first; i < scene->flashes_count; i++) {
		const struct quire_flash *flash = &scene->flashes[i % QUIRE_FLASHES_MAX];
		double bright = bright_of(d, job, i);
		struct quire_rect at = quire_view_cell(&job->grid, flash->cell);

		if (!in_sight(job, &at) || draw_outdone(scene, i))
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
			mark_copy(d, job, flash, bright_of(d, job, i), i == newest);
	}
}

static void mark_hover(struct quire_draw *d, const struct job *job)
{
	const struct quire_hit *hover = &d->view->hover;
	struct quire_rect at;

	if ((hover->kind != QUIRE_HIT_CELL && hover->kind != QUIRE_HIT_BLOCK) ||
	    hover->side != job->side || hover->cell >= job->scene->story->cells_count)
		return;
	at = quire_view_cell(&job->grid, hover->cell);
	if (!in_sight(job, &at))
		return;
	draw_set(d, d->theme->accent, 1);
	outline(d, &at, fmax(draw_pixel(d), 0.1 * d->em), fmax(draw_pixel(d), 0.14 * d->em));
}

/* ---- all of it ---- */

/* "12 blocks of 4 · 9 in use · 2 shared", behind the title. */
static void say_counts(struct quire_draw *d, const struct job *job)
{
	static const char *const colourings[QUIRE_COLOURINGS] = {
		"", " \xc2\xb7 by references", " \xc2\xb7 by fill", " \xc2\xb7 by age"};
	const struct quire_rect *panel = &d->view->sides[job->side].panels[QUIRE_PANEL_POOL];
	const struct quire_scene *scene = job->scene;
	char text[160], all[32], used[32], shared[64] = "";
	double em = d->em;

	if (scene->cells_shared)
		snprintf(shared, sizeof(shared), " \xc2\xb7 %s shared",
			 draw_count(scene->cells_shared, used));
	snprintf(text, sizeof(text), "%s blocks of %u \xc2\xb7 %s in use%s%s",
		 draw_count(scene->story->cells_count, all), scene->story->cell_slots,
		 draw_count(scene->cells_used, used), shared, colourings[d->view->colouring]);
	draw_text(d, panel->x + panel->width - 0.75 * em, panel->y + 1.3 * em, text,
		  (struct draw_style){.points = 0.85 * em,
				      .colour = d->theme->faint,
				      .align = DRAW_RIGHT,
				      .width = 0.6 * panel->width});
}

/* The rows in sight. */
static void find_sight(struct job *job)
{
	const struct quire_pool_grid *grid = &job->grid;
	double from = floor((job->body.y - grid->y) / grid->pitch_y) - 1;
	double until = ceil((job->body.y + job->body.height - grid->y) / grid->pitch_y) + 1;
	uint32_t count = job->scene->story->cells_count;

	from = fmin(fmax(from, 0), grid->rows);
	until = fmin(fmax(until, from), grid->rows);
	job->first = (uint32_t)from * grid->columns;
	job->until = (uint32_t)fmin(until * grid->columns, count);
}

void draw_pool(struct quire_draw *d, uint32_t side)
{
	const struct quire_view *view = d->view;
	struct draw_pool *pool = &d->sides[side].pool;
	struct job job = {.scene = &view->sides[side].scene, .pool = pool, .side = side};
	bool vectors;
	uint64_t key;
	int rc = 0;

	if (!draw_panel(d, side, QUIRE_PANEL_POOL))
		return;
	job.body = quire_place_body(view, side, QUIRE_PANEL_POOL);
	job.grid = quire_view_pool(view, side);
	say_counts(d, &job);
	if (job.body.width <= 0 || !job.grid.columns || job.grid.pitch_x <= 0)
		return;
	find_sight(&job);
	vectors = !d->pixels && job.until - job.first <= VECTORS;
	job.small = job.grid.width * d->scale < SMALL && !vectors;
	job.filtered = job.small && job.grid.pitch_x * d->scale < FILTERED;

	cairo_save(d->cr);
	draw_box(d, job.body.x, job.body.y, job.body.width, job.body.height);
	if (job.small)
		cairo_clip(d->cr);
	else
		cairo_new_path(d->cr);
	if (vectors) {
		for (uint32_t i = job.first; i < job.until; i++) {
			struct quire_rect at = quire_view_cell(&job.grid, i);

			if (in_sight(&job, &at))
				draw_cell(d, side, &job.grid, i, &at);
		}
	} else {
		key = draw_key(draw_key_view(d, side), (uint64_t)view->colouring);
		key = draw_key_real(draw_key_real(key, job.grid.x), job.grid.y);
		key = draw_key_real(draw_key_real(key, job.grid.pitch_x), job.grid.pitch_y);
		key = draw_key_real(draw_key_real(key, job.grid.width), job.grid.height);
		key = draw_key(key, (uint64_t)job.grid.columns << 32 | job.grid.slot_columns);
		key = draw_key(key, (uint64_t)job.scene->story->pieces_count << 32 | job.until);
		rc = draw_image(d, &pool->image, &job.body, key);
		if (rc >= 0)
			update(d, &job, rc > 0);
		if (rc >= 0 && job.small)
			tint_all(d, &job);
		if (rc >= 0)
			draw_show(d, &pool->image);
	}
	if (!job.small) {
		draw_box(d, job.body.x - 0.5 * d->em, job.body.y - 0.4 * d->em,
			 job.body.width + d->em, job.body.height + 0.8 * d->em);
		cairo_clip(d->cr);
		if (job.grid.slot_columns)
			mark_work(d, &job);
		mark_selected(d, &job);
		mark_flashes(d, &job);
	}
	mark_hover(d, &job);
	cairo_restore(d->cr);
	if (!vectors && job.small)
		untint(pool);
}
