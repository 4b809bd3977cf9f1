/*
 * test_chart.c - axes and ticks against what a person would choose, what must never
 * be drawn, texts of any bytes, and series over time against a sum by brute force.
 */
#include "core/trace/chart.h"
#include "core/trace/chart_canvas.h"
#include "core/trace/series.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rng_state = 88172645463325252u;

static uint32_t below(uint32_t n)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (uint32_t)(rng_state >> 32) % n;
}

/* "0 20 40" */
static void expect_ticks(const struct quire_axis *axis, uint32_t ticks_max, const char *expected)
{
	struct quire_ticks t;
	char text[1024] = "";

	quire_axis_ticks(axis, ticks_max, &t);
	for (uint32_t i = 0; i < t.count; i++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s%.20s", i ? " " : "", t.label[i]);
	}
	ck_assert_str_eq(text, expected);
}

static struct quire_axis settled(enum quire_scale scale, double low, double high)
{
	struct quire_axis axis = {.scale = scale};

	quire_axis_cover(&axis, low);
	quire_axis_cover(&axis, high);
	quire_axis_settle(&axis, 6);
	return axis;
}

START_TEST(linear_ticks_are_nice)
{
	struct quire_axis axis = settled(QUIRE_LINEAR, 3, 93);

	ck_assert(axis.low == 0 && axis.high == 100);
	expect_ticks(&axis, 6, "0 20 40 60 80 100");
	axis = settled(QUIRE_LINEAR, 0, 0.0042);
	expect_ticks(&axis, 6, "0.000 0.001 0.002 0.003 0.004 0.005");
	axis = settled(QUIRE_LINEAR, 0, 12500);
	expect_ticks(&axis, 6, "0 2,500 5,000 7,500 10,000 12,500");
	axis = settled(QUIRE_LINEAR, -40, 60);
	expect_ticks(&axis, 6, "-40 -20 0 20 40 60");
	axis = (struct quire_axis){.percent = true, .exact = true, .low = 0, .high = 1};
	expect_ticks(&axis, 6, "0% 20% 40% 60% 80% 100%");
	expect_ticks(&axis, 3, "0% 50% 100%");
	axis = (struct quire_axis){.exact = true, .low = 0, .high = 164.2};
	expect_ticks(&axis, 5, "0 50 100 150");
}
END_TEST

START_TEST(log_ticks_are_decades_or_finer)
{
	struct quire_axis axis = settled(QUIRE_LOG10, 0.03, 70);

	ck_assert(fabs(axis.low - 0.02) < 1e-12 && fabs(axis.high - 100) < 1e-9);
	expect_ticks(&axis, 20, "0.02 0.05 0.1 0.2 0.5 1 2 5 10 20 50 100");
	expect_ticks(&axis, 6, "  0.1   1   10   100");
	axis = settled(QUIRE_LOG10, 1, 1e6);
	expect_ticks(&axis, 3, "1   1,000   1,000,000");
	axis = settled(QUIRE_LOG10, 7, 7); /* a single value has room around it */
	ck_assert(axis.low <= 3.5 && axis.high >= 14);
	axis = (struct quire_axis){.scale = QUIRE_LOG2, .exact = true, .low = 1, .high = 100};
	expect_ticks(&axis, 8, "1 2 4 8 16 32 64");
	axis = settled(QUIRE_LOG2, 3, 3);
	ck_assert(axis.low == 2 && axis.high == 4);
}
END_TEST

START_TEST(axes_of_nothing_have_something)
{
	static const double bad[] = {NAN, INFINITY, -INFINITY};

	for (enum quire_scale scale = QUIRE_LINEAR; scale <= QUIRE_LOG2; scale++) {
		struct quire_axis axis = {.scale = scale};
		struct quire_ticks t;

		for (int i = 0; i < 3; i++)
			quire_axis_cover(&axis, bad[i]);
		ck_assert(!axis.known);
		quire_axis_settle(&axis, 6);
		ck_assert(axis.high > axis.low && isfinite(axis.low) && isfinite(axis.high));
		quire_axis_ticks(&axis, 6, &t);
		ck_assert(t.count >= 2);
	}
	for (enum quire_scale scale = QUIRE_LINEAR; scale <= QUIRE_LOG2; scale++) {
		struct quire_axis axis = settled(scale, 0, 0);
		struct quire_ticks t;

		ck_assert(axis.high > axis.low);
		axis = settled(scale, 5e-324, 1); /* the least of all numbers */
		quire_axis_ticks(&axis, 6, &t);
		ck_assert(t.count >= 2 && axis.high > axis.low);
	}
}
END_TEST

