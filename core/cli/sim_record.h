/*
 * sim_record.h - the files that a run of "quire sim" writes about its events:
 * --record and --perfetto; and who watches it, quire view --live.
 *
 *	struct quire_sim_record rec;
 *
 *	rc = quire_sim_record_open(&rec, sim, index, &tee);
 *	... quire_loop_new() ...
 *	quire_sim_record_begin(&rec, &config, sim, index);
 *	... quire_loop_run(), the report ...
 *	quire_sim_record_close(&rec, report);
 */
#ifndef QUIRE_SIM_RECORD_H
#define QUIRE_SIM_RECORD_H

#include "core/loop.h"
#include "core/trace/perfetto.h"
#include "core/trace/record_write.h"
#include "core/trace/tee.h"
#include "sim_run.h"

struct quire_sim_record {
	struct quire_recorder *recorder; /* NULL: not asked for */
	struct quire_perfetto *perfetto; /* likewise */
	struct quire_live *live;	 /* borrowed; NULL: nobody watches */
	bool incomplete;		 /* there was no memory for the recording's config */
};

/* Open what the flags ask for, and listen.  Return: 0; -errno with a sentence. */
int quire_sim_record_open(struct quire_sim_record *rec, const struct quire_sim_runs *sim,
			  uint32_t index, struct quire_tee *tee);

/* The loop of @config is made; its report has its settings. */
void quire_sim_record_begin(struct quire_sim_record *rec, const struct quire_sim_runs *sim,
			    uint32_t index, const struct quire_loop_config *config);

/*
 * The run is over and @r its report.  A file that could not be written becomes the
 * sentence of a report that has none, and a warning on stderr beside another one.
 */
void quire_sim_record_close(struct quire_sim_record *rec, struct quire_report *r);

#endif /* QUIRE_SIM_RECORD_H */
