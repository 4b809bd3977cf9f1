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
	uint64_t *steps_ns; /* [count] */
	size_t count;
};

static int replay_step_ns(struct quire_timing *timing, const struct quire_plan *plan, uint64_t *ns)
{
	const struct replay *r = (const struct replay *)timing;

	if (plan->step == 0 || plan->step > r->count)
		return quire_fail(
			-ERANGE,
			"the recorded run has %zu steps and this one needs more: a replay "
			"fits only runs that decide alike",
			r->count);
	*ns = r->steps_ns[plan->step - 1];
	return 0;
}

static void replay_free(struct quire_timing *timing)
{
	struct replay *r = (struct replay *)timing;

	free(r->steps_ns);
	free(r);
}

static const struct quire_timing_ops replay_ops = {
	.name = "replay",
	.step_ns = replay_step_ns,
	.free = replay_free,
};

struct quire_timing *quire_timing_replay(uint64_t *steps_ns, size_t count)
{
	struct replay *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct replay){{&replay_ops}, steps_ns, count};
	return &r->timing;
}
