/*
 * test_story.c - the index of a story against its events, counted again the long way.
 */
#include "tale.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/quire-story-XXXXXX";
static char file[64], other[64];
static struct tale tale; /* big */

static struct quire_story *open_at(const char *path)
{
	struct quire_story *story;

	ck_assert_msg(quire_story_open(&story, path) == 0, "%s", quire_failure());
	ck_assert_msg(quire_story_extend(story, UINT64_MAX) == 0, "%s", quire_failure());
	MUST(story->indexed == story->events && story->over);
	return story;
}

/* Run the world of @seed, and open it. */
static struct quire_story *tell(uint64_t seed)
{
	tale_make(&tale, seed);
	tale_run(&tale, file, NULL);
	return open_at(file);
}

static void end(struct quire_story *story)
{
	quire_story_close(story);
	tale_free(&tale);
}

#define WRONG(...)                                                                                 \
	do {                                                                                       \
		fprintf(stderr, "seed %llu, %s x %s\n", (unsigned long long)tale.seed,             \
			tale.scheduler, tale.allocator);                                           \
		ck_abort_msg(__VA_ARGS__);                                                         \
	} while (0)

/* ---- steps ---- */

/* Every step by its events alone. */
static struct quire_story_step *count_steps(uint32_t *count)
{
	uint32_t last = tale.events[tale.events_count - 1].step;
	struct quire_story_step *steps = calloc(last + 1, sizeof(*steps));
	struct quire_story_step total = {.begin_ns = 0};
	uint64_t *first_ns = calloc(4096, sizeof(*first_ns));
	uint32_t *told = calloc(4096, sizeof(*told));
	bool *refused = calloc(4096, sizeof(*refused));
	uint32_t *ran = calloc(last + 1, sizeof(*ran)); /* tokens of living rows */
	struct retold r;

	retold_begin(&r, &tale, 16);
	for (size_t i = 0; i < tale.events_count; i++) {
		const struct quire_event *e = &tale.events[i];
		struct quire_story_step *s = e->step ? &steps[e->step - 1] : NULL;
		const struct retold_seq *seq;
		uint32_t again, fresh, run;

		if (s && (i == 0 || e[-1].step != e->step)) {
			s->first = i;
			s->begin_ns = e->at_ns;
			if (e->step > 1)
				memcpy(s->value, s[-1].value,
				       QUIRE_SERIES_WAITING * sizeof(*s->value));
		}
		retold_next(&r);
		seq = e->seq ? &r.seqs[e->kind == QUIRE_EV_ARRIVE ? r.count : e->seq] : NULL;
		switch (e->kind) {
		case QUIRE_EV_RUN:
			if (seq->kept)
				break;
			/* Token by token. */
			for (run = e->b; run < e->b + e->a; run++) {
				again = run < seq->cached_most;
				fresh = !again && run < seq->prompt_tokens;
				if (!again && !fresh && run + 1 < e->c)
					again = 1; /* a parent ran it */
				s->value[QUIRE_SERIES_RECOMPUTE_TOKENS] += again;
				s->value[QUIRE_SERIES_PROMPT_TOKENS] += fresh;
				s->value[QUIRE_SERIES_DECODE_TOKENS] += !again && !fresh;
				total.prompt_tokens += fresh;
			}
			ran[e->step] += e->a;
			break;
		case QUIRE_EV_MEMORY:
			s->value[QUIRE_SERIES_TOKEN_STATES] = e->a;
			s->value[QUIRE_SERIES_RESERVED] = e->b;
			s->value[QUIRE_SERIES_INTERNAL] = e->c;
			break;
		case QUIRE_EV_POOL:
			s->value[QUIRE_SERIES_ROUNDING] = e->a;
			s->value[QUIRE_SERIES_FREE] = e->b;
			s->value[QUIRE_SERIES_LARGEST_FREE_RUN] = e->c;
			break;
		case QUIRE_EV_SHARE:
			s->value[QUIRE_SERIES_MAPPED] = e->a;
			break;
		case QUIRE_EV_STEP:
			s->value[QUIRE_SERIES_PAD_TOKENS] = e->b - ran[e->step];
			s->value[QUIRE_SERIES_WAITING] = s->value[QUIRE_SERIES_RUNNING] = 0;
			for (uint32_t id = 1; id <= r.count; id++) {
				const struct retold_seq *q = &r.seqs[id];

				s->value[QUIRE_SERIES_WAITING] += !q->gone && q->waiting;
				s->value[QUIRE_SERIES_RUNNING] +=
					!q->gone && !q->waiting && !q->kept;
				s->value[QUIRE_SERIES_KEPT] += !q->gone && q->kept;
			}
			break;
		case QUIRE_EV_DONE:
		case QUIRE_EV_IDLE:
			s->end_ns = e->at_ns;
			break;
		case QUIRE_EV_PREEMPT:
			s->value[QUIRE_SERIES_PREEMPTIONS]++;
			break;
		case QUIRE_EV_COPY:
			s->value[QUIRE_SERIES_COPIES]++;
			break;
		case QUIRE_EV_REFUSE:
			refused[e->seq] = true;
			break;
		case QUIRE_EV_SAMPLE:
			total.output_tokens++;
			if (!told[e->seq]++)
				first_ns[e->seq] = e->at_ns;
			if (told[e->seq] == 1 && e->b == seq->prompt_tokens + 1) {
				bool first = true;

				for (uint32_t id = 1; id < e->seq; id++)
					first &= r.seqs[id].request != seq->request;
				total.ttft_count += first;
				if (first)
					total.ttft_sum_s +=
						(double)(e->at_ns -
							 tale.requests[seq->request].arrival_ns) /
						1e9;
			}
			break;
		default:
			break;
		}
		if (seq && seq->gone && told[e->seq] > 1 &&
		    (e->kind == QUIRE_EV_FINISH || e->kind == QUIRE_EV_DROP) && !refused[e->seq]) {
			total.tpot_count++;
			total.tpot_sum_s +=
				(double)(e->at_ns - first_ns[e->seq]) / 1e9 / (told[e->seq] - 1);
		}
		if (!s)
			continue;
		s->output_tokens = total.output_tokens;
		s->prompt_tokens = total.prompt_tokens;
		s->ttft_count = total.ttft_count;
		s->tpot_count = total.tpot_count;
		s->ttft_sum_s = total.ttft_sum_s;
		s->tpot_sum_s = total.tpot_sum_s;
	}
	retold_free(&r);
	free(first_ns);
	free(told);
	free(refused);
	free(ran);
	*count = last;
	return steps;
}

