/*
 * sim_run.h - one combination of what the command line of "quire sim" names.
 *
 * Combinations are numbered with the allocator turning fastest, then scheduler,
 * tp, GPU, model, seed, and the rate slowest: runs of one workload are neighbours,
 * so that it is loaded once, just before the first of them starts.
 */
#ifndef QUIRE_SIM_RUN_H
#define QUIRE_SIM_RUN_H

#include "core/sim/gpu.h"
#include "core/trace/report.h"
#include "core/trace/series.h"
#include "sim_args.h"

struct quire_module_names {
	char full[QUIRE_REPORT_NAME_MAX];
	char label[QUIRE_REPORT_NAME_MAX];
};

struct quire_bench; /* bench_run.h */
struct quire_live;  /* visualize/live.h */

struct quire_sim_runs {
	struct quire_sim_args args;
	struct quire_bench *bench; /* a real executor; NULL: the simulator */
	struct quire_live **lives; /* [count] who watches the runs; NULL: nobody */
	struct quire_model models[QUIRE_REPEATS_MAX];
	struct quire_gpu gpus[QUIRE_REPEATS_MAX];
	struct quire_module_names schedulers[QUIRE_REPEATS_MAX];
	struct quire_module_names allocators[QUIRE_REPEATS_MAX];
	uint32_t count;			/* combinations */
	uint32_t workload_runs;		/* of one workload */
	struct quire_workload workload; /* of the runs that start now */
	uint32_t workload_index;	/* which it is; UINT32_MAX: none yet */
	struct quire_report *reports;	/* [count] */
	struct quire_plot *plots;	/* [count], for charts; NULL: nobody asked */
};

/* Look everything up that args name, so that a wrong name is found before anything
 * runs, and count the combinations.  Return: 0; -EINVAL; -EIO a file is there, and
 * broken; with a sentence. */
int quire_sim_find(struct quire_sim_runs *sim);

/*
 * Find all that args name, and see that the files can be written: what is wrong is said
 * on stderr before anything takes long.  Return: the exit status.
 */
int quire_sim_ready(struct quire_sim_runs *sim, const char *command);

/*
 * Find, run and report all of them, of a command line that was read into sim->args.
 * Return: the exit status.
 */
int quire_sim_go(struct quire_sim_runs *sim, int argc, char **argv);

/* The functions of struct quire_sweep; @arg is the struct quire_sim_runs. */
int quire_sim_prepare(void *arg, uint32_t index);
void quire_sim_run(void *arg, uint32_t index, void *progress);

/* Where a file of one run goes that the user calls @name: "out.csv", or of several
 * runs "out.static-paged.csv". */
void quire_sim_path(const struct quire_sim_runs *sim, const char *name, uint32_t index, char *path,
		    size_t size);

#endif /* QUIRE_SIM_RUN_H */
