/*
 * draw_frame.c - what frames the panels: the header with the moment in large figures, the
 * scrub bar with its buttons, the legend.
 */
#include "draw_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- buttons ---- */

static void triangle(struct quire_draw *d, double x, double y, double size, int direction)
{
	cairo_move_to(d->cr, x - direction * size * 0.5, y - size * 0.6);
	cairo_line_to(d->cr, x + direction * size * 0.55, y);
	cairo_line_to(d->cr, x - direction * size * 0.5, y + size * 0.6);
	cairo_close_path(d->cr);
}

static void plus_minus(struct quire_draw *d, double x, double y, double size, bool plus)
{
	double line = 0.28 * size;

	draw_box(d, x - size / 2, y - line / 2, size, line);
	if (plus)
		draw_box(d, x - line / 2, y - size / 2, line, size);
}

/* A picture for each command, drawn: letters would depend on the font. */
static void icon(struct quire_draw *d, enum quire_command_kind command, double x, double y)
{
	double size = 0.85 * d->em;

	switch (command) {
	case QUIRE_DO_PLAY:
		if (d->view->playing || d->view->following) {
			draw_box(d, x - 0.42 * size, y - 0.55 * size, 0.28 * size, 1.1 * size);
			draw_box(d, x + 0.14 * size, y - 0.55 * size, 0.28 * size, 1.1 * size);
		} else {
			triangle(d, x, y, 1.1 * size, 1);
		}
		break;
	case QUIRE_DO_STEP_ON:
		triangle(d, x - 0.1 * size, y, 0.8 * size, 1);
		draw_box(d, x + 0.36 * size, y - 0.48 * size, 0.17 * size, 0.96 * size);
		break;
	case QUIRE_DO_STEP_BACK:
		triangle(d, x + 0.1 * size, y, 0.8 * size, -1);
		draw_box(d, x - 0.53 * size, y - 0.48 * size, 0.17 * size, 0.96 * size);
		break;
	case QUIRE_DO_FASTER:
		plus_minus(d, x, y, 0.75 * size, true);
		break;
	case QUIRE_DO_SLOWER:
		plus_minus(d, x, y, 0.75 * size, false);
		break;
	case QUIRE_DO_THEME: /* half light, half dark */
		cairo_new_sub_path(d->cr);
		cairo_arc(d->cr, x, y, 0.5 * size, -DRAW_PI / 2, DRAW_PI / 2);
		cairo_close_path(d->cr);
		cairo_fill(d->cr);
		cairo_arc(d->cr, x, y, 0.5 * size, 0, 2 * DRAW_PI);
		cairo_set_line_width(d->cr, 0.12 * size);
		cairo_stroke(d->cr);
		return;
	default:
		return;
	}
	cairo_fill(d->cr);
}

static void buttons(struct quire_draw *d, enum quire_panel_kind panel)
{
	const struct quire_rect *in = &d->view->sides[0].panels[panel];
	enum quire_command_kind command;
	struct quire_rect at;

	for (uint32_t i = 0; quire_place_button(d->view, i, &at, &command); i++) {
		bool hover = d->view->hover.kind == QUIRE_HIT_BUTTON &&
			     d->view->hover.command == command;
		double x = at.x + at.width / 2, y = at.y + at.height / 2;

		if (at.width <= 0 || !quire_rect_has(in, x, y))
			continue;
		draw_set(d,
			 hover ? d->theme->grid : draw_mix(d->theme->panel, d->theme->grid, 0.45),
			 1);
		draw_round(d, at.x, at.y, at.width, at.height, 0.4 * d->em);
		cairo_fill(d->cr);
		if (command == QUIRE_DO_HELP) {
			draw_text(d, x, y + 0.38 * d->em, "?",
				  (struct draw_style){.points = 1.05 * d->em,
						      .colour = d->theme->ink,
						      .bold = true,
						      .align = DRAW_CENTRE});
			continue;
		}
		draw_set(d, command == QUIRE_DO_PLAY ? d->theme->accent : d->theme->ink, 1);
		icon(d, command, x, y);
	}
}

