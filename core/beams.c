/*
 * beams.c - beam search: the likeliest texts, several kept alive side by side.
 *
 * A request with beams > 1 is that many sequences after its first step.  Each asks for
 * its 2 * beams best next tokens and then waits, with nothing to do, until its sisters
 * have theirs.  Then all take a step together, as in Hugging Face's BeamSearchScorer:
 * of all (row, token) pairs the 2 * beams with the largest sum of logprobs are looked
 * at, best first; a pair that ends the text is a complete text if it is among the first
 * `beams`, the next `beams` that do not end are the new rows.  A row that several new
 * ones come from is forked, and a row that none comes from is dropped: copy-on-write
 * does the rest.  It is over when `beams` texts are complete and no row can become
 * better than the worst of them, or when the rows are as long as allowed.
 *
 *	score of a complete text = sum of logprobs / generated tokens ^ length_penalty
 *
 * Schedulers know nothing of it: they see forks, finishes, and rows without anything to
 * do.  Where nothing is planned, or padding alone, because such rows hold the memory or the
 * seats that a sister needs, the core takes their slots and parks them: for the scheduler
 * they are gone, and are handed to it again, waiting, when the sisters have caught up.
 */
#include "state.h"

#include <errno.h>
#include <math.h>
#include <quire/queue.h>
#include <stdlib.h>
#include <string.h>

/* The rows of one request; row i is the sequence with sample i. */
struct beams {
	struct beams *next_free;
	struct core_seq **row;		 /* [width] NULL: gone */
	double *score;			 /* [width] sum of logprobs */
	struct quire_result *candidates; /* [width][2 width] of ready rows */
	double *finished;		 /* [width] scores of the best complete texts, falling */
	struct pick *picks;		 /* [2 width] scratch of a step */
	uint32_t width;
	uint32_t living, ready;	 /* rows */
	uint32_t finished_count; /* <= width */
	uint32_t texts;		 /* complete ones so far, for their numbers */
};

/* A row and its next token. */
struct pick {
	double score;
	uint32_t row;
	const struct quire_result *result;
};

static size_t round16(size_t bytes)
{
	return (bytes + 15) & ~(size_t)15;
}

int beams_init(struct quire_loop *loop)
{
	const size_t width = loop->beams_max;

	if (!loop->beams_limit)
		return 0;
	loop->beams_bytes = round16(sizeof(struct beams)) +
			    round16(width * sizeof(struct core_seq *)) +
			    2 * round16(width * sizeof(double)) +
			    round16(2 * width * width * sizeof(struct quire_result)) +
			    round16(2 * width * sizeof(struct pick));
	loop->beams = calloc(loop->beams_limit, loop->beams_bytes);
	if (!loop->beams)
		return quire_fail(-ENOMEM, "out of memory for the beams of %u requests",
				  loop->beams_limit);
	return 0;
}

void beams_exit(struct quire_loop *loop)
{
	free(loop->beams);
}

/* The next @bytes of a record. */
static void *carve(char **at, size_t bytes)
{
	void *piece = *at;

	*at += round16(bytes);
	return piece;
}

struct beams *beams_new(struct quire_loop *loop, struct core_seq *cs)
{
	const size_t width = cs->seq.request->beams;
	struct beams *b = loop->beams_free;
	char *at;

	if (b)
		loop->beams_free = b->next_free;
	else
		b = (struct beams *)(void *)(loop->beams + loop->beams_used++ * loop->beams_bytes);
	memset(b, 0, loop->beams_bytes);
	at = (char *)b;
	carve(&at, sizeof(*b));
	b->row = carve(&at, width * sizeof(struct core_seq *));
	b->score = carve(&at, width * sizeof(double));
	b->finished = carve(&at, width * sizeof(double));
	b->candidates = carve(&at, 2 * width * width * sizeof(struct quire_result));
	b->picks = carve(&at, 2 * width * sizeof(struct pick));
	b->width = (uint32_t)width;
	b->living = 1;
	b->row[0] = cs;
	return b;
}

void beams_leave(struct quire_loop *loop, struct core_seq *cs)
{
	struct beams *b = cs->beams;

	cs->beams = NULL;
	if (cs->seq.sample >= b->width || b->row[cs->seq.sample] != cs)
		return; /* a complete text, or a row that is not in yet */
	b->row[cs->seq.sample] = NULL;
	b->living--;
	b->ready -= cs->ready;
	if (b->living)
		return;
	b->next_free = loop->beams_free;
	loop->beams_free = b;
}

void beams_refuse(struct quire_loop *loop, const struct core_seq *cs, enum quire_refusal why)
{
	const struct beams *b = cs->beams;

	for (uint32_t i = 0; i < b->width; i++) {
		if (!b->row[i] || b->row[i] == cs || b->row[i]->refusal || b->row[i]->kept)
			continue;
		b->row[i]->refusal = (uint8_t)why;
		loop->dooms++;
	}
}

/* The 2 width best pairs, best first; of equals, the earlier row's.  Return: how many. */
static uint32_t pick_best(const struct beams *b)
{
	const uint32_t limit = 2 * b->width;
	uint32_t count = 0, at;

	for (uint32_t i = 0; i < b->width; i++) {
		for (uint32_t k = 0; b->row[i] && k < limit; k++) {
			const struct quire_result *result = &b->candidates[i * limit + k];
			const double score = b->score[i] + (double)result->logprob;

			if (count == limit && !(score > b->picks[count - 1].score))
				continue;
			at = count < limit ? count++ : limit - 1;
			for (; at && score > b->picks[at - 1].score; at--)
				b->picks[at] = b->picks[at - 1];
			b->picks[at] = (struct pick){score, i, result};
		}
	}
	return count;
}