static bool did_run(const struct quire_story_step *s)
{
	return s->value[QUIRE_SERIES_PROMPT_TOKENS] + s->value[QUIRE_SERIES_DECODE_TOKENS] +
		       s->value[QUIRE_SERIES_RECOMPUTE_TOKENS] + s->value[QUIRE_SERIES_PAD_TOKENS] >
	       0;
}

static void check_step(const struct quire_story_step *a, const struct quire_story_step *b,
		       uint32_t step)
{
	bool ran = did_run(b);

	if (a->begin_ns != b->begin_ns || a->end_ns != b->end_ns || a->first != b->first ||
	    a->output_tokens != b->output_tokens || a->prompt_tokens != b->prompt_tokens ||
	    a->ttft_count != b->ttft_count || a->tpot_count != b->tpot_count)
		WRONG("step %u: %llu to %llu from %llu, %llu output, %llu prompt, %u ttft, %u "
		      "tpot, "
		      "expected %llu to %llu from %llu, %llu, %llu, %u, %u",
		      step, (unsigned long long)a->begin_ns, (unsigned long long)a->end_ns,
		      (unsigned long long)a->first, (unsigned long long)a->output_tokens,
		      (unsigned long long)a->prompt_tokens, a->ttft_count, a->tpot_count,
		      (unsigned long long)b->begin_ns, (unsigned long long)b->end_ns,
		      (unsigned long long)b->first, (unsigned long long)b->output_tokens,
		      (unsigned long long)b->prompt_tokens, b->ttft_count, b->tpot_count);
	if (fabs(a->ttft_sum_s - b->ttft_sum_s) > 1e-9 * (1 + b->ttft_sum_s) ||
	    fabs(a->tpot_sum_s - b->tpot_sum_s) > 1e-9 * (1 + b->tpot_sum_s))
		WRONG("step %u: ttft %g, tpot %g, expected %g, %g", step, a->ttft_sum_s,
		      a->tpot_sum_s, b->ttft_sum_s, b->tpot_sum_s);
	for (uint32_t k = 0; k < QUIRE_SERIES_COUNT; k++)
		if (a->value[k] != b->value[k] &&
		    (ran || k < QUIRE_SERIES_WAITING || k > QUIRE_SERIES_KEPT))
			WRONG("step %u: %s is %u, expected %u", step, quire_series_words[k],
			      a->value[k], b->value[k]);
}

static void check_summary(const struct quire_story *story, uint32_t from, uint32_t until)
{
	for (uint32_t k = 0; k < QUIRE_SERIES_COUNT; k++) {
		struct quire_summary s = quire_story_summary(story, k, from, until);
		bool always = k == QUIRE_SERIES_PREEMPTIONS || k == QUIRE_SERIES_COPIES;
		uint64_t sum = 0, steps = 0;
		uint32_t min = UINT32_MAX, max = 0;

		for (uint32_t i = from; i < until && i < story->steps_count; i++) {
			uint32_t value = story->steps[i].value[k];

			steps += did_run(&story->steps[i]);
			if (!did_run(&story->steps[i]) && !always)
				continue;
			sum += value;
			min = value < min ? value : min;
			max = value > max ? value : max;
		}
		min = min < max ? min : max;
		if (s.min != min || s.max != max ||
		    fabs(s.mean - (double)sum / (double)(steps ? steps : 1)) > 1e-9)
			WRONG("%s over steps %u to %u: %u %g %u, expected %u %g %u",
			      quire_series_words[k], from, until, s.min, s.mean, s.max, min,
			      (double)sum / (double)(steps ? steps : 1), max);
	}
}

START_TEST(steps_are_what_their_events_add_up_to)
{
	uint64_t idle = 0, recomputed = 0, pads = 0;

	for (uint64_t seed = 0; seed < 64; seed++) {
		struct quire_story *story = tell(seed);
		uint64_t total[QUIRE_SERIES_COUNT] = {0};
		bool beams = false;
		struct quire_story_step *steps;
		struct quire_rng rng;
		uint32_t count;

		steps = count_steps(&count);
		ck_assert_msg(story->steps_count == count, "%u steps, expected %u",
			      story->steps_count, count);
		for (uint32_t i = 0; i < count; i++) {
			check_step(&story->steps[i], &steps[i], i + 1);
			idle += !did_run(&steps[i]);
			for (uint32_t k = 0; k < QUIRE_SERIES_COUNT; k++)
				total[k] += steps[i].value[k];
		}
		for (uint32_t i = 0; i < TALE_REQUESTS; i++)
			beams |= tale.requests[i].beams > 1;
		MUST(total[QUIRE_SERIES_PREEMPTIONS] == tale.metrics.preemptions);
		MUST(total[QUIRE_SERIES_COPIES] == tale.metrics.copies);
		MUST(beams || tale.rc ||
		     total[QUIRE_SERIES_RECOMPUTE_TOKENS] == tale.metrics.recomputed_tokens);
		MUST(count == 0 ||
		     story->steps[count - 1].output_tokens >= tale.metrics.output_tokens);
		recomputed += total[QUIRE_SERIES_RECOMPUTE_TOKENS];
		pads += total[QUIRE_SERIES_PAD_TOKENS];
		quire_rng_seed(&rng, seed, "summaries");
		check_summary(story, 0, count);
		check_summary(story, count, count + 5);
		for (uint32_t i = 0; i < 100; i++) {
			uint32_t from = quire_rng_below(&rng, count);

			check_summary(story, from, from + quire_rng_below(&rng, count - from + 3));
		}
		free(steps);
		end(story);
	}
	MUST(idle > 10 && recomputed > 1000 && pads > 1000);
}
END_TEST

