/*
 * record_plot.c - see record_plot.h.
 */
#include "record_plot.h"

#include "record_grow.h"
#include "record_metrics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define TIME_MAX ((uint64_t)1 << 60) /* 36 years; more would be no run */

static int take_step(struct quire_record_plot *p, struct quire_record_step *running,
		     const struct quire_event *e)
{
	if (e->kind == QUIRE_EV_STEP)
		*running = (struct quire_record_step){
			.begin_ns = e->at_ns, .step = e->step, .tokens = e->b};
	if (e->kind != QUIRE_EV_DONE || running->step != e->step)
		return 0;
	if (GROW(p->steps, p->steps_limit, (uint64_t)p->steps_count + 1))
		return -ENOMEM;
	running->time_ns = e->at_ns - running->begin_ns;
	p->steps[p->steps_count++] = *running;
	return 0;
}

/* Events of a file may say anything: time that goes backwards stands still here, and
 * a sequence that nobody can have is left out. */
static int take_events(struct quire_record_plot *p, struct quire_series *series,
		       const struct quire_record *r)
{
	struct quire_record_cursor at = {.record = r};
	struct quire_record_step running = {.step = 0};
	const struct quire_event *next;
	struct quire_series_sink fold;
	struct quire_sink *sink = quire_series_sink_init(&fold, series);
	uint64_t now_ns = 0;
	int rc = 0;

	while (rc == 0 && (next = quire_record_next(&at))) {
		struct quire_event e = *next;

		now_ns = e.at_ns > now_ns && e.at_ns <= TIME_MAX ? e.at_ns : now_ns;
		e.at_ns = now_ns;
		rc = take_step(p, &running, &e);
		if (e.kind < QUIRE_EV_COUNT && sink->kinds & 1u << e.kind &&
		    e.seq <= r->events_count)
			sink->emit(sink, &e);
	}
	if (fold.short_of_memory)
		rc = quire_fail(-ENOMEM, "no memory for the charts of %s", r->path);
	quire_series_sink_free(&fold);
	return rc;
}

static int take_requests(struct quire_record_plot *p, struct quire_plot *plot,
			 const struct quire_record *r)
{
	struct quire_metrics *m = malloc(sizeof(*m));
	struct quire_request *requests = quire_record_workload(r);
	int rc = -ENOMEM;

	if (m && requests)
		rc = quire_record_metrics(r, m);
	if (rc == 0)
		p->requests = calloc((size_t)m->requests_count + 1, sizeof(*p->requests));
	if (rc) {
		free(m);
		free(requests);
		return quire_fail(rc, "no memory for the charts of %s", r->path);
	}
	rc = p->requests ? quire_plot_latencies(plot, m, requests)
			 : quire_fail(-ENOMEM, "no memory for the charts of %s", r->path);
	for (uint32_t i = 0; p->requests && i < m->requests_count; i++) {
		const struct quire_request *q = &requests[i];
		const struct quire_outcome *o = &m->outcomes[i];

		p->requests[i] =
			quire_in_window(m, o->arrival_ns)
				? quire_request_times(o, q->beams > 1 ? q->beams : q->samples)
				: (struct quire_request_times){NAN, NAN, NAN, NAN, NAN};
		p->requests_count++;
	}
	quire_record_metrics_free(m);
	free(requests);
	free(m);
	return rc;
}

int quire_record_plot_make(struct quire_record_plot *p, struct quire_plot *plot,
			   const struct quire_record *r)
{
	int rc;

	*p = (struct quire_record_plot){.requests = NULL};
	*plot = (struct quire_plot){.series = {.bin_ns = 0}};
	rc = take_events(p, &plot->series, r);
	if (rc == 0)
		rc = take_requests(p, plot, r);
	if (rc)
		quire_record_plot_free(p);
	return rc;
}

void quire_record_plot_free(struct quire_record_plot *p)
{
	free(p->requests);
	free(p->steps);
	*p = (struct quire_record_plot){.requests = NULL};
}
