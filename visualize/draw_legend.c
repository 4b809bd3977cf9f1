/*
 * draw_legend.c - what the colours and patterns mean: of those panels that are shown.
 */
#include "draw_parts.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

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

static void pool_entries(struct quire_draw *d, struct pen *pen)
{
	static const struct {
		enum draw_fill fill;
		const char *label;
	} fills[] = {
		{DRAW_RESERVED, "reserved"},
		{DRAW_INTERNAL, "internal waste"},
		{DRAW_ROUNDING, "rounding"},
		{DRAW_FREE, "free"},
	};
	const struct quire_theme *theme = d->theme;
	const struct {
		uint32_t colour;
		const char *label;
	} flashes[] = {
		{theme->given, "given"},   {theme->freed, "freed"}, {theme->shared, "shared"},
		{theme->copied, "copied"}, {theme->taken, "taken"},
	};

	heading(d, pen, "slots");
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
		colours(d, pen, theme->owner, 6, "live, by request");
		break;
	}
	for (uint32_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		struct quire_rect at = entry(d, pen, 1.6 * d->em, fills[i].label);

		draw_fill(d, at.x, at.y, at.width, at.height, fills[i].fill, theme->reserved);
		if (at.width > 0) {
			draw_set(d, theme->unmapped, 0.8);
			draw_box(d, at.x + draw_pixel(d) / 2, at.y + draw_pixel(d) / 2,
				 at.width - draw_pixel(d), at.height - draw_pixel(d));
			cairo_set_line_width(d->cr, draw_pixel(d));
			cairo_stroke(d->cr);
		}
	}
	for (uint32_t i = 0; i < sizeof(flashes) / sizeof(flashes[0]); i++) {
		struct quire_rect at = entry(d, pen, d->em, flashes[i].label);

		if (at.width <= 0)
			continue;
		draw_set(d, flashes[i].colour, 1);
		draw_round(d, at.x + 0.1 * d->em, at.y + 0.1 * d->em, at.width - 0.2 * d->em,
			   at.height - 0.2 * d->em, 0.2 * d->em);
		cairo_set_line_width(d->cr, 0.18 * d->em);
		cairo_stroke(d->cr);
	}
}

static void span_entries(struct quire_draw *d, struct pen *pen)
{
	static const char *const names[QUIRE_SPAN_COUNT] = {
#define X(name, words) #name,
		QUIRE_SPANS(X)
#undef X
	};

	heading(d, pen, "sequences");
	for (uint32_t i = 0; i < QUIRE_SPAN_COUNT; i++) {
		struct quire_rect at;
		char name[32];
		size_t k = 0;

		for (; names[i][k]; k++)
			name[k] = (char)tolower((unsigned char)names[i][k]);
		name[k] = '\0';
		at = entry(d, pen, 1.9 * d->em, name);
		if (at.width > 0)
			draw_span(d, (enum quire_span_kind)i, at.x, at.y, at.width, at.height);
	}
}

void draw_legend(struct quire_draw *d)
{
	const struct quire_rect *panels = d->view->sides[0].panels;
	struct pen pen = {.body = quire_place_body(d->view, 0, QUIRE_PANEL_LEGEND)};

	if (pen.body.width <= 0)
		return;
	pen.line = 1.5 * d->em;
	pen.x = pen.body.x;
	pen.y = pen.body.y + 0.7 * d->em;
	if (panels[QUIRE_PANEL_POOL].width > 0 || panels[QUIRE_PANEL_SEQUENCE].width > 0)
		pool_entries(d, &pen);
	if (panels[QUIRE_PANEL_TIMELINE].width > 0) {
		if (panels[QUIRE_PANEL_POOL].width > 0)
			pen.x += d->em;
		span_entries(d, &pen);
	}
}
