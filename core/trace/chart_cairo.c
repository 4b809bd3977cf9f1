/*
 * chart_cairo.c - a canvas of cairo: PNG and PDF.  Cairo's own lettering is enough
 * for charts; where the system has no font at all, it has one of its own.
 */
#include "chart_canvas.h"

#include <quire/quire.h>

#include <cairo-pdf.h>
#include <cairo.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#define PIXELS 3   /* of a PNG for each point: 720 points are 2160 pixels */
#define PT     0.7 /* typographic points of a PDF for each of ours: 720 are 178 mm */

struct painter {
	struct quire_canvas canvas;
	cairo_t *cr;
};

static void set_colour(cairo_t *cr, uint32_t colour)
{
	cairo_set_source_rgb(cr, (colour >> 16 & 255) / 255.0, (colour >> 8 & 255) / 255.0,
			     (colour & 255) / 255.0);
}

static void cairo_canvas_path(struct quire_canvas *canvas, const struct quire_point *points,
			      uint32_t count, const struct quire_brush *brush)
{
	cairo_t *cr = ((struct painter *)canvas)->cr;
	int parts = 0;

	cairo_new_path(cr);
	for (uint32_t i = 0; i < count; i++)
		cairo_line_to(cr, points[i].x, points[i].y);
	if (brush->closed)
		cairo_close_path(cr);
	if (brush->fill != QUIRE_NO_COLOUR) {
		set_colour(cr, brush->fill);
		cairo_fill_preserve(cr);
	}
	if (brush->stroke == QUIRE_NO_COLOUR)
		return;
	while (brush->dash && quire_dash(brush->dash)[parts] > 0)
		parts++;
	cairo_set_dash(cr, parts ? quire_dash(brush->dash) : NULL, parts, 0);
	cairo_set_line_width(cr, brush->width);
	set_colour(cr, brush->stroke);
	cairo_stroke(cr);
}

static void cairo_canvas_text(struct quire_canvas *canvas, double x, double y,
			      const struct quire_type *type, const char *text)
{
	cairo_t *cr = ((struct painter *)canvas)->cr;
	char clean[1024]; /* cairo is offended by what is no UTF-8 */
	cairo_text_extents_t e;
	size_t n = 0;

	while (*text && n + 5 < sizeof(clean)) {
		uint32_t bytes = quire_text_char(text);

		memcpy(clean + n, bytes ? text : "?", bytes ? bytes : 1);
		n += bytes ? bytes : 1;
		text += bytes ? bytes : 1;
	}
	clean[n] = '\0';
	cairo_save(cr);
	cairo_translate(cr, x, y);
	if (type->upright)
		cairo_rotate(cr, -3.14159265358979 / 2);
	cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
			       type->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, type->size);
	cairo_text_extents(cr, clean, &e);
	cairo_move_to(cr, -e.x_advance * (int)type->align / 2, 0);
	set_colour(cr, type->colour);
	cairo_show_text(cr, clean);
	cairo_restore(cr);
}

static void cairo_canvas_group(struct quire_canvas *canvas, const char *name)
{
	(void)canvas;
	(void)name;
}

static cairo_status_t to_file(void *file, const unsigned char *data, unsigned int length)
{
	return fwrite(data, 1, length, file) == length ? CAIRO_STATUS_SUCCESS
						       : CAIRO_STATUS_WRITE_ERROR;
}

int quire_figure_cairo(const struct quire_figure *figure, FILE *out, enum quire_format format,
		       bool headings)
{
	struct painter painter = {.canvas = {.path = cairo_canvas_path,
					     .text = cairo_canvas_text,
					     .group = cairo_canvas_group}};
	double height = ceil(quire_figure_height(figure, headings));
	bool png = format == QUIRE_PNG;
	double scale = png ? PIXELS : PT;
	cairo_surface_t *surface;
	cairo_status_t status;

	if (png)
		surface = cairo_image_surface_create(
			CAIRO_FORMAT_RGB24, (int)(figure->width * PIXELS), (int)(height * PIXELS));
	else
		surface = cairo_pdf_surface_create_for_stream(to_file, out, figure->width * PT,
							      height * PT);
	painter.cr = cairo_create(surface);
	cairo_scale(painter.cr, scale, scale);
	cairo_set_line_join(painter.cr, CAIRO_LINE_JOIN_ROUND);
	set_colour(painter.cr, QUIRE_WHITE);
	cairo_paint(painter.cr);
	quire_figure_draw(&painter.canvas, figure, headings);
	status = painter.canvas.short_of_memory ? CAIRO_STATUS_NO_MEMORY : cairo_status(painter.cr);
	cairo_destroy(painter.cr);
	if (png && status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_write_to_png_stream(surface, to_file, out);
	cairo_surface_finish(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		return 0;
	return quire_fail(-EIO, "cannot write a chart: %s", cairo_status_to_string(status));
}
