/*
 * sim_run.c - see sim_run.h.
 */
#include "sim_run.h"

#include "bench_run.h"
#include "core/loop.h"
#include "core/sim/sim.h"
#include "core/trace/tee.h"
#include "module_text.h"
#include "output.h"
#include "sim_record.h"
#include "sim_replay.h"
#include "sim_time.h"
#include "sweep.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 4096

/* One combination, taken apart. */
struct run {
	double rate;
	uint64_t seed;
	uint32_t model, gpu, tp, scheduler, allocator; /* indices into args */
};

static uint32_t turn(uint32_t *index, uint32_t count)
{
	uint32_t here = *index % count;

	*index /= count;
	return here;
}

static struct run run_at(const struct quire_sim_runs *sim, uint32_t index)
{
	const struct quire_sim_args *a = &sim->args;
	struct run run;

	run.allocator = turn(&index, a->allocators.count);
	run.scheduler = turn(&index, a->schedulers.count);
	run.tp = turn(&index, a->tps_count);
	run.gpu = turn(&index, a->gpus.count);
	run.model = turn(&index, a->models.count);
	run.seed = a->workload.seed_first +
		   turn(&index, (uint32_t)(a->workload.seed_last - a->workload.seed_first + 1));
	run.rate = a->workload.rates_count ? a->workload.rates[index] : 0;
	return run;
}

/* Does the time model know all that is asked for? */
static int try_timings(const struct quire_sim_runs *sim)
{
	const struct quire_sim_args *a = &sim->args;
	struct quire_timing *timing;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < a->models.count * a->tps_count; i++) {
		rc = quire_sim_timing_open(&timing, a->time_model,
					   sim->models[i / a->tps_count].name,
					   a->tps[i % a->tps_count]);
		if (rc == 0)
			quire_timing_free(timing);
	}
	return rc;
}

int quire_sim_find(struct quire_sim_runs *sim)
{
	const struct quire_sim_args *a = &sim->args;
	double count = (double)a->models.count * a->gpus.count * a->tps_count *
		       a->schedulers.count * a->allocators.count;
	double workloads = ((double)(a->workload.seed_last - a->workload.seed_first) + 1) *
			   (a->workload.rates_count ? a->workload.rates_count : 1);
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && !sim->bench && i < a->models.count; i++)
		rc = quire_model_find(&sim->models[i], a->models.at[i]);
	for (uint32_t i = 0; rc == 0 && !sim->bench && i < a->gpus.count; i++)
		rc = quire_gpu_find(&sim->gpus[i], a->gpus.at[i]);
	if (rc) /* an unknown name is the user's; a file that is broken is not */
		return rc == -ENOENT ? -EINVAL : -EIO;
	for (uint32_t i = 0; rc == 0 && i < a->schedulers.count; i++)
		rc = quire_module_settings(QUIRE_SCHED, a->schedulers.at[i],
					   sim->schedulers[i].full, sim->schedulers[i].label,
					   QUIRE_REPORT_NAME_MAX);
	for (uint32_t i = 0; rc == 0 && i < a->allocators.count; i++)
		rc = quire_module_settings(QUIRE_KV, a->allocators.at[i], sim->allocators[i].full,
					   sim->allocators[i].label, QUIRE_REPORT_NAME_MAX);
	if (rc == 0 && a->time_model)
		rc = try_timings(sim);
	if (rc)
		return rc == -ENOMEM ? rc : -EINVAL;
	if (count * workloads > RUNS_MAX)
		return quire_fail(-EINVAL, "these are %.0f combinations; at most %d are run",
				  count * workloads, RUNS_MAX);
	if (workloads > 1 && a->workload.trace && !strcmp(a->workload.trace, "-"))
		return quire_fail(-EINVAL, "--trace -: standard input can be read only once; for "
					   "several rates or seeds give a file");
	sim->workload_runs = (uint32_t)count;
	sim->count = (uint32_t)(count * workloads);
	return 0;
}

