/*
 * plan_page.h - what "quire plan" found, on its way to the reader: as text, as JSON.
 */
#ifndef QUIRE_PLAN_PAGE_H
#define QUIRE_PLAN_PAGE_H

#include "core/sim/estimate.h"

#include <jansson.h>

#define QUIRE_PLAN_GPUS_MAX 32

struct quire_plan_page {
	struct quire_estimate_config config;
	const struct quire_dtype *weights, *kv;
	uint32_t batch_first, batch_last;
	uint32_t batch_max;	       /* that fits */
	struct quire_estimate *points; /* [points_count] by rising batch; owned */
	size_t points_count;
	double price_usd;			    /* of a GPU for an hour; 0: not asked for */
	struct quire_gpu gpus[QUIRE_PLAN_GPUS_MAX]; /* [gpus_count], config.gpu is the first */
	uint32_t gpus_count;
	const char *json, *chart; /* NULL: not asked for */
};

/* Does the table show this one?  The chart has more points. */
bool quire_plan_shown(const struct quire_plan_page *p, const struct quire_estimate *e);
/* "compute" or "memory", by the roofline. */
const char *quire_plan_bound(const struct quire_phase *phase);
/* By the cost model.  TPOT is 0 where nothing is decoded. */
double quire_plan_ttft_s(const struct quire_estimate *e);
double quire_plan_tpot_s(const struct quire_estimate *e);
double quire_plan_e2e_s(const struct quire_estimate *e);
double quire_plan_throughput(const struct quire_plan_page *p, const struct quire_estimate *e);

/* The page for people, on standard output: of one batch, or of a sweep. */
void quire_plan_print(const struct quire_plan_page *p);
/* The heading alone. */
void quire_plan_print_title(const struct quire_plan_page *p);
/* The same for programs; NULL: no memory. */
json_t *quire_plan_json(const struct quire_plan_page *p);

#endif /* QUIRE_PLAN_PAGE_H */
