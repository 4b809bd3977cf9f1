/*
 * story_steps.c - the steps of a story, summaries of many of them, and which moment is
 * which position.
 */
#include "story_front.h"

#include <string.h>

const char *const quire_series_words[QUIRE_SERIES_COUNT] = {
#define X(name, words, unit) words,
	QUIRE_SERIES(X)
#undef X
};
const char *const quire_series_unit[QUIRE_SERIES_COUNT] = {
#define X(name, words, unit) unit,
	QUIRE_SERIES(X)
#undef X
};

/* A recording may tell nothing of empty plans; more of them in a row are nonsense. */
#define EMPTY_STEPS_MAX (1u << 16)

/* Did it have anything to do?  Each item is a token at least. */
static bool ran(const struct quire_story_step *step)
{
	return step->value[QUIRE_SERIES_PROMPT_TOKENS] || step->value[QUIRE_SERIES_DECODE_TOKENS] ||
	       step->value[QUIRE_SERIES_RECOMPUTE_TOKENS] || step->value[QUIRE_SERIES_PAD_TOKENS];
}

/* Of an empty plan only what was taken back counts. */
static bool counts(bool did_run, uint32_t series)
{
	return did_run || series == QUIRE_SERIES_PREEMPTIONS || series == QUIRE_SERIES_COPIES;
}

static void add_step(struct quire_summary_node *node, const struct quire_story_step *step)
{
	bool did_run = ran(step);

	for (uint32_t i = 0; i < QUIRE_SERIES_COUNT; i++) {
		if (!counts(did_run, i))
			continue;
		if (step->value[i] < node->min[i])
			node->min[i] = step->value[i];
		if (step->value[i] > node->max[i])
			node->max[i] = step->value[i];
		node->sum[i] += step->value[i];
	}
	node->ran += did_run;
}

static void add_node(struct quire_summary_node *node, const struct quire_summary_node *other)
{
	for (uint32_t i = 0; i < QUIRE_SERIES_COUNT; i++) {
		if (other->min[i] < node->min[i])
			node->min[i] = other->min[i];
		if (other->max[i] > node->max[i])
			node->max[i] = other->max[i];
		node->sum[i] += other->sum[i];
	}
	node->ran += other->ran;
}

static void clear_node(struct quire_summary_node *node)
{
	memset(node, 0, sizeof(*node));
	memset(node->min, 0xff, sizeof(node->min));
}

/* The steps so far are over, and a multiple of QUIRE_SUMMARY_STEPS: sum up the last ones,
 * and so on for each level that is full. */
static int sum_up(struct quire_story *story)
{
	uint32_t count = story->steps_count / QUIRE_SUMMARY_STEPS;

	for (uint32_t l = 0; l < QUIRE_SUMMARY_LEVELS; l++, count /= QUIRE_SUMMARY_STEPS) {
		struct quire_summary_level *level = &story->levels[l];
		struct quire_summary_node *node;

		if (STORY_GROW(level->nodes, level->limit, count))
			return -ENOMEM;
		node = &level->nodes[level->count++];
		clear_node(node);
		for (uint32_t i = (count - 1) * QUIRE_SUMMARY_STEPS;
		     i < count * QUIRE_SUMMARY_STEPS; i++) {
			if (l)
				add_node(node, &story->levels[l - 1].nodes[i]);
			else
				add_step(node, &story->steps[i]);
		}
		if (count % QUIRE_SUMMARY_STEPS)
			break;
	}
	return 0;
}

