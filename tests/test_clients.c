/*
 * test_clients.c - several clients in one workload: the file that describes them,
 * what is drawn, and what the report says of each.
 */
#include "core/trace/preset.h"
#include "core/trace/report.h"
#include "core/trace/stats.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static void make_path(void)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/quire-test-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void remove_path(void)
{
	unlink(path);
}

static int draw(struct quire_workload *w, const char *text, const struct quire_workload_options *o)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		ck_abort_msg("cannot write %s", path);
	return quire_workload_preset(w, path, o);
}

#define HEAD  "client,rate,prompt,output\n"
#define HEAD5 "client,rate,prompt,output,"

/* ---- the file ---- */

START_TEST(test_fields)
{
	struct quire_workload_options o = {.duration_s = 100};
	struct quire_workload w;
	uint32_t of[2] = {0, 0};

	ck_assert_int_eq(draw(&w,
			      "until_s,client,output,arrivals,prompt,output_tokens_max,rate,from_s,"
			      "priority\n"
			      "20,a,9,fixed,7,,0.5,10,-3\n"
			      ",b,exp:50,\"gamma,cv=2\",lognormal:500:1,30,4,,\n\n",
			      &o),
			 0);
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_str_eq(w.format, "clients csv");
	ck_assert_uint_eq(w.clients_count, 2);
	ck_assert_str_eq(w.client_names[1], "b");
	ck_assert(w.arrivals_known && !w.caps_known);
	for (uint32_t i = 0; i < w.count; i++) {
		const struct quire_request *r = &w.requests[i];

		if (r->id != i || (i && r->arrival_ns < r[-1].arrival_ns) || r->client > 1)
			ck_abort_msg("request %u", i);
		of[r->client]++;
		if (r->client == 0 &&
		    (r->prompt_tokens != 7 || w.output_tokens[i] != 9 ||
		     r->output_tokens_max != UINT32_MAX || r->priority != -3 ||
		     r->arrival_ns != 10000000000u + of[0] * UINT64_C(2000000000)))
			ck_abort_msg("request %u of a", i);
		if (r->client == 1 &&
		    (w.output_tokens[i] > 30 || r->output_tokens_max != 30 || r->priority != 0))
			ck_abort_msg("request %u of b", i);
	}
	ck_assert_uint_eq(of[0], 4); /* at 12, 14, 16, 18 s */
	ck_assert_double_eq_tol(of[1], 400, 160);
	quire_workload_free(&w);
}
END_TEST

static const struct {
	const char *text, *sentence;
} bad[] = {
	{"", ": expected clients, found none"},
	{HEAD, ": expected clients, found none"},
	{"arrival_s,prompt_tokens,output_tokens\n",
	 ":1: expected a file of clients, which begins like client,rate,prompt,output; a trace "
	 "goes to --trace"},
	{"client,rate,prompt\n", ":1: expected a column 'output' too"},
	{HEAD5 "arivals\n", ":1: expected the column to be called 'arrivals', found 'arivals'"},
	{HEAD "a,1,1\n", ":2: expected 4 fields"},
	{HEAD "7,1,1,1\n", ":2: expected a client's name that begins with a letter"},
	{HEAD ",1,1,1\n", ":2: expected a client's name"},
	{HEAD "a,1,1,1\na,1,1,1\n", ":3: expected each client once, found 'a'"},
	{HEAD "a,0,1,1\n", ":2: rate: requests/s: expected a number from 1e-06"},
	{HEAD "a,1,x,1\n", ":2: prompt: expected fixed, uniform"},
	{HEAD "a,1,1,exp\n", ":2: output: expected exp:MEAN, found 'exp'"},
	{HEAD5 "arrivals\na,1,1,1,burst\n",
	 ":2: expected poisson, gamma, hyperexp or fixed, found 'burst'"},
	{HEAD5 "arrivals\na,1,1,1,often\n", "expected poisson, gamma,cv=.., hyperexp,cv=.."},
	{HEAD5 "priority\na,1,1,1,x\n", ":2: expected priority"},
	{HEAD5 "output_tokens_max\na,1,1,1,0\n", ":2: expected output_tokens_max"},
	{HEAD5 "until_s\na,1,1,1,0\n", ":2: expected until_s behind from_s"},
	{HEAD5 "from_s,until_s\na,1,1,1,7,6\n", ":2: expected until_s behind from_s"},
	{HEAD5 "until_s\na,1e-6,1,1,0.001\n", ": no client sends anything before its until_s"},
};

