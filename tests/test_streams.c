/*
 * test_streams.c - tokens, texts and their ends: what streams say against a reference
 * that has the whole text before it, and what they choose against arithmetic by hand.
 *
 * Sequences are made here, without a loop; text is that of the tiny model's tokenizer.
 */
#include "core/engine/streams.h"
#include "core/model/tokenizer.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL	  QUIRE_SOURCE_DIR "/labs/models/tiny"
#define VOCAB	  1024
#define NO_VOCAB  50 /* of tests without a tokenizer */
#define TEXT_MAX  4096
#define TOKEN_END (VOCAB - 1)

static uint64_t state;

static uint32_t below(uint32_t n)
{
	state += 0x9e3779b97f4a7c15u;
	uint64_t x = (state ^ state >> 30) * 0xbf58476d1ce4e5b9u;

	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ x >> 31) % n);
}

/* ---- a request without a loop ---- */

static struct quire_tokenizer *tokenizer;
static struct quire_streams *streams;
static struct quire_stream_request said_request[4];
static struct quire_request request[4];
static uint32_t prompt[3] = {1, 2, 3};
static char heard[4][8][TEXT_MAX]; /* what was said, by request and sample */
static size_t heard_bytes[4][8];

static void hear(void *arg, uint32_t r, uint32_t sample, const char *text, size_t bytes)
{
	size_t *n = &heard_bytes[r][sample];

	if (arg != prompt || r >= 4 || sample >= 8 || !bytes || *n + bytes > TEXT_MAX)
		ck_abort_msg("said %zu bytes of request %u, sample %u", bytes, r, sample);
	memcpy(&heard[r][sample][*n], text, bytes);
	*n += bytes;
}

/* Four requests; a test changes what it likes before begin(). */
static void fresh(void)
{
	memset(heard_bytes, 0, sizeof(heard_bytes));
	for (uint32_t i = 0; i < 4; i++) {
		said_request[i] = (struct quire_stream_request){.prompt = prompt};
		quire_sampling_init(&said_request[i].sampling);
		request[i] = (struct quire_request){
			.id = i, .prompt_tokens = 3, .output_tokens_max = 100000, .samples = 1};
	}
}

static struct quire_streams_config config(bool text)
{
	static const uint32_t ends[] = {TOKEN_END};
	struct quire_streams_config c = {
		.requests = said_request,
		.requests_count = 4,
		.vocab = text ? VOCAB : NO_VOCAB,
		.ends = ends,
		.ends_count = 1,
		.tokenizer = text ? tokenizer : NULL,
		.said = hear,
		.said_arg = prompt,
	};

	return c;
}

static void begin(const struct quire_streams_config *c)
{
	ck_assert_msg(quire_streams_new(&streams, c) == 0, "%s", quire_failure());
}

static void done(void)
{
	quire_streams_free(streams);
	streams = NULL;
}

static struct quire_seq seq_of(uint32_t r, uint32_t sample)
{
	struct quire_seq seq = {.request = &request[r],
				.id = 10 * r + sample + 1,
				.sample = sample,
				.known_tokens = 3};

	return seq;
}

/* @seq says @token.  Return: does its text end? */
static bool say(struct quire_seq *seq, const struct quire_seq *parent, uint32_t token, bool end)
{
	struct quire_result result = {.token = token, .logprob = -0.5f, .end = end};

	if (parent)
		seq->known_tokens = parent->known_tokens;
	seq->known_tokens++;
	return quire_streams_append(streams, seq, parent, &result);
}

static void open_tokenizer(void)
{
	ck_assert_msg(quire_tokenizer_open(&tokenizer, MODEL) == 0, "%s", quire_failure());
	ck_assert_uint_eq(quire_tokenizer_vocab(tokenizer), VOCAB);
}

static void close_tokenizer(void)
{
	quire_tokenizer_close(tokenizer);
}

