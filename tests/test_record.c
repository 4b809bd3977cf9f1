/*
 * test_record.c - recordings: what is read back is what happened, to the last bit of
 * every metric; a file cut off or damaged anywhere gives what is whole of it and says
 * so; a viewer that jumps sees what one sees that plays.
 *
 * The worlds are small, random from a printed seed, and run by the real loop.
 */
#include "core/loop.h"
#include "core/trace/perfetto.h"
#include "core/trace/record.h"
#include "core/trace/record_metrics.h"
#include "core/trace/record_state.h"
#include "core/trace/record_write.h"
#include "core/trace/rng.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS 40

static char folder[] = "/tmp/quire-record-XXXXXX";
static char file[64], other[64];

/* An executor with a clock of its own: tokens cost time, sequences end where they must. */
struct clock {
	uint64_t now_ns;
	const uint32_t *output_tokens;
};

static uint64_t clock_now(struct quire_exec *ex)
{
	return ((struct clock *)ex->priv)->now_ns;
}

static void clock_idle(struct quire_exec *ex, uint64_t until_ns)
{
	struct clock *c = ex->priv;

	if (until_ns > c->now_ns)
		c->now_ns = until_ns;
}

static int clock_step(struct quire_exec *ex, const struct quire_plan *plan,
		      struct quire_result *results)
{
	struct clock *c = ex->priv;

	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_item *item = &plan->items[i];
		uint64_t id = item->seq->request->id;
		uint32_t generated = item->seq->known_tokens - item->seq->request->prompt_tokens;

		for (uint32_t k = 0; k < item->candidates; k++)
			results[item->result + k] = (struct quire_result){
				.token = generated + k,
				.end = generated + 1 >= c->output_tokens[id],
			};
	}
	c->now_ns += 5000000 + (uint64_t)plan->tokens_count * 30000;
	return 0;
}

static const struct quire_exec_ops clock_ops = {
	.name = "clock",
	.summary = "tokens cost time",
	.now_ns = clock_now,
	.idle = clock_idle,
	.step = clock_step,
};

struct world {
	struct quire_request requests[REQUESTS];
	uint32_t output_tokens[REQUESTS];
	struct clock clock;
	struct quire_loop_config config;
	struct quire_recorder_config recorder;
	struct quire_report report;
	struct quire_metrics metrics; /* without outcomes */
	struct quire_outcome outcomes[REQUESTS];
};

static struct world world; /* big */

static const char *const schedulers[] = {"static,batch=5", "continuous", "splitfuse"};
static const char *const allocators[] = {"contiguous,reserve=max", "contiguous,reserve=pow2",
					 "paged,block=4", "paged,block=16,cow=0"};

/* A pool too small to be comfortable, now and then requests that cannot be served. */
static void make_world(struct world *w, uint64_t seed)
{
	struct quire_rng r;

	memset(w, 0, sizeof(*w));
	quire_rng_seed(&r, seed, "world");
	w->config = (struct quire_loop_config){
		.scheduler = schedulers[quire_rng_below(&r, 3)],
		.allocator = allocators[quire_rng_below(&r, 4)],
		.slots_total = 300 + quire_rng_below(&r, 400),
		.seqs_max = 5 + quire_rng_below(&r, 12),
		.seq_tokens_max = 128,
		.step_tokens_max = 64 + quire_rng_below(&r, 200),
		.requests = w->requests,
		.output_tokens = w->output_tokens,
		.requests_count = REQUESTS,
		.closed_users = quire_rng_below(&r, 4) ? 0 : 6,
		.window_until_ns = UINT64_MAX,
		.exec = {.ops = &clock_ops, .priv = &w->clock},
	};
	if (quire_rng_below(&r, 3) == 0) {
		w->config.window_from_ns = 400000000;
		w->config.window_until_ns = 1500000000;
	}
	for (uint32_t i = 0; i < REQUESTS; i++) {
		w->requests[i] = (struct quire_request){
			.id = i,
			.arrival_ns = (uint64_t)i * 20000000 + quire_rng_below(&r, 10000000),
			.prompt_tokens =
				1 + quire_rng_below(&r, quire_rng_below(&r, 10) ? 70 : 140),
			.output_tokens_max = 1 + quire_rng_below(&r, 60),
			.samples = quire_rng_below(&r, 3) ? 1 : 1 + quire_rng_below(&r, 4),
			.client = quire_rng_below(&r, 3),
			.priority = (int32_t)quire_rng_below(&r, 5) - 2,
		};
		w->output_tokens[i] = 1 + quire_rng_below(&r, w->requests[i].output_tokens_max);
	}
	w->clock.output_tokens = w->output_tokens;
	w->recorder = (struct quire_recorder_config){
		.run = {.requests_count = REQUESTS,
			.slots_total = w->config.slots_total,
			.seqs_max = w->config.seqs_max,
			.seq_tokens_max = w->config.seq_tokens_max,
			.closed_users = w->config.closed_users,
			.window_from_ns = w->config.window_from_ns,
			.window_until_ns = w->config.window_until_ns,
			.kv_bytes_per_token = 1024,
			.slo_ttft_s = 0.3,
			.slo_tpot_s = 0.02},
		.config = "{\"gpu\": \"a \\\"gpu\\\"\"}",
		.requests = w->requests,
		.output_tokens = w->output_tokens,
		.chunk_events = 1 + quire_rng_below(&r, 200),
		.keyframe_events = 1 + quire_rng_below(&r, 500),
	};
}

