/*
 * story.c - opens a source, decides what a cell is, and extends the index; see story.h.
 *
 *	story.c		sources, cells, extending
 *	story_front.c	what the pass keeps: state, cells, keyframes
 *	story_fold.c	one event
 *	story_maps.c	blocks that come and go by it
 *	story_steps.c	steps, summaries, moments
 *	story_tracks.c	what each sequence does
 *	story_find.c	jumps, names
 *	story_text.c	tokens and words
 *	story_pair.c	two stories
 */
#include "live.h"
#include "story_front.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_MAX	(1u << 20) /* more are no picture */
#define CELL_SLOTS	16u	   /* where nothing tells */
#define LOOK_EVENTS	200000u	   /* at the first of them, to see what a block is */
#define KEYFRAME_EVENTS 65536u

int story_grow(void *where, uint32_t *limit, uint64_t count, size_t size)
{
	uint64_t wanted = *limit ? *limit : 8;
	void *array;

	memcpy(&array, where, sizeof(array));
	while (wanted < count)
		wanted *= 2;
	array = wanted <= UINT32_MAX ? realloc(array, wanted * size) : NULL;
	if (!array)
		return quire_fail(-ENOMEM, "no memory for the index of a recording");
	memcpy(where, &array, sizeof(array));
	*limit = (uint32_t)wanted;
	return 0;
}

/* ---- what a cell is ---- */

/* The word of the config at @key up to its first comma, into @word; "": there is none. */
static void config_word(const json_t *config, const char *key, char *word, size_t size)
{
	const char *text = json_string_value(json_object_get(config, key));

	snprintf(word, size, "%.*s", text ? (int)strcspn(text, ",") : 0, text ? text : "");
}

