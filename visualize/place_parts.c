/*
 * place_parts.c - what is in the panels: the legend's entries, slots, figures, chips.
 */
#include "place.h"

#include <math.h>

static const struct quire_rect nowhere;

/* ---- legend ---- */

const char *const quire_legend_words[QUIRE_LEGEND_COUNT] = {
#define X(name, words) words,
	QUIRE_LEGEND(X)
#undef X
};

static bool ever(const struct quire_story *story, enum quire_series_kind series)
{
	return quire_story_summary(story, series, 0, story->steps_count).max > 0;
}

uint32_t quire_place_legend(const struct quire_view *view)
{
	bool slots = view->alone < 0 || view->alone == QUIRE_PANEL_POOL ||
		     view->alone == QUIRE_PANEL_SEQUENCE;
	bool spans = view->alone < 0 || view->alone == QUIRE_PANEL_TIMELINE ||
		     view->alone == QUIRE_PANEL_STEPS;
	uint32_t of_slots = 1u << QUIRE_LEGEND_LIVE | 1u << QUIRE_LEGEND_FREE |
			    1u << QUIRE_LEGEND_GIVEN | 1u << QUIRE_LEGEND_FREED;
	uint32_t of_spans =
		1u << QUIRE_LEGEND_WAITING | 1u << QUIRE_LEGEND_PROMPT | 1u << QUIRE_LEGEND_DECODE;

	for (uint32_t s = 0; s < view->sides_count; s++) {
		const struct quire_story *story = view->sides[s].story;

		of_slots |= (uint32_t)ever(story, QUIRE_SERIES_RESERVED) << QUIRE_LEGEND_RESERVED;
		of_slots |= (uint32_t)ever(story, QUIRE_SERIES_INTERNAL) << QUIRE_LEGEND_INTERNAL;
		of_slots |= (uint32_t)ever(story, QUIRE_SERIES_ROUNDING) << QUIRE_LEGEND_ROUNDING;
		of_slots |= (uint32_t)(story->marks_count[QUIRE_EV_FORK] > 0)
			    << QUIRE_LEGEND_SHARED;
		of_slots |= (uint32_t)(story->marks_count[QUIRE_EV_COPY] > 0)
			    << QUIRE_LEGEND_COPIED;
		of_slots |= (uint32_t)(story->marks_count[QUIRE_EV_PREEMPT] > 0)
			    << QUIRE_LEGEND_TAKEN;
		of_spans |= story->does << QUIRE_LEGEND_WAITING;
	}
	return (slots ? of_slots : 0) | (spans ? of_spans : 0);
}

/* ---- pool ---- */

struct quire_rect quire_place_slot(const struct quire_view *view, uint32_t side,
				   const struct quire_pool_grid *grid, const struct quire_rect *at,
				   uint32_t slot)
{
	uint32_t slots = view->sides[side].story->cell_slots, columns = grid->slot_columns;
	double em = view->font_points, pad, top, left, width, height;
	uint32_t rows;

	if (!columns)
		return *at;
	rows = (slots + columns - 1) / columns;
	pad = fmin(0.35 * em, 0.05 * at->width);
	top = at->height > 3.6 * em ? 1.35 * em : pad;
	left = top <= pad && at->width > 5.5 * em ? 1.75 * em : pad;
	width = (at->width - left - pad) / columns;
	height = (at->height - top - pad) / rows;
	return (struct quire_rect){at->x + left + slot % columns * width,
				   at->y + top + slot / columns * height, width, height};
}

/* ---- figures ---- */

const struct quire_gauge_text quire_gauge_texts[QUIRE_GAUGE_COUNT] = {
#define X(name, title, brief, unit, better, words) {title, brief, unit, words, better},
	QUIRE_GAUGES(X)
#undef X
};

/* Columns of figures that have room for all of them, their numbers below their names or, where
 * that is not to be had, beside them.  Return: how many rows. */
static uint32_t place_figures(const struct quire_rect *rest, double em, uint32_t count,
			      uint32_t *columns)
{
	static const struct {
		uint32_t columns;
		double width, height; /* em, at least, of one */
	} ways[] = {{4, 10, 2.9}, {2, 8.4, 2.9}, {1, 8.4, 2.9}, {2, 14, 1.3}, {1, 10, 1.3}};
	uint32_t rows = 0;

	for (uint32_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		*columns = ways[i].columns;
		rows = (count + *columns - 1) / *columns;
		if (rest->width / *columns >= ways[i].width * em &&
		    rest->height / rows >= ways[i].height * em)
			return rows;
	}
	*columns = rest->width > 28 * em ? 2 : 1;
	rows = (uint32_t)fmax(1, floor(rest->height / (1.3 * em)));
	return rows < (count + *columns - 1) / *columns ? rows : (count + *columns - 1) / *columns;
}

struct quire_rect quire_place_gauge(const struct quire_view *view, uint32_t side,
				    enum quire_gauge_kind gauge)
{
	double em = view->font_points, gap = 1.0 * em;
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_GAUGES), rest = body;
	uint32_t columns, rows, i;

	if (body.width <= 0)
		return nowhere;
	/* The chart is beside the figures, or above them. */
	if (body.width > 2.6 * body.height || body.height < 9 * em) {
		double figures = (body.height < 5.8 * em ? 31 : 18) * em;

		body.width = fmax(fmin(0.46 * body.width, body.width - figures), 0.28 * body.width);
		rest.x += body.width + gap;
		rest.width -= body.width + gap;
	} else {
		body.height = fmax(body.height - 9 * em, 0.48 * body.height);
		rest.y += body.height + 0.6 * em;
		rest.height -= body.height + 0.6 * em;
	}
	if (gauge == QUIRE_GAUGE_MEMORY)
		return body;
	rows = place_figures(&rest, em, QUIRE_GAUGE_COUNT - 1, &columns);
	i = (uint32_t)gauge - 1;
	if (i >= rows * columns)
		return nowhere;
	rest.width = (rest.width - gap * (columns - 1)) / columns;
	rest.height = rest.height / rows;
	rest.x += i % columns * (rest.width + gap);
	rest.y += i / columns * rest.height;
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
	/* Who runs has most room; rows that are kept are few schedulers' way. */
	static const double with_kept[QUIRE_LIST_COUNT + 1] = {0, 0.32, 0.74, 1};
	static const double without[QUIRE_LIST_COUNT + 1] = {0, 0.42, 1, 1};
	const struct quire_story *story = view->sides[side].story;
	const double *from = ever(story, QUIRE_SERIES_KEPT) ? with_kept : without;
	double em = view->font_points, names;
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_QUEUES);
	struct quire_place_chips chips = {0};

	if (body.width < 12 * em || body.height < 3 * em || list >= QUIRE_LIST_COUNT ||
	    from[list + 1] <= from[list])
		return chips;
	names = (body.width > 26 * em ? 6.8 : 5.4) * em;
	chips.area = (struct quire_rect){body.x + names, body.y + from[list] * body.height,
					 body.width - names,
					 (from[list + 1] - from[list]) * body.height - 0.4 * em};
	/* With names, or as squares, the largest that fit. */
	for (uint32_t i = chips.area.height > 7 * em ? 0 : 1; i < 5; i++) {
		static const double sizes[] = {2.4, 1.5, 1.3, 1, 0.7};
		double most;

		chips.named = i < 2;
		chips.height = fmin(sizes[i] * em, chips.area.height);
		chips.width = chips.named ? 2.6 * sizes[i] * em : chips.height;
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
