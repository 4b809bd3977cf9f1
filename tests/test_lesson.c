/*
 * test_lesson.c - lessons: their lines are read or refused with a sentence, one goes through
 * them and back, and what the shipped ones say is true.
 *
 * Each shipped lesson is run as it says, by the program.  Each of its sentences with a number
 * in it is made again here from what happened in that run; a number that is not made here
 * fails the test.
 */
#include "tale.h"

#include "visualize/lesson.h"
#include "visualize/place.h"

#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/quire-lesson-XXXXXX";
static char files[2][64], lesson_file[64];
static struct tale tale; /* big */

/* What is being gone through. */
static struct quire_lesson lesson;
static struct quire_story *stories[2];
static struct quire_view view;
static struct quire_walk walk;

/* ---- what is said, and made again ---- */

#define MOMENTS_MAX 16u

static char said[MOMENTS_MAX][2048]; /* say, ask, reveal */
static bool made[MOMENTS_MAX][2048];

/* The present moment says this, however its lines are broken. */
static void claim(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void claim(const char *format, ...)
{
	char text[256];
	const char *at;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	at = strstr(said[walk.moment], text);
	ck_assert_msg(at, "%s, moment %u: '%s' is true, and it says: %s", lesson.path,
		      walk.moment + 1, text, said[walk.moment]);
	memset(&made[walk.moment][at - said[walk.moment]], 1, strlen(text));
}

/* Every number of the lesson was made again, those of names too. */
static void check_all_made(void)
{
	for (uint32_t m = 0; m < lesson.moments_count; m++)
		for (size_t i = 0; said[m][i]; i++)
			if (isdigit((unsigned char)said[m][i]) && !made[m][i])
				ck_abort_msg("%s, moment %u: nobody has made '%.40s' again",
					     lesson.path, m + 1, said[m] + (i ? i - 1 : 0));
}

/* On to a moment, number 1 is the first; nothing is revealed there yet. */
static void go(uint32_t number)
{
	while (walk.moment + 1 < number)
		ck_assert(quire_walk_go(&walk, &view, 1));
	ck_assert(walk.moment + 1 == number && !walk.revealed);
	/* What plays there has come to its end. */
	while (view.playing)
		quire_view_tick(&view, view.now_s + 0.05, INFINITY);
}

/* ---- what happened ---- */

static uint32_t value(uint32_t side, uint32_t step, enum quire_series_kind series)
{
	ck_assert(step && step <= stories[side]->steps_count);
	return stories[side]->steps[step - 1].value[series];
}

static double step_ms(uint32_t side, uint32_t step)
{
	const struct quire_story_step *s = &stories[side]->steps[step - 1];

	return (double)(s->end_ns - s->begin_ns) / 1e6;
}

/* Steps that had something to do. */
static uint32_t steps(uint32_t side)
{
	uint32_t count = 0;

	for (uint32_t step = 1; step <= stories[side]->steps_count; step++)
		count += value(side, step, QUIRE_SERIES_PROMPT_TOKENS) +
				 value(side, step, QUIRE_SERIES_DECODE_TOKENS) +
				 value(side, step, QUIRE_SERIES_RECOMPUTE_TOKENS) +
				 value(side, step, QUIRE_SERIES_PAD_TOKENS) >
			 0;
	return count;
}

static uint32_t sum(uint32_t side, enum quire_series_kind series)
{
	uint32_t total = 0;

	for (uint32_t step = 1; step <= stories[side]->steps_count; step++)
		total += value(side, step, series);
	return total;
}

static double end_s(uint32_t side)
{
	return (double)quire_story_end_ns(stories[side]) / 1e9;
}

static double figure(uint32_t side, enum quire_gauge_kind gauge)
{
	return quire_gauge_value(stories[side], gauge, stories[side]->indexed);
}

static const struct quire_record_seq *seq(uint32_t side, const char *name)
{
	const struct quire_record_seq *s =
		quire_scene_seq(&view.sides[side].scene, quire_story_find(stories[side], name));

	ck_assert_msg(s, "%s, moment %u: %s is not alive", lesson.path, walk.moment + 1, name);
	return s;
}

static const struct quire_track *track(uint32_t side, const char *name)
{
	uint32_t id = quire_story_find(stories[side], name);

	ck_assert(id);
	return &stories[side]->tracks[id];
}

/* A block of a sequence in the pool. */
static uint32_t block(const char *name, uint32_t i)
{
	const struct quire_record_seq *s = seq(0, name);

	ck_assert(i < s->blocks_count);
	return s->blocks[i] / stories[0]->cell_slots;
}

static uint32_t used(uint32_t side)
{
	return view.sides[side].scene.cells_used;
}

static uint32_t finished(uint32_t side)
{
	return view.sides[side].scene.state.counts.finished;
}

/* The longest gap between two tokens of an answer, and the step behind it. */
static double longest_gap_ms(uint32_t side, uint32_t *step)
{
	const struct quire_story *s = stories[side];
	double most = 0;

	for (uint32_t id = 1; id < s->tracks_count; id++) {
		const struct quire_track *t = &s->tracks[id];

		for (uint32_t i = 1; i < t->told_count; i++) {
			double gap = (double)(s->steps[t->told[i].step - 1].end_ns -
					      s->steps[t->told[i - 1].step - 1].end_ns) /
				     1e6;

			if (gap > most)
				*step = t->told[i].step;
			most = fmax(most, gap);
		}
	}
	return most;
}

/* ---- the shipped ones ---- */

static void check_kv_cache(void)
{
	uint32_t prompt = track(0, "r0")->prompt_tokens, end = track(0, "r0")->end_tokens, all = 0;
	uint32_t count = steps(0);

	go(1);
	claim("Its prompt has %u tokens", prompt);
	claim("The pool of %u blocks is empty.", stories[0]->cells_count);
	ck_assert(used(0) == 0 && seq(0, "r0")->state == QUIRE_WAITING);
	claim("All %u.", value(0, 1, QUIRE_SERIES_PROMPT_TOKENS));
	go(2);
	claim("K and V of the %u tokens lie in %u blocks of %u slots; the last slot is still "
	      "empty.",
	      seq(0, "r0")->cached_tokens, used(0), stories[0]->cell_slots);
	ck_assert_uint_eq(used(0) * stories[0]->cell_slots, seq(0, "r0")->cached_tokens + 1);
	ck_assert_uint_eq(seq(0, "r0")->known_tokens, seq(0, "r0")->cached_tokens + 1);
	claim("Only %u: the new one. K and V of the other %u are in the cache",
	      value(0, 2, QUIRE_SERIES_DECODE_TOKENS), seq(0, "r0")->cached_tokens);
	go(3);
	claim("%u tokens are cached, %u are known. From now on each step runs %u token",
	      seq(0, "r0")->cached_tokens, seq(0, "r0")->known_tokens,
	      value(0, 3, QUIRE_SERIES_DECODE_TOKENS));
	claim("The first step ran %u tokens, the second %u.",
	      value(0, 1, QUIRE_SERIES_PROMPT_TOKENS), value(0, 2, QUIRE_SERIES_DECODE_TOKENS));
	claim("%.3g ms and %.3g ms.", step_ms(0, 1), step_ms(0, 2));
	ck_assert_double_lt(step_ms(0, 1) / step_ms(0, 2), 1.01);
	go(4);
	ck_assert_uint_eq(used(0), 3);
	claim("%u blocks were full, so a third one was given.", used(0) - 1);
	claim("There are %u steps.", count);
	ck_assert_uint_eq(count, 6);
	for (uint32_t i = 0; i < count; i++)
		all += prompt + i;
	claim("%u + %u + %u + %u + %u + %u = %u. With the cache it is %u + %u = %u.", prompt,
	      prompt + 1, prompt + 2, prompt + 3, prompt + 4, prompt + 5, all, prompt,
	      sum(0, QUIRE_SERIES_DECODE_TOKENS),
	      sum(0, QUIRE_SERIES_PROMPT_TOKENS) + sum(0, QUIRE_SERIES_DECODE_TOKENS));
	go(5);
	claim("%u tokens are cached, %u are known.", seq(0, "r0")->cached_tokens,
	      seq(0, "r0")->known_tokens);
	claim("%u of %u.", sum(0, QUIRE_SERIES_PROMPT_TOKENS) + sum(0, QUIRE_SERIES_DECODE_TOKENS),
	      end);
	go(6);
	claim("after %u steps: %u for the prompt, which also made the first token, and %u that "
	      "decode.",
	      count, 1u, sum(0, QUIRE_SERIES_DECODE_TOKENS));
	ck_assert(used(0) == 0 && view.sides[0].scene.index >= track(0, "r0")->gone);
}

static void check_throughput(void)
{
	const struct quire_record_run *runs[2] = {stories[0]->run, stories[1]->run};
	double left_ms, right_ms;
	uint32_t step;

	ck_assert(steps(0) == 512 && steps(1) == 39);
	go(1);
	claim("The same %u requests", runs[0]->requests_count);
	ck_assert_uint_eq(runs[0]->requests_count, runs[1]->requests_count);
	for (uint32_t id = 1; id < stories[0]->tracks_count; id++)
		ck_assert(stories[0]->tracks[id].born_ns == 0 &&
			  stories[0]->tracks[id].prompt_tokens == 480);
	claim("prompts of %u tokens, outputs of %u", track(0, "r0")->prompt_tokens,
	      track(0, "r0")->end_tokens - track(0, "r0")->prompt_tokens);
	claim("At the left %u sequences may run together, at the right %u.", runs[0]->seqs_max,
	      runs[1]->seqs_max);
	claim("A block is %u slots, so each sequence fits in %u.", stories[0]->cell_slots,
	      (track(0, "r0")->end_tokens + stories[0]->cell_slots - 1) / stories[0]->cell_slots);
	go(2);
	claim("At the left %u requests are done.", finished(0));
	left_ms = step_ms(0, 20);
	claim("took %.3g ms there", left_ms);
	claim("prompts of %u tokens in each of them", value(1, 3, QUIRE_SERIES_PROMPT_TOKENS));
	right_ms = INFINITY;
	for (step = 1; value(1, step, QUIRE_SERIES_PROMPT_TOKENS); step++) {
		ck_assert_uint_eq(value(1, step, QUIRE_SERIES_PROMPT_TOKENS),
				  value(1, 1, QUIRE_SERIES_PROMPT_TOKENS));
		right_ms = fmin(right_ms, step_ms(1, step));
	}
	claim("%.3g ms or more, %.2g times as long as a step of %u that decode.", right_ms,
	      right_ms / left_ms, value(0, 20, QUIRE_SERIES_DECODE_TOKENS));
	go(3);
	claim("all %u prompts are done, and all %u sequences decode", runs[1]->requests_count,
	      value(1, step, QUIRE_SERIES_DECODE_TOKENS));
	ck_assert_uint_eq(view.sides[1].scene.state.counts.step, step);
	claim("%u times as many sequences decode in a step at the right as at the left. Is a step "
	      "there %u times as long?",
	      runs[1]->seqs_max / runs[0]->seqs_max, runs[1]->seqs_max / runs[0]->seqs_max);
	claim("No: %.3g ms against %.3g ms.", step_ms(1, step), left_ms);
	claim("nearly all of the %u is won", runs[1]->seqs_max / runs[0]->seqs_max);
	go(4);
	claim("The right side is done with all %u requests. The left one has finished %u of them.",
	      finished(1), finished(0));
	ck_assert_uint_eq(finished(1), runs[1]->requests_count);
	claim("%.3g s: %.2g times as long.", end_s(0), end_s(0) / end_s(1));
	go(5);
	claim("%.3g against %.3g tokens a second", figure(0, QUIRE_GAUGE_RATE),
	      figure(1, QUIRE_GAUGE_RATE));
	claim("came after %.3g ms at the left, after %.3g ms at the right",
	      figure(0, QUIRE_GAUGE_TPOT) * 1e3, figure(1, QUIRE_GAUGE_TPOT) * 1e3);
	claim("%.3g s at the left, %.3g s at the right", figure(0, QUIRE_GAUGE_TTFT),
	      figure(1, QUIRE_GAUGE_TTFT));
}

static void check_contiguous(void)
{
	uint32_t slots = stories[0]->run->slots_total, region = stories[0]->run->seq_tokens_max;
	uint32_t requests = stories[0]->run->requests_count;

	go(1);
	claim("%u slots, drawn as %u blocks of %u", slots, stories[0]->cells_count,
	      stories[0]->cell_slots);
	claim("may become %u tokens long", region);
	claim("%u requests wait.", requests);
	claim("%u: %u / %u.", value(0, 1, QUIRE_SERIES_RUNNING), slots, region);
	ck_assert_uint_eq(value(0, 1, QUIRE_SERIES_RUNNING), slots / region);
	go(2);
	claim("At the left %u sequences hold all %u slots; %u requests wait. At the right all %u "
	      "run, in %u slots, and %u are free.",
	      value(0, 1, QUIRE_SERIES_RUNNING), value(0, 1, QUIRE_SERIES_MAPPED),
	      value(0, 1, QUIRE_SERIES_WAITING), value(1, 1, QUIRE_SERIES_RUNNING),
	      value(1, 1, QUIRE_SERIES_MAPPED), value(1, 1, QUIRE_SERIES_FREE));
	ck_assert(value(0, 1, QUIRE_SERIES_MAPPED) == slots &&
		  value(1, 1, QUIRE_SERIES_RUNNING) == requests);
	claim("How many of the %u slots", slots);
	claim("%u. Another %u are reserved", value(0, 1, QUIRE_SERIES_TOKEN_STATES),
	      value(0, 1, QUIRE_SERIES_RESERVED));
	claim("The other %u will never be used", value(0, 1, QUIRE_SERIES_INTERNAL));
	go(3);
	claim("At the left it is %u of %u slots, at the right %u.",
	      value(0, 6, QUIRE_SERIES_TOKEN_STATES), slots,
	      value(1, 6, QUIRE_SERIES_TOKEN_STATES));
	claim("A sequence of %u tokens ends.", 20u);
	claim("At the left %u of its %u slots; at the right at most %u", region - 20, region,
	      stories[1]->cell_slots - 1);
	go(4);
	claim("At the left %u answers have ended, and %u requests that waited take their regions: "
	      "%u still wait.",
	      value(0, 1, QUIRE_SERIES_WAITING) - value(0, 7, QUIRE_SERIES_WAITING),
	      value(0, 6, QUIRE_SERIES_WAITING) - value(0, 7, QUIRE_SERIES_WAITING),
	      value(0, 7, QUIRE_SERIES_WAITING));
	ck_assert(value(1, 7, QUIRE_SERIES_WAITING) == 0);
	claim("all %u requests are done after %u steps", requests, steps(1));
	claim("%u. It cannot run more than %u at a time.", steps(0),
	      quire_story_summary(stories[0], QUIRE_SERIES_RUNNING, 0, stories[0]->steps_count)
		      .max);
	go(5);
	claim("%.1f %% of the pool held live tokens", figure(1, QUIRE_GAUGE_USE));
	ck_assert(view.sides[1].scene.index >= stories[1]->steps[steps(1) - 1].first &&
		  finished(1) == requests);
	claim("goes on for %u steps more", steps(0) - steps(1));
	claim("%.1f %%.", figure(0, QUIRE_GAUGE_USE));
	go(6);
	ck_assert_uint_eq(finished(0), requests);
	claim("It took %.3g s, the right one %.3g s", end_s(0), end_s(1));
	claim("%.2g times as fast", end_s(0) / end_s(1));
	claim("because %u sequences share a step instead of %u", value(1, 1, QUIRE_SERIES_RUNNING),
	      value(0, 1, QUIRE_SERIES_RUNNING));
}

static void check_block_table(void)
{
	uint32_t slots = stories[0]->cell_slots, third = 1;

	go(1);
	ck_assert_uint_eq(track(0, "r1")->prompt_tokens, track(0, "r0")->prompt_tokens);
	claim("with prompts of %u tokens. Each got %u blocks of %u slots.",
	      track(0, "r0")->prompt_tokens, seq(0, "r0")->blocks_count, slots);
	ck_assert_uint_eq(seq(0, "r1")->blocks_count, seq(0, "r0")->blocks_count);
	claim("The block table of r0 says: my block %u is block %u of the pool, my block %u is "
	      "block %u.",
	      0u, block("r0", 0), 1u, block("r0", 1));
	while (seq(0, "r0")->cached_tokens + third - 1 <= 2 * slots)
		third++;
	claim("In which step will r0 need a third?");
	claim("In step %u. Its %u blocks have room for %u tokens: %u of the prompt", third,
	      seq(0, "r0")->blocks_count, 2 * slots, track(0, "r0")->prompt_tokens);
	claim("those that steps %u and %u run", 2u, third - 1);
	go(2);
	claim("%u tokens of r0 are cached, and %u are known", seq(0, "r0")->cached_tokens,
	      seq(0, "r0")->known_tokens);
	ck_assert_uint_eq(seq(0, "r0")->cached_tokens, 2 * slots);
	claim("Which block of the pool will r0 get?");
	claim("lie blocks %u and %u, which belong to r1", block("r1", 0), block("r1", 1));
	ck_assert(block("r1", 0) == block("r0", 1) + 1);
	ck_assert(quire_walk_go(&walk, &view, 1));
	quire_view_tick(&view, view.now_s + 10, INFINITY);
	ck_assert_uint_eq(seq(0, "r0")->blocks_count, 3);
	claim("Block %u, a free one. That it is no neighbour of block %u", block("r0", 2),
	      block("r0", 1));
	go(3);
	ck_assert_uint_eq(view.sides[0].scene.state.counts.step, third);
	claim("The table of r0 says %u, %u, %u now, that of r1 says %u, %u, %u.", block("r0", 0),
	      block("r0", 1), block("r0", 2), block("r1", 0), block("r1", 1), block("r1", 2));
	claim("slot i %% %u of block i / %u", slots, slots);
	claim("At most %u", slots - 1);
	go(4);
	claim("has %u blocks: %u, %u, %u, %u and %u, %u, %u, %u.", seq(0, "r0")->blocks_count,
	      block("r0", 0), block("r0", 1), block("r0", 2), block("r0", 3), block("r1", 0),
	      block("r1", 1), block("r1", 2), block("r1", 3));
	claim("%u of their %u slots are live", quire_scene_live(seq(0, "r1")),
	      seq(0, "r1")->blocks_count * slots);
	ck_assert_uint_eq(steps(0), view.sides[0].scene.state.counts.step + 1);
	go(5);
	ck_assert_uint_eq(used(0), 0);
	claim("All %u blocks are free again.", stories[0]->cells_count);
}

static void check_copy_on_write(void)
{
	const char *const names[] = {"r0", "r0.1", "r0.2"};
	const struct quire_scene *scene = &view.sides[0].scene;
	uint32_t samples = stories[0]->tracks_count - 1, prompt_blocks, blocks = 0;

	go(1);
	claim("asks for %u samples: %u different answers to one prompt of %u tokens", samples,
	      samples, track(0, "r0")->prompt_tokens);
	claim("%u blocks of %u slots", stories[0]->cells_count, stories[0]->cell_slots);
	claim("for all %u samples together", samples);
	prompt_blocks = (track(0, "r0")->prompt_tokens + stories[0]->cell_slots - 1) /
			stories[0]->cell_slots;
	claim("%u, not %u.", prompt_blocks, samples * prompt_blocks);
	go(2);
	ck_assert_uint_eq(used(0), prompt_blocks);
	claim("sampled %u first tokens", samples);
	claim("r0 was forked twice");
	ck_assert_uint_eq(seq(0, "r0")->forks, 2);
	claim("All %u block tables show blocks %u, %u and %u: each has a reference count of %u.",
	      samples, block("r0.2", 0), block("r0.1", 1), block("r0", 2), scene->cells[2].refs);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert(block("r0", i) == i && scene->cells[i].refs == samples);
	claim("the last slot of block %u", block("r0", 2));
	ck_assert(scene->cells[2].live == stories[0]->cell_slots - 1);
	go(3);
	claim("%u blocks were copied: r0 writes into block %u, r0.1 into block %u, and r0.2 is "
	      "alone in block %u. Blocks %u and %u are full",
	      value(0, 2, QUIRE_SERIES_COPIES), block("r0", 2), block("r0.1", 2), block("r0.2", 2),
	      block("r0", 0), block("r0", 1));
	for (uint32_t i = 0; i < 3; i++)
		ck_assert(scene->cells[block(names[i], 2)].refs == 1 &&
			  scene->cells[block(names[i], 0)].refs == samples);
	claim("How many blocks will step %u copy?", 3u);
	claim("None: %u.", value(0, 3, QUIRE_SERIES_COPIES));
	go(4);
	for (uint32_t i = 0; i < 3; i++)
		blocks += seq(0, names[i])->blocks_count;
	claim("%u blocks are in use, %u of them shared by all %u.", used(0), scene->cells_shared,
	      samples);
	claim("%u: %u for each of the %u samples. Sharing saves %u of %u", blocks,
	      seq(0, "r0")->blocks_count, samples, blocks - used(0), blocks);
	claim("once instead of %u times", samples);
	go(5);
	claim("goes down by %u. At %u the block is free.", 1u, 0u);
	go(6);
	claim("All %u ended in step %u. The counts have gone from %u to %u, and %u blocks are "
	      "free.",
	      samples, scene->state.counts.step, samples, scene->cells[0].refs,
	      stories[0]->cells_count - used(0));
	ck_assert_uint_eq(used(0), 0);
}

static void check_batching(void)
{
	uint32_t seats = stories[0]->run->seqs_max, requests = stories[0]->run->requests_count;
	uint32_t tokens = 0, lengths[2] = {0}, last = 0;
	char names[64] = "", name[16];

	for (uint32_t id = 1; id < stories[0]->tracks_count; id++) {
		const struct quire_track *t = &stories[0]->tracks[id];
		uint32_t output = t->end_tokens - t->prompt_tokens;

		ck_assert(t->prompt_tokens == track(0, "r0")->prompt_tokens);
		if (lengths[t->request % 8 != 0])
			ck_assert_uint_eq(lengths[t->request % 8 != 0], output);
		lengths[t->request % 8 != 0] = output;
		tokens += output;
		if (output == 100) {
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%sr%u",
				 names[0] ? ", " : "", t->request);
			last = t->request;
		}
	}
	go(1);
	claim("%u requests have come at once, all with prompts of %u tokens.", requests,
	      track(0, "r0")->prompt_tokens);
	claim("(%s) wants %u tokens of output, the others %u. %u can run at a time.", names,
	      lengths[0], lengths[1], seats);
	claim("Step %u ran %u prompts on both sides.", 1u, value(0, 1, QUIRE_SERIES_RUNNING));
	ck_assert(value(0, 1, QUIRE_SERIES_PROMPT_TOKENS) ==
		  value(1, 1, QUIRE_SERIES_PROMPT_TOKENS));
	claim("In step %u.", lengths[1] + 1);
	for (uint32_t step = 1; step <= lengths[1]; step++)
		ck_assert(value(0, step, QUIRE_SERIES_DECODE_TOKENS) ==
				  value(1, step, QUIRE_SERIES_DECODE_TOKENS) &&
			  value(0, step, QUIRE_SERIES_PAD_TOKENS) == 0);
	claim("so answers of %u tokens are complete after step %u.", lengths[1],
	      track(0, "r1")->told[lengths[1] - 1].step);
	go(2);
	claim("At the left %u rows are done, but r0 is not, so the batch goes on: the %u are kept, "
	      "and the step runs %u tokens of padding",
	      value(0, 11, QUIRE_SERIES_KEPT), value(0, 11, QUIRE_SERIES_KEPT),
	      value(0, 11, QUIRE_SERIES_PAD_TOKENS));
	claim("At the right r8 to r14 have taken the %u seats.",
	      value(1, 11, QUIRE_SERIES_PROMPT_TOKENS) / track(0, "r0")->prompt_tokens);
	for (uint32_t request = 8; request <= 14; request++) {

		snprintf(name, sizeof(name), "r%u", request);
		ck_assert_uint_eq(seq(1, name)->planned_step, 11);
	}
	claim("begin with r8?");
	claim("In step %u. r0 takes %u steps: %u with its prompt, and %u that decode.",
	      track(0, "r8")->told[0].step, track(0, "r0")->told_count, 1u,
	      track(0, "r0")->told_count - 1);
	go(3);
	claim("the second of %u batches begins", requests / seats);
	ck_assert_uint_eq(value(0, 101, QUIRE_SERIES_PROMPT_TOKENS),
			  seats * track(0, "r0")->prompt_tokens);
	claim("but %u of the long ones", value(1, 101, QUIRE_SERIES_RUNNING));
	ck_assert_uint_eq(value(1, 101, QUIRE_SERIES_WAITING), 0);
	claim("At the left %u batches of %u steps are %u.", requests / seats, lengths[0], steps(0));
	snprintf(name, sizeof(name), "r%u", last);
	claim("At the right %s, the last of the long ones, began in step %u, so it ends with step "
	      "%u.",
	      name, track(1, name)->told[0].step, track(1, name)->told[lengths[0] - 1].step);
	ck_assert_uint_eq(track(1, name)->gone_ns, quire_story_end_ns(stories[1]));
	go(4);
	claim("The right side is done after %u steps. It held a seat for each of the %u tokens",
	      steps(1), sum(1, QUIRE_SERIES_RUNNING) + sum(1, QUIRE_SERIES_KEPT));
	ck_assert_uint_eq(sum(1, QUIRE_SERIES_RUNNING), tokens);
	ck_assert_uint_eq(finished(1), requests);
	claim("At the left %u seats are held for %u steps, which is %u. They too make %u tokens. "
	      "What happens in the other %u?",
	      seats, steps(0), seats * steps(0), tokens, sum(0, QUIRE_SERIES_PAD_TOKENS));
	ck_assert_uint_eq(seats * steps(0), tokens + sum(0, QUIRE_SERIES_PAD_TOKENS));
	go(5);
	claim("%u tokens took %.3g s at the left and %.3g s at the right.", tokens, end_s(0),
	      end_s(1));
	claim("That is %.2g times the throughput", end_s(0) / end_s(1));
	claim("was %.3g s at the left, and is %.3g s at the right", figure(0, QUIRE_GAUGE_TTFT),
	      figure(1, QUIRE_GAUGE_TTFT));
}