/* The token of one byte: byte-level vocabularies have them all (GPT-2's alphabet). */
static uint32_t byte_token(uint8_t byte)
{
	uint32_t code = byte, others = 0, id;
	char piece[4] = {0};

	for (uint32_t b = 0; b <= byte; b++) {
		bool plain = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;

		if (!plain && b == byte)
			code = 256 + others;
		others += !plain;
	}
	if (code < 0x80) {
		piece[0] = (char)code;
	} else {
		piece[0] = (char)(0xc0 | code >> 6);
		piece[1] = (char)(0x80 | (code & 0x3f));
	}
	id = quire_tokenizer_id(tokenizer, piece);
	if (id == QUIRE_TOKEN_NONE)
		ck_abort_msg("no token for byte %u", byte);
	return id;
}

/* Some tokens whose text together is @text: now whole words, now single bytes. */
static uint32_t scatter(const char *text, size_t bytes, uint32_t *tokens)
{
	uint32_t count = 0;

	for (size_t at = 0; at < bytes;) {
		size_t n = 1 + below(8);

		n = n < bytes - at ? n : bytes - at;
		while (at + n < bytes && (text[at + n] & 0xc0) == 0x80)
			n++;
		if (below(2) || (text[at] & 0xc0) == 0x80) {
			for (size_t i = 0; i < n; i++)
				tokens[count++] = byte_token((uint8_t)text[at + i]);
		} else {
			struct quire_tokens some = {.ids = NULL};

			if (quire_tokenizer_encode(tokenizer, text + at, n, 0, &some))
				ck_abort_msg("%s", quire_failure());
			memcpy(&tokens[count], some.ids, some.count * sizeof(*tokens));
			count += (uint32_t)some.count;
			quire_tokens_free(&some);
		}
		at += n;
	}
	return count;
}

/* ---- texts and stop strings ---- */

static bool whole_characters(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes;) {
		uint8_t c = (uint8_t)text[i];
		size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if ((c & 0xc0) == 0x80 || i + n > bytes)
			return false;
		i += n;
	}
	return true;
}

/* Where @text ends: the stop string that is complete first, the longest of those. */
static size_t cut(const char *text, size_t bytes, const char *const *stops, uint32_t count)
{
	for (size_t end = 1; end <= bytes; end++) {
		size_t longest = 0;

		for (uint32_t i = 0; i < count; i++) {
			size_t n = strlen(stops[i]);

			if (n <= end && n > longest && !memcmp(text + end - n, stops[i], n))
				longest = n;
		}
		if (longest)
			return end - longest;
	}
	return bytes;
}

/* A text of few different letters, so that stop strings nearly come all the time. */
static size_t babble(char *text, size_t characters)
{
	static const char *const letter[] = {
		"a", "b", " ", "\n", "\xc3\xa9", "\xe8\xaf\x8d", "\xf0\x9f\x90\x88", "ab", "."};
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < characters; i++) {
		const char *l = letter[below(9)];

		strcpy(text + n, l);
		n += strlen(l);
	}
	return n;
}