/* A report's own TTFT and TPOT, where a request is one sequence. */
START_TEST(latencies_are_those_of_the_report)
{
	for (uint64_t seed = 0; seed < 32; seed++) {
		double ttft = 0, tpot = 0;
		uint32_t ttfts = 0, tpots = 0;
		const struct quire_story_step *last;
		struct quire_story *story;

		tale_make(&tale, seed);
		for (uint32_t i = 0; i < TALE_REQUESTS; i++) {
			tale.requests[i].samples = 1;
			tale.requests[i].beams = 0;
		}
		tale_run(&tale, file, NULL);
		MUST(tale.rc == 0);
		story = open_at(file);
		for (uint32_t i = 0; i < TALE_REQUESTS; i++) {
			const struct quire_outcome *o = &tale.outcomes[i];

			if (o->first_token_ns) {
				ttft += (double)(o->first_token_ns - o->arrival_ns) / 1e9;
				ttfts++;
			}
			if (o->refused || o->output_tokens < 2)
				continue;
			tpot += (double)(o->finish_ns - o->first_token_ns) / 1e9 /
				(o->output_tokens - 1);
			tpots++;
		}
		last = &story->steps[story->steps_count - 1];
		MUST(last->ttft_count == ttfts && last->tpot_count == tpots);
		MUST(fabs(last->ttft_sum_s - ttft) < 1e-6 * ttft);
		MUST(fabs(last->tpot_sum_s - tpot) < 1e-6 * tpot);
		end(story);
	}
}
END_TEST

/* Whoever is given up ends too, but not as he should. */
START_TEST(who_is_given_up_has_no_tpot)
{
	static const struct quire_event events[] = {
		{0, 0, QUIRE_EV_ARRIVE, 0, 4, 10, 1},  {0, 1, QUIRE_EV_RUN, 1, 4, 0, 4},
		{0, 1, QUIRE_EV_STEP, 0, 1, 4, 0},     {9, 1, QUIRE_EV_DONE, 0, 1, 1, 1},
		{9, 1, QUIRE_EV_SAMPLE, 1, 50, 5, 0},  {9, 2, QUIRE_EV_RUN, 1, 1, 4, 5},
		{9, 2, QUIRE_EV_STEP, 0, 1, 1, 0},     {19, 2, QUIRE_EV_DONE, 0, 1, 1, 1},
		{19, 2, QUIRE_EV_SAMPLE, 1, 51, 6, 0}, {29, 3, QUIRE_EV_REFUSE, 1, 2, 6, 0},
		{29, 3, QUIRE_EV_FINISH, 1, 6, 0, 0},
	};
	struct quire_request request = {.prompt_tokens = 4, .output_tokens_max = 10};
	struct quire_recorder_config config = {
		.run = {.requests_count = 1,
			.slots_total = 32,
			.seqs_max = 4,
			.seq_tokens_max = 32},
		.config = "{}",
		.requests = &request,
		.alone = true,
	};
	struct quire_recorder *rec;
	struct quire_story *story;

	for (size_t left_out = 0; left_out < 2; left_out++) {
		MUST(quire_recorder_open(&rec, file) == 0);
		quire_recorder_begin(rec, &config);
		for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
			if (!left_out || events[i].kind != QUIRE_EV_REFUSE)
				quire_recorder_sink(rec)->emit(quire_recorder_sink(rec),
							       &events[i]);
		MUST(quire_recorder_close(rec, NULL) == 0);
		story = open_at(file);
		MUST(story->tracks[1].refused == !left_out && story->tracks[1].gone);
		MUST(story->steps[2].ttft_count == 1 && story->steps[2].tpot_count == left_out);
		quire_story_close(story);
	}
}
END_TEST

/* ---- moments ---- */

START_TEST(moments_are_where_they_are)
{
	for (uint64_t seed = 0; seed < 16; seed++) {
		struct quire_story *story = tell(seed * 5);
		uint64_t last_ns = tale.events[tale.events_count - 1].at_ns;
		struct quire_rng rng;

		quire_rng_seed(&rng, seed, "moments");
		MUST(quire_story_end_ns(story) == last_ns);
		MUST(quire_story_ns(story, 0) == 0 && quire_story_step_at(story, 0) == 0);
		for (uint32_t i = 0; i < 200; i++) {
			uint64_t at = quire_rng_below(&rng, (uint32_t)tale.events_count);
			uint64_t ns = tale.events[at].at_ns + quire_rng_below(&rng, 3) - 1, n = 0,
				 m = 0, count;
			uint32_t step = quire_rng_below(&rng, story->steps_count + 2), found = 0;

			if (!tale.events[at].at_ns)
				ns = 0;
			for (size_t k = 0; k < tale.events_count; k++) {
				n += tale.events[k].at_ns <= ns;
				m += tale.events[k].step <= step;
			}
			MUST(quire_story_index_ns(story, ns) == n);
			MUST(quire_story_index_step(story, step) == m);
			MUST(quire_story_ns(story, at + 1) == tale.events[at].at_ns);
			MUST(quire_story_step_at(story, at + 1) == tale.events[at].step);
			MUST(!memcmp(quire_story_events(story, at, &count), &tale.events[at],
				     sizeof(struct quire_event)));
			MUST(count && !quire_story_events(story, tale.events_count, &count));
			for (uint32_t k = 0; k < story->steps_count; k++)
				if (story->steps[k].begin_ns <= ns)
					found = k;
			MUST(quire_story_steps_ns(story, ns) == found);
		}
		end(story);
	}
}
END_TEST

