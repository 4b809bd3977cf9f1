/*
 * sim_time.c - see sim_time.h.
 */
#include "sim_time.h"

#include "core/sim/sim.h"
#include "core/trace/record.h"
#include "sim_replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int quire_sim_timing_open(struct quire_timing **timing, const char *path, const char *model,
			  uint32_t tp)
{
	if (quire_record_is(path))
		return quire_sim_replay_open(timing, path);
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