START_TEST(texts_end_where_they_should)
{
	static char text[TEXT_MAX], stop[4][64];
	static uint32_t tokens[TEXT_MAX];
	uint32_t cuts = 0, pieces = 0;

	for (uint64_t seed = 0; seed < 3000; seed++) {
		const char *stops[4] = {stop[0], stop[1], stop[2], stop[3]};
		struct quire_streams_config c = config(true);
		const struct quire_stream *stream;
		struct quire_seq seq;
		size_t bytes, end;
		uint32_t count, i;
		bool over = false;

		state = seed;
		fresh();
		said_request[1].sampling.stops = stops;
		said_request[1].sampling.stops_count = below(5);
		for (i = 0; i < 4; i++)
			babble(stop[i], 1 + below(6));
		bytes = babble(text, below(60));
		count = scatter(text, bytes, tokens);
		end = cut(text, bytes, stops, said_request[1].sampling.stops_count);
		cuts += end < bytes;
		if (below(2))
			request[1].output_tokens_max = count;
		begin(&c);
		seq = seq_of(1, 0);
		for (i = 0; i < count && !over; i++) {
			over = say(&seq, NULL, tokens[i], false);
			stream = quire_stream(streams, 1, 0);
			if (!whole_characters(heard[1][0], heard_bytes[1][0]))
				ck_abort_msg("seed %llu: half a character",
					     (unsigned long long)seed);
			if (heard_bytes[1][0] > end || memcmp(heard[1][0], text, heard_bytes[1][0]))
				ck_abort_msg("seed %llu: said what was not certain",
					     (unsigned long long)seed);
			if (over != stream->ended)
				ck_abort_msg("seed %llu: ended", (unsigned long long)seed);
			pieces++;
		}
		ck_assert_int_eq(quire_streams_end(streams), 0);
		if (over != (end < bytes))
			ck_abort_msg("seed %llu: it %s, but the reference ends at %zu of %zu",
				     (unsigned long long)seed, over ? "stops" : "goes on", end,
				     bytes);
		stream = quire_stream(streams, 1, 0);
		if (count && (stream->text_bytes != end || memcmp(stream->text, text, end) ||
			      heard_bytes[1][0] != end))
			ck_abort_msg("seed %llu: %zu bytes, said %zu, expected %zu of '%s'",
				     (unsigned long long)seed, stream->text_bytes,
				     heard_bytes[1][0], end, text);
		if (count && (stream->count != i || memcmp(stream->tokens, tokens, i * sizeof(i))))
			ck_abort_msg("seed %llu: tokens", (unsigned long long)seed);
		done();
	}
	ck_assert_uint_gt(cuts, 1000);
	ck_assert_uint_gt(pieces, 20000);
}
END_TEST

START_TEST(what_may_be_a_stop_string_is_held_back)
{
	static const char *const stops[] = {"\n\nEND"};
	struct quire_streams_config c = config(true);
	struct quire_seq seq;

	fresh();
	said_request[0].sampling.stops = stops;
	said_request[0].sampling.stops_count = 1;
	begin(&c);
	seq = seq_of(0, 0);
	for (const char *t = "a\n\nEN"; *t; t++)
		ck_assert(!say(&seq, NULL, byte_token((uint8_t)*t), false));
	ck_assert_uint_eq(heard_bytes[0][0], 1);
	ck_assert_uint_eq(quire_stream(streams, 0, 0)->text_bytes, 1);
	ck_assert(!say(&seq, NULL, byte_token('T'), false));
	ck_assert_uint_eq(heard_bytes[0][0], 6);
	for (const char *t = "\n\n\nEN"; *t; t++)
		ck_assert(!say(&seq, NULL, byte_token((uint8_t)*t), false));
	ck_assert_uint_eq(heard_bytes[0][0], 7);
	/* A run that is stopped here says the rest. */
	ck_assert_int_eq(quire_streams_end(streams), 0);
	ck_assert_uint_eq(heard_bytes[0][0], 11);
	ck_assert(!memcmp(heard[0][0], "a\n\nENT\n\n\nEN", 11));
	done();
}
END_TEST

START_TEST(half_a_character_is_replaced_at_the_end)
{
	struct quire_streams_config c = config(true);
	struct quire_seq seq;

	fresh();
	request[0].output_tokens_max = 3;
	begin(&c);
	seq = seq_of(0, 0);
	say(&seq, NULL, byte_token('x'), false);
	say(&seq, NULL, byte_token(0xe8), false);
	ck_assert_uint_eq(heard_bytes[0][0], 1);
	say(&seq, NULL, byte_token(0xaf), false);
	ck_assert_uint_eq(heard_bytes[0][0], 4);
	ck_assert(!memcmp(heard[0][0], "x\xef\xbf\xbd", 4));
	done();
}
END_TEST

