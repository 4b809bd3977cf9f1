/*
 * test_pair.c - two runs in one picture: what is read from a recording against what the
 * executor saw, both runs on one grid of time, sums that must come out, words and bars
 * against what a person works out, and nothing drawn that cannot be.
 *
 * The worlds are small, random from a printed seed, and run by the real loop.
 */
#include "core/cli/compare_report.h"
#include "core/trace/chart_canvas.h"
#include "core/trace/chart_pair.h"
#include "core/trace/record_metrics.h"
#include "core/trace/record_write.h"
#include "world.h"

#include <check.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEDS 30

static struct world w; /* big */
static char file[] = "/tmp/quire-pair-XXXXXX";

/* ---- a run and its recording ---- */

static void run_world(uint64_t seed)
{
	static const char *const schedulers[] = {"static,batch=3", "continuous", "splitfuse"};
	static const char *const allocators[] = {"contiguous,reserve=max", "paged,block=4"};
	uint64_t state = seed * 2654435761u + 1;
	uint64_t at_ns = 0;

	world_init(&w, schedulers[world_random(&state, 3)], allocators[world_random(&state, 2)]);
	w.config.step_tokens_max = 64;
	w.config.slots_total = 160;
	for (uint32_t i = 0; i < 40; i++) {
		struct quire_request *q =
			world_add(&w, 1 + world_random(&state, 30), 1 + world_random(&state, 9));

		at_ns += world_random(&state, 3) ? world_random(&state, 9000) : 0;
		q->arrival_ns = at_ns;
		q->samples = world_random(&state, 4) ? 1 : 2;
	}
	world_run(&w);
	if (w.rc)
		ck_abort_msg("seed %lu: %s", (unsigned long)seed, w.sentence);
}

/* As if the clock of the world were slower: its microseconds are less than a bin. */
static void stretch(uint64_t factor)
{
	for (size_t i = 0; i < w.events_count; i++)
		w.events[i].at_ns *= factor;
	for (uint32_t i = 0; i < w.config.requests_count; i++)
		w.requests[i].arrival_ns *= factor;
}

/* The same as a recording, to be closed. */
static struct quire_record *record(void)
{
	const struct quire_recorder_config config = {
		.run = {.requests_count = w.config.requests_count,
			.slots_total = w.config.slots_total,
			.window_from_ns = w.config.window_from_ns,
			.window_until_ns =
				w.config.window_until_ns ? w.config.window_until_ns : UINT64_MAX},
		.config = "{}",
		.requests = w.requests,
		.output_tokens = w.output_tokens,
		.alone = true,
	};
	struct quire_recorder *rec;
	struct quire_record *r = NULL;

	ck_assert_int_eq(quire_recorder_open(&rec, file), 0);
	quire_recorder_begin(rec, &config);
	for (size_t i = 0; i < w.events_count; i++)
		quire_recorder_sink(rec)->emit(quire_recorder_sink(rec), &w.events[i]);
	ck_assert_int_eq(quire_recorder_close(rec, NULL), 0);
	ck_assert_int_eq(quire_record_open(&r, file), 0);
	return r;
}

static double sum_of(const struct quire_series *s, enum quire_series_kind kind)
{
	double sum = 0;

	for (uint32_t i = 0; i < QUIRE_SERIES_BINS; i++)
		sum += s->sum[kind][i];
	return sum;
}

static bool close_to(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b)) + 1e-15;
}

/* Requests by the outcomes of the loop, in plain words. */
static void check_request(uint64_t seed, uint32_t i, const struct quire_request_times *t)
{
	const struct quire_outcome *o = &w.m->outcomes[i];
	bool begun = o->first_token_ns > 0, done = begun && o->finish_ns && !o->refused;
	double output = (double)o->output_tokens / w.requests[i].samples;
	double ttft = (double)(o->first_token_ns - o->arrival_ns) / 1e9;
	double e2e = (double)(o->finish_ns - o->arrival_ns) / 1e9;

	if (begun ? !close_to(t->ttft_s, ttft) : !isnan(t->ttft_s))
		ck_abort_msg("seed %lu, request %u: TTFT %g", (unsigned long)seed, i, t->ttft_s);
	if (done ? !close_to(t->e2e_s, e2e) : !isnan(t->e2e_s))
		ck_abort_msg("seed %lu, request %u: E2E %g", (unsigned long)seed, i, t->e2e_s);
	if (done && output > 1 ? !close_to(t->tpot_s, (e2e - ttft) / (output - 1))
			       : !isnan(t->tpot_s))
		ck_abort_msg("seed %lu, request %u: TPOT %g", (unsigned long)seed, i, t->tpot_s);
}

