/*
 * record_plot.h - what the charts of a run need, made again from its recording.
 *
 * A live run folds its quantities over time as it goes (series.h) and forgets single
 * steps and requests; from a recording both can be told one by one.
 */
#ifndef QUIRE_RECORD_PLOT_H
#define QUIRE_RECORD_PLOT_H

#include "record.h"
#include "report.h"
#include "series.h"

struct quire_record_step {
	uint64_t begin_ns;
	uint64_t time_ns; /* how long it took */
	uint32_t step;	  /* its number, from 1 */
	uint32_t tokens;  /* that it ran, padding included */
};

struct quire_record_plot {
	struct quire_request_times *requests; /* [requests_count] by id; owned */
	uint32_t requests_count;
	struct quire_record_step *steps; /* [steps_count] that have ended; owned */
	uint32_t steps_count, steps_limit;
};

/*
 * Fill both in.  Requests that arrived outside the window have no times, as in the
 * report; steps are those of the whole run.
 * Return: 0, and @p is to be freed with quire_record_plot_free(); -ENOMEM, see
 * quire_failure().
 */
int quire_record_plot_make(struct quire_record_plot *p, struct quire_plot *plot,
			   const struct quire_record *r);
void quire_record_plot_free(struct quire_record_plot *p);

#endif /* QUIRE_RECORD_PLOT_H */
