/*
 * place_sequence.c - the strips of blocks of the sequence panel: its own, the pool's, and
 * those of the sequences that share some.
 */
#include "place.h"

#include <math.h>

uint32_t quire_place_selected(const struct quire_view *view, uint32_t side)
{
	const struct quire_story *a = view->sides[0].story, *b = view->sides[side].story;
	uint32_t seq, sample;

	if (!view->selected || side == 0)
		return view->selected;
	/* The same sample of the same request. */
	if (view->selected >= a->tracks_count || view->selected_request >= b->run->requests_count)
		return 0;
	sample = a->tracks[view->selected].sample;
	seq = b->first_seq[view->selected_request];
	while (seq && seq < b->tracks_count && b->tracks[seq].sample < sample)
		seq = b->tracks[seq].next_sample;
	return seq < b->tracks_count ? seq : 0;
}

uint32_t quire_place_map_cells(const struct quire_scene *scene, const struct quire_record_seq *seq)
{
	return seq->block_slots ? seq->blocks_count * quire_scene_block_cells(scene, seq) : 0;
}

bool quire_place_map_cell(const struct quire_scene *scene, const struct quire_record_seq *seq,
			  uint32_t i, uint32_t *cell)
{
	uint32_t cells = quire_scene_block_cells(scene, seq);

	if (!cells || i / cells >= seq->blocks_count)
		return false;
	*cell = seq->blocks[i / cells] / scene->story->cell_slots + i % cells;
	return *cell < scene->story->cells_count;
}

/* Sharers are looked for in so many cells. */
#define SHARED_CELLS_MAX 4096u
#define SHARERS_MAX	 16u

/* The sequences that share cells with @seq, in order of birth, into @ids [SHARERS_MAX]. */
static uint32_t sharers_of(const struct quire_scene *scene, const struct quire_record_seq *seq,
			   uint32_t *ids)
{
	uint32_t cells = quire_place_map_cells(scene, seq), count = 0, cell;

	for (uint32_t i = 0; i < cells && i < SHARED_CELLS_MAX; i++) {
		uint32_t some[SHARERS_MAX], n;

		if (!quire_place_map_cell(scene, seq, i, &cell) || scene->cells[cell].refs < 2)
			continue;
		n = quire_scene_sharers(scene, cell, some, SHARERS_MAX);
		for (uint32_t k = 0; k < n && k < SHARERS_MAX; k++) {
			uint32_t at = 0;

			while (at < count && ids[at] < some[k])
				at++;
			if (some[k] == seq->id || (at < count && ids[at] == some[k]) ||
			    at == SHARERS_MAX)
				continue;
			count += count < SHARERS_MAX;
			for (uint32_t j = count - 1; j > at; j--)
				ids[j] = ids[j - 1];
			ids[at] = some[k];
		}
	}
	return count;
}

/* The cells of @seq's map into the rising list.  Return: false: they are too many. */
static bool add_cells(const struct quire_scene *scene, const struct quire_record_seq *seq,
		      struct quire_place_sequence *out)
{
	uint32_t cells = quire_place_map_cells(scene, seq), cell;

	if (cells > QUIRE_PLACE_CELLS_MAX)
		return false;
	for (uint32_t i = 0; i < cells; i++) {
		uint32_t at = 0;

		if (!quire_place_map_cell(scene, seq, i, &cell))
			continue;
		while (at < out->cells_count && out->cells[at] < cell)
			at++;
		if (at < out->cells_count && out->cells[at] == cell)
			continue;
		if (out->cells_count == QUIRE_PLACE_CELLS_MAX)
			return false;
		for (uint32_t k = out->cells_count++; k > at; k--)
			out->cells[k] = out->cells[k - 1];
		out->cells[at] = cell;
	}
	return true;
}

/* Is there room for a figure of large blocks? */
static bool is_figure(const struct quire_scene *scene, struct quire_place_sequence *out,
		      double width, double em)
{
	uint32_t digits = 1;

	for (uint32_t i = 0; i < out->strips_count; i++)
		if (!add_cells(scene, quire_scene_seq(scene, out->strips[i].seq), out))
			return false;
	/* Their numbers are to be read. */
	for (uint32_t n = scene->story->cells_count; n > 9; n /= 10)
		digits++;
	return out->strips[0].count * fmax(3.0, 1.1 + 0.65 * digits) * em <= width &&
	       out->cells_count * fmax(2.2, 1.1 + 0.65 * digits) * em <= width;
}

