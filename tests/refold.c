/*
 * refold.c - see refold.h.
 */
#include "refold.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fold_seq {
	uint32_t request, sample;
	uint32_t known, cached, most, born; /* tokens; most: ever cached; born: with so many */
	uint32_t planned;		    /* tokens in this step */
	uint32_t blocks, block_slots;	    /* its map */
	uint32_t *first;		    /* [WORLD_BLOCKS_MAX] */
	uint64_t last_ns;
	bool ran, forked, kept, gone;
};

struct fold {
	const struct world *w;
	struct quire_metrics m;
	struct fold_seq *seqs; /* [count + 1], by id */
	uint32_t count, limit;
	uint32_t samples_due;
	uint64_t scheduled, run_tokens, owed_tokens; /* owed: once each */
	bool *request_scheduled;
	bool in_window;
	bool ended;
	uint32_t mapped; /* slots in this step */
	uint64_t shown;	 /* by maps, in all */
	char wrong[256];
};

#define WORLD_BLOCKS_MAX 4096

static const bool decides[] = {
#define X(kind, decides_, a, b, c) decides_,
	QUIRE_EVENTS(X)
#undef X
};

static void __attribute__((format(printf, 2, 3))) wrong(struct fold *f, const char *format, ...)
{
	va_list args;

	if (f->wrong[0])
		return;
	va_start(args, format);
	vsnprintf(f->wrong, sizeof(f->wrong), format, args);
	va_end(args);
}

static struct fold_seq *seq_at(struct fold *f, uint32_t id)
{
	if (id == 0 || id > f->count + 1 || id >= f->limit) {
		wrong(f, "an event names sequence %u of %u", id, f->count);
		return &f->seqs[0];
	}
	return &f->seqs[id];
}

/* From its first nanosecond until before its last. */
static bool in_window(const struct fold *f, uint64_t at_ns)
{
	return f->m.window_from_ns <= at_ns && at_ns < f->m.window_until_ns;
}

static void forget_map(struct fold_seq *s)
{
	s->blocks = s->block_slots = 0;
}

/* What every slot of the pool is used for, counted from the maps alone. */
static void memory(struct fold *f, const struct quire_event *e)
{
	uint32_t total = f->w->config.slots_total, live = 0, mapped = 0, reserved = 0;
	uint64_t shown = 0;
	bool kept_shares = false;
	uint8_t *use = calloc(total, 1); /* 1 mapped, 2 to be used, 4 live */

	for (uint32_t id = 1; id <= f->count; id++) {
		const struct fold_seq *s = &f->seqs[id];
		const struct quire_request *r = &f->w->requests[s->request];
		uint32_t end = r->prompt_tokens + world_output(f->w, r, 0);

		for (uint32_t i = 0; i < s->blocks * s->block_slots; i++) {
			uint32_t slot = s->first[i / s->block_slots] + i % s->block_slots;

			if (slot >= total) {
				wrong(f, "sequence %u is mapped to slot %u", id, slot);
				continue;
			}
			shown++;
			kept_shares |= s->kept && r->samples > 1;
			use[slot] |= 1;
			if (!s->kept && i < s->cached + s->planned)
				use[slot] |= 4;
			else if (!s->kept && i < end)
				use[slot] |= 2;
		}
	}
	for (uint32_t i = 0; i < total; i++) {
		mapped += use[i] > 0;
		live += (use[i] & 4) > 0;
		reserved += (use[i] & 6) == 2;
	}
	free(use);
	/* What a kept row shared when it ended counts as live as long as it is kept, though
	 * the others may have ended, or have copied it: it may be more than is live. */
	if (kept_shares ? e->a < live || e->a > mapped : e->a != live)
		wrong(f, "step %u: %u live slots, the maps have %u", e->step, e->a, live);
	if (e->a + e->b + e->c != mapped)
		wrong(f, "step %u: %u live, %u reserved and %u internal of %u mapped slots",
		      e->step, e->a, e->b, e->c, mapped);
	if (shown == mapped && !f->w->uneven && e->b != reserved)
		wrong(f, "step %u: %u slots reserved, the maps have %u", e->step, e->b, reserved);
	f->mapped = mapped;
	f->shown = shown;
	if (!f->in_window)
		return;
	f->m.token_states_sum += e->a;
	f->m.reserved_sum += e->b;
	f->m.internal_sum += e->c;
	f->m.shared_sum += shown > mapped ? (double)shown / (double)mapped : 1.0;
}

