/*
 * sim.c - "quire sim": every combination of what the command line names, in the
 * simulator, and one report of them all.
 */
#include "cli.h"

#include "bench_run.h"
#include "output.h"
#include "sim_report.h"
#include "sim_run.h"
#include "sweep.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Can the files be written?  Found out before the runs, which may be long. */
static int try_files(const struct quire_sim_runs *sim, const char *flag, const char *name)
{
	struct quire_output out;
	char path[4096], other[4096];
	int rc;

	for (uint32_t i = 0; name && i < sim->count; i++) {
		quire_sim_path(sim, name, i, path, sizeof(path));
		for (uint32_t k = 0; k < i; k++) {
			quire_sim_path(sim, name, k, other, sizeof(other));
			if (!strcmp(path, other))
				return quire_fail(-EINVAL,
						  "%s: two combinations would both write %s", flag,
						  path);
		}
		rc = quire_output_open(&out, path);
		if (rc)
			return rc;
		quire_output_discard(&out);
	}
	return 0;
}

static int try_all_files(const struct quire_sim_runs *sim)
{
	int rc = try_files(sim, "--csv", sim->args.csv);

	if (rc == 0)
		rc = try_files(sim, "--record", sim->args.record);
	return rc ? rc : try_files(sim, "--perfetto", sim->args.perfetto);
}

/* One line for each rule that a scheduler broke. */
static void warn_faults(const char *command, const struct quire_report *r)
{
#define X(kind, what) what,
	static const char *const what[] = {QUIRE_FAULTS(X)};
#undef X
	char label[2 * QUIRE_REPORT_NAME_MAX + 8];

	quire_report_label(r, label, sizeof(label));
	for (uint32_t i = 0; i < QUIRE_FAULT_COUNT; i++)
		if (r->faults[i].count)
			fprintf(stderr,
				"quire %s: warning: %s %s (%llu times; first in step %llu, "
				"sequence %u)\n",
				command, label, what[i], (unsigned long long)r->faults[i].count,
				(unsigned long long)r->faults[i].first_step,
				r->faults[i].first_seq);
}

/* vLLM refuses it unless told otherwise; papers did it with scaled positions. */
static void warn_long(const char *command, const struct quire_sim_runs *sim)
{
	for (uint32_t i = 0; i < sim->args.models.count; i++) {
		const struct quire_model *m = &sim->models[i];

		if (m->positions_max && sim->args.max_model_len > m->positions_max)
			fprintf(stderr,
				"quire %s: warning: --max-model-len %u is more than the %u "
				"tokens that %s was made for\n",
				command, sim->args.max_model_len, m->positions_max, m->name);
	}
}

/* Figures of no step are dashes. */
static void warn_window(const char *command, const struct quire_sim_runs *sim)
{
	uint32_t empty = 0;
	double last_s = 0;

	for (uint32_t i = 0; i < sim->count; i++) {
		const struct quire_report *r = &sim->reports[i];

		if (!sim->args.windowed || r->end != QUIRE_RUN_FINISHED || r->steps)
			continue;
		empty++;
		last_s = r->time_s > last_s ? r->time_s : last_s;
	}
	if (empty && sim->count == 1)
		fprintf(stderr,
			"quire %s: warning: no step begins in the --window; the run ends at %.6g "
			"s\n",
			command, last_s);
	else if (empty)
		fprintf(stderr,
			"quire %s: warning: of %u of %u runs no step begins in the --window; the "
			"last of them ends at %.6g s\n",
			command, empty, sim->count, last_s);
}

/* A run that refused all its requests served nobody: that is no success. */
static int conclude_served(const char *command, const struct quire_sim_runs *sim)
{
#define X(kind, why) why,
	static const char *const why[] = {QUIRE_REFUSALS(X)};
#undef X
	const struct quire_report *first = NULL;
	char label[2 * QUIRE_REPORT_NAME_MAX + 8];
	uint32_t barren = 0, reason = 0;

	for (uint32_t i = sim->count; i-- > 0;) {
		if (!sim->reports[i].refused || sim->reports[i].finished)
			continue;
		first = &sim->reports[i];
		barren++;
	}
	if (!barren)
		return QUIRE_EXIT_OK;
	for (uint32_t i = 1; i < QUIRE_REFUSED_COUNT; i++)
		if (first->refusals[i] > first->refusals[reason])
			reason = i;
	quire_report_label(first, label, sizeof(label));
	if (sim->count == 1)
		return quire_command_failed(command, "all %u requests were refused: %s%s",
					    first->refused, why[reason],
					    quire_report_pool_limits(first, reason)
						    ? ", which is the whole pool (--kv-slots)"
						    : "");
	return quire_command_failed(command,
				    "in %u of %u runs all requests were refused; the first is %s, "
				    "see above",
				    barren, sim->count, label);
}

