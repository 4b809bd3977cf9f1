/*
 * draw_queues.c - who waits, who runs, who has finished and is kept: chips in the colours of
 * their requests, in order of birth.  A line in each chip says how far it is.
 */
#include "draw_parts.h"

#include <math.h>
#include <stdio.h>

#define IDS_MAX 4096u

/* How much of it is done: of its prompt, then of its output, as far as its cap says. */
static double progress(const struct quire_draw *d, uint32_t side,
		       const struct quire_record_seq *seq)
{
	const struct quire_story *story = d->view->sides[side].story;
	const struct quire_track *track;
	double prompt = seq->prompt_tokens, output;

	if (seq->state == QUIRE_FINISHED)
		return 1;
	if (seq->cached_tokens < seq->prompt_tokens)
		return seq->cached_tokens / fmax(prompt, 1);
	if (seq->id >= story->tracks_count)
		return 0;
	track = &story->tracks[seq->id];
	output = track->end_tokens > prompt ? track->end_tokens - prompt : track->output_tokens_max;
	return fmin(1, (seq->known_tokens - prompt) / fmax(output, 1));
}

static void chip(struct quire_draw *d, uint32_t side, enum quire_list list, uint32_t id,
		 const struct quire_rect *at, bool named)
{
	const struct quire_scene *scene = &d->view->sides[side].scene;
	const struct quire_record_seq *seq = quire_scene_seq(scene, id);
	const struct quire_hit *hover = &d->view->hover;
	bool selected = id == quire_place_selected(d->view, side);
	uint32_t colour = draw_owner(d, side, id), ground = colour;
	double em = d->em, radius = 0.25 * em, line = fmax(draw_pixel(d), draw_snap(d, 0.1 * em));
	char text[32];

	if (!seq)
		return;
	/* What does not run is hollow. */
	if (list != QUIRE_LIST_RUNNING)
		ground = draw_mix(colour, d->theme->panel, 0.78);
	if (named) {
		draw_set(d, colour, 1);
		draw_round(d, at->x, at->y, at->width, at->height, radius);
		cairo_fill(d->cr);
	} else {
		draw_fill(d, at->x, at->y, at->width, at->height, DRAW_SOLID, colour);
	}
	if (list != QUIRE_LIST_RUNNING) {
		draw_set(d, ground, 1);
		draw_round(d, at->x + line, at->y + line, at->width - 2 * line,
			   at->height - 2 * line, named ? radius - line : 0);
		cairo_fill(d->cr);
	}
	if (named) {
		double points = fmin(0.57 * at->height, 1.3 * em);

		draw_text(d, at->x + at->width / 2, at->y + at->height / 2 + 0.33 * points,
			  quire_story_name(scene->story, id, text),
			  (struct draw_style){.points = points,
					      .colour = draw_ink_on(ground),
					      .align = DRAW_CENTRE,
					      .width = at->width - 0.4 * em});
		draw_set(d, draw_ink_on(ground), 0.65);
		draw_box(d, at->x + radius, at->y + at->height - 0.22 * em,
			 (at->width - 2 * radius) * progress(d, side, seq), 0.12 * em);
		cairo_fill(d->cr);
	}
	if (selected || (hover->kind == QUIRE_HIT_SEQ && hover->side == side && hover->seq == id)) {
		draw_set(d, selected ? d->theme->ink : d->theme->accent, 1);
		draw_round(d, at->x, at->y, at->width, at->height, radius);
		cairo_set_line_width(d->cr, fmax(0.15 * em, draw_pixel(d)));
		cairo_stroke(d->cr);
	}
}

/* How many, in large figures, and of what: below it, or behind it where lines are low. */
static void heading(struct quire_draw *d, double x, const struct quire_rect *area, uint32_t count,
		    const char *name, bool low)
{
	double em = d->em, y = area->y + (low ? 1.05 : 1.3) * em, width;
	char number[32];

	width = draw_text(d, x, y, draw_count(count, number),
			  (struct draw_style){.points = (low ? 1 : 1.4) * em,
					      .colour = count ? d->theme->ink : d->theme->faint,
					      .bold = true});
	draw_text(d, low ? x + width + 0.35 * em : x, low ? y : area->y + 2.4 * em, name,
		  (struct draw_style){.points = (low ? 0.75 : 0.85) * em,
				      .colour = d->theme->faint,
				      .width = area->x - x - (low ? width + 0.5 * em : 0)});
}

/* "29 of 50 finished", behind the title. */
static void say_finished(struct quire_draw *d, uint32_t side)
{
	const struct quire_rect *panel = &d->view->sides[side].panels[QUIRE_PANEL_QUEUES];
	const struct quire_record_counts *counts = &d->view->sides[side].scene.state.counts;
	uint32_t all = d->view->sides[side].story->run->requests_count;
	char text[128], done[32], of[32], refused[48] = "", number[32];

	if (counts->refused)
		snprintf(refused, sizeof(refused), " \xc2\xb7 %s refused",
			 draw_count(counts->refused, number));
	snprintf(text, sizeof(text), "%s of %s request%s finished%s",
		 draw_count(counts->finished, done), draw_count(all, of), all == 1 ? "" : "s",
		 refused);
	draw_text(d, panel->x + panel->width - 0.75 * d->em, panel->y + 1.3 * d->em, text,
		  (struct draw_style){.points = 0.85 * d->em,
				      .colour = d->theme->faint,
				      .align = DRAW_RIGHT,
				      .width = panel->width - 6.5 * d->em});
}

void draw_queues(struct quire_draw *d, uint32_t side)
{
	static const char *const names[QUIRE_LIST_COUNT] = {"waiting", "running", "kept"};
	const struct quire_scene *scene = &d->view->sides[side].scene;
	struct quire_rect body = quire_place_body(d->view, side, QUIRE_PANEL_QUEUES);
	struct quire_place_chips first = quire_place_chips(d->view, side, QUIRE_LIST_WAITING, 0);
	uint32_t ids[IDS_MAX];
	double em = d->em;
	char text[48], number[32];

	if (!draw_panel(d, side, QUIRE_PANEL_QUEUES))
		return;
	say_finished(d, side);
	for (uint32_t l = 0; l < QUIRE_LIST_COUNT; l++) {
		enum quire_list list = (enum quire_list)l;
		uint32_t count = quire_scene_list(scene, list, ids, IDS_MAX);
		struct quire_place_chips chips = quire_place_chips(d->view, side, list, count);
		struct quire_rect at;

		if (chips.area.width <= 0)
			continue;
		heading(d, body.x, &chips.area, count, names[l], first.area.height < 2.5 * em);
		for (uint32_t i = 0; i < chips.shown && i < IDS_MAX; i++) {
			at = quire_place_chip(&chips, i);
			at.x = draw_snap(d, at.x);
			at.y = draw_snap(d, at.y);
			at.width = draw_snap(d, at.width);
			at.height = draw_snap(d, at.height);
			chip(d, side, list, ids[i], &at, chips.named);
		}
		if (chips.shown == count)
			continue;
		at = quire_place_chip(&chips, chips.shown);
		snprintf(text, sizeof(text), "+ %s", draw_count(count - chips.shown, number));
		draw_text(d, at.x, at.y + at.height, text,
			  (struct draw_style){.points = 0.85 * em, .colour = d->theme->faint});
	}
}
