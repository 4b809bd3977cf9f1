/*
 * story_front.c - what the pass over a story keeps as it goes, and keyframes of it.
 *
 * The state is folded as record_state.h does it, and beside it, for each cell, how many
 * blocks show it and when it last changed hands; both make a keyframe.
 */
#include "story_front.h"

#include <stdlib.h>
#include <string.h>

#define KEYFRAMES_BYTES (512ull << 20) /* all keyframes, before every second one goes */

/* ---- cells ---- */

static void show(struct story_maps *maps, const struct quire_record_seq *seq, uint32_t from,
		 uint32_t until, bool more)
{
	struct quire_story_front *front = (struct quire_story_front *)maps;
	const struct quire_story *story = front->story;
	uint32_t first, last;

	for (uint32_t block = from; block < until; block++) {
		story_cells_of(seq, block, story->run->slots_total, story->cell_slots, &first,
			       &last);
		for (uint32_t cell = first; cell <= last; cell++) {
			if (more ? front->shown[cell]++ == 0 : --front->shown[cell] == 0)
				front->given_step[cell] = maps->event->step;
		}
	}
}

static void lose(struct story_maps *maps, const struct quire_record_seq *seq, uint32_t from,
		 uint32_t until)
{
	show(maps, seq, from, until, false);
}

static void gain(struct story_maps *maps, const struct quire_record_seq *seq, uint32_t from,
		 uint32_t until)
{
	show(maps, seq, from, until, true);
}

int story_front_init(struct quire_story *story)
{
	struct quire_story_front *front = calloc(1, sizeof(*front));
	size_t cells = story->cells_count + 1, requests = (size_t)story->run->requests_count + 1;

	story->front = front;
	if (!front)
		return quire_fail(-ENOMEM, "no memory for the index of a recording");
	front->maps = (struct story_maps){.lose = lose, .gain = gain};
	front->story = story;
	front->mark_step = 1;
	front->shown = calloc(cells, sizeof(*front->shown));
	front->given_step = calloc(cells, sizeof(*front->given_step));
	front->last_seq = calloc(requests, sizeof(*front->last_seq));
	front->samples = calloc(requests, sizeof(*front->samples));
	if (!front->shown || !front->given_step || !front->last_seq || !front->samples)
		return quire_fail(-ENOMEM, "no memory for the index of a recording");
	return quire_record_state_init(&front->state, story->run->requests_count);
}

void story_front_free(struct quire_story *story)
{
	struct quire_story_front *front = story->front;

	if (!front)
		return;
	if (front->state.living)
		quire_record_state_free(&front->state);
	free(front->shown);
	free(front->given_step);
	free(front->seqs);
	free(front->last_seq);
	free(front->samples);
	free(front->ran);
	free(front);
}

/* ---- keyframes ---- */

static void drop_keyframe(struct quire_story *story, struct quire_story_keyframe *k)
{
	story->front->keyframes_bytes -= k->state_bytes + story->cells_count * sizeof(uint32_t);
	free(k->state);
	free(k->given_step);
}

/* Every second one goes, and from now on they are twice as far apart. */
static void thin_out(struct quire_story *story)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < story->keyframes_count; i++) {
		if (i % 2)
			story->keyframes[kept++] = story->keyframes[i];
		else
			drop_keyframe(story, &story->keyframes[i]);
	}
	story->keyframes_count = kept;
	story->keyframe_events *= 2;
}

/* Is it time for one?  It takes at most half the memory of the events since the last one. */
static bool keyframe_due(const struct quire_story *story)
{
	const struct quire_story_front *front = story->front;
	uint64_t since = story->indexed - front->newest_keyframe;

	return since >= story->keyframe_events &&
	       since * sizeof(struct quire_event) / 2 >=
		       quire_record_state_bytes(&front->state) +
			       story->cells_count * sizeof(*front->given_step);
}

int story_keyframe(struct quire_story *story)
{
	struct quire_story_front *front = story->front;
	struct quire_story_keyframe *k;
	size_t cells_bytes = story->cells_count * sizeof(*front->given_step);

	if (!keyframe_due(story))
		return 0;
	if (STORY_GROW(story->keyframes, story->keyframes_limit,
		       (uint64_t)story->keyframes_count + 1))
		return -ENOMEM;
	k = &story->keyframes[story->keyframes_count];
	*k = (struct quire_story_keyframe){
		.index = story->indexed,
		.state_bytes = quire_record_state_bytes(&front->state),
	};
	k->state = malloc((size_t)k->state_bytes);
	k->given_step = malloc(cells_bytes + 1);
	if (!k->state || !k->given_step) {
		free(k->state);
		free(k->given_step);
		return quire_fail(-ENOMEM, "no memory for the index of a recording");
	}
	quire_record_state_write(&front->state, k->state);
	memcpy(k->given_step, front->given_step, cells_bytes);
	story->keyframes_count++;
	front->newest_keyframe = k->index;
	front->keyframes_bytes += k->state_bytes + cells_bytes;
	if (front->keyframes_bytes > KEYFRAMES_BYTES && story->keyframes_count > 2)
		thin_out(story);
	return 0;
}
