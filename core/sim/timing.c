/*
 * timing.c - which time model a path is, and what they share; see timing.h.
 */
#include "timing.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int quire_timing_read(struct quire_timing **timing, const char *path, const char *model,
		      uint32_t tp)
{
	struct stat st;

	if (stat(path, &st))
		return quire_fail(-errno, "time model %s: %s", path, strerror(errno));
	return S_ISDIR(st.st_mode) ? quire_timing_read_sarathi(timing, path)
				   : quire_timing_read_distserve(timing, path, model, tp);
}

void quire_timing_free(struct quire_timing *timing)
{
	if (timing)
		timing->ops->free(timing);
}

static void add_seqs(struct quire_timing_work *w, uint64_t seqs, uint64_t tokens, uint64_t cached)
{
	const double begin = (double)cached, end = (double)(cached + tokens);

	if (tokens == 1) {
		w->decode_seqs += seqs;
		w->decode_context += seqs * (cached + 1);
		return;
	}
	w->prefill_tokens += seqs * tokens;
	w->prefill_squares += (double)seqs * (end * end - begin * begin);
}

void quire_timing_work(const struct quire_plan *plan, struct quire_timing_work *w)
{
	memset(w, 0, sizeof(*w));
	if (plan->pad_tokens) {
		add_seqs(w, plan->items_count, plan->pad_tokens,
			 plan->pad_slots > plan->pad_tokens ? plan->pad_slots - plan->pad_tokens
							    : 0);
		return;
	}
	for (uint32_t i = 0; i < plan->items_count; i++)
		add_seqs(w, 1, plan->items[i].tokens, plan->items[i].seq->cached_tokens);
}

uint64_t quire_timing_mixed_ns(const struct quire_timing_work *w, double prefill, double decode,
			       double empty)
{
	double ns = decode;

	if (w->prefill_tokens)
		ns = prefill + (w->decode_seqs && decode > empty ? decode - empty : 0);
	return ns > 1 ? (uint64_t)ceil(ns) : 1; /* a fitted line may go below zero */
}

struct replay {
	struct quire_timing timing;
	struct quire_replay_plan *plans; /* [count] */
	size_t count;
};

/* The first plan of at least this number; NULL: there is none. */
static const struct quire_replay_plan *find_plan(const struct replay *r, uint64_t step)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (r->plans[middle].step < step)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->count ? &r->plans[low] : NULL;
}

static int replay_step_ns(struct quire_timing *timing, const struct quire_plan *plan, uint64_t *ns)
{
	const struct replay *r = (const struct replay *)timing;
	const struct quire_replay_plan *p = find_plan(r, plan->step);

	if (!p || p->step != plan->step || p->end_ns == 0)
		return quire_fail(
			-ERANGE,
			"the recorded run has %zu plans, and no step %llu as this one: a replay "
			"fits only runs that decide alike",
			r->count, (unsigned long long)plan->step);
	*ns = p->end_ns - p->begin_ns;
	return 0;
}

static uint64_t replay_next_ns(const struct quire_timing *timing, uint64_t *step)
{
	const struct quire_replay_plan *p = find_plan((const struct replay *)timing, *step + 1);

	if (!p)
		return 0;
	*step = p->step;
	return p->begin_ns;
}

static void replay_free(struct quire_timing *timing)
{
	struct replay *r = (struct replay *)timing;

	free(r->plans);
	free(r);
}

static const struct quire_timing_ops replay_ops = {
	.name = "replay",
	.step_ns = replay_step_ns,
	.next_ns = replay_next_ns,
	.free = replay_free,
};

struct quire_timing *quire_timing_replay(struct quire_replay_plan *plans, size_t count)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->timing.ops = &replay_ops;
	r->plans = plans;
	r->count = count;
	return &r->timing;
}
