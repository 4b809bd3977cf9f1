/*
 * chart_canvas.c - what all canvases share: dashes, widths of text, small shapes.
 */
#include "chart_canvas.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979

uint32_t quire_chart_colour(uint32_t i)
{
	/* neighbours differ in lightness, too */
	static const uint32_t colours[] = {QUIRE_BLUE,	    QUIRE_ORANGE, QUIRE_GREEN,
					   QUIRE_VERMILION, QUIRE_SKY,	  QUIRE_PURPLE};

	return colours[i % (sizeof(colours) / sizeof(*colours))];
}

const double *quire_dash(uint32_t dash)
{
	static const double lengths[QUIRE_DASHES][QUIRE_DASH_PARTS + 1] = {
		{6, 3}, {1.5, 2.5}, {7, 3, 1.5, 3}, {3, 2}, {10, 3}};

	return lengths[(dash - 1) % QUIRE_DASHES];
}

/* Advances in 1/100 of the size, from ' ' to '~'. */
static double advance(unsigned char c)
{
	static const unsigned char table[] = {
		32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36,	 32, 34, 64, 64, 64,
		64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63,
		58, 78, 75, 30, 30, 66, 56, 86, 75, 79, 60, 79, 70, 64,	 61, 73, 68, 99, 69,
		61, 69, 39, 34, 39, 84, 50, 50, 61, 64, 55, 64, 62, 35,	 64, 63, 28, 28, 58,
		28, 97, 63, 61, 64, 64, 41, 52, 39, 63, 59, 82, 59, 59,	 53, 64, 34, 64, 84};

	return c >= ' ' && c <= '~' ? table[c - ' '] : 84;
}

double quire_text_width(const char *text, double size, bool bold)
{
	double sum = 0;

	for (; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			sum += advance((unsigned char)*text);
	return sum * size * (bold ? 0.0112 : 0.01);
}

void quire_text_fit(char *to, size_t bytes, const char *text, double size, bool bold, double width)
{
	size_t n = strlen(text);

	snprintf(to, bytes, "%s", text);
	n = n < bytes ? n : bytes - 1;
	while (n > 4 && quire_text_width(to, size, bold) > width) {
		do
			n--;
		while (n > 2 && ((unsigned char)to[n - 2] & 0xc0) == 0x80);
		memcpy(to + n - 2, "..", 3);
	}
}

size_t quire_text_break(const char *text, double size, double width)
{
	size_t fits = 0;
	double sum = 0;

	for (size_t i = 0;; i++) {
		if (text[i] == '\0' || text[i] == ' ') {
			if (fits && sum > width)
				return fits;
			fits = i;
		}
		if (text[i] == '\0')
			return fits;
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			sum += advance((unsigned char)text[i]) * size * 0.01;
	}
}

uint32_t quire_text_char(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	uint32_t n = *c < 0x80	 ? 1
		     : *c < 0xc2 ? 0
		     : *c < 0xe0 ? 2
		     : *c < 0xf0 ? 3
		     : *c < 0xf5 ? 4
				 : 0;
	uint32_t code = *c & (n == 1 ? 0x7f : 0x7fu >> n);

	for (uint32_t i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c[i] & 0x3f);
	}
	if ((code < 0x20 && code != '\t' && code != '\n') || (code >= 0xd800 && code < 0xe000) ||
	    code > 0x10ffff || (code & 0xfffe) == 0xfffe || (n == 3 && code < 0x800) ||
	    (n == 4 && code < 0x10000))
		return 0;
	return n;
}

void quire_text_xml(FILE *out, const char *text)
{
	while (*text) {
		uint32_t n = quire_text_char(text);

		if (n == 0)
			fputc('?', out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else
			fwrite(text, 1, n, out);
		text += n ? n : 1;
	}
}

void quire_draw_line(struct quire_canvas *c, double x0, double y0, double x1, double y1,
		     uint32_t colour, double width, uint32_t dash)
{
	const struct quire_point points[] = {{x0, y0}, {x1, y1}};
	const struct quire_brush brush = {
		.fill = QUIRE_NO_COLOUR, .stroke = colour, .width = width, .dash = dash};

	c->path(c, points, 2, &brush);
}

void quire_draw_box(struct quire_canvas *c, double x, double y, double width, double height,
		    uint32_t fill, uint32_t stroke)
{
	const struct quire_point points[] = {
		{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}};
	const struct quire_brush brush = {
		.fill = fill, .stroke = stroke, .width = 0.7, .closed = true};

	c->path(c, points, 4, &brush);
}

void quire_draw_marker(struct quire_canvas *c, double x, double y, const struct quire_look *look)
{
	static const struct {
		uint32_t corners;
		double first, radius; /* of the first corner: its angle */
	} shape[QUIRE_MARKERS] = {
		[QUIRE_CIRCLE] = {16, 0, 3},
		[QUIRE_SQUARE] = {4, PI / 4, 3.7},
		[QUIRE_TRIANGLE] = {3, -PI / 2, 4},
		[QUIRE_DIAMOND] = {4, 0, 4},
	};
	const uint32_t marker = look->marker % QUIRE_MARKERS;
	const double size = look->size > 0 ? look->size : 1;
	const struct quire_brush brush = {
		.fill = look->hollow ? QUIRE_WHITE : look->colour,
		.stroke = look->hollow ? look->colour
			  : size < 0.6 ? QUIRE_NO_COLOUR
				       : QUIRE_WHITE,
		.width = look->hollow ? 1.2 : 0.6,
		.closed = true,
	};
	struct quire_point points[16];

	if (marker == QUIRE_NO_MARKER || !isfinite(x) || !isfinite(y))
		return;
	for (uint32_t i = 0; i < shape[marker].corners; i++) {
		double angle = shape[marker].first + 2 * PI * i / shape[marker].corners;

		points[i].x = x + size * shape[marker].radius * cos(angle);
		points[i].y = y + size * shape[marker].radius * sin(angle);
	}
	c->path(c, points, shape[marker].corners, &brush);
}

void quire_draw_sample(struct quire_canvas *c, double x, double y, const struct quire_look *look)
{
	if (look->area) {
		quire_draw_box(c, x, y - 5, 16, 10, look->colour, QUIRE_FAINT);
		return;
	}
	if (look->width >= 0)
		quire_draw_line(c, x, y, x + 28, y, look->colour,
				look->width > 0 ? look->width : 1.6, look->dash);
	quire_draw_marker(c, x + 14, y, look);
}
