/*
 * engine_batch.c - how a plan becomes batches of rows, for any backend; see backend.h.
 *
 * Items are laid one behind the other into a batch, which is run when it is full, and at
 * the end: an item may begin in one batch and end in the next.
 */
#include "backend.h"

#include <errno.h>
#include <string.h>

/* ---- one batch ---- */

static void batch_clear(struct engine *e)
{
	e->batch = (struct engine_batch){
		.tokens = e->tokens, .pieces = e->pieces, .wanted = e->wanted};
}

/* Run the batch as far as it is filled, sample what is wanted, and begin another one. */
static int batch_run(struct engine *e, struct quire_result *results)
{
	const struct engine_batch *batch = &e->batch;
	uint32_t vocab = e->config.checkpoint->model.vocab;
	int rc;

	if (!batch->rows)
		return 0;
	rc = e->ops->forward(e, batch);
	if (rc == 0 && e->ops->choose && batch->wanted_count)
		rc = e->ops->choose(e, (const struct quire_item *const *)e->items,
				    batch->wanted_count, results);
	for (uint32_t i = 0; rc == 0 && !e->ops->choose && i < batch->wanted_count;) {
		uint32_t count = batch->wanted_count - i;
		float *logits;

		if (count > e->ops->logits_rows_max)
			count = e->ops->logits_rows_max;
		logits = e->ops->logits(e, i, count);
		if (!logits)
			return -EIO;
		if (e->ops->sample)
			rc = e->ops->sample(e, &e->items[i], count, logits, results);
		else
			for (uint32_t k = 0; rc == 0 && k < count; k++)
				rc = quire_streams_sample(e->config.streams, e->items[i + k],
							  logits + (size_t)k * vocab,
							  &results[e->items[i + k]->result]);
		i += count;
	}
	e->stats.rows += batch->rows;
	batch_clear(e);
	return rc;
}

/* Append a piece to the batch, cut to what has room.  Return: its rows; tokens follow. */
static uint32_t batch_add(struct engine *e, const struct quire_map *map, uint32_t position,
			  uint32_t rows, bool written)
{
	struct engine_batch *batch = &e->batch;

	if (rows > e->batch_rows_max - batch->rows)
		rows = e->batch_rows_max - batch->rows;
	e->pieces[batch->pieces_count++] = (struct engine_piece){
		.map = *map,
		.row = batch->rows,
		.rows = rows,
		.first_position = position,
		.written = written,
	};
	batch->rows += rows;
	return rows;
}

static int check_token(const struct engine *e, const struct quire_seq *seq, uint32_t index,
		       uint32_t token)
{
	const struct quire_model *model = &e->config.checkpoint->model;

	if (token < model->vocab)
		return 0;
	return quire_fail(-EIO, "token %u of request %llu is number %u, of the %u that %s has",
			  index, (unsigned long long)seq->request->id, token, model->vocab,
			  model->name);
}

/* All rows of one item: its own tokens, and what makes it as long as the others. */
static int item_run(struct engine *e, const struct quire_plan *plan, const struct quire_item *item,
		    struct quire_result *results)
{
	const struct quire_seq *seq = item->seq;
	bool kept = seq->state == QUIRE_FINISHED;
	uint32_t end = seq->cached_tokens + (kept ? 0 : item->tokens);
	uint32_t padding = kept ? item->tokens : 0;
	struct quire_map map;

	if (plan->pad_tokens > item->tokens)
		padding += plan->pad_tokens - item->tokens;
	quire_plan_map(plan, seq, &map);
	for (uint32_t at = seq->cached_tokens, rows; at < end; at += rows) {
		int rc = 0;

		if (e->batch.rows == e->batch_rows_max)
			rc = batch_run(e, results);
		if (rc)
			return rc;
		rows = batch_add(e, &map, at, end - at, true);
		for (uint32_t i = 0; rc == 0 && i < rows; i++) {
			uint32_t token = quire_stream_token(e->config.streams, seq, at + i);

			rc = check_token(e, seq, at + i, token);
			e->tokens[e->batch.rows - rows + i] = token;
		}
		if (rc)
			return rc;
	}
	if (item->candidates) {
		e->items[e->batch.wanted_count] = item;
		e->wanted[e->batch.wanted_count++] = e->batch.rows - 1;
	}
	for (uint32_t rows; padding && end; padding -= rows) {
		uint32_t token = quire_stream_token(e->config.streams, seq, end - 1);
		int rc = check_token(e, seq, end - 1, token);

		if (rc == 0 && e->batch.rows == e->batch_rows_max)
			rc = batch_run(e, results);
		if (rc)
			return rc;
		rows = batch_add(e, &map, end - 1, padding, false);
		for (uint32_t i = 0; i < rows; i++)
			e->tokens[e->batch.rows - rows + i] = token;
	}
	return 0;
}

