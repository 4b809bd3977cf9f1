/*
 * story_tracks.c - what each sequence does from its birth to its end.
 */
#include "story_front.h"

#include <stdlib.h>
#include <string.h>

const char *const quire_span_words[QUIRE_SPAN_COUNT] = {
#define X(name, words) words,
	QUIRE_SPANS(X)
#undef X
};

#define GROUP 64u /* tracks */

static int grow_tracks(struct quire_story *story, uint32_t count)
{
	struct quire_story_front *front = story->front;
	uint32_t before = story->tracks_limit, groups;
	void *array;

	if (count <= before)
		return 0;
	if (STORY_GROW(story->tracks, story->tracks_limit, count < 4 * GROUP ? 4 * GROUP : count))
		return -ENOMEM;
	/* The limit is set back where the other arrays do not follow. */
	groups = story->tracks_limit / GROUP;
	array = realloc(front->seqs, story->tracks_limit * sizeof(*front->seqs));
	front->seqs = array ? array : front->seqs;
	if (array)
		array = realloc(story->groups, groups * sizeof(*story->groups));
	story->groups = array ? array : story->groups;
	if (!array) {
		story->tracks_limit = before;
		return quire_fail(-ENOMEM, "no memory for the index of a recording");
	}
	before /= GROUP;
	memset(story->groups + before, 0, (groups - before) * sizeof(*story->groups));
	return 0;
}

/* One more of its request's sequences. */
static void join(struct quire_story *story, uint32_t id, uint32_t request)
{
	struct quire_story_front *front = story->front;
	struct quire_track *track = &story->tracks[id];

	if (request >= story->run->requests_count)
		return;
	track->request = request;
	track->sample = front->samples[request]++;
	if (front->last_seq[request])
		story->tracks[front->last_seq[request]].next_sample = id;
	else
		story->first_seq[request] = id;
	front->last_seq[request] = id;
}

int story_track_new(struct quire_story *story, uint32_t id, const struct quire_event *e)
{
	struct quire_story_front *front = story->front;
	struct quire_track *track;

	if (grow_tracks(story, id + 1))
		return -ENOMEM;
	if (!story->tracks_count) {
		story->tracks[0] = (struct quire_track){.request = QUIRE_RECORD_NOBODY};
		front->seqs[0] = (struct story_seq){0};
		story->tracks_count = 1;
	}
	track = &story->tracks[id];
	story->tracks_count = id + 1;
	*track = (struct quire_track){
		.request = QUIRE_RECORD_NOBODY,
		.born_ns = e->at_ns,
		.born = story->indexed,
	};
	front->seqs[id] = (struct story_seq){.doing = STORY_WAITING};
	front->doing[STORY_WAITING]++;
	story->groups[id / GROUP].alive++;
	if (e->kind == QUIRE_EV_ARRIVE) {
		join(story, id, e->seq);
		track->prompt_tokens = track->told_first = e->a;
		track->output_tokens_max = e->b;
	}
	return story_track_does(story, id, QUIRE_SPAN_WAITING, e->at_ns, front->mark_step);
}

void story_track_forked(struct quire_story *story, const struct quire_event *e, uint32_t request)
{
	struct quire_track *track = &story->tracks[e->seq], *parent;

	if (track->parent)
		return;
	track->told_first = e->c;
	if (!e->a || e->a >= e->seq)
		return;
	parent = &story->tracks[e->a];
	track->parent = e->a;
	track->prompt_tokens = parent->prompt_tokens;
	track->output_tokens_max = parent->output_tokens_max;
	join(story, e->seq, request);
}

/* Its last span ends; one that nobody could see goes. */
static void end_span(struct quire_track *track, uint64_t at_ns, uint32_t step)
{
	struct quire_span *last = &track->spans[track->spans_count - 1];

	if (!last->tokens && last->from_ns >= at_ns && last->from_step >= step) {
		track->spans_count--;
		return;
	}
	last->until_ns = at_ns;
	last->until_step = step;
}

/* NULL: it has done nothing yet. */
static struct quire_span *last_span(struct quire_track *track)
{
	return track->spans_count ? &track->spans[track->spans_count - 1] : NULL;
}

int story_track_does(struct quire_story *story, uint32_t id, enum quire_span_kind kind,
		     uint64_t at_ns, uint32_t step)
{
	struct quire_track *track = &story->tracks[id];
	struct quire_span *last = last_span(track);

	if (last && last->kind == kind && kind != QUIRE_SPAN_PROMPT)
		return 0;
	if (last)
		end_span(track, at_ns, step);
	last = last_span(track);
	if (last && last->kind == kind && last->until_ns == at_ns && last->until_step == step &&
	    kind != QUIRE_SPAN_PROMPT) {
		last->until_ns = 0; /* what lay between was nothing */
		last->until_step = 0;
		return 0;
	}
	if (STORY_GROW(track->spans, track->spans_limit, (uint64_t)track->spans_count + 1))
		return -ENOMEM;
	story->does |= 1u << kind;
	track->spans[track->spans_count++] = (struct quire_span){
		.from_ns = at_ns,
		.from_step = step,
		.kind = kind,
	};
	return 0;
}

int story_track_told(struct quire_story *story, uint32_t id, const struct quire_event *e)
{
	struct quire_track *track = &story->tracks[id];

	if (!track->first_token_ns)
		track->first_token_ns = e->at_ns;
	if (e->b - 1 != track->told_first + track->told_count)
		return 0;
	if (STORY_GROW(track->told, track->told_limit, (uint64_t)track->told_count + 1))
		return -ENOMEM;
	track->told[track->told_count++] = (struct quire_told){e->a, e->step};
	return 0;
}

void story_track_gone(struct quire_story *story, uint32_t id, const struct quire_event *e)
{
	struct quire_track *track = &story->tracks[id];
	struct quire_track_group *group = &story->groups[id / GROUP];

	if (track->spans_count)
		end_span(track, e->at_ns, story->front->mark_step);
	track->gone = story->indexed + 1;
	track->gone_ns = e->at_ns ? e->at_ns : 1; /* 0 would say: it lives */
	group->alive--;
	if (group->gone_ns < track->gone_ns)
		group->gone_ns = track->gone_ns;
}

const struct quire_span *quire_track_span(const struct quire_track *track, uint64_t at_ns)
{
	uint32_t low = 0, high = track->spans_count;
	const struct quire_span *span;

	/* The last that has begun: of those without length it is the one behind them. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (track->spans[middle].from_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	span = &track->spans[low - 1];
	return !span->until_ns || at_ns < span->until_ns ? span : NULL;
}

void quire_story_tracks_between(const struct quire_story *story, uint64_t from_ns,
				uint64_t until_ns, uint32_t *first, uint32_t *until)
{
	uint32_t groups = (story->tracks_count + GROUP - 1) / GROUP, group = 0;
	uint32_t low = story->tracks_count ? 1 : 0, high = story->tracks_count;

	while (group < groups && !story->groups[group].alive &&
	       story->groups[group].gone_ns < from_ns)
		group++;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (story->tracks[middle].born_ns <= until_ns)
			low = middle + 1;
		else
			high = middle;
	}
	*until = low;
	*first = group ? group * GROUP : 1;
	if (*first > *until)
		*first = *until;
}