static void sample_gone(struct fold *f, struct fold_seq *s, uint64_t at_ns)
{
	struct quire_outcome *o = &f->m.outcomes[s->request];

	forget_map(s);
	s->gone = true;
	if (--o->samples_left)
		return;
	o->finish_ns = at_ns;
	if (!o->refused) {
		f->m.finished++;
		f->m.requests_done += in_window(f, at_ns);
		return;
	}
	f->m.refused++;
	f->scheduled -= f->request_scheduled[s->request];
}

static void arrive(struct fold *f, const struct quire_event *e)
{
	const struct quire_request *r = &f->w->requests[e->seq];
	struct quire_outcome *o = &f->m.outcomes[e->seq];
	uint32_t quarter = (uint32_t)((uint64_t)f->m.arrived * 4 / f->m.requests_count);
	struct fold_seq *s = seq_at(f, f->count + 1);

	f->count++;
	if (e->seq != f->m.arrived || e->a != r->prompt_tokens || e->b != r->output_tokens_max ||
	    e->c != r->samples)
		wrong(f, "request %u arrives as %u", f->m.arrived, e->seq);
	if (r->arrival_ns > e->at_ns)
		wrong(f, "request %u arrives early", e->seq);
	s->request = e->seq;
	s->known = r->prompt_tokens;
	o->arrival_ns = r->arrival_ns;
	o->samples_left = r->samples;
	f->m.queue_sum[quarter] += f->m.arrived - f->scheduled - f->m.refused;
	f->m.queue_count[quarter]++;
	f->m.arrived++;
}

static void run(struct fold *f, const struct quire_event *e)
{
	struct fold_seq *s = seq_at(f, e->seq);
	uint32_t after = e->b + e->a;

	if (e->b != s->cached || e->c != s->known || s->gone || s->planned)
		wrong(f, "step %u: sequence %u runs %u after %u of %u", e->step, e->seq, e->a, e->b,
		      e->c);
	s->planned = e->a;
	if (s->kept)
		return;
	s->ran = true;
	f->run_tokens += e->a;
	if (s->cached < s->most)
		f->m.recomputed_tokens += (after < s->most ? after : s->most) - s->cached;
	if (!f->request_scheduled[s->request]) {
		f->request_scheduled[s->request] = true;
		f->m.outcomes[s->request].first_scheduled_ns = e->at_ns;
		f->scheduled++;
	}
}

static void step(struct fold *f, const struct quire_event *e)
{
	uint64_t tokens = 0;
	uint32_t items = 0, longest = 0;

	for (uint32_t id = 1; id <= f->count; id++) {
		uint32_t planned = f->seqs[id].planned;

		items += planned > 0;
		tokens += planned;
		longest = planned > longest ? planned : longest;
	}
	if (e->a != items || e->b != (e->c ? (uint64_t)items * e->c : tokens) ||
	    (e->c && e->c != longest))
		wrong(f, "step %u: %u items, %u tokens, padded to %u; planned were %u and %" PRIu64,
		      e->step, e->a, e->b, e->c, items, tokens);
	if (!f->in_window)
		return;
	if (f->m.window_steps++ == 0)
		f->m.window_first_ns = e->at_ns;
	f->m.tokens_sum += e->b;
}