START_TEST(a_recording_tells_every_step_and_request)
{
	struct quire_plot *plot = calloc(1, sizeof(*plot));

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct quire_record_plot p;
		struct quire_record *r;

		run_world(seed);
		r = record();
		ck_assert_int_eq(quire_record_plot_make(&p, plot, r), 0);
		ck_assert_uint_eq(p.steps_count, w.steps_count);
		for (uint32_t i = 0; i < p.steps_count; i++)
			if (p.steps[i].begin_ns != w.steps[i].begin_ns ||
			    p.steps[i].tokens != w.steps[i].tokens ||
			    p.steps[i].time_ns !=
				    WORLD_STEP_NS + (uint64_t)WORLD_TOKEN_NS * w.steps[i].tokens)
				ck_abort_msg("seed %lu, step %u: at %lu for %lu ns, %u tokens",
					     (unsigned long)seed, i,
					     (unsigned long)p.steps[i].begin_ns,
					     (unsigned long)p.steps[i].time_ns, p.steps[i].tokens);
		ck_assert_uint_eq(p.requests_count, w.config.requests_count);
		for (uint32_t i = 0; i < p.requests_count; i++)
			check_request(seed, i, &p.requests[i]);
		ck_assert(close_to(sum_of(&plot->series, QUIRE_SERIES_STEPS), w.steps_count));
		ck_assert(close_to(sum_of(&plot->series, QUIRE_SERIES_OUTPUT),
				   (double)w.m->output_tokens));
		ck_assert_uint_eq(plot->series.end_ns, w.m->end_ns);
		quire_record_plot_free(&p);
		quire_record_close(r);
		world_free(&w);
	}
	free(plot);
}
END_TEST

START_TEST(requests_outside_the_window_have_no_times)
{
	struct quire_plot *plot = calloc(1, sizeof(*plot));
	struct quire_record_plot p;
	struct quire_record *r;
	uint32_t inside = 0;

	world_init(&w, "continuous", "paged,block=4");
	for (uint32_t i = 0; i < 10; i++)
		world_add(&w, 4, 3)->arrival_ns = i * 10000u;
	w.config.window_from_ns = 20000;
	w.config.window_until_ns = 50000;
	ck_assert_int_eq(world_run(&w), 0);
	r = record();
	ck_assert_int_eq(quire_record_plot_make(&p, plot, r), 0);
	for (uint32_t i = 0; i < 10; i++)
		inside += isnan(p.requests[i].e2e_s) ? 0 : 1;
	ck_assert_uint_eq(inside, 3);
	ck_assert(isnan(p.requests[1].ttft_s) && !isnan(p.requests[2].ttft_s));
	ck_assert_uint_eq(plot->e2e_s.count, 3);
	quire_record_plot_free(&p);
	quire_record_close(r);
	world_free(&w);
	free(plot);
}
END_TEST