static void name_arrivals(struct quire_settings *c, const struct quire_workload_options *o,
			  double rate)
{
	enum quire_arrivals kind = o->arrivals;

	if (kind == QUIRE_ARRIVALS_SOURCE && rate > 0)
		kind = QUIRE_ARRIVALS_POISSON;
	if (kind == QUIRE_ARRIVALS_GAMMA || kind == QUIRE_ARRIVALS_HYPEREXP)
		snprintf(c->arrivals, sizeof(c->arrivals), "%s,cv=%g", quire_arrivals_name(kind),
			 o->cv > 0 ? o->cv : 1);
	else
		snprintf(c->arrivals, sizeof(c->arrivals), "%s", quire_arrivals_name(kind));
}

static void cost_config(const struct quire_sim_runs *sim, const struct run *run,
			struct quire_cost_config *config)
{
	const struct quire_sim_args *a = &sim->args;
	uint32_t length =
		a->max_model_len ? a->max_model_len : sim->models[run->model].positions_max;

	*config = (struct quire_cost_config){
		.tp = a->tps[run->tp],
		.weight_bits = a->weight_dtype->bits,
		.weight_units = a->weight_dtype->units,
		.kv_bits = a->kv_dtype->bits,
		.step_tokens_max = length > 2048 ? length : 2048,
		.seqs_max = a->max_num_seqs,
	};
	if (a->max_num_batched_tokens)
		config->step_tokens_max = a->max_num_batched_tokens;
}

static void make_settings(const struct quire_sim_runs *sim, const struct run *run,
			  struct quire_settings *c)
{
	const struct quire_sim_args *a = &sim->args;
	const struct quire_workload *w = &sim->workload;
	const struct quire_model *model = &sim->models[run->model];
	uint64_t last_ns = w->count ? w->requests[w->count - 1].arrival_ns : 0;

	*c = (struct quire_settings){
		.tp = a->tps[run->tp],
		.max_num_seqs = a->max_num_seqs,
		.max_num_batched_tokens = a->max_num_batched_tokens,
		.max_model_len = a->max_model_len,
		.kv_slots = a->kv_slots,
		.gpu_memory_utilization = a->gpu_memory_utilization,
		.kv_bytes_per_token = quire_model_kv_bytes(model, a->kv_dtype->bits),
		.requests = w->count,
		.samples = a->workload.options.samples,
		.beams = a->workload.options.beams,
		.duration_s = a->workload.options.duration_s,
		.rate = run->rate,
		.closed_users = w->closed_users,
		.shuffle = a->workload.options.shuffle,
		.audit = a->audit,
		.seed = run->seed,
		.windowed = a->windowed,
		.window_from_s = a->window_from_s,
		.window_until_s = a->window_until_s,
		.slo_ttft_s = a->slo_ttft_s,
		.slo_tpot_s = a->slo_tpot_s,
	};
	if (w->count && last_ns > w->requests[0].arrival_ns && !w->closed_users)
		c->arrivals_per_s = (double)(w->count - 1) /
				    ((double)(last_ns - w->requests[0].arrival_ns) / 1e9);
	name_arrivals(c, &a->workload.options, run->rate);
	snprintf(c->scheduler, sizeof(c->scheduler), "%s", sim->schedulers[run->scheduler].full);
	snprintf(c->allocator, sizeof(c->allocator), "%s", sim->allocators[run->allocator].full);
	snprintf(c->scheduler_label, sizeof(c->scheduler_label), "%s",
		 sim->schedulers[run->scheduler].label);
	snprintf(c->allocator_label, sizeof(c->allocator_label), "%s",
		 sim->allocators[run->allocator].label);
	snprintf(c->model, sizeof(c->model), "%s", model->name);
	snprintf(c->gpu, sizeof(c->gpu), "%s", sim->gpus[run->gpu].name);
	snprintf(c->exec, sizeof(c->exec), "%s",
		 sim->bench ? quire_exec_kind_name(sim->bench->loaded.kind) : "sim");
	snprintf(c->time_model, sizeof(c->time_model), "%s", a->time_model ? a->time_model : "");
	snprintf(c->weight_dtype, sizeof(c->weight_dtype), "%s", a->weight_dtype->name);
	snprintf(c->kv_dtype, sizeof(c->kv_dtype), "%s", a->kv_dtype->name);
	snprintf(c->workload, sizeof(c->workload), "%s", w->name);
	snprintf(c->workload_format, sizeof(c->workload_format), "%s", w->format);
}

