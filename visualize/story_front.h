/*
 * story_front.h - where the pass over a story is, and what it must remember; private to
 * story*.c.
 */
#ifndef QUIRE_STORY_FRONT_H
#define QUIRE_STORY_FRONT_H

#include "story.h"
#include "story_maps.h"

#include <errno.h>

/* What a sequence does at the front. */
enum story_doing { STORY_GONE, STORY_WAITING, STORY_RUNNING, STORY_KEPT, STORY_DOINGS };

/* Of a track, beside what all may read. */
struct story_seq {
	uint32_t cached_most; /* the largest cached_tokens so far */
	uint32_t ran_step;    /* the last that planned it */
	uint32_t doing;	      /* enum story_doing */
};

struct quire_story_front {
	struct story_maps maps; /* first: a watch of maps and its front are one pointer */
	struct quire_story *story;
	struct quire_record_state state; /* after `indexed` events */
	uint32_t *shown;		 /* [cells_count] blocks of maps that show the cell */
	uint32_t *given_step;		 /* [cells_count] of scene.h's cells */
	struct story_seq *seqs;		 /* [tracks_limit] by id */
	uint32_t *last_seq;		 /* [requests_count] a request's newest sequence */
	uint32_t *samples;		 /* [requests_count] how many it has */
	uint32_t *ran;			 /* [ran_count] ids that the last step ran */
	uint32_t ran_count, ran_limit;
	uint32_t doing[STORY_DOINGS]; /* how many sequences do it */
	uint32_t step_tokens;	      /* that the step's items run, without padding */
	uint32_t mark_step;	      /* the step that spans begin in now */
	bool began;		      /* a STEP of the newest step was seen */
	uint64_t ran_end_ns;	      /* when the last step that ran has ended */
	uint64_t keyframes_bytes;
	uint64_t newest_keyframe; /* its index */
	uint32_t live_pieces;	  /* that were taken from the live run */
	bool broken;		  /* memory was short: no further */
};

/* Make room for @count entries of @size bytes in the array whose address lies at @where.
 * New ones are not zeroed.  Return: 0; -ENOMEM with a sentence. */
int story_grow(void *where, uint32_t *limit, uint64_t count, size_t size);

#define STORY_GROW(array, limit, count)                                                            \
	((count) <= (limit) ? 0 : story_grow(&(array), &(limit), count, sizeof(*(array))))

/* story_front.c */
int story_front_init(struct quire_story *story);
void story_front_free(struct quire_story *story);
/* Keep a keyframe of the front, if it is time for one.  Return: 0; -ENOMEM. */
int story_keyframe(struct quire_story *story);

/* story_fold.c */
/* The next event.  Return: 0; -ENOMEM, and the front is of no use any more. */
int story_fold(struct quire_story *story, const struct quire_event *e);

/* story_steps.c: the events of step @step begin; steps before it are over. */
int story_step_open(struct quire_story *story, uint32_t step, uint64_t at_ns);

/* story_tracks.c: the sequence @id is born by @e: an ARRIVE, a FORK or a MAP before it. */
int story_track_new(struct quire_story *story, uint32_t id, const struct quire_event *e);
/* The FORK @e says whose it is. */
void story_track_forked(struct quire_story *story, const struct quire_event *e, uint32_t request);
/* From now on it does @kind, unless it does already.  Its last span is that of @kind then. */
int story_track_does(struct quire_story *story, uint32_t id, enum quire_span_kind kind,
		     uint64_t at_ns, uint32_t step);
int story_track_told(struct quire_story *story, uint32_t id, const struct quire_event *e);
void story_track_gone(struct quire_story *story, uint32_t id, const struct quire_event *e);

/* story_text.c */
int story_pieces_read(struct quire_story *story);
int story_pieces_follow(struct quire_story *story);

/* The number of entries of @at [@count], which rises, that are below @limit. */
static inline uint64_t story_below(const uint64_t *at, uint64_t count, uint64_t limit)
{
	uint64_t low = 0, high = count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (at[middle] < limit)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#endif /* QUIRE_STORY_FRONT_H */