static char *report_text(const struct quire_report *r)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert(out && quire_report_json(out, r, 1, false) == 0);
	fclose(out);
	return text;
}

/* Run it, into the file @path.  Return: what the loop does. */
static int record(struct world *w, const char *path)
{
	struct quire_settings settings = {
		.kv_slots = w->config.slots_total,
		.kv_bytes_per_token = 1024,
		.closed_users = w->config.closed_users,
		.slo_ttft_s = 0.3,
		.slo_tpot_s = 0.02,
	};
	struct quire_recorder *rec;
	struct quire_loop *loop;
	char *text;
	int rc;

	ck_assert_msg(quire_recorder_open(&rec, path) == 0, "%s", quire_failure());
	w->config.sink = quire_recorder_sink(rec);
	loop = quire_loop_new(&w->config);
	ck_assert_msg(loop, "%s", quire_failure());
	w->recorder.run.step_tokens_max = quire_loop_step_tokens_max(loop);
	quire_recorder_begin(rec, &w->recorder);
	rc = quire_loop_run(loop);
	w->metrics = *quire_loop_metrics(loop);
	memcpy(w->outcomes, w->metrics.outcomes, w->config.requests_count * sizeof(*w->outcomes));
	w->metrics.outcomes = NULL;
	quire_report_init(&w->report, &settings);
	ck_assert(quire_report_make(&w->report, quire_loop_metrics(loop), w->requests) == 0);
	quire_loop_free(loop);
	text = report_text(&w->report);
	ck_assert_msg(quire_recorder_close(rec, text) == 0, "%s", quire_failure());
	free(text);
	return rc;
}

static void check_outcomes(const struct quire_outcome *a, const struct quire_outcome *b)
{
	for (uint32_t i = 0; i < REQUESTS; i++)
		if (a[i].arrival_ns != b[i].arrival_ns ||
		    a[i].first_scheduled_ns != b[i].first_scheduled_ns ||
		    a[i].first_token_ns != b[i].first_token_ns ||
		    a[i].finish_ns != b[i].finish_ns || a[i].output_tokens != b[i].output_tokens ||
		    a[i].preemptions != b[i].preemptions || a[i].refused != b[i].refused)
			ck_abort_msg("request %u has another outcome", i);
}

START_TEST(reading_back_gives_the_same_metrics_and_report)
{
	static struct quire_metrics m;
	static struct quire_report report;
	uint64_t preemptions = 0, forks = 0, refused = 0, copies = 0, recomputed = 0, kept = 0;

	for (uint64_t seed = 0; seed < 300; seed++) {
		struct quire_record_cursor at = {.record = NULL};
		const struct quire_event *e;
		struct quire_record *r;
		char *text;

		make_world(&world, seed);
		ck_assert(record(&world, file) == 0);
		ck_assert_msg(quire_record_open(&r, file) == 0, "%s", quire_failure());
		ck_assert(r->complete && !r->trouble[0] && r->config && r->report);
		ck_assert(r->config_bytes == strlen(world.recorder.config));
		ck_assert(!memcmp(r->config, world.recorder.config, r->config_bytes));
		ck_assert(quire_record_metrics(r, &m) == 0);
		if (m.digest != world.metrics.digest)
			ck_abort_msg("seed %llu: another digest", (unsigned long long)seed);
		check_outcomes(m.outcomes, world.outcomes);
		quire_record_metrics_free(&m);
		for (uint32_t i = 0; i < REQUESTS; i++)
			world.outcomes[i].samples_left = 0;
		if (memcmp(&m, &world.metrics, sizeof(m)) != 0)
			ck_abort_msg("seed %llu, %s x %s: other metrics", (unsigned long long)seed,
				     world.config.scheduler, world.config.allocator);
		ck_assert(quire_record_report(r, &report) == 0);
		text = report_text(&report);
		ck_assert(strlen(text) == r->report_bytes);
		ck_assert(!memcmp(text, r->report, r->report_bytes));
		free(text);
		for (at.record = r; (e = quire_record_next(&at));)
			kept += e->kind == QUIRE_EV_DROP;
		quire_record_close(r);
		preemptions += m.preemptions;
		forks += m.forks;
		refused += m.refused;
		copies += m.copies;
		recomputed += m.recomputed_tokens;
	}
	/* The worlds were not too comfortable to show anything. */
	ck_assert(preemptions > 100 && forks > 1000 && refused > 100 && copies > 100);
	ck_assert(recomputed > 1000 && kept > 100);
}
END_TEST

