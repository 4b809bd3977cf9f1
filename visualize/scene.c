/*
 * scene.c - goes to a moment: from where it is, or from a keyframe; see scene.h.
 *
 *	scene.c		seeking, one event, flashes
 *	scene_cells.c	cells: blocks that come and go
 *	scene_count.c	cells: what they hold
 *	scene_ask.c	questions
 */
#include "scene.h"

#include "scene_cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int quire_scene_init(struct quire_scene *scene, const struct quire_story *story)
{
	int rc;

	*scene = (struct quire_scene){.story = story};
	rc = quire_record_state_init(&scene->state, story->run->requests_count);
	if (rc)
		return rc;
	scene->flashes = malloc(QUIRE_FLASHES_MAX * sizeof(*scene->flashes));
	rc = scene->flashes ? scene_cells_init(scene)
			    : quire_fail(-ENOMEM, "no memory for a picture");
	if (rc)
		quire_scene_free(scene);
	return rc;
}

void quire_scene_free(struct quire_scene *scene)
{
	if (scene->state.living)
		quire_record_state_free(&scene->state);
	scene_cells_free(scene);
	free(scene->flashes);
	memset(scene, 0, sizeof(*scene));
}

/* ---- flashes ---- */

static struct quire_flash *flash_at(struct quire_scene *scene, uint64_t i)
{
	return &scene->flashes[i % QUIRE_FLASHES_MAX];
}

void scene_flash(struct quire_scene *scene, enum quire_flash_kind kind, uint32_t cell,
		 uint32_t from, uint32_t seq)
{
	const struct quire_event *e = scene->sharers->maps.event;

	if (scene->sharers->building)
		return;
	*flash_at(scene, scene->flashes_count++) = (struct quire_flash){
		.cell = cell,
		.from = from,
		.seq = seq,
		.step = e->step,
		.at_ns = e->at_ns,
		.index = scene->index,
		.kind = kind,
	};
}

/* A FORK comes behind the MAPs that share: now it is known with whom. */
static void name_parent(struct quire_scene *scene, const struct quire_event *e)
{
	uint64_t first = scene->flashes_first;

	if (scene->flashes_count > QUIRE_FLASHES_MAX &&
	    first < scene->flashes_count - QUIRE_FLASHES_MAX)
		first = scene->flashes_count - QUIRE_FLASHES_MAX;
	for (uint64_t i = scene->flashes_count; i > first; i--) {
		struct quire_flash *flash = flash_at(scene, i - 1);

		if (flash->seq != e->seq || flash->step != e->step)
			break;
		if (flash->kind == QUIRE_FLASH_SHARED)
			flash->from = e->a;
	}
}

static void flash_copy(struct quire_scene *scene, const struct quire_event *e)
{
	const struct quire_story *story = scene->story;
	uint32_t total = story->run->slots_total, slots = story->cell_slots;
	uint64_t end = (uint64_t)e->b + e->c;

	if (end > total || (uint64_t)e->a + e->c > total)
		return;
	for (uint64_t to = e->b; to < end; to = (to / slots + 1) * slots)
		scene_flash(scene, QUIRE_FLASH_COPIED, (uint32_t)(to / slots),
			    (uint32_t)((e->a + (to - e->b)) / slots), e->seq);
}

/* ---- one event ---- */

/* A step was given up: what was planned does not run, and is not live. */
static void forget_plan(struct quire_scene *scene, uint32_t count, uint32_t first)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = i ? scene->state.planned[i] : first;
		const struct quire_record_seq *seq = quire_scene_seq(scene, id);

		if (seq)
			scene_count_tokens(scene, seq, 0, UINT64_MAX);
	}
}

