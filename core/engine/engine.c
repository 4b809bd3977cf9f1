/*
 * engine.c - what the executors that run a model share: the clock, and their memory;
 * engine_batch.c makes batches of plans.
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

/* ---- the executor ---- */

static void engine_forget(struct quire_exec *ex, uint32_t first, uint32_t slots)
{
	struct engine *e = ex->priv;

	assert(first + slots <= e->config.slots_total);
	memset(e->forgotten + first, 1, slots);
	e->any_forgotten = true;
}

static int engine_step(struct quire_exec *ex, const struct quire_plan *plan,
		       struct quire_result *results)
{
	struct engine *e = ex->priv;
	uint64_t begin_ns = engine_real_ns();
	int rc = engine_run(e, plan, results);

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
