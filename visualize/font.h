/*
 * font.h - the letters: DejaVu Sans, regular and bold, which are built into the program;
 * private to draw*.c.
 *
 * Text is set without hinting at exact fractions of a pixel.  cairo puts letters on whole
 * pixels, which makes small text uneven, so on pixels a line of text is made into a mask by
 * FreeType, once, and kept; elsewhere (SVG, PDF) cairo gets the letters themselves.
 */
#ifndef QUIRE_FONT_H
#define QUIRE_FONT_H

#include <cairo.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include <stdbool.h>
#include <stdint.h>

enum font_weight { FONT_REGULAR, FONT_BOLD, FONT_WEIGHTS };

#define FONT_LINES 4096u /* that are kept; a power of two */
#define FONT_TEXT  192u	 /* bytes of a line; what is longer is cut */

/* A line of text as a mask. */
struct font_line {
	cairo_surface_t *mask; /* A8; NULL: no such line, or nothing to be seen of it */
	char text[FONT_TEXT];
	uint32_t bytes;
	float pixels; /* size */
	uint8_t weight;
	bool used;
	int left, top; /* of the mask, from the line's origin */
};

struct font {
	FT_Library library;
	FT_Face faces[FONT_WEIGHTS];
	FT_Face theirs[FONT_WEIGHTS]; /* the same for cairo, which sets sizes as it likes */
	cairo_font_face_t *cairo[FONT_WEIGHTS];
	cairo_font_options_t *options;
	uint32_t glyph[FONT_WEIGHTS][128];   /* of ASCII */
	uint16_t advance[FONT_WEIGHTS][128]; /* likewise, in font units */
	struct font_line *lines;	     /* [FONT_LINES] by hash */
};

/* Return: 0; -ENOMEM, -EIO with a sentence; font_free() is always due. */
int font_init(struct font *font);
void font_free(struct font *font);

/* How wide @text is when its letters are @points high. */
double font_width(struct font *font, const char *text, size_t bytes, double points,
		  enum font_weight weight);
/*
 * Write @text with its origin (left end of the base line) at @x, @y in cairo's source.
 * @pixels: @cr leads to pixels and only scales; else to anything.
 */
void font_show(struct font *font, cairo_t *cr, double x, double y, const char *text, size_t bytes,
	       double points, enum font_weight weight, bool pixels);

#endif /* QUIRE_FONT_H */
