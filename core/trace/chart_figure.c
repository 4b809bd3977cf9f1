/*
 * chart_figure.c - headings, the legend, and charts in a grid.
 */
#include "chart_canvas.h"

#include <quire/quire.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN	      8
#define GAP	      18 /* between charts */
#define TITLE_SIZE    15
#define SUBTITLE_SIZE 11
#define LEGEND_SIZE   11
#define LEGEND_LINE   17
#define SAMPLE	      34 /* width of a piece of line in the legend ... */
#define SWATCH	      22 /* ... and of an area */

const char *const quire_format_ending[QUIRE_FORMATS] = {"svg", "png", "pdf"};

struct quire_chunk {
	struct quire_chunk *next;
	max_align_t memory[];
};

void *quire_figure_alloc(struct quire_figure *f, size_t count, size_t size)
{
	struct quire_chunk *chunk;

	if (size && count > SIZE_MAX / 2 / size)
		return NULL;
	chunk = calloc(1, sizeof(*chunk) + count * size);
	if (!chunk)
		return NULL;
	chunk->next = f->chunks;
	f->chunks = chunk;
	return chunk->memory;
}

void quire_figure_free(struct quire_figure *f)
{
	struct quire_chunk *next;

	for (struct quire_chunk *c = f->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	f->chunks = NULL;
}

static double draw_headings(struct quire_canvas *c, const struct quire_figure *f, double y)
{
	const struct quire_type title = {.size = TITLE_SIZE, .colour = QUIRE_INK, .bold = true};
	const struct quire_type subtitle = {.size = SUBTITLE_SIZE, .colour = QUIRE_FAINT};
	char line[sizeof(f->subtitle)];

	y += 18;
	if (c)
		c->text(c, MARGIN, y, &title, f->title);
	for (const char *text = f->subtitle; *text;) {
		size_t n = quire_text_break(text, SUBTITLE_SIZE, f->width - 2 * MARGIN);

		memcpy(line, text, n);
		line[n] = '\0';
		y += 15;
		if (c)
			c->text(c, MARGIN, y, &subtitle, line);
		text += n;
		text += strspn(text, " ");
	}
	return y + 10;
}

/* With @c NULL only the height is found. */
static double draw_legend(struct quire_canvas *c, const struct quire_figure *f, double y)
{
	const struct quire_type type = {.size = LEGEND_SIZE, .colour = QUIRE_INK};
	double x = MARGIN;

	if (!f->legend_count)
		return y;
	for (uint32_t i = 0; i < f->legend_count; i++) {
		const struct quire_legend *l = &f->legend[i];
		double sample = l->look.area ? SWATCH : SAMPLE;
		double width = sample + quire_text_width(l->text, LEGEND_SIZE, false);

		if (x > MARGIN && x + width > f->width - MARGIN) {
			x = MARGIN;
			y += LEGEND_LINE;
		}
		if (c) {
			quire_draw_sample(c, x, y + 8, &l->look);
			c->text(c, x + sample, y + 12, &type, l->text);
		}
		x += width + 16;
	}
	return y + LEGEND_LINE + 6;
}

/* What a row needs for the labels below its axes. */
static double label_height(const struct quire_figure *f, uint32_t first, uint32_t columns)
{
	for (uint32_t i = first; i < first + columns && i < f->charts_count; i++)
		if (*f->charts[i].x.label)
			return QUIRE_LABEL_HEIGHT;
	return 0;
}

static double draw(struct quire_canvas *c, const struct quire_figure *f, bool headings)
{
	const uint32_t columns = f->columns ? f->columns : 1;
	double width = (f->width - 2 * MARGIN - GAP * (columns - 1)) / columns;
	double y = headings ? draw_headings(c, f, 0) : 4;

	y = draw_legend(c, f, y);
	for (uint32_t first = 0; first < f->charts_count; first += columns) {
		double height =
			(f->row_heights ? f->row_heights[first / columns] : f->chart_height) +
			label_height(f, first, columns);

		for (uint32_t i = 0; c && i < columns && first + i < f->charts_count; i++)
			quire_chart_draw(c, &f->charts[first + i], MARGIN + (width + GAP) * i, y,
					 width, height);
		y += height + (first + columns < f->charts_count ? 6 : 4);
	}
	return y;
}

double quire_figure_height(const struct quire_figure *f, bool headings)
{
	return draw(NULL, f, headings);
}

void quire_figure_draw(struct quire_canvas *c, const struct quire_figure *f, bool headings)
{
	draw(c, f, headings);
}

int quire_figure_write(const struct quire_figure *f, FILE *out, enum quire_format format,
		       bool headings)
{
	int rc;

	errno = 0;
	if (format == QUIRE_SVG)
		rc = quire_figure_svg(f, out, headings);
	else
		rc = quire_figure_cairo(f, out, format, headings);
	if (rc == 0 && fflush(out) != 0)
		rc = quire_fail(-EIO, "cannot write a chart: %s", strerror(errno));
	return rc;
}
