/*
 * story_pair.c - two stories in lock-step, and where they part.
 */
#include "story_front.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct quire_event *event_at(const struct quire_story *story, uint64_t index)
{
	uint64_t count;

	return index < story->indexed ? quire_story_events(story, index, &count) : NULL;
}

/* ---- by step ---- */

enum phase { PLANNING, RUNS, OVER }; /* of a step */

/* Where the events of @step begin; and right behind its STEP; both at most `indexed`. */
static uint64_t step_begin(const struct quire_story *story, uint32_t step)
{
	return step ? quire_story_index_step(story, step - 1) : 0;
}

static uint64_t step_runs(const struct quire_story *story, uint32_t step)
{
	uint64_t index = step_begin(story, step), end = quire_story_index_step(story, step);
	const struct quire_event *e;

	for (; index < end && (e = event_at(story, index)); index++)
		if (e->kind == QUIRE_EV_STEP || e->kind == QUIRE_EV_IDLE)
			return index + 1;
	return end;
}

static enum phase phase_at(const struct quire_story *story, uint64_t index, uint32_t step)
{
	uint64_t runs = step_runs(story, step);
	const struct quire_event *e;

	if (index < runs)
		return PLANNING;
	for (; runs < index && (e = event_at(story, runs)); runs++)
		if (e->kind == QUIRE_EV_DONE)
			return OVER;
	return index == quire_story_index_step(story, step) ? OVER : RUNS;
}

static uint64_t follow_step(const struct quire_story *a, uint64_t index,
			    const struct quire_story *b)
{
	uint32_t step = quire_story_step_at(a, index);

	switch (step ? phase_at(a, index, step) : OVER) {
	case PLANNING:
		return step_begin(b, step);
	case RUNS:
		return step_runs(b, step);
	default:
		return quire_story_index_step(b, step);
	}
}

/* ---- by request ---- */

/* Right behind the first event of @kind of @seq in @step; UINT64_MAX: there is none. */
static uint64_t behind(const struct quire_story *story, uint32_t step, uint32_t kind, uint32_t seq)
{
	uint64_t end = quire_story_index_step(story, step);
	const struct quire_event *e;

	for (uint64_t i = step_begin(story, step); i < end && (e = event_at(story, i)); i++)
		if (e->kind == kind && e->seq == seq)
			return i + 1;
	return UINT64_MAX;
}

/* Right behind its first RUN; UINT64_MAX: it has not run. */
static uint64_t first_run(const struct quire_story *story, uint32_t seq)
{
	const struct quire_track *track = &story->tracks[seq];

	for (uint32_t i = 0; i < track->spans_count; i++)
		if (track->spans[i].tokens)
			return behind(story, track->spans[i].from_step, QUIRE_EV_RUN, seq);
	return UINT64_MAX;
}

/* Right behind the SAMPLE of its token @i; what is not there yet is behind all. */
static uint64_t token_told(const struct quire_story *story, uint32_t seq, uint32_t i)
{
	const struct quire_track *track = &story->tracks[seq];

	if (i >= track->told_count)
		return track->gone ? track->gone : story->indexed;
	return behind(story, track->told[i].step, QUIRE_EV_SAMPLE, seq);
}