START_TEST(tokens_that_end_have_no_text)
{
	struct quire_streams_config c = config(true);
	const uint32_t stop = byte_token('!');
	struct quire_seq one, two, three;

	fresh();
	said_request[1].sampling.stop_tokens = &stop;
	said_request[1].sampling.stop_tokens_count = 1;
	begin(&c);
	one = seq_of(0, 0);
	two = seq_of(1, 0);
	three = seq_of(2, 0);
	say(&one, NULL, byte_token('!'), false);
	ck_assert(!say(&one, NULL, TOKEN_END, true)); /* the loop knows already */
	say(&two, NULL, byte_token('a'), false);
	say(&two, NULL, stop, true);
	say(&three, NULL, byte_token('b'), true); /* a length that was asked for */
	ck_assert(quire_stream(streams, 0, 0)->ended);
	ck_assert_uint_eq(quire_stream(streams, 0, 0)->count, 2);
	ck_assert_uint_eq(heard_bytes[0][0], 1);
	ck_assert(quire_stream(streams, 1, 0)->ended);
	ck_assert_uint_eq(heard_bytes[1][0], 1);
	ck_assert(!quire_stream(streams, 2, 0)->ended);
	ck_assert_uint_eq(heard_bytes[2][0], 1);
	ck_assert_ptr_null(quire_stream(streams, 3, 0));
	ck_assert_ptr_null(quire_stream(streams, 0, 1));
	done();
}
END_TEST

START_TEST(the_first_word_keeps_its_space)
{
	struct quire_tokens tokens = {.ids = NULL};
	struct quire_streams_config c = config(true);
	struct quire_seq seq;

	ck_assert_int_eq(quire_tokenizer_encode(tokenizer, "the cat", 7, 0, &tokens), 0);
	fresh();
	said_request[0].prompt = tokens.ids;
	request[0].prompt_tokens = 1;
	begin(&c);
	seq = seq_of(0, 0);
	for (size_t i = 1; i < tokens.count; i++)
		say(&seq, NULL, tokens.ids[i], false);
	ck_assert_int_eq(quire_streams_end(streams), 0);
	ck_assert_uint_gt(heard_bytes[0][0], 3);
	ck_assert(!memcmp(heard[0][0] + heard_bytes[0][0] - 4, " cat", 4));
	done();
	quire_tokens_free(&tokens);
}
END_TEST

/* ---- forks ---- */

START_TEST(forks_begin_with_all_that_was)
{
	static const char *const stops[] = {"xyz"};
	struct quire_streams_config c = config(true);
	const struct quire_stream *stream;
	struct quire_seq parent, child, other;

	fresh();
	request[0].beams = 2;
	said_request[0].sampling.stops = stops;
	said_request[0].sampling.stops_count = 1;
	said_request[0].sampling.length_penalty = 2;
	begin(&c);
	parent = seq_of(0, 0);
	child = seq_of(0, 1);
	other = seq_of(0, 7);
	for (const char *t = "ab\xc3\xa9xy"; *t; t++)
		say(&parent, NULL, byte_token((uint8_t)*t), false);
	say(&parent, NULL, byte_token(0xe8), false); /* a third of a character */
	/* Children first, as the core does it. */
	say(&child, &parent, byte_token(0xaf), false);
	say(&other, &parent, TOKEN_END, true);
	say(&parent, NULL, byte_token('z'), false);
	say(&child, NULL, byte_token(0x8d), false);
	ck_assert_int_eq(quire_streams_end(streams), 0);
	ck_assert_uint_eq(quire_streams_samples(streams, 0), 8);
	ck_assert_ptr_null(quire_stream(streams, 0, 2));

	stream = quire_stream(streams, 0, 0);
	ck_assert_uint_eq(stream->count, 8);
	ck_assert_uint_eq(stream->seq, parent.id);
	ck_assert(!memcmp(stream->text, "ab\xc3\xa9xy\xef\xbf\xbdz", stream->text_bytes));
	stream = quire_stream(streams, 0, 1);
	ck_assert_uint_eq(stream->count, 9);
	ck_assert_uint_eq(stream->seq, child.id);
	ck_assert_uint_eq(stream->text_bytes, 9);
	ck_assert(!memcmp(stream->text, "ab\xc3\xa9xy\xe8\xaf\x8d", 9));
	ck_assert_double_eq_tol(stream->score, -4.5 / 81, 1e-12);
	ck_assert(!stream->ended);
	stream = quire_stream(streams, 0, 7);
	ck_assert_uint_eq(stream->sample, 7);
	ck_assert_uint_eq(stream->count, 8);
	ck_assert(stream->ended);
	ck_assert(!memcmp(stream->text, "ab\xc3\xa9xy\xef\xbf\xbd", stream->text_bytes));
	/* Of beams nothing is said: their texts change. */
	ck_assert_uint_eq(heard_bytes[0][0] + heard_bytes[0][1] + heard_bytes[0][7], 0);
	done();
}
END_TEST

