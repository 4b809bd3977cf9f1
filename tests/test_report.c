/*
 * test_report.c - figures against what a person computes by hand: percentiles,
 * the definitions of the latencies, memory shares, saturation on queues whose
 * answer is known; and the outputs: JSON keys and types, CSV, the table.
 */
#include "core/trace/report.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000u
#define S  1000000000u

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

static uint64_t rng_state = 1;

/* xorshift64*; in (0, 1) */
static double uniform(void)
{
	rng_state ^= rng_state >> 12;
	rng_state ^= rng_state << 25;
	rng_state ^= rng_state >> 27;
	return ((double)(rng_state * 0x2545f4914f6cdd1du >> 11) + 0.5) / 9007199254740992.0;
}

START_TEST(percentiles_are_nearest_ranks)
{
	double one[] = {7}, two[] = {2, 1}, hundred[100], more[101];
	struct quire_spread s;

	quire_spread_make(&s, NULL, 0);
	ck_assert(isnan(s.mean) && isnan(s.p50) && isnan(s.p99) && isnan(s.max));
	quire_spread_make(&s, one, 1);
	ck_assert(s.mean == 7 && s.p50 == 7 && s.p90 == 7 && s.p99 == 7 && s.max == 7);
	quire_spread_make(&s, two, 2);
	ck_assert(s.mean == 1.5 && s.p50 == 1 && s.p90 == 2 && s.max == 2);
	for (int i = 0; i < 100; i++)
		hundred[i] = 100 - i;
	quire_spread_make(&s, hundred, 100);
	ck_assert(s.p50 == 50 && s.p90 == 90 && s.p95 == 95 && s.p99 == 99 && s.max == 100);
	ck_assert(s.mean == 50.5);
	for (int i = 0; i < 101; i++)
		more[i] = i + 1;
	quire_spread_make(&s, more, 101);
	ck_assert(s.p50 == 51 && s.p90 == 91 && s.p95 == 96 && s.p99 == 100 && s.max == 101);
}
END_TEST

START_TEST(a_histogram_is_off_by_half_a_percent_at_most)
{
	enum { N = 20000 };
	struct quire_histogram *h = calloc(1, sizeof(*h));
	double *exact = calloc(N, sizeof(*exact));
	struct quire_spread a, b;

	ck_assert(h && exact);
	quire_spread_histogram(&b, h);
	ck_assert(isnan(b.mean) && isnan(b.p99) && isnan(b.max));
	for (int i = 0; i < N; i++) {
		uint64_t ns = (uint64_t)exp(uniform() * 20); /* 1 ns to 0.5 s */

		quire_histogram_add(h, ns);
		exact[i] = (double)ns / 1e9;
	}
	quire_spread_make(&a, exact, N);
	quire_spread_histogram(&b, h);
	ck_assert(near(a.mean, b.mean) && near(a.max, b.max));
	ck_assert(fabs(b.p50 / a.p50 - 1) < 0.005);
	ck_assert(fabs(b.p90 / a.p90 - 1) < 0.005);
	ck_assert(fabs(b.p95 / a.p95 - 1) < 0.005);
	ck_assert(fabs(b.p99 / a.p99 - 1) < 0.005);
	free(exact);
	free(h);
}
END_TEST

/*
 * Five requests, by hand.  The window is [1 s, 10 s), the run ends at 9 s.
 *
 *	id arrival scheduled first  finish output samples
 *	0  0.5     0.6       0.7    1.5    9      1	before the window
 *	1  1.0     1.1       1.2    2.2    11     1	TTFT .2 E2E 1.2 TPOT .1
 *	2  2.0     2.5       3.0    3.0    1      1	TTFT 1  E2E 1   no TPOT
 *	3  3.0     3.0       3.5    6.5    12     2	TTFT .5 E2E 3.5 TPOT .6
 *	4  4.0     refused
 */
