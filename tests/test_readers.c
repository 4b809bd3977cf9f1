/*
 * test_readers.c - every trace format with good and bad input, packed and plain,
 * the public traces where they are at hand, and damaged files by the thousand.
 */
#include "core/trace/rng.h"
#include "core/trace/stats.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

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

static void write_file(const void *bytes, size_t count)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file))
		ck_abort_msg("cannot write %s", path);
}

static int read_text(struct quire_workload *w, const char *text)
{
	write_file(text, strlen(text));
	return quire_workload_read(w, path);
}

/* Read a text that fits into a pipe: twenty thousand files would wear out a disk. */
static int read_pipe(struct quire_workload *w, const char *bytes, size_t count)
{
	char name[32];
	int ends[2], rc;

	if (pipe(ends) || write(ends[1], bytes, count) != (ssize_t)count)
		ck_abort_msg("no pipe");
	close(ends[1]);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
	rc = quire_workload_read(w, name);
	close(ends[0]);
	return rc;
}

/* ---- what is read ---- */

#define QWEN(chat, parent, t, in, out, type, turn, hashes)                                         \
	"{\"chat_id\": " chat ", \"parent_chat_id\": " parent ", \"timestamp\": " t                \
	", \"input_length\": " in ", \"output_length\": " out ", \"type\": \"" type                \
	"\", \"turn\": " turn ", \"hash_ids\": [" hashes "]}"
#define B	     "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
#define CHATS(turns) "[{\"id\": \"x_0\", \"conversations\": [" turns "]}]"

#define MOON(t, in, out, hashes)                                                                   \
	"{\"timestamp\": " t ", \"input_length\": " in ", \"output_length\": " out                 \
	", \"hash_ids\": [" hashes "]}"

