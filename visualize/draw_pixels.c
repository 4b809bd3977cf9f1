/*
 * draw_pixels.c - cells about as small as a pixel: each pixel is the mean of the cells that
 * it covers, weighted by area, so that nothing is left out and no pattern appears that is
 * not there.  Larger ones are boxes with a gap between them.
 */
#include "draw_parts.h"

#include <math.h>

/* What pixel @pixel covers of cells that are @pitch pixels long from @origin on, [count]. */
static struct draw_cover cover_of(int pixel, double origin, double pitch, uint32_t count)
{
	double from = fmax((pixel - origin) / pitch, 0);
	double until = fmin((pixel + 1 - origin) / pitch, count), last;
	struct draw_cover c = {.ground = 256};
	uint32_t sum;

	if (until <= from)
		return c;
	last = ceil(until) - 1;
	c.first = (uint32_t)from;
	c.count = (uint32_t)last - c.first + 1;
	c.whole = (uint32_t)(256 * pitch);
	if (c.count == 1) {
		c.of_first = (uint32_t)lround(256 * pitch * (until - from));
	} else {
		c.of_first = (uint32_t)lround(256 * pitch * (c.first + 1 - from));
		c.of_last = (uint32_t)lround(256 * pitch * (until - last));
	}
	sum = c.of_first + c.of_last + (c.count > 2 ? (c.count - 2) * c.whole : 0);
	/* Rounding is evened out; at the border the rest is ground. */
	if ((pixel - origin) / pitch >= 0 && (pixel + 1 - origin) / pitch <= count) {
		c.of_first += 256 - sum;
		sum = 256;
	}
	c.ground = sum < 256 ? 256 - sum : 0;
	return c;
}

void draw_pixels_covers(struct draw_cover *covers, uint32_t pixels, double origin, double pitch,
			uint32_t count)
{
	for (uint32_t i = 0; i < pixels; i++)
		covers[i] = cover_of((int)i, origin, pitch, count);
}

#define RED_BLUE 0xff00ffu
#define GREEN	 0x00ff00u

/* The mean of a row of cells: 256 x red and blue in one word, green in another. */
static inline uint32_t across_row(const uint32_t *row, const struct draw_cover *c, uint32_t ground)
{
	uint32_t red_blue = (ground & RED_BLUE) * c->ground, green = (ground & GREEN) * c->ground;
	const uint32_t *cell = row + c->first;

	if (c->count == 1 && !c->ground)
		return *cell;
	for (uint32_t i = 0; i < c->count; i++) {
		uint32_t weight = i == 0 ? c->of_first : i + 1 < c->count ? c->whole : c->of_last;

		red_blue += (cell[i] & RED_BLUE) * weight;
		green += (cell[i] & GREEN) * weight;
	}
	return (red_blue >> 8 & RED_BLUE) | (green >> 8 & GREEN);
}

void draw_pixels(struct draw_image *image, const struct draw_field *field, int x0, int y0, int x1,
		 int y1)
{
	x0 = x0 < 0 ? 0 : x0;
	y0 = y0 < 0 ? 0 : y0;
	x1 = x1 > image->width ? image->width : x1;
	y1 = y1 > image->height ? image->height : y1;
	for (int y = y0; y < y1; y++) {
		const struct draw_cover *c = &field->down[y];
		uint32_t *to = image->pixels + (ptrdiff_t)y * image->stride;
		const uint32_t *row = field->looks + (size_t)c->first * field->columns;

		for (int x = x0; x < x1; x++) {
			uint32_t red_blue = (field->ground & RED_BLUE) * c->ground;
			uint32_t green = (field->ground & GREEN) * c->ground;

			for (uint32_t i = 0; i < c->count; i++) {
				uint32_t weight = i == 0	     ? c->of_first
						  : i + 1 < c->count ? c->whole
								     : c->of_last;
				uint32_t mean = across_row(row + (size_t)i * field->columns,
							   &field->across[x], field->ground);

				red_blue += (mean & RED_BLUE) * weight;
				green += (mean & GREEN) * weight;
			}
			to[x] = (red_blue >> 8 & RED_BLUE) | (green >> 8 & GREEN);
		}
	}
}

void draw_pixels_box(struct draw_image *image, double x, double y, double size, uint32_t colour)
{
	int x0 = (int)fmax(round(x), 0), x1 = (int)fmin(round(x) + size, image->width);
	int y0 = (int)fmax(round(y), 0), y1 = (int)fmin(round(y) + size, image->height);

	for (int v = y0; v < y1; v++)
		for (int u = x0; u < x1; u++)
			image->pixels[(ptrdiff_t)v * image->stride + u] = colour;
}