static void check_splitfuse(void)
{
	const struct quire_track *r3[2] = {track(0, "r3"), track(1, "r3")};
	static const char *const names[] = {"r0", "r1", "r2"};
	uint32_t step[2], chunks = 0, budget = 256, decode;
	double gap_ms[2], least_ms = INFINITY, most_ms = 0;

	for (uint32_t s = 0; s < 2; s++)
		gap_ms[s] = longest_gap_ms(s, &step[s]);
	go(1);
	claim("r0, r1 and r2 have short prompts, and decode: each gets a token every %.3g ms",
	      step_ms(0, 11));
	claim("What will r0, r1 and r2 notice?");
	claim("r3 has just come, with a prompt of %u tokens", r3[0]->prompt_tokens);
	claim("step %u runs all of it", view.sides[0].scene.state.counts.step);
	ck_assert_uint_eq(seq(0, "r3")->run_tokens, r3[0]->prompt_tokens);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_lt(track(0, names[i])->prompt_tokens, 64);
		ck_assert(seq(0, names[i])->known_tokens > seq(0, names[i])->prompt_tokens);
		ck_assert(seq(1, names[i])->known_tokens > seq(1, names[i])->prompt_tokens);
	}
	claim("They wait for %.3g ms, %.2g times as long as usual", gap_ms[0],
	      gap_ms[0] / step_ms(0, 11));
	ck_assert_double_eq_tol(gap_ms[0], step_ms(0, 12), 0.01);
	ck_assert_uint_eq(step[0], 12);
	go(2);
	claim("the step took %.3g ms for %u + %u tokens", step_ms(0, 12),
	      value(0, 12, QUIRE_SERIES_PROMPT_TOKENS), value(0, 12, QUIRE_SERIES_DECODE_TOKENS));
	ck_assert_uint_eq(value(0, 12, QUIRE_SERIES_PROMPT_TOKENS), r3[0]->prompt_tokens);
	claim("At the right a step has %u tokens at most: first %u each", budget, 1u);
	for (uint32_t i = 12; i < 12 + 7; i++) {
		uint32_t chunk = value(1, i, QUIRE_SERIES_PROMPT_TOKENS);

		decode = value(1, i, QUIRE_SERIES_DECODE_TOKENS);
		ck_assert_uint_eq(decode, 3);
		ck_assert_uint_le(chunk + decode, budget);
		chunks += chunk > 0;
		least_ms = fmin(least_ms, step_ms(1, i));
		most_ms = fmax(most_ms, step_ms(1, i));
	}
	ck_assert_uint_eq(value(1, 12 + 7, QUIRE_SERIES_PROMPT_TOKENS), 0);
	claim("Each chunk has %u tokens, but the last. Why not %u?",
	      value(1, 13, QUIRE_SERIES_PROMPT_TOKENS), budget);
	for (uint32_t i = 12; i < 12 + chunks - 1; i++)
		ck_assert_uint_eq(value(1, i, QUIRE_SERIES_PROMPT_TOKENS),
				  value(1, 13, QUIRE_SERIES_PROMPT_TOKENS));
	claim("The %u that decode come first: %u - %u = %u. The prompt takes %u steps in this way, "
	      "of %.0f to %.0f ms.",
	      3u, budget, 3u, budget - 3, chunks, least_ms, most_ms);
	go(3);
	claim("r0, r1 and r2 got a token in each of the %u steps", chunks);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t k = 0;

		while (track(1, names[i])->told[k].step < 12)
			k++;
		ck_assert_uint_eq(track(1, names[i])->told[k + chunks - 1].step, 12 + chunks - 1);
	}
	claim("when r3 made its first token");
	claim("At the left %.3g ms after it came, at the right %.3g ms",
	      (double)(r3[0]->first_token_ns - stories[0]->requests[3].arrival_ns) / 1e6,
	      (double)(r3[1]->first_token_ns - stories[1]->requests[3].arrival_ns) / 1e6);
	ck_assert(r3[1]->first_token_ns <= quire_view_now_ns(&view, 1) + 1000000);
	go(4);
	claim("was %.3g ms at the left, and is %.0f ms at the right", gap_ms[0], gap_ms[1]);
	for (uint32_t id = 1; id < stories[0]->tracks_count; id++)
		ck_assert_uint_eq(stories[0]->tracks[id].told_count,
				  stories[1]->tracks[id].told_count);
	claim("Why not take %u?", budget / 4);
}