static int broken(struct quire_report *r, enum quire_run_end end, const char *sentence)
{
	r->end = end;
	snprintf(r->sentence, sizeof(r->sentence), "%s", sentence);
	return 1;
}

/* It did not begin, and why: memory may be short, or it is asked for what cannot be. */
static int not_begun(struct quire_report *r, int rc)
{
	r->unfit = rc == -EINVAL || rc == -E2BIG || rc == -ENOENT;
	return broken(r, QUIRE_RUN_FAILED, quire_failure());
}

/* See quire_sweep.prepare: the workload, and the size of the pool. */
int quire_sim_prepare(void *arg, uint32_t index)
{
	struct quire_sim_runs *sim = arg;
	const struct quire_sim_args *a = &sim->args;
	struct run run = run_at(sim, index);
	struct quire_report *r = &sim->reports[index];
	struct quire_cost_config config;
	struct quire_settings settings;
	int rc;

	if (sim->workload_index != index / sim->workload_runs) {
		quire_workload_free(&sim->workload);
		memset(&sim->workload, 0, sizeof(sim->workload));
		rc = quire_workload_load(&a->workload, run.seed, run.rate, &sim->workload);
		if (rc)
			return rc;
		sim->workload_index = index / sim->workload_runs;
	}
	make_settings(sim, &run, &settings);
	cost_config(sim, &run, &config);
	rc = 0;
	if (sim->bench)
		rc = quire_bench_slots(sim->bench, &sim->workload, &settings, &settings.kv_slots);
	else if (!a->kv_slots)
		rc = quire_kv_slots(&sim->models[run.model], &sim->gpus[run.gpu], &config,
				    a->gpu_memory_utilization, &settings.kv_slots);
	if (!settings.max_model_len) {
		settings.max_model_len = sim->models[run.model].positions_max;
		if (settings.kv_slots < settings.max_model_len && rc == 0)
			settings.max_model_len = settings.kv_slots;
	}
	quire_report_init(r, &settings);
	if (rc)
		return not_begun(r, rc);
	if (sim->bench && index % sim->workload_runs == 0)
		quire_bench_foretell(sim->bench, &sim->workload, settings.max_model_len);
	if (sim->bench && quire_bench_stopped())
		return broken(r, QUIRE_RUN_STOPPED, "stopped before it began");
	if (settings.kv_slots < 2 || settings.max_model_len < 2)
		return not_begun(
			r, quire_fail(-EINVAL, "a pool of less than two tokens serves nobody"));
	return 0;
}

/* Caps that the client left open are what the model can still say. */
static void set_caps(struct quire_request *requests, uint32_t count, uint32_t model_len)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t prompt = requests[i].prompt_tokens;
		uint32_t room = prompt < model_len ? model_len - prompt : 1; /* or be refused */

		if (requests[i].output_tokens_max > room)
			requests[i].output_tokens_max = room;
	}
}

void quire_sim_path(const struct quire_sim_runs *sim, const char *name, uint32_t index, char *path,
		    size_t size)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash ? slash : name, '.');
	struct run run = run_at(sim, index);
	const struct quire_sim_args *a = &sim->args;
	char label[2 * QUIRE_REPORT_NAME_MAX + 256];
	size_t n;

	if (sim->count == 1) {
		snprintf(path, size, "%s", name);
		return;
	}
	n = (size_t)snprintf(label, sizeof(label), "%s-%s", sim->schedulers[run.scheduler].label,
			     sim->allocators[run.allocator].label);
	if (a->models.count > 1)
		n += (size_t)snprintf(label + n, sizeof(label) - n, "-%s",
				      sim->models[run.model].name);
	if (a->gpus.count > 1)
		n += (size_t)snprintf(label + n, sizeof(label) - n, "-%s", sim->gpus[run.gpu].name);
	if (a->tps_count > 1)
		n += (size_t)snprintf(label + n, sizeof(label) - n, "-tp%u", a->tps[run.tp]);
	if (a->workload.rates_count > 1)
		n += (size_t)snprintf(label + n, sizeof(label) - n, "-rate%.10g", run.rate);
	if (a->workload.seed_last > a->workload.seed_first)
		snprintf(label + n, sizeof(label) - n, "-seed%llu", (unsigned long long)run.seed);
	for (char *c = label; *c; c++)
		if (*c == '/' || isspace((unsigned char)*c))
			*c = '_';
	snprintf(path, size, "%.*s.%s%s", dot ? (int)(dot - name) : (int)strlen(name), name, label,
		 dot ? dot : "");
}

