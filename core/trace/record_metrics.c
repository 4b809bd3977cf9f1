/*
 * record_metrics.c - see record_metrics.h.
 *
 * Each function here has its double in the loop, which says why; sums are made in the
 * same order, so that they agree exactly.
 */
#include "record_metrics.h"

#include "record_grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

struct seq {
	uint32_t request; /* NOBODY: not known */
	uint32_t prompt_tokens;
	uint32_t cached_tokens, cached_most;
	uint32_t run_tokens; /* in the plan of this step */
	uint32_t born_step;
	uint64_t last_token_ns;
	bool scheduled, kept, first_sample, in_window;
};

struct fold {
	const struct quire_record *record;
	struct quire_metrics *m;
	struct seq *seqs; /* [seqs_limit] by id */
	uint32_t seqs_limit;
	uint32_t seqs_born;
	uint32_t *living;  /* [requests_count] sequences of each */
	uint32_t *planned; /* [planned_count] ids, [planned_limit] */
	uint32_t planned_count, planned_limit;
	uint32_t step;
	uint32_t scheduled;			/* as in struct quire_loop */
	bool in_window;				/* the step began in it */
	struct quire_event memory, pool, share; /* the last ones */
};

static struct seq *find(const struct fold *f, uint32_t id)
{
	return id && id <= f->seqs_born && f->seqs[id].request != NOBODY ? &f->seqs[id] : NULL;
}

static struct seq *birth(struct fold *f, uint32_t request, uint32_t prompt_tokens)
{
	uint32_t id = f->seqs_born + 1;

	if (GROW(f->seqs, f->seqs_limit, (uint64_t)id + 1))
		return NULL;
	f->seqs_born = id;
	f->living[request]++;
	f->seqs[id] = (struct seq){
		.request = request,
		.prompt_tokens = prompt_tokens,
		.born_step = f->step,
		.in_window = quire_in_window(f->m, f->m->outcomes[request].arrival_ns),
	};
	return &f->seqs[id];
}

static void death(struct fold *f, struct seq *seq, uint64_t now_ns)
{
	struct quire_metrics *m = f->m;
	struct quire_outcome *outcome = &m->outcomes[seq->request];

	if (--f->living[seq->request] == 0) {
		outcome->finish_ns = now_ns;
		if (outcome->refused) {
			m->refused++;
			f->scheduled -= seq->scheduled;
		} else {
			m->finished++;
			m->requests_done += quire_in_window(m, now_ns);
		}
	}
	seq->request = NOBODY;
}

static int arrive(struct fold *f, const struct quire_event *e)
{
	const struct quire_record_run *run = f->record->run;
	struct quire_metrics *m = f->m;
	struct seq *seq;
	uint32_t quarter;

	if (e->seq >= m->requests_count || m->arrived == m->requests_count)
		return 0;
	quarter = (uint32_t)((uint64_t)m->arrived * 4 / m->requests_count);
	m->outcomes[e->seq].arrival_ns =
		run->closed_users ? e->at_ns : f->record->requests[e->seq].arrival_ns;
	m->queue_sum[quarter] += m->arrived - f->scheduled - m->refused;
	m->queue_count[quarter]++;
	m->arrived++;
	seq = birth(f, e->seq, e->a);
	if (!seq)
		return -ENOMEM;
	seq->first_sample = true;
	return 0;
}

static void refuse(struct fold *f, const struct quire_event *e)
{
	struct seq *seq = find(f, e->seq);

	if (!seq)
		return;
	f->m->outcomes[seq->request].refused = e->a;
	if (seq->born_step == e->step)
		death(f, seq, e->at_ns);
}

static int forks(struct fold *f, const struct quire_event *e)
{
	const struct seq *parent = find(f, e->a);
	struct seq *seq;
	uint64_t last_token_ns;

	f->m->forks++;
	if (!parent)
		return 0;
	last_token_ns = parent->last_token_ns; /* parent may move */
	seq = birth(f, parent->request, parent->prompt_tokens);
	if (!seq)
		return -ENOMEM;
	seq->cached_tokens = seq->cached_most = e->b;
	seq->scheduled = true;
	seq->last_token_ns = last_token_ns;
	return 0;
}

