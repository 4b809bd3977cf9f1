/*
 * test_beams.c - beam search against the same search written down as a text book has
 * it, in worlds that are too small, under every scheduler and allocator.
 *
 * The model is a hash: the logprob of a token depends on all tokens before it, so that
 * a beam which went on with a stranger's history would say something else.  The executor
 * keeps histories as it is told by append(), by request and sample.
 */
#include "core/loop.h"
#include "tale.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOCAB	     24u
#define END	     0u /* the token that ends a text */
#define TOKENS_MAX   64u
#define TEXTS_MAX    400u
#define REQUESTS_MAX 12u
#define BEAMS_MAX    6u

struct text {
	uint32_t tokens[TOKENS_MAX]; /* [count] generated */
	uint32_t count;
	double sum; /* of logprobs */
	bool complete;
};

struct lm {
	struct quire_exec exec;
	uint64_t clock_ns;
	struct text *texts; /* [REQUESTS_MAX * TEXTS_MAX] by request, then sample */
	uint64_t forgotten; /* slots */
};

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0xff51afd7ed558ccdu;
	return h ^ h >> 29;
}

static void logprobs_of(uint64_t request, const struct text *text, double *logprobs)
{
	uint64_t h = mix(77, request);
	double sum = 0;

	for (uint32_t i = 0; i < text->count; i++)
		h = mix(h, text->tokens[i] + 1);
	for (uint32_t t = 0; t < VOCAB; t++) {
		logprobs[t] = 3.0 * (double)(mix(h, t + 100) >> 40) / (double)(1 << 24);
		if (t == END)
			logprobs[t] += 0.8; /* often among the best, and often just not */
		sum += exp(logprobs[t]);
	}
	for (uint32_t t = 0; t < VOCAB; t++) /* a float, as executors report it */
		logprobs[t] = (float)(logprobs[t] - log(sum));
}

static struct text *text_at(struct lm *lm, const struct quire_seq *seq)
{
	if (seq->sample >= TEXTS_MAX)
		ck_abort_msg("sample %u", seq->sample);
	return &lm->texts[seq->request->id * TEXTS_MAX + seq->sample];
}

static uint64_t lm_now_ns(struct quire_exec *ex)
{
	return ((struct lm *)ex->priv)->clock_ns;
}

static void lm_idle(struct quire_exec *ex, uint64_t until_ns)
{
	((struct lm *)ex->priv)->clock_ns = until_ns;
}

static int lm_step(struct quire_exec *ex, const struct quire_plan *plan,
		   struct quire_result *results)
{
	struct lm *lm = ex->priv;
	double logprobs[VOCAB];

	lm->clock_ns += 1000;
	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_item *item = &plan->items[i];
		struct text *text = text_at(lm, item->seq);
		bool taken[VOCAB] = {false};

		if (!item->candidates)
			continue;
		if (item->candidates != 2 * item->seq->request->beams)
			ck_abort_msg("%u candidates", item->candidates);
		if (item->seq->known_tokens != item->seq->request->prompt_tokens + text->count)
			ck_abort_msg("sequence %u knows %u tokens, and %u were appended",
				     item->seq->id, item->seq->known_tokens, text->count);
		logprobs_of(item->seq->request->id, text, logprobs);
		for (uint32_t k = 0; k < item->candidates; k++) {
			uint32_t best = VOCAB;

			for (uint32_t t = 0; t < VOCAB; t++)
				if (!taken[t] && (best == VOCAB || logprobs[t] > logprobs[best]))
					best = t;
			taken[best] = true;
			results[item->result + k] =
				(struct quire_result){best, (float)logprobs[best], best == END};
		}
	}
	return 0;
}

static bool lm_append(struct quire_exec *ex, const struct quire_seq *seq,
		      const struct quire_seq *parent, const struct quire_result *result)
{
	struct lm *lm = ex->priv;
	struct text *text = text_at(lm, seq);

	if (parent)
		*text = *text_at(lm, parent);
	if (text->count == TOKENS_MAX)
		ck_abort_msg("a text of more than %u tokens", TOKENS_MAX);
	text->tokens[text->count++] = result->token;
	text->sum += (double)result->logprob;
	text->complete = seq->sample >= seq->request->beams;
	return false;
}

static void lm_forget(struct quire_exec *ex, uint32_t first, uint32_t slots)
{
	(void)first;
	((struct lm *)ex->priv)->forgotten += slots;
}

static const struct quire_exec_ops lm_ops = {
	.name = "hash",
	.now_ns = lm_now_ns,
	.idle = lm_idle,
	.step = lm_step,
	.append = lm_append,
	.forget = lm_forget,
};

static double score_of(const struct text *text, double length_penalty)
{
	return text->sum / pow(text->count, length_penalty);
}

