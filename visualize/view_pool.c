/*
 * view_pool.c - how the pool's cells lie in their panel: all of them, as large as they can
 * be, on whole pixels.
 *
 * They are squares.  A few blocks, as in a lecture, fill the panel whatever its shape: so that
 * the words in their slots are largest, or where these have no room, as bars.
 */
#include "place.h"
#include "view_parts.h"

#include <math.h>

/* In em; no block of a few is larger. */
#define BLOCK_WIDTH    20.0
#define BLOCK_HEIGHT   12.0
#define BLOCK_GAP      0.4
#define WORDLESS_CELLS 16u
#define BLOCK_BELOW    1.5 /* for the arrows of copies */

/* Between cells that are @pitch pixels apart. */
static double gap_of(double pitch, double em)
{
	if (pitch < 3)
		return 0;
	return pitch < 12 ? 1 : floor(fmin(fmax(0.08 * pitch, 1), 0.6 * em));
}

/* ---- squares ---- */

/* How many cells stand in a row, or in a column. */
static double along(double pixels, double pitch, double em)
{
	return floor((pixels + gap_of(pitch, em)) / pitch);
}

/* The largest pitch, in pixels, at which @count cells fit: whole pixels, if there are some. */
static double fit(double width, double height, uint32_t count, double em)
{
	double pitch = floor(11 * em), low = 0, high = 3;

	for (; pitch >= 3; pitch--)
		if (along(width, pitch, em) * along(height, pitch, em) >= count)
			return pitch;
	for (int i = 0; i < 40; i++) {
		pitch = (low + high) / 2;
		*(floor(width / pitch) * floor(height / pitch) >= count ? &low : &high) = pitch;
	}
	return low;
}

/* Slots in a row: words are wider than they are high, and rows alike look best. */
static uint32_t slots_in_row(uint32_t slots)
{
	uint32_t least = (uint32_t)ceil(sqrt(slots / 2.0));

	for (uint32_t columns = least; columns <= 2 * least && columns <= slots; columns++)
		if (slots % columns == 0)
			return columns;
	return least;
}

static void place_slots(const struct quire_view *view, uint32_t side, struct quire_pool_grid *grid)
{
	struct quire_rect at = quire_view_cell(grid, 0), slot;
	double em = view->font_points;

	grid->slot_columns = slots_in_row(view->sides[side].story->cell_slots);
	slot = quire_place_slot(view, side, grid, &at, 0);
	if (slot.width < 1.2 * em || slot.height < 1.1 * em)
		grid->slot_columns = 0;
}

/* In pixels. */
static void set_pitch(struct quire_pool_grid *grid, double x, double y, double gap, double scale)
{
	grid->pitch_x = x / scale;
	grid->pitch_y = y / scale;
	grid->width = (x - gap) / scale;
	grid->height = (y - gap) / scale;
}

static void place_squares(const struct quire_view *view, uint32_t side, double width, double height,
			  struct quire_pool_grid *grid)
{
	uint32_t count = view->sides[side].story->cells_count;
	double scale = view->scale, em = view->font_points * scale;
	double pitch = fit(width, height, count, em);

	grid->columns = (uint32_t)fmax(along(width, pitch, em), 1);
	grid->rows = (count + grid->columns - 1) / grid->columns;
	grid->columns = (count + grid->rows - 1) / grid->rows; /* rows alike */
	pitch = fmax(pitch, view->sides[side].cell_points * scale);
	if (pitch >= 3)
		pitch = floor(pitch + 1e-6);
	set_pitch(grid, pitch, pitch, gap_of(pitch, em), scale);
	place_slots(view, side, grid);
}

/* ---- a few blocks ---- */

/* Letters of a word of five, in points, that fit in a slot. */
static double letters(const struct quire_view *view, uint32_t side,
		      const struct quire_pool_grid *grid)
{
	struct quire_rect at = quire_view_cell(grid, 0);
	struct quire_rect slot = quire_place_slot(view, side, grid, &at, 0);
	bool numbered = fmax(slot.x - at.x, slot.y - at.y) > view->font_points;

	/* Blocks want their numbers too. */
	return (numbered ? 1 : 0.7) * fmin(0.56 * slot.height, 0.28 * slot.width);
}

