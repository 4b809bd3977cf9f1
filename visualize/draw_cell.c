/*
 * draw_cell.c - one cell of the pool: a bar that says what its slots are used for, or, when
 * there is room, a block with its slots, and the tokens that stand in them.
 *
 * Slots of a cell come in this order: live, reserved, internal, not in any map.
 */
#include "draw_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

uint32_t draw_cell_colours(const struct quire_draw *d, uint32_t side, uint32_t cell,
			   uint32_t *colours)
{
	const struct quire_scene *scene = &d->view->sides[side].scene;
	uint32_t ids[DRAW_SHARERS_MAX], count;

	if (d->view->colouring != QUIRE_BY_OWNER || scene->cells[cell].refs < 2) {
		colours[0] = draw_cell_colour(d, side, &scene->cells[cell]);
		return 1;
	}
	count = quire_scene_sharers(scene, cell, ids, DRAW_SHARERS_MAX);
	if (count > DRAW_SHARERS_MAX)
		count = DRAW_SHARERS_MAX;
	for (uint32_t i = 0; i < count; i++)
		colours[i] = draw_owner(d, side, ids[i]);
	return count;
}

/* Bands below each other, one a colour. */
static void bands(struct quire_draw *d, const struct quire_rect *at, enum draw_fill fill,
		  const uint32_t *colours, uint32_t count)
{
	double height = at->height / count;

	if (height * d->scale < 1.5)
		count = 1, height = at->height;
	for (uint32_t i = 0; i < count; i++)
		draw_fill(d, at->x, at->y + i * height, at->width, height, fill, colours[i]);
}

void draw_bar(struct quire_draw *d, const struct quire_cell *cell, uint32_t slots,
	      const struct quire_rect *at, const uint32_t *colours, uint32_t count)
{
	const uint32_t parts[] = {cell->live, cell->reserved,
				  (uint32_t)cell->mapped - cell->live - cell->reserved,
				  cell->refs ? slots - cell->mapped : 0};
	static const enum draw_fill fills[] = {DRAW_SOLID, DRAW_RESERVED, DRAW_INTERNAL,
					       DRAW_ROUNDING};
	uint32_t from = 0;

	draw_fill(d, at->x, at->y, at->width, at->height, DRAW_FREE, 0);
	for (uint32_t i = 0; i < 4; i++) {
		double x0 = draw_snap(d, at->x + at->width * from / slots), x1;
		struct quire_rect part;

		from += parts[i];
		x1 = draw_snap(d, at->x + at->width * from / slots);
		/* What is there is seen. */
		if (parts[i] && x1 - x0 < draw_pixel(d) && x0 + draw_pixel(d) < at->x + at->width)
			x1 = x0 + draw_pixel(d);
		part = (struct quire_rect){x0, at->y, x1 - x0, at->height};
		if (x1 > x0)
			bands(d, &part, fills[i], colours, count);
	}
}

/* ---- slots ---- */

/* What a token is called: its text, or at least its position; an id says nothing to a reader.
 * Return: is that more than its position? */
static bool token_label(const struct quire_story *story, uint32_t seq, uint32_t position,
			char label[64], bool *output)
{
	struct quire_token token = quire_story_token(story, seq, position);
	size_t to = 0;

	*output = token.output;
	for (uint32_t i = 0; token.text && i < token.bytes && to < 60; i++) {
		if (token.text[i] == '\n') {
			memcpy(label + to, "\xe2\x86\xb5", 3);
			to += 3;
		} else if (token.text[i] != ' ' || (to && label[to - 1] != ' ')) {
			label[to++] = token.text[i];
		}
	}
	while (to && label[to - 1] == ' ')
		to--;
	label[to] = '\0';
	if (to)
		return true;
	if (token.text && token.bytes)
		strcpy(label, "\xe2\x90\xa3"); /* a blank that is seen */
	else
		snprintf(label, 64, "%u", position);
	return token.text != NULL;
}

static void slot_text(struct quire_draw *d, uint32_t side, uint32_t seq, uint32_t position,
		      const struct quire_rect *at, uint32_t ground)
{
	const struct quire_story *story = d->view->sides[side].story;
	double points = fmin(1.1 * d->em, 0.62 * at->height), width, room = at->width * 0.9;
	bool output, said;
	char label[64];

	if (points < 0.42 * d->em || !seq)
		return;
	said = token_label(story, seq, position, label, &output);
	if (!said)
		points *= 0.8;
	width = draw_width(d, label, points, output && said);
	if (width > room)
		points = fmax(0.999 * points * room / width, fmin(points, 0.52 * d->em));
	draw_text(d, at->x + at->width / 2, at->y + at->height / 2 + 0.36 * points, label,
		  (struct draw_style){.points = points,
				      .colour = draw_ink_on(ground),
				      .alpha = said ? 1 : 0.55,
				      .bold = output && said,
				      .align = DRAW_CENTRE,
				      .width = room});
}