/* ---- header ---- */

static const char *const clock_words[QUIRE_CLOCKS] = {"time", "steps"};

static void speed_text(const struct quire_view *view, char text[32])
{
	if (view->speed >= 1)
		snprintf(text, 32, "\xc3\x97%.0f", view->speed);
	else
		snprintf(text, 32,
			 "\xc3\x97"
			 "1/%.0f",
			 1 / view->speed);
}

/* A big number and a small word below each other's side. */
static double figure(struct quire_draw *d, double right, double y, const char *value,
		     const char *unit)
{
	double em = d->em;

	right -= draw_text(d, right, y, unit,
			   (struct draw_style){.points = 0.9 * em,
					       .colour = d->theme->faint,
					       .align = DRAW_RIGHT}) +
		 0.35 * em;
	right -= draw_text(d, right, y, value,
			   (struct draw_style){.points = 1.55 * em,
					       .colour = d->theme->ink,
					       .bold = true,
					       .align = DRAW_RIGHT}) +
		 1.6 * em;
	return right;
}

/* Where two stories part; looked for once, and again when much more is known. */
static void find_parting(struct quire_draw *d)
{
	const struct quire_story *a = d->view->sides[0].story, *b = d->view->sides[1].story;
	bool same = d->parted_of[0] == a && d->parted_of[1] == b;

	if (same && d->parted)
		return;
	if (same && a->indexed < 2 * d->parted_indexed[0] + 1024 &&
	    (d->parted_indexed[0] == a->indexed || !a->over) &&
	    (d->parted_indexed[1] == b->indexed || !b->over))
		return;
	d->parted_of[0] = a;
	d->parted_of[1] = b;
	d->parted_indexed[0] = a->indexed;
	d->parted_indexed[1] = b->indexed;
	d->parted = quire_story_diverge(a, b, &d->parted_at[0], &d->parted_at[1]);
}

/* What the line below the name says: a message, what is wrong, or who plays and how. */
static uint32_t second_line(struct quire_draw *d, char *text, size_t size)
{
	static const char *const locks[QUIRE_LOCK_COUNT] = {"time", "step", "request's progress"};
	const struct quire_view *view = d->view;
	int used;

	if (view->message[0] && view->now_s < view->message_until_s) {
		snprintf(text, size, "%s", view->message);
		return d->theme->accent;
	}
	for (uint32_t s = 0; s < view->sides_count; s++) {
		if (view->sides[s].story->trouble[0]) {
			snprintf(text, size, "%s", view->sides[s].story->trouble);
			return d->theme->warn;
		}
	}
	used = snprintf(text, size, "%s",
			view->following ? "live"
			: view->playing ? "playing"
					: "paused");
	used += snprintf(text + used, size - (size_t)used, ", by %s", clock_words[view->clock]);
	if (view->sides_count > 1) {
		used += snprintf(text + used, size - (size_t)used,
				 " \xc2\xb7 side by side, at the same %s", locks[view->lock]);
		if (d->parted)
			snprintf(text + used, size - (size_t)used,
				 " \xc2\xb7 decisions differ from step %u on",
				 quire_story_step_at(view->sides[0].story, d->parted_at[0]));
	} else if (view->skipped) {
		snprintf(text + used, size - (size_t)used,
			 " \xc2\xb7 %" PRIu64 " steps passed without a picture", view->skipped);
	}
	return d->theme->faint;
}