/* Equal, but for arrays that only memory has. */
static bool same_state(const struct quire_record_state *a, const struct quire_record_state *b)
{
	uint64_t bytes = quire_record_state_bytes(a);
	unsigned char *x, *y;
	bool same;

	if (bytes != quire_record_state_bytes(b))
		return false;
	x = malloc(bytes);
	y = malloc(bytes);
	quire_record_state_write(a, x);
	quire_record_state_write(b, y);
	same = !memcmp(x, y, bytes) && !memcmp(a->living, b->living, REQUESTS * sizeof(uint32_t));
	free(x);
	free(y);
	return same;
}

START_TEST(jumping_shows_what_playing_shows)
{
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct quire_record_state played, jumped;
		struct quire_record_cursor at = {.record = NULL};
		const struct quire_event *e;
		struct quire_record *r;
		struct quire_rng rng;

		make_world(&world, seed);
		ck_assert(record(&world, file) == 0);
		ck_assert(quire_record_open(&r, file) == 0);
		ck_assert(r->keyframes_count > 0 || r->events_count < 1000);
		ck_assert(quire_record_state_init(&played, REQUESTS) == 0);
		ck_assert(quire_record_state_init(&jumped, REQUESTS) == 0);
		quire_rng_seed(&rng, seed, "jumps");
		for (at.record = r; (e = quire_record_next(&at));) {
			if (quire_record_state_apply(&played, e))
				ck_abort_msg("%s", quire_failure());
			if (quire_rng_below(&rng, 50))
				continue;
			/* From anywhere before and behind. */
			if (quire_record_seek(r,
					      quire_rng_below(&rng, (uint32_t)r->events_count + 1),
					      &jumped) ||
			    quire_record_seek(r, at.index, &jumped) ||
			    !same_state(&played, &jumped))
				ck_abort_msg("seed %llu: another state at event %llu",
					     (unsigned long long)seed,
					     (unsigned long long)at.index);
		}
		ck_assert(played.counts.finished == world.metrics.finished);
		ck_assert(played.counts.refused == world.metrics.refused);
		ck_assert(played.counts.arrived == REQUESTS && played.counts.seqs_count == 0);
		ck_assert(played.counts.steps_done == world.metrics.steps);
		ck_assert(played.counts.preemptions == world.metrics.preemptions);
		ck_assert(played.counts.copied_slots == world.metrics.copied_slots);
		ck_assert(quire_record_seek(r, 0, &jumped) == 0 && jumped.counts.index == 0);
		ck_assert(quire_record_seek(r, UINT64_MAX, &jumped) == 0);
		ck_assert(same_state(&played, &jumped));
		quire_record_state_free(&played);
		quire_record_state_free(&jumped);
		quire_record_close(r);
	}
}
END_TEST

/* Watches the loop's own maps from inside a step: the state must show the same. */
static struct quire_record_state *watched;
static uint64_t maps_checked;

static void watch_emit(struct quire_sink *sink, const struct quire_event *e)
{
	const struct quire_record_seq *s;

	(void)sink;
	if (quire_record_state_apply(watched, e))
		ck_abort_msg("%s", quire_failure());
	if (e->kind != QUIRE_EV_PREEMPT)
		return;
	/* It waits with nothing, until a RUN says more. */
	s = quire_record_state_seq(watched, e->seq);
	if (!s || s->state != QUIRE_WAITING || s->cached_tokens || s->blocks_count)
		ck_abort_msg("sequence %u was preempted and is not in the state so", e->seq);
}

static struct quire_sink watch = {.kinds = QUIRE_EV_ALL, .emit = watch_emit};

