/*
 * story_fold.c - the pass over a story, event by event: what each one changes in the index.
 */
#include "story_front.h"

#include <stdlib.h>
#include <string.h>

static struct quire_story_step *newest_step(struct quire_story *story)
{
	return story->steps_count ? &story->steps[story->steps_count - 1] : NULL;
}

static int mark(struct quire_story *story, uint32_t kind)
{
	uint64_t *marks = story->marks[kind], limit = story->marks_limit[kind];

	if (story->marks_count[kind] == limit) {
		limit = limit ? 2 * limit : 16;
		marks = realloc(marks, limit * sizeof(*marks));
		if (!marks)
			return quire_fail(-ENOMEM, "no memory for the index of a recording");
		story->marks[kind] = marks;
		story->marks_limit[kind] = limit;
	}
	marks[story->marks_count[kind]++] = story->indexed;
	return 0;
}

static void does(struct quire_story_front *front, uint32_t id, enum story_doing doing)
{
	front->doing[front->seqs[id].doing]--;
	front->seqs[id].doing = doing;
	front->doing[doing]++;
}

/* An item: which of its tokens are what, and what its sequence does by it. */
static int run(struct quire_story *story, const struct quire_record_seq *seq,
	       const struct quire_event *e, struct quire_story_step *step)
{
	struct quire_story_front *front = story->front;
	struct story_seq *s = &front->seqs[seq->id];
	uint32_t end = e->b + e->a, again, prompt = 0, newest = 0;
	enum quire_span_kind kind = QUIRE_SPAN_KEPT;

	s->ran_step = e->step;
	if (s->doing != STORY_KEPT) {
		/* [cached_tokens, end) = again, then of the prompt, then of the output; but of
		 * the output only the newest token was never run, by a parent at least. */
		again = s->cached_most > e->b ? s->cached_most - e->b : 0;
		again = again < e->a ? again : e->a;
		if (end > e->b + again && seq->prompt_tokens > e->b + again)
			prompt = (seq->prompt_tokens < end ? seq->prompt_tokens : end) - e->b -
				 again;
		newest = end == e->c && again + prompt < e->a;
		kind = again || (!prompt && e->c > e->b + 1) ? QUIRE_SPAN_RECOMPUTE
		       : prompt				     ? QUIRE_SPAN_PROMPT
							     : QUIRE_SPAN_DECODE;
		if (step) {
			step->value[QUIRE_SERIES_PROMPT_TOKENS] += prompt;
			step->value[QUIRE_SERIES_DECODE_TOKENS] += newest;
			step->value[QUIRE_SERIES_RECOMPUTE_TOKENS] += e->a - prompt - newest;
			step->prompt_tokens += prompt;
		}
		front->step_tokens += e->a;
		if (s->doing != STORY_RUNNING)
			does(front, seq->id, STORY_RUNNING);
	}
	if (story_track_does(story, seq->id, kind, e->at_ns, front->mark_step))
		return -ENOMEM;
	story->tracks[seq->id].spans[story->tracks[seq->id].spans_count - 1].tokens += e->a;
	return 0;
}

/* The plan is made: who was in the one before and is not in this one holds on. */
static int plan(struct quire_story *story, const struct quire_event *e,
		struct quire_story_step *step)
{
	struct quire_story_front *front = story->front;
	const struct quire_record_state *s = &front->state;

	for (uint32_t i = 0; i < front->ran_count; i++) {
		const struct story_seq *seq = &front->seqs[front->ran[i]];

		if (seq->doing == STORY_RUNNING && seq->ran_step != e->step &&
		    story_track_does(story, front->ran[i], QUIRE_SPAN_HELD, front->ran_end_ns,
				     seq->ran_step + 1))
			return -ENOMEM;
	}
	if (STORY_GROW(front->ran, front->ran_limit, s->planned_count))
		return -ENOMEM;
	if (s->planned_count)
		memcpy(front->ran, s->planned, s->planned_count * sizeof(*front->ran));
	front->ran_count = s->planned_count;
	front->began = true;
	if (!step)
		return 0;
	step->begin_ns = e->at_ns;
	step->value[QUIRE_SERIES_WAITING] = front->doing[STORY_WAITING];
	step->value[QUIRE_SERIES_RUNNING] = front->doing[STORY_RUNNING];
	step->value[QUIRE_SERIES_KEPT] = front->doing[STORY_KEPT];
	if (e->b > front->step_tokens)
		step->value[QUIRE_SERIES_PAD_TOKENS] = e->b - front->step_tokens;
	return 0;
}

/* A step has run, or had nothing to run. */
static void done(struct quire_story *story, const struct quire_event *e,
		 struct quire_story_step *step)
{
	struct quire_story_front *front = story->front;
	const struct quire_record_state *s = &front->state;

	if (e->kind == QUIRE_EV_DONE) {
		front->ran_end_ns = e->at_ns;
		for (uint32_t i = 0; i < front->ran_count; i++) {
			const struct quire_record_seq *seq =
				quire_record_state_seq(s, front->ran[i]);
			struct story_seq *own = seq ? &front->seqs[seq->id] : NULL;

			if (seq && seq->cached_tokens > own->cached_most)
				own->cached_most = seq->cached_tokens;
		}
	}
	if (step)
		step->end_ns = e->at_ns;
	if (e->step < UINT32_MAX)
		front->mark_step = e->step + 1;
}

