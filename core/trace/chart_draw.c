/*
 * chart_draw.c - one chart: its axes, curves and marks.
 */
#include "chart_canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_SIZE 12
#define TEXT_SIZE  10
#define TICK	   4
#define YTICKS	   5	/* of a small chart */
#define POINTS_MAX 4096 /* of one path; longer ones are cut in several */

void quire_chart_init(struct quire_chart *chart, const char *title, const char *unit)
{
	*chart = (struct quire_chart){.guides = {NAN, NAN}, .shade = {NAN, NAN}};
	snprintf(chart->title, sizeof(chart->title), "%s", title);
	snprintf(chart->unit, sizeof(chart->unit), "%s", unit);
}

/* What areas before @curve reach at point @i. */
static double ground(const struct quire_chart *chart, const struct quire_curve *curve, uint32_t i)
{
	double sum = 0;

	for (const struct quire_curve *c = chart->curves; c < curve; c++)
		if (c->look.area && i < c->count && isfinite(c->y[i]))
			sum += c->y[i];
	return sum;
}

static double top(const struct quire_chart *chart, const struct quire_curve *c, uint32_t i)
{
	if (!c->look.area)
		return c->y[i];
	return ground(chart, c, i) + (isfinite(c->y[i]) ? c->y[i] : 0);
}

void quire_chart_fit(struct quire_chart *chart)
{
	for (uint32_t k = 0; k < chart->curves_count; k++) {
		const struct quire_curve *c = &chart->curves[k];

		for (uint32_t i = 0; i < c->count; i++) {
			quire_axis_cover(&chart->x, c->x[i]);
			quire_axis_cover(&chart->y, top(chart, c, i));
		}
	}
	for (uint32_t i = 0; i < chart->bars_count; i++) {
		double sum = 0;

		for (uint32_t p = 0; p < chart->bars[i].pieces; p++)
			sum += chart->bars[i].value[p];
		quire_axis_cover(&chart->x, sum);
	}
	quire_axis_settle(&chart->x, 6);
	quire_axis_settle(&chart->y, YTICKS);
}

/* Where the axes are. */
struct frame {
	struct quire_canvas *c;
	const struct quire_chart *chart;
	double x, y, width, height;
};

static struct quire_point place(const struct frame *f, double x, double y)
{
	return (struct quire_point){
		f->x + f->width * quire_axis_place(&f->chart->x, x),
		f->y + f->height * (1 - quire_axis_place(&f->chart->y, y)),
	};
}

static void draw_shade(const struct frame *f)
{
	double from = quire_axis_place(&f->chart->x, f->chart->shade[0]);
	double until = quire_axis_place(&f->chart->x, f->chart->shade[1]);

	if (until > from)
		quire_draw_box(f->c, f->x + f->width * from, f->y, f->width * (until - from),
			       f->height, QUIRE_SHADE, QUIRE_NO_COLOUR);
}

static void draw_y_axis(const struct frame *f, const struct quire_ticks *ticks)
{
	const struct quire_type type = {
		.size = TEXT_SIZE, .colour = QUIRE_FAINT, .align = QUIRE_RIGHT};

	for (uint32_t i = 0; i < ticks->count; i++) {
		double y = f->y + f->height * (1 - quire_axis_place(&f->chart->y, ticks->at[i]));

		if (!isfinite(y))
			continue;
		quire_draw_line(f->c, f->x, y, f->x + f->width, y, QUIRE_GRID, 0.8, 0);
		if (*ticks->label[i])
			f->c->text(f->c, f->x - 5, y + 3.6, &type, ticks->label[i]);
	}
	for (uint32_t i = 0; i < 2; i++) {
		double y = f->y +
			   f->height * (1 - quire_axis_place(&f->chart->y, f->chart->guides[i]));
		const struct quire_type left = {.size = TEXT_SIZE, .colour = QUIRE_FAINT};

		if (!isfinite(y))
			continue;
		quire_draw_line(f->c, f->x, y, f->x + f->width, y, QUIRE_FAINT, 0.7, 2);
		f->c->text(f->c, f->x + f->width + 3, y + 3.6, &left, f->chart->guide_label[i]);
	}
}