START_TEST(a_dropped_beam_gives_its_place)
{
	struct quire_streams_config c = config(true);
	const struct quire_stream *stream;
	struct quire_seq a, b, again;

	fresh();
	request[0].beams = 2;
	begin(&c);
	a = seq_of(0, 0);
	b = seq_of(0, 1);
	say(&a, NULL, byte_token('p'), false);
	say(&b, &a, byte_token('q'), false);
	for (int i = 0; i < 200; i++)
		say(&b, NULL, byte_token('r'), false);
	again = seq_of(0, 1); /* b is gone; a goes on twice */
	again.id = 99;
	say(&again, &a, byte_token('s'), false);
	say(&a, NULL, byte_token('t'), false);
	ck_assert_int_eq(quire_streams_end(streams), 0);
	stream = quire_stream(streams, 0, 1);
	ck_assert_uint_eq(stream->count, 2);
	ck_assert_uint_eq(stream->seq, 99);
	ck_assert_uint_eq(stream->text_bytes, 2);
	ck_assert(!memcmp(stream->text, "ps", 2));
	ck_assert_double_eq_tol(stream->score, -0.5, 1e-12);
	done();
}
END_TEST

START_TEST(tokens_are_found_again)
{
	enum { COUNT = 5000 };
	struct quire_streams_config c = config(false);
	struct quire_seq seq[3];

	fresh();
	request[2].samples = 2;
	begin(&c);
	seq[0] = seq_of(0, 0);
	seq[1] = seq_of(2, 0);
	seq[2] = seq_of(2, 1);
	say(&seq[2], &seq[1], 8, false);
	say(&seq[1], NULL, 7, false);
	for (uint32_t i = 0; i < COUNT; i++)
		for (uint32_t k = 0; k < 3; k++)
			say(&seq[k], NULL, (i * 3 + k) % NO_VOCAB, false);
	for (uint32_t k = 0; k < 3; k++) {
		uint32_t first = k ? 4 : 3;

		for (uint32_t i = 0; i < seq[k].known_tokens; i++) {
			uint32_t expected = i < 3	? prompt[i]
					    : i < first ? 6 + k
							: ((i - first) * 3 + k) % NO_VOCAB;

			if (quire_stream_token(streams, &seq[k], i) != expected)
				ck_abort_msg("sequence %u, token %u", k, i);
		}
	}
	ck_assert_uint_eq(quire_stream(streams, 2, 1)->count, COUNT + 1);
	ck_assert_ptr_null(quire_stream(streams, 2, 1)->text);
	done();
}
END_TEST

/* ---- choosing ---- */

static void fill(float *logits)
{
	for (uint32_t i = 0; i < NO_VOCAB; i++)
		logits[i] = (float)below(1000) / 100 - 3;
}

static void choose(const struct quire_seq *seq, uint32_t candidates, const float *logits,
		   struct quire_result *results)
{
	struct quire_item item = {
		.seq = (struct quire_seq *)(uintptr_t)seq, .tokens = 1, .candidates = candidates};
	float copy[NO_VOCAB];

	memcpy(copy, logits, sizeof(copy));
	ck_assert_msg(quire_streams_sample(streams, &item, copy, results) == 0, "%s",
		      quire_failure());
}

static double logprob(const float *logits, uint32_t token)
{
	double sum = 0;

	for (uint32_t i = 0; i < NO_VOCAB; i++)
		sum += exp((double)logits[i]);
	return (double)logits[token] - log(sum);
}

