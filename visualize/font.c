/*
 * font.c - DejaVu Sans as a part of the program; see font.h.
 *
 * The files of fonts/ are put into the program as they are, by the assembler.
 */
#include "font.h"

#include <quire/quire.h>

#include <cairo-ft.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include FT_OUTLINE_H

#define EMBED(symbol, file)                                                                        \
	__asm__(".section .rodata\n"                                                               \
		".globl " #symbol ", " #symbol "_end\n"                                            \
		".hidden " #symbol ", " #symbol "_end\n"                                           \
		".balign 16\n" #symbol ":\n"                                                       \
		".incbin \"" QUIRE_FONTS_DIR "/" file "\"\n" #symbol "_end:\n"                     \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const unsigned char symbol[], symbol##_end[]

EMBED(quire_font_regular, "DejaVuSans.ttf");
EMBED(quire_font_bold, "DejaVuSans-Bold.ttf");

static int open_face(struct font *font, enum font_weight weight, const unsigned char *file,
		     const unsigned char *end)
{
	FT_Long bytes = (FT_Long)(end - file);
	FT_Face face;

	if (FT_New_Memory_Face(font->library, file, bytes, 0, &font->faces[weight]) ||
	    FT_New_Memory_Face(font->library, file, bytes, 0, &font->theirs[weight]))
		return quire_fail(-EIO, "FreeType cannot read the font that is built in");
	face = font->faces[weight];
	font->cairo[weight] =
		cairo_ft_font_face_create_for_ft_face(font->theirs[weight], FT_LOAD_NO_HINTING);
	if (cairo_font_face_status(font->cairo[weight]))
		return quire_fail(-ENOMEM, "no memory for letters");
	for (uint32_t c = 0; c < 128; c++) {
		uint32_t glyph = FT_Get_Char_Index(face, c < 32 ? ' ' : c);

		if (FT_Load_Glyph(face, glyph, FT_LOAD_NO_SCALE))
			return quire_fail(-EIO, "FreeType cannot read the font that is built in");
		font->glyph[weight][c] = glyph;
		font->advance[weight][c] = (uint16_t)face->glyph->advance.x;
	}
	return 0;
}

int font_init(struct font *font)
{
	int rc;

	*font = (struct font){0};
	font->lines = calloc(FONT_LINES, sizeof(*font->lines));
	font->options = cairo_font_options_create();
	if (!font->lines || cairo_font_options_status(font->options) ||
	    FT_Init_FreeType(&font->library))
		return quire_fail(-ENOMEM, "no memory for letters");
	cairo_font_options_set_antialias(font->options, CAIRO_ANTIALIAS_GRAY);
	cairo_font_options_set_hint_style(font->options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(font->options, CAIRO_HINT_METRICS_OFF);
	rc = open_face(font, FONT_REGULAR, quire_font_regular, quire_font_regular_end);
	if (rc == 0)
		rc = open_face(font, FONT_BOLD, quire_font_bold, quire_font_bold_end);
	return rc;
}

void font_free(struct font *font)
{
	for (uint32_t i = 0; font->lines && i < FONT_LINES; i++)
		cairo_surface_destroy(font->lines[i].mask);
	free(font->lines);
	for (uint32_t w = 0; w < FONT_WEIGHTS; w++) {
		cairo_font_face_destroy(font->cairo[w]);
		if (font->theirs[w])
			FT_Done_Face(font->theirs[w]);
		if (font->faces[w])
			FT_Done_Face(font->faces[w]);
	}
	if (font->options)
		cairo_font_options_destroy(font->options);
	if (font->library)
		FT_Done_FreeType(font->library);
	*font = (struct font){0};
}

/* ---- letters ---- */

/* The letter at @text: its glyph and how far it leads, in font units.
 * Return: how many bytes it is long. */
static size_t letter(struct font *font, enum font_weight weight, const char *text, size_t bytes,
		     uint32_t *glyph, uint32_t *advance)
{
	FT_Face face = font->faces[weight];
	utf8proc_int32_t code = (unsigned char)*text;
	utf8proc_ssize_t size = 1;

	if (code < 128) {
		*glyph = font->glyph[weight][code];
		*advance = font->advance[weight][code];
		return 1;
	}
	size = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes, &code);
	if (size < 1) {
		size = 1;
		code = 0xfffd;
	}
	*glyph = FT_Get_Char_Index(face, (FT_ULong)code);
	*advance = FT_Load_Glyph(face, *glyph, FT_LOAD_NO_SCALE) ? 0
								 : (uint32_t)face->glyph->advance.x;
	return (size_t)size;
}

double font_width(struct font *font, const char *text, size_t bytes, double points,
		  enum font_weight weight)
{
	uint32_t glyph, advance, units = 0;

	for (size_t i = 0; i < bytes; units += advance)
		i += letter(font, weight, text + i, bytes - i, &glyph, &advance);
	return units * points / font->faces[weight]->units_per_EM;
}

/* ---- a line as a mask ---- */

/* Add the coverage of a letter to the mask. */
static void stamp(unsigned char *mask, int stride, int width, int height, const FT_Bitmap *bitmap,
		  int left, int top)
{
	for (int y = 0; y < (int)bitmap->rows; y++) {
		const unsigned char *from = bitmap->buffer + (ptrdiff_t)y * bitmap->pitch;

		if (top + y < 0 || top + y >= height)
			continue;
		for (int x = 0; x < (int)bitmap->width; x++) {
			unsigned char *to = mask + (ptrdiff_t)(top + y) * stride + left + x;
			int sum;

			if (left + x < 0 || left + x >= width)
				continue;
			sum = *to + from[x];
			*to = (unsigned char)(sum > 255 ? 255 : sum);
		}
	}
}

/* Return: false: it cannot be made. */
static bool make_line(struct font *font, struct font_line *line)
{
	enum font_weight weight = (enum font_weight)line->weight;
	FT_Face face = font->faces[weight];
	double size = (double)line->pixels, width, pen = 0;
	int rise = (int)ceil(size), pixels_x, pixels_y;
	unsigned char *mask;

	width = font_width(font, line->text, line->bytes, size, weight);
	/* Letters may reach a little over their advance. */
	line->left = -rise / 2 - 1;
	line->top = -rise - 1;
	pixels_x = (int)ceil(width) - 2 * line->left;
	pixels_y = rise + rise / 2 + 3;
	line->mask = cairo_image_surface_create(CAIRO_FORMAT_A8, pixels_x, pixels_y);
	if (cairo_surface_status(line->mask) ||
	    FT_Set_Char_Size(face, 0, (FT_F26Dot6)lround(size * 64), 72, 72))
		return false;
	cairo_surface_flush(line->mask);
	mask = cairo_image_surface_get_data(line->mask);
	for (size_t i = 0; i < line->bytes;) {
		uint32_t glyph, advance;
		double whole = floor(pen);
		FT_GlyphSlot slot = face->glyph;

		i += letter(font, weight, line->text + i, line->bytes - i, &glyph, &advance);
		if (FT_Load_Glyph(face, glyph, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP))
			continue;
		FT_Outline_Translate(&slot->outline, (FT_Pos)lround((pen - whole) * 64), 0);
		if (FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) == 0)
			stamp(mask, cairo_image_surface_get_stride(line->mask), pixels_x, pixels_y,
			      &slot->bitmap, (int)whole + slot->bitmap_left - line->left,
			      -slot->bitmap_top - line->top);
		pen += advance * size / face->units_per_EM;
	}
	cairo_surface_mark_dirty(line->mask);
	return true;
}