static bool wanted(size_t i, uint32_t kinds, uint32_t seq, const struct quire_story *story)
{
	const struct quire_event *e = &tale.events[i];

	if (!(kinds >> e->kind & 1))
		return false;
	if (e->kind == QUIRE_EV_ARRIVE && seq)
		return story->tracks[seq].request == e->seq && !story->tracks[seq].sample;
	return !seq || e->seq == seq || (e->kind == QUIRE_EV_FORK && e->a == seq);
}

START_TEST(jumps_lead_to_the_next_of_a_kind)
{
	uint64_t none = 0, some = 0;

	for (uint64_t seed = 0; seed < 32; seed++) {
		struct quire_story *story = tell(seed * 3 + 1);
		struct quire_rng rng;

		quire_rng_seed(&rng, seed, "jumps");
		for (uint32_t i = 0; i < 300; i++) {
			uint64_t index = quire_rng_below(&rng, (uint32_t)tale.events_count + 1);
			uint32_t kinds = 1u << quire_rng_below(&rng, QUIRE_EV_COUNT), seq = 0;
			uint64_t on = UINT64_MAX, back = UINT64_MAX, marks = 0;
			enum quire_event_kind kind = quire_rng_below(&rng, QUIRE_EV_COUNT);

			kinds |= quire_rng_below(&rng, 3) ? 0 : 1u << kind;
			if (quire_rng_below(&rng, 2))
				seq = quire_rng_below(&rng, story->tracks_count);
			for (size_t k = index; k < tale.events_count && on == UINT64_MAX; k++)
				if (wanted(k, kinds, seq, story))
					on = k + 1;
			for (size_t k = index; k >= 2 && back == UINT64_MAX; k--)
				if (wanted(k - 2, kinds, seq, story))
					back = k - 1;
			if (quire_story_jump(story, index, kinds, seq, false) != on ||
			    quire_story_jump(story, index, kinds, seq, true) != back)
				WRONG("from %llu for %x of %u: %llu and %llu, expected %llu and "
				      "%llu",
				      (unsigned long long)index, kinds, seq,
				      (unsigned long long)quire_story_jump(story, index, kinds, seq,
									   false),
				      (unsigned long long)quire_story_jump(story, index, kinds, seq,
									   true),
				      (unsigned long long)on, (unsigned long long)back);
			none += on == UINT64_MAX;
			some += on != UINT64_MAX && seq;
			if (!(QUIRE_STORY_MARKS >> kind & 1))
				continue;
			for (size_t k = index / 2; k < index; k++)
				marks += tale.events[k].kind == kind;
			MUST(quire_story_marks_between(story, kind, index / 2, index) == marks);
		}
		MUST(quire_story_jump(story, 0, QUIRE_EV_ALL, story->tracks_count, false) ==
		     UINT64_MAX);
		end(story);
	}
	MUST(none > 100 && some > 100);
}
END_TEST

/* ---- tracks ---- */

static enum quire_span_kind kind_of(const struct retold_seq *s, const struct quire_event *run)
{
	if (s->kept)
		return QUIRE_SPAN_KEPT;
	if (!run)
		return QUIRE_SPAN_HELD;
	if (s->cached_tokens < s->cached_most)
		return QUIRE_SPAN_RECOMPUTE;
	if (s->cached_tokens < s->prompt_tokens)
		return QUIRE_SPAN_PROMPT;
	return run->b + 1 < run->c ? QUIRE_SPAN_RECOMPUTE : QUIRE_SPAN_DECODE;
}

/* The span that holds step @step; there is one, and no other. */
static const struct quire_span *span_of_step(const struct quire_track *track, uint32_t step)
{
	const struct quire_span *found = NULL;

	for (uint32_t i = 0; i < track->spans_count; i++) {
		const struct quire_span *s = &track->spans[i];

		if (s->from_step > step || (s->until_step && s->until_step <= step))
			continue;
		if (found)
			return NULL;
		found = s;
	}
	return found;
}

static void check_spans(const struct quire_story *story, uint32_t id)
{
	const struct quire_track *track = &story->tracks[id];
	uint64_t ns = track->born_ns;
	uint32_t step = 0;

	for (uint32_t i = 0; i < track->spans_count; i++) {
		const struct quire_span *s = &track->spans[i];
		bool last = i + 1 == track->spans_count;

		if (s->from_ns != ns || (step && s->from_step != step) ||
		    (!s->until_ns && !(last && !track->gone)) ||
		    (s->until_ns && (s->until_ns < s->from_ns || s->until_step < s->from_step)))
			WRONG("sequence %u: span %u is from %llu to %llu, steps %u to %u", id, i,
			      (unsigned long long)s->from_ns, (unsigned long long)s->until_ns,
			      s->from_step, s->until_step);
		if (i && s->kind == s[-1].kind && s->kind != QUIRE_SPAN_PROMPT)
			WRONG("sequence %u: spans %u and %u do the same", id, i - 1, i);
		ns = s->until_ns;
		step = s->until_step;
	}
	if (track->gone && track->spans_count && ns != track->gone_ns)
		WRONG("sequence %u: its spans end at %llu, it is gone at %llu", id,
		      (unsigned long long)ns, (unsigned long long)track->gone_ns);
}