/* Times that fall, or that nobody has lived through, and sequences that cannot be. */
START_TEST(events_may_say_anything)
{
	static const uint64_t odd[] = {0, 1, UINT64_MAX, UINT64_MAX - 1, (uint64_t)1 << 62, 77777};
	struct quire_plot *plot = calloc(1, sizeof(*plot));
	uint64_t state = 5;

	for (uint32_t round = 0; round < 300; round++) {
		struct quire_record_plot p;
		struct quire_record *r;

		world_init(&w, "continuous", "paged,block=4");
		world_add(&w, 4, 3);
		world_run(&w);
		for (size_t i = 0; i < w.events_count; i++) {
			struct quire_event *e = &w.events[i];

			if (world_random(&state, 3))
				continue;
			e->at_ns = odd[world_random(&state, 6)];
			e->seq = world_random(&state, 2) ? e->seq : UINT32_MAX;
			e->kind = world_random(&state, QUIRE_EV_COUNT + 2);
			e->a = world_random(&state, 2) ? e->a : UINT32_MAX;
			e->b = world_random(&state, 2) ? e->b : UINT32_MAX;
		}
		r = record();
		ck_assert_int_eq(quire_record_plot_make(&p, plot, r), 0);
		ck_assert_uint_le(quire_series_bins(&plot->series), QUIRE_SERIES_BINS);
		quire_record_plot_free(&p);
		quire_record_close(r);
		world_free(&w);
	}
	free(plot);
}
END_TEST

/* ---- one grid of time ---- */

START_TEST(coarser_bins_are_those_of_a_longer_run)
{
	struct quire_series *fine = calloc(1, sizeof(*fine)), *coarse = calloc(1, sizeof(*coarse));
	uint64_t state = 11, at_ns = 0;
	double x[QUIRE_SERIES_BINS], y[QUIRE_SERIES_BINS], all[QUIRE_SERIES_BINS];

	quire_series_hold(coarse, QUIRE_SERIES_WAITING, 0, (uint64_t)1 << 34, 0);
	coarse->end_ns = 0;
	for (uint32_t i = 0; i < 2000; i++) {
		uint64_t until_ns = at_ns + world_random(&state, 900000);
		double value = world_random(&state, 50);

		quire_series_hold(fine, QUIRE_SERIES_WAITING, at_ns, until_ns, value);
		quire_series_hold(coarse, QUIRE_SERIES_WAITING, at_ns, until_ns, value);
		at_ns = until_ns;
	}
	ck_assert_uint_lt(fine->bin_ns, coarse->bin_ns);
	quire_series_coarsen(fine, coarse->bin_ns);
	ck_assert_uint_eq(fine->bin_ns, coarse->bin_ns);
	for (uint32_t i = 0; i < QUIRE_SERIES_BINS; i++)
		if (!close_to(fine->sum[QUIRE_SERIES_WAITING][i],
			      coarse->sum[QUIRE_SERIES_WAITING][i]))
			ck_abort_msg("bin %u", i);
	quire_series_coarsen(fine, 1); /* never finer */
	ck_assert_uint_eq(fine->bin_ns, coarse->bin_ns);
	/* groups of 3 are the means of 3 bins each, but for the last */
	ck_assert_uint_eq(
		quire_series_means(fine, QUIRE_SERIES_WAITING, QUIRE_PER_SECOND, 1, x, all),
		quire_series_bins(fine));
	for (uint32_t i = 0,
		      n = quire_series_means(fine, QUIRE_SERIES_WAITING, QUIRE_PER_SECOND, 3, x, y);
	     i + 1 < n; i++)
		if (!close_to(y[i], (all[3 * i] + all[3 * i + 1] + all[3 * i + 2]) / 3) ||
		    !close_to(x[i], (3 * i + 1.5) * (double)fine->bin_ns / 1e9))
			ck_abort_msg("group %u", i);
	ck_assert_uint_eq(quire_series_means(fine, QUIRE_SERIES_WAITING, QUIRE_PER_SECOND, 0, x, y),
			  0);
	free(fine);
	free(coarse);
}
END_TEST

/* ---- pairs ---- */

/* Run @i of a pair, from a world of this seed. */
static void add_run(struct quire_pair *p, int i, uint64_t seed)
{
	struct quire_record *r;

	run_world(seed);
	stretch(i ? 11000 : 5000); /* the bins of B are longer */
	r = record();
	ck_assert_int_eq(quire_record_plot_make(&p->recorded[i], &p->plots[i], r), 0);
	ck_assert_int_eq(quire_record_report(r, &p->report[i]), 0);
	snprintf(p->label[i], sizeof(p->label[i]), "%c  seed %lu", "AB"[i], (unsigned long)seed);
	quire_record_close(r);
	world_free(&w);
}