static struct quire_outcome hand_outcomes[] = {
	{.arrival_ns = 500 * MS,
	 .first_scheduled_ns = 600 * MS,
	 .first_token_ns = 700 * MS,
	 .finish_ns = 1500 * MS,
	 .output_tokens = 9},
	{.arrival_ns = 1000 * MS,
	 .first_scheduled_ns = 1100 * MS,
	 .first_token_ns = 1200 * MS,
	 .finish_ns = 2200 * MS,
	 .output_tokens = 11,
	 .preemptions = 2},
	{.arrival_ns = 2000 * MS,
	 .first_scheduled_ns = 2500 * MS,
	 .first_token_ns = 3000u * MS,
	 .finish_ns = 3000u * MS,
	 .output_tokens = 1},
	{.arrival_ns = 3000u * MS,
	 .first_scheduled_ns = 3000u * MS,
	 .first_token_ns = 3500u * MS,
	 .finish_ns = (uint64_t)6500 * MS,
	 .output_tokens = 12},
	{.arrival_ns = (uint64_t)4000 * MS,
	 .finish_ns = (uint64_t)4000 * MS,
	 .refused = QUIRE_REFUSED_POOL},
};

static const struct quire_request hand_requests[] = {
	{.id = 0, .prompt_tokens = 10, .samples = 1}, {.id = 1, .prompt_tokens = 20, .samples = 1},
	{.id = 2, .prompt_tokens = 30, .samples = 1}, {.id = 3, .prompt_tokens = 40, .samples = 2},
	{.id = 4, .prompt_tokens = 50, .samples = 1},
};

static struct quire_metrics *hand_metrics(void)
{
	static struct quire_metrics m;

	memset(&m, 0, sizeof(m));
	m.outcomes = hand_outcomes;
	m.requests_count = m.arrived = 5;
	m.finished = 4;
	m.refused = 1;
	m.end_ns = (uint64_t)9 * S;
	m.slots_total = 100;
	m.window_from_ns = S;
	m.window_until_ns = (uint64_t)10 * S;
	m.window_steps = 4;
	m.seqs_sum = 10;
	m.tokens_sum = 42;
	m.token_states_sum = 100; /* of 400 */
	m.reserved_sum = 60;
	m.internal_sum = 40;
	m.rounding_sum = 20;
	m.free_sum = 180;
	m.largest_sum = 120;
	m.shared_sum = 5; /* logical is 1.25 times physical */
	m.requests_done = 4;
	m.prompt_tokens = 80;
	m.output_tokens = 32;
	m.preemptions = 2;
	m.digest = 0x1234;
	return &m;
}

static struct quire_settings hand_settings(void)
{
	return (struct quire_settings){
		.scheduler = "static,batch=8",
		.scheduler_label = "static",
		.allocator = "paged,block=16",
		.allocator_label = "paged",
		.model = "M",
		.gpu = "G",
		.tp = 1,
		.weight_dtype = "bf16",
		.kv_dtype = "bf16",
		.kv_slots = 100,
		.requests = 5,
		.workload = "hand",
		.arrivals = "source",
		.windowed = true,
		.window_from_s = 1,
		.window_until_s = 10,
		.slo_ttft_s = 0.5,
		.slo_tpot_s = 0.5,
	};
}

static struct quire_report hand_report(void)
{
	struct quire_settings settings = hand_settings();
	struct quire_report r;

	quire_report_init(&r, &settings);
	ck_assert_int_eq(quire_report_make(&r, hand_metrics(), hand_requests), 0);
	return r;
}

START_TEST(latencies_are_as_defined)
{
	struct quire_report r = hand_report();

	ck_assert(near(r.ttft_s.mean, (0.2 + 1.0 + 0.5) / 3) && near(r.ttft_s.p50, 0.5));
	ck_assert(near(r.ttft_s.max, 1.0));
	ck_assert(near(r.tpot_s.mean, (0.1 + 0.6) / 2) && near(r.tpot_s.max, 0.6));
	ck_assert(near(r.e2e_s.mean, (1.2 + 1.0 + 3.5) / 3));
	ck_assert(near(r.queue_s.mean, (0.1 + 0.5 + 0.0) / 3));
	ck_assert(near(r.normalized_latency_s.mean, (1.2 / 11 + 1.0 + 3.5 / 6) / 3));
	ck_assert(isnan(r.itl_s.mean));
}
END_TEST