static const struct {
	const char *text, *format, *csv; /* and what quire_workload_write() makes of it */
} good[] = {
	{"arrival_s,prompt_tokens,output_tokens\n0.5,3,4\n1.25,5,6\n", "quire csv",
	 "arrival_s,prompt_tokens,output_tokens\n0.5,3,4\n1.25,5,6\n"},
	/* columns and rows in any order; rows of equal times keep theirs */
	{"output_tokens,arrival_s,prompt_tokens\n4,2,3\n1,0.1,1\n6,2,5\n8,0.1,7\n", "quire csv",
	 "arrival_s,prompt_tokens,output_tokens\n0.1,1,1\n0.1,7,8\n2,3,4\n2,5,6\n"},
	{"prompt_tokens,output_tokens\n3,4\n", "quire csv", "prompt_tokens,output_tokens\n3,4\n"},
	{"Arrival_S,PROMPT_TOKENS,output_tokens\n0,3,4\n", "quire csv",
	 "arrival_s,prompt_tokens,output_tokens\n0,3,4\n"},
	{"arrival_s,prompt_tokens,output_tokens,client,priority,deadline_s,output_tokens_max\n"
	 "0,3,4,,,,\n1,3,4,7,-2,9.5,100\n",
	 "quire csv",
	 "arrival_s,prompt_tokens,output_tokens,client,priority,deadline_s,output_tokens_max\n"
	 "0,3,4,0,0,,\n1,3,4,7,-2,9.5,100\n"},
	/* clients with names */
	{"client,prompt_tokens,output_tokens\n\xc3\xa9,3,4\n", "quire csv",
	 "prompt_tokens,output_tokens,client\n3,4,\xc3\xa9\n"},
	{"client,prompt_tokens,output_tokens\nbob,3,4\n\"alice w.\",5,6\nbob,7,8\n\xc3\xa9,9,9\n",
	 "quire csv",
	 "prompt_tokens,output_tokens,client\n3,4,bob\n5,6,alice w.\n7,8,bob\n9,9,\xc3\xa9\n"},
	/* columns that are not for us, as those of "quire sim --csv" */
	{"id,arrival_s,prompt_tokens,output_tokens,first_scheduled_s,first_token_s,finish_s,"
	 "preemptions\n0,0.5,3,4,1,2,3,0\n",
	 "quire csv", "arrival_s,prompt_tokens,output_tokens\n0.5,3,4\n"},
	{"arrival_s,prompt_tokens,output_tokens,queued_s,scheduled_s,first_token_s,last_token_s\n"
	 "0.000000,2358,531,0.000000,0.000021,0.689435,17.570318\n",
	 "quire csv", "arrival_s,prompt_tokens,output_tokens\n0,2358,531\n"},
	/* nanoseconds exactly, rounded half up, small numbers as programs write them */
	{"arrival_s,prompt_tokens,output_tokens\n3.1e-05,1,1\n0.30000000000000004,1,1\n"
	 "0.0000000015,1,1\n1e9,1,1\n999999999.999999999,1,1\n",
	 "quire csv",
	 "arrival_s,prompt_tokens,output_tokens\n0.000000002,1,1\n0.000031,1,1\n0.3,1,1\n"
	 "999999999.999999999,1,1\n1000000000,1,1\n"},
	/* byte-order mark, CRLF, quotes, blanks, no last newline, blank lines at the end */
	{"\xef\xbb\xbf"
	 "arrival_s,prompt_tokens,output_tokens\r\n0,3,4\r\n1,5,6",
	 "quire csv", "arrival_s,prompt_tokens,output_tokens\n0,3,4\n1,5,6\n"},
	{"\"arrival_s\", \"prompt_tokens\" ,output_tokens\n 0 ,\"3\",\t4\n\n  \n\r\n", "quire csv",
	 "arrival_s,prompt_tokens,output_tokens\n0,3,4\n"},
	{"prompt_tokens,output_tokens\n2147483647,2147483647\n", "quire csv",
	 "prompt_tokens,output_tokens\n2147483647,2147483647\n"},

	/* Azure: over midnight, over a leap day, with a zone, the earliest at 0 */
	{"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 23:59:59.9799600,4808,10\n"
	 "2023-11-17 00:00:00.0319600,3180,8\n",
	 "azure csv", "arrival_s,prompt_tokens,output_tokens\n0,4808,10\n0.052,3180,8\n"},
	{"TIMESTAMP,ContextTokens,GeneratedTokens\n2024-03-01 00:00:01+00:00,1,1\n"
	 "2024-02-29 23:59:59.5Z,2,2\n2024-02-29T19:00:00-05:00,3,3\n",
	 "azure csv", "arrival_s,prompt_tokens,output_tokens\n0,2,2\n0.5,3,3\n1.5,1,1\n"},

	/* BurstGPT: the failed one is left out; later files have more columns */
	{B "5,ChatGPT,472,18,490,Conversation log\n45,ChatGPT,1087,0,1087,Conversation log\n"
	   "110.5,GPT-4,417,276,693,API log\n",
	 "burstgpt csv", "arrival_s,prompt_tokens,output_tokens\n0,472,18\n105.5,417,276\n"},
	{"Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,"
	 "Log Type\n8,s1,1.2,GPT-4,1,2,3,API log\n",
	 "burstgpt csv", "arrival_s,prompt_tokens,output_tokens\n0,1,2\n"},

	{QWEN("159", "-1", "61.114", "521", "132", "text", "1", "1089, 1090") "\n" QWEN(
		 "7", "159", "61.2", "30", "0", "image", "2",
		 "1089") "\n" QWEN("8", "159", "61.1", "31", "2", "a\\\"b", "2", ""),
	 "qwen jsonl", "arrival_s,prompt_tokens,output_tokens\n61.1,31,2\n61.114,521,132\n"},
	{"{\"chat_id\":1,\"timestamp\":0,\"input_length\":1,\"output_length\":2}\n", "qwen jsonl",
	 "arrival_s,prompt_tokens,output_tokens\n0,1,2\n"},

	/* ShareGPT: 5 bytes, 2 of two, 1 of three, 1 of four: 1.25 + 1 + 1 + 2 tokens */
	{CHATS("{\"from\":\"human\",\"value\":\"hello\\u00e9\xc3\xa9\xe4\xbd\xa0\\ud83d\\ude00\"},"
	       "{\"from\":\"gpt\",\"value\":\"12345678\"}"),
	 "sharegpt json", "prompt_tokens,output_tokens\n6,2\n"},
	/* the first question and the first answer behind it; chats without are left out */
	{"[{\"conversations\":[{\"from\":\"gpt\",\"value\":\"x\"}]},\n {\"id\": "
	 "1,\"conversations\": ["
	 "{\"from\":\"gpt\",\"value\":\"xxxxxxxxx\"},{\"from\":\"system\",\"value\":\"xxxxx\"},"
	 "{\"from\":\"User\",\"value\":\"a\", \"x\": [1, "
	 "{}]},{\"from\":\"user\",\"value\":\"more\"},"
	 "{\"from\":\"assistant\",\"value\":\"12345\"},{\"from\":\"gpt\",\"value\":\"1\"}]},"
	 "{\"conversations\":[]}]\n\n",
	 "sharegpt json", "prompt_tokens,output_tokens\n1,2\n"},
	/* one a line; a byte-order mark before an array; a zero in the text */
	{"{\"id\":\"a\",\"conversations\":[{\"from\":\"human\",\"value\":\"a\\u0000\"},"
	 "{\"from\":\"gpt\",\"value\":\"b\"}]}\n",
	 "sharegpt json", "prompt_tokens,output_tokens\n1,1\n"},
	{"\xef\xbb\xbf" CHATS(
		 "{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"gpt\",\"value\":\"b\"}"),
	 "sharegpt json", "prompt_tokens,output_tokens\n1,1\n"},

	{MOON("0", "600", "5", "0, 1") "\n" MOON("27000", "513", "1", "0,2") "\n", "mooncake jsonl",
	 "arrival_s,prompt_tokens,output_tokens\n0,600,5\n27,513,1\n"},
	{"{ \"output_length\" :2,\"input_length\":1 , \"timestamp\":1500.5}\r\n", "mooncake jsonl",
	 "arrival_s,prompt_tokens,output_tokens\n1.5005,1,2\n"},

	{"num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n7564.0,192.0,7756.0,39."
	 "3\n"
	 "74,918,992,0.08\n",
	 "vidur csv", "prompt_tokens,output_tokens\n7564,192\n74,918\n"},
};

