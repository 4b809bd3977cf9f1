/*
 * story.h - a run from its first event to its last, with an index to find one's way.
 *
 * A story has one source, a recording in a file (core/trace/record.h) or one that is
 * made in memory while the run goes (live.h); behind quire_story_events() they look the
 * same.  The index is made in one pass over the events, by quire_story_extend(), which
 * does as much as it is told to: a window shows the first pictures while the rest is
 * still read, and a live run is a story that is never quite read to its end.
 *
 *	0 <= indexed <= events		what lies behind `indexed` is not there yet
 *
 * The index holds
 *	steps	one record a step, and summaries of 16, 256, 4096 ... of them
 *	tracks	one a sequence: what it did from when to when, and its tokens
 *	marks	where the rare events are
 *	keyframes	states, so that any moment is near one
 *
 * A position in a story is a count of events: at @index the first @index events have
 * happened.  Everything here is of one thread; only live.h is touched by two.
 */
#ifndef QUIRE_STORY_H
#define QUIRE_STORY_H

#include "core/trace/record.h"
#include "core/trace/record_state.h"

struct quire_live;

/* ---- steps ---- */

/*	name		  words for legends and tooltips	  unit */
#define QUIRE_SERIES(X)                                                                            \
	X(TOKEN_STATES, "live tokens", "slots")                                                    \
	X(RESERVED, "reserved, will be used", "slots")                                             \
	X(INTERNAL, "internal waste", "slots")                                                     \
	X(ROUNDING, "rounding", "slots")                                                           \
	X(FREE, "free", "slots")                                                                   \
	X(LARGEST_FREE_RUN, "largest free run", "slots")                                           \
	X(MAPPED, "shown by maps", "slots")                                                        \
	X(WAITING, "waiting", "sequences")                                                         \
	X(RUNNING, "running", "sequences")                                                         \
	X(KEPT, "finished, kept", "sequences")                                                     \
	X(PROMPT_TOKENS, "prompt", "tokens")                                                       \
	X(DECODE_TOKENS, "decode", "tokens")                                                       \
	X(RECOMPUTE_TOKENS, "recomputed", "tokens")                                                \
	X(PAD_TOKENS, "padding", "tokens")                                                         \
	X(PREEMPTIONS, "preemptions", "times")                                                     \
	X(COPIES, "blocks copied", "times")

enum quire_series_kind {
#define X(name, words, unit) QUIRE_SERIES_##name,
	QUIRE_SERIES(X) QUIRE_SERIES_COUNT
#undef X
};
extern const char *const quire_series_words[QUIRE_SERIES_COUNT];
extern const char *const quire_series_unit[QUIRE_SERIES_COUNT];

/*
 * One step.  Totals are of all steps up to this one, with it.  Where a plan was empty the
 * step has no tokens, and begin_ns = end_ns; summaries leave it out.
 */
struct quire_story_step {
	uint64_t begin_ns, end_ns; /* end 0: it has not ended */
	uint64_t first;		   /* index of its first event */
	uint64_t output_tokens;	   /* total */
	uint64_t prompt_tokens;	   /* total, of those that ran for the first time */
	double ttft_sum_s;	   /* total, of ttft_count requests: have a first token */
	double tpot_sum_s;	   /* total, of tpot_count sequences: ended, 2 tokens or more */
	uint32_t ttft_count, tpot_count;
	uint32_t value[QUIRE_SERIES_COUNT];
};

/* Of some steps: the mean is over steps, as everywhere in quire's reports. */
struct quire_summary {
	uint32_t min, max;
	double mean;
};

#define QUIRE_SUMMARY_STEPS  16u /* of the lowest level; 16 times as many of each next one */
#define QUIRE_SUMMARY_LEVELS 7u

struct quire_summary_node {
	uint32_t min[QUIRE_SERIES_COUNT], max[QUIRE_SERIES_COUNT];
	uint64_t sum[QUIRE_SERIES_COUNT];
	uint32_t ran; /* steps that had something to do */
};