/* A pair that completes a text: keep it if it is among the best. */
static void complete(struct quire_loop *loop, struct beams *b, const struct pick *pick,
		     uint32_t tokens)
{
	const double score = pick->score / pow(tokens, loop->config.length_penalty);
	struct core_seq *cs;
	uint32_t at;
	bool end;

	if (b->finished_count == b->width && !(score > b->finished[b->width - 1]))
		return;
	at = b->finished_count < b->width ? b->finished_count++ : b->width - 1;
	for (; at && score > b->finished[at - 1]; at--)
		b->finished[at] = b->finished[at - 1];
	b->finished[at] = score;
	cs = fork_seq(loop, b->row[pick->row], b->width + b->texts++, pick->result, false, &end);
	seq_stillborn(loop, cs);
}

/* A row that nothing continues. */
static void drop(struct quire_loop *loop, struct core_seq *cs)
{
	pool_release(loop, cs);
	seq_done(loop, cs);
}

/* A new row beside @pick's, which goes on by itself. */
static void branch(struct quire_loop *loop, struct beams *b, const struct pick *pick)
{
	uint32_t at = 0;
	struct core_seq *cs;
	bool end;

	while (b->row[at])
		at++;
	cs = fork_seq(loop, b->row[pick->row], at, pick->result, true, &end);
	b->row[at] = cs;
	b->score[at] = pick->score;
	b->living++;
	loop->sched_ops.enqueue(&loop->sched, &cs->seq);
}

/* @pick's row goes on. */
static void go_on(struct quire_loop *loop, struct beams *b, const struct pick *pick)
{
	struct core_seq *cs = b->row[pick->row];

	b->score[pick->row] = pick->score;
	b->ready--;
	cs->ready = false;
	token_add(loop, cs, NULL, pick->result);
	if (!cs->parked)
		return;
	cs->parked = false;
	memset(cs->seq.sched, 0, loop->sched_ops.seq_size);
	loop->sched_ops.enqueue(&loop->sched, &cs->seq);
}

/* All rows have their candidates. */
static void step(struct quire_loop *loop, struct beams *b)
{
	const struct core_seq *any = NULL;
	struct pick *picks = b->picks;
	uint32_t found = pick_best(b), next = 0, tokens;
	double best = found ? picks[0].score : -INFINITY;
	bool over;

	for (uint32_t i = 0; !any; i++)
		any = b->row[i];
	tokens = any->seq.known_tokens + 1 - any->seq.request->prompt_tokens;
	over = any->seq.known_tokens + 1 >= any->cap_tokens;
	for (uint32_t i = 0; i < found && next < b->width; i++) {
		if (!picks[i].result->end)
			picks[next++] = picks[i];
		else if (i < b->width)
			complete(loop, b, &picks[i], tokens);
	}
	for (uint32_t i = 0; over && i < next; i++)
		complete(loop, b, &picks[i], tokens);
	if (b->finished_count == b->width &&
	    b->finished[b->width - 1] >= best / pow(tokens, loop->config.length_penalty))
		over = true;
	/* Which rows go on?  Those that do not, give their slots to the others. */
	for (uint32_t i = 0; i < b->width; i++) {
		bool goes_on = false;

		for (uint32_t k = 0; k < next && !over; k++)
			goes_on |= picks[k].row == i;
		if (b->row[i] && !goes_on)
			drop(loop, b->row[i]); /* the last one takes @b with it */
	}
	if (over)
		return;
	for (uint32_t k = 0; k < next; k++) {
		bool first = true;

		for (uint32_t i = 0; i < k; i++)
			first &= picks[i].row != picks[k].row;
		if (!first)
			branch(loop, b, &picks[k]);
	}
	/* Forks first: they begin with what their parents knew before this token. */
	for (uint32_t k = 0; k < next; k++)
		if (b->row[picks[k].row]->ready)
			go_on(loop, b, &picks[k]);
}

void beams_take(struct quire_loop *loop, struct core_seq *cs, const struct quire_result *results)
{
	struct beams *b = cs->beams;

	memcpy(&b->candidates[2 * b->width * cs->seq.sample], results,
	       2 * b->width * sizeof(*results));
	cs->ready = true;
	if (++b->ready == b->living)
		step(loop, b);
}

bool beams_park(struct quire_loop *loop)
{
	struct core_seq *cs = loop->youngest;

	while (cs && !(cs->beams && cs->ready && !cs->parked && cs->map_slots))
		cs = cs->elder;
	if (!cs)
		return false;
	decide(loop, QUIRE_EV_PREEMPT, cs->seq.id, cs->seq.cached_tokens, 0, 0);
	pool_release(loop, cs);
	cs->seq.cached_tokens = 0;
	cs->seq.state = QUIRE_WAITING;
	cs->seq.preemptions++;
	cs->outcome->preemptions++;
	loop->metrics.preemptions++;
	seq_withdraw(loop, cs);
	cs->parked = true;
	return true;
}