START_TEST(counts_and_rates_are_of_the_window)
{
	struct quire_report r = hand_report();

	ck_assert(r.arrived == 5 && r.finished == 4 && r.refused == 1);
	ck_assert(r.refusals[QUIRE_REFUSED_POOL] == 1 && r.refusals[QUIRE_REFUSED_BUDGET] == 0);
	ck_assert(r.time_s == 9 && r.steps == 4);
	ck_assert(r.sequences_mean == 2.5 && r.tokens_mean == 10.5);
	/* the window is cut to the end of the run: 8 s */
	ck_assert(r.requests_per_s == 0.5 && r.prompt_tokens_per_s == 10);
	ck_assert(r.output_tokens_per_s == 4);
	/* 1 meets both; 2 is late; 3 is slow; 4 was refused */
	ck_assert(near(r.goodput_requests_per_s, 1 / 8.0) && near(r.goodput_share, 1 / 4.0));
}
END_TEST

START_TEST(memory_shares_sum_to_one)
{
	struct quire_metrics *m = hand_metrics();
	struct quire_report r = hand_report();

	ck_assert(r.token_states == 0.25 && r.reserved == 0.15 && r.internal == 0.1);
	ck_assert(r.external == 0.5 && r.rounding == 0.05 && r.free == 0.45);
	ck_assert(r.largest_free_run == 0.3);
	ck_assert(near(r.shared_saved, 0.2));
	m->shared_sum = 4;
	ck_assert_int_eq(quire_report_make(&r, m, hand_requests), 0);
	ck_assert(r.shared_saved == 0);
	m->window_steps = 0;
	m->window_until_ns = m->window_from_ns;
	r = hand_report();
	m = hand_metrics();
	m->window_steps = 0;
	quire_report_init(&r, &r.config);
	ck_assert_int_eq(quire_report_make(&r, m, hand_requests), 0);
	ck_assert(isnan(r.token_states) && isnan(r.sequences_mean) && isnan(r.shared_saved));
}
END_TEST

/* ---- saturation ----------------------------------------------------------- */

/*
 * One server that takes exactly 1 s a request, Poisson arrivals at @rate: M/D/1.
 * Its mean queue is rate^2 / (2 (1 - rate)) below 1, and has no bound above.
 */
static bool queue_saturates(double rate, uint32_t n)
{
	struct quire_outcome *outcomes = calloc(n, sizeof(*outcomes));
	double *begins = calloc(n, sizeof(*begins));
	struct quire_metrics m = {.outcomes = outcomes, .requests_count = n, .arrived = n};
	double now = 0, end = 0;
	uint32_t served = 0; /* requests whose service has begun */
	bool answer;

	ck_assert(outcomes && begins);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t quarter = (uint32_t)((uint64_t)i * 4 / n);

		now -= log(uniform()) / rate;
		for (; served < i && begins[served] <= now; served++)
			;
		m.queue_sum[quarter] += i - served;
		m.queue_count[quarter]++;
		outcomes[i].arrival_ns = (uint64_t)(now * 1e9);
		begins[i] = now > end ? now : end;
		end = begins[i] + 1;
	}
	answer = quire_report_saturated(&m);
	free(begins);
	free(outcomes);
	return answer;
}

static uint32_t runs_that_saturate(double rate, uint32_t n, uint32_t runs)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < runs; i++)
		count += queue_saturates(rate, n);
	return count;
}

START_TEST(stable_queues_are_not_saturated)
{
	ck_assert_uint_eq(runs_that_saturate(0.5, 1000, 200), 0);
	ck_assert_uint_eq(runs_that_saturate(0.8, 1000, 200), 0);
	ck_assert_uint_eq(runs_that_saturate(0.9, 4000, 200), 0);
	ck_assert_uint_le(runs_that_saturate(0.98, 4000, 200), 2);
}
END_TEST

START_TEST(overloaded_queues_are_saturated)
{
	ck_assert_uint_ge(runs_that_saturate(1.2, 1000, 200), 198);
	ck_assert_uint_eq(runs_that_saturate(1.5, 1000, 200), 200);
	ck_assert_uint_eq(runs_that_saturate(3.0, 300, 200), 200);
	ck_assert_uint_ge(runs_that_saturate(1.1, 10000, 50), 49);
}
END_TEST

