/*
 * sim_time.c - see sim_time.h.
 */
#include "sim_time.h"

#include "core/sim/sim.h"
#include "core/trace/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int open_recording(struct quire_timing **timing, const char *path)
{
	struct quire_record_cursor at;
	const struct quire_event *e;
	struct quire_record *r;
	struct quire_replay_plan *plans;
	size_t count = 1;
	int rc = quire_record_open(&r, path);

	if (rc)
		return rc;
	at = (struct quire_record_cursor){.record = r};
	while ((e = quire_record_next(&at)))
		count += e->kind == QUIRE_EV_STEP || e->kind == QUIRE_EV_IDLE;
	plans = malloc(count * sizeof(*plans));
	rc = plans ? read_plans(r, plans, &count)
		   : quire_fail(-ENOMEM, "time model %s: no memory", path);
	quire_record_close(r);
	if (rc == 0) {
		*timing = quire_timing_replay(plans, count);
		if (*timing)
			return 0;
		rc = quire_fail(-ENOMEM, "time model %s: no memory", path);
	}
	free(plans);
	return rc;
}

int quire_sim_timing_open(struct quire_timing **timing, const char *path, const char *model,
			  uint32_t tp)
{
	if (quire_record_is(path))
		return open_recording(timing, path);
	return quire_timing_read(timing, path, model, tp);
}

/* One more run; its figures into @report, which starts as a copy of the settings. */
static int run_once(const struct quire_sim_band *band, double sigmas, struct quire_report *report)
{
	const size_t size = band->config->requests_count * sizeof(*band->requests);
	struct quire_loop_config config = *band->config;
	struct quire_cost_config cost_config = *band->cost;
	struct quire_sim exec = {.output_tokens = band->output_tokens};
	struct quire_loop *loop;
	struct quire_cost cost;
	int rc;

	cost_config.sigmas = sigmas;
	rc = quire_cost_init(&cost, band->model, band->gpu, &cost_config);
	if (rc)
		return rc;
	exec.cost = &cost;
	config.exec = (struct quire_exec){.ops = &quire_exec_sim, .priv = &exec};
	config.sink = NULL;
	config.audit = false;
	config.requests = malloc(size ? size : 1);
	if (!config.requests) {
		quire_cost_free(&cost);
		return quire_fail(-ENOMEM, "no memory for the requests");
	}
	memcpy(config.requests, band->requests, size);
	loop = quire_loop_new(&config);
	rc = loop ? quire_loop_run(loop) : -EINVAL;
	if (rc == 0)
		rc = quire_report_make(report, quire_loop_metrics(loop), config.requests);
	if (loop)
		quire_loop_free(loop);
	free(config.requests);
	quire_cost_free(&cost);
	return rc;
}

static struct quire_interval around(double a, double b, double middle)
{
	struct quire_interval i = {a < b ? a : b, a < b ? b : a};

	/* Another order of events may make a slower run look better. */
	i.low = middle < i.low ? middle : i.low;
	i.high = middle > i.high ? middle : i.high;
	return i;
}

int quire_sim_intervals(const struct quire_sim_band *band, struct quire_report *r)
{
	const double sigmas = 1.6448536; /* 5 % of a normal distribution lie beyond */
	struct quire_report *other = malloc(2 * sizeof(*other));
	int rc;

	if (!other)
		return quire_fail(-ENOMEM, "no memory for the intervals");
	quire_report_init(&other[0], &r->config);
	quire_report_init(&other[1], &r->config);
	rc = run_once(band, -sigmas, &other[0]);
	if (rc == 0)
		rc = run_once(band, sigmas, &other[1]);
	if (rc == 0) {
		r->interval_level = 0.9;
		r->ttft_interval_s =
			around(other[0].ttft_s.mean, other[1].ttft_s.mean, r->ttft_s.mean);
		r->tpot_interval_s =
			around(other[0].tpot_s.mean, other[1].tpot_s.mean, r->tpot_s.mean);
		r->output_tokens_interval_per_s =
			around(other[0].output_tokens_per_s, other[1].output_tokens_per_s,
			       r->output_tokens_per_s);
	}
	free(other);
	return rc;
}
