/*
 * record_write.c - see record_write.h.
 *
 * Events are gathered in a chunk that fits a processor's cache.  When it is full, a
 * thread folds it into the state, for keyframes, makes its checksum and writes it,
 * while the next one fills; the run waits only where the thread does not keep up.
 * Where no thread can be had, or may be started, the same is done in place.
 *
 * What the thread uses (state, file, error) belongs to it while `handed` is not 0,
 * and to the caller otherwise.
 */
#include "record_write.h"

#include "record_state.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK_EVENTS	8192u
#define KEYFRAME_EVENTS 65536u
#define KEYFRAME_SHARE	16u /* a keyframe to at least so many times its bytes of events */

struct quire_recorder {
	struct quire_sink sink;	    /* first: a sink and its recorder are one pointer */
	struct quire_event *events; /* [limit] of the chunk that fills */
	uint32_t count, limit;
	bool begun;			     /* the file holds what comes before events */
	uint32_t fills;			     /* index of it */
	struct quire_record_chunk *chunk[2]; /* headers, with the events right behind */

	pthread_t thread;
	bool threaded;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* handed or quit */
	uint32_t handed;	/* events in the other chunk, for the thread; 0: it waits */
	bool quit;

	struct quire_record_state state;
	uint32_t keyframe_events;
	uint64_t events_since;	 /* the last keyframe */
	unsigned char *keyframe; /* [keyframe_limit] scratch */
	uint64_t keyframe_limit;
	uint64_t at_ns; /* of the last event written */
	uint32_t step;
	char *path;
	int fd;
	int error; /* errno; 0: fine */
};

static void write_all(struct quire_recorder *rec, const void *data, size_t bytes)
{
	const unsigned char *at = data;

	while (bytes && !rec->error) {
		ssize_t n = write(rec->fd, at, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rec->error = n < 0 ? errno : EIO;
			return;
		}
		at += n;
		bytes -= (size_t)n;
	}
}

static void fill(const struct quire_recorder *rec, struct quire_record_chunk *chunk,
		 const char *kind, const void *data, uint64_t bytes)
{
	uLong crc;

	*chunk = (struct quire_record_chunk){
		.bytes = bytes,
		.at_ns = rec->at_ns,
		.step = rec->step,
	};
	memcpy(chunk->kind, kind, sizeof(chunk->kind));
	crc = crc32_z(0, (const Bytef *)chunk, sizeof(*chunk));
	chunk->crc32 = (uint32_t)(bytes ? crc32_z(crc, data, (z_size_t)bytes) : crc);
}

static void write_chunk(struct quire_recorder *rec, const char *kind, const void *data,
			uint64_t bytes)
{
	static const unsigned char zeros[QUIRE_RECORD_ALIGN];
	struct quire_record_chunk chunk;

	fill(rec, &chunk, kind, data, bytes);
	write_all(rec, &chunk, sizeof(chunk));
	write_all(rec, data, (size_t)bytes);
	if (bytes % QUIRE_RECORD_ALIGN)
		write_all(rec, zeros, (size_t)(QUIRE_RECORD_ALIGN - bytes % QUIRE_RECORD_ALIGN));
}

static void write_keyframe(struct quire_recorder *rec)
{
	uint64_t bytes = quire_record_state_bytes(&rec->state);

	if (rec->events_since < rec->keyframe_events ||
	    rec->events_since * sizeof(struct quire_event) < KEYFRAME_SHARE * bytes)
		return;
	if (bytes > rec->keyframe_limit) {
		free(rec->keyframe);
		rec->keyframe_limit = 2 * bytes;
		rec->keyframe = malloc((size_t)rec->keyframe_limit);
	}
	if (!rec->keyframe) {
		rec->error = ENOMEM;
		return;
	}
	quire_record_state_write(&rec->state, rec->keyframe);
	write_chunk(rec, QUIRE_RECORD_KEYFRAME, rec->keyframe, bytes);
	rec->events_since = 0;
}

static void write_events(struct quire_recorder *rec, struct quire_record_chunk *chunk,
			 uint32_t count)
{
	const struct quire_event *events = (const struct quire_event *)(chunk + 1);
	size_t bytes = count * sizeof(*events);

	if (rec->error)
		return;
	write_keyframe(rec);
	rec->at_ns = events[0].at_ns;
	rec->step = events[0].step;
	fill(rec, chunk, QUIRE_RECORD_EVENTS, events, bytes);
	write_all(rec, chunk, sizeof(*chunk) + bytes);
	if (rec->error)
		return;
	for (uint32_t i = 0; i < count && !rec->error; i++)
		rec->error = -quire_record_state_apply(&rec->state, &events[i]);
	rec->at_ns = events[count - 1].at_ns;
	rec->step = events[count - 1].step;
	rec->events_since += count;
}