static int watch_step(struct quire_exec *ex, const struct quire_plan *plan,
		      struct quire_result *results)
{
	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_seq *seq = plan->items[i].seq;
		const struct quire_record_seq *s = quire_record_state_seq(watched, seq->id);

		maps_checked++;
		if (!s || s->request != seq->request->id || s->sample != seq->sample ||
		    s->known_tokens != seq->known_tokens || s->preemptions != seq->preemptions ||
		    s->cached_tokens != seq->cached_tokens || s->state != seq->state ||
		    s->prompt_tokens != seq->request->prompt_tokens ||
		    s->run_tokens != plan->items[i].tokens ||
		    s->blocks_count * s->block_slots < seq->cached_tokens)
			ck_abort_msg("sequence %u is another in the state", seq->id);
	}
	return clock_step(ex, plan, results);
}

static const struct quire_exec_ops watch_ops = {
	.name = "watch",
	.summary = "looks at the state",
	.now_ns = clock_now,
	.idle = clock_idle,
	.step = watch_step,
};

START_TEST(the_state_is_that_of_the_loop)
{
	struct quire_record_state state;
	struct quire_loop *loop;

	for (uint64_t seed = 0; seed < 100; seed++) {
		make_world(&world, seed);
		ck_assert(quire_record_state_init(&state, REQUESTS) == 0);
		watched = &state;
		world.config.sink = &watch;
		world.config.exec.ops = &watch_ops;
		loop = quire_loop_new(&world.config);
		ck_assert_msg(loop && quire_loop_run(loop) == 0, "seed %llu: %s",
			      (unsigned long long)seed, quire_failure());
		quire_loop_free(loop);
		quire_record_state_free(&state);
	}
	ck_assert(maps_checked > 10000);
}
END_TEST

static void *slurp(const char *path, size_t *size)
{
	FILE *in = fopen(path, "rb");
	struct stat st;
	void *data;

	ck_assert(in && fstat(fileno(in), &st) == 0);
	*size = (size_t)st.st_size;
	data = malloc(*size);
	ck_assert(fread(data, 1, *size, in) == *size);
	fclose(in);
	return data;
}

static void spill(const char *path, const void *data, size_t size)
{
	FILE *out = fopen(path, "wb");

	if (!out || (size && fwrite(data, 1, size, out) != size) || fclose(out) != 0)
		ck_abort_msg("cannot write %s", path);
}

/* Change one byte where it lies. */
static void poke(const char *path, size_t at, unsigned char byte)
{
	FILE *out = fopen(path, "r+b");

	if (!out || fseek(out, (long)at, SEEK_SET) != 0 || fputc(byte, out) == EOF ||
	    fclose(out) != 0)
		ck_abort_msg("cannot write %s", path);
}

/* Everything a reader can do with it; nothing may crash. */
static void use_all(const struct quire_record *r)
{
	static struct quire_report report;
	struct quire_record_state s;
	const struct quire_record_chunk *chunk;
	const uint32_t *ids;
	const char *bytes;
	size_t at = 0;

	if (quire_record_report(r, &report) || quire_record_state_init(&s, REQUESTS) ||
	    quire_record_seek(r, r->events_count, &s) ||
	    quire_record_seek(r, quire_record_index_step(r, 3), &s) ||
	    quire_record_seek(r, quire_record_index_ns(r, 500000000), &s))
		ck_abort_msg("%s", quire_failure());
	quire_record_state_free(&s);
	while ((chunk = quire_record_find(r, QUIRE_RECORD_TOKENS, &at)))
		quire_record_tokens(chunk, &ids);
	for (at = 0; (chunk = quire_record_find(r, QUIRE_RECORD_TEXT, &at));)
		quire_record_text(chunk, &bytes);
}

/* A small recording with everything in it. */
static void record_small(void)
{
	make_world(&world, 5);
	world.config.closed_users = 0;
	world.config.requests_count = world.recorder.run.requests_count = 6;
	world.recorder.chunk_events = 20;
	world.recorder.keyframe_events = 40;
	ck_assert(record(&world, file) == 0);
}