/* Who is shown, and where there is room, with what. */
static void names(struct quire_draw *d, const struct quire_rect *body, double right)
{
	const struct quire_view *view = d->view;
	double em = d->em, x = body->x, y = body->y + 0.95 * em, width = 0;
	struct draw_style name = {.points = 1.1 * em, .colour = d->theme->ink, .bold = true};
	struct draw_style about = {.points = 0.9 * em, .colour = d->theme->faint};

	for (uint32_t s = 0; s < view->sides_count; s++)
		width += draw_width(d, view->sides[s].story->name, name.points, true) +
			 draw_width(d, view->sides[s].about, about.points, false) + 4.2 * em;
	for (uint32_t s = 0; s < view->sides_count && right > x + 4 * em; s++) {
		if (view->sides_count > 1)
			x += draw_badge(d, s, x, y) + 0.5 * em;
		name.width = right - x;
		x += draw_text(d, x, y, view->sides[s].story->name, name) + 0.8 * em;
		if (view->sides[s].about[0] && width < right - body->x)
			x += draw_text(d, x, y, view->sides[s].about, about) + 0.8 * em;
		x += 0.8 * em;
	}
}

void draw_header(struct quire_draw *d)
{
	const struct quire_view *view = d->view;
	struct quire_rect body = quire_place_body(view, 0, QUIRE_PANEL_HEADER);
	double em = d->em, right = body.x + body.width, y = body.y + 0.66 * body.height;
	char text[256], number[32], unit[32];
	uint32_t colour;

	if (view->sides_count > 1)
		find_parting(d);
	if (!draw_panel(d, 0, QUIRE_PANEL_HEADER) || body.width <= 0)
		return;
	buttons(d, QUIRE_PANEL_HEADER);
	if (body.width >= 30 * em)
		right -= 5.6 * em;
	draw_count(quire_story_step_at(view->sides[0].story, view->sides[0].scene.index), number);
	right -= draw_text(d, right, y, number,
			   (struct draw_style){.points = 1.55 * em,
					       .colour = d->theme->ink,
					       .bold = true,
					       .align = DRAW_RIGHT}) +
		 0.4 * em;
	right -= draw_text(d, right, y, "step",
			   (struct draw_style){.points = 0.9 * em,
					       .colour = d->theme->faint,
					       .align = DRAW_RIGHT}) +
		 1.6 * em;
	draw_seconds((double)quire_view_now_ns(view, 0) / 1e9, text);
	snprintf(number, sizeof(number), "%.*s", (int)strcspn(text, " "), text);
	snprintf(unit, sizeof(unit), "%s", strchr(text, ' ') ? strchr(text, ' ') + 1 : "");
	right = figure(d, right, y, number, unit);

	names(d, &body, right);
	colour = second_line(d, text, sizeof(text));
	draw_text(d, body.x, body.y + 0.95 * em + 1.15 * em, text,
		  (struct draw_style){
			  .points = 0.85 * em, .colour = colour, .width = right - body.x});
}

/* ---- scrub bar ---- */

/* How many preemptions and copies there are in each piece of the bar; kept, as it takes a
 * search for each. */
static void count_marks(struct quire_draw *d, double step, double width)
{
	const struct quire_story *story = d->view->sides[0].story;
	double end = (double)quire_place_end_ns(d->view);
	struct draw_marks *marks = &d->marks;
	uint64_t key = draw_key(draw_key_view(d, 0), story->marks_count[QUIRE_EV_PREEMPT]);
	uint64_t from = 0;

	key = draw_key(key, story->marks_count[QUIRE_EV_COPY]);
	key = draw_key_real(draw_key_real(key, end), width);
	if (marks->key == key)
		return;
	marks->key = key;
	marks->count = (uint32_t)fmin(width / step, DRAW_MARKS_MAX);
	for (uint32_t i = 0; i < marks->count; i++) {
		uint64_t until =
			quire_story_index_ns(story, (uint64_t)((i + 1) * step / width * end));

		marks->preemptions[i] =
			(uint32_t)quire_story_marks_between(story, QUIRE_EV_PREEMPT, from, until);
		marks->copies[i] =
			(uint32_t)quire_story_marks_between(story, QUIRE_EV_COPY, from, until);
		from = until;
	}
}

