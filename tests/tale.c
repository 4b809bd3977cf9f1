/*
 * tale.c - see tale.h.
 */
#include "tale.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t tale_now(struct quire_exec *ex)
{
	return ((struct tale *)ex->priv)->clock_ns;
}

static void tale_idle(struct quire_exec *ex, uint64_t until_ns)
{
	struct tale *t = ex->priv;

	if (until_ns > t->clock_ns)
		t->clock_ns = until_ns;
}

static int tale_step(struct quire_exec *ex, const struct quire_plan *plan,
		     struct quire_result *results)
{
	struct tale *t = ex->priv;

	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_item *item = &plan->items[i];
		const struct quire_request *request = item->seq->request;
		uint32_t output = t->output_tokens[request->id];
		uint32_t generated = item->seq->known_tokens - request->prompt_tokens + 1;
		float logprob = 0;

		for (uint32_t k = 0; k < item->candidates; k++) {
			bool end = generated >= output + (t->uneven ? item->seq->sample + k : 0);

			if (request->beams > 1)
				end = quire_rng_below(&t->rng, 8) == 0;
			logprob -= (float)quire_rng_unit(&t->rng);
			results[item->result + k] = (struct quire_result){
				.token = quire_rng_below(&t->rng, 50000),
				.logprob = logprob,
				.end = end,
			};
		}
	}
	t->clock_ns += 5000000 + (uint64_t)plan->tokens_count * 30000;
	return 0;
}

static const struct quire_exec_ops tale_ops = {
	.name = "tale",
	.summary = "tokens cost time",
	.now_ns = tale_now,
	.idle = tale_idle,
	.step = tale_step,
};

static void tale_emit(struct quire_sink *sink, const struct quire_event *e)
{
	struct tale *t = (struct tale *)(void *)((char *)sink - offsetof(struct tale, sink));

	if (t->events_count == t->events_limit) {
		t->events_limit = t->events_limit ? 2 * t->events_limit : 4096;
		t->events = realloc(t->events, t->events_limit * sizeof(*t->events));
		if (!t->events)
			abort();
	}
	t->events[t->events_count++] = *e;
	for (uint32_t i = 0; i < 2; i++)
		if (t->to[i])
			t->to[i]->emit(t->to[i], e);
}

/* Among pools too small to be comfortable; now and then requests that cannot be served. */
void tale_make(struct tale *t, uint64_t seed)
{
	static const char *const schedulers[] = {"static,batch=5", "continuous,prefill=mixed",
						 "continuous,prefill=first", "splitfuse"};
	static const char *const allocators[] = {
		"contiguous,reserve=max,place=buddy,block=16",
		"contiguous,reserve=cap,place=buddy,block=4",
		"contiguous,reserve=pow2,place=first,block=16",
		"contiguous,reserve=oracle,place=best,block=16",
		"paged,block=4,watermark=0.01,cow=1",
		"paged,block=16,watermark=0.01,cow=1",
		"paged,block=16,watermark=0.01,cow=0",
		"paged,block=1,watermark=0.01,cow=1",
	};
	struct quire_rng *r = &t->rng;

	memset(t, 0, sizeof(*t));
	t->seed = seed;
	t->sink = (struct quire_sink){QUIRE_EV_ALL, tale_emit};
	quire_rng_seed(r, seed, "tale");
	/* All pairs in turn. */
	snprintf(t->scheduler, sizeof(t->scheduler), "%s", schedulers[seed % 4]);
	snprintf(t->allocator, sizeof(t->allocator), "%s", allocators[seed / 4 % 8]);
	snprintf(t->config_json, sizeof(t->config_json),
		 "{\"scheduler\": \"%s\", \"allocator\": \"%s\"}", t->scheduler, t->allocator);
	t->ends_known = quire_rng_below(r, 4) != 0;
	t->uneven = quire_rng_below(r, 3) == 0;
	t->config = (struct quire_loop_config){
		.scheduler = t->scheduler,
		.allocator = t->allocator,
		.slots_total = 300 + quire_rng_below(r, 400),
		.seqs_max = 5 + quire_rng_below(r, 12),
		.seq_tokens_max = 128,
		.step_tokens_max = 64 + quire_rng_below(r, 200),
		.requests = t->requests,
		.output_tokens = t->output_tokens,
		.requests_count = TALE_REQUESTS,
		.closed_users = quire_rng_below(r, 4) ? 0 : 6,
		.window_until_ns = UINT64_MAX,
		.exec = {.ops = &tale_ops, .priv = t},
		.length_penalty = 1,
		.sink = &t->sink,
	};
	for (uint32_t i = 0; i < TALE_REQUESTS; i++) {
		struct quire_request *q = &t->requests[i];
		uint32_t several = quire_rng_below(r, 5);

		*q = (struct quire_request){
			.id = i,
			.arrival_ns = (uint64_t)i * 20000000 + quire_rng_below(r, 10000000),
			.prompt_tokens = 1 + quire_rng_below(r, quire_rng_below(r, 10) ? 70 : 140),
			.output_tokens_max = 1 + quire_rng_below(r, 60),
			.samples = several == 0 ? 2 + quire_rng_below(r, 4) : 1,
			.beams = several == 1 ? 2 + quire_rng_below(r, 3) : 0,
		};
		t->output_tokens[i] = 1 + quire_rng_below(r, q->output_tokens_max);
	}
	t->run = (struct quire_record_run){
		.requests_count = TALE_REQUESTS,
		.slots_total = t->config.slots_total,
		.seqs_max = t->config.seqs_max,
		.seq_tokens_max = t->config.seq_tokens_max,
		.closed_users = t->config.closed_users,
		.window_until_ns = UINT64_MAX,
		.kv_bytes_per_token = 1024,
	};
}