static void told(struct quire_story *story, const struct quire_record_seq *seq,
		 const struct quire_event *e, struct quire_story_step *step)
{
	struct quire_track *track = &story->tracks[seq->id];
	uint64_t arrival_ns = track->born_ns;

	if (!step)
		return;
	step->output_tokens++;
	if (track->first_token_ns || track->sample)
		return;
	if (story->requests && !story->run->closed_users && track->request != QUIRE_RECORD_NOBODY)
		arrival_ns = story->requests[track->request].arrival_ns;
	step->ttft_sum_s += ((double)e->at_ns - (double)arrival_ns) / 1e9;
	step->ttft_count++;
}

static void gone(struct quire_story *story, uint32_t id, const struct quire_event *e,
		 struct quire_story_step *step)
{
	struct quire_track *track = &story->tracks[id];

	does(story->front, id, STORY_GONE);
	story_track_gone(story, id, e);
	if (!step || track->refused || track->told_count < 2)
		return;
	step->tpot_sum_s +=
		((double)e->at_ns - (double)track->first_token_ns) / 1e9 / (track->told_count - 1);
	step->tpot_count++;
}

static void memory(const struct quire_event *e, struct quire_story_step *step)
{
	static const uint8_t series[3][3] = {
		{QUIRE_SERIES_TOKEN_STATES, QUIRE_SERIES_RESERVED, QUIRE_SERIES_INTERNAL},
		{QUIRE_SERIES_ROUNDING, QUIRE_SERIES_FREE, QUIRE_SERIES_LARGEST_FREE_RUN},
		{QUIRE_SERIES_MAPPED, QUIRE_SERIES_COUNT, QUIRE_SERIES_COUNT},
	};
	const uint32_t value[3] = {e->a, e->b, e->c};
	const uint8_t *to = series[e->kind == QUIRE_EV_POOL    ? 1
				   : e->kind == QUIRE_EV_SHARE ? 2
							       : 0];

	for (uint32_t i = 0; step && i < 3; i++)
		if (to[i] < QUIRE_SERIES_COUNT)
			step->value[to[i]] = value[i];
}

/* An event of one sequence, which is alive after it. */
static int fold_seq(struct quire_story *story, const struct quire_record_seq *seq,
		    const struct quire_event *e, struct quire_story_step *step)
{
	struct quire_story_front *front = story->front;
	uint32_t id = seq->id;

	switch (e->kind) {
	case QUIRE_EV_RUN:
		return run(story, seq, e, step);
	case QUIRE_EV_SAMPLE:
		told(story, seq, e, step);
		return story_track_told(story, id, e);
	case QUIRE_EV_PREEMPT:
		story->tracks[id].preemptions++;
		does(front, id, STORY_WAITING);
		return story_track_does(story, id, QUIRE_SPAN_PREEMPTED, e->at_ns,
					front->mark_step);
	case QUIRE_EV_FORK:
		front->seqs[id].cached_most = seq->cached_tokens;
		story_track_forked(story, e, seq->request);
		if (!seq->blocks_count)
			return 0;
		does(front, id, STORY_RUNNING);
		return story_track_does(story, id, QUIRE_SPAN_HELD, e->at_ns, front->mark_step);
	case QUIRE_EV_REFUSE:
		story->tracks[id].refused = true;
		return 0;
	case QUIRE_EV_FINISH:
		story->tracks[id].end_tokens = e->a;
		does(front, id, STORY_KEPT);
		return story_track_does(story, id, QUIRE_SPAN_KEPT, e->at_ns, front->mark_step);
	default:
		return 0;
	}
}

int story_fold(struct quire_story *story, const struct quire_event *e)
{
	struct quire_story_front *front = story->front;
	struct quire_record_state *s = &front->state;
	const struct quire_record_seq *seq;
	struct quire_story_step *step;
	uint32_t born = s->counts.seqs_born, id = e->kind == QUIRE_EV_ARRIVE ? born + 1 : e->seq;

	if (story_keyframe(story))
		return -ENOMEM;
	if (e->step > story->steps_count && story_step_open(story, e->step, e->at_ns))
		return -ENOMEM;
	if (story_maps_apply(&front->maps, s, e))
		return -ENOMEM;
	if (s->counts.seqs_born > born && story_track_new(story, s->counts.seqs_born, e))
		return -ENOMEM;
	if (e->kind < QUIRE_EV_COUNT && QUIRE_STORY_MARKS & 1u << e->kind && mark(story, e->kind))
		return -ENOMEM;
	step = newest_step(story);
	switch (e->kind) {
	case QUIRE_EV_MEMORY:
	case QUIRE_EV_POOL:
	case QUIRE_EV_SHARE:
		memory(e, step);
		return 0;
	case QUIRE_EV_STEP:
		return plan(story, e, step);
	case QUIRE_EV_DONE:
	case QUIRE_EV_IDLE:
		done(story, e, step);
		return 0;
	case QUIRE_EV_COPY:
		if (step)
			step->value[QUIRE_SERIES_COPIES]++;
		return 0;
	case QUIRE_EV_PREEMPT:
		if (step)
			step->value[QUIRE_SERIES_PREEMPTIONS]++;
		break;
	default:
		break;
	}
	if (!id || id >= story->tracks_count || front->seqs[id].doing == STORY_GONE)
		return 0;
	seq = quire_record_state_seq(s, id);
	if (seq)
		return fold_seq(story, seq, e, step);
	if (e->kind == QUIRE_EV_REFUSE)
		story->tracks[id].refused = true;
	else
		story->tracks[id].end_tokens =
			e->kind == QUIRE_EV_FINISH ? e->a : story->tracks[id].end_tokens;
	gone(story, id, e, step);
	return 0;
}