/* In the order of quire_lesson_name(). */
static void (*const checks[])(void) = {
	check_kv_cache,	     check_throughput, check_contiguous, check_block_table,
	check_copy_on_write, check_batching,   check_splitfuse,
};
#define LESSONS ((int)(sizeof(checks) / sizeof(checks[0])))

/* ---- running them ---- */

#define HEAD "lesson t\nrun a\n"

static int read_text(const char *text)
{
	FILE *out = fopen(lesson_file, "w");

	ck_assert(out && fputs(text, out) >= 0 && fclose(out) == 0);
	return quire_lesson_read(&lesson, lesson_file);
}

/* The runs of the lesson, by the program, and a view of them at the first moment. */
static void begin(const char *name)
{
	ck_assert_msg(quire_lesson_read(&lesson, name) == 0, "%s", quire_failure());
	ck_assert(lesson.moments_count <= MOMENTS_MAX);
	stories[0] = stories[1] = NULL;
	for (uint32_t i = 0; i < lesson.runs_count; i++) {
		char command[1024];

		snprintf(command, sizeof(command), "%s sim %s --record %s > /dev/null",
			 QUIRE_BINARY, lesson.runs[i], files[i]);
		ck_assert_msg(system(command) == 0, "%s", command);
		ck_assert_msg(quire_story_open(&stories[i], files[i]) == 0, "%s", quire_failure());
		ck_assert(quire_story_extend(stories[i], UINT64_MAX) == 0);
	}
	ck_assert(quire_lesson_tell(&lesson, stories) == 0);
	ck_assert(quire_view_init(&view, stories[0], stories[1]) == 0);
	quire_view_tick(&view, 1, INFINITY);
	ck_assert_msg(quire_walk_begin(&walk, &lesson, &view) == 0, "%s", quire_failure());
	memset(made, 0, sizeof(made));
	for (uint32_t m = 0; m < lesson.moments_count; m++) {
		const struct quire_moment *moment = &lesson.moments[m];

		snprintf(said[m], sizeof(said[m]), "%s %s %s", moment->say ? moment->say : "",
			 moment->ask ? moment->ask : "", moment->reveal ? moment->reveal : "");
	}
}