/* The option block= of the allocator; 0: it has none. */
static uint32_t config_block(const json_t *config)
{
	const char *text = json_string_value(json_object_get(config, "allocator"));
	const char *at = text ? strstr(text, ",block=") : NULL;

	return at ? (uint32_t)strtoul(at + strlen(",block="), NULL, 10) : 0;
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The largest size that divides where blocks begin and, but for a last block that is
 * cut short, how long they are; 0: no block was seen. */
static uint32_t seen_block(const struct quire_story *story)
{
	const struct quire_event *e;
	uint64_t count;
	uint32_t size = 0, length = 0;

	for (uint64_t index = 0; index < LOOK_EVENTS; index += count) {
		e = quire_story_events(story, index, &count);
		if (!e)
			break;
		for (uint64_t i = 0; i < count; i++) {
			if (e[i].kind != QUIRE_EV_MAP)
				continue;
			size = gcd(size, e[i].b);
			length = gcd(length, e[i].c);
		}
	}
	return size ? size : length; /* all began at 0 */
}

static void choose_cell(struct quire_story *story, const json_t *config)
{
	uint32_t named = config_block(config), seen = seen_block(story), size;
	uint32_t total = story->run->slots_total;

	/* A name that blocks do not keep to is of another way of placing them. */
	size = named && (!seen || seen % named == 0) ? named : seen;
	if (!size)
		size = named ? named : CELL_SLOTS;
	if (size < total / CELLS_MAX)
		size = total / CELLS_MAX + 1;
	if (size > STORY_CELL_SLOTS_MAX)
		size = STORY_CELL_SLOTS_MAX;
	story->cell_slots = size;
	story->cells_count = total / size + (total % size != 0);
}

/* ---- sources ---- */

/* What is the same for all sources, once there is one. */
static int begin(struct quire_story *story, const char *path)
{
	char scheduler[48], allocator[48], model[48], gpu[32];
	json_t *config = NULL;

	if (story->config)
		config = json_loadb(story->config, story->config_bytes, 0, NULL);
	config_word(config, "scheduler", scheduler, sizeof(scheduler));
	config_word(config, "allocator", allocator, sizeof(allocator));
	if (scheduler[0] && allocator[0])
		snprintf(story->name, sizeof(story->name), "%s · %s", scheduler, allocator);
	else
		snprintf(story->name, sizeof(story->name), "%s", path);
	config_word(config, "model", model, sizeof(model));
	config_word(config, "gpu", gpu, sizeof(gpu));
	if (model[0])
		snprintf(story->about, sizeof(story->about), "%s%s%s", model, gpu[0] ? " on " : "",
			 gpu);
	choose_cell(story, config);
	json_decref(config);
	story->keyframe_events = KEYFRAME_EVENTS;
	story->first_seq = calloc((size_t)story->run->requests_count + 1, sizeof(uint32_t));
	if (!story->first_seq)
		return quire_fail(-ENOMEM, "no memory for the index of %s", path);
	return story_front_init(story);
}

int quire_story_open(struct quire_story **out, const char *path)
{
	struct quire_story *story = calloc(1, sizeof(*story));
	int rc;

	*out = NULL;
	if (!story)
		return quire_fail(-ENOMEM, "no memory to read %s", path);
	rc = quire_record_open(&story->record, path);
	if (rc) {
		free(story);
		return rc;
	}
	story->run = story->record->run;
	story->requests = story->record->requests;
	story->config = story->record->config;
	story->config_bytes = story->record->config_bytes;
	story->events = story->record->events_count;
	story->over = true;
	if (!story->record->complete)
		snprintf(story->trouble, sizeof(story->trouble),
			 "%s: it is shown as far as it is sound", story->record->trouble);
	rc = begin(story, path);
	if (rc == 0)
		rc = story_pieces_read(story);
	if (rc) {
		quire_story_close(story);
		return rc;
	}
	*out = story;
	return 0;
}

int quire_story_open_live(struct quire_story **out, struct quire_live *live)
{
	struct quire_story *story = calloc(1, sizeof(*story));
	int rc;

	*out = NULL;
	if (!story)
		return quire_fail(-ENOMEM, "no memory to show a run");
	story->live = live;
	story->run = quire_live_run(live);
	story->requests = quire_live_requests(live);
	story->config = quire_live_config(live);
	story->config_bytes = story->config ? strlen(story->config) : 0;
	rc = begin(story, "live");
	if (rc) {
		quire_story_close(story);
		return rc;
	}
	*out = story;
	return 0;
}

void quire_story_close(struct quire_story *story)
{
	if (!story)
		return;
	story_front_free(story);
	quire_record_close(story->record);
	for (uint32_t i = 0; i < QUIRE_SUMMARY_LEVELS; i++)
		free(story->levels[i].nodes);
	for (uint32_t id = 0; id < story->tracks_count; id++) {
		free(story->tracks[id].spans);
		free(story->tracks[id].told);
	}
	for (uint32_t k = 0; k < QUIRE_EV_COUNT; k++)
		free(story->marks[k]);
	for (uint32_t i = 0; i < story->keyframes_count; i++) {
		free(story->keyframes[i].state);
		free(story->keyframes[i].given_step);
	}
	free(story->keyframes);
	free(story->steps);
	free(story->tracks);
	free(story->groups);
	free(story->first_seq);
	free(story->pieces);
	free(story);
}

/* Events of a file lie in chunks: the one that holds @index. */
static const struct quire_event *record_events(const struct quire_record *r, uint64_t index,
					       uint64_t *count)
{
	size_t low = 0, high = r->spans_count;
	const struct quire_record_span *span;

	if (index >= r->events_count)
		return NULL;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		*(r->spans[middle].first <= index ? &low : &high) = middle;
	}
	span = &r->spans[low];
	*count = span->count - (index - span->first);
	return span->events + (index - span->first);
}

const struct quire_event *quire_story_events(const struct quire_story *story, uint64_t index,
					     uint64_t *count)
{
	*count = 0;
	if (story->live)
		return quire_live_events(story->live, index, count);
	return record_events(story->record, index, count);
}

/* ---- extending ---- */

/* What a live run has told meanwhile. */
static int follow_live(struct quire_story *story)
{
	const struct quire_live *live = story->live;
	bool ended = quire_live_ended(live); /* before the count: nothing comes behind it */

	story->events = quire_live_count(live);
	if (ended && !story->over) {
		story->over = true;
		snprintf(story->trouble, sizeof(story->trouble), "%s", quire_live_trouble(live));
	}
	return story_pieces_follow(story);
}

int quire_story_extend(struct quire_story *story, uint64_t events_max)
{
	const struct quire_event *e;
	uint64_t left, count;
	int rc = story->live ? follow_live(story) : 0;

	if (rc)
		return rc;
	if (story->front->broken)
		return quire_fail(-ENOMEM, "no memory for the index of a recording");
	left = story->events - story->indexed;
	if (left > events_max)
		left = events_max;
	while (left && (e = quire_story_events(story, story->indexed, &count))) {
		if (count > left)
			count = left;
		left -= count;
		for (; count; count--, e++) {
			rc = story_fold(story, e);
			if (rc) {
				story->front->broken = true;
				snprintf(story->trouble, sizeof(story->trouble),
					 "memory is short: it is shown up to event %llu",
					 (unsigned long long)story->indexed);
				return rc;
			}
			story->indexed++;
		}
	}
	return 0;
}
