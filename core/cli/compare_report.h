/*
 * compare_report.h - the figures of a report that was read from JSON.
 */
#ifndef QUIRE_COMPARE_REPORT_H
#define QUIRE_COMPARE_REPORT_H

#include "core/trace/report.h"

#include <jansson.h>

/* Fill in what charts show: figures, and of the config the slots of the pool and names.
 * What the JSON does not hold, or holds as something else, does not exist: NAN, "", 0. */
void quire_report_from_json(struct quire_report *r, const json_t *json);

/* The value of a key as "ttft_s.mean"; NULL: there is none. */
const json_t *quire_report_value(const json_t *json, const char *key);

#endif /* QUIRE_COMPARE_REPORT_H */