START_TEST(places_are_inside_or_nowhere)
{
	struct quire_axis axis = settled(QUIRE_LOG10, 1, 100);

	ck_assert(quire_axis_place(&axis, 1) == 0 && quire_axis_place(&axis, 100) == 1);
	ck_assert(fabs(quire_axis_place(&axis, 10) - 0.5) < 1e-12);
	ck_assert(quire_axis_place(&axis, 1e9) == 1 && quire_axis_place(&axis, 1e-9) == 0);
	ck_assert(isnan(quire_axis_place(&axis, 0)) && isnan(quire_axis_place(&axis, -1)));
	ck_assert(isnan(quire_axis_place(&axis, NAN)) && isnan(quire_axis_place(&axis, INFINITY)));
	axis = settled(QUIRE_LINEAR, 0, 10);
	ck_assert(quire_axis_place(&axis, 5) == 0.5 && isnan(quire_axis_place(&axis, NAN)));
}
END_TEST

/* A canvas that looks at what it is told. */
struct watcher {
	struct quire_canvas canvas;
	uint32_t paths, texts, depth;
	bool bad;
};

static void watch_path(struct quire_canvas *canvas, const struct quire_point *points,
		       uint32_t count, const struct quire_brush *brush)
{
	struct watcher *w = (struct watcher *)canvas;

	(void)brush;
	w->paths++;
	w->bad |= count < 2;
	for (uint32_t i = 0; i < count; i++)
		w->bad |= !(points[i].x >= -1 && points[i].x <= 721 && points[i].y >= -1 &&
			    points[i].y <= 2000);
}

static void watch_text(struct quire_canvas *canvas, double x, double y,
		       const struct quire_type *type, const char *text)
{
	struct watcher *w = (struct watcher *)canvas;

	(void)type;
	w->texts++;
	w->bad |=
		!isfinite(x) || !isfinite(y) || !text || strstr(text, "nan") || strstr(text, "inf");
}

static void watch_group(struct quire_canvas *canvas, const char *name)
{
	struct watcher *w = (struct watcher *)canvas;

	w->bad |= !name && !w->depth;
	w->depth += name ? 1 : -1u;
}

/* Draw @count points everywhere a chart can have them. */
static void draw_all(const double *x, const double *y, uint32_t count, enum quire_scale scale)
{
	struct watcher w = {
		.canvas = {.path = watch_path, .text = watch_text, .group = watch_group}};
	struct quire_curve curves[3] = {{.name = "a", .x = x, .y = y, .count = count, .dots = true},
					{.look = {.area = true}, .x = x, .y = y, .count = count},
					{.look = {.area = true}, .x = x, .y = y, .count = count}};
	struct quire_mark mark = {
		.look = {.marker = QUIRE_DIAMOND}, .x = x[0], .y = y[0], .text = "here"};
	struct quire_bar bars[2] = {{.label = "one", .pieces = 1, .value = {y[0]}},
				    {.label = "two", .pieces = 4, .value = {1, y[0], NAN, -3}}};
	struct quire_chart charts[2];
	struct quire_figure f = {.title = "t",
				 .charts = charts,
				 .charts_count = 2,
				 .columns = 2,
				 .width = 720,
				 .chart_height = 150};

	quire_chart_init(&charts[0], "curves", "unit");
	charts[0].curves = curves;
	charts[0].curves_count = 3;
	charts[0].marks = &mark;
	charts[0].marks_count = 1;
	charts[0].x.scale = charts[0].y.scale = scale;
	quire_chart_fit(&charts[0]);
	quire_chart_init(&charts[1], "bars", "");
	charts[1].bars = bars;
	charts[1].bars_count = 2;
	quire_chart_fit(&charts[1]);
	quire_figure_draw(&w.canvas, &f, true);
	if (w.bad || w.depth || !w.paths || !w.texts)
		ck_abort_msg("%u points on scale %d: something that cannot be drawn was", count,
			     (int)scale);
}

START_TEST(nothing_undrawable_is_drawn)
{
	static const double odd[] = {NAN, INFINITY, -INFINITY, 0, -1, 1e-300, 1e300, 1, 2, 3};
	double x[12], y[12];

	x[0] = y[0] = 1;
	for (enum quire_scale scale = QUIRE_LINEAR; scale <= QUIRE_LOG2; scale++) {
		draw_all(x, y, 0, scale);
		draw_all(x, y, 1, scale);
	}
	for (uint32_t round = 0; round < 3000; round++) {
		for (uint32_t i = 0; i < 12; i++) {
			x[i] = below(2) ? i + 1 : odd[below(10)];
			y[i] = odd[below(10)];
		}
		draw_all(x, y, 1 + below(12), round % 3);
	}
}
END_TEST