static int write_csv(const struct quire_sim_runs *sim, uint32_t index,
		     const struct quire_metrics *m, const struct quire_request *requests)
{
	struct quire_output out;
	char path[4096];
	int rc;

	if (!sim->args.csv)
		return 0;
	quire_sim_path(sim, sim->args.csv, index, path, sizeof(path));
	rc = quire_output_open(&out, path);
	if (rc)
		return rc;
	rc = quire_report_csv(out.file, m, requests);
	if (rc)
		quire_output_discard(&out);
	else
		rc = quire_output_commit(&out);
	return rc;
}

/* The band around what was run, of the same requests as they first were. */
static int run_intervals(const struct quire_sim_runs *sim, const struct run *run,
			 const struct quire_cost_config *cost,
			 const struct quire_loop_config *config, struct quire_report *r)
{
	const struct quire_workload *w = &sim->workload;
	struct quire_request *requests = malloc((w->count + 1u) * sizeof(*requests));
	const struct quire_sim_band band = {
		.config = config,
		.requests = requests,
		.model = &sim->models[run->model],
		.gpu = &sim->gpus[run->gpu],
		.cost = cost,
		.output_tokens = w->output_tokens,
	};
	int rc;

	if (!requests)
		return quire_fail(-ENOMEM, "no memory for the requests");
	memcpy(requests, w->requests, w->count * sizeof(*requests));
	set_caps(requests, w->count, r->config.max_model_len);
	rc = quire_sim_intervals(&band, r);
	free(requests);
	return rc;
}

static enum quire_run_end end_of(int rc)
{
	return rc == -ECANCELED ? QUIRE_RUN_EJECTED
	       : rc == -EINTR	? QUIRE_RUN_STOPPED
				: QUIRE_RUN_FAILED;
}

/* Run it with everything ready.  Return: 0; -ECANCELED ejected; -errno failed. */
static int run_loop(const struct quire_sim_runs *sim, uint32_t index, struct quire_cost *cost,
		    struct quire_timing *timing, struct quire_request *requests, void *progress)
{
	const struct quire_sim_args *a = &sim->args;
	const struct quire_workload *w = &sim->workload;
	struct run run = run_at(sim, index);
	struct quire_report *r = &sim->reports[index];
	struct quire_sim exec = {.cost = cost, .timing = timing, .output_tokens = w->output_tokens};
	struct quire_loop_config config = {
		.scheduler = a->schedulers.at[run.scheduler],
		.allocator = a->allocators.at[run.allocator],
		.slots_total = r->config.kv_slots,
		.seqs_max = a->max_num_seqs,
		.seq_tokens_max = r->config.max_model_len,
		.step_tokens_max = a->max_num_batched_tokens,
		.audit = a->audit,
		.requests = requests,
		.output_tokens = w->output_tokens,
		.requests_count = w->count,
		.closed_users = w->closed_users,
		.window_from_ns = a->windowed ? (uint64_t)llround(a->window_from_s * 1e9) : 0,
		.window_until_ns = a->windowed && isfinite(a->window_until_s)
					   ? (uint64_t)llround(a->window_until_s * 1e9)
					   : UINT64_MAX,
		.exec = {.ops = &quire_exec_sim, .priv = &exec}, /* or the bench's */
		.stop = sim->bench ? quire_bench_stop() : NULL,
		.progress = quire_sweep_progress,
		.progress_arg = progress,
	};
	struct quire_tee tee = {.count = 0}; /* everybody who listens adds his sink here */
	struct quire_sim_record record;
	struct quire_series_sink series;
	struct quire_loop *loop;
	char sentence[QUIRE_REPORT_SENTENCE_MAX] = "";
	int rc, made;