/* The same tokens whoever else there is, and whichever request it is. */
START_TEST(a_seed_is_a_text)
{
	enum { STEPS = 200 };
	static float logits[STEPS][NO_VOCAB];
	static uint32_t alone[4][STEPS];
	struct quire_streams_config c = config(false);
	struct quire_result results[4];
	struct quire_seq seq[4];
	uint32_t differ[4] = {0};

	state = 1;
	for (uint32_t i = 0; i < STEPS; i++)
		fill(logits[i]);
	/* Four samples of request 0, all born in the first step. */
	fresh();
	request[0].samples = 4;
	said_request[0].sampling.temperature = 1.5;
	said_request[0].sampling.seed = 7;
	begin(&c);
	for (uint32_t k = 0; k < 4; k++)
		seq[k] = seq_of(0, k);
	choose(&seq[0], 4, logits[0], results);
	for (uint32_t k = 4; k-- > 0;) {
		alone[k][0] = results[k].token;
		say(&seq[k], k ? &seq[0] : NULL, results[k].token, false);
	}
	for (uint32_t i = 1; i < STEPS; i++) {
		for (uint32_t k = 0; k < 4; k++) {
			choose(&seq[k], 1, logits[i], results);
			alone[k][i] = results->token;
			differ[k] += k && alone[k][i] != alone[0][i];
			say(&seq[k], NULL, results->token, false);
		}
	}
	done();
	for (uint32_t k = 1; k < 4; k++)
		ck_assert_uint_gt(differ[k], STEPS / 2);
	/* Request 3 alone, with the same seed: the first sample again. */
	fresh();
	said_request[3].sampling.temperature = 1.5;
	said_request[3].sampling.seed = 7;
	begin(&c);
	seq[0] = seq_of(3, 0);
	for (uint32_t i = 0; i < STEPS; i++) {
		choose(&seq[0], 1, logits[i], results);
		if (results->token != alone[0][i])
			ck_abort_msg("token %u is %u, expected %u", i, results->token, alone[0][i]);
		say(&seq[0], NULL, results->token, false);
	}
	done();
}
END_TEST

/* Where samples are born together, each draws what it would draw alone. */
START_TEST(samples_draw_their_own)
{
	struct quire_streams_config c = config(false);
	struct quire_result results[4], own;
	float logits[NO_VOCAB];
	struct quire_seq seq;
	uint32_t differ = 0;

	fresh();
	request[0].samples = 4;
	said_request[0].sampling.temperature = 1;
	for (uint32_t i = 0; i < 100; i++) {
		state = said_request[0].sampling.seed = i;
		fill(logits);
		begin(&c);
		seq = seq_of(0, 0);
		choose(&seq, 4, logits, results);
		for (uint32_t k = 0; k < 4; k++) {
			seq = seq_of(0, k);
			choose(&seq, 1, logits, &own);
			if (own.token != results[k].token)
				ck_abort_msg("seed %u: sample %u draws %u, and %u alone", i, k,
					     results[k].token, own.token);
			differ += own.token != results[0].token;
		}
		done();
	}
	ck_assert_uint_gt(differ, 150);
}
END_TEST