static int run(struct fold *f, const struct quire_event *e)
{
	struct seq *seq = find(f, e->seq);

	if (!seq || seq->kept)
		return 0;
	if (GROW(f->planned, f->planned_limit, (uint64_t)f->planned_count + 1))
		return -ENOMEM;
	f->planned[f->planned_count++] = e->seq;
	seq->run_tokens = e->a;
	seq->cached_tokens = e->b;
	if (!seq->scheduled) {
		seq->scheduled = true;
		f->scheduled++;
		f->m->outcomes[seq->request].first_scheduled_ns = e->at_ns;
	}
	return 0;
}

/* The double of measure() in the loop, and the begin of a step. */
static void step(struct fold *f, const struct quire_event *e)
{
	struct quire_metrics *m = f->m;
	uint64_t map_slots = (uint64_t)f->share.c << 32 | f->share.b;

	f->in_window = quire_in_window(m, e->at_ns);
	if (!f->in_window)
		return;
	if (m->window_steps++ == 0)
		m->window_first_ns = e->at_ns;
	m->tokens_sum += e->b;
	m->token_states_sum += f->memory.a;
	m->reserved_sum += f->memory.b;
	m->internal_sum += f->memory.c;
	m->rounding_sum += f->pool.a;
	m->free_sum += f->pool.b;
	m->largest_sum += f->pool.c;
	m->shared_sum += map_slots > f->share.a ? (double)map_slots / (double)f->share.a : 1.0;
}

static void done(struct fold *f, const struct quire_event *e)
{
	struct quire_metrics *m = f->m;

	m->steps++;
	if (f->in_window) {
		m->seqs_sum += e->c;
		m->window_last_ns = e->at_ns;
	}
	for (uint32_t i = 0; i < f->planned_count; i++) {
		struct seq *seq = &f->seqs[f->planned[i]];
		uint32_t cached = seq->cached_tokens + seq->run_tokens;

		if (seq->cached_tokens < seq->cached_most)
			m->recomputed_tokens +=
				(cached < seq->cached_most ? cached : seq->cached_most) -
				seq->cached_tokens;
		seq->cached_tokens = cached;
		if (cached > seq->cached_most)
			seq->cached_most = cached;
	}
	f->planned_count = 0;
}

static void sample(struct fold *f, const struct quire_event *e)
{
	struct quire_metrics *m = f->m;
	struct seq *seq = find(f, e->seq);
	struct quire_outcome *outcome;

	if (!seq)
		return;
	outcome = &m->outcomes[seq->request];
	outcome->output_tokens++;
	m->output_tokens += f->in_window;
	if (e->b > seq->prompt_tokens + 1) {
		if (seq->in_window)
			quire_histogram_add(&m->itl, e->at_ns - seq->last_token_ns);
	} else if (seq->first_sample) {
		outcome->first_token_ns = e->at_ns;
		if (f->in_window)
			m->prompt_tokens += seq->prompt_tokens;
	}
	seq->last_token_ns = e->at_ns;
}

static void preempt(struct fold *f, const struct quire_event *e)
{
	struct seq *seq = find(f, e->seq);

	f->m->preemptions++;
	if (!seq)
		return;
	seq->cached_tokens = 0;
	f->m->outcomes[seq->request].preemptions++;
}

static void finish(struct fold *f, const struct quire_event *e)
{
	struct seq *seq = find(f, e->seq);

	if (seq && e->kind == QUIRE_EV_FINISH && e->b)
		seq->kept = true;
	else if (seq)
		death(f, seq, e->at_ns);
}

static void fault(struct quire_metrics *m, const struct quire_event *e)
{
	struct quire_fault_count *count;

	if (e->a >= QUIRE_FAULT_COUNT)
		return;
	count = &m->faults[e->a];
	if (count->count++ == 0) {
		count->first_step = e->step;
		count->first_seq = e->seq;
	}
}

static bool decides(uint32_t kind)
{
#define X(name, decision, a, b, c) [QUIRE_EV_##name] = decision,
	static const bool table[QUIRE_EV_COUNT] = {QUIRE_EVENTS(X)};
#undef X

	return kind < QUIRE_EV_COUNT && table[kind];
}

