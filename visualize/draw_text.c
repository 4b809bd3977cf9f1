/*
 * draw_text.c - letters, numbers, paragraphs.
 */
#include "draw_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

double draw_width(struct quire_draw *d, const char *text, double points, bool bold)
{
	return font_width(&d->font, text, strlen(text), points, bold ? FONT_BOLD : FONT_REGULAR);
}

/* How many bytes of @text are no wider than @width. */
static size_t bytes_within(struct quire_draw *d, const char *text, size_t bytes, double points,
			   enum font_weight weight, double width)
{
	while (bytes && font_width(&d->font, text, bytes, points, weight) > width) {
		bytes--;
		while (bytes && ((unsigned char)text[bytes] & 0xc0) == 0x80)
			bytes--;
	}
	return bytes;
}

double draw_text(struct quire_draw *d, double x, double y, const char *text,
		 struct draw_style style)
{
	enum font_weight weight = style.bold ? FONT_BOLD : FONT_REGULAR;
	char cut[FONT_TEXT];
	size_t bytes = strlen(text);
	double width = font_width(&d->font, text, bytes, style.points, weight);

	if (style.width > 0 && width > style.width) {
		double dots =
			font_width(&d->font, ELLIPSIS, strlen(ELLIPSIS), style.points, weight);

		if (bytes > sizeof(cut) - sizeof(ELLIPSIS))
			bytes = sizeof(cut) - sizeof(ELLIPSIS);
		bytes = bytes_within(d, text, bytes, style.points, weight, style.width - dots);
		memcpy(cut, text, bytes);
		memcpy(cut + bytes, ELLIPSIS, sizeof(ELLIPSIS));
		text = cut;
		bytes = bytes ? bytes + strlen(ELLIPSIS) : 0;
		width = font_width(&d->font, text, bytes, style.points, weight);
	}
	if (style.align == DRAW_RIGHT)
		x -= width;
	else if (style.align == DRAW_CENTRE)
		x -= width / 2;
	draw_set(d, style.colour, style.alpha > 0 ? style.alpha : 1);
	font_show(&d->font, d->cr, x, y, text, bytes, style.points, weight, d->pixels);
	return width;
}

/* The words of @text that make one line: their bytes; *@next: where the next line begins. */
static size_t one_line(struct quire_draw *d, const char *text, const struct draw_style *style,
		       const char **next)
{
	enum font_weight weight = style->bold ? FONT_BOLD : FONT_REGULAR;
	size_t fits = 0, at = 0;

	for (;;) {
		size_t word = strcspn(text + at, " \n"), end = at + word;

		if (fits && font_width(&d->font, text, end, style->points, weight) > style->width)
			break;
		fits = end;
		if (text[end] != ' ')
			break;
		at = end + 1;
	}
	*next = text + fits;
	if (**next == ' ' || **next == '\n')
		++*next;
	return fits;
}

double draw_words(struct quire_draw *d, double x, double y, const char *text,
		  struct draw_style style, double line, uint32_t lines_max, bool measure)
{
	char part[FONT_TEXT];

	for (uint32_t i = 0; *text && i < lines_max; i++, y += line) {
		const char *next;
		size_t bytes = one_line(d, text, &style, &next);
		bool cut = i + 1 == lines_max && *next;

		if (cut)
			bytes = strlen(text);
		if (bytes > sizeof(part) - 1)
			bytes = sizeof(part) - 1;
		memcpy(part, text, bytes);
		part[bytes] = '\0';
		for (size_t k = 0; k < bytes; k++)
			part[k] = part[k] == '\n' ? ' ' : part[k];
		if (!measure)
			draw_text(d, x, y, part, style);
		text = next;
	}
	return y;
}

/* ---- numbers ---- */

const char *draw_count(uint64_t count, char text[32])
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count), to = 0;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			text[to++] = ',';
		text[to++] = digits[i];
	}
	text[to] = '\0';
	return text;
}

const char *draw_number(double value, char text[32])
{
	double size = fabs(value);

	if (!isfinite(value))
		snprintf(text, 32, "\xe2\x80\x93");
	else if (size >= 999.5 && size < 1e15)
		draw_count((uint64_t)(size + 0.5), text);
	else
		snprintf(text, 32, "%.*f", size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2, value);
	return text;
}

static const char *with_unit(double value, const char *unit, char text[32])
{
	size_t length = strlen(draw_number(value, text));

	snprintf(text + length, 32 - length, " %s", unit);
	return text;
}

const char *draw_seconds(double seconds, char text[32])
{
	double size = fabs(seconds);

	if (!isfinite(seconds) || size == 0 || size >= 0.9995)
		return with_unit(seconds, "s", text);
	if (size >= 0.9995e-3)
		return with_unit(seconds * 1e3, "ms", text);
	return with_unit(seconds * 1e6, "\xc2\xb5s", text);
}