/* How many tokens were sampled for @seq before @index. */
static uint32_t tokens_told(const struct quire_story *story, uint32_t seq, uint64_t index)
{
	uint32_t low = 0, high = story->tracks[seq].told_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (token_told(story, seq, middle) <= index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t follow_request(const struct quire_story *a, uint64_t index, uint32_t seq_a,
			       const struct quire_story *b, uint32_t seq_b)
{
	const struct quire_track *track = &a->tracks[seq_a];
	uint32_t told;
	uint64_t run;

	if (track->gone && index >= track->gone)
		return b->tracks[seq_b].gone ? b->tracks[seq_b].gone : b->indexed;
	told = tokens_told(a, seq_a, index);
	if (told)
		return token_told(b, seq_b, told - 1);
	run = first_run(a, seq_a);
	if (run > index) /* it waits, or there is none */
		return b->tracks[seq_b].born + 1;
	run = first_run(b, seq_b);
	return run == UINT64_MAX ? b->indexed : run;
}

uint64_t quire_story_follow(const struct quire_story *a, uint64_t index,
			    const struct quire_story *b, enum quire_lock lock, uint32_t request)
{
	uint32_t seq_a = 0, seq_b = 0;
	uint64_t at;

	if (lock == QUIRE_LOCK_STEP)
		return follow_step(a, index, b);
	if (lock == QUIRE_LOCK_REQUEST && request < a->run->requests_count)
		seq_a = a->first_seq[request];
	if (seq_a && a->tracks[seq_a].born < index) {
		if (request < b->run->requests_count)
			seq_b = b->first_seq[request];
		at = seq_b ? follow_request(a, index, seq_a, b, seq_b) : b->indexed;
		return at < b->indexed ? at : b->indexed;
	}
	return index ? quire_story_index_ns(b, quire_story_ns(a, index)) : 0;
}

/* ---- where they part ---- */

static const bool decides[] = {
#define X(kind, decides_, a, b, c) decides_,
	QUIRE_EVENTS(X)
#undef X
};

/* The next decision from *@index on, which moves behind it; NULL: none is indexed. */
static const struct quire_event *next_decision(const struct quire_story *story, uint64_t *index,
					       const struct quire_event **run, uint64_t *left)
{
	while (*index < story->indexed) {
		const struct quire_event *e;

		if (!*left)
			*run = quire_story_events(story, *index, left);
		e = (*run)++;
		--*left;
		++*index;
		if (e->kind < QUIRE_EV_COUNT && decides[e->kind])
			return e;
	}
	return NULL;
}

bool quire_story_diverge(const struct quire_story *a, const struct quire_story *b,
			 uint64_t *index_a, uint64_t *index_b)
{
	const struct quire_event *x, *y, *run_a = NULL, *run_b = NULL;
	uint64_t left_a = 0, left_b = 0;

	*index_a = *index_b = 0;
	do {
		x = next_decision(a, index_a, &run_a, &left_a);
		y = next_decision(b, index_b, &run_b, &left_b);
	} while (x && y && x->kind == y->kind && x->seq == y->seq && x->a == y->a && x->b == y->b &&
		 x->c == y->c);
	if (x && y)
		return true;
	/* One goes on where the other one has come to its end. */
	return (x && b->over && b->indexed == b->events) ||
	       (y && a->over && a->indexed == a->events);
}

/* ---- what tells them apart ---- */

/* A value in a few letters: "max_num_seqs 2"; of a module, its options. */
static void say_value(const char *key, const json_t *value, char text[64])
{
	const char *word = json_string_value(value), *options = word ? strchr(word, ',') : NULL;

	if (strcmp(key, "scheduler") == 0 || strcmp(key, "allocator") == 0)
		snprintf(text, 64, "%.40s", options ? options + 1 : word ? word : "");
	else if (word)
		snprintf(text, 64, "%s %.24s", key, word);
	else if (json_is_integer(value))
		snprintf(text, 64, "%s %lld", key, (long long)json_integer_value(value));
	else if (json_is_number(value))
		snprintf(text, 64, "%s %g", key, json_number_value(value));
	else
		snprintf(text, 64, "%s %s", key, json_is_true(value) ? "yes" : "none");
}

/* Is it a module that the name tells already? */
static bool is_named(const char *key, const json_t *a, const json_t *b)
{
	const char *of_a = json_string_value(a), *of_b = json_string_value(b);
	size_t length = of_a ? strcspn(of_a, ",") : 0;

	if (strcmp(key, "scheduler") != 0 && strcmp(key, "allocator") != 0)
		return false;
	return !of_b || strcspn(of_b, ",") != length || strncmp(of_a, of_b, length) != 0;
}

void quire_story_contrast(const struct quire_story *a, const struct quire_story *b, char *of_a,
			  char *of_b, size_t size)
{
	json_t *one = a->config ? json_loadb(a->config, a->config_bytes, 0, NULL) : NULL;
	json_t *two = b->config ? json_loadb(b->config, b->config_bytes, 0, NULL) : NULL, *value;
	size_t used_a = 0, used_b = 0;
	uint32_t told = 0;
	const char *key;

	of_a[0] = of_b[0] = '\0';
	json_object_foreach(one, key, value)
	{
		const json_t *other = json_object_get(two, key);
		char text_a[64], text_b[64];

		if (!other || told == 2 || json_equal(value, other) || is_named(key, value, other))
			continue;
		say_value(key, value, text_a);
		say_value(key, other, text_b);
		if (used_a + sizeof(text_a) + 4 > size || used_b + sizeof(text_b) + 4 > size)
			break;
		used_a += (size_t)snprintf(of_a + used_a, size - used_a, "%s%s",
					   told ? " \xc2\xb7 " : "", text_a);
		used_b += (size_t)snprintf(of_b + used_b, size - used_b, "%s%s",
					   told ? " \xc2\xb7 " : "", text_b);
		told++;
	}
	json_decref(one);
	json_decref(two);
}
