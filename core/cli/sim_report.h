/*
 * sim_report.h - what "quire sim" writes for the eye: --report and --plot.
 */
#ifndef QUIRE_SIM_REPORT_H
#define QUIRE_SIM_REPORT_H

#include "output.h"
#include "sim_run.h"

struct quire_sim_report {
	struct quire_output html; /* empty: not asked for */
	char *command;		  /* owned */
};

/*
 * Before the runs: find out that the files can be written, make the folder, and room
 * for what charts need (sim->plots).  Nothing happens if neither is asked for.
 * Return: 0; -errno with a sentence in quire_failure().
 */
int quire_sim_report_open(struct quire_sim_report *report, struct quire_sim_runs *sim, int argc,
			  char *const *argv);
/* After them: write.  Errors as above. */
int quire_sim_report_write(struct quire_sim_report *report, struct quire_sim_runs *sim);
void quire_sim_report_free(struct quire_sim_report *report, struct quire_sim_runs *sim);

#endif /* QUIRE_SIM_REPORT_H */