START_TEST(bursts_and_short_runs_are_not_saturated)
{
	struct quire_outcome outcomes[400] = {{0}};
	struct quire_metrics m = {.outcomes = outcomes, .requests_count = 400};

	for (uint32_t i = 0; i < 400; i++) { /* all at once: each finds those before it */
		m.queue_sum[i / 100] += i;
		m.queue_count[i / 100]++;
	}
	ck_assert(!quire_report_saturated(&m));
	for (uint32_t i = 0; i < 400; i++) /* the same queue, arriving over time */
		outcomes[i].arrival_ns = (uint64_t)i * MS;
	ck_assert(quire_report_saturated(&m));
	m.queue_count[3] = 0; /* the run was cut short */
	ck_assert(!quire_report_saturated(&m));
	m.requests_count = 0;
	ck_assert(!quire_report_saturated(&m));
	for (uint32_t n = 1; n <= 16; n++)
		ck_assert_uint_eq(runs_that_saturate(2.0, n, 20), 0);
}
END_TEST

/* ---- outputs -------------------------------------------------------------- */

static char *text_of(void (*write)(FILE *, const void *), const void *arg)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert(out != NULL);
	write(out, arg);
	fclose(out);
	return text;
}

static void write_json(FILE *out, const void *report)
{
	ck_assert_int_eq(quire_report_json(out, report, 1, false), 0);
}

static void write_json_array(FILE *out, const void *reports)
{
	ck_assert_int_eq(quire_report_json(out, reports, 2, true), 0);
}

static void write_csv(FILE *out, const void *unused)
{
	(void)unused;
	ck_assert_int_eq(quire_report_csv(out, hand_metrics(), hand_requests), 0);
}

/* "a.b" of @json; its type must be one of @types, as in "inu" */
static void check_key(const json_t *json, const char *path, const char *types)
{
	char part[64];
	size_t n;

	for (; *path; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		json = json_object_get(json, part);
		if (!json)
			ck_abort_msg("the key %s is missing", path);
	}
	for (; *types; types++)
		if ((*types == 'i' && json_is_integer(json)) ||
		    (*types == 'r' && json_is_real(json)) ||
		    (*types == 's' && json_is_string(json)) ||
		    (*types == 'b' && json_is_boolean(json)) ||
		    (*types == 'n' && json_is_null(json)) ||
		    (*types == 'o' && json_is_object(json)) ||
		    (*types == 'a' && json_is_array(json)))
			return;
	ck_abort_msg("%s has the wrong type %d", part, json_typeof(json));
}

static const char *const json_keys[][2] = {
	{"schema", "i"},
	{"version", "s"},
	{"requests.arrived", "i"},
	{"requests.finished", "i"},
	{"requests.refused", "i"},
	{"requests.refusals", "o"},
	{"time_s", "rn"},
	{"saturated", "bn"},
	{"steps.count", "i"},
	{"steps.sequences_mean", "rn"},
	{"steps.tokens_mean", "rn"},
	{"throughput.requests_per_s", "rn"},
	{"throughput.prompt_tokens_per_s", "rn"},
	{"throughput.output_tokens_per_s", "rn"},
	{"memory.slots", "i"},
	{"memory.kv_bytes_per_token", "i"},
	{"memory.token_states", "rn"},
	{"memory.reserved", "rn"},
	{"memory.internal", "rn"},
	{"memory.external", "rn"},
	{"memory.rounding", "rn"},
	{"memory.free", "rn"},
	{"memory.largest_free_run", "rn"},
	{"memory.shared_saved", "rn"},
	{"preemptions", "i"},
	{"copies", "i"},
	{"digest", "sn"},
	{"oracle", "sn"},
	{"faults", "a"},
	{"config.scheduler", "s"},
	{"config.allocator", "s"},
	{"config.model", "s"},
	{"config.gpu", "s"},
	{"config.tp", "i"},
	{"config.max_num_seqs", "i"},
	{"config.max_num_batched_tokens", "i"},
	{"config.max_model_len", "i"},
	{"config.kv_slots", "i"},
	{"config.weight_dtype", "s"},
	{"config.kv_dtype", "s"},
	{"config.workload", "s"},
	{"config.workload_format", "s"},
	{"config.requests", "i"},
	{"config.rate", "rn"},
	{"config.seed", "i"},
	{"config.window_s", "an"},
};

