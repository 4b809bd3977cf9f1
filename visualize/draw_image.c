/*
 * draw_image.c - pictures that are kept between frames, and when they are out of date.
 */
#include "draw_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* ---- keys ---- */

uint64_t draw_key(uint64_t key, uint64_t word)
{
	key = (key ^ word) * 0xff51afd7ed558ccdu;
	return key ^ key >> 32;
}

uint64_t draw_key_real(uint64_t key, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return draw_key(key, bits);
}

uint64_t draw_key_rect(uint64_t key, const struct quire_rect *rect)
{
	key = draw_key_real(draw_key_real(key, rect->x), rect->y);
	return draw_key_real(draw_key_real(key, rect->width), rect->height);
}

uint64_t draw_key_view(const struct quire_draw *d, uint32_t side)
{
	const struct quire_view *view = d->view;
	uint64_t key = draw_key(DRAW_KEY, (uint64_t)view->theme);

	key = draw_key_real(draw_key_real(key, d->em), d->scale);
	return draw_key(key, (uint64_t)(uintptr_t)view->sides[side].story);
}

/* ---- images ---- */

void draw_image_free(struct draw_image *image)
{
	if (image->cr)
		cairo_destroy(image->cr);
	cairo_surface_destroy(image->surface);
	*image = (struct draw_image){0};
}

/* Return: 0; -ENOMEM. */
static int make(struct quire_draw *d, struct draw_image *image, int width, int height)
{
	draw_image_free(image);
	image->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	image->cr = cairo_create(image->surface);
	if (cairo_status(image->cr)) {
		draw_image_free(image);
		d->error = -ENOMEM;
		return -ENOMEM;
	}
	image->width = width;
	image->height = height;
	image->stride = cairo_image_surface_get_stride(image->surface) / 4;
	image->pixels = (uint32_t *)(void *)cairo_image_surface_get_data(image->surface);
	return 0;
}

int draw_image(struct quire_draw *d, struct draw_image *image, const struct quire_rect *rect,
	       uint64_t key)
{
	int x = (int)floor(rect->x * d->scale + 1e-6), y = (int)floor(rect->y * d->scale + 1e-6);
	int width = (int)ceil((rect->x + rect->width) * d->scale - 1e-6) - x;
	int height = (int)ceil((rect->y + rect->height) * d->scale - 1e-6) - y;

	key = draw_key_rect(key, rect);
	if (image->surface && image->key == key && image->width == width && image->height == height)
		return 0;
	width = width > 0 ? width : 1;
	height = height > 0 ? height : 1;
	if (!image->surface || image->width != width || image->height != height)
		if (make(d, image, width, height))
			return -ENOMEM;
	image->x = x;
	image->y = y;
	image->key = key;
	image->scale = d->scale;
	cairo_identity_matrix(image->cr);
	cairo_translate(image->cr, -x, -y);
	cairo_scale(image->cr, d->scale, d->scale);
	return 1;
}

cairo_t *draw_into(struct quire_draw *d, struct draw_image *image)
{
	cairo_t *cr = d->cr;

	d->cr = image->cr;
	return cr;
}

void draw_back(struct quire_draw *d, struct draw_image *image, cairo_t *cr)
{
	cairo_surface_flush(image->surface);
	d->cr = cr;
}

void draw_show(struct quire_draw *d, const struct draw_image *image)
{
	cairo_t *cr = d->cr;

	cairo_save(cr);
	if (d->pixels) {
		cairo_identity_matrix(cr);
		cairo_set_source_surface(cr, image->surface, image->x, image->y);
	} else {
		cairo_scale(cr, 1 / image->scale, 1 / image->scale);
		cairo_set_source_surface(cr, image->surface, image->x, image->y);
	}
	cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
	/* Not as a filled box: SVG would repeat it at the border. */
	cairo_paint(cr);
	cairo_restore(cr);
}
