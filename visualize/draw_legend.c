/*
 * draw_legend.c - what the colours and patterns mean: of the panels that are shown, and of
 * what happens in their stories.
 */
#include "draw_parts.h"

#include <math.h>

/* Where the next entry goes. */
struct pen {
	struct quire_rect body;
	double x, y, line;
	bool full;
};

/* Room for an entry of so much width.  Return: false: there is none. */
static bool advance(struct pen *pen, double width)
{
	if (pen->x + width > pen->body.x + pen->body.width && pen->x > pen->body.x) {
		pen->x = pen->body.x;
		pen->y += pen->line;
	}
	if (pen->y + 0.2 * pen->line > pen->body.y + pen->body.height)
		pen->full = true;
	return !pen->full;
}

static void heading(struct quire_draw *d, struct pen *pen, const char *text)
{
	double em = d->em, width = draw_width(d, text, 0.85 * em, true) + 0.8 * em;

	/* Not alone at the end of a line. */
	if (pen->x > pen->body.x)
		pen->x += em;
	/* Of two lines each group has one, if that will do. */
	if (pen->x > pen->body.x && pen->y < pen->body.y + pen->line &&
	    pen->body.height > 2 * pen->line - em)
		pen->x += pen->body.width;
	if (!advance(pen, width + 7 * em))
		return;
	draw_text(d, pen->x, pen->y + 0.3 * em, text,
		  (struct draw_style){.points = 0.85 * em, .colour = d->theme->ink, .bold = true});
	pen->x += width;
}

/* Begin an entry.  Return: its swatch; of width 0: no room. */
static struct quire_rect entry(struct quire_draw *d, struct pen *pen, double swatch,
			       const char *label)
{
	double em = d->em, width = draw_width(d, label, 0.85 * em, false);
	struct quire_rect at = {0};

	if (!advance(pen, swatch + width + 0.4 * em))
		return at;
	at = (struct quire_rect){draw_snap(d, pen->x), draw_snap(d, pen->y - 0.5 * em), swatch,
				 draw_snap(d, em)};
	draw_text(d, pen->x + swatch + 0.4 * em, pen->y + 0.3 * em, label,
		  (struct draw_style){.points = 0.85 * em, .colour = d->theme->faint});
	pen->x += swatch + width + 1.5 * em;
	return at;
}

static void scale(struct quire_draw *d, struct pen *pen, const char *label, uint32_t from,
		  uint32_t until)
{
	struct quire_rect at = entry(d, pen, 4 * d->em, label);

	for (uint32_t i = 0; i < 16 && at.width > 0; i++) {
		draw_set(d, draw_mix(from, until, i / 15.0), 1);
		draw_box(d, at.x + i * at.width / 16, at.y, at.width / 16 + draw_pixel(d),
			 at.height);
		cairo_fill(d->cr);
	}
}

static void colours(struct quire_draw *d, struct pen *pen, const uint32_t *colour, uint32_t count,
		    const char *label)
{
	double each = 0.62 * d->em;
	struct quire_rect at = entry(d, pen, each * count, label);

	for (uint32_t i = 0; i < count && at.width > 0; i++)
		draw_fill(d, at.x + i * each, at.y, each, at.height, DRAW_SOLID, colour[i]);
}

/* The live part of cells, as they are coloured. */
static void live_entry(struct quire_draw *d, struct pen *pen)
{
	const struct quire_theme *theme = d->theme;

	switch (d->view->colouring) {
	case QUIRE_BY_REFS:
		colours(d, pen, theme->refs, 4, "1, 2, 3, more references");
		break;
	case QUIRE_BY_FILL:
		scale(d, pen, "empty to full", theme->low, theme->high);
		break;
	case QUIRE_BY_AGE:
		scale(d, pen, "new to old", theme->high, theme->low);
		break;
	default:
		colours(d, pen, theme->owner, 6, quire_legend_words[QUIRE_LEGEND_LIVE]);
		break;
	}
}

