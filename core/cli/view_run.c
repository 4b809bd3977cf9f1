/*
 * view_run.c - see view_run.h.
 */
#include "view_run.h"

#include "cli.h"
#include "core/util.h"
#include "sim_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORDS_MAX 128
#define WAIT_NS	  2000000 /* between two looks whether a run has begun */

/* It is read, but not looked up. */
static int check(const struct quire_sim_runs *sim)
{
	if (sim->args.isolate)
		return quire_fail(-EINVAL, "--live and lessons run in this process, and --isolate "
					   "asks for another: leave it out");
	return 0;
}

int quire_view_run_read(struct quire_view_run *run, int argc, char **argv)
{
	int rc;

	*run = (struct quire_view_run){.argc = argc, .argv = argv, .status = QUIRE_EXIT_FAILURE};
	run->sim = calloc(1, sizeof(*run->sim));
	if (!run->sim) {
		quire_command_failed("view", "no memory for a run");
		return -ENOMEM;
	}
	optind = 0; /* a new command line */
	rc = quire_sim_args_read(&run->sim->args, argc, argv);
	if (rc)
		return rc;
	rc = check(run->sim);
	run->sim->args.jobs = 0;
	if (rc == 0)
		rc = quire_sim_find(run->sim);
	if (rc == 0 && run->sim->count > QUIRE_VIEW_RUNS_MAX)
		rc = quire_fail(-EINVAL, "these are %u runs; --live shows one, or two side by side",
				run->sim->count);
	for (; rc == 0 && run->count < run->sim->count; run->count += rc == 0)
		rc = quire_live_new(&run->lives[run->count], 0);
	if (rc)
		quire_usage_error("view", "%s", quire_failure());
	run->sim->lives = run->lives;
	return rc;
}

static void *thread_main(void *arg)
{
	struct quire_view_run *run = arg;

	run->status = quire_sim_go(run->sim, run->argc, run->argv);
	fflush(stdout); /* the report, while the window is still open */
	atomic_store(&run->over, true);
	return NULL;
}

int quire_view_run_start(struct quire_view_run *run)
{
	int error = pthread_create(&run->thread, NULL, thread_main, run);

	if (error)
		return quire_fail(-error, "cannot start a thread: %s", strerror(error));
	run->started = true;
	return 0;
}

bool quire_view_run_begun(struct quire_view_run *run, uint32_t i)
{
	const struct timespec pause = {0, WAIT_NS};
	bool over = false;

	while (!quire_live_begun(run->lives[i]) && !over) {
		over = atomic_load(&run->over); /* before one last look */
		nanosleep(&pause, NULL);
	}
	return quire_live_begun(run->lives[i]);
}

int quire_view_run_end(struct quire_view_run *run)
{
	if (run->started)
		pthread_join(run->thread, NULL);
	run->started = false;
	return run->status;
}

void quire_view_run_free(struct quire_view_run *run)
{
	for (uint32_t i = 0; i < run->count; i++)
		quire_live_free(run->lives[i]);
	free(run->sim);
	*run = (struct quire_view_run){.sim = NULL};
}

/* ---- lessons ---- */

/* Words between blanks; '..' and ".." hold some together.  @line is cut into pieces. */
static int split(char *line, char **words, int max)
{
	char *to = line, quote;
	int count = 0;

	for (;;) {
		line += strspn(line, " \t");
		if (!*line)
			return count;
		if (count == max)
			return quire_fail(-EINVAL, "a run of more than %d words", max);
		words[count++] = to;
		for (quote = 0; *line && (quote || !strchr(" \t", *line)); line++) {
			if (*line == quote)
				quote = 0;
			else if (!quote && (*line == '\'' || *line == '"'))
				quote = *line;
			else
				*to++ = *line;
		}
		line += *line != 0;
		*to++ = 0;
	}
}

static int run_one(struct quire_sim_runs *sim, struct quire_live **live)
{
	struct quire_report *report = calloc(1, sizeof(*report));
	int rc = report ? 0 : quire_fail(-ENOMEM, "no memory for a report");

	sim->reports = report;
	sim->lives = live;
	sim->workload_index = UINT32_MAX;
	if (rc == 0)
		rc = quire_sim_prepare(sim, 0);
	if (rc == 0)
		quire_sim_run(sim, 0, NULL);
	if (rc >= 0 && report->end != QUIRE_RUN_FINISHED)
		rc = quire_fail(-EINVAL, "%s", report->sentence);
	quire_workload_free(&sim->workload);
	free(report);
	return rc;
}

static int read_words(struct quire_sim_args *args, int argc, char **argv)
{
	int i, rc = 0;

	quire_sim_args_init(args);
	optind = 0;
	while (rc == 0 && (i = quire_next_option(argc, argv, quire_sim_options)) >= 0)
		rc = quire_sim_arg(args, quire_sim_options[i].name, optarg);
	if (rc == 0 && (i == QUIRE_OPTION_BAD || optind < argc))
		rc = quire_fail(-EINVAL, "expected options of quire sim");
	return rc ? rc : quire_sim_args_complete(args);
}

int quire_view_run_quietly(const char *line, struct quire_live **out)
{
	struct quire_sim_runs *sim = calloc(1, sizeof(*sim));
	char name[] = "sim", *copy = strdup(line), *words[WORDS_MAX + 1] = {name};
	int count = 0, rc = -ENOMEM;

	*out = NULL;
	if (sim && copy)
		rc = quire_live_new(out, 0);
	else
		quire_fail(rc, "no memory for a run");
	if (rc == 0) {
		count = split(copy, words + 1, WORDS_MAX - 1);
		rc = count < 0 ? count : read_words(&sim->args, count + 1, words);
	}
	if (rc == 0)
		rc = check(sim);
	if (rc == 0)
		rc = quire_sim_find(sim);
	if (rc == 0 && sim->count != 1)
		rc = quire_fail(-EINVAL, "these are %u runs; a line of a lesson is one",
				sim->count);
	if (rc == 0)
		rc = run_one(sim, out);
	if (rc) {
		quire_live_free(*out);
		*out = NULL;
	}
	free(copy);
	free(sim);
	return rc;
}