static int by_score(const void *a, const void *b)
{
	const struct text *x = a, *y = b;

	return x->sum < y->sum ? 1 : x->sum > y->sum ? -1 : 0;
}

/* The text book: lists of whole texts.  @out gets the @beams best. */
static void search(uint64_t request, uint32_t beams, uint32_t length_max, double penalty,
		   struct text *out)
{
	static struct text live[BEAMS_MAX], next[BEAMS_MAX * VOCAB], done[BEAMS_MAX + 1];
	uint32_t live_count = 1, done_count = 0, next_count;
	double logprobs[VOCAB];

	memset(live, 0, sizeof(live));
	for (;;) {
		next_count = 0;
		for (uint32_t i = 0; i < live_count; i++) {
			logprobs_of(request, &live[i], logprobs);
			for (uint32_t t = 0; t < VOCAB; t++) {
				struct text *n = &next[next_count++];

				*n = live[i];
				n->tokens[n->count++] = t;
				n->sum += logprobs[t];
			}
		}
		qsort(next, next_count, sizeof(*next), by_score);
		live_count = 0;
		for (uint32_t i = 0; i < 2 * beams && live_count < beams; i++) {
			bool end = next[i].tokens[next[i].count - 1] == END;
			bool last = next[i].count == length_max;

			if (end && i >= beams)
				continue;
			if (!end)
				live[live_count++] = next[i];
			if (!end && !last)
				continue;
			done[done_count++] = next[i];
			for (uint32_t k = done_count - 1; k; k--) {
				struct text swap = done[k];

				if (score_of(&done[k], penalty) <= score_of(&done[k - 1], penalty))
					break;
				done[k] = done[k - 1];
				done[k - 1] = swap;
			}
			if (done_count > beams)
				done_count = beams;
		}
		if (next[0].count == length_max)
			break;
		if (done_count == beams && score_of(&done[beams - 1], penalty) >=
						   next[0].sum / pow(next[0].count, penalty))
			break;
	}
	memcpy(out, done, beams * sizeof(*out));
}

static const char *const schedulers[] = {
	"static,batch=3",
	"continuous",
	"continuous,prefill=first",
	"splitfuse,budget=24",
};
static const char *const allocators[] = {
	"paged,block=1",
	"paged,block=4",
	"paged,block=4,cow=0",
	"contiguous,reserve=cap,place=first,block=4",
	"contiguous,reserve=max,place=best,block=1",
};