/*
 * Fill what was forgotten with NaN, but for what the plan still copies from, and what its
 * sequences have cached: a map that grew in place was forgotten, and shown again.
 */
static int poison(struct engine *e, const struct quire_plan *plan)
{
	uint32_t slots_total = e->config.slots_total;
	int rc = 0;

	if (!e->any_forgotten)
		return 0;
	for (uint32_t i = 0; i < plan->copies.count; i++)
		memset(e->forgotten + plan->copies.at[i].from, 0, plan->copies.at[i].slots);
	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_seq *seq = plan->items[i].seq;
		struct quire_map map;

		quire_plan_map(plan, seq, &map);
		for (uint32_t at = 0; at < seq->cached_tokens; at++)
			e->forgotten[map.first[at / map.block_slots] + at % map.block_slots] = 0;
	}
	for (uint32_t at = 0, end; rc == 0 && at < slots_total; at = end) {
		for (end = at + 1; end < slots_total && e->forgotten[end] == e->forgotten[at];)
			end++;
		if (e->forgotten[at])
			rc = e->ops->poison(e, at, end - at);
	}
	memset(e->forgotten, 0, slots_total);
	e->any_forgotten = false;
	return rc;
}

int engine_run(struct engine *e, const struct quire_plan *plan, struct quire_result *results)
{
	int rc = quire_streams_check(e->config.streams);

	if (rc == 0)
		rc = poison(e, plan);
	batch_clear(e);
	for (uint32_t i = 0; rc == 0 && i < plan->copies.count; i++)
		rc = e->ops->copy(e, &plan->copies.at[i]);
	for (uint32_t i = 0; rc == 0 && i < plan->items_count; i++) {
		rc = item_run(e, plan, &plan->items[i], results);
		e->stats.tokens += plan->items[i].tokens;
	}
	if (rc == 0)
		rc = batch_run(e, results);
	return rc == 0 && e->ops->finish ? e->ops->finish(e) : rc;
}

/* ---- without a plan ---- */

int quire_engine_logits(struct quire_exec *exec, const uint32_t *tokens, uint32_t count,
			float *logits)
{
	struct engine *e = exec->priv;
	uint32_t vocab = e->config.checkpoint->model.vocab;
	uint32_t zero = 0;
	struct quire_map map = {.first = &zero, .blocks = 1, .block_slots = count};

	if (count > e->config.slots_total || count > e->config.seq_tokens_max)
		return quire_fail(-E2BIG,
				  "%u tokens, in a pool of %u slots and up to %u a sequence", count,
				  e->config.slots_total, e->config.seq_tokens_max);
	for (uint32_t i = 0; i < count; i++)
		if (tokens[i] >= vocab)
			return quire_fail(-EIO, "token %u is number %u, of %u", i, tokens[i],
					  vocab);
	for (uint32_t at = 0, rows; at < count; at += rows) {
		int rc;

		batch_clear(e);
		rows = batch_add(e, &map, at, count - at, true);
		memcpy(e->tokens, tokens + at, rows * sizeof(*tokens));
		for (uint32_t i = 0; i < rows; i++)
			e->wanted[i] = i;
		e->batch.wanted_count = rows;
		rc = e->ops->forward(e, &e->batch);
		if (rc)
			return rc;
		for (uint32_t i = 0, some; i < rows; i += some) {
			const float *from;

			some = rows - i < e->ops->logits_rows_max ? rows - i
								  : e->ops->logits_rows_max;
			from = e->ops->logits(e, i, some);
			if (!from)
				return -EIO;
			memcpy(logits + (size_t)(at + i) * vocab, from,
			       (size_t)some * vocab * sizeof(*from));
		}
	}
	return 0;
}
