/*
 * bench_run.c - see bench_run.h.
 */
#define _XOPEN_SOURCE 700 /* SA_RESETHAND */

#include "bench_run.h"

#include "cli.h"
#include "core/trace/rng.h"
#include "units.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define LONG_NS	    60000000000u /* a workload that arrives for longer is told */
#define WARM_TOKENS 64u		 /* run before the clock starts: one after the other, and at once */

static volatile sig_atomic_t stopped;
static struct quire_exec *volatile running; /* whose sleep a signal ends */

static void stop(int signal_number)
{
	struct quire_exec *exec = running;

	(void)signal_number;
	stopped = 1;
	if (exec)
		quire_engine_wake(exec);
}

void quire_bench_catch(void)
{
	struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

const volatile sig_atomic_t *quire_bench_stop(void)
{
	return &stopped;
}

bool quire_bench_stopped(void)
{
	return stopped;
}

void quire_bench_foretell(const struct quire_bench *bench, const struct quire_workload *w,
			  uint32_t model_len)
{
	const uint64_t last_ns = w->count ? w->requests[w->count - 1].arrival_ns : 0;
	uint32_t refused = 0;

	for (uint32_t i = 0; i < w->count; i++)
		refused += w->requests[i].prompt_tokens >= model_len;
	if (last_ns > LONG_NS && !w->closed_users)
		fprintf(stderr,
			"quire bench: requests arrive for %s, and time is real; --requests or "
			"--duration take the first of them\n",
			quire_text_seconds((double)last_ns / 1e9).s);
	if (refused && refused < w->count) /* of all, the last line tells */
		fprintf(stderr,
			"quire bench: %s of %s requests will be refused: prompts of %u tokens and "
			"more leave %s no room for an answer\n",
			quire_text_count(refused).s, quire_text_count(w->count).s, model_len,
			bench->loaded.checkpoint.model.name);
}

int quire_bench_slots(const struct quire_bench *bench, const struct quire_workload *w,
		      const struct quire_settings *c, uint32_t *slots)
{
	const uint64_t model_len =
		c->max_model_len ? c->max_model_len : bench->loaded.checkpoint.model.positions_max;
	uint64_t useful = 0, longest = 0;

	/* Everything at once, each answer in its own blocks, with some room to round. */
	for (uint32_t i = 0; i < w->count; i++) {
		const struct quire_request *q = &w->requests[i];
		const uint64_t width = q->beams > 1 ? q->beams : q->samples;
		uint64_t tokens = (uint64_t)q->prompt_tokens + w->output_tokens[i];

		tokens = tokens < model_len ? tokens : model_len;
		longest = tokens > longest ? tokens : longest;
		useful += width * (tokens + 256);
	}
	if (useful > (longest + 256) * c->max_num_seqs)
		useful = (longest + 256) * c->max_num_seqs;
	return quire_loaded_slots(&bench->loaded, &bench->args, useful, slots);
}

/* Prompts that are random, and parameters that are greedy. */
static int make_requests(struct quire_bench *b, const struct quire_workload *w, uint64_t seed)
{
	const uint32_t vocab = b->loaded.checkpoint.model.vocab;
	uint64_t tokens = 0;
	uint32_t *at;
	struct quire_rng rng;

	for (uint32_t i = 0; i < w->count; i++)
		tokens += w->requests[i].prompt_tokens;
	b->prompts = malloc((tokens + 1) * sizeof(*b->prompts));
	b->requests = calloc(w->count + 1u, sizeof(*b->requests));
	if (!b->prompts || !b->requests)
		return quire_fail(-ENOMEM, "no memory for prompts of %llu tokens",
				  (unsigned long long)tokens);
	quire_rng_seed(&rng, seed, "prompts");
	for (uint64_t i = 0; i < tokens; i++)
		b->prompts[i] = quire_rng_below(&rng, vocab);
	at = b->prompts;
	for (uint32_t i = 0; i < w->count; i++) {
		b->requests[i].prompt = at;
		quire_sampling_init(&b->requests[i].sampling);
		if (w->requests[i].samples > 1) {
			b->requests[i].sampling.temperature = 1;
			b->requests[i].sampling.seed = seed;
		}
		at += w->requests[i].prompt_tokens;
	}
	return 0;
}

static int warm_up(struct quire_bench *b, const struct quire_loop_config *config)
{
	const uint32_t vocab = b->loaded.checkpoint.model.vocab;
	const uint32_t tokens[WARM_TOKENS] = {0};
	uint32_t count = b->loaded.kind == QUIRE_EXEC_CUDA ? WARM_TOKENS : 4;
	float *logits;
	int rc;

	count = count < config->slots_total ? count : 1;
	count = count < config->seq_tokens_max ? count : 1;
	logits = malloc((size_t)count * vocab * sizeof(*logits));
	if (!logits)
		return quire_fail(-ENOMEM, "no memory for logits");
	rc = quire_engine_logits(&b->loaded.exec, tokens, 1, logits);
	if (rc == 0)
		rc = quire_engine_logits(&b->loaded.exec, tokens, count, logits);
	free(logits);
	return rc;
}

int quire_bench_begin(struct quire_bench *b, const struct quire_workload *w,
		      struct quire_loop_config *config, uint64_t seed)
{
	const struct quire_checkpoint *checkpoint = &b->loaded.checkpoint;
	struct quire_streams_config streams;
	int rc = make_requests(b, w, seed);

	streams = (struct quire_streams_config){
		.requests = b->requests,
		.requests_count = w->count,
		.vocab = checkpoint->model.vocab,
		.ignore_ends = true,
		.output_tokens = w->output_tokens,
	};
	config->length_penalty = 1;
	if (rc == 0)
		rc = quire_streams_new(&b->streams, &streams);
	quire_progress("starting the engine");
	if (rc == 0)
		rc = quire_loaded_start(&b->loaded, &b->args, config, b->streams);
	if (rc == 0)
		rc = warm_up(b, config);
	quire_progress("%s", "");
	if (rc) {
		quire_bench_end(b);
		return rc;
	}
	running = &b->loaded.exec;
	return 0;
}

void quire_bench_go(struct quire_bench *b)
{
	quire_engine_start(&b->loaded.exec);
}

void quire_bench_end(struct quire_bench *b)
{
	running = NULL;
	if (b->loaded.started) {
		quire_engine_stats(&b->loaded.exec, &b->stats);
		quire_engine_free(&b->loaded.exec);
	}
	b->loaded.started = false;
	quire_streams_free(b->streams);
	free(b->requests);
	free(b->prompts);
	b->streams = NULL;
	b->requests = NULL;
	b->prompts = NULL;
}

void quire_bench_tell(const struct quire_bench *b, FILE *out)
{
	const struct quire_engine_stats *s = &b->stats;
	const double bytes = (double)s->weight_bytes_read + (double)s->kv_bytes_read;

	if (!(s->busy_s > 0))
		return;
	fprintf(out,
		"quire bench: the engine ran %s steps of %.3g tokens in %.3g s, and read weights "
		"at %s/s and "
		"K and V at %s/s: %s/s\n",
		quire_text_count(s->steps).s, s->steps ? (double)s->tokens / (double)s->steps : 0.0,
		s->busy_s, quire_text_si((double)s->weight_bytes_read / s->busy_s, 3, "B").s,
		quire_text_si((double)s->kv_bytes_read / s->busy_s, 3, "B").s,
		quire_text_si(bytes / s->busy_s, 3, "B").s);
	if (s->replayed + s->launched)
		fprintf(out,
			"quire bench: %.1f %% of its batches were replayed from a graph; the host "
			"took %s a "
			"step\n",
			100 * (double)s->replayed / (double)(s->replayed + s->launched),
			quire_text_seconds((s->busy_s - s->waited_s) / (double)s->steps).s);
}
