/*
 * world.c - see world.h.
 */
#include "world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grown(void *at, size_t *limit, size_t size)
{
	*limit = *limit ? 2 * *limit : 256;
	at = realloc(at, *limit * size);
	if (!at)
		abort();
	return at;
}

static void __attribute__((format(printf, 2, 3))) wrong(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->wrong[0])
		return;
	va_start(args, format);
	vsnprintf(w->wrong, sizeof(w->wrong), format, args);
	va_end(args);
}

static uint64_t world_now_ns(struct quire_exec *ex)
{
	return ((struct world *)ex->priv)->clock_ns;
}

static void world_idle(struct quire_exec *ex, uint64_t until_ns)
{
	struct world *w = ex->priv;

	w->idles++;
	if (until_ns <= w->clock_ns)
		wrong(w, "idle() until %llu at %llu", (unsigned long long)until_ns,
		      (unsigned long long)w->clock_ns);
	else
		w->clock_ns = until_ns;
}

uint32_t world_output(const struct world *w, const struct quire_request *request, uint32_t sample)
{
	uint32_t output = w->output_tokens[request->id];

	if (w->uneven)
		output += sample;
	if (output > request->output_tokens_max)
		output = request->output_tokens_max;
	if (output > w->config.seq_tokens_max - request->prompt_tokens)
		output = w->config.seq_tokens_max - request->prompt_tokens;
	return output;
}

/* The equations of plan.h, and what an executor may take for granted. */
static void check_plan(struct world *w, const struct quire_plan *plan)
{
	uint64_t tokens = 0, results = 0;
	uint32_t longest = 0;

	if (!plan->items_count || plan->items_count > plan->items_limit ||
	    plan->items_count > w->config.seqs_max)
		wrong(w, "step %llu has %u items", (unsigned long long)plan->step,
		      plan->items_count);
	if (plan->tokens_count > plan->tokens_limit ||
	    (w->config.step_tokens_max && plan->tokens_limit > w->config.step_tokens_max))
		wrong(w, "step %llu runs %u tokens of %u", (unsigned long long)plan->step,
		      plan->tokens_count, plan->tokens_limit);
	if (plan->now_ns != w->clock_ns)
		wrong(w, "step %llu thinks it is %llu", (unsigned long long)plan->step,
		      (unsigned long long)plan->now_ns);
	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_item *item = &plan->items[i];
		const struct quire_seq *seq = item->seq;

		tokens += item->tokens;
		longest = item->tokens > longest ? item->tokens : longest;
		for (uint32_t k = 0; k < i; k++)
			if (plan->items[k].seq == seq)
				wrong(w, "sequence %u is planned twice", seq->id);
		if (!item->tokens || seq->state == QUIRE_WAITING)
			wrong(w, "sequence %u: %u tokens, state %d", seq->id, item->tokens,
			      seq->state);
		if (seq->state == QUIRE_FINISHED) {
			if (item->tokens != 1 || item->candidates)
				wrong(w, "a kept row runs %u tokens", item->tokens);
			continue;
		}
		if (item->tokens > seq->known_tokens - seq->cached_tokens)
			wrong(w, "sequence %u runs %u of %u tokens", seq->id, item->tokens,
			      seq->known_tokens - seq->cached_tokens);
		if ((item->tokens == seq->known_tokens - seq->cached_tokens) != !!item->candidates)
			wrong(w, "sequence %u wants %u candidates", seq->id, item->candidates);
		if (item->candidates && item->result != results)
			wrong(w, "results of sequence %u overlap", seq->id);
		results += item->candidates;
	}
	if (results != plan->results_count)
		wrong(w, "%u results, and items want %llu", plan->results_count,
		      (unsigned long long)results);
	if (plan->pad_slots && plan->pad_tokens != longest)
		wrong(w, "padded to %u, the longest row has %u", plan->pad_tokens, longest);
	if (plan->tokens_count !=
	    (plan->pad_slots ? (uint64_t)longest * plan->items_count : tokens))
		wrong(w, "step %llu is charged %u tokens, its items are %llu",
		      (unsigned long long)plan->step, plan->tokens_count,
		      (unsigned long long)tokens);
}

static void note_step(struct world *w, const struct quire_plan *plan)
{
	struct world_step *step;

	if (w->steps_count == w->steps_limit)
		w->steps = grown(w->steps, &w->steps_limit, sizeof(*w->steps));
	step = &w->steps[w->steps_count++];
	*step = (struct world_step){
		.begin_ns = w->clock_ns,
		.items = plan->items_count,
		.tokens = plan->tokens_count,
		.pad_tokens = plan->pad_tokens,
		.pad_slots = plan->pad_slots,
		.copies = plan->copies.count,
		.results = plan->results_count,
	};
	for (uint32_t i = 0; i < plan->items_count && i < 8; i++) {
		step->item_tokens[i] = plan->items[i].tokens;
		step->item_seq[i] = plan->items[i].seq->id;
	}
}

static int world_step(struct quire_exec *ex, const struct quire_plan *plan,
		      struct quire_result *results)
{
	struct world *w = ex->priv;

