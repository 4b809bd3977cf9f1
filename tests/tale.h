/*
 * tale.h - a random run in a small world, told to whoever listens, and the same run told
 * again by somebody too simple to be wrong.
 *
 *	struct tale t;
 *
 *	tale_make(&t, seed);		schedulers x allocators x samples and beams
 *	tale_run(&t, path, live);	a recording, a live one, or neither
 *	... t.events[] ...
 *	tale_free(&t);
 *
 * struct retold keeps every map as an array and every slot's sharers as a count; it
 * looks at all of them, each time anew.
 */
#ifndef QUIRE_TESTS_TALE_H
#define QUIRE_TESTS_TALE_H

#include "core/loop.h"
#include "core/trace/record_write.h"
#include "core/trace/rng.h"
#include "visualize/live.h"
#include "visualize/scene.h"

#define TALE_REQUESTS 40u

/* As ck_assert(), which reports every pass too and is ruinously slow in a loop. */
#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what))                                                                       \
			ck_abort_msg("%s", "it must be so: " #what);                               \
	} while (0)

struct tale {
	uint64_t seed;
	struct quire_request requests[TALE_REQUESTS];
	uint32_t output_tokens[TALE_REQUESTS];
	char scheduler[64], allocator[64], config_json[256];
	struct quire_loop_config config;
	struct quire_record_run run;
	bool ends_known; /* the recording tells output_tokens */
	bool uneven;	 /* samples end where they like */

	/* What came out. */
	int rc;			      /* 0; -ECANCELED: a module was ejected */
	struct quire_metrics metrics; /* without outcomes */
	struct quire_outcome outcomes[TALE_REQUESTS];
	struct quire_event *events; /* [events_count] all of them, in order */
	size_t events_count;
	uint64_t bytes; /* of the recording's events */

	/* The tale's own. */
	struct quire_sink sink;
	size_t events_limit;
	uint64_t clock_ns;
	struct quire_rng rng;
	struct quire_sink *to[2]; /* NULL: nobody */
};

void tale_make(struct tale *t, uint64_t seed);
/* Run it, into the file @path and into @live, if they are not NULL. */
void tale_run(struct tale *t, const char *path, struct quire_live *live);
void tale_free(struct tale *t);

/* ---- retold ---- */

#define RETOLD_BLOCKS 512u

struct retold_seq {
	uint32_t request;
	bool known_request, waiting, kept, gone;
	uint32_t prompt_tokens, known_tokens, cached_tokens, cached_most;
	uint32_t run_tokens; /* in the plan */
	uint32_t born_step;
	uint32_t blocks, block_slots;
	uint32_t *first; /* [RETOLD_BLOCKS] */
};

struct retold {
	const struct tale *tale;
	uint32_t cell_slots, cells_count;
	struct retold_seq *seqs; /* [count + 1] by id */
	uint32_t count, limit;
	uint32_t step;
	size_t index;
	bool *shown;	      /* [cells_count] */
	uint32_t *given_step; /* [cells_count] */
};

void retold_begin(struct retold *r, const struct tale *t, uint32_t cell_slots);
void retold_next(struct retold *r);
void retold_free(struct retold *r);
/* Every cell as scene.h wants it.  @cells [cells_count] */
void retold_cells(const struct retold *r, struct quire_cell *cells);

#endif /* QUIRE_TESTS_TALE_H */