START_TEST(test_good)
{
	struct quire_workload w;
	char *csv = NULL;
	size_t size = 0;
	FILE *out;

	if (read_text(&w, good[_i].text))
		ck_abort_msg("%d: %s", _i, quire_failure());
	out = open_memstream(&csv, &size);
	ck_assert_int_eq(quire_workload_write(&w, out), 0);
	fclose(out);
	ck_assert_str_eq(w.format, good[_i].format);
	ck_assert_str_eq(csv, good[_i].csv);
	quire_workload_free(&w);

	/* what was written is read as the same again */
	if (read_text(&w, good[_i].csv))
		ck_abort_msg("%d: %s", _i, quire_failure());
	ck_assert_str_eq(w.format, "quire csv");
	quire_workload_free(&w);
	free(csv);
}
END_TEST

START_TEST(test_fields)
{
	struct quire_workload w;

	ck_assert_int_eq(read_text(&w,
				   "deadline_s,client,output_tokens_max,arrival_s,prompt_tokens,"
				   "output_tokens,priority\n7.5,3,20,1,5,6,-1\n"),
			 0);
	ck_assert_uint_eq(w.count, 1);
	ck_assert(w.arrivals_known && w.caps_known && !w.closed_users && !w.hashes);
	ck_assert_uint_eq(w.requests[0].id, 0);
	ck_assert_uint_eq(w.requests[0].arrival_ns, 1000000000u);
	ck_assert_uint_eq(w.requests[0].deadline_ns, 7500000000u);
	ck_assert_uint_eq(w.requests[0].prompt_tokens, 5);
	ck_assert_uint_eq(w.requests[0].output_tokens_max, 20);
	ck_assert_uint_eq(w.requests[0].samples, 1);
	ck_assert_uint_eq(w.requests[0].client, 3);
	ck_assert_int_eq(w.requests[0].priority, -1);
	ck_assert_uint_eq(w.output_tokens[0], 6);
	quire_workload_free(&w);

	ck_assert_int_eq(read_text(&w, "prompt_tokens,output_tokens\n5,6\n"), 0);
	ck_assert(!w.arrivals_known && !w.caps_known);
	ck_assert_uint_eq(w.requests[0].output_tokens_max, UINT32_MAX);
	quire_workload_free(&w);
}
END_TEST

static uint64_t digest(const struct quire_workload *w)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (uint32_t i = 0; i < w->count; i++) {
		hash = (hash ^ w->requests[i].arrival_ns) * 0x100000001b3u;
		hash = (hash ^ w->requests[i].prompt_tokens) * 0x100000001b3u;
		hash = (hash ^ w->output_tokens[i]) * 0x100000001b3u;
	}
	return hash;
}

START_TEST(test_client_names)
{
	struct quire_workload w;

	ck_assert_int_eq(read_text(&w, "client,arrival_s,prompt_tokens,output_tokens\n"
				       "bob,3,1,1\nalice,2,1,1\nbob,1,1,1\n"),
			 0);
	ck_assert_uint_eq(w.clients_count, 2);
	ck_assert_str_eq(w.client_names[0], "bob");
	ck_assert_str_eq(w.client_names[1], "alice");
	ck_assert_uint_eq(w.requests[0].client, 0);
	ck_assert_uint_eq(w.requests[1].client, 1);
	quire_workload_free(&w);
}
END_TEST

/* Thousands of names, each found again. */
START_TEST(test_many_names)
{
	size_t length;
	char *text = NULL;
	FILE *out = open_memstream(&text, &length);
	struct quire_workload w;

	fputs("client,prompt_tokens,output_tokens\n", out);
	for (int i = 0; i < 20000; i++)
		fprintf(out, "user %d,%d,1\n", i * 7 % 5000, i * 7 % 5000 + 1);
	fclose(out);
	write_file(text, length);
	ck_assert_int_eq(quire_workload_read(&w, path), 0);
	ck_assert_uint_eq(w.clients_count, 5000);
	for (uint32_t i = 0; i < w.count; i++)
		if (atoi(w.client_names[w.requests[i].client] + 5) + 1 !=
		    (int)w.requests[i].prompt_tokens)
			ck_abort_msg("request %u", i);
	quire_workload_free(&w);
	free(text);
}
END_TEST

/* Qwen's hashes: 16 tokens each; those of what is left out go with it. */
START_TEST(test_qwen_hashes)
{
	static const char text[] =
		QWEN("1", "-1", "3", "40", "5", "text", "1", "7, 8, 9") "\n" QWEN(
			"2", "-1", "4", "16", "0", "text", "1",
			"5") "\n" QWEN("3", "1", "5", "33", "1", "text", "2", "7, 4");
	struct quire_workload_stats stats;
	struct quire_workload w;

	ck_assert_int_eq(read_text(&w, text), 0);
	ck_assert_uint_eq(w.left_out, 1);
	ck_assert_uint_eq(w.hash_tokens, 16);
	ck_assert_uint_eq(w.hash_first[1], 3);
	ck_assert_uint_eq(w.hash_first[2], 5);
	ck_assert_uint_eq(w.hashes[4], 4);
	ck_assert_int_eq(quire_workload_stats(&stats, &w), 0);
	ck_assert_double_eq_tol(stats.hit_share, 16.0 / 73, 1e-12);
	quire_workload_free(&w);
}
END_TEST