	check_plan(w, plan);
	if (!w->quiet)
		note_step(w, plan);
	if (w->at_step)
		w->at_step(w, plan);
	if (w->fail_at_step && plan->step >= w->fail_at_step)
		return quire_fail(-EIO, "the device has caught fire");
	for (uint32_t i = 0; i < plan->items_count; i++) {
		const struct quire_item *item = &plan->items[i];
		const struct quire_seq *seq = item->seq;
		uint32_t generated = seq->known_tokens - seq->request->prompt_tokens + 1;

		for (uint32_t k = 0; k < item->candidates; k++)
			results[item->result + k] = (struct quire_result){
				.token = seq->id * 1000 + generated,
				.end = generated >= world_output(w, seq->request, seq->sample + k),
			};
	}
	w->clock_ns += WORLD_STEP_NS + (uint64_t)WORLD_TOKEN_NS * plan->tokens_count;
	return 0;
}

static const struct quire_exec_ops world_exec = {
	.name = "world",
	.summary = "a virtual clock",
	.now_ns = world_now_ns,
	.idle = world_idle,
	.step = world_step,
};

static void note_event(struct quire_sink *sink, const struct quire_event *event)
{
	struct world *w = (struct world *)(void *)((char *)sink - offsetof(struct world, sink));

	if (w->events_count == w->events_limit)
		w->events = grown(w->events, &w->events_limit, sizeof(*w->events));
	w->events[w->events_count++] = *event;
}

void world_init(struct world *w, const char *scheduler, const char *allocator)
{
	memset(w, 0, sizeof(*w));
	w->sink = (struct quire_sink){QUIRE_EV_ALL, note_event};
	w->config = (struct quire_loop_config){
		.scheduler = scheduler,
		.allocator = allocator,
		.slots_total = 48,
		.seqs_max = 8,
		.seq_tokens_max = 40,
		.audit = true,
		.requests = w->requests,
		.output_tokens = w->output_tokens,
		.exec = {&world_exec, w},
	};
}

struct quire_request *world_add(struct world *w, uint32_t prompt_tokens, uint32_t output_tokens)
{
	uint32_t id = w->config.requests_count++;

	if (id >= WORLD_REQUESTS_MAX)
		abort();
	w->output_tokens[id] = output_tokens;
	w->requests[id] = (struct quire_request){
		.id = id,
		.arrival_ns = id ? w->requests[id - 1].arrival_ns : 0,
		.prompt_tokens = prompt_tokens,
		.output_tokens_max = UINT32_MAX,
		.samples = 1,
	};
	return &w->requests[id];
}

int world_run(struct world *w)
{
	w->config.sink = w->quiet ? NULL : &w->sink;
	w->rc = -1;
	w->loop = quire_loop_new(&w->config);
	if (w->loop) {
		w->m = quire_loop_metrics(w->loop);
		w->rc = quire_loop_run(w->loop);
	}
	if (w->rc)
		snprintf(w->sentence, sizeof(w->sentence), "%s", quire_failure());
	return w->rc;
}

const char *world_bad(const struct world *w)
{
	if (w->rc)
		return w->sentence;
	if (w->wrong[0])
		return w->wrong;
	for (int i = 0; i < QUIRE_FAULT_COUNT; i++)
		if (w->m->faults[i].count)
			return "the scheduler broke a rule";
	if (w->m->arrived != w->config.requests_count ||
	    w->m->finished + w->m->refused != w->m->arrived)
		return "requests were lost";
	return NULL;
}

const struct quire_request *world_request(const struct world *w, uint32_t id, uint32_t *sample)
{
	uint32_t next = 0;

	*sample = 0;
	for (size_t i = 0; i < w->events_count; i++) {
		const struct quire_event *e = &w->events[i];

		if (e->kind != QUIRE_EV_ARRIVE && e->kind != QUIRE_EV_FORK)
			continue;
		if (++next != id)
			continue;
		if (e->kind == QUIRE_EV_ARRIVE)
			return &w->requests[e->seq];
		for (size_t k = i; k > 0 && w->events[k].kind != QUIRE_EV_DONE; k--)
			*sample += w->events[k].kind == QUIRE_EV_FORK && w->events[k].a == e->a;
		return world_request(w, e->a, &next);
	}
	return NULL;
}

void world_tell(const struct world *w)
{
	static const char *const kind[] = {
#define X(kind_, decides, a, b, c) #kind_,
		QUIRE_EVENTS(X)
#undef X
	};

	for (size_t i = 0; i < w->events_count; i++) {
		const struct quire_event *e = &w->events[i];

		printf("%8llu ns, step %u: %s %u: %u %u %u\n", (unsigned long long)e->at_ns,
		       e->step, kind[e->kind], e->seq, e->a, e->b, e->c);
	}
}

void world_free(struct world *w)
{
	quire_loop_free(w->loop);
	free(w->steps);
	free(w->events);
	memset(w, 0, sizeof(*w));
}

const char *world_path(const char *folder, const char *name, const char *options)
{
	static char paths[8][512];
	static uint32_t turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s.so%s%s", folder, name, *options ? "," : "",
		 options);
	return path;
}