struct quire_summary_level {
	struct quire_summary_node *nodes; /* [count], whole ones only; owned */
	uint32_t count, limit;
};

/* ---- tracks ---- */

/* What a sequence does for some time: exactly one of these from its birth to its end. */
#define QUIRE_SPANS(X)                                                                             \
	X(WAITING, "waits for its first slots")                                                    \
	X(PROMPT, "runs its prompt")                                                               \
	X(DECODE, "decodes, a token a step")                                                       \
	X(RECOMPUTE, "recomputes what was taken from it")                                          \
	X(HELD, "holds slots, and is not in the plan")                                             \
	X(PREEMPTED, "was preempted, and waits again")                                             \
	X(KEPT, "has finished, and its row is kept")

enum quire_span_kind {
#define X(name, words) QUIRE_SPAN_##name,
	QUIRE_SPANS(X) QUIRE_SPAN_COUNT
#undef X
};
extern const char *const quire_span_words[QUIRE_SPAN_COUNT];

/* Steps in a row that do the same for a sequence are one span; a prompt's are one each,
 * so that chunks are seen. */
struct quire_span {
	uint64_t from_ns, until_ns;	/* until 0: it lasts */
	uint32_t from_step, until_step; /* [from, until), likewise; the first step is 1 */
	uint32_t tokens;		/* run in it, padding too */
	uint32_t kind;			/* enum quire_span_kind */
};

struct quire_told {
	uint32_t token; /* its id */
	uint32_t step;	/* that sampled it */
};

struct quire_track {
	uint32_t request;     /* QUIRE_RECORD_NOBODY: the recording does not say */
	uint32_t sample;      /* of its request's sequences, in order of birth, from 0 */
	uint32_t parent;      /* sequence it was forked from; 0: none */
	uint32_t next_sample; /* the request's next sequence; 0: none */
	uint32_t prompt_tokens;
	uint32_t output_tokens_max; /* the cap */
	uint32_t end_tokens;	    /* known tokens at its end; 0: not known (yet) */
	uint32_t preemptions;
	uint64_t born_ns;
	uint64_t first_token_ns; /* 0: none yet */
	uint64_t gone_ns;	 /* 0: not yet; of a kept row, when it is dropped */
	uint64_t born, gone;	 /* position of its first and behind its last event */
	bool refused;		 /* it was given up */
	uint32_t spans_count, spans_limit;
	struct quire_span *spans; /* [spans_count] in order, owned */
	uint32_t told_first;	  /* position in the sequence of told[0]; before it, its parent's */
	uint32_t told_count, told_limit;
	struct quire_told *told; /* [told_count] what was sampled for it, in order, owned */
};

/* Of 64 tracks, so that those that live at some time are found. */
struct quire_track_group {
	uint64_t gone_ns; /* the last of those that are gone */
	uint32_t alive;
};

/* ---- text ---- */

/* Token ids or text of some positions; ids or text is NULL. */
struct quire_piece {
	uint32_t request, seq; /* seq 0: of the prompt, which all samples share */
	uint32_t first, count; /* positions */
	const uint32_t *ids;   /* [count] borrowed from the source */
	const char *text;      /* [bytes] UTF-8, likewise */
	uint32_t bytes;
};

/* One position of a sequence. */
struct quire_token {
	bool output;	  /* false: of the prompt */
	bool has_id;	  /* else nobody knows */
	uint32_t id;	  /* its token id */
	const char *text; /* [bytes] not ended by 0; NULL: nobody knows; a text of several
			   * tokens is given whole at its first, and is "" at the others */
	uint32_t bytes;
};

/* ---- the story ---- */

struct quire_story_keyframe {
	uint64_t index;
	unsigned char *state; /* a keyframe of record_state.h, [state_bytes], owned */
	uint64_t state_bytes;
	uint32_t *given_step; /* [cells_count] of scene.h's cells, owned */
};

