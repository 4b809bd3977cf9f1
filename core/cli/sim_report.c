/*
 * sim_report.c - see sim_report.h.
 */
#include "sim_report.h"

#include "core/trace/html.h"
#include "plots.h"

#include <errno.h>
#include <stdlib.h>

int quire_sim_report_open(struct quire_sim_report *report, struct quire_sim_runs *sim, int argc,
			  char *const *argv)
{
	int rc = 0;

	if (!sim->args.report && !sim->args.plot)
		return 0;
	if (sim->args.report)
		rc = quire_output_open(&report->html, sim->args.report);
	if (rc == 0 && sim->args.plot)
		rc = quire_plots_folder(sim->args.plot);
	if (rc)
		return rc;
	report->command = quire_plots_command(argc, argv);
	if (!report->command)
		return quire_fail(-ENOMEM, "no memory for the report");
	sim->plots = calloc(sim->count, sizeof(*sim->plots));
	return sim->plots ? 0
			  : quire_fail(-ENOMEM, "no memory for the charts of %u runs", sim->count);
}

static int plot(const struct quire_runs *runs, const char *folder)
{
	struct quire_chart_view *view = quire_chart_view_new(runs);
	struct quire_figure f;
	int rc = view ? 0 : -ENOMEM;

	for (uint32_t i = 0; rc == 0 && i < QUIRE_RUN_FIGURE_COUNT; i++) {
		rc = quire_run_figure(&f, i, view);
		if (rc > 0)
			rc = quire_plots_write(&f, folder);
		quire_figure_free(&f);
	}
	quire_chart_view_free(view);
	return rc;
}

int quire_sim_report_write(struct quire_sim_report *report, struct quire_sim_runs *sim)
{
	const struct quire_html page = {
		.runs = {.reports = sim->reports, .plots = sim->plots, .count = sim->count},
		.command = report->command,
	};
	int rc = 0;

	if (!sim->plots)
		return 0;
	for (uint32_t i = 0; i < sim->count; i++)
		quire_plot_check(&sim->plots[i]);
	if (sim->args.report) {
		rc = quire_report_html(report->html.file, &page);
		if (rc == 0)
			rc = quire_output_commit(&report->html);
	}
	if (rc == 0 && sim->args.plot)
		rc = plot(&page.runs, sim->args.plot);
	return rc;
}

void quire_sim_report_free(struct quire_sim_report *report, struct quire_sim_runs *sim)
{
	quire_output_discard(&report->html);
	free(report->command);
	free(sim->plots);
	sim->plots = NULL;
}