static void done(struct fold *f, const struct quire_event *e)
{
	uint32_t held = 0;

	f->m.steps++;
	f->samples_due = 0;
	for (uint32_t id = 1; id <= f->count; id++) {
		struct fold_seq *s = &f->seqs[id];

		held += s->blocks > 0;
		if (s->planned && !s->kept) {
			const struct quire_request *r = &f->w->requests[s->request];
			bool forks = !s->sample && !s->forked;

			s->cached += s->planned;
			s->most = s->cached > s->most ? s->cached : s->most;
			if (s->cached == s->known)
				f->samples_due += forks ? r->samples : 1;
		}
		s->planned = 0;
	}
	if (e->b != f->samples_due || e->c != held)
		wrong(f, "step %u: %u samples and %u held, expected %u and %u", e->step, e->b, e->c,
		      f->samples_due, held);
	if (f->in_window) {
		f->m.seqs_sum += e->c;
		f->m.window_last_ns = e->at_ns;
	}
}

static void fork_event(struct fold *f, const struct quire_event *e)
{
	struct fold_seq *s = seq_at(f, f->count + 1), *parent = seq_at(f, e->a);

	f->count++;
	f->m.forks++;
	s->request = parent->request;
	s->known = e->c;
	s->cached = s->most = s->born = e->b;
	parent->forked = true;
	for (uint32_t id = 1; id < f->count; id++)
		s->sample += f->seqs[id].request == s->request;
	if (e->seq != f->count || e->c != parent->known || (e->b && e->b != parent->cached) ||
	    (e->b > 0) != (s->blocks > 0))
		wrong(f, "sequence %u is born as %u with %u of %u tokens", f->count, e->seq, e->b,
		      e->c);
}

static void sample(struct fold *f, const struct quire_event *e)
{
	struct fold_seq *s = seq_at(f, e->seq);
	const struct quire_request *r = &f->w->requests[s->request];
	struct quire_outcome *o = &f->m.outcomes[s->request];
	uint32_t generated = ++s->known - r->prompt_tokens;

	if (f->samples_due-- == 0 || e->b != s->known ||
	    !!e->c != (generated >= world_output(f->w, r, s->sample)))
		wrong(f, "step %u: sequence %u has %u tokens, end %u", e->step, e->seq, e->b, e->c);
	o->output_tokens++;
	f->m.output_tokens += f->in_window;
	if (generated > 1) {
		if (in_window(f, o->arrival_ns))
			quire_histogram_add(&f->m.itl, e->at_ns - s->last_ns);
	} else if (s->sample == 0) {
		o->first_token_ns = e->at_ns;
		f->m.prompt_tokens += f->in_window ? r->prompt_tokens : 0;
	}
	s->last_ns = e->at_ns;
}

