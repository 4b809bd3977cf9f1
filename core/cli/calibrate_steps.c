/*
 * calibrate_steps.c - the steps that a calibration is made of; see calibrate_parts.h.
 *
 * Rounds of requests are served, from one sequence at a time to many, with short prompts
 * and long ones, whole and in chunks.  Every step is noted with what it did and how long
 * it took, up to the next one, so that the host is in it.
 */
#include "calibrate_parts.h"
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

/* ---- noting them ---- */

static bool grow(void **at, size_t *limit, size_t size)
{
	size_t wanted = *limit ? 2 * *limit : 1024;
	void *bigger = realloc(*at, wanted * size);

	if (!bigger)
		return false;
	*at = bigger;
	*limit = wanted;
	return true;
}

struct quire_fit_step quire_calibrate_fit_step(const struct quire_calibration *c,
					       const struct quire_calibration_step *s)
{
	return (struct quire_fit_step){
		.items = c->items + s->first,
		.items_count = s->count,
		.copied_slots = s->copied_slots,
		.round = s->round,
		.ns = s->end_ns - s->begin_ns,
	};
}

/* The step that runs has ended, and what comes next begins, at @at_ns. */
static void end_step(struct quire_calibration *c, uint64_t at_ns)
{
	struct quire_engine_stats stats;

	if (!c->running)
		return;
	c->running = false;
	c->now.end_ns = at_ns;
	quire_engine_stats(&c->bench.loaded.exec, &stats);
	if (stats.captured > c->now.captured) { /* a graph, once and for all */
		c->items_count = c->now.first;
		return;
	}
	if (c->steps_count == c->steps_limit) {
		size_t limit = c->steps_limit;

		if (!grow((void **)&c->steps, &limit, sizeof(*c->steps))) {
			c->short_of_memory = true;
			return;
		}
		c->steps_limit = (uint32_t)limit;
	}
	c->steps[c->steps_count++] = c->now;
}

/* The sink is the first of what is measured. */
static struct quire_calibration *sink_owner(struct quire_sink *sink)
{
	return (struct quire_calibration *)(void *)((char *)sink -
						    offsetof(struct quire_calibration, sink));
}

static void hear(struct quire_sink *sink, const struct quire_event *e)
{
	struct quire_calibration *c = sink_owner(sink);
	struct quire_engine_stats stats;

	switch (e->kind) {
	case QUIRE_EV_COPY:
	case QUIRE_EV_RUN:
		end_step(c, e->at_ns);
		if (c->now.begin_ns != e->at_ns || c->now.end_ns) /* the first of a plan */
			c->now = (struct quire_calibration_step){
				.first = c->items_count, .begin_ns = e->at_ns, .round = c->round};
		if (e->kind == QUIRE_EV_COPY) {
			c->now.copied_slots += e->c;
			break;
		}
		if (c->items_count == c->items_limit &&
		    !grow((void **)&c->items, &c->items_limit, sizeof(*c->items))) {
			c->short_of_memory = true;
			break;
		}
		c->items[c->items_count++] =
			(struct quire_fit_item){e->a, e->b, e->a + e->b == e->c};
		c->now.count++;
		break;
	case QUIRE_EV_STEP:
		quire_engine_stats(&c->bench.loaded.exec, &stats);
		c->now.captured = stats.captured;
		c->running = c->now.count && !c->short_of_memory;
		break;
	default: /* IDLE, END */
		end_step(c, e->at_ns);
	}
	if (e->at_ns > c->until_ns || c->short_of_memory)
		c->stop = 1;
}

/* ---- how much they vary ---- */

/* Is @next the same work as @s, for the same sequences, each one token on? */
static bool repeats(const struct quire_calibration *c, const struct quire_calibration_step *s,
		    const struct quire_calibration_step *next)
{
	const struct quire_fit_item *a = c->items + s->first, *b = c->items + next->first;

	if (s->round != next->round || s->count != next->count || s->copied_slots ||
	    next->copied_slots)
		return false;
	for (uint32_t i = 0; i < s->count; i++)
		if (a[i].tokens != 1 || b[i].tokens != 1 || b[i].cached != a[i].cached + 1)
			return false;
	return true;
}

double quire_calibrate_spread(const struct quire_calibration *c, uint32_t *pairs)
{
	double sum = 0;

	*pairs = 0;
	for (uint32_t i = 1; i < c->steps_count; i++) {
		const struct quire_calibration_step *s = &c->steps[i - 1], *next = &c->steps[i];
		const double a = (double)(s->end_ns - s->begin_ns);
		const double b = (double)(next->end_ns - next->begin_ns);

		if (!repeats(c, s, next))
			continue;
		sum += fmin(fmax(a, b) / fmin(a, b) - 1, 1);
		++*pairs;
	}
	return *pairs ? sum / *pairs : NAN;
}

/* ---- rounds ---- */

