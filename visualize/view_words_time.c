/*
 * view_words_time.c - a stretch of the timeline, a step, a moment in words.
 */
#include "view_words.h"

#include <math.h>

static const char *const why_span[QUIRE_SPAN_COUNT] = {
	[QUIRE_SPAN_WAITING] = "Who asked has seen nothing yet: this is part of the time to the "
			       "first token (TTFT).\n",
	[QUIRE_SPAN_PROMPT] = "The tokens of a prompt are known, so many run in one step.\n",
	[QUIRE_SPAN_DECODE] = "Each token is needed for the next one, so a step makes one.\n",
	[QUIRE_SPAN_RECOMPUTE] = "No token is sampled twice; only K and V are made again.\n",
	[QUIRE_SPAN_HELD] = "Others took the step's budget, or it waits for its sisters.\n",
	[QUIRE_SPAN_PREEMPTED] = "Memory was short, and its slots went to others. What was in them "
				 "is computed again.\n",
	[QUIRE_SPAN_KEPT] = "A static batch goes on until its longest row is done; until then "
			    "nobody can take this seat.\n",
};

void words_span(struct words *w, const struct quire_view *view, const struct quire_hit *hit)
{
	const struct quire_story *story = view->sides[hit->side].story;
	const struct quire_track *track = &story->tracks[hit->seq];
	const struct quire_span *span = quire_track_span(track, hit->at_ns);
	char name[32], from[32], length[32], count[64];
	uint64_t until_ns, now_ns = quire_view_now_ns(view, hit->side);
	uint32_t last;
	bool lasts;

	if (!span)
		return;
	until_ns = span->until_ns ? span->until_ns : quire_story_end_ns(story);
	last = span->until_step ? span->until_step - 1 : story->steps_count;
	lasts = !span->until_ns;
	/* What a lesson has not come to is not told. */
	if (view->caption.title && now_ns < until_ns) {
		until_ns = now_ns > span->from_ns ? now_ns : span->from_ns;
		lasts = true;
	}
	words_add(w, "%s %s", quire_story_name(story, hit->seq, name),
		  quire_span_words[span->kind]);
	words_add(w, ": from %s on, for %s%s.\n", words_time((double)span->from_ns / 1e9, from),
		  words_time((double)(until_ns - span->from_ns) / 1e9, length),
		  lasts ? " so far" : "");
	if (span->kind == QUIRE_SPAN_PROMPT && span->tokens < track->prompt_tokens)
		words_add(w, "A chunk of %u of its %u prompt tokens, so that a step stays short.\n",
			  span->tokens, track->prompt_tokens);
	else if (span->tokens && last > span->from_step && !lasts)
		words_add(w, "That is %s in steps %u to %u.\n",
			  words_count(span->tokens, "token", count), span->from_step, last);
	else if (span->tokens && last <= span->from_step)
		words_add(w, "That is %s in step %u.\n", words_count(span->tokens, "token", count),
			  span->from_step);
	words_add(w, "%s", why_span[span->kind]);
}

void words_step(struct words *w, const struct quire_view *view, const struct quire_hit *hit)
{
	const struct quire_story *story = view->sides[hit->side].story;
	const struct quire_story_step *step;
	const uint32_t *value;
	uint32_t tokens, prompt;
	char length[32], count[64];

	if (!hit->step || hit->step > story->steps_count)
		return;
	step = &story->steps[hit->step - 1];
	value = step->value;
	prompt = value[QUIRE_SERIES_PROMPT_TOKENS] + value[QUIRE_SERIES_RECOMPUTE_TOKENS];
	tokens = prompt + value[QUIRE_SERIES_DECODE_TOKENS];
	words_add(w, "Step %u", hit->step);
	if (step->end_ns > step->begin_ns)
		words_add(w, " takes %s",
			  words_time((double)(step->end_ns - step->begin_ns) / 1e9, length));
	words_add(w, ": it runs %s", words_count(tokens, "token", count));
	words_add(w, " (%u of prompts, %u decoding", value[QUIRE_SERIES_PROMPT_TOKENS],
		  value[QUIRE_SERIES_DECODE_TOKENS]);
	if (value[QUIRE_SERIES_RECOMPUTE_TOKENS])
		words_add(w, ", %u again after a preemption", value[QUIRE_SERIES_RECOMPUTE_TOKENS]);
	words_add(w, ").\n");
	if (value[QUIRE_SERIES_PAD_TOKENS])
		words_add(w,
			  "%u more are padding: positions computed for nobody, so that all rows "
			  "are equally long.\n",
			  value[QUIRE_SERIES_PAD_TOKENS]);
	if (prompt && value[QUIRE_SERIES_DECODE_TOKENS])
		words_add(w, "Those that decode wait for the prompts in their step.\n");
	else if (!prompt && tokens)
		words_add(w, "The weights are read once, for all of these tokens: the more run "
			     "together, the cheaper is each.\n");
	if (value[QUIRE_SERIES_PREEMPTIONS])
		words_add(w, "Memory was short: %s.\n",
			  words_count(value[QUIRE_SERIES_PREEMPTIONS], "preemption", count));
	if (value[QUIRE_SERIES_COPIES])
		words_add(w, "%s copied before somebody wrote into %s.\n",
			  value[QUIRE_SERIES_COPIES] == 1 ? "A shared block was"
							  : "Shared blocks were",
			  value[QUIRE_SERIES_COPIES] == 1 ? "it" : "them");
}

void words_scrub(struct words *w, const struct quire_view *view, const struct quire_hit *hit)
{
	static const struct {
		enum quire_event_kind kind;
		const char *noun;
	} rare[] = {{QUIRE_EV_PREEMPT, "preemption"}, {QUIRE_EV_COPY, "copied block"}};
	const struct quire_story *story = view->sides[0].story;
	struct quire_rect bar = quire_place_scrub(view);
	double around = bar.width > 0 ? 3 / bar.width * (double)quire_place_end_ns(view) : 0;
	uint64_t from = quire_story_index_ns(story, (uint64_t)fmax((double)hit->at_ns - around, 0));
	uint64_t until = quire_story_index_ns(story, (uint64_t)((double)hit->at_ns + around));
	char text[32], count[64];

	words_add(w, "%s, step %u.\n", words_time((double)hit->at_ns / 1e9, text),
		  quire_story_step_at(story, quire_story_index_ns(story, hit->at_ns)));
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t marks = quire_story_marks_between(story, rare[i].kind, from, until);

		if (marks)
			words_add(w, "Here: %s.\n", words_count(marks, rare[i].noun, count));
	}
}
