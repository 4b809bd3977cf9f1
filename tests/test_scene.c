/*
 * test_scene.c - a scene shows the same picture however one came there, and the picture is
 * what happened: every cell against maps that are told again from the first event, sums
 * against what the run itself measured.
 *
 * The worlds are small and random, over all schedulers, allocators, samples and beams.
 */
#include "tale.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES 60u /* moments of a run that are looked at */

static char folder[] = "/tmp/quire-scene-XXXXXX";
static char file[64];
static struct tale tale; /* big */

static struct quire_story *open_story(uint64_t keyframe_events)
{
	struct quire_story *story;

	ck_assert_msg(quire_story_open(&story, file) == 0, "%s", quire_failure());
	story->keyframe_events = keyframe_events;
	ck_assert_msg(quire_story_extend(story, UINT64_MAX) == 0, "%s", quire_failure());
	MUST(story->indexed == story->events && story->over);
	return story;
}

/* ---- a moment as it is told again ---- */

struct place {
	uint64_t index;
	struct quire_cell *cells; /* [cells_count] */
	uint32_t used, shared;
	uint32_t lists[QUIRE_LIST_COUNT]; /* how many */
	uint64_t ids;			  /* of all of them, mixed in order */
};

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0xff51afd7ed558ccdu;
	return h ^ h >> 29;
}

static void look(const struct retold *r, struct place *p)
{
	p->index = r->index;
	p->cells = calloc(r->cells_count, sizeof(*p->cells));
	retold_cells(r, p->cells);
	p->used = p->shared = 0;
	for (uint32_t cell = 0; cell < r->cells_count; cell++) {
		p->used += p->cells[cell].refs > 0;
		p->shared += p->cells[cell].refs > 1;
	}
	memset(p->lists, 0, sizeof(p->lists));
	p->ids = 0;
	for (uint32_t which = 0; which < QUIRE_LIST_COUNT; which++) {
		for (uint32_t id = 1; id <= r->count; id++) {
			const struct retold_seq *s = &r->seqs[id];
			uint32_t list = s->kept	     ? QUIRE_LIST_KEPT
					: s->waiting ? QUIRE_LIST_WAITING
						     : QUIRE_LIST_RUNNING;

			if (s->gone || list != which)
				continue;
			p->lists[which]++;
			p->ids = mix(p->ids, id);
		}
	}
}

