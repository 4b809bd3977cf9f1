/*
 * place_parts.c - what is in the panels: slots, figures, chips, and the strips of blocks of
 * the sequence panel.
 */
#include "place.h"

#include <math.h>

static const struct quire_rect nowhere;

/* ---- pool ---- */

struct quire_rect quire_place_slot(const struct quire_view *view, uint32_t side,
				   const struct quire_pool_grid *grid, const struct quire_rect *at,
				   uint32_t slot)
{
	uint32_t slots = view->sides[side].story->cell_slots, columns = grid->slot_columns;
	double em = view->font_points, pad, top, width, height;
	uint32_t rows;

	if (!columns)
		return *at;
	rows = (slots + columns - 1) / columns;
	pad = fmin(0.35 * em, 0.05 * at->width);
	top = at->height > 3.6 * em ? 1.35 * em : pad;
	width = (at->width - 2 * pad) / columns;
	height = (at->height - top - pad) / rows;
	return (struct quire_rect){at->x + pad + slot % columns * width,
				   at->y + top + slot / columns * height, width, height};
}

/* ---- figures ---- */

const struct quire_gauge_text quire_gauge_texts[QUIRE_GAUGE_COUNT] = {
#define X(name, title, unit, better, words) {title, unit, words, better},
	QUIRE_GAUGES(X)
#undef X
};

struct quire_rect quire_place_gauge(const struct quire_view *view, uint32_t side,
				    enum quire_gauge_kind gauge)
{
	double em = view->font_points, gap = 1.0 * em;
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_GAUGES), rest = body;
	uint32_t count = QUIRE_GAUGE_COUNT - 1, columns, rows, i;

	if (body.width <= 0)
		return nowhere;
	/* The chart is beside the figures, or above them. */
	if (body.width > 2.6 * body.height || body.height < 9 * em) {
		body.width = 0.46 * body.width;
		rest.x += body.width + gap;
		rest.width -= body.width + gap;
	} else {
		body.height = fmax(body.height - 9 * em, 0.48 * body.height);
		rest.y += body.height + 0.6 * em;
		rest.height -= body.height + 0.6 * em;
	}
	if (gauge == QUIRE_GAUGE_MEMORY)
		return body;
	columns = rest.width > 40 * em ? 4 : rest.width > 17 * em ? 2 : 1;
	if (rest.height < 5 * em && columns == 2 && rest.width > 24 * em)
		columns = 4;
	rows = (count + columns - 1) / columns;
	while (rows > 1 && rest.height / rows < 2.2 * em)
		rows--;
	i = (uint32_t)gauge - 1;
	if (i >= rows * columns)
		return nowhere;
	rest.width = (rest.width - gap * (columns - 1)) / columns;
	rest.height = (rest.height - 0.5 * em * (rows - 1)) / rows;
	rest.x += i % columns * (rest.width + gap);
	rest.y += i / columns * (rest.height + 0.5 * em);
	return rest;
}

/* Steps that have ended before @index. */
static uint32_t steps_before(const struct quire_story *story, uint64_t index)
{
	uint32_t step = quire_story_step_at(story, index);

	if (step > story->steps_count)
		step = story->steps_count;
	if (step && (quire_story_index_step(story, step) > index || !story->steps[step - 1].end_ns))
		step--;
	return step;
}

double quire_gauge_value(const struct quire_story *story, enum quire_gauge_kind gauge,
			 uint64_t index)
{
	uint32_t steps = steps_before(story, index);
	const struct quire_story_step *step = steps ? &story->steps[steps - 1] : NULL;

	if (!step)
		return NAN;
	switch (gauge) {
	case QUIRE_GAUGE_RATE:
		return step->end_ns ? (double)step->output_tokens / ((double)step->end_ns / 1e9)
				    : NAN;
	case QUIRE_GAUGE_TTFT:
		return step->ttft_count ? step->ttft_sum_s / step->ttft_count : NAN;
	case QUIRE_GAUGE_TPOT:
		return step->tpot_count ? step->tpot_sum_s / step->tpot_count : NAN;
	case QUIRE_GAUGE_USE:
		return quire_story_summary(story, QUIRE_SERIES_TOKEN_STATES, 0, steps).mean /
		       story->run->slots_total * 100;
	default:
		return NAN;
	}
}