void draw_token(struct quire_draw *d, uint32_t side, uint32_t seq, uint32_t position,
		const struct quire_rect *at)
{
	uint32_t colour = draw_owner(d, side, seq);

	draw_set(d, draw_mix(d->theme->panel, colour, 0.16), 1);
	draw_round(d, at->x, at->y, at->width, at->height, fmin(0.25 * d->em, 0.16 * at->height));
	cairo_fill_preserve(d->cr);
	draw_set(d, colour, 1);
	cairo_set_line_width(d->cr, fmax(0.1 * d->em, draw_pixel(d)));
	cairo_stroke(d->cr);
	slot_text(d, side, seq, position, at, draw_mix(d->theme->panel, colour, 0.16));
}

void draw_slot(struct quire_draw *d, uint32_t side, const struct quire_cell *cell, uint32_t seq,
	       uint32_t position, uint32_t slot, const struct quire_rect *at,
	       const uint32_t *colours, uint32_t count)
{
	double gap = fmax(draw_pixel(d), 0.05 * fmin(at->width, at->height));
	struct quire_rect box = {draw_snap(d, at->x + gap), draw_snap(d, at->y + gap), 0, 0};
	double radius = fmin(0.25 * d->em, 0.16 * at->height);
	enum draw_fill fill = cell->refs ? DRAW_ROUNDING : DRAW_FREE;

	box.width = draw_snap(d, at->x + at->width - gap) - box.x;
	box.height = draw_snap(d, at->y + at->height - gap) - box.y;
	if (slot < cell->live)
		fill = DRAW_SOLID;
	else if (slot < (uint32_t)cell->live + cell->reserved)
		fill = DRAW_RESERVED;
	else if (slot < cell->mapped)
		fill = DRAW_INTERNAL;

	cairo_save(d->cr);
	draw_round(d, box.x, box.y, box.width, box.height, radius);
	cairo_clip(d->cr);
	bands(d, &box, fill, colours, fill == DRAW_SOLID || fill == DRAW_RESERVED ? count : 1);
	cairo_restore(d->cr);
	if (fill != DRAW_SOLID) {
		double line = draw_pixel(d);

		draw_set(d,
			 fill == DRAW_FREE	 ? d->theme->grid
			 : fill == DRAW_INTERNAL ? d->theme->internal
			 : fill == DRAW_RESERVED ? colours[0]
						 : d->theme->unmapped,
			 fill == DRAW_FREE ? 1 : 0.8);
		draw_round(d, box.x + line / 2, box.y + line / 2, box.width - line,
			   box.height - line, radius);
		cairo_set_line_width(d->cr, line);
		cairo_stroke(d->cr);
		return;
	}
	slot_text(d, side, seq, position, &box, colours[count / 2]);
}

/* ---- cells ---- */

/* Who has it: a dot in his colour and his name; of several, all dots. */
static void owners(struct quire_draw *d, uint32_t side, uint32_t cell, double right, double y,
		   double room)
{
	const struct quire_scene *scene = &d->view->sides[side].scene;
	double points = 0.82 * d->em, radius = 0.26 * d->em;
	uint32_t ids[DRAW_SHARERS_MAX], count, refs = scene->cells[cell].refs;
	char text[32];

	count = quire_scene_sharers(scene, cell, ids, DRAW_SHARERS_MAX);
	count = count > DRAW_SHARERS_MAX ? DRAW_SHARERS_MAX : count;
	if (refs > 1)
		snprintf(text, sizeof(text), "\xc3\x97%u", refs);
	else
		quire_story_name(scene->story, scene->cells[cell].owner, text);
	/* Where there is little room, only his name, or how many they are. */
	if (draw_width(d, text, points, refs > 1) + (2.4 * count + 0.6) * radius > room)
		count = 0;
	if (draw_width(d, text, points, refs > 1) > room)
		return;
	right -= draw_text(d, right, y, text,
			   (struct draw_style){.points = points,
					       .colour = d->theme->ink,
					       .bold = refs > 1,
					       .align = DRAW_RIGHT}) +
		 0.3 * d->em + radius;
	for (uint32_t i = count; i; i--, right -= 2.4 * radius) {
		draw_set(d, draw_owner(d, side, ids[i - 1]), 1);
		cairo_arc(d->cr, right, y - 0.36 * points, radius, 0, 2 * DRAW_PI);
		cairo_fill(d->cr);
	}
}

