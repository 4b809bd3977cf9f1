/*
 * draw_notes.c - what is written over the panels or beside them: a lesson's caption, the
 * help, the search, the tooltip.
 */
#include "draw_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- lesson ---- */

/* Where one is: a dot for each moment.  Return: their width. */
static double dots(struct quire_draw *d, double right, double y)
{
	const struct quire_caption *caption = &d->view->caption;
	double step = 0.95 * d->em, radius = 0.24 * d->em;

	if (!caption->count || caption->count > 40)
		return 0;
	for (uint32_t i = 0; i < caption->count; i++) {
		bool here = i + 1 == caption->number;

		draw_set(d, i < caption->number ? d->theme->accent : d->theme->grid, 1);
		cairo_arc(d->cr, right - (caption->count - i - 0.5) * step, y,
			  here ? 1.5 * radius : radius, 0, 2 * DRAW_PI);
		cairo_fill(d->cr);
	}
	return caption->count * step;
}

/* Letters of a caption as large as all of it has room for, in points. */
static double caption_points(struct quire_draw *d, double width, double height)
{
	const struct quire_caption *caption = &d->view->caption;
	const char *rest = caption->answer ? caption->answer : caption->question;
	double points = quire_place_caption(d->view), line, y;

	for (; points > 0.7 * d->em; points *= 0.96) {
		struct draw_style style = {.points = points, .width = width};

		line = points * QUIRE_CAPTION_LINE;
		y = 0;
		if (caption->text)
			y = draw_words(d, 0, y, caption->text, style, line, UINT32_MAX, true);
		style.bold = true;
		if (rest)
			y = draw_words(d, 0, y, rest, style, line, UINT32_MAX, true);
		if (y <= height)
			break;
	}
	return points;
}

void draw_lesson(struct quire_draw *d)
{
	const struct quire_caption *caption = &d->view->caption;
	const char *rest = caption->answer ? caption->answer : caption->question;
	struct quire_rect panel = d->view->sides[0].panels[QUIRE_PANEL_LESSON];
	struct quire_rect body = quire_place_body(d->view, 0, QUIRE_PANEL_LESSON);
	double em = d->em, y = body.y + em, bottom = body.y + body.height, line, right;
	struct draw_style style = {.colour = d->theme->ink, .width = body.width};

	if (!caption->title || !draw_panel(d, 0, QUIRE_PANEL_LESSON) || body.width <= 0)
		return;
	draw_set(d, d->theme->accent, 1);
	draw_box(d, panel.x, panel.y + 0.45 * em, 0.28 * em, panel.height - 0.9 * em);
	cairo_fill(d->cr);
	right = body.x + body.width - dots(d, body.x + body.width, y - 0.32 * em) - em;
	right -= draw_text(d, right, y,
			   caption->question && !caption->answer ? "think, then Space: the answer"
								 : "Space: on",
			   (struct draw_style){.points = 0.85 * em,
					       .colour = d->theme->faint,
					       .align = DRAW_RIGHT,
					       .width = 0.5 * body.width});
	draw_text(d, body.x, y, caption->title,
		  (struct draw_style){.points = 0.9 * em,
				      .colour = d->theme->faint,
				      .bold = true,
				      .width = right - em - body.x});
	y += 0.4 * em;
	style.points = caption_points(d, body.width, bottom - y);
	line = style.points * QUIRE_CAPTION_LINE;
	y += 0.95 * style.points;
	if (caption->text)
		y = draw_words(d, body.x, y, caption->text, style, line, UINT32_MAX, false);
	style.bold = true;
	style.colour = caption->answer ? d->theme->ink : d->theme->accent;
	if (rest)
		draw_words(d, body.x, y, rest, style, line, UINT32_MAX, false);
}

/* ---- help and search ---- */