/* Labels that would touch the one before are left out. */
static void draw_x_axis(const struct frame *f)
{
	const struct quire_type type = {
		.size = TEXT_SIZE, .colour = QUIRE_FAINT, .align = QUIRE_MIDDLE};
	const struct quire_type label = {
		.size = TEXT_SIZE, .colour = QUIRE_FAINT, .align = QUIRE_RIGHT};
	const double bottom = f->y + f->height;
	struct quire_ticks ticks;
	double edge = -1e9;

	quire_axis_ticks(&f->chart->x,
			 (uint32_t)(f->width / (f->chart->x.scale == QUIRE_LOG2 ? 26 : 36)),
			 &ticks);
	for (uint32_t i = 0; i < ticks.count; i++) {
		double x = f->x + f->width * quire_axis_place(&f->chart->x, ticks.at[i]);
		double half = quire_text_width(ticks.label[i], TEXT_SIZE, false) / 2;

		if (!isfinite(x))
			continue;
		quire_draw_line(f->c, x, bottom, x, bottom + TICK, QUIRE_FAINT, 0.8, 0);
		if (!*ticks.label[i] || x - half < edge)
			continue;
		f->c->text(f->c, x, bottom + 14, &type, ticks.label[i]);
		edge = x + half + 5;
	}
	quire_draw_line(f->c, f->x, bottom, f->x + f->width, bottom, QUIRE_FAINT, 0.8, 0);
	if (*f->chart->x.label)
		f->c->text(f->c, f->x + f->width, bottom + 27, &label, f->chart->x.label);
}

static void draw_area(const struct frame *f, const struct quire_curve *curve)
{
	const struct quire_brush brush = {.fill = curve->look.colour,
					  .stroke = curve->look.colour,
					  .width = 0.3,
					  .closed = true};
	struct quire_point *points = malloc(2 * (size_t)curve->count * sizeof(*points));
	uint32_t n = 0;
	bool any = false;

	for (uint32_t i = 0; points && i < curve->count; i++) {
		points[n] = place(f, curve->x[i], top(f->chart, curve, i));
		any |= curve->y[i] > 0;
		n += isfinite(points[n].x) && isfinite(points[n].y);
	}
	for (uint32_t i = curve->count; points && i-- > 0;) {
		points[n] = place(f, curve->x[i], ground(f->chart, curve, i));
		n += isfinite(points[n].x) && isfinite(points[n].y);
	}
	f->c->short_of_memory |= !points;
	if (any && n > 2)
		f->c->path(f->c, points, n, &brush);
	free(points);
}

/* A point alone is a short piece. */
static void stroke(const struct frame *f, struct quire_point points[POINTS_MAX], uint32_t n,
		   const struct quire_brush *brush)
{
	if (n == 1) {
		points[1] = points[0];
		points[n++].x += 1.5;
	}
	if (n)
		f->c->path(f->c, points, n, brush);
}

/* A gap where a point can not be drawn. */
static void draw_curve(const struct frame *f, const struct quire_curve *curve)
{
	const struct quire_brush brush = {
		.fill = QUIRE_NO_COLOUR,
		.stroke = curve->look.colour,
		.width = curve->look.width > 0 ? curve->look.width : 1.6,
		.dash = curve->look.dash,
	};
	struct quire_point points[POINTS_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; i < curve->count; i++) {
		points[n] = place(f, curve->x[i], curve->y[i]);
		if (isfinite(points[n].x) && isfinite(points[n].y)) {
			n++;
		} else {
			stroke(f, points, n, &brush);
			n = 0;
		}
		if (n == POINTS_MAX) {
			stroke(f, points, n, &brush);
			points[0] = points[n - 1];
			n = 1;
		}
	}
	stroke(f, points, n, &brush);
}

static void draw_dots(const struct frame *f, const struct quire_curve *curve)
{
	for (uint32_t i = 0; curve->dots && i < curve->count; i++) {
		struct quire_point p = place(f, curve->x[i], curve->y[i]);
		struct quire_look look = curve->look;

		look.hollow = curve->hollow && curve->hollow[i];
		quire_draw_marker(f->c, p.x, p.y, &look);
	}
}