START_TEST(texts_of_any_bytes_become_sound_xml)
{
	static const char nasty[] = "a<b>&\"\xff\xc3(\xe2\x82\xac\xed\xa0\x80\x01z";
	char *text = NULL, cut[8];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	quire_text_xml(out, nasty);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, "a&lt;b&gt;&amp;&quot;?\?(\xe2\x82\xac?\?\?\?z");
	free(text);
	quire_text_fit(cut, sizeof(cut), "abcdefghijklmnop", 10, false, 1000);
	ck_assert_uint_lt(strlen(cut), sizeof(cut));
	quire_text_fit(cut, sizeof(cut), "WWWWWW", 10, false, 30);
	ck_assert_msg(quire_text_width(cut, 10, false) <= 30 && strstr(cut, ".."), "%s", cut);
	ck_assert_uint_eq(quire_text_break("one two", 10, 1), 3);
	ck_assert_uint_eq(quire_text_break("one two", 10, 1000), 7);
}
END_TEST

START_TEST(figures_are_written_in_every_format)
{
	static const char *const begin[] = {"<?xml", "\x89PNG", "%PDF"};
	const double x[] = {1, 2, 3}, y[] = {1, NAN, 2};
	struct quire_curve curve = {.x = x, .y = y, .count = 3};
	struct quire_chart chart;
	struct quire_figure f = {.title = "\xff<&>",
				 .subtitle = "many words to be broken in lines",
				 .charts = &chart,
				 .charts_count = 1,
				 .width = 120,
				 .chart_height = 100};

	quire_chart_init(&chart, "title", "unit");
	chart.curves = &curve;
	chart.curves_count = 1;
	quire_chart_fit(&chart);
	for (enum quire_format format = 0; format < QUIRE_FORMATS; format++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		int rc = quire_figure_write(&f, out, format, true);

		ck_assert_int_eq(fclose(out), 0);
		ck_assert_int_eq(rc, 0);
		ck_assert_uint_gt(size, 500);
		ck_assert(!memcmp(text, begin[format], strlen(begin[format])));
		free(text);
	}
}
END_TEST

/* Steps of odd lengths with gaps, folded into bins, and summed at once. */
START_TEST(bins_sum_to_what_brute_force_sums)
{
	struct quire_series *s = calloc(1, sizeof(*s));
	struct {
		uint64_t from_ns, until_ns;
		double value;
	} *held = calloc(5000, sizeof(*held));
	uint64_t now_ns = 0;
	double total = 0;

	for (uint32_t i = 0; i < 5000; i++) {
		now_ns += below(3) ? 0 : below(50000000);
		held[i].from_ns = now_ns;
		now_ns += below(4) ? below(30000000) : below(3);
		held[i].until_ns = now_ns;
		held[i].value = below(1000);
		total += held[i].value;
		quire_series_hold(s, QUIRE_SERIES_SEQUENCES, held[i].from_ns, now_ns,
				  held[i].value);
		quire_series_spread(s, QUIRE_SERIES_OUTPUT, held[i].from_ns, now_ns, held[i].value);
	}
	ck_assert_uint_le(quire_series_bins(s), QUIRE_SERIES_BINS);
	ck_assert_uint_gt(quire_series_bins(s), QUIRE_SERIES_BINS / 2);
	ck_assert_uint_eq(s->end_ns, now_ns);
	for (uint32_t b = 0; b < quire_series_bins(s); b++) {
		double low = (double)(b * s->bin_ns), high = (double)((b + 1) * s->bin_ns);
		double expected = 0;

		for (uint32_t i = 0; i < 5000; i++) {
			double from = fmax(low, (double)held[i].from_ns);
			double until = fmin(high, (double)held[i].until_ns);

			if (until > from)
				expected += held[i].value * (until - from);
		}
		if (fabs(s->sum[QUIRE_SERIES_SEQUENCES][b] - expected) > 1e-9 * fabs(expected))
			ck_abort_msg("bin %u: %g, not %g", b, s->sum[QUIRE_SERIES_SEQUENCES][b],
				     expected);
		total -= s->sum[QUIRE_SERIES_OUTPUT][b];
	}
	ck_assert_double_lt(fabs(total), 1e-3);
	free(held);
	free(s);
}
END_TEST

