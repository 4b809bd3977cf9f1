/*
 * sim.h - the executor that predicts instead of computing.
 *
 * It charges each plan with the cost model (cost.h) and moves a virtual clock.
 * It alone knows where sequences truly end.
 */
#ifndef QUIRE_SIM_H
#define QUIRE_SIM_H

#include "core/exec.h"
#include "core/sim/cost.h"

struct quire_sim {
	uint64_t clock_ns;
	struct quire_cost *cost;       /* borrowed */
	const uint32_t *output_tokens; /* [request id] true lengths; borrowed */
};

extern const struct quire_exec_ops quire_exec_sim; /* priv: struct quire_sim */

#endif /* QUIRE_SIM_H */