/* ---- queues ---- */

struct quire_place_chips quire_place_chips(const struct quire_view *view, uint32_t side,
					   enum quire_list list, uint32_t count)
{
	/* Who runs has most room. */
	static const double from[QUIRE_LIST_COUNT + 1] = {0, 0.32, 0.74, 1};
	double em = view->font_points;
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_QUEUES);
	struct quire_place_chips chips = {0};

	if (body.width < 12 * em || body.height < 3 * em || list >= QUIRE_LIST_COUNT)
		return chips;
	chips.area = (struct quire_rect){body.x + 5.4 * em, body.y + from[list] * body.height,
					 body.width - 5.4 * em,
					 (from[list + 1] - from[list]) * body.height - 0.4 * em};
	/* With names, or as squares, the largest that fit. */
	for (uint32_t i = 0; i < 4; i++) {
		static const double sizes[] = {1.5, 1.3, 1, 0.7};
		double most;

		chips.named = i == 0;
		chips.height = fmin(sizes[i] * em, chips.area.height);
		chips.width = chips.named ? 3.9 * em : chips.height;
		chips.pitch_x = chips.width + 0.3 * em;
		chips.pitch_y = chips.height + 0.3 * em;
		chips.columns = (uint32_t)fmax(1, floor(chips.area.width / chips.pitch_x));
		most = floor((chips.area.height + 0.3 * em) / chips.pitch_y);
		chips.rows = (uint32_t)fmax(1, most);
		if (count <= chips.columns * chips.rows)
			break;
	}
	chips.shown = count;
	/* "+ 123" takes the room of some. */
	if (count > chips.columns * chips.rows) {
		uint32_t places = chips.columns * chips.rows;

		chips.shown = places > 5 ? places - 5 : 0;
	}
	return chips;
}

struct quire_rect quire_place_chip(const struct quire_place_chips *chips, uint32_t i)
{
	return (struct quire_rect){chips->area.x + i % chips->columns * chips->pitch_x,
				   chips->area.y + i / chips->columns * chips->pitch_y,
				   chips->width, chips->height};
}

/* ---- sequence ---- */

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
	for (uint32_t i = 0; i < out->strips_count; i++)
		if (!add_cells(scene, quire_scene_seq(scene, out->strips[i].seq), out))
			return false;
	return out->strips[0].count * 3.0 * em <= width && out->cells_count * 2.2 * em <= width;
}

void quire_place_sequence(const struct quire_view *view, uint32_t side,
			  struct quire_place_sequence *out)
{
	const struct quire_scene *scene = &view->sides[side].scene;
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_SEQUENCE);
	const struct quire_record_seq *seq =
		quire_scene_seq(scene, quire_place_selected(view, side));
	double em = view->font_points, tab, block, gap, levels, x, width, wide;
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
	if (!out->figure)
		out->cells_count = 0;

	/* Room for words in the slots. */
	wide = fmin(fmax(2.6 * em * scene->story->cell_slots, 7 * em), 12 * em);
	tab = out->figure ? 1.5 * em : 0;
	levels = out->strips_count > 1 ? 2 : 1;
	block = (body.height - levels * tab) / (levels + 1 + 0.8 * levels);
	block = fmin(block, out->figure ? 4.2 * em : 2.0 * em);
	gap = fmin((body.height - levels * tab - (levels + 1) * block) / levels, 8 * em);

	out->strips[0].at = (struct quire_rect){body.x, body.y, body.width, block};
	out->pool = (struct quire_rect){body.x, body.y + block + tab + gap, body.width, block};
	x = body.x;
	width = (body.width - (out->strips_count - 2.0) * 1.5 * em) / (out->strips_count - 1.0);
	for (uint32_t i = 1; i < out->strips_count; i++, x += width + 1.5 * em)
		out->strips[i].at =
			(struct quire_rect){x, out->pool.y + block + gap + tab, width, block};
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
	}
}