/* What went wrong, on stderr.  Return: the exit status. */
static int conclude(const char *command, const struct quire_sim_runs *sim)
{
	static const char *const end_name[] = {"finished", "ejected", "failed", "crashed",
					       "stopped"};
	const struct quire_report *first = NULL;
	char label[2 * QUIRE_REPORT_NAME_MAX + 8];
	bool table = !sim->args.json || strcmp(sim->args.json, "-");
	const char *unwritten = NULL; /* a file of a run that is fine itself */
	uint32_t bad = 0, unable = 0, unfit = 0;

	warn_window(command, sim);
	for (uint32_t i = 0; i < sim->count; i++) {
		const struct quire_report *r = &sim->reports[i];

		warn_faults(command, r);
		if (r->end == QUIRE_RUN_FINISHED && r->sentence[0] && !unwritten)
			unwritten = r->sentence;
		if (r->end == QUIRE_RUN_FINISHED)
			continue;
		first = first ? first : r;
		bad++;
		unable += r->end == QUIRE_RUN_FAILED && isnan(r->time_s); /* did not start */
		unfit += r->unfit;
	}
	if (!bad && unwritten)
		return quire_command_failed(command, "%s", unwritten);
	if (!bad)
		return conclude_served(command, sim);
	quire_report_label(first, label, sizeof(label));
	if (bad == sim->count && unfit == bad)
		return quire_usage_error(command, "%s", first->sentence);
	if (bad == sim->count && unable == bad)
		return quire_command_failed(command, "%s", first->sentence);
	if (sim->count == 1)
		return quire_command_failed(command, "%s %s: %s", label, end_name[first->end],
					    first->sentence);
	return quire_command_failed(command, "%u of %u runs did not finish; the first, %s, %s%s%s",
				    bad, sim->count, label, end_name[first->end],
				    table ? ", see above" : ": ", table ? "" : first->sentence);
}

static int write_reports(const struct quire_sim_runs *sim, struct quire_output *json)
{
	const char *name = sim->args.json;
	struct quire_table_style style = {
		.columns = quire_terminal_columns(stdout, 100),
		.colours = quire_terminal_colours(stdout),
		.utf8 = quire_terminal_utf8(),
	};
	bool whole = sim->count > 1;
	int rc;

	if (name && !strcmp(name, "-"))
		return quire_report_json(stdout, sim->reports, sim->count, whole);
	if (name) {
		rc = quire_report_json(json->file, sim->reports, sim->count, whole);
		if (rc == 0)
			rc = quire_output_commit(json);
		if (rc)
			return rc;
	}
	if (sim->count == 1 && sim->reports->end != QUIRE_RUN_FINISHED &&
	    sim->reports->end != QUIRE_RUN_STOPPED)
		return 0; /* the line on stderr says it all */
	return quire_report_table(stdout, sim->reports, sim->count, &style);
}

static void tell_files(const char *command, const struct quire_sim_runs *sim, const char *flag,
		       const char *name)
{
	char path[4096];

	if (!name || sim->count == 1)
		return;
	quire_sim_path(sim, name, 0, path, sizeof(path));
	fprintf(stderr, "quire %s: %s wrote a file for each combination, the first is %s\n",
		command, flag, path);
}

/* A flag that cannot be is the user's; the rest is a failure. */
static int complain(const char *command, int rc)
{
	if (rc == -EINVAL)
		return quire_usage_error(command, "%s", quire_failure());
	return quire_command_failed(command, "%s", quire_failure());
}

int quire_sim_ready(struct quire_sim_runs *sim, const char *command)
{
	int rc = quire_sim_find(sim);

	if (rc == 0)
		rc = try_all_files(sim);
	if (rc == 0)
		rc = quire_output_try(sim->args.json);
	if (rc == 0)
		rc = quire_output_try(sim->args.report);
	return rc ? complain(command, rc) : QUIRE_EXIT_OK;
}

int quire_sim_go(struct quire_sim_runs *sim, int argc, char **argv)
{
	struct quire_output json = {0};
	struct quire_sim_report report = {0};
	struct quire_sweep sweep = {.arg = sim, .prepare = quire_sim_prepare, .run = quire_sim_run};
	bool unfit = false;
	int rc;

	rc = quire_sim_ready(sim, argv[0]);
	if (rc)
		return rc;
	if (!sim->bench)
		warn_long(argv[0], sim);
	sim->reports = calloc(sim->count, sizeof(*sim->reports));
	if (!sim->reports)
		return quire_command_failed(argv[0], "no memory for %u reports", sim->count);
	sim->workload_index = UINT32_MAX;
	if (sim->args.json && strcmp(sim->args.json, "-"))
		rc = quire_output_open(&json, sim->args.json);
	if (rc == 0)
		rc = quire_sim_report_open(&report, sim, argc, argv);
	if (rc == 0) {
		sweep.extras = sim->plots;
		sweep.extra_size = sim->plots ? sizeof(*sim->plots) : 0;
		sweep.count = sim->count;
		sweep.jobs = sim->args.jobs;
		sweep.reports = sim->reports;
		sweep.isolation = sim->args.isolate ? &sim->args.isolation : NULL;
		sweep.progress = isatty(STDERR_FILENO) ? stderr : NULL;
		rc = quire_sweep_run(&sweep);
		unfit = rc == -EINVAL; /* the workload, as it is asked for */
	}
	if (sim->bench)
		quire_bench_tell(sim->bench, stderr);
	if (rc == 0)
		rc = write_reports(sim, &json);
	if (rc == 0)
		rc = quire_sim_report_write(&report, sim);
	if (rc == -EINTR)
		rc = quire_command_failed(argv[0], "stopped by a signal; no report was written");
	else if (rc)
		rc = complain(argv[0], unfit ? -EINVAL : -EIO);
	else
		rc = conclude(argv[0], sim);
	if (rc == QUIRE_EXIT_OK) {
		tell_files(argv[0], sim, "--csv", sim->args.csv);
		tell_files(argv[0], sim, "--record", sim->args.record);
		tell_files(argv[0], sim, "--perfetto", sim->args.perfetto);
	}
	quire_output_discard(&json);
	quire_sim_report_free(&report, sim);
	quire_workload_free(&sim->workload);
	free(sim->reports);
	return rc;
}

int quire_cmd_sim(int argc, char **argv)
{
	static struct quire_sim_runs sim; /* big */
	int rc = quire_sim_args_read(&sim.args, argc, argv);

	if (rc)
		return rc > 0 ? QUIRE_EXIT_OK : QUIRE_EXIT_USAGE;
	return quire_sim_go(&sim, argc, argv);
}