START_TEST(logprobs_are_the_models_own)
{
	struct quire_streams_config c = config(false);
	struct quire_result result;
	struct quire_seq seq;
	float logits[NO_VOCAB];

	fresh();
	said_request[0].sampling.temperature = 0.5;
	said_request[0].sampling.top_k = 10;
	said_request[0].sampling.repetition_penalty = 1.7;
	said_request[0].sampling.frequency_penalty = 0.3;
	said_request[0].sampling.logprobs = 5;
	begin(&c);
	seq = seq_of(0, 0);
	for (uint32_t i = 0; i < 300; i++) {
		const struct quire_stream *stream;
		double before = 0;

		state = i;
		fill(logits);
		choose(&seq, 1, logits, &result);
		if (fabs((double)result.logprob - logprob(logits, result.token)) > 1e-5)
			ck_abort_msg("step %u: %g, expected %g", i, (double)result.logprob,
				     logprob(logits, result.token));
		seq.known_tokens++;
		quire_streams_append(streams, &seq, NULL, &result);
		stream = quire_stream(streams, 0, 0);
		if (stream->logprobs[i] < result.logprob || stream->logprobs[i] > result.logprob)
			ck_abort_msg("step %u: kept another logprob", i);
		for (uint32_t k = 0; k < 5; k++) {
			const struct quire_alternative *a = &stream->alternatives[5 * i + k];
			uint32_t better = 0;

			for (uint32_t t = 0; t < NO_VOCAB; t++)
				better += logits[t] > logits[a->token] ||
					  (t < a->token && !(logits[t] < logits[a->token]));
			if (better != k ||
			    fabs((double)a->logprob - logprob(logits, a->token)) > 1e-5)
				ck_abort_msg("step %u: alternative %u", i, k);
			if (k && (double)a->logprob > before)
				ck_abort_msg("step %u: order", i);
			before = (double)a->logprob;
		}
	}
	done();
}
END_TEST

/* Greedy with penalties, against counting all over again. */
START_TEST(penalties_know_what_was_said)
{
	struct quire_streams_config c = config(false);
	struct quire_result result;
	struct quire_seq seq[2];
	float logits[NO_VOCAB];
	uint32_t turned = 0;

	fresh();
	request[0].samples = 2;
	said_request[0].sampling.repetition_penalty = 1.3;
	said_request[0].sampling.presence_penalty = 0.4;
	said_request[0].sampling.frequency_penalty = 0.2;
	begin(&c);
	seq[0] = seq_of(0, 0);
	seq[1] = seq_of(0, 1);
	for (uint32_t i = 0; i < 400; i++) {
		struct quire_seq *s = &seq[i > 10 && i % 2];
		uint32_t best = 0, plain = 0;
		float changed[NO_VOCAB];

		state = i;
		fill(logits);
		for (uint32_t t = 0; t < NO_VOCAB; t++) {
			const struct quire_stream *stream = quire_stream(streams, 0, s->sample);
			uint32_t said = 0, there = t >= 1 && t <= 3;
			double l = (double)logits[t];

			for (uint32_t k = 0; stream && k < stream->count; k++)
				said += stream->tokens[k] == t;
			if (there || said)
				l = l > 0 ? l / 1.3 : l * 1.3;
			if (said)
				l -= 0.4 + 0.2 * said;
			changed[t] = (float)l;
			if (changed[t] > changed[best])
				best = t;
			if (logits[t] > logits[plain])
				plain = t;
		}
		choose(s, 1, logits, &result);
		if (result.token != best)
			ck_abort_msg("step %u: token %u, expected %u", i, result.token, best);
		turned += best != plain;
		if (i == 10) /* sample 1 begins with what sample 0 said */
			say(&seq[1], &seq[0], (best + 1) % NO_VOCAB, false);
		say(s, NULL, best, false);
	}
	ck_assert_uint_gt(turned, 100);
	done();
}
END_TEST

START_TEST(beams_get_the_best_in_order)
{
	struct quire_streams_config c = config(false);
	struct quire_result results[8];
	struct quire_seq seq;
	float logits[NO_VOCAB];

	fresh();
	request[0].beams = 4;
	begin(&c);
	seq = seq_of(0, 0);
	for (uint32_t i = 0; i < 100; i++) {
		state = i;
		fill(logits);
		choose(&seq, 8, logits, results);
		for (uint32_t k = 0; k < 8; k++) {
			uint32_t better = 0, token = results[k].token;

			for (uint32_t t = 0; t < NO_VOCAB; t++)
				better += logits[t] > logits[token] ||
					  (t < token && !(logits[t] < logits[token]));
			if (better != k ||
			    fabs((double)results[k].logprob - logprob(logits, token)) > 1e-5)
				ck_abort_msg("step %u: candidate %u is token %u", i, k, token);
		}
	}
	done();
}
END_TEST