static void begin_live(const struct tale *t, struct quire_live *live)
{
	struct quire_record_request table[TALE_REQUESTS];

	for (uint32_t i = 0; i < TALE_REQUESTS; i++)
		table[i] = (struct quire_record_request){
			.arrival_ns = t->requests[i].arrival_ns,
			.prompt_tokens = t->requests[i].prompt_tokens,
			.output_tokens_max = t->requests[i].output_tokens_max,
			.output_tokens = t->ends_known ? t->output_tokens[i] : 0,
			.samples = t->requests[i].samples,
			.beams = t->requests[i].beams,
		};
	MUST(quire_live_begin(live, &t->run, table, t->config_json) == 0);
}

void tale_run(struct tale *t, const char *path, struct quire_live *live)
{
	struct quire_recorder_config recorder = {
		.run = t->run,
		.config = t->config_json,
		.requests = t->requests,
		.output_tokens = t->ends_known ? t->output_tokens : NULL,
		.chunk_events = 1 + quire_rng_below(&t->rng, 200),
		.keyframe_events = 1 + quire_rng_below(&t->rng, 500),
		.alone = true,
	};
	struct quire_recorder *rec = NULL;
	struct quire_loop *loop;

	if (path) {
		ck_assert_msg(quire_recorder_open(&rec, path) == 0, "%s", quire_failure());
		quire_recorder_begin(rec, &recorder);
		t->to[0] = quire_recorder_sink(rec);
	}
	if (live) {
		begin_live(t, live);
		t->to[1] = quire_live_sink(live);
	}
	loop = quire_loop_new(&t->config);
	ck_assert_msg(loop, "seed %llu: %s", (unsigned long long)t->seed, quire_failure());
	t->rc = quire_loop_run(loop);
	ck_assert_msg(t->rc == 0 || t->rc == -ECANCELED, "seed %llu, %s x %s: %s",
		      (unsigned long long)t->seed, t->scheduler, t->allocator, quire_failure());
	t->metrics = *quire_loop_metrics(loop);
	memcpy(t->outcomes, t->metrics.outcomes, t->config.requests_count * sizeof(*t->outcomes));
	t->metrics.outcomes = NULL;
	quire_loop_free(loop);
	MUST(quire_recorder_close(rec, path ? "{}" : NULL) == 0);
	if (live)
		quire_live_end(live, NULL);
}

void tale_free(struct tale *t)
{
	free(t->events);
	t->events = NULL;
	t->events_count = t->events_limit = 0;
}

/* ---- retold ---- */

void retold_begin(struct retold *r, const struct tale *t, uint32_t cell_slots)
{
	memset(r, 0, sizeof(*r));
	r->tale = t;
	r->cell_slots = cell_slots;
	r->cells_count = (t->run.slots_total + cell_slots - 1) / cell_slots;
	r->limit = 4096;
	r->seqs = calloc(r->limit, sizeof(*r->seqs));
	r->shown = calloc(r->cells_count, sizeof(*r->shown));
	r->given_step = calloc(r->cells_count, sizeof(*r->given_step));
}

void retold_free(struct retold *r)
{
	for (uint32_t id = 0; id < r->limit; id++)
		free(r->seqs[id].first);
	free(r->seqs);
	free(r->shown);
	free(r->given_step);
}

static struct retold_seq *retold_seq(struct retold *r, uint32_t id)
{
	if (id >= r->limit)
		ck_abort_msg("sequence %u is too many", id);
	if (!r->seqs[id].first)
		r->seqs[id].first = calloc(RETOLD_BLOCKS, sizeof(uint32_t));
	if (id > r->count) {
		r->count = id;
		r->seqs[id].waiting = true;
		r->seqs[id].born_step = r->step;
	}
	return &r->seqs[id];
}

static void see_cells(struct retold *r)
{
	bool *now = calloc(r->cells_count, sizeof(*now));

	for (uint32_t id = 1; id <= r->count; id++) {
		const struct retold_seq *s = &r->seqs[id];

		for (uint32_t i = 0; i < s->blocks * s->block_slots; i++)
			now[(s->first[i / s->block_slots] + i % s->block_slots) / r->cell_slots] =
				true;
	}
	for (uint32_t cell = 0; cell < r->cells_count; cell++)
		if (now[cell] != r->shown[cell])
			r->given_step[cell] = r->step;
	memcpy(r->shown, now, r->cells_count * sizeof(*now));
	free(now);
}