static int fold(struct fold *f, const struct quire_event *e)
{
	struct quire_metrics *m = f->m;

	if (e->step != f->step) {
		f->step = e->step;
		f->planned_count = 0; /* a step that was planned and never ran */
	}
	m->end_ns = e->at_ns;
	if (decides(e->kind))
		m->digest = quire_digest_event(m->digest, e->kind, e->seq, e->a, e->b, e->c);
	switch (e->kind) {
	case QUIRE_EV_ARRIVE:
		return arrive(f, e);
	case QUIRE_EV_REFUSE:
		refuse(f, e);
		return 0;
	case QUIRE_EV_PREEMPT:
		preempt(f, e);
		return 0;
	case QUIRE_EV_DROP:
	case QUIRE_EV_FINISH:
		finish(f, e);
		return 0;
	case QUIRE_EV_COPY:
		m->copies++;
		m->copied_slots += e->c;
		return 0;
	case QUIRE_EV_RUN:
		return run(f, e);
	case QUIRE_EV_MEMORY:
		f->memory = *e;
		return 0;
	case QUIRE_EV_POOL:
		f->pool = *e;
		return 0;
	case QUIRE_EV_SHARE:
		f->share = *e;
		return 0;
	case QUIRE_EV_STEP:
		step(f, e);
		return 0;
	case QUIRE_EV_DONE:
		done(f, e);
		return 0;
	case QUIRE_EV_SAMPLE:
		sample(f, e);
		return 0;
	case QUIRE_EV_FORK:
		return forks(f, e);
	case QUIRE_EV_FAULT:
		fault(m, e);
		return 0;
	case QUIRE_EV_END:
		m->end_asked = e->a;
		return 0;
	default:
		return 0;
	}
}

int quire_record_metrics(const struct quire_record *r, struct quire_metrics *m)
{
	struct fold f = {.record = r, .m = m};
	struct quire_record_cursor at = {.record = r};
	const struct quire_event *e;
	int rc = 0;

	memset(m, 0, sizeof(*m));
	m->digest = QUIRE_DIGEST_START;
	m->requests_count = r->requests ? r->run->requests_count : 0;
	m->slots_total = r->run->slots_total;
	m->window_from_ns = r->run->window_from_ns;
	m->window_until_ns = r->run->window_until_ns;
	m->outcomes = calloc((size_t)m->requests_count + 1, sizeof(*m->outcomes));
	f.living = calloc((size_t)m->requests_count + 1, sizeof(*f.living));
	if (!m->outcomes || !f.living)
		rc = -ENOMEM;
	while (rc == 0 && (e = quire_record_next(&at)))
		rc = fold(&f, e);
	free(f.living);
	free(f.seqs);
	free(f.planned);
	if (rc) {
		quire_record_metrics_free(m);
		return quire_fail(rc, "no memory for the metrics of %s", r->path);
	}
	return 0;
}

void quire_record_metrics_free(struct quire_metrics *m)
{
	free(m->outcomes);
	m->outcomes = NULL;
}

struct quire_request *quire_record_workload(const struct quire_record *r)
{
	const uint32_t count = r->requests ? r->run->requests_count : 0;
	struct quire_request *requests = calloc((size_t)count + 1, sizeof(*requests));

	for (uint32_t i = 0; requests && i < count; i++) {
		const struct quire_record_request *q = &r->requests[i];

		requests[i] = (struct quire_request){
			.id = i,
			.arrival_ns = q->arrival_ns,
			.deadline_ns = q->deadline_ns,
			.prompt_tokens = q->prompt_tokens,
			.output_tokens_max = q->output_tokens_max,
			.samples = q->samples,
			.beams = q->beams,
			.client = q->client,
			.priority = q->priority,
		};
	}
	if (!requests)
		quire_fail(-ENOMEM, "no memory for the metrics of %s", r->path);
	return requests;
}

int quire_record_report(const struct quire_record *r, struct quire_report *report)
{
	struct quire_metrics *m = malloc(sizeof(*m));
	struct quire_request *requests = NULL;
	struct quire_settings settings = {
		.kv_slots = r->run->slots_total,
		.kv_bytes_per_token = r->run->kv_bytes_per_token,
		.closed_users = r->run->closed_users,
		.slo_ttft_s = r->run->slo_ttft_s,
		.slo_tpot_s = r->run->slo_tpot_s,
	};
	int rc;

	if (!m)
		return quire_fail(-ENOMEM, "no memory for the metrics of %s", r->path);
	rc = quire_record_metrics(r, m);
	if (rc == 0) {
		requests = quire_record_workload(r);
		rc = requests ? 0 : -ENOMEM;
	}
	if (rc == 0) {
		quire_report_init(report, &settings);
		rc = quire_report_make(report, m, requests);
	}
	quire_record_metrics_free(m);
	free(requests);
	free(m);
	return rc;
}
