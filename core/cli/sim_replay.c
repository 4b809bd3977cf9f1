/*
 * sim_replay.c - see sim_replay.h.
 */
#include "sim_replay.h"

#include "compare_decisions.h"
#include "core/trace/record.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct replay {
	struct quire_timing timing; /* first: this and it are one pointer */
	struct quire_timing *times; /* of the plans; owned */
	struct quire_record *record;
	struct quire_record_cursor at; /* behind the decisions that were compared */
	uint32_t kinds;		       /* that decide */
	struct quire_sink sink;
	bool parted;
	struct quire_event here; /* what this run decided where they parted; kind COUNT: nothing */
	struct quire_parting_side there; /* what the recorded one did */
};

/* ---- decisions ---- */

static int fail_parted(const struct replay *r)
{
	const bool over = r->here.kind == QUIRE_EV_COUNT;
	const struct quire_parting_side here = {.event = &r->here};
	char there[192], text[192] = "is over", when[24] = "";

	quire_parting_text(r->record, &r->there, there, sizeof(there));
	if (!over)
		quire_parting_text(r->record, &here, text, sizeof(text));
	if (!over && r->here.step != r->there.step)
		snprintf(when, sizeof(when), ", in step %u,", r->here.step);
	return quire_fail(-ERANGE,
			  "time model %s: in step %u the recorded run %s, and this one%s %s: a "
			  "replay needs the same modules, limits and pool",
			  r->record->path, r->there.step, there, when, text);
}

static void hear(struct quire_sink *sink, const struct quire_event *e)
{
	struct replay *r = (struct replay *)(void *)((char *)sink - offsetof(struct replay, sink));
	const struct quire_event *next;

	if (r->parted)
		return;
	r->there = quire_parting_next(&r->at, r->kinds);
	next = r->there.event;
	r->parted = !next || next->step != e->step || !quire_parting_same(next, e);
	if (r->parted)
		r->here = *e;
}

static int step_ns(struct quire_timing *timing, const struct quire_plan *plan, uint64_t *ns)
{
	const struct replay *r = (const struct replay *)timing;

	return r->parted ? fail_parted(r) : r->times->ops->step_ns(r->times, plan, ns);
}

static uint64_t next_ns(const struct quire_timing *timing, uint64_t *step)
{
	const struct replay *r = (const struct replay *)timing;

	return r->times->ops->next_ns(r->times, step);
}

static void release(struct quire_timing *timing)
{
	struct replay *r = (struct replay *)timing;

	quire_timing_free(r->times);
	quire_record_close(r->record);
	free(r);
}

static const struct quire_timing_ops replay_ops = {
	.name = "recording",
	.step_ns = step_ns,
	.next_ns = next_ns,
	.free = release,
};

static struct replay *replay_of(struct quire_timing *timing)
{
	return timing && timing->ops == &replay_ops ? (struct replay *)timing : NULL;
}

struct quire_sink *quire_sim_replay_sink(struct quire_timing *timing)
{
	struct replay *r = replay_of(timing);

	return r ? &r->sink : NULL;
}

int quire_sim_replay_end(struct quire_timing *timing)
{
	struct replay *r = replay_of(timing);

	if (!r)
		return 0;
	if (!r->parted) {
		r->there = quire_parting_next(&r->at, r->kinds);
		r->parted = r->there.event != NULL;
		r->here.kind = QUIRE_EV_COUNT;
	}
	return r->parted ? fail_parted(r) : 0;
}

/* ---- requests ---- */

static int other_request(const struct replay *r, uint32_t request, const char *what, double here,
			 double there)
{
	return quire_fail(-EINVAL,
			  "time model %s: request %u %s %.10g, and %.10g in the recorded run: a "
			  "replay needs the same workload",
			  r->record->path, request, what, here, there);
}