int story_step_open(struct quire_story *story, uint32_t step, uint64_t at_ns)
{
	struct quire_story_front *front = story->front;
	struct quire_story_step *newest, *last;

	if (step > story->indexed + EMPTY_STEPS_MAX)
		return 0;
	if (STORY_GROW(story->steps, story->steps_limit, step))
		return -ENOMEM;
	while (story->steps_count < step) {
		last = story->steps_count ? &story->steps[story->steps_count - 1] : NULL;
		if (last && !last->end_ns)
			last->end_ns = front->began ? at_ns : last->begin_ns;
		if (story->steps_count && story->steps_count % QUIRE_SUMMARY_STEPS == 0 &&
		    sum_up(story))
			return -ENOMEM;
		newest = &story->steps[story->steps_count++];
		*newest = (struct quire_story_step){.begin_ns = at_ns, .first = story->indexed};
		front->began = false;
		if (!last)
			continue;
		newest->output_tokens = last->output_tokens;
		newest->prompt_tokens = last->prompt_tokens;
		newest->ttft_sum_s = last->ttft_sum_s;
		newest->tpot_sum_s = last->tpot_sum_s;
		newest->ttft_count = last->ttft_count;
		newest->tpot_count = last->tpot_count;
		memcpy(newest->value, last->value,
		       QUIRE_SERIES_PROMPT_TOKENS * sizeof(*newest->value));
	}
	newest = &story->steps[story->steps_count - 1];
	newest->value[QUIRE_SERIES_WAITING] = front->doing[STORY_WAITING];
	newest->value[QUIRE_SERIES_RUNNING] = front->doing[STORY_RUNNING];
	newest->value[QUIRE_SERIES_KEPT] = front->doing[STORY_KEPT];
	front->step_tokens = 0;
	if (front->mark_step < step)
		front->mark_step = step;
	return 0;
}

struct quire_summary quire_story_summary(const struct quire_story *story,
					 enum quire_series_kind series, uint32_t from,
					 uint32_t until)
{
	struct quire_summary s = {.min = UINT32_MAX};
	uint64_t sum = 0, steps = 0;
	uint32_t i = from;

	if (until > story->steps_count)
		until = story->steps_count;
	while (i < until) {
		uint64_t size = 1, next = QUIRE_SUMMARY_STEPS;
		const struct quire_summary_node *node = NULL;
		struct quire_summary_node one;

		for (uint32_t l = 0; l < QUIRE_SUMMARY_LEVELS && i % next == 0 &&
				     next <= until - i && i / next < story->levels[l].count;
		     l++, next *= QUIRE_SUMMARY_STEPS) {
			node = &story->levels[l].nodes[i / next];
			size = next;
		}
		if (!node) {
			bool did_run = ran(&story->steps[i]);

			one.min[series] = UINT32_MAX;
			one.max[series] = 0;
			if (counts(did_run, series))
				one.min[series] = one.max[series] = story->steps[i].value[series];
			one.sum[series] = one.max[series];
			one.ran = did_run;
			node = &one;
		}
		s.min = node->min[series] < s.min ? node->min[series] : s.min;
		s.max = node->max[series] > s.max ? node->max[series] : s.max;
		sum += node->sum[series];
		steps += node->ran;
		i += (uint32_t)size;
	}
	if (s.min > s.max)
		s.min = s.max; /* there was nothing */
	s.mean = (double)sum / (double)(steps ? steps : 1);
	return s;
}

/* ---- moments ---- */

/* The event before @index; NULL: there is none. */
static const struct quire_event *before(const struct quire_story *story, uint64_t index)
{
	uint64_t count;

	if (index > story->indexed)
		index = story->indexed;
	return index ? quire_story_events(story, index - 1, &count) : NULL;
}

uint64_t quire_story_ns(const struct quire_story *story, uint64_t index)
{
	const struct quire_event *e = before(story, index);

	return e ? e->at_ns : 0;
}

uint32_t quire_story_step_at(const struct quire_story *story, uint64_t index)
{
	const struct quire_event *e = before(story, index);

	return e ? e->step : 0;
}

uint64_t quire_story_end_ns(const struct quire_story *story)
{
	return quire_story_ns(story, story->indexed);
}

uint64_t quire_story_index_step(const struct quire_story *story, uint32_t step)
{
	return step < story->steps_count ? story->steps[step].first : story->indexed;
}

uint64_t quire_story_index_ns(const struct quire_story *story, uint64_t at_ns)
{
	uint64_t low = 0, high = story->indexed, count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (quire_story_events(story, middle, &count)->at_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t quire_story_steps_ns(const struct quire_story *story, uint64_t at_ns)
{
	uint32_t low = 0, high = story->steps_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (story->steps[middle].begin_ns <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : 0;
}