START_TEST(points_are_means_of_bins)
{
	struct quire_series *s = calloc(1, sizeof(*s));
	double x[64], y[64];

	ck_assert_uint_eq(quire_series_points(s, QUIRE_SERIES_WAITING, QUIRE_PER_SECOND, 64, x, y),
			  0);
	quire_series_hold(s, QUIRE_SERIES_WAITING, 0, 1500000000, 3);
	quire_series_spread(s, QUIRE_SERIES_STEPS, 0, 1500000000, 30);
	quire_series_spread(s, QUIRE_SERIES_DECODE, 0, 1500000000, 600);
	for (enum quire_series_per per = QUIRE_PER_SECOND; per <= QUIRE_PER_STEP; per++) {
		uint32_t n = quire_series_points(s, QUIRE_SERIES_DECODE, per, 64, x, y);

		ck_assert_uint_le(n, 64);
		for (uint32_t i = 0; i < n; i++)
			if (fabs(y[i] - (per == QUIRE_PER_STEP ? 20 : 400)) > 1e-6)
				ck_abort_msg("point %u: %g", i, y[i]);
		n = quire_series_points(s, QUIRE_SERIES_WAITING, per, 64, x, y);
		for (uint32_t i = 0; i < n; i++)
			if (fabs(y[i] - 3) > 1e-9 || x[i] < 0 || x[i] > 1.5)
				ck_abort_msg("point %u: %g at %g", i, y[i], x[i]);
	}
	free(s);
}
END_TEST

static void emit(struct quire_sink *sink, uint64_t at_ns, uint32_t step, uint32_t kind,
		 uint32_t seq, uint32_t a, uint32_t b, uint32_t c)
{
	struct quire_event e = {at_ns, step, kind, seq, a, b, c};

	if (sink->kinds & 1u << kind)
		sink->emit(sink, &e);
}

static double sum_of(const struct quire_series *s, enum quire_series_kind kind)
{
	double sum = 0;

	for (uint32_t i = 0; i < QUIRE_SERIES_BINS; i++)
		sum += s->sum[kind][i];
	return sum;
}

/* Two requests: one runs two steps and is kept as padding for one more; the other
 * waits for it, and is refused a memory of its own for a while. */
START_TEST(the_sink_follows_a_run)
{
	const uint64_t MS = 1000000;
	struct quire_series *s = calloc(1, sizeof(*s));
	struct quire_series_sink sink;
	struct quire_sink *to = quire_series_sink_init(&sink, s);

	emit(to, 10 * MS, 0, QUIRE_EV_ARRIVE, 0, 4, 9, 1);
	emit(to, 10 * MS, 0, QUIRE_EV_ARRIVE, 1, 2, 9, 1);
	emit(to, 10 * MS, 0, QUIRE_EV_ARRIVE, 2, 99, 9, 1);
	emit(to, 10 * MS, 0, QUIRE_EV_REFUSE, 3, 1, 99, 0);
	/* step 1: a prompt of 4, 10 ms */
	emit(to, 10 * MS, 1, QUIRE_EV_RUN, 1, 4, 0, 4);
	emit(to, 10 * MS, 1, QUIRE_EV_MEMORY, 0, 4, 2, 1);
	emit(to, 10 * MS, 1, QUIRE_EV_STEP, 0, 1, 4, 0);
	emit(to, 20 * MS, 1, QUIRE_EV_DONE, 0, 1, 1, 1);
	/* step 2: it decodes and is kept; beside it a prompt of 2, padded, 10 ms */
	emit(to, 20 * MS, 2, QUIRE_EV_RUN, 1, 1, 4, 5);
	emit(to, 20 * MS, 2, QUIRE_EV_RUN, 2, 2, 0, 2);
	emit(to, 20 * MS, 2, QUIRE_EV_MEMORY, 0, 7, 0, 0);
	emit(to, 20 * MS, 2, QUIRE_EV_STEP, 0, 2, 4, 2);
	emit(to, 30 * MS, 2, QUIRE_EV_DONE, 0, 2, 2, 2);
	emit(to, 30 * MS, 2, QUIRE_EV_FINISH, 1, 6, 1, 0);
	/* step 3: padding and a decode, 10 ms; then both go */
	emit(to, 30 * MS, 3, QUIRE_EV_RUN, 1, 1, 5, 6);
	emit(to, 30 * MS, 3, QUIRE_EV_RUN, 2, 1, 2, 3);
	emit(to, 30 * MS, 3, QUIRE_EV_MEMORY, 0, 3, 0, 5);
	emit(to, 30 * MS, 3, QUIRE_EV_STEP, 0, 2, 2, 1);
	emit(to, 40 * MS, 3, QUIRE_EV_DONE, 0, 2, 1, 2);
	emit(to, 40 * MS, 3, QUIRE_EV_FINISH, 2, 4, 0, 0);
	emit(to, 40 * MS, 4, QUIRE_EV_DROP, 1, 6, 0, 0);
	/* nobody is there; then one that waits 5 ms on purpose */
	emit(to, 90 * MS, 4, QUIRE_EV_ARRIVE, 3, 1, 1, 1);
	emit(to, 95 * MS, 5, QUIRE_EV_RUN, 4, 1, 0, 1);
	emit(to, 95 * MS, 5, QUIRE_EV_MEMORY, 0, 1, 0, 0);
	emit(to, 95 * MS, 5, QUIRE_EV_STEP, 0, 1, 1, 0);
	emit(to, 100 * MS, 5, QUIRE_EV_DONE, 0, 1, 1, 1);
	emit(to, 100 * MS, 5, QUIRE_EV_FINISH, 4, 2, 0, 0);

	ck_assert_uint_eq(s->end_ns, 100 * MS);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_TOKEN_STATES) / 1e6, 40 + 70 + 30 + 5, 1e-6);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_RESERVED) / 1e6, 20, 1e-6);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_INTERNAL) / 1e6, 10 + 50, 1e-6);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_SEQUENCES) / 1e6, 10 + 20 + 20 + 5, 1e-6);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_WAITING) / 1e6, 10 + 5, 1e-6);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_STEPS), 4, 1e-9);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_PROMPT), 4 + 2, 1e-9);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_DECODE), 1 + 1 + 1, 1e-9);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_PADDING), 1 + 1, 1e-9);
	ck_assert_double_eq_tol(sum_of(s, QUIRE_SERIES_OUTPUT), 5, 1e-9);
	quire_series_sink_free(&sink);
	free(s);
}
END_TEST

