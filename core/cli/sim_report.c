/*
 * sim_report.c - see sim_report.h.
 */
#include "sim_report.h"

#include "core/trace/html.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "quire sim --model llama-3-8b", with quotes around what a shell would take apart. */
static char *join(int argc, char *const *argv)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_=,./:+@%";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("quire", out);
	for (int i = 0; i < argc; i++) {
		const char *quote = argv[i][0] && !argv[i][strspn(argv[i], plain)] ? "" : "'";

		fprintf(out, " %s%s%s", quote, argv[i], quote);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static int make_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		return quire_fail(-errno, "--plot: cannot make the folder %s: %s", path,
				  strerror(errno));
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return quire_fail(-ENOTDIR, "--plot: %s is no folder", path);
	if (access(path, W_OK | X_OK) != 0)
		return quire_fail(-errno, "--plot: cannot write into %s: %s", path,
				  strerror(errno));
	return 0;
}

int quire_sim_report_open(struct quire_sim_report *report, struct quire_sim_runs *sim, int argc,
			  char *const *argv)
{
	int rc = 0;

	if (!sim->args.report && !sim->args.plot)
		return 0;
	if (sim->args.report)
		rc = quire_output_open(&report->html, sim->args.report);
	if (rc == 0 && sim->args.plot)
		rc = make_folder(sim->args.plot);
	if (rc)
		return rc;
	report->command = join(argc, argv);
	if (!report->command)
		return quire_fail(-ENOMEM, "no memory for the report");
	sim->plots = calloc(sim->count, sizeof(*sim->plots));
	return sim->plots ? 0
			  : quire_fail(-ENOMEM, "no memory for the charts of %u runs", sim->count);
}

static int plot_figure(const struct quire_figure *f, const char *folder)
{
	struct quire_output out;
	char path[4096];
	int rc = 0;

	for (enum quire_format format = 0; rc == 0 && format < QUIRE_FORMATS; format++) {
		snprintf(path, sizeof(path), "%s/%s.%s", folder, f->name,
			 quire_format_ending[format]);
		rc = quire_output_open(&out, path);
		if (rc)
			return rc;
		rc = quire_figure_write(f, out.file, format, true);
		if (rc)
			quire_output_discard(&out);
		else
			rc = quire_output_commit(&out);
	}
	return rc;
}

static int plot(const struct quire_runs *runs, const char *folder)
{
	struct quire_chart_view *view = quire_chart_view_new(runs);
	struct quire_figure f;
	int rc = view ? 0 : -ENOMEM;

	for (uint32_t i = 0; rc == 0 && i < QUIRE_RUN_FIGURE_COUNT; i++) {
		rc = quire_run_figure(&f, i, view);
		if (rc > 0)
			rc = plot_figure(&f, folder);
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
