/*
 * live.c - see live.h.
 *
 * What the run writes at every event and what the viewer writes lie in cache lines of
 * their own, so that neither slows the other down by looking.  Most of what an event costs is
 * memory that is touched for the first time, so the viewer touches it before the run does.
 */
#include "live.h"

#include "story.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE	    64	/* bytes of a cache line */
#define SPARES	    16u /* chunks laid out ahead: a frame's events at 15 million a second */
#define PAGE	    4096u
#define CHUNK_BYTES (QUIRE_LIVE_CHUNK * sizeof(struct quire_event))

struct quire_live {
	struct quire_sink sink; /* first: a sink and its recording are one pointer */

	/* the run's alone */
	struct quire_event *at; /* where the next event goes, ... */
	uint32_t left;		/* ... in a chunk with room for so many */
	uint64_t emitted;
	bool full; /* it takes no more */

	/* written by the run before `begun`, `count` or `ended` tells of it */
	struct quire_event **chunks; /* [chunks_max], [chunks_count] of them there */
	uint32_t chunks_count, chunks_max;
	struct quire_record_run record_run;
	struct quire_record_request *requests;
	char *config;
	char trouble[192];
	atomic_bool begun, ended;

	_Alignas(LINE) _Atomic uint64_t count;			     /* events that may be read */
	_Alignas(LINE) _Atomic(struct quire_event *) spares[SPARES]; /* NULL: taken */

	_Alignas(LINE) pthread_mutex_t lock; /* of what follows */
	struct quire_piece *pieces;	     /* [pieces_count] with what they point to */
	uint32_t pieces_count, pieces_limit;
};

static void emit(struct quire_sink *sink, const struct quire_event *event);

int quire_live_new(struct quire_live **out, uint64_t events_max)
{
	struct quire_live *live = aligned_alloc(LINE, sizeof(*live));
	uint64_t chunks;

	*out = NULL;
	if (!live)
		return quire_fail(-ENOMEM, "no memory for a live recording");
	if (!events_max)
		events_max = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) /
			     4 / sizeof(struct quire_event);
	chunks = (events_max + QUIRE_LIVE_CHUNK - 1) / QUIRE_LIVE_CHUNK;
	if (chunks > UINT32_MAX / 2)
		chunks = UINT32_MAX / 2;
	memset(live, 0, sizeof(*live));
	live->sink = (struct quire_sink){.kinds = QUIRE_EV_ALL, .emit = emit};
	live->chunks_max = (uint32_t)chunks;
	live->chunks = calloc(chunks, sizeof(struct quire_event *));
	if (!live->chunks) {
		free(live);
		return quire_fail(-ENOMEM, "no memory for a live recording");
	}
	pthread_mutex_init(&live->lock, NULL);
	*out = live;
	return 0;
}

void quire_live_free(struct quire_live *live)
{
	if (!live)
		return;
	for (uint32_t i = 0; i < live->chunks_count; i++)
		free(live->chunks[i]);
	free(live->chunks);
	for (uint32_t i = 0; i < SPARES; i++)
		free(atomic_load(&live->spares[i]));
	free(live->requests);
	free(live->config);
	for (uint32_t i = 0; i < live->pieces_count; i++) {
		free((void *)(uintptr_t)live->pieces[i].ids);
		free((void *)(uintptr_t)live->pieces[i].text);
	}
	free(live->pieces);
	pthread_mutex_destroy(&live->lock);
	free(live);
}

/* ---- the run's thread ---- */

int quire_live_begin(struct quire_live *live, const struct quire_record_run *run,
		     const struct quire_record_request *requests, const char *config)
{
	size_t bytes = run->requests_count * sizeof(*requests);

	live->record_run = *run;
	live->requests = malloc(bytes + 1);
	live->config = config ? strdup(config) : NULL;
	if (!live->requests || (config && !live->config))
		return quire_fail(-ENOMEM, "no memory for a live recording");
	if (bytes)
		memcpy(live->requests, requests, bytes);
	atomic_store_explicit(&live->begun, true, memory_order_release);
	return 0;
}

struct quire_sink *quire_live_sink(struct quire_live *live)
{
	return &live->sink;
}

/* Take no more; the first reason is the one that is told. */
static void stop(struct quire_live *live, const char *sentence)
{
	live->full = true;
	live->sink.kinds = 0;
	if (atomic_load_explicit(&live->ended, memory_order_relaxed))
		return;
	if (sentence)
		snprintf(live->trouble, sizeof(live->trouble), "%s", sentence);
	atomic_store_explicit(&live->ended, true, memory_order_release);
}

/* A chunk that the viewer has laid out; NULL: it has not. */
static struct quire_event *take_spare(struct quire_live *live)
{
	struct quire_event *chunk = NULL;

	for (uint32_t i = 0; i < SPARES && !chunk; i++)
		if (atomic_load_explicit(&live->spares[i], memory_order_relaxed))
			chunk = atomic_exchange_explicit(&live->spares[i], NULL,
							 memory_order_acquire);
	return chunk;
}

static bool next_chunk(struct quire_live *live)
{
	struct quire_event *chunk;

	if (live->full)
		return false;
	if (live->chunks_count == live->chunks_max) {
		stop(live, "the live recording is as large as it may be, and ends here; the run "
			   "goes on");
		return false;
	}
	chunk = take_spare(live);
	if (!chunk)
		chunk = malloc(CHUNK_BYTES);
	if (!chunk) {
		stop(live, "memory is short: the live recording ends here; the run goes on");
		return false;
	}
	live->chunks[live->chunks_count++] = chunk;
	live->at = chunk;
	live->left = QUIRE_LIVE_CHUNK;
	return true;
}

