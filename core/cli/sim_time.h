/*
 * sim_time.h - where the times of "quire sim" come from, and how sure they are.
 */
#ifndef QUIRE_SIM_TIME_H
#define QUIRE_SIM_TIME_H

#include "core/loop.h"
#include "core/sim/timing.h"
#include "core/trace/report.h"

/*
 * What --time-model names: a recording (sim_replay.h), or what quire_timing_read()
 * reads.  Return: 0; -errno; see quire_failure().
 */
int quire_sim_timing_open(struct quire_timing **timing, const char *path, const char *model,
			  uint32_t tp);

/*
 * --intervals: run @loop's configuration twice more, each step 1.645 standard deviations
 * of its error slower, and faster, and put what comes out into the report's bands.
 * @config is that of the run, without its listeners; @requests are as they were before
 * it.  Return: 0; -errno.
 */
struct quire_sim_band {
	const struct quire_loop_config *config;
	const struct quire_request *requests; /* [config->requests_count] */
	const struct quire_model *model;
	const struct quire_gpu *gpu;
	const struct quire_cost_config *cost;
	const uint32_t *output_tokens;
};
int quire_sim_intervals(const struct quire_sim_band *band, struct quire_report *report);

#endif /* QUIRE_SIM_TIME_H */