static void draw_mark(const struct frame *f, const struct quire_mark *mark)
{
	struct quire_type type = {.size = TEXT_SIZE, .colour = QUIRE_INK};
	struct quire_point p = place(f, mark->x, mark->y);

	if (!isfinite(p.x) || !isfinite(p.y))
		return;
	quire_draw_marker(f->c, p.x, p.y, &mark->look);
	if (p.x + 8 + quire_text_width(mark->text, TEXT_SIZE, false) > f->x + f->width) {
		type.align = QUIRE_RIGHT; /* at the edge */
		p.x = f->x + f->width - 8;
	}
	if (*mark->text)
		f->c->text(f->c, p.x + 8, p.y + 13, &type, mark->text);
}

/* A line from top to bottom, its marker above. */
static void draw_moment(const struct frame *f, const struct quire_moment *moment)
{
	double x = f->x + f->width * quire_axis_place(&f->chart->x, moment->x);

	if (!isfinite(x))
		return;
	quire_draw_line(f->c, x, f->y, x, f->y + f->height, moment->look.colour,
			moment->look.width > 0 ? moment->look.width : 1, moment->look.dash);
	quire_draw_marker(f->c, x, f->y - 3, &moment->look);
}

static void draw_plot(struct frame *f, const struct quire_ticks *ticks)
{
	const struct quire_chart *chart = f->chart;

	if (!(f->width > 0 && f->height > 0))
		return; /* the labels have left no room */
	draw_shade(f);
	draw_y_axis(f, ticks);
	for (uint32_t i = 0; i < chart->curves_count; i++) {
		const struct quire_curve *curve = &chart->curves[i];

		if (*curve->name)
			f->c->group(f->c, curve->name);
		if (curve->look.area)
			draw_area(f, curve);
		else if (curve->look.width >= 0)
			draw_curve(f, curve);
		if (!curve->look.area)
			draw_dots(f, curve);
		if (*curve->name)
			f->c->group(f->c, NULL);
	}
	draw_x_axis(f);
	for (uint32_t i = 0; i < chart->moments_count; i++)
		draw_moment(f, &chart->moments[i]);
	for (uint32_t i = 0; i < chart->marks_count; i++)
		draw_mark(f, &chart->marks[i]);
}

void quire_chart_draw(struct quire_canvas *c, const struct quire_chart *chart, double x, double y,
		      double width, double height)
{
	const struct quire_type bold = {.size = TITLE_SIZE, .colour = QUIRE_INK, .bold = true};
	const struct quire_type faint = {.size = TEXT_SIZE, .colour = QUIRE_FAINT};
	const struct quire_type upright = {
		.size = TEXT_SIZE, .colour = QUIRE_FAINT, .align = QUIRE_MIDDLE, .upright = true};
	struct frame f = {.c = c, .chart = chart, .y = y + 23};
	struct quire_ticks ticks;
	char title[QUIRE_CHART_TEXT];
	double labels = 0;

	quire_text_fit(title, sizeof(title), chart->title, TITLE_SIZE, true, width);
	if (*title)
		c->text(c, x, y + 12, &bold, title);
	if (*chart->unit)
		c->text(c, x + quire_text_width(title, TITLE_SIZE, true) + (*title ? 7 : 0), y + 12,
			&faint, chart->unit);
	if (chart->bars_count) {
		quire_chart_draw_bars(c, chart, x, y + 22, width, height - 26);
		return;
	}
	f.height = height - 43 - (*chart->x.label ? QUIRE_LABEL_HEIGHT : 0);
	quire_axis_ticks(&chart->y, (uint32_t)fmax(YTICKS, f.height / 17), &ticks);
	for (uint32_t i = 0; i < ticks.count; i++)
		labels = fmax(labels, quire_text_width(ticks.label[i], TEXT_SIZE, false));
	f.x = x + labels + 6 + (*chart->y.label ? 14 : 0);
	f.width = x + width - f.x - (*chart->guide_label[0] ? 24 : 8);
	if (*chart->y.label)
		c->text(c, x + 8, f.y + f.height / 2, &upright, chart->y.label);
	draw_plot(&f, &ticks);
}
