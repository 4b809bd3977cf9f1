/*
 * trace_info.h - what a workload is like, for people and as JSON; "quire trace info".
 */
#ifndef QUIRE_TRACE_INFO_H
#define QUIRE_TRACE_INFO_H

#include "core/trace/stats.h"
#include <jansson.h>

/* To standard output. */
void quire_trace_info_print(const struct quire_workload *w, const struct quire_workload_stats *s);
/* Return: a new object; NULL without memory. */
json_t *quire_trace_info_json(const struct quire_workload *w, const struct quire_workload_stats *s);

#endif /* QUIRE_TRACE_INFO_H */