static void fill_entry(struct quire_draw *d, struct pen *pen, enum quire_legend_kind kind)
{
	static const enum draw_fill fills[] = {
		[QUIRE_LEGEND_RESERVED] = DRAW_RESERVED,
		[QUIRE_LEGEND_INTERNAL] = DRAW_INTERNAL,
		[QUIRE_LEGEND_ROUNDING] = DRAW_ROUNDING,
		[QUIRE_LEGEND_FREE] = DRAW_FREE,
	};
	struct quire_rect at = entry(d, pen, 1.6 * d->em, quire_legend_words[kind]);

	if (at.width <= 0)
		return;
	draw_fill(d, at.x, at.y, at.width, at.height, fills[kind], d->theme->reserved);
	draw_set(d, d->theme->unmapped, 0.8);
	draw_box(d, at.x + draw_pixel(d) / 2, at.y + draw_pixel(d) / 2, at.width - draw_pixel(d),
		 at.height - draw_pixel(d));
	cairo_set_line_width(d->cr, draw_pixel(d));
	cairo_stroke(d->cr);
}

static void flash_entry(struct quire_draw *d, struct pen *pen, enum quire_legend_kind kind)
{
	const struct quire_theme *theme = d->theme;
	const uint32_t colour[] = {
		[QUIRE_LEGEND_GIVEN] = theme->given,   [QUIRE_LEGEND_FREED] = theme->freed,
		[QUIRE_LEGEND_SHARED] = theme->shared, [QUIRE_LEGEND_COPIED] = theme->copied,
		[QUIRE_LEGEND_TAKEN] = theme->taken,
	};
	struct quire_rect at = entry(d, pen, d->em, quire_legend_words[kind]);

	if (at.width <= 0)
		return;
	draw_set(d, colour[kind], 1);
	draw_round(d, at.x + 0.1 * d->em, at.y + 0.1 * d->em, at.width - 0.2 * d->em,
		   at.height - 0.2 * d->em, 0.2 * d->em);
	cairo_set_line_width(d->cr, 0.18 * d->em);
	cairo_stroke(d->cr);
}

static void span_entry(struct quire_draw *d, struct pen *pen, enum quire_legend_kind kind)
{
	struct quire_rect at = entry(d, pen, 1.9 * d->em, quire_legend_words[kind]);

	if (at.width > 0)
		draw_span(d, (enum quire_span_kind)(kind - QUIRE_LEGEND_WAITING), at.x, at.y,
			  at.width, at.height);
}

void draw_legend(struct quire_draw *d)
{
	const struct quire_rect *panels = d->view->sides[0].panels;
	bool slots = panels[QUIRE_PANEL_POOL].width > 0 || panels[QUIRE_PANEL_SEQUENCE].width > 0;
	bool spans = panels[QUIRE_PANEL_TIMELINE].width > 0;
	struct pen pen = {.body = quire_place_body(d->view, 0, QUIRE_PANEL_LEGEND)};
	uint32_t bits = quire_place_legend(d->view);

	if (pen.body.width <= 0)
		return;
	pen.line = 1.5 * d->em;
	pen.x = pen.body.x;
	pen.y = pen.body.y + 0.7 * d->em;
	for (uint32_t k = 0; k < QUIRE_LEGEND_COUNT; k++) {
		enum quire_legend_kind kind = (enum quire_legend_kind)k;
		bool of_span = kind >= QUIRE_LEGEND_WAITING;

		if (!(of_span ? spans : slots) || !(bits >> k & 1))
			continue;
		if (kind == QUIRE_LEGEND_LIVE)
			heading(d, &pen, "slots");
		else if (kind == QUIRE_LEGEND_WAITING)
			heading(d, &pen, "sequences");
		if (kind == QUIRE_LEGEND_LIVE)
			live_entry(d, &pen);
		else if (kind <= QUIRE_LEGEND_FREE)
			fill_entry(d, &pen, kind);
		else if (!of_span)
			flash_entry(d, &pen, kind);
		else
			span_entry(d, &pen, kind);
	}
}