static void end(void)
{
	quire_view_free(&view);
	for (uint32_t i = 0; i < lesson.runs_count; i++)
		quire_story_close(stories[i]);
	quire_lesson_free(&lesson);
}

START_TEST(test_shipped)
{
	const char *title, *name = quire_lesson_name((uint32_t)_i, &title);
	char number[16];

	begin(name);
	ck_assert_str_eq(title, lesson.title);
	checks[_i]();
	ck_assert_msg(walk.moment + 1 == lesson.moments_count,
		      "%s: moments %u to %u are not checked", name, walk.moment + 2,
		      lesson.moments_count);
	check_all_made();
	end();
	/* The same by its number. */
	snprintf(number, sizeof(number), "%d", _i + 1);
	ck_assert(quire_lesson_read(&lesson, number) == 0);
	ck_assert_str_eq(title, lesson.title);
	quire_lesson_free(&lesson);
}
END_TEST

/* What is seen at a moment, in a word. */
static uint64_t look(void)
{
	const char *const texts[] = {view.caption.text, view.caption.question, view.caption.answer};
	uint64_t h = view.selected + 31u * view.colouring + 1009u * (uint64_t)(view.alone + 1);

	for (uint32_t s = 0; s < view.sides_count; s++)
		h = h * 1000003 + view.sides[s].scene.index;
	h = h * 1000003 + view.caption.number;
	for (uint32_t i = 0; i < 3; i++)
		for (const char *c = texts[i]; c && *c; c++)
			h = h * 131 + (unsigned char)*c;
	return h;
}

