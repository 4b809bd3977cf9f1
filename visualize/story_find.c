/*
 * story_find.c - to the next event of a kind, and who it is that a name means.
 */
#include "story_front.h"

#include <stdio.h>
#include <stdlib.h>

#define BLOCK 4096u /* events that are looked through at once, going back */

/* Is it one of @kinds, and @seq's (0: anybody's)? */
static bool wanted(const struct quire_story *story, uint64_t index, const struct quire_event *e,
		   uint32_t kinds, uint32_t seq)
{
	if (e->kind >= QUIRE_EV_COUNT || !(kinds >> e->kind & 1))
		return false;
	if (!seq || (e->kind == QUIRE_EV_FORK && e->a == seq))
		return true;
	if (e->kind == QUIRE_EV_ARRIVE)
		return story->tracks[seq].born == index;
	return e->seq == seq;
}

/* The first that is wanted in [@from, @until), or with @last the last; UINT64_MAX. */
static uint64_t scan(const struct quire_story *story, uint64_t from, uint64_t until, uint32_t kinds,
		     uint32_t seq, bool last)
{
	uint64_t found = UINT64_MAX, count;

	while (from < until) {
		const struct quire_event *e = quire_story_events(story, from, &count);

		for (uint64_t i = 0; i < count && from < until; i++, from++) {
			if (!wanted(story, from, &e[i], kinds, seq))
				continue;
			if (!last)
				return from;
			found = from;
		}
	}
	return found;
}

static uint64_t scan_back(const struct quire_story *story, uint64_t from, uint64_t until,
			  uint32_t kinds, uint32_t seq)
{
	uint64_t found = UINT64_MAX;

	while (from < until && found == UINT64_MAX) {
		uint64_t begin = until - from > BLOCK ? until - BLOCK : from;

		found = scan(story, begin, until, kinds, seq, true);
		until = begin;
	}
	return found;
}

/* The same among the marks of @kind. */
static uint64_t scan_marks(const struct quire_story *story, uint64_t from, uint64_t until,
			   uint32_t kind, uint32_t seq, bool back)
{
	const uint64_t *marks = story->marks[kind];
	uint64_t low = story_below(marks, story->marks_count[kind], from);
	uint64_t high = story_below(marks, story->marks_count[kind], until), count;

	while (low < high) {
		uint64_t at = back ? marks[--high] : marks[low++];

		if (!seq ||
		    wanted(story, at, quire_story_events(story, at, &count), 1u << kind, seq))
			return at;
	}
	return UINT64_MAX;
}

uint64_t quire_story_jump(const struct quire_story *story, uint64_t index, uint32_t kinds,
			  uint32_t seq, bool back)
{
	uint64_t from = back ? 0 : index, until = story->indexed, best = UINT64_MAX, at;

	if (back)
		until = index ? index - 1 : 0;
	if (until > story->indexed)
		until = story->indexed;
	if (seq >= story->tracks_count)
		return UINT64_MAX;
	if (seq) {
		const struct quire_track *track = &story->tracks[seq];

		from = track->born > from ? track->born : from;
		until = track->gone && track->gone < until ? track->gone : until;
	}
	for (uint32_t k = 0; k < QUIRE_EV_COUNT; k++) {
		if (!(kinds & QUIRE_STORY_MARKS & 1u << k))
			continue;
		at = scan_marks(story, from, until, k, seq, back);
		if (at != UINT64_MAX && (best == UINT64_MAX || (back ? at > best : at < best)))
			best = at;
	}
	kinds &= ~QUIRE_STORY_MARKS;
	if (kinds && back) {
		at = scan_back(story, best == UINT64_MAX ? from : best, until, kinds, seq);
		best = at == UINT64_MAX ? best : at;
	} else if (kinds) {
		at = scan(story, from, best < until ? best : until, kinds, seq, false);
		best = at == UINT64_MAX ? best : at;
	}
	return best == UINT64_MAX ? best : best + 1;
}

uint64_t quire_story_marks_between(const struct quire_story *story, enum quire_event_kind kind,
				   uint64_t from, uint64_t until)
{
	const uint64_t *marks = story->marks[kind];
	uint64_t count = story->marks_count[kind];

	return from < until ? story_below(marks, count, until) - story_below(marks, count, from)
			    : 0;
}

const char *quire_story_name(const struct quire_story *story, uint32_t seq, char text[32])
{
	const struct quire_track *track;

	if (seq >= story->tracks_count || story->tracks[seq].request == QUIRE_RECORD_NOBODY) {
		snprintf(text, 32, "s%u", seq);
		return text;
	}
	track = &story->tracks[seq];
	if (track->sample)
		snprintf(text, 32, "r%u.%u", track->request, track->sample);
	else
		snprintf(text, 32, "r%u", track->request);
	return text;
}

/* A number at *@text, which moves behind it.  Return: UINT32_MAX: there is none. */
static uint32_t number(const char **text)
{
	uint64_t n = 0;
	const char *at = *text;

	for (; *at >= '0' && *at <= '9' && n < UINT32_MAX; at++)
		n = 10 * n + (uint64_t)(*at - '0');
	if (at == *text || n >= UINT32_MAX)
		return UINT32_MAX;
	*text = at;
	return (uint32_t)n;
}

uint32_t quire_story_find(const struct quire_story *story, const char *name)
{
	char kind = *name;
	uint32_t id, sample = 0, request;

	if (kind == 'r' || kind == 'R' || kind == 's' || kind == 'S')
		name++;
	request = number(&name);
	if (request == UINT32_MAX)
		return 0;
	if (kind == 's' || kind == 'S')
		return !*name && request < story->tracks_count ? request : 0;
	if (*name == '.') {
		name++;
		sample = number(&name);
	}
	if (*name || request >= story->run->requests_count)
		return 0;
	id = story->first_seq[request];
	while (id && story->tracks[id].sample != sample)
		id = story->tracks[id].next_sample;
	return id;
}