static void check_keys(const json_t *json)
{
	static const char *const latency[] = {"ttft_s", "tpot_s",  "itl_s",
					      "e2e_s",	"queue_s", "normalized_latency_s"};
	static const char *const of[] = {"mean", "p50", "p90", "p95", "p99", "max"};
	char path[64];

	for (size_t i = 0; i < sizeof(json_keys) / sizeof(*json_keys); i++)
		check_key(json, json_keys[i][0], json_keys[i][1]);
	for (size_t i = 0; i < 6; i++) {
		for (size_t k = 0; k < 6; k++) {
			snprintf(path, sizeof(path), "%s.%s", latency[i], of[k]);
			check_key(json, path, "rn");
		}
	}
}

START_TEST(json_has_every_key)
{
	struct quire_settings settings = hand_settings();
	struct quire_report two[2] = {hand_report()};
	char *text = text_of(write_json, two);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	ck_assert(json != NULL);
	ck_assert(text[strlen(text) - 1] == '\n');
	check_keys(json);
	check_key(json, "goodput.requests_per_s", "r");
	check_key(json, "goodput.share", "r");
	check_key(json, "goodput.slo.ttft_s", "r");
	check_key(json, "itl_s.mean", "n");
	check_key(json, "ttft_s.mean", "r");
	check_key(json, "requests.refusals.pool", "i");
	ck_assert_str_eq(json_string_value(json_object_get(json, "digest")), "0x0000000000001234");
	ck_assert(!json_object_get(json, "ejected") && !json_object_get(json, "crashed"));
	json_decref(json);
	free(text);

	/* A run without figures, with a name that is no UTF-8, a fault, and an oracle. */
	settings.slo_ttft_s = settings.slo_tpot_s = 0;
	snprintf(settings.workload, sizeof(settings.workload), "caf\xe9.csv");
	quire_report_init(&two[1], &settings);
	two[1].end = QUIRE_RUN_CRASHED;
	two[1].oracle = true;
	two[1].faults[QUIRE_FAULT_TWICE] = (struct quire_fault_count){3, 7, 9};
	snprintf(two[1].sentence, sizeof(two[1].sentence), "signal SIGSEGV");
	text = text_of(write_json_array, two);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert(json && json_is_array(json) && json_array_size(json) == 2);
	check_keys(json_array_get(json, 0));
	check_keys(json_array_get(json, 1));
	check_key(json_array_get(json, 1), "goodput", "n");
	check_key(json_array_get(json, 1), "crashed", "s");
	check_key(json_array_get(json, 1), "oracle", "s");
	check_key(json_array_get(json_object_get(json_array_get(json, 1), "faults"), 0),
		  "first_step", "i");
	json_decref(json);
	free(text);
}
END_TEST

START_TEST(csv_has_a_row_a_request)
{
	char *text = text_of(write_csv, NULL);

	ck_assert_str_eq(text, "id,arrival_s,prompt_tokens,output_tokens,first_scheduled_s,"
			       "first_token_s,finish_s,preemptions\n"
			       "0,0.500000000,10,9,0.600000000,0.700000000,1.500000000,0\n"
			       "1,1.000000000,20,11,1.100000000,1.200000000,2.200000000,2\n"
			       "2,2.000000000,30,1,2.500000000,3.000000000,3.000000000,0\n"
			       "3,3.000000000,40,12,3.000000000,3.500000000,6.500000000,0\n"
			       "4,4.000000000,50,0,,,,0\n");
	free(text);
}
END_TEST

static struct quire_report table_reports[4];
static size_t table_count;

static void write_table(FILE *out, const void *style)
{
	ck_assert_int_eq(quire_report_table(out, table_reports, table_count, style), 0);
}

/* The longest line, in letters; escape sequences do not count. */
static size_t longest_line(const char *text)
{
	size_t here = 0, longest = 0;

	for (; *text; text++) {
		if (*text == '\033')
			text += strcspn(text, "m");
		else if (*text == '\n')
			here = 0;
		else
			here += ((unsigned char)*text & 0xc0) != 0x80;
		longest = here > longest ? here : longest;
	}
	return longest;
}