static uint32_t hash(const char *text, size_t bytes, float pixels, uint32_t weight)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ (uint64_t)(pixels * 64) << 8 ^ weight;

	for (size_t i = 0; i < bytes; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
	return (uint32_t)((h ^ h >> 29) * 0xff51afd7ed558ccdu >> 40);
}

/* The line from the kept ones, or made; NULL: it cannot be. */
static const struct font_line *find_line(struct font *font, const char *text, size_t bytes,
					 float pixels, enum font_weight weight)
{
	struct font_line *line = &font->lines[hash(text, bytes, pixels, weight) & (FONT_LINES - 1)];

	if (line->used && line->bytes == bytes && line->pixels == pixels &&
	    line->weight == weight && memcmp(line->text, text, bytes) == 0)
		return line;
	cairo_surface_destroy(line->mask);
	*line = (struct font_line){.used = true,
				   .bytes = (uint32_t)bytes,
				   .pixels = pixels,
				   .weight = (uint8_t)weight};
	memcpy(line->text, text, bytes);
	if (make_line(font, line))
		return line;
	cairo_surface_destroy(line->mask);
	*line = (struct font_line){0};
	return NULL;
}

/* ---- showing ---- */

static void show_glyphs(struct font *font, cairo_t *cr, double x, double y, const char *text,
			size_t bytes, double points, enum font_weight weight)
{
	cairo_glyph_t glyphs[FONT_TEXT];
	cairo_text_cluster_t clusters[FONT_TEXT];
	int count = 0;

	for (size_t i = 0; i < bytes; count++) {
		uint32_t glyph, advance;
		size_t size = letter(font, weight, text + i, bytes - i, &glyph, &advance);

		glyphs[count] = (cairo_glyph_t){glyph, x, y};
		clusters[count] = (cairo_text_cluster_t){(int)size, 1};
		x += advance * points / font->faces[weight]->units_per_EM;
		i += size;
	}
	cairo_set_font_face(cr, font->cairo[weight]);
	cairo_set_font_size(cr, points);
	cairo_set_font_options(cr, font->options);
	cairo_show_text_glyphs(cr, text, (int)bytes, glyphs, count, clusters, count, 0);
}

void font_show(struct font *font, cairo_t *cr, double x, double y, const char *text, size_t bytes,
	       double points, enum font_weight weight, bool pixels)
{
	double scale = 1, none = 0;
	const struct font_line *line;

	if (bytes >= FONT_TEXT)
		bytes = FONT_TEXT - 1;
	if (!bytes)
		return;
	if (!pixels) {
		show_glyphs(font, cr, x, y, text, bytes, points, weight);
		return;
	}
	cairo_user_to_device_distance(cr, &scale, &none);
	line = find_line(font, text, bytes, (float)(points * scale), weight);
	if (!line)
		return;
	cairo_user_to_device(cr, &x, &y);
	cairo_save(cr);
	cairo_identity_matrix(cr);
	cairo_mask_surface(cr, line->mask, round(x) + line->left, round(y) + line->top);
	cairo_restore(cr);
}
