/*
 * test_live.c - one thread writes a live recording while another one reads it: everything
 * comes through, in order, and nobody waits.  Build it with QUIRE_SANITIZE=thread to have
 * the memory order checked too.
 */
#include "tale.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static struct tale tale; /* big */

static const struct quire_record_run small_run = {
	.requests_count = 2,
	.slots_total = 64,
	.seqs_max = 4,
	.seq_tokens_max = 32,
};
static const struct quire_record_request small_requests[2] = {{.prompt_tokens = 5},
							      {.prompt_tokens = 7}};

/* The event that is the @i-th, for who has no run. */
static struct quire_event event_of(uint64_t i)
{
	return (struct quire_event){
		.at_ns = i,
		.step = (uint32_t)(i / 10),
		.kind = QUIRE_EV_FAULT,
		.a = (uint32_t)i,
		.b = (uint32_t)(i * 0x9e3779b9u),
	};
}

static bool is_event(const struct quire_event *e, uint64_t i)
{
	struct quire_event expected = event_of(i);

	return !memcmp(e, &expected, sizeof(expected));
}

static void emit_some(struct quire_live *live, uint64_t count)
{
	struct quire_sink *sink = quire_live_sink(live);

	for (uint64_t i = 0; i < count; i++) {
		struct quire_event e = event_of(i);

		sink->emit(sink, &e);
	}
}

/* ---- what one thread sees ---- */

START_TEST(what_is_written_is_read)
{
	enum { EVENTS = 3 * QUIRE_LIVE_CHUNK + 5 };
	struct quire_record_request requests[2];
	char config[] = "{\"allocator\": \"paged\"}";
	const struct quire_event *e;
	struct quire_live *live;
	uint64_t count, read = 0;

	MUST(quire_live_new(&live, 0) == 0);
	MUST(!quire_live_begun(live) && !quire_live_ended(live));
	MUST(!quire_live_events(live, 0, &count) && !count);
	memcpy(requests, small_requests, sizeof(requests));
	MUST(quire_live_begin(live, &small_run, requests, config) == 0);
	memset(requests, 0xff, sizeof(requests)); /* it has a copy */
	memset(config, 'x', sizeof(config) - 1);
	MUST(quire_live_begun(live) && quire_live_run(live)->slots_total == 64);
	MUST(quire_live_requests(live)[1].prompt_tokens == 7);
	MUST(!strcmp(quire_live_config(live), "{\"allocator\": \"paged\"}"));
	quire_live_prepare(live);
	quire_live_prepare(live);
	emit_some(live, EVENTS);
	MUST(quire_live_count(live) == EVENTS && !quire_live_trouble(live)[0]);
	while ((e = quire_live_events(live, read, &count))) {
		MUST(count && count <= QUIRE_LIVE_CHUNK);
		for (uint64_t i = 0; i < count; i++)
			MUST(is_event(&e[i], read + i));
		read += count;
	}
	MUST(read == EVENTS);
	MUST(is_event(quire_live_events(live, 12345, &count), 12345));
	quire_live_end(live, "the scheduler stalls");
	MUST(quire_live_ended(live) && !strcmp(quire_live_trouble(live), "the scheduler stalls"));
	quire_live_prepare(live);
	emit_some(live, 1); /* too late */
	MUST(quire_live_count(live) == EVENTS);
	quire_live_free(live);
	quire_live_free(NULL);
}
END_TEST

START_TEST(a_full_one_ends_and_the_run_does_not)
{
	struct quire_live *live;
	struct quire_story *story;

	MUST(quire_live_new(&live, QUIRE_LIVE_CHUNK + 1) == 0); /* so two chunks */
	MUST(quire_live_begin(live, &small_run, small_requests, NULL) == 0);
	MUST(quire_live_sink(live)->kinds == QUIRE_EV_ALL);
	emit_some(live, 5 * QUIRE_LIVE_CHUNK);
	MUST(quire_live_count(live) == 2 * QUIRE_LIVE_CHUNK && quire_live_ended(live));
	MUST(strstr(quire_live_trouble(live), "as large as it may be"));
	MUST(quire_live_sink(live)->kinds == 0); /* nobody listens any more */
	quire_live_end(live, "later trouble");
	MUST(strstr(quire_live_trouble(live), "as large as it may be"));
	MUST(quire_story_open_live(&story, live) == 0);
	MUST(quire_story_extend(story, UINT64_MAX) == 0);
	MUST(story->over && story->indexed == 2 * QUIRE_LIVE_CHUNK);
	MUST(strstr(story->trouble, "as large as it may be"));
	quire_story_close(story);
	quire_live_free(live);
}
END_TEST

START_TEST(a_story_grows_with_its_run)
{
	struct quire_story *story;
	struct quire_scene scene;
	struct quire_live *live;
	struct quire_token token;

	MUST(quire_live_new(&live, 0) == 0);
	MUST(quire_live_begin(live, &small_run, small_requests,
			      "{\"scheduler\": \"static\", \"allocator\": \"paged,block=8\"}") ==
	     0);
	MUST(quire_story_open_live(&story, live) == 0);
	MUST(!strcmp(story->name, "static · paged") && story->cell_slots == 8);
	MUST(quire_scene_init(&scene, story) == 0);
	MUST(quire_story_extend(story, UINT64_MAX) == 0 && !story->indexed && !story->over);
	quire_live_sink(live)->emit(quire_live_sink(live),
				    &(struct quire_event){5, 0, QUIRE_EV_ARRIVE, 1, 7, 4, 1});
	MUST(story->events == 0 && quire_story_extend(story, UINT64_MAX) == 0);
	MUST(story->events == 1 && story->indexed == 1 && story->tracks_count == 2);
	MUST(quire_scene_seek(&scene, 1) == 0 && quire_scene_seq(&scene, 1));
	MUST(quire_live_text(live, 1, 0, 0, 1, "Hello", 5) == 0);
	MUST(quire_live_tokens(live, 1, 0, 0, (const uint32_t[]){70, 71}, 2) == 0);
	token = quire_story_token(story, 1, 0);
	MUST(!token.has_id && !token.text);
	MUST(quire_story_extend(story, UINT64_MAX) == 0);
	token = quire_story_token(story, 1, 0);
	MUST(token.id == 70 && token.bytes == 5 && !memcmp(token.text, "Hello", 5));
	MUST(quire_story_token(story, 1, 1).id == 71);
	quire_live_end(live, NULL);
	MUST(!story->over && quire_story_extend(story, UINT64_MAX) == 0);
	MUST(story->over && !story->trouble[0]);
	quire_scene_free(&scene);
	quire_story_close(story);
	quire_live_free(live);
}
END_TEST