struct quire_story_front; /* story.c: where the pass is */

struct quire_story {
	char name[128];	   /* for captions: "continuous · paged", of the config, or the path */
	char about[96];	   /* "OPT-13B on A100-40G", of the config, or "" */
	char trouble[192]; /* "" or a sentence: it was cut off, memory is short */
	const struct quire_record_run *run;
	const struct quire_record_request *requests; /* [run->requests_count]; NULL: cut off */
	const char *config; /* JSON [config_bytes], not ended by 0; or NULL */
	size_t config_bytes;
	struct quire_record *record; /* the source: this, owned, */
	struct quire_live *live;     /* or this, borrowed */

	/* A cell is what a picture of the pool shows as one: the allocator's block, where the
	 * config names it, else the largest size that divides all that was seen at first. */
	uint32_t cell_slots;  /* 1..32768 */
	uint32_t cells_count; /* = slots_total / cell_slots, rounded up */

	uint64_t events;  /* there are; of a live one: so far */
	uint64_t indexed; /* of those */
	bool over;	  /* no more will come */

	struct quire_story_step *steps; /* [steps_count] steps[0] is step 1; owned */
	uint32_t steps_count, steps_limit;
	struct quire_summary_level levels[QUIRE_SUMMARY_LEVELS];

	struct quire_track *tracks; /* [tracks_count] by id; [0] is nobody; owned */
	uint32_t tracks_count, tracks_limit;
	struct quire_track_group *groups; /* [tracks_limit / 64] owned */
	uint32_t *first_seq; /* [requests_count] a request's first sequence; 0: not arrived */
	uint32_t does;	     /* bits of enum quire_span_kind: what some sequence has done */

	uint64_t *marks[QUIRE_EV_COUNT]; /* [marks_count[k]] index of each, of the rare kinds */
	uint64_t marks_count[QUIRE_EV_COUNT], marks_limit[QUIRE_EV_COUNT];

	struct quire_story_keyframe *keyframes; /* [keyframes_count] in order, owned */
	uint32_t keyframes_count, keyframes_limit;
	uint64_t keyframe_events; /* at least, between two; doubles when memory gets scarce */

	struct quire_piece *pieces; /* [pieces_count] sorted by request, seq, first; owned */
	uint32_t pieces_count, pieces_limit;
	struct quire_story_front *front;
};

/* The kinds that marks[] knows. */
#define QUIRE_STORY_MARKS                                                                          \
	(QUIRE_EV_BIT(ARRIVE) | QUIRE_EV_BIT(REFUSE) | QUIRE_EV_BIT(PREEMPT) |                     \
	 QUIRE_EV_BIT(DROP) | QUIRE_EV_BIT(COPY) | QUIRE_EV_BIT(FORK) | QUIRE_EV_BIT(FINISH) |     \
	 QUIRE_EV_BIT(EJECT) | QUIRE_EV_BIT(FAULT))

/*
 * Open a recording.  Nothing is indexed yet.
 * Return: 0, and @out is to be freed with quire_story_close(); -errno with a sentence.
 * A recording that was cut off is opened, and `trouble` says so.
 */
int quire_story_open(struct quire_story **out, const char *path);
/* The story of a live run that has begun (quire_live_begun()); @live must outlive it. */
int quire_story_open_live(struct quire_story **out, struct quire_live *live);
void quire_story_close(struct quire_story *story);

/*
 * Index up to @events_max events more; UINT64_MAX: all there are.  About 50 ns each.
 * Return: 0, and `indexed` says how far it is; -ENOMEM, and it stays where it is.
 */
int quire_story_extend(struct quire_story *story, uint64_t events_max);

/* Text that the source lacks, as a lesson brings it; what @piece points to is borrowed. */
int quire_story_add_piece(struct quire_story *story, const struct quire_piece *piece);