static void key(uint32_t which)
{
	struct quire_input input = {.kind = QUIRE_INPUT_KEY, .key = which};
	struct quire_command command = quire_view_input(&view, &input);

	ck_assert(quire_view_do(&view, &command) == 0);
}

/* What is to come is found nowhere, so that it can be predicted. */
static void check_future(void)
{
	for (uint32_t s = 0; s < view.sides_count; s++) {
		struct quire_rect bars = quire_place_bars(&view, s, QUIRE_PANEL_TIMELINE);
		double x = quire_view_x_of(&view, s, quire_view_now_ns(&view, s)) + 2;

		for (; x < bars.x + bars.width; x += 5)
			for (double y = bars.y + 1; y < bars.y + bars.height; y += 3)
				if (quire_view_hit(&view, x, y).kind != QUIRE_HIT_NOTHING)
					ck_abort_msg("%s, moment %u: the future is told at %g %g",
						     lesson.path, walk.moment + 1, x, y);
	}
}

/* Space reveals and goes on, Backspace goes back to the same pictures. */
START_TEST(test_walk)
{
	uint64_t seen[MOMENTS_MAX];
	uint32_t asked = 0;

	begin(quire_lesson_name((uint32_t)_i, NULL));
	ck_assert_str_eq(view.caption.title, lesson.title);
	ck_assert(view.sides[0].panels[QUIRE_PANEL_LESSON].width > 0);
	for (uint32_t m = 0; m < lesson.moments_count; m++) {
		const struct quire_moment *moment = &lesson.moments[m];

		ck_assert_uint_eq(view.caption.number, m + 1);
		ck_assert_uint_eq(view.caption.count, lesson.moments_count);
		ck_assert_str_eq(view.caption.text, moment->say);
		ck_assert(!view.caption.answer && !view.playing && !view.message[0]);
		seen[m] = look();
		check_future();
		if (moment->ask) {
			asked++;
			ck_assert_str_eq(view.caption.question, moment->ask);
			key(' ');
			ck_assert_str_eq(view.caption.answer, moment->reveal);
			ck_assert(view.playing == (moment->play_steps > 0));
			/* Some play to the end, and some press Space before. */
			while (view.playing && m % 2)
				quire_view_tick(&view, view.now_s + 0.1, INFINITY);
		}
		if (m + 1 < lesson.moments_count)
			key(' ');
	}
	/* To predict is what it is for. */
	ck_assert_uint_ge(asked + 1, lesson.moments_count);
	key(' ');
	ck_assert(strstr(view.message, "lesson") && view.caption.number == lesson.moments_count);
	if (walk.revealed)
		key(QUIRE_KEY_BACKSPACE);
	for (uint32_t m = lesson.moments_count; m--;) {
		ck_assert_msg(look() == seen[m], "%s: going back, moment %u is another",
			      lesson.path, m + 1);
		key(QUIRE_KEY_BACKSPACE);
	}
	ck_assert(view.caption.number == 1);
	end();
}
END_TEST

