/*
 * report_text.c - see report_text.h.
 */
#include "report_text.h"

#include <math.h>
#include <string.h>

void quire_show_count(char out[QUIRE_SHOW_MAX], uint64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);

	for (int i = 0; i < n; i++) {
		*out++ = digits[i];
		if ((n - i - 1) % 3 == 0 && i < n - 1)
			*out++ = ',';
	}
	*out = '\0';
}

void quire_show_number(char out[QUIRE_SHOW_MAX], double value)
{
	if (!isfinite(value))
		snprintf(out, QUIRE_SHOW_MAX, "-");
	else if (value == 0)
		snprintf(out, QUIRE_SHOW_MAX, "0");
	else if (value >= 999.5 && value < 1e18)
		quire_show_count(out, (uint64_t)llround(value));
	else
		snprintf(out, QUIRE_SHOW_MAX, "%.*f",
			 value >= 99.95	   ? 0
			 : value >= 9.995  ? 1
			 : value >= 0.9995 ? 2
					   : 3,
			 value);
}

void quire_show_bytes(char out[QUIRE_SHOW_MAX], double bytes)
{
	static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;

	while (bytes >= 1024 && i < 4) {
		bytes /= 1024;
		i++;
	}
	snprintf(out, QUIRE_SHOW_MAX, "%.*f %s", i && bytes < 100 && bytes != floor(bytes) ? 1 : 0,
		 bytes, unit[i]);
}

size_t quire_show_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++) {
		if (*text == '\033')
			text += strcspn(text, "m");
		else
			width += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return width;
}

const char *quire_show_bold(const struct quire_table_style *style)
{
	return style->colours ? "\033[1m" : "";
}

const char *quire_show_dim(const struct quire_table_style *style)
{
	return style->colours ? "\033[2m" : "";
}

const char *quire_show_plain(const struct quire_table_style *style)
{
	return style->colours ? "\033[0m" : "";
}

/* One kind of memory in the bar. */
static const struct {
	const char *name;
	const char *colour;
	const char *shade; /* without colours */
	const char *ascii; /* without UTF-8 */
} piece[4] = {
	{"token states", "\033[32m", "█", "#"},
	{"reserved", "\033[36m", "▓", "="},
	{"internal", "\033[31m", "▒", "x"},
	{"external", "\033[90m", "░", "."},
};

void quire_show_piece(FILE *out, const struct quire_table_style *style, unsigned int i,
		      unsigned int cells)
{
	const char *cell = !style->utf8 ? piece[i].ascii : style->colours ? "█" : piece[i].shade;

	if (!cells)
		return;
	if (style->colours)
		fputs(piece[i].colour, out);
	while (cells--)
		fputs(cell, out);
	fputs(quire_show_plain(style), out);
}

void quire_show_bar(FILE *out, const struct quire_table_style *style, const double shares[4],
		    unsigned int cells)
{
	unsigned int piece_cells[4], left = cells;
	double rest[4];

	for (unsigned int i = 0; i < 4; i++) {
		double exact = isfinite(shares[i]) && shares[i] > 0 ? shares[i] * cells : 0;

		piece_cells[i] = exact < left ? (unsigned int)exact : left;
		rest[i] = exact - piece_cells[i];
		left -= piece_cells[i];
	}
	while (left--) { /* to the largest remainders */
		unsigned int most = 0;

		for (unsigned int i = 1; i < 4; i++)
			most = rest[i] > rest[most] ? i : most;
		piece_cells[most]++;
		rest[most] -= 1;
	}
	for (unsigned int i = 0; i < 4; i++)
		quire_show_piece(out, style, i, piece_cells[i]);
}

void quire_show_bar_legend(FILE *out, const struct quire_table_style *style)
{
	for (unsigned int i = 0; i < 4; i++) {
		fputs(i ? "  " : "", out);
		quire_show_piece(out, style, i, 1);
		fprintf(out, " %s", piece[i].name);
	}
}

void quire_show_wrap(FILE *out, const struct quire_table_style *style, const char *text,
		     unsigned int indent)
{
	size_t edge = style->columns, at = 0;
	char word[QUIRE_REPORT_SENTENCE_MAX];

	while (*text) {
		size_t n = strcspn(text, " ");
		size_t length = n < sizeof(word) ? n : sizeof(word) - 1, width;

		memcpy(word, text, length);
		word[length] = '\0';
		width = quire_show_width(word);
		if (at && at + 1 + width > edge) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at) {
			fputc(' ', out);
			at++;
		}
		fputs(word, out);
		at += width;
		text += n;
		text += *text == ' ';
	}
	fputc('\n', out);
}