/* An array of 3 MB on one line, and the same packed: read an object at a time. */
START_TEST(test_long_array)
{
	size_t length;
	char *text = NULL;
	FILE *out = open_memstream(&text, &length);
	struct quire_workload w;
	uint64_t plain;
	gzFile gz;

	for (int i = 0; i < 20000; i++) {
		fprintf(out, "%s{\"id\":\"%d\",\"conversations\":[{\"from\":\"human\",\"value\":\"",
			i ? "," : "[", i);
		for (int k = 0; k < i % 97 + 1; k++)
			fputs("word", out);
		fprintf(out, "\"},{\"from\":\"gpt\",\"value\":\"yes\"}]}");
	}
	fputs("]", out);
	fclose(out);
	write_file(text, length);
	ck_assert_int_eq(quire_workload_read(&w, path), 0);
	ck_assert_uint_eq(w.count, 20000);
	for (uint32_t i = 0; i < w.count; i++)
		if (w.requests[i].prompt_tokens != i % 97 + 1 || w.output_tokens[i] != 1)
			ck_abort_msg("request %u", i);
	plain = digest(&w);
	quire_workload_free(&w);
	gz = gzopen(path, "wb");
	gzwrite(gz, text, (unsigned int)length);
	gzclose(gz);
	ck_assert_int_eq(quire_workload_read(&w, path), 0);
	ck_assert_uint_eq(digest(&w), plain);
	quire_workload_free(&w);
	free(text);
}
END_TEST

START_TEST(test_hashes)
{
	/* the later one stands first: hashes move with their request */
	static const char text[] = MOON("9", "600", "5", "7, 18446744073709551615") "\n" MOON(
		"3", "1500", "1", "7, 0, 2") "\n" MOON("5", "10", "1", "") "\n";
	struct quire_workload_stats stats;
	struct quire_workload w;

	ck_assert_int_eq(read_text(&w, text), 0);
	ck_assert_uint_eq(w.hash_tokens, 512);
	ck_assert_uint_eq(w.hash_first[0], 0);
	ck_assert_uint_eq(w.hash_first[1], 3);
	ck_assert_uint_eq(w.hash_first[2], 3);
	ck_assert_uint_eq(w.hash_first[3], 5);
	ck_assert_uint_eq(w.hashes[1], 0);
	ck_assert_uint_eq(w.hashes[4], UINT64_MAX);
	ck_assert_int_eq(quire_workload_stats(&stats, &w), 0);
	ck_assert_uint_eq(stats.hashes, 5);
	ck_assert_uint_eq(stats.hashes_distinct, 4);
	ck_assert_double_eq_tol(stats.hit_share, 512.0 / 2110, 1e-12);
	quire_workload_free(&w);
}
END_TEST

/* ---- what is refused, and how ---- */

#define Q "arrival_s,prompt_tokens,output_tokens\n"
#define L "prompt_tokens,output_tokens\n"
#define A "TIMESTAMP,ContextTokens,GeneratedTokens\n"