static struct quire_pair *new_pair(uint64_t a, uint64_t b)
{
	struct quire_pair *p = calloc(1, sizeof(*p));

	p->plots = calloc(2, sizeof(*p->plots));
	add_run(p, 0, a);
	add_run(p, 1, b);
	for (int i = 0; i < 2; i++)
		quire_series_coarsen(&p->plots[i].series, p->plots[!i].series.bin_ns);
	p->both_recorded = true;
	p->same_requests = true;
	p->parting_s[0] = p->parting_s[1] = NAN;
	p->parting = "first decision that differs";
	return p;
}

static void free_pair(struct quire_pair *p)
{
	for (int i = 0; i < 2; i++)
		quire_record_plot_free(&p->recorded[i]);
	free(p->plots);
	free(p);
}

static const struct quire_chart *chart_of(const struct quire_figure *f, const char *title)
{
	for (uint32_t i = 0; i < f->charts_count; i++)
		if (!strcmp(f->charts[i].title, title))
			return &f->charts[i];
	ck_abort_msg("there is no chart '%s'", title);
	return NULL;
}

static double sum_y(const struct quire_curve *c)
{
	double sum = 0;

	for (uint32_t i = 0; i < c->count; i++)
		sum += c->y[i];
	return sum;
}

START_TEST(lines_add_up_to_their_runs)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct quire_pair *p = new_pair(seed, seed + 100);
		const struct quire_chart *so_far, *ahead, *total;
		double output[2];
		struct quire_figure f;

		ck_assert_int_eq(quire_pair_figure(&f, QUIRE_PAIR_THROUGHPUT, p), 1);
		so_far = chart_of(&f, "Output so far");
		ahead = chart_of(&f, "B - A: how far B is ahead");
		for (uint32_t i = 0; i < 2; i++) {
			const struct quire_curve *c = &so_far->curves[i];

			output[i] = sum_of(&p->plots[i].series, QUIRE_SERIES_OUTPUT);
			if (!close_to(c->y[c->count - 1], output[i]) || c->y[0] > 0 ||
			    !close_to(c->x[c->count - 1], (double)p->plots[i].series.end_ns / 1e9))
				ck_abort_msg("seed %lu, run %u: %g tokens at %g",
					     (unsigned long)seed, i, c->y[c->count - 1],
					     c->x[c->count - 1]);
		}
		if (!close_to(ahead->curves[0].y[ahead->curves[0].count - 1],
			      output[1] - output[0]))
			ck_abort_msg("seed %lu: B is not ahead by %g", (unsigned long)seed,
				     output[1] - output[0]);
		quire_figure_free(&f);

		ck_assert_int_eq(quire_pair_figure(&f, QUIRE_PAIR_STEPS, p), 1);
		total = chart_of(&f, "Where the time goes");
		for (uint32_t i = 0; i < 2; i++) {
			double time_s = 0;

			for (uint32_t k = 0; k < p->recorded[i].steps_count; k++)
				time_s += (double)p->recorded[i].steps[k].time_ns / 1e9;
			if (!close_to(sum_y(&total->curves[i]), time_s))
				ck_abort_msg("seed %lu, run %u: %g s of %g", (unsigned long)seed, i,
					     sum_y(&total->curves[i]), time_s);
		}
		quire_figure_free(&f);
		free_pair(p);
	}
}
END_TEST