START_TEST(tracks_tell_what_each_sequence_does)
{
	uint64_t seen[QUIRE_SPAN_COUNT] = {0};

	for (uint64_t seed = 0; seed < 64; seed++) {
		struct quire_story *story = tell(seed);
		uint64_t *tokens = calloc(4096, sizeof(*tokens));
		size_t *runs = calloc(4096, sizeof(*runs)); /* 1 + event, in this step */
		struct retold r;

		retold_begin(&r, &tale, 16);
		for (size_t i = 0; i < tale.events_count; i++) {
			const struct quire_event *e = &tale.events[i];

			retold_next(&r);
			if (e->kind == QUIRE_EV_RUN) {
				runs[e->seq] = i + 1;
				tokens[e->seq] += e->a;
			}
			if (e->kind != QUIRE_EV_STEP)
				continue;
			for (uint32_t id = 1; id <= r.count; id++) {
				const struct retold_seq *s = &r.seqs[id];
				const struct quire_track *track = &story->tracks[id];
				const struct quire_event *run =
					runs[id] ? &tale.events[runs[id] - 1] : NULL;
				const struct quire_span *a = quire_track_span(track, e->at_ns);
				const struct quire_span *b = span_of_step(track, e->step);

				runs[id] = 0;
				if (s->gone) {
					if (a || b)
						WRONG("sequence %u does something when it is gone",
						      id);
					continue;
				}
				if (!a || a != b)
					WRONG("step %u: sequence %u does two things", e->step, id);
				seen[a->kind]++;
				if (s->waiting && (a->kind == QUIRE_SPAN_WAITING ||
						   a->kind == QUIRE_SPAN_PREEMPTED))
					continue;
				if (a->kind != kind_of(s, run))
					WRONG("step %u: sequence %u does %u, expected %u", e->step,
					      id, a->kind, kind_of(s, run));
			}
		}
		MUST(story->tracks_count == r.count + 1);
		for (uint32_t id = 1; id <= r.count; id++) {
			const struct quire_track *track = &story->tracks[id];
			uint64_t sum = 0;

			check_spans(story, id);
			for (uint32_t i = 0; i < track->spans_count; i++)
				sum += track->spans[i].tokens;
			if (sum != tokens[id])
				WRONG("sequence %u ran %llu tokens, expected %llu", id,
				      (unsigned long long)sum, (unsigned long long)tokens[id]);
			MUST(track->request == r.seqs[id].request);
			MUST(track->prompt_tokens == r.seqs[id].prompt_tokens);
			MUST(tale.rc || track->gone);
			MUST(!quire_track_span(track, track->gone_ns) || !track->gone);
			MUST(!track->born_ns || !quire_track_span(track, track->born_ns - 1));
		}
		retold_free(&r);
		free(tokens);
		free(runs);
		end(story);
	}
	for (uint32_t k = 0; k < QUIRE_SPAN_COUNT; k++)
		ck_assert_msg(seen[k] > 100, "only %llu %s", (unsigned long long)seen[k],
			      quire_span_words[k]);
}
END_TEST

START_TEST(tracks_know_birth_end_and_every_token)
{
	for (uint64_t seed = 0; seed < 32; seed++) {
		struct quire_story *story = tell(seed * 3);
		uint32_t *told = calloc(4096, sizeof(*told)), born = 0;
		uint32_t *preempted = calloc(4096, sizeof(*preempted));

		for (size_t i = 0; i < tale.events_count; i++) {
			const struct quire_event *e = &tale.events[i];
			const struct quire_track *track = &story->tracks[e->seq];
			struct quire_token token;

			if (e->kind == QUIRE_EV_ARRIVE) {
				MUST(story->first_seq[e->seq] == ++born);
				track = &story->tracks[born];
				MUST(track->born == i && track->born_ns == e->at_ns);
				MUST(track->sample == 0 && !track->parent);
				MUST(track->output_tokens_max == e->b);
			} else if (e->kind == QUIRE_EV_FORK) {
				MUST(e->seq == ++born && track->parent == e->a);
				MUST(track->sample > 0 && track->told_first == e->c);
				MUST(tale.events[track->born].seq == e->seq);
				/* Its first tokens are its parent's. */
				for (uint32_t p = track->prompt_tokens; p < e->c; p++) {
					struct quire_token a = quire_story_token(story, e->seq, p);
					struct quire_token b = quire_story_token(story, e->a, p);

					if (!a.has_id || a.id != b.id || !a.output)
						WRONG("sequence %u has not its parent's token %u",
						      e->seq, p);
				}
			} else if (e->kind == QUIRE_EV_SAMPLE) {
				const struct quire_told *t = &track->told[told[e->seq]++];

				token = quire_story_token(story, e->seq, e->b - 1);
				MUST(t->token == e->a && t->step == e->step);
				MUST(token.output && token.has_id && token.id == e->a &&
				     !token.text);
				if (told[e->seq] == 1)
					MUST(track->first_token_ns == e->at_ns);
				MUST(!quire_story_token(story, e->seq, UINT32_MAX).has_id);
			} else if (e->kind == QUIRE_EV_FINISH) {
				MUST(track->end_tokens == e->a);
				MUST(e->b || (track->gone == i + 1 && track->gone_ns == e->at_ns));
			} else if (e->kind == QUIRE_EV_DROP) {
				MUST(track->gone == i + 1);
			} else if (e->kind == QUIRE_EV_REFUSE) {
				MUST(track->refused);
			} else if (e->kind == QUIRE_EV_PREEMPT) {
				preempted[e->seq]++;
			}
		}
		for (uint32_t id = 1; id < story->tracks_count; id++) {
			MUST(story->tracks[id].told_count == told[id]);
			MUST(story->tracks[id].preemptions == preempted[id]);
		}
		free(told);
		free(preempted);
		end(story);
	}
}
END_TEST