static void *write_handed(void *arg)
{
	struct quire_recorder *rec = arg;

	pthread_mutex_lock(&rec->lock);
	for (;;) {
		while (!rec->handed && !rec->quit)
			pthread_cond_wait(&rec->changed, &rec->lock);
		if (!rec->handed)
			break;
		uint32_t count = rec->handed;
		struct quire_record_chunk *chunk = rec->chunk[!rec->fills];

		pthread_mutex_unlock(&rec->lock);
		write_events(rec, chunk, count);
		pthread_mutex_lock(&rec->lock);
		rec->handed = 0;
		pthread_cond_signal(&rec->changed);
	}
	pthread_mutex_unlock(&rec->lock);
	return NULL;
}

/* The thread has nothing to do any more. */
static void wait_idle(struct quire_recorder *rec)
{
	if (!rec->threaded)
		return;
	pthread_mutex_lock(&rec->lock);
	while (rec->handed)
		pthread_cond_wait(&rec->changed, &rec->lock);
	pthread_mutex_unlock(&rec->lock);
}

/* The chunk that fills is to be written. */
static void hand_over(struct quire_recorder *rec)
{
	uint32_t count = rec->count;

	rec->count = 0;
	if (!rec->threaded) {
		write_events(rec, rec->chunk[rec->fills], count);
		return;
	}
	pthread_mutex_lock(&rec->lock);
	while (rec->handed)
		pthread_cond_wait(&rec->changed, &rec->lock);
	rec->handed = count;
	rec->fills = !rec->fills;
	pthread_cond_signal(&rec->changed);
	pthread_mutex_unlock(&rec->lock);
	rec->events = (struct quire_event *)(rec->chunk[rec->fills] + 1);
}

void quire_recorder_flush(struct quire_recorder *rec)
{
	if (rec->count)
		hand_over(rec);
	wait_idle(rec);
}

static void emit(struct quire_sink *sink, const struct quire_event *event)
{
	struct quire_recorder *rec = (struct quire_recorder *)sink;

	rec->events[rec->count++] = *event;
	if (rec->count == rec->limit)
		hand_over(rec);
}

struct quire_sink *quire_recorder_sink(struct quire_recorder *rec)
{
	return &rec->sink;
}

/* The table of requests, as the format has it. */
void quire_record_requests(struct quire_record_request *table, const struct quire_request *requests,
			   const uint32_t *output_tokens, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct quire_request *q = &requests[i];

		assert(q->id < count);
		table[q->id] = (struct quire_record_request){
			.arrival_ns = q->arrival_ns,
			.deadline_ns = q->deadline_ns,
			.prompt_tokens = q->prompt_tokens,
			.output_tokens_max = q->output_tokens_max,
			.output_tokens = output_tokens ? output_tokens[q->id] : 0,
			.samples = q->samples,
			.beams = q->beams,
			.client = q->client,
			.priority = q->priority,
		};
	}
}

static void write_requests(struct quire_recorder *rec, const struct quire_recorder_config *config)
{
	uint32_t count = config->run.requests_count;
	struct quire_record_request *table = calloc((size_t)count + 1, sizeof(*table));

	if (!table) {
		rec->error = ENOMEM;
		return;
	}
	quire_record_requests(table, config->requests, config->output_tokens, count);
	write_chunk(rec, QUIRE_RECORD_REQUESTS, table, (uint64_t)count * sizeof(*table));
	free(table);
}

static void recorder_free(struct quire_recorder *rec)
{
	if (rec->fd >= 0)
		close(rec->fd);
	quire_record_state_free(&rec->state);
	free(rec->keyframe);
	free(rec->chunk[0]);
	free(rec->chunk[1]);
	free(rec->path);
	free(rec);
}

int quire_recorder_open(struct quire_recorder **out, const char *path)
{
	struct quire_recorder *rec = calloc(1, sizeof(*rec));
	int rc;

	*out = NULL;
	if (!rec)
		return quire_fail(-ENOMEM, "no memory to record %s", path);
	rec->sink = (struct quire_sink){.kinds = QUIRE_EV_ALL, .emit = emit};
	rec->path = strdup(path);
	rec->fd = rec->path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
	if (rec->fd < 0) {
		rc = quire_fail(-errno, "cannot write %s: %s", path, strerror(errno));
		recorder_free(rec);
		return rc;
	}
	*out = rec;
	return 0;
}