/* Points against sums over the bins, and the steps, that they are made of. */
START_TEST(points_are_means_of_what_is_below_them)
{
	struct quire_pair *p = new_pair(8, 9);
	const struct quire_curve *c;
	struct quire_figure f;

	ck_assert_int_eq(quire_pair_figure(&f, QUIRE_PAIR_MEMORY, p), 1);
	for (uint32_t i = 0; i < 2; i++) {
		const struct quire_series *s = &p->plots[i].series;
		uint32_t group;

		c = &chart_of(&f, "Reserved + internal")->curves[i];
		group = (uint32_t)lround((c->x[1] - c->x[0]) * 1e9 / (double)s->bin_ns);
		for (uint32_t k = 0; k + 1 < c->count; k++) {
			double sum = 0;

			for (uint32_t b = k * group; b < (k + 1) * group; b++)
				sum += s->sum[QUIRE_SERIES_RESERVED][b] +
				       s->sum[QUIRE_SERIES_INTERNAL][b];
			sum /= (double)group * (double)s->bin_ns * 160;
			if (!close_to(c->y[k], sum))
				ck_abort_msg("run %u, point %u: %g, not %g", i, k, c->y[k], sum);
		}
	}
	quire_figure_free(&f);
	ck_assert_int_eq(quire_pair_figure(&f, QUIRE_PAIR_STEPS, p), 1);
	for (uint32_t i = 0; i < 2; i++) {
		const struct quire_record_plot *r = &p->recorded[i];

		c = &chart_of(&f, "Time of a step over time")->curves[i];
		for (uint32_t k = 0; k < c->count; k++) {
			double half = (c->x[1] - c->x[0]) / 2, sum = 0, n = 0;

			for (uint32_t e = 0; e < r->steps_count; e++) {
				double at_s = (double)r->steps[e].begin_ns / 1e9;

				if (at_s < c->x[k] - half || at_s >= c->x[k] + half)
					continue;
				sum += (double)r->steps[e].time_ns / 1e6;
				n++;
			}
			if (n > 0 ? !close_to(c->y[k], sum / n) : !isnan(c->y[k]))
				ck_abort_msg("run %u, piece %u: %g, not %g", i, k, c->y[k],
					     sum / n);
		}
	}
	quire_figure_free(&f);
	free_pair(p);
}
END_TEST

/* Where the runs are alike, so are their lines, point by point. */
START_TEST(both_runs_lie_on_one_grid)
{
	struct quire_pair *p = new_pair(3, 3);
	struct quire_figure f;

	p->plots[0] = p->plots[1];
	/* B does nothing more, for as long as its bins last */
	p->plots[1].series.end_ns = p->plots[1].series.bin_ns * QUIRE_SERIES_BINS;
	memcpy(p->recorded[0].steps, p->recorded[1].steps,
	       p->recorded[0].steps_count * sizeof(*p->recorded[0].steps));
	for (uint32_t which = QUIRE_PAIR_BATCH; which <= QUIRE_PAIR_THROUGHPUT; which++) {
		if (which == QUIRE_PAIR_TOKENS)
			continue;
		ck_assert_int_eq(quire_pair_figure(&f, which, p), 1);
		for (uint32_t c = 0; c < f.charts_count; c++) {
			const struct quire_curve *k = f.charts[c].curves;

			if (f.charts[c].curves_count < 2)
				continue;
			ck_assert_uint_gt(k[0].count, 40);
			ck_assert_uint_gt(k[1].count, k[0].count);
			ck_assert_uint_le(k[1].count, 161);
			for (uint32_t i = 0; i + 1 < k[0].count; i++)
				if (!close_to(k[0].x[i], k[1].x[i]) ||
				    !close_to(k[0].y[i], k[1].y[i]))
					ck_abort_msg("%s, point %u", f.charts[c].title, i);
		}
		quire_figure_free(&f);
	}
	free_pair(p);
}
END_TEST

START_TEST(what_is_missing_is_left_out)
{
	struct quire_pair *p = new_pair(1, 2);
	struct quire_figure f;

	p->same_requests = false;
	ck_assert_int_eq(quire_pair_figure(&f, QUIRE_PAIR_REQUESTS, p), 0);
	quire_figure_free(&f);
	p->same_requests = true;
	p->both_recorded = false; /* two reports */
	memset(p->plots, 0, 2 * sizeof(*p->plots));
	for (uint32_t i = 0; i < QUIRE_PAIR_FIGURE_COUNT; i++) {
		ck_assert_int_eq(quire_pair_figure(&f, i, p), i <= QUIRE_PAIR_LATENCY);
		if (i == QUIRE_PAIR_LATENCY) { /* p50, p90, p95, p99, max */
			ck_assert_uint_eq(f.charts[0].curves[0].count, 5);
			ck_assert(close_to(f.charts[0].curves[1].x[0],
					   p->report[1].ttft_s.p50 * 1e3));
			ck_assert(close_to(f.charts[0].curves[1].x[3],
					   p->report[1].ttft_s.p99 * 1e3));
			ck_assert(close_to(f.charts[0].curves[1].y[3], 0.99));
		}
		quire_figure_free(&f);
	}
	free_pair(p);
}
END_TEST

