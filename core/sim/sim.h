/*
 * sim.h - the executor that predicts instead of computing.
 *
 * It charges each plan with the cost model (cost.h), or with times that were
 * measured (timing.h), and moves a virtual clock.
 * It alone knows where sequences truly end.
 */
#ifndef QUIRE_SIM_H
#define QUIRE_SIM_H

#include "core/exec.h"
#include "core/sim/cost.h"
#include "core/sim/timing.h"

struct quire_sim {
	uint64_t clock_ns;
	struct quire_cost *cost;       /* borrowed */
	struct quire_timing *timing;   /* instead of cost; NULL: none; borrowed */
	const uint32_t *output_tokens; /* [request id] true lengths; borrowed */
	uint64_t plan;		       /* of a replay: the last one whose time was told ... */
	bool stepped;		       /* ... and it has just been run; both 0 at first */
};

extern const struct quire_exec_ops quire_exec_sim; /* priv: struct quire_sim */

#endif /* QUIRE_SIM_H */