static void one(struct fold *f, const struct quire_event *e, const struct quire_event *before)
{
	struct fold_seq *s = e->seq && e->kind != QUIRE_EV_ARRIVE ? seq_at(f, e->seq) : &f->seqs[0];

	if (decides[e->kind])
		f->m.digest = quire_digest_event(f->m.digest, e->kind, e->seq, e->a, e->b, e->c);
	if (f->ended)
		wrong(f, "something happens after the end");
	if (before && (e->at_ns < before->at_ns || e->step < before->step))
		wrong(f, "time goes back in step %u", e->step);
	switch ((enum quire_event_kind)e->kind) {
	case QUIRE_EV_ARRIVE:
		arrive(f, e);
		break;
	case QUIRE_EV_REFUSE:
		f->m.outcomes[s->request].refused = e->a;
		if (!s->sample && !s->forked)
			f->m.outcomes[s->request].samples_left = 1;
		if (before && before->kind == QUIRE_EV_ARRIVE && before->step == e->step)
			sample_gone(f, s, e->at_ns);
		break;
	case QUIRE_EV_PREEMPT:
		if (e->a != s->cached || !s->blocks || s->planned)
			wrong(f, "step %u: sequence %u is preempted", e->step, e->seq);
		forget_map(s);
		s->cached = 0;
		f->m.preemptions++;
		f->m.outcomes[s->request].preemptions++;
		break;
	case QUIRE_EV_DROP:
		if (!s->kept || s->gone)
			wrong(f, "step %u: sequence %u is dropped", e->step, e->seq);
		sample_gone(f, s, e->at_ns);
		break;
	case QUIRE_EV_COPY:
		f->m.copies++;
		f->m.copied_slots += e->c;
		break;
	case QUIRE_EV_MAP:
		if (s->blocks && s->block_slots != e->c)
			wrong(f, "step %u: sequence %u changes its blocks", e->step, e->seq);
		if (!s->first)
			s->first = calloc(WORLD_BLOCKS_MAX, sizeof(*s->first));
		s->block_slots = e->c;
		s->first[e->a % WORLD_BLOCKS_MAX] = e->b;
		s->blocks = e->a + 1 > s->blocks ? e->a + 1 : s->blocks;
		break;
	case QUIRE_EV_RUN:
		run(f, e);
		break;
	case QUIRE_EV_MEMORY:
		f->in_window = in_window(f, e->at_ns);
		memory(f, e);
		break;
	case QUIRE_EV_STEP:
		step(f, e);
		break;
	case QUIRE_EV_DONE:
		done(f, e);
		break;
	case QUIRE_EV_SAMPLE:
		sample(f, e);
		break;
	case QUIRE_EV_FORK:
		fork_event(f, e);
		break;
	case QUIRE_EV_FINISH:
		if (e->a != s->known || s->kept || s->gone)
			wrong(f, "step %u: sequence %u finishes", e->step, e->seq);
		/* All its tokens but the last were run, unless it ended at its birth. */
		if (!f->m.outcomes[s->request].refused && s->ran && s->most != s->known - 1)
			wrong(f, "sequence %u has run %u of %u tokens", e->seq, s->most, s->known);
		f->owed_tokens += s->most - s->born;
		s->kept = e->b;
		if (!s->kept)
			sample_gone(f, s, e->at_ns);
		break;
	case QUIRE_EV_POOL:
		if (f->mapped + e->a + e->b != f->w->config.slots_total || e->c > e->b)
			wrong(f, "step %u: %u mapped, %u rounding, %u free, %u in one run", e->step,
			      f->mapped, e->a, e->b, e->c);
		f->m.rounding_sum += f->in_window ? e->a : 0;
		f->m.free_sum += f->in_window ? e->b : 0;
		f->m.largest_sum += f->in_window ? e->c : 0;
		break;
	case QUIRE_EV_SHARE:
		if (e->a != f->mapped || e->b != f->shown || e->c)
			wrong(f, "step %u: maps show %u slots, %u in all, expected %u and %" PRIu64,
			      e->step, e->a, e->b, f->mapped, f->shown);
		break;
	case QUIRE_EV_UNMAP:
		if (e->a != s->blocks)
			wrong(f, "step %u: sequence %u had %u blocks", e->step, e->seq, s->blocks);
		forget_map(s);
		break;
	case QUIRE_EV_FAULT:
		if (e->a < QUIRE_FAULT_COUNT && f->m.faults[e->a].count++ == 0) {
			f->m.faults[e->a].first_step = e->step;
			f->m.faults[e->a].first_seq = e->seq;
		}
		break;
	case QUIRE_EV_END:
		f->ended = true;
		f->m.end_ns = e->at_ns;
		f->m.end_asked = e->a;
		break;
	case QUIRE_EV_IDLE:
		if (before && before->step == e->step && before->kind == QUIRE_EV_DONE)
			wrong(f, "step %u: idle, though it has run", e->step);
		break;
	case QUIRE_EV_EJECT:
	case QUIRE_EV_COUNT:
		wrong(f, "an event of kind %u", e->kind);
	}
}

#define SAME(f, field)                                                                             \
	do {                                                                                       \
		if ((f)->m.field != (f)->w->m->field)                                              \
			wrong(f, #field " is %" PRIu64 ", the events say %" PRIu64,                \
			      (uint64_t)(f)->w->m->field, (uint64_t)(f)->m.field);                 \
	} while (0)

