/*
 * run_show.c - see run_show.h.
 */
#include "run_show.h"

#include "core/cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <utf8proc.h>

#define GAP	  2  /* columns of the terminal between two texts */
#define NARROW	  24 /* a column of text has at least so many */
#define REDRAW_NS 50000000u

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t terminal_rows(FILE *file)
{
	struct winsize size;

	return ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : 24;
}

int quire_show_open(struct quire_show *show, FILE *out, uint32_t count, bool stream)
{
	uint32_t width;

	*show = (struct quire_show){
		.out = out,
		.count = count,
		.at = calloc(count + 1u, sizeof(*show->at)),
		.terminal = isatty(fileno(out)),
	};
	if (!show->at)
		return quire_fail(-ENOMEM, "out of memory for %u texts", count);
	width = quire_terminal_columns(out, 80);
	show->live = stream && count == 1;
	show->steers = show->terminal && getenv("TERM") && strcmp(getenv("TERM"), "dumb");
	show->bold = quire_terminal_colours(out);
	if (show->steers && count > 1 && count <= QUIRE_SHOW_COLUMNS_MAX &&
	    (width + GAP) / count >= NARROW + GAP) {
		show->live = stream;
		show->columns = count;
		show->column_width = (width + GAP) / count - GAP;
		show->rows_max = terminal_rows(out) - 1;
	}
	return 0;
}

void quire_show_free(struct quire_show *show)
{
	for (uint32_t i = 0; show->at && i < show->count; i++)
		free(show->at[i].numbers);
	free(show->at);
	show->at = NULL;
}

/* The text of one.  Return: its beginning, its end in @end. */
static const char *text_of(const struct quire_show *show, uint32_t index, const char **end)
{
	const struct quire_shown *shown = &show->at[index];
	const struct quire_stream *stream =
		quire_stream(show->streams, shown->request, shown->sample);
	const char *text = shown->numbers ? shown->numbers : stream ? stream->text : NULL;

	text = text ? text : "";
	*end = text + (shown->numbers || !stream || !*text ? strlen(text) : stream->text_bytes);
	return text;
}

/* The character at @text; @bytes of it.  What would steer a terminal becomes U+FFFD. */
static int32_t character(const char *text, const char *end, uint32_t *bytes)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, end - text, &c);

	*bytes = n > 0 ? (uint32_t)n : 1;
	if (n <= 0 || (c < ' ' && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0))
		return 0xfffd;
	return c;
}

static void put(const struct quire_show *show, const char *text, const char *end)
{
	uint32_t bytes;

	if (!show->terminal) {
		fwrite(text, 1, (size_t)(end - text), show->out);
		return;
	}
	for (; text < end; text += bytes) {
		if (character(text, end, &bytes) == 0xfffd)
			fputs("\xef\xbf\xbd", show->out);
		else
			fwrite(text, 1, bytes, show->out);
	}
}

/*
 * The piece of text that stands in one row: [@text, return), @next begins the next row
 * (NULL: it was the last), @width columns of the terminal.  Breaks at spaces if it can.
 */
static const char *row_of(const char *text, const char *end, uint32_t limit, const char **next,
			  uint32_t *width)
{
	const char *at = text, *space = NULL;
	uint32_t bytes, space_width = 0;

	*width = 0;
	*next = NULL;
	for (; at < end; at += bytes) {
		int32_t c = character(at, end, &bytes);
		int w = c == '\t' ? 1 : utf8proc_charwidth(c);

		if (c == '\n') {
			*next = at + 1;
			return at;
		}
		if (*width + (uint32_t)w > limit) {
			*next = at;
			if (c == ' ')
				*next = at + 1;
			else if (space)
				*next = space + 1;
			*width = c != ' ' && space ? space_width : *width;
			return c != ' ' && space ? space : at;
		}
		if (c == ' ') {
			space = at;
			space_width = *width;
		}
		*width += (uint32_t)w;
	}
	return at;
}

static uint32_t rows_of(const char *text, const char *end, uint32_t limit)
{
	uint32_t rows = 0, width;

	for (; text; rows++)
		row_of(text, end, limit, &text, &width);
	return rows;
}

static void pad(const struct quire_show *show, uint32_t columns)
{
	fprintf(show->out, "%*s", (int)columns, "");
}

/* All texts side by side, their last rows only, if not all have room and not @whole. */
static void draw(struct quire_show *show, bool whole)
{
	const uint32_t limit = show->column_width;
	const char *at[QUIRE_SHOW_COLUMNS_MAX], *end[QUIRE_SHOW_COLUMNS_MAX];
	uint32_t rows = 0, skip, width;

	if (show->rows_drawn)
		fprintf(show->out, "\033[%uA\r\033[J", show->rows_drawn);
	for (uint32_t i = 0; i < show->count; i++) {
		uint32_t mine;

		at[i] = text_of(show, i, &end[i]);
		mine = rows_of(at[i], end[i], limit);
		rows = mine > rows ? mine : rows;
	}
	skip = !whole && rows + 1 > show->rows_max ? rows + 1 - show->rows_max : 0;
	for (uint32_t i = 0; i < show->count; i++) {
		const int n =
			fprintf(show->out, "\033[1m%.*s\033[0m", (int)limit, show->at[i].heading) -
			8;

		if (i + 1 < show->count)
			pad(show, limit + GAP - (uint32_t)(n > 0 ? n : 0));
	}
	fputc('\n', show->out);
	for (uint32_t row = 0; row < rows; row++) {
		uint32_t column = 0; /* where the cursor is */

		for (uint32_t i = 0; i < show->count; i++) {
			const char *text = at[i], *stop;

			if (!text)
				continue;
			stop = row_of(text, end[i], limit, &at[i], &width);
			if (row < skip || stop == text)
				continue;
			pad(show, i * (limit + GAP) - column);
			put(show, text, stop);
			column = i * (limit + GAP) + width;
		}
		if (row >= skip)
			fputc('\n', show->out);
	}
	show->rows_drawn = rows - skip + 1;
	show->drawn_ns = now_ns();
	fflush(show->out);
}

void quire_show_said(void *arg, uint32_t request, uint32_t sample, const char *text, size_t bytes)
{
	struct quire_show *show = arg;

	(void)request;
	(void)sample;
	if (!show->live)
		return;
	if (show->columns) {
		if (now_ns() - show->drawn_ns >= REDRAW_NS)
			draw(show, false);
		return;
	}
	put(show, text, text + bytes);
	show->line_open = text[bytes - 1] != '\n';
	fflush(show->out);
}

void quire_show_end(struct quire_show *show)
{
	if (show->columns) {
		draw(show, true);
		return;
	}
	for (uint32_t i = 0; i < show->count; i++) {
		const char *end, *text = text_of(show, i, &end);

		if (show->count > 1)
			fprintf(show->out, "%s--- %s ---\n", i ? "\n" : "", show->at[i].heading);
		/* Text without a tokenizer was not said. */
		if (!show->live || show->at[i].numbers) {
			put(show, text, end);
			show->line_open = text < end && end[-1] != '\n';
		}
		if (show->line_open)
			fputc('\n', show->out);
		show->line_open = false;
	}
	fflush(show->out);
}