/* Blocks in so many rows, over the whole panel.  Return: false: that is no way. */
static bool place_rows(const struct quire_view *view, uint32_t count, uint32_t rows, double width,
		       double height, struct quire_pool_grid *grid)
{
	double em = view->font_points * view->scale, gap = floor(BLOCK_GAP * em), x, y;

	*grid = (struct quire_pool_grid){.columns = (count + rows - 1) / rows, .rows = rows};
	x = floor(fmin((width + gap) / grid->columns, BLOCK_WIDTH * em));
	y = floor(fmin((height + gap) / rows, BLOCK_HEIGHT * em));
	set_pitch(grid, x, y, gap, view->scale);
	return (count + grid->columns - 1) / grid->columns == rows && x > 2 * gap && y > 2 * gap;
}

/* So that words are largest.  Return: false: there is no room for them. */
static bool place_words(const struct quire_view *view, uint32_t side, double width, double height,
			struct quire_pool_grid *found)
{
	uint32_t count = view->sides[side].story->cells_count;
	uint32_t slots = view->sides[side].story->cell_slots;
	double best = 0.45 * view->font_points;
	struct quire_pool_grid grid;

	for (uint32_t rows = 1; rows <= count && rows * view->font_points * view->scale < height;
	     rows++) {
		if (!place_rows(view, count, rows, width, height, &grid))
			continue;
		for (grid.slot_columns = 1; grid.slot_columns <= slots; grid.slot_columns++) {
			double size = letters(view, side, &grid);

			if (slots % grid.slot_columns || size <= best)
				continue;
			best = size;
			*found = grid;
		}
	}
	return found->columns != 0;
}

/* Bars of one to three times their height, that cover most of the panel. */
static bool place_bars(const struct quire_view *view, uint32_t side, double width, double height,
		       struct quire_pool_grid *found)
{
	uint32_t count = view->sides[side].story->cells_count;
	struct quire_pool_grid grid;
	double most = 0;

	for (uint32_t rows = 1; rows <= count; rows++) {
		double area;

		if (!place_rows(view, count, rows, width, height, &grid) ||
		    grid.pitch_x < grid.pitch_y || grid.pitch_x > 3 * grid.pitch_y)
			continue;
		area = grid.width * grid.height;
		if (area > most)
			*found = grid;
		most = fmax(area, most);
	}
	return most > 0;
}

/* Return: false: they are not few, or the panel is too small. */
static bool place_few(const struct quire_view *view, uint32_t side, double width, double height,
		      struct quire_pool_grid *grid)
{
	const struct quire_side *of = &view->sides[side];
	double em = view->font_points * view->scale, x = of->cell_points * view->scale;
	double below = of->story->marks_count[QUIRE_EV_COPY] ? BLOCK_BELOW * em : 0;

	if (of->story->cells_count > QUIRE_FEW_CELLS)
		return false;
	/* Of many blocks without words, what they hold is seen better in bars. */
	if ((of->story->cell_slots > QUIRE_FEW_CELLS ||
	     (of->story->cells_count > WORDLESS_CELLS && !of->story->pieces_count) ||
	     !place_words(view, side, width, height - below, grid)) &&
	    !place_bars(view, side, width, height, grid))
		return false;
	/* What is zoomed keeps its shape. */
	if (x > grid->pitch_x * view->scale)
		set_pitch(grid, floor(x + 1e-6), floor(x * grid->pitch_y / grid->pitch_x + 1e-6),
			  floor(BLOCK_GAP * em), view->scale);
	return true;
}

struct quire_pool_grid quire_view_pool(const struct quire_view *view, uint32_t side)
{
	const struct quire_side *of = &view->sides[side];
	struct quire_rect body = quire_place_body(view, side, QUIRE_PANEL_POOL);
	double scale = view->scale;
	double width = floor(body.width * scale), height = floor(body.height * scale);
	struct quire_pool_grid grid = {0};

	if (width < 1 || height < 1 || !of->story->cells_count)
		return grid;
	if (!place_few(view, side, width, height, &grid))
		place_squares(view, side, width, height, &grid);
	grid.x = (ceil(body.x * scale) - round(of->pool_x * scale)) / scale;
	grid.y = (ceil(body.y * scale) - round(of->pool_y * scale)) / scale;
	return grid;
}

struct quire_rect quire_view_cell(const struct quire_pool_grid *grid, uint32_t cell)
{
	if (!grid->columns)
		return (struct quire_rect){0};
	return (struct quire_rect){grid->x + cell % grid->columns * grid->pitch_x,
				   grid->y + cell / grid->columns * grid->pitch_y, grid->width,
				   grid->height};
}