int quire_sim_replay_begin(struct quire_timing *timing, const struct quire_request *requests,
			   const uint32_t *output_tokens, uint32_t count, uint32_t closed_users)
{
	struct replay *r = replay_of(timing);
	const struct quire_record_run *run = r ? r->record->run : NULL;

	if (!r)
		return 0;
	if (count != run->requests_count)
		return quire_fail(-EINVAL,
				  "time model %s: this run has %u requests, and %u in the recorded "
				  "run: a replay needs the same workload",
				  r->record->path, count, run->requests_count);
	if (closed_users != run->closed_users)
		return quire_fail(
			-EINVAL,
			"time model %s: this run has %u users in a closed loop, and %u in "
			"the recorded run (0: it is none): a replay needs the same arrivals",
			r->record->path, closed_users, run->closed_users);
	for (uint32_t i = 0; r->record->requests && i < count; i++) {
		const struct quire_record_request *q = &r->record->requests[i];

		if (q->arrival_ns != requests[i].arrival_ns && !closed_users)
			return other_request(r, i, "arrives at second",
					     (double)requests[i].arrival_ns / 1e9,
					     (double)q->arrival_ns / 1e9);
		if (q->prompt_tokens != requests[i].prompt_tokens)
			return other_request(r, i, "has prompt tokens:", requests[i].prompt_tokens,
					     q->prompt_tokens);
		if (q->output_tokens && q->output_tokens != output_tokens[i])
			return other_request(r, i, "has output tokens:", output_tokens[i],
					     q->output_tokens);
		if (q->samples != requests[i].samples)
			return other_request(r, i, "has samples:", requests[i].samples, q->samples);
		if (q->beams != requests[i].beams)
			return other_request(r, i, "has beams:", requests[i].beams, q->beams);
	}
	return 0;
}

/* ---- opening ---- */

/* Plans are numbered along a run, those that were empty too. */
static int read_plans(const struct quire_record *r, struct quire_replay_plan *plans, size_t *found)
{
	struct quire_record_cursor at = {.record = r};
	const struct quire_event *e;
	size_t count = 0, steps = 0;

	while ((e = quire_record_next(&at))) {
		struct quire_replay_plan *last = count ? &plans[count - 1] : NULL;

		if (e->kind == QUIRE_EV_STEP || e->kind == QUIRE_EV_IDLE) {
			if (last && (e->step <= last->step || e->at_ns < last->begin_ns))
				return quire_fail(-EINVAL, "time model %s: step %u comes too late",
						  r->path, e->step);
			plans[count++] = (struct quire_replay_plan){e->step, e->at_ns, 0};
		} else if (e->kind == QUIRE_EV_DONE) {
			if (!last || e->step != last->step || e->at_ns < last->begin_ns)
				return quire_fail(-EINVAL,
						  "time model %s: step %u ends and was not begun",
						  r->path, e->step);
			last->end_ns = e->at_ns;
			steps++;
		}
	}
	*found = count;
	return steps ? 0
		     : quire_fail(-EINVAL, "time model %s: the recording has no steps", r->path);
}

static int open_times(struct quire_timing **timing, const struct quire_record *record)
{
	struct quire_record_cursor at = {.record = record};
	struct quire_replay_plan *plans;
	const struct quire_event *e;
	size_t count = 1;
	int rc;

	while ((e = quire_record_next(&at)))
		count += e->kind == QUIRE_EV_STEP || e->kind == QUIRE_EV_IDLE;
	plans = malloc(count * sizeof(*plans));
	if (!plans)
		return quire_fail(-ENOMEM, "time model %s: no memory", record->path);
	rc = read_plans(record, plans, &count);
	if (rc == 0) {
		*timing = quire_timing_replay(plans, count);
		if (*timing)
			return 0;
		rc = quire_fail(-ENOMEM, "time model %s: no memory", record->path);
	}
	free(plans);
	return rc;
}

int quire_sim_replay_open(struct quire_timing **timing, const char *path)
{
	struct replay *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return quire_fail(-ENOMEM, "time model %s: no memory", path);
	rc = quire_record_open(&r->record, path);
	if (rc == 0)
		rc = open_times(&r->times, r->record);
	if (rc) {
		quire_record_close(r->record);
		free(r);
		return rc;
	}
	r->timing.ops = &replay_ops;
	r->at.record = r->record;
	r->kinds = quire_deciding_kinds();
	r->sink = (struct quire_sink){r->kinds, hear};
	*timing = &r->timing;
	return 0;
}