START_TEST(who_lives_at_some_time_is_found)
{
	for (uint64_t seed = 0; seed < 32; seed++) {
		struct quire_story *story = tell(seed);
		uint64_t last_ns = quire_story_end_ns(story);
		struct quire_rng rng;

		quire_rng_seed(&rng, seed, "times");
		for (uint32_t i = 0; i < 100; i++) {
			uint64_t from = quire_rng_below(&rng, (uint32_t)last_ns);
			uint64_t until = from + quire_rng_below(&rng, 300000000);
			uint32_t first, behind, eldest = 0;

			quire_story_tracks_between(story, from, until, &first, &behind);
			MUST(first >= 1 && first <= behind && behind <= story->tracks_count);
			for (uint32_t id = 1; id < story->tracks_count; id++) {
				const struct quire_track *t = &story->tracks[id];

				if (t->born_ns > until || (t->gone && t->gone_ns <= from))
					continue;
				if (!eldest)
					eldest = id;
				if (id < first || id >= behind)
					WRONG("sequence %u lives from %llu to %llu, and is not "
					      "found",
					      id, (unsigned long long)from,
					      (unsigned long long)until);
			}
			/* Few more. */
			MUST(!eldest || first + 64 > eldest);
			MUST(behind == story->tracks_count ||
			     story->tracks[behind].born_ns > until);
		}
		end(story);
	}
}
END_TEST

/* ---- names ---- */

START_TEST(a_name_is_found_again)
{
	static const char *const bad[] = {"",	    "r",       "x1",	    "r1x", "r1.",
					  "r99999", "r1.9999", "s0x",	    "-1",  "r-1",
					  "s99999", "1.2.3",   "4294967296"};

	for (uint64_t seed = 0; seed < 32; seed++) {
		struct quire_story *story = tell(seed * 7);
		char text[32], again[32];

		for (uint32_t id = 1; id < story->tracks_count; id++) {
			const struct quire_track *track = &story->tracks[id];

			MUST(quire_story_name(story, id, text) == text);
			if (quire_story_find(story, text) != id)
				WRONG("sequence %u is called %s, and that is %u", id, text,
				      quire_story_find(story, text));
			snprintf(again, sizeof(again), "%u.%u", track->request, track->sample);
			MUST(quire_story_find(story, again) == id);
			snprintf(again, sizeof(again), "s%u", id);
			MUST(quire_story_find(story, again) == id);
		}
		ck_assert_str_eq(quire_story_name(story, story->first_seq[3], text), "r3");
		ck_assert_str_eq(quire_story_name(story, 4000000, text), "s4000000");
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
			if (quire_story_find(story, bad[i]))
				WRONG("'%s' is sequence %u", bad[i],
				      quire_story_find(story, bad[i]));
		end(story);
	}
}
END_TEST

/* ---- words ---- */

static bool says(struct quire_token token, bool output, int64_t id, const char *text)
{
	if (token.output != output || token.has_id != (id >= 0) || (id >= 0 && token.id != id))
		return false;
	if (!text || !token.text)
		return !text && !token.text;
	return token.bytes == strlen(text) && !memcmp(token.text, text, token.bytes);
}

START_TEST(tokens_have_ids_and_words)
{
	static const uint32_t prompt[4] = {11, 12, 13, 14}, lies[1] = {99};
	static const struct quire_event events[] = {
		{0, 0, QUIRE_EV_ARRIVE, 1, 4, 10, 2}, {0, 1, QUIRE_EV_RUN, 1, 4, 0, 4},
		{0, 1, QUIRE_EV_STEP, 0, 1, 4, 0},    {9, 1, QUIRE_EV_DONE, 0, 1, 2, 1},
		{9, 1, QUIRE_EV_SAMPLE, 1, 50, 5, 0}, {9, 1, QUIRE_EV_FORK, 2, 1, 4, 5},
		{9, 1, QUIRE_EV_SAMPLE, 2, 60, 6, 0}, {9, 1, QUIRE_EV_SAMPLE, 1, 51, 6, 0},
	};
	struct quire_request requests[2] = {{.id = 0, .prompt_tokens = 4, .output_tokens_max = 9},
					    {.id = 1, .prompt_tokens = 4, .output_tokens_max = 9}};
	struct quire_recorder_config config = {
		.run = {.requests_count = 2,
			.slots_total = 32,
			.seqs_max = 4,
			.seq_tokens_max = 32},
		.config = "{}",
		.requests = requests,
		.alone = true,
	};
	struct quire_piece more = {
		.request = 1, .seq = 2, .first = 5, .count = 1, .text = "sixty", .bytes = 5};
	struct quire_recorder *rec;
	struct quire_story *story;

	MUST(quire_recorder_open(&rec, file) == 0);
	quire_recorder_begin(rec, &config);
	quire_recorder_text(rec, 1, 0, 0, 1, "The ", 4);
	quire_recorder_tokens(rec, 1, 0, 0, prompt, 4);
	quire_recorder_tokens(rec, 0, 0, 0, lies, 1);
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		quire_recorder_sink(rec)->emit(quire_recorder_sink(rec), &events[i]);
	quire_recorder_text(rec, 1, 1, 4, 2, "jumps over", 10);
	quire_recorder_text(rec, 1, 0, 2, 2, "fox", 3); /* both at once */
	quire_recorder_text(rec, 1, 0, 3, 0, "nothing", 7);
	MUST(quire_recorder_close(rec, NULL) == 0);
	story = open_at(file);

	MUST(says(quire_story_token(story, 1, 0), false, 11, "The "));
	MUST(says(quire_story_token(story, 1, 1), false, 12, NULL));
	MUST(says(quire_story_token(story, 1, 2), false, 13, "fox"));
	MUST(says(quire_story_token(story, 2, 3), false, 14, ""));
	MUST(says(quire_story_token(story, 1, 4), true, 50, "jumps over"));
	MUST(says(quire_story_token(story, 1, 5), true, 51, ""));
	MUST(says(quire_story_token(story, 1, 6), true, -1, NULL));
	MUST(says(quire_story_token(story, 2, 4), true, 50, "jumps over"));
	MUST(says(quire_story_token(story, 2, 5), true, 60, NULL));
	MUST(says(quire_story_token(story, 0, 0), false, -1, NULL));
	MUST(says(quire_story_token(story, 9, 0), false, -1, NULL));

	MUST(quire_story_add_piece(story, &more) == 0);
	MUST(says(quire_story_token(story, 2, 5), true, 60, "sixty"));
	MUST(says(quire_story_token(story, 1, 5), true, 51, ""));
	more = (struct quire_piece){
		.request = 1, .first = 1, .count = 1, .text = "quick", .bytes = 5, .ids = lies};
	MUST(quire_story_add_piece(story, &more) == 0);
	MUST(says(quire_story_token(story, 1, 1), false, 99, "quick"));
	quire_story_close(story);
}
END_TEST