static const struct {
	const char *text, *sentence; /* a part of it, behind the file's name */
} bad[] = {
	{"", ": expected a trace, found an empty file"},
	{"\n\n", ": expected a trace, found an empty file"},
	{Q, ": expected a trace, found a header without requests"},
	{"hello\n", ":1: expected a trace that begins like one of arrival_s,prompt_tokens,"},
	{"\xff\xfe\x01junk\n", "found '???junk'"},
	{"{\"model\": \"x\"}\n", ":1: expected a trace that begins like"},
	{"arrival_s,prompt_tokens\n1,2\n", ":1: expected a column 'output_tokens' too"},
	{"TIMESTAMP,ContextTokens\n", ":1: expected a column 'GeneratedTokens' too"},
	{"num_prefill_tokens,x\n", ":1: expected a column 'num_decode_tokens' too"},
	{"prompt_tokens,output_tokens,priorty\n1,2,3\n",
	 ":1: expected the column to be called 'priority', found 'priorty'"},
	{"arrival,prompt_tokens,output_tokens\n1,2,3\n",
	 ":1: expected the column to be called 'arrival_s', found 'arrival'"},
	{"prompt_tokens,output_tokens,output_tokens\n1,2,3\n", ":1: expected each column once"},
	{Q "1,2\n", ":2: expected 3 fields, as the header has, found '2'"},
	{Q "1,2,3,4\n", ":2: expected 3 fields, as the header has, found '4'"},
	{Q "1,2,3\n1,\"2,3\n", ":3: expected 3 fields"},
	{Q "1,2,3\n\n4,5,6\n", ":3: expected a request, found a blank line"},
	{Q "0,1,1\n0,,1\n",
	 ":3: expected prompt_tokens, a whole number from 1 to 2147483647, found ''"},
	{Q "0,0,1\n", ":2: expected prompt_tokens, a whole number from 1"},
	{Q "0,1,0\n", ":2: expected output_tokens, a whole number from 1"},
	{Q "0,1,-1\n", "found '-1'"},
	{Q "0,1,+1\n", "found '+1'"},
	{Q "0,1,nan\n", "found 'nan'"},
	{Q "0,1,0x10\n", "found '0x10'"},
	{Q "0,1,1e3\n", "found '1e3'"},
	{Q "0,1.5,1\n",
	 ":2: expected prompt_tokens, a whole number from 1 to 2147483647, found '1.5'"},
	{Q "0,1.,1\n", "found '1.'"},
	{Q "0,2147483648,1\n", "found '2147483648'"},
	{Q "0,99999999999999999999999,1\n", "found '99999999999999999999999'"},
	{Q "0,18446744073709551617,1\n", "found '18446744073709551617'"}, /* 2^64 + 1 */
	{Q "0,1 2,1\n", "found '1 2'"},
	{Q "-1,1,1\n", ":2: expected arrival_s, seconds from 0 to 1e+09, found '-1'"},
	{Q "nan,1,1\n", "found 'nan'"},
	{Q "inf,1,1\n", "found 'inf'"},
	{Q "1e10,1,1\n", "found '1e10'"},
	{Q "1e,1,1\n", "found '1e'"},
	{Q "1000000001,1,1\n", "found '1000000001'"},
	{Q "18446744074,1,1\n", "found '18446744074'"}, /* just above 2^64 ns */
	{Q "999999999999999999999999,1,1\n", "found '9999"},
	{Q ",1,1\n", ":2: expected arrival_s, seconds from 0 to 1e+09, found ''"},
	{Q ".5,1,1\n", "found '.5'"},
	{"prompt_tokens,output_tokens,client\n1,1,1\n1,1,alice\n",
	 ":3: expected client, a whole number"},
	{"prompt_tokens,output_tokens,client\n1,1,alice\n1,1,1\n", ":3: expected a client's name"},
	{"prompt_tokens,output_tokens,client\n1,1,alice\n1,1,\n", ":3: expected a client's name"},
	{"prompt_tokens,output_tokens,client\n1,1,\"a,b\"\n", ":2: expected a client's name"},
	{"prompt_tokens,output_tokens,client\n1,1,4294967296\n", "from 0 to 4294967295"},
	{"prompt_tokens,output_tokens,priority\n1,1,--1\n", ":2: expected priority"},
	{"prompt_tokens,output_tokens,output_tokens_max\n1,50,20\n",
	 ":2: expected output_tokens_max of at least output_tokens, 50, found '20'"},
	{"prompt_tokens,output_tokens,deadline_s\n1,1,3\n",
	 ":2: expected deadline_s not before an arrival_s, found '3'"},
	{"arrival_s,prompt_tokens,output_tokens,deadline_s\n4,1,1,3.5\n",
	 ":2: expected deadline_s not before an arrival_s, found '3.5'"},
	{L "1,2\n3\n", ":3: expected 2 fields, as the header has, found '1'"},

	{A "2023-11-16 18:17:03.97,4808,10\n2023-11-16 18:17:61.00,1,1\n",
	 ":3: expected TIMESTAMP as 2023-11-16 18:17:03.9799600, found '2023-11-16 18:17:61.00'"},
	{A "2023-02-29 00:00:00,1,1\n", ":2: expected TIMESTAMP as"},
	{A "2024-02-29 00:00:00,1,1\n2064-02-29 00:00:00,1,1\n",
	 ": expected arrivals within 10^9 s, found one more than 31 years behind"},
	{A "2023-13-01 00:00:00,1,1\n", ":2: expected TIMESTAMP as"},
	{A "2023-1-01 00:00:00,1,1\n", ":2: expected TIMESTAMP as"},
	{A "1969-12-31 23:59:59,1,1\n", ":2: expected TIMESTAMP as"},
	{A "2023-11-16 18:17:03.,1,1\n", ":2: expected TIMESTAMP as"},
	{A "2023-11-16 18:17:03x,1,1\n", ":2: expected TIMESTAMP as"},
	{A "17.5,1,1\n", ":2: expected TIMESTAMP as"},
	{A "2023-11-16 18:17:03,0,1\n", ":2: expected ContextTokens, a whole number from 1"},
	{A "2023-11-16 18:17:03,1,0\n", ":2: expected GeneratedTokens, a whole number from 1"},

	{B "1,x,0,1,1,y\n", ":2: expected Request tokens, a whole number from 1"},
	{B "1,x,1,0,1,y\n", ": expected a trace, found no request that was answered"},
	{B "1:30,x,1,1,1,y\n", ":2: expected Timestamp, seconds"},
	{"Timestamp,Request tokens\n", ":1: expected a column 'Response tokens' too"},

	{QWEN("1", "-1", "0", "0", "1", "text", "1", "") "\n",
	 ":1: expected input_length, a whole number from 1"},
	{QWEN("x", "-1", "0", "1", "1", "text", "1", "") "\n", ":1: expected a number, found 'x"},
	{QWEN("1", "-1", "-2", "1", "1", "text", "1", "") "\n",
	 ":1: expected timestamp, seconds from 0"},
	{"{\"chat_id\":1,\"timestamp\":0,\"input_length\":1,\"output_length\":2,\"type\":3}\n",
	 ":1: expected a string, found '3}'"},
	{"{\"chat_id\":1,\"input_length\":1,\"output_length\":2,\"type\":\"x\\\"}\n",
	 ":1: expected a string that ends, found"},
	{"{\"chat_id\":1,\"input_length\":1,\"output_length\":2}\n",
	 ":1: expected timestamp, input_length and output_length"},
	{"{\"chat_id\":1,\"chat_id\":1,\"input_length\":1,\"output_length\":2}\n",
	 ":1: expected each key once, found 'chat_id'"},
	{"{\"chat_id\":1,\"model\":1,\"input_length\":1,\"output_length\":2}\n",
	 "type, turn and hash_ids alone, found 'model'"},

	{"[]", ": expected a trace, found no requests"},
	{"[", ":1: expected a JSON object, found ''"},
	{"[{\"conversations\":[]}]", ": expected a trace, found no request that was answered"},
	{"[{\"conversations\":[]},]", ":1: expected a JSON object, found ']'"},
	{"[{\"conversations\":[]}\n {}]", ":2: expected ',' or ']', found '{'"},
	{"[{\"conversations\":[]}]\n,", ":2: expected nothing behind the array, found ','"},
	{"[{\"conversations\":[]}", ":1: expected ',' or ']', found ''"},
	{"[\n[1]]", ":2: expected a JSON object, found '['"},
	{"[{\"a\": 1,\n\"a\": 2}]", ":2: expected a JSON object, found: duplicate"},
	{"[{\"a\": \"\xff\"}]", ":1: expected a JSON object, found: unable to decode byte 0xff"},
	{"[{\"a\": ", ":1: expected a JSON object, found: "},
	{"[{\"a\": 1}]", ":1: expected {\"conversations\": [..]}, found 'no array"},
	{"[{\"conversations\":[{\"value\":\"x\"}]}]", "found 'no speaker'"},
	{"[{\"conversations\":[{\"from\":\"gpt\",\"value\":7}]}]", "found 'no text'"},
	{"{\"conversations\":[]} x\n", ":1: expected a JSON object, found: end of file expected"},

	{"client,rate,prompt,output\na,1,1,1\n", ": is a file of clients: give it to --workload"},

	{MOON("0", "600", "5", "0, 1") "\n" MOON("1", "600", "0", "") "\n",
	 ":2: expected output_length, a whole number from 1"},
	{MOON("-1", "600", "5", "") "\n", ":1: expected timestamp, milliseconds from 0"},
	{MOON("0", "6.5", "5", "") "\n", ":1: expected input_length, a whole number"},
	{MOON("0", "600", "5", "0 1") "\n", ":1: expected ',' or ']', found '1]}'"},
	{MOON("0", "600", "5", "-4") "\n", ":1: expected a whole number from 0, found '-4]}'"},
	{MOON("0", "600", "5", "1,") "\n", ":1: expected a whole number from 0, found ']}'"},
	{MOON("0", "600", "5", "18446744073709551616") "\n", ":1: expected a number below 2^64"},
	{MOON("0", "600", "5", "") ",\n", ":1: expected one JSON object a line, found ','"},
	{MOON("0", "600", "\"5\"", "") "\n",
	 ":1: expected a number, found '\"5\", \"hash_ids\": []}'"},
	{MOON("0", "007", "5", "") "\n", ":1: expected a number, found '007"},
	{MOON("0", "1", "5", "") "\n[1]\n", ":2: expected a JSON object, found '[1]'"},
	{MOON("0", "1", "5", "") "\n{\"timestamp\": 1}\n",
	 ":2: expected timestamp, input_length and output_length, found"},
	{MOON("0", "1", "5", "") "\n{\"timestamp\": 1, \"timestamp\": 1}\n",
	 ":2: expected each key once, found 'timestamp'"},
	{MOON("0", "1", "5", "") "\n{\"timestamp\": 1, \"type\": 1}\n",
	 ":2: expected timestamp, input_length, output_length and hash_ids alone, found 'type'"},
	{MOON("0", "1", "5", "") "\n{\"timestamp\": 1 \"input_length\": 1}\n",
	 ":2: expected ',' or '}', found '\"input_length\": 1}'"},
	{MOON("0", "1", "5", "") "\n{\"timestamp\": 1,}\n",
	 ":2: expected a key in quotes, found '}'"},
	{MOON("0", "1", "5", "") "\n{,\"timestamp\": 1}\n",
	 ":2: expected a key in quotes, found ',"},
	{MOON("0", "1", "5", "") "\n{\"timestamp\"\n", ":2: expected ':' behind \"timestamp\""},
	{MOON("0", "1", "5", "") "\n{\"timest\n", ":2: expected a key in quotes"},
	{MOON("0", "1", "5", "") "\n{\n", ":2: expected a key in quotes, found ''"},
};