/* The number of a cell. */
static void number(struct quire_draw *d, uint32_t cell, double x, double y, enum draw_align align,
		   uint32_t colour)
{
	char text[32];

	snprintf(text, sizeof(text), "%u", cell);
	draw_text(d, x, y, text,
		  (struct draw_style){
			  .points = 0.8 * d->em, .colour = colour, .bold = true, .align = align});
}

/* A block with its slots. */
static void block(struct quire_draw *d, uint32_t side, const struct quire_pool_grid *grid,
		  uint32_t cell, const struct quire_rect *at)
{
	const struct quire_scene *scene = &d->view->sides[side].scene;
	const struct quire_cell *of = &scene->cells[cell];
	double em = d->em, radius = fmin(0.5 * em, 0.08 * at->width), line;
	uint32_t colours[DRAW_SHARERS_MAX], count = draw_cell_colours(d, side, cell, colours);
	struct quire_rect first = quire_place_slot(d->view, side, grid, at, 0);
	uint32_t edge = of->refs ? draw_mix(colours[0], d->theme->panel, 0.45) : d->theme->grid;
	char text[32];

	line = fmax(draw_pixel(d), draw_snap(d, 0.1 * em));
	draw_set(d, of->refs ? draw_mix(d->theme->panel, colours[0], 0.13) : d->theme->panel, 1);
	draw_round(d, at->x + line / 2, at->y + line / 2, at->width - line, at->height - line,
		   radius);
	cairo_fill_preserve(d->cr);
	draw_set(d, edge, 1);
	cairo_set_line_width(d->cr, line);
	cairo_stroke(d->cr);
	for (uint32_t i = 0; i < scene->story->cell_slots; i++) {
		struct quire_rect slot = quire_place_slot(d->view, side, grid, at, i);

		draw_slot(d, side, of, of->owner, of->position + i, i, &slot, colours, count);
	}
	if (first.y - at->y < 1.2 * em) {
		if (first.x - at->x > 1.2 * em)
			number(d, cell, (first.x + at->x) / 2, at->y + at->height / 2 + 0.3 * em,
			       DRAW_CENTRE, d->theme->faint);
		return;
	}
	snprintf(text, sizeof(text), "%u", cell);
	first.width = draw_text(d, at->x + fmin(0.5 * em, 0.2 * at->width), at->y + 1.02 * em, text,
				(struct draw_style){.points = 0.82 * em,
						    .colour = d->theme->faint,
						    .bold = true,
						    .width = 0.8 * at->width});
	if (of->refs)
		owners(d, side, cell, at->x + at->width - 0.5 * em, at->y + 1.02 * em,
		       at->width - first.width - 1.4 * em);
}

void draw_cell(struct quire_draw *d, uint32_t side, const struct quire_pool_grid *grid,
	       uint32_t cell, const struct quire_rect *at)
{
	const struct quire_scene *scene = &d->view->sides[side].scene;
	uint32_t colours[DRAW_SHARERS_MAX], count;
	double radius = 0.12 * at->width;

	if (grid->slot_columns) {
		block(d, side, grid, cell, at);
		return;
	}
	count = draw_cell_colours(d, side, cell, colours);
	cairo_save(d->cr);
	if (radius * d->scale > 1.5) {
		draw_round(d, at->x, at->y, at->width, at->height, fmin(radius, 0.4 * d->em));
		cairo_clip(d->cr);
	}
	draw_bar(d, &scene->cells[cell], scene->story->cell_slots, at, colours, count);
	cairo_restore(d->cr);
	if (scene->story->cells_count <= QUIRE_FEW_CELLS && at->height > 1.2 * d->em &&
	    at->width > 2.4 * d->em)
		number(d, cell, at->x + 0.4 * d->em, at->y + d->em, DRAW_LEFT,
		       scene->cells[cell].live ? draw_ink_on(colours[0]) : d->theme->faint);
}

/* ---- flashes ---- */

uint32_t draw_flash_colour(const struct quire_draw *d, uint32_t kind)
{
	const struct quire_theme *theme = d->theme;
	const uint32_t colours[] = {
		[QUIRE_FLASH_GIVEN] = theme->given,   [QUIRE_FLASH_FREED] = theme->freed,
		[QUIRE_FLASH_SHARED] = theme->shared, [QUIRE_FLASH_COPIED] = theme->copied,
		[QUIRE_FLASH_TAKEN] = theme->taken,
	};

	return kind < sizeof(colours) / sizeof(colours[0]) ? colours[kind] : theme->accent;
}

bool draw_outdone(const struct quire_scene *scene, uint64_t i)
{
	uint32_t cell = scene->flashes[i % QUIRE_FLASHES_MAX].cell;

	for (uint64_t k = i + 1; k < scene->flashes_count && k < i + 64; k++)
		if (scene->flashes[k % QUIRE_FLASHES_MAX].cell == cell)
			return true;
	return false;
}