void retold_next(struct retold *r)
{
	const struct quire_event *e = &r->tale->events[r->index++];
	struct retold_seq *s = NULL;
	bool maps = false;

	r->step = e->step;
	if (e->kind == QUIRE_EV_ARRIVE)
		s = retold_seq(r, r->count + 1);
	else if (e->seq)
		s = retold_seq(r, e->seq);
	switch (e->kind) {
	case QUIRE_EV_ARRIVE:
		s->request = e->seq;
		s->known_request = true;
		s->prompt_tokens = s->known_tokens = e->a;
		break;
	case QUIRE_EV_FORK:
		s->request = r->seqs[e->a].request;
		s->known_request = true;
		s->prompt_tokens = r->seqs[e->a].prompt_tokens;
		s->cached_tokens = s->cached_most = e->b;
		s->known_tokens = e->c;
		s->waiting = !s->blocks;
		break;
	case QUIRE_EV_MAP:
		if (e->a >= RETOLD_BLOCKS)
			ck_abort_msg("a map of %u blocks", e->a);
		s->first[e->a] = e->b;
		s->block_slots = e->c;
		s->blocks = e->a + 1 > s->blocks ? e->a + 1 : s->blocks;
		maps = true;
		break;
	case QUIRE_EV_RUN:
		s->run_tokens = e->a;
		s->waiting = false;
		break;
	case QUIRE_EV_DONE:
		for (uint32_t id = 1; id <= r->count; id++) {
			if (!r->seqs[id].kept)
				r->seqs[id].cached_tokens += r->seqs[id].run_tokens;
			r->seqs[id].run_tokens = 0;
			if (r->seqs[id].cached_tokens > r->seqs[id].cached_most)
				r->seqs[id].cached_most = r->seqs[id].cached_tokens;
		}
		break;
	case QUIRE_EV_SAMPLE:
		s->known_tokens = e->b;
		break;
	case QUIRE_EV_PREEMPT:
		s->cached_tokens = 0;
		s->waiting = true;
		s->blocks = 0;
		maps = true;
		break;
	case QUIRE_EV_UNMAP:
		s->blocks = 0;
		maps = true;
		break;
	case QUIRE_EV_FINISH:
		s->kept = e->b;
		s->gone = !s->kept;
		break;
	case QUIRE_EV_DROP:
		s->gone = true;
		break;
	case QUIRE_EV_REFUSE:
		s->gone = s->born_step == r->step;
		break;
	default:
		break;
	}
	if (s && s->gone && s->blocks) {
		s->blocks = 0;
		maps = true;
	}
	if (maps)
		see_cells(r);
}

/* Where it truly ends, as far as the recording tells. */
static uint32_t end_of(const struct tale *t, const struct retold_seq *s)
{
	const struct quire_request *q = &t->requests[s->request];
	uint32_t end = q->prompt_tokens + t->output_tokens[s->request];

	if (!t->ends_known || !s->known_request)
		return UINT32_MAX;
	return end < t->run.seq_tokens_max ? end : t->run.seq_tokens_max;
}

void retold_cells(const struct retold *r, struct quire_cell *cells)
{
	uint32_t total = r->tale->run.slots_total, cell_slots = r->cell_slots;
	uint32_t *owner = calloc(total, sizeof(*owner)), *token = calloc(total, sizeof(*token));

	memset(cells, 0, r->cells_count * sizeof(*cells));
	for (uint32_t cell = 0; cell < r->cells_count; cell++)
		cells[cell].given_step = r->given_step[cell];
	/* The living before the dead, each by age: who comes first has the slot. */
	for (int dead = 0; dead < 2; dead++) {
		for (uint32_t id = 1; id <= r->count; id++) {
			const struct retold_seq *s = &r->seqs[id];
			uint32_t last = UINT32_MAX;

			if (s->kept != (bool)dead)
				continue;
			for (uint32_t i = 0; i < s->blocks * s->block_slots; i++) {
				uint32_t slot = s->first[i / s->block_slots] + i % s->block_slots;
				struct quire_cell *c = &cells[slot / cell_slots];

				if (c->owner == id && i < c->position)
					ck_abort_msg("a map goes back");
				if (!c->owner) {
					c->owner = id;
					c->position = i;
				}
				if (slot / cell_slots != last)
					c->refs++;
				last = slot / cell_slots;
				if (owner[slot])
					continue;
				owner[slot] = id;
				token[slot] = i;
			}
		}
	}
	for (uint32_t slot = 0; slot < total; slot++) {
		const struct retold_seq *s = &r->seqs[owner[slot]];
		struct quire_cell *c = &cells[slot / cell_slots];
		uint32_t live = s->cached_tokens + s->run_tokens;

		if (!owner[slot])
			continue;
		c->mapped++;
		c->live = (uint16_t)(c->live + (!s->kept && token[slot] < live));
		c->reserved = (uint16_t)(c->reserved + (!s->kept && token[slot] >= live &&
							token[slot] < end_of(r->tale, s)));
	}
	free(owner);
	free(token);
}