START_TEST(ends_are_seen)
{
	const uint32_t lengths[4] = {2, 2, 2, 2}, stop = 9;
	struct quire_streams_config c = config(false);
	struct quire_result result;
	struct quire_seq seq;
	float logits[NO_VOCAB] = {0};
	const uint32_t ends[] = {5, 6};

	c.ends = ends;
	c.ends_count = 2;
	fresh();
	said_request[1].sampling.stop_tokens = &stop;
	said_request[1].sampling.stop_tokens_count = 1;
	for (int ignore = 0; ignore < 2; ignore++) {
		c.ignore_ends = ignore;
		begin(&c);
		for (uint32_t token = 0; token < 12; token++) {
			memset(logits, 0, sizeof(logits));
			logits[token] = 1;
			for (uint32_t r = 0; r < 2; r++) {
				seq = seq_of(r, 0);
				choose(&seq, 1, logits, &result);
				ck_assert_uint_eq(result.token, token);
				ck_assert_int_eq(result.end,
						 (!ignore && (token == 5 || token == 6)) ||
							 (r == 1 && token == 9));
			}
		}
		done();
	}
	/* Lengths that a workload knows. */
	c.output_tokens = lengths;
	begin(&c);
	seq = seq_of(0, 0);
	choose(&seq, 1, logits, &result);
	ck_assert(!result.end);
	say(&seq, NULL, 0, false);
	choose(&seq, 1, logits, &result);
	ck_assert(result.end);
	done();
}
END_TEST

START_TEST(bad_logits_are_told_with_their_place)
{
	struct quire_streams_config c = config(false);
	struct quire_result result;
	struct quire_seq seq = seq_of(2, 0);
	struct quire_item item = {.seq = &seq, .tokens = 1, .candidates = 1};
	float logits[NO_VOCAB] = {0};
	uint32_t bad_prompt[3] = {1, NO_VOCAB, 2};

	fresh();
	begin(&c);
	logits[20] = NAN;
	ck_assert_int_eq(quire_streams_sample(streams, &item, logits, &result), -EIO);
	ck_assert_str_eq(quire_failure(),
			 "request 2, sample 0, position 3: the logit of token 20 is not a number");
	for (uint32_t i = 0; i < NO_VOCAB; i++)
		logits[i] = -INFINITY;
	ck_assert_int_eq(quire_streams_sample(streams, &item, logits, &result), -EIO);
	done();
	said_request[2].prompt = bad_prompt;
	begin(&c);
	ck_assert_int_eq(quire_streams_sample(streams, &item, logits, &result), -EINVAL);
	ck_assert_ptr_nonnull(strstr(quire_failure(), "token 1 of the prompt of request 2 is 50"));
	done();
}
END_TEST

int main(void)
{
	TCase *texts = tcase_create("texts"), *forks = tcase_create("forks");
	TCase *choices = tcase_create("choices");
	Suite *suite = suite_create("streams");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(texts, open_tokenizer, close_tokenizer);
	tcase_add_checked_fixture(forks, open_tokenizer, close_tokenizer);
	suite_add_tcase(suite, texts);
	tcase_add_test(texts, texts_end_where_they_should);
	tcase_add_test(texts, what_may_be_a_stop_string_is_held_back);
	tcase_add_test(texts, half_a_character_is_replaced_at_the_end);
	tcase_add_test(texts, tokens_that_end_have_no_text);
	tcase_add_test(texts, the_first_word_keeps_its_space);
	suite_add_tcase(suite, forks);
	tcase_add_test(forks, forks_begin_with_all_that_was);
	tcase_add_test(forks, a_dropped_beam_gives_its_place);
	tcase_add_test(forks, tokens_are_found_again);
	suite_add_tcase(suite, choices);
	tcase_add_test(choices, a_seed_is_a_text);
	tcase_add_test(choices, samples_draw_their_own);
	tcase_add_test(choices, logprobs_are_the_models_own);
	tcase_add_test(choices, penalties_know_what_was_said);
	tcase_add_test(choices, beams_get_the_best_in_order);
	tcase_add_test(choices, ends_are_seen);
	tcase_add_test(choices, bad_logits_are_told_with_their_place);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}