void quire_recorder_begin(struct quire_recorder *rec, const struct quire_recorder_config *config)
{
	struct quire_record_header header = {
		.magic = QUIRE_RECORD_MAGIC,
		.version = QUIRE_RECORD_VERSION,
		.byte_order = 0x01020304u,
		.event_bytes = sizeof(struct quire_event),
	};

	rec->limit = config->chunk_events ? config->chunk_events : CHUNK_EVENTS;
	rec->keyframe_events = config->keyframe_events ? config->keyframe_events : KEYFRAME_EVENTS;
	for (uint32_t i = 0; i < 2; i++)
		rec->chunk[i] =
			malloc(sizeof(**rec->chunk) + rec->limit * sizeof(struct quire_event));
	if (!rec->chunk[0] || !rec->chunk[1] ||
	    quire_record_state_init(&rec->state, config->run.requests_count)) {
		rec->error = ENOMEM;
		rec->sink.kinds = 0;
		return;
	}
	rec->events = (struct quire_event *)(rec->chunk[0] + 1);
	write_all(rec, &header, sizeof(header));
	write_chunk(rec, QUIRE_RECORD_RUN, &config->run, sizeof(config->run));
	write_chunk(rec, QUIRE_RECORD_CONFIG, config->config, strlen(config->config));
	write_requests(rec, config);
	rec->begun = !rec->error;
	pthread_mutex_init(&rec->lock, NULL);
	pthread_cond_init(&rec->changed, NULL);
	rec->threaded =
		!config->alone && pthread_create(&rec->thread, NULL, write_handed, rec) == 0;
}

static void end_thread(struct quire_recorder *rec)
{
	if (!rec->threaded)
		return;
	pthread_mutex_lock(&rec->lock);
	rec->quit = true;
	pthread_cond_signal(&rec->changed);
	pthread_mutex_unlock(&rec->lock);
	pthread_join(rec->thread, NULL);
	pthread_cond_destroy(&rec->changed);
	pthread_mutex_destroy(&rec->lock);
}

void quire_recorder_tokens(struct quire_recorder *rec, uint32_t request, uint32_t seq,
			   uint32_t first, const uint32_t *ids, uint32_t count)
{
	struct quire_record_tokens t = {request, seq, first, count};
	size_t bytes = count * sizeof(*ids);
	unsigned char *data = malloc(sizeof(t) + bytes);

	quire_recorder_flush(rec);
	if (!data) {
		rec->error = rec->error ? rec->error : ENOMEM;
		return;
	}
	memcpy(data, &t, sizeof(t));
	memcpy(data + sizeof(t), ids, bytes);
	write_chunk(rec, QUIRE_RECORD_TOKENS, data, sizeof(t) + bytes);
	free(data);
}

void quire_recorder_text(struct quire_recorder *rec, uint32_t request, uint32_t seq, uint32_t first,
			 uint32_t count, const char *text, uint32_t bytes)
{
	struct quire_record_text t = {request, seq, first, count, bytes, {0, 0, 0}};
	unsigned char *data = malloc(sizeof(t) + bytes);

	quire_recorder_flush(rec);
	if (!data) {
		rec->error = rec->error ? rec->error : ENOMEM;
		return;
	}
	memcpy(data, &t, sizeof(t));
	memcpy(data + sizeof(t), text, bytes);
	write_chunk(rec, QUIRE_RECORD_TEXT, data, sizeof(t) + bytes);
	free(data);
}

/* There is no run in it. */
static void remove_file(const struct quire_recorder *rec)
{
	struct stat st;

	if (fstat(rec->fd, &st) == 0 && S_ISREG(st.st_mode))
		unlink(rec->path);
}

int quire_recorder_close(struct quire_recorder *rec, const char *report)
{
	int rc = 0;

	if (!rec)
		return 0;
	quire_recorder_flush(rec);
	end_thread(rec);
	if (!rec->begun) {
		if (rec->error)
			rc = quire_fail(-rec->error, "cannot write %s: %s", rec->path,
					strerror(rec->error));
		remove_file(rec);
		recorder_free(rec);
		return rc;
	}
	if (report)
		write_chunk(rec, QUIRE_RECORD_REPORT, report, strlen(report));
	write_chunk(rec, QUIRE_RECORD_END, NULL, 0);
	if (close(rec->fd) != 0 && !rec->error)
		rec->error = errno;
	rec->fd = -1;
	if (rec->error)
		rc = quire_fail(-rec->error,
				"cannot write %s: %s; it holds the run up to step %u, at %.6f s",
				rec->path, strerror(rec->error), rec->step,
				(double)rec->at_ns / 1e9);
	recorder_free(rec);
	return rc;
}
