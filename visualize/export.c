/*
 * export.c - stills; see export.h.  export_film.c has the films.
 */
#include "export.h"

#include "core/util.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum still { STILL_PNG, STILL_SVG, STILL_PDF, STILL_KINDS };

static cairo_status_t to_file(void *file, const unsigned char *data, unsigned int length)
{
	return fwrite(data, 1, length, file) == length ? CAIRO_STATUS_SUCCESS
						       : CAIRO_STATUS_WRITE_ERROR;
}

static cairo_surface_t *surface_of(const struct quire_view *view, enum still kind, FILE *file)
{
	if (kind == STILL_SVG)
		return cairo_svg_surface_create_for_stream(to_file, file, view->width,
							   view->height);
	if (kind == STILL_PDF)
		return cairo_pdf_surface_create_for_stream(to_file, file, view->width,
							   view->height);
	return cairo_image_surface_create(CAIRO_FORMAT_RGB24,
					  (int)lround(view->width * view->scale),
					  (int)lround(view->height * view->scale));
}

static int write_still(struct quire_draw *draw, const struct quire_view *view, enum still kind,
		       const char *path, FILE *file)
{
	cairo_surface_t *surface = surface_of(view, kind, file);
	cairo_t *cr = cairo_create(surface);
	cairo_status_t status;
	int rc;

	if (kind == STILL_PNG)
		cairo_scale(cr, view->scale, view->scale);
	rc = quire_draw_frame(draw, cr, view);
	status = cairo_status(cr);
	cairo_destroy(cr);
	if (rc == 0 && status == CAIRO_STATUS_SUCCESS && kind == STILL_PNG)
		status = cairo_surface_write_to_png_stream(surface, to_file, file);
	cairo_surface_finish(surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	if (rc)
		return rc;
	if (status != CAIRO_STATUS_SUCCESS)
		return quire_fail(-EIO, "cannot write %s: %s", path,
				  cairo_status_to_string(status));
	return 0;
}

int quire_export_still(struct quire_draw *draw, const struct quire_view *view, const char *path)
{
	static const char *const endings[STILL_KINDS] = {".png", ".svg", ".pdf"};
	const char *dot = strrchr(path, '.');
	enum still kind = 0;
	FILE *file;
	int rc;

	while (kind < STILL_KINDS && (!dot || !quire_same_name(dot, endings[kind])))
		kind++;
	if (kind == STILL_KINDS)
		return quire_fail(
			-EINVAL, "a picture's name ends with .png, .svg or .pdf, found '%s'", path);
	file = fopen(path, "wb");
	if (!file)
		return quire_fail(-EIO, "cannot write %s: %s", path, strerror(errno));
	rc = write_still(draw, view, kind, path, file);
	if (fclose(file) && rc == 0)
		rc = quire_fail(-EIO, "cannot write %s: %s", path, strerror(errno));
	if (rc)
		remove(path);
	return rc;
}
