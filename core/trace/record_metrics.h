/*
 * record_metrics.h - the metrics and the report of a run, made again from its recording.
 *
 * The loop folds its metrics while it runs; here the same sums are made from the
 * events alone.  Both must agree to the last bit: tests compare the reports.
 */
#ifndef QUIRE_RECORD_METRICS_H
#define QUIRE_RECORD_METRICS_H

#include "record.h"
#include "report.h"

/*
 * Return: 0, and @m is to be freed with quire_record_metrics_free(); -ENOMEM.  Of a
 * recording that was cut off they hold up to its last event.  @m is big: let it be
 * static, or on the heap.
 */
int quire_record_metrics(const struct quire_record *r, struct quire_metrics *m);
void quire_record_metrics_free(struct quire_metrics *m);

/* The requests as they are recorded, [r->run->requests_count], none if they were cut off;
 * to be freed.  Return: NULL with a sentence: no memory. */
struct quire_request *quire_record_workload(const struct quire_record *r);

/*
 * The metrics as the figures of a report.  Of its config only what figures depend on is
 * filled in; the rest is in r->config.  Return: 0; -ENOMEM.
 */
int quire_record_report(const struct quire_record *r, struct quire_report *report);

#endif /* QUIRE_RECORD_METRICS_H */