/* Where no time is told, it goes on from where it has come to, played to the end or not. */
START_TEST(test_stay)
{
	struct quire_story *story;

	tale_make(&tale, 4);
	tale_run(&tale, files[0], NULL);
	tale_free(&tale);
	ck_assert(quire_story_open(&story, files[0]) == 0);
	ck_assert(quire_story_extend(story, UINT64_MAX) == 0);
	for (uint32_t i = 0; i < 4; i++) {
		ck_assert(quire_view_init(&view, story, NULL) == 0);
		ck_assert_msg(read_text(i % 2 ? HEAD
						"view clock step\nmoment step 2\nsay x\nask y\n"
						"reveal z\nplay 3\nmoment\nsay x\n"
					      : HEAD "moment step 2\nsay x\nplay 3\nmoment\nsay "
						     "x\n") == 0,
			      "%s", quire_failure());
		ck_assert(quire_walk_begin(&walk, &lesson, &view) == 0);
		ck_assert_uint_eq(view.sides[0].scene.index, quire_story_index_step(story, 2));
		if (i % 2)
			ck_assert(!view.playing && quire_walk_go(&walk, &view, 1));
		ck_assert(view.playing);
		while (i / 2 && view.playing)
			quire_view_tick(&view, view.now_s + 1 / 60.0, 0);
		/* By time, the next step's plan is made at once. */
		if (i / 2)
			ck_assert_uint_eq(quire_story_step_at(story, view.sides[0].scene.index),
					  i % 2 ? 5 : 6);
		ck_assert(quire_walk_go(&walk, &view, 1) && walk.moment == 1 && !view.playing);
		if (i < 2 || i % 2)
			ck_assert_uint_eq(view.sides[0].scene.index,
					  quire_story_index_step(story, 5));
		ck_assert(!quire_walk_go(&walk, &view, 1));
		quire_lesson_free(&lesson);
		quire_view_free(&view);
	}
	quire_story_close(story);
}
END_TEST