static int apply(struct quire_scene *scene, const struct quire_event *e)
{
	struct quire_scene_sharers *sharers = scene->sharers;
	struct quire_record_state *s = &scene->state;
	const struct quire_record_seq *seq;
	uint32_t planned = e->step != s->counts.step ? s->planned_count : 0;
	uint32_t first = planned ? s->planned[0] : 0, live = 0, now;
	int rc;

	if (e->kind == QUIRE_EV_RUN) {
		seq = quire_scene_seq(scene, e->seq);
		live = seq ? quire_scene_live(seq) : 0;
	}
	rc = story_maps_apply(&sharers->maps, s, e);
	if (rc == 0)
		rc = sharers->error;
	if (rc)
		return rc;
	if (planned)
		forget_plan(scene, planned, first);
	seq = quire_scene_seq(scene, e->seq);
	switch (seq ? e->kind : e->kind == QUIRE_EV_COPY ? e->kind : QUIRE_EV_COUNT) {
	case QUIRE_EV_RUN:
		now = quire_scene_live(seq);
		scene_count_tokens(scene, seq, live < now ? live : now, live < now ? now : live);
		break;
	case QUIRE_EV_FORK:
		name_parent(scene, e);
		scene_count_tokens(scene, seq, 0, UINT64_MAX);
		break;
	case QUIRE_EV_FINISH:
		scene_count_tokens(scene, seq, 0, UINT64_MAX);
		break;
	case QUIRE_EV_COPY:
		flash_copy(scene, e);
		break;
	default:
		break;
	}
	scene->index++;
	return 0;
}

/* ---- seeking ---- */

/* To a keyframe; NULL: to the beginning.  Return: 0; -ENOMEM. */
static int restore(struct quire_scene *scene, const struct quire_story_keyframe *k)
{
	static const struct quire_record_counts zero;
	int rc;

	if (k)
		rc = quire_record_state_read(&scene->state, k->state, k->state_bytes);
	else
		rc = quire_record_state_read(&scene->state, &zero, sizeof(zero));
	if (rc)
		return rc;
	scene_cells_clear(scene, k ? k->given_step : NULL);
	scene->index = k ? k->index : 0;
	scene->flashes_first = scene->flashes_count;
	return scene_cells_build(scene);
}

/* The last keyframe at or before @index; NULL: the beginning. */
static const struct quire_story_keyframe *keyframe_before(const struct quire_story *story,
							  uint64_t index)
{
	uint32_t low = 0, high = story->keyframes_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (story->keyframes[middle].index <= index)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &story->keyframes[low - 1] : NULL;
}

/* Before the step that runs at @index and the one before: flashes are shown from there. */
static uint64_t flashes_begin(const struct quire_story *story, uint64_t index)
{
	uint32_t step = quire_story_step_at(story, index);
	uint64_t begin = step > 2 ? quire_story_index_step(story, step - 2) : 0;

	return begin < index ? begin : index;
}

static int play(struct quire_scene *scene, uint64_t index)
{
	const struct quire_event *e;
	uint64_t count;
	int rc;

	while (scene->index < index &&
	       (e = quire_story_events(scene->story, scene->index, &count))) {
		if (count > index - scene->index)
			count = index - scene->index;
		for (; count; count--, e++) {
			rc = apply(scene, e);
			if (rc)
				return rc;
		}
	}
	return 0;
}

int quire_scene_seek(struct quire_scene *scene, uint64_t index)
{
	const struct quire_story *story = scene->story;
	struct quire_scene_sharers *sharers = scene->sharers;
	const struct quire_story_keyframe *k;
	uint64_t from;
	int rc = 0;

	if (index > story->indexed)
		index = story->indexed;
	if (index == scene->index)
		return 0;
	k = keyframe_before(story, flashes_begin(story, index));
	from = k ? k->index : 0;
	/* Building the cells costs about as much as so many events. */
	if (index < scene->index || from > scene->index + 4096 + story->cells_count / 4)
		rc = restore(scene, k);
	if (rc == 0)
		rc = play(scene, index);
	if (rc) {
		/* Memory was short: the beginning needs none. */
		sharers->error = 0;
		sharers->building = false;
		quire_record_state_read(&scene->state, NULL, 0);
		scene_cells_clear(scene, NULL);
		scene->index = 0;
		scene->flashes_first = scene->flashes_count;
		rc = quire_fail(-ENOMEM, "no memory for a picture of this moment");
	}
	if (sharers->changed)
		scene->tick++;
	sharers->changed = false;
	return rc;
}
