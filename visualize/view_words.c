/*
 * view_words.c - what is seen, in whole sentences: what it is, and why it is so.
 */
#include "view_words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- parts of sentences ---- */

void words_add(struct words *w, const char *format, ...)
{
	va_list args;
	int length;

	if (w->used + 1 >= w->size)
		return;
	va_start(args, format);
	length = vsnprintf(w->text + w->used, w->size - w->used, format, args);
	va_end(args);
	w->used += length < 0 ? 0 : (size_t)length;
	if (w->used >= w->size)
		w->used = w->size - 1;
}

const char *words_time(double seconds, char text[32])
{
	if (seconds >= 100)
		snprintf(text, 32, "%.0f s", seconds);
	else if (seconds >= 1)
		snprintf(text, 32, "%.3g s", seconds);
	else if (seconds >= 1e-3 || seconds <= 0)
		snprintf(text, 32, "%.3g ms", seconds * 1e3);
	else
		snprintf(text, 32, "%.3g us", seconds * 1e6);
	return text;
}

const char *words_count(uint64_t count, const char *noun, char text[64])
{
	snprintf(text, 64, "%llu %s%s", (unsigned long long)count, noun, count == 1 ? "" : "s");
	return text;
}

void words_names(struct words *w, const struct quire_story *story, const uint32_t *ids,
		 uint32_t known, uint32_t count)
{
	char name[32];

	for (uint32_t i = 0; i < known; i++) {
		bool last = i + 1 == known && known == count;

		words_add(w, "%s%s",
			  i == 0 ? ""
			  : last ? " and "
				 : ", ",
			  quire_story_name(story, ids[i], name));
	}
	if (count > known)
		words_add(w, " and %u more", count - known);
}

void view_event_words(const struct quire_story *story, const struct quire_event *e, char *text,
		      size_t size)
{
	char name[32], count[64];
	const char *who;

	snprintf(text, size, "it is over");
	if (!e)
		return;
	who = quire_story_name(story, e->seq, name);
	switch (e->kind) {
	case QUIRE_EV_REFUSE:
		snprintf(text, size, "%s is refused", who);
		break;
	case QUIRE_EV_PREEMPT:
		snprintf(text, size, "%s is preempted", who);
		break;
	case QUIRE_EV_DROP:
		snprintf(text, size, "the kept row of %s is let go", who);
		break;
	case QUIRE_EV_COPY:
		snprintf(text, size, "block %u is copied to %u", e->a / story->cell_slots,
			 e->b / story->cell_slots);
		break;
	case QUIRE_EV_MAP:
		snprintf(text, size, "%s gets block %u of the pool", who, e->b / story->cell_slots);
		break;
	case QUIRE_EV_RUN:
		snprintf(text, size, "%s runs %s", who, words_count(e->a, "token", count));
		break;
	case QUIRE_EV_STEP:
		snprintf(text, size, "%u sequences run %u tokens%s", e->a, e->b,
			 e->c ? ", as a rectangle" : "");
		break;
	case QUIRE_EV_FORK:
		snprintf(text, size, "%s is forked", who);
		break;
	case QUIRE_EV_FINISH:
		snprintf(text, size, "%s finishes", who);
		break;
	default:
		snprintf(text, size, "something else happens");
		break;
	}
}

/* ---- a sequence ---- */

static void say_absent(struct words *w, const struct quire_scene *scene,
		       const struct quire_track *track, const char *name)
{
	char text[32], count[64];

	if (scene->index <= track->born) {
		words_add(w, "%s is not here yet: it comes at %s.\n", name,
			  words_time((double)track->born_ns / 1e9, text));
	} else if (track->refused) {
		words_add(w,
			  "%s was refused: it could never have run, so it was not made to wait.\n",
			  name);
	} else {
		words_add(w, "%s has finished, at %s", name,
			  words_time((double)track->gone_ns / 1e9, text));
		if (track->end_tokens > track->prompt_tokens)
			words_add(w, ", with %s of output",
				  words_count(track->end_tokens - track->prompt_tokens, "token",
					      count));
		words_add(w, ". Its blocks went back to the pool.\n");
	}
}

/* What it does in this step, and why. */
static void say_doing(struct words *w, const struct quire_scene *scene,
		      const struct quire_record_seq *seq)
{
	const struct quire_record_counts *counts = &scene->state.counts;
	uint32_t free_slots = scene->story->run->slots_total - counts->mapped_slots;
	char text[64];

	switch (quire_scene_doing(scene, seq)) {
	case QUIRE_SPAN_WAITING:
		words_add(w,
			  "It waits for its first slots, and holds none. It has %s to run, and %u "
			  "slots are free.\n",
			  words_count(seq->known_tokens, "token", text), free_slots);
		break;
	case QUIRE_SPAN_PREEMPTED:
		words_add(w,
			  "It was preempted: memory was short, so its slots were given to others. "
			  "It will run its %s again.\n",
			  words_count(seq->known_tokens, "known token", text));
		break;
	case QUIRE_SPAN_PROMPT:
		words_add(w, "This step runs %s of its prompt: prefill.\n",
			  words_count(seq->run_tokens ? seq->run_tokens : seq->cached_tokens,
				      "token", text));
		break;
	case QUIRE_SPAN_DECODE:
		words_add(w, "It decodes: each step runs the token sampled last, and samples the "
			     "next.\n");
		break;
	case QUIRE_SPAN_RECOMPUTE:
		words_add(w, "It recomputes what was taken from it when it was preempted.\n");
		break;
	case QUIRE_SPAN_HELD:
		words_add(w, "It holds slots, and is not in this step's plan.\n");
		break;
	default:
		words_add(w, "It has finished, but its batch has not: the scheduler keeps its row, "
			     "and its slots are waste until then.\n");
		break;
	}
}

