/*
 * record.h - a run in a file: what it looks like, and how it is read.
 *
 * A recording is a header and then chunks, each with its kind, its length and a
 * checksum; docs/formats.md tells the format to people.  Everything is little-endian
 * and starts at a multiple of 32 bytes, so that a file is mapped and its events are
 * used where they lie.  Readers skip kinds of chunks and of events they do not know.
 *
 * A file that was cut off or damaged is read up to the last whole chunk: `complete`
 * is false and `trouble` says why.  What quire_record_open() lets through has been
 * checked; the functions below then never fail for the file's sake.
 *
 *	struct quire_record *r;
 *	struct quire_record_cursor at = {.record = r};
 *	const struct quire_event *e;
 *
 *	while ((e = quire_record_next(&at)))
 *		...
 */
#ifndef QUIRE_RECORD_H
#define QUIRE_RECORD_H

#include "core/event.h"

#include <stdio.h>

#define QUIRE_RECORD_MAGIC   "quirerec"
#define QUIRE_RECORD_VERSION 1
#define QUIRE_RECORD_ALIGN   32u

/* The file begins with this. */
struct quire_record_header {
	char magic[8];
	uint32_t version;     /* another one is refused */
	uint32_t byte_order;  /* 0x01020304 */
	uint32_t event_bytes; /* 32 */
	uint32_t zero[11];
};

/* Kind		  payload */
#define QUIRE_RECORD_RUN      "RUN " /* struct quire_record_run; the first chunk */
#define QUIRE_RECORD_CONFIG   "CONF" /* JSON: the config of the report */
#define QUIRE_RECORD_REQUESTS "REQS" /* struct quire_record_request [] by id; the third */
#define QUIRE_RECORD_EVENTS   "EVTS" /* struct quire_event [] */
#define QUIRE_RECORD_KEYFRAME "KEYF" /* see record_state.h; before an EVTS */
#define QUIRE_RECORD_TOKENS   "TOKS" /* struct quire_record_tokens, then its ids */
#define QUIRE_RECORD_TEXT     "TEXT" /* struct quire_record_text, then its bytes */
#define QUIRE_RECORD_REPORT   "REPT" /* JSON: the report */
#define QUIRE_RECORD_END      "END " /* nothing; the last chunk */

/* Before each payload, which is padded with zeros to a multiple of 32 bytes. */
struct quire_record_chunk {
	char kind[4];
	uint32_t crc32; /* zlib's, of this header with crc32 = 0 and of the payload */
	uint64_t bytes; /* of the payload, without padding */
	uint64_t at_ns; /* when in the run it was written ... */
	uint32_t step;	/* ... and in which step */
	uint32_t zero;
};

/* What the figures of the run depend on, beside its events. */
struct quire_record_run {
	uint32_t requests_count;
	uint32_t slots_total;
	uint32_t seqs_max;
	uint32_t seq_tokens_max;
	uint32_t step_tokens_max;
	uint32_t closed_users;	  /* 0: requests come at their arrival_ns */
	uint64_t window_from_ns;  /* of the metrics ... */
	uint64_t window_until_ns; /* ... UINT64_MAX: to the end */
	uint64_t kv_bytes_per_token;
	double slo_ttft_s, slo_tpot_s; /* 0: none */
};

struct quire_record_request {
	uint64_t arrival_ns; /* of a closed loop: meaningless, ARRIVE tells */
	uint64_t deadline_ns;
	uint32_t prompt_tokens;
	uint32_t output_tokens_max;
	uint32_t output_tokens; /* the true length; 0: unknown */
	uint32_t samples;
	uint32_t client;
	int32_t priority;
	uint32_t beams;
	uint32_t zero;
};

/* Token ids.  What is generated is in SAMPLE events too; prompts are only here. */
struct quire_record_tokens {
	uint32_t request;
	uint32_t seq;	/* 0: of the prompt, which all samples share */
	uint32_t first; /* position of the first in its sequence, from 0 */
	uint32_t count; /* ids [count], 4 bytes each, follow */
};

/* The text of some tokens, in UTF-8; pieces may end inside a letter. */
struct quire_record_text {
	uint32_t request;
	uint32_t seq; /* as above */
	uint32_t first, count;
	uint32_t bytes; /* follow, without an ending 0 */
	uint32_t zero[3];
};

#ifndef __cplusplus
_Static_assert(sizeof(struct quire_record_header) == 64, "the format");
_Static_assert(sizeof(struct quire_record_chunk) == 32, "the format");
_Static_assert(sizeof(struct quire_record_run) == 64, "the format");
_Static_assert(sizeof(struct quire_record_request) == 48, "the format");
#endif

/* The events of one chunk. */
struct quire_record_span {
	const struct quire_event *events; /* [count] in the map */
	uint32_t count;
	uint64_t first; /* how many events come before */
};

struct quire_record_keyframe {
	const void *data;
	uint64_t bytes;
	uint64_t first; /* how many events come before */
};

struct quire_record {
	const char *path;			     /* owned */
	const struct quire_record_run *run;	     /* in the map, like the following */
	const struct quire_record_request *requests; /* [run->requests_count]; NULL if cut off */
	const char *config, *report;		     /* JSON, not ended by 0; NULL if cut off */
	size_t config_bytes, report_bytes;
	uint64_t events_count;
	struct quire_record_span *spans; /* [spans_count], owned */
	size_t spans_count;
	struct quire_record_keyframe *keyframes; /* [keyframes_count], owned */
	size_t keyframes_count;
	bool complete;
	char trouble[128]; /* "cut off at byte 4711"; "" if complete */

	const unsigned char *map; /* the file, [map_bytes] */
	size_t map_bytes;
	size_t sound_bytes; /* of it, whole chunks */
};

/*
 * Map a recording and check all of it; about a second for 5 GB.
 * Return: 0, and @out is to be freed with quire_record_close(); -EINVAL it is none,
 * or was cut off before anything was said; -errno; see quire_failure().
 */
int quire_record_open(struct quire_record **out, const char *path);
void quire_record_close(struct quire_record *r);

/* Is the file at @path a recording?  By its first bytes; false if it cannot be read. */
bool quire_record_is(const char *path);

/* Walk over the events, from .index on. */
struct quire_record_cursor {
	const struct quire_record *record;
	uint64_t index; /* of the next event */
	size_t span;	/* where it probably is */
};

/* Return: the next event, in the map; NULL behind the last.  Its kind may be unknown. */
const struct quire_event *quire_record_next(struct quire_record_cursor *at);

/* How many events belong to steps up to @step, or happened up to @at_ns. */
uint64_t quire_record_index_step(const struct quire_record *r, uint32_t step);
uint64_t quire_record_index_ns(const struct quire_record *r, uint64_t at_ns);

/*
 * Walk over the chunks of one kind, tokens and text too.  @at is 0 first.
 * Return: a chunk, its payload right behind it; NULL there is no more.
 */
const struct quire_record_chunk *quire_record_find(const struct quire_record *r, const char *kind,
						   size_t *at);
/* A chunk's payload as what it is.  Return: NULL if it is too short for it. */
const struct quire_record_tokens *quire_record_tokens(const struct quire_record_chunk *chunk,
						      const uint32_t **ids);
const struct quire_record_text *quire_record_text(const struct quire_record_chunk *chunk,
						  const char **bytes);

#endif /* QUIRE_RECORD_H */
