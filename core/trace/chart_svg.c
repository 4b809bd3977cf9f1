/*
 * chart_svg.c - a canvas that writes SVG.  Text stays text, in whatever font like
 * DejaVu Sans the reader has; names of groups are shown when a pointer rests on
 * them.  Coordinates are written to a tenth of a point.
 */
#include "chart_canvas.h"

#include <quire/quire.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct svg {
	struct quire_canvas canvas;
	FILE *out;
};

/* "12.5", "12"; the shortest that says it to a tenth. */
static void number(FILE *out, char before, double value)
{
	long tenths = lround(value * 10);

	fputc(before, out);
	if (tenths < 0)
		fputc('-', out);
	tenths = labs(tenths);
	fprintf(out, tenths % 10 ? "%ld.%ld" : "%ld", tenths / 10, tenths % 10);
}

static void svg_path(struct quire_canvas *canvas, const struct quire_point *points, uint32_t count,
		     const struct quire_brush *brush)
{
	FILE *out = ((struct svg *)canvas)->out;

	fputs("<path d=\"", out);
	for (uint32_t i = 0; i < count; i++) {
		number(out, i == 0 ? 'M' : i == 1 ? 'L' : ' ', points[i].x);
		number(out, ' ', points[i].y);
	}
	fputs(brush->closed ? "Z\"" : "\"", out);
	if (brush->fill == QUIRE_NO_COLOUR)
		fputs(" fill=\"none\"", out);
	else
		fprintf(out, " fill=\"#%06x\"", (unsigned int)brush->fill);
	if (brush->stroke != QUIRE_NO_COLOUR)
		fprintf(out, " stroke=\"#%06x\" stroke-width=\"%g\"", (unsigned int)brush->stroke,
			brush->width);
	if (brush->dash) {
		const double *dash = quire_dash(brush->dash);

		fprintf(out, " stroke-dasharray=\"%g", *dash++);
		while (*dash > 0)
			fprintf(out, " %g", *dash++);
		fputc('"', out);
	}
	fputs("/>\n", out);
}

static void svg_text(struct quire_canvas *canvas, double x, double y, const struct quire_type *type,
		     const char *text)
{
	static const char *const anchor[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
	FILE *out = ((struct svg *)canvas)->out;

	if (type->upright)
		fprintf(out, "<text transform=\"translate(%.1f %.1f) rotate(-90)\"", x, y);
	else
		fprintf(out, "<text x=\"%.1f\" y=\"%.1f\"", x, y);
	fprintf(out, " font-size=\"%g\"%s%s fill=\"#%06x\">", type->size, anchor[type->align],
		type->bold ? " font-weight=\"bold\"" : "", (unsigned int)type->colour);
	quire_text_xml(out, text);
	fputs("</text>\n", out);
}

static void svg_group(struct quire_canvas *canvas, const char *name)
{
	FILE *out = ((struct svg *)canvas)->out;

	if (!name) {
		fputs("</g>\n", out);
		return;
	}
	fputs("<g><title>", out);
	quire_text_xml(out, name);
	fputs("</title>\n", out);
}

int quire_figure_svg(const struct quire_figure *figure, FILE *out, bool headings)
{
	struct svg svg = {.canvas = {.path = svg_path, .text = svg_text, .group = svg_group},
			  .out = out};
	double height = ceil(quire_figure_height(figure, headings));

	if (headings)
		fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" width=\"%g\" "
		"height=\"%g\" role=\"img\" font-family=\"'DejaVu Sans', Verdana, Arial, "
		"sans-serif\" stroke-linejoin=\"round\">\n<title>",
		figure->width, height, figure->width, height);
	quire_text_xml(out, figure->title);
	fputs("</title>\n", out);
	if (headings)
		quire_draw_box(&svg.canvas, 0, 0, figure->width, height, QUIRE_WHITE,
			       QUIRE_NO_COLOUR);
	quire_figure_draw(&svg.canvas, figure, headings);
	fputs("</svg>\n", out);
	if (svg.canvas.short_of_memory)
		return quire_fail(-ENOMEM, "no memory for a chart");
	return ferror(out) ? quire_fail(-EIO, "cannot write a chart: %s", strerror(errno)) : 0;
}