/* Lengths are shares of the longest sequence, but not below the number behind. */
static const struct round {
	const char *scheduler;
	uint32_t seqs;		       /* at one time; twice as many requests */
	double prompt_from, prompt_to; /* shares */
	uint32_t output;
} rounds[] = {
	{"continuous", 1, 0.002, 0.03, 24},	    {"continuous", 1, 0.3, 0.9, 12},
	{"continuous", 4, 0.01, 0.2, 24},	    {"splitfuse,budget=32", 4, 0.02, 0.2, 12},
	{"splitfuse,budget=128", 6, 0.05, 0.5, 12}, {"continuous", 16, 0.005, 0.1, 48},
	{"splitfuse,budget=512", 12, 0.1, 0.9, 8},  {"continuous", 64, 0.005, 0.1, 64},
	{"splitfuse", 32, 0.01, 0.3, 48},	    {"continuous", 24, 0.05, 0.3, 48},
	{"continuous", 128, 0.005, 0.2, 96},	    {"splitfuse", 256, 0.005, 0.2, 96},
};
#define ROUNDS (sizeof(rounds) / sizeof(*rounds))
_Static_assert(ROUNDS <= QUIRE_FIT_ROUNDS_MAX, "a fit tells them apart");

static uint32_t share_of(const struct quire_calibration *c, double share)
{
	const uint32_t tokens = (uint32_t)(share * c->model_len);

	return tokens > 2 ? tokens : 2;
}

static int run_round(struct quire_calibration *c, const struct round *round, double seconds)
{
	struct quire_workload w = {.name = NULL};
	struct quire_workload_options o = {.requests = 4ull * round->seqs + 16, .seed = 11};
	struct quire_settings settings = {.max_model_len = c->model_len};
	struct quire_loop_config config = {
		.scheduler = round->scheduler,
		.allocator = "paged",
		.seq_tokens_max = c->model_len,
		.window_until_ns = UINT64_MAX,
		.sink = &c->sink,
		.stop = &c->stop,
	};
	struct quire_loop *loop = NULL;
	char text[128];
	int rc;

	config.seqs_max = round->seqs < c->seqs_max ? round->seqs : c->seqs_max;
	settings.max_num_seqs = config.seqs_max;
	o.arrivals = QUIRE_ARRIVALS_CLOSED;
	o.users = config.seqs_max + config.seqs_max / 2;
	snprintf(text, sizeof(text), "synthetic,prompt=uniform:%u:%u,output=uniform:%u:%u",
		 share_of(c, round->prompt_from), share_of(c, round->prompt_to), round->output / 2,
		 round->output);
	rc = quire_workload_preset(&w, text, &o);
	if (rc == 0)
		rc = quire_workload_apply(&w, &o);
	for (uint32_t i = 0; rc == 0 && i < w.count; i++)
		if (w.requests[i].output_tokens_max > c->model_len - w.requests[i].prompt_tokens)
			w.requests[i].output_tokens_max =
				c->model_len - w.requests[i].prompt_tokens;
	config.requests = w.requests;
	config.requests_count = w.count;
	config.output_tokens = w.output_tokens;
	config.closed_users = w.closed_users;
	if (rc == 0)
		rc = quire_bench_slots(&c->bench, &w, &settings, &config.slots_total);
	if (rc == 0)
		rc = quire_bench_begin(&c->bench, &w, &config, 5);
	if (rc) {
		quire_workload_free(&w);
		return rc;
	}
	loop = quire_loop_new(&config);
	rc = loop ? 0 : -errno;
	if (loop) {
		c->stop = quire_bench_stopped();
		c->until_ns = (uint64_t)(seconds * 1e9);
		c->running = false;
		c->now = (struct quire_calibration_step){.first = c->items_count};
		quire_bench_go(&c->bench);
		rc = quire_loop_run(loop);
		rc = rc == -EINTR ? 0 : rc;
		c->running = false;
		c->refused += quire_loop_metrics(loop)->refused;
	}
	if (loop)
		quire_loop_free(loop);
	quire_bench_end(&c->bench);
	quire_workload_free(&w);
	if (rc == 0 && c->short_of_memory)
		rc = quire_fail(-ENOMEM, "no memory for what was measured");
	return rc;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int quire_calibrate_measure(struct quire_calibration *c)
{
	const double begin_s = now_s();
	int rc = 0;

	c->sink = (struct quire_sink){.kinds = QUIRE_EV_BIT(COPY) | QUIRE_EV_BIT(RUN) |
					       QUIRE_EV_BIT(STEP) | QUIRE_EV_BIT(IDLE) |
					       QUIRE_EV_BIT(END),
				      .emit = hear};

	for (size_t i = 0; rc == 0 && i < ROUNDS && !quire_bench_stopped(); i++) {
		const double left_s = begin_s + c->seconds - now_s();
		const double share_s = left_s / (double)(ROUNDS - i);

		if (rounds[i].seqs > c->seqs_max)
			continue;
		c->round = (uint32_t)i;
		quire_progress("round %zu of %zu: up to %u sequences, %s", i + 1, ROUNDS,
			       rounds[i].seqs, rounds[i].scheduler);
		rc = run_round(c, &rounds[i], share_s > 1 ? share_s : 1);
	}
	quire_progress("%s", "");
	return rc;
}
