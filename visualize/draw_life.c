/*
 * draw_life.c - a sequence in words: who it is, what it does; where it holds no blocks, the
 * tokens it has brought, or how it has fared.
 */
#include "draw_parts.h"

#include <math.h>
#include <stdio.h>

void draw_who(struct quire_draw *d, uint32_t side)
{
	const struct quire_scene *scene = &d->view->sides[side].scene;
	const struct quire_story *story = scene->story;
	uint32_t id = quire_place_selected(d->view, side);
	const struct quire_record_seq *seq = quire_scene_seq(scene, id);
	const struct quire_rect *panel = &d->view->sides[side].panels[QUIRE_PANEL_SEQUENCE];
	double em = d->em, x = panel->x + 0.75 * em + draw_width(d, "sequence", em, true) + em;
	char text[160], name[32], known[32];

	if (d->view->sides_count > 1)
		x += 1.75 * em; /* its badge */
	if (!id || id >= story->tracks_count) {
		draw_text(d, x, panel->y + 1.3 * em, "the other one is not in this story yet",
			  (struct draw_style){.points = 0.9 * em, .colour = d->theme->faint});
		return;
	}
	draw_set(d, draw_owner(d, side, id), 1);
	cairo_arc(d->cr, x + 0.3 * em, panel->y + 0.95 * em, 0.34 * em, 0, 2 * DRAW_PI);
	cairo_fill(d->cr);
	x += 0.9 * em;
	x += draw_text(d, x, panel->y + 1.3 * em, quire_story_name(story, id, name),
		       (struct draw_style){.points = em, .colour = d->theme->ink, .bold = true}) +
	     em;
	if (seq)
		snprintf(text, sizeof(text), "%s tokens, prompt %u, cached %u \xc2\xb7 %s",
			 draw_count(seq->known_tokens, known), seq->prompt_tokens,
			 seq->cached_tokens, quire_span_words[quire_scene_doing(scene, seq)]);
	else
		snprintf(text, sizeof(text), "%s",
			 story->tracks[id].born >= scene->index ? "has not arrived yet"
			 : story->tracks[id].refused		? "was refused"
								: "has finished and is gone");
	draw_text(d, x, panel->y + 1.3 * em, text,
		  (struct draw_style){.points = 0.9 * em,
				      .colour = d->theme->faint,
				      .width = panel->x + panel->width - 0.75 * em - x});
}

/* Tokens that are known, but not cached, of one who waits.  Return: false: they are too many. */
static bool known_tokens(struct quire_draw *d, uint32_t side, const struct quire_record_seq *seq,
			 const struct quire_rect *body)
{
	double em = d->em, width = 4.2 * em, height = 2.2 * em, y;
	uint32_t columns = (uint32_t)fmax(1, floor(body->width / width)), rows, count;

	count = seq->known_tokens;
	rows = (count + columns - 1) / columns;
	if (!count || d->view->sides[side].story->cells_count > QUIRE_FEW_CELLS ||
	    (rows + 1) * height > body->height)
		return false;
	columns = (count + rows - 1) / rows;
	y = body->y + (body->height - (rows + 1) * height) / 2;
	draw_text(d, body->x + body->width / 2, y + em, "known, and not cached: it holds no slots",
		  (struct draw_style){.points = em,
				      .colour = d->theme->faint,
				      .align = DRAW_CENTRE,
				      .width = body->width});
	y += 0.8 * height;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t in_row = i / columns + 1 < rows ? columns : count - (rows - 1) * columns;
		double x = body->x + (body->width - in_row * width) / 2 + i % columns * width;
		struct quire_rect at = {x + 0.15 * em, y + i / columns * height, width - 0.3 * em,
					height - 0.3 * em};

		draw_token(d, side, seq->id, i, &at);
	}
	return true;
}

/* "first token after 312 ms, the last of 97 after 2.1 s": what is over. */
static void say_past(const struct quire_story *story, const struct quire_track *track, char *text,
		     size_t size)
{
	uint32_t eldest = 0;
	uint64_t since_ns = track->born_ns;
	char first[32], all[32], count[32], often[48] = "";

	/* A sample counts from when its request came. */
	if (track->parent && track->request < story->run->requests_count)
		eldest = story->first_seq[track->request];
	if (eldest)
		since_ns = story->tracks[eldest].born_ns;
	if (track->preemptions)
		snprintf(often, sizeof(often), ", preempted %u time%s", track->preemptions,
			 track->preemptions == 1 ? "" : "s");
	snprintf(text, size, "first token after %s, the last of %s after %s%s",
		 draw_seconds((double)(track->first_token_ns - since_ns) / 1e9, first),
		 draw_count(track->end_tokens - track->prompt_tokens, count),
		 draw_seconds((double)(track->gone_ns - since_ns) / 1e9, all), often);
}

void draw_life(struct quire_draw *d, uint32_t side, const struct quire_rect *body)
{
	const struct quire_scene *scene = &d->view->sides[side].scene;
	const struct quire_story *story = scene->story;
	uint32_t id = quire_place_selected(d->view, side);
	const struct quire_record_seq *seq = quire_scene_seq(scene, id);
	const struct quire_track *track = id < story->tracks_count ? &story->tracks[id] : NULL;
	struct draw_style style = {.points = 1.1 * d->em,
				   .colour = d->theme->faint,
				   .align = DRAW_CENTRE,
				   .width = body->width};
	bool gone = id && track && track->gone && track->gone <= scene->index;
	double line = 1.6 * d->em, height;
	char text[192] = "holds no slots";

	if (seq && known_tokens(d, side, seq, body))
		return;
	if (gone && !track->refused && track->first_token_ns)
		say_past(story, track, text, sizeof(text));
	else if (!seq)
		return;
	height = draw_words(d, 0, 0, text, style, line, 3, true);
	draw_words(d, body->x + body->width / 2, body->y + (body->height - height) / 2 + d->em,
		   text, style, line, 3, false);
}