/* Words are told one a token. */
START_TEST(test_tell)
{
	static const char *const first[] = {"Once", "sleep", "hunt", "sing"};
	struct quire_token token;

	begin("copy-on-write");
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t id = i ? i : 1;

		token = quire_story_token(stories[0], id, i ? 11 : 0);
		ck_assert_uint_eq(token.bytes, strlen(first[i]));
		ck_assert(memcmp(token.text, first[i], token.bytes) == 0);
	}
	token = quire_story_token(stories[0], 3, 10);
	ck_assert(token.bytes == 2 && memcmp(token.text, "to", 2) == 0);
	token = quire_story_token(stories[0], 2, 16);
	ck_assert(token.bytes == 4 && memcmp(token.text, "roof", 4) == 0);
	end();
	/* No lesson leaves a slot without its word. */
	for (int l = 0; l < LESSONS; l++) {
		begin(quire_lesson_name((uint32_t)l, NULL));
		for (uint32_t id = 1; lesson.words_count && id < stories[0]->tracks_count; id++)
			for (uint32_t i = 0; i < stories[0]->tracks[id].end_tokens; i++)
				ck_assert_msg(quire_story_token(stories[0], id, i).text,
					      "%s: token %u of sequence %u has no word",
					      lesson.path, i, id);
		end();
	}
}
END_TEST

/* ---- reading ---- */