START_TEST(the_table_marks_the_best_and_fits)
{
	struct quire_table_style plain = {.columns = 100}, terminal = {100, true, true};
	struct quire_report *r = table_reports;
	char *text;

	table_count = 4;
	for (size_t i = 0; i < 4; i++) {
		r[i] = hand_report();
		r[i].requests_per_s = 1234 + 111 * (double)i;
	}
	r[1].saturated = true;
	r[1].ttft_s.mean = 0.123;
	snprintf(r[1].config.scheduler_label, QUIRE_REPORT_NAME_MAX, "splitfuse");
	snprintf(r[2].config.scheduler_label, QUIRE_REPORT_NAME_MAX, "mine.so");
	snprintf(r[3].config.scheduler_label, QUIRE_REPORT_NAME_MAX, "other.so");
	r[2].end = QUIRE_RUN_CRASHED;
	snprintf(r[2].sentence, sizeof(r[2].sentence), "signal SIGSEGV");
	r[3].end = QUIRE_RUN_EJECTED;
	snprintf(r[3].sentence, sizeof(r[3].sentence), "it stalls");

	text = text_of(write_table, &plain);
	ck_assert(strstr(text, "1,345*") != NULL); /* the crashed one does not count */
	ck_assert(strstr(text, "~123*") != NULL);
	ck_assert(strstr(text, "~ saturated") != NULL);
	ck_assert(strstr(text, "crashed: signal SIGSEGV") != NULL);
	ck_assert(strstr(text, "! other.so x paged ejected: it stalls") != NULL);
	ck_assert(strstr(text, "! every run refused 1 of 5 requests") != NULL);
	ck_assert(strchr(text, '\033') == NULL);
	ck_assert_uint_le(longest_line(text), 100);
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			ck_abort_msg("a plain table holds more than ASCII");
	free(text);

	text = text_of(write_table, &terminal);
	ck_assert(strstr(text, "\033[1m   1,345\033[0m") != NULL);
	ck_assert(strchr(text, '*') == NULL);
	ck_assert_uint_le(longest_line(text), 100);
	free(text);

	/* Long labels: the rows get numbers. */
	snprintf(r[0].config.allocator_label, QUIRE_REPORT_NAME_MAX,
		 "contiguous,reserve=oracle,place=first,block=16");
	text = text_of(write_table, &plain);
	ck_assert(strstr(text, "\n  1  static ") != NULL);
	ck_assert_uint_le(longest_line(text), 100);
	free(text);
}
END_TEST

START_TEST(seeds_become_means)
{
	struct quire_table_style plain = {.columns = 100};
	struct quire_report *r = table_reports;
	char *text;

	table_count = 4;
	for (size_t i = 0; i < 4; i++) {
		r[i] = hand_report();
		r[i].config.seed = i % 2;
		r[i].requests_per_s = (double)(10 * i);
		if (i >= 2)
			snprintf(r[i].config.scheduler_label, QUIRE_REPORT_NAME_MAX, "other");
	}
	text = text_of(write_table, &plain);
	ck_assert(strstr(text, "mean of 2 seeds") != NULL);
	ck_assert(strstr(text, "static     paged           5.00 ") != NULL);
	ck_assert(strstr(text, "other      paged           25.0*") != NULL);
	free(text);

	table_count = 1; /* alone: every percentile */
	text = text_of(write_table, &plain);
	ck_assert(strstr(text, "p95") && strstr(text, "E2E/output") && strstr(text, "digest"));
	ck_assert_uint_le(longest_line(text), 100);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *figures = tcase_create("figures"), *outputs = tcase_create("outputs");
	SRunner *runner;
	int failed;

	tcase_add_test(figures, percentiles_are_nearest_ranks);
	tcase_add_test(figures, a_histogram_is_off_by_half_a_percent_at_most);
	tcase_add_test(figures, latencies_are_as_defined);
	tcase_add_test(figures, counts_and_rates_are_of_the_window);
	tcase_add_test(figures, memory_shares_sum_to_one);
	tcase_add_test(figures, stable_queues_are_not_saturated);
	tcase_add_test(figures, overloaded_queues_are_saturated);
	tcase_add_test(figures, bursts_and_short_runs_are_not_saturated);
	tcase_add_test(outputs, json_has_every_key);
	tcase_add_test(outputs, csv_has_a_row_a_request);
	tcase_add_test(outputs, the_table_marks_the_best_and_fits);
	tcase_add_test(outputs, seeds_become_means);
	suite_add_tcase(suite, figures);
	suite_add_tcase(suite, outputs);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