START_TEST(cut_at_every_byte_it_gives_the_sound_prefix)
{
	struct quire_record *whole, *r;
	uint64_t events;
	size_t size, unopened = 0;
	void *data;

	record_small();
	data = slurp(file, &size);
	spill(other, data, size);
	ck_assert(quire_record_open(&whole, file) == 0 && whole->complete);
	ck_assert_msg(size > 4000 && size < 60000, "%zu bytes", size);
	events = whole->events_count;
	for (size_t cut = size; cut-- > 0;) {
		int rc = truncate(other, (off_t)cut);

		if (rc == 0)
			rc = quire_record_open(&r, other);
		if (rc) {
			unopened++;
			if (rc != -EINVAL || cut >= 160)
				ck_abort_msg("cut at %zu: %s", cut, quire_failure());
			continue;
		}
		if (unopened || r->complete || !strstr(r->trouble, "cut off at byte"))
			ck_abort_msg("cut at %zu: not said, '%s'", cut, r->trouble);
		if (r->events_count > events)
			ck_abort_msg("cut at %zu: %llu events", cut,
				     (unsigned long long)r->events_count);
		if (cut == size - 1 || r->events_count != events || cut % 64 == 0)
			use_all(r);
		if (cut > size - 33) /* only the end is missing */
			ck_assert(r->events_count == whole->events_count && r->report);
		events = r->events_count;
		for (size_t i = 0; i < r->spans_count; i++)
			if (memcmp(r->spans[i].events, whole->spans[i].events,
				   r->spans[i].count * sizeof(struct quire_event)) != 0)
				ck_abort_msg("cut at %zu: other events", cut);
		quire_record_close(r);
	}
	ck_assert(unopened == 160 && events == 0); /* the header and the first chunk */
	quire_record_close(whole);
	free(data);
}
END_TEST

START_TEST(a_changed_bit_is_found)
{
	struct quire_record *r;
	unsigned char *data;
	size_t size, unseen = 0;

	record_small();
	data = slurp(file, &size);
	for (size_t at = 0; at < size; at++) {
		poke(file, at, data[at] ^ 0x10);
		if (quire_record_open(&r, file) == 0) {
			if (r->complete)
				unseen++; /* padding of chunks, and zeros of the header */
			else if (!r->trouble[0])
				ck_abort_msg("bit at %zu: not said", at);
			if (at % 16 == 0)
				use_all(r);
			quire_record_close(r);
		}
		poke(file, at, data[at]);
	}
	ck_assert_msg(unseen < 200, "%zu", unseen);
	free(data);
}
END_TEST

/* What a chunk of nonsense with a good checksum can do: nothing. */
START_TEST(nonsense_does_no_harm)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct quire_recorder *rec;
		struct quire_record *r;
		struct quire_rng rng;
		struct quire_sink *sink;

		make_world(&world, seed);
		quire_rng_seed(&rng, seed, "nonsense");
		ck_assert(quire_recorder_open(&rec, file) == 0);
		quire_recorder_begin(rec, &world.recorder);
		sink = quire_recorder_sink(rec);
		for (uint32_t i = 0; i < 3000; i++) {
			struct quire_event e = {
				.at_ns = quire_rng_next(&rng),
				.step = quire_rng_below(&rng, 50),
				.kind = quire_rng_below(&rng, QUIRE_EV_COUNT + 2),
				.seq = quire_rng_below(&rng, 60),
				.a = quire_rng_below(&rng,
						     quire_rng_below(&rng, 2) ? 8 : UINT32_MAX),
				.b = quire_rng_below(&rng,
						     quire_rng_below(&rng, 2) ? 8 : UINT32_MAX),
				.c = (uint32_t)quire_rng_next(&rng),
			};

			sink->emit(sink, &e);
		}
		ck_assert(quire_recorder_close(rec, "{") == 0);
		ck_assert(quire_record_open(&r, file) == 0 && r->complete);
		use_all(r);
		quire_record_close(r);
	}
}
END_TEST

