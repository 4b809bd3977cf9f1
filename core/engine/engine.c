/*
 * engine.c - what the executors that run a model share: the clock, and how a plan
 * becomes batches of rows (backend.h).
 */
#include "engine.h"

#include "backend.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000u /* of ns */

/* ---- the clock ---- */

uint64_t engine_real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t engine_now_ns(struct quire_exec *ex)
{
	const struct engine *e = ex->priv;

	return engine_real_ns() - e->start_ns + e->skipped_ns;
}

/*
 * poll() is woken by wake() but counts in milliseconds; what is left is slept through,
 * so that a wake-up comes at most one too late.
 */
static void engine_idle(struct quire_exec *ex, uint64_t until_ns)
{
	struct engine *e = ex->priv;
	struct pollfd woken = {.fd = e->wake[0], .events = POLLIN};
	uint64_t now_ns;
	char bytes[16];

	while ((now_ns = engine_now_ns(ex)) < until_ns) {
		uint64_t left_ns = until_ns - now_ns;
		int left_ms = left_ns / MS > 60000 ? 60000 : (int)(left_ns / MS);

		if (e->config.quiet_clock) {
			e->skipped_ns += left_ns;
			return;
		}
		if (poll(&woken, 1, left_ms) > 0) {
			while (read(e->wake[0], bytes, sizeof(bytes)) > 0)
				;
			return;
		}
		if (left_ms == 0) {
			struct timespec rest = {.tv_nsec = (long)left_ns};

			nanosleep(&rest, NULL);
		}
	}
}

void quire_engine_start(struct quire_exec *exec)
{
	struct engine *e = exec->priv;

	e->start_ns = engine_real_ns();
	e->skipped_ns = 0;
}

void quire_engine_wake(struct quire_exec *exec)
{
	const struct engine *e = exec->priv;
	int saved = errno;
	ssize_t written = write(e->wake[1], "", 1); /* a full pipe wakes as well */

	(void)written;
	errno = saved;
}

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

/* ---- slots that nobody uses, with poison ---- */

static void engine_forget(struct quire_exec *ex, uint32_t first, uint32_t slots)
{
	struct engine *e = ex->priv;

	assert(first + slots <= e->config.slots_total);
	memset(e->forgotten + first, 1, slots);
	e->any_forgotten = true;
}

/*
 * Fill them with NaN, but for what the plan still copies from, and for what its
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

/* ---- the executor ---- */

static int engine_step(struct quire_exec *ex, const struct quire_plan *plan,
		       struct quire_result *results)
{
	struct engine *e = ex->priv;
	uint64_t begin_ns = engine_real_ns();
	int rc = poison(e, plan);

	batch_clear(e);
	for (uint32_t i = 0; rc == 0 && i < plan->copies.count; i++)
		rc = e->ops->copy(e, &plan->copies.at[i]);
	for (uint32_t i = 0; rc == 0 && i < plan->items_count; i++) {
		rc = item_run(e, plan, &plan->items[i], results);
		e->stats.tokens += plan->items[i].tokens;
	}
	if (rc == 0)
		rc = batch_run(e, results);
	e->stats.steps++;
	e->stats.busy_s += (double)(engine_real_ns() - begin_ns) / 1e9;
	return rc;
}

static bool engine_append(struct quire_exec *ex, const struct quire_seq *seq,
			  const struct quire_seq *parent, const struct quire_result *result)
{
	struct engine *e = ex->priv;

	return quire_streams_append(e->config.streams, seq, parent, result);
}

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

static int open_engine(struct quire_exec *exec, struct engine *e)
{
	const struct quire_engine_config *config = &e->config;
	uint32_t rows;
	int rc;

	e->batch_rows_max = rows =
		e->ops->batch_rows_max ? e->ops->batch_rows_max : config->step_tokens_max;
	e->tokens = calloc(rows, sizeof(*e->tokens));
	e->pieces = calloc(rows, sizeof(*e->pieces));
	e->wanted = calloc(rows, sizeof(*e->wanted));
	e->items = calloc(rows, sizeof(*e->items));
	if (config->poison)
		e->forgotten = malloc(config->slots_total);
	if (!e->tokens || !e->pieces || !e->wanted || !e->items ||
	    (config->poison && !e->forgotten))
		return quire_fail(-ENOMEM, "no memory for a step of %u rows", rows);
	if (pipe(e->wake))
		return quire_fail(-errno, "cannot make a pipe: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		fcntl(e->wake[i], F_SETFL, O_NONBLOCK);
		fcntl(e->wake[i], F_SETFD, FD_CLOEXEC);
	}
	e->stats.kv_bytes = (uint64_t)config->slots_total *
			    quire_engine_slot_bytes(config->checkpoint, config->kv_type);
	rc = e->ops->open(e);
	if (rc)
		return rc;
	e->exec = (struct quire_exec_ops){
		.name = e->ops->name,
		.summary = e->ops->summary,
		.now_ns = engine_now_ns,
		.idle = engine_idle,
		.step = engine_step,
		.append = engine_append,
		.forget = config->poison ? engine_forget : NULL,
	};
	exec->ops = &e->exec;
	exec->priv = e;
	if (config->poison)
		engine_forget(exec, 0, config->slots_total);
	quire_engine_start(exec);
	return 0;
}

static int engine_new(struct quire_exec *exec, const struct quire_engine_config *config,
		      const struct engine_ops *ops)
{
	struct engine *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return quire_fail(-ENOMEM, "no memory for an executor");
	e->ops = ops;
	e->config = *config;
	e->wake[0] = e->wake[1] = -1;
	rc = open_engine(exec, e);
	if (rc)
		quire_engine_free(&(struct quire_exec){.priv = e});
	return rc;
}

int quire_engine_cpu(struct quire_exec *exec, const struct quire_engine_config *config)
{
	return engine_new(exec, config, &engine_cpu);
}

int quire_engine_cuda(struct quire_exec *exec, const struct quire_engine_config *config)
{
#ifdef QUIRE_HAVE_CUDA
	return engine_new(exec, config, &engine_cuda);
#else
	(void)exec;
	(void)config;
	return quire_fail(-ENOTSUP, "--exec cuda: this quire was built without CUDA; --exec cpu "
				    "runs everywhere");
#endif
}

#ifndef QUIRE_HAVE_CUDA
int quire_cuda_memory(uint64_t *free_bytes, uint64_t *total_bytes)
{
	*free_bytes = *total_bytes = 0;
	return quire_fail(-ENOTSUP, "this quire was built without CUDA");
}

const char *quire_cuda_name(void)
{
	return "";
}
#endif

void quire_engine_free(struct quire_exec *exec)
{
	struct engine *e = exec->priv;

	if (!e)
		return;
	e->ops->close(e);
	for (int i = 0; i < 2; i++)
		if (e->wake[i] >= 0)
			close(e->wake[i]);
	free(e->tokens);
	free(e->pieces);
	free(e->wanted);
	free(e->items);
	free(e->forgotten);
	free(e);
	exec->ops = NULL;
	exec->priv = NULL;
}

void quire_engine_stats(const struct quire_exec *exec, struct quire_engine_stats *stats)
{
	const struct engine *e = exec->priv;

	*stats = e->stats;
}

uint64_t quire_engine_slot_bytes(const struct quire_checkpoint *checkpoint,
				 enum quire_weight_type kv_type)
{
	return quire_model_kv_bytes(&checkpoint->model, 8 * quire_weight_type_bytes(kv_type));
}