static void say_seq(struct words *w, const struct quire_view *view, const struct quire_hit *hit)
{
	const struct quire_scene *scene = &view->sides[hit->side].scene;
	const struct quire_story *story = scene->story;
	const struct quire_record_seq *seq = quire_scene_seq(scene, hit->seq);
	const struct quire_track *track = &story->tracks[hit->seq];
	char name[32], other[32], count[64];

	quire_story_name(story, hit->seq, name);
	if (!seq) {
		say_absent(w, scene, track, name);
		return;
	}
	words_add(w, "%s: a prompt of %s, and %u of output so far", name,
		  words_count(seq->prompt_tokens, "token", count),
		  seq->known_tokens > seq->prompt_tokens ? seq->known_tokens - seq->prompt_tokens
							 : 0);
	if (track->output_tokens_max)
		words_add(w, " (at most %u)", track->output_tokens_max);
	words_add(w, ".\n");
	if (track->parent)
		words_add(w, "It was forked from %s, and shares its prompt.\n",
			  quire_story_name(story, track->parent, other));
	say_doing(w, scene, seq);
	if (seq->blocks_count)
		words_add(w, "Its map has %s, for %llu tokens.\n",
			  words_count(seq->blocks_count, "block", count),
			  (unsigned long long)seq->blocks_count * seq->block_slots);
	if (seq->preemptions)
		words_add(w, "It has been preempted %s.\n",
			  words_count(seq->preemptions, "time", count));
}

/* ---- figures, buttons ---- */

static void say_gauge(struct words *w, const struct quire_view *view, const struct quire_hit *hit)
{
	static const char *const more[QUIRE_GAUGE_COUNT] = {
		[QUIRE_GAUGE_MEMORY] =
			"Live tokens are what memory is for; reserved slots are kept "
			"for later; what is held and never used, and rounding, is "
			"waste.\n",
		[QUIRE_GAUGE_RATE] = "The more sequences share a step, the higher it is.\n",
		[QUIRE_GAUGE_TTFT] = "It is the wait in the queue and the prompt's own time.\n",
		[QUIRE_GAUGE_TPOT] = "It grows with all that shares a step, prompts most of all.\n",
		[QUIRE_GAUGE_USE] = "The rest is empty, reserved or wasted.\n",
	};
	const struct quire_gauge_text *gauge = &quire_gauge_texts[hit->gauge];
	const struct quire_side *side = &view->sides[hit->side];
	double value = quire_gauge_value(side->story, hit->gauge, side->scene.index);
	char text[32];

	words_add(w, "%c%s", gauge->words[0] - ('a' - 'A'), gauge->words + 1);
	if (isfinite(value) && gauge->unit[0] == 's')
		words_add(w, ": %s", words_time(value, text));
	else if (isfinite(value))
		words_add(w, ": %.3g %s", value, gauge->unit);
	words_add(w, ".\n%s", more[hit->gauge]);
}

static void say_button(struct words *w, const struct quire_hit *hit)
{
	const struct quire_command_text *command = &quire_command_texts[hit->command];

	if (!command->help[0])
		return;
	words_add(w, "%c%s.\n", command->help[0] - ('a' - 'A'), command->help + 1);
	if (command->key[0])
		words_add(w, "Key: %s\n", command->key);
}

void quire_view_tooltip(const struct quire_view *view, const struct quire_hit *hit, char *text,
			size_t size)
{
	struct words w = {text, size, 0};
	const struct quire_story *story;

	if (!size)
		return;
	text[0] = 0;
	if (hit->side >= view->sides_count)
		return;
	story = view->sides[hit->side].story;
	switch (hit->kind) {
	case QUIRE_HIT_CELL:
	case QUIRE_HIT_BLOCK:
		words_cell(&w, view, hit);
		break;
	case QUIRE_HIT_SEQ:
		if (hit->seq && hit->seq < story->tracks_count)
			say_seq(&w, view, hit);
		break;
	case QUIRE_HIT_SPAN:
		if (hit->seq && hit->seq < story->tracks_count)
			words_span(&w, view, hit);
		break;
	case QUIRE_HIT_STEP:
		words_step(&w, view, hit);
		break;
	case QUIRE_HIT_SCRUB:
		words_scrub(&w, view, hit);
		break;
	case QUIRE_HIT_GAUGE:
		if (hit->gauge < QUIRE_GAUGE_COUNT)
			say_gauge(&w, view, hit);
		break;
	case QUIRE_HIT_BUTTON:
		say_button(&w, hit);
		break;
	default:
		break;
	}
}