START_TEST(test_bad)
{
	char sentence[512];
	struct quire_workload w;

	ck_assert_int_eq(read_text(&w, bad[_i].text), -EINVAL);
	snprintf(sentence, sizeof(sentence), "%s%s", *bad[_i].sentence == ':' ? path : "",
		 bad[_i].sentence);
	if (!strstr(quire_failure(), sentence))
		ck_abort_msg("%d: expected \"%s\", found \"%s\"", _i, sentence, quire_failure());
	ck_assert_ptr_null(w.requests);
}
END_TEST

START_TEST(test_no_text)
{
	static const char binary[] = "prompt_tokens,output_tokens\n1,\0002\n";
	struct quire_workload w;

	write_file(binary, sizeof(binary) - 1);
	ck_assert_int_eq(quire_workload_read(&w, path), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), ":2: expected text, found binary data"));
	ck_assert_int_eq(quire_workload_read(&w, "/tmp"), -EISDIR);
	ck_assert_str_eq(quire_failure(), "/tmp: cannot be read: Is a directory");
	ck_assert_int_eq(quire_workload_read(&w, "/nonexistent/trace.csv"), -ENOENT);
	ck_assert_str_eq(quire_failure(),
			 "/nonexistent/trace.csv: cannot be opened: No such file or directory");
}
END_TEST