/*
 * The events from @index on that lie in a row.
 * Return: the first of *@count events; NULL behind the last that is there.
 */
const struct quire_event *quire_story_events(const struct quire_story *story, uint64_t index,
					     uint64_t *count);

/* ---- moments: positions, at most `indexed` ---- */

/* When all of steps up to @step, or up to time @at_ns, has happened. */
uint64_t quire_story_index_step(const struct quire_story *story, uint32_t step);
uint64_t quire_story_index_ns(const struct quire_story *story, uint64_t at_ns);
/* The time and the step of the last event before @index; 0 if there is none. */
uint64_t quire_story_ns(const struct quire_story *story, uint64_t index);
uint32_t quire_story_step_at(const struct quire_story *story, uint64_t index);
/* Of all that is indexed. */
uint64_t quire_story_end_ns(const struct quire_story *story);
/*
 * Right behind the next event of @kinds (bits) after @index, or with @back right behind the
 * last that ends before it; of @seq alone unless it is 0.
 * Return: UINT64_MAX if there is none.
 */
uint64_t quire_story_jump(const struct quire_story *story, uint64_t index, uint32_t kinds,
			  uint32_t seq, bool back);
/* How many events of a kind in QUIRE_STORY_MARKS lie in [from, until) */
uint64_t quire_story_marks_between(const struct quire_story *story, enum quire_event_kind kind,
				   uint64_t from, uint64_t until);

/* ---- what the timeline asks ---- */

/* The step that runs at @at_ns, or the last before: an index into steps[]. */
uint32_t quire_story_steps_ns(const struct quire_story *story, uint64_t at_ns);
/* Steps [@from, @until) as indices into steps[]; of none, zeros.  O(log). */
struct quire_summary quire_story_summary(const struct quire_story *story,
					 enum quire_series_kind series, uint32_t from,
					 uint32_t until);
/* Sequences [*@first, *@until) are all that live somewhere in the time given, and few more. */
void quire_story_tracks_between(const struct quire_story *story, uint64_t from_ns,
				uint64_t until_ns, uint32_t *first, uint32_t *until);
/* What @track does at @at_ns; NULL: nothing, it is not there. */
const struct quire_span *quire_track_span(const struct quire_track *track, uint64_t at_ns);

/* ---- who and what ---- */

/* "r12", or "r12.3" of another sample than the first; "s40" where no request is known. */
const char *quire_story_name(const struct quire_story *story, uint32_t seq, char text[32]);
/* The sequence that "r12.3", "r12", "12" or "s40" names.  Return: its id; 0: none (yet). */
uint32_t quire_story_find(const struct quire_story *story, const char *name);
/* The token of a sequence at a position from 0. */
struct quire_token quire_story_token(const struct quire_story *story, uint32_t seq,
				     uint32_t position);

/* ---- two stories ---- */

enum quire_lock { QUIRE_LOCK_TIME, QUIRE_LOCK_STEP, QUIRE_LOCK_REQUEST, QUIRE_LOCK_COUNT };

/*
 * The position in @b that belongs to position @index of @a.  By request: the moment when
 * @request's first sequence has got as far in @b as it has in @a (arrived, its first slots,
 * as many known tokens, its end); a request that @a does not know yet: by time.
 */
uint64_t quire_story_follow(const struct quire_story *a, uint64_t index,
			    const struct quire_story *b, enum quire_lock lock, uint32_t request);
/* What of their configs tells two runs apart, beside their names: "max_num_seqs 2"; or "". */
void quire_story_contrast(const struct quire_story *a, const struct quire_story *b, char *of_a,
			  char *of_b, size_t size);
/*
 * The first decisions (event.h) that differ, times left aside.
 * Return: true, with the position right behind each; false: there are none in what is
 * indexed.
 */
bool quire_story_diverge(const struct quire_story *a, const struct quire_story *b,
			 uint64_t *index_a, uint64_t *index_b);

#endif /* QUIRE_STORY_H */