START_TEST(tokens_and_text_come_back)
{
	static const uint32_t prompt[] = {1, 15043, 4294967295u};
	static const uint32_t answer[] = {7};
	struct quire_recorder *rec;
	struct quire_record *r;
	struct quire_event event = {.at_ns = 77, .step = 3, .kind = QUIRE_EV_COUNT + 5};
	struct quire_record_cursor at = {.record = NULL};
	const struct quire_record_chunk *chunk;
	const struct quire_record_tokens *t;
	const struct quire_record_text *x;
	const uint32_t *ids;
	const char *bytes;
	size_t where = 0;

	make_world(&world, 1);
	ck_assert(quire_recorder_open(&rec, file) == 0);
	quire_recorder_begin(rec, &world.recorder);
	quire_recorder_tokens(rec, 3, 0, 0, prompt, 3);
	quire_recorder_sink(rec)->emit(quire_recorder_sink(rec), &event);
	quire_recorder_text(rec, 3, 4, 3, 1, "gr\xc3\xbc\xc3\x9f", 6);
	quire_recorder_tokens(rec, 3, 4, 3, answer, 1);
	quire_recorder_text(rec, 3, 4, 4, 0, "", 0);
	ck_assert(quire_recorder_close(rec, NULL) == 0);

	ck_assert(quire_record_open(&r, file) == 0 && r->complete && !r->report);
	at.record = r;
	ck_assert(r->events_count == 1 && quire_record_next(&at)->at_ns == 77);
	ck_assert(!quire_record_next(&at));
	chunk = quire_record_find(r, QUIRE_RECORD_TOKENS, &where);
	t = quire_record_tokens(chunk, &ids);
	ck_assert(t && t->request == 3 && t->seq == 0 && t->first == 0 && t->count == 3);
	ck_assert(!memcmp(ids, prompt, sizeof(prompt)) && chunk->step == 0);
	chunk = quire_record_find(r, QUIRE_RECORD_TOKENS, &where);
	t = quire_record_tokens(chunk, &ids);
	ck_assert(t && t->seq == 4 && t->first == 3 && t->count == 1 && ids[0] == 7);
	ck_assert(chunk->step == 3 && chunk->at_ns == 77);
	ck_assert(!quire_record_find(r, QUIRE_RECORD_TOKENS, &where));
	where = 0;
	x = quire_record_text(quire_record_find(r, QUIRE_RECORD_TEXT, &where), &bytes);
	ck_assert(x && x->seq == 4 && x->count == 1 && x->bytes == 6);
	ck_assert(!memcmp(bytes, "gr\xc3\xbc\xc3\x9f", 6));
	x = quire_record_text(quire_record_find(r, QUIRE_RECORD_TEXT, &where), &bytes);
	ck_assert(x && x->bytes == 0);
	quire_record_close(r);
}
END_TEST

/* Kinds of chunks of a later quire are passed over. */
START_TEST(unknown_chunks_are_skipped)
{
	struct quire_record *r;
	unsigned char *data, *more;
	size_t size, head;

	record_small();
	data = slurp(file, &size);
	/* The TOKS of one file, renamed before its checksum is made, is an unknown kind:
	 * here a copy of the CONF chunk in which only kind and checksum differ. */
	head = sizeof(struct quire_record_header) + sizeof(struct quire_record_chunk) +
	       sizeof(struct quire_record_run);
	more = malloc(size + 32);
	memcpy(more, data, head);
	memset(more + head, 0, 32);
	memcpy(more + head, "WHAT", 4);
	memcpy(more + head + 4, (const uint32_t[]){0}, 4);
	{
		/* crc32 of the header alone, bit by bit */
		uint32_t crc = UINT32_MAX;

		for (size_t i = 0; i < 32; i++) {
			crc ^= more[head + i];
			for (int k = 0; k < 8; k++)
				crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
		}
		crc = ~crc;
		memcpy(more + head + 4, &crc, 4);
	}
	memcpy(more + head + 32, data + head, size - head);
	spill(other, more, size + 32);
	ck_assert_msg(quire_record_open(&r, other) == 0, "%s", quire_failure());
	ck_assert_msg(r->complete, "%s", r->trouble);
	ck_assert(r->config && r->report && r->events_count > 100);
	quire_record_close(r);
	free(more);
	free(data);
}
END_TEST

START_TEST(the_same_run_gives_the_same_bytes)
{
	size_t a, b;
	void *x, *y;

	make_world(&world, 9);
	record(&world, file);
	make_world(&world, 9);
	record(&world, other);
	x = slurp(file, &a);
	y = slurp(other, &b);
	ck_assert(a == b && !memcmp(x, y, a));
	free(x);
	free(y);
}
END_TEST

START_TEST(what_is_no_recording_is_refused)
{
	struct quire_record_header header = {
		.magic = "quirerec", .version = 1, .byte_order = 0x01020304u, .event_bytes = 32};
	struct quire_record *r;

	ck_assert(quire_record_open(&r, folder) == -EINVAL && strstr(quire_failure(), folder));
	ck_assert(quire_record_open(&r, "/nowhere/x") == -ENOENT);
	spill(other, "{\"schema\": 1}", 13);
	ck_assert(quire_record_open(&r, other) == -EINVAL);
	ck_assert(strstr(quire_failure(), "no recording"));
	ck_assert(!quire_record_is(other));
	header.version = 2;
	spill(other, &header, sizeof(header));
	ck_assert(quire_record_open(&r, other) == -EINVAL && strstr(quire_failure(), "version 2"));
	ck_assert(quire_record_is(other));
	header.version = 1;
	header.byte_order = 0x04030201u;
	spill(other, &header, sizeof(header));
	ck_assert(quire_record_open(&r, other) == -EINVAL && strstr(quire_failure(), "byte order"));
}
END_TEST