static void emit(struct quire_sink *sink, const struct quire_event *event)
{
	struct quire_live *live = (struct quire_live *)sink;
	const volatile struct quire_event *from = event;
	struct quire_event *to;

	if (!live->left && !next_chunk(live))
		return;
	/*
	 * Field by field, as it was written just now: a wider load, which a compiler would
	 * make of them, waits until all of it has left the store buffer, and that takes as
	 * long as all the rest.
	 */
	to = live->at++;
	to->at_ns = from->at_ns;
	to->step = from->step;
	to->kind = from->kind;
	to->seq = from->seq;
	to->a = from->a;
	to->b = from->b;
	to->c = from->c;
	live->left--;
	atomic_store_explicit(&live->count, ++live->emitted, memory_order_release);
}

void quire_live_end(struct quire_live *live, const char *sentence)
{
	live->left = 0;
	stop(live, sentence);
}

/* A copy of @bytes bytes in *@copy, which is not NULL, if there is anything. */
static bool copied(const void *data, size_t bytes, void **copy)
{
	*copy = data ? malloc(bytes + 1) : NULL;
	if (*copy && bytes)
		memcpy(*copy, data, bytes);
	return *copy || !data;
}

static int add_piece(struct quire_live *live, struct quire_piece piece)
{
	void *ids, *text = NULL;
	struct quire_piece *pieces;
	int rc = 0;

	if (!copied(piece.ids, piece.count * sizeof(*piece.ids), &ids) ||
	    !copied(piece.text, piece.bytes, &text)) {
		free(ids);
		return quire_fail(-ENOMEM, "no memory for the text of a live recording");
	}
	piece.ids = ids;
	piece.text = text;
	pthread_mutex_lock(&live->lock);
	if (live->pieces_count == live->pieces_limit) {
		uint32_t limit = live->pieces_limit ? 2 * live->pieces_limit : 64;

		pieces = realloc(live->pieces, limit * sizeof(*pieces));
		rc = pieces ? 0 : -ENOMEM;
		if (pieces) {
			live->pieces = pieces;
			live->pieces_limit = limit;
		}
	}
	if (rc == 0)
		live->pieces[live->pieces_count++] = piece;
	pthread_mutex_unlock(&live->lock);
	if (rc == 0)
		return 0;
	free(ids);
	free(text);
	return quire_fail(rc, "no memory for the text of a live recording");
}

int quire_live_tokens(struct quire_live *live, uint32_t request, uint32_t seq, uint32_t first,
		      const uint32_t *ids, uint32_t count)
{
	return add_piece(live, (struct quire_piece){
				       .request = request,
				       .seq = seq,
				       .first = first,
				       .count = count,
				       .ids = ids,
			       });
}

int quire_live_text(struct quire_live *live, uint32_t request, uint32_t seq, uint32_t first,
		    uint32_t count, const char *text, uint32_t bytes)
{
	return add_piece(live, (struct quire_piece){
				       .request = request,
				       .seq = seq,
				       .first = first,
				       .count = count,
				       .text = text,
				       .bytes = bytes,
			       });
}

/* ---- the viewer's thread ---- */

bool quire_live_begun(const struct quire_live *live)
{
	return atomic_load_explicit(&live->begun, memory_order_acquire);
}

bool quire_live_ended(const struct quire_live *live)
{
	return atomic_load_explicit(&live->ended, memory_order_acquire);
}

const char *quire_live_trouble(const struct quire_live *live)
{
	return quire_live_ended(live) ? live->trouble : "";
}

uint64_t quire_live_count(const struct quire_live *live)
{
	return atomic_load_explicit(&live->count, memory_order_acquire);
}

void quire_live_prepare(struct quire_live *live)
{
	struct quire_event *chunk;

	for (uint32_t i = 0; i < SPARES && !quire_live_ended(live); i++) {
		if (atomic_load_explicit(&live->spares[i], memory_order_relaxed))
			continue;
		chunk = malloc(CHUNK_BYTES);
		if (!chunk)
			return; /* the run will see for itself */
		/* A compiler would make a calloc() of memset(), which touches nothing. */
		for (size_t at = 0; at < CHUNK_BYTES; at += PAGE)
			((volatile char *)chunk)[at] = 0;
		atomic_store_explicit(&live->spares[i], chunk, memory_order_release);
	}
}

const struct quire_event *quire_live_events(const struct quire_live *live, uint64_t index,
					    uint64_t *count)
{
	uint64_t there = quire_live_count(live), left = QUIRE_LIVE_CHUNK - index % QUIRE_LIVE_CHUNK;

	*count = 0;
	if (index >= there)
		return NULL;
	*count = left < there - index ? left : there - index;
	return live->chunks[index / QUIRE_LIVE_CHUNK] + index % QUIRE_LIVE_CHUNK;
}

const struct quire_record_run *quire_live_run(const struct quire_live *live)
{
	return &live->record_run;
}

const struct quire_record_request *quire_live_requests(const struct quire_live *live)
{
	return live->requests;
}

const char *quire_live_config(const struct quire_live *live)
{
	return live->config;
}

bool quire_live_piece(struct quire_live *live, uint32_t i, struct quire_piece *piece)
{
	bool there;

	pthread_mutex_lock(&live->lock);
	there = i < live->pieces_count;
	if (there)
		*piece = live->pieces[i];
	pthread_mutex_unlock(&live->lock);
	return there;
}
