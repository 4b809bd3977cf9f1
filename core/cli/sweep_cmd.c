/*
 * sweep_cmd.c - "quire sweep": the combinations of a grid, on all cores or under
 * mpirun, into one CSV that an interrupted sweep goes on with.
 *
 * A combination is run by what runs those of "quire sim", see sim_run.h; here it is
 * always a sim of one run, made ready when its turn comes.
 */
#include "cli.h"

#include "grid.h"
#include "module_text.h"
#include "output.h"
#include "ranks.h"
#include "sim_run.h"
#include "sweep.h"
#include "sweep_csv.h"
#include "sweep_html.h"
#include "sweep_summary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS_MAX 96

/* Flags of quire sim that say nothing about a run. */
static const char *const others[] = {
	"json", "csv",	   "record",	      "perfetto",    "report",	"plot",
	"jobs", "isolate", "isolate-seconds", "isolate-mib", "summary", "fresh",
	"help", NULL};

static const struct option own_options[] = {
	{"summary", required_argument, NULL, 0},
	{"fresh", no_argument, NULL, 0},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: quire sweep [FILE] --csv FILE [OPTIONS]\n"
	"       mpirun -n RANKS quire sweep [FILE] --csv FILE [OPTIONS]\n"
	"\n"
	"Run all combinations of a grid in the simulator, on all cores or on all ranks of an\n"
	"MPI job, and write a row for each.  A sweep that was stopped goes on where it was\n"
	"when the same command is given again.\n"
	"\n"
	"The grid: every flag of 'quire sim' that says something about a run, each with one\n"
	"value or several, here or in FILE, which has lines of\n"
	"\n"
	"  # comment\n"
	"  scheduler = continuous, splitfuse,budget=512      a piece with = is an option of\n"
	"  rate = 2, 4, 8                                    the value before it\n"
	"  seeds = 0:9\n"
	"\n"
	"A flag here takes the place of the file's lines of it.  'quire sim --help' tells the\n"
	"flags.\n"
	"\n"
	"Output\n"
	"  --csv FILE             a row for each run, with every figure of the report\n"
	"  --summary FILE         a row for each combination: means over the seeds, and half\n"
	"                         the 95 % interval of each [with several seeds: --csv FILE\n"
	"                         with .summary before its ending]\n"
	"  --report FILE.html     the table, and charts along the rate or another flag of\n"
	"                         numbers that has several\n"
	"  --fresh                begin anew: forget the rows that --csv FILE has\n"
	"\n"
	"How it runs\n"
	"  --jobs N               runs at the same time [all cores]; 0: one by one, in this\n"
	"                         process; under mpirun its -n tells\n"
	"  --isolate              see quire sim; not under mpirun\n"
	"  --isolate-seconds S, --isolate-mib N\n"
	"  --help                 this text\n";

struct sweep {
	const char *csv_path, *summary_path, *html_path; /* NULL: not given */
	bool fresh, jobs_given;
	struct quire_sim_args common; /* what is not of a run: jobs, isolate */

	struct quire_grid grid;
	uint32_t inner; /* combinations of one workload */
	struct quire_sweep_csv csv;

	uint32_t *list;		      /* [list_count] combinations to run, by index of run */
	struct quire_report *reports; /* [list_count] */
	struct quire_sim_runs sim;    /* the run that starts now */
	uint32_t workload;	      /* which it has; UINT32_MAX: none yet */
};

/* ---- what to run ---- */

static int set_axis(struct quire_sim_args *args, const struct quire_grid_axis *axis, uint32_t i)
{
	const char *value = axis->values[i].text;

	if (!axis->bare)
		return quire_sim_arg(args, axis->flag, value);
	return strcmp(value, "on") ? 0 : quire_sim_arg(args, axis->flag, NULL);
}

/* What a flag alone cannot tell: is there a model, a GPU, a module of this name? */
static int check_name(struct sweep *s, const char *flag, const char *value)
{
	struct quire_module_names *names = s->sim.schedulers;

	if (!strcmp(flag, "trace") && !strcmp(value, "-"))
		return quire_fail(-EINVAL, "--trace -: a sweep reads its traces more than once; "
					   "give a file");
	if (!strcmp(flag, "model"))
		return quire_model_find(s->sim.models, value);
	if (!strcmp(flag, "gpu"))
		return quire_gpu_find(s->sim.gpus, value);
	if (!strcmp(flag, "scheduler"))
		return quire_module_settings(QUIRE_SCHED, value, names->full, names->label,
					     sizeof(names->full));
	if (!strcmp(flag, "allocator"))
		return quire_module_settings(QUIRE_KV, value, names->full, names->label,
					     sizeof(names->full));
	return 0;
}

/* One value alone. */
static int check_value(struct sweep *s, uint32_t axis, uint32_t i)
{
	const struct quire_grid_value *value = &s->grid.axes[axis].values[i];
	char sentence[QUIRE_REPORT_SENTENCE_MAX];
	int rc;

	quire_sim_args_init(&s->sim.args);
	rc = set_axis(&s->sim.args, &s->grid.axes[axis], i);
	if (rc == 0)
		rc = check_name(s, s->grid.axes[axis].flag, value->text);
	if (rc == 0 || !value->line)
		return rc;
	snprintf(sentence, sizeof(sentence), "%s", quire_failure());
	return quire_fail(rc, "%s:%u: %s", s->grid.path, value->line, sentence);
}

/* Does it go together with the first values of all other axes? */
static int check_together(struct sweep *s, uint32_t axis, uint32_t i)
{
	int rc = 0;

	quire_sim_args_init(&s->sim.args);
	for (uint32_t a = 0; rc == 0 && a < s->grid.axes_count; a++)
		if (s->grid.axes[a].count)
			rc = set_axis(&s->sim.args, &s->grid.axes[a], a == axis ? i : 0);
	return rc ? rc : quire_sim_args_complete(&s->sim.args);
}

/* A wrong value is found before anything runs. */
static int check_grid(struct sweep *s)
{
	const size_t workload_flags =
		sizeof((struct option[]){QUIRE_WORKLOAD_LONG_OPTIONS}) / sizeof(struct option);
	uint64_t count = quire_grid_count(&s->grid, 0);
	uint32_t inner = 0;
	int rc = 0;

	for (uint32_t a = 0; a < s->grid.axes_count; a++)
		for (uint32_t i = 0; i < s->grid.axes[a].count && rc == 0; i++)
			rc = check_value(s, a, i);
	if (rc == 0)
		rc = check_together(s, 0, 0);
	for (uint32_t a = 0; a < s->grid.axes_count; a++)
		for (uint32_t i = 1; i < s->grid.axes[a].count && rc == 0; i++)
			rc = check_together(s, a, i);
	if (rc)
		return rc;
	if (count > QUIRE_GRID_MAX)
		return quire_fail(-EINVAL, "these are %.4g combinations; at most %d are run",
				  (double)count, QUIRE_GRID_MAX);
	for (size_t i = 0; i < workload_flags && inner < s->grid.axes_count; i++)
		inner += !strcmp(quire_sim_options[i].name, s->grid.axes[inner].flag);
	s->inner = (uint32_t)quire_grid_count(&s->grid, inner);
	return 0;
}

/* See quire_sweep.prepare. */
static int prepare(void *arg, uint32_t i)
{
	struct sweep *s = arg;
	const uint32_t index = s->list[i];
	int rc = 0;

	quire_sim_args_init(&s->sim.args);
	for (uint32_t a = 0; rc == 0 && a < s->grid.axes_count; a++)
		if (s->grid.axes[a].count)
			rc = set_axis(&s->sim.args, &s->grid.axes[a],
				      quire_grid_pick(&s->grid, a, index));
	if (rc == 0)
		rc = quire_sim_args_complete(&s->sim.args);
	if (rc == 0)
		rc = quire_sim_find(&s->sim);
	if (rc)
		return rc;
	if (s->workload != index / s->inner)
		s->sim.workload_index = UINT32_MAX;
	s->workload = index / s->inner;
	s->sim.reports = &s->reports[i];
	return quire_sim_prepare(&s->sim, 0);
}

static void run(void *arg, uint32_t i, void *progress)
{
	struct sweep *s = arg;

	(void)i; /* it is the one that was prepared */
	quire_sim_run(&s->sim, 0, progress);
}

static int done(void *arg, uint32_t i)
{
	struct sweep *s = arg;

	return quire_sweep_csv_add(&s->csv, s->list[i], &s->reports[i]);
}

/* ---- what is said about it ---- */

/* "out.csv": "out.summary.csv"; to be freed */
static char *default_summary(const char *csv)
{
	const char *slash = strrchr(csv, '/'), *dot = strrchr(slash ? slash : csv, '.');
	size_t size = strlen(csv) + sizeof(".summary.csv");
	char *path = malloc(size);

	if (path)
		snprintf(path, size, "%.*s.summary%s", dot ? (int)(dot - csv) : (int)strlen(csv),
			 csv, dot ? dot : ".csv");
	return path;
}

static int write_summary(const struct sweep *s, const struct quire_sweep_summary *summary)
{
	char *path = NULL;
	int rc;

	if (s->summary_path)
		return quire_sweep_summary_write(summary, s->summary_path);
	if (s->grid.axes[s->grid.seed].count < 2)
		return 0;
	path = default_summary(s->csv_path);
	rc = path ? quire_sweep_summary_write(summary, path)
		  : quire_fail(-ENOMEM, "no memory for the summary");
	free(path);
	return rc;
}

static int write_html(const struct sweep *s, const struct quire_sweep_summary *summary)
{
	struct quire_output out;
	int rc = s->html_path ? quire_output_open(&out, s->html_path) : 0;

	if (rc || !s->html_path)
		return rc;
	rc = quire_sweep_html(out.file, summary);
	if (rc == 0)
		return quire_output_commit(&out);
	quire_output_discard(&out);
	return rc;
}

/* mpirun shows us a terminal, whatever is behind it. */
static int write_all(struct sweep *s, bool ranks)
{
	struct quire_table_style style = {
		.columns = ranks ? 100 : quire_terminal_columns(stdout, 100),
		.colours = !ranks && quire_terminal_colours(stdout),
		.utf8 = quire_terminal_utf8(),
	};
	struct quire_sweep_summary summary;
	int rc = quire_sweep_csv_sort(&s->csv);

	if (rc)
		return rc;
	rc = quire_sweep_summary_make(&summary, &s->csv);
	if (rc == 0)
		rc = write_summary(s, &summary);
	if (rc == 0)
		rc = write_html(s, &summary);
	if (rc == 0)
		rc = quire_sweep_table(stdout, &summary, &style);
	quire_sweep_summary_free(&summary);
	return rc;
}

/* Of runs that did not finish, in this sweep, tell the first.  Return: exit status. */
static int conclude(const struct sweep *s, uint32_t list_count)
{
	static const char *const end_name[] = {"finished", "ejected", "failed", "crashed",
					       "stopped"};
	uint32_t bad = 0, first = 0;

	for (uint32_t i = list_count; i-- > 0;) {
		if (s->reports[i].end == QUIRE_RUN_FINISHED)
			continue;
		bad++;
		first = i;
	}
	if (!bad)
		return QUIRE_EXIT_OK;
	return quire_command_failed("sweep", "%u of %u runs did not finish; the first, %s, %s: %s",
				    bad, s->csv.count, s->csv.keys[s->list[first]],
				    end_name[s->reports[first].end], s->reports[first].sentence);
}

static void tell_resumed(const struct sweep *s, uint32_t list_count)
{
	if (list_count < s->csv.count)
		fprintf(stderr,
			"quire sweep: %s has %u of %u runs already; they are not run again "
			"(--fresh begins anew)\n",
			s->csv_path, s->csv.count - list_count, s->csv.count);
	if (s->csv.foreign_count)
		fprintf(stderr,
			"quire sweep: note: %s keeps %u rows that are not of this grid, at its "
			"end\n",
			s->csv_path, s->csv.foreign_count);
}

/* ---- the command ---- */

static int check_outputs(const struct sweep *s)
{
	const struct quire_named_file files[] = {
		{"--csv", s->csv_path},
		{"--summary", s->summary_path},
		{"--report", s->html_path},
	};
	int rc = quire_check_files(files, sizeof(files) / sizeof(*files));

	return rc || !s->html_path ? rc : quire_check_page("--report", s->html_path);
}

/* Return: 0; 1 help was printed; -EINVAL, said on stderr. */
static int read_args(struct sweep *s, int argc, char **argv)
{
	static struct option options[OPTIONS_MAX];
	uint32_t n = 0;
	int i, rc = 0;

	for (const struct option *o = quire_sim_options; o->name && n < OPTIONS_MAX - 4; o++)
		options[n++] = *o;
	for (const struct option *o = own_options; o->name; o++)
		options[n++] = *o;
	quire_grid_init(&s->grid, options, others);
	quire_sim_args_init(&s->common);
	while (rc == 0 && (i = quire_next_option(argc, argv, options)) >= 0) {
		const char *flag = options[i].name;

		if (!strcmp(flag, "help")) {
			fputs(help, stdout);
			return 1;
		}
		if (!strcmp(flag, "csv"))
			s->csv_path = optarg;
		else if (!strcmp(flag, "summary"))
			s->summary_path = optarg;
		else if (!strcmp(flag, "report"))
			s->html_path = optarg;
		else if (!strcmp(flag, "fresh"))
			s->fresh = true;
		else if (!strcmp(flag, "jobs") || !strncmp(flag, "isolate", 7))
			rc = quire_sim_arg(&s->common, flag, optarg);
		else
			rc = quire_grid_add(&s->grid, flag, optarg);
		s->jobs_given |= !strcmp(flag, "jobs");
	}
	if (rc == 0 && i == QUIRE_OPTION_BAD)
		return -EINVAL;
	if (rc == 0 && optind + 1 < argc)
		rc = quire_fail(-EINVAL, "expected one file, found '%s' behind it",
				argv[optind + 1]);
	if (rc == 0 && optind < argc)
		rc = quire_grid_read(&s->grid, argv[optind]);
	if (rc == 0 && (!s->csv_path || !strcmp(s->csv_path, "-")))
		rc = quire_fail(-EINVAL, "where to? add --csv FILE: rows are kept there as runs "
					 "end, and a sweep that was stopped goes on from it");
	if (rc == 0)
		rc = check_outputs(s);
	if (rc == 0 && s->common.isolate && s->common.jobs == 0)
		rc = quire_fail(-EINVAL, "--isolate needs processes, and --jobs 0 asks for none");
	if (rc == 0)
		rc = check_grid(s);
	if (rc == 0)
		return 0;
	quire_usage_error(argv[0], "%s", quire_failure());
	return -EINVAL;
}

/* Which combinations are to be run; on rank 0, which alone reads and writes. */
static int make_list(struct sweep *s, uint32_t *list_count)
{
	int rc = quire_sweep_csv_open(&s->csv, &s->grid, s->csv_path, s->fresh);

	for (uint32_t i = 0; rc == 0 && i < s->csv.count; i++)
		if (!s->csv.rows[i])
			s->list[(*list_count)++] = i;
	return rc;
}

static int run_all(struct sweep *s, bool ranks)
{
	const uint32_t count = (uint32_t)quire_grid_count(&s->grid, 0);
	struct quire_sweep sweep = {
		.arg = s, .prepare = prepare, .run = run, .jobs = s->common.jobs};
	int rc = 0;

	s->list = calloc(count, sizeof(*s->list));
	s->reports = calloc(count, sizeof(*s->reports));
	if (!s->list || !s->reports)
		rc = quire_fail(-ENOMEM, "no memory for %u reports", count);
	sweep.reports = s->reports;
	sweep.isolation = s->common.isolate ? &s->common.isolation : NULL;
	if (rc == 0 && quire_ranks_mine() == 0) {
		rc = make_list(s, &sweep.count);
		sweep.before = count - sweep.count;
		sweep.done = done;
		sweep.progress = !ranks && isatty(STDERR_FILENO) ? stderr : NULL;
	}
	if (ranks)
		rc = quire_ranks_agree(rc);
	if (rc == 0 && quire_ranks_mine() == 0)
		tell_resumed(s, sweep.count);
	if (rc == 0)
		rc = ranks ? quire_ranks_run(&sweep, s->list) : quire_sweep_run(&sweep);
	if (quire_ranks_mine())
		return QUIRE_EXIT_OK;
	if (rc == 0)
		rc = write_all(s, ranks);
	if (rc == -EINTR)
		return quire_command_failed("sweep",
					    "stopped by a signal; %s has the runs that ended, and "
					    "the same command goes on there",
					    s->csv_path);
	if (rc)
		return quire_command_failed("sweep", "%s", quire_failure());
	return conclude(s, sweep.count);
}

/* All ranks read the same command line: rank 0 alone talks about it. */
static int read_args_quietly(struct sweep *s, int argc, char **argv)
{
	const int err = dup(STDERR_FILENO), out = dup(STDOUT_FILENO);
	const int null = open("/dev/null", O_WRONLY);
	int rc;

	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	rc = read_args(s, argc, argv);
	fflush(NULL);
	if (err >= 0 && out >= 0) {
		dup2(err, STDERR_FILENO);
		dup2(out, STDOUT_FILENO);
		close(err);
		close(out);
	}
	return rc;
}

/* The same on several ranks, with what goes wrong on one of them only. */
static int read_args_on_ranks(struct sweep *s, int argc, char **argv)
{
	int rc, all;

	rc = quire_ranks_mine() ? read_args_quietly(s, argc, argv) : read_args(s, argc, argv);
	all = quire_ranks_agree(rc);
	if (all && !rc && !quire_ranks_mine())
		quire_usage_error(argv[0], "%s", quire_failure());
	if (all)
		return all;
	if (!s->jobs_given && !s->common.isolate)
		return 0;
	if (!quire_ranks_mine())
		quire_usage_error(argv[0],
				  "--%s is not for mpirun: a rank is one process, and -n tells how "
				  "many there are",
				  s->jobs_given ? "jobs" : "isolate");
	return -EINVAL;
}

int quire_cmd_sweep(int argc, char **argv)
{
	static struct sweep s; /* big */
	const int ranks = quire_ranks_start(&argc, &argv);
	int rc;

	if (ranks < 0)
		return quire_command_failed(argv[0], "%s", quire_failure());
	s.workload = s.sim.workload_index = UINT32_MAX;
	s.csv.fd = -1;
	rc = ranks > 1 ? read_args_on_ranks(&s, argc, argv) : read_args(&s, argc, argv);
	if (rc)
		rc = rc > 0 ? QUIRE_EXIT_OK : QUIRE_EXIT_USAGE;
	else
		rc = run_all(&s, ranks > 1);
	quire_sweep_csv_free(&s.csv);
	quire_workload_free(&s.sim.workload);
	quire_grid_free(&s.grid);
	free(s.list);
	free(s.reports);
	quire_ranks_stop();
	return rc;
}