/* ---- the same index, however it was made ---- */

static void check_same_story(const struct quire_story *a, const struct quire_story *b)
{
	ck_assert_str_eq(a->name, b->name);
	MUST(a->indexed == b->indexed && a->steps_count == b->steps_count);
	MUST(a->cell_slots == b->cell_slots && a->tracks_count == b->tracks_count);
	for (uint32_t i = 0; i < a->steps_count; i++)
		check_step(&a->steps[i], &b->steps[i], i + 1);
	for (uint32_t l = 0; l < QUIRE_SUMMARY_LEVELS; l++) {
		MUST(a->levels[l].count == b->levels[l].count);
		for (uint32_t i = 0; i < a->levels[l].count; i++)
			MUST(!memcmp(a->levels[l].nodes[i].sum, b->levels[l].nodes[i].sum,
				     sizeof(b->levels[l].nodes[i].sum)));
	}
	for (uint32_t k = 0; k < QUIRE_EV_COUNT; k++) {
		MUST(a->marks_count[k] == b->marks_count[k]);
		MUST(!a->marks_count[k] ||
		     !memcmp(a->marks[k], b->marks[k], a->marks_count[k] * sizeof(uint64_t)));
	}
	MUST(!memcmp(a->first_seq, b->first_seq, TALE_REQUESTS * sizeof(uint32_t)));
	for (uint32_t id = 1; id < a->tracks_count; id++) {
		const struct quire_track *x = &a->tracks[id], *y = &b->tracks[id];

		MUST(x->request == y->request && x->sample == y->sample && x->gone == y->gone &&
		     x->born == y->born && x->spans_count == y->spans_count &&
		     x->told_count == y->told_count);
		MUST(!x->spans_count ||
		     !memcmp(x->spans, y->spans, x->spans_count * sizeof(*x->spans)));
		MUST(!x->told_count || !memcmp(x->told, y->told, x->told_count * sizeof(*x->told)));
	}
}

START_TEST(the_index_is_the_same_however_it_is_made)
{
	for (uint64_t seed = 0; seed < 24; seed++) {
		struct quire_story *whole, *pieces, *live_story;
		struct quire_live *live;
		struct quire_rng rng;

		quire_rng_seed(&rng, seed, "pieces");
		tale_make(&tale, seed * 11);
		MUST(quire_live_new(&live, 0) == 0);
		tale_run(&tale, file, live);
		whole = open_at(file);
		MUST(quire_story_open(&pieces, file) == 0);
		pieces->keyframe_events = 333;
		while (pieces->indexed < pieces->events) {
			uint64_t more = quire_rng_below(&rng, 1000), before = pieces->indexed;

			MUST(quire_story_extend(pieces, more) == 0);
			MUST(pieces->indexed == before + more || pieces->indexed == pieces->events);
		}
		check_same_story(whole, pieces);
		MUST(quire_story_open_live(&live_story, live) == 0);
		MUST(quire_story_extend(live_story, UINT64_MAX) == 0);
		MUST(live_story->over && !live_story->trouble[0]);
		check_same_story(whole, live_story);
		quire_story_close(live_story);
		quire_live_free(live);
		quire_story_close(pieces);
		end(whole);
	}
}
END_TEST

/* ---- two stories ---- */

/* How far a request has got: 0 nowhere, 1 arrived, 2 ran, 2 + tokens; at its end 1e9. */
static uint32_t progress(const struct quire_event *events, uint64_t index, uint32_t request)
{
	uint32_t born = 0, seq = 0, far = 0;
	bool kept = false;

	for (uint64_t i = 0; i < index; i++) {
		const struct quire_event *e = &events[i];

		born += e->kind == QUIRE_EV_ARRIVE || e->kind == QUIRE_EV_FORK;
		if (e->kind == QUIRE_EV_ARRIVE && e->seq == request) {
			seq = born;
			far = 1;
		}
		if (!seq || e->seq != seq || e->kind == QUIRE_EV_ARRIVE)
			continue;
		if (e->kind == QUIRE_EV_RUN && far < 2)
			far = 2;
		if (e->kind == QUIRE_EV_SAMPLE)
			far = far < 3 ? 3 : far + 1;
		if (e->kind == QUIRE_EV_FINISH)
			kept = e->b;
		if ((e->kind == QUIRE_EV_FINISH && !kept) || e->kind == QUIRE_EV_DROP)
			far = 1000000000;
		if (e->kind == QUIRE_EV_REFUSE && far == 1)
			far = 1000000000;
	}
	return far;
}

