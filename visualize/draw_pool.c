/*
 * draw_pool.c - the pool: an image that is kept, in which only cells are drawn again that
 * look different, and over it what moves (draw_pool_marks.c); where cells are small, flashes
 * are put into the image and taken out again.
 */
#include "draw_pool.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SMALL	 7.0	     /* pixels: cells below it are drawn without cairo */
#define FILTERED 3.0	     /* pixels from cell to cell: below it they share pixels */
#define NO_LOOK	 0xff000000u /* no colour, and no large cell's look */
#define VECTORS	 4096	     /* cells, at most, that a picture without pixels is made of */

int draw_pool_more(struct quire_draw *d, void *where, size_t *limit, size_t count, size_t size)
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
static uint32_t large_look(const struct quire_draw *d, const struct draw_pool_job *job, uint32_t i)
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

static uint32_t look_of(const struct quire_draw *d, const struct draw_pool_job *job, uint32_t i)
{
	return job->small ? small_look(d, job->side, &job->scene->cells[i],
				       job->scene->story->cell_slots)
			  : large_look(d, job, i);
}

/* ---- the image ---- */

static void draw_one(struct quire_draw *d, const struct draw_pool_job *job, uint32_t i)
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
static uint32_t update_group(struct quire_draw *d, const struct draw_pool_job *job, uint32_t group,
			     bool draw)
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
static int prepare(struct quire_draw *d, struct draw_pool_job *job, bool afresh)
{
	struct draw_pool *pool = job->pool;
	struct draw_image *image = &pool->image;
	size_t pixels = (size_t)image->width + (size_t)image->height;
	size_t looks = (size_t)job->grid.columns * job->grid.rows;
	double pitch = job->grid.pitch_x * d->scale;

	if (draw_pool_more(d, &pool->looks, &pool->looks_limit, looks, sizeof(*pool->looks)) ||
	    draw_pool_more(d, &pool->due, &pool->due_limit, job->scene->groups_count,
			   sizeof(*pool->due)))
		return -ENOMEM;
	if (!job->filtered)
		return 0;
	if (draw_pool_more(d, &pool->covers, &pool->covers_limit, pixels, sizeof(*pool->covers)))
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

static void update(struct quire_draw *d, struct draw_pool_job *job, bool afresh)
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
static void tint(struct quire_draw *d, const struct draw_pool_job *job, uint32_t cell,
		 uint32_t colour, double part)
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
double draw_pool_bright(struct quire_draw *d, struct draw_pool_job *job, uint64_t i)
{
	const struct quire_flash *flash = &job->scene->flashes[i % QUIRE_FLASHES_MAX];

	if (!job->flash || job->flash->at_ns != flash->at_ns || job->flash->step != flash->step)
		job->bright = quire_view_flash(d->view, job->side, flash);
	job->flash = flash;
	return job->bright;
}

/* The oldest flash that is still seen. */
uint64_t draw_pool_first_flash(struct quire_draw *d, struct draw_pool_job *job, uint64_t most)
{
	const struct quire_scene *scene = job->scene;
	uint64_t i = scene->flashes_count, first = scene->flashes_first;

	most = most < QUIRE_FLASHES_MAX ? most : QUIRE_FLASHES_MAX;
	if (i > most && first < i - most)
		first = i - most;
	while (i > first && draw_pool_bright(d, job, i - 1) > 0)
		i--;
	return i;
}

static void tint_all(struct quire_draw *d, struct draw_pool_job *job)
{
	const struct quire_scene *scene = job->scene;
	struct draw_pool *pool = job->pool;
	const struct quire_record_seq *seq =
		quire_scene_seq(scene, quire_place_selected(d->view, job->side));
	uint64_t i = draw_pool_first_flash(d, job, QUIRE_FLASHES_MAX);
	uint32_t cells = seq ? quire_place_map_cells(scene, seq) : 0, cell;
	double size = fmax(3, ceil(SMALL));

	pool->undo_count = 0;
	cells = cells > DRAW_POOL_MARKS_MAX ? DRAW_POOL_MARKS_MAX : cells;
	if (draw_pool_more(d, &pool->undo, &pool->undo_limit,
			   (size_t)((double)(scene->flashes_count - i + cells) * size * size),
			   sizeof(*pool->undo)))
		return;
	for (uint32_t k = 0; k < cells; k++)
		if (quire_place_map_cell(scene, seq, k, &cell))
			tint(d, job, cell, d->theme->ink, 0.85);
	for (; i < scene->flashes_count; i++) {
		const struct quire_flash *flash = &scene->flashes[i % QUIRE_FLASHES_MAX];

		tint(d, job, flash->cell, draw_flash_colour(d, flash->kind),
		     0.9 * draw_pool_bright(d, job, i));
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

/* ---- all of it ---- */

/* "12 blocks of 4 · 9 in use · 2 shared", behind the title. */
static void say_counts(struct quire_draw *d, const struct draw_pool_job *job)
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
static void find_sight(struct draw_pool_job *job)
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
	struct draw_pool_job job = {.scene = &view->sides[side].scene, .pool = pool, .side = side};
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

			if (draw_pool_in_sight(&job, &at))
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
		draw_pool_marks(d, &job);
	}
	draw_pool_hover(d, &job);
	cairo_restore(d->cr);
	if (!vectors && job.small)
		untint(pool);
}