static void compare(struct fold *f)
{
	const struct quire_metrics *m = f->w->m;

	SAME(f, arrived);
	SAME(f, finished);
	SAME(f, refused);
	SAME(f, steps);
	SAME(f, digest);
	SAME(f, preemptions);
	SAME(f, copies);
	SAME(f, copied_slots);
	SAME(f, forks);
	SAME(f, recomputed_tokens);
	SAME(f, window_steps);
	SAME(f, window_first_ns);
	SAME(f, window_last_ns);
	SAME(f, seqs_sum);
	SAME(f, tokens_sum);
	SAME(f, token_states_sum);
	SAME(f, reserved_sum);
	SAME(f, internal_sum);
	SAME(f, rounding_sum);
	SAME(f, free_sum);
	SAME(f, largest_sum);
	SAME(f, end_ns);
	SAME(f, end_asked);
	SAME(f, prompt_tokens);
	SAME(f, output_tokens);
	SAME(f, requests_done);
	SAME(f, itl.count);
	SAME(f, itl.sum_ns);
	SAME(f, itl.max_ns);
	if (m->shared_sum != f->m.shared_sum)
		wrong(f, "shared_sum is %f, the events say %f", m->shared_sum, f->m.shared_sum);
	if (memcmp(m->faults, f->m.faults, sizeof(m->faults)) != 0)
		wrong(f, "the faults differ");
	if (memcmp(m->itl.bucket, f->m.itl.bucket, sizeof(m->itl.bucket)) != 0)
		wrong(f, "the histograms differ");
	for (int q = 0; q < 4; q++)
		if (m->queue_sum[q] != f->m.queue_sum[q] ||
		    m->queue_count[q] != f->m.queue_count[q])
			wrong(f, "the queue in quarter %d was %" PRIu64 ", the events say %" PRIu64,
			      q, m->queue_sum[q], f->m.queue_sum[q]);
	for (uint32_t i = 0; i < m->requests_count; i++)
		if (memcmp(&m->outcomes[i], &f->m.outcomes[i], sizeof(*m->outcomes)) != 0)
			wrong(f, "the outcomes of request %u differ", i);
	for (uint32_t id = 1; id <= f->count; id++)
		if (f->seqs[id].blocks)
			wrong(f, "sequence %u still holds slots", id);
	if (f->run_tokens != f->owed_tokens + f->m.recomputed_tokens)
		wrong(f, "%" PRIu64 " tokens were run, %" PRIu64 " and %" PRIu64 " again were owed",
		      f->run_tokens, f->owed_tokens, f->m.recomputed_tokens);
}

const char *refold(const struct world *w)
{
	static struct fold f;
	uint32_t requests = w->m->requests_count;

	memset(&f, 0, sizeof(f));
	f.w = w;
	f.m.requests_count = requests;
	f.m.digest = QUIRE_DIGEST_START;
	f.m.window_from_ns = w->m->window_from_ns;
	f.m.window_until_ns = w->m->window_until_ns;
	f.m.outcomes = calloc(requests + 1, sizeof(*f.m.outcomes));
	f.request_scheduled = calloc(requests + 1, sizeof(*f.request_scheduled));
	f.limit = 2;
	for (uint32_t i = 0; i < requests; i++)
		f.limit += w->requests[i].samples;
	f.seqs = calloc(f.limit, sizeof(*f.seqs));
	for (size_t i = 0; i < w->events_count && !f.wrong[0]; i++)
		one(&f, &w->events[i], i ? &w->events[i - 1] : NULL);
	if (!f.wrong[0])
		compare(&f);
	for (uint32_t i = 0; i < f.limit; i++)
		free(f.seqs[i].first);
	free(f.seqs);
	free(f.request_scheduled);
	free(f.m.outcomes);
	return f.wrong[0] ? f.wrong : NULL;
}