START_TEST(test_bad)
{
	struct quire_workload_options o = {.seed = 1};
	struct quire_workload w;

	ck_assert_int_eq(draw(&w, bad[_i].text, &o), -EINVAL);
	if (!strstr(quire_failure(), bad[_i].sentence))
		ck_abort_msg("%d: %s", _i, quire_failure());
	ck_assert_ptr_null(w.requests);
	ck_assert_ptr_null(w.client_names);
}
END_TEST

/* ---- what is drawn ---- */

START_TEST(test_rates)
{
	struct quire_workload_options o = {.duration_s = 10000, .seed = 5};
	double gap[3] = {0}, square[3] = {0}, last_s[3] = {0};
	static const double rate[3] = {1.5, 3, 0.5}, cv[3] = {1, 3, 0.5};
	struct quire_workload w;
	uint32_t of[3] = {0};

	ck_assert_int_eq(draw(&w,
			      HEAD5 "arrivals\na,1.5,1,1,\nb,3,1,1,\"hyperexp,cv=3\"\n"
				    "c,0.5,1,1,\"gamma,cv=0.5\"\n",
			      &o),
			 0);
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	for (uint32_t i = 0; i < w.count; i++) {
		uint32_t c = w.requests[i].client;
		double at_s = (double)w.requests[i].arrival_ns / 1e9, d = at_s - last_s[c];

		of[c]++;
		gap[c] += d;
		square[c] += d * d;
		last_s[c] = at_s;
	}
	for (int c = 0; c < 3; c++) {
		double mean = gap[c] / of[c];

		ck_assert_double_eq_tol(of[c] / 10000.0 / rate[c], 1, 0.06);
		ck_assert_double_eq_tol(sqrt(square[c] / of[c] - mean * mean) / mean / cv[c], 1,
					0.06);
	}
	quire_workload_free(&w);
}
END_TEST

/* What one client sends does not depend on the others, nor on how much is drawn. */
START_TEST(test_apart)
{
	struct quire_workload_options o = {.duration_s = 500, .seed = 9};
	struct quire_workload alone, among, shorter;
	uint32_t n = 0;

	ck_assert_int_eq(draw(&alone, HEAD "bob,2,exp:100,gamma:50:0.5\n", &o), 0);
	ck_assert_int_eq(quire_workload_apply(&alone, &o), 0);
	ck_assert_int_eq(draw(&among, HEAD "alice,5,10,10\nbob,2,exp:100,gamma:50:0.5\n", &o), 0);
	ck_assert_int_eq(quire_workload_apply(&among, &o), 0);
	for (uint32_t i = 0; i < among.count; i++) {
		if (among.requests[i].client != 1)
			continue;
		if (among.requests[i].arrival_ns != alone.requests[n].arrival_ns ||
		    among.requests[i].prompt_tokens != alone.requests[n].prompt_tokens ||
		    among.output_tokens[i] != alone.output_tokens[n])
			ck_abort_msg("request %u", i);
		n++;
	}
	ck_assert_uint_eq(n, alone.count);
	o = (struct quire_workload_options){.requests = 700, .seed = 9};
	ck_assert_int_eq(draw(&shorter, HEAD "alice,5,10,10\nbob,2,exp:100,gamma:50:0.5\n", &o), 0);
	ck_assert_uint_eq(shorter.count, 700);
	for (uint32_t i = 0; i < shorter.count; i++)
		if (shorter.requests[i].arrival_ns != among.requests[i].arrival_ns ||
		    shorter.requests[i].prompt_tokens != among.requests[i].prompt_tokens ||
		    shorter.requests[i].client != among.requests[i].client ||
		    shorter.output_tokens[i] != among.output_tokens[i])
			ck_abort_msg("request %u of 700", i);
	quire_workload_free(&alone);
	quire_workload_free(&among);
	quire_workload_free(&shorter);
}
END_TEST