/* ---- two threads ---- */

static struct quire_live *shared;
static atomic_bool failed;

static void *write_events(void *arg)
{
	const uint64_t count = *(const uint64_t *)arg;

	if (quire_live_begin(shared, &small_run, small_requests, NULL))
		failed = true;
	for (uint32_t k = 0; k < 100; k++)
		if (quire_live_text(shared, 1, k, k, 1, "text", k % 5))
			failed = true;
	emit_some(shared, count);
	quire_live_end(shared, "over");
	return NULL;
}

START_TEST(events_come_in_order_while_they_are_written)
{
	uint64_t events = 40 * QUIRE_LIVE_CHUNK + 77, read = 0, count, glances = 0;
	struct quire_piece piece;
	uint32_t pieces = 0;
	pthread_t writer;
	bool ended;

	MUST(quire_live_new(&shared, 0) == 0);
	MUST(pthread_create(&writer, NULL, write_events, &events) == 0);
	while (!quire_live_begun(shared))
		sched_yield();
	MUST(quire_live_run(shared)->seqs_max == 4);
	do {
		const struct quire_event *e;

		ended = quire_live_ended(shared); /* before looking: nothing comes behind it */
		quire_live_prepare(shared);
		while (quire_live_piece(shared, pieces, &piece)) {
			MUST(piece.seq == pieces && piece.bytes == pieces % 5);
			pieces++;
		}
		while ((e = quire_live_events(shared, read, &count))) {
			for (uint64_t i = 0; i < count; i++)
				if (!is_event(&e[i], read + i))
					ck_abort_msg("event %llu is another",
						     (unsigned long long)(read + i));
			read += count;
		}
		glances++;
	} while (!ended);
	MUST(read == events && pieces == 100 && glances > 1 && !failed);
	MUST(!strcmp(quire_live_trouble(shared), "over"));
	pthread_join(writer, NULL);
	quire_live_free(shared);
}
END_TEST

static void *run_tale(void *arg)
{
	(void)arg;
	tale_run(&tale, NULL, shared);
	return NULL;
}

/* A viewer beside a run: it always sees a picture that was, and in the end the whole. */
START_TEST(a_viewer_follows_a_run)
{
	for (uint64_t seed = 0; seed < 32; seed++) {
		struct quire_cell *cells;
		struct quire_story *story;
		struct quire_scene scene;
		struct quire_rng rng;
		pthread_t runner;
		struct retold r;

		tale_make(&tale, seed);
		quire_rng_seed(&rng, seed, "viewer");
		MUST(quire_live_new(&shared, 0) == 0);
		MUST(pthread_create(&runner, NULL, run_tale, NULL) == 0);
		while (!quire_live_begun(shared))
			sched_yield();
		MUST(quire_story_open_live(&story, shared) == 0);
		story->keyframe_events = 500;
		MUST(quire_scene_init(&scene, story) == 0);
		while (!story->over || story->indexed < story->events) {
			uint64_t mapped = 0;

			quire_live_prepare(shared);
			MUST(quire_story_extend(story, 1 + quire_rng_below(&rng, 700)) == 0);
			MUST(quire_scene_seek(&scene, story->indexed) == 0);
			for (uint32_t cell = 0; cell < story->cells_count; cell++)
				mapped += scene.cells[cell].mapped;
			if (mapped > story->run->slots_total)
				ck_abort_msg("%llu slots are mapped", (unsigned long long)mapped);
			if (quire_rng_below(&rng, 4) == 0)
				MUST(quire_scene_seek(
					     &scene,
					     quire_rng_below(&rng, (uint32_t)story->indexed + 1)) ==
				     0);
		}
		pthread_join(runner, NULL);
		MUST(story->indexed == tale.events_count);
		/* Half-way, where there is something to see. */
		retold_begin(&r, &tale, story->cell_slots);
		while (r.index < tale.events_count / 2)
			retold_next(&r);
		cells = calloc(r.cells_count, sizeof(*cells));
		retold_cells(&r, cells);
		MUST(quire_scene_seek(&scene, r.index) == 0);
		for (uint32_t cell = 0; cell < story->cells_count; cell++)
			if (memcmp(&cells[cell], &scene.cells[cell], sizeof(*cells)) != 0)
				ck_abort_msg("seed %llu: cell %u is another",
					     (unsigned long long)seed, cell);
		free(cells);
		retold_free(&r);
		quire_scene_free(&scene);
		quire_story_close(story);
		quire_live_free(shared);
		tale_free(&tale);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("live");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failures;

	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_test(tc, a_full_one_ends_and_the_run_does_not);
	tcase_add_test(tc, a_story_grows_with_its_run);
	tcase_add_test(tc, events_come_in_order_while_they_are_written);
	tcase_add_test(tc, a_viewer_follows_a_run);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures;
}