/* A field of 17 MiB is no trace; one of 100 KiB may be. */
START_TEST(test_long_lines)
{
	size_t size = 17u << 20;
	char *text = malloc(size + 64);
	struct quire_workload w;

	memset(text, ' ', size);
	strcpy(text + size, "1,2\n");
	memcpy(text, L, strlen(L));
	write_file(text, size + 4);
	ck_assert_int_eq(quire_workload_read(&w, path), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), ":2: expected a line of a trace, found one "
						      "longer than 16 MiB"));
	strcpy(text + 100000, "1,2\n");
	write_file(text, 100004);
	ck_assert_int_eq(quire_workload_read(&w, path), 0);
	ck_assert_uint_eq(w.count, 1);
	quire_workload_free(&w);
	free(text);
}
END_TEST

/* ---- packed files ---- */

/* 20,000 rows, so that every buffer is filled many times. */
static char *long_trace(size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	fputs(Q, out);
	for (int i = 0; i < 20000; i++)
		fprintf(out, "%d.%03d,%d,%d\n", i / 10, i % 997, i * 37 % 4099 + 1, i % 311 + 1);
	fclose(out);
	return text;
}

START_TEST(test_packed)
{
	size_t length, half, packed_length, half_length;
	char *text = long_trace(&length), *packed = malloc(2 * length);
	struct quire_workload w;
	uint64_t plain;
	gzFile gz;

	write_file(text, length);
	ck_assert_int_eq(quire_workload_read(&w, path), 0);
	ck_assert_uint_eq(w.count, 20000);
	plain = digest(&w);
	quire_workload_free(&w);

	/* two streams in one file, as "cat a.gz b.gz" makes it */
	half = length / 2;
	for (int i = 0; i < 2; i++) {
		gz = gzopen(path, i ? "ab" : "wb");
		gzwrite(gz, text + (i ? half : 0), (unsigned int)(i ? length - half : half));
		gzclose(gz);
	}
	ck_assert_int_eq(quire_workload_read(&w, path), 0);
	ck_assert_uint_eq(digest(&w), plain);
	quire_workload_free(&w);

	half_length = ZSTD_compress(packed, 2 * length, text, half, 3);
	packed_length = half_length + ZSTD_compress(packed + half_length, 2 * length - half_length,
						    text + half, length - half, 3);
	write_file(packed, packed_length);
	ck_assert_int_eq(quire_workload_read(&w, path), 0);
	ck_assert_uint_eq(digest(&w), plain);
	quire_workload_free(&w);

	/* cut short, and damaged */
	write_file(packed, packed_length - 5);
	ck_assert_int_eq(quire_workload_read(&w, path), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "the compressed data ends too early"));
	memset(packed + half_length / 2, 0x55, 64);
	write_file(packed, packed_length);
	ck_assert_int_eq(quire_workload_read(&w, path), -EINVAL);
	free(packed);
	free(text);
}
END_TEST

START_TEST(test_gzip_cut)
{
	static char packed[1 << 20];
	size_t length, packed_length;
	char *text = long_trace(&length);
	struct quire_workload w;
	FILE *file;
	gzFile gz = gzopen(path, "wb");

	gzwrite(gz, text, (unsigned int)length);
	gzclose(gz);
	file = fopen(path, "rb");
	packed_length = fread(packed, 1, sizeof(packed), file);
	fclose(file);
	write_file(packed, packed_length - 9);
	ck_assert_int_eq(quire_workload_read(&w, path), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "the compressed data ends too early"));
	memset(packed + 1000, 0, 100);
	write_file(packed, packed_length);
	ck_assert_int_eq(quire_workload_read(&w, path), -EINVAL);
	free(text);
}
END_TEST

/* ---- damage at random: never a crash, never silence ---- */