START_TEST(test_read)
{
	ck_assert_msg(read_text("# a comment\n"
				"lesson\tA title\n\n"
				"run     --workload prompts\n"
				"        --samples 3\r\n"
				"text    r0  one two\n"
				"# within\n"
				"   three\n"
				"answer  r0.1  four\n"
				"view    colour refs\n"
				"moment  step 3\n"
				"view    select r0\n"
				"view    fit\n"
				"say     It is so.\n"
				"ask     Why?\n"
				"reveal  Because.\n"
				"play    2.5\n"
				"moment\n"
				"say     And then.") == 0,
		      "%s", quire_failure());
	ck_assert_str_eq(lesson.title, "A title");
	ck_assert_str_eq(lesson.runs[0], "--workload prompts --samples 3");
	ck_assert_uint_eq(lesson.words_count, 2);
	ck_assert_str_eq(lesson.words[0].words, " one two three");
	ck_assert(!lesson.words[0].answer && lesson.words[1].answer && lesson.words[1].sample == 1);
	ck_assert(lesson.views_count == 1 && lesson.moments_count == 2);
	ck_assert_str_eq(lesson.moments[0].at, "step 3");
	ck_assert_str_eq(lesson.moments[0].views[1], "fit");
	ck_assert_str_eq(lesson.moments[0].ask, "Why?");
	ck_assert(lesson.moments[0].play_steps == 2.5);
	ck_assert(!lesson.moments[1].at && !lesson.moments[1].ask);
	ck_assert_uint_eq(lesson.moments[0].line, 11);
	quire_lesson_free(&lesson);
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		const char *text;
		uint32_t line;
		const char *says;
	} bad[] = {
		{"", 0, "title"},
		{"lesson t\n", 1, "run"},
		{HEAD, 2, "moment"},
		{"run a\nmoment end\nsay x\n", 3, "title"},
		{HEAD "moment\n", 3, "nothing is said"},
		{HEAD "moment\nsay x\nask y\n", 3, "never revealed"},
		{HEAD "moment\nsay x\nreveal y\n", 5, "asked first"},
		{HEAD "moment\nsay x\nsay y\n", 5, "twice"},
		{HEAD "lesson u\nmoment\nsay x\n", 3, "twice"},
		{HEAD "moment\nsay\n", 4, "nothing"},
		{HEAD "say x\nmoment\n", 3, "none above"},
		{HEAD "play 2\n", 3, "none above"},
		{HEAD "moment\nsay x\nplay 0\n", 5, "play"},
		{HEAD "moment\nsay x\nplay on\n", 5, "play"},
		{HEAD "run b\nrun c\n", 4, "2 runs"},
		{HEAD "moment\nsay x\nrun b\n", 5, "before the first moment"},
		{"lesson t\ntext r0 a b\n", 2, "there is none"},
		{HEAD "text s0 a b\n", 3, "r0"},
		{HEAD "text r0\n", 3, "missing"},
		{HEAD "text r0.1 a\n", 3, "missing"},
		{HEAD "tell x\n", 3, "'tell'"},
		{"   indented\n", 1, "no line"},
		{HEAD "\n   indented\n", 4, "no line"},
	};
	char path[128];

	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(read_text(bad[i].text) == -EINVAL, "%s", bad[i].text);
		snprintf(path, sizeof(path), "%s:%u: ", lesson_file, bad[i].line);
		ck_assert_msg(strncmp(quire_failure(), path, strlen(path)) == 0 &&
				      strstr(quire_failure(), bad[i].says),
			      "'%s' gives: %s", bad[i].text, quire_failure());
	}
	ck_assert(quire_lesson_read(&lesson, "8") == -ENOENT);
	ck_assert(strstr(quire_failure(), "kv-cache, throughput"));
	ck_assert(quire_lesson_read(&lesson, "/no/such/file") == -ENOENT);
	ck_assert(quire_lesson_name((uint32_t)LESSONS, NULL) == NULL);
}
END_TEST

/* A lesson that does not fit its runs says so before it begins. */
START_TEST(test_unfit)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{HEAD "moment step 9999\nsay x\n", ":3: there is no step 9999"},
		{HEAD "moment step 1\nsay x\nview colour green\n", ":3: colour"},
		{HEAD "moment step 1\nsay x\nmoment end\nsay y\nview select r99\n", ":5: select"},
		{HEAD "moment soon\nsay x\n", ":3: 'soon'"},
		{HEAD "view dance\nmoment end\nsay x\n", "dance"},
	};
	struct quire_story *story;

	tale_make(&tale, 4);
	tale_run(&tale, files[0], NULL);
	tale_free(&tale);
	ck_assert(quire_story_open(&story, files[0]) == 0);
	ck_assert(quire_story_extend(story, UINT64_MAX) == 0);
	ck_assert(quire_view_init(&view, story, NULL) == 0);
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(read_text(bad[i].text) == 0, "%s", quire_failure());
		ck_assert(quire_walk_begin(&walk, &lesson, &view) == -EINVAL);
		ck_assert_msg(strstr(quire_failure(), bad[i].says), "%s", quire_failure());
		ck_assert(!view.guide && !view.caption.title);
		quire_lesson_free(&lesson);
	}
	quire_view_free(&view);
	quire_story_close(story);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lesson");
	TCase *text = tcase_create("text"), *shipped = tcase_create("shipped");
	SRunner *runner;
	int failed;

	if (!mkdtemp(folder))
		return 1;
	for (uint32_t i = 0; i < 2; i++)
		snprintf(files[i], sizeof(files[i]), "%s/%u.quire", folder, i);
	snprintf(lesson_file, sizeof(lesson_file), "%s/a.lesson", folder);
	tcase_add_test(text, test_read);
	tcase_add_test(text, test_refused);
	tcase_add_test(text, test_unfit);
	tcase_add_test(text, test_stay);
	tcase_add_loop_test(shipped, test_shipped, 0, LESSONS);
	tcase_add_loop_test(shipped, test_walk, 0, LESSONS);
	tcase_add_test(shipped, test_tell);
	suite_add_tcase(suite, text);
	suite_add_tcase(suite, shipped);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (uint32_t i = 0; i < 2; i++)
		unlink(files[i]);
	unlink(lesson_file);
	rmdir(folder);
	return failed;
}