/* Two clients that say the same send different things, as they have other names. */
START_TEST(test_twins)
{
	struct quire_workload_options o = {.requests = 2000, .seed = 4};
	uint32_t of[2] = {0}, times = 0, prompts = 0;
	struct quire_request got[2][2000];
	struct quire_workload w;

	ck_assert_int_eq(draw(&w, HEAD "ann,1,uniform:1:1000,5\nbea,1,uniform:1:1000,5\n", &o), 0);
	for (uint32_t i = 0; i < w.count; i++)
		got[w.requests[i].client][of[w.requests[i].client]++] = w.requests[i];
	ck_assert_uint_gt(of[0], 800);
	ck_assert_uint_gt(of[1], 800);
	for (uint32_t i = 0; i < 800; i++) {
		times += got[0][i].arrival_ns == got[1][i].arrival_ns;
		prompts += got[0][i].prompt_tokens == got[1][i].prompt_tokens;
	}
	ck_assert_uint_eq(times, 0);
	ck_assert_uint_lt(prompts, 10);
	quire_workload_free(&w);
}
END_TEST

/* Without --requests and --duration: all there is, or a thousand. */
START_TEST(test_lengths)
{
	struct quire_workload_options o = {.seed = 0};
	struct quire_workload w;

	ck_assert_int_eq(draw(&w, HEAD5 "until_s,arrivals\na,10,1,1,500,fixed\n", &o), 0);
	ck_assert_uint_eq(w.count, 4999); /* 0.1 .. 499.9 s */
	quire_workload_free(&w);
	ck_assert_int_eq(draw(&w, HEAD5 "until_s\na,10,1,1,500\nb,10,1,1,\n", &o), 0);
	ck_assert_uint_eq(w.count, 1000);
	quire_workload_free(&w);

	/* at other times, in the same order */
	o.arrivals = QUIRE_ARRIVALS_RESCALED;
	o.rate = 100;
	o.requests = 3000;
	ck_assert_int_eq(draw(&w, HEAD "a,10,1,1\nb,5,2,2\n", &o), 0);
	ck_assert_int_eq(quire_workload_apply(&w, &o), 0);
	ck_assert_double_eq_tol(
		2999 / (double)(w.requests[2999].arrival_ns - w.requests[0].arrival_ns) * 1e9, 100,
		1e-6);
	quire_workload_free(&w);
}
END_TEST

/* Written down and read again, clients keep their names. */
START_TEST(test_round_trip)
{
	struct quire_workload_options o = {.requests = 2000, .seed = 3};
	struct quire_workload w, again;
	FILE *out;

	ck_assert_int_eq(draw(&w, HEAD "alice,5,exp:100,exp:20\nbob w.,2,10,10\n", &o), 0);
	out = fopen(path, "w");
	ck_assert_int_eq(quire_workload_write(&w, out), 0);
	fclose(out);
	ck_assert_int_eq(quire_workload_read(&again, path), 0);
	ck_assert_uint_eq(again.count, w.count);
	ck_assert_uint_eq(again.clients_count, 2);
	for (uint32_t i = 0; i < w.count; i++)
		if (w.requests[i].arrival_ns != again.requests[i].arrival_ns ||
		    w.requests[i].prompt_tokens != again.requests[i].prompt_tokens ||
		    w.output_tokens[i] != again.output_tokens[i] ||
		    strcmp(w.client_names[w.requests[i].client],
			   again.client_names[again.requests[i].client]))
			ck_abort_msg("request %u", i);
	quire_workload_free(&w);
	quire_workload_free(&again);
}
END_TEST

/* ---- the report ---- */

#define S UINT64_C(1000000000)

