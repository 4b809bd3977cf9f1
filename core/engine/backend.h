/*
 * backend.h - what differs between the cpu and the cuda executor.
 *
 * engine_batch.c turns a plan into batches of rows; a backend computes them.  A row is one
 * token at one position of one sequence.  Rows of one sequence that follow each other
 * are a piece.
 *
 *	pieces cover the batch: piece.row = sum of rows of the pieces before it
 *	row i of a piece that is written has position first_position + i, and its K and
 *	V go into the slot that the map gives to that position
 *	rows of a piece that is not written are padding: all have first_position, whose
 *	slot is already written
 *	a row looks at the positions (p - window, p] of its map
 *
 * A step that has more rows than a batch may is run as several batches, in order; a
 * sequence's rows come in order of their positions.
 */
#ifndef QUIRE_BACKEND_H
#define QUIRE_BACKEND_H

#include "engine.h"

struct engine_piece {
	struct quire_map map;
	uint32_t row, rows; /* of the batch */
	uint32_t first_position;
	bool written; /* false: padding */
};

struct engine_batch {
	const uint32_t *tokens;		   /* [rows] checked: below vocab */
	const struct engine_piece *pieces; /* [pieces_count] */
	uint32_t pieces_count, rows;
	const uint32_t *wanted; /* [wanted_count] rows whose logits are wanted, rising */
	uint32_t wanted_count;
};

struct engine;

struct engine_ops {
	const char *name, *summary; /* of the executor */
	uint32_t batch_rows_max;    /* 0: config.step_tokens_max */
	uint32_t logits_rows_max;   /* rows of one call of logits() */

	/* Take all memory: engine->config is checked.  close() follows a failure too. */
	int (*open)(struct engine *engine);
	void (*close)(struct engine *engine);
	/* Slots [from, from + slots) to [to, ...), in all layers; they do not overlap. */
	int (*copy)(struct engine *engine, const struct quire_copy *copy);
	/* Fill with NaN.  Only with config.poison. */
	int (*poison)(struct engine *engine, uint32_t first, uint32_t slots);
	/* Run a batch through all layers.  Counts the bytes that it reads. */
	int (*forward)(struct engine *engine, const struct engine_batch *batch);
	/*
	 * Logits of wanted rows [first, first + count) of the last batch.
	 * Return: [count][vocab], the engine's and to be overwritten; NULL: -EIO.
	 */
	float *(*logits)(struct engine *engine, uint32_t first, uint32_t count);
	/*
	 * Optional, instead of logits() and sample(): choose where the logits are, for the
	 * wanted rows [0, wanted_count) of the last batch, which items[i] wants.
	 */
	int (*choose)(struct engine *engine, const struct quire_item *const *items, uint32_t count,
		      struct quire_result *results);
	/* Optional.  quire_streams_sample() of each items[i] with logits[i][vocab], by
	 * several threads.  Return: the first error, with its sentence. */
	int (*sample)(struct engine *engine, const struct quire_item *const *items, uint32_t count,
		      float *logits, struct quire_result *results);
	/* Optional.  Wait for a device: a step ends when all of it is done, sampled or not, so
	 * that its time is its own and not the next one's. */
	int (*finish)(struct engine *engine);
};

/* The cpu: forward() and logits() of each row are bitwise the same in every batch. */
extern const struct engine_ops engine_cpu;
#ifdef QUIRE_HAVE_CUDA
extern const struct engine_ops engine_cuda;
#endif

struct engine {
	const struct engine_ops *ops;
	struct quire_engine_config config; /* as given */
	struct quire_engine_stats stats;
	void *backend;		    /* its own */
	struct quire_exec_ops exec; /* what the loop sees */

	uint64_t start_ns;   /* of the clock */
	uint64_t skipped_ns; /* by idle(), with a quiet clock */
	int wake[2];	     /* a pipe: idle() reads what wake() wrote */

	/* The batch that is being filled. */
	struct engine_batch batch;
	uint32_t *tokens;		 /* [batch_rows_max] */
	struct engine_piece *pieces;	 /* [batch_rows_max] */
	uint32_t *wanted;		 /* [batch_rows_max] */
	const struct quire_item **items; /* [batch_rows_max] of the wanted rows */
	uint32_t batch_rows_max;

	uint8_t *forgotten; /* [slots_total] to be filled with NaN; NULL: no poison */
	bool any_forgotten;
};

/* engine.c: the real clock. */
uint64_t engine_real_ns(void);

/* engine_batch.c: the copies, then the items; stats are counted, but for time. */
int engine_run(struct engine *engine, const struct quire_plan *plan, struct quire_result *results);

#endif /* QUIRE_BACKEND_H */