	if (sim->bench) {
		rc = quire_bench_begin(sim->bench, w, &config, run.seed);
		if (rc)
			return rc;
	}
	quire_tee_add(&tee, quire_sweep_sink(progress));
	rc = quire_sim_record_open(&record, sim, index, &tee);
	if (rc)
		goto out_bench;
	if (sim->plots)
		quire_tee_add(&tee, quire_series_sink_init(&series, &sim->plots[index].series));
	quire_tee_add(&tee, quire_sim_replay_sink(timing));
	config.sink = quire_tee_sink(&tee);
	loop = quire_loop_new(&config);
	if (!loop) {
		rc = -errno;
		snprintf(r->sentence, sizeof(r->sentence), "%s", quire_failure());
		quire_sim_record_close(&record, r);
		quire_fail(rc, "%s", r->sentence);
		goto out_bench;
	}
	r->config.max_num_batched_tokens = quire_loop_step_tokens_max(loop);
	quire_sim_record_begin(&record, sim, index, &config);
	if (sim->bench)
		quire_bench_go(sim->bench);
	rc = quire_loop_run(loop);
	if (rc == 0)
		rc = quire_sim_replay_end(timing);
	if (rc)
		snprintf(sentence, sizeof(sentence), "%s", quire_failure());
	if (rc == -ECANCELED)
		quire_loop_dump(loop, stderr);
	made = quire_report_make(r, quire_loop_metrics(loop), requests);
	quire_report_name_clients(r, w->client_names, w->clients_count);
	if (rc == 0 && made == 0 && a->intervals)
		made = run_intervals(sim, &run, &cost->config, &config, r);
	if (made == 0 && sim->plots && series.short_of_memory)
		made = quire_fail(-ENOMEM, "no memory for the charts");
	if (made == 0 && sim->plots)
		made = quire_plot_latencies(&sim->plots[index], quire_loop_metrics(loop), requests);
	if (sim->plots)
		quire_series_sink_free(&series);
	if (made == 0)
		made = write_csv(sim, index, quire_loop_metrics(loop), requests);
	quire_loop_free(loop);
	if (rc)
		broken(r, end_of(rc), sentence);
	else if (made)
		broken(r, QUIRE_RUN_FAILED, quire_failure());
	quire_sim_record_close(&record, r);
	if (rc)
		quire_fail(rc, "%s", sentence);
	else if (made)
		rc = quire_fail(made, "%s", r->sentence);
out_bench:
	if (sim->bench)
		quire_bench_end(sim->bench);
	return rc;
}

/* See quire_sweep.run. */
void quire_sim_run(void *arg, uint32_t index, void *progress)
{
	const struct quire_sim_runs *sim = arg;
	struct run run = run_at(sim, index);
	struct quire_report *r = &sim->reports[index];
	size_t size = sim->workload.count * sizeof(struct quire_request);
	struct quire_request *requests = malloc(size ? size : 1);
	struct quire_cost_config config;
	struct quire_timing *timing = NULL;
	struct quire_cost cost;
	int rc = 0;

	if (!requests) {
		broken(r, QUIRE_RUN_FAILED, "no memory for the requests");
		return;
	}
	memcpy(requests, sim->workload.requests, size);
	set_caps(requests, sim->workload.count, r->config.max_model_len);
	cost_config(sim, &run, &config);
	if (sim->bench) {
		rc = run_loop(sim, index, NULL, NULL, requests, progress);
		goto out;
	}
	if (sim->args.time_model)
		rc = quire_sim_timing_open(&timing, sim->args.time_model,
					   sim->models[run.model].name, config.tp);
	if (rc == 0)
		rc = quire_sim_replay_begin(timing, requests, sim->workload.output_tokens,
					    sim->workload.count, sim->workload.closed_users);
	if (rc == 0)
		rc = quire_cost_init(&cost, &sim->models[run.model], &sim->gpus[run.gpu], &config);
	if (rc == 0) {
		rc = run_loop(sim, index, &cost, timing, requests, progress);
		quire_cost_free(&cost);
	}
	quire_timing_free(timing);
out:
	if (rc && isnan(r->time_s) && end_of(rc) == QUIRE_RUN_FAILED)
		not_begun(r, rc);
	else if (rc)
		broken(r, end_of(rc), quire_failure());
	free(requests);
}