/* Ticks along the bar, from @y upwards or downwards, taller where there are many. */
static void show_marks(struct quire_draw *d, const uint32_t *counts, uint32_t colour, double x,
		       double y, double step, bool up)
{
	draw_set(d, colour, 1);
	for (uint32_t i = 0; i < d->marks.count; i++, x += step) {
		double tall = d->em * (0.35 + 0.1 * fmin(2.5, log10(counts[i] + 1.0)));

		if (counts[i])
			draw_box(d, x, up ? y - tall : y, step * 0.8, tall);
	}
	cairo_fill(d->cr);
}

void draw_scrub(struct quire_draw *d)
{
	const struct quire_view *view = d->view;
	struct quire_rect bar = quire_place_scrub(view);
	double em = d->em, end = (double)quire_place_end_ns(view), line = 0.42 * em, y, x;
	char text[32];
	bool hover = view->hover.kind == QUIRE_HIT_SCRUB;

	if (!draw_panel(d, 0, QUIRE_PANEL_SCRUB) || bar.width <= 0)
		return;
	buttons(d, QUIRE_PANEL_SCRUB);
	y = bar.y + bar.height / 2;
	if (bar.x > view->sides[0].panels[QUIRE_PANEL_SCRUB].x + 10 * em) {
		speed_text(view, text);
		draw_text(d, bar.x - 5 * em, y + 0.36 * em, text,
			  (struct draw_style){.points = strlen(text) > 5 ? 0.8 * em : em,
					      .colour = d->theme->ink,
					      .bold = true,
					      .align = DRAW_CENTRE});
		draw_text(d, bar.x + bar.width + 1 * em, y + 0.33 * em,
			  draw_seconds(end / 1e9, text),
			  (struct draw_style){.points = 0.9 * em, .colour = d->theme->faint});
	}
	draw_set(d, d->theme->grid, 0.55);
	draw_round(d, bar.x, y - line / 2, bar.width, line, line / 2);
	cairo_fill(d->cr);
	/* What is read so far. */
	x = fmin(1, (double)quire_story_end_ns(view->sides[0].story) / end) * bar.width;
	draw_set(d, d->theme->grid, 1);
	draw_round(d, bar.x, y - line / 2, fmax(x, line), line, line / 2);
	cairo_fill(d->cr);
	x = bar.x + fmin(1, (double)quire_view_now_ns(view, 0) / end) * bar.width;
	draw_set(d, d->theme->accent, 1);
	draw_round(d, bar.x, y - line / 2, fmax(x - bar.x, line), line, line / 2);
	cairo_fill(d->cr);
	if (view->sides[0].story->marks_count[QUIRE_EV_PREEMPT] ||
	    view->sides[0].story->marks_count[QUIRE_EV_COPY]) {
		double step = fmax(2 * draw_pixel(d), 0.16 * em);

		count_marks(d, step, bar.width);
		show_marks(d, d->marks.preemptions, d->theme->taken, bar.x, y - 0.35 * em, step,
			   true);
		show_marks(d, d->marks.copies, d->theme->copied, bar.x, y + 0.35 * em, step, false);
	}
	if (d->parted && view->sides_count > 1) {
		double at = (double)quire_story_ns(view->sides[0].story, d->parted_at[0]);

		draw_set(d, d->theme->ink, 1);
		draw_box(d, bar.x + at / end * bar.width - draw_pixel(d), y - 0.8 * em,
			 2 * draw_pixel(d), 1.6 * em);
		cairo_fill(d->cr);
	}
	draw_set(d, d->theme->panel, 1);
	cairo_arc(d->cr, x, y, (hover ? 0.72 : 0.62) * em, 0, 2 * DRAW_PI);
	cairo_fill(d->cr);
	draw_set(d, d->theme->accent, 1);
	cairo_arc(d->cr, x, y, (hover ? 0.55 : 0.45) * em, 0, 2 * DRAW_PI);
	cairo_fill(d->cr);
}
