/*
 * views.c - see views.h.
 */
#include "views.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/quire-view-XXXXXX";
static char files[2][64];
static struct tale tale; /* big */

void views_begin(void)
{
	if (!mkdtemp(folder))
		abort();
	for (uint32_t i = 0; i < 2; i++)
		snprintf(files[i], sizeof(files[i]), "%s/%u.quire", folder, i);
}

void views_end(void)
{
	for (uint32_t i = 0; i < 2; i++)
		unlink(files[i]);
	rmdir(folder);
}

/* ---- worlds ---- */

struct quire_story *views_open(uint32_t i, uint64_t indexed)
{
	struct quire_story *story;

	ck_assert_msg(quire_story_open(&story, files[i]) == 0, "%s", quire_failure());
	ck_assert(quire_story_extend(story, indexed) == 0);
	return story;
}

struct quire_story *views_tell(uint32_t i, uint64_t seed)
{
	tale_make(&tale, seed);
	tale_run(&tale, files[i], NULL);
	tale_free(&tale);
	return views_open(i, UINT64_MAX);
}

struct quire_story *views_samples(void)
{
	tale_make(&tale, 4 * 4 + 1); /* continuous, paged */
	snprintf(tale.allocator, sizeof(tale.allocator), "paged,block=4,watermark=0.01,cow=1");
	snprintf(tale.config_json, sizeof(tale.config_json),
		 "{\"scheduler\": \"%s\", \"allocator\": \"%s\"}", tale.scheduler, tale.allocator);
	tale.config.requests_count = tale.run.requests_count = 1;
	tale.config.slots_total = tale.run.slots_total = 48;
	tale.config.seq_tokens_max = tale.run.seq_tokens_max = 48;
	tale.config.seqs_max = tale.run.seqs_max = 4;
	tale.config.closed_users = tale.run.closed_users = 0;
	tale.uneven = false;
	tale.ends_known = true;
	tale.requests[0] =
		(struct quire_request){.prompt_tokens = 11, .output_tokens_max = 6, .samples = 3};
	tale.output_tokens[0] = 6;
	tale_run(&tale, files[0], NULL);
	tale_free(&tale);
	return views_open(0, UINT64_MAX);
}

struct quire_story *views_pool(uint32_t cells, uint32_t slots, struct quire_live **live)
{
	struct quire_record_run run = {.requests_count = 1,
				       .slots_total = cells * slots,
				       .seqs_max = 4,
				       .seq_tokens_max = 100,
				       .window_until_ns = UINT64_MAX};
	struct quire_record_request request = {.prompt_tokens = 1, .samples = 1};
	struct quire_story *story;
	char config[96];

	snprintf(config, sizeof(config),
		 "{\"scheduler\": \"continuous\", \"allocator\": \"paged,block=%u\"}", slots);
	ck_assert(quire_live_new(live, 1000) == 0);
	ck_assert(quire_live_begin(*live, &run, &request, config) == 0);
	ck_assert(quire_story_open_live(&story, *live) == 0);
	ck_assert_uint_eq(story->cells_count, cells);
	return story;
}

void views_say(struct quire_view *v, const char *line)
{
	ck_assert_msg(quire_view_say(v, line) == 0, "%s: %s", line, quire_failure());
}

bool views_inside(const struct quire_rect *a, const struct quire_rect *b)
{
	return a->x >= b->x - 1e-6 && a->y >= b->y - 1e-6 &&
	       a->x + a->width <= b->x + b->width + 1e-6 &&
	       a->y + a->height <= b->y + b->height + 1e-6;
}

static bool apart(const struct quire_rect *a, const struct quire_rect *b)
{
	return a->x + a->width <= b->x || b->x + b->width <= a->x || a->y + a->height <= b->y ||
	       b->y + b->height <= a->y;
}

void views_layout(const struct quire_view *v, const char *what)
{
	struct quire_rect window = {0, 0, v->width, v->height};
	const struct quire_rect *all[2 * QUIRE_PANEL_COUNT];
	uint32_t count = 0;

	for (uint32_t s = 0; s < v->sides_count; s++)
		for (uint32_t p = 0; p < QUIRE_PANEL_COUNT; p++)
			if (v->sides[s].panels[p].width > 0)
				all[count++] = &v->sides[s].panels[p];
	for (uint32_t i = 0; i < count; i++) {
		if (!views_inside(all[i], &window))
			ck_abort_msg("%s: a panel at %g %g, %g x %g, leaves the window", what,
				     all[i]->x, all[i]->y, all[i]->width, all[i]->height);
		for (uint32_t k = 0; k < i; k++)
			if (!apart(all[i], all[k]))
				ck_abort_msg("%s: panels overlap at %g %g", what, all[i]->x,
					     all[i]->y);
	}
	for (uint32_t s = 0; s < v->sides_count; s++) {
		enum quire_panel_kind panel =
			v->alone < 0 ? QUIRE_PANEL_POOL : (enum quire_panel_kind)v->alone;

		/* Where room is short, time goes before its steps. */
		if (v->sides[s].panels[panel].width <= 0 &&
		    (panel != QUIRE_PANEL_STEPS ||
		     v->sides[s].panels[QUIRE_PANEL_TIMELINE].width <= 0))
			ck_abort_msg("%s: no room for the panel that matters", what);
	}
	if (!views_inside(&v->dialog, &window))
		ck_abort_msg("%s: the dialog leaves the window", what);
}

struct quire_command views_key(struct quire_view *v, const char *name)
{
	static const struct {
		const char *name;
		uint32_t key;
	} named[] = {{"Space", ' '},
		     {"Right", QUIRE_KEY_RIGHT},
		     {"Left", QUIRE_KEY_LEFT},
		     {"Up", QUIRE_KEY_UP},
		     {"Down", QUIRE_KEY_DOWN},
		     {"Home", QUIRE_KEY_HOME},
		     {"End", QUIRE_KEY_END},
		     {"Escape", QUIRE_KEY_ESCAPE},
		     {"Enter", QUIRE_KEY_ENTER},
		     {"Backspace", QUIRE_KEY_BACKSPACE},
		     {"F11", QUIRE_KEY_F11}};
	struct quire_input input = {.kind = QUIRE_INPUT_KEY};

	if (strncmp(name, "Shift+", 6) == 0) {
		input.mods = QUIRE_MOD_SHIFT;
		name += 6;
	} else if (strncmp(name, "Ctrl+", 5) == 0) {
		input.mods = QUIRE_MOD_CTRL;
		name += 5;
	}
	for (uint32_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(name, named[i].name) == 0)
			input.key = named[i].key;
	if (!input.key) {
		ck_assert_msg(strlen(name) == 1, "a key '%s'", name);
		input.key = (uint32_t)(name[0] >= 'A' && name[0] <= 'Z' ? name[0] - 'A' + 'a'
									: name[0]);
	}
	return quire_view_input(v, &input);
}

void views_do_key(struct quire_view *v, const char *name)
{
	struct quire_command command = views_key(v, name);

	ck_assert_msg(command.kind != QUIRE_DO_NONE, "the key %s does nothing", name);
	quire_view_do(v, &command);
}

uint64_t views_at(const struct quire_view *v, uint32_t side)
{
	return v->sides[side].scene.index;
}