static void dialog(struct quire_draw *d, const char *title)
{
	const struct quire_rect *at = &d->view->dialog;
	double em = d->em;

	draw_set(d, 0, 0.35);
	draw_box(d, 0, 0, d->view->width, d->view->height);
	cairo_fill(d->cr);
	draw_set(d, d->theme->panel, 1);
	draw_round(d, at->x, at->y, at->width, at->height, 0.7 * em);
	cairo_fill_preserve(d->cr);
	draw_set(d, d->theme->grid, 1);
	cairo_set_line_width(d->cr, fmax(0.1 * em, draw_pixel(d)));
	cairo_stroke(d->cr);
	draw_text(d, at->x + 1.4 * em, at->y + 2.1 * em, title,
		  (struct draw_style){.points = 1.25 * em, .colour = d->theme->ink, .bold = true});
}

/* A key as a key.  Return: its width. */
static double key_cap(struct quire_draw *d, double x, double y, const char *key, double points)
{
	double width = fmax(draw_width(d, key, points, true) + 0.9 * points, 1.9 * points);

	draw_set(d, d->theme->grid, 1);
	draw_round(d, x, y - 1.15 * points, width, 1.6 * points, 0.3 * points);
	cairo_fill(d->cr);
	draw_text(d, x + width / 2, y, key,
		  (struct draw_style){.points = points,
				      .colour = d->theme->ink,
				      .bold = true,
				      .align = DRAW_CENTRE});
	return width;
}

#define HELP_WIDTH 37.0 /* of a line, in letters' em */
#define HELP_KEY   8.8

/* Lines of the help: keys, then what a hand does. */
static uint32_t help_lines(const char *lines[][2])
{
	static const char *const gestures[][2] = {
#define X(gesture, help) {gesture, help},
		QUIRE_GESTURES(X)
#undef X
	};
	uint32_t count = 0;

	for (uint32_t k = 0; k < QUIRE_COMMAND_COUNT; k++) {
		if (!quire_command_texts[k].key[0])
			continue;
		lines[count][0] = quire_command_texts[k].key;
		lines[count++][1] = quire_command_texts[k].help;
	}
	for (uint32_t k = 0; k < sizeof(gestures) / sizeof(gestures[0]); k++) {
		lines[count][0] = gestures[k][0];
		lines[count++][1] = gestures[k][1];
	}
	return count;
}

static void draw_help(struct quire_draw *d)
{
	const struct quire_rect *at = &d->view->dialog;
	const char *lines[QUIRE_COMMAND_COUNT + 16][2];
	uint32_t count = help_lines(lines), columns = 1, rows;
	double em = d->em, width = at->width - 2.8 * em, height = at->height - 4.2 * em;
	double line, points = 0;

	dialog(d, "Keys and mouse");
	/* In as many columns as letters are largest in. */
	for (uint32_t n = 1; n <= 3; n++) {
		double high = 0.52 * height / ((count + n - 1) / n), wide = width / n / HELP_WIDTH;

		if (fmin(high, wide) <= points)
			continue;
		points = fmin(high, wide);
		columns = n;
	}
	points = fmin(points, 0.95 * em);
	rows = (count + columns - 1) / columns;
	line = fmin(1.95 * em, height / rows);
	width /= columns;
	for (uint32_t i = 0; i < count; i++) {
		double x = at->x + 1.4 * em + i / rows * width;
		double y = at->y + 3.5 * em + (i % rows + 0.5) * line;

		key_cap(d, x, y, lines[i][0], points);
		draw_text(d, x + HELP_KEY * points, y, lines[i][1],
			  (struct draw_style){.points = points,
					      .colour = d->theme->ink,
					      .width = width - (HELP_KEY + 0.6) * points});
	}
}

