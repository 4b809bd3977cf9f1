/*
 * chart_bars.c - bars: quantities in pieces, and differences to either side of 0.
 */
#include "chart_canvas.h"

#include <math.h>

#define TEXT_SIZE 10
#define ROW	  18 /* at most */
#define GROUP_GAP 6
#define HEAD	  15 /* above the cells */
#define FOOT	  16 /* ticks below differences */
#define CELL_GAP  9

static double widest_label(const struct quire_chart *chart, double width)
{
	double widest = 0;

	for (uint32_t i = 0; i < chart->bars_count; i++)
		widest = fmax(widest, quire_text_width(chart->bars[i].label, TEXT_SIZE, false));
	return fmin(widest, width * 0.45);
}

static void draw_label(struct quire_canvas *c, const struct quire_bar *bar, double x, double y,
		       double width)
{
	const struct quire_type type = {
		.size = TEXT_SIZE, .colour = QUIRE_INK, .align = QUIRE_RIGHT};
	char name[QUIRE_CHART_TEXT];

	quire_text_fit(name, sizeof(name), bar->label, TEXT_SIZE, false, width);
	c->text(c, x - 5, y + 3.6, &type, name);
}

static void draw_pieces(struct quire_canvas *c, const struct quire_chart *chart, double x, double y,
			double width, double height)
{
	struct quire_type text = {.size = TEXT_SIZE, .colour = QUIRE_INK};
	double row = fmin(ROW, height / chart->bars_count), texts = 0;
	double labels = widest_label(chart, width);

	for (uint32_t i = 0; i < chart->bars_count; i++)
		texts = fmax(texts, quire_text_width(chart->bars[i].text, TEXT_SIZE, false));
	x += labels + 6;
	width -= labels + texts + 12;
	for (uint32_t i = 0; i < chart->bars_count; i++) {
		const struct quire_bar *bar = &chart->bars[i];
		double left = x, middle = y + row * (i + 0.5), sum = 0;

		draw_label(c, bar, x, middle, labels);
		for (uint32_t p = 0; p < bar->pieces; p++) {
			double end;

			if (!(bar->value[p] > 0))
				continue;
			sum += bar->value[p];
			end = x + width * quire_axis_place(&chart->x, sum);
			if (!(end > left))
				continue;
			quire_draw_box(c, left, middle - row * 0.36, end - left, row * 0.72,
				       bar->hollow ? QUIRE_WHITE : bar->colour[p],
				       bar->hollow	 ? bar->colour[p]
				       : bar->pieces > 1 ? QUIRE_FAINT
							 : QUIRE_NO_COLOUR);
			left = end;
		}
		c->text(c, left + 5, middle + 3.6, &text, bar->text);
	}
	quire_draw_line(c, x, y, x, y + row * chart->bars_count, QUIRE_FAINT, 0.8, 0);
}

/* ---- differences ---- */

/* The right edge of each column of cells, relative to the first.  Return: of the last. */
static double measure_cells(const struct quire_chart *chart, double edge[QUIRE_CELLS_MAX])
{
	double sum = 0;

	for (uint32_t k = 0; k < chart->cells; k++) {
		double widest = quire_text_width(chart->cell_head[k], TEXT_SIZE, false);

		for (uint32_t i = 0; i < chart->bars_count; i++)
			widest = fmax(widest,
				      quire_text_width(chart->bars[i].cell[k], TEXT_SIZE, false));
		sum += CELL_GAP + widest;
		edge[k] = sum;
	}
	return sum;
}