static int compare_scores(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Of what the run completed, the best must be what the text book finds. */
static void check_request(struct lm *lm, const struct quire_request *q, double penalty,
			  const char *what)
{
	static struct text expected[BEAMS_MAX];
	double scores[TEXTS_MAX];
	uint32_t count = 0;

	search(q->id, q->beams, q->output_tokens_max, penalty, expected);
	for (uint32_t s = 0; s < TEXTS_MAX; s++) {
		const struct text *t = &lm->texts[q->id * TEXTS_MAX + s];

		if (t->complete)
			scores[count++] = score_of(t, penalty);
	}
	if (count < q->beams)
		ck_abort_msg("%s: request %u has %u texts", what, (unsigned)q->id, count);
	qsort(scores, count, sizeof(*scores), compare_scores);
	for (uint32_t i = 0; i < q->beams; i++) {
		double score = score_of(&expected[i], penalty);
		bool found = false;

		if (fabs(scores[i] - score) > 1e-6 * fabs(score))
			ck_abort_msg("%s: request %u, text %u scores %.9g, expected %.9g", what,
				     (unsigned)q->id, i, scores[i], score);
		for (uint32_t s = 0; s < TEXTS_MAX && !found; s++) {
			const struct text *t = &lm->texts[q->id * TEXTS_MAX + s];

			found = t->complete && t->count == expected[i].count &&
				!memcmp(t->tokens, expected[i].tokens,
					t->count * sizeof(*t->tokens));
		}
		if (!found)
			ck_abort_msg("%s: request %u, text %u is another one", what,
				     (unsigned)q->id, i);
	}
}

static struct quire_metrics sums;

static void one_world(const char *scheduler, const char *allocator, uint32_t slots, double penalty)
{
	struct quire_request requests[REQUESTS_MAX];
	struct lm lm = {.texts = calloc(REQUESTS_MAX * TEXTS_MAX, sizeof(struct text))};
	struct quire_loop_config config = {
		.scheduler = scheduler,
		.allocator = allocator,
		.slots_total = slots,
		.seqs_max = 10,
		.seq_tokens_max = 40,
		.audit = true,
		.requests = requests,
		.requests_count = REQUESTS_MAX,
		.exec = {.ops = &lm_ops, .priv = &lm},
		.length_penalty = penalty,
	};
	struct quire_loop *loop;
	const struct quire_metrics *m;
	char what[200];

	snprintf(what, sizeof(what), "%s, %s, %u slots, penalty %g", scheduler, allocator, slots,
		 penalty);
	for (uint32_t i = 0; i < REQUESTS_MAX; i++)
		requests[i] = (struct quire_request){
			.id = i,
			.arrival_ns = 2500u * (i / 3),
			.prompt_tokens = 3 + 5 * i % 14,
			.output_tokens_max = 1 + 7 * i % 20,
			.samples = 1,
			.beams = 2 + i % (BEAMS_MAX - 1),
		};
	loop = quire_loop_new(&config);
	ck_assert_msg(loop != NULL, "%s", quire_failure());
	if (quire_loop_run(loop))
		ck_abort_msg("%s: %s", what, quire_failure());
	m = quire_loop_metrics(loop);
	if (m->finished != REQUESTS_MAX)
		ck_abort_msg("%s: %u finished", what, m->finished);
	for (uint32_t i = 0; i < REQUESTS_MAX; i++)
		check_request(&lm, &requests[i], penalty, what);
	ck_assert_uint_gt(lm.forgotten, 0);
	sums.forks += m->forks;
	sums.preemptions += m->preemptions;
	sums.copies += m->copies;
	quire_loop_free(loop);
	free(lm.texts);
}

START_TEST(finds_what_the_text_book_finds)
{
	static const uint32_t slots[] = {40, 64, 128, 1000};
	static const double penalties[] = {1.0, 0.0, 2.0};

	for (uint32_t i = 0; i < sizeof(slots) / sizeof(*slots); i++)
		for (uint32_t k = 0; k < 3; k++)
			one_world(schedulers[_i % 4], allocators[_i / 4], slots[i], penalties[k]);
	/* Otherwise the small worlds were too large. */
	ck_assert_uint_gt(sums.forks, 500);
	ck_assert_uint_gt(sums.preemptions, 0);
}
END_TEST

START_TEST(sharing_copies_on_write)
{
	memset(&sums, 0, sizeof(sums));
	one_world("continuous", "paged,block=4", 1000, 1.0);
	ck_assert_uint_gt(sums.copies, 0);
	ck_assert_uint_eq(sums.preemptions, 0);
}
END_TEST

/* A request that can never have room is refused, with all its beams. */
START_TEST(refused_with_its_sisters)
{
	struct quire_request request = {
		.prompt_tokens = 18, .output_tokens_max = 21, .samples = 1, .beams = 3};
	struct lm lm = {.texts = calloc(TEXTS_MAX, sizeof(struct text))};
	struct quire_loop_config config = {
		.scheduler = schedulers[_i],
		.allocator = "paged,block=4",
		.slots_total = 20,
		.seqs_max = 10,
		.seq_tokens_max = 40,
		.audit = true,
		.requests = &request,
		.requests_count = 1,
		.exec = {.ops = &lm_ops, .priv = &lm},
		.length_penalty = -3, /* the longer the better: it does not end early */
	};
	struct quire_loop *loop = quire_loop_new(&config);

	ck_assert_ptr_nonnull(loop);
	ck_assert_msg(quire_loop_run(loop) == 0, "%s", quire_failure());
	ck_assert_uint_eq(quire_loop_metrics(loop)->refused, 1);
	quire_loop_free(loop);
	free(lm.texts);
}
END_TEST

/*
 * Beside other requests: in a batch whose rows are all finished, or wait for a sister that
 * waits for a seat of the next batch, the sister comes first.  (The world is tale.c's.)
 */
START_TEST(no_batch_pads_for_a_sister)
{
	static struct tale t; /* big */
	uint64_t parked = 0;

	for (uint64_t seed = 0; seed < 400; seed += 4) { /* static, under all allocators */
		tale_make(&t, seed);
		t.config.audit = true;
		tale_run(&t, NULL, NULL);
		if (t.rc)
			ck_abort_msg("seed %llu, %s x %s: %s", (unsigned long long)seed,
				     t.scheduler, t.allocator, quire_failure());
		for (size_t i = 1; i < t.events_count; i++)
			parked += t.events[i].kind == QUIRE_EV_PREEMPT &&
				  t.events[i - 1].kind == QUIRE_EV_DONE;
		tale_free(&t);
	}
	ck_assert_uint_gt(parked, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("beams");
	TCase *cases = tcase_create("beams");
	SRunner *runner;
	int failed;

	tcase_set_timeout(cases, 120);
	tcase_add_loop_test(cases, finds_what_the_text_book_finds, 0, 20);
	tcase_add_test(cases, sharing_copies_on_write);
	tcase_add_loop_test(cases, refused_with_its_sisters, 0, 4);
	tcase_add_test(cases, no_batch_pads_for_a_sister);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