START_TEST(quantiles_keep_both_ends)
{
	struct quire_quantiles *q = calloc(1, sizeof(*q));
	static double values[10000];

	quire_quantiles_make(q, values, 0);
	ck_assert_uint_eq(q->count, 0);
	for (uint32_t i = 0; i < 10000; i++)
		values[i] = i;
	quire_quantiles_make(q, values, 1);
	ck_assert(q->count == 1 && q->value[0] == 0);
	quire_quantiles_make(q, values, 3);
	ck_assert(q->count == 3 && q->value[1] == 1 && q->value[2] == 2);
	quire_quantiles_make(q, values, 10000);
	ck_assert(q->count == QUIRE_QUANTILES && q->value[0] == 0);
	ck_assert(q->value[QUIRE_QUANTILES - 1] == 9999);
	for (uint32_t i = 1; i < q->count; i++)
		ck_assert(q->value[i] > q->value[i - 1]);
	free(q);
}
END_TEST

START_TEST(what_does_not_fit_its_arrays_is_emptied)
{
	struct quire_plot *plot = calloc(1, sizeof(*plot));

	plot->series.end_ns = 5;
	quire_plot_check(plot);
	ck_assert_uint_eq(plot->series.end_ns, 0);
	plot->series.bin_ns = 1;
	plot->series.end_ns = UINT64_MAX;
	quire_plot_check(plot);
	ck_assert_uint_eq(plot->series.end_ns, 0);
	plot->e2e_s.count = QUIRE_QUANTILES + 1;
	quire_plot_check(plot);
	ck_assert_uint_eq(plot->e2e_s.count, 0);
	plot->series.bin_ns = 1;
	plot->series.end_ns = QUIRE_SERIES_BINS;
	quire_plot_check(plot);
	ck_assert_uint_eq(plot->series.end_ns, QUIRE_SERIES_BINS);
	free(plot);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chart");
	TCase *axes = tcase_create("axes"), *drawing = tcase_create("drawing");
	TCase *series = tcase_create("series");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(axes, linear_ticks_are_nice);
	tcase_add_test(axes, log_ticks_are_decades_or_finer);
	tcase_add_test(axes, axes_of_nothing_have_something);
	tcase_add_test(axes, places_are_inside_or_nowhere);
	suite_add_tcase(suite, axes);
	tcase_add_test(drawing, nothing_undrawable_is_drawn);
	tcase_add_test(drawing, texts_of_any_bytes_become_sound_xml);
	tcase_add_test(drawing, figures_are_written_in_every_format);
	suite_add_tcase(suite, drawing);
	tcase_add_test(series, bins_sum_to_what_brute_force_sums);
	tcase_add_test(series, points_are_means_of_bins);
	tcase_add_test(series, the_sink_follows_a_run);
	tcase_add_test(series, quantiles_keep_both_ends);
	tcase_add_test(series, what_does_not_fit_its_arrays_is_emptied);
	suite_add_tcase(suite, series);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
