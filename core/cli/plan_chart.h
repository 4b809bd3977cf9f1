/*
 * plan_chart.h - a batch sweep as a picture.
 */
#ifndef QUIRE_PLAN_CHART_H
#define QUIRE_PLAN_CHART_H

#include "core/sim/estimate.h"

/*
 * Draw @count estimates, by rising batch, to the file @path, whose ending says the
 * format: .svg, .png or .pdf.
 * Return: 0; -EINVAL another ending; -EIO; see quire_failure().
 */
int quire_plan_chart(const struct quire_estimate_config *config,
		     const struct quire_estimate *points, size_t count, uint32_t batch_max,
		     const char *path);
/* The first half of it: is the ending one of the three? */
int quire_plan_chart_check(const char *path);

#endif /* QUIRE_PLAN_CHART_H */