START_TEST(a_full_disk_ends_the_recording_alone)
{
	struct quire_recorder *rec;
	struct quire_loop *loop;

	if (access("/dev/full", W_OK) != 0)
		return;
	make_world(&world, 2);
	ck_assert(quire_recorder_open(&rec, "/dev/full") == 0);
	world.config.sink = quire_recorder_sink(rec);
	loop = quire_loop_new(&world.config);
	quire_recorder_begin(rec, &world.recorder);
	ck_assert(quire_loop_run(loop) == 0);
	ck_assert(quire_loop_metrics(loop)->arrived == REQUESTS);
	quire_loop_free(loop);
	ck_assert(quire_recorder_close(rec, "{}") == -ENOSPC);
	ck_assert(strstr(quire_failure(), "/dev/full"));
	ck_assert(quire_recorder_open(&rec, "/nowhere/x") == -ENOENT);
}
END_TEST

/* ---- the timeline ---------------------------------------------------------------- */

/* Hands on what two sinks want to hear. */
struct both {
	struct quire_sink sink;
	uint64_t items, tokens, dones;
	struct quire_sink *to;
};

static void both_emit(struct quire_sink *sink, const struct quire_event *e)
{
	struct both *b = (struct both *)sink;

	b->items += e->kind == QUIRE_EV_RUN;
	b->tokens += e->kind == QUIRE_EV_RUN ? e->a : 0;
	b->dones += e->kind == QUIRE_EV_DONE;
	b->to->emit(b->to, e);
}