START_TEST(they_part_where_they_part)
{
	struct quire_pair *p = new_pair(1, 2);
	const struct quire_chart *chart;
	struct quire_figure f;

	p->parting_s[0] = 0.1;
	p->parting_s[1] = 0.4;
	ck_assert_int_eq(quire_pair_figure(&f, QUIRE_PAIR_MEMORY, p), 1);
	for (uint32_t i = 0; i < 2; i++) { /* in its own panel each */
		chart = chart_of(&f, p->label[i]);
		ck_assert_uint_eq(chart->moments_count, 1);
		ck_assert(close_to(chart->moments[0].x, p->parting_s[i]));
	}
	chart = chart_of(&f, "Token states");
	ck_assert_uint_eq(chart->moments_count, 2);
	ck_assert(close_to(chart->moments[1].x, 0.4));
	ck_assert_str_eq(f.legend[f.legend_count - 1].text, p->parting);
	quire_figure_free(&f);
	p->parting_s[1] = p->parting_s[0]; /* at one time: one line */
	ck_assert_int_eq(quire_pair_figure(&f, QUIRE_PAIR_BATCH, p), 1);
	ck_assert_uint_eq(f.charts[0].moments_count, 1);
	quire_figure_free(&f);
	free_pair(p);
}
END_TEST

/* ---- figures and words ---- */