/* What the bars stand on: the shade, ticks and 0. */
static void draw_ground(struct quire_canvas *c, const struct quire_chart *chart, double x, double y,
			double width, double bottom)
{
	const struct quire_type type = {
		.size = TEXT_SIZE, .colour = QUIRE_FAINT, .align = QUIRE_MIDDLE};
	double from = quire_axis_place(&chart->x, chart->shade[0]);
	double until = quire_axis_place(&chart->x, chart->shade[1]);
	double zero = x + width * quire_axis_place(&chart->x, 0);
	struct quire_ticks ticks;
	double edge = -1e9;

	if (until > from)
		quire_draw_box(c, x + width * from, y, width * (until - from), bottom - y,
			       QUIRE_SHADE, QUIRE_NO_COLOUR);
	quire_axis_ticks(&chart->x, (uint32_t)fmax(4, width / 40), &ticks);
	for (uint32_t i = 0; i < ticks.count; i++) {
		double at = x + width * quire_axis_place(&chart->x, ticks.at[i]);
		double half = quire_text_width(ticks.label[i], TEXT_SIZE, false) / 2;

		quire_draw_line(c, at, y, at, bottom, QUIRE_GRID, 0.8, 0);
		if (at - half < edge)
			continue;
		c->text(c, at, bottom + 12, &type, ticks.label[i]);
		edge = at + half + 4;
	}
	quire_draw_line(c, zero, y, zero, bottom, QUIRE_FAINT, 0.8, 0);
}

static void draw_difference(struct quire_canvas *c, const struct quire_chart *chart,
			    const struct quire_bar *bar, double x, double y, double width,
			    double thickness)
{
	const double value = bar->value[0];
	const bool beyond = value > chart->x.high || value < chart->x.low;
	const double half = thickness / 2, from = x + width * quire_axis_place(&chart->x, 0);
	const double end = x + width * quire_axis_place(&chart->x, value);
	const double tip = beyond ? copysign(half, value) : 0;
	const struct quire_point points[] = {{from, y - half},
					     {end - tip, y - half},
					     {end, beyond ? y : y - half},
					     {end, beyond ? y : y + half},
					     {end - tip, y + half},
					     {from, y + half}};
	const struct quire_brush brush = {.fill = bar->hollow ? QUIRE_WHITE : bar->colour[0],
					  .stroke = bar->colour[0],
					  .width = 0.7,
					  .closed = true};

	if (bar->pieces && isfinite(value) && isfinite(end) && isfinite(from))
		c->path(c, points, 6, &brush);
}

static void draw_differences(struct quire_canvas *c, const struct quire_chart *chart, double x,
			     double y, double width, double height)
{
	const struct quire_type cell = {
		.size = TEXT_SIZE, .colour = QUIRE_INK, .align = QUIRE_RIGHT};
	const struct quire_type head = {
		.size = TEXT_SIZE, .colour = QUIRE_FAINT, .align = QUIRE_RIGHT};
	double labels = widest_label(chart, width), edge[QUIRE_CELLS_MAX] = {0};
	double cells = measure_cells(chart, edge), plot = width - labels - cells - 12;
	double top = y + (chart->cells ? HEAD : 0), gaps = 0, row;

	for (uint32_t i = 1; i < chart->bars_count; i++)
		gaps += chart->bars[i].gap ? GROUP_GAP : 0;
	row = fmin(ROW, (y + height - FOOT - top - gaps) / chart->bars_count);
	if (!(plot > 0 && row > 0))
		return;
	x += labels + 6;
	for (uint32_t k = 0; k < chart->cells; k++)
		c->text(c, x + plot + edge[k], y + 9, &head, chart->cell_head[k]);
	draw_ground(c, chart, x, top, plot, top + row * chart->bars_count + gaps);
	for (uint32_t i = 0; i < chart->bars_count; i++) {
		const struct quire_bar *bar = &chart->bars[i];

		top += i && bar->gap ? GROUP_GAP : 0;
		draw_label(c, bar, x, top + row / 2, labels);
		draw_difference(c, chart, bar, x, top + row / 2, plot, row * 0.66);
		for (uint32_t k = 0; k < chart->cells; k++)
			c->text(c, x + plot + edge[k], top + row / 2 + 3.6, &cell, bar->cell[k]);
		top += row;
	}
}

void quire_chart_draw_bars(struct quire_canvas *c, const struct quire_chart *chart, double x,
			   double y, double width, double height)
{
	if (chart->x.low < 0)
		draw_differences(c, chart, x, y, width, height);
	else
		draw_pieces(c, chart, x, y, width, height);
}
