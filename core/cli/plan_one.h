/*
 * plan_one.h - the page of "quire plan" for one batch.
 */
#ifndef QUIRE_PLAN_ONE_H
#define QUIRE_PLAN_ONE_H

#include "plan_page.h"

void quire_plan_print_one(const struct quire_plan_page *p);

#endif /* QUIRE_PLAN_ONE_H */