START_TEST(differences_are_in_percent_of_a)
{
	static const struct {
		double a, b;
		const char *text;
	} rows[] = {
		{2, 3, "+50.0%"},   {100, 96.9, "-3.1%"}, {1, 3.06, "+206%"},  {1, 20, "x 20"},
		{5, 5, "same"},	    {0, 0, "same"},	  {0, 1, "-"},	       {NAN, 1, "-"},
		{1, NAN, "-"},	    {1, 0, "-100%"},	  {1, 1.0001, "0.0%"}, {1e4, 9999, "0.0%"},
		{1, INFINITY, "-"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[32];

		quire_pair_percent(text, sizeof(text), rows[i].a, rows[i].b);
		if (strcmp(text, rows[i].text) != 0)
			ck_abort_msg("%g, %g: '%s', not '%s'", rows[i].a, rows[i].b, text,
				     rows[i].text);
	}
}
END_TEST

START_TEST(close_pairs_are_counted)
{
	const double a[] = {1, 1, 1, 1, 1, NAN, 1, 0, 1, INFINITY};
	const double b[] = {1, 1.09, 1.11, 0.91, 0.89, 1, NAN, 1, -1, 1};
	uint32_t count;

	ck_assert(close_to(quire_pair_close(a, b, 10, &count), 3 / 5.0));
	ck_assert_uint_eq(count, 5);
	ck_assert(isnan(quire_pair_close(a, b, 0, &count)) && count == 0);
}
END_TEST

/* A canvas that keeps boxes and paths of one colour, and looks at the rest. */
struct watcher {
	struct quire_canvas canvas;
	uint32_t colour, found;
	double left[64], right[64];
	double width, height;
	bool bad;
};

static void watch_path(struct quire_canvas *canvas, const struct quire_point *points,
		       uint32_t count, const struct quire_brush *brush)
{
	struct watcher *o = (struct watcher *)canvas;
	double left = INFINITY, right = -INFINITY;

	o->bad |= count < 2;
	for (uint32_t i = 0; i < count; i++) {
		o->bad |= !(points[i].x >= -1 && points[i].x <= o->width + 1 && points[i].y >= -1 &&
			    points[i].y <= o->height + 1);
		left = fmin(left, points[i].x);
		right = fmax(right, points[i].x);
	}
	if (brush->fill == o->colour && o->found < 64) {
		o->left[o->found] = left;
		o->right[o->found++] = right;
	}
}

static void watch_text(struct quire_canvas *canvas, double x, double y,
		       const struct quire_type *type, const char *text)
{
	struct watcher *o = (struct watcher *)canvas;

	(void)type;
	o->bad |=
		!isfinite(x) || !isfinite(y) || !text || strstr(text, "nan") || strstr(text, "inf");
}

static void watch_group(struct quire_canvas *canvas, const char *name)
{
	(void)canvas;
	(void)name;
}

static struct watcher watcher(uint32_t colour, double width, double height)
{
	return (struct watcher){
		.canvas = {.path = watch_path, .text = watch_text, .group = watch_group},
		.colour = colour,
		.width = width,
		.height = height};
}

START_TEST(bars_are_as_long_as_their_differences)
{
	static const double values[] = {0.5, -0.5, 0.25, 3, -1, NAN};
	struct quire_bar bars[6] = {{.pieces = 1}};
	struct watcher o = watcher(QUIRE_VERMILION, 300, 200);
	struct quire_chart chart;
	double zero, unit;

	for (uint32_t i = 0; i < 6; i++)
		bars[i] = (struct quire_bar){
			.pieces = 1, .value = {values[i]}, .colour = {QUIRE_VERMILION}};
	quire_chart_init(&chart, "", "");
	chart.bars = bars;
	chart.bars_count = 6;
	chart.x = (struct quire_axis){.exact = true, .known = true, .low = -1, .high = 2};
	quire_chart_draw_bars(&o.canvas, &chart, 0, 0, 300, 200);
	ck_assert(!o.bad);
	ck_assert_uint_eq(o.found, 5); /* nothing for NAN */
	zero = o.left[0];
	unit = (o.right[0] - zero) / 0.5;
	ck_assert_double_eq_tol(o.right[1], zero, 1e-9);
	ck_assert_double_eq_tol(o.left[1], zero - 0.5 * unit, 1e-9);
	ck_assert_double_eq_tol(o.right[2], zero + 0.25 * unit, 1e-9);
	ck_assert_double_eq_tol(o.right[3], zero + 2 * unit, 1e-9); /* up to the edge */
	ck_assert_double_eq_tol(o.left[4], zero - unit, 1e-9);
}
END_TEST

/* Any double, often an odd one. */
static double any(uint64_t *state)
{
	static const double odd[] = {NAN, INFINITY, -INFINITY, 0, -1, 1e-300, 1e300, 5e-324};

	return world_random(state, 3) ? world_random(state, 1000) / 100.0
				      : odd[world_random(state, 8)];
}

START_TEST(nothing_undrawable_is_drawn)
{
	struct quire_pair *p = new_pair(4, 5);
	uint64_t state = 99;

	for (uint32_t round = 0; round < 200; round++) {
		struct quire_report *report = &p->report[round % 2];
		struct quire_figure f;

		report->time_s = any(&state);
		(&report->sequences_mean)[world_random(&state, 7)] = any(&state);
		(&report->ttft_s.mean)[world_random(&state, 36)] = any(&state);
		(&report->token_states)[world_random(&state, 8)] = any(&state);
		for (uint32_t i = 0; i < 20; i++)
			(&p->recorded[i % 2].requests[0].ttft_s)[world_random(&state, 200)] =
				any(&state);
		p->recorded[round % 2].steps[world_random(&state, 20)].time_ns =
			world_random(&state, 2) ? 0 : UINT64_MAX;
		p->parting_s[round % 2] = any(&state);
		p->same_steps = world_random(&state, 2) ? p->recorded[0].steps_count / 2 : 0;
		if (p->same_steps > p->recorded[1].steps_count)
			p->same_steps = p->recorded[1].steps_count;
		for (uint32_t which = 0; which < QUIRE_PAIR_FIGURE_COUNT; which++) {
			struct watcher o = watcher(0, 720, 0);

			if (quire_pair_figure(&f, which, p) > 0) {
				o.height = quire_figure_height(&f, true);
				quire_figure_draw(&o.canvas, &f, true);
			}
			if (o.bad)
				ck_abort_msg("round %u: %s", round, f.name);
			quire_figure_free(&f);
		}
	}
	free_pair(p);
}
END_TEST

/* ---- reports ---- */

START_TEST(a_report_is_read_as_it_was_written)
{
	static const size_t spreads[] = {offsetof(struct quire_report, ttft_s),
					 offsetof(struct quire_report, tpot_s),
					 offsetof(struct quire_report, itl_s),
					 offsetof(struct quire_report, e2e_s),
					 offsetof(struct quire_report, queue_s),
					 offsetof(struct quire_report, normalized_latency_s)};
	struct quire_pair *p = new_pair(6, 7);
	struct quire_report again, *r = &p->report[0];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *json;

	snprintf(r->config.scheduler, sizeof(r->config.scheduler), "splitfuse,mix=1");
	snprintf(r->config.exec, sizeof(r->config.exec), "cpu");
	r->tpot_s.max = NAN; /* null */
	ck_assert_int_eq(quire_report_json(out, r, 1, false), 0);
	fclose(out);
	json = json_loads(text, 0, NULL);
	quire_report_from_json(&again, json);
	ck_assert(isnan(again.tpot_s.max));
	again.tpot_s.max = r->tpot_s.max = 0;
	for (size_t i = 0; i < sizeof(spreads) / sizeof(*spreads); i++) {
		const double *x = (const void *)((const char *)r + spreads[i]);
		const double *y = (const void *)((const char *)&again + spreads[i]);

		for (size_t k = 0; k < sizeof(struct quire_spread) / sizeof(*x); k++)
			if (!close_to(x[k], y[k]))
				ck_abort_msg("spread %zu, %zu: %g, not %g", i, k, y[k], x[k]);
	}
	ck_assert(close_to(again.token_states, r->token_states) &&
		  close_to(again.reserved, r->reserved) && close_to(again.internal, r->internal) &&
		  close_to(again.external, r->external) && close_to(again.free, r->free));
	ck_assert(close_to(again.requests_per_s, r->requests_per_s) &&
		  close_to(again.output_tokens_per_s, r->output_tokens_per_s) &&
		  close_to(again.prompt_tokens_per_s, r->prompt_tokens_per_s));
	ck_assert_uint_eq(again.steps, r->steps);
	ck_assert_uint_eq(again.config.kv_slots, 160);
	ck_assert_str_eq(again.config.scheduler, "splitfuse,mix=1");
	ck_assert_str_eq(again.config.exec, "cpu");
	json_decref(json);
	free(text);
	json = json_pack("{s:s, s:[i], s:{s:s, s:i}}", "ttft_s", "x", "memory", 1, "config",
			 "model", "m", "exec", 3);
	quire_report_from_json(&again, json); /* none of it is what it should be */
	ck_assert(isnan(again.ttft_s.mean) && isnan(again.free) && again.config.kv_slots == 0);
	ck_assert_str_eq(again.config.model, "m");
	ck_assert_str_eq(again.config.exec, "");
	json_decref(json);
	free_pair(p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pair");
	TCase *read = tcase_create("read"), *draw = tcase_create("draw");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (close(mkstemp(file)))
		return 1;
	tcase_add_test(read, a_recording_tells_every_step_and_request);
	tcase_add_test(read, requests_outside_the_window_have_no_times);
	tcase_add_test(read, events_may_say_anything);
	tcase_add_test(read, coarser_bins_are_those_of_a_longer_run);
	tcase_add_test(read, a_report_is_read_as_it_was_written);
	suite_add_tcase(suite, read);
	tcase_add_test(draw, lines_add_up_to_their_runs);
	tcase_add_test(draw, points_are_means_of_what_is_below_them);
	tcase_add_test(draw, both_runs_lie_on_one_grid);
	tcase_add_test(draw, what_is_missing_is_left_out);
	tcase_add_test(draw, they_part_where_they_part);
	tcase_add_test(draw, differences_are_in_percent_of_a);
	tcase_add_test(draw, close_pairs_are_counted);
	tcase_add_test(draw, bars_are_as_long_as_their_differences);
	tcase_add_test(draw, nothing_undrawable_is_drawn);
	suite_add_tcase(suite, draw);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	unlink(file);
	return failed;
}