/* Slots of a block stand in a row, or in several where the words of all blocks then are
 * larger. */
static void place_tokens(uint32_t slots, double height, double inset,
			 struct quire_place_sequence *out)
{
	double width = out->pool_pitch, best = 0;

	for (uint32_t i = 0; i < out->strips_count; i++)
		width = fmin(width, out->strips[i].pitch);
	for (uint32_t n = slots; n; n--) {
		double letters =
			fmin(0.56 * (height - inset) * n / slots, 0.28 * (width - inset) / n);

		if (slots % n || letters <= 1.25 * best)
			continue;
		best = letters;
		out->slot_columns = n;
	}
}

void quire_place_sequence(const struct quire_view *view, uint32_t side,
			  struct quire_place_sequence *out)
{
	const struct quire_scene *scene = &view->sides[side].scene;
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_SEQUENCE);
	const struct quire_record_seq *seq =
		quire_scene_seq(scene, quire_place_selected(view, side));
	double em = view->font_points, tab, room, number, block, gap, levels, x, width, wide;
	uint32_t ids[SHARERS_MAX], others;

	*out = (struct quire_place_sequence){0};
	if (!seq || body.width < 10 * em || body.height < 4 * em)
		return;
	out->seq = seq->id;
	others = sharers_of(scene, seq, ids);
	if (body.height < 10 * em)
		others = 0;
	out->strips[0].seq = seq->id;
	out->strips_count = 1;
	for (uint32_t i = 0; i < others && out->strips_count < QUIRE_PLACE_STRIPS_MAX; i++)
		out->strips[out->strips_count++].seq = ids[i];
	out->more = others - (out->strips_count - 1);
	for (uint32_t i = 0; i < out->strips_count; i++)
		out->strips[i].count =
			quire_place_map_cells(scene, quire_scene_seq(scene, out->strips[i].seq));
	/* What the lines are is said at the left. */
	if (body.width > 40 * em) {
		body.x += 7.6 * em;
		body.width -= 7.6 * em;
	}
	out->figure = is_figure(scene, out, body.width, em);
	if (!out->figure) {
		out->cells_count = 0;
		body.height -= 1.2 * em; /* for what is said below */
	}

	/* Room for words in the slots. */
	wide = fmin(fmax(2.6 * em * scene->story->cell_slots, 7 * em), 12 * em);
	tab = out->figure ? 1.5 * em : 0;
	levels = out->strips_count > 1 ? 2 : 1;
	room = body.height - levels * tab;
	/* Blocks of the pool have their numbers. */
	number = out->figure && room > (levels + 1) * 2.4 * em ? 1.15 * em : 0;
	block = fmin((room - number) / (levels + 1 + 0.6 * levels), (out->figure ? 4.8 : 2) * em);
	gap = fmin((room - number - (levels + 1) * block) / levels, (out->figure ? 6 : 14) * em);

	out->strips[0].at = (struct quire_rect){body.x, body.y, body.width, block};
	out->pool =
		(struct quire_rect){body.x, body.y + block + tab + gap, body.width, block + number};
	x = body.x;
	width = (body.width - (out->strips_count - 2.0) * 1.5 * em) / (out->strips_count - 1.0);
	for (uint32_t i = 1; i < out->strips_count; i++, x += width + 1.5 * em)
		out->strips[i].at = (struct quire_rect){
			x, out->pool.y + out->pool.height + gap + tab, width, block};
	for (uint32_t i = 0; i < out->strips_count; i++) {
		struct quire_place_strip *strip = &out->strips[i];

		strip->tab = tab;
		strip->pitch = strip->at.width / (strip->count ? strip->count : 1);
		strip->pitch = fmin(strip->pitch, out->figure ? wide : 1.2 * em);
		strip->at.width = strip->pitch * strip->count;
	}
	out->pool_pitch = body.width / scene->story->cells_count;
	if (out->figure) {
		out->pool_pitch = fmin(body.width / fmax(out->cells_count, 1), wide);
		out->pool.width = out->pool_pitch * out->cells_count;
		place_tokens(scene->story->cell_slots, block, 0.6 * em, out);
	}
}