static void draw_search(struct quire_draw *d)
{
	const struct quire_rect *at = &d->view->dialog;
	const struct quire_story *story = d->view->sides[0].story;
	double em = d->em, x = at->x + 1.4 * em, y = at->y + 3.6 * em;
	uint32_t found = d->view->search[0] ? quire_story_find(story, d->view->search) : 0;
	char name[32], text[64];

	dialog(d, "Search a request: r12, or its sample r12.3");
	x += draw_text(d, x, y, d->view->search[0] ? d->view->search : " ",
		       (struct draw_style){.points = 1.15 * em, .colour = d->theme->ink});
	draw_set(d, d->theme->accent, 1);
	draw_box(d, x + 0.15 * em, y - em, fmax(0.12 * em, draw_pixel(d)), 1.3 * em);
	cairo_fill(d->cr);
	if (!d->view->search[0])
		return;
	if (found)
		snprintf(text, sizeof(text), "Enter: to %s", quire_story_name(story, found, name));
	draw_text(d, at->x + at->width - 1.4 * em, y, found ? text : "there is no such request",
		  (struct draw_style){.points = 0.9 * em,
				      .colour = found ? d->theme->faint : d->theme->warn,
				      .align = DRAW_RIGHT,
				      .width = 0.6 * at->width});
}

void draw_dialog(struct quire_draw *d)
{
	if (d->view->dialog.width <= 0)
		return;
	if (d->view->help)
		draw_help(d);
	else if (d->view->searching)
		draw_search(d);
}

/* ---- tooltip ---- */

/* The widest line, when none may be wider than @style.width. */
static double widest(struct quire_draw *d, const char *text, const struct draw_style *style)
{
	double most = 0;

	while (*text) {
		size_t bytes = strcspn(text, "\n");
		double width = font_width(&d->font, text, bytes, style->points,
					  style->bold ? FONT_BOLD : FONT_REGULAR);

		most = fmax(most, width);
		text += bytes + (text[bytes] == '\n');
	}
	return fmin(most, style->width);
}

void draw_tooltip(struct quire_draw *d)
{
	const struct quire_view *view = d->view;
	double em = d->em, line = 1.45 * em, x, y, width, height;
	struct draw_style style = {.points = em, .colour = d->theme->ink};
	char text[1024], *rest;

	if (view->hover.kind == QUIRE_HIT_NOTHING || view->pressed.kind != QUIRE_HIT_NOTHING ||
	    view->pointer_x < 0 || view->now_s - view->hover_s < QUIRE_TOOLTIP_S ||
	    view->dialog.width > 0)
		return;
	quire_view_tooltip(view, &view->hover, text, sizeof(text));
	if (!text[0])
		return;
	style.width = fmin(34 * em, view->width - 4 * em);
	/* The first line says what it is. */
	rest = strchr(text, '\n');
	if (rest)
		*rest++ = '\0';
	style.bold = true;
	width = widest(d, text, &style);
	height = draw_words(d, 0, 0, text, style, line, 4, true);
	style.bold = false;
	if (rest) {
		width = fmax(width, widest(d, rest, &style));
		height = draw_words(d, 0, height, rest, style, line, 12, true);
	}
	width += 1.6 * em;
	height += 0.9 * em;
	x = view->pointer_x + 1.2 * em;
	y = view->pointer_y + 1.4 * em;
	if (x + width > view->width - 0.5 * em)
		x = fmax(0.5 * em, view->pointer_x - width - 0.8 * em);
	if (y + height > view->height - 0.5 * em)
		y = fmax(0.5 * em, view->pointer_y - height - 0.8 * em);
	draw_set(d, 0, 0.3);
	draw_round(d, x + 0.15 * em, y + 0.25 * em, width, height, 0.5 * em);
	cairo_fill(d->cr);
	draw_set(d, draw_mix(d->theme->panel, d->theme->grid, 0.5), 1);
	draw_round(d, x, y, width, height, 0.5 * em);
	cairo_fill_preserve(d->cr);
	draw_set(d, d->theme->faint, 0.6);
	cairo_set_line_width(d->cr, draw_pixel(d));
	cairo_stroke(d->cr);
	style.bold = true;
	y = draw_words(d, x + 0.8 * em, y + 1.35 * em, text, style, line, 4, false);
	style.bold = false;
	if (rest)
		draw_words(d, x + 0.8 * em, y, rest, style, line, 12, false);
}