START_TEST(test_damage)
{
	static const char alphabet[] = "0123456789,.-+eE{}[]\"': \n\r\taNn\xff\xc3";
	uint64_t seed = getenv("QUIRE_SEED") ? strtoull(getenv("QUIRE_SEED"), NULL, 10) : 1;
	struct quire_rng rng;
	uint32_t read = 0;
	char text[1024];

	quire_rng_seed(&rng, seed, "damage");
	for (int round = 0; round < 20000; round++) {
		const char *from = good[quire_rng_below(&rng, sizeof(good) / sizeof(*good))].text;
		size_t length = strlen(from);
		struct quire_workload w;

		memcpy(text, from, length);
		for (uint32_t n = quire_rng_below(&rng, 4) + 1; n > 0 && length > 1; n--) {
			uint32_t at = quire_rng_below(&rng, (uint32_t)length);

			switch (quire_rng_below(&rng, 4)) {
			case 0: /* cut */
				memmove(text + at, text + at + 1, length - at - 1);
				length--;
				break;
			case 1: /* double */
				memmove(text + at + 1, text + at, length - at);
				length++;
				break;
			default:
				text[at] = alphabet[quire_rng_below(&rng, sizeof(alphabet) - 1)];
			}
		}
		if (read_pipe(&w, text, length) == 0) {
			read++;
			if (w.count == 0)
				ck_abort_msg("seed %llu, round %d: no requests",
					     (unsigned long long)seed, round);
			for (uint32_t i = 0; i < w.count; i++)
				if (!w.requests[i].prompt_tokens || !w.output_tokens[i] ||
				    w.requests[i].id != i ||
				    (i && w.requests[i].arrival_ns < w.requests[i - 1].arrival_ns))
					ck_abort_msg("seed %llu, round %d: request %u",
						     (unsigned long long)seed, round, i);
			quire_workload_free(&w);
		} else if (!strstr(quire_failure(), "expected") &&
			   !strstr(quire_failure(), "damaged") &&
			   !strstr(quire_failure(), "too early")) {
			ck_abort_msg("seed %llu, round %d: %s", (unsigned long long)seed, round,
				     quire_failure());
		}
	}
	ck_assert_uint_gt(read, 1000);
}
END_TEST

/* ---- the public traces ---- */

static const struct {
	const char *file, *format;
	uint32_t count;
	double rate; /* 0: lengths only */
	double prompt_mean, output_mean;
	double hit_share; /* 0: no hashes */
} public_traces[] = {
	{"azure2023/AzureLLMInferenceTrace_conv.csv", "azure csv", 19366, 5.530, 1154.7, 211.1, 0},
	{"azure2023/AzureLLMInferenceTrace_code.csv", "azure csv", 8819, 2.566, 2047.8, 27.9, 0},
	{"mooncake/conversation_trace.jsonl", "mooncake jsonl", 12031, 3.401, 12035.1, 342.6,
	 0.3736},
	{"mooncake/synthetic_trace.jsonl", "mooncake jsonl", 3993, 3.906, 15325.5, 149.1, 0.6512},
	{"sarathi/sharegpt_8k_filtered_stats_llama2_tokenizer.csv", "vidur csv", 30731, 0, 0, 0, 0},
	{"vllm-sosp23/sharegpt_opt_lengths.csv", "quire csv", 84226, 0, 0, 0, 0},
	{"vllm-sosp23/sharegpt_rate4.0_dur900_seed0.csv", "quire csv", 3604, 4.004, 0, 0, 0},
	{"vidur/arxiv_summarization_stats_llama2_tokenizer_filtered_v2.csv", "vidur csv", 28257, 0,
	 0, 0, 0},
	{"vattention/arxiv_sample.csv", "vidur csv", 2895, 0, 0, 0, 0},
	{"vattention/arxiv_long_online.csv", "vidur csv", 10111, 0, 0, 0, 0},
};

START_TEST(test_public)
{
	const char *shared = getenv("QUIRE_SHARED");
	struct quire_workload_stats stats;
	struct quire_workload w;
	char file[1024];

	snprintf(file, sizeof(file), "%s/traces/%s",
		 shared ? shared : QUIRE_SOURCE_DIR "/../shared", public_traces[_i].file);
	if (access(file, R_OK)) {
		printf("skipped: no %s\n", file);
		return;
	}
	if (quire_workload_read(&w, file))
		ck_abort_msg("%s", quire_failure());
	ck_assert_str_eq(w.format, public_traces[_i].format);
	ck_assert_uint_eq(w.count, public_traces[_i].count);
	ck_assert(w.arrivals_known == (public_traces[_i].rate > 0.0));
	ck_assert_double_eq_tol(w.rate, public_traces[_i].rate, 0.001);
	ck_assert_int_eq(quire_workload_stats(&stats, &w), 0);
	if (public_traces[_i].prompt_mean > 0.0) {
		ck_assert_double_eq_tol(stats.prompt.spread.mean, public_traces[_i].prompt_mean,
					0.06);
		ck_assert_double_eq_tol(stats.output.spread.mean, public_traces[_i].output_mean,
					0.06);
	}
	if (public_traces[_i].hit_share > 0.0)
		ck_assert_double_eq_tol(stats.hit_share, public_traces[_i].hit_share, 0.0001);
	quire_workload_free(&w);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("readers");
	TCase *tests = tcase_create("readers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, make_path, remove_path);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, test_good, 0, COUNT(good));
	tcase_add_test(tests, test_fields);
	tcase_add_test(tests, test_hashes);
	tcase_add_test(tests, test_client_names);
	tcase_add_test(tests, test_many_names);
	tcase_add_test(tests, test_qwen_hashes);
	tcase_add_test(tests, test_long_array);
	tcase_add_loop_test(tests, test_bad, 0, COUNT(bad));
	tcase_add_test(tests, test_no_text);
	tcase_add_test(tests, test_long_lines);
	tcase_add_test(tests, test_packed);
	tcase_add_test(tests, test_gzip_cut);
	tcase_add_test(tests, test_damage);
	tcase_add_loop_test(tests, test_public, 0, COUNT(public_traces));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