START_TEST(test_figures)
{
	/* arrival, first scheduled, first token, finish, output tokens */
	struct quire_outcome outcomes[5] = {
		{1 * S, 1 * S, 2 * S, 5 * S, 10, 0, 0, 0},
		{1 * S, 2 * S, 4 * S, 6 * S, 20, 0, 0, 0},
		{2 * S, 2 * S, 5 * S, 9 * S, 30, 0, 0, 0},
		{3 * S, 0, 0, 3 * S, 0, 0, 0, QUIRE_REFUSED_POOL},
		{20 * S, 20 * S, 21 * S, 22 * S, 7, 0, 0, 0}, /* outside the window */
	};
	struct quire_request requests[5] = {{.client = 3, .samples = 1},
					    {.client = 1, .samples = 1},
					    {.client = 3, .samples = 1},
					    {.client = 3, .samples = 1},
					    {.client = 0, .samples = 1}};
	char *names[] = {"zero", "one", "two"};
	struct quire_metrics m = {.outcomes = outcomes,
				  .requests_count = 5,
				  .arrived = 5,
				  .window_until_ns = 10 * S,
				  .end_ns = 22 * S};
	struct quire_settings settings = {.tp = 1};
	static struct quire_report r;

	quire_report_init(&r, &settings);
	ck_assert_int_eq(quire_report_clients(&r, &m, requests, 10), 0);
	quire_report_name_clients(&r, names, 3);
	ck_assert_uint_eq(r.clients_count, 2);
	ck_assert_uint_eq(r.clients[0].id, 1);
	ck_assert_str_eq(r.clients[0].name, "one");
	ck_assert_uint_eq(r.clients[0].requests, 1);
	ck_assert_double_eq_tol(r.clients[0].ttft_s.mean, 3, 1e-12);
	ck_assert_double_eq_tol(r.clients[0].output_tokens_per_s, 2, 1e-12);
	ck_assert_uint_eq(r.clients[1].id, 3);
	ck_assert_str_eq(r.clients[1].name, "");
	ck_assert_uint_eq(r.clients[1].requests, 3);
	ck_assert_double_eq_tol(r.clients[1].ttft_s.mean, 2, 1e-12);
	ck_assert_double_eq_tol(r.clients[1].ttft_s.max, 3, 1e-12);
	ck_assert_double_eq_tol(r.clients[1].e2e_s.mean, 5.5, 1e-12);
	ck_assert_double_eq_tol(r.clients[1].output_tokens_per_s, 4, 1e-12);

	/* one client, or one in the window: nothing to tell apart */
	m.window_until_ns = 1;
	ck_assert_int_eq(quire_report_clients(&r, &m, requests, 10), 0);
	ck_assert_uint_eq(r.clients_count, 0);
}
END_TEST

/* More clients than have room: those with the most requests, by id. */
START_TEST(test_many)
{
	enum { CLIENTS = 50, COUNT_OF_ALL = CLIENTS * (CLIENTS + 1) / 2 };
	static struct quire_outcome outcomes[COUNT_OF_ALL];
	static struct quire_request requests[COUNT_OF_ALL];
	static struct quire_report r;
	struct quire_metrics m = {.outcomes = outcomes,
				  .requests_count = COUNT_OF_ALL,
				  .arrived = COUNT_OF_ALL,
				  .window_until_ns = UINT64_MAX};
	uint32_t n = 0;

	for (uint32_t c = 0; c < CLIENTS; c++) /* c + 1 requests of client c */
		for (uint32_t i = 0; i <= c; i++)
			requests[n++] = (struct quire_request){.client = c, .samples = 1};
	ck_assert_int_eq(quire_report_clients(&r, &m, requests, 1), 0);
	ck_assert_uint_eq(r.clients_count, CLIENTS);
	for (uint32_t i = 0; i < QUIRE_REPORT_CLIENTS_MAX; i++) {
		ck_assert_uint_eq(r.clients[i].id, CLIENTS - QUIRE_REPORT_CLIENTS_MAX + i);
		ck_assert_uint_eq(r.clients[i].requests, r.clients[i].id + 1);
	}
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("clients");
	TCase *tests = tcase_create("clients");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, make_path, remove_path);
	tcase_add_test(tests, test_fields);
	tcase_add_loop_test(tests, test_bad, 0, COUNT(bad));
	tcase_add_test(tests, test_rates);
	tcase_add_test(tests, test_apart);
	tcase_add_test(tests, test_twins);
	tcase_add_test(tests, test_lengths);
	tcase_add_test(tests, test_round_trip);
	tcase_add_test(tests, test_figures);
	tcase_add_test(tests, test_many);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