/* Run the world into a timeline of at most @full bytes; when it was cut, or 0. */
static uint64_t draw(struct world *w, uint64_t full, struct both *both)
{
	struct quire_perfetto *p;
	struct quire_loop *loop;
	uint64_t cut_ns;

	ck_assert(quire_perfetto_open(&p, file) == 0);
	*both = (struct both){.sink = {QUIRE_EV_ALL, both_emit}, .to = quire_perfetto_sink(p)};
	w->config.sink = &both->sink;
	quire_perfetto_begin(p, "a \"world\"\n", w->config.slots_total, REQUESTS, full);
	loop = quire_loop_new(&w->config);
	ck_assert(loop && quire_loop_run(loop) == 0);
	quire_loop_free(loop);
	ck_assert(quire_perfetto_close(p, &cut_ns) == 0);
	return cut_ns;
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

START_TEST(a_timeline_has_every_item_once)
{
	uint64_t padding = 0, recompute = 0, samples = 0, instants = 0;

	for (uint64_t seed = 0; seed < 100; seed++) {
		double end_of[64] = {0}, steps = 0, tokens = 0, memory;
		uint64_t counters = 0;
		struct both both;
		json_t *all, *e;
		size_t i;

		make_world(&world, seed);
		ck_assert(draw(&world, 0, &both) == 0);
		all = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
		ck_assert_msg(json_is_array(all), "seed %llu: no JSON", (unsigned long long)seed);
		json_array_foreach(all, i, e)
		{
			const char *name = json_string_value(json_object_get(e, "name"));
			const char *ph = json_string_value(json_object_get(e, "ph"));
			const json_t *args = json_object_get(e, "args");
			size_t lane = (size_t)number(e, "tid");

			instants += *ph == 'i';
			if (*ph == 'C' && !strcmp(name, "memory")) {
				memory = number(args, "token_states") + number(args, "reserved") +
					 number(args, "internal") + number(args, "rounding") +
					 number(args, "free");
				if (fabs(memory - world.config.slots_total) > 0.5)
					ck_abort_msg("kinds of memory add up to %g", memory);
				counters++;
			}
			if (*ph != 'X')
				continue;
			/* In one lane in order, each after the one before. */
			if (lane < 1 || lane > world.config.seqs_max ||
			    number(e, "ts") < end_of[lane] - 1e-6 || number(e, "dur") <= 0)
				ck_abort_msg("seed %llu: %s lies over another one",
					     (unsigned long long)seed, name);
			end_of[lane] = number(e, "ts") + number(e, "dur");
			steps += number(args, "steps");
			tokens += number(args, "tokens");
			padding += strstr(name, "padding") != NULL;
			recompute += strstr(name, "recompute") != NULL;
			samples += strchr(name, '.') != NULL;
		}
		ck_assert(steps > 0 && (uint64_t)steps == both.items);
		ck_assert((uint64_t)tokens == both.tokens);
		ck_assert(counters >= both.dones);
		json_decref(all);
	}
	ck_assert(padding > 10 && recompute > 10 && samples > 100 && instants > 100);
}
END_TEST

START_TEST(a_timeline_is_bounded)
{
	struct both both;
	size_t free_size, size;
	uint64_t cut_ns;
	json_t *all;

	make_world(&world, 11);
	ck_assert(draw(&world, 0, &both) == 0);
	free(slurp(file, &free_size));
	ck_assert(free_size > 60000);

	make_world(&world, 11);
	cut_ns = draw(&world, free_size / 2, &both); /* coarser, and complete */
	free(slurp(file, &size));
	ck_assert_msg(cut_ns == 0 && size < free_size / 2, "%zu", size);

	make_world(&world, 11);
	cut_ns = draw(&world, 10000, &both);
	free(slurp(file, &size));
	ck_assert_msg(cut_ns > 0 && size < 20000, "%zu", size);
	all = json_load_file(file, 0, NULL);
	ck_assert(json_is_array(all));
	json_decref(all);
}
END_TEST

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Told, not judged: a shared machine has bad days. */
START_TEST(what_an_event_costs)
{
	enum { EVENTS = 4000000 };
	struct quire_recorder *rec;
	struct quire_sink *sink;
	static const clockid_t clock[] = {CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID,
					  CLOCK_PROCESS_CPUTIME_ID};
	double begin[3], ns[3];

	if (!getenv("QUIRE_BENCH"))
		return;
	make_world(&world, 3);
	world.recorder.chunk_events = world.recorder.keyframe_events = 0;
	ck_assert(quire_recorder_open(&rec, getenv("QUIRE_BENCH")) == 0);
	quire_recorder_begin(rec, &world.recorder);
	sink = quire_recorder_sink(rec);
	for (uint32_t i = 0; i < REQUESTS; i++)
		sink->emit(sink, &(struct quire_event){0, 0, QUIRE_EV_ARRIVE, i, 10, 10, 1});
	for (int i = 0; i < 3; i++)
		begin[i] = seconds(clock[i]);
	for (uint32_t i = 0; i < EVENTS / (2 * REQUESTS); i++) {
		for (uint32_t k = 1; k <= REQUESTS; k++)
			sink->emit(sink, &(struct quire_event){i, i, QUIRE_EV_RUN, k, 1, i, i + 1});
		sink->emit(sink, &(struct quire_event){i, i, QUIRE_EV_DONE, 0, REQUESTS, 0, 0});
		for (uint32_t k = 1; k <= REQUESTS; k++)
			sink->emit(sink, &(struct quire_event){i, i, QUIRE_EV_SAMPLE, k, 1, i, 0});
	}
	for (int i = 0; i < 3; i++)
		ns[i] = (seconds(clock[i]) - begin[i]) / EVENTS * 1e9;
	ck_assert(quire_recorder_close(rec, "{}") == 0);
	printf("recording, an event: %.1f ns; %.1f ns of the run's thread, %.1f ns of all\n", ns[0],
	       ns[1], ns[2]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(file, sizeof(file), "%s/a", folder);
	snprintf(other, sizeof(other), "%s/b", folder);
	tcase_add_test(tc, reading_back_gives_the_same_metrics_and_report);
	tcase_add_test(tc, jumping_shows_what_playing_shows);
	tcase_add_test(tc, the_state_is_that_of_the_loop);
	tcase_add_test(tc, cut_at_every_byte_it_gives_the_sound_prefix);
	tcase_add_test(tc, a_changed_bit_is_found);
	tcase_add_test(tc, nonsense_does_no_harm);
	tcase_add_test(tc, tokens_and_text_come_back);
	tcase_add_test(tc, unknown_chunks_are_skipped);
	tcase_add_test(tc, the_same_run_gives_the_same_bytes);
	tcase_add_test(tc, what_is_no_recording_is_refused);
	tcase_add_test(tc, a_full_disk_ends_the_recording_alone);
	tcase_add_test(tc, a_timeline_has_every_item_once);
	tcase_add_test(tc, a_timeline_is_bounded);
	tcase_add_test(tc, what_an_event_costs);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove(file);
	remove(other);
	rmdir(folder);
	return failed;
}