static int by_index(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Tell the run again, and look at random moments, the first and the last among them. */
static void look_around(const struct quire_story *story, struct place *places,
			struct quire_rng *rng)
{
	uint64_t index[PLACES];
	struct retold r;

	for (uint32_t i = 0; i < PLACES; i++)
		index[i] = quire_rng_below(rng, (uint32_t)tale.events_count + 1);
	index[0] = 0;
	index[1] = tale.events_count;
	qsort(index, PLACES, sizeof(*index), by_index);
	retold_begin(&r, &tale, story->cell_slots);
	MUST(r.cells_count == story->cells_count);
	for (uint32_t i = 0; i < PLACES; i++) {
		while (r.index < index[i])
			retold_next(&r);
		look(&r, &places[i]);
	}
	retold_free(&r);
}

/* ---- a scene against it ---- */

static void check_cells(const struct quire_scene *scene, const struct place *p)
{
	const struct quire_story *story = scene->story;

	MUST(scene->index == p->index);
	for (uint32_t cell = 0; cell < story->cells_count; cell++) {
		const struct quire_cell *a = &scene->cells[cell], *b = &p->cells[cell];

		if (a->owner != b->owner || a->position != b->position ||
		    a->given_step != b->given_step || a->refs != b->refs ||
		    a->mapped != b->mapped || a->live != b->live || a->reserved != b->reserved)
			ck_abort_msg(
				"seed %llu, %s x %s, event %llu, cell %u of %u slots: owner %u "
				"position %u step %u refs %u mapped %u live %u reserved %u, "
				"expected %u %u %u %u %u %u %u",
				(unsigned long long)tale.seed, tale.scheduler, tale.allocator,
				(unsigned long long)p->index, cell, story->cell_slots, a->owner,
				a->position, a->given_step, a->refs, a->mapped, a->live,
				a->reserved, b->owner, b->position, b->given_step, b->refs,
				b->mapped, b->live, b->reserved);
	}
	if (scene->cells_used != p->used || scene->cells_shared != p->shared)
		ck_abort_msg(
			"seed %llu, event %llu: %u cells used and %u shared, expected %u and %u",
			(unsigned long long)tale.seed, (unsigned long long)p->index,
			scene->cells_used, scene->cells_shared, p->used, p->shared);
}

static void check_lists(const struct quire_scene *scene, const struct place *p)
{
	static uint32_t ids[16384];
	uint64_t mixed = 0;

	for (uint32_t which = 0; which < QUIRE_LIST_COUNT; which++) {
		uint32_t count = quire_scene_list(scene, which, ids, 16384), few[2] = {0, 0};

		if (count != p->lists[which])
			ck_abort_msg("seed %llu, event %llu: %u in list %u, expected %u",
				     (unsigned long long)tale.seed, (unsigned long long)p->index,
				     count, which, p->lists[which]);
		for (uint32_t i = 0; i < count; i++)
			mixed = mix(mixed, ids[i]);
		MUST(quire_scene_list(scene, which, few, 1) == count && !few[1]);
		MUST(!count || few[0] == ids[0]);
	}
	MUST(mixed == p->ids);
}

/* Sharers, places and what is done, from the maps in the state. */
static void check_answers(const struct quire_scene *scene)
{
	const struct quire_story *story = scene->story;
	const struct quire_record_state *s = &scene->state;

	for (uint32_t cell = 0; cell < story->cells_count; cell++) {
		uint32_t ids[64], expected = 0, found = quire_scene_sharers(scene, cell, ids, 64);

		for (uint32_t id = 1; id <= s->counts.seqs_born; id++) {
			const struct quire_record_seq *seq = quire_scene_seq(scene, id);
			uint32_t at, slot;
			bool shows = false;

			for (uint32_t i = 0; seq && i < seq->blocks_count * seq->block_slots; i++) {
				if (!quire_scene_place(scene, id, i, &at, &slot) ||
				    slot >= story->cell_slots)
					ck_abort_msg("token %u of sequence %u lies nowhere", i, id);
				shows |= at == cell;
			}
			if (shows && (expected >= found || ids[expected] != id))
				ck_abort_msg("cell %u: sharer %u is not %u", cell, expected, id);
			expected += shows;
		}
		if (expected != found || found != scene->cells[cell].refs)
			ck_abort_msg("cell %u has %u sharers, expected %u", cell, found, expected);
	}
	for (uint32_t i = 0; i < s->counts.seqs_count; i++) {
		const struct quire_record_seq *seq = &s->seqs[i];
		const struct quire_track *track = &story->tracks[seq->id];
		enum quire_span_kind doing = quire_scene_doing(scene, seq);
		uint32_t cell, slot;
		bool runs = doing == QUIRE_SPAN_PROMPT || doing == QUIRE_SPAN_DECODE ||
			    doing == QUIRE_SPAN_RECOMPUTE;

		MUST(track->request == seq->request || seq->request == QUIRE_RECORD_NOBODY);
		if (seq->state != QUIRE_RUNNING ? runs || doing == QUIRE_SPAN_HELD
						: !runs && doing != QUIRE_SPAN_HELD)
			ck_abort_msg("seed %llu: sequence %u does %d in state %u",
				     (unsigned long long)tale.seed, seq->id, doing, seq->state);
		if (runs != (seq->state == QUIRE_RUNNING && seq->planned_step == s->counts.step))
			ck_abort_msg("seed %llu: sequence %u does %d",
				     (unsigned long long)tale.seed, seq->id, doing);
		MUST(!quire_scene_place(scene, seq->id, seq->blocks_count * seq->block_slots, &cell,
					&slot));
	}
	MUST(!quire_scene_place(scene, s->counts.seqs_born + 1, 0, &(uint32_t){0}, &(uint32_t){0}));
	MUST(!quire_scene_seq(scene, 0));
}

/* A copy that is brought up to date as scene.h says. */
struct copy {
	struct quire_cell *cells;
	uint32_t seen;
};

static void update(struct copy *copy, const struct quire_scene *scene)
{
	uint32_t count = scene->story->cells_count;

	for (uint32_t g = 0; g < scene->groups_count; g++) {
		uint32_t first = g * QUIRE_GROUP_CELLS, cells = count - first;

		if (scene->changed[g] <= copy->seen)
			continue;
		cells = cells < QUIRE_GROUP_CELLS ? cells : QUIRE_GROUP_CELLS;
		memcpy(copy->cells + first, scene->cells + first, cells * sizeof(*copy->cells));
	}
	copy->seen = scene->tick;
	if (memcmp(copy->cells, scene->cells, count * sizeof(*copy->cells)) != 0)
		ck_abort_msg("seed %llu, event %llu: a cell changed and nobody said so",
			     (unsigned long long)tale.seed, (unsigned long long)scene->index);
}

/* Flashes of the step that runs and the one before, mixed. */
static uint64_t flashes(const struct quire_scene *scene)
{
	uint32_t step = quire_story_step_at(scene->story, scene->index);
	uint64_t h = 0, first = scene->flashes_first;

	if (scene->flashes_count > first + QUIRE_FLASHES_MAX)
		first = scene->flashes_count - QUIRE_FLASHES_MAX;
	for (uint64_t i = first; i < scene->flashes_count; i++) {
		const struct quire_flash *f = &scene->flashes[i % QUIRE_FLASHES_MAX];

		MUST(f->index < scene->index && f->cell < scene->story->cells_count);
		if (f->step + 1 < step)
			continue;
		h = mix(mix(mix(h, f->cell), mix(f->from, f->seq)), mix(f->index, f->kind));
		h = mix(mix(h, f->step), f->at_ns);
	}
	return h;
}

START_TEST(every_cell_is_as_it_is_told_again)
{
	uint64_t shared = 0, kept = 0, small = 0, ended = 0;

	for (uint64_t seed = 0; seed < 64; seed++) {
		struct place places[PLACES];
		uint64_t seen[PLACES] = {0};
		struct quire_story *story;
		struct quire_scene scene;
		struct quire_rng rng;
		struct copy copy;

		tale_make(&tale, seed);
		tale_run(&tale, file, NULL);
		quire_rng_seed(&rng, seed, "places");
		story = open_story(seed % 3 ? 50 + quire_rng_below(&rng, 1000) : 65536);
		MUST(story->events == tale.events_count);
		MUST(seed % 3 == 0 || story->keyframes_count > 0);
		look_around(story, places, &rng);
		MUST(quire_scene_init(&scene, story) == 0);
		copy = (struct copy){.cells = calloc(story->cells_count, sizeof(*copy.cells))};
		for (uint32_t turn = 0; turn < 4 * PLACES; turn++) {
			/* Forward through all, backward, and then wildly. */
			uint32_t i = turn < PLACES	 ? turn
				     : turn < 2 * PLACES ? 2 * PLACES - 1 - turn
							 : quire_rng_below(&rng, PLACES);

			MUST(quire_scene_seek(&scene, places[i].index) == 0);
			check_cells(&scene, &places[i]);
			check_lists(&scene, &places[i]);
			update(&copy, &scene);
			if (turn < PLACES)
				seen[i] = flashes(&scene);
			else if (seen[i] != flashes(&scene))
				ck_abort_msg("seed %llu, event %llu: other flashes",
					     (unsigned long long)seed,
					     (unsigned long long)places[i].index);
			if (turn % 64 == 5)
				check_answers(&scene);
			shared += scene.cells_shared;
			kept += places[i].lists[QUIRE_LIST_KEPT];
			small += story->cell_slots == 1;
		}
		MUST(tale.rc || places[PLACES - 1].used == 0);
		ended += !tale.rc;
		for (uint32_t i = 0; i < PLACES; i++)
			free(places[i].cells);
		free(copy.cells);
		quire_scene_free(&scene);
		quire_story_close(story);
		tale_free(&tale);
	}
	MUST(shared > 1000 && kept > 1000 && small > 100 && ended > 50);
}
END_TEST

/* What the run measured itself, before each step. */
START_TEST(sums_over_cells_are_what_the_run_measured)
{
	uint64_t samples = 0, exact = 0;

	for (uint64_t seed = 0; seed < 64; seed++) {
		struct quire_story *story;
		struct quire_scene scene;

		tale_make(&tale, seed);
		tale_run(&tale, file, NULL);
		story = open_story(65536);
		MUST(quire_scene_init(&scene, story) == 0);
		for (uint64_t i = 0; i + 2 < tale.events_count; i++) {
			const struct quire_event *e = &tale.events[i], *pool = e + 1,
						 *share = e + 2;
			uint64_t live = 0, reserved = 0, mapped = 0;
			const struct quire_record_state *s = &scene.state;
			bool kept_shares = false;

			if (e->kind != QUIRE_EV_MEMORY)
				continue;
			MUST(pool->kind == QUIRE_EV_POOL && share->kind == QUIRE_EV_SHARE);
			MUST(quire_scene_seek(&scene, i + 1) == 0);
			for (uint32_t cell = 0; cell < story->cells_count; cell++) {
				live += scene.cells[cell].live;
				reserved += scene.cells[cell].reserved;
				mapped += scene.cells[cell].mapped;
			}
			for (uint32_t k = 0; k < s->counts.seqs_count; k++)
				kept_shares |= s->seqs[k].state == QUIRE_FINISHED &&
					       tale.requests[s->seqs[k].request].samples > 1;
			samples++;
			/* What a kept row shared when it ended counts as live for the run as
			 * long as it is kept; refold.c has the same. */
			if (kept_shares ? e->a < live || e->a > mapped : e->a != live)
				ck_abort_msg(
					"seed %llu, step %u: %u live slots, the cells show %llu",
					(unsigned long long)seed, e->step, e->a,
					(unsigned long long)live);
			if (share->a != mapped ||
			    mapped + pool->a + pool->b != story->run->slots_total ||
			    e->a + e->b + e->c != mapped)
				ck_abort_msg(
					"seed %llu, step %u: %u mapped slots, the cells show %llu",
					(unsigned long long)seed, e->step, share->a,
					(unsigned long long)mapped);
			if (share->b != share->a || !tale.ends_known || tale.uneven)
				continue;
			exact++;
			if (e->b != reserved)
				ck_abort_msg("seed %llu, step %u: %u reserved, the cells show %llu",
					     (unsigned long long)seed, e->step, e->b,
					     (unsigned long long)reserved);
		}
		quire_scene_free(&scene);
		quire_story_close(story);
		tale_free(&tale);
	}
	MUST(samples > 8000 && exact > 2000);
}
END_TEST

/* The same cells and state, however one came there. */
static void check_same(const struct quire_scene *a, const struct quire_scene *b)
{
	MUST(a->index == b->index && a->cells_used == b->cells_used &&
	     a->cells_shared == b->cells_shared);
	for (uint32_t cell = 0; cell < a->story->cells_count; cell++)
		if (memcmp(&a->cells[cell], &b->cells[cell], sizeof(*a->cells)) != 0)
			ck_abort_msg("seed %llu, event %llu: cell %u has owner %u and %u, refs %u "
				     "and %u",
				     (unsigned long long)tale.seed, (unsigned long long)a->index,
				     cell, a->cells[cell].owner, b->cells[cell].owner,
				     a->cells[cell].refs, b->cells[cell].refs);
}

START_TEST(a_step_back_undoes_a_step_on)
{
	for (uint64_t seed = 0; seed < 16; seed++) {
		struct quire_story *story;
		struct quire_scene on, back;

		tale_make(&tale, 5 * seed + 3);
		tale_run(&tale, file, NULL);
		story = open_story(200);
		MUST(quire_scene_init(&on, story) == 0);
		MUST(quire_scene_init(&back, story) == 0);
		MUST(quire_scene_seek(&back, UINT64_MAX) == 0);
		MUST(back.index == story->events);
		for (uint64_t i = 0; i < story->events; i += 7) {
			MUST(quire_scene_seek(&on, i) == 0);
			MUST(quire_scene_seek(&back, i + 1) == 0);
			MUST(quire_scene_seek(&back, i) == 0);
			check_same(&on, &back);
		}
		quire_scene_free(&on);
		quire_scene_free(&back);
		quire_story_close(story);
		tale_free(&tale);
	}
}
END_TEST

START_TEST(a_recording_that_was_cut_off_is_shown_as_far_as_it_is_sound)
{
	struct place places[PLACES];
	struct stat st;

	tale_make(&tale, 5);
	tale_run(&tale, file, NULL);
	MUST(stat(file, &st) == 0);
	for (off_t bytes = st.st_size; bytes >= 0; bytes -= 1 + bytes / 40) {
		struct quire_story *story;
		struct quire_scene scene;
		struct retold r;

		MUST(truncate(file, bytes) == 0);
		if (quire_story_open(&story, file)) {
			MUST(strlen(quire_failure()) > 10 && bytes < 2500);
			continue;
		}
		MUST((bytes == st.st_size) == !story->trouble[0]);
		MUST(quire_story_extend(story, UINT64_MAX) == 0);
		MUST(story->indexed == story->events && story->events <= tale.events_count);
		MUST(quire_scene_init(&scene, story) == 0);
		MUST(quire_scene_seek(&scene, UINT64_MAX) == 0);
		if (story->requests) {
			retold_begin(&r, &tale, story->cell_slots);
			while (r.index < story->events)
				retold_next(&r);
			look(&r, places);
			check_cells(&scene, places);
			free(places->cells);
			retold_free(&r);
		}
		quire_scene_free(&scene);
		quire_story_close(story);
	}
	tale_free(&tale);
}
END_TEST

/* ---- by hand ---- */

/* Write events as a recording of a pool of @slots. */
static void write_events(const struct quire_event *events, uint32_t count, uint32_t slots,
			 const char *config)
{
	struct quire_request request[3] = {
		{.id = 0, .prompt_tokens = 6, .output_tokens_max = 10, .samples = 2},
		{.id = 1, .prompt_tokens = 6, .output_tokens_max = 10, .samples = 1},
		{.id = 2, .prompt_tokens = 6, .output_tokens_max = 10, .samples = 1},
	};
	uint32_t output[3] = {4, 4, 4};
	struct quire_recorder_config recorder = {
		.run = {.requests_count = 3,
			.slots_total = slots,
			.seqs_max = 8,
			.seq_tokens_max = 64},
		.config = config,
		.requests = request,
		.output_tokens = output,
		.alone = true,
	};
	struct quire_recorder *rec;

	MUST(quire_recorder_open(&rec, file) == 0);
	quire_recorder_begin(rec, &recorder);
	for (uint32_t i = 0; i < count; i++)
		quire_recorder_sink(rec)->emit(quire_recorder_sink(rec), &events[i]);
	MUST(quire_recorder_close(rec, NULL) == 0);
}

static const char four[] = "{\"allocator\": \"paged,block=4\", \"scheduler\": \"continuous\"}";

static void check_flash(const struct quire_scene *scene, uint64_t i, uint32_t kind, uint32_t cell,
			uint32_t from, uint32_t seq)
{
	const struct quire_flash *f = &scene->flashes[i];

	if (f->kind != kind || f->cell != cell || f->from != from || f->seq != seq)
		ck_abort_msg("flash %llu: kind %u of cell %u from %u by %u, expected %u %u %u %u",
			     (unsigned long long)i, f->kind, f->cell, f->from, f->seq, kind, cell,
			     from, seq);
}

START_TEST(a_fork_and_a_copy_on_write_flash)
{
	static const struct quire_event events[] = {
		{0, 0, QUIRE_EV_ARRIVE, 0, 6, 10, 2},
		{0, 1, QUIRE_EV_MAP, 1, 0, 8, 4},
		{0, 1, QUIRE_EV_MAP, 1, 1, 20, 4},
		{0, 1, QUIRE_EV_RUN, 1, 6, 0, 6},
		{0, 1, QUIRE_EV_STEP, 0, 1, 6, 0},
		{9, 1, QUIRE_EV_DONE, 0, 1, 2, 1},
		{9, 1, QUIRE_EV_MAP, 2, 0, 8, 4},
		{9, 1, QUIRE_EV_MAP, 2, 1, 20, 4},
		{9, 1, QUIRE_EV_FORK, 2, 1, 6, 6},
		{9, 1, QUIRE_EV_SAMPLE, 2, 7, 7, 0},
		{9, 1, QUIRE_EV_SAMPLE, 1, 8, 7, 0},
		{9, 2, QUIRE_EV_MAP, 1, 1, 0, 4}, /* it writes first: it copies */
		{9, 2, QUIRE_EV_COPY, 1, 20, 0, 2},
		{9, 2, QUIRE_EV_RUN, 1, 1, 6, 7},
		{9, 2, QUIRE_EV_PREEMPT, 2, 6, 0, 0},
		{9, 2, QUIRE_EV_STEP, 0, 1, 1, 0},
		{19, 2, QUIRE_EV_DONE, 0, 1, 1, 1},
		{19, 2, QUIRE_EV_FINISH, 1, 7, 0, 0},
	};
	struct quire_story *story;
	struct quire_scene scene;
	uint32_t ids[4];

	write_events(events, 18, 30, four);
	story = open_story(65536);
	MUST(story->cell_slots == 4 && story->cells_count == 8);
	ck_assert_str_eq(story->name, "continuous · paged");
	MUST(quire_scene_init(&scene, story) == 0);

	MUST(quire_scene_seek(&scene, 9) == 0);
	MUST(scene.flashes_count == 4 && scene.cells_used == 2 && scene.cells_shared == 2);
	check_flash(&scene, 0, QUIRE_FLASH_GIVEN, 2, 0, 1);
	check_flash(&scene, 1, QUIRE_FLASH_GIVEN, 5, 0, 1);
	check_flash(&scene, 2, QUIRE_FLASH_SHARED, 2, 1, 2);
	check_flash(&scene, 3, QUIRE_FLASH_SHARED, 5, 1, 2);
	MUST(quire_scene_sharers(&scene, 5, ids, 4) == 2 && ids[0] == 1 && ids[1] == 2);
	MUST(scene.cells[5].owner == 1 && scene.cells[5].position == 4);
	MUST(scene.cells[5].live == 2 && scene.cells[5].reserved == 2);

	MUST(quire_scene_seek(&scene, 14) == 0);
	MUST(scene.flashes_count == 6 && scene.cells_used == 3 && scene.cells_shared == 1);
	check_flash(&scene, 4, QUIRE_FLASH_GIVEN, 0, 0, 1);
	check_flash(&scene, 5, QUIRE_FLASH_COPIED, 0, 5, 1);
	MUST(scene.cells[0].owner == 1 && scene.cells[0].live == 3);
	MUST(scene.cells[5].owner == 2 && scene.cells[5].live == 2);

	MUST(quire_scene_seek(&scene, 18) == 0);
	check_flash(&scene, 6, QUIRE_FLASH_TAKEN, 5, 0, 2);
	check_flash(&scene, 7, QUIRE_FLASH_FREED, 2, 0, 1);
	check_flash(&scene, 8, QUIRE_FLASH_FREED, 0, 0, 1);
	MUST(scene.flashes_count == 9 && scene.cells_used == 0);
	MUST(scene.cells[5].given_step == 2 && scene.cells[1].given_step == 0);
	quire_scene_free(&scene);
	quire_story_close(story);
}
END_TEST

/* Regions begin anywhere: two of different maps in one cell share nothing. */
START_TEST(two_regions_in_one_cell_are_counted_apart)
{
	static const struct quire_event events[] = {
		{0, 0, QUIRE_EV_ARRIVE, 0, 6, 10, 1}, {0, 0, QUIRE_EV_ARRIVE, 1, 6, 10, 1},
		{0, 1, QUIRE_EV_MAP, 1, 0, 0, 8},     {0, 1, QUIRE_EV_RUN, 1, 6, 0, 6},
		{0, 1, QUIRE_EV_MAP, 2, 0, 8, 12},    {0, 1, QUIRE_EV_RUN, 2, 5, 0, 6},
		{0, 1, QUIRE_EV_STEP, 0, 2, 11, 0},   {9, 1, QUIRE_EV_DONE, 0, 2, 1, 2},
	};
	struct quire_story *story;
	struct quire_scene scene;

	/* The name is kept to at first ... */
	write_events(events, 8, 64, "{\"allocator\": \"mine,block=8\", \"scheduler\": \"x\"}");
	story = open_story(65536);
	MUST(story->cell_slots == 8);
	quire_story_close(story);
	/* ... or not: 8 is no multiple of 16. */
	write_events(events, 8, 64, "{\"allocator\": \"mine,block=16\", \"scheduler\": \"x\"}");
	story = open_story(65536);
	MUST(story->cell_slots == 8);
	quire_story_close(story);
	write_events(events, 8, 64, "{}");
	story = open_story(65536);
	MUST(story->cell_slots == 8 && !strcmp(story->name, file));

	/* As if the cells had been chosen before. */
	story->cell_slots = 16;
	story->cells_count = 4;
	MUST(quire_scene_init(&scene, story) == 0);
	MUST(quire_scene_seek(&scene, 8) == 0);
	MUST(scene.cells[0].owner == 1 && scene.cells[0].refs == 2);
	MUST(scene.cells[0].mapped == 16 && scene.cells[0].live == 11);
	MUST(scene.cells[0].reserved == 2 + 3); /* both end at 10 tokens */
	MUST(scene.cells[1].owner == 2 && scene.cells[1].position == 8);
	MUST(scene.cells[1].mapped == 4 && scene.cells[1].live == 0);
	MUST(scene.cells[1].reserved == 2 && scene.cells_shared == 1);
	quire_scene_free(&scene);
	quire_story_close(story);
}
END_TEST

/* Nothing may show one slot in two places, but a recording can say so. */
START_TEST(a_slot_is_the_eldests_that_shows_it)
{
	static const struct quire_event events[] = {
		{0, 0, QUIRE_EV_ARRIVE, 0, 6, 10, 1}, {0, 0, QUIRE_EV_ARRIVE, 1, 6, 10, 1},
		{0, 1, QUIRE_EV_MAP, 2, 0, 6, 8},     {0, 1, QUIRE_EV_RUN, 2, 6, 0, 6},
		{0, 1, QUIRE_EV_MAP, 1, 0, 0, 8},     {0, 1, QUIRE_EV_RUN, 1, 4, 0, 6},
		{0, 1, QUIRE_EV_FINISH, 1, 6, 1, 0},
	};
	struct quire_story *story;
	struct quire_scene scene;

	write_events(events, 7, 64, "{}");
	MUST(quire_story_open(&story, file) == 0);
	story->cell_slots = 16;
	story->cells_count = 4;
	MUST(quire_story_extend(story, UINT64_MAX) == 0);
	MUST(quire_scene_init(&scene, story) == 0);
	MUST(quire_scene_seek(&scene, 6) == 0);
	/* Slots 0..3 live, 4..7 to come; then of the other one 8..11 live, 12, 13 to come. */
	MUST(scene.cells[0].owner == 1 && scene.cells[0].position == 0 && scene.cells[0].refs == 2);
	MUST(scene.cells[0].mapped == 14 && scene.cells[0].live == 8 &&
	     scene.cells[0].reserved == 6);
	/* The first has finished: slots 6..11 live, 12, 13 to come, the others wasted. */
	MUST(quire_scene_seek(&scene, 7) == 0);
	MUST(scene.cells[0].owner == 2 && scene.cells[0].position == 0 && scene.cells[0].refs == 2);
	MUST(scene.cells[0].mapped == 14 && scene.cells[0].live == 6 &&
	     scene.cells[0].reserved == 2);
	quire_scene_free(&scene);
	quire_story_close(story);
}
END_TEST

/* ---- nonsense ---- */

/* Whatever is asked, there is an answer. */
static void ask(const struct quire_scene *scene)
{
	const struct quire_record_state *s = &scene->state;
	uint32_t ids[4], cell, slot;

	for (cell = 0; cell < scene->story->cells_count; cell++) {
		const struct quire_cell *c = &scene->cells[cell];

		MUST(quire_scene_sharers(scene, cell, ids, 4) == c->refs);
		if (c->mapped > scene->story->cell_slots || c->live + c->reserved > c->mapped)
			ck_abort_msg("%u live and %u reserved of %u mapped slots", c->live,
				     c->reserved, c->mapped);
	}
	for (uint32_t i = 0; i < s->counts.seqs_count; i++) {
		quire_scene_doing(scene, &s->seqs[i]);
		quire_scene_block_cells(scene, &s->seqs[i]);
		quire_scene_place(scene, s->seqs[i].id, 5, &cell, &slot);
	}
	for (uint32_t which = 0; which < QUIRE_LIST_COUNT; which++)
		quire_scene_list(scene, which, ids, 4);
}

START_TEST(nonsense_does_no_harm)
{
	for (uint64_t seed = 0; seed < 300; seed++) {
		static struct quire_event events[600];
		struct quire_story *story;
		struct quire_scene a, b;
		struct quire_rng r;
		uint32_t wild;

		quire_rng_seed(&r, seed, "nonsense");
		wild = quire_rng_below(&r, 3);
		for (uint32_t i = 0; i < 600; i++) {
			events[i] = (struct quire_event){
				.at_ns = 10 * i,
				.step = i / 20,
				.kind = quire_rng_below(&r, QUIRE_EV_COUNT + 2),
				.seq = quire_rng_below(&r, 12),
				.a = quire_rng_below(&r, 6),
				.b = quire_rng_below(&r, 64),
				.c = quire_rng_below(&r, 9),
			};
			if (quire_rng_below(&r, 3) == 0)
				events[i].kind = QUIRE_EV_MAP;
			if (wild && quire_rng_below(&r, 20) == 0)
				events[i].step = (uint32_t)quire_rng_next(&r);
			if (wild && quire_rng_below(&r, 20) == 0)
				events[i].b = events[i].c = (uint32_t)quire_rng_next(&r);
			if (wild && quire_rng_below(&r, 40) == 0)
				events[i].seq = events[i].a = (uint32_t)quire_rng_next(&r);
		}
		tale.seed = seed;
		write_events(events, 600, 61, "{}");
		MUST(quire_story_open(&story, file) == 0);
		story->keyframe_events = 30 + quire_rng_below(&r, 100);
		/* Cells that have nothing to do with blocks. */
		if (seed % 2) {
			story->cell_slots = 2 + quire_rng_below(&r, 30);
			story->cells_count = 61 / story->cell_slots + 1;
		}
		MUST(quire_story_extend(story, UINT64_MAX) == 0);
		MUST(quire_scene_init(&a, story) == 0 && quire_scene_init(&b, story) == 0);
		for (uint32_t i = 0; i < 60; i++) {
			uint64_t index = quire_rng_below(&r, 601), played = 0;

			MUST(quire_scene_seek(&a, index) == 0);
			MUST(quire_scene_seek(&b, 0) == 0);
			while (played < index)
				MUST(quire_scene_seek(&b, ++played) == 0);
			check_same(&a, &b);
			ask(&a);
		}
		quire_scene_free(&a);
		quire_scene_free(&b);
		quire_story_close(story);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scene");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(file, sizeof(file), "%s/a", folder);
	tcase_add_test(tc, every_cell_is_as_it_is_told_again);
	tcase_add_test(tc, sums_over_cells_are_what_the_run_measured);
	tcase_add_test(tc, a_step_back_undoes_a_step_on);
	tcase_add_test(tc, a_recording_that_was_cut_off_is_shown_as_far_as_it_is_sound);
	tcase_add_test(tc, a_fork_and_a_copy_on_write_flash);
	tcase_add_test(tc, two_regions_in_one_cell_are_counted_apart);
	tcase_add_test(tc, a_slot_is_the_eldests_that_shows_it);
	tcase_add_test(tc, nonsense_does_no_harm);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove(file);
	rmdir(folder);
	return failed;
}