START_TEST(two_stories_go_in_lock_step)
{
	static struct tale second;
	uint64_t equal = 0;

	for (uint64_t seed = 0; seed < 16; seed++) {
		struct quire_story *a, *b, *same;
		struct quire_rng rng;
		uint64_t x, y;

		/* The same requests in another server. */
		tale_make(&second, seed);
		snprintf(second.scheduler, sizeof(second.scheduler), "continuous,prefill=mixed");
		snprintf(second.allocator, sizeof(second.allocator), "paged,block=8");
		tale_run(&second, other, NULL);
		b = open_at(other);
		a = tell(seed);
		same = open_at(file);
		MUST(!quire_story_diverge(a, same, &x, &y));
		quire_rng_seed(&rng, seed, "follow");
		for (uint32_t i = 0; i < 100; i++) {
			uint64_t index = quire_rng_below(&rng, (uint32_t)a->events + 1), at;
			uint32_t request = quire_rng_below(&rng, TALE_REQUESTS), step, p, q;

			at = quire_story_follow(a, index, b, QUIRE_LOCK_TIME, 0);
			MUST(!index ? !at
				    : at == quire_story_index_ns(b, quire_story_ns(a, index)));
			step = quire_story_step_at(a, index);
			at = quire_story_follow(a, index, b, QUIRE_LOCK_STEP, 0);
			MUST(at >= (step ? quire_story_index_step(b, step - 1) : 0) &&
			     at <= quire_story_index_step(b, step));
			if (index == quire_story_index_step(a, step))
				MUST(at == quire_story_index_step(b, step));
			at = quire_story_follow(a, index, b, QUIRE_LOCK_REQUEST, request);
			p = progress(tale.events, index, request);
			q = progress(second.events, at, request);
			if (!p)
				MUST(at == quire_story_follow(a, index, b, QUIRE_LOCK_TIME, 0));
			else if (q != p && at < b->indexed && !(q == 1000000000 && p > 2))
				WRONG("event %llu: request %u is at %u, beside it at %u",
				      (unsigned long long)index, request, p, q);
			/* Not further than it must. */
			if (p && q == p && at && p < 1000000000)
				MUST(progress(second.events, at - 1, request) < p);
			equal += p == q;
			/* With itself it is where it is, but for what others do meanwhile. */
			at = quire_story_follow(a, index, same, QUIRE_LOCK_REQUEST, request);
			MUST(!p || progress(tale.events, at, request) == p);
		}
		quire_story_close(same);
		quire_story_close(b);
		tale_free(&second);
		end(a);
	}
	MUST(equal > 500);
}
END_TEST

START_TEST(the_first_decision_that_differs_is_found)
{
	static const bool decides[] = {
#define X(kind, decides_, a, b, c) decides_,
		QUIRE_EVENTS(X)
#undef X
	};

	for (uint64_t seed = 0; seed < 60; seed++) {
		struct quire_story *a = tell(seed), *b;
		struct quire_recorder_config config = {
			.run = tale.run, .config = "{}", .requests = tale.requests, .alone = true};
		struct quire_recorder *rec;
		struct quire_rng rng;
		uint64_t at, x, y;
		size_t cut = tale.events_count;

		quire_rng_seed(&rng, seed, "lies");
		at = quire_rng_below(&rng, (uint32_t)tale.events_count);
		while (!decides[tale.events[at].kind])
			at = at ? at - 1 : tale.events_count - 1;
		MUST(quire_recorder_open(&rec, other) == 0);
		quire_recorder_begin(rec, &config);
		if (seed % 3 == 0)
			cut = at;
		else if (seed % 3 == 1)
			tale.events[at].b++;
		for (size_t i = 0; i < cut; i++) {
			struct quire_event e = tale.events[i];

			e.at_ns += 5; /* times are no decisions */
			quire_recorder_sink(rec)->emit(quire_recorder_sink(rec), &e);
		}
		MUST(quire_recorder_close(rec, NULL) == 0);
		b = open_at(other);
		if (seed % 3 == 2) {
			MUST(!quire_story_diverge(a, b, &x, &y));
		} else {
			MUST(quire_story_diverge(a, b, &x, &y) && x == at + 1);
			MUST(y == (seed % 3 ? at + 1 : cut));
			MUST(quire_story_diverge(b, a, &y, &x) && x == at + 1);
		}
		quire_story_close(b);
		end(a);
	}
}
END_TEST

START_TEST(what_cannot_be_opened_says_why)
{
	struct quire_story *story = NULL;
	FILE *out;

	MUST(quire_story_open(&story, "/nowhere/x") == -ENOENT && !story);
	out = fopen(other, "w");
	fputs("hello", out);
	fclose(out);
	MUST(quire_story_open(&story, other) == -EINVAL && !story);
	MUST(strstr(quire_failure(), "no recording"));
	quire_story_close(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("story");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(file, sizeof(file), "%s/a", folder);
	snprintf(other, sizeof(other), "%s/b", folder);
	tcase_add_test(tc, steps_are_what_their_events_add_up_to);
	tcase_add_test(tc, latencies_are_those_of_the_report);
	tcase_add_test(tc, who_is_given_up_has_no_tpot);
	tcase_add_test(tc, moments_are_where_they_are);
	tcase_add_test(tc, jumps_lead_to_the_next_of_a_kind);
	tcase_add_test(tc, tracks_tell_what_each_sequence_does);
	tcase_add_test(tc, tracks_know_birth_end_and_every_token);
	tcase_add_test(tc, who_lives_at_some_time_is_found);
	tcase_add_test(tc, a_name_is_found_again);
	tcase_add_test(tc, tokens_have_ids_and_words);
	tcase_add_test(tc, the_index_is_the_same_however_it_is_made);
	tcase_add_test(tc, two_stories_go_in_lock_step);
	tcase_add_test(tc, the_first_decision_that_differs_is_found);
	tcase_add_test(tc, what_cannot_be_opened_says_why);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove(file);
	remove(other);
	rmdir(folder);
	return failed;
}
