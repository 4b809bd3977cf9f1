/*
 * record_write.h - records a run: a sink that writes events into a file.
 *
 * The file is written as the run goes, under its own name, so that what was written
 * survives a crash; the format is in record.h.  It depends on the run alone: the
 * same run gives the same bytes.
 *
 * An error (a full disk) ends the recording, not the run: quire_recorder_close()
 * tells it.  Nothing here touches quire_failure() while the run goes.
 */
#ifndef QUIRE_RECORD_WRITE_H
#define QUIRE_RECORD_WRITE_H

#include "record.h"

struct quire_recorder;

struct quire_recorder_config {
	struct quire_record_run run;
	const char *config;		      /* JSON: the config of the report */
	const struct quire_request *requests; /* [run.requests_count] */
	const uint32_t *output_tokens;	      /* [run.requests_count] true lengths; NULL: unknown */
	bool alone;			      /* start no thread: write in the run's own */
	/* 0: the default; others are for tests */
	uint32_t chunk_events;	  /* 8,192: at most so many are lost in a crash */
	uint32_t keyframe_events; /* 65,536: at least so many lie between two keyframes,
				   * and more where keyframes would be above 6 % of the file */
};

/* Requests as a recording has them: by id.  @table [@count]; @output_tokens may be NULL. */
void quire_record_requests(struct quire_record_request *table, const struct quire_request *requests,
			   const uint32_t *output_tokens, uint32_t count);

/*
 * Create the file @path, or empty it.  Return: 0, and @out is to be given to
 * quire_recorder_close(); -errno with a sentence in quire_failure().
 */
int quire_recorder_open(struct quire_recorder **out, const char *path);

/* Write what comes before events; once, before the first of them.  @config and what
 * it points to are not kept. */
void quire_recorder_begin(struct quire_recorder *rec, const struct quire_recorder_config *config);

/* What to give to the loop; it wants all events. */
struct quire_sink *quire_recorder_sink(struct quire_recorder *rec);

/* Write what is buffered. */
void quire_recorder_flush(struct quire_recorder *rec);

/* Add token ids or text: see the structs in record.h.  @seq 0: of the prompt. */
void quire_recorder_tokens(struct quire_recorder *rec, uint32_t request, uint32_t seq,
			   uint32_t first, const uint32_t *ids, uint32_t count);
void quire_recorder_text(struct quire_recorder *rec, uint32_t request, uint32_t seq, uint32_t first,
			 uint32_t count, const char *text, uint32_t bytes);

/*
 * Write the rest, the report (JSON; NULL: there is none) and the end, and free @rec
 * (NULL is fine).  Return: 0; -errno with a sentence in quire_failure(): the file
 * holds the run up to the point that the sentence names.  A recording that was not
 * begun, or could not be, is removed.
 */
int quire_recorder_close(struct quire_recorder *rec, const char *report);

#endif /* QUIRE_RECORD_WRITE_H */
